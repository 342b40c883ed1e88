//! Pools of worker threads that requests hand work to: what waits in them is memory.

use super::ID;
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::finding::*;
use crate::rules::evidence::{self, Told};
use crate::rules::{detached_task, work};

/// Requests that are shown as handing work over.
const SHOWN: usize = 4;

/// Pools, where they are built, if a request leaves work in one whose loss matters.
pub fn check(w: &World<'_>) -> Vec<Finding> {
    let built = w.libraries(ID).filter(|e| !w.graph.phase(e.node).requested() && !w.graph.is_one_shot(w.facts, e));
    built.filter_map(|e| judge(e, w)).collect()
}

fn judge(effect: &Effect, w: &World<'_>) -> Option<Finding> {
    let def = w.facts.node(effect.node).def;
    let pool = w.cat.library(&effect.what)?.keeps.as_str();
    let krate = |node: NodeId| w.p.def(w.facts.node(node).def).krate;
    let handed = |e: &&Effect| {
        let ours = e.what.rsplit_once("::").is_some_and(|(ty, _)| ty.rsplit("::").next() == Some(pool));
        ours && w.p.run_together(krate(e.node), krate(effect.node))
    };
    let lost: Vec<(&Effect, &Effect)> =
        w.facts.effects.iter().filter(handed).filter_map(|e| detached_task::lost(e, w).map(|lost| (e, lost))).take(SHOWN).collect();
    let (first, undone) = lost.first()?;
    let (entry, _) = evidence::entries(w, first.node).into_iter().next()?;
    let label = evidence::entry_label(w, entry);
    let location = evidence::node_location(w, effect.node, effect.span);
    let what = evidence::last_two(&effect.what);
    let declared = Step::new(Role::Declared, format!("the {pool} is built here"), location.clone());
    let uses = lost.iter().map(|(e, _)| evidence::effect_path(w, e, w.facts.node(e.node).def, Role::Sent, "handed over")).collect();
    let told = Told {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        reason: format!(
            "reporting because {label} answers once {} waits in the pool, and only this process can do it",
            work::name(w, undone)
        ),
        message: format!(
            "a kill loses all work that {label} has handed to this pool and already answered for: its queue is in this process"
        ),
        witness: evidence::built(declared, Vec::new(), uses),
        home: "durable queue",
        help: "put the work into a durable queue or table before answering, and let the pool take it from there",
    };
    Some(told.at(def, format!("{}::{what}", w.p.path(def)), location, w))
}
