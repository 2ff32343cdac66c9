//! How objects are shown: whole, as rows of a table, or their metadata alone.

mod untyped;

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::admit;
use crate::answer::{Answer, Content};
use crate::registry::Served;
use crate::request::{Ask, Shape};
use crate::status::Failure;
use crate::stored::Stored;
use crate::table::{self, IncludeObject};

/// How one client wants a resource's objects shown.
pub(crate) struct Projection {
    served: Arc<Served>,
    shape: Shape,
    include: IncludeObject,
    now: Timestamp,
}

/// A list's own metadata.
pub(crate) struct ListMetadata {
    pub(crate) version: u64,
    /// Where the next page starts.
    pub(crate) token: Option<String>,
    pub(crate) remaining: Option<usize>,
}

impl ListMetadata {
    /// Lists of custom resources name the next page even when there is none.
    fn value(&self, custom: bool) -> Value {
        let mut metadata = json!({ "resourceVersion": self.version.to_string() });
        if custom {
            metadata["continue"] = "".into();
        }
        if let Some(token) = &self.token {
            metadata["continue"] = token.clone().into();
        }
        if let Some(remaining) = self.remaining {
            metadata["remainingItemCount"] = remaining.into();
        }
        metadata
    }
}

/// What Kubernetes' own code calls the package of a built-in group's kinds.
pub(crate) fn go_package(group: &str) -> &str {
    match group {
        "" | "events.k8s.io" => "core",
        group => group.split('.').next().unwrap_or_default(),
    }
}

impl Projection {
    pub(crate) fn asked(served: &Arc<Served>, ask: &Ask, now: Timestamp) -> Result<Self, Failure> {
        let include = match ask.query.get("includeObject") {
            None | Some("Metadata") => IncludeObject::Metadata,
            Some("None") => IncludeObject::Nothing,
            Some("Object") => IncludeObject::Whole,
            Some(other) => {
                return Err(Failure::BadRequest(format!(
                    "Unable to convert to Table as requested: includeObject: Invalid value: {other:?}: must be 'Metadata', 'Object', 'None', or empty"
                )));
            }
        };
        Ok(Self {
            served: Arc::clone(served),
            shape: ask.accept.shape,
            include,
            now,
        })
    }

    /// Is metadata asked for of what there is: one object, or a list?
    pub(crate) fn fits(&self, is_list: bool) -> Result<(), Failure> {
        let (wanted, not) = match self.shape {
            Shape::PartialMetadata if is_list => ("PartialObjectMetadata", "a list"),
            Shape::PartialMetadataList if !is_list => ("PartialObjectMetadataList", "not a list"),
            Shape::PartialMetadata
            | Shape::PartialMetadataList
            | Shape::Whole
            | Shape::Table
            | Shape::AggregatedDiscovery => return Ok(()),
        };
        Err(Failure::OtherKind(format!(
            "you requested {wanted}, but the requested object is {not} (*{})",
            self.go_type(is_list)
        )))
    }

    /// What Kubernetes' own code calls the objects.
    fn go_type(&self, is_list: bool) -> String {
        let info = &self.served.info;
        let list = if is_list { "List" } else { "" };
        match self.served.builtin() {
            None => format!("unstructured.Unstructured{list}"),
            Some(_) => format!("{}.{}{list}", go_package(&info.group), info.kind),
        }
    }

    /// One object that is kept.
    pub(crate) fn object(&self, object: &Stored) -> Answer {
        Answer::of(Content::Json(self.bytes(object)))
    }

    /// The JSON of one object.
    pub(crate) fn bytes(&self, object: &Stored) -> Bytes {
        let shown = || admit::shown(&self.served, object);
        match self.shape {
            Shape::Whole | Shape::AggregatedDiscovery => {
                if admit::is_shown_as_stored(&self.served, object) {
                    object.bytes()
                } else {
                    Bytes::from(shown().to_string())
                }
            }
            Shape::Table => {
                let metadata = json!({ "resourceVersion": object.version().to_string() });
                Bytes::from(self.table([&shown()], &metadata).to_string())
            }
            Shape::PartialMetadata | Shape::PartialMetadataList => {
                Bytes::from(table::partial_metadata(&shown()).to_string())
            }
        }
    }

