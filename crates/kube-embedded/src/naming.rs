//! Which definition has which names: those that ask first have them, and are served from then on.
//!
//! A real server's controllers do this in the background; here the write that changes a definition does, before it is
//! answered. The rules are those of apiextensions-apiserver's `NamingConditionController`.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::apply::{self, Writer};
use crate::cluster::Cluster;
use crate::ledger::{Address, Write, WriteError};
use crate::registry::DEFINITIONS;
use crate::stored::Stored;
use crate::{lifecycle, metadata, types};

/// How often somebody else may be faster before we give up.
const TRIES: usize = 16;

/// The names others of a group have already.
#[derive(Default)]
struct Taken {
    resources: BTreeSet<String>,
    kinds: BTreeSet<String>,
}

impl Taken {
    fn by(others: &[Value]) -> Self {
        let mut taken = Self::default();
        for names in others.iter().map(|other| &other["status"]["acceptedNames"]) {
            let resources = [&names["plural"], &names["singular"]];
            let short = names["shortNames"].as_array().into_iter().flatten();
            let resources = resources.into_iter().chain(short);
            taken.resources.extend(resources.filter_map(text));
            let kinds = [&names["kind"], &names["listKind"]];
            taken.kinds.extend(kinds.into_iter().filter_map(text));
        }
        taken
    }
}

fn text(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty());
    text.map(str::to_owned)
}

/// The status of a definition that has none yet.
pub(crate) fn nothing_accepted(definition: &Value) -> Value {
    let versions = definition["spec"]["versions"].as_array();
    let mut versions = versions.into_iter().flatten();
    let stored = versions.find(|version| version["storage"] == true);
    let stored: Vec<_> = stored.map(|version| &version["name"]).into_iter().collect();
    json!({
        "acceptedNames": { "kind": "", "plural": "" },
        "conditions": null,
        "storedVersions": stored,
    })
}

/// Gives the definitions of a group the names they ask for, as far as they are free, the oldest first.
pub(crate) async fn settle(cluster: &Arc<Cluster>, group: &str) {
    let _one_at_a_time = cluster.naming.lock().await;
    let mut found = cluster.ledger.all(DEFINITIONS);
    found.retain(|definition| definition.value()["spec"]["group"] == group);
    found.sort_by_key(|definition| definition.version());
    for definition in found {
        accept(
            cluster,
            &lifecycle::address_in(DEFINITIONS, &definition),
            group,
        )
        .await;
    }
}

/// Settles every group, as far as a crash left it open.
pub(crate) async fn settle_all(cluster: &Arc<Cluster>) {
    let definitions = cluster.ledger.all(DEFINITIONS);
    let group = |stored: &Arc<Stored>| text(&stored.value()["spec"]["group"]);
    let groups: BTreeSet<String> = definitions.iter().filter_map(group).collect();
    for group in groups {
        settle(cluster, &group).await;
    }
}

async fn accept(cluster: &Arc<Cluster>, address: &Address, group: &str) {
    for _ in 0..TRIES {
        let Some(old) = cluster.ledger.latest(address) else {
            return;
        };
        let before = old.value();
        let others = others(cluster, &before, group);
        let mut after = before.clone();
        judge(&mut after, &Taken::by(&others), cluster.now());
        if after == before {
            return;
        }
        note(&before, &mut after, cluster.now());
        let write = Write::change(address.clone(), &old, after, false);
        match cluster.ledger.write(write).await {
            Ok(_) => return,
            Err(WriteError::Changed) => {}
            Err(error @ (WriteError::Closed | WriteError::NotKept)) => {
                tracing::warn!(%error, key = %address.key, "its names wait for the next start");
                return;
            }
        }
    }
}

fn others(cluster: &Cluster, definition: &Value, group: &str) -> Vec<Value> {
    let all = cluster.ledger.all(DEFINITIONS);
    let own = metadata::text(definition, "name");
    let others = all.iter().filter(|other| other.name() != own);
    let others = others.map(|other| other.value());
    others
        .filter(|other| other["spec"]["group"] == group)
        .collect()
}

/// The status is the server's own word, and noted as such.
fn note(before: &Value, after: &mut Value, now: Timestamp) {
    let schema = types::schema("apiextensions.k8s.io", "v1", "CustomResourceDefinition");
    let server = Writer {
        manager: "kube-apiserver",
        subresource: Some("status"),
        now,
    };
    if let Some(schema) = schema {
        apply::track_update(Some(before), after, &server, schema);
    }
}

