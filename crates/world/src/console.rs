//! The console: one page that shows the world and lets a person break things.

use axum::Router;

use crate::World;

pub(crate) fn router(_world: &World) -> Router {
    Router::new()
}
