//! How a line of the table is written: a sentence, and the requests that show it.
//!
//! In paths, headers and bodies `{word}` stands for a value: `{ns}` and `{group}` are the sequence's own namespace and
//! API group, `{definitions}`, `{maps}`, `{secrets}` and `{things}` paths of collections, and everything that
//! [`Sequence::keep`] kept. A string that is nothing but one becomes the kept value whatever its type.

use serde_json::{Value, json};

use super::known::Known;

pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const JSON_PATCH: &str = "application/json-patch+json";
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(super) const APPLY: &str = "application/apply-patch+yaml";

/// Requests that belong together, in their order.
pub(super) struct Sequence {
    pub(super) sentence: String,
    pub(super) steps: Vec<Step>,
}

pub(super) enum Step {
    Ask(Ask),
    /// Remembers a part of the last answer.
    Keep {
        name: &'static str,
        pointer: &'static str,
    },
    /// Asks again and again until the answer is so; for what takes time on a real server. Not compared.
    Until {
        path: String,
        headers: Vec<(&'static str, String)>,
        so: Level,
    },
}

/// Whether a status and a body are as they should be.
pub(super) type Level = Box<dyn Fn(u16, &Value) -> bool + Send + Sync>;

/// A request.
pub(super) struct Ask {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) body: Body,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) who: Who,
    /// What of the answer's body is compared; all of it unless told otherwise.
    pub(super) shown: Option<fn(Value) -> Value>,
    pub(super) known: Option<Known>,
}

pub(super) enum Body {
    None,
    Json(Value),
    Text(String),
    /// The last answer, changed.
    Last(Box<dyn Fn(&mut Value) + Send + Sync>),
}

/// Whose token is sent.
pub(super) enum Who {
    /// A member of `system:masters`.
    Tester,
    Nobody,
    /// A token that may be a kept one.
    Token(String),
}

/// A sequence that shows what the sentence says.
pub(super) fn seq(sentence: impl Into<String>) -> Sequence {
    Sequence {
        sentence: sentence.into(),
        steps: Vec::new(),
    }
}

/// The definition of `things` in the sequence's group, with one version of that schema.
pub(super) fn things(schema: Value) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.{group}"},
        "spec": {
            "group": "{group}",
            "scope": "Namespaced",
            "names": {"kind": "Thing", "plural": "things"},
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema},
            }],
        },
    })
}

/// A thing with that name and spec.
pub(super) fn thing(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "{group}/v1", "kind": "Thing", "metadata": {"name": name}, "spec": spec})
}

/// A `ConfigMap` with that name and data.
pub(super) fn map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

/// A table, written as YAML.
pub(super) fn yaml(table: &str) -> Value {
    serde_yaml_ng::from_str(table).unwrap_or_else(|error| panic!("{error} in {table}"))
}

impl Sequence {
    /// How many requests it compares.
    pub(super) fn requests(&self) -> usize {
        self.asks().count()
    }

    pub(super) fn asks(&self) -> impl Iterator<Item = &Ask> {
        self.steps.iter().filter_map(|step| match step {
            Step::Ask(ask) => Some(ask),
            Step::Keep { .. } | Step::Until { .. } => None,
        })
    }

    /// A request of any method and body. Its headers, if any, follow by [`Sequence::with`].
    pub(super) fn ask(mut self, method: &'static str, path: impl Into<String>, body: Body) -> Self {
        self.steps.push(Step::Ask(Ask {
            method,
            path: path.into(),
            body,
            headers: Vec::new(),
            who: Who::Tester,
            shown: None,
            known: None,
        }));
        self
    }

    pub(super) fn get(self, path: impl Into<String>) -> Self {
        self.ask("GET", path, Body::None)
    }

    pub(super) fn delete(self, path: impl Into<String>) -> Self {
        self.ask("DELETE", path, Body::None)
    }

    /// Deletes with `DeleteOptions`.
    pub(super) fn delete_with(self, path: impl Into<String>, options: Value) -> Self {
        self.ask("DELETE", path, Body::Json(options))
    }

    pub(super) fn post(self, path: impl Into<String>, body: Value) -> Self {
        self.ask("POST", path, Body::Json(body))
    }

    pub(super) fn put(self, path: impl Into<String>, body: Value) -> Self {
        self.ask("PUT", path, Body::Json(body))
    }

