//! Cloudflare's zones and DNS records over HTTP: which request is which, and what its answer looks like.
//! What may stand in a zone is decided in [`zone`].
//!
//! Source: Cloudflare's API reference (zones, DNS records, batch) and its Python library 5.9.

mod by_hand;
mod limit;
mod query;
mod record;
mod refusal;
#[cfg(test)]
mod tests;
mod zone;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderValue, StatusCode};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::call::{Answer, Api, Asked, Turn};
use crate::faults::FaultKind;
use crate::history::{Change, Kind, Subject};
use crate::options::Options;
use crate::table::{Stored, derived_text, draw};
use crate::world::World;

use limit::{Limit, Verdict};
use query::{Paging, Query};
use record::{Record, Wish, shown_time};
use refusal::Refusal;
use zone::{Batch, Lag, Zone};

/// Requests in five minutes.
pub(crate) const REQUEST_LIMIT: u32 = limit::REQUESTS;
const ZONES_PER_PAGE: usize = 20;
const MOST_ZONES_PER_PAGE: usize = 50;

/// A DNS record as plain values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecordRow {
    pub id: String,
    /// Complete, lower case, without the last dot.
    pub name: String,
    /// As `A` or `AAAA`.
    pub record_type: String,
    pub content: String,
    pub proxied: bool,
    pub comment: Option<String>,
    pub created: Timestamp,
}

/// One zone and the user's request limit.
pub struct State {
    zone: Zone,
    limit: Limit,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            zone: Zone::new(
                derived_id(options.seed, "cloudflare/zone"),
                options.zone.clone(),
                options.start,
            ),
            limit: Limit::default(),
        }
    }

    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![&mut self.zone.records]
    }

    #[cfg(test)]
    pub(crate) fn zone_id(&self) -> &str {
        &self.zone.id
    }

    /// Every record, by id.
    pub(crate) fn record_rows(&self) -> Vec<RecordRow> {
        self.zone.records.values().map(Record::row).collect()
    }

    /// Requests left of the limit at `now`.
    pub(crate) fn requests_left(&self, now: Timestamp) -> u32 {
        self.limit.remaining(now)
    }
}

/// 32 hexadecimal digits that belong to the seed.
fn derived_id(seed: u64, purpose: &str) -> String {
    format!(
        "{:016x}{:016x}",
        draw(seed, purpose, 0),
        draw(seed, purpose, 1)
    )
}

/// How Cloudflare itself says that it cannot answer.
pub(crate) fn failure(status: StatusCode, request_id: &str) -> Answer {
    if status == StatusCode::TOO_MANY_REQUESTS {
        return with_retry(refused(&Refusal::TooFast), limit::WINDOW.as_secs());
    }
    let message = format!("Internal error, ray {request_id}");
    let body = json!({
        "result": null,
        "success": false,
        "errors": [{ "code": 10_001, "message": message }],
        "messages": [],
    });
    crate::call::json(status, &body)
}

pub(crate) fn router(world: &World) -> Router {
    let records = "/client/v4/zones/{zone}/dns_records";
    let record = "/client/v4/zones/{zone}/dns_records/{record}";
    let batch = "/client/v4/zones/{zone}/dns_records/batch";
    Router::new()
        .route("/client/v4/user/tokens/verify", get(verify_token))
        .route("/client/v4/zones", get(list_zones))
        .route("/client/v4/zones/{zone}", get(show_zone))
        .route(records, get(list_records).post(create_record))
        .route(
            record,
            get(show_record)
                .put(replace_record)
                .patch(patch_record)
                .delete(delete_record),
        )
        .route(batch, post(change_in_batch))
        .fallback(any(no_route))
        .method_not_allowed_fallback(any(no_route))
        .with_state(world.clone())
}

/// What a handler says when it is not refused: `result`, and for lists `result_info`.
struct Said {
    result: Value,
    info: Option<Value>,
}

impl From<Value> for Said {
    fn from(result: Value) -> Self {
        Self { result, info: None }
    }
}

