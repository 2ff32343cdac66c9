//! Runs one reconciler over one kind: what wakes it, what an outcome means for the next visit.
//!
//! It knows no kind and no provider. There is no other retry loop in the program.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{Controller, PredicateConfig, WatchStreamExt, reflector, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::api::Reason;
pub use crate::cause::chain;
use crate::provider::{BoxError, ProviderError};

pub mod counters;

/// How one visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Reality matches the spec; look again at the next resync.
    Converged,
    /// One step taken and more to do; come straight back.
    Stepped,
    /// Someone else has to move first; come back after a while.
    Waiting(Duration),
    /// A person has to move first, here or at a provider; come back when the object changes, or at the
    /// next resync, since a provider does not tell us.
    Stalled,
}

/// Why a visit could not be finished. `Display` names our step; the cause is in `source()`.
#[derive(Debug, thiserror::Error)]
#[error("failed to {doing}")]
pub struct VisitError {
    /// What we were doing, as a verb phrase: `list the servers`.
    pub doing: &'static str,
    /// When the provider named a time to come back; otherwise the back-off decides.
    pub retry_after: Option<Duration>,
    /// What the object's status says of it while it lasts; None when the cluster itself failed.
    pub reason: Option<Reason>,
    #[source]
    pub cause: BoxError,
}

impl VisitError {
    pub fn provider(doing: &'static str) -> impl FnOnce(ProviderError) -> Self {
        move |cause| Self {
            doing,
            retry_after: match &cause {
                ProviderError::Throttled { retry_after } => Some(*retry_after),
                ProviderError::Unreachable(_)
                | ProviderError::Unknown(_)
                | ProviderError::Refused { .. } => None,
            },
            reason: Some(match &cause {
                ProviderError::Throttled { .. } => Reason::ProviderThrottled,
                ProviderError::Unreachable(_) | ProviderError::Unknown(_) => {
                    Reason::ProviderUnreachable
                }
                ProviderError::Refused { .. } => Reason::ProviderRefused,
            }),
            cause: Box::new(cause),
        }
    }

    /// The secret store failed: nothing is bought meanwhile, and the status says why.
    pub fn secrets(doing: &'static str) -> impl FnOnce(ProviderError) -> Self {
        move |cause| Self {
            reason: Some(Reason::SecretsUnavailable),
            ..Self::provider(doing)(cause)
        }
    }

    pub fn kube(doing: &'static str) -> impl FnOnce(kube::Error) -> Self {
        move |cause| Self {
            doing,
            retry_after: None,
            reason: None,
            cause: Box::new(cause),
        }
    }
}

/// Keeps the objects of one kind true.
pub trait Reconciler: Send + Sync + 'static {
    type Kind: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static;

    /// The name of the controller in logs and metrics, such as `instance`.
    const NAME: &'static str;

    /// One visit: observe, decide, take steps. Must be safe to drop at any await.
    fn reconcile(
        &self,
        object: Arc<Self::Kind>,
    ) -> impl Future<Output = Result<Outcome, VisitError>> + Send;
}

/// How often and how many at once.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// How often an object that looks fine is looked at again.
    pub resync: Duration,
    /// Visits under way at once.
    pub concurrency: u16,
    /// The first wait after a failed visit; doubles up to `backoff_max`.
    pub backoff_min: Duration,
    pub backoff_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            resync: Duration::from_mins(5),
            concurrency: 16,
            backoff_min: Duration::from_secs(2),
            backoff_max: Duration::from_mins(2),
        }
    }
}

/// Other objects whose change wakes ours: a stream of our own objects' references.
pub type Wakers<K> = Vec<BoxStream<'static, ObjectRef<K>>>;

struct Visits<R> {
    reconciler: Arc<R>,
    pace: Pace,
    failures: Mutex<BTreeMap<String, u32>>,
}

/// Runs until `stop` is cancelled, and then until the visits under way have ended.
pub async fn run<R: Reconciler>(
    reconciler: Arc<R>,
    client: Client,
    namespace: &str,
    pace: Pace,
    wakers: Wakers<R::Kind>,
    stop: CancellationToken,
) {
    let visits = Arc::new(Visits {
        reconciler,
        pace,
        failures: Mutex::default(),
    });
    let api: Api<R::Kind> = Api::namespaced(client, namespace);
    let settings = kube::runtime::controller::Config::default().concurrency(pace.concurrency);
    let (reader, writer) = reflector::store();
    let asked = watcher(api, watcher::Config::default())
        .default_backoff()
        .reflect(writer)
        .applied_objects()
        .predicate_filter(request, PredicateConfig::default());
    let mut controller = Controller::for_stream(asked, reader)
        .with_config(settings)
        .graceful_shutdown_on(stop.cancelled_owned());
    for waker in wakers {
        controller = controller.reconcile_on(waker);
    }
    controller
        .run(visit::<R>, error_policy::<R>, visits)
        .for_each(|ended| async move {
            if let Err(error) = ended {
                tracing::debug!(controller = R::NAME, error = %error, "A visit was not finished");
            }
        })
        .await;
}

