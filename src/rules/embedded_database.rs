//! A database on the instance's own disk, or in its memory, as the service's store.

pub mod chosen;

use super::evidence::{self, Told};
use crate::catalog::StoreKind;
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::shipped::Origin;
use crate::finding::*;
use crate::resolve::program::CrateId;
use crate::resolve::{DefId, DefKind, FileId, Ty};
use crate::syntax::hir::Span;
use rustc_hash::FxHashSet;

pub const ID: &str = "embedded-database";

pub fn check(w: &World<'_>) -> Vec<Finding> {
    let mut seen: FxHashSet<(FileId, &str)> = FxHashSet::default();
    let mut findings = Vec::new();
    let entries = || w.facts.entries.iter().filter_map(|e| w.facts.def_of(e));
    let serves: FxHashSet<&str> = entries().map(|def| w.p.package_of(def)).collect();
    let serving: FxHashSet<CrateId> = entries().map(|def| w.p.def(def).krate).collect();
    let starts_server = |main: NodeId| {
        let krate = w.p.def(w.facts.node(main).def).krate;
        serving.iter().any(|&other| w.p.run_together(krate, other))
    };
    // The packages that ask stores, that change them, and of whose databases requests change one.
    let (mut asks, mut writes, mut kept) = (FxHashSet::default(), FxHashSet::default(), FxHashSet::default());
    for effect in &w.facts.effects {
        let EffectKind::Store { kind, writes: changes } = effect.kind else { continue };
        let package = package_of(w, effect);
        asks.insert(package);
        if changes {
            writes.insert(package);
            if matches!(kind, StoreKind::Sql | StoreKind::Embedded) && w.graph.phase(effect.node).requested() {
                kept.insert(package);
            }
        }
    }
    for effect in w.libraries(ID).filter(|effect| !w.graph.is_one_shot(w.facts, effect)) {
        let node = w.facts.node(effect.node);
        let engine = engine(&effect.what);
        let package = w.p.package_of(node.def);
        let reached = w.graph.phase(effect.node) != Phases::default();
        // A file that the request brings is its own, but no request has brought what is opened at the start; one that
        // nobody writes is shipped with the service.
        let at_start = w.graph.phase(effect.node).has(Phases::STARTUP);
        let foreign = !at_start && w.graph.resolve(effect.path, node.def).has(Prov::REQUEST);
        // What lies in memory alone was not shipped with anything in it.
        let in_memory = effect.text.as_deref().is_some_and(|t| t.contains(":memory:") || t.contains("mode=memory"));
        let shipped = asks.contains(package) && !in_memory && !writes.contains(package);
        if reached
            && !foreign
            && !shipped
            && (serves.contains(package)
                || w.graph.phase(effect.node).requested()
                || is_back_end(w, effect) && !w.facts.entries.is_empty()
                || kept.contains(package) && w.graph.started_by(effect.node, starts_server))
            && seen.insert((node.file, engine))
        {
            let mut finding = finding(w, node.def, node.file, effect.span, engine, format!("{}::{engine}", w.p.path(node.def)));
            explain_choice(w, effect, engine, &mut finding);
            findings.push(finding);
        }
    }
    // `#[database("name")] struct Db(SqlitePool);`
    for number in 0..w.p.defs.len() as u32 {
        let def = DefId(number);
        if w.p.def(def).kind != DefKind::Struct {
            continue;
        }
        let file = w.p.def(def).file;
        let hir = &w.p.file(file).hir;
        let item = w.p.item(def);
        let database =
            item.attrs.iter().any(|a| hir.str(a.path).ends_with("database")) || w.p.derived(def).any(|word| word.contains("Database"));
        let Some((_, fields)) = w.p.fields_of(def).filter(|_| database) else { continue };
        let held = fields.fields.iter().find_map(|f| w.p.field_type(def, &[], w.p.name_in(file, f.name)));
        if held.is_some_and(|t| is_embedded(w, &t)) && seen.insert((file, "SQLite")) {
            findings.push(finding(w, def, file, item.span, "SQLite", w.p.path(def)));
        }
    }
    findings
}

