//! `cargo xtask bench fleet`: what a fleet of N costs in provider calls, time and memory, as a table and as
//! one line of JSON. Here: what a person can ask, and the order of it all; what is measured is in `course`.

mod calls;
mod course;
mod process;
mod report;
mod stage;
mod tally;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use tracing_subscriber::filter::LevelFilter;

/// Buys a fleet of simulated servers with the real operator, keeps it, and returns it.
#[derive(Parser)]
#[command(name = "fleet")]
struct Asked {
    /// How many instances
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    instances: u32,
    /// Seconds of a resync while the quiet fleet is measured; all other periods keep their proportion to it
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(10..=3600))]
    resync: u64,
    /// Where the random numbers of the simulated world begin
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also write the line of JSON to this file
    #[arg(long)]
    json: Option<PathBuf>,
    /// Show the operator's warnings
    #[arg(long)]
    verbose: bool,
    /// What cargo says to every bench
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    match run(&Asked::parse()) {
        Ok(missed) if missed.is_empty() => ExitCode::SUCCESS,
        Ok(missed) => {
            say(&format!("missed: {}", missed.join("; ")));
            ExitCode::FAILURE
        }
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// The goals that were missed.
fn run(asked: &Asked) -> Result<Vec<String>> {
    let level = if asked.verbose {
        LevelFilter::WARN
    } else {
        LevelFilter::OFF
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_writer(io::stderr)
        .init();
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let figures = runtime.block_on(course::run(asked))?;
    let report = report::Report::of(&figures);
    let json = report.json();
    let mut out = io::stdout().lock();
    writeln!(out, "\n{}\n{json}", report.table()).context("print the report")?;
    if let Some(file) = &asked.json {
        fs::write(file, format!("{json}\n"))
            .with_context(|| format!("write {}", file.display()))?;
    }
    Ok(report.missed())
}

/// One line of progress.
fn say(line: &str) {
    // A closed terminal is no reason to stop the work.
    let _ = writeln!(io::stderr(), "fleet: {line}");
}
