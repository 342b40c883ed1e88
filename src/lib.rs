//! cargo-stateless: tells whether a Rust service is really stateless.

pub mod analysis;
pub mod cache;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod engine;
pub mod facts;
pub mod finding;
pub mod history;
pub mod manifests;
pub mod names;
pub mod report;
pub mod resolve;
pub mod rulebook;
pub mod rules;
pub mod syntax;
pub mod workspace;
