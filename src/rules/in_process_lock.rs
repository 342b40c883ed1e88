//! Locks, permits and gates in this process that coordinate work on something shared.

use super::evidence::{self, Shown, Told};
use crate::catalog::Op;
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::resolve::Ty;

pub const ID: &str = "in-process-lock";

/// What is done under a guard, and where.
struct Coordinated {
    what: String,
    step: Step,
}

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    let on_request = |a: &AccessId| w.graph.phase(w.facts.access(*a).node).requested();
    let of =
        |ops: &[Op]| cell.accesses.iter().copied().filter(|a| ops.contains(&w.facts.access(*a).op) && on_request(a)).collect::<Vec<_>>();
    if let Some((waits, wakes)) = meeting(cell, profile, w) {
        return Some(met(cell, w, &waits, wakes.as_ref()));
    }
    let empty = guards_nothing(w, &cell.ty, 0);
    let gate = profile.class == "atomic" && cell.has_op(w, &[Op::Cas, Op::Swap]);
    if !empty && !gate {
        return None;
    }
    let locks = if gate { of(&[Op::Cas, Op::Swap]) } else { of(&[Op::Lock, Op::TryLock, Op::Acquire]) };
    let (lock, coordinated) = locks.iter().find_map(|&l| under(w, l, gate).map(|c| (l, c)))?;
    let held = evidence::pick(w, &[lock], None)?;
    let holder = held.label(w);
    let name = evidence::short(&cell.symbol);
    let told = Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Error,
        confidence: evidence::certainty(cell),
        reason: format!("reporting because `{holder}` holds `{name}` across {}, which other instances do as well", coordinated.what),
        message: format!(
            "two instances do at the same time what `{name}` is to keep apart: it only holds back this process while {} goes on",
            coordinated.what
        ),
        witness: evidence::ends(w, cell, &[&held], Some(coordinated.step)),
        home: "coordination service",
        help: "let the shared store decide: a transaction with a row lock, a unique constraint, an advisory lock, or a lease with fencing",
    };
    Some(told.of(cell, w))
}

/// A request that waits for another one, and the access by which that one lets it go on; whoever comes last
/// to a barrier does so for all.
fn meeting(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<(Shown, Option<Shown>)> {
    let on_request = |a: &AccessId| w.graph.phase(w.actor(w.facts.access(*a))).requested();
    let of =
        |ops: &[Op]| cell.accesses.iter().copied().filter(|a| ops.contains(&w.facts.access(*a).op) && on_request(a)).collect::<Vec<_>>();
    let mut waits = of(&[Op::Wait]);
    if profile.class == "barrier" {
        return Some((evidence::pick(w, &waits, None)?, None));
    }
    let mut wakes = of(&[Op::Notify]);
    if waits.is_empty() {
        // The sending end of an answer is left for another request by one that goes on to wait at the other end.
        waits = of(&[Op::Insert, Op::InsertNew, Op::Push, Op::Store, Op::Swap, Op::LoadThrough]);
        waits.retain(|&a| listens(w, w.facts.access(a)));
        wakes = of(&[Op::Reply]);
    }
    let wait = evidence::pick(w, &waits, None)?;
    let wake = evidence::pick(w, &wakes, wait.entry)?;
    let apart = wake.entry.is_some() && wake.entry != wait.entry;
    apart.then_some((wait, Some(wake)))
}

/// Whether the body that leaves the end of a channel waits at the other one, which it has made itself.
fn listens(w: &World<'_>, access: &Access) -> bool {
    let here = |node: NodeId| w.facts.node(node).def == w.facts.node(access.node).def;
    w.facts.answers.iter().any(|((made, _), heard)| here(*made) && heard.contains(&access.node))
}

fn met(cell: &Cell, w: &World<'_>, waits: &Shown, wakes: Option<&Shown>) -> Finding {
    let (waiter, name) = (waits.label(w), evidence::short(&cell.symbol));
    let shown: Vec<&Shown> = std::iter::once(waits).chain(wakes).collect();
    let mut witness = evidence::ends(w, cell, &shown, None);
    let said = [Some(format!("{waiter} waits here for another request")), wakes.map(|s| format!("{} lets it go on", s.label(w)))];
    let ends = witness[0].iter_mut().rev().take(shown.len()).rev();
    for (step, message) in ends.zip(said.into_iter().flatten()) {
        step.message = message;
    }
    let other = wakes.map_or_else(|| "one of those that it waits for".to_owned(), |s| format!("`{}`", s.label(w)));
    let told = Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Error,
        confidence: evidence::certainty(cell),
        reason: format!("reporting because `{waiter}` waits at `{name}` for {other}, which only reaches it inside this process"),
        message: format!(
            "`{waiter}` waits in vain when {other} comes to another instance: `{name}` brings requests of this process together only"
        ),
        witness,
        home: "coordination service",
        help: "let the one store what the other waits for, and wake waiters over a bus that every instance hears, or let clients ask again",
    };
    told.of(cell, w)
}

