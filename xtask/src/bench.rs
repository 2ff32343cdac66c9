//! `cargo xtask bench`: builds a bench and runs it. What it measures, and how well, it says itself
//! (docs/TESTING.md).

use std::path::{self, Path};
use std::process::Command;

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::run::{cargo, step};
use crate::services;

#[derive(Subcommand)]
pub(crate) enum Bench {
    /// Buy a fleet of simulated servers, keep it, return it: provider calls, time, memory
    ///
    /// Prints a table and a line of JSON. Fails when a goal is missed, and says which.
    Fleet {
        /// How many instances
        #[arg(long, default_value_t = 1000)]
        instances: u32,
        /// Also write the line of JSON to this file
        #[arg(long)]
        json: Option<path::PathBuf>,
        /// More for the bench itself, such as `--resync 60`; `--help` lists it
        #[arg(last = true)]
        more: Vec<String>,
    },
    /// Ask the embedded Kubernetes API, on SQLite, and a real kube-apiserver with etcd for the same work, in turns
    ///
    /// Requests in a second, watchers, start-up, memory, and what a write costs as the objects grow. Prints a table and a
    /// line of JSON. Fails when a goal is missed, and says which. Fetches or builds the real ones first.
    #[allow(clippy::doc_markdown, reason = "the text of --help")]
    Kube {
        /// How long each kind of request is measured on each side
        #[arg(long, default_value_t = 10)]
        seconds: u32,
        /// How many objects there are at most
        #[arg(long, default_value_t = 100_000)]
        objects: u32,
        /// Also write the line of JSON to this file
        #[arg(long)]
        json: Option<path::PathBuf>,
    },
}

pub(crate) fn run(bench: Bench) -> Result<()> {
    match bench {
        Bench::Fleet {
            instances,
            json,
            more,
        } => fleet(instances, json.as_deref(), &more),
        Bench::Kube {
            seconds,
            objects,
            json,
        } => kube(seconds, objects, json.as_deref()),
    }
}

fn fleet(instances: u32, json: Option<&Path>, more: &[String]) -> Result<()> {
    // Built apart, so that minutes of building are not taken for minutes of measuring.
    let words = ["bench", "--locked", "--bench", "fleet"];
    step(
        "build the bench, optimised",
        cargo().args(words).arg("--no-run"),
    )?;
    let mut bench = cargo();
    bench.args(words).args(["--quiet", "--", "--instances"]);
    bench.arg(instances.to_string());
    write_to(&mut bench, json)?;
    step("bench fleet", bench.args(more))
}

fn kube(seconds: u32, objects: u32, json: Option<&Path>) -> Result<()> {
    let real = services::install_these(&["kubernetes", "etcd"]);
    real.judge()?;
    let words = [
        "bench",
        "--locked",
        "-p",
        "kube-embedded",
        "--bench",
        "kube",
    ];
    step(
        "build the server and the bench, optimised",
        cargo().args(words).arg("--no-run"),
    )?;
    let mut bench = cargo();
    bench.args(words).args(["--quiet", "--"]);
    bench.args(["--seconds", &seconds.to_string()]);
    bench.args(["--objects", &objects.to_string()]);
    let programs = [
        ("--apiserver", "CLAWDET_TOOL_KUBE_APISERVER"),
        ("--etcd", "CLAWDET_TOOL_ETCD"),
    ];
    for (option, variable) in programs {
        let place = real.place(variable);
        let place = place.with_context(|| format!("{variable} cannot be had"))?;
        bench.arg(option).arg(place);
    }
    write_to(&mut bench, json)?;
    step("bench kube", &mut bench)
}

fn write_to(bench: &mut Command, json: Option<&Path>) -> Result<()> {
    if let Some(file) = json {
        // Cargo runs it in another folder than ours.
        let file = path::absolute(file).context("find the file for the JSON")?;
        bench.arg("--json").arg(file);
    }
    Ok(())
}
