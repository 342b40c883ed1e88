//! The disk below a store in the code: what of the deployment holds it, and how it is lost.

use super::*;
use crate::manifests::{CodeFinding, Volume, VolumeKind};

/// Places that a workload mounts for what dies with the request.
const SCRATCH: [&str; 5] = ["/tmp", "/var/tmp", "/run", "/var/run", "/dev/shm"];

/// Adds to each finding on local disk what the workload's manifest mounts there. Linear in the
/// volumes, times the findings.
pub fn explain_disks(facts: &ManifestFacts, context: &ManifestContext, findings: &mut [Finding]) {
    let mut lasting: BTreeMap<WorkloadId, usize> = BTreeMap::new();
    for volume in facts.volumes.iter().filter(|volume| !volume.read_only && !is_scratch(volume)) {
        if let Some(id) = volume.workload {
            *lasting.entry(id).or_default() += 1;
        }
    }
    for volume in &facts.volumes {
        let Some(id) = volume.workload.filter(|_| !volume.read_only && !is_scratch(volume)) else { continue };
        let Some(workload) = facts.workload(id) else { continue };
        let Some(own) = context.own(facts, Some(id), None, workload.owner) else { continue };
        if own.loose || workload.environment == Environment::Development {
            continue;
        }
        let settings = || facts.settings.iter().filter(|setting| setting.workload == Some(id));
        let named = settings().any(|setting| lies_on(&setting.value, volume));
        // A database file that is named and lies elsewhere is not on the one volume there is.
        let only = lasting.get(&id) == Some(&1) && !settings().any(|setting| setting.value.starts_with("sqlite:"));
        let several = facts.replicas.iter().any(|replicas| replicas.workload == Some(id) && replicas.count.is_some_and(|count| count > 1));
        let holds = |store: &&CodeFinding| match &store.path {
            // What the code writes to a fixed place lies there, whatever else is mounted.
            Some(path) if is_absolute(path) => lies_on(path, volume),
            _ => only || named,
        };
        let stores = context.within(&own, &context.embedded_stores).into_iter().filter(holds);
        let told: BTreeSet<(&str, &str)> = stores.map(|store| (store.rule, store.symbol.as_str())).collect();
        for finding in findings.iter_mut().filter(|finding| told.contains(&(finding.rule, finding.symbol.as_str()))) {
            if let Some(path) = finding.witness.first_mut() {
                path.push(Step::new(Role::Configured, describe(volume, &workload.name, several), volume.location.clone()));
            }
        }
    }
}

fn is_scratch(volume: &Volume) -> bool {
    volume.mount_path.as_deref().is_some_and(|path| SCRATCH.iter().any(|scratch| path.trim_end_matches('/').starts_with(scratch)))
}

/// `/data/shop.db`, `sqlite:///data/shop.db`; `sqlite://shop.db` is relative.
fn is_absolute(path: &str) -> bool {
    let path = path.strip_prefix("sqlite://").or_else(|| path.strip_prefix("sqlite:")).unwrap_or(path);
    path.starts_with('/')
}

/// Whether a value is a path, or a URL of a file, below the place where the volume is mounted.
fn lies_on(value: &str, volume: &Volume) -> bool {
    let Some(mount) = volume.mount_path.as_deref().map(|path| path.trim_end_matches('/')).filter(|path| !path.is_empty()) else {
        return false;
    };
    let path = value.split_once(':').map_or(value, |(scheme, rest)| if scheme.starts_with('/') { value } else { rest });
    let path = format!("/{}", path.trim_start_matches('/'));
    path.strip_prefix(mount).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn describe(volume: &Volume, workload: &str, several: bool) -> String {
    let name = &volume.name;
    let what = match volume.kind {
        VolumeKind::EmptyDir => "an emptyDir, which is gone with the pod".to_owned(),
        VolumeKind::HostPath => format!("`{name}` of the node it runs on, which no other node has"),
        VolumeKind::PerInstanceClaim if several => format!("a claim `{name}` for each instance, so that each keeps other data"),
        VolumeKind::PerInstanceClaim => format!("a claim `{name}` for each instance"),
        VolumeKind::ReadWriteOnce => format!("the claim `{name}`, which the pods of one node can mount"),
        VolumeKind::MachineDisk => format!("the disk `{name}`, which hangs on one machine"),
        VolumeKind::Named | VolumeKind::Bind => format!("`{name}` of one host"),
    };
    format!("the data lies on what `{workload}` mounts here: {what}")
}
