//! Do the fields a rule speaks of exist? Names are looked up in the schema; types of operands are not checked.

use kube_cel::cel::IdedExpr;
use kube_cel::cel::common::ast::operators;
use kube_cel::cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedEntryExpr, SelectExpr};
use serde_json::Value;

use crate::schema::{cel_name, parse_cel};

/// Names that are neither fields nor variables: types, and the first part of a function's full name.
const KNOWN: [&str; 12] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "list",
    "map",
    "null_type",
    "type",
    "google",
    "optional",
];

/// What is known of a value.
#[derive(Clone, Copy)]
enum Type<'a> {
    /// Described by this schema.
    At(&'a Value),
    /// The result of arithmetic: whatever it is, no boolean.
    Computed,
    Any,
}

/// The first thing wrong with a rule's names, in the real server's words; None when all exist (or it does not parse).
pub(super) fn problem(expression: &str, schema: &Value, is_resource: bool) -> Option<String> {
    let parsed = parse_cel(expression)?;
    let mut scope = Scope {
        schema,
        is_resource,
        text: expression,
        variables: Vec::new(),
        problem: None,
    };
    let result = scope.visit(&parsed);
    scope.problem.or_else(|| match result {
        Type::Computed => Some("cel expression must evaluate to a bool".to_owned()),
        Type::At(schema)
            if matches!(
                schema["type"].as_str(),
                Some("string" | "integer" | "number" | "object" | "array")
            ) =>
        {
            Some("cel expression must evaluate to a bool".to_owned())
        }
        Type::At(_) | Type::Any => None,
    })
}

struct Scope<'a> {
    schema: &'a Value,
    is_resource: bool,
    text: &'a str,
    /// Those of the macros we are in.
    variables: Vec<(String, Type<'a>)>,
    problem: Option<String>,
}

