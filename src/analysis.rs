//! What a run of the engine hands to `report`, and what the command line asks of the engine.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::finding::{ChecklistItem, Finding, Location};
use crate::report::progress::Progress;
use crate::syntax::hir::Comment;
use crate::workspace::model::Skip;

/// Everything one run found out, before suppressions, personas and baselines.
#[derive(Debug, Default)]
pub struct Analysis {
    pub findings: Vec<Finding>,
    /// Comments of the analysed files; `report` looks for suppressions in them.
    pub comments: Vec<FileComments>,
    /// Spans of the items of the analysed files, so that a suppression above an item covers it.
    pub items: Vec<ItemSpan>,
    pub skipped: Vec<Skip>,
    /// Service code that could not be read or understood.
    pub errors: Vec<Skip>,
    /// Manifests and configuration files that could not be: listed with the errors, and no reason to
    /// say that the code was not checked.
    pub unread_manifests: Vec<Skip>,
    pub summary: Summary,
    /// Measured facts that are shown even when an item passes.
    pub checklist_facts: Vec<(ChecklistItem, String)>,
    /// Whether an item could be judged; an item without an entry was not assessed.
    pub assessed: BTreeMap<ChecklistItem, Assessed>,
    pub inventory: Vec<InventoryRow>,
    /// What `stateless.toml` declares to be irreducible.
    pub quarantine: Vec<Quarantine>,
}

/// A declared quarantine, with the places of the tree that it speaks of.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Serialize)]
pub struct Quarantine {
    /// As it is written.
    pub path: String,
    pub owner: Option<String>,
    pub recovery: Option<String>,
    pub why: Option<String>,
    #[serde(skip)]
    pub within: Within,
}

/// Files by path, or symbols by the path of their module.
#[derive(Clone, Debug, Default)]
pub struct Within {
    /// A file or folder; a file stands for the folder of its submodules too.
    pub files: Vec<String>,
    /// Paths of modules, with the crate.
    pub modules: Vec<String>,
}

impl Within {
    /// Whether a file, or a symbol by its full path, belongs to it.
    pub fn has(&self, file: &str, symbol: &str) -> bool {
        let below = |of: &str, all: &str, mark: &str| all.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with(mark));
        self.files.iter().any(|f| below(f, file, "/") || f.strip_suffix(".rs").is_some_and(|f| file.len() > f.len() && below(f, file, "/")))
            || self.modules.iter().any(|m| below(m, symbol, "::"))
    }
}

impl Quarantine {
    /// Whether a finding lies in it. What is wrong with the declaration itself does not.
    pub fn covers(&self, finding: &Finding) -> bool {
        self.within.has(&finding.location.path, &finding.symbol)
    }
}

#[derive(Debug)]
pub struct FileComments {
    pub path: String,
    /// In source order.
    pub comments: Vec<Comment>,
}

/// Lines of one item without its attributes and doc comments, both 1-based and inclusive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ItemSpan {
    pub path: String,
    pub start_line: u32,
    pub end_line: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assessed {
    Yes,
    /// Why the item could not be judged.
    No(String),
}

/// The coverage of a run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub crates: u64,
    pub files: u64,
    pub lines: u64,
    pub entry_points: u64,
    pub cells: u64,
    pub effects: u64,
    /// Calls that could not be followed.
    pub unknown_calls: u64,
    pub calls: u64,
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum InventoryKind {
    Entry,
    Cell,
    Access,
    Effect,
}

/// One entry point, cell, access or effect with its verdict, quiet ones too.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Serialize)]
pub struct InventoryRow {
    pub kind: InventoryKind,
    pub symbol: String,
    /// The type as Rust text, if there is one.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub ty: Option<String>,
    pub location: Location,
    /// `startup`, `request`, `background` or `shutdown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<String>,
    /// `quiet: cache`, or the rule that reports it.
    pub verdict: String,
    /// Why that is the verdict.
    pub reason: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub detail: Vec<String>,
    /// Only of accesses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access: Option<AccessFacts>,
}

/// How a cell is accessed at one place.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Debug, Serialize)]
pub struct AccessFacts {
    /// What is done, in words, e.g. `written by key`.
    pub operation: &'static str,
    /// The method that does it.
    pub method: String,
    /// The function in whose text it stands.
    pub function: String,
    /// Where the key comes from, e.g. `request`, if there is one and it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_from: Option<String>,
    /// Where the written value comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_from: Option<String>,
    /// The entry points that lead here, the nearest first.
    pub entries: Vec<String>,
    /// What happens when nothing is found: `recompute`, `load`, `visible` or `proceed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miss: Option<String>,
}

/// What the command line asks of the engine.
#[derive(Debug, Default, Clone)]
pub struct AnalyzeOptions {
    /// Only these packages; empty means all below the root.
    pub packages: Vec<String>,
    /// Analyse example targets too.
    pub examples: bool,
    /// Read the files of this folder instead, an older state of the tree; settings come from the tree itself.
    pub files: Option<PathBuf>,
    /// Fill [`Analysis::inventory`].
    pub inventory: bool,
    /// Further deployment manifests.
    pub manifests: Vec<PathBuf>,
    /// The folder in which lowered files are kept for the next run, if they are.
    pub cache: Option<PathBuf>,
    pub progress: Progress,
}

/// Why there is no analysis at all, e.g. a root that does not exist.
#[derive(Debug)]
pub struct AnalyzeError {
    pub message: String,
}

impl fmt::Display for AnalyzeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for AnalyzeError {}
