//! Names of the whole program, interned once.

use rustc_hash::FxBuildHasher;

/// A program-wide name or path; equal text, equal number. Its order has no meaning: never sort by it.
pub type Name = lasso::Spur;

pub struct Names(lasso::ThreadedRodeo<lasso::Spur, FxBuildHasher>);

impl Default for Names {
    fn default() -> Self {
        Names(lasso::ThreadedRodeo::with_hasher(FxBuildHasher))
    }
}

impl Names {
    pub fn intern(&self, text: &str) -> Name {
        self.0.get_or_intern(text)
    }

    /// The name of this text if the program has it.
    pub fn get(&self, text: &str) -> Option<Name> {
        self.0.get(text)
    }

    pub fn text(&self, name: Name) -> &str {
        self.0.resolve(&name)
    }
}