impl<'a> Scope<'a> {
    fn visit(&mut self, expression: &IdedExpr) -> Type<'a> {
        match &expression.expr {
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.select(select),
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Call(call) => {
                // A bare name before a dot may be part of a function's name (`math.greatest`).
                if let Some(target) = call.target.as_deref() {
                    let is_prefix = matches!(&target.expr, Expr::Ident(name) if !self.knows(name));
                    if !is_prefix {
                        self.visit(target);
                    }
                }
                let arguments: Vec<Type<'a>> = call
                    .args
                    .iter()
                    .map(|argument| self.visit(argument))
                    .collect();
                called(&call.func_name, &arguments)
            }
            Expr::List(list) => {
                for element in &list.elements {
                    self.visit(element);
                }
                Type::Any
            }
            Expr::Map(map) => self.entries(&map.entries),
            Expr::Struct(structure) => self.entries(&structure.entries),
            Expr::Literal(_) | Expr::Unspecified => Type::Any,
        }
    }

    fn entries(&mut self, entries: &[IdedEntryExpr]) -> Type<'a> {
        for entry in entries {
            match &entry.expr {
                EntryExpr::StructField(field) => {
                    self.visit(&field.value);
                }
                EntryExpr::MapEntry(entry) => {
                    self.visit(&entry.key);
                    self.visit(&entry.value);
                }
            }
        }
        Type::Any
    }

    fn knows(&self, name: &str) -> bool {
        matches!(name, "self" | "oldSelf") || self.variables.iter().any(|(known, _)| known == name)
    }

    fn variable(&mut self, name: &str) -> Type<'a> {
        if let Some((_, found)) = self.variables.iter().rev().find(|(known, _)| known == name) {
            return *found;
        }
        match name {
            "self" => Type::At(self.schema),
            // With optionalOldSelf it is wrapped.
            "oldSelf" => Type::Any,
            _ if name.starts_with('@') || KNOWN.contains(&name) => Type::Any,
            _ => {
                self.wrong(
                    name,
                    &format!("undeclared reference to '{name}' (in container '')"),
                );
                Type::Any
            }
        }
    }

    fn select(&mut self, select: &SelectExpr) -> Type<'a> {
        let Type::At(schema) = self.visit(&select.operand) else {
            return Type::Any;
        };
        let field = select.field.as_str();
        let found = match schema["type"].as_str() {
            Some("object") => self.field(schema, field),
            Some("integer") => self.no_fields("int", field),
            Some("number") => self.no_fields("double", field),
            Some("boolean") => self.no_fields("bool", field),
            Some("string") if schema["format"].is_null() => self.no_fields("string", field),
            Some(_) | None => Type::Any,
        };
        // `has(self.x)` asks for the field and gives a boolean.
        if select.test { Type::Any } else { found }
    }

    fn field(&mut self, schema: &'a Value, field: &str) -> Type<'a> {
        if schema["additionalProperties"].is_object() {
            return Type::At(&schema["additionalProperties"]);
        }
        let mut properties = schema["properties"].as_object().into_iter().flatten();
        let whole = (self.is_resource && std::ptr::eq(schema, self.schema))
            || schema["x-kubernetes-embedded-resource"] == true;
        if whole && matches!(field, "apiVersion" | "kind" | "metadata") {
            return Type::Any;
        }
        if let Some((_, property)) = properties.find(|(name, _)| cel_name(name) == field) {
            return Type::At(property);
        }
        if schema["additionalProperties"].is_null()
            && schema["x-kubernetes-preserve-unknown-fields"] != true
        {
            self.wrong(&format!(".{field}"), &format!("undefined field '{field}'"));
        }
        Type::Any
    }

    fn no_fields(&mut self, kind: &str, field: &str) -> Type<'a> {
        self.wrong(
            &format!(".{field}"),
            &format!("type '{kind}' does not support field selection"),
        );
        Type::Any
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Type<'a> {
        let range = self.visit(&comprehension.iter_range);
        self.visit(&comprehension.accu_init);
        let element = match range {
            Type::At(schema)
                if schema["items"].is_object() && comprehension.iter_var2.is_none() =>
            {
                Type::At(&schema["items"])
            }
            Type::At(_) | Type::Computed | Type::Any => Type::Any,
        };
        let before = self.variables.len();
        self.variables
            .push((comprehension.iter_var.clone(), element));
        self.variables.extend(
            comprehension
                .iter_var2
                .clone()
                .map(|name| (name, Type::Any)),
        );
        self.variables
            .push((comprehension.accu_var.clone(), Type::Any));
        self.visit(&comprehension.loop_cond);
        self.visit(&comprehension.loop_step);
        self.visit(&comprehension.result);
        self.variables.truncate(before);
        Type::Any
    }

    /// Keeps the first problem, with a picture of where it is.
    fn wrong(&mut self, what: &str, words: &str) {
        if self.problem.is_none() {
            let at = self.text.find(what).unwrap_or(0);
            let before = &self.text[..at];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            let line = self.text[line_start..].lines().next().unwrap_or_default();
            let (row, column) = (before.matches('\n').count() + 1, at - line_start);
            let dots = ".".repeat(column);
            self.problem = Some(format!(
                "compilation failed: ERROR: <input>:{row}:{}: {words}\n | {line}\n | {dots}^",
                column + 1
            ));
        }
    }
}

/// What a call gives, where that is plain.
fn called<'a>(name: &str, arguments: &[Type<'a>]) -> Type<'a> {
    match (name, arguments.first()) {
        (operators::INDEX, Some(Type::At(schema))) if schema["items"].is_object() => {
            Type::At(&schema["items"])
        }
        (operators::INDEX, Some(Type::At(schema)))
            if schema["additionalProperties"].is_object() =>
        {
            Type::At(&schema["additionalProperties"])
        }
        (
            operators::SUBSTRACT
            | operators::MULTIPLY
            | operators::DIVIDE
            | operators::MODULO
            | operators::NEGATE
            | operators::ADD,
            _,
        ) => Type::Computed,
        _ => Type::Any,
    }
}
