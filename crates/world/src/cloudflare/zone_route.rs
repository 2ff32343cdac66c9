//! Requests about zones and tokens: which zones a list asks for, and what each request does.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::derived_id;
use super::door::{Needs, Said, body, serve};
use super::query::Paging;
use super::refusal::Refusal;
use super::token::{Caller, CloudflareRight, Standing};
use super::zone::{Wish, Zone, account, is_within};
use crate::call::{Asked, Turn};
use crate::history::Change;
use crate::world::World;

const PER_PAGE: usize = 20;
const MOST_PER_PAGE: usize = 50;
/// Zones of one account; Cloudflare begins to ask questions far earlier.
const MOST_ZONES: usize = 1_000;

pub(super) async fn verify_token(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, Needs::AnyToken, |turn, asked, caller| {
        let secret = asked.bearer().unwrap_or_default();
        let id = derived_id(turn.options.seed, &format!("cloudflare/token/{secret}"));
        let standing = caller.standing(turn.stamp(turn.now));
        let mut result = json!({ "id": id, "status": standing.word() });
        let (not_before, expires_on) = caller.lifetime();
        for (name, at) in [("not_before", not_before), ("expires_on", expires_on)] {
            if let Some(at) = at {
                result[name] = json!(format!("{at:.0}"));
            }
        }
        let said = Said::from(result);
        Ok(match standing {
            Standing::Active => said.with_message(10_000, "This API Token is valid and active"),
            Standing::Disabled | Standing::Expired => said,
        })
    })
    .await
}

pub(super) async fn list_zones(Shared(world): Shared<World>, request: Request) -> Response {
    let needs = Needs::ZoneRight(CloudflareRight::ZoneRead);
    serve(world, request, needs, |turn, asked, caller| {
        let paging = Paging::parse(&asked.query, PER_PAGE, MOST_PER_PAGE)?;
        let (now, seed) = (turn.stamp(turn.now), turn.options.seed);
        let mut found: Vec<&Zone> = turn
            .state
            .cloudflare
            .zones
            .values()
            .filter(|zone| caller.sees(&zone.name) && is_wanted(zone, asked, now, seed))
            .collect();
        sort(&mut found, asked, now);
        let page: Vec<Value> = paging
            .cut(&found)
            .iter()
            .map(|zone| zone.shown(now, seed, turn.options.cloudflare_plan))
            .collect();
        let info = paging.info(page.len(), found.len());
        Ok(Said::page(json!(page), info))
    })
    .await
}

/// Whether every condition of the query holds, or with `match=any` one of them.
fn is_wanted(zone: &Zone, asked: &Asked, now: Timestamp, seed: u64) -> bool {
    let mut conditions = asked
        .query
        .iter()
        .filter_map(|(key, value)| holds(zone, key, value, now, seed))
        .peekable();
    if asked.query_value("match") == Some("any") && conditions.peek().is_some() {
        conditions.any(|holds| holds)
    } else {
        conditions.all(|holds| holds)
    }
}

/// What one pair of the query says of a zone; nothing when it is no condition.
fn holds(zone: &Zone, key: &str, value: &str, now: Timestamp, seed: u64) -> Option<bool> {
    match key {
        "name" => Some(is_named(&zone.name, value)),
        "status" => Some(zone.status(now) == value),
        "type" => Some(value.split(',').any(|kind| kind == "full")),
        "account.id" => Some(account(seed)["id"] == value),
        "account.name" => Some(is_named(
            account(seed)["name"].as_str().unwrap_or_default(),
            value,
        )),
        _ => None,
    }
}

/// `equal:`, `contains:` … and without an operator the whole name, whatever its case.
fn is_named(name: &str, wanted: &str) -> bool {
    let (operator, text) = wanted.split_once(':').unwrap_or(("equal", wanted));
    let (low, low_text) = (name.to_lowercase(), text.to_lowercase());
    match operator {
        "equal" => low == low_text,
        "not_equal" => low != low_text,
        "starts_with" => low.starts_with(&low_text),
        "ends_with" => low.ends_with(&low_text),
        "contains" => low.contains(&low_text),
        "starts_with_case_sensitive" => name.starts_with(text),
        "ends_with_case_sensitive" => name.ends_with(text),
        "contains_case_sensitive" => name.contains(text),
        _ => false,
    }
}

