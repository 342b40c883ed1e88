//! Blocks, branches and loops. A branch on a value read from a cell becomes a use that says what
//! happens when it was there and when it was not.

use super::*;
use crate::facts::value::{Form, Val};
use crate::syntax::hir::{BinOp, Block, ExprKind, Lit, PatKind, Stmt};

/// What happened between two moments of the walk, to be judged as one arm of a branch.
struct Mark {
    effects: usize,
    calls: usize,
    accesses: usize,
    loads: bool,
}

impl<'a> Eval<'a> {
    pub(super) fn block(&mut self, block: &'a Block) -> Val {
        let depth = self.body.env.len();
        let mut never = false;
        for stmt in &block.stmts {
            let guards = self.body.guards.len();
            match stmt {
                Stmt::Let { pat, ty, init, otherwise, span } => self.let_stmt(*pat, *ty, *init, *otherwise, *span),
                Stmt::Expr(expr) => {
                    let value = self.expr(*expr);
                    let value = self.queued(value, self.span(*expr));
                    never |= matches!(value.ty, Ty::Never);
                }
                Stmt::Item(_) => {}
            }
            self.end_temporaries(guards);
        }
        let guards = self.body.guards.len();
        let value = match block.tail {
            Some(tail) => self.expr(tail),
            None if never => Val::of(Ty::Never, Prov::NONE),
            None => Val::unit(),
        };
        self.end_temporaries(guards);
        self.drop_scope(depth);
        value
    }

    /// Guards without a name end with the statement that made them.
    fn end_temporaries(&mut self, from: usize) {
        let mut index = 0;
        self.body.guards.retain(|g| {
            index += 1;
            index <= from || g.name.is_some()
        });
    }

    fn let_stmt(&mut self, pat: hir::PatId, ty: Option<hir::TypeId>, init: Option<ExprId>, otherwise: Option<ExprId>, span: Span) {
        let Some(init) = init else {
            let value = ty.map_or_else(Val::unknown, |t| Val::of(self.lower(t), Prov::NONE));
            self.bind(pat, value);
            return;
        };
        // A closure bound to a name is walked once here; its value is what it returns.
        let first = self.facts.calls.len();
        let loaded = std::mem::take(&mut self.body.loads);
        let (effects, outer) = (self.facts.effects.len(), self.body.put_to_use.take());
        let mut value = self.expr_or_borrow(init);
        self.keep_part(&mut value, effects);
        self.body.put_to_use = outer;
        // A future that asks a store gives what comes of it, through whatever wraps its steps.
        if self.body.loads && self.describes_work(init) {
            value.prov = value.prov.or(Prov::STORE);
        }
        self.body.loads |= loaded;
        if let Some(ty) = ty {
            let declared = self.lower(ty);
            self.name_claims(first, &declared);
            if !declared.is_unknown() && !self.has_unknown(&declared) {
                value.ty = declared;
            }
        }
        if let Some(otherwise) = otherwise {
            let mark = self.mark();
            let way = self.enter(span);
            let miss_value = self.asking(init, |eval| eval.expr(otherwise));
            let miss = self.arm(&mark, otherwise, &miss_value, &value);
            self.leave(way, true);
            self.facts.branches[way.index()].ends = self.ends(otherwise, 0);
            self.branch_uses(&value, Arm::default(), miss, span);
            value.form = Form::Plain;
        }
        if value.place.is_none() && (self.may_hold_state(&value.ty) || self.is_counter(pat, &value.ty)) {
            let name = match &self.hir().pat(pat).kind {
                PatKind::Bind { name, .. } => Some(self.name(*name)),
                _ => None,
            };
            self.facts.starts.insert((self.body.node, self.span(init)), (value.prov, name));
            value.place = Some(Place::root(Root::Local(self.body.node, self.span(init))));
            if self.body.connection {
                self.facts.per_connection.insert((self.body.node, self.span(init)));
            }
        }
        if let PatKind::Bind { name, .. } = &self.hir().pat(pat).kind {
            let name = self.name(*name);
            if self.describes_work(init) {
                value.extra().work = Some((self.body.def, init));
            }
            if let Some(access) = value.guard()
                && let Some(guard) = self.body.guards.iter_mut().rev().find(|g| g.access == access)
            {
                guard.name = Some(name);
            }
        }
        self.bind(pat, value);
    }

    fn expr_or_borrow(&mut self, id: ExprId) -> Val {
        match &self.hir().expr(id).kind {
            ExprKind::Ref { expr, .. } => self.place_or_value(*expr),
            _ => self.expr(id),
        }
    }

