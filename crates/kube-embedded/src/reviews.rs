//! Questions a client asks about itself: who am I, may I do this. Nothing of it is stored.
//!
//! Whoever gets in may do everything: there is one token, and no roles behind it.

use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::cause::Cause;
use crate::metadata;
use crate::status::{Failure, Qualified};
use crate::verbs::{Call, fit};

/// Which question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Review {
    /// `SelfSubjectAccessReview`: may I do this?
    Access,
    /// `SelfSubjectRulesReview`: what may I do?
    Rules,
    /// `SelfSubjectReview`: who am I?
    Identity,
}

/// The question with its answer in `status`.
pub(crate) fn answer(call: &Call<'_>, review: Review) -> Result<Answer, Failure> {
    let mut answered = fit::body(call, None)?;
    let spec = &answered["spec"];
    let asks_one =
        spec["resourceAttributes"].is_object() != spec["nonResourceAttributes"].is_object();
    answered["status"] = match review {
        Review::Access if !asks_one => return Err(asks_nothing()),
        Review::Access => json!({ "allowed": true }),
        Review::Rules => json!({
            "resourceRules": [{ "verbs": ["*"], "apiGroups": ["*"], "resources": ["*"] }],
            "nonResourceRules": [{ "verbs": ["*"], "nonResourceURLs": ["*"] }],
            "incomplete": false,
        }),
        Review::Identity => json!({
            "userInfo": {
                "username": "system:admin",
                "groups": ["system:masters", "system:authenticated"],
            },
        }),
    };
    metadata::edit(&mut answered, |fields| {
        fields.insert("creationTimestamp".to_owned(), Value::Null);
    });
    Ok(Answer::value(answered).with_code(StatusCode::CREATED))
}

fn asks_nothing() -> Failure {
    let words = "exactly one of nonResourceAttributes or resourceAttributes must be specified";
    Failure::Invalid {
        kind: Qualified {
            name: String::new(),
            group: "authorization.k8s.io".to_owned(),
        },
        name: String::new(),
        causes: vec![Cause::invalid("spec", &Value::Null, words)],
    }
}
