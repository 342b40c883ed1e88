//! What a tree holds, as its manifests say.

use std::collections::BTreeMap;

/// A tree to analyse. Paths are relative to its root with `/`.
#[derive(Debug, Default)]
pub struct Workspace {
    /// All packages below the root, sorted by manifest path.
    pub packages: Vec<Package>,
    /// The dependencies that are packages of this tree, sorted.
    pub links: Vec<Link>,
    /// Rust files that may belong to a package's library or binary, sorted by path.
    pub files: Vec<SourceFile>,
    /// Files of other kinds that `manifests` may want (YAML, TOML, conf, HCL, JSON, Dockerfile), sorted.
    pub others: Vec<SourceFile>,
    /// Files or folders that were left out, with the reason.
    pub skipped: Vec<Skip>,
    /// What could not be read or understood.
    pub errors: Vec<Skip>,
}

/// A dependency that a package of this tree stands for, by `path` or by `[patch]`. All three are
/// positions: of the package, of the dependency in that package, of the package it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    pub package: usize,
    pub dependency: usize,
    pub to: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skip {
    pub path: String,
    pub reason: String,
}

#[derive(Debug, Clone)]
pub struct SourceFile {
    pub path: String,
    /// Size in bytes when it was listed.
    pub bytes: u64,
}

#[derive(Debug, Clone)]
pub struct Package {
    pub name: String,
    /// Path of its Cargo.toml.
    pub manifest: String,
    /// Folder of the package, `""` for the root.
    pub dir: String,
    pub edition: String,
    /// Sorted by root file.
    pub targets: Vec<Target>,
    pub dependencies: Vec<Dependency>,
    /// What each feature switches on, as written.
    pub features: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub kind: TargetKind,
    /// Crate name as in code: `-` replaced by `_`.
    pub name: String,
    /// The root file.
    pub root: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TargetKind {
    Library,
    Binary,
    Example,
}

#[derive(Debug, Clone)]
pub struct Dependency {
    /// The name in code: the key with `-` replaced by `_`, or the library's own name when a package
    /// of this tree renames its library and the key does not.
    pub name: String,
    /// The package it stands for (differs when renamed), as on the registry.
    pub package: String,
    pub features: Vec<String>,
    /// False for `default-features = false`.
    pub default_features: bool,
    /// Only in `[dev-dependencies]`.
    pub dev: bool,
}
