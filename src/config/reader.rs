//! Reads settings out of the tree one by one, and notes on the way what was asked for, what it is, and
//! every problem. Which settings there are is not known here.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use secrecy::SecretString;
use zeroize::Zeroizing;

use super::form::{self, Form};
use super::tree::{Node, Origin, Value};
use super::{Problem, Setting};

/// A file with a secret is at most so long.
const SECRET_FILE_BYTES_MAX: u64 = 64 * 1024;
/// A list has at most so many elements.
const LIST_MAX: usize = 64;
/// How many characters of a wrong value are repeated in a problem.
const SHOWN_MAX: usize = 80;

/// What reading found out.
#[derive(Default)]
pub(super) struct Log {
    pub(super) problems: RefCell<Vec<Problem>>,
    pub(super) settings: RefCell<Vec<Setting>>,
    /// Every key that can be set, such as `hetzner.projects[].name`.
    pub(super) asked: RefCell<BTreeSet<String>>,
}

/// A setting could not be read, and the log says why.
#[derive(Debug)]
pub(super) struct Noted;

/// One table of settings.
pub(super) struct Section<'a> {
    entries: Option<&'a BTreeMap<String, Node>>,
    /// `hetzner.projects[0]`; empty for the root.
    path: String,
    /// Something else stands where the group should be: that nothing is set in it is no news.
    is_broken: bool,
    log: &'a Log,
}

impl<'a> Section<'a> {
    pub(super) fn root(node: &'a Node, log: &'a Log) -> Self {
        Self::at(Some(node), String::new(), log)
    }

    fn at(node: Option<&'a Node>, path: String, log: &'a Log) -> Self {
        let (entries, is_broken) = match node.map(|node| (&node.value, &node.origin)) {
            None => (None, false),
            Some((Value::Table(entries), _)) => (Some(entries), false),
            Some((Value::Text(_) | Value::List(_), origin)) => {
                log.problem(
                    &path,
                    Some(origin),
                    "is a group of settings and not one value",
                    format!("write [{path}] and the settings of the group below it"),
                );
                (None, true)
            }
        };
        Self {
            entries,
            path,
            is_broken,
            log,
        }
    }

    pub(super) fn section(&self, name: &str) -> Self {
        let mut section = Self::at(self.node(name), self.key(name), self.log);
        section.is_broken |= self.is_broken;
        section
    }

    /// A list of groups, in order. Where there is none, the first is read as if it stood there, so that
    /// its settings are known and those that are missing are named.
    pub(super) fn sections(&self, name: &str) -> Vec<Self> {
        let path = self.key(name);
        let element = |place, item| Self::at(item, format!("{path}[{place}]"), self.log);
        let mut only = element(0, None);
        let Some(node) = self.node(name) else {
            only.is_broken = self.is_broken;
            return vec![only];
        };
        let Value::List(items) = &node.value else {
            let remedy = format!("write [[{path}]] once for each");
            self.fault(name, "is a list of groups", &remedy);
            only.is_broken = true;
            return vec![only];
        };
        if items.is_empty() || self.limit(&path, items.len(), &node.origin).is_err() {
            return vec![only];
        }
        let read = |(place, item)| element(place, Some(item));
        items.iter().enumerate().map(read).collect()
    }

    pub(super) fn required<T>(&self, name: &str, form: &Form<T>) -> Result<T, Noted> {
        match self.optional(name, form)? {
            Some(value) => Ok(value),
            None => Err(self.missing(name, &form.expects)),
        }
    }

    pub(super) fn optional<T>(&self, name: &str, form: &Form<T>) -> Result<Option<T>, Noted> {
        let Some((text, origin)) = self.text(name, &form.expects)? else {
            return Ok(None);
        };
        let value = self.parse(name, text, origin, form)?;
        self.log
            .setting(&self.key(name), format!("{text:?}"), origin);
        Ok(Some(value))
    }

