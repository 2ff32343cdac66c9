//! `delete` and `deletecollection`: at once, or when the finalizers are through.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Call;
use super::fit::SCHEME;
use super::read::{self, Selection};
use crate::answer::Answer;
use crate::builtin::Builtin;
use crate::cause::Cause;
use crate::decode;
use crate::ledger::{Address, Range};
use crate::lifecycle::{self, Gone};
use crate::project::Projection;
use crate::status::Failure;
use crate::stored::Stored;

/// The part of `DeleteOptions` that changes what happens.
///
/// A propagation policy and a grace period are taken and have no effect: there are no dependents'
/// collector and no processes to wait for.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Options {
    preconditions: Option<Preconditions>,
    dry_run: Vec<String>,
    propagation_policy: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Preconditions {
    uid: Option<String>,
    resource_version: Option<String>,
}

impl Options {
    fn asked(call: &Call<'_>) -> Result<Self, Failure> {
        let body = if call.body.is_empty() {
            json!({})
        } else {
            decode::object(&call.ask.content_type, &call.body)
                .map_err(|error| Failure::BadRequest(error.to_string()))?
        };
        let kind = body["kind"].as_str().unwrap_or("DeleteOptions");
        if kind != "DeleteOptions" {
            return Err(Failure::BadRequest(format!(
                "no kind {kind:?} is registered for version {}{SCHEME}",
                body["apiVersion"]
            )));
        }
        let given: Self = serde_json::from_value(body)
            .map_err(|error| Failure::BadRequest(format!("invalid DeleteOptions: {error}")))?;
        let refuse = |cause| Err(Failure::options("DeleteOptions", cause));
        if given.dry_run.iter().any(|word| word != "All") {
            return refuse(Cause::not_supported(
                "dryRun",
                &json!(given.dry_run),
                &["All"],
            ));
        }
        let asked = call.ask.query.get("propagationPolicy");
        let policy = given.propagation_policy.as_deref().or(asked);
        let policies = ["Foreground", "Background", "Orphan", "nil"];
        match policy {
            Some(policy) if !policies[..3].contains(&policy) => refuse(Cause::not_supported(
                "propagationPolicy",
                &policy.into(),
                &policies,
            )),
            Some(_) | None => Ok(given),
        }
    }

    fn is_dry_run(&self, call: &Call<'_>) -> Result<bool, Failure> {
        Ok(!self.dry_run.is_empty() || call.ask.dry_run()?)
    }

    fn hold(&self, call: &Call<'_>, object: &Stored) -> Result<(), Failure> {
        let Some(preconditions) = &self.preconditions else {
            return Ok(());
        };
        let served = &call.target.served;
        let refuse = |why: String| {
            Err(Failure::Conflict {
                resource: served.kind(),
                name: object.name().to_owned(),
                why,
            })
        };
        let is = object.uid();
        if let Some(wanted) = preconditions.uid.as_ref().filter(|wanted| *wanted != is) {
            return refuse(format!(
                "the UID in the precondition ({wanted}) does not match the UID in record ({is}). The object might have been deleted and then recreated"
            ));
        }
        let is = object.version().to_string();
        let wanted = preconditions.resource_version.as_ref();
        if let Some(wanted) = wanted.filter(|wanted| **wanted != is) {
            return refuse(format!(
                "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record ({is}). The object might have been modified"
            ));
        }
        Ok(())
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
        Gone::Removed(object) if shows_removed(call) => projection.object(object),
        Gone::Removed(object) => Answer::value(success(call, object)),
        Gone::Waiting(object) => projection.object(object),
    })
}

/// A `ServiceAccount` is shown a last time.
fn shows_removed(call: &Call<'_>) -> bool {
    call.target.served.builtin() == Some(Builtin::ServiceAccount)
}

pub(crate) async fn delete_collection(call: &Call<'_>) -> Result<Answer, Failure> {
    let options = Options::asked(call)?;
    let served = &call.target.served;
    let selection = Selection::asked(call)?;
    let range = Range {
        prefix: &call.target.prefix(),
        limit: call.ask.query.limit()?,
        ..Range::default()
    };
    let picks = |object: &Stored| {
        selection.picks(served, object) && lifecycle::may_be_deleted(served, object.name()).is_ok()
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
    let metadata = read::metadata(&page, selection.is_everything());
    Ok(projection.list(&page.objects, &metadata))
}

/// The words for a success that has no object to show.
fn success(call: &Call<'_>, object: &Stored) -> Value {
    let served = &call.target.served;
    let mut details = json!({
        "name": object.name(),
        "kind": served.info.plural,
        "uid": object.uid(),
    });
    if !served.info.group.is_empty() {
        details["group"] = served.info.group.clone().into();
    }
    json!({ "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details })
}
