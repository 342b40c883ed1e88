//! What a service does with what outlives its requests: entry points, phases, cells, accesses, effects.

mod built;
pub mod by_default;
pub mod cells;
pub mod claims;
pub mod commands;
pub mod configured;
mod copies;
pub mod eval;
mod evictions;
pub mod hosts;
pub mod issued;
pub mod lookup;
pub mod model;
mod one_shot;
pub mod phases;
mod place;
pub mod profile;
mod prov;
mod refills;
pub mod shipped;
pub mod sql;
pub mod steering;
mod strays;
mod talks;
pub mod time;
pub mod tokens;
pub mod value;
