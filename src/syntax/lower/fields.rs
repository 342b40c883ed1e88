//! Fields of structs, unions and variants.

use super::attrs::only_for_tests;
use super::types::type_end;
use super::{Lower, Pos, close, range, start};
use crate::syntax::hir::*;

impl Lower {
    pub(super) fn fields(&mut self, fields: &syn::Fields) -> Fields {
        match fields {
            syn::Fields::Named(named) => Fields { fields: self.field_list(&named.named), tuple: false },
            syn::Fields::Unnamed(unnamed) => Fields { fields: self.field_list(&unnamed.unnamed), tuple: true },
            syn::Fields::Unit => Fields { fields: Vec::new(), tuple: false },
        }
    }

    pub(super) fn field_list<'a>(&mut self, fields: impl IntoIterator<Item = &'a syn::Field>) -> Vec<Field> {
        let mut lowered = Vec::new();
        for (index, field) in fields.into_iter().enumerate() {
            if only_for_tests(&field.attrs) {
                continue;
            }
            let name = match &field.ident {
                Some(ident) => self.name_sym(ident),
                None => self.index_sym(index),
            };
            let ty = self.ty(&field.ty);
            let span = field_span(field);
            lowered.push(Field { name, ty, span, attrs: self.attrs(&field.attrs, false) });
        }
        lowered
    }

    pub(super) fn variants(&mut self, item: &syn::ItemEnum) -> Vec<Variant> {
        let mut variants = Vec::with_capacity(item.variants.len());
        for variant in &item.variants {
            if only_for_tests(&variant.attrs) {
                continue;
            }
            let (name, at) = self.name(&variant.ident);
            let fields = self.fields(&variant.fields);
            let span = range(at.from(), fields_end(&variant.fields).unwrap_or(at.to()));
            variants.push(Variant { name, fields, span, attrs: self.attrs(&variant.attrs, false) });
        }
        variants
    }
}

pub(super) fn fields_end(fields: &syn::Fields) -> Option<Pos> {
    match fields {
        syn::Fields::Named(named) => Some(close(&named.brace_token.span)),
        syn::Fields::Unnamed(unnamed) => Some(close(&unnamed.paren_token.span)),
        syn::Fields::Unit => None,
    }
}

fn field_span(field: &syn::Field) -> Span {
    use syn::spanned::Spanned;
    let first = match (&field.vis, &field.ident) {
        (syn::Visibility::Public(token), _) => start(token.span),
        (syn::Visibility::Restricted(restricted), _) => start(restricted.pub_token.span),
        (syn::Visibility::Inherited, Some(ident)) => start(ident.span()),
        (syn::Visibility::Inherited, None) => start(field.ty.span()),
    };
    range(first, type_end(&field.ty))
}
