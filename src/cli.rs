//! The command line: what a person can ask of the binary, and the only place that prints.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::api;
use crate::config::{Config, Problems, Source};

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
    /// Check the configuration and print what is in force, or every problem at once
    ///
    /// Prints each setting with its value and where it came from; of a secret only that it is set.
    /// Ends with code 2 when something is wrong; nothing is started and nobody is called.
    CheckConfig(ConfigArgs),
}

/// Where settings come from.
#[derive(Args)]
struct ConfigArgs {
    /// A TOML file; the environment (`CLAWDET__SITE__LISTEN` for `site.listen`) wins over it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    fn sources(self) -> Vec<Source> {
        let file = self.config.map(Source::File);
        file.into_iter().chain([Source::environment()]).collect()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error("there is no kind {asked:?}; choose one of {known}")]
    NoSuchKind { asked: String, known: String },
    #[error("the definitions cannot be written as YAML")]
    Yaml(#[source] serde_yaml_ng::Error),
    #[error(transparent)]
    Config(Problems),
    #[error("the output was closed before everything was written")]
    Output(#[source] io::Error),
}

impl CliError {
    /// 2 for what the person wrote wrongly, as clap does for arguments.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) => ExitCode::from(2),
            Self::NoSuchKind { .. } | Self::Yaml(_) | Self::Output(_) => ExitCode::FAILURE,
        }
    }
}

/// Parses the arguments and runs the command; errors go to standard error with their causes.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Crd { kind } => print_crds(kind.as_deref()),
        Command::CheckConfig(args) => check_config(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // A reader such as `head` that has seen enough is no failure.
        Err(CliError::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // Nowhere is left to report that standard error is closed.
            let _ = writeln!(io::stderr(), "clawdet: {}", crate::cause::chain(&error));
            error.exit_code()
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

fn check_config(args: ConfigArgs) -> Result<(), CliError> {
    let (_, settings) = Config::explain(&args.sources()).map_err(CliError::Config)?;
    let mut out = io::stdout().lock();
    for setting in settings {
        writeln!(out, "{setting}").map_err(CliError::Output)?;
    }
    Ok(())
}
