//! What a person can order at the console: a closed list, each with what it takes.

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;

use crate::call::Api;
use crate::calls::Struck;
use crate::faults::{Fault, FaultKind, Faults};
use crate::world::World;

const MOST_TIMES: u32 = 10_000;
/// Five years at once are enough.
const MOST_SECONDS: u64 = 5 * 366 * 24 * 3_600;
const MOST_LATENCY: u64 = 10 * 60 * 1_000;

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Order {
    DeleteServer {
        server: u64,
    },
    PowerOffServer {
        server: u64,
    },
    RenameServer {
        server: u64,
        name: String,
    },
    DeleteRecord {
        record: String,
    },
    /// Gives a record other content, as somebody might in Cloudflare's dashboard.
    EditRecord {
        record: String,
        content: String,
    },
    TakeDown {
        api: Api,
        down: bool,
    },
    /// The next `times` calls to endpoints that begin with `endpoint` meet this fault.
    Plan {
        api: Api,
        kind: FaultKind,
        #[serde(default)]
        endpoint: String,
        #[serde(default = "once")]
        times: u32,
    },
    Chance {
        api: Api,
        kind: FaultKind,
        /// 0 to 1.
        probability: f64,
    },
    Latency {
        api: Api,
        milliseconds: u64,
    },
    Exhaust {
        location: String,
        server_type: Option<String>,
        exhausted: bool,
    },
    /// Every further payment of a subscription fails, or works again.
    FailPayments {
        subscription: String,
        failing: bool,
    },
    /// The subscription's period ends now: it is renewed or ends.
    EndPeriod {
        subscription: String,
    },
    /// Sends the webhook of an event, again or for the first time, so many seconds from now.
    SendEvent {
        event: String,
        #[serde(default)]
        after_seconds: u32,
    },
    Skip {
        seconds: u64,
    },
    /// Takes back everything that is set to go wrong.
    Heal,
}

fn once() -> u32 {
    1
}

#[derive(Debug, thiserror::Error)]
pub(super) enum OrderError {
    #[error("there is no such {0}")]
    NoSuch(&'static str),
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    #[error("too many faults are planned already")]
    TooMany,
    #[error("{0}")]
    Refused(String),
}

impl OrderError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::NoSuch(_) => StatusCode::NOT_FOUND,
            Self::OutOfRange(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany | Self::Refused(_) => StatusCode::CONFLICT,
        }
    }
}

fn found(there: bool, what: &'static str) -> Result<(), OrderError> {
    if there {
        Ok(())
    } else {
        Err(OrderError::NoSuch(what))
    }
}

fn within(fits: bool, what: &'static str) -> Result<(), OrderError> {
    if fits {
        Ok(())
    } else {
        Err(OrderError::OutOfRange(what))
    }
}

impl Order {
    /// Does it. What to write down is handed back, unless what changed is in history by itself.
    pub(super) async fn carry_out(self, world: &World) -> Result<Option<String>, OrderError> {
        let said = self.said();
        self.done(world).await.map(|()| said)
    }

    /// The order in words, for the timeline.
    fn said(&self) -> Option<String> {
        let word = |kind: &FaultKind| Struck::Fault(*kind).word();
        match self {
            Self::DeleteServer { .. }
            | Self::PowerOffServer { .. }
            | Self::RenameServer { .. }
            | Self::DeleteRecord { .. }
            | Self::EditRecord { .. } => None,
            Self::TakeDown { api, down: true } => Some(format!("{} taken down", api.name())),
            Self::TakeDown { api, down: false } => Some(format!("{} brought back", api.name())),
            Self::Plan {
                api, kind, times, ..
            } => Some(format!("{}: {} planned, {times}×", api.name(), word(kind))),
            Self::Chance {
                api,
                kind,
                probability,
            } => Some(format!(
                "{}: {} with probability {probability}",
                api.name(),
                word(kind)
            )),
            Self::Latency { api, milliseconds } => Some(format!(
                "{} slowed down by up to {milliseconds} ms",
                api.name()
            )),
            Self::Exhaust {
                location,
                exhausted: true,
                ..
            } => Some(format!("{location} runs out of room")),
            Self::Exhaust {
                location,
                exhausted: false,
                ..
            } => Some(format!("{location} has room again")),
            Self::FailPayments {
                subscription,
                failing: true,
            } => Some(format!("payments of {subscription} fail from now on")),
            Self::FailPayments {
                subscription,
                failing: false,
            } => Some(format!("payments of {subscription} work again")),
            Self::EndPeriod { subscription } => Some(format!("the period of {subscription} ends")),
            Self::SendEvent { event, .. } => Some(format!("{event} is sent again")),
            Self::Skip { seconds } => Some(format!("time jumps ahead by {seconds} s")),
            Self::Heal => Some("everything healed".to_owned()),
        }
    }

