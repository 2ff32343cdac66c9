//! The suite for DNS records, for our adapter and for the `cloudflare` crate.

use std::net::Ipv4Addr;

use ::cloudflare::endpoints::dns::dns::{
    CreateDnsRecord, CreateDnsRecordParams, DeleteDnsRecord, DnsContent, ListDnsRecords,
    ListDnsRecordsParams, UpdateDnsRecord, UpdateDnsRecordParams,
};
use ::cloudflare::endpoints::zones::zone::{ListZones, ListZonesParams};
use ::cloudflare::framework::Environment;
use ::cloudflare::framework::auth::Credentials;
use ::cloudflare::framework::client::ClientConfig;
use ::cloudflare::framework::client::async_api::Client as Crate;
use ::cloudflare::framework::response::ApiFailure;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Served;
use crate::api::Hostname;
use crate::provider::budget::Law;
use crate::provider::cloudflare::{Cloudflare, Publishing, ZoneSettings};
use crate::provider::testing::{TIMEOUT, installation, uid};
use crate::provider::transport::{self, Transport};
use crate::provider::{
    BegunAfter, Dns, Priority, ProviderError, RecordChange, Refusal, Target, Zone,
};

/// An address record as any client sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    host: String,
    address: Ipv4Addr,
    id: String,
}

/// What any client can do with address records.
trait Client {
    /// What it makes of code 81058, an identical record.
    const IDENTICAL: Refusal = Refusal::AlreadyExists;
    async fn create(&self, host: &str, address: Ipv4Addr) -> Result<(), Refusal>;
    /// All of them, whatever the number of pages.
    async fn list(&self) -> Vec<Seen>;
    async fn update(&self, host: &str, id: &str, address: Ipv4Addr) -> Result<(), Refusal>;
    async fn delete(&self, host: &str, id: &str) -> Result<(), Refusal>;
}

fn address(last: u8) -> Ipv4Addr {
    Ipv4Addr::new(203, 0, 113, last)
}

fn host(number: u32) -> String {
    format!("h{number:03}.assistants.example")
}

async fn suite<C: Client>(served: &Served, client: &C) {
    assert_eq!(client.list().await, [], "a zone begins empty");

    client.create(&host(1), address(1)).await.unwrap();
    let all = client.list().await;
    let [seen] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&seen.host, seen.address), (&host(1), address(1)));
    let rows = served.world.snapshot().records;
    assert_eq!(rows[0].content, address(1).to_string());

    let twice = client.create(&host(1), address(1)).await;
    assert_eq!(twice, Err(C::IDENTICAL), "the same record exists only once");

    client.update(&host(1), &seen.id, address(2)).await.unwrap();
    let moved = client.list().await;
    assert_eq!((moved.len(), moved[0].address), (1, address(2)));
    assert_eq!(moved[0].id, seen.id, "an update keeps the record");

    let hosts: Vec<_> = (100..210).map(host).collect();
    let created = hosts.iter().map(|host| client.create(host, address(9)));
    try_join_all(created).await.unwrap();
    let mut hosts: Vec<_> = client
        .list()
        .await
        .into_iter()
        .map(|seen| seen.host)
        .collect();
    hosts.sort();
    let expected: Vec<_> = std::iter::once(1).chain(100..210).map(host).collect();
    assert_eq!(hosts, expected, "a list is complete past its first page");

    client.delete(&host(1), &seen.id).await.unwrap();
    let left = served.world.snapshot().records;
    assert!(
        left.iter().all(|row| row.name != host(1)),
        "what is deleted is gone"
    );
    assert_eq!(left.len(), 110);
}

#[tokio::test]
async fn our_adapter_keeps_the_contract() {
    let served = Served::begin().await;
    suite(&served, &ours(&served)).await;
}

#[tokio::test]
async fn the_cloudflare_crate_keeps_the_contract() {
    let served = Served::begin().await;
    suite(&served, &theirs(&served).await).await;
}

/// Why the crate is not our adapter: it knows seven types of records, and one of another fails the
/// whole list; nor can it write or read `comment`, our mark.
#[tokio::test]
async fn a_caa_record_spoils_the_crates_list_and_not_ours() {
    let served = Served::begin().await;
    let theirs = theirs(&served).await;
    let data = json!({"flags": 0, "tag": "issue", "value": "ca.example"});
    let caa = json!({"type": "CAA", "name": "assistants.example", "data": data, "ttl": 60});
    let url = format!(
        "{}/zones/{}/dns_records",
        served.endpoints.cloudflare, theirs.zone
    );
    let token = &served.endpoints.tokens.cloudflare;
    let made = reqwest::Client::new()
        .post(url)
        .bearer_auth(token)
        .json(&caa)
        .send()
        .await;
    made.unwrap().error_for_status().unwrap();
    let spoiled = theirs.page(1).await.unwrap_err().to_string();
    assert!(spoiled.contains("decoding"), "{spoiled}");
    assert_eq!(zone(&ours(&served)).await.records().count(), 1);
}

fn ours(served: &Served) -> Cloudflare {
    let settings = ZoneSettings {
        installation: installation(),
        zone: served.endpoints.tokens.zone.clone(),
        url: served.endpoints.cloudflare.parse().unwrap(),
        token: served.endpoints.tokens.cloudflare.clone().into(),
        law: Law::CLOUDFLARE,
        publishing: Publishing {
            proxied: false,
            ttl_seconds: 60,
        },
    };
    let way = Transport::over_http(transport::client().unwrap(), TIMEOUT);
    Cloudflare::new(settings, way, &served.calls).unwrap()
}

