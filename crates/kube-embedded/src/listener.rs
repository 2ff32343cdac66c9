//! How connections come in: TLS, or plain HTTP from this machine, told apart by their first byte.
//!
//! kubectl sends a token over TLS only; simpler clients on the same machine need not bother.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

/// Connections that have not said enough yet; the next one waits in the system's queue.
const GREETING_LIMIT: usize = 256;
const GREETING_TIME: Duration = Duration::from_secs(10);
/// The first byte of a TLS handshake record: RFC 8446, 5.1.
const HANDSHAKE: u8 = 22;
/// What to do when the system has no more file descriptors: wait for some.
const EXHAUSTED_PAUSE: Duration = Duration::from_millis(100);

pub(crate) type Connection = Either<TcpStream, TlsStream<TcpStream>>;

pub(crate) struct Listener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    greeting: FuturesUnordered<BoxFuture<'static, Option<(Connection, SocketAddr)>>>,
}

impl Listener {
    pub(crate) fn new(tcp: TcpListener, acceptor: TlsAcceptor) -> Self {
        Self {
            tcp,
            acceptor,
            greeting: FuturesUnordered::new(),
        }
    }
}

/// The connection, once it has shown what it speaks; none if it does not in time, or speaks plainly
/// from afar.
async fn greet(
    stream: TcpStream,
    from: SocketAddr,
    acceptor: TlsAcceptor,
) -> Option<(Connection, SocketAddr)> {
    let greeting = async {
        let mut first = [0];
        stream.peek(&mut first).await?;
        if first == [HANDSHAKE] {
            return acceptor.accept(stream).await.map(Either::Right);
        }
        if from.ip().to_canonical().is_loopback() {
            return Ok(Either::Left(stream));
        }
        Err(io::Error::other("plain HTTP is for this machine only"))
    };
    match timeout(GREETING_TIME, greeting).await {
        Ok(Ok(connection)) => Some((connection, from)),
        Ok(Err(error)) => {
            tracing::debug!(%error, %from, "a connection was turned away");
            None
        }
        Err(_) => None,
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let may_accept = self.greeting.len() < GREETING_LIMIT;
            tokio::select! {
                Some(greeted) = self.greeting.next() => {
                    if let Some(connection) = greeted {
                        return connection;
                    }
                }
                accepted = self.tcp.accept(), if may_accept => match accepted {
                    Ok((stream, from)) => {
                        // Small answers should not wait for more of them.
                        let _ = stream.set_nodelay(true);
                        let greeting = greet(stream, from, self.acceptor.clone());
                        self.greeting.push(Box::pin(greeting));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection could not be accepted");
                        tokio::time::sleep(EXHAUSTED_PAUSE).await;
                    }
                },
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}
