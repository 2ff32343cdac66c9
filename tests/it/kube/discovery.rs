//! Room: what a server says it is and has, and how it refuses what makes no sense.

use serde_json::{Value, json};

use super::sequence::{Body, Sequence, Who, map, seq, things};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
/// The groups that are asked about everywhere; a real server has more.
const GROUPS: [&str; 3] = [
    "apiextensions.k8s.io",
    "coordination.k8s.io",
    "events.k8s.io",
];
const KINDS: [&str; 5] = [
    "configmaps",
    "events",
    "namespaces",
    "secrets",
    "serviceaccounts",
];

fn our_groups(mut list: Value) -> Value {
    let groups = list["groups"].as_array_mut().unwrap();
    groups.retain(|group| GROUPS.iter().any(|name| group["name"] == *name));
    list
}

fn our_kinds(mut list: Value) -> Value {
    let resources = list["resources"].as_array_mut().unwrap();
    resources.retain(|resource| KINDS.iter().any(|kind| resource["name"] == *kind));
    list
}

fn our_groups_aggregated(mut list: Value) -> Value {
    let groups = list["items"].as_array_mut().unwrap();
    groups.retain(|group| GROUPS.iter().any(|name| group["metadata"]["name"] == *name));
    list
}

fn our_kinds_aggregated(mut list: Value) -> Value {
    let resources = list["items"][0]["versions"][0]["resources"]
        .as_array_mut()
        .unwrap();
    resources.retain(|resource| KINDS.iter().any(|kind| resource["resource"] == *kind));
    for resource in resources {
        resource.as_object_mut().unwrap().remove("subresources");
    }
    list
}

fn version(version: Value) -> Value {
    let [major, minor] = ["major", "minor"].map(|part| version[part].clone());
    let git = version["gitVersion"].as_str().unwrap_or_default();
    let git = git
        .split(['+', '-'])
        .next()
        .unwrap_or_default()
        .rsplit_once('.');
    json!([major, minor, git.map(|(release, _)| release)])
}

fn served() -> Vec<Sequence> {
    vec![
        seq("a server says what it is")
            .get("/version")
            .shown(version)
            .get("/healthz")
            .get("/livez")
            .get("/readyz")
            .get("/api")
            .shown(|mut versions| {
                versions
                    .as_object_mut()
                    .unwrap()
                    .remove("serverAddressByClientCIDRs");
                versions
            }),
        seq("a server says what it has")
            .get("/apis")
            .shown(our_groups)
            .get("/api/v1")
            .shown(our_kinds)
            .get("/apis/coordination.k8s.io")
            .get("/apis/events.k8s.io")
            .get("/apis/events.k8s.io/v1")
            .get("/apis/apiextensions.k8s.io")
            .get("/apis/apiextensions.k8s.io/v1")
            .get("/apis")
            .accept(AGGREGATED)
            .shown(our_groups_aggregated)
            .get("/api")
            .accept(AGGREGATED)
            .shown(our_kinds_aggregated),
        seq("a definition is discovered")
            .defined(definition())
            .get("/apis/{group}")
            .get("/apis/{group}/v1")
            .get("/apis/{group}/v2")
            .get("{definitions}/things.{group}"),
    ]
}

fn definition() -> Value {
    let mut definition =
        things(json!({"type": "object", "properties": {"spec": {"type": "object"}}}));
    definition["spec"]["names"]["shortNames"] = json!(["th"]);
    definition["spec"]["names"]["categories"] = json!(["all"]);
    definition["spec"]["versions"][0]["subresources"] = json!({"status": {}});
    definition
}

