//! `baseline` and `baseline --prune`.

use std::path::{Path, PathBuf};

use super::output;
use crate::report::baseline::Baseline;
use crate::report::{Report, count};

/// The file that is used when neither the command line nor the configuration names one.
pub const DEFAULT: &str = "stateless-baseline.toml";

/// Reads a baseline. Without a file it is an error, and so is one that cannot be understood.
pub fn read(path: &Path) -> Result<Baseline, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    Baseline::parse(&text).map_err(|error| format!("the baseline {} is corrupt: {error}", path.display()))
}

/// Writes what the report shows as the baseline.
pub fn write(path: PathBuf, report: &Report) -> Result<String, String> {
    let baseline = Baseline::of(&report.findings);
    let said = format!("Wrote {} with {}.\n", path.display(), count(baseline.len() as u64, "known finding"));
    output::write_all(&[(path, baseline.write())])?;
    Ok(said)
}

/// Takes out the entries that match nothing. Code that could not be read may still hold them, so
/// then nothing is removed.
pub fn prune(path: PathBuf, baseline: Baseline, report: &Report) -> Result<String, String> {
    if !report.errors.is_empty() {
        return Err("some code could not be read, so no entry of the baseline is known to be gone".into());
    }
    let before = baseline.len();
    let pruned = baseline.without(&report.stale);
    let said = format!("Removed {} of {} from {}.\n", before - pruned.len(), count(before as u64, "entry"), path.display());
    if pruned.len() < before {
        output::write_all(&[(path, pruned.write())])?;
    }
    Ok(said)
}
