//! Macro calls: their arguments as far as they are Rust, and what well-known macros do with them.

use super::*;
use crate::facts::value::{Form, StoreCall, Val};
use crate::resolve::Res;
use crate::resolve::paths::Space;
use crate::syntax::hir::{ExprKind, MacroArgs, MacroCall};

impl<'a> Eval<'a> {
    pub(super) fn macro_call(&mut self, call: &'a MacroCall, span: Span) -> Val {
        let path = self.text(call.path);
        let last = path.rsplit("::").next().unwrap_or(path);
        if let (MacroArgs::Exprs(args) | MacroArgs::Opaque(args, _), "path") = (&call.args, last) {
            return self.path_macro(args);
        }
        if let MacroArgs::Exprs(args) | MacroArgs::Opaque(args, _) = &call.args
            && let Some(value) = self.method_by_macro(args, span)
        {
            return value;
        }
        let mut values: Vec<Val> = match &call.args {
            MacroArgs::Exprs(args) | MacroArgs::Opaque(args, _) => args.iter().map(|&a| self.expr(a)).collect(),
            MacroArgs::Block(block) => {
                let ret = self.body.ret.take();
                let value = self.block(block);
                let yielded = std::mem::replace(&mut self.body.ret, ret);
                let mut value = yielded.map_or(value.clone(), |y| value.join(y));
                value.ty = Ty::Unknown;
                return value;
            }
            MacroArgs::Select(arms) => return self.select(arms, span),
            MacroArgs::Pairs(pairs) => return self.object(pairs),
        };
        // A list that is written out is read as a whole.
        if matches!(last, "format" | "format_args" | "write" | "writeln") {
            self.handed_on(&mut values, span);
        }
        let mut value = self.merge(&values);
        value.form = Form::Plain;
        if last == "biscuit"
            && let Some(builder) = self.biscuit(path, &values)
        {
            return builder;
        }
        match last {
            _ if self.cat.is_log_macro(path) => {
                self.uses_of(&value, UseKind::Logged, span);
                self.effect(EffectKind::Log, last, span, Prov::NONE, Prov::NONE, None, None);
                Val::unit()
            }
            "vec" | "smallvec" => {
                value.ty = Ty::Ext(self.p.names.intern("std::vec::Vec"), [values.first().map_or(Ty::Unknown, |v| v.ty.clone())].into());
                if values.is_empty() {
                    value.prov = Prov::CONST;
                }
                value
            }
            "format" | "format_args" => {
                value.ty = Ty::Prim(self.p.names.intern("str"));
                // What signs a text that is put together may stand within it.
                let parts: Vec<Val> = values.iter().filter(|v| v.extra.as_ref().is_some_and(|e| e.of.is_some())).cloned().collect();
                if !parts.is_empty() {
                    value.extra().elems = parts;
                }
                if values.first().and_then(|v| v.str()).is_some_and(is_line_protocol) {
                    self.uses_of(&value, UseKind::Logged, span);
                    value.reads.clear();
                }
                // Of a text that is put together, the frame says what it is.
                if let Some(frame) = values.first().and_then(|v| v.str()).map(str::to_string) {
                    value.extra().literal = Some(Literal::Str(frame));
                }
                value
            }
            "hashmap" | "btreemap" | "maplit" => {
                value.ty = Ty::ext(self.p.names.intern("std::collections::HashMap"));
                value
            }
            "matches" => {
                value.ty = Ty::Prim(self.p.names.intern("bool"));
                value.form = values.first().map_or(Form::Plain, |v| v.form);
                if value.form == Form::Option {
                    value.form = Form::Bool { negated: false };
                }
                value
            }
            "panic" | "unreachable" | "todo" | "unimplemented" | "bail" => {
                let refused = value.derived(Ty::Never);
                Val { reads: Vec::new(), ..refused }
            }
            "assert" | "assert_eq" | "ensure" | "debug_assert" => {
                let none = Arm::default();
                self.uses_of(&value, UseKind::Gate { hit: none, miss: Arm { exits: true, refuses: true, ..none } }, span);
                Val::unit()
            }
            "join" | "try_join" => {
                for value in &values {
                    if let Some(effect) = value.spawn() {
                        self.mark_awaited(effect);
                        self.join(effect);
                    }
                }
                let carried: Vec<Val> = values.into_iter().map(|v| self.carry_out(v, span)).collect();
                let mut all = self.merge(&carried);
                all.ty = Ty::Tuple(carried.iter().map(|v| v.ty.clone()).collect());
                all.extra().elems = carried;
                all
            }
            "include_str" | "include_bytes" => {
                let mut value = Val::of(Ty::Prim(self.p.names.intern("str")), Prov::CONST);
                value.extra().literal = values.first().and_then(Val::literal).cloned();
                value
            }
            "env" | "option_env" | "concat" | "stringify" | "lazy_regex" | "regex" => {
                Val::of(Ty::Prim(self.p.names.intern("str")), Prov::CONST)
            }
            _ if self.cat.routers.macros.iter().any(|m| m == last) => self.route_list(values),
            _ => self.store_macro(path, &values, value),
        }
    }

