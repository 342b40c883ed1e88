//! Checks that options turn off: the signature, the expiry, the audience.

use super::{Case, ID};
use crate::facts::cells::World;
use crate::facts::claims;
use crate::facts::issued::Kind;
use crate::facts::model::NodeId;
use crate::facts::phases::Phases;
use crate::facts::tokens::{Expiry, Off, Verify};
use crate::finding::*;
use crate::resolve::DefId;
use crate::rules::evidence;

/// A check that was turned off where nothing else closes the window.
pub fn judge(w: &World<'_>, kind: &Kind<'_>) -> Option<Case> {
    let (verify, _) = kind.open().find(|(v, _)| !v.off.is_empty() || !v.expiry)?;
    if is_off(kind, Off::Signature) {
        return Some(Case {
            harm: "anybody can write such a token: its signature is not checked".into(),
            reason: "reporting because the options turn the check of the signature off for tokens that this service signs".into(),
            severity: Severity::Error,
            help: "check the signature with the key that signed the token",
        });
    }
    let by_hand = w.facts.tokens.aged.iter().any(|&n| near(w, n, verify));
    let expires = !matches!(kind.expiry, Expiry::Never);
    let off = is_off(kind, Off::Expiry);
    if expires && !by_hand && (off || !verify.expiry) {
        let why = if off {
            "the options turn the check of the expiry off"
        } else {
            "this call does not look at the expiry, and nobody compares it with the clock"
        };
        return Some(Case {
            harm: "an expired token is accepted for ever: its expiry is not checked".into(),
            reason: format!("reporting because {why}"),
            severity: Severity::Error,
            help: "let the library check the expiry, or compare it with the clock after decoding",
        });
    }
    None
}

/// Adds to a case, or makes one of it, that the tokens say for whom they are and nobody looks. Tokens
/// that carry no audience have none to check.
pub fn with_audience(w: &World<'_>, kind: &Kind<'_>, case: Option<Case>) -> Option<Case> {
    let carried = || claims::names(w.p, &kind.primary.claims).iter().any(|n| n == "aud" || n == "audience");
    let looked_at = || kind.checks.iter().any(|c| w.facts.tokens.audited.iter().any(|&n| near(w, n, c.verify)));
    if !is_off(kind, Off::Audience) || !carried() || looked_at() {
        return case;
    }
    const HARM: &str =
        "a token for another audience opens this service too: the tokens say for whom they are, and the check of it is turned off";
    Some(match case {
        Some(case) => Case { harm: format!("{}; {HARM}", case.harm), ..case },
        None => Case {
            harm: HARM.into(),
            reason: "reporting because the tokens that are signed here carry `aud`, and the options turn its check off".into(),
            severity: Severity::Error,
            help: "name the audience of this service in the options of the check",
        },
    })
}

fn is_off(kind: &Kind<'_>, off: Off) -> bool {
    kind.open().any(|(v, _)| v.off.contains(&off))
}

/// Whether a node belongs to a check: in its function or in one that it calls or is called by.
fn near(w: &World<'_>, compared: NodeId, verify: &Verify) -> bool {
    let def = |node| w.facts.node(node).def;
    let (a, b) = (def(compared), def(verify.node));
    let calls = |from: DefId, to: DefId| w.graph.node_of.get(&from).is_some_and(|&n| w.graph.callees(n).any(|e| def(e.to) == to));
    a == b || calls(a, b) || calls(b, a)
}

/// Checks of tokens that nobody here signs: whether a gateway has looked before is not in the code.
pub fn of_others(w: &World<'_>, kinds: &[Kind<'_>]) -> Vec<Finding> {
    let judged = |v: &Verify| kinds.iter().flat_map(|k| &k.checks).any(|c| std::ptr::eq(c.verify, v));
    let open = w.facts.tokens.verifies.iter().filter(|v| !v.off.is_empty() && w.graph.phase(v.node).has(Phases::REQUEST) && !judged(v));
    open.filter_map(|verify| {
        let by_hand = |nodes: &[NodeId]| nodes.iter().any(|&n| near(w, n, verify));
        let what: Vec<&str> = [
            (Off::Signature, "signature", false),
            (Off::Expiry, "expiry", by_hand(&w.facts.tokens.aged)),
            (Off::Audience, "audience", by_hand(&w.facts.tokens.audited)),
        ]
        .into_iter()
        .filter(|(off, _, looked_at)| verify.off.contains(off) && !looked_at)
        .map(|(_, name, _)| name)
        .collect();
        let node = w.facts.node(verify.node);
        let location = evidence::node_location(w, verify.node, verify.span);
        (!what.is_empty()).then(|| Finding {
            rule: ID,
            item: ChecklistItem::RevocationWindow,
            severity: Severity::Note,
            confidence: Confidence::Medium,
            persona: Persona::Pedantic,
            reason: "reporting for discussion only, because somebody else signs these tokens, and a gateway may have checked them before"
                .into(),
            package: w.p.package_of(node.def).to_string(),
            symbol: w.p.path(node.def),
            ty: None,
            message: format!(
                "a token is taken that its issuer may not have meant for this service, or not any more: the check of its {} is turned off",
                what.join(" and ")
            ),
            location: location.clone(),
            witness: vec![vec![Step::new(Role::Verified, "it is checked here with that turned off", location)]],
            home: Some("shared cache".into()),
            help: Some("let the library check it, or say in a comment who has done so before".into()),
            related: Vec::new(),
        })
    })
    .collect()
}
