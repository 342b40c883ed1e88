//! What becomes of a value that is put somewhere: whether others hear of it.

use super::*;
use crate::facts::hosts::holds_sender;

impl World<'_> {
    /// Whether a value that is put aside is told to clients by whoever takes it from there.
    pub fn passes_on(&self, one: &Use) -> bool {
        let kept = (one.kind == UseKind::Kept).then(|| self.kept_at(one)).flatten();
        kept.and_then(|cell| self.cells.get(cell)).is_some_and(|cell| self.is_told(cell))
    }

    /// Whether requests are answered with what lies in a cell.
    pub fn is_told(&self, cell: &Cell) -> bool {
        cell.uses.iter().any(|u| u.kind == UseKind::Response && self.graph.phase(u.node).requested())
    }

    /// The cell into which a value is put where it is used.
    pub fn kept_at(&self, one: &Use) -> Option<usize> {
        self.kept_in.get(&(one.node, one.span)).copied()
    }

    /// The type of what a value is put or sent into where it is used.
    pub fn put_at(&self, one: &Use) -> Option<&Ty> {
        self.put_at.get(&(one.node, one.span)).map(|&id| &self.facts.access(id).ty)
    }

    /// Whether a number goes to where other instances, their clients or a later process meet it: it is stored, sent, part
    /// of a record that is, or the name by which clients know each other. A key of a map that never leaves this process,
    /// a generation that is compared with itself and a figure are told to nobody.
    pub fn goes_out(&self, one: &Use) -> bool {
        let told = || self.kept_at(one).map(|cell| &self.cells[cell]).filter(|cell| self.is_told(cell));
        // A thing with a number in it is another matter than the number.
        let itself = |cell: &Cell| !matches!(self.elements(&cell.ty), Some(Ty::Adt(..)));
        match one.kind {
            UseKind::Stored => true,
            UseKind::Identity if self.facts.records.contains(&(one.node, one.span)) => true,
            UseKind::Identity => self.put_at(one).is_some_and(|ty| holds_sender(self.p, self.cat, ty)) || told().is_some(),
            UseKind::Kept => {
                self.put_at(one).is_some_and(|ty| matches!(self.class(ty), "sender" | "watch-sender")) || told().is_some_and(itself)
            }
            _ => false,
        }
    }
}
