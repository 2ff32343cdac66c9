//! Webhooks: which are waiting, when each is due, and what happens when one is sent. What they say is decided in
//! `event`.
//!
//! Source: Stripe's page on webhooks: any answer but 2xx is tried again with growing pauses for up to three days; several
//! may arrive twice, late, or in another order.

use std::sync::OnceLock;
use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use futures::stream;
use http::{Request, StatusCode};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::list::Object;
use super::{note_all, second, signature};
use crate::call::{Api, empty};
use crate::faults::FaultKind;
use crate::history::{Change, Kind};
use crate::table::{Stored, Table};
use crate::webhook::WebhookTarget;
use crate::world::World;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Pauses after the first, second … failed attempt; the last one repeats.
const PAUSES: [i64; 6] = [
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    12 * HOUR,
];
/// How long one event is tried.
const PATIENCE: i64 = 3 * DAY;
/// How long the receiver has to answer.
const TIMEOUT: Duration = Duration::from_secs(20);
/// Sent at the same time.
const AT_ONCE: usize = 8;
/// Waiting at most; the longest waiting are dropped first.
const MOST_WAITING: usize = 50_000;
const MOST_ROUNDS: usize = 1_000;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) event: String,
    /// Unix seconds.
    pub(crate) due: i64,
    first: i64,
    pub(crate) attempts: u32,
    pub(crate) last_error: Option<String>,
    /// Sent because of a fault that doubles; never doubled itself.
    copy: bool,
}

/// What waits to be sent, by moment.
pub(crate) struct Deliveries {
    table: Table<String, Delivery>,
}

impl Deliveries {
    pub(crate) fn new() -> Self {
        Self {
            table: Table::new("stripe_deliveries"),
        }
    }

    pub(crate) fn table(&mut self) -> &mut dyn Stored {
        &mut self.table
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &Delivery> {
        self.table.values()
    }

    pub(crate) fn enqueue(&mut self, event: &str, due: i64, first: i64) {
        self.put(Delivery {
            event: event.to_owned(),
            due,
            first,
            attempts: 0,
            last_error: None,
            copy: false,
        });
    }

    fn put(&mut self, delivery: Delivery) {
        let mut key = format!("{:012}/{}", delivery.due, delivery.event);
        while self.table.contains(&key) {
            key.push('+');
        }
        self.table.insert(key, delivery);
        if self.table.len() > MOST_WAITING {
            let first = self.table.iter().next().map(|(key, _)| key.clone());
            first.and_then(|key| self.table.remove(&key));
        }
    }

    /// Takes everything that is due.
    fn take_due(&mut self, now: i64) -> Vec<Delivery> {
        let due: Vec<String> = self
            .table
            .iter()
            .take_while(|(_, delivery)| delivery.due <= now)
            .map(|(key, _)| key.clone())
            .collect();
        due.iter()
            .filter_map(|key| self.table.remove(key))
            .collect()
    }

    fn next_due(&self) -> Option<i64> {
        self.table.values().next().map(|delivery| delivery.due)
    }

    /// Puts a failed one back, unless it was tried long enough.
    fn again(&mut self, mut delivery: Delivery, now: i64, error: String) -> bool {
        let tried = usize::try_from(delivery.attempts).unwrap_or(usize::MAX);
        let pause = PAUSES[tried.min(PAUSES.len() - 1)];
        delivery.attempts += 1;
        delivery.due = now + pause;
        delivery.last_error = Some(error);
        let stays = delivery.due <= delivery.first + PATIENCE;
        if stays {
            self.put(delivery);
        }
        stays
    }
}

/// One request to the receiver.
struct Letter {
    delivery: Delivery,
    kind: &'static str,
    body: Vec<u8>,
}

impl World {
    /// Delivers every webhook that is due now. Without a target they wait.
    pub async fn pump_webhooks(&self) {
        let Some(target) = self.webhook_target() else {
            return;
        };
        for _ in 0..MOST_ROUNDS {
            let letters = self.due_letters().await;
            if letters.is_empty() {
                return;
            }
            stream::iter(letters)
                .for_each_concurrent(AT_ONCE, |letter| self.deliver(&target, letter))
                .await;
        }
    }

