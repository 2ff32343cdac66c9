//! A request's body as one JSON value, whichever way it is written.

pub(crate) mod duplicates;
mod protobuf;
pub(crate) mod words;

use bytes::Bytes;
use serde_json::Value;

use protobuf::ProtobufError;

const ACCEPTED: &str = "application/json, application/yaml, application/vnd.kubernetes.protobuf";

/// Why a body cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("no form but these is read: {0}")]
    UnknownForm(&'static str),
    #[error("json parse error: {words}")]
    Json {
        words: String,
        #[source]
        error: serde_json::Error,
    },
    #[error("yaml parse error: {0}")]
    Yaml(serde_yaml_ng::Error),
    #[error("protobuf parse error: {0}")]
    Protobuf(ProtobufError),
}

/// An object of a resource, or delete options.
pub(crate) fn object(content_type: &str, body: &Bytes) -> Result<Value, DecodeError> {
    match content_type {
        "" | "application/json" => json(body),
        "application/yaml" => yaml(body),
        "application/vnd.kubernetes.protobuf" => {
            protobuf::decode(body).map_err(DecodeError::Protobuf)
        }
        _ => Err(DecodeError::UnknownForm(ACCEPTED)),
    }
}

pub(crate) fn json(body: &Bytes) -> Result<Value, DecodeError> {
    serde_json::from_slice(body).map_err(|error| DecodeError::Json {
        words: words::go(&error, body),
        error,
    })
}

/// YAML as kubectl writes it; JSON is YAML too, and read faster as what it is.
pub(crate) fn yaml(body: &Bytes) -> Result<Value, DecodeError> {
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    serde_yaml_ng::from_slice(body).map_err(DecodeError::Yaml)
}
