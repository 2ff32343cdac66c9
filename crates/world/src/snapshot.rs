//! What is there now, as plain owned values: for tests that assert on the world, and for the console.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    call::Api,
    clock::{Clock, Millis},
    cloudflare, hetzner,
    state::State,
    stripe,
    world::Traffic,
};

/// So many events and waiting webhooks are shown.
const MOST_EVENTS: usize = 100;

#[derive(Clone, Debug, Serialize)]
pub struct Snapshot {
    pub now: Timestamp,
    /// Those that live, and those that went within the last simulated day (`gone` is set).
    pub servers: Vec<hetzner::ServerRow>,
    pub primary_ips: Vec<hetzner::PrimaryIpRow>,
    pub records: Vec<cloudflare::RecordRow>,
    pub subscriptions: Vec<stripe::SubscriptionRow>,
    pub refunds: Vec<stripe::RefundRow>,
    /// The last Stripe events, newest first, without their objects.
    pub events: Vec<stripe::EventRow>,
    /// Webhooks that wait to be sent, the next first.
    pub webhooks: Vec<stripe::DeliveryRow>,
    /// How often each endpoint was called since this process began.
    pub calls: BTreeMap<Api, BTreeMap<String, u64>>,
    /// Calls by API and minute of world time, the last hour.
    pub calls_per_minute: BTreeMap<Api, BTreeMap<Timestamp, u64>>,
    /// How often each API answered 429 since this process began; one that never did is left out.
    pub throttled: BTreeMap<Api, u64>,
    /// Whole requests left to each Hetzner project.
    pub rate_budget: BTreeMap<String, u64>,
    /// Requests left to the Cloudflare user of 1,200 in five minutes.
    pub cloudflare_requests_left: u32,
}

impl Snapshot {
    /// The servers that have not gone.
    pub fn living_servers(&self) -> impl Iterator<Item = &hetzner::ServerRow> {
        self.servers
            .iter()
            .filter(|server| server.gone.is_none_or(|gone| gone > self.now))
    }
}

pub(crate) fn of(now: Millis, clock: &Clock, state: &State, traffic: &Traffic) -> Snapshot {
    let minutes = |by_minute: &BTreeMap<Millis, u64>| {
        by_minute
            .iter()
            .map(|(minute, calls)| (clock.stamp(minute * crate::clock::MINUTE), *calls))
            .collect()
    };
    Snapshot {
        now: clock.stamp(now),
        servers: state.hetzner.server_rows(now, clock),
        primary_ips: state.hetzner.primary_ip_rows(now),
        records: state.cloudflare.record_rows(),
        subscriptions: state.stripe.subscription_rows(),
        refunds: state.stripe.refund_rows(),
        events: state.stripe.event_rows(MOST_EVENTS),
        webhooks: state.stripe.delivery_rows(MOST_EVENTS),
        cloudflare_requests_left: state.cloudflare.requests_left(clock.stamp(now)),
        calls: traffic.totals.clone(),
        calls_per_minute: traffic
            .minutes
            .iter()
            .map(|(api, by_minute)| (*api, minutes(by_minute)))
            .collect(),
        throttled: traffic.throttled.clone(),
        rate_budget: state.hetzner.rate_budget(now),
    }
}
