//! `cargo xtask bench`: builds a bench and runs it. What it measures, and how well, it says itself
//! (docs/TESTING.md).

use std::path::{self, Path};

use anyhow::{Context, Result};
use clap::Subcommand;

use crate::run::{cargo, step};

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
}

pub(crate) fn run(bench: Bench) -> Result<()> {
    match bench {
        Bench::Fleet {
            instances,
            json,
            more,
        } => fleet(instances, json.as_deref(), &more),
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
    if let Some(file) = json {
        // Cargo runs it in another folder than ours.
        let file = path::absolute(file).context("find the file for the JSON")?;
        bench.arg("--json").arg(file);
    }
    step("bench fleet", bench.args(more))
}