/// By name, or by status and then name; accounts and plans are all the same.
fn sort(zones: &mut [&Zone], asked: &Asked, now: Timestamp) {
    let by_status = asked.query_value("order") == Some("status");
    zones.sort_by_key(|zone| {
        let status = if by_status { zone.status(now) } else { "" };
        (status, &zone.name)
    });
    if asked.query_value("direction") == Some("desc") {
        zones.reverse();
    }
}

pub(super) async fn show_zone(Shared(world): Shared<World>, request: Request) -> Response {
    let needs = Needs::ZoneRight(CloudflareRight::ZoneRead);
    serve(world, request, needs, |turn, asked, caller| {
        let (now, options) = (turn.stamp(turn.now), turn.options);
        let zone = named_zone(turn, asked, caller, Refusal::NotYours)?;
        Ok(zone
            .shown(now, options.seed, options.cloudflare_plan)
            .into())
    })
    .await
}

pub(super) async fn create_zone(Shared(world): Shared<World>, request: Request) -> Response {
    let needs = Needs::ZoneRight(CloudflareRight::ZoneRead);
    serve(world, request, needs, |turn, asked, caller| {
        if !caller.may(CloudflareRight::ZoneEdit) {
            return Err(Refusal::NoNewZones);
        }
        let name = body::<Wish>(asked)?.name()?;
        refuse_taken(turn, &name)?;
        let (now, id) = (turn.stamp(turn.now), turn.state.counters.hex("zone", 32));
        let zone = Zone::new(id.clone(), name, now);
        turn.note(
            zone.subject(),
            Change::Created,
            &std::collections::BTreeMap::new(),
        );
        let shown = zone.shown(now, turn.options.seed, turn.options.cloudflare_plan);
        turn.state.cloudflare.zones.insert(id, zone);
        Ok(shown.into())
    })
    .await
}

fn refuse_taken(turn: &Turn<'_>, name: &str) -> Result<(), Refusal> {
    let zones = &turn.state.cloudflare.zones;
    for known in zones.values() {
        if known.name == name {
            return Err(Refusal::ZoneExists(name.to_owned()));
        }
        // A zone inside another one is to be had on the largest plan only.
        if is_within(name, &known.name) || is_within(&known.name, name) {
            return Err(Refusal::NotARoot);
        }
    }
    if zones.len() < MOST_ZONES {
        Ok(())
    } else {
        Err(Refusal::TooManyZones)
    }
}

pub(super) async fn delete_zone(Shared(world): Shared<World>, request: Request) -> Response {
    let needs = Needs::ZoneRight(CloudflareRight::ZoneEdit);
    serve(world, request, needs, |turn, asked, caller| {
        let zone = named_zone(turn, asked, caller, Refusal::NotYours)?;
        let (id, now) = (zone.id.clone(), turn.stamp(turn.now));
        let state = &mut turn.state.cloudflare;
        state.zones.remove(&id);
        for record in state.records.forget_zone(&zone.name, now) {
            super::note(turn, &record, Change::Removed);
        }
        turn.note(
            zone.subject(),
            Change::Removed,
            &std::collections::BTreeMap::new(),
        );
        Ok(json!({ "id": id }).into())
    })
    .await
}

/// The zone named in the path. An id that is none has no route; a stranger's zone is refused with `stranger`.
pub(super) fn named_zone(
    turn: &Turn<'_>,
    asked: &Asked,
    caller: Caller<'_>,
    stranger: Refusal,
) -> Result<Zone, Refusal> {
    let id = asked.param("zone");
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Err(Refusal::NoRoute(asked.path.clone()));
    }
    turn.state
        .cloudflare
        .zones
        .get(&id.to_owned())
        .filter(|zone| caller.sees(&zone.name))
        .cloned()
        .ok_or(stranger)
}
