//! What the server offers: `/version`, `/api`, `/apis`, and the same as one aggregated document.
use std::cmp::{Ordering, Reverse};

use serde_json::{Map, Value, json};

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
    /// In any order; sent sorted.
    pub(crate) verbs: Vec<String>,
    /// Has `/status`.
    pub(crate) status: bool,
    /// Has `/scale`.
    pub(crate) scale: bool,
}

impl Resource {
    /// `v1` or `group/v1`.
    pub(crate) fn group_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }
}

/// `GET /version`.
pub(crate) fn version() -> Value {
    json!({
        "major": "1", "minor": "33", "gitVersion": "v1.33.0", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc",
        "platform": format!("{}/{}", std::env::consts::OS, std::env::consts::ARCH),
    })
}

/// `GET /api` (legacy form).
pub(crate) fn core_versions(address: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})
}

/// `GET /apis` (legacy form): every group but the core one, versions in order of preference.
pub(crate) fn group_list(resources: &[Resource]) -> Value {
    let groups = groups(resources)
        .into_iter()
        .filter(|name| !name.is_empty());
    let groups: Vec<Value> = groups.map(|name| group_of(resources, name)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `GET /apis/{group}`; None when nothing of that group is served.
pub(crate) fn group(resources: &[Resource], name: &str) -> Option<Value> {
    let served = !name.is_empty() && groups(resources).contains(&name);
    served.then(|| {
        let mut group = group_of(resources, name);
        group["kind"] = "APIGroup".into();
        group["apiVersion"] = "v1".into();
        group
    })
}

/// `GET /api/v1` and `GET /apis/{group}/{version}`; None when not served.
pub(crate) fn resource_list(resources: &[Resource], group: &str, version: &str) -> Option<Value> {
    let of_it = in_version(resources, group, version);
    let group_version = of_it.first()?.group_version();
    let mut list = Vec::new();
    for resource in of_it {
        list.push(described(resource));
        list.extend(parts(resource).into_iter().map(|part| {
            json!({
                "name": format!("{}/{}", resource.plural, part.name), "singularName": "",
                "namespaced": resource.namespaced, "kind": part.kind, "verbs": part.verbs,
            })
        }));
    }
    Some(json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version, "resources": list,
    }))
}

/// `GET /api` (`core` true) or `/apis` asked with `as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2`.
pub(crate) fn aggregated(resources: &[Resource], core: bool) -> Value {
    let groups = groups(resources)
        .into_iter()
        .filter(|name| name.is_empty() == core);
    let items: Vec<Value> = groups
        .map(|name| {
            let versions: Vec<Value> = versions(resources, name)
                .into_iter()
                .map(|version| {
                    let of_it = in_version(resources, name, version);
                    let of_it: Vec<Value> = of_it.into_iter().map(discovered).collect();
                    json!({"version": version, "resources": of_it, "freshness": "Current"})
                })
                .collect();
            let metadata = if core {
                json!({})
            } else {
                json!({ "name": name })
            };
            json!({"metadata": metadata, "versions": versions})
        })
        .collect();
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items,
    })
}

/// The groups in alphabetical order, the core one first.
fn groups(resources: &[Resource]) -> Vec<&str> {
    let mut names: Vec<&str> = resources
        .iter()
        .map(|resource| resource.group.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The group's versions, the preferred one first.
fn versions<'r>(resources: &'r [Resource], group: &str) -> Vec<&'r str> {
    let of_it = resources.iter().filter(|resource| resource.group == group);
    let mut names: Vec<&str> = of_it.map(|resource| resource.version.as_str()).collect();
    names.sort_by(|one, other| preferred(one, other));
    names.dedup();
    names
}

/// Kubernetes' order of versions: `v10`, `v2`, `v1`, `v2beta1`, `v1beta2`, `v1alpha1`, then the rest by name.
fn preferred(one: &str, other: &str) -> Ordering {
    let rank = |name: &str| {
        let parts = parsed(name);
        (parts.is_none(), Reverse(parts))
    };
    rank(one).cmp(&rank(other)).then_with(|| one.cmp(other))
}

/// `v2beta1` as (stability, 2, 1), a higher stability being better; None for other names.
fn parsed(name: &str) -> Option<(u8, u64, u64)> {
    let rest = name.strip_prefix('v')?;
    let Some((at, letter)) = rest
        .char_indices()
        .find(|(_, letter)| !letter.is_ascii_digit())
    else {
        return Some((2, rest.parse().ok()?, 0));
    };
    let (stability, word) = if letter == 'b' {
        (1, "beta")
    } else {
        (0, "alpha")
    };
    let minor = rest[at..].strip_prefix(word)?;
    Some((stability, rest[..at].parse().ok()?, minor.parse().ok()?))
}

fn group_of(resources: &[Resource], name: &str) -> Value {
    let versions: Vec<Value> = versions(resources, name)
        .into_iter()
        .map(|version| json!({"groupVersion": format!("{name}/{version}"), "version": version}))
        .collect();
    json!({"name": name, "preferredVersion": versions.first(), "versions": versions})
}

