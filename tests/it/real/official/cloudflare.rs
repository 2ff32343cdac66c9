//! Cloudflare's own Python library against the simulated Cloudflare: zones, tokens, records and certificates, each through
//! its whole life.

use serde_json::json;
use world::{CloudflarePlan, CloudflareRight, CloudflareToken, Options, World};

use super::drive_in;
use crate::real::tool::{self, Tool};

fn token(letter: &str, rights: &[CloudflareRight]) -> CloudflareToken {
    CloudflareToken {
        secret: letter.repeat(40),
        rights: rights.to_vec(),
        zones: Vec::new(),
        disabled: false,
        not_before: None,
        expires_on: None,
    }
}

/// A world with tokens of fewer rights: `r` only reads, `o` edits one zone, `d` is disabled, `e` has expired.
fn world() -> World {
    use CloudflareRight::{DnsEdit, DnsRead, ZoneRead};
    let options = Options::seeded(7);
    let only = CloudflareToken {
        zones: vec![options.zone.clone()],
        ..token("o", &[ZoneRead, DnsEdit])
    };
    let disabled = CloudflareToken {
        disabled: true,
        ..token("d", &[ZoneRead])
    };
    let expired = CloudflareToken {
        expires_on: Some(options.start),
        ..token("e", &[ZoneRead])
    };
    World::new(Options {
        cloudflare_plan: CloudflarePlan::Pro,
        cloudflare_tokens: vec![token("r", &[ZoneRead, DnsRead]), only, disabled, expired],
        ..options
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudflares_own_library_makes_zones_and_meets_the_limits_of_its_tokens() {
    drive_in(&world(), "zones_and_tokens.py", |at| {
        json!({
            "url": at.cloudflare, "token": at.tokens.cloudflare, "zone": at.tokens.zone, "reader": "r".repeat(40),
            "zone_only": "o".repeat(40), "disabled": "d".repeat(40), "expired": "e".repeat(40),
        })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cloudflares_own_library_leads_records_through_their_whole_life() {
    drive_in(
        &world(),
        "records.py",
        |at| json!({"url": at.cloudflare, "token": at.tokens.cloudflare, "zone": at.tokens.zone}),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_trusts_the_certificates_that_cloudflares_own_library_gets_signed() {
    let Some([openssl]) = tool::need("certificates.py", [Tool::Openssl]) else {
        return;
    };
    let world = world();
    let root = world.origin_ca_root().await.unwrap();
    let now = world.snapshot().now.as_second();
    let key = world.options().cloudflare_origin_ca_key.clone();
    drive_in(&world, "certificates.py", |at| {
        json!({
            "url": at.cloudflare, "token": at.tokens.cloudflare, "key": key, "reader": "r".repeat(40),
            "zone": at.tokens.zone, "openssl": openssl, "root": root, "now": now,
        })
    })
    .await;
}
