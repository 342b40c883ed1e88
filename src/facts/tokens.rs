//! Signed tokens: where they are made and from what, where they are checked and how.

use super::model::{BranchId, NodeId, Prov};
use crate::names::Name;
use crate::resolve::{DefId, FileId, Ty};
use crate::syntax::hir::Span;

/// How long a token counts.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Expiry {
    /// Nothing ends it.
    Never,
    /// So many seconds after it was made; `configured` if that is the default of a setting.
    After { seconds: i64, configured: bool },
    /// At a moment fixed in the source, in seconds since 1970.
    At(i64),
    /// The setting that decides it, if it is one.
    Unknown(Option<String>),
}

#[derive(Clone, Debug)]
pub struct Claims {
    pub ty: Ty,
    pub expiry: Expiry,
    /// Where the expiry was set.
    pub set: Option<(FileId, Span)>,
    /// The claims that could be seen without a type of the tree.
    pub parts: Vec<Part>,
}

/// A claim that is known by its name and value alone.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: Name,
    pub ty: Ty,
    /// What is inside it, if that is an object.
    pub parts: Vec<Part>,
}

/// Where a key, or the options of a check, are kept.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Home {
    Static(DefId),
    Field(DefId, Name),
}

/// What a token is signed or checked with.
#[derive(Clone, Debug, Default)]
pub struct Key {
    pub prov: Prov,
    /// Written into the source.
    pub literal: bool,
    /// The source holds a key for the case that the configuration has none.
    pub fallback: bool,
    pub home: Option<Home>,
    /// One of several: by an id, from a map, or tried in turn.
    pub many: bool,
}

/// A call that signs a token, or one that hands claims to a function that does.
#[derive(Clone, Debug)]
pub struct Mint {
    pub node: NodeId,
    pub span: Span,
    pub order: u32,
    /// The mint in the callee that this one is seen through.
    pub via: Option<u32>,
    /// Callers know more about the claims: they have mints of their own.
    pub lifted: bool,
    pub claims: Claims,
    /// The token says which key signed it.
    pub kid: bool,
    pub key: Key,
    /// The form of the token, by the catalog.
    pub format: Name,
}

/// A check that a verification leaves out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Off {
    Expiry,
    Signature,
    Audience,
}

#[derive(Clone, Debug)]
pub struct Verify {
    pub node: NodeId,
    pub span: Span,
    pub order: u32,
    /// The type of the claims, if it is one of the tree.
    pub claims: Option<DefId>,
    /// Whether the call itself looks at the expiry.
    pub expiry: bool,
    pub off: Vec<Off>,
    pub format: Name,
    /// The age up to which the call takes a token, where it is the one to say so.
    pub max_age: Option<Expiry>,
    pub key: Key,
    pub branch: Option<BranchId>,
}

/// A key that is made from something, not at random.
#[derive(Clone, Debug)]
pub struct MadeKey {
    pub node: NodeId,
    pub span: Span,
    pub what: String,
    /// It signs or seals cookies.
    pub cookie: bool,
    pub key: Key,
}

#[derive(Default)]
pub struct Tokens {
    pub mints: Vec<Mint>,
    pub verifies: Vec<Verify>,
    pub keys: Vec<MadeKey>,
    /// Reads of a token that check nothing, and of its header.
    pub peeks: Vec<NodeId>,
    /// Functions in which a claim is compared with the clock.
    pub aged: Vec<NodeId>,
    /// Functions that read the audience of a token that was checked.
    pub audited: Vec<NodeId>,
    /// Types by which a body hands on what a token says, as an extension of the request.
    pub carried: Vec<(NodeId, DefId)>,
    /// Bodies that take such a value out again, and when.
    pub taken: Vec<(NodeId, DefId, u32)>,
}
