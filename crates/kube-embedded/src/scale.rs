//! The scale subresource: how many of it a custom object wants and has, as `autoscaling/v1` `Scale`.
//!
//! Reads it out of an object and puts it back; how that is stored is in `verbs`. The words are those of
//! k8s.io/apiextensions-apiserver/pkg/registry/customresource.

#[cfg(test)]
mod tests;

use serde_json::{Value, json};

use crate::cause::Cause;
use crate::decode;

const API_VERSION: &str = "autoscaling/v1";
const LARGEST: i64 = i32::MAX as i64;
/// What a patch sees where nothing is wanted yet: it has to say something else.
const UNSET: i64 = i32::MIN as i64;

/// Where a kind keeps its scale: paths such as `.spec.replicas`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scale {
    spec_replicas: String,
    status_replicas: String,
    label_selector: Option<String>,
}

/// Why there is no scale to show, or none to put back.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScaleError {
    #[error("the spec replicas field {0:?} does not exist")]
    Missing(String),
    #[error("the spec replicas field {0:?} cannot be empty")]
    Empty(String),
    #[error("{0}")]
    Accessor(String),
    #[error("json: cannot unmarshal {found} into Go struct field {field} of type {wanted}")]
    Untyped {
        found: &'static str,
        field: String,
        wanted: &'static str,
    },
}

impl Scale {
    /// As a version of a definition says in `subresources.scale`.
    pub(crate) fn of_version(version: &Value) -> Option<Self> {
        let said = &version["subresources"]["scale"];
        let path = |key: &str| said[key].as_str().map(str::to_owned);
        Some(Self {
            spec_replicas: path("specReplicasPath")?,
            status_replicas: path("statusReplicasPath")?,
            label_selector: path("labelSelectorPath").filter(|path| !path.is_empty()),
        })
    }

    /// The object's scale, for a reader.
    pub(crate) fn shown(&self, object: &Value) -> Result<Value, ScaleError> {
        let wanted = number(object, &self.spec_replicas).map_err(ScaleError::Accessor)?;
        let wanted = wanted.ok_or_else(|| ScaleError::Missing(self.spec_replicas.clone()))?;
        self.with_replicas(object, wanted)
    }

    /// The object's scale, for a patch to be applied to.
    pub(crate) fn to_patch(&self, object: &Value) -> Result<Value, ScaleError> {
        let wanted = number(object, &self.spec_replicas).map_err(ScaleError::Accessor)?;
        self.with_replicas(object, wanted.unwrap_or(UNSET))
    }

    fn with_replicas(&self, object: &Value, wanted: i64) -> Result<Value, ScaleError> {
        let has = number(object, &self.status_replicas).map_err(ScaleError::Accessor)?;
        let mut status = json!({ "replicas": has.unwrap_or(0) });
        if let Some(path) = &self.label_selector {
            let selector = word(object, path).map_err(ScaleError::Accessor)?;
            if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
                status["selector"] = selector.into();
            }
        }
        let mut metadata = json!({});
        for field in [
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "creationTimestamp",
        ] {
            if let Some(value) = object["metadata"].get(field) {
                metadata[field] = value.clone();
            }
        }
        // Go leaves a zero out here, and not in the status.
        let spec = if wanted == 0 {
            json!({})
        } else {
            json!({ "replicas": wanted })
        };
        Ok(json!({
            "kind": "Scale",
            "apiVersion": API_VERSION,
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }))
    }

    /// `object` with as many as `scale` wants.
    pub(crate) fn put(&self, mut object: Value, scale: &Value) -> Result<Value, ScaleError> {
        let wanted = scale["spec"]["replicas"].as_i64().unwrap_or(0);
        if wanted == UNSET {
            return Err(ScaleError::Empty(self.spec_replicas.clone()));
        }
        let mut place = &mut object;
        for name in steps(&self.spec_replicas) {
            if place.is_null() {
                *place = json!({});
            }
            let Some(fields) = place.as_object_mut() else {
                let path = self.spec_replicas.clone();
                return Err(ScaleError::Accessor(format!("{path} is below no object")));
            };
            place = fields.entry(name).or_insert(Value::Null);
        }
        *place = wanted.into();
        Ok(object)
    }

    /// The path of what is wanted, without its first dot.
    pub(crate) fn wanted_at(&self) -> impl Iterator<Item = &str> {
        steps(&self.spec_replicas)
    }

    /// What is wrong with the scale of an object about to be stored; its spec counts if `whole`.
    pub(crate) fn check(&self, object: &Value, whole: bool) -> Vec<Cause> {
        let spec = whole.then_some(&self.spec_replicas);
        let numbers = spec.into_iter().chain([&self.status_replicas]);
        let mut causes: Vec<_> = numbers
            .filter_map(|path| check_number(object, path))
            .collect();
        if let Some(path) = &self.label_selector
            && let Err(why) = word(object, path)
        {
            causes.push(Cause::invalid(path, &"".into(), &why));
        }
        causes
    }
}

