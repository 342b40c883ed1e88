//! When code runs: startup, request, a task that a request left behind, background. One call graph
//! over nodes; phases spread monotonically, witness paths are found backwards, shortest first.

use super::built::Built;
use super::commands::{Commands, in_statics};
use super::model::*;
use super::one_shot::OneShot;
use crate::catalog::Catalog;
use crate::resolve::{DefId, DefKind, Program, Res};
use rustc_hash::{FxHashMap, FxHashSet};
use std::collections::VecDeque;

/// A set of phases.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Phases(u8);

impl Phases {
    pub const STARTUP: Phases = Phases(1);
    pub const REQUEST: Phases = Phases(2);
    /// Spawned on a request and outliving it, at least possibly.
    pub const TASK: Phases = Phases(4);
    pub const BACKGROUND: Phases = Phases(8);

    pub fn has(self, other: Phases) -> bool {
        self.0 & other.0 != 0
    }
    #[must_use]
    pub fn or(self, other: Phases) -> Phases {
        Phases(self.0 | other.0)
    }
    /// On the path of a request, or in work that a request started.
    pub fn requested(self) -> bool {
        self.has(Phases::REQUEST.or(Phases::TASK))
    }
    fn spawned(self) -> Phases {
        let mut result = Phases::default();
        if self.requested() {
            result = result.or(Phases::TASK);
        }
        if self.has(Phases::STARTUP.or(Phases::BACKGROUND)) {
            result = result.or(Phases::BACKGROUND);
        }
        result
    }
    pub fn describe(self) -> String {
        let names = ["startup", "request", "task", "background"];
        let found: Vec<&str> = names.iter().enumerate().filter(|(i, _)| self.0 & (1 << i) != 0).map(|(_, n)| *n).collect();
        if found.is_empty() { "not reached".into() } else { found.join(", ") }
    }
}

/// How a node is reached from another.
#[derive(Clone, Copy, Debug)]
pub struct Edge {
    pub from: NodeId,
    pub to: NodeId,
    pub span: crate::syntax::hir::Span,
    pub spawn: bool,
    pub dynamic: bool,
    /// It leads to a task, awaited by somebody or not.
    pub task: bool,
    /// It stands in a command that ends without serving.
    pub one_shot: bool,
}

pub struct Graph {
    pub edges: Vec<Edge>,
    out: Vec<Vec<u32>>,
    into: Vec<Vec<u32>>,
    pub phases: Vec<Phases>,
    one_shot: OneShot,
    built: Built,
    /// From those who send a command for a request to the loop that carries it out.
    relays: Vec<Edge>,
    /// By the loop: its relays.
    relayed: FxHashMap<NodeId, Vec<u32>>,
    mains: FxHashSet<NodeId>,
    /// Phases by calls and tasks alone.
    direct: Vec<Phases>,
    pub node_of: FxHashMap<DefId, NodeId>,
    /// Entry points by the node that they start.
    pub entry_at: FxHashMap<NodeId, EntryId>,
    /// Where the parameters of each function come from, over all its calls.
    pub params: FxHashMap<DefId, Vec<Prov>>,
}

/// `#[launch]`, `#[shuttle_runtime::main]`: an attribute writes the `main` around it.
fn becomes_main(p: &Program, def: DefId) -> bool {
    let hir = &p.file(p.def(def).file).hir;
    p.item(def).attrs.iter().any(|a| matches!(hir.str(a.path).rsplit("::").next(), Some("launch" | "main")))
}

/// The packages that open nothing but sockets of this machine.
fn local_only<'p>(facts: &Facts, package: &dyn Fn(NodeId) -> &'p str) -> FxHashSet<&'p str> {
    let opened = |wanted: bool| {
        let listens = move |e: &&Effect| matches!(e.kind, EffectKind::Listen { local } if local == wanted);
        facts.effects.iter().filter(listens).map(|e| package(e.node)).collect::<FxHashSet<_>>()
    };
    let open = opened(false);
    opened(true).into_iter().filter(|package| !open.contains(package)).collect()
}

/// Rounds of the provenance fixpoint; the lattice is small, real programs settle in three or four.
const ROUNDS: usize = 8;
/// Commands that are sent on: loops behind loops.
const MAX_RELAYS: usize = 4;

