//! From a request to its answer: who asks, what for, and which file knows.

use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use http::{HeaderMap, Method, Response, request};
use tokio_util::sync::CancellationToken;

use crate::answer::{Answer, Content};
use crate::authenticate::{Origin, authenticate};
use crate::cluster::Cluster;
use crate::discovery;
use crate::openapi::{self, Described};
use crate::registry::Registry;
use crate::request::{Accept, Ask, Encoding, Shape};
use crate::status::Failure;
use crate::target::Target;
use crate::verbs::{self, Call};

/// A request as it came in, its body read.
pub(crate) struct Incoming {
    pub(crate) head: request::Parts,
    pub(crate) body: Bytes,
    pub(crate) origin: Origin,
    /// When the server stops.
    pub(crate) stop: CancellationToken,
}

/// `OpenAPI` v2 is asked for by kubectl when it checks a `List`, and in this form alone. The document names no
/// kinds, so kubectl leaves the checking to us: a `Document` of gnostic's OpenAPIv2.proto with its version,
/// title and an empty list of paths.
const OPENAPI_V2: &[u8] = b"\x0a\x032.0\x12\x15\x0a\x0aKubernetes\x12\x07v1.37.0\x42\x00";
const OPENAPI_V2_FORM: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

pub(crate) async fn respond(
    cluster: &Arc<Cluster>,
    token: &str,
    incoming: Incoming,
) -> Response<Body> {
    let request::Parts {
        method,
        uri,
        headers,
        ..
    } = &incoming.head;
    let encoding = Encoding::Json;
    // Whether it lives, anybody may ask, in whatever form.
    if let Some("healthz" | "livez" | "readyz") = uri.path().split('/').nth(1) {
        return Answer::of(Content::Text("ok")).into_response(encoding);
    }
    if uri.path().trim_end_matches('/') == "/openapi/v2" {
        let allowed = authenticate(headers, token, incoming.origin);
        let answer = allowed.map(|()| Answer::of(Content::Binary(OPENAPI_V2_FORM, OPENAPI_V2)));
        return answer
            .unwrap_or_else(|failure| Answer::refusal(&failure))
            .into_response(encoding);
    }
    let ask = match Ask::parse(method, uri, headers) {
        Ok(ask) => ask,
        Err(failure) => return Answer::refusal(&failure).into_response(encoding),
    };
    let encoding = ask.accept.encoding;
    let answer = answer(cluster, token, headers, &ask, &incoming).await;
    answer
        .unwrap_or_else(|failure| Answer::refusal(&failure))
        .into_response(encoding)
}

async fn answer(
    cluster: &Arc<Cluster>,
    token: &str,
    headers: &HeaderMap,
    ask: &Ask,
    incoming: &Incoming,
) -> Result<Answer, Failure> {
    let segments = ask.segments();
    authenticate(headers, token, incoming.origin)?;
    let registry = cluster.registry();
    if let Some(answer) = documents(&registry, ask, headers, &segments) {
        return if ask.method == Method::GET {
            answer
        } else {
            Err(Failure::MethodNotAllowed)
        };
    }
    let (group, version, rest) = match segments.as_slice() {
        ["api", version, rest @ ..] => ("", *version, rest),
        ["apis", group, version, rest @ ..] => (*group, *version, rest),
        _ => return Err(Failure::NoSuchPath),
    };
    if !registry.has(group, version) {
        return Err(registry.not_served(group));
    }
    let call = Call {
        cluster,
        ask,
        target: Target::find(&registry, group, version, rest)?,
        body: incoming.body.clone(),
        stop: &incoming.stop,
    };
    verbs::perform(call).await
}

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// The documents that say what is served; None if the path means objects.
fn documents(
    registry: &Registry,
    ask: &Ask,
    headers: &HeaderMap,
    segments: &[&str],
) -> Option<Result<Answer, Failure>> {
    let host = headers
        .get(http::header::HOST)
        .and_then(|host| host.to_str().ok());
    let aggregated = ask.accept
        == Accept {
            encoding: ask.accept.encoding,
            shape: Shape::AggregatedDiscovery,
        };
    let resources = || registry.resources();
    let found =
        |value: Option<serde_json::Value>| value.map(Answer::value).ok_or(Failure::NoSuchPath);
    let whole = |core: bool| {
        let document = discovery::aggregated(&resources(), core);
        Ok(Answer::of(Content::Typed(AGGREGATED, document)))
    };
    Some(match segments {
        [] => Ok(Answer::value(paths(registry))),
        ["version"] => Ok(Answer::value(discovery::version())),
        ["api"] if aggregated => whole(true),
        ["apis"] if aggregated => whole(false),
        ["api"] => Ok(Answer::value(discovery::core_versions(
            host.unwrap_or_default(),
        ))),
        ["apis"] => Ok(Answer::value(discovery::group_list(&resources()))),
        ["apis", group] => found(discovery::group(&resources(), group)),
        ["api", "v1"] => found(discovery::resource_list(&resources(), "", "v1")),
        ["apis", group, version] => discovery::resource_list(&resources(), group, version)
            .map(Answer::value)
            .ok_or_else(|| registry.not_served(group)),
        ["openapi", "v3"] => Ok(Answer::value(openapi::index(&documents_of(registry)))),
        ["openapi", "v3", "api", version] => found(document(registry, "", version)),
        ["openapi", "v3", "apis", group, version] => found(document(registry, group, version)),
        _ => return None,
    })
}

/// Every path there is, for people with curl.
fn paths(registry: &Registry) -> serde_json::Value {
    let mut paths = vec![
        "/api".to_owned(),
        "/apis".to_owned(),
        "/healthz".to_owned(),
        "/openapi/v3".to_owned(),
        "/version".to_owned(),
    ];
    paths.extend(
        documents_of(registry)
            .into_iter()
            .map(|(path, _)| format!("/{path}")),
    );
    paths.sort();
    serde_json::json!({ "paths": paths })
}

/// The path of each group version, and a word that changes when its document does.
fn documents_of(registry: &Registry) -> Vec<(String, String)> {
    let mut documents: Vec<(String, String)> = registry
        .served()
        .iter()
        .map(|served| {
            let prefix = if served.info.group.is_empty() {
                "api"
            } else {
                "apis"
            };
            let path = format!("{prefix}/{}", served.api_version);
            (path, registry.version.to_string())
        })
        .collect();
    documents.sort();
    documents.dedup();
    documents
}

fn document(registry: &Registry, group: &str, version: &str) -> Option<serde_json::Value> {
    let served = registry.served().iter();
    let described: Vec<_> = served
        .filter(|served| served.info.group == group && served.info.version == version)
        .map(|served| Described {
            resource: &served.info,
            schema: served.described.as_ref(),
        })
        .collect();
    (!described.is_empty()).then(|| openapi::group_document(&described))
}
