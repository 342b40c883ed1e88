//! Values drawn at random at start by which later requests are signed, salted or admitted.

use super::at_start;
use crate::facts::cells::{CellKey, World};
use crate::facts::model::*;
use crate::finding::*;
use crate::resolve::{DefId, Ty};
use crate::rules::evidence;
use crate::syntax::hir::Span;

/// Uses that are shown for one secret.
const SHOWN: usize = 2;

/// A secret with the places where it is drawn and where requests depend on it.
struct Drawn {
    key: Kept,
    node: NodeId,
    span: Span,
    uses: Vec<(NodeId, Span, &'static str)>,
}

/// Secrets that lie in fields, statics and captured variables; those that a key type makes by itself are `told` already.
pub fn check(w: &World<'_>, told: &[Finding]) -> Vec<Finding> {
    let mut found: Vec<Drawn> = Vec::new();
    for (key, node, span, verb) in signed(w).into_iter().chain(compared(w)) {
        match found.iter_mut().find(|d| d.key == key) {
            Some(drawn) => drawn.uses.push((node, span, verb)),
            None => {
                let Some((at, made)) = drawn_at(w, key) else { continue };
                found.push(Drawn { key, node: at, span: made, uses: vec![(node, span, verb)] });
            }
        }
    }
    found.retain(|drawn| {
        let here = evidence::node_location(w, drawn.node, drawn.span);
        let within = |l: &Location| {
            let inside = (here.line, here.column) <= (l.line, l.column) && (l.line, l.column) <= (here.end_line, here.end_column);
            l.path == here.path && inside
        };
        !told.iter().any(|f| within(&f.location))
    });
    found.iter().map(|drawn| finding(w, drawn)).collect()
}

/// What signs on requests.
fn signed(w: &World<'_>) -> Vec<(Kept, NodeId, Span, &'static str)> {
    let brought = |s: &Signing| s.with.is_none_or(|with| w.graph.resolve(with, w.facts.node(s.node).def).has(Prov::REQUEST));
    let used = w.facts.signings.iter().filter(|s| w.graph.phase(s.node).requested() && brought(s));
    used.map(|s| (s.key, s.node, s.span, "signs or checks by it")).collect()
}

/// What requests bring is compared with it, and they are refused when it differs.
fn compared(w: &World<'_>) -> Vec<(Kept, NodeId, Span, &'static str)> {
    let mut found = Vec::new();
    for cell in &w.cells {
        let key = match cell.key {
            CellKey::Field(holder, field) => Kept::Field(holder, field),
            CellKey::Static(def) => Kept::Static(def),
            _ => continue,
        };
        let is_compared = |id: AccessId| w.p.text(w.facts.access(id).method) == COMPARED;
        let refuses = |one: &Use| matches!(one.kind, UseKind::Gate { hit, miss } if hit.refuses || miss.refuses);
        for one in cell.uses.iter().filter(|u| is_compared(u.access) && refuses(u)) {
            let access = w.facts.access(one.access);
            let brought = w.graph.resolve(access.key, w.facts.node(access.node).def).has(Prov::REQUEST);
            if brought && w.graph.phase(one.node).requested() {
                found.push((key, access.node, access.span, "is refused unless it brings the same"));
            }
        }
    }
    found
}

/// Where a process draws it for itself at start.
fn drawn_at(w: &World<'_>, key: Kept) -> Option<(NodeId, Span)> {
    let random = |prov: Prov, def: DefId| {
        let from = w.graph.resolve(prov, def);
        from.has(Prov::RANDOM) && !from.has(Prov::STORE)
    };
    match key {
        Kept::Field(holder, field) => {
            let mut inits = w.lookup.inits(w.facts, holder, field);
            // What a caller gives may be random in another part than this one, unless it is but one text.
            let text = w.p.field_type(holder, &[], field).is_some_and(|t| is_text(w, &t));
            let drawn = |i: &&Init| (text || i.prov.has(Prov::RANDOM)) && random(i.prov, w.facts.node(i.node).def);
            let init = inits.find(|i| at_start(w, i.node) && drawn(i))?;
            Some((init.node, init.span))
        }
        Kept::Static(def) if w.facts.static_starts.get(&def).is_some_and(|from| from.has(Prov::RANDOM)) => {
            Some((*w.graph.node_of.get(&def)?, w.p.item(def).span))
        }
        Kept::Static(def) => {
            let set = w.facts.accesses.iter().find(|a| {
                let here = a.op.writes() && a.place.root == Root::Static(def);
                here && at_start(w, a.node) && random(a.value, w.facts.node(a.node).def)
            })?;
            Some((set.node, set.span))
        }
        Kept::Local(node, span) => {
            let (from, _) = w.facts.starts.get(&(node, span))?;
            (at_start(w, node) && random(*from, w.facts.node(node).def)).then_some((node, span))
        }
    }
}

/// Text, bytes or an identifier.
fn is_text(w: &World<'_>, ty: &Ty) -> bool {
    match ty {
        Ty::Prim(name) => w.p.text(*name) == "str",
        Ty::Seq(elem) => matches!(&**elem, Ty::Prim(_)),
        Ty::Ext(name, args) => match w.p.text(*name) {
            "std::string::String" | "uuid::Uuid" => true,
            "std::vec::Vec" => matches!(args.first(), Some(Ty::Prim(_))),
            "std::sync::Arc" => args.first().is_some_and(|t| is_text(w, t)),
            _ => false,
        },
        _ => false,
    }
}

fn finding(w: &World<'_>, drawn: &Drawn) -> Finding {
    let symbol = match drawn.key {
        Kept::Field(holder, field) => format!("{}.{}", w.p.path(holder), w.p.text(field)),
        Kept::Static(def) => w.p.path(def),
        Kept::Local(node, span) => {
            let name = w.facts.starts.get(&(node, span)).and_then(|(_, name)| *name);
            format!("{}::{}", w.p.path(w.facts.node(node).def), name.map_or("secret", |n| w.p.text(n)))
        }
    };
    let name = evidence::short(&symbol).to_owned();
    let mut entries = Vec::new();
    let mut uses = Vec::new();
    for &(node, span, verb) in &drawn.uses {
        let Some((entry, path)) = evidence::entries(w, node).into_iter().next() else { continue };
        if uses.len() < SHOWN && !entries.contains(&entry) {
            entries.push(entry);
            uses.push(evidence::way_to(w, entry, &path, Role::Because, verb, evidence::node_location(w, node, span)));
        }
    }
    let harm =
        format!("what one instance signs, another rejects, and a restart invalidates all of it: `{name}` is drawn anew in each process");
    let reason = format!("reporting because `{name}` is drawn at random at start and requests are signed or admitted by it");
    let location = evidence::node_location(w, drawn.node, drawn.span);
    let declared = Step::new(Role::Declared, "it is drawn at random here", location.clone());
    super::told(harm, reason, evidence::built(declared, Vec::new(), uses)).at(w.facts.node(drawn.node).def, symbol, location, w)
}
