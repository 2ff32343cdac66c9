//! `cargo bench --bench kube`: this server on `SQLite` beside a real kube-apiserver with etcd, the same work for both, in
//! turns. Here: what a person can ask, and the order of it all; what is measured is in `work` and `course`.

#[path = "../../tests/real/cluster.rs"]
mod cluster;
mod course;
mod process;
mod report;
mod side;
mod work;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;

/// Measures this server, on SQLite, beside a real kube-apiserver with etcd.
///
/// Both keep what they acknowledge (fsync on), both are asked by the same client over TLS, a second each in turns, so
/// that whatever else the machine does meets both. Without --apiserver and --etcd this server is measured alone.
/// Prints a table and a line of JSON. Fails when a goal is missed, and says which.
#[derive(Parser)]
#[allow(clippy::doc_markdown, reason = "the text of --help")]
#[command(name = "kube")]
struct Asked {
    /// Where the real kube-apiserver is
    #[arg(long, value_name = "PROGRAM", requires = "etcd")]
    apiserver: Option<PathBuf>,
    /// Where the real etcd is
    #[arg(long, value_name = "PROGRAM", requires = "apiserver")]
    etcd: Option<PathBuf>,
    /// How long each kind of request is measured on each side, in turns of a fifth of it
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How many objects there are at most: memory is looked at with a tenth of them, the cost of a write with 100 and ten
    /// times more each until there are all
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1000..=10_000_000))]
    objects: u64,
    /// Also write the line of JSON to this file
    #[arg(long)]
    json: Option<PathBuf>,
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
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let report = runtime.block_on(course::run(asked))?;
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
    let _ = writeln!(io::stderr(), "kube: {line}");
}
