//! `get` and `list`: which objects, as of which version, and how many at a time.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Call;
use crate::admit;
use crate::answer::Answer;
use crate::cause::Cause;
use crate::decode;
use crate::ledger::{Expired, Page, Range};
use crate::project::{ListMetadata, Projection};
use crate::registry::Served;
use crate::request::VersionMatch;
use crate::selector::{Fields, Labels, SelectorError};
use crate::status::Failure;
use crate::stored::Stored;
use crate::target::Target;

pub(crate) fn get(call: &Call<'_>) -> Result<Answer, Failure> {
    let target = &call.target;
    let name = target.name.as_deref().unwrap_or_default();
    call.ask.query.one_version()?;
    let found = call
        .cluster
        .ledger
        .get(&target.served.stored_as, &target.key(name));
    let object = found.ok_or_else(|| target.not_found())?;
    let projection = Projection::asked(&target.served, call.ask, call.cluster.now())?;
    projection.fits(false)?;
    Ok(projection
        .object(&object)
        .with_warnings(target.served.deprecation.clone().into_iter().collect()))
}

/// Which objects of a collection a client wants to see.
#[derive(Debug)]
pub(crate) struct Selection {
    labels: Labels,
    fields: Fields,
    name: Option<String>,
}

impl Selection {
    pub(crate) fn asked(call: &Call<'_>) -> Result<Self, Failure> {
        let text = |name| call.ask.query.get(name).unwrap_or_default();
        let refused = |error| Failure::selector(&error);
        let labels = Labels::parse(text("labelSelector")).map_err(refused)?;
        let fields = Fields::parse(text("fieldSelector")).map_err(refused)?;
        let selectable: Vec<_> = call
            .target
            .served
            .selectable
            .iter()
            .map(String::as_str)
            .collect();
        fields
            .check(&selectable)
            .map_err(|error| unknown_field(&call.target.served, &error))?;
        Ok(Self {
            labels,
            fields,
            name: call.target.name.clone(),
        })
    }

    /// The ledger's prefix of every key that may be picked.
    pub(crate) fn prefix(&self, target: &Target) -> String {
        match self.one_name() {
            Some(name) if !target.namespace.is_empty() || !target.served.info.namespaced => {
                target.key(name).to_string()
            }
            Some(_) | None => target.prefix(),
        }
    }

    pub(crate) fn is_everything(&self) -> bool {
        self.labels.is_everything() && self.fields.is_everything() && self.name.is_none()
    }

    pub(crate) fn picks(&self, served: &Served, object: &Stored) -> bool {
        // What costs least first: only fields need the whole object read.
        self.one_name().is_none_or(|name| object.name() == name)
            && self.labels.matches(|key| object.label(key))
            && (self.fields.is_everything() || self.fields.matches(&admit::shown(served, object)))
    }

    fn one_name(&self) -> Option<&str> {
        self.name.as_deref().or_else(|| self.fields.name())
    }
}

/// Built-in kinds without fields of their own say which there are.
fn unknown_field(served: &Served, error: &SelectorError) -> Failure {
    match error {
        SelectorError::UnknownField(field)
            if served.builtin().is_some() && served.selectable.is_empty() =>
        {
            Failure::BadRequest(format!(
                "{field:?} is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
            ))
        }
        other => Failure::selector(other),
    }
}

/// Where the next page of a list starts, and which state of the world it is a page of.
#[derive(Serialize, Deserialize)]
struct Continue {
    v: u64,
    after: String,
}

impl Continue {
    fn encode(&self) -> String {
        let json = serde_json::to_vec(self).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }

    fn decode(token: &str) -> Result<Self, Failure> {
        let refuse = |why: &str| {
            Failure::BadRequest(format!(
                "invalid continue token: continue key is not valid: {why}"
            ))
        };
        let bytes = URL_SAFE_NO_PAD.decode(token);
        let bytes = bytes.map_err(|error| refuse(&error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| refuse(&decode::words::go(&error, &bytes)))
    }
}

pub(crate) fn list(call: &Call<'_>) -> Result<Answer, Failure> {
    let served = &call.target.served;
    let query = &call.ask.query;
    if query.get("sendInitialEvents").is_some() {
        let field = "sendInitialEvents";
        let cause = Cause::forbidden(field, "sendInitialEvents is forbidden for list");
        return Err(Failure::options("ListOptions", cause));
    }
    let selection = Selection::asked(call)?;
    let next = query.get("continue").map(Continue::decode).transpose()?;
    if next.is_some() && query.version()?.is_some_and(|version| version > 0) {
        return Err(Failure::BadRequest(
            "specifying resource version is not allowed when using continue".to_owned(),
        ));
    }
    let prefix = selection.prefix(&call.target);
    if next
        .as_ref()
        .is_some_and(|next| !next.after.starts_with(&prefix))
    {
        return Err(Failure::BadRequest(
            "invalid continue token: continue key is not valid".to_owned(),
        ));
    }
    let range = Range {
        prefix: &prefix,
        after: next.as_ref().map(|next| next.after.as_str()),
        at: match &next {
            Some(next) => Some(next.v),
            None => asked_version(call)?,
        },
        limit: query.limit()?,
    };
    let picks = |object: &Stored| selection.picks(served, object);
    let page = call
        .cluster
        .ledger
        .page(&served.stored_as, &range, &picks)
        .map_err(|expired| too_old(&expired, next.is_some()))?;
    let metadata = metadata(&page, selection.is_everything());
    let projection = Projection::asked(served, call.ask, call.cluster.now())?;
    projection.fits(true)?;
    let warnings = served.deprecation.clone().into_iter().collect();
    Ok(projection
        .list(&page.objects, &metadata)
        .with_warnings(warnings))
}

/// What a page says of itself; how many remain is known only where nothing is left out.
pub(super) fn metadata(page: &Page, everything: bool) -> ListMetadata {
    let token = page.more_after.as_ref().map(|after| Continue {
        v: page.version,
        after: after.to_string(),
    });
    ListMetadata {
        version: page.version,
        remaining: (everything && page.remaining > 0).then_some(page.remaining),
        token: token.map(|token| token.encode()),
    }
}

/// The exact version a list is wanted of; None for today's, which is not older than any.
fn asked_version(call: &Call<'_>) -> Result<Option<u64>, Failure> {
    let query = &call.ask.query;
    let version = query.version()?;
    let refuse = |why: &str| {
        let cause = Cause::forbidden("resourceVersionMatch", why);
        Err(Failure::options("ListOptions", cause))
    };
    let exact = match (query.version_match()?, version) {
        (Some(_), None) => {
            return refuse("resourceVersionMatch is forbidden unless resourceVersion is provided");
        }
        (Some(VersionMatch::Exact), Some(0)) => {
            return refuse("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
        }
        (Some(VersionMatch::Exact), Some(_)) => true,
        (Some(VersionMatch::NotOlderThan) | None, _) => false,
    };
    let current = call.cluster.ledger.version();
    match version {
        Some(asked) if asked > current => Err(Failure::TooLargeResourceVersion { asked, current }),
        Some(asked) if exact => Ok(Some(asked)),
        Some(_) | None => Ok(None),
    }
}

fn too_old(expired: &Expired, continued: bool) -> Failure {
    if continued {
        Failure::Expired(
            "The provided continue parameter is too old to display a consistent list result. \
             You must start a new list without the continue parameter."
                .to_owned(),
        )
    } else {
        Failure::expired(expired)
    }
}
