//! `cargo xtask test`: everything that must hold, in the order in which a mistake is found soonest.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use crate::debian;
use crate::run::{cargo, on_path, root, say, step};
use crate::services::{self, Installed};

/// The mutants too: a test switches each on and must notice.
const ALL: &str = "--all-features";
/// How many seeded lives of a fleet are lived (tests/it/convergence.rs).
const SEEDS: &str = "1000";

pub(crate) fn test() -> Result<()> {
    ensure_compiler()?;
    step("format", cargo().args(["fmt", "--all", "--check"]))?;
    let installed = services::install();
    installed.judge()?;
    let words = ["clippy", "--workspace", "--all-targets", ALL, "--locked"];
    step("clippy", cargo().args(words).args(["--", "-D", "warnings"]))?;
    let mut tests = cargo();
    tests.args(["test", "--workspace", ALL, "--locked"]);
    tests.env("CLAWDET_TEST_SEEDS", SEEDS);
    step("tests", tests.envs(installed.variables.clone()))?;
    browser(&installed)?;
    optional(
        "cargo-deny (licences and sources; the bans are tested in any case)",
        "cargo-deny",
        cargo().args(["deny", "--offline", "check", "bans", "licenses", "sources"]),
    )?;
    // Said again at the end, where it is seen.
    installed.judge()
}

/// ring is built from C: a fresh machine may lack the compiler.
fn ensure_compiler() -> Result<()> {
    debian::program("cc", &["gcc", "libc6-dev"]).map(drop)
}

/// The pages in a real browser, against the binary that the tests before have built.
fn browser(installed: &Installed) -> Result<()> {
    let Some(node) = installed.place("CLAWDET_TOOL_NODE") else {
        say("xtask: SKIPPED: browser tests: no Node");
        return Ok(());
    };
    let folder = root().join("tests/browser");
    let mut tests = Command::new(node);
    tests
        .current_dir(&folder)
        .args(["--test", "--test-concurrency=1", "--test-timeout=240000"])
        .args(test_files(&folder)?)
        .env("CLAWDET_BINARY", binary())
        .envs(installed.variables.clone());
    step("browser tests", &mut tests)
}

fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|e| e.path())).collect())
        .context("read tests/browser")?;
    files.retain(|file| file.to_string_lossy().ends_with(".test.js"));
    files.sort();
    Ok(files)
}

/// The product's binary, where `cargo test` has put it for the tests before.
fn binary() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from);
    root().join(target).join("debug/clawdet")
}

/// Runs a part whose tool is not worth minutes of building; its absence is said, and is no failure
/// anywhere (docs/adr/0003).
fn optional(name: &str, tool: &str, command: &mut Command) -> Result<()> {
    if on_path(tool).is_some() {
        return step(name, command);
    }
    say(&format!(
        "xtask: NOT RUN: {name}; `cargo install {tool}` to have it"
    ));
    Ok(())
}
