//! The manifests of the tree, joined to what was found in the code.

use crate::analysis::{Analysis, AnalyzeError, AnalyzeOptions, Assessed, FileComments, ItemSpan};
use crate::config::Config;
use crate::facts::cells::World;
use crate::facts::configured::{Configuration, Configured};
use crate::finding::{ChecklistItem, Finding, Location, Persona};
use crate::manifests::{
    self, CodeFinding, Environment, MAX_FILE_BYTES, ManifestContext, ManifestError, ManifestFacts, Measured, Owner, Service, Setting,
};
use crate::rules;
use crate::syntax::hir::{Comment, Span};
use crate::workspace::model::{Package, Skip, TargetKind, Workspace};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

const ON_LOCAL_DISK: [&str; 2] = ["embedded-database", "local-file"];
/// Files in a folder that was given as a manifest.
const MAX_GIVEN: usize = 10_000;

/// The manifests of a tree, and what could not be read of them.
#[derive(Default)]
pub struct Manifests {
    pub facts: ManifestFacts,
    unread: Vec<Skip>,
    passed_over: Vec<Skip>,
    /// Those with comments that speak to this program.
    texts: Vec<(String, String)>,
}

/// Reads the manifests. What is wrong with one is listed, and the others go on.
///
/// # Errors
/// When a path that was named on purpose is no file or folder, or no manifest by its name.
pub fn read(root: &Path, tree: &Workspace, options: &AnalyzeOptions) -> Result<Manifests, AnalyzeError> {
    let mut found = Manifests::default();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut take = |name: String, path: &Path| {
        if texts.contains_key(&name) {
            return;
        }
        match text_of(path) {
            Ok(text) => drop(texts.insert(name, text)),
            Err(reason) => found.unread.push(Skip { path: name, reason }),
        }
    };
    for file in tree.others.iter().filter(|file| manifests::is_candidate(&file.path)) {
        take(file.path.clone(), &root.join(&file.path));
    }
    let real_root = root.canonicalize().unwrap_or_else(|_| root.to_path_buf());
    for given in &options.manifests {
        for path in given_files(given)? {
            // A file of the tree goes by its name there, so that nothing is said twice.
            let real = path.canonicalize().unwrap_or_else(|_| path.clone());
            let name = real.strip_prefix(&real_root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            take(name, &path);
        }
    }
    let texts: Vec<(String, String)> = texts.into_iter().collect();
    found.facts = manifests::read(&texts);
    let line = |line: u32| if line == 0 { String::new() } else { format!("line {line}: ") };
    let skip = |error: &ManifestError| Skip { path: error.path.clone(), reason: format!("{}{}", line(error.line), error.reason) };
    found.unread.extend(found.facts.errors.iter().map(skip));
    found.passed_over.extend(found.facts.passed_over.iter().map(skip));
    found.texts =
        texts.into_iter().filter(|(path, text)| text.contains("stateless:") && found.facts.manifests.binary_search(path).is_ok()).collect();
    Ok(found)
}

impl Manifests {
    /// What the files set for the code: not what is only there for developers or for somebody else's workload.
    pub fn configuration(&self) -> Configuration {
        let own = |setting: &&Setting| match setting.workload.map(|id| self.facts.workload(id)) {
            Some(workload) => workload.is_some_and(|w| w.owner == Owner::OwnService),
            None => true,
        };
        let shipped = self.facts.settings.iter().filter(|s| s.environment != Environment::Development).filter(own);
        Configuration::new(shipped.map(|s| Configured::new(&s.key, &s.value, s.location.clone())).collect())
    }

    /// Adds what the report says of the files themselves.
    pub fn note(&self, analysis: &mut Analysis) {
        analysis.unread_manifests.extend(self.unread.iter().cloned());
        analysis.skipped.extend(self.passed_over.iter().cloned());
        for (path, text) in &self.texts {
            comments(path, text, analysis);
        }
    }
}

/// The text of a regular file up to the bound.
fn text_of(path: &Path) -> Result<String, String> {
    let metadata = std::fs::metadata(path).map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("not a regular file".into());
    }
    if metadata.len() > MAX_FILE_BYTES as u64 {
        return Err(format!("larger than {MAX_FILE_BYTES} bytes"));
    }
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes().iter().take(error.utf8_error().valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}: not UTF-8")
    })
}

