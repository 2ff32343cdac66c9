//! Room: who may do what: roles and bindings, refusals, impersonation, escalation, reviews.

use serde_json::{Value, json};

use super::sequence::{Sequence, Who, map, seq};

const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const ROLES: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/roles";
const BINDINGS: &str = "/apis/rbac.authorization.k8s.io/v1/namespaces/{ns}/rolebindings";
const REVIEWS: &str = "/apis/authorization.k8s.io/v1";
const WHO: &str = "/apis/authentication.k8s.io/v1/selfsubjectreviews";

/// A role, or with no rules one that has none.
fn role(name: &str, rules: Value) -> Value {
    json!({"metadata": {"name": name}, "rules": rules})
}

fn rule(group: &str, resource: &str, verbs: &[&str]) -> Value {
    json!({"apiGroups": [group], "resources": [resource], "verbs": verbs})
}

fn binding(name: &str, kind: &str, role: &str, user: &str) -> Value {
    json!({
        "metadata": {"name": name},
        "roleRef": {"kind": kind, "name": role},
        "subjects": [{"kind": "User", "name": user}],
    })
}

impl Sequence {
    /// The last request, made as somebody else.
    pub(super) fn acting_as(self, user: &str) -> Self {
        self.with("impersonate-user", user)
    }

    /// Lets a user do that in the namespace.
    fn allowed(self, user: &str, rules: Value) -> Self {
        self.post(ROLES, role(user, rules))
            .post(BINDINGS, binding(user, "Role", user, user))
    }
}

fn refusals() -> Vec<Sequence> {
    let asked = [
        ("GET", "{maps}"),
        ("GET", "{maps}?watch=true"),
        ("GET", "{maps}/a"),
        ("GET", "{maps}/a/status"),
        ("GET", "{maps}?fieldSelector=metadata.name%3Dq"),
        ("GET", "/api/v1/configmaps"),
        ("GET", "/api/v1/watch/configmaps"),
        ("GET", "/api/v1/namespaces"),
        ("GET", "/api/v1/namespaces/{ns}"),
        ("GET", "/api/v1/namespaces/{ns}/status"),
        ("GET", "/apis/nope.example/v1/namespaces/{ns}/things/x/y"),
        ("GET", "/apis/nope.example/v1"),
        ("GET", "/nope/and/more"),
        ("GET", "/"),
        ("POST", "{maps}"),
        ("PUT", "{maps}/a"),
        ("PATCH", "{maps}/a"),
        ("DELETE", "{maps}/a"),
        ("DELETE", "{maps}"),
        ("OPTIONS", "{maps}"),
    ];
    let one = |(method, path): (&'static str, &str)| {
        let sentence = format!("a stranger is refused in so many words: {method} {path}");
        seq(sentence)
            .ask(method, path, super::sequence::Body::None)
            .acting_as("strange & <new>")
    };
    let mut all: Vec<Sequence> = asked.into_iter().map(one).collect();
    all.push(
        seq("without a token one is anonymous and may see how the server is")
            .get("/healthz")
            .by(Who::Nobody)
            .get("{maps}")
            .by(Who::Nobody)
            .get("/apis")
            .by(Who::Nobody)
            .get("/version")
            .shown(|_| Value::Null)
            .by(Who::Nobody),
    );
    all.push(
        seq("a wrong token is refused everywhere, and other ways to show oneself are none")
            .get("{maps}")
            .by(Who::Token("wrong".to_owned()))
            .get("/healthz")
            .by(Who::Token("wrong".to_owned()))
            .get("{maps}")
            .with("authorization", "Basic YTpi"),
    );
    all
}

