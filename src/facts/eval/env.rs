//! The variables in scope: found by name in one step, however many there are.

use super::Eval;
use crate::facts::model::{Effect, EffectKind, Facts};
use crate::facts::value::Val;
use crate::names::Name;
use crate::syntax::hir::Span;
use rustc_hash::FxHashMap;

#[derive(Default)]
pub(super) struct Env {
    variables: Vec<Variable>,
    latest: FxHashMap<Name, u32>,
}

struct Variable {
    name: Name,
    value: Val,
    /// The variable of the same name that it hides.
    hides: Option<u32>,
}

impl Env {
    pub(super) fn len(&self) -> usize {
        self.variables.len()
    }

    pub(super) fn push(&mut self, name: Name, mut value: Val) {
        value.bound();
        let hides = self.latest.insert(name, self.variables.len() as u32);
        self.variables.push(Variable { name, value, hides });
    }

    pub(super) fn get(&self, name: Name) -> Option<&Val> {
        let index = *self.latest.get(&name)?;
        self.variables.get(index as usize).map(|v| &v.value)
    }

    pub(super) fn get_mut(&mut self, name: Name) -> Option<&mut Val> {
        let index = *self.latest.get(&name)?;
        self.variables.get_mut(index as usize).map(|v| &mut v.value)
    }

    /// Ends the last variable; the name, unless an outer variable has it too.
    pub(super) fn pop(&mut self) -> Option<Name> {
        let Variable { name, hides, .. } = self.variables.pop()?;
        match hides {
            Some(outer) => {
                self.latest.insert(name, outer);
                None
            }
            None => {
                self.latest.remove(&name);
                Some(name)
            }
        }
    }
}

impl Eval<'_> {
    /// Marks what a variable will hold as the library's part or the secret that its initialiser makes, or hands on.
    pub(super) fn keep_part(&mut self, value: &mut Val, first_effect: usize) {
        let made = |e: &&Effect| matches!(e.kind, EffectKind::Library(_) | EffectKind::Secret) && e.node == self.body.node;
        let made = self.facts.effects[first_effect..].iter().find(made).map(|e| (e.node, e.span));
        if let Some(kept) = made.or(self.body.put_to_use) {
            value.extra().kept = Some(kept);
        }
    }

    /// Notes where a variable is named that holds a library's part or a secret.
    pub(super) fn put_to_use(&mut self, value: &Val, span: Span) {
        let Some(made) = value.kept() else { return };
        let places = self.facts.put_to_use.entry(made).or_default();
        if places.len() < Facts::MAX_PLACES {
            places.push((self.body.node, span));
        }
        self.body.put_to_use = Some(made);
    }
}
