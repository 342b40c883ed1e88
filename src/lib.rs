//! cargo-stateless: tells whether a Rust service is really stateless.

pub mod catalog;
pub mod config;
pub mod finding;
pub mod facts;
pub mod names;
pub mod resolve;
pub mod syntax;
pub mod workspace;
