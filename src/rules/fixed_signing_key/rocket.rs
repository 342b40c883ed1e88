//! Rocket's key for private cookies, written into its configuration file.

use super::ID;
use crate::facts::cells::World;
use crate::facts::model::EffectKind;
use crate::finding::*;
use crate::manifests::{ManifestFacts, Setting};
use crate::workspace::text::is_within;
use std::collections::BTreeSet;

/// A profile that Rocket takes only in builds for development: <https://rocket.rs/guide/v0.5/configuration/#profiles>.
const DEVELOPMENT: &str = "debug";
/// Shorter values are no key: 256 bits in hexadecimal or base64.
const MIN_KEY: usize = 40;

/// The packages that seal cookies with the key.
pub fn sealing(w: &World<'_>) -> BTreeSet<String> {
    let seals = |what: &str| what.contains("CookieJar::") && what.ends_with("_private");
    let effects = w.facts.effects.iter().filter(|e| matches!(e.kind, EffectKind::Handle { .. }) && seals(&e.what));
    effects.map(|e| w.p.package_of(w.facts.node(e.node).def).to_string()).collect()
}

/// `packages` are those that seal cookies, with their folders. Linear in the settings, times the packages.
pub fn check(facts: &ManifestFacts, packages: &[(String, String)]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for setting in facts.settings.iter().filter(|setting| is_key(setting)) {
        let path = &setting.location.path;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let Some((package, _)) = packages.iter().find(|(_, dir)| is_within(dir, folder)) else { continue };
        if findings.iter().any(|found| found.location.path == *path) {
            continue;
        }
        findings.push(Finding {
            rule: ID,
            item: ChecklistItem::KeyRotation,
            severity: Severity::Error,
            confidence: Confidence::High,
            persona: Persona::Regular,
            reason: "reporting because the key that seals private cookies is in a file of the repository, in a profile that is not for development alone".into(),
            package: package.clone(),
            symbol: format!("{package}::{}", setting.key),
            ty: None,
            message: "whoever reads the repository can make cookies of any user: the key is written into its configuration file".into(),
            location: setting.location.clone(),
            witness: vec![vec![Step::new(Role::Configured, "the key is set here", setting.location.clone())]],
            home: Some("secret store".into()),
            help: Some("take the key out of the file and give it as ROCKET_SECRET_KEY from a secret store".into()),
            related: Vec::new(),
        });
    }
    findings
}

fn is_key(setting: &Setting) -> bool {
    let file = setting.location.path.rsplit('/').next().unwrap_or_default();
    let profile = setting.key.strip_suffix(".secret_key");
    let given = setting.value.trim();
    file == "Rocket.toml"
        && profile.is_some_and(|profile| profile != DEVELOPMENT)
        && given.len() >= MIN_KEY
        && !given.contains(['$', '{', ' '])
}
