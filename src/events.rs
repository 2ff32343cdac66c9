//! Tells the story of an object as Kubernetes Events, so that `kubectl describe` reads like one.
//!
//! Telling is best effort: what cannot be told is logged, and never fails a visit.

use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};

use crate::api::Reason;

/// What Kubernetes takes in an Event's note, in bytes.
const NOTE_BYTES_MAX: usize = 1024;

/// Publishes Events in the name of one controller, or nobody's.
#[derive(Clone)]
pub struct Narrator(Option<Recorder>);

impl Narrator {
    /// `controller` is shown by `kubectl describe` as the source; `identity` tells processes apart.
    pub fn new(client: Client, controller: &str, identity: &str) -> Self {
        let reporter = Reporter {
            controller: format!("clawdet-{controller}"),
            instance: Some(identity.to_owned()),
        };
        Self(Some(Recorder::new(client, reporter)))
    }

    /// Tells nobody.
    pub fn silent() -> Self {
        Self(None)
    }

    /// `action` is what was done or tried, one word in `PascalCase`.
    pub async fn tell(&self, about: &ObjectReference, reason: Reason, action: &str, note: &str) {
        let Some(recorder) = &self.0 else {
            return;
        };
        let event = Event {
            type_: if reason.needs_attention() {
                EventType::Warning
            } else {
                EventType::Normal
            },
            reason: reason.as_str().to_owned(),
            note: Some(shortened(note)),
            action: action.to_owned(),
            secondary: None,
        };
        if let Err(error) = recorder.publish(&event, about).await {
            tracing::warn!(%reason, %error, "An Event could not be published");
        }
    }
}

/// The longest beginning of `note` that fits, ending at a character.
fn shortened(note: &str) -> String {
    note[..note.floor_char_boundary(NOTE_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::{NOTE_BYTES_MAX, shortened};

    #[test]
    fn a_long_note_is_cut_at_a_character() {
        let note = "ä".repeat(NOTE_BYTES_MAX);
        assert_eq!(shortened(&note).len(), NOTE_BYTES_MAX);
        assert_eq!(shortened(&format!("x{note}")).len(), NOTE_BYTES_MAX - 1);
        assert_eq!(shortened("short"), "short");
    }
}
