//! Facts by what rules ask them for, so that no question costs a walk over all of them.

use super::model::*;
use crate::names::Name;
use crate::resolve::DefId;
use rustc_hash::FxHashMap;

#[derive(Default)]
pub struct Lookup {
    /// The last moment of a body's walk at which it asks a store, and at which it changes one so that a
    /// repetition would show, itself or through what it calls.
    last_load: FxHashMap<DefId, u32>,
    last_store: FxHashMap<DefId, u32>,
    inits: FxHashMap<(DefId, Name), Vec<u32>>,
    /// Calls by the function that is called, and by the body that calls.
    calls_to: FxHashMap<DefId, Vec<u32>>,
    calls_in: FxHashMap<NodeId, Vec<u32>>,
    /// The first place where a function is named as a value.
    named: FxHashMap<DefId, u32>,
}

impl Lookup {
    pub fn new(facts: &Facts) -> Lookup {
        let mut lookup = Lookup::default();
        let later = |map: &mut FxHashMap<DefId, u32>, node: NodeId, order: u32| {
            let last = map.entry(facts.node(node).def).or_default();
            *last = order.max(*last);
        };
        for effect in &facts.effects {
            if matches!(effect.kind, EffectKind::Store { writes: false, .. }) {
                later(&mut lookup.last_load, effect.node, effect.order);
            }
            if effect.repeats() {
                later(&mut lookup.last_store, effect.node, effect.order);
            }
        }
        for (index, call) in facts.calls.iter().enumerate() {
            match call.kind {
                CallKind::Call => {
                    lookup.calls_to.entry(call.target).or_default().push(index as u32);
                    lookup.calls_in.entry(call.node).or_default().push(index as u32);
                    if facts.loading.contains(&call.target) {
                        later(&mut lookup.last_load, call.node, call.order);
                    }
                    if facts.storing.contains(&call.target) {
                        later(&mut lookup.last_store, call.node, call.order);
                    }
                }
                CallKind::Value => {
                    lookup.named.entry(call.target).or_insert(index as u32);
                }
                CallKind::Spawn => {}
            }
        }
        for (index, init) in facts.inits.iter().enumerate() {
            lookup.inits.entry((init.holder, init.field)).or_default().push(index as u32);
        }
        lookup
    }

    pub fn loads_behind(&self, def: DefId, order: u32) -> bool {
        self.last_load.get(&def).is_some_and(|&last| last > order)
    }

    pub fn stores_behind(&self, def: DefId, order: u32) -> bool {
        self.last_store.get(&def).is_some_and(|&last| last > order)
    }

    /// What a field is made with, in order.
    pub fn inits<'f>(&self, facts: &'f Facts, holder: DefId, field: Name) -> impl Iterator<Item = &'f Init> {
        self.inits.get(&(holder, field)).into_iter().flatten().map(|&index| &facts.inits[index as usize])
    }

    /// The calls of a function, those in a task of their own left out.
    pub fn calls_to<'f>(&self, facts: &'f Facts, def: DefId) -> impl Iterator<Item = &'f Call> {
        self.calls_to.get(&def).into_iter().flatten().map(|&index| &facts.calls[index as usize])
    }

    pub fn calls_in<'f>(&self, facts: &'f Facts, node: NodeId) -> impl Iterator<Item = &'f Call> {
        self.calls_in.get(&node).into_iter().flatten().map(|&index| &facts.calls[index as usize])
    }

    pub fn named<'f>(&self, facts: &'f Facts, def: DefId) -> Option<&'f Call> {
        self.named.get(&def).map(|&index| &facts.calls[index as usize])
    }
}
