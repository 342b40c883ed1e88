//! cargo-stateless: tells whether a Rust service is really stateless.

pub mod finding;
pub mod manifests;
pub mod rules;
pub mod syntax;
pub mod workspace;
