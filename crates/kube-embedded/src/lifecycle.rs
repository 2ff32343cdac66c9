//! What happens to objects because of others: namespaces and definitions take along what is in them.
//!
//! Everything here is done by the request that causes it; nothing runs behind its back. What a crash
//! interrupts is taken up at the next start.

use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::builtin::Builtin;
use crate::cluster::Cluster;
use crate::expiry;
use crate::ledger::{Address, Range, Write, WriteError};
use crate::metadata;
use crate::naming;
use crate::registry::{DEFINITIONS, Nature, Served};
use crate::status::{Failure, Qualified};
use crate::stored::Stored;
use crate::target::Target;

const NAMESPACES: &str = "namespaces";
/// What a cluster has from the start, and never loses.
const FIRST_NAMESPACES: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];
const UNDELETABLE: [&str; 3] = ["default", "kube-public", "kube-system"];
/// Keeps a definition until the last of its objects is gone.
const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";
/// How often somebody else may be faster before we give up.
const TRIES: usize = 16;
const CONCURRENT: usize = 64;

/// What a deletion comes to.
pub(crate) enum Gone {
    Removed(Arc<Stored>),
    /// Marked; the finalizers are to come.
    Waiting(Arc<Stored>),
}

/// Where an object of that resource is kept.
pub(crate) fn address_in(resource: &str, object: &Stored) -> Address {
    Address {
        resource: resource.into(),
        key: format!("{}/{}", object.namespace(), object.name()).into(),
    }
}

fn namespace_address(name: &str) -> Address {
    Address {
        resource: NAMESPACES.into(),
        key: format!("/{name}").into(),
    }
}

fn definition_address(name: &str) -> Address {
    Address {
        resource: DEFINITIONS.into(),
        key: format!("/{name}").into(),
    }
}

/// What a new object is in: its namespace, and the definition of its kind.
pub(crate) fn containers(target: &Target) -> Vec<Address> {
    let served = &target.served;
    let mut containers = Vec::new();
    if matches!(served.nature, Nature::Custom { .. }) {
        containers.push(definition_address(&served.stored_as));
    }
    if served.info.namespaced {
        containers.push(namespace_address(&target.namespace));
    }
    containers
}

/// A namespaced object needs a namespace that is there and stays; a custom one such a definition.
pub(crate) fn may_be_created(
    cluster: &Cluster,
    target: &Target,
    name: &str,
) -> Result<(), Failure> {
    let served = &target.served;
    if matches!(served.nature, Nature::Custom { .. }) {
        let definition = cluster
            .ledger
            .latest(&definition_address(&served.stored_as));
        match definition {
            Some(definition) if !definition.is_deleting() => {}
            Some(_) | None => {
                return Err(Failure::Forbidden {
                    resource: served.resource(),
                    name: name.to_owned(),
                    why: "create not allowed while custom resource definition is terminating"
                        .to_owned(),
                });
            }
        }
    }
    if !served.info.namespaced {
        return Ok(());
    }
    let namespace = &target.namespace;
    match cluster.ledger.latest(&namespace_address(namespace)) {
        Some(found) if found.is_deleting() => Err(Failure::Forbidden {
            resource: served.resource(),
            name: name.to_owned(),
            why: format!(
                "unable to create new content in namespace {namespace} because it is being terminated"
            ),
        }),
        Some(_) => Ok(()),
        None => Err(Failure::NotFound {
            resource: Qualified {
                name: NAMESPACES.to_owned(),
                group: String::new(),
            },
            name: namespace.clone(),
        }),
    }
}

pub(crate) fn may_be_deleted(served: &Served, name: &str) -> Result<(), Failure> {
    if served.builtin() == Some(Builtin::Namespace) && UNDELETABLE.contains(&name) {
        return Err(Failure::Forbidden {
            resource: served.resource(),
            name: name.to_owned(),
            why: "this namespace may not be deleted".to_owned(),
        });
    }
    Ok(())
}