    /// A list of values: in a file a list, in the environment a text with commas. Empty when not set.
    pub(super) fn list<T>(&self, name: &str, form: &Form<T>) -> Result<Vec<T>, Noted> {
        let elements = self.elements(name)?;
        let shown: Vec<&str> = elements.iter().map(|(text, _)| *text).collect();
        if let Some((_, origin)) = elements.first() {
            self.log
                .setting(&self.key(name), format!("{shown:?}"), origin);
        }
        elements
            .iter()
            .map(|(text, origin)| self.parse(name, text, origin, form))
            .collect()
    }

    /// One secret, itself or in the file named by `<name>_file`; the later source wins.
    pub(super) fn secret(&self, name: &str) -> Result<SecretString, Noted> {
        let mut secrets = self.secrets(name)?;
        match secrets.pop() {
            Some(only) if secrets.is_empty() => Ok(only),
            Some(_) | None => Err(self.fault(name, "holds more than one secret", "write one")),
        }
    }

    /// Secrets, at least one, themselves or one on each line of the file named by `<name>_file`.
    pub(super) fn secrets(&self, name: &str) -> Result<Vec<SecretString>, Noted> {
        let in_file = format!("{name}_file");
        let form = form::secret();
        let direct = self.elements(name);
        let path = self.text(&in_file, "the path of a file with the secret")?;
        let direct = direct?;
        match (direct.first(), path) {
            (None, None) => {
                let expects = format!("{} (or set {in_file})", form.expects);
                Err(self.missing(name, &expects))
            }
            (Some((_, here)), Some((_, there))) if here.rank == there.rank => {
                let what = format!("is set, and {in_file} is too");
                Err(self.fault(name, &what, "remove one of the two"))
            }
            (Some((_, here)), there) if there.is_none_or(|(_, there)| here.rank > there.rank) => {
                self.log.setting(&self.key(name), "(set)".into(), here);
                direct
                    .iter()
                    .map(|(text, origin)| self.parse_secret(name, text, origin))
                    .collect()
            }
            (_, Some((path, origin))) => {
                self.log
                    .setting(&self.key(&in_file), format!("{path:?}"), origin);
                self.secrets_in(Path::new(path), &in_file)
            }
            (Some(_), None) => Err(Noted),
        }
    }

    fn secrets_in(&self, path: &Path, name: &str) -> Result<Vec<SecretString>, Noted> {
        let fault = |what: &str| {
            let remedy = "name a file this user can read, with the secret in it";
            self.fault(name, what, remedy)
        };
        let text = read_secret_file(path)
            .map_err(|error| fault(&format!("names a file that cannot be read ({error})")))?;
        let lines: Vec<&str> = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .collect();
        if lines.is_empty() || lines.len() > LIST_MAX {
            return Err(fault(&format!("names a file with {} secrets", lines.len())));
        }
        let origin = self.node(name).map(|node| &node.origin);
        lines
            .iter()
            .filter_map(|line| Some(self.parse_secret(name, line, origin?)))
            .collect()
    }

    /// As [`Section::parse`], without repeating the text.
    fn parse_secret(&self, name: &str, text: &str, origin: &Origin) -> Result<SecretString, Noted> {
        let form = form::secret();
        (form.parse)(text).map_err(|fault| {
            let remedy = format!("write {}", form.expects);
            self.log
                .problem(&self.key(name), Some(origin), &fault, remedy)
        })
    }

    fn parse<T>(
        &self,
        name: &str,
        text: &str,
        origin: &Origin,
        form: &Form<T>,
    ) -> Result<T, Noted> {
        (form.parse)(text).map_err(|fault| {
            let shown: String = text.chars().take(SHOWN_MAX).collect();
            let what = format!("{shown:?} {fault}");
            let remedy = format!("write {}", form.expects);
            self.log
                .problem(&self.key(name), Some(origin), &what, remedy)
        })
    }

    /// Notes what is wrong with a setting that could be read.
    pub(super) fn fault(&self, name: &str, what: &str, remedy: &str) -> Noted {
        let origin = self.node(name).map(|node| &node.origin);
        self.log
            .problem(&self.key(name), origin, what, remedy.into())
    }