    pub(super) fn has_unknown(&self, ty: &Ty) -> bool {
        ty.is_unknown() || ty.args().iter().any(|a| self.has_unknown(a))
    }

    fn may_hold_state(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Adt(..) => true,
            Ty::Ext(name, _) => self.cat.type_info(&self.p.names, *name).is_some(),
            _ => false,
        }
    }

    /// Goes one of the ways of the question at this place.
    pub(super) fn enter(&mut self, question: Span) -> BranchId {
        let id = BranchId(self.facts.branches.len() as u32);
        // Questions of one body are told apart by where they begin.
        let question = question.line.wrapping_mul(4096).wrapping_add(question.column);
        self.facts.branches.push(Branch { parent: self.body.branch, question, leaves: false, ends: false });
        self.body.branch = Some(id);
        id
    }

    /// Comes back from it, or not.
    pub(super) fn leave(&mut self, way: BranchId, leaves: bool) {
        let branch = &mut self.facts.branches[way.index()];
        branch.leaves = leaves;
        self.body.branch = branch.parent;
    }

    fn mark(&self) -> Mark {
        Mark {
            effects: self.facts.effects.len(),
            calls: self.facts.calls.len(),
            accesses: self.facts.accesses.len(),
            loads: self.body.loads,
        }
    }

    /// Judges what was walked since the mark as one arm of a branch on `asked`.
    fn arm(&mut self, mark: &Mark, code: ExprId, value: &Val, asked: &Val) -> Arm {
        let mut arm = Arm { exits: matches!(value.ty, Ty::Never) || self.exits(code, 0), ..Arm::default() };
        arm.refuses = self.refuses(code, 0, &[]) && !self.passes_on(code);
        let effects = &self.facts.effects[mark.effects..];
        arm.loads = effects.iter().any(|e| matches!(e.kind, EffectKind::Store { .. })) || (self.body.loads && !mark.loads);
        arm.loads |= self.facts.calls[mark.calls..].iter().any(|c| self.summaries.get(&c.target).is_some_and(|s| s.loads));
        arm.stores = effects.iter().any(Effect::repeats);
        arm.stores |= self.facts.calls[mark.calls..].iter().any(|c| self.summaries.get(&c.target).is_some_and(|s| s.stores));
        let asked: Vec<&Place> = asked.reads.iter().map(|&r| &self.facts.access(r).place).collect();
        let accesses = &self.facts.accesses[mark.accesses..];
        arm.writes = accesses.iter().any(|a| {
            a.op.writes() && asked.iter().any(|p| p.root == a.place.root && (p.path.first() == a.place.path.first() || p.path.is_empty()))
        });
        let logged_only = effects.iter().all(|e| e.kind == EffectKind::Log) && accesses.is_empty() && self.facts.calls.len() == mark.calls;
        arm.empty = logged_only && !arm.exits && matches!(value.ty, Ty::Unit | Ty::Unknown) && value.prov.is_constant();
        arm
    }

    /// Records on every access a value derives from that the program branches on its presence.
    fn branch_uses(&mut self, asked: &Val, hit: Arm, miss: Arm, span: Span) {
        let kind = match asked.form {
            Form::Option | Form::Bool { negated: false } => UseKind::Branch { hit, miss },
            Form::Bool { negated: true } => UseKind::Branch { hit: miss, miss: hit },
            Form::Plain => UseKind::Gate { hit, miss },
        };
        for access in asked.reads.clone() {
            self.use_of(access, kind, span);
        }
    }

    pub(super) fn if_expr(&mut self, cond: ExprId, then: &'a Block, otherwise: Option<ExprId>, span: Span) -> Val {
        self.asking(cond, |eval| eval.if_arms(cond, then, otherwise, span))
    }

    fn if_arms(&mut self, cond: ExprId, then: &'a Block, otherwise: Option<ExprId>, span: Span) -> Val {
        let depth = self.body.env.len();
        let guards = self.body.guards.len();
        let first = self.facts.calls.len();
        let compared = self.facts.steering.comparisons.len();
        let asked = self.condition(cond);
        let decided = self.decided_by(compared, &asked);
        let mark = self.mark();
        let way = self.enter(span);
        self.part(decided, way);
        let (if_so, if_not) = self.choices_of_if(cond);
        let asked_for = otherwise.is_none() && self.is_flag_of_request(cond, &asked);
        let before = self.body.if_asked;
        self.body.if_asked = if asked_for { Some(self.facts.effects.len()) } else { before };
        let then_value = self.chosen(if_so, |eval| eval.block(then));
        self.body.if_asked = before;
        let hit = self.block_arm(&mark, then, &then_value, &asked);
        self.leave(way, hit.exits);
        self.facts.branches[way.index()].ends = self.block_ends(then, 0);
        self.drop_scope(depth);
        if hit.exits && !hit.refuses && matches!(self.hir().expr(cond).kind, ExprKind::Let { .. }) {
            for call in self.facts.calls[first..mark.calls].iter_mut().filter(|c| c.node == self.body.node) {
                call.answers = true;
            }
        }
        let mark = self.mark();
        let (miss, value) = match otherwise {
            Some(otherwise) => {
                let way = self.enter(span);
                let value = self.chosen(if_not, |eval| eval.expr(otherwise));
                let miss = self.arm(&mark, otherwise, &value, &asked);
                self.leave(way, miss.exits);
                (miss, then_value.join(value))
            }
            None => (Arm { empty: true, ..Arm::default() }, Val { ty: Ty::Unit, ..then_value }),
        };
        self.end_temporaries(guards);
        self.branch_uses(&asked, hit, miss, span);
        value
    }

    fn block_arm(&mut self, mark: &Mark, block: &'a Block, value: &Val, asked: &Val) -> Arm {
        let Some(last) = block.last() else { return Arm { empty: block.stmts.is_empty(), ..Arm::default() } };
        let mut arm = self.arm(mark, last, value, asked);
        // `let response = Response::conflict(); return Ok(response)`.
        let said: Vec<hir::Sym> = block.stmts.iter().filter_map(|s| self.bound_refusal(s)).collect();
        arm.refuses |= self.refuses(last, 0, &said) && !self.passes_on(last);
        arm.refuses |= block.stmts.iter().any(|s| matches!(s, Stmt::Expr(e) if self.refuses(*e, 1, &said) && !self.passes_on(*e)));
        arm.exits |= matches!(value.ty, Ty::Never);
        arm
    }

    /// A condition: `let` patterns bind, and the value says what is asked and in which form.
    fn condition(&mut self, cond: ExprId) -> Val {
        match &self.hir().expr(cond).kind {
            ExprKind::Let { pat, expr } => {
                let value = self.place_or_value(*expr);
                let value = self.touch(value, self.span(*expr));
                let mut asked = value.clone();
                if asked.form == Form::Option && self.is_absent_pattern(*pat) {
                    asked.form = Form::Bool { negated: true };
                }
                self.bind(*pat, value);
                asked
            }
            ExprKind::Binary { op: BinOp::And, lhs, rhs } => {
                let left = self.nested(|eval| eval.condition(*lhs));
                let right = self.condition(*rhs);
                if left.reads.is_empty() { right } else { left.join(right) }
            }
            _ => self.expr(cond),
        }
    }

    /// `None`, `Err(_)`.
    fn is_absent_pattern(&self, pat: hir::PatId) -> bool {
        let last = match &self.hir().pat(pat).kind {
            PatKind::Path(path) | PatKind::TupleStruct { path, .. } => path.segments.last().map(|s| self.text(s.name)),
            PatKind::Bind { name, sub: None, .. } => Some(self.text(*name)),
            PatKind::Ref(inner) => return self.is_absent_pattern(*inner),
            _ => None,
        };
        matches!(last, Some("None" | "Err" | "Vacant"))
    }

    pub(super) fn match_expr(&mut self, on: ExprId, arms: &'a [hir::Arm], span: Span) -> Val {
        self.asking(on, |eval| eval.match_arms(on, arms, span))
    }

    fn match_arms(&mut self, on: ExprId, arms: &'a [hir::Arm], span: Span) -> Val {
        let guards = self.body.guards.len();
        let asked = self.place_or_value(on);
        let asked = self.touch(asked, span);
        let mut hit = None;
        let mut miss = None;
        let mut result: Option<Val> = None;
        let choices = self.choices_of_match(on, arms);
        for (number, arm) in arms.iter().enumerate() {
            let depth = self.body.env.len();
            self.bind(arm.pat, asked.clone());
            let mark = self.mark();
            let way = self.enter(span);
            if let Some(guard) = arm.guard {
                let compared = self.facts.steering.comparisons.len();
                let asked = self.expr(guard);
                self.part(self.decided_by(compared, &asked), way);
            } else if number == 0 {
                self.part(asked.extra.as_ref().and_then(|e| e.comparison), way);
            }
            let choice = choices.get(number).copied().unwrap_or_default();
            let route = self.route_of(arm.pat);
            let value = self.chosen(choice, |eval| match route {
                Some((method, path)) => eval.arm_entry(method, path, arm.body),
                None => eval.expr(arm.body),
            });
            let judged = self.arm(&mark, arm.body, &value, &asked);
            self.leave(way, judged.exits);
            self.facts.branches[way.index()].ends = self.ends(arm.body, 0);
            let absent = self.is_absent_pattern(arm.pat) || (self.is_catch_all(arm.pat) && hit.is_some() && asked.form == Form::Option);
            let slot = if absent { &mut miss } else { &mut hit };
            *slot = Some(match slot.take() {
                Some(old) => either(old, judged),
                None => judged,
            });
            self.drop_scope(depth);
            result = Some(match result {
                Some(old) if matches!(value.ty, Ty::Never) => old,
                Some(old) => old.join(value),
                None => value,
            });
        }
        self.end_temporaries(guards);
        if !asked.reads.is_empty() {
            let empty = Arm { empty: true, ..Arm::default() };
            self.branch_uses(&asked, hit.unwrap_or(empty), miss.unwrap_or(empty), span);
        }
        let mut value = result.unwrap_or_else(Val::unknown);
        if value.form == Form::Option {
            value.form = Form::Plain;
        }
        value
    }

    fn is_catch_all(&self, pat: hir::PatId) -> bool {
        matches!(self.hir().pat(pat).kind, PatKind::Wild)
    }

    pub(super) fn while_expr(&mut self, cond: ExprId, body: &'a Block, span: Span) -> Val {
        let endless = matches!(self.hir().expr(cond).kind, ExprKind::Lit(Lit::Bool(true)) | ExprKind::Let { .. });
        let source = self.brings(cond, 0).or_else(|| self.block_brings(body));
        let hears = endless && (self.hears_client(cond, 0) || self.block_hears_client(body));
        let receives = endless && (hears || self.receives(cond) || self.block_receives(body));
        let outer = self.body.receiving;
        self.body.receiving = outer.or(receives.then_some(span));
        let walk = |eval: &mut Self| {
            let depth = eval.body.env.len();
            let first = eval.facts.effects.len();
            eval.condition(cond);
            if eval.receives(cond) && !eval.takes_own(cond) && !eval.facts.effects[first..].iter().any(reads_rows) {
                let node = eval.body.node.index();
                eval.facts.nodes[node].pumps = true;
            }
            eval.block(body);
            eval.drop_scope(depth);
        };
        self.conversing(hears, span, |eval| eval.consuming(source, span, endless, walk));
        self.body.receiving = outer;
        Val::unit()
    }

    pub(super) fn loop_expr(&mut self, body: &'a Block, span: Span) -> Val {
        let source = self.block_brings(body);
        let hears = self.block_hears_client(body);
        let receives = hears || self.block_receives(body);
        let outer = self.body.receiving;
        self.body.receiving = outer.or(receives.then_some(span));
        let walk = |eval: &mut Self| {
            eval.block(body);
        };
        self.conversing(hears, span, |eval| eval.consuming(source, span, true, walk));
        self.body.receiving = outer;
        Val::unknown()
    }

    /// Whether a round of a loop waits for what a channel or stream brings, among other things.
    fn block_receives(&self, block: &'a Block) -> bool {
        block.parts().any(|part| match &self.hir().expr(part).kind {
            ExprKind::Match { on, .. } => self.takes_next(*on),
            ExprKind::If { cond, .. } => self.receives(*cond),
            ExprKind::Macro(call) => match &call.args {
                hir::MacroArgs::Select(arms) => arms.iter().filter_map(|arm| arm.future).any(|f| self.takes_next(f)),
                _ => false,
            },
            _ => self.takes_next(part),
        })
    }

    /// `while let Some(x) = stream.next().await`
    fn receives(&self, cond: ExprId) -> bool {
        matches!(&self.hir().expr(cond).kind, ExprKind::Let { expr, .. } if self.takes_next(*expr))
    }

    /// Whether what is taken comes out of a channel that this very body has made: it feeds itself.
    fn takes_own(&self, mut at: ExprId) -> bool {
        loop {
            at = match &self.hir().expr(at).kind {
                ExprKind::Let { expr, .. } | ExprKind::Await(expr) | ExprKind::Try(expr) => *expr,
                ExprKind::Method { recv, .. } => *recv,
                ExprKind::Path(path) => {
                    let [only] = path.segments.as_slice() else { return false };
                    let place = self.local(self.name(only.name)).and_then(|v| v.place.as_ref());
                    return place.is_some_and(|p| matches!(p.root, Root::Local(node, _) if node == self.body.node));
                }
                _ => return false,
            }
        }
    }

    /// `stream.next().await`, `socket.recv()`.
    pub(super) fn takes_next(&self, mut at: ExprId) -> bool {
        while let ExprKind::Await(inner) | ExprKind::Try(inner) = &self.hir().expr(at).kind {
            at = *inner;
        }
        matches!(&self.hir().expr(at).kind, ExprKind::Method { name, .. } if matches!(self.text(*name), "next" | "recv" | "recv_async" | "recv_many" | "try_next" | "accept" | "next_message" | "read"))
    }

    pub(super) fn for_expr(&mut self, pat: hir::PatId, iter: ExprId, body: &'a Block, span: Span) -> Val {
        let guards = self.body.guards.len();
        let source = self.brings(iter, 0);
        let over = self.place_or_value(iter);
        let depth = self.body.env.len();
        let elem = self.element(&over, span);
        self.bind(pat, elem);
        self.body.iterating += 1;
        let outer = self.body.receiving;
        self.body.receiving = outer.or(self.is_receiver(&over.ty).then_some(span));
        self.consuming(source, span, false, |eval| {
            eval.block(body);
        });
        self.body.receiving = outer;
        self.body.iterating -= 1;
        self.drop_scope(depth);
        self.end_temporaries(guards);
        Val::unit()
    }

    /// Walks a loop; an endless one that sleeps or ticks makes the node periodic.
    pub(super) fn looped(&mut self, span: Span, endless: bool, walk: impl FnOnce(&mut Self)) {
        let outer = std::mem::take(&mut self.body.sleeps);
        let leaves = self.body.leaves;
        let breaks = std::mem::take(&mut self.body.breaks);
        let (waits, own_waits) = (self.body.waits, self.body.own_waits);
        let called = std::mem::take(&mut self.body.called_params);
        let flags = std::mem::take(&mut self.body.flag_breaks);
        let connection = self.body.connection;
        self.body.endless += u32::from(endless);
        walk(self);
        self.body.endless -= u32::from(endless);
        self.body.connection = connection;
        let called = std::mem::replace(&mut self.body.called_params, called);
        // A round begins when an item comes: that is no schedule, whatever else is slept for.
        let fed = std::mem::replace(&mut self.body.waits, waits) != waits;
        let feeds_itself = std::mem::replace(&mut self.body.own_waits, own_waits) != own_waits;
        let asked = std::mem::replace(&mut self.body.flag_breaks, flags);
        let done = asked.iter().any(|flag| !self.body.stop_flags.contains(flag));
        let left = std::mem::replace(&mut self.body.breaks, breaks) > 0 || self.body.leaves != leaves || done;
        let node = self.body.node.index();
        if endless && fed {
            self.facts.nodes[node].pumps |= !feeds_itself;
        } else if endless && self.body.sleeps && !left {
            self.facts.nodes[node].periodic.get_or_insert(span);
            self.body.repeats_params |= called;
        }
        self.body.sleeps |= outer;
    }

    /// Whether control does not go on behind this expression.
    fn exits(&self, id: ExprId, depth: u32) -> bool {
        if depth > 6 {
            return false;
        }
        match &self.hir().expr(id).kind {
            ExprKind::Return(_) | ExprKind::Break(_) | ExprKind::Continue => true,
            ExprKind::Block { block, .. } => block.last().is_some_and(|e| self.exits(e, depth + 1)),
            ExprKind::Macro(call) => {
                matches!(self.text(call.path).rsplit("::").next(), Some("bail" | "panic" | "unreachable" | "todo" | "abort"))
            }
            ExprKind::Try(inner) => self.exits(*inner, depth + 1) || self.is_error(*inner),
            _ => false,
        }
    }

    fn is_error(&self, id: ExprId) -> bool {
        match &self.hir().expr(id).kind {
            ExprKind::Call { callee, .. } => match &self.hir().expr(*callee).kind {
                ExprKind::Path(path) => path.segments.last().is_some_and(|s| self.text(s.name) == "Err"),
                _ => false,
            },
            _ => false,
        }
    }
}

fn either(a: Arm, b: Arm) -> Arm {
    Arm {
        exits: a.exits && b.exits,
        refuses: a.refuses || b.refuses,
        loads: a.loads || b.loads,
        stores: a.stores || b.stores,
        writes: a.writes || b.writes,
        empty: a.empty && b.empty,
    }
}

/// Rows of one answer of a store, not what a stream brings for as long as it lives.
fn reads_rows(effect: &Effect) -> bool {
    use crate::catalog::StoreKind::{Embedded, Object, Search, Sql};
    matches!(effect.kind, EffectKind::Store { kind: Sql | Embedded | Object | Search, .. })
}
