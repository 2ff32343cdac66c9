//! What a person does to records in the dashboard, past the API.

use http::StatusCode;

use super::note;
use super::record::Wish;
use super::refusal::Refusal;
use super::zone::Place;
use crate::call::empty;
use crate::history::Change;
use crate::world::World;

impl World {
    /// Deletes a record. False when there is none with this id.
    pub async fn delete_record_by_hand(&self, id: &str) -> bool {
        let answer = self.change("console", |turn| {
            let now = turn.stamp(turn.now);
            match turn.state.cloudflare.records.remove(id, now) {
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
            let plan = turn.options.cloudflare_plan;
            let super::State { zones, records, .. } = &mut turn.state.cloudflare;
            let place = zones
                .values()
                .map(|zone| Place {
                    zone: &zone.name,
                    plan,
                })
                .find(|place| records.get(id, *place).is_ok());
            let edited = place
                .ok_or(Refusal::NoSuchRecord)
                .and_then(|place| records.patch(id, wish, place, now));
            match edited {
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
    /// The certificate of the Origin CA as a PEM: what a client that talks to an origin trusts. Cloudflare publishes
    /// its own on its pages.
    pub async fn origin_ca_root(&self) -> Option<String> {
        let mut root = None;
        let answer = self.change("console", |turn| {
            let now = turn.stamp(turn.now);
            root = turn.state.cloudflare.origin_ca.root(now).ok();
            empty(StatusCode::OK)
        });
        let kept = answer.await.status().is_success();
        root.filter(|_| kept)
    }
}
