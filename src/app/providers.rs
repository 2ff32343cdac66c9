//! The providers as the configuration names them: each over the network, whoever answers there.

use std::sync::Arc;
use std::time::Duration;

use super::AppError;
use crate::config::{Config, Scheme};
use crate::provider::budget::Law;
use crate::provider::calls::Calls;
use crate::provider::cloudflare::{Cloudflare, Publishing, ZoneSettings};
use crate::provider::guests::{self, OverHttp};
use crate::provider::hetzner::{Hetzner, ProjectSettings};
use crate::provider::stripe::Stripe;
use crate::provider::transport::{self, Transport};

/// The longest a provider may take to answer.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(30);

pub(super) struct Providers {
    pub(super) servers: Arc<Hetzner>,
    pub(super) dns: Arc<Cloudflare>,
    pub(super) billing: Arc<Stripe>,
    pub(super) guests: Arc<OverHttp>,
}

impl Providers {
    pub(super) fn of(config: &Config, calls: &Arc<Calls>) -> Result<Self, AppError> {
        // Another part of the process may have chosen it already, and there is but one to choose.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = transport::client().map_err(AppError::start("set up the HTTP client"))?;
        let transport = Transport::over_http(client.clone(), PROVIDER_TIMEOUT);
        let scheme = match config.guests.scheme {
            Scheme::Http => guests::Scheme::Http,
            Scheme::Https => guests::Scheme::Https,
        };
        let way = Transport::over_http(client, guests::LIMITS);
        let guests = OverHttp::new(way, scheme, config.guests.port);
        let projects = config.hetzner.projects.iter().map(|project| {
            let settings = ProjectSettings {
                name: project.name.clone(),
                url: config.hetzner.url.clone(),
                token: project.token.clone(),
                law: Law::hourly(project.requests_per_hour),
                ssh_keys: project.ssh_keys.clone(),
                firewalls: project.firewalls.clone(),
            };
            (settings, transport.clone())
        });
        let servers = Hetzner::new(config.installation.clone(), projects, calls)
            .map_err(AppError::start("use a Hetzner token"))?;
        let zone = ZoneSettings {
            installation: config.installation.clone(),
            zone: config.zone.clone(),
            url: config.cloudflare.url.clone(),
            token: config.cloudflare.token.clone(),
            law: Law::CLOUDFLARE,
            publishing: Publishing {
                proxied: config.cloudflare.proxied,
                ttl_seconds: config.cloudflare.ttl_seconds,
            },
        };
        let dns = Cloudflare::new(zone, transport.clone(), calls)
            .map_err(AppError::start("use the Cloudflare token"))?;
        let billing = Stripe::new(
            transport,
            config.stripe.url.as_str(),
            &config.stripe.secret_key,
            config.stripe.webhook_secrets.clone(),
        )
        .map_err(AppError::start("use the Stripe key"))?;
        Ok(Self {
            servers: Arc::new(servers),
            dns: Arc::new(dns),
            billing: Arc::new(billing),
            guests: Arc::new(guests),
        })
    }
}
