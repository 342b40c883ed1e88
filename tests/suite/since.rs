//! `--since` on real git histories: what counts as new, and that nothing of the repository is run.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::tree::{self, Tree, binary, manifest};

const MAIN: &str = "mod votes;\nmod web;\nfn main() { web::app(); }\n";
/// A cell that requests write and, before the change, none relies on.
const VOTES: &str = r#"
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

static TICKETS: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);

pub fn give(name: String, seat: u32) {
    TICKETS.lock().unwrap().insert(name, seat);
}

pub fn seat(name: &str) -> Option<u32> {
    TICKETS.lock().unwrap().get(name).copied()
}
"#;
const WEB: &str = r#"
use crate::votes;
use axum::{Json, Router, extract::Path, http::StatusCode, routing::{get, post}};

async fn give(Json((name, seat)): Json<(String, u32)>) {
    votes::give(name, seat);
}
// MORE
pub fn app() -> Router {
    Router::new().route("/tickets", post(give))
}
"#;

fn with_reader(web: &str) -> String {
    let reader = "async fn seat(Path(name): Path<String>) -> Result<Json<u32>, StatusCode> {\n    \
                  votes::seat(&name).map(Json).ok_or(StatusCode::NOT_FOUND)\n}\n";
    web.replace("// MORE\n", reader).replace("post(give))", "post(give)).route(\"/tickets/{name}\", get(seat))")
}

struct Repo {
    tree: Tree,
}

impl Repo {
    fn new() -> Self {
        let repo = Self { tree: Tree::package("booth", &["axum"], &[("main.rs", MAIN), ("votes.rs", VOTES), ("web.rs", WEB)]) };
        repo.git(&["init", "--quiet", "--initial-branch=main"]);
        repo.commit("start");
        repo
    }

    fn path(&self) -> &Path {
        self.tree.path()
    }

    fn write(&self, path: &str, text: &str) {
        self.tree.write(path, text);
    }

    fn git(&self, args: &[&str]) {
        git(self.path(), args);
    }

    fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--no-verify", "--message", message]);
    }

    fn report(&self, since: &str) -> Value {
        tree::report(self.path(), &["--since", since])
    }

    fn found(&self, since: &str) -> Vec<String> {
        let report = self.report(since);
        let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
        report["findings"].as_array().expect("a list").iter().map(|f| format!("{} {}", text(&f["rule"]), text(&f["symbol"]))).collect()
    }
}

fn git(folder: &Path, args: &[&str]) {
    let mut command = Command::new("git");
    for role in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.com");
    }
    let command = command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    assert!(command.current_dir(folder).args(args).status().expect("git runs").success(), "git {args:?}");
}

fn since_in(folder: &Path, revision: &str, args: &[&str]) -> Output {
    binary().arg(folder).args(["--since", revision]).args(args).output().expect("the binary runs")
}

