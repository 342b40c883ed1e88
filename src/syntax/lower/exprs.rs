//! Expressions, statements and blocks.

use super::attrs::{decided, only_for_tests};
use super::types::type_end;
use super::{Lower, close, delim, end, range, start, whole};
use crate::syntax::hir::*;

impl Lower {
    /// Chains of methods, fields, operators and the like may be very long, so their left side is
    /// followed in a loop and not by recursion.
    pub fn expr(&mut self, expr: &syn::Expr) -> ExprId {
        let mut links = Vec::new();
        let mut inner = expr;
        loop {
            let next = match inner {
                syn::Expr::Paren(link) => &link.expr,
                syn::Expr::MethodCall(link) => &link.receiver,
                syn::Expr::Field(link) => &link.base,
                syn::Expr::Await(link) => &link.base,
                syn::Expr::Try(link) => &link.expr,
                syn::Expr::Call(link) => &link.func,
                syn::Expr::Index(link) => &link.expr,
                syn::Expr::Cast(link) => &link.expr,
                syn::Expr::Binary(link) => &link.left,
                syn::Expr::Group(link) => &link.expr,
                _ => break,
            };
            links.push(inner);
            inner = next;
        }
        let mut id = self.operand(inner);
        while let Some(link) = links.pop() {
            id = self.link(link, id);
        }
        id
    }

