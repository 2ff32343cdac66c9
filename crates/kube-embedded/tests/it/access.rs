//! Roles, tokens and users from outside: a controller with rights of its own, and how long its token lives.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{ConfigMap, ServiceAccount};
use kube::api::{ListParams, PostParams};
use kube::{Api, Client};
use kube_embedded::{Authorization, Builder, Server, Storage};
use serde_json::{Value, json};

use crate::http::Wire;

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
const TOKENS: &str = "/api/v1/namespaces/default/serviceaccounts/default/token";
const WHO: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

fn guarded() -> Builder {
    Server::builder().seed(1).authorization(Authorization::Rbac)
}

fn admin(server: &Server) -> Wire {
    as_holder(server, None)
}

/// The server as whoever has that token meets it.
fn as_holder(server: &Server, token: Option<&str>) -> Wire {
    let server = token.map_or_else(|| server.clone(), |token| server.with_token(token));
    Wire { server }
}

/// Lets the subject do that to config maps of the namespace `default`.
async fn allow(wire: &Wire, subject: Value, verbs: &[&str]) {
    let rules = json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]);
    let role = json!({"metadata": {"name": "maps"}, "rules": rules});
    wire.post(ROLES, role).await.expect(201);
    let binding = json!({
        "metadata": {"name": "maps"},
        "roleRef": {"kind": "Role", "name": "maps"},
        "subjects": [subject],
    });
    wire.post(BINDINGS, binding).await.expect(201);
}

#[tokio::test]
async fn a_controller_is_tried_with_rights_of_its_own() {
    let server = guarded()
        .user("controllers-token", "controller", &["robots"])
        .build()
        .await
        .unwrap();
    let subject = json!({"kind": "User", "name": "controller"});
    allow(&admin(&server), subject, &["list"]).await;
    let client = Client::new(server.with_token("controllers-token"), "default");
    let maps: Api<ConfigMap> = Api::default_namespaced(client);
    maps.list(&ListParams::default()).await.unwrap();
    let (params, map) = (PostParams::default(), ConfigMap::default());
    let refused = maps.create(&params, &map).await.unwrap_err().to_string();
    let words = "configmaps is forbidden: User \"controller\" cannot create resource \"configmaps\" in API group \"\" in the namespace \"default\"";
    assert!(refused.contains(words), "{refused}");
}

#[tokio::test]
async fn without_roles_everybody_with_a_token_may_do_everything() {
    let builder = Server::builder().user("anns", "ann", &[]);
    let server = builder.build().await.unwrap();
    let ann = as_holder(&server, Some("anns"));
    ann.get("/api/v1/secrets").await.expect(200);
    let who = ann.post(WHO, json!({})).await.expect(201);
    assert_eq!(who["status"]["userInfo"]["username"], "ann");
    as_holder(&server, Some("wrong"))
        .get("/api/v1/secrets")
        .await
        .expect(401);
}

#[tokio::test]
async fn a_change_of_a_role_counts_at_once() {
    let server = guarded().user("anns", "ann", &[]).build().await.unwrap();
    let (admin, ann) = (admin(&server), as_holder(&server, Some("anns")));
    let maps = "/api/v1/namespaces/default/configmaps";
    ann.get(maps).await.expect(403);
    allow(&admin, json!({"kind": "User", "name": "ann"}), &["list"]).await;
    ann.get(maps).await.expect(200);
    let none = json!({"rules": []});
    admin
        .merge(&format!("{ROLES}/maps"), none)
        .await
        .expect(200);
    ann.get(maps).await.expect(403);
}

#[tokio::test]
async fn rules_too_many_to_compare_are_refused_and_not_compared() {
    let server = guarded().user("anns", "ann", &[]).build().await.unwrap();
    let rules = json!([{"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"], "verbs": ["create"]}]);
    let admin = admin(&server);
    let role = json!({"metadata": {"name": "r"}, "rules": rules});
    admin.post(ROLES, role).await.expect(201);
    let binding = json!({
        "metadata": {"name": "r"},
        "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "User", "name": "ann"}],
    });
    admin.post(BINDINGS, binding).await.expect(201);
    let many: Vec<String> = (0..500).map(|number| number.to_string()).collect();
    let rules = json!([{"apiGroups": many, "resources": many, "verbs": many}]);
    let ann = as_holder(&server, Some("anns"));
    let role = json!({"metadata": {"name": "wide"}, "rules": rules});
    let refused = ann.post(ROLES, role).await.expect(403);
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("too many to be compared: 125000000"),
        "{message}"
    );
}

/// A server whose time is the number of seconds since 1970.
fn at(seconds: &Arc<AtomicI64>) -> Builder {
    let seconds = Arc::clone(seconds);
    guarded().clock(move || Timestamp::from_second(seconds.load(Ordering::Relaxed)).unwrap())
}

