//! Puts the controllers of one process together. They follow the cluster always, and work while the
//! process leads. Nothing here knows whether the world is real.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use kube::Client;
use prometheus::Registry;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::api::InstallationName;
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::controller::counters::{Counted, Counters};
use crate::controller::{self, Pace, Reconciler, Wakers};
use crate::drift::Drift;
use crate::election::{Candidate, while_leading};
use crate::events::Narrator;
use crate::instance::{self, ListAges, Providers};
use crate::provider::{Billing, Dns, Guests, Secrets, Servers};
use crate::sweep::{self, Sweeper};
use crate::{customer, metrics, offer, payment};

/// The name of the Lease that the operators of one installation share.
const LEASE: &str = "clawdet-operator";

/// A settled instance is content with a list so many resyncs old: one is missed, then it asks by itself.
const SETTLED_RESYNCS: u32 = 2;

/// What the operator is put together from.
pub struct Operator {
    pub settings: Settings,
    pub client: Client,
    pub clock: Clock,
    pub catalog: Catalog,
    pub servers: Arc<dyn Servers>,
    pub dns: Arc<dyn Dns>,
    pub secrets: Arc<dyn Secrets>,
    pub guests: Arc<dyn Guests>,
    pub billing: Arc<dyn Billing>,
    /// Where the operator's numbers go.
    pub registry: Registry,
}

#[derive(Clone)]
pub struct Settings {
    pub namespace: String,
    pub installation: InstallationName,
    pub zone: String,
    /// Where a new server enrols.
    pub site_url: String,
    /// Differs between processes, and is the same again after a restart where only one can run.
    pub identity: String,
    pub lease_ttl: Duration,
    /// How old a shared list may be for an instance that is not settled.
    pub list_age: Duration,
    pub pace: Pace,
    /// Whether real money is taken.
    pub live_mode: bool,
    /// How long after a failed payment the instances still run.
    pub grace: SignedDuration,
    /// How long after the end of a subscription the instances, stopped, are kept.
    pub keep: SignedDuration,
    /// How often lost webhooks are looked for.
    pub repair_every: Duration,
    /// None: what nobody owns is left alone.
    pub sweep: Option<Sweeping>,
}

/// How what nobody owns is returned.
#[derive(Clone, Copy, Debug)]
pub struct Sweeping {
    pub every: Duration,
    /// Only say what would be returned.
    pub dry_run: bool,
}

/// Something that runs until it is told to stop; ending before that is a fault.
pub type Task = (&'static str, BoxFuture<'static, ()>);

impl Operator {
    /// Everything the operator does, campaigning for the Lease too. Each task ends soon after `stop`.
    pub fn tasks(&self, stop: &CancellationToken) -> Result<Vec<Task>, prometheus::Error> {
        let (leads, leading) = watch::channel(false);
        metrics::show_leading(&self.registry, leading.clone())?;
        let candidate = self.candidate();
        let (follow, campaign) = (self.follow(stop.clone()), stop.clone());
        let mut tasks = self.work(&leading, stop)?;
        tasks.push(("catalog", follow.boxed()));
        tasks.push((
            "election",
            async move { candidate.run(&leads, campaign).await }.boxed(),
        ));
        Ok(tasks)
    }

    /// What is done while `leading`.
    fn work(
        &self,
        leading: &watch::Receiver<bool>,
        stop: &CancellationToken,
    ) -> Result<Vec<Task>, prometheus::Error> {
        let counters = Counters::register(&self.registry)?;
        let payments = Arc::new(self.payments());
        let ledger = Arc::clone(&payments);
        metrics::show_backlog(&self.registry, move || ledger.backlog())?;
        let instances = Arc::new(self.instances());
        let customers = Arc::new(self.customers());
        let catalog = self.catalog.clone();
        let wake_instances = move || vec![catalog.wakes()];
        let (client, namespace) = (self.client.clone(), self.settings.namespace.clone());
        let wake_customers = move || vec![customer::wakes(&client, &namespace)];
        let offers = Arc::new(self.offers());
        let (client, namespace) = (self.client.clone(), self.settings.namespace.clone());
        let wake_offers = move || vec![offer::wakes(&client, &namespace)];
        let mut tasks = vec![
            (
                "instance controller",
                self.control(instances, &counters, wake_instances, leading, stop),
            ),
            (
                "customer controller",
                self.control(customers, &counters, wake_customers, leading, stop),
            ),
            (
                "payment controller",
                self.control(Arc::clone(&payments), &counters, Vec::new, leading, stop),
            ),
            (
                "plan controller",
                self.control(offers, &counters, wake_offers, leading, stop),
            ),
            ("payment repair", self.repair(payments, leading, stop)),
            ("drift", self.watch_drift(leading, stop)),
        ];
        if let Some(sweeping) = self.settings.sweep {
            tasks.push(("sweep", self.sweep(sweeping, leading, stop)?));
        }
        Ok(tasks)
    }

    /// As [`Operator::tasks`] without an election: this process always leads. All must be safe with two
    /// that do, since a Lease is not a fence.
    pub fn tasks_leading(&self, stop: &CancellationToken) -> Result<Vec<Task>, prometheus::Error> {
        let (leads, leading) = watch::channel(true);
        let mut tasks = self.work(&leading, stop)?;
        tasks.push(("catalog", self.follow(stop.clone()).boxed()));
        let stop = stop.clone();
        tasks.push((
            "leadership",
            async move {
                stop.cancelled().await;
                drop(leads);
            }
            .boxed(),
        ));
        Ok(tasks)
    }

