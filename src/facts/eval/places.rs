//! Places: what a path, field or index denotes, and what reading it means.

use super::*;
use crate::catalog::Op;
use crate::facts::value::{Form, Val};
use crate::resolve::Res;
use crate::syntax::hir::{ExprKind, UnOp};

impl<'a> Eval<'a> {
    /// An expression that is borrowed or matched: a place stays a place and is not counted as read.
    pub(super) fn place_or_value(&mut self, id: ExprId) -> Val {
        match &self.hir().expr(id).kind {
            ExprKind::Field { base, name, .. } => {
                let base = self.nested(|eval| eval.place_or_value(*base));
                self.field(base, self.name(*name))
            }
            ExprKind::Unary { op: UnOp::Deref, expr } | ExprKind::Ref { expr, .. } => self.nested(|eval| eval.place_or_value(*expr)),
            _ => self.expr(id),
        }
    }

    /// The target of an assignment.
    pub(super) fn place_of(&mut self, id: ExprId) -> Val {
        match &self.hir().expr(id).kind {
            ExprKind::Index { base, index } => {
                let mut base = self.nested(|eval| eval.place_of(*base));
                let key = self.expr(*index);
                base.place = base.place.map(|p| p.step(Seg::Elem));
                base.prov = key.prov;
                base.ty = base.ty.arg(0);
                base
            }
            _ => self.place_or_value(id),
        }
    }

    /// The type behind pointers, guards and newtypes that dereference.
    pub(super) fn peel(&self, ty: &Ty) -> Ty {
        let mut ty = ty.clone();
        for _ in 0..8 {
            let Ty::Ext(name, _) = &ty else { return ty };
            match self.cat.type_info(&self.p.names, *name) {
                Some(info) if self.cat.class(info).deref => ty = ty.arg(0),
                _ => return ty,
            }
        }
        ty
    }

    /// The target of a `Deref` impl of the tree, or of one that is derived, and the field it most likely goes through.
    pub(super) fn deref_impl(&self, ty: &Ty) -> Option<(Ty, Option<Seg>)> {
        let Ty::Adt(def, args) = ty else { return None };
        if let Some(name) = self.derived_deref(*def) {
            return Some((self.p.field_type(*def, args, name)?, Some(Seg::Field(*def, name))));
        }
        let deref = self.p.names.get("deref")?;
        let target = self.p.names.get("Target")?;
        self.p.methods.get(&(Res::Def(*def), deref))?;
        let alias = self.p.methods.get(&(Res::Def(*def), target))?.first().copied()?;
        let hir::ItemKind::TypeAlias { ty: Some(written), .. } = &self.p.item(alias).kind else { return None };
        let scope = self.p.scope_of(alias);
        let to = self.p.lower_type(self.p.def(alias).file, *written, &scope);
        let (_, fields) = self.p.fields_of(*def)?;
        let file = self.p.def(*def).file;
        let same = fields
            .fields
            .iter()
            .map(|f| self.p.name_in(file, f.name))
            .find(|&f| self.p.field_type(*def, args, f).is_some_and(|t| t == to || self.peel(&t) == self.peel(&to)));
        Some((to, same.map(|f| Seg::Field(*def, f))))
    }

    /// The field to which a derived `Deref` leads (`derive_more`, `shrinkwraprs`): the only one, or the one that is marked.
    fn derived_deref(&self, def: DefId) -> Option<Name> {
        if !["Deref", "Shrinkwrap"].iter().any(|name| self.p.derives(def, name)) {
            return None;
        }
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        let (_, fields) = self.p.fields_of(def)?;
        let marked = |f: &&hir::Field| f.attrs.iter().any(|a| matches!(hir.str(a.path), "deref" | "shrinkwrap"));
        let field = match fields.fields.as_slice() {
            [only] => only,
            several => several.iter().find(marked)?,
        };
        Some(self.p.name_in(file, field.name))
    }

