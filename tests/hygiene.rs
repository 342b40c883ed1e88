//! The house stays in order: a rule has its file, page and fixtures, and the README tells the same.

use cargo_stateless::rulebook::Rulebook;
use cargo_stateless::rules::PAGES;
use std::path::Path;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn each_rule_has_a_file_a_page_and_fixtures() {
    for (id, _) in PAGES {
        let module = id.replace('-', "_");
        assert!(root().join(format!("src/rules/{module}.rs")).is_file(), "{id} has no file");
        assert!(root().join(format!("rules/{id}.md")).is_file(), "{id} has no page");
        for side in ["report", "quiet"] {
            assert!(root().join(format!("fixtures/{id}/{side}")).is_dir(), "{id} has no {side} fixture");
        }
    }
    for entry in std::fs::read_dir(root().join("rules")).expect("readable") {
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
fn the_readme_lists_the_rules() {
    let book = Rulebook::parse(PAGES).expect("valid pages");
    let readme = std::fs::read_to_string(root().join("README.md")).expect("a README");
    let listed: Vec<&str> = readme.lines().filter(|l| l.starts_with("| `")).collect();
    let rows: Vec<String> =
        book.iter().filter(|r| PAGES.iter().any(|(id, _)| *id == r.id)).map(|r| format!("| `{}` | {} |", r.id, r.title)).collect();
    let missing: Vec<&String> = rows.iter().filter(|r| !listed.contains(&r.as_str())).collect();
    assert!(missing.is_empty() && listed.len() == rows.len(), "missing in the README: {missing:#?}");
}
