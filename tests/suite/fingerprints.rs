//! Fingerprints name a finding by what it is: where it stands in a file, and in which file, is no part of them.

use crate::tree::{Tree, report};
use std::collections::BTreeMap;

const MAIN: &str = "mod vote;\nfn main() { vote::app(); }\n";
const VOTE: &str = r#"use axum::{Router, extract::{Path, State}, routing::{get, post}};
use std::sync::{Arc, Mutex, atomic::{AtomicU64, Ordering}};
static BALLOTS: AtomicU64 = AtomicU64::new(1);
#[derive(Clone, Default)]
struct Booth { votes: Arc<Mutex<Vec<(u64, String)>>> }
async fn ballot() -> String { BALLOTS.fetch_add(1, Ordering::SeqCst).to_string() }
async fn vote(State(booth): State<Booth>, Path(id): Path<u64>, name: String) { booth.votes.lock().unwrap().push((id, name)); }
async fn count(State(booth): State<Booth>) -> String { booth.votes.lock().unwrap().len().to_string() }
async fn keep(body: String) { std::fs::write("votes.txt", body).unwrap(); }
pub fn app() -> Router {
    Router::new().route("/ballot", post(ballot)).route("/vote/{id}", post(vote)).route("/count", get(count)).route("/keep", post(keep))
        .with_state(Booth::default())
}
"#;

/// Fingerprints by rule and symbol, with the line of each.
fn fingerprints(files: &[(&str, &str)]) -> BTreeMap<String, (String, u64)> {
    let tree = Tree::package("hall", &["axum"], files);
    let report = report(tree.path(), &[]);
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let findings = report["findings"].as_array().expect("a list").iter();
    let one = |f: &serde_json::Value| {
        let line = f["location"]["line"].as_u64().expect("a line");
        (format!("{} {}", text(&f["rule"]), text(&f["symbol"])), (text(&f["fingerprint"]), line))
    };
    findings.map(one).collect()
}

#[test]
fn edits_moves_and_formatting_leave_fingerprints_alone() {
    let first = fingerprints(&[("main.rs", MAIN), ("vote.rs", VOTE)]);
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["authoritative-memory hall::vote::Booth.votes", "local-file hall::vote::keep::fs::write", "local-sequence hall::vote::BALLOTS"]
    );
    let same = |what: &str, files: &[(&str, &str)]| {
        let now = fingerprints(files);
        let of = |all: &BTreeMap<String, (String, u64)>| all.iter().map(|(k, (f, _))| (k.clone(), f.clone())).collect::<Vec<_>>();
        assert_eq!(of(&now), of(&first), "{what}");
        assert!(now.iter().all(|(name, (_, line))| first[name].1 != *line), "{what} has moved no line: the test shows nothing");
    };
    let edited = VOTE.replacen("static BALLOTS", "// One for each voter.\nconst SEATS: usize = 9;\n\nstatic BALLOTS", 1);
    same("an edit above", &[("main.rs", MAIN), ("vote.rs", &edited)]);

    let mut lines: Vec<&str> = VOTE.lines().collect();
    lines[2..9].reverse();
    let attribute = lines.iter().position(|line| line.starts_with("#[derive")).expect("the attribute");
    lines.swap(attribute, attribute - 1);
    let uses = lines.drain(..2).collect::<Vec<_>>();
    lines.splice(0..0, [""]);
    lines.extend(uses);
    same("another order", &[("main.rs", MAIN), ("vote.rs", &lines.join("\n"))]);

    let spread = VOTE.replace("{ ", "{\n    ").replace(", ", ",\n        ").replace("; ", ";\n    ");
    same("another format", &[("main.rs", MAIN), ("vote.rs", &format!("\n{spread}"))]);

    let elsewhere = MAIN.replace("mod vote;", "#[path = \"booths/all.rs\"]\nmod vote;");
    same("another file", &[("main.rs", &elsewhere), ("booths/all.rs", &format!("\n\n{VOTE}"))]);
}
