//! What the server offers: `/version`, `/api`, `/apis`, and the same as one aggregated document.
#![allow(dead_code, reason = "the server calls it as it grows")]

use serde_json::{Value, json};

/// One served resource of one version, as discovery, OpenAPI and tables describe it.
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
    json!({"major": "1", "minor": "33", "gitVersion": "v1.33.0", "gitCommit": "", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "", "compiler": "rustc", "platform": "linux/amd64"})
}

/// `GET /api` (legacy form).
pub(crate) fn core_versions(address: &str) -> Value {
    json!({"kind": "APIVersions", "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]})
}

/// `GET /apis` (legacy form): every group but the core one, versions in order of preference.
pub(crate) fn group_list(resources: &[Resource]) -> Value {
    let _ = resources;
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []})
}

/// `GET /apis/{group}`; None when nothing of that group is served.
pub(crate) fn group(resources: &[Resource], name: &str) -> Option<Value> {
    let _ = (resources, name);
    None
}

/// `GET /api/v1` and `GET /apis/{group}/{version}`; None when not served.
pub(crate) fn resource_list(resources: &[Resource], group: &str, version: &str) -> Option<Value> {
    let _ = (resources, group, version);
    None
}

/// `GET /api` (`core` true) or `/apis` asked with `as=APIGroupDiscoveryList;g=apidiscovery.k8s.io;v=v2`.
pub(crate) fn aggregated(resources: &[Resource], core: bool) -> Value {
    let _ = (resources, core);
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": []})
}
