//! How a tool is had: as a Go module, Python packages, Node packages, or from Debian.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result};

use super::cache::{self, Folder};
use crate::debian;
use crate::run::{on_path, root, say, step};
use crate::toolchain::{self, GO, NODE, Toolchain};

/// The package that Kubernetes' programs take their version from; without it they call themselves
/// v0.0.0, and kubectl complains.
pub(super) const KUBERNETES_VERSION: &str = "k8s.io/component-base/version";

pub(super) enum Recipe {
    /// `tests/tools/<name>/go.mod` pins it.
    Go {
        programs: &'static [&'static str],
        /// The package whose variables say the version of the module that is built.
        version_in: Option<&'static str>,
    },
    /// `tests/tools/<name>/requirements.txt` pins it.
    Python,
    /// `tests/browser/package-lock.json` pins it.
    Node,
    Toolchain(Toolchain),
    Debian {
        program: &'static str,
        package: &'static str,
    },
}

impl Recipe {
    /// The folder it is in; built or fetched if need be.
    pub(super) fn ensure(&self, name: &str) -> Result<PathBuf> {
        let pins = self.pins(name);
        match self {
            Recipe::Go {
                programs,
                version_in,
            } => cache::ensure(name, &pins, |folder| {
                build(name, &pins, programs, *version_in, folder)
            }),
            Recipe::Python => toolchain::environment(name),
            Recipe::Node => cache::ensure(name, &pins, |folder| node_packages(&pins, folder)),
            Recipe::Toolchain(toolchain) => toolchain.programs(),
            Recipe::Debian { program, package } => {
                folder_of(&debian::program(program, &[package])?)
            }
        }
    }

    /// The folder it is in, if it is there.
    pub(super) fn present(&self, name: &str) -> Option<PathBuf> {
        match self {
            Recipe::Go { .. } | Recipe::Python | Recipe::Node => {
                let folder = Folder::of(name, &self.pins(name)).ok()?;
                folder.is_done().then(|| folder.path().to_path_buf())
            }
            Recipe::Toolchain(toolchain) => toolchain.present(),
            Recipe::Debian { program, .. } => folder_of(&on_path(program)?).ok(),
        }
    }

    fn pins(&self, name: &str) -> PathBuf {
        match self {
            Recipe::Node => root().join("tests/browser/packages"),
            Recipe::Go { .. } | Recipe::Python | Recipe::Toolchain(_) | Recipe::Debian { .. } => {
                root().join("tests/tools").join(name)
            }
        }
    }
}

fn folder_of(program: &Path) -> Result<PathBuf> {
    let folder = program.parent().context("a program has a folder")?;
    Ok(folder.to_path_buf())
}

/// Builds the programs of one Go module into a folder.
fn build(
    name: &str,
    pins: &Path,
    programs: &[&str],
    version_in: Option<&str>,
    folder: &Path,
) -> Result<()> {
    say(&format!(
        "xtask: {name}: building from source; minutes the first time, nothing after"
    ));
    let flags = match version_in {
        Some(package) => {
            let pinned = fs::read_to_string(pins.join("go.mod")).context("read go.mod")?;
            version_flags(package, &pinned).context("find the version in go.mod")?
        }
        None => "-s -w".to_owned(),
    };
    let go = GO.programs()?;
    for program in programs {
        let mut go_build = Command::new(go.join("go"));
        go_build
            .current_dir(pins)
            .args(["build", "-mod=readonly", "-buildvcs=false", "-trimpath"])
            .args(["-ldflags", &flags, "-o"])
            .arg(folder.join(binary(program)))
            .arg(program)
            .env("CGO_ENABLED", "0")
            .env("GOTOOLCHAIN", "local");
        step(&format!("go build {program}"), &mut go_build)?;
    }
    Ok(())
}

/// The last word of a Go package's path that is no version: `go.etcd.io/etcd/server/v3` is `server`.
fn binary(package: &str) -> &str {
    package
        .rsplit('/')
        .find(|word| !word.trim_start_matches('v').chars().all(char::is_numeric))
        .unwrap_or(package)
}

/// Linker flags that tell Kubernetes' programs the version pinned in `go.mod`.
fn version_flags(package: &str, pinned: &str) -> Option<String> {
    let version = pinned
        .lines()
        .find_map(|line| {
            line.trim_start_matches("require")
                .trim()
                .strip_prefix("k8s.io/kubernetes ")
        })?
        .trim();
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next()?, numbers.next()?);
    Some(format!(
        "-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
    ))
}

/// Installs Node packages from their lock file into a folder; their own scripts do not run.
fn node_packages(pins: &Path, folder: &Path) -> Result<()> {
    for file in ["package.json", "package-lock.json"] {
        fs::copy(pins.join(file), folder.join(file)).with_context(|| format!("copy {file}"))?;
    }
    let node = NODE.programs()?;
    let mut npm = Command::new(npm_beside(&node)?);
    npm.current_dir(folder)
        .args([
            "ci",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-update-notifier",
        ])
        .env("PATH", path_with(&node)?);
    step("packages from npm", &mut npm)
}

/// Debian's Node comes without npm.
fn npm_beside(node: &Path) -> Result<PathBuf> {
    let beside = node.join("npm");
    if beside.is_file() {
        return Ok(beside);
    }
    debian::program("npm", &["npm"])
}

fn path_with(first: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(first.to_path_buf()).chain(env::split_paths(&path));
    env::join_paths(folders).context("put a folder in front of the path")
}

#[cfg(test)]
mod tests {
    use super::{binary, version_flags};

    #[test]
    fn a_programs_name_is_the_last_word_of_its_package_that_is_no_version() {
        assert_eq!(binary("k8s.io/kubernetes/cmd/kubectl"), "kubectl");
        assert_eq!(binary("go.etcd.io/etcd/server/v3"), "server");
    }

    #[test]
    fn the_version_told_is_the_version_pinned() {
        let pinned = "module tools/kubernetes\n\ngo 1.26.0\n\nrequire k8s.io/kubernetes v1.37.2\n";
        let flags = version_flags("p", pinned).unwrap();
        assert_eq!(
            flags,
            "-s -w -X p.gitVersion=v1.37.2 -X p.gitMajor=1 -X p.gitMinor=37"
        );
        assert_eq!(version_flags("p", "module x"), None);
    }
}
