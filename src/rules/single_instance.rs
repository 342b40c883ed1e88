//! Manifests that hold the service to one instance.

mod disks;
mod pins;
pub mod workers;

use std::collections::{BTreeMap, BTreeSet};

use self::pins::{Pin, pins};
use crate::finding::{ChecklistItem, Confidence, Finding, Location, Persona, Role, Severity, Step};
use crate::manifests::{Environment, ManifestContext, ManifestFacts, Own, Owner, WorkloadId, WorkloadKind};

pub use self::disks::explain_disks;

pub const ID: &str = "single-instance";

pub fn check(facts: &ManifestFacts, context: &ManifestContext) -> Vec<Finding> {
    let mut groups: BTreeMap<(WorkloadId, &str), Vec<Pin>> = BTreeMap::new();
    for (id, pin) in pins(facts) {
        let path = facts.workloads.get(id.0 as usize).map_or("", |workload| workload.location.path.as_str());
        // A values file or an overlay is a deployment of its own.
        let own_file = (pin.location.path != path).then(|| file_of(facts, &pin.location)).flatten();
        groups.entry((id, own_file.unwrap_or(path))).or_default().push(pin);
    }
    let mut findings: Vec<Finding> = groups
        .into_iter()
        .filter_map(|((id, _), pins)| {
            let owner = facts.workload(id).map_or(Owner::OwnService, |workload| workload.owner);
            let own = context.own(facts, Some(id), None, owner)?;
            finding(facts, context, id, &own, pins)
        })
        .collect();
    findings.sort_by(|a, b| a.location.cmp(&b.location));
    // One value of a chart may be asked for by several templates.
    findings.dedup_by(|later, first| later.location == first.location);
    findings
}

/// The path as the facts hold it, to live as long as they do.
fn file_of<'a>(facts: &'a ManifestFacts, location: &Location) -> Option<&'a str> {
    let replicas = facts.replicas.iter().map(|replicas| &replicas.location.path);
    let volumes = facts.volumes.iter().map(|volume| &volume.location.path);
    let settings = facts.settings.iter().map(|setting| &setting.location.path);
    replicas.chain(volumes).chain(settings).find(|path| **path == location.path).map(String::as_str)
}

fn finding(facts: &ManifestFacts, context: &ManifestContext, id: WorkloadId, own: &Own, mut pins: Vec<Pin>) -> Option<Finding> {
    let workload = facts.workload(id)?;
    pins.sort_by(|a, b| (a.arguable.is_some(), a.strength, &a.location).cmp(&(b.arguable.is_some(), b.strength, &b.location)));
    let first = pins.first()?;
    let development = workload.environment == Environment::Development || first.environment == Environment::Development;
    let arguable = if development {
        Some("the file is for development, tests or documentation, by its name or its place")
    } else {
        first.arguable.or(own.loose.then_some("nothing but its place ties the workload to the code"))
    };
    let confidence = own.confidence;
    let name = &workload.name;
    let stores = context.within(own, &context.embedded_stores);
    let store = stores.first();
    let mut message = format!("one crash or one rollout takes the whole service away: {} holds `{name}` to one instance", first.text);
    if let Some(store) = store {
        message.push_str(&format!(", because of the store `{}` inside it", store.symbol));
    }
    let steps = pins.iter().map(|pin| Step::new(Role::Configured, format!("{} holds it to one instance", pin.text), pin.location.clone()));
    let because = stores.iter().map(|store| {
        Step::new(Role::Because, format!("`{}` keeps the service's data on the instance's own disk", store.symbol), store.location.clone())
    });
    let reason = match arguable {
        Some(why) => format!("reporting for discussion only, because {why}"),
        None if confidence == Confidence::High => "reporting because the workload is named or built like the service".to_owned(),
        None => "reporting because nothing says that the workload is somebody else's".to_owned(),
    };
    Some(Finding {
        rule: ID,
        item: ChecklistItem::TwoInstance,
        severity: if arguable.is_some() { Severity::Note } else { Severity::Warning },
        confidence: if arguable.is_some() { confidence.min(Confidence::Medium) } else { confidence },
        persona: if arguable.is_some() { Persona::Pedantic } else { Persona::Regular },
        reason,
        package: String::new(),
        symbol: format!("{name}:{}", first.key),
        ty: None,
        message,
        location: first.location.clone(),
        witness: vec![steps.chain(because).collect()],
        home: Some("two or more instances".to_owned()),
        help: Some(help(workload.kind, store.is_some(), first.strength)),
        related: stores.iter().map(|store| (store.rule.to_owned(), store.symbol.clone())).collect(),
    })
}

fn help(kind: WorkloadKind, store: bool, strength: u8) -> String {
    if store {
        return "move the store to a shared database first; then run two or more instances".to_owned();
    }
    match (kind, strength) {
        (_, 2 | 3 | 6) => "keep the data in a shared database or an object store; then run two or more instances".to_owned(),
        (WorkloadKind::StatefulSet, _) => {
            "if the service keeps no state of its own, run it as a Deployment with two or more replicas".to_owned()
        }
        (WorkloadKind::ComposeService, _) => "leave the name to compose and set `deploy.replicas` to two or more behind a proxy".to_owned(),
        _ => "run two or more instances, so that each request may meet another one".to_owned(),
    }
}
