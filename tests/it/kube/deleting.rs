//! Room: deletion: preconditions, finalizers, many at once.

use serde_json::json;

use super::sequence::{Sequence, map, seq, thing, things};

fn one() -> Vec<Sequence> {
    vec![
        seq("what is deleted is gone")
            .post("{maps}", map("a", json!({})))
            .delete("{maps}/a")
            .get("{maps}/a")
            .delete("{maps}/a"),
        seq("a custom object is gone, too")
            .defined(things(
                json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            ))
            .post("{things}", thing("a", json!({})))
            .delete("{things}/a")
            .get("{things}/a")
            .delete("{things}/a"),
        seq("preconditions hold or nothing is deleted")
            .post("{maps}", map("a", json!({})))
            .keep("uid", "/metadata/uid")
            .keep("version", "/metadata/resourceVersion")
            .delete_with("{maps}/a", json!({"preconditions": {"uid": "another"}}))
            .delete_with(
                "{maps}/a",
                json!({"preconditions": {"uid": "{uid}", "resourceVersion": "1"}}),
            )
            .get("{maps}/a")
            .delete_with(
                "{maps}/a",
                json!({"preconditions": {"uid": "{uid}", "resourceVersion": "{version}"}}),
            ),
        seq("a deletion has options")
            .post("{maps}", map("a", json!({})))
            .delete_with("{maps}/a", json!({"dryRun": ["All"]}))
            .delete_with("{maps}/a", json!({"dryRun": ["Some"]}))
            .delete_with(
                "{maps}/a",
                json!({"gracePeriodSeconds": -5, "dryRun": ["All"]}),
            )
            .delete_with("{maps}/a", json!({"propagationPolicy": "Odd"}))
            .delete_with(
                "{maps}/a",
                json!({"kind": "DeleteOptions", "apiVersion": "v1", "odd": 1, "dryRun": ["All"]}),
            )
            .delete_with("{maps}/a", json!({"kind": "ConfigMap", "apiVersion": "v1"}))
            .delete("{maps}/a?gracePeriodSeconds=0"),
    ]
}

fn held() -> Vec<Sequence> {
    vec![
        seq("a finalizer holds an object until it is taken away")
            .post(
                "{maps}",
                json!({"metadata": {"name": "a", "finalizers": ["x.y/z", "x.y/w"]}}),
            )
            .delete("{maps}/a")
            .delete("{maps}/a")
            .merge(
                "{maps}/a",
                json!({"metadata": {"finalizers": ["x.y/w", "x.y/new"]}}),
            )
            .merge("{maps}/a", json!({"data": {"k": "v"}}))
            .merge("{maps}/a", json!({"metadata": {"deletionTimestamp": null}}))
            .post("{maps}", map("a", json!({})))
            .merge("{maps}/a", json!({"metadata": {"finalizers": []}}))
            .get("{maps}/a"),
        seq("a custom object's finalizer counts a generation")
            .defined(things(
                json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            ))
            .post("{things}", thing("a", json!({})))
            .merge("{things}/a", json!({"metadata": {"finalizers": ["x.y/z"]}}))
            .delete("{things}/a")
            .merge(
                "{things}/a",
                json!({"metadata": {"finalizers": ["x.y/z", "x.y/new"]}}),
            )
            .merge("{things}/a", json!({"metadata": {"finalizers": []}}))
            .get("{things}/a"),
    ]
}

fn many() -> Vec<Sequence> {
    vec![
        seq("a collection is deleted by selection")
            .post(
                "{maps}",
                json!({"metadata": {"name": "a", "labels": {"x": "1"}}}),
            )
            .post(
                "{maps}",
                json!({"metadata": {"name": "b", "labels": {"x": "1"}, "finalizers": ["x.y/z"]}}),
            )
            .post("{maps}", json!({"metadata": {"name": "c"}}))
            .delete("{maps}?labelSelector=x%3D1&dryRun=All")
            .delete("{maps}?labelSelector=x%3D1")
            .get("{maps}")
            .delete("{maps}?fieldSelector=metadata.name%3Dc")
            .merge("{maps}/b", json!({"metadata": {"finalizers": null}}))
            .delete("{maps}")
            .get("{maps}"),
        seq("a collection of a custom kind is, too")
            .defined(things(json!({"type": "object"})))
            .post("{things}", thing("a", json!({})))
            .post("{things}", thing("b", json!({})))
            .delete("{things}?limit=1")
            .delete("{things}")
            .get("{things}"),
        seq("what cannot be deleted as a collection says so")
            .delete("/api/v1/namespaces")
            .delete("/api/v1/configmaps"),
    ]
}

pub(super) fn sequences() -> Vec<Sequence> {
    [one(), held(), many()].into_iter().flatten().collect()
}
