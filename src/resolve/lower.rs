//! Written types to [`Ty`].

use super::paths::Space;
use super::program::*;
use super::types::{self, Ty};
use crate::names::Name;
use crate::syntax::hir::{self, GenericArg, Type, TypeId};
use std::cell::{Cell, RefCell};
use std::sync::Arc;

/// What generic names and `Self` mean at a place.
#[derive(Clone, Debug)]
pub struct Scope {
    pub module: ModId,
    pub self_ty: Option<Ty>,
    pub generics: Vec<(Name, Ty)>,
}

const MAX_DEPTH: u32 = 32;
/// What an associated type costs of that: it may name itself through the header of its impl, and two ways at each step.
const HOP: u32 = 8;
/// Nested look-ups of one type, through the names in its paths too.
const MAX_NESTED: u32 = 128;
/// Written types that one type may stand for: aliases of aliases can double at each step.
const MAX_STEPS: u32 = 20_000;
/// Implementations of a trait that are asked what an associated type is.
const MAX_IMPLEMENTED: usize = 8;

/// What bounds the lowering of one type. A type looks up names, a name can go through an alias, and
/// that is a type again: no single function sees the whole way.
#[derive(Default)]
pub struct Fuel {
    nested: Cell<u32>,
    steps: Cell<u32>,
    /// Aliases that are being written out: one that comes up inside itself stands for nothing.
    aliases: RefCell<Vec<DefId>>,
}

/// Traits that say nothing about what a value is.
const MARKERS: &[&str] = &[
    "Send",
    "Sync",
    "Sized",
    "Clone",
    "Copy",
    "Unpin",
    "Debug",
    "Default",
    "PartialEq",
    "Eq",
    "Hash",
    "Ord",
    "PartialOrd",
    "Display",
    "UnwindSafe",
    "RefUnwindSafe",
];

impl Program {
    pub fn lower_type(&self, file: FileId, ty: TypeId, scope: &Scope) -> Ty {
        self.lower_at(file, ty, scope, 0)
    }

    fn lower_at(&self, file: FileId, ty: TypeId, scope: &Scope, depth: u32) -> Ty {
        let fuel = &self.fuel;
        let nested = fuel.nested.get();
        let steps = if nested == 0 { 0 } else { fuel.steps.get() };
        if depth > MAX_DEPTH || nested > MAX_NESTED || steps > MAX_STEPS {
            return Ty::Unknown;
        }
        fuel.nested.set(nested + 1);
        fuel.steps.set(steps + 1);
        let lowered = self.lower_kind(file, ty, scope, depth);
        fuel.nested.set(nested);
        lowered
    }

    fn lower_kind(&self, file: FileId, ty: TypeId, scope: &Scope, depth: u32) -> Ty {
        let hir = &self.file(file).hir;
        let inner = |ty: TypeId| self.lower_at(file, ty, scope, depth + 1);
        match hir.ty(ty) {
            Type::Path(path) => self.lower_path(file, path, scope, depth),
            Type::Ref { ty, .. } | Type::Ptr(ty) => inner(*ty),
            Type::Tuple(elems) if elems.is_empty() => Ty::Unit,
            Type::Tuple(elems) => Ty::Tuple(elems.iter().map(|&e| inner(e)).collect()),
            Type::Slice(elem) | Type::Array { elem, .. } => Ty::Seq(Arc::new(inner(*elem))),
            Type::Impl(bounds) | Type::Dyn(bounds) => self.lower_bounds(file, bounds, scope, depth).unwrap_or(Ty::Unknown),
            Type::Fn { ret, .. } => {
                let ret = ret.map_or(Ty::Unit, inner);
                Ty::Ext(self.names.intern("std::ops::Fn"), Arc::from([ret]))
            }
            Type::Never => Ty::Never,
            Type::Infer | Type::Other => Ty::Unknown,
        }
    }

