//! Recording: accesses, uses, effects, calls, guards and what awaiting does.

use super::asked::{changes, claims, posts, publishes};
use super::patterns::{is_option, is_wrapper};
use super::*;
use crate::catalog::{FnEffect, Op, StoreKind};
use crate::facts::sql;
use crate::facts::value::{Form, Val};

impl<'a> Eval<'a> {
    fn guard_list(&self) -> Vec<AccessId> {
        self.body.guards.iter().map(|g| g.access).collect()
    }

    /// Records an access to where a value lies. Places made in this very body are of no interest.
    pub(super) fn access(&mut self, on: &Val, op: Op, key: Prov, value: Prov, method: &str, span: Span) -> Option<AccessId> {
        if op == Op::Recv && !matches!(method, "try_recv" | "recv_timeout" | "iter") {
            self.body.waits += 1;
        }
        let place = on.place.clone()?;
        let local = matches!(place.root, Root::Local(node, _) if node == self.body.node);
        // What a call gave may be fed from anywhere; a channel that was made here is not.
        let own = matches!(&place.root, Root::Local(_, made) if local && self.body.channels.contains(made));
        self.body.own_waits += u32::from(own && op == Op::Recv);
        let held = local && self.is_held(&place);
        if let (Root::Local(node, span), true) = (&place.root, held) {
            self.facts.held.insert((*node, *span));
        }
        if self.is_copy(&place, &on.ty) {
            return None;
        }
        // A flag is looked at where it was made as well as in the tasks that got a copy.
        if local && !held && !self.is_atomic(&on.ty) && !matches!(op, Op::Lock | Op::TryLock | Op::ReadLock | Op::Acquire | Op::Wait) {
            return None;
        }
        let order = self.next();
        let access = Access {
            node: self.body.node,
            place,
            op,
            ty: self.peel(&on.ty),
            method: self.p.names.intern(method),
            key,
            value,
            span,
            order,
            branch: self.body.branch,
            guards: self.guard_list(),
            via: None,
            expires: on.expires(),
            literal: None,
        };
        let id = AccessId(self.facts.accesses.len() as u32);
        self.facts.accesses.push(access);
        Some(id)
    }

    /// Whether a place is a variable that the loop which is walked keeps from one item of a channel to the next.
    pub(super) fn is_held(&self, place: &Place) -> bool {
        let before = |made: Span| self.body.receiving.is_some_and(|at| (made.line, made.column) < (at.line, at.column));
        matches!(place.root, Root::Local(node, made) if (node == self.body.node || self.consumes_for(node)) && before(made))
    }

    pub(super) fn use_of(&mut self, access: AccessId, kind: UseKind, span: Span) {
        let order = self.next();
        self.facts.uses.push(Use { access, node: self.body.node, kind, span, order });
    }

    /// Remembers that a parameter flows into a sink, for what callers pass.
    pub(super) fn note_param_use(&mut self, value: &Val, kind: UseKind) {
        let sinks = [UseKind::Identity, UseKind::Stored, UseKind::Kept, UseKind::Response, UseKind::Signs];
        if value.prov.params == 0 || !sinks.contains(&kind) {
            return;
        }
        // Whether it is the value itself that a callee stores is not known to the caller.
        let kind = if kind == UseKind::Stored { UseKind::Kept } else { kind };
        match self.body.param_uses.iter_mut().find(|(_, k)| *k == kind) {
            Some((params, _)) => *params |= value.prov.params,
            None => self.body.param_uses.push((value.prov.params, kind)),
        }
    }

    pub(super) fn uses_of(&mut self, value: &Val, kind: UseKind, span: Span) {
        self.note_param_use(value, kind);
        for &access in &value.reads {
            let order = self.next();
            self.facts.uses.push(Use { access, node: self.body.node, kind, span, order });
        }
    }

