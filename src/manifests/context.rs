//! What the code says that manifests are joined with.

use super::facts::{ManifestFacts, Owner, Workload, WorkloadId};
use super::role;
use crate::finding::{Confidence, Location};

#[derive(Clone, Debug, Default)]
pub struct ManifestContext {
    /// Package and binary names of the service crates, in lower case.
    pub service_names: Vec<String>,
    /// Cells of an instance that affinity hides: symbol and declaration.
    pub hidden_cells: Vec<(String, Location)>,
    /// Databases and files on the instance's own disk: symbol and opening.
    pub embedded_stores: Vec<(String, Location)>,
}

impl ManifestContext {
    /// How sure it is that a workload, or what has only a name, is the service's own; `None` when it
    /// is somebody else's.
    pub fn own(&self, facts: &ManifestFacts, workload: Option<WorkloadId>, target: Option<&str>, owner: Owner) -> Option<Confidence> {
        let workload = workload.and_then(|id| facts.workload(id));
        if workload.map_or_else(|| target.is_some_and(|name| self.is_service(name)), |found| self.names(found)) {
            return Some(Confidence::High);
        }
        if owner == Owner::SomebodyElses {
            return None;
        }
        let Some(workload) = workload else {
            return Some(Confidence::Medium);
        };
        if workload.built {
            return Some(Confidence::High);
        }
        // An image from elsewhere, in a tree that says which of its workloads are its own.
        let is_pulled = workload.image.as_deref().is_some_and(|image| !role::repository(image).is_empty());
        let others = facts.workloads.iter().any(|other| other.built || self.names(other));
        (!(is_pulled && others)).then_some(Confidence::Medium)
    }

    fn names(&self, workload: &Workload) -> bool {
        let image = workload.image.as_deref().map(role::repository).unwrap_or_default();
        image.split('/').any(|part| self.is_service(part)) || self.is_service(&workload.name)
    }

    /// The name itself, or with a word before or after it: `shop` for `shop-api` and `acme-shop`.
    fn is_service(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase().replace('_', "-");
        self.service_names.iter().any(|service| {
            let service = service.replace('_', "-");
            let rest = name.strip_prefix(&service).map(|rest| rest.starts_with('-'));
            let front = name.strip_suffix(&service).map(|rest| rest.ends_with('-'));
            name == service || rest == Some(true) || front == Some(true)
        })
    }
}
