//! Macro calls in item position.

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Token, Visibility};

use super::attrs::{holds_outside_tests, only_for_tests};
use super::items::Head;
use super::macros::{MAX_MACRO_DEPTH, last_name, parsed};
use super::text::text_of;
use super::{Lower, close, end};
use crate::syntax::hir::*;

/// One `[pub] static [ref] NAME: T [= init];` inside a macro.
struct StaticDecl {
    attrs: Vec<syn::Attribute>,
    vis: Visibility,
    keyword: Token![static],
    mutable: bool,
    name: Ident,
    ty: syn::Type,
    init: Option<syn::Expr>,
    end: proc_macro2::Span,
}

impl Lower {
    pub fn item_macro(&mut self, attrs: &[syn::Attribute], name: Option<&Ident>, mac: &syn::Macro, out: &mut Vec<ItemId>) {
        if only_for_tests(attrs) {
            return;
        }
        let kind = if mac.path.is_ident("macro_rules") {
            ItemKind::MacroRules
        } else if self.static_list(mac, out) {
            return;
        } else if let Some(written) = self.expanded(mac, all_items) {
            return self.nested(|lower| lower.items(&written, out));
        } else {
            self.nested(|lower| lower.macro_call(mac))
        };
        let first = mac.path.segments.first().map_or(mac.bang_token.span, |segment| segment.ident.span());
        let head = Head { attrs, vis: None, name, first, end: close(mac.delimiter.span()) };
        let id = self.add_item(head, kind);
        out.push(id);
    }

    fn macro_call(&mut self, mac: &syn::Macro) -> ItemKind {
        let path = self.path_sym(&mac.path);
        let mut items = Vec::new();
        if self.macro_depth > MAX_MACRO_DEPTH {
            let text = Some(self.sym(&text_of(&mac.tokens)));
            return ItemKind::MacroCall { path, args: Vec::new(), items, text };
        }
        let bodies = if matches!(last_name(mac).as_str(), "cfg_if" | "cfg_select") { branches(&mac.tokens) } else { Vec::new() };
        for body in bodies {
            if let Ok(parsed) = all_items.parse2(body) {
                self.items(&parsed, &mut items);
            }
        }
        if items.is_empty()
            && let Some(parsed) = parsed(all_items, mac).or_else(|| parsed(leading_items, mac))
        {
            self.items(&parsed, &mut items);
            return ItemKind::MacroCall { path, args: Vec::new(), items, text: None };
        }
        if !items.is_empty() {
            return ItemKind::MacroCall { path, args: Vec::new(), items, text: None };
        }
        if let Some(args) = self.item_macro_args(mac) {
            return ItemKind::MacroCall { path, args, items, text: None };
        }
        let args = self.opaque(&mac.tokens);
        let text = Some(self.sym(&text_of(&mac.tokens)));
        ItemKind::MacroCall { path, args, items, text }
    }

    /// Lowers the body of `lazy_static!`, `thread_local!` and the like; `false` if it is none.
    pub fn static_list(&mut self, mac: &syn::Macro, out: &mut Vec<ItemId>) -> bool {
        if !starts_static(&mac.tokens) {
            return false;
        }
        let Some(declarations) = parsed(static_decls, mac) else {
            return false;
        };
        let lazy = self.sym(&last_name(mac));
        for decl in &declarations {
            if only_for_tests(&decl.attrs) {
                continue;
            }
            let ty = Some(self.ty(&decl.ty));
            let init = decl.init.as_ref().map(|init| self.expr(init));
            let head =
                Head { attrs: &decl.attrs, vis: Some(&decl.vis), name: Some(&decl.name), first: decl.keyword.span, end: end(decl.end) };
            let kind = ItemKind::Static { ty, mutable: decl.mutable, init, lazy: Some(lazy) };
            let id = self.add_item(head, kind);
            out.push(id);
        }
        true
    }
}

/// Whether the first word after attributes and visibility is `static`.
fn starts_static(tokens: &TokenStream) -> bool {
    for token in tokens.clone() {
        match token {
            TokenTree::Ident(word) if word == "static" => return true,
            TokenTree::Ident(word) if word != "pub" => return false,
            TokenTree::Ident(_) => {}
            TokenTree::Punct(punct) if punct.as_char() == '#' => {}
            TokenTree::Group(group) if group.delimiter() != Delimiter::Brace => {}
            _ => return false,
        }
    }
    false
}

fn static_decls(input: ParseStream) -> syn::Result<Vec<StaticDecl>> {
    let mut declarations = Vec::new();
    while !input.is_empty() {
        let attrs = input.call(syn::Attribute::parse_outer)?;
        let vis = input.parse()?;
        let keyword = input.parse()?;
        input.parse::<Option<Token![ref]>>()?;
        let mutable = input.parse::<Option<Token![mut]>>()?.is_some();
        let name: Ident = input.parse()?;
        input.parse::<Token![:]>()?;
        let ty = input.parse()?;
        let init = match input.parse::<Option<Token![=]>>()? {
            Some(_) => Some(input.parse()?),
            None => None,
        };
        let end = match input.parse::<Option<Token![;]>>()? {
            Some(semi) => semi.span,
            None if input.is_empty() => name.span(),
            None => return Err(input.error("expected `;`")),
        };
        declarations.push(StaticDecl { attrs, vis, keyword, mutable, name, ty, init, end });
    }
    Ok(declarations)
}

fn all_items(input: ParseStream) -> syn::Result<Vec<syn::Item>> {
    input.call(syn::Attribute::parse_inner)?;
    let mut items = Vec::new();
    while !input.is_empty() {
        let item = input.parse()?;
        // Such as a function without a body, which is the grammar of the macro and no Rust.
        if matches!(item, syn::Item::Verbatim(_)) {
            return Err(input.error("not an item"));
        }
        items.push(item);
    }
    Ok(items)
}

/// Items that stand before a comma and further arguments: `partial!(struct Order { .. }, "PartialOrder")`.
fn leading_items(input: ParseStream) -> syn::Result<Vec<syn::Item>> {
    let mut items = Vec::new();
    while !input.peek(Token![,]) {
        match input.parse()? {
            syn::Item::Verbatim(_) => return Err(input.error("not an item")),
            item => items.push(item),
        }
    }
    input.parse::<TokenStream>()?;
    Ok(items)
}

/// The braces of `if #[cfg(..)] { .. } else if .. else { .. }`, without those for tests only.
fn branches(tokens: &TokenStream) -> Vec<TokenStream> {
    let mut bodies = Vec::new();
    let mut for_tests = false;
    for token in tokens.clone() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        match group.delimiter() {
            Delimiter::Bracket => {
                let mut cfg = group.stream().into_iter().skip(1);
                if let Some(TokenTree::Group(predicate)) = cfg.next() {
                    for_tests = holds_outside_tests(&predicate.stream(), 0) == Some(false);
                }
            }
            Delimiter::Brace if !std::mem::take(&mut for_tests) => bodies.push(group.stream()),
            _ => {}
        }
    }
    bodies
}
