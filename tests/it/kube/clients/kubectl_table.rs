//! What is typed at kubectl, in the order it is typed. Nothing here says what must come of it: that is what the real
//! server's kubectl said.

use crate::kube::known::Known;

/// A command line, and what a person wants of it.
pub(super) struct Line {
    pub(super) wish: &'static str,
    /// Without `kubectl`; words with spaces stand in single quotes.
    pub(super) typed: &'static str,
    /// The word of the known difference it meets.
    pub(super) known: Option<Known>,
}

const fn line(wish: &'static str, typed: &'static str) -> Line {
    Line {
        wish,
        typed,
        known: None,
    }
}

impl Line {
    const fn differs(self, known: Known) -> Line {
        Line {
            known: Some(known),
            ..self
        }
    }
}

/// The files they speak of.
pub(super) const FILES: &[(&str, &str)] = &[
    ("definition.yaml", include_str!("files/definition.yaml")),
    ("anna.yaml", include_str!("files/anna.yaml")),
    ("anna-blue.yaml", include_str!("files/anna-blue.yaml")),
    ("fleet.yaml", include_str!("files/fleet.yaml")),
    (
        "fleet-smaller.yaml",
        include_str!("files/fleet-smaller.yaml"),
    ),
    ("purple.yaml", include_str!("files/purple.yaml")),
    ("settings.yaml", include_str!("files/settings.yaml")),
];

