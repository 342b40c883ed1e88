//! Walks every body once and leaves facts behind. Functions are evaluated on demand, callees before
//! the rest of their caller, so that what a function returns and what it does to its arguments is
//! known at each call; recursion ends at the signature.

mod adaptors;
mod applied;
mod asked;
mod biscuits;
mod body;
mod calls;
mod checks;
mod choices;
mod clients;
mod consumers;
mod control;
mod effects;
mod env;
mod expiry;
mod exprs;
mod extensions;
mod externals;
mod filters;
pub mod handmade;
mod handouts;
mod macros;
mod methods;
mod operations;
mod patterns;
mod places;
mod refusals;
mod routers;
mod routes;
mod secrets;
mod steering;
mod stops;
mod talks;
mod tasks;
mod time;
mod tokens;
mod unrouted;
mod wrappers;

pub use handouts::state_of;

use self::body::{Body, Guard};
use super::configured::Configuration;
use super::model::*;
use super::value::{Form, Val};
use crate::catalog::Catalog;
use crate::config::EntryPoint;
use crate::names::Name;
use crate::resolve::lower::Scope;
use crate::resolve::{DefId, DefKind, FileId, Program, Res, Ty};
use crate::syntax::hir::{self, ExprId, Span};
use rustc_hash::{FxHashMap, FxHashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

/// Calls nested deeper than this are taken by their signature; real chains are far below.
const MAX_DEPTH: u32 = 160;
/// Expressions nested deeper than this, callers' included, are not walked: a worker's stack holds three times as many.
const MAX_NESTED: u32 = 8_000;
/// Accesses on parameters that a summary hands to its callers.
const MAX_PARAM_ACCESSES: usize = 64;

/// What callers need to know of a function.
#[derive(Clone)]
pub struct Summary {
    /// Its body, if that was walked.
    pub node: Option<NodeId>,
    pub ret: Val,
    /// Accesses whose place lies in a parameter.
    pub param_accesses: Vec<AccessId>,
    /// It, or something it calls, asks a backing store or another service.
    pub loads: bool,
    /// It changes something in one.
    pub stores: bool,
    /// It sleeps or waits for a tick.
    pub sleeps: bool,
    /// It takes a message from a broker, for its caller to work on.
    pub receives: bool,
    /// It takes what a subscription brings to every instance.
    pub subscribes: bool,
    /// Parameters that it runs in a task of their own and does not wait for.
    pub spawns_params: u32,
    /// Tokens that it signs for callers, who know what is in them.
    mints: Vec<u32>,
    /// It is generic, and checks tokens of claims that its callers name.
    checks: bool,
    /// Parameters that it runs again and again.
    pub repeats_params: u32,
    /// Parameters of which only the age counts.
    pub ages_params: u32,
    /// Requests to stores whose text is a parameter.
    texts: Vec<wrappers::TextCall>,
    /// What it calls closures among its parameters with.
    handed: Vec<wrappers::Handed>,
    /// Sinks that parameters flow into: a set of parameters each.
    pub param_uses: Vec<(u32, UseKind)>,
}

impl Summary {
    fn opaque(ty: Ty, params: usize) -> Summary {
        let prov = (0..params).fold(Prov::NONE, |p, i| p.or(Prov::param(i)));
        Summary {
            node: None,
            ret: Val::of(ty, prov),
            param_accesses: Vec::new(),
            loads: false,
            stores: false,
            sleeps: false,
            receives: false,
            subscribes: false,
            spawns_params: 0,
            mints: Vec::new(),
            checks: false,
            repeats_params: 0,
            ages_params: 0,
            texts: Vec::new(),
            handed: Vec::new(),
            param_uses: Vec::new(),
        }
    }
}

pub struct Eval<'a> {
    pub p: &'a Program,
    pub cat: &'a Catalog,
    pub facts: Facts,
    summaries: FxHashMap<DefId, Rc<Summary>>,
    active: FxHashSet<DefId>,
    statics: FxHashMap<DefId, Val>,
    /// Types with a method that takes `&mut self`.
    changed_types: FxHashSet<Res>,
    /// Entry points known by an attribute or a trait, by function.
    pub entry_of: FxHashMap<DefId, EntryId>,
    /// Entry points that a router has put at a path.
    routed: FxHashSet<EntryId>,
    /// Those that the text of a function routes.
    routed_in: FxHashMap<DefId, Vec<EntryId>>,
    depth: u32,
    nested: u32,
    body: Body,
    tokens: tokens::Working,
}