/// A file that was named on purpose, or the manifests below a folder that was.
fn given_files(given: &Path) -> Result<Vec<std::path::PathBuf>, AnalyzeError> {
    let fail = |why: &str| AnalyzeError { message: format!("{}: {why}", given.display()) };
    let metadata = std::fs::metadata(given).map_err(|error| fail(&error.to_string()))?;
    let known = |path: &Path| manifests::is_candidate(&path.to_string_lossy().replace('\\', "/"));
    if metadata.is_dir() {
        let walk = walkdir::WalkDir::new(given).max_depth(64).sort_by_file_name().into_iter().flatten().take(MAX_GIVEN);
        let files = walk.filter(|entry| entry.file_type().is_file() && known(entry.path()));
        return Ok(files.map(walkdir::DirEntry::into_path).collect());
    }
    if !metadata.is_file() {
        return Err(fail("no regular file"));
    }
    if !known(given) {
        return Err(fail("no manifest by its name: YAML, JSON, TOML, HCL, Caddyfile, Procfile, .conf and .cfg are read"));
    }
    Ok(vec![given.to_path_buf()])
}

/// Comments that may allow a finding: one alone on its line speaks of the next line that has text.
fn comments(path: &str, text: &str, analysis: &mut Analysis) {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(at) = ["# stateless:", "// stateless:"].iter().find_map(|mark| line.find(mark)) else { continue };
        let before = line.get(..at).unwrap_or_default();
        let text = line.get(at..).unwrap_or_default().trim_start_matches(['#', '/']).trim();
        let number = index as u32 + 1;
        let column = before.chars().count() as u32 + 1;
        let span = Span { line: number, column, end_line: number, end_column: line.chars().count() as u32 + 1 };
        let alone = before.trim().is_empty();
        found.push(Comment { span, text: text.into(), alone });
        let next =
            lines.iter().enumerate().skip(index + 1).find(|(_, line)| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
        if let (true, Some((next, _))) = (alone, next) {
            analysis.items.push(ItemSpan { path: path.to_owned(), start_line: next as u32 + 1, end_line: next as u32 + 1 });
        }
    }
    if !found.is_empty() {
        analysis.comments.push(FileComments { path: path.to_owned(), comments: found });
    }
}

/// What the code leaves to settings, and what it says that manifests are held against.
pub struct Asked {
    /// Packages that seal cookies with a key of Rocket's settings.
    sealing: BTreeSet<String>,
    openers: Vec<rules::embedded_database::chosen::Opener>,
    /// Paths that the code itself writes to, by the place where it does.
    paths: BTreeMap<Location, String>,
}

impl Asked {
    pub fn of(w: &World<'_>) -> Asked {
        let sealing = rules::fixed_signing_key::rocket::sealing(w);
        let openers = rules::embedded_database::chosen::openers(w);
        Asked { sealing, openers, paths: rules::evidence::literal_paths(w) }
    }
}

