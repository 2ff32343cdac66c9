//! One DNS record: what a request may say about it, which values are accepted, and how it is shown.
//! It does not know the other records of its zone.

use std::net::{Ipv4Addr, Ipv6Addr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::RecordRow;
use super::refusal::Refusal;
use super::zone::Place;
use crate::options::CloudflarePlan;

/// The time to live that means "automatic".
const AUTOMATIC: u32 = 1;
const NAME_LIMIT: usize = 253;
const LABEL_LIMIT: usize = 63;
const CONTENT_LIMIT: usize = 2048;
const TAG_NAME_LIMIT: usize = 32;
const TAG_VALUE_LIMIT: usize = 100;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Kind {
    A,
    Aaaa,
    Caa,
    Cname,
    Mx,
    Ns,
    Txt,
}

impl Kind {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Caa => "CAA",
            Self::Cname => "CNAME",
            Self::Mx => "MX",
            Self::Ns => "NS",
            Self::Txt => "TXT",
        }
    }

    fn proxiable(self) -> bool {
        match self {
            Self::A | Self::Aaaa | Self::Cname => true,
            Self::Caa | Self::Mx | Self::Ns | Self::Txt => false,
        }
    }
}

/// What a request says about a record. A PATCH may leave anything out; a POST or PUT starts from the
/// defaults.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Wish {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<Kind>,
    content: Option<String>,
    ttl: Option<u32>,
    proxied: Option<bool>,
    #[serde(default)]
    comment: Said,
    tags: Option<Vec<String>>,
    priority: Option<u16>,
    data: Option<Caa>,
}

impl Wish {
    /// Other content and nothing else.
    pub(crate) fn content(content: String) -> Self {
        Self {
            content: Some(content),
            ..Self::default()
        }
    }
}

/// A comment that can be left as it is, set, or cleared (`null`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Option<String>")]
enum Said {
    #[default]
    Nothing,
    Comment(Option<String>),
}

impl From<Option<String>> for Said {
    /// Only a key that is there is read at all.
    fn from(comment: Option<String>) -> Self {
        Self::Comment(comment)
    }
}

impl Said {
    fn comment(self) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Comment(comment) => comment,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Caa {
    flags: u8,
    tag: String,
    value: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    /// Complete, lower case, without the last dot.
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) content: String,
    pub(crate) ttl: u32,
    pub(crate) proxied: bool,
    pub(crate) comment: Option<String>,
    priority: Option<u16>,
    data: Option<Caa>,
    pub(crate) created: Timestamp,
    pub(crate) modified: Timestamp,
    comment_modified: Option<Timestamp>,
    #[serde(default)]
    pub(crate) tags: Vec<String>,
    #[serde(default)]
    tags_modified: Option<Timestamp>,
}

impl Record {
    /// A new record from a POST (or a PUT's complete replacement).
    pub(super) fn new(
        id: String,
        wish: Wish,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let kind = wish
            .kind
            .ok_or_else(|| Refusal::Unreadable("type is required".to_owned()))?;
        let comment = checked_comment(wish.comment.comment(), place.plan)?;
        let tags = checked_tags(&wish.tags.unwrap_or_default(), place.plan)?;
        let draft = Self {
            id,
            name: full_name(wish.name.as_deref().unwrap_or_default(), place.zone)?,
            kind,
            content: wish.content.unwrap_or_default(),
            ttl: wish.ttl.unwrap_or(AUTOMATIC),
            proxied: wish.proxied.unwrap_or(false),
            comment_modified: comment.as_ref().map(|_| now),
            comment,
            tags_modified: (!tags.is_empty()).then_some(now),
            tags,
            priority: wish.priority,
            data: wish.data,
            created: now,
            modified: now,
        };
        draft.checked()
    }

    /// This record after a PATCH: what is not mentioned stays.
    pub(super) fn patched(
        &self,
        wish: Wish,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        if wish.kind.is_some_and(|kind| kind != self.kind) {
            return Err(Refusal::TypeChanged);
        }
        let mut next = self.clone();
        if let Some(tags) = wish.tags {
            next.tags = checked_tags(&tags, place.plan)?;
        }
        if let Some(name) = wish.name {
            next.name = full_name(&name, place.zone)?;
        }
        if let Some(content) = wish.content {
            next.content = content;
        }
        next.ttl = wish.ttl.unwrap_or(next.ttl);
        next.proxied = wish.proxied.unwrap_or(next.proxied);
        next.priority = wish.priority.or(next.priority);
        next.data = wish.data.or(next.data);
        if let Said::Comment(comment) = wish.comment {
            next.comment = checked_comment(comment, place.plan)?;
        }
        next.modified = now;
        next.noting_what_changed(self, now).checked()
    }

    /// This record after a PUT: what is not mentioned goes back to its default; id and creation stay.
    pub(super) fn replaced(
        &self,
        wish: Wish,
        place: Place<'_>,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let mut next = Self::new(self.id.clone(), wish, place, now)?;
        if next.kind != self.kind {
            return Err(Refusal::TypeChanged);
        }
        next.created = self.created;
        Ok(next.noting_what_changed(self, now))
    }

    fn noting_what_changed(mut self, before: &Self, now: Timestamp) -> Self {
        self.comment_modified = if self.comment == before.comment {
            before.comment_modified
        } else {
            self.comment.as_ref().map(|_| now)
        };
        self.tags_modified = if self.tags == before.tags {
            before.tags_modified
        } else {
            (!self.tags.is_empty()).then_some(now)
        };
        self
    }

