//! Affinity that sends a client back to the instance it met before.

pub mod code;
mod picked;
mod steered;

use crate::finding::{ChecklistItem, Confidence, Finding, Location, Persona, Role, Severity, Step};
use crate::manifests::{Affinity, AffinityKind, Environment, ManifestContext, ManifestFacts, Own};

pub const ID: &str = "sticky-session";
/// Rules whose cells affinity hides, made by a balancer or in code.
pub const HIDDEN: [&str; 5] =
    ["authoritative-memory", "memory-session-store", "stale-local-cache", "in-process-broadcast", "unrecoverable-stream-state"];
/// More cells are counted and not named.
const NAMED_CELLS: usize = 3;

pub fn check(facts: &ManifestFacts, context: &ManifestContext) -> Vec<Finding> {
    facts
        .affinities
        .iter()
        .filter_map(|affinity| {
            let target = affinity.target.as_deref();
            let own = context.own(facts, affinity.workload, target, affinity.owner)?;
            Some(finding(affinity, &own, facts, context))
        })
        .collect()
}

fn finding(affinity: &Affinity, own: &Own, facts: &ManifestFacts, context: &ManifestContext) -> Finding {
    let workload = affinity.workload.and_then(|id| facts.workload(id));
    let name = workload.map(|found| found.name.as_str()).or(affinity.target.as_deref());
    let clients = name.map_or_else(|| "each client".to_owned(), |name| format!("each client of `{name}`"));
    let detail = &affinity.detail;
    let cells = context.within(own, &context.hidden_cells);
    let confidence = own.confidence;
    let mut message =
        format!("a client loses what its instance remembers when that instance goes: `{detail}` sends {clients} back to the same one");
    if !cells.is_empty() {
        let symbols: Vec<&str> = cells.iter().map(|cell| cell.symbol.as_str()).collect();
        message.push_str(&format!(" and masks {}", cells_text(&symbols)));
    }
    let loose = own.loose;
    let development = affinity.environment == Environment::Development;
    let persona = if development || loose { Persona::Pedantic } else { Persona::Regular };
    let mut steps = vec![Step::new(Role::Configured, format!("{} is set here", describe(affinity.kind)), affinity.location.clone())];
    if let Some(workload) = workload {
        steps.push(Step::new(Role::Configured, format!("`{}` is what it sends clients to", workload.name), workload.location.clone()));
    }
    steps.extend(cells.iter().map(|cell| hidden(&cell.symbol, cell.location.clone())));
    Finding {
        rule: ID,
        item: ChecklistItem::Affinity,
        severity: if development || loose { Severity::Note } else { Severity::Warning },
        confidence,
        persona,
        reason: reason(affinity, confidence, development),
        package: String::new(),
        symbol: format!("{}:{}", name.unwrap_or("balancer"), describe_key(detail)),
        ty: None,
        message,
        location: affinity.location.clone(),
        witness: vec![steps],
        home: Some("shared cache".to_owned()),
        help: Some(if cells.is_empty() {
            "take the affinity out and let any instance answer any request; what breaks then has its home in a shared store".to_owned()
        } else {
            "move the named cells to a shared store first, then take the affinity out".to_owned()
        }),
        related: cells.iter().map(|cell| (cell.rule.to_owned(), cell.symbol.clone())).collect(),
    }
}

/// What lives in one instance and is hidden by affinity, as a step of the evidence.
fn hidden(symbol: &str, location: Location) -> Step {
    Step::new(Role::Because, format!("`{symbol}` lives in one instance, which the affinity hides"), location)
}

fn cells_text(cells: &[&str]) -> String {
    let names: Vec<String> = cells.iter().take(NAMED_CELLS).map(|cell| format!("`{cell}`")).collect();
    let noun = if cells.len() == 1 { "this cell" } else { "these cells" };
    match cells.len().saturating_sub(NAMED_CELLS) {
        0 => format!("{noun}: {}", names.join(", ")),
        more => format!("{noun}: {} and {more} more", names.join(", ")),
    }
}

fn reason(affinity: &Affinity, confidence: Confidence, development: bool) -> String {
    let whose = match confidence {
        Confidence::High => "the workload is named or built like the service",
        _ => "nothing says that the workload is somebody else's",
    };
    let environment = if development { ", in a file for development, tests or documentation" } else { "" };
    format!("reporting because {} is switched on{environment}, and {whose}", describe(affinity.kind))
}

fn describe(kind: AffinityKind) -> &'static str {
    match kind {
        AffinityKind::ClientIp => "affinity by client address",
        AffinityKind::IngressCookie => "an affinity cookie of the ingress",
        AffinityKind::TraefikSticky => "Traefik's sticky cookie",
        AffinityKind::NginxHash => "nginx's choice of the server by client",
        AffinityKind::HaproxyPersistence => "HAProxy's persistence",
        AffinityKind::TargetGroup => "stickiness of the target group",
        AffinityKind::ConsistentHash => "a hash of what the client sends",
        AffinityKind::SessionPersistence => "session persistence of the gateway",
        AffinityKind::CaddyPolicy => "Caddy's choice of the server by client",
        AffinityKind::Platform => "session affinity of the platform",
    }
}

/// The key alone, so that a changed value is still the same finding.
fn describe_key(detail: &str) -> &str {
    detail.split([':', '=', ' ']).next().unwrap_or(detail)
}