    /// Lets what falls due happen and sends webhooks as they become due, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut changes = self.changes();
        loop {
            let pumped = stop.run_until_cancelled(self.pump_webhooks()).await;
            if pumped.is_none() {
                return;
            }
            let wait = self.until_something_is_due();
            tokio::select! {
                () = stop.cancelled() => return,
                // The sender lives as long as this world.
                _ = changes.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn until_something_is_due(&self) -> Duration {
        const LONGEST: Duration = Duration::from_mins(1);
        if self.webhook_target().is_none() {
            return LONGEST;
        }
        let start = self.clock().start().as_second();
        let next = self.look(|_, state| {
            let delivery = state.stripe.deliveries.next_due();
            delivery.into_iter().chain(state.stripe.agenda.next()).min()
        });
        next.map_or(LONGEST, |at| {
            let at = (at - start).saturating_mul(crate::clock::SECOND);
            self.clock()
                .until(at)
                .clamp(Duration::from_millis(10), LONGEST)
        })
    }

    async fn due_letters(&self) -> Vec<Letter> {
        let mut letters = Vec::new();
        let taken = &mut letters;
        self.change("webhooks", |turn| {
            let now = second(turn);
            let stripe = &mut turn.state.stripe;
            let notes = super::due::catch_up(stripe, &mut turn.state.counters, now);
            for delivery in stripe.deliveries.take_due(now) {
                if let Some(event) = stripe.events.get(&delivery.event) {
                    // An event is plain JSON, which always has a text form.
                    let body = serde_json::to_vec(&event.shown(stripe)).unwrap_or_default();
                    taken.push(Letter {
                        kind: event.kind.word(),
                        delivery,
                        body,
                    });
                }
            }
            note_all(turn, notes);
            empty(StatusCode::OK)
        })
        .await;
        letters
    }

    async fn deliver(&self, target: &WebhookTarget, letter: Letter) {
        let endpoint = format!("webhook {}", letter.kind);
        let strikes = |kind| self.faults().strikes(Api::Stripe, kind, &endpoint);
        if strikes(FaultKind::WebhookLost) {
            return self.written(letter, Fate::Lost).await;
        }
        if strikes(FaultKind::WebhookLate) {
            let drawn = self.faults().roll(Api::Stripe, FaultKind::WebhookLate);
            let seconds = i64::try_from(drawn % DAY.unsigned_abs()).unwrap_or(HOUR);
            return self.written(letter, Fate::Late(seconds)).await;
        }
        let outcome = self.post(target, &letter.body).await;
        let fate = match outcome {
            Ok(()) if !letter.delivery.copy && strikes(FaultKind::WebhookTwice) => {
                Fate::AcceptedAndAgain
            }
            Ok(()) => Fate::Accepted,
            Err(error) => Fate::Refused(error),
        };
        self.written(letter, fate).await;
    }

    async fn post(&self, target: &WebhookTarget, body: &[u8]) -> Result<(), String> {
        let at = self.clock().wall().as_second();
        let header = signature::header(&self.options().stripe_webhook_secret, at, body);
        let status = match target {
            WebhookTarget::Url(url) => post_to_url(url, header, body.to_vec()).await?,
            WebhookTarget::Router(router, path) => {
                let request = Request::post(path)
                    .header("content-type", "application/json; charset=utf-8")
                    .header("stripe-signature", header)
                    .header("user-agent", USER_AGENT)
                    .body(Body::from(body.to_vec()))
                    .map_err(|error| error.to_string())?;
                let answer = tokio::time::timeout(TIMEOUT, router.clone().oneshot(request));
                match answer.await {
                    Ok(Ok(response)) => response.status(),
                    Ok(Err(never)) => match never {},
                    Err(_) => return Err("no answer in time".to_owned()),
                }
            }
        };
        if status.is_success() {
            Ok(())
        } else {
            Err(format!("HTTP {status}"))
        }
    }

    /// Writes down how a delivery ended.
    async fn written(&self, letter: Letter, fate: Fate) {
        let Letter { delivery, kind, .. } = letter;
        self.change("webhooks", |turn| {
            let now = second(turn);
            let id = delivery.event.clone();
            let stripe = &mut turn.state.stripe;
            let word = fate.word();
            let settled = matches!(fate, Fate::Accepted | Fate::AcceptedAndAgain | Fate::Lost);
            match fate {
                Fate::Accepted | Fate::Lost => {}
                Fate::AcceptedAndAgain => stripe.deliveries.put(Delivery {
                    due: now,
                    copy: true,
                    ..delivery
                }),
                Fate::Late(seconds) => stripe.deliveries.put(Delivery {
                    due: now + seconds,
                    ..delivery
                }),
                Fate::Refused(error) => {
                    stripe.deliveries.again(delivery, now, error);
                }
            }
            if settled && let Some(event) = stripe.events.get_mut(&id) {
                event.pending = false;
            }
            let subject = crate::history::Subject {
                kind: Kind::Webhook,
                id,
                name: kind.to_owned(),
            };
            turn.note(
                subject,
                Change::Changed(word),
                &std::collections::BTreeMap::new(),
            );
            empty(StatusCode::OK)
        })
        .await;
    }
}

enum Fate {
    Accepted,
    AcceptedAndAgain,
    Refused(String),
    /// A fault: it never arrives and nobody tries again.
    Lost,
    /// A fault: it is sent so many seconds later.
    Late(i64),
}

impl Fate {
    fn word(&self) -> String {
        match self {
            Self::Accepted => "accepted".to_owned(),
            Self::AcceptedAndAgain => "accepted, and will be sent again".to_owned(),
            Self::Refused(error) => format!("refused: {error}"),
            Self::Lost => "lost".to_owned(),
            Self::Late(seconds) => format!("held back for {seconds} s"),
        }
    }
}

const USER_AGENT: &str = "Stripe/1.0 (+https://stripe.com/docs/webhooks)";

async fn post_to_url(url: &str, header: String, body: Vec<u8>) -> Result<StatusCode, String> {
    let client = client()?;
    let response = client
        .post(url)
        .header("content-type", "application/json; charset=utf-8")
        .header("stripe-signature", header)
        .body(body)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    Ok(response.status())
}

/// One client for the process: connections are kept between webhooks.
fn client() -> Result<&'static reqwest::Client, String> {
    static CLIENT: OnceLock<Result<reqwest::Client, String>> = OnceLock::new();
    let made = CLIENT.get_or_init(|| {
        // An error only says that the process has chosen a provider already.
        let _chosen = rustls::crypto::ring::default_provider().install_default();
        reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(USER_AGENT)
            .no_proxy()
            .build()
            .map_err(|error| error.to_string())
    });
    made.as_ref().map_err(Clone::clone)
}
