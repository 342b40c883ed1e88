//! The files of the analysed tree: packages, targets and the Rust files that may belong to them.
//! Knows nothing of Rust's syntax.

pub mod model;
