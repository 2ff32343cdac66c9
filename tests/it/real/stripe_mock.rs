//! Stripe's own description of its API, as stripe-mock checks it: whether it takes every request our client makes, and
//! whether the simulated Stripe's objects have all that Stripe's have. What the simulated one does is proven elsewhere.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use clawdet::provider::stripe::Stripe;
use clawdet::provider::transport::{Transport, TransportError};
use clawdet::provider::{Billing, CheckoutOrder};
use http::{Request, Response};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use world::{Listen, Options, World};

use super::http as browser;
use super::process::Process;
use super::tool::{self, Tool};
use super::wait::until;

const PATIENCE: Duration = Duration::from_secs(20);
/// What only stripe-mock shows: left out since API version 2022-11-15 unless it is asked for.
const LEFT_OUT: [&str; 1] = ["charge.refunds"];

/// A running stripe-mock. Ends when it is dropped.
struct StripeMock {
    url: String,
    _process: Process,
    _folder: tempfile::TempDir,
}

impl StripeMock {
    async fn start(program: PathBuf) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = port.local_addr().unwrap().to_string();
        drop(port);
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args(["-http-addr", &at]);
        let process = Process::start(&mut command, &folder.path().join("log"));
        let url = format!("http://{at}");
        until(PATIENCE, "stripe-mock listens", async || {
            let answer = browser::client().get(&url).send().await;
            answer.map_err(|error| error.to_string())
        })
        .await;
        Self {
            url,
            _process: process,
            _folder: folder,
        }
    }
}

/// What went through a transport: the request line, the status, and the answer's text.
type Seen = Arc<Mutex<Vec<(String, u16, String)>>>;

/// Our client on stripe-mock, and what it asked. With `more`, the first page of each list says that there is another.
fn our_client(mock: &StripeMock, more: bool) -> (Stripe, Seen) {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let onward = Transport::over_http(browser::client(), PATIENCE);
    let service = tower::service_fn(move |request: Request<Bytes>| {
        let (onward, kept) = (onward.clone(), Arc::clone(&kept));
        async move {
            let line = format!("{} {}", request.method(), request.uri());
            let answer: Response<Bytes> = onward.send(request).await?;
            let text = String::from_utf8_lossy(answer.body()).into_owned();
            let first = more && !line.contains("starting_after");
            kept.lock()
                .unwrap()
                .push((line, answer.status().as_u16(), text.clone()));
            let mut shown: Value = serde_json::from_str(&text).unwrap();
            if first {
                shown["has_more"] = json!(true);
            }
            let shown = shown.to_string();
            Ok::<_, TransportError>(answer.map(|_| Bytes::from(shown)))
        }
    });
    let key = SecretString::from("sk_test_123");
    let transport = Transport::new(service, PATIENCE);
    let client = Stripe::new(transport, &mock.url, &key, vec![]).unwrap();
    (client, seen)
}

fn order() -> CheckoutOrder {
    let metadata = [("plan", "basic"), ("subdomain", "ada")];
    CheckoutOrder {
        price: "price_basic_monthly".to_owned(),
        metadata: metadata
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
        success_url: "https://shop.test/done?session_id={CHECKOUT_SESSION_ID}".to_owned(),
        cancel_url: "https://shop.test/stop".to_owned(),
        idempotency_key: "order-1".to_owned(),
    }
}

