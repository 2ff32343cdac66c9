"""What a controller's author does with Kubernetes' own Python library. Each thing done prints a line of JSON: what it was,
and what came of it, without uids, versions and times. Which server it is, the kubeconfig says: the lines must not."""

import json
import sys
import threading

from kubernetes import client, config, dynamic, watch
from kubernetes.client.exceptions import ApiException
from kubernetes.leaderelection import electionconfig, leaderelection
from kubernetes.leaderelection.resourcelock.leaselock import LeaseLock

NAMESPACE = "python-session"
GROUP = "python.example.dev"
OF_THE_MOMENT = {
    "uid", "resourceVersion", "creationTimestamp", "deletionTimestamp", "lastTransitionTime", "time",
    "acquireTime", "renewTime", "continue", "eventTime", "firstTimestamp", "lastTimestamp",
}
# More than the events that the servers of this test remember.
MANY = 80

config.load_kube_config(sys.argv[1])
plain = client.ApiClient()
core = client.CoreV1Api()
custom = client.CustomObjectsApi()


def comparable(value):
    if isinstance(value, dict):
        got = {
            key: f"<{key}>" if key in OF_THE_MOMENT and part else comparable(part)
            for key, part in value.items()
        }
        if got.get("managedFields"):
            # Their order is that of the seconds in which they wrote.
            got["managedFields"].sort(key=lambda one: (one["manager"], one["operation"], one.get("subresource", "")))
        return got
    if isinstance(value, list):
        return [comparable(part) for part in value]
    return value


def tell(did, got):
    if hasattr(got, "to_dict") and not hasattr(got, "openapi_types"):
        got = got.to_dict()
    got = plain.sanitize_for_serialization(got)
    print(json.dumps({"did": did, "got": comparable(got)}, sort_keys=True), flush=True)


def attempt(did, work, *arguments, **named):
    """Tells what came of it, also when it was refused; returns it when it was not."""
    try:
        got = work(*arguments, **named)
    except ApiException as refused:
        said = json.loads(refused.body)
        tell(did, {"code": refused.status, "reason": said["reason"], "message": said["message"],
                   "details": said.get("details")})
        return None
    tell(did, got)
    return got


def skiffs(verb):
    """A verb of the custom objects' part of the library, for skiffs."""
    work = getattr(custom, f"{verb}_namespaced_custom_object")
    return lambda *arguments, **named: work(GROUP, "v1", NAMESPACE, "skiffs", *arguments, **named)


def skiff(name, **spec):
    return {"apiVersion": f"{GROUP}/v1", "kind": "Skiff", "metadata": {"name": name}, "spec": spec}


def core_objects():
    attempt("make a namespace", core.create_namespace, {"metadata": {"name": NAMESPACE}})
    words = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="words", labels={"part": "one"}),
                               data={"one": "1"})
    made = attempt("make a map", core.create_namespaced_config_map, NAMESPACE, words)
    attempt("make it again", core.create_namespaced_config_map, NAMESPACE, words)
    attempt("read it", core.read_namespaced_config_map, "words", NAMESPACE)
    attempt("read another", core.read_namespaced_config_map, "deeds", NAMESPACE)
    attempt("patch it", core.patch_namespaced_config_map, "words", NAMESPACE, {"data": {"two": "2"}})
    attempt("patch it by operations", core.patch_namespaced_config_map, "words", NAMESPACE,
            [{"op": "add", "path": "/data/three", "value": "3"}])
    attempt("replace it as it was", core.replace_namespaced_config_map, "words", NAMESPACE, made)
    attempt("list maps by label", core.list_namespaced_config_map, NAMESPACE, label_selector="part=one")
    attempt("list maps by a wrong label", core.list_namespaced_config_map, NAMESPACE, label_selector="part in (")
    attempt("delete it on trial", core.delete_namespaced_config_map, "words", NAMESPACE, dry_run="All")
    attempt("delete it", core.delete_namespaced_config_map, "words", NAMESPACE)
    secret = client.V1Secret(metadata=client.V1ObjectMeta(name="keys"), string_data={"door": "open"}, immutable=True)
    attempt("make a secret", core.create_namespaced_secret, NAMESPACE, secret)
    attempt("change what cannot change", core.patch_namespaced_secret, "keys", NAMESPACE,
            {"stringData": {"door": "shut"}})
    attempt("make a service account", core.create_namespaced_service_account, NAMESPACE, {"metadata": {"name": "robot"}})
    about = {"kind": "ConfigMap", "namespace": NAMESPACE, "name": "words"}
    attempt("note an event", core.create_namespaced_event, NAMESPACE, {
        "metadata": {"name": "noted"}, "involvedObject": about, "reason": "Noted", "message": "m", "type": "Normal"})
    attempt("events about it", core.list_namespaced_event, NAMESPACE, field_selector="involvedObject.name=words")


