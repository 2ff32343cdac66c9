//! How connections come in, how many, and what they speak: TLS, or plain HTTP from this machine, told apart by their
//! first byte; HTTP/2 or HTTP/1.1, as the client prefers.
//!
//! kubectl sends a token over TLS only; simpler clients on the same machine need not bother.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;

use crate::server::Server;

/// Connections at a time; the next one waits in the system's queue.
const CONNECTION_LIMIT: usize = 1024;
/// Requests and watches at a time on one HTTP/2 connection. Kubernetes takes as many (`secure_serving.go`), and clients
/// open another connection for more.
const STREAM_LIMIT: u32 = 100;
const GREETING_TIME: Duration = Duration::from_secs(10);
/// How long the head of the next HTTP/1.1 request may take: longer than clients keep a connection that idles, which for
/// Go's is 90 s, so that we do not close what they are about to use.
const HEAD_TIME: Duration = Duration::from_mins(2);
/// An HTTP/2 peer that is silent for so long is asked whether it is still there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// The first byte of a TLS handshake record: RFC 8446, 5.1.
const HANDSHAKE: u8 = 22;
/// What to do when the system has no more file descriptors: wait for some.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

type Connection = Either<TcpStream, TlsStream<TcpStream>>;

/// Serves until `stop`; returns when the requests under way are answered.
pub(crate) async fn serve(
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    server: Server,
    stop: CancellationToken,
) {
    let mut connections = JoinSet::new();
    loop {
        let may_accept = connections.len() < CONNECTION_LIMIT;
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = connections.join_next() => {}
            accepted = tcp.accept(), if may_accept => match accepted {
                Ok((stream, from)) => {
                    connections.spawn(attend(stream, from, acceptor.clone(), server.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(EXHAUSTED_PAUSE).await;
                }
            },
        }
    }
    drop(tcp);
    while connections.join_next().await.is_some() {}
}

/// One connection from its first byte to its last.
async fn attend(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: TlsAcceptor,
    server: Server,
    stop: CancellationToken,
) {
    // Small answers should not wait for more of them.
    let _ = stream.set_nodelay(true);
    let greeted = tokio::select! {
        () = stop.cancelled() => return,
        greeted = timeout(GREETING_TIME, greet(stream, from, acceptor)) => greeted,
    };
    let connection = match greeted {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            tracing::debug!(%error, %from, "a connection was turned away");
            return;
        }
        Err(_) => return,
    };
    let protocols = protocols();
    let service = TowerToHyperService::new(server);
    let mut served = pin!(protocols.serve_connection(TokioIo::new(connection), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, %from, "a connection broke");
    }
}

/// The connection, once it has shown what it speaks.
async fn greet(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: TlsAcceptor,
) -> io::Result<Connection> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first == [HANDSHAKE] {
        return acceptor.accept(stream).await.map(Either::Right);
    }
    if from.ip().to_canonical().is_loopback() {
        return Ok(Either::Left(stream));
    }
    Err(io::Error::other("plain HTTP is for this machine only"))
}

fn protocols() -> auto::Builder<TokioExecutor> {
    let mut protocols = auto::Builder::new(TokioExecutor::new());
    protocols
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME);
    protocols
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .max_concurrent_streams(STREAM_LIMIT);
    protocols
}
