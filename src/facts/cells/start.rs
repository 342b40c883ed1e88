//! What a cell starts with.

use super::*;

impl Cell {
    /// Where the value comes from that it starts with: that it is made with, and that start-up puts in.
    pub fn start(&self, w: &World<'_>) -> Prov {
        let fills = |a: &&Access| matches!(a.op, Op::Insert | Op::InsertNew | Op::Push | Op::Store | Op::Swap | Op::Init);
        let filled = |access: &Access| {
            let (phase, origin) = (w.graph.phase(w.actor(access)), w.facts.origin(access));
            let value = w.graph.resolve(origin.value, w.facts.node(origin.node).def);
            // What requests put in by the same function is theirs, unless it only takes over what the store says.
            let own = !phase.requested() || !value.has(Prov::BROUGHT);
            if phase.has(Phases::STARTUP) && own { value } else { Prov::NONE }
        };
        self.accesses.iter().map(|&a| w.facts.access(a)).filter(fills).fold(self.made_of(w), |p, a| p.or(filled(a)))
    }
    /// Where the value comes from that it is made with.
    fn made_of(&self, w: &World<'_>) -> Prov {
        let within = match &self.host {
            Some(Host::Static(def)) => w.made_once.get(def).copied().unwrap_or_default(),
            _ => Prov::NONE,
        };
        match &self.key {
            CellKey::Local(node, span) => {
                let (from, _) = w.facts.starts.get(&(*node, *span)).copied().unwrap_or_default();
                w.graph.resolve(from, w.facts.node(*node).def)
            }
            CellKey::Field(def, name) => {
                let inits = w.lookup.inits(w.facts, *def, *name).filter(|i| !w.graph.phase(i.node).requested());
                inits.fold(within, |p, i| p.or(w.graph.resolve(i.prov, w.facts.node(i.node).def)))
            }
            CellKey::Static(_) | CellKey::Plain(..) => within,
        }
    }
}
