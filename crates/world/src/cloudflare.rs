//! Cloudflare's zones, DNS records, Origin CA and token check over HTTP: what its state is and which request is which.
//! What every request passes is in [`door`]; what may stand in a zone in [`records`].
//!
//! Source: Cloudflare's API reference and its Python library 5.9.

mod by_hand;
mod certificate;
mod certificate_route;
mod door;
mod limit;
mod query;
mod record;
mod record_route;
mod records;
mod refusal;
#[cfg(test)]
mod tests;
mod token;
mod zone;
mod zone_route;

use std::collections::BTreeMap;

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use axum::routing::{any, get, post};
use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::call::{Answer, Turn};
use crate::history::{Change, Kind, Subject};
use crate::options::Options;
use crate::table::{Stored, Table, draw};
use crate::world::World;

use certificate::OriginCa;
use door::{Needs, serve};
use limit::Limit;
use record::Record;
use records::Records;
use refusal::Refusal;
pub use token::{CloudflareRight, CloudflareToken};
use zone::Zone;

/// Requests in five minutes.
pub(crate) const REQUEST_LIMIT: u32 = limit::REQUESTS;

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

/// One account: its zones, their records, its certificates, and the user's request limit.
pub struct State {
    zones: Table<String, Zone>,
    records: Records,
    origin_ca: OriginCa,
    limit: Limit,
}

impl State {
    pub(crate) fn new(options: &Options) -> Self {
        let zone = Zone::settled(
            derived_id(options.seed, "cloudflare/zone"),
            options.zone.clone(),
            options.start,
        );
        let mut zones = Table::new("cloudflare_zones");
        zones.insert(zone.id.clone(), zone);
        Self {
            zones,
            records: Records::new(options.cloudflare_record_limit),
            origin_ca: OriginCa::default(),
            limit: Limit::default(),
        }
    }

    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        let mut tables: Vec<&mut dyn Stored> = vec![&mut self.zones, self.records.table()];
        tables.extend(self.origin_ca.tables());
        tables
    }

    #[cfg(test)]
    pub(crate) fn zone_id(&self) -> &str {
        self.zones.values().next().map_or("", |zone| &zone.id)
    }

    /// Every record, by id.
    pub(crate) fn record_rows(&self) -> Vec<RecordRow> {
        self.records.values().map(Record::row).collect()
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
        return door::with_ray(door::shut(limit::WINDOW.as_secs()), request_id);
    }
    let body = json!({
        "result": null,
        "success": false,
        "errors": [{ "code": 10_001, "message": "Internal server error" }],
        "messages": [],
    });
    door::with_ray(crate::call::json(status, &body), request_id)
}

pub(crate) fn router(world: &World) -> Router {
    Router::new()
        .nest("/client/v4", routes())
        .fallback(any(no_route))
        .method_not_allowed_fallback(any(no_route))
        .with_state(world.clone())
}

fn routes() -> Router<World> {
    Router::new()
        .route("/user/tokens/verify", get(zone_route::verify_token))
        .route(
            "/zones",
            get(zone_route::list_zones).post(zone_route::create_zone),
        )
        .route(
            "/zones/{zone}",
            get(zone_route::show_zone).delete(zone_route::delete_zone),
        )
        .route(
            "/zones/{zone}/dns_records",
            get(record_route::list).post(record_route::create),
        )
        .route(
            "/zones/{zone}/dns_records/{record}",
            get(record_route::show)
                .put(record_route::replace)
                .patch(record_route::patch)
                .delete(record_route::delete),
        )
        .route(
            "/zones/{zone}/dns_records/batch",
            post(record_route::change_in_batch),
        )
        .route(
            "/certificates",
            get(certificate_route::list).post(certificate_route::create),
        )
        .route(
            "/certificates/{certificate}",
            get(certificate_route::show).delete(certificate_route::revoke),
        )
        .method_not_allowed_fallback(any(no_route))
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
    serve(
        world,
        request,
        Needs::ZoneRight(CloudflareRight::ZoneRead),
        |_, asked, _| Err(Refusal::NoRoute(asked.path.clone())),
    )
    .await
}
