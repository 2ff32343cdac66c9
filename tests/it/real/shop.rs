//! What a founder's customers do: buy on the site, pay on Stripe's page, and have an assistant.

use std::time::Duration;

use clawdet::api::{Customer, Instance, PaymentEvent};
use kube::api::{ListParams, Patch, PatchParams};
use kube::{Api, Client, ResourceExt};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::dev::Endpoints;
use super::http::Form;
use super::wait::until;

/// A card that pays.
pub(super) const GOOD_CARD: &str = "4242424242424242";

/// Longer than a server takes to come up, on a machine that has other work.
pub(super) const COMES_UP: Duration = Duration::from_mins(2);

/// An Instance ordered by hand, with a Customer of its own.
pub(super) async fn order(client: &Client, name: &str) {
    let mut customer = sample("customer-ada");
    customer["metadata"]["name"] = json!(name);
    let mut instance = sample("instance-ada");
    instance["metadata"]["name"] = json!(name);
    instance["spec"]["subdomain"] = json!(name);
    instance["spec"]["customerRef"] = json!(name);
    let customers: Api<Customer> = Api::default_namespaced(client.clone());
    customers
        .patch(name, &manager(), &Patch::Apply(customer))
        .await
        .unwrap();
    let instances: Api<Instance> = Api::default_namespaced(client.clone());
    instances
        .patch(name, &manager(), &Patch::Apply(instance))
        .await
        .unwrap();
}

/// The Instance of that name, once it is Ready.
pub(super) async fn ready(client: &Client, name: &str) -> Instance {
    let instances: Api<Instance> = Api::default_namespaced(client.clone());
    until(COMES_UP, &format!("instance {name} is Ready"), async || {
        let found = instances
            .get(name)
            .await
            .map_err(|error| error.to_string())?;
        if is_ready(&found) {
            Ok(found)
        } else {
            Err(format!("{:?}", found.status))
        }
    })
    .await
}

pub(super) fn is_ready(instance: &Instance) -> bool {
    let status = instance.status.iter();
    status
        .flat_map(|status| &status.conditions)
        .any(|c| c.type_ == "Ready" && c.status == "True")
}

/// The names of all Instances.
pub(super) async fn instances(client: &Client) -> Vec<String> {
    let instances: Api<Instance> = Api::default_namespaced(client.clone());
    let list = instances.list(&ListParams::default()).await.unwrap();
    list.iter().map(ResourceExt::name_any).collect()
}

/// The servers that the simulated Hetzner has.
pub(super) async fn servers(endpoints: &Endpoints) -> Vec<Value> {
    hetzner(endpoints, "servers").await
}

/// The addresses that the simulated Hetzner has.
pub(super) async fn addresses(endpoints: &Endpoints) -> Vec<Value> {
    hetzner(endpoints, "primary_ips").await
}

async fn hetzner(endpoints: &Endpoints, what: &str) -> Vec<Value> {
    let url = format!("{}/{what}?per_page=50", endpoints.hetzner.url);
    let page = get(&url, &endpoints.hetzner.token).await;
    let pages = &page["meta"]["pagination"]["last_page"];
    assert_eq!(*pages, 1, "these tests need one page");
    page[what].as_array().unwrap().clone()
}

/// Every server there is or was in the last simulated day, as the console shows them.
pub(super) async fn every_server(endpoints: &Endpoints) -> Vec<Value> {
    let url = format!("{}/api/servers", endpoints.console);
    get(&url, "").await.as_array().unwrap().clone()
}

/// The address records that the simulated Cloudflare has.
pub(super) async fn records(endpoints: &Endpoints) -> Vec<Value> {
    let cloudflare = &endpoints.cloudflare;
    let zones = format!("{}/zones?name={}", cloudflare.url, cloudflare.zone);
    let zones = get(&zones, &cloudflare.token).await;
    let zone = zones["result"][0]["id"].as_str().unwrap().to_owned();
    let url = format!("{}/zones/{zone}/dns_records?per_page=1000", cloudflare.url);
    let page = get(&url, &cloudflare.token).await;
    page["result"].as_array().unwrap().clone()
}

/// Waits until nothing is left that costs money or answers under a name.
pub(super) async fn world_is_empty(endpoints: &Endpoints) {
    until(COMES_UP, "the world is empty", async || {
        let left = [
            servers(endpoints).await,
            addresses(endpoints).await,
            records(endpoints).await,
        ];
        let empty = left.iter().all(Vec::is_empty);
        empty.then_some(()).ok_or_else(|| format!("{left:?}"))
    })
    .await;
}

pub(super) async fn get(url: &str, token: &str) -> Value {
    let answer = super::http::client()
        .get(url)
        .bearer_auth(token)
        .send()
        .await
        .unwrap();
    assert!(
        answer.status().is_success(),
        "GET {url}: {}",
        answer.status()
    );
    answer.json().await.unwrap()
}

