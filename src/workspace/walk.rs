//! One pass over the folders. Links are never followed; what is passed over is written down.

use std::collections::BTreeSet;
use std::fs;
use std::path::{MAIN_SEPARATOR, Path};

use globset::GlobSet;
use walkdir::{DirEntry, WalkDir};

use super::candidates::{self, Other};
use super::model::{Skip, SourceFile};

/// Folders deeper than this are passed over.
const MAX_DEPTH: usize = 64;
/// The walk ends after this many files and folders.
const MAX_ENTRIES: usize = 500_000;

/// What the folders hold, in the order of the walk until `finish`.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) manifests: Vec<String>,
    pub(super) rust: Vec<SourceFile>,
    /// Rust files by name that are links or no regular files; worth a word where a target could want them.
    pub(super) rust_unread: Vec<Skip>,
    pub(super) others: Vec<SourceFile>,
    pub(super) skipped: BTreeSet<Skip>,
    pub(super) errors: BTreeSet<Skip>,
}

impl Listing {
    pub(super) fn of(root: &Path, exclude: &GlobSet) -> Self {
        let mut listing = Self::default();
        let mut walk = WalkDir::new(root).follow_links(false).sort_by_file_name().into_iter();
        let mut entries = 0;
        while let Some(step) = walk.next() {
            entries += 1;
            if entries > MAX_ENTRIES {
                listing.skip("", format!("more than {MAX_ENTRIES} files and folders: the rest was left out"));
                break;
            }
            let entry = match step {
                Ok(entry) => entry,
                Err(error) => {
                    listing.unreadable(root, &error);
                    continue;
                }
            };
            if entry.depth() == 0 {
                continue;
            }
            let is_dir = entry.file_type().is_dir();
            let Some(path) = relative(root, entry.path()) else {
                let lossy = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy().into_owned();
                listing.skip(lossy, "the name is not UTF-8");
                if is_dir {
                    walk.skip_current_dir();
                }
                continue;
            };
            if exclude.is_match(&path) || (is_dir && !listing.enters(&entry, &path)) {
                if is_dir {
                    walk.skip_current_dir();
                }
                continue;
            }
            if !is_dir {
                listing.file(&entry, path);
            }
        }
        listing.manifests.sort();
        listing.rust.sort_by(|a, b| a.path.cmp(&b.path));
        listing.others.sort_by(|a, b| a.path.cmp(&b.path));
        listing
    }

    pub(super) fn skip(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.skipped.insert(Skip { path: path.into(), reason: reason.into() });
    }

    pub(super) fn error(&mut self, path: impl Into<String>, reason: impl Into<String>) {
        self.errors.insert(Skip { path: path.into(), reason: reason.into() });
    }

    fn unreadable(&mut self, root: &Path, error: &walkdir::Error) {
        let path = error.path().and_then(|path| path.strip_prefix(root).ok());
        let reason = error.io_error().map_or_else(|| "cannot be listed".to_owned(), ToString::to_string);
        self.error(path.unwrap_or(Path::new("")).to_string_lossy(), reason);
    }

    /// Whether the walk goes into a folder.
    fn enters(&mut self, entry: &DirEntry, path: &str) -> bool {
        let name = name_of(path);
        let beside = |file: &str| entry.path().parent().is_some_and(|parent| is_file(&parent.join(file)));
        if name.starts_with('.') && !candidates::deploys(name) || name == "node_modules" || (name == "target" && beside("Cargo.toml")) {
            return false;
        }
        if is_file(&entry.path().join("CACHEDIR.TAG")) {
            self.skip(path, "a cache, as its CACHEDIR.TAG says");
            return false;
        }
        if is_file(&entry.path().join(".cargo-checksum.json")) {
            self.skip(folder_of(path), "vendored crates of a registry");
            return false;
        }
        if entry.depth() >= MAX_DEPTH {
            self.skip(path, format!("more than {MAX_DEPTH} folders deep"));
            return false;
        }
        true
    }

    fn file(&mut self, entry: &DirEntry, path: String) {
        let name = name_of(&path);
        let is_rust = name.ends_with(".rs") && !name.starts_with('.');
        let is_manifest = name == "Cargo.toml";
        let other = candidates::other(name);
        if entry.path_is_symlink() {
            // Asking what a link names reads no content; a link to a folder may hide a whole crate.
            let reason = "a link, not followed";
            if is_rust && !entry.path().is_dir() {
                self.rust_unread.push(Skip { path, reason: reason.to_owned() });
            } else if is_manifest || other.is_some() || entry.path().is_dir() {
                self.skip(path, reason);
            }
            return;
        }
        if !(is_rust || is_manifest || other.is_some()) {
            return;
        }
        if !entry.file_type().is_file() {
            let reason = "not a regular file";
            if is_rust {
                self.rust_unread.push(Skip { path, reason: reason.to_owned() });
            } else {
                self.skip(path, reason);
            }
            return;
        }
        if is_manifest {
            self.manifests.push(path);
            return;
        }
        let bytes = match entry.metadata() {
            Ok(metadata) => metadata.len(),
            Err(error) => {
                let reason = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
                self.error(path, reason);
                return;
            }
        };
        match other {
            None => self.rust.push(SourceFile { path, bytes }),
            Some(kind) if bytes <= kind.max_bytes() => self.others.push(SourceFile { path, bytes }),
            Some(Other::Data) => {}
            Some(Other::Configuration) => self.skip(path, "larger than 1 MiB"),
        }
    }
}

/// The path below the root with `/`; `None` when it is not UTF-8.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let text = path.strip_prefix(root).ok()?.to_str()?;
    Some(if MAIN_SEPARATOR == '/' { text.to_owned() } else { text.replace(MAIN_SEPARATOR, "/") })
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file())
}

pub(super) fn name_of(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// The folder a path lies in, `""` for the root.
pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
