//! What a service does with what outlives its requests: entry points, phases, cells, accesses, effects.

pub mod eval;
pub mod model;
pub mod value;
