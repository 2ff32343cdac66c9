//! Programs from Debian packages: used when they are there, installed when they are not.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run::{on_path, say, step};

/// The program, after installing the packages that bring it if it is missing.
pub(crate) fn program(name: &str, packages: &[&str]) -> Result<PathBuf> {
    if let Some(found) = on_path(name) {
        return Ok(found);
    }
    install(packages)?;
    on_path(name).ok_or_else(|| {
        anyhow::anyhow!("Debian's {} brought no program {name}", packages.join(", "))
    })
}

pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let wanted = packages.join(", ");
    if on_path("apt-get").is_none() {
        bail!("{wanted}: not on this machine, and it has no apt-get to install it with");
    }
    say(&format!("xtask: installing Debian's {wanted}"));
    step("package lists", &mut apt(&["update", "-qq"])?)?;
    let words = ["install", "-y", "-qq", "--no-install-recommends"];
    step(&wanted, apt(&words)?.args(packages))
}

fn apt(words: &[&str]) -> Result<Command> {
    let mut command = if is_root() {
        Command::new("apt-get")
    } else if on_path("sudo").is_some() {
        let mut command = Command::new("sudo");
        command.arg("apt-get");
        command
    } else {
        bail!("installing a package needs root or sudo");
    };
    command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}
