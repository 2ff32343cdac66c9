//! The real kubectl over TCP: what people type every day, and what they see.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use crate::keeping::Process;

const BOATS: &str = include_str!("boats.yaml");

const ANNA: &str = "apiVersion: example.dev/v1
kind: Boat
metadata: {name: anna}
spec: {colour: red}
";

/// kubectl with a server of its own.
struct Shell {
    _process: Process,
    folder: tempfile::TempDir,
    kubeconfig: PathBuf,
}

#[allow(
    clippy::disallowed_methods,
    reason = "whether a skip is a failure is for the machine to say that runs the tests"
)]
fn skipped() -> bool {
    let there = Command::new("kubectl")
        .args(["version", "--client"])
        .output();
    let there = there.is_ok_and(|output| output.status.success());
    assert!(
        there || std::env::var("CI").is_err(),
        "kubectl is not here, and this is CI"
    );
    if !there {
        println!("SKIPPED: kubectl is not on this machine");
    }
    !there
}

impl Shell {
    fn open() -> Self {
        Self::open_with(&[])
    }

    fn open_with(more: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start_with(folder.path(), "memory", more);
        let kubeconfig = process.kubeconfig.clone();
        Self {
            _process: process,
            folder,
            kubeconfig,
        }
    }

    /// With the kind `Boat` and a red one called anna.
    fn harbour() -> Self {
        let shell = Self::open();
        shell.ok_with("apply -f -", BOATS);
        shell.ok("wait --for=condition=Established crd/boats.example.dev");
        shell.ok_with("apply -f -", ANNA);
        shell
    }

    fn run(&self, line: &str, input: &str) -> Output {
        let mut child = Command::new("kubectl")
            .args(line.split_whitespace())
            .env("KUBECONFIG", &self.kubeconfig)
            .env("HOME", self.folder.path())
            .env("KUBE_EDITOR", "sed -i s/red/green/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap()
    }

    #[track_caller]
    fn ok_with(&self, line: &str, input: &str) -> String {
        let done = self.run(line, input);
        let complaint = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "kubectl {line}: {complaint}");
        assert_eq!(complaint, "", "kubectl {line}");
        String::from_utf8(done.stdout).unwrap()
    }

    #[track_caller]
    fn ok(&self, line: &str) -> String {
        self.ok_with(line, "")
    }

    /// What kubectl complains of.
    #[track_caller]
    fn fails_with(&self, line: &str, input: &str) -> String {
        let done = self.run(line, input);
        assert!(
            !done.status.success(),
            "kubectl {line}: {}",
            String::from_utf8_lossy(&done.stdout)
        );
        String::from_utf8(done.stderr).unwrap()
    }
}

/// The rows of a table, each column by one space, ages as `A`.
fn table(text: &str) -> Vec<String> {
    let age = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_digit())
            && word.ends_with(['s', 'm'])
            && word
                .chars()
                .all(|letter| letter.is_ascii_digit() || "ms".contains(letter))
    };
    let row = |line: &str| {
        let words = line
            .split_whitespace()
            .map(|word| if age(word) { "A" } else { word });
        words.collect::<Vec<_>>().join(" ")
    };
    text.lines().map(row).collect()
}

#[test]
fn built_in_kinds_are_made_shown_and_deleted() {
    if skipped() {
        return;
    }
    let shell = Shell::open();
    assert_eq!(
        table(&shell.ok("get namespaces")),
        [
            "NAME STATUS AGE",
            "default Active A",
            "kube-node-lease Active A",
            "kube-public Active A",
            "kube-system Active A"
        ]
    );
    assert_eq!(
        shell.ok("create configmap notes --from-literal=a=b"),
        "configmap/notes created\n"
    );
    assert_eq!(
        shell.ok("create secret generic key --from-literal=a=b"),
        "secret/key created\n"
    );
    assert_eq!(
        shell.ok("create serviceaccount bob"),
        "serviceaccount/bob created\n"
    );
    assert_eq!(table(&shell.ok("get cm"))[1], "notes 1 A");
    assert_eq!(table(&shell.ok("get secrets"))[1], "key Opaque 1 A");
    assert_eq!(shell.ok("get secret key -o jsonpath={.data.a}"), "Yg==");
    assert!(shell.ok("describe secret key").contains("a:  1 bytes"));
    assert!(
        shell
            .ok("describe configmap notes")
            .contains("Data\n====\na:\n----\nb\n")
    );
    assert_eq!(
        shell.ok("label cm notes sea=baltic"),
        "configmap/notes labeled\n"
    );
    assert_eq!(
        shell.ok("annotate cm notes by=me"),
        "configmap/notes annotated\n"
    );
    assert_eq!(
        shell.ok("get cm -l sea=baltic -o name"),
        "configmap/notes\n"
    );
    assert_eq!(
        shell.ok("delete cm,secret --all"),
        "configmap \"notes\" deleted\nsecret \"key\" deleted\n"
    );
    let exists = shell.fails_with("create serviceaccount bob", "");
    assert_eq!(
        exists,
        "error: failed to create serviceaccount: serviceaccounts \"bob\" already exists\n"
    );
    let missing = shell.fails_with("get cm notes", "");
    assert_eq!(
        missing,
        "Error from server (NotFound): configmaps \"notes\" not found\n"
    );
}