/// One request: limit, token, work, envelope.
async fn serve(
    world: World,
    request: Request,
    work: impl FnOnce(&mut Turn<'_>, &Asked) -> Result<Said, Refusal>,
) -> Response {
    let asked = match Asked::read(request).await {
        Ok(asked) => asked,
        Err(response) => return response.into_response(),
    };
    world
        .call(Api::Cloudflare, &asked, |turn| {
            let now = turn.stamp(turn.now);
            match turn.state.cloudflare.limit.take(now) {
                Verdict::Shut { retry_seconds } => {
                    with_retry(refused(&Refusal::TooFast), retry_seconds)
                }
                Verdict::Pass {
                    remaining,
                    reset_seconds,
                } => {
                    let said = authorised(turn, &asked).and_then(|()| work(turn, &asked));
                    with_limit(enveloped(said), remaining, reset_seconds)
                }
            }
        })
        .await
}

fn authorised(turn: &Turn<'_>, asked: &Asked) -> Result<(), Refusal> {
    let token = asked.bearer().ok_or(Refusal::NoToken)?;
    let expected = turn.options.cloudflare_token.as_bytes();
    if bool::from(token.as_bytes().ct_eq(expected)) {
        Ok(())
    } else {
        Err(Refusal::WrongToken)
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
                "messages": [],
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

fn with_retry(mut answer: Answer, seconds: i64) -> Answer {
    answer
        .headers_mut()
        .insert("retry-after", HeaderValue::from(seconds));
    answer
}

fn with_limit(mut answer: Answer, remaining: u32, reset_seconds: i64) -> Answer {
    let limit = format!("\"default\";r={remaining};t={reset_seconds}");
    let policy = format!(
        "\"default\";q={};w={}",
        limit::REQUESTS,
        limit::WINDOW.as_secs()
    );
    let headers = answer.headers_mut();
    for (name, value) in [("ratelimit", limit), ("ratelimit-policy", policy)] {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    answer
}

fn body<T: DeserializeOwned>(asked: &Asked) -> Result<T, Refusal> {
    asked
        .json()
        .map_err(|error| Refusal::Unreadable(error.to_string()))
}

/// The zone named in the path.
fn zone<'t>(turn: &'t mut Turn<'_>, asked: &Asked) -> Result<&'t mut Zone, Refusal> {
    let zone = &mut turn.state.cloudflare.zone;
    if zone.id == asked.param("zone") {
        Ok(zone)
    } else {
        Err(Refusal::NoRoute(asked.path.clone()))
    }
}

fn note(turn: &mut Turn<'_>, record: &Record, change: Change) {
    let labels = BTreeMap::from([
        ("type".to_owned(), record.kind.word().to_owned()),
        ("content".to_owned(), record.content.clone()),
        (
            "comment".to_owned(),
            record.comment.clone().unwrap_or_default(),
        ),
    ]);
    let subject = Subject {
        kind: Kind::Record,
        id: record.id.clone(),
        name: record.name.clone(),
    };
    turn.note(subject, change, &labels);
}

async fn no_route(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |_, asked| {
        Err(Refusal::NoRoute(asked.path.clone()))
    })
    .await
}

async fn verify_token(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, _| {
        let id = derived_id(turn.options.seed, "cloudflare/token");
        Ok(json!({ "id": id, "status": "active" }).into())
    })
    .await
}

async fn list_zones(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let paging = Paging::parse(&asked.query, ZONES_PER_PAGE, MOST_ZONES_PER_PAGE)?;
        let zone = &turn.state.cloudflare.zone;
        let named = |name: &str| {
            name.trim_start_matches("equal:")
                .eq_ignore_ascii_case(&zone.name)
        };
        let wanted = asked.query_value("name").is_none_or(named)
            && asked
                .query_value("status")
                .is_none_or(|status| status == "active");
        let found: Vec<Value> = wanted
            .then(|| shown_zone(zone, turn.options.seed))
            .into_iter()
            .collect();
        let page = paging.cut(&found);
        Ok(Said {
            info: Some(paging.info(page.len(), found.len())),
            result: json!(page),
        })
    })
    .await
}

async fn show_zone(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let seed = turn.options.seed;
        Ok(shown_zone(zone(turn, asked)?, seed).into())
    })
    .await
}