def definition():
    spec = {"type": "object", "required": ["sail"], "properties": {
        "sail": {"type": "string", "maxLength": 10}, "oars": {"type": "integer", "default": 2}}}
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    schema = {"type": "object", "properties": {"spec": spec, "status": status}}
    version = {"name": "v1", "served": True, "storage": True, "subresources": {"status": {}},
               "schema": {"openAPIV3Schema": schema}}
    extensions = client.ApiextensionsV1Api()
    extensions.create_custom_resource_definition({
        "metadata": {"name": f"skiffs.{GROUP}"},
        "spec": {"group": GROUP, "scope": "Namespaced", "versions": [version],
                 "names": {"plural": "skiffs", "singular": "skiff", "kind": "Skiff"}},
    })
    selector = f"metadata.name=skiffs.{GROUP}"
    for event in watch.Watch().stream(extensions.list_custom_resource_definition, field_selector=selector,
                                      timeout_seconds=60):
        conditions = event["object"].status.conditions or []
        if any(one.type == "Established" and one.status == "True" for one in conditions):
            break
    tell("define a kind", attempt_until_served())


def attempt_until_served():
    """The real one says "established" some moments before it serves."""
    for _ in range(2000):
        try:
            return skiffs("list")()["items"]
        except ApiException as refused:
            if refused.status != 404:
                raise
    return None


def custom_objects():
    attempt("make a skiff", skiffs("create"), skiff("anna", sail="white"))
    attempt("make one against the rules", skiffs("create"), skiff("berta", sail="white and blue"))
    attempt("make one of the wrong type", skiffs("create"), skiff("berta", sail="white", oars="two"))
    attempt("make one with a typo", skiffs("create"), skiff("berta", sail="white", oar=1),
            field_validation="Strict")
    attempt("patch it", skiffs("patch"), "anna", {"spec": {"oars": 4}})
    attempt("patch its status", custom.patch_namespaced_custom_object_status, GROUP, "v1", NAMESPACE, "skiffs",
            "anna", {"status": {"afloat": True}, "spec": {"oars": 6}})
    anna = attempt("read it", skiffs("get"), "anna")
    anna["spec"]["oars"] = 8
    attempt("replace it", skiffs("replace"), "anna", anna)
    attempt("replace it once more, as it was", skiffs("replace"), "anna", anna)
    for number in range(7):
        skiffs("create")(skiff(f"boat-{number}", sail="grey"))
    token = ""
    while token is not None:
        page = skiffs("list")(limit=3, _continue=token)
        names = [item["metadata"]["name"] for item in page["items"]]
        left = page["metadata"].get("remainingItemCount")
        tell("read a page", {"names": names, "left": left})
        token = page["metadata"].get("continue") or None
    lost = refusal(lambda: skiffs("list")(limit=3, _continue="nowhere"))
    tell("go on from nowhere", {"code": lost.status, "reason": json.loads(lost.body)["reason"]})


def watching():
    version = skiffs("list")()["metadata"]["resourceVersion"]

    def change():
        skiffs("patch")("anna", {"spec": {"oars": 10}})
        skiffs("create")(skiff("zora", sail="black"))
        skiffs("delete")("zora")

    changing = threading.Thread(target=change)
    changing.start()
    seen = see(3, version)
    changing.join()
    tell("see what happens", [told for _, told in seen])
    tell("resume after the first", [told for _, told in see(2, seen[0][0])])
    tell("resume after the last", [told for _, told in see(1, seen[2][0])])
    for number in range(MANY):
        skiffs("patch")("anna", {"spec": {"oars": number}})
    try:
        see(1, "1")
    except ApiException as expired:
        tell("resume from long ago", {"code": expired.status})
    first = {event["object"]["metadata"]["name"]
             for event in watch.Watch().stream(skiffs("list"), timeout_seconds=1)}
    tell("begin with what there is", sorted(first))


