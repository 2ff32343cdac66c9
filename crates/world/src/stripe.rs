//! Stripe: the state and the router.

use axum::Router;
use http::StatusCode;
use serde::Serialize;

use crate::{
    World,
    call::{Answer, json},
    options::Options,
    table::Stored,
};

#[derive(Clone, Debug, Serialize)]
pub struct SubscriptionRow {
    pub id: String,
}

#[derive(Clone, Debug, Serialize)]
pub struct RefundRow {
    pub id: String,
}

pub struct State;

impl State {
    pub(crate) fn new(_options: &Options) -> State {
        State
    }

    #[allow(clippy::unused_self)]
    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        Vec::new()
    }

    #[allow(clippy::unused_self)]
    pub(crate) fn subscription_rows(&self) -> Vec<SubscriptionRow> {
        Vec::new()
    }

    #[allow(clippy::unused_self)]
    pub(crate) fn refund_rows(&self) -> Vec<RefundRow> {
        Vec::new()
    }
}

pub(crate) fn failure(status: StatusCode, _request_id: &str) -> Answer {
    json(status, &serde_json::json!({ "error": {} }))
}

pub(crate) fn router(_world: &World) -> Router {
    Router::new()
}

impl World {
    /// Delivers every webhook that is due now.
    pub async fn pump_webhooks(&self) {
        drop(self.webhook_target());
    }
}