fn shown_zone(zone: &Zone, seed: u64) -> Value {
    let at = shown_time(zone.created);
    json!({
        "id": zone.id,
        "name": zone.name,
        "status": "active",
        "paused": false,
        "type": "full",
        "development_mode": 0,
        "name_servers": ["ada.ns.cloudflare.com", "bob.ns.cloudflare.com"],
        "original_name_servers": null,
        "original_registrar": null,
        "original_dnshost": null,
        "modified_on": at,
        "created_on": at,
        "activated_on": at,
        "meta": {
            "step": 2,
            "custom_certificate_quota": 0,
            "page_rule_quota": 3,
            "phishing_detected": false,
        },
        "owner": { "id": null, "type": "user", "email": null },
        "account": { "id": derived_id(seed, "cloudflare/account"), "name": derived_text(seed, "cloudflare/account", 8) },
        "tenant": { "id": null, "name": null },
        "tenant_unit": { "id": null },
        "permissions": ["#dns_records:edit", "#dns_records:read", "#zone:read"],
        "plan": {
            "id": derived_id(seed, "cloudflare/plan"),
            "name": "Free Website",
            "price": 0,
            "currency": "USD",
            "frequency": "",
            "is_subscribed": false,
            "can_subscribe": false,
            "legacy_id": "free",
            "legacy_discount": false,
            "externally_managed": false,
        },
    })
}

async fn list_records(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let query = Query::parse(&asked.query)?;
        let lag = Lag {
            shows_removed: turn.strikes(FaultKind::LingeringList),
            hides_new: turn.strikes(FaultKind::HiddenNew),
        };
        let short = turn.strikes(FaultKind::ShortList);
        let now = turn.stamp(turn.now);
        let found = query.select(zone(turn, asked)?.listed(lag, now));
        let paging = query.paging();
        let page = paging.cut(&found);
        let kept = if short { page.len() / 2 } else { page.len() };
        let shown: Vec<_> = page
            .iter()
            .take(kept)
            .map(|record| record.shown())
            .collect();
        Ok(Said {
            info: Some(paging.info(shown.len(), found.len())),
            result: json!(shown),
        })
    })
    .await
}

async fn show_record(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        Ok(zone(turn, asked)?
            .get(asked.param("record"))?
            .shown()
            .into())
    })
    .await
}

async fn create_record(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let wish: Wish = body(asked)?;
        let (now, id) = (turn.stamp(turn.now), turn.state.counters.hex("record", 32));
        let record = zone(turn, asked)?.create(id, wish, now)?;
        note(turn, &record, Change::Created);
        Ok(record.shown().into())
    })
    .await
}

async fn patch_record(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let wish: Wish = body(asked)?;
        let now = turn.stamp(turn.now);
        let record = zone(turn, asked)?.patch(asked.param("record"), wish, now)?;
        note(turn, &record, Change::Changed("patched".to_owned()));
        Ok(record.shown().into())
    })
    .await
}

async fn replace_record(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let wish: Wish = body(asked)?;
        let now = turn.stamp(turn.now);
        let record = zone(turn, asked)?.replace(asked.param("record"), wish, now)?;
        note(turn, &record, Change::Changed("replaced".to_owned()));
        Ok(record.shown().into())
    })
    .await
}

async fn delete_record(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let now = turn.stamp(turn.now);
        let record = zone(turn, asked)?.delete(asked.param("record"), now)?;
        note(turn, &record, Change::Removed);
        Ok(json!({ "id": record.id }).into())
    })
    .await
}

async fn change_in_batch(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, |turn, asked| {
        let batch: Batch = body(asked)?;
        let now = turn.stamp(turn.now);
        zone(turn, asked)?;
        let state = &mut *turn.state;
        let counters = &mut state.counters;
        let done = state
            .cloudflare
            .zone
            .batch(batch, now, || counters.hex("record", 32))?;
        let changed = |word: &str| Change::Changed(word.to_owned());
        for (records, change) in [
            (&done.deletes, Change::Removed),
            (&done.patches, changed("patched")),
            (&done.puts, changed("replaced")),
            (&done.posts, Change::Created),
        ] {
            for record in records {
                note(turn, record, change.clone());
            }
        }
        let shown = |records: &[Record]| records.iter().map(Record::shown).collect::<Vec<_>>();
        Ok(json!({
            "deletes": shown(&done.deletes),
            "patches": shown(&done.patches),
            "puts": shown(&done.puts),
            "posts": shown(&done.posts),
        })
        .into())
    })
    .await
}
