//! `x-kubernetes-validations`: CEL rules compiled with the schema and run against objects of the right shape.

use kube_cel::cel::Value as Cel;
use kube_cel::cel::objects::OptionalValue;
use kube_cel::cel::parser::Parser;
use kube_cel::cel::{Context, ExecutionError, IdedExpr};
use serde_json::Value;

use super::Schema;
use super::cel::{self, functions};
use super::node::{Kind, NodeId};
use crate::cause::{Cause, Reason};
use crate::path::Path;

/// Longest text a messageExpression may give (`MaxEvaluatedMessageExpressionSizeBytes`).
const MESSAGE_LIMIT: usize = 5 * 1024;

const REASONS: [&str; 4] = [
    "FieldValueDuplicate",
    "FieldValueForbidden",
    "FieldValueInvalid",
    "FieldValueRequired",
];

/// One compiled rule.
#[derive(Debug)]
pub(super) struct Rule {
    text: String,
    expression: IdedExpr,
    message: String,
    message_expression: Option<IdedExpr>,
    reason: RuleReason,
    /// Below the place of the rule; empty for the place itself, else it begins with a dot.
    field_path: String,
    uses_old: bool,
    optional_old: bool,
}

/// The reasons a rule may give.
#[derive(Debug, Clone, Copy)]
enum RuleReason {
    Invalid,
    Forbidden,
    Required,
    Duplicate,
}

/// Compiles the rules of one schema object; what does not parse becomes a cause.
pub(super) fn compile(schema: &Value, field: &str, causes: &mut Vec<Cause>) -> Vec<Rule> {
    let Some(rules) = schema["x-kubernetes-validations"].as_array() else {
        return Vec::new();
    };
    let place = |at: usize, key: &str| {
        let dot = if field.is_empty() { "" } else { "." };
        format!("{field}{dot}x-kubernetes-validations[{at}].{key}")
    };
    let mut compiled = Vec::with_capacity(rules.len());
    for (at, rule) in rules.iter().enumerate() {
        match one(rule) {
            Ok(rule) => compiled.push(rule),
            Err((key, cause)) => causes.push(cause(place(at, key))),
        }
    }
    compiled
}

type Refusal = (&'static str, Box<dyn FnOnce(String) -> Cause>);

fn one(rule: &Value) -> Result<Rule, Refusal> {
    let text = word(rule, "rule");
    if text.is_empty() {
        return Err((
            "rule",
            Box::new(|field| Cause::required(field, "rule is not specified")),
        ));
    }
    let message_text = word(rule, "messageExpression");
    let message_expression = if message_text.is_empty() {
        None
    } else {
        Some(compiled("messageExpression", &message_text, rule)?)
    };
    let expression = compiled("rule", &text, rule)?;
    let uses_old = expression.references().has_variable("oldSelf");
    Ok(Rule {
        expression,
        message: word(rule, "message"),
        message_expression,
        reason: reason(rule)?,
        field_path: field_path(rule),
        uses_old,
        optional_old: rule["optionalOldSelf"] == Value::Bool(true),
        text,
    })
}

fn word(rule: &Value, key: &str) -> String {
    rule[key].as_str().unwrap_or_default().trim().to_owned()
}

fn compiled(key: &'static str, text: &str, rule: &Value) -> Result<IdedExpr, Refusal> {
    parser().parse(text).map_err(|error| {
        let prefix = if key == "rule" {
            ""
        } else {
            "messageExpression "
        };
        let error = error.to_string().replace("\n|", "\n |");
        let message = format!(
            "Invalid value: {}: {prefix}compilation failed: {error}",
            as_go(rule)
        );
        let refuse = move |field: String| Cause::new(Reason::Invalid, field, message);
        (key, Box::new(refuse) as Box<dyn FnOnce(String) -> Cause>)
    })
}

fn parser() -> Parser {
    Parser::new().enable_optional_syntax(true)
}

/// A CEL expression; None when it is none.
pub(crate) fn parse(expression: &str) -> Option<IdedExpr> {
    parser().parse(expression).ok()
}

/// A whole rule as the real server prints it in an error.
pub(crate) fn as_go(rule: &Value) -> String {
    let text = |key: &str| {
        let quoted = Value::from(rule[key].as_str().unwrap_or_default()).to_string();
        quoted
            .replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
    };
    format!(
        "{{\"Rule\":{},\"Message\":{},\"MessageExpression\":{},\"Reason\":{},\"FieldPath\":{},\"OptionalOldSelf\":{}}}",
        text("rule"),
        text("message"),
        text("messageExpression"),
        rule["reason"],
        text("fieldPath"),
        rule["optionalOldSelf"],
    )
}

fn reason(rule: &Value) -> Result<RuleReason, Refusal> {
    match rule["reason"].as_str() {
        None | Some("FieldValueInvalid") => Ok(RuleReason::Invalid),
        Some("FieldValueForbidden") => Ok(RuleReason::Forbidden),
        Some("FieldValueRequired") => Ok(RuleReason::Required),
        Some("FieldValueDuplicate") => Ok(RuleReason::Duplicate),
        Some(other) => {
            let value = Value::from(other);
            Err((
                "reason",
                Box::new(move |field| Cause::not_supported(field, &value, &REASONS)),
            ))
        }
    }
}

/// `.spec.x` and `.labels['a.b']` as a suffix to the place of the rule.
fn field_path(rule: &Value) -> String {
    word(rule, "fieldPath")
        .replace("['", "[")
        .replace("']", "]")
}

/// The old value beside a new one, and whether anything changed at the nearest place that can be compared.
#[derive(Clone, Copy)]
struct Before<'a> {
    old: Option<&'a Value>,
    nearest: Option<(&'a Value, &'a Value)>,
}

