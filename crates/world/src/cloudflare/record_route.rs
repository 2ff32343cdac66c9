//! Requests about records: what each does, and what history says of it.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use serde_json::json;

use super::door::{Needs, Said, body, serve};
use super::note;
use super::query::Query;
use super::record::{Record, Wish};
use super::records::{Batch, Lag};
use super::refusal::Refusal;
use super::token::{Caller, CloudflareRight};
use super::zone::{Place, Zone};
use super::zone_route::named_zone;
use crate::call::{Asked, Turn};
use crate::faults::FaultKind;
use crate::history::Change;
use crate::world::World;

const READ: Needs = Needs::Right(CloudflareRight::DnsRead);
const EDIT: Needs = Needs::Right(CloudflareRight::DnsEdit);

fn zone_of(turn: &Turn<'_>, asked: &Asked, caller: Caller<'_>) -> Result<Zone, Refusal> {
    named_zone(turn, asked, caller, Refusal::NoRight)
}

fn place<'z>(turn: &Turn<'_>, zone: &'z Zone) -> Place<'z> {
    Place {
        zone: &zone.name,
        plan: turn.options.cloudflare_plan,
    }
}

pub(super) async fn list(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, READ, |turn, asked, caller| {
        let zone = zone_of(turn, asked, caller)?;
        let query = Query::parse(&asked.query)?;
        let lag = Lag {
            shows_removed: turn.strikes(FaultKind::LingeringList),
            hides_new: turn.strikes(FaultKind::HiddenNew),
        };
        let short = turn.strikes(FaultKind::ShortList);
        let (now, place) = (turn.stamp(turn.now), place(turn, &zone));
        let found = query.select(turn.state.cloudflare.records.listed(place, lag, now));
        let paging = query.paging();
        let page = paging.cut(&found);
        let kept = if short { page.len() / 2 } else { page.len() };
        let shown: Vec<_> = page
            .iter()
            .take(kept)
            .map(|record| record.shown())
            .collect();
        let info = paging.info(shown.len(), found.len());
        Ok(Said::page(json!(shown), info))
    })
    .await
}

pub(super) async fn show(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, READ, |turn, asked, caller| {
        let zone = zone_of(turn, asked, caller)?;
        let place = place(turn, &zone);
        let records = &turn.state.cloudflare.records;
        Ok(records.get(asked.param("record"), place)?.shown().into())
    })
    .await
}

pub(super) async fn create(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, EDIT, |turn, asked, caller| {
        let zone = zone_of(turn, asked, caller)?;
        let wish: Wish = body(asked)?;
        let (now, id) = (turn.stamp(turn.now), turn.state.counters.hex("record", 32));
        let place = place(turn, &zone);
        let record = turn.state.cloudflare.records.create(id, wish, place, now)?;
        note(turn, &record, Change::Created);
        Ok(record.shown().into())
    })
    .await
}

pub(super) async fn patch(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, EDIT, |turn, asked, caller| {
        let zone = zone_of(turn, asked, caller)?;
        let wish: Wish = body(asked)?;
        let (now, place) = (turn.stamp(turn.now), place(turn, &zone));
        let records = &mut turn.state.cloudflare.records;
        let record = records.patch(asked.param("record"), wish, place, now)?;
        note(turn, &record, Change::Changed("patched".to_owned()));
        Ok(record.shown().into())
    })
    .await
}

pub(super) async fn replace(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, EDIT, |turn, asked, caller| {
        let zone = zone_of(turn, asked, caller)?;
        let wish: Wish = body(asked)?;
        let (now, place) = (turn.stamp(turn.now), place(turn, &zone));
        let records = &mut turn.state.cloudflare.records;
        let record = records.replace(asked.param("record"), wish, place, now)?;
        note(turn, &record, Change::Changed("replaced".to_owned()));
        Ok(record.shown().into())
    })
    .await
}

pub(super) async fn delete(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, EDIT, |turn, asked, caller| {
        let zone = zone_of(turn, asked, caller)?;
        let (now, place) = (turn.stamp(turn.now), place(turn, &zone));
        let records = &mut turn.state.cloudflare.records;
        let record = records.delete(asked.param("record"), place, now)?;
        note(turn, &record, Change::Removed);
        Ok(json!({ "id": record.id }).into())
    })
    .await
}

pub(super) async fn change_in_batch(Shared(world): Shared<World>, request: Request) -> Response {
    serve(world, request, EDIT, |turn, asked, caller| {
        let zone = zone_of(turn, asked, caller)?;
        let batch: Batch = body(asked)?;
        let (now, place) = (turn.stamp(turn.now), place(turn, &zone));
        let state = &mut *turn.state;
        let counters = &mut state.counters;
        let records = &mut state.cloudflare.records;
        let done = records.batch(batch, place, now, || counters.hex("record", 32))?;
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
