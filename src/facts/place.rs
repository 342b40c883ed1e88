//! Abstract places, to which accesses are made.

use super::model::NodeId;
use crate::names::Name;
use crate::resolve::{DefId, Ty};
use crate::syntax::hir::Span;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Root {
    Static(DefId),
    /// A parameter of the function; `self` is 0. The type is the parameter's without references.
    Param(u32, Ty),
    /// State handed to an entry point, by type.
    Registered(Ty),
    /// A value made in a body, by node and the span of its construction.
    Local(NodeId, Span),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Seg {
    /// A field of a struct (or variant) of the tree.
    Field(DefId, Name),
    /// An element of a collection.
    Elem,
    /// Somewhere below what the path says.
    Below,
}

/// An abstract place: a root and at most [`Place::MAX`] steps into it, and whether it lies below them.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Place {
    pub root: Root,
    pub path: Vec<Seg>,
}

impl Place {
    pub const MAX: usize = 6;

    pub fn root(root: Root) -> Place {
        Place { root, path: Vec::new() }
    }
    #[must_use]
    pub fn step(&self, seg: Seg) -> Place {
        self.join(&[seg])
    }
    /// The place inside an argument that a callee means by a place inside its parameter.
    #[must_use]
    pub fn join(&self, path: &[Seg]) -> Place {
        let mut place = self.clone();
        let room = Place::MAX.saturating_sub(place.path.len());
        place.path.extend(path.iter().take(room).cloned());
        if path.len() > room && place.path.last() != Some(&Seg::Below) {
            place.path.push(Seg::Below);
        }
        place
    }
}