#[tokio::test]
async fn stripes_own_description_takes_every_request_our_client_makes() {
    let Some([program]) = tool::need("requests to Stripe", [Tool::StripeMock]) else {
        return;
    };
    let mock = StripeMock::start(program).await;
    let (client, seen) = our_client(&mock, false);
    client.start_checkout(&order()).await.unwrap();
    client.price("price_1").await.unwrap().unwrap();
    client.session("cs_test_1").await.unwrap().unwrap();
    client.subscription("sub_1").await.unwrap().unwrap();
    client.invoice("in_1").await.unwrap().unwrap();
    assert_eq!(client.subscriptions().await.unwrap().len(), 1);
    let kinds = ["checkout.session.completed", "invoice.paid"];
    let since = Timestamp::UNIX_EPOCH;
    assert_eq!(client.events_since(since, &kinds).await.unwrap().len(), 1);
    // stripe-mock has one page, which comes twice; that is found out after the second was asked for.
    let (again, more) = our_client(&mock, true);
    again.subscriptions().await.unwrap_err();
    again.events_since(since, &kinds).await.unwrap_err();

    let mut lines = Vec::new();
    for (line, status, text) in seen
        .lock()
        .unwrap()
        .iter()
        .chain(more.lock().unwrap().iter())
    {
        assert!((200..300).contains(status), "{line}: {status} {text}");
        lines.push(line.clone());
    }
    let onward = |line: &&String| line.contains("&starting_after=");
    assert_eq!(lines.iter().filter(onward).count(), 2, "{lines:?}");
    let source = include_str!("../../../src/provider/stripe.rs");
    for path in source.split("\"/v1/").skip(1) {
        let path = format!("/v1/{}", path.split('"').next().unwrap());
        let asked = lines.iter().any(|line| line.contains(&path));
        assert!(
            asked,
            "the client can ask for {path}, and this test never does"
        );
    }
}

#[tokio::test]
async fn stripes_own_description_refuses_what_stripe_does_not_know() {
    let Some([program]) = tool::need("requests to Stripe", [Tool::StripeMock]) else {
        return;
    };
    let mock = StripeMock::start(program).await;
    let client = browser::client();
    let send = async |form: &str| {
        let request = client
            .post(format!("{}/v1/checkout/sessions", mock.url))
            .bearer_auth("sk_test_123")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_owned());
        request.send().await.unwrap().status().as_u16()
    };
    assert_eq!(
        send("mode=subscription&success_url=https://shop.test/").await,
        200
    );
    assert_eq!(
        send("mode=subscripton&success_url=https://shop.test/").await,
        400
    );
    assert_eq!(
        send("mode=subscription&sucess_url=https://shop.test/").await,
        400
    );
}

/// One of the two Stripes.
struct Side {
    url: String,
    key: String,
}

