//! Where the real tools are, and what a test does without one.

use std::env;
use std::io::{self, Write};
use std::path::PathBuf;

/// A program that `cargo xtask dev-services` brings.
#[derive(Clone, Copy)]
pub(crate) enum Tool {
    Kubectl,
    KubeApiserver,
    KubeControllerManager,
    Etcd,
    Openssl,
    StripeMock,
    Hcloud,
    /// With Stripe's, Hetzner's, Cloudflare's and Kubernetes' own libraries.
    Python,
}

impl Tool {
    /// The variable that says where it is, set by `cargo xtask test`.
    fn variable(self) -> &'static str {
        match self {
            Tool::Kubectl => "CLAWDET_TOOL_KUBECTL",
            Tool::KubeApiserver => "CLAWDET_TOOL_KUBE_APISERVER",
            Tool::KubeControllerManager => "CLAWDET_TOOL_KUBE_CONTROLLER_MANAGER",
            Tool::StripeMock => "CLAWDET_TOOL_STRIPE_MOCK",
            Tool::Hcloud => "CLAWDET_TOOL_HCLOUD",
            Tool::Etcd => "CLAWDET_TOOL_ETCD",
            Tool::Openssl => "CLAWDET_TOOL_OPENSSL",
            Tool::Python => "CLAWDET_TOOL_PYTHON",
        }
    }
}

/// Where the tools are; `None`, said loudly, when the test cannot run for want of one.
///
/// # Panics
/// In CI, where nothing is skipped.
pub(crate) fn need<const N: usize>(test: &str, tools: [Tool; N]) -> Option<[PathBuf; N]> {
    let missing: Vec<&str> = tools
        .iter()
        .map(|tool| tool.variable())
        .filter(|variable| env::var_os(variable).is_none())
        .collect();
    if missing.is_empty() {
        return Some(tools.map(|tool| env::var_os(tool.variable()).unwrap().into()));
    }
    let why = format!("SKIPPED: {test} because {} is not set", missing.join(", "));
    assert!(
        env::var_os("CI").is_none_or(|set| set != "true"),
        "in CI nothing is skipped: {why}"
    );
    // Past the test runner's capture: a skip that nobody sees is a pass that is not one.
    let line = format!("\n{why}; run the tests with `cargo xtask test`\n");
    io::stderr().write_all(line.as_bytes()).unwrap();
    None
}
