//! Names of this instance, what clients are told apart by, and requests that are sent on to whoever these name.

use super::*;
use crate::facts::steering::{Comparison, Forward, Means, Parting, Side};
use crate::facts::value::Val;
use crate::syntax::hir::{ExprKind, Lit};

/// Methods that give a header, a cookie or what a session holds by its name.
const GETTERS: &[&str] = &["get", "get_all", "get_one", "header", "get_header", "get_header_bytes", "cookie"];
/// Functions of types called `Redirect`.
const REDIRECTS: &[&str] =
    &["to", "temporary", "permanent", "see_other", "found", "other", "moved_permanent", "moved_permanently", "with_status_code"];

impl<'a> Eval<'a> {
    /// Keeps a comparison one side of which may be the name of this instance.
    pub(super) fn note_comparison(&mut self, value: &mut Val, left: &Val, right: &Val, span: Span) {
        let sides = [left, right].map(|v| Side { prov: v.prov, home: self.home_of(v), reads: v.reads.clone(), ty: v.ty.clone() });
        let may_name = |side: &Side| side.prov.has(Prov::INSTANCE) || side.home.is_some() && self.may_be_name(&side.ty);
        if !sides.iter().any(may_name) || sides.iter().any(|s| s.prov.is_constant() && s.home.is_none()) {
            return;
        }
        value.extra().comparison = Some(self.facts.steering.comparisons.len() as u32);
        let order = self.next();
        let comparison = Comparison { node: self.body.node, span, order, sides };
        self.facts.steering.comparisons.push(comparison);
    }

    /// Text or an identifier, also one that may be absent.
    fn may_be_name(&self, ty: &Ty) -> bool {
        match self.peel(ty) {
            Ty::Prim(name) => self.p.text(name) == "str",
            Ty::Ext(path, args) => match self.p.text(path) {
                "std::option::Option" => args.first().is_some_and(|inner| self.may_be_name(inner)),
                text => self.cat.type_info(&self.p.names, path).is_none() || text == "std::string::String",
            },
            Ty::Adt(..) | Ty::Unknown => true,
            _ => false,
        }
    }

    /// The comparison that decides a question: one that stands in it, or one that made its value.
    pub(super) fn decided_by(&self, first: usize, asked: &Val) -> Option<u32> {
        let here = self.facts.steering.comparisons.iter().skip(first).rposition(|c| c.node == self.body.node);
        here.map(|at| (first + at) as u32).or_else(|| asked.extra.as_ref().and_then(|e| e.comparison))
    }

    pub(super) fn part(&mut self, comparison: Option<u32>, way: BranchId) {
        if let Some(comparison) = comparison {
            let (node, order) = (self.body.node, self.body.order);
            self.facts.steering.partings.push(Parting { comparison, node, way, order });
        }
    }

    fn forward(&mut self, means: Means, to: Prov, span: Span) {
        let order = self.next();
        let (node, branch) = (self.body.node, self.body.branch);
        self.facts.steering.forwards.push(Forward { node, span, order, branch, to, means });
    }

    /// A function of another crate that sends the request on, or tells its client to go elsewhere.
    pub(super) fn note_sent_on(&mut self, path: &str, values: &[Val], span: Span) {
        let Some(address) = values.first() else { return };
        let mut parts = path.rsplit("::");
        let (last, owner) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        if self.cat.instances.is_peer(path) {
            self.forward(Means::Peer, address.prov, span);
        } else if self.cat.instances.is_proxy(path) {
            let to = self.merge(values).prov;
            self.forward(Means::Proxy, to, span);
        } else if matches!(owner, "Redirect" | "redirect") && REDIRECTS.contains(&last) {
            self.forward(Means::Redirect, address.prov, span);
        }
    }

    /// `client.request(method, address)` with the method of the request that came, `client.request(request)`.
    pub(super) fn note_passed_on(&mut self, on: &Val, name: &str, values: &[Val], span: Span) {
        let client = matches!(self.peel(&on.ty), Ty::Ext(path, _) if self.p.text(path).ends_with("Client") || self.cat.store(self.p.text(path)).is_some());
        let came = |v: &Val| v.prov.has(Prov::REQUEST) || v.prov.params != 0;
        if let (true, "request", [first, ..]) = (client, name, values)
            && came(first)
        {
            let to = values.get(1).unwrap_or(first).prov;
            self.forward(Means::Proxy, to, span);
        }
    }

