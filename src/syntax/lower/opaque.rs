//! Expressions recovered from macro bodies with a grammar of their own.

use proc_macro2::{Spacing, TokenStream, TokenTree};

use super::Lower;
use super::macros::{MAX_MACRO_DEPTH, parsed_tokens};
use crate::syntax::hir::*;

impl Lower {
    /// The longest parts between separators that are expressions, in order.
    pub fn opaque(&mut self, tokens: &TokenStream) -> Vec<ExprId> {
        let mut found = Vec::new();
        self.recover(tokens.clone(), &mut found);
        found
    }

    fn recover(&mut self, tokens: TokenStream, found: &mut Vec<ExprId>) {
        if self.macro_depth > MAX_MACRO_DEPTH {
            return;
        }
        self.macro_depth += 1;
        for part in split(tokens, false) {
            if self.recover_expr(&part, found) {
                continue;
            }
            for smaller in split(part.into_iter().collect(), true) {
                if !self.recover_expr(&smaller, found) {
                    self.recover_tokens(smaller, found);
                }
            }
        }
        self.macro_depth -= 1;
    }

    fn recover_expr(&mut self, part: &[TokenTree], found: &mut Vec<ExprId>) -> bool {
        let expr = match part {
            [] => return true,
            // A group alone is a block or a list, whose parts are better than nothing of it.
            [TokenTree::Punct(_)] => return true,
            _ => parsed_tokens::<syn::Expr>(part.iter().cloned().collect()),
        };
        match expr {
            None | Some(syn::Expr::Verbatim(_)) => false,
            Some(expr) => {
                let id = self.expr(&expr);
                found.push(id);
                true
            }
        }
    }

    fn recover_tokens(&mut self, tokens: Vec<TokenTree>, found: &mut Vec<ExprId>) {
        for token in tokens {
            match token {
                TokenTree::Group(group) => self.recover(group.stream(), found),
                TokenTree::Literal(literal) => {
                    let id = self.literal(&syn::Lit::new(literal));
                    found.push(id);
                }
                _ => {}
            }
        }
    }
}

/// Splits at `,`, `;` and `=>`; if `fine`, at a lone `:` and `=` too.
fn split(tokens: TokenStream, fine: bool) -> Vec<Vec<TokenTree>> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut joint = None;
    for token in tokens {
        let TokenTree::Punct(punct) = &token else {
            joint = None;
            part.push(token);
            continue;
        };
        let mark = punct.as_char();
        let previous = joint.take();
        if punct.spacing() == Spacing::Joint {
            joint = Some(mark);
        }
        let arrow = previous == Some('=') && mark == '>';
        let lone = previous.is_none() && joint.is_none();
        if arrow {
            part.pop();
        }
        if mark == ',' || mark == ';' || arrow || (fine && lone && (mark == ':' || mark == '=')) {
            parts.push(std::mem::take(&mut part));
        } else {
            part.push(token);
        }
    }
    parts.push(part);
    parts
}
