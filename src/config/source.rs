//! The sources of settings, in the order in which they win, and the tree they make together.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use toml::de::DeTable;

use super::tree::{self, Node, Origin};
use super::{ENVIRONMENT_PREFIX, Problem};

/// Every key with its default; compiled in.
pub(super) const DEFAULTS: &str = include_str!("../../config/default.toml");
const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// Where settings come from, besides the defaults. No `Debug`: any text may be a secret.
pub enum Source {
    /// A TOML file, which must exist.
    File(PathBuf),
    /// Variables `CLAWDET__…` of the environment; others are passed over.
    Environment(Vec<(OsString, OsString)>),
    /// What a command brings itself, such as the simulated providers of `dev`.
    Given {
        by: &'static str,
        settings: toml::Table,
    },
}

impl Source {
    /// The environment of this process; nothing else in the program reads it.
    pub fn environment() -> Self {
        Self::Environment(super::process_environment())
    }
}

/// Everything the sources say, the later over the earlier; or why one could not be read.
pub(super) fn merge(sources: &[Source]) -> Result<Node, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut all = Node::table(Origin::new(0, "the defaults"));
    match DeTable::parse(DEFAULTS) {
        Ok(table) => all.overlay(Node::parsed(table.get_ref(), &|_| {
            Origin::new(0, "the defaults")
        })),
        Err(error) => problems.push(syntax("the defaults", DEFAULTS, &error)),
    }
    for (place, source) in sources.iter().enumerate() {
        let rank = place + 1;
        match source {
            Source::File(path) => match read(path, rank) {
                Ok(node) => all.overlay(node),
                Err(found) => problems.extend(found),
            },
            Source::Environment(variables) => {
                problems.extend(overlay_environment(&mut all, variables, rank));
            }
            Source::Given { by, settings } => {
                all.overlay(Node::from_table(settings, &Origin::new(rank, *by)));
            }
        }
    }
    if problems.is_empty() {
        Ok(all)
    } else {
        Err(problems)
    }
}

fn read(path: &Path, rank: usize) -> Result<Node, Vec<Problem>> {
    let name = path.display().to_string();
    let unreadable = |what: String| {
        vec![Problem {
            key: "--config".to_owned(),
            origin: Some(name.clone()),
            what,
            remedy: "name a TOML file this user can read, at most 1 MiB long".to_owned(),
        }]
    };
    let mut text = String::new();
    let done = std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_string(&mut text));
    match done {
        Ok(length) if length as u64 > FILE_BYTES_MAX => {
            return Err(unreadable("is too long".to_owned()));
        }
        Ok(_) => {}
        Err(error) => return Err(unreadable(format!("cannot be read ({error})"))),
    }
    let (table, errors) = DeTable::parse_recoverable(&text);
    if errors.is_empty() {
        let place = |at| Origin::new(rank, format!("{name}, line {}", tree::line(&text, at)));
        return Ok(Node::parsed(table.get_ref(), &place));
    }
    Err(errors
        .iter()
        .map(|error| syntax(&name, &text, error))
        .collect())
}

/// The message and the line alone: the text itself may hold a secret.
fn syntax(name: &str, text: &str, error: &toml::de::Error) -> Problem {
    let line = error.span().map_or(1, |span| tree::line(text, span.start));
    Problem {
        key: "--config".to_owned(),
        origin: Some(format!("{name}, line {line}")),
        what: format!("is not TOML ({})", error.message().replace('\n', ", ")),
        remedy: "write settings as name = \"value\", in groups such as [site]".to_owned(),
    }
}

fn overlay_environment(
    all: &mut Node,
    variables: &[(OsString, OsString)],
    rank: usize,
) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut ours: Vec<(&str, &OsString)> = variables
        .iter()
        .filter_map(|(name, value)| Some((name.to_str()?, value)))
        .filter_map(|(name, value)| Some((name.strip_prefix(ENVIRONMENT_PREFIX)?, value)))
        .collect();
    ours.sort();
    for (name, value) in ours {
        let Some(value) = value.to_str() else {
            problems.push(Problem {
                key: format!("{ENVIRONMENT_PREFIX}{name}"),
                origin: Some("the environment".to_owned()),
                what: "is not UTF-8".to_owned(),
                remedy: "write it as UTF-8 text".to_owned(),
            });
            continue;
        };
        let path: Vec<String> = name.split("__").map(str::to_lowercase).collect();
        let origin = Origin::new(rank, format!("{ENVIRONMENT_PREFIX}{name}"));
        all.set(&path, value, &origin);
    }
    problems
}
