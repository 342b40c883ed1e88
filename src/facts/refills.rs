//! Whether what is missing in a cell is made again by whoever misses it.

use super::cells::{Cell, World};
use super::model::*;
use super::profile::Profile;
use crate::catalog::Op;
use crate::resolve::DefId;
use crate::syntax::hir::Span;

impl Profile {
    /// Whether the function goes on to put a value from the store into the cell behind the use.
    pub(super) fn fills_later(&self, cell: &Cell, w: &World<'_>, one: &Use) -> bool {
        let def = w.facts.node(one.node).def;
        let asks = w.facts.access(one.access).op != Op::Contains;
        cell.accesses.iter().any(|&a| {
            let access = w.facts.access(a);
            let access = w.facts.origin(access);
            let puts = matches!(access.op, Op::Insert | Op::InsertNew | Op::Push | Op::Store | Op::LoadThrough);
            let (own, value) = (w.facts.node(access.node).def, access.value);
            let here = own == def && access.order > one.order;
            let loaded = || w.graph.resolve(value, own).has(Prov::STORE) || self.recomputes(access, w);
            let made = || {
                asks && (self.derives(access, w) || !w.graph.resolve(value, own).has(Prov::RANDOM) && w.only_gets(access.node))
                    && !w.stores_behind(def, one.order)
            };
            puts && (here && loaded() || (here || calls_behind(w, def, one.span, access.node)) && made())
        })
    }

    /// Whether a single value is made again from what every request has: configuration, other cells, constants.
    fn recomputes(&self, access: &Access, w: &World<'_>) -> bool {
        let value = w.graph.resolve(access.value, w.facts.node(access.node).def);
        let brought = Prov::REQUEST.or(Prov::RANDOM).or(Prov::CLOCK).or(Prov::BUS).or(Prov::UNKNOWN).or(Prov::COUNT);
        matches!(self.class, "option" | "struct" | "opaque") && access.literal.is_none() && !value.has(brought) && value != Prov::NONE
    }

    /// Whether a value is made of nothing but what every instance has: other cells that it loads itself, configuration, the store.
    fn derives(&self, access: &Access, w: &World<'_>) -> bool {
        let value = w.graph.resolve(access.value, w.facts.node(access.node).def);
        let same = Prov::CELL.or(Prov::CONFIG).or(Prov::STORE);
        let brought = Prov::REQUEST.or(Prov::RANDOM).or(Prov::CLOCK).or(Prov::BUS).or(Prov::UNKNOWN).or(Prov::COUNT);
        access.literal.is_none() && value.has(same) && !value.has(brought)
    }

    /// Whether all that is put in was loaded from the store under the key, with nothing else beside it.
    pub(super) fn all_loaded(&self, w: &World<'_>) -> bool {
        let loaded = |&a: &AccessId| {
            let access = w.facts.access(a);
            let access = w.facts.origin(access);
            let brought = Prov::REQUEST.or(Prov::RANDOM).or(Prov::CLOCK).or(Prov::COUNT);
            access.value.has(Prov::STORE) && !access.value.has(brought) && access.value.params & !access.key.params == 0
        };
        !self.puts.is_empty() && self.updates.is_empty() && self.puts.iter().all(loaded)
    }

    /// Whether the function goes on to ask a store behind the use.
    pub(super) fn loads_later(&self, w: &World<'_>, one: &Use) -> bool {
        let def = w.facts.node(one.node).def;
        w.loads_behind(def, one.order)
    }

    pub(super) fn all_memo(&self, cell: &Cell, w: &World<'_>) -> bool {
        !self.puts.is_empty() && self.updates.is_empty() && self.puts.iter().all(|&a| self.is_memo(cell, w, a))
    }

    /// Whether a put keeps what a pure function makes of the key alone, so that a miss computes it again.
    fn is_memo(&self, cell: &Cell, w: &World<'_>, id: AccessId) -> bool {
        let access = w.facts.access(id);
        let access = w.facts.origin(access);
        let def = w.facts.node(access.node).def;
        // What the owner of the map holds besides is the same for each of its keys.
        let beside = access.value.params & !access.key.params & !Prov::param(0).params;
        let from_key = access.value.params & access.key.params != 0 && beside == 0;
        let pure = !access.value.has(Prov::RANDOM.or(Prov::CLOCK).or(Prov::REQUEST).or(Prov::STORE).or(Prov::UNKNOWN));
        if !from_key || !pure || self.class != "map" || w.is_entry(def) {
            return false;
        }
        let asked_before = cell.uses.iter().any(|u| {
            // The question comes before; `match` decides it around the arm that puts in.
            let before = u.order < access.order || w.facts.access(u.access).order < access.order;
            w.facts.node(u.node).def == def && before && matches!(u.kind, UseKind::Branch { hit, .. } if !hit.refuses)
        });
        access.op == Op::LoadThrough || asked_before
    }
}

/// Callees between a look-up and the function that puts in what was missing.
const MAX_CALLS: usize = 3;

/// Whether a function calls, behind a point in its text, what leads to the node.
fn calls_behind(w: &World<'_>, def: DefId, behind: Span, node: NodeId) -> bool {
    let mut nodes = vec![(node, 0)];
    let mut index = 0;
    while let Some(&(here, depth)) = nodes.get(index) {
        index += 1;
        for edge in w.graph.callers(here).filter(|e| !e.dynamic) {
            if w.facts.node(edge.from).def == def && (edge.span.line, edge.span.column) > (behind.line, behind.column) {
                return true;
            }
            if depth + 1 < MAX_CALLS && nodes.len() < 24 && nodes.iter().all(|(n, _)| *n != edge.from) {
                nodes.push((edge.from, depth + 1));
            }
        }
    }
    false
}

impl World<'_> {
    /// Whether only requests that by their method change nothing lead to a node.
    pub fn only_gets(&self, node: NodeId) -> bool {
        let entries = self.graph.entries(node, 16);
        let reads = |id: EntryId| self.facts.entry(id).method.as_deref() == Some("GET");
        !entries.is_empty() && entries.len() < 16 && entries.iter().all(|(id, _)| reads(*id))
    }
}
