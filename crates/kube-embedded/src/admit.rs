//! From what a client wants stored to what is stored: fill in, drop, check, note who did it.

use std::borrow::Cow;

use jiff::Timestamp;
use serde_json::Value;

use crate::apply::{self, Writer};
use crate::builtin::{self, Builtin};
use crate::cause::Cause;
use crate::convert;
use crate::definition;
use crate::metadata::{self, NameRule};
use crate::registry::Served;
use crate::request::FieldValidation;
use crate::status::Failure;
use crate::target::Part;

/// How a write is to be judged.
pub(crate) struct Admission<'a> {
    pub(crate) served: &'a Served,
    pub(crate) part: Part,
    pub(crate) fields: FieldValidation,
    /// Whose write it is; nothing if an apply has noted that already.
    pub(crate) writer: Option<Writer<'a>>,
    pub(crate) now: Timestamp,
}

/// An object fit to be stored.
pub(crate) struct Admitted {
    /// In the version and words it is stored in.
    pub(crate) object: Value,
    pub(crate) warnings: Vec<String>,
}

impl Admission<'_> {
    /// A new object, named and placed already.
    pub(crate) fn create(&self, mut object: Value, uid: &str) -> Result<Admitted, Failure> {
        metadata::begin(&mut object, uid, self.now, self.has_generation());
        if self.served.info.status
            && let Some(fields) = object.as_object_mut()
        {
            fields.remove("status");
        }
        self.finish(object, None)
    }

    /// A new state of the object that is now `old` (in the words of the request).
    pub(crate) fn update(&self, old: &Value, mut new: Value) -> Result<Admitted, Failure> {
        self.keep_other_parts(old, &mut new);
        metadata::carry_over(old, &mut new);
        self.finish(new, Some(old))
    }

    /// A write to one part leaves the others as they were.
    fn keep_other_parts(&self, old: &Value, new: &mut Value) {
        match self.part {
            Part::Whole if self.served.info.status => copy(old, new, "status"),
            Part::Whole => {}
            Part::Status | Part::Finalize => {
                let field = if self.part == Part::Status {
                    "status"
                } else {
                    "spec"
                };
                let mut whole = old.clone();
                copy(new, &mut whole, field);
                let managed = new["metadata"].get("managedFields").cloned();
                metadata::edit(&mut whole, |fields| {
                    if let Some(managed) = managed {
                        fields.insert("managedFields".to_owned(), managed);
                    }
                });
                *new = whole;
            }
        }
    }

    fn finish(&self, mut object: Value, old: Option<&Value>) -> Result<Admitted, Failure> {
        let served = self.served;
        let unknown = served.schema.prune(&mut object);
        let mut warnings = self.judge_unknown(&unknown)?;
        warnings.extend(served.deprecation.clone());
        served.schema.default_in(&mut object);
        if let Some(builtin) = served.builtin()
            && self.part != Part::Finalize
        {
            builtin::default_in(builtin, &mut object, old);
            if builtin == Builtin::Definition && self.part == Part::Whole {
                definition::establish(&mut object, old, self.now);
            }
        }
        if let Some(old) = old {
            self.count_generation(old, &mut object);
        }
        let causes = self.check(&object, old);
        if !causes.is_empty() {
            return Err(self.invalid(metadata::text(&object, "name"), causes));
        }
        if let Some(writer) = &self.writer {
            apply::track_update(old, &mut object, writer, &served.schema);
        }
        convert::to_stored(served, &mut object);
        Ok(Admitted { object, warnings })
    }

    fn judge_unknown(&self, unknown: &[String]) -> Result<Vec<String>, Failure> {
        let words: Vec<_> = unknown
            .iter()
            .map(|field| format!("unknown field \"{field}\""))
            .collect();
        match self.fields {
            FieldValidation::Ignore => Ok(Vec::new()),
            FieldValidation::Warn => Ok(words),
            FieldValidation::Strict if words.is_empty() => Ok(Vec::new()),
            FieldValidation::Strict => Err(Failure::BadRequest(format!(
                "{kind} in version {:?} cannot be handled as a {kind}: strict decoding error: {}",
                self.served.info.version,
                words.join(", "),
                kind = self.served.info.kind,
            ))),
        }
    }

    fn check(&self, object: &Value, old: Option<&Value>) -> Vec<Cause> {
        let builtin = self.served.builtin();
        let rule = match builtin {
            Some(Builtin::Namespace) => NameRule::Label,
            Some(_) | None => NameRule::Subdomain,
        };
        let mut causes = metadata::check(object, old, rule);
        causes.extend(apply::check_managed_fields(object));
        causes.extend(self.served.schema.validate(object, old));
        if let Some(builtin) = builtin {
            causes.extend(builtin::check(builtin, object, old));
        }
        causes
    }

    pub(crate) fn invalid(&self, name: &str, causes: Vec<Cause>) -> Failure {
        Failure::Invalid {
            kind: self.served.kind(),
            name: name.to_owned(),
            causes,
        }
    }

    fn has_generation(&self) -> bool {
        self.served.builtin().is_none_or(Builtin::has_generation)
    }

    /// Counts changes of what is wanted: everything but metadata and, where it is a part, status.
    fn count_generation(&self, old: &Value, new: &mut Value) {
        if !self.has_generation() {
            return;
        }
        let counts =
            |field: &str| field != "metadata" && !(field == "status" && self.served.info.status);
        let differs = |one: &Value, other: &Value| {
            let fields = one.as_object().into_iter().flatten();
            let mut counted = fields.filter(|(field, _)| counts(field));
            counted.any(|(field, value)| other.get(field) != Some(value))
        };
        if !differs(old, new) && !differs(new, old) {
            return;
        }
        let generation = old["metadata"]["generation"].as_i64().unwrap_or(0);
        metadata::edit(new, |fields| {
            fields.insert("generation".to_owned(), (generation + 1).into());
        });
    }
}

fn copy(from: &Value, to: &mut Value, field: &str) {
    let Some(fields) = to.as_object_mut() else {
        return;
    };
    match from.get(field) {
        Some(value) => fields.insert(field.to_owned(), value.clone()),
        None => fields.remove(field),
    };
}

/// A stored object as `served` shows it; what it was stored without, today's definition fills in.
pub(crate) fn shown<'a>(served: &Served, object: &'a crate::stored::Stored) -> Cow<'a, Value> {
    let outdated = match served.nature {
        crate::registry::Nature::Custom { version } => object.version() < version,
        crate::registry::Nature::Builtin(_) => false,
    };
    if !outdated && convert::is_stored_form(served, object.value()) {
        return Cow::Borrowed(object.value());
    }
    let mut value = object.value().clone();
    convert::from_stored(served, &mut value);
    if outdated {
        served.schema.prune(&mut value);
        served.schema.default_in(&mut value);
    }
    Cow::Owned(value)
}
