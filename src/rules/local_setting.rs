//! Settings that a request changes for this process alone.

use super::evidence::{self, Told};
use crate::catalog::Op;
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::resolve::Ty;

pub const ID: &str = "local-setting";

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if !matches!(profile.class, "atomic" | "scalar" | "struct" | "watch-sender" | "opaque" | "map" | "option" | "cell")
        || profile.only_logged
        || profile.reloads
        || refreshed(cell, profile)
    {
        return None;
    }
    if profile.replica || profile.reread || w.is_connection(&cell.ty) || w.holds_connections(&cell.ty) {
        return None;
    }
    // When something last happened here is a memory of this process, not a choice that somebody made.
    let chosen = Prov::REQUEST.or(Prov::CONFIG).or(Prov::STORE).or(Prov::BUS).or(Prov::RANDOM).or(Prov::UNKNOWN);
    if profile.put_from.has(Prov::CLOCK) && !profile.put_from.has(chosen) {
        return None;
    }
    // The whole value is replaced; nothing is counted, added or removed.
    let stores: Vec<AccessId> =
        profile.puts.iter().copied().filter(|&a| matches!(w.facts.access(a).op, Op::Store | Op::Swap) && whole(w, a)).collect();
    if stores.is_empty() || stores.len() != profile.puts.len() || !profile.updates.is_empty() || !profile.removes.is_empty() {
        return None;
    }
    // A flag that is put back by asking it, and a figure that is made of its last value, tell what happened here.
    let asks = |u: &Use| matches!(u.kind, UseKind::Gate { .. } | UseKind::Branch { .. });
    let asked = |a: &AccessId| w.facts.access(*a).op == Op::Swap && cell.uses.iter().any(|u| u.access == *a && asks(u));
    if stores.iter().all(asked) || stores.iter().all(|&a| carries_on(cell, w, a)) {
        return None;
    }
    let flag = matches!(profile.class, "atomic" | "scalar" | "cell");
    // A flag decides something; a configuration is a collection or struct that readers look things up in.
    let decides = cell.uses.iter().find(|u| asks(u) && w.graph.phase(u.node).requested() && !keeps_itself(cell, w, u));
    let lookup = profile.reads.iter().copied().any(|a| !stores.contains(&a));
    if flag && decides.is_none() && !starts_set(cell, w) || !(flag || configured_at_start(cell, w) && lookup) {
        return None;
    }
    let write = evidence::pick(w, &stores, None)?;
    let readers: Vec<AccessId> =
        decides.iter().map(|u| u.access).chain(profile.reads.iter().copied().filter(|a| !stores.contains(a))).collect();
    let read = evidence::pick(w, &readers, write.entry)?;
    if read.entry == write.entry {
        return None;
    }
    let (writer, reader) = (write.label(w), read.label(w));
    let name = evidence::short(&cell.symbol);
    let told = Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Warning,
        confidence: if cell.uncertain || !flag { Confidence::Medium } else { Confidence::High },
        reason: format!("reporting because `{writer}` replaces `{name}` at run time and `{reader}` decides by it"),
        message: format!("after `{writer}` the instances disagree: only this one follows the new `{name}`, and a restart forgets it"),
        witness: evidence::ends(w, cell, &[&write, &read], None),
        home: "configuration store",
        help: "keep the setting in the shared store and let every instance re-read it on a timer or on a notification",
    };
    Some(told.of(cell, w))
}

/// Whether a question only decides what becomes of the flag or figure itself: the arms write it, or the body that asks
/// does. What a loop notes for its next round, a time until which something holds, a gate around one piece of work.
fn keeps_itself(cell: &Cell, w: &World<'_>, one: &Use) -> bool {
    let arms = match one.kind {
        UseKind::Gate { hit, miss } | UseKind::Branch { hit, miss } => hit.writes || miss.writes,
        _ => false,
    };
    let def = |node: NodeId| w.facts.node(node).def;
    let own = |a: &AccessId| {
        let access = w.facts.origin(w.facts.access(*a));
        access.op.writes() && def(access.node) == def(one.node)
    };
    arms || cell.accesses.iter().any(own)
}

/// A value with its age beside it, behind one lock, that no request brings: whoever finds it too old fetches it again.
fn refreshed(cell: &Cell, profile: &Profile) -> bool {
    cell.expires && cell.holder.as_ref().is_some_and(|h| h.part) && !profile.put_from.has(Prov::REQUEST)
}

/// A static that starts with a value other than nothing: a setting's default.
fn starts_set(cell: &Cell, w: &World<'_>) -> bool {
    let crate::facts::cells::CellKey::Static(def) = &cell.key else { return false };
    matches!(w.facts.static_literals.get(def), Some(Literal::Int(n)) if *n != 0)
        || matches!(w.facts.static_literals.get(def), Some(Literal::Bool(true)))
}

/// Whether a write replaces the cell's whole value.
fn whole(w: &World<'_>, id: AccessId) -> bool {
    !w.facts.access(id).place.path.contains(&Seg::Elem) || matches!(w.facts.access(id).place.path.last(), Some(Seg::Elem))
}

/// Whether the cell has a value from the start: a snapshot of configuration or of the store, what start-up
/// fills in, or a struct that cannot be absent. What starts empty is data that requests bring.
fn configured_at_start(cell: &Cell, w: &World<'_>) -> bool {
    let filled = |a: &AccessId| w.facts.access(*a).op.writes() && w.graph.phase(w.facts.access(*a).node).has(Phases::STARTUP);
    let always_set = matches!(w.class(&cell.ty), "struct" | "opaque" | "watch-sender") && !may_be_absent(&cell.ty, w);
    always_set || cell.start(w).has(Prov::CONFIG.or(Prov::STORE)) || cell.accesses.iter().any(filled)
}

fn may_be_absent(ty: &Ty, w: &World<'_>) -> bool {
    let option = matches!(ty, Ty::Ext(name, _) if w.p.text(*name).rsplit("::").next().is_some_and(|n| n.contains("Option")));
    option || ty.args().iter().any(|a| may_be_absent(a, w))
}

/// Whether a number is stored that is made of the one before it.
fn carries_on(cell: &Cell, w: &World<'_>, id: AccessId) -> bool {
    let store = w.facts.access(id);
    let number = w.class(&cell.ty) == "scalar" || w.class(&cell.ty) == "atomic" && !cell.ty_text.contains("Bool");
    let loads = |access: &Access| access.op.reads() && access.node == store.node && access.order < store.order;
    number && store.literal.is_none() && store.value.has(Prov::CELL) && cell.accesses.iter().any(|&a| loads(w.facts.access(a)))
}