impl<'a> Eval<'a> {
    /// Evaluates all functions, statics and constants of the program.
    /// Also returns the positions of configured entry points that no function answers to.
    pub fn run(p: &'a Program, cat: &'a Catalog, configured: &[EntryPoint], configuration: Configuration) -> (Facts, Vec<usize>) {
        let root = Scope { module: crate::resolve::ModId(0), self_ty: None, generics: Vec::new() };
        let body = Body::new(DefId(0), NodeId(0), FileId(0), root);
        let mut eval = Eval {
            p,
            cat,
            facts: Facts { configuration, ..Facts::default() },
            summaries: FxHashMap::default(),
            active: FxHashSet::default(),
            statics: FxHashMap::default(),
            changed_types: changed_types(p),
            entry_of: FxHashMap::default(),
            routed: FxHashSet::default(),
            routed_in: FxHashMap::default(),
            depth: 0,
            nested: 0,
            body,
            tokens: tokens::Working::default(),
        };
        eval.declared_entries();
        let unmatched = eval.configured_entries(configured);
        for number in 0..p.defs.len() as u32 {
            let def = DefId(number);
            match p.def(def).kind {
                DefKind::Fn => {
                    eval.summary(def);
                }
                DefKind::Static | DefKind::Const => {
                    eval.static_value(def);
                }
                _ => {}
            }
        }
        eval.unrouted_entries();
        eval.responses();
        eval.settle_tokens();
        (eval.facts, unmatched)
    }

    /// What an entry point gives back is its response: notes it on everything the value derives from.
    fn responses(&mut self) {
        let mut functions: Vec<DefId> = self.entry_of.keys().copied().collect();
        functions.sort();
        for def in functions {
            self.document(def);
        }
        for index in 0..self.facts.entries.len() {
            let entry = &self.facts.entries[index];
            let (Some(def), span) = (entry.def, entry.span) else { continue };
            let Some(summary) = self.summaries.get(&def).cloned() else { continue };
            let Some(node) = summary.node else { continue };
            for &access in &summary.ret.reads {
                self.facts.uses.push(Use { access, node, kind: UseKind::Response, span, order: u32::MAX });
            }
        }
    }

    /// Walks something nested; beyond the bound it is not known.
    fn nested(&mut self, walk: impl FnOnce(&mut Self) -> Val) -> Val {
        if self.nested >= MAX_NESTED {
            return Val::unknown();
        }
        self.nested += 1;
        let value = walk(self);
        self.nested -= 1;
        value
    }

