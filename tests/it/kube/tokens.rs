//! Room: tokens of service accounts: asked for, shown, reviewed, and no longer good.

use serde_json::{Value, json};

use super::sequence::{Sequence, Step, Who, seq};

const ACCOUNTS: &str = "/api/v1/namespaces/{ns}/serviceaccounts";
const TOKENS: &str = "/api/v1/namespaces/{ns}/serviceaccounts/robot/token";
const REVIEWS: &str = "/apis/authentication.k8s.io/v1/tokenreviews";
const WHO: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

impl Sequence {
    fn robot(self) -> Self {
        self.post(ACCOUNTS, json!({"metadata": {"name": "robot"}}))
    }

    /// Asks for a token, and keeps it as `{jwt}`.
    fn token(self, spec: Value) -> Self {
        self.post(TOKENS, json!({"spec": spec}))
            .shown(without_token)
            .keep("jwt", "/status/token")
    }

    fn by_robot(self) -> Self {
        self.by(Who::Token("{jwt}".to_owned()))
    }
}

fn without_token(mut answer: Value) -> Value {
    for token in ["/status/token", "/spec/token"] {
        if let Some(token) = answer.pointer_mut(token) {
            *token = Value::Null;
        }
    }
    // Its id is as random as a uid, and not the only thing in its string.
    for id in [
        "/status/user/extra/authentication.kubernetes.io~1credential-id",
        "/status/userInfo/extra/authentication.kubernetes.io~1credential-id",
    ] {
        if let Some(id) = answer.pointer_mut(id) {
            *id = id[0]
                .as_str()
                .is_some_and(|id| id.starts_with("JTI="))
                .into();
        }
    }
    answer
}

fn requests() -> Vec<Sequence> {
    let bound = |reference: Value| json!({"boundObjectRef": reference});
    vec![
        seq("a token is made for an account, for an hour and the server unless asked otherwise")
            .robot()
            .token(json!({}))
            .token(json!({"audiences": ["a", "b"], "expirationSeconds": 600})),
        seq("a token lives for ten minutes at least, and not for ever")
            .robot()
            .post(TOKENS, json!({"spec": {"expirationSeconds": 599}}))
            .post(TOKENS, json!({"spec": {"expirationSeconds": 4_294_967_297_i64}}))
            .post(TOKENS, json!({"spec": {"attestations": {"a": ["b"]}}})),
        seq("a request is for the account in its path")
            .robot()
            .post(TOKENS, json!({"metadata": {"name": "x"}}))
            .post(TOKENS, json!({"metadata": {"namespace": "x"}}))
            .post(TOKENS, json!({"metadata": {"uid": "x"}}))
            .post(format!("{ACCOUNTS}/nope/token"), json!({}))
            .post(TOKENS, json!({"kind": "ConfigMap", "apiVersion": "v1"}))
            .get(TOKENS)
            .put(TOKENS, json!({}))
            .post("{maps}/robot/token", json!({})),
        seq("a token can be bound to a Secret that is there, and to little else")
            .robot()
            .post(TOKENS, json!({"spec": bound(json!({"kind": "Secret", "apiVersion": "v1", "name": "s"}))}))
            .post(TOKENS, json!({"spec": bound(json!({"kind": "Pod", "apiVersion": "v1", "name": "p"}))}))
            .post(TOKENS, json!({"spec": bound(json!({"kind": "ConfigMap", "apiVersion": "v1", "name": "c"}))}))
            .post(TOKENS, json!({"spec": bound(json!({"kind": "X", "apiVersion": "a.b/v1", "name": "x"}))}))
            .post("{secrets}", json!({"metadata": {"name": "s"}}))
            .post(
                TOKENS,
                json!({"spec": bound(json!({"kind": "Secret", "apiVersion": "v1", "name": "s", "uid": "x"}))}),
            )
            .token(bound(json!({"kind": "Secret", "apiVersion": "v1", "name": "s"}))),
    ]
}

