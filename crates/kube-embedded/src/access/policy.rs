//! All roles and bindings, ready to be asked. Read once after every change to one of them.
//!
//! The order of evaluation is that of k8s.io/kubernetes/pkg/registry/rbac/validation/rule.go: bindings
//! of the cluster, then those of the namespace; here each in the order of names.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::rule::{self, Rule};
use super::{
    Attributes, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, Decision, GROUP, KEPT, ROLE_BINDINGS, ROLES,
    User, service_account,
};
use crate::ledger::Ledger;

#[derive(Default)]
pub(crate) struct Policy {
    /// Of the four resources it was read from.
    pub(super) versions: [u64; KEPT.len()],
    /// By `<namespace>/<name>`.
    roles: HashMap<String, Arc<[Rule]>>,
    cluster_roles: HashMap<String, Arc<[Rule]>>,
    bindings: Vec<Binding>,
    /// By namespace.
    local_bindings: HashMap<String, Vec<Binding>>,
}

/// A role and who has it.
struct Binding {
    name: String,
    role: RoleRef,
    subjects: Vec<Subject>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct RoleRef {
    pub(crate) api_group: String,
    pub(crate) kind: String,
    pub(crate) name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Subject {
    kind: String,
    name: String,
    namespace: String,
}

impl Subject {
    /// `namespace` is the binding's.
    fn is(&self, user: &User, namespace: &str) -> bool {
        match self.kind.as_str() {
            "User" => user.name == self.name,
            "Group" => user.is_in(&self.name),
            "ServiceAccount" => {
                let place = self.namespace_in(namespace);
                !place.is_empty()
                    && service_account(&user.name) == Some((place, self.name.as_str()))
            }
            _ => false,
        }
    }

    fn namespace_in<'a>(&'a self, namespace: &'a str) -> &'a str {
        if self.namespace.is_empty() {
            namespace
        } else {
            &self.namespace
        }
    }

    /// As a reason names it; a service account as the real one does, name first.
    fn described(&self, namespace: &str) -> String {
        let Self { kind, name, .. } = self;
        match kind.as_str() {
            "ServiceAccount" => format!("{kind} \"{name}/{}\"", self.namespace_in(namespace)),
            _ => format!("{kind} {name:?}"),
        }
    }
}

/// What a user may do, and which roles could not be found.
pub(crate) struct Held<'p> {
    pub(crate) rules: Vec<&'p Rule>,
    pub(crate) missing: Vec<&'p RoleRef>,
}

/// What is found on the way through the bindings.
enum Visit<'v, 'p> {
    Rule(&'v Source<'p>, &'p Rule),
    Missing(&'p RoleRef),
}

/// Where a rule comes from.
struct Source<'p> {
    binding: &'p Binding,
    subject: &'p Subject,
    namespace: &'p str,
}

impl Source<'_> {
    fn described(&self) -> String {
        let Binding { name, role, .. } = self.binding;
        let (kind, place) = if self.namespace.is_empty() {
            ("ClusterRoleBinding", String::new())
        } else {
            ("RoleBinding", format!("/{}", self.namespace))
        };
        let subject = self.subject.described(self.namespace);
        format!(
            "{kind} \"{name}{place}\" of {} {:?} to {subject}",
            role.kind, role.name
        )
    }
}

impl Policy {
    pub(super) fn read(ledger: &Ledger, versions: [u64; KEPT.len()]) -> Self {
        let roles = |resource, namespaced: bool| {
            let objects = ledger.all(resource);
            let entry = |object: &Arc<crate::stored::Stored>| {
                let key = if namespaced {
                    format!("{}/{}", object.namespace(), object.name())
                } else {
                    object.name().to_owned()
                };
                (key, Arc::from(rule::read(&object.value()["rules"])))
            };
            objects.iter().map(entry).collect()
        };
        let mut policy = Self {
            versions,
            roles: roles(ROLES, true),
            cluster_roles: roles(CLUSTER_ROLES, false),
            ..Self::default()
        };
        for object in ledger.all(CLUSTER_ROLE_BINDINGS) {
            policy.bindings.push(Binding::read(&object.value()));
        }
        for object in ledger.all(ROLE_BINDINGS) {
            let place = object.namespace().to_owned();
            let bindings = policy.local_bindings.entry(place).or_default();
            bindings.push(Binding::read(&object.value()));
        }
        policy
    }

