//! Patterns.

use super::{Lower, close, delim, end, range, start, whole};
use crate::syntax::hir::*;

impl Lower {
    pub fn pat(&mut self, pat: &syn::Pat) -> PatId {
        let (kind, span) = match pat {
            syn::Pat::Paren(paren) => return self.pat(&paren.pat),
            syn::Pat::Guard(guard) => return self.pat(&guard.pat),
            syn::Pat::Wild(wild) => (PatKind::Wild, whole(wild.underscore_token.span)),
            syn::Pat::Rest(rest) => {
                let [from, to] = rest.dot2_token.spans;
                (PatKind::Rest, range(start(from), end(to)))
            }
            syn::Pat::Ident(ident) => return self.binding(ident),
            syn::Pat::Path(path) => {
                let path = self.qualified_path(path.qself.as_ref(), &path.path);
                let span = path.span;
                (PatKind::Path(path), span)
            }
            syn::Pat::Tuple(tuple) => (PatKind::Tuple(self.pats(&tuple.elems)), delim(&tuple.paren_token.span)),
            syn::Pat::Slice(slice) => (PatKind::Slice(self.pats(&slice.elems)), delim(&slice.bracket_token.span)),
            syn::Pat::TupleStruct(tuple) => {
                let path = self.qualified_path(tuple.qself.as_ref(), &tuple.path);
                let span = range(path.span.from(), close(&tuple.paren_token.span));
                (PatKind::TupleStruct { path, elems: self.pats(&tuple.elems) }, span)
            }
            syn::Pat::Struct(pat) => {
                let path = self.qualified_path(pat.qself.as_ref(), &pat.path);
                let span = range(path.span.from(), close(&pat.brace_token.span));
                let fields = pat.fields.iter().map(|field| (self.member(&field.member).0, self.pat(&field.pat))).collect();
                (PatKind::Struct { path, fields, rest: pat.rest.is_some() }, span)
            }
            syn::Pat::Reference(reference) => {
                let inner = self.pat(&reference.pat);
                (PatKind::Ref(inner), range(start(reference.and_token.span), self.pat_span(inner).to()))
            }
            syn::Pat::Or(or) => {
                let cases: Vec<PatId> = or.cases.iter().map(|case| self.pat(case)).collect();
                let from = cases.first().map(|id| self.pat_span(*id)).unwrap_or_default();
                let to = cases.last().map(|id| self.pat_span(*id)).unwrap_or_default();
                (PatKind::Or(cases), range(from.from(), to.to()))
            }
            syn::Pat::Lit(lit) => {
                let id = self.literal(&lit.lit);
                (PatKind::Const(vec![id]), self.expr_span(id))
            }
            syn::Pat::Range(ends) => {
                let parts: Vec<ExprId> = ends.start.iter().chain(ends.end.iter()).map(|expr| self.expr(expr)).collect();
                let from = parts.first().map(|id| self.expr_span(*id)).unwrap_or_default();
                let to = parts.last().map(|id| self.expr_span(*id)).unwrap_or_default();
                (PatKind::Const(parts), range(from.from(), to.to()))
            }
            syn::Pat::Const(block) => {
                let body = self.block(&block.block);
                let span = range(start(block.const_token.span), close(&block.block.brace_token.span));
                let id = self.add_expr(ExprKind::Block { kind: BlockKind::Const, block: body }, span);
                (PatKind::Const(vec![id]), span)
            }
            syn::Pat::Type(typed) => {
                let inner = self.pat(&typed.pat);
                let ty = self.ty(&typed.ty);
                (PatKind::Typed(inner, ty), self.pat_span(inner))
            }
            syn::Pat::Macro(call) => {
                let span = range(self.path(&call.mac.path).span.from(), close(call.mac.delimiter.span()));
                (PatKind::Other, span)
            }
            _ => (PatKind::Other, Span::default()),
        };
        self.add_pat(kind, span)
    }

    fn pats<'a>(&mut self, pats: impl IntoIterator<Item = &'a syn::Pat>) -> Vec<PatId> {
        pats.into_iter().map(|pat| self.pat(pat)).collect()
    }

    fn binding(&mut self, ident: &syn::PatIdent) -> PatId {
        let (name, mut span) = self.name(&ident.ident);
        let first = ident.by_ref.as_ref().map(|token| token.span).or(ident.mutability.as_ref().map(|token| token.span));
        if let Some(first) = first {
            span = range(start(first), span.to());
        }
        let sub = ident.subpat.as_ref().map(|(_, pat)| self.pat(pat));
        if let Some(sub) = sub {
            span = range(span.from(), self.pat_span(sub).to());
        }
        let kind = PatKind::Bind { name, by_ref: ident.by_ref.is_some(), mutable: ident.mutability.is_some(), sub };
        self.add_pat(kind, span)
    }

    /// A parameter of a closure, whose type is part of the pattern.
    pub fn closure_param(&mut self, pat: &syn::Pat) -> Param {
        match pat {
            syn::Pat::Type(typed) => {
                Param { pat: self.pat(&typed.pat), ty: Some(self.ty(&typed.ty)), attrs: self.attrs(&typed.attrs, false) }
            }
            pat => Param { pat: self.pat(pat), ty: None, attrs: Vec::new() },
        }
    }
}