    /// `(LOCATION, address)`, as a header of an answer.
    pub(super) fn note_location(&mut self, pair: &[Val], span: Span) {
        if let [name, address] = pair
            && self.is_location(name)
        {
            self.forward(Means::Redirect, address.prov, span);
        }
    }

    fn is_location(&self, name: &Val) -> bool {
        let by_path = matches!(&name.ty, Ty::Ext(path, _) if self.p.text(*path).ends_with("header::LOCATION"));
        by_path || name.str().is_some_and(|text| text.eq_ignore_ascii_case("location"))
    }

    /// What a method says of clients by its name and its first argument, and headers by which an answer sends them on.
    pub(super) fn note_client(&mut self, value: &mut Val, name: &str, args: &'a [ExprId], span: Span) {
        if self.cat.instances.is_client_method(name) && args.is_empty() {
            value.prov = value.prov.or(Prov::CLIENT);
        }
        let Some(&first) = args.first() else { return };
        if GETTERS.contains(&name) {
            let named = match &self.hir().expr(first).kind {
                ExprKind::Lit(Lit::Str(text)) => Some(self.text(*text)),
                ExprKind::Path(path) => path.segments.last().map(|s| self.text(s.name)),
                _ => None,
            };
            if named.is_some_and(|named| self.cat.instances.is_client_header(named)) {
                value.prov = value.prov.or(Prov::CLIENT);
            }
        }
        // An argument that is looked at before its turn is not looked into: nesting stays cheap.
        if let ("header" | "insert" | "append" | "insert_header" | "append_header", &[header, address], false) =
            (name, args, self.tokens.quiet)
        {
            let header = match &self.hir().expr(header).kind {
                ExprKind::Lit(Lit::Str(text)) => self.text(*text).eq_ignore_ascii_case("location"),
                ExprKind::Path(path) => path.segments.last().is_some_and(|s| self.text(s.name) == "LOCATION"),
                _ => false,
            };
            if header {
                let to = self.quietly(|eval| eval.expr(address)).prov;
                self.forward(Means::Redirect, to, span);
            }
        }
        // `key.hash(&mut hasher)`: what a hasher takes in is in what it gives.
        if let ("hash", &[hasher]) = (name, args) {
            let mut at = hasher;
            while let ExprKind::Ref { expr, .. } = &self.hir().expr(at).kind {
                at = *expr;
            }
            if let Some(own) = self.variable(at).and_then(|name| self.body.env.get_mut(name)) {
                own.prov = own.prov.or(value.prov);
            }
        }
    }

    /// `*request.uri_mut() = address`: the variable holds the new part.
    pub(super) fn assign_part(&mut self, lhs: ExprId, value: &Val) {
        if let ExprKind::Unary { expr, .. } = &self.hir().expr(lhs).kind
            && let ExprKind::Method { recv, .. } = &self.hir().expr(*expr).kind
            && let Some(own) = self.variable(*recv).and_then(|name| self.body.env.get_mut(name))
        {
            own.prov = own.prov.or(value.prov);
        }
    }

    /// What stands at a place that the client decides: of a list, one of several; of a map, what belongs to the client.
    pub(super) fn chosen_by_client(&self, ty: &Ty) -> Prov {
        let is_map = matches!(self.peel(ty), Ty::Ext(path, _) if self.cat.type_info(&self.p.names, path).is_some_and(|i| matches!(self.cat.class_name(i), "map" | "cache")));
        if is_map { Prov::CLIENT } else { Prov::PICKED }
    }

    /// One of several servers, chosen by a key.
    pub(super) fn picked(&mut self, on: &Val, name: &str, args: &'a [ExprId]) -> Option<Val> {
        let Ty::Ext(path, strategy) = self.peel(&on.ty) else { return None };
        if !self.cat.instances.picks(self.p.text(path), name) {
            return None;
        }
        let keyless = matches!(strategy.first(), Some(Ty::Ext(strategy, _)) if self.cat.instances.is_keyless(self.p.text(*strategy)));
        let values = self.args(args);
        let by_client = values.first().is_some_and(|key| key.prov.has(Prov::CLIENT)) && !keyless;
        let prov = if by_client { Prov::CONFIG.or(Prov::PICKED) } else { Prov::CONFIG };
        Some(Val::of(Ty::Unknown, prov))
    }
}
