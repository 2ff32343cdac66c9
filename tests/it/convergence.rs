//! Two operators against the simulated providers' real HTTP, on paused time and a seed: whatever is lost,
//! one server an instance, none left over, and then quiet. History counts, not only the end.

mod stage;
mod vault;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rand::RngExt;
use world::{Change, Entry, Kind};

use stage::{Cast, Stage};

const OWNER: &str = "clawdet.com/instance-uid";
/// Faults last so long.
const STORM: Duration = Duration::from_mins(4);
/// L1: once faults stop, everything is Ready or gone within ten minutes; kept refusals add five.
const CALM: Duration = Duration::from_mins(15);
/// S2: no server without an owner for longer.
const ORPHAN: Duration = Duration::from_mins(35);
/// A resync, and the time its list takes.
const RESYNC: Duration = Duration::from_mins(6);
const QUIET: Duration = Duration::from_mins(11);
const LOOK: Duration = Duration::from_secs(5);

/// What happens to the instances of a life besides the weather.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Human {
    /// Nothing.
    Patient,
    /// One is deleted at some moment.
    Deletes,
    /// A server is deleted by hand at some moment.
    Destroys,
    /// An object loses its finalizer and goes; only the sweep can return its server.
    TearsOff,
}

/// A life from a seed: a storm, then calm. The error says what was wrong.
async fn live(seed: u64, cast: Cast, human: Human) -> Result<(), String> {
    let mut stage = Stage::new(seed, cast).await;
    stage.weather(0.04);
    stage.order("ada").await;
    stage.order("grace").await;
    let (mut seen, mut passed) = (Watch::default(), Duration::ZERO);
    let moment = Duration::from_secs(stage.random.random_range(5..150));
    let mut acted = human == Human::Patient;
    while passed < STORM {
        let pause = Duration::from_millis(stage.random.random_range(500..20_000));
        tokio::time::sleep(pause).await;
        passed += pause;
        seen.check(&stage)?;
        if !acted && passed >= moment {
            acted = true;
            act(&mut stage, human).await;
        }
        if stage.random.random_ratio(1, 6) {
            let which = stage.random.random_range(0..2);
            stage.restart(which);
        }
    }
    stage.world.faults().clear();
    settle(&mut stage, &mut seen).await?;
    // A server destroyed by hand is seen within one resync, which may not have come yet; and the one of two
    // leaders that saw the fleet last may still believe an older list for as long.
    tokio::time::sleep(RESYNC).await;
    settle(&mut stage, &mut seen).await?;
    if human == Human::TearsOff {
        tokio::time::sleep(ORPHAN).await;
        seen.check(&stage)?;
    }
    nothing_left_over(&stage).await?;
    if let Some(wrong) = stage.judge.wrong().first() {
        return Err(format!("against Hetzner's description: {wrong}"));
    }
    quiet(&mut stage).await
}

async fn act(stage: &mut Stage, human: Human) {
    match human {
        Human::Patient => {}
        Human::Deletes => stage.delete("grace").await,
        Human::Destroys => stage.destroy_a_server().await,
        Human::TearsOff => stage.tear_finalizer_off("grace").await,
    }
}

/// Until every instance is Ready or gone.
async fn settle(stage: &mut Stage, seen: &mut Watch) -> Result<(), String> {
    let mut passed = Duration::ZERO;
    loop {
        let now = stage.look().await;
        if stage.dead_task() {
            return Err("a task of an operator ended by itself".into());
        }
        let deleted = stage.deleted().await;
        let done = now
            .iter()
            .all(|(name, (reason, _))| reason == "Ready" && !deleted.contains(name));
        if done {
            return Ok(());
        }
        if passed > CALM {
            return Err(format!("not settled: {now:?}"));
        }
        tokio::time::sleep(LOOK).await;
        passed += LOOK;
        seen.check(stage)?;
    }
}

/// Exactly one server, one record and one secret for each instance that is there; nothing else.
async fn nothing_left_over(stage: &Stage) -> Result<(), String> {
    let wanted = stage.uids().await;
    let snapshot = stage.world.snapshot();
    let servers: Vec<String> = snapshot
        .living_servers()
        .map(|server| server.labels.get(OWNER).cloned().unwrap_or_default())
        .collect();
    let owners: BTreeSet<String> = servers.iter().cloned().collect();
    if servers.len() != owners.len() || owners != wanted {
        return Err(format!("servers of {servers:?}, instances {wanted:?}"));
    }
    let hosts: BTreeMap<&str, usize> =
        snapshot
            .records
            .iter()
            .fold(BTreeMap::new(), |mut hosts, record| {
                *hosts.entry(record.name.as_str()).or_default() += 1;
                hosts
            });
    // An A and an AAAA for each.
    if hosts.len() != wanted.len() || hosts.values().any(|records| *records > 2) {
        return Err(format!("records {hosts:?}, instances {wanted:?}"));
    }
    let secrets = stage.secrets();
    // A torn-off finalizer leaves a secret behind that nobody can find by looking at servers.
    if secrets < wanted.len() || secrets > wanted.len() + 1 {
        return Err(format!("{secrets} secrets for {} instances", wanted.len()));
    }
    Ok(())
}

