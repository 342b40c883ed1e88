//! Commands: what a task does for a message that a request sent to it is done for that request.

use super::model::*;
use super::phases::{Edge, Phases};
use crate::catalog::{Catalog, Channel, Op};
use crate::names::Name;
use crate::resolve::{DefId, DefKind, Program, Res, Ty};
use crate::syntax::hir::Span;
use rustc_hash::{FxHashMap, FxHashSet};

/// Senders and loops followed for one channel; where there are more, some of them show it as well.
const MAX_SENDERS: usize = 64;
const MAX_LOOPS: usize = 4;

/// What makes both ends of a channel known as one.
#[derive(PartialEq, Eq, Hash)]
enum Line {
    Made(NodeId, Span),
    /// By its items, where their type is the tree's own.
    Items(Ty),
}

#[derive(Default)]
struct Ends {
    senders: Vec<(NodeId, Span)>,
    /// Loops over what comes in from outside that send it on by a channel of unnamed items.
    passed_on: Vec<(NodeId, Span)>,
    loops: Vec<NodeId>,
}

pub struct Commands(Vec<Ends>);

impl Commands {
    /// Pairs the sends into queues of this process with the loops that take out what was sent.
    pub fn find(p: &Program, cat: &Catalog, facts: &Facts) -> Commands {
        let mut made_of: FxHashMap<(DefId, Name), (NodeId, Span)> = FxHashMap::default();
        for init in &facts.inits {
            if let Some(channel) = init.channel {
                made_of.entry((init.holder, init.field)).or_insert(channel);
            }
        }
        let registered = registered(p, cat, facts);
        let of_statics: FxHashMap<DefId, (NodeId, Span)> = in_statics(p, facts).map(|(def, made, _)| (def, made)).collect();
        let waits = |node: NodeId| facts.node(node).pumps || facts.node(node).listens;
        let mut lines: FxHashMap<Line, usize> = FxHashMap::default();
        let mut all: Vec<Ends> = Vec::new();
        for (index, access) in facts.accesses.iter().enumerate().filter(|(_, a)| matches!(a.op, Op::Send | Op::Recv)) {
            let unnamed = facts.unnamed.contains(&AccessId(index as u32));
            let class = if access.op == Op::Send { "sender" } else { "receiver" };
            let Some(items) = items(p, cat, &access.ty, class) else { continue };
            let origin = facts.origin(access);
            let made = match (&access.place.root, access.place.path.as_slice()) {
                (Root::Local(node, span), []) => Some((*node, *span)),
                (_, [.., Seg::Field(holder, name)]) => made_of.get(&(*holder, *name)).copied(),
                (Root::Static(def), []) => of_statics.get(def).copied(),
                (Root::Param(..) | Root::Registered(_), []) if access.op == Op::Send => {
                    let mut fits = registered.iter().filter(|(kept, _)| agree(kept, &items));
                    fits.next().filter(|_| fits.next().is_none()).map(|(_, made)| *made)
                }
                _ => None,
            };
            let known = made.map(|(node, span)| Line::Made(node, span)).into_iter();
            for line in known.chain(is_own(&items, 0).then(|| Line::Items(items.clone()))) {
                let index = *lines.entry(line).or_insert_with(|| {
                    all.push(Ends::default());
                    all.len() - 1
                });
                let ends = &mut all[index];
                if unnamed && facts.node(origin.node).pumps {
                    if ends.passed_on.len() < MAX_SENDERS {
                        ends.passed_on.push((origin.node, origin.span));
                    }
                } else if access.op == Op::Send {
                    if ends.senders.len() < MAX_SENDERS && !ends.senders.contains(&(origin.node, origin.span)) {
                        ends.senders.push((origin.node, origin.span));
                    }
                } else if ends.loops.len() < MAX_LOOPS && waits(origin.node) && !ends.loops.contains(&origin.node) {
                    ends.loops.push(origin.node);
                }
            }
        }
        let by_items: FxHashSet<usize> = lines.iter().filter(|(line, _)| matches!(line, Line::Items(_))).map(|(_, &index)| index).collect();
        let rivals = Rivals::of(p);
        let all = all.into_iter().enumerate();
        let led = all.filter(|(_, ends)| !ends.senders.is_empty() && !ends.loops.is_empty());
        Commands(led.filter(|(index, ends)| !by_items.contains(index) || !rivals.tell_all(p, facts, ends)).map(|(_, ends)| ends).collect())
    }

