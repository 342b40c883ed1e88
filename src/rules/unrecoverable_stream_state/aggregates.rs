//! Aggregates, windows, batches and seen keys that a consumer keeps in memory between messages.

use super::{ID, settles, way};
use crate::catalog::Op;
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::rules::evidence::{self, Told};

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if !matches!(profile.class, "map" | "set" | "seq" | "cache" | "struct" | "scalar" | "atomic" | "opaque" | "option") {
        return None;
    }
    let mut written = profile.puts.clone();
    written.extend(&profile.updates);
    if written.is_empty() || profile.reloads || profile.only_logged || profile.only_modulo || cell.expires && !profile.claims {
        return None;
    }
    if !profile.keeps_requests() && profile.updates.is_empty() || !relied_on(cell, profile, w) || profile.in_flight(w) {
        return None;
    }
    let (start, entry) = consumer(profile, w)?;
    if restored(cell, w) {
        return None;
    }
    let settles = settles(w, start);
    let forgets = matches!(w.facts.entry(entry).kind.as_str(), "subscriber" | "job");
    let auto = w.facts.effects.iter().any(|e| e.kind == EffectKind::AutoSettle);
    let early = settles.iter().find(|s| !stored_before(cell, w, s));
    if early.is_none() && !(settles.is_empty() && (forgets || auto)) {
        return None;
    }
    let write = evidence::pick(w, &written, None)?;
    let (label, name) = (evidence::entry_label(w, entry), evidence::short(&cell.symbol));
    let mut first = vec![evidence::declared(w, cell)];
    first.extend(way(w, entry, start, w.facts.access(write.access).node));
    first.push(evidence::step(w, &write));
    if let Some(settle) = early {
        let message = "the broker may forget the message from here on";
        first.push(Step::new(Role::Because, message, evidence::node_location(w, settle.node, settle.span)).on(label.clone()));
    }
    if let Some(flush) = drains(cell, w).first() {
        let access = w.facts.access(*flush);
        let message = "it leaves the memory only here";
        first.push(Step::new(Role::Removed, message, evidence::node_location(w, access.node, access.span)));
    }
    let told = Told {
        rule: ID,
        item: ChecklistItem::Quarantine,
        severity: Severity::Error,
        confidence: evidence::certainty(cell),
        reason: format!(
            "reporting because `{label}` builds `{name}` from messages that are settled before it is stored, and nothing loads it at start"
        ),
        message: format!(
            "a kill, or messages going to another instance, loses what `{label}` has gathered in `{name}`: the broker will not bring those messages again"
        ),
        witness: vec![first],
        home: "database or durable log",
        help: "keep the state in a store keyed as it is here, or checkpoint it together with the position and load both at start; acknowledge only what is stored",
    };
    Some(told.of(cell, w))
}

/// Whether what a consumer gathers is stored before it settles the messages that it was made of.
pub fn recoverable(cell: &Cell, profile: &Profile, w: &World<'_>) -> bool {
    !drains(cell, w).is_empty() && consumer(profile, w).is_some_and(|(start, _)| all_stored(cell, w, &settles(w, start)))
}

fn all_stored(cell: &Cell, w: &World<'_>, settles: &[&Effect]) -> bool {
    !settles.is_empty() && settles.iter().all(|s| stored_before(cell, w, s))
}

/// Whether a consumer gathers something here, and how that comes back after a kill, if it does.
pub fn gathered(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Option<&'static str>> {
    let keeps = !profile.puts.is_empty() && profile.keeps_requests() || !profile.updates.is_empty();
    if !keeps || profile.reloads || profile.only_logged || !relied_on(cell, profile, w) {
        return None;
    }
    let (start, _) = consumer(profile, w)?;
    let settles = settles(w, start);
    Some(if !drains(cell, w).is_empty() && all_stored(cell, w, &settles) {
        Some("stored before the messages it is made of are settled")
    } else if restored(cell, w) {
        Some("loaded from a store before messages are taken")
    } else if settles.iter().any(|s| !stored_before(cell, w, s)) || profile.in_flight(w) {
        None
    } else {
        Some("the broker brings unsettled messages again")
    })
}

/// The consumer that alone touches the cell; what HTTP handlers touch is judged by the rules on requests.
fn consumer(profile: &Profile, w: &World<'_>) -> Option<(NodeId, EntryId)> {
    let touched = [&profile.puts, &profile.updates, &profile.reads, &profile.removes].into_iter().flatten();
    let mut consumer = None;
    for &access in touched {
        let node = w.actor(w.facts.access(access));
        for (entry, path) in w.graph.entries(node, 24) {
            if !w.facts.entry(entry).consumes() {
                return None;
            }
            let start = path.first().map_or(node, |e| e.from);
            consumer.get_or_insert((start, entry));
        }
    }
    consumer
}

/// Whether a later message, or a store, depends on what is there.
fn relied_on(cell: &Cell, profile: &Profile, w: &World<'_>) -> bool {
    // A count that is neither stored nor answered is a measure of this instance.
    if matches!(profile.class, "atomic" | "scalar") {
        return cell.uses.iter().any(|u| matches!(u.kind, UseKind::Stored | UseKind::Kept | UseKind::Response | UseKind::Identity));
    }
    let gathered = !profile.updates.is_empty() || !drains(cell, w).is_empty();
    profile.visible.or(profile.refusal).or(profile.used).is_some() || profile.claims || gathered
}

fn drains(cell: &Cell, w: &World<'_>) -> Vec<AccessId> {
    let leaves = |a: &&AccessId| matches!(w.facts.access(**a).op, Op::Drain | Op::Clear | Op::Swap | Op::Remove | Op::Prune);
    cell.accesses.iter().filter(leaves).copied().collect()
}

/// Whether the state is loaded from a store before messages are taken.
fn restored(cell: &Cell, w: &World<'_>) -> bool {
    cell.start(w).has(Prov::STORE)
        || cell.accesses.iter().map(|&a| w.facts.access(a)).any(|a| {
            let value = w.graph.resolve(a.value, w.facts.node(a.node).def);
            a.op.writes() && !w.graph.phase(a.node).requested() && value.has(Prov::STORE)
        })
}

/// Whether what is in the cell is stored on every way to this acknowledgement.
fn stored_before(cell: &Cell, w: &World<'_>, settle: &Effect) -> bool {
    let before = |node: NodeId, order: u32, branch: Option<BranchId>| {
        node == settle.node && order < settle.order && w.facts.dominates(branch, settle.branch)
    };
    let stored = cell
        .uses
        .iter()
        .any(|u| u.kind == UseKind::Stored && w.facts.node(u.node).def == w.facts.node(settle.node).def && u.order < settle.order);
    let emptied = drains(cell, w).into_iter().any(|id| {
        let access = w.facts.access(id);
        let origin = access.via.map(|via| w.facts.access(via));
        std::iter::once(access).chain(origin).any(|a| before(a.node, a.order, a.branch))
    });
    stored || emptied
}
