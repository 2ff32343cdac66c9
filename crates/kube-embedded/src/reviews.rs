//! Questions a client asks about itself: who am I, may I do this. Nothing of it is stored.
//!
//! Whoever gets in may do everything: there is one token, and no roles behind it.

use http::StatusCode;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::status::Failure;
use crate::verbs::Call;
use crate::verbs::create::fits_path;
use crate::{decode, metadata};

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
    let asked = decode::object(&call.ask.content_type, &call.body)?;
    let mut answered = fits_path(call, asked, None)?;
    answered["status"] = match review {
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
