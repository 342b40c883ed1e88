//! Expressions: from the tree to values, left to right.

use super::*;
use crate::catalog::Op;
use crate::facts::value::{Callable, Form, Val};
use crate::resolve::Res;
use crate::resolve::paths::Space;
use crate::syntax::hir::{BinOp, BlockKind, ExprKind, Lit, UnOp};

impl<'a> Eval<'a> {
    pub(super) fn expr(&mut self, id: ExprId) -> Val {
        self.nested(|eval| eval.expr_kind(id))
    }

    fn expr_kind(&mut self, id: ExprId) -> Val {
        let span = self.span(id);
        match &self.hir().expr(id).kind {
            ExprKind::Lit(lit) => self.literal(lit),
            ExprKind::Path(path) => self.path_value(path, span),
            ExprKind::Call { callee, args } => self.call(*callee, args, span),
            ExprKind::Method { recv, name, name_span, args, generics } => {
                self.method(*recv, self.text(*name), *name_span, generics, args, span)
            }
            ExprKind::Macro(call) => self.macro_call(call, span),
            ExprKind::Field { base, name, .. } => {
                let base = self.expr(*base);
                if matches!(self.text(*name), "aud" | "audience") {
                    self.facts.tokens.audited.push(self.body.node);
                }
                if self.text(*name) == "rows_affected" {
                    self.note_inserted_once(span);
                }
                let field = self.field(base, self.name(*name));
                self.load_field(field, span)
            }
            ExprKind::Index { base, index } => {
                let base = self.expr(*base);
                let key = self.expr(*index);
                self.index(base, key, span)
            }
            ExprKind::Unary { op: UnOp::Deref, expr } => {
                let value = self.expr(*expr);
                self.load_field(value, span)
            }
            ExprKind::Unary { op, expr } => {
                let mut value = self.expr(*expr);
                if let (UnOp::Not, Form::Bool { negated }) = (*op, value.form) {
                    value.form = Form::Bool { negated: !negated };
                }
                let prim = value.ty.clone();
                let mut asked = value.derived(prim);
                if let Some(comparison) = value.extra.as_ref().and_then(|e| e.comparison) {
                    asked.extra().comparison = Some(comparison);
                }
                asked
            }
            ExprKind::Binary { op, lhs, rhs } => self.binary(*op, *lhs, *rhs, span),
            ExprKind::Assign { lhs, rhs } => {
                let value = self.expr(*rhs);
                // Where the old value lies, not where the new one comes from.
                let target = self.place_of(*lhs);
                self.assign_local_field(*lhs, &value);
                self.assign_part(*lhs, &value);
                self.note_stop_flag(*lhs);
                // `x = min(x + 1, most)` counts like `x += 1`.
                let number = matches!(&target.ty, Ty::Prim(name) if self.p.text(*name) != "bool");
                let counts = number && value.reads.iter().any(|&r| Some(&self.facts.access(r).place) == target.place.as_ref());
                self.write(target, if counts { Op::Rmw } else { Op::Store }, value, span);
                Val::unit()
            }
            ExprKind::AssignOp { lhs, rhs, .. } => {
                let value = self.expr(*rhs);
                let target = self.place_of(*lhs);
                self.write(target, Op::Rmw, value, span);
                Val::unit()
            }
            ExprKind::Ref { expr, .. } => self.place_or_value(*expr),
            ExprKind::Cast { expr, ty } => {
                let ty = self.lower(*ty);
                let value = self.expr(*expr);
                let mut cast = value.derived(ty);
                if let Some(literal) = value.literal() {
                    cast.extra().literal = Some(literal.clone());
                }
                if let Some(time) = self.time_of(&value) {
                    cast.extra().time = Some(time);
                }
                cast
            }
            ExprKind::Await(inner) => {
                let value = self.expr(*inner);
                self.awaited(value, span)
            }
            ExprKind::Try(inner) => {
                let value = self.expr(*inner);
                if self.body.passes_absence && value.form == Form::Option && patterns::is_option(&self.p.names, &value.ty) {
                    self.finish(value.derived(Ty::Unknown));
                    let content = value.ty.arg(0);
                    return Val { form: Form::Plain, ty: content, ..value };
                }
                self.peel_required(value, span)
            }
            ExprKind::Block { kind: BlockKind::Async, block } => {
                // `return` and `?` inside leave the block, not the function.
                let passes = std::mem::take(&mut self.body.passes_absence);
                let ret = self.body.ret.take();
                let ways = (self.body.leaves, self.body.breaks);
                self.body.blocks += 1;
                let outer = std::mem::replace(&mut self.body.block, self.body.blocks);
                let value = self.block(block);
                self.body.block = outer;
                (self.body.leaves, self.body.breaks) = ways;
                let early = std::mem::replace(&mut self.body.ret, ret);
                self.body.passes_absence = passes;
                early.map_or(value.clone(), |early| value.join(early))
            }
            ExprKind::Block { block, .. } => self.block(block),
            ExprKind::If { cond, then, otherwise } => self.if_expr(*cond, then, *otherwise, span),
            ExprKind::Let { pat, expr } => {
                let value = self.place_or_value(*expr);
                self.bind(*pat, value);
                Val::unit()
            }
            ExprKind::Match { on, arms } => self.match_expr(*on, arms, span),
            ExprKind::While { cond, body } => self.while_expr(*cond, body, span),
            ExprKind::Loop { body } => self.loop_expr(body, span),
            ExprKind::For { pat, iter, body } => self.for_expr(*pat, *iter, body, span),
            ExprKind::Closure(closure) => self.closure(closure, &[], span),
            ExprKind::Return(value) => {
                self.body.leaves += 1;
                let value = value.map_or_else(Val::unit, |v| self.expr(v));
                self.finish(value);
                Val::of(Ty::Never, Prov::NONE)
            }
            ExprKind::Break(value) => {
                self.body.breaks += 1;
                let value = value.map(|v| self.expr(v));
                Val { ty: Ty::Never, ..value.unwrap_or_else(Val::unit) }
            }
            ExprKind::Continue => Val::of(Ty::Never, Prov::NONE),
            ExprKind::Yield(value) => {
                if let Some(value) = value {
                    let value = self.expr(*value);
                    self.finish(value);
                }
                Val::unit()
            }
            ExprKind::Struct { path, fields, rest } => self.struct_literal(path, fields, *rest, span),
            ExprKind::Tuple(elems) => {
                let elems: Vec<Val> = elems.iter().map(|&e| self.expr(e)).collect();
                self.note_settings_key(&elems, span);
                self.note_location(&elems, span);
                let mut value = self.merge(&elems);
                value.ty = Ty::Tuple(elems.iter().map(|e| e.ty.clone()).collect());
                value.extra().elems = elems;
                value
            }
            ExprKind::Array(elems) | ExprKind::Other(elems) => {
                let elems: Vec<Val> = elems.iter().map(|&e| self.expr(e)).collect();
                let mut value = self.merge(&elems);
                let elem = elems.first().map_or(Ty::Unknown, |e| e.ty.clone());
                value.ty = Ty::Seq(std::sync::Arc::new(elem));
                value
            }
            ExprKind::Repeat { value, .. } => {
                let value = self.expr(*value);
                let mut repeated = value.derived(Ty::Seq(std::sync::Arc::new(value.ty.clone())));
                repeated.extra().literal = value.literal().cloned();
                repeated
            }
            ExprKind::Range { start, end } => {
                let ends: Vec<Val> = [start, end].into_iter().flatten().map(|&e| self.expr(e)).collect();
                let mut value = self.merge(&ends);
                value.ty = Ty::Ext(
                    self.p.names.intern("std::iter::Iterator"),
                    std::sync::Arc::from([ends.first().map_or(Ty::Unknown, |e| e.ty.clone())]),
                );
                value
            }
            ExprKind::Infer => Val::unknown(),
        }
    }

