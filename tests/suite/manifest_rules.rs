//! The two manifest rules over their fixtures: a finding on every marked line, and nowhere else.

use std::collections::BTreeSet;

use cargo_stateless::finding::Persona;
use cargo_stateless::manifests::{self, ManifestContext, Service};
use cargo_stateless::rules::{single_instance, sticky_session};

use crate::tree::{fixture, texts_below};

type Marks = BTreeSet<(String, String, u32)>;

fn marks(files: &[(String, String)]) -> Marks {
    let mut marks = Marks::new();
    for (path, text) in files {
        for (index, line) in text.lines().enumerate() {
            if let Some((_, rule)) = line.split_once("#~ ") {
                marks.insert((path.clone(), rule.trim().to_owned(), index as u32 + 1));
            }
        }
    }
    marks
}

fn regular_findings(files: &[(String, String)]) -> Marks {
    let facts = manifests::read(files);
    assert_eq!(facts.errors, [], "fixtures parse");
    let service = Service { names: vec!["shop".to_owned()], folder: String::new(), packages: vec!["shop".to_owned()] };
    let context = ManifestContext::new(vec![service], Vec::new(), Vec::new());
    single_instance::check(&facts, &context)
        .into_iter()
        .chain(sticky_session::check(&facts, &context))
        .filter(|finding| finding.persona == Persona::Regular)
        .map(|finding| (finding.location.path, finding.rule.to_owned(), finding.location.line))
        .collect()
}

#[test]
fn every_marked_line_is_found_and_no_other() {
    let mut cases = 0;
    let mut wrong = Vec::new();
    for rule in ["single-instance", "sticky-session"] {
        for verdict in ["report", "quiet"] {
            let folder = fixture(rule).join(verdict);
            for case in std::fs::read_dir(&folder).expect("fixtures").map(|entry| entry.expect("case").path()) {
                // Cases of code are judged with the others.
                if case.join("Cargo.toml").is_file() {
                    continue;
                }
                let files = texts_below(&case);
                let expected = marks(&files);
                assert_eq!(verdict == "quiet", expected.is_empty(), "marks of {}", case.display());
                let found = regular_findings(&files);
                if found != expected {
                    wrong.push(format!("{}: expected {expected:?}, found {found:?}", case.display()));
                }
                cases += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases >= 30, "{cases} cases");
}
