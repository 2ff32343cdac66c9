//! A provider for tests that answers each request as the test says, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use super::transport::{Transport, TransportError};

pub(super) type Answer = Response<Bytes>;

/// What was asked, as `GET /v1/servers?page=1`.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Vec<String>>>);

impl Asked {
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// The way to a provider that takes `latency` and answers by `answer(line)`.
pub(super) fn transport(
    latency: Duration,
    answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
) -> (Transport, Asked) {
    let asked = Asked::default();
    let answer = Arc::new(answer);
    let noted = asked.clone();
    let service = tower::service_fn(move |request: Request<Bytes>| {
        let path = request.uri().path_and_query().unwrap().to_string();
        let line = format!("{} {path}", request.method());
        noted.0.lock().unwrap().push(line.clone());
        let answer = Arc::clone(&answer);
        async move {
            tokio::time::sleep(latency).await;
            Ok::<_, TransportError>(answer(&line))
        }
    });
    (Transport::new(service, Duration::from_secs(10)), asked)
}

pub(super) fn json(status: u16, body: &serde_json::Value) -> Answer {
    let answer = Response::builder().status(status);
    answer.body(Bytes::from(body.to_string())).unwrap()
}
