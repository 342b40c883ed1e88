//! Request data or service state whose home is the instance's own disk.

use super::evidence::{self, Told};
use super::work;
use crate::catalog::{FnEffect, StoreKind};
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::finding::*;
use crate::resolve::{DefId, Res};
use crate::syntax::hir::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

pub const ID: &str = "local-file";

pub fn check(w: &World<'_>) -> Vec<Finding> {
    let mut done: FxHashMap<DefId, Option<BranchId>> = FxHashMap::default();
    let mut findings = Vec::new();
    for effect in &w.facts.effects {
        let writes = match &effect.kind {
            EffectKind::File(FnEffect::FileWrite | FnEffect::FileCopy) => true,
            EffectKind::File(FnEffect::FileDir) => is_asked_for(effect, w),
            EffectKind::Library(rule) => rule == ID,
            _ => false,
        };
        let def = w.facts.node(effect.node).def;
        // A temporary name and its rename, or several files of one store, are one way to disk.
        if writes
            && !w.is_off(effect)
            && done.get(&def).is_none_or(|&told| w.facts.excludes(told, effect.branch))
            && let Some(finding) = judge(settled(effect, w), w)
        {
            done.entry(def).or_insert(effect.branch);
            findings.push(finding);
        }
    }
    for number in 0..w.facts.nodes.len() as u32 {
        findings.extend(job(NodeId(number), w).filter(|(def, _)| done.insert(*def, None).is_none()).map(|(_, finding)| finding));
    }
    findings
}

/// Whether a folder is made by the name that a request gives, and nothing follows that would be put into it: the
/// folder is what was asked for.
fn is_asked_for(effect: &Effect, w: &World<'_>) -> bool {
    let makes = matches!(effect.what.rsplit("::").next(), Some("create_dir" | "create_dir_all"));
    let last = || w.facts.ways(effect.branch).iter().any(|way| w.facts.branches[way.index()].leaves);
    makes && w.graph.resolve(effect.path, w.facts.node(effect.node).def).has(Prov::REQUEST) && last()
}

/// Whether the function fetches an object and changes none: what it writes is a copy, and the object store keeps
/// what was copied.
fn copies_object(effect: &Effect, w: &World<'_>) -> bool {
    let def = w.facts.node(effect.node).def;
    let own = w.facts.effects.iter().filter(|e| w.facts.node(e.node).def == def);
    let mut objects = own.filter_map(|e| match e.kind {
        EffectKind::Store { kind: StoreKind::Object, writes } => Some(writes),
        _ => None,
    });
    let fetched = !w.graph.resolve(effect.data, def).has(Prov::REQUEST) && objects.next() == Some(false);
    fetched && objects.all(|writes| !writes)
}

/// A temporary file that is kept has its home where the same function then renames it to.
fn settled<'w>(effect: &'w Effect, w: &'w World<'_>) -> &'w Effect {
    let renames = |e: &&Effect| e.node == effect.node && e.order > effect.order && e.kind == EffectKind::File(FnEffect::FileRename);
    let kept = effect.what.ends_with("NamedTempFile::keep");
    w.facts.effects.iter().filter(|_| kept).find(renames).unwrap_or(effect)
}

