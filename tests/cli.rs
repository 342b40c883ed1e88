//! The binary as its users call it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-stateless")).args(args).env("NO_COLOR", "1").output().expect("the binary runs")
}

fn fixture(name: &str) -> String {
    format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn crate_with(dir: &Path, source: &[u8]) {
    fs::create_dir_all(dir.join("src")).expect("a folder");
    let manifest = "[package]\nname = \"service\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\n";
    fs::write(dir.join("Cargo.toml"), manifest).expect("a manifest");
    fs::write(dir.join("src/main.rs"), source).expect("a source");
}

const SERVICE: &str = r#"
use axum::{Json, Router, extract::{Path, State}, http::StatusCode, routing::get};
use std::{collections::HashMap, sync::{Arc, Mutex}};
mod broken;
mod deep;
mod latin;
type Permits = Arc<Mutex<HashMap<u32, String>>>;
async fn show(State(p): State<Permits>, Path(id): Path<u32>) -> Result<Json<String>, StatusCode> {
    p.lock().unwrap().get(&id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}
async fn grant(State(p): State<Permits>, Path(id): Path<u32>, body: String) {
    p.lock().unwrap().insert(id, body);
}
fn app() -> Router {
    Router::new().route("/permits/{id}", get(show).put(grant)).with_state(Permits::default())
}
fn main() { app(); }
"#;

#[test]
fn exit_codes_tell_clean_from_findings_from_failure() {
    assert_eq!(run(&[&fixture("clean-cli")]).status.code(), Some(0));
    assert_eq!(run(&[&fixture("authoritative-memory/quiet/stations-at-startup")]).status.code(), Some(0));
    assert_eq!(run(&[&fixture("local-sequence/report/waiting-room")]).status.code(), Some(1));
    assert_eq!(run(&["/nowhere/at/all"]).status.code(), Some(2));
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("Cargo.toml"), "[package\n").expect("a manifest");
    let broken = run(&[&dir.path().to_string_lossy()]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("Cargo.toml:1"), "the place is named");
}

#[test]
fn a_tree_without_a_service_says_so() {
    let output = run(&[&fixture("clean-cli")]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("no entry points"), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn it_answers_to_cargo_as_well() {
    let path = fixture("local-sequence/report/waiting-room");
    assert_eq!(run(&["stateless", &path]).stdout, run(&[&path]).stdout);
}

#[test]
fn json_is_all_of_standard_output_and_the_same_each_time() {
    let path = fixture("authoritative-memory");
    let (first, second) = (run(&[&path, "--format", "json"]), run(&[&path, "--format", "json"]));
    assert_eq!(first.stdout, second.stdout);
    let report: serde_json::Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!(report["schema"], 1);
    assert_eq!(report["checklist"].as_array().map(Vec::len), Some(8));
    let finding = &report["findings"][0];
    for key in [
        "rule",
        "item",
        "severity",
        "confidence",
        "persona",
        "reason",
        "fingerprint",
        "message",
        "symbol",
        "location",
        "witness",
        "home",
        "help",
    ] {
        assert!(!finding[key].is_null(), "{key} is missing");
    }
}

#[test]
fn a_hostile_tree_loses_only_its_bad_files() {
    let dir = tempfile::tempdir().expect("a folder");
    crate_with(dir.path(), SERVICE.as_bytes());
    let src = dir.path().join("src");
    fs::write(src.join("broken.rs"), "fn ok() {}\nfn broken( {\n").expect("a file");
    fs::write(src.join("deep.rs"), format!("fn f() {{ {}1{} }}", "(".repeat(100_000), ")".repeat(100_000))).expect("a file");
    fs::write(src.join("latin.rs"), b"// \xe9\nfn f() {}\n").expect("a file");
    #[cfg(unix)]
    std::os::unix::fs::symlink(dir.path(), src.join("loop")).expect("a link");
    let output = run(&[&dir.path().to_string_lossy(), "--format", "json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let listed = report["errors"].to_string();
    for name in ["src/broken.rs", "src/deep.rs", "src/latin.rs"] {
        assert!(listed.contains(name), "{name} is not among {listed}");
    }
    let rules: Vec<&str> = report["findings"].as_array().expect("a list").iter().filter_map(|f| f["rule"].as_str()).collect();
    assert_eq!(rules, ["authoritative-memory"]);
    assert_eq!(output.status.code(), Some(1));
}

/// The same program written in other ways keeps its verdict.
#[test]
fn the_verdict_does_not_hang_on_names_or_wrapping() {
    let body = SERVICE.replace("mod broken;\nmod deep;\nmod latin;\n", "");
    let variants = [
        body.clone(),
        body.replace("Permits", "Zettel").replace("show", "zeigen").replace("grant", "geben"),
        body.replace(
            "type Permits = Arc<Mutex<HashMap<u32, String>>>;",
            "#[derive(Clone, Default)]\nstruct Permits { held: Arc<Mutex<HashMap<u32, String>>> }",
        )
        .replace("p.lock()", "p.held.lock()"),
        body.replace("    p.lock().unwrap().insert(id, body);", "    keep(&p, id, body);")
            .replace("fn app()", "fn keep(p: &Permits, id: u32, body: String) { p.lock().unwrap().insert(id, body); }\nfn app()"),
    ];
    for source in variants {
        let dir = tempfile::tempdir().expect("a folder");
        crate_with(dir.path(), source.as_bytes());
        let output = run(&[&dir.path().to_string_lossy(), "--format", "json"]);
        let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let rules: Vec<&str> = report["findings"].as_array().expect("a list").iter().filter_map(|f| f["rule"].as_str()).collect();
        assert_eq!(rules, ["authoritative-memory"], "{source}");
    }
}

/// One changed fact: nothing is written on a request.
#[test]
fn a_map_that_only_startup_writes_is_quiet() {
    let source = SERVICE
        .replace("mod broken;\nmod deep;\nmod latin;\n", "")
        .replace("p.lock().unwrap().insert(id, body);", "let _ = (p, id, body);");
    let dir = tempfile::tempdir().expect("a folder");
    crate_with(dir.path(), source.as_bytes());
    assert_eq!(run(&[&dir.path().to_string_lossy()]).status.code(), Some(0));
}

/// The inventory explains silence too, in words that need no knowledge of this program's types.
#[test]
fn facts_list_accesses_with_their_miss_path_in_plain_words() {
    let path = fixture("authoritative-memory/report/oauth-state");
    let report: serde_json::Value = serde_json::from_slice(&run(&["facts", &path, "--format", "json"]).stdout).expect("JSON");
    let rows = report["inventory"].as_array().expect("a list");
    for kind in ["entry", "cell", "access"] {
        assert!(rows.iter().any(|row| row["kind"] == kind), "no {kind}");
    }
    let removal = rows.iter().find(|row| row["access"]["miss"] == "visible").expect("the callback removes what it needs");
    assert_eq!(removal["access"]["entries"][0], "GET /login/callback");
    assert_eq!(removal["access"]["key_from"], "request");

    for tree in ["authoritative-memory", "detached-task", "local-file", "in-process-queue"] {
        let text = String::from_utf8(run(&["facts", &fixture(tree), "--rule", "sticky-session"]).stdout).expect("text");
        for debug in ["Store {", "Spawn {", "Branch {", "File(", "Library(", "Channel(", "Arm {", "Defaulted("] {
            assert!(!text.contains(debug), "{tree} shows {debug}");
        }
    }
}
