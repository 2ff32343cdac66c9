//! What a request asks for: its path, its query, and the forms of answer it accepts.

use axum::extract::Query as QueryExtractor;
use http::{HeaderMap, Method, Uri, header};
use serde_json::json;

use crate::cause::Cause;
use crate::status::Failure;

/// The longest name of a field manager, in bytes; as in Kubernetes.
const MANAGER_LIMIT: usize = 128;

/// One request without its body.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) method: Method,
    /// The path's segments, decoded.
    pub(crate) path: Vec<String>,
    pub(crate) query: Query,
    pub(crate) accept: Accept,
    pub(crate) content_type: String,
    /// The first word of the user agent: who writes, if `fieldManager` does not say.
    pub(crate) agent: String,
}

impl Ask {
    pub(crate) fn parse(method: &Method, uri: &Uri, headers: &HeaderMap) -> Result<Self, Failure> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let path = uri.path().split('/').filter(|part| !part.is_empty());
        let agent = header(header::USER_AGENT).unwrap_or("unknown");
        let content_type = header(header::CONTENT_TYPE).unwrap_or_default();
        Ok(Self {
            method: method.clone(),
            path: path.map(decoded).collect::<Result<_, _>>()?,
            query: Query::parse(uri)?,
            accept: Accept::parse(header(header::ACCEPT).unwrap_or_default())?,
            content_type: media_type(content_type).to_ascii_lowercase(),
            agent: agent
                .split(['/', ' '])
                .next()
                .unwrap_or("unknown")
                .to_owned(),
        })
    }

    /// The segments as `match` likes them.
    pub(crate) fn segments(&self) -> Vec<&str> {
        self.path.iter().map(String::as_str).collect()
    }
}

fn media_type(header: &str) -> &str {
    header.split(';').next().unwrap_or_default().trim()
}

/// A path segment without its `%XX`.
fn decoded(segment: &str) -> Result<String, Failure> {
    let broken = || Failure::BadRequest(format!("invalid URL escape in {segment:?}"));
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let pair = [rest.next().unwrap_or(b'x'), rest.next().unwrap_or(b'x')];
            bytes.extend(hex::decode(pair).map_err(|_| broken())?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).map_err(|_| broken())
}

/// The query's parameters; of those given twice the first counts, an empty one is none.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

/// What to do about fields the schema does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldValidation {
    Ignore,
    Warn,
    Strict,
}

/// How a list's or watch's `resourceVersion` is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionMatch {
    Exact,
    NotOlderThan,
}

impl Query {
    fn parse(uri: &Uri) -> Result<Self, Failure> {
        QueryExtractor::<Vec<(String, String)>>::try_from_uri(uri)
            .map(|QueryExtractor(pairs)| Self(pairs))
            .map_err(|error| Failure::BadRequest(error.to_string()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// As Kubernetes reads booleans: there and not `false` or `0` is true.
    pub(crate) fn flag(&self, name: &str) -> bool {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.is_some_and(|(_, value)| !["false", "0"].contains(&value.as_str()))
    }

    /// A list's `limit`; none if it is not above zero.
    pub(crate) fn limit(&self) -> Result<Option<usize>, Failure> {
        let Some(text) = self.get("limit") else {
            return Ok(None);
        };
        let limit: i64 = text.parse().map_err(|_| {
            Failure::BadRequest(format!(
                "strconv.ParseInt: parsing {text:?}: invalid syntax"
            ))
        })?;
        Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0))
    }

    /// A number that counts something.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, Failure> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Failure::BadRequest(format!(
                    "strconv.ParseInt: parsing {text:?}: invalid syntax"
                ))
            })
        };
        self.get(name).map(parse).transpose()
    }

    pub(crate) fn version(&self) -> Result<Option<u64>, Failure> {
        let parse = |text: &str| {
            text.parse().map_err(|_| {
                Failure::BadRequest(format!(
                    "invalid resource version: resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
                ))
            })
        };
        self.get("resourceVersion").map(parse).transpose()
    }

    /// The version one object is asked for in, which is at most looked at.
    pub(crate) fn one_version(&self) -> Result<(), Failure> {
        match self
            .get("resourceVersion")
            .map(|text| (text, text.parse::<u64>()))
        {
            None | Some((_, Ok(_))) => Ok(()),
            Some((text, Err(_))) => Err(Failure::Unclassified(format!(
                "resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax"
            ))),
        }
    }

    pub(crate) fn version_match(&self) -> Result<Option<VersionMatch>, Failure> {
        match self.get("resourceVersionMatch") {
            None => Ok(None),
            Some("Exact") => Ok(Some(VersionMatch::Exact)),
            Some("NotOlderThan") => Ok(Some(VersionMatch::NotOlderThan)),
            Some(other) => {
                let supported = ["Exact", "NotOlderThan", ""];
                let cause = Cause::not_supported("resourceVersionMatch", &other.into(), &supported);
                Err(Failure::options("ListOptions", cause))
            }
        }
    }
}

