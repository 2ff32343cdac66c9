//! What is refused, in the words a kube-apiserver 1.37 was heard to say; one line each.

use serde_json::{Value, json};

use crate::http::{BOATS, CONFIG_MAPS, Wire, boat};

const SECRETS: &str = "/api/v1/namespaces/default/secrets";
const LEASES: &str = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const EVENTS: &str = "/apis/events.k8s.io/v1/namespaces/default/events";

struct Refused {
    wire: Wire,
}

impl Refused {
    async fn post(&self, path: &str, body: Value, code: u16, message: &str) {
        let answer = self.wire.post(path, body).await;
        assert_eq!((answer.code, answer.message()), (code, message));
    }

    async fn patch(&self, path: &str, form: &str, body: Value, code: u16, message: &str) {
        let form = format!("application/{form}");
        let answer = self.wire.with_body("PATCH", path, &form, &body).await;
        assert_eq!((answer.code, answer.message()), (code, message));
    }

    async fn delete(&self, path: &str, options: Value, code: u16, message: &str) {
        let answer = self.wire.delete_with(path, options).await;
        assert_eq!((answer.code, answer.message()), (code, message));
    }

    async fn get(&self, path: &str, code: u16, message: &str) {
        let answer = self.wire.get(path).await;
        assert_eq!((answer.code, answer.message()), (code, message));
    }
}

fn named(fields: &Value) -> Value {
    let mut object = json!({ "metadata": { "name": "b" } });
    for (field, value) in fields.as_object().unwrap() {
        object[field] = value.clone();
    }
    object
}

fn event(fields: &Value) -> Value {
    let mut event = json!({
        "metadata": { "name": "e", "namespace": "default" },
        "regarding": { "kind": "Boat", "name": "anna", "namespace": "default" },
        "note": "n", "reason": "R", "type": "Normal", "action": "A",
        "eventTime": "2026-01-01T00:00:00.000000Z",
        "reportingController": "example.dev/c", "reportingInstance": "i",
    });
    for (field, value) in fields.as_object().unwrap() {
        event[field] = value.clone();
    }
    event
}

