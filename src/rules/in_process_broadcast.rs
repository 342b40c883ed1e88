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
    let inserts = [Op::Insert, Op::InsertNew, Op::Push, Op::LoadThrough];
    // What lies in a map of values of any type is known by how it is used.
    let registry = |ty: &Ty| matches!(w.class(ty), "map" | "set" | "seq") && holds_sender(w.p, w.cat, ty) && !asks(w, ty);
    let own = registry(&cell.ty);
    let joins = |a: &AccessId| inserts.contains(&w.facts.access(*a).op) && (own || registry(&w.facts.access(*a).ty)) && on_request(a);
    cell.accesses.iter().copied().filter(joins).collect()
}

/// Whether what is sent carries the way back for an answer: a command to a worker, no message to a client.
fn asks(w: &World<'_>, ty: &Ty) -> bool {
    let Ty::Ext(name, args) = ty else { return false };
    match w.cat.type_info(&w.p.names, *name).map(|i| w.cat.class_name(i)) {
        Some("sender") => replies(w, &ty.arg(0)),
        _ => args.iter().any(|a| asks(w, a)),
    }
}

fn replies(w: &World<'_>, message: &Ty) -> bool {
    let Ty::Adt(def, args) = message else { return false };
    let holders = std::iter::once(*def).chain(w.p.variants.get(def).into_iter().flatten().copied());
    holders.into_iter().any(|holder| {
        let Some((_, fields)) = w.p.fields_of(holder) else { return false };
        let file = w.p.def(holder).file;
        fields.fields.iter().filter_map(|f| w.p.field_type(holder, args, w.p.name_in(file, f.name))).any(|ty| is_reply(w, &ty))
    })
}

fn is_reply(w: &World<'_>, ty: &Ty) -> bool {
    let Ty::Ext(name, args) = ty else { return false };
    match w.cat.type_info(&w.p.names, *name).map(|i| w.cat.class_name(i)) {
        Some("oneshot-sender") => true,
        Some("option") => args.iter().any(|a| is_reply(w, a)),
        _ => false,
    }
}