fn refused(folder: &Path, revision: &str) -> String {
    let output = since_in(folder, revision, &["--format", "json"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "no report when nothing was compared");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

const TICKETS: &str = "authoritative-memory booth::votes::TICKETS";

#[test]
fn a_new_reader_makes_the_cell_of_an_untouched_file_a_finding() {
    let repo = Repo::new();
    assert!(repo.found("HEAD").is_empty());
    repo.write("src/web.rs", &with_reader(WEB));
    assert_eq!(repo.found("HEAD"), [TICKETS], "uncommitted work counts");
    repo.commit("read it");
    assert!(repo.found("HEAD").is_empty(), "a committed finding is no longer new");
    assert_eq!(repo.found("HEAD~1"), [TICKETS]);

    let report = repo.report("HEAD^");
    let finding = &report["findings"][0];
    assert_eq!(finding["location"]["path"], "src/votes.rs");
    assert_eq!(finding["location"]["in_diff"], false, "no review comment can stand at the declaration");
    let steps = finding["witness"].as_array().expect("paths").iter().flat_map(|path| path.as_array().expect("steps"));
    let in_diff: Vec<&str> =
        steps.filter(|step| step["location"]["in_diff"] == true).filter_map(|step| step["location"]["path"].as_str()).collect();
    assert!(!in_diff.is_empty() && in_diff.iter().all(|path| *path == "src/web.rs"), "{in_diff:?}");
    assert_eq!(report["since"]["commit"].as_str().map(str::len), Some(40));
}

#[test]
fn moved_and_reformatted_code_is_not_new() {
    let repo = Repo::new();
    repo.write("src/web.rs", &with_reader(WEB));
    repo.commit("read it");
    let moved = VOTES
        .replace("static TICKETS", "\n\n// Seats by name.\nstatic TICKETS")
        .replace("LazyLock::new(Mutex::default)", "\n    LazyLock::new(Mutex::default)");
    repo.write("src/votes.rs", &moved);
    assert!(repo.found("HEAD").is_empty());
    assert_eq!(repo.report("HEAD")["hidden"]["since"], 1);
    repo.git(&["mv", "src/votes.rs", "src/moved.rs"]);
    repo.write("src/main.rs", &MAIN.replace("mod votes;", "#[path = \"moved.rs\"]\nmod votes;"));
    assert!(repo.found("HEAD").is_empty(), "a moved file keeps its symbols");
}

#[test]
fn work_on_the_other_branch_is_not_held_against_this_one() {
    let repo = Repo::new();
    repo.write("src/web.rs", &with_reader(WEB));
    repo.commit("read it");
    repo.git(&["checkout", "--quiet", "-b", "feature"]);
    repo.write("README.md", "feature\n");
    repo.commit("feature");
    repo.git(&["checkout", "--quiet", "main"]);
    repo.write("src/web.rs", WEB);
    repo.commit("main no longer reads it");
    repo.git(&["checkout", "--quiet", "feature"]);
    assert!(repo.found("main").is_empty(), "feature has what main had where they parted");
    repo.git(&["tag", "-a", "v1", "-m", "v1", "main"]);
    assert!(repo.found("v1").is_empty());
}

#[test]
fn suppressions_and_the_baseline_go_before_the_comparison() {
    let repo = Repo::new();
    repo.write("src/web.rs", &with_reader(WEB));
    let allowed = VOTES.replace("static TICKETS", "// stateless: allow(authoritative-memory) one booth, one process\nstatic TICKETS");
    repo.write("src/votes.rs", &allowed);
    repo.commit("allowed");
    repo.write("src/votes.rs", VOTES);
    assert_eq!(repo.found("HEAD"), [TICKETS], "taking a suppression away brings its finding");
    assert!(binary().arg("baseline").arg(repo.path()).output().expect("the binary runs").status.success());
    assert!(repo.found("HEAD").is_empty(), "the baseline knows it");
    let output = binary().args(["baseline", "--since", "HEAD"]).arg(repo.path()).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn a_service_in_a_folder_of_the_repository_and_a_linked_work_tree_are_found() {
    let repo = Repo::new();
    repo.git(&["checkout", "--quiet", "-b", "nested"]);
    for file in ["Cargo.toml", "src"] {
        fs::create_dir_all(repo.path().join("services/booth")).expect("a folder");
        fs::rename(repo.path().join(file), repo.path().join("services/booth").join(file)).expect("moved");
    }
    repo.commit("nested");
    let inside = repo.path().join("services/booth");
    repo.write("services/booth/src/web.rs", &with_reader(WEB));
    let output = since_in(&inside, "HEAD", &["--format", "concise"]);
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("src/votes.rs:5:1: error[authoritative-memory]"));
    let younger = since_in(&inside, "main", &["--format", "concise"]);
    assert_eq!(younger.status.code(), Some(1), "the folder is younger than main: all of it is new");

    let linked = tempfile::tempdir().expect("a folder");
    let tree = linked.path().join("tree");
    repo.git(&["worktree", "add", "--quiet", &tree.to_string_lossy(), "main"]);
    fs::write(tree.join("src/web.rs"), with_reader(WEB)).expect("a file");
    assert_eq!(since_in(&tree, "main", &[]).status.code(), Some(1));
    assert_eq!(since_in(&tree, "nested~1", &[]).status.code(), Some(1));
}

#[test]
fn a_shallow_clone_works_with_what_it_has_and_says_what_it_lacks() {
    let repo = Repo::new();
    repo.write("README.md", "between\n");
    repo.commit("between");
    repo.write("src/web.rs", &with_reader(WEB));
    repo.commit("read it");
    let clones = tempfile::tempdir().expect("a folder");
    let url = format!("file://{}", repo.path().display());
    git(clones.path(), &["clone", "--quiet", "--depth=1", &url, "shallow"]);
    let shallow = clones.path().join("shallow");
    for lost in ["HEAD~1", "origin/other", "0123456789abcdef"] {
        let said = refused(&shallow, lost);
        assert!(said.contains("this clone is shallow") && said.contains("fetch-depth: 0"), "{said}");
    }
    assert_eq!(since_in(&shallow, "origin/main", &[]).status.code(), Some(0));

    // Two tips without the commits between them, as a code host's checkout action fetches them.
    repo.git(&["branch", "base", "HEAD~2"]);
    git(&shallow, &["fetch", "--quiet", "--depth=1", "origin", "base:base"]);
    let output = since_in(&shallow, "base", &[]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("note: `base` itself is compared with") && said.contains("shallow"), "{said}");
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let manifest = manifest("booth", &["axum"]);
    let folder = Tree::new(&[("Cargo.toml", &manifest)]);
    fs::create_dir(folder.path().join("src")).expect("a folder");
    assert!(refused(folder.path(), "main").contains("needs a git repository"));
    git(folder.path(), &["init", "--quiet"]);
    assert!(refused(folder.path(), "HEAD").contains("has no revision `HEAD`"));

    let repo = Repo::new();
    for wrong in ["mian", "HEAD~99", "HEAD^2", "HEAD^{tree}", "HEAD~x", "", "..", "main..HEAD", "HEAD:src", "\u{1b}[2J"] {
        let said = refused(repo.path(), wrong);
        assert!(said.contains("has no revision") && !said.contains('\u{1b}'), "{wrong}: {said}");
    }
    repo.write("Cargo.toml", "[package\n");
    repo.commit("broken");
    repo.write("Cargo.toml", &manifest);
    assert!(refused(repo.path(), "HEAD").contains("at `HEAD`"));
}

/// Whoever sends a change also sends attributes, and a checkout may carry hooks and configuration.
#[cfg(unix)]
#[test]
fn nothing_of_the_repository_is_run_and_no_link_of_it_is_followed() {
    let repo = Repo::new();
    let outside = tempfile::tempdir().expect("a folder");
    let ran = outside.path().join("ran");
    fs::write(outside.path().join("secret.rs"), VOTES.replace("TICKETS", "SECRET")).expect("a file");
    std::os::unix::fs::symlink(outside.path().join("secret.rs"), repo.path().join("src/linked.rs")).expect("a link");
    repo.write(".gitattributes", "*.rs filter=evil diff=evil\n");
    repo.commit("attributes and a link");
    let touch = format!("touch {}; cat", ran.display());
    for key in ["filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv", "core.fsmonitor", "core.sshCommand"]
    {
        repo.git(&["config", key, &touch]);
    }
    for hook in ["post-checkout", "pre-commit", "reference-transaction"] {
        let path = repo.path().join(".git/hooks").join(hook);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(&path, format!("#!/bin/sh\ntouch {}\n", ran.display())).expect("a hook");
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("executable");
    }
    repo.write("src/web.rs", &with_reader(WEB));
    assert_eq!(repo.found("HEAD"), [TICKETS]);
    assert!(!ran.exists(), "a command of the repository was run");
}
