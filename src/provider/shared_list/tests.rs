//! Who shares a list with whom, on a paused clock.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures::future::join;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Lists take two seconds; each holds its own number.
#[derive(Clone, Default)]
struct Lists {
    shared: Arc<SharedList<u32>>,
    begun: Arc<AtomicU32>,
    priorities: Arc<Mutex<Vec<Priority>>>,
}

impl Lists {
    async fn get(&self, priority: Priority, asked: BegunAfter) -> Result<u32, ProviderError> {
        let begun = Arc::clone(&self.begun);
        let priorities = Arc::clone(&self.priorities);
        let list = move |priority| async move {
            priorities.lock().unwrap().push(priority);
            let number = begun.fetch_add(1, Ordering::Relaxed) + 1;
            tokio::time::sleep(2 * SECOND).await;
            Ok(number)
        };
        let listed = self.shared.get(priority, asked, list).await?;
        Ok(*listed.items)
    }

    async fn fresh(&self) -> u32 {
        let now = BegunAfter(Instant::now());
        self.get(Priority::Resync, now).await.unwrap()
    }

    async fn after(&self, wait: Duration) -> u32 {
        tokio::time::sleep(wait).await;
        self.fresh().await
    }
}

#[tokio::test(start_paused = true)]
async fn one_list_in_flight_serves_all_who_asked_before_it_began() {
    let lists = Lists::default();
    let asked = BegunAfter(Instant::now());
    tokio::time::advance(SECOND).await;
    let get = || lists.get(Priority::Resync, asked);
    let (first, second) = join(get(), async {
        tokio::time::sleep(SECOND).await;
        get().await
    })
    .await;
    assert_eq!((first.unwrap(), second.unwrap()), (1, 1));
    assert_eq!(
        get().await.unwrap(),
        1,
        "and those who come later are content with it"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_is_given_a_list_begun_before_they_asked() {
    let lists = Lists::default();
    let all = tokio::join!(
        lists.fresh(),
        lists.after(SECOND),
        lists.after(SECOND + SECOND / 2),
    );
    assert_eq!(
        all,
        (1, 2, 2),
        "the second list serves both who came during the first"
    );
}

#[tokio::test(start_paused = true)]
async fn two_lists_never_run_at_once() {
    let lists = Lists::default();
    let began = Instant::now();
    tokio::join!(lists.fresh(), lists.after(SECOND));
    assert_eq!(began.elapsed(), 4 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_list_begun_in_the_very_moment_is_not_trusted() {
    let lists = Lists::default();
    let asked = BegunAfter(Instant::now());
    assert_eq!(lists.get(Priority::Resync, asked).await.unwrap(), 1);
    assert_eq!(
        lists.get(Priority::Resync, asked).await.unwrap(),
        2,
        "what happened in that moment may have come after its first page"
    );
}

#[tokio::test(start_paused = true)]
async fn a_list_nobody_waits_for_is_dropped_and_not_resumed() {
    let lists = Lists::default();
    assert!(tokio::time::timeout(SECOND, lists.fresh()).await.is_err());
    let began = Instant::now();
    assert_eq!(lists.fresh().await, 2);
    assert_eq!(began.elapsed(), 2 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn who_leaves_does_not_take_the_others_along() {
    let lists = Lists::default();
    let asked = BegunAfter(Instant::now());
    tokio::time::advance(SECOND).await;
    let (left, stayed) = join(
        tokio::time::timeout(SECOND, lists.get(Priority::Resync, asked)),
        lists.get(Priority::Resync, asked),
    )
    .await;
    assert!(left.is_err());
    assert_eq!(stayed.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_goes_out_with_the_highest_priority_of_those_who_wait() {
    let lists = Lists::default();
    let urgent = async {
        tokio::time::sleep(SECOND + SECOND / 2).await;
        let now = BegunAfter(Instant::now());
        lists.get(Priority::Delete, now).await.unwrap()
    };
    let all = tokio::join!(lists.fresh(), lists.after(SECOND), urgent);
    assert_eq!(all, (1, 2, 2));
    assert_eq!(
        *lists.priorities.lock().unwrap(),
        [Priority::Resync, Priority::Delete]
    );
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_to_all_and_not_kept() {
    let shared: SharedList<u32> = SharedList::default();
    let asked = BegunAfter(Instant::now());
    tokio::time::advance(SECOND).await;
    let get = || {
        shared.get(Priority::Resync, asked, |_| async {
            tokio::time::sleep(SECOND).await;
            Err(ProviderError::Unreachable("down".into()))
        })
    };
    let (first, second) = join(get(), get()).await;
    for answer in [first, second] {
        assert!(matches!(answer, Err(ProviderError::Unreachable(_))));
    }
    let answer = shared
        .get(Priority::Resync, asked, |_| async { Ok(7) })
        .await;
    assert_eq!(*answer.ok().unwrap().items, 7);
}
