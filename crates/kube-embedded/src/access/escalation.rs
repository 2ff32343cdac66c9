//! Nobody gives away what they do not have: what a write to a role or binding needs beyond its verb.
//!
//! The checks and their words are those of k8s.io/kubernetes/pkg/registry/rbac/*/policybased.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::rule::{self, Rule, everything, go_list};
use super::{Access, Attributes, GROUP, RoleRef, User, policy};
use crate::builtin::Builtin;
use crate::ledger::Ledger;
use crate::metadata;
use crate::status::{Failure, Qualified};
use crate::target::Target;

/// Rules are compared one verb of one thing at a time; more such pairs than this are not compared.
const COMPARED: usize = 100_000;

/// May the user write that object, which was `old`?
pub(crate) fn check(
    access: &Access,
    ledger: &Ledger,
    user: &User,
    target: &Target,
    [new, old]: [&Value; 2],
) -> Result<(), Failure> {
    let Some(builtin) = target.served.builtin() else {
        return Ok(());
    };
    let write = Write {
        access,
        ledger,
        user,
        target,
        name: metadata::text(new, "name"),
    };
    if !access.is_enforced() || user.is_master() {
        return Ok(());
    }
    match builtin {
        Builtin::Role | Builtin::ClusterRole if write.may_escalate() => Ok(()),
        _ if !old.is_null() && lets_go_only(new, old) => Ok(()),
        Builtin::Role => write.holds(&rule::read(&new["rules"])),
        Builtin::ClusterRole => write.cluster_role(new, old),
        Builtin::RoleBinding | Builtin::ClusterRoleBinding => write.binding(new),
        Builtin::Namespace
        | Builtin::Secret
        | Builtin::ConfigMap
        | Builtin::ServiceAccount
        | Builtin::CoreEvent
        | Builtin::Event
        | Builtin::Lease
        | Builtin::Definition
        | Builtin::Review(_) => Ok(()),
    }
}

struct Write<'a> {
    access: &'a Access,
    ledger: &'a Ledger,
    user: &'a User,
    target: &'a Target,
    name: &'a str,
}

impl Write<'_> {
    fn may(&self, verb: &'static str, resource: &str, name: &str) -> bool {
        let what = [GROUP, resource, "", &self.target.namespace, name];
        let asked = Attributes::resource(verb, what);
        self.access.decide(self.ledger, self.user, &asked).allowed
    }

    /// Of a new object the request names none.
    fn may_escalate(&self) -> bool {
        let name = self.target.name.as_deref().unwrap_or_default();
        self.may("escalate", &self.target.served.info.plural, name)
    }

    fn cluster_role(&self, new: &Value, old: &Value) -> Result<(), Failure> {
        self.holds(&rule::read(&new["rules"]))?;
        let gathers = |role: &Value| {
            let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array();
            selectors.is_some_and(|selectors| !selectors.is_empty())
        };
        // Whatever is labelled for it becomes its own.
        if (gathers(new) || gathers(old)) && self.holds(&everything()).is_err() {
            let words = "must have cluster-admin privileges to use the aggregationRule";
            return Err(self.forbidden(words.to_owned()));
        }
        Ok(())
    }

    fn binding(&self, new: &Value) -> Result<(), Failure> {
        let mut role = RoleRef::deserialize(&new["roleRef"]).unwrap_or_default();
        if role.api_group.is_empty() {
            GROUP.clone_into(&mut role.api_group);
        }
        let resource = match role.kind.as_str() {
            "Role" => "roles",
            "ClusterRole" => "clusterroles",
            other => {
                let words = format!("unsupported role reference kind: {other:?}");
                return Err(Failure::Unclassified(words));
            }
        };
        if role.api_group == GROUP && self.may("bind", resource, &role.name) {
            return Ok(());
        }
        let policy = self.access.policy(self.ledger);
        let given = policy.given(&role, &self.target.namespace);
        self.holds(&given.ok_or_else(|| Failure::NotFound {
            resource: self.target.served.resource(),
            name: role.name.clone(),
        })?)
    }

    /// Refuses rules that allow what the user may not do.
    fn holds(&self, rules: &[Rule]) -> Result<(), Failure> {
        let pairs = rules.iter().map(Rule::size).fold(0, usize::saturating_add);
        if pairs > COMPARED {
            let words =
                format!("the rules are too many to be compared: {pairs}, at most {COMPARED}");
            return Err(self.forbidden(words));
        }
        let policy = self.access.policy(self.ledger);
        let held = policy.held(self.user, &self.target.namespace);
        let missing = rule::missing(&held.rules, rules);
        if missing.is_empty() {
            return Ok(());
        }
        let missing: Vec<String> = missing.into_iter().collect();
        let mut words = format!(
            "user {:?} (groups={}) is attempting to grant RBAC permissions not currently held:\n{}",
            self.user.name,
            go_list(&self.user.groups),
            missing.join("\n"),
        );
        if !held.missing.is_empty() {
            let resource = self.target.served.resource();
            let not_found = |role: &&RoleRef| format!("{resource} {:?} not found", role.name);
            let errors = policy::together(held.missing.iter().map(not_found));
            words = format!("{words}; resolution errors: [{errors}]");
        }
        Err(self.forbidden(words))
    }

    fn forbidden(&self, why: String) -> Failure {
        let Qualified { name, group } = self.target.served.resource();
        Failure::Forbidden {
            resource: Qualified { name, group },
            name: self.name.to_owned(),
            why,
        }
    }
}

/// Does the write only take away what keeps the object, so that it can go?
fn lets_go_only(new: &Value, old: &Value) -> bool {
    let rest = |object: &Value| {
        let mut object = object.clone();
        metadata::edit(&mut object, |fields: &mut Map<String, Value>| {
            for field in [
                "finalizers",
                "ownerReferences",
                "managedFields",
                "resourceVersion",
            ] {
                fields.remove(field);
            }
        });
        object
    };
    rest(new) == rest(old)
}