/// What a person or another controller can ask with: a change of anything else (our own status) wakes
/// nobody.
#[allow(clippy::unnecessary_wraps, reason = "the signature kube asks for")]
fn request<K: Resource>(object: &K) -> Option<u64> {
    let meta = object.meta();
    let mut asked = DefaultHasher::new();
    meta.generation.hash(&mut asked);
    meta.uid.hash(&mut asked);
    meta.finalizers.hash(&mut asked);
    meta.annotations.hash(&mut asked);
    meta.deletion_timestamp.is_some().hash(&mut asked);
    Some(asked.finish())
}

async fn visit<R: Reconciler>(
    object: Arc<R::Kind>,
    visits: Arc<Visits<R>>,
) -> Result<Action, VisitError> {
    let key = key(&*object);
    let outcome = visits.reconciler.reconcile(object).await?;
    visits.lock_failures().remove(&key);
    Ok(requeue(outcome, visits.pace.resync, &key))
}

#[allow(clippy::needless_pass_by_value, reason = "the signature kube asks for")]
fn error_policy<R: Reconciler>(
    object: Arc<R::Kind>,
    error: &VisitError,
    visits: Arc<Visits<R>>,
) -> Action {
    let key = key(&*object);
    let failed = {
        let mut failures = visits.lock_failures();
        let failed = failures.entry(key.clone()).or_insert(0);
        *failed = failed.saturating_add(1);
        *failed
    };
    let wait = backoff(visits.pace, failed, error.retry_after, &key);
    let cause = chain(error);
    tracing::warn!(controller = R::NAME, object = %key, failed, retry_seconds = wait.as_secs_f64(), %cause, "A visit failed");
    Action::requeue(wait)
}

impl<R> Visits<R> {
    fn lock_failures(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, u32>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key<K: Resource>(object: &K) -> String {
    format!(
        "{}/{}",
        object.namespace().unwrap_or_default(),
        object.name_any()
    )
}

/// What an outcome means for the next visit. A resync is spread by the object's name, so that a
/// fleet that became ready together is not looked at together for ever.
pub fn requeue(outcome: Outcome, resync: Duration, key: &str) -> Action {
    match outcome {
        Outcome::Converged | Outcome::Stalled => {
            Action::requeue(resync.mul_f64(0.9 + 0.2 * spread(key, 0)))
        }
        Outcome::Stepped => Action::requeue(Duration::ZERO),
        Outcome::Waiting(wait) => Action::requeue(wait),
    }
}

/// The wait after `failed` failures in a row, never shorter than the provider asked for, spread
/// so that many objects failing together do not come back together.
pub fn backoff(pace: Pace, failed: u32, retry_after: Option<Duration>, key: &str) -> Duration {
    let doubled = pace
        .backoff_min
        .saturating_mul(2_u32.saturating_pow(failed.saturating_sub(1).min(16)))
        .min(pace.backoff_max);
    let spread = doubled.mul_f64(0.75 + 0.5 * spread(key, failed));
    retry_after.map_or(spread, |asked| asked.max(spread))
}

/// A number in 0..1 that depends on its inputs alone (FNV-1a), so that a run can be replayed.
fn spread(key: &str, round: u32) -> f64 {
    let hash = key
        .bytes()
        .chain(round.to_le_bytes())
        .fold(0x811c_9dc5_u32, |hash, byte| {
            (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        });
    f64::from(hash) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_doubles_up_to_a_limit_and_honours_the_provider() {
        let pace = Pace::default();
        let wait = |failed, asked| backoff(pace, failed, asked, "a/b");
        assert!(wait(1, None) >= pace.backoff_min.mul_f64(0.75));
        assert!(wait(3, None) > wait(1, None));
        assert!(wait(u32::MAX, None) <= pace.backoff_max.mul_f64(1.25));
        assert_eq!(
            wait(1, Some(Duration::from_mins(15))),
            Duration::from_mins(15)
        );
    }

    #[test]
    fn objects_that_fail_together_do_not_come_back_together() {
        let pace = Pace::default();
        assert_ne!(backoff(pace, 1, None, "a/b"), backoff(pace, 1, None, "a/c"));
    }
}
