//! What a person does to servers at the console, past every rule of the API.

use http::StatusCode;
use serde_json::json;

use super::{server::Status, servers};
use crate::{
    World,
    call::{Answer, Turn, json as answer},
};

/// What history names a person at the console.
const PERSON: &str = "console";

impl World {
    /// Deletes a server at once, protected or not. False when there is none.
    pub async fn delete_server_by_hand(&self, id: u64) -> bool {
        by_hand(self, id, |turn, id| servers::remove(turn, id, turn.now)).await
    }

    /// Cuts a server's power at once. False when there is none.
    pub async fn power_off_by_hand(&self, id: u64) -> bool {
        by_hand(self, id, |turn, id| {
            let now = turn.now;
            servers::edit(turn, id, "power cut", |server| {
                server.set_out(Status::Off, now, false);
            });
        })
        .await
    }

    /// Gives a server another name at once. False when there is none.
    pub async fn rename_server_by_hand(&self, id: u64, name: String) -> bool {
        by_hand(self, id, |turn, id| {
            servers::edit(turn, id, "name", |server| server.name = name);
        })
        .await
    }

    /// Replaces all labels of a server at once. False when there is none.
    pub async fn relabel_server_by_hand(&self, id: u64, labels: super::selector::Labels) -> bool {
        by_hand(self, id, |turn, id| {
            servers::edit(turn, id, "labels", |server| server.labels = labels);
        })
        .await
    }
}

async fn by_hand(world: &World, id: u64, act: impl FnOnce(&mut Turn<'_>, u64)) -> bool {
    let done: Answer = world
        .change(PERSON, |turn| {
            let now = turn.now;
            let there = turn
                .state
                .hetzner
                .servers
                .get(&id)
                .is_some_and(|server| server.is_there(now));
            if !there {
                return answer(StatusCode::NOT_FOUND, &json!({}));
            }
            act(turn, id);
            answer(StatusCode::OK, &json!({}))
        })
        .await;
    done.status() == StatusCode::OK
}
