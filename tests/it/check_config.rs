//! `clawdet check-config` as a person runs it: every mistake at once, or what is in force.

use std::process::{Command, Output};

fn check(settings: &str, variables: &[(&str, &str)]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clawdet.toml");
    std::fs::write(&file, settings).unwrap();
    Command::new(env!("CARGO_BIN_EXE_clawdet"))
        .args(["check-config", "--config"])
        .arg(&file)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

const RIGHT: &str = r#"
installation = "prod"
zone = "clawdet.example"
[site]
public_url = "https://clawdet.example"
[[hetzner.projects]]
name = "main"
token = "canary-1"
[cloudflare]
token = "canary-2"
[stripe]
secret_key = "sk_test_canary"
webhook_secrets = ["canary-4"]
"#;

#[test]
fn five_mistakes_are_named_at_once_each_with_its_key_place_and_remedy() {
    let wrong = RIGHT
        .replace("clawdet.example\"\n[site]", "clawdet\"\n[site]")
        .replace("https://", "http://")
        .replace("[stripe]", "[stripe]\nlive_mode = true")
        + "[operator]\nresnyc = \"5m\"\n";
    let done = check(&wrong, &[("CLAWDET__GUESTS__SCHEME", "gopher")]);
    assert_eq!(done.status.code(), Some(2));
    assert_eq!(text(&done.stdout), "");
    let said = text(&done.stderr);
    let named = |key: &str, place: &str, remedy: &str| {
        let found = said.lines().any(|line| {
            line.trim().starts_with(&format!("{key} ("))
                && line.contains(place)
                && line.contains(remedy)
        });
        assert!(found, "{key} is not named right in\n{said}");
    };
    assert!(said.contains("5 problems"), "{said}");
    named("zone", "clawdet.toml, line 3", "write a domain you own");
    named("site.public_url", "line 5", "write an https:// address");
    named("stripe.live_mode", "line 12", "change live_mode");
    named(
        "operator.resnyc",
        "line 16",
        "did you mean operator.resync?",
    );
    named(
        "guests.scheme",
        "CLAWDET__GUESTS__SCHEME",
        "write one of http, https",
    );
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn what_is_in_force_is_shown_with_where_it_came_from_and_without_secrets() {
    let done = check(RIGHT, &[("CLAWDET__CLOUDFLARE__TOKEN", "canary-5")]);
    assert!(done.status.success(), "{}", text(&done.stderr));
    let shown = text(&done.stdout);
    assert!(
        shown.contains("sweep.dry_run = \"true\" # the defaults\n"),
        "{shown}"
    );
    assert!(
        shown.contains("cloudflare.token = (set) # CLAWDET__CLOUDFLARE__TOKEN\n"),
        "{shown}"
    );
    assert!(!shown.contains("canary"), "{shown}");
}
