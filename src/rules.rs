//! Facts to findings, one small file a rule.

pub mod single_instance;
pub mod sticky_session;