    /// What several values together carry, without type or place.
    pub(super) fn merge(&self, values: &[Val]) -> Val {
        let mut merged = Val::unknown();
        for value in values {
            merged.prov = merged.prov.or(value.prov);
            merged.add_reads(&value.reads);
            if merged.form == Form::Plain {
                merged.form = value.form;
            }
            for &entry in value.entries() {
                merged.extra().entries.push(entry);
            }
        }
        merged
    }

    fn literal(&mut self, lit: &Lit) -> Val {
        let (ty, literal) = match lit {
            Lit::Str(text) => ("str", Some(Literal::Str(self.text(*text).to_string()))),
            Lit::ByteStr(text) => ("u8", Some(Literal::Str(self.text(*text).to_string()))),
            Lit::Int(Some(value)) => ("i64", Some(Literal::Int(*value))),
            Lit::Bool(value) => ("bool", Some(Literal::Bool(*value))),
            Lit::Char(_) => ("char", None),
            Lit::Float(_) => ("f64", None),
            _ => ("u8", None),
        };
        let mut value = Val::of(Ty::Prim(self.p.names.intern(ty)), Prov::CONST);
        if literal.is_some() {
            value.extra().literal = literal;
        }
        value
    }

    pub(super) fn local(&self, name: Name) -> Option<&Val> {
        self.body.env.get(name)
    }