fn check_number(object: &Value, path: &str) -> Option<Cause> {
    let (value, why) = match number(object, path) {
        Err(why) => (0, why),
        Ok(Some(value)) if value < 0 => (value, "should be a non-negative integer".to_owned()),
        Ok(Some(value)) if value > LARGEST => {
            (value, format!("should be less than or equal to {LARGEST}"))
        }
        Ok(Some(_) | None) => return None,
    };
    Some(Cause::invalid(path, &value.into(), &why))
}

/// Is it a `Scale`, as far as types go? A client may leave out whatever it likes.
pub(crate) fn check_types(scale: &Value) -> Result<(), ScaleError> {
    let refuse = |value: &Value, field: &str, wanted| {
        Err(ScaleError::Untyped {
            found: decode::go_name(value),
            field: field.to_owned(),
            wanted,
        })
    };
    for (field, wanted) in [
        ("metadata", "v1.ObjectMeta"),
        ("spec", "v1.ScaleSpec"),
        ("status", "v1.ScaleStatus"),
    ] {
        let value = &scale[field];
        if !value.is_null() && !value.is_object() {
            return refuse(value, &format!("Scale.{field}"), wanted);
        }
    }
    for field in ["name", "namespace", "uid", "resourceVersion"] {
        let value = &scale["metadata"][field];
        if !value.is_null() && !value.is_string() {
            return refuse(value, &format!("ObjectMeta.metadata.{field}"), "string");
        }
    }
    let replicas = &scale["spec"]["replicas"];
    let fits = |number: i64| i32::try_from(number).is_ok();
    if !replicas.is_null() && !replicas.as_i64().is_some_and(fits) {
        return refuse(replicas, "ScaleSpec.spec.replicas", "int32");
    }
    Ok(())
}

fn steps(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('.').unwrap_or(path).split('.')
}

/// What is at the path; an error if it leads through something that has no fields.
fn find<'o>(object: &'o Value, path: &str) -> Result<Option<&'o Value>, String> {
    let mut value = object;
    for name in steps(path) {
        value = match value {
            Value::Object(fields) => match fields.get(name) {
                Some(value) => value,
                None => return Ok(None),
            },
            Value::Null => return Ok(None),
            other => return Err(misfit(path, other, "map[string]interface {}")),
        };
    }
    Ok(Some(value))
}

fn number(object: &Value, path: &str) -> Result<Option<i64>, String> {
    match find(object, path)? {
        None => Ok(None),
        Some(value) => match value.as_i64() {
            Some(number) => Ok(Some(number)),
            None => Err(misfit(path, value, "int64")),
        },
    }
}

fn word<'o>(object: &'o Value, path: &str) -> Result<Option<&'o str>, String> {
    match find(object, path)? {
        None => Ok(None),
        Some(Value::String(word)) => Ok(Some(word)),
        Some(value) => Err(misfit(path, value, "string")),
    }
}

/// As k8s.io/apimachinery/pkg/apis/meta/v1/unstructured says it of its `Nested…` functions.
fn misfit(path: &str, value: &Value, wanted: &str) -> String {
    let (shown, is) = match value {
        Value::Null => ("<nil>".to_owned(), "<nil>"),
        Value::Bool(value) => (value.to_string(), "bool"),
        Value::Number(number) if number.is_i64() => (number.to_string(), "int64"),
        Value::Number(number) => (number.to_string(), "float64"),
        Value::String(text) => (text.clone(), "string"),
        Value::Array(_) => (value.to_string(), "[]interface {}"),
        Value::Object(_) => (value.to_string(), "map[string]interface {}"),
    };
    let path: Vec<_> = steps(path).collect();
    format!(
        ".{} accessor error: {shown} is of the type {is}, expected {wanted}",
        path.join(".")
    )
}
