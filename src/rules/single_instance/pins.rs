//! What a manifest says that allows one instance only.

use crate::finding::Location;
use crate::manifests::{Environment, ManifestFacts, PinKind, Setting, VolumeKind, WorkloadId, WorkloadKind};

/// One thing that holds a workload to one instance; the smaller the strength, the plainer it is.
pub struct Pin {
    pub strength: u8,
    pub key: String,
    pub text: String,
    pub location: Location,
    pub environment: Environment,
    /// Reviewers may differ: a default, or a file that may be a local convenience.
    pub arguable: Option<&'static str>,
}

pub fn pins(facts: &ManifestFacts) -> Vec<(WorkloadId, Pin)> {
    let mut pins = Vec::new();
    for replicas in &facts.replicas {
        let Some(id) = replicas.workload else {
            continue;
        };
        let (strength, text) = match replicas.kind {
            PinKind::Replicas if replicas.key.contains(' ') => (0, replicas.key.clone()),
            PinKind::Replicas => (0, format!("`{}: 1`", replicas.key)),
            PinKind::Maximum => (1, format!("`{}: 1`", replicas.key)),
            PinKind::Recreate => (4, "the strategy `Recreate`, which stops the old instance before the new one starts,".to_owned()),
            PinKind::ContainerName => (5, "the fixed `container_name`, which only one container can have,".to_owned()),
            PinKind::Minimum => continue,
        };
        if replicas.count != Some(1) {
            continue;
        }
        let arguable = match replicas.kind {
            _ if replicas.overridable => Some("it is a default that an installation replaces"),
            PinKind::Recreate => Some("the strategy stops all instances at a rollout and limits no count"),
            PinKind::ContainerName if replicas.environment != Environment::Production => Some("a compose file may be a local convenience"),
            _ => None,
        };
        pins.push((
            id,
            Pin {
                strength,
                key: replicas.key.clone(),
                text,
                location: replicas.location.clone(),
                environment: replicas.environment,
                arguable,
            },
        ));
    }
    for volume in facts.volumes.iter().filter(|volume| !volume.read_only) {
        let Some(id) = volume.workload else { continue };
        let name = &volume.name;
        let (strength, text, arguable) = match volume.kind {
            VolumeKind::MachineDisk => (2, format!("the disk `{name}`, which hangs on one machine,"), None),
            VolumeKind::ReadWriteOnce => (3, format!("the claim `{name}`, which the pods of one node can mount,"), None),
            VolumeKind::Named => {
                (6, format!("the volume `{name}`, which is on one host,"), Some("several containers of one host can mount the volume"))
            }
            _ => continue,
        };
        pins.push((
            id,
            Pin { strength, key: name.clone(), text, location: volume.location.clone(), environment: volume.environment, arguable },
        ));
    }
    pins.extend(facts.settings.iter().filter_map(|setting| embedded(facts, setting)));
    pins
}

/// A workload that is told to keep its data in an SQLite file.
fn embedded(facts: &ManifestFacts, setting: &Setting) -> Option<(WorkloadId, Pin)> {
    let id = setting.workload?;
    let workload = facts.workload(id)?;
    let url = setting.value.trim();
    let memory = url.contains(":memory:") || url.contains("mode=memory");
    if !url.starts_with("sqlite:") || memory {
        return None;
    }
    let local = workload.kind == WorkloadKind::ComposeService && setting.environment != Environment::Production;
    let pin = Pin {
        strength: 2,
        key: setting.key.clone(),
        text: format!("the SQLite file of `{}`, which the instances of one machine share at most,", setting.key),
        location: setting.location.clone(),
        environment: setting.environment,
        arguable: local.then_some("a compose file may be a local convenience"),
    };
    Some((id, pin))
}
