//! The pages: what they say, what they keep, and what holds for each of them.

use serde_json::json;

use super::*;

const ORDER: [(&str, &str); 4] = [
    ("plan", "basic"),
    ("interval", "year"),
    ("subdomain", "ada"),
    ("display_name", "Ada <b>Lovelace</b>"),
];

#[tokio::test]
async fn the_first_page_shows_the_plans_and_nothing_unescaped() {
    let page = shop().get("/").await;
    assert_eq!(page.status, StatusCode::OK);
    page.says("Basic");
    page.says("€9.00 a month");
    page.says("€99.00 a year");
    page.says(".clawdet.example");
    page.says("Test mode");
    assert!(!page.text.contains("<script>alert"), "{}", page.text);
}

#[tokio::test]
async fn a_good_order_leads_to_the_hosted_checkout_with_all_that_was_ordered() {
    let shop = shop();
    let answer = shop.post("/checkout", &ORDER).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answer.header("location"),
        "https://checkout.stripe.test/pay/cs_1"
    );
    let started = &shop.payments.started()[0];
    assert_eq!(started["line_items[0][price]"], "price_y");
    assert_eq!(started["subscription_data[metadata][installation]"], "here");
    assert_eq!(started["subscription_data[metadata][plan]"], "basic");
    assert_eq!(started["subscription_data[metadata][subdomain]"], "ada");
    assert_eq!(
        started["success_url"],
        "https://clawdet.example/checkout/done?session_id={CHECKOUT_SESSION_ID}"
    );
}

#[tokio::test]
async fn a_cancelled_checkout_leads_back_to_the_form_as_it_was_filled_in() {
    let shop = shop();
    shop.post("/checkout", &ORDER).await;
    let started = &shop.payments.started()[0];
    let cancel: url::Url = started["cancel_url"].parse().unwrap();
    let path = format!("{}?{}", cancel.path(), cancel.query().unwrap());
    let page = shop.get(&path).await;
    page.says("Nothing was charged");
    let href = page.text.split("class=\"button\" href=\"").nth(1).unwrap();
    let href = href.split('"').next().unwrap().replace("&#38;", "&");
    let form = shop.get(&href).await;
    form.says("value=\"ada\"");
    form.says("Ada &#60;b&#62;Lovelace&#60;/b&#62;");
    form.says("value=\"year\" checked");
}

#[tokio::test]
async fn what_is_wrong_is_said_at_the_field_and_nothing_entered_is_lost() {
    let shop = shop();
    let wrong = [
        ("plan", "gold"),
        ("subdomain", "www"),
        ("display_name", "Ada"),
    ];
    let page = shop.post("/checkout", &wrong).await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY);
    page.says("id=\"subdomain-fault\"");
    page.says("aria-invalid=\"true\"");
    page.says("is reserved");
    page.says("not for sale");
    page.says("value=\"www\"");
    page.says("value=\"Ada\"");
    assert!(shop.payments.started().is_empty());
}

#[tokio::test]
async fn an_order_that_the_payment_provider_does_not_answer_keeps_the_form() {
    let shop = shop();
    shop.payments.goes_down();
    let page = shop.post("/checkout", &ORDER).await;
    assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
    page.says("Nothing was ordered and nothing was charged");
    page.says("value=\"ada\"");
}

#[tokio::test]
async fn a_form_from_another_site_is_refused() {
    let shop = shop();
    let request = Request::post("/checkout")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header("sec-fetch-site", "cross-site")
        .header(header::ORIGIN, "https://elsewhere.example")
        .body(Body::from("plan=basic&subdomain=ada"))
        .unwrap();
    let answer = shop.send(request).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    answer.says("sent from another site");
    assert!(shop.payments.started().is_empty());
}

fn paid_session(shop: &Shop, plan: &str) -> String {
    shop.payments
        .put(json!({"id": "cs_paid", "payment_status": "paid", "subscription": "sub_1"}));
    shop.payments.put(
        json!({"id": "sub_1", "customer": "cus_1", "status": "active",
            "items": {"data": [{"id": "si_1"}]},
            "metadata": {"installation": "here", "plan": plan, "subdomain": "ada"}}),
    );
    let name = crate::intent::instance_name("si_1");
    format!("/apis/clawdet.com/v1alpha1/namespaces/default/instances/{name}")
}

fn instance(ready: bool) -> serde_json::Value {
    let truth = if ready { "True" } else { "False" };
    json!({"apiVersion": "clawdet.com/v1alpha1", "kind": "Instance", "metadata": {"name": "i"},
        "spec": {"customerRef": "c", "subdomain": "ada", "plan": "basic"},
        "status": {"url": "https://ada.clawdet.example", "conditions": [
            {"type": "SecretsIssued", "status": "True", "reason": "AsDesired", "message": "",
             "lastTransitionTime": "2026-01-01T00:00:00Z"},
            {"type": "Ready", "status": truth, "reason": "Ready", "message": "",
             "lastTransitionTime": "2026-01-01T00:00:00Z"}]}})
}