/// Background work that takes jobs from a store, leaves what it made on disk under a name from the job, and tells
/// the store that it is there.
fn job(id: NodeId, w: &World<'_>) -> Option<(DefId, Finding)> {
    let repeated = w.facts.node(id).periodic?;
    if w.graph.phase(id).requested() || !w.graph.phase(id).has(Phases::BACKGROUND) {
        return None;
    }
    let effects = work::round(w, id);
    let stores = |changes: bool| effects.iter().copied().find(|e| matches!(e.kind, EffectKind::Store { writes, .. } if writes == changes));
    let (asked, told) = (stores(false)?, stores(true)?);
    let home = |e: &Effect| w.graph.resolve(e.path, w.facts.node(e.node).def);
    // What the round removes again under the same kind of name is scratch.
    let scratch = |e: &Effect| effects.iter().any(|r| r.kind == EffectKind::File(FnEffect::FileRemove) && home(r) == home(e));
    let written = effects.iter().copied().find(|e| {
        let writes = matches!(e.kind, EffectKind::File(FnEffect::FileWrite | FnEffect::FileCopy));
        writes && home(e).has(Prov::STORE) && !scratch(e) && !refetched(e, w)
    })?;
    let def = w.facts.node(written.node).def;
    let by = w.p.text(w.p.def(w.facts.node(id).def).name).to_string();
    let step = |role: Role, message: String, node: NodeId, span: Span| Step::new(role, message, evidence::node_location(w, node, span));
    let what = evidence::last_two(&written.what);
    let mut steps = vec![
        step(Role::Because, "background work that repeats here".into(), id, repeated),
        step(Role::Read, format!("{} says what is to be done", work::name(w, asked)), asked.node, asked.span),
    ];
    steps.extend(evidence::calls(w, &w.graph.path(id, written.node), &by));
    steps.push(step(Role::Written, format!("`{what}` writes to this instance's disk"), written.node, written.span));
    steps.push(step(Role::Because, format!("{} tells every instance that it is there", work::name(w, told)), told.node, told.span));
    let reason = format!(
        "reporting because `{by}` takes jobs that every instance shares and leaves what it makes on the disk of the instance that did them"
    );
    Some((def, finding(w, written, &what, &format!("`{by}`"), Confidence::Medium, reason, vec![steps])))
}

/// Functions climbed from a write to the one that looks for the file first, and bodies followed from there.
const MAX_CLIMBED: usize = 24;
const MAX_LOOKED: usize = 400;

/// Whether the function, or whoever calls it, first looks for the file and then fetches or computes what it
/// writes: a cache on disk.
pub fn refetched(effect: &Effect, w: &World<'_>) -> bool {
    let def = w.facts.node(effect.node).def;
    refetched_here(effect, def, w) || missed_above(def, w, &mut FxHashSet::default())
}

/// Whether every way to a function leads through one that has looked on disk in vain, and only then calls what
/// loads and writes; or through the looking itself, when what it found is old.
fn missed_above(def: DefId, w: &World<'_>, seen: &mut FxHashSet<DefId>) -> bool {
    if w.is_entry(def) || seen.len() >= MAX_CLIMBED {
        return false;
    }
    // What is climbed already decides by itself.
    if !seen.insert(def) {
        return true;
    }
    let loads = w.facts.loading.contains(&def);
    let mut calls = w.lookup.calls_to(w.facts, def).peekable();
    calls.peek().is_some()
        && calls.all(|call| {
            let caller = w.facts.node(call.node).def;
            let mut before = w.lookup.calls_in(w.facts, call.node).filter(|c| c.answers && c.order < call.order);
            let answered = |def: DefId| w.lookup.calls_to(w.facts, def).any(|c| c.answers);
            let mut missed = || before.any(|c| looks_on_disk(c.target, w)) || answered(caller) && looks_on_disk(caller, w);
            loads && missed() || missed_above(caller, w, seen)
        })
}

/// Whether a function reads a file, itself or through what it calls.
fn looks_on_disk(def: DefId, w: &World<'_>) -> bool {
    let Some(&start) = w.graph.node_of.get(&def) else { return false };
    let mut seen = FxHashSet::from_iter([start]);
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        if w.effects_of(node).iter().any(|e| w.facts.effects[e.index()].kind == EffectKind::File(FnEffect::FileRead)) {
            return true;
        }
        for edge in w.graph.callees(node).filter(|e| !e.spawn) {
            if seen.len() < MAX_LOOKED && seen.insert(edge.to) {
                queue.push_back(edge.to);
            }
        }
    }
    false
}

fn refetched_here(effect: &Effect, def: DefId, w: &World<'_>) -> bool {
    let before = |e: &Effect| w.facts.node(e.node).def == def && e.order < effect.order;
    let looks = w.facts.effects.iter().any(|e| before(e) && e.kind == EffectKind::File(FnEffect::FileRead));
    let fetches = || w.facts.effects.iter().any(|e| before(e) && matches!(e.kind, EffectKind::Store { writes: false, .. }));
    let calls =
        || w.facts.calls.iter().any(|c| w.facts.node(c.node).def == def && c.order < effect.order && w.facts.loading.contains(&c.target));
    looks && (fetches() || calls())
}

