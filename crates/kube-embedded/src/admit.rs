//! From what a client wants stored to what is stored: fill in, drop, check, note who did it.

use jiff::Timestamp;
use serde_json::Value;

use crate::apply::{self, Writer};
use crate::builtin::{self, Builtin};
use crate::cause::{Cause, Reason};
use crate::convert;
use crate::crd;
use crate::definition;
use crate::metadata::{self, NameRule};
use crate::registry::{Nature, Served};
use crate::request::FieldValidation;
use crate::status::{Failure, Qualified};
use crate::stored::Stored;
use crate::target::Part;

/// How a write is to be judged.
pub(crate) struct Admission<'a> {
    pub(crate) served: &'a Served,
    pub(crate) part: Part,
    pub(crate) fields: FieldValidation,
    /// A patch is told of unknown fields in words of its own.
    pub(crate) patches: bool,
    /// Whose write it is; nothing if an apply has noted that already.
    pub(crate) writer: Option<Writer<'a>>,
    pub(crate) now: Timestamp,
    /// Fields the body says twice.
    pub(crate) duplicates: Vec<String>,
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
            Part::Whole | Part::Scale => {}
            // A namespace's parts are told apart by these alone.
            Part::Finalize => copy(old, new, "status"),
            Part::Status if self.served.builtin() == Some(Builtin::Namespace) => {
                copy(old, new, "spec");
            }
            Part::Status => {
                let mut whole = old.clone();
                copy(new, &mut whole, "status");
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
        let patched =
            (self.patches && self.fields == FieldValidation::Strict).then(|| object.to_string());
        let mut unknown = served.schema.prune(&mut object);
        if served.builtin().is_some() {
            unknown.sort();
        }
        let mut warnings = self.judge_unknown(&unknown, patched)?;
        warnings.extend(served.deprecation.clone());
        let in_any_case = warnings.clone();
        if served.builtin().is_some() {
            served.schema.tidy(&mut object);
            builtin::drop_nulls(&mut object);
        } else {
            warnings.extend(metadata::finalizer_warnings(&object, old));
        }
        if served.builtin() == Some(Builtin::Definition) {
            let known = old.map(crd::warnings).unwrap_or_default();
            let found = crd::warnings(&object).into_iter();
            warnings.extend(found.filter(|warning| !known.contains(warning)));
        }
        served.schema.default_in(&mut object);
        if let Some(builtin) = served.builtin() {
            builtin::default_in(
                builtin,
                &mut object,
                old.filter(|_| self.part != Part::Finalize),
            );
        }
        if served.builtin() == Some(Builtin::Secret) {
            warnings.extend(builtin::tls_warnings(&object));
        }
        if let Some(old) = old {
            self.count_generation(old, &mut object);
        }
        if let Err(failure) = self.check(&object, old) {
            return Err(failure.warned(in_any_case));
        }
        self.track(old, &mut object);
        if served.builtin() == Some(Builtin::Lease) {
            builtin::drop_coordinated_election(&mut object);
        }
        if let Some(builtin) = served.builtin()
            && self.part == Part::Whole
        {
            if old.is_none() {
                builtin::complete(builtin, &mut object);
            }
            if builtin == Builtin::Definition {
                definition::keep_status(&mut object, old);
            }
        }
        convert::to_stored(served, &mut object);
        Ok(Admitted { object, warnings })
    }

    /// Notes whose word the changed fields are, unless an apply has.
    fn track(&self, old: Option<&Value>, object: &mut Value) {
        let Some(writer) = &self.writer else {
            return;
        };
        // Who owned nothing from the start is not asked later.
        if old.is_some_and(|old| old["metadata"]["managedFields"].is_null()) {
            return;
        }
        if self.has_owners_who_cannot_follow(old, object) {
            return;
        }
        let blank = self.served.builtin().map(builtin::blank);
        let before = old.or(blank.as_ref());
        apply::track_update(before, object, writer, &self.served.schema);
    }

    /// Where another version that somebody wrote in cannot hold the object, Kubernetes comes to no end
    /// with comparing, and leaves the owners as they are.
    fn has_owners_who_cannot_follow(&self, old: Option<&Value>, object: &Value) -> bool {
        let owners = old.map(|old| &old["metadata"]["managedFields"]);
        let owners = owners.and_then(Value::as_array).into_iter().flatten();
        let versions = owners.filter_map(|owner| owner["apiVersion"].as_str());
        let mut others = versions.filter(|version| *version != self.served.api_version);
        others.any(|version| {
            let schema = self.served.schema_of(version);
            schema.is_some_and(|schema| !schema.prune(&mut object.clone()).is_empty())
        })
    }

    /// `patched` is what came of a patch, as JSON.
    fn judge_unknown(
        &self,
        unknown: &[String],
        patched: Option<String>,
    ) -> Result<Vec<String>, Failure> {
        let duplicates = self.duplicates.iter();
        let duplicates = duplicates.map(|field| format!("duplicate field \"{field}\""));
        let unknown = unknown
            .iter()
            .map(|field| format!("unknown field \"{field}\""));
        let words: Vec<_> = duplicates.chain(unknown).collect();
        match self.fields {
            FieldValidation::Ignore => Ok(Vec::new()),
            FieldValidation::Warn => Ok(words),
            FieldValidation::Strict if words.is_empty() => Ok(Vec::new()),
            FieldValidation::Strict => Err(self.unknown(&words.join(", "), patched)),
        }
    }

    fn unknown(&self, words: &str, patched: Option<String>) -> Failure {
        let words = format!("strict decoding error: {words}");
        let kind = &self.served.info.kind;
        match patched {
            None => Failure::BadRequest(format!(
                "{kind} in version {:?} cannot be handled as a {kind}: {words}",
                self.served.info.version,
            )),
            Some(patched) => Failure::Invalid {
                kind: Qualified::nothing(),
                name: String::new(),
                causes: vec![Cause::invalid("patch", &patched.into(), &words)],
            },
        }
    }

    fn check(&self, object: &Value, old: Option<&Value>) -> Result<(), Failure> {
        let builtin = self.served.builtin();
        let rule = match builtin {
            Some(Builtin::Namespace) => NameRule::Label,
            Some(_) | None => NameRule::Subdomain,
        };
        let mut causes = metadata::check(object, old, rule);
        if builtin.is_none() && old.is_some() {
            // Kubernetes looks twice, and says so twice.
            causes.extend_from_within(..);
        }
        let mut shape = self.served.schema.validate(object, old);
        if let Some(builtin) = builtin {
            if let Some(problem) = builtin::undecodable(self.served, object, &shape) {
                return Err(Failure::BadRequest(problem));
            }
            shape.retain(|cause| cause.reason != Reason::TypeInvalid);
            let mut more = builtin::check(builtin, object, old);
            if self.served.info.group.is_empty() {
                more.extend(metadata::check_core_finalizers(object, "metadata"));
            }
            // Of what the kind's own rules refuse the schema need not be heard.
            let refused = |cause: &Cause| {
                more.iter()
                    .any(|more| more.field.eq_ignore_ascii_case(&cause.field))
            };
            shape.retain(|cause| !refused(cause));
            causes.extend(more);
        }
        if builtin.is_none() && self.part == Part::Status {
            shape.iter_mut().for_each(told_from_status);
        }
        causes.extend(shape);
        if let Some(scale) = &self.served.scale {
            causes.extend(scale.check(object, self.part != Part::Status));
        }
        if causes.is_empty() {
            return Ok(());
        }
        Err(self.invalid(metadata::text(object, "name"), causes))
    }

    /// An Event is called one of the core group, also by the other.
    fn invalid(&self, name: &str, causes: Vec<Cause>) -> Failure {
        let mut kind = self.served.kind();
        if self.served.builtin() == Some(Builtin::Event) {
            kind.group.clear();
        }
        Failure::Invalid {
            kind,
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

/// A status written by itself is looked at by itself, and its fields are told from there.
fn told_from_status(cause: &mut Cause) {
    if let Some((value, words)) = cause.message.split_once(": status.")
        && words.contains(" in body ")
    {
        cause.message = format!("{value}: {words}");
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

/// Is a stored object shown as `served` just as it is stored?
pub(crate) fn is_shown_as_stored(served: &Served, object: &Stored) -> bool {
    !is_outdated(served, object) && object.api_version() == served.api_version
}

/// A stored object as `served` shows it; what it was stored without, today's definition fills in.
pub(crate) fn shown(served: &Served, object: &Stored) -> Value {
    let mut value = object.value();
    convert::from_stored(served, &mut value);
    if is_outdated(served, object) && object.api_version() == served.api_version {
        served.schema.prune(&mut value);
        served.schema.default_in(&mut value);
    }
    value
}

fn is_outdated(served: &Served, object: &Stored) -> bool {
    match served.nature {
        Nature::Custom { version } => object.version() < version,
        Nature::Builtin(_) => false,
    }
}
