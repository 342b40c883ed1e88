//! Small trees on disk, what is found in them, and the binary as its users call it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use cargo_stateless::analysis::{Analysis, AnalyzeOptions};
use cargo_stateless::config::Config;
use cargo_stateless::finding::{Finding, Persona};
use serde_json::Value;
use tempfile::TempDir;

/// A service that keeps permits in memory: one `authoritative-memory`, at `App.permits`.
pub const PERMITS: &str = r#"
use axum::{Json, Router, extract::{Path, State}, http::StatusCode, routing::get};
use std::{collections::HashMap, sync::{Arc, Mutex}};

#[derive(Clone, Default)]
struct App {
    permits: Arc<Mutex<HashMap<u32, String>>>,
}

async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<Json<String>, StatusCode> {
    app.permits.lock().unwrap().get(&id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn grant(State(app): State<App>, Path(id): Path<u32>, body: String) {
    app.permits.lock().unwrap().insert(id, body);
}

fn main() {
    let _service: Router = Router::new().route("/permits/{id}", get(show).put(grant)).with_state(App::default());
}
"#;

/// A folder that goes with its value.
pub struct Tree(TempDir);

impl Tree {
    /// A tree of these files.
    pub fn new<T: AsRef<[u8]>>(files: &[(&str, T)]) -> Tree {
        let tree = Tree(tempfile::tempdir().expect("a folder"));
        for (path, text) in files {
            tree.write(path, text);
        }
        tree
    }

    /// A package with these dependencies, and these files below its `src`.
    pub fn package<T: AsRef<[u8]>>(name: &str, dependencies: &[&str], files: &[(&str, T)]) -> Tree {
        let tree = Tree::new(&[("Cargo.toml", manifest(name, dependencies))]);
        for (path, text) in files {
            tree.write(&format!("src/{path}"), text);
        }
        tree
    }

    /// A package with this `src/main.rs`.
    pub fn service(name: &str, dependencies: &[&str], main: impl AsRef<[u8]>) -> Tree {
        Tree::package(name, dependencies, &[("main.rs", main)])
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn analyse(&self) -> Analysis {
        self.analyse_with(&Config::default(), &AnalyzeOptions::default())
    }

    pub fn analyse_with(&self, config: &Config, options: &AnalyzeOptions) -> Analysis {
        cargo_stateless::engine::analyze(self.path(), config, options).expect("a tree")
    }

    /// The analysis of a tree that must be read without an error.
    pub fn read(&self) -> Analysis {
        let analysis = self.analyse();
        assert!(analysis.errors.is_empty(), "{:?}", analysis.errors);
        analysis
    }

    /// The analysis of a service that must be understood: all of it is read, and handlers are found.
    pub fn understood(&self) -> Analysis {
        let analysis = self.read();
        assert!(analysis.summary.entry_points >= 1, "the handlers were not found");
        analysis
    }

    /// The rules that speak of a service that must be understood, sorted.
    pub fn rules(&self) -> Vec<&'static str> {
        rules(&self.understood().findings)
    }
}

pub fn manifest(name: &str, dependencies: &[&str]) -> String {
    let list: String = dependencies.iter().map(|dependency| format!("{dependency} = \"*\"\n")).collect();
    format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{list}")
}

/// The rules of these findings, sorted.
pub fn rules<'a>(findings: impl IntoIterator<Item = &'a Finding>) -> Vec<&'static str> {
    let mut rules: Vec<&str> = findings.into_iter().map(|finding| finding.rule).collect();
    rules.sort_unstable();
    rules
}

pub fn is_regular(finding: &&Finding) -> bool {
    finding.persona == Persona::Regular
}

/// The text with one passage changed; a passage that is not there would make a variant prove nothing.
pub fn with(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    text.replace(from, to)
}

/// The root of this project.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn fixture(name: &str) -> PathBuf {
    project().join("fixtures").join(name)
}

/// The texts below a folder by their path below it, in order of paths; what is built there and what is no text is passed over.
pub fn texts_below(root: &Path) -> Vec<(String, String)> {
    fn collect(root: &Path, folder: &Path, texts: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("readable") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                if !path.ends_with("target") {
                    collect(root, &path, texts);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let name = path.strip_prefix(root).expect("below the root").to_string_lossy().replace('\\', "/");
                texts.push((name, text));
            }
        }
    }
    let mut texts = Vec::new();
    collect(root, root, &mut texts);
    texts.sort();
    texts
}

pub fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-stateless"));
    command.env("NO_COLOR", "1");
    command
}

pub fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Output {
    binary().args(args).output().expect("the binary runs")
}

/// What the binary says of a tree, as JSON.
pub fn report(tree: &Path, args: &[&str]) -> Value {
    let output = binary().arg(tree).args(["--format", "json"]).args(args).output().expect("the binary runs");
    json(&output)
}

pub fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {said}"))
}
