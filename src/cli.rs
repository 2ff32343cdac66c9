//! The command line: what a person can ask of the binary, and the only place that prints.

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::api;
use crate::app::dev::{DevOptions, Ready};
use crate::app::{self, AppError};
use crate::config::{Config, Problems, Source};

/// Sells and runs personal AI assistants, each on a server of its own.
///
/// Start here: `clawdet dev` runs the whole business on this machine, with simulated providers and
/// nothing to install. `clawdet run` is the real thing; `clawdet check-config` tells what it still needs.
#[derive(Parser)]
#[command(name = "clawdet", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole business on this machine, with simulated providers
    ///
    /// Starts an embedded Kubernetes API, simulated Hetzner, Cloudflare and Stripe (over their real HTTP),
    /// the operator and the site, and says where each is. Everything is kept in one folder, so that
    /// the next `dev` goes on where this one stopped. Stop it with Ctrl-C.
    ///
    /// Examples:
    ///
    ///   clawdet dev                                      # then open the address it prints
    ///   clawdet dev --fresh                              # forget everything and start over
    ///   clawdet dev --port 0 --data-dir /tmp/second      # a second one beside the first
    #[command(verbatim_doc_comment)]
    Dev(DevArgs),
    /// Run the operator and the site as configured
    ///
    /// Settings come from built-in defaults, then --config, then the environment (`CLAWDET__SITE__LISTEN` sets
    /// `site.listen`). `clawdet check-config` shows what is in force and everything that is missing.
    Run(ConfigArgs),
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

#[derive(Args)]
struct DevArgs {
    /// Where everything is kept; made if missing
    #[arg(long, value_name = "DIR", default_value = ".clawdet")]
    data_dir: PathBuf,
    /// The site's port; 0 lets the system choose (all other ports are chosen by the system)
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Forget what an earlier `dev` left in the folder
    #[arg(long)]
    fresh: bool,
    /// A TOML file with settings over those `dev` brings itself
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// How many simulated seconds pass in a real one
    #[arg(long, default_value_t = 1.0, value_parser = speed)]
    speed: f64,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(speed) if (0.1..=1000.0).contains(&speed) => Ok(speed),
        Ok(_) | Err(_) => Err("give a number from 0.1 to 1000".to_owned()),
    }
}

#[derive(Debug, thiserror::Error)]
pub enum CliError {
    #[error(transparent)]
    App(AppError),
    #[error("the async runtime cannot be started")]
    Runtime(#[source] io::Error),
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
    /// 2 for what the person wrote wrongly, as clap does for args.
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::App(AppError::Configuration(_)) => ExitCode::from(2),
            Self::App(_)
            | Self::Runtime(_)
            | Self::NoSuchKind { .. }
            | Self::Yaml(_)
            | Self::Output(_) => ExitCode::FAILURE,
        }
    }
}

/// Parses the arguments and runs the command; errors go to standard error with their causes.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Crd { kind } => print_crds(kind.as_deref()),
        Command::Dev(args) => dev(args),
        Command::Run(args) => run(args),
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

fn run(args: ConfigArgs) -> Result<(), CliError> {
    let config = Config::load(&args.sources()).map_err(CliError::Config)?;
    runtime()?.block_on(app::run(config)).map_err(CliError::App)
}

fn dev(args: DevArgs) -> Result<(), CliError> {
    let options = DevOptions {
        data_dir: args.data_dir,
        port: args.port,
        fresh: args.fresh,
        config: args.config,
        speed: args.speed,
    };
    runtime()?
        .block_on(app::dev::dev(options, welcome))
        .map_err(CliError::App)
}

fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(CliError::Runtime)
}

/// What a person needs to know to look around.
fn welcome(ready: &Ready) {
    let Ready {
        site,
        console,
        metrics,
        kubeconfig,
        data_dir,
        ..
    } = ready;
    let kubeconfig = kubeconfig.display();
    let text = format!(
        "
Clawdet is running on simulated providers; nothing here costs money. Ready in {:.1} s.

  the site      {site}        choose a plan; the card 4242 4242 4242 4242 pays
  the console   {console}        what the providers see; break things and watch them heal
  metrics       {metrics}
  kept in       {}        removed by `clawdet dev --fresh`

Look at it with kubectl, in another terminal:

  export KUBECONFIG={kubeconfig}
  kubectl apply -f config/samples/
  kubectl wait --for=condition=Ready inst/ada --timeout=60s
  kubectl get clawdet
  kubectl describe inst ada

Ctrl-C stops it; the next `clawdet dev` goes on from here.
",
        ready.took.as_secs_f64(),
        data_dir.display(),
    );
    // A closed terminal is no reason to stop.
    let _ = writeln!(io::stdout(), "{text}");
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
