//! Names and types across all crates of the tree: what a path means, what a type is made of, which
//! functions a type has. Types and functions outside the tree are known by their path only; what they
//! mean is the catalog's business.

pub mod impls;
mod left_out;
pub mod link;
pub mod lower;
pub mod named;
pub mod paths;
mod processes;
pub mod program;
pub mod types;

pub use program::{DefId, DefKind, FileId, ModId, Program, Res};
pub use types::Ty;
