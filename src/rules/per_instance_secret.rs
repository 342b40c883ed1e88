//! Keys generated at start that sign or verify what crosses requests.

pub mod keepers;

use super::evidence::{self, Told};
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::finding::*;
use keepers::Keepers;

pub const ID: &str = "per-instance-secret";

pub fn check(w: &World<'_>) -> Vec<Finding> {
    let keepers = Keepers::of(w);
    w.facts.effects.iter().filter_map(|effect| judge(effect, &keepers, w)).collect()
}

fn judge(effect: &Effect, keepers: &Keepers, w: &World<'_>) -> Option<Finding> {
    if effect.kind != EffectKind::Secret || w.graph.is_one_shot(w.facts, effect) {
        return None;
    }
    let node = w.facts.node(effect.node);
    let phase = w.graph.phase(effect.node);
    let at_start = phase.has(Phases::STARTUP) && !phase.has(Phases::REQUEST) || node.kind == NodeKind::Initialiser;
    if !at_start || w.facts.entries.is_empty() || keepers.elsewhere(w, effect) {
        return None;
    }
    let location = evidence::node_location(w, effect.node, effect.span);
    let what = evidence::last_two(&effect.what);
    let told = Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        reason: format!("reporting because `{what}` makes another key in every process, and again at every start"),
        message: format!(
            "what one instance signs, another rejects, and a restart invalidates all of it: `{what}` generates the key in each process"
        ),
        witness: evidence::built(
            Step::new(Role::Declared, "the key is generated at start", location.clone()),
            evidence::handled(w, node.def, ID, "signed cookies"),
        ),
        home: "secret store",
        help: "load the key from required configuration or a secret store, the same for all instances, with a \
             second key to verify by while it is rotated",
    };
    Some(told.at(node.def, format!("{}::{what}", w.p.path(node.def)), location, w))
}