fn rules() -> Vec<Sequence> {
    let maps = |verbs: &[&str]| json!([rule("", "configmaps", verbs)]);
    vec![
        seq("what a role allows goes, and nothing else")
            .allowed("ann", maps(&["get", "create"]))
            .until_allowed("ann", "{maps}/a", true)
            .post("{maps}", map("a", json!({})))
            .acting_as("ann")
            .get("{maps}/a")
            .acting_as("ann")
            .get("{maps}")
            .acting_as("ann")
            .delete("{maps}/a")
            .acting_as("ann")
            .get("{secrets}/a")
            .acting_as("ann")
            .get("/api/v1/namespaces/default/configmaps/a")
            .acting_as("ann"),
        seq("a subresource is its own thing, and a star before it is any of them")
            .allowed("ann", json!([rule("", "*/status", &["get"])]))
            .until_allowed("ann", "/api/v1/namespaces/{ns}/status", true)
            .get("/api/v1/namespaces/{ns}")
            .acting_as("ann")
            .get("/api/v1/namespaces/{ns}/pods/x/log")
            .acting_as("ann"),
        seq("names narrow a rule, also for the list of just that one")
            .allowed(
                "ann",
                json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get", "list"],
                    "resourceNames": ["a"]}]),
            )
            .until_allowed("ann", "{maps}/a", true)
            .get("{maps}/b")
            .acting_as("ann")
            .get("{maps}")
            .acting_as("ann")
            .get("{maps}?fieldSelector=metadata.name%3Da")
            .shown(|list| list["items"].clone())
            .acting_as("ann"),
    ]
}

fn subjects() -> Vec<Sequence> {
    let maps = |verbs: &[&str]| json!([rule("", "configmaps", verbs)]);
    vec![
        seq("groups and service accounts are subjects, too")
            .post(ROLES, role("reader", maps(&["get"])))
            .post(
                BINDINGS,
                json!({
                    "metadata": {"name": "reader"},
                    "roleRef": {"kind": "Role", "name": "reader"},
                    "subjects": [
                        {"kind": "Group", "name": "readers"},
                        {"kind": "ServiceAccount", "name": "robot"},
                    ],
                }),
            )
            .until_allowed("system:serviceaccount:{ns}:robot", "{maps}/a", true)
            .get("{maps}/a")
            .acting_as("system:serviceaccount:other:robot")
            .get("{maps}/a")
            .acting_as("ann")
            .with("impersonate-group", "readers"),
        seq("a binding that goes takes its rights along")
            .allowed("ann", maps(&["get"]))
            .until_allowed("ann", "{maps}/a", true)
            .delete(format!("{BINDINGS}/ann"))
            .until_allowed("ann", "{maps}/a", false)
            .get("{maps}/a")
            .acting_as("ann"),
        seq("a ClusterRole bound in a namespace holds there")
            .post(BINDINGS, binding("edit", "ClusterRole", "edit", "ann"))
            .until_allowed("ann", "{maps}", true)
            .post("{maps}", map("a", json!({})))
            .acting_as("ann")
            .get("/api/v1/configmaps")
            .acting_as("ann")
            .get(ROLES)
            .acting_as("ann"),
        seq("a binding to a role that is not there allows nothing and says so")
            .post(BINDINGS, binding("b", "Role", "nope", "ann"))
            .until_told("ann", "{maps}", "not found")
            .get("{maps}")
            .acting_as("ann"),
    ]
}

fn gathered() -> Vec<Sequence> {
    vec![
        seq("a ClusterRole gathers the rules of those it selects")
            .post(
                format!("{RBAC}/clusterroles"),
                json!({"metadata": {"name": "{ns}-part", "labels": {"{ns}": "yes"}},
                    "rules": [rule("", "configmaps", &["get"])]}),
            )
            .post(
                format!("{RBAC}/clusterroles"),
                json!({"metadata": {"name": "{ns}-whole"}, "aggregationRule": {
                    "clusterRoleSelectors": [{"matchLabels": {"{ns}": "yes"}}]}}),
            )
            .shown(|made| made["aggregationRule"].clone())
            .until(format!("{RBAC}/clusterroles/{{ns}}-whole"), |_, role| {
                role["rules"].is_array()
            })
            .get(format!("{RBAC}/clusterroles/{{ns}}-whole"))
            .post(BINDINGS, binding("b", "ClusterRole", "{ns}-whole", "ann"))
            .until_allowed("ann", "{maps}/a", true)
            .delete(format!("{RBAC}/clusterroles/{{ns}}-part"))
            .until_allowed("ann", "{maps}/a", false)
            .until(format!("{RBAC}/clusterroles/{{ns}}-whole"), |_, role| {
                !role["rules"].is_array()
            })
            .get(format!("{RBAC}/clusterroles/{{ns}}-whole"))
            .shown(|role| role["rules"].clone()),
    ]
}

