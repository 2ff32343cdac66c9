//! Whether traffic is what Hetzner's own description allows, request and answer; not whether it does the right thing.
//! A request that it does not allow must be refused, and nothing may be answered that it does not name.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::{Method, StatusCode, Uri, header::CONTENT_TYPE};
use jsonschema::Validator;
use serde_json::{Map, Value};

/// `hcloud.json`, beside this file: `operations` by method and path, and the `$defs` they refer to.
static DESCRIPTION: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("hcloud.json")).unwrap());

/// Every schema that was needed so far, ready to be held against values.
static VALIDATORS: LazyLock<Mutex<BTreeMap<String, Arc<Validator>>>> =
    LazyLock::new(Mutex::default);

/// The codes that errors may bear; see `README.md` for where they are from.
const CODES: &str = include_str!("codes.txt");

/// Watches the traffic of one router.
#[derive(Clone, Default)]
pub(crate) struct Judge {
    book: Arc<Mutex<Book>>,
}

#[derive(Default)]
struct Book {
    exercised: BTreeSet<String>,
    wrong: Vec<String>,
}

/// One request and what came back.
struct Exchange<'a> {
    method: &'a Method,
    uri: &'a Uri,
    request: &'a [u8],
    status: StatusCode,
    answer: &'a [u8],
}

impl Judge {
    /// The same routes, watched.
    pub(crate) fn watch(&self, router: Router) -> Router {
        let judge = self.clone();
        router.layer(middleware::from_fn(move |request, next| {
            let judge = judge.clone();
            async move { judge.pass(request, next).await }
        }))
    }

    /// What was asked or answered against the description so far.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.book.lock().unwrap().wrong.clone()
    }

    /// The operations of the description that nobody asked for yet.
    #[allow(
        dead_code,
        reason = "only the tour asks; this file is part of several test programs"
    )]
    pub(crate) fn unasked(&self) -> Vec<&'static str> {
        let book = self.book.lock().unwrap();
        let operations = operations().keys().map(String::as_str);
        operations
            .filter(|one| !book.exercised.contains(*one))
            .collect()
    }

    async fn pass(&self, request: Request, next: Next) -> Response {
        let (parts, body) = request.into_parts();
        let (method, uri) = (parts.method.clone(), parts.uri.clone());
        let asked = axum::body::to_bytes(body, usize::MAX)
            .await
            .unwrap_or_default();
        let answer = next
            .run(Request::from_parts(parts, Body::from(asked.clone())))
            .await;
        let (parts, body) = answer.into_parts();
        let Ok(whole) = axum::body::to_bytes(body, usize::MAX).await else {
            return Response::from_parts(parts, broken());
        };
        // A gateway's page is not the API's, and half a body is a fault that was asked for.
        let json = parts
            .headers
            .get(CONTENT_TYPE)
            .is_none_or(|kind| kind == "application/json");
        let torn = !whole.is_empty() && serde_json::from_slice::<Value>(&whole).is_err();
        if json && !torn {
            let exchange = Exchange {
                method: &method,
                uri: &uri,
                request: &asked,
                status: parts.status,
                answer: &whole,
            };
            self.note(&exchange);
        }
        Response::from_parts(parts, Body::from(whole))
    }

    fn note(&self, exchange: &Exchange<'_>) {
        let path = exchange.uri.path().strip_prefix("/v1").unwrap_or_default();
        let found = operation(exchange.method, path);
        let complaints = match &found {
            Some((name, params)) => exchange.complaints(&operations()[*name], params),
            None if exchange.status == StatusCode::NOT_FOUND => Vec::new(),
            None => vec!["no such operation is described".to_owned()],
        };
        let mut book = self.book.lock().unwrap();
        book.exercised
            .extend(found.map(|(name, _)| name.to_owned()));
        let asked = String::from_utf8_lossy(exchange.request);
        book.wrong.extend(complaints.into_iter().map(|complaint| {
            format!(
                "{} {} {asked}\n  {}: {complaint}",
                exchange.method, exchange.uri, exchange.status
            )
        }));
    }
}

/// A body that breaks as the one that was read did.
fn broken() -> Body {
    let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    Body::from_stream(futures::stream::iter([Err::<Bytes, _>(reset)]))
}

