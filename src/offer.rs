//! Says of each Plan whether it can be sold as it is shown, and how often it was. It changes nothing else:
//! what a Plan offers is for people to decide.

pub mod status;

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::BoxStream;
use kube::api::PostParams;
use kube::runtime::reflector::ObjectRef;
use kube::runtime::{PredicateConfig, WatchStreamExt, predicates, watcher};
use kube::{Api, Client, ResourceExt};

use crate::api::plan::Price;
use crate::api::{Instance, Plan};
use crate::catalog::Catalog;
use crate::clock::Clock;
use crate::controller::{Outcome, Reconciler, VisitError};
use crate::provider::{Billing, SellingPrice};

use status::{Observed, PriceFault};

/// The plan controller and all it needs.
pub struct Controller {
    pub namespace: String,
    pub client: Client,
    pub clock: Clock,
    pub catalog: Catalog,
    pub billing: Arc<dyn Billing>,
}

/// Plans to look at again because an instance came or went.
pub fn wakes(client: &Client, namespace: &str) -> BoxStream<'static, ObjectRef<Plan>> {
    let api: Api<Instance> = Api::namespaced(client.clone(), namespace);
    let namespace = namespace.to_owned();
    watcher(api, watcher::Config::default())
        .default_backoff()
        .touched_objects()
        .predicate_filter(predicates::generation, PredicateConfig::default())
        .filter_map(|changed| async { changed.ok() })
        .map(move |instance| ObjectRef::new(&instance.spec.plan).within(&namespace))
        .boxed()
}

impl Reconciler for Controller {
    type Kind = Plan;
    const NAME: &'static str = "plan";

    async fn reconcile(&self, object: Arc<Plan>) -> Result<Outcome, VisitError> {
        let observed = Observed {
            in_use: self.catalog.in_use(&object.name_any()),
            fault: self.first_fault(&object.spec.prices).await?,
        };
        let previous = object.status.clone().unwrap_or_default();
        let generation = object.metadata.generation;
        let status = status::status(&previous, &observed, generation, self.clock.now());
        if status != previous {
            let mut object = Arc::unwrap_or_clone(object);
            object.status = Some(status);
            Api::<Plan>::namespaced(self.client.clone(), &self.namespace)
                .replace_status(&object.name_any(), &PostParams::default(), &object)
                .await
                .map_err(VisitError::kube("write the status"))?;
        }
        Ok(match observed.fault {
            None => Outcome::Converged,
            Some(_) => Outcome::Stalled,
        })
    }
}

impl Controller {
    async fn first_fault(&self, prices: &[Price]) -> Result<Option<PriceFault>, VisitError> {
        for price in prices {
            let sold: Option<SellingPrice> = self
                .billing
                .price(&price.id)
                .await
                .map_err(VisitError::provider("read a price"))?;
            if let Some(fault) = status::fault(price, sold.as_ref()) {
                return Ok(Some(fault));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
