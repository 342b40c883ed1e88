//! Keys that cannot be changed without signing everybody out.

pub mod rocket;

use super::evidence::{self, Told};
use crate::facts::cells::World;
use crate::facts::issued::Kind;
use crate::facts::model::{CallKind, NodeId, Prov};
use crate::facts::tokens::{Home, Key, MadeKey, Mint, Verify};
use crate::finding::*;
use crate::resolve::DefId;
use rustc_hash::FxHashSet;

pub const ID: &str = "fixed-signing-key";

/// What tells one key from another: where it is kept, or the function that signs with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Kept(Home),
    By(DefId),
}

pub fn check(w: &World<'_>, kinds: &[Kind<'_>]) -> Vec<Finding> {
    if w.facts.entries.is_empty() {
        return Vec::new();
    }
    let mut found = tokens(w, kinds);
    found.extend(w.facts.tokens.keys.iter().filter(|k| k.cookie).filter_map(|key| cookie(w, key)));
    found
}

fn tokens(w: &World<'_>, kinds: &[Kind<'_>]) -> Vec<Finding> {
    let peeking = peeking(w);
    let mut groups: Vec<(Which, Vec<&Kind<'_>>)> = Vec::new();
    for kind in kinds {
        let def = w.facts.node(kind.origin.node).def;
        let which = kind.origin.key.home.map_or(Which::By(def), Which::Kept);
        // Several calls in one function are arms of one choice of algorithm.
        // Where nothing says in which place a key is kept, tokens that one call checks are signed with one key.
        let checked_alike = |other: &Kind<'_>| other.checks.iter().any(|a| kind.checks.iter().any(|b| std::ptr::eq(a.verify, b.verify)));
        let one_key = |w0: &Which, other: &Kind<'_>| matches!((w0, which), (Which::By(_), Which::By(_))) && checked_alike(other);
        let same =
            groups.iter_mut().find(|(w0, k0)| *w0 == which || k0.iter().any(|k| w.facts.node(k.origin.node).def == def || one_key(w0, k)));
        match same {
            Some((_, list)) => list.push(kind),
            None => groups.push((which, vec![kind])),
        }
    }
    groups.iter().filter_map(|(_, kinds)| judge(w, kinds, &peeking)).collect()
}

fn judge(w: &World<'_>, kinds: &[&Kind<'_>], peeking: &FxHashSet<DefId>) -> Option<Finding> {
    let first = kinds.first()?;
    let mints: Vec<&Mint> = kinds.iter().flat_map(|k| k.mints.iter().copied().chain([k.origin])).collect();
    let verify = kinds.iter().flat_map(|k| &k.checks).map(|c| c.verify).next();
    let literal = mints.iter().any(|m| m.key.literal) || from_literal(w, first.origin);
    let fallback = mints.iter().any(|m| m.key.fallback);
    // Whoever checks elsewhere may try several keys; one that everybody can read is none, wherever it is tried.
    if verify.is_none() && !literal && !fallback {
        return None;
    }
    if !literal && (mints.iter().any(|m| m.kid) || kinds.iter().flat_map(|k| &k.checks).any(|c| overlaps(w, c.verify, peeking))) {
        return None;
    }
    let node = w.facts.node(first.origin.node);
    let location = evidence::node_location(w, first.origin.node, first.origin.span);
    let (harm, reason, severity) = if literal {
        (
            "whoever reads the source can sign tokens: the key is written into it, and changing it signs everybody out",
            "reporting because the key is a literal",
            Severity::Error,
        )
    } else if fallback {
        (
            "whoever reads the source can sign tokens where the key is not configured: a key for that case is written into it",
            "reporting because the source holds a key that counts when the setting is absent",
            Severity::Error,
        )
    } else {
        (
            "changing the signing key signs everybody out at once, and while instances are replaced they reject each other's tokens",
            "reporting because the header names no key, and one key verifies",
            Severity::Warning,
        )
    };
    let mut witness = vec![Step::new(Role::Signed, "signed with the one key, without a key id", location.clone())];
    if let Some(home) = first.origin.key.home {
        witness.insert(0, kept(w, home));
    }
    if let Some(verify) = verify {
        let checked = evidence::node_location(w, verify.node, verify.span);
        witness.push(Step::new(Role::Verified, "only that key is tried", checked));
    }
    let told = Told {
        rule: ID,
        item: ChecklistItem::KeyRotation,
        severity,
        confidence: Confidence::High,
        reason: reason.into(),
        message: harm.into(),
        witness: vec![witness],
        home: "secret store",
        help: "put a key id (`kid`) into the header and verify with the key that it names, so that the next key is \
             known before it signs and the last one until its tokens end",
    };
    Some(told.at(node.def, w.p.path(node.def), location, w))
}

