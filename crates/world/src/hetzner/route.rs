//! The routes, and what every request to one of them passes on its way in and out.

use axum::{
    Router,
    extract::{Request, State as Shared},
    response::Response,
    routing::{MethodRouter, delete, get, post, put},
};

use super::{
    action, catalogue_route, door, firewall, firewall_resource, image, metrics, primary_ip_route,
    record_set_route, refusal::Refusal, rescue, server_action, servers, ssh_key, volume_route,
    zone_route,
};
use crate::{
    World,
    call::{Answer, Api, Asked, Turn},
};

/// What a route does for a project. A refusal has changed nothing.
type Work = fn(&mut Turn<'_>, &str, &Asked) -> Result<Answer, Refusal>;

pub(crate) fn router(world: &World) -> Router {
    Router::new()
        .nest(
            "/v1",
            servers()
                .merge(resources())
                .merge(volumes())
                .merge(zones())
                .merge(catalogue_routes())
                .merge(actions()),
        )
        .fallback(any(no_route))
        .method_not_allowed_fallback(any(no_route))
        .with_state(world.clone())
}

fn servers() -> Router<World> {
    Router::new()
        .route(
            "/servers",
            get(any(servers::list)).post(any(servers::create)),
        )
        .route(
            "/servers/{id}",
            one(servers::get, servers::update, servers::delete),
        )
        .route("/servers/{id}/metrics", on_get(metrics::get))
        .merge(server_actions())
}

fn server_actions() -> Router<World> {
    let all: [(&str, Work); 16] = [
        ("poweron", server_action::power_on),
        ("poweroff", server_action::power_off),
        ("reboot", server_action::reboot),
        ("reset", server_action::reset),
        ("shutdown", server_action::shutdown),
        ("change_type", server_action::change_type),
        ("rebuild", server_action::rebuild),
        ("create_image", server_action::create_image),
        ("change_protection", server_action::change_protection),
        ("change_dns_ptr", primary_ip_route::change_servers_dns_ptr),
        ("enable_backup", server_action::enable_backup),
        ("disable_backup", server_action::disable_backup),
        ("enable_rescue", rescue::enable),
        ("disable_rescue", rescue::disable),
        ("reset_password", server_action::reset_password),
        ("request_console", server_action::request_console),
    ];
    with_actions(Router::new(), "/servers/{id}", &all)
}

fn resources() -> Router<World> {
    Router::new()
        .route(
            "/primary_ips",
            get(any(primary_ip_route::list)).post(any(primary_ip_route::create)),
        )
        .route(
            "/primary_ips/{id}",
            one(
                primary_ip_route::get,
                primary_ip_route::update,
                primary_ip_route::delete,
            ),
        )
        .route(
            "/primary_ips/{id}/actions/assign",
            on_post(primary_ip_route::assign),
        )
        .route(
            "/primary_ips/{id}/actions/unassign",
            on_post(primary_ip_route::unassign),
        )
        .route(
            "/primary_ips/{id}/actions/change_protection",
            on_post(primary_ip_route::change_protection),
        )
        .route(
            "/primary_ips/{id}/actions/change_dns_ptr",
            on_post(primary_ip_route::change_dns_ptr),
        )
        .route(
            "/firewalls",
            get(any(firewall::list)).post(any(firewall::create)),
        )
        .route(
            "/firewalls/{id}",
            one(firewall::get, firewall::update, firewall::delete),
        )
        .route(
            "/firewalls/{id}/actions/set_rules",
            on_post(firewall::set_rules),
        )
        .route(
            "/firewalls/{id}/actions/apply_to_resources",
            on_post(firewall_resource::apply),
        )
        .route(
            "/firewalls/{id}/actions/remove_from_resources",
            on_post(firewall_resource::remove),
        )
        .route(
            "/ssh_keys",
            get(any(ssh_key::list)).post(any(ssh_key::create)),
        )
        .route(
            "/ssh_keys/{id}",
            one(ssh_key::get, ssh_key::update, ssh_key::delete),
        )
        .route("/images", on_get(image::list))
        .route(
            "/images/{id}",
            one(image::get, image::update, image::delete),
        )
        .route(
            "/images/{id}/actions/change_protection",
            on_post(image::change_protection),
        )
}

fn volumes() -> Router<World> {
    let actions: [(&str, Work); 4] = [
        ("attach", volume_route::attach),
        ("detach", volume_route::detach),
        ("resize", volume_route::resize),
        ("change_protection", volume_route::change_protection),
    ];
    let routes = Router::new()
        .route(
            "/volumes",
            get(any(volume_route::list)).post(any(volume_route::create)),
        )
        .route(
            "/volumes/{id}",
            one(
                volume_route::get,
                volume_route::update,
                volume_route::delete,
            ),
        );
    with_actions(routes, "/volumes/{id}", &actions)
}

fn zones() -> Router<World> {
    let of_zone: [(&str, Work); 4] = [
        ("change_protection", zone_route::change_protection),
        ("change_ttl", zone_route::change_ttl),
        ("change_primary_nameservers", zone_route::change_nameservers),
        ("import_zonefile", zone_route::import),
    ];
    let of_set: [(&str, Work); 6] = [
        ("change_protection", record_set_route::change_protection),
        ("change_ttl", record_set_route::change_ttl),
        ("set_records", record_set_route::set_records),
        ("add_records", record_set_route::add_records),
        ("remove_records", record_set_route::remove_records),
        ("update_records", record_set_route::update_records),
    ];
    let set = "/zones/{id}/rrsets/{rr_name}/{rr_type}";
    let routes = Router::new()
        .route(
            "/zones",
            get(any(zone_route::list)).post(any(zone_route::create)),
        )
        .route(
            "/zones/{id}",
            one(zone_route::get, zone_route::update, zone_route::delete),
        )
        .route("/zones/{id}/zonefile", on_get(zone_route::export))
        .route(
            "/zones/{id}/rrsets",
            get(any(record_set_route::list)).post(any(record_set_route::create)),
        )
        .route(
            set,
            one(
                record_set_route::get,
                record_set_route::update,
                record_set_route::delete,
            ),
        );
    with_actions(with_actions(routes, "/zones/{id}", &of_zone), set, &of_set)
}

fn with_actions(router: Router<World>, path: &str, actions: &[(&str, Work)]) -> Router<World> {
    actions.iter().fold(router, |router, (command, work)| {
        router.route(&format!("{path}/actions/{command}"), on_post(*work))
    })
}

fn catalogue_routes() -> Router<World> {
    Router::new()
        .route("/locations", on_get(catalogue_route::locations))
        .route("/locations/{id}", on_get(catalogue_route::location))
        .route("/server_types", on_get(catalogue_route::server_types))
        .route("/server_types/{id}", on_get(catalogue_route::server_type))
        .route("/pricing", on_get(catalogue_route::pricing))
        .route("/isos", on_get(catalogue_route::isos))
        .route("/isos/{id}", on_get(catalogue_route::iso))
        .route("/datacenters", on_get(catalogue_route::datacenters))
        .route("/datacenters/{id}", on_get(catalogue_route::datacenters))
}

fn actions() -> Router<World> {
    let mut router = Router::new()
        .route("/actions", on_get(action::list))
        .route("/actions/{id}", on_get(action::get));
    let kinds = [
        "servers",
        "primary_ips",
        "firewalls",
        "images",
        "volumes",
        "zones",
    ];
    for kind in kinds {
        router = router
            .route(&format!("/{kind}/actions"), on_get(action::list_of_kind))
            .route(&format!("/{kind}/actions/{{id}}"), on_get(action::get))
            .route(
                &format!("/{kind}/{{id}}/actions"),
                on_get(action::list_of_one),
            )
            .route(
                &format!("/{kind}/{{id}}/actions/{{action_id}}"),
                on_get(action::get),
            );
    }
    router
}

fn on_get(work: Work) -> MethodRouter<World> {
    get(any(work))
}

fn on_post(work: Work) -> MethodRouter<World> {
    post(any(work))
}

fn one(shown: Work, updated: Work, deleted: Work) -> MethodRouter<World> {
    get(any(shown))
        .merge(put(any(updated)))
        .merge(delete(any(deleted)))
}

/// A route: read the request, take its turn, go through the door, do the work.
fn any(
    work: Work,
) -> impl Fn(Shared<World>, Request) -> futures::future::BoxFuture<'static, Response> + Clone {
    move |Shared(world), request| {
        Box::pin(async move {
            match Asked::read(request).await {
                Ok(asked) => {
                    world
                        .call(Api::Hetzner, &asked, |turn| enter(turn, &asked, work))
                        .await
                }
                Err(refused) => refused,
            }
        })
    }
}

fn enter(turn: &mut Turn<'_>, asked: &Asked, work: Work) -> Answer {
    let project = door::project(turn, asked);
    let known = project.as_ref().ok().cloned();
    let done = project.and_then(|project| {
        turn.caller.clone_from(&project);
        door::spend(turn, &project, asked)?;
        door::check_rights(turn, asked)?;
        door::check_mood(turn)?;
        work(turn, &project, asked)
    });
    let mut answer = done.unwrap_or_else(|refusal| refusal.answer());
    door::sign(turn, known.as_deref(), &mut answer);
    answer
}

fn no_route(_turn: &mut Turn<'_>, _project: &str, _asked: &Asked) -> Result<Answer, Refusal> {
    Err(Refusal::no_route())
}
