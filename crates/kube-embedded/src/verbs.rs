//! What each verb does to the objects a path means.

pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod fit;
pub(crate) mod read;
mod scale;
pub(crate) mod update;
pub(crate) mod watch;

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use tokio_util::sync::CancellationToken;

use crate::access::User;
use crate::answer::Answer;
use crate::apply::Writer;
use crate::builtin::Builtin;
use crate::cluster::Cluster;
use crate::request::Ask;
use crate::reviews;
use crate::status::Failure;
use crate::target::{Part, Target};
use crate::tokens;

/// One request for objects.
pub(crate) struct Call<'a> {
    pub(crate) cluster: &'a Arc<Cluster>,
    pub(crate) ask: &'a Ask,
    pub(crate) user: &'a User,
    pub(crate) target: Target,
    pub(crate) body: Bytes,
    /// When the server stops, open watches end.
    pub(crate) stop: &'a CancellationToken,
}

impl Call<'_> {
    /// Whose write this is, at this moment.
    pub(crate) fn writer(&self) -> Result<Writer<'_>, Failure> {
        Ok(Writer {
            manager: self.ask.manager()?,
            subresource: match self.target.part {
                Part::Whole => None,
                Part::Status => Some("status"),
                Part::Scale => Some("scale"),
                Part::Finalize => Some("finalize"),
                Part::Token => Some("token"),
            },
            now: self.cluster.now(),
        })
    }
}

/// Does what the method means for the target.
pub(crate) async fn perform(call: Call<'_>) -> Result<Answer, Failure> {
    let named = call.target.name.is_some();
    let whole = call.target.part == Part::Whole;
    if call.target.served.info.namespaced
        && call.target.namespace.is_empty()
        && call.ask.method != Method::GET
    {
        return Err(match call.target.served.builtin() {
            Some(Builtin::Review(_)) => Failure::NoSuchResource,
            Some(_) => Failure::MethodNotAllowed,
            None => Failure::NoSuchPath,
        });
    }
    if let Some(Builtin::Review(review)) = call.target.served.builtin() {
        return match (&call.ask.method, named) {
            (&Method::POST, false) => reviews::answer(&call, review),
            _ => Err(Failure::MethodNotAllowed),
        };
    }
    if call.target.part == Part::Token {
        return match call.ask.method {
            Method::POST => tokens::issue(&call),
            _ => Err(Failure::MethodNotAllowed),
        };
    }
    let custom = call.target.served.builtin().is_none();
    let watches = call.ask.query.flag("watch");
    match (&call.ask.method, named, whole) {
        (&Method::GET, false, true) if watches => watch::watch(&call),
        (&Method::GET, true, _) if call.target.part == Part::Scale => scale::get(&call),
        (&Method::GET | &Method::PATCH, true, _) if call.target.part == Part::Finalize => {
            Err(Failure::MethodNotAllowed)
        }
        (&Method::GET, true, _) => read::get(&call),
        (&Method::GET, false, true) => read::list(&call),
        (&Method::POST, false, true) => create::create(&call).await,
        (&Method::POST, true, true) if custom => create::create(&call).await,
        (&Method::PUT | &Method::PATCH, false, true) if custom => {
            Err(Failure::BadRequest("name must be provided".to_owned()))
        }
        (&Method::PUT, true, _) => update::replace(&call).await,
        (&Method::PATCH, true, _) => update::patch(&call).await,
        (&Method::DELETE, true, true) => delete::delete(&call).await,
        (&Method::DELETE, false, true)
            if call.target.served.builtin() == Some(Builtin::Namespace) =>
        {
            Err(Failure::MethodNotAllowed)
        }
        (&Method::DELETE, false, true) => delete::delete_collection(&call).await,
        _ => Err(Failure::MethodNotAllowed),
    }
}