fn kept(w: &World<'_>, home: Home) -> Step {
    let (def, name) = match home {
        Home::Static(def) => (def, w.p.text(w.p.def(def).name)),
        Home::Field(def, name) => (def, w.p.text(name)),
    };
    let location = evidence::location(w, w.p.def(def).file, w.p.item(def).name_span);
    Step::new(Role::Declared, format!("the key is kept in `{name}`"), location)
}

/// Whether the key that a service keeps by type was made from a literal, and no other was made.
fn from_literal(w: &World<'_>, mint: &Mint) -> bool {
    let krate = |node: NodeId| w.p.def(w.facts.node(node).def).krate;
    let mut made = w.facts.tokens.keys.iter().filter(|k| !k.cookie && krate(k.node) == krate(mint.node)).peekable();
    mint.key.home.is_none() && !mint.key.prov.has(Prov::CONFIG) && made.peek().is_some() && made.all(|k| k.key.literal)
}

/// Functions that read the header of a token, or choose a key: and those around them.
fn peeking(w: &World<'_>) -> FxHashSet<DefId> {
    let mut defs: FxHashSet<DefId> = w.facts.tokens.peeks.iter().map(|&n| w.facts.node(n).def).collect();
    let callers = w.facts.calls.iter().filter(|c| c.kind == CallKind::Call && defs.contains(&c.target));
    let callers: Vec<DefId> = callers.map(|c| w.facts.node(c.node).def).collect();
    defs.extend(callers);
    defs
}

/// Whether more than one key can verify: by an id, from a set, or one after the other.
fn overlaps(w: &World<'_>, verify: &Verify, peeking: &FxHashSet<DefId>) -> bool {
    let def = w.facts.node(verify.node).def;
    let second = |other: &&Verify| {
        w.facts.node(other.node).def == def
            && other.span != verify.span
            && other.key.home != verify.key.home
            && other.claims == verify.claims
            && !w.facts.excludes(other.branch, verify.branch)
    };
    verify.key.many || peeking.contains(&def) || w.facts.tokens.verifies.iter().any(|v| second(&v))
}

fn cookie(w: &World<'_>, made: &MadeKey) -> Option<Finding> {
    let node = w.facts.node(made.node);
    let Key { literal, fallback, .. } = made.key;
    let known = made.key.prov != Prov::NONE;
    if !known {
        return None;
    }
    let location = evidence::node_location(w, made.node, made.span);
    let what = evidence::last_two(&made.what);
    let bad = literal || fallback;
    let told = Told {
        rule: ID,
        item: ChecklistItem::KeyRotation,
        severity: if bad { Severity::Error } else { Severity::Note },
        confidence: if bad { Confidence::High } else { Confidence::Medium },
        reason: if bad {
            "reporting because the key for cookies is a literal"
        } else {
            "reporting because one key signs cookies, and no older one is accepted"
        }
        .into(),
        message: if bad {
            "whoever reads the source can make cookies of any user: the key is written into it".into()
        } else {
            "changing the cookie key ends every session at once: one key signs, and no older one is accepted".into()
        },
        witness: evidence::built(
            Step::new(Role::Declared, "the key is made here", location.clone()),
            Vec::new(),
            evidence::handled(w, node.def, super::per_instance_secret::ID, "signed cookies"),
        ),
        home: "secret store",
        help: "load the key from configuration, and accept the one before it until its cookies have ended",
    };
    Some(Finding {
        persona: if bad { Persona::Regular } else { Persona::Pedantic },
        ..told.at(node.def, format!("{}::{what}", w.p.path(node.def)), location, w)
    })
}
