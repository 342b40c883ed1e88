//! What a conversation with a client needs to go on, kept in the variables of one connection's loop.

use super::ID;
use crate::catalog::{Op, StoreKind};
use crate::facts::cells::World;
use crate::facts::model::*;
use crate::finding::*;
use crate::resolve::Ty;
use crate::rules::evidence::{self, Told};
use crate::rules::work;
use crate::syntax::hir::{self, ExprKind, Lit, PatKind, Span};
use rustc_hash::{FxHashMap, FxHashSet};

/// What a variable is to the conversation, the most telling first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// What was sent, or said, kept to be sent again.
    Backlog,
    /// What the client has brought about so far, and is told.
    State,
    /// What was acknowledged piece by piece, and is stored only when it is complete.
    Collected,
    /// A number that counts what the client is sent.
    Counter,
}

struct Variable<'w> {
    part: Part,
    made: (NodeId, Span),
    ty: &'w Ty,
    written: &'w Access,
    told: Option<Span>,
}

pub fn check(w: &World<'_>) -> Vec<Finding> {
    let mut seen = FxHashSet::default();
    let served = w.facts.talks.iter().filter(|talk| w.graph.phase(talk.node).requested());
    served.filter(|talk| seen.insert((talk.node, talk.span))).filter_map(|talk| judge(w, talk)).collect()
}

fn judge(w: &World<'_>, talk: &Talk) -> Option<Finding> {
    let mut kept: Vec<Variable<'_>> = variables(w, talk);
    kept.sort_by_key(|v| (v.part, v.made.1));
    let first = kept.first()?;
    let promise = promised(w, talk, &kept)?;
    let at = |node: NodeId, span: Span| evidence::node_location(w, node, span);
    let name = |v: &Variable<'_>| {
        let (_, name) = w.facts.starts.get(&v.made).copied().unwrap_or_default();
        name.map_or_else(|| w.describe(v.ty), |n| w.p.text(n).to_string())
    };
    let entry = evidence::entries(w, talk.node).into_iter().next();
    let label = entry.as_ref().map(|(id, _)| evidence::entry_label(w, *id));
    let by = label.clone().unwrap_or_else(|| w.p.text(w.p.def(w.facts.node(talk.node).def).name).to_string());
    let mut steps = Vec::new();
    for variable in &kept {
        let (node, made) = variable.made;
        steps.push(Step::new(Role::Declared, format!("`{}` is a variable of the connection's task", name(variable)), at(node, made)));
        let written = w.facts.origin(variable.written);
        steps.push(
            Step::new(Role::Written, format!("changed by {by} with what comes in"), at(written.node, written.span)).on(label.clone()),
        );
        if let Some(told) = variable.told {
            steps.push(Step::new(Role::Sent, "the client is told of it here", at(talk.node, told)).on(label.clone()));
        }
    }
    let (message, (node, span)) = promise.step();
    steps.push(Step::new(Role::Because, message, at(node, span)).on(label.clone()));
    let mut witness = vec![steps];
    witness.extend(entry.map(|(id, path)| evidence::begin(w, id, &path)));
    let def = w.facts.node(talk.node).def;
    let names = kept.iter().map(|v| format!("`{}`", name(v))).collect::<Vec<_>>().join(" and ");
    let told = Told {
        rule: ID,
        item: ChecklistItem::Quarantine,
        severity: Severity::Warning,
        confidence: Confidence::Medium,
        reason: format!("reporting because {}, and nothing outside the connection's task stores or loads {names}", promise.reason()),
        message: format!(
            "a client that connects again, to this instance or another, cannot go on where it was: `{by}` keeps {names} in variables that end with the connection"
        ),
        witness,
        home: "shared cache or durable log",
        help: "keep the conversation in a shared store under the id that the client comes back with, append to it before the client is told, and load it when a connection begins",
    };
    let mut finding = told.at(def, format!("{}::{}", w.p.path(def), name(first)), at(first.made.0, first.made.1), w);
    finding.ty = Some(w.describe(first.ty));
    Some(finding)
}

/// The variables of a loop that a conversation would need again.
fn variables<'w>(w: &'w World<'_>, talk: &Talk) -> Vec<Variable<'w>> {
    let mut order: Vec<(NodeId, Span)> = Vec::new();
    let mut of: FxHashMap<(NodeId, Span), Vec<(AccessId, &Access)>> = FxHashMap::default();
    for index in talk.accesses.clone() {
        let access = &w.facts.accesses[index];
        let Root::Local(node, made) = access.place.root else { continue };
        if node == talk.node && !talk.span.holds(made) && w.facts.held.contains(&(node, made)) {
            let own = of.entry((node, made)).or_default();
            if own.is_empty() {
                order.push((node, made));
            }
            own.push((AccessId(index as u32), access));
        }
    }
    order.into_iter().filter_map(|made| variable(w, talk, made, &of[&made])).collect()
}

