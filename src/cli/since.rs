//! `--since`: the older state of the tree, analysed like the newer one.

use std::path::Path;

use super::run::read;
use super::{Engine, Policy};
use crate::analysis::{Analysis, AnalyzeOptions};
use crate::history;
use crate::report::since::{Changed, Since};
use crate::report::{self, Settings};
use crate::rulebook::Rulebook;
use crate::workspace;

/// What to compare `analysis` with. The settings are those of the newer tree, so that only code counts.
pub fn compare(
    revision: &str,
    root: &Path,
    analysis: &Analysis,
    settings: &Settings,
    options: &AnalyzeOptions,
    engine: &dyn Engine,
    book: &Rulebook,
) -> Result<Since, String> {
    let past = history::lay_out(root, revision, &workspace::is_wanted)?;
    let older = older(root, past.folder(), options, engine).map_err(|error| format!("at `{revision}`: {error}"))?;
    let unread = older.errors.len() as u64;
    let (then, now) = (|path: &str| read(past.folder(), path), |path: &str| read(root, path));
    let settings = Settings { baseline: None, only_paths: None, since: None, ..settings.clone() };
    let older = report::assemble(older, &settings, book, &then);
    let changed = Changed::of(paths(analysis), &then, &now);
    let mut since = Since::new(revision.to_owned(), past.commit, &older, past.submodules, changed);
    since.notes.extend(past.note);
    if unread > 0 {
        let parts = report::count(unread, "part");
        since.notes.push(format!("{parts} of the older tree could not be read, so what was there before may be shown as new"));
    }
    Ok(since)
}

fn older(root: &Path, folder: &Path, options: &AnalyzeOptions, engine: &dyn Engine) -> Result<Analysis, String> {
    let real = root.canonicalize().map_err(|error| error.to_string())?;
    // A manifest of the tree is read in its older state, one from elsewhere as it is.
    let manifests = options.manifests.iter().filter_map(|given| {
        let inside = given.canonicalize().ok().and_then(|path| path.strip_prefix(&real).map(Path::to_path_buf).ok());
        match inside {
            Some(path) => Some(folder.join(path)).filter(|path| path.exists()),
            None => Some(given.clone()),
        }
    });
    let options = AnalyzeOptions { files: Some(folder.to_owned()), manifests: manifests.collect(), inventory: false, ..options.clone() };
    let (analysis, Policy { .. }) = engine.analyze(root, &options).map_err(|error| error.to_string())?;
    Ok(analysis)
}

/// Files in which a finding may have a place, complaints about suppressions included.
fn paths(analysis: &Analysis) -> impl Iterator<Item = &str> {
    let findings = analysis.findings.iter().flat_map(|finding| {
        let steps = finding.witness.iter().flatten().map(|step| step.location.path.as_str());
        steps.chain([finding.location.path.as_str()])
    });
    let marked = analysis.comments.iter().filter(|file| file.comments.iter().any(|comment| report::is_suppression(&comment.text)));
    findings.chain(marked.map(|file| file.path.as_str())).chain([crate::config::FILE_NAME, "Cargo.toml"])
}
