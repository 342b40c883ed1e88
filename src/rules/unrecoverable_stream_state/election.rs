//! A home-made leadership: a flag that says who leads, set by a lease of the service's own making.

use super::ID;
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::facts::sql;
use crate::finding::*;
use crate::rules::evidence::{self, Told};
use crate::rules::work;

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if !matches!(profile.class, "atomic" | "scalar" | "watch-sender") {
        return None;
    }
    let elected = cell.accesses.iter().copied().find_map(|a| Some((a, Set::of(w, a)?.home_made()?)))?;
    let gate = cell.uses.iter().find_map(|u| Some((u, unfenced(w, u)?)))?;
    let ((set, lease), (gate, effect)) = (elected, gate);
    let name = evidence::short(&cell.symbol);
    let at = |node: NodeId, span| evidence::node_location(w, node, span);
    let set = w.facts.access(set);
    let first = vec![
        evidence::declared(w, cell),
        Step::new(Role::Because, format!("{} decides who leads", work::name(w, lease)), at(lease.node, lease.span)),
        Step::new(Role::Written, "the flag is set here", at(set.node, set.span)),
        Step::new(Role::Read, "work goes on by the flag alone here", at(gate.node, gate.span)),
        Step::new(
            Role::Written,
            format!("{} does not ask whether the lease still holds", work::name(w, effect)),
            at(effect.node, effect.span),
        ),
    ];
    let told = Told {
        rule: ID,
        item: ChecklistItem::Quarantine,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        reason: format!(
            "reporting because `{name}` remembers a lease that can pass on while this instance is paused, and {} carries no fencing token",
            work::name(w, effect)
        ),
        message: format!(
            "two instances lead at once when one of them is paused past its lease: `{name}` still says so and {} goes through",
            work::name(w, effect)
        ),
        witness: vec![first],
        home: "coordination service",
        help: "make each write conditional on the lease (a fencing token or epoch in the statement), or take a lock in the same transaction as the work",
    };
    Some(told.of(cell, w))
}

/// Whether a flag says who leads, and whose lease it follows, if that is not of the service's own making.
pub fn leads(cell: &Cell, w: &World<'_>) -> Option<Option<&'static str>> {
    let asked = || cell.uses.iter().any(|u| matches!(u.kind, UseKind::Gate { .. } | UseKind::Branch { .. }));
    if !matches!(w.class(&cell.ty), "atomic" | "scalar" | "watch-sender") || !cell.ty_text.to_ascii_lowercase().contains("bool") || !asked()
    {
        return None;
    }
    let set = cell.accesses.iter().find_map(|&a| Set::of(w, a))?;
    Some(set.home_made().is_none().then_some("it follows a lease that a library holds"))
}

/// A background task that sets the flag, by what it does, and the claim among that.
struct Set<'w> {
    effects: Vec<&'w Effect>,
    claim: &'w Effect,
}

impl<'w> Set<'w> {
    fn of(w: &'w World<'_>, access: AccessId) -> Option<Set<'w>> {
        let access = w.facts.access(access);
        if !access.op.writes() || w.graph.phase(access.node).requested() {
            return None;
        }
        let effects = work::effects(w, access.node);
        let claim = effects.iter().copied().find(|e| e.kind == EffectKind::Claim)?;
        Some(Set { effects, claim })
    }

    /// The claim if it is of the service's own making: a library's lease is no call on a store of our own.
    fn home_made(&self) -> Option<&'w Effect> {
        let same = |e: &&Effect| matches!(e.kind, EffectKind::Store { .. }) && e.node == self.claim.node && e.span == self.claim.span;
        self.effects.iter().copied().find(same)
    }
}

/// What is changed behind a question for the flag without a claim of its own.
fn unfenced<'w>(w: &'w World<'_>, one: &Use) -> Option<&'w Effect> {
    let asked = matches!(one.kind, UseKind::Gate { .. } | UseKind::Branch { .. });
    if !asked || w.graph.phase(one.node).requested() {
        return None;
    }
    let effects = work::inline(w, one.node);
    let claims = |e: &Effect| effects.iter().any(|c| c.kind == EffectKind::Claim && c.node == e.node && c.span == e.span);
    effects
        .iter()
        .copied()
        .find(|e| matches!(e.kind, EffectKind::Store { writes: true, .. }) && !claims(e) && !e.text.as_deref().is_some_and(sql::fences))
}
