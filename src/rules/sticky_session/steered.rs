//! Routing by the name of an instance: what a request asks for has an owner, which is compared with the name of
//! this instance, and where it is another one the request is sent on to it.

use super::ID;
use crate::catalog::StoreKind;
use crate::facts::cells::World;
use crate::facts::hosts::holds_sender;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::steering::{Comparison, Means, Parting, Side};
use crate::facts::tokens::Home;
use crate::finding::{ChecklistItem, Confidence, Finding, Role, Severity, Step};
use crate::resolve::{DefId, FileId, Ty};
use crate::rules::evidence::{self, Told};
use crate::syntax::hir::Span;
use rustc_hash::FxHashSet;

/// Calls followed from where ways part to where the request is sent on, or to what is kept here.
const MAX_CALLS: usize = 3;

/// The request as it leaves: where, and whether only the client is told.
#[derive(Clone, Copy)]
struct Sent {
    node: NodeId,
    span: Span,
    order: u32,
    branch: Option<BranchId>,
    redirect: bool,
}

/// Linear in the calls and effects for each comparison with a name of this instance on which ways part.
pub fn check(w: &World<'_>) -> Vec<Finding> {
    let mut told = FxHashSet::default();
    let mut found = Vec::new();
    for parting in &w.facts.steering.partings {
        let comparison = &w.facts.steering.comparisons[parting.comparison as usize];
        if !w.graph.phase(parting.node).has(Phases::REQUEST) {
            continue;
        }
        for (own, owner) in [(0, 1), (1, 0)] {
            let (own, owner) = (&comparison.sides[own], &comparison.sides[owner]);
            let Some(named) = named_here(w, comparison, own, owner) else { continue };
            let Some(sent) = sent_on(w, parting, comparison, owner) else { continue };
            if told.insert((sent.node, sent.span)) && !only_connections(w, parting, &sent) {
                found.extend(finding(w, comparison, &sent, named));
            }
            break;
        }
    }
    found
}

/// Where a side gets the name of this instance from, if it is one: the place, or nothing where the value says it itself.
fn named_here(w: &World<'_>, comparison: &Comparison, side: &Side, other: &Side) -> Option<Option<(FileId, Span)>> {
    let def = w.facts.node(comparison.node).def;
    if w.graph.resolve(side.prov, def).has(Prov::INSTANCE) {
        return Some(None);
    }
    // What is drawn at start is a name only to those who find it where it was registered.
    let registered = w.graph.resolve(other.prov, def).has(Prov::STORE.or(Prov::CELL));
    match side.home? {
        Home::Field(holder, field) => {
            let at_start = |i: &&Init| !w.graph.phase(i.node).requested();
            let from = |i: &Init| w.graph.resolve(i.prov, w.facts.node(i.node).def);
            let is_name = |i: &&Init| from(i).has(Prov::INSTANCE) || registered && from(i).has(Prov::RANDOM) && !from(i).has(Prov::STORE);
            let init = w.lookup.inits(w.facts, holder, field).filter(at_start).find(is_name);
            if let Some(init) = init {
                return Some(Some((w.facts.node(init.node).file, init.span)));
            }
            let hir = &w.p.file(w.p.def(holder).file).hir;
            let (_, fields) = w.p.fields_of(holder)?;
            let declared = fields.fields.iter().find(|f| w.p.name_in(w.p.def(holder).file, f.name) == field)?;
            let by_attribute = declared.attrs.iter().any(|a| w.cat.instances.in_attribute(hir.str(a.args)));
            // A record of the store, or what a request brings, may have a field of this name: the service keeps neither.
            let from = w.graph.resolve(side.prov, def);
            let kept = w.hosts.holds(w.p, holder) && !from.has(Prov::STORE.or(Prov::BUS));
            let by_setting = w.cat.instances.is_setting(w.p.text(field)) && kept;
            (by_attribute || by_setting).then_some(Some((w.p.def(holder).file, declared.span)))
        }
        Home::Static(def) => (registered && w.facts.static_starts.get(&def).is_some_and(|from| from.has(Prov::RANDOM)))
            .then(|| Some((w.p.def(def).file, w.p.item(def).name_span))),
    }
}

