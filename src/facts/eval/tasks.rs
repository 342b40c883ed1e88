//! Work that is handed over: to a task, a thread, a scheduler, or through a channel.

use super::*;
use crate::facts::value::{Form, Val};
use crate::syntax::hir::ExprKind;

impl<'a> Eval<'a> {
    /// Inside a spawned body: a parameter that is awaited or called there is work of the caller.
    pub(super) fn note_spawned_param(&mut self, value: &Val) {
        let Some(Place { root: Root::Param(index, _), path }) = &value.place else { return };
        let NodeKind::Spawned(effect) = self.facts.node(self.body.node).kind else { return };
        let bit = 1u32.checked_shl(*index).unwrap_or(0);
        if !path.is_empty() || self.body.work_params & bit == 0 || value.store().is_some() {
            return;
        }
        self.body.spawned_params.push((effect, bit));
        if let EffectKind::Spawn { wrapper, .. } = &mut self.facts.effects[effect.index()].kind {
            *wrapper = true;
        }
    }

    /// Parameters that run in a task which the function does not wait for: those that it waits for run for their caller
    /// as if it had called them.
    pub(super) fn left_running(&self, spawned: &[(EffectId, u32)], joined: &FxHashSet<EffectId>) -> u32 {
        let left = |effect: EffectId| {
            let mut at = Some(effect);
            // A task that somebody waits for in a task that nobody waits for.
            while let Some(effect) = at {
                if !joined.contains(&effect) {
                    return true;
                }
                at = self.enclosing_task(self.facts.effects[effect.index()].node);
            }
            false
        };
        spawned.iter().filter(|(effect, _)| left(*effect)).fold(0, |mask, (_, bit)| mask | bit)
    }

    /// Notes that this body waits for a task, unless it only describes a future that will.
    pub(super) fn join(&mut self, effect: EffectId) {
        if self.body.spawned_in.get(&effect) == Some(&self.body.block) {
            self.body.joined.insert(effect);
        }
    }

    /// The hand-over of the innermost task around a body.
    fn enclosing_task(&self, node: NodeId) -> Option<EffectId> {
        let mut at = Some(node);
        while let Some(node) = at {
            match self.facts.node(node).kind {
                NodeKind::Spawned(effect) => return Some(effect),
                _ => at = self.facts.node(node).parent,
            }
        }
        None
    }

    /// Where the channel was made whose end a value is.
    pub(super) fn channel_of(&self, value: &Val) -> Option<(NodeId, Span)> {
        match &value.place {
            Some(Place { root: Root::Local(node, span), .. }) if self.is_channel_end(&value.ty) => Some((*node, *span)),
            _ => None,
        }
    }

    /// Walks an argument as work that runs in a task or thread of its own; the value is the handle.
    pub(super) fn spawn(&mut self, work: ExprId, what: &str, span: Span, blocking: bool) -> Val {
        let work = self.made_of(work);
        let body = self.add_node(NodeKind::Function, Some(self.body.node), self.span(work));
        let kind = EffectKind::Spawn { body, awaited: false, blocking, wrapper: false };
        let effect = self.effect(kind, what, span, Prov::NONE, Prov::NONE, None, None);
        self.body.spawned_in.insert(effect, self.body.block);
        self.facts.nodes[body.index()].kind = NodeKind::Spawned(effect);
        let mut value = self.within_node(body, |eval| {
            let value = eval.expr(work);
            eval.note_spawned_param(&value);
            // `spawn(request.send())`: the task awaits it.
            eval.carry_out(value, span)
        });
        value.place = None;
        value.form = Form::Plain;
        value.extra().spawn = Some(effect);
        value
    }

    /// Whether an expression is an async block, perhaps boxed or with something said about it: a future that does nothing yet.
    pub(super) fn describes_work(&self, mut at: ExprId) -> bool {
        loop {
            match &self.hir().expr(at).kind {
                ExprKind::Block { kind: hir::BlockKind::Async, .. } => return true,
                ExprKind::Method { recv, .. } => at = *recv,
                ExprKind::Call { args, .. } if args.len() == 1 => at = args[0],
                _ => return false,
            }
        }
    }

    /// The async block for a variable that holds one: it runs where it is handed over, not where it was written.
    fn made_of(&self, work: ExprId) -> ExprId {
        let mut at = work;
        while let ExprKind::Method { recv, .. } = &self.hir().expr(at).kind {
            at = *recv;
        }
        let ExprKind::Path(path) = &self.hir().expr(at).kind else { return work };
        let [only] = path.segments.as_slice() else { return work };
        let held = self.local(self.name(only.name)).and_then(|v| v.extra.as_ref()?.work);
        held.filter(|(def, _)| *def == self.body.def).map_or(work, |(_, block)| block)
    }

    /// Work that a scheduler repeats: a task that is periodic from where it is handed over.
    pub(super) fn schedule(&mut self, args: &'a [ExprId], what: &str, span: Span) -> Val {
        let Some(work) = self.work_among(args).or(args.last().copied()) else { return Val::unknown() };
        for &arg in args.iter().filter(|&&a| a != work) {
            self.expr(arg);
        }
        let value = self.spawn(work, what, span, false);
        let piped = self.client(&value.ty);
        if let Some(effect) = value.spawn()
            && let EffectKind::Spawn { body, .. } = self.facts.effects[effect.index()].kind
        {
            self.facts.nodes[body.index()].periodic.get_or_insert(span);
            // A store that is handed over as the work is what each tick writes to.
            if let Some(kind) = piped {
                self.within_node(body, |eval| {
                    eval.effect(EffectKind::Store { kind, writes: true }, what, span, Prov::NONE, Prov::NONE, None, None);
                    Val::unit()
                });
            }
        }
        Val::unknown()
    }