/// A lock whose value is `()`, a single permit, or a collection of such locks.
fn guards_nothing(w: &World<'_>, ty: &Ty, depth: u32) -> bool {
    if depth > 6 {
        return false;
    }
    // In a collection, a struct around a lock and its name.
    let Ty::Ext(name, args) = ty else { return depth > 0 && w.only_coordinates(ty) };
    match w.cat.type_info(&w.p.names, *name).map(|i| w.cat.class_name(i)) {
        Some("lock") if args.first() == Some(&Ty::Unit) => true,
        Some("semaphore") => true,
        Some("set") | None => false,
        _ => args.iter().any(|a| guards_nothing(w, a, depth + 1)),
    }
}

/// The first change of something shared while the guard is held, here or in what is called here.
fn under(w: &World<'_>, lock: AccessId, gate: bool) -> Option<Coordinated> {
    let access = w.facts.access(lock);
    let origin = access.via.unwrap_or(lock);
    let def = w.facts.node(access.node).def;
    let holds = |guards: &[AccessId], node: NodeId, order: u32| {
        guards.contains(&lock) || guards.contains(&origin) || gate && w.facts.node(node).def == def && order > access.order
    };
    let semaphore = matches!(&access.ty, Ty::Ext(name, _) if w.p.text(*name).ends_with("Semaphore"));
    // A permit that bounds reads is flow control; one around changes serialises them.
    let effect = w.facts.effects.iter().find(|e| {
        let shared = match e.kind {
            EffectKind::Store { kind: crate::catalog::StoreKind::Http, .. } if semaphore => false,
            EffectKind::Store { writes, .. } => writes || !gate && !semaphore,
            EffectKind::Wire => !semaphore && !gate,
            EffectKind::File(kind) => {
                !semaphore && matches!(kind, crate::catalog::FnEffect::FileWrite | crate::catalog::FnEffect::FileRename)
            }
            _ => false,
        };
        shared && holds(&e.guards, e.node, e.order)
    });
    if let Some(effect) = effect {
        let what = super::work::name(w, effect);
        let step = Step::new(Role::Coordinated, format!("held while {what} runs"), evidence::node_location(w, effect.node, effect.span));
        return Some(Coordinated { what, step });
    }
    let call = w.facts.calls.iter().find(|c| {
        let shared = w.facts.storing.contains(&c.target) || !gate && !semaphore && w.facts.loading.contains(&c.target);
        c.kind == CallKind::Call && shared && holds(&c.guards, c.node, c.order)
    })?;
    let what = format!("`{}`", w.p.text(w.p.def(call.target).name));
    let step = Step::new(Role::Coordinated, format!("held while {what} runs"), evidence::node_location(w, call.node, call.span));
    Some(Coordinated { what, step })
}
