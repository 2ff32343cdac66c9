//! What every request to Cloudflare passes: the limit, the token, its right, and the envelope of the answer.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::limit::{self, Verdict};
use super::refusal::Refusal;
use super::token::{self, Caller, CloudflareRight};
use crate::call::{Answer, Api, Asked, Turn};
use crate::world::World;

/// What a request needs before it is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Needs {
    /// Any token, be it disabled or expired.
    AnyToken,
    /// A right; without it the answer is what records give: an authentication error.
    Right(CloudflareRight),
    /// A right on zones, which are refused in other words.
    ZoneRight(CloudflareRight),
    /// The right to certificates, which has a key of its own besides.
    Certificates,
}

/// What a handler says when it is not refused.
pub(super) struct Said {
    result: Value,
    info: Option<Value>,
    messages: Value,
}

impl Said {
    /// One page of a list.
    pub(super) fn page(result: Value, info: Value) -> Self {
        Self {
            info: Some(info),
            ..Self::from(result)
        }
    }

    pub(super) fn with_message(self, code: u32, message: &str) -> Self {
        Self {
            messages: json!([{ "code": code, "message": message, "type": null }]),
            ..self
        }
    }
}

impl From<Value> for Said {
    fn from(result: Value) -> Self {
        Self {
            result,
            info: None,
            messages: json!([]),
        }
    }
}

/// One request: limit, token, right, work, envelope.
pub(super) async fn serve(
    world: World,
    request: Request,
    needs: Needs,
    work: impl FnOnce(&mut Turn<'_>, &Asked, Caller<'_>) -> Result<Said, Refusal>,
) -> Response {
    let asked = match Asked::read(request).await {
        Ok(asked) => asked,
        Err(response) => return response.into_response(),
    };
    world
        .call(Api::Cloudflare, &asked, |turn| {
            let now = turn.stamp(turn.now);
            let answer = match turn.state.cloudflare.limit.take(now) {
                Verdict::Shut { retry_seconds } => shut(retry_seconds),
                Verdict::Pass {
                    remaining,
                    reset_seconds,
                } => {
                    let said =
                        admitted(turn, &asked, needs).and_then(|caller| work(turn, &asked, caller));
                    with_limit(enveloped(said), remaining, reset_seconds)
                }
            };
            with_ray(answer, &turn.request_id)
        })
        .await
}

fn admitted<'a>(turn: &Turn<'a>, asked: &Asked, needs: Needs) -> Result<Caller<'a>, Refusal> {
    let caller = match token::caller(turn.options, asked) {
        Err(Refusal::WrongToken) if matches!(needs, Needs::AnyToken) => {
            return Err(Refusal::NotAToken);
        }
        Err(Refusal::NoToken) if matches!(needs, Needs::AnyToken) => {
            return Err(Refusal::NoTokenToVerify);
        }
        known => known?,
    };
    let (right, otherwise) = match needs {
        Needs::AnyToken => return Ok(caller),
        Needs::Right(right) => (right, Refusal::NoRight),
        Needs::ZoneRight(right) => (right, Refusal::NotYours),
        Needs::Certificates => (
            CloudflareRight::CertificatesEdit,
            Refusal::NoCertificateRight,
        ),
    };
    token::refuse_stale(caller, turn.stamp(turn.now))?;
    if caller.may(right) {
        Ok(caller)
    } else {
        Err(otherwise)
    }
}

fn enveloped(said: Result<Said, Refusal>) -> Answer {
    match said {
        Err(refusal) => refused(&refusal),
        Ok(said) => {
            let mut body = json!({
                "result": said.result,
                "success": true,
                "errors": [],
                "messages": said.messages,
            });
            if let Some(info) = said.info {
                body["result_info"] = info;
            }
            crate::call::json(StatusCode::OK, &body)
        }
    }
}

fn refused(refusal: &Refusal) -> Answer {
    crate::call::json(refusal.status(), &refusal.envelope())
}

/// The answer to a user who asks too much.
pub(super) fn shut(retry_seconds: i64) -> Answer {
    let mut answer = with_limit(refused(&Refusal::TooFast), 0, retry_seconds);
    answer
        .headers_mut()
        .insert("retry-after", HeaderValue::from(retry_seconds));
    answer
}

fn with_limit(answer: Answer, remaining: u32, reset_seconds: i64) -> Answer {
    let limit = format!("\"default\";r={remaining};t={reset_seconds}");
    let policy = format!(
        "\"default\";q={};w={}",
        limit::REQUESTS,
        limit::WINDOW.as_secs()
    );
    let answer = with_header(answer, "ratelimit", &limit);
    with_header(answer, "ratelimit-policy", &policy)
}

/// Names the request as Cloudflare's edge does; the place is ours.
pub(super) fn with_ray(answer: Answer, request_id: &str) -> Answer {
    with_header(answer, "cf-ray", &format!("{request_id}-SIM"))
}

fn with_header(mut answer: Answer, name: &'static str, value: &str) -> Answer {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
    answer
}

pub(super) fn body<T: DeserializeOwned>(asked: &Asked) -> Result<T, Refusal> {
    asked
        .json()
        .map_err(|error| Refusal::Unreadable(error.to_string()))
}
