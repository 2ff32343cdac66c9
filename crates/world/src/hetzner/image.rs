//! Images: the system's own, and snapshots and backups made of servers.

use std::borrow::Cow;

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    State, action, catalogue, list,
    list::Listed,
    name::IdOrName,
    refusal::Refusal,
    selector::{self, Labels},
};
use crate::{
    call::{self, Answer, Asked, Turn},
    clock::{Clock, Millis},
    history::{Change, Kind, Subject},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Type {
    Snapshot,
    Backup,
}

/// An image made of a server.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Image {
    pub(super) id: u64,
    pub(super) project: String,
    #[serde(rename = "type")]
    pub(super) kind: Type,
    pub(super) description: String,
    pub(super) labels: Labels,
    pub(super) created: Millis,
    /// When it is whole and can be used.
    pub(super) ready: Millis,
    pub(super) server: u64,
    pub(super) server_name: String,
    pub(super) disk: u64,
    pub(super) architecture: String,
    /// The system image the server was made from, for its flavour and version.
    pub(super) system: Option<u64>,
    pub(super) protect_delete: bool,
}

impl Listed for Image {
    fn id(&self) -> u64 {
        self.id
    }

    /// Only system images have names.
    fn name(&self) -> &'static str {
        ""
    }

    fn labels(&self) -> Option<&Labels> {
        Some(&self.labels)
    }

    fn created(&self) -> Millis {
        self.created
    }
}

impl Image {
    /// `ready` is told apart from `creating` only where now is known; inside a server it is shown as available.
    fn show(&self, now: Millis, clock: &Clock) -> Value {
        let ready = now >= self.ready;
        let system = self.system.and_then(catalogue::show_image);
        let of_system = |field: &str| system.map_or(Value::Null, |system| system[field].clone());
        json!({
            "id": self.id, "name": null, "description": self.description, "type": self.kind,
            "status": if ready { "available" } else { "creating" },
            "image_size": ready.then_some(2.3), "disk_size": self.disk, "created": clock.stamp(self.created),
            "created_from": { "id": self.server, "name": self.server_name },
            "bound_to": (self.kind == Type::Backup).then_some(self.server),
            "os_flavor": if system.is_some() { of_system("os_flavor") } else { json!("unknown") },
            "os_version": of_system("os_version"), "rapid_deploy": false,
            "protection": { "delete": self.protect_delete }, "deprecated": null, "deleted": null,
            "labels": self.labels, "architecture": self.architecture,
        })
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            kind: Kind::Image,
            id: self.id.to_string(),
            name: self.description.clone(),
        }
    }
}

impl State {
    /// An image as a server shows it.
    pub(super) fn show_image(&self, id: u64, clock: &Clock) -> Option<Cow<'static, Value>> {
        let own = || {
            self.images
                .get(&id)
                .map(|image| Cow::Owned(image.show(image.ready, clock)))
        };
        catalogue::show_image(id).map(Cow::Borrowed).or_else(own)
    }

    /// The image that a request means, if it fits the architecture.
    pub(super) fn usable_image(
        &self,
        project: &str,
        wanted: &IdOrName,
        architecture: &str,
    ) -> Result<u64, Refusal> {
        let system = catalogue::IMAGES
            .iter()
            .find(|image| image.architecture == architecture && wanted.means(image.id, image.name));
        if let Some(system) = system {
            return Ok(system.id);
        }
        let own = self
            .images
            .values()
            .find(|image| image.project == project && wanted.means(image.id, "\0"));
        match own {
            Some(image) if image.architecture == architecture => Ok(image.id),
            Some(_) => Err(Refusal::invalid("image", "incompatible image architecture")),
            None => Err(Refusal::invalid("image", "image not found")),
        }
    }
}

/// `GET /images`: system images first; filtered by `type`, `status`, `architecture`, `bound_to`, `name`, labels.
pub(super) fn list(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let own = turn
        .state
        .hetzner
        .images
        .values()
        .filter(|image| image.project == project);
    let own = list::chosen(turn, asked, own)?;
    let name = asked.query_value("name");
    let labelled = asked.query_value("label_selector").is_some();
    let system = catalogue::IMAGES
        .iter()
        .filter(|image| !labelled && name.is_none_or(|name| image.name == name));
    let mut rows: Vec<Value> = system
        .filter_map(|image| catalogue::show_image(image.id))
        .cloned()
        .collect();
    rows.extend(own.iter().map(|image| image.show(turn.now, turn.clock)));
    for field in ["type", "status", "architecture", "bound_to"] {
        let wanted: Vec<&str> = asked.query_values(field).collect();
        rows.retain(|row| wanted.is_empty() || wanted.contains(&plain(&row[field]).as_str()));
    }
    list::page(turn, asked, "images", &rows, Clone::clone)
}

fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// `GET /images/{id}`.
pub(super) fn get(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let id = super::id(asked, "id")?;
    let shown = match catalogue::show_image(id) {
        Some(system) => system.clone(),
        None => known(turn, project, asked)?.show(turn.now, turn.clock),
    };
    Ok(call::json(StatusCode::OK, &json!({ "image": shown })))
}

#[derive(Deserialize)]
struct ImageUpdate {
    description: Option<String>,
    labels: Option<Labels>,
    #[serde(rename = "type")]
    kind: Option<Type>,
}

/// `PUT /images/{id}`: a backup may become a snapshot, never the other way.
pub(super) fn update(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let mut image = known(turn, project, asked)?;
    let update: ImageUpdate = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    if update.kind == Some(Type::Backup) {
        return Err(Refusal::invalid(
            "type",
            "a snapshot cannot become a backup",
        ));
    }
    if let Some(labels) = update.labels {
        selector::check(&labels)?;
        image.labels = labels;
    }
    image.description = update.description.unwrap_or(image.description);
    image.kind = update.kind.unwrap_or(image.kind);
    keep(
        turn,
        image.clone(),
        Change::Changed("description, labels or type".to_owned()),
    );
    Ok(call::json(
        StatusCode::OK,
        &json!({ "image": image.show(turn.now, turn.clock) }),
    ))
}

/// `DELETE /images/{id}`.
pub(super) fn delete(turn: &mut Turn<'_>, project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    let image = known(turn, project, asked)?;
    if image.protect_delete {
        return Err(Refusal::protected("image"));
    }
    turn.note(image.subject(), Change::Removed, &image.labels);
    turn.state.hetzner.images.remove(&image.id);
    Ok(call::empty(StatusCode::NO_CONTENT))
}

#[derive(Deserialize)]
struct Protection {
    delete: bool,
}

/// `POST /images/{id}/actions/change_protection`.
pub(super) fn change_protection(
    turn: &mut Turn<'_>,
    project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let mut image = known(turn, project, asked)?;
    let wanted: Protection = asked.json().map_err(|error| Refusal::unreadable(&error))?;
    image.protect_delete = wanted.delete;
    let resources = [("image", image.id)];
    keep(turn, image, Change::Changed("protection".to_owned()));
    let begun = action::begin(
        turn,
        project,
        "change_protection",
        &resources,
        turn.options.latency.other,
    );
    Ok(call::json(
        StatusCode::CREATED,
        &json!({ "action": begun.show(turn.now, turn.clock) }),
    ))
}

/// A server's backups go with it, and with its backup option; snapshots stay.
pub(super) fn remove_backups_of(turn: &mut Turn<'_>, server: u64) {
    let all = turn.state.hetzner.images.values();
    let backups: Vec<u64> = all
        .filter(|image| image.kind == Type::Backup && image.server == server)
        .map(|image| image.id)
        .collect();
    for id in backups {
        if let Some(image) = turn.state.hetzner.images.remove(&id) {
            turn.note(image.subject(), Change::Removed, &image.labels);
        }
    }
}

/// Makes or replaces an image and writes it into history.
pub(super) fn keep(turn: &mut Turn<'_>, image: Image, change: Change) {
    turn.note(image.subject(), change, &image.labels);
    turn.state.hetzner.images.insert(image.id, image);
}

pub(super) fn show(turn: &Turn<'_>, image: &Image) -> Value {
    image.show(turn.now, turn.clock)
}

fn known(turn: &Turn<'_>, project: &str, asked: &Asked) -> Result<Image, Refusal> {
    let id = super::id(asked, "id")?;
    let image = turn
        .state
        .hetzner
        .images
        .get(&id)
        .filter(|image| image.project == project);
    image.cloned().ok_or_else(|| Refusal::not_found("image"))
}
