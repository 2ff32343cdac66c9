//! `cargo xtask`: what a person can ask of it. How each is done is in the modules.

mod bench;
mod crds;
mod debian;
mod run;
mod services;
mod suite;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::run::say;

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
    /// Check the format, run clippy and every test, in Rust and in the browser
    ///
    /// Sets up what is missing first. A test whose tool cannot be had says SKIPPED; with CI=true that
    /// is a failure.
    Test,
    /// Measure what the product costs
    #[command(subcommand)]
    Bench(bench::Bench),
    /// Write `crds/*.yaml` anew from the code
    Crds,
    /// The real programs that tests are held against: list, install, or print where they are
    #[command(subcommand)]
    DevServices(DevServices),
}

#[derive(Subcommand)]
enum DevServices {
    /// Say what there is, what it is for, and whether it is here
    List,
    /// Build or fetch what is missing; costs nothing the second time
    Install {
        /// Names from `list`; all when left out
        names: Vec<String>,
    },
    /// Print where each is, as lines for `eval "$(cargo xtask dev-services paths)"`
    Paths,
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test => suite::test(),
        Task::Bench(bench) => bench::run(bench),
        Task::Crds => crds::write(),
        Task::DevServices(DevServices::List) => services::list(),
        Task::DevServices(DevServices::Install { names }) => services::install_named(&names),
        Task::DevServices(DevServices::Paths) => services::paths(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
