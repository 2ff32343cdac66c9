//! Which settings there are, each read once, and what must hold between them.
//!
//! Every setting of a group is read before the first `?`, so that one problem does not hide another.

use std::collections::BTreeSet;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::form;
use super::reader::{Noted, Section};
use super::{
    Cloudflare, Config, Guests, Hetzner, Kubernetes, LogFormat, Operator, Payments, Project,
    Scheme, Secrets, Site, Store, Stripe, Sweep, Telemetry,
};

/// Hetzner grants each project so many requests an hour.
/// Source: <https://docs.hetzner.cloud/#rate-limiting>
const HETZNER_REQUESTS_PER_HOUR: u32 = 3600;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);

pub(super) fn config(root: &Section<'_>) -> Result<Config, Noted> {
    let installation = root.required("installation", &form::installation());
    let namespace = root.required("namespace", &form::label());
    let zone = root.required("zone", &form::zone());
    let site = site(&root.section("site"));
    let kubernetes = kubernetes(&root.section("kubernetes"));
    let store = store(&root.section("store"));
    let secrets = secrets(&root.section("secrets"));
    let hetzner = hetzner(&root.section("hetzner"));
    let cloudflare = cloudflare(&root.section("cloudflare"));
    let stripe = stripe(&root.section("stripe"));
    let guests = guests(&root.section("guests"));
    let operator = operator(&root.section("operator"));
    let payments = payments(&root.section("payments"));
    let sweep = sweep(&root.section("sweep"));
    let telemetry = telemetry(&root.section("telemetry"));
    Ok(Config {
        installation: installation?,
        namespace: namespace?,
        zone: zone?,
        site: site?,
        kubernetes: kubernetes?,
        store: store?,
        secrets: secrets?,
        hetzner: hetzner?,
        cloudflare: cloudflare?,
        stripe: stripe?,
        guests: guests?,
        operator: operator?,
        payments: payments?,
        sweep: sweep?,
        telemetry: telemetry?,
    })
}

fn site(section: &Section<'_>) -> Result<Site, Noted> {
    let listen = section.required("listen", &form::address());
    let public_url = section.required("public_url", &form::origin());
    let metrics_listen = section.required("metrics_listen", &form::address());
    Ok(Site {
        listen: listen?,
        public_url: public_url?,
        metrics_listen: metrics_listen?,
    })
}

#[derive(Clone, Copy)]
enum Mode {
    Embedded,
    Cluster,
}

fn kubernetes(section: &Section<'_>) -> Result<Kubernetes, Noted> {
    let modes = form::word(&[("embedded", Mode::Embedded), ("cluster", Mode::Cluster)]);
    let mode = section.required("mode", &modes);
    let embedded = section.section("embedded");
    let database = embedded.required("database", &form::file());
    let listen = embedded.required("listen", &form::address());
    let written = embedded.required("kubeconfig", &form::file());
    let cluster = section.section("cluster");
    let read = cluster.optional("kubeconfig", &form::file());
    let context = cluster.optional("context", &form::name());
    Ok(match mode? {
        Mode::Embedded => Kubernetes::Embedded {
            database: database?,
            listen: listen?,
            kubeconfig: written?,
        },
        Mode::Cluster => Kubernetes::Cluster {
            kubeconfig: read?,
            context: context?,
        },
    })
}

fn store(section: &Section<'_>) -> Result<Store, Noted> {
    let file = section.required("url", &form::database());
    Ok(Store { file: file? })
}

fn secrets(section: &Section<'_>) -> Result<Secrets, Noted> {
    let key_file = section.required("key_file", &form::file());
    Ok(Secrets {
        key_file: key_file?,
    })
}

fn hetzner(section: &Section<'_>) -> Result<Hetzner, Noted> {
    let url = section.required("url", &form::api_url());
    let groups = section.sections("projects");
    let read: Vec<_> = groups.iter().map(project).collect();
    let projects = read.into_iter().collect::<Result<Vec<Project>, Noted>>()?;
    let mut names = BTreeSet::new();
    for (project, group) in projects.iter().zip(&groups) {
        if !names.insert(&project.name) {
            group.fault("name", "is the name of another project too", "rename one");
        }
    }
    Ok(Hetzner {
        url: url?,
        projects,
    })
}

fn project(group: &Section<'_>) -> Result<Project, Noted> {
    let name = group.required("name", &form::project());
    let token = group.secret("token");
    let ssh_keys = group.list("ssh_keys", &form::name());
    let firewalls = group.list("firewalls", &form::name());
    let requests_per_hour = group.optional("requests_per_hour", &form::number(60..=1_000_000));
    Ok(Project {
        name: name?,
        token: token?,
        ssh_keys: ssh_keys?,
        firewalls: firewalls?,
        requests_per_hour: requests_per_hour?.unwrap_or(HETZNER_REQUESTS_PER_HOUR),
    })
}