/// Whether the owner is found by what the request brings, and is not the one leader of all.
fn by_request(w: &World<'_>, comparison: &Comparison, owner: &Side) -> bool {
    let def = w.facts.node(comparison.node).def;
    let from = w.graph.resolve(owner.prov, def);
    let keyed = |&read: &AccessId| {
        let access = w.facts.access(read);
        w.graph.resolve(access.key, w.facts.node(access.node).def).has(Prov::REQUEST)
    };
    from.has(Prov::REQUEST.or(Prov::CLAIM))
        || owner.reads.iter().any(keyed)
        || from.has(Prov::STORE) && looked_up(w, def, comparison.order, 0)
}

/// Whether the last look into a store before a moment was for what the request brings.
fn looked_up(w: &World<'_>, def: DefId, before: u32, depth: usize) -> bool {
    let here = |node: NodeId| w.facts.node(node).def == def;
    let effects = w.facts.effects.iter().filter(|e| here(e.node) && e.order < before && matches!(e.kind, EffectKind::Store { .. }));
    let effects = effects.map(|e| (e.order, e.path.or(e.data)));
    let calls = w.facts.calls.iter().filter(|c| here(c.node) && c.order < before && w.facts.loading.contains(&c.target));
    let calls = calls.map(|c| (c.order, c.args.iter().copied().fold(Prov::NONE, Prov::or)));
    match effects.chain(calls).max_by_key(|(order, _)| *order) {
        Some((_, with)) => w.graph.resolve(with, def).has(Prov::REQUEST),
        None => depth < MAX_CALLS && w.lookup.calls_to(w.facts, def).any(|c| looked_up(w, w.facts.node(c.node).def, c.order, depth + 1)),
    }
}

/// Where the request is sent on, on just one of the ways that the comparison parts.
fn sent_on(w: &World<'_>, parting: &Parting, comparison: &Comparison, owner: &Side) -> Option<Sent> {
    let def = w.facts.node(parting.node).def;
    let compared_in = w.facts.node(comparison.node).def;
    let from = w.graph.resolve(owner.prov, compared_in);
    if !by_request(w, comparison, owner) {
        return None;
    }
    // A redirect to the public name of the service follows the header that the client has sent.
    let kept = from.has(Prov::STORE.or(Prov::CELL).or(Prov::CLIENT).or(Prov::CLAIM));
    let address = |to: Prov| {
        let to = w.graph.resolve(to, def);
        to.kinds & from.kinds & !(Prov::CONST.kinds | Prov::UNKNOWN.kinds | Prov::CONFIG.kinds) != 0
    };
    let forwards = w.facts.steering.forwards.iter().filter(|f| w.facts.node(f.node).def == def && address(f.to));
    let forwards =
        forwards.map(|f| Sent { node: f.node, span: f.span, order: f.order, branch: f.branch, redirect: f.means == Means::Redirect });
    let called = w.facts.effects.iter().filter(|e| {
        w.facts.node(e.node).def == def && matches!(e.kind, EffectKind::Store { kind: StoreKind::Http, .. }) && address(e.path.or(e.data))
    });
    let called = called.map(|e| Sent { node: e.node, span: e.span, order: e.order, branch: e.branch, redirect: false });
    let handed = w.facts.calls.iter().filter(|c| {
        w.facts.node(c.node).def == def && c.kind == CallKind::Call && c.args.iter().any(|&a| address(a)) && sends_on(w, c.target, 0)
    });
    let handed = handed.map(|c| Sent { node: c.node, span: c.span, order: c.order, branch: c.branch, redirect: false });
    let all: Vec<Sent> = forwards.chain(called).chain(handed).filter(|s| kept || !s.redirect).collect();
    let there: Vec<&Sent> = all.iter().filter(|s| on_way(w, parting, s.branch)).collect();
    let elsewhere: Vec<&Sent> = all.iter().filter(|s| off_way(w, parting, s.branch, s.order)).collect();
    match (there.first(), elsewhere.first()) {
        (Some(sent), None) | (None, Some(sent)) => Some(**sent),
        _ => None,
    }
}

fn on_way(w: &World<'_>, parting: &Parting, branch: Option<BranchId>) -> bool {
    w.facts.ways(branch).contains(&parting.way)
}

/// On another way of the same question, or behind a way that leaves.
fn off_way(w: &World<'_>, parting: &Parting, branch: Option<BranchId>, order: u32) -> bool {
    let behind = w.facts.branches[parting.way.index()].leaves && order > parting.order && !on_way(w, parting, branch);
    behind || w.facts.excludes(Some(parting.way), branch)
}

