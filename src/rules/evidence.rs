//! Steps of evidence and the sentences that rules share.

use crate::catalog::Op;
use crate::facts::cells::{Cell, World};
use crate::facts::hosts::Host;
use crate::facts::model::*;
use crate::facts::phases::Edge;
use crate::finding::{Location, Role, Step};
use crate::resolve::FileId;
use crate::syntax::hir::Span;

/// Calls shown between an entry point and what it does.
const SHOWN_CALLS: usize = 5;

pub fn location(w: &World<'_>, file: FileId, span: Span) -> Location {
    Location {
        path: w.p.file(file).path.clone(),
        line: span.line,
        column: span.column,
        end_line: span.end_line,
        end_column: span.end_column,
    }
}

pub fn node_location(w: &World<'_>, node: NodeId, span: Span) -> Location {
    location(w, w.facts.node(node).file, span)
}

pub fn entry_label(w: &World<'_>, id: EntryId) -> String {
    let entry = w.facts.entry(id);
    let def = entry.def.or_else(|| entry.node.map(|n| w.facts.node(n).def));
    let function = def.map_or(String::new(), |d| w.p.text(w.p.def(d).name).to_string());
    let function = if entry.def.is_none() { format!("a closure in {function}") } else { function };
    entry.label(&function)
}

/// Entry points that reach a node, nearest first; routes before middleware and extractors.
pub fn entries(w: &World<'_>, node: NodeId) -> Vec<(EntryId, Vec<Edge>)> {
    let mut found = w.graph.entries(node, 24);
    found.sort_by_key(|(id, path)| (w.facts.entry(*id).auxiliary, path.len()));
    found
}

/// Where a router is told of an entry point's function, if it is named there.
pub fn routed(w: &World<'_>, id: EntryId) -> Option<Step> {
    let def = w.facts.entry(id).def?;
    let call = w.facts.calls.iter().find(|c| c.kind == CallKind::Value && c.target == def)?;
    let label = entry_label(w, id);
    let location = node_location(w, call.node, call.span);
    Some(Step { role: Role::Registered, message: format!("{label} is routed here"), entry: Some(label), location })
}

/// An access with the entry point that is shown for it.
pub struct Shown {
    pub access: AccessId,
    pub entry: Option<EntryId>,
    pub path: Vec<Edge>,
}

impl Shown {
    pub fn label(&self, w: &World<'_>) -> String {
        match self.entry {
            Some(entry) => entry_label(w, entry),
            None => w.p.text(w.p.def(w.facts.node(w.facts.access(self.access).node).def).name).to_string(),
        }
    }
}

/// The best access of a list to show: one that a route reaches, best not `other`'s route.
pub fn pick(w: &World<'_>, list: &[AccessId], other: Option<EntryId>) -> Option<Shown> {
    let mut best: Option<((bool, bool, bool, usize), Shown)> = None;
    for &access in list.iter().take(40) {
        for (entry, path) in entries(w, w.facts.access(access).node) {
            let facts = w.facts.entry(entry);
            let op = w.facts.access(access).op;
            let safe = facts.method.as_deref() == Some("GET");
            let rank = (other == Some(entry), facts.auxiliary, op.writes() && safe && op != Op::LoadThrough, path.len());
            if best.as_ref().is_none_or(|(old, _)| rank < *old) {
                best = Some((rank, Shown { access, entry: Some(entry), path }));
            }
        }
    }
    best.map(|(_, shown)| shown).or_else(|| list.first().map(|&access| Shown { access, entry: None, path: Vec::new() }))
}

pub fn declared(w: &World<'_>, cell: &Cell) -> Step {
    Step {
        role: Role::Declared,
        entry: None,
        message: format!("`{}` is declared here: {}", short(&cell.symbol), cell.ty_text),
        location: location(w, cell.file, cell.span),
    }
}

/// The step of an access: where it really happens, on whose request.
pub fn step(w: &World<'_>, shown: &Shown) -> Step {
    let access = w.facts.access(shown.access);
    let origin = access.via.map_or(access, |via| w.facts.access(via));
    let entry = shown.entry.map(|e| entry_label(w, e));
    let by = entry.clone().unwrap_or_else(|| "background work".into());
    let (role, verb) = match origin.op {
        Op::Remove | Op::Prune | Op::Clear | Op::Drain => (Role::Removed, "removed"),
        Op::Get | Op::Contains | Op::Read | Op::Load => (Role::Read, "read"),
        Op::Lock | Op::TryLock | Op::ReadLock | Op::Acquire | Op::Wait => (Role::Locked, "locked"),
        Op::Send => (Role::Sent, "sent"),
        Op::Recv | Op::Subscribe => (Role::Received, "received"),
        Op::Rmw => (Role::Written, "counted"),
        _ => (Role::Written, "written"),
    };
    Step { role, entry, message: format!("{verb} by {by}"), location: node_location(w, origin.node, origin.span) }
}

/// The path from the entry point down to the access, with the calls between.
pub fn chain(w: &World<'_>, shown: &Shown) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(entry) = shown.entry {
        let facts = w.facts.entry(entry);
        let label = entry_label(w, entry);
        steps.push(Step {
            role: Role::Entered,
            entry: Some(label.clone()),
            message: format!("{label} starts here"),
            location: location(w, facts.file, facts.span),
        });
        steps.extend(calls(w, &shown.path, &label));
    }
    steps.push(step(w, shown));
    steps
}

pub fn calls(w: &World<'_>, path: &[Edge], label: &str) -> Vec<Step> {
    let edges = path.iter().take(SHOWN_CALLS);
    edges
        .map(|edge| {
            let callee = w.p.text(w.p.def(w.facts.node(edge.to).def).name);
            let verb = if edge.spawn { "hands work to a task" } else { "calls" };
            let what = if edge.spawn { String::new() } else { format!(" `{callee}`") };
            Step {
                role: if edge.spawn { Role::Spawned } else { Role::Called },
                entry: Some(label.to_string()),
                message: format!("{verb}{what}"),
                location: node_location(w, edge.from, edge.span),
            }
        })
        .collect()
}

/// Where the cell is put into the service.
pub fn registered(w: &World<'_>, cell: &Cell) -> Option<Step> {
    let Some(Host::Registered(index)) = &cell.host else { return None };
    let registration = w.facts.registrations.get(*index as usize)?;
    Some(Step {
        role: Role::Registered,
        entry: None,
        message: format!("put into the service by `{}`", registration.what),
        location: node_location(w, registration.node, registration.span),
    })
}

/// The last segments of a symbol, enough to recognise it.
pub fn short(symbol: &str) -> &str {
    match symbol.rsplit_once("::") {
        Some((_, last)) if !last.starts_with('<') => last,
        _ => symbol,
    }
}
