//! What a cell is for: who writes it and from what, who reads it, and what happens when a reader
//! does not find what a writer left. Read once here, so that rules stay judgements.

use super::cells::{Cell, World};
use super::model::*;
use super::phases::Phases;
use crate::catalog::{Op, StoreKind};
use crate::resolve::DefId;
use crate::syntax::hir::Span;
use rustc_hash::FxHashSet;
use std::cell::OnceCell;

pub struct Profile {
    /// `map`, `set`, `seq`, `cache`, `atomic`, `scalar`, `struct`, `sender`, ..
    pub class: &'static str,
    /// Writes that put something in, on a request's path or in a task it started.
    pub puts: Vec<AccessId>,
    /// Removals on such a path.
    pub removes: Vec<AccessId>,
    /// Read-modify-writes on such a path.
    pub updates: Vec<AccessId>,
    pub reads: Vec<AccessId>,
    /// Writes by code that runs in the background, not for a request.
    pub background_puts: Vec<AccessId>,
    /// Where the values put in on requests come from, callers included.
    pub put_from: Prov,
    pub key_from: Prov,
    /// A reader that finds nothing asks the store or computes it again.
    pub reloads: bool,
    /// A use by which a client sees that something is not there.
    pub visible: Option<Use>,
    /// A use in which finding something refuses the request.
    pub refusal: Option<Use>,
    /// A test for presence after which only the first one may go on: a claim, a taken name, a seen key.
    pub claims: bool,
    /// Any use at all that decides or answers something.
    pub used: Option<Use>,
    /// Every use only logs or measures.
    pub only_logged: bool,
    pub only_modulo: bool,
    /// Every instance hears of each change and makes it.
    pub replica: bool,
    /// Every instance reads it from the store again, now and then.
    pub reread: bool,
}

impl Profile {
    pub fn of(cell: &Cell, w: &World<'_>) -> Profile {
        let requested = Phases::REQUEST.or(Phases::TASK);
        let class = class_name(w.class(&cell.ty));
        let mut profile = Profile {
            class,
            puts: Vec::new(),
            removes: Vec::new(),
            updates: Vec::new(),
            reads: Vec::new(),
            background_puts: Vec::new(),
            put_from: Prov::NONE,
            key_from: Prov::NONE,
            reloads: false,
            visible: None,
            refusal: None,
            claims: false,
            used: None,
            only_logged: false,
            only_modulo: false,
            replica: false,
            reread: false,
        };
        for &id in &cell.accesses {
            let access = w.facts.access(id);
            if w.makes(access) {
                continue;
            }
            let phase = w.graph.phase(w.actor(access));
            let def = w.facts.node(access.node).def;
            let puts =
                matches!(access.op, Op::Insert | Op::InsertNew | Op::Push | Op::Store | Op::Swap | Op::LoadThrough | Op::Init | Op::Cas);
            if phase.has(requested) {
                match access.op {
                    Op::Remove | Op::Prune | Op::Clear | Op::Drain => profile.removes.push(id),
                    Op::Rmw => profile.updates.push(id),
                    _ if puts => {
                        profile.puts.push(id);
                        profile.put_from = profile.put_from.or(w.graph.resolve(access.value, def));
                        // A list grows with each request, whatever is appended.
                        if access.op == Op::Push {
                            profile.put_from = profile.put_from.or(Prov::COUNT);
                        }
                        profile.key_from = profile.key_from.or(w.graph.resolve(access.key, def));
                    }
                    _ => {}
                }
                if access.op.reads() || access.op == Op::Insert {
                    profile.reads.push(id);
                }
                if access.op == Op::LoadThrough && w.graph.resolve(access.value, def).has(Prov::STORE) {
                    profile.reloads = true;
                }
            } else if phase.has(Phases::BACKGROUND) && (puts || access.op == Op::Rmw) {
                profile.background_puts.push(id);
            }
        }
        // What a request does at once, and every other instance when it hears of it, may be one function.
        let both = profile.puts.iter().filter(|&&a| w.graph.phase(w.actor(w.facts.access(a))).has(Phases::BACKGROUND));
        let both: Vec<AccessId> = both.copied().collect();
        let loops = |away: usize, holds: &dyn Fn(NodeId) -> bool| {
            profile.background_puts.iter().any(|&a| in_loop(w, a, MAX_CALLERS, holds)) || both.iter().any(|&a| in_loop(w, a, away, holds))
        };
        let replica = loops(1, &|n| w.facts.node(n).pumps && !w.is_fed(n) && !w.graph.carries_out(n));
        // The loop loads, and hands what it has loaded to the function that a request hands its own.
        let reread = loops(2, &|n| w.facts.node(n).periodic.is_some() && reads_store(w, n));
        (profile.replica, profile.reread) = (replica, reread);
        profile.judge_uses(cell, w, requested);
        if profile.all_memo(cell, w) {
            (profile.reloads, profile.claims) = (true, false);
        }
        profile
    }

