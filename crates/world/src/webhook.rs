//! Where webhooks go. When they are due and what they say is Stripe's business (`stripe`).

/// Who receives webhooks: a URL, or a router in process with the path to post to.
#[derive(Clone)]
pub enum WebhookTarget {
    Url(String),
    Router(axum::Router, String),
}
