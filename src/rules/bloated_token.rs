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

/// Claims without a type of their own, or what is told of them but once.
#[derive(PartialEq, Eq, Hash)]
enum Which {
    Struct(DefId),
    SignedBy(DefId),
}

pub const ID: &str = "bloated-token";

pub fn check(w: &World<'_>, kinds: &[Kind<'_>], limits: TokenLimits) -> Vec<Finding> {
    let mut seen = FxHashSet::default();
    let mut found = Vec::new();
    for kind in kinds.iter().filter(|k| !k.checks.is_empty() && k.is_json(w)) {
        let which = match struct_of(kind) {
            Some(def) => Which::Struct(def),
            None => Which::SignedBy(w.facts.node(kind.primary.node).def),
        };
        if seen.insert(which) {
            found.extend(judge(w, kinds, kind, limits));
        }
    }
    found
}

fn struct_of(kind: &Kind<'_>) -> Option<DefId> {
    match &kind.primary.claims.ty {
        Ty::Adt(def, _) => Some(*def),
        _ => None,
    }
}

fn judge(w: &World<'_>, kinds: &[Kind<'_>], kind: &Kind<'_>, limits: TokenLimits) -> Option<Finding> {
    let weight = weigh(w, &kind.primary.claims);
    let heavy = weight.on_the_wire() > limits.max_bytes;
    let regular = heavy || weight.growing.len() > 1 || weight.records > 0;
    if !regular && weight.growing.is_empty() {
        return None;
    }
    let mint = place(w, kinds, kind);
    let node = w.facts.node(mint.node);
    let names = weight.lookups.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    let def = struct_of(kind);
    let name = def.map_or("the token".to_string(), |def| format!("`{}`", w.p.text(w.p.def(def).name)));
    let location = evidence::node_location(w, mint.node, mint.span);
    let declared = def.map(|def| {
        let location = evidence::location(w, w.p.def(def).file, w.p.item(def).span);
        Step::new(Role::Declared, format!("the claims {name}, about {} bytes of JSON", weight.json), location)
    });
    let signed = Step::new(Role::Signed, "signed into the token here", location.clone());
    let grows = if weight.growing.is_empty() { "" } else { ", without an upper bound," };
    let told = Told {
        rule: ID,
        item: ChecklistItem::TokenBloat,
        severity: if regular { Severity::Warning } else { Severity::Note },
        confidence: if heavy { Confidence::High } else { Confidence::Medium },
        reason: reason(&weight, heavy, limits),
        message: format!(
            "each request carries about {} bytes{grows} and stays with what was true at sign-in: {name} holds {names}",
            weight.on_the_wire()
        ),
        witness: vec![declared.into_iter().chain([signed]).collect()],
        home: "shared cache",
        help: format!("keep the subject and a session id in the token, and look up {names} by them"),
    };
    Some(Finding {
        persona: if regular { Persona::Regular } else { Persona::Pedantic },
        ty: def.map(|def| w.p.path(def)),
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
    let claims = &kind.primary.claims;
    if !kind.is_json(w) {
        return None;
    }
    let what = match struct_of(kind) {
        Some(def) => format!("token of `{}`", w.p.text(w.p.def(def).name)),
        None if claims.parts.is_empty() => return None,
        None => "token".to_string(),
    };
    let mint = place(w, kinds, kind);
    let at = evidence::node_location(w, mint.node, mint.span);
    let bytes = weigh(w, claims).on_the_wire();
    Some(format!("{what} about {bytes} bytes ({}:{})", at.path, at.line))
}
