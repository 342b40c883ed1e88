//! Memory that one request writes and a later one relies on.

use super::evidence::{self, Told};
use crate::facts::cells::{Cell, World};
use crate::facts::hosts::holds_sender;
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::finding::*;

pub const ID: &str = "authoritative-memory";

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if !matches!(profile.class, "map" | "set" | "seq" | "scalar" | "struct" | "atomic" | "cache" | "option" | "opaque" | "watch-sender") {
        return None;
    }
    if profile.replica || w.orders(cell).is_some() {
        return None;
    }
    // A value that is replaced as a whole, and read again from the store by every instance: a setting that spreads.
    // So does what requests put into the store and into this copy.
    let replaced = |a: &AccessId| matches!(w.facts.access(*a).op, crate::catalog::Op::Store | crate::catalog::Op::Swap);
    let stored = |a: &AccessId| w.facts.storing.contains(&w.facts.node(w.facts.origin(w.facts.access(*a)).node).def);
    if profile.reread && profile.updates.is_empty() && (profile.puts.iter().all(replaced) || profile.puts.iter().all(stored)) {
        return None;
    }
    // When something was last looked up or done here: its age decides, and every instance has its own.
    if cell.expires
        && profile.put_from.has(Prov::CLOCK)
        && !profile.put_from.has(Prov::REQUEST.or(Prov::RANDOM).or(Prov::STORE))
        && !matches!(profile.class, "map" | "set" | "seq" | "cache")
    {
        return None;
    }
    // Ends of connections are no data: whether a message reaches them all is another question.
    let kept = profile.puts.iter().map(|&a| &w.facts.access(a).ty);
    if std::iter::once(&cell.ty).chain(kept).any(|ty| holds_sender(w.p, w.cat, ty)) || w.is_connection(&cell.ty) {
        return None;
    }
    // Locks and permits by key, and ways to what lives elsewhere, are no data either.
    if w.elements(&cell.ty).is_some_and(|element| w.only_coordinates(&element)) || w.holds_connections(&cell.ty) {
        return None;
    }
    if is_under_way(cell, w) && profile.visible.is_none() {
        return None;
    }
    let mut written = profile.puts.clone();
    written.extend(&profile.updates);
    // A cache for some readers can still be the only home for others.
    let relied_on = profile.claims;
    if written.is_empty()
        || profile.reads.is_empty()
        || (profile.reloads && !relied_on)
        || profile.only_logged
        || profile.only_modulo
        || profile.in_flight(w)
    {
        return None;
    }
    // What is only ever counted up and taken is a source of numbers; nothing is noted in it for a later request.
    let taken = profile.puts.is_empty() && profile.reads.iter().all(|a| profile.updates.contains(a));
    if taken && matches!(profile.class, "atomic" | "scalar") && !cell.uses.iter().any(|u| u.kind == UseKind::Response || w.goes_out(u)) {
        return None;
    }
    if !profile.keeps_requests() && profile.updates.is_empty() {
        return None;
    }
    // A bounded cache forgets at any time, and whoever misses makes the entry again of what it is asked for.
    let made = |a: &AccessId| {
        let access = w.facts.origin(w.facts.access(*a));
        access.op == crate::catalog::Op::LoadThrough && access.value.params & !access.key.params == 0
    };
    let drawn = Prov::RANDOM.or(Prov::COUNT);
    if profile.class == "cache" && !relied_on && profile.updates.is_empty() && profile.puts.iter().all(made) && !profile.put_from.has(drawn)
    {
        return None;
    }
    // Rows under the ids that the store gave them, whose absence nobody notices: a copy.
    let minted = [Prov::REQUEST, Prov::RANDOM, Prov::COUNT, Prov::CLOCK, Prov::UNKNOWN].iter().any(|&k| profile.key_from.has(k));
    let copied = profile.key_from.has(Prov::STORE) && !minted && profile.put_from.has(Prov::STORE);
    if copied && profile.visible.or(profile.refusal).is_none() {
        return None;
    }
    if cell.expires && profile.put_from.has(Prov::STORE) && !relied_on {
        return None;
    }
    // Whoever asks a cache that ages neither answers with what it finds nor is refused: a miss is the same to all.
    if cell.expires && profile.class == "cache" && !relied_on && profile.visible.or(profile.refusal).is_none() {
        return None;
    }
    let used = profile.visible.or(profile.refusal).or(profile.used)?;
    let write = evidence::pick(w, &written, None)?;
    let reads: Vec<AccessId> = std::iter::once(used.access).chain(profile.reads.iter().copied()).collect();
    let read = evidence::pick(w, &reads, write.entry)?;
    let (writer, reader) = (write.label(w), read.label(w));
    let name = evidence::short(&cell.symbol);
    let confidence = match (profile.visible.or(profile.refusal), cell.uncertain) {
        (_, true) => Confidence::Medium,
        (Some(_), _) => Confidence::High,
        (None, _) => Confidence::Medium,
    };
    let refuses = profile.refusal.is_some() && profile.visible.is_none();
    let harm = match (refuses, writer == reader) {
        (true, true) => {
            format!("the next `{reader}` on another instance, or after a restart, does not know what this one noted and lets it pass")
        }
        (true, false) => {
            format!("`{reader}` on another instance, or after a restart, does not know what `{writer}` noted and lets it pass")
        }
        (false, true) => format!("what one `{writer}` stores is missing for the next one on another instance and lost with this one"),
        (false, false) => format!("what `{writer}` stores is missing for `{reader}` on another instance and lost with this one"),
    };
    let reason = format!(
        "reporting because `{writer}` writes `{name}` with a value from {} and `{reader}` relies on it, with nothing to reload it from",
        profile.put_from.or(profile.key_from).describe()
    );
    let told = Told {
        rule: ID,
        item: ChecklistItem::CacheWriteBack,
        severity: Severity::Error,
        confidence,
        reason,
        message: format!("{harm}: `{name}` lives in this process only"),
        witness: evidence::ends(w, cell, &[&write, &read], None),
        home: "shared cache or database",
        help: format!(
            "keep what `{name}` holds in a store that every instance shares, keyed as it is here, and treat this copy as a cache at most"
        ),
    };
    Some(told.of(cell, w))
}

/// Whether a collection holds ends to receive from: by them requests wait for work that is under way here, and who
/// finds none does it itself.
pub fn is_under_way(cell: &Cell, w: &World<'_>) -> bool {
    w.elements(&cell.ty).is_some_and(|element| matches!(w.class(&element), "receiver" | "watch-receiver"))
}
