//! Keys generated at start that sign or verify what crosses requests.

pub mod drawn;
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
    let mut found: Vec<Finding> = w.facts.effects.iter().filter_map(|effect| judge(effect, &keepers, w)).collect();
    found.extend(drawn::check(w, &found));
    found
}

/// Whether a body runs when the service starts, and for no request.
fn at_start(w: &World<'_>, node: NodeId) -> bool {
    let phase = w.graph.phase(node);
    phase.has(Phases::STARTUP) && !phase.has(Phases::REQUEST) || w.facts.node(node).kind == NodeKind::Initialiser
}

fn judge(effect: &Effect, keepers: &Keepers, w: &World<'_>) -> Option<Finding> {
    if effect.kind != EffectKind::Secret || w.graph.is_one_shot(w.facts, effect) {
        return None;
    }
    let def = w.facts.node(effect.node).def;
    let drawn = effect.data == Prov::NONE || effect.data.has(Prov::RANDOM) || is_drawn(w.graph.resolve(effect.data, def));
    if !drawn || !at_start(w, effect.node) || w.facts.entries.is_empty() || keepers.elsewhere(w, effect) {
        return None;
    }
    let what = evidence::last_two(&effect.what);
    let symbol = format!("{}::{what}", w.p.path(def));
    let message = format!(
        "what one instance signs, another rejects, and a restart invalidates all of it: `{what}` generates the key in each process"
    );
    let reason = format!("reporting because `{what}` makes another key in every process, and again at every start");
    let location = evidence::node_location(w, effect.node, effect.span);
    let declared = Step::new(Role::Declared, "the key is generated at start", location.clone());
    let witness = evidence::built(declared, evidence::put_to_use(w, effect), evidence::handled(w, def, ID, "signed cookies"));
    Some(told(message, reason, witness).at(def, symbol, location, w))
}

/// Whether what callers pass is random. A struct of settings with one random part in it is no random key.
fn is_drawn(passed: Prov) -> bool {
    passed.has(Prov::RANDOM) && !passed.has(Prov::CONFIG) && !passed.has(Prov::REQUEST)
}

fn told(message: String, reason: String, witness: Vec<Vec<Step>>) -> Told<&'static str> {
    Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        reason,
        message,
        witness,
        home: "secret store",
        help: "load the key from required configuration or a secret store, the same for all instances, with a \
             second key to verify by while it is rotated",
    }
}
