//! Which kinds are read in the binary form, and how their fields are numbered: what kubectl's `create`
//! commands send.
//!
//! The numbers are those of the `generated.proto` files of k8s.io/api and k8s.io/apimachinery.

use super::{Holds, Message, field};

static OWNER: Message = Message {
    fields: &[
        field(1, "kind", Holds::Text),
        field(3, "name", Holds::Text),
        field(4, "uid", Holds::Text),
        field(5, "apiVersion", Holds::Text),
        field(6, "controller", Holds::Flag),
        field(7, "blockOwnerDeletion", Holds::Flag),
    ],
};

pub(super) static METADATA: Message = Message {
    fields: &[
        field(1, "name", Holds::Text),
        field(2, "generateName", Holds::Text),
        field(3, "namespace", Holds::Text),
        field(5, "uid", Holds::Text),
        field(6, "resourceVersion", Holds::Text),
        field(7, "generation", Holds::Number),
        field(8, "creationTimestamp", Holds::Time),
        field(9, "deletionTimestamp", Holds::Time),
        field(10, "deletionGracePeriodSeconds", Holds::SentNumber),
        field(11, "labels", Holds::TextMap),
        field(12, "annotations", Holds::TextMap),
        field(13, "ownerReferences", Holds::Insides(&OWNER)),
        field(14, "finalizers", Holds::Texts),
    ],
};

static CONFIG_MAP: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(2, "data", Holds::TextMap),
        field(3, "binaryData", Holds::BytesMap),
        field(4, "immutable", Holds::Flag),
    ],
};

static SECRET: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(2, "data", Holds::BytesMap),
        field(3, "type", Holds::Text),
        field(4, "stringData", Holds::TextMap),
        field(5, "immutable", Holds::Flag),
    ],
};

static NAMESPACE: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(
            2,
            "spec",
            Holds::Inside(&Message {
                fields: &[field(1, "finalizers", Holds::Texts)],
            }),
        ),
        field(
            3,
            "status",
            Holds::Inside(&Message {
                fields: &[field(1, "phase", Holds::Text)],
            }),
        ),
    ],
};

static REFERENCE: Message = Message {
    fields: &[
        field(1, "kind", Holds::Text),
        field(2, "namespace", Holds::Text),
        field(3, "name", Holds::Text),
        field(4, "uid", Holds::Text),
        field(5, "apiVersion", Holds::Text),
        field(6, "resourceVersion", Holds::Text),
        field(7, "fieldPath", Holds::Text),
    ],
};

static SERVICE_ACCOUNT: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(2, "secrets", Holds::Insides(&REFERENCE)),
        field(
            3,
            "imagePullSecrets",
            Holds::Insides(&Message {
                fields: &[field(1, "name", Holds::Text)],
            }),
        ),
        field(4, "automountServiceAccountToken", Holds::Flag),
    ],
};

static LEASE: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(
            2,
            "spec",
            Holds::Inside(&Message {
                fields: &[
                    field(1, "holderIdentity", Holds::Text),
                    field(2, "leaseDurationSeconds", Holds::SentNumber),
                    field(3, "acquireTime", Holds::MicroTime),
                    field(4, "renewTime", Holds::MicroTime),
                    field(5, "leaseTransitions", Holds::SentNumber),
                ],
            }),
        ),
    ],
};

static DELETE_OPTIONS: Message = Message {
    fields: &[
        field(1, "gracePeriodSeconds", Holds::SentNumber),
        field(
            2,
            "preconditions",
            Holds::Inside(&Message {
                fields: &[
                    field(1, "uid", Holds::Text),
                    field(2, "resourceVersion", Holds::Text),
                ],
            }),
        ),
        field(3, "orphanDependents", Holds::Flag),
        field(4, "propagationPolicy", Holds::Text),
        field(5, "dryRun", Holds::Texts),
    ],
};

static ACCESS_REVIEW: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(
            2,
            "spec",
            Holds::Inside(&Message {
                fields: &[
                    field(
                        1,
                        "resourceAttributes",
                        Holds::Inside(&Message {
                            fields: &[
                                field(1, "namespace", Holds::Text),
                                field(2, "verb", Holds::Text),
                                field(3, "group", Holds::Text),
                                field(4, "version", Holds::Text),
                                field(5, "resource", Holds::Text),
                                field(6, "subresource", Holds::Text),
                                field(7, "name", Holds::Text),
                            ],
                        }),
                    ),
                    field(
                        2,
                        "nonResourceAttributes",
                        Holds::Inside(&Message {
                            fields: &[field(1, "path", Holds::Text), field(2, "verb", Holds::Text)],
                        }),
                    ),
                ],
            }),
        ),
    ],
};

