//! The command line: what a person can ask of the binary, and the only place that prints.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::api;

/// Sells and runs personal AI assistants, each on a server of its own.
///
/// Start here: `clawdet crd` prints the Kubernetes resource definitions that everything is built on;
/// `clawdet crd | kubectl apply --server-side -f -` installs them in a cluster.
#[derive(Parser)]
#[command(name = "clawdet", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Print the custom resource definitions as YAML
    ///
    /// Pipe them into `kubectl apply --server-side -f -`, or name one kind to print it alone:
    /// customers, instances, paymentevents, plans.
    Crd {
        /// The plural name of one kind; all when left out
        kind: Option<String>,
    },
}

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("there is no kind {asked:?}; choose one of {known}")]
    NoSuchKind { asked: String, known: String },
    #[error("the definitions cannot be written as YAML")]
    Yaml(#[source] serde_yaml_ng::Error),
    #[error("the output was closed before everything was written")]
    Output(#[source] io::Error),
}

/// Parses the arguments and runs the command; errors go to standard error with their causes.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Crd { kind } => print_crds(kind.as_deref()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // A reader such as `head` that has seen enough is no failure.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Nowhere is left to report that standard error is closed.
            let _ = writeln!(
                io::stderr(),
                "clawdet: {}",
                crate::controller::chain(&error)
            );
            ExitCode::FAILURE
        }
    }
}

fn print_crds(kind: Option<&str>) -> Result<(), CliError> {
    let all = api::definitions();
    let known = all
        .iter()
        .map(|crd| crd.spec.names.plural.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let chosen: Vec<_> = all
        .iter()
        .filter(|crd| kind.is_none_or(|kind| crd.spec.names.plural == kind))
        .collect();
    if let (Some(asked), true) = (kind, chosen.is_empty()) {
        return Err(CliError::NoSuchKind {
            asked: asked.to_owned(),
            known,
        });
    }
    let mut out = io::stdout().lock();
    for crd in chosen {
        let yaml = api::definition_yaml(crd).map_err(CliError::Yaml)?;
        write!(out, "---\n{yaml}").map_err(CliError::Output)?;
    }
    Ok(())
}
