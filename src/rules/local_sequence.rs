//! Counters whose values leave the process and must be unique or ordered.

use super::evidence::{self, Told};
use crate::facts::cells::{Cell, World};
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::finding::*;
use rustc_hash::FxHashSet;

pub const ID: &str = "local-sequence";

pub fn judge(cell: &Cell, profile: &Profile, w: &World<'_>) -> Option<Finding> {
    if !matches!(profile.class, "atomic" | "scalar") || profile.updates.is_empty() {
        return None;
    }
    // Whoever counts up takes the number; what others read later is a total.
    let counting: FxHashSet<_> = profile
        .updates
        .iter()
        .flat_map(|&a| [Some(a), w.facts.access(a).via])
        .flatten()
        .map(|a| w.facts.node(w.facts.access(a).node).def)
        .collect();
    let taken = |u: &&Use| counting.contains(&w.facts.node(w.facts.access(u.access).node).def) && w.graph.phase(u.node).requested();
    let uses: Vec<&Use> = cell.uses.iter().filter(taken).collect();
    // A number drawn by a request that creates something is handed out; one that a GET shows is a total. So is one that
    // is read after counting and neither kept nor a name of anything.
    let noted = uses.iter().any(|u| matches!(u.kind, UseKind::Identity | UseKind::Kept));
    let creates = |u: &Use| {
        u.kind == UseKind::Response
            && (noted || w.facts.access(u.access).op == crate::catalog::Op::Rmw)
            && w.graph.entries(u.node, 4).iter().any(|(e, _)| matches!(w.facts.entry(*e).method.as_deref(), Some("POST" | "PUT")))
    };
    let leaves = uses.iter().find(|u| w.goes_out(u)).or_else(|| uses.iter().find(|u| creates(u)))?;
    let write = evidence::pick(w, &profile.updates, None)?;
    let writer = write.label(w);
    let name = evidence::short(&cell.symbol);
    let then = Step::new(Role::Because, "its value becomes an identity here", evidence::node_location(w, leaves.node, leaves.span));
    let told = Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Error,
        confidence: evidence::certainty(cell),
        reason: format!("reporting because `{name}` is counted up by `{writer}` and its value is used as an identity"),
        message: format!(
            "two instances give out the same numbers, and a restart begins again: `{writer}` takes them from `{name}` in this process"
        ),
        witness: evidence::ends(w, cell, &[&write], Some(then)),
        home: "database sequence",
        help: "take the number from a sequence or identity column of the shared database, or use random identifiers (UUID, ULID)",
    };
    Some(told.of(cell, w))
}
