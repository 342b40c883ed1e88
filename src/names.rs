//! Names of the whole program, interned once.

use elsa::FrozenIndexSet;
use rustc_hash::FxBuildHasher;

/// A program-wide name or path; equal text, equal number. Its order is that of first use, and means nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Name(u32);

/// All names. They belong to one thread: the analysis is serial, and a lock at each look at a name is
/// a tenth of its time.
#[derive(Default)]
pub struct Names(FrozenIndexSet<String, FxBuildHasher>);

impl Names {
    pub fn intern(&self, text: &str) -> Name {
        match self.0.get_full(text) {
            Some((index, _)) => Name(index as u32),
            None => Name(self.0.insert_full(text.to_string()).0 as u32),
        }
    }

    /// The name of this text if the program has it.
    pub fn get(&self, text: &str) -> Option<Name> {
        self.0.get_full(text).map(|(index, _)| Name(index as u32))
    }

    pub fn text(&self, name: Name) -> &str {
        self.0.get_index(name.0 as usize).unwrap_or_default()
    }
}
