//! `cargo xtask`: what a person can ask of it. How each is done is in the modules.

mod bench;
mod crds;
mod debian;
mod run;
mod running;
mod services;
mod suite;
mod toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::run::say;
use crate::running::Server;

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
    /// The real programs that tests are held against: list, install, print where they are, start, stop
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
    /// Start real servers to try things against, and say how to reach them
    ///
    /// They run until `stop`; starting what runs only says where it is. Tests start their own.
    Start {
        /// All when left out
        names: Vec<Server>,
    },
    /// Stop what `start` has started, and throw away what it stored
    Stop {
        /// All when left out
        names: Vec<Server>,
    },
}

fn main() -> ExitCode {
    let done = match Cli::parse().task {
        Task::Test => suite::test(),
        Task::Bench(bench) => bench::run(bench),
        Task::Crds => crds::write(),
        Task::DevServices(DevServices::List) => services::list(),
        Task::DevServices(DevServices::Install { names }) => services::install_named(&names),
        Task::DevServices(DevServices::Paths) => services::paths(),
        Task::DevServices(DevServices::Start { names }) => running::start(&names),
        Task::DevServices(DevServices::Stop { names }) => running::stop(&names),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
