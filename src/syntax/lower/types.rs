//! Types, paths and generics.

use syn::spanned::Spanned;

use super::{Lower, Pos, close, end, range, start};
use crate::syntax::hir::*;

impl Lower {
    pub fn ty(&mut self, ty: &syn::Type) -> TypeId {
        let lowered = match ty {
            syn::Type::Paren(paren) => return self.ty(&paren.elem),
            syn::Type::Group(group) => return self.ty(&group.elem),
            syn::Type::Path(path) => Type::Path(self.qualified_path(path.qself.as_ref(), &path.path)),
            syn::Type::Reference(reference) => Type::Ref { mutable: reference.mutability.is_some(), ty: self.ty(&reference.elem) },
            syn::Type::Ptr(pointer) => Type::Ptr(self.ty(&pointer.elem)),
            syn::Type::Tuple(tuple) => Type::Tuple(tuple.elems.iter().map(|ty| self.ty(ty)).collect()),
            syn::Type::Slice(slice) => Type::Slice(self.ty(&slice.elem)),
            syn::Type::Array(array) => Type::Array { elem: self.ty(&array.elem), len: self.expr(&array.len) },
            syn::Type::FnPtr(function) => {
                Type::Fn { params: function.inputs.iter().map(|arg| self.ty(&arg.ty)).collect(), ret: self.return_type(&function.output) }
            }
            syn::Type::ImplTrait(bounds) => Type::Impl(self.bounds(&bounds.bounds)),
            syn::Type::TraitObject(bounds) => Type::Dyn(self.bounds(&bounds.bounds)),
            syn::Type::Never(_) => Type::Never,
            syn::Type::Infer(_) => Type::Infer,
            _ => Type::Other,
        };
        self.add_type(lowered)
    }

    pub fn return_type(&mut self, output: &syn::ReturnType) -> Option<TypeId> {
        match output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(self.ty(ty)),
        }
    }

    /// The traits among the bounds; lifetimes and `?Sized` are dropped.
    pub fn bounds<'a>(&mut self, bounds: impl IntoIterator<Item = &'a syn::TypeParamBound>) -> Vec<Path> {
        let mut paths = Vec::new();
        for bound in bounds {
            if let syn::TypeParamBound::Trait(bound) = bound
                && bound.maybe.is_none()
            {
                paths.push(self.path(&bound.path));
            }
        }
        paths
    }

    pub fn path(&mut self, path: &syn::Path) -> Path {
        self.qualified_path(None, path)
    }

    pub fn qualified_path(&mut self, qself: Option<&syn::QSelf>, path: &syn::Path) -> Path {
        let mut from = path.leading_colon.as_ref().map(|colons| start(colons.spans[0]));
        let mut to = None;
        let mut segments = Vec::with_capacity(path.segments.len());
        for segment in &path.segments {
            let (name, span) = self.name(&segment.ident);
            from = from.or(Some(span.from()));
            let (args, args_end) = self.path_arguments(&segment.arguments);
            to = args_end.or(Some(span.to()));
            segments.push(Segment { name, args });
        }
        let qself = qself.map(|qself| {
            from = Some(start(qself.lt_token.span));
            to = to.or(Some(end(qself.gt_token.span)));
            (self.ty(&qself.ty), qself.position as u32)
        });
        let span = match (from, to) {
            (Some(from), Some(to)) => range(from, to),
            _ => Span::default(),
        };
        Path { segments, global: path.leading_colon.is_some() && qself.is_none(), qself, span }
    }

    fn path_arguments(&mut self, arguments: &syn::PathArguments) -> (Vec<GenericArg>, Option<Pos>) {
        match arguments {
            syn::PathArguments::None => (Vec::new(), None),
            syn::PathArguments::AngleBracketed(angle) => (self.generic_args(angle), Some(end(angle.gt_token.span))),
            syn::PathArguments::Parenthesized(sugar) => {
                let inputs = sugar.inputs.iter().map(|arg| self.ty(&arg.ty)).collect();
                let output = self.return_type(&sugar.output);
                let to = output_end(sugar);
                (vec![GenericArg::FnSugar(inputs, output)], Some(to))
            }
        }
    }

    pub fn generic_args(&mut self, angle: &syn::AngleBracketedGenericArguments) -> Vec<GenericArg> {
        let mut args = Vec::new();
        for arg in &angle.args {
            args.push(match arg {
                syn::GenericArgument::Type(ty) => GenericArg::Type(self.ty(ty)),
                syn::GenericArgument::Const(expr) => GenericArg::Const(self.expr(expr)),
                syn::GenericArgument::AssocType(assoc) => GenericArg::Assoc(self.name_sym(&assoc.ident), self.ty(&assoc.ty)),
                syn::GenericArgument::Constraint(constraint) => {
                    let bounds = Type::Impl(self.bounds(&constraint.bounds));
                    GenericArg::Assoc(self.name_sym(&constraint.ident), self.add_type(bounds))
                }
                _ => continue,
            });
        }
        args
    }

    pub fn generics(&mut self, generics: &syn::Generics) -> Generics {
        let mut params: Vec<GenericParam> = Vec::new();
        for param in &generics.params {
            if let syn::GenericParam::Type(param) = param {
                params.push(GenericParam {
                    name: self.name_sym(&param.ident),
                    bounds: self.bounds(&param.bounds),
                    default: param.default.as_ref().map(|(_, ty)| self.ty(ty)),
                });
            }
        }
        for (ident, bounds) in bounds_of_names(generics) {
            let name = self.name_sym(ident);
            if let Some(index) = params.iter().position(|param| param.name == name) {
                let bounds = self.bounds(bounds);
                if let Some(param) = params.get_mut(index) {
                    param.bounds.extend(bounds);
                }
            }
        }
        Generics { params }
    }

    /// The supertraits of a trait: those after the colon and those of `where Self: ..`.
    pub fn supertraits(&mut self, item: &syn::ItemTrait) -> Vec<Path> {
        let mut paths = self.bounds(&item.supertraits);
        for (ident, bounds) in bounds_of_names(&item.generics) {
            if ident == "Self" {
                paths.extend(self.bounds(bounds));
            }
        }
        paths
    }
}

