//! `delete` and `deletecollection`: at once, or when the finalizers are through.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::read::Selection;
use crate::answer::Answer;
use crate::ledger::{Address, Range};
use crate::lifecycle::{self, Gone};
use crate::project::{ListMetadata, Projection};
use crate::status::Failure;
use crate::stored::Stored;
use crate::{decode, metadata};

/// The part of `DeleteOptions` that changes what happens.
///
/// A propagation policy and a grace period are taken and have no effect: there are no dependents'
/// collector and no processes to wait for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    preconditions: Option<Preconditions>,
    dry_run: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

impl Options {
    fn asked(call: &Call<'_>) -> Result<Self, Failure> {
        let given = if call.body.is_empty() {
            Self::default()
        } else {
            let body = decode::object(&call.ask.content_type, &call.body)?;
            serde_json::from_value(body)
                .map_err(|error| Failure::BadRequest(format!("invalid DeleteOptions: {error}")))?
        };
        match given.dry_run.as_slice() {
            [] => Ok(given),
            [all] if all == "All" => Ok(given),
            _ => Err(Failure::BadRequest("dryRun: Unsupported value".to_owned())),
        }
    }

    fn is_dry_run(&self, call: &Call<'_>) -> Result<bool, Failure> {
        Ok(!self.dry_run.is_empty() || call.ask.query.dry_run()?)
    }

    fn hold(&self, call: &Call<'_>, object: &Stored) -> Result<(), Failure> {
        let Some(preconditions) = &self.preconditions else {
            return Ok(());
        };
        let check = |what: &str, wanted: &Option<String>, is: &str| match wanted {
            Some(wanted) if wanted != is => Err(Failure::Conflict {
                resource: call.target.served.resource(),
                name: metadata::text(object.value(), "name").to_owned(),
                why: format!(
                    "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: {is}"
                ),
            }),
            Some(_) | None => Ok(()),
        };
        let value = object.value();
        check("UID", &preconditions.uid, metadata::text(value, "uid"))?;
        check(
            "ResourceVersion",
            &preconditions.resource_version,
            &object.version().to_string(),
        )
    }
}

pub(crate) async fn delete(call: &Call<'_>) -> Result<Answer, Failure> {
    let options = Options::asked(call)?;
    let served = &call.target.served;
    let name = call.target.name.as_deref().unwrap_or_default();
    lifecycle::may_be_deleted(served, name)?;
    let address = Address {
        resource: Arc::clone(&served.stored_as),
        key: call.target.key(name),
    };
    if options.is_dry_run(call)? {
        let found = call.cluster.ledger.latest(&address);
        let object = found.ok_or_else(|| call.target.not_found())?;
        options.hold(call, &object)?;
        return answer(call, &Gone::Removed(object));
    }
    let holds = |object: &Stored| options.hold(call, object);
    let gone = lifecycle::delete(call.cluster, &address, &holds).await?;
    answer(call, &gone.ok_or_else(|| call.target.not_found())?)
}

/// What is removed is told in words; what waits for its finalizers is shown.
fn answer(call: &Call<'_>, gone: &Gone) -> Result<Answer, Failure> {
    let projection = Projection::asked(&call.target.served, call.ask, call.cluster.now())?;
    Ok(match gone {
        Gone::Removed(object) => Answer::value(success(call, object.value())),
        Gone::Waiting(object) => projection.object(object),
    })
}

pub(crate) async fn delete_collection(call: &Call<'_>) -> Result<Answer, Failure> {
    let options = Options::asked(call)?;
    let served = &call.target.served;
    let selection = Selection::asked(call)?;
    let range = Range {
        prefix: &call.target.prefix(),
        ..Range::default()
    };
    let picks = |object: &Stored| {
        selection.picks(served, object)
            && lifecycle::may_be_deleted(served, metadata::text(object.value(), "name")).is_ok()
    };
    let ledger = &call.cluster.ledger;
    let page = ledger
        .page(&served.stored_as, &range, &picks)
        .map_err(|expired| Failure::expired(&expired))?;
    if !options.is_dry_run(call)? {
        let mut addresses = Vec::new();
        for object in &page.objects {
            addresses.push(lifecycle::address_in(&served.stored_as, object));
        }
        lifecycle::delete_all(call.cluster, addresses).await?;
    }
    let projection = Projection::asked(served, call.ask, call.cluster.now())?;
    let metadata = ListMetadata {
        version: ledger.version(),
        token: None,
        remaining: None,
    };
    Ok(projection.list(&page.objects, &metadata))
}

/// The words for a success that has no object to show.
fn success(call: &Call<'_>, object: &Value) -> Value {
    let served = &call.target.served;
    let mut details = json!({
        "name": object["metadata"]["name"],
        "kind": served.info.plural,
        "uid": object["metadata"]["uid"],
    });
    if !served.info.group.is_empty() {
        details["group"] = served.info.group.clone().into();
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
