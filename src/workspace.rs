//! The files of the analysed tree: packages, targets and the Rust files that may belong to them.
//! Knows nothing of Rust's syntax.

mod candidates;
mod dependencies;
mod features;
mod files;
mod inheritance;
mod manifest;
pub mod model;
mod targets;
#[cfg(test)]
mod tests;
pub(crate) mod text;
mod walk;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use globset::GlobSet;

pub use self::candidates::without_template;
use self::dependencies::Found;
use self::inheritance::Workspaces;
use self::manifest::Manifest;
use self::model::{Link, Package, Skip, Target, TargetKind, Workspace};
use self::walk::{Listing, folder_of};

/// What of a tree is wanted.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Files and folders to leave out; matched against paths relative to the root with `/`. A folder
    /// that matches is left out with all it holds.
    pub exclude: GlobSet,
    /// Whether example targets are wanted.
    pub examples: bool,
    /// When not empty, only these packages and the libraries of the tree that are linked into them.
    pub only_packages: Vec<String>,
}

/// Why nothing can be said about a tree.
#[derive(Debug)]
pub enum DiscoverError {
    Missing {
        path: PathBuf,
    },
    /// A file that is no `Cargo.toml`.
    NotATree {
        path: PathBuf,
    },
    Unreadable {
        path: PathBuf,
        error: io::Error,
    },
    /// The root's manifest; line and column are 1-based.
    Manifest {
        path: PathBuf,
        place: Option<(u32, u32)>,
        message: String,
    },
    UnknownPackage {
        name: String,
        suggestion: Option<String>,
    },
}

impl fmt::Display for DiscoverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { path } => write!(f, "{} does not exist", path.display()),
            Self::NotATree { path } => {
                write!(f, "{} is neither a folder nor a Cargo.toml", path.display())
            }
            Self::Unreadable { path, error } => {
                write!(f, "{} cannot be read: {error}", path.display())
            }
            Self::Manifest { path, place: Some((line, column)), message } => {
                write!(f, "{}:{line}:{column}: {message}", path.display())
            }
            Self::Manifest { path, place: None, message } => write!(f, "{}: {message}", path.display()),
            Self::UnknownPackage { name, suggestion } => {
                write!(f, "no package `{name}` in this tree")?;
                suggestion.as_ref().map_or(Ok(()), |other| write!(f, "; did you mean `{other}`?"))
            }
        }
    }
}

impl std::error::Error for DiscoverError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unreadable { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// The folder that `path` stands for: itself, or the folder of a `Cargo.toml`. All paths of a
/// [`Workspace`] are relative to it.
///
/// # Errors
/// When there is no such folder.
pub fn root_of(path: &Path) -> Result<PathBuf, DiscoverError> {
    let metadata = path.metadata().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => DiscoverError::Missing { path: path.to_owned() },
        _ => DiscoverError::Unreadable { path: path.to_owned(), error },
    })?;
    if metadata.is_dir() {
        return Ok(path.to_owned());
    }
    if path.file_name().is_none_or(|name| name != "Cargo.toml") {
        return Err(DiscoverError::NotATree { path: path.to_owned() });
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Ok(folder.unwrap_or(Path::new(".")).to_owned())
}

/// Lists what a tree holds, from its files alone: nothing is executed and no link is followed.
/// `root` is a folder or the path of a `Cargo.toml`; a folder without any manifest gives a workspace
/// without packages.
///
/// # Errors
/// When there is no such folder, when its own `Cargo.toml` cannot be understood, or when a package
/// that was asked for by name is not there. What is wrong deeper in the tree is in
/// [`Workspace::errors`].
pub fn discover(root: &Path, options: &Options) -> Result<Workspace, DiscoverError> {
    let root = root_of(root)?;
    let absolute = root.canonicalize().map_err(|error| DiscoverError::Unreadable { path: root.clone(), error })?;
    let mut listing = Listing::of(&root, &options.exclude);
    let manifests = read_manifests(&root, &mut listing)?;
    let workspaces = Workspaces::new(&absolute, &manifests);

    let mut drafts = drafts(&manifests, &workspaces, &mut listing, options);
    let links = resolve_links(&mut drafts);
    drop_test_support(&mut drafts, &links, &options.only_packages);
    let kept = select(&mut drafts, &links, &options.only_packages)?;
    let files = files::belonging(&drafts, &kept, &manifests, &mut listing);

    let listed: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut position = BTreeMap::new();
    let mut packages = Vec::with_capacity(kept.len());
    for (index, mut draft) in drafts.into_iter().enumerate() {
        if kept.contains(&index) {
            draft.package.targets.retain(|target| listed.contains(target.root.as_str()));
            position.insert(index, packages.len());
            packages.push(draft.package);
        }
    }
    let links =
        links.into_iter().filter_map(|link| Some(Link { package: *position.get(&link.package)?, to: *position.get(&link.to)?, ..link }));
    Ok(Workspace {
        links: links.collect(),
        packages,
        files,
        others: listing.others,
        skipped: listing.skipped.into_iter().collect(),
        errors: listing.errors.into_iter().collect(),
    })
}

