//! Looks at the whole fleet and zone once a resync, and wakes the instances whose servers or records are
//! not what they were a look ago. One list serves the fleet: no instance asks by itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::api::Uid;
use crate::catalog::Catalog;
use crate::provider::{BegunAfter, Dns, Fleet, Owner, Priority, Record, Servers, Zone};

/// The part of the period by which a list may be older than the look: whoever looks on the same beat, as
/// the sweep does, has then listed for us, and we for them.
const LIST_AGE_PART: u32 = 10;

pub struct Drift {
    pub servers: Arc<dyn Servers>,
    pub dns: Arc<dyn Dns>,
    pub catalog: Catalog,
    /// How often to look.
    pub every: Duration,
}

impl Drift {
    /// Runs until `stop`. A look that fails is logged and made up for by the next.
    pub async fn run(&self, stop: CancellationToken) {
        let (mut fleet, mut zone) = (None, None);
        let mut ticks = tokio::time::interval(self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = stop.cancelled() => return,
            }
            let now = Instant::now();
            let asked = now.checked_sub(self.every / LIST_AGE_PART);
            let asked = BegunAfter(asked.unwrap_or(now));
            match self.servers.fleet(Priority::Resync, asked).await {
                Ok(now) => self.compare(&mut fleet, now, changed_servers),
                Err(error) => tracing::warn!(%error, "The fleet could not be looked at"),
            }
            match self.dns.zone(Priority::Resync, asked).await {
                Ok(now) => self.compare(&mut zone, now, changed_records),
                Err(error) => tracing::warn!(%error, "The zone could not be looked at"),
            }
        }
    }

    fn compare<T>(
        &self,
        last: &mut Option<Arc<T>>,
        now: Arc<T>,
        changed: fn(&T, &T) -> BTreeSet<Uid>,
    ) {
        if let Some(last) = last {
            for uid in changed(last, &now) {
                self.catalog.wake(&uid);
            }
        }
        *last = Some(now);
    }
}

/// Whose servers came, went or changed between two complete lists.
fn changed_servers(before: &Fleet, after: &Fleet) -> BTreeSet<Uid> {
    let gone_or_changed = before
        .servers()
        .filter(|server| after.get(&server.id) != Some(server));
    let new_or_changed = after
        .servers()
        .filter(|server| before.get(&server.id) != Some(server));
    gone_or_changed
        .chain(new_or_changed)
        .filter_map(|server| uid_of(&server.owner))
        .collect()
}

/// Whose records came, went or changed between two complete lists.
fn changed_records(before: &Zone, after: &Zone) -> BTreeSet<Uid> {
    let by_id = |zone| -> HashMap<&str, &Record> {
        Zone::records(zone)
            .map(|record| (record.id.as_str(), record))
            .collect()
    };
    let (old, new) = (by_id(before), by_id(after));
    let gone_or_changed = old
        .values()
        .filter(|was| new.get(was.id.as_str()) != Some(was));
    let new_or_changed = new
        .values()
        .filter(|is| old.get(is.id.as_str()) != Some(is));
    gone_or_changed
        .chain(new_or_changed)
        .filter_map(|record| uid_of(&record.owner))
        .collect()
}

fn uid_of(owner: &Owner) -> Option<Uid> {
    match owner {
        Owner::Ours(uid) => Some(uid.clone()),
        Owner::Stranger => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::plan::tests::picture;
    use crate::provider::calls::Provider;
    use crate::provider::testing::Scene;

    fn fleet(letters: &str) -> Fleet {
        Fleet::new(picture(letters).observed.servers, Instant::now())
    }

    fn zone(letters: &str) -> Zone {
        Zone::new(picture(letters).observed.records, Instant::now())
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_came_went_or_changed_wakes_its_instance_and_no_other() {
        let whose: BTreeSet<Uid> = [Uid::new("0b6a")].into();
        let changed = |before, after| changed_servers(&fleet(before), &fleet(after));
        assert_eq!(changed("s", "s"), BTreeSet::new());
        assert_eq!(changed("s", "-"), whose);
        assert_eq!(changed("-", "s"), whose);
        assert_eq!(changed("s", "sO"), whose);
        // relabelled by hand: the owner it had is woken
        assert_eq!(changed("s", "sF"), whose);
        assert_eq!(changed("sF", "-"), BTreeSet::new());
    }

    #[tokio::test(start_paused = true)]
    async fn a_record_that_came_or_went_wakes_its_instance() {
        let whose: BTreeSet<Uid> = [Uid::new("0b6a")].into();
        let changed = |before, after| changed_records(&zone(before), &zone(after));
        assert_eq!(changed("d", "d"), BTreeSet::new());
        assert_eq!(changed("d", "-"), whose);
        assert_eq!(changed("d", "dD"), whose);
        assert_eq!(changed("Q", "-"), BTreeSet::new());
    }

    /// The sweep, say.
    async fn look_too(servers: &dyn Servers, every: Duration, looks: u32, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(every);
        for _ in 0..looks {
            ticks.tick().await;
            let asked = BegunAfter(Instant::now() - every / 5);
            servers.fleet(Priority::Resync, asked).await.unwrap();
        }
        stop.cancel();
    }

    #[tokio::test(start_paused = true)]
    async fn one_list_serves_all_who_look_on_the_same_beat_whoever_comes_first() {
        const LOOKS: u32 = 20;
        let every = Duration::from_mins(5);
        for drift_first in [true, false] {
            // Its list takes time, and must not put the next look off the beat.
            let slow = Duration::from_secs(2);
            let scene = Scene::with(|options| options.latency.request = slow);
            // Long enough that a moment ago is a moment.
            tokio::time::advance(every).await;
            let lists = scene.world.options().projects.len() as u64;
            let servers: Arc<dyn Servers> = Arc::new(scene.hetzner);
            let drift = Drift {
                servers: Arc::clone(&servers),
                dns: Arc::new(scene.cloudflare),
                catalog: Catalog::new("default"),
                every,
            };
            let stop = CancellationToken::new();
            let other = look_too(&*servers, every, LOOKS, stop.clone());
            if drift_first {
                tokio::join!(biased; drift.run(stop), other);
            } else {
                tokio::join!(biased; other, drift.run(stop));
            }
            let sent = scene.calls.sent(Provider::Hetzner);
            assert!(
                sent == u64::from(LOOKS) * lists,
                "{sent} calls for {LOOKS} looks at {lists} projects"
            );
        }
    }
}