async fn token(wire: &Wire, spec: Value) -> String {
    let made = wire.post(TOKENS, json!({"spec": spec})).await.expect(201);
    made["status"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_ends_by_the_servers_clock() {
    let time = Arc::new(AtomicI64::new(1_000_000));
    let server = at(&time).build().await.unwrap();
    let token = token(&admin(&server), json!({"expirationSeconds": 600})).await;
    let robot = as_holder(&server, Some(&token));
    let who = robot.post(WHO, json!({})).await.expect(201);
    let info = &who["status"]["userInfo"];
    assert_eq!(info["username"], "system:serviceaccount:default:default");
    let groups = [
        "system:serviceaccounts",
        "system:serviceaccounts:default",
        "system:authenticated",
    ];
    assert_eq!(info["groups"], json!(groups));
    // A minute's grace, as clocks differ.
    time.store(1_000_660, Ordering::Relaxed);
    robot.post(WHO, json!({})).await.expect(201);
    time.store(1_000_661, Ordering::Relaxed);
    robot.post(WHO, json!({})).await.expect(401);
}

#[tokio::test]
async fn a_token_outlives_the_process_if_the_objects_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("objects.db");
    let open = || async { guarded().storage(Storage::sqlite(&path).await.unwrap()) };
    let server = open().await.build().await.unwrap();
    let token = token(&admin(&server), json!({})).await;
    drop(server);
    let server = open().await.build().await.unwrap();
    let robot = as_holder(&server, Some(&token));
    robot.post(WHO, json!({})).await.expect(201);
    let other = guarded().build().await.unwrap();
    let stranger = as_holder(&other, Some(&token));
    stranger.post(WHO, json!({})).await.expect(401);
}

#[tokio::test]
async fn no_part_of_a_token_can_be_changed() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let server = guarded().build().await.unwrap();
    let token = token(&admin(&server), json!({})).await;
    let parts: Vec<&str> = token.split('.').collect();
    let decoded =
        |at: usize| String::from_utf8(URL_SAFE_NO_PAD.decode(parts[at]).unwrap()).unwrap();
    let changed = URL_SAFE_NO_PAD.encode(decoded(1).replace("default:default", "default:builder"));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    for forged in [
        format!("{}.{changed}.{}", parts[0], parts[2]),
        format!("{none}.{}.", parts[1]),
        format!("{none}.{}.{}", parts[1], parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        "..".to_owned(),
    ] {
        let wire = as_holder(&server, Some(&forged));
        wire.post(WHO, json!({})).await.expect(401);
    }
}

#[tokio::test]
async fn the_published_key_is_that_of_the_tokens() {
    let server = guarded().build().await.unwrap();
    let wire = admin(&server);
    let token = token(&wire, json!({})).await;
    let keys = wire.get("/openid/v1/jwks").await.expect(200);
    let key = &keys["keys"][0];
    let header = token.split('.').next().unwrap();
    let header = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, header);
    let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
    assert_eq!(header, json!({"alg": "ES256", "kid": key["kid"]}));
    assert_eq!([&key["kty"], &key["crv"]], ["EC", "P-256"]);
    // The key itself is in no list.
    let all = wire.get("/api/v1/secrets").await.expect(200);
    assert_eq!(all["items"], json!([]));
}

#[tokio::test]
async fn every_namespace_has_an_account_that_comes_again() {
    let server = Server::builder().build().await.unwrap();
    let wire = admin(&server);
    let namespace = json!({"metadata": {"name": "n"}});
    wire.post("/api/v1/namespaces", namespace).await.expect(201);
    let accounts: Api<ServiceAccount> = Api::namespaced(Client::new(server, "n"), "n");
    let first = accounts.get("default").await.unwrap();
    accounts
        .delete("default", &kube::api::DeleteParams::default())
        .await
        .unwrap();
    let second = accounts.get("default").await.unwrap();
    assert_ne!(first.metadata.uid, second.metadata.uid);
    wire.delete("/api/v1/namespaces/n").await.expect(200);
    wire.get("/api/v1/namespaces/n").await.expect(404);
}

#[tokio::test]
async fn a_default_role_that_was_deleted_is_back_after_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("objects.db");
    let open = || async { guarded().storage(Storage::sqlite(&path).await.unwrap()) };
    let role = format!("{RBAC}/clusterroles/system:discovery");
    let server = open().await.build().await.unwrap();
    admin(&server).delete(&role).await.expect(200);
    drop(server);
    let server = open().await.build().await.unwrap();
    admin(&server).get(&role).await.expect(200);
}
