//! The part of `Cargo.toml` that says what a package is made of. Tolerant: a value of an unexpected
//! kind in a leaf is as good as absent, since the compiler will say so and the rest is still worth reading.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::text::{Problem, read_toml};

pub(super) type Dependencies = BTreeMap<String, DependencySpec>;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct Manifest {
    #[serde(alias = "project")]
    pub(super) package: Option<PackageTable>,
    pub(super) workspace: Option<WorkspaceTable>,
    pub(super) lib: Option<TargetTable>,
    pub(super) bin: Vec<TargetTable>,
    pub(super) example: Vec<TargetTable>,
    pub(super) dependencies: Dependencies,
    #[serde(alias = "dev_dependencies")]
    pub(super) dev_dependencies: Dependencies,
    pub(super) target: BTreeMap<String, PlatformTable>,
    pub(super) patch: BTreeMap<String, Dependencies>,
    features: BTreeMap<String, Field<Vec<String>>>,
}

impl Manifest {
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let text = read_toml(path)?;
        toml::from_str(&text).map_err(|error| Problem::of_toml(&text, &error))
    }

    pub(super) fn features(&self) -> BTreeMap<String, Vec<String>> {
        self.features.iter().map(|(name, entries)| (name.clone(), entries.get().cloned().unwrap_or_default())).collect()
    }

    /// Whether anything in it is taken from a workspace.
    pub(super) fn inherits(&self) -> bool {
        let package = self.package.as_ref();
        package.is_some_and(|package| package.name.inherited() || package.edition.inherited())
            || self.dependency_tables().any(|(table, _)| table.values().any(DependencySpec::inherited))
    }

    /// Every dependency table that a library or binary, or (true) only a test, is built with.
    pub(super) fn dependency_tables(&self) -> impl Iterator<Item = (&Dependencies, bool)> {
        let platforms = self.target.values();
        [(&self.dependencies, false), (&self.dev_dependencies, true)]
            .into_iter()
            .chain(platforms.flat_map(|table| [(&table.dependencies, false), (&table.dev_dependencies, true)]))
    }
}

/// `[target.'cfg(..)']`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct PlatformTable {
    dependencies: Dependencies,
    #[serde(alias = "dev_dependencies")]
    dev_dependencies: Dependencies,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PackageTable {
    pub(super) name: Field<String>,
    pub(super) edition: Field<String>,
    /// Where its workspace is, when no folder above it is.
    pub(super) workspace: Field<String>,
    pub(super) build: Field<String>,
    pub(super) autolib: Field<bool>,
    pub(super) autobins: Field<bool>,
    pub(super) autoexamples: Field<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WorkspaceTable {
    pub(super) package: PackageTable,
    pub(super) dependencies: Dependencies,
}

/// `[lib]`, `[[bin]]` or `[[example]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct TargetTable {
    pub(super) name: Field<String>,
    pub(super) path: Field<String>,
    #[serde(alias = "proc_macro")]
    proc_macro: Field<bool>,
    #[serde(alias = "crate_type")]
    crate_type: Field<Vec<String>>,
}

impl TargetTable {
    pub(super) fn is_proc_macro(&self) -> bool {
        self.proc_macro.get() == Some(&true) || self.crate_type.get().is_some_and(|kinds| kinds.iter().any(|kind| kind == "proc-macro"))
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Field<T> {
    Value(T),
    Inherited { workspace: bool },
    Other(IgnoredAny),
}

impl<T> Default for Field<T> {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

impl<T> Field<T> {
    pub(super) fn get(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Inherited { .. } | Self::Other(_) => None,
        }
    }

    pub(super) fn inherited(&self) -> bool {
        matches!(self, Self::Inherited { workspace: true })
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum DependencySpec {
    Detailed(DependencyTable),
    /// A version, or something that is no dependency at all.
    Other(IgnoredAny),
}

impl DependencySpec {
    pub(super) fn table(&self) -> Option<&DependencyTable> {
        match self {
            Self::Detailed(table) => Some(table),
            Self::Other(_) => None,
        }
    }

    pub(super) fn inherited(&self) -> bool {
        self.table().is_some_and(|table| table.workspace.get() == Some(&true))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub(super) struct DependencyTable {
    pub(super) workspace: Field<bool>,
    pub(super) package: Field<String>,
    pub(super) path: Field<String>,
    pub(super) features: Field<Vec<String>>,
    #[serde(alias = "default_features")]
    pub(super) default_features: Field<bool>,
}
