//! Method calls: methods of the tree by the receiver's type, catalogued methods of external types,
//! clients of backing stores, and the adaptors of options, results and iterators.

use super::*;
use crate::catalog::{FnEffect, Gives, Op, TypeInfo};
use crate::facts::hosts::{holds_answer, holds_sender};
use crate::facts::value::{Form, StoreCall, Val};
use crate::syntax::hir::ExprKind;

/// Methods by which a hasher takes in what is hashed.
const HASHED: &[&str] = &["update", "consume", "chain_update", "input", "chain", "write"];

/// First words of methods that change a session or a cookie.
const CHANGING: &[&str] = &[
    "add",
    "insert",
    "set",
    "store",
    "save",
    "put",
    "update",
    "create",
    "remove",
    "delete",
    "destroy",
    "purge",
    "clear",
    "renew",
    "regenerate",
    "cycle",
    "flush",
    "login",
    "logout",
];

/// First words of methods that put what they are given into the value they are called on.
const PUTTING: &[&str] = &["insert", "push", "set", "append", "add", "extend", "put", "write"];

impl<'a> Eval<'a> {
    pub(super) fn method(
        &mut self,
        recv: ExprId,
        name: &'a str,
        name_span: Span,
        generics: &'a [hir::TypeId],
        args: &'a [ExprId],
        span: Span,
    ) -> Val {
        let value = self.method_of(recv, name, name_span, generics, args, span);
        if let Some((at, prov, reads)) = self.body.given.take()
            && at == name_end(name_span)
            && PUTTING.contains(&name.split('_').next().unwrap_or(name))
        {
            self.put_into(recv, prov, &reads);
        }
        value
    }

    /// `response.insert_header(name, value)`: what a variable of this body is given, it will hand on.
    fn put_into(&mut self, variable: ExprId, prov: Prov, reads: &[AccessId]) {
        let ExprKind::Path(path) = &self.hir().expr(variable).kind else { return };
        let [only] = path.segments.as_slice() else { return };
        let (name, node) = (self.name(only.name), self.body.node);
        if let Some(value) = self.body.env.get_mut(name)
            && value.place.as_ref().is_none_or(|p| matches!(p.root, Root::Local(made, _) if made == node))
        {
            value.add_reads(reads);
            value.prov = value.prov.or(prov);
        }
    }

    fn note_given(&mut self, given: &Val, span: Span) {
        self.body.given = Some((span, given.prov, given.reads.clone()));
    }

