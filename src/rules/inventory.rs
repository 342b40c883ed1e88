//! What was understood, row by row: entry points, cells, accesses and effects with their verdicts, quiet
//! ones too, so that a human can audit the audit.

mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::evidence;
use crate::analysis::{AccessFacts, InventoryKind, InventoryRow};
use crate::facts::cells::{Cell, World};
use crate::facts::model::{AccessId, Effect, EffectKind, EntryId, NodeId, Prov, Use};
use crate::facts::profile::Profile;
use crate::finding::Finding;

/// Entry points that an access or effect names; the nearest come first.
const NAMED_ENTRIES: usize = 6;
/// Characters of a quoted statement.
const QUOTED: usize = 120;

pub fn entries(w: &World<'_>) -> Vec<InventoryRow> {
    let row = |index: usize| {
        let id = EntryId(index as u32);
        let entry = w.facts.entry(id);
        let label = evidence::entry_label(w, id);
        let within = if entry.auxiliary { "that runs within requests" } else { "of the service" };
        InventoryRow {
            kind: InventoryKind::Entry,
            symbol: entry.def.map_or_else(|| label.clone(), |def| w.p.path(def)),
            ty: None,
            location: evidence::location(w, entry.file, entry.span),
            phase: Some("request".into()),
            verdict: label,
            reason: format!("{} {within}", entry.kind),
            detail: Vec::new(),
            access: None,
        }
    };
    (0..w.facts.entries.len()).map(row).collect()
}

/// The row of a cell and those of its accesses.
pub fn cell(w: &World<'_>, cell: &Cell, profile: &Profile, finding: Option<&Finding>) -> Vec<InventoryRow> {
    let (verdict, reason) = match finding {
        Some(finding) => (finding.rule.to_owned(), finding.reason.clone()),
        None => ("quiet".to_owned(), quiet(cell, profile, w).to_owned()),
    };
    let mut uses: BTreeMap<AccessId, Vec<&Use>> = BTreeMap::new();
    for one in &cell.uses {
        uses.entry(one.access).or_default().push(one);
    }
    let mut rows = vec![InventoryRow {
        kind: InventoryKind::Cell,
        symbol: cell.symbol.clone(),
        ty: Some(cell.ty_text.clone()),
        location: evidence::location(w, cell.file, cell.span),
        phase: None,
        verdict: verdict.clone(),
        reason: reason.clone(),
        detail: Vec::new(),
        access: None,
    }];
    for &id in &cell.accesses {
        let used = uses.get(&id).map(Vec::as_slice).unwrap_or_default();
        rows.push(access(w, cell, id, used, verdict.clone()));
    }
    let said: Vec<String> = rows.iter().skip(1).map(one_line).collect();
    if let Some(row) = rows.first_mut() {
        row.detail = said;
    }
    rows
}

fn one_line(row: &InventoryRow) -> String {
    let mut said = format!("{} at {}:{} ({})", row.reason, row.location.path, row.location.line, row.phase.as_deref().unwrap_or_default());
    if let Some(facts) = &row.access {
        for (what, from) in [("key", &facts.key_from), ("value", &facts.value_from)] {
            if let Some(from) = from {
                let _ = write!(said, "; {what} from {from}");
            }
        }
    }
    said
}

fn access(w: &World<'_>, cell: &Cell, id: AccessId, used: &[&Use], verdict: String) -> InventoryRow {
    let access = w.facts.access(id);
    let origin = w.facts.origin(access);
    let def = w.facts.node(origin.node).def;
    let operation = words::operation(origin.op);
    let entries = labels(w, access.node);
    let by = match entries.as_slice() {
        [] => w.p.path(def),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} and {} more", rest.len()),
    };
    let mut unique = BTreeSet::new();
    let uses: Vec<&&Use> = used.iter().filter(|one| unique.insert((one.span.line, words::usage(one.kind)))).collect();
    InventoryRow {
        kind: InventoryKind::Access,
        symbol: cell.symbol.clone(),
        ty: None,
        location: evidence::node_location(w, origin.node, origin.span),
        phase: Some(w.graph.phase(access.node).describe()),
        verdict,
        reason: format!("{operation} by {by}"),
        detail: uses.iter().map(|one| format!("line {}: {}", one.span.line, words::usage(one.kind))).collect(),
        access: Some(AccessFacts {
            operation,
            method: w.p.text(origin.method).to_owned(),
            function: w.p.path(def),
            key_from: provenance(w.graph.resolve(origin.key, def)),
            value_from: provenance(w.graph.resolve(origin.value, def)),
            entries,
            miss: uses.iter().find_map(|one| words::miss(one.kind)),
        }),
    }
}