/// Was it waiting for finalizers, and are there none left?
pub(crate) fn is_through(object: &Value) -> bool {
    let contents = object["spec"]["finalizers"].as_array();
    let is_namespace = object["kind"] == "Namespace" && object["apiVersion"] == "v1";
    metadata::is_deleting(object)
        && !metadata::has_finalizers(object)
        && !(is_namespace && contents.is_some_and(|finalizers| !finalizers.is_empty()))
}

/// Deletes one object, and everything that goes with it. None if it is not there.
pub(crate) async fn delete(
    cluster: &Arc<Cluster>,
    address: &Address,
    may: &(dyn Fn(&Stored) -> Result<(), Failure> + Sync),
) -> Result<Option<Gone>, Failure> {
    for _ in 0..TRIES {
        let Some(old) = cluster.ledger.latest(address) else {
            return Ok(None);
        };
        may(&old)?;
        if old.is_deleting() {
            return Ok(Some(take_along(cluster, address, old).await));
        }
        let value = marked(cluster, address, old.value());
        let removes = is_through(&value);
        let value = if removes { old.value() } else { value };
        let write = Write::change(address.clone(), &old, value, removes);
        match cluster.ledger.write(write).await {
            Ok(object) if removes => {
                after_removal(cluster, address).await;
                return Ok(Some(Gone::Removed(object)));
            }
            Ok(object) => return Ok(Some(take_along(cluster, address, object).await)),
            Err(WriteError::Changed) => {}
            Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                return Err(Failure::Internal(error.to_string()));
            }
        }
    }
    Err(Failure::Internal(
        "the object changes faster than it can be deleted".to_owned(),
    ))
}

/// The object as it waits for its end.
fn marked(cluster: &Cluster, address: &Address, mut object: Value) -> Value {
    metadata::mark_deleting(&mut object, cluster.now());
    match &*address.resource {
        NAMESPACES => object["status"]["phase"] = "Terminating".into(),
        DEFINITIONS => {
            metadata::edit(&mut object, |fields| {
                let finalizers = fields.entry("finalizers").or_insert_with(|| json!([]));
                if let Some(list) = finalizers.as_array_mut() {
                    list.push(CLEANUP.into());
                }
            });
            crate::definition::terminate(&mut object, cluster.now());
        }
        _ => {}
    }
    object
}

/// An object marked for deletion takes along what is in it, and may then be gone itself.
async fn take_along(cluster: &Arc<Cluster>, address: &Address, marked: Arc<Stored>) -> Gone {
    match &*address.resource {
        NAMESPACES | DEFINITIONS => {
            empty(cluster, address).await;
            finish(cluster, address).await;
        }
        _ => {}
    }
    Gone::Waiting(marked)
}

/// Deletes everything in a namespace, or of a definition.
async fn empty(cluster: &Arc<Cluster>, container: &Address) {
    if let Err(failure) = delete_all(cluster, contents(cluster, container, usize::MAX)).await {
        tracing::warn!(%failure, key = %container.key, "something is left behind by its deletion");
    }
}

/// Deletes all of these, several at a time; the first failure ends it.
pub(crate) fn delete_all(
    cluster: &Arc<Cluster>,
    addresses: Vec<Address>,
) -> BoxFuture<'_, Result<(), Failure>> {
    // Boxed because a deletion may lead to others.
    Box::pin(async move {
        let deletions: Vec<_> = addresses
            .into_iter()
            .map(|address| async move { delete(cluster, &address, &|_| Ok(())).await.map(drop) })
            .collect();
        let mut running = futures::stream::iter(deletions).buffer_unordered(CONCURRENT);
        while let Some(done) = running.next().await {
            done?;
        }
        Ok(())
    })
}

