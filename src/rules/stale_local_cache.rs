//! Caches that a mutating request corrects in this process only.

use super::evidence::{self, Told};
use crate::catalog::Op;
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
    if profile.renews(cell, w)
        || profile.puts.iter().any(|&a| w.facts.access(a).expires)
        || !cell.start(w).has(Prov::STORE)
        || !matches!(profile.class, "map" | "set" | "seq" | "struct" | "opaque" | "scalar" | "option")
        || profile.only_logged
        || profile.only_modulo
        || profile.visible.or(profile.refusal).or(profile.used).is_none()
        || w.is_connection(&cell.ty)
        || super::authoritative_memory::is_under_way(cell, w)
    {
        return None;
    }
    let mut changes = profile.puts.clone();
    changes.extend(&profile.updates);
    changes.extend(&profile.removes);
    // Entries under keys that hold what the store says are what a miss has loaded, unless whoever misses them proceeds.
    let loaded = |a| profile.refusal.is_none() && w.takes_over(a) && w.facts.access(a).key != Prov::NONE;
    changes.retain(|&a| !loaded(a) && brings(w, a));
    // Whoever misses what others have added asks the store.
    if profile.reloads && changes.iter().all(|&a| w.facts.access(a).op == Op::Insert) {
        return None;
    }
    // A peer that is told of a change writes to its copy alone; most changes must be seen to reach the store.
    let through = changes.iter().filter(|&&a| w.takes_over(a) || w.goes_through(a)).count();
    if through == 0 || 2 * through < changes.len() {
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

/// Whether a write leaves something that not every instance would leave: what a request brings, or what is read again.
fn brings(w: &World<'_>, id: AccessId) -> bool {
    let access = w.facts.origin(w.facts.access(id));
    let def = w.facts.node(access.node).def;
    let from = w.graph.resolve(access.key, def).or(w.graph.resolve(access.value, def));
    let made = access.op == Op::LoadThrough && w.graph.resolve(access.value, def).is_fixed();
    matches!(access.op, Op::Remove | Op::Prune | Op::Clear | Op::Drain) || !made && !from.is_fixed()
}

/// Whether a removal answers to a change, and does not just make room or drop what is old.
fn corrects(cell: &Cell, w: &World<'_>, id: AccessId) -> bool {
    let access = w.facts.access(id);
    if access.op == Op::Prune || w.makes_room(id) {
        return false;
    }
    // `pop`, `pop_front`: eviction.
    if access.key == Prov::NONE && access.op == Op::Remove {
        return false;
    }
    // Taken out by the function that puts in: an entry moves, for an order of use, or marks work as long as that goes on.
    let origin = |a: AccessId| w.facts.origin(w.facts.access(a));
    let own = origin(id);
    let own_def = w.facts.node(own.node).def;
    let moves = cell.accesses.iter().any(|&a| {
        let other = origin(a);
        let later = other.order > own.order && matches!(other.op, Op::Push | Op::Insert);
        w.facts.node(other.node).def == own_def && (later || other.op == Op::InsertNew)
    });
    !moves
}
