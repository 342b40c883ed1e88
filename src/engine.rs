//! The whole run: a tree in, an analysis out.

mod deployment;
mod parsing;

use self::deployment::Manifests;
use crate::analysis::{Analysis, AnalyzeError, AnalyzeOptions, Assessed, FileComments, ItemSpan, Summary};
use crate::cache::Cache;
use crate::catalog::Catalog;
use crate::cli::{Engine, Policy};
use crate::config::{Config, EntryPointMarker};
use crate::facts::cells::World;
use crate::facts::eval::Eval;
use crate::facts::hosts::Hosts;
use crate::facts::phases::{Graph, Phases};
use crate::finding::{ChecklistItem, Location, Persona};
use crate::report::{self, Allow};
use crate::resolve::link::link;
use crate::resolve::{DefId, DefKind, Program};
use crate::rules;
use crate::syntax;
use crate::workspace::model::{Skip, Workspace};
use crate::workspace::text::closest;
use crate::workspace::{self, DiscoverError, Options};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::thread::ScopedJoinHandle;

/// The engine as the command line runs it: configuration from the tree, the built-in rules.
pub struct Linter;

impl Engine for Linter {
    fn analyze(&self, root: &Path, options: &AnalyzeOptions) -> Result<(Analysis, Policy), AnalyzeError> {
        let fail = |message: String| AnalyzeError { message };
        let folder = workspace::root_of(root).map_err(|e| fail(e.to_string()))?;
        let ids: Vec<&str> = rules::PAGES.iter().chain(&report::PAGES).map(|(id, _)| *id).collect();
        let config = Config::load(&folder, &ids).map_err(|e| fail(e.to_string()))?;
        let analysis = analyze(root, &config, options)?;
        let allow = config.allow.iter().map(|a| Allow {
            rule: a.rule.clone(),
            symbol: a.symbol.clone(),
            reason: a.reason.clone(),
            location: Location {
                path: config.source.clone().unwrap_or_default(),
                line: a.line,
                column: 1,
                end_line: a.line,
                end_column: 1,
            },
        });
        let policy = Policy {
            fail_on: Some(config.fail_on),
            persona: Some(config.persona),
            allow: allow.collect(),
            rules: config.rules,
            baseline: config.baseline,
        };
        Ok((analysis, policy))
    }

    fn pages(&self) -> &[(&'static str, &'static str)] {
        rules::PAGES
    }

    fn sample_config(&self) -> &str {
        include_str!("config/sample.toml")
    }
}

/// Bytes of a catalog file that is read.
const MAX_CATALOG: u64 = 4 << 20;

/// Analyses the tree below `root`. Nothing of it is executed, and no process is started.
///
/// # Errors
/// When there is no tree at `root`, its own manifest is broken, or a catalog file of the
/// configuration cannot be read. What is wrong deeper in the tree is listed in the analysis.
pub fn analyze(root: &Path, config: &Config, options: &AnalyzeOptions) -> Result<Analysis, AnalyzeError> {
    let fail = |message: String| AnalyzeError { message };
    let root = workspace::root_of(root).map_err(|e| fail(e.to_string()))?;
    let mut user = Vec::new();
    for path in &config.catalog {
        let full = root.join(path);
        let plain = full.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() <= MAX_CATALOG);
        let text = plain.then(|| std::fs::read_to_string(&full).ok()).flatten();
        user.push((path.clone(), text.ok_or_else(|| fail(format!("catalog file {path} cannot be read")))?));
    }
    options.progress.begin("listing", 0);
    let wanted = Options { exclude: config.exclude.set().clone(), examples: options.examples, only_packages: options.packages.clone() };
    let files = options.files.as_deref().unwrap_or(&root);
    let (catalog, found) = std::thread::scope(|scope| {
        let catalog = scope.spawn(|| Catalog::load(&user));
        let found = workspace::discover(files, &wanted);
        (catalog.join(), found)
    });
    let catalog = catalog.map_err(|_| fail("the catalog cannot be read".into()))?.map_err(fail)?;
    let tree = match found {
        // A package may be younger than the files that were asked for.
        Err(DiscoverError::UnknownPackage { .. }) if options.files.is_some() => return Ok(Analysis::default()),
        found => found.map_err(|e| fail(e.to_string()))?,
    };
    let pool = rayon::ThreadPoolBuilder::new().stack_size(syntax::STACK_BYTES).build().map_err(|e| fail(e.to_string()))?;
    let cache = options.cache.as_deref().and_then(|folder| Cache::open(folder, &root));
    let run = || {
        std::thread::scope(|scope| {
            // Beside the code, whose analysis is serial.
            let thread = std::thread::Builder::new().stack_size(syntax::STACK_BYTES);
            let manifests = thread.spawn_scoped(scope, || deployment::read(files, &tree, options)).map_err(|e| fail(e.to_string()))?;
            pool.install(|| run(files, &tree, cache, &catalog, config, options, manifests))
        })
    };
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(fail("the analysis failed".into())))
}

