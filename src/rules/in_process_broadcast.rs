//! Fan-out to sockets and streams that only reaches this instance's clients.

use super::evidence::{self, Told};
use crate::catalog::{Channel, Op};
use crate::facts::cells::{Cell, World};
use crate::facts::hosts::holds_sender;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::resolve::Ty;

pub const ID: &str = "in-process-broadcast";

pub fn judge(cell: &Cell, _profile: &Profile, w: &World<'_>) -> Option<Finding> {
    let requested = Phases::REQUEST.or(Phases::TASK);
    let on_request = |id: &AccessId| w.graph.phase(w.facts.access(*id).node).has(requested);
    let of =
        |ops: &[Op]| cell.accesses.iter().copied().filter(|a| ops.contains(&w.facts.access(*a).op) && on_request(a)).collect::<Vec<_>>();
    let sends = of(&[Op::Send]);
    let receivers = if is_broadcast(w, &cell.ty) { of(&[Op::Subscribe]) } else { registry_inserts(cell, w, &on_request) };
    if sends.is_empty() || receivers.is_empty() {
        return None;
    }
    // What only the bus sends reaches every instance's clients.
    let from_bus = |id: &AccessId| {
        let access = w.facts.access(*id);
        w.graph.resolve(access.value, w.facts.node(access.node).def).has(Prov::BUS)
    };
    if sends.iter().all(from_bus) {
        return None;
    }
    let send = evidence::pick(w, &sends, None)?;
    let receive = evidence::pick(w, &receivers, send.entry)?;
    let (sender, receiver) = (send.label(w), receive.label(w));
    let name = evidence::short(&cell.symbol);
    let told = Told {
        rule: ID,
        item: ChecklistItem::Quarantine,
        severity: Severity::Warning,
        confidence: evidence::certainty(cell),
        reason: format!(
            "reporting because `{sender}` sends into `{name}`, only clients that `{receiver}` connected to this process get it, and no bus feeds it"
        ),
        message: format!(
            "clients connected to another instance never see what `{sender}` sends: `{name}` fans out inside this process only"
        ),
        witness: evidence::ends(w, cell, &[&send, &receive], None),
        home: "message bus",
        help: "publish events to a bus that every instance subscribes to (Redis, NATS, LISTEN/NOTIFY) and let this channel only relay what the bus delivers",
    };
    Some(told.of(cell, w))
}

/// Whether a cell holds ways to clients that are connected to this process, or the channel that they listen to.
pub fn holds_clients(cell: &Cell, w: &World<'_>) -> bool {
    let on_request = |id: &AccessId| w.graph.phase(w.facts.access(*id).node).requested();
    let listens = |id: &AccessId| w.facts.access(*id).op == Op::Subscribe && on_request(id);
    is_broadcast(w, &cell.ty) && cell.accesses.iter().any(listens) || !registry_inserts(cell, w, &on_request).is_empty()
}

fn is_broadcast(w: &World<'_>, ty: &Ty) -> bool {
    match ty {
        Ty::Ext(name, args) => match w.cat.type_info(&w.p.names, *name) {
            Some(info) if info.channel == Some(Channel::Broadcast) => true,
            Some(_) | None => args.iter().any(|a| is_broadcast(w, a)),
        },
        _ => false,
    }
}

/// Insertions of senders into a collection: a registry of connected clients.
fn registry_inserts(cell: &Cell, w: &World<'_>, on_request: &dyn Fn(&AccessId) -> bool) -> Vec<AccessId> {
    if !matches!(w.class(&cell.ty), "map" | "set" | "seq") || !holds_sender(w.p, w.cat, &cell.ty) {
        return Vec::new();
    }
    let inserts = [Op::Insert, Op::InsertNew, Op::Push, Op::LoadThrough];
    cell.accesses.iter().copied().filter(|a| inserts.contains(&w.facts.access(*a).op) && on_request(a)).collect()
}