    /// The argument that is a closure or an async block, also inside a box.
    pub(super) fn work_among(&self, args: &[ExprId]) -> Option<ExprId> {
        args.iter().copied().find(|&arg| match &self.hir().expr(arg).kind {
            ExprKind::Closure(_) | ExprKind::Block { .. } => true,
            ExprKind::Call { args, .. } => self.work_among(args).is_some(),
            _ => false,
        })
    }

    /// `channel()`: both ends lie in one place, made here.
    pub(super) fn channel(&mut self, path: Name, span: Span) -> Val {
        let text = self.p.text(path);
        let module = text.rsplit_once("::").map_or(text, |(m, _)| m);
        self.body.channels.push(span);
        let (tx, rx) = match text.rsplit("::").next() {
            Some("unbounded_channel" | "unbounded") if module.contains("tokio") || module.contains("futures") => {
                ("UnboundedSender", "UnboundedReceiver")
            }
            Some("sync_channel") => ("SyncSender", "Receiver"),
            _ => ("Sender", "Receiver"),
        };
        let ends: Vec<Val> = [tx, rx]
            .iter()
            .map(|end| {
                let mut value = Val::of(Ty::ext(self.p.names.intern(&format!("{module}::{end}"))), Prov::CONST);
                value.place = Some(Place::root(Root::Local(self.body.node, span)));
                value
            })
            .collect();
        let kind = ends.first().and_then(|e| match &e.ty {
            Ty::Ext(name, _) => self.cat.type_info(&self.p.names, *name).and_then(|i| i.channel),
            _ => None,
        });
        if module.ends_with("oneshot") {
            self.facts.answers.entry((self.body.node, span)).or_default();
        }
        if let Some(kind) = kind {
            self.effect(EffectKind::Channel(kind), text, span, Prov::NONE, Prov::NONE, None, None);
        }
        let mut value = Val::of(Ty::Tuple(ends.iter().map(|e| e.ty.clone()).collect()), Prov::CONST);
        value.extra().elems = ends;
        value
    }

    /// `channel::<Job>(16)`: what both ends carry.
    pub(super) fn carry_items(&self, value: &mut Val, path: &'a hir::Path) {
        let Some(hir::GenericArg::Type(item)) = path.segments.last().and_then(|s| s.args.first()) else { return };
        let item = self.lower(*item);
        let carrying = |ty: &Ty| match ty {
            Ty::Ext(name, args) if args.is_empty() && self.is_channel_end(ty) => Some(Ty::Ext(*name, [item.clone()].into())),
            _ => None,
        };
        let Ty::Tuple(ends) = &value.ty else { return };
        value.ty = Ty::Tuple(ends.iter().map(|end| carrying(end).unwrap_or_else(|| end.clone())).collect());
        for end in value.extra.iter_mut().flat_map(|e| &mut e.elems) {
            end.ty = carrying(&end.ty).unwrap_or_else(|| end.ty.clone());
        }
    }

    /// Remembers who names the end of a channel at which its one answer arrives.
    pub(super) fn note_heard(&mut self, end: &Val) {
        if self.facts.answers.is_empty() {
            return;
        }
        let Some(Place { root: Root::Local(node, span), .. }) = &end.place else { return };
        let sends = matches!(&end.ty, Ty::Ext(name, _) if self.p.text(*name).ends_with("Sender"));
        if let Some(heard) = self.facts.answers.get_mut(&(*node, *span)).filter(|_| !sends)
            && heard.last() != Some(&self.body.node)
        {
            heard.push(self.body.node);
        }
    }

    /// Whether iterating a value of this type waits for what a channel brings.
    pub(super) fn is_receiver(&self, ty: &Ty) -> bool {
        matches!(&self.peel(ty), Ty::Ext(name, _) if self.cat.type_info(&self.p.names, *name).is_some_and(|i| self.cat.class_name(i) == "receiver"))
    }

    pub(super) fn is_channel_end(&self, ty: &Ty) -> bool {
        let Ty::Ext(name, _) = ty else { return false };
        self.cat.type_info(&self.p.names, *name).is_some_and(|i| i.channel.is_some())
    }

    /// Whether a parameter's written type is that of a future or closure, also in a box or as a generic parameter.
    pub(super) fn is_work(&self, function: &'a hir::Function, ty: hir::TypeId, depth: u32) -> bool {
        let last = |path: &'a hir::Path| path.segments.last().map_or("", |s| self.text(s.name));
        let runs = |path: &'a hir::Path| {
            matches!(
                last(path),
                "Future" | "IntoFuture" | "TryFuture" | "Fn" | "FnMut" | "FnOnce" | "AsyncFn" | "AsyncFnMut" | "AsyncFnOnce"
            )
        };
        match self.hir().ty(ty) {
            hir::Type::Impl(bounds) | hir::Type::Dyn(bounds) => bounds.iter().any(runs),
            hir::Type::Fn { .. } => true,
            hir::Type::Path(path) => match (last(path), path.segments.as_slice()) {
                ("BoxFuture" | "LocalBoxFuture", _) => true,
                ("Box" | "Pin", [.., segment]) if depth < 4 => segment.args.iter().any(|arg| match arg {
                    hir::GenericArg::Type(inner) => self.is_work(function, *inner, depth + 1),
                    _ => false,
                }),
                (_, [only]) => function.generics.params.iter().any(|p| p.name == only.name && p.bounds.iter().any(runs)),
                _ => false,
            },
            _ => false,
        }
    }

    /// A handle that is dropped leaves its task alone.
    pub(super) fn detach(&mut self, handle: &Val) {
        if let Some(effect) = handle.spawn()
            && let EffectKind::Spawn { awaited, .. } = &mut self.facts.effects[effect.index()].kind
        {
            *awaited = false;
        }
    }
}