fn run(
    root: &Path,
    tree: &Workspace,
    cache: Option<Cache>,
    catalog: &Catalog,
    config: &Config,
    options: &AnalyzeOptions,
    manifests: ScopedJoinHandle<'_, Result<Manifests, AnalyzeError>>,
) -> Result<Analysis, AnalyzeError> {
    let mut analysis = Analysis { skipped: tree.skipped.clone(), errors: tree.errors.clone(), ..Analysis::default() };
    let stage = |what| options.progress.begin(what, 0);
    let (files, keeping) = parsing::parse(root, tree, cache, options, &mut analysis);
    stage("linking");
    analysis.summary =
        Summary { files: files.len() as u64, lines: files.iter().map(|(_, f)| u64::from(f.lines)).sum(), ..Summary::default() };
    let (mut program, missing) = link(tree, files, &|name| catalog.is_framework(name), &|name| catalog.has_parts(name));
    analysis.skipped.extend(missing);
    program.index_impls();
    program.index_processes();
    analysis.summary.crates = program.crates.len() as u64;
    stage("manifests");
    let manifests = manifests.join().map_err(|_| AnalyzeError { message: "the analysis of the manifests failed".into() })??;
    stage("evaluating");
    let (facts, unmatched) = Eval::run(&program, catalog, &config.entry_points, manifests.configuration());
    unmatched_entry_points(&program, config, options, &unmatched)?;
    analysis.errors.extend(facts.failed.iter().map(|&def| {
        let (file, line) = (program.def(def).file, program.item(def).span.line);
        let reason = format!("line {line}: the analysis of `{}` failed", program.path(def));
        Skip { path: program.file(file).path.clone(), reason }
    }));
    stage("graph");
    let graph = Graph::build(&program, catalog, &facts);
    stage("hosts");
    let hosts = Hosts::find(&program, catalog, &facts, &graph);
    stage("cells");
    let world = World::new(&program, catalog, &facts, &graph, &hosts);
    stage("judging");
    let inventory = options.inventory || config.persona == Persona::Inventory;
    rules::judge(&world, config, inventory, &mut analysis);
    assess(&world, &mut analysis);
    manifests.note(&mut analysis);
    deployment::judge(&manifests.facts, tree, config, &serving(&world), &deployment::Asked::of(&world), &mut analysis);
    stage("closing");
    for unit in &mut program.files {
        let comments = std::mem::take(&mut unit.hir.comments);
        analysis.items.extend(unit.hir.items.iter().map(|i| ItemSpan {
            path: unit.path.clone(),
            start_line: i.span.line,
            end_line: i.span.end_line,
        }));
        analysis.comments.push(FileComments { path: unit.path.clone(), comments });
    }
    // Nobody waits for the memory of the code.
    let files = std::mem::take(&mut program.files);
    rayon::spawn(move || drop(files));
    if let Some(keeping) = keeping {
        let _ = keeping.join();
    }
    Ok(analysis)
}

/// An entry point that names nothing would silently leave its code out. Only a whole tree can tell.
fn unmatched_entry_points(program: &Program, config: &Config, options: &AnalyzeOptions, unmatched: &[usize]) -> Result<(), AnalyzeError> {
    let Some(entry) = unmatched.first().and_then(|&index| config.entry_points.get(index)) else { return Ok(()) };
    if !options.packages.is_empty() || options.files.is_some() {
        return Ok(());
    }
    let source = config.source.as_deref().unwrap_or_default();
    let message = match &entry.marker {
        EntryPointMarker::Attribute(name) => format!("{source}:{}: no function with a body has the attribute `{name}`", entry.line),
        EntryPointMarker::Path(path) => {
            let functions = (0..program.defs.len() as u32).map(DefId).filter(|&def| program.def(def).kind == DefKind::Fn);
            let known: Vec<String> = functions.map(|def| program.path(def)).collect();
            let meant = closest(path, known.iter().map(String::as_str)).map(|near| format!("; did you mean `{near}`?"));
            format!("{source}:{}: no function `{path}` with a body{}", entry.line, meant.unwrap_or_default())
        }
    };
    Err(AnalyzeError { message })
}

/// The packages whose code answers requests.
fn serving(w: &World<'_>) -> BTreeSet<String> {
    let defs = w.facts.entries.iter().filter_map(|entry| w.facts.def_of(entry));
    defs.map(|def| w.p.package_of(def).to_string()).collect()
}

/// As many handlers without a route may be left over from what a service once did.
const FEW: u64 = 5;

/// Where a package that has no entry point takes connections by itself.
fn unheard(w: &World<'_>) -> Option<String> {
    let serving = serving(w);
    let unheard = w.facts.accepts.iter().find(|(node, _)| {
        let phase = w.graph.phase(*node);
        phase != Phases::default() && !phase.requested() && !serving.contains(w.p.package_of(w.facts.node(*node).def))
    });
    unheard.map(|(node, span)| format!("{}:{}", w.p.file(w.facts.node(*node).file).path, span.line))
}

/// Which items of the checklist the run could judge.
fn assess(w: &World<'_>, analysis: &mut Analysis) {
    let summary = analysis.summary;
    let unknown = (summary.unknown_calls * 100).checked_div(summary.calls).unwrap_or(0);
    let code = if summary.entry_points == 0 {
        Assessed::No("no entry points were found".into())
    } else if w.facts.unrouted >= FEW && w.facts.unrouted * 2 >= summary.entry_points {
        Assessed::No(format!("{} methods look like handlers, and no route to them was found", w.facts.unrouted))
    } else if let Some(place) = unheard(w) {
        Assessed::No(format!("connections are accepted by hand at {place}, and what they bring was not followed"))
    } else if unknown > 60 {
        Assessed::No(format!("{unknown} % of the calls could not be followed"))
    } else {
        Assessed::Yes
    };
    for item in [ChecklistItem::InstanceKill, ChecklistItem::TwoInstance, ChecklistItem::CacheWriteBack, ChecklistItem::Quarantine] {
        analysis.assessed.insert(item, code.clone());
    }
}