    fn checked(mut self) -> Result<Self, Refusal> {
        self.content = canonical_content(self.kind, &self.content, self.data.as_ref())?;
        if self.ttl != AUTOMATIC && !(60..=86_400).contains(&self.ttl) {
            return Err(Refusal::Ttl);
        }
        if self.proxied && !self.kind.proxiable() {
            return Err(Refusal::NotProxiable);
        }
        if self.proxied {
            self.ttl = AUTOMATIC;
        }
        if self.kind == Kind::Mx && self.priority.is_none() {
            self.priority = Some(0);
        }
        Ok(self)
    }

    pub(crate) fn row(&self) -> RecordRow {
        RecordRow {
            id: self.id.clone(),
            name: self.name.clone(),
            record_type: self.kind.word().to_owned(),
            content: self.content.clone(),
            proxied: self.proxied,
            comment: self.comment.clone(),
            created: self.created,
        }
    }

    /// As Cloudflare shows it.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = json!({
            "id": self.id,
            "name": self.name,
            "type": self.kind.word(),
            "content": self.content,
            "proxiable": self.kind.proxiable(),
            "proxied": self.proxied,
            "ttl": self.ttl,
            "settings": {},
            "meta": {},
            "comment": self.comment,
            "tags": self.tags,
            "created_on": shown_time(self.created),
            "modified_on": shown_time(self.modified),
        });
        if let Some(at) = self.comment_modified {
            shown["comment_modified_on"] = json!(shown_time(at));
        }
        if let Some(at) = self.tags_modified {
            shown["tags_modified_on"] = json!(shown_time(at));
        }
        if let Some(priority) = self.priority {
            shown["priority"] = json!(priority);
        }
        if let Some(data) = &self.data {
            shown["data"] = json!(data);
        }
        shown
    }
}

/// With six digits after the second, as Cloudflare writes times.
pub(crate) fn shown_time(at: Timestamp) -> String {
    format!("{at:.6}")
}

/// Tags are `name:value`, or a name alone, which Cloudflare keeps as `name:`.
fn checked_tags(tags: &[String], plan: CloudflarePlan) -> Result<Vec<String>, Refusal> {
    let most = plan.tag_limit();
    if tags.len() > most {
        return Err(Refusal::Tags(tags.len(), most));
    }
    tags.iter().map(|tag| checked_tag(tag)).collect()
}

fn checked_tag(tag: &str) -> Result<String, Refusal> {
    let (name, value) = tag.split_once(':').unwrap_or((tag, ""));
    let is_name_byte = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let fits = (1..=TAG_NAME_LIMIT).contains(&name.len())
        && name.bytes().all(is_name_byte)
        && value.chars().count() <= TAG_VALUE_LIMIT
        && !value.chars().any(char::is_control);
    if fits {
        Ok(format!("{name}:{value}"))
    } else {
        Err(Refusal::Tag)
    }
}

fn checked_comment(
    comment: Option<String>,
    plan: CloudflarePlan,
) -> Result<Option<String>, Refusal> {
    let Some(comment) = comment.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let most = plan.comment_limit();
    if comment.chars().count() > most {
        return Err(Refusal::Comment(most));
    }
    if comment.chars().any(char::is_control) {
        return Err(Refusal::CommentCharacters);
    }
    Ok(Some(comment))
}

/// The complete name: `@` is the zone itself, and a name outside of the zone gets the zone appended.
pub(crate) fn full_name(name: &str, zone: &str) -> Result<String, Refusal> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let full = match name.as_str() {
        "" => return Err(Refusal::Name),
        "@" => zone.to_owned(),
        inside if inside == zone || inside.ends_with(&format!(".{zone}")) => inside.to_owned(),
        relative => format!("{relative}.{zone}"),
    };
    if is_host_name(&full) {
        Ok(full)
    } else {
        Err(Refusal::Name)
    }
}

pub(super) fn is_host_name(name: &str) -> bool {
    let label_is_fine = |(place, label): (usize, &str)| {
        (place == 0 && label == "*")
            || (!label.is_empty()
                && label.len() <= LABEL_LIMIT
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'))
    };
    name.len() <= NAME_LIMIT && name.split('.').enumerate().all(label_is_fine)
}

fn canonical_content(kind: Kind, content: &str, data: Option<&Caa>) -> Result<String, Refusal> {
    let content = content.trim();
    if content.len() > CONTENT_LIMIT {
        return Err(Refusal::Content(kind.word()));
    }
    match kind {
        Kind::A => content
            .parse::<Ipv4Addr>()
            .map(|address| address.to_string())
            .map_err(|_| Refusal::Ipv4),
        Kind::Aaaa => content
            .parse::<Ipv6Addr>()
            .map(|address| address.to_string())
            .map_err(|_| Refusal::Ipv6),
        Kind::Cname | Kind::Mx | Kind::Ns => {
            let host = content.trim_end_matches('.').to_ascii_lowercase();
            if is_host_name(&host) {
                Ok(host)
            } else {
                Err(Refusal::Content(kind.word()))
            }
        }
        Kind::Txt if content.is_empty() => Err(Refusal::Content("TXT")),
        Kind::Txt => Ok(content.to_owned()),
        Kind::Caa => data
            .map(|caa| format!("{} {} \"{}\"", caa.flags, caa.tag, caa.value))
            .ok_or(Refusal::Content("CAA")),
    }
}
