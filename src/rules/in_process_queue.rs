//! Queues from requests to a worker, or to a later request, inside this process.

pub mod pools;

use super::evidence::{self, Told};
use super::work;
use crate::catalog::{Channel, Op, StoreKind};
use crate::facts::cells::{Cell, CellKey, World};
use crate::facts::commands::{in_statics, items};
use crate::facts::hosts::{Host, holds_answer};
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::resolve::{DefId, Ty};
use crate::syntax::hir::Span;

pub const ID: &str = "in-process-queue";

/// The two sides of a queue.
struct Queue {
    sends: Vec<AccessId>,
    received: AccessId,
    /// Where the channel is made, if that is known.
    built: Option<(NodeId, Span)>,
}

pub fn judge(cell: &Cell, _profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if w.orders(cell).is_some() {
        return None;
    }
    let queue = channel(cell, w).or_else(|| collection(cell, w))?;
    let received = w.facts.access(queue.received);
    let effects = work::around(w, received.node);
    // A worker that claims rows takes its work from the store; the item only wakes it.
    if work::claimed(&effects) {
        return None;
    }
    if refreshes(&queue, &effects, w) {
        return None;
    }
    let lost = work::lasting(w, &effects);
    let later_request = w.graph.phase(received.node).has(Phases::REQUEST);
    if !later_request && lost.is_none() {
        return None;
    }
    let send = evidence::pick(w, &queue.sends, None)?;
    let sender = send.label(w);
    let name = evidence::short(&cell.symbol);
    let place = |node: NodeId, span: Span| evidence::node_location(w, node, span);
    let mut first = vec![evidence::declared(w, cell)];
    if let Some((node, span)) = queue.built {
        first.push(Step::new(Role::Because, "the queue is made here", place(node, span)));
    }
    first.extend(evidence::registered(w, cell));
    first.push(evidence::step(w, &send));
    first.push(Step::new(Role::Received, "taken out here", place(received.node, received.span)));
    if let Some(lost) = lost {
        first.push(Step::new(Role::Because, format!("{} is done only then", work::name(w, lost)), place(lost.node, lost.span)));
    }
    let built = queue.built.filter(|_| !matches!(cell.key, CellKey::Static(_)));
    let told = Told {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Error,
        confidence: Confidence::Medium,
        reason: format!("reporting because `{sender}` answers once the item is in `{name}`, and only this process can take it out"),
        message: format!(
            "a kill loses everything that `{sender}` has queued and already answered for: `{name}` is a queue in this process"
        ),
        witness: vec![first, evidence::chain(w, &send)],
        home: "durable queue",
        help: "put the item into a durable queue or table before answering, and acknowledge it when the work is done",
    };
    let found = told.of(cell, w);
    Some(Finding { location: built.map_or(found.location, |(node, span)| place(node, span)), ..found })
}

/// Whether requests that only read ask for a copy to be fetched again from another service: the next one asks anew.
fn refreshes(queue: &Queue, effects: &[&Effect], w: &World<'_>) -> bool {
    let fetches = effects.iter().any(|e| matches!(e.kind, EffectKind::Store { kind: StoreKind::Http, writes: false }));
    let reads_only = |&a: &AccessId| {
        let entries = evidence::entries(w, w.facts.access(a).node);
        !entries.is_empty() && entries.iter().all(|(id, _)| w.facts.entry(*id).method.as_deref() == Some("GET"))
    };
    fetches && queue.sends.iter().all(reads_only)
}

/// A channel whose sending end the cell is or holds.
fn channel(cell: &Cell, w: &World<'_>) -> Option<Queue> {
    let item = items(w.p, w.cat, &cell.ty, "sender")?;
    // An item without content only wakes whoever looks elsewhere for what to do.
    if matches!(item, Ty::Unit) {
        return None;
    }
    let is_send = |a: &AccessId| w.facts.access(*a).op == Op::Send;
    let requested = |a: &AccessId| w.graph.phase(w.facts.access(*a).node).requested();
    let sends: Vec<AccessId> = cell.accesses.iter().copied().filter(|a| is_send(a) && requested(a)).collect();
    if sends.is_empty() || put_back(cell, w) || is_answered(w, &item, &sends) {
        return None;
    }
    let built = built(cell, w);
    let taken = |a: &Access| {
        let phase = w.graph.phase(a.node);
        a.op == Op::Recv && (phase.has(Phases::BACKGROUND) || phase.has(Phases::REQUEST))
    };
    let same_channel = |a: &Access| built.is_some_and(|(node, span)| a.place.root == Root::Local(node, span));
    let only_one = queues(w, &cell.package).count() == 1;
    let same_item = |a: &Access| {
        let other = items(w.p, w.cat, &a.ty, "receiver");
        other.is_some_and(|t| t == item || (t.is_unknown() || item.is_unknown()) && only_one) && same_package(w, cell, a)
    };
    let find = |fits: &dyn Fn(&Access) -> bool| {
        let found = w.facts.accesses.iter().position(|a| taken(a) && fits(a));
        found.map(|index| AccessId(index as u32))
    };
    let own = cell.accesses.iter().copied().find(|&a| taken(w.facts.access(a)));
    let received = own.or_else(|| find(&same_channel)).or_else(|| find(&same_item))?;
    let built = built.or_else(|| queues(w, &cell.package).next().filter(|_| only_one));
    Some(Queue { sends, received, built })
}

