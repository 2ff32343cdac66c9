//! Which Stripe objects belong together: what each event's object names. For whoever follows one of them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::State;

/// Ids of what belongs to one customer; products and prices belong to all.
const PERSONAL: [&str; 8] = ["cus_", "cs_", "sub_", "in_", "pi_", "pm_", "ch_", "re_"];
/// No object nests deeper.
const MOST_DEPTH: usize = 16;

impl State {
    /// For the last events the event's id and the ids its object names.
    pub(crate) fn event_kin(&self, most: usize) -> Vec<(String, BTreeSet<String>)> {
        let kin = |event: &super::event::Event| {
            let mut named = BTreeSet::new();
            collect(&event.object, MOST_DEPTH, &mut named);
            (event.id.clone(), named)
        };
        self.events.values().rev().take(most).map(kin).collect()
    }
}

fn collect(value: &Value, depth: usize, named: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if is_personal(text) => {
            named.insert(text.clone());
        }
        Value::Array(items) if depth > 0 => {
            for item in items {
                collect(item, depth - 1, named);
            }
        }
        Value::Object(fields) if depth > 0 => {
            for field in fields.values() {
                collect(field, depth - 1, named);
            }
        }
        Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Array(_)
        | Value::Object(_) => {}
    }
}

fn is_personal(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    PERSONAL.iter().any(|prefix| text.starts_with(prefix)) && text.bytes().all(inside)
}
