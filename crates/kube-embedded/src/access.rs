//! Who may do what: users, what they ask for, and the answer by the roles bound to them (RBAC).
//!
//! Who somebody is, is found out in `authenticate`. The words of refusals are those of
//! k8s.io/apiserver/pkg/endpoints/handlers/responsewriters.

mod aggregation;
mod attributes;
mod defaults;
mod escalation;
mod impersonation;
mod policy;
mod rule;

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use impersonation::Ways;

pub(crate) use aggregation::{consequences, gather};
pub(crate) use attributes::{Attributes, What};
pub(crate) use defaults::start;
pub(crate) use escalation::check as check_escalation;
pub(crate) use impersonation::impersonate;
pub(crate) use policy::{Policy, RoleRef, not_found};
pub(crate) use rule::go_list;

use crate::ledger::Ledger;
use crate::status::{Failure, Qualified};

/// The API group of roles and their bindings.
pub(crate) const GROUP: &str = "rbac.authorization.k8s.io";

/// Where they are kept, as the ledger names it.
pub(crate) const ROLES: &str = "roles.rbac.authorization.k8s.io";
pub(crate) const CLUSTER_ROLES: &str = "clusterroles.rbac.authorization.k8s.io";
pub(crate) const ROLE_BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";
pub(crate) const CLUSTER_ROLE_BINDINGS: &str = "clusterrolebindings.rbac.authorization.k8s.io";
const KEPT: [&str; 4] = [ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_ROLE_BINDINGS];

/// Its members may do everything, whatever the roles say.
const MASTERS: &str = "system:masters";
pub(crate) const AUTHENTICATED: &str = "system:authenticated";
pub(crate) const UNAUTHENTICATED: &str = "system:unauthenticated";
pub(crate) const ANONYMOUS: &str = "system:anonymous";
/// How the name of a service account's user begins.
pub(crate) const SERVICE_ACCOUNT: &str = "system:serviceaccount:";

/// Who may do what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Authorization {
    /// Whoever gets in may do everything.
    #[default]
    AlwaysAllow,
    /// What Roles and ClusterRoles bound to them allow. Whoever shows no token is `system:anonymous`.
    Rbac,
}

/// Somebody who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

impl User {
    /// Whoever has the server's own token, or calls in its process.
    pub(crate) fn admin() -> Self {
        Self {
            name: "system:admin".to_owned(),
            groups: vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    /// Whoever shows no token.
    pub(crate) fn anonymous() -> Self {
        Self {
            name: ANONYMOUS.to_owned(),
            groups: vec![UNAUTHENTICATED.to_owned()],
            ..Self::default()
        }
    }

    pub(crate) fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|one| one == group)
    }

    fn is_master(&self) -> bool {
        self.is_in(MASTERS)
    }
}

/// The namespace and name of the service account with that user name.
pub(crate) fn service_account(user: &str) -> Option<(&str, &str)> {
    let (namespace, name) = user.strip_prefix(SERVICE_ACCOUNT)?.split_once(':')?;
    let is_one = !namespace.is_empty() && !name.is_empty() && !name.contains(':');
    is_one.then_some((namespace, name))
}

/// The groups every service account of a namespace is in.
pub(crate) fn groups_of_service_accounts(namespace: &str) -> Vec<String> {
    vec![
        "system:serviceaccounts".to_owned(),
        format!("system:serviceaccounts:{namespace}"),
    ]
}

/// Whether somebody may, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) allowed: bool,
    pub(crate) reason: String,
}

/// What decides, with the roles as they were last read.
pub(crate) struct Access {
    authorization: Authorization,
    policy: RwLock<Arc<Policy>>,
    ways: Ways,
}

impl Access {
    pub(crate) fn new(authorization: Authorization) -> Self {
        Self {
            authorization,
            policy: RwLock::new(Arc::new(Policy::default())),
            ways: Ways::default(),
        }
    }

    pub(crate) fn is_enforced(&self) -> bool {
        self.authorization == Authorization::Rbac
    }

    /// The roles and bindings as of their last kept change; read anew only after one.
    pub(crate) fn policy(&self, ledger: &Ledger) -> Arc<Policy> {
        let known = Arc::clone(&self.policy.read().unwrap_or_else(PoisonError::into_inner));
        let versions = KEPT.map(|resource| ledger.version_of(resource));
        if known.versions == versions {
            return known;
        }
        // The versions first: whatever comes after them makes the next look read again.
        let fresh = Arc::new(Policy::read(ledger, versions));
        let mut policy = self.policy.write().unwrap_or_else(PoisonError::into_inner);
        *policy = Arc::clone(&fresh);
        fresh
    }

    pub(crate) fn decide(&self, ledger: &Ledger, user: &User, asked: &Attributes<'_>) -> Decision {
        if !self.is_enforced() || user.is_master() {
            return Decision {
                allowed: true,
                reason: String::new(),
            };
        }
        self.policy(ledger).decide(user, asked)
    }

    /// Refuses what is not allowed.
    pub(crate) fn check(
        &self,
        ledger: &Ledger,
        user: &User,
        asked: &Attributes<'_>,
    ) -> Result<(), Failure> {
        let decision = self.decide(ledger, user, asked);
        if decision.allowed {
            Ok(())
        } else {
            Err(refusal(user, asked, &decision.reason))
        }
    }
}

/// `pods "a" is forbidden: User "u" cannot get resource "pods" in API group "" in the namespace "n"`
fn refusal(user: &User, asked: &Attributes<'_>, reason: &str) -> Failure {
    let (resource, name, place) = match &asked.what {
        What::Path(path) => (
            Qualified::nothing(),
            String::new(),
            format!("path {path:?}"),
        ),
        What::Resource {
            group,
            resource,
            subresource,
            namespace,
            name,
        } => {
            let part = if subresource.is_empty() { "" } else { "/" };
            let whole = format!("{resource}{part}{subresource}");
            let place = if namespace.is_empty() {
                "at the cluster scope".to_owned()
            } else {
                format!("in the namespace {namespace:?}")
            };
            let qualified = Qualified {
                name: resource.to_string(),
                group: group.to_string(),
            };
            let place = format!("resource {whole:?} in API group {group:?} {place}");
            (qualified, name.to_string(), place)
        }
    };
    let why = format!("User {:?} cannot {} {place}", user.name, asked.verb);
    let mut why = without_markup(&why);
    if !reason.is_empty() {
        why = format!("{why}: {reason}");
    }
    Failure::Forbidden {
        resource,
        name,
        why,
    }
}

/// Nothing in a refusal may look like HTML.
fn without_markup(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
