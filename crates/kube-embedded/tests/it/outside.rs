//! A program outside this workspace that depends on the crate by its path: the README's, built and run.

use std::fs;
use std::path::Path;
use std::process::Command;

/// What it needs beside the crate itself; versions and features as in this workspace, so that no network is needed.
const MANIFEST: &str = r#"
[package]
name = "outside"
edition = "2024"

[workspace]

[profile.dev]
debug = false

[dependencies]
futures = { version = "0.3", default-features = false, features = ["std", "async-await"] }
k8s-openapi = { version = "0.29", default-features = false, features = ["std", "v1_33", "schemars"] }
kube = { version = "5.0", default-features = false, features = ["client", "runtime", "derive"] }
schemars = "1.2"
serde = { version = "1", features = ["derive"] }
tokio = { version = "1", features = ["rt", "macros"] }
"#;

/// The README's program that has a `main`.
fn program() -> &'static str {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```rust\n").skip(1);
    let mut programs = blocks.filter_map(|block| block.split("```").next());
    let program = programs.find(|program| program.contains("fn main()"));
    program.expect("the README has a program")
}

#[test]
fn a_program_elsewhere_tests_its_controller_with_the_readmes_lines() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |file: &str| folder.path().join(file);
    let manifest = format!("{MANIFEST}kube-embedded = {{ path = {here:?} }}\n");
    fs::write(at("Cargo.toml"), manifest).unwrap();
    fs::create_dir(at("src")).unwrap();
    fs::write(at("src/main.rs"), program()).unwrap();
    // The same versions, which are on this machine already.
    fs::copy(root.join("Cargo.lock"), at("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .current_dir(folder.path())
        .args(["run", "--offline", "--quiet"])
        // Kept from run to run: only the first one builds everything.
        .env(
            "CARGO_TARGET_DIR",
            concat!(env!("CARGO_TARGET_TMPDIR"), "/outside"),
        )
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