    fn missing(&self, name: &str, expects: &str) -> Noted {
        if self.is_broken {
            return Noted;
        }
        let key = self.key(name);
        let remedy = format!("write {expects} ({} in the environment)", variable(&key));
        self.log.problem(&key, None, "is not set", remedy)
    }

    /// One value's text; None when it is not set or empty.
    fn text(&self, name: &str, expects: &str) -> Result<Option<(&'a str, &'a Origin)>, Noted> {
        self.log.ask(&self.key(name));
        let Some(node) = self.node(name) else {
            return Ok(None);
        };
        if let Value::Text(text) = &node.value {
            return Ok((!text.is_empty()).then_some((text, &node.origin)));
        }
        let what = "is one value and not a list or a group";
        Err(self.fault(name, what, &format!("write {expects}")))
    }

    /// The texts of a list.
    fn elements(&self, name: &str) -> Result<Vec<(&'a str, &'a Origin)>, Noted> {
        let key = self.key(name);
        self.log.ask(&key);
        let Some(node) = self.node(name) else {
            return Ok(Vec::new());
        };
        let found: Option<Vec<_>> = match &node.value {
            Value::Text(text) => Some(
                text.split(',')
                    .map(str::trim)
                    .filter(|element| !element.is_empty())
                    .map(|element| (element, &node.origin))
                    .collect(),
            ),
            Value::List(items) => items.iter().map(element_text).collect(),
            Value::Table(_) => None,
        };
        let remedy = "write a list of texts, such as [\"a\", \"b\"]";
        let found = found.ok_or_else(|| self.fault(name, "is a list of texts", remedy))?;
        self.limit(&key, found.len(), &node.origin)?;
        Ok(found)
    }

    fn limit(&self, key: &str, length: usize, origin: &Origin) -> Result<(), Noted> {
        if length <= LIST_MAX {
            return Ok(());
        }
        let what = format!("has {length} elements");
        let remedy = format!("write {LIST_MAX} at most");
        Err(self.log.problem(key, Some(origin), &what, remedy))
    }

    fn node(&self, name: &str) -> Option<&'a Node> {
        self.entries.and_then(|entries| entries.get(name))
    }

    fn key(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }
}

fn element_text(node: &Node) -> Option<(&str, &Origin)> {
    match &node.value {
        Value::Text(text) => Some((text, &node.origin)),
        Value::List(_) | Value::Table(_) => None,
    }
}

impl Log {
    fn ask(&self, key: &str) {
        self.asked.borrow_mut().insert(pattern(key));
    }

    fn setting(&self, key: &str, shown: String, origin: &Origin) {
        self.settings.borrow_mut().push(Setting {
            key: key.to_owned(),
            shown,
            origin: origin.to_string(),
        });
    }

    fn problem(&self, key: &str, origin: Option<&Origin>, what: &str, remedy: String) -> Noted {
        self.problems.borrow_mut().push(Problem {
            key: key.to_owned(),
            origin: origin.map(ToString::to_string),
            what: what.to_owned(),
            remedy,
        });
        Noted
    }
}

/// The key without places in lists: `hetzner.projects[].name`.
pub(super) fn pattern(key: &str) -> String {
    let mut pattern = String::with_capacity(key.len());
    let mut inside = false;
    for sign in key.chars() {
        if sign == ']' {
            inside = false;
        }
        if !inside {
            pattern.push(sign);
        }
        if sign == '[' {
            inside = true;
        }
    }
    pattern
}

/// The name of a key in the environment: `CLAWDET__HETZNER__PROJECTS__0__NAME`.
pub(super) fn variable(key: &str) -> String {
    let path = key.replace(['.', '['], "__").replace(']', "");
    format!("{}{}", super::ENVIRONMENT_PREFIX, path.to_uppercase())
}

fn read_secret_file(path: &Path) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    std::fs::File::open(path)?
        .take(SECRET_FILE_BYTES_MAX)
        .read_to_string(&mut text)?;
    Ok(text)
}
