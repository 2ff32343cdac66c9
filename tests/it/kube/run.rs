//! How a sequence is asked of one server: in order, with what earlier answers said put in. Returns what is compared.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::normal::Normal;
use super::sequence::{Ask, Body, Sequence, Step, Who};
use super::servers::{Answer, Asked, TOKEN};

/// How long anything may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_mins(1);

/// The answers to a sequence's requests, in their order and normalised; fewer when one failed.
pub(super) struct Answers {
    pub(super) seen: Vec<Value>,
    pub(super) failure: Option<String>,
}

/// Asks all of it. `name` is the sequence's own, for its namespace and its group.
pub(super) async fn run(asked: &Asked, name: &str, sequence: &Sequence) -> Answers {
    let mut run = Run {
        asked,
        words: words(name),
        last: Value::Null,
        normal: Normal::default(),
    };
    let mut seen = Vec::new();
    let failure = run.all(sequence, &mut seen).await.err();
    Answers { seen, failure }
}

struct Run<'a> {
    asked: &'a Asked,
    words: BTreeMap<String, Value>,
    last: Value,
    normal: Normal,
}

fn words(name: &str) -> BTreeMap<String, Value> {
    let group = format!("{name}.example");
    let own = format!("/api/v1/namespaces/{name}");
    BTreeMap::from([
        (
            "{definitions}".to_owned(),
            json!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
        ),
        ("{maps}".to_owned(), json!(format!("{own}/configmaps"))),
        ("{secrets}".to_owned(), json!(format!("{own}/secrets"))),
        (
            "{things}".to_owned(),
            json!(format!("/apis/{group}/v1/namespaces/{name}/things")),
        ),
        ("{ns}".to_owned(), json!(name)),
        ("{group}".to_owned(), json!(group)),
    ])
}

impl Run<'_> {
    async fn all(&mut self, sequence: &Sequence, seen: &mut Vec<Value>) -> Result<(), String> {
        self.make_namespace().await?;
        for step in &sequence.steps {
            match step {
                Step::Ask(ask) => seen.push(self.ask(ask).await?),
                Step::Keep { name, pointer } => {
                    let kept = self.last.pointer(pointer);
                    let kept =
                        kept.ok_or_else(|| format!("nothing at {pointer}: {}", self.last))?;
                    self.words.insert(format!("{{{name}}}"), kept.clone());
                }
                Step::Until { path, headers, so } => self.until(path, headers, so).await?,
            }
        }
        Ok(())
    }

    async fn make_namespace(&self) -> Result<(), String> {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{ns}"}});
        let body = put_in(&self.words, body).to_string();
        let request = request("POST", "/api/v1/namespaces", &HeaderMap::new(), body);
        let answer = self.send(request?).await?;
        let made = answer.status == 201;
        made.then_some(())
            .ok_or_else(|| format!("make a namespace: {}", answer.status))
    }

    async fn send(&self, request: Request<Bytes>) -> Result<Answer, String> {
        let what = format!("{} {}", request.method(), request.uri());
        let sent = timeout(PATIENCE, self.asked.send(request)).await;
        sent.map_err(|_| format!("no answer within {PATIENCE:?}: {what}"))?
            .map_err(|error| format!("{what}: {error}"))
    }

    async fn ask(&mut self, ask: &Ask) -> Result<Value, String> {
        let path = filled(&self.words, &ask.path);
        let mut headers = HeaderMap::new();
        let bearer = match &ask.who {
            Who::Tester => format!("Bearer {TOKEN}"),
            Who::Nobody => String::new(),
            Who::Token(token) => format!("Bearer {}", filled(&self.words, token)),
        };
        headers.insert("authorization", value(&bearer)?);
        for (name, text) in &ask.headers {
            let name = HeaderName::from_static(name);
            headers.insert(name, value(&filled(&self.words, text))?);
        }
        let body = self.body(&ask.body);
        let answer = self
            .send(request(ask.method, &path, &headers, body)?)
            .await?;
        let watch = path.contains("watch=true");
        // A HEAD has none on the wire, whatever a service in this process makes of it.
        let body = match ask.method {
            "HEAD" => Value::Null,
            _ => body_of(&answer, watch)?,
        };
        self.last = body.clone();
        let shown = ask.shown.map_or(body.clone(), |shown| shown(body));
        Ok(json!({
            "status": answer.status,
            "content-type": texts(&answer.headers, "content-type"),
            "warning": texts(&answer.headers, "warning"),
            "body": self.normal.answer(shown),
        }))
    }

    fn body(&self, body: &Body) -> String {
        match body {
            Body::None => String::new(),
            Body::Json(body) => put_in(&self.words, body.clone()).to_string(),
            Body::Text(text) => filled(&self.words, text),
            Body::Last(change) => {
                let mut body = self.last.clone();
                change(&mut body);
                put_in(&self.words, body).to_string()
            }
        }
    }

    async fn until(
        &mut self,
        path: &str,
        headers: &[(&'static str, String)],
        so: &(dyn Fn(u16, &Value) -> bool + Send + Sync),
    ) -> Result<(), String> {
        let path = filled(&self.words, path);
        let mut also = HeaderMap::new();
        for (name, text) in headers {
            let name = HeaderName::from_static(name);
            also.insert(name, value(&filled(&self.words, text))?);
        }
        let end = Instant::now() + PATIENCE;
        let mut tick = interval(Duration::from_millis(50));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let request = request("GET", &path, &also, String::new())?;
            let answer = self.send(request).await?;
            let body = body_of(&answer, false)?;
            if so(answer.status, &body) {
                self.last = body;
                return Ok(());
            }
            if Instant::now() > end {
                return Err(format!("not within {PATIENCE:?}: {path}; last: {body}"));
            }
        }
    }
}

