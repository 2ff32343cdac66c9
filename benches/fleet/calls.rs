//! How often the simulated providers were called, by their own count, and between which two moments.

use std::collections::BTreeMap;

use world::{Api, World};

/// The providers whose calls are counted; guests and the console are not among them.
const PROVIDERS: [Api; 3] = [Api::Hetzner, Api::Cloudflare, Api::Stripe];

/// Calls by API and endpoint.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    by_endpoint: BTreeMap<(Api, String), u64>,
    /// Calls answered with 429.
    pub throttled: u64,
}

impl Calls {
    /// Since the world began.
    pub(super) fn so_far(world: &World) -> Self {
        let snapshot = world.snapshot();
        let mut by_endpoint = BTreeMap::new();
        for api in PROVIDERS {
            for (endpoint, count) in snapshot.calls.get(&api).into_iter().flatten() {
                by_endpoint.insert((api, endpoint.clone()), *count);
            }
        }
        Self {
            by_endpoint,
            throttled: snapshot.throttled.values().sum(),
        }
    }

    /// What came after `before`.
    pub(super) fn since(mut self, before: &Self) -> Self {
        for (endpoint, count) in &mut self.by_endpoint {
            *count -= before.by_endpoint.get(endpoint).copied().unwrap_or(0);
        }
        self.by_endpoint.retain(|_, count| *count > 0);
        self.throttled -= before.throttled;
        self
    }

    pub(super) fn total(&self) -> u64 {
        self.by_endpoint.values().sum()
    }

    pub(super) fn of(&self, api: Api) -> u64 {
        self.endpoints()
            .filter_map(|(of, _, count)| (of == api).then_some(count))
            .sum()
    }

    pub(super) fn at(&self, api: Api, endpoint: &str) -> u64 {
        self.endpoints()
            .filter_map(|(of, at, count)| (of == api && at == endpoint).then_some(count))
            .sum()
    }

    pub(super) fn endpoints(&self) -> impl Iterator<Item = (Api, &str, u64)> {
        let all = self.by_endpoint.iter();
        all.map(|((api, endpoint), count)| (*api, endpoint.as_str(), *count))
    }
}
