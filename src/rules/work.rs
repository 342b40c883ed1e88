//! What a body does, through everything it calls: shared by the rules on tasks, schedules and queues.

use super::local_file;
use crate::catalog::{FnEffect, Op, StoreKind};
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::facts::phases::{Edge, Phases};
use crate::facts::sql;
use crate::resolve::Ty;
use crate::syntax::hir::Span;
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// Nodes followed at most; a body that reaches more does enough to be judged by what was seen.
const MAX_NODES: usize = 600;
/// Helpers climbed between the receive and the task that it is made for.
const MAX_HELPERS: usize = 8;

/// Effects of a node and of all it calls or spawns, in the order in which nodes are reached.
pub fn effects<'w>(w: &'w World<'_>, start: NodeId) -> Vec<&'w Effect> {
    effects_but(w, &[start], |_| false)
}

/// Effects of a node and of what it calls and waits for.
pub fn inline<'w>(w: &'w World<'_>, start: NodeId) -> Vec<&'w Effect> {
    let mut seen = FxHashSet::default();
    let mut queue = VecDeque::from([start]);
    let mut found = Vec::new();
    while let Some(node) = queue.pop_front() {
        if seen.len() < MAX_NODES && seen.insert(node) {
            found.extend(w.effects_of(node).iter().map(|&e| &w.facts.effects[e.index()]));
            queue.extend(w.graph.callees(node).filter(|e| !e.spawn).map(|e| e.to));
        }
    }
    found
}

/// The effects of what one round of a periodic body does: not those of bodies that repeat by themselves
/// below it, nor of what a stream or queue hands to a consumer that the loop only restarts.
pub fn round<'w>(w: &'w World<'_>, start: NodeId) -> Vec<&'w Effect> {
    let skip = |node: NodeId| {
        let facts = w.facts.node(node);
        facts.pumps || node != start && facts.periodic.is_some() && matches!(facts.kind, NodeKind::Spawned(_))
    };
    let Some(rounds) = w.facts.node(start).periodic.filter(|span| span.end_line > span.line) else {
        return effects_but(w, &[start], skip);
    };
    // What the body does before the loop and behind it is done once.
    if skip(start) {
        return Vec::new();
    }
    let own = w.effects_of(start).iter().map(|&e| &w.facts.effects[e.index()]).filter(|e| !e.delegated && rounds.holds(e.span));
    let below: Vec<NodeId> = w.graph.callees(start).filter(|e| rounds.holds(e.span)).map(|e| e.to).filter(|&to| to != start).collect();
    let mut found: Vec<&Effect> = own.collect();
    found.extend(effects_but(w, &below, |node| node == start || skip(node)));
    found
}

/// Whether a body, or what it calls, empties a collection that requests fill, or goes through it and takes out what it
/// acts on: what it goes on with is this instance's share.
pub fn drains_requests(w: &World<'_>, start: NodeId) -> bool {
    let mut seen = FxHashSet::default();
    let mut queue = vec![start];
    while let Some(node) = queue.pop() {
        if seen.insert(node) && seen.len() <= MAX_NODES {
            queue.extend(w.graph.callees(node).map(|e| e.to));
        }
    }
    w.cells.iter().any(|cell| {
        let mut accesses = cell.accesses.iter().map(|&a| w.facts.access(a));
        let does = |ops: &[Op]| accesses.clone().any(|a| ops.contains(&a.op) && seen.contains(&a.node));
        let drained = does(&[Op::Drain, Op::Swap]) || does(&[Op::Read]) && does(&[Op::Remove, Op::Prune]);
        drained && accesses.any(|a| a.op.writes() && w.graph.phase(a.node).requested())
    })
}

/// The effects of a node and of the background work that it is a part of: a helper that takes an item
/// out of a queue gives it to its caller.
pub fn around<'w>(w: &'w World<'_>, node: NodeId) -> Vec<&'w Effect> {
    let mut nodes = vec![node];
    let mut index = 0;
    while let Some(&here) = nodes.get(index)
        && nodes.len() < MAX_HELPERS
    {
        index += 1;
        if matches!(w.facts.node(here).kind, NodeKind::Spawned(_)) {
            continue;
        }
        for edge in w.graph.callers(here) {
            let works = w.graph.phase(edge.from).has(Phases::BACKGROUND);
            if works && !edge.spawn && !nodes.contains(&edge.from) {
                nodes.push(edge.from);
            }
        }
    }
    effects_but(w, &nodes, |_| false)
}

fn effects_but<'w>(w: &'w World<'_>, start: &[NodeId], skip: impl Fn(NodeId) -> bool) -> Vec<&'w Effect> {
    let mut seen = FxHashSet::default();
    let mut queue: VecDeque<NodeId> = start.iter().copied().collect();
    let mut found = Vec::new();
    while let Some(node) = queue.pop_front() {
        if skip(node) || !seen.insert(node) || seen.len() > MAX_NODES {
            continue;
        }
        found.extend(w.effects_of(node).iter().map(|&e| &w.facts.effects[e.index()]).filter(|e| !e.delegated));
        queue.extend(w.graph.callees(node).map(|e| e.to));
    }
    found
}