async fn zone(dns: &Cloudflare) -> std::sync::Arc<Zone> {
    let now = BegunAfter(Instant::now());
    dns.zone(Priority::Resync, now).await.unwrap()
}

async fn change(dns: &Cloudflare, host: &str, change: RecordChange) -> Result<(), Refusal> {
    let host = Hostname::observed(host);
    let changed = dns.change(Priority::Create, &host, &uid(1), &change).await;
    changed.map_err(|error| match error {
        ProviderError::Refused { why, .. } => why,
        other => panic!("{other:?}"),
    })
}

impl Client for Cloudflare {
    async fn create(&self, host: &str, address: Ipv4Addr) -> Result<(), Refusal> {
        let create = vec![Target::V4(address)];
        let new = RecordChange {
            create,
            ..RecordChange::default()
        };
        change(self, host, new).await
    }

    async fn list(&self) -> Vec<Seen> {
        let zone = zone(self).await;
        let seen = zone.records().map(|record| Seen {
            host: record.host.to_string(),
            address: match record.target {
                Some(Target::V4(address)) => address,
                Some(Target::V6(_)) | None => panic!("{record:?}"),
            },
            id: record.id.clone(),
        });
        seen.collect()
    }

    async fn update(&self, host: &str, id: &str, address: Ipv4Addr) -> Result<(), Refusal> {
        let update = vec![(id.to_owned(), Target::V4(address))];
        let moved = RecordChange {
            update,
            ..RecordChange::default()
        };
        change(self, host, moved).await
    }

    async fn delete(&self, host: &str, id: &str) -> Result<(), Refusal> {
        let gone = RecordChange {
            delete: vec![id.to_owned()],
            ..RecordChange::default()
        };
        change(self, host, gone).await
    }
}

struct Theirs {
    client: Crate,
    zone: String,
}

async fn theirs(served: &Served) -> Theirs {
    let credentials = Credentials::UserAuthToken {
        token: served.endpoints.tokens.cloudflare.clone(),
    };
    // It joins paths to the address, so that without the slash `v4` would be lost.
    let address = Environment::Custom(format!("{}/", served.endpoints.cloudflare));
    let client = Crate::new(credentials, ClientConfig::default(), address).unwrap();
    let zones = ListZones {
        params: ListZonesParams::default(),
    };
    let zones = client.request(&zones).await.unwrap();
    let zone = zones.result[0].id.clone();
    Theirs { client, zone }
}

/// The crate's refusals. It keeps an error's `code` as u16, which no code of the DNS API fits (81058), and
/// then drops the whole body: of a refusal only the status is left.
fn status<T>(result: Result<T, ApiFailure>) -> Result<T, Refusal> {
    result.map_err(|failure| match failure {
        ApiFailure::Error(status, errors) => {
            assert!(
                errors.errors.is_empty(),
                "it can read codes now: {errors:?}"
            );
            assert_eq!(status.as_u16(), 400);
            Refusal::Invalid
        }
        ApiFailure::Invalid(error) => panic!("the crate cannot read the answer: {error}"),
    })
}

impl Theirs {
    async fn page(&self, page: u32) -> Result<(Vec<Seen>, Value), ApiFailure> {
        let list = ListDnsRecords {
            zone_identifier: &self.zone,
            params: ListDnsRecordsParams {
                page: Some(page),
                per_page: Some(50),
                ..ListDnsRecordsParams::default()
            },
        };
        let got = self.client.request(&list).await?;
        let seen = got.result.into_iter().map(|record| Seen {
            host: record.name,
            address: match record.content {
                DnsContent::A { content } => content,
                other => panic!("{other:?}"),
            },
            id: record.id,
        });
        Ok((seen.collect(), got.result_info.unwrap()))
    }
}

impl Client for Theirs {
    const IDENTICAL: Refusal = Refusal::Invalid;

    async fn create(&self, host: &str, address: Ipv4Addr) -> Result<(), Refusal> {
        let create = CreateDnsRecord {
            zone_identifier: &self.zone,
            params: CreateDnsRecordParams {
                ttl: Some(60),
                priority: None,
                proxied: Some(false),
                name: host,
                content: DnsContent::A { content: address },
            },
        };
        status(self.client.request(&create).await).map(drop)
    }

    async fn list(&self) -> Vec<Seen> {
        let mut all = Vec::new();
        for page in 1.. {
            let (seen, info) = self.page(page).await.unwrap();
            all.extend(seen);
            if info["total_pages"].as_u64().unwrap() <= u64::from(page) {
                break;
            }
        }
        all
    }

    async fn update(&self, host: &str, id: &str, address: Ipv4Addr) -> Result<(), Refusal> {
        let update = UpdateDnsRecord {
            zone_identifier: &self.zone,
            identifier: id,
            params: UpdateDnsRecordParams {
                ttl: Some(60),
                proxied: Some(false),
                name: host,
                content: DnsContent::A { content: address },
            },
        };
        status(self.client.request(&update).await).map(drop)
    }

    async fn delete(&self, _: &str, id: &str) -> Result<(), Refusal> {
        let delete = DeleteDnsRecord {
            zone_identifier: &self.zone,
            identifier: id,
        };
        status(self.client.request(&delete).await).map(drop)
    }
}
