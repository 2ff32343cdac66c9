//! Does a body say what its path says: kind, version, namespace and name?

use bytes::Bytes;
use serde_json::{Value, json};

use super::Call;
use crate::cause::Cause;
use crate::decode::{self, DecodeError};
use crate::metadata;
use crate::project;
use crate::registry::Served;
use crate::request::FieldValidation;
use crate::status::{Failure, Qualified};
use crate::types;

/// How much of a body is quoted back, in bytes; as in Kubernetes.
const QUOTED: usize = 30;

/// Where a real server's code keeps its list of kinds; it says so.
pub(super) const SCHEME: &str = " in scheme \"pkg/runtime/scheme.go:111\"";

/// The object in a request's body, with what the path says filled in.
pub(crate) fn body(call: &Call<'_>, name: Option<&str>) -> Result<Value, Failure> {
    let served = &call.target.served;
    let decoded = decode::object(&call.ask.content_type, &call.body);
    let object = decoded.map_err(|error| unreadable(served, &call.body, &error))?;
    says_texts(served, &object, &call.body)?;
    // Of a built-in kind nothing is an object that says nothing.
    let empty = object.is_null() && served.builtin().is_some();
    let object = if empty { json!({}) } else { object };
    if served.builtin().is_none() {
        says_what_it_is(served, &object, &call.body)?;
    }
    object_at(call, object, name)
}

/// An object that was made out of a body, with what the path says filled in.
pub(crate) fn object_at(
    call: &Call<'_>,
    mut object: Value,
    name: Option<&str>,
) -> Result<Value, Failure> {
    let served = &call.target.served;
    if !object.is_object() {
        return Err(Failure::BadRequest("the body is not an object".to_owned()));
    }
    is_of_kind(served, &object)?;
    has_readable_metadata(served, &object)?;
    object["apiVersion"] = served.api_version.clone().into();
    object["kind"] = served.info.kind.clone().into();
    is_at(call, &object, name)?;
    let namespace = &call.target.namespace;
    metadata::edit(&mut object, |fields| {
        if namespace.is_empty() {
            fields.remove("namespace");
        } else {
            fields.insert("namespace".to_owned(), namespace.as_str().into());
        }
        if let Some(name) = name {
            fields.insert("name".to_owned(), name.into());
        }
    });
    Ok(object)
}

fn unreadable(served: &Served, body: &Bytes, error: &DecodeError) -> Failure {
    match error {
        DecodeError::UnknownForm(accepted) => Failure::UnsupportedMediaType(accepted),
        DecodeError::Json { .. } | DecodeError::Yaml(_) | DecodeError::Protobuf(_) => {
            Failure::BadRequest(format!(
                "the object provided is unrecognized (must be of type {}): couldn't get version/kind; {error} ({})",
                served.info.kind,
                summary(body),
            ))
        }
    }
}

/// What Go reads `apiVersion` and `kind` into.
const TYPE_META: &str = r#"struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }"#;

/// Whether it says what it is, in text, is looked at before anything else.
fn says_texts(served: &Served, object: &Value, body: &Bytes) -> Result<(), Failure> {
    let refuse = |value: &Value, into: &str| {
        Err(Failure::BadRequest(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; json parse error: json: cannot unmarshal {} into Go {into} ({})",
            served.info.kind,
            go_name(value),
            summary(body),
        )))
    };
    if !object.is_object() && !object.is_null() {
        return refuse(object, &format!("value of type {TYPE_META}"));
    }
    for field in ["apiVersion", "kind"] {
        let value = &object[field];
        if !value.is_string() && !value.is_null() {
            return refuse(value, &format!("struct field .{field} of type string"));
        }
    }
    Ok(())
}

/// The fields a JSON body says twice, if anybody wants to know.
pub(super) fn duplicates(call: &Call<'_>) -> Vec<String> {
    let wanted = !matches!(call.ask.field_validation(), Ok(FieldValidation::Ignore));
    let json = ["", "application/json"].contains(&call.ask.content_type.as_str());
    if wanted && json {
        decode::duplicates::of(&call.body)
    } else {
        Vec::new()
    }
}

/// The beginning of a body, as text if it looks like JSON.
fn summary(body: &Bytes) -> String {
    let dots = |cut: bool| if cut { " ..." } else { "" };
    match body.first() {
        None => "<empty>".to_owned(),
        Some(b'{') => {
            let shown = &body[..body.len().min(QUOTED)];
            format!(
                "{}{}",
                String::from_utf8_lossy(shown),
                dots(shown.len() < body.len())
            )
        }
        Some(_) => {
            let shown = &body[..body.len().min(QUOTED / 2)];
            format!("{}{}", hex::encode(shown), dots(shown.len() < body.len()))
        }
    }
}

