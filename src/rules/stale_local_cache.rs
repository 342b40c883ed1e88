//! Caches that a mutating request corrects in this process only.

use super::evidence::{self, Told};
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::finding::*;

pub const ID: &str = "stale-local-cache";

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if profile.replica || profile.reread {
        return None;
    }
    if let Some(finding) = snapshot(cell, profile, w) {
        return Some(finding);
    }
    if profile.claims || super::authoritative_memory::is_under_way(cell, w) {
        return None;
    }
    let cache = profile.reloads || (profile.class == "cache" && profile.put_from.has(Prov::STORE));
    if !cache || !matches!(profile.class, "map" | "set" | "seq" | "cache" | "scalar" | "struct" | "opaque" | "option") {
        return None;
    }
    // Corrections: what a request removes, or replaces by what it brought, where no miss led to it.
    let invalidations: Vec<AccessId> = profile.removes.iter().copied().filter(|&a| corrects(cell, w, a)).collect();
    let removal = evidence::pick(w, &invalidations, None)?;
    let read = evidence::pick(w, &profile.reads, removal.entry)?;
    let (remover, reader) = (removal.label(w), read.label(w));
    let name = evidence::short(&cell.symbol);
    let told = Told {
        rule: ID,
        item: ChecklistItem::CacheWriteBack,
        severity: Severity::Warning,
        confidence: evidence::certainty(cell),
        reason: format!(
            "reporting because `{remover}` invalidates `{name}` in its own process, `{reader}` serves from it, and {}",
            if cell.expires { "entries only age out" } else { "entries have no time to live" }
        ),
        message: format!(
            "`{reader}` on another instance keeps serving what `{remover}` has changed: `{name}` is invalidated in this process only"
        ),
        witness: evidence::ends(w, cell, &[&removal, &read], None),
        home: "shared cache",
        help: "give entries a short time to live, key them by a version that the change alters, or announce the change on a bus that every instance hears",
    };
    Some(Finding { persona: if cell.expires { Persona::Pedantic } else { Persona::Regular }, ..told.of(cell, w) })
}

/// Memory loaded once from the store that writes change beside the store, and that reads never reload.
fn snapshot(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if profile.reloads
        || cell.expires
        || !cell.start(w).has(Prov::STORE)
        || !matches!(profile.class, "map" | "set" | "seq" | "struct" | "opaque" | "scalar")
    {
        return None;
    }
    let mut changes = profile.puts.clone();
    changes.extend(&profile.updates);
    changes.extend(&profile.removes);
    let through = |a: &AccessId| w.facts.storing.contains(&w.facts.node(w.facts.access(*a).node).def);
    if changes.is_empty() || !changes.iter().all(through) {
        return None;
    }
    let write = evidence::pick(w, &changes, None)?;
    let read = evidence::pick(w, &profile.reads, write.entry)?;
    let (writer, reader) = (write.label(w), read.label(w));
    let name = evidence::short(&cell.symbol);
    let told = Told {
        rule: ID,
        item: ChecklistItem::CacheWriteBack,
        severity: Severity::Error,
        confidence: Confidence::High,
        reason: format!(
            "reporting because `{name}` is loaded from the store once, `{writer}` changes the store and this copy, and `{reader}` asks only the copy"
        ),
        message: format!(
            "`{reader}` on another instance never sees what `{writer}` changed until that instance restarts: `{name}` is loaded once"
        ),
        witness: evidence::ends(w, cell, &[&write, &read], None),
        home: "database",
        help: "read from the store, with a cache that expires or is told of changes by a bus",
    };
    Some(told.of(cell, w))
}

/// Whether a removal answers to a change, and does not just make room or drop what is old.
fn corrects(cell: &Cell, w: &World<'_>, id: AccessId) -> bool {
    let access = w.facts.access(id);
    if access.op == crate::catalog::Op::Prune {
        return false;
    }
    // `pop`, `pop_front`: eviction.
    if access.key == Prov::NONE && access.op == crate::catalog::Op::Remove {
        return false;
    }
    // Taken out by the function that puts in: an entry moves, for an order of use, or marks work as long as that goes on.
    let origin = |a: AccessId| w.facts.origin(w.facts.access(a));
    let own = origin(id);
    let own_def = w.facts.node(own.node).def;
    let moves = cell.accesses.iter().any(|&a| {
        let other = origin(a);
        let later = other.order > own.order && matches!(other.op, crate::catalog::Op::Push | crate::catalog::Op::Insert);
        w.facts.node(other.node).def == own_def && (later || other.op == crate::catalog::Op::InsertNew)
    });
    !moves
}
