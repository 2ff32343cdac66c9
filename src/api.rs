//! The words the rest of the program is written in: group, labels, annotations, field managers, kinds.
//! Layer 0: no I/O, no clock, no client.

pub mod condition;
pub mod customer;
pub mod instance;
pub mod names;
pub mod payment_event;
pub mod plan;
pub mod reason;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::CustomResourceExt;

pub use condition::{Condition, ConditionType};
pub use customer::{Customer, CustomerSpec, CustomerStatus, Standing};
pub use instance::{Instance, InstanceSpec, InstanceStatus, Power};
pub use names::{Hostname, InstallationName, ProjectName, ServerName, Subdomain, Uid};
pub use payment_event::{PaymentEvent, PaymentEventSpec, PaymentEventStatus};
pub use plan::{Placement, Plan, PlanSpec, PlanStatus};
pub use reason::Reason;

pub const GROUP: &str = "clawdet.com";
pub const VERSION: &str = "v1alpha1";
/// Keeps an object until everything bought for it is seen gone.
pub const FINALIZER: &str = "clawdet.com/cleanup";

/// Which installation of Clawdet made an external thing (label at Hetzner, comment at Cloudflare).
pub const LABEL_INSTALLATION: &str = "clawdet.com/installation";
/// The uid of the Instance that an external thing belongs to.
pub const LABEL_INSTANCE_UID: &str = "clawdet.com/instance-uid";
/// Always `clawdet`; lets a person filter the provider's own console.
pub const LABEL_MANAGED_BY: &str = "clawdet.com/managed-by";
/// The value of [`LABEL_MANAGED_BY`].
pub const MANAGED_BY: &str = "clawdet";

/// On an Instance: the project its server is bought in, written before the first order (intent, not
/// status): a name is unique per project only, so the project must be settled first.
pub const ANNOTATION_PROJECT: &str = "clawdet.com/project";
/// On an Instance: `<project>/<id>` of the server we saw as ours; removing it records its loss.
pub const ANNOTATION_SERVER: &str = "clawdet.com/server";

/// On a Customer: the name of the Instance that was made for what they bought; it is never made again,
/// also when a person has deleted it since.
pub const ANNOTATION_DELIVERED: &str = "clawdet.com/delivered";

/// Field manager of the web front end and the payment ledger (writes `spec`).
pub const MANAGER_WEB: &str = "web";
/// Field manager of the controllers (writes `status`, finalizers and annotations).
pub const MANAGER_OPERATOR: &str = "operator";

/// The definitions of every kind, by plural name.
pub fn definitions() -> Vec<CustomResourceDefinition> {
    vec![
        Customer::crd(),
        Instance::crd(),
        PaymentEvent::crd(),
        Plan::crd(),
    ]
}

/// One definition as YAML, as it is kept in `crds/<plural>.yaml`.
pub fn definition_yaml(crd: &CustomResourceDefinition) -> Result<String, serde_yaml_ng::Error> {
    serde_yaml_ng::to_string(crd)
}
