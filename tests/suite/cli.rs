//! The binary as its users call it.

use crate::tree::{self, Tree, fixture, run};

fn service(source: &str) -> Tree {
    Tree::service("service", &["axum"], source)
}

fn found(report: &serde_json::Value) -> Vec<&str> {
    report["findings"].as_array().expect("a list").iter().filter_map(|finding| finding["rule"].as_str()).collect()
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
    assert_eq!(run([fixture("clean-cli")]).status.code(), Some(0));
    assert_eq!(run([fixture("authoritative-memory/quiet/stations-at-startup")]).status.code(), Some(0));
    assert_eq!(run([fixture("local-sequence/report/waiting-room")]).status.code(), Some(1));
    assert_eq!(run(["/nowhere/at/all"]).status.code(), Some(2));
    let broken = run([Tree::new(&[("Cargo.toml", "[package\n")]).path()]);
    assert_eq!(broken.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("Cargo.toml:1"), "the place is named");
}

#[test]
fn a_tree_without_a_service_says_so() {
    let output = run([fixture("clean-cli")]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("no entry points"), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn it_answers_to_cargo_as_well() {
    let path = fixture("local-sequence/report/waiting-room");
    assert_eq!(run(["stateless".as_ref(), path.as_path()]).stdout, run([&path]).stdout);
}

#[test]
fn json_is_all_of_standard_output_and_the_same_each_time() {
    let path = fixture("authoritative-memory");
    let once = || tree::binary().arg(&path).args(["--format", "json"]).output().expect("the binary runs");
    let first = once();
    assert_eq!(first.stdout, once().stdout);
    let report = tree::json(&first);
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
    let tree = service(SERVICE);
    tree.write("src/broken.rs", "fn ok() {}\nfn broken( {\n");
    tree.write("src/deep.rs", format!("fn f() {{ {}1{} }}", "(".repeat(100_000), ")".repeat(100_000)));
    tree.write("src/latin.rs", b"// \xe9\nfn f() {}\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink(tree.path(), tree.path().join("src/loop")).expect("a link");
    let output = tree::binary().arg(tree.path()).args(["--format", "json"]).output().expect("the binary runs");
    let report = tree::json(&output);
    let listed = report["errors"].to_string();
    for name in ["src/broken.rs", "src/deep.rs", "src/latin.rs"] {
        assert!(listed.contains(name), "{name} is not among {listed}");
    }
    assert_eq!(found(&report), ["authoritative-memory"]);
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
        let report = tree::report(service(&source).path(), &[]);
        assert_eq!(found(&report), ["authoritative-memory"], "{source}");
    }
}

/// One changed fact: nothing is written on a request.
#[test]
fn a_map_that_only_startup_writes_is_quiet() {
    let source = SERVICE
        .replace("mod broken;\nmod deep;\nmod latin;\n", "")
        .replace("p.lock().unwrap().insert(id, body);", "let _ = (p, id, body);");
    assert_eq!(run([service(&source).path()]).status.code(), Some(0));
}

/// The inventory explains silence too, in words that need no knowledge of this program's types.
#[test]
fn facts_list_accesses_with_their_miss_path_in_plain_words() {
    let facts = |of: &str, args: [&str; 2]| tree::binary().arg("facts").arg(fixture(of)).args(args).output().expect("the binary runs");
    let report = tree::json(&facts("authoritative-memory/report/oauth-state", ["--format", "json"]));
    let rows = report["inventory"].as_array().expect("a list");
    for kind in ["entry", "cell", "access"] {
        assert!(rows.iter().any(|row| row["kind"] == kind), "no {kind}");
    }
    let removal = rows.iter().find(|row| row["access"]["miss"] == "visible").expect("the callback removes what it needs");
    assert_eq!(removal["access"]["entries"][0], "GET /login/callback");
    assert_eq!(removal["access"]["key_from"], "request");

    for tree in ["authoritative-memory", "detached-task", "local-file", "in-process-queue"] {
        let text = String::from_utf8(facts(tree, ["--rule", "sticky-session"]).stdout).expect("text");
        for debug in ["Store {", "Spawn {", "Branch {", "File(", "Library(", "Channel(", "Arm {", "Defaulted("] {
            assert!(!text.contains(debug), "{tree} shows {debug}");
        }
    }
}
