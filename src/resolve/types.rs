//! Types as far as syntax and the catalog tell them. References, boxes of futures and lifetimes are
//! dissolved: `&mut T`, `&T` and `T` are one type here, since only what is held matters.

use super::program::{DefId, Res};
use crate::names::Name;
use std::sync::Arc;

/// Parts of one type, all levels together.
const MAX_NODES: usize = 400;

/// The empty one takes no allocation.
pub type Args = Arc<[Ty]>;

pub(super) fn args(types: Vec<Ty>) -> Args {
    if types.is_empty() { Args::default() } else { types.into() }
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Ty {
    Unknown,
    Unit,
    Never,
    Prim(Name),
    /// A struct, enum or union of the tree.
    Adt(DefId, Args),
    /// A type outside the tree, by its canonical path.
    Ext(Name, Args),
    Tuple(Args),
    /// Slice or array.
    Seq(Arc<Ty>),
    /// A trait object, `impl Trait` or a bounded type parameter, by its traits.
    Traits(Arc<[Res]>),
    /// A type parameter without useful bounds.
    Param(Name),
    /// A function item or constructor.
    Fn(DefId),
}

impl Ty {
    pub fn ext(name: Name) -> Ty {
        Ty::Ext(name, Args::default())
    }
    pub fn adt(def: DefId) -> Ty {
        Ty::Adt(def, Args::default())
    }

    /// What the type is, without its arguments.
    pub fn head(&self) -> Option<Res> {
        match self {
            Ty::Adt(def, _) => Some(Res::Def(*def)),
            Ty::Ext(name, _) => Some(Res::Ext(*name)),
            _ => None,
        }
    }

    pub fn args(&self) -> &[Ty] {
        match self {
            Ty::Adt(_, args) | Ty::Ext(_, args) | Ty::Tuple(args) => args,
            _ => &[],
        }
    }

    pub fn arg(&self, index: usize) -> Ty {
        match self {
            Ty::Seq(elem) if index == 0 => (**elem).clone(),
            _ => self.args().get(index).cloned().unwrap_or(Ty::Unknown),
        }
    }

    /// The type, or nothing if it is larger than any that is written by hand. Types share their parts,
    /// so that `(x, x)` of `(x, x)` of .. is small in memory while walking it never ends.
    #[must_use]
    pub fn bounded(self) -> Ty {
        if self.spend(MAX_NODES).is_some() { self } else { Ty::Unknown }
    }

    /// What is left of a number of nodes after those of this type.
    pub fn spend(&self, nodes: usize) -> Option<usize> {
        let left = nodes.checked_sub(1)?;
        match self {
            Ty::Seq(elem) => elem.spend(left),
            _ => self.args().iter().try_fold(left, |left, arg| arg.spend(left)),
        }
    }

    pub fn is_unknown(&self) -> bool {
        matches!(self, Ty::Unknown)
    }
}
