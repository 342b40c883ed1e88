//! Every rule runs over every fixture: each mark must be met, and nothing unmarked may be said.

use cargo_stateless::analysis::AnalyzeOptions;
use cargo_stateless::config::Config;
use cargo_stateless::finding::Finding;
use cargo_stateless::rules::PAGES;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::tree::{fixture, is_regular, project, texts_below};

/// `(path, line)` to the rules that must be reported there.
type Marks = BTreeMap<(String, u32), BTreeSet<String>>;

fn fixtures() -> PathBuf {
    project().join("fixtures")
}

fn findings(root: &Path) -> Vec<Finding> {
    // The manifests of the fixtures deploy a service of this name, whose code is not beside them.
    let ids: Vec<&str> = PAGES.iter().map(|(id, _)| *id).collect();
    let own = Config::load(root, &ids).expect("the settings of a fixture are right");
    let config = Config { services: vec!["shop".into()], ..own };
    let analysis = cargo_stateless::engine::analyze(root, &config, &AnalyzeOptions::default());
    let analysis = analysis.expect("the fixtures are a tree");
    let declared = |f: &Finding| analysis.quarantine.iter().any(|q| q.covers(f));
    analysis.findings.iter().filter(|f| is_regular(f) && !declared(f)).cloned().collect()
}

/// Each case on its own, as a user's tree would be, with paths relative to the fixtures.
fn all_findings() -> Vec<Finding> {
    let folders = |dir: &Path| {
        let entries = std::fs::read_dir(dir).expect("readable").map(|e| e.expect("readable").path());
        let mut entries: Vec<PathBuf> = entries.filter(|p| p.is_dir() && !p.ends_with("target")).collect();
        entries.sort();
        entries
    };
    let mut found = Vec::new();
    for case in folders(&fixtures()).iter().flat_map(|rule| folders(rule)).flat_map(|side| folders(&side)) {
        let prefix = case.strip_prefix(fixtures()).expect("below").to_string_lossy().replace('\\', "/");
        found.extend(findings(&case).into_iter().map(|mut f| {
            f.location.path = format!("{prefix}/{}", f.location.path);
            f
        }));
    }
    found
}

/// Marks of rules that exist; `//~ rule` in Rust, `#~ rule` in manifests.
fn marks() -> Marks {
    let mut found = Marks::new();
    for (path, text) in texts_below(&fixtures()) {
        let mark = if path.ends_with(".rs") { "//~ " } else { "#~ " };
        for (index, line) in text.lines().enumerate() {
            let Some((_, rules)) = line.split_once(mark) else { continue };
            let known = rules.split([' ', ',']).filter(|r| PAGES.iter().any(|(id, _)| id == r)).map(str::to_string);
            found.entry((path.clone(), index as u32 + 1)).or_default().extend(known);
        }
    }
    found
}

/// What is not yet told apart, by the case's folder, each with the reason. A case that is mended must
/// be taken off this list, or the test fails.
fn open_cases() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(fixture("open-cases.txt")).unwrap_or_default();
    let lines = text.lines().filter(|l| !l.starts_with('#') && !l.trim().is_empty());
    lines.filter_map(|l| l.split_once(": ")).map(|(case, why)| (case.to_string(), why.to_string())).collect()
}

fn case_of(path: &str) -> String {
    path.split('/').take(3).collect::<Vec<_>>().join("/")
}

#[test]
fn fixtures_say_what_is_reported_and_nothing_else_is() {
    let expected = marks();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut met = 0;
    let found = all_findings();
    for finding in &found {
        let at = (finding.location.path.clone(), finding.location.line);
        if !expected.get(&at).is_some_and(|rules| rules.contains(finding.rule)) {
            let text = format!("unmarked {}:{} {}: {}", at.0, at.1, finding.rule, finding.message);
            wrong.entry(case_of(&at.0)).or_default().push(text);
        }
    }
    for ((path, line), rules) in &expected {
        for rule in rules {
            if found.iter().any(|f| f.rule == rule && f.location.path == *path && f.location.line == *line) {
                met += 1;
            } else {
                wrong.entry(case_of(path)).or_default().push(format!("missed {path}:{line} {rule}"));
            }
        }
    }
    let open = open_cases();
    let mended: Vec<&String> = open.keys().filter(|case| !wrong.contains_key(*case)).collect();
    let news: Vec<&String> = wrong.iter().filter(|(case, _)| !open.contains_key(*case)).flat_map(|(_, texts)| texts).collect();
    assert!(met > 50, "only {met} marks were met: the fixtures were not read");
    assert!(news.is_empty(), "{news:#?}");
    assert!(mended.is_empty(), "no longer open: {mended:?}");
}

#[test]
fn a_command_line_tool_has_no_findings() {
    let found = findings(&fixture("clean-cli"));
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn messages_put_the_harm_first_and_end_without_a_stop() {
    for finding in all_findings() {
        let first = finding.message.chars().next();
        assert!(first.is_some_and(|c| !c.is_uppercase() || finding.message.starts_with("N ")), "{}", finding.message);
        assert!(!finding.message.ends_with('.'), "{}", finding.message);
        assert!(finding.witness.iter().all(|path| !path.is_empty()), "{}: an empty witness", finding.symbol);
    }
}