pub(super) const LINES: &[Line] = &[
    // A kind of one's own.
    line("see what the servers are", "version"),
    line(
        "wait until it is served",
        "wait --for=condition=Established crd/barges.clients.example.dev --timeout=20s",
    ),
    line("define it again", "apply -f definition.yaml"),
    line("see the definition", "get crd barges.clients.example.dev"),
    line(
        "see which kinds a group has",
        "api-resources --api-group=clients.example.dev",
    ),
    line(
        "see what can be done with them",
        "api-resources --api-group=clients.example.dev -o wide",
    ),
    line(
        "see the kinds of a category",
        "api-resources --categories=afloat -o name",
    ),
    line("explain the kind", "explain barges").differs("descriptions"),
    line("explain all of it", "explain barges --recursive"),
    line("explain a field", "explain barges.spec.crew"),
    line("explain one that is not there", "explain barges.spec.sail"),
    // Making.
    line("see none", "get barges"),
    line("see none in JSON", "get barges -o json"),
    line("try out to make one", "apply -f anna.yaml --dry-run=server"),
    line(
        "try out on this side",
        "apply -f anna.yaml --dry-run=client",
    ),
    line("compare what is not there", "diff -f anna.yaml"),
    line("make one", "apply -f anna.yaml"),
    line("make it again", "apply -f anna.yaml"),
    line("create what is there", "create -f anna.yaml"),
    line("make one that breaks the rules", "apply -f purple.yaml"),
    line(
        "the same without a check",
        "apply -f purple.yaml --validate=false",
    ),
    line("see what a change would be", "diff -f anna-blue.yaml"),
    line("change it", "apply -f anna-blue.yaml"),
    line("make several", "create -f fleet.yaml"),
    line("make several, showing them", "apply -f fleet.yaml -o name"),
    // Looking.
    line("see all", "get barges"),
    line("by the short name", "get bg anna"),
    line("by the category", "get afloat"),
    line("more columns", "get barges -o wide"),
    line("their labels", "get barges --show-labels"),
    line("a label as a column", "get barges -L fleet"),
    line("without the heading", "get barges --no-headers"),
    line("in YAML", "get barge anna -o yaml"),
    line("in JSON", "get barge berta -o json"),
    line(
        "with the owners of fields",
        "get barge anna -o yaml --show-managed-fields",
    ),
    line("their names", "get barges -o name"),
    line(
        "by a path",
        "get barges -o 'jsonpath={range .items[*]}{.metadata.name}={.spec.colour} {end}'",
    ),
    line(
        "in columns of one's own",
        "get barges -o custom-columns=NAME:.metadata.name,CREW:.spec.crew[*].name",
    ),
    line(
        "by a template",
        "get barge anna -o 'go-template={{.spec.colour}}'",
    ),
    line("by label", "get barges -l fleet=south"),
    line(
        "by label, in a set",
        "get barges -l 'fleet in (north,east)'",
    ),
    line(
        "by label, otherwise",
        "get barges -l 'fleet!=north' -o name",
    ),
    line("by a field", "get barges --field-selector spec.colour=red"),
    line(
        "by a field that cannot be selected",
        "get barges --field-selector spec.length=30",
    ),
    line(
        "by name, as a field",
        "get barges --field-selector metadata.name=berta",
    ),
    line("in an order", "get barges --sort-by .spec.length"),
    line("everywhere", "get barges -A"),
    line("several kinds", "get barges,configmaps -l fleet=south"),
    line("in small pages", "get barges --chunk-size=1 -o name"),
    line("one that is not there", "get barge zora"),
    line(
        "one that is not there, quietly",
        "get barge zora --ignore-not-found",
    ),
    line("a kind that is not there", "get rockets"),
    line(
        "what happens, for a while",
        "get barges -w --request-timeout=1s",
    ),
    line(
        "what happens, as events",
        "get barges --output-watch-events -w --request-timeout=1s",
    ),
    line("describe it", "describe barge anna"),
    line("describe several", "describe barges -l fleet=south"),
    line("raw", "get --raw /apis/clients.example.dev/v1"),
    line("raw, not there", "get --raw /apis/clients.example.dev/v7"),
    // Changing.
    line("label it", "label barge anna harbour=west"),
    line("label it otherwise", "label barge anna harbour=east"),
    line("insist", "label barge anna harbour=east --overwrite"),
    line("take the label away", "label barge anna harbour-"),
    line("label all", "label barges --all season=summer"),
    line("annotate it", "annotate barge anna example.dev/note=dry"),
    line(
        "patch it",
        "patch barge anna --type=merge -p '{\"spec\":{\"length\":12}}'",
    ),
    line(
        "patch it with what is so already",
        "patch barge anna --type=merge -p '{\"spec\":{\"length\":12}}'",
    ),
    line(
        "patch by operations",
        "patch barge anna --type=json -p '[{\"op\":\"replace\",\"path\":\"/spec/length\",\"value\":13}]'",
    ),
    line(
        "patch by operations that do not fit",
        "patch barge anna --type=json -p '[{\"op\":\"remove\",\"path\":\"/spec/sail\"}]'",
    ),
    line(
        "patch strategically, which it cannot",
        "patch barge anna -p '{\"spec\":{\"length\":12}}'",
    ),
    line(
        "patch against the rules",
        "patch barge anna --type=merge -p '{\"spec\":{\"length\":0}}'",
    ),
    line(
        "patch with an unknown field",
        "patch barge anna --type=merge -p '{\"spec\":{\"mast\":1}}'",
    ),
    line(
        "patch its status",
        "patch barge anna --subresource=status --type=merge -p '{\"status\":{\"afloat\":true,\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}'",
    ),
    line(
        "see its status",
        "get barge anna --subresource=status -o 'jsonpath={.status.afloat}'",
    ),
    line(
        "wait for a condition",
        "wait --for=condition=Ready barge/anna --timeout=10s",
    ),
    line(
        "wait for a value",
        "wait --for=jsonpath='{.status.afloat}'=true barge/anna --timeout=10s",
    ),
    line(
        "wait in vain",
        "wait --for=condition=Sunk barge/anna --timeout=1s",
    ),
    line("edit it", "edit barge anna"),
    line("replace it", "replace -f anna.yaml"),
    line(
        "replace it by force",
        "replace --force -f fleet-smaller.yaml",
    ),
    line(
        "replace what is not there",
        "replace -f purple.yaml --validate=false",
    ),
    line("scale what has no scale", "scale barge anna --replicas=3"),
    line(
        "set a last application",
        "apply set-last-applied -f anna.yaml --create-annotation=true",
    ),
    line(
        "see the last application",
        "apply view-last-applied barge anna",
    ),
    // Server-side.
    line(
        "apply on the server",
        "apply --server-side -f settings.yaml",
    ),
    line(
        "apply as somebody else",
        "apply --server-side --field-manager=other -f settings.yaml",
    ),
    line(
        "change it aside",
        "patch configmap settings -p '{\"data\":{\"colour\":\"blue\"}}'",
    ),
    line("meet a conflict", "apply --server-side -f settings.yaml"),
    line(
        "take it over",
        "apply --server-side --force-conflicts -f settings.yaml",
    ),
    line(
        "see who owns what",
        "get configmap settings -o yaml --show-managed-fields",
    ),
    line(
        "see a change on the server",
        "diff --server-side -f settings.yaml",
    ),
    // Kinds there are from the start.
    line(
        "make a map",
        "create configmap words --from-literal=one=1 --from-literal=two=2",
    ),
    line("see it", "get configmap words -o yaml"),
    line("see maps", "get configmaps"),
    line("describe it", "describe configmap words"),
    line(
        "patch it strategically",
        "patch configmap words -p '{\"data\":{\"two\":null,\"three\":\"3\"}}'",
    ),
    line(
        "make a secret",
        "create secret generic keys --from-literal=door=open",
    ),
    line("see secrets", "get secrets"),
    line("describe it", "describe secret keys"),
    line(
        "make a secret that is wrong",
        "create secret generic Keys --from-literal=door=open",
    ),
    line(
        "make a secret for TLS without a file",
        "create secret tls pair --cert=none --key=none",
    ),
    line(
        "make a secret for a registry",
        "create secret docker-registry pull --docker-server=images.example.dev --docker-username=u --docker-password=p",
    ),
    line("make a service account", "create serviceaccount robot"),
    line("see it", "get serviceaccount robot -o yaml"),
    line("describe a namespace's own", "get events"),
    line("see the events of one", "events --for barge/anna"),
    line("what may I", "auth can-i create barges.clients.example.dev"),
    line("what may I not know", "auth can-i create rockets"),
    line("see a lease", "get leases"),
    line(
        "make a namespace, on trial",
        "create namespace shire --dry-run=server -o name",
    ),
    line("make a namespace", "create namespace kubectl-lines-other"),
    line("see it", "get namespace kubectl-lines-other"),
    line("describe it", "describe namespace kubectl-lines-other").differs("kinds"),
    line("look in it", "get barges -n kubectl-lines-other"),
    line("delete it", "delete namespace kubectl-lines-other"),
    // Taking away.
    line(
        "prune what is no longer in the file",
        "apply -f fleet-smaller.yaml --prune -l fleet=south --prune-allowlist=clients.example.dev/v1/Barge",
    ),
    line("try out to delete", "delete barge anna --dry-run=server"),
    line("delete it", "delete barge anna"),
    line("delete it again", "delete barge anna"),
    line(
        "delete it again, quietly",
        "delete barge anna --ignore-not-found",
    ),
    line(
        "wait until it is gone",
        "wait --for=delete barge/anna --timeout=10s",
    ),
    line("delete by label", "delete barges,configmaps -l fleet=south"),
    line(
        "delete in the foreground",
        "delete configmap words --cascade=foreground",
    ),
    line(
        "delete and leave what depends on it",
        "delete secret keys --cascade=orphan",
    ),
    line("delete without waiting", "delete secret pull --wait=false"),
    line("delete by file", "delete -f settings.yaml"),
    line("delete all", "delete barges --all"),
    line("see none", "get barges"),
    line("delete the kind", "delete -f definition.yaml"),
    line("it is gone", "get barges"),
];
