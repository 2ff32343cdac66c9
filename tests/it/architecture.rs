//! What a file must say and what only one file may do. Text-based: a rule that matters is a test. Who
//! may import whom is in `layers`.

mod layers;
mod sources;

use std::fs;
use std::path::Path;

/// What may not stand in a file of that path, and why.
#[allow(
    clippy::too_many_lines,
    reason = "a list of rules, one after the other"
)]
fn broken(path: &str, text: &str) -> Vec<&'static str> {
    let test = path.starts_with("tests/") || path.ends_with("tests.rs") || path.contains("/tests/");
    let code = || {
        text.lines()
            .filter(|line| !line.trim_start().starts_with("//"))
    };
    let has = |word: &str| code().any(|line| line.contains(word));
    let below_src = |prefix: &str| {
        path == format!("src/{prefix}.rs") || path.starts_with(&format!("src/{prefix}/"))
    };
    let names_vendor = |vendors: &[&str]| {
        vendors
            .iter()
            .any(|vendor| has(&format!("provider::{vendor}")))
    };
    let mut broken = Vec::new();
    let mut rule = |applies: bool, why| {
        if applies {
            broken.push(why);
        }
    };
    rule(
        !text.starts_with("//!"),
        "the first line says which question the file answers",
    );
    rule(
        text.lines().count() > 600,
        "past 600 lines a file is asking to be two rooms",
    );
    rule(
        path.ends_with("/mod.rs"),
        "`instance.rs` beside `instance/`, never mod.rs",
    );
    let file = path.rsplit('/').next().unwrap_or_default();
    rule(
        [
            "utils.rs",
            "helpers.rs",
            "common.rs",
            "manager.rs",
            "misc.rs",
            "data.rs",
        ]
        .contains(&file),
        "a name that says nothing",
    );
    if test {
        rule(has(concat!("#[", "ignore")), "a test is run or removed");
        return broken;
    }
    rule(
        path.starts_with("src/")
            && (path.ends_with("/plan.rs") || path.ends_with("/status.rs"))
            && !below_src("api")
            && (has("async ") || has("dyn ") || has(".now()") || has("kube::Client")),
        "plan and status are pure: no async, dyn, client or clock",
    );
    let controllers = ["instance", "customer", "payment", "sweep", "controller"];
    rule(
        controllers.iter().any(|module| below_src(module))
            && names_vendor(&["hetzner", "cloudflare", "stripe", "vault"]),
        "a controller knows the trait, never the vendor",
    );
    rule(
        below_src("web") && names_vendor(&["hetzner", "cloudflare", "vault"]),
        "the site never buys a server",
    );
    rule(
        path.starts_with("src/") && path.ends_with("/plan.rs") && has("InstanceStatus"),
        "status is never an input to plan",
    );
    rule(
        path.starts_with("src/") && path != "src/clock.rs" && has("Timestamp::now()"),
        "only clock reads the time",
    );
    rule(
        path.starts_with("src/") && path != "src/config.rs" && has("std::env::"),
        "only config reads the environment",
    );
    rule(
        path.starts_with("src/") && path != "src/cli.rs" && (has("println!") || has("io::stdout")),
        "only cli prints",
    );
    rule(
        path.starts_with("src/") && !below_src("store") && has("sqlx::query"),
        "SQL only in store",
    );
    broken
}

#[test]
fn every_file_keeps_the_rules_of_the_house() {
    let faults: Vec<String> = sources::rust()
        .iter()
        .flat_map(|source| {
            let path = &source.path;
            broken(path, &source.text)
                .into_iter()
                .map(move |why| format!("{path}: {why}"))
        })
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn each_rule_catches_what_it_is_for() {
    let caught = |path: &str, line: &str| broken(path, &format!("//! x\n{line}\n")).len();
    assert_eq!(caught("src/instance/act.rs", "fn fine() {}"), 0);
    assert_eq!(broken("src/a.rs", "fn no_header() {}").len(), 1);
    assert_eq!(caught("src/instance/mod.rs", ""), 1);
    assert_eq!(caught("src/utils.rs", ""), 1);
    assert_eq!(caught("src/a.rs", &"\n".repeat(601)), 1);
    assert_eq!(caught("src/instance/plan.rs", "async fn plan() {}"), 1);
    assert_eq!(
        caught(
            "src/instance/plan.rs",
            "fn plan(status: &InstanceStatus) {}"
        ),
        1
    );
    let hetzner = "use crate::provider::hetzner::Hetzner;";
    assert_eq!(caught("src/sweep.rs", hetzner), 1);
    assert_eq!(caught("src/web/checkout.rs", hetzner), 1);
    assert_eq!(caught("src/app.rs", hetzner), 0);
    assert_eq!(caught("src/web.rs", "let now = Timestamp::now();"), 1);
    assert_eq!(caught("src/web.rs", "std::env::var(\"X\")"), 1);
    assert_eq!(caught("src/web.rs", "println!(\"x\")"), 1);
    assert_eq!(caught("src/web.rs", "sqlx::query(\"x\")"), 1);
    assert_eq!(
        broken("crates/world/src/a.rs", "fn no_header() {}").len(),
        1
    );
    assert_eq!(caught("crates/world/src/utils.rs", ""), 1);
    assert_eq!(caught("crates/world/src/a.rs", &"\n".repeat(601)), 1);
    assert_eq!(caught("tests/it/x.rs", concat!("#[", "ignore]")), 1);
}

/// Whether a file says the product's name, in any case.
fn names_the_product(text: &str) -> bool {
    text.to_ascii_lowercase().contains("clawdet")
}

/// Somebody else could take a crate as it is; so nothing in it, whatever its kind, says whose it is.
#[test]
fn a_crate_knows_nothing_of_the_product() {
    assert!(names_the_product("use Clawdet::api;") && !names_the_product("use claw::det;"));
    for source in sources::crates() {
        let path = source.path;
        assert!(!names_the_product(&source.text), "{path} names the product");
    }
}

/// The bans of `deny.toml` hold in the lock file, also on a machine without cargo-deny.
#[test]
fn no_banned_crate_is_in_the_tree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let deny = fs::read_to_string(root.join("deny.toml")).unwrap();
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap();
    let banned: Vec<&str> = deny
        .split("crate = \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(banned.contains(&"openssl-sys"), "deny.toml bans nothing");
    for name in banned {
        assert!(
            !lock.contains(&format!("name = \"{name}\"\n")),
            "{name} is banned by deny.toml"
        );
    }
    for name in ["kube", "rustls", "k8s-openapi"] {
        assert_eq!(
            lock.matches(&format!("name = \"{name}\"\n")).count(),
            1,
            "one {name} only"
        );
    }
}

/// Where a package is fetched from is the machine's business; the pins say what it is.
#[test]
fn no_pin_of_a_tool_names_a_place_to_download_from() {
    let pins = sources::pins();
    for name in ["package-lock.json", "go.sum", "requirements.txt"] {
        let looked_at = pins.iter().any(|pin| pin.path.ends_with(name));
        assert!(looked_at, "no {name} is looked at");
    }
    for pin in pins {
        assert!(!pin.text.contains("://"), "{}", pin.path);
    }
}
