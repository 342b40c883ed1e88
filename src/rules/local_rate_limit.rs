//! Limiters, quotas and attempt counters in process.

pub mod counters;

use super::evidence::{self, Told};
use super::stories;
use crate::catalog::Op;
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::facts::phases::Phases;
use crate::finding::*;
use crate::resolve::Ty;

pub const ID: &str = "local-rate-limit";

/// Limiters of libraries, where they are built.
pub fn check(w: &World<'_>) -> Vec<Finding> {
    // Where no request comes in, only calls that go out are counted.
    let limits = |e: &&Effect| !w.facts.entries.is_empty() && !is_request_scoped(e, w) && !only_thins_logs(e, w) && !holds_back_calls(e, w);
    w.libraries(ID).filter(limits).map(|e| finding(e, w)).collect()
}

/// Whether a limiter is only ever waited for, whoever asks, before a call to somebody else: it holds back what this
/// process sends and refuses nobody.
fn holds_back_calls(effect: &Effect, w: &World<'_>) -> bool {
    let library = effect.what.split("::").next().unwrap_or_default();
    let krate = |node: NodeId| w.p.def(w.facts.node(node).def).krate;
    let asked = |e: &&Effect| {
        matches!(e.kind, EffectKind::Handle { .. })
            && e.what.split("::").next() == Some(library)
            && w.cat.handle(e.what.rsplit_once("::").map_or("", |(ty, _)| ty)).iter().any(|(rule, _)| rule == ID)
            && w.p.run_together(krate(e.node), krate(effect.node))
    };
    let waits = |e: &Effect| {
        let method = e.what.rsplit("::").next().unwrap_or_default();
        let def = w.facts.node(e.node).def;
        matches!(
            method,
            "until_ready"
                | "until_n_ready"
                | "until_ready_with_jitter"
                | "until_n_ready_with_jitter"
                | "acquire"
                | "acquire_one"
                | "acquire_owned"
        ) && (w.loads_behind(def, e.order) || w.stores_behind(def, e.order) || w.calls_out_behind(def, e.order))
    };
    let mut asks = w.facts.effects.iter().filter(asked).peekable();
    asks.peek().is_some() && asks.all(waits)
}

/// Whether a limiter is made for one request or connection and kept nowhere else.
fn is_request_scoped(effect: &Effect, w: &World<'_>) -> bool {
    let phase = w.graph.phase(effect.node);
    let made_for_one = phase.requested() && !phase.has(Phases::STARTUP.or(Phases::BACKGROUND));
    let node = w.facts.node(effect.node);
    let library = effect.what.split("::").next().unwrap_or_default();
    let keeps = |a: &Access| {
        w.facts.node(a.node).def == node.def
            && matches!(a.op, Op::Insert | Op::InsertNew | Op::LoadThrough | Op::Init | Op::Store)
            && may_hold(&a.ty, library, w, 0)
    };
    made_for_one && node.kind != NodeKind::Initialiser && !w.facts.accesses.iter().any(keeps)
}

/// Types inside types that are searched for a library's own.
const MAX_DEPTH: u32 = 5;

/// Whether a value of this type may hold one of a library's types, or is not known well enough to say no.
fn may_hold(ty: &Ty, library: &str, w: &World<'_>, depth: u32) -> bool {
    if depth > MAX_DEPTH {
        return true;
    }
    match ty {
        Ty::Ext(name, args) => {
            let own = w.p.text(*name).split("::").next() == Some(library);
            own || args.iter().any(|a| may_hold(a, library, w, depth + 1))
        }
        Ty::Tuple(elems) => elems.iter().any(|e| may_hold(e, library, w, depth + 1)),
        Ty::Adt(def, args) => {
            let Some((_, fields)) = w.p.fields_of(*def) else { return false };
            let file = w.p.def(*def).file;
            let types = fields.fields.iter().filter_map(|f| w.p.field_type(*def, args, w.p.name_in(file, f.name)));
            types.into_iter().any(|t| may_hold(&t, library, w, depth + 1))
        }
        Ty::Prim(_) | Ty::Unit => false,
        _ => true,
    }
}

/// Whether everybody who asks the limiter only decides by it what is logged.
fn only_thins_logs(effect: &Effect, w: &World<'_>) -> bool {
    let harmless = |one: &Use| match one.kind {
        UseKind::Branch { hit, miss } | UseKind::Gate { hit, miss } => hit.empty && miss.empty,
        UseKind::Logged => true,
        _ => false,
    };
    w.cells
        .iter()
        .find(|cell| stories::is_made_by(w, cell, effect))
        .is_some_and(|cell| !cell.uses.is_empty() && cell.uses.iter().all(harmless))
}

/// The request that asks a limiter which lies in a place of its own.
fn asked(w: &World<'_>, effect: &Effect) -> Vec<Vec<Step>> {
    let Some(cell) = w.cells.iter().find(|cell| stories::is_made_by(w, cell, effect)) else { return Vec::new() };
    let requested: Vec<AccessId> = cell.accesses.iter().copied().filter(|&a| w.graph.phase(w.facts.access(a).node).requested()).collect();
    evidence::pick(w, &requested, None).iter().map(|shown| evidence::chain(w, shown)).collect()
}

fn finding(effect: &Effect, w: &World<'_>) -> Finding {
    let def = w.facts.node(effect.node).def;
    let location = evidence::node_location(w, effect.node, effect.span);
    let what = evidence::last_two(&effect.what);
    let told = Told {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: Severity::Warning,
        confidence: Confidence::High,
        reason: format!("reporting because `{what}` counts in the memory of the process that builds it"),
        message: format!("every instance allows the whole limit again, and a restart forgets it: `{what}` counts in this process only"),
        witness: evidence::built(
            Step::new(Role::Declared, "the limiter is built here", location.clone()),
            evidence::put_to_use(w, effect),
            asked(w, effect),
        ),
        home: "shared cache",
        help: "count in a store that all instances share, or limit at the gateway; divide the limit only if the number of instances is fixed",
    };
    told.at(def, format!("{}::{what}", w.p.path(def)), location, w)
}