fn provenance(from: Prov) -> Option<String> {
    (from.kinds != 0).then(|| from.describe())
}

fn labels(w: &World<'_>, node: NodeId) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let reached = evidence::entries(w, node).into_iter().map(|(id, _)| evidence::entry_label(w, id));
    reached.filter(|label| seen.insert(label.clone())).take(NAMED_ENTRIES).collect()
}

/// The effects, with the finding that speaks of the same place.
pub fn effects(w: &World<'_>, findings: &[Finding]) -> Vec<InventoryRow> {
    let mut spoken: BTreeMap<(&str, u32, u32), &Finding> = BTreeMap::new();
    for finding in findings {
        let at = &finding.location;
        spoken.entry((&at.path, at.line, at.column)).or_insert(finding);
    }
    w.facts.effects.iter().map(|effect| row_of(w, effect, &spoken)).collect()
}

fn row_of(w: &World<'_>, effect: &Effect, spoken: &BTreeMap<(&str, u32, u32), &Finding>) -> InventoryRow {
    let def = w.facts.node(effect.node).def;
    let location = evidence::node_location(w, effect.node, effect.span);
    let finding = spoken.get(&(location.path.as_str(), location.line, location.column)).filter(|_| judged(&effect.kind));
    let (verdict, reason) = match finding {
        Some(finding) => (finding.rule.to_owned(), finding.reason.clone()),
        None => ("quiet".to_owned(), words::harmless(&effect.kind).to_owned()),
    };
    let mut detail = vec![format!("`{}` {}", effect.what, words::effect(&effect.kind))];
    detail.extend(effect.text.iter().map(|text| format!("says {}", text.chars().take(QUOTED).collect::<String>())));
    let entries = labels(w, effect.node);
    if !entries.is_empty() {
        detail.push(format!("reached by {}", entries.join(", ")));
    }
    InventoryRow {
        kind: InventoryKind::Effect,
        symbol: w.p.path(def),
        ty: None,
        location,
        phase: Some(w.graph.phase(effect.node).describe()),
        verdict,
        reason,
        detail,
        access: None,
    }
}

/// Whether a rule ever judges effects of this kind where they stand.
fn judged(kind: &EffectKind) -> bool {
    !matches!(kind, EffectKind::Sleep | EffectKind::Log | EffectKind::Claim)
}

/// Why nothing is said about a cell.
fn quiet(cell: &Cell, profile: &Profile, w: &World<'_>) -> &'static str {
    if super::unrecoverable_stream_state::aggregates::recoverable(cell, profile, w) {
        return "stored before the messages it is made of are settled";
    }
    if w.awaited(cell) {
        return "whoever sent it still waits for the answer";
    }
    if profile.puts.is_empty() && profile.updates.is_empty() && profile.removes.is_empty() {
        return if profile.reads.is_empty() { "no request touches it" } else { "no request writes it: a snapshot or a replica" };
    }
    if w.orders(cell).is_some() {
        return "only the order in which entries of the map beside it make room";
    }
    if profile.replica {
        return "a replica: every instance is told of changes";
    }
    if profile.reloads {
        return "a cache: what is missing is loaded again";
    }
    if profile.only_logged {
        return "only logged or measured";
    }
    if profile.only_modulo {
        return "only spreads load";
    }
    if cell.expires && profile.put_from.has(Prov::STORE) {
        return "a cache with a time to live";
    }
    if !profile.keeps_requests() {
        return "nothing that a request brings is kept";
    }
    "no request relies on what another one wrote"
}

#[cfg(test)]
mod tests {
    use super::words;
    use crate::facts::model::{Arm, UseKind};

    #[test]
    fn a_miss_is_told_in_words() {
        let arm = Arm::default();
        let branch = |miss| UseKind::Branch { hit: arm, miss };
        let refuses = Arm { refuses: true, exits: true, ..arm };
        assert_eq!(words::miss(branch(refuses)).as_deref(), Some("visible"));
        assert_eq!(words::miss(branch(Arm { loads: true, ..arm })).as_deref(), Some("load"));
        assert_eq!(words::miss(branch(Arm { writes: true, ..arm })).as_deref(), Some("recompute"));
        assert_eq!(words::miss(branch(arm)).as_deref(), Some("proceed"));
        assert_eq!(words::miss(UseKind::Response), None);
        assert!(!words::usage(branch(refuses)).contains(['{', '}']));
    }
}
