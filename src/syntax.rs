//! Text to HIR. The only room that knows syn.

pub mod hir;
