//! Operations on what values are: maps, lists, locks, channels and the like, and what they give back.

use super::*;
use crate::catalog::{Gives, Op, TypeInfo};
use crate::facts::hosts::{holds_answer, holds_sender, is_shared};
use crate::facts::value::{Form, Val};

impl<'a> Eval<'a> {
    /// A catalogued method of an external type.
    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    pub(super) fn operate(&mut self, on: Val, info: TypeInfo, op: Op, gives: Gives, name: &str, args: &'a [ExprId], span: Span) -> Val {
        let class = self.cat.class_name(info);
        // What is made once and shared from then on: whoever asks for it asks for the way to it, not for what it holds.
        let shared_once = class == "once" && is_shared(self.p, self.cat, &on.ty);
        let op = if shared_once && op == Op::Load { Op::Pass } else { op };
        let elem_ty = on.ty.arg(info.value);
        let loads_before = self.body.loads;
        let first_effect = self.facts.effects.len();
        let hint = self.inside(&on, elem_ty.clone(), None);
        // `retain(|key, value| ..)` of a map.
        let hints = if op == Op::Prune && class == "map" { vec![Val::unknown(), hint] } else { vec![hint] };
        let mut values: Vec<Val> = args.iter().map(|&a| self.arg(a, &hints)).collect();
        let pending = op == Op::LoadThrough && values.iter().any(|v| v.store().is_some());
        if pending {
            values = values.into_iter().map(|v| self.carry_out(v, span)).collect();
        }
        let loads = pending
            || self.body.loads && !loads_before
            || self.facts.effects[first_effect..].iter().any(|e| matches!(e.kind, EffectKind::Store { .. }));
        let given = self.merge(&values);
        self.note_given(&given, span);
        let at = |i: usize| values.get(i).map_or(Prov::NONE, |v| v.prov);
        let (key, value) = match (op, class) {
            (Op::Insert | Op::InsertNew, "set") => (at(0), at(0)),
            (Op::Insert | Op::InsertNew, _) if values.is_empty() => (Prov::NONE, Prov::UNKNOWN),
            (Op::Insert | Op::InsertNew, _) if values.len() == 1 => (Prov::NONE, at(0)),
            (Op::Insert | Op::InsertNew, _) => (at(0), at(1)),
            (Op::LoadThrough, "option") => (Prov::NONE, at(0)),
            (Op::LoadThrough, _) => (at(0), if loads { at(1).or(Prov::STORE) } else { at(1) }),
            (Op::Push, _) => (Prov::NONE, at(values.len().saturating_sub(1))),
            (Op::Store | Op::Swap | Op::Send | Op::Reply | Op::Init | Op::Rmw, _) => (Prov::NONE, at(0)),
            (Op::Cas, _) => (at(0), at(1)),
            _ => (at(0), Prov::NONE),
        };
        if op == Op::Clear && self.is_local(&on) {
            return Val::unit();
        }
        let unnamed = op == Op::Send && class == "sender" && on.ty.arg(0).is_unknown();
        let on = if unnamed { carries(on, values.first()) } else { on };
        let access = match op {
            Op::Pass | Op::None => None,
            _ => self.access(&on, op, key, value, name, span),
        };
        self.facts.unnamed.extend(access.filter(|_| unnamed));
        if let (Some(access), Some(literal)) = (access, values.first().and_then(Val::literal)) {
            self.facts.accesses[access.index()].literal = Some(literal.clone());
        }
        if let Some(access) = access.filter(|_| matches!(op, Op::Insert | Op::InsertNew | Op::Push))
            && on.place.as_ref().is_some_and(|p| self.is_held(p))
            && values.iter().any(|v| holds_answer(self.p, self.cat, &v.ty))
        {
            self.facts.unanswered.insert(access);
        }
        // A handle that is put somewhere is joined or aborted from there.
        for effect in values.iter().filter_map(Val::spawn) {
            self.mark_awaited(effect);
        }
        if op == Op::Send && matches!(class, "socket" | "sender") {
            self.say(&given, span);
        }
        for (index, given) in values.iter().enumerate() {
            let is_key = index == 0
                && matches!(op, Op::Get | Op::Contains | Op::Insert | Op::InsertNew | Op::Remove | Op::Entry)
                && values.len() + usize::from(op != Op::Insert) > 1;
            let kind = match op {
                // Whoever waits at the other end has asked for it.
                Op::Reply => UseKind::Response,
                Op::Send if class == "socket" => UseKind::Response,
                _ if is_key => UseKind::Identity,
                _ => UseKind::Kept,
            };
            if op == Op::Send && class == "sender" {
                // What a caller's number means to whoever takes it out of a channel is not known here.
                for access in given.reads.clone() {
                    self.use_of(access, kind, span);
                }
                continue;
            }
            self.uses_of(given, kind, span);
        }
        if matches!(op, Op::Lock | Op::TryLock | Op::ReadLock | Op::Acquire) {
            let mut guard = self.inside(&on, on.ty.arg(0), access);
            guard.place.clone_from(&on.place);
            if let Some(access) = access {
                self.hold(access);
                guard.extra().guard = Some(access);
            }
            if op == Op::Acquire {
                guard.ty = Ty::Unit;
            }
            guard.reads.clone_from(&on.reads);
            return guard;
        }
        let by_client = op == Op::Get && values.first().is_some_and(|v| v.prov.has(Prov::CLIENT));
        let mut value = self.give(&on, op, gives, access, elem_ty, values);
        if by_client {
            value.prov = value.prov.or(self.chosen_by_client(&on.ty));
        }
        // The whole of it by another way, `get_mut`, `request.state()`: the same place.
        if op == Op::Pass && gives != Gives::Unit || shared_once && matches!(gives, Gives::Inner | Gives::OptInner) {
            value.place.clone_from(&on.place);
            value.extra().inside = on.inside();
        }
        value
    }

