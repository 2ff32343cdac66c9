//! How a server begins: the first namespaces are made, and what a crash interrupted is taken up.

use std::sync::Arc;

use serde_json::json;

use crate::cascade::{Cascade, Task};
use crate::cluster::Cluster;
use crate::containers::{address_in, namespace_address};
use crate::ledger::Write;
use crate::registry::{DEFINITIONS, NAMESPACES};
use crate::status::Failure;
use crate::{access, expiry, furnish, metadata, naming};

/// What a cluster has from the start.
const FIRST_NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

pub(crate) async fn start(cluster: &Arc<Cluster>) -> Result<(), Failure> {
    for name in FIRST_NAMESPACES {
        let address = namespace_address(name);
        if cluster.ledger.latest(&address).is_some() {
            continue;
        }
        let value = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {
                "name": name,
                "uid": cluster.new_uid(),
                "creationTimestamp": metadata::time(cluster.now()),
                "labels": { "kubernetes.io/metadata.name": name },
            },
            "spec": { "finalizers": ["kubernetes"] },
            "status": { "phase": "Active" },
        });
        let write = Write::create(address, value, Vec::new());
        let written = cluster.ledger.write(write).await;
        written.map_err(|error| Failure::Internal(error.to_string()))?;
    }
    furnish::start(cluster).await?;
    if cluster.access.is_enforced() {
        access::start(cluster).await?;
    }
    expiry::start(cluster);
    let cascade = Cascade::new(cluster);
    cascade.push(naming::all(cluster));
    for resource in [NAMESPACES, DEFINITIONS] {
        let resource = Arc::from(resource);
        let objects = cluster.ledger.all(&resource).into_iter();
        let going = objects.filter(|object| object.is_deleting());
        cascade.push(going.map(|object| Task::Review(address_in(&resource, &object))));
    }
    // Their owners may have gone, or wait for them, without anybody having got around to it.
    cascade.push(cluster.ledger.owned().into_iter().map(Task::Review));
    cascade.push(
        cluster
            .ledger
            .held_for_dependents()
            .into_iter()
            .map(Task::Review),
    );
    cascade.settle_quietly().await;
    Ok(())
}
