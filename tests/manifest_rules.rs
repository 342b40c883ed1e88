//! The two manifest rules over their fixtures: a finding on every marked line, and nowhere else.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cargo_stateless::finding::Persona;
use cargo_stateless::manifests::{self, ManifestContext, Service};
use cargo_stateless::rules::{single_instance, sticky_session};

type Marks = BTreeSet<(String, String, u32)>;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a fixture folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn read_case(case: &Path) -> Vec<(String, String)> {
    files_below(case)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(case).expect("below the case");
            let name = name.to_string_lossy().replace('\\', "/");
            (name, std::fs::read_to_string(&path).expect("text"))
        })
        .collect()
}

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
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases = 0;
    let mut wrong = Vec::new();
    for rule in ["single-instance", "sticky-session"] {
        for verdict in ["report", "quiet"] {
            let folder = root.join(rule).join(verdict);
            for case in std::fs::read_dir(&folder).expect("fixtures").map(|entry| entry.expect("case").path()) {
                let files = read_case(&case);
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