/// A list that requests push to and a worker pops from.
fn collection(cell: &Cell, w: &World<'_>) -> Option<Queue> {
    let content = listed(w, &cell.ty)?;
    if matches!(content, Ty::Unit) {
        return None;
    }
    let own = |wanted: &dyn Fn(&Access, Phases) -> bool| {
        let fits = |&&a: &&AccessId| wanted(w.facts.access(a), w.graph.phase(w.facts.access(a).node));
        cell.accesses.iter().filter(fits).copied().collect::<Vec<_>>()
    };
    let sends = own(&|a, phase| a.op == Op::Push && phase.requested());
    let pops = own(&|a, phase| {
        let pops = a.op == Op::Remove && w.p.text(a.method).starts_with("pop");
        pops && phase.has(Phases::BACKGROUND) && !phase.requested()
    });
    (!sends.is_empty() && !put_back(cell, w) && !is_answered(w, &content, &sends)).then_some(())?;
    Some(Queue { sends, received: *pops.first()?, built: None })
}

/// Whether start-up fills the queue again from a store: then a lost item is done after the restart.
fn put_back(cell: &Cell, w: &World<'_>) -> bool {
    cell.accesses.iter().map(|&a| w.facts.access(a)).any(|a| {
        let phase = w.graph.phase(a.node);
        let value = w.graph.resolve(a.value, w.facts.node(a.node).def);
        matches!(a.op, Op::Send | Op::Push) && phase.has(Phases::STARTUP) && !phase.requested() && value.has(Prov::STORE)
    })
}

/// Where the channel of a cell is made: the cell itself, what its field is made with, or what is registered.
fn built(cell: &Cell, w: &World<'_>) -> Option<(NodeId, Span)> {
    let made = match &cell.key {
        CellKey::Local(node, span) => Some((*node, *span)),
        CellKey::Static(def) => in_statics(w.p, w.facts).find(|(of, ..)| of == def).map(|(_, made, _)| made),
        CellKey::Field(holder, name) => w.lookup.inits(w.facts, *holder, *name).find_map(|i| i.channel),
        _ => None,
    };
    let registered = || {
        let Some(Host::Registered(index)) = &cell.host else { return None };
        match &w.facts.registrations.get(*index as usize)?.place {
            Some(Place { root: Root::Local(node, span), .. }) => Some((*node, *span)),
            _ => None,
        }
    };
    let is_channel = |&(node, span): &(NodeId, Span)| {
        let here = w.effects_of(node).iter().map(|e| &w.facts.effects[e.index()]);
        here.filter(|e| e.span == span).any(|e| e.kind == EffectKind::Channel(Channel::Queue))
    };
    made.or_else(registered).filter(is_channel)
}

/// Where the queues of a package are made.
fn queues<'w>(w: &'w World<'_>, package: &'w str) -> impl Iterator<Item = (NodeId, Span)> + 'w {
    let made = w.facts.effects.iter().filter(|e| e.kind == EffectKind::Channel(Channel::Queue));
    made.filter(move |e| w.p.package_of(w.facts.node(e.node).def) == package).map(|e| (e.node, e.span))
}

fn same_package(w: &World<'_>, cell: &Cell, access: &Access) -> bool {
    let def = w.facts.node(access.node).def;
    let package = |d: DefId| w.p.package_of(d);
    package(def) == cell.package || w.facts.entries.iter().all(|e| e.def.is_none_or(|d| package(d) != cell.package))
}

/// The element type of a list, behind locks and pointers.
fn listed(w: &World<'_>, ty: &Ty) -> Option<Ty> {
    let Ty::Ext(name, args) = ty else { return None };
    match w.cat.type_info(&w.p.names, *name).map(|info| w.cat.class_name(info)) {
        Some("seq") => Some(ty.arg(0)),
        Some("map" | "set" | "cache" | "sender" | "receiver") => None,
        _ => args.iter().find_map(|a| listed(w, a)),
    }
}

/// Whether those who put items in wait for what becomes of them: the items carry the way to answer, and some
/// request listens at the other end of it, or that is not known here.
fn is_answered(w: &World<'_>, item: &Ty, sends: &[AccessId]) -> bool {
    holds_answer(w.p, w.cat, item) && !sends.iter().all(|&send| nobody_listens(w, w.facts.access(send).node))
}

/// Whether a body, or the one that calls it, makes channels for an answer and waits at none of them.
fn nobody_listens(w: &World<'_>, sender: NodeId) -> bool {
    let callers = w.graph.callers(sender).filter(|e| !e.spawn).map(|e| e.from);
    let defs: Vec<DefId> = std::iter::once(sender).chain(callers).map(|n| w.facts.node(n).def).collect();
    let mut made = w.facts.answers.iter().filter(|((node, _), _)| defs.contains(&w.facts.node(*node).def)).peekable();
    let left_alone = |(made, heard): (&(NodeId, Span), &Vec<NodeId>)| {
        heard.iter().all(|n| *n != made.0 && matches!(w.facts.node(*n).kind, NodeKind::Spawned(_)))
    };
    made.peek().is_some() && made.all(left_alone)
}
