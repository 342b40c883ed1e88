//! Items of traits, impls and foreign modules.

use super::attrs::only_for_tests;
use super::items::Head;
use super::{Lower, end};
use crate::syntax::hir::*;

impl Lower {
    pub(super) fn foreign_item(&mut self, item: &syn::ForeignItem, out: &mut Vec<ItemId>) {
        match item {
            syn::ForeignItem::Fn(item) if !only_for_tests(&item.attrs) => {
                let to = end(item.semi_token.span);
                let id = self.function(&item.attrs, Some(&item.vis), &item.sig, None, Some(to));
                out.push(id);
            }
            syn::ForeignItem::Static(item) if !only_for_tests(&item.attrs) => {
                let mutable = matches!(item.mutability, syn::StaticMutability::Mut(_));
                let ty = Some(self.ty(&item.ty));
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.static_token.span, end(item.semi_token.span));
                let id = self.add_item(head, ItemKind::Static { ty, mutable, init: None, lazy: None });
                out.push(id);
            }
            _ => {}
        }
    }

    pub(super) fn trait_item(&mut self, item: &syn::TraitItem, out: &mut Vec<ItemId>) {
        let id = match item {
            syn::TraitItem::Fn(item) if !only_for_tests(&item.attrs) => {
                let to = item.semi_token.as_ref().map(|token| end(token.span));
                self.function(&item.attrs, None, &item.sig, item.default.as_ref(), to)
            }
            syn::TraitItem::Const(item) if !only_for_tests(&item.attrs) => {
                let ty = Some(self.ty(&item.ty));
                let init = item.default.as_ref().map(|(_, expr)| self.expr(expr));
                let head = Head::new(&item.attrs, None, &item.ident, item.const_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::Const { ty, init })
            }
            syn::TraitItem::Type(item) if !only_for_tests(&item.attrs) => {
                let generics = self.generics(&item.generics);
                let ty = item.default.as_ref().map(|(_, ty)| self.ty(ty));
                let head = Head::new(&item.attrs, None, &item.ident, item.type_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::TypeAlias { generics, ty })
            }
            syn::TraitItem::Macro(item) => {
                return self.item_macro(&item.attrs, None, &item.mac, out);
            }
            syn::TraitItem::Verbatim(tokens) => return self.verbatim(tokens),
            _ => return,
        };
        out.push(id);
    }

    pub(super) fn impl_item(&mut self, item: &syn::ImplItem, out: &mut Vec<ItemId>) {
        let id = match item {
            syn::ImplItem::Fn(item) if !only_for_tests(&item.attrs) => {
                self.function(&item.attrs, Some(&item.vis), &item.sig, Some(&item.block), None)
            }
            syn::ImplItem::Const(item) if !only_for_tests(&item.attrs) => {
                let ty = Some(self.ty(&item.ty));
                let init = Some(self.expr(&item.expr));
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.const_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::Const { ty, init })
            }
            syn::ImplItem::Type(item) if !only_for_tests(&item.attrs) => {
                let generics = self.generics(&item.generics);
                let ty = Some(self.ty(&item.ty));
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.type_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::TypeAlias { generics, ty })
            }
            syn::ImplItem::Macro(item) => {
                return self.item_macro(&item.attrs, None, &item.mac, out);
            }
            syn::ImplItem::Verbatim(tokens) => return self.verbatim(tokens),
            _ => return,
        };
        out.push(id);
    }
}