fn variable<'w>(w: &'w World<'_>, talk: &Talk, made: (NodeId, Span), accesses: &[(AccessId, &'w Access)]) -> Option<Variable<'w>> {
    let def = w.facts.node(talk.node).def;
    let from_store = |prov: Prov| w.graph.resolve(prov, def).has(Prov::STORE);
    let start = w.facts.starts.get(&made).map_or(Prov::NONE, |(from, _)| *from);
    if from_store(start) || accesses.iter().any(|(_, a)| a.op.writes() && from_store(a.value)) {
        return None;
    }
    let ids: FxHashSet<AccessId> = accesses.iter().flat_map(|(id, a)| [Some(*id), a.via]).flatten().collect();
    let uses: Vec<&Use> = w.facts.uses[talk.uses.clone()].iter().filter(|u| ids.contains(&u.access)).collect();
    let said = |span: Span| w.facts.said.iter().find(|s| s.node == talk.node && s.span == span);
    let tells = |u: &&&Use| u.kind == UseKind::Response || u.kind == UseKind::Kept && said(u.span).is_some();
    let told = uses.iter().find(tells).map(|u| u.span);
    let stored = uses.iter().any(|u| u.kind == UseKind::Stored);
    let whole = accesses.iter().find(|(_, a)| a.place.path.is_empty() || a.place.path == [Seg::Elem]).map(|(_, a)| &a.ty);
    let class = whole.map_or("struct", |ty| w.class(ty));
    let find = |ops: &[Op]| accesses.iter().map(|(_, a)| *a).find(|a| ops.contains(&a.op));
    let (part, written) = match class {
        "scalar" => (Part::Counter, find(&[Op::Rmw])?),
        "seq" if stored => (Part::Collected, find(&[Op::Push])?),
        "seq" | "map" => (Part::Backlog, find(&[Op::Push, Op::Insert])?),
        "struct" => (Part::State, find(&[Op::Rmw, Op::Push, Op::Insert, Op::Store])?),
        _ => return None,
    };
    let fits = match part {
        Part::Collected => answered(w, talk, written) && brought(w, written, def) && !persisted(w, talk, written),
        _ => told.is_some() && !stored && !persisted(w, talk, written),
    };
    let ty = whole.unwrap_or(&written.ty);
    fits.then_some(Variable { part, made, ty, written, told })
}

fn brought(w: &World<'_>, written: &Access, def: crate::resolve::DefId) -> bool {
    w.graph.resolve(written.value, def).has(Prov::REQUEST.or(Prov::UNKNOWN))
}

/// Whether one of two points is on the way of the other.
fn together(w: &World<'_>, one: Option<BranchId>, other: Option<BranchId>) -> bool {
    w.facts.dominates(one, other) || w.facts.dominates(other, one)
}

/// Whether the client hears that a piece has come.
fn answered(w: &World<'_>, talk: &Talk, written: &Access) -> bool {
    let here = |s: &Saying| s.node == talk.node && talk.span.holds(s.span) && w.facts.dominates(written.branch, s.branch);
    w.facts.said.iter().any(|s| here(s) && s.branch.is_some())
}

/// Whether something is stored along with a change: then it is taken to be that.
fn persisted(w: &World<'_>, talk: &Talk, written: &Access) -> bool {
    let stores =
        |e: &Effect| matches!(e.kind, EffectKind::Store { kind, writes: true } if !matches!(kind, StoreKind::Http | StoreKind::Mail));
    let own = w.effects_of(talk.node).iter().map(|e| &w.facts.effects[e.index()]);
    let own = own.filter(|e| talk.span.holds(e.span) && together(w, e.branch, written.branch));
    let mut called = w.lookup.calls_in(w.facts, talk.node).filter(|c| talk.span.holds(c.span) && together(w, c.branch, written.branch));
    let stored = |call: &Call| w.graph.node_of.get(&call.target).is_some_and(|&n| work::effects(w, n).into_iter().any(stores));
    own.into_iter().any(stores) || called.any(stored)
}

/// What makes a client think that it may come back.
enum Promise {
    /// Something random that it is told, and that nothing else keeps.
    Token(NodeId, Span),
    /// It asks for what it was sent from a position on.
    Position(NodeId, Span),
    /// A message, or a part of one, that says so by its name.
    Word(NodeId, Span, String),
}

