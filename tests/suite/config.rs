//! What `stateless.toml` and `[workspace.metadata.stateless]` do to a run.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::tree::{self, Tree, binary, report};

/// A library of jobs on a framework of its own: nothing of it is known to the catalog.
const JOBS: &str = r#"
use our_bus::{job, Message};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

static SEATS: LazyLock<Mutex<HashMap<u64, String>>> = LazyLock::new(Mutex::default);

#[job("reserve")]
pub fn reserve(message: Message) {
    SEATS.lock().unwrap().insert(message.seat, message.name);
}

#[job("confirm")]
pub fn confirm(message: Message) -> Result<String, Gone> {
    SEATS.lock().unwrap().remove(&message.seat).ok_or(Gone)
}

pub struct Gone;
"#;

fn tree(settings: &str, metadata: &str) -> Tree {
    let manifest = tree::manifest("hall", &["our_bus"]) + metadata;
    let tree = Tree::new(&[("Cargo.toml", manifest.as_str()), ("src/lib.rs", "pub mod seats;\n"), ("src/seats.rs", JOBS)]);
    if !settings.is_empty() {
        tree.write("stateless.toml", settings);
    }
    tree
}

fn run(dir: &Path, args: &[&str]) -> Output {
    binary().arg(dir).args(args).output().expect("the binary runs")
}

fn code(dir: &Path) -> Option<i32> {
    run(dir, &[]).status.code()
}

fn found(dir: &Path) -> Vec<String> {
    let report = report(dir, &[]);
    let findings = report["findings"].as_array().expect("a list").iter();
    findings
        .map(|f| {
            format!("{} {} {}", f["severity"].as_str().unwrap_or(""), f["rule"].as_str().unwrap_or(""), f["symbol"].as_str().unwrap_or(""))
        })
        .collect()
}

const ATTRIBUTE: &str = "[[entry-point]]\nattribute = \"job\"\n";
const SEATS: &str = "error authoritative-memory hall::seats::SEATS";

#[test]
fn entry_points_of_an_unknown_framework_are_configured_by_attribute_or_path() {
    assert!(found(tree("", "").path()).is_empty(), "without a word nothing is known to run once a request");
    assert_eq!(found(tree(ATTRIBUTE, "").path()), [SEATS]);

    let paths = "[[entry-point]]\npath = \"crate::seats::reserve\"\nname = \"reservations queue\"\n\
                 [[entry-point]]\npath = \"hall::seats::confirm\"\n";
    let dir = tree(paths, "");
    assert_eq!(found(dir.path()), [SEATS]);
    let witness = report(dir.path(), &[])["findings"][0]["witness"].to_string();
    assert!(witness.contains("written by reservations queue") && witness.contains("entry point confirm"), "{witness}");
}

#[test]
fn an_entry_point_that_names_nothing_is_an_error_with_its_place() {
    let dir = tree("\n[[entry-point]]\npath = \"hall::seats::confrim\"\n", "");
    let output = run(dir.path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("stateless.toml:2: no function `hall::seats::confrim`"), "{said}");
    assert!(said.contains("did you mean `hall::seats::confirm`?"), "{said}");
    let dir = tree("[[entry-point]]\nattribute = \"jobs\"\n", "");
    assert_eq!(run(dir.path(), &[]).status.code(), Some(2));
}

#[test]
fn the_manifest_may_hold_the_settings() {
    let metadata = "[workspace]\n[[workspace.metadata.stateless.entry-point]]\nattribute = \"job\"\n";
    assert_eq!(found(tree("", metadata).path()), [SEATS]);
    let typo = "[workspace]\n[workspace.metadata.stateless]\nfail-no = \"error\"\n";
    let output = run(tree("", typo).path(), &[]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("Cargo.toml:9:1") && said.contains("did you mean `fail-on`?"), "{said}");
}

#[test]
fn a_rule_is_set_for_some_paths_only() {
    let with = |rule: &str| tree(&format!("{ATTRIBUTE}[rules.authoritative-memory]\n{rule}\n"), "");
    assert!(found(with("enabled = false").path()).is_empty());
    assert!(found(with("enabled = false\npaths = [\"src/seats.rs\"]").path()).is_empty());
    assert_eq!(found(with("enabled = false\npaths = [\"tools/**\"]").path()), [SEATS]);
    let softer = with("severity = \"note\"\npaths = [\"src/**\"]");
    assert_eq!(found(softer.path()), [SEATS.replace("error", "note")]);
    assert_eq!(code(softer.path()), Some(0), "a note is below the default of --fail-on");
    let several = |first: &str, then: &str| {
        let table = "[[rules.authoritative-memory]]\n";
        found(tree(&format!("{ATTRIBUTE}{table}{first}\n{table}{then}\n"), "").path())
    };
    assert_eq!(several("enabled = false", "enabled = true\npaths = [\"src/**\"]"), [SEATS]);
    assert!(several("enabled = true\npaths = [\"src/**\"]", "enabled = false").is_empty(), "the later one counts");
    assert_eq!(several("severity = \"note\"", "paths = [\"tools\"]\nseverity = \"warning\""), [SEATS.replace("error", "note")]);
    let pedantic = with("persona = \"pedantic\"\npaths = [\"src\"]");
    assert!(found(pedantic.path()).is_empty());
    assert_eq!(report(pedantic.path(), &[])["hidden"]["persona"], 1);
}

#[test]
fn excluded_files_are_not_analysed_and_catalogs_of_the_tree_count() {
    let dir = tree("exclude = [\"src/seats.rs\"]\n", "");
    assert_eq!(report(dir.path(), &[])["summary"]["files"], 1);

    let dir = tree("catalog = [\"ops/ours.toml\"]\n", "");
    let ours = "[[library]]\nrule = \"memory-session-store\"\nkeeps = \"sessions\"\nhome = \"shared cache\"\npaths = [\"our_sessions::InMemory::new\"]\n";
    dir.write("ops/ours.toml", ours);
    let source = "use axum::{Router, routing::get};\npub fn app() -> Router {\n    \
                  let store = our_sessions::InMemory::new();\n    Router::new().route(\"/\", get(home)).layer(store)\n}\n\
                  async fn home() {}\nfn main() { app(); }\n";
    dir.write("src/main.rs", source);
    let manifest = fs::read_to_string(dir.path().join("Cargo.toml")).expect("a manifest");
    dir.write("Cargo.toml", format!("{manifest}axum = \"0.8\"\nour_sessions = \"1\"\n"));
    let rules = found(dir.path());
    assert!(rules.iter().any(|rule| rule.contains("memory-session-store")), "{rules:?}");
}

#[test]
fn the_baseline_is_where_the_configuration_says() {
    let dir = tree(&format!("baseline = \"ops/known.toml\"\n{ATTRIBUTE}"), "");
    fs::create_dir_all(dir.path().join("ops")).expect("a folder");
    assert!(binary().arg("baseline").arg(dir.path()).status().expect("the binary runs").success());
    assert!(dir.path().join("ops/known.toml").is_file());
    assert_eq!(code(dir.path()), Some(0));
    assert_eq!(run(dir.path(), &["--no-suppressions"]).status.code(), Some(1));
}
