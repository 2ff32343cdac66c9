//! A request's body as one JSON object, whichever way it is written.

mod protobuf;

use bytes::Bytes;
use serde_json::Value;

use crate::status::Failure;

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// An object of the resource, or delete options, as JSON or YAML.
pub(crate) fn object(content_type: &str, body: &Bytes) -> Result<Value, Failure> {
    match content_type {
        "" | "application/json" => json(body),
        "application/yaml" => yaml(body),
        "application/vnd.kubernetes.protobuf" => protobuf::decode(body)
            .map_err(|error| Failure::BadRequest(format!("error decoding the body: {error}"))),
        _ => Err(Failure::UnsupportedMediaType(ACCEPTED)),
    }
}

pub(crate) fn json(body: &Bytes) -> Result<Value, Failure> {
    serde_json::from_slice(body)
        .map_err(|error| Failure::BadRequest(format!("error decoding the body: {error}")))
}

/// YAML as kubectl writes it; JSON is YAML too, and read faster as what it is.
pub(crate) fn yaml(body: &Bytes) -> Result<Value, Failure> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    serde_yaml_ng::from_slice(body)
        .map_err(|error| Failure::BadRequest(format!("error decoding the body: {error}")))
}
