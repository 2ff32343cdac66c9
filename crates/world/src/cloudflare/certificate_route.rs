//! Requests about Origin CA certificates: what each does.

use std::collections::BTreeMap;

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use serde_json::{Value, json};

use super::certificate::{Certificate, Wish};
use super::door::{Needs, Said, body, serve};
use super::query::Paging;
use super::refusal::Refusal;
use super::token::Caller;
use crate::call::{Asked, Turn};
use crate::history::Change;
use crate::world::World;

const PER_PAGE: usize = 20;
const MOST_PER_PAGE: usize = 50;

pub(super) async fn create(Shared(world): Shared<World>, request: Request) -> Response {
    serve(
        world,
        request,
        Needs::Certificates,
        |turn, asked, caller| {
            let request = body::<Wish>(asked)?.checked()?;
            let now = turn.stamp(turn.now);
            let zones: Vec<&str> = turn
                .state
                .cloudflare
                .zones
                .values()
                .filter(|zone| zone.is_active(now) && caller.sees(&zone.name))
                .map(|zone| zone.name.as_str())
                .collect();
            request.refuse_strangers(&zones)?;
            let serial = new_serial(turn);
            let certificate = turn.state.cloudflare.origin_ca.sign(request, serial, now)?;
            note(turn, &certificate, Change::Created);
            Ok(certificate.shown().into())
        },
    )
    .await
}

/// 126 bits, so that the number is positive and long whatever was drawn.
fn new_serial(turn: &mut Turn<'_>) -> u128 {
    let counters = &mut turn.state.counters;
    let (high, low) = (counters.roll("certificate"), counters.roll("certificate"));
    ((u128::from(high) << 64 | u128::from(low)) >> 2) | 1 << 125
}

pub(super) async fn list(Shared(world): Shared<World>, request: Request) -> Response {
    serve(
        world,
        request,
        Needs::Certificates,
        |turn, asked, caller| {
            let id = asked.query_value("zone_id").ok_or(Refusal::NoZoneId)?;
            let state = &turn.state.cloudflare;
            let zone = state
                .zones
                .get(&id.to_owned())
                .filter(|zone| caller.sees(&zone.name))
                .ok_or(Refusal::NoCertificateRight)?;
            let found: Vec<&Certificate> = state
                .origin_ca
                .values()
                .filter(|known| !known.is_revoked() && known.is_for(&zone.name))
                .collect();
            let paging = Paging::parse(&asked.query, PER_PAGE, MOST_PER_PAGE)?;
            let page: Vec<Value> = paging
                .cut(&found)
                .iter()
                .map(|certificate| certificate.shown())
                .collect();
            let info = paging.info(page.len(), found.len());
            Ok(Said::page(json!(page), info))
        },
    )
    .await
}

pub(super) async fn show(Shared(world): Shared<World>, request: Request) -> Response {
    serve(
        world,
        request,
        Needs::Certificates,
        |turn, asked, caller| Ok(asked_for(turn, asked, caller)?.shown().into()),
    )
    .await
}

pub(super) async fn revoke(Shared(world): Shared<World>, request: Request) -> Response {
    serve(
        world,
        request,
        Needs::Certificates,
        |turn, asked, caller| {
            let id = asked_for(turn, asked, caller)?.id.clone();
            let now = turn.stamp(turn.now);
            let certificate = turn.state.cloudflare.origin_ca.revoke(&id, now)?;
            note(turn, &certificate, Change::Removed);
            Ok(json!({ "id": id, "revoked_at": certificate.shown()["revoked_at"] }).into())
        },
    )
    .await
}

/// The certificate named in the path; a stranger's is not there.
fn asked_for<'t>(
    turn: &'t Turn<'_>,
    asked: &Asked,
    caller: Caller<'_>,
) -> Result<&'t Certificate, Refusal> {
    let state = &turn.state.cloudflare;
    let certificate = state.origin_ca.get(asked.param("certificate"))?;
    let mut zones = state.zones.values().filter(|zone| caller.sees(&zone.name));
    if zones.any(|zone| certificate.is_for(&zone.name)) {
        Ok(certificate)
    } else {
        Err(Refusal::NoSuchCertificate)
    }
}

fn note(turn: &mut Turn<'_>, certificate: &Certificate, change: Change) {
    turn.note(certificate.subject(), change, &BTreeMap::new());
}
