//! Hetzner Cloud, as of 2026-11: its state and its routes. What each route does is in the rooms below.

mod action;
mod by_hand;
mod catalogue;
mod catalogue_route;
mod door;
mod firewall;
mod image;
mod list;
mod name;
mod primary_ip;
mod primary_ip_route;
mod refusal;
mod row;
mod selector;
mod server;
mod server_action;
mod servers;
mod ssh_key;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use axum::{
    Router,
    extract::{Request, State as Shared},
    response::Response,
    routing::{MethodRouter, delete, get, post, put},
};
use http::StatusCode;
use serde_json::json;

pub(crate) use door::PER_HOUR as REQUEST_LIMIT;
pub use row::{PrimaryIpRow, ServerRow};
pub use server::Status;

use self::{
    action::Action, door::Bucket, firewall::Firewall, image::Image, primary_ip::PrimaryIp,
    refusal::Refusal, server::Server, ssh_key::SshKey,
};
use crate::{
    World,
    call::{self, Answer, Api, Asked, Turn},
    clock::Millis,
    options::Options,
    table::{Counters, Stored, Table},
};

/// Everything there is in all projects. Each row names its project.
pub struct State {
    servers: Table<u64, Server>,
    actions: Table<u64, Action>,
    primary_ips: Table<u64, PrimaryIp>,
    firewalls: Table<u64, Firewall>,
    ssh_keys: Table<u64, SshKey>,
    images: Table<u64, Image>,
    /// Not kept: a world that is opened again has full buckets.
    buckets: BTreeMap<String, Bucket>,
}

impl State {
    pub(crate) fn new(_options: &Options) -> State {
        State {
            servers: Table::new("hetzner_servers"),
            actions: Table::new("hetzner_actions"),
            primary_ips: Table::new("hetzner_primary_ips"),
            firewalls: Table::new("hetzner_firewalls"),
            ssh_keys: Table::new("hetzner_ssh_keys"),
            images: Table::new("hetzner_images"),
            buckets: BTreeMap::new(),
        }
    }

    pub(crate) fn tables(&mut self) -> Vec<&mut dyn Stored> {
        vec![
            &mut self.servers,
            &mut self.actions,
            &mut self.primary_ips,
            &mut self.firewalls,
            &mut self.ssh_keys,
            &mut self.images,
        ]
    }

    fn servers_of(&self, project: &str, now: Millis) -> impl Iterator<Item = &Server> {
        self.servers
            .values()
            .filter(move |server| server.project == project && server.is_there(now))
    }

    fn forget_servers_gone_before(&mut self, moment: Millis) {
        let old = self
            .servers
            .iter()
            .filter(|(_, server)| !server.is_there(moment))
            .map(|(id, _)| *id);
        for id in old.collect::<Vec<_>>() {
            self.servers.remove(&id);
        }
        let old = self
            .primary_ips
            .iter()
            .filter(|(_, ip)| !ip.is_there(moment))
            .map(|(id, _)| *id);
        for id in old.collect::<Vec<_>>() {
            self.primary_ips.remove(&id);
        }
    }

    /// Since when the server at an address runs; nothing when none does.
    pub(crate) fn running_since(&self, now: Millis, address: Ipv4Addr) -> Option<Millis> {
        self.server_at(&address.to_string(), now)?
            .running_since(now)
    }

    /// The addresses of all running servers.
    pub(crate) fn running_addresses(&self, now: Millis) -> BTreeSet<Ipv4Addr> {
        let held = self.primary_ips.values().filter(|ip| ip.is_there(now));
        held.filter(|ip| {
            let server = ip.assignee(now).and_then(|id| self.servers.get(&id));
            server.is_some_and(|server| server.running_since(now).is_some())
        })
        .filter_map(|ip| ip.ip.parse().ok())
        .collect()
    }

    /// When the next server changes by itself.
    pub(crate) fn next_change(&self, now: Millis) -> Option<Millis> {
        let points = self.servers.values().flat_map(Server::turning_points);
        points.filter(|at| *at > now && *at < Millis::MAX).min()
    }

    pub(crate) fn rate_budget(&self, now: Millis) -> BTreeMap<String, u64> {
        door::budget(&self.buckets, now)
    }
}

