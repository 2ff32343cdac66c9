//! A person with kubectl against `clawdet dev`: everything a cluster's owner would type works.

use std::fs;
use std::path::{Path, PathBuf};

use clawdet::api::LABEL_INSTANCE_UID;

use super::dev::Dev;
use super::kubectl::Kubectl;
use super::shop;
use super::tool::{self, Tool};

/// A running `clawdet dev` and kubectl with the kubeconfig it wrote.
async fn at_a_terminal(kubectl: &Path, folder: &Path) -> (Dev, Kubectl) {
    let dev = Dev::start(folder).await;
    let kubeconfig = dev.endpoints.kubernetes.kubeconfig.clone();
    let kubectl = Kubectl::new(kubectl, &kubeconfig, None, folder);
    (dev, kubectl)
}

fn samples() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/samples");
    folder.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_samples_come_up_tell_their_story_and_go_without_a_trace() {
    let test = "the_samples_come_up_tell_their_story_and_go_without_a_trace";
    let Some([program]) = tool::need(test, [Tool::Kubectl]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (dev, kubectl) = at_a_terminal(&program, folder.path()).await;

    kubectl.ok(&["apply", "-f", &samples()]);
    kubectl.ok(&["wait", "--for=condition=Ready", "inst/ada", "--timeout=60s"]);
    it_is_shown(&kubectl);
    the_world_has_it(&dev, &kubectl).await;
    let again = kubectl.ok(&["apply", "-f", &samples()]);
    assert!(
        !again.contains("configured") && !again.contains("created"),
        "{again}"
    );

    it_can_be_edited(&kubectl, folder.path());
    kubectl.ok(&["delete", "-f", &samples(), "--timeout=60s"]);
    assert_eq!(kubectl.ok(&["get", "clawdet", "-o", "name"]), "");
    shop::world_is_empty(&dev.endpoints).await;
}

fn it_is_shown(kubectl: &Kubectl) {
    let table = kubectl.ok(&["get", "inst", "-o", "wide"]);
    for word in ["READY", "SERVER", "ADDRESS", "ada", "True", "127.", "nbg1"] {
        assert!(table.contains(word), "{word}: {table}");
    }
    let story = kubectl.ok(&["describe", "inst", "ada"]);
    let (_, events) = story.split_once("Events:").unwrap();
    let told = ["ServerMissing", "AddressUnpublished"];
    for word in told {
        assert!(events.contains(word), "{word}: {events}");
    }
    let explained = kubectl.ok(&["explain", "instance.spec"]);
    for word in [
        "subdomain",
        "Cannot be changed",
        "placement",
        "Whether the server runs",
    ] {
        assert!(explained.contains(word), "{word}: {explained}");
    }
    let deeper = kubectl.ok(&["explain", "instance.spec.placement.location"]);
    assert!(deeper.contains("such as `nbg1`"), "{deeper}");
    for words in [
        ["get", "clawdet"],
        ["get", "cust"],
        ["get", "plans"],
        ["get", "pay"],
    ] {
        kubectl.ok(&words);
    }
}

/// One server and one record, owned by the Instance.
async fn the_world_has_it(dev: &Dev, kubectl: &Kubectl) {
    let uid = kubectl.ok(&["get", "inst", "ada", "-o", "jsonpath={.metadata.uid}"]);
    let servers = shop::servers(&dev.endpoints).await;
    let [server] = servers.as_slice() else {
        panic!("{servers:?}");
    };
    assert_eq!(server["labels"][LABEL_INSTANCE_UID], uid.as_str());
    let records = shop::records(&dev.endpoints).await;
    let address = &server["public_net"]["ipv4"]["ip"];
    let published = records.iter().any(|record| record["content"] == *address);
    assert!(published, "{address} in {records:?}");
}

/// An editor that stops the assistant, and kubectl's word on a change that is not allowed.
fn it_can_be_edited(kubectl: &Kubectl, folder: &Path) {
    let edit = |script: &str| {
        let mut command = kubectl.command();
        command
            .args(["edit", "inst", "ada"])
            .env("KUBE_EDITOR", format!("sed -i '{script}'"))
            .env("TMPDIR", folder);
        command.output().unwrap()
    };
    let edited = edit("s/power:.*/power: Stopped/");
    let said = String::from_utf8_lossy(&edited.stderr);
    assert!(edited.status.success(), "{said}");
    let power = "jsonpath={.spec.power}";
    assert_eq!(kubectl.ok(&["get", "inst", "ada", "-o", power]), "Stopped");
    let stopped = "--for=condition=ServerRunning=False";
    kubectl.ok(&["wait", stopped, "inst/ada", "--timeout=60s"]);

    let refused = edit("/^#/!s/subdomain:.*/subdomain: grace/");
    assert!(!refused.status.success());
    // kubectl keeps what was typed, and writes above it why it was refused.
    let kept = String::from_utf8_lossy(&refused.stderr);
    let kept = kept.split('"').find(|word| word.contains("kubectl-edit-"));
    let kept = fs::read_to_string(kept.unwrap()).unwrap();
    assert!(kept.contains("a subdomain cannot be changed"), "{kept}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_or_stalled_with_a_reason_a_founder_understands() {
    let test = "what_cannot_be_is_refused_or_stalled_with_a_reason_a_founder_understands";
    let Some([program]) = tool::need(test, [Tool::Kubectl]) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (dev, kubectl) = at_a_terminal(&program, folder.path()).await;
    kubectl.ok(&["apply", "-f", &samples()]);
    // Who came first is told by the second they came in.
    kubectl.ok(&["wait", "--for=condition=Ready", "inst/ada", "--timeout=60s"]);
    let with = |name: &str, field: &str, value: &str| {
        let patch = format!(r#"{{"metadata":{{"name":"{name}"}},"spec":{{"{field}":"{value}"}}}}"#);
        let file = PathBuf::from(samples()).join("instance-ada.yaml");
        let words = [
            "patch",
            "--local",
            "--type=merge",
            "-o",
            "json",
            "-p",
            &patch,
            "-f",
        ];
        let words = [&words[..], &[file.to_str().unwrap()]].concat();
        let object = kubectl.ok(&words);
        kubectl.with_input(&["apply", "-f", "-"], &object)
    };
    let refused = with("eve", "subdomain", "www");
    assert!(
        refused
            .err
            .contains("this name is reserved; choose another"),
        "{}",
        refused.err
    );

    assert!(
        with("eve", "subdomain", "ada").ok,
        "that it is taken is seen later"
    );
    stalled(&kubectl, "eve", "had ada.clawdet.example first");
    let mut unknown = with("mallory", "plan", "golden");
    if unknown.ok {
        unknown.err = stalled(&kubectl, "mallory", "golden");
    }
    assert_eq!(
        shop::servers(&dev.endpoints).await.len(),
        1,
        "{}",
        unknown.err
    );
}

/// Waits until it is Stalled, and gives the message, which holds that word.
fn stalled(kubectl: &Kubectl, name: &str, word: &str) -> String {
    let instance = format!("inst/{name}");
    kubectl.ok(&[
        "wait",
        "--for=condition=Stalled",
        &instance,
        "--timeout=60s",
    ]);
    let message = "jsonpath={.status.conditions[?(@.type=='Stalled')].message}";
    let message = kubectl.ok(&["get", &instance, "-o", message]);
    assert!(message.contains(word), "{message}");
    message
}