/// Whether a function sends a request to another service, or its client elsewhere.
fn sends_on(w: &World<'_>, def: DefId, depth: usize) -> bool {
    let here = |node: NodeId| w.facts.node(node).def == def;
    w.facts.steering.forwards.iter().any(|f| here(f.node))
        || w.facts.effects.iter().any(|e| here(e.node) && matches!(e.kind, EffectKind::Store { kind: StoreKind::Http, .. }))
        || depth < MAX_CALLS
            && w.facts.calls.iter().any(|c| here(c.node) && c.kind == CallKind::Call && c.target != def && sends_on(w, c.target, depth + 1))
}

/// Whether all that the owner does with the request is to reach connections that it holds: those have to be somewhere.
fn only_connections(w: &World<'_>, parting: &Parting, sent: &Sent) -> bool {
    let def = w.facts.node(parting.node).def;
    let away = on_way(w, parting, sent.branch);
    let local = |branch: Option<BranchId>, order: u32| if away { off_way(w, parting, branch, order) } else { on_way(w, parting, branch) };
    let mut cells: FxHashSet<usize> = FxHashSet::default();
    let mut nodes: Vec<(NodeId, usize)> = Vec::new();
    let own = w.facts.accesses.iter().enumerate().filter(|(_, a)| w.facts.node(a.node).def == def && local(a.branch, a.order));
    cells.extend(own.filter_map(|(id, _)| w.cell_of.get(&AccessId(id as u32)).copied()));
    let calls = w.facts.calls.iter().filter(|c| w.facts.node(c.node).def == def && local(c.branch, c.order));
    nodes.extend(calls.filter_map(|c| Some((*w.graph.node_of.get(&c.target)?, 0))));
    let mut seen = FxHashSet::default();
    while let Some((node, depth)) = nodes.pop() {
        if !seen.insert(node) {
            continue;
        }
        let inside = w.facts.accesses.iter().enumerate().filter(|(_, a)| a.node == node);
        cells.extend(inside.filter_map(|(id, _)| w.cell_of.get(&AccessId(id as u32)).copied()));
        if depth < MAX_CALLS {
            nodes.extend(w.graph.callees(node).map(|e| (e.to, depth + 1)));
        }
    }
    let changed =
        |&&cell: &&usize| w.cells[cell].writes(w, Phases::REQUEST).next().is_some() || w.cells[cell].has_op(w, &[crate::catalog::Op::Send]);
    let kept: Vec<&usize> = cells.iter().filter(changed).collect();
    !kept.is_empty() && kept.iter().all(|&&cell| reaches_connections(w, &w.cells[cell].ty))
}

fn reaches_connections(w: &World<'_>, ty: &Ty) -> bool {
    holds_sender(w.p, w.cat, ty)
}

fn finding(w: &World<'_>, comparison: &Comparison, sent: &Sent, named: Option<(FileId, Span)>) -> Option<Finding> {
    let (entry, path) = evidence::entries(w, sent.node).into_iter().find(|(id, _)| !w.facts.entry(*id).consumes())?;
    let label = evidence::entry_label(w, entry);
    let location = evidence::node_location(w, sent.node, sent.span);
    let mut steps: Vec<Step> = Vec::new();
    if let Some((file, span)) = named {
        steps.push(Step::new(Role::Configured, "the name of this instance comes from here", evidence::location(w, file, span)));
    }
    let compared = evidence::node_location(w, comparison.node, comparison.span);
    steps.push(
        Step::new(Role::Read, "the owner of what is asked for is compared with this instance here", compared).on(Some(label.clone())),
    );
    steps.push(Step::new(Role::Sent, "and where it is another one, the request goes there", location.clone()).on(Some(label.clone())));
    let mut way = evidence::begin(w, entry, &path);
    way.extend(steps.last().cloned());
    let def = w.facts.node(sent.node).def;
    let told = Told {
        rule: ID,
        item: ChecklistItem::Affinity,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        reason: "reporting because the owner found for the request is compared with the name of this instance, and decides who answers"
            .into(),
        message: format!(
            "what {label} asks for is gone with one instance: it belongs to that instance, and all others send the request there"
        ),
        witness: vec![steps, way],
        home: "shared cache",
        help: "keep what only the owner knows in a shared store, so that any instance can answer",
    };
    Some(told.at(def, format!("{}::owner", w.p.path(def)), location, w))
}
