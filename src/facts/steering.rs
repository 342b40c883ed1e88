//! Where a request is sent on: to the instance that a name stands for, or to one of several servers that its
//! client decides.

use super::model::{AccessId, BranchId, NodeId, Prov};
use super::tokens::Home;
use crate::resolve::Ty;
use crate::syntax::hir::Span;

/// One side of a comparison.
#[derive(Clone, Debug)]
pub struct Side {
    pub prov: Prov,
    pub home: Option<Home>,
    pub reads: Vec<AccessId>,
    pub ty: Ty,
}

/// Two values that are asked to be the same, of which one may be the name of this instance.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub node: NodeId,
    pub span: Span,
    pub order: u32,
    pub sides: [Side; 2],
}

/// A way of a question that a comparison decides.
#[derive(Clone, Copy, Debug)]
pub struct Parting {
    pub comparison: u32,
    pub node: NodeId,
    pub way: BranchId,
    pub order: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Means {
    /// The request is sent on as it came.
    Proxy,
    /// The client is told to ask elsewhere.
    Redirect,
    /// A proxy is told to which server the request goes.
    Peer,
}

/// A request that is sent on.
#[derive(Clone, Copy, Debug)]
pub struct Forward {
    pub node: NodeId,
    pub span: Span,
    pub order: u32,
    pub branch: Option<BranchId>,
    /// Where the address comes from.
    pub to: Prov,
    pub means: Means,
}

#[derive(Default)]
pub struct Steering {
    pub comparisons: Vec<Comparison>,
    pub partings: Vec<Parting>,
    pub forwards: Vec<Forward>,
}
