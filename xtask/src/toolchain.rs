//! Python, Go and Node: the ones on the path when they are new enough, else pinned ones from `PyPI` in
//! a virtual environment.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::debian;
use crate::run::{on_path, root, say, step};
use crate::services::cache::{self, Folder};

/// A program that other tools are made with.
#[derive(Clone, Copy)]
pub(crate) struct Toolchain {
    /// The program, and the folder of its pins under `tests/tools/`.
    pub(crate) name: &'static str,
    /// What prints its version.
    version: &'static str,
    /// The oldest that will do: major, minor.
    oldest: (u32, u32),
}

/// As new as the `go` lines in `tests/tools/*/go.mod`.
pub(crate) const GO: Toolchain = Toolchain {
    name: "go",
    version: "version",
    oldest: (1, 26),
};

/// As new as playwright-core asks for.
pub(crate) const NODE: Toolchain = Toolchain {
    name: "node",
    version: "--version",
    oldest: (20, 0),
};

impl Toolchain {
    /// The folder that holds its programs, to be put in front of the path; fetched if need be.
    pub(crate) fn programs(self) -> Result<PathBuf> {
        match self.on_this_machine() {
            Some(folder) => Ok(folder),
            None => Ok(environment(self.name)?.join("bin")),
        }
    }

    /// As [`programs`](Self::programs), but fetches nothing.
    pub(crate) fn present(self) -> Option<PathBuf> {
        self.on_this_machine().or_else(|| {
            let folder = Folder::of(self.name, &pins(self.name)).ok()?;
            folder.is_done().then(|| folder.path().join("bin"))
        })
    }

    fn on_this_machine(self) -> Option<PathBuf> {
        let program = on_path(self.name)?;
        let printed = Command::new(&program).arg(self.version).output().ok()?;
        let found = version_in(&String::from_utf8_lossy(&printed.stdout))?;
        (found >= self.oldest).then(|| program.parent().map(Path::to_path_buf))?
    }
}

/// A virtual environment with the packages pinned in `tests/tools/<name>/requirements.txt`.
pub(crate) fn environment(name: &str) -> Result<PathBuf> {
    let pins = pins(name);
    cache::ensure(name, &pins, |folder| {
        let python = debian::program("python3", &["python3", "python3-venv"])?;
        if new_environment(&python, folder).is_err() {
            say("xtask: this Python makes no virtual environments; python3-venv brings that");
            debian::install(&["python3", "python3-venv"])?;
            new_environment(Path::new("/usr/bin/python3"), folder)?;
        }
        let packages = pins.join("requirements.txt");
        let mut pip = Command::new(folder.join("bin/python"));
        pip.args(["-m", "pip", "install", "--quiet"])
            .args(["--disable-pip-version-check", "--requirement"])
            .arg(packages);
        step(&format!("{name}: packages from PyPI"), &mut pip)
    })
}

fn new_environment(python: &Path, folder: &Path) -> Result<()> {
    let made = Command::new(python)
        .args(["-m", "venv", "--clear"])
        .arg(folder)
        .output()
        .context("start Python")?;
    if !made.status.success() {
        bail!("make a virtual environment: {}", made.status);
    }
    Ok(())
}

fn pins(name: &str) -> PathBuf {
    root().join("tests/tools").join(name)
}

/// The first `<major>.<minor>` in what a program says of itself: `go version go1.26.8 linux/amd64`.
fn version_in(printed: &str) -> Option<(u32, u32)> {
    printed
        .split(|sign: char| !sign.is_ascii_digit() && sign != '.')
        .find_map(|word| {
            let (major, rest) = word.split_once('.')?;
            let minor = rest.split('.').next()?;
            Some((major.parse().ok()?, minor.parse().ok()?))
        })
}

#[cfg(test)]
mod tests {
    use super::version_in;

    #[test]
    fn a_version_is_read_from_what_a_program_says_of_itself() {
        assert_eq!(version_in("go version go1.26.8 linux/amd64"), Some((1, 26)));
        assert_eq!(version_in("v20.20.2"), Some((20, 20)));
        assert_eq!(version_in("go version devel +abc linux/amd64"), None);
        assert!(version_in("v8.0.1") < Some((20, 0)));
    }
}
