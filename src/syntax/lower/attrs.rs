//! Attributes, and which of them say that their item is for tests only.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;

use super::text::text_of;
use super::{Lower, close, range, start};
use crate::syntax::hir::*;

impl Lower {
    /// Inner attributes of an inline module or function belong to it as outer ones do; only those
    /// of the file itself are asked for with `inner`.
    pub fn attrs(&mut self, attrs: &[syn::Attribute], inner: bool) -> Vec<Attr> {
        let mut lowered = Vec::new();
        for attr in attrs {
            if attr.path().is_ident("doc") || (inner && matches!(attr.style, syn::AttrStyle::Outer)) {
                continue;
            }
            let path = self.path_sym(attr.path());
            let span = range(start(attr.pound_token.span), close(&attr.bracket_token.span));
            let tokens = match &attr.meta {
                syn::Meta::Path(_) => TokenStream::new(),
                syn::Meta::List(list) => list.tokens.clone(),
                syn::Meta::NameValue(pair) => pair.value.to_token_stream(),
            };
            let literal = first_literal(&tokens).map(|text| self.sym(&text));
            let args = self.sym(&text_of(&tokens));
            lowered.push(Attr { path, args, literal, span });
        }
        lowered
    }

    /// The path as written, without generic arguments.
    pub fn path_sym(&mut self, path: &syn::Path) -> Sym {
        if let (Some(ident), None) = (path.get_ident(), &path.leading_colon) {
            return self.name_sym(ident);
        }
        let names: Vec<String> = path.segments.iter().map(|segment| plain(&segment.ident)).collect();
        self.sym(&names.join("::"))
    }
}

/// The name without `r#`.
pub fn plain(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").map(str::to_owned).unwrap_or(text)
}

fn first_literal(tokens: &TokenStream) -> Option<String> {
    tokens.clone().into_iter().find_map(|token| match token {
        TokenTree::Literal(literal) if literal.to_string().contains('"') => match syn::Lit::new(literal) {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        TokenTree::Group(group) => first_literal(&group.stream()),
        _ => None,
    })
}

/// Whether what carries these attributes exists only in builds for tests and debugging.
pub fn only_for_tests(attrs: &[syn::Attribute]) -> bool {
    attrs.iter().any(|attr| {
        let Some(last) = attr.path().segments.last() else {
            return false;
        };
        if ["test", "rstest", "bench", "test_case", "wasm_bindgen_test"].iter().any(|name| last.ident == name) {
            return true;
        }
        match &attr.meta {
            syn::Meta::List(list) if last.ident == "cfg" => holds_outside_tests(&list.tokens, 0) == Some(false),
            _ => false,
        }
    })
}

/// Features by these names bring what tests of other crates need.
const TEST_FEATURES: [&str; 4] = ["test", "mock", "fake", "stub"];

/// The value of a condition of `cfg!` in a service as it is deployed, where it has one.
pub fn decided(cond: &syn::Expr) -> Option<bool> {
    match cond {
        syn::Expr::Macro(expr) if expr.mac.path.is_ident("cfg") => holds_outside_tests(&expr.mac.tokens, 0),
        syn::Expr::Paren(expr) => decided(&expr.expr),
        syn::Expr::Unary(syn::ExprUnary { op: syn::UnOp::Not(_), expr, .. }) => decided(expr).map(|value| !value),
        syn::Expr::Binary(syn::ExprBinary { left, op: syn::BinOp::And(_), right, .. }) => match (decided(left), decided(right)) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (left, right) => left.zip(right).map(|_| true),
        },
        syn::Expr::Binary(syn::ExprBinary { left, op: syn::BinOp::Or(_), right, .. }) => match (decided(left), decided(right)) {
            (Some(true), _) | (_, Some(true)) => Some(true),
            (left, right) => left.zip(right).map(|_| false),
        },
        _ => None,
    }
}

/// The value of a `cfg` predicate in a service as it is deployed: `test` is off, `debug_assertions` too, as the
/// release profile has it, the system is a Unix, and everything else is unknown.
pub fn holds_outside_tests(tokens: &TokenStream, depth: u32) -> Option<bool> {
    let mut tokens = tokens.clone().into_iter();
    let Some(TokenTree::Ident(name)) = tokens.next() else {
        return None;
    };
    let group = match tokens.next() {
        Some(TokenTree::Group(group)) => group,
        None if name == "unix" => return Some(true),
        None => return ["test", "doctest", "windows", "debug_assertions"].iter().any(|off| name == off).then_some(false),
        Some(_) => {
            let text = tokens.next().filter(|_| name == "feature").map(|value| value.to_string());
            return text.filter(|text| TEST_FEATURES.iter().any(|part| text.contains(part))).map(|_| false);
        }
    };
    if depth > 32 {
        return None;
    }
    let mut values = Vec::new();
    let mut part = TokenStream::new();
    for token in group.stream() {
        if matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ',') {
            values.push(holds_outside_tests(&std::mem::take(&mut part), depth + 1));
        } else {
            part.extend([token]);
        }
    }
    if !part.is_empty() {
        values.push(holds_outside_tests(&part, depth + 1));
    }
    let (decides, otherwise) = match name.to_string().as_str() {
        "not" => return values.first().copied().flatten().map(|value| !value),
        "all" => (false, true),
        "any" => (true, false),
        _ => return None,
    };
    if values.contains(&Some(decides)) {
        Some(decides)
    } else if values.contains(&None) {
        None
    } else {
        Some(otherwise)
    }
}
