//! Room: the rules of Secrets, `ConfigMaps`, Leases, both kinds of Events and `ServiceAccounts`.

use serde_json::{Value, json};

use super::sequence::{Sequence, map, seq};

const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/{ns}/leases";
const EVENTS: &str = "/api/v1/namespaces/{ns}/events";
const NEW_EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/{ns}/events";
const ACCOUNTS: &str = "/api/v1/namespaces/{ns}/serviceaccounts";

/// All of those made, none of them kept.
fn tried(sentence: &str, path: &str, bodies: &[Value]) -> Sequence {
    bodies.iter().fold(seq(sentence), |sequence, body| {
        let mut body = body.clone();
        if body["metadata"].is_null() {
            body["metadata"] = json!({"name": "a"});
        }
        sequence.post(format!("{path}?dryRun=All"), body)
    })
}

fn secrets() -> Vec<Sequence> {
    vec![
        tried(
            "a secret's type says what must be in it",
            "{secrets}",
            &[
                json!({}),
                json!({"data": {"k": "dg=="}, "stringData": {"l": "w"}}),
                json!({"type": "kubernetes.io/tls"}),
                json!({"type": "kubernetes.io/tls", "stringData": {"tls.crt": "x", "tls.key": "y"}}),
                json!({"type": "kubernetes.io/basic-auth"}),
                json!({"type": "kubernetes.io/basic-auth", "stringData": {"username": "x"}}),
                json!({"type": "kubernetes.io/ssh-auth"}),
                json!({"type": "kubernetes.io/ssh-auth", "stringData": {"ssh-privatekey": ""}}),
                json!({"type": "kubernetes.io/dockerconfigjson"}),
                json!({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "x"}}),
                json!({"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": "{}"}}),
                json!({"type": "kubernetes.io/dockercfg", "stringData": {".dockercfg": "x"}}),
                json!({"type": "kubernetes.io/service-account-token"}),
                json!({"type": "bootstrap.kubernetes.io/token"}),
                json!({"stringData": {"a b": "x", "..": "y", "": "z"}}),
                json!({"data": {"k": "!"}}),
                json!({"data": {"k": 1}}),
                json!({"data": {"k": null}}),
            ],
        ),
        seq("a secret's type cannot be changed, and an immutable one not at all")
            .post(
                "{secrets}",
                json!({"metadata": {"name": "a"}, "stringData": {"k": "v"}}),
            )
            .merge("{secrets}/a", json!({"type": "x.y/z"}))
            .merge("{secrets}/a", json!({"stringData": {"k": "w"}}))
            .merge("{secrets}/a", json!({"immutable": true}))
            .merge("{secrets}/a", json!({"stringData": {"k": "x"}}))
            .merge("{secrets}/a", json!({"immutable": false}))
            .merge("{secrets}/a", json!({"metadata": {"labels": {"a": "b"}}}))
            .delete("{secrets}/a"),
    ]
}

fn maps() -> Vec<Sequence> {
    vec![
        tried(
            "a map's keys are file names, said once",
            "{maps}",
            &[
                json!({"data": {"a b": "x", ".": "y", "..": "z", "..c": "", "ok-._1": "v"}}),
                json!({"data": {"k": "v"}, "binaryData": {"k": "dg=="}}),
                json!({"binaryData": {"k": "?"}}),
                json!({"data": {"k": "x".repeat(1024 * 1024 + 1)}}),
                json!({"data": {("k".repeat(254)): "v"}}),
                json!({"data": []}),
                json!({"data": {"k": null}}),
            ],
        ),
        seq("an immutable map stays as it is")
            .post("{maps}", map("a", json!({"k": "v"})))
            .merge("{maps}/a", json!({"immutable": true}))
            .merge(
                "{maps}/a",
                json!({"data": {"k": "w"}, "binaryData": {"l": "dg=="}}),
            )
            .merge("{maps}/a", json!({"immutable": null}))
            .merge("{maps}/a", json!({"metadata": {"annotations": {"a": "b"}}})),
    ]
}

fn leases() -> Vec<Sequence> {
    vec![
        tried("a lease's numbers are sensible", LEASES, &[
            json!({}),
            json!({"spec": {"leaseDurationSeconds": 0, "leaseTransitions": -1}}),
            json!({"spec": {"holderIdentity": "", "leaseDurationSeconds": -5}}),
            json!({"spec": {"holderIdentity": "me", "leaseDurationSeconds": 15, "acquireTime": "2020-01-01T00:00:00.000000Z", "renewTime": "2020-01-01T00:00:00.123456Z", "leaseTransitions": 1}}),
            json!({"spec": {"renewTime": "2020-01-01T00:00:00Z"}}),
            json!({"spec": {"renewTime": "yesterday"}}),
            json!({"spec": {"strategy": "Odd"}}),
            json!({"spec": {"preferredHolder": "me"}}),
        ]),
        seq("a lease is taken by who sees it unchanged")
            .post(LEASES, json!({"metadata": {"name": "a"}, "spec": {"holderIdentity": "me", "leaseDurationSeconds": 15}}))
            .keep("seen", "/metadata/resourceVersion")
            .put_back(format!("{LEASES}/a"), |lease| lease["spec"]["holderIdentity"] = json!("you"))
            .put(format!("{LEASES}/a"), json!({"metadata": {"name": "a", "resourceVersion": "{seen}"}, "spec": {"holderIdentity": "me"}})),
    ]
}

