//! Patterns: what the names in them stand for.

use super::*;
use crate::facts::value::{Form, Val};
use crate::resolve::Res;
use crate::syntax::hir::{PatId, PatKind};

impl<'a> Eval<'a> {
    pub(super) fn bind(&mut self, pat: PatId, value: Val) {
        match &self.hir().pat(pat).kind {
            PatKind::Bind { name, sub, .. } => {
                let name = self.name(*name);
                if let Some(sub) = sub {
                    self.bind(*sub, value.clone());
                }
                self.note_end(name, &value);
                self.body.env.push(name, value);
            }
            PatKind::Ref(inner) => self.bind(*inner, value),
            PatKind::Typed(inner, ty) => {
                let mut value = value;
                let declared = self.lower(*ty);
                if !declared.is_unknown() {
                    value.ty = declared;
                }
                self.bind(*inner, value);
            }
            PatKind::Tuple(elems) => self.bind_tuple(elems, &value),
            PatKind::Slice(elems) => {
                let elem = value.derived(value.ty.arg(0));
                for &elem_pat in elems {
                    self.bind(elem_pat, elem.clone());
                }
            }
            PatKind::TupleStruct { path, elems } => self.bind_tuple_struct(path, elems, value),
            PatKind::Struct { path, fields, .. } => {
                let variant = self.variant_of(path);
                for (name, pat) in fields {
                    let name = self.name(*name);
                    let field = match variant {
                        Some(variant) => self.variant_field(&value, variant, name),
                        None => self.field(value.clone(), name),
                    };
                    self.bind(*pat, field);
                }
            }
            PatKind::Or(pats) => {
                for &pat in pats {
                    self.bind(pat, value.clone());
                }
            }
            PatKind::Wild | PatKind::Rest | PatKind::Path(_) | PatKind::Const(_) | PatKind::Other => {}
        }
    }

    fn bind_tuple(&mut self, pats: &'a [PatId], value: &Val) {
        let elems = value.extra.as_ref().map_or(&[][..], |e| &e.elems);
        let types = match &value.ty {
            Ty::Tuple(types) => types.to_vec(),
            // A client and what drives it or listens for it: both are of the client's crate.
            client @ Ty::Ext(..) if self.client(client).is_some() => vec![client.clone(); pats.len()],
            _ => Vec::new(),
        };
        let mut values: Vec<Val> = Vec::new();
        for index in 0..pats.len() {
            let known = elems.get(index).cloned();
            values.push(known.unwrap_or_else(|| {
                let mut part = value.derived(types.get(index).cloned().unwrap_or(Ty::Unknown));
                part.place.clone_from(&value.place);
                part.form = Form::Plain;
                part
            }));
        }
        for (&pat, part) in pats.iter().zip(values) {
            self.bind(pat, part);
        }
    }

    fn bind_tuple_struct(&mut self, path: &'a hir::Path, elems: &'a [PatId], value: Val) {
        let last = path.segments.last().map_or("", |s| self.text(s.name));
        match last {
            // The place in the map that was asked for, taken or free.
            "Vacant" | "Occupied" if is_entry(&self.p.names, &value.ty) => {
                for &elem in elems {
                    self.bind(elem, value.clone());
                }
            }
            // The content of an option or result, and of an extractor.
            "Some" | "Ok" | "Err" => {
                let index = usize::from(last == "Err");
                let mut inner = value.clone();
                inner.form = Form::Plain;
                if is_wrapper(&self.p.names, &value.ty) {
                    // `Ok(Some(x))`: the inner option still says what is absent.
                    let wrapped = value.ty.arg(index);
                    if last == "Ok" && is_option(&self.p.names, &wrapped) {
                        inner.form = value.form;
                    }
                    inner.ty = wrapped;
                }
                if last == "Err" {
                    inner = inner.derived(Ty::Unknown);
                    inner.reads.clear();
                }
                for &elem in elems {
                    self.bind(elem, inner.clone());
                }
            }
            _ => {
                let variant = self.variant_of(path);
                for (index, &elem) in elems.iter().enumerate() {
                    let name = self.p.names.intern(&index.to_string());
                    let part = match variant {
                        Some(variant) => self.variant_field(&value, variant, name),
                        None if self.extractor_like(&value.ty) => {
                            let mut inner = value.clone();
                            inner.ty = self.peel_once(&value.ty);
                            inner
                        }
                        None => self.field(value.clone(), name),
                    };
                    self.bind(elem, part);
                }
            }
        }
    }

    fn variant_of(&self, path: &'a hir::Path) -> Option<DefId> {
        match self.resolve_value(path) {
            Some(Res::Def(def)) if matches!(self.p.def(def).kind, DefKind::Variant(_)) => Some(def),
            _ => None,
        }
    }

    fn variant_field(&self, value: &Val, variant: DefId, name: Name) -> Val {
        let ty = self.p.field_type(variant, value.ty.args(), name).unwrap_or(Ty::Unknown);
        let mut part = value.derived(ty);
        part.place = value.place.as_ref().map(|p| p.step(Seg::Field(variant, name)));
        part.form = Form::Plain;
        part.extra().inside = value.inside();
        part
    }

    /// `State(x)`, `Path(id)`, `Json(body)`: external tuple structs with their content as first argument.
    fn extractor_like(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(_, args) if !args.is_empty())
    }

    fn peel_once(&self, ty: &Ty) -> Ty {
        ty.arg(0)
    }
}

pub(super) fn is_entry(names: &crate::names::Names, ty: &Ty) -> bool {
    matches!(ty, Ty::Ext(name, _) if names.text(*name) == "std::collections::hash_map::Entry")
}

pub(super) fn is_option(names: &crate::names::Names, ty: &Ty) -> bool {
    matches!(ty, Ty::Ext(name, _) if names.text(*name) == "std::option::Option")
}

pub(super) fn is_result(names: &crate::names::Names, ty: &Ty) -> bool {
    matches!(ty, Ty::Ext(name, _) if names.text(*name).ends_with("::Result"))
}

pub(super) fn is_wrapper(names: &crate::names::Names, ty: &Ty) -> bool {
    is_option(names, ty) || is_result(names, ty)
}
