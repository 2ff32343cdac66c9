//! The real programs that tests are held against: which there are, and what for. How each is had is in
//! `recipe`, where it is kept in `cache`.

pub(crate) mod cache;
mod recipe;

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::run::{in_ci, say};
use crate::running;
use crate::toolchain::NODE;
use recipe::Recipe;

/// Something fetched or built as one.
struct Service {
    name: &'static str,
    purpose: &'static str,
    recipe: Recipe,
    /// What tests get: the variable that names it, and its place in what the recipe made.
    gives: &'static [(&'static str, &'static str)],
}

const SERVICES: [Service; 9] = [
    Service {
        name: "kubernetes",
        purpose: "kubectl, and the real kube-apiserver and its controllers, which the embedded one is held against",
        recipe: Recipe::Go {
            programs: &[
                "k8s.io/kubernetes/cmd/kubectl",
                "k8s.io/kubernetes/cmd/kube-apiserver",
                "k8s.io/kubernetes/cmd/kube-controller-manager",
            ],
            version_in: Some(recipe::KUBERNETES_VERSION),
        },
        gives: &[
            ("CLAWDET_TOOL_KUBECTL", "kubectl"),
            ("CLAWDET_TOOL_KUBE_APISERVER", "kube-apiserver"),
            (
                "CLAWDET_TOOL_KUBE_CONTROLLER_MANAGER",
                "kube-controller-manager",
            ),
        ],
    },
    Service {
        name: "etcd",
        purpose: "what the real kube-apiserver stores in",
        recipe: Recipe::Go {
            programs: &["go.etcd.io/etcd/server/v3"],
            version_in: None,
        },
        gives: &[("CLAWDET_TOOL_ETCD", "server")],
    },
    Service {
        name: "openssl",
        purpose: "makes the key that the real kube-apiserver signs with",
        recipe: Recipe::Debian {
            program: "openssl",
            package: "openssl",
        },
        gives: &[("CLAWDET_TOOL_OPENSSL", "openssl")],
    },
    Service {
        name: "stripe-mock",
        purpose: "judges what is sent to Stripe by Stripe's own description",
        recipe: Recipe::Go {
            programs: &["github.com/stripe/stripe-mock"],
            version_in: None,
        },
        gives: &[("CLAWDET_TOOL_STRIPE_MOCK", "stripe-mock")],
    },
    Service {
        name: "hcloud",
        purpose: "Hetzner's own command, which drives the simulated one",
        recipe: Recipe::Debian {
            program: "hcloud",
            package: "hcloud-cli",
        },
        gives: &[("CLAWDET_TOOL_HCLOUD", "hcloud")],
    },
    Service {
        name: "python",
        purpose: "official client libraries of Hetzner, Cloudflare, Stripe and Kubernetes",
        recipe: Recipe::Python,
        gives: &[("CLAWDET_TOOL_PYTHON", "bin/python")],
    },
    Service {
        name: "node",
        purpose: "runs the browser tests",
        recipe: Recipe::Toolchain(NODE),
        gives: &[("CLAWDET_TOOL_NODE", "node")],
    },
    Service {
        name: "browser",
        purpose: "playwright-core drives the browser, axe-core judges its pages",
        recipe: Recipe::Node,
        gives: &[("CLAWDET_TOOL_NODE_MODULES", "node_modules")],
    },
    Service {
        name: "chromium",
        purpose: "the browser",
        recipe: Recipe::Debian {
            program: "chromium",
            package: "chromium",
        },
        gives: &[("CLAWDET_TOOL_CHROMIUM", "chromium")],
    },
];

/// What tests can be given, and what could not be had.
pub(crate) struct Installed {
    /// Variables that name the programs.
    pub(crate) variables: Vec<(&'static str, PathBuf)>,
    /// One line each: what is missing and why.
    pub(crate) missing: Vec<String>,
}

/// Builds or fetches everything; a failure of one does not stop the others.
pub(crate) fn install() -> Installed {
    install_some(&|_| true)
}

pub(crate) fn install_named(names: &[String]) -> Result<()> {
    let known = |name: &String| SERVICES.iter().any(|service| service.name == *name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let all = SERVICES.map(|service| service.name).join(", ");
        bail!("there is no {unknown:?}; choose from {all}");
    }
    let installed = install_some(&|name| names.is_empty() || names.iter().any(|n| n == name));
    installed.judge()?;
    say("xtask: dev-services: all there");
    Ok(())
}

fn install_some(wanted: &dyn Fn(&str) -> bool) -> Installed {
    let mut installed = Installed {
        variables: Vec::new(),
        missing: Vec::new(),
    };
    for service in SERVICES.iter().filter(|service| wanted(service.name)) {
        match service.recipe.ensure(service.name) {
            Ok(folder) => installed.variables.extend(service.places(&folder)),
            Err(error) => {
                let line = format!("{}: {error:#}", service.name);
                say(&format!("xtask: CANNOT BE HAD: {line}"));
                installed.missing.push(line);
            }
        }
    }
    installed
}

impl Installed {
    /// What that variable names, if it could be had.
    pub(crate) fn place(&self, variable: &str) -> Option<&Path> {
        let (_, place) = self.variables.iter().find(|(name, _)| *name == variable)?;
        Some(place)
    }

    /// # Errors
    /// In CI, when anything is missing: there a skipped test is a failure.
    pub(crate) fn judge(&self) -> Result<()> {
        for line in &self.missing {
            say(&format!("xtask: NOT HERE, its tests are skipped: {line}"));
        }
        if in_ci() && !self.missing.is_empty() {
            bail!("in CI nothing is skipped: {}", self.missing.join("; "));
        }
        Ok(())
    }
}

impl Service {
    fn places(&self, folder: &Path) -> impl Iterator<Item = (&'static str, PathBuf)> + use<> {
        let folder = folder.to_path_buf();
        self.gives
            .iter()
            .map(move |(variable, place)| (*variable, folder.join(place)))
    }
}

pub(crate) fn list() -> Result<()> {
    let mut out = io::stdout().lock();
    for service in &SERVICES {
        let state = match service.recipe.present(service.name) {
            Some(folder) => folder.display().to_string(),
            None => "not here; `cargo xtask dev-services install` brings it".to_owned(),
        };
        writeln!(
            out,
            "{:<11} {}\n{:<11} {state}",
            service.name, service.purpose, ""
        )?;
    }
    for line in running::lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// The program that tests know by that variable, built or fetched if need be.
///
/// # Errors
/// When it cannot be had.
pub(crate) fn program(variable: &str) -> Result<PathBuf> {
    let gives = |service: &&Service| service.gives.iter().any(|(name, _)| *name == variable);
    let service = SERVICES.iter().find(gives);
    let service = service.with_context(|| format!("no service gives {variable}"))?;
    let folder = service.recipe.ensure(service.name)?;
    let mut places = service.places(&folder);
    let (_, place) = places
        .find(|(name, _)| *name == variable)
        .context("it was just found")?;
    Ok(place)
}

/// Lines a shell can evaluate; what is missing is said on standard error.
pub(crate) fn paths() -> Result<()> {
    let mut out = io::stdout().lock();
    for service in &SERVICES {
        let Some(folder) = service.recipe.present(service.name) else {
            say(&format!("xtask: {}: not here", service.name));
            continue;
        };
        for (variable, place) in service.places(&folder) {
            writeln!(out, "export {variable}='{}'", place.display())?;
        }
    }
    Ok(())
}
