//! What earlier runs lowered: the HIR of files by the hash of their content, so that a second run parses
//! only what has changed.
//!
//! One file a tree, in the user's own cache folder and never inside the analysed tree. Such a file is
//! input like any other: what is damaged, foreign or of another build is passed over, and its sources are
//! parsed. Two runs at once are no harm: a file is replaced as a whole.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustc_hash::{FxHashMap, FxHashSet};
use xxhash_rust::xxh3::xxh3_128;

use crate::syntax::hir;

const MAGIC: &[u8; 8] = b"stateles";
/// Counts up when the layout of the cache file changes; that of the HIR changes with the program.
const FORMAT: u32 = 2;
/// Bytes of one cache file.
const MAX_FILE: u64 = 256 << 20;
/// Bytes of all cache files; the oldest go first.
const MAX_FOLDER: u64 = 512 << 20;
const HEADER: usize = 8 + 16 + 16 + 4;
const ENTRY: usize = 16 + 16 + 4;
const EXTENSION: &str = "hir";

/// The cache of one tree as it was found.
pub struct Cache {
    path: PathBuf,
    build: u128,
    bytes: Vec<u8>,
    entries: FxHashMap<u128, Stored>,
}

struct Stored {
    at: Range<usize>,
    check: u128,
}

/// The key of a source text.
pub fn key(source: &[u8]) -> u128 {
    xxh3_128(source)
}

impl Cache {
    /// Opens the cache of a tree, an empty one if there is none yet; `None` where none can be kept.
    pub fn open(folder: &Path, root: &Path) -> Option<Cache> {
        let root = root.canonicalize().ok()?;
        // Nothing may be made inside the tree, not even the folder.
        if std::path::absolute(folder).ok()?.starts_with(&root) {
            return None;
        }
        fs::create_dir_all(folder).ok()?;
        let folder = folder.canonicalize().ok()?;
        if folder.starts_with(&root) {
            return None;
        }
        let path = folder.join(format!("{:032x}.{EXTENSION}", xxh3_128(root.as_os_str().as_encoded_bytes())));
        let build = build();
        let bytes = read(&path).unwrap_or_default();
        let entries = index(&bytes, build).unwrap_or_default();
        Some(Cache { path, build, bytes, entries })
    }

    /// The HIR of the source with this key.
    pub fn get(&self, key: u128) -> Option<hir::File> {
        let stored = self.entries.get(&key)?;
        let bytes = self.bytes.get(stored.at.clone())?;
        if xxh3_128(bytes) != stored.check { None } else { hir::decode(bytes) }
    }

    /// Keeps what this run used: what it found by its key alone, what it lowered with its encoded HIR.
    /// Linear in the size of both. That nothing can be written is no error.
    pub fn keep(&self, used: &[(u128, Option<Vec<u8>>)]) {
        if used.iter().all(|(_, fresh)| fresh.is_none()) {
            return;
        }
        let mut seen = FxHashSet::default();
        let mut chosen: Vec<(u128, &[u8])> = Vec::new();
        for (key, fresh) in used {
            let old = || self.entries.get(key).and_then(|stored| self.bytes.get(stored.at.clone()));
            if let Some(bytes) = fresh.as_deref().or_else(old).filter(|_| seen.insert(*key)) {
                chosen.push((*key, bytes));
            }
        }
        let size = |of: &[(u128, &[u8])]| of.iter().map(|(_, bytes)| (bytes.len() + ENTRY) as u64).sum::<u64>();
        // Files of packages that were not asked for, and of other branches, as long as they are the smaller part.
        let mut others: Vec<(u128, &[u8])> = self
            .entries
            .iter()
            .filter(|(key, _)| !seen.contains(key))
            .filter_map(|(key, stored)| Some((*key, self.bytes.get(stored.at.clone())?)))
            .collect();
        others.sort_unstable_by_key(|(key, _)| *key);
        if size(&others) <= size(&chosen) {
            chosen.append(&mut others);
        }
        if size(&chosen) + HEADER as u64 <= MAX_FILE {
            let _ = self.write(&chosen);
            self.trim();
        }
    }

