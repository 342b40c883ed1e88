//! Findings that were known when somebody decided to start with them: one TOML line each, sorted so
//! that two branches merge.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde::Deserialize;

use super::{By, Reported, Settings, Suppressed};

const HEADER: &str = "\
# Findings of cargo-stateless that were known when this file was written. They are not shown; new ones are.
# `cargo stateless baseline --prune` removes the lines of findings that are gone.
";

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    pub rule: String,
    pub symbol: String,
    pub fingerprint: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeSet<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    #[serde(default)]
    findings: BTreeMap<String, String>,
}

impl Baseline {
    /// Reads a baseline file; the error says what is wrong with it, in one line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text.get(..span.start).unwrap_or_default().lines().count().max(1));
            format!("line {line}: {}", error.message())
        })?;
        if file.version != 1 {
            return Err(format!("version {} is not known to this program; it knows 1", file.version));
        }
        let mut entries = BTreeSet::new();
        for (fingerprint, what) in file.findings {
            let (rule, symbol) = what.split_once(' ').unwrap_or((&what, ""));
            if fingerprint.len() != 32 || !fingerprint.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(format!("`{}` is no fingerprint", fingerprint.escape_debug()));
            }
            entries.insert(Entry { rule: rule.to_owned(), symbol: symbol.to_owned(), fingerprint });
        }
        Ok(Self { entries })
    }

    /// A baseline of these findings.
    pub fn of<'a>(findings: impl IntoIterator<Item = &'a Reported>) -> Self {
        let entries = findings
            .into_iter()
            .map(|r| Entry { rule: r.finding.rule.to_owned(), symbol: r.finding.symbol.clone(), fingerprint: r.fingerprint.clone() })
            .collect();
        Self { entries }
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The file's text.
    pub fn write(&self) -> String {
        let mut out = format!("{HEADER}version = 1\n\n[findings]\n");
        for Entry { rule, symbol, fingerprint } in &self.entries {
            let what = toml::Value::String(format!("{rule} {symbol}").replace(['\n', '\r'], " "));
            let _ = writeln!(out, "\"{fingerprint}\" = {what}");
        }
        out
    }

    /// Removes entries; nothing is ever added.
    pub fn without(mut self, stale: &[Entry]) -> Self {
        self.entries.retain(|entry| !stale.contains(entry));
        self
    }

    /// Entries of rules that ran and found nothing of that name.
    pub(super) fn stale<'a>(&self, all: impl Iterator<Item = &'a Reported>, settings: &Settings) -> Vec<Entry> {
        let found: BTreeSet<&str> = all.map(|r| r.fingerprint.as_str()).collect();
        let gone = |entry: &&Entry| !settings.partial && settings.runs(&entry.rule) && !found.contains(entry.fingerprint.as_str());
        self.entries.iter().filter(gone).cloned().collect()
    }

    pub(super) fn apply(&self, reported: Vec<Reported>, suppressed: &mut Vec<Suppressed>) -> Vec<Reported> {
        let known: BTreeSet<&str> = self.entries.iter().map(|entry| entry.fingerprint.as_str()).collect();
        let mut left = Vec::with_capacity(reported.len());
        for reported in reported {
            if known.contains(reported.fingerprint.as_str()) {
                let reason = "known when the baseline was written".to_owned();
                suppressed.push(Suppressed { reported, by: By::Baseline, reason });
            } else {
                left.push(reported);
            }
        }
        left
    }
}
