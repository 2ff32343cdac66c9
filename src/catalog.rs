//! What the cluster holds, kept by watches and indexed for the questions a visit asks: a customer's
//! standing, a plan's offer, who had a subdomain first. A cache: nothing is bought or deleted on its word.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock};

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt, TryStreamExt};
use k8s_openapi::NamespaceResourceScope;
use kube::runtime::WatchStreamExt;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::watcher::{self, Event, watcher};
use kube::{Api, Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use tokio::sync::{broadcast, watch};

use crate::api::{Customer, Instance, Plan, PlanSpec, Standing, Uid};

/// Wakes queued for a controller that is busy; past it, everything is woken instead.
const WAKES_QUEUED_MAX: usize = 4096;

/// Customers, plans and instances.
const KINDS: usize = 3;

/// The view, shared by every controller of this process.
#[derive(Clone)]
pub struct Catalog {
    view: Arc<RwLock<View>>,
    wakes: broadcast::Sender<String>,
    /// The kinds that were listed to the end at least once.
    listed: Arc<watch::Sender<BTreeSet<String>>>,
    namespace: Arc<str>,
}

#[derive(Default)]
struct View {
    standings: BTreeMap<String, Standing>,
    plans: BTreeMap<String, Arc<PlanSpec>>,
    instances: BTreeMap<String, Entry>,
    names_by_uid: BTreeMap<String, String>,
    /// Who claims a subdomain, oldest first.
    claims: BTreeMap<String, BTreeSet<Claim>>,
    by_customer: BTreeMap<String, BTreeSet<String>>,
    by_plan: BTreeMap<String, BTreeSet<String>>,
    /// By kind, what a list under way has not shown yet; what is left at its end has vanished.
    unseen: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Clone, PartialEq, Eq)]
struct Entry {
    customer: String,
    plan: String,
    subdomain: String,
    claim: Claim,
}

/// Ordered by creation, then by uid: two made in the same second are ordered the same by everybody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    created: i64,
    uid: String,
    name: String,
}

impl Catalog {
    pub fn new(namespace: &str) -> Self {
        Self {
            view: Arc::default(),
            wakes: broadcast::channel(WAKES_QUEUED_MAX).0,
            listed: Arc::new(watch::channel(BTreeSet::new()).0),
            namespace: Arc::from(namespace),
        }
    }

    /// Follows the cluster for ever; ends only when the watches do, which they never do by themselves.
    pub async fn follow(&self, client: Client) {
        futures::join!(
            self.keep::<Customer>(&client),
            self.keep::<Plan>(&client),
            self.keep::<Instance>(&client),
        );
    }

    async fn keep<K>(&self, client: &Client)
    where
        K: Viewed
            + Resource<Scope = NamespaceResourceScope>
            + Clone
            + std::fmt::Debug
            + DeserializeOwned
            + Send
            + 'static,
    {
        let mut events = std::pin::pin!(events::<K>(client, &self.namespace));
        while let Some(event) = events.next().await {
            self.apply(event);
        }
    }

    /// Resolves when customers, plans and instances were listed once.
    pub async fn synced(&self) {
        let mut listed = self.listed.subscribe();
        // The sender lives in self, so waiting cannot fail.
        let _ = listed.wait_for(|kinds| kinds.len() == KINDS).await;
    }

    pub fn standing(&self, customer: &str) -> Option<Standing> {
        self.read(|view| view.standings.get(customer).copied())
    }

    pub fn plan(&self, name: &str) -> Option<Arc<PlanSpec>> {
        self.read(|view| view.plans.get(name).cloned())
    }

    /// Whether another instance claimed the subdomain before the one with this uid.
    pub fn has_rival(&self, subdomain: &str, uid: &Uid) -> bool {
        self.read(|view| {
            view.claims
                .get(subdomain)
                .and_then(BTreeSet::first)
                .is_some_and(|first| first.uid != uid.as_str())
        })
    }

    /// Whether customers, plans and instances were each listed once.
    pub fn is_synced(&self) -> bool {
        self.listed.borrow().len() == KINDS
    }

    /// Every plan by name.
    pub fn plans(&self) -> Vec<(String, Arc<PlanSpec>)> {
        self.read(|view| {
            let plans = view.plans.iter();
            plans
                .map(|(name, plan)| (name.clone(), Arc::clone(plan)))
                .collect()
        })
    }