impl<'a> Before<'a> {
    fn below(self, value: &'a Value, old: Option<&'a Value>) -> Self {
        let nearest = self.old.map(|before| (value, before)).or(self.nearest);
        Before { old, nearest }
    }

    /// Nothing changed here, so a broken rule is not held against this write.
    fn is_unchanged(self, value: &Value) -> bool {
        match (self.old, self.nearest) {
            (Some(old), _) => old == value,
            (None, Some((new, old))) => new == old,
            (None, None) => false,
        }
    }
}

impl Schema {
    pub(super) fn check_rules(&self, object: &Value, old: Option<&Value>, causes: &mut Vec<Cause>) {
        let before = Before { old, nearest: None };
        self.rules_at(self.root, object, before, &Path::Root, causes);
    }

    fn rules_at<'a>(
        &'a self,
        id: NodeId,
        value: &'a Value,
        before: Before<'a>,
        path: &Path<'_>,
        causes: &mut Vec<Cause>,
    ) {
        if value.is_null() {
            return;
        }
        let node = self.node(id);
        if !node.rules.is_empty() {
            self.run(id, value, before, path, causes);
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    let Some(child) = self.child_of(id, name) else {
                        continue;
                    };
                    let old = before.old.and_then(|old| old.get(name));
                    let below = if node.properties.contains_key(name) {
                        path.field(name)
                    } else {
                        path.key(name)
                    };
                    self.rules_at(child, field, before.below(value, old), &below, causes);
                }
            }
            Value::Array(entries) => {
                let Some(items) = node.items else { return };
                let matching = self.correlate(id, before.old);
                for (at, entry) in entries.iter().enumerate() {
                    let old = matching.find(entry);
                    self.rules_at(
                        items,
                        entry,
                        before.below(value, old),
                        &path.index(at),
                        causes,
                    );
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Runs the rules of one place.
    fn run(
        &self,
        id: NodeId,
        value: &Value,
        before: Before<'_>,
        path: &Path<'_>,
        causes: &mut Vec<Cause>,
    ) {
        let node = self.node(id);
        let mut scope = functions().new_inner_scope();
        scope.add_variable_from_value("self", cel::from_json(self, Some(id), value));
        let old = before.old.map(|old| cel::from_json(self, Some(id), old));
        for rule in &node.rules {
            if rule.uses_old && old.is_none() && !rule.optional_old {
                continue;
            }
            let mut own = scope.new_inner_scope();
            match (&old, rule.optional_old) {
                (old, true) => own.add_variable_from_value("oldSelf", optional(old.as_ref())),
                (Some(old), false) => own.add_variable_from_value("oldSelf", old.clone()),
                (None, false) => {}
            }
            let Some(broken) = rule.broken(&own, node.kind, value, path) else {
                continue;
            };
            if rule.uses_old || !before.is_unchanged(value) {
                causes.push(broken);
            }
        }
    }
}

/// An error in the words of the real server's CEL, where they differ.
fn words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::NoSuchKey(key) => format!("no such key: {key}"),
        ExecutionError::IndexOutOfBounds(index) => match index {
            Cel::Int(at) => format!("index out of bounds: {at}"),
            other => format!("index out of bounds: {other:?}"),
        },
        ExecutionError::DivisionByZero(_) => "division by zero".to_owned(),
        ExecutionError::RemainderByZero(_) => "modulus by zero".to_owned(),
        ExecutionError::Overflow(..) => "integer overflow".to_owned(),
        other => other.to_string(),
    }
}

