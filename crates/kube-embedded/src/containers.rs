//! What namespaces and definitions contain: what may be made in them, and how they take it along when
//! they are deleted.
//!
//! The rules are those of k8s.io/kubernetes/pkg/controller/namespace/deletion and of
//! k8s.io/apiextensions-apiserver/pkg/controller/finalizer.

mod conditions;
mod writing;

use std::sync::Arc;

use crate::builtin::Builtin;
use crate::cascade::{Cascade, Task};
use crate::cluster::Cluster;
use crate::deletion::{CLEANUP, Propagation};
use crate::ledger::{Address, Range};
use crate::registry::{DEFINITIONS, NAMESPACES, Nature, Served};
use crate::status::{Failure, Qualified};
use crate::stored::Stored;
use crate::target::Target;

const UNDELETABLE: [&str; 3] = ["default", "kube-public", "kube-system"];

/// Where an object of that resource is kept.
pub(crate) fn address_in(resource: &Arc<str>, object: &Stored) -> Address {
    Address {
        resource: Arc::clone(resource),
        key: format!("{}/{}", object.namespace(), object.name()).into(),
    }
}

pub(crate) fn namespace_address(name: &str) -> Address {
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
pub(crate) fn around(target: &Target) -> Vec<Address> {
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
        Some(found) if found.is_deleting() => Err(Failure::NamespaceTerminating {
            resource: served.resource(),
            name: name.to_owned(),
            namespace: namespace.clone(),
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

/// A change to or in a container that is being deleted may be the last it waits for.
pub(crate) fn consequences(
    cluster: &Cluster,
    address: &Address,
    new: Option<&Stored>,
) -> Vec<Task> {
    let own = new.and_then(|_| is_container(address).then(|| address.clone()));
    let (namespace, _) = address.key.split_once('/').unwrap_or_default();
    let around = [
        (!namespace.is_empty()).then(|| namespace_address(namespace)),
        Some(definition_address(&address.resource)),
        own,
    ];
    let is_deleting = |container: &Address| {
        let found = cluster.ledger.latest(container);
        found.is_some_and(|found| found.is_deleting())
    };
    let due = around.into_iter().flatten().filter(is_deleting);
    due.map(Task::Review).collect()
}

fn is_container(address: &Address) -> bool {
    [NAMESPACES, DEFINITIONS].contains(&&*address.resource)
}

/// Brings the deletion of a container forward as far as its contents let it.
pub(crate) async fn review(cascade: &Cascade<'_>, address: &Address) -> Result<(), Failure> {
    if !is_container(address) {
        return Ok(());
    }
    let Some(container) = cascade.cluster.ledger.latest(address) else {
        return Ok(());
    };
    let is_namespace = &*address.resource == NAMESPACES;
    let is_over = if is_namespace {
        writing::is_finalized(&container)
    } else {
        !container.has_finalizer(CLEANUP)
    };
    if !container.is_deleting() || is_over {
        return Ok(());
    }
    if !is_namespace {
        writing::say_in_progress(cascade, address).await?;
    }
    let contents = contents(cascade.cluster, address);
    let staying = staying(&contents);
    if !staying.is_empty() {
        let propagation = is_namespace.then_some(Propagation::Background);
        let delete = |address| Task::Delete(address, propagation);
        cascade.push(staying.into_iter().map(delete));
        // Again when these are gone, or marked and waiting for others.
        cascade.push([Task::Review(address.clone())]);
        return Ok(());
    }
    if is_namespace {
        writing::say_what_remains(cascade, address, &contents).await?;
    }
    if contents.is_empty() {
        writing::finish(cascade, address).await?;
    }
    Ok(())
}

/// Where the objects are that have not been asked to go.
fn staying(contents: &[(Address, Arc<Stored>)]) -> Vec<Address> {
    let staying = contents.iter().filter(|(_, object)| !object.is_deleting());
    staying.map(|(address, _)| address.clone()).collect()
}

/// What is in a namespace, or of a definition, as decided.
fn contents(cluster: &Cluster, container: &Address) -> Vec<(Address, Arc<Stored>)> {
    let name = container.key.trim_start_matches('/');
    let (resources, prefix) = if &*container.resource == DEFINITIONS {
        (vec![Arc::from(name)], String::new())
    } else {
        (namespaced(cluster), format!("{name}/"))
    };
    let mut found = Vec::new();
    for resource in resources {
        let range = Range {
            prefix: &prefix,
            ..Range::default()
        };
        let page = cluster.ledger.page(&resource, &range, &|_| true);
        for object in page.map(|page| page.objects).unwrap_or_default() {
            let address = address_in(&resource, &object);
            // What is seen may be on its way out already.
            found.extend(
                cluster
                    .ledger
                    .latest(&address)
                    .map(|object| (address, object)),
            );
        }
    }
    found
}

fn namespaced(cluster: &Cluster) -> Vec<Arc<str>> {
    let registry = cluster.registry();
    let served = registry.served().iter();
    let mut resources: Vec<Arc<str>> = served
        .filter(|served| served.info.namespaced && !served.stored_as.is_empty())
        .map(|served| Arc::clone(&served.stored_as))
        .collect();
    resources.sort();
    resources.dedup();
    resources
}