    fn method_of(
        &mut self,
        recv: ExprId,
        name: &'a str,
        name_span: Span,
        generics: &'a [hir::TypeId],
        args: &'a [ExprId],
        span: Span,
    ) -> Val {
        let receiver = self.place_or_value(recv);
        let variable = self.variable(recv);
        if let Some(value) = self.handed_out(&receiver, name, generics, args) {
            return value;
        }
        if let Some(value) = self.downcast(&receiver, name, generics) {
            return value;
        }
        // Query builders say `SKIP LOCKED` by a method of that name.
        if asks_for_leadership(name) || name == "skip_locked" {
            self.effect(EffectKind::Claim, name, span, Prov::NONE, Prov::NONE, None, None);
        }
        self.body.connection |= name == "accept" && args.is_empty();
        if let Some(effect) = receiver.spawn().filter(|_| name == "join") {
            self.join(effect);
        }
        let at = name_end(name_span);
        if let Some(value) = self.time_method(&receiver, name, args) {
            return value;
        }
        if let Some(value) = self.token_method(&receiver, recv, name, args, at) {
            return value;
        }
        let recv = receiver;
        if recv.store().is_some() {
            return self.client_chain(recv, name, args, at);
        }
        self.note_handle(&recv.ty, name, at);
        if let Some(value) = self.split_socket(&recv, name, args) {
            return value;
        }
        let method = self.p.names.intern(name);
        let mut on = recv.clone();
        for _ in 0..8 {
            let targets = self.p.methods_in(self.body.scope.module, &on.ty, method);
            if !targets.is_empty() && !self.is_inherent(&on.ty, name) {
                let registered = self.registering(&on, name, args, span);
                return registered.unwrap_or_else(|| self.call_functions(&targets, Some(on), args, at));
            }
            let Ty::Ext(path, _) = &on.ty else {
                match self.deref_impl(&on.ty) {
                    Some((target, seg)) => {
                        on.ty = target;
                        on.place = match (on.place, seg) {
                            (Some(place), Some(seg)) => Some(place.step(seg)),
                            (place, _) => place,
                        };
                        continue;
                    }
                    None => break,
                }
            };
            let text = self.p.text(*path);
            if let Some(info) = self.cat.method(text, name) {
                return self.effect_method(on, text, name, info, args, at);
            }
            let Some(info) = self.cat.type_info(&self.p.names, *path) else {
                // A wrapper that nothing is known of: what it holds has the method, so it dereferences.
                let held = on.ty.arg(0);
                let known = match &held {
                    Ty::Ext(inner, _) => self.cat.method(self.p.text(*inner), name).is_some(),
                    _ => !self.p.methods_on(&held, method).is_empty(),
                };
                if matches!(held, Ty::Adt(..) | Ty::Traits(_) | Ty::Ext(..)) && known {
                    on.ty = held;
                    continue;
                }
                break;
            };
            if info.shares && name == "clone" {
                self.facts.known_calls += 1;
                return on;
            }
            if let Some(&(op, gives)) = self.cat.class(info).methods.get(name) {
                self.facts.known_calls += 1;
                return self.operate(on, info, op, gives, name, args, at);
            }
            if !self.cat.class(info).deref {
                break;
            }
            on.ty = on.ty.arg(0);
        }
        if let Some(value) = self.registering(&on, name, args, span) {
            return value;
        }
        self.note_library(&on.ty, name, at);
        if let Some(value) = self.adaptor(&on, name, args, at) {
            self.facts.known_calls += 1;
            return value;
        }
        if let Some(kind) = self.client(&on.ty) {
            let mut value = on;
            value.extra().store = Some(StoreCall { kind, text: None, text_param: None, verbs: Vec::new() });
            // A message is of its client's crate and still what somebody sent.
            value.prov = if value.prov.has(Prov::REQUEST) { Prov::REQUEST } else { Prov::NONE };
            value.reads.clear();
            return self.client_chain(value, name, args, at);
        }
        let takes = HASHED.contains(&name) && matches!(&on.ty, Ty::Ext(path, _) if self.cat.secrets.is_hasher(self.p.text(*path)));
        let value = self.unknown_method(on, name, args, at);
        // What a hasher takes in is in all that it gives.
        if takes && let Some(own) = variable.and_then(|name| self.body.env.get_mut(name)) {
            own.prov = own.prov.or(value.prov);
        }
        value
    }

    /// The variable that an expression names.
    fn variable(&self, expr: ExprId) -> Option<Name> {
        match &self.hir().expr(expr).kind {
            ExprKind::Path(path) if path.segments.len() == 1 && path.qself.is_none() => Some(self.name(path.segments[0].name)),
            _ => None,
        }
    }

    /// `socket.split()`: a half to write to the client, and one to read from it.
    fn split_socket(&self, on: &Val, name: &str, args: &[ExprId]) -> Option<Val> {
        let Ty::Ext(path, _) = &on.ty else { return None };
        let socket = self.cat.type_info(&self.p.names, *path).is_some_and(|i| self.cat.class_name(i) == "socket");
        if name != "split" || !args.is_empty() || !socket {
            return None;
        }
        let half = |path: &str| on.derived(Ty::ext(self.p.names.intern(path)));
        let halves = vec![half("futures_util::stream::SplitSink"), half("futures_util::stream::SplitStream")];
        let mut value = on.derived(Ty::Tuple(halves.iter().map(|h| h.ty.clone()).collect()));
        value.extra().elems = halves;
        Some(value)
    }

    /// A call on what a library hands to requests: a session, a signed cookie jar.
    fn note_handle(&mut self, ty: &Ty, name: &str, span: Span) {
        let Ty::Ext(path, _) = self.peel(ty) else { return };
        let text = self.p.text(path);
        if !self.cat.handle(text).is_empty() {
            let first = name.split('_').next().unwrap_or(name);
            let writes = CHANGING.contains(&first);
            self.effect(EffectKind::Handle { writes }, &format!("{text}::{name}"), span, Prov::NONE, Prov::NONE, None, None);
        }
    }

    /// The method of a builder by which a part of a library is made that is state by itself.
    fn note_library(&mut self, ty: &Ty, name: &str, span: Span) {
        let Ty::Ext(path, _) = ty else { return };
        let called = format!("{}::{name}", self.p.text(*path));
        if let Some(library) = self.cat.library(&called) {
            let rule = library.rule.clone();
            self.effect(EffectKind::Library(rule), &called, span, Prov::NONE, Prov::NONE, None, None);
        }
    }

