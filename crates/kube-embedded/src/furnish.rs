//! Objects the server itself makes: the ServiceAccount every namespace has, and others on demand.
//!
//! What the real cluster's controllers do a moment later happens here before the answer.

use std::sync::Arc;

use futures::future::try_join_all;
use serde_json::{Value, json};

use crate::admit::Admission;
use crate::apply::Writer;
use crate::cascade::Task;
use crate::cluster::Cluster;
use crate::containers::namespace_address;
use crate::ledger::{Address, Write, WriteError};
use crate::metadata;
use crate::registry::NAMESPACES;
use crate::request::FieldValidation;
use crate::status::Failure;
use crate::stored::Stored;
use crate::target::Part;

const ACCOUNTS: &str = "serviceaccounts";
const MANAGER: &str = "kube-controller-manager";

/// Namespaces of before this was so get theirs.
pub(crate) async fn start(cluster: &Cluster) -> Result<(), Failure> {
    let namespaces = cluster.ledger.all(NAMESPACES);
    let accounts = namespaces
        .iter()
        .map(|namespace| account(cluster, namespace.name()));
    // At once, so that a journal keeps them in one commit.
    try_join_all(accounts).await?;
    Ok(())
}

/// A namespace gets its account, and an account that is deleted comes again.
pub(crate) fn consequences(address: &Address, new: Option<&Stored>) -> Option<Task> {
    let (namespace, name) = address.key.split_once('/')?;
    let without = match (&*address.resource, name) {
        (NAMESPACES, name) if new.is_some() => name,
        (ACCOUNTS, "default") if new.is_none() => namespace,
        _ => return None,
    };
    Some(Task::Furnish(without.to_owned()))
}

/// A namespace that is going gets none.
pub(crate) async fn account(cluster: &Cluster, namespace: &str) -> Result<(), Failure> {
    let account = json!({ "metadata": { "name": "default", "namespace": namespace } });
    make_if_missing(cluster, ["", "v1", ACCOUNTS], account, MANAGER).await
}

/// An object of that resource, `manager` owning its fields. One that is there stays as it is.
pub(crate) async fn make_if_missing(
    cluster: &Cluster,
    [group, version, plural]: [&str; 3],
    object: Value,
    manager: &str,
) -> Result<(), Failure> {
    let registry = cluster.registry();
    let served = registry.find(group, version, plural);
    let served = served.ok_or(Failure::NoSuchResource)?;
    let text = |field| metadata::text(&object, field);
    let address = Address {
        resource: Arc::clone(&served.stored_as),
        key: format!("{}/{}", text("namespace"), text("name")).into(),
    };
    if cluster.ledger.latest(&address).is_some() {
        return Ok(());
    }
    let within = match text("namespace") {
        "" => Vec::new(),
        namespace => vec![namespace_address(namespace)],
    };
    let now = cluster.now();
    let admission = Admission {
        served,
        part: Part::Whole,
        fields: FieldValidation::Ignore,
        duplicates: Vec::new(),
        patches: false,
        writer: Some(Writer {
            manager,
            subresource: None,
            now,
        }),
        now,
    };
    let mut object = object;
    object["apiVersion"] = served.api_version.clone().into();
    object["kind"] = served.info.kind.clone().into();
    let made = admission.create(object, &cluster.new_uid())?.object;
    match cluster
        .ledger
        .write(Write::create(address, made, within))
        .await
    {
        // Somebody else has just made it, or there is no more room for it.
        Ok(_) | Err(WriteError::Changed | WriteError::Closed) => Ok(()),
        Err(error @ WriteError::NotKept) => Err(Failure::Internal(error.to_string())),
    }
}