    fn exprs<'a>(&mut self, exprs: impl IntoIterator<Item = &'a syn::Expr>) -> Vec<ExprId> {
        exprs.into_iter().map(|expr| self.expr(expr)).collect()
    }

    fn optional(&mut self, expr: Option<&syn::Expr>) -> Option<ExprId> {
        expr.map(|expr| self.expr(expr))
    }

    /// One step of a chain whose left side is already lowered.
    fn link(&mut self, link: &syn::Expr, left: ExprId) -> ExprId {
        let from = self.expr_span(left).from();
        let (kind, to) = match link {
            syn::Expr::Paren(paren) => {
                if let Some(expr) = self.hir.exprs.get_mut(left.0 as usize) {
                    expr.span = delim(&paren.paren_token.span);
                }
                return left;
            }
            syn::Expr::MethodCall(call) => {
                let (name, name_span) = self.name(&call.method);
                let mut generics = Vec::new();
                if let Some(turbofish) = &call.turbofish {
                    for arg in &turbofish.args {
                        if let syn::GenericArgument::Type(ty) = arg {
                            generics.push(self.ty(ty));
                        }
                    }
                }
                let args = self.exprs(&call.args);
                (ExprKind::Method { recv: left, name, name_span, generics, args }, close(&call.paren_token.span))
            }
            syn::Expr::Field(field) => {
                let (name, name_span) = self.member(&field.member);
                (ExprKind::Field { base: left, name, name_span }, name_span.to())
            }
            syn::Expr::Await(link) => (ExprKind::Await(left), end(link.await_token.span)),
            syn::Expr::Try(link) => (ExprKind::Try(left), end(link.question_token.span)),
            syn::Expr::Call(call) => {
                let args = self.exprs(&call.args);
                (ExprKind::Call { callee: left, args }, close(&call.paren_token.span))
            }
            syn::Expr::Index(link) => {
                let index = self.expr(&link.index);
                (ExprKind::Index { base: left, index }, close(&link.bracket_token.span))
            }
            syn::Expr::Cast(cast) => (ExprKind::Cast { expr: left, ty: self.ty(&cast.ty) }, type_end(&cast.ty)),
            syn::Expr::Binary(binary) => {
                let rhs = self.expr(&binary.right);
                let kind = match operator(&binary.op) {
                    Some((op, false)) => ExprKind::Binary { op, lhs: left, rhs },
                    Some((op, true)) => ExprKind::AssignOp { op, lhs: left, rhs },
                    None => ExprKind::Other(vec![left, rhs]),
                };
                (kind, self.expr_span(rhs).to())
            }
            _ => return left,
        };
        self.add_expr(kind, range(from, to))
    }

    fn operand(&mut self, expr: &syn::Expr) -> ExprId {
        let (kind, span) = match expr {
            syn::Expr::Lit(lit) => return self.literal(&lit.lit),
            syn::Expr::Path(path) => {
                let path = self.qualified_path(path.qself.as_ref(), &path.path);
                let span = path.span;
                (ExprKind::Path(path), span)
            }
            syn::Expr::Macro(expr) => return self.expr_macro(&expr.mac),
            syn::Expr::Reference(expr) => {
                let inner = self.expr(&expr.expr);
                let span = range(start(expr.and_token.span), self.expr_span(inner).to());
                (ExprKind::Ref { mutable: expr.mutability.is_some(), expr: inner }, span)
            }
            syn::Expr::RawAddr(expr) => {
                let inner = self.expr(&expr.expr);
                let mutable = matches!(expr.mutability, syn::PointerMutability::Mut(_));
                let span = range(start(expr.and_token.span), self.expr_span(inner).to());
                (ExprKind::Ref { mutable, expr: inner }, span)
            }
            syn::Expr::Unary(expr) => {
                let (op, token) = match &expr.op {
                    syn::UnOp::Deref(token) => (Some(UnOp::Deref), token.span),
                    syn::UnOp::Not(token) => (Some(UnOp::Not), token.span),
                    syn::UnOp::Neg(token) => (Some(UnOp::Neg), token.span),
                    _ => (None, proc_macro2::Span::call_site()),
                };
                let inner = self.expr(&expr.expr);
                let span = self.expr_span(inner);
                match op {
                    Some(op) => (ExprKind::Unary { op, expr: inner }, range(start(token), span.to())),
                    None => (ExprKind::Other(vec![inner]), span),
                }
            }
            syn::Expr::Assign(expr) => {
                let lhs = self.expr(&expr.left);
                let rhs = self.expr(&expr.right);
                (ExprKind::Assign { lhs, rhs }, range(self.expr_span(lhs).from(), self.expr_span(rhs).to()))
            }
            syn::Expr::Block(expr) => (self.block_expr(BlockKind::Plain, &expr.block), delim(&expr.block.brace_token.span)),
            syn::Expr::Async(expr) => {
                let span = range(start(expr.async_token.span), close(&expr.block.brace_token.span));
                (self.block_expr(BlockKind::Async, &expr.block), span)
            }
            syn::Expr::Unsafe(expr) => {
                let span = range(start(expr.unsafe_token.span), close(&expr.block.brace_token.span));
                (self.block_expr(BlockKind::Unsafe, &expr.block), span)
            }
            syn::Expr::Const(expr) => {
                let span = range(start(expr.const_token.span), close(&expr.block.brace_token.span));
                (self.block_expr(BlockKind::Const, &expr.block), span)
            }
            syn::Expr::TryBlock(expr) => {
                let span = range(start(expr.try_token.span), close(&expr.block.brace_token.span));
                (self.block_expr(BlockKind::Try, &expr.block), span)
            }
            syn::Expr::If(expr) => return self.if_chain(expr),
            syn::Expr::Let(expr) => {
                let pat = self.pat(&expr.pat);
                let value = self.expr(&expr.expr);
                let span = range(start(expr.let_token.span), self.expr_span(value).to());
                (ExprKind::Let { pat, expr: value }, span)
            }
            syn::Expr::Match(expr) => {
                let on = self.expr(&expr.expr);
                let arms = self.arms(&expr.arms);
                let span = range(start(expr.match_token.span), close(&expr.brace_token.span));
                (ExprKind::Match { on, arms }, span)
            }
            syn::Expr::While(expr) => {
                let cond = self.expr(&expr.cond);
                let body = self.block(&expr.body);
                let span = range(start(expr.while_token.span), close(&expr.body.brace_token.span));
                (ExprKind::While { cond, body }, span)
            }
            syn::Expr::Loop(expr) => {
                let body = self.block(&expr.body);
                let span = range(start(expr.loop_token.span), close(&expr.body.brace_token.span));
                (ExprKind::Loop { body }, span)
            }
            syn::Expr::ForLoop(expr) => {
                let pat = self.pat(&expr.pat);
                let iter = self.expr(&expr.expr);
                let body = self.block(&expr.body);
                let span = range(start(expr.for_token.span), close(&expr.body.brace_token.span));
                (ExprKind::For { pat, iter, body }, span)
            }
            syn::Expr::Closure(closure) => {
                let params = closure.inputs.iter().map(|pat| self.closure_param(pat)).collect();
                let ret = self.return_type(&closure.output);
                let body = self.expr(&closure.body);
                let first = closure.constness.as_ref().map(|token| token.span);
                let first = first.or(closure.asyncness.as_ref().map(|token| token.span));
                let first = first.or(closure.capture.as_ref().map(|token| token.span)).unwrap_or(closure.inputs_begin.span);
                let span = range(start(first), self.expr_span(body).to());
                let (is_move, is_async) = (closure.capture.is_some(), closure.asyncness.is_some());
                (ExprKind::Closure(Closure { params, ret, body, is_move, is_async }), span)
            }
            syn::Expr::Return(expr) => {
                let value = self.optional(expr.expr.as_deref());
                (ExprKind::Return(value), self.after_keyword(expr.return_token.span, value))
            }
            syn::Expr::Break(expr) => {
                let value = self.optional(expr.expr.as_deref());
                (ExprKind::Break(value), self.after_keyword(expr.break_token.span, value))
            }
            syn::Expr::Continue(expr) => (ExprKind::Continue, whole(expr.continue_token.span)),
            syn::Expr::Yield(expr) => {
                let value = self.optional(expr.expr.as_deref());
                (ExprKind::Yield(value), self.after_keyword(expr.yield_token.span, value))
            }
            syn::Expr::Struct(expr) => {
                let path = self.qualified_path(expr.qself.as_ref(), &expr.path);
                let fields = expr.fields.iter();
                let fields = fields
                    .filter(|field| !only_for_tests(&field.attrs))
                    .map(|field| FieldInit { name: self.member(&field.member).0, value: self.expr(&field.expr) })
                    .collect();
                let rest = self.optional(expr.rest.as_deref());
                let span = range(path.span.from(), close(&expr.brace_token.span));
                (ExprKind::Struct { path, fields, rest }, span)
            }
            syn::Expr::Tuple(expr) => (ExprKind::Tuple(self.exprs(&expr.elems)), delim(&expr.paren_token.span)),
            syn::Expr::Array(expr) => (ExprKind::Array(self.exprs(&expr.elems)), delim(&expr.bracket_token.span)),
            syn::Expr::Repeat(expr) => {
                let (value, len) = (self.expr(&expr.expr), self.expr(&expr.len));
                (ExprKind::Repeat { value, len }, delim(&expr.bracket_token.span))
            }
            syn::Expr::Range(expr) => {
                let from = self.optional(expr.start.as_deref());
                let to = self.optional(expr.end.as_deref());
                let dots = match &expr.limits {
                    syn::RangeLimits::HalfOpen(token) => range(start(token.spans[0]), end(token.spans[1])),
                    syn::RangeLimits::Closed(token) => range(start(token.spans[0]), end(token.spans[2])),
                };
                let first = from.map_or(dots, |id| self.expr_span(id));
                let last = to.map_or(dots, |id| self.expr_span(id));
                (ExprKind::Range { start: from, end: to }, range(first.from(), last.to()))
            }
            syn::Expr::Infer(expr) => (ExprKind::Infer, whole(expr.underscore_token.span)),
            syn::Expr::Verbatim(tokens) => {
                let at = tokens.clone().into_iter().next().map(|token| whole(token.span()));
                (ExprKind::Other(self.opaque(tokens)), at.unwrap_or_default())
            }
            _ => (ExprKind::Other(Vec::new()), Span::default()),
        };
        self.add_expr(kind, span)
    }

    fn after_keyword(&self, keyword: proc_macro2::Span, value: Option<ExprId>) -> Span {
        let at = whole(keyword);
        value.map_or(at, |id| range(at.from(), self.expr_span(id).to()))
    }

    fn block_expr(&mut self, kind: BlockKind, block: &syn::Block) -> ExprKind {
        ExprKind::Block { kind, block: self.block(block) }
    }

    /// `if .. else if .. else ..` may be long too, so it is lowered from its end.
    fn if_chain(&mut self, first: &syn::ExprIf) -> ExprId {
        let mut chain = vec![first];
        let mut current = first;
        let mut otherwise = loop {
            match current.else_branch.as_ref().map(|(_, expr)| &**expr) {
                Some(syn::Expr::If(next)) => {
                    chain.push(next);
                    current = next;
                }
                Some(last) => break Some(self.expr(last)),
                None => break None,
            }
        };
        let last = chain.last().map_or_else(Span::default, |last| delim(&last.then_branch.brace_token.span));
        let to = otherwise.map_or(last, |id| self.expr_span(id)).to();
        while let Some(part) = chain.pop() {
            otherwise = match decided(&part.cond) {
                Some(true) => {
                    let block = self.block_expr(BlockKind::Plain, &part.then_branch);
                    Some(self.add_expr(block, delim(&part.then_branch.brace_token.span)))
                }
                Some(false) => otherwise,
                None => {
                    let cond = self.expr(&part.cond);
                    let then = self.block(&part.then_branch);
                    let span = range(start(part.if_token.span), to);
                    Some(self.add_expr(ExprKind::If { cond, then, otherwise }, span))
                }
            };
        }
        otherwise.unwrap_or_else(|| self.add_expr(ExprKind::Other(Vec::new()), Span::default()))
    }

    fn arms(&mut self, arms: &[syn::Arm]) -> Vec<Arm> {
        let mut lowered = Vec::with_capacity(arms.len());
        for arm in arms {
            if only_for_tests(&arm.attrs) {
                continue;
            }
            let (pat, guard) = match &arm.pat {
                syn::Pat::Guard(guarded) => (&*guarded.pat, Some(&*guarded.guard)),
                pat => (pat, None),
            };
            let pat = self.pat(pat);
            let guard = self.optional(guard);
            lowered.push(Arm { pat, guard, body: self.expr(&arm.body) });
        }
        lowered
    }

    pub fn block(&mut self, block: &syn::Block) -> Block {
        self.stmts(&block.stmts)
    }

    pub fn stmts(&mut self, stmts: &[syn::Stmt]) -> Block {
        let mut block = Block { stmts: Vec::with_capacity(stmts.len()), tail: None };
        for (index, stmt) in stmts.iter().enumerate() {
            let last = index + 1 == stmts.len();
            match stmt {
                syn::Stmt::Local(local) => {
                    if !only_for_tests(&local.attrs) {
                        block.stmts.push(self.local(local));
                    }
                }
                syn::Stmt::Item(item) => {
                    let mut items = Vec::new();
                    self.define(item);
                    self.item(item, &mut items);
                    block.stmts.extend(items.into_iter().map(Stmt::Item));
                }
                syn::Stmt::Expr(syn::Expr::Verbatim(tokens), _) if tokens.is_empty() => {}
                syn::Stmt::Expr(syn::Expr::Macro(expr), semi) => {
                    self.macro_stmt(&expr.attrs, &expr.mac, last && semi.is_none(), &mut block);
                }
                syn::Stmt::Expr(expr, semi) => {
                    if only_for_tests(attributes(expr)) {
                        continue;
                    }
                    let id = self.expr(expr);
                    if last && semi.is_none() {
                        block.tail = Some(id);
                    } else {
                        block.stmts.push(Stmt::Expr(id));
                    }
                }
                syn::Stmt::Macro(stmt) => {
                    self.macro_stmt(&stmt.attrs, &stmt.mac, last && stmt.semi_token.is_none(), &mut block);
                }
            }
        }
        block
    }

    fn macro_stmt(&mut self, attrs: &[syn::Attribute], mac: &syn::Macro, tail: bool, block: &mut Block) {
        if only_for_tests(attrs) {
            return;
        }
        let mut items = Vec::new();
        if self.static_list(mac, &mut items) {
            block.stmts.extend(items.into_iter().map(Stmt::Item));
            return;
        }
        if let Some(written) = self.expanded(mac, syn::Block::parse_within) {
            let inner = self.nested(|lower| lower.stmts(&written));
            block.stmts.extend(inner.stmts);
            match inner.tail {
                Some(id) if tail => block.tail = Some(id),
                Some(id) => block.stmts.push(Stmt::Expr(id)),
                None => {}
            }
            return;
        }
        let id = self.expr_macro(mac);
        if tail {
            block.tail = Some(id);
        } else {
            block.stmts.push(Stmt::Expr(id));
        }
    }

    fn local(&mut self, local: &syn::Local) -> Stmt {
        let (pat, ty) = match &local.pat {
            syn::Pat::Type(typed) => (self.pat(&typed.pat), Some(self.ty(&typed.ty))),
            pat => (self.pat(pat), None),
        };
        let (mut init, mut otherwise) = (None, None);
        if let Some(value) = &local.init {
            init = Some(self.expr(&value.expr));
            otherwise = value.diverge.as_ref().map(|(_, expr)| self.expr(expr));
        }
        let span = range(start(local.let_token.span), end(local.semi_token.span));
        Stmt::Let { pat, ty, init, otherwise, span }
    }

    pub fn literal(&mut self, lit: &syn::Lit) -> ExprId {
        let value = match lit {
            syn::Lit::Str(text) => Lit::Str(self.sym(&text.value())),
            syn::Lit::ByteStr(bytes) => Lit::ByteStr(self.sym(&String::from_utf8_lossy(&bytes.value()))),
            syn::Lit::Byte(byte) => Lit::Int(Some(i128::from(byte.value()))),
            syn::Lit::Char(char) => Lit::Char(char.value()),
            syn::Lit::Int(int) => Lit::Int(int.base10_digits().parse().ok()),
            syn::Lit::Float(float) => float.base10_parse().map_or(Lit::Other, Lit::Float),
            syn::Lit::Bool(bool) => Lit::Bool(bool.value),
            _ => Lit::Other,
        };
        self.add_expr(ExprKind::Lit(value), whole(lit.span()))
    }
}

