//! cargo-stateless: tells whether a Rust service is really stateless.

pub mod config;
pub mod finding;
pub mod syntax;
pub mod workspace;
