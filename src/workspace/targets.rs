//! The library, binaries and examples of a package, named or found by the usual places.

use std::collections::BTreeSet;

use super::inheritance::path_in_tree;
use super::manifest::{Manifest, TargetTable};
use super::model::{Target, TargetKind};
use super::walk::{Listing, folder_of};
use super::{Manifests, join};

/// A package whose targets are asked for.
pub(super) struct About<'a> {
    pub(super) dir: &'a str,
    pub(super) name: &'a str,
    pub(super) edition: &'a str,
    pub(super) manifest: &'a Manifest,
    pub(super) examples: bool,
}

/// Sorted by root file; every root file exists. A package whose library is a procedural macro has none.
pub(super) fn of(about: &About<'_>, manifests: &Manifests, listing: &mut Listing) -> Vec<Target> {
    let manifest = about.manifest;
    if manifest.lib.as_ref().is_some_and(TargetTable::is_proc_macro) {
        return Vec::new();
    }
    let mut finder = Finder { about, manifests, listing, targets: Vec::new() };
    finder.library();
    let binaries = finder.usual_binaries();
    let package = manifest.package.as_ref();
    let auto = package.and_then(|package| package.autobins.get()).copied();
    let auto = auto.unwrap_or(about.edition != "2015" || manifest.bin.is_empty());
    finder.several(TargetKind::Binary, &manifest.bin, binaries, auto);
    if about.examples {
        let examples = finder.in_folder("examples");
        let auto = package.and_then(|package| package.autoexamples.get()).copied();
        let auto = auto.unwrap_or(about.edition != "2015" || manifest.example.is_empty());
        finder.several(TargetKind::Example, &manifest.example, examples, auto);
    }
    let mut targets = finder.targets;
    targets.sort_by(|a, b| (&a.root, a.kind, &a.name).cmp(&(&b.root, b.kind, &b.name)));
    targets
}

struct Finder<'a, 'b> {
    about: &'b About<'a>,
    manifests: &'b Manifests,
    listing: &'b mut Listing,
    targets: Vec<Target>,
}

/// A target's name as in the manifest, and its root file.
type Usual = (String, String);

impl Finder<'_, '_> {
    fn library(&mut self) {
        let usual = join(self.about.dir, "src/lib.rs");
        let package = self.about.manifest.package.as_ref();
        match &self.about.manifest.lib {
            Some(table) => {
                let root = match table.path.get() {
                    Some(path) => self.named_root("library", self.about.name, path),
                    None if self.exists(&usual) => Some(usual),
                    None => {
                        self.report("library", self.about.name, "src/lib.rs");
                        None
                    }
                };
                let name = table.name.get().map_or(self.about.name, String::as_str);
                self.push(TargetKind::Library, name, root);
            }
            None if package.and_then(|package| package.autolib.get()) == Some(&false) => {}
            None => {
                let root = Some(usual).filter(|usual| self.exists(usual));
                self.push(TargetKind::Library, self.about.name, root);
            }
        }
    }

    /// `src/main.rs`, named as the package, and the folder `src/bin`.
    fn usual_binaries(&self) -> Vec<Usual> {
        let main = join(self.about.dir, "src/main.rs");
        let main = Some((self.about.name.to_owned(), main)).filter(|(_, root)| self.exists(root));
        main.into_iter().chain(self.in_folder("src/bin")).collect()
    }

    /// `<folder>/<name>.rs` and `<folder>/<name>/main.rs`, unless these belong to another package.
    fn in_folder(&self, folder: &str) -> Vec<Usual> {
        let folder = join(self.about.dir, folder);
        if nearest_manifest(self.manifests, &join(&folder, "main.rs")) != Some(self.about.dir) {
            return Vec::new();
        }
        let start = format!("{folder}/");
        let from = self.listing.rust.partition_point(|file| file.path.as_str() < start.as_str());
        let below = self.listing.rust.iter().skip(from).map_while(|file| {
            let rest = file.path.strip_prefix(&start)?;
            Some((rest, &file.path))
        });
        below
            .filter_map(|(rest, path)| {
                let name = match rest.split_once('/') {
                    None => rest.strip_suffix(".rs")?,
                    Some((name, "main.rs")) => name,
                    Some(_) => return None,
                };
                let own = nearest_manifest(self.manifests, path) == Some(self.about.dir);
                (own && !name.is_empty()).then(|| (name.to_owned(), path.clone()))
            })
            .collect()
    }

    /// What the manifest names, then what lies in the usual places and was not named.
    fn several(&mut self, kind: TargetKind, tables: &[TargetTable], usual: Vec<Usual>, auto: bool) {
        let what = if kind == TargetKind::Example { "example" } else { "binary" };
        let mut taken = BTreeSet::new();
        for table in tables {
            let name = table.name.get().map_or(self.about.name, String::as_str);
            let root = match table.path.get() {
                Some(path) => self.named_root(what, name, path),
                None => {
                    let place = usual.iter().find(|(other, _)| other == name);
                    // Before 2018 a lone binary of any name could be `src/main.rs`.
                    let place = place.or_else(|| usual.first().filter(|_| tables.len() == 1 && self.is_main(&usual)));
                    if place.is_none() {
                        self.report(what, name, "a file in the usual places");
                    }
                    place.map(|(_, root)| root.clone())
                }
            };
            taken.insert(name.to_owned());
            if root.as_ref().is_none_or(|root| taken.insert(root.clone())) {
                self.push(kind, name, root);
            }
        }
        for (name, root) in usual.into_iter().filter(|_| auto) {
            if !taken.contains(&name) && taken.insert(root.clone()) {
                self.push(kind, &name, Some(root));
            }
        }
    }

    fn is_main(&self, usual: &[Usual]) -> bool {
        self.about.edition == "2015" && usual.first().is_some_and(|(_, root)| root.ends_with("src/main.rs"))
    }

    fn push(&mut self, kind: TargetKind, name: &str, root: Option<String>) {
        if let Some(root) = root {
            self.targets.push(Target { kind, name: name.replace('-', "_"), root });
        }
    }

    /// The file that a `path` names, if the tree has it.
    fn named_root(&mut self, what: &str, name: &str, path: &str) -> Option<String> {
        let root = path_in_tree(self.about.dir, path).filter(|root| self.exists(root));
        if root.is_none() {
            self.report(what, name, path);
        }
        root
    }

    fn report(&mut self, what: &str, name: &str, path: &str) {
        let manifest = join(self.about.dir, "Cargo.toml");
        self.listing.error(manifest, format!("the {what} `{name}` needs {path}, which is not among the files"));
    }

    fn exists(&self, path: &str) -> bool {
        self.listing.rust.binary_search_by(|file| file.path.as_str().cmp(path)).is_ok()
    }
}

/// The folder of the manifest that a file belongs to: the nearest at or above it.
pub(super) fn nearest_manifest<'a>(manifests: &'a Manifests, path: &str) -> Option<&'a str> {
    let mut folder = folder_of(path);
    loop {
        if let Some((dir, _)) = manifests.get_key_value(folder) {
            return Some(dir);
        }
        if folder.is_empty() {
            return None;
        }
        folder = folder_of(folder);
    }
}
