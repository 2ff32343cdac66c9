//! A provider for tests that answers each request as the test says, and remembers what it was asked.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use super::transport::{Transport, TransportError};

pub(super) type Answer = Result<Response<Bytes>, TransportError>;

/// What was asked, as `GET /v1/servers?page=1`, with the body.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<Mutex<Vec<(String, String)>>>);

impl Asked {
    pub(super) fn lines(&self) -> Vec<String> {
        let asked = self.0.lock().unwrap();
        asked.iter().map(|(line, _)| line.clone()).collect()
    }

    /// The body of the last request to `line`'s beginning.
    pub(super) fn body(&self, line: &str) -> serde_json::Value {
        let asked = self.0.lock().unwrap();
        let found = asked.iter().rfind(|(asked, _)| asked.starts_with(line));
        serde_json::from_str(&found.expect("never asked").1).unwrap()
    }

    pub(super) fn count(&self, line: &str) -> usize {
        self.lines()
            .iter()
            .filter(|asked| asked.starts_with(line))
            .count()
    }
}

/// The way to a provider that takes `latency` and answers by `answer(line, body)`.
pub(super) fn transport(
    latency: Duration,
    answer: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
) -> (Transport, Asked) {
    let asked = Asked::default();
    let answer = Arc::new(answer);
    let noted = asked.clone();
    let service = tower::service_fn(move |request: Request<Bytes>| {
        let path = request.uri().path_and_query().unwrap().to_string();
        let line = format!("{} {path}", request.method());
        let body = String::from_utf8(request.body().to_vec()).unwrap();
        noted.0.lock().unwrap().push((line.clone(), body.clone()));
        let answer = Arc::clone(&answer);
        async move {
            tokio::time::sleep(latency).await;
            answer(&line, &body)
        }
    });
    (Transport::new(service, Duration::from_secs(10)), asked)
}

pub(super) fn json(status: u16, body: &serde_json::Value) -> Answer {
    let answer = Response::builder().status(status);
    Ok(answer.body(Bytes::from(body.to_string())).unwrap())
}

pub(super) fn lost() -> Answer {
    Err(TransportError::Lost("reset".into()))
}