    /// A collection's own method, which hides those of traits that the tree implements for whatever has it.
    fn is_inherent(&self, ty: &Ty, name: &str) -> bool {
        let Ty::Ext(path, _) = ty else { return false };
        self.cat.type_info(&self.p.names, *path).is_some_and(|info| {
            let own = matches!(self.cat.class_name(info), "map" | "set" | "seq" | "cache" | "atomic" | "option" | "sender");
            own && self.cat.class(info).methods.contains_key(name)
        })
    }

    /// A catalogued method of an external type.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn operate(&mut self, on: Val, info: TypeInfo, op: Op, gives: Gives, name: &str, args: &'a [ExprId], span: Span) -> Val {
        let class = self.cat.class_name(info);
        let elem_ty = on.ty.arg(info.value);
        let loads_before = self.body.loads;
        let first_effect = self.facts.effects.len();
        let hint = self.inside(&on, elem_ty.clone(), None);
        // `retain(|key, value| ..)` of a map.
        let hints = if op == Op::Prune && class == "map" { vec![Val::unknown(), hint] } else { vec![hint] };
        let mut values: Vec<Val> = args.iter().map(|&a| self.arg(a, &hints)).collect();
        let pending = op == Op::LoadThrough && values.iter().any(|v| v.store().is_some());
        if pending {
            values = values.into_iter().map(|v| self.carry_out(v, span)).collect();
        }
        let loads = pending
            || self.body.loads && !loads_before
            || self.facts.effects[first_effect..].iter().any(|e| matches!(e.kind, EffectKind::Store { .. }));
        let given = self.merge(&values);
        self.note_given(&given, span);
        let at = |i: usize| values.get(i).map_or(Prov::NONE, |v| v.prov);
        let (key, value) = match (op, class) {
            (Op::Insert | Op::InsertNew, "set") => (at(0), at(0)),
            (Op::Insert | Op::InsertNew, _) if values.is_empty() => (Prov::NONE, Prov::UNKNOWN),
            (Op::Insert | Op::InsertNew, _) if values.len() == 1 => (Prov::NONE, at(0)),
            (Op::Insert | Op::InsertNew, _) => (at(0), at(1)),
            (Op::LoadThrough, "option") => (Prov::NONE, at(0)),
            (Op::LoadThrough, _) => (at(0), if loads { at(1).or(Prov::STORE) } else { at(1) }),
            (Op::Push, _) => (Prov::NONE, at(values.len().saturating_sub(1))),
            (Op::Store | Op::Swap | Op::Send | Op::Reply | Op::Init | Op::Rmw, _) => (Prov::NONE, at(0)),
            (Op::Cas, _) => (at(0), at(1)),
            _ => (at(0), Prov::NONE),
        };
        if op == Op::Clear && self.is_local(&on) {
            return Val::unit();
        }
        let access = match op {
            Op::Pass | Op::None => None,
            _ => self.access(&on, op, key, value, name, span),
        };
        if let (Some(access), Some(literal)) = (access, values.first().and_then(Val::literal)) {
            self.facts.accesses[access.index()].literal = Some(literal.clone());
        }
        if let Some(access) = access.filter(|_| matches!(op, Op::Insert | Op::InsertNew | Op::Push))
            && on.place.as_ref().is_some_and(|p| self.is_held(p))
            && values.iter().any(|v| holds_answer(self.p, self.cat, &v.ty))
        {
            self.facts.unanswered.insert(access);
        }
        // A handle that is put somewhere is joined or aborted from there.
        for effect in values.iter().filter_map(Val::spawn) {
            self.mark_awaited(effect);
        }
        for (index, given) in values.iter().enumerate() {
            let is_key = index == 0
                && matches!(op, Op::Get | Op::Contains | Op::Insert | Op::InsertNew | Op::Remove | Op::Entry)
                && values.len() + usize::from(op != Op::Insert) > 1;
            let kind = match op {
                // Whoever waits at the other end has asked for it.
                Op::Reply => UseKind::Response,
                Op::Send if class == "socket" => UseKind::Response,
                _ if is_key => UseKind::Identity,
                _ => UseKind::Kept,
            };
            if op == Op::Send && class == "sender" {
                // What a caller's number means to whoever takes it out of a channel is not known here.
                for access in given.reads.clone() {
                    self.use_of(access, kind, span);
                }
                continue;
            }
            self.uses_of(given, kind, span);
        }
        if matches!(op, Op::Lock | Op::TryLock | Op::ReadLock | Op::Acquire) {
            let mut guard = self.inside(&on, on.ty.arg(0), access);
            guard.place.clone_from(&on.place);
            if let Some(access) = access {
                self.hold(access);
                guard.extra().guard = Some(access);
            }
            if op == Op::Acquire {
                guard.ty = Ty::Unit;
            }
            guard.reads.clone_from(&on.reads);
            return guard;
        }
        let mut value = self.give(&on, op, gives, access, elem_ty, values);
        // The whole of it by another way, `get_mut`, `request.state()`: the same place.
        if op == Op::Pass && gives != Gives::Unit {
            value.place.clone_from(&on.place);
            value.extra().inside = on.inside();
        }
        value
    }

    fn is_local(&self, on: &Val) -> bool {
        on.place.as_ref().is_none_or(|p| matches!(p.root, Root::Local(node, _) if node == self.body.node) && !self.is_held(p))
    }

    /// A value that lies inside another: an element, or what a guard opens.
    pub(super) fn inside(&self, on: &Val, ty: Ty, _access: Option<AccessId>) -> Val {
        let mut value = on.derived(ty);
        value.place = on.place.as_ref().map(|p| p.step(Seg::Elem));
        value.form = Form::Plain;
        value.extra().inside = !self.is_local(on) || on.inside();
        value.extra().expires = on.expires();
        value
    }

    fn give(&mut self, on: &Val, op: Op, gives: Gives, access: Option<AccessId>, elem: Ty, values: Vec<Val>) -> Val {
        let names = &self.p.names;
        let prim = |text: &str| Ty::Prim(names.intern(text));
        let wrap = |name: &str, ty: Ty| Ty::Ext(names.intern(name), [ty].into());
        let read = on.prov.or(if access.is_some() { Prov::CELL } else { Prov::NONE });
        let mut value = match gives {
            Gives::Inner => on.derived(on.ty.arg(0)),
            Gives::OptInner => on.derived(wrap("std::option::Option", on.ty.arg(0))),
            Gives::IterInner => on.derived(wrap("std::iter::Iterator", on.ty.arg(0))),
            Gives::Value => self.inside(on, elem, access),
            Gives::OptValue => self.inside(on, wrap("std::option::Option", elem), access),
            Gives::IterValue if values.is_empty() && self.is_pairs(on, op) => {
                // A slab's keys are numbers that it gives itself.
                let key = if on.ty.args().len() > 1 { on.ty.arg(0) } else { prim("usize") };
                let pair = Ty::Tuple([key, elem].into());
                self.inside(on, wrap("std::iter::Iterator", pair), access)
            }
            Gives::IterValue => self.inside(on, wrap("std::iter::Iterator", elem), access),
            Gives::Key => on.derived(on.ty.arg(0)),
            Gives::IterKey => on.derived(wrap("std::iter::Iterator", on.ty.arg(0))),
            // A copy of senders still reaches whoever the original reaches.
            Gives::Same if holds_sender(self.p, self.cat, &on.ty) => on.clone(),
            Gives::Same => on.derived(on.ty.clone()),
            Gives::Entry => {
                let mut entry = self.inside(on, wrap("std::collections::hash_map::Entry", elem), access);
                entry.extra().elems = vec![on.clone(), values.into_iter().next().unwrap_or_else(Val::unknown)];
                entry.prov = read;
                return entry;
            }
            Gives::Receiver => {
                let mut receiver = on.derived(Ty::ext(names.intern("tokio::sync::broadcast::Receiver")));
                receiver.place.clone_from(&on.place);
                return receiver;
            }
            Gives::Bool => on.derived(prim("bool")),
            Gives::Num => on.derived(prim("u64")),
            Gives::Unit => on.derived(Ty::Unit),
        };
        value.prov = match op {
            Op::Recv => Prov::UNKNOWN,
            Op::Read if gives == Gives::Num => read.or(Prov::COUNT),
            Op::Rmw => read.or(Prov::COUNT),
            _ => read,
        };
        value.reads.extend(access.filter(|_| op.reads() || op == Op::Insert || op == Op::Push));
        if self.is_bus(&on.ty) {
            value.prov = Prov::BUS;
        }
        value.form = match (op, gives) {
            (Op::InsertNew, Gives::Bool) => Form::Bool { negated: true },
            (Op::Contains | Op::Remove | Op::Cas, Gives::Bool) => Form::Bool { negated: false },
            (Op::Read, Gives::Bool) => Form::Bool { negated: true },
            (_, Gives::OptInner | Gives::OptValue) => Form::Option,
            _ => Form::Plain,
        };
        if op == Op::Contains && gives == Gives::OptValue {
            value.form = Form::Bool { negated: false };
        }
        value
    }

    /// Whether iterating gives key and value pairs: `iter` of a map, not `values`.
    fn is_pairs(&self, on: &Val, op: Op) -> bool {
        let map = matches!(&on.ty, Ty::Ext(name, args) if !args.is_empty() && self.cat.type_info(&self.p.names, *name).is_some_and(|i| self.cat.class_name(i) == "map"));
        let last = self.facts.accesses.last().map(|a| self.p.text(a.method));
        map && (op == Op::Drain || matches!(last, Some("iter" | "iter_mut" | "into_iter" | "range")))
    }

    /// An argument; a closure is walked with what it will be given.
    pub(super) fn arg(&mut self, id: ExprId, hints: &[Val]) -> Val {
        match &self.hir().expr(id).kind {
            ExprKind::Closure(closure) => self.closure(closure, hints, self.span(id)),
            _ => self.expr(id),
        }
    }

    fn effect_method(&mut self, on: Val, text: &str, name: &str, info: crate::catalog::FnInfo, args: &'a [ExprId], span: Span) -> Val {
        if info.effect == FnEffect::Schedule {
            return self.schedule(args, &format!("{text}::{name}"), span);
        }
        if info.effect == FnEffect::Spawn
            && let Some(work) = self.work_among(args).or(args.first().copied())
        {
            for &arg in args.iter().filter(|&&a| a != work) {
                self.expr(arg);
            }
            return self.spawn(work, &format!("{text}::{name}"), span, false);
        }
        // A set behind a lock is shared by requests: none of them waits for what it put there.
        if info.effect == FnEffect::JoinedSpawn
            && on.inside()
            && let Some(work) = self.work_among(args).or(args.first().copied())
        {
            self.spawn(work, &format!("{text}::{name}"), span, false);
            return Val::unknown();
        }
        let values = self.args(args);
        let mut value = self.merge(&values);
        if info.effect == FnEffect::Wire && !on.inside() && self.is_local(&on) {
            let what = format!("{}::{name}", text.rsplit("::").next().unwrap_or(text));
            self.effect(EffectKind::Wire, &what, span, Prov::NONE, value.prov, None, None);
        }
        if info.effect == FnEffect::FileWrite {
            let path = values.first();
            let literal = path.and_then(|v| v.str()).map(str::to_string);
            let prov = path.map_or(Prov::NONE, |v| v.prov);
            let what = format!("{}::{name}", text.rsplit("::").next().unwrap_or(text));
            self.effect(EffectKind::File(FnEffect::FileWrite), &what, span, prov, on.prov.or(Prov::REQUEST), literal, None);
            if name == "open" {
                value.ty = Ty::ext(self.p.names.intern("std::fs::File"));
            }
        }
        value.reads.clear();
        value
    }

    fn unknown_method(&mut self, on: Val, name: &str, args: &'a [ExprId], span: Span) -> Val {
        if let Ty::Ext(path, _) = &on.ty
            && self.cat.is_claim(self.p.text(*path))
        {
            self.effect(EffectKind::Claim, name, span, Prov::NONE, Prov::NONE, None, None);
        }
        if name == "rows_affected" {
            self.note_inserted_once(span);
        }
        if name == "tick" {
            self.effect(EffectKind::Sleep, name, span, Prov::NONE, Prov::NONE, None, None);
        }
        if matches!(name, "time_to_live" | "time_to_idle" | "expire_after" | "ttl" | "time_to_live_seconds") {
            self.args(args);
            let mut value = on;
            value.extra().expires = true;
            return value;
        }
        // A collection whose type is hidden, by a macro or a crate that the catalog does not know.
        let hidden = on.ty.is_unknown() && on.place.as_ref().is_some_and(|p| matches!(p.root, Root::Static(_)) || on.inside());
        if hidden && let Some((op, gives)) = self.cat.guess_op(name) {
            let map = self.cat.type_info(&self.p.names, self.p.names.intern("std::collections::HashMap"));
            if let Some(info) = map {
                return self.operate(on, info, op, gives, name, args, span);
            }
        }
        let hint = on.derived(Ty::Unknown);
        let mut values: Vec<Val> = args.iter().map(|&a| self.arg(a, std::slice::from_ref(&hint))).collect();
        self.handed_on(&mut values, span);
        match (name, &on.ty) {
            ("fill_bytes" | "try_fill_bytes", _) => self.filled(args),
            ("update" | "chain_update" | "input" | "chain", Ty::Ext(path, _)) if self.cat.secrets.is_hasher(self.p.text(*path)) => {
                values.iter().for_each(|v| self.signs(v, None, span));
            }
            ("ct_eq" | "eq", _) if values.len() == 1 => {
                let mut own = on.clone();
                self.compared(&mut own, &values[0], span);
                self.compared(&mut values[0], &on, span);
                values[0].add_reads(&own.reads);
            }
            _ => {}
        }
        if on.ty.is_unknown() {
            self.facts.unknown_calls += 1;
        }
        // `insert_into(..).execute(&mut conn)`, `User::find().one(&db)`: the client is an argument.
        if let Some(kind) = values.iter().find_map(|v| self.client(&v.ty)) {
            let mut value = self.merge(&values);
            value.prov = value.prov.or(on.prov);
            value.ty = Ty::Unknown;
            value.place = values.iter().find(|v| self.client(&v.ty).is_some()).and_then(|v| v.place.clone());
            // `Entity::update_many().filter(..)`: the function that began it says what it does.
            let began = match &on.ty {
                Ty::Ext(path, _) => self.p.text(*path).rsplit("::").next().filter(|f| f.starts_with(char::is_lowercase)),
                _ => None,
            };
            let verbs = began.into_iter().chain([name]).map(str::to_string).chain(Self::adds_up(&values)).collect();
            value.extra().store = Some(StoreCall { kind, text: on.str().map(str::to_string), text_param: None, verbs });
            return value;
        }
        let given = self.merge(&values);
        self.note_given(&given, span);
        let mut value = on.derived(if self.is_fluent(&on.ty) { on.ty.clone() } else { Ty::Unknown });
        value.prov = value.prov.or(given.prov);
        value.add_reads(&given.reads);
        if value.form == Form::Option {
            value.form = Form::Plain;
        }
        if let Some(extra) = &on.extra {
            let (expires, temporary, prefix) = (extra.expires, extra.temporary, extra.prefix.clone());
            let own = value.extra();
            own.expires = expires;
            own.temporary = temporary;
            own.prefix = prefix;
            own.entries = extra.entries.clone();
        }
        // The connection and the address of whoever opened it.
        if name == "accept" && args.is_empty() {
            value.prov = Prov::REQUEST;
        }
        self.compare_times(name, &on, &given);
        self.carry_token(&mut value, &on, name, &values);
        if name.starts_with("unwrap_or") || name == "map_or" {
            self.defaulted(&mut value, &on, values.first());
        }
        for given in &values {
            for &entry in given.entries() {
                value.extra().entries.push(entry);
            }
        }
        value
    }

    /// `col_expr(n, Expr::col(n).add(1))`: the column is changed relative to itself.
    pub(super) fn adds_up(values: &[Val]) -> Option<String> {
        let adds = |v: &Val| v.store().is_some_and(|c| c.verbs.iter().any(|v| matches!(v.as_str(), "add" | "sub")));
        values.iter().any(adds).then(|| "add".to_string())
    }

    /// Builders of external crates return themselves as far as anyone can tell.
    fn is_fluent(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(name, _) if self.cat.type_info(&self.p.names, *name).is_none()) || matches!(ty, Ty::Prim(_))
    }
}

/// The span of a method's name, by which calls in a chain are told apart.
fn name_end(span: Span) -> Span {
    Span { end_line: span.end_line, end_column: span.end_column, ..span }
}

/// `is_leader()`, `is_leader_db()`, `has_lease()`: whether this instance is the one that was elected.
pub(super) fn asks_for_leadership(name: &str) -> bool {
    name == "is_leader"
        || name.starts_with("is_leader_")
        || matches!(name, "is_current_leader" | "am_leader" | "am_i_leader" | "has_lease" | "holds_lease" | "is_elected")
}