/// A manifest by its folder; `None` where it is there but could not be understood.
type Manifests = BTreeMap<String, Option<Manifest>>;

fn read_manifests(root: &Path, listing: &mut Listing) -> Result<Manifests, DiscoverError> {
    let mut manifests = BTreeMap::new();
    for path in std::mem::take(&mut listing.manifests) {
        let dir = folder_of(&path).to_owned();
        let manifest = match Manifest::read(&root.join(&path)) {
            Ok(manifest) => Some(manifest),
            Err(problem) if dir.is_empty() => {
                let (place, message) = (problem.place, problem.message);
                return Err(DiscoverError::Manifest { path: root.join(path), place, message });
            }
            Err(problem) => {
                listing.error(path, problem.to_string());
                None
            }
        };
        manifests.insert(dir, manifest);
    }
    Ok(manifests)
}

/// A package with what only matters until the tree is known as a whole.
struct Draft {
    package: Package,
    /// For each dependency: the folder its `path` names, and whether its key is a rename.
    origins: Vec<dependencies::Origin>,
    /// The build script's path.
    build_script: String,
}

fn drafts(manifests: &Manifests, workspaces: &Workspaces<'_>, listing: &mut Listing, options: &Options) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (dir, manifest) in manifests {
        let Some(manifest) = manifest else { continue };
        let Some(table) = &manifest.package else {
            continue;
        };
        let path = join(dir, "Cargo.toml");
        let workspace = workspaces.of(dir, manifest);
        if workspace.is_none() && manifest.inherits() {
            listing.error(path.as_str(), "inherits from a workspace that was not found or could not be read");
        }
        let inherited = workspace.as_ref().map(|workspace| &workspace.table.package);
        let name = table.name.get().or_else(|| inherited.filter(|_| table.name.inherited())?.name.get());
        let Some(name) = name else {
            listing.error(path, "the package has no name");
            continue;
        };
        let edition = match table.edition.get() {
            Some(edition) => edition.as_str(),
            None if table.edition.inherited() => inherited.and_then(|package| package.edition.get()).map_or("2021", String::as_str),
            None => "2015",
        };
        let about = targets::About { dir, name, edition, manifest, examples: options.examples };
        let helps_tests = is_below_tests(dir, manifests) && !options.only_packages.iter().any(|only| only == name);
        let targets = if helps_tests { Vec::new() } else { targets::of(&about, manifests, listing) };
        let (dependencies, origins) = dependencies::of(manifest, dir, workspace.as_ref(), workspaces).into_iter().map(Found::split).unzip();
        let build_script = join(dir, table.build.get().map_or("build.rs", String::as_str));
        let (name, edition, dir) = (name.clone(), edition.to_owned(), dir.clone());
        let features = manifest.features();
        let package = Package { name, manifest: path, dir, edition, targets, dependencies, features };
        drafts.push(Draft { package, origins, build_script });
    }
    drafts.sort_by(|a, b| a.package.manifest.cmp(&b.package.manifest));
    drafts
}

/// Whether a package lies in the folder of another one's tests or benches: Cargo builds what is there for them alone.
fn is_below_tests(dir: &str, manifests: &Manifests) -> bool {
    let is_package = |dir: &str| matches!(manifests.get(dir), Some(Some(manifest)) if manifest.package.is_some());
    let below = |kind: &str| dir.match_indices(kind).any(|(at, _)| is_package(&dir[..at]));
    below("/tests/") || below("/benches/") || (dir.starts_with("tests/") || dir.starts_with("benches/")) && is_package("")
}

