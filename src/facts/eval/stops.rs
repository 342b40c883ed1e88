//! Calls to stop: ways out of loops by which a task is told to end, and not by which its work is done; and
//! ways on which a function ends.

use super::*;
use crate::syntax::hir::ExprKind;

impl<'a> Eval<'a> {
    /// `if invitation.wait_for_mail`: a flag that came with what the body was given.
    pub(super) fn is_flag_of_request(&self, cond: ExprId, asked: &Val) -> bool {
        let named = matches!(self.hir().expr(cond).kind, ExprKind::Path(_) | ExprKind::Field { .. });
        let given = asked.prov.has(Prov::REQUEST) || asked.prov.params != 0;
        let brought = |read: &AccessId| matches!(self.facts.access(*read).place.root, Root::Param(1.., _));
        named && given && asked.reads.iter().all(brought)
    }

    /// Walks what follows a question; ways out that only answer a call to stop are no ways out.
    pub(super) fn asking<T>(&mut self, question: ExprId, walk: impl FnOnce(&mut Self) -> T) -> T {
        let before = (self.body.leaves, self.body.breaks);
        let stops = self.asks_to_stop(question, 0);
        let flag = self.flag(question);
        self.body.stopping += u32::from(stops);
        let result = walk(self);
        self.body.stopping -= u32::from(stops);
        if let Some(flag) = flag
            && self.body.breaks > before.1
        {
            self.body.flag_breaks.push(flag);
            self.body.breaks = before.1;
        }
        if stops {
            (self.body.leaves, self.body.breaks) = before;
        }
        result
    }

    /// A Boolean variable that is the whole question.
    fn flag(&self, question: ExprId) -> Option<Name> {
        match &self.hir().expr(question).kind {
            ExprKind::Path(path) if path.segments.len() == 1 => {
                let name = self.name(path.segments[0].name);
                matches!(self.local(name)?.literal(), Some(Literal::Bool(_))).then_some(name)
            }
            ExprKind::Unary { expr, .. } => self.flag(*expr),
            _ => None,
        }
    }

    /// A flag that is set where a call to stop was heard.
    pub(super) fn note_stop_flag(&mut self, target: ExprId) {
        if self.body.stopping > 0
            && let Some(flag) = self.flag(target)
        {
            self.body.stop_flags.push(flag);
        }
    }

    /// Whether the function, or the program, ends with this expression.
    pub(super) fn ends(&self, id: ExprId, depth: u32) -> bool {
        if depth > 6 {
            return false;
        }
        match &self.hir().expr(id).kind {
            ExprKind::Return(_) => true,
            ExprKind::Block { kind: hir::BlockKind::Plain, block } => self.block_ends(block, depth),
            ExprKind::Call { callee, .. } => match &self.hir().expr(*callee).kind {
                ExprKind::Path(path) => matches!(
                    path.segments.iter().rev().map(|s| self.text(s.name)).take(2).collect::<Vec<_>>().as_slice(),
                    ["exit", "process"]
                ),
                _ => false,
            },
            _ => false,
        }
    }

    pub(super) fn block_ends(&self, block: &'a hir::Block, depth: u32) -> bool {
        block.last().is_some_and(|last| self.ends(last, depth + 1))
    }

    /// `owner.upgrade()`, `token.is_cancelled()`, `stop.load(..)`, `stopped.try_recv()`: whether anybody still wants this.
    fn asks_to_stop(&self, id: ExprId, depth: u32) -> bool {
        if depth > 8 {
            return false;
        }
        let again = |id: ExprId| self.asks_to_stop(id, depth + 1);
        match &self.hir().expr(id).kind {
            ExprKind::Method { name, recv, .. } => {
                matches!(
                    self.text(*name),
                    "upgrade"
                        | "is_cancelled"
                        | "cancelled"
                        | "is_closed"
                        | "closed"
                        | "is_shutdown"
                        | "is_terminated"
                        | "has_changed"
                        | "load"
                        | "try_recv"
                        | "recv_timeout"
                        | "wait_timeout"
                ) || again(*recv)
            }
            ExprKind::Let { expr, .. } | ExprKind::Unary { expr, .. } | ExprKind::Ref { expr, .. } => again(*expr),
            ExprKind::Await(inner) | ExprKind::Try(inner) => again(*inner),
            ExprKind::Binary { lhs, rhs, .. } => again(*lhs) || again(*rhs),
            ExprKind::Match { on, .. } => again(*on),
            ExprKind::Block { block, .. } => block.tail.is_some_and(again),
            // A helper in the same file that asks.
            ExprKind::Call { callee, .. } => {
                let ExprKind::Path(path) = &self.hir().expr(*callee).kind else { return false };
                let Some(crate::resolve::Res::Def(def)) = self.resolve_value(path) else { return false };
                let here = self.p.def(def).kind == DefKind::Fn && self.p.def(def).file == self.body.file;
                here && self.p.function(def).and_then(|f| f.body).is_some_and(again)
            }
            _ => false,
        }
    }
}
