//! Who may import whom, and what only one file may do. Text-based: a rule that matters is a test.

use std::fs;
use std::path::{Path, PathBuf};

/// A file by its path from the root of the repository, with its text.
struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in ["src", "xtask", "tests/it"] {
        walk(&root.join(folder), &mut |file| {
            let path = file
                .strip_prefix(root)
                .unwrap()
                .to_string_lossy()
                .into_owned();
            found.push(Source {
                path,
                text: fs::read_to_string(&file).unwrap(),
            });
        });
    }
    assert!(found.len() > 20, "the rules look at nothing");
    found
}

fn walk(folder: &Path, found: &mut dyn FnMut(PathBuf)) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            walk(&entry, found);
        } else if entry.extension().is_some_and(|ending| ending == "rs") {
            found(entry);
        }
    }
}

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
    let upper = [
        "web",
        "app",
        "cli",
        "store",
        "instance",
        "customer",
        "payment",
        "sweep",
        "catalog",
        "controller",
    ];
    let imports = |module: &str| has(&format!("crate::{module}"));
    rule(
        below_src("api")
            && (upper.iter().any(|m| imports(m)) || imports("provider") || imports("clock")),
        "api is layer 0",
    );
    rule(
        below_src("provider") && upper.iter().any(|m| imports(m)),
        "a provider knows nobody above it",
    );
    rule(
        path.starts_with("src/")
            && (path.ends_with("/plan.rs") || path.ends_with("/status.rs"))
            && !below_src("api")
            && (has("async ") || has("dyn ") || has(".now()") || has("kube::Client")),
        "plan and status are pure: no async, dyn, client or clock",
    );
    rule(
        below_src("instance") && (imports("web") || imports("store") || imports("app")),
        "a controller never imports the site",
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
    rule(
        path.starts_with("crates/") && (has("clawdet::") || text.contains("Clawdet")),
        "a crate knows nothing of the product",
    );
    broken
}

#[test]
fn every_file_keeps_the_rules_of_the_house() {
    let faults: Vec<String> = sources()
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
    assert_eq!(
        caught("src/api/names.rs", "use crate::provider::Server;"),
        1
    );
    assert_eq!(
        caught(
            "src/provider/hetzner.rs",
            "use crate::instance::Controller;"
        ),
        1
    );
    assert_eq!(caught("src/instance/plan.rs", "async fn plan() {}"), 1);
    assert_eq!(
        caught(
            "src/instance/plan.rs",
            "fn plan(status: &InstanceStatus) {}"
        ),
        1
    );
    assert_eq!(caught("src/instance/act.rs", "use crate::web::State;"), 1);
    assert_eq!(caught("src/web.rs", "let now = Timestamp::now();"), 1);
    assert_eq!(caught("src/web.rs", "std::env::var(\"X\")"), 1);
    assert_eq!(caught("src/web.rs", "println!(\"x\")"), 1);
    assert_eq!(caught("src/web.rs", "sqlx::query(\"x\")"), 1);
    assert_eq!(caught("crates/world/src/lib.rs", "use clawdet::api;"), 1);
    assert_eq!(caught("tests/it/x.rs", concat!("#[", "ignore]")), 1);
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
