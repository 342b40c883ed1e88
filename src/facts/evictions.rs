//! Lists of keys beside a map that say which of its entries are dropped first when it has grown too large.

use super::cells::{Cell, World};
use super::model::*;
use crate::catalog::Op;
use crate::resolve::DefId;
use rustc_hash::FxHashMap;

/// What a function does to a cell that may be a map or the order of one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    Puts,
    Drops,
    Appends,
    Takes,
}

/// The maps and lists that each function changes.
#[derive(Default)]
pub struct Evictions {
    deeds: FxHashMap<DefId, Vec<(usize, Deed)>>,
}

impl Evictions {
    /// Linear in the accesses of all cells.
    pub(super) fn find(w: &World<'_>) -> Evictions {
        let mut deeds: FxHashMap<DefId, Vec<(usize, Deed)>> = FxHashMap::default();
        for (index, cell) in w.cells.iter().enumerate() {
            let class = w.class(&cell.ty);
            for access in cell.accesses.iter().map(|&a| w.facts.access(a)) {
                let deed = match (class, access.op) {
                    ("map" | "cache", Op::Insert | Op::InsertNew | Op::Entry) => Deed::Puts,
                    ("map" | "cache", Op::Remove) => Deed::Drops,
                    ("seq", Op::Push | Op::Insert) => Deed::Appends,
                    ("seq", Op::Remove | Op::Drain) => Deed::Takes,
                    _ => continue,
                };
                let known = deeds.entry(w.facts.node(access.node).def).or_default();
                if !known.contains(&(index, deed)) {
                    known.push((index, deed));
                }
            }
        }
        Evictions { deeds }
    }

    fn does(&self, def: DefId, cell: usize, deed: Deed) -> bool {
        self.deeds.get(&def).is_some_and(|all| all.contains(&(cell, deed)))
    }

    fn of(&self, def: DefId, deed: Deed) -> impl Iterator<Item = usize> + '_ {
        self.deeds.get(&def).into_iter().flatten().filter(move |(_, d)| *d == deed).map(|(cell, _)| *cell)
    }
}

impl World<'_> {
    /// The map whose entries a list keeps in the order in which they go. Whoever appends to the list puts into the map,
    /// whoever takes from the list drops what it took from the map, and that is done by those who append alone, or by
    /// what they call: a worker that takes its next item out is another matter. Such a list is worth what the map is.
    pub fn orders(&self, cell: &Cell) -> Option<usize> {
        if self.class(&cell.ty) != "seq" || cell.uses.iter().any(|u| matches!(u.kind, UseKind::Response | UseKind::Stored)) {
            return None;
        }
        let of = |ops: &[Op]| {
            let found = cell.accesses.iter().map(|&a| self.facts.access(a)).filter(|a| ops.contains(&a.op));
            found.map(|a| (a.node, self.facts.node(a.node).def)).collect::<Vec<_>>()
        };
        let (appends, takes) = (of(&[Op::Push, Op::Insert]), of(&[Op::Remove, Op::Drain]));
        let appending = |def: DefId| appends.iter().any(|(_, d)| *d == def);
        let for_room = |&(node, def): &(NodeId, DefId)| {
            appending(def) || self.graph.callers(node).any(|e| !e.spawn && appending(self.facts.node(e.from).def))
        };
        if takes.is_empty() || !takes.iter().all(for_room) {
            return None;
        }
        let (_, first) = appends.first()?;
        self.evictions.of(*first, Deed::Puts).find(|&map| {
            appends.iter().all(|(_, d)| self.evictions.does(*d, map, Deed::Puts))
                && takes.iter().all(|(_, d)| self.evictions.does(*d, map, Deed::Drops))
        })
    }

    /// Whether an entry is removed to make room: by a function that takes its key from the list that keeps their order.
    pub fn makes_room(&self, id: AccessId) -> bool {
        let def = self.facts.node(self.facts.access(id).node).def;
        let Some(map) = self.cell_of.get(&id) else { return false };
        self.evictions.of(def, Deed::Takes).any(|list| self.orders(&self.cells[list]) == Some(*map))
    }
}
