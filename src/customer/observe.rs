//! Reads a customer's instances: their names from the catalog, each one live.

use kube::ResourceExt;

use super::Controller;
use super::plan::{Observed, SeenInstance};
use crate::api::instance::DeletionPolicy;
use crate::api::{ConditionType, Instance};
use crate::controller::VisitError;

/// What was seen, and the objects it was seen on.
pub(super) struct Observation {
    pub(super) seen: Observed,
    pub(super) instances: Vec<Instance>,
}

pub(super) async fn observe(here: &Controller, name: &str) -> Result<Observation, VisitError> {
    let api = here.instances();
    let mut instances = Vec::new();
    for instance in here.catalog.instances_of(name) {
        let found = api
            .get_opt(&instance)
            .await
            .map_err(VisitError::kube("read an instance of the customer"))?;
        // The catalog is a cache: whose it is is decided on the live object.
        instances.extend(found.filter(|found| found.spec.customer_ref == name));
    }
    Ok(Observation {
        seen: Observed {
            instances: instances.iter().map(seen).collect(),
        },
        instances,
    })
}

fn seen(instance: &Instance) -> SeenInstance {
    let conditions = instance
        .status
        .as_ref()
        .map_or(&[][..], |status| &status.conditions);
    SeenInstance {
        name: instance.name_any(),
        ready: conditions.iter().any(|condition| {
            condition.type_ == ConditionType::Ready.as_str() && condition.status == "True"
        }),
        leaving: instance.metadata.deletion_timestamp.is_some(),
        protected: instance.spec.deletion_policy == DeletionPolicy::Protect,
    }
}