/// The operator, and whether it assigns.
fn operator(op: &syn::BinOp) -> Option<(BinOp, bool)> {
    use syn::BinOp as S;
    Some(match op {
        S::Add(_) => (BinOp::Add, false),
        S::Sub(_) => (BinOp::Sub, false),
        S::Mul(_) => (BinOp::Mul, false),
        S::Div(_) => (BinOp::Div, false),
        S::Rem(_) => (BinOp::Rem, false),
        S::And(_) => (BinOp::And, false),
        S::Or(_) => (BinOp::Or, false),
        S::BitXor(_) => (BinOp::BitXor, false),
        S::BitAnd(_) => (BinOp::BitAnd, false),
        S::BitOr(_) => (BinOp::BitOr, false),
        S::Shl(_) => (BinOp::Shl, false),
        S::Shr(_) => (BinOp::Shr, false),
        S::Eq(_) => (BinOp::Eq, false),
        S::Ne(_) => (BinOp::Ne, false),
        S::Lt(_) => (BinOp::Lt, false),
        S::Le(_) => (BinOp::Le, false),
        S::Gt(_) => (BinOp::Gt, false),
        S::Ge(_) => (BinOp::Ge, false),
        S::AddAssign(_) => (BinOp::Add, true),
        S::SubAssign(_) => (BinOp::Sub, true),
        S::MulAssign(_) => (BinOp::Mul, true),
        S::DivAssign(_) => (BinOp::Div, true),
        S::RemAssign(_) => (BinOp::Rem, true),
        S::BitXorAssign(_) => (BinOp::BitXor, true),
        S::BitAndAssign(_) => (BinOp::BitAnd, true),
        S::BitOrAssign(_) => (BinOp::BitOr, true),
        S::ShlAssign(_) => (BinOp::Shl, true),
        S::ShrAssign(_) => (BinOp::Shr, true),
        _ => return None,
    })
}

/// The attributes of the expressions that can be statements of their own.
fn attributes(expr: &syn::Expr) -> &[syn::Attribute] {
    match expr {
        syn::Expr::Block(expr) => &expr.attrs,
        syn::Expr::If(expr) => &expr.attrs,
        syn::Expr::Match(expr) => &expr.attrs,
        syn::Expr::ForLoop(expr) => &expr.attrs,
        syn::Expr::While(expr) => &expr.attrs,
        syn::Expr::Loop(expr) => &expr.attrs,
        syn::Expr::Unsafe(expr) => &expr.attrs,
        syn::Expr::Call(expr) => &expr.attrs,
        syn::Expr::MethodCall(expr) => &expr.attrs,
        syn::Expr::Assign(expr) => &expr.attrs,
        syn::Expr::Return(expr) => &expr.attrs,
        _ => &[],
    }
}
