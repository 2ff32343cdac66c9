//! The books and the zone in a file: closed and opened again, they go on.

use http::StatusCode;
use serde_json::json;
use tower::ServiceExt;

use super::{DAY, Receiver, Shop, count, text};
use crate::{Options, WebhookTarget, World};

async fn create_with_key(shop: &Shop) -> super::Read {
    let mut request = shop.request("POST", "/v1/customers", &[("name", "Ada")]);
    request
        .headers_mut()
        .insert("idempotency-key", "order-1".parse().unwrap());
    shop.send(request).await
}

#[tokio::test]
async fn what_was_sold_renews_and_what_was_not_delivered_is_delivered_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.db");
    let open = async || Shop {
        world: World::open(Options::default(), &path).await.unwrap(),
    };
    let first = open().await;
    let subscription = text(&first.sold().await["id"]);
    let unpaid = first.checkout().await;
    let keyed = create_with_key(&first).await.json();
    drop(first);

    let second = open().await;
    assert_eq!(second.subscription(&subscription).await["status"], "active");
    let again = create_with_key(&second).await;
    assert_eq!(again.json()["id"], keyed["id"]);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let paid = second.pay_with_card(&unpaid, "4242424242424242").await;
    assert_eq!(paid.status, StatusCode::SEE_OTHER);
    assert_eq!(second.world.snapshot().subscriptions.len(), 2);

    let receiver = Receiver::default();
    let target = WebhookTarget::Router(receiver.router(), "/hook".to_owned());
    second.world.deliver_webhooks_to(target);
    second.world.pump_webhooks().await;
    assert_eq!(count(&receiver.kinds(), "checkout.session.completed"), 2);
    second.after(DAY * 31);
    second.world.pump_webhooks().await;
    assert_eq!(count(&receiver.kinds(), "invoice.paid"), 4);
}

#[tokio::test]
async fn records_and_their_ids_are_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.db");
    let open = async || World::open(Options::default(), &path).await.unwrap();
    let make = async |world: &World, name: &str| {
        let zone = world.look(|_, state| state.cloudflare.zone_id().to_owned());
        let body = json!({ "type": "A", "name": name, "content": "127.64.0.1" }).to_string();
        let request = http::Request::post(format!("/client/v4/zones/{zone}/dns_records"))
            .header(
                "authorization",
                format!("Bearer {}", world.options().cloudflare_token),
            )
            .body(axum::body::Body::from(body));
        let answer = world.cloudflare().oneshot(request.unwrap()).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
    };
    let first = open().await;
    make(&first, "ada").await;
    let before = first.snapshot().records;
    drop(first);
    let second = open().await;
    assert_eq!(second.snapshot().records, before);
    make(&second, "bob").await;
    assert_eq!(second.snapshot().records.len(), 2);
}