    /// Whether any instance claims the subdomain.
    pub fn is_claimed(&self, subdomain: &str) -> bool {
        self.read(|view| view.claims.contains_key(subdomain))
    }

    /// The names of a customer's instances, in order.
    pub fn instances_of(&self, customer: &str) -> Vec<String> {
        self.read(|view| {
            view.by_customer
                .get(customer)
                .map(|names| names.iter().cloned().collect())
                .unwrap_or_default()
        })
    }

    /// How many instances name the plan.
    pub fn in_use(&self, plan: &str) -> usize {
        self.read(|view| view.by_plan.get(plan).map_or(0, BTreeSet::len))
    }

    /// Instances to look at again because something they depend on changed.
    pub fn wakes(&self) -> BoxStream<'static, ObjectRef<Instance>> {
        let catalog = self.clone();
        let receiver = self.wakes.subscribe();
        stream::unfold((catalog, receiver), |(catalog, mut receiver)| async move {
            let names = match receiver.recv().await {
                Ok(name) => vec![name],
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    catalog.read(|view| view.instances.keys().cloned().collect())
                }
                Err(broadcast::error::RecvError::Closed) => return None,
            };
            let namespace = Arc::clone(&catalog.namespace);
            let refs = names
                .into_iter()
                .map(move |name| ObjectRef::new(&name).within(&namespace));
            Some((stream::iter(refs), (catalog, receiver)))
        })
        .flatten()
        .boxed()
    }

    /// Wakes the instance with this uid, if there is one.
    pub fn wake(&self, uid: &Uid) {
        if let Some(name) = self.read(|view| view.names_by_uid.get(uid.as_str()).cloned()) {
            // Nobody listening is fine: a controller lists everything when it starts.
            let _ = self.wakes.send(name);
        }
    }

    /// A view without a cluster that has seen everything, for tests of what reads it.
    #[cfg(test)]
    pub(crate) fn holding(customer: &Customer, plan: &Plan) -> Self {
        let catalog = Self::new("default");
        catalog.apply(Event::Apply(customer.clone()));
        catalog.apply(Event::Apply(plan.clone()));
        catalog.apply::<Customer>(Event::InitDone);
        catalog.apply::<Plan>(Event::InitDone);
        catalog.apply::<Instance>(Event::InitDone);
        catalog
    }

    fn read<T>(&self, look: impl FnOnce(&View) -> T) -> T {
        look(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Applies one watch event and wakes the instances it touches. A relist does not empty the view
    /// first, since a customer must not blink out of being: what it did not show goes at its end.
    fn apply<K: Viewed>(&self, event: Event<K>) {
        let kind = K::kind(&());
        let listed = matches!(event, Event::InitDone);
        let woken = {
            let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Init => {
                    let names = K::names(&view);
                    view.unseen.insert(kind.to_string(), names);
                    BTreeSet::new()
                }
                Event::InitApply(object) => {
                    if let Some(unseen) = view.unseen.get_mut(kind.as_ref()) {
                        unseen.remove(&object.name_any());
                    }
                    object.applied(&mut view)
                }
                Event::InitDone => {
                    let vanished = view.unseen.remove(kind.as_ref()).unwrap_or_default();
                    vanished
                        .iter()
                        .flat_map(|name| K::gone(&mut view, name))
                        .collect()
                }
                Event::Apply(object) => object.applied(&mut view),
                Event::Delete(object) => K::gone(&mut view, &object.name_any()),
            }
        };
        if listed {
            self.listed
                .send_if_modified(|kinds| kinds.insert(kind.to_string()));
        }
        for name in woken {
            // Nobody listening is fine: a controller lists everything when it starts.
            let _ = self.wakes.send(name);
        }
    }
}

/// A kind the view keeps: each change gives the names of the instances it touches.
trait Viewed: Resource<DynamicType = ()> + Sized {
    fn names(view: &View) -> BTreeSet<String>;
    fn applied(&self, view: &mut View) -> BTreeSet<String>;
    fn gone(view: &mut View, name: &str) -> BTreeSet<String>;
}

impl Viewed for Customer {
    fn names(view: &View) -> BTreeSet<String> {
        view.standings.keys().cloned().collect()
    }

    fn applied(&self, view: &mut View) -> BTreeSet<String> {
        view.customer_applied(self)
    }

    fn gone(view: &mut View, name: &str) -> BTreeSet<String> {
        view.customer_gone(name)
    }
}

