//! `metadata.managedFields`: who set which fields, read, written and kept short.

use serde_json::{Map, Value, json};

use super::Writer;
use super::fields::Set;

/// Most entries of the Update kind; the oldest are put together above it.
const UPDATE_LIMIT: usize = 10;

/// Under this name the oldest updates are put together.
const ANCIENT: &str = "ancient-changes";

/// How fields were set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    Apply,
    Update,
}

impl Operation {
    fn word(self) -> &'static str {
        match self {
            Operation::Apply => "Apply",
            Operation::Update => "Update",
        }
    }
}

/// One entry of `managedFields`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) manager: String,
    pub(super) operation: Operation,
    pub(super) api_version: String,
    pub(super) subresource: String,
    /// RFC 3339, whole seconds.
    pub(super) time: Option<String>,
    pub(super) fields: Set,
}

impl Entry {
    pub(super) fn new(
        by: &Writer<'_>,
        operation: Operation,
        api_version: &str,
        fields: Set,
    ) -> Self {
        Self {
            manager: by.manager.to_owned(),
            operation,
            api_version: api_version.to_owned(),
            subresource: by.subresource.unwrap_or_default().to_owned(),
            time: Some(whole_seconds(by.now)),
            fields,
        }
    }

    /// The same manager in the same role. An applier stays itself when it changes the API version.
    pub(super) fn is_same_as(&self, other: &Entry) -> bool {
        let version = self.operation == Operation::Apply || self.api_version == other.api_version;
        self.manager == other.manager
            && self.operation == other.operation
            && self.subresource == other.subresource
            && version
    }

    /// As conflicts name a manager.
    pub(super) fn shown(&self) -> String {
        let subresource = match self.subresource.as_str() {
            "" => String::new(),
            name => format!(" with subresource {name:?}"),
        };
        match self.operation {
            Operation::Apply => format!("{:?}{subresource}", self.manager),
            Operation::Update => {
                format!("{:?}{subresource} using {}", self.manager, self.api_version)
            }
        }
    }

    fn decode(entry: &Value) -> Option<Self> {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        Some(Self {
            manager: word("manager"),
            operation: match entry["operation"].as_str()? {
                "Apply" => Operation::Apply,
                "Update" => Operation::Update,
                _ => return None,
            },
            api_version: word("apiVersion"),
            subresource: word("subresource"),
            time: entry["time"].as_str().map(str::to_owned),
            fields: Set::decode(&entry["fieldsV1"])?,
        })
    }

    fn encode(&self) -> Value {
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| entry.insert(key.to_owned(), value);
        put("apiVersion", self.api_version.as_str().into());
        put("fieldsType", "FieldsV1".into());
        put("fieldsV1", self.fields.encode());
        put("manager", self.manager.as_str().into());
        put("operation", self.operation.word().into());
        if !self.subresource.is_empty() {
            put("subresource", self.subresource.as_str().into());
        }
        if let Some(time) = &self.time {
            put("time", time.as_str().into());
        }
        Value::Object(entry)
    }
}

fn whole_seconds(now: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(now.as_second())
        .map_or_else(|_| now.to_string(), |time| time.to_string())
}

/// The entries of an object; empty when there are none or they cannot be read.
pub(super) fn of(object: &Value) -> Vec<Entry> {
    let entries = object["metadata"]["managedFields"]
        .as_array()
        .map_or(&[][..], Vec::as_slice);
    entries
        .iter()
        .map(Entry::decode)
        .collect::<Option<Vec<_>>>()
        .unwrap_or_default()
}

/// A client empties the list by sending one empty entry.
pub(super) fn is_reset(object: &Value) -> bool {
    object["metadata"]["managedFields"] == json!([{}])
}

/// Writes the entries into an object in their order: appliers first, then by age and name. Empty ones are left out.
pub(super) fn put(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.fields.is_empty());
    entries.sort_by(|one, other| order(one).cmp(&order(other)));
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if entries.is_empty() {
        metadata.remove("managedFields");
    } else {
        let entries = entries.iter().map(Entry::encode).collect();
        metadata.insert("managedFields".to_owned(), Value::Array(entries));
    }
}

fn order(entry: &Entry) -> (Operation, &Option<String>, &str, &str, &str) {
    (
        entry.operation,
        &entry.time,
        &entry.manager,
        &entry.api_version,
        &entry.subresource,
    )
}

/// Puts the oldest updates of one API version together until there are few enough.
pub(super) fn limit(entries: &mut Vec<Entry>) {
    let is_update = |entry: &Entry| entry.operation == Operation::Update;
    let mut excess = entries
        .iter()
        .filter(|entry| is_update(entry))
        .count()
        .saturating_sub(UPDATE_LIMIT);
    entries.sort_by(|one, other| order(one).cmp(&order(other)));
    while excess > 0 {
        let Some(oldest) = entries.iter().position(is_update) else {
            return;
        };
        let first = entries.remove(oldest);
        let Some(next) = entries
            .iter()
            .position(|entry| is_update(entry) && entry.api_version == first.api_version)
        else {
            // The only one of its version: it cannot be put together with anything.
            entries.insert(oldest, first);
            return;
        };
        let second = entries.remove(next);
        let together = Entry {
            manager: ANCIENT.to_owned(),
            subresource: String::new(),
            fields: first.fields.union(&second.fields),
            ..second
        };
        entries.insert(oldest, together);
        excess -= 1;
    }
}
