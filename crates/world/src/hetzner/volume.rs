//! Volumes: what one is, whose it is, and what becomes of it when its server goes. No byte is ever stored.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{State, catalogue, list::Listed, refusal::Refusal, selector::Labels};
use crate::{
    call::Turn,
    clock::{Clock, Millis},
    history::{Change, Kind, Subject},
};

/// How many volumes a server takes, as Hetzner's FAQ says.
const MOST_ON_A_SERVER: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Format {
    Ext4,
    Xfs,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(super) id: u64,
    pub(super) project: String,
    pub(super) name: String,
    pub(super) labels: Labels,
    /// GB.
    pub(super) size: u64,
    pub(super) location: String,
    pub(super) format: Option<Format>,
    pub(super) created: Millis,
    /// When it is whole and can be used.
    pub(super) ready: Millis,
    pub(super) protect_delete: bool,
    pub(super) server: Option<u64>,
    /// When its server goes.
    pub(super) attached_until: Option<Millis>,
}

impl Listed for Volume {
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

impl Volume {
    /// Whose it is now.
    pub(super) fn server(&self, now: Millis) -> Option<u64> {
        self.server
            .filter(|_| self.attached_until.is_none_or(|until| until > now))
    }

    pub(super) fn status(&self, now: Millis) -> &'static str {
        if now < self.ready {
            "creating"
        } else {
            "available"
        }
    }

    pub(super) fn show(&self, now: Millis, clock: &Clock) -> Value {
        json!({
            "id": self.id, "name": self.name, "labels": self.labels, "size": self.size, "format": self.format,
            "status": self.status(now), "created": clock.stamp(self.created), "server": self.server(now),
            "linux_device": format!("/dev/disk/by-id/scsi-0HC_Volume_{}", self.id),
            "location": catalogue::show_location(&self.location), "protection": { "delete": self.protect_delete },
        })
    }

    pub(super) fn subject(&self) -> Subject {
        Subject {
            kind: Kind::Volume,
            id: self.id.to_string(),
            name: self.name.clone(),
        }
    }
}

impl State {
    /// The volume, if this project has it and it is nobody's.
    pub(super) fn free_volume(
        &self,
        project: &str,
        id: u64,
        now: Millis,
    ) -> Result<&Volume, Refusal> {
        let volume = self
            .volumes
            .get(&id)
            .filter(|known| known.project == project)
            .ok_or_else(|| Refusal::not_found("volume"))?;
        if volume.server(now).is_some() {
            return Err(Refusal::rule(
                "volume_already_attached",
                "volume is already attached to a server",
            ));
        }
        Ok(volume)
    }
}

/// Whether a server that has `held` volumes takes `more`.
pub(super) fn check_takes(held: usize, more: usize) -> Result<(), Refusal> {
    if held.saturating_add(more) <= MOST_ON_A_SERVER {
        Ok(())
    } else {
        Err(Refusal::limit(
            "server_volume_limit",
            "volume limit of the server exceeded",
        ))
    }
}

/// Attaches it to a server that is there, or to none.
pub(super) fn attach_to(turn: &mut Turn<'_>, id: u64, server: Option<u64>) {
    let hetzner = &mut turn.state.hetzner;
    let Some(volume) = hetzner.volumes.get(&id) else {
        return;
    };
    if let Some(before) = volume.server.and_then(|id| hetzner.servers.get_mut(&id)) {
        before.volumes.retain(|volume| *volume != id);
    }
    if let Some(server) = server.and_then(|server| hetzner.servers.get_mut(&server)) {
        server.volumes.push(id);
    }
    let what = if server.is_some() {
        "attached"
    } else {
        "detached"
    };
    edit(turn, id, what, |volume| {
        volume.server = server;
        volume.attached_until = None;
    });
}

/// Lets go of a server's volumes when it goes at `gone`: they stay, and belong to nobody then.
pub(super) fn release(turn: &mut Turn<'_>, held: &[u64], gone: Millis) {
    for id in held {
        let Some(volume) = turn.state.hetzner.volumes.get_mut(id) else {
            continue;
        };
        volume.attached_until = Some(gone);
        let (subject, labels) = (volume.subject(), volume.labels.clone());
        turn.note_from(
            gone,
            subject,
            Change::Changed("detached".to_owned()),
            &labels,
        );
    }
}

/// Changes a volume and writes it into history.
pub(super) fn edit(turn: &mut Turn<'_>, id: u64, what: &str, change: impl FnOnce(&mut Volume)) {
    let Some(volume) = turn.state.hetzner.volumes.get_mut(&id) else {
        return;
    };
    change(volume);
    let (subject, labels) = (volume.subject(), volume.labels.clone());
    turn.note(subject, Change::Changed(what.to_owned()), &labels);
}