impl Viewed for Plan {
    fn names(view: &View) -> BTreeSet<String> {
        view.plans.keys().cloned().collect()
    }

    fn applied(&self, view: &mut View) -> BTreeSet<String> {
        view.plan_applied(self)
    }

    fn gone(view: &mut View, name: &str) -> BTreeSet<String> {
        view.plan_gone(name)
    }
}

impl Viewed for Instance {
    fn names(view: &View) -> BTreeSet<String> {
        view.instances.keys().cloned().collect()
    }

    fn applied(&self, view: &mut View) -> BTreeSet<String> {
        view.instance_applied(self)
    }

    fn gone(view: &mut View, name: &str) -> BTreeSet<String> {
        view.instance_gone(name)
    }
}

fn events<K>(client: &Client, namespace: &str) -> impl Stream<Item = Event<K>> + use<K>
where
    K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
        + Clone
        + std::fmt::Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    watcher(
        Api::<K>::namespaced(client.clone(), namespace),
        watcher::Config::default(),
    )
    .default_backoff()
    .inspect_err(|error| tracing::warn!(%error, "A watch broke and is taken up again"))
    .filter_map(|event| async { event.ok() })
}

impl View {
    fn customer_applied(&mut self, customer: &Customer) -> BTreeSet<String> {
        let name = customer.name_any();
        if self.standings.insert(name.clone(), customer.spec.standing)
            == Some(customer.spec.standing)
        {
            return BTreeSet::new();
        }
        self.by_customer.get(&name).cloned().unwrap_or_default()
    }

    fn customer_gone(&mut self, name: &str) -> BTreeSet<String> {
        self.standings.remove(name);
        self.by_customer.get(name).cloned().unwrap_or_default()
    }

    fn plan_applied(&mut self, plan: &Plan) -> BTreeSet<String> {
        let name = plan.name_any();
        let spec = Arc::new(plan.spec.clone());
        if self
            .plans
            .insert(name.clone(), Arc::clone(&spec))
            .is_some_and(|old| old == spec)
        {
            return BTreeSet::new();
        }
        self.by_plan.get(&name).cloned().unwrap_or_default()
    }

    fn plan_gone(&mut self, name: &str) -> BTreeSet<String> {
        self.plans.remove(name);
        self.by_plan.get(name).cloned().unwrap_or_default()
    }

    fn instance_applied(&mut self, instance: &Instance) -> BTreeSet<String> {
        let name = instance.name_any();
        let entry = Entry {
            customer: instance.spec.customer_ref.clone(),
            plan: instance.spec.plan.clone(),
            subdomain: instance.spec.subdomain.clone(),
            claim: Claim {
                created: instance
                    .creation_timestamp()
                    .map_or(i64::MAX, |time| time.0.as_second()),
                uid: instance.uid().unwrap_or_default(),
                name: name.clone(),
            },
        };
        if self.instances.get(&name) == Some(&entry) {
            return BTreeSet::new();
        }
        let woken = self.instance_gone(&name);
        self.by_customer
            .entry(entry.customer.clone())
            .or_default()
            .insert(name.clone());
        self.by_plan
            .entry(entry.plan.clone())
            .or_default()
            .insert(name.clone());
        self.claims
            .entry(entry.subdomain.clone())
            .or_default()
            .insert(entry.claim.clone());
        self.names_by_uid
            .insert(entry.claim.uid.clone(), name.clone());
        self.instances.insert(name, entry);
        woken
    }

    /// Forgets an instance; those who waited for its subdomain are woken.
    fn instance_gone(&mut self, name: &str) -> BTreeSet<String> {
        let Some(entry) = self.instances.remove(name) else {
            return BTreeSet::new();
        };
        take(&mut self.by_customer, &entry.customer, &name.to_owned());
        take(&mut self.by_plan, &entry.plan, &name.to_owned());
        take(&mut self.claims, &entry.subdomain, &entry.claim);
        self.names_by_uid.remove(&entry.claim.uid);
        self.claims
            .get(&entry.subdomain)
            .map(|rest| rest.iter().map(|claim| claim.name.clone()).collect())
            .unwrap_or_default()
    }
}

fn take<T: Ord>(index: &mut BTreeMap<String, BTreeSet<T>>, key: &str, value: &T) {
    if let Some(values) = index.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(key);
        }
    }
}

#[cfg(test)]
mod tests;