impl Graph {
    pub fn build(p: &Program, cat: &Catalog, facts: &Facts) -> Graph {
        let mut node_of = FxHashMap::default();
        for (index, node) in facts.nodes.iter().enumerate() {
            if matches!(node.kind, NodeKind::Function | NodeKind::Initialiser) && node.parent.is_none() {
                node_of.entry(node.def).or_insert(NodeId(index as u32));
            }
        }
        let mut entry_at = FxHashMap::default();
        let package = |node: NodeId| p.package_of(facts.node(node).def);
        let own_group = facts.effects.iter().filter(|e| e.kind == EffectKind::OwnGroup).map(|e| package(e.node));
        let own_group: FxHashSet<_> = own_group.collect();
        let local_only = local_only(facts, &package);
        let mut replicas = Vec::new();
        for (index, entry) in facts.entries.iter().enumerate() {
            let node = entry.node.or_else(|| entry.def.and_then(|d| node_of.get(&d).copied()));
            match node {
                // What only processes of the same machine can ask is no service that is scaled out.
                Some(node) if local_only.contains(package(node)) => {}
                // Every instance gets all messages: what it makes of them is a replica.
                Some(node) if entry.kind == "consumer" && own_group.contains(package(node)) => replicas.push(node),
                Some(node) => {
                    entry_at.insert(node, EntryId(index as u32));
                }
                None => {}
            }
        }
        let one_shot = OneShot::find(facts, &node_of, &entry_at);
        let mut edges = Vec::new();
        for call in &facts.calls {
            let Some(&to) = node_of.get(&call.target) else { continue };
            // A handler named in a router runs per request, not where it is named.
            if call.kind == CallKind::Value && entry_at.contains_key(&to) {
                continue;
            }
            edges.push(Edge {
                from: call.node,
                to,
                span: call.span,
                spawn: call.kind == CallKind::Spawn,
                dynamic: call.dynamic,
                task: false,
                one_shot: one_shot.covers(facts, call.branch),
            });
        }
        for (index, node) in facts.nodes.iter().enumerate() {
            if let (Some(parent), NodeKind::Spawned(effect)) = (node.parent, node.kind) {
                let effect = &facts.effects[effect.index()];
                let awaited = matches!(effect.kind, EffectKind::Spawn { awaited: true, .. });
                edges.push(Edge {
                    from: parent,
                    to: NodeId(index as u32),
                    span: effect.span,
                    spawn: !awaited,
                    dynamic: false,
                    task: true,
                    one_shot: one_shot.covers(facts, effect.branch),
                });
            }
        }
        let runs = |made: &Made| !one_shot.covers(facts, made.branch);
        let built = Built::find(p, facts, &edges, runs);
        let mut graph = Graph {
            out: vec![Vec::new(); facts.nodes.len()],
            into: vec![Vec::new(); facts.nodes.len()],
            phases: vec![Phases::default(); facts.nodes.len()],
            one_shot,
            built,
            relays: Vec::new(),
            relayed: FxHashMap::default(),
            mains: FxHashSet::default(),
            direct: Vec::new(),
            edges,
            node_of,
            entry_at,
            params: FxHashMap::default(),
        };
        for (index, edge) in graph.edges.iter().enumerate() {
            graph.out[edge.from.index()].push(index as u32);
            graph.into[edge.to.index()].push(index as u32);
        }
        graph.spread(p, cat, facts, replicas);
        graph.direct.clone_from(&graph.phases);
        graph.relay(&Commands::find(p, cat, facts));
        graph.close();
        graph.provenance(p, facts);
        graph
    }

    fn spread(&mut self, p: &Program, cat: &Catalog, facts: &Facts, replicas: Vec<NodeId>) {
        // Where messages are consumed, somebody has started it, also from another crate.
        let around = |node: &NodeId| facts.node(*node).parent;
        let consumers = facts.entries.iter().filter(|e| e.consumes()).filter_map(|e| e.node);
        let mut queue: VecDeque<NodeId> = consumers.filter_map(|n| around(&n)).collect();
        queue.extend(replicas);
        // The first send starts the worker that a static has for itself.
        queue.extend(in_statics(p, facts).map(|(_, _, worker)| worker));
        for node in &queue {
            self.phases[node.index()] = Phases::BACKGROUND;
        }
        for number in 0..p.defs.len() as u32 {
            let def = DefId(number);
            let is_main = p.def(def).kind == DefKind::Fn
                && (p.text(p.def(def).name) == "main" || becomes_main(p, def))
                && p.def(def).parent.is_none()
                && !p.krate(p.def(def).krate).is_library;
            if is_main && let Some(&node) = self.node_of.get(&def) {
                self.phases[node.index()] = Phases::STARTUP;
                self.mains.insert(node);
                queue.push_back(node);
            }
        }
        for own in &p.impls {
            let Some(Res::Ext(path)) = own.trait_ else { continue };
            for (_, def) in own.fns.iter().filter(|(name, _)| cat.starts(p.text(path), p.text(*name))) {
                if let Some(&node) = self.node_of.get(def) {
                    self.phases[node.index()] = Phases::STARTUP;
                    queue.push_back(node);
                }
            }
        }
        let mut entries: Vec<NodeId> = self.entry_at.keys().copied().collect();
        entries.sort();
        for node in entries {
            self.phases[node.index()] = self.phases[node.index()].or(Phases::REQUEST);
            queue.push_back(node);
        }
        self.flow(queue);
        self.make_statics(facts);
    }

