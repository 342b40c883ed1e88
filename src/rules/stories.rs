//! Findings that tell one story: those of one cell are one finding, with the ways to it; a stronger rule speaks for
//! the weaker ones; and those that meet on their ways point at each other.

use super::{
    authoritative_memory, evidence, in_process_broadcast, in_process_lock, in_process_queue, local_rate_limit, local_sequence,
    local_setting, memory_session_store, stale_local_cache, unrecoverable_stream_state, write_buffer,
};
use crate::catalog::{Op, short};
use crate::facts::cells::{Cell, CellKey, World};
use crate::facts::model::*;
use crate::finding::{Finding, Location, Role, Step};
use crate::resolve::Ty;
use rustc_hash::FxHashMap;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Rules that may speak of the same state, the specific before the general.
pub const STRONGER_FIRST: &[&str] = &[
    memory_session_store::ID,
    unrecoverable_stream_state::ID,
    local_rate_limit::ID,
    local_sequence::ID,
    in_process_broadcast::ID,
    in_process_queue::ID,
    in_process_lock::ID,
    write_buffer::ID,
    local_setting::ID,
    stale_local_cache::ID,
    authoritative_memory::ID,
];

/// Entry points shown on each side of a cell, beside the best.
const MORE_WAYS: usize = 2;
/// Accesses of a cell in which they are looked for.
const SEARCHED: usize = 40;
/// Witness paths of one finding, with those of the findings that it speaks for.
const MAX_PATHS: usize = 12;
/// Findings that a finding points at, at most.
const RELATED: usize = 6;

/// What a rule says of a cell.
pub struct Told<'c> {
    pub cell: &'c Cell,
    pub finding: Finding,
}

fn rank(rule: &str) -> usize {
    STRONGER_FIRST.iter().position(|r| *r == rule).unwrap_or(STRONGER_FIRST.len())
}

/// Adds the ways from further entry points that change a cell or look at it, the nearest first.
pub fn ways(w: &World<'_>, told: &mut Told<'_>) {
    let (cell, finding) = (told.cell, &mut told.finding);
    let locks = finding.rule == in_process_lock::ID;
    let changes = |op: Op| {
        op.writes() || matches!(op, Op::Send | Op::Reply | Op::Notify) || locks && matches!(op, Op::Lock | Op::TryLock | Op::Acquire)
    };
    let looks = |op: Op| op.reads() && !op.writes() || matches!(op, Op::Subscribe | Op::Wait);
    let mut shown: HashSet<String> = finding.witness.iter().flatten().filter_map(|s| s.entry.clone()).collect();
    for side in [&changes as &dyn Fn(Op) -> bool, &looks] {
        let mut found = Vec::new();
        for &access in cell.accesses.iter().filter(|&&a| side(w.facts.access(a).op)).take(SEARCHED) {
            for (entry, path) in evidence::entries(w, w.actor(w.facts.access(access))) {
                let label = evidence::entry_label(w, entry);
                if !shown.contains(&label) {
                    let aside = (w.facts.entry(entry).auxiliary, path.len());
                    found.push((aside, label, evidence::Shown { access, entry: Some(entry), path }));
                }
            }
        }
        found.sort_by_key(|(aside, ..)| *aside);
        let mut more = 0;
        for (_, label, way) in &found {
            if more < MORE_WAYS && shown.insert(label.clone()) {
                finding.witness.push(evidence::chain(w, way));
                more += 1;
            }
        }
    }
}

/// Whether a cell holds what an effect makes.
pub fn is_made_by(w: &World<'_>, cell: &Cell, effect: &Effect) -> bool {
    let node = w.facts.node(effect.node);
    match &cell.key {
        CellKey::Static(def) => node.kind == NodeKind::Initialiser && *def == node.def,
        CellKey::Field(holder, field) => w.lookup.inits(w.facts, *holder, *field).any(|i| i.makes(effect)),
        CellKey::Local(at, made) => *at == effect.node && made.holds(effect.span),
        CellKey::Plain(..) => false,
    }
}