    fn hir(&self) -> &'a hir::File {
        &self.p.file(self.body.file).hir
    }

    fn name(&self, sym: hir::Sym) -> Name {
        self.p.name_in(self.body.file, sym)
    }

    fn text(&self, sym: hir::Sym) -> &'a str {
        self.hir().str(sym)
    }

    fn span(&self, id: ExprId) -> Span {
        self.hir().expr(id).span
    }

    fn next(&mut self) -> u32 {
        self.body.order += 1;
        self.body.order
    }

    fn lower(&self, ty: hir::TypeId) -> Ty {
        self.p.lower_type(self.body.file, ty, &self.body.scope)
    }

    fn add_node(&mut self, kind: NodeKind, parent: Option<NodeId>, span: Span) -> NodeId {
        let id = NodeId(self.facts.nodes.len() as u32);
        self.facts.nodes.push(Node {
            def: self.body.def,
            file: self.body.file,
            parent,
            kind,
            span,
            periodic: None,
            pumps: false,
            listens: false,
        });
        id
    }

    /// Walks with another body and returns it afterwards.
    fn within(&mut self, body: Body, walk: impl FnOnce(&mut Self)) -> Body {
        let outer = std::mem::replace(&mut self.body, body);
        walk(self);
        std::mem::replace(&mut self.body, outer)
    }

    /// Walks the body of a definition; a fault of this program in it loses that body alone.
    fn guarded(&mut self, def: DefId, walk: impl FnOnce(&mut Self)) {
        let (depth, nested, quiet) = (self.depth, self.nested, self.tokens.quiet);
        // The body of the definition is given up, and everything around it is as it was.
        if catch_unwind(AssertUnwindSafe(|| walk(self))).is_err() {
            (self.depth, self.nested, self.tokens.quiet) = (depth, nested, quiet);
            self.body.ret = None;
            self.facts.failed.push(def);
        }
    }

    /// Walks part of the current function as a node of its own: it sees the variables, but holds no guard.
    fn within_node(&mut self, node: NodeId, walk: impl FnOnce(&mut Self) -> Val) -> Val {
        let outer = std::mem::replace(&mut self.body.node, node);
        let guards = std::mem::take(&mut self.body.guards);
        let ret = self.body.ret.take();
        let waits = self.body.waits;
        let passes = std::mem::take(&mut self.body.passes_absence);
        let value = walk(self);
        self.body.passes_absence = passes;
        self.body.waits = waits;
        self.body.node = outer;
        self.body.guards = guards;
        self.body.ret = ret;
        value
    }

    pub fn summary(&mut self, def: DefId) -> Rc<Summary> {
        if let Some(known) = self.summaries.get(&def) {
            return known.clone();
        }
        let Some(function) = self.p.function(def) else { return Rc::new(Summary::opaque(Ty::Unknown, 0)) };
        let scope = self.p.scope_of(def);
        let file = self.p.def(def).file;
        let ret = function.ret.map_or(Ty::Unit, |t| self.p.lower_type(file, t, &scope));
        let arity = function.params.len() + 1;
        let Some(block) = function.body else { return Rc::new(Summary::opaque(ret, arity)) };
        if self.depth >= MAX_DEPTH || !self.active.insert(def) {
            return Rc::new(Summary::opaque(ret, arity));
        }
        self.depth += 1;
        let mut body = Body::new(def, NodeId(0), file, scope);
        body.exclusive_self = matches!(function.receiver, Some(hir::Receiver::RefMut));
        body.counting_self = body.scope.self_ty.as_ref().and_then(Ty::head).is_some_and(|head| self.changed_types.contains(&head));
        body.passes_absence = !self.entry_of.contains_key(&def) && self.may_be_absent(&ret);
        let span = self.p.item(def).span;
        let first_access = self.facts.accesses.len();
        let (first_mint, first_check) = (self.tokens.mints.len(), self.facts.tokens.verifies.len());
        let done = self.within(body, |eval| {
            let node = eval.add_node(NodeKind::Function, None, span);
            eval.body.node = node;
            eval.guarded(def, |eval| {
                eval.bind_params(function);
                let value = eval.expr(block);
                eval.finish(value);
            });
            eval.body.node = node;
        });
        self.depth -= 1;
        self.active.remove(&def);
        let mut value = done.ret.unwrap_or_else(Val::unit);
        let vague = ret.is_unknown() || matches!(ret, Ty::Param(_)) || matches!(ret, Ty::Traits(_)) && value.ty.head().is_some();
        if !vague {
            value.ty = ret;
        }
        if value.form == Form::Plain && !value.reads.is_empty() && self.may_be_absent(&value.ty) {
            value.form = Form::Option;
        }
        self.forget_locals(&mut value);
        value.bound();
        let node_def = |a: &Access| self.facts.node(a.node).def == def;
        let param_accesses = self.facts.accesses[first_access..].iter().enumerate();
        let param_accesses = param_accesses.filter(|(_, a)| matches!(a.place.root, Root::Param(..)) && node_def(a));
        // What several helpers do to one place of a parameter, callers need to hear once.
        let mut told = FxHashSet::default();
        let param_accesses = param_accesses.map(|(i, a)| (AccessId((first_access + i) as u32), a));
        let param_accesses = param_accesses.filter(|(id, a)| told.insert((a.via.unwrap_or(*id), &a.place)));
        let param_accesses = param_accesses.map(|(id, _)| id).take(MAX_PARAM_ACCESSES).collect();
        if done.loads {
            self.facts.loading.insert(def);
        }
        if done.stores {
            self.facts.storing.insert(def);
        }
        let summary = Rc::new(Summary {
            node: Some(done.node),
            ret: value,
            param_accesses,
            loads: done.loads,
            stores: done.stores,
            sleeps: done.sleeps,
            receives: done.receives,
            subscribes: done.subscribes,
            spawns_params: self.left_running(&done.spawned_params, &done.joined),
            mints: self.open_mints(def, first_mint),
            checks: !function.generics.params.is_empty() && (done.checks || self.checks_unnamed(def, first_check)),
            repeats_params: done.repeats_params,
            ages_params: done.ages_params,
            texts: done.texts,
            handed: done.handed,
            param_uses: done.param_uses,
        });
        self.summaries.insert(def, summary.clone());
        summary
    }

    /// `Option<T>`, `Result<Option<T>>`: what such a function does not find is not there for its caller.
    fn may_be_absent(&self, ret: &Ty) -> bool {
        use patterns::{is_option, is_result};
        is_option(&self.p.names, ret) || is_result(&self.p.names, ret) && is_option(&self.p.names, &ret.arg(0))
    }

    /// Drops from a returned value what has no meaning outside the function.
    pub(super) fn forget_locals(&self, value: &mut Val) {
        // The end of a channel is the same channel wherever it goes.
        if matches!(&value.place, Some(Place { root: Root::Local(..), .. })) && !self.is_channel_end(&value.ty) {
            value.place = None;
        }
        if let Some(extra) = &mut value.extra {
            extra.guard = None;
            for (_, field) in &mut extra.fields {
                self.forget_locals(field);
            }
            for elem in &mut extra.elems {
                self.forget_locals(elem);
            }
        }
    }

    fn bind_params(&mut self, function: &'a hir::Function) {
        if function.receiver.is_some() {
            let ty = self.body.scope.self_ty.clone().unwrap_or(Ty::Unknown);
            let name = self.p.names.intern("self");
            let mut value = Val::of(ty.clone(), Prov::param(0));
            value.place = Some(Place::root(Root::Param(0, ty)));
            self.body.env.push(name, value);
        }
        for (index, param) in function.params.iter().enumerate() {
            let ty = param.ty.map_or(Ty::Unknown, |t| self.lower(t));
            if param.ty.is_some_and(|t| self.is_work(function, t, 0)) {
                self.body.work_params |= 1u32.checked_shl(index as u32 + 1).unwrap_or(0);
            }
            let mut value = Val::of(ty.clone(), Prov::param(index + 1));
            if matches!(&ty, Ty::Ext(path, _) if self.cat.instances.is_client_type(self.p.text(*path))) {
                value.prov = value.prov.or(Prov::CLIENT);
            }
            if self.is_text(&ty) {
                value.extra().text_param = Some(index as u32 + 1);
            }
            value.place = Some(Place::root(Root::Param(index as u32 + 1, ty)));
            self.bind(param.pat, value);
        }
    }

    /// Adds a returned value to what the body gives back.
    fn finish(&mut self, value: Val) {
        let joined = match self.body.ret.take() {
            Some(old) => old.join(value),
            None => value,
        };
        self.body.ret = Some(joined);
    }

    /// The value of a static or constant: its declared type and what its initialiser says.
    fn static_value(&mut self, def: DefId) -> Val {
        if let Some(known) = self.statics.get(&def) {
            return known.clone();
        }
        let (ty, init, lazy) = match &self.p.item(def).kind {
            hir::ItemKind::Static { ty, init, lazy, .. } => (*ty, *init, lazy.is_some()),
            hir::ItemKind::Const { ty, init } => (*ty, *init, false),
            _ => return Val::unknown(),
        };
        let scope = self.p.scope_of(def);
        let file = self.p.def(def).file;
        let declared = ty.map_or(Ty::Unknown, |t| self.p.lower_type(file, t, &scope));
        let mut value = Val::of(declared.clone(), Prov::CONST);
        let is_static = self.p.def(def).kind == DefKind::Static;
        if is_static {
            value.place = Some(Place::root(Root::Static(def)));
        }
        self.statics.insert(def, value.clone());
        if let Some(init) = init
            && self.depth < MAX_DEPTH
        {
            self.depth += 1;
            let span = self.p.item(def).span;
            let mut result = Val::unknown();
            self.within(Body::new(def, NodeId(0), file, scope), |eval| {
                eval.body.node = eval.add_node(NodeKind::Initialiser, None, span);
                eval.guarded(def, |eval| result = eval.expr(init));
                if is_static {
                    eval.note_random_digest(&declared, &result, span);
                }
            });
            self.depth -= 1;
            value.prov = if result.prov == Prov::NONE { Prov::CONST } else { result.prov };
            if is_static {
                self.facts.static_starts.insert(def, value.prov);
            }
            if declared.is_unknown() && !lazy {
                value.ty = result.ty.clone();
            }
            let (literal, expires, callable) = (result.literal().cloned(), result.expires(), result.callable());
            let (time, fallback) = (result.time().cloned(), result.extra.as_ref().is_some_and(|e| e.fallback));
            self.note_options(crate::facts::tokens::Home::Static(def), &result);
            if let Some(literal) = &literal {
                self.facts.static_literals.insert(def, literal.clone());
            }
            let extra = value.extra();
            extra.literal = literal;
            extra.expires = expires;
            extra.callable = callable;
            extra.time = time;
            extra.fallback = fallback;
        }
        self.statics.insert(def, value.clone());
        value
    }
}

impl Eval<'_> {
    /// A hasher that begins with something random: what it signs only this process can check.
    fn note_random_digest(&mut self, declared: &Ty, value: &Val, span: Span) {
        let ty = if declared.is_unknown() { &value.ty } else { declared };
        if let Ty::Ext(path, _) = self.peel(ty)
            && value.prov.has(Prov::RANDOM)
            && self.cat.secrets.is_hasher(self.p.text(path))
        {
            let what = self.p.text(path);
            self.effect(EffectKind::Secret, what, span, Prov::NONE, Prov::NONE, None, None);
        }
    }
}

/// Types of the tree that a method changes through `&mut self`.
fn changed_types(p: &Program) -> FxHashSet<Res> {
    let changes = |def: &DefId| p.function(*def).is_some_and(|f| matches!(f.receiver, Some(hir::Receiver::RefMut)));
    let changed = p.impls.iter().filter(|i| i.fns.iter().any(|(_, def)| changes(def)));
    changed.filter_map(|i| i.self_ty.head()).collect()
}