    fn candidate(&self) -> Candidate {
        Candidate::new(
            self.client.clone(),
            &self.settings.namespace,
            LEASE,
            &self.settings.identity,
            self.settings.lease_ttl,
            self.clock,
        )
    }

    fn follow(&self, stop: CancellationToken) -> impl Future<Output = ()> + use<> {
        let (catalog, client) = (self.catalog.clone(), self.client.clone());
        async move {
            tokio::select! {
                () = catalog.follow(client) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    fn instances(&self) -> instance::Controller {
        let settings = instance::Settings {
            namespace: self.settings.namespace.clone(),
            installation: self.settings.installation.clone(),
            zone: self.settings.zone.clone(),
            site_url: self.settings.site_url.clone(),
            list_ages: ListAges {
                settled: self.settings.pace.resync * SETTLED_RESYNCS,
                moving: self.settings.list_age,
            },
        };
        let world = Providers {
            servers: Arc::clone(&self.servers),
            dns: Arc::clone(&self.dns),
            secrets: Arc::clone(&self.secrets),
            guests: Arc::clone(&self.guests),
        };
        instance::Controller::new(
            settings,
            self.client.clone(),
            self.clock,
            self.catalog.clone(),
            world,
            self.narrator("instance"),
        )
    }

    fn customers(&self) -> customer::Controller {
        let settings = customer::Settings {
            namespace: self.settings.namespace.clone(),
            grace: self.settings.grace,
            keep: self.settings.keep,
        };
        customer::Controller::new(
            settings,
            self.client.clone(),
            self.clock,
            self.catalog.clone(),
        )
    }

    fn offers(&self) -> offer::Controller {
        offer::Controller {
            namespace: self.settings.namespace.clone(),
            client: self.client.clone(),
            clock: self.clock,
            catalog: self.catalog.clone(),
            billing: Arc::clone(&self.billing),
        }
    }

    fn payments(&self) -> payment::Controller {
        let settings = payment::Settings {
            namespace: self.settings.namespace.clone(),
            installation: self.settings.installation.clone(),
            live_mode: self.settings.live_mode,
        };
        payment::Controller::new(
            settings,
            self.client.clone(),
            self.clock,
            self.catalog.clone(),
            Arc::clone(&self.billing),
            self.narrator("payment"),
        )
    }

    fn narrator(&self, controller: &str) -> Narrator {
        Narrator::new(self.client.clone(), controller, &self.settings.identity)
    }

    /// One reconciler, run in each term once the catalog has seen everything: before that a Customer
    /// would seem to be missing who is only not read yet.
    fn control<R: Reconciler>(
        &self,
        reconciler: Arc<R>,
        counters: &Counters,
        wakers: impl Fn() -> Wakers<R::Kind> + Send + 'static,
        leading: &watch::Receiver<bool>,
        stop: &CancellationToken,
    ) -> BoxFuture<'static, ()> {
        let reconciler = Arc::new(Counted::new(reconciler, counters.clone()));
        let (client, catalog) = (self.client.clone(), self.catalog.clone());
        let (namespace, pace) = (self.settings.namespace.clone(), self.settings.pace);
        while_leading(leading.clone(), stop.clone(), move |term| {
            let (reconciler, client) = (Arc::clone(&reconciler), client.clone());
            let (namespace, catalog) = (namespace.clone(), catalog.clone());
            let wakers = wakers();
            async move {
                tokio::select! {
                    () = catalog.synced() => {}
                    () = term.cancelled() => return,
                }
                controller::run(reconciler, client, &namespace, pace, wakers, term).await;
            }
        })
        .boxed()
    }

    fn repair(
        &self,
        payments: Arc<payment::Controller>,
        leading: &watch::Receiver<bool>,
        stop: &CancellationToken,
    ) -> BoxFuture<'static, ()> {
        let every = self.settings.repair_every;
        while_leading(leading.clone(), stop.clone(), move |term| {
            let payments = Arc::clone(&payments);
            async move { payment::repair::run(&payments, every, term).await }
        })
        .boxed()
    }

    fn sweep(
        &self,
        sweeping: Sweeping,
        leading: &watch::Receiver<bool>,
        stop: &CancellationToken,
    ) -> Result<BoxFuture<'static, ()>, prometheus::Error> {
        let settings = sweep::Settings {
            namespace: self.settings.namespace.clone(),
            every: sweeping.every,
            dry_run: sweeping.dry_run,
        };
        let sweeper = Arc::new(Sweeper {
            settings,
            client: self.client.clone(),
            clock: self.clock,
            servers: Arc::clone(&self.servers),
            dns: Arc::clone(&self.dns),
            counters: sweep::Counters::register(&self.registry)?,
        });
        let sweep = while_leading(leading.clone(), stop.clone(), move |term| {
            let sweeper = Arc::clone(&sweeper);
            async move { sweeper.run(term).await }
        });
        Ok(sweep.boxed())
    }

    fn watch_drift(
        &self,
        leading: &watch::Receiver<bool>,
        stop: &CancellationToken,
    ) -> BoxFuture<'static, ()> {
        let drift = Arc::new(Drift {
            servers: Arc::clone(&self.servers),
            dns: Arc::clone(&self.dns),
            catalog: self.catalog.clone(),
            every: self.settings.pace.resync,
        });
        while_leading(leading.clone(), stop.clone(), move |term| {
            let drift = Arc::clone(&drift);
            async move { drift.run(term).await }
        })
        .boxed()
    }
}
