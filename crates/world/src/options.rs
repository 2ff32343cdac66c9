//! What can be chosen when a world is made. Nothing here changes afterwards.

use std::time::Duration;

use jiff::Timestamp;

use crate::cloudflare::CloudflareToken;
use crate::table::derived_text;

/// One Hetzner project: what a token opens, with a limit of its own.
#[derive(Clone)]
pub struct Project {
    pub name: String,
    /// 64 letters and digits, as Hetzner's tokens are.
    pub token: String,
    /// How many servers it may hold; beyond it `resource_limit_exceeded`.
    pub server_limit: u32,
}

/// A recurring price that is on sale at Stripe from the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The price's id, and its look-up key, as `price_basic_monthly`.
    pub price: String,
    /// The product's name; offers of one product share it.
    pub product: String,
    /// In the currency's smallest unit.
    pub amount: i64,
    /// Three letters, as `eur`.
    pub currency: String,
    /// Paid every year instead of every month.
    pub yearly: bool,
}

impl Project {
    /// A second token of the project: it may read everything and change nothing.
    #[must_use]
    pub fn read_only_token(&self) -> String {
        derived_text(0, &self.token, 64)
    }
}

impl Offer {
    fn euros(price: &str, product: &str, cents: i64, yearly: bool) -> Offer {
        Offer {
            price: price.to_owned(),
            product: product.to_owned(),
            amount: cents,
            currency: "eur".to_owned(),
            yearly,
        }
    }
}

/// What Cloudflare sells an account; it sets how much a record may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudflarePlan {
    Free,
    Pro,
}

impl CloudflarePlan {
    /// Operations in one batch. Source: Cloudflare's page on batch record changes.
    pub(crate) fn batch_limit(self) -> usize {
        match self {
            CloudflarePlan::Free => 200,
            CloudflarePlan::Pro => 3_500,
        }
    }

    /// Characters of a comment. Source: Cloudflare's page on record attributes.
    pub(crate) fn comment_limit(self) -> usize {
        match self {
            CloudflarePlan::Free => 100,
            CloudflarePlan::Pro => 500,
        }
    }

    /// Tags of one record. Source: the same page.
    pub(crate) fn tag_limit(self) -> usize {
        match self {
            CloudflarePlan::Free => 0,
            CloudflarePlan::Pro => 20,
        }
    }
}

/// How long things take, in the world's own time.
#[derive(Clone, Debug)]
pub struct Latency {
    pub create_server: Duration,
    pub delete_server: Duration,
    /// Power on, power off, reboot and reset.
    pub power: Duration,
    /// From an accepted shutdown to the server being off.
    pub shutdown: Duration,
    pub change_type: Duration,
    pub rebuild: Duration,
    pub create_image: Duration,
    /// Everything else that answers with an action.
    pub other: Duration,
    /// The most that a provider waits before it answers a request; the wait is drawn anew each time.
    pub request: Duration,
}

impl Latency {
    /// Everything at once, for benches.
    #[must_use]
    pub fn zero() -> Latency {
        Latency {
            create_server: Duration::ZERO,
            delete_server: Duration::ZERO,
            power: Duration::ZERO,
            shutdown: Duration::ZERO,
            change_type: Duration::ZERO,
            rebuild: Duration::ZERO,
            create_image: Duration::ZERO,
            other: Duration::ZERO,
            request: Duration::ZERO,
        }
    }
}

impl Default for Latency {
    fn default() -> Latency {
        Latency {
            create_server: Duration::from_secs(8),
            delete_server: Duration::from_secs(3),
            power: Duration::from_secs(2),
            shutdown: Duration::from_secs(10),
            change_type: Duration::from_secs(30),
            rebuild: Duration::from_secs(20),
            create_image: Duration::from_mins(1),
            other: Duration::from_secs(1),
            request: Duration::ZERO,
        }
    }
}

/// Everything a world is made from. No `Debug`: it holds tokens.
#[derive(Clone)]
pub struct Options {
    pub seed: u64,
    /// World seconds per second of `tokio::time`.
    pub speed: f64,
    /// The world's time when it begins. A world opened from a file never goes back behind what it had reached.
    pub start: Timestamp,
    /// The Cloudflare zone that is there from the beginning.
    pub zone: String,
    pub projects: Vec<Project>,
    /// The token with every right.
    pub cloudflare_token: String,
    /// Further tokens, each with its own rights.
    pub cloudflare_tokens: Vec<CloudflareToken>,
    /// Opens nothing but the Origin CA.
    pub cloudflare_origin_ca_key: String,
    pub cloudflare_plan: CloudflarePlan,
    /// Records in one zone; beyond it 81045.
    pub cloudflare_record_limit: usize,
    pub stripe_secret_key: String,
    pub stripe_webhook_secret: String,
    pub offers: Vec<Offer>,
    /// From a server running to its gateway answering.
    pub boot: Duration,
    pub latency: Latency,
    /// The most changes that [`crate::World::history`] remembers; the oldest are forgotten first.
    pub history_limit: usize,
}

impl Options {
    /// The defaults with tokens that belong to this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Options {
        Options {
            seed,
            speed: 1.0,
            // 2026-11-02T09:00:00Z, a Monday: a fixed beginning, so that the same seed is the same world.
            start: Timestamp::constant(1_793_610_000, 0),
            zone: "assistants.example".to_owned(),
            projects: vec![Project {
                name: "main".to_owned(),
                token: derived_text(seed, "hetzner/main", 64),
                server_limit: 2_000,
            }],
            cloudflare_token: derived_text(seed, "cloudflare", 40),
            cloudflare_tokens: Vec::new(),
            cloudflare_origin_ca_key: format!(
                "v1.0-{}",
                derived_text(seed, "cloudflare/origin-ca", 146)
            ),
            cloudflare_plan: CloudflarePlan::Free,
            cloudflare_record_limit: 100_000,
            stripe_secret_key: format!("sk_test_{}", derived_text(seed, "stripe/key", 24)),
            stripe_webhook_secret: format!("whsec_{}", derived_text(seed, "stripe/webhook", 32)),
            boot: Duration::from_secs(20),
            offers: vec![
                Offer::euros("price_basic_monthly", "Basic", 1_900, false),
                Offer::euros("price_basic_yearly", "Basic", 19_000, true),
                Offer::euros("price_pro_monthly", "Pro", 4_900, false),
                Offer::euros("price_pro_yearly", "Pro", 49_000, true),
            ],
            latency: Latency::default(),
            history_limit: 200_000,
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options::seeded(0)
    }
}