    fn write(&self, chosen: &[(u128, &[u8])]) -> std::io::Result<()> {
        let mut index = Vec::with_capacity(chosen.len() * ENTRY);
        for (key, bytes) in chosen {
            index.extend(key.to_le_bytes());
            index.extend(xxh3_128(bytes).to_le_bytes());
            index.extend((bytes.len() as u32).to_le_bytes());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new().suffix(&format!(".{EXTENSION}")).tempfile_in(folder)?;
        let mut out = std::io::BufWriter::with_capacity(1 << 20, &mut file);
        out.write_all(MAGIC)?;
        out.write_all(&self.build.to_le_bytes())?;
        out.write_all(&xxh3_128(&index).to_le_bytes())?;
        out.write_all(&(chosen.len() as u32).to_le_bytes())?;
        out.write_all(&index)?;
        for (_, bytes) in chosen {
            out.write_all(bytes)?;
        }
        out.flush()?;
        drop(out);
        file.persist(&self.path)?;
        Ok(())
    }

    /// Removes the oldest cache files until the folder is within its bound.
    fn trim(&self) {
        let Some(folder) = self.path.parent().and_then(|f| fs::read_dir(f).ok()) else { return };
        let mut files: Vec<(SystemTime, PathBuf, u64)> = folder
            .flatten()
            .filter(|entry| entry.path().extension().is_some_and(|e| e == EXTENSION))
            .filter_map(|entry| {
                let meta = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((meta.modified().ok()?, entry.path(), meta.len()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, _, size)| size).sum();
        for (_, path, size) in files {
            if total <= MAX_FOLDER {
                return;
            }
            if path != self.path && fs::remove_file(&path).is_ok() {
                total -= size;
            }
        }
    }
}

/// This very program: another build may lower otherwise.
fn build() -> u128 {
    let meta = std::env::current_exe().and_then(fs::metadata).ok();
    let changed = meta.as_ref().and_then(|m| m.modified().ok()).and_then(|m| m.duration_since(SystemTime::UNIX_EPOCH).ok());
    let size = meta.map_or(0, |m| m.len());
    xxh3_128(format!("{FORMAT} {} {size} {changed:?}", env!("CARGO_PKG_VERSION")).as_bytes())
}

/// The bytes of a regular file within the bound.
fn read(path: &Path) -> Option<Vec<u8>> {
    let meta = fs::symlink_metadata(path).ok().filter(|m| m.is_file() && m.len() <= MAX_FILE)?;
    let mut bytes = Vec::with_capacity(meta.len() as usize);
    File::open(path).ok()?.take(MAX_FILE).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The entries of a whole cache file of this build.
fn index(bytes: &[u8], build: u128) -> Option<FxHashMap<u128, Stored>> {
    let number = |from: usize| bytes.get(from..from + 16).and_then(|b| b.try_into().ok()).map(u128::from_le_bytes);
    let short = |from: usize| bytes.get(from..from + 4).and_then(|b| b.try_into().ok()).map(u32::from_le_bytes);
    if bytes.get(..8)? != MAGIC || number(8)? != build {
        return None;
    }
    let count = short(40)? as usize;
    let payload = count.checked_mul(ENTRY)?.checked_add(HEADER)?;
    if xxh3_128(bytes.get(HEADER..payload)?) != number(24)? {
        return None;
    }
    let mut entries = FxHashMap::default();
    let mut at = payload;
    for place in (HEADER..payload).step_by(ENTRY) {
        let end = at.checked_add(short(place + 32)? as usize)?;
        entries.insert(number(place)?, Stored { at: at..end, check: number(place + 16)? });
        at = end;
    }
    (at == bytes.len()).then_some(entries)
}

#[cfg(test)]
mod tests;
