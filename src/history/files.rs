//! From the tree of a commit to files.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Component, Path};

use gix_hash::ObjectId;
use gix_object::FindExt;
use gix_object::tree::EntryKind;
use gix_odb::HeaderExt;

use super::repository::Repository;

/// Bytes of one file; the analysis reads no larger ones either.
const MAX_FILE: u64 = 4 << 20;
const MAX_TREE: u64 = 64 << 20;
const MAX_TOTAL: u64 = 2 << 30;
const MAX_ENTRIES: usize = 500_000;
const MAX_DEPTH: usize = 64;

/// Writes the wanted files below `prefix` into the folder and returns the submodules that were met.
pub(super) fn write(
    repository: &Repository,
    commit: ObjectId,
    prefix: &Path,
    wanted: &dyn Fn(&str) -> bool,
    into: &Path,
) -> Result<Vec<String>, String> {
    let mut buffer = Vec::new();
    let missing = |id: ObjectId| missing(repository, id);
    let mut tree = repository.objects.find_commit(&commit, &mut buffer).map_err(|_| missing(commit))?.tree();
    for part in prefix.components() {
        let Component::Normal(name) = part else { continue };
        let below = child(repository, tree, &name.to_string_lossy())?;
        // The folder is younger than the commit: it held nothing.
        let Some(below) = below else { return Ok(Vec::new()) };
        tree = below;
    }
    let mut layout = Layout { repository, wanted, into, entries: 0, bytes: 0, submodules: Vec::new() };
    layout.folder(tree, "", 0)?;
    Ok(layout.submodules)
}

fn missing(repository: &Repository, id: ObjectId) -> String {
    let hint = if repository.shallow { "shallow" } else { "damaged or partial" };
    format!("object {id} of the repository at {} is missing: this clone is {hint}", repository.work_tree.display())
}

fn child(repository: &Repository, tree: ObjectId, name: &str) -> Result<Option<ObjectId>, String> {
    let mut buffer = Vec::new();
    let tree = repository.objects.find_tree(&tree, &mut buffer).map_err(|_| missing(repository, tree))?;
    let found = tree.entries.iter().find(|entry| entry.filename == name.as_bytes() && entry.mode.is_tree());
    Ok(found.map(|entry| entry.oid.to_owned()))
}

struct Layout<'a> {
    repository: &'a Repository,
    wanted: &'a dyn Fn(&str) -> bool,
    into: &'a Path,
    entries: usize,
    bytes: u64,
    submodules: Vec<String>,
}

impl Layout<'_> {
    fn folder(&mut self, tree: ObjectId, path: &str, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH || self.size(tree)? > MAX_TREE {
            return Ok(());
        }
        let mut buffer = Vec::new();
        let entries: Vec<(EntryKind, String, ObjectId)> = self
            .repository
            .objects
            .find_tree(&tree, &mut buffer)
            .map_err(|_| missing(self.repository, tree))?
            .entries
            .iter()
            .filter_map(|entry| {
                let name = std::str::from_utf8(entry.filename).ok().filter(|name| is_plain(name))?;
                Some((entry.mode.kind(), name.to_owned(), entry.oid.to_owned()))
            })
            .collect();
        for (kind, name, id) in entries {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(format!("the older tree holds more than {MAX_ENTRIES} files and folders"));
            }
            let path = if path.is_empty() { name } else { format!("{path}/{name}") };
            match kind {
                EntryKind::Tree => self.folder(id, &path, depth + 1)?,
                EntryKind::Blob | EntryKind::BlobExecutable if (self.wanted)(&path) => self.file(id, &path)?,
                EntryKind::Commit => self.submodules.push(path),
                _ => {}
            }
        }
        Ok(())
    }

    fn size(&self, id: ObjectId) -> Result<u64, String> {
        self.repository.objects.header(id).map(|header| header.size()).map_err(|_| missing(self.repository, id))
    }

    fn file(&mut self, id: ObjectId, path: &str) -> Result<(), String> {
        let size = self.size(id)?;
        if size > MAX_FILE {
            return Ok(());
        }
        self.bytes += size;
        if self.bytes > MAX_TOTAL {
            return Err("the older tree holds more than 2 GiB of source".into());
        }
        let mut buffer = Vec::new();
        let blob = self.repository.objects.find_blob(&id, &mut buffer).map_err(|_| missing(self.repository, id))?;
        let target = self.into.join(path);
        let written = (|| {
            fs::create_dir_all(target.parent().unwrap_or(self.into))?;
            OpenOptions::new().write(true).create_new(true).open(&target)?.write_all(blob.data)
        })();
        written.map_err(|error| format!("the older file {path} cannot be laid out: {error}"))
    }
}

/// Whether a name is one plain step down: trees come from strangers, who may write any bytes there.
fn is_plain(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(only)), None) if only == name) && !name.contains(['/', '\\', '\0'])
}