/// The first effect whose loss or repetition somebody outside notices.
pub fn lasting<'w>(w: &World<'_>, effects: &[&'w Effect]) -> Option<&'w Effect> {
    let cached = |e: &Effect| matches!(e.kind, EffectKind::File(_)) && local_file::refetched(e, w);
    effects.iter().copied().find(|e| {
        matches!(&e.kind, EffectKind::Store { writes: true, .. } | EffectKind::File(FnEffect::FileWrite | FnEffect::FileCopy))
            && !is_copy(e)
            && !e.text.as_deref().is_some_and(sql::ages_out)
            && !cached(e)
    })
}

/// A copy in a shared cache that leaves by age: whoever misses it makes it again.
fn is_copy(effect: &Effect) -> bool {
    let ages = |verb: &str| matches!(verb, "set_ex" | "pset_ex" | "setex" | "expire" | "pexpire" | "expire_at");
    matches!(effect.kind, EffectKind::Store { kind: StoreKind::Cache, .. }) && effect.what.split('.').any(ages)
}

/// Whether something in the work is taken so that only one instance gets it.
pub fn claimed(effects: &[&Effect]) -> bool {
    effects.iter().any(|e| e.kind == EffectKind::Claim)
}

/// Whether on the way from a body down to an effect something is taken that only one instance gets: by a
/// function on the way itself, or by one that it calls and that gives back what it took. What is marked only
/// when the effect is done, further down in the text, keeps nobody else from doing it.
///
/// `takes` keeps what was found of functions beside the way, for other effects of the same body.
pub fn claimed_for(w: &World<'_>, start: NodeId, effect: &Effect, takes: &mut FxHashMap<NodeId, bool>) -> bool {
    let way = w.graph.path(start, effect.node);
    let nodes = || std::iter::once(start).chain(way.iter().map(|e| e.to));
    let goes_on = way.iter().map(|e| e.span).chain(std::iter::once(effect.span));
    if nodes().skip(1).any(|node| locks_by_name(w, node)) {
        return true;
    }
    nodes().zip(goes_on).any(|(node, on)| {
        let before = |span: Span| (span.line, span.column) <= (on.line, on.column);
        let own = w.effects_of(node).iter().map(|&e| &w.facts.effects[e.index()]);
        let mut beside = |edge: &Edge| {
            let aside = before(edge.span) && !nodes().any(|n| n == edge.to);
            aside && *takes.entry(edge.to).or_insert_with(|| takes_for_caller(w, edge.to))
        };
        own.filter(|e| e.kind == EffectKind::Claim).any(|e| before(e.span)) || w.graph.callees(node).any(&mut beside)
    })
}

/// A function of the tree that is called for a lock or claim and tells whether it was got: its write to the shared
/// store is the taking, of which only one instance hears that it succeeded.
fn locks_by_name(w: &World<'_>, node: NodeId) -> bool {
    const TAKES: &[&str] = &["try_lock", "try_acquire", "acquire_lock", "acquire_lease", "try_claim"];
    let name = w.p.text(w.p.def(w.facts.node(node).def).name);
    TAKES.iter().any(|verb| name.starts_with(verb)) && gives_something(w, node)
}

fn takes_for_caller(w: &World<'_>, node: NodeId) -> bool {
    let effects = effects(w, node);
    let shared = |e: &&Effect| matches!(e.kind, EffectKind::Store { kind, writes: true } if kind != StoreKind::Embedded);
    if locks_by_name(w, node) && effects.iter().any(shared) {
        return true;
    }
    if !claimed(&effects) {
        return false;
    }
    let claims: Vec<_> = effects.iter().filter(|e| e.kind == EffectKind::Claim).map(|e| (e.node, e.span)).collect();
    let does_more = effects.iter().any(|e| matches!(e.kind, EffectKind::Store { writes: true, .. }) && !claims.contains(&(e.node, e.span)));
    !does_more || gives_something(w, node)
}

/// Whether a function has a result beyond success or failure.
pub fn gives_something(w: &World<'_>, node: NodeId) -> bool {
    let def = w.facts.node(node).def;
    let Some(ret) = w.p.function(def).and_then(|f| f.ret) else { return false };
    let ty = w.p.lower_type(w.p.def(def).file, ret, &w.p.scope_of(def));
    !matches!(ty, Ty::Unit) && !matches!(ty.args().first(), Some(Ty::Unit))
}

/// How a message names an effect.
pub fn name(w: &World<'_>, effect: &Effect) -> String {
    match &effect.text {
        Some(text) if text.contains(' ') => format!("`{}`", text.split_whitespace().take(4).collect::<Vec<_>>().join(" ")),
        _ => format!("{} in `{}`", plainly(effect), w.p.text(w.p.def(w.facts.node(effect.node).def).name)),
    }
}

/// What an effect is, where a chain of calls would not say it.
fn plainly(effect: &Effect) -> String {
    let EffectKind::Store { kind, writes } = effect.kind else { return format!("`{}`", effect.what) };
    let (read, written) = match kind {
        StoreKind::Sql | StoreKind::Embedded => ("a database query", "a database write"),
        StoreKind::Cache => ("a look into the shared cache", "a write to the shared cache"),
        StoreKind::Http => ("a call of another service", "a call of another service"),
        StoreKind::Object => ("a read from the object store", "a write to the object store"),
        StoreKind::Queue => ("a look into the queue", "a message to the queue"),
        StoreKind::Mail => ("a mail", "a mail"),
        StoreKind::Search => ("a search", "a change of the search index"),
    };
    if writes { written.into() } else { read.into() }
}
