//! What a function does with its parameters on behalf of whoever calls it: texts that it sends to a store,
//! work that it repeats, times of which it only asks the age.

use super::asked::{changes, claims};
use super::*;
use crate::catalog::StoreKind;

/// A request to a store whose text a parameter is.
#[derive(Clone)]
pub(super) struct TextCall {
    param: u32,
    kind: StoreKind,
    verbs: Vec<String>,
}

/// What a closure among the parameters is called with: `fn with_carts(f: impl FnOnce(&mut Carts))`.
#[derive(Clone)]
pub(super) struct Handed {
    param: u32,
    values: Vec<Val>,
}

/// Calls of closures that a summary hands to its callers, and the values that each keeps.
const MAX_HANDED: usize = 4;

/// Requests by text that a summary hands to its callers.
const MAX_TEXTS: usize = 4;

/// Whether a function or method of a client takes what to do as text.
pub(super) fn takes_text(name: &str) -> bool {
    const NAMES: &[&str] = &["raw_sql", "sql_query", "simple_query", "batch_execute", "from_string"];
    NAMES.contains(&name)
        || ["query", "execute", "prepare", "exec"]
            .iter()
            .any(|v| name.strip_prefix(v).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')))
}

impl<'a> Eval<'a> {
    /// Text by its type: what a parameter must be to be told of by those who pass it.
    pub(super) fn is_text(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Prim(name) => self.p.text(*name) == "str",
            Ty::Ext(name, _) => self.p.text(*name) == "std::string::String",
            _ => false,
        }
    }

    /// Notes that the effect just recorded carries out what the callers say.
    pub(super) fn delegate(&mut self, effect: EffectId, param: u32, kind: StoreKind, verbs: &[String]) {
        if self.body.texts.len() < MAX_TEXTS {
            self.facts.effects[effect.index()].delegated = true;
            self.body.texts.push(TextCall { param, kind, verbs: verbs.to_vec() });
        }
    }

    /// The parts of a callee's summary that depend on what it was given.
    pub(super) fn apply_to_arguments(&mut self, summary: &Summary, args: &[Val], span: Span) {
        for call in &summary.texts {
            let text = args.get(call.param as usize).and_then(|a| a.str()).map(str::to_string);
            let passed_on = args.get(call.param as usize).and_then(Val::text_param).filter(|_| text.is_none());
            let what = call.verbs.join(".");
            if claims(text.as_deref(), &call.verbs) {
                self.effect(EffectKind::Claim, &what, span, Prov::NONE, Prov::NONE, text.clone(), None);
            }
            let data = args.iter().fold(Prov::NONE, |p, a| p.or(a.prov));
            let kind = EffectKind::Store { kind: call.kind, writes: changes(text.as_deref(), &call.verbs) };
            let effect = self.effect(kind, &what, span, data, data, text, None);
            if let Some(param) = passed_on {
                self.delegate(effect, param, call.kind, &call.verbs);
            }
        }
        for (index, arg) in args.iter().enumerate().take(32) {
            let bit = 1u32 << index;
            for &(_, kind) in summary.param_uses.iter().filter(|(params, _)| params & bit != 0) {
                match kind {
                    UseKind::Signs => self.signs(arg, None, span),
                    _ => self.uses_of(arg, kind, span),
                }
            }
            if summary.ages_params & bit != 0 {
                self.age(arg, span);
            }
            if summary.repeats_params & bit != 0 {
                // Work that it was itself given, it passes on.
                match arg.prov.params & self.body.work_params {
                    0 => self.repeat(arg, span),
                    passed_on => self.body.repeats_params |= passed_on,
                }
            }
        }
    }

    /// Notes with what a closure that the callers pass is called.
    pub(super) fn note_handed(&mut self, closure: &Val, values: &[Val]) {
        let Some(Place { root: Root::Param(param, _), path }) = &closure.place else { return };
        let work = self.body.work_params & 1u32.checked_shl(*param).unwrap_or(0) != 0;
        let places = values.iter().any(|v| v.place.is_some());
        if !path.is_empty() || !work || !places || values.len() > MAX_HANDED || self.body.handed.len() >= MAX_HANDED {
            return;
        }
        let keep = |v: &Val| {
            let mut kept = v.derived(v.ty.clone());
            kept.place.clone_from(&v.place);
            kept.reads.clear();
            kept.extra().inside = v.inside();
            self.forget_locals(&mut kept);
            kept
        };
        let handed = Handed { param: *param, values: values.iter().map(keep).collect() };
        self.body.handed.push(handed);
    }

    /// What the closure that is passed as this argument will be called with, in terms of the arguments before it.
    pub(super) fn handed_to(&self, summary: &Summary, index: usize, before: &[Val]) -> Option<Vec<Val>> {
        let handed = summary.handed.iter().find(|h| h.param as usize == index)?;
        let mut values = handed.values.clone();
        for value in &mut values {
            self.rebase(value, before);
        }
        Some(values)
    }

    /// A closure of our own callers that is passed on is called with what the callee calls it with.
    pub(super) fn pass_handed(&mut self, summary: &Summary, args: &[Val]) {
        for handed in &summary.handed {
            if let (Some(closure), Some(values)) =
                (args.get(handed.param as usize).cloned(), self.handed_to(summary, handed.param as usize, args))
            {
                self.note_handed(&closure, &values);
            }
        }
    }

    /// The work that was passed is periodic: the task that it runs in, or else this very body.
    fn repeat(&mut self, work: &Val, span: Span) {
        let body = match work.spawn().map(|e| &self.facts.effects[e.index()].kind) {
            Some(EffectKind::Spawn { body, .. }) => *body,
            _ => self.body.node,
        };
        self.facts.nodes[body.index()].periodic.get_or_insert(span);
    }

    /// Only the age of a value decides here.
    pub(super) fn age(&mut self, value: &Val, span: Span) {
        self.uses_of(value, UseKind::Aged, span);
        self.body.ages_params |= value.prov.params;
    }
}