fn in_version<'r>(resources: &'r [Resource], group: &str, version: &str) -> Vec<&'r Resource> {
    let of_it = |resource: &&Resource| resource.group == group && resource.version == version;
    let mut found: Vec<&Resource> = resources.iter().filter(of_it).collect();
    found.sort_by_key(|resource| &resource.plural);
    found
}

fn verbs(resource: &Resource) -> Vec<&str> {
    let mut verbs: Vec<&str> = resource.verbs.iter().map(String::as_str).collect();
    verbs.sort_unstable();
    verbs
}

fn described(resource: &Resource) -> Value {
    let mut entry = json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": verbs(resource),
    });
    name_shortly(&mut entry, resource);
    entry
}

/// Short names and categories, where there are any.
fn name_shortly(entry: &mut Value, resource: &Resource) {
    let words = [
        ("shortNames", &resource.short_names),
        ("categories", &resource.categories),
    ];
    let entry = entry.as_object_mut().into_iter();
    for map in entry {
        let given = words.iter().filter(|(_, words)| !words.is_empty());
        map.extend(
            given
                .map(|(field, words)| ((*field).to_owned(), json!(words)))
                .collect::<Map<_, _>>(),
        );
    }
}

/// `/status` and `/scale`.
struct Part<'r> {
    name: &'static str,
    group: &'r str,
    version: &'r str,
    kind: &'r str,
    verbs: [&'static str; 3],
}

fn parts(resource: &Resource) -> Vec<Part<'_>> {
    let verbs = ["get", "patch", "update"];
    let status = Part {
        name: "status",
        group: &resource.group,
        version: &resource.version,
        kind: &resource.kind,
        verbs,
    };
    let scale = Part {
        name: "scale",
        group: "autoscaling",
        version: "v1",
        kind: "Scale",
        verbs,
    };
    let given = [(resource.status, status), (resource.scale, scale)];
    given
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, part)| part)
        .collect()
}

fn discovered(resource: &Resource) -> Value {
    let kind = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut entry = json!({
        "resource": resource.plural,
        "responseKind": kind(&resource.group, &resource.version, &resource.kind),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": verbs(resource),
    });
    name_shortly(&mut entry, resource);
    let parts: Vec<Value> = parts(resource)
        .into_iter()
        .map(|part| {
            json!({
                "subresource": part.name,
                "responseKind": kind(part.group, part.version, part.kind),
                "verbs": part.verbs,
            })
        })
        .collect();
    if !parts.is_empty() {
        entry["subresources"] = parts.into();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(group: &str, version: &str, plural: &str) -> Resource {
        Resource {
            group: group.to_owned(),
            version: version.to_owned(),
            plural: plural.to_owned(),
            kind: "Thing".to_owned(),
            verbs: vec!["list".to_owned(), "get".to_owned()],
            status: true,
            ..Resource::default()
        }
    }

    #[test]
    fn versions_stand_in_kubernetes_order() {
        let mut names = [
            "v1alpha1",
            "foo",
            "v2beta1",
            "v1",
            "v11alpha2",
            "v10",
            "v2",
            "v1beta2",
            "bar",
            "v3beta",
            "v",
        ];
        names.sort_by(|one, other| preferred(one, other));
        assert_eq!(
            names,
            [
                "v10",
                "v2",
                "v1",
                "v2beta1",
                "v1beta2",
                "v11alpha2",
                "v1alpha1",
                "bar",
                "foo",
                "v",
                "v3beta"
            ]
        );
    }

    #[test]
    fn the_legacy_and_the_aggregated_documents_say_the_same() {
        let resources = [
            resource("", "v1", "secrets"),
            resource("example.dev", "v1beta1", "boats"),
            resource("example.dev", "v1", "boats"),
        ];
        let groups = group_list(&resources);
        assert_eq!(groups["groups"][0]["name"], "example.dev");
        assert_eq!(groups["groups"][0]["preferredVersion"]["version"], "v1");
        assert_eq!(groups["groups"].as_array().map(Vec::len), Some(1));
        let list = resource_list(&resources, "example.dev", "v1").unwrap();
        assert_eq!(list["resources"][0]["verbs"], json!(["get", "list"]));
        assert_eq!(list["resources"][1]["name"], "boats/status");
        assert!(resource_list(&resources, "example.dev", "v2").is_none());
        assert!(group(&resources, "").is_none());
        let all = aggregated(&resources, false);
        assert_eq!(all["items"][0]["metadata"]["name"], "example.dev");
        assert_eq!(all["items"][0]["versions"][0]["version"], "v1");
        assert_eq!(
            all["items"][0]["versions"][1]["resources"][0]["subresources"][0]["subresource"],
            "status"
        );
        let core = aggregated(&resources, true);
        assert_eq!(
            core["items"][0]["versions"][0]["resources"][0]["resource"],
            "secrets"
        );
    }
}