fn event(more: Value) -> Value {
    let mut event = json!({
        "metadata": {"name": "a"},
        "involvedObject": {"kind": "ConfigMap", "namespace": "{ns}", "name": "m"},
        "reason": "Tried", "message": "it was tried", "type": "Normal", "source": {"component": "table"},
        "firstTimestamp": "2020-01-01T00:00:00Z", "lastTimestamp": "2020-01-01T00:00:00Z", "count": 1,
    });
    event
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    event
}

fn new_event(more: Value) -> Value {
    let mut event = json!({
        "metadata": {"name": "b"},
        "regarding": {"kind": "ConfigMap", "namespace": "{ns}", "name": "m"},
        "reason": "Tried", "note": "it was tried", "type": "Normal", "action": "Try",
        "reportingController": "table.example/x", "reportingInstance": "one", "eventTime": "2020-01-01T00:00:00.000000Z",
    });
    event
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    event
}

fn events() -> Vec<Sequence> {
    vec![
        tried(
            "an event is about an object in its namespace",
            EVENTS,
            &[
                event(json!({})),
                event(json!({"involvedObject": {"kind": "ConfigMap", "namespace": "elsewhere"}})),
                event(json!({"involvedObject": {"kind": "Node", "name": "n"}})),
                event(json!({"type": "Odd"})),
                event(json!({"eventTime": "2020-01-01T00:00:00.000000Z"})),
                event(
                    json!({"eventTime": "2020-01-01T00:00:00.000000Z", "reportingComponent": "a.b/c", "reportingInstance": "i", "action": "Try"}),
                ),
                event(json!({"involvedObject": {}})),
                event(
                    json!({"series": {"count": 2, "lastObservedTime": "2020-01-01T00:00:00.000000Z"}}),
                ),
                event(json!({"count": "many"})),
            ],
        ),
        tried(
            "a new event says who did what when",
            NEW_EVENTS,
            &[
                new_event(json!({})),
                new_event(json!({"type": "Odd"})),
                new_event(json!({"reportingController": ""})),
                new_event(json!({"reportingController": "a b"})),
                new_event(json!({"reportingInstance": ""})),
                new_event(json!({"action": ""})),
                new_event(json!({"reason": ""})),
                new_event(json!({"eventTime": null})),
                new_event(json!({"note": "x".repeat(1025)})),
                new_event(json!({"deprecatedCount": 1})),
                new_event(
                    json!({"series": {"count": 1, "lastObservedTime": "2020-01-01T00:00:00.000000Z"}}),
                ),
                new_event(json!({"regarding": {"kind": "ConfigMap", "namespace": "elsewhere"}})),
            ],
        ),
        seq("an event is the same in both groups")
            .post(EVENTS, event(json!({})))
            .get(format!("{NEW_EVENTS}/a"))
            .post(NEW_EVENTS, new_event(json!({})))
            .get(format!("{EVENTS}/b"))
            .get(EVENTS)
            .get(NEW_EVENTS)
            .merge(format!("{EVENTS}/a"), json!({"count": 2}))
            .merge(format!("{NEW_EVENTS}/b"), json!({"note": "changed"}))
            .merge(
                format!("{NEW_EVENTS}/b"),
                json!({"series": {"count": 2, "lastObservedTime": "2020-01-01T00:00:00.000000Z"}}),
            ),
    ]
}

fn others() -> Vec<Sequence> {
    vec![
        seq("a service account is an object")
            .post(ACCOUNTS, json!({"metadata": {"name": "a"}, "automountServiceAccountToken": false, "secrets": [{"name": "s"}], "imagePullSecrets": [{"name": "p"}]}))
            .merge(format!("{ACCOUNTS}/a"), json!({"secrets": [{"name": "t"}]}))
            .get(format!("{ACCOUNTS}/a"))
            .delete(format!("{ACCOUNTS}/a")),
        seq("a namespace is labelled with its name and active")
            .get("/api/v1/namespaces/{ns}")
            .merge("/api/v1/namespaces/{ns}", json!({"metadata": {"labels": {"kubernetes.io/metadata.name": "other"}}}))
            .merge("/api/v1/namespaces/{ns}", json!({"spec": {"finalizers": []}})),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [secrets(), maps(), leases(), events(), others()]
        .into_iter()
        .flatten()
        .collect()
}
