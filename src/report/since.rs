//! What a change introduced: findings of two states of a tree joined by their fingerprints, so that a
//! new reader in one file counts against the cell in another, and a moved line does not count at all.

use std::collections::{BTreeMap, BTreeSet};

use imara_diff::{Algorithm, Diff, InternedInput};

use super::{Report, Reported, SourceText};
use crate::finding::{ChecklistItem, Finding, Location};

/// The older state of a tree and what differs from it.
#[derive(Clone, Debug, Default)]
pub struct Since {
    /// As the user named it.
    pub revision: String,
    /// The full name of the commit that was compared with.
    pub commit: String,
    /// What a reader should know about the comparison.
    pub notes: Vec<String>,
    /// The findings of each name that were shown of the older state.
    known: BTreeMap<Name, Vec<Mark>>,
    /// Folders whose older state is not known.
    submodules: Vec<String>,
    changed: Changed,
}

/// What a fingerprint is made of, but for the occurrence.
type Name = (&'static str, String, String);

fn name(finding: &Finding) -> Name {
    (finding.rule, finding.package.clone(), finding.symbol.clone())
}

/// By what a finding is known when the module around it has got another name: its rule, what it is called
/// inside of its module, and its type.
type Mark = (&'static str, String, Option<String>);

fn mark(finding: &Finding) -> Mark {
    let own = finding.symbol.rsplit("::").next().unwrap_or(&finding.symbol);
    (finding.rule, own.to_owned(), finding.ty.clone())
}

impl Since {
    /// `older` is the report on the older state, made with the same settings.
    pub fn new(revision: String, commit: String, older: &Report, submodules: Vec<String>, changed: Changed) -> Self {
        let mut known = BTreeMap::new();
        for reported in &older.findings {
            known.entry(name(&reported.finding)).or_insert_with(Vec::new).push(mark(&reported.finding));
        }
        Self { revision, commit, notes: Vec::new(), known, submodules, changed }
    }

    /// Splits findings into those that are new and those that were there before. Where there are more of
    /// a name than before, the new ones are those on changed lines, else the last ones. One that is new by
    /// its name has only moved if it is the one with its mark and just one with this mark is gone.
    pub(super) fn split(&self, reported: Vec<Reported>) -> (Vec<Reported>, Vec<Reported>) {
        let mut of_name: BTreeMap<Name, Vec<(bool, usize)>> = BTreeMap::new();
        for (at, reported) in reported.iter().enumerate() {
            let finding = &reported.finding;
            let untouched = !self.in_diff(&finding.location) && !finding.witness.iter().flatten().any(|step| self.in_diff(&step.location));
            of_name.entry(name(finding)).or_default().push((!untouched, at));
        }
        let (mut before, mut seen, mut gone) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        for (name, mut places) in of_name {
            places.sort_unstable();
            let known = self.known.get(&name).map_or(&[][..], Vec::as_slice);
            gone.extend(known.iter().skip(places.len()));
            before.extend(places.into_iter().take(known.len()).map(|(_, at)| at));
            seen.insert(name);
        }
        gone.extend(self.known.iter().filter(|(name, _)| !seen.contains(*name)).flat_map(|(_, marks)| marks));
        let mut come: BTreeMap<Mark, Vec<usize>> = BTreeMap::new();
        for (at, reported) in reported.iter().enumerate().filter(|(at, _)| !before.contains(at)) {
            come.entry(mark(&reported.finding)).or_default().push(at);
        }
        let once = |mark: &Mark| gone.iter().filter(|other| **other == mark).count() == 1;
        before.extend(come.iter().filter(|(mark, at)| at.len() == 1 && once(mark)).flat_map(|(_, at)| at));
        let mut split = (Vec::new(), Vec::new());
        for (at, reported) in reported.into_iter().enumerate() {
            let unknowable = self.submodules.iter().any(|folder| is_below(&reported.finding.location.path, folder));
            let side = if before.contains(&at) || unknowable { &mut split.1 } else { &mut split.0 };
            side.push(reported);
        }
        split
    }

    /// Whether a line of the place was added or changed, so that a review comment can stand there.
    pub fn in_diff(&self, location: &Location) -> bool {
        let lines = self.changed.lines.get(&location.path).map(Vec::as_slice).unwrap_or_default();
        lines.iter().any(|(start, end)| *start <= location.end_line.max(location.line) && location.line < *end)
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// How many findings of each item were there before.
pub(super) fn by_item(known: &[Reported]) -> BTreeMap<ChecklistItem, u64> {
    let mut counts = BTreeMap::new();
    for reported in known {
        *counts.entry(reported.finding.item).or_default() += 1;
    }
    counts
}

/// Added and changed lines of files, from one to before another, 1-based; a file that was not there before is new in all its lines.
#[derive(Clone, Debug, Default)]
pub struct Changed {
    lines: BTreeMap<String, Vec<(u32, u32)>>,
}

impl Changed {
    /// Compares the files line by line. Renamed files count as new.
    pub fn of<'a>(paths: impl IntoIterator<Item = &'a str>, older: &dyn SourceText, newer: &dyn SourceText) -> Self {
        let mut lines = BTreeMap::new();
        for path in paths.into_iter().collect::<BTreeSet<_>>() {
            let Some(after) = newer.text(path) else { continue };
            let found = match older.text(path) {
                Some(before) => added(&before, &after),
                None => vec![(1, u32::MAX)],
            };
            if !found.is_empty() {
                lines.insert(path.to_owned(), found);
            }
        }
        Self { lines }
    }
}

fn added(before: &str, after: &str) -> Vec<(u32, u32)> {
    let input = InternedInput::new(before, after);
    let diff = Diff::compute(Algorithm::Histogram, &input);
    diff.hunks().filter(|hunk| !hunk.after.is_empty()).map(|hunk| (hunk.after.start + 1, hunk.after.end + 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::{at, finding};
    use crate::report::{Settings, assemble, sample};

    fn report(findings: Vec<Finding>, since: Option<Since>) -> Report {
        let analysis = crate::analysis::Analysis { findings, ..crate::analysis::Analysis::default() };
        assemble(analysis, &Settings { since, ..Settings::default() }, &sample::rulebook(), &|_: &str| None)
    }

    fn task(line: u32) -> Finding {
        finding("detached-task", "shop::a", at("src/a.rs", line, 1, 9))
    }

    const BEFORE: &str = "one\ntwo\nthree\n";

    #[test]
    fn added_and_changed_lines_are_told_from_moved_ones() {
        assert_eq!(added(BEFORE, "zero\none\ntwo\nthree\n"), [(1, 2)]);
        assert_eq!(added(BEFORE, "one\ntoo\nthree\nfour\n"), [(2, 3), (4, 5)]);
        assert!(added(BEFORE, "one\nthree\n").is_empty());
    }

    #[test]
    fn of_equal_names_the_one_on_a_changed_line_is_new() {
        let older = report(vec![task(1)], None);
        let changed = Changed::of(["src/a.rs"], &|_: &str| Some(BEFORE.into()), &|_: &str| Some(format!("spawn\n{BEFORE}")));
        let since = Since::new("main".into(), "abc".into(), &older, Vec::new(), changed);
        let newer = report(vec![task(1), task(2)], Some(since));
        assert_eq!(newer.findings.iter().map(|r| r.finding.location.line).collect::<Vec<_>>(), [1]);
        assert_eq!(newer.hidden.since, 1);
        assert_eq!(newer.checklist[0].reason, "1 finding; 1 there before `main`");
    }

    #[test]
    fn what_was_there_before_is_neither_shown_nor_a_pass() {
        let older = report(vec![task(1)], None);
        let since = Since::new("main".into(), "abc".into(), &older, Vec::new(), Changed::default());
        let newer = report(vec![task(7)], Some(since.clone()));
        assert!(newer.findings.is_empty());
        assert_eq!(newer.exit.code(), 0);
        assert_eq!(newer.checklist[0].reason, "only what came since `main` was asked for; 1 finding there before");
        let elsewhere = report(vec![finding("detached-task", "shop::b", at("src/a.rs", 7, 1, 9))], Some(since));
        assert_eq!(elsewhere.exit.code(), 1);
    }

    #[test]
    fn what_a_renamed_module_takes_along_is_not_new() {
        let of = |symbols: &[&str]| symbols.iter().map(|s| finding("detached-task", s, at("src/a.rs", 1, 1, 9))).collect::<Vec<_>>();
        let new = |older: &[&str], newer: &[&str]| {
            let since = Since::new("main".into(), "abc".into(), &report(of(older), None), Vec::new(), Changed::default());
            let symbols = report(of(newer), Some(since)).findings.into_iter().map(|r| r.finding.symbol).collect::<Vec<_>>();
            symbols.join(" ")
        };
        assert_eq!(new(&["shop::mail::send", "shop::b::run"], &["shop::post::send", "shop::b::run"]), "");
        assert_eq!(new(&["shop::mail::send"], &["shop::mail::send", "shop::post::send"]), "shop::post::send", "a copy is new");
        assert_eq!(new(&["shop::mail::send"], &["shop::mail::post"]), "shop::mail::post");
        let two = "shop::c::send shop::d::send";
        assert_eq!(new(&["shop::a::send", "shop::b::send"], &["shop::c::send", "shop::d::send"]), two, "which is which is not known");
    }

    #[test]
    fn what_lies_in_a_submodule_is_not_taken_for_new() {
        let since = Since { submodules: vec!["src".into()], ..Since::default() };
        assert!(report(vec![task(7)], Some(since.clone())).findings.is_empty());
        let beside = finding("detached-task", "shop::a", at("srcs/a.rs", 7, 1, 9));
        assert_eq!(report(vec![beside], Some(since)).findings.len(), 1);
    }
}
