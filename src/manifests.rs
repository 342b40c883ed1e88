//! What deployment manifests and service configuration say: how many instances there are, who is
//! sent back to which of them, what disk hangs on them, and which settings they start with.
//! Nothing here knows Rust.

mod affinity;
mod app_spec;
mod build;
mod caddy;
mod catalog;
mod cloudformation;
mod compose;
mod context;
mod deployers;
mod directives;
mod environment;
mod facts;
mod haproxy;
mod hcl_tree;
mod helm;
mod kubernetes;
mod kustomize;
mod measured;
mod nginx;
mod platforms;
mod pods;
mod reader;
mod role;
mod settings;
mod terraform;
#[cfg(test)]
mod tests;
mod toml_tree;
mod tree;
mod yaml;

pub use context::{CodeFinding, ManifestContext, Own, Service};
pub use facts::{
    Affinity, AffinityKind, Build, Dockerfile, Environment, ManifestError, ManifestFacts, Owner, PinKind, Replicas, Setting, Volume,
    VolumeKind, Workload, WorkloadId, WorkloadKind,
};
pub use measured::Measured;
pub use reader::{MAX_FILE_BYTES, is_candidate, read};
