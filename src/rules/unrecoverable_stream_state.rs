//! Messages that a broker forgets before their work is stored, places in streams that nobody notes, and what
//! consumers keep in memory meanwhile.

pub mod aggregates;
mod conversations;
pub mod election;
mod positions;

use super::evidence::{self, Told};
use super::work;
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::finding::*;
use rustc_hash::FxHashSet;
use std::collections::VecDeque;

pub const ID: &str = "unrecoverable-stream-state";

/// Bodies followed from a message at most.
const MAX_NODES: usize = 400;
/// Helpers climbed from an acknowledgement to the work.
const MAX_HELPERS: usize = 6;

/// Acknowledgements before the work.
pub fn check(w: &World<'_>) -> Vec<Finding> {
    let mut entries: Vec<(NodeId, EntryId)> = w.graph.entry_at.iter().map(|(n, e)| (*n, *e)).collect();
    entries.sort();
    entries.retain(|(_, entry)| w.facts.entry(*entry).consumes());
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for &(start, entry) in &entries {
        for settle in settles(w, start) {
            let Some(lost) = work_after(w, start, settle.node, Moment::of(settle), MAX_HELPERS) else { continue };
            if seen.insert((settle.node, settle.span)) {
                found.push(early(w, (start, entry), settle, lost));
            }
        }
    }
    for auto in w.facts.effects.iter().filter(|e| e.kind == EffectKind::AutoSettle) {
        found.extend(automatic(w, &entries, auto));
    }
    found.extend(positions::check(w));
    found.extend(conversations::check(w));
    found
}

/// The acknowledgement that makes an aggregate unrecoverable needs no finding of its own.
pub fn fold(findings: &mut Vec<Finding>) {
    let told = |f: &&Finding| f.rule == ID && f.ty.is_some();
    let told: Vec<Location> = findings.iter().filter(told).flat_map(|f| f.witness.iter().flatten()).map(|s| s.location.clone()).collect();
    findings.retain(|f| f.rule != ID || f.ty.is_some() || !told.contains(&f.location));
}

/// All acknowledgements on the way of a message, in the order of the nodes that it reaches.
pub fn settles<'w>(w: &'w World<'_>, start: NodeId) -> Vec<&'w Effect> {
    let reached = reached(w, start);
    let effects = reached.iter().flat_map(|n| w.effects_of(*n)).map(|e| &w.facts.effects[e.index()]);
    effects.filter(|e| e.kind == EffectKind::Settle).collect()
}

fn reached(w: &World<'_>, start: NodeId) -> Vec<NodeId> {
    let mut seen = FxHashSet::from_iter([start]);
    let mut order = vec![start];
    let mut queue = VecDeque::from([start]);
    while let Some(node) = queue.pop_front() {
        for edge in w.graph.callees(node) {
            if seen.len() < MAX_NODES && seen.insert(edge.to) {
                order.push(edge.to);
                queue.push_back(edge.to);
            }
        }
    }
    order
}

/// A point in the text of one body.
#[derive(Clone, Copy)]
pub struct Moment {
    pub order: u32,
    pub branch: Option<BranchId>,
}

impl Moment {
    pub fn of(effect: &Effect) -> Moment {
        Moment { order: effect.order, branch: effect.branch }
    }
}

/// The work that is done only after a moment, if none is done before it: in this body, or in those that call it.
fn work_after<'w>(w: &'w World<'_>, start: NodeId, node: NodeId, at: Moment, helpers: usize) -> Option<&'w Effect> {
    let own = w.effects_of(node).iter().map(|e| &w.facts.effects[e.index()]);
    let mut events: Vec<(Moment, &Effect)> = own.filter_map(|e| Some((Moment::of(e), work::lasting(w, &[e])?))).collect();
    for call in w.lookup.calls_in(w.facts, node) {
        let Some(&target) = w.graph.node_of.get(&call.target) else { continue };
        if let Some(lost) = work::lasting(w, &work::effects(w, target)) {
            events.push((Moment { order: call.order, branch: call.branch }, lost));
        }
    }
    // Text before the acknowledgement leads to it unless the question in between went the other way.
    let before = |m: &Moment| m.order < at.order && w.facts.leads_on(m.branch, at.branch);
    if events.iter().any(|(m, _)| before(m)) {
        return None;
    }
    let after = events.iter().filter(|(m, _)| m.order > at.order && w.facts.leads_on(at.branch, m.branch));
    if let Some((_, lost)) = after.min_by_key(|(m, _)| m.order) {
        return Some(lost);
    }
    let leaves = node == start || helpers == 0 || matches!(w.facts.node(node).kind, NodeKind::Spawned(_) | NodeKind::Handler(_));
    if leaves {
        return None;
    }
    let within = reached(w, start);
    let def = w.facts.node(node).def;
    let calls = w.lookup.calls_to(w.facts, def).filter(|c| within.contains(&c.node));
    calls.take(4).find_map(|call| work_after(w, start, call.node, Moment { order: call.order, branch: call.branch }, helpers - 1))
}

