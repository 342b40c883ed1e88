//! Extensions of a request: what a middleware puts there for the handlers behind it.

use super::*;
use crate::facts::value::Val;
use crate::syntax::hir::ExprKind;

impl<'a> Eval<'a> {
    /// `request.extensions_mut().insert(id)`: what a token says is handed on under the type of the value.
    pub(super) fn note_carried(&mut self, recv: ExprId, name: &str, args: &'a [ExprId]) {
        let ("insert", &[given], false) = (name, args, self.tokens.quiet) else { return };
        if !matches!(&self.hir().expr(recv).kind, ExprKind::Method { name, .. } if self.text(*name) == "extensions_mut") {
            return;
        }
        let given = self.quietly(|eval| eval.expr(given));
        if let (Ty::Adt(def, _), true) = (&given.ty, given.prov.has(Prov::CLAIM)) {
            self.facts.tokens.carried.push((self.body.node, *def));
        }
    }

    /// `extensions.get::<Id>()`: it is what the middleware has put there.
    pub(super) fn note_taken(&mut self, value: &mut Val, name: &str, generics: &'a [hir::TypeId]) {
        let ("get" | "remove" | "get_mut", &[only]) = (name, generics) else { return };
        if let Ty::Adt(def, _) = self.lower(only) {
            value.prov = value.prov.or(Prov::CLAIM);
            let order = self.next();
            self.facts.tokens.taken.push((self.body.node, def, order));
        }
    }
}
