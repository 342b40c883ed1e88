//! What was noted of conversations with connected clients.

use super::model::{AccessId, BranchId, NodeId, Prov};
use crate::syntax::hir::Span;

/// A loop over what a client says while it is connected, and what was noted while it was walked.
pub struct Talk {
    pub node: NodeId,
    pub span: Span,
    /// Positions in the lists of accesses and uses.
    pub accesses: std::ops::Range<usize>,
    pub uses: std::ops::Range<usize>,
}

/// Something that goes to a client, or to the task that writes to it.
pub struct Saying {
    pub node: NodeId,
    pub span: Span,
    pub branch: Option<BranchId>,
    pub prov: Prov,
}

/// A value read from memory is put in order with another one: where, and where that comes from.
pub struct Ordering {
    pub node: NodeId,
    pub span: Span,
    pub reads: Vec<AccessId>,
    pub with: Prov,
}