fn manager() -> PatchParams {
    PatchParams::apply("tests").force()
}

/// An object in `config/samples/`.
fn sample(name: &str) -> Value {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples");
    let file = folder.join(format!("{name}.yaml"));
    serde_yaml_ng::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

/// Fills in the site's form and gives the path of the page on which Stripe takes the money.
///
/// # Errors
/// When the site or Stripe cannot be reached or answers with anything else: try again.
pub(super) async fn check_out(at: &Endpoints, subdomain: &str) -> Result<String, String> {
    let http = super::http::client();
    let page = text(http.get(format!("{}/", at.site))).await?;
    let form = Form::with_field(&page, "subdomain").ok_or("no form yet")?;
    let form = form
        .fill("subdomain", subdomain)
        .fill("display_name", "Ada Lovelace");
    let answer = http
        .post(format!("{}{}", at.site, form.action))
        .header("Origin", &at.site)
        .form(&form.fields)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    if answer.status() != StatusCode::SEE_OTHER {
        return Err(format!("POST {}: {}", form.action, answer.status()));
    }
    let target = answer.headers()["location"].to_str().unwrap();
    let path = target.strip_prefix(&at.stripe.url);
    Ok(path
        .ok_or_else(|| format!("not at Stripe: {target}"))?
        .to_owned())
}

/// Pays on Stripe's page with a card, unless it is paid already.
///
/// # Errors
/// When Stripe cannot be reached, or does not take the card.
pub(super) async fn pay(at: &Endpoints, path: &str, card: &str) -> Result<(), String> {
    let http = super::http::client();
    let session = path
        .split(['/', '#', '?'])
        .find(|part| part.starts_with("cs_"));
    let session = session.ok_or_else(|| format!("no session in {path}"))?;
    let url = format!("{}/v1/checkout/sessions/{session}", at.stripe.url);
    let known = text(http.get(&url).bearer_auth(&at.stripe.secret_key)).await?;
    let known: Value = serde_json::from_str(&known).map_err(|error| error.to_string())?;
    if known["payment_status"] == "paid" {
        return Ok(());
    }
    let page = text(http.get(format!("{}{path}", at.stripe.url))).await?;
    let form = Form::with_field(&page, "card_number").ok_or("no form to pay on")?;
    let form = form
        .fill("card_number", card)
        .fill("expiry", "12 / 34")
        .fill("cvc", "123")
        .fill("email", "ada@example.com")
        .fill("name", "Ada Lovelace");
    let answer = http
        .post(format!("{}{}", at.stripe.url, form.action))
        .form(&form.fields)
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let paid = answer.status() == StatusCode::SEE_OTHER;
    paid.then_some(())
        .ok_or_else(|| format!("paying: {}", answer.status()))
}

async fn text(request: reqwest::RequestBuilder) -> Result<String, String> {
    let answer = request.send().await.map_err(|error| error.to_string())?;
    if !answer.status().is_success() {
        return Err(answer.status().to_string());
    }
    answer.text().await.map_err(|error| error.to_string())
}

/// The name of the Instance with that subdomain, once there is one.
pub(super) async fn instance_with_subdomain(client: &Client, subdomain: &str) -> String {
    let instances: Api<Instance> = Api::default_namespaced(client.clone());
    until(
        COMES_UP,
        &format!("there is an instance for {subdomain}"),
        async || {
            let list = instances
                .list(&ListParams::default())
                .await
                .map_err(|e| e.to_string())?;
            let found = list
                .iter()
                .find(|instance| instance.spec.subdomain == subdomain);
            found
                .map(ResourceExt::name_any)
                .ok_or_else(|| format!("{} others", list.items.len()))
        },
    )
    .await
}

/// The events that were written down.
pub(super) async fn ledger(client: &Client) -> Vec<String> {
    let events: Api<PaymentEvent> = Api::default_namespaced(client.clone());
    let list = events.list(&ListParams::default()).await.unwrap();
    list.iter().map(ResourceExt::name_any).collect()
}

/// Waits until each event written down has been applied or set aside.
pub(super) async fn every_event_is_settled(client: &Client) {
    let events: Api<PaymentEvent> = Api::default_namespaced(client.clone());
    until(COMES_UP, "every payment event is settled", async || {
        let list = events
            .list(&ListParams::default())
            .await
            .map_err(|e| e.to_string())?;
        let open = list.iter().filter(|event| !is_settled(event)).count();
        (open == 0)
            .then_some(())
            .ok_or_else(|| format!("{open} are not"))
    })
    .await;
}

/// Applied, or set aside for a reason (`False`); `Unknown` is work under way.
fn is_settled(event: &PaymentEvent) -> bool {
    let status = event.status.iter();
    status
        .flat_map(|status| &status.conditions)
        .any(|condition| condition.type_ == "Applied" && condition.status != "Unknown")
}
