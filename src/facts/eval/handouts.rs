//! State that a framework hands out by its type: parameters of handlers and calls with a type argument.

use super::*;
use crate::facts::value::Val;
use crate::resolve::Res;
use crate::resolve::paths::Space;

impl<'a> Eval<'a> {
    /// A parameter of a closure that serves requests: what its written type hands out, or the request.
    pub(super) fn request_param(&self, written: Option<hir::TypeId>) -> Val {
        let mut value = Val::of(Ty::Unknown, Prov::REQUEST);
        if let Some(ty) = written.map(|t| self.lower(t))
            && let Some(state) = state_of(self.p, self.cat, &ty)
        {
            value.prov = Prov::NONE;
            value.place = Some(Place::root(Root::Registered(state)));
        }
        value
    }

    /// `ctx.data::<T>()`, `req.app_data::<Data<T>>()`, `req.guard::<&State<T>>()`, `depot.obtain::<T>()`.
    pub(super) fn handed_out(&mut self, on: &Val, name: &str, generics: &'a [hir::TypeId], args: &'a [ExprId]) -> Option<Val> {
        let [written] = generics else { return None };
        if !self.cat.state.handouts.iter().any(|h| h == name) || !matches!(on.ty, Ty::Ext(..) | Ty::Unknown | Ty::Traits(_)) {
            return None;
        }
        self.args(args);
        let ty = self.lower(*written);
        if ty.is_unknown() {
            return None;
        }
        let mut value = Val::of(ty.clone(), Prov::NONE);
        value.place = Some(Place::root(Root::Registered(state_of(self.p, self.cat, &ty).unwrap_or(ty))));
        Some(value)
    }

    /// `any.downcast_mut::<T>()`: the same place, known by its type.
    pub(super) fn downcast(&self, on: &Val, name: &str, generics: &'a [hir::TypeId]) -> Option<Val> {
        let [written] = generics else { return None };
        let ty =
            Some(self.lower(*written)).filter(|ty| matches!(name, "downcast_ref" | "downcast_mut" | "downcast") && !ty.is_unknown())?;
        let mut value = on.clone();
        value.ty = Ty::Ext(self.p.names.intern("std::option::Option"), [ty].into());
        Some(value)
    }

    /// `use_context::<T>()`, `T::borrow_from(&state)`.
    pub(super) fn handed_by_function(&mut self, path: &'a hir::Path, args: &'a [ExprId]) -> Option<Val> {
        let (last, owner) = path.segments.split_last()?;
        let name = self.text(last.name);
        if !self.cat.state.handout_functions.iter().any(|h| h == name) {
            return None;
        }
        let named = last.args.iter().find_map(|a| match a {
            hir::GenericArg::Type(ty) => Some(self.lower(*ty)),
            _ => None,
        });
        let owner: Vec<Name> = owner.iter().map(|s| self.name(s.name)).collect();
        let ty = named.or_else(|| match self.p.resolve(self.body.scope.module, &owner, path.global, Space::Type)? {
            Res::Def(def) if matches!(self.p.def(def).kind, DefKind::Struct | DefKind::Enum) => Some(Ty::adt(def)),
            _ => None,
        })?;
        self.args(args);
        let mut value = Val::of(ty.clone(), Prov::NONE);
        value.place = Some(Place::root(Root::Registered(ty)));
        Some(value)
    }
}

/// The state inside an extractor (`State<T>`, `Data<T>`) or a request's context (`RequestContext<T>`).
pub fn state_of(p: &Program, cat: &Catalog, ty: &Ty) -> Option<Ty> {
    let Ty::Ext(name, args) = ty else { return None };
    let last = p.text(*name).rsplit("::").next().unwrap_or("");
    let context = cat.type_info(&p.names, *name).is_some_and(|i| cat.class_name(i) == "context");
    (context || cat.state.extractors.iter().any(|e| e == last)).then(|| args.first().cloned()).flatten()
}
