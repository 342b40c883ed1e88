//! Manifests that hold the service to one instance.

use std::collections::BTreeMap;

use crate::finding::{ChecklistItem, Confidence, Finding, Location, Persona, Role, Severity, Step};
use crate::manifests::{
    Environment, ManifestContext, ManifestFacts, Owner, PinKind, VolumeKind, WorkloadId,
    WorkloadKind,
};

const ID: &str = "single-instance";

/// One thing that holds a workload to one instance; the smaller the strength, the plainer it is.
struct Pin {
    strength: u8,
    key: String,
    text: String,
    location: Location,
    environment: Environment,
    /// Reviewers may differ: a default, or a file that may be a local convenience.
    arguable: Option<&'static str>,
}

pub fn check(facts: &ManifestFacts, context: &ManifestContext) -> Vec<Finding> {
    let mut groups: BTreeMap<(WorkloadId, &str), Vec<Pin>> = BTreeMap::new();
    for (id, pin) in pins(facts) {
        let path = facts
            .workloads
            .get(id.0 as usize)
            .map_or("", |workload| workload.location.path.as_str());
        // A values file or an overlay is a deployment of its own.
        let own_file = (pin.location.path != path)
            .then(|| file_of(facts, &pin.location))
            .flatten();
        groups
            .entry((id, own_file.unwrap_or(path)))
            .or_default()
            .push(pin);
    }
    let mut findings: Vec<Finding> = groups
        .into_iter()
        .filter_map(|((id, _), pins)| {
            let owner = facts
                .workload(id)
                .map_or(Owner::OwnService, |workload| workload.owner);
            let confidence = context.own(facts, Some(id), None, owner)?;
            finding(facts, context, id, confidence, pins)
        })
        .collect();
    findings.sort_by(|a, b| a.location.cmp(&b.location));
    // One value of a chart may be asked for by several templates.
    findings.dedup_by(|later, first| later.location == first.location);
    findings
}

/// The path as the facts hold it, to live as long as they do.
fn file_of<'a>(facts: &'a ManifestFacts, location: &Location) -> Option<&'a str> {
    let replicas = facts
        .replicas
        .iter()
        .map(|replicas| &replicas.location.path);
    let volumes = facts.volumes.iter().map(|volume| &volume.location.path);
    replicas
        .chain(volumes)
        .find(|path| **path == location.path)
        .map(String::as_str)
}

fn pins(facts: &ManifestFacts) -> Vec<(WorkloadId, Pin)> {
    let mut pins = Vec::new();
    for replicas in &facts.replicas {
        let Some(id) = replicas.workload else {
            continue;
        };
        let (strength, text) = match replicas.kind {
            PinKind::Replicas => (0, format!("`{}: 1`", replicas.key)),
            PinKind::Maximum => (1, format!("`{}: 1`", replicas.key)),
            PinKind::Recreate => (
                4,
                "the strategy `Recreate`, which stops the old instance before the new one starts,"
                    .to_owned(),
            ),
            PinKind::ContainerName => (
                5,
                "the fixed `container_name`, which only one container can have,".to_owned(),
            ),
            PinKind::Minimum => continue,
        };
        if replicas.count != Some(1) {
            continue;
        }
        let arguable = match replicas.kind {
            _ if replicas.overridable => Some("it is a default that an installation replaces"),
            PinKind::Recreate => {
                Some("the strategy stops all instances at a rollout and limits no count")
            }
            PinKind::ContainerName if replicas.environment != Environment::Production => {
                Some("a compose file may be a local convenience")
            }
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
            VolumeKind::MachineDisk => (
                2,
                format!("the disk `{name}`, which hangs on one machine,"),
                None,
            ),
            VolumeKind::ReadWriteOnce => (
                3,
                format!("the claim `{name}`, which the pods of one node can mount,"),
                None,
            ),
            VolumeKind::Named => (
                6,
                format!("the volume `{name}`, which is on one host,"),
                Some("several containers of one host can mount the volume"),
            ),
            _ => continue,
        };
        pins.push((
            id,
            Pin {
                strength,
                key: name.clone(),
                text,
                location: volume.location.clone(),
                environment: volume.environment,
                arguable,
            },
        ));
    }
    pins
}

fn finding(
    facts: &ManifestFacts,
    context: &ManifestContext,
    id: WorkloadId,
    confidence: Confidence,
    mut pins: Vec<Pin>,
) -> Option<Finding> {
    let workload = facts.workload(id)?;
    pins.sort_by(|a, b| {
        (a.arguable.is_some(), a.strength, &a.location).cmp(&(
            b.arguable.is_some(),
            b.strength,
            &b.location,
        ))
    });
    let first = pins.first()?;
    let development = workload.environment == Environment::Development
        || first.environment == Environment::Development;
    let arguable = if development {
        Some("the file is for development, tests or documentation, by its name or its place")
    } else {
        first.arguable
    };
    let name = &workload.name;
    let store = context.embedded_stores.first();
    let mut message = format!(
        "one crash or one rollout takes the whole service away: {} holds `{name}` to one instance",
        first.text
    );
    if let Some((symbol, _)) = store {
        message.push_str(&format!(", because of the store `{symbol}` inside it"));
    }
    let steps = pins.iter().map(|pin| Step {
        role: Role::Configured,
        entry: None,
        message: format!("{} holds it to one instance", pin.text),
        location: pin.location.clone(),
    });
    let stores = context
        .embedded_stores
        .iter()
        .map(|(symbol, location)| Step {
            role: Role::Because,
            entry: None,
            message: format!("`{symbol}` keeps the service's data on the instance's own disk"),
            location: location.clone(),
        });
    let reason = match arguable {
        Some(why) => format!("reporting for discussion only, because {why}"),
        None if confidence == Confidence::High => {
            "reporting because the workload is named or built like the service".to_owned()
        }
        None => "reporting because nothing says that the workload is somebody else's".to_owned(),
    };
    Some(Finding {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: if arguable.is_some() {
            Severity::Note
        } else {
            Severity::Warning
        },
        confidence: if arguable.is_some() {
            confidence.min(Confidence::Medium)
        } else {
            confidence
        },
        persona: if arguable.is_some() {
            Persona::Pedantic
        } else {
            Persona::Regular
        },
        reason,
        package: String::new(),
        symbol: format!("{name}:{}", first.key),
        ty: None,
        message,
        location: first.location.clone(),
        witness: vec![steps.chain(stores).collect()],
        home: Some("two or more instances".to_owned()),
        help: Some(help(workload.kind, store.is_some(), first.strength)),
        related: context
            .embedded_stores
            .iter()
            .map(|(symbol, _)| ("embedded-database".to_owned(), symbol.clone()))
            .collect(),
    })
}

fn help(kind: WorkloadKind, store: bool, strength: u8) -> String {
    if store {
        return "move the store to a shared database first; then run two or more instances"
            .to_owned();
    }
    match (kind, strength) {
        (_, 2 | 3 | 6) => "keep the data in a shared database or an object store; then run two or more instances".to_owned(),
        (WorkloadKind::StatefulSet, _) => "if the service keeps no state of its own, run it as a Deployment with two or more replicas".to_owned(),
        (WorkloadKind::ComposeService, _) => "leave the name to compose and set `deploy.replicas` to two or more behind a proxy".to_owned(),
        _ => "run two or more instances, so that each request may meet another one".to_owned(),
    }
}
