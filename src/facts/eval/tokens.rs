//! Tokens: the calls that sign and check them, and what claims, headers, keys and options say by then.

use super::expiry::Found;
use super::*;
use crate::catalog::Op;
use crate::catalog::tokens::{TokenCall, TokenRole};
use crate::facts::time::{Base, Time};
use crate::facts::tokens::{Claims, Expiry, Home, Key, MadeKey, Mint, Off, Verify};
use crate::facts::value::Val;
use crate::syntax::hir::{ExprKind, GenericArg};

/// Mints that a function hands to one caller, and all that callers are given: real helpers are far below.
const MAX_OPEN: usize = 8;
const MAX_MINTS: usize = 4096;
/// Structs inside claims that are looked into.
pub(super) const MAX_DEPTH: u32 = 3;

/// What is gathered before constants and settings are known.
#[derive(Default)]
pub struct Working {
    pub(super) mints: Vec<RawMint>,
    /// Numbers and spans that fields of structs are made with, the longest each.
    pub(super) defaults: FxHashMap<(DefId, Name), Time>,
    /// The expiry among the fields of a struct.
    pub(super) expiry_fields: FxHashMap<DefId, Option<Name>>,
    /// Expiries that structs are made with anywhere.
    pub(super) expiries: FxHashMap<DefId, Time>,
    /// An argument is looked at before its turn: nested ones are not, so that nesting stays cheap.
    pub(super) quiet: bool,
    /// All bodies have been walked: no caller will tell more.
    pub(super) settling: bool,
}

pub(super) struct RawMint {
    node: NodeId,
    span: Span,
    order: u32,
    via: Option<u32>,
    lifted: bool,
    claims: Val,
    header: Option<Val>,
    key: Val,
    keyed: bool,
    life: Option<Time>,
}

fn pick<'v>(index: Option<i8>, recv: Option<&'v Val>, values: &'v [Val]) -> Option<&'v Val> {
    match index? {
        -1 => recv,
        index => values.get(usize::try_from(index).ok()?),
    }
}

impl<'a> Eval<'a> {
    /// A function of a token library.
    pub(super) fn token_call(&mut self, name: Name, path: &'a hir::Path, args: &'a [ExprId], span: Span) -> Option<Val> {
        let text = self.p.text(name);
        if let Some(cookie) = self.cat.tokens.key(text) {
            return Some(self.key_made(text, cookie, args, span));
        }
        let (role, call) = self.cat.tokens.call(text)?;
        let (role, call) = (*role, call.clone());
        let values = self.args(args);
        let claims = path.segments.iter().rev().find_map(|s| self.claims_argument(&s.args));
        Some(self.token(role, &call, text, None, &values, claims, span))
    }