impl Exchange<'_> {
    fn complaints(&self, described: &Value, params: &[(&str, &str)]) -> Vec<String> {
        let mut complaints = self.about_the_answer(described);
        if self.status.is_success() {
            let about_request = [
                about_the_path(described, params),
                self.about_the_query(described),
                self.about_the_request(described),
            ];
            let taken = about_request.concat().into_iter();
            complaints.extend(taken.map(|complaint| format!("taken, although {complaint}")));
        }
        complaints
    }

    fn about_the_answer(&self, described: &Value) -> Vec<String> {
        let class = format!("{}xx", self.status.as_u16() / 100);
        let answers = &described["answers"];
        let exact = answers.get(self.status.as_str());
        let Some(schema) = exact.or_else(|| answers.get(&class)) else {
            return vec!["this status is not described".to_owned()];
        };
        let body = serde_json::from_slice(self.answer).unwrap_or(Value::Null);
        let mut complaints = match (schema, &body) {
            (Value::Null, Value::Null) => Vec::new(),
            (Value::Null, _) => vec!["an answer without a body has one".to_owned()],
            (schema, body) => against(schema, body),
        };
        let code = body["error"]["code"].as_str();
        if let Some(code) = code.filter(|code| !CODES.lines().any(|known| known == *code)) {
            complaints.push(format!("the error code {code} is not documented"));
        }
        complaints
    }

    fn about_the_query(&self, described: &Value) -> Vec<String> {
        let pairs = url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes());
        let mut given: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in pairs {
            given
                .entry(name.into_owned())
                .or_default()
                .push(value.into_owned());
        }
        let known = described["query"].as_object().unwrap();
        let mut complaints = Vec::new();
        for (name, values) in &given {
            match known.get(name) {
                Some(described) => {
                    complaints.extend(about_a_parameter(&described["schema"], values));
                }
                None => complaints.push(format!("the parameter {name} is not described")),
            }
        }
        let required = known
            .iter()
            .filter(|(_, described)| described["required"] == true);
        let missing = required.filter(|(name, _)| !given.contains_key(*name));
        complaints.extend(missing.map(|(name, _)| format!("the parameter {name} is missing")));
        complaints
    }

    fn about_the_request(&self, described: &Value) -> Vec<String> {
        let schema = &described["body"];
        let body = serde_json::from_slice(self.request).unwrap_or(Value::Null);
        let nothing = body.is_null() || body == Value::Object(Map::new());
        match (schema, nothing) {
            (Value::Null, true) => Vec::new(),
            (Value::Null, false) => vec!["a request without a body has one".to_owned()],
            (_, true) if body.is_null() && described["body_required"] == false => Vec::new(),
            (schema, _) => against(schema, &body),
        }
    }
}

fn about_the_path(described: &Value, params: &[(&str, &str)]) -> Vec<String> {
    let check = |(name, text): &(&str, &str)| {
        let schema = &described["path"][name]["schema"];
        against(schema, &read(schema, text))
    };
    params.iter().flat_map(check).collect()
}

/// A parameter that may be given several times is a list; each item may hold several, with commas between.
fn about_a_parameter(schema: &Value, values: &[String]) -> Vec<String> {
    let Some(items) = schema.get("items") else {
        let one = values.first().map_or("", String::as_str);
        return against(schema, &read(schema, one));
    };
    let items = values
        .iter()
        .flat_map(|value| value.split(','))
        .map(|text| read(items, text))
        .collect();
    against(schema, &Value::Array(items))
}

/// A text of a path or query as the value its schema speaks of.
fn read(schema: &Value, text: &str) -> Value {
    let kind = schema["type"].as_str();
    match kind {
        Some("integer") => text
            .parse::<i64>()
            .map_or_else(|_| text.into(), Value::from),
        Some("boolean") => text
            .parse::<bool>()
            .map_or_else(|_| text.into(), Value::from),
        _ => text.into(),
    }
}

fn operations() -> &'static Map<String, Value> {
    DESCRIPTION["operations"].as_object().unwrap()
}

/// The operation of a method and path, and the values in the path; the one with the fewest places for values wins.
fn operation<'p>(
    method: &Method,
    path: &'p str,
) -> Option<(&'static str, Vec<(&'static str, &'p str)>)> {
    let fitting = operations().keys().filter_map(|name| {
        let (of, pattern) = name.split_once(' ')?;
        let params = (of == method.as_str())
            .then(|| params(pattern, path))
            .flatten()?;
        Some((name.as_str(), params))
    });
    fitting.min_by_key(|(_, params)| params.len())
}

fn params<'p>(pattern: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    if pattern.split('/').count() != path.split('/').count() {
        return None;
    }
    let mut params = Vec::new();
    for (wanted, given) in pattern.split('/').zip(path.split('/')) {
        match wanted
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
        {
            Some(name) => params.push((name, given)),
            None if wanted == given => {}
            None => return None,
        }
    }
    Some(params)
}

/// Where and how a value differs from its schema.
fn against(schema: &Value, value: &Value) -> Vec<String> {
    let errors = validator(schema);
    errors
        .iter_errors(value)
        .map(|error| {
            let said: String = error.to_string().chars().take(400).collect();
            format!("{}: {said}", error.instance_path())
        })
        .collect()
}

fn validator(schema: &Value) -> Arc<Validator> {
    let mut known = VALIDATORS.lock().unwrap();
    let built = known.entry(schema.to_string()).or_insert_with(|| {
        let mut whole = schema.clone();
        whole["$defs"] = DESCRIPTION["$defs"].clone();
        let options = jsonschema::options().should_validate_formats(true);
        Arc::new(options.build(&whole).unwrap())
    });
    Arc::clone(built)
}