/// A custom resource must say its kind itself.
fn says_what_it_is(served: &Served, object: &Value, body: &Bytes) -> Result<(), Failure> {
    for (field, word) in [("kind", "Kind"), ("apiVersion", "apiVersion")] {
        if object[field].as_str().unwrap_or_default().is_empty() {
            return Err(Failure::BadRequest(format!(
                "the object provided is unrecognized (must be of type {}): Object '{word}' is missing in '{}' ({})",
                served.info.kind,
                String::from_utf8_lossy(body),
                summary(body),
            )));
        }
    }
    Ok(())
}

fn is_of_kind(served: &Served, object: &Value) -> Result<(), Failure> {
    let (version, kind) = (&object["apiVersion"], &object["kind"]);
    let (said_version, said_kind) = (
        version.as_str().unwrap_or(&served.api_version),
        kind.as_str().unwrap_or(&served.info.kind),
    );
    if said_version == served.api_version && said_kind == served.info.kind {
        return Ok(());
    }
    if served.builtin().is_some() {
        let kind = &served.info.kind;
        let version = said_version.rsplit('/').next().unwrap_or_default();
        let (group, _) = said_version.split_once('/').unwrap_or_default();
        let why = if types::definition(group, version, said_kind).is_some() {
            let package = project::go_package(&served.info.group);
            format!("converting ({version}.{said_kind}) to ({package}.{kind}): unknown conversion")
        } else {
            format!("no kind {said_kind:?} is registered for version {said_version:?}{SCHEME}")
        };
        return Err(Failure::BadRequest(format!(
            "{said_kind} in version {version:?} cannot be handled as a {kind}: {why}"
        )));
    }
    if said_version != served.api_version {
        return Err(Failure::BadRequest(format!(
            "the API version in the data ({said_version}) does not match the expected API version ({})",
            served.api_version
        )));
    }
    Err(Failure::Invalid {
        kind: Qualified {
            name: said_kind.to_owned(),
            group: served.info.group.clone(),
        },
        name: metadata::text(object, "name").to_owned(),
        causes: vec![Cause::invalid(
            "kind",
            kind,
            &format!("must be {}", served.info.kind),
        )],
    })
}

/// What the rest of the server takes for granted about the types in `metadata`.
fn has_readable_metadata(served: &Served, object: &Value) -> Result<(), Failure> {
    let metadata = &object["metadata"];
    let refuse = |value: &Value, field: &str, wanted: &str| {
        Err(Failure::BadRequest(format!(
            "{kind} in version {:?} cannot be handled as a {kind}: json: cannot unmarshal {} into Go struct field {field} of type {wanted}",
            served.info.version,
            go_name(value),
            kind = served.info.kind,
        )))
    };
    if !metadata.is_object() && !metadata.is_null() {
        return refuse(
            metadata,
            &format!("{}.metadata", served.info.kind),
            "v1.ObjectMeta",
        );
    }
    for field in [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
        "selfLink",
    ] {
        let value = &metadata[field];
        if !value.is_string() && !value.is_null() {
            return refuse(value, &format!("ObjectMeta.{field}"), "string");
        }
    }
    for field in ["labels", "annotations"] {
        let value = &metadata[field];
        if !value.is_object() && !value.is_null() {
            return refuse(value, &format!("ObjectMeta.{field}"), "map[string]string");
        }
        let mut values = value.as_object().into_iter().flatten();
        if let Some((_, value)) = values.find(|(_, value)| !value.is_string()) {
            return refuse(value, &format!("ObjectMeta.{field}"), "string");
        }
    }
    for (field, wanted) in [
        ("finalizers", "[]string"),
        ("ownerReferences", "[]v1.OwnerReference"),
        ("managedFields", "[]v1.ManagedFieldsEntry"),
    ] {
        let value = &metadata[field];
        if !value.is_array() && !value.is_null() {
            return refuse(value, &format!("ObjectMeta.{field}"), wanted);
        }
    }
    Ok(())
}

fn go_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn is_at(call: &Call<'_>, object: &Value, name: Option<&str>) -> Result<(), Failure> {
    let said = metadata::text(object, "namespace");
    if !said.is_empty() && said != call.target.namespace {
        return Err(Failure::BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
                .to_owned(),
        ));
    }
    let said = metadata::text(object, "name");
    match name {
        Some(name) if !said.is_empty() && said != name => Err(Failure::BadRequest(format!(
            "the name of the object ({said}) does not match the name on the URL ({name})"
        ))),
        Some(_) | None => Ok(()),
    }
}