/// What is in a namespace, or of a definition; at most `limit` of it.
fn contents(cluster: &Cluster, container: &Address, limit: usize) -> Vec<Address> {
    let name = container.key.trim_start_matches('/');
    let (resources, prefix) = if &*container.resource == DEFINITIONS {
        (vec![Arc::from(name)], String::new())
    } else {
        let registry = cluster.registry();
        let namespaced = registry
            .served()
            .iter()
            .filter(|served| served.info.namespaced);
        let mut resources: Vec<Arc<str>> = namespaced
            .map(|served| Arc::clone(&served.stored_as))
            .collect();
        resources.sort();
        resources.dedup();
        (resources, format!("{name}/"))
    };
    let mut found = Vec::new();
    for resource in resources {
        let range = Range {
            prefix: &prefix,
            limit: Some(limit),
            ..Range::default()
        };
        let page = cluster.ledger.page(&resource, &range, &|_| true);
        let objects = page.map(|page| page.objects).unwrap_or_default();
        found.extend(objects.iter().map(|object| address_in(&resource, object)));
    }
    found
}

/// Takes our finalizer off a namespace or definition that is empty; it goes if that was the last.
async fn finish(cluster: &Arc<Cluster>, container: &Address) {
    for _ in 0..TRIES {
        let Some(old) = cluster.ledger.latest(container) else {
            return;
        };
        if !old.is_deleting() || !contents(cluster, container, 1).is_empty() {
            return;
        }
        let value = finished(container, old.value());
        if value == old.value() {
            return;
        }
        let removes = is_through(&value);
        let write = Write::change(container.clone(), &old, value, removes);
        match cluster.ledger.write(write).await {
            Ok(gone) => {
                if &*container.resource == DEFINITIONS {
                    settle_group_of(cluster, gone.name()).await;
                }
                return;
            }
            Err(WriteError::Changed) => {}
            Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                tracing::warn!(%error, key = %container.key, "its deletion waits for the next start");
                return;
            }
        }
    }
}

fn finished(container: &Address, mut object: Value) -> Value {
    if &*container.resource == NAMESPACES {
        object["spec"]["finalizers"] = json!([]);
    } else {
        metadata::edit(&mut object, |fields| {
            if let Some(list) = fields.get_mut("finalizers").and_then(Value::as_array_mut) {
                list.retain(|finalizer| finalizer != CLEANUP);
            }
        });
    }
    object
}

/// A definition that is new or changed gets its names.
pub(crate) async fn after_write(cluster: &Arc<Cluster>, written: &Address, object: &Stored) {
    if &*written.resource == DEFINITIONS {
        settle_group_of(cluster, object.name()).await;
    }
}

/// A definition is called `<plural>.<group>`.
async fn settle_group_of(cluster: &Arc<Cluster>, name: &str) {
    if let Some((_, group)) = name.split_once('.') {
        naming::settle(cluster, group).await;
    }
}

/// The last thing to leave a namespace or a definition that is being deleted ends that too.
pub(crate) async fn after_removal(cluster: &Arc<Cluster>, removed: &Address) {
    let (namespace, name) = removed.key.split_once('/').unwrap_or_default();
    if &*removed.resource == DEFINITIONS {
        // Its names are free.
        settle_group_of(cluster, name).await;
    }
    let around = [
        namespace_address(namespace),
        definition_address(&removed.resource),
    ];
    for container in around {
        let found = cluster.ledger.latest(&container);
        if found.is_some_and(|found| found.is_deleting()) {
            finish(cluster, &container).await;
        }
    }
}

/// Makes the first namespaces, and goes on with the deletions a crash interrupted.
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
    expiry::start(cluster);
    naming::settle_all(cluster).await;
    for resource in [NAMESPACES, DEFINITIONS] {
        for object in cluster.ledger.all(resource) {
            if object.is_deleting() {
                let address = address_in(resource, &object);
                take_along(cluster, &address, object).await;
            }
        }
    }
    Ok(())
}