    /// The ways from requests to background loops by what they send; a loop that belongs to a request or
    /// connection of its own stays what it is.
    pub fn edges(&self, phases: &[Phases], own: &FxHashSet<NodeId>) -> Vec<Edge> {
        let phase = |node: NodeId| phases[node.index()];
        let mut edges = Vec::new();
        for ends in &self.0 {
            for &to in ends.loops.iter().filter(|&&n| phase(n).has(Phases::BACKGROUND) && !phase(n).requested() && !own.contains(&n)) {
                let asking = ends.senders.iter().filter(|(from, _)| phase(*from).requested());
                edges.extend(asking.map(|&(from, span)| Edge { from, to, span, spawn: true, dynamic: false, task: true, one_shot: false }));
            }
        }
        edges
    }
}

/// Channels whose receiving end stays with a task that the initialiser of a static has spawned: the static, where the
/// channel is made, and the body that takes out what is sent.
pub fn in_statics<'f>(p: &'f Program, facts: &'f Facts) -> impl Iterator<Item = (DefId, (NodeId, Span), NodeId)> + 'f {
    facts.accesses.iter().filter(|a| a.op == Op::Recv).filter_map(|a| match (&a.place.root, a.place.path.as_slice()) {
        (Root::Local(node, span), []) => {
            let def = facts.node(*node).def;
            (p.def(def).kind == DefKind::Static).then_some((def, (*node, *span), facts.origin(a).node))
        }
        _ => None,
    })
}

/// The traits of the tree that each type has, by which one of them can stand for another.
struct Rivals(FxHashMap<Res, FxHashSet<DefId>>);

impl Rivals {
    /// Linear in the impls of the tree.
    fn of(p: &Program) -> Rivals {
        let mut traits: FxHashMap<Res, FxHashSet<DefId>> = FxHashMap::default();
        for own in &p.impls {
            if let (Some(Res::Def(of)), Some(head)) = (own.trait_, own.self_ty.head()) {
                traits.entry(head).or_default().insert(of);
            }
        }
        Rivals(traits)
    }

    /// Whether loops that know their items by type alone are told by a bus: one type sends them on as they come in from
    /// outside, and another that can stand for it makes them here. With the first, every instance hears of each.
    fn tell_all(&self, p: &Program, facts: &Facts, ends: &Ends) -> bool {
        let owner = |node: NodeId| {
            let number = *p.impl_of.get(&facts.node(node).def)?;
            p.impls.get(number as usize)?.self_ty.head()
        };
        let brought = |&&(node, _): &&(NodeId, Span)| facts.node(node).pumps && !ends.loops.contains(&node);
        let made = |&&(node, _): &&(NodeId, Span)| !facts.node(node).pumps;
        let traits = |&(node, _): &(NodeId, Span)| owner(node).and_then(|head| Some((head, self.0.get(&head)?)));
        let outside: Vec<_> = ends.senders.iter().chain(&ends.passed_on).filter(brought).filter_map(traits).collect();
        let mut here = ends.senders.iter().filter(made).filter_map(traits);
        here.any(|(head, own)| outside.iter().any(|(other, theirs)| *other != head && !own.is_disjoint(theirs)))
    }
}

/// Sending ends that are the state of a service by themselves: what they carry, and where the channel is made.
fn registered(p: &Program, cat: &Catalog, facts: &Facts) -> Vec<(Ty, (NodeId, Span))> {
    let ends = facts.registrations.iter().filter_map(|r| match &r.place {
        Some(Place { root: Root::Local(node, span), path }) if path.is_empty() => Some((items(p, cat, &r.ty, "sender")?, (*node, *span))),
        _ => None,
    });
    let mut found: Vec<(Ty, (NodeId, Span))> = Vec::new();
    for (kept, made) in ends {
        if !found.iter().any(|(_, known)| *known == made) {
            found.push((kept, made));
        }
    }
    found
}

/// Whether two types may be one, as far as both are known.
fn agree(one: &Ty, other: &Ty) -> bool {
    one.is_unknown() || other.is_unknown() || one == other
}

/// What a queue's end of this class carries, behind locks, options and pointers.
pub fn items(p: &Program, cat: &Catalog, ty: &Ty, class: &str) -> Option<Ty> {
    let Ty::Ext(name, args) = ty else { return None };
    match cat.type_info(&p.names, *name) {
        Some(info) if cat.class_name(info) == class => (info.channel == Some(Channel::Queue)).then(|| ty.arg(0)),
        Some(info) if matches!(cat.class_name(info), "map" | "set" | "seq" | "cache") => None,
        _ => args.iter().find_map(|a| items(p, cat, a, class)),
    }
}

fn is_own(ty: &Ty, depth: u32) -> bool {
    match ty {
        Ty::Adt(..) => true,
        Ty::Ext(_, args) => depth < 4 && args.iter().any(|a| is_own(a, depth + 1)),
        Ty::Tuple(elems) => depth < 4 && elems.iter().any(|e| is_own(e, depth + 1)),
        _ => false,
    }
}
