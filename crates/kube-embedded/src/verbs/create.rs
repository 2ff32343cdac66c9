//! `create`: a new object under a name of its own.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::Call;
use crate::admit::{Admission, Admitted};
use crate::answer::Answer;
use crate::ledger::{Address, Write, WriteError};
use crate::metadata;
use crate::project::Projection;
use crate::status::Failure;
use crate::stored::Stored;
use crate::target::Part;
use crate::{decode, expiry, lifecycle};

/// How often a generated name may be taken already.
const NAME_TRIES: usize = 8;

pub(crate) async fn create(call: &Call<'_>) -> Result<Answer, Failure> {
    let object = decode::object(&call.ask.content_type, &call.body)?;
    let object = fits_path(call, object, None)?;
    let generates = metadata::text(&object, "name").is_empty()
        && !metadata::text(&object, "generateName").is_empty();
    let mut tries = if generates { NAME_TRIES } else { 1 };
    loop {
        let mut named = object.clone();
        if generates {
            let name = format!(
                "{}{}",
                metadata::text(&object, "generateName"),
                call.cluster.name_suffix()
            );
            metadata::edit(&mut named, |fields| {
                fields.insert("name".to_owned(), name.into());
            });
        }
        tries -= 1;
        match insert(call, named, true).await {
            Err(Failure::AlreadyExists { .. }) if tries > 0 => {}
            other => return other,
        }
    }
}

/// Stores a new object; `tracks` says whether its fields' owner is still to be noted.
pub(crate) async fn insert(
    call: &Call<'_>,
    object: Value,
    tracks: bool,
) -> Result<Answer, Failure> {
    let served = &call.target.served;
    let name = metadata::text(&object, "name").to_owned();
    lifecycle::may_be_created(call.cluster, &call.target, &name)?;
    let writer = call.writer()?;
    let admission = Admission {
        served,
        part: Part::Whole,
        fields: call.ask.query.field_validation()?,
        now: writer.now,
        writer: tracks.then_some(writer),
    };
    let exists = || Failure::AlreadyExists {
        resource: served.resource(),
        name: name.clone(),
    };
    let Admitted { object, warnings } = admission.create(object, &call.cluster.new_uid())?;
    let address = Address {
        resource: Arc::clone(&served.stored_as),
        key: call.target.key(&name),
    };
    let projection = Projection::asked(served, call.ask, writer.now)?;
    let kept = if call.ask.query.dry_run()? {
        if call.cluster.ledger.latest(&address).is_some() {
            return Err(exists());
        }
        Stored::unkept(object)
    } else {
        let within = lifecycle::containers(&call.target);
        let write = Write::create(address.clone(), object, within);
        let written = call.cluster.ledger.write(write).await;
        let kept = written.map_err(|error| match error {
            WriteError::Changed => exists(),
            // It went between our look and the write; the same look now says so.
            WriteError::Closed => lifecycle::may_be_created(call.cluster, &call.target, &name)
                .err()
                .unwrap_or_else(|| Failure::Internal(error.to_string())),
            WriteError::NotKept => Failure::Internal(error.to_string()),
        })?;
        expiry::note(call.cluster, &address, &kept).await;
        kept
    };
    Ok(projection
        .object(&kept)
        .with_code(StatusCode::CREATED)
        .with_warnings(warnings))
}

/// The object with the kind, namespace and name the path says; it may not say otherwise itself.
pub(crate) fn fits_path(
    call: &Call<'_>,
    mut object: Value,
    name: Option<&str>,
) -> Result<Value, Failure> {
    let served = &call.target.served;
    if !object.is_object() {
        return Err(Failure::BadRequest("the body is not an object".to_owned()));
    }
    let given = [
        ("apiVersion", served.api_version.clone()),
        ("kind", served.info.kind.clone()),
    ];
    let builtin = served.builtin().is_some();
    for (field, right) in given {
        match object[field].as_str().unwrap_or_default() {
            "" if builtin => object[field] = right.into(),
            "" => {
                return Err(Failure::BadRequest(format!(
                    "Object '{}{}' is missing in '{object}'",
                    field[..1].to_uppercase(),
                    &field[1..]
                )));
            }
            said if said == right => {}
            said => {
                return Err(Failure::BadRequest(format!(
                    "the {field} in the data ({said}) does not match the expected {field} ({right})"
                )));
            }
        }
    }
    check_metadata_shape(&object)?;
    place(call, &mut object, name)?;
    Ok(object)
}

/// What the rest of the server takes for granted about the types in `metadata`.
fn check_metadata_shape(object: &Value) -> Result<(), Failure> {
    let refuse = |field: &str| {
        Err(Failure::BadRequest(format!(
            "metadata{field} is of the wrong type"
        )))
    };
    let metadata = &object["metadata"];
    if !metadata.is_object() && !metadata.is_null() {
        return refuse("");
    }
    for field in [
        "name",
        "generateName",
        "namespace",
        "uid",
        "resourceVersion",
    ] {
        if !metadata[field].is_string() && !metadata[field].is_null() {
            return refuse(&format!(".{field}"));
        }
    }
    for field in ["finalizers", "ownerReferences", "managedFields"] {
        if !metadata[field].is_array() && !metadata[field].is_null() {
            return refuse(&format!(".{field}"));
        }
    }
    Ok(())
}

fn place(call: &Call<'_>, object: &mut Value, name: Option<&str>) -> Result<(), Failure> {
    let namespace = &call.target.namespace;
    let said = metadata::text(object, "namespace");
    if !said.is_empty() && said != namespace {
        return Err(Failure::BadRequest(
            "the namespace of the provided object does not match the namespace sent on the request"
                .to_owned(),
        ));
    }
    let said = metadata::text(object, "name");
    if let Some(name) = name
        && !said.is_empty()
        && said != name
    {
        return Err(Failure::BadRequest(format!(
            "the name of the object ({said}) does not match the name on the URL ({name})"
        )));
    }
    metadata::edit(object, |fields| {
        if namespace.is_empty() {
            fields.remove("namespace");
        } else {
            fields.insert("namespace".to_owned(), namespace.as_str().into());
        }
        if let Some(name) = name {
            fields.insert("name".to_owned(), name.into());
        }
    });
    Ok(())
}
