//! Tokens: the calls that sign and check them, and what claims, headers, keys and options say by then.

use super::expiry::{Found, Longest};
use super::*;
use crate::catalog::tokens::{TokenCall, TokenRole};
use crate::facts::time::{Base, Time};
use crate::facts::tokens::{Claims, Expiry, Home, Key, Mint, Off, Part, Verify};
use crate::facts::value::Val;
use crate::syntax::hir::{ExprKind, GenericArg};

/// Mints that a function hands to one caller, and all that callers are given: real helpers are far below.
const MAX_OPEN: usize = 8;
const MAX_MINTS: usize = 4096;
/// Structs inside claims that are looked into.
pub(super) const MAX_DEPTH: u32 = 3;
/// Claims kept of one object: far more than any real token has.
const MAX_PARTS: usize = 64;

/// What is gathered before constants and settings are known.
#[derive(Default)]
pub struct Working {
    pub(super) mints: Vec<RawMint>,
    /// Numbers and spans that fields of structs are made with.
    pub(super) defaults: FxHashMap<(DefId, Name), Longest>,
    /// The expiry among the fields of a struct.
    pub(super) expiry_fields: FxHashMap<DefId, Option<Name>>,
    /// Expiries that structs are made with anywhere.
    pub(super) expiries: FxHashMap<DefId, Longest>,
    /// An argument is looked at before its turn: nested ones are not, so that nesting stays cheap.
    pub(super) quiet: bool,
    /// All bodies have been walked, and these are those that the service runs: no caller will tell more.
    pub(super) served: Option<FxHashSet<DefId>>,
    /// What options that are kept somewhere leave out.
    pub(super) options: FxHashMap<Home, Vec<Off>>,
    /// Checks by their number: where their options are kept, and how old a token may be.
    pub(super) checks: Vec<(usize, Option<Home>, Option<Time>)>,
    /// Tags of messages, and what may make tokens of them.
    pub(super) tags: Vec<super::handmade::Tag>,
    pub(super) ends: Vec<(NodeId, Time)>,
    pub(super) timed: Vec<NodeId>,
}

pub(super) struct RawMint {
    pub(super) node: NodeId,
    pub(super) span: Span,
    pub(super) order: u32,
    pub(super) via: Option<u32>,
    pub(super) lifted: bool,
    pub(super) claims: Val,
    pub(super) header: Option<Val>,
    pub(super) key: Val,
    pub(super) keyed: bool,
    pub(super) life: Option<Time>,
    pub(super) format: Name,
}

fn pick<'v>(index: Option<i8>, recv: Option<&'v Val>, values: &'v [Val]) -> Option<&'v Val> {
    match index? {
        -1 => recv,
        index => values.get(usize::try_from(index).ok()?),
    }
}

