//! Items of modules, blocks, traits and impls.

use proc_macro2::TokenStream;

use super::attrs::only_for_tests;
use super::fields::fields_end;
use super::{Lower, Pos, close, delim, end, range, start};
use crate::syntax::hir::*;

/// What all items have in common, in the form of syn.
pub struct Head<'a> {
    pub attrs: &'a [syn::Attribute],
    pub vis: Option<&'a syn::Visibility>,
    pub name: Option<&'a proc_macro2::Ident>,
    /// The first token after the visibility.
    pub first: proc_macro2::Span,
    pub end: Pos,
}

impl<'a> Head<'a> {
    pub(super) fn new(
        attrs: &'a [syn::Attribute],
        vis: Option<&'a syn::Visibility>,
        name: &'a proc_macro2::Ident,
        first: proc_macro2::Span,
        end: Pos,
    ) -> Head<'a> {
        Head { attrs, vis, name: Some(name), first, end }
    }
}

impl Lower {
    pub fn items(&mut self, items: &[syn::Item], out: &mut Vec<ItemId>) {
        for item in items {
            self.define(item);
        }
        for item in items {
            self.item(item, out);
        }
    }

    /// Notes a macro before the items around it, which may name it by path from above.
    pub fn define(&mut self, item: &syn::Item) {
        if let syn::Item::Macro(item) = item
            && let Some(name) = &item.ident
            && item.mac.path.is_ident("macro_rules")
            && !only_for_tests(&item.attrs)
        {
            self.define_macro(name, &item.mac);
        }
    }

    pub fn add_item(&mut self, head: Head<'_>, kind: ItemKind) -> ItemId {
        let attrs = self.attrs(head.attrs, false);
        let (name, name_span) = match head.name {
            Some(ident) => self.name(ident),
            None => (Sym(0), Span::default()),
        };
        let from = match head.vis {
            Some(syn::Visibility::Public(token)) => token.span,
            Some(syn::Visibility::Restricted(restricted)) => restricted.pub_token.span,
            _ => head.first,
        };
        let public = matches!(head.vis, Some(syn::Visibility::Public(_) | syn::Visibility::Restricted(_)));
        self.hir.items.push(Item { kind, name, name_span, span: range(start(from), head.end), attrs, public });
        ItemId(self.hir.items.len() as u32 - 1)
    }

