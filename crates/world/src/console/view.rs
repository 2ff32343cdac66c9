//! What the console shows, cut to what a page can hold. Tokens and user data stay out of it.

use serde_json::{Value, json};

use crate::call::Api;
use crate::snapshot::Snapshot;
use crate::world::World;

/// Rows of one table on the page; the lists by themselves are whole.
const MOST_ROWS: usize = 200;
const MOST_CHANGES: u64 = 60;
/// The APIs a shop calls, in the page's order.
const APIS: [Api; 4] = [Api::Hetzner, Api::Cloudflare, Api::Stripe, Api::Guests];

/// Everything the page needs at one moment.
pub(super) fn state(world: &World) -> Value {
    let snapshot = world.snapshot();
    let options = world.options();
    let last = world.last_sequence();
    json!({
        "now": snapshot.now,
        "seed": options.seed,
        "speed": options.speed,
        "zone": options.zone,
        "servers": servers(&snapshot, MOST_ROWS),
        "servers_total": snapshot.servers.iter().filter(|server| server.gone.is_none()).count(),
        "records": snapshot.records.iter().take(MOST_ROWS).collect::<Vec<_>>(),
        "records_total": snapshot.records.len(),
        "money": money(&snapshot, MOST_ROWS),
        "traffic": traffic(world, &snapshot),
        "faults": world.faults().standing(),
        "places": crate::hetzner::places(),
        "history": world.history_since(last.saturating_sub(MOST_CHANGES)),
    })
}

/// Those that live and those that went lately, newest first.
pub(super) fn servers(snapshot: &Snapshot, most: usize) -> Vec<Value> {
    let shown = |server: &crate::ServerRow| {
        json!({
            "id": server.id,
            "project": server.project,
            "name": server.name,
            "labels": server.labels,
            "status": server.status,
            "server_type": server.server_type,
            "location": server.location,
            "ipv4": server.ipv4,
            "created": server.created,
            "gone": server.gone,
        })
    };
    snapshot
        .servers
        .iter()
        .rev()
        .take(most)
        .map(shown)
        .collect()
}

pub(super) fn money(snapshot: &Snapshot, most: usize) -> Value {
    let newest = |count: usize| count.min(most);
    let subscriptions = snapshot.subscriptions.iter().rev();
    let refunds = snapshot.refunds.iter().rev();
    json!({
        "subscriptions": subscriptions.take(newest(most)).collect::<Vec<_>>(),
        "subscriptions_total": snapshot.subscriptions.len(),
        "refunds": refunds.take(newest(most)).collect::<Vec<_>>(),
        "refunds_total": snapshot.refunds.len(),
        "events": snapshot.events,
        "webhooks": snapshot.webhooks,
    })
}

/// Calls by minute and what is left of each budget.
pub(super) fn traffic(world: &World, snapshot: &Snapshot) -> Value {
    let standing = world.faults().standing();
    let api = |api: Api| {
        let minutes = snapshot
            .calls_per_minute
            .get(&api)
            .cloned()
            .unwrap_or_default();
        let calls = snapshot.calls.get(&api).cloned().unwrap_or_default();
        json!({
            "api": api,
            "down": standing.down.contains(&api),
            "calls": calls.values().sum::<u64>(),
            "per_minute": minutes,
            "endpoints": calls,
        })
    };
    json!({
        "now": snapshot.now,
        "apis": APIS.map(api),
        "hetzner_left": snapshot.rate_budget,
        "hetzner_limit": crate::hetzner::REQUEST_LIMIT,
        "cloudflare_left": snapshot.cloudflare_requests_left,
        "cloudflare_limit": crate::cloudflare::REQUEST_LIMIT,
    })
}