static RULES_REVIEW: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(
            2,
            "spec",
            Holds::Inside(&Message {
                fields: &[field(1, "namespace", Holds::Text)],
            }),
        ),
    ],
};

static POLICY_RULE: Message = Message {
    fields: &[
        field(1, "verbs", Holds::Texts),
        field(2, "apiGroups", Holds::Texts),
        field(3, "resources", Holds::Texts),
        field(4, "resourceNames", Holds::Texts),
        field(5, "nonResourceURLs", Holds::Texts),
    ],
};

static ROLE: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(2, "rules", Holds::Insides(&POLICY_RULE)),
    ],
};

static LABEL_SELECTOR: Message = Message {
    fields: &[
        field(1, "matchLabels", Holds::TextMap),
        field(
            2,
            "matchExpressions",
            Holds::Insides(&Message {
                fields: &[
                    field(1, "key", Holds::Text),
                    field(2, "operator", Holds::Text),
                    field(3, "values", Holds::Texts),
                ],
            }),
        ),
    ],
};

static CLUSTER_ROLE: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(2, "rules", Holds::Insides(&POLICY_RULE)),
        field(
            3,
            "aggregationRule",
            Holds::Inside(&Message {
                fields: &[field(
                    1,
                    "clusterRoleSelectors",
                    Holds::Insides(&LABEL_SELECTOR),
                )],
            }),
        ),
    ],
};

/// Of a namespace and of the cluster alike.
static BINDING: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(
            2,
            "subjects",
            Holds::Insides(&Message {
                fields: &[
                    field(1, "kind", Holds::Text),
                    field(2, "apiGroup", Holds::Text),
                    field(3, "name", Holds::Text),
                    field(4, "namespace", Holds::Text),
                ],
            }),
        ),
        field(
            3,
            "roleRef",
            Holds::Inside(&Message {
                fields: &[
                    field(1, "apiGroup", Holds::Text),
                    field(2, "kind", Holds::Text),
                    field(3, "name", Holds::Text),
                ],
            }),
        ),
    ],
};

static TOKEN_REQUEST: Message = Message {
    fields: &[
        field(1, "metadata", Holds::Inside(&METADATA)),
        field(
            2,
            "spec",
            Holds::Inside(&Message {
                fields: &[
                    field(1, "audiences", Holds::Texts),
                    field(
                        3,
                        "boundObjectRef",
                        Holds::Inside(&Message {
                            fields: &[
                                field(1, "kind", Holds::Text),
                                field(2, "apiVersion", Holds::Text),
                                field(3, "name", Holds::Text),
                                field(4, "uid", Holds::Text),
                            ],
                        }),
                    ),
                    field(4, "expirationSeconds", Holds::SentNumber),
                ],
            }),
        ),
    ],
};

static SELF_REVIEW: Message = Message {
    fields: &[field(1, "metadata", Holds::Inside(&METADATA))],
};

/// The message of a kind that is read in this form.
pub(super) fn known(version: &str, kind: &str) -> Option<&'static Message> {
    Some(match (version, kind) {
        ("v1", "ConfigMap") => &CONFIG_MAP,
        ("v1", "Secret") => &SECRET,
        ("v1", "Namespace") => &NAMESPACE,
        ("v1", "ServiceAccount") => &SERVICE_ACCOUNT,
        ("coordination.k8s.io/v1", "Lease") => &LEASE,
        ("authorization.k8s.io/v1", "SelfSubjectAccessReview") => &ACCESS_REVIEW,
        ("authorization.k8s.io/v1", "SelfSubjectRulesReview") => &RULES_REVIEW,
        ("authentication.k8s.io/v1", "SelfSubjectReview") => &SELF_REVIEW,
        ("authentication.k8s.io/v1", "TokenRequest") => &TOKEN_REQUEST,
        ("rbac.authorization.k8s.io/v1", "Role") => &ROLE,
        ("rbac.authorization.k8s.io/v1", "ClusterRole") => &CLUSTER_ROLE,
        ("rbac.authorization.k8s.io/v1", "RoleBinding" | "ClusterRoleBinding") => &BINDING,
        (_, "DeleteOptions") => &DELETE_OPTIONS,
        _ => return None,
    })
}
