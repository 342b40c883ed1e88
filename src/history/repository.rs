//! Which commit is meant.

use std::path::{Path, PathBuf};

use gix_hash::ObjectId;
use gix_object::{FindExt, Kind};
use gix_ref::file::ReferenceExt;
use gix_revision::merge_base::Flags;

/// Tags of tags deeper than this are not followed.
const MAX_TAGS: usize = 16;

pub(super) struct Repository {
    pub(super) work_tree: PathBuf,
    /// The history ends somewhere, as the clone was made.
    pub(super) shallow: bool,
    pub(super) objects: gix_odb::Handle,
    refs: gix_ref::file::Store,
}

impl Repository {
    /// The repository in whose work tree the folder lies.
    pub(super) fn of(folder: &Path) -> Result<Self, String> {
        let none = || format!("--since needs a git repository, and {} is in none", folder.display());
        let (found, _) = gix_discover::upwards(folder).map_err(|_| none())?;
        let (git_dir, work_tree) = found.into_repository_and_work_tree_directories();
        let work_tree = work_tree.ok_or_else(none)?;
        let work_tree = work_tree.canonicalize().map_err(|error| format!("{} cannot be read: {error}", work_tree.display()))?;
        let linked = gix_discover::path::from_plain_file(&git_dir.join("commondir")).and_then(Result::ok);
        let common = linked.as_ref().map_or_else(|| git_dir.clone(), |path| git_dir.join(path));
        let sha1 = gix_hash::Kind::Sha1;
        let refs = match linked {
            Some(_) => gix_ref::file::Store::for_linked_worktree(git_dir, common.clone(), sha1),
            None => gix_ref::file::Store::at(git_dir, sha1),
        };
        let objects = gix_odb::at(common.join("objects"), sha1)
            .map_err(|error| format!("the objects of the repository at {} cannot be read: {error}", work_tree.display()))?;
        Ok(Self { shallow: common.join("shallow").is_file(), work_tree, objects, refs })
    }

    /// The commit that a revision names: a branch, tag, remote branch or (abbreviated) hash, followed by
    /// any number of `^`, `^n`, `~` and `~n`.
    pub(super) fn resolve(&self, revision: &str) -> Result<ObjectId, String> {
        let (name, mut steps) = revision.split_at(revision.find(['^', '~']).unwrap_or(revision.len()));
        let mut id = self.named(if name == "@" { "HEAD" } else { name }, revision)?;
        while let Some(mark) = steps.chars().next() {
            let rest = steps.get(1..).unwrap_or_default();
            let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let (count, rest) = rest.split_at(digits);
            let count: usize = if count.is_empty() { 1 } else { count.parse().map_err(|_| self.unknown(revision))? };
            steps = rest;
            match mark {
                '~' => {
                    for _ in 0..count {
                        id = self.parent(id, 1, revision)?;
                    }
                }
                '^' if count > 0 => id = self.parent(id, count, revision)?,
                '^' => {}
                _ => return Err(self.unknown(revision)),
            }
        }
        Ok(id)
    }

    fn named(&self, name: &str, revision: &str) -> Result<ObjectId, String> {
        let unknown = || self.unknown(revision);
        let id = match self.refs.try_find(name) {
            Ok(Some(mut reference)) => reference.peel_to_id(&self.refs, &self.objects).map_err(|_| unknown())?,
            _ => {
                let prefix = gix_hash::Prefix::from_hex(name).map_err(|_| unknown())?;
                match self.objects.lookup_prefix(prefix, None) {
                    Ok(Some(Ok(id))) => id,
                    Ok(Some(Err(()))) => return Err(format!("`{revision}` is the beginning of several hashes")),
                    _ => return Err(unknown()),
                }
            }
        };
        self.commit(id).ok_or_else(unknown)
    }

    /// The commit that an object is, or that a tag names.
    fn commit(&self, mut id: ObjectId) -> Option<ObjectId> {
        let mut buffer = Vec::new();
        for _ in 0..MAX_TAGS {
            let object = self.objects.find(&id, &mut buffer).ok()?;
            match object.kind {
                Kind::Commit => return Some(id),
                Kind::Tag => id = object.decode().ok()?.into_tag()?.target(),
                _ => return None,
            }
        }
        None
    }

    fn parent(&self, id: ObjectId, number: usize, revision: &str) -> Result<ObjectId, String> {
        let mut buffer = Vec::new();
        let commit = self.objects.find_commit(&id, &mut buffer).map_err(|_| self.unknown(revision))?;
        let parent = commit.parents().nth(number - 1).ok_or_else(|| self.unknown(revision))?;
        if self.commit(parent).is_none() {
            return Err(self.unknown(revision));
        }
        Ok(parent)
    }

    fn unknown(&self, revision: &str) -> String {
        let hint = if self.shallow {
            "; this clone is shallow: fetch that revision first, or clone with the whole history (`fetch-depth: 0`)"
        } else {
            "; a branch, tag or hash is understood, with `^` and `~` behind it"
        };
        format!("the repository at {} has no revision `{}`{hint}", self.work_tree.display(), revision.escape_debug())
    }

    /// The last commit that both histories have in common, as far as they are there.
    pub(super) fn common(&self, one: ObjectId, other: ObjectId) -> Option<ObjectId> {
        let mut graph = gix_revision::Graph::<gix_revision::graph::Commit<Flags>>::new(&self.objects, None);
        let bases = gix_revision::merge_base(one, &[other], &mut graph).ok()??;
        Some(*bases.first())
    }
}
