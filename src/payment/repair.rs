//! What webhooks lost: lists the payment provider's events and subscriptions, and rings for those that the
//! ledger does not know. It applies nothing itself, so an event found here has the webhook's effect.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kube::api::{DeleteParams, ListParams};
use kube::{Api, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Controller;
use super::desired::{KINDS, SWEPT, is_settled};
use super::plan::standing_after;
use crate::api::payment_event::{EventSource, ledger_name};
use crate::api::{ANNOTATION_DELIVERED, Customer, PaymentEvent, Standing};
use crate::cause::chain;
use crate::controller::VisitError;
use crate::intent::order::is_of;
use crate::intent::{IntentError, Recorded, customer_name};
use crate::provider::{BillingEvent, Subscription, SubscriptionStatus};

/// As long as Stripe keeps events. Source: <https://docs.stripe.com/api/events>
const FIRST_LOOK_BACK: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How far a look reaches behind the one before, for events that were listed late.
const OVERLAP: SignedDuration = SignedDuration::from_hours(1);
/// Much longer than [`FIRST_LOOK_BACK`], so that what is trimmed is never found again.
const ENTRY_KEPT: SignedDuration = SignedDuration::from_hours(90 * 24);
/// Old entries trimmed in one round.
const TRIMMED_MAX: usize = 200;
const PAGE_SIZE: u32 = 500;
const PAGES_MAX: usize = 1000;

/// What one round found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Events whose webhook never arrived.
    pub events: usize,
    /// Subscriptions that no event told us about.
    pub subscriptions: usize,
    /// Settled entries that were old enough to go.
    pub trimmed: usize,
}

/// The loop and what it remembers: when it last saw everything. Losing it costs one long look.
pub struct Repair<'a> {
    controller: &'a Controller,
    looked: Option<Timestamp>,
}

/// Runs a round every so often until `stop`; one that fails is made up for by the next.
pub async fn run(controller: &Controller, every: Duration, stop: CancellationToken) {
    let mut repair = Repair::new(controller);
    let mut rounds = tokio::time::interval(every);
    rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = rounds.tick() => {}
        }
        let round = tokio::select! {
            () = stop.cancelled() => return,
            round = repair.round() => round,
        };
        match round {
            Ok(repaired) if repaired == Repaired::default() => {}
            Ok(repaired) => tracing::warn!(?repaired, "Payments were repaired"),
            Err(error) => tracing::warn!(error = %chain(&error), "A repair round failed"),
        }
    }
}

impl<'a> Repair<'a> {
    pub fn new(controller: &'a Controller) -> Self {
        Self {
            controller,
            looked: None,
        }
    }

    /// One look at everything. It may stop anywhere: only a whole round moves the mark of the next.
    pub async fn round(&mut self) -> Result<Repaired, VisitError> {
        let begun = self.controller.clock.now();
        let since = self
            .looked
            .map_or(begun - FIRST_LOOK_BACK, |looked| looked - OVERLAP);
        let ledger = list::<PaymentEvent>(&self.controller.api()).await?;
        let open = ledger.iter().filter(|entry| !is_settled(entry)).count();
        let backlog = u64::try_from(open).unwrap_or(u64::MAX);
        self.controller.backlog.store(backlog, Ordering::Relaxed);
        let known: BTreeSet<String> = ledger.iter().map(ResourceExt::name_any).collect();
        let repaired = Repaired {
            events: self.events(&known, since).await?,
            subscriptions: self.subscriptions(&known, begun).await?,
            trimmed: self.trim(&ledger, begun).await?,
        };
        self.looked = Some(begun);
        Ok(repaired)
    }

    async fn events(
        &self,
        known: &BTreeSet<String>,
        since: Timestamp,
    ) -> Result<usize, VisitError> {
        let here = self.controller;
        let kinds: Vec<&str> = KINDS.iter().map(|(kind, _)| *kind).collect();
        let events = here
            .billing
            .events_since(since, &kinds)
            .await
            .map_err(VisitError::provider("list the events"))?;
        let mut found = 0;
        for event in events {
            if !known.contains(&ledger_name("evt", &event.id)) {
                found += self.ring(&event).await?;
            }
        }
        Ok(found)
    }

