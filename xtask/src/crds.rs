//! Writes `crds/*.yaml` from what `clawdet crd` prints.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::run::{cargo, root, say};

const KINDS: [&str; 4] = ["customers", "instances", "paymentevents", "plans"];

pub(crate) fn write() -> Result<()> {
    for kind in KINDS {
        let made = cargo()
            .args(["run", "--quiet", "--package", "clawdet", "--", "crd", kind])
            .output()
            .context("run `clawdet crd`")?;
        if !made.status.success() {
            bail!(
                "`clawdet crd {kind}`: {}",
                String::from_utf8_lossy(&made.stderr)
            );
        }
        let yaml = String::from_utf8(made.stdout).context("read what `clawdet crd` printed")?;
        let file = root().join("crds").join(format!("{kind}.yaml"));
        let yaml = yaml.strip_prefix("---\n").unwrap_or(&yaml);
        fs::write(&file, yaml).with_context(|| format!("write {}", file.display()))?;
        say(&format!("xtask: wrote crds/{kind}.yaml"));
    }
    Ok(())
}
