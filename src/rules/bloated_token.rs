//! Tokens that carry what could be looked up, on every request.

mod weight;

use self::weight::{Weight, weigh};
use super::evidence::{self, Told};
use super::long_lived_token::place;
use crate::config::TokenLimits;
use crate::facts::cells::World;
use crate::facts::issued::Kind;
use crate::finding::*;
use crate::resolve::{DefId, Ty};
use rustc_hash::FxHashSet;

pub const ID: &str = "bloated-token";

pub fn check(w: &World<'_>, kinds: &[Kind<'_>], limits: TokenLimits) -> Vec<Finding> {
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for kind in kinds.iter().filter(|k| !k.checks.is_empty()) {
        let Ty::Adt(def, _) = &kind.primary.claims.ty else { continue };
        if seen.insert(*def) {
            found.extend(judge(w, kinds, kind, *def, limits));
        }
    }
    found
}

fn judge(w: &World<'_>, kinds: &[Kind<'_>], kind: &Kind<'_>, def: DefId, limits: TokenLimits) -> Option<Finding> {
    let weight = weigh(w, &kind.primary.claims.ty);
    let heavy = weight.on_the_wire() > limits.max_bytes;
    let regular = heavy || weight.growing.len() > 1 || weight.records > 0;
    if !regular && weight.growing.is_empty() {
        return None;
    }
    let mint = place(w, kinds, kind);
    let node = w.facts.node(mint.node);
    let names = weight.lookups.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let name = w.p.text(w.p.def(def).name);
    let location = evidence::node_location(w, mint.node, mint.span);
    let declared = evidence::location(w, w.p.def(def).file, w.p.item(def).span);
    let grows = if weight.growing.is_empty() { "" } else { ", without an upper bound," };
    let told = Told {
        rule: ID,
        item: ChecklistItem::TokenBloat,
        severity: if regular { Severity::Warning } else { Severity::Note },
        confidence: if heavy { Confidence::High } else { Confidence::Medium },
        reason: reason(&weight, heavy, limits),
        message: format!(
            "each request carries about {} bytes{grows} and stays with what was true at sign-in: `{name}` holds {names}",
            weight.on_the_wire()
        ),
        witness: vec![vec![
            Step::new(Role::Declared, format!("the claims `{name}`, about {} bytes of JSON", weight.json), declared),
            Step::new(Role::Signed, "signed into the token here", location.clone()),
        ]],
        home: "shared cache",
        help: format!("keep the subject and a session id in the token, and look up {names} by them"),
    };
    Some(Finding {
        persona: if regular { Persona::Regular } else { Persona::Pedantic },
        ty: Some(w.p.path(def)),
        ..told.at(node.def, w.p.path(node.def), location, w)
    })
}

fn reason(weight: &Weight, heavy: bool, limits: TokenLimits) -> String {
    if heavy {
        format!("reporting because the estimate is above {} bytes", limits.max_bytes)
    } else if weight.growing.is_empty() {
        "reporting because a whole record is among the claims".into()
    } else {
        format!("reporting because {} of the claims grow with the data", weight.growing.len())
    }
}

/// What the checklist says of the claims of a kind.
pub fn fact(w: &World<'_>, kinds: &[Kind<'_>], kind: &Kind<'_>) -> Option<String> {
    let Ty::Adt(def, _) = &kind.primary.claims.ty else { return None };
    let mint = place(w, kinds, kind);
    let at = evidence::node_location(w, mint.node, mint.span);
    let bytes = weigh(w, &kind.primary.claims.ty).on_the_wire();
    Some(format!("token of `{}` about {bytes} bytes ({}:{})", w.p.text(w.p.def(*def).name), at.path, at.line))
}
