//! Which workspace a package belongs to, and paths that leave a package's folder.

use std::path::{Component, Path, PathBuf};

use super::manifest::{Dependencies, Manifest, WorkspaceTable};
use super::walk::folder_of;
use super::{Manifests, join};

/// Every workspace of the tree, and the one above it, if any.
pub(super) struct Workspaces<'a> {
    /// The tree's folder, absolute.
    root: &'a Path,
    manifests: &'a Manifests,
    above: Option<(Manifest, PathBuf)>,
}

/// The workspace of a package.
pub(super) struct Owner<'a> {
    pub(super) table: &'a WorkspaceTable,
    pub(super) patch: Vec<&'a Dependencies>,
    /// Its folder, absolute.
    pub(super) folder: PathBuf,
}

impl<'a> Workspaces<'a> {
    pub(super) fn new(root: &'a Path, manifests: &'a Manifests) -> Self {
        let mut read = manifests.values().flatten();
        // A member that is analysed on its own still takes its edition and dependencies from above.
        let above = if read.any(Manifest::inherits) { above(root) } else { None };
        Self { root, manifests, above }
    }

    /// The workspace that the package in `dir` names, or else the nearest one above it.
    pub(super) fn of(&self, dir: &str, manifest: &Manifest) -> Option<Owner<'_>> {
        let named = manifest.package.as_ref().and_then(|package| package.workspace.get());
        let named = named.and_then(|path| self.in_tree(&self.folder(dir), path));
        if let Some(owner) = named.and_then(|dir| self.at(&dir)) {
            return Some(owner);
        }
        let mut dir = dir;
        loop {
            if let Some(owner) = self.at(dir) {
                return Some(owner);
            }
            if dir.is_empty() {
                break;
            }
            dir = folder_of(dir);
        }
        let (manifest, folder) = self.above.as_ref()?;
        owner(manifest, folder.clone())
    }

    fn at(&self, dir: &str) -> Option<Owner<'_>> {
        owner(self.manifests.get(dir)?.as_ref()?, self.folder(dir))
    }

    /// A folder of the tree, absolute.
    pub(super) fn folder(&self, dir: &str) -> PathBuf {
        self.root.join(dir)
    }

    /// `path`, written in a manifest in `folder` (absolute), as a path of the tree. `None` when it is outside.
    pub(super) fn in_tree(&self, folder: &Path, path: &str) -> Option<String> {
        let path = normal(&folder.join(path));
        let parts = path.strip_prefix(self.root).ok()?.components().map(|part| part.as_os_str().to_str());
        Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
    }
}

fn owner(manifest: &Manifest, folder: PathBuf) -> Option<Owner<'_>> {
    Some(Owner { table: manifest.workspace.as_ref()?, patch: manifest.patch.values().collect(), folder })
}

fn above(root: &Path) -> Option<(Manifest, PathBuf)> {
    root.ancestors().skip(1).find_map(|folder| {
        let manifest = Manifest::read(&folder.join("Cargo.toml")).ok()?;
        manifest.workspace.is_some().then(|| (manifest, folder.to_owned()))
    })
}

/// Without `.` and `..`, by the text alone.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// `path`, written in the manifest in `dir`, as a path of the tree. `None` when it is outside.
pub(super) fn path_in_tree(dir: &str, path: &str) -> Option<String> {
    let joined = join(dir, path);
    let mut parts = Vec::new();
    for part in Path::new(&joined).components() {
        match part {
            Component::Normal(name) => parts.push(name.to_str()?),
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}