fn early(w: &World<'_>, (start, entry): (NodeId, EntryId), settle: &Effect, lost: &Effect) -> Finding {
    let label = evidence::entry_label(w, entry);
    let at = |effect: &Effect| evidence::node_location(w, effect.node, effect.span);
    let mut steps = way(w, entry, start, settle.node);
    steps.push(Step::new(Role::Because, "the broker is told here that it may forget the message", at(settle)).on(label.clone()));
    steps.push(Step::new(Role::Written, format!("{} is done only afterwards", work::name(w, lost)), at(lost)));
    let message = format!("a kill loses the message at hand for good: `{label}` acknowledges it before {} is done", work::name(w, lost));
    let reason = format!("reporting because `{}` settles the message, and nothing is stored before it", settle.what);
    finding(w, settle, message, reason, vec![steps])
}

/// The consumer that a setting is for: the one in the same function, or the only one of the package.
fn automatic(w: &World<'_>, entries: &[(NodeId, EntryId)], auto: &Effect) -> Option<Finding> {
    let def = w.facts.node(auto.node).def;
    let package = |node: NodeId| w.p.package_of(w.facts.node(node).def);
    let same = entries.iter().find(|(n, _)| w.facts.node(*n).def == def);
    let mut near = entries.iter().filter(|(n, _)| package(*n) == package(auto.node));
    let &(start, entry) = same.or_else(|| near.next().filter(|_| near.next().is_none()))?;
    // Offsets that are stored after the work make automatic commits harmless.
    if !settles(w, start).is_empty() {
        return None;
    }
    let effects = work::effects(w, start);
    let lost = work::lasting(w, &effects)?;
    let label = evidence::entry_label(w, entry);
    let at = |effect: &Effect| evidence::node_location(w, effect.node, effect.span);
    let mut steps = vec![Step::new(Role::Configured, "messages count as done when they arrive", at(auto))];
    steps.extend(way(w, entry, start, lost.node));
    steps.push(Step::new(Role::Written, format!("{} is done only afterwards", work::name(w, lost)), at(lost)).on(label.clone()));
    let message =
        format!("a kill loses the message at hand for good: the broker forgets it before `{label}` has done {}", work::name(w, lost));
    let reason = format!("reporting because `{}` acknowledges on arrival and the work is stored later", auto.what);
    Some(finding(w, auto, message, reason, vec![steps]))
}

/// From the start of a consumer down to a body.
pub fn way(w: &World<'_>, entry: EntryId, start: NodeId, to: NodeId) -> Vec<Step> {
    evidence::begin(w, entry, &w.graph.path(start, to))
}

fn finding(w: &World<'_>, at: &Effect, message: String, reason: String, witness: Vec<Vec<Step>>) -> Finding {
    let def = w.facts.node(at.node).def;
    let told = Told {
        rule: ID,
        item: ChecklistItem::Quarantine,
        severity: Severity::Error,
        confidence: Confidence::High,
        reason,
        message,
        witness,
        home: "durable queue",
        help: "store the work first, in a way that bears repetition, and acknowledge or commit the message afterwards",
    };
    told.at(
        def,
        format!("{}::{}", w.p.path(def), at.what.rsplit('.').next().unwrap_or("ack")),
        evidence::node_location(w, at.node, at.span),
        w,
    )
}