    fn table<'o>(&self, objects: impl IntoIterator<Item = &'o Value>, metadata: &Value) -> Value {
        table::render(
            &self.served.columns,
            objects,
            self.include,
            metadata,
            self.now,
        )
    }

    /// One event's object for a watch; a table says its columns once.
    pub(crate) fn event_bytes(&self, object: &Stored, first: bool) -> Bytes {
        if self.shape != Shape::Table || first {
            return self.bytes(object);
        }
        let metadata = json!({ "resourceVersion": object.version().to_string() });
        let value = admit::shown(&self.served, object);
        let mut table = self.table([&value], &metadata);
        table["columnDefinitions"] = Value::Null;
        Bytes::from(table.to_string())
    }

    /// A bookmark: an object of the kind that says only how far the watch is.
    pub(crate) fn bookmark(&self, version: u64, ends_initial_events: bool) -> Value {
        let mut metadata = json!({ "resourceVersion": version.to_string() });
        if ends_initial_events {
            metadata["annotations"] = json!({ "k8s.io/initial-events-end": "true" });
        }
        match self.shape {
            Shape::Whole | Shape::AggregatedDiscovery => json!({
                "kind": self.served.info.kind,
                "apiVersion": self.served.api_version,
                "metadata": metadata,
            }),
            Shape::PartialMetadata | Shape::PartialMetadataList => json!({
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": metadata,
            }),
            Shape::Table => {
                let mut table = self.table([], &metadata);
                table["columnDefinitions"] = Value::Null;
                table
            }
        }
    }

    pub(crate) fn list(&self, objects: &[Arc<Stored>], metadata: &ListMetadata) -> Answer {
        let custom = self.served.builtin().is_none() && self.shape == Shape::Whole;
        let metadata = metadata.value(custom);
        match self.shape {
            Shape::Table => {
                let shown: Vec<_> = objects
                    .iter()
                    .map(|object| admit::shown(&self.served, object))
                    .collect();
                Answer::value(self.table(&shown, &metadata))
            }
            Shape::PartialMetadata | Shape::PartialMetadataList => {
                Answer::of(Content::Json(self.joined(
                    "PartialObjectMetadataList",
                    "meta.k8s.io/v1",
                    &metadata,
                    objects,
                )))
            }
            Shape::Whole | Shape::AggregatedDiscovery => Answer::of(Content::Json(self.joined(
                &self.served.info.list_kind,
                &self.served.api_version,
                &metadata,
                objects,
            ))),
        }
    }

    /// The list's JSON, put together from its objects' bytes.
    fn joined(
        &self,
        kind: &str,
        version: &str,
        metadata: &Value,
        objects: &[Arc<Stored>],
    ) -> Bytes {
        let mut json = BytesMut::new();
        json.put_slice(br#"{"kind":"#);
        json.put_slice(Value::from(kind).to_string().as_bytes());
        json.put_slice(br#","apiVersion":"#);
        json.put_slice(Value::from(version).to_string().as_bytes());
        json.put_slice(br#","metadata":"#);
        json.put_slice(metadata.to_string().as_bytes());
        json.put_slice(br#","items":["#);
        for (at, object) in objects.iter().enumerate() {
            if at > 0 {
                json.put_u8(b',');
            }
            let bytes = self.bytes(object);
            if self.shape == Shape::Whole && self.served.builtin().is_some() {
                untyped::put(&mut json, &bytes);
            } else {
                json.put(bytes);
            }
        }
        json.put_slice(b"]}");
        json.freeze()
    }
}
