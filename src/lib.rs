//! cargo-stateless: tells whether a Rust service is really stateless.

pub mod analysis;
pub mod cli;
pub mod finding;
pub mod report;
pub mod rulebook;
pub mod syntax;
pub mod workspace;
