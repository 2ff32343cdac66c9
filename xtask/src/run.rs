//! Running a part and saying so; what every task needs of its surroundings.

use std::env;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .map_or_else(PathBuf::new, Path::to_path_buf)
}

/// A cargo command at the root, by the cargo that runs us.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Runs one part and says which and how long it took; its own output goes to the terminal.
pub(crate) fn step(name: &str, command: &mut Command) -> Result<()> {
    say(&format!("xtask: {name}"));
    let begun = Instant::now();
    let status = command
        .status()
        .with_context(|| format!("start {name} ({})", command.get_program().display()))?;
    if !status.success() {
        bail!("{name} failed ({status}); the lines above say why");
    }
    let took = begun.elapsed();
    if took.as_secs() > 0 {
        say(&format!("xtask: {name}: done in {} s", took.as_secs()));
    }
    Ok(())
}

/// Whether this is CI, where nothing may be skipped.
pub(crate) fn in_ci() -> bool {
    env::var_os("CI").is_some_and(|set| set == "true")
}

/// Where the program of that name is, if it is on the path.
pub(crate) fn on_path(program: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

pub(crate) fn say(line: &str) {
    // A closed terminal is no reason to stop the work.
    let _ = writeln!(io::stderr(), "{line}");
}