    async fn done(self, world: &World) -> Result<(), OrderError> {
        let faults = world.faults();
        match self {
            Self::DeleteServer { server } => {
                found(world.delete_server_by_hand(server).await, "server")
            }
            Self::PowerOffServer { server } => {
                found(world.power_off_by_hand(server).await, "server")
            }
            Self::RenameServer { server, name } => rename(world, server, name).await,
            Self::DeleteRecord { record } => {
                found(world.delete_record_by_hand(&record).await, "record")
            }
            Self::EditRecord { record, content } => world
                .edit_record_by_hand(&record, content)
                .await
                .map_err(OrderError::Refused),
            Self::TakeDown { api, down } => {
                faults.down(api, down);
                Ok(())
            }
            Self::Plan {
                api,
                kind,
                endpoint,
                times,
            } => {
                let once = Fault::once(api, kind, &endpoint);
                plan(faults, Fault { times, ..once })
            }
            Self::Chance {
                api,
                kind,
                probability,
            } => set_chance(faults, api, kind, probability),
            Self::Latency { api, milliseconds } => slow_down(faults, api, milliseconds),
            Self::Exhaust {
                location,
                server_type,
                exhausted,
            } => exhaust(faults, &location, server_type.as_deref(), exhausted),
            Self::FailPayments {
                subscription,
                failing,
            } => found(
                world.fail_payments(&subscription, failing).await,
                "subscription",
            ),
            Self::EndPeriod { subscription } => found(
                world.end_period_by_hand(&subscription).await,
                "running subscription",
            ),
            Self::SendEvent {
                event,
                after_seconds,
            } => found(
                world.send_event_by_hand(&event, after_seconds).await,
                "event",
            ),
            Self::Skip { seconds } => skip(world, seconds),
            Self::Heal => {
                faults.clear();
                Ok(())
            }
        }
    }
}

async fn rename(world: &World, server: u64, name: String) -> Result<(), OrderError> {
    within((1..=63).contains(&name.len()), "name")?;
    found(world.rename_server_by_hand(server, name).await, "server")
}

fn plan(faults: &Faults, fault: Fault) -> Result<(), OrderError> {
    within((1..=MOST_TIMES).contains(&fault.times), "times")?;
    if faults.plan(fault) {
        Ok(())
    } else {
        Err(OrderError::TooMany)
    }
}

fn set_chance(
    faults: &Faults,
    api: Api,
    kind: FaultKind,
    probability: f64,
) -> Result<(), OrderError> {
    within((0.0..=1.0).contains(&probability), "probability")?;
    faults.chance(api, kind, probability);
    Ok(())
}

fn slow_down(faults: &Faults, api: Api, milliseconds: u64) -> Result<(), OrderError> {
    within(milliseconds <= MOST_LATENCY, "milliseconds")?;
    faults.latency(api, Duration::from_millis(milliseconds));
    Ok(())
}

fn exhaust(
    faults: &Faults,
    location: &str,
    server_type: Option<&str>,
    exhausted: bool,
) -> Result<(), OrderError> {
    found(crate::hetzner::is_location(location), "location")?;
    faults.exhaust(location, server_type, exhausted);
    Ok(())
}

fn skip(world: &World, seconds: u64) -> Result<(), OrderError> {
    within(seconds <= MOST_SECONDS, "seconds")?;
    world.skip(Duration::from_secs(seconds));
    Ok(())
}