/// Findings on library parts and on the cells that hold them: the stronger one speaks, with the evidence of both.
pub fn silence<'c>(w: &World<'_>, mut told: Vec<Told<'c>>, others: &mut Vec<Finding>) -> Vec<Told<'c>> {
    let mut made: HashMap<Location, &Effect> = HashMap::new();
    for effect in w.facts.effects.iter().filter(|e| matches!(e.kind, EffectKind::Library(_))) {
        made.entry(evidence::node_location(w, effect.node, effect.span)).or_insert(effect);
    }
    let about = |other: &Finding, told: &Told<'_>| {
        let part = made.get(&other.location).filter(|_| rank(other.rule) < STRONGER_FIRST.len());
        part.is_some_and(|effect| {
            is_made_by(w, told.cell, effect) || told.finding.package == other.package && holds_part(w, told.cell, effect)
        })
    };
    others.retain_mut(|other| {
        let Some(at) = told.iter().position(|t| about(other, t)) else { return true };
        if rank(other.rule) <= rank(told[at].finding.rule) {
            let weaker = told.remove(at).finding;
            add(&mut other.witness, weaker.witness);
            return true;
        }
        add(&mut told[at].finding.witness, std::mem::take(&mut other.witness));
        false
    });
    told
}

/// Whether the elements of a cell are of the type that an effect makes.
fn holds_part(w: &World<'_>, cell: &Cell, effect: &Effect) -> bool {
    fn holds(w: &World<'_>, ty: &Ty, part: (&str, &str)) -> bool {
        let here = matches!(ty, Ty::Ext(name, _) if short(w.p.text(*name)) == part);
        here || ty.args().iter().any(|a| holds(w, a, part))
    }
    let Some((owner, _)) = effect.what.rsplit_once("::") else { return false };
    matches!(w.class(&cell.ty), "map" | "set" | "seq" | "cache") && holds(w, &cell.ty, short(owner))
}

/// Findings on cells, each where a reader would point: values behind one lock are one finding, the most
/// specific, at the lock; a single collection in a static is found at the static.
pub fn at_holders(w: &World<'_>, told: Vec<Told<'_>>) -> Vec<Finding> {
    let symbol = |cell: &Cell| cell.holder.as_ref().map(|h| h.symbol.clone());
    let mut tellers: FxHashMap<String, (usize, usize)> = FxHashMap::default();
    for (index, Told { cell, finding }) in told.iter().enumerate() {
        if let Some(symbol) = symbol(cell) {
            let own = cell.holder.as_ref().is_some_and(|h| !h.part);
            let teller = tellers.entry(symbol).or_insert((index, 0));
            teller.1 += usize::from(own);
            let first = &told[teller.0];
            // A collection speaks before the plain values beside it.
            let old = (first.cell.holder.as_ref().is_some_and(|h| h.part), rank(first.finding.rule));
            if (!own, rank(finding.rule)) < old {
                teller.0 = index;
            }
        }
    }
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    let mut silent: Vec<(usize, Vec<Vec<Step>>)> = Vec::new();
    for (index, Told { cell, mut finding }) in told.into_iter().enumerate() {
        if let Some(holder) = &cell.holder {
            let (teller, collections) = tellers[&holder.symbol];
            if holder.part && teller != index {
                silent.push((teller, finding.witness));
                continue;
            }
            if holder.part || collections == 1 {
                finding.symbol.clone_from(&holder.symbol);
                finding.location = evidence::location(w, holder.file, holder.span);
            }
        }
        findings.push((index, finding));
    }
    for (teller, witness) in silent {
        if let Some((_, finding)) = findings.iter_mut().find(|(index, _)| *index == teller) {
            add(&mut finding.witness, witness);
        }
    }
    findings.into_iter().map(|(_, finding)| finding).collect()
}

fn add(witness: &mut Vec<Vec<Step>>, more: Vec<Vec<Step>>) {
    for path in more {
        if witness.len() < MAX_PATHS && !witness.contains(&path) {
            witness.push(path);
        }
    }
}

/// Findings whose evidence goes through the place of another one, or that follow what another one sends, are
/// parts of one story.
pub fn relate(findings: &mut [Finding]) {
    let mut at: HashMap<Location, Vec<usize>> = HashMap::new();
    for (index, finding) in findings.iter().enumerate() {
        let sent = finding.witness.iter().flatten().filter(|s| s.role == Role::Sent).map(|s| &s.location);
        let places: BTreeSet<&Location> = sent.chain([&finding.location]).collect();
        places.into_iter().for_each(|place| at.entry(place.clone()).or_default().push(index));
    }
    let mut pairs = BTreeSet::new();
    for (index, finding) in findings.iter().enumerate() {
        let places = finding.witness.iter().flatten().map(|step| &step.location).chain([&finding.location]);
        for other in places.filter_map(|place| at.get(place)).flatten().filter(|&&other| other != index) {
            pairs.extend([(index, *other), (*other, index)]);
        }
    }
    for (index, other) in pairs {
        let told = (findings[other].rule.to_owned(), findings[other].symbol.clone());
        let related = &mut findings[index].related;
        if related.len() < RELATED && !related.contains(&told) {
            related.push(told);
        }
    }
}
