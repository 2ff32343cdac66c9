//! The simulated Hetzner as Hetzner's own Python library and command line see it, with Hetzner's own description judging all
//! that they ask and are answered.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use world::{Latency, Options, World};

use super::super::tool::{self, Tool};
use super::run;
use crate::judge::Judge;

/// A world whose Hetzner is watched, and on which a second lasts a hundredth.
struct Stage {
    url: String,
    token: String,
    judge: Judge,
    _serving: JoinSet<()>,
}

impl Stage {
    async fn new() -> Stage {
        // The command line does not wait until what it deletes is gone.
        let latency = Latency {
            delete_server: Duration::ZERO,
            ..Latency::default()
        };
        let world = World::new(Options {
            speed: 100.0,
            latency,
            ..Options::seeded(7)
        });
        let judge = Judge::default();
        let routes = judge.watch(world.hetzner());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let mut serving = JoinSet::new();
        serving.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        let token = world.options().projects[0].token.clone();
        Stage {
            url,
            token,
            judge,
            _serving: serving,
        }
    }

    fn close(&self) {
        self.close_but(&[]);
    }

    /// Nothing was against the description but for habits that a client is known to have.
    fn close_but(&self, habits: &[&str]) {
        let mut wrong = self.judge.wrong();
        wrong.retain(|one| !habits.iter().any(|habit| one.contains(habit)));
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

/// Has a script of the Python library drive a world of its own.
async fn drive(script: &str) {
    let Some([python]) = tool::need(script, [Tool::Python]) else {
        return;
    };
    let stage = Stage::new().await;
    run(
        &python,
        script,
        &json!({ "url": stage.url, "token": stage.token }),
    );
    stage.close();
}

// Python and the command line block the test's own thread, so the world needs another.

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_buys_changes_and_returns_a_server() {
    drive("a_server.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_moves_and_grows_a_volume() {
    drive("a_volume.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_keeps_a_snapshot_and_starts_from_it() {
    drive("a_snapshot.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_assigns_and_names_an_address() {
    drive("an_address.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_applies_a_firewall_by_id_and_by_label() {
    drive("a_firewall.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_fills_a_dns_zone() {
    drive("a_zone.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_library_rescues_and_measures_a_server() {
    drive("a_rescue.py").await;
}

/// Hetzner's own command line, at one world.
struct CommandLine {
    program: PathBuf,
    stage: Stage,
    home: tempfile::TempDir,
}

impl CommandLine {
    async fn new(test: &str) -> Option<CommandLine> {
        let [program] = tool::need(test, [Tool::Hcloud])?;
        Some(CommandLine {
            program,
            stage: Stage::new().await,
            home: tempfile::tempdir().unwrap(),
        })
    }

    fn output(&self, line: &str) -> Output {
        Command::new(&self.program)
            .args(line.split_whitespace())
            .env_clear()
            .env("HOME", self.home.path())
            .env("HCLOUD_ENDPOINT", &self.stage.url)
            .env("HCLOUD_TOKEN", &self.stage.token)
            .output()
            .unwrap()
    }

    /// What a command says when it goes well.
    fn says(&self, line: &str) -> String {
        let output = self.output(line);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "hcloud {line}: {said}{complained}");
        said
    }

    /// What a command shows, as the data it was made of.
    fn shows(&self, line: &str) -> Value {
        serde_json::from_str(&self.says(&format!("{line} -o json"))).unwrap()
    }

    /// What a command complains of.
    fn refused(&self, line: &str) -> String {
        let output = self.output(line);
        assert!(!output.status.success(), "hcloud {line} went well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = Path::new(self.home.path()).join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

const SERVER: &str = "server create --name one --type cx23 --image debian-13 --location fsn1";

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_command_line_lives_through_a_server() {
    let Some(hcloud) = CommandLine::new("server").await else {
        return;
    };
    let key =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ3j2sKqzQy0mJvTz4tqk9y1mYx2nKjR5f0cE8sPq2Zt ops";
    let key = hcloud.write("key.pub", key);
    hcloud.says(&format!(
        "ssh-key create --name ops --public-key-from-file {key}"
    ));
    assert!(hcloud.says("ssh-key list").contains("ops"));
    hcloud.says(&format!("{SERVER} --ssh-key ops --label owner=ada"));
    assert!(hcloud.refused(SERVER).contains("uniqueness_error"));
    assert!(hcloud.says("server list -l owner=ada").contains("running"));
    assert!(hcloud.says("server describe one").contains("Status:"));
    assert_eq!(hcloud.shows("server describe one")["status"], "running");
    hcloud.says("server enable-rescue one");
    assert_eq!(hcloud.shows("server describe one")["rescue_enabled"], true);
    hcloud.says("server reboot one");
    assert_eq!(hcloud.shows("server describe one")["rescue_enabled"], false);
    // Without a period it asks for the last half hour of the wall's time, which is not the world's.
    let created = &hcloud.shows("server describe one")["created"];
    let created: Timestamp = created.as_str().unwrap().parse().unwrap();
    let later = created + jiff::SignedDuration::from_mins(10);
    hcloud.says(&format!(
        "server metrics one --type cpu,disk,network --start {created} --end {later}"
    ));
    hcloud.says("server poweroff one");
    hcloud.says("server change-type one cx33 --keep-disk");
    hcloud.says("server poweron one");
    hcloud.says("server rebuild one --image ubuntu-24.04");
    hcloud.says("server set-rdns one --hostname one.example.com");
    hcloud.says("server add-label one role=web");
    hcloud.says("server update one --name two");
    hcloud.says("server enable-protection two delete rebuild");
    assert!(hcloud.refused("server delete two").contains("protected"));
    hcloud.says("server disable-protection two delete rebuild");
    hcloud.says("server delete two");
    assert_eq!(hcloud.shows("server list"), Value::Null, "nothing is left");
    hcloud.says("ssh-key delete ops");
    hcloud.stage.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_command_line_keeps_volumes_and_images() {
    let Some(hcloud) = CommandLine::new("volume").await else {
        return;
    };
    hcloud.says(SERVER);
    hcloud.says("volume create --name data --size 10 --location fsn1 --format ext4");
    hcloud.says("volume attach data --server one");
    assert!(hcloud.says("volume list").contains("one"));
    hcloud.says("volume resize data --size 20");
    assert_eq!(hcloud.shows("volume describe data")["size"], 20);
    assert!(
        hcloud
            .refused("volume delete data")
            .contains("resource_in_use")
    );
    hcloud.says("volume detach data");
    hcloud.says("volume enable-protection data delete");
    assert!(hcloud.refused("volume delete data").contains("protected"));
    hcloud.says("volume disable-protection data delete");
    hcloud.says("volume delete data");
    hcloud.says("server create-image one --type snapshot --description kept --label owner=ada");
    let image = hcloud.shows("image list -l owner=ada")[0]["id"].clone();
    assert!(
        hcloud
            .says(&format!("image describe {image}"))
            .contains("kept")
    );
    hcloud.says(&format!("image update {image} --description renamed"));
    hcloud.says(&format!("image enable-protection {image} delete"));
    assert!(
        hcloud
            .refused(&format!("image delete {image}"))
            .contains("protected")
    );
    hcloud.says(&format!("image disable-protection {image} delete"));
    hcloud.says(&format!("image delete {image}"));
    hcloud.says("server delete one");
    hcloud.stage.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn hetzners_own_command_line_keeps_firewalls_and_addresses() {
    let Some(hcloud) = CommandLine::new("firewall").await else {
        return;
    };
    hcloud.says(SERVER);
    hcloud.says("firewall create --name web");
    hcloud.says(
        "firewall add-rule web --direction in --protocol tcp --port 443 --source-ips 0.0.0.0/0",
    );
    hcloud.says("firewall apply-to-resource web --type server --server one");
    assert!(hcloud.says("firewall describe web").contains("443"));
    assert!(
        hcloud
            .refused("firewall delete web")
            .contains("resource_in_use")
    );
    hcloud.says("firewall remove-from-resource web --type server --server one");
    hcloud.says("firewall delete web");
    hcloud.says("server poweroff one");
    let held = hcloud.shows("primary-ip list");
    let four = held
        .as_array()
        .unwrap()
        .iter()
        .find(|ip| ip["type"] == "ipv4");
    let four = four.unwrap()["id"].clone();
    hcloud.says(&format!("primary-ip unassign {four}"));
    hcloud.says("server delete one");
    let left = hcloud.shows("primary-ip list");
    assert_eq!(left.as_array().unwrap().len(), 1, "its IPv6 went with it");
    let address = hcloud.shows(&format!("primary-ip describe {four}"))["ip"].clone();
    let address = address.as_str().unwrap();
    hcloud.says(&format!(
        "primary-ip set-rdns {four} --ip {address} --hostname four.example.com"
    ));
    hcloud.says(&format!("primary-ip enable-protection {four}"));
    assert!(
        hcloud
            .refused(&format!("primary-ip delete {four}"))
            .contains("protected")
    );
    hcloud.says(&format!("primary-ip disable-protection {four}"));
    hcloud.says(&format!("primary-ip update {four} --name mine"));
    hcloud.says("primary-ip delete mine");
    // It is older than what has become of these: a location for an address, and no datacenters.
    assert!(
        hcloud
            .refused("primary-ip create --name x --type ipv4 --datacenter fsn1-dc14")
            .contains("invalid_input")
    );
    assert!(
        hcloud
            .refused("datacenter list")
            .contains("deprecated_api_endpoint")
    );
    for list in ["location", "server-type", "image", "iso"] {
        hcloud.says(&format!("{list} list"));
    }
    // It repeats the id of an address in the body, and sorts lists that have no order to choose.
    hcloud
        .stage
        .close_but(&["'ID' was unexpected", "the parameter sort is not described"]);
}