type Bounds = syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>;

/// The predicates of the where clause that speak about a single name.
fn bounds_of_names(generics: &syn::Generics) -> impl Iterator<Item = (&syn::Ident, &Bounds)> {
    generics.where_clause.iter().flat_map(|clause| &clause.predicates).filter_map(|predicate| match predicate {
        syn::WherePredicate::Type(predicate) => match &predicate.bounded_ty {
            syn::Type::Path(path) if path.qself.is_none() => Some((path.path.get_ident()?, &predicate.bounds)),
            _ => None,
        },
        _ => None,
    })
}

/// Where a type ends. Asking syn would print the type into tokens, at every level of a nested one.
pub fn type_end(ty: &syn::Type) -> Pos {
    match ty {
        syn::Type::Path(ty) => path_end(&ty.path),
        syn::Type::Reference(ty) => type_end(&ty.elem),
        syn::Type::Ptr(ty) => type_end(&ty.elem),
        syn::Type::Group(ty) => type_end(&ty.elem),
        syn::Type::Paren(ty) => close(&ty.paren_token.span),
        syn::Type::Tuple(ty) => close(&ty.paren_token.span),
        syn::Type::Slice(ty) => close(&ty.bracket_token.span),
        syn::Type::Array(ty) => close(&ty.bracket_token.span),
        syn::Type::FnPtr(ty) => match &ty.output {
            syn::ReturnType::Type(_, output) => type_end(output),
            syn::ReturnType::Default => close(&ty.paren_token.span),
        },
        syn::Type::ImplTrait(syn::TypeImplTrait { bounds, .. }) | syn::Type::TraitObject(syn::TypeTraitObject { bounds, .. }) => {
            match bounds.last() {
                Some(syn::TypeParamBound::Trait(bound)) => {
                    bound.paren_token.as_ref().map_or_else(|| path_end(&bound.path), |paren| close(&paren.span))
                }
                _ => end(ty.span()),
            }
        }
        _ => end(ty.span()),
    }
}

fn path_end(path: &syn::Path) -> Pos {
    match path.segments.last() {
        Some(last) => match &last.arguments {
            syn::PathArguments::None => end(last.ident.span()),
            syn::PathArguments::AngleBracketed(angle) => end(angle.gt_token.span),
            syn::PathArguments::Parenthesized(sugar) => output_end(sugar),
        },
        None => end(path.span()),
    }
}

fn output_end(sugar: &syn::ParenthesizedGenericArguments) -> Pos {
    match &sugar.output {
        syn::ReturnType::Type(_, output) => type_end(output),
        syn::ReturnType::Default => close(&sugar.paren_token.span),
    }
}
