//! Asking as somebody else: the `Impersonate-*` headers, and who may use them.
//!
//! The ways to be allowed it, and the order they are tried in, are those of
//! k8s.io/apiserver/pkg/endpoints/filters/impersonation, without that of a node's own agents: there are
//! no nodes.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;

use super::{
    ANONYMOUS, AUTHENTICATED, Access, Attributes, UNAUTHENTICATED, User,
    groups_of_service_accounts, service_account,
};
use crate::ledger::Ledger;
use crate::request::percent_decoded;
use crate::status::Failure;

const EXTRA: &str = "impersonate-extra-";
const AUTHENTICATION: &str = "authentication.k8s.io";
const NODE: &str = "system:node:";

/// One way to be allowed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Node,
    ServiceAccount,
    UserInfo,
    /// The verb `impersonate`, for everything at once.
    Plain,
}

const ALL: [Mode; 4] = [
    Mode::Node,
    Mode::ServiceAccount,
    Mode::UserInfo,
    Mode::Plain,
];

impl Mode {
    fn verb(self) -> &'static str {
        match self {
            Mode::Node => "impersonate:arbitrary-node",
            Mode::ServiceAccount => "impersonate:serviceaccount",
            Mode::UserInfo => "impersonate:user-info",
            Mode::Plain => "impersonate",
        }
    }

    /// Is this a way to become that user?
    fn is_for(self, wanted: &User) -> bool {
        let only_named =
            wanted.uid.is_empty() && wanted.groups.is_empty() && wanted.extra.is_empty();
        let node = wanted.name.starts_with(NODE);
        let account = service_account(&wanted.name).is_some();
        match self {
            Mode::Node => node && only_named,
            Mode::ServiceAccount => account && only_named,
            Mode::UserInfo => !node && !account,
            Mode::Plain => true,
        }
    }
}

/// Requesters that are remembered; then all are forgotten.
const REMEMBERED: usize = 10_000;

/// The way each requester went last. It is tried first, and its refusal is the one that is told.
#[derive(Default)]
pub(super) struct Ways(Mutex<HashMap<String, Mode>>);

impl Ways {
    /// All of them, in the order to be tried.
    fn of(&self, requester: &str) -> impl Iterator<Item = Mode> + use<> {
        let ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = ways.get(requester).copied();
        let rest = ALL.into_iter().filter(move |mode| Some(*mode) != last);
        last.into_iter().chain(rest)
    }

    fn remember(&self, requester: String, mode: Mode) {
        let mut ways = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ways.len() >= REMEMBERED {
            ways.clear();
        }
        ways.insert(requester, mode);
    }
}

/// Whom the request is made as: the requester, or whom the headers name if the requester may.
pub(crate) fn impersonate(
    access: &Access,
    ledger: &Ledger,
    requester: User,
    headers: &HeaderMap,
    asked: &Attributes<'_>,
) -> Result<User, Failure> {
    let Some(wanted) = wanted(headers)? else {
        return Ok(requester);
    };
    let mut first = None;
    for mode in access.ways.of(&requester.name) {
        if !mode.is_for(&wanted) {
            continue;
        }
        let mut may = |asked: &Attributes<'_>| access.check(ledger, &requester, asked);
        match allowed(mode, &wanted, asked, &mut may) {
            Ok(()) => {
                access.ways.remember(requester.name, mode);
                return Ok(complete(mode, wanted));
            }
            Err(failure) => first = first.or(Some(failure)),
        }
    }
    // The last way is for everybody, so there is a first refusal.
    Err(first.unwrap_or(Failure::Unauthorized))
}

/// Who is named in the headers.
fn wanted(headers: &HeaderMap) -> Result<Option<User>, Failure> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let one = |name: &str| headers.get(name).map(text).unwrap_or_default();
    let mut user = User {
        name: one("impersonate-user"),
        uid: one("impersonate-uid"),
        groups: headers
            .get_all("impersonate-group")
            .iter()
            .map(text)
            .collect(),
        ..User::default()
    };
    for (name, value) in headers {
        if let Some(key) = name.as_str().strip_prefix(EXTRA) {
            let key = percent_decoded(key).unwrap_or_else(|| key.to_owned());
            user.extra.entry(key).or_default().push(text(value));
        }
    }
    if !user.name.is_empty() {
        return Ok(Some(user));
    }
    if user == User::default() {
        return Ok(None);
    }
    Err(Failure::BadRequest(format!(
        "requested {} without impersonating a user name",
        go_words(&user)
    )))
}

/// A user as Go's `%#v` writes one.
fn go_words(user: &User) -> String {
    let list = |words: &[String]| {
        let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
        format!("[]string{{{}}}", quoted.join(", "))
    };
    let groups = match user.groups.as_slice() {
        [] => "[]string(nil)".to_owned(),
        groups => list(groups),
    };
    let extra: Vec<String> = user
        .extra
        .iter()
        .map(|(key, values)| format!("{key:?}:{}", list(values)))
        .collect();
    let extra = match extra.as_slice() {
        [] => "(nil)".to_owned(),
        extra => format!("{{{}}}", extra.join(", ")),
    };
    format!(
        "&user.DefaultInfo{{Name:{:?}, UID:{:?}, Groups:{groups}, Extra:map[string][]string{extra}}}",
        user.name, user.uid
    )
}

/// Every name, group, uid and extra value is a resource of its own.
fn allowed(
    mode: Mode,
    wanted: &User,
    asked: &Attributes<'_>,
    may: &mut dyn FnMut(&Attributes<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let verb = mode.verb();
    let group = if mode == Mode::Plain {
        ""
    } else {
        AUTHENTICATION
    };
    if mode != Mode::Plain {
        let way = verb.trim_start_matches("impersonate:");
        let mut on = asked.clone();
        on.verb = format!("impersonate-on:{way}:{}", asked.verb).into();
        may(&on)?;
    }
    let node = wanted
        .name
        .strip_prefix(NODE)
        .filter(|_| mode == Mode::Node);
    let name = match (service_account(&wanted.name), node) {
        (Some((namespace, name)), _) => [group, "serviceaccounts", "", namespace, name],
        (None, Some(node)) => [group, "nodes", "", "", node],
        (None, None) => [group, "users", "", "", &wanted.name],
    };
    may(&Attributes::resource(verb, name))?;
    if !wanted.uid.is_empty() {
        may(&Attributes::resource(
            verb,
            [AUTHENTICATION, "uids", "", "", &wanted.uid],
        ))?;
    }
    for name in &wanted.groups {
        may(&Attributes::resource(verb, [group, "groups", "", "", name]))?;
    }
    for (key, values) in &wanted.extra {
        for value in values {
            may(&Attributes::resource(
                verb,
                [AUTHENTICATION, "userextras", key, "", value],
            ))?;
        }
    }
    Ok(())
}

/// With the groups that go without saying.
fn complete(mode: Mode, mut user: User) -> User {
    if user.groups.is_empty() {
        if mode == Mode::Node {
            user.groups.push("system:nodes".to_owned());
        } else if let Some((namespace, _)) = service_account(&user.name) {
            user.groups = groups_of_service_accounts(namespace);
        }
    }
    let group = if user.name == ANONYMOUS {
        UNAUTHENTICATED
    } else {
        AUTHENTICATED
    };
    if !user.is_in(group) && !user.is_in(UNAUTHENTICATED) {
        user.groups.push(group.to_owned());
    }
    user
}