    /// A value known by its traits only; `None` if they say nothing.
    pub fn lower_bounds(&self, file: FileId, bounds: &[hir::Path], scope: &Scope, depth: u32) -> Option<Ty> {
        let mut traits = Vec::new();
        for bound in bounds {
            let names: Vec<Name> = bound.segments.iter().map(|s| self.name_in(file, s.name)).collect();
            let last = bound.segments.last()?;
            let args = |index: usize| {
                let mut types = last.args.iter().filter_map(|a| match a {
                    GenericArg::Type(t) | GenericArg::Assoc(_, t) => Some(*t),
                    _ => None,
                });
                types.nth(index).map_or(Ty::Unknown, |t| self.lower_at(file, t, scope, depth + 1))
            };
            match self.text(*names.last()?) {
                "Future" | "Into" | "AsRef" | "AsMut" | "Borrow" | "Deref" | "DerefMut" | "ToOwned" | "IntoFuture" => return Some(args(0)),
                "Iterator" | "IntoIterator" | "Stream" | "TryStream" | "DoubleEndedIterator" | "ExactSizeIterator" => {
                    return Some(Ty::Ext(self.names.intern("std::iter::Iterator"), Arc::from([args(0)])));
                }
                "Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce" => {
                    let ret = last.args.iter().find_map(|a| match a {
                        GenericArg::FnSugar(_, ret) => *ret,
                        _ => None,
                    });
                    let ret = ret.map_or(Ty::Unit, |r| self.lower_at(file, r, scope, depth + 1));
                    return Some(Ty::Ext(self.names.intern("std::ops::Fn"), Arc::from([ret])));
                }
                name if MARKERS.contains(&name) => {}
                _ => traits.extend(self.resolve(scope.module, &names, bound.global, Space::Type)),
            }
        }
        (!traits.is_empty()).then(|| Ty::Traits(traits.into()))
    }

    fn lower_path(&self, file: FileId, path: &hir::Path, scope: &Scope, depth: u32) -> Ty {
        let names: Vec<Name> = path.segments.iter().map(|s| self.name_in(file, s.name)).collect();
        let Some(&first) = names.first() else { return Ty::Unknown };
        if let Some((qself, _)) = path.qself {
            let on = self.lower_at(file, qself, scope, depth + 1);
            return names.last().map_or(Ty::Unknown, |&n| self.associated_type(&on, n, depth));
        }
        if self.text(first) == "Self" {
            let own = scope.self_ty.clone().unwrap_or(Ty::Unknown);
            return names.get(1).map_or(own.clone(), |&n| self.associated_type(&own, n, depth));
        }
        if !path.global
            && let Some((_, ty)) = scope.generics.iter().find(|(n, _)| *n == first)
        {
            return match names.get(1) {
                Some(_) => Ty::Unknown,
                None => ty.clone(),
            };
        }
        let args = |skip_infer: bool| -> Vec<Ty> {
            let last = path.segments.last();
            let written = last.into_iter().flat_map(|s| &s.args);
            let lowered = written.filter_map(|a| match a {
                GenericArg::Type(t) | GenericArg::Assoc(_, t) => Some(self.lower_at(file, *t, scope, depth + 1)),
                _ => None,
            });
            lowered.filter(|t| !skip_infer || !t.is_unknown()).collect()
        };
        match self.resolve(scope.module, &names, path.global, Space::Type) {
            Some(Res::Def(def)) => match self.def(def).kind {
                DefKind::Struct | DefKind::Enum | DefKind::Union => Ty::Adt(def, types::args(args(false))),
                DefKind::Variant(_) => self.def(def).parent.map_or(Ty::Unknown, Ty::adt),
                DefKind::Alias => self.lower_alias(def, args(false), depth + 1),
                DefKind::Trait => Ty::Traits(Arc::from([Res::Def(def)])),
                _ => Ty::Unknown,
            },
            Some(Res::Ext(name)) => self.external(name, args(false)),
            _ => Ty::Unknown,
        }
    }

    /// An external type; boxes, pins and borrowed-or-owned wrappers are dissolved.
    pub fn external(&self, name: Name, args: Vec<Ty>) -> Ty {
        match self.text(name) {
            "std::boxed::Box"
            | "std::pin::Pin"
            | "std::borrow::Cow"
            | "futures::future::BoxFuture"
            | "futures_util::future::BoxFuture"
            | "futures_core::future::BoxFuture" => args.into_iter().next().unwrap_or(Ty::Unknown),
            text if !text.contains("::") => Ty::Prim(name),
            _ => Ty::Ext(name, types::args(args)),
        }
    }