fn lives() -> Vec<Sequence> {
    let review = |token: &str| json!({"spec": {"token": token}});
    vec![
        seq("whoever shows a token is its account")
            .robot()
            .token(json!({}))
            .post(WHO, json!({}))
            .by_robot()
            .shown(without_token)
            .get("{maps}")
            .by_robot()
            .post(REVIEWS, review("{jwt}"))
            .shown(without_token)
            .post(REVIEWS, review("{jwt}"))
            .by_robot(),
        seq("a token for others does not open this server")
            .robot()
            .token(json!({"audiences": ["others"]}))
            .post(WHO, json!({}))
            .by_robot()
            .post(
                REVIEWS,
                json!({"spec": {"token": "{jwt}", "audiences": ["others", "more"]}}),
            )
            .shown(without_token)
            .post(REVIEWS, review("{jwt}"))
            .shown(without_token),
        seq("a token ends with its account, and the next of that name does not bring it back")
            .robot()
            .token(json!({}))
            .delete(format!("{ACCOUNTS}/robot"))
            .shown(|_| Value::Null)
            .until_unauthorized("{jwt}")
            .robot()
            .post(WHO, json!({}))
            .by_robot(),
        seq("a token ends with the Secret it is bound to")
            .robot()
            .post("{secrets}", json!({"metadata": {"name": "s"}}))
            .token(json!({"boundObjectRef": {"kind": "Secret", "apiVersion": "v1", "name": "s"}}))
            .post(WHO, json!({}))
            .by_robot()
            .shown(without_token)
            .delete("{secrets}/s")
            .until_unauthorized("{jwt}")
            .post(WHO, json!({}))
            .by_robot()
            .post(REVIEWS, review("{jwt}"))
            .shown(without_token),
        seq("what is no token is nobody's")
            .post(REVIEWS, review("nope"))
            .post(REVIEWS, review("a.b.c"))
            .post(REVIEWS, json!({"spec": {}}))
            .robot()
            .token(json!({}))
            .post(WHO, json!({}))
            .by(Who::Token("{jwt}x".to_owned())),
        seq("how tokens are checked is published to service accounts")
            .robot()
            .token(json!({}))
            .get("/.well-known/openid-configuration")
            .by_robot()
            .shown(|document| json!([document["issuer"], document["response_types_supported"]]))
            .get("/openid/v1/jwks")
            .by(Who::Nobody),
    ]
}

impl Sequence {
    /// Lets the account do that everywhere.
    fn lets_robot(self, rules: Value) -> Self {
        let rbac = "/apis/rbac.authorization.k8s.io/v1";
        let role = json!({"metadata": {"name": "{ns}"}, "rules": rules});
        let binding = json!({
            "metadata": {"name": "{ns}"},
            "roleRef": {"kind": "ClusterRole", "name": "{ns}"},
            "subjects": [{"kind": "ServiceAccount", "name": "robot", "namespace": "{ns}"}],
        });
        self.post(format!("{rbac}/clusterroles"), role)
            .post(format!("{rbac}/clusterrolebindings"), binding)
    }

    /// Waits until the account may be that user when it reads a path.
    fn until_robot_is(mut self, user: &str, path: &str) -> Self {
        self.steps.push(Step::Until {
            path: path.to_owned(),
            headers: vec![
                ("authorization", "Bearer {jwt}".to_owned()),
                ("impersonate-user", user.to_owned()),
            ],
            so: Box::new(|status, _| status == 200),
        });
        self
    }
}

fn impersonation() -> Vec<Sequence> {
    vec![
        seq("a stranger may be nobody else, and is told the way that comes first")
            .robot()
            .token(json!({}))
            .get("{maps}")
            .by_robot()
            .acting_as("bob")
            .get("{maps}")
            .by_robot()
            .acting_as("system:serviceaccount:{ns}:other")
            .get("/version")
            .by_robot()
            .acting_as("system:node:n1")
            .post(WHO, json!({}))
            .by_robot()
            .acting_as("system:serviceaccount:{ns}:other")
            .with("impersonate-group", "g"),
        seq("the verb impersonate lets one be those users, groups and uids it names")
            .robot()
            .token(json!({}))
            .lets_robot(json!([
                {"apiGroups": [""], "resources": ["users"], "resourceNames": ["bob"], "verbs": ["impersonate"]},
                {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"]},
            ]))
            .until_robot_is("bob", "/version")
            .post(WHO, json!({}))
            .by_robot()
            .acting_as("bob")
            .with("impersonate-group", "g")
            .post(WHO, json!({}))
            .by_robot()
            .acting_as("eve")
            .post(WHO, json!({}))
            .by_robot()
            .acting_as("bob")
            .with("impersonate-uid", "u"),
        seq("the narrower verbs let one be a user for one thing")
            .robot()
            .token(json!({}))
            .lets_robot(json!([
                {"apiGroups": ["authentication.k8s.io"], "resources": ["users"], "verbs": ["impersonate:user-info"]},
                {"nonResourceURLs": ["/version"], "verbs": ["impersonate-on:user-info:get"]},
            ]))
            .until_robot_is("carl", "/version")
            .get("/apis")
            .by_robot()
            .acting_as("carl")
            .post(WHO, json!({}))
            .by_robot()
            .acting_as("carl"),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    let mut all = requests();
    all.extend(lives());
    all.extend(impersonation());
    all
}
