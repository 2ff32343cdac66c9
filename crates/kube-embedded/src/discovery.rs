//! What the server offers: `/version`, `/api`, `/apis`, and the same as one aggregated document.

mod priority;
#[cfg(test)]
mod tests;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::types;

/// The version of Kubernetes whose behaviour is followed.
const MINOR: &str = "37";

/// What a subresource can be asked for.
const SUBRESOURCE_VERBS: [&str; 3] = ["get", "patch", "update"];

/// One served resource of one version, as discovery, `OpenAPI` and tables describe it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Empty for the core group.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    pub(crate) list_kind: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    /// In the order they are sent in.
    pub(crate) verbs: Vec<String>,
    /// The `apiVersion` its objects are stored in; empty if they are not stored.
    pub(crate) stored_version: String,
    /// Has `/status`.
    pub(crate) status: bool,
    /// Has `/scale`.
    pub(crate) scale: bool,
}

impl Resource {
    /// `v1` or `group/v1`.
    pub(crate) fn group_version(&self) -> String {
        group_version(&self.group, &self.version)
    }

    /// Changes when objects come to be stored in another form; as Kubernetes' `StorageVersionHash` makes it.
    fn storage_version_hash(&self) -> Option<String> {
        if self.stored_version.is_empty() {
            return None;
        }
        // The core group's name is empty.
        let slash = if self.stored_version.contains('/') {
            ""
        } else {
            "/"
        };
        let hashed = Sha256::digest(format!("{slash}{}/{}", self.stored_version, self.kind));
        Some(STANDARD.encode(&hashed[..8]))
    }

    /// Its subresources, by name.
    fn subresources(&self) -> Vec<Subresource<'_>> {
        let own = [
            self.group.as_str(),
            self.version.as_str(),
            self.kind.as_str(),
        ];
        let namespace = self.group.is_empty() && self.kind == "Namespace";
        let below = [
            (namespace, "finalize", own, &["update"][..]),
            (
                self.scale,
                "scale",
                ["autoscaling", "v1", "Scale"],
                &SUBRESOURCE_VERBS[..],
            ),
            (self.status, "status", own, &SUBRESOURCE_VERBS[..]),
        ];
        let present = below.into_iter().filter(|(present, ..)| *present);
        present
            .map(|(_, name, answers, verbs)| Subresource {
                name,
                answers,
                verbs,
            })
            .collect()
    }
}

/// Something below an object, with the group, version and kind of what it answers.
struct Subresource<'a> {
    name: &'static str,
    answers: [&'a str; 3],
    verbs: &'static [&'static str],
}

fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

/// `GET /version`.
pub(crate) fn version() -> Value {
    let platform = format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH);
    json!({"major": "1", "minor": MINOR, "gitVersion": format!("v1.{MINOR}.0+embedded"), "gitCommit": "",
        "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "rustc", "platform": platform})
}

/// `GET /api` (legacy form).
pub(crate) fn core_versions(address: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})
}

/// `GET /apis` (legacy form): every group but the core one, versions in order of preference.
pub(crate) fn group_list(resources: &[Resource]) -> Value {
    let names = groups(resources)
        .into_iter()
        .filter(|name| !name.is_empty());
    let groups: Vec<Value> = names.map(|name| group_entry(resources, name)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `GET /apis/{group}`; None when nothing of that group is served.
pub(crate) fn group(resources: &[Resource], name: &str) -> Option<Value> {
    if name.is_empty() || !groups(resources).contains(&name) {
        return None;
    }
    let mut group = group_entry(resources, name);
    group["kind"] = "APIGroup".into();
    group["apiVersion"] = "v1".into();
    Some(group)
}

fn group_entry(resources: &[Resource], name: &str) -> Value {
    let version =
        |version: &&str| json!({"groupVersion": group_version(name, version), "version": version});
    let versions: Vec<Value> = versions(resources, name).iter().map(version).collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

/// Group names, the most important first and then in order.
fn groups(resources: &[Resource]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for resource in resources {
        if !names.contains(&resource.group.as_str()) {
            names.push(&resource.group);
        }
    }
    names.sort_by_key(|name| (std::cmp::Reverse(priority::of_group(name)), *name));
    names
}

/// Versions of a group, the preferred first.
fn versions<'a>(resources: &'a [Resource], group: &str) -> Vec<&'a str> {
    let mut versions: Vec<&str> = resources
        .iter()
        .filter(|resource| resource.group == group)
        .map(|resource| resource.version.as_str())
        .collect();
    versions.sort_by(|one, other| priority::compare(one, other));
    versions.dedup();
    versions
}

fn of<'a>(resources: &'a [Resource], group: &str, version: &str) -> Vec<&'a Resource> {
    let mut found: Vec<&Resource> = resources
        .iter()
        .filter(|resource| resource.group == group && resource.version == version)
        .collect();
    found.sort_by(|one, other| one.plural.cmp(&other.plural));
    found
}

