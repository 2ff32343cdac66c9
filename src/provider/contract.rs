//! What a client of each provider can rely on: one suite, passed over TCP by our adapter and by a client
//! that nobody here wrote, so that neither adapter nor simulator can agree with itself alone.
//!
//! Where the other client cannot read today's API, a test says which field it fails on.

mod records;
mod servers;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use world::{Endpoints, Latency, Listen, Options, World};

use super::calls::Calls;

/// Long enough for a busy machine; nothing is slept through, only waited for.
const PATIENCE: Duration = Duration::from_secs(20);

/// A world on ports of its own, in which every action ends as it begins.
struct Served {
    world: World,
    endpoints: Endpoints,
    calls: Arc<Calls>,
    /// Ends with this, and the ports with it.
    _serving: JoinSet<()>,
}

impl Served {
    async fn begin() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = Options {
            latency: Latency::zero(),
            ..Options::default()
        };
        let world = World::new(options);
        let stop = CancellationToken::new();
        let (endpoints, serving) = world.serve(Listen::default(), stop).await.unwrap();
        let mut running = JoinSet::new();
        running.spawn(async move { serving.await.unwrap() });
        Self {
            world,
            endpoints,
            calls: Arc::default(),
            _serving: running,
        }
    }
}

/// Waits for a level, and says what was there instead when it does not come.
async fn until<T, F>(look: impl Fn() -> F, there: impl Fn(&T) -> bool) -> T
where
    T: std::fmt::Debug,
    F: Future<Output = T>,
{
    let begun = Instant::now();
    loop {
        let seen = look().await;
        if there(&seen) {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "still {seen:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
