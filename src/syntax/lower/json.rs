//! The objects that `json!` is given: read as a whole first, so that nothing is lowered of a body that cannot be.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::macros::{MAX_MACRO_DEPTH, parsed_tokens};
use super::{Lower, close, range, start};
use crate::syntax::hir::*;

type Entry = (Key, Json);

enum Key {
    Name(String),
    Computed(syn::Expr),
}

enum Json {
    Object(Vec<Entry>, Span),
    Array(Vec<Json>, Span),
    Value(syn::Expr),
}

impl Lower {
    /// The entries of a body that is one object; `None` for anything else, or where a value cannot be read.
    pub fn json(&mut self, path: Sym, tokens: &TokenStream) -> Option<MacroArgs> {
        let mut inside = tokens.clone().into_iter();
        match (inside.next(), inside.next()) {
            (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => {
                let entries = object(group.stream(), self.macro_depth)?;
                Some(self.object(path, entries))
            }
            _ => None,
        }
    }

    fn object(&mut self, path: Sym, entries: Vec<Entry>) -> MacroArgs {
        self.macro_depth += 1;
        let mut pairs = Vec::new();
        for (key, value) in entries {
            let name = match key {
                Key::Name(name) => Some(self.sym(&name)),
                Key::Computed(key) => {
                    pairs.push((None, self.expr(&key)));
                    None
                }
            };
            pairs.push((name, self.json_value(path, value)));
        }
        self.macro_depth -= 1;
        MacroArgs::Pairs(pairs)
    }

    fn json_value(&mut self, path: Sym, value: Json) -> ExprId {
        match value {
            Json::Object(entries, span) => {
                let args = self.object(path, entries);
                self.add_expr(ExprKind::Macro(MacroCall { path, args }), span)
            }
            Json::Array(items, span) => {
                self.macro_depth += 1;
                let items = items.into_iter().map(|item| self.json_value(path, item)).collect();
                self.macro_depth -= 1;
                self.add_expr(ExprKind::Array(items), span)
            }
            Json::Value(value) => self.expr(&value),
        }
    }
}

fn object(tokens: TokenStream, depth: u32) -> Option<Vec<Entry>> {
    if depth > MAX_MACRO_DEPTH {
        return None;
    }
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    parts(&tokens).map(|part| entry(part, depth + 1)).collect()
}

fn entry(tokens: &[TokenTree], depth: u32) -> Option<Entry> {
    let colon = tokens.iter().position(|token| is_mark(token, ':'))?;
    let (key, value) = (tokens.get(..colon)?, tokens.get(colon + 1..)?);
    let literal = match key {
        [TokenTree::Literal(literal)] => match syn::Lit::new(literal.clone()) {
            syn::Lit::Str(text) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    let key = match literal {
        Some(name) => Key::Name(name),
        None => Key::Computed(parsed_tokens(key.iter().cloned().collect())?),
    };
    Some((key, json(value, depth)?))
}

fn json(tokens: &[TokenTree], depth: u32) -> Option<Json> {
    if let [TokenTree::Group(group)] = tokens {
        let span = range(start(group.span_open()), close(&group.delim_span()));
        match group.delimiter() {
            Delimiter::Brace => return Some(Json::Object(object(group.stream(), depth)?, span)),
            Delimiter::Bracket if depth <= MAX_MACRO_DEPTH => {
                let tokens: Vec<TokenTree> = group.stream().into_iter().collect();
                let items = parts(&tokens).map(|item| json(item, depth + 1)).collect::<Option<_>>()?;
                return Some(Json::Array(items, span));
            }
            _ => {}
        }
    }
    let value: syn::Expr = parsed_tokens(tokens.iter().cloned().collect())?;
    (!matches!(value, syn::Expr::Verbatim(_))).then_some(Json::Value(value))
}

/// The parts between commas; a last empty one is left out.
fn parts(tokens: &[TokenTree]) -> impl Iterator<Item = &[TokenTree]> {
    let none = tokens.is_empty();
    let tokens = match tokens.split_last() {
        Some((last, rest)) if is_mark(last, ',') => rest,
        _ => tokens,
    };
    tokens.split(|token| is_mark(token, ',')).filter(move |_| !none)
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}