impl Ask {
    /// What Kubernetes calls the options of a request that changes something.
    fn options(&self) -> &'static str {
        match self.method {
            Method::POST => "CreateOptions",
            Method::PUT => "UpdateOptions",
            Method::PATCH => "PatchOptions",
            _ => "DeleteOptions",
        }
    }

    pub(crate) fn dry_run(&self) -> Result<bool, Failure> {
        match self.query.get("dryRun") {
            None => Ok(false),
            Some("All") => Ok(true),
            Some(other) => {
                let cause = Cause::not_supported("dryRun", &json!([other]), &["All"]);
                Err(Failure::options(self.options(), cause))
            }
        }
    }

    /// Kubernetes warns unless it is told otherwise.
    pub(crate) fn field_validation(&self) -> Result<FieldValidation, Failure> {
        match self.query.get("fieldValidation") {
            None | Some("Warn") => Ok(FieldValidation::Warn),
            Some("Strict") => Ok(FieldValidation::Strict),
            Some("Ignore") => Ok(FieldValidation::Ignore),
            Some(other) => {
                let supported = ["", "Ignore", "Strict", "Warn"];
                let cause = Cause::not_supported("fieldValidation", &other.into(), &supported);
                Err(Failure::options(self.options(), cause))
            }
        }
    }

    /// Who writes: `fieldManager`, or the program that asks.
    pub(crate) fn manager(&self) -> Result<&str, Failure> {
        let manager = self.query.get("fieldManager").unwrap_or(&self.agent);
        if manager.len() > MANAGER_LIMIT {
            let cause = Cause::too_long("fieldManager", MANAGER_LIMIT as u64);
            return Err(Failure::options(self.options(), cause));
        }
        let mut signs = manager.char_indices();
        if let Some((at, sign)) = signs.find(|(_, sign)| sign.is_control()) {
            let words = format!(
                "invalid character U+{:04X} (at position {at})",
                u32::from(sign)
            );
            let cause = Cause::invalid("fieldManager", &manager.into(), &words);
            return Err(Failure::options(self.options(), cause));
        }
        Ok(manager)
    }

    /// May an apply take fields from others? Of other requests it is nothing to say.
    pub(crate) fn force(&self, applies: bool) -> Result<bool, Failure> {
        if !applies && self.query.get("force").is_some() {
            let cause = Cause::forbidden("force", "may not be specified for non-apply patch");
            return Err(Failure::options(self.options(), cause));
        }
        Ok(self.query.flag("force"))
    }
}

/// The form of answer a client likes best of those there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Accept {
    pub(crate) encoding: Encoding,
    pub(crate) shape: Shape,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    Json,
    Yaml,
}

/// As what the objects are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Whole,
    Table,
    PartialMetadata,
    PartialMetadataList,
    /// Discovery documents only: all groups in one.
    AggregatedDiscovery,
}

fn parameter<'a>(offer: &'a str, name: &str) -> Option<&'a str> {
    let parts = offer.split(';').skip(1);
    let mut parts = parts.filter_map(|part| part.trim().split_once('='));
    parts.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// How much a form is liked: its `q`.
fn quality(offer: &str) -> f32 {
    let said = parameter(offer, "q").and_then(|said| said.parse().ok());
    said.unwrap_or(1.0)
}

const OFFERED: &str = "application/json, application/yaml";

impl Accept {
    /// Reads an `Accept` header: the first offer we can fulfil, as Kubernetes' clients order theirs.
    fn parse(header: &str) -> Result<Self, Failure> {
        let fallback = Self {
            encoding: Encoding::Json,
            shape: Shape::Whole,
        };
        if header.trim().is_empty() {
            return Ok(fallback);
        }
        let mut wanted: Vec<&str> = header.split(',').collect();
        wanted.sort_by(|one, other| quality(other).total_cmp(&quality(one)));
        let mut offers = wanted.into_iter().filter_map(Self::offer);
        offers.next().ok_or(Failure::NotAcceptable(OFFERED))
    }

    fn offer(text: &str) -> Option<Self> {
        let encoding = match media_type(text) {
            "application/json" | "*/*" => Encoding::Json,
            "application/yaml" => Encoding::Yaml,
            _ => return None,
        };
        let parameter = |name: &str| parameter(text, name);
        let shape = match (parameter("as"), parameter("g"), parameter("v")) {
            (None, _, _) => Shape::Whole,
            (Some("Table"), Some("meta.k8s.io"), Some("v1")) => Shape::Table,
            (Some("PartialObjectMetadata"), Some("meta.k8s.io"), Some("v1")) => {
                Shape::PartialMetadata
            }
            (Some("PartialObjectMetadataList"), Some("meta.k8s.io"), Some("v1")) => {
                Shape::PartialMetadataList
            }
            (Some("APIGroupDiscoveryList"), Some("apidiscovery.k8s.io"), Some("v2")) => {
                Shape::AggregatedDiscovery
            }
            (Some(_), _, _) => return None,
        };
        Some(Self { encoding, shape })
    }
}

#[cfg(test)]
mod tests;