#[tokio::test]
async fn the_page_after_a_payment_follows_the_instance_until_it_answers() {
    let shop = shop();
    shop.payments
        .put(json!({"id": "cs_open", "payment_status": "unpaid", "subscription": null}));
    let page = shop.get("/checkout/done?session_id=cs_open").await;
    page.says("<li class=\"active\"><span>Payment received</span>");
    let path = paid_session(&shop, "basic");
    let page = shop.get("/checkout/done?session_id=cs_paid").await;
    page.says("<li class=\"done\"><span>Payment received</span>");
    page.says("<li class=\"active\"><span>Order booked</span>");
    page.says("/assets/site.js");
    shop.cluster.put(&path, instance(false));
    let page = shop.get("/checkout/done?session_id=cs_paid").await;
    page.says("<li class=\"done\"><span>Order booked</span>");
    page.says("<li class=\"active\"><span>Server running</span>");
    shop.cluster.put(&path, instance(true));
    let page = shop.get("/checkout/done?session_id=cs_paid").await;
    page.says("<a href=\"https://ada.clawdet.example\"");
    page.says("data-settled");
    assert!(!page.text.contains("refresh"), "nothing more to look for");
}

#[tokio::test]
async fn an_order_that_was_paid_and_cannot_be_served_says_that_a_person_is_at_it() {
    let shop = shop();
    paid_session(&shop, "gold");
    let page = shop.get("/checkout/done?session_id=cs_paid").await;
    page.says("We cannot go on without a person");
    page.says("<strong>OrderInvalid</strong>");
}

#[tokio::test]
async fn a_checkout_nobody_knows_is_no_page() {
    let shop = shop();
    for id in ["cs_unknown", "", "../../v1/customers", "%3Cb%3E"] {
        let answer = shop.get(&format!("/checkout/done?session_id={id}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
    let answer = shop.get("/checkout/done").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}

fn check_headers(answer: &Answer, path: &str) {
    let policy = answer.header("content-security-policy");
    assert!(policy.contains("default-src 'none'"), "{path}");
    assert!(!policy.contains("unsafe"), "{path}");
    assert!(
        policy.contains("form-action 'self' https://checkout.stripe.test;"),
        "{path}: {policy}"
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(answer.header("x-frame-options"), "DENY", "{path}");
    let transport = answer.header("strict-transport-security");
    assert!(transport.starts_with("max-age=31536000"), "{path}");
    assert_eq!(answer.header("x-request-id").len(), 36, "{path}");
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_a_request_id() {
    let shop = shop();
    let paths = [
        ("/", 200),
        ("/checkout/cancelled", 200),
        ("/assets/site.css", 200),
        ("/healthz", 200),
        ("/readyz", 200),
        // Numbers are for ops, on a listener of their own.
        ("/metrics", 404),
        ("/nowhere", 404),
        ("/assets/nothing", 404),
        ("/webhooks/stripe", 405),
        ("/checkout", 303),
    ];
    for (path, status) in paths {
        let answer = shop.get(path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        check_headers(&answer, path);
    }
}

#[tokio::test]
async fn a_problem_has_a_page_that_names_the_request_and_nothing_inside() {
    let shop = shop();
    let missing = shop.get("/nowhere").await;
    missing.says("This page does not exist");
    missing.says(missing.header("x-request-id"));
    let wrong_method = shop.get("/webhooks/stripe").await;
    assert_eq!(wrong_method.header("allow"), "POST");
    wrong_method.says("does not take that kind of request");
    let large = "x".repeat(20 * 1024);
    let large = shop.post("/checkout", &[("subdomain", &large)]).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    large.says("more than we can take");
    let path = paid_session(&shop, "basic");
    shop.cluster.put(&path, json!({"broken": true}));
    shop.cluster.goes_down();
    let broken = shop.get("/checkout/done?session_id=cs_paid").await;
    assert_eq!(broken.status, StatusCode::SERVICE_UNAVAILABLE);
    broken.says("We cannot do this right now");
    assert!(!broken.text.contains("InternalError"), "{}", broken.text);
}

#[tokio::test]
async fn ready_means_that_the_plans_are_known_and_the_cluster_answers() {
    let unread = shop_with(Catalog::new("default"));
    assert_eq!(unread.get("/healthz").await.status, StatusCode::OK);
    let answer = unread.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    answer.says("not read yet");
    assert_eq!(
        unread.get("/").await.status,
        StatusCode::SERVICE_UNAVAILABLE
    );
    let shop = shop();
    assert_eq!(shop.get("/readyz").await.status, StatusCode::OK);
    shop.cluster.goes_down();
    let answer = shop.get("/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    answer.says("the cluster does not answer");
    assert_eq!(shop.get("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn an_asset_that_a_browser_has_is_not_sent_again() {
    let shop = shop();
    let first = shop.get("/assets/site.css").await;
    assert_eq!(first.header("content-type"), "text/css; charset=utf-8");
    let request = Request::get("/assets/site.css")
        .header(header::IF_NONE_MATCH, first.header("etag"))
        .body(Body::empty())
        .unwrap();
    let again = shop.send(request).await;
    assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    assert_eq!(again.text, "");
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_a_person_typed() {
    let shop = shop();
    shop.get("/").await;
    shop.get("/made-up-by-somebody").await;
    let metrics = shop.metrics().await;
    assert!(metrics.contains("clawdet_web_requests_total{route=\"/\",status=\"200\"} 1"));
    assert!(metrics.contains("clawdet_web_requests_total{route=\"none\",status=\"404\"} 1"));
    assert!(!metrics.contains("made-up"));
}