    /// Rings for subscriptions whose customer is not as they say.
    async fn subscriptions(
        &self,
        known: &BTreeSet<String>,
        now: Timestamp,
    ) -> Result<usize, VisitError> {
        let here = self.controller;
        // Before the subscriptions: what is written in between is found right by the visit.
        let customers: BTreeMap<String, Customer> = list::<Customer>(&here.api())
            .await?
            .into_iter()
            .map(|customer| (customer.name_any(), customer))
            .collect();
        let subscriptions = here
            .billing
            .subscriptions()
            .await
            .map_err(VisitError::provider("list the subscriptions"))?;
        let mut found = 0;
        for subscription in subscriptions {
            let ours = is_of(&here.settings.installation, &subscription.metadata)
                && subscription.live_mode == here.settings.live_mode;
            let customer = customers.get(&customer_name(&subscription.id));
            if !ours || agrees(&subscription, customer) {
                continue;
            }
            let event = doorbell(&subscription, customer, now);
            if !known.contains(&ledger_name("evt", &event.id)) {
                found += self.ring(&event).await?;
            }
        }
        Ok(found)
    }

    async fn ring(&self, event: &BillingEvent) -> Result<usize, VisitError> {
        let recorded = self
            .controller
            .intent
            .record(event, EventSource::Sweep)
            .await
            .map_err(intent("record an event"))?;
        Ok(match recorded {
            Recorded::New => 1,
            Recorded::Known => 0,
        })
    }

    async fn trim(&self, ledger: &[PaymentEvent], now: Timestamp) -> Result<usize, VisitError> {
        let api: Api<PaymentEvent> = self.controller.api();
        let is_old = |entry: &PaymentEvent| {
            entry
                .creation_timestamp()
                .is_some_and(|made| made.0 < now - ENTRY_KEPT)
        };
        let old = ledger
            .iter()
            .filter(|entry| is_settled(entry) && is_old(entry));
        let mut trimmed = 0;
        for entry in old.take(TRIMMED_MAX) {
            match api
                .delete(&entry.name_any(), &DeleteParams::default())
                .await
            {
                Ok(_) => trimmed += 1,
                Err(kube::Error::Api(status)) if status.is_not_found() => {}
                Err(error) => return Err(VisitError::kube("trim the ledger")(error)),
            }
        }
        Ok(trimmed)
    }
}

/// Whether the cluster already says what the subscription does.
fn agrees(subscription: &Subscription, customer: Option<&Customer>) -> bool {
    let buys = matches!(
        subscription.status,
        SubscriptionStatus::Active | SubscriptionStatus::Trialing
    );
    match customer {
        None => !buys,
        Some(customer) => {
            let standing = customer.spec.standing;
            let delivered = customer.annotations().contains_key(ANNOTATION_DELIVERED);
            standing_after(standing, subscription.status) == standing
                && (delivered || !buys || standing == Standing::Closed)
        }
    }
}

/// An event of our own, named by what is wrong and the day: as long as the same thing is wrong we ring once
/// a day, and at once when something else is.
fn doorbell(
    subscription: &Subscription,
    customer: Option<&Customer>,
    now: Timestamp,
) -> BillingEvent {
    let day = now.as_second() / (24 * 60 * 60);
    let seen = customer.and_then(ResourceExt::uid).unwrap_or_default();
    let generation = customer
        .and_then(|customer| customer.metadata.generation)
        .unwrap_or_default();
    let situation = format!(
        "{}/{:?}/{seen}/{generation}/{day}",
        subscription.id, subscription.status
    );
    BillingEvent {
        id: ledger_name("swept", &situation),
        kind: SWEPT.to_owned(),
        subject: subscription.id.clone(),
        created: now,
        live_mode: subscription.live_mode,
    }
}

/// All objects of a kind, read from the cluster and not from a cache, page by page.
async fn list<K>(api: &Api<K>) -> Result<Vec<K>, VisitError>
where
    K: kube::Resource + Clone + DeserializeOwned + std::fmt::Debug,
{
    let mut all = Vec::new();
    let mut params = ListParams::default().limit(PAGE_SIZE);
    for _ in 0..PAGES_MAX {
        let page = api
            .list(&params)
            .await
            .map_err(VisitError::kube("list the ledger"))?;
        all.extend(page.items);
        match page.metadata.continue_.filter(|token| !token.is_empty()) {
            Some(token) => params = params.continue_token(&token),
            None => return Ok(all),
        }
    }
    Err(VisitError {
        doing: "list the ledger",
        retry_after: None,
        reason: None,
        cause: "the list has too many pages".into(),
    })
}

fn intent(doing: &'static str) -> impl FnOnce(IntentError) -> VisitError {
    move |cause| VisitError {
        doing,
        retry_after: None,
        reason: None,
        cause: Box::new(cause),
    }
}