    /// Lowers an item; a macro may stand for several, and one for tests only for none.
    pub fn item(&mut self, item: &syn::Item, out: &mut Vec<ItemId>) {
        let id = match item {
            syn::Item::Const(item) if !only_for_tests(&item.attrs) => {
                let ty = Some(self.ty(&item.ty));
                let init = Some(self.expr(&item.expr));
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.const_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::Const { ty, init })
            }
            syn::Item::Static(item) if !only_for_tests(&item.attrs) => {
                let mutable = matches!(item.mutability, syn::StaticMutability::Mut(_));
                let ty = Some(self.ty(&item.ty));
                let init = Some(self.expr(&item.expr));
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.static_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::Static { ty, mutable, init, lazy: None })
            }
            syn::Item::Fn(item) if !only_for_tests(&item.attrs) => {
                self.function(&item.attrs, Some(&item.vis), &item.sig, Some(&item.block), None)
            }
            syn::Item::Struct(item) if !only_for_tests(&item.attrs) => {
                let generics = self.generics(&item.generics);
                let fields = self.fields(&item.fields);
                let semi = item.semi_token.as_ref().map(|token| end(token.span));
                let head = Head::new(
                    &item.attrs,
                    Some(&item.vis),
                    &item.ident,
                    item.struct_token.span,
                    semi.or(fields_end(&item.fields)).unwrap_or(end(item.ident.span())),
                );
                self.add_item(head, ItemKind::Struct { generics, fields })
            }
            syn::Item::Union(item) if !only_for_tests(&item.attrs) => {
                let generics = self.generics(&item.generics);
                let fields = Fields { fields: self.field_list(&item.fields.named), tuple: false };
                let head =
                    Head::new(&item.attrs, Some(&item.vis), &item.ident, item.union_token.span, close(&item.fields.brace_token.span));
                self.add_item(head, ItemKind::Union { generics, fields })
            }
            syn::Item::Enum(item) if !only_for_tests(&item.attrs) => {
                let generics = self.generics(&item.generics);
                let variants = self.variants(item);
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.enum_token.span, close(&item.brace_token.span));
                self.add_item(head, ItemKind::Enum { generics, variants })
            }
            syn::Item::Trait(item) if !only_for_tests(&item.attrs) => {
                let generics = self.generics(&item.generics);
                let supertraits = self.supertraits(item);
                let mut items = Vec::new();
                for item in &item.items {
                    self.trait_item(item, &mut items);
                }
                let first = item.unsafety.as_ref().map_or(item.trait_token.span, |token| token.span);
                let head = Head::new(
                    &item.attrs,
                    Some(&item.vis),
                    &item.ident,
                    item.modifiers.auto_token.as_ref().map_or(first, |token| token.span),
                    close(&item.brace_token.span),
                );
                self.add_item(head, ItemKind::Trait { generics, supertraits, items })
            }
            syn::Item::Impl(item) if !only_for_tests(&item.attrs) => self.impl_block(item),
            syn::Item::Type(item) if !only_for_tests(&item.attrs) => {
                let generics = self.generics(&item.generics);
                let ty = Some(self.ty(&item.ty));
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.type_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::TypeAlias { generics, ty })
            }
            syn::Item::TraitAlias(item) if !only_for_tests(&item.attrs) => {
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.trait_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::Other)
            }
            syn::Item::Use(item) if !only_for_tests(&item.attrs) => {
                let public = !matches!(item.vis, syn::Visibility::Inherited);
                let mut entries = Vec::new();
                let whole = UseEntry { path: Vec::new(), name: None, glob: false, global: item.leading_colon.is_some(), public };
                self.use_tree(&item.tree, &whole, &mut entries);
                let head = Head {
                    attrs: &item.attrs,
                    vis: Some(&item.vis),
                    name: None,
                    first: item.use_token.span,
                    end: end(item.semi_token.span),
                };
                self.add_item(head, ItemKind::Use(entries))
            }
            syn::Item::Mod(item) if !only_for_tests(&item.attrs) => self.module(item),
            syn::Item::ExternCrate(item) if !only_for_tests(&item.attrs) => {
                let alias = item.rename.as_ref().map(|(_, ident)| self.name_sym(ident));
                let head = Head::new(&item.attrs, Some(&item.vis), &item.ident, item.extern_token.span, end(item.semi_token.span));
                self.add_item(head, ItemKind::ExternCrate { alias })
            }
            syn::Item::ForeignMod(item) if !only_for_tests(&item.attrs) => {
                for item in &item.items {
                    self.foreign_item(item, out);
                }
                return;
            }
            syn::Item::Macro(item) if !only_for_tests(&item.attrs) => {
                self.item_macro(&item.attrs, item.ident.as_ref(), &item.mac, out);
                return;
            }
            syn::Item::Verbatim(tokens) => {
                self.verbatim(tokens);
                return;
            }
            _ => return,
        };
        out.push(id);
    }

    fn impl_block(&mut self, item: &syn::ItemImpl) -> ItemId {
        let generics = self.generics(&item.generics);
        let trait_path = item.trait_.as_ref().map(|(path, _)| self.path(path));
        let self_ty = self.ty(&item.self_ty);
        let mut items = Vec::new();
        for item in &item.items {
            self.impl_item(item, &mut items);
        }
        let first = item.unsafety.as_ref().map_or(item.impl_token.span, |token| token.span);
        let head = Head {
            attrs: &item.attrs,
            vis: None,
            name: None,
            first: item.modifiers.defaultness.as_ref().map_or(first, |token| token.span),
            end: close(&item.brace_token.span),
        };
        self.add_item(head, ItemKind::Impl { generics, trait_path, self_ty, items })
    }

    fn module(&mut self, item: &syn::ItemMod) -> ItemId {
        let items = item.content.as_ref().map(|(_, content)| {
            let mut items = Vec::new();
            self.items(content, &mut items);
            items
        });
        let semi = item.semi.as_ref().map(|token| end(token.span));
        let brace = item.content.as_ref().map(|(brace, _)| close(&brace.span));
        let head = Head::new(
            &item.attrs,
            Some(&item.vis),
            &item.ident,
            item.unsafety.as_ref().map_or(item.mod_token.span, |token| token.span),
            brace.or(semi).unwrap_or(end(item.ident.span())),
        );
        let path_attr = item.attrs.iter().find_map(|attr| match &attr.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        });
        let path_attr = path_attr.map(|path| self.sym(&path));
        self.add_item(head, ItemKind::Mod { items, path_attr })
    }

    pub(super) fn verbatim(&mut self, tokens: &TokenStream) {
        if let Some(token) = tokens.clone().into_iter().next() {
            self.lost(start(token.span()).line, "this item is in a form that is not understood".to_owned());
        }
    }

    fn use_tree(&mut self, tree: &syn::UseTree, prefix: &UseEntry, out: &mut Vec<UseEntry>) {
        let mut entry = prefix.clone();
        let mut tree = tree;
        while let syn::UseTree::Path(path) = tree {
            entry.path.push(self.name_sym(&path.ident));
            tree = &path.tree;
        }
        match tree {
            syn::UseTree::Path(_) => {}
            syn::UseTree::Name(name) => {
                if name.ident != "self" || entry.path.is_empty() {
                    entry.path.push(self.name_sym(&name.ident));
                }
                entry.name = entry.path.last().copied();
                out.push(entry);
            }
            syn::UseTree::Rename(rename) => {
                if rename.ident != "self" || entry.path.is_empty() {
                    entry.path.push(self.name_sym(&rename.ident));
                }
                entry.name = if rename.rename == "_" { None } else { Some(self.name_sym(&rename.rename)) };
                out.push(entry);
            }
            syn::UseTree::Glob(_) => {
                entry.glob = true;
                out.push(entry);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.use_tree(tree, &entry, out);
                }
            }
        }
    }

    pub(super) fn function(
        &mut self,
        attrs: &[syn::Attribute],
        vis: Option<&syn::Visibility>,
        sig: &syn::Signature,
        body: Option<&syn::Block>,
        semi: Option<Pos>,
    ) -> ItemId {
        let generics = self.generics(&sig.generics);
        let mut receiver = None;
        let mut params = Vec::with_capacity(sig.inputs.len());
        for input in &sig.inputs {
            match input {
                syn::FnArg::Receiver(this) => {
                    receiver = Some(match &this.kind {
                        syn::ReceiverKind::Reference(_, _, Some(_)) => Receiver::RefMut,
                        syn::ReceiverKind::Reference(..) => Receiver::Ref,
                        syn::ReceiverKind::Typed(_, ty) => Receiver::Typed(self.ty(ty)),
                        _ => Receiver::Value,
                    });
                }
                syn::FnArg::Typed(typed) => {
                    let pat = self.pat(&typed.pat);
                    let ty = Some(self.ty(&typed.ty));
                    params.push(Param { pat, ty, attrs: self.attrs(&typed.attrs, false) });
                }
            }
        }
        let ret = self.return_type(&sig.output);
        let to = body.map(|block| close(&block.brace_token.span)).or(semi);
        let body = body.map(|block| {
            let span = delim(&block.brace_token.span);
            let block = self.block(block);
            self.add_expr(ExprKind::Block { kind: BlockKind::Plain, block }, span)
        });
        let safety = match &sig.safety {
            syn::Safety::Safe(token) => Some(token.span),
            syn::Safety::Unsafe(token) => Some(token.span),
            syn::Safety::Default => None,
        };
        let first = sig.constness.as_ref().map(|token| token.span);
        let first = first.or(sig.asyncness.as_ref().map(|token| token.span)).or(safety);
        let first = first.or(sig.abi.as_ref().map(|abi| abi.extern_token.span));
        let head = Head {
            attrs,
            vis,
            name: Some(&sig.ident),
            first: first.unwrap_or(sig.fn_token.span),
            end: to.unwrap_or_else(|| close(&sig.paren_token.span)),
        };
        let is_async = sig.asyncness.is_some();
        self.add_item(head, ItemKind::Fn(Function { generics, receiver, params, ret, body, is_async }))
    }
}
