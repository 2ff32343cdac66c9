//! What happens to every request, whichever API it is for: how it is read, what fate it meets, and when its answer may go
//! out. What it does is the simulator's own business.

use std::{cell::RefCell, collections::BTreeMap, time::Duration};

use axum::{
    RequestExt,
    body::{Body, Bytes},
    extract::{MatchedPath, OriginalUri, RawPathParams, Request},
    response::{IntoResponse, Response},
};
use futures::stream;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{
    calls::Struck,
    clock::{Clock, Millis},
    faults::{FaultKind, Faults},
    history::{Change, Entry, Outcome, Subject},
    options::Options,
    state::State,
};

/// Whose API a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Api {
    Hetzner,
    Cloudflare,
    Stripe,
    Guests,
    Console,
}

impl Api {
    pub const ALL: [Api; 5] = [
        Api::Hetzner,
        Api::Cloudflare,
        Api::Stripe,
        Api::Guests,
        Api::Console,
    ];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Api::Hetzner => "hetzner",
            Api::Cloudflare => "cloudflare",
            Api::Stripe => "stripe",
            Api::Guests => "guests",
            Api::Console => "console",
        }
    }
}

/// An answer that is whole in memory.
pub(crate) type Answer = http::Response<Bytes>;

/// Marks, in a response's extensions, that the connection breaks: its body fails at the first read. Over TCP the
/// connection is closed; a transport in process may report a reset.
#[derive(Clone, Copy, Debug)]
pub struct Lost;

/// The largest request body taken, in bytes. Hetzner's user data (32 KiB) and a DNS batch both fit well.
const MOST_BODY: usize = 1024 * 1024;
/// How long a stalled answer takes in `tokio` time.
const STALL: Duration = Duration::from_mins(2);

/// A request, read whole.
pub struct Asked {
    pub method: Method,
    /// The path pattern that matched; `(none)` when none did, so that counts by pattern stay few.
    pub pattern: String,
    pub path: String,
    pub params: BTreeMap<String, String>,
    /// Decoded pairs in the order they came.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Asked {
    /// Reads a request, or answers 413 or 400 for one that cannot be read.
    pub async fn read(mut request: Request) -> Result<Asked, Response> {
        let pattern = request
            .extensions()
            .get::<MatchedPath>()
            .map(|matched| matched.as_str().to_owned());
        let params = match request.extract_parts::<RawPathParams>().await {
            Ok(params) => params
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            Err(_) => BTreeMap::new(),
        };
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, MOST_BODY)
            .await
            .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE.into_response())?;
        let query = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default())
            .map_err(|_| StatusCode::BAD_REQUEST.into_response())?;
        let whole = parts
            .extensions
            .get::<OriginalUri>()
            .map_or(&parts.uri, |OriginalUri(uri)| uri);
        let path = whole.path().to_owned();
        Ok(Asked {
            method: parts.method,
            pattern: pattern.unwrap_or_else(|| "(none)".to_owned()),
            path,
            params,
            query,
            headers: parts.headers,
            body,
        })
    }

    /// Method and path pattern, as `GET /v1/servers/{id}`. Few whatever is asked, since calls are counted by it.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let known = [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ];
        let method = known
            .iter()
            .find(|known| **known == self.method)
            .map_or("OTHER", Method::as_str);
        format!("{method} {}", self.pattern)
    }

    pub fn param(&self, name: &str) -> &str {
        self.params.get(name).map_or("", String::as_str)
    }

    /// The first value of a query parameter.
    pub fn query_value(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn query_values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.query
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The token of `Authorization: Bearer …`.
    pub fn bearer(&self) -> Option<&str> {
        self.header("authorization")?
            .strip_prefix("Bearer ")
            .map(str::trim)
    }

    /// The body as JSON; an empty body counts as `{}`.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let body: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            &self.body
        };
        // Read in two steps, so that a value of the wrong kind never looks like JSON that cannot be read.
        T::deserialize(serde_json::from_slice::<serde_json::Value>(body)?)
    }
}

/// One turn at the state: everything a handler may look at and change. Nothing else runs meanwhile, and the answer goes out
/// only when what changed is kept.
pub struct Turn<'a> {
    pub now: Millis,
    pub state: &'a mut State,
    pub options: &'a Options,
    pub faults: &'a Faults,
    pub clock: &'a Clock,
    pub api: Api,
    pub endpoint: String,
    pub request_id: String,
    /// Whom history names; a simulator sets it when it knows whose token it was.
    pub caller: String,
    pub(crate) noted: Vec<Entry>,
    /// Faults that struck within the turn.
    pub(crate) struck: RefCell<Vec<Struck>>,
}

impl Turn<'_> {
    #[must_use]
    pub fn stamp(&self, at: Millis) -> Timestamp {
        self.clock.stamp(at)
    }

    /// Whether a fault of this kind strikes here and now.
    #[must_use]
    pub fn strikes(&self, kind: FaultKind) -> bool {
        let strikes = self.faults.strikes(self.api, kind, &self.endpoint);
        if strikes {
            self.struck.borrow_mut().push(Struck::Fault(kind));
        }
        strikes
    }

    /// Writes a change into history that takes effect now.
    pub fn note(&mut self, subject: Subject, change: Change, labels: &BTreeMap<String, String>) {
        self.note_from(self.now, subject, change, labels);
    }

    /// Writes a change into history that takes effect at `effective`.
    pub fn note_from(
        &mut self,
        effective: Millis,
        subject: Subject,
        change: Change,
        labels: &BTreeMap<String, String>,
    ) {
        self.noted.push(Entry {
            sequence: 0,
            at: self.stamp(self.now),
            effective: self.stamp(effective),
            api: self.api,
            endpoint: self.endpoint.clone(),
            caller: self.caller.clone(),
            request_id: self.request_id.clone(),
            outcome: Outcome::Lost,
            subject,
            change,
            labels: labels.clone(),
        });
    }
}

