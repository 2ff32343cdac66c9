//! SSH keys: public ones, by name and fingerprint.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    list,
    list::Listed,
    name,
    refusal::Refusal,
    selector::{self, Labels},
};
use crate::{
    call::{self, Answer, Asked, Turn},
    clock::{Clock, Millis},
    history::{Change, Kind, Subject},
};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SshKey {
    pub(super) id: u64,
    pub(super) project: String,
    pub(super) name: String,
    labels: Labels,
    public_key: String,
    fingerprint: String,
    created: Millis,
}

impl Listed for SshKey {
    fn id(&self) -> u64 {
        self.id
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.labels)
    }

    fn created(&self) -> Millis {
        self.created
    }
}

impl SshKey {
    fn show(&self, clock: &Clock) -> Value {
        json!({
            "id": self.id, "name": self.name, "fingerprint": self.fingerprint, "public_key": self.public_key,
            "labels": self.labels, "created": clock.stamp(self.created),
        })
    }

    fn subject(&self) -> Subject {
        Subject {
            kind: Kind::SshKey,
            id: self.id.to_string(),
            name: self.name.clone(),
        }
    }
}

/// The key's MD5 digest as colon-separated pairs, as `ssh-keygen -l -E md5` prints it.
fn fingerprint(public_key: &str) -> Option<String> {
    use md5::{Digest, Md5};
    let mut words = public_key.split_whitespace();
    let (kind, key) = (words.next()?, words.next()?);
    let decoded = STANDARD.decode(key).ok()?;
    let known = kind.starts_with("ssh-") || kind.starts_with("ecdsa-") || kind.starts_with("sk-");
    if !known || decoded.is_empty() {
        return None;
    }
    let digest = Md5::digest(&decoded);
    Some(
        digest
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect::<Vec<_>>()
            .join(":"),
    )
}

#[derive(Deserialize)]
struct NewKey {
    name: String,
    public_key: String,
    #[serde(default)]
    labels: Labels,
}

/// `POST /ssh_keys`: name and key are each unique.
pub(super) fn create(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let wanted: NewKey = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    name::check_name(&wanted.name)?;
    selector::check(&wanted.labels)?;
    let fingerprint = fingerprint(&wanted.public_key)
        .ok_or_else(|| Refusal::invalid("public_key", "is not a valid SSH key"))?;
    check_free(turn, project, &wanted.name, None)?;
    super::check_count(turn.state.hetzner.ssh_keys.len(), "ssh_key_limit")?;
    let known = turn
        .state
        .hetzner
        .ssh_keys
        .values()
        .any(|key| key.project == project && key.fingerprint == fingerprint);
    if known {
        return Err(Refusal::taken("SSH key", "fingerprint"));
    }
    let id = super::next_id(&mut turn.state.counters);
    let key = SshKey {
        id,
        project: project.to_owned(),
        name: wanted.name,
        labels: wanted.labels,
        public_key: wanted.public_key,
        fingerprint,
        created: turn.now,
    };
    turn.note(key.subject(), Change::Created, &key.labels);
    let body = json!({ "ssh_key": key.show(turn.clock) });
    turn.state.hetzner.ssh_keys.insert(id, key);
    Ok(call::json(StatusCode::CREATED, &body))
}

fn check_free(
    turn: &Turn<'_>,
    project: &str,
    name: &str,
    except: Option<u64>,
) -> Result<(), Refusal> {
    let mut keys = turn.state.hetzner.ssh_keys.values();
    let taken =
        keys.any(|key| key.project == project && key.name == name && Some(key.id) != except);
    if taken {
        Err(Refusal::taken("SSH key", "name"))
    } else {
        Ok(())
    }
}

/// `GET /ssh_keys`: also filtered by `fingerprint`.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let fingerprint = asked.query_value("fingerprint");
    let rows = turn.state.hetzner.ssh_keys.values().filter(|key| {
        key.project == project
            && fingerprint.is_none_or(|fingerprint| key.fingerprint == fingerprint)
    });
    let rows = list::chosen(turn, asked, rows)?;
    list::page(turn, asked, "ssh_keys", &rows, |key| key.show(turn.clock))
}

/// `GET /ssh_keys/{id}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let key = known(turn, project, asked)?;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "ssh_key": key.show(turn.clock) }),
    ))
}

#[derive(Deserialize)]
struct KeyUpdate {
    name: Option<String>,
    labels: Option<Labels>,
}

/// `PUT /ssh_keys/{id}`.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let mut key = known(turn, project, asked)?;
    let update: KeyUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if let Some(name) = update.name {
        name::check_name(&name)?;
        check_free(turn, project, &name, Some(key.id))?;
        key.name = name;
    }
    if let Some(labels) = update.labels {
        selector::check(&labels)?;
        key.labels = labels;
    }
    turn.note(
        key.subject(),
        Change::Changed("name or labels".to_owned()),
        &key.labels,
    );
    let body = json!({ "ssh_key": key.show(turn.clock) });
    turn.state.hetzner.ssh_keys.insert(key.id, key);
    Ok(call::json(StatusCode::OK, &body))
}

/// `DELETE /ssh_keys/{id}`: servers made with it keep it.
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let key = known(turn, project, asked)?;
    turn.note(key.subject(), Change::Removed, &key.labels);
    turn.state.hetzner.ssh_keys.remove(&key.id);
    Ok(call::empty(StatusCode::NO_CONTENT))
}

fn known(turn: &Turn<'_>, project: &str, asked: &Asked) -> Result<SshKey, Refusal> {
    let id = super::id(asked, "id")?;
    let key = turn
        .state
        .hetzner
        .ssh_keys
        .get(&id)
        .filter(|key| key.project == project);
    key.cloned().ok_or_else(|| Refusal::not_found("SSH key"))
}
