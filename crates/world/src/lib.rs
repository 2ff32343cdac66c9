//! The outside world, simulated: one state, one clock, one seed, behind the providers' real HTTP.
//!
//! What each room answers:
//! - [`options`]: what can be chosen when a world is made
//! - [`clock`]: what time it is; the only reader of time
//! - [`faults`]: what goes wrong, and when
//! - [`history`]: what changed, when, and who asked for it
//! - [`calls`]: what was asked lately, and how it was answered
//! - [`call`]: what happens to every request, whichever API it is for
//! - [`table`] and [`storage`]: how state is kept, and how it survives the process
//! - [`snapshot`]: what is there now, as plain values
//! - [`hetzner`], [`cloudflare`], [`stripe`]: one simulator each
//! - [`guest`]: what a server that has started answers
//! - [`console`]: the page that shows it all and lets a person break things
//! - [`serve`]: all of it over TCP

mod call;
mod calls;
mod clock;
mod cloudflare;
mod console;
mod faults;
mod guest;
mod hetzner;
mod history;
mod options;
mod serve;
mod snapshot;
mod state;
mod storage;
mod stripe;
mod table;
mod webhook;
mod world;

pub use call::{Api, Lost};
pub use calls::{Call, Struck};
pub use clock::{Clock, Millis};
pub use cloudflare::{CloudflareRight, CloudflareToken, RecordRow};
pub use faults::{Fault, FaultKind, Faults, Standing};
pub use hetzner::{PrimaryIpRow, ServerRow, Status};
pub use history::{Change, Entry, Kind, Outcome, Subject, alive};
pub use options::{CloudflarePlan, Latency, Offer, Options, Project};
pub use serve::{Endpoints, Listen, Serving, Tokens};
pub use snapshot::Snapshot;
pub use storage::OpenError;
pub use stripe::{DeliveryRow, EventRow, RefundRow, SubscriptionRow};
pub use webhook::WebhookTarget;
pub use world::World;
