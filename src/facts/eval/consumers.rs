//! Messages of brokers: loops that take them become entry points, with what they settle and when.

use super::*;
use crate::catalog::Consumer;
use crate::facts::value::{Callable, StoreCall, Val};
use crate::resolve::Res;
use crate::syntax::hir::{Block, ExprKind, MacroArgs};

/// Expressions inside expressions that are searched for the call that brings a message.
const MAX_NESTED: u32 = 12;

/// Where the messages of a loop come from.
pub(super) struct Source {
    kind: &'static str,
    name: Option<String>,
}

impl<'a> Eval<'a> {
    /// How values of this type consume messages, unless every instance gets them.
    pub(super) fn consumer(&self, ty: &Ty) -> Option<&'a Consumer> {
        match self.peel(ty) {
            Ty::Ext(name, _) if !self.cat.is_bus_type(self.p.text(name)) => self.cat.consumer(self.p.text(name)),
            _ => None,
        }
    }

    /// Walks a loop; one that takes messages is an entry point, and a body of its own.
    pub(super) fn consuming(&mut self, source: Option<Source>, span: Span, endless: bool, walk: impl FnOnce(&mut Self)) {
        let consumes = |kind: NodeKind| matches!(kind, NodeKind::Handler(_));
        let Some(source) = source.filter(|_| !consumes(self.facts.node(self.body.node).kind)) else {
            return self.looped(span, endless, walk);
        };
        let function = self.p.text(self.p.def(self.body.def).name);
        let from = source.name.unwrap_or_else(|| format!("messages in {function}"));
        let node = self.message_entry(source.kind, from, span);
        let outer = self.body.node.index();
        self.facts.nodes[outer].pumps = true;
        let branch = self.body.branch.take();
        self.within_node(node, |eval| {
            eval.looped(span, endless, walk);
            Val::unit()
        });
        self.body.branch = branch;
    }

    fn message_entry(&mut self, kind: &str, from: String, span: Span) -> NodeId {
        let id = EntryId(self.facts.entries.len() as u32);
        let node = self.add_node(NodeKind::Handler(id), Some(self.body.node), span);
        self.facts.entries.push(Entry {
            method: None,
            path: Some(format!("consumer of {from}")),
            kind: kind.into(),
            def: None,
            node: Some(node),
            file: self.body.file,
            span: Span { end_line: span.line, end_column: span.column, ..span },
            auxiliary: false,
        });
        node
    }

    pub(super) fn block_brings(&mut self, block: &'a Block) -> Option<Source> {
        block.parts().find_map(|part| self.brings(part, 1))
    }

    /// The source of the messages that evaluating an expression takes, itself or through a function of
    /// the tree; what loops, closures and tasks inside it do is theirs.
    pub(super) fn brings(&mut self, id: ExprId, depth: u32) -> Option<Source> {
        if depth > MAX_NESTED {
            return None;
        }
        let depth = depth + 1;
        match &self.hir().expr(id).kind {
            ExprKind::Await(inner) | ExprKind::Try(inner) => self.brings(*inner, depth),
            ExprKind::Ref { expr, .. } | ExprKind::Unary { expr, .. } | ExprKind::Let { expr, .. } => self.brings(*expr, depth),
            ExprKind::If { cond: on, .. } | ExprKind::Match { on, .. } => self.brings(*on, depth),
            ExprKind::Block { kind: hir::BlockKind::Plain, block } => self.block_brings(block),
            ExprKind::Assign { rhs, .. } => self.brings(*rhs, depth),
            ExprKind::Call { callee, args } => {
                let taken = match self.callee(*callee) {
                    Some(def) => self.shares_out(def),
                    None => false,
                };
                if taken {
                    return Some(Source { kind: "consumer", name: None });
                }
                args.iter().find_map(|&arg| self.brings(arg, depth))
            }
            ExprKind::Method { recv, name, args, .. } => {
                let (recv, name) = (*recv, self.text(*name));
                self.method_brings(recv, name, depth)
                    .or_else(|| self.brings(recv, depth))
                    .or_else(|| args.iter().find_map(|&arg| self.brings(arg, depth)))
            }
            ExprKind::Macro(call) => match &call.args {
                MacroArgs::Select(arms) => arms.iter().filter_map(|arm| arm.future).find_map(|f| self.brings(f, depth)),
                MacroArgs::Exprs(exprs) => exprs.iter().find_map(|&e| self.brings(e, depth)),
                MacroArgs::Block(_) | MacroArgs::Opaque(..) | MacroArgs::Pairs(_) => None,
            },
            _ => None,
        }
    }

    /// Whether a function of the tree brings messages that one of N instances gets. Where a bus is among the brokers that
    /// it can be set to, each instance may get all of them, and those who take them have to be content with that.
    fn shares_out(&mut self, def: DefId) -> bool {
        let summary = self.summary(def);
        summary.receives && !summary.subscribes
    }

    fn method_brings(&mut self, recv: ExprId, name: &'a str, depth: u32) -> Option<Source> {
        let value = self.outline(recv, depth)?;
        let method = self.p.names.intern(name);
        let mut ty = value.ty.clone();
        for _ in 0..4 {
            let targets = self.p.methods_on(&ty, method);
            if targets.iter().take(12).any(|&target| self.shares_out(target)) {
                return Some(Source { kind: "consumer", name: None });
            }
            match &ty {
                Ty::Ext(_, args) if !args.is_empty() => ty = ty.arg(0),
                _ => break,
            }
        }
        let consumer = self.consumer(&value.ty)?;
        let mut calls: Vec<&str> = value.store().map_or(Vec::new(), |c| c.verbs.iter().map(String::as_str).collect());
        calls.push(name);
        if !consumer.receives(&calls) || !self.is_shared_out(consumer) {
            return None;
        }
        let Ty::Ext(path, _) = self.peel(&value.ty) else { return None };
        let kind = if consumer.is_unacked(self.p.text(path)) { "subscriber" } else { "consumer" };
        Some(Source { kind, name: value.str().map(str::to_string) })
    }

    /// Whether one instance of a group gets a message: some brokers are told by the name of the subscription.
    fn is_shared_out(&self, consumer: &Consumer) -> bool {
        let Some(mark) = &consumer.shared else { return true };
        self.p.files.iter().any(|file| file.hir.symbols.iter().any(|text| text.contains(mark.as_str())))
    }

    /// The type of what an expression gives, as far as it can be told without walking it.
    pub(super) fn outline(&mut self, id: ExprId, depth: u32) -> Option<Val> {
        if depth > MAX_NESTED {
            return None;
        }
        let depth = depth + 1;
        match &self.hir().expr(id).kind {
            ExprKind::Path(path) => {
                let local = path.segments.len() == 1 && path.qself.is_none();
                let local = if local { self.local(self.name(path.segments[0].name)).cloned() } else { None };
                local.or_else(|| match self.resolve_value(path)? {
                    Res::Def(def) if self.p.def(def).kind == DefKind::Static => Some(self.static_value(def)),
                    _ => None,
                })
            }
            ExprKind::Field { base, name, .. } => {
                let base = self.outline(*base, depth)?;
                Some(self.field(base, self.name(*name)))
            }
            ExprKind::Ref { expr, .. } | ExprKind::Unary { expr, .. } => self.outline(*expr, depth),
            ExprKind::Await(inner) | ExprKind::Try(inner) => self.outline(*inner, depth),
            ExprKind::Call { callee, args } => {
                if let Some(def) = self.callee(*callee) {
                    return Some(Val::of(self.summary(def).ret.ty.clone(), Prov::NONE));
                }
                self.command(*callee, args)
            }
            ExprKind::Method { recv, name, .. } => {
                let (recv, name) = (*recv, self.text(*name));
                let mut value = self.outline(recv, depth)?;
                if let Some(consumer) = self.consumer(&value.ty) {
                    let opened = consumer.opens.get(name).map(|path| Ty::ext(self.p.names.intern(path)));
                    let mut verbs = value.store().map_or(Vec::new(), |c| c.verbs.clone());
                    verbs.push(name.to_string());
                    let kind = self.client(&value.ty)?;
                    value.ty = opened.unwrap_or(value.ty);
                    value.extra().store = Some(StoreCall { kind, text: None, text_param: None, verbs });
                    return Some(value);
                }
                let targets = self.p.methods_on(&value.ty, self.p.names.intern(name));
                match targets.first() {
                    Some(&target) => Some(Val::of(self.summary(target).ret.ty.clone(), Prov::NONE)),
                    None => Some(value),
                }
            }
            _ => None,
        }
    }

    /// `cmd("XREADGROUP")`: a call whose first argument says what is asked.
    fn command(&self, callee: ExprId, args: &[ExprId]) -> Option<Val> {
        let ExprKind::Path(path) = &self.hir().expr(callee).kind else { return None };
        let Some(Res::Ext(name)) = self.resolve_value(path) else { return None };
        let mut value = Val::of(Ty::ext(name), Prov::NONE);
        self.consumer(&value.ty)?;
        let kind = self.client(&value.ty)?;
        let word = match &self.hir().expr(*args.first()?).kind {
            ExprKind::Lit(hir::Lit::Str(text)) => self.text(*text).to_lowercase(),
            _ => return None,
        };
        value.extra().store = Some(StoreCall { kind, text: None, text_param: None, verbs: vec![word] });
        Some(value)
    }

    fn callee(&self, callee: ExprId) -> Option<DefId> {
        let ExprKind::Path(path) = &self.hir().expr(callee).kind else { return None };
        match self.resolve_value(path)? {
            Res::Def(def) if self.p.def(def).kind == DefKind::Fn => Some(def),
            _ => None,
        }
    }

    /// Records what a carried out call means for a message; `Some` if that is all that it means.
    pub(super) fn message_call(&mut self, value: &Val, call: &StoreCall, what: &str, span: Span) -> Option<Val> {
        let consumer = self.consumer(&value.ty)?;
        let command = call.text.as_deref().and_then(|t| t.split_whitespace().next()).map(str::to_lowercase);
        let calls: Vec<&str> = call.verbs.iter().map(String::as_str).chain(command.as_deref()).collect();
        if consumer.settles(&calls) {
            self.effect(EffectKind::Settle, what, span, Prov::NONE, Prov::NONE, None, None);
            return Some(Val::of(value.ty.clone(), Prov::NONE));
        }
        if !consumer.receives(&calls) {
            if consumer.pops(&calls) {
                self.effect(EffectKind::Pop, what, span, Prov::NONE, Prov::NONE, None, None);
            } else if consumer.follows(&calls) && self.body.endless > 0 || consumer.positions(&calls) {
                self.effect(EffectKind::Follow, what, span, value.prov, Prov::NONE, None, None);
            }
            return None;
        }
        let kind = EffectKind::Store { kind: call.kind, writes: false };
        self.uses_of(value, UseKind::Stored, span);
        self.effect(kind, what, span, value.prov, value.prov, None, value.place.clone());
        self.effect(EffectKind::Receive, what, span, value.prov, value.prov, None, None);
        self.body.waits += 1;
        self.body.receives = !matches!(self.facts.node(self.body.node).kind, NodeKind::Handler(_));
        let from = if self.is_shared_out(consumer) { Prov::REQUEST } else { Prov::BUS };
        Some(Val::of(value.ty.clone(), from))
    }

    /// `for_each(|message| ..)`, `set_delegate(..)`, `build_fn(handler)`: what is run once a message.
    pub(super) fn handed_messages(&mut self, recv: &Val, name: &str, args: &'a [ExprId]) -> Option<Vec<Val>> {
        let consumer = self.consumer(&recv.ty)?;
        if !consumer.hands.iter().any(|h| h == name) {
            return None;
        }
        let from = recv.str().map_or_else(|| format!("messages in {}", self.p.text(self.p.def(self.body.def).name)), str::to_string);
        let mut values = Vec::new();
        for &arg in args {
            let ExprKind::Closure(closure) = &self.hir().expr(arg).kind else {
                let value = self.place_or_value(arg);
                if let Some(Callable::Function(def)) = value.callable() {
                    let kind = if consumer.forgets { "job" } else { "consumer" };
                    self.declare(def, None, None, kind, false);
                }
                values.push(value);
                continue;
            };
            let span = self.span(arg);
            let node = self.message_entry("consumer", from.clone(), span);
            let message = Val::of(recv.ty.clone(), Prov::REQUEST);
            let hints = vec![message; closure.params.len()];
            let branch = self.body.branch.take();
            self.within_node(node, |eval| eval.closure(closure, &hints, span));
            self.body.branch = branch;
            values.push(Val::unknown());
        }
        Some(values)
    }

    /// The stream that a call opens where the caller says, for this process alone.
    fn reader(&self, consumer: &Consumer, name: &str, values: &[Val]) -> Option<Ty> {
        let types = values.iter().filter_map(|v| match &v.ty {
            Ty::Ext(path, _) => Some(self.p.text(*path)),
            _ => None,
        });
        let stream = consumer.reader(name, &types.collect::<Vec<_>>())?;
        Some(Ty::ext(self.p.names.intern(stream)))
    }

    /// `Builder::new(client, offset)`: a reader that a function of the crate makes.
    pub(super) fn function_reads(&mut self, path: &str, values: &[Val], given: Prov, span: Span) {
        let Some(consumer) = self.cat.consumer(path) else { return };
        let mut parts = path.rsplit("::");
        let (last, owner) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let name = format!("{owner}::{last}");
        if self.reader(consumer, &name, values).is_some() {
            self.effect(EffectKind::Follow, &name, span, given, Prov::NONE, None, None);
        }
    }

    /// What a call says about a consumer that is being set up.
    pub(super) fn set_up_consumer(&mut self, recv: &mut Val, name: &str, values: &[Val], span: Span) {
        let Some(consumer) = self.consumer(&recv.ty) else { return };
        let says = |value: &Val| match value.literal() {
            Some(Literal::Str(text)) => Some(text.clone()),
            Some(Literal::Bool(set)) => Some(set.to_string()),
            _ => None,
        };
        let auto = consumer.auto.iter().any(|(key, wanted)| {
            let field = |value: &Val| {
                let fields = value.extra.as_ref().map_or(&[][..], |e| &e.fields);
                fields.iter().any(|(field, v)| self.p.text(*field) == key && says(v).as_ref() == Some(wanted))
            };
            let called = name == key && values.first().and_then(says).as_ref() == Some(wanted);
            let set = matches!(values, [k, v] if says(k).as_ref() == Some(key) && says(v).as_ref() == Some(wanted));
            called || set || values.iter().any(field)
        });
        if auto {
            self.effect(EffectKind::AutoSettle, name, span, Prov::NONE, Prov::NONE, None, None);
        }
        let group = match values {
            [key, group] => says(key).is_some_and(|k| consumer.own_group.contains(&k)) && group.prov.has(Prov::RANDOM),
            [group] => consumer.own_group.iter().any(|g| g == name) && group.prov.has(Prov::RANDOM),
            _ => false,
        };
        if group {
            self.effect(EffectKind::OwnGroup, name, span, Prov::NONE, Prov::NONE, None, None);
        }
        if consumer.keeps.iter().any(|k| k == name) {
            for value in values {
                self.register(value, name, span);
            }
        }
        if let Some(stream) = self.reader(consumer, name, values) {
            self.effect(EffectKind::Follow, name, span, recv.prov, Prov::NONE, None, None);
            recv.ty = stream;
        } else if let Some(opened) = consumer.opens.get(name) {
            recv.ty = Ty::ext(self.p.names.intern(opened));
            let queue = values.iter().find_map(Val::str).map(|q| Literal::Str(q.to_string()));
            recv.extra().literal = queue;
        }
        if values.iter().filter_map(Val::store).any(|c| c.verbs.iter().any(|v| v == "group"))
            && let Some(call) = &mut recv.extra().store
        {
            call.verbs.push("group".into());
        }
    }
}