    /// What lies in a cell and is handed on as a whole is read by whoever gets it.
    pub(super) fn handed_on(&mut self, values: &mut [Val], span: Span) {
        for value in values {
            if value.inside() && value.reads.is_empty() && self.may_be_collection(&value.ty) {
                let read = self.access(value, Op::Read, Prov::NONE, Prov::NONE, "borrow", span);
                value.reads.extend(read);
                value.prov = value.prov.or(Prov::CELL);
            }
        }
    }

    /// Writes through an assignment or an operator.
    pub(super) fn write(&mut self, target: Val, op: Op, value: Val, span: Span) {
        let counts = target.inside()
            || !matches!(&target.place, Some(Place { root: Root::Param(_, _) | Root::Local(..), .. }))
            || self.body.exclusive_self
            || self.is_mutable_param(&target)
            || target.place.as_ref().is_some_and(|p| self.is_held(p));
        if !counts {
            return;
        }
        let id = self.access(&target, op, target.prov, value.prov, if op == Op::Rmw { "op-assign" } else { "assign" }, span);
        if let (Some(id), Some(literal)) = (id, value.literal()) {
            self.facts.accesses[id.index()].literal = Some(literal.clone());
        }
        // Values of other cells; a value that goes back where it came from goes nowhere.
        let mut value = value;
        value.reads.retain(|&r| Some(&self.facts.access(r).place) != target.place.as_ref());
        self.uses_of(&value, UseKind::Kept, span);
    }

    fn is_mutable_param(&self, target: &Val) -> bool {
        matches!(&target.place, Some(Place { root: Root::Param(..), .. }))
    }

