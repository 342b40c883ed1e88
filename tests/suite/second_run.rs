//! A second run finds what the first one parsed, and says the same.

use cargo_stateless::analysis::AnalyzeOptions;
use cargo_stateless::config::Config;
use std::fs;
use std::path::Path;

use crate::tree::Tree;

const MAIN: &str = r#"
mod codes;
use axum::{Router, routing::get};

fn main() {
    let _service: Router = Router::new().route("/codes/{id}", get(codes::check).put(codes::send)).with_state(codes::App::default());
}
"#;

const CODES: &str = r#"
use axum::{extract::{Path, State}, http::StatusCode};
use std::{collections::HashMap, sync::{Arc, Mutex}};

#[derive(Clone, Default)]
pub struct App {
    codes: Arc<Mutex<HashMap<u32, String>>>,
}

pub async fn check(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    app.codes.lock().unwrap().get(&id).cloned().ok_or(StatusCode::NOT_FOUND)
}

pub async fn send(State(app): State<App>, Path(id): Path<u32>, body: String) {
    app.codes.lock().unwrap().insert(id, body);
}
fn broken() { let = ; }
"#;

/// All that a run says, the inventory too.
fn said(tree: &Path, cache: Option<&Path>) -> String {
    let options = AnalyzeOptions { inventory: true, cache: cache.map(Path::to_path_buf), ..AnalyzeOptions::default() };
    format!("{:?}", cargo_stateless::engine::analyze(tree, &Config::default(), &options).expect("a tree"))
}

fn kept(cache: &Path) -> Vec<(u64, Vec<u8>)> {
    let files = fs::read_dir(cache).expect("a folder").flatten();
    files.map(|f| (f.metadata().expect("readable").len(), fs::read(f.path()).expect("readable"))).collect()
}

#[test]
fn the_cache_changes_nothing_that_is_said() {
    let laid = Tree::package("shop", &["axum"], &[("main.rs", MAIN), ("codes.rs", CODES)]);
    let cache = tempfile::tempdir().expect("a folder");
    let (tree, cache) = (laid.path(), cache.path());

    let first = said(tree, None);
    assert!(first.contains("authoritative-memory") && first.contains("cannot be parsed"), "{first}");
    assert_eq!(said(tree, Some(cache)), first, "the run that fills it");
    let filled = kept(cache);
    assert_eq!(filled.len(), 1);
    assert_eq!(said(tree, Some(cache)), first, "the run that uses it");
    assert_eq!(kept(cache), filled, "a run without news writes nothing");

    laid.write("src/codes.rs", CODES.replace("fn broken() { let = ; }", ""));
    let changed = said(tree, None);
    assert_ne!(changed, first);
    assert_eq!(said(tree, Some(cache)), changed, "after a change");
    assert_ne!(kept(cache), filled);

    let path = fs::read_dir(cache).expect("a folder").flatten().next().expect("the file").path();
    fs::write(&path, b"statelessness").expect("writable");
    assert_eq!(said(tree, Some(cache)), changed, "a foreign file in its place");
    fs::remove_file(&path).expect("writable");
    fs::create_dir(&path).expect("writable");
    assert_eq!(said(tree, Some(cache)), changed, "a folder in its place");
    assert_eq!(said(tree, Some(&tree.join("src/main.rs"))), changed, "a file in the place of the folder");
    assert!(!tree.join("target").exists());
}
