//! Limiters, quotas and attempt counters in process.

pub mod counters;

pub const ID: &str = "local-rate-limit";