fn optional(old: Option<&Cel>) -> Cel {
    let value = old.map_or_else(OptionalValue::none, |old| OptionalValue::of(old.clone()));
    Cel::Opaque(std::sync::Arc::new(value))
}

impl Rule {
    /// What to tell when the rule does not hold (or cannot be evaluated); None when it holds.
    fn broken(
        &self,
        scope: &Context<'_>,
        kind: Option<Kind>,
        value: &Value,
        path: &Path<'_>,
    ) -> Option<Cause> {
        let error = match scope.resolve(&self.expression) {
            Ok(Cel::Bool(true)) => return None,
            Ok(_) => return Some(self.cause(kind, value, &self.place(path), &self.said(scope))),
            Err(error) => error,
        };
        let detail = match error {
            ExecutionError::NoSuchOverload => format!(
                "'no such overload': call arguments did not match a supported operator, function or macro signature for rule: {}",
                self.shown()
            ),
            other => format!("{} evaluating rule: {}", words(&other), self.shown()),
        };
        let kind = kind.map_or("", Kind::word);
        Some(Cause::invalid(path.to_string(), &kind.into(), &detail))
    }

    /// Scalars are shown, structures are not.
    fn cause(&self, kind: Option<Kind>, value: &Value, field: &str, detail: &str) -> Cause {
        let hidden = matches!(kind, Some(Kind::Object | Kind::Array));
        match self.reason {
            RuleReason::Forbidden => Cause::forbidden(field, detail),
            RuleReason::Required => Cause::required(field, detail),
            RuleReason::Duplicate if hidden => {
                Cause::new(Reason::Duplicate, field, "Duplicate value".to_owned())
            }
            RuleReason::Duplicate => Cause::duplicate(field, value),
            RuleReason::Invalid if hidden => {
                Cause::new(Reason::Invalid, field, format!("Invalid value: {detail}"))
            }
            RuleReason::Invalid => Cause::invalid(field, value, detail),
        }
    }

    fn place(&self, path: &Path<'_>) -> String {
        match (path, self.field_path.as_str()) {
            (_, "") => path.to_string(),
            (Path::Root, below) => below.trim_start_matches('.').to_owned(),
            (_, below) => format!("{path}{below}"),
        }
    }

    /// The message: that of the messageExpression if it gives a usable one, else the rule's own, else the rule.
    fn said(&self, scope: &Context<'_>) -> String {
        let computed = self
            .message_expression
            .as_ref()
            .and_then(|expression| scope.resolve(expression).ok());
        if let Some(Cel::String(text)) = computed {
            let text = text.trim();
            if !text.is_empty() && text.len() <= MESSAGE_LIMIT && !text.contains('\n') {
                return text.to_owned();
            }
        }
        if self.message.is_empty() {
            format!("failed rule: {}", self.text)
        } else {
            self.message.clone()
        }
    }

    fn shown(&self) -> &str {
        if self.message.is_empty() {
            &self.text
        } else {
            &self.message
        }
    }
}
