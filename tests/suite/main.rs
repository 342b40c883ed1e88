//! The integration tests: one binary, because each further one would link the engine and its parsers again.

mod backends;
mod cli;
mod config;
mod consumers;
mod deployment;
mod docs;
mod entry_points;
mod fingerprints;
mod framework_state;
mod hostile;
mod hygiene;
mod indirect;
mod look_alikes;
mod manifest_rules;
mod memory;
mod metamorphic;
mod precision;
mod respellings;
mod rules;
mod second_run;
mod since;
mod stories;
mod tasks;
mod token_crates;
mod tokens;
mod tree;