fn refused() -> Vec<Sequence> {
    let text = |text: &str| Body::Text(text.to_owned());
    vec![
        seq("a token is needed, and a known one")
            .get("{maps}")
            .by(Who::Token("wrong".to_owned()))
            .get("/version")
            .by(Who::Token("wrong".to_owned()))
            .get("/healthz")
            .by(Who::Nobody),
        seq("what is not there is not found")
            .get("/apis/nothing.example/v1/things")
            .get("/apis/nothing.example")
            .get("/api/v1/nothings")
            .get("/api/v2")
            .get("/nothing")
            .get("{maps}/a/status")
            .get("{maps}/a/nothing")
            .get("/api/v1/namespaces/nowhere")
            .get("/api/v1/namespaces/nowhere/configmaps")
            .get("{definitions}/nothing")
            .get("/apis/coordination.k8s.io/v2"),
        seq("a method must be one the path has")
            .post("{maps}/a", map("a", json!({})))
            .put("{maps}", map("a", json!({})))
            .merge("{maps}", json!({}))
            .ask("HEAD", "{maps}", Body::None)
            .ask("OPTIONS", "{maps}", Body::None)
            .post("/api/v1/configmaps", map("a", json!({})))
            .delete("/version"),
        seq("an answer comes in a form that is asked for")
            .get("{maps}")
            .accept("text/html")
            .known("protobuf")
            .get("{maps}")
            .accept("application/xml")
            .known("protobuf")
            .get("/api/v1")
            .accept("text/html")
            .known("protobuf")
            .get("/version")
            .accept("text/html")
            .known("protobuf"),
        seq("a body comes in a form that is known")
            .post("{maps}", map("a", json!({})))
            .with("content-type", "text/plain")
            .post("{maps}", map("a", json!({})))
            .with("content-type", "application/xml")
            .post("{maps}?dryRun=All", map("a", json!({})))
            .with("content-type", "application/json; charset=utf-8")
            .post("{maps}?dryRun=All", map("a", json!({})))
            .with("content-type", "")
            .ask(
                "POST",
                "{maps}",
                text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"),
            )
            .with("content-type", "application/yaml"),
        seq("a body must be a document")
            .ask("POST", "{maps}", text("{"))
            .ask("POST", "{maps}", text("[]"))
            .ask("POST", "{maps}", text("x"))
            .ask("POST", "{maps}", text("null"))
            .ask("POST", "{maps}", Body::None)
            .ask("POST", "{maps}", text("{\"metadata\": 1}"))
            .ask("POST", "{maps}", text("{\"apiVersion\": 1}")),
    ]
}

/// Definitions that want the same names.
fn names() -> Vec<Sequence> {
    let another = |plural: &str, kind: &str| {
        let mut definition = definition();
        definition["metadata"]["name"] = json!(format!("{plural}.{{group}}"));
        definition["spec"]["names"] = json!({"plural": plural, "kind": kind, "shortNames": ["th"]});
        definition
    };
    vec![
        seq("a name that another definition has is not accepted")
            .defined(definition())
            .post("{definitions}", another("others", "Thing"))
            .shown(|_| Value::Null)
            .until("{definitions}/others.{group}", |_, found| {
                super::sequence::condition(found, "NamesAccepted").is_some()
            })
            .get("{definitions}/others.{group}")
            .get("/apis/{group}/v1/others")
            .get("/apis/{group}/v1")
            .delete("{definitions}/things.{group}")
            .shown(|_| Value::Null)
            .until_gone("{definitions}/things.{group}")
            .until("{definitions}/others.{group}", |_, found| {
                super::sequence::condition(found, "Established") == Some("True")
            })
            .get("{definitions}/others.{group}"),
        seq("a definition's names, scope and group stay")
            .defined(definition())
            .merge(
                "{definitions}/things.{group}",
                json!({"spec": {"scope": "Cluster"}}),
            )
            .merge(
                "{definitions}/things.{group}",
                json!({"spec": {"group": "other.example"}}),
            )
            .merge(
                "{definitions}/things.{group}",
                json!({"spec": {"names": {"plural": "others"}}}),
            )
            .merge(
                "{definitions}/things.{group}",
                json!({"spec": {"versions": []}}),
            ),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [served(), refused(), names()]
        .into_iter()
        .flatten()
        .collect()
}