    fn judge_uses(&mut self, cell: &Cell, w: &World<'_>, requested: Phases) {
        // A total that a task puts into the messages to clients is shown to them.
        let counts = !self.updates.is_empty() && matches!(self.class, "atomic" | "scalar");
        let shown = |u: &Use| counts && w.passes_on(u);
        let judged = |u: &Use| match shown(u) {
            true => Some(Use { kind: UseKind::Response, ..*u }),
            false => w.graph.phase(u.node).has(requested).then(|| measured(w, *u)),
        };
        let uses: Vec<Use> = cell.uses.iter().filter_map(judged).collect();
        let origin = |a: AccessId| w.facts.access(a).via.unwrap_or(a);
        let reads: FxHashSet<AccessId> = cell.accesses.iter().copied().filter(|&a| w.facts.access(a).op.reads()).map(origin).collect();
        self.only_logged = !uses.is_empty() && uses.iter().all(|u| u.kind == UseKind::Logged);
        self.only_modulo = !uses.is_empty() && uses.iter().all(|u| matches!(u.kind, UseKind::Logged | UseKind::Modulo));
        let removes = |a: &&AccessId| matches!(w.facts.access(**a).op, Op::Remove | Op::Drain);
        let removers: FxHashSet<DefId> =
            cell.accesses.iter().filter(removes).map(|&a| w.facts.node(w.facts.access(origin(a)).node).def).collect();
        let known = OnceCell::new();
        for one in &uses {
            // Whoever makes room asks what is there; that it is not there is fine.
            let unnoticed = match one.kind {
                UseKind::Identity => true,
                UseKind::Branch { miss, .. } | UseKind::Gate { miss, .. } => miss.empty && !miss.exits,
                _ => false,
            };
            if unnoticed && removers.contains(&w.facts.node(one.node).def) {
                continue;
            }
            let op = w.facts.access(one.access).op;
            let asked = reads.contains(&one.access) || op == Op::Insert;
            match one.kind {
                UseKind::Defaulted(true) => self.reloads = true,
                UseKind::Branch { hit, miss } if asked => {
                    // Asking the store after a miss, in its arm or behind an early return of the hit.
                    let keyed = matches!(op, Op::Get | Op::Contains | Op::Load);
                    let falls_back = keyed && hit.exits && !hit.refuses && self.loads_later(w, one);
                    // `if seen.insert(id) { pay(id) }`: whoever is not the first does not pay.
                    let skips = hit.exits && !miss.exits && w.stores_behind(w.facts.node(one.node).def, one.order);
                    if op == Op::InsertNew && (miss.stores || skips) && !hit.stores && !miss.refuses {
                        self.claims = true;
                        self.refusal.get_or_insert(*one);
                    } else if (miss.loads && !miss.refuses) || (hit.exits && !hit.refuses && self.fills_later(cell, w, one)) || falls_back {
                        self.reloads = true;
                    }
                    if miss.writes && !miss.refuses {
                        self.reloads |= miss.loads;
                    }
                    if miss.refuses && !hit.refuses && !miss.loads {
                        self.visible.get_or_insert(*one);
                    }
                    if hit.refuses && !miss.refuses {
                        self.claims |= self.class == "set" || matches!(op, Op::Contains | Op::InsertNew);
                        self.refusal.get_or_insert(*one);
                    }
                    // `if !taken.contains(name) { taken.insert(name) }`: being there already decides.
                    let once = self.class == "set" || self.class == "map" && op == Op::Contains;
                    if once
                        && hit.empty
                        && miss.writes
                        && !miss.loads
                        && !*known.get_or_init(|| self.all_memo(cell, w) || self.all_loaded(w))
                    {
                        self.claims = true;
                        self.refusal.get_or_insert(*one);
                    }
                    // Work that is left out because it is under way here, and that changes nothing elsewhere.
                    let outside = |arm: Arm| arm.refuses || arm.stores || arm.loads;
                    if !matches!(op, Op::InsertNew | Op::Contains) || outside(hit) || outside(miss) {
                        self.used.get_or_insert(*one);
                    }
                }
                UseKind::Gate { hit, miss } if asked => {
                    if hit.exits && !hit.refuses && self.fills_later(cell, w, one) {
                        self.reloads = true;
                    }
                    if hit.refuses || miss.refuses {
                        self.refusal.get_or_insert(*one);
                    }
                    // A number by which this process only decides how to go about its work is told to nobody.
                    if hit.refuses || miss.refuses || !matches!(self.class, "atomic" | "scalar") {
                        self.used.get_or_insert(*one);
                    }
                }
                UseKind::Required if asked => {
                    self.visible.get_or_insert(*one);
                    self.used.get_or_insert(*one);
                }
                UseKind::Response | UseKind::Stored | UseKind::Identity | UseKind::Defaulted(false) if asked => {
                    self.used.get_or_insert(*one);
                }
                _ => {}
            }
        }
    }