fn cloudflare(section: &Section<'_>) -> Result<Cloudflare, Noted> {
    let url = section.required("url", &form::api_url());
    let token = section.secret("token");
    let proxied = section.required("proxied", &form::yes_or_no());
    // Cloudflare's limits for a zone that is not on its enterprise plan.
    // Source: <https://developers.cloudflare.com/dns/manage-dns-records/reference/ttl/>
    let ttl_seconds = section.required("ttl_seconds", &form::number(60..=86_400));
    Ok(Cloudflare {
        url: url?,
        token: token?,
        proxied: proxied?,
        ttl_seconds: ttl_seconds?,
    })
}

fn stripe(section: &Section<'_>) -> Result<Stripe, Noted> {
    let url = section.required("url", &form::api_url());
    let secret_key = section.secret("secret_key");
    let webhook_secrets = section.secrets("webhook_secrets");
    let checkout_origins = section.list("checkout_origins", &form::origin());
    let live_mode = section.required("live_mode", &form::yes_or_no());
    if let (Ok(key), Ok(live)) = (&secret_key, &live_mode) {
        // Stripe's secret and restricted keys say in their prefix which mode they are for.
        // Source: <https://docs.stripe.com/keys>
        let key = key.expose_secret();
        let is_for = |mode: &str| {
            ["sk", "rk"]
                .iter()
                .any(|kind| key.starts_with(&format!("{kind}_{mode}_")))
        };
        if is_for(if *live { "test" } else { "live" }) {
            section.fault(
                "live_mode",
                "does not go with the secret key, which is for the other mode",
                "set the key of this mode, or change live_mode",
            );
        }
    }
    Ok(Stripe {
        url: url?,
        secret_key: secret_key?,
        webhook_secrets: webhook_secrets?,
        checkout_origins: checkout_origins?,
        live_mode: live_mode?,
    })
}

fn guests(section: &Section<'_>) -> Result<Guests, Noted> {
    let schemes = form::word(&[("http", Scheme::Http), ("https", Scheme::Https)]);
    let scheme = section.required("scheme", &schemes);
    let port = section.required("port", &form::number(1..=u16::MAX));
    Ok(Guests {
        scheme: scheme?,
        port: port?,
    })
}

fn operator(section: &Section<'_>) -> Result<Operator, Noted> {
    let resync = section.required("resync", &form::duration(SECOND..=HOUR * 24));
    let list_age = section.required("list_age", &form::duration(SECOND..=HOUR));
    let concurrency = section.required("concurrency", &form::number(1..=256));
    let backoff_min = section.required("backoff_min", &form::duration(SECOND / 10..=HOUR));
    let backoff_max = section.required("backoff_max", &form::duration(SECOND / 10..=HOUR));
    let lease_ttl = section.required("lease_ttl", &form::duration(SECOND * 3..=HOUR));
    let identity = section.optional("identity", &form::name());
    if let (Ok(min), Ok(max)) = (&backoff_min, &backoff_max)
        && min > max
    {
        section.fault(
            "backoff_max",
            "is shorter than operator.backoff_min",
            "make it longer, or backoff_min shorter",
        );
    }
    Ok(Operator {
        resync: resync?,
        list_age: list_age?,
        concurrency: concurrency?,
        backoff_min: backoff_min?,
        backoff_max: backoff_max?,
        lease_ttl: lease_ttl?,
        identity: identity?,
    })
}

fn payments(section: &Section<'_>) -> Result<Payments, Noted> {
    let grace_days = section.required("grace_days", &form::number(0..=90));
    let keep_days = section.required("keep_days", &form::number(0..=365));
    let repair_every = section.required("repair_every", &form::duration(SECOND * 10..=HOUR * 24));
    Ok(Payments {
        grace_days: grace_days?,
        keep_days: keep_days?,
        repair_every: repair_every?,
    })
}

fn sweep(section: &Section<'_>) -> Result<Sweep, Noted> {
    let every = section.required("every", &form::duration(SECOND * 10..=HOUR));
    let dry_run = section.required("dry_run", &form::yes_or_no());
    Ok(Sweep {
        every: every?,
        dry_run: dry_run?,
    })
}

fn telemetry(section: &Section<'_>) -> Result<Telemetry, Noted> {
    let formats = form::word(&[
        ("auto", LogFormat::Auto),
        ("pretty", LogFormat::Pretty),
        ("json", LogFormat::Json),
    ]);
    let format = section.required("format", &formats);
    let filter = section.required("filter", &form::filter());
    Ok(Telemetry {
        format: format?,
        filter: filter?,
    })
}