    /// Puts the last answer back, changed.
    pub(super) fn put_back(
        self,
        path: impl Into<String>,
        change: impl Fn(&mut Value) + Send + Sync + 'static,
    ) -> Self {
        self.ask("PUT", path, Body::Last(Box::new(change)))
    }

    pub(super) fn patch(self, kind: &'static str, path: impl Into<String>, body: Value) -> Self {
        self.ask("PATCH", path, Body::Json(body))
            .with("content-type", kind)
    }

    pub(super) fn merge(self, path: impl Into<String>, body: Value) -> Self {
        self.patch(MERGE, path, body)
    }

    pub(super) fn apply(self, path: impl Into<String>, body: Value) -> Self {
        self.patch(APPLY, path, body)
    }

    /// A header of the last request, instead of the usual one of that name.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let headers = &mut self.last().headers;
        headers.retain(|(other, _)| *other != name);
        headers.push((name, value.into()));
        self
    }

    pub(super) fn accept(self, forms: &str) -> Self {
        self.with("accept", forms)
    }

    /// Who sends the last request.
    pub(super) fn by(mut self, who: Who) -> Self {
        self.last().who = who;
        self
    }

    /// What is compared of the last answer's body.
    pub(super) fn shown(mut self, part: fn(Value) -> Value) -> Self {
        self.last().shown = Some(part);
        self
    }

    /// The last answer differs, and the documentation says why.
    pub(super) fn known(mut self, difference: Known) -> Self {
        self.last().known = Some(difference);
        self
    }

    /// Remembers a part of the last answer as `{name}`.
    pub(super) fn keep(mut self, name: &'static str, pointer: &'static str) -> Self {
        self.steps.push(Step::Keep { name, pointer });
        self
    }

    pub(super) fn until(
        mut self,
        path: impl Into<String>,
        so: impl Fn(u16, &Value) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.steps.push(Step::Until {
            path: path.into(),
            headers: Vec::new(),
            so: Box::new(so),
        });
        self
    }

    /// Waits until that user may (or may no longer) read a path: a real server reads roles a moment later.
    pub(super) fn until_allowed(
        mut self,
        user: &str,
        path: impl Into<String>,
        allowed: bool,
    ) -> Self {
        self.steps.push(Step::Until {
            path: path.into(),
            headers: vec![("impersonate-user", user.to_owned())],
            so: Box::new(move |status, _| (status != 403) == allowed),
        });
        self
    }

    /// Waits until that user's refusal has these words in it.
    pub(super) fn until_told(
        mut self,
        user: &str,
        path: impl Into<String>,
        words: &'static str,
    ) -> Self {
        self.steps.push(Step::Until {
            path: path.into(),
            headers: vec![("impersonate-user", user.to_owned())],
            so: Box::new(move |_, refusal| {
                let message = refusal["message"].as_str();
                message.is_some_and(|message| message.contains(words))
            }),
        });
        self
    }

    /// Waits until a token opens nothing: a real server remembers one for ten seconds.
    pub(super) fn until_unauthorized(mut self, token: &str) -> Self {
        self.steps.push(Step::Until {
            path: "/version".to_owned(),
            headers: vec![("authorization", format!("Bearer {token}"))],
            so: Box::new(|status, _| status == 401),
        });
        self
    }

    pub(super) fn until_gone(self, path: impl Into<String>) -> Self {
        self.until(path, |status, _| status == 404)
    }

    /// Makes a definition of `things` and waits until they are served.
    pub(super) fn defined(self, definition: Value) -> Self {
        self.post("{definitions}", definition)
            .shown(|_| Value::Null)
            .until("{definitions}/things.{group}", |_, definition| {
                condition(definition, "Established") == Some("True")
            })
            .until("/apis/{group}", |status, _| status == 200)
            .until("{things}", |status, _| status == 200)
    }

    fn last(&mut self) -> &mut Ask {
        let last = self.steps.iter_mut().rev().find_map(|step| match step {
            Step::Ask(ask) => Some(ask),
            Step::Keep { .. } | Step::Until { .. } => None,
        });
        last.unwrap_or_else(|| panic!("no request yet: {}", self.sentence))
    }
}

/// The status of an object's condition.
pub(super) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let condition = conditions.iter().find(|found| found["type"] == kind)?;
    condition["status"].as_str()
}