fn roles() -> Vec<Sequence> {
    vec![
        seq("a role may be called anything that can stand in a path")
            .post(ROLES, role("a:B c", json!([])))
            .shown(|role| role["metadata"]["name"].clone())
            .post(ROLES, role("a%", json!([])))
            .post(ROLES, role("..", json!([])))
            .post(ROLES, json!({"metadata": {"name": "none"}}))
            .merge(format!("{ROLES}/none"), json!({"metadata": {"labels": {"a": "b"}}})),
        seq("a rule has verbs, groups and resources, or verbs and paths where there are paths").post(
            ROLES,
            role(
                "bad",
                json!([
                    {"verbs": []},
                    {"verbs": ["get"], "nonResourceURLs": ["/a"], "resources": ["b"]},
                    {"resources": [], "verbs": ["a"], "apiGroups": [""]},
                ]),
            ),
        ),
        seq("an aggregation rule selects something that can be selected")
            .post(
                format!("{RBAC}/clusterroles"),
                json!({"metadata": {"name": "{ns}"}, "aggregationRule": {"clusterRoleSelectors": []}}),
            )
            .post(
                format!("{RBAC}/clusterroles"),
                json!({"metadata": {"name": "{ns}"}, "aggregationRule": {"clusterRoleSelectors": [
                    {"matchLabels": {"a b": "c d"}},
                    {"matchExpressions": [
                        {"key": "", "operator": "X"},
                        {"key": "a", "operator": "In"},
                        {"key": "a", "operator": "Exists", "values": ["b"]},
                    ]},
                ]}}),
            ),
    ]
}

fn bindings() -> Vec<Sequence> {
    let bad_subjects = json!([
        {"kind": "User", "name": ""},
        {"kind": "ServiceAccount", "name": "A", "apiGroup": "x"},
        {"kind": "Group", "name": "a", "apiGroup": "y"},
        {"kind": "Z", "name": "a"},
        {"name": "a"},
    ]);
    vec![
        seq("a binding names a role and subjects there can be")
            .post(BINDINGS, json!({"metadata": {"name": "b"}}))
            .post(
                BINDINGS,
                json!({"metadata": {"name": "b"}, "subjects": bad_subjects,
                    "roleRef": {"apiGroup": "x", "kind": "X", "name": "a/b"}}),
            )
            .post(
                format!("{RBAC}/clusterrolebindings"),
                json!({"metadata": {"name": "{ns}"}, "roleRef": {"kind": "Role", "name": "x"},
                    "subjects": [{"kind": "ServiceAccount", "name": "a"}]}),
            ),
        seq("which role a binding gives never changes")
            .post(BINDINGS, binding("b", "Role", "x", "ann"))
            .merge(format!("{BINDINGS}/b"), json!({"roleRef": {"name": "y"}}))
            .merge(format!("{BINDINGS}/b"), json!({"roleRef": null}))
            .merge(format!("{BINDINGS}/b"), json!({"subjects": null})),
        seq("roles and bindings have their tables")
            .post(ROLES, role("r", json!([rule("", "configmaps", &["get"])])))
            .post(BINDINGS, binding("b", "Role", "r", "ann"))
            .get(BINDINGS)
            .accept("application/json;as=Table;v=v1;g=meta.k8s.io")
            .shown(columns_and_cells)
            .get(format!("{ROLES}?includeObject=None"))
            .accept("application/json;as=Table;v=v1;g=meta.k8s.io")
            .shown(columns),
        seq("the roles of every cluster are there")
            .get(format!("{RBAC}/clusterroles/cluster-admin"))
            .get(format!("{RBAC}/clusterroles/system:discovery"))
            .get(format!("{RBAC}/clusterroles/system:aggregate-to-edit"))
            .until(format!("{RBAC}/clusterroles/admin"), |_, role| {
                role["rules"]
                    .as_array()
                    .is_some_and(|rules| rules.len() > 20)
            })
            .get(format!("{RBAC}/clusterroles/view"))
            .get(format!(
                "{RBAC}/clusterrolebindings/system:public-info-viewer"
            )),
    ]
}