    /// A method of a token library, or one that completes what such a method will be called on.
    pub(super) fn token_method(&mut self, on: &Val, recv: ExprId, name: &'a str, args: &'a [ExprId], span: Span) -> Option<Val> {
        let of_crate = |ty: &Ty, krate: &str| matches!(ty, Ty::Ext(path, _) if crate::catalog::first(self.p.text(*path)) == krate);
        let externs = &self.p.krate(self.p.def(self.body.def).krate).externs;
        let in_package = |krate: &str| {
            let named = self.p.names.get(krate);
            externs.iter().any(|(n, e)| Some(*n) == named || matches!(e, crate::resolve::program::Extern::External(x) if Some(*x) == named))
        };
        let found = self.cat.tokens.method(name, |krate| of_crate(&on.ty, krate), in_package);
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
                };
                self.tokens.mints.push(mint);
                value.ty = result(self, Ty::Unknown);
            }
            TokenRole::Verify => {
                let order = self.next();
                let options = at(call.options);
                let key = at(call.key).map(|k| self.key_of(k)).unwrap_or_default();
                let claims = claims.or_else(|| self.returned_claims());
                let ty = claims.clone().unwrap_or(Ty::Unknown);
                let verify = Verify {
                    node: self.body.node,
                    span,
                    order,
                    claims: match &ty {
                        Ty::Adt(def, _) => Some(*def),
                        _ => None,
                    },
                    expiry: call.expiry,
                    off: options.map(|o| self.switched_off(o)).unwrap_or_default(),
                    key: Key { many: key.many || keyed || self.body.iterating > 0, ..key },
                    branch: self.body.branch,
                };
                self.facts.tokens.verifies.push(verify);
                value.prov = value.prov.or(Prov::CLAIM);
                value.ty = result(self, ty);
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
                if let Some(life) = life {
                    let mut expiry = Val::unknown();
                    expiry.extra().time = Some(Time { at: Some((self.body.file, span)), ..life });
                    fields.push((self.p.names.intern("exp"), expiry));
                }
                value.extra().fields = fields;
            }
        }
        value
    }

    fn key_made(&mut self, path: &str, cookie: bool, args: &'a [ExprId], span: Span) -> Val {
        let values = self.args(args);
        self.makes_key_from(path, &values, span);
        let mut value = self.merge(&values);
        value.ty = match path.rsplit_once("::") {
            Some((owner, _)) => Ty::ext(self.p.names.intern(owner)),
            None => Ty::Unknown,
        };
        if let Some(secret) = values.first() {
            value.extra().fields = vec![(self.p.names.intern("key"), secret.clone())];
            value.extra().literal = secret.literal().cloned();
            value.extra().fallback = secret.extra.as_ref().is_some_and(|e| e.fallback);
        }
        let key = self.key_of(&value);
        self.facts.tokens.keys.push(MadeKey { node: self.body.node, span, what: path.to_string(), cookie, key });
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
        let of_library = matches!(&on.ty, Ty::Ext(path, _) if self.cat.tokens.is_token_crate(self.p.text(*path)));
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
        let key = if insert {
            let ExprKind::Lit(hir::Lit::Str(key)) = &self.hir().expr(args[0]).kind else { return };
            self.text(*key)
        } else {
            name
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
        if !matches!(&on.ty, Ty::Ext(path, _) if self.cat.tokens.is_token_crate(self.p.text(*path))) {
            return;
        }
        let mut fields = on.fields().to_vec();
        fields.push((self.p.names.intern(name), values.first().cloned().unwrap_or_else(Val::unit)));
        value.extra().fields = fields;
    }

    /// Evaluates an expression that is evaluated again later, and takes back the facts it left.
    fn quietly(&mut self, walk: impl FnOnce(&mut Self) -> Val) -> Val {
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
        let known = self.local(local).is_some_and(|v| {
            matches!(&v.ty, Ty::Ext(path, _) if self.cat.tokens.is_token_crate(self.p.text(*path))) || !v.fields().is_empty()
        });
        if known {
            let mut value = value.clone();
            let ty = self.local(local).map_or(Ty::Unknown, |v| v.ty.clone());
            self.note_field(&ty, self.name(*name), &mut value, self.span(lhs));
            self.set_field(local, self.text(*name), value);
        }
    }

    fn key_of(&self, value: &Val) -> Key {
        let inner = self.p.names.get("key").and_then(|n| value.named(n)).unwrap_or(value);
        let home = |v: &Val| {
            let place = v.place.as_ref();
            let field = place.and_then(|p| {
                p.path.iter().rev().find_map(|s| match s {
                    Seg::Field(def, name) => Some(Home::Field(*def, *name)),
                    Seg::Elem | Seg::Below => None,
                })
            });
            let statik = place.and_then(|p| match p.root {
                Root::Static(def) => Some(Home::Static(def)),
                _ => None,
            });
            field.or(statik).or_else(|| v.extra.as_ref().and_then(|e| e.of).map(|(d, n)| Home::Field(d, n)))
        };
        let fallback = [value, inner].iter().any(|v| v.extra.as_ref().is_some_and(|e| e.fallback));
        let from_map = [value, inner].iter().any(|v| v.reads.iter().any(|&r| matches!(self.facts.access(r).op, Op::Get | Op::Contains)));
        let ids = &self.cat.tokens.names.key_ids;
        let kid = value.fields().iter().any(|(n, _)| ids.iter().any(|i| i == self.p.text(*n)));
        let set = matches!(&inner.ty, Ty::Ext(path, _) if self.cat.tokens.is_key_set(self.p.text(*path)));
        Key {
            prov: value.prov,
            literal: !fallback && (value.literal().is_some() || inner.literal().is_some()) && !value.prov.has(Prov::CONFIG),
            fallback,
            home: home(inner).or_else(|| home(value)),
            many: from_map || kid || set,
        }
    }

    fn switched_off(&self, options: &Val) -> Vec<Off> {
        let is_false = |v: &Val| matches!(v.literal(), Some(Literal::Bool(false)));
        let mut off = Vec::new();
        for (name, value) in options.fields() {
            match self.p.text(*name) {
                "validate_exp" if is_false(value) => off.push(Off::Expiry),
                "validate_aud" if is_false(value) => off.push(Off::Audience),
                "insecure_disable_signature_validation" => off.push(Off::Signature),
                _ => {}
            }
        }
        off
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
        let (life, keyed) = (inner.life.clone(), inner.keyed);
        self.substitute_all(&mut claims, args);
        self.substitute_all(&mut key, args);
        if let Some(header) = &mut header {
            self.substitute_all(header, args);
        }
        let life = life.map(|t| self.rebase_time(t, args));
        self.tokens.mints[index as usize].lifted = true;
        let mint = RawMint { node: self.body.node, span, order, via: Some(index), lifted: false, claims, header, key, keyed, life };
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
        self.tokens.settling = true;
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
            let names = match &custom.ty {
                Ty::Adt(..) => Vec::new(),
                _ => custom.fields().iter().map(|(n, v)| (*n, v.ty.clone())).collect(),
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
                claims: Claims { ty: custom.ty, expiry, set, names },
                kid: kid || key.many,
                key,
            });
        }
    }
}
