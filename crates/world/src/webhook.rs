//! Where webhooks go, and who keeps them going. When they are due and what they say is Stripe's business (`stripe`).

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::World;

/// Who receives webhooks: a URL, or a router in process with the path to post to.
#[derive(Clone)]
pub enum WebhookTarget {
    Url(String),
    Router(axum::Router, String),
}

/// How often due webhooks are looked for, in `tokio` time.
const LOOK_EVERY: Duration = Duration::from_millis(200);

impl World {
    /// Delivers webhooks as they fall due, until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut changes = self.changes();
        while !stop.is_cancelled() {
            self.pump_webhooks().await;
            tokio::select! {
                () = stop.cancelled() => {}
                _ = changes.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }
}
