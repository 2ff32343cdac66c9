//! What Secrets and `ConfigMaps` refuse: keys, sizes, what a type must hold, and changes once immutable.

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, Engine};
use serde_json::Value;

use crate::cause::Cause;
use crate::decode;

/// All values of an object together.
const SIZE_LIMIT: usize = 1024 * 1024;
const KEY_WORDS: &str = "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
/// Stands for a Secret's value in messages.
const REDACTED: &str = "<secret contents redacted>";
const OWNER: &str = "kubernetes.io/service-account.name";

/// The first value that is no base64, in the words of Go's decoder.
pub(super) fn broken_base64(values: &Value) -> Option<String> {
    let mut texts = values.as_object()?.values().filter_map(Value::as_str);
    texts.find_map(|text| {
        let at = match STANDARD.decode(text).err()? {
            DecodeError::InvalidByte(at, _) | DecodeError::InvalidLastSymbol(at, _) => at,
            DecodeError::InvalidLength(length) => length,
            DecodeError::InvalidPadding => text.len(),
        };
        Some(format!("illegal base64 data at input byte {at}"))
    })
}

fn decoded(values: &Value, key: &str) -> Option<Vec<u8>> {
    STANDARD.decode(values[key].as_str()?).ok()
}

fn decoded_size(values: &Value) -> usize {
    let texts = values.as_object().into_iter().flatten();
    // Three bytes in four letters; what is missing at the end is too little to matter.
    texts
        .map(|(_, text)| text.as_str().map_or(0, str::len) / 4 * 3)
        .sum()
}

pub(super) fn secret(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let data = &object["data"];
    let mut causes: Vec<Cause> = keys(data)
        .filter_map(|key| check_key("data", key))
        .collect();
    if decoded_size(data) > SIZE_LIMIT {
        causes.push(Cause::too_long("data", SIZE_LIMIT as u64));
    }
    causes.extend(of_type(object));
    if let Some(old) = old {
        causes.extend(immutable(object, old, &["data"]));
        if object["type"] != old["type"] {
            causes.push(Cause::invalid(
                "type",
                &object["type"],
                "field is immutable",
            ));
        }
    }
    causes
}

/// What is said of a certificate and key in which Go's TLS finds nothing at all.
pub(crate) fn tls_warnings(object: &Value) -> Vec<String> {
    if object["type"] != "kubernetes.io/tls" {
        return Vec::new();
    }
    let lacks = |key: &str| {
        let bytes = decoded(&object["data"], key)?;
        let text = String::from_utf8_lossy(&bytes);
        (!text.contains("-----BEGIN")).then_some(())
    };
    let what = match (lacks("tls.crt"), lacks("tls.key")) {
        (Some(()), _) => "certificate",
        (None, Some(())) => "key",
        (None, None) => return Vec::new(),
    };
    vec![format!("tls: failed to find any PEM data in {what} input")]
}

/// What a Secret of a known type must hold.
fn of_type(object: &Value) -> Vec<Cause> {
    let data = &object["data"];
    let missing = |wanted: &[&str]| -> Vec<Cause> {
        let missing = wanted.iter().filter(|key| data.get(**key).is_none());
        missing
            .map(|key| Cause::required(format!("data[{key}]"), ""))
            .collect()
    };
    match object["type"].as_str().unwrap_or_default() {
        "kubernetes.io/tls" => missing(&["tls.crt", "tls.key"]),
        "kubernetes.io/ssh-auth" if data["ssh-privatekey"] == "" => {
            vec![Cause::required("data[ssh-privatekey]", "")]
        }
        "kubernetes.io/ssh-auth" => missing(&["ssh-privatekey"]),
        "kubernetes.io/basic-auth" => {
            let either = missing(&["username", "password"]);
            if either.len() == 2 {
                either
            } else {
                Vec::new()
            }
        }
        "kubernetes.io/dockerconfigjson" => json_in(data, ".dockerconfigjson"),
        "kubernetes.io/dockercfg" => json_in(data, ".dockercfg"),
        "kubernetes.io/service-account-token" => {
            let owner = object["metadata"]["annotations"][OWNER]
                .as_str()
                .unwrap_or_default();
            let field = format!("metadata.annotations[{OWNER}]");
            if owner.is_empty() {
                vec![Cause::required(field, "")]
            } else {
                Vec::new()
            }
        }
        _ => Vec::new(),
    }
}

fn json_in(data: &Value, key: &str) -> Vec<Cause> {
    let field = format!("data[{key}]");
    if data.get(key).is_none() {
        return vec![Cause::required(field, "")];
    }
    let bytes = decoded(data, key).unwrap_or_default();
    match serde_json::from_slice::<serde::de::IgnoredAny>(&bytes) {
        Ok(_) => Vec::new(),
        Err(error) => {
            let words = decode::words::go(&error, &bytes);
            vec![Cause::invalid(field, &REDACTED.into(), &words)]
        }
    }
}

pub(super) fn config_map(object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut causes = Vec::new();
    for key in keys(&object["data"]) {
        causes.extend(check_key("data", key));
        if object["binaryData"].get(key).is_some() {
            let words = "duplicate of key present in binaryData";
            causes.push(Cause::invalid(format!("data[{key}]"), &key.into(), words));
        }
    }
    causes.extend(keys(&object["binaryData"]).filter_map(|key| check_key("binaryData", key)));
    let texts = object["data"].as_object().into_iter().flatten();
    let size: usize = texts
        .map(|(_, text)| text.as_str().map_or(0, str::len))
        .sum();
    if size + decoded_size(&object["binaryData"]) > SIZE_LIMIT {
        causes.push(Cause::too_long("[]", SIZE_LIMIT as u64));
    }
    if let Some(old) = old {
        causes.extend(immutable(object, old, &["data", "binaryData"]));
    }
    causes
}

fn keys(values: &Value) -> impl Iterator<Item = &str> {
    let values = values.as_object().into_iter().flatten();
    values.map(|(key, _)| key.as_str())
}

fn check_key(field: &str, key: &str) -> Option<Cause> {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let invalid = |words: &str| {
        Some(Cause::invalid(
            format!("{field}[{key}]"),
            &key.into(),
            words,
        ))
    };
    match key {
        "." => invalid("must not be '.'"),
        ".." => invalid("must not be '..'"),
        key if key.len() > 253 => invalid("must be no more than 253 characters"),
        key if key.is_empty() || !key.bytes().all(inside) => invalid(KEY_WORDS),
        key if key.starts_with("..") => invalid("must not start with '..'"),
        _ => None,
    }
}

/// Once `immutable` is true, neither it nor the fields change.
fn immutable(object: &Value, old: &Value, fields: &[&str]) -> Vec<Cause> {
    if old["immutable"] != true {
        return Vec::new();
    }
    let words = "field is immutable when `immutable` is set";
    let mut causes = Vec::new();
    if object["immutable"] != true {
        causes.push(Cause::forbidden("immutable", words));
    }
    let changed = fields
        .iter()
        .filter(|field| object[**field] != old[**field]);
    causes.extend(changed.map(|field| Cause::forbidden(*field, words)));
    causes
}