/// A request with the usual headers where `headers` has none; an empty one leaves the header out.
fn request(
    method: &str,
    path: &str,
    headers: &HeaderMap,
    body: String,
) -> Result<Request<Bytes>, String> {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .body(Bytes::from(body))
        .map_err(|error| format!("{method} {path}: {error}"))?;
    let mut all = HeaderMap::new();
    all.insert("authorization", value(&format!("Bearer {TOKEN}"))?);
    all.insert("accept", HeaderValue::from_static("application/json"));
    all.insert("user-agent", HeaderValue::from_static("table/1"));
    if !request.body().is_empty() {
        all.insert("content-type", HeaderValue::from_static("application/json"));
    }
    all.extend(headers.clone());
    let empty = all.iter().filter(|(_, value)| value.is_empty());
    let empty: Vec<_> = empty.map(|(name, _)| name.clone()).collect();
    for name in empty {
        all.remove(name);
    }
    *request.headers_mut() = all;
    Ok(request)
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|error| format!("{text}: {error}"))
}

fn texts(headers: &HeaderMap, name: &str) -> Value {
    let all = headers.get_all(name).iter();
    let mut all: Vec<_> = all.filter_map(|value| value.to_str().ok()).collect();
    all.sort_unstable();
    json!(all)
}

/// JSON as what it is, the events of a watch as a list, anything else as text.
fn body_of(answer: &Answer, watch: bool) -> Result<Value, String> {
    let text = std::str::from_utf8(&answer.body).map_err(|error| error.to_string())?;
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let kind = answer.headers.get("content-type");
    let json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    if !json {
        return Ok(Value::String(text.to_owned()));
    }
    if watch && answer.status == 200 {
        let events = serde_json::Deserializer::from_str(text).into_iter();
        let events: Result<Vec<Value>, _> = events.collect();
        return events.map(Value::Array).map_err(|error| error.to_string());
    }
    serde_json::from_str(text).map_err(|error| format!("{error} in {text}"))
}

/// A text with the words' values put in.
fn filled(words: &BTreeMap<String, Value>, text: &str) -> String {
    let mut text = text.to_owned();
    for (word, value) in words {
        let value = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        text = text.replace(word, &value);
    }
    text
}

/// A document with the words' values put in, in names of fields, too.
fn put_in(words: &BTreeMap<String, Value>, document: Value) -> Value {
    match document {
        Value::String(text) => match words.get(&text) {
            Some(value) => value.clone(),
            None => Value::String(filled(words, &text)),
        },
        Value::Array(items) => items.into_iter().map(|item| put_in(words, item)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| (filled(words, &name), put_in(words, value)))
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => document,
    }
}
