mod targets;

use std::fs;
use std::path::Path;

use globset::{Glob, GlobSetBuilder};
use tempfile::TempDir;

use super::model::{Dependency, Package, TargetKind, Workspace};
use super::{DiscoverError, Options, discover};

/// A folder with these files.
fn tree(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        write(dir.path(), path, text);
    }
    dir
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn crate_named(name: &str) -> String {
    format!("[package]\nname = \"{name}\"\nedition = \"2021\"\n")
}

fn found(tree: &TempDir) -> Workspace {
    discover(tree.path(), &Options::default()).unwrap()
}

fn with_examples(tree: &TempDir) -> Workspace {
    discover(tree.path(), &Options { examples: true, ..Options::default() }).unwrap()
}

fn package<'a>(workspace: &'a Workspace, name: &str) -> &'a Package {
    workspace.packages.iter().find(|package| package.name == name).unwrap()
}

fn targets(package: &Package) -> Vec<(TargetKind, &str, &str)> {
    package.targets.iter().map(|target| (target.kind, target.name.as_str(), target.root.as_str())).collect()
}

fn files(workspace: &Workspace) -> Vec<&str> {
    workspace.files.iter().map(|file| file.path.as_str()).collect()
}

fn dependency<'a>(package: &'a Package, name: &str) -> &'a Dependency {
    package.dependencies.iter().find(|dependency| dependency.name == name).unwrap()
}

/// Edition, features, renames and paths come from the workspace; the code's name of a dependency is
/// its key, or the library's own name.
#[test]
fn workspace_inheritance() {
    let tree = tree(&[
        (
            "Cargo.toml",
            r#"
[workspace]
members = ["crates/*"]
package = { edition = "2024", version = "1.0.0" }
[workspace.dependencies]
web = { package = "axum", version = "0.8", default-features = false, features = ["json"] }
my-store = { path = "crates/store" }
serde = "1"
"#,
        ),
        (
            "crates/api/Cargo.toml",
            r#"
[package]
name = "my-api"
edition.workspace = true
version.workspace = true
[dependencies]
web = { workspace = true, features = ["ws"] }
my-store.workspace = true
serde = { workspace = true, default-features = false }
[target.'cfg(unix)'.dependencies]
some-lib = { version = "1", package = "other" }
[dev-dependencies]
serde = "1"
tower-test = "0.4"
[build-dependencies]
prost-build = "1"
"#,
        ),
        ("crates/api/src/main.rs", ""),
        ("crates/store/Cargo.toml", "[package]\nname = \"my-store\"\nedition = \"2021\"\n[lib]\nname = \"store\"\n"),
        ("crates/store/src/lib.rs", ""),
    ]);
    let workspace = found(&tree);
    assert!(workspace.errors.is_empty(), "{:?}", workspace.errors);
    let api = package(&workspace, "my-api");
    assert_eq!(api.edition, "2024");
    assert_eq!(targets(api), [(TargetKind::Binary, "my_api", "crates/api/src/main.rs")]);
    let web = dependency(api, "web");
    assert_eq!((web.package.as_str(), web.default_features, web.dev), ("axum", false, false));
    assert_eq!(web.features, ["json", "ws"]);
    assert!(dependency(api, "serde").default_features && !dependency(api, "serde").dev);
    assert_eq!(dependency(api, "some_lib").package, "other");
    assert!(dependency(api, "tower_test").dev);
    assert_eq!(dependency(api, "store").package, "my-store");
    assert!(!api.dependencies.iter().any(|dependency| dependency.package == "prost-build"));
    let [link] = workspace.links[..] else { panic!("{:?}", workspace.links) };
    assert_eq!(workspace.packages[link.to].name, "my-store");
    assert_eq!(workspace.packages[link.package].dependencies[link.dependency].name, "store");
}

