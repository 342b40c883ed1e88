//! What does not run as the service is shipped: what only features build that nobody switches on, the arms
//! that the defaults of its settings do not take, what only they call, and the types that only they build.

use super::model::{Call, Choice, Effect, EffectKind, Facts, Init, NodeId};
use super::phases::Graph;
use crate::catalog::{FnEffect, StoreKind};
use crate::resolve::{DefId, DefKind, Program, Ty};
use rustc_hash::{FxHashMap, FxHashSet};

#[derive(Default)]
pub struct ByDefault {
    off: FxHashSet<NodeId>,
    types: FxHashSet<DefId>,
    /// For code that only a default leads to: the call or effect's choice.
    chosen: FxHashMap<NodeId, Choice>,
    /// Bodies whose default arm keeps things on this instance too: the other arm is no better, and no worse.
    as_local: FxHashSet<NodeId>,
}

impl ByDefault {
    /// Linear in the calls and nodes, and in them again for each body that has an arm which is off.
    pub fn of(p: &Program, facts: &Facts, graph: &Graph) -> ByDefault {
        let mut found = ByDefault { as_local: as_local(facts, graph), ..ByDefault::default() };
        let mut into: FxHashMap<NodeId, Vec<(NodeId, Choice)>> = FxHashMap::default();
        let mut out: FxHashMap<NodeId, Vec<(NodeId, Choice)>> = FxHashMap::default();
        let mut edge = |from: NodeId, to: NodeId, choice: Choice| {
            into.entry(to).or_default().push((from, choice));
            out.entry(from).or_default().push((to, choice));
        };
        let left_out = p.left_out();
        let absent = |node: &NodeId| left_out[facts.node(*node).def.0 as usize];
        for Call { node, target, choice, .. } in &facts.calls {
            if let Some(&to) = graph.node_of.get(target) {
                let no_better = *choice == Choice::Off && found.as_local.contains(node);
                let choice = if no_better { Choice::Always } else { *choice };
                edge(*node, to, if absent(&to) { Choice::Off } else { choice });
            }
        }
        for (index, node) in facts.nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                edge(parent, NodeId(index as u32), Choice::Always);
            }
        }
        let mut reached: FxHashSet<NodeId> = FxHashSet::default();
        let mut open: Vec<NodeId> = (0..facts.nodes.len() as u32).map(NodeId).filter(|n| !into.contains_key(n)).collect();
        open.extend(graph.entry_at.keys().copied());
        open.retain(|n| !absent(n));
        while let Some(node) = open.pop() {
            if reached.insert(node) {
                open.extend(out.get(&node).into_iter().flatten().filter(|(_, choice)| *choice != Choice::Off).map(|(to, _)| *to));
            }
        }
        // Circles that nothing enters are not reached either, and no choice is the reason.
        let mut open: Vec<NodeId> = into
            .iter()
            .filter(|(to, from)| !reached.contains(to) && from.iter().any(|(_, c)| *c == Choice::Off))
            .map(|(to, _)| *to)
            .collect();
        open.extend((0..facts.nodes.len() as u32).map(NodeId).filter(absent));
        while let Some(node) = open.pop() {
            if !reached.contains(&node) && found.off.insert(node) {
                open.extend(out.get(&node).into_iter().flatten().map(|(to, _)| *to));
            }
        }
        for (to, from) in &into {
            if let [(_, choice @ (Choice::Shipped(..) | Choice::Open))] = from.as_slice() {
                found.chosen.insert(*to, *choice);
            }
        }
        let mut built: FxHashMap<DefId, bool> = FxHashMap::default();
        for Init { holder, node, choice, .. } in &facts.inits {
            let off = *choice == Choice::Off && !found.as_local.contains(node) || found.off.contains(node);
            *built.entry(*holder).or_insert(true) &= off;
        }
        found.types = built.into_iter().filter(|(def, off)| *off && p.def(*def).kind == DefKind::Struct).map(|(def, _)| def).collect();
        found
    }

    /// Whether an effect only happens when somebody changes a setting.
    pub fn is_off(&self, p: &Program, facts: &Facts, effect: &Effect) -> bool {
        let off = effect.choice == Choice::Off && !self.as_local.contains(&effect.node);
        let own = || p.def(facts.node(effect.node).def).parent.and_then(|parent| p.scope_of(parent).self_ty);
        off || self.off.contains(&effect.node)
            || !self.types.is_empty() && matches!(own(), Some(Ty::Adt(of, _)) if self.types.contains(&of))
    }

    /// What decides that an effect happens: the branch it stands in, or the one call that leads to it.
    pub fn choice(&self, effect: &Effect) -> Choice {
        match effect.choice {
            Choice::Always => self.chosen.get(&effect.node).copied().unwrap_or_default(),
            own => own,
        }
    }
}

/// Bodies with an arm that is off, whose other arm writes to the instance's own disk or memory.
fn as_local(facts: &Facts, graph: &Graph) -> FxHashSet<NodeId> {
    let mut out: FxHashMap<NodeId, Vec<(NodeId, Choice)>> = FxHashMap::default();
    for Call { node, target, choice, .. } in &facts.calls {
        out.entry(*node).or_default().extend(graph.node_of.get(target).map(|&to| (to, *choice)));
    }
    let mut effects: FxHashMap<NodeId, Vec<&Effect>> = FxHashMap::default();
    for effect in facts.effects.iter().filter(|e| is_local(&e.kind)) {
        effects.entry(effect.node).or_default().push(effect);
    }
    let chosen = |choice: Choice| matches!(choice, Choice::Shipped(_));
    let calls = out.iter().filter(|(_, to)| to.iter().any(|(_, choice)| *choice == Choice::Off)).map(|(node, _)| *node);
    let direct = facts.effects.iter().filter(|e| e.choice == Choice::Off).map(|e| e.node);
    let bodies: FxHashSet<NodeId> = calls.chain(direct).collect();
    let keeps = |body: &NodeId| {
        if effects.get(body).is_some_and(|all| all.iter().any(|e| chosen(e.choice))) {
            return true;
        }
        let calls = |node: NodeId| out.get(&node).map_or(&[][..], Vec::as_slice);
        let mut open: Vec<NodeId> = calls(*body).iter().filter(|(_, choice)| chosen(*choice)).map(|(to, _)| *to).collect();
        let mut seen: FxHashSet<NodeId> = FxHashSet::default();
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                if effects.contains_key(&node) {
                    return true;
                }
                open.extend(calls(node).iter().map(|(to, _)| *to));
            }
        }
        false
    };
    bodies.into_iter().filter(keeps).collect()
}

fn is_local(kind: &EffectKind) -> bool {
    match kind {
        EffectKind::Store { kind, writes } => *kind == StoreKind::Embedded && *writes,
        EffectKind::File(effect) => matches!(effect, FnEffect::FileWrite | FnEffect::FileCopy | FnEffect::FileRename),
        EffectKind::Library(rule) => rule == "embedded-database" || rule == "local-file",
        _ => false,
    }
}
