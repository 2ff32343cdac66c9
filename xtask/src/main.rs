//! `cargo xtask`: sets up what the tests need, says what it does, and runs them.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};

/// Builds, checks and tests the project.
///
/// Start with `cargo xtask test`: on a fresh machine with Rust it sets up what is missing, and it is
/// quick the second time.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Check the format, run clippy and every test
    Test,
    /// Write `crds/*.yaml` anew from the code
    Crds,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test => test(),
        Task::Crds => crds(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn test() -> Result<()> {
    ensure_compiler()?;
    step("format", cargo().args(["fmt", "--all", "--check"]))?;
    step(
        "clippy",
        cargo().args([
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    step("tests", cargo().args(["test", "--workspace", "--locked"]))?;
    optional(
        "cargo-deny (licences and sources; the bans are tested in any case)",
        "cargo-deny",
        cargo().args(["deny", "--offline", "check", "bans", "licenses", "sources"]),
    )
}

/// ring is built from C: a fresh machine may lack the compiler.
fn ensure_compiler() -> Result<()> {
    if on_path("cc") {
        return Ok(());
    }
    say("xtask: no C compiler on this machine; installing Debian's gcc");
    let sudo = !is_root();
    let apt = |words: &[&str]| {
        let mut command = Command::new(if sudo { "sudo" } else { "apt-get" });
        if sudo {
            command.arg("apt-get");
        }
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    step("package lists", &mut apt(&["update", "-qq"]))?;
    step(
        "gcc",
        &mut apt(&["install", "-y", "-qq", "gcc", "libc6-dev"]),
    )
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0)
}

fn crds() -> Result<()> {
    for kind in ["customers", "instances", "paymentevents", "plans"] {
        let made = cargo()
            .args(["run", "--quiet", "--package", "clawdet", "--", "crd", kind])
            .output()
            .context("run `clawdet crd`")?;
        if !made.status.success() {
            bail!(
                "`clawdet crd {kind}`: {}",
                String::from_utf8_lossy(&made.stderr)
            );
        }
        let yaml = String::from_utf8(made.stdout).context("read what `clawdet crd` printed")?;
        let file = root().join("crds").join(format!("{kind}.yaml"));
        let yaml = yaml.strip_prefix("---\n").unwrap_or(&yaml);
        fs::write(&file, yaml).with_context(|| format!("write {}", file.display()))?;
        say(&format!("xtask: wrote crds/{kind}.yaml"));
    }
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs one part and says which; its own output goes to the terminal.
fn step(name: &str, command: &mut Command) -> Result<()> {
    say(&format!("xtask: {name}"));
    let status = command.status().with_context(|| format!("start {name}"))?;
    if !status.success() {
        bail!("{name} failed ({status}); the lines above say why");
    }
    Ok(())
}

/// Runs a part whose tool is not worth minutes of building; its absence is said, and is no failure
/// anywhere (docs/adr/0003).
fn optional(name: &str, tool: &str, command: &mut Command) -> Result<()> {
    if on_path(tool) {
        return step(name, command);
    }
    say(&format!(
        "xtask: NOT RUN: {name}; `cargo install {tool}` to have it"
    ));
    Ok(())
}

fn on_path(tool: &str) -> bool {
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(tool).is_file()))
}

fn say(line: &str) {
    // A closed terminal is no reason to stop the work.
    let _ = writeln!(io::stderr(), "{line}");
}
