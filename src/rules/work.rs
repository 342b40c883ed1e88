//! What a body does, through everything it calls: shared by the rules on tasks, schedules and queues.

use crate::catalog::{FnEffect, StoreKind};
use crate::facts::cells::World;
use crate::facts::model::*;
use rustc_hash::FxHashSet;

/// Nodes followed at most; a body that reaches more does enough to be judged by what was seen.
const MAX_NODES: usize = 600;

/// Effects of a node and of all it calls or spawns, in the order in which nodes are reached.
pub fn effects<'w>(w: &'w World<'_>, start: NodeId) -> Vec<&'w Effect> {
    let mut seen = FxHashSet::default();
    let mut queue = std::collections::VecDeque::from([start]);
    let mut found = Vec::new();
    while let Some(node) = queue.pop_front() {
        if !seen.insert(node) || seen.len() > MAX_NODES {
            continue;
        }
        found.extend(w.effects_of(node).iter().map(|&e| &w.facts.effects[e.index()]));
        queue.extend(w.graph.callees(node).map(|e| e.to));
    }
    found
}

/// The first effect whose loss or repetition somebody outside notices.
pub fn lasting<'w>(effects: &[&'w Effect]) -> Option<&'w Effect> {
    effects.iter().copied().find(|e| {
        matches!(
            &e.kind,
            EffectKind::Store { writes: true, .. }
                | EffectKind::Store { kind: StoreKind::Mail, .. }
                | EffectKind::File(FnEffect::FileWrite | FnEffect::FileCopy)
        )
    })
}

/// Whether something in the work is taken so that only one instance gets it.
pub fn claimed(effects: &[&Effect]) -> bool {
    effects.iter().any(|e| e.kind == EffectKind::Claim)
}

/// How a message names an effect.
pub fn name(effect: &Effect) -> String {
    match &effect.text {
        Some(text) if text.contains(' ') => format!("`{}`", text.split_whitespace().take(4).collect::<Vec<_>>().join(" ")),
        _ => format!("`{}`", effect.what),
    }
}
