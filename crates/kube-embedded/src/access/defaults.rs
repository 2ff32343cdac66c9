//! The roles and bindings every cluster has from the start: made if they are not there.
//!
//! What they allow are the facts of k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy,
//! as a 1.37 server shows them; those for components that are not here are left out.

use futures::future::try_join_all;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::GROUP;
use crate::cluster::Cluster;
use crate::furnish;
use crate::status::Failure;

const ROLES: &str = include_str!("defaults.yaml");
const MANAGER: &str = "kube-apiserver";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Role {
    name: String,
    #[serde(default)]
    rules: Vec<Value>,
    /// Whose rules it gathers: those labelled `aggregate-to-<this>`.
    gathers: Option<String>,
    /// Who gathers it.
    gathered_by: Option<String>,
    /// The groups it is bound to.
    #[serde(default)]
    groups: Vec<String>,
}

impl Role {
    fn metadata(&self) -> Value {
        json!({
            "name": self.name,
            "labels": { "kubernetes.io/bootstrapping": "rbac-defaults" },
            "annotations": { "rbac.authorization.kubernetes.io/autoupdate": "true" },
        })
    }

    fn role(&self) -> Value {
        let label = |name: &String| format!("{GROUP}/aggregate-to-{name}");
        let mut role = json!({ "metadata": self.metadata(), "rules": self.rules });
        if let Some(by) = &self.gathered_by {
            role["metadata"]["labels"][label(by)] = "true".into();
        }
        if let Some(gathers) = &self.gathers {
            let labels = Map::from_iter([(label(gathers), "true".into())]);
            role["aggregationRule"] =
                json!({ "clusterRoleSelectors": [{ "matchLabels": labels }] });
            role["rules"] = Value::Null;
        }
        role
    }

    fn binding(&self) -> Option<Value> {
        let subject = |name: &String| json!({ "kind": "Group", "apiGroup": GROUP, "name": name });
        let subjects: Vec<Value> = self.groups.iter().map(subject).collect();
        (!subjects.is_empty()).then(|| {
            json!({
                "metadata": self.metadata(),
                "subjects": subjects,
                "roleRef": { "apiGroup": GROUP, "kind": "ClusterRole", "name": self.name },
            })
        })
    }
}

/// Makes those that are missing.
pub(crate) async fn start(cluster: &Cluster) -> Result<(), Failure> {
    let roles: Vec<Role> = serde_yaml_ng::from_str(ROLES)
        .map_err(|error| Failure::Internal(format!("the first roles cannot be read: {error}")))?;
    let roles_made = roles.iter().map(|role| ("clusterroles", role.role()));
    let bindings = roles.iter().filter_map(Role::binding);
    let bindings = bindings.map(|binding| ("clusterrolebindings", binding));
    let made = roles_made.chain(bindings).map(|(plural, object)| {
        furnish::make_if_missing(cluster, [GROUP, "v1", plural], object, MANAGER)
    });
    // At once, so that a journal keeps them in one commit.
    try_join_all(made).await?;
    super::gather(cluster).await;
    Ok(())
}
