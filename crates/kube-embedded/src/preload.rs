//! The objects a server is to have from its start: made as a client would make them, unless they are there.

use axum::body::Body;
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use crate::metadata;
use crate::registry::{Registry, Served};
use crate::server::Server;

/// Why an object is not there.
#[derive(Debug, thiserror::Error)]
pub enum PreloadError {
    #[error("the object is no JSON")]
    Unwritable(#[source] serde_json::Error),
    #[error("nothing called {kind:?} is served in {api_version:?}")]
    UnknownKind { api_version: String, kind: String },
    #[error("the server refuses {name:?}: {why}")]
    Refused { name: String, why: String },
}

/// Makes `object` on the server, whose registry this is, unless there is one of its name.
pub(crate) async fn make(
    server: Server,
    registry: &Registry,
    object: &Value,
) -> Result<(), PreloadError> {
    let name = metadata::text(object, "name").to_owned();
    let refused = |why: String| PreloadError::Refused {
        name: name.clone(),
        why,
    };
    let request = Request::post(path(registry, object)?)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(object.to_string()))
        .map_err(|error| refused(error.to_string()))?;
    let response = server.answer(request).await;
    if response.status().is_success() || response.status() == StatusCode::CONFLICT {
        return Ok(());
    }
    let body = response.into_body().collect().await;
    let body = body.map_err(|error| refused(error.to_string()))?.to_bytes();
    let status: Value = serde_json::from_slice(&body).unwrap_or_default();
    Err(refused(
        status["message"].as_str().unwrap_or_default().to_owned(),
    ))
}

/// Where objects of its kind are made; what names no namespace goes into `default`.
fn path(registry: &Registry, object: &Value) -> Result<String, PreloadError> {
    let said = |field: &str| object[field].as_str().unwrap_or_default().to_owned();
    let (api_version, kind) = (said("apiVersion"), said("kind"));
    let is_it = |served: &Served| served.api_version == api_version && served.info.kind == kind;
    let Some(served) = registry.served().iter().find(|served| is_it(served)) else {
        return Err(PreloadError::UnknownKind { api_version, kind });
    };
    let root = if served.info.group.is_empty() {
        "api"
    } else {
        "apis"
    };
    let namespace = match metadata::text(object, "namespace") {
        _ if !served.info.namespaced => String::new(),
        "" => "/namespaces/default".to_owned(),
        namespace => format!("/namespaces/{namespace}"),
    };
    let plural = &served.info.plural;
    Ok(format!("/{root}/{api_version}{namespace}/{plural}"))
}