/// L2: nothing is written any more, neither there nor here.
async fn quiet(stage: &mut Stage) -> Result<(), String> {
    let (world, cluster) = (stage.world.history().len(), stage.look().await);
    tokio::time::sleep(QUIET).await;
    let after = stage.look().await;
    if cluster != after {
        return Err(format!("not quiet: {cluster:?} became {after:?}"));
    }
    let history = stage.world.history();
    match history.get(world) {
        None => Ok(()),
        Some(entry) => Err(format!("not quiet: {entry:?}")),
    }
}

/// S1 on the world's history: at most one living server an owner, at every change.
#[derive(Default)]
struct Watch {
    seen: u64,
    owners: BTreeMap<String, String>,
    /// Those under deletion, with the moment they are gone.
    leaving: Vec<(jiff::Timestamp, String)>,
}

impl Watch {
    fn check(&mut self, stage: &Stage) -> Result<(), String> {
        for entry in stage.world.history_since(self.seen) {
            self.seen = entry.sequence;
            if entry.subject.kind == Kind::Server {
                self.server(&entry)?;
            }
        }
        Ok(())
    }

    fn server(&mut self, entry: &Entry) -> Result<(), String> {
        let id = entry.subject.id.clone();
        self.leaving.retain(|(gone, id)| {
            let is_gone = *gone <= entry.at;
            if is_gone {
                self.owners.remove(id);
            }
            !is_gone
        });
        match entry.change {
            Change::Removed => self.leaving.push((entry.effective, id)),
            Change::Created | Change::Changed(_) => {
                let Some(owner) = entry.labels.get(OWNER) else {
                    return Err(format!("a server without an owner: {entry:?}"));
                };
                self.owners.insert(id, owner.clone());
            }
        }
        let owners: BTreeSet<&String> = self.owners.values().collect();
        if owners.len() == self.owners.len() {
            Ok(())
        } else {
            Err(format!(
                "two servers at once: {:?} after {entry:?}",
                self.owners
            ))
        }
    }
}

/// A paused clock and a thread of its own for each life, so that nothing leaks from one to the next.
fn run(seed: u64, cast: Cast, human: Human) -> Result<(), String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(live(seed, cast, human))
}

fn cast(seed: u64) -> (Cast, Human) {
    let human = match seed % 8 {
        0..=2 => Human::Patient,
        3..=5 => Human::Deletes,
        6 => Human::Destroys,
        _ => Human::TearsOff,
    };
    let both_lead = seed.is_multiple_of(3);
    (
        Cast {
            both_lead,
            sweep: true,
        },
        human,
    )
}

/// Lives in a quick run; `cargo xtask test` asks for a thousand.
const SEEDS: u64 = 100;
/// The tests share the work, since a test runs on one core.
const SHARES: u64 = 4;

fn seeds() -> u64 {
    let asked = std::env::var_os("CLAWDET_TEST_SEEDS");
    asked.map_or(SEEDS, |seeds| {
        let number = seeds.to_str().and_then(|seeds| seeds.parse().ok());
        number.expect("a number of lives")
    })
}

fn share(which: u64) {
    let failed: Vec<String> = (0..seeds())
        .filter(|seed| seed % SHARES == which)
        .filter_map(|seed| {
            let (cast, human) = cast(seed);
            let fault = run(seed, cast, human).err()?;
            Some(format!("seed {seed} ({cast:?}, {human:?}): {fault}"))
        })
        .take(5)
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn one_server_each_and_none_left_over_first_quarter() {
    share(0);
}

#[test]
fn one_server_each_and_none_left_over_second_quarter() {
    share(1);
}

#[test]
fn one_server_each_and_none_left_over_third_quarter() {
    share(2);
}

#[test]
fn one_server_each_and_none_left_over_last_quarter() {
    share(3);
}

/// The tests would notice: each wrong decision is caught within so many lives.
#[cfg(feature = "mutants")]
mod mutants {
    use clawdet::mutant::{Mutant, activate};

    use super::*;

    const LIVES: u64 = 200;

    /// The sweep is off where it would hide what the mutant does.
    fn caught(mutant: Option<Mutant>, sweep: bool, human: Human, sign: &str) {
        activate(mutant);
        let both_lead = true;
        let cast = Cast { both_lead, sweep };
        let found = (0..LIVES).find_map(|seed| {
            let fault = run(seed, cast, human).err()?;
            fault.contains(sign).then_some(seed)
        });
        activate(None);
        assert!(found.is_some(), "{mutant:?} survived {LIVES} lives");
    }

    #[test]
    fn who_does_not_adopt_is_caught() {
        let mutant = Some(Mutant::NoAdoption);
        caught(mutant, true, Human::Patient, "not settled");
    }

    #[test]
    fn who_sends_an_order_again_blindly_is_caught() {
        let mutant = Some(Mutant::RetryOnUnknown);
        caught(mutant, false, Human::Deletes, "servers of");
    }

    #[test]
    fn who_does_not_sweep_is_caught() {
        caught(None, false, Human::TearsOff, "servers of");
    }
}