    /// A static is made once in each process, when a body that runs names it: as if at the start, whoever is first.
    fn make_statics(&mut self, facts: &Facts) {
        let node_of = |(def, by)| Some((*self.node_of.get(def)?, by));
        let mut waiting: Vec<(NodeId, &FxHashSet<NodeId>)> = facts.named.iter().filter_map(node_of).collect();
        waiting.retain(|(node, _)| facts.node(*node).kind == NodeKind::Initialiser);
        waiting.sort_unstable_by_key(|(node, _)| *node);
        loop {
            let runs = |by: &FxHashSet<NodeId>| by.iter().any(|n| self.phases[n.index()] != Phases::default());
            let (made, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(|(_, by)| runs(by));
            if made.is_empty() {
                return;
            }
            for &(node, _) in &made {
                self.phases[node.index()] = self.phases[node.index()].or(Phases::STARTUP);
            }
            self.flow(made.into_iter().map(|(node, _)| node).collect());
            waiting = others;
        }
    }

    /// Carries the phases of requests on to the loops that they send commands to.
    fn relay(&mut self, commands: &Commands) {
        for _ in 0..MAX_RELAYS {
            let found = commands.edges(&self.phases, &self.mains);
            let mut queue = VecDeque::new();
            for edge in found {
                self.phases[edge.to.index()] = self.phases[edge.to.index()].or(Phases::TASK);
                self.relayed.entry(edge.to).or_default().push(self.relays.len() as u32);
                self.relays.push(edge);
                queue.push_back(edge.to);
            }
            if queue.is_empty() {
                return;
            }
            self.flow(queue);
        }
    }

    fn flow(&mut self, mut queue: VecDeque<NodeId>) {
        loop {
            self.follow(&mut queue);
            let freed = self.built.give_up(&self.edges, &self.out);
            if freed.is_empty() {
                return;
            }
            queue.extend(freed.into_iter().map(|e| self.edges[e as usize].from));
        }
    }

    /// Takes out the edges to implementations that nobody makes.
    fn close(&mut self) {
        let built = &self.built;
        for list in self.out.iter_mut().chain(&mut self.into) {
            list.retain(|&edge| !built.closed(edge));
        }
    }

    fn follow(&mut self, queue: &mut VecDeque<NodeId>) {
        while let Some(node) = queue.pop_front() {
            for opened in self.built.reach(node) {
                queue.push_back(self.edges[opened as usize].from);
            }
            for &number in &self.out[node.index()] {
                let edge = self.edges[number as usize];
                let own = self.phases[node.index()];
                if edge.one_shot && own == Phases::STARTUP || !self.built.leads(number) {
                    continue;
                }
                let given = match edge {
                    Edge { spawn: true, .. } => own.spawned(),
                    // A task of start-up runs beside requests until it is joined, at shutdown at the latest.
                    Edge { task: true, .. } if own.has(Phases::STARTUP) => own.or(Phases::BACKGROUND),
                    _ => own,
                };
                let old = self.phases[edge.to.index()];
                if old.or(given) != old {
                    self.phases[edge.to.index()] = old.or(given);
                    queue.push_back(edge.to);
                }
            }
        }
    }

    fn provenance(&mut self, p: &Program, facts: &Facts) {
        for (&node, &entry) in &self.entry_at {
            let def = facts.node(node).def;
            if facts.entry(entry).def == Some(def) {
                let count = p.function(def).map_or(0, |f| f.params.len()) + 1;
                let mut provs = vec![Prov::REQUEST; count];
                provs[0] = Prov::NONE;
                self.params.insert(def, provs);
            }
        }
        for _ in 0..ROUNDS {
            let mut changed = false;
            for call in &facts.calls {
                if call.args.is_empty() {
                    continue;
                }
                let from = facts.node(call.node).def;
                let given: Vec<Prov> = call.args.iter().map(|&a| self.resolve(a, from)).collect();
                let own = self.params.entry(call.target).or_default();
                if own.len() < given.len() {
                    own.resize(given.len(), Prov::NONE);
                }
                for (slot, new) in own.iter_mut().zip(given) {
                    let joined = slot.or(new);
                    changed |= joined != *slot;
                    *slot = joined;
                }
            }
            if !changed {
                return;
            }
        }
    }

    /// A provenance with the function's parameters replaced by what its callers pass.
    pub fn resolve(&self, prov: Prov, def: DefId) -> Prov {
        let mut result = Prov { params: 0, ..prov };
        if prov.params != 0
            && let Some(params) = self.params.get(&def)
        {
            for (index, &param) in params.iter().enumerate() {
                if prov.params & Prov::param(index).params != 0 {
                    result = result.or(Prov { params: 0, ..param });
                }
            }
        }
        result
    }

    pub fn callees(&self, node: NodeId) -> impl Iterator<Item = &Edge> {
        self.out[node.index()].iter().map(|&e| &self.edges[e as usize])
    }

    pub fn callers(&self, node: NodeId) -> impl Iterator<Item = &Edge> {
        self.into[node.index()].iter().map(|&e| &self.edges[e as usize])
    }

    pub fn phase(&self, node: NodeId) -> Phases {
        self.phases[node.index()]
    }

    /// When a node runs by calls and tasks alone, whatever commands requests send to it.
    pub fn direct_phase(&self, node: NodeId) -> Phases {
        self.direct[node.index()]
    }

    /// Whether an effect is that of a command of the program that ends without serving.
    pub fn is_one_shot(&self, facts: &Facts, effect: &Effect) -> bool {
        self.phase(effect.node) == Phases::STARTUP && self.one_shot.covers(facts, effect.branch)
    }

    /// Whether a `main` that `serves` says yes to leads to a node by calls and tasks. Linear in the graph for each of them.
    pub fn started_by(&self, node: NodeId, serves: impl Fn(NodeId) -> bool) -> bool {
        self.phase(node).has(Phases::STARTUP.or(Phases::BACKGROUND))
            && self.mains.iter().any(|&main| serves(main) && (main == node || !self.path(main, node).is_empty()))
    }

    /// Loops that carry out what requests send to them.
    pub fn carries_out(&self, node: NodeId) -> bool {
        self.relayed.contains_key(&node)
    }

    /// Entry points that reach a node, nearest first, at most `limit`, each with the edges from it to the node.
    pub fn entries(&self, node: NodeId, limit: usize) -> Vec<(EntryId, Vec<Edge>)> {
        let mut found = Vec::new();
        if !self.phase(node).requested() {
            return found;
        }
        let mut seen = FxHashSet::default();
        let mut next: FxHashMap<NodeId, Edge> = FxHashMap::default();
        let mut queue = VecDeque::from([node]);
        seen.insert(node);
        while let Some(here) = queue.pop_front() {
            if let Some(&entry) = self.entry_at.get(&here) {
                let mut path = Vec::new();
                let mut at = here;
                while at != node
                    && let Some(&edge) = next.get(&at)
                {
                    path.push(edge);
                    at = edge.to;
                }
                found.push((entry, path));
                if found.len() >= limit {
                    break;
                }
            }
            let called = self.into[here.index()].iter().map(|&e| self.edges[e as usize]);
            let sent = self.relayed.get(&here).into_iter().flatten().map(|&e| self.relays[e as usize]);
            for edge in called.chain(sent) {
                // What no request reaches has no entry point behind it.
                if self.phase(edge.from).requested() && seen.insert(edge.from) {
                    next.insert(edge.from, edge);
                    queue.push_back(edge.from);
                }
            }
        }
        found
    }

    /// The shortest way from one node down to another, first in order; empty if there is none.
    pub fn path(&self, from: NodeId, to: NodeId) -> Vec<Edge> {
        let mut came: FxHashMap<NodeId, u32> = FxHashMap::default();
        let mut queue = VecDeque::from([from]);
        while let Some(here) = queue.pop_front() {
            if here == to {
                break;
            }
            for &index in &self.out[here.index()] {
                let next = self.edges[index as usize].to;
                if next != from && !came.contains_key(&next) {
                    came.insert(next, index);
                    queue.push_back(next);
                }
            }
        }
        let mut path = Vec::new();
        let mut at = to;
        while at != from
            && let Some(&index) = came.get(&at)
        {
            let edge = self.edges[index as usize];
            path.push(edge);
            at = edge.from;
        }
        path.reverse();
        path
    }
}
