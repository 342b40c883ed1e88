//! Home-made limits: counts or times per key in this process, by which requests are refused.

use crate::facts::cells::{Cell, CellKey, World};
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::resolve::Ty;
use crate::rules::evidence::{self, Told};

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if !matches!(profile.class, "map" | "cache" | "atomic" | "scalar" | "seq") || profile.reloads {
        return None;
    }
    let mut counts = profile.updates.clone();
    let times = counts_times(&cell.ty, w, 0);
    if times && only_times(&cell.ty, w) {
        counts.extend(&profile.puts);
    }
    if counts.is_empty() || w.elements(&cell.ty).is_some_and(|element| gathers(&element, w, 0)) {
        return None;
    }
    let refuses = cell.uses.iter().find(|u| {
        let on_request = w.graph.phase(u.node).requested();
        on_request && matches!(u.kind, UseKind::Gate { hit, miss } if hit.refuses || miss.refuses)
            || matches!(u.kind, UseKind::Branch { hit, .. } if hit.refuses)
    });
    // A count beside a time by which requests go is a window, also where the refusal is built elsewhere.
    let flag = |u: &Use| matches!(&w.facts.access(u.access).ty, Ty::Prim(name) if w.p.text(*name) == "bool");
    let asks = |u: &Use| u.kind == UseKind::Aged || matches!(u.kind, UseKind::Gate { .. }) && !flag(u);
    let timed = refuses.is_some() || cell.uses.iter().any(|u| asks(u) && w.graph.phase(u.node).requested());
    let windowed = matches!(profile.class, "map" | "cache") && times && timed && !profile.updates.is_empty();
    let keyed = matches!(profile.class, "map" | "cache");
    // A number that refills with time, as in a token bucket.
    let bucket = !keyed && refuses.is_some() && beside_time(cell, w);
    if !(windowed || bucket || refuses.is_some() && keyed && !counts.is_empty()) {
        return None;
    }
    let count = evidence::pick(w, &counts, None)?;
    let who = count.label(w);
    let name = evidence::short(&cell.symbol);
    let refusal = refuses
        .map(|refuses| Step::new(Role::Read, "requests are refused by it here", evidence::node_location(w, refuses.node, refuses.span)));
    let told = Told {
        rule: super::ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Warning,
        confidence: if refuses.is_some() && !cell.uncertain { Confidence::High } else { Confidence::Medium },
        reason: format!("reporting because `{name}` counts per key on `{who}` and nothing shares the count"),
        message: format!(
            "every instance allows the whole limit again, and a restart forgets it: `{name}` counts calls of `{who}` in this process only"
        ),
        witness: evidence::ends(w, cell, &[&count], refusal),
        home: "shared cache",
        help: "count in a store that all instances share (Redis INCR with EXPIRE, a token bucket script), or limit at the gateway",
    };
    Some(told.of(cell, w))
}

/// Whether elements gather what requests bring, not how often or when they came: a batch, a queue or a table within.
fn gathers(ty: &Ty, w: &World<'_>, depth: u32) -> bool {
    if depth > 4 {
        return false;
    }
    match ty {
        Ty::Ext(name, args) => match w.cat.type_info(&w.p.names, *name).map(|i| w.cat.class_name(i)) {
            Some("map" | "set" | "seq" | "cache") => !args.iter().all(|a| is_figure(a, w)),
            Some("sender" | "watch-sender") => true,
            _ => args.iter().any(|a| gathers(a, w, depth + 1)),
        },
        Ty::Tuple(elems) => elems.iter().any(|e| gathers(e, w, depth + 1)),
        Ty::Adt(def, args) => {
            let Some((_, fields)) = w.p.fields_of(*def) else { return false };
            let file = w.p.def(*def).file;
            let mut types = fields.fields.iter().filter_map(|f| w.p.field_type(*def, args, w.p.name_in(file, f.name)));
            types.any(|t| gathers(&t, w, depth + 1))
        }
        _ => false,
    }
}

/// A number, a point in time, or a small record of such.
fn is_figure(ty: &Ty, w: &World<'_>) -> bool {
    match ty {
        Ty::Prim(_) | Ty::Unknown => true,
        Ty::Tuple(elems) => elems.iter().all(|e| is_figure(e, w)),
        _ => only_times(ty, w) || counts_times(ty, w, 0),
    }
}

/// Whether a field has a point in time among its neighbours.
fn beside_time(cell: &Cell, w: &World<'_>) -> bool {
    let CellKey::Field(def, _) = &cell.key else { return false };
    let Some((_, fields)) = w.p.fields_of(*def) else { return false };
    let file = w.p.def(*def).file;
    fields.fields.iter().any(|f| w.p.field_type(*def, &[], w.p.name_in(file, f.name)).is_some_and(|t| only_times(&t, w)))
}

/// Whether elements are points in time and nothing else.
fn only_times(ty: &Ty, w: &World<'_>) -> bool {
    match ty {
        Ty::Ext(name, args) => {
            let last = w.p.text(*name).rsplit("::").next().unwrap_or("");
            matches!(last, "Instant" | "SystemTime" | "DateTime" | "OffsetDateTime" | "Timestamp")
                || args.last().is_some_and(|a| only_times(a, w))
        }
        _ => false,
    }
}

/// Whether elements carry points in time.
fn counts_times(ty: &Ty, w: &World<'_>, depth: u32) -> bool {
    if depth > 6 {
        return false;
    }
    match ty {
        Ty::Ext(name, args) => {
            let last = w.p.text(*name).rsplit("::").next().unwrap_or("");
            matches!(last, "Instant" | "SystemTime" | "DateTime" | "OffsetDateTime" | "Timestamp" | "NaiveDateTime")
                || args.iter().any(|a| counts_times(a, w, depth + 1))
        }
        Ty::Tuple(elems) => elems.iter().any(|e| counts_times(e, w, depth + 1)),
        Ty::Adt(def, args) => {
            let Some((_, fields)) = w.p.fields_of(*def) else { return false };
            let file = w.p.def(*def).file;
            // A small record of counts and times, not an entity that happens to have a date.
            fields.fields.len() <= 4
                && fields
                    .fields
                    .iter()
                    .any(|f| w.p.field_type(*def, args, w.p.name_in(file, f.name)).is_some_and(|t| counts_times(&t, w, depth + 1)))
        }
        _ => false,
    }
}
