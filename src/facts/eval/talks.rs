//! Conversations: loops over what one client says for as long as it stays connected.

use super::*;
use crate::facts::value::Val;
use crate::syntax::hir::{BinOp, Block, ExprKind, MacroArgs, PatKind};

/// Expressions inside expressions that are searched for the call that brings a message.
const MAX_NESTED: u32 = 8;

impl<'a> Eval<'a> {
    pub(super) fn block_hears_client(&mut self, block: &'a Block) -> bool {
        block.parts().any(|part| self.hears_client(part, 1))
    }

    /// Whether evaluating an expression waits, perhaps among other things, for what a connected client says.
    pub(super) fn hears_client(&mut self, id: ExprId, depth: u32) -> bool {
        if depth > MAX_NESTED {
            return false;
        }
        let depth = depth + 1;
        match &self.hir().expr(id).kind {
            ExprKind::Await(inner) | ExprKind::Try(inner) => self.hears_client(*inner, depth),
            ExprKind::Ref { expr, .. } | ExprKind::Let { expr, .. } => self.hears_client(*expr, depth),
            ExprKind::If { cond: on, .. } | ExprKind::Match { on, .. } => self.hears_client(*on, depth),
            ExprKind::Call { args, .. } => args.iter().any(|&arg| self.hears_client(arg, depth)),
            ExprKind::Method { recv, name, .. } => {
                let takes = matches!(self.text(*name), "next" | "recv" | "try_next" | "message" | "read" | "read_frame");
                let from = if takes { self.outline(*recv, depth) } else { None };
                from.is_some_and(|value| self.is_client_connection(&value.ty)) || self.hears_client(*recv, depth)
            }
            ExprKind::Macro(call) => match &call.args {
                MacroArgs::Select(arms) => arms.iter().filter_map(|arm| arm.future).any(|future| self.hears_client(future, depth)),
                _ => false,
            },
            _ => false,
        }
    }

    /// Also inside the request that it came with: `Request<Streaming<T>>`.
    fn is_client_connection(&self, ty: &Ty) -> bool {
        let Ty::Ext(path, args) = self.peel(ty) else { return false };
        self.cat.is_client_connection(self.p.text(path)) || args.iter().any(|arg| self.is_client_connection(arg))
    }

    /// Walks a loop, and notes what is done meanwhile if it hears a client.
    pub(super) fn conversing(&mut self, hears: bool, span: Span, walk: impl FnOnce(&mut Self)) {
        let (accesses, uses) = (self.facts.accesses.len(), self.facts.uses.len());
        walk(self);
        if hears {
            let talk =
                Talk { node: self.body.node, span, accesses: accesses..self.facts.accesses.len(), uses: uses..self.facts.uses.len() };
            self.facts.talks.push(talk);
        }
    }

    /// Notes that something goes to a client, or into a channel to whoever writes to it.
    pub(super) fn say(&mut self, given: &Val, span: Span) {
        let saying = Saying { node: self.body.node, span, branch: self.body.branch, prov: given.prov };
        self.facts.said.push(saying);
    }

    /// `entry.number > after`: what is kept is asked for from a position on.
    pub(super) fn put_in_order(&mut self, op: BinOp, left: &Val, right: &Val, span: Span) {
        if self.body.receiving.is_none() || !matches!(op, BinOp::Lt | BinOp::Le | BinOp::Gt | BinOp::Ge) {
            return;
        }
        for (one, other) in [(left, right), (right, left)] {
            if !one.reads.is_empty() && !other.prov.is_constant() {
                let ordering = Ordering { node: self.body.node, span, reads: one.reads.clone(), with: other.prov };
                self.facts.ordered.push(ordering);
            }
        }
    }

    /// Whether a variable counts: it can be changed, and is a number.
    pub(super) fn is_counter(&self, pat: hir::PatId, ty: &Ty) -> bool {
        matches!(self.hir().pat(pat).kind, PatKind::Bind { mutable: true, by_ref: false, .. }) && self.is_number(ty)
    }

    pub(super) fn is_number(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Prim(name) if matches!(self.p.text(*name).as_bytes(), [b'i' | b'u' | b'f', b'0'..=b'9' | b's', ..]))
    }

    /// Whether a place is a number in a variable of another body, which has a copy of its own.
    pub(super) fn is_copy(&self, place: &Place, ty: &Ty) -> bool {
        place.path.is_empty()
            && self.is_number(ty)
            && matches!(place.root, Root::Local(node, _) if node != self.body.node && !self.consumes_for(node))
    }

    /// Whether the body is the loop over messages that another body runs.
    pub(super) fn consumes_for(&self, node: NodeId) -> bool {
        let own = self.facts.node(self.body.node);
        matches!(own.kind, NodeKind::Handler(_)) && own.parent == Some(node)
    }

    /// Reads a number that a loop keeps in a variable from one message to the next.
    pub(super) fn load_counter(&mut self, value: &mut Val, span: Span) {
        if value.place.as_ref().is_some_and(|p| p.path.is_empty() && self.is_held(p)) && self.is_number(&value.ty) {
            let read = self.access(value, crate::catalog::Op::Load, Prov::NONE, Prov::NONE, "load", span);
            value.reads.extend(read);
            value.prov = value.prov.or(Prov::CELL);
        }
    }
}