    pub(super) fn is_local(&self, on: &Val) -> bool {
        on.place.as_ref().is_none_or(|p| matches!(p.root, Root::Local(node, _) if node == self.body.node) && !self.is_held(p))
    }

    /// A value that lies inside another: an element, or what a guard opens.
    pub(super) fn inside(&self, on: &Val, ty: Ty, _access: Option<AccessId>) -> Val {
        let mut value = on.derived(ty);
        value.place = on.place.as_ref().map(|p| p.step(Seg::Elem));
        value.form = Form::Plain;
        value.extra().inside = !self.is_local(on) || on.inside();
        value.extra().expires = on.expires();
        value
    }

    fn give(&mut self, on: &Val, op: Op, gives: Gives, access: Option<AccessId>, elem: Ty, values: Vec<Val>) -> Val {
        let names = &self.p.names;
        let prim = |text: &str| Ty::Prim(names.intern(text));
        let wrap = |name: &str, ty: Ty| Ty::Ext(names.intern(name), [ty].into());
        let read = on.prov.or(if access.is_some() { Prov::CELL } else { Prov::NONE });
        let mut value = match gives {
            Gives::Inner => on.derived(on.ty.arg(0)),
            Gives::OptInner => on.derived(wrap("std::option::Option", on.ty.arg(0))),
            Gives::IterInner => on.derived(wrap("std::iter::Iterator", on.ty.arg(0))),
            Gives::Value => self.inside(on, elem, access),
            Gives::OptValue => self.inside(on, wrap("std::option::Option", elem), access),
            Gives::IterValue if values.is_empty() && self.is_pairs(on, op) => {
                // A slab's keys are numbers that it gives itself.
                let key = if on.ty.args().len() > 1 { on.ty.arg(0) } else { prim("usize") };
                let pair = Ty::Tuple([key, elem].into());
                self.inside(on, wrap("std::iter::Iterator", pair), access)
            }
            Gives::IterValue => self.inside(on, wrap("std::iter::Iterator", elem), access),
            Gives::Key => on.derived(on.ty.arg(0)),
            Gives::IterKey => on.derived(wrap("std::iter::Iterator", on.ty.arg(0))),
            // A copy of senders still reaches whoever the original reaches.
            Gives::Same if holds_sender(self.p, self.cat, &on.ty) => on.clone(),
            Gives::Same => on.derived(on.ty.clone()),
            Gives::Entry => {
                let mut entry = self.inside(on, wrap("std::collections::hash_map::Entry", elem), access);
                entry.extra().elems = vec![on.clone(), values.into_iter().next().unwrap_or_else(Val::unknown)];
                entry.prov = read;
                return entry;
            }
            Gives::Receiver => {
                let mut receiver = on.derived(Ty::ext(names.intern("tokio::sync::broadcast::Receiver")));
                receiver.place.clone_from(&on.place);
                return receiver;
            }
            Gives::Bool => on.derived(prim("bool")),
            Gives::Num => on.derived(prim("u64")),
            Gives::Unit => on.derived(Ty::Unit),
        };
        value.prov = match op {
            Op::Recv => Prov::UNKNOWN,
            Op::Read if gives == Gives::Num => read.or(Prov::COUNT),
            Op::Rmw => read.or(Prov::COUNT),
            _ => read,
        };
        value.reads.extend(access.filter(|_| op.reads() || op == Op::Insert || op == Op::Push));
        if self.is_bus(&on.ty) {
            value.prov = Prov::BUS;
        }
        value.form = match (op, gives) {
            (Op::InsertNew, Gives::Bool) => Form::Bool { negated: true },
            (Op::Contains | Op::Remove | Op::Cas, Gives::Bool) => Form::Bool { negated: false },
            (Op::Read, Gives::Bool) => Form::Bool { negated: true },
            (_, Gives::OptInner | Gives::OptValue) => Form::Option,
            _ => Form::Plain,
        };
        if op == Op::Contains && gives == Gives::OptValue {
            value.form = Form::Bool { negated: false };
        }
        value
    }

    /// Whether iterating gives key and value pairs: `iter` of a map, not `values`.
    fn is_pairs(&self, on: &Val, op: Op) -> bool {
        let map = matches!(&on.ty, Ty::Ext(name, args) if !args.is_empty() && self.cat.type_info(&self.p.names, *name).is_some_and(|i| self.cat.class_name(i) == "map"));
        let last = self.facts.accesses.last().map(|a| self.p.text(a.method));
        map && (op == Op::Drain || matches!(last, Some("iter" | "iter_mut" | "into_iter" | "range")))
    }
}

/// A channel whose items nobody has named carries what is sent into it.
fn carries(mut sender: Val, sent: Option<&Val>) -> Val {
    if let (Ty::Ext(path, args), Some(sent)) = (&sender.ty, sent)
        && args.first().is_none_or(Ty::is_unknown)
        && matches!(sent.ty, Ty::Adt(..))
    {
        sender.ty = Ty::Ext(*path, vec![sent.ty.clone()].into());
    }
    sender
}
