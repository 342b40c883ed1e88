//! How memory that holds a copy of what a store says keeps up with it.

use super::cells::{Cell, World};
use super::model::*;
use super::profile::Profile;

impl Profile {
    /// Whether a miss or an age leads to a new look at the store, and what that says is put in.
    pub fn renews(&self, cell: &Cell, w: &World<'_>) -> bool {
        let fills = || cell.uses.iter().any(|one| self.fills_later(cell, w, one));
        self.puts.iter().any(|&a| w.takes_over(a)) && (cell.expires || fills())
    }
}

/// Callers climbed from a write to the one that changes the store as well.
const MAX_CALLERS: usize = 24;

impl World<'_> {
    /// Whether a write takes over what the store says, and nothing else.
    pub fn takes_over(&self, id: AccessId) -> bool {
        let access = self.facts.origin(self.facts.access(id));
        let value = self.graph.resolve(access.value, self.facts.node(access.node).def);
        value.has(Prov::STORE) && !value.has(Prov::BROUGHT)
    }

    /// Whether a write is made beside a change of the store, by its function or by one that leads to it on a request.
    pub fn goes_through(&self, id: AccessId) -> bool {
        let access = self.facts.access(id);
        let mut nodes = vec![access.node];
        let mut index = 0;
        while let Some(&here) = nodes.get(index) {
            index += 1;
            if self.facts.storing.contains(&self.facts.node(here).def) {
                return true;
            }
            for edge in self.graph.callers(here) {
                if self.graph.phase(edge.from).requested() && nodes.len() < MAX_CALLERS && !nodes.contains(&edge.from) {
                    nodes.push(edge.from);
                }
            }
        }
        false
    }
}