/// Where a setting decides, the default is part of the story; where nothing says it, reviewers may differ.
fn explain_choice(w: &World<'_>, effect: &Effect, engine: &str, finding: &mut Finding) {
    match w.by_default.choice(effect) {
        Choice::Shipped(origin) => {
            finding.reason = format!("reporting because the service ships with {engine}: the setting that chooses it has this default");
            let location = match origin {
                Origin::Code(file, span) => evidence::location(w, file, span),
                Origin::Configuration(index) => w.facts.configuration.values[index as usize].location.clone(),
            };
            if let Some(path) = finding.witness.first_mut() {
                path.push(Step::new(Role::Configured, format!("the default that chooses {engine}"), location));
            }
        }
        Choice::Open => discuss(finding, "a setting chooses the store, and nothing here says what it ships with"),
        Choice::Always if is_back_end(w, effect) => {
            discuss(finding, "one of several back ends is built, and no default was found that chooses it");
        }
        Choice::Always | Choice::Off => {}
    }
}

/// A variant of the tree's own enum of back ends, and no call into a library.
fn is_back_end(w: &World<'_>, effect: &Effect) -> bool {
    w.cat.store(&effect.what).is_none() && effect.what.rsplit("::").next().is_some_and(|last| last.starts_with(char::is_uppercase))
}

fn discuss(finding: &mut Finding, why: &str) {
    finding.persona = Persona::Pedantic;
    finding.severity = Severity::Note;
    finding.reason = format!("reporting for discussion only, because {why}");
}

fn package_of<'w>(w: &'w World<'_>, effect: &Effect) -> &'w str {
    w.p.package_of(w.facts.node(effect.node).def)
}

/// Requests that change and ask it.
fn used(w: &World<'_>, def: DefId) -> Vec<Vec<Step>> {
    evidence::used(w, def, ["changed", "asked"], |effect| match effect.kind {
        EffectKind::Store { kind: StoreKind::Sql | StoreKind::Embedded, writes } => Some(writes),
        _ => None,
    })
}

fn is_embedded(w: &World<'_>, ty: &Ty) -> bool {
    match ty {
        Ty::Ext(name, args) => {
            let text = w.p.text(*name).to_ascii_lowercase();
            text.contains("sqlite") || w.cat.store(w.p.text(*name)) == Some(StoreKind::Embedded) || args.iter().any(|a| is_embedded(w, a))
        }
        _ => false,
    }
}

fn engine(path: &str) -> &'static str {
    let lower = path.to_ascii_lowercase();
    let known = [
        ("sqlite", "SQLite"),
        ("libsql", "SQLite"),
        ("sled", "sled"),
        ("redb", "redb"),
        ("rocksdb", "RocksDB"),
        ("heed", "LMDB"),
        ("tantivy", "tantivy"),
        ("fjall", "fjall"),
        ("duckdb", "DuckDB"),
    ];
    known.iter().find(|(word, _)| lower.contains(word)).map_or("an embedded database", |(_, name)| name)
}

fn finding(w: &World<'_>, def: DefId, file: FileId, span: Span, engine: &str, symbol: String) -> Finding {
    let location = evidence::location(w, file, span);
    let told = Told {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        reason: format!("reporting because the service opens {engine} itself and no other instance can share that file"),
        message: format!("the service's data lives and dies with one instance: {engine} is opened on its own disk or in its memory"),
        witness: evidence::built(Step::new(Role::Declared, format!("{engine} is opened here"), location.clone()), Vec::new(), used(w, def)),
        home: "RDBMS",
        help: "use a database server that every instance reaches, or replicate the file to a shared store and say who owns it",
    };
    told.at(def, symbol, location, w)
}