/// A member that is analysed alone still takes from the workspace above it.
#[test]
fn a_member_alone() {
    let tree = tree(&[
        (
            "Cargo.toml",
            "[workspace]\n[workspace.package]\nedition = \"2018\"\n[workspace.dependencies]\nx = { package = \"y\", version = \"1\" }\n",
        ),
        ("a/Cargo.toml", "[package]\nname = \"a\"\nedition.workspace = true\n[dependencies]\nx.workspace = true\n"),
        ("a/src/lib.rs", ""),
    ]);
    let workspace = discover(&tree.path().join("a/Cargo.toml"), &Options::default()).unwrap();
    assert!(workspace.errors.is_empty(), "{:?}", workspace.errors);
    assert_eq!(workspace.packages[0].edition, "2018");
    assert_eq!(dependency(&workspace.packages[0], "x").package, "y");
    assert_eq!(files(&workspace), ["src/lib.rs"]);
}

/// Crates outside the root's members are listed, and `[patch]` ties them to a registry name.
#[test]
fn nested_workspaces_outside_the_members() {
    let tree = tree(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"core\"]\nexclude = [\"demo\"]\n"),
        ("core/Cargo.toml", &crate_named("core")),
        ("core/src/lib.rs", ""),
        (
            "demo/Cargo.toml",
            "[workspace]\nmembers = [\"one\"]\n[workspace.package]\nedition = \"2024\"\n[patch.crates-io]\ncore = { path = \"../core\" }\n",
        ),
        ("demo/one/Cargo.toml", "[package]\nname = \"one\"\nedition.workspace = true\n[dependencies]\ncore = \"1\"\n"),
        ("demo/one/src/main.rs", ""),
    ]);
    let workspace = found(&tree);
    let names: Vec<_> = workspace.packages.iter().map(|package| package.manifest.as_str()).collect();
    assert_eq!(names, ["core/Cargo.toml", "demo/one/Cargo.toml"]);
    assert_eq!(package(&workspace, "one").edition, "2024");
    assert_eq!(workspace.links.len(), 1);
}

/// A broken manifest costs its own package; at the root it is an error with a place.
#[test]
fn broken_manifests() {
    let tree = tree(&[
        ("Cargo.toml", &crate_named("app")),
        ("src/lib.rs", ""),
        ("sub/Cargo.toml", "[package]\nname = \n"),
        ("sub/src/lib.rs", ""),
        ("odd/Cargo.toml", "[package]\nname = \"odd\"\nedition = 2021\n[dependencies]\na = 3\nb = { features = 1 }\n"),
        ("odd/src/lib.rs", ""),
    ]);
    write(tree.path(), "deep/Cargo.toml", &format!("x = {}", "[".repeat(100_000)));
    let workspace = found(&tree);
    assert_eq!(files(&workspace), ["odd/src/lib.rs", "src/lib.rs"]);
    let paths: Vec<_> = workspace.errors.iter().map(|error| error.path.as_str()).collect();
    assert_eq!(paths, ["deep/Cargo.toml", "sub/Cargo.toml"]);
    assert!(workspace.errors[1].reason.starts_with("line 2, column 8: "), "{}", workspace.errors[1]);
    write(tree.path(), "Cargo.toml", "[package]\nname = \"a\"\n[[bin]\n");
    let error = discover(tree.path(), &Options::default()).unwrap_err();
    assert!(error.to_string().contains("Cargo.toml:3:"), "{error}");
}

/// A path that leads nowhere is an error; a folder without manifests is an empty workspace.
#[test]
fn paths_without_a_tree() {
    let tree = tree(&[("notes/readme.rs", ""), ("compose.yaml", "")]);
    let missing = discover(&tree.path().join("nowhere"), &Options::default());
    assert!(matches!(missing, Err(DiscoverError::Missing { .. })));
    let file = discover(&tree.path().join("notes/readme.rs"), &Options::default());
    assert!(matches!(file, Err(DiscoverError::NotATree { .. })));
    let workspace = found(&tree);
    assert!(workspace.packages.is_empty() && workspace.files.is_empty() && !workspace.has_targets());
    assert_eq!(workspace.others[0].path, "compose.yaml");
}

