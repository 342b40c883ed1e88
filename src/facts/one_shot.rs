//! Commands of the service's own program that do their work and end, `gen-config` beside `serve`: what they
//! do is no start-up of the service.

use super::model::*;
use crate::resolve::DefId;
use rustc_hash::{FxHashMap, FxHashSet};

#[derive(Default)]
pub struct OneShot {
    arms: FxHashSet<BranchId>,
}

/// What a body goes on to: where that stands, and where it leads.
#[derive(Clone, Copy)]
struct Step {
    branch: Option<BranchId>,
    order: u32,
    to: NodeId,
}

impl OneShot {
    /// Arms that end without serving where another arm of the same question serves, or what stands behind the
    /// question, and nothing that serves can run beside them. Linear in the calls, but for bodies that serve in several places.
    pub fn find(facts: &Facts, node_of: &FxHashMap<DefId, NodeId>, entry_at: &FxHashMap<NodeId, EntryId>) -> OneShot {
        let mut steps: Vec<Vec<Step>> = facts.nodes.iter().map(|_| Vec::new()).collect();
        let mut into: Vec<Vec<NodeId>> = vec![Vec::new(); facts.nodes.len()];
        let mut open: Vec<NodeId> = Vec::new();
        let mut routes: FxHashMap<NodeId, Vec<Step>> = FxHashMap::default();
        for call in &facts.calls {
            let Some(&to) = node_of.get(&call.target) else { continue };
            if call.kind == CallKind::Value && entry_at.contains_key(&to) {
                routes.entry(call.node).or_default().push(Step { branch: call.branch, order: call.order, to });
                continue;
            }
            steps[call.node.index()].push(Step { branch: call.branch, order: call.order, to });
            into[to.index()].push(call.node);
        }
        for (index, node) in facts.nodes.iter().enumerate() {
            let id = NodeId(index as u32);
            match (node.parent, node.kind) {
                (Some(parent), NodeKind::Spawned(effect)) => {
                    let Effect { branch, order, .. } = facts.effects[effect.index()];
                    steps[parent.index()].push(Step { branch, order, to: id });
                    into[index].push(parent);
                }
                (Some(parent), NodeKind::Handler(_)) => open.push(parent),
                _ => {}
            }
            if node.periodic.is_some() || node.pumps || node.listens {
                open.push(id);
            }
        }
        open.extend(routes.keys());
        let mut serves = vec![false; facts.nodes.len()];
        while let Some(node) = open.pop() {
            if !std::mem::replace(&mut serves[node.index()], true) {
                open.extend(&into[node.index()]);
            }
        }
        let mut serving = routes;
        for (index, steps) in steps.iter().enumerate() {
            let found = steps.iter().filter(|s| serves[s.to.index()] && s.to.index() != index);
            serving.entry(NodeId(index as u32)).or_default().extend(found);
        }
        let mut points: FxHashMap<NodeId, Vec<(BranchId, u32)>> = FxHashMap::default();
        for effect in &facts.effects {
            points.entry(effect.node).or_default().extend(effect.branch.map(|b| (b, effect.order)));
        }
        let mut found = OneShot::default();
        for (index, own) in steps.iter().enumerate() {
            let node = NodeId(index as u32);
            let at = serving.get(&node).map_or(&[][..], Vec::as_slice);
            // A loop of the body itself goes on whatever the arm does.
            let own_node = facts.node(node);
            if at.is_empty() || own_node.pumps || own_node.listens || own_node.periodic.is_some() {
                continue;
            }
            let mut is_alone = None;
            let effects = points.get(&node).into_iter().flatten().copied();
            for (way, order) in own.iter().filter_map(|s| Some((s.branch?, s.order))).chain(effects) {
                for arm in facts.ways(Some(way)) {
                    let behind =
                        |other: &Step| facts.branches[arm.index()].ends && other.order > order && !facts.ways(other.branch).contains(&arm);
                    let apart = |other: &Step| facts.excludes(Some(arm), other.branch) || behind(other);
                    if !found.arms.contains(&arm)
                        && at.iter().all(apart)
                        && *is_alone.get_or_insert_with(|| alone(facts, node, &steps, &into, &serving))
                    {
                        found.arms.insert(arm);
                    }
                }
            }
        }
        found
    }

    pub fn covers(&self, facts: &Facts, branch: Option<BranchId>) -> bool {
        !self.arms.is_empty() && facts.ways(branch).iter().any(|arm| self.arms.contains(arm))
    }
}

/// Whether no caller of a body serves beside it.
fn alone(facts: &Facts, node: NodeId, steps: &[Vec<Step>], into: &[Vec<NodeId>], serving: &FxHashMap<NodeId, Vec<Step>>) -> bool {
    let mut seen = FxHashSet::default();
    let mut open = vec![node];
    while let Some(here) = open.pop() {
        for &caller in into[here.index()].iter().filter(|&&c| c != here) {
            let calls = || steps[caller.index()].iter().filter(|s| s.to == here);
            let mut others = serving.get(&caller).into_iter().flatten().filter(|s| s.to != here);
            let beside = others.any(|s| calls().any(|c| !facts.excludes(c.branch, s.branch)));
            if beside {
                return false;
            }
            if seen.insert(caller) {
                open.push(caller);
            }
        }
    }
    true
}