/// Runs the rules on manifests and says what was measured. `serving` are the packages that have
/// entry points of their own, `asked` what the code leaves to settings.
pub fn judge(facts: &ManifestFacts, tree: &Workspace, config: &Config, serving: &BTreeSet<String>, asked: &Asked, analysis: &mut Analysis) {
    let sealing = &asked.sealing;
    analysis.findings.extend(rules::embedded_database::chosen::check(facts, &asked.openers, &only_sqlite(tree)));
    let packages = tree.packages.iter().filter(|package| sealing.contains(&package.name));
    let packages: Vec<(String, String)> = packages.map(|package| (package.name.clone(), package.dir.clone())).collect();
    analysis.findings.extend(rules::fixed_signing_key::rocket::check(facts, &packages));
    let places = |ids: &[&str]| {
        let shown = analysis.findings.iter().filter(|finding| finding.persona == Persona::Regular);
        let of = shown.filter(|finding| ids.contains(&finding.rule));
        of.map(|finding| CodeFinding {
            rule: finding.rule,
            package: finding.package.clone(),
            symbol: finding.symbol.clone(),
            location: finding.location.clone(),
            path: asked.paths.get(&finding.location).cloned(),
        })
        .collect::<Vec<_>>()
    };
    let mut context = ManifestContext::new(services(tree, config, serving), places(&rules::sticky_session::HIDDEN), places(&ON_LOCAL_DISK));
    let binaries = tree.packages.iter().flat_map(|package| &package.targets).filter(|target| target.kind == TargetKind::Binary);
    let serves = |name: &String| context.services.iter().any(|service| service.names.contains(name));
    context.others = binaries.map(|target| target.name.to_lowercase()).filter(|name| !serves(name)).collect();
    rules::single_instance::explain_disks(facts, &context, &mut analysis.findings);
    let made: Vec<Finding> =
        rules::single_instance::check(facts, &context).into_iter().chain(rules::sticky_session::check(facts, &context)).collect();
    for finding in &made {
        for (rule, symbol) in &finding.related {
            let other = analysis.findings.iter_mut().find(|other| other.rule == rule && other.symbol == *symbol);
            if let Some(other) = other {
                other.related.push((finding.rule.to_owned(), finding.symbol.clone()));
            }
        }
    }
    analysis.findings.extend(made);
    let measured = Measured::of(facts, &context);
    let facts_of = |item, list: Vec<String>| list.into_iter().map(move |fact| (item, fact));
    analysis.checklist_facts.extend(facts_of(ChecklistItem::TwoInstance, measured.counts));
    analysis.checklist_facts.extend(facts_of(ChecklistItem::Affinity, measured.affinities));
    analysis.assessed.insert(ChecklistItem::Affinity, measured.assessed.clone().map_or_else(Assessed::No, |()| Assessed::Yes));
    // How many instances run is half of the question; the code alone does not answer it.
    if let (Err(reason), Some(Assessed::Yes)) = (measured.assessed, analysis.assessed.get(&ChecklistItem::TwoInstance)) {
        let reason = format!("{reason}, so whether two instances ever run is not known; the code shows nothing");
        analysis.assessed.insert(ChecklistItem::TwoInstance, Assessed::No(reason));
    }
}

/// Packages whose database crates of many drivers are built with SQLite's alone, by the features that they ask for.
fn only_sqlite(tree: &Workspace) -> BTreeSet<&str> {
    const MANY: [&str; 3] = ["sea_orm", "sqlx", "diesel"];
    const SERVERS: [&str; 4] = ["postgres", "mysql", "mariadb", "mssql"];
    let alone = |package: &&Package| {
        let used = package.dependencies.iter().filter(|d| !d.dev && MANY.contains(&d.package.replace('-', "_").as_str()));
        let features: Vec<&str> = used.flat_map(|d| d.features.iter().map(String::as_str)).collect();
        // A feature of the package may add another driver.
        let own = package.features.values().flatten().map(String::as_str);
        let server = features.iter().copied().chain(own).any(|f| SERVERS.iter().any(|s| f.contains(s)));
        !server && features.iter().any(|f| f.contains("sqlite"))
    };
    tree.packages.iter().filter(alone).map(|package| package.name.as_str()).collect()
}

/// The packages that answer requests, and what the configuration calls them.
fn services(tree: &Workspace, config: &Config, serving: &BTreeSet<String>) -> Vec<Service> {
    let mut services = Vec::new();
    for (index, package) in tree.packages.iter().enumerate() {
        let mut reached = BTreeSet::from([index]);
        let mut open = vec![index];
        while let Some(at) = open.pop() {
            for link in tree.links.iter().filter(|link| link.package == at) {
                let dev = tree.packages.get(at).and_then(|p| p.dependencies.get(link.dependency)).is_some_and(|d| d.dev);
                if !dev && reached.insert(link.to) {
                    open.push(link.to);
                }
            }
        }
        let packages: Vec<String> = reached.iter().filter_map(|at| tree.packages.get(*at)).map(|p| p.name.clone()).collect();
        if !packages.iter().any(|name| serving.contains(name)) {
            continue;
        }
        let binaries = package.targets.iter().filter(|target| target.kind == TargetKind::Binary).map(|target| target.name.to_lowercase());
        let names = binaries.chain([package.name.to_lowercase()]).collect();
        services.push(Service { names, folder: package.dir.clone(), packages });
    }
    if !config.services.is_empty() {
        let names = config.services.iter().map(|name| name.to_lowercase()).collect();
        let packages = serving.iter().cloned().collect();
        services.push(Service { names, folder: String::new(), packages });
    }
    services
}
