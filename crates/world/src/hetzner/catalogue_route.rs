//! The routes that only show what is sold: locations, server types, prices; and what is no longer there.

use http::StatusCode;
use serde_json::{Value, json};

use super::{catalogue, list, refusal::Refusal, servers};
use crate::call::{self, Answer, Asked, Turn};

/// `GET /locations`.
pub(super) fn locations(
    turn: &mut Turn<'_>,
    _project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let name = asked.query_value("name");
    let rows: Vec<_> = catalogue::LOCATIONS
        .iter()
        .filter(|one| name.is_none_or(|name| one.name == name))
        .collect();
    list::page(turn, asked, "locations", &rows, |location| {
        catalogue::show_location(location.name)
    })
}

/// `GET /locations/{id}`.
pub(super) fn location(
    _turn: &mut Turn<'_>,
    _project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = super::id(asked, "id")?;
    let found = catalogue::LOCATIONS
        .iter()
        .find(|location| location.id == id);
    let found = found.ok_or_else(|| Refusal::not_found("location"))?;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "location": catalogue::show_location(found.name) }),
    ))
}

/// `GET /server_types`.
pub(super) fn server_types(
    turn: &mut Turn<'_>,
    _project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let name = asked.query_value("name");
    let rows: Vec<_> = catalogue::SERVER_TYPES
        .iter()
        .filter(|one| name.is_none_or(|name| one.name == name))
        .collect();
    let scene = servers::scene(turn);
    list::page(turn, asked, "server_types", &rows, |server_type| {
        scene.server_type(server_type)
    })
}

/// `GET /server_types/{id}`.
pub(super) fn server_type(
    turn: &mut Turn<'_>,
    _project: &str,
    asked: &Asked,
) -> Result<Answer, Refusal> {
    let id = super::id(asked, "id")?;
    let found = catalogue::SERVER_TYPES
        .iter()
        .find(|server_type| server_type.id == id);
    let found = found.ok_or_else(|| Refusal::not_found("server type"))?;
    Ok(call::json(
        StatusCode::OK,
        &json!({ "server_type": servers::scene(turn).server_type(found) }),
    ))
}

/// `GET /pricing`.
#[allow(clippy::unnecessary_wraps, reason = "the shape that every route has")]
pub(super) fn pricing(
    _turn: &mut Turn<'_>,
    _project: &str,
    _asked: &Asked,
) -> Result<Answer, Refusal> {
    Ok(call::json(
        StatusCode::OK,
        &json!({ "pricing": catalogue::pricing() }),
    ))
}

/// `GET /isos`: there are none.
pub(super) fn isos(turn: &mut Turn<'_>, _project: &str, asked: &Asked) -> Result<Answer, Refusal> {
    list::page(turn, asked, "isos", &[], |iso: &Value| iso.clone())
}

/// `GET /isos/{id}`: there is none.
pub(super) fn iso(_turn: &mut Turn<'_>, _project: &str, _asked: &Asked) -> Result<Answer, Refusal> {
    Err(Refusal::not_found("ISO"))
}

/// `GET /datacenters`: 410 since 2026-10-01.
pub(super) fn datacenters(
    _turn: &mut Turn<'_>,
    _project: &str,
    _asked: &Asked,
) -> Result<Answer, Refusal> {
    Err(Refusal::gone("the datacenters endpoint"))
}