#[tokio::test(start_paused = true)]
async fn configmaps() {
    let said = Refused {
        wire: Wire::harbour().await,
    };
    let post = async |body: Value, code, message| {
        said.post(CONFIG_MAPS, named(&body), code, message).await;
    };
    post(json!({"data": {"x": 3}}), 400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal number into Go struct field ConfigMap.data of type string").await;
    post(json!({"data": "x"}), 400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot unmarshal string into Go struct field ConfigMap.data of type map[string]string").await;
    post(
        json!({"data": {"..": "d"}}),
        422,
        "ConfigMap \"b\" is invalid: data[..]: Invalid value: \"..\": must not be '..'",
    )
    .await;
    post(json!({"data": {"a": "c"}, "binaryData": {"a": "Yg=="}}), 422, "ConfigMap \"b\" is invalid: data[a]: Invalid value: \"a\": duplicate of key present in binaryData").await;
    post(json!({"binaryData": {"a": "%"}}), 400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: illegal base64 data at input byte 0").await;
    let strict = format!("{CONFIG_MAPS}?fieldValidation=Strict");
    said.post(&strict, named(&json!({"foo": 1})), 400, "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: unknown field \"foo\"").await;
    said.wire.config_map("a").await;
    let path = format!("{CONFIG_MAPS}/a");
    said.patch(
        &path,
        "strategic-merge-patch+json",
        json!({"metadata": {"uid": "u"}}),
        422,
        "ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"u\": field is immutable",
    )
    .await;
    said.patch(&path, "json", json!({}), 415, "415: Unsupported Media Type")
        .await;
    said.patch(
        &path,
        "merge-patch+json",
        json!({"immutable": true}),
        200,
        "",
    )
    .await;
    said.patch(
        &path,
        "merge-patch+json",
        json!({"data": {"n": "x"}}),
        422,
        "ConfigMap \"a\" is invalid: data: Forbidden: field is immutable when `immutable` is set",
    )
    .await;
    said.get(
        &format!("{CONFIG_MAPS}?fieldSelector=data.x%3D1"),
        400,
        "\"data.x\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"",
    )
    .await;
    said.delete(&format!("{path}?propagationPolicy=Foo"), json!({}), 422, "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Foo\": supported values: \"Foreground\", \"Background\", \"Orphan\", \"nil\"").await;
    said.delete(&path, json!({"dryRun": ["x"]}), 422, "DeleteOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"x\"]: supported values: \"All\"").await;
    said.delete(
        &path,
        json!({"kind": "ConfigMap", "apiVersion": "v1"}),
        400,
        "no kind \"ConfigMap\" is registered for version \"v1\" in scheme \"pkg/runtime/scheme.go:111\"",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn secrets() {
    let said = Refused {
        wire: Wire::harbour().await,
    };
    let post =
        async |body: Value, code, message| said.post(SECRETS, named(&body), code, message).await;
    post(json!({"data": {"x": "%"}}), 400, "Secret in version \"v1\" cannot be handled as a Secret: illegal base64 data at input byte 0").await;
    post(
        json!({"type": "kubernetes.io/tls", "data": {"tls.crt": ""}}),
        422,
        "Secret \"b\" is invalid: data[tls.key]: Required value",
    )
    .await;
    post(
        json!({"type": "kubernetes.io/ssh-auth"}),
        422,
        "Secret \"b\" is invalid: data[ssh-privatekey]: Required value",
    )
    .await;
    post(
        json!({"type": "kubernetes.io/basic-auth"}),
        422,
        "Secret \"b\" is invalid: [data[username]: Required value, data[password]: Required value]",
    )
    .await;
    post(
        json!({"type": "kubernetes.io/dockerconfigjson"}),
        422,
        "Secret \"b\" is invalid: data[.dockerconfigjson]: Required value",
    )
    .await;
    post(json!({"type": "kubernetes.io/service-account-token"}), 422, "Secret \"b\" is invalid: metadata.annotations[kubernetes.io/service-account.name]: Required value").await;
    post(
        json!({"type": "kubernetes.io/tls", "data": {"tls.crt": "", "tls.key": ""}}),
        201,
        "",
    )
    .await;
    said.patch(
        &format!("{SECRETS}/b"),
        "merge-patch+json",
        json!({"type": "x"}),
        422,
        "Secret \"b\" is invalid: type: Invalid value: \"x\": field is immutable",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn leases_and_namespaces() {
    let said = Refused {
        wire: Wire::harbour().await,
    };
    said.post(LEASES, named(&json!({"spec": {"leaseDurationSeconds": 0}})), 422, "Lease.coordination.k8s.io \"b\" is invalid: spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0").await;
    said.post(LEASES, named(&json!({"spec": {"leaseTransitions": -1}})), 422, "Lease.coordination.k8s.io \"b\" is invalid: spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0").await;
    said.post("/api/v1/namespaces", json!({"metadata": {"name": "a.b"}}), 422, "Namespace \"a.b\" is invalid: metadata.name: Invalid value: \"a.b\": must not contain dots").await;
    said.patch("/api/v1/namespaces/default/status", "merge-patch+json", json!({"status": {"phase": "Odd"}}), 422, "Namespace \"default\" is invalid: status.Phase: Invalid value: \"Odd\": may only be 'Active' if `deletionTimestamp` is empty").await;
    said.delete(
        "/api/v1/namespaces/default",
        json!({}),
        403,
        "namespaces \"default\" is forbidden: this namespace may not be deleted",
    )
    .await;
    said.delete(
        "/api/v1/namespaces",
        json!({}),
        405,
        "the server does not allow this method on the requested resource",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn events() {
    let said = Refused {
        wire: Wire::harbour().await,
    };
    let post =
        async |body: Value, code, message| said.post(EVENTS, event(&body), code, message).await;
    post(json!({"eventTime": null, "type": null}), 422, "Event \"e\" is invalid: [eventTime: Required value, type: Invalid value: \"\": has invalid value: ]").await;
    post(
        json!({"type": "Odd"}),
        422,
        "Event \"e\" is invalid: type: Invalid value: \"\": has invalid value: Odd",
    )
    .await;
    post(
        json!({"reportingInstance": "", "action": null}),
        422,
        "Event \"e\" is invalid: [reportingInstance: Required value, action: Required value]",
    )
    .await;
    post(
        json!({"note": "x".repeat(1025)}),
        422,
        "Event \"e\" is invalid: message: Invalid value: \"\": can have at most 1024 characters",
    )
    .await;
    post(json!({}), 201, "").await;
    let path = format!("{EVENTS}/e");
    said.patch(
        &path,
        "merge-patch+json",
        json!({"note": "changed"}),
        422,
        "Event \"e\" is invalid: message: Invalid value: \"changed\": field is immutable",
    )
    .await;
    let series = json!({"series": {"count": 2, "lastObservedTime": "2026-01-01T00:00:01.000000Z"}});
    said.patch(&path, "merge-patch+json", series, 200, "").await;
}

#[tokio::test(start_paused = true)]
async fn custom_resources() {
    let said = Refused {
        wire: Wire::harbour().await,
    };
    let with = |metadata: Value| json!({"apiVersion": "example.dev/v1", "kind": "Boat", "metadata": metadata, "spec": {"colour": "red"}});
    let post = async |body: Value, code, message| said.post(BOATS, body, code, message).await;
    post(json!({"metadata": {"name": "x"}}), 400, "the object provided is unrecognized (must be of type Boat): Object 'Kind' is missing in '{\"metadata\":{\"name\":\"x\"}}' ({\"metadata\":{\"name\":\"x\"}})").await;
    post(with(json!({"name": "x", "labels": {"a": 3}})), 400, "Boat in version \"v1\" cannot be handled as a Boat: json: cannot unmarshal number into Go struct field ObjectMeta.labels of type string").await;
    post(with(json!({"name": "x", "ownerReferences": [{"apiVersion": "v1", "kind": "", "name": "n", "uid": "u"}]})), 422, "Boat.example.dev \"x\" is invalid: metadata.ownerReferences[0].kind: Required value: must not be empty").await;
    let other = json!({"apiVersion": "example.dev/v2", "kind": "Boat", "metadata": {"name": "x"}});
    post(other, 400, "the API version in the data (example.dev/v2) does not match the expected API version (example.dev/v1)").await;
    said.post(&format!("{BOATS}?dryRun=Some"), boat("x", "red"), 422, "CreateOptions.meta.k8s.io \"\" is invalid: dryRun: Unsupported value: [\"Some\"]: supported values: \"All\"").await;
    said.post(&format!("{BOATS}?fieldValidation=Maybe"), boat("x", "red"), 422, "CreateOptions.meta.k8s.io \"\" is invalid: fieldValidation: Unsupported value: \"Maybe\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"").await;
    said.get(
        &format!("{BOATS}?limit=x"),
        400,
        "strconv.ParseInt: parsing \"x\": invalid syntax",
    )
    .await;
    said.get(&format!("{BOATS}?resourceVersionMatch=Exact"), 422, "ListOptions.meta.k8s.io \"\" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided").await;
    said.get(
        &format!("{BOATS}/anna/scale"),
        404,
        "boats.example.dev \"anna\" not found",
    )
    .await;
    said.wire.boat("anna", "red").await;
    let path = format!("{BOATS}/anna");
    said.patch(
        &path,
        "merge-patch+json",
        json!({"kind": "X"}),
        422,
        "X.example.dev \"anna\" is invalid: kind: Invalid value: \"X\": must be Boat",
    )
    .await;
    said.patch(&format!("{path}?force=true"), "merge-patch+json", json!({}), 422, "PatchOptions.meta.k8s.io \"\" is invalid: force: Forbidden: may not be specified for non-apply patch").await;
    said.patch(&path, "apply-patch+yaml", boat("anna", "red"), 422, "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch").await;
    let mut wheels = boat("anna", "red");
    wheels["spec"]["wheels"] = 4.into();
    said.patch(&format!("{path}?fieldManager=b"), "apply-patch+yaml", wheels, 500, "failed to create typed patch object (/anna; example.dev/v1, Kind=Boat): .spec.wheels: field not declared in schema").await;
    said.patch(
        &format!("{path}?fieldManager=b"),
        "apply-patch+yaml",
        boat("anna", "blue"),
        409,
        "Apply failed with 1 conflict: conflict with \"test\" using example.dev/v1: .spec.colour",
    )
    .await;
    said.delete(&path, json!({"preconditions": {"resourceVersion": "1"}}), 409, &format!("Operation cannot be fulfilled on Boat.example.dev \"anna\": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record ({}). The object might have been modified", said.wire.get(&path).await.body["metadata"]["resourceVersion"].as_str().unwrap())).await;
}
