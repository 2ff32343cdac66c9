//! One rule of a role: what it allows, and whether it covers another. Not whose role it is.
//!
//! The meaning of `*` and of subresources is that of k8s.io/kubernetes/pkg/apis/rbac/v1/evaluation_helpers.go,
//! that of covering the one of k8s.io/component-helpers/auth/rbac/validation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Attributes, What};

/// `PolicyRule` of `rbac.authorization.k8s.io/v1`.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Rule {
    pub(crate) api_groups: Vec<String>,
    pub(crate) resources: Vec<String>,
    #[serde(rename = "nonResourceURLs")]
    pub(crate) non_resource_urls: Vec<String>,
    pub(crate) resource_names: Vec<String>,
    pub(crate) verbs: Vec<String>,
}

/// The rules in a role's `rules`; what is none is left out.
pub(crate) fn read(rules: &Value) -> Vec<Rule> {
    let rules = rules.as_array().into_iter().flatten();
    rules
        .filter_map(|rule| Rule::deserialize(rule).ok())
        .collect()
}

/// Everything there is, as two rules.
pub(crate) fn everything() -> [Rule; 2] {
    let all = || vec!["*".to_owned()];
    let resources = Rule {
        api_groups: all(),
        resources: all(),
        verbs: all(),
        ..Rule::default()
    };
    let paths = Rule {
        non_resource_urls: all(),
        verbs: all(),
        ..Rule::default()
    };
    [resources, paths]
}

fn has(list: &[String], word: &str) -> bool {
    list.iter().any(|one| one == word)
}

fn has_or_all(list: &[String], word: &str) -> bool {
    has(list, "*") || has(list, word)
}

impl Rule {
    pub(crate) fn allows(&self, asked: &Attributes<'_>) -> bool {
        has_or_all(&self.verbs, &asked.verb)
            && match &asked.what {
                What::Path(path) => self.non_resource_urls.iter().any(|url| is_below(path, url)),
                What::Resource {
                    group,
                    resource,
                    subresource,
                    name,
                    ..
                } => {
                    has_or_all(&self.api_groups, group)
                        && self.has_resource(resource, subresource)
                        && (self.resource_names.is_empty() || has(&self.resource_names, name))
                }
            }
    }

    fn has_resource(&self, resource: &str, subresource: &str) -> bool {
        let part_of = |allowed: &str, kind: &str| {
            let part = allowed.strip_prefix(kind);
            part.and_then(|part| part.strip_prefix('/')) == Some(subresource)
        };
        self.resources.iter().any(|allowed| match subresource {
            _ if allowed == "*" => true,
            "" => allowed == resource,
            _ => part_of(allowed, resource) || part_of(allowed, "*"),
        })
    }

    /// Does it allow all that `other`, an atom, does?
    fn covers(&self, other: &Rule) -> bool {
        let all = |list: &[String], words: &[String]| {
            has(list, "*") || words.iter().all(|word| has(list, word))
        };
        let resource = |path: &String| {
            let part = path.split_once('/').map(|(_, part)| format!("*/{part}"));
            has_or_all(&self.resources, path) || part.is_some_and(|any| has(&self.resources, &any))
        };
        let url = |path: &String| {
            let urls = &mut self.non_resource_urls.iter();
            urls.any(|url| is_below(path, url))
        };
        let names = &self.resource_names;
        all(&self.verbs, &other.verbs)
            && all(&self.api_groups, &other.api_groups)
            && other.resources.iter().all(resource)
            && other.non_resource_urls.iter().all(url)
            && (names.is_empty()
                || (!other.resource_names.is_empty()
                    && other.resource_names.iter().all(|name| has(names, name))))
    }

    /// How many atoms it has.
    pub(crate) fn size(&self) -> usize {
        let names = self.resource_names.len().max(1);
        let lists = [self.api_groups.len(), self.resources.len(), names];
        let things = lists
            .into_iter()
            .fold(1, usize::saturating_mul)
            .saturating_add(self.non_resource_urls.len());
        things.saturating_mul(self.verbs.len())
    }

    /// The same in rules of one verb for one thing each.
    fn atoms(&self) -> Vec<Rule> {
        let mut atoms = Vec::new();
        let named = self.resource_names.iter().map(|name| vec![name.clone()]);
        let names: Vec<Vec<String>> = if self.resource_names.is_empty() {
            vec![Vec::new()]
        } else {
            named.collect()
        };
        for group in &self.api_groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    atoms.extend(names.iter().map(|names| Rule {
                        api_groups: vec![group.clone()],
                        resources: vec![resource.clone()],
                        resource_names: names.clone(),
                        verbs: vec![verb.clone()],
                        ..Rule::default()
                    }));
                }
            }
        }
        for url in &self.non_resource_urls {
            atoms.extend(self.verbs.iter().map(|verb| Rule {
                non_resource_urls: vec![url.clone()],
                verbs: vec![verb.clone()],
                ..Rule::default()
            }));
        }
        atoms
    }

    /// As the API writes it.
    pub(crate) fn to_json(&self) -> Value {
        let mut rule = json!({ "verbs": self.verbs });
        for (field, list) in [
            ("apiGroups", &self.api_groups),
            ("resources", &self.resources),
            ("resourceNames", &self.resource_names),
            ("nonResourceURLs", &self.non_resource_urls),
        ] {
            if !list.is_empty() {
                rule[field] = list.as_slice().into();
            }
        }
        rule
    }
}

/// Is the path the URL of a rule, or below it if that ends in `*`?
fn is_below(path: &str, url: &str) -> bool {
    path == url || (url.ends_with('*') && path.starts_with(url.trim_end_matches('*')))
}

/// What of `wanted` nobody could do by the rules `held`: sentences, sorted.
pub(crate) fn missing(held: &[&Rule], wanted: &[Rule]) -> BTreeSet<String> {
    let atoms = wanted.iter().flat_map(Rule::atoms);
    let missing = atoms.filter(|atom| !held.iter().any(|rule| rule.covers(atom)));
    compact(missing).iter().map(ToString::to_string).collect()
}

/// Atoms about the same things become one rule.
fn compact(atoms: impl Iterator<Item = Rule>) -> Vec<Rule> {
    let mut verbs: BTreeMap<Rule, Vec<String>> = BTreeMap::new();
    let mut compacted = Vec::new();
    for mut atom in atoms {
        if atom.non_resource_urls.is_empty() {
            let more = std::mem::take(&mut atom.verbs);
            verbs.entry(atom).or_default().extend(more);
        } else {
            compacted.push(atom);
        }
    }
    compacted.extend(
        verbs
            .into_iter()
            .map(|(rule, verbs)| Rule { verbs, ..rule }),
    );
    compacted
}

/// As the refusal of an escalation names it: `{APIGroups:["a"], Resources:["b"], Verbs:["get" "list"]}`.
impl fmt::Display for Rule {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            ("APIGroups", &self.api_groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.non_resource_urls),
            ("ResourceNames", &self.resource_names),
            ("Verbs", &self.verbs),
        ];
        let said = parts.iter().filter(|(_, list)| !list.is_empty());
        let said: Vec<String> = said
            .map(|(name, list)| format!("{name}:{}", go_list(list)))
            .collect();
        write!(to, "{{{}}}", said.join(", "))
    }
}

/// Go's `%q` of a list: `["a" "b"]`.
pub(crate) fn go_list(list: &[String]) -> String {
    let quoted: Vec<String> = list.iter().map(|word| format!("{word:?}")).collect();
    format!("[{}]", quoted.join(" "))
}

#[cfg(test)]
mod tests;
