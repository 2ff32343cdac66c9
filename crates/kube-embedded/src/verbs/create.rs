//! `create`: a new object under a name of its own.

use std::sync::Arc;

use http::StatusCode;
use serde_json::Value;

use super::{Call, fit};
use crate::admit::{Admission, Admitted};
use crate::answer::Answer;
use crate::ledger::{Address, Write, WriteError};
use crate::metadata;
use crate::project::Projection;
use crate::status::Failure;
use crate::stored::Stored;
use crate::target::Part;
use crate::{expiry, lifecycle};

/// How often a generated name may be taken already.
const NAME_TRIES: usize = 8;

pub(crate) async fn create(call: &Call<'_>) -> Result<Answer, Failure> {
    let object = fit::body(call, call.target.name.as_deref())?;
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
    if !metadata::text(&object, "resourceVersion").is_empty() {
        return Err(Failure::Unclassified(
            "resourceVersion should not be set on objects to be created".to_owned(),
        ));
    }
    let writer = call.writer()?;
    let admission = Admission {
        served,
        part: Part::Whole,
        fields: call.ask.field_validation()?,
        patches: false,
        now: writer.now,
        duplicates: fit::duplicates(call),
        writer: tracks.then_some(writer),
    };
    let exists = |latest: Option<Arc<Stored>>| Failure::AlreadyExists {
        resource: served.resource(),
        name: name.clone(),
        going: latest.is_some_and(|latest| latest.is_deleting()),
    };
    let Admitted { object, warnings } = admission.create(object, &call.cluster.new_uid())?;
    let address = Address {
        resource: Arc::clone(&served.stored_as),
        key: call.target.key(&name),
    };
    let projection = Projection::asked(served, call.ask, writer.now)?;
    let kept = if call.ask.dry_run()? {
        let latest = call.cluster.ledger.latest(&address);
        if latest.is_some() {
            return Err(exists(latest));
        }
        Stored::unkept(&object)
    } else {
        let within = lifecycle::containers(&call.target);
        let write = Write::create(address.clone(), object, within);
        let written = call.cluster.ledger.write(write).await;
        let kept = written.map_err(|error| match error {
            WriteError::Changed => exists(call.cluster.ledger.latest(&address)),
            // It went between our look and the write; the same look now says so.
            WriteError::Closed => lifecycle::may_be_created(call.cluster, &call.target, &name)
                .err()
                .unwrap_or_else(|| Failure::Internal(error.to_string())),
            WriteError::NotKept => Failure::Internal(error.to_string()),
        })?;
        expiry::note(call.cluster, &address, &kept).await;
        lifecycle::after_write(call.cluster, &address, &kept).await;
        kept
    };
    Ok(projection
        .object(&kept)
        .with_code(StatusCode::CREATED)
        .with_warnings(warnings))
}
