//! Counters and rows that requests collect in memory for a later flush.

use super::evidence::{self, Told};
use crate::catalog::Op;
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::profile::Profile;
use crate::finding::*;
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

pub const ID: &str = "write-buffer";

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if profile.replica {
        return None;
    }
    let mut collects = profile.puts.clone();
    collects.extend(&profile.updates);
    if collects.is_empty() || !matches!(profile.class, "map" | "seq" | "set" | "atomic" | "scalar" | "struct" | "opaque") {
        return None;
    }
    // Emptied, or read and then stored, by code that runs in the background.
    // Taking one entry by its key after another empties a map as well; popping an end is a queue.
    let drains: &[Op] =
        if profile.class == "map" { &[Op::Drain, Op::Clear, Op::Swap, Op::Remove] } else { &[Op::Drain, Op::Clear, Op::Swap] };
    let flush = cell.accesses.iter().copied().find(|&a| {
        let access = w.facts.access(a);
        let phase = w.graph.phase(access.node);
        // A value that is replaced is not taken away.
        let replaces = access.op == Op::Swap && collects.contains(&a) && matches!(profile.class, "struct" | "opaque");
        !replaces
            && drains.contains(&access.op)
            && (access.op != Op::Remove || goes_on(cell, w, a))
            && (phase.has(Phases::BACKGROUND) && !phase.has(Phases::REQUEST) && stores_near(w, access.node)
                || access.op == Op::Drain && w.facts.storing.contains(&w.facts.node(access.node).def))
    })?;
    let write = evidence::pick(w, &collects, None)?;
    write.entry?;
    let writer = write.label(w);
    let name = evidence::short(&cell.symbol);
    let flushed = w.facts.access(flush);
    let then = Step::new(Role::Removed, "flushed here, later", evidence::node_location(w, flushed.node, flushed.span));
    let told = Told {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Warning,
        confidence: evidence::certainty(cell),
        reason: format!("reporting because `{writer}` adds to `{name}` and answers before background work stores it"),
        message: format!("a kill loses what `{writer}` counted or collected since the last flush: `{name}` holds it in memory only"),
        witness: evidence::ends(w, cell, &[&write], Some(then)),
        home: "database or durable queue",
        help: "write through to the store, or put each item into a durable queue or log before answering; a flush at shutdown does not survive a kill",
    };
    Some(told.of(cell, w))
}

/// Whether an entry that is taken out goes to a store or elsewhere; dropped under its key, it is corrected.
fn goes_on(cell: &Cell, w: &World<'_>, removal: AccessId) -> bool {
    let origin = w.facts.access(removal).via.unwrap_or(removal);
    let mut uses = cell.uses.iter().filter(|u| u.access == removal || u.access == origin);
    uses.any(|u| matches!(u.kind, UseKind::Stored | UseKind::Kept))
}

/// Whether the node, or what it calls, changes a store; nearest first, bounded.
fn stores_near(w: &World<'_>, node: NodeId) -> bool {
    let mut seen = FxHashSet::default();
    // The flush may store in the function that drains or in the one that called it.
    let mut queue = VecDeque::from([(node, 0)]);
    queue.extend(w.graph.callers(node).map(|e| (e.from, 1)));
    while let Some((here, depth)) = queue.pop_front() {
        if !seen.insert(here) || depth > 4 || seen.len() > 200 {
            continue;
        }
        if w.effects_of(here).iter().any(|e| matches!(w.facts.effects[e.index()].kind, EffectKind::Store { writes: true, .. })) {
            return true;
        }
        queue.extend(w.graph.callees(here).map(|e| (e.to, depth + 1)));
    }
    false
}
