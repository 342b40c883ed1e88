//! Keys that are generated for somebody else than this process: saved where every instance finds them, or
//! made by a command that serves nothing.

use crate::catalog::StoreKind;
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::resolve::DefId;
use crate::rules::work;
use rustc_hash::FxHashSet;

/// Callers climbed from a key at most.
const MAX_CALLERS: usize = 6;

pub struct Keepers {
    /// Bodies from which the service is set up: those that name its entry points, and all that lead to them.
    serving: FxHashSet<NodeId>,
    /// Functions of these bodies.
    defs: FxHashSet<DefId>,
    /// Functions that are entry points.
    served: FxHashSet<DefId>,
}

/// A point in the text of one function.
#[derive(Clone, Copy)]
struct Moment {
    def: DefId,
    order: u32,
    branch: Option<BranchId>,
}

impl Keepers {
    pub fn of(w: &World<'_>) -> Keepers {
        let served: FxHashSet<DefId> = w.facts.entries.iter().filter_map(|e| e.def).collect();
        let named = w.facts.calls.iter().filter(|c| c.kind == CallKind::Value && served.contains(&c.target)).map(|c| c.node);
        let closures = w.facts.entries.iter().filter_map(|e| w.facts.node(e.node?).parent);
        let mut queue: Vec<NodeId> = named.chain(closures).filter(|&n| !w.graph.phase(n).requested()).collect();
        let mut serving = FxHashSet::default();
        while let Some(node) = queue.pop() {
            if serving.insert(node) {
                queue.extend(w.graph.callers(node).map(|e| e.from).filter(|&n| !w.graph.phase(n).requested()));
            }
        }
        let defs = serving.iter().map(|&n| w.facts.node(n).def).collect();
        Keepers { serving, defs, served }
    }

    /// Whether a key is, on every way on which it is generated, kept by somebody else.
    pub fn elsewhere(&self, w: &World<'_>, secret: &Effect) -> bool {
        let at = Moment { def: w.facts.node(secret.node).def, order: secret.order, branch: secret.branch };
        self.kept(w, at, MAX_CALLERS)
    }

    fn kept(&self, w: &World<'_>, at: Moment, callers: usize) -> bool {
        if self.serves_nothing(w, at) {
            return true;
        }
        // The function that sets up the service goes on with the key itself.
        if callers == 0 || self.defs.contains(&at.def) {
            return false;
        }
        if saved(w, at) {
            return true;
        }
        let mut calls = w.lookup.calls_to(w.facts, at.def).peekable();
        calls.peek().is_some()
            && calls.all(|c| self.kept(w, Moment { def: w.facts.node(c.node).def, order: c.order, branch: c.branch }, callers - 1))
    }

    /// Whether the way on which a body comes here excludes the way on which it comes to serve.
    fn serves_nothing(&self, w: &World<'_>, at: Moment) -> bool {
        let leads = |c: &&Call| match c.kind {
            CallKind::Value => self.served.contains(&c.target),
            _ => w.graph.node_of.get(&c.target).is_some_and(|n| self.serving.contains(n)),
        };
        let mut serves = w.facts.calls.iter().filter(|c| w.facts.node(c.node).def == at.def).filter(leads).peekable();
        serves.peek().is_some()
            && serves.all(|c| {
                let (from, to) = if c.order < at.order { (c.branch, at.branch) } else { (at.branch, c.branch) };
                !w.facts.leads_on(from, to)
            })
    }
}

/// Whether the function goes on to put what was drawn into a store that every instance asks.
fn saved(w: &World<'_>, at: Moment) -> bool {
    let behind = |node: NodeId, order: u32, branch: Option<BranchId>| {
        w.facts.node(node).def == at.def && order > at.order && w.facts.leads_on(at.branch, branch)
    };
    let shared =
        |e: &Effect| matches!(e.kind, EffectKind::Store { kind, writes: true } if !matches!(kind, StoreKind::Http | StoreKind::Mail));
    // Who gives nothing back and fills no static has nowhere else to put it.
    let fills = |a: &Access| a.op.writes() && matches!(a.place.root, Root::Static(_)) && w.facts.node(a.node).def == at.def;
    let gives = w.graph.node_of.get(&at.def).is_none_or(|&n| work::gives_something(w, n));
    let only_stores = !gives && !w.facts.accesses.iter().any(fills);
    let stores = |e: &Effect| shared(e) && (only_stores || e.data.has(Prov::RANDOM)) && behind(e.node, e.order, e.branch);
    let hands_on = |c: &Call| {
        let given = w.facts.storing.contains(&c.target) && (only_stores || c.args.iter().any(|a| a.has(Prov::RANDOM)));
        given && c.kind == CallKind::Call && behind(c.node, c.order, c.branch)
    };
    w.facts.effects.iter().any(stores) || w.facts.calls.iter().any(hands_on)
}
