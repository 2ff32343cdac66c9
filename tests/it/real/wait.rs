//! Waiting for something to be so, with a limit: a level, not an edge.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// Looks again and again until `look` gives something, and returns it.
///
/// # Panics
/// When the limit has passed, with what `look` said last.
pub(crate) async fn until<T>(
    limit: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<T, String>,
) -> T {
    let end = Instant::now() + limit;
    let mut tick = interval(Duration::from_millis(50));
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        match look().await {
            Ok(found) => return found,
            Err(seen) => assert!(
                Instant::now() < end,
                "not within {limit:?}: {what}; last: {seen}"
            ),
        }
    }
}
