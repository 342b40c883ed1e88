//! Calls by path: functions of the tree by their summary, others by what the catalog says.

use super::methods::asks_for_leadership;
use super::*;
use crate::facts::value::{Callable, Form, Val};
use crate::resolve::Res;
use crate::resolve::paths::Space;
use crate::syntax::hir::ExprKind;

impl<'a> Eval<'a> {
    pub(super) fn call(&mut self, callee: ExprId, args: &'a [ExprId], span: Span) -> Val {
        let ExprKind::Path(path) = &self.hir().expr(callee).kind else {
            let target = self.expr(callee);
            let values: Vec<Val> = args.iter().map(|&a| self.expr(a)).collect();
            let mut value = self.merge(&values);
            value.prov = value.prov.or(target.prov);
            value.add_reads(&target.reads);
            return value;
        };
        if path.segments.len() == 1
            && path.qself.is_none()
            && let Some(local) = self.local(self.name(path.segments[0].name)).cloned()
        {
            return self.call_local(local, args, span);
        }
        if path.segments.last().is_some_and(|s| asks_for_leadership(self.text(s.name))) {
            self.effect(EffectKind::Claim, "is_leader", span, Prov::NONE, Prov::NONE, None, None);
        }
        if let Some(value) = self.handed_by_function(path, args) {
            return value;
        }
        let bounded = self.bounded_functions(path);
        if !bounded.is_empty() {
            return self.call_functions(&bounded, None, args, span);
        }
        match self.resolve_value(path).or_else(|| self.resolve_type(path)) {
            Some(Res::Def(def)) => match self.p.def(def).kind {
                DefKind::Fn => {
                    let targets = self.implementations(def);
                    let first = self.facts.calls.len();
                    let value = self.call_functions(&targets, None, args, span);
                    if let Some(claims) = path.segments.last().and_then(|s| self.claims_argument(&s.args)) {
                        self.name_claims(first, &claims);
                    }
                    value
                }
                kind @ (DefKind::Variant(_) | DefKind::Struct) => {
                    if kind != DefKind::Struct {
                        self.back_end(def, span);
                    }
                    self.construct(def, args)
                }
                _ => {
                    let values = self.args(args);
                    self.merge(&values)
                }
            },
            Some(Res::Ext(name)) => match self.token_call(name, path, args, span) {
                Some(value) => value,
                None => {
                    let mut value = self.call_external(name, args, span);
                    self.carry_items(&mut value, path);
                    self.open_typed(name, path, span);
                    if let Some(alias) = self.alias_before(path).filter(|a| says_more(a, &value.ty)) {
                        value.ty = alias;
                    }
                    value
                }
            },
            _ => {
                let last = path.segments.last().map_or("", |s| self.text(s.name));
                if let Some(ty) = self.derived_default(path) {
                    self.note_made(&ty);
                    return Val::of(ty, Prov::CONST);
                }
                let name = self.p.names.intern(&format!("?::{last}"));
                self.facts.unknown_calls += 1;
                let mut value = self.call_external(name, args, span);
                if let Some(made) = self.derived_constructor(path, last) {
                    self.note_made(&made);
                    value.ty = made;
                }
                value
            }
        }
    }

    /// Notes that the body makes a value of a struct of the tree.
    pub(super) fn note_made(&mut self, ty: &Ty) {
        if let Ty::Adt(def, _) = ty
            && self.p.def(*def).kind == DefKind::Struct
        {
            self.facts.made.push(Made { ty: *def, node: self.body.node, branch: self.body.branch });
        }
    }

    /// The type of `Type::default()` where a derive has written it.
    fn derived_default(&self, path: &'a crate::syntax::hir::Path) -> Option<Ty> {
        let (last, owner) = path.segments.split_last()?;
        if self.text(last.name) != "default" || path.qself.is_some() {
            return None;
        }
        let names: Vec<Name> = owner.iter().map(|s| self.name(s.name)).collect();
        if let [only] = names.as_slice()
            && self.p.text(*only) == "Self"
        {
            return self.body.scope.self_ty.clone();
        }
        match self.p.resolve(self.body.scope.module, &names, path.global, crate::resolve::paths::Space::Type)? {
            Res::Def(def) if matches!(self.p.def(def).kind, DefKind::Struct | DefKind::Enum) => Some(Ty::adt(def)),
            Res::Def(def) if self.p.def(def).kind == DefKind::Alias => self.p.alias_type(def),
            _ => None,
        }
    }

