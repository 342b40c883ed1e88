//! An older state of a tree, read from its git objects into a private folder outside the tree. No
//! process is started: no checkout, hook, filter or textconv runs, and the repository's own
//! configuration is not even read. Links and submodules are left out.

mod files;
mod repository;

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use repository::Repository;

/// The files of a tree as they were at a commit. The folder goes away with this value.
#[derive(Debug)]
pub struct Past {
    /// The full name of the commit.
    pub commit: String,
    /// What a reader should know about the choice of the commit.
    pub note: Option<String>,
    /// Folders of submodules relative to the root: what is in them is not known.
    pub submodules: Vec<String>,
    folder: TempDir,
}

impl Past {
    /// The folder that stands for the root.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

/// Lays out what the folder `root` held where the work since `revision` began: at the last commit that
/// `HEAD` and `revision` have in common, or at `revision` itself where no such commit can be found.
/// Only files that `wanted` asks for by their name are read.
///
/// # Errors
/// One line: when `root` is in no repository, there is no such revision, or an object is missing, as in
/// a shallow or partial clone.
pub fn lay_out(root: &Path, revision: &str, wanted: &dyn Fn(&str) -> bool) -> Result<Past, String> {
    let root = root.canonicalize().map_err(|error| format!("{} cannot be read: {error}", root.display()))?;
    let repository = Repository::of(&root)?;
    let named = repository.resolve(revision)?;
    let head = repository.resolve("HEAD")?;
    let (commit, note) = match repository.common(head, named) {
        Some(common) => (common, None),
        None => {
            let why = if repository.shallow { "this clone is shallow" } else { "their histories have nothing in common" };
            (named, Some(format!("`{revision}` itself is compared with, because the commit where HEAD left it was not found: {why}")))
        }
    };
    let folder = tempfile::Builder::new()
        .prefix("cargo-stateless-")
        .tempdir()
        .map_err(|error| format!("no folder for the older files can be made: {error}"))?;
    let prefix = PathBuf::from(root.strip_prefix(&repository.work_tree).unwrap_or(Path::new("")));
    let submodules = files::write(&repository, commit, &prefix, wanted, folder.path())?;
    Ok(Past { commit: commit.to_string(), note, submodules, folder })
}
