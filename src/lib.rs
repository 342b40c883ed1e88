//! cargo-stateless: tells whether a Rust service is really stateless.

pub mod finding;
pub mod syntax;
pub mod workspace;
pub mod manifests;
pub mod rules;