    pub(super) fn record_call(&mut self, target: DefId, kind: CallKind, dynamic: bool, span: Span, args: Vec<Prov>) {
        let order = self.next();
        let call = Call {
            choice: self.body.choice,
            node: self.body.node,
            target,
            kind,
            dynamic,
            span,
            order,
            branch: self.body.branch,
            guards: self.guard_list(),
            args,
            claims: None,
            checks: false,
            answers: false,
        };
        self.facts.calls.push(call);
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one record")]
    pub(super) fn effect(
        &mut self,
        kind: EffectKind,
        what: &str,
        span: Span,
        path: Prov,
        data: Prov,
        text: Option<String>,
        on: Option<Place>,
    ) -> EffectId {
        let order = self.next();
        match &kind {
            EffectKind::Store { writes, .. } => {
                self.body.loads |= !*writes;
                self.body.stores |= *writes;
            }
            EffectKind::Sleep => self.body.sleeps = true,
            _ => {}
        }
        let id = EffectId(self.facts.effects.len() as u32);
        let effect = Effect {
            choice: self.body.choice,
            node: self.body.node,
            kind,
            what: what.to_string(),
            span,
            order,
            branch: self.body.branch,
            guards: self.guard_list(),
            path,
            data,
            text,
            on,
            delegated: false,
        };
        self.facts.effects.push(effect);
        id
    }

    pub(super) fn mark_awaited(&mut self, effect: EffectId) {
        // Whoever did not ask for it gets an answer at once.
        if self.body.if_asked.is_some_and(|before| effect.index() < before) {
            return;
        }
        if let EffectKind::Spawn { awaited, .. } = &mut self.facts.effects[effect.index()].kind {
            *awaited = true;
        }
    }

    /// Takes a lock or permit: the guard lives until its statement ends or its variable goes.
    pub(super) fn hold(&mut self, access: AccessId) {
        self.body.guards.push(Guard { access, name: None });
    }

    pub(super) fn release(&mut self, value: &Val) {
        if let Some(access) = value.guard() {
            self.body.guards.retain(|g| g.access != access);
        }
    }

    /// `.await`: carries out what was only described, joins what was spawned.
    pub(super) fn awaited(&mut self, mut value: Val, span: Span) -> Val {
        self.note_spawned_param(&value);
        if let Some(effect) = value.spawn() {
            self.mark_awaited(effect);
            self.join(effect);
            value.extra().spawn = None;
        }
        self.carry_out(value, span)
    }

    /// Performs the store call that a value describes, if it describes one.
    pub(super) fn carry_out(&mut self, mut value: Val, span: Span) -> Val {
        let Some(call) = value.extra.as_mut().and_then(|e| e.store.take()) else { return value };
        // The first call on a client of the AWS SDK names the operation, and those behind it fill in its input.
        let named = matches!(&value.ty, Ty::Ext(path, _) if crate::catalog::first(self.p.text(*path)).starts_with("aws_sdk_"));
        let verbs = if named { call.verbs.get(..1).unwrap_or_default() } else { call.verbs.as_slice() };
        let writes = match call.kind {
            StoreKind::Http => posts(&call.verbs),
            // A transport that is built or asked for its health has sent nothing.
            StoreKind::Mail => call.verbs.iter().any(|v| v.starts_with("send") || v.starts_with("deliver")),
            StoreKind::Embedded => {
                let listed = |v: &String| match &value.ty {
                    Ty::Ext(path, _) => self.cat.writes_engine(self.p.text(*path), v),
                    _ => None,
                };
                let by_name = || changes(call.text.as_deref(), &call.verbs);
                let known: Option<Vec<bool>> = call.verbs.iter().map(listed).collect();
                known.map_or_else(by_name, |verbs| verbs.contains(&true))
            }
            StoreKind::Queue => changes(call.text.as_deref(), verbs) || verbs.iter().any(|v| publishes(v)),
            _ => changes(call.text.as_deref(), verbs),
        };
        let what = call.verbs.join(".");
        self.body.subscribes |= self.is_bus(&value.ty);
        if let Some(taken) = self.message_call(&value, &call, &what, span) {
            return taken;
        }
        if claims(call.text.as_deref(), &call.verbs) {
            self.effect(EffectKind::Claim, &what, span, Prov::NONE, Prov::NONE, call.text.clone(), None);
        }
        self.uses_of(&value, UseKind::Stored, span);
        let on = value.place.take();
        let known = (self.body.loads, self.body.stores);
        let prepared = call.verbs.last().is_some_and(|v| v.starts_with("prepare"));
        let effect = self.effect(EffectKind::Store { kind: call.kind, writes }, &what, span, value.prov, value.prov, call.text.clone(), on);
        if let Some(param) =
            call.text_param.filter(|_| call.text.is_none() && matches!(call.kind, StoreKind::Sql | StoreKind::Embedded) && !prepared)
        {
            // What it does to the store is for the callers to say.
            (self.body.loads, self.body.stores) = known;
            self.delegate(effect, param, call.kind, &call.verbs);
        }
        let ty = match &value.ty {
            Ty::Ext(name, _) if self.cat.store(self.p.text(*name)).is_some() => value.ty.clone(),
            other => other.clone(),
        };
        let mut result = Val::of(ty, Prov::STORE);
        result.form = Form::Plain;
        // The name of the queue goes with its stream.
        if let Some(name) = value.literal().filter(|_| self.consumer(&result.ty).is_some()) {
            result.extra().literal = Some(name.clone());
        }
        if prepared {
            // A prepared statement stands for its text.
            let extra = result.extra();
            extra.literal = call.text.map(Literal::Str);
            extra.text_param = call.text_param;
        }
        result
    }

    /// The content of a result or option whose absence is an error to whoever asked.
    pub(super) fn peel_required(&mut self, value: Val, span: Span) -> Val {
        let mut value = if value.store().is_some() { self.carry_out(value, span) } else { value };
        let wrapped = is_wrapper(&self.p.names, &value.ty);
        let option = is_option(&self.p.names, &value.ty) || value.ty.is_unknown();
        if value.form == Form::Option && (option || !wrapped || !is_option(&self.p.names, &value.ty.arg(0))) {
            self.uses_of(&value, UseKind::Required, span);
            value.form = Form::Plain;
        }
        if wrapped {
            value.ty = value.ty.arg(0);
        }
        value
    }

    /// A file that is opened only to learn whether that works is not written.
    pub(super) fn only_probed(&mut self, opened: &Val) {
        let is_file = matches!(&opened.ty, Ty::Ext(name, _) if self.p.text(*name) == "std::fs::File");
        if let Some(last) = self.facts.effects.last_mut()
            && is_file
            && last.node == self.body.node
            && last.order == self.body.order
            && last.kind == EffectKind::File(FnEffect::FileWrite)
        {
            last.kind = EffectKind::File(FnEffect::FileRead);
        }
    }

    /// One element of what is iterated.
    pub(super) fn element(&mut self, over: &Val, span: Span) -> Val {
        let ty = self.peel(&over.ty);
        let info = match &ty {
            Ty::Ext(name, _) => self.cat.type_info(&self.p.names, *name),
            _ => None,
        };
        let elem = match (&ty, info) {
            (Ty::Ext(..), Some(info)) if self.cat.class_name(info) == "map" => Ty::Tuple([ty.arg(0), ty.arg(info.value)].into()),
            (Ty::Ext(_, args), _) if !args.is_empty() => ty.arg(0),
            (Ty::Seq(_), _) => ty.arg(0),
            // What a broker's client gives is of the client's crate.
            (Ty::Ext(..), None) if self.consumer(&ty).is_some() => ty.clone(),
            _ => Ty::Unknown,
        };
        let mut value = over.derived(elem);
        value.form = Form::Plain;
        if let Some(info) = info {
            match self.cat.class_name(info) {
                "receiver" => {
                    self.access(over, Op::Recv, Prov::NONE, Prov::NONE, "iter", span);
                }
                "map" | "set" | "seq" | "cache" => {
                    let read = self.access(over, Op::Read, Prov::NONE, Prov::NONE, "iter", span);
                    value.reads.extend(read);
                }
                _ => {}
            }
        }
        value.place = over.place.as_ref().map(|p| p.step(Seg::Elem));
        if self.is_bus(&over.ty) {
            value.prov = Prov::BUS;
        }
        value.extra().inside = over.inside();
        value
    }

    fn is_atomic(&self, ty: &Ty) -> bool {
        let ty = self.peel(ty);
        matches!(&ty, Ty::Ext(name, _) if self.cat.type_info(&self.p.names, *name).is_some_and(|i| self.cat.class_name(i) == "atomic"))
    }

    /// `INSERT .. ON CONFLICT DO NOTHING`, and who has inserted goes on: a claim, if the last call on a store was one.
    pub(super) fn note_inserted_once(&mut self, span: Span) {
        let last = self.facts.effects.iter().rev().find(|e| e.node == self.body.node && matches!(e.kind, EffectKind::Store { .. }));
        // Not the question for the rows takes, but the statement.
        let span = last.map_or(span, |e| e.span);
        let text = last.and_then(|e| e.text.as_deref()).unwrap_or_default().to_ascii_uppercase();
        // An update of rows that are in a state, and out of it afterwards: by text, or built with a condition beside the key.
        let built = last.is_some_and(|e| e.what.starts_with("update") && e.what.split('.').filter(|verb| *verb == "filter").count() > 1);
        if text.contains("ON CONFLICT") && text.contains("DO NOTHING") || sql::settles(&text) || built {
            self.effect(EffectKind::Claim, "rows_affected", span, Prov::NONE, Prov::NONE, None, None);
        }
    }

    pub(super) fn is_bus(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(name, _) if self.cat.is_bus_type(self.p.text(*name)))
    }

    /// The kind of client a value is, by the crate of its type.
    pub(super) fn client(&self, ty: &Ty) -> Option<StoreKind> {
        match self.peel(ty) {
            Ty::Ext(name, args) => {
                let text = self.p.text(name);
                self.cat.store(text).or_else(|| {
                    // Locks and pools around a client, `deadpool::managed::Object<..>`.
                    let held = text.starts_with("std::") || self.cat.type_info(&self.p.names, name).is_some();
                    if held { None } else { args.iter().find_map(|a| self.client(a)) }
                })
            }
            Ty::Traits(traits) => traits.iter().find_map(|t| match t {
                crate::resolve::Res::Ext(name) => self.cat.store(self.p.text(*name)),
                _ => None,
            }),
            _ => None,
        }
    }
}