/// Whether the function gives the file to a value that removes it when it goes, and is nowhere told to leave it.
fn removed_on_drop(effect: &Effect, w: &World<'_>) -> bool {
    let def = w.facts.node(effect.node).def;
    let removes = |holder: DefId, drop: DefId| {
        let own = |e: &&Effect| e.kind == EffectKind::File(FnEffect::FileRemove) && w.facts.node(e.node).def == drop;
        w.facts.effects.iter().filter(own).any(|e| e.branch.is_none() || !is_told(holder, drop, w))
    };
    let drop_of = |holder: DefId| w.p.methods.get(&(Res::Def(holder), w.p.names.get("drop")?))?.first().copied();
    let holders = w.facts.inits.iter().filter(|i| w.facts.node(i.node).def == def).map(|i| i.holder);
    FxHashSet::from_iter(holders).into_iter().any(|holder| drop_of(holder).is_some_and(|drop| removes(holder, drop)))
}

/// Whether a flag of a value is set on it by others than its `drop`: `self.finished = true`.
fn is_told(holder: DefId, drop: DefId, w: &World<'_>) -> bool {
    let flag = |a: &Access| matches!(a.place.path.last(), Some(Seg::Field(of, _)) if *of == holder);
    let set = |a: &Access| matches!(a.literal, Some(Literal::Bool(_))) && flag(a);
    w.facts.accesses.iter().any(|a| set(a) && w.facts.node(a.node).def != drop)
}

fn judge(effect: &Effect, w: &World<'_>) -> Option<Finding> {
    let library = matches!(effect.kind, EffectKind::Library(_));
    let def = w.facts.node(effect.node).def;
    let phase = w.graph.phase(effect.node);
    if !phase.requested() && (!library || phase == crate::facts::phases::Phases::default()) {
        return None;
    }
    if refetched(effect, w) || removed_on_drop(effect, w) || !library && copies_object(effect, w) {
        return None;
    }
    let entry = evidence::entries(w, effect.node).into_iter().next();
    if entry.is_none() && !library {
        return None;
    }
    let mut steps = Vec::new();
    let by = match &entry {
        Some((id, path)) => {
            steps.extend(evidence::begin(w, *id, path));
            evidence::entry_label(w, *id)
        }
        None => "the service".to_string(),
    };
    let what = evidence::last_two(&effect.what);
    steps.push(Step::new(
        Role::Written,
        format!("`{what}` writes to this instance's disk"),
        evidence::node_location(w, effect.node, effect.span),
    ));
    let krate = |node: NodeId| w.p.def(w.facts.node(node).def).krate;
    let in_store = |e: &Effect, changes: bool| matches!(e.kind, EffectKind::Store { kind: StoreKind::Object, writes } if writes == changes);
    let reader = evidence::nearest(w, def, true, |e| match e.kind {
        EffectKind::File(FnEffect::FileRead) => !library && krate(e.node) == krate(effect.node),
        _ => library && in_store(e, false),
    });
    let mut witness = vec![steps];
    if library && let Some(writer) = evidence::nearest(w, def, false, |e| in_store(e, true)) {
        witness.push(evidence::effect_path(w, writer, def, Role::Written, "written through"));
    }
    if let Some(reader) = reader {
        let path = evidence::effect_path(w, reader, def, Role::Read, "read back");
        witness[0].extend(path.last().cloned());
        witness.push(path);
    }
    let confidence = if effect.path.has(Prov::REQUEST) || reader.is_some() { Confidence::High } else { Confidence::Medium };
    let reason = format!("reporting because {by} reaches this write and the file outlives the request");
    Some(finding(w, effect, &what, &by, confidence, reason, witness))
}

fn finding(
    w: &World<'_>,
    effect: &Effect,
    what: &str,
    by: &str,
    confidence: Confidence,
    reason: String,
    witness: Vec<Vec<Step>>,
) -> Finding {
    let def = w.facts.node(effect.node).def;
    let told = Told {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Error,
        confidence,
        reason,
        message: format!("what {by} stores is gone with this instance and absent on every other: `{what}` puts it on local disk"),
        witness,
        home: "object store",
        help: "put the bytes into an object store or the database and keep only a key; use local disk for temporary files alone",
    };
    told.at(def, format!("{}::{what}", w.p.path(def)), evidence::node_location(w, effect.node, effect.span), w)
}
