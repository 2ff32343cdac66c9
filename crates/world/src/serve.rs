//! The world over TCP: which addresses it listens on, and how it stops.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{Extension, Router};
use futures::future::BoxFuture;
use serde::Serialize;
use tokio::{net::TcpListener, task::JoinSet};
use tokio_util::sync::CancellationToken;

use crate::{World, guest::GuestAddress};

/// Where to listen. Port 0 lets the system choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    pub hetzner: SocketAddr,
    pub cloudflare: SocketAddr,
    pub stripe: SocketAddr,
    pub console: SocketAddr,
    /// The one port that every server's own address answers on.
    pub guest_port: u16,
}

impl Listen {
    /// From one address: its port for Hetzner and the following four for Cloudflare, Stripe, the console and guests; all
    /// chosen by the system when the port is 0.
    #[must_use]
    pub fn from(first: SocketAddr) -> Listen {
        let nth = |n: u16| {
            if first.port() == 0 {
                0
            } else {
                first.port().saturating_add(n)
            }
        };
        let at = |n| SocketAddr::new(first.ip(), nth(n));
        Listen {
            hetzner: at(0),
            cloudflare: at(1),
            stripe: at(2),
            console: at(3),
            guest_port: nth(4),
        }
    }
}

impl Default for Listen {
    fn default() -> Listen {
        Listen::from(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))
    }
}

/// Where everything is and what opens it, as the `--endpoints` file holds it. No `Debug`: it holds tokens.
#[derive(Clone, Serialize)]
pub struct Endpoints {
    /// Ends in `/v1`.
    pub hetzner: String,
    /// Ends in `/client/v4`.
    pub cloudflare: String,
    pub stripe: String,
    pub console: String,
    pub guest_port: u16,
    pub tokens: Tokens,
}

#[derive(Clone, Serialize)]
pub struct Tokens {
    /// By project name.
    pub hetzner: BTreeMap<String, String>,
    pub cloudflare: String,
    pub zone: String,
    pub stripe_secret_key: String,
    pub stripe_webhook_secret: String,
}

/// Runs until it is stopped.
pub type Serving = BoxFuture<'static, io::Result<()>>;

impl World {
    /// Binds every address, then hands back where they are and the future that serves them until `stop`. Loopback only:
    /// whoever reaches the console owns the world.
    pub async fn serve(
        &self,
        listen: Listen,
        stop: CancellationToken,
    ) -> io::Result<(Endpoints, Serving)> {
        let hetzner = bind(listen.hetzner).await?;
        let cloudflare = bind(listen.cloudflare).await?;
        let stripe = bind(listen.stripe).await?;
        let console = bind(listen.console).await?;
        let guest_port = guest_port(listen.guest_port).await?;
        let endpoints = Endpoints {
            hetzner: format!("http://{}/v1", hetzner.local_addr()?),
            cloudflare: format!("http://{}/client/v4", cloudflare.local_addr()?),
            stripe: format!("http://{}", stripe.local_addr()?),
            console: format!("http://{}", console.local_addr()?),
            guest_port,
            tokens: self.tokens(),
        };
        let world = self.clone();
        let serving = async move {
            let all = async {
                tokio::try_join!(
                    run(hetzner, world.hetzner(), stop.clone()),
                    run(cloudflare, world.cloudflare(), stop.clone()),
                    run(stripe, world.stripe(), stop.clone()),
                    run(console, world.console(), stop.clone()),
                    run_guests(&world, guest_port, stop.clone()),
                    keep_time(&world, &stop),
                )
                .map(|_| ())
            };
            // A stalled answer or an open stream does not hold up the end.
            tokio::select! {
                ended = all => ended,
                () = patience(&stop) => Ok(()),
            }
        };
        Ok((endpoints, Box::pin(serving)))
    }

    fn tokens(&self) -> Tokens {
        let options = self.options();
        Tokens {
            hetzner: options
                .projects
                .iter()
                .map(|project| (project.name.clone(), project.token.clone()))
                .collect(),
            cloudflare: options.cloudflare_token.clone(),
            zone: options.zone.clone(),
            stripe_secret_key: options.stripe_secret_key.clone(),
            stripe_webhook_secret: options.stripe_webhook_secret.clone(),
        }
    }
}

/// How long open connections may go on after the stop, in `tokio` time.
const PATIENCE: Duration = Duration::from_secs(2);

async fn patience(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(PATIENCE).await;
}

async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    if !address.ip().is_loopback() {
        let why = format!(
            "{address} is not a loopback address; the world has no business outside this machine"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    TcpListener::bind(address).await
}

/// A port that is free at the first guest address; the others are nobody's but ours.
async fn guest_port(wanted: u16) -> io::Result<u16> {
    let probe = TcpListener::bind((FIRST_GUEST, wanted)).await?;
    Ok(probe.local_addr()?.port())
}

/// Never a server's own address: those begin behind it.
const FIRST_GUEST: Ipv4Addr = Ipv4Addr::new(127, 64, 0, 0);

async fn run(listener: TcpListener, router: Router, stop: CancellationToken) -> io::Result<()> {
    axum::serve(listener, router)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
}

/// Lets a kept world's file know every second how far time has come.
async fn keep_time(world: &World, stop: &CancellationToken) -> io::Result<()> {
    const EVERY: Duration = Duration::from_secs(1);
    while !stop.is_cancelled() {
        world.keep_time();
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(EVERY) => {}
        }
    }
    Ok(())
}

/// Keeps one listener for every server that is on, for as long as it is.
async fn run_guests(world: &World, port: u16, stop: CancellationToken) -> io::Result<()> {
    /// Looked at this often at least, whatever the world says of its next change.
    const AT_LEAST_EVERY: Duration = Duration::from_mins(1);
    let mut changes = world.changes();
    let mut open = BTreeMap::new();
    let mut listeners = JoinSet::new();
    loop {
        let (running, next) = world.look(|now, state| {
            (
                state.hetzner.running_addresses(now),
                state.hetzner.next_change(now),
            )
        });
        match_listeners(world, port, &stop, running, &mut open, &mut listeners).await;
        let due = next.map_or(AT_LEAST_EVERY, |at| {
            world.clock().until(at).min(AT_LEAST_EVERY)
        });
        tokio::select! {
            () = stop.cancelled() => break,
            _ = changes.changed() => {}
            () = tokio::time::sleep(due) => {}
            Some(_) = listeners.join_next() => {}
        }
    }
    while listeners.join_next().await.is_some() {}
    Ok(())
}

/// Closes the listeners of servers that no longer run and opens those of servers that do.
async fn match_listeners(
    world: &World,
    port: u16,
    stop: &CancellationToken,
    running: BTreeSet<Ipv4Addr>,
    open: &mut BTreeMap<Ipv4Addr, CancellationToken>,
    listeners: &mut JoinSet<io::Result<()>>,
) {
    open.retain(|address, close| {
        let stays = running.contains(address);
        if !stays {
            close.cancel();
        }
        stays
    });
    for address in running
        .into_iter()
        .filter(|address| !open.contains_key(address))
        .collect::<Vec<_>>()
    {
        let close = stop.child_token();
        match TcpListener::bind((address, port)).await {
            Ok(listener) => {
                let router = world.guests().layer(Extension(GuestAddress(address)));
                listeners.spawn(run(listener, router, close.clone()));
                open.insert(address, close);
            }
            Err(error) => {
                tracing::warn!(%address, port, %error, "a guest cannot listen; it stays unreachable");
            }
        }
    }
}
