//! Filters of warp: a chain tells the path and the method, and what it extracts is what the handler at
//! its end is given.

use super::routers::{join, verb};
use super::*;
use crate::facts::value::Val;
use crate::syntax::hir::{BinOp, ExprKind};

impl<'a> Eval<'a> {
    /// `warp::path("x")`, `warp::get()`, `warp::path::param::<T>()`, `warp::ws()`: a filter and what it extracts.
    pub(super) fn filter_function(&mut self, path: Name, args: &'a [ExprId]) -> Val {
        let text = self.p.text(path);
        let last = text.rsplit("::").next().unwrap_or(text);
        let values = self.args(args);
        let mut value = Val::of(Ty::ext(path), Prov::CONST);
        let written = values.first().and_then(Val::str).map(str::to_string);
        let extra = value.extra();
        match (last, written) {
            ("path", Some(text)) => extra.prefix = join(Some(&text), None),
            ("param", _) => extra.prefix = Some("/{}".into()),
            _ => {}
        }
        if values.is_empty()
            && let Some(method) = verb(last).filter(|_| last != "any")
        {
            extra.literal = Some(Literal::Str(method));
        }
        // Filters that extract a value; others only let the request through.
        const EXTRACTS: &[&str] = &[
            "param",
            "ws",
            "json",
            "form",
            "query",
            "bytes",
            "header",
            "optional",
            "cookie",
            "multipart",
            "raw",
            "addr",
            "remote",
            "stream",
            "tail",
            "full",
            "method",
            "aggregate",
        ];
        if EXTRACTS.contains(&last) {
            extra.elems = vec![Val::of(Ty::Unknown, Prov::REQUEST)];
        }
        value
    }

    /// `path!("todos" / u64 / "done")`: the path, and one value for each type in it.
    pub(super) fn path_macro(&mut self, args: &'a [ExprId]) -> Val {
        let mut value = Val::of(Ty::ext(self.p.names.intern("warp::path")), Prov::CONST);
        let mut whole = String::new();
        for &arg in args {
            self.path_piece(arg, &mut whole, &mut value);
        }
        value.extra().prefix = Some(whole);
        value
    }

    fn path_piece(&mut self, at: ExprId, whole: &mut String, value: &mut Val) {
        match &self.hir().expr(at).kind {
            ExprKind::Binary { op: BinOp::Div, lhs, rhs } => {
                self.path_piece(*lhs, whole, value);
                self.path_piece(*rhs, whole, value);
            }
            ExprKind::Lit(_) => {
                if let Some(text) = self.expr(at).str() {
                    *whole = join(Some(whole), Some(text)).unwrap_or_default();
                }
            }
            _ => {
                whole.push_str("/{}");
                value.extra().elems.push(Val::of(Ty::Unknown, Prov::REQUEST));
            }
        }
    }

    /// `.and`, `.or`, `.map`, `.and_then` and the like on a filter.
    pub(super) fn filter_method(&mut self, on: &Val, name: &str, args: &'a [ExprId], span: Span) -> Val {
        let mut value = on.derived(on.ty.clone());
        value.extra.clone_from(&on.extra);
        let prefix = on.extra.as_ref().and_then(|e| e.prefix.clone());
        let method = on.str().map(str::to_string);
        let elems = on.extra.as_ref().map(|e| e.elems.clone()).unwrap_or_default();
        match name {
            "and" | "or" => {
                let given = args.first().map_or_else(Val::unknown, |&a| self.place_or_value(a));
                let added: Vec<EntryId> = given.entries().iter().copied().filter(|e| !on.entries().contains(e)).collect();
                let inner = given.extra.as_ref().and_then(|e| e.prefix.clone());
                let extra = value.extra();
                extra.entries.extend(&added);
                if name == "or" {
                    (extra.prefix, extra.literal, extra.elems) = (None, None, Vec::new());
                    return value;
                }
                if added.is_empty() {
                    extra.prefix = join(prefix.as_deref(), inner.as_deref());
                }
                if let Some(text) = given.str() {
                    extra.literal = Some(Literal::Str(text.to_string()));
                }
                extra.elems.extend(given.extra.map(|e| e.elems).unwrap_or_default());
                for entry in added {
                    self.prefix(entry, prefix.as_deref().unwrap_or(""));
                }
                value
            }
            _ if self.cat.routers.filter_methods.iter().any(|m| m == name) => {
                let mut extracted = Vec::new();
                for &arg in args {
                    let auxiliary = matches!(name, "recover" | "with" | "map_err" | "or_else");
                    let kind = if auxiliary { "middleware" } else { "handler" };
                    let given = match &self.hir().expr(arg).kind {
                        ExprKind::Closure(closure) => {
                            let hints: Vec<Val> =
                                (0..closure.params.len()).map(|i| elems.get(i).cloned().unwrap_or_else(request)).collect();
                            self.closure_entry(closure, &hints, self.span(arg), method.as_deref(), kind, auxiliary)
                        }
                        _ => self.handler(arg, method.as_deref(), kind, auxiliary),
                    };
                    // `any().map(move || db.clone())` only hands on what it captured.
                    let handed = given.extra.as_ref().and_then(|e| e.elems.first()).filter(|v| v.place.is_some()).cloned();
                    for &entry in given.entries() {
                        self.facts.entries[entry.index()].auxiliary |= handed.is_some();
                        if !auxiliary && handed.is_none() {
                            self.prefix(entry, prefix.as_deref().unwrap_or(""));
                            value.extra().entries.push(entry);
                        }
                    }
                    extracted.push(handed.map_or_else(request, |v| self.by_type(v)));
                }
                value.extra().elems = extracted;
                value
            }
            _ => {
                let values: Vec<Val> = args.iter().map(|&a| self.place_or_value(a)).collect();
                if self.cat.state.methods.iter().any(|m| m == name) {
                    for given in &values {
                        self.register(given, name, span);
                    }
                }
                value
            }
        }
    }

    /// What one handler is given and what another names by its type is the same cell.
    fn by_type(&self, mut value: Val) -> Val {
        if matches!(value.ty, Ty::Ext(..) | Ty::Adt(..)) && !self.has_unknown(&value.ty) {
            value.place = Some(Place::root(Root::Registered(value.ty.clone())));
        }
        value
    }
}

fn request() -> Val {
    Val::of(Ty::Unknown, Prov::REQUEST)
}