    /// The type that an alias of the tree before the function's name stands for: `Users::default()`.
    fn alias_before(&self, path: &'a hir::Path) -> Option<Ty> {
        let (_, owner) = path.segments.split_last()?;
        let names: Vec<Name> = owner.iter().map(|s| self.name(s.name)).collect();
        match self.p.resolve(self.body.scope.module, &names, path.global, Space::Type)? {
            Res::Def(def) if self.p.def(def).kind == DefKind::Alias => self.p.alias_type(def),
            _ => None,
        }
    }

    /// An associated function that no impl of the tree has comes from a derive, and those make the type:
    /// `Args::parse()`, `Settings::try_parse()`.
    fn derived_constructor(&self, path: &'a hir::Path, last: &str) -> Option<Ty> {
        let (_, owner) = path.segments.split_last()?;
        let names: Vec<Name> = owner.iter().map(|s| self.name(s.name)).collect();
        let ty = match self.p.resolve(self.body.scope.module, &names, path.global, Space::Type)? {
            Res::Def(def) if matches!(self.p.def(def).kind, DefKind::Struct | DefKind::Enum) => Ty::adt(def),
            _ => return None,
        };
        if last.starts_with("try_") {
            return Some(Ty::Ext(self.p.names.intern("std::result::Result"), [ty].into()));
        }
        Some(ty)
    }

    pub(super) fn args(&mut self, args: &'a [ExprId]) -> Vec<Val> {
        args.iter().map(|&a| self.expr(a)).collect()
    }

    /// A trait's function named by path stands for the impls of the trait.
    fn implementations(&self, def: DefId) -> Vec<DefId> {
        let Some(parent) = self.p.def(def).parent else { return vec![def] };
        if self.p.def(parent).kind != DefKind::Trait {
            return vec![def];
        }
        let found = self.p.methods_on(&Ty::Traits([Res::Def(parent)].into()), self.p.def(def).name);
        if found.is_empty() { vec![def] } else { found }
    }

    /// `T::load(..)` of a type parameter: the functions of all impls of the traits that bind it.
    fn bounded_functions(&self, path: &'a hir::Path) -> Vec<DefId> {
        let [owner, last] = path.segments.as_slice() else { return Vec::new() };
        let owner = self.name(owner.name);
        match self.body.scope.generics.iter().find(|(name, _)| *name == owner && path.qself.is_none()) {
            Some((_, ty @ Ty::Traits(_))) => self.p.methods_on(ty, self.name(last.name)),
            _ => Vec::new(),
        }
    }

    /// A call of a variable: a closure was walked where it was made, a parameter is the caller's.
    fn call_local(&mut self, local: Val, args: &'a [ExprId], span: Span) -> Val {
        if let Some(Callable::Function(def)) = local.callable() {
            return self.call_functions(&[def], None, args, span);
        }
        self.note_spawned_param(&local);
        if let Some(Place { root: Root::Param(index, _), path }) = &local.place
            && path.is_empty()
        {
            self.body.called_params |= 1u32.checked_shl(*index).unwrap_or(0) & self.body.work_params;
        }
        let values: Vec<Val> = args.iter().map(|&a| self.place_or_value(a)).collect();
        self.note_handed(&local, &values);
        let mut value = self.merge(&values);
        value.prov = value.prov.or(local.prov);
        value.add_reads(&local.reads);
        value.ty = match &local.ty {
            Ty::Ext(name, _) if self.p.text(*name) == "std::ops::Fn" => local.ty.arg(0),
            ty => ty.clone(),
        };
        value
    }

