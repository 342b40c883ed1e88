//! The objects that `json!` is given.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::macros::{MAX_MACRO_DEPTH, parsed_tokens};
use super::{Lower, close, range, start};
use crate::syntax::hir::*;

impl Lower {
    /// The entries of a body that is one object; `None` for anything else, or where a value cannot be read.
    pub fn json(&mut self, path: Sym, tokens: &TokenStream) -> Option<MacroArgs> {
        let mut inside = tokens.clone().into_iter();
        match (inside.next(), inside.next()) {
            (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => self.object(path, group.stream()),
            _ => None,
        }
    }

    fn object(&mut self, path: Sym, tokens: TokenStream) -> Option<MacroArgs> {
        if self.macro_depth > MAX_MACRO_DEPTH {
            return None;
        }
        self.macro_depth += 1;
        let pairs = self.pairs(path, tokens);
        self.macro_depth -= 1;
        pairs.map(MacroArgs::Pairs)
    }

    fn pairs(&mut self, path: Sym, tokens: TokenStream) -> Option<Vec<(Option<Sym>, ExprId)>> {
        let mut pairs = Vec::new();
        for entry in split(tokens, ',') {
            let colon = entry.iter().position(|token| is_mark(token, ':'))?;
            let (key, value) = (entry.get(..colon)?, entry.get(colon + 1..)?);
            let literal = match key {
                [TokenTree::Literal(literal)] => match syn::Lit::new(literal.clone()) {
                    syn::Lit::Str(text) => Some(text.value()),
                    _ => None,
                },
                _ => None,
            };
            let name = match literal {
                Some(name) => Some(self.sym(&name)),
                None => {
                    let key: syn::Expr = parsed_tokens(key.iter().cloned().collect())?;
                    pairs.push((None, self.expr(&key)));
                    None
                }
            };
            let value = self.json_value(path, value)?;
            pairs.push((name, value));
        }
        Some(pairs)
    }

    fn json_value(&mut self, path: Sym, tokens: &[TokenTree]) -> Option<ExprId> {
        if let [TokenTree::Group(group)] = tokens {
            let span = range(start(group.span_open()), close(&group.delim_span()));
            match group.delimiter() {
                Delimiter::Brace => {
                    let args = self.object(path, group.stream())?;
                    return Some(self.add_expr(ExprKind::Macro(MacroCall { path, args }), span));
                }
                Delimiter::Bracket if self.macro_depth <= MAX_MACRO_DEPTH => {
                    self.macro_depth += 1;
                    let items: Option<Vec<ExprId>> =
                        split(group.stream(), ',').into_iter().map(|item| self.json_value(path, &item)).collect();
                    self.macro_depth -= 1;
                    return Some(self.add_expr(ExprKind::Array(items?), span));
                }
                _ => {}
            }
        }
        let value: syn::Expr = parsed_tokens(tokens.iter().cloned().collect())?;
        if matches!(value, syn::Expr::Verbatim(_)) {
            return None;
        }
        Some(self.expr(&value))
    }
}

/// The parts between marks of one kind; a last empty one is left out.
fn split(tokens: TokenStream, mark: char) -> Vec<Vec<TokenTree>> {
    let mut parts = vec![Vec::new()];
    for token in tokens {
        match parts.last_mut() {
            _ if is_mark(&token, mark) => parts.push(Vec::new()),
            Some(part) => part.push(token),
            None => {}
        }
    }
    if parts.last().is_some_and(Vec::is_empty) {
        parts.pop();
    }
    parts
}

fn is_mark(token: &TokenTree, mark: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == mark)
}