    fn path_value(&mut self, path: &'a hir::Path, span: Span) -> Val {
        if path.segments.len() == 1 && path.qself.is_none() {
            let name = self.name(path.segments[0].name);
            if let Some(value) = self.local(name) {
                let mut value = value.clone();
                self.load_counter(&mut value, span);
                if let Some(effect) = value.spawn() {
                    self.mark_awaited(effect);
                }
                self.note_heard(&value);
                self.put_to_use(&value, span);
                return value;
            }
        }
        match self.resolve_value(path) {
            Some(Res::Def(def)) => match self.p.def(def).kind {
                DefKind::Static | DefKind::Const => {
                    self.facts.named.entry(def).or_default().insert(self.body.node);
                    self.static_value(def)
                }
                DefKind::Fn => self.function_value(def, span),
                DefKind::Variant(_) | DefKind::Struct => {
                    let owner = if self.p.def(def).kind == DefKind::Struct { def } else { self.p.def(def).parent.unwrap_or(def) };
                    let mut value = Val::of(Ty::adt(owner), Prov::CONST);
                    self.note_made(&value.ty);
                    value.extra().literal = Some(Literal::Str(self.p.text(self.p.def(def).name).to_string()));
                    value
                }
                _ => Val::unknown(),
            },
            Some(Res::Ext(name)) => {
                let from = if self.draws(name) { Prov::RANDOM } else { Prov::CONST };
                let mut value = Val::of(Ty::ext(name), from);
                if self.p.text(name) == "std::option::Option::None" {
                    value.ty = Ty::ext(self.p.names.intern("std::option::Option"));
                }
                if let Some(time) = self.time_constant(self.p.text(name)) {
                    value.extra().time = Some(time);
                }
                value
            }
            _ => Val::unknown(),
        }
    }

    /// A function named without a call: it may be called by whoever gets it.
    fn function_value(&mut self, def: DefId, span: Span) -> Val {
        let mut value = Val::of(Ty::Fn(def), Prov::CONST);
        value.extra().callable = Some(Callable::Function(def));
        self.record_call(def, CallKind::Value, false, span, Vec::new());
        value
    }

    /// What a path in value position means: associated functions through types, aliases and `Self`.
    pub(super) fn resolve_value(&self, path: &'a hir::Path) -> Option<Res> {
        let names: Vec<Name> = path.segments.iter().map(|s| self.name(s.name)).collect();
        let (&last, owner) = names.split_last()?;
        if let Some((qself, _)) = path.qself {
            let ty = self.lower(qself);
            return self.associated(&ty, last);
        }
        if owner.len() == 1 {
            if self.p.text(owner[0]) == "Self" {
                let ty = self.body.scope.self_ty.clone()?;
                if let Some(found) = self.associated(&ty, last) {
                    return Some(found);
                }
            }
            if let Some((_, ty)) = self.body.scope.generics.iter().find(|(n, _)| *n == owner[0]) {
                return self.associated(&ty.clone(), last);
            }
        }
        if owner.is_empty() && self.p.text(last) == "Self" {
            return self.body.scope.self_ty.as_ref()?.head();
        }
        self.p.resolve(self.body.scope.module, &names, path.global, Space::Value)
    }