    fn construct(&mut self, def: DefId, args: &'a [ExprId]) -> Val {
        let owner = match self.p.def(def).kind {
            DefKind::Variant(_) => self.p.def(def).parent.unwrap_or(def),
            _ => def,
        };
        let values = self.args(args);
        let mut value = self.merge(&values);
        value.ty = Ty::adt(owner);
        self.note_made(&value.ty);
        value.form = Form::Plain;
        if owner == def {
            for (index, given) in values.iter().enumerate() {
                let channel = self.channel_of(given);
                if channel.is_some() || given.prov.has(Prov::RANDOM) {
                    let field = self.p.names.intern(&index.to_string());
                    let (prov, node) = (given.prov, self.body.node);
                    self.facts.inits.push(Init {
                        choice: self.body.choice,
                        holder: def,
                        field,
                        prov,
                        expires: false,
                        node,
                        channel,
                        made: None,
                        span: self.span(args[index]),
                    });
                }
            }
            value.extra().fields = values.into_iter().enumerate().map(|(i, v)| (self.p.names.intern(&i.to_string()), v)).collect();
        }
        value
    }

    /// Calls one function of the tree, or any of several behind a trait.
    pub(super) fn call_functions(&mut self, targets: &[DefId], recv: Option<Val>, args: &'a [ExprId], span: Span) -> Val {
        self.facts.known_calls += 1;
        let summaries: Vec<_> = targets.iter().take(12).map(|&t| (t, self.summary(t))).collect();
        let spawned = summaries.iter().fold(0, |mask, (_, s)| mask | s.spawns_params);
        let with_self = targets.first().and_then(|&t| self.p.function(t)).is_some_and(|f| f.receiver.is_some());
        let mut values = Vec::with_capacity(args.len() + 1);
        match recv {
            Some(recv) => values.push(recv),
            // `Type::method(x, ..)` passes `self` as the first argument.
            None if !with_self => values.push(Val::unknown()),
            None => {}
        }
        let name = targets.first().map_or(String::new(), |&t| self.p.text(self.p.def(t).name).to_string());
        let mut task = None;
        for &arg in args {
            let index = values.len();
            let handed = || summaries.iter().find_map(|(_, s)| self.handed_to(s, index, &values));
            let value = match &self.hir().expr(arg).kind {
                _ if index < 32 && spawned & (1 << index) != 0 => {
                    let work = self.spawn(arg, &name, span, false);
                    task = task.or(work.spawn());
                    work
                }
                ExprKind::Closure(_) => {
                    let handed = handed().unwrap_or_default();
                    self.arg(arg, &handed)
                }
                _ => self.expr(arg),
            };
            values.push(value);
        }
        // A handle that something is made of is joined or aborted from there.
        if targets.first().is_some_and(|&t| self.makes_owner(t)) {
            for effect in values.iter().filter_map(Val::spawn) {
                self.mark_awaited(effect);
            }
        }
        let provs: Vec<Prov> = values.iter().map(|v| v.prov).collect();
        let mut result: Option<Val> = None;
        for (target, summary) in &summaries {
            self.record_call(*target, CallKind::Call, summaries.len() > 1, span, provs.clone());
            if summary.checks {
                self.note_check();
            }
            let mut value = self.apply(summary, &values, span);
            // The handle that a helper gives back is the one of the work that it was given here.
            if value.spawn().is_some() && task.is_some() {
                value.extra().spawn = task;
            }
            result = Some(match result {
                Some(old) => old.join(value),
                None => value,
            });
        }
        if with_self && let Some(given) = values.get(1..).filter(|given| !given.is_empty()) {
            let given = self.merge(given);
            self.note_given(&given, span);
        }
        result.unwrap_or_else(Val::unknown)
    }

    /// Whether a function makes a value of the type that it belongs to.
    fn makes_owner(&self, def: DefId) -> bool {
        let scope = self.p.scope_of(def);
        let ret = self.p.function(def).and_then(|f| f.ret).map(|ty| self.p.lower_type(self.p.def(def).file, ty, &scope));
        match (ret, &scope.self_ty) {
            (Some(Ty::Adt(made, _)), Some(Ty::Adt(own, _))) => made == *own,
            _ => false,
        }
    }
}

/// Whether one type is another with the arguments that are not written there.
fn says_more(full: &Ty, bare: &Ty) -> bool {
    matches!((full, bare), (Ty::Ext(a, args), Ty::Ext(b, none)) if a == b && none.is_empty() && !args.is_empty())
}
