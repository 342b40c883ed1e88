//! The variables in scope: found by name in one step, however many there are.

use crate::facts::value::Val;
use crate::names::Name;
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
