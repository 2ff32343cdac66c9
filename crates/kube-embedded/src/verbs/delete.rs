//! `delete` and `deletecollection`: at once, or when the finalizers are through.

mod options;

use std::sync::Arc;

use serde_json::{Value, json};

use super::Call;
use super::read::{self, Selection};
use crate::answer::Answer;
use crate::builtin::Builtin;
use crate::cascade::{Cascade, Task};
use crate::containers;
use crate::deletion::{self, Gone};
use crate::ledger::{Address, Range};
use crate::project::Projection;
use crate::status::Failure;
use crate::stored::Stored;
use options::Options;

pub(crate) async fn delete(call: &Call<'_>) -> Result<Answer, Failure> {
    let options = Options::asked(call)?;
    let served = &call.target.served;
    let name = call.target.name.as_deref().unwrap_or_default();
    containers::may_be_deleted(served, name)?;
    let address = Address {
        resource: Arc::clone(&served.stored_as),
        key: call.target.key(name),
    };
    let holds = |object: &Stored| options.hold(call, object);
    let gone = if options.is_dry_run {
        let found = call.cluster.ledger.latest(&address);
        let object = found.ok_or_else(|| call.target.not_found())?;
        holds(&object)?;
        Some(would_be(call, &address, object, &options))
    } else {
        let cascade = Cascade::new(call.cluster);
        let gone = deletion::delete(&cascade, &address, options.propagation, &holds).await?;
        cascade.settle_quietly().await;
        gone
    };
    answer(call, &gone.ok_or_else(|| call.target.not_found())?)
}

/// What a deletion would come to.
fn would_be(call: &Call<'_>, address: &Address, object: Arc<Stored>, options: &Options) -> Gone {
    let now = call.cluster.now();
    let marked = deletion::marked(&address.resource, &object.value(), options.propagation, now);
    match marked {
        Some(marked) => Gone::Waiting(Stored::unkept(&marked)),
        None => Gone::Removed(object),
    }
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
        selection.picks(served, object) && containers::may_be_deleted(served, object.name()).is_ok()
    };
    let ledger = &call.cluster.ledger;
    let page = ledger
        .page(&served.stored_as, &range, &picks)
        .map_err(|expired| Failure::expired(&expired))?;
    if !options.is_dry_run {
        let cascade = Cascade::new(call.cluster);
        cascade.push(page.objects.iter().map(|object| {
            let address = containers::address_in(&served.stored_as, object);
            Task::Delete(address, options.propagation)
        }));
        cascade.settle().await?;
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
