//! The world over TCP: real sockets, a real process, a real kill.
#![allow(clippy::unwrap_used, reason = "a test's own helpers fail the test")]

use std::{
    io::{BufRead, BufReader},
    net::Ipv4Addr,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;
use world::{Api, Fault, FaultKind, Latency, Listen, Options, World};

/// The longest anything here may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One request on a connection of its own; what came back until the connection closed.
async fn exchange(
    address: &str,
    method: &str,
    path: &str,
    token: &str,
    body: &str,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The JSON in an answer that is whole.
fn body_of(answer: &str) -> Option<Value> {
    let (_, body) = answer.split_once("\r\n\r\n")?;
    serde_json::from_str(body).ok()
}

fn new_server(name: &str) -> String {
    json!({ "name": name, "server_type": "cx23", "image": "debian-13", "ssh_keys": [] }).to_string()
}

/// Asks again and again until the answer is as wished.
async fn until<F: Future<Output = bool>>(mut wished: impl FnMut() -> F) {
    let waiting = async {
        while !wished().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

#[tokio::test]
async fn every_server_answers_at_its_own_address_while_it_runs() {
    let options = Options {
        latency: Latency::zero(),
        boot: Duration::ZERO,
        ..Options::seeded(3)
    };
    let token = options.projects[0].token.clone();
    let world = World::new(options);
    let stop = CancellationToken::new();
    let (endpoints, serving) = world.serve(Listen::default(), stop.clone()).await.unwrap();
    let hetzner = endpoints
        .hetzner
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/v1")
        .unwrap()
        .to_owned();
    let walk = async {
        let mut made = Vec::new();
        for name in ["one", "two"] {
            let answer = exchange(&hetzner, "POST", "/v1/servers", &token, &new_server(name))
                .await
                .unwrap();
            let server = body_of(&answer).unwrap()["server"].clone();
            let ip: Ipv4Addr = server["public_net"]["ipv4"]["ip"]
                .as_str()
                .unwrap()
                .parse()
                .unwrap();
            made.push((
                server["id"].as_u64().unwrap(),
                format!("{ip}:{}", endpoints.guest_port),
            ));
        }
        for (_, guest) in &made {
            until(async || {
                let answer = exchange(guest, "GET", "/startupz", "", "").await;
                answer.is_ok_and(|answer| {
                    body_of(&answer).is_some_and(|body| body["status"] == "started")
                })
            })
            .await;
        }
        let path = format!("/v1/servers/{}", made[0].0);
        exchange(&hetzner, "DELETE", &path, &token, "")
            .await
            .unwrap();
        until(async || {
            exchange(&made[0].1, "GET", "/healthz", "", "")
                .await
                .is_err()
        })
        .await;
        exchange(&made[1].1, "GET", "/healthz", "", "")
            .await
            .unwrap();
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serving, walk);
    served.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_a_broken_connection() {
    let options = Options::seeded(4);
    let token = options.projects[0].token.clone();
    let world = World::new(options);
    let stop = CancellationToken::new();
    let (endpoints, serving) = world.serve(Listen::default(), stop.clone()).await.unwrap();
    let hetzner = endpoints
        .hetzner
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/v1")
        .unwrap()
        .to_owned();
    let walk = async {
        world.faults().plan(Fault::once(
            Api::Hetzner,
            FaultKind::LostAfterCommit,
            "POST",
        ));
        let broken = exchange(&hetzner, "POST", "/v1/servers", &token, &new_server("one")).await;
        assert!(broken.is_err() || body_of(&broken.unwrap()).is_none());
        assert_eq!(world.snapshot().servers.len(), 1);
        stop.cancel();
    };
    let (served, ()) = tokio::join!(serving, walk);
    served.unwrap();
}

#[tokio::test]
async fn a_world_does_not_listen_beyond_this_machine() {
    let world = World::new(Options::default());
    let everywhere = Listen::from("0.0.0.0:0".parse().unwrap());
    let refused = world.serve(everywhere, CancellationToken::new()).await;
    assert_eq!(
        refused.err().map(|error| error.kind()),
        Some(std::io::ErrorKind::InvalidInput)
    );
}

/// A running binary; killed when dropped.
struct Process {
    child: Child,
    hetzner: String,
    token: String,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Starts the binary and waits until it has said where it is.
fn start(data: &Path, endpoints: &Path) -> Process {
    let mut child = Command::new(env!("CARGO_BIN_EXE_world"))
        .args(["--seed", "9", "--endpoints"])
        .arg(endpoints)
        .arg("--data")
        .arg(data)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        said.map_while(Result::ok)
            .any(|line| line.starts_with("ready"))
    );
    let written: Value = serde_json::from_slice(&std::fs::read(endpoints).unwrap()).unwrap();
    let url = written["hetzner"].as_str().unwrap();
    let hetzner = url
        .strip_prefix("http://")
        .unwrap()
        .strip_suffix("/v1")
        .unwrap()
        .to_owned();
    let token = written["tokens"]["hetzner"]["main"]
        .as_str()
        .unwrap()
        .to_owned();
    Process {
        child,
        hetzner,
        token,
    }
}

/// Creates servers as fast as it can; the names of those that were acknowledged before the process died.
async fn create_until_death(hetzner: &str, token: &str, round: usize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for n in 0..500 {
        let name = format!("r{round}n{n}");
        match exchange(hetzner, "POST", "/v1/servers", token, &new_server(&name)).await {
            Ok(answer) if answer.starts_with("HTTP/1.1 201") => acknowledged.push(name),
            _ => break,
        }
    }
    acknowledged
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let (data, endpoints) = (
        folder.path().join("world.db"),
        folder.path().join("out.json"),
    );
    let mut expected = Vec::new();
    for round in 0..3 {
        let mut process = start(&data, &endpoints);
        let (hetzner, token) = (process.hetzner.clone(), process.token.clone());
        let kill = async {
            // Somewhere among the creates: after this many requests of another client.
            for _ in 0..(20 + round * 15) {
                exchange(&hetzner, "GET", "/v1/servers", &token, "")
                    .await
                    .unwrap();
            }
            process.child.kill().unwrap();
        };
        let (acknowledged, ()) = tokio::join!(create_until_death(&hetzner, &token, round), kill);
        assert!(!acknowledged.is_empty());
        expected.extend(acknowledged);
    }
    let process = start(&data, &endpoints);
    for name in &expected {
        let path = format!("/v1/servers?name={name}");
        let answer = exchange(&process.hetzner, "GET", &path, &process.token, "")
            .await
            .unwrap();
        assert_eq!(
            body_of(&answer).unwrap()["servers"]
                .as_array()
                .unwrap()
                .len(),
            1,
            "{name}"
        );
    }
}