#[test]
fn a_namespace_is_deleted_with_what_is_in_it() {
    if skipped() {
        return;
    }
    let shell = Shell::open();
    shell.ok("create namespace berlin");
    shell.ok("create configmap notes -n berlin");
    assert_eq!(
        shell.ok("delete namespace berlin --timeout=20s"),
        "namespace \"berlin\" deleted\n"
    );
    assert!(
        shell
            .fails_with("get namespace berlin", "")
            .contains("not found")
    );
}

#[test]
fn everything_served_is_found_and_explained() {
    if skipped() {
        return;
    }
    let shell = Shell::harbour();
    let all = table(&shell.ok("api-resources"));
    for row in [
        "configmaps cm v1 true ConfigMap",
        "customresourcedefinitions crd,crds apiextensions.k8s.io/v1 false CustomResourceDefinition",
        "leases coordination.k8s.io/v1 true Lease",
        "events ev events.k8s.io/v1 true Event",
        "boats bo example.dev/v1 true Boat",
    ] {
        assert!(all.iter().any(|line| line == row), "{row}: {all:?}");
    }
    let explained = shell.ok("explain boat.spec");
    assert!(explained.contains("What is wanted."), "{explained}");
    assert!(
        explained.contains("colour\t<string> -required-"),
        "{explained}"
    );
    assert!(explained.contains("What it is painted in."), "{explained}");
    assert!(
        shell
            .ok("explain boat --recursive")
            .contains("conditions\t<[]Object>")
    );
    assert!(shell.ok("explain secret").contains("stringData"));
    assert!(
        shell
            .ok("explain configmap.metadata.ownerReferences")
            .contains("blockOwnerDeletion")
    );
    assert!(shell.ok("explain lease.spec").contains("holderIdentity"));
    assert_eq!(shell.ok("auth can-i delete boats"), "yes\n");
    assert!(shell.ok("auth whoami").contains("system:masters"));
    assert!(shell.ok("get --raw /version").contains("v1.37"));
    assert_eq!(shell.ok("get --raw /readyz"), "ok");
}

#[test]
fn a_custom_resource_is_applied_edited_patched_and_waited_for() {
    if skipped() {
        return;
    }
    let shell = Shell::harbour();
    assert_eq!(
        shell.ok_with("apply -f -", ANNA),
        "boat.example.dev/anna unchanged\n"
    );
    let blue = ANNA.replace("red", "blue");
    let diff = shell.run("diff -f -", &blue);
    assert_eq!(diff.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&diff.stdout).contains("-  colour: red\n+  colour: blue\n"));
    assert_eq!(
        shell.ok_with("apply -f -", &blue),
        "boat.example.dev/anna configured\n"
    );
    assert_eq!(
        shell.ok_with("apply -f -", ANNA),
        "boat.example.dev/anna configured\n"
    );
    assert_eq!(shell.ok("edit boat anna"), "boat.example.dev/anna edited\n");
    let patch = "patch boat anna --type=merge -p {\"spec\":{\"seats\":4}}";
    assert_eq!(shell.ok(patch), "boat.example.dev/anna patched\n");
    let ready = "patch boat anna --subresource=status --type=merge \
                 -p {\"status\":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}";
    shell.ok(ready);
    assert_eq!(
        shell.ok("wait --for=condition=Ready boat/anna --timeout=20s"),
        "boat.example.dev/anna condition met\n"
    );
    assert_eq!(
        table(&shell.ok("get bo -o wide")),
        ["NAME COLOUR READY SEATS AGE", "anna green True 4 A"]
    );
    assert_eq!(table(&shell.ok("get all"))[1], "anna green True A");
    assert_eq!(
        shell.ok("get boats --field-selector spec.colour=green -o name"),
        "boat.example.dev/anna\n"
    );
    assert!(shell.ok("describe boat anna").contains("Colour:  green"));
    assert_eq!(
        shell.ok("delete boat anna --timeout=20s"),
        "boat.example.dev \"anna\" deleted\n"
    );
    assert_eq!(
        shell.ok("delete crd boats.example.dev --timeout=20s"),
        "customresourcedefinition.apiextensions.k8s.io \"boats.example.dev\" deleted\n"
    );
}

#[test]
fn a_server_side_apply_meets_the_owners_of_fields() {
    if skipped() {
        return;
    }
    let shell = Shell::harbour();
    let blue = ANNA.replace("red", "blue");
    let conflict = shell.fails_with("apply --server-side --field-manager=me -f -", &blue);
    assert!(
        conflict.contains(
            "conflict with \"kubectl-client-side-apply\" using example.dev/v1: .spec.colour"
        ),
        "{conflict}"
    );
    let forced = "apply --server-side --force-conflicts --field-manager=me -f -";
    assert_eq!(
        shell.ok_with(forced, &blue),
        "boat.example.dev/anna serverside-applied\n"
    );
    let owners = shell
        .ok("get boat anna --show-managed-fields -o jsonpath={.metadata.managedFields[*].manager}");
    assert!(owners.split(' ').any(|owner| owner == "me"), "{owners}");
}