    pub fn alias_type(&self, def: DefId) -> Option<Ty> {
        (self.def(def).kind == DefKind::Alias).then(|| self.lower_alias(def, Vec::new(), 1))
    }

    fn lower_alias(&self, def: DefId, args: Vec<Ty>, depth: u32) -> Ty {
        let hir::ItemKind::TypeAlias { generics, ty: Some(ty) } = &self.item(def).kind else { return Ty::Unknown };
        let file = self.def(def).file;
        self.written_out(def, || {
            let scope = self.scope_with(def, generics, args, depth);
            self.lower_at(file, *ty, &scope, depth + 1)
        })
    }

    fn written_out(&self, alias: DefId, lower: impl FnOnce() -> Ty) -> Ty {
        let aliases = &self.fuel.aliases;
        if aliases.borrow().contains(&alias) {
            return Ty::Unknown;
        }
        aliases.borrow_mut().push(alias);
        let ty = lower();
        aliases.borrow_mut().pop();
        ty
    }

    /// The scope of a definition whose parameters stand for `args`; missing ones take their default.
    fn scope_with(&self, def: DefId, generics: &hir::Generics, args: Vec<Ty>, depth: u32) -> Scope {
        let file = self.def(def).file;
        let mut scope = Scope { module: self.def(def).module, self_ty: None, generics: Vec::new() };
        let mut args = args.into_iter();
        for param in &generics.params {
            let name = self.name_in(file, param.name);
            let ty = match (args.next(), param.default) {
                (Some(ty), _) => ty.bounded(),
                (None, Some(default)) => self.lower_at(file, default, &scope, depth + 1),
                (None, None) => self.lower_bounds(file, &param.bounds, &scope, depth + 1).unwrap_or(Ty::Param(name)),
            };
            scope.generics.push((name, ty));
        }
        scope
    }

    fn associated_type(&self, on: &Ty, name: Name, depth: u32) -> Ty {
        if let Ty::Traits(traits) = on {
            return self.implemented_type(traits, name, depth);
        }
        let Some(head) = on.head() else { return Ty::Unknown };
        let ids = self.methods.get(&(head, name));
        let alias = ids.into_iter().flatten().find(|&&d| self.def(d).kind == DefKind::Alias);
        alias.and_then(|&d| self.associated_alias(d, depth + HOP)).unwrap_or(Ty::Unknown)
    }

    /// What the one implementation of a trait says an associated type is; unknown where several say different things.
    fn implemented_type(&self, traits: &[Res], name: Name, depth: u32) -> Ty {
        let impls = traits.iter().flat_map(|t| self.impls_of.get(t).into_iter().flatten());
        let named =
            impls.flat_map(|&i| self.impls[i as usize].fns.iter()).filter(|(n, d)| *n == name && self.def(*d).kind == DefKind::Alias);
        let mut found = Ty::Unknown;
        for &(_, alias) in named.take(MAX_IMPLEMENTED) {
            let ty = self.associated_alias(alias, depth + HOP).unwrap_or(Ty::Unknown);
            if ty.is_unknown() || !found.is_unknown() && found != ty {
                return Ty::Unknown;
            }
            found = ty;
        }
        found
    }

    fn associated_alias(&self, def: DefId, depth: u32) -> Option<Ty> {
        if depth > MAX_DEPTH {
            return None;
        }
        let hir::ItemKind::TypeAlias { ty: Some(ty), .. } = &self.item(def).kind else { return None };
        let lower = || self.lower_at(self.def(def).file, *ty, &self.scope_at(def, depth), depth);
        Some(self.written_out(def, lower))
    }

    /// Generic names and `Self` inside a definition, outer ones first.
    pub fn scope_of(&self, def: DefId) -> Scope {
        self.scope_at(def, 0)
    }

