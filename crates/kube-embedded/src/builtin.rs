//! The resources that are served without a definition, and what is special about each.

mod defaults;
mod validation;

use std::sync::{Arc, LazyLock};

pub(crate) use defaults::{
    blank, complete, complete_event, default_in, drop_coordinated_election, drop_nulls,
};
pub(crate) use validation::{check, tls_warnings, undecodable};

use crate::discovery::Resource;
use crate::registry::{Nature, Served, anything};
use crate::reviews::Review;
use crate::schema::Schema;
use crate::table;
use crate::types;

/// A built-in kind in one of its groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builtin {
    Namespace,
    Secret,
    ConfigMap,
    ServiceAccount,
    /// `v1`; how Events are stored.
    CoreEvent,
    /// `events.k8s.io/v1`; the same objects in newer words.
    Event,
    Lease,
    Definition,
    /// A question about the client itself; never stored.
    Review(Review),
}

impl Builtin {
    /// May an update leave out `metadata.resourceVersion`?
    pub(crate) fn allows_unconditional_update(self) -> bool {
        match self {
            Builtin::Namespace
            | Builtin::Secret
            | Builtin::ConfigMap
            | Builtin::ServiceAccount
            | Builtin::CoreEvent
            | Builtin::Event => true,
            Builtin::Lease | Builtin::Definition | Builtin::Review(_) => false,
        }
    }

    /// May an update make the object?
    pub(crate) fn allows_create_on_update(self) -> bool {
        match self {
            Builtin::CoreEvent | Builtin::Event | Builtin::Lease => true,
            Builtin::Namespace
            | Builtin::Secret
            | Builtin::ConfigMap
            | Builtin::ServiceAccount
            | Builtin::Definition
            | Builtin::Review(_) => false,
        }
    }

    /// Does `metadata.generation` count the changes of its spec?
    pub(crate) fn has_generation(self) -> bool {
        self == Builtin::Definition
    }

    fn selectable(self) -> &'static [&'static str] {
        match self {
            Builtin::Namespace => &["status.phase"],
            Builtin::Secret => &["type"],
            Builtin::CoreEvent => &[
                "involvedObject.kind",
                "involvedObject.namespace",
                "involvedObject.name",
                "involvedObject.uid",
                "involvedObject.apiVersion",
                "involvedObject.resourceVersion",
                "involvedObject.fieldPath",
                "reason",
                "reportingComponent",
                "source",
                "type",
            ],
            Builtin::Event => &[
                "regarding.kind",
                "regarding.namespace",
                "regarding.name",
                "regarding.uid",
                "regarding.apiVersion",
                "regarding.resourceVersion",
                "regarding.fieldPath",
                "reason",
                "reportingController",
                "type",
            ],
            Builtin::ConfigMap
            | Builtin::ServiceAccount
            | Builtin::Lease
            | Builtin::Definition
            | Builtin::Review(_) => &[],
        }
    }
}

const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

struct Row {
    nature: Builtin,
    /// `group/version`, or `v1`.
    api: &'static str,
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    status: bool,
    stored_as: &'static str,
    stored_version: &'static str,
}

#[rustfmt::skip]
const ROWS: [Row; 11] = [
    Row { nature: Builtin::ConfigMap, api: "v1", kind: "ConfigMap", plural: "configmaps", short: &["cm"], namespaced: true, status: false, stored_as: "configmaps", stored_version: "v1" },
    Row { nature: Builtin::CoreEvent, api: "v1", kind: "Event", plural: "events", short: &["ev"], namespaced: true, status: false, stored_as: "events", stored_version: "v1" },
    Row { nature: Builtin::Namespace, api: "v1", kind: "Namespace", plural: "namespaces", short: &["ns"], namespaced: false, status: true, stored_as: "namespaces", stored_version: "v1" },
    Row { nature: Builtin::Secret, api: "v1", kind: "Secret", plural: "secrets", short: &[], namespaced: true, status: false, stored_as: "secrets", stored_version: "v1" },
    Row { nature: Builtin::ServiceAccount, api: "v1", kind: "ServiceAccount", plural: "serviceaccounts", short: &["sa"], namespaced: true, status: false, stored_as: "serviceaccounts", stored_version: "v1" },
    Row { nature: Builtin::Review(Review::Identity), api: "authentication.k8s.io/v1", kind: "SelfSubjectReview", plural: "selfsubjectreviews", short: &[], namespaced: false, status: false, stored_as: "", stored_version: "" },
    Row { nature: Builtin::Review(Review::Access), api: "authorization.k8s.io/v1", kind: "SelfSubjectAccessReview", plural: "selfsubjectaccessreviews", short: &[], namespaced: false, status: false, stored_as: "", stored_version: "" },
    Row { nature: Builtin::Review(Review::Rules), api: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", plural: "selfsubjectrulesreviews", short: &[], namespaced: false, status: false, stored_as: "", stored_version: "" },
    Row { nature: Builtin::Definition, api: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", plural: "customresourcedefinitions", short: &["crd", "crds"], namespaced: false, status: true, stored_as: crate::registry::DEFINITIONS, stored_version: "apiextensions.k8s.io/v1" },
    Row { nature: Builtin::Lease, api: "coordination.k8s.io/v1", kind: "Lease", plural: "leases", short: &[], namespaced: true, status: false, stored_as: "leases.coordination.k8s.io", stored_version: "coordination.k8s.io/v1" },
    Row { nature: Builtin::Event, api: "events.k8s.io/v1", kind: "Event", plural: "events", short: &["ev"], namespaced: true, status: false, stored_as: "events", stored_version: "v1" },
];

impl Row {
    fn serve(&self) -> Option<Arc<Served>> {
        let (group, version) = self.api.split_once('/').unwrap_or(("", self.api));
        let known = types::schema(group, version, self.kind).cloned();
        let schema = known.or_else(|| Schema::compile(&anything()).ok())?;
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Some(Arc::new(Served {
            info: Resource {
                group: group.to_owned(),
                version: version.to_owned(),
                kind: self.kind.to_owned(),
                list_kind: format!("{}List", self.kind),
                plural: self.plural.to_owned(),
                singular: self.kind.to_lowercase(),
                short_names: words(self.short),
                categories: match self.nature {
                    Builtin::Definition => vec!["api-extensions".to_owned()],
                    _ => Vec::new(),
                },
                namespaced: self.namespaced,
                verbs: match self.nature {
                    Builtin::Review(_) => words(&["create"]),
                    Builtin::Namespace => without_collections(),
                    _ => words(&VERBS),
                },
                stored_version: match self.nature {
                    // A real server has them in an older version.
                    Builtin::Definition => "apiextensions.k8s.io/v1beta1".to_owned(),
                    _ => self.stored_version.to_owned(),
                },
                status: self.status,
                scale: false,
            },
            api_version: self.api.to_owned(),
            stored_as: Arc::from(self.stored_as),
            stored_version: self.stored_version.to_owned(),
            schema,
            described: None,
            columns: table::columns_of_builtin(self.kind),
            selectable: words(self.nature.selectable()),
            nature: Nature::Builtin(self.nature),
            deprecation: None,
        }))
    }
}

/// All of them; compiled once for the process.
pub(crate) fn served() -> Vec<Arc<Served>> {
    static SERVED: LazyLock<Vec<Arc<Served>>> =
        LazyLock::new(|| ROWS.iter().filter_map(Row::serve).collect());
    SERVED.clone()
}

/// Namespaces go one by one.
fn without_collections() -> Vec<String> {
    let verbs = VERBS.iter().filter(|verb| **verb != "deletecollection");
    verbs.map(|&verb| verb.to_owned()).collect()
}