def see(count, version):
    watching = watch.Watch()
    seen = []
    for event in watching.stream(skiffs("list"), resource_version=version, timeout_seconds=3):
        metadata = event["object"]["metadata"]
        seen.append((metadata["resourceVersion"], [event["type"], metadata["name"]]))
        if len(seen) == count:
            watching.stop()
    return seen


def applying():
    boats = dynamic.DynamicClient(plain).resources.get(api_version=f"{GROUP}/v1", kind="Skiff")
    apply = boats.server_side_apply
    attempt("apply one", apply, body=skiff("applied", sail="red", oars=2), namespace=NAMESPACE, field_manager="one")
    attempt("apply against it", apply, body=skiff("applied", sail="blue"), namespace=NAMESPACE, field_manager="two")
    attempt("insist", apply, body=skiff("applied", sail="blue"), namespace=NAMESPACE, field_manager="two",
            force_conflicts=True)
    attempt("give up a field", apply, body=skiff("applied", oars=2), namespace=NAMESPACE, field_manager="one")
    attempt("without a name", apply, body=skiff("applied", sail="red"), namespace=NAMESPACE)
    attempt("get it", boats.get, name="applied", namespace=NAMESPACE)
    attempt("merge into it", boats.patch, body=skiff("applied", oars=3), namespace=NAMESPACE,
            content_type="application/merge-patch+json")
    attempt("get one that is not there", boats.get, name="nobody", namespace=NAMESPACE)
    tell("what is served", [[boats.kind, boats.name, boats.singular_name, boats.namespaced, sorted(boats.verbs)]])


def leading():
    log = []

    def candidate(name, work=lambda: None):
        rules = electionconfig.Config(LeaseLock("leader", NAMESPACE, name), lease_duration=30, renew_deadline=20,
                                      retry_period=1, onstarted_leading=work,
                                      onstopped_leading=lambda: log.append(f"{name} stopped"))
        return leaderelection.LeaderElection(rules)

    def fall():
        log.append("anna leads")
        raise RuntimeError("overboard")

    candidate("anna", fall).run()
    tell("lead until it goes wrong", log)
    anna, berta = candidate("anna"), candidate("berta")
    tell("renew", anna.try_acquire_or_renew())
    tell("want it while it is held", berta.try_acquire_or_renew())
    # As if it had been held for too long without a sign.
    berta.observed_time_milliseconds = 0
    tell("take it when it has run out", berta.try_acquire_or_renew())
    tell("lose it", anna.try_acquire_or_renew())
    attempt("see the lease", client.CoordinationV1Api().read_namespaced_lease, "leader", NAMESPACE)


def asking():
    reviews = client.AuthorizationV1Api()
    wanted = {"resourceAttributes": {"verb": "create", "group": GROUP, "resource": "skiffs", "namespace": NAMESPACE}}
    review = reviews.create_self_subject_access_review({"spec": wanted})
    tell("may I", review.status.allowed)
    groups = [group.name for group in client.ApisApi().get_api_versions().groups]
    tell("is the group there", GROUP in groups)
    tell("what is in it", client.CustomObjectsApi().get_api_resources(GROUP, "v1"))


def ending():
    attempt("delete, and what depends on it later", skiffs("delete"), "boat-0",
            body=client.V1DeleteOptions(propagation_policy="Background"))
    wrong = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="another"))
    tell("delete another", isinstance(refusal(lambda: skiffs("delete")("boat-1", body=wrong)), ApiException))
    skiffs("patch")("boat-2", {"metadata": {"finalizers": ["example.dev/hold"]}})
    attempt("delete what is held", skiffs("delete"), "boat-2")
    attempt("let it go", skiffs("patch"), "boat-2", {"metadata": {"finalizers": None}})
    attempt("it is gone", skiffs("get"), "boat-2")
    custom.delete_collection_namespaced_custom_object(GROUP, "v1", NAMESPACE, "skiffs")
    tell("delete all", skiffs("list")()["items"])
    client.ApiextensionsV1Api().delete_custom_resource_definition(f"skiffs.{GROUP}")
    core.delete_namespace(NAMESPACE)


def refusal(work):
    try:
        return work()
    except ApiException as refused:
        return refused


for part in (core_objects, definition, custom_objects, watching, applying, leading, asking, ending):
    part()