impl<'a> Eval<'a> {
    /// Whether a value is of a library that makes up tokens.
    pub(super) fn of_token_library(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(path, _) if self.cat.tokens.is_token_crate(self.p.text(*path)))
    }

    /// A function of a token library.
    pub(super) fn token_call(&mut self, name: Name, path: &'a hir::Path, args: &'a [ExprId], span: Span) -> Option<Val> {
        let text = self.p.text(name);
        if let Some(made) = self.cat.tokens.key(text) {
            return Some(self.key_made(text, made, args, span));
        }
        let (role, call) = self.cat.tokens.call(text)?;
        let (role, mut call) = (*role, call.clone());
        let values = self.args(args);
        // `|key_id| ..`: the library asks which key it is.
        let chosen = call.key.and_then(|i| args.get(usize::try_from(i).ok()?));
        if chosen.is_some_and(|&id| matches!(self.hir().expr(id).kind, ExprKind::Closure(_))) {
            call.keyed.push(text.to_string());
        }
        let claims = path.segments.iter().rev().find_map(|s| self.claims_argument(&s.args));
        Some(self.token(role, &call, text, None, &values, claims, span))
    }

    /// A method of a token library, or one that completes what such a method will be called on.
    pub(super) fn token_method(&mut self, on: &Val, recv: ExprId, name: &'a str, args: &'a [ExprId], span: Span) -> Option<Val> {
        let externs = &self.p.krate(self.p.def(self.body.def).krate).externs;
        let in_package = |krate: &str| {
            let named = self.p.names.get(krate);
            externs.iter().any(|(n, e)| Some(*n) == named || matches!(e, crate::resolve::program::Extern::External(x) if Some(*x) == named))
        };
        // A key that lies in a lazy static, behind a pointer or a lock is still that key.
        let external = match self.peel(&on.ty) {
            Ty::Ext(path, _) => Some(self.p.text(path)),
            _ => None,
        };
        let found = self.cat.tokens.method(name, external, in_package);
        let Some((role, call)) = found else {
            self.complete(on, recv, name, args);
            return None;
        };
        let own = self.p.methods_on(&on.ty, self.p.names.intern(name));
        if own.iter().any(|&m| self.p.function(m).is_some_and(|f| f.body.is_some()) && !call.distinct) {
            return None;
        }
        let (role, call) = (*role, call.clone());
        let values = self.args(args);
        Some(self.token(role, &call, name, Some(on), &values, None, span))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn token(
        &mut self,
        role: TokenRole,
        call: &TokenCall,
        name: &str,
        on: Option<&Val>,
        values: &[Val],
        claims: Option<Ty>,
        span: Span,
    ) -> Val {
        let mut all = values.to_vec();
        all.extend(on.cloned());
        let mut value = self.merge(&all);
        value.form = crate::facts::value::Form::Plain;
        let at = |index| pick(index, on, values);
        let keyed = call.keyed.iter().any(|k| k == name);
        let given = at(call.life_argument).and_then(|v| self.time_of(v)).map(|t| t.scaled(1000));
        let life = given.or_else(|| call.life.map(|s| Time::number(i128::from(s)).scaled(1000)));
        let life = life.map(|t| Time::new(Base::Now, 0).plus(t, false));
        let result = |this: &Self, ty: Ty| Ty::Ext(this.p.names.intern("std::result::Result"), [ty].into());
        let format = self.p.names.intern(&call.format);
        match role {
            TokenRole::Mint => {
                let order = self.next();
                let unknown = Val::unknown();
                let mint = RawMint {
                    node: self.body.node,
                    span,
                    order,
                    via: None,
                    lifted: false,
                    claims: at(call.claims).cloned().unwrap_or_else(Val::unknown),
                    header: at(call.header).cloned(),
                    key: at(call.key).unwrap_or(&unknown).clone(),
                    keyed,
                    life,
                    format,
                };
                self.tokens.mints.push(mint);
                if call.checks {
                    let key = at(call.key).map(|k| self.key_of(k)).unwrap_or_default();
                    self.check(Verify { key, ..self.verify(order, span, format) }, None, None);
                }
                value.ty = if call.checks { self.owner_type(name) } else { result(self, Ty::Unknown) };
            }
            TokenRole::Verify => {
                let order = self.next();
                let options = at(call.options);
                let key = at(call.key).map(|k| self.key_of(k)).unwrap_or_default();
                let claims = claims.or_else(|| self.returned_claims());
                let ty = claims.clone().unwrap_or(Ty::Unknown);
                let claimed = match &ty {
                    Ty::Adt(def, _) => Some(*def),
                    _ => None,
                };
                let verify = Verify {
                    claims: claimed,
                    expiry: call.expiry,
                    off: options.map(|o| self.switched_off(o)).unwrap_or_default(),
                    key: Key { many: key.many || keyed || self.body.iterating > 0, ..key },
                    ..self.verify(order, span, format)
                };
                let max_age = at(call.max_age).and_then(|v| self.time_of(v)).map(|t| t.scaled(1000));
                let home = options.and_then(|o| self.home_of(o));
                self.check(verify, home, max_age);
                value.prov = value.prov.or(Prov::CLAIM);
                // What is not named is often the library's own type, with the claims inside.
                let of_library = |on: &Val| self.of_token_library(&on.ty);
                let own = on.filter(|on| ty.is_unknown() && of_library(on)).map(|on| on.ty.clone());
                value.ty = result(self, own.unwrap_or(ty));
            }
            TokenRole::Aged => {
                self.facts.tokens.aged.push(self.body.node);
                value.ty = result(self, Ty::Unknown);
            }
            TokenRole::Tag | TokenRole::TagCheck => {
                let order = self.next();
                let key = at(call.key).cloned().unwrap_or_else(Val::unknown);
                let checks = role == TokenRole::TagCheck;
                self.tokens.tags.push(super::handmade::Tag { node: self.body.node, span, order, key, checks });
                value.ty = Ty::Unknown;
            }
            TokenRole::Peek => {
                self.facts.tokens.peeks.push(self.body.node);
                value.ty = result(self, Ty::Unknown);
            }
            TokenRole::Claims => {
                value.ty = self.owner_type(name);
                let mut fields = Vec::new();
                if let Some(custom) = at(call.custom) {
                    fields.push((self.p.names.intern("custom"), custom.clone()));
                }
                if let Some(header) = at(call.header) {
                    fields.extend(header.fields().iter().cloned());
                }
                if let Some(moment) = at(call.expiry_argument) {
                    let mut moment = moment.clone();
                    if let Some(time) = self.time_of(&moment) {
                        moment.extra().time = Some(Time { at: Some((self.body.file, span)), ..time });
                    }
                    fields.push((self.p.names.intern("exp"), moment));
                } else if let Some(life) = life {
                    let mut expiry = Val::unknown();
                    expiry.extra().time = Some(Time { at: Some((self.body.file, span)), ..life });
                    fields.push((self.p.names.intern("exp"), expiry));
                }
                value.extra().fields = fields;
            }
        }
        value
    }

    /// `decode::<Claims>`.
    pub(super) fn claims_argument(&self, args: &[GenericArg]) -> Option<Ty> {
        args.iter().find_map(|a| match a {
            GenericArg::Type(ty) => Some(self.lower(*ty)).filter(|t| matches!(t, Ty::Adt(..))),
            _ => None,
        })
    }

    /// The claims that the function hands back, by its written type.
    fn returned_claims(&self) -> Option<Ty> {
        let function = self.p.function(self.body.def)?;
        let ty = self.p.lower_type(self.body.file, function.ret?, &self.body.scope);
        self.first_struct(&ty, 0)
    }

    /// Whether a function checks tokens without naming their claims.
    pub(super) fn checks_unnamed(&self, def: DefId, first: usize) -> bool {
        self.facts.tokens.verifies[first..].iter().any(|v| v.claims.is_none() && self.facts.node(v.node).def == def)
    }

    /// The call recorded last is of a generic function that checks tokens: the claims are those that this function gives back.
    pub(super) fn note_check(&mut self) {
        let claims = match self.returned_claims() {
            Some(Ty::Adt(def, _)) => Some(def),
            _ => None,
        };
        self.body.checks |= claims.is_none();
        if let Some(call) = self.facts.calls.last_mut() {
            call.claims = claims;
            call.checks = true;
        }
    }

    /// Names the claims of the calls recorded since: by a turbofish, or the type of the variable.
    pub(super) fn name_claims(&mut self, first: usize, ty: &Ty) {
        let unnamed = |c: &Call| c.checks && c.claims.is_none();
        if self.facts.calls.get(first..).is_none_or(|calls| !calls.iter().any(unnamed)) {
            return;
        }
        let Some(Ty::Adt(def, _)) = self.first_struct(ty, 0) else { return };
        let node = self.body.node;
        for call in self.facts.calls[first..].iter_mut().filter(|c| c.node == node && unnamed(c)) {
            call.claims = Some(def);
        }
    }

    fn first_struct(&self, ty: &Ty, depth: u32) -> Option<Ty> {
        match ty {
            Ty::Adt(def, _) if self.p.def(*def).kind == DefKind::Struct => self.expiry_holder(*def, 0).then(|| ty.clone()),
            Ty::Ext(..) | Ty::Tuple(_) if depth < 4 => ty.args().iter().find_map(|a| self.first_struct(a, depth + 1)),
            _ => None,
        }
    }

    /// Whether a struct looks like claims: it, or one inside it, has an expiry or a subject.
    fn expiry_holder(&self, def: DefId, depth: u32) -> bool {
        let Some((_, fields)) = self.p.fields_of(def) else { return false };
        let file = self.p.def(def).file;
        fields.fields.iter().any(|f| {
            let name = self.p.text(self.p.name_in(file, f.name));
            self.cat.tokens.names.registered.iter().any(|r| r == name)
                || depth < MAX_DEPTH && matches!(self.p.field_type(def, &[], self.p.name_in(file, f.name)), Some(Ty::Adt(inner, _)) if self.expiry_holder(inner, depth + 1))
        })
    }

    /// What a variable is completed with by a method or an assignment: headers, options, claims in a map.
    fn complete(&mut self, on: &Val, recv: ExprId, name: &'a str, args: &'a [ExprId]) {
        let of_library = self.of_token_library(&on.ty);
        let insert = name == "insert" && args.len() == 2;
        if self.tokens.quiet || (!of_library && !insert) {
            return;
        }
        let mut base = recv;
        while let ExprKind::Field { base: inner, .. } | ExprKind::Ref { expr: inner, .. } = &self.hir().expr(base).kind {
            base = *inner;
        }
        let ExprKind::Path(path) = &self.hir().expr(base).kind else { return };
        let [only] = path.segments.as_slice() else { return };
        let local = self.name(only.name);
        // `set_claim("name", value)` says the name of the claim, and so does `insert`.
        let key = match args.first().filter(|_| args.len() == 2).map(|&id| &self.hir().expr(id).kind) {
            Some(ExprKind::Lit(hir::Lit::Str(key))) => self.text(*key),
            _ if insert => return,
            _ => name,
        };
        let Some(&given) = args.last() else {
            self.set_field(local, key, Val::unit());
            return;
        };
        let value = self.quietly(|eval| eval.expr(given));
        self.set_field(local, key, value);
    }

    /// Builders of claims, headers and keys: what one call adds, the next still has.
    pub(super) fn carry_token(&self, value: &mut Val, on: &Val, name: &str, values: &[Val]) {
        if !self.of_token_library(&on.ty) {
            return;
        }
        let mut fields = on.fields().to_vec();
        let name = values.first().filter(|_| values.len() == 2).and_then(Val::str).unwrap_or(name);
        fields.push((self.p.names.intern(name), values.last().cloned().unwrap_or_else(Val::unit)));
        value.extra().fields = fields;
    }

    /// Evaluates an expression that is evaluated again later, and takes back the facts it left.
    pub(super) fn quietly(&mut self, walk: impl FnOnce(&mut Self) -> Val) -> Val {
        let (calls, accesses, uses) = (self.facts.calls.len(), self.facts.accesses.len(), self.facts.uses.len());
        let (effects, nodes, mints) = (self.facts.effects.len(), self.facts.nodes.len(), self.tokens.mints.len());
        self.tokens.quiet = true;
        let value = walk(self);
        self.tokens.quiet = false;
        if self.facts.nodes.len() == nodes && self.facts.effects.len() == effects && self.tokens.mints.len() == mints {
            self.facts.calls.truncate(calls);
            self.facts.accesses.truncate(accesses);
            self.facts.uses.truncate(uses);
        }
        value
    }

    fn set_field(&mut self, local: Name, field: &str, value: Val) {
        let field = self.p.names.intern(field);
        if let Some(own) = self.body.env.get_mut(local) {
            let fields = &mut own.extra().fields;
            fields.retain(|(n, _)| *n != field);
            fields.push((field, value));
        }
    }

    /// `exp = now + ..` of a variable that is declared without a value, or has another on some way.
    fn assign_time(&mut self, local: Name, time: Time) {
        if let Some(own) = self.body.env.get_mut(local) {
            let extra = own.extra();
            extra.time = Some(match extra.time.take() {
                Some(old) => old.longer(time),
                None => time,
            });
        }
    }

    /// `header.kid = Some(..)` of a variable made here.
    pub(super) fn assign_local_field(&mut self, lhs: ExprId, value: &Val) {
        if let (ExprKind::Path(path), Some(time)) = (&self.hir().expr(lhs).kind, value.time())
            && let [only] = path.segments.as_slice()
        {
            self.assign_time(self.name(only.name), time.clone());
            return;
        }
        let ExprKind::Field { base, name, .. } = &self.hir().expr(lhs).kind else { return };
        let ExprKind::Path(path) = &self.hir().expr(*base).kind else { return };
        let [only] = path.segments.as_slice() else { return };
        let local = self.name(only.name);
        let node = self.body.node;
        // What is put together field by field holds what its fields hold.
        if let Some(own) = self.body.env.get_mut(local)
            && own.place.as_ref().is_none_or(|p| matches!(p.root, Root::Local(made, _) if made == node))
        {
            own.prov = own.prov.or(value.prov);
            own.add_reads(&value.reads);
        }
        let known = self.local(local).is_some_and(|v| self.of_token_library(&v.ty) || !v.fields().is_empty());
        if known {
            let mut value = value.clone();
            let ty = self.local(local).map_or(Ty::Unknown, |v| v.ty.clone());
            self.note_field(&ty, self.name(*name), &mut value, self.span(lhs));
            self.set_field(local, self.text(*name), value);
        }
    }

    /// The mints of a function whose claims a caller knows.
    pub(super) fn open_mints(&mut self, def: DefId, first: usize) -> Vec<u32> {
        let mut open = Vec::new();
        for index in first..self.tokens.mints.len() {
            let mint = &self.tokens.mints[index];
            if open.len() >= MAX_OPEN || self.facts.node(mint.node).def != def {
                continue;
            }
            let (claims, life) = (mint.claims.clone(), mint.life.clone());
            if matches!(self.expiry_of(&claims, life.as_ref(), 0), Found::Open) {
                open.push(index as u32);
            }
        }
        open
    }

    /// Sees a mint of a callee with what is given to it here.
    pub(super) fn lift_mint(&mut self, index: u32, args: &[Val], span: Span) {
        if self.tokens.mints.len() >= MAX_MINTS {
            return;
        }
        let order = self.next();
        let inner = &self.tokens.mints[index as usize];
        let (mut claims, mut key, mut header) = (inner.claims.clone(), inner.key.clone(), inner.header.clone());
        let (life, keyed, format) = (inner.life.clone(), inner.keyed, inner.format);
        self.substitute_all(&mut claims, args);
        self.substitute_all(&mut key, args);
        if let Some(header) = &mut header {
            self.substitute_all(header, args);
        }
        let life = life.map(|t| self.rebase_time(t, args));
        self.tokens.mints[index as usize].lifted = true;
        let mint = RawMint { node: self.body.node, span, order, via: Some(index), lifted: false, claims, header, key, keyed, life, format };
        self.tokens.mints.push(mint);
    }

    /// The value with the arguments in the place of parameters, whole where it is one.
    fn substitute_all(&self, value: &mut Val, args: &[Val]) {
        if let Some(Place { root: Root::Param(index, _), path }) = &value.place
            && let Some(given) = args.get(*index as usize).and_then(|a| self.walk(a, path))
            && value.fields().is_empty()
            && value.time().is_none()
        {
            *value = given;
            return;
        }
        self.rebase(value, args);
    }

    /// Puts defaults in the place of settings and leaves the facts that rules read.
    pub(super) fn settle_tokens(&mut self) {
        self.tokens.served = Some(self.served());
        self.join_tags();
        for index in 0..self.tokens.mints.len() {
            let mint = &self.tokens.mints[index];
            let (claims, life) = (mint.claims.clone(), mint.life.clone());
            let found = self.expiry_of(&claims, life.as_ref(), 0);
            let set = match &found {
                Found::At(time) => time.at,
                _ => None,
            };
            let expiry = match found {
                Found::Absent => Expiry::Never,
                Found::At(time) => self.settled(time),
                Found::Open | Found::Unknown => Expiry::Unknown(None),
            };
            let custom = self.p.names.get("custom").and_then(|n| claims.named(n)).unwrap_or(&claims).clone();
            let parts = match &custom.ty {
                Ty::Adt(..) => Vec::new(),
                _ => self.parts(&custom, 0),
            };
            let mint = &self.tokens.mints[index];
            let ids = &self.cat.tokens.names.key_ids;
            let named = |v: &Val| v.fields().iter().any(|(n, f)| ids.iter().any(|i| i == self.p.text(*n)) && !self.is_none(f));
            let kid = mint.keyed || mint.header.as_ref().is_some_and(named) || named(&mint.claims);
            let key = self.key_of(&mint.key);
            self.facts.tokens.mints.push(Mint {
                node: mint.node,
                span: mint.span,
                order: mint.order,
                via: mint.via,
                lifted: mint.lifted,
                claims: Claims { ty: custom.ty, expiry, set, parts },
                kid: kid || key.many,
                key,
                format: mint.format,
            });
        }
        self.settle_checks();
    }

    /// What is known of claims without a type, by name; a setter's name is without its first word.
    fn parts(&self, claims: &Val, depth: u32) -> Vec<Part> {
        let mut parts: Vec<Part> = Vec::new();
        for (name, value) in claims.fields().iter().rev().take(MAX_PARTS) {
            let text = self.p.text(*name);
            let bare = text.strip_prefix("set_").or_else(|| text.strip_prefix("with_")).map_or(*name, |bare| self.p.names.intern(bare));
            if parts.iter().any(|p| p.name == bare) {
                continue;
            }
            if value.ty == Ty::Unit {
                continue;
            }
            let inner = if depth < MAX_DEPTH { self.parts(value, depth + 1) } else { Vec::new() };
            // A list that is written out does not grow.
            let ty = if value.prov.is_constant() && matches!(value.ty, Ty::Seq(_)) { Ty::Unknown } else { value.ty.clone() };
            parts.push(Part { name: bare, ty, parts: inner });
        }
        parts.reverse();
        parts
    }
}
