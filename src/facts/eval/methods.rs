//! Method calls: methods of the tree by the receiver's type, catalogued methods of external types,
//! clients of backing stores, and the adaptors of options, results and iterators.

use super::*;
use crate::catalog::FnEffect;
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

/// Methods that give a part of what they are called on, to be changed there.
const PARTS: &[&str] = &["entry", "or_default", "or_insert", "or_insert_with", "get_mut", "last_mut", "as_mut", "unwrap", "expect"];

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
        let mut value = self.method_of(recv, name, name_span, generics, args, span);
        self.note_client(&mut value, name, args, span);
        self.note_carried(recv, name, args);
        self.note_taken(&mut value, name, generics);
        if let Some((at, prov, reads)) = self.body.given.take()
            && at == name_end(name_span)
            && PUTTING.contains(&name.split('_').next().unwrap_or(name))
        {
            self.put_into(recv, prov, &reads);
        }
        value
    }

    /// `response.insert_header(name, value)`: what a variable of this body is given, it will hand on.
    fn put_into(&mut self, mut variable: ExprId, prov: Prov, reads: &[AccessId]) {
        // `map.entry(key).or_default().insert(..)`: into a part of the variable.
        loop {
            variable = match &self.hir().expr(variable).kind {
                ExprKind::Method { recv, name, .. } if PARTS.contains(&self.hir().str(*name)) => *recv,
                ExprKind::Field { base, .. } => *base,
                _ => break,
            };
        }
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

    pub(super) fn note_given(&mut self, given: &Val, span: Span) {
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
        if let Some(value) = self.downcast(&receiver, name, generics).or_else(|| self.picked(&receiver, name, args)) {
            return value;
        }
        if name == "insert" && self.are_extensions(recv) {
            let values = self.args(args);
            self.facts.carried.extend(values.into_iter().map(|value| value.ty).filter(|ty| !ty.is_unknown()));
            return Val::unknown();
        }
        // Query builders say `SKIP LOCKED` by a method of that name; that of sea-query is `lock_with_behavior`.
        if asks_for_leadership(name) || matches!(name, "skip_locked" | "lock_with_behavior") {
            self.effect(EffectKind::Claim, name, span, Prov::NONE, Prov::NONE, None, None);
        }
        self.body.connection |= name == "accept" && args.is_empty();
        if name == "accept" && args.is_empty() || name == "recv_from" {
            self.note_accept(&receiver.ty, span);
        }
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
        // What a helper has made and wrapped is no step of a request to a store before it is taken out.
        let opened = patterns::is_wrapper(&self.p.names, &recv.ty) && matches!(name, "map" | "and_then" | "map_or" | "map_or_else");
        if recv.store().is_some() && !opened {
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

    /// `request.extensions_mut()`: what a request carries with it, until it is answered.
    fn are_extensions(&self, expr: ExprId) -> bool {
        matches!(&self.hir().expr(expr).kind, ExprKind::Method { name, .. } if self.text(*name) == "extensions_mut")
    }

    /// The variable that an expression names.
    pub(super) fn variable(&self, expr: ExprId) -> Option<Name> {
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
        // What is done to the outcome of a method is not done to the part.
        let outcome = matches!(name, "unwrap" | "expect" | "ok" | "map_err" | "is_ok" | "is_err" | "unwrap_or_default" | "clone");
        if !outcome && !self.cat.handle(text).is_empty() {
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
        self.note_passed_on(&on, name, &values, span);
        match (name, &on.ty) {
            ("fill_bytes" | "try_fill_bytes", _) => self.filled(args),
            ("update" | "chain_update" | "input" | "chain", Ty::Ext(path, _)) if self.cat.secrets.is_hasher(self.p.text(*path)) => {
                values.iter().for_each(|v| self.signs(v, None, span));
            }
            ("ct_eq" | "eq" | "ne", _) if values.len() == 1 => {
                let mut own = on.clone();
                self.compared(&mut own, &values[0], span);
                self.compared(&mut values[0], &on, span);
                values[0].add_reads(&own.reads);
                let (mut asked, other) = (Val::unknown(), values[0].clone());
                self.note_comparison(&mut asked, &own, &other, span);
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

/// `is_leader()`, `is_scan_leader()`, `has_lease()`: whether this instance is the one that was elected.
pub(super) fn asks_for_leadership(name: &str) -> bool {
    name.starts_with("is_") && (name.ends_with("_leader") || name.starts_with("is_leader_"))
        || matches!(name, "is_current_leader" | "am_leader" | "am_i_leader" | "has_lease" | "holds_lease" | "is_elected")
}
