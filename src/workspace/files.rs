//! Which Rust files may belong to the targets.

use std::collections::{BTreeMap, BTreeSet};

use super::model::SourceFile;
use super::targets::nearest_manifest;
use super::walk::{Listing, folder_of};
use super::{Draft, Manifests};

/// Rust files beyond this many bytes are left out.
const MAX_RUST_BYTES: u64 = 4 << 20;

/// The files of the kept packages, sorted. A package without targets has none.
pub(super) fn belonging(drafts: &[Draft], kept: &BTreeSet<usize>, manifests: &Manifests, listing: &mut Listing) -> Vec<SourceFile> {
    let claims = Claims::of(drafts, kept, manifests);
    for unread in std::mem::take(&mut listing.rust_unread) {
        if claims.hold(&unread.path, nearest_manifest(manifests, &unread.path)) {
            listing.skipped.insert(unread);
        }
    }
    let mut files = Vec::new();
    for file in std::mem::take(&mut listing.rust) {
        if !claims.hold(&file.path, nearest_manifest(manifests, &file.path)) {
            continue;
        }
        if file.bytes > MAX_RUST_BYTES {
            listing.skip(file.path, "larger than 4 MiB");
        } else {
            files.push(file);
        }
    }
    files
}

struct Claims<'a> {
    /// The kept packages with targets, by folder.
    packages: BTreeSet<&'a str>,
    build_scripts: BTreeSet<&'a str>,
    roots: BTreeSet<&'a str>,
    /// Folders of root files, each with the manifest its files must be nearest to. The modules of a
    /// target lie beside its root, wherever a manifest has put that.
    folders: BTreeMap<&'a str, Option<&'a str>>,
}

impl<'a> Claims<'a> {
    fn of(drafts: &'a [Draft], kept: &BTreeSet<usize>, manifests: &'a Manifests) -> Self {
        let drafts = || kept.iter().filter_map(|index| drafts.get(*index));
        let with_targets = drafts().filter(|draft| !draft.package.targets.is_empty());
        let roots = drafts().flat_map(|draft| &draft.package.targets).map(|target| target.root.as_str());
        let roots: BTreeSet<&str> = roots.collect();
        let folders = roots.iter().map(|root| (folder_of(root), nearest_manifest(manifests, root)));
        Self {
            packages: with_targets.map(|draft| draft.package.dir.as_str()).collect(),
            build_scripts: drafts().map(|draft| draft.build_script.as_str()).collect(),
            folders: folders.filter(|(folder, _)| !manifests.contains_key(*folder)).collect(),
            roots,
        }
    }

    fn hold(&self, path: &str, manifest: Option<&str>) -> bool {
        if self.roots.contains(path) {
            return true;
        }
        if self.build_scripts.contains(path) {
            return false;
        }
        if let Some(dir) = manifest.filter(|dir| self.packages.contains(dir)) {
            let below = if dir.is_empty() { path } else { path.get(dir.len() + 1..).unwrap_or(path) };
            let first = below.split_once('/').map(|(first, _)| first);
            if !matches!(first, Some("tests" | "benches" | "examples")) {
                return true;
            }
        }
        let mut folder = folder_of(path);
        loop {
            if self.folders.get(folder).is_some_and(|nearest| *nearest == manifest) {
                return true;
            }
            if folder.is_empty() {
                return false;
            }
            folder = folder_of(folder);
        }
    }
}
