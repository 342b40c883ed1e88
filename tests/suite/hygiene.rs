//! The house stays in order: a rule has its file, page and fixtures, and the README tells the same.

use cargo_stateless::rulebook::{RuleInfo, Rulebook};
use cargo_stateless::rules::PAGES;

use crate::tree::{fixture, project};

#[test]
fn each_rule_has_a_file_a_page_and_fixtures() {
    for (id, _) in PAGES {
        let module = id.replace('-', "_");
        assert!(project().join(format!("src/rules/{module}.rs")).is_file(), "{id} has no file");
        assert!(project().join(format!("rules/{id}.md")).is_file(), "{id} has no page");
        for side in ["report", "quiet"] {
            assert!(fixture(&format!("{id}/{side}")).is_dir(), "{id} has no {side} fixture");
        }
    }
    for entry in std::fs::read_dir(project().join("rules")).expect("readable") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        if let Some(id) = name.strip_suffix(".md") {
            assert!(PAGES.iter().any(|(known, _)| *known == id), "{name} is the page of no rule");
        }
    }
}

#[test]
fn pages_parse_and_have_their_headings() {
    Rulebook::parse(PAGES).expect("every page has valid front matter");
    for (id, page) in PAGES {
        for heading in ["## What it finds", "## Why it breaks", "## Stays quiet when", "## Fix", "## Example"] {
            assert!(page.contains(heading), "{id} lacks {heading}");
        }
    }
}

#[test]
fn files_of_rules_belong_to_a_rule() {
    let known = |module: &str| PAGES.iter().any(|(id, _)| id.replace('-', "_") == module);
    let shared = ["evidence", "inventory", "stories", "work"];
    for entry in std::fs::read_dir(project().join("src/rules")).expect("readable") {
        let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
        let module = name.strip_suffix(".rs").unwrap_or(&name);
        assert!(known(module) || shared.contains(&module), "src/rules/{name} belongs to no rule");
    }
}

/// The table between the markers is generated: on a difference the failure prints the one to paste.
#[test]
fn the_readme_lists_the_rules() {
    let book = Rulebook::parse(PAGES).expect("valid pages");
    let word = |value: serde_json::Result<serde_json::Value>| value.ok().and_then(|v| v.as_str().map(str::to_string)).expect("a word");
    let row = |r: &RuleInfo| {
        let (item, severity) = (word(serde_json::to_value(r.item)), word(serde_json::to_value(r.severity)));
        format!("| `{}` | {item} | {severity} | {} |\n", r.id, r.title)
    };
    let rows: String = book.iter().map(row).collect();
    let table = format!("\n| rule | checklist item | severity | reports |\n|---|---|---|---|\n{rows}");
    let readme = std::fs::read_to_string(project().join("README.md")).expect("a README");
    let shown = readme.split_once("<!-- rules -->").and_then(|(_, rest)| rest.split_once("<!-- /rules -->")).map(|(table, _)| table);
    assert_eq!(shown, Some(table.as_str()), "the table of rules should be:\n{table}");
}
