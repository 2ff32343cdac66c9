//! What a request asks for, as far as permission is concerned: a verb, and a resource or a path.
//!
//! Read from the request alone, before anybody knows whether there is such a resource, with the rules of
//! k8s.io/apiserver/pkg/endpoints/request/requestinfo.go.

use std::borrow::Cow;

use http::{Method, Uri};

use crate::request::Query;
use crate::selector::Fields;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attributes<'a> {
    pub(crate) verb: Cow<'a, str>,
    pub(crate) what: What<'a>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What<'a> {
    /// What is left out is empty.
    Resource {
        group: Cow<'a, str>,
        resource: Cow<'a, str>,
        subresource: Cow<'a, str>,
        namespace: Cow<'a, str>,
        name: Cow<'a, str>,
    },
    Path(Cow<'a, str>),
}

impl<'a> Attributes<'a> {
    /// `segments` are the path's, decoded.
    pub(crate) fn of(method: &Method, uri: &'a Uri, segments: &[&'a str], query: &Query) -> Self {
        let (group, rest) = match segments {
            ["api", _version, rest @ ..] if !rest.is_empty() => ("", rest),
            ["apis", group, _version, rest @ ..] if !rest.is_empty() => (*group, rest),
            _ => {
                return Self {
                    verb: method.as_str().to_lowercase().into(),
                    what: What::Path(uri.path().into()),
                };
            }
        };
        let (watched, rest) = match rest {
            ["watch", rest @ ..] if !rest.is_empty() => (true, rest),
            rest => (false, rest),
        };
        let (namespace, rest) = match rest {
            ["namespaces", namespace] | ["namespaces", namespace, "status" | "finalize", ..] => {
                (*namespace, rest)
            }
            ["namespaces", namespace, inside @ ..] => (*namespace, inside),
            rest => ("", rest),
        };
        let part = |at: usize| rest.get(at).copied().unwrap_or_default();
        let selected = (part(1).is_empty() && !watched && *method == Method::GET)
            .then(|| selected_name(query))
            .flatten();
        Self {
            verb: verb(method, part(1).is_empty(), watched, query).into(),
            what: What::Resource {
                group: group.into(),
                resource: part(0).into(),
                subresource: part(2).into(),
                namespace: namespace.into(),
                name: selected.map_or_else(|| part(1).into(), Cow::Owned),
            },
        }
    }

    /// One verb done to a resource; what is not said is empty.
    pub(crate) fn resource(
        verb: impl Into<Cow<'a, str>>,
        [group, resource, subresource, namespace, name]: [&'a str; 5],
    ) -> Self {
        Self {
            verb: verb.into(),
            what: What::Resource {
                group: group.into(),
                resource: resource.into(),
                subresource: subresource.into(),
                namespace: namespace.into(),
                name: name.into(),
            },
        }
    }

    pub(crate) fn namespace(&self) -> &str {
        match &self.what {
            What::Resource { namespace, .. } => namespace,
            What::Path(_) => "",
        }
    }
}

fn verb(method: &Method, collection: bool, watched: bool, query: &Query) -> &'static str {
    match *method {
        _ if watched => "watch",
        Method::POST => "create",
        Method::GET | Method::HEAD if !collection => "get",
        Method::GET | Method::HEAD if query.flag("watch") => "watch",
        Method::GET | Method::HEAD => "list",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if collection => "deletecollection",
        Method::DELETE => "delete",
        _ => "",
    }
}

/// A list of the one object of that name is allowed to whoever may list just that.
fn selected_name(query: &Query) -> Option<String> {
    let selector = Fields::parse(query.get("fieldSelector")?).ok()?;
    let name = selector.name()?;
    let is_segment = ![".", ".."].contains(&name) && !name.contains(['/', '%']);
    is_segment.then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
