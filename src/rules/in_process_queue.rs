//! Queues from requests to a worker, or to a later request, inside this process.

use super::{evidence, work};
use crate::catalog::{Channel, Op};
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::resolve::{DefId, Ty};

pub const ID: &str = "in-process-queue";

pub fn judge(cell: &Cell, _profile: &Profile, w: &World<'_>) -> Option<Finding> {
    let queue = item(w, &cell.ty, "sender")?;
    let sends: Vec<AccessId> = cell.accesses.iter().copied().filter(|&a| w.facts.access(a).op == Op::Send && w.graph.phase(w.facts.access(a).node).requested()).collect();
    if sends.is_empty() || holds_reply(w, &queue, 0) {
        return None;
    }
    let received = w.facts.accesses.iter().find(|a| {
        let phase = w.graph.phase(a.node);
        let worker = phase.has(Phases::BACKGROUND) || phase.has(Phases::REQUEST);
        a.op == Op::Recv && worker && same_package(w, cell, a) && item(w, &a.ty, "receiver").is_some_and(|t| t == queue || t.is_unknown() || queue.is_unknown())
    })?;
    let later_request = w.graph.phase(received.node).has(Phases::REQUEST);
    let effects = work::effects(w, received.node);
    let lost = work::lasting(&effects);
    if !later_request && lost.is_none() {
        return None;
    }
    let send = evidence::pick(w, &sends, None)?;
    let sender = send.label(w);
    let name = evidence::short(&cell.symbol);
    // The one queue of the package is reported where it is built.
    let channels = w.facts.effects.iter().filter(|e| e.kind == EffectKind::Channel(Channel::Queue) && w.p.krate(w.p.def(w.facts.node(e.node).def).krate).package == cell.package);
    let built = channels.clone().next().filter(|_| channels.count() == 1);
    let mut first = vec![evidence::declared(w, cell)];
    first.extend(evidence::registered(w, cell));
    first.push(evidence::step(w, &send));
    first.push(Step { role: Role::Received, entry: None, message: "taken out here".into(), location: evidence::node_location(w, received.node, received.span) });
    if let Some(lost) = lost {
        first.push(Step { role: Role::Because, entry: None, message: format!("{} is done only then", work::name(lost)), location: evidence::node_location(w, lost.node, lost.span) });
    }
    Some(Finding {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        persona: Persona::Regular,
        reason: format!("reporting because `{sender}` answers once the item is in `{name}`, and only this process can take it out"),
        package: cell.package.clone(),
        symbol: cell.symbol.clone(),
        ty: Some(cell.ty_text.clone()),
        message: format!("a kill loses everything that `{sender}` has queued and already answered for: `{name}` is a queue in this process"),
        location: built.map_or_else(|| evidence::location(w, cell.file, cell.span), |e| evidence::node_location(w, e.node, e.span)),
        witness: vec![first, evidence::chain(w, &send)],
        home: Some("durable queue".into()),
        help: Some("put the item into a durable queue or table before answering, and acknowledge it when the work is done".into()),
        related: Vec::new(),
    })
}

fn same_package(w: &World<'_>, cell: &Cell, access: &Access) -> bool {
    let def = w.facts.node(access.node).def;
    let package = |d: DefId| w.p.krate(w.p.def(d).krate).package.as_str();
    package(def) == cell.package || w.facts.entries.iter().all(|e| e.def.is_none_or(|d| package(d) != cell.package))
}

/// The item type of a queue's end, behind locks, options and pointers.
fn item(w: &World<'_>, ty: &Ty, class: &str) -> Option<Ty> {
    let Ty::Ext(name, args) = ty else { return None };
    match w.cat.type_info(&w.p.names, *name) {
        Some(info) if w.cat.class_name(info) == class => (info.channel == Some(Channel::Queue)).then(|| ty.arg(0)),
        Some(info) if matches!(w.cat.class_name(info), "map" | "set" | "seq" | "cache") => None,
        _ => args.iter().find_map(|a| item(w, a, class)),
    }
}

/// Whether items carry the way to answer whoever sent them.
fn holds_reply(w: &World<'_>, ty: &Ty, depth: u32) -> bool {
    if depth > 5 {
        return false;
    }
    match ty {
        Ty::Ext(name, args) => w.cat.type_info(&w.p.names, *name).is_some_and(|i| matches!(w.cat.class_name(i), "oneshot-sender" | "sender")) || args.iter().any(|a| holds_reply(w, a, depth + 1)),
        Ty::Tuple(elems) => elems.iter().any(|e| holds_reply(w, e, depth + 1)),
        Ty::Adt(def, args) => {
            let mut holders = vec![*def];
            holders.extend(w.p.variants.get(def).into_iter().flatten());
            holders.into_iter().any(|holder| {
                let Some((_, fields)) = w.p.fields_of(holder) else { return false };
                let file = w.p.def(holder).file;
                fields.fields.iter().any(|f| w.p.field_type(holder, args, w.p.name_in(file, f.name)).is_some_and(|t| holds_reply(w, &t, depth + 1)))
            })
        }
        _ => false,
    }
}