/// Which names are accepted, and whether it is served.
fn judge(definition: &mut Value, taken: &Taken, now: Timestamp) {
    let asked = definition["spec"]["names"].clone();
    let status = &mut definition["status"];
    let mut accepted = status["acceptedNames"].clone();
    let mut conflict = None;
    let words = [
        ("plural", "PluralConflict", &taken.resources),
        ("singular", "SingularConflict", &taken.resources),
        ("shortNames", "ShortNamesConflict", &taken.resources),
        ("kind", "KindConflict", &taken.kinds),
        ("listKind", "ListKindConflict", &taken.kinds),
    ];
    for (field, reason, taken) in words {
        match in_use(&asked[field], &accepted[field], taken) {
            Some(message) => conflict = Some((reason, message)),
            None => put(&mut accepted, field, &asked[field]),
        }
    }
    put(&mut accepted, "categories", &asked["categories"]);
    status["acceptedNames"] = accepted;
    let good = conflict.is_none();
    let (reason, message) = conflict.unwrap_or(("NoConflicts", "no conflicts found".to_owned()));
    set_condition(status, "NamesAccepted", good, reason, &message, now);
    if is_established(definition) {
        return;
    }
    let (reason, message) = if good {
        (
            "InitialNamesAccepted",
            "the initial names have been accepted",
        )
    } else {
        ("NotAccepted", "not all names are accepted")
    };
    set_condition(
        &mut definition["status"],
        "Established",
        good,
        reason,
        message,
        now,
    );
}

fn put(names: &mut Value, field: &str, asked: &Value) {
    match (names.as_object_mut(), asked) {
        (Some(names), Value::Null) => drop(names.remove(field)),
        (Some(names), asked) => drop(names.insert(field.to_owned(), asked.clone())),
        (None, _) => {}
    }
}

/// What is said about those of the names that others have.
fn in_use(asked: &Value, accepted: &Value, taken: &BTreeSet<String>) -> Option<String> {
    let words = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(words) => words.iter().filter_map(text).collect(),
            word => text(word).into_iter().collect(),
        }
    };
    let own = words(accepted);
    let others: Vec<String> = words(asked)
        .into_iter()
        .filter(|word| !own.contains(word) && taken.contains(word))
        .map(|word| format!("{word:?} is already in use"))
        .collect();
    match others.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        several => Some(format!("[{}]", several.join(", "))),
    }
}

/// Is it served? Once it is, a conflict takes nothing away.
pub(crate) fn is_established(definition: &Value) -> bool {
    let conditions = definition["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|condition| condition["type"] == "Established" && condition["status"] == "True")
}

/// A condition's time is that of its last change of status.
fn set_condition(
    status: &mut Value,
    kind: &str,
    holds: bool,
    reason: &str,
    message: &str,
    now: Timestamp,
) {
    if !status["conditions"].is_array() {
        status["conditions"] = json!([]);
    }
    let Some(conditions) = status["conditions"].as_array_mut() else {
        return;
    };
    let holds = if holds { "True" } else { "False" };
    let mut new = json!({
        "type": kind,
        "status": holds,
        "reason": reason,
        "message": message,
        "lastTransitionTime": metadata::time(now),
    });
    match conditions
        .iter_mut()
        .find(|condition| condition["type"] == kind)
    {
        Some(known) => {
            if known["status"] == holds {
                new["lastTransitionTime"] = known["lastTransitionTime"].clone();
            }
            *known = new;
        }
        None => conditions.push(new),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(plural: &str, kind: &str, short: &[&str]) -> Value {
        let mut definition = json!({"spec": {"versions": [{"name": "v1", "storage": true}], "names": {
            "plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List"), "shortNames": short,
        }}});
        definition["status"] = nothing_accepted(&definition);
        definition
    }

    fn judged(mut definition: Value, others: &[Value]) -> Value {
        judge(&mut definition, &Taken::by(others), Timestamp::UNIX_EPOCH);
        definition
    }

    #[test]
    fn who_asks_first_has_the_names_and_is_served() {
        let first = judged(definition("boats", "Boat", &["b"]), &[]);
        assert!(is_established(&first));
        let second = judged(
            definition("ships", "Boat", &["s"]),
            std::slice::from_ref(&first),
        );
        assert!(!is_established(&second));
        let accepted = &second["status"]["acceptedNames"];
        assert_eq!(
            (&accepted["plural"], &accepted["kind"]),
            (&json!("ships"), &json!(""))
        );
        assert_eq!(
            second["status"]["conditions"][0]["reason"],
            "ListKindConflict"
        );
        let alone = judged(second, &[]);
        assert!(is_established(&alone));
        assert_eq!(alone["status"]["acceptedNames"]["kind"], "Boat");
    }

    #[test]
    fn what_is_served_stays_so_when_it_asks_for_a_name_that_is_taken() {
        let first = judged(definition("boats", "Boat", &["b"]), &[]);
        let mut second = judged(
            definition("ships", "Ship", &[]),
            std::slice::from_ref(&first),
        );
        second["spec"]["names"]["shortNames"] = json!(["b", "s"]);
        let second = judged(second, &[first]);
        assert!(is_established(&second));
        assert_eq!(
            second["status"]["conditions"][0]["message"],
            "\"b\" is already in use"
        );
    }
}