    /// The rules of a role; `namespace` is that of the binding.
    fn rules(&self, role: &RoleRef, namespace: &str) -> Option<&Arc<[Rule]>> {
        match role.kind.as_str() {
            "ClusterRole" => self.cluster_roles.get(&role.name),
            _ => self.roles.get(&format!("{namespace}/{}", role.name)),
        }
    }

    /// Shows the visitor every rule of a user, until it has seen enough.
    fn visit<'p>(
        &'p self,
        user: &User,
        namespace: &'p str,
        visitor: &mut dyn FnMut(Visit<'_, 'p>) -> bool,
    ) {
        let local = self.local_bindings.get(namespace).into_iter().flatten();
        let everywhere = self.bindings.iter().map(|binding| (binding, ""));
        for (binding, place) in everywhere.chain(local.map(|binding| (binding, namespace))) {
            let mut subjects = binding.subjects.iter();
            let Some(subject) = subjects.find(|subject| subject.is(user, place)) else {
                continue;
            };
            let source = Source {
                binding,
                subject,
                namespace: place,
            };
            let goes_on = match self.rules(&binding.role, place) {
                None => visitor(Visit::Missing(&binding.role)),
                Some(rules) => rules.iter().all(|rule| visitor(Visit::Rule(&source, rule))),
            };
            if !goes_on {
                return;
            }
        }
    }

    pub(super) fn decide(&self, user: &User, asked: &Attributes<'_>) -> Decision {
        let mut allowed = None;
        let mut missing = Vec::new();
        self.visit(user, asked.namespace(), &mut |visit| {
            match visit {
                Visit::Rule(source, rule) if rule.allows(asked) => {
                    allowed = Some(source.described());
                    return false;
                }
                Visit::Rule(..) => {}
                Visit::Missing(role) => missing.push(role),
            }
            true
        });
        match allowed {
            Some(source) => Decision {
                allowed: true,
                reason: format!("RBAC: allowed by {source}"),
            },
            None if missing.is_empty() => Decision {
                allowed: false,
                reason: String::new(),
            },
            None => Decision {
                allowed: false,
                reason: format!("rbac: RBAC: {}", not_found(&missing)),
            },
        }
    }

    /// Everything a user may do in a namespace.
    pub(crate) fn held<'p>(&'p self, user: &User, namespace: &'p str) -> Held<'p> {
        let (mut rules, mut missing) = (Vec::new(), Vec::new());
        self.visit(user, namespace, &mut |visit| {
            match visit {
                Visit::Rule(_, rule) => rules.push(rule),
                Visit::Missing(role) => missing.push(role),
            }
            true
        });
        Held { rules, missing }
    }

    /// What a binding in `namespace` to that role would give.
    pub(super) fn given(&self, role: &RoleRef, namespace: &str) -> Option<Vec<Rule>> {
        self.rules(role, namespace).map(|rules| rules.to_vec())
    }
}

impl Binding {
    fn read(object: &Value) -> Self {
        let subjects = object["subjects"].as_array().into_iter().flatten();
        Self {
            name: object["metadata"]["name"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            role: RoleRef::deserialize(&object["roleRef"]).unwrap_or_default(),
            subjects: subjects
                .filter_map(|subject| Subject::deserialize(subject).ok())
                .collect(),
        }
    }
}

/// Roles that are not there, in the words of the real server's caches.
pub(crate) fn not_found(roles: &[&RoleRef]) -> String {
    let words = |role: &&RoleRef| {
        let kind = role.kind.to_lowercase();
        format!("{kind}.{GROUP} {:?} not found", role.name)
    };
    together(roles.iter().map(words))
}

/// Several errors as Go's aggregate says them: each once.
pub(super) fn together(errors: impl Iterator<Item = String>) -> String {
    let mut said: Vec<String> = Vec::new();
    for error in errors {
        if !said.contains(&error) {
            said.push(error);
        }
    }
    match said.as_slice() {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}