fn columns(table: Value) -> Value {
    let columns = table["columnDefinitions"].as_array().cloned();
    let columns = columns.unwrap_or_default().into_iter();
    columns
        .map(|column| {
            json!([
                column["name"],
                column["type"],
                column["format"],
                column["priority"]
            ])
        })
        .collect()
}

/// The cells without the age.
fn columns_and_cells(table: Value) -> Value {
    let mut cells = table["rows"][0]["cells"].clone();
    cells[2] = Value::Null;
    json!([columns(table), cells])
}

fn escalation() -> Vec<Sequence> {
    let granter = || {
        json!([
            rule(
                "rbac.authorization.k8s.io",
                "roles",
                &["create", "update", "patch", "get"]
            ),
            rule(
                "rbac.authorization.k8s.io",
                "rolebindings",
                &["create", "patch", "get"]
            ),
            rule("", "configmaps", &["get", "list"]),
        ])
    };
    vec![
        seq("nobody makes a role of rights they lack")
            .allowed("gran", granter())
            .until_allowed("gran", format!("{ROLES}/x"), true)
            .post(ROLES, role("r1", json!([rule("", "configmaps", &["get"])])))
            .acting_as("gran")
            .post(
                ROLES,
                role(
                    "r2",
                    json!([
                        {"apiGroups": ["", "x"], "resources": ["configmaps", "secrets"], "verbs": ["get", "delete"]},
                        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a", "b"], "verbs": ["get"]},
                    ]),
                ),
            )
            .acting_as("gran")
            .post(ROLES, role("r3", json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": []}])))
            .acting_as("gran")
            .put(format!("{ROLES}/r4"), role("r4", json!([rule("", "secrets", &["get"])])))
            .acting_as("gran")
            .merge(format!("{ROLES}/r1"), json!({"rules": [rule("", "secrets", &["get"])]}))
            .acting_as("gran")
            .merge(format!("{ROLES}/r1"), json!({"metadata": {"labels": {"a": "b"}}}))
            .acting_as("gran"),
        seq("nobody binds a role of rights they lack")
            .allowed("gran", granter())
            .until_allowed("gran", format!("{ROLES}/x"), true)
            .post(BINDINGS, binding("b1", "Role", "nope", "x"))
            .acting_as("gran")
            .post(BINDINGS, binding("b1", "X", "nope", "x"))
            .acting_as("gran")
            .post(BINDINGS, binding("b1", "ClusterRole", "cluster-admin", "x"))
            .acting_as("gran")
            .post(BINDINGS, binding("b1", "Role", "gran", "x"))
            .acting_as("gran"),
        seq("the verbs escalate and bind are leave to do so")
            .allowed(
                "gran",
                json!([
                    rule("rbac.authorization.k8s.io", "roles", &["create", "escalate", "get"]),
                    rule("rbac.authorization.k8s.io", "rolebindings", &["create"]),
                    {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["clusterroles"],
                        "resourceNames": ["view"], "verbs": ["bind"]},
                ]),
            )
            .until_allowed("gran", format!("{ROLES}/x"), true)
            .post(ROLES, role("r1", json!([rule("*", "*", &["*"])])))
            .acting_as("gran")
            .post(BINDINGS, binding("b1", "ClusterRole", "view", "x"))
            .acting_as("gran")
            .post(BINDINGS, binding("b2", "ClusterRole", "edit", "x"))
            .acting_as("gran")
            .shown(|refusal| refusal["code"].clone()),
    ]
}

fn impersonation() -> Vec<Sequence> {
    let as_robot = "system:serviceaccount:{ns}:robot";
    vec![
        seq("whoever may impersonate is that user, with the groups that go without saying")
            .post(WHO, json!({}))
            .acting_as("bob")
            .post(WHO, json!({}))
            .acting_as("bob")
            .with("impersonate-group", "g1")
            .with("impersonate-uid", "u1")
            .with("impersonate-extra-scopes", "a")
            .with("impersonate-extra-acme.com%2fproject", "c")
            .post(WHO, json!({}))
            .acting_as(as_robot)
            .post(WHO, json!({}))
            .acting_as("system:anonymous"),
        seq("a group without a user is a mistake")
            .post(WHO, json!({}))
            .with("impersonate-group", "g1")
            .post(WHO, json!({}))
            .with("impersonate-uid", "u1")
            .with("impersonate-extra-a", "b"),
    ]
}

fn reviews() -> Vec<Sequence> {
    let mine = format!("{REVIEWS}/selfsubjectaccessreviews");
    let anybody = format!("{REVIEWS}/subjectaccessreviews");
    let local = format!("{REVIEWS}/namespaces/{{ns}}/localsubjectaccessreviews");
    let on = |verb: &str, resource: &str| json!({"namespace": "{ns}", "verb": verb, "resource": resource});
    let ann =
        |attributes: Value| json!({"spec": {"user": "ann", "resourceAttributes": attributes}});
    let reader = || json!([rule("", "configmaps", &["get", "list"])]);
    vec![
        seq("what somebody may do can be asked, and why")
            .allowed("ann", reader())
            .until_allowed("ann", "{maps}", true)
            .post(&*mine, json!({"spec": {"resourceAttributes": on("list", "configmaps")}}))
            .acting_as("ann")
            .post(&*mine, json!({"spec": {"resourceAttributes": on("list", "secrets")}}))
            .acting_as("ann")
            .post(&*anybody, ann(on("get", "configmaps")))
            .post(&*anybody, ann(on("create", "configmaps")))
            .post(&*local, ann(on("get", "configmaps")))
            .post(&*local, ann(json!({"namespace": "other", "verb": "get", "resource": "configmaps"})))
            .post(&*anybody, ann(on("get", "configmaps")))
            .acting_as("ann"),
        seq("paths can be asked about, too")
            .post(&*mine, json!({"spec": {"nonResourceAttributes": {"verb": "get", "path": "/x"}}}))
            .acting_as("ann")
            .post(
                &*anybody,
                json!({"spec": {"user": "ann", "groups": ["system:masters"], "extra": {"a": ["b"]}, "uid": "x",
                    "nonResourceAttributes": {"verb": "get", "path": "/x"}}}),
            ),
        seq("a question asks one thing of somebody")
            .post(&*anybody, json!({}))
            .post(&*anybody, json!({"spec": {"resourceAttributes": on("get", "configmaps")}}))
            .post(
                &*anybody,
                json!({"spec": {"user": "a", "resourceAttributes": on("get", "configmaps"),
                    "nonResourceAttributes": {"verb": "get", "path": "/x"}}}),
            )
            .post(&*local, json!({"spec": {"user": "a", "nonResourceAttributes": {"verb": "get", "path": "/x"}}}))
            .post(&*mine, json!({"spec": {"resourceAttributes": {"verb": "get", "odd": 1}}}))
            .get(&*local)
            .post(format!("{REVIEWS}/localsubjectaccessreviews"), json!({})),
        seq("selectors that cannot be read are left out, and said so")
            .post(
                &*mine,
                json!({"spec": {"resourceAttributes": {"verb": "list", "resource": "configmaps",
                    "labelSelector": {"rawSelector": "a b c"}}}}),
            )
            .post(
                &*mine,
                json!({"spec": {"resourceAttributes": {"verb": "list", "resource": "configmaps",
                    "fieldSelector": {}}}}),
            ),
        seq("one's rules in a namespace can be asked for")
            .allowed("ann", reader())
            .until_allowed("ann", "{maps}", true)
            .post(
                format!("{REVIEWS}/selfsubjectrulesreviews"),
                json!({"spec": {"namespace": "{ns}"}}),
            )
            .acting_as("ann")
            .shown(sorted_rules)
            .post(format!("{REVIEWS}/selfsubjectrulesreviews"), json!({}))
            .acting_as("ann"),
    ]
}

/// A real server's are in the order of a hash map.
fn sorted_rules(mut review: Value) -> Value {
    for rules in ["resourceRules", "nonResourceRules"] {
        if let Some(rules) = review["status"][rules].as_array_mut() {
            rules.sort_by_key(Value::to_string);
        }
    }
    review
}

pub(super) fn sequences() -> Vec<Sequence> {
    let mut all = refusals();
    all.extend(rules());
    all.extend(subjects());
    all.extend(gathered());
    all.extend(roles());
    all.extend(bindings());
    all.extend(escalation());
    all.extend(impersonation());
    all.extend(reviews());
    all
}