    pub(super) fn field(&mut self, base: Val, name: Name) -> Val {
        if let Some(extra) = &base.extra {
            if let Some((_, value)) = extra.fields.iter().find(|(n, _)| *n == name) {
                let mut value = value.clone();
                if let (None, Some(place), Ty::Adt(holder, args)) = (&value.place, &base.place, self.peel(&base.ty)) {
                    value.place = Some(place.step(Seg::Field(holder, name)));
                    value.ty = self.p.field_type(holder, &args, name).filter(|t| !self.has_unknown(t)).unwrap_or(value.ty);
                    value.extra().inside |= base.inside();
                }
                return value;
            }
            if let Some(value) = self.p.text(name).parse::<usize>().ok().and_then(|i| extra.elems.get(i)) {
                return value.clone();
            }
        }
        let mut ty = self.peel(&base.ty);
        let mut place = base.place.clone();
        for _ in 0..4 {
            match &ty {
                Ty::Adt(def, args) => {
                    if let Some(field) = self.p.field_type(*def, args, name) {
                        let mut value = base.derived(field);
                        value.place = place.map(|p| p.step(Seg::Field(*def, name)));
                        value.form = Form::Plain;
                        value.extra().inside = base.inside();
                        value.extra().of = Some((*def, name));
                        return value;
                    }
                    let Some((target, seg)) = self.deref_impl(&ty) else { break };
                    place = match (place, seg) {
                        (Some(p), Some(seg)) => Some(p.step(seg)),
                        (p, _) => p,
                    };
                    ty = self.peel(&target);
                }
                Ty::Tuple(elems) => {
                    let elem = self.p.text(name).parse::<usize>().ok().and_then(|i| elems.get(i)).cloned();
                    let mut value = base.derived(elem.unwrap_or(Ty::Unknown));
                    value.place = place;
                    value.extra().inside = base.inside();
                    return value;
                }
                Ty::Ext(path, _) if self.cat.field(self.p.text(*path), self.p.text(name)).is_some() => {
                    let held = self.cat.field(self.p.text(*path), self.p.text(name)).unwrap_or_default();
                    let mut value = base.derived(Ty::ext(self.p.names.intern(held)));
                    value.place = place;
                    return value;
                }
                // A wrapper that nothing is known of: what it holds has the field, so it dereferences.
                Ty::Ext(_, args) if matches!(args.first(), Some(Ty::Adt(def, own)) if self.p.field_type(*def, own, name).is_some()) => {
                    ty = ty.arg(0);
                }
                // `State(x).0`, `Data(x).0`
                _ if self.p.text(name) == "0" => {
                    let mut value = base.clone();
                    value.ty = ty;
                    return value;
                }
                _ => break,
            }
        }
        let mut value = base.derived(Ty::Unknown);
        value.place = base.place.clone();
        value.extra().inside = base.inside();
        value
    }

    /// Records the read of a plain field that lives inside a cell.
    pub(super) fn load_field(&mut self, mut value: Val, span: Span) -> Val {
        let counted = matches!(&value.ty, Ty::Prim(_)) && self.body.counting_self;
        let own_state = (self.body.exclusive_self || counted || self.entry_of.contains_key(&self.body.def))
            && matches!(&value.place, Some(Place { root: Root::Param(0, _), path }) if !path.is_empty());
        if (value.inside() || own_state) && value.place.is_some() && self.is_data(&value.ty) {
            let read = self.access(&value, Op::Load, Prov::NONE, Prov::NONE, "load", span);
            value.reads.extend(read);
            value.prov = value.prov.or(Prov::CELL);
        }
        value
    }

    /// A value inside a lock that is matched or taken over as a whole: that is a read of the cell.
    pub(super) fn touch(&mut self, mut value: Val, span: Span) -> Val {
        if value.inside()
            && value.reads.is_empty()
            && value.guard().is_none_or(|_| !self.may_be_collection(&value.ty))
            && self.is_data(&value.ty)
        {
            let read = self.access(&value, Op::Load, Prov::NONE, Prov::NONE, "load", span);
            value.reads.extend(read);
            value.prov = value.prov.or(Prov::CELL);
            if super::patterns::is_option(&self.p.names, &value.ty) {
                value.form = Form::Option;
            }
        }
        value
    }

    pub(super) fn may_be_collection(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(name, _) if self.cat.type_info(&self.p.names, *name).is_some_and(|i| matches!(self.cat.class_name(i), "map" | "set" | "seq" | "cache")))
    }

    /// Whether a value of this type is data when it is read as a whole; handles and locks are not.
    fn is_data(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Prim(_) | Ty::Tuple(_) | Ty::Unknown => true,
            Ty::Adt(..) => true,
            Ty::Ext(name, _) => match self.cat.type_info(&self.p.names, *name) {
                Some(info) => matches!(self.cat.class_name(info), "map" | "set" | "seq" | "option"),
                None => self.cat.store(self.p.text(*name)).is_none(),
            },
            _ => false,
        }
    }

    pub(super) fn index(&mut self, base: Val, key: Val, span: Span) -> Val {
        let ty = self.peel(&base.ty);
        let value_index = match &ty {
            Ty::Ext(name, _) => self.cat.type_info(&self.p.names, *name).map_or(0, |i| i.value),
            _ => 0,
        };
        let mut value = base.derived(ty.arg(value_index));
        if base.place.is_some() {
            let read = self.access(&base, Op::Get, key.prov, Prov::NONE, "index", span);
            value.reads.extend(read);
            value.place = base.place.as_ref().map(|p| p.step(Seg::Elem));
            value.prov = value.prov.or(Prov::CELL);
            // Shards of a list are there from the start; a key may be missing.
            let keyed = !matches!(&ty, Ty::Seq(_)) && !matches!(&ty, Ty::Ext(name, _) if self.p.text(*name).ends_with("::Vec"));
            if let Some(access) = read.filter(|_| keyed) {
                self.use_of(access, UseKind::Required, span);
            }
        }
        for &access in &key.reads {
            self.use_of(access, UseKind::Identity, span);
        }
        value.extra().inside = base.inside();
        if key.prov.has(Prov::CLIENT) {
            value.prov = value.prov.or(self.chosen_by_client(&base.ty));
        }
        value
    }
}
