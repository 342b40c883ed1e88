//! What the manifests say of the service, for the checklist: also where nothing is wrong.

use super::context::ManifestContext;
use super::facts::{Environment, ManifestFacts, PinKind, Replicas, WorkloadId};
use crate::finding::Location;

/// Facts of one kind that are shown; more are counted.
const SHOWN: usize = 6;

pub struct Measured {
    /// How many instances of each own workload there are.
    pub counts: Vec<String>,
    /// Who is sent back to which of them.
    pub affinities: Vec<String>,
    /// Or the reason why the manifests answer nothing.
    pub assessed: Result<(), String>,
}

impl Measured {
    /// Linear in the facts, but for the counts of each workload.
    pub fn of(facts: &ManifestFacts, context: &ManifestContext) -> Measured {
        let none = |reason: &str| Measured { counts: Vec::new(), affinities: Vec::new(), assessed: Err(reason.to_owned()) };
        if !facts.seen {
            return none("no deployment manifest was found");
        }
        if context.services.is_empty() {
            return none("no code of a service was found that the manifests could deploy");
        }
        let own: Vec<WorkloadId> = (0..facts.workloads.len() as u32)
            .map(WorkloadId)
            .filter(|id| facts.workload(*id).is_some_and(|workload| context.own(facts, Some(*id), None, workload.owner).is_some()))
            .collect();
        let affinities: Vec<String> = facts
            .affinities
            .iter()
            .filter(|affinity| context.own(facts, affinity.workload, affinity.target.as_deref(), affinity.owner).is_some())
            .map(|affinity| format!("affinity: {} ({})", affinity.detail, place(&affinity.location)))
            .collect();
        if own.is_empty() && affinities.is_empty() && !has_proxy(facts, context) {
            return none("no workload in the manifests is built from this tree or called like its crates");
        }
        let mut counts: Vec<String> = own.iter().map(|id| count(facts, *id)).collect();
        counts.dedup();
        if !own.is_empty() && !own.iter().any(|id| is_scaled(facts, *id)) {
            counts.push("no environment was seen with two or more instances".to_owned());
        }
        let affinities = match affinities.is_empty() {
            true => vec![format!("no affinity in {}", files(facts))],
            false => affinities,
        };
        Measured { counts: shorten(counts), affinities: shorten(affinities), assessed: Ok(()) }
    }
}

/// Whether a proxy's configuration was among the manifests: it deploys nothing, and yet could pin.
fn has_proxy(facts: &ManifestFacts, context: &ManifestContext) -> bool {
    !context.services.is_empty() && facts.workloads.is_empty() && !facts.manifests.is_empty()
}

/// Keeps the last fact, which sums up.
fn shorten(mut list: Vec<String>) -> Vec<String> {
    if list.len() > SHOWN
        && let Some(last) = list.pop()
    {
        let more = list.len() - (SHOWN - 2);
        list.truncate(SHOWN - 2);
        list.push(format!("{more} more"));
        list.push(last);
    }
    list
}

fn files(facts: &ManifestFacts) -> String {
    match facts.manifests.as_slice() {
        [only] => only.clone(),
        [first, second] => format!("{first} and {second}"),
        [first, .., last] => format!("{} manifests, from {first} to {last}", facts.manifests.len()),
        [] => "the manifests".to_owned(),
    }
}

fn is_scaled(facts: &ManifestFacts, id: WorkloadId) -> bool {
    let several = |replicas: &Replicas| {
        replicas.workload == Some(id) && replicas.environment != Environment::Development && replicas.count.is_some_and(|count| count >= 2)
    };
    facts.replicas.iter().any(several)
}

fn count(facts: &ManifestFacts, id: WorkloadId) -> String {
    let Some(workload) = facts.workload(id) else { return String::new() };
    let of = |kind| facts.replicas.iter().find(move |replicas| replicas.workload == Some(id) && replicas.kind == kind);
    let number = |replicas: &Replicas| replicas.count.map_or_else(|| "a computed number of".to_owned(), |count| count.to_string());
    let environment = |environment| if environment == Environment::Development { ", for development" } else { "" };
    let name = &workload.name;
    let scaled = match (of(PinKind::Minimum), of(PinKind::Maximum)) {
        (Some(least), Some(most)) => Some((format!("{} to {} instances", number(least), number(most)), most)),
        (None, Some(most)) => Some((format!("up to {}", instances(most)), most)),
        (Some(least), None) => Some((format!("at least {}", instances(least)), least)),
        (None, None) => None,
    };
    let said = scaled.or_else(|| of(PinKind::Replicas).map(|replicas| (instances(replicas), replicas)));
    match said {
        Some((said, replicas)) => format!("`{name}`: {said} ({}{})", place(&replicas.location), environment(replicas.environment)),
        None => format!("`{name}`: no count is written ({}{})", place(&workload.location), environment(workload.environment)),
    }
}

fn instances(replicas: &Replicas) -> String {
    match replicas.count {
        Some(1) => "1 instance".to_owned(),
        Some(count) => format!("{count} instances"),
        None => "a computed number of instances".to_owned(),
    }
}

fn place(location: &Location) -> String {
    format!("{}:{}", location.path, location.line)
}

#[cfg(test)]
mod tests {
    use super::super::context::Service;
    use super::super::read;
    use super::*;

    fn measured(path: &str, text: &str) -> Measured {
        let service = Service { names: vec!["shop".into()], folder: String::new(), packages: vec!["shop".into()] };
        let context = ManifestContext::new(vec![service], Vec::new(), Vec::new());
        Measured::of(&read(&[(path.to_owned(), text.to_owned())]), &context)
    }

    #[test]
    fn a_count_is_told_with_its_place() {
        let found = measured("stack.yaml", "services:\n  shop:\n    image: shop\n    deploy: {replicas: 3}\n");
        assert_eq!(found.counts, ["`shop`: 3 instances (stack.yaml:4)"]);
        assert_eq!(found.affinities, ["no affinity in stack.yaml"]);
        assert_eq!(found.assessed, Ok(()));
    }

    #[test]
    fn a_file_for_development_shows_no_second_instance() {
        let found = measured("compose.dev.yaml", "services:\n  shop:\n    image: shop\n    deploy: {replicas: 3}\n");
        assert_eq!(
            found.counts,
            ["`shop`: 3 instances (compose.dev.yaml:4, for development)", "no environment was seen with two or more instances"]
        );
    }

    #[test]
    fn a_manifest_of_somebody_else_answers_nothing() {
        assert!(measured("compose.yaml", "services:\n  store:\n    image: postgres:16\n").assessed.is_err());
        assert!(measured("settings.yaml", "a: 1\n").assessed.is_err());
    }
}