/// `GET /api/v1` and `GET /apis/{group}/{version}`; None when not served.
pub(crate) fn resource_list(resources: &[Resource], group: &str, version: &str) -> Option<Value> {
    let found = of(resources, group, version);
    if found.is_empty() {
        return None;
    }
    let listed: Vec<Value> = found.into_iter().flat_map(resource_entries).collect();
    let mut list = json!({"kind": "APIResourceList", "groupVersion": group_version(group, version), "resources": listed});
    if !group.is_empty() {
        list["apiVersion"] = "v1".into();
    }
    Some(list)
}

/// A resource and, as entries of their own, its subresources.
fn resource_entries(resource: &Resource) -> Vec<Value> {
    let mut own = Map::new();
    own.insert("name".to_owned(), resource.plural.as_str().into());
    own.insert("singularName".to_owned(), resource.singular.as_str().into());
    own.insert("namespaced".to_owned(), resource.namespaced.into());
    own.insert("kind".to_owned(), resource.kind.as_str().into());
    own.insert("verbs".to_owned(), resource.verbs.as_slice().into());
    if let Some(hash) = resource.storage_version_hash() {
        own.insert("storageVersionHash".to_owned(), hash.into());
    }
    put_names(&mut own, resource);
    let below = |below: Subresource<'_>| {
        let [group, version, kind] = below.answers;
        let mut entry = json!({"name": format!("{}/{}", resource.plural, below.name), "singularName": "",
            "namespaced": resource.namespaced, "kind": kind, "verbs": below.verbs});
        if group != resource.group {
            entry["group"] = group.into();
            entry["version"] = version.into();
        }
        entry
    };
    let subresources = resource.subresources().into_iter().map(below);
    std::iter::once(Value::Object(own))
        .chain(subresources)
        .collect()
}

fn put_names(entry: &mut Map<String, Value>, resource: &Resource) {
    for (key, names) in [
        ("shortNames", &resource.short_names),
        ("categories", &resource.categories),
    ] {
        if !names.is_empty() {
            entry.insert(key.to_owned(), names.as_slice().into());
        }
    }
}

/// `GET /api` (`core` true) or `/apis` asked with `as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2`.
pub(crate) fn aggregated(resources: &[Resource], core: bool) -> Value {
    let names = groups(resources)
        .into_iter()
        .filter(|name| name.is_empty() == core);
    let items: Vec<Value> = names
        .map(|name| aggregated_group(resources, name))
        .collect();
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

fn aggregated_group(resources: &[Resource], group: &str) -> Value {
    let version = |version: &&str| {
        let resources: Vec<Value> = of(resources, group, version)
            .into_iter()
            .map(aggregated_resource)
            .collect();
        json!({"version": version, "resources": resources, "freshness": "Current"})
    };
    let versions: Vec<Value> = versions(resources, group).iter().map(version).collect();
    let metadata = if group.is_empty() {
        json!({})
    } else {
        json!({"name": group})
    };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(resource: &Resource) -> Value {
    // A built-in kind is not told again where it is.
    let own = [resource.group.as_str(), resource.version.as_str()];
    let is_builtin = types::definition(own[0], own[1], &resource.kind).is_some();
    let kind = |[group, version, kind]: [&str; 3]| {
        if is_builtin && [group, version] == own {
            json!({"group": "", "version": "", "kind": kind})
        } else {
            json!({"group": group, "version": version, "kind": kind})
        }
    };
    let scope = if resource.namespaced {
        "Namespaced"
    } else {
        "Cluster"
    };
    let mut entry = Map::new();
    let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
    put("resource", resource.plural.as_str().into());
    put("responseKind", kind([own[0], own[1], &resource.kind]));
    put("scope", scope.into());
    put("singularResource", resource.singular.as_str().into());
    put("verbs", resource.verbs.as_slice().into());
    let below = |below: Subresource<'_>| json!({"subresource": below.name, "responseKind": kind(below.answers), "verbs": below.verbs});
    let subresources: Vec<Value> = resource.subresources().into_iter().map(below).collect();
    if !subresources.is_empty() {
        put("subresources", subresources.into());
    }
    put_names(&mut entry, resource);
    Value::Object(entry)
}