/// Ties dependencies to the packages they stand for, and names them as the code does.
fn resolve_links(drafts: &mut [Draft]) -> Vec<Link> {
    let known: BTreeMap<String, (usize, Option<String>)> = drafts
        .iter()
        .enumerate()
        .map(|(index, draft)| {
            let library = draft.package.targets.iter().find(|target| target.kind == TargetKind::Library);
            (draft.package.dir.clone(), (index, library.map(|target| target.name.clone())))
        })
        .collect();
    let mut links = Vec::new();
    for (package, draft) in drafts.iter_mut().enumerate() {
        for (dependency, origin) in draft.origins.iter().enumerate() {
            let Some((to, library)) = origin.dir.as_ref().and_then(|dir| known.get(dir)) else {
                continue;
            };
            links.push(Link { package, dependency, to: *to });
            let entry = draft.package.dependencies.get_mut(dependency).filter(|_| !origin.renamed);
            if let (Some(entry), Some(library)) = (entry, library) {
                entry.name.clone_from(library);
            }
        }
    }
    links
}

/// Libraries that other packages of the tree use in their tests alone have nothing that is served.
fn drop_test_support(drafts: &mut [Draft], links: &[Link], only: &[String]) {
    let is_dev = |link: &Link| drafts.get(link.package).and_then(|d| d.package.dependencies.get(link.dependency)).is_some_and(|d| d.dev);
    let mut users: BTreeMap<usize, bool> = BTreeMap::new();
    for link in links.iter().filter(|link| link.package != link.to) {
        *users.entry(link.to).or_insert(true) &= is_dev(link);
    }
    for (index, _) in users.into_iter().filter(|(_, dev)| *dev) {
        let Some(draft) = drafts.get_mut(index).filter(|draft| !only.contains(&draft.package.name)) else { continue };
        if draft.package.targets.iter().all(|target| target.kind == TargetKind::Library) {
            draft.package.targets.clear();
        }
    }
}

/// The positions of the packages that are wanted; of those that are only linked into them, nothing
/// but the library stays.
fn select(drafts: &mut [Draft], links: &[Link], only: &[String]) -> Result<BTreeSet<usize>, DiscoverError> {
    if only.is_empty() {
        return Ok((0..drafts.len()).collect());
    }
    let mut kept = BTreeSet::new();
    for name in only {
        let before = kept.len();
        let named = drafts.iter().enumerate().filter(|(_, draft)| draft.package.name == *name);
        kept.extend(named.map(|(index, _)| index));
        let repeated = kept.iter().any(|index| drafts.get(*index).is_some_and(|draft| draft.package.name == *name));
        if kept.len() == before && !repeated {
            let names = drafts.iter().map(|draft| draft.package.name.as_str());
            let suggestion = text::closest(name, names).map(str::to_owned);
            return Err(DiscoverError::UnknownPackage { name: name.clone(), suggestion });
        }
    }
    let named = kept.clone();
    let mut pending: Vec<usize> = named.iter().copied().collect();
    while let Some(package) = pending.pop() {
        for link in links.iter().filter(|link| link.package == package) {
            let dependency = drafts.get(package).and_then(|draft| draft.package.dependencies.get(link.dependency));
            if dependency.is_some_and(|dependency| !dependency.dev) && kept.insert(link.to) {
                pending.push(link.to);
            }
        }
    }
    for (index, draft) in drafts.iter_mut().enumerate() {
        if !named.contains(&index) {
            draft.package.targets.retain(|target: &Target| target.kind == TargetKind::Library);
        }
    }
    Ok(kept)
}

fn join(dir: &str, path: &str) -> String {
    if dir.is_empty() { path.to_owned() } else { format!("{dir}/{path}") }
}

/// Whether a file of this name may matter to [`discover`] or to readers of [`Workspace::others`].
#[must_use]
pub fn is_wanted(path: &str) -> bool {
    let name = walk::name_of(path);
    let marks = ["Cargo.toml", "CACHEDIR.TAG", ".cargo-checksum.json"];
    name.ends_with(".rs") || marks.contains(&name) || candidates::other(name).is_some()
}

impl Workspace {
    /// Whether there is anything to analyse.
    #[must_use]
    pub fn has_targets(&self) -> bool {
        self.packages.iter().any(|package| !package.targets.is_empty())
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}
