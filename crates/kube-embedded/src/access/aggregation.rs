//! ClusterRoles whose rules are gathered from others: kept up to date by whoever changes one.
//!
//! What the real cluster's clusterrole-aggregation-controller does a moment later happens here before
//! the answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::CLUSTER_ROLES;
use super::rule::{self, Rule};
use crate::apply::{self, Writer};
use crate::builtin::complete_role;
use crate::cascade::Task;
use crate::cluster::Cluster;
use crate::containers::address_in;
use crate::ledger::{Address, Write, WriteError};
use crate::selector::Labels;
use crate::stored::Stored;
use crate::types;

const MANAGER: &str = "clusterrole-aggregation-controller";
/// Gathered roles may be gathered in turn; deeper than this nobody nests them.
const ROUNDS: usize = 8;

/// A role that is written or removed may be one whose rules others gather.
pub(crate) fn consequences(changed: &Address) -> Option<Task> {
    (&*changed.resource == CLUSTER_ROLES).then_some(Task::Gather)
}

/// Gives every role that gathers others' rules what they say now.
pub(crate) async fn gather(cluster: &Cluster) {
    for _ in 0..ROUNDS {
        let mut settled = true;
        let roles = cluster.ledger.all(CLUSTER_ROLES);
        for role in &roles {
            let value = role.value();
            let Some(rules) = gathered(&value, &roles) else {
                continue;
            };
            if rules == rule::read(&value["rules"]) {
                continue;
            }
            settled = false;
            match cluster
                .ledger
                .write(next(cluster, role, &value, &rules))
                .await
            {
                // Whoever was faster does the same.
                Ok(_) | Err(WriteError::Changed) => {}
                Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                    let name = role.name();
                    tracing::warn!(%error, name, "its rules wait for the next change of a role");
                }
            }
        }
        if settled {
            return;
        }
    }
}

/// The rules of all roles selected, each once; none if the role has rules of its own.
fn gathered(role: &Value, all: &[Arc<Stored>]) -> Option<Vec<Rule>> {
    let selectors = role["aggregationRule"]["clusterRoleSelectors"].as_array()?;
    let own = role["metadata"]["name"].as_str().unwrap_or_default();
    let mut rules: Vec<Rule> = Vec::new();
    for selector in selectors {
        let Ok(labels) = Labels::parse(&written(selector)) else {
            continue;
        };
        let selected = all
            .iter()
            .filter(|role| role.name() != own && labels.matches(|key| role.label(key)));
        for rule in selected.flat_map(|role| rule::read(&role.value()["rules"])) {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
    }
    Some(rules)
}

/// A `LabelSelector` as a query has it.
fn written(selector: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let labels = selector["matchLabels"].as_object().into_iter().flatten();
    let labels = labels.map(|(key, value)| format!("{key}={}", text(value)));
    let expressions = selector["matchExpressions"]
        .as_array()
        .into_iter()
        .flatten();
    let expressions = expressions.map(|expression| {
        let key = text(&expression["key"]);
        let values = expression["values"].as_array().into_iter().flatten();
        let values: Vec<String> = values.map(text).collect();
        match expression["operator"].as_str() {
            Some("In") => format!("{key} in ({})", values.join(",")),
            Some("NotIn") => format!("{key} notin ({})", values.join(",")),
            Some("Exists") => key,
            _ => format!("!{key}"),
        }
    });
    let terms: Vec<String> = labels.chain(expressions).collect();
    terms.join(",")
}

fn next(cluster: &Cluster, role: &Stored, value: &Value, rules: &[Rule]) -> Write {
    let rules: Vec<Value> = rules.iter().map(Rule::to_json).collect();
    let mut applied = json!({
        "apiVersion": value["apiVersion"],
        "kind": value["kind"],
        "metadata": { "name": role.name() },
    });
    if !rules.is_empty() {
        applied["rules"] = rules.as_slice().into();
    }
    let writer = Writer {
        manager: MANAGER,
        subresource: None,
        now: cluster.now(),
    };
    let schema = types::schema(super::GROUP, "v1", "ClusterRole");
    let mut merged = schema
        .and_then(|schema| apply::apply(Some(value), &applied, &writer, true, schema).ok())
        .unwrap_or_else(|| {
            let mut value = value.clone();
            value["rules"] = rules.into();
            value
        });
    complete_role(&mut merged);
    Write::change(
        address_in(&Arc::from(CLUSTER_ROLES), role),
        role,
        merged,
        false,
    )
}
