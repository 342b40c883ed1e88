//! A database of whatever kind the settings name, where those that are shipped name an SQLite file.

use super::ID;
use crate::facts::cells::World;
use crate::finding::*;
use crate::manifests::{Environment, ManifestFacts, Setting, WorkloadKind};
use crate::rules::evidence;
use std::collections::BTreeSet;

/// A call that opens the database of a setting.
pub struct Opener {
    package: String,
    symbol: String,
    location: Location,
}

pub fn openers(w: &World<'_>) -> Vec<Opener> {
    let opener = |&(node, span): &(crate::facts::model::NodeId, crate::syntax::hir::Span)| {
        let def = w.facts.node(node).def;
        let package = w.p.package_of(def).to_string();
        Opener { package, symbol: format!("{}::SQLite", w.p.path(def)), location: evidence::node_location(w, node, span) }
    };
    w.facts.openers.iter().map(opener).collect()
}

/// Nobody opens a database whose kind the code does not say, or the settings name a server: quiet. `only_sqlite` are the
/// packages that have no other driver, whatever the settings name.
pub fn check(facts: &ManifestFacts, openers: &[Opener], only_sqlite: &BTreeSet<&str>) -> Vec<Finding> {
    let (driven, open): (Vec<&Opener>, Vec<&Opener>) = openers.iter().partition(|opener| only_sqlite.contains(opener.package.as_str()));
    named(facts, &open).into_iter().chain(driven.into_iter().map(|opener| by_driver(facts, opener))).collect()
}

/// The one driver decides; a setting only says where the file is.
fn by_driver(facts: &ManifestFacts, opener: &Opener) -> Finding {
    let setting = facts.settings.iter().find(|s| s.environment != Environment::Development && s.value.trim().starts_with("sqlite:"));
    let mut steps = vec![Step::new(Role::Declared, "the database is opened here, by the only driver there is", opener.location.clone())];
    steps.extend(setting.map(|s| Step::new(Role::Configured, format!("`{}` names an SQLite file", s.key), s.location.clone())));
    Finding {
        severity: Severity::Error,
        confidence: Confidence::High,
        persona: Persona::Regular,
        reason: "reporting because the only database driver that the package is built with is SQLite's".into(),
        message: "the service's data lives and dies with one instance: the only driver that is built in is SQLite's".into(),
        witness: vec![steps],
        ..finding(opener)
    }
}

fn finding(opener: &Opener) -> Finding {
    Finding {
        rule: ID,
        item: ChecklistItem::InstanceKill,
        severity: Severity::Note,
        confidence: Confidence::Medium,
        persona: Persona::Pedantic,
        reason: String::new(),
        package: opener.package.clone(),
        symbol: opener.symbol.clone(),
        ty: None,
        message: "the service's data lives and dies with one instance: the settings that it ships with name an SQLite file".into(),
        location: opener.location.clone(),
        witness: Vec::new(),
        home: Some("RDBMS".into()),
        help: Some("name a database server that every instance reaches".into()),
        related: Vec::new(),
    }
}

fn named(facts: &ManifestFacts, openers: &[&Opener]) -> Vec<Finding> {
    let is_url = |setting: &&Setting, schemes: &[&str]| schemes.iter().any(|scheme| setting.value.trim().starts_with(scheme));
    let files =
        facts.settings.iter().filter(|s| is_url(s, &["sqlite:"]) && !s.value.contains(":memory:") && !s.value.contains("mode=memory"));
    let name = |setting: &Setting| setting.key.rsplit('.').next().unwrap_or(&setting.key).to_ascii_lowercase();
    let is_server = |other: &&Setting, key: &str| name(other) == key && is_url(other, &["postgres", "mysql:", "mariadb:"]);
    let is_sure = |setting: &Setting| {
        let kind = setting.workload.and_then(|id| facts.workload(id)).map(|workload| workload.kind);
        let local = kind.is_none_or(|kind| kind == WorkloadKind::ComposeService) && setting.environment != Environment::Production;
        !local && setting.environment != Environment::Development
    };
    let served = |setting: &Setting| facts.settings.iter().any(|other| is_server(&other, &name(setting)));
    let Some(setting) = files.filter(|setting| !served(setting)).max_by_key(|setting| is_sure(setting)) else { return Vec::new() };
    let sure = is_sure(setting);
    let told = |opener: &&Opener| Finding {
        severity: if sure { Severity::Error } else { Severity::Note },
        persona: if sure { Persona::Regular } else { Persona::Pedantic },
        reason: if sure {
            format!("reporting because `{}` is set to an SQLite file where the service is deployed", setting.key)
        } else {
            format!("reporting for discussion only, because `{}` is set to an SQLite file in what may be a local convenience", setting.key)
        },
        witness: vec![vec![
            Step::new(Role::Declared, "the database of the setting is opened here", opener.location.clone()),
            Step::new(Role::Configured, format!("`{}` names an SQLite file", setting.key), setting.location.clone()),
        ]],
        ..finding(opener)
    };
    openers.iter().map(told).collect()
}