/// What a call meets on its way in and out. Decided before anything happens.
pub(crate) struct Fate {
    /// How long it waits before and again after it takes effect.
    pub(crate) pause: Duration,
    pub(crate) before: Option<Blow>,
    pub(crate) after: Option<Blow>,
    /// What made it so.
    pub(crate) struck: Option<Struck>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Blow {
    Lost,
    Stalled,
    Garbled,
    Throttled,
    Broken(StatusCode),
}

impl Fate {
    pub(crate) fn of(faults: &Faults, api: Api, endpoint: &str, most: Duration) -> Fate {
        let pause = faults.delay(api, most) / 2;
        if faults.is_down(api) {
            let before = Some(Blow::Broken(StatusCode::SERVICE_UNAVAILABLE));
            return Fate {
                pause,
                before,
                after: None,
                struck: Some(Struck::Down),
            };
        }
        let strikes = |kind: &FaultKind| faults.strikes(api, *kind, endpoint);
        let blow = |kind| Blow::of(kind, || faults.roll(api, kind));
        let before = BEFORE.into_iter().find(strikes);
        let after = match before {
            Some(_) => None,
            None => AFTER.into_iter().find(strikes),
        };
        Fate {
            pause,
            before: before.and_then(blow),
            after: after.and_then(blow),
            struck: before.or(after).map(Struck::Fault),
        }
    }
}

/// What keeps a call from taking effect, in the order it is asked about.
const BEFORE: [FaultKind; 3] = [
    FaultKind::LostBeforeCommit,
    FaultKind::Throttled,
    FaultKind::ErrorBeforeCommit,
];
/// What spoils the answer of a call that took effect.
const AFTER: [FaultKind; 4] = [
    FaultKind::LostAfterCommit,
    FaultKind::StalledAfterCommit,
    FaultKind::GarbledAfterCommit,
    FaultKind::ErrorAfterCommit,
];

impl Blow {
    /// How a fault looks to the caller; nothing for one that is met elsewhere. `roll` draws which error it is.
    fn of(kind: FaultKind, roll: impl FnOnce() -> u64) -> Option<Blow> {
        match kind {
            FaultKind::LostBeforeCommit | FaultKind::LostAfterCommit => Some(Blow::Lost),
            FaultKind::StalledAfterCommit => Some(Blow::Stalled),
            FaultKind::Throttled => Some(Blow::Throttled),
            FaultKind::ErrorBeforeCommit | FaultKind::ErrorAfterCommit => {
                Some(Blow::Broken(broken(roll())))
            }
            FaultKind::GarbledAfterCommit => Some(Blow::Garbled),
            FaultKind::Locked
            | FaultKind::NoCapacity
            | FaultKind::Refused
            | FaultKind::FailureRemembered
            | FaultKind::ActionFails
            | FaultKind::ActionNeverEnds
            | FaultKind::LingeringList
            | FaultKind::HiddenNew
            | FaultKind::ShortList
            | FaultKind::WebhookLost
            | FaultKind::WebhookLate
            | FaultKind::WebhookTwice => None,
        }
    }

    /// What a caller gets instead of the real answer.
    pub(crate) async fn answer(self, api: Api, request_id: &str, real: Answer) -> Response {
        match self {
            Blow::Lost => lost(),
            Blow::Stalled => {
                tokio::time::sleep(STALL).await;
                lost()
            }
            Blow::Garbled => send(real.map(|body| body.slice(..body.len() / 2))),
            Blow::Throttled => send(failure(api, StatusCode::TOO_MANY_REQUESTS, request_id)),
            Blow::Broken(status) => send(failure(api, status, request_id)),
        }
    }
}

fn broken(drawn: u64) -> StatusCode {
    match drawn % 4 {
        0 => StatusCode::INTERNAL_SERVER_ERROR,
        1 => StatusCode::BAD_GATEWAY,
        2 => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// How an API says that it cannot answer: gateways in front of it in HTML, the API itself in its own words.
fn failure(api: Api, status: StatusCode, request_id: &str) -> Answer {
    let by_gateway = matches!(status.as_u16(), 502..=504);
    if by_gateway {
        let reason = status.canonical_reason().unwrap_or_default();
        return html(
            status,
            format!(
                "<html><head><title>{status}</title></head><body><h1>{reason}</h1></body></html>"
            ),
        );
    }
    match api {
        Api::Hetzner => crate::hetzner::failure(status, request_id),
        Api::Cloudflare => crate::cloudflare::failure(status, request_id),
        Api::Stripe => crate::stripe::failure(status, request_id),
        Api::Guests | Api::Console => {
            json(status, &serde_json::json!({ "error": status.as_u16() }))
        }
    }
}

/// A connection that breaks: the status line may arrive, the body never does.
pub(crate) fn lost() -> Response {
    let breaks = stream::iter([Err::<Bytes, _>(std::io::Error::from(
        std::io::ErrorKind::ConnectionReset,
    ))]);
    let mut response = Response::new(Body::from_stream(breaks));
    response.extensions_mut().insert(Lost);
    response
}

pub(crate) fn send(answer: Answer) -> Response {
    answer.map(Body::from)
}

/// An answer in JSON.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Answer {
    // Bodies are made of plain values here, which always have a JSON form.
    let body = serde_json::to_vec(body).unwrap_or_default();
    whole(status, "application/json", Bytes::from(body))
}

pub(crate) fn html(status: StatusCode, page: String) -> Answer {
    whole(status, "text/html; charset=utf-8", Bytes::from(page))
}

pub(crate) fn whole(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Answer::new(body);
    *answer.status_mut() = status;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}
