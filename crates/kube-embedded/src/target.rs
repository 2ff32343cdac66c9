//! Which objects a path means: a resource, a namespace, a name, and a part of the object.

use std::sync::Arc;

use crate::registry::{Registry, Served};
use crate::status::Failure;

/// What a path under a group version means.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) served: Arc<Served>,
    /// Empty for cluster-wide resources, and for all namespaces at once.
    pub(crate) namespace: String,
    /// None for the whole collection.
    pub(crate) name: Option<String>,
    pub(crate) part: Part,
}

/// Which part of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Status,
    /// A namespace's `spec.finalizers`.
    Finalize,
}

impl Target {
    /// `rest` is the path behind the group version.
    pub(crate) fn find(
        registry: &Registry,
        group: &str,
        version: &str,
        rest: &[&str],
    ) -> Result<Self, Failure> {
        let (namespace, rest) = match rest {
            // A namespace's own parts, not resources in it.
            ["namespaces", _] | ["namespaces", _, "status" | "finalize"] => ("", rest),
            ["namespaces", namespace, inside @ ..] => (*namespace, inside),
            rest => ("", rest),
        };
        let (plural, name, part) = match rest {
            [plural] => (plural, None, Part::Whole),
            [plural, name] => (plural, Some(*name), Part::Whole),
            [plural, name, "status"] => (plural, Some(*name), Part::Status),
            ["namespaces", name, "finalize"] => (&"namespaces", Some(*name), Part::Finalize),
            [plural, name, _] => return Err(no_such_part(registry, group, version, plural, name)),
            _ => return Err(Failure::NoSuchResource),
        };
        let served = registry
            .find(group, version, plural)
            .ok_or_else(|| registry.not_served(group))?;
        let has_part = match part {
            Part::Whole | Part::Finalize => true,
            Part::Status => served.info.status,
        };
        let placed = match (served.info.namespaced, namespace.is_empty(), name) {
            (true, true, Some(_)) | (false, false, _) => false,
            (true, _, None) | (true, false, Some(_)) | (false, true, _) => true,
        };
        if !placed {
            return Err(Failure::NoSuchResource);
        }
        if !has_part {
            let name = name.unwrap_or_default();
            return Err(no_such_part(registry, group, version, plural, name));
        }
        Ok(Self {
            served: Arc::clone(served),
            namespace: namespace.to_owned(),
            name: name.map(str::to_owned),
            part,
        })
    }

    /// `<namespace>/<name>`, as the ledger names an object.
    pub(crate) fn key(&self, name: &str) -> Arc<str> {
        format!("{}/{name}", self.namespace).into()
    }

    /// The ledger's prefix of every key asked for; nothing for all namespaces.
    pub(crate) fn prefix(&self) -> String {
        if self.namespace.is_empty() {
            String::new()
        } else {
            format!("{}/", self.namespace)
        }
    }

    pub(crate) fn not_found(&self) -> Failure {
        Failure::NotFound {
            resource: self.served.resource(),
            name: self.name.clone().unwrap_or_default(),
        }
    }
}

/// Of a custom resource Kubernetes says that the object is not there, whether it is or not.
fn no_such_part(
    registry: &Registry,
    group: &str,
    version: &str,
    plural: &str,
    name: &str,
) -> Failure {
    match registry.find(group, version, plural) {
        Some(served) if served.builtin().is_none() => Failure::NotFound {
            resource: served.resource(),
            name: name.to_owned(),
        },
        Some(_) | None => Failure::NoSuchResource,
    }
}