/// What a route does for a project. A refusal has changed nothing.
type Work = fn(&mut Turn<'_>, &str, &Asked) -> Result<Answer, Refusal>;

pub(crate) fn router(world: &World) -> Router {
    Router::new()
        .nest(
            "/v1",
            servers()
                .merge(resources())
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
        .route("/servers/{id}/metrics", on_get(server_action::metrics))
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
        ("enable_rescue", server_action::enable_rescue),
        ("disable_rescue", server_action::disable_rescue),
        ("reset_password", server_action::reset_password),
        ("request_console", server_action::request_console),
    ];
    let route = |router: Router<World>, (command, work): (&str, Work)| {
        router.route(&format!("/servers/{{id}}/actions/{command}"), on_post(work))
    };
    all.into_iter().fold(Router::new(), route)
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
            on_post(firewall::apply),
        )
        .route(
            "/firewalls/{id}/actions/remove_from_resources",
            on_post(firewall::remove),
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

fn catalogue_routes() -> Router<World> {
    Router::new()
        .route("/locations", on_get(catalogue_route::locations))
        .route("/locations/{id}", on_get(catalogue_route::location))
        .route("/server_types", on_get(catalogue_route::server_types))
        .route("/server_types/{id}", on_get(catalogue_route::server_type))
        .route("/pricing", on_get(catalogue_route::pricing))
        .route("/isos", on_get(catalogue_route::isos))
        .route("/datacenters", on_get(catalogue_route::datacenters))
        .route("/datacenters/{id}", on_get(catalogue_route::datacenters))
}

fn actions() -> Router<World> {
    let mut router = Router::new()
        .route("/actions", on_get(action::list))
        .route("/actions/{id}", on_get(action::get));
    for kind in ["servers", "primary_ips", "firewalls", "images"] {
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
        work(turn, &project, asked)
    });
    let mut answer = done.unwrap_or_else(|refusal| refusal.answer());
    door::sign(turn, known.as_deref(), &mut answer);
    answer
}

fn no_route(_turn: &mut Turn<'_>, _project: &str, _asked: &Asked) -> Result<Answer, Refusal> {
    Err(Refusal::no_route())
}

/// Ids rise, and no two things share one: a mixed-up id finds nothing instead of something else.
fn next_id(counters: &mut Counters) -> u64 {
    const FIRST_ID: u64 = 40_000_000;
    FIRST_ID + counters.next("hetzner")
}

/// Refuses one more of a kind when there are very many already. Servers have a limit of their own.
fn check_count(held: usize, limit: &'static str) -> Result<(), Refusal> {
    const MOST_OF_A_KIND: usize = 10_000;
    if held < MOST_OF_A_KIND {
        Ok(())
    } else {
        Err(Refusal::limit(limit, "resource limit exceeded"))
    }
}

/// An id in the path.
fn id(asked: &Asked, name: &str) -> Result<u64, Refusal> {
    asked
        .param(name)
        .parse()
        .map_err(|_| Refusal::not_found("resource"))
}

/// Whether there is a location of this name.
pub(crate) fn is_location(name: &str) -> bool {
    catalogue::location_named(name).is_some()
}

/// Which server types each location sells.
pub(crate) fn places() -> BTreeMap<&'static str, Vec<&'static str>> {
    let sold = |location: &str| {
        let types = catalogue::SERVER_TYPES.iter();
        types
            .filter(|one| one.is_sold_in(location) && !one.is_withdrawn())
            .map(|one| one.name)
            .collect()
    };
    catalogue::LOCATIONS
        .iter()
        .map(|location| (location.name, sold(location.name)))
        .collect()
}

/// How this API says that something went wrong inside, or too often.
pub(crate) fn failure(status: StatusCode, request_id: &str) -> Answer {
    let code = if status == StatusCode::TOO_MANY_REQUESTS {
        "rate_limit_exceeded"
    } else {
        "server_error"
    };
    let message = if status == StatusCode::TOO_MANY_REQUESTS {
        "request limit reached"
    } else {
        "internal error"
    };
    let error = json!({ "code": code, "message": message, "details": null });
    let mut answer = call::json(status, &json!({ "error": error }));
    if let Ok(id) = request_id.try_into() {
        answer.headers_mut().insert("x-correlation-id", id);
    }
    answer
}