    /// An associated function, constant or variant of a type.
    fn associated(&self, ty: &Ty, name: Name) -> Option<Res> {
        match ty.head() {
            Some(Res::Def(def)) => {
                if let Some(variant) = self.p.variant(def, name) {
                    return Some(variant);
                }
                self.p
                    .methods_on(ty, name)
                    .first()
                    .map(|&m| Res::Def(m))
                    .or_else(|| self.p.methods.get(&(Res::Def(def), name)).and_then(|m| m.first()).map(|&m| Res::Def(m)))
            }
            Some(Res::Ext(path)) => {
                if let Some(&method) = self.p.methods.get(&(Res::Ext(path), name)).and_then(|m| m.first()) {
                    return Some(Res::Def(method));
                }
                Some(Res::Ext(self.p.extend(path, name)))
            }
            _ => self.p.methods_on(ty, name).first().map(|&m| Res::Def(m)),
        }
    }

    fn binary(&mut self, op: BinOp, lhs: ExprId, rhs: ExprId, span: Span) -> Val {
        let mut left = self.expr(lhs);
        let mut right = self.expr(rhs);
        if matches!(op, BinOp::Eq | BinOp::Ne) {
            self.compared(&mut left, &right, span);
            self.compared(&mut right, &left, span);
        }
        let mut value = self.merge(&[left.clone(), right.clone()]);
        match op {
            BinOp::Eq | BinOp::Ne => self.note_comparison(&mut value, &left, &right, span),
            BinOp::And | BinOp::Or => {
                let either = [&left, &right].into_iter().find_map(|v| v.extra.as_ref()?.comparison);
                if either.is_some() {
                    value.extra().comparison = either;
                }
            }
            _ => {}
        }
        self.put_in_order(op, &left, &right, span);
        let folded_time = self.fold_binary(op, &left, &right);
        if matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge) {
            self.note_aged(&left, &right);
        }
        let comparison = matches!(op, BinOp::Eq | BinOp::Ne | BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge);
        if comparison && left.prov.has(Prov::CLOCK) != right.prov.has(Prov::CLOCK) {
            self.age(&left, span);
            self.age(&right, span);
        }
        if comparison {
            value.ty = Ty::Prim(self.p.names.intern("bool"));
            // A comparison asks for the value, not for presence.
            value.form = Form::Plain;
        } else if matches!(op, BinOp::And | BinOp::Or) {
            value.ty = Ty::Prim(self.p.names.intern("bool"));
        } else {
            value.ty = if left.ty.is_unknown() { right.ty } else { left.ty };
            value.form = Form::Plain;
        }
        if op == BinOp::Rem {
            for access in value.reads.clone() {
                self.use_of(access, UseKind::Modulo, span);
            }
            value.reads.clear();
            value.prov = Prov::CONST.or(value.prov.only(Prov::CLIENT));
        }
        if let (Some(Literal::Int(a)), Some(Literal::Int(b))) =
            (left.extra.as_ref().and_then(|e| e.literal.clone()), right.extra.as_ref().and_then(|e| e.literal.clone()))
        {
            let folded = match op {
                BinOp::Add => a.checked_add(b),
                BinOp::Sub => a.checked_sub(b),
                BinOp::Mul => a.checked_mul(b),
                BinOp::Div => a.checked_div(b),
                _ => None,
            };
            value.extra().literal = folded.map(Literal::Int);
        }
        if let Some(time) = folded_time {
            value.extra().time = Some(time);
        }
        value
    }

    fn struct_literal(&mut self, path: &'a hir::Path, fields: &'a [hir::FieldInit], rest: Option<ExprId>, span: Span) -> Val {
        let ty = match self.resolve_value(path).or_else(|| self.resolve_type(path)) {
            Some(Res::Def(def)) => match self.p.def(def).kind {
                DefKind::Variant(_) => self.p.def(def).parent.map_or(Ty::Unknown, Ty::adt),
                DefKind::Alias => self.p.alias_type(def).unwrap_or(Ty::Unknown),
                _ => Ty::adt(def),
            },
            Some(Res::Ext(name)) => Ty::ext(name),
            _ => self.body.scope.self_ty.clone().unwrap_or(Ty::Unknown),
        };
        self.note_made(&ty);
        let mut inits = Vec::new();
        for field in fields {
            let mut value = self.expr(field.value);
            let name = self.name(field.name);
            self.note_field(&ty, name, &mut value, self.span(field.value));
            let text = self.p.text(name);
            if text == "id" || text.ends_with("_id") || text == "version" || text == "seq" || text == "sequence" || text == "number" {
                for &access in &value.reads {
                    self.use_of(access, UseKind::Identity, span);
                }
                if self.goes_out(&ty) {
                    self.facts.records.insert((self.body.node, span));
                }
            }
            if let Ty::Adt(holder, _) = &ty {
                self.note_options(crate::facts::tokens::Home::Field(*holder, name), &value);
            }
            if let Ty::Adt(holder, _) = &ty
                && (value.expires() || value.prov != Prov::NONE || value.place.is_some())
            {
                let made = match &value.place {
                    Some(Place { root: Root::Local(node, span), path }) if path.is_empty() => Some((*node, *span)),
                    _ => None,
                };
                self.facts.inits.push(Init {
                    choice: self.body.choice,
                    holder: *holder,
                    field: name,
                    prov: value.prov,
                    expires: value.expires(),
                    node: self.body.node,
                    channel: self.channel_of(&value),
                    made,
                    span: self.span(field.value),
                });
            }
            inits.push((name, value));
        }
        let mut all: Vec<Val> = inits.iter().map(|(_, v)| v.clone()).collect();
        if let Some(rest) = rest {
            all.push(self.expr(rest));
        }
        let mut value = self.merge(&all);
        value.ty = ty;
        value.form = Form::Plain;
        value.extra().fields = inits;
        self.note_defaults(&value);
        value
    }

    /// Whether values of a type are written out as they are, by what they derive, or may be, as nothing is known of them.
    fn goes_out(&self, ty: &Ty) -> bool {
        const DERIVES: &[&str] = &[
            "Serialize",
            "Insertable",
            "SimpleObject",
            "Object",
            "GraphQLObject",
            "Message",
            "ActiveModel",
            "ToSchema",
            "Encode",
            "BorshSerialize",
            "Archive",
        ];
        let Ty::Adt(def, _) = ty else { return true };
        let owner = match self.p.def(*def).kind {
            DefKind::Variant(_) => self.p.def(*def).parent.unwrap_or(*def),
            _ => *def,
        };
        DERIVES.iter().any(|word| self.p.derives(owner, word))
    }

    pub(super) fn resolve_type(&self, path: &'a hir::Path) -> Option<Res> {
        let names: Vec<Name> = path.segments.iter().map(|s| self.name(s.name)).collect();
        self.p.resolve(self.body.scope.module, &names, path.global, Space::Type)
    }

    /// Walks a closure in place; its parameters take the given values, the rest are unknown.
    pub(super) fn closure(&mut self, closure: &'a hir::Closure, args: &[Val], span: Span) -> Val {
        let depth = self.body.env.len();
        let ret = self.body.ret.take();
        for (index, param) in closure.params.iter().enumerate() {
            let mut value = args.get(index).cloned().unwrap_or_else(Val::unknown);
            if let Some(ty) = param.ty {
                value.ty = self.lower(ty);
            }
            self.bind(param.pat, value);
        }
        let ways = (self.body.leaves, self.body.breaks);
        let passes = std::mem::take(&mut self.body.passes_absence);
        let value = self.expr(closure.body);
        self.body.passes_absence = passes;
        (self.body.leaves, self.body.breaks) = ways;
        let early = std::mem::replace(&mut self.body.ret, ret);
        self.drop_scope(depth);
        let mut value = match early {
            Some(early) => value.join(early),
            None => value,
        };
        if let Some(ty) = closure.ret {
            value.ty = self.lower(ty);
        }
        let _ = span;
        value
    }

    /// Ends a scope: variables go, and with them the guards they hold.
    pub(super) fn drop_scope(&mut self, depth: usize) {
        while self.body.env.len() > depth {
            if let Some(name) = self.body.env.pop()
                && !self.body.guards.is_empty()
            {
                self.body.guards.retain(|g| g.name != Some(name));
            }
        }
    }
}
