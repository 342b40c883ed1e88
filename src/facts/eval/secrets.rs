//! Secrets: what keys are made from, what is hashed together with a request's data, and what a request's
//! data is compared with.

use super::*;
use crate::catalog::{FnEffect, Op};
use crate::facts::value::Val;
use crate::syntax::hir::ExprKind;

impl<'a> Eval<'a> {
    /// Where a value lies that outlives the body in which it is used.
    fn lies_in(&self, value: &Val) -> Option<Kept> {
        if let Some((holder, field)) = value.extra.as_ref().and_then(|e| e.of) {
            return Some(Kept::Field(holder, field));
        }
        match &value.place.as_ref()?.root {
            Root::Static(def) => Some(Kept::Static(*def)),
            Root::Local(node, span) if *node != self.body.node => Some(Kept::Local(*node, *span)),
            _ => None,
        }
    }

    /// Notes that a value signs, seals or salts: always, or if what it is used together with comes from a request.
    pub(super) fn signs(&mut self, value: &Val, with: Option<Prov>, span: Span) {
        let parts = value.extra.as_ref().map_or(&[][..], |e| &e.elems);
        for part in std::iter::once(value).chain(parts) {
            if let Some(key) = self.lies_in(part) {
                self.facts.signings.push(Signing { node: self.body.node, span, key, with });
            }
        }
        if with.is_none() {
            self.note_param_use(value, UseKind::Signs);
        }
    }

    /// A key is made from these values; where they were drawn at random, that is a secret of its own.
    pub(super) fn makes_key_from(&mut self, what: &str, values: &[Val], span: Span) {
        for value in values {
            self.signs(value, None, span);
        }
        let from = self.merge(values).prov;
        if from.has(Prov::RANDOM) || from.params != 0 {
            self.effect(EffectKind::Secret, what, span, Prov::NONE, from, None, None);
        }
    }

    /// `(&self.secret, id).hash(&mut hasher)`: a text in it signs what else is in it.
    pub(super) fn hashed(&mut self, value: &Val, span: Span) {
        let parts = value.extra.as_ref().map_or(Vec::new(), |e| e.elems.clone());
        for (index, part) in parts.iter().enumerate() {
            if !self.may_be_secret(&part.ty) {
                continue;
            }
            let others = parts.iter().enumerate().filter(|(i, _)| *i != index);
            let with = others.fold(Prov::NONE, |p, (_, v)| p.or(v.prov));
            self.signs(part, Some(with), span);
        }
    }

    /// One side of a comparison with what may come from a request: the read of a secret, if it is one.
    pub(super) fn compared(&mut self, value: &mut Val, other: &Val, span: Span) {
        let asked = other.prov.has(Prov::REQUEST) || other.prov.params != 0;
        let kept = matches!(self.lies_in(value), Some(Kept::Field(..) | Kept::Static(_)));
        if asked && kept && value.reads.is_empty() && self.may_be_secret(&value.ty) {
            let read = self.access(value, Op::Load, other.prov, Prov::NONE, COMPARED, span);
            value.reads.extend(read);
        }
    }

    /// `rng.fill_bytes(&mut key)`: what is filled is random from here on.
    pub(super) fn filled(&mut self, args: &[ExprId]) {
        for &arg in args {
            let mut at = arg;
            while let ExprKind::Ref { expr: inner, .. } | ExprKind::Index { base: inner, .. } | ExprKind::Method { recv: inner, .. } =
                &self.hir().expr(at).kind
            {
                at = *inner;
            }
            let ExprKind::Path(path) = &self.hir().expr(at).kind else { continue };
            let [only] = path.segments.as_slice() else { continue };
            let name = self.name(only.name);
            if let Some(filled) = self.body.env.get_mut(name) {
                filled.prov = filled.prov.or(Prov::RANDOM);
            }
        }
    }

    /// Whether an external function or value draws randomness when it is called.
    pub(super) fn draws(&self, path: Name) -> bool {
        self.cat.function(&self.p.names, path).is_some_and(|f| f.effect == FnEffect::Random)
    }

    /// Text, bytes and identifiers; a number is a seed.
    fn may_be_secret(&self, ty: &Ty) -> bool {
        match self.peel(ty) {
            Ty::Prim(name) => self.p.text(name) == "str",
            Ty::Seq(elem) => matches!(&*elem, Ty::Prim(name) if self.p.text(*name) == "u8"),
            Ty::Ext(name, args) => match self.p.text(name) {
                "std::string::String" | "uuid::Uuid" => true,
                "std::vec::Vec" => matches!(args.first(), Some(Ty::Prim(name)) if self.p.text(*name) == "u8"),
                _ => false,
            },
            _ => false,
        }
    }
}
