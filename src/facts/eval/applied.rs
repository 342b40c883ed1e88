//! What a summarised function means at a call: its accesses on what it is given, and what it gives back in the caller's terms.

use super::*;
use crate::facts::value::{Form, Val};

impl<'a> Eval<'a> {
    /// What a call of a summarised function does here, and what it gives.
    pub(super) fn apply(&mut self, summary: &Summary, args: &[Val], span: Span) -> Val {
        self.body.loads |= summary.loads;
        self.body.stores |= summary.stores;
        self.body.sleeps |= summary.sleeps;
        self.body.receives |= summary.receives;
        self.body.subscribes |= summary.subscribes;
        for &id in &summary.param_accesses {
            self.substitute(id, args);
        }
        for &mint in &summary.mints {
            self.lift_mint(mint, args, span);
        }
        self.apply_to_arguments(summary, args, span);
        self.pass_handed(summary, args);
        let mut value = summary.ret.clone();
        self.rebase(&mut value, args);
        self.note_defaults(&value);
        value
    }

    /// Repeats an access of a callee on one of our arguments as an access on what we passed.
    fn substitute(&mut self, id: AccessId, args: &[Val]) {
        let access = self.facts.access(id);
        let origin = access.via.unwrap_or(id);
        let Root::Param(index, _) = access.place.root else { return };
        let Some(place) = args.get(index as usize).and_then(|a| a.place.as_ref()) else { return };
        let held = self.is_held(place);
        if matches!(place.root, Root::Local(node, _) if node == self.body.node) && !held {
            self.facts.own_given.entry(origin).or_default().insert(self.body.node);
            return;
        }
        let place = place.join(&access.place.path);
        let access = access.clone();
        if let (Root::Local(node, span), true) = (&place.root, held) {
            self.facts.held.insert((*node, *span));
        }
        // The same helper on the same place again is the same access of this body.
        if !self.body.substituted.insert((self.body.node, origin, place.clone())) {
            return;
        }
        let order = self.next();
        let guards = self.body.guards.iter().map(|g| g.access).chain(access.guards.iter().copied()).collect();
        let key = resolve_params(access.key, args);
        let value = resolve_params(access.value, args);
        let branch = self.body.branch;
        let derived = Access { node: self.body.node, place, order, branch, guards, key, value, via: Some(origin), ..access };
        self.facts.accesses.push(derived);
    }

    /// Puts the arguments in the place of the parameters in a returned value.
    pub(super) fn rebase(&self, value: &mut Val, args: &[Val]) {
        for (index, arg) in args.iter().enumerate() {
            if value.prov.params & Prov::param(index).params != 0 {
                value.add_reads(&arg.reads);
                if value.form == Form::Plain && value.reads == arg.reads && !arg.reads.is_empty() {
                    value.form = arg.form;
                }
            }
        }
        value.prov = resolve_params(value.prov, args);
        if let Some(Place { root: Root::Param(index, _), path }) = &value.place {
            let given = args.get(*index as usize).filter(|a| a.extra.is_some()).and_then(|a| self.walk(a, path));
            value.place = args.get(*index as usize).and_then(|a| a.place.as_ref()).map(|p| p.join(path));
            // What the argument says is said in the caller's terms already.
            if given.is_some_and(|given| adopt(value, given)) {
                return;
            }
        }
        if let Some(time) = value.extra.as_mut().and_then(|e| e.time.take()) {
            value.extra().time = Some(self.rebase_time(time, args));
        }
        if let Some(extra) = &mut value.extra {
            for (_, field) in &mut extra.fields {
                self.rebase(field, args);
            }
            for elem in &mut extra.elems {
                self.rebase(elem, args);
            }
        }
    }
}

/// What a parameter that is given back keeps of the argument: numbers, and the fields of a struct one level down.
fn adopt(value: &mut Val, given: Val) -> bool {
    let Some(given) = given.extra.filter(|e| e.time.is_some() || e.literal.is_some() || !e.fields.is_empty()) else { return false };
    let own = value.extra();
    if own.time.is_some() || !own.fields.is_empty() || !own.elems.is_empty() {
        return false;
    }
    own.time = given.time;
    if own.literal.is_none() {
        own.literal = given.literal;
    }
    own.fallback |= given.fallback;
    if given.fields.iter().all(|(_, v)| v.fields().is_empty()) {
        own.fields = given.fields;
    }
    true
}

/// A provenance with the arguments' in the place of parameters.
pub(super) fn resolve_params(prov: Prov, args: &[Val]) -> Prov {
    let mut result = Prov { params: 0, ..prov };
    for (index, arg) in args.iter().enumerate() {
        if prov.params & Prov::param(index).params != 0 {
            result = result.or(arg.prov);
        }
    }
    result
}