    /// Counted up when work begins and down when it ends: it only says how busy this process is.
    pub fn in_flight(&self, w: &World<'_>) -> bool {
        let called = |name: &str| self.updates.iter().any(|&a| w.p.text(w.facts.access(a).method) == name);
        let shown = self.used.is_some_and(|u| matches!(u.kind, UseKind::Response | UseKind::Stored | UseKind::Identity));
        self.class == "atomic" && !shown && called("fetch_add") && called("fetch_sub")
    }

    /// Whether anything that a request brings, mints or counts is kept.
    pub fn keeps_requests(&self) -> bool {
        let kinds = self.put_from.or(self.key_from);
        // Entries of which nobody can tell where they come from, and whose absence is refused, come from somewhere.
        let untold = kinds == Prov::NONE && !self.puts.is_empty() && matches!(self.class, "map" | "set") && self.visible.is_some();
        untold || [Prov::REQUEST, Prov::RANDOM, Prov::CLOCK, Prov::COUNT, Prov::UNKNOWN, Prov::CELL].iter().any(|&k| kinds.has(k))
    }
}

/// Callers climbed from a write to the loop that it is made for.
const MAX_CALLERS: usize = 24;

/// Whether a background write is made by a loop of which that holds, so many calls away at most.
fn in_loop(w: &World<'_>, id: AccessId, away: usize, holds: &dyn Fn(NodeId) -> bool) -> bool {
    let access = w.facts.access(id);
    let origin = w.facts.origin(access);
    let mut nodes = vec![(origin.node, 0)];
    let mut index = 0;
    while let Some(&(here, calls)) = nodes.get(index) {
        if holds(here) {
            return true;
        }
        index += 1;
        for edge in w.graph.callers(here) {
            let works = w.graph.phase(edge.from).has(Phases::BACKGROUND);
            // `watch(put, delete)`: the loop calls the function that it was given.
            let around = |span: Span| (span.line..=span.end_line.max(span.line)).contains(&edge.span.line);
            if works && w.graph.callees(edge.from).any(|other| other.to != here && around(other.span) && holds(other.to)) {
                return true;
            }
            if works && calls < away && nodes.len() < MAX_CALLERS && nodes.iter().all(|(n, _)| *n != edge.from) {
                nodes.push((edge.from, calls + 1));
            }
        }
    }
    false
}

/// Whether a periodic body asks the store, itself or through what it calls.
fn reads_store(w: &World<'_>, node: NodeId) -> bool {
    let reads = |e: &Effect| matches!(e.kind, EffectKind::Store { writes: false, .. });
    w.effects_of(node).iter().any(|&e| reads(&w.facts.effects[e.index()]))
        || w.graph.callees(node).any(|e| w.facts.loading.contains(&w.facts.node(e.to).def))
}

/// Whether a running total is told to somebody outside, again and again, and stored nowhere on the way: a
/// report of this instance's figures.
fn reported(w: &World<'_>, one: &Use) -> bool {
    let access = w.facts.access(one.access);
    let keeps = |e: &EffectId| {
        let store = |kind: &EffectKind| matches!(kind, EffectKind::Store { kind, writes: true } if *kind != StoreKind::Http);
        store(&w.facts.effects[e.index()].kind)
    };
    let stored = std::cell::Cell::new(false);
    let repeats = |node: NodeId| {
        stored.set(stored.get() || w.effects_of(node).iter().any(keeps));
        w.facts.node(node).periodic.is_some()
    };
    let total = one.kind == UseKind::Stored && matches!(access.op, Op::Load | Op::Read) && w.class(&access.ty) == "atomic";
    total && in_loop(w, one.access, MAX_CALLERS, &repeats) && !stored.get()
}

/// A use within an endpoint that reports on this instance only measures.
fn measured(w: &World<'_>, one: Use) -> Use {
    if reported(w, &one) {
        return Use { kind: UseKind::Logged, ..one };
    }
    const ENDPOINTS: &[&str] = &["metrics", "prometheus", "health", "healthz", "ready", "readyz", "live", "livez", "liveness", "readiness"];
    if one.kind != UseKind::Response && !matches!(one.kind, UseKind::Identity | UseKind::Kept | UseKind::Required) {
        return one;
    }
    let entries = w.graph.entries(one.node, 4);
    let measures = |id: &EntryId| {
        w.facts.entry(*id).path.as_deref().and_then(|p| p.rsplit('/').find(|s| !s.is_empty())).is_some_and(|last| ENDPOINTS.contains(&last))
    };
    if !entries.is_empty() && entries.iter().all(|(id, _)| measures(id)) { Use { kind: UseKind::Logged, ..one } } else { one }
}

fn class_name(text: &str) -> &'static str {
    const NAMES: &[&str] = &[
        "map",
        "set",
        "seq",
        "cache",
        "atomic",
        "scalar",
        "struct",
        "sender",
        "receiver",
        "watch-sender",
        "watch-receiver",
        "semaphore",
        "barrier",
        "notify",
        "once",
        "lock",
        "oneshot-sender",
        "option",
        "cell",
        "handle",
        "trait",
    ];
    NAMES.iter().find(|n| **n == text).copied().unwrap_or("opaque")
}
