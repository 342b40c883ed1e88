//! What a package may use in its code, with what it takes from its workspace.

use std::collections::BTreeMap;

use super::inheritance::{Owner, Workspaces};
use super::manifest::{DependencySpec, Manifest};
use super::model::Dependency;

/// What is known of a dependency besides its entry.
pub(super) struct Origin {
    /// The folder in the tree that it comes from.
    pub(super) dir: Option<String>,
    /// Whether its name in code was chosen by the manifest.
    pub(super) renamed: bool,
}

pub(super) struct Found {
    dependency: Dependency,
    origin: Origin,
}

impl Found {
    pub(super) fn split(self) -> (Dependency, Origin) {
        (self.dependency, self.origin)
    }
}

/// Sorted by name, then package. An entry for several platforms is one dependency with all the features.
pub(super) fn of(manifest: &Manifest, dir: &str, owner: Option<&Owner<'_>>, workspaces: &Workspaces<'_>) -> Vec<Found> {
    let patches = patches(manifest, dir, owner, workspaces);
    let mut found: BTreeMap<(String, String), Found> = BTreeMap::new();
    for (table, dev) in manifest.dependency_tables() {
        for (key, spec) in table {
            let mut new = one(key, spec, dir, owner, workspaces);
            new.dependency.dev = dev;
            if new.origin.dir.is_none() {
                new.origin.dir = patches.get(&new.dependency.package).cloned();
            }
            let id = (new.dependency.name.clone(), new.dependency.package.clone());
            match found.get_mut(&id) {
                None => {
                    found.insert(id, new);
                }
                Some(old) => {
                    old.dependency.features.append(&mut new.dependency.features);
                    old.dependency.default_features |= new.dependency.default_features;
                    old.dependency.dev &= dev;
                    old.origin.dir = old.origin.dir.take().or(new.origin.dir);
                }
            }
        }
    }
    let mut found: Vec<Found> = found.into_values().collect();
    for entry in &mut found {
        entry.dependency.features.sort();
        entry.dependency.features.dedup();
    }
    found
}

fn one(key: &str, spec: &DependencySpec, dir: &str, owner: Option<&Owner<'_>>, workspaces: &Workspaces<'_>) -> Found {
    let own = spec.table();
    let shared = owner.filter(|_| spec.inherited()).and_then(|owner| {
        let spec = owner.table.dependencies.get(key)?;
        Some((spec.table(), &owner.folder))
    });
    let (base, folder) = match shared {
        Some((table, folder)) => (table, folder.clone()),
        None => (own, workspaces.folder(dir)),
    };
    let renamed = base.and_then(|table| table.package.get());
    let features = [own, shared.and_then(|(table, _)| table)].into_iter().flatten();
    let features = features.filter_map(|table| table.features.get()).flatten().cloned().collect();
    let base_default = base.and_then(|table| table.default_features.get()).copied().unwrap_or(true);
    // A member can only switch the default features of a shared dependency on.
    let own_default = own.and_then(|table| table.default_features.get()) == Some(&true);
    Found {
        dependency: Dependency {
            name: key.replace('-', "_"),
            package: renamed.cloned().unwrap_or_else(|| key.to_owned()),
            features,
            default_features: base_default || own_default,
            dev: false,
        },
        origin: Origin {
            dir: base.and_then(|table| table.path.get()).and_then(|path| workspaces.in_tree(&folder, path)),
            renamed: renamed.is_some(),
        },
    }
}

/// Packages that `[patch]` replaces by folders of the tree.
fn patches(manifest: &Manifest, dir: &str, owner: Option<&Owner<'_>>, workspaces: &Workspaces<'_>) -> BTreeMap<String, String> {
    let (tables, folder) = match owner {
        Some(owner) => (owner.patch.clone(), owner.folder.clone()),
        None => (manifest.patch.values().collect(), workspaces.folder(dir)),
    };
    let mut patches = BTreeMap::new();
    for (key, spec) in tables.into_iter().flatten() {
        let Some(table) = spec.table() else { continue };
        let path = table.path.get().and_then(|path| workspaces.in_tree(&folder, path));
        if let Some(path) = path {
            patches.insert(table.package.get().unwrap_or(key).clone(), path);
        }
    }
    patches
}
