//! The binary: hands over to the command line; no logic.

use std::process::ExitCode;

fn main() -> ExitCode {
    clawdet::cli::main()
}
