//! Zones, tokens and certificates as a client sees them.

use http::StatusCode;
use rcgen::{CertificateParams, KeyPair, PublicKeyData};
use serde_json::{Value, json};

use super::{Client, a};
use crate::{CloudflarePlan, CloudflareRight, CloudflareToken, Options, World};

fn with_token(token: CloudflareToken) -> World {
    World::new(Options {
        cloudflare_tokens: vec![token],
        ..Options::default()
    })
}

fn reader() -> CloudflareToken {
    CloudflareToken {
        secret: "r".repeat(40),
        rights: vec![CloudflareRight::ZoneRead, CloudflareRight::DnsRead],
        zones: Vec::new(),
        disabled: false,
        not_before: None,
        expires_on: None,
    }
}

fn code(answer: &Value) -> u64 {
    answer["errors"][0]["code"].as_u64().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_new_zone_is_pending_for_a_minute_and_goes_with_its_records() {
    let client = Client::new().await;
    let (_, made) = client
        .send("POST", "/zones", &json!({ "name": "other.example" }))
        .await;
    assert_eq!(made["result"]["status"], "pending", "{made}");
    let path = format!("/zones/{}", made["result"]["id"].as_str().unwrap());
    client
        .send(
            "POST",
            &format!("{path}/dns_records"),
            &a("x", "127.64.0.1"),
        )
        .await;
    client.records("POST", "", a("ada", "127.64.0.1")).await;
    tokio::time::advance(std::time::Duration::from_mins(1)).await;
    let (_, shown) = client.send("GET", &path, &Value::Null).await;
    assert_eq!(shown["result"]["status"], "active");
    client.send("DELETE", &path, &Value::Null).await;
    let left = [("ada.assistants.example".to_owned(), "127.64.0.1".to_owned())];
    assert_eq!(client.there(), left);
    let (status, _) = client.send("GET", &path, &Value::Null).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_that_only_reads_changes_nothing() {
    let client = Client::on(with_token(reader())).await;
    let reader = format!("Bearer {}", "r".repeat(40));
    let records = format!("/zones/{}/dns_records", client.zone);
    let (status, _) = client.send_as(&reader, "GET", &records, &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    let record = a("ada", "127.64.0.1");
    let (status, refused) = client.send_as(&reader, "POST", &records, &record).await;
    assert_eq!((status, code(&refused)), (StatusCode::FORBIDDEN, 10_000));
    let batch = json!({ "posts": [record] });
    let path = format!("{records}/batch");
    let (_, refused) = client.send_as(&reader, "POST", &path, &batch).await;
    assert_eq!(code(&refused), 10_000);
    assert_eq!(client.there(), []);
}

#[tokio::test(start_paused = true)]
async fn a_token_opens_nothing_before_and_after_its_time() {
    let start = Options::default().start;
    let hour = jiff::SignedDuration::from_hours(1);
    let client = Client::on(with_token(CloudflareToken {
        not_before: Some(start + hour),
        expires_on: Some(start + hour * 2),
        ..reader()
    }))
    .await;
    let token = format!("Bearer {}", "r".repeat(40));
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(
            client
                .send_as(&token, "GET", "/zones", &Value::Null)
                .await
                .0
                .as_u16(),
        );
        tokio::time::advance(std::time::Duration::from_mins(61)).await;
    }
    assert_eq!(seen, [403, 200, 403]);
    let verify = "/user/tokens/verify";
    let (_, verified) = client.send_as(&token, "GET", verify, &Value::Null).await;
    assert_eq!(verified["result"]["status"], "expired");
}

#[tokio::test]
async fn a_full_zone_takes_no_further_record() {
    let client = Client::on(World::new(Options {
        cloudflare_record_limit: 1,
        cloudflare_plan: CloudflarePlan::Pro,
        ..Options::default()
    }))
    .await;
    client.records("POST", "", a("ada", "127.64.0.1")).await;
    let refused = client.refused("POST", "", a("bob", "127.64.0.2")).await;
    assert_eq!(refused, 81_045);
    assert_eq!(client.there().len(), 1);
}

#[tokio::test]
async fn a_certificate_is_signed_for_the_requests_key_and_can_be_revoked_once() {
    let client = Client::new().await;
    let key = KeyPair::generate().unwrap();
    let csr = CertificateParams::default()
        .serialize_request(&key)
        .unwrap();
    let wish = json!({
        "csr": csr.pem().unwrap(),
        "hostnames": ["*.assistants.example"],
        "request_type": "origin-ecc",
        "requested_validity": 90,
    });
    let (status, made) = client.send("POST", "/certificates", &wish).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let pem = made["result"]["certificate"].as_str().unwrap();
    let der = rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes());
    let der: rustls::pki_types::CertificateDer<'_> = der.unwrap();
    let public = key.der_bytes();
    assert!(der.windows(public.len()).any(|bytes| bytes == public));
    assert_eq!(made["result"]["expires_on"], "2027-01-31T09:00:00Z");

    let path = format!("/certificates/{}", made["result"]["id"].as_str().unwrap());
    let (_, revoked) = client.send("DELETE", &path, &Value::Null).await;
    assert_eq!(revoked["result"]["id"], made["result"]["id"]);
    let (_, again) = client.send("DELETE", &path, &Value::Null).await;
    assert_eq!(code(&again), 1_102);
    let list = format!("/certificates?zone_id={}", client.zone);
    let (_, listed) = client.send("GET", &list, &Value::Null).await;
    assert_eq!(listed["result"], json!([]));
    let mut stranger = wish;
    stranger["hostnames"] = json!(["example.org"]);
    let (_, refused) = client.send("POST", "/certificates", &stranger).await;
    assert_eq!(code(&refused), 1_010);
}
