//! The files of the tree, read and lowered on all cores.

use crate::analysis::{Analysis, AnalyzeOptions};
use crate::cache::{self, Cache};
use crate::syntax::{self, hir};
use crate::workspace::model::{Skip, SourceFile, Workspace};
use rayon::prelude::*;
use std::path::Path;
use std::thread::JoinHandle;

struct Parsed {
    path: String,
    file: Result<hir::File, String>,
    /// The key of its text, with its encoded form if it was lowered anew.
    cached: Option<(u128, Option<Vec<u8>>)>,
}

/// Reads and lowers all files, largest first; the result is sorted by path. What the cache has to learn
/// is written beside the analysis: the handle is to be joined before the process ends.
pub(super) fn parse(
    root: &Path,
    tree: &Workspace,
    cache: Option<Cache>,
    options: &AnalyzeOptions,
    analysis: &mut Analysis,
) -> (Vec<(String, hir::File)>, Option<JoinHandle<()>>) {
    let mut order: Vec<&SourceFile> = tree.files.iter().collect();
    order.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    options.progress.begin("reading", order.len() as u64);
    let parsed: Vec<Parsed> = order
        .par_iter()
        .map(|file| {
            let parsed = one(root, &file.path, cache.as_ref());
            options.progress.tick();
            parsed
        })
        .collect();
    let mut files = Vec::new();
    let mut used = Vec::new();
    for Parsed { path, file, cached } in parsed {
        used.extend(cached);
        match file {
            Ok(file) => {
                analysis.errors.extend(
                    file.problems
                        .iter()
                        .filter(|p| p.lost)
                        .map(|p| Skip { path: path.clone(), reason: format!("line {}: {}", p.line, p.message) }),
                );
                files.push((path, file));
            }
            Err(reason) => analysis.errors.push(Skip { path, reason }),
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    analysis.errors.sort();
    (files, cache.map(|cache| std::thread::spawn(move || cache.keep(&used))))
}

fn one(root: &Path, path: &str, cache: Option<&Cache>) -> Parsed {
    let parsed = |file, cached| Parsed { path: path.to_string(), file, cached };
    let source = match std::fs::read(root.join(path)) {
        Ok(source) => source,
        Err(error) => return parsed(Err(error.to_string()), None),
    };
    let key = cache.map(|_| cache::key(&source));
    if let (Some(cache), Some(key)) = (cache, key)
        && let Some(file) = cache.get(key)
    {
        return parsed(Ok(file), Some((key, None)));
    }
    match syntax::parse(&source) {
        Ok(file) => {
            let cached = key.map(|key| (key, hir::encode(&file))).filter(|(_, encoded)| encoded.is_some());
            parsed(Ok(file), cached)
        }
        Err(refusal) => parsed(Err(format!("line {}: {}", refusal.line, refusal.reason)), None),
    }
}
