//! The sweep against the simulated providers and an API server, over their real HTTP on paused time:
//! what nobody owns goes, what somebody owns and what is not ours stays.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use clawdet::api::{Hostname, InstallationName, Instance, Placement, ProjectName, ServerName, Uid};
use clawdet::clock::Clock;
use clawdet::provider::budget::Law;
use clawdet::provider::cloudflare::{Cloudflare, Publishing, ZoneSettings};
use clawdet::provider::hetzner::{Hetzner, ProjectSettings};
use clawdet::provider::transport::Transport;
use clawdet::provider::{Dns, Priority, RecordChange, ServerOrder, Servers, Target};
use clawdet::sweep::{Counters, Settings, Sweeper};
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client, ResourceExt};
use tokio_util::sync::CancellationToken;
use world::{Options, World};

use crate::samples::cluster;

const TIMEOUT: Duration = Duration::from_secs(10);
const GHOST: &str = "00000000-0000-4000-8000-000000000001";

fn installation(name: &str) -> InstallationName {
    InstallationName::parse(name).unwrap()
}

fn hetzner(world: &World, name: &str) -> Arc<Hetzner> {
    let projects = world.options().projects.iter().map(|project| {
        let settings = ProjectSettings {
            name: ProjectName::parse(&project.name).unwrap(),
            url: "http://hetzner.test/v1".parse().unwrap(),
            token: project.token.clone().into(),
            law: Law::HETZNER,
            ssh_keys: Vec::new(),
            firewalls: Vec::new(),
        };
        (settings, Transport::in_process(world.hetzner(), TIMEOUT))
    });
    Arc::new(Hetzner::new(installation(name), projects, &Arc::default()).unwrap())
}

fn cloudflare(world: &World, name: &str) -> Arc<Cloudflare> {
    let settings = ZoneSettings {
        installation: installation(name),
        zone: world.options().zone.clone(),
        url: "http://cloudflare.test/client/v4".parse().unwrap(),
        token: world.options().cloudflare_token.clone().into(),
        law: Law::CLOUDFLARE,
        publishing: Publishing {
            proxied: false,
            ttl_seconds: 60,
        },
    };
    let transport = Transport::in_process(world.cloudflare(), TIMEOUT);
    Arc::new(Cloudflare::new(settings, transport, &Arc::default()).unwrap())
}

/// A server and its name, bought by the installation `name` for `owner`.
async fn buy(world: &World, name: &str, owner: &str) {
    let owner = Uid::new(owner);
    let order = ServerOrder {
        project: ProjectName::parse(&world.options().projects[0].name).unwrap(),
        name: ServerName::derive(&installation(name), &owner),
        owner: owner.clone(),
        placement: Placement {
            server_type: "cx23".to_owned(),
            location: "nbg1".to_owned(),
        },
        image: "debian-12".to_owned(),
        user_data: "#cloud-config\n{}\n".to_owned(),
        protect: true,
    };
    let server = hetzner(world, name).create(&order).await.unwrap();
    let host = Hostname::observed(&format!(
        "x{}.{}",
        &owner.as_str()[30..],
        world.options().zone
    ));
    let change = RecordChange {
        create: vec![Target::V4(server.ipv4.unwrap())],
        ..RecordChange::default()
    };
    let dns = cloudflare(world, name);
    dns.change(Priority::Customer, &host, &owner, &change)
        .await
        .unwrap();
}

async fn make_instance(client: &Client) -> String {
    let instance: Instance = serde_json::from_value(serde_json::json!({
        "apiVersion": "clawdet.com/v1alpha1", "kind": "Instance", "metadata": {"name": "ada"},
        "spec": {"customerRef": "ada", "subdomain": "ada", "plan": "basic"}}))
    .unwrap();
    let api = Api::default_namespaced(client.clone());
    let made = api.create(&PostParams::default(), &instance).await.unwrap();
    made.uid().unwrap()
}

/// The names of the servers that live and of the hosts that have a record.
fn alive(world: &World) -> (BTreeSet<String>, usize) {
    let snapshot = world.snapshot();
    let servers = snapshot.living_servers().map(|server| server.name.clone());
    (servers.collect(), snapshot.records.len())
}

#[tokio::test(start_paused = true)]
async fn only_what_lost_its_owner_goes_and_the_world_is_empty_once_nobody_is_left() {
    let world = World::new(Options::default());
    let client = cluster().await;
    let ada = make_instance(&client).await;
    buy(&world, "prod", &ada).await;
    buy(&world, "prod", GHOST).await;
    buy(&world, "other", &GHOST.replace('1', "2")).await;
    let sweeper = Sweeper {
        settings: Settings {
            namespace: "default".to_owned(),
            every: Duration::from_mins(5),
            dry_run: false,
        },
        client: client.clone(),
        clock: Clock::from(world.options().start),
        servers: hetzner(&world, "prod"),
        dns: cloudflare(&world, "prod"),
        counters: Counters::register(&prometheus::Registry::new()).unwrap(),
    };
    let term = sweeper.run(CancellationToken::new());
    tokio::pin!(term);
    let ours = format!("prod-{ada}");
    let theirs = format!("other-{}", GHOST.replace('1', "2"));

    let ended = tokio::time::timeout(Duration::from_mins(40), &mut term).await;
    assert!(ended.is_err(), "the sweep ended by itself");
    assert_eq!(alive(&world), (BTreeSet::from([ours, theirs.clone()]), 2));

    let api: Api<Instance> = Api::default_namespaced(client);
    api.delete("ada", &DeleteParams::default()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_mins(40), &mut term).await;
    assert!(ended.is_err(), "the sweep ended by itself");
    assert_eq!(alive(&world), (BTreeSet::from([theirs]), 1));
}