/// Links lead out of the tree or around it, so none is followed, and those that matter are named.
#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let outside = tree(&[("Cargo.toml", &crate_named("outside")), ("src/lib.rs", "")]);
    let tree = tree(&[("Cargo.toml", &crate_named("app")), ("src/lib.rs", "")]);
    symlink(outside.path(), tree.path().join("linked")).unwrap();
    symlink(outside.path().join("src/lib.rs"), tree.path().join("src/other.rs")).unwrap();
    symlink(tree.path(), tree.path().join("src/round")).unwrap();
    fs::create_dir(tree.path().join("tests")).unwrap();
    symlink(outside.path().join("src/lib.rs"), tree.path().join("tests/it.rs")).unwrap();
    symlink("/dev/zero", tree.path().join("app.yaml")).unwrap();
    write(tree.path(), "src/ok.rs", "");
    fs::write(tree.path().join(std::ffi::OsStr::from_bytes(b"src/\xff.rs")), "").unwrap();
    let workspace = found(&tree);
    assert_eq!(workspace.packages.len(), 1);
    assert_eq!(files(&workspace), ["src/lib.rs", "src/ok.rs"]);
    let skipped: Vec<_> = workspace.skipped.iter().map(|skip| skip.path.as_str()).collect();
    assert_eq!(skipped, ["app.yaml", "linked", "src/other.rs", "src/round", "src/\u{fffd}.rs"]);
}

/// Build output, hidden folders, excluded paths and huge files stay out.
#[test]
fn what_is_passed_over() {
    let tree = tree(&[
        ("Cargo.toml", &crate_named("app")),
        ("src/lib.rs", ""),
        ("src/target/mod.rs", ""),
        ("target/debug/x.rs", ""),
        ("target/app.yaml", ""),
        ("cache/CACHEDIR.TAG", ""),
        ("cache/a.yaml", ""),
        ("vendor/serde/.cargo-checksum.json", "{}"),
        ("vendor/serde/Cargo.toml", &crate_named("serde")),
        (".github/workflows/ci.yml", ""),
        ("web/node_modules/x/config.json", ""),
        ("deploy/.env.prod", ""),
        ("deploy/values.yaml", ""),
        ("old/Cargo.toml", &crate_named("old")),
        ("old/src/lib.rs", ""),
    ]);
    fs::File::create(tree.path().join("src/huge.rs")).unwrap().set_len((4 << 20) + 1).unwrap();
    fs::File::create(tree.path().join("data.json")).unwrap().set_len(600 << 10).unwrap();
    let exclude = GlobSetBuilder::new().add(Glob::new("old").unwrap()).build().unwrap();
    let workspace = discover(tree.path(), &Options { exclude, ..Options::default() }).unwrap();
    assert_eq!(workspace.packages.len(), 1);
    assert_eq!(files(&workspace), ["src/lib.rs", "src/target/mod.rs"]);
    let others: Vec<_> = workspace.others.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(others, ["deploy/.env.prod", "deploy/values.yaml"]);
    let skipped: Vec<_> = workspace.skipped.iter().map(|skip| skip.path.as_str()).collect();
    assert_eq!(skipped, ["cache", "src/huge.rs", "vendor"]);
}

/// A package that is asked for comes with the libraries that are linked into it, and nothing else.
#[test]
fn only_some_packages() {
    let api = format!(
        "{}[dependencies]\nstore = {{ path = \"../store\" }}\n[dev-dependencies]\nkit = {{ path = \"../kit\" }}\n",
        crate_named("api")
    );
    let tree = tree(&[
        ("Cargo.toml", "[workspace]\nmembers = [\"*\"]\n"),
        ("api/Cargo.toml", &api),
        ("api/src/main.rs", ""),
        ("kit/Cargo.toml", &crate_named("kit")),
        ("kit/src/lib.rs", ""),
        ("store/Cargo.toml", &crate_named("store")),
        ("store/src/lib.rs", ""),
        ("store/src/main.rs", ""),
    ]);
    let only = |name: &str| Options { only_packages: vec![name.to_owned()], ..Options::default() };
    let workspace = discover(tree.path(), &only("api")).unwrap();
    let names: Vec<_> = workspace.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names, ["api", "store"]);
    assert_eq!(targets(package(&workspace, "store")), [(TargetKind::Library, "store", "store/src/lib.rs")]);
    assert_eq!(workspace.links.len(), 1);
    let error = discover(tree.path(), &only("stor")).unwrap_err().to_string();
    assert_eq!(error, "no package `stor` in this tree; did you mean `store`?");
}