impl Promise {
    fn step(&self) -> (String, (NodeId, Span)) {
        match self {
            Promise::Token(node, span) => {
                ("the client is given something random here, by which only it could be known again".into(), (*node, *span))
            }
            Promise::Position(node, span) => ("the client asks here to go on from a position".into(), (*node, *span)),
            Promise::Word(node, span, word) => (format!("`{word}` says that the conversation is taken up again"), (*node, *span)),
        }
    }
    fn reason(&self) -> String {
        match self {
            Promise::Token(..) => "the client is given an id for the conversation".into(),
            Promise::Position(..) => "the client may ask for what it was sent from a position on".into(),
            Promise::Word(_, _, word) => format!("`{word}` promises that the conversation goes on"),
        }
    }
}

fn promised(w: &World<'_>, talk: &Talk, kept: &[Variable<'_>]) -> Option<Promise> {
    word(w, talk).or_else(|| position(w, talk, kept)).or_else(|| token(w, talk))
}

/// A name among those of messages and their parts, in the text of the function, that says so.
fn word(w: &World<'_>, talk: &Talk) -> Option<Promise> {
    let def = w.facts.node(talk.node).def;
    let file = &w.p.file(w.facts.node(talk.node).file).hir;
    let within = w.p.item(def).span;
    let last = |path: &hir::Path| path.segments.last().map(|s| s.name);
    let mut names: Vec<(Span, hir::Sym)> = Vec::new();
    for pat in file.pats.iter().filter(|p| within.holds(p.span)) {
        match &pat.kind {
            PatKind::Path(path) | PatKind::TupleStruct { path, .. } => names.extend(last(path).map(|n| (pat.span, n))),
            PatKind::Struct { path, fields, .. } => {
                names.extend(last(path).into_iter().chain(fields.iter().map(|(n, _)| *n)).map(|n| (pat.span, n)));
            }
            _ => {}
        }
    }
    for expr in file.exprs.iter().filter(|e| within.holds(e.span)) {
        match &expr.kind {
            ExprKind::Struct { path, fields, .. } => {
                names.extend(last(path).into_iter().chain(fields.iter().map(|f| f.name)).map(|n| (expr.span, n)));
            }
            ExprKind::Call { callee, .. } => {
                if let ExprKind::Path(path) = &file.expr(*callee).kind {
                    let variant = last(path).filter(|n| file.str(*n).starts_with(char::is_uppercase));
                    names.extend(variant.map(|n| (expr.span, n)));
                }
            }
            ExprKind::Field { name, .. } => names.push((expr.span, *name)),
            ExprKind::Lit(Lit::Str(text)) if file.str(*text).len() < 24 => names.push((expr.span, *text)),
            _ => {}
        }
    }
    let found = names.into_iter().filter(|(_, name)| w.cat.resumes(file.str(*name))).min_by_key(|(span, _)| *span);
    found.map(|(span, name)| Promise::Word(talk.node, span, file.str(name).to_string()))
}

/// A backlog from which the client takes what comes after a position that it gives.
fn position(w: &World<'_>, talk: &Talk, kept: &[Variable<'_>]) -> Option<Promise> {
    let def = w.facts.node(talk.node).def;
    let asked = |prov: Prov| w.graph.resolve(prov, def).has(Prov::REQUEST);
    let backlog = |access: &Access| {
        let Root::Local(node, made) = access.place.root else { return false };
        kept.iter().any(|v| v.part == Part::Backlog && v.made == (node, made))
    };
    let within = w.facts.ordered.iter().filter(|o| o.node == talk.node && talk.span.holds(o.span) && asked(o.with));
    let ordered = within.into_iter().find(|o| o.reads.iter().any(|&r| backlog(w.facts.access(r)))).map(|o| o.span);
    let ranged = || {
        let mut accesses = w.facts.accesses[talk.accesses.clone()].iter();
        accesses.find(|a| backlog(a) && w.p.text(a.method) == "range" && asked(a.key)).map(|a| a.span)
    };
    ordered.or_else(ranged).map(|span| Promise::Position(talk.node, span))
}

/// Something random that the client is told, and that is kept nowhere else: neither in a store nor in the service's memory.
fn token(w: &World<'_>, talk: &Talk) -> Option<Promise> {
    let reached: FxHashSet<NodeId> = super::reached(w, talk.node).into_iter().collect();
    let random = |node: NodeId, prov: Prov| reached.contains(&node) && w.graph.resolve(prov, w.facts.node(node).def).has(Prov::RANDOM);
    let said = w.facts.said.iter().find(|s| random(s.node, s.prov))?;
    let stored =
        work::effects(w, talk.node).into_iter().any(|e| matches!(e.kind, EffectKind::Store { .. }) && random(e.node, e.data.or(e.path)));
    let local = |a: &Access| matches!(a.place.root, Root::Local(node, _) if reached.contains(&node));
    let registered = w.facts.accesses.iter().any(|a| a.op.writes() && !local(a) && random(a.node, a.key.or(a.value)));
    (!stored && !registered).then_some(Promise::Token(said.node, said.span))
}
