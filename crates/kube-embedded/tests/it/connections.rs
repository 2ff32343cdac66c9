//! What connections speak, and what they come to: HTTP/2 where it is offered, many requests at once on one of them, and
//! an end when the server stops.

use std::net::SocketAddr;
use std::sync::Arc;

use futures::future::join_all;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use kube_embedded::Server;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::sync::CancellationToken;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

struct Served {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl Served {
    async fn start() -> Self {
        let server = Server::builder().token("secret").build().await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let told = stop.clone();
        tasks.spawn(async move { server.serve(listener, told).await.unwrap() });
        Self {
            address,
            stop,
            tasks,
        }
    }

    /// A TLS connection of a client that offers these protocols.
    async fn connect(&self, offers: &[&str]) -> TlsStream<TcpStream> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        config.alpn_protocols = offers
            .iter()
            .map(|offer| offer.as_bytes().to_vec())
            .collect();
        let stream = TcpStream::connect(self.address).await.unwrap();
        let name = ServerName::from(self.address.ip());
        let connector = TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.unwrap()
    }

    async fn http2(&mut self) -> SendRequest<Empty<bytes::Bytes>> {
        let stream = TokioIo::new(self.connect(&["h2", "http/1.1"]).await);
        let (requests, connection) =
            hyper::client::conn::http2::handshake(TokioExecutor::new(), stream)
                .await
                .unwrap();
        self.tasks.spawn(async move { connection.await.unwrap() });
        requests
    }
}

/// Whoever it is, it is the server of this test.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn ask(path: &str) -> Request<Empty<bytes::Bytes>> {
    Request::get(format!("https://localhost{path}"))
        .header("authorization", "Bearer secret")
        .body(Empty::new())
        .unwrap()
}

#[tokio::test]
async fn a_client_speaks_http2_if_it_offers_it_and_http1_otherwise() {
    let served = Served::start().await;
    for (offers, spoken) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let connection = served.connect(offers).await;
        let agreed = connection.get_ref().1.alpn_protocol();
        assert_eq!(agreed, spoken.map(str::as_bytes), "{offers:?}");
    }
}

#[tokio::test]
async fn one_connection_carries_a_hundred_watches_and_the_hundred_and_first_request_waits() {
    let mut served = Served::start().await;
    let mut requests = served.http2().await;
    requests.ready().await.unwrap();
    let watch = || {
        requests
            .clone()
            .send_request(ask(&format!("{MAPS}?watch=true")))
    };
    let watches = join_all((0..100).map(|_| watch())).await;
    let mut watches: Vec<_> = watches.into_iter().map(Result::unwrap).collect();
    assert!(watches.iter().all(|watch| watch.status() == StatusCode::OK));
    let list = requests.clone().send_request(ask(MAPS));
    let mut list = std::pin::pin!(list);
    assert!(futures::poll!(list.as_mut()).is_pending());
    drop(watches.pop());
    assert_eq!(list.await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn when_the_server_stops_watches_end_and_connections_are_closed() {
    let mut served = Served::start().await;
    let requests = served.http2().await;
    let watch = ask(&format!("{MAPS}?watch=true"));
    let watch = requests.clone().send_request(watch).await.unwrap();
    let _silent = TcpStream::connect(served.address).await.unwrap();
    served.stop.cancel();
    watch.into_body().collect().await.unwrap();
    // The server and the client's connection; none of them has to be told anything more.
    while let Some(ended) = served.tasks.join_next().await {
        ended.unwrap();
    }
}
