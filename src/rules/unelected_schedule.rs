//! Periodic work that every instance does on shared state.

use super::evidence::{self, Told};
use super::unrecoverable_stream_state::election;
use super::work;
use crate::catalog::StoreKind;
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::sql;
use crate::finding::*;
use crate::syntax::hir::Span;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

pub const ID: &str = "unelected-schedule";

/// Effects that are shown, each with the way to it.
const SHOWN_EFFECTS: usize = 4;

pub fn check(w: &World<'_>) -> Vec<Finding> {
    (0..w.facts.nodes.len() as u32).filter_map(|n| judge(NodeId(n), w)).collect()
}

fn judge(id: NodeId, w: &World<'_>) -> Option<Finding> {
    let node = w.facts.node(id);
    let repeated = node.periodic?;
    let phase = w.graph.phase(id);
    if phase.has(Phases::REQUEST) || !phase.has(Phases::BACKGROUND) {
        return None;
    }
    let effects: Vec<&Effect> = work::round(w, id);
    // A consumer that acknowledges takes each item from a queue that hands it out once.
    let takes = |e: &Effect| matches!(e.kind, EffectKind::Store { kind: StoreKind::Queue, writes: false });
    if work::effects(w, id)
        .iter()
        .any(|e| takes(e) || e.kind == EffectKind::Settle || e.what.split('.').any(|v| matches!(v, "acknowledge" | "xreadgroup")))
    {
        return None;
    }
    let share = OnceCell::new();
    let own = |e: &Effect| hands_over(e, w) && *share.get_or_init(|| work::drains_requests(w, id));
    let mut takes = FxHashMap::default();
    let shared: Vec<&Effect> =
        effects.iter().copied().filter(|e| acts(e, w) && !own(e) && !work::claimed_for(w, id, e, &mut takes)).collect();
    let first = *shared.first()?;
    if for_what_was_taken(w, id, &mut takes) {
        return None;
    }
    // Deleting what is old, marking what is due, a sign of life or shaping a table is the same however many do it.
    let touched = |e: &Effect| e.what.split('.').any(|call| call == TOUCHES);
    if shared.iter().all(|e| {
        deletes(e)
            || touched(e)
            || e.text.as_deref().is_some_and(|t| sql::settles(t) || sql::shapes(t) || sql::touches(t) || sql::recomputes(t))
    }) {
        return None;
    }
    if is_led(w, id) {
        return None;
    }
    let (at_node, span) = started(w, id).unwrap_or((id, repeated));
    let step = |role: Role, message: String, node: NodeId, span: Span| Step::new(role, message, evidence::node_location(w, node, span));
    let mut witness = Vec::new();
    for effect in shared.iter().take(SHOWN_EFFECTS) {
        let mut steps = vec![
            step(Role::Spawned, "started in every instance here".into(), at_node, span),
            step(Role::Because, "repeats without asking who else does".into(), id, repeated),
        ];
        for edge in w.graph.path(id, effect.node) {
            let callee = w.p.text(w.p.def(w.facts.node(edge.to).def).name);
            steps.push(step(Role::Called, format!("calls `{callee}`"), edge.from, edge.span));
        }
        steps.push(step(Role::Written, format!("{} acts on shared state", work::name(w, effect)), effect.node, effect.span));
        witness.push(steps);
    }
    let def = node.def;
    let told = Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        reason: format!("reporting because the loop reaches {} and nothing on the way takes a claim, lock or lease", work::name(w, first)),
        message: format!("two instances do this work twice: every instance repeats {} with no claim or election", work::name(w, first)),
        witness,
        home: "coordination service",
        help: "claim each row (`FOR UPDATE SKIP LOCKED`, a conditional update), take an advisory lock or lease, or \
             run the job as a single scheduled job outside the service",
    };
    Some(told.at(def, w.p.path(def), evidence::node_location(w, at_node, span), w))
}

/// Whether the loop is started by background work for an item that this has claimed: a sign of life as long as it is
/// worked on.
fn for_what_was_taken(w: &World<'_>, id: NodeId, takes: &mut FxHashMap<NodeId, bool>) -> bool {
    let node = w.facts.node(id);
    let (NodeKind::Spawned(effect), Some(starter)) = (node.kind, node.parent) else { return false };
    let phase = w.graph.phase(starter);
    let works = phase.has(Phases::BACKGROUND) && !phase.has(Phases::STARTUP);
    works && work::claimed_for(w, starter, &w.facts.effects[effect.index()], takes)
}

/// Whether the loop asks a flag that follows a lease: whether that is safe is a question about the lease.
fn is_led(w: &World<'_>, id: NodeId) -> bool {
    let asks =
        |u: &Use| matches!(u.kind, UseKind::Gate { .. } | UseKind::Branch { .. }) && (u.node == id || !w.graph.path(id, u.node).is_empty());
    w.cells.iter().any(|cell| election::leads(cell, w).is_some() && cell.uses.iter().any(asks))
}

/// Whether an effect changes what other instances share, and not in a way that is the same when repeated.
fn acts(effect: &Effect, w: &World<'_>) -> bool {
    let upsert =
        effect.text.as_deref().is_some_and(|t| t.to_ascii_uppercase().contains("ON CONFLICT")) || effect.what.contains("on_conflict");
    match effect.kind {
        // A report about this process, made of constants, configuration and its own memory.
        EffectKind::Store { kind: StoreKind::Http, writes: true } => {
            let data = w.graph.resolve(effect.data, w.facts.node(effect.node).def);
            [Prov::STORE, Prov::REQUEST, Prov::UNKNOWN].iter().any(|&k| data.has(k))
        }
        // An embedded database is this instance's own.
        EffectKind::Store { kind: StoreKind::Embedded, .. } => false,
        // Adding to a column gives the right sum however many add a share of their own.
        EffectKind::Store { writes: true, .. } => !upsert && !adds(effect),
        _ => false,
    }
}

/// Whether an effect stores what this instance holds in memory.
fn hands_over(effect: &Effect, w: &World<'_>) -> bool {
    w.graph.resolve(effect.data, w.facts.node(effect.node).def).has(Prov::CELL)
}

fn adds(effect: &Effect) -> bool {
    if effect.what.split('.').any(|v| v == "add" || v.starts_with("incr") || v.starts_with("hincr")) {
        return true;
    }
    let Some(text) = effect.text.as_deref() else { return false };
    let words: Vec<&str> = text.split([' ', '=', '\n', ',']).filter(|w| !w.is_empty()).collect();
    // What every instance adds alike, without a parameter, is added once too often by each of the others.
    let given = text.contains(['$', '?', ':', '@', '%', '{']);
    given && words.windows(3).any(|w| w[0] == w[1] && w[2] == "+")
}

fn deletes(effect: &Effect) -> bool {
    let by_text = effect.text.as_deref().map(sql::deletes);
    by_text.unwrap_or_else(|| effect.what.split('.').next().is_some_and(|v| v.starts_with("delete")))
}

/// The spawn that starts the loop: the loop's own, or the nearest one in the same file that leads to it.
fn started(w: &World<'_>, id: NodeId) -> Option<(NodeId, Span)> {
    let mut here = id;
    for _ in 0..4 {
        let node = w.facts.node(here);
        if let NodeKind::Spawned(effect) = node.kind {
            let effect = &w.facts.effects[effect.index()];
            return Some((effect.node, effect.span));
        }
        let mut callers = w.graph.callers(here).filter(|e| w.facts.node(e.from).file == node.file);
        here = callers.next()?.from;
    }
    None
}
