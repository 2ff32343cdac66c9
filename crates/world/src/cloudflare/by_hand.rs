//! What a person does to records in the dashboard, past the API.

use http::StatusCode;

use super::note;
use super::record::Wish;
use super::refusal::Refusal;
use crate::call::empty;
use crate::history::Change;
use crate::world::World;

impl World {
    /// Deletes a record. False when there is none with this id.
    pub async fn delete_record_by_hand(&self, id: &str) -> bool {
        let answer = self.change("console", |turn| {
            let now = turn.stamp(turn.now);
            match turn.state.cloudflare.zone.delete(id, now) {
                Ok(record) => {
                    note(turn, &record, Change::Removed);
                    empty(StatusCode::OK)
                }
                Err(refusal) => empty(refusal.status()),
            }
        });
        answer.await.status().is_success()
    }

    /// Gives a record other content. The error is what Cloudflare would say to it.
    pub async fn edit_record_by_hand(&self, id: &str, content: String) -> Result<(), String> {
        let mut outcome: Result<(), Refusal> = Ok(());
        let answer = self.change("console", |turn| {
            let now = turn.stamp(turn.now);
            let wish = Wish::content(content);
            match turn.state.cloudflare.zone.patch(id, wish, now) {
                Ok(record) => note(turn, &record, Change::Changed("edited by hand".to_owned())),
                Err(refusal) => outcome = Err(refusal),
            }
            empty(StatusCode::OK)
        });
        if !answer.await.status().is_success() {
            return Err("the world could not keep the change".to_owned());
        }
        outcome.map_err(|refusal| refusal.to_string())
    }
}
