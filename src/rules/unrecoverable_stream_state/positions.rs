//! Items that are taken out of a list before their work is done, and positions in a stream that only memory keeps.

use crate::facts::cells::World;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::finding::*;
use crate::rules::{evidence, work};

/// Background work that takes items out of lists, or follows a stream, and does something lasting with them.
pub fn check(w: &World<'_>) -> Vec<Finding> {
    let works = |e: &&Effect| {
        let phase = w.graph.phase(e.node);
        phase.has(Phases::BACKGROUND) && !phase.requested()
    };
    let found = w.facts.effects.iter().filter(works).filter_map(|effect| match effect.kind {
        EffectKind::Pop => popped(w, effect),
        EffectKind::Follow => followed(w, effect),
        _ => None,
    });
    found.collect()
}

/// A kill between the pop and the work loses the item, unless something else takes the work as well.
fn popped(w: &World<'_>, pop: &Effect) -> Option<Finding> {
    let effects = work::around(w, pop.node);
    let own = |e: &Effect| e.node == pop.node && e.span == pop.span;
    if effects.iter().any(|e| e.kind == EffectKind::Claim && !own(e)) {
        return None;
    }
    let later: Vec<&Effect> = effects.into_iter().filter(|e| !own(e) && (e.node != pop.node || e.order > pop.order)).collect();
    let lost = work::lasting(w, &later)?;
    let (by, name) = (function(w, pop), work::name(w, lost));
    let steps = vec![
        Step::new(Role::Received, format!("`{by}` takes the item out here, and the list forgets it"), at(w, pop)),
        Step::new(Role::Written, format!("{name} is done only afterwards"), at(w, lost)),
    ];
    let message = format!("a kill loses the item at hand for good: `{by}` takes it out of the list before {name} is done");
    let reason =
        format!("reporting because `{}` removes the item at once, and no list or row remembers it until the work is done", pop.what);
    let mut finding = super::finding(w, pop, message, reason, vec![steps]);
    finding.confidence = Confidence::Medium;
    finding.help = Some(
        "move the item to a list of work at hand (`LMOVE`, `BLMOVE`) and remove it there when the work is stored, or use a stream with a \
         consumer group"
            .into(),
    );
    Some(finding)
}

/// A position that starts anew with each process: what came meanwhile is skipped, or done once more.
fn followed(w: &World<'_>, follow: &Effect) -> Option<Finding> {
    let def = w.facts.node(follow.node).def;
    if w.graph.resolve(follow.path, def).has(Prov::STORE) {
        return None;
    }
    let effects = work::around(w, follow.node);
    if work::claimed(&effects) {
        return None;
    }
    let lost = work::lasting(w, &effects)?;
    let (by, name) = (function(w, follow), work::name(w, lost));
    let steps = vec![
        Step::new(Role::Received, format!("`{by}` reads on from a position that it keeps itself"), at(w, follow)),
        Step::new(Role::Written, format!("{name} is done for each message"), at(w, lost)),
    ];
    let message =
        format!("a restart skips messages or does {name} again, and two instances both do it: only `{by}` knows how far it has read");
    let reason = format!("reporting because `{}` reads without a consumer group from a position that is loaded from nowhere", follow.what);
    let mut finding = super::finding(w, follow, message, reason, vec![steps]);
    finding.confidence = Confidence::Medium;
    finding.help = Some(
        "read through a consumer group and acknowledge when the work is stored, or store the position together with the work and load it \
         at start"
            .into(),
    );
    Some(finding)
}

fn function<'w>(w: &'w World<'_>, effect: &Effect) -> &'w str {
    w.p.text(w.p.def(w.facts.node(effect.node).def).name)
}

fn at(w: &World<'_>, effect: &Effect) -> Location {
    evidence::node_location(w, effect.node, effect.span)
}