    fn scope_at(&self, def: DefId, depth: u32) -> Scope {
        let mut scope = Scope { module: self.def(def).body_module, self_ty: None, generics: Vec::new() };
        let mut chain = vec![def];
        while let Some(parent) = chain.last().and_then(|&d| self.def(d).parent) {
            chain.push(parent);
        }
        for &id in chain.iter().rev() {
            let file = self.def(id).file;
            let generics = match &self.item(id).kind {
                hir::ItemKind::Fn(function) => &function.generics,
                hir::ItemKind::Impl { generics, .. } | hir::ItemKind::Trait { generics, .. } => generics,
                hir::ItemKind::Struct { generics, .. }
                | hir::ItemKind::Enum { generics, .. }
                | hir::ItemKind::TypeAlias { generics, .. } => generics,
                _ => continue,
            };
            for param in &generics.params {
                let name = self.name_in(file, param.name);
                scope.generics.retain(|(n, _)| *n != name);
                scope.generics.push((name, Ty::Param(name)));
            }
            for param in &generics.params {
                let name = self.name_in(file, param.name);
                if let Some(ty) = self.lower_bounds(file, &param.bounds, &scope, depth + 1)
                    && let Some(entry) = scope.generics.iter_mut().find(|(n, _)| *n == name)
                {
                    entry.1 = ty;
                }
            }
            match self.def(id).kind {
                DefKind::Impl => {
                    if let hir::ItemKind::Impl { self_ty, .. } = &self.item(id).kind {
                        scope.self_ty = Some(self.lower_at(file, *self_ty, &scope, depth + 1));
                    }
                }
                DefKind::Trait => scope.self_ty = Some(Ty::Traits(Arc::from([Res::Def(id)]))),
                DefKind::Struct | DefKind::Enum => scope.self_ty = Some(Ty::adt(id)),
                DefKind::Fn => scope.self_ty = scope.self_ty.or_else(|| self.moved_into(id)),
                _ => {}
            }
        }
        scope
    }

    /// The type whose impl an attribute moves a function into: outside of impls, `self` stands only below such an attribute.
    pub(super) fn moved_into(&self, def: DefId) -> Option<Ty> {
        self.function(def).filter(|f| f.receiver.is_some() && self.def(def).parent.is_none())?;
        let hir = &self.file(self.def(def).file).hir;
        self.item(def).attrs.iter().find_map(|attr| {
            let written = hir.str(attr.args).split(['<', ',']).next()?;
            let names: Option<Vec<Name>> = written.split("::").map(|segment| self.names.get(segment.trim())).collect();
            match self.resolve(self.def(def).module, &names?, false, Space::Type)? {
                Res::Def(owner) if matches!(self.def(owner).kind, DefKind::Struct | DefKind::Enum) => Some(Ty::adt(owner)),
                _ => None,
            }
        })
    }

    /// The type of a field of a struct, with the struct's arguments put in; tuple fields by index.
    pub fn field_type(&self, def: DefId, args: &[Ty], name: Name) -> Option<Ty> {
        let (generics, fields) = self.fields_of(def)?;
        let file = self.def(def).file;
        let field = fields.fields.iter().find(|f| self.name_in(file, f.name) == name)?;
        let owner = match self.def(def).kind {
            DefKind::Variant(_) => self.def(def).parent?,
            _ => def,
        };
        let scope = Scope { self_ty: Some(Ty::adt(owner)), ..self.scope_with(def, generics, args.to_vec(), 1) };
        Some(self.lower_at(file, field.ty, &scope, 1))
    }

    /// Fields of a struct, union or variant.
    pub fn fields_of(&self, def: DefId) -> Option<(&hir::Generics, &hir::Fields)> {
        match (self.def(def).kind, &self.item(def).kind) {
            (_, hir::ItemKind::Struct { generics, fields } | hir::ItemKind::Union { generics, fields }) => Some((generics, fields)),
            (DefKind::Variant(index), hir::ItemKind::Enum { generics, variants }) => {
                Some((generics, &variants.get(index as usize)?.fields))
            }
            _ => None,
        }
    }
}