    /// `query!(self, insert_one, TABLE, row)`: a macro whose rules lie in another file is given a name that stands
    /// for nothing here but a method of the value before it, and the rest of that method's arguments.
    fn method_by_macro(&mut self, args: &'a [ExprId], span: Span) -> Option<Val> {
        let [recv, method, rest @ ..] = args else { return None };
        let word = |id: &ExprId| match &self.hir().expr(*id).kind {
            ExprKind::Path(path) if path.qself.is_none() && path.segments.len() == 1 => Some((path, self.name(path.segments[0].name))),
            _ => None,
        };
        let ((_, variable), (path, name)) = (word(recv)?, word(method)?);
        self.local(variable)?;
        if self.local(name).is_some() || self.resolve_value(path).is_some() {
            return None;
        }
        let on = self.place_or_value(*recv);
        let targets = self.p.methods_in(self.body.scope.module, &self.peel(&on.ty), name);
        if targets.is_empty() {
            return None;
        }
        let called = self.call_functions(&targets, Some(on), rest, span);
        Some(self.awaited(called, span))
    }

    /// `json!({"sub": id, ..})`: its values by their keys.
    fn object(&mut self, pairs: &'a [(Option<hir::Sym>, ExprId)]) -> Val {
        let mut fields = Vec::new();
        let mut values = Vec::with_capacity(pairs.len());
        for (key, id) in pairs {
            let mut value = self.expr(*id);
            if let Some(name) = key.map(|key| self.name(key)) {
                self.note_field(&Ty::Unknown, name, &mut value, self.span(*id));
                fields.push((name, value.clone()));
            }
            values.push(value);
        }
        let mut value = self.merge(&values);
        value.prov = value.prov.or(Prov::CONST);
        value.form = Form::Plain;
        value.extra().fields = fields;
        value
    }

    /// `sqlx::query!("..", a)` and the like: a request to a store.
    fn store_macro(&mut self, path: &str, values: &[Val], mut value: Val) -> Val {
        let names: Vec<Name> = path.split("::").map(|s| self.p.names.intern(s)).collect();
        let resolved = self.p.resolve(self.body.scope.module, &names, false, Space::Any);
        let full = match resolved {
            Some(Res::Ext(name)) => self.p.text(name),
            _ => path,
        };
        if let Some(kind) = self.cat.store(full) {
            // `query_as!(Row, "..")`: the name of the row's type is no text.
            let text = values.iter().filter(|v| self.is_text(&v.ty)).find_map(|v| v.str()).map(str::to_string);
            let last = path.rsplit("::").next().unwrap_or(path).to_string();
            value.extra().store = Some(StoreCall { kind, text, text_param: None, verbs: vec![last] });
            value.ty = Ty::ext(self.p.names.intern(full));
        }
        value
    }

    fn select(&mut self, arms: &'a [hir::SelectArm], span: Span) -> Val {
        let mut result: Option<Val> = None;
        for arm in arms {
            let depth = self.body.env.len();
            let mut value = Val::unknown();
            let waits = self.body.waits;
            if let Some(future) = arm.future {
                if self.takes_next(future) {
                    let node = self.body.node.index();
                    self.facts.nodes[node].listens = true;
                }
                let at = self.span(future);
                let pending = match &self.hir().expr(future).kind {
                    ExprKind::Ref { expr, .. } => self.place_or_value(*expr),
                    _ => self.expr(future),
                };
                value = self.awaited(pending, at);
            }
            if let Some(pat) = arm.pat {
                self.bind(pat, value);
            }
            if let Some(guard) = arm.guard {
                self.expr(guard);
            }
            self.body.waits = waits;
            let ways = (self.body.leaves, self.body.breaks);
            let way = self.enter(span);
            let produced = self.expr(arm.body);
            self.leave(way, matches!(produced.ty, Ty::Never));
            (self.body.leaves, self.body.breaks) = ways;
            self.drop_scope(depth);
            result = Some(match result {
                Some(old) => old.join(produced),
                None => produced,
            });
        }
        result.unwrap_or_else(Val::unit)
    }
}

/// Whether the frame of a text writes integer fields of the line protocol, in which time series are reported:
/// `requests={n}u`, by <https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/>.
fn is_line_protocol(frame: &str) -> bool {
    let mut fields = frame.split([',', ' ', '\n']).filter(|part| part.contains('=')).peekable();
    fields.peek().is_some() && fields.all(|field| field.ends_with("}u") || field.ends_with("}i"))
}