impl Side {
    async fn ask(&self, form: Option<&[(&str, &str)]>, path: &str) -> Value {
        let url = format!("{}{path}", self.url);
        let client = browser::client();
        let request = match form {
            None => client.get(url),
            Some(form) => client
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .body(serde_urlencoded::to_string(form).unwrap()),
        };
        let answer = request.bearer_auth(&self.key).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    async fn made(&self, form: &[(&str, &str)], path: &str) -> String {
        text(&self.ask(Some(form), path).await["id"])
    }

    /// A subscription paid with one of Stripe's ready-made cards.
    async fn subscribed(&self, card: &str) -> Value {
        let form = [
            ("email", "ada@example.com"),
            ("payment_method", card),
            ("invoice_settings[default_payment_method]", card),
        ];
        let customer = self.made(&form, "/v1/customers").await;
        let form = [
            ("customer", customer.as_str()),
            ("items[0][price]", "price_basic_monthly"),
        ];
        self.ask(Some(&form), "/v1/subscriptions").await
    }

    /// Something of everything, and where each can be read.
    async fn stocked(&self) -> Vec<String> {
        self.subscribed("pm_card_createDispute").await;
        let sold = self.subscribed("pm_card_visa").await;
        let id = text(&sold["id"]);
        let item = text(&sold["items"]["data"][0]["id"]);
        let change = [
            ("items[0][id]", item.as_str()),
            ("items[0][price]", "price_pro_monthly"),
        ];
        self.ask(Some(&change), &format!("/v1/subscriptions/{id}"))
            .await;
        let (invoice, customer) = (text(&sold["latest_invoice"]), text(&sold["customer"]));
        let links = self
            .ask(None, &format!("/v1/invoice_payments?invoice={invoice}"))
            .await;
        let intent = text(&links["data"][0]["payment"]["payment_intent"]);
        let part = [("payment_intent", intent.as_str()), ("amount", "100")];
        let refund = self.ask(Some(&part), "/v1/refunds").await;
        let checkout = [
            ("mode", "subscription"),
            ("line_items[0][price]", "price_basic_monthly"),
            ("success_url", "https://shop.test/done"),
        ];
        let session = self.made(&checkout, "/v1/checkout/sessions").await;
        let frozen = [("frozen_time", "1800000000")];
        let clock = self.made(&frozen, "/v1/test_helpers/test_clocks").await;
        let event = text(&self.ask(None, "/v1/events").await["data"][0]["id"]);
        let method = self.ask(None, &format!("/v1/customers/{customer}")).await;
        let method = text(&method["invoice_settings"]["default_payment_method"]);
        vec![
            format!("/v1/customers/{customer}"),
            format!("/v1/customers/{customer}/payment_methods"),
            "/v1/products/prod_basic".to_owned(),
            "/v1/prices/price_basic_monthly".to_owned(),
            format!("/v1/checkout/sessions/{session}"),
            format!("/v1/checkout/sessions/{session}/line_items"),
            format!("/v1/subscriptions/{id}"),
            format!("/v1/subscription_items?subscription={id}"),
            format!("/v1/invoices/{invoice}"),
            format!("/v1/invoice_payments?invoice={invoice}"),
            "/v1/invoiceitems".to_owned(),
            format!("/v1/payment_intents/{intent}"),
            format!("/v1/payment_methods/{method}"),
            format!("/v1/charges/{}", text(&refund["charge"])),
            format!("/v1/refunds/{}", text(&refund["id"])),
            "/v1/disputes".to_owned(),
            format!("/v1/test_helpers/test_clocks/{clock}"),
            format!("/v1/events/{event}"),
        ]
    }
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// Every field that Stripe has and we have not, and every one that is of another kind.
fn compare(ours: &Value, theirs: &Value, at: &str, wrong: &mut BTreeSet<String>) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            for (key, value) in theirs {
                let at = format!("{at}.{key}");
                match ours.get(key) {
                    None => drop(wrong.insert(at)),
                    // A customer's own words, and whatever an event is about.
                    Some(_) if key == "metadata" || at == "event.data.object" => {}
                    Some(found) => compare(found, value, &at, wrong),
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            for (ours, theirs) in ours.iter().zip(theirs.iter().cycle()) {
                compare(ours, theirs, at, wrong);
            }
        }
        (Value::Null, _)
        | (_, Value::Null)
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::String(_), Value::String(_)) => {}
        _ => drop(wrong.insert(format!("{at}: {ours} is of another kind than {theirs}"))),
    }
}

// The world needs a thread of its own beside the tests' client.
#[tokio::test(flavor = "multi_thread")]
async fn the_simulated_stripes_objects_have_every_field_of_stripes_own() {
    let Some([program]) = tool::need("objects of Stripe", [Tool::StripeMock]) else {
        return;
    };
    let mock = StripeMock::start(program).await;
    let world = World::new(Options::seeded(11));
    let stop = tokio_util::sync::CancellationToken::new();
    let (endpoints, serving) = world.serve(Listen::default(), stop).await.unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(serving);
    let ours = Side {
        url: endpoints.stripe.clone(),
        key: endpoints.tokens.stripe_secret_key.clone(),
    };
    let theirs = Side {
        url: mock.url.clone(),
        key: "sk_test_123".to_owned(),
    };
    let mut wrong = BTreeSet::new();
    for path in ours.stocked().await {
        let (found, meant) = (ours.ask(None, &path).await, theirs.ask(None, &path).await);
        let name = match meant["object"].as_str() {
            Some("list") => {
                assert_ne!(found["data"], json!([]), "{path}");
                text(&meant["data"][0]["object"])
            }
            _ => text(&meant["object"]),
        };
        match meant["object"].as_str() {
            Some("list") => compare(&found["data"], &meant["data"], &name, &mut wrong),
            _ => compare(&found, &meant, &name, &mut wrong),
        }
    }
    let left_out: BTreeSet<String> = LEFT_OUT.map(str::to_owned).into();
    assert_eq!(wrong, left_out);
}