#[test]
fn what_is_wrong_with_an_object_is_told_before_it_is_sent_and_after() {
    if skipped() {
        return;
    }
    let shell = Shell::harbour();
    let odd = ANNA.replace("colour: red", "colour: red, wheels: 4");
    let strict = shell.fails_with("apply -f -", &odd);
    assert!(strict.contains("unknown field \"spec.wheels\""), "{strict}");
    let warned = shell.run("apply --validate=warn -f -", &odd);
    assert!(
        String::from_utf8_lossy(&warned.stderr).contains("Warning: unknown field \"spec.wheels\"")
    );
    let short = shell.fails_with("apply -f -", &ANNA.replace("red", "ab"));
    assert!(
        short.contains("The Boat \"anna\" is invalid: spec.colour: Invalid value: \"ab\""),
        "{short}"
    );
    let wrong = shell.fails_with("apply -f -", &ANNA.replace("red", "7"));
    assert!(wrong.contains("spec.colour"), "{wrong}");
    let missing = shell.fails_with("apply -f -", &ANNA.replace("colour: red", ""));
    assert!(missing.contains("spec.colour: Required value"), "{missing}");
}

#[test]
fn a_list_in_a_file_is_applied_item_by_item() {
    if skipped() {
        return;
    }
    let shell = Shell::harbour();
    let list = r#"{"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "notes"}},
        {"apiVersion": "example.dev/v1", "kind": "Boat", "metadata": {"name": "berta"}, "spec": {"colour": "blue"}}]}"#;
    assert_eq!(
        shell.ok_with("apply -f -", list),
        "configmap/notes created\nboat.example.dev/berta created\n"
    );
    let odd = list.replace(r#""colour": "blue""#, r#""colour": "blue", "wheels": 4"#);
    let strict = shell.fails_with("apply -f -", &odd);
    assert!(strict.contains("unknown field \"spec.wheels\""), "{strict}");
}

#[test]
fn changes_are_watched() {
    if skipped() {
        return;
    }
    let shell = Shell::harbour();
    let mut watch = Command::new("kubectl")
        .args(["get", "boats", "--watch", "--output-watch-events"])
        .env("KUBECONFIG", &shell.kubeconfig)
        .env("HOME", shell.folder.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut rows = lines.map(|line| table(&line.unwrap()).concat());
    let mut next = || rows.next().unwrap();
    assert_eq!(next(), "EVENT NAME COLOUR READY AGE");
    assert_eq!(next(), "ADDED anna red A");
    shell.ok("patch boat anna --type=merge -p {\"spec\":{\"colour\":\"blue\"}}");
    assert_eq!(next(), "MODIFIED anna blue A");
    shell.ok("delete boat anna");
    assert_eq!(next(), "DELETED anna blue A");
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn roles_are_made_bound_and_tried() {
    if skipped() {
        return;
    }
    let shell = Shell::open_with(&["--authorization", "rbac"]);
    shell.ok("create serviceaccount robot");
    let robot = "--as=system:serviceaccount:default:robot";
    let denied = shell.run(&format!("auth can-i list configmaps {robot}"), "");
    assert_eq!(String::from_utf8_lossy(&denied.stdout).trim(), "no");
    shell.ok("create role reader --verb=get,list --resource=configmaps");
    shell.ok("create rolebinding reader --role=reader --serviceaccount=default:robot --user=ann");
    shell.ok("create clusterrole all-of-it --aggregation-rule=a=b");
    shell.ok("create clusterrole pages --verb=get --non-resource-url=/pages/*");
    shell.ok("create clusterrolebinding pages --clusterrole=pages --group=readers");
    let allowed = shell.ok(&format!("auth can-i list configmaps {robot}"));
    assert_eq!(allowed.trim(), "yes");
    assert_eq!(
        table(&shell.ok("get rolebindings -o wide")),
        [
            "NAME ROLE AGE USERS GROUPS SERVICEACCOUNTS",
            "reader Role/reader A ann default/robot",
        ]
    );
    let refused = shell.fails_with(&format!("get secrets {robot}"), "");
    let words = "User \"system:serviceaccount:default:robot\" cannot list resource \"secrets\" in API group \"\" in the namespace \"default\"";
    assert!(refused.contains(words), "{refused}");
    let token = shell.ok("create token robot --duration=20m");
    let who = shell.ok(&format!("auth whoami --token={} -o name", token.trim()));
    assert!(who.contains("selfsubjectreview"), "{who}");
    let refused = shell.fails_with(&format!("get configmaps --token={}x", token.trim()), "");
    assert!(refused.contains("Unauthorized"), "{refused}");
    let who = shell.ok("auth whoami");
    assert!(who.contains("system:admin"), "{who}");
}
