//! The data of `rules/catalog` that manifests are read with.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::facts::AffinityKind;

static IMAGES: LazyLock<BTreeMap<String, BTreeSet<String>>> =
    LazyLock::new(|| toml::from_str(include_str!("../../rules/catalog/images.toml")).unwrap_or_default());

static AFFINITY: LazyLock<Keys> = LazyLock::new(|| toml::from_str(include_str!("../../rules/catalog/affinity.toml")).unwrap_or_default());

#[derive(Deserialize, Default)]
struct Keys {
    key: Vec<AffinityKey>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AffinityKey {
    key: String,
    kind: KeyKind,
    #[serde(default)]
    only: Vec<String>,
    #[serde(default)]
    unless: Vec<String>,
    contains: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "kebab-case")]
enum KeyKind {
    ClientIp,
    IngressCookie,
    TraefikSticky,
    TargetGroup,
    Platform,
}

/// The names that an image itself can have.
pub fn is_known_image(name: &str) -> bool {
    IMAGES.iter().any(|(group, names)| !matches!(group.as_str(), "generic" | "sidecars") && names.contains(name))
}

/// What a name ends in that belongs to something beside the service it begins with.
pub fn is_sidecar(last: &str) -> bool {
    IMAGES.get("sidecars").is_some_and(|names| names.contains(last))
}

/// The names of what keeps data or watches: whatever is called after one of these goes with it.
pub fn is_known_family(name: &str) -> bool {
    ["databases", "caches", "brokers", "search", "observability"]
        .iter()
        .filter_map(|group| IMAGES.get(*group))
        .any(|names| names.contains(name))
}

/// The names that a workload without a telling image can have.
pub fn is_known_workload(name: &str) -> bool {
    IMAGES.values().any(|names| names.contains(name))
}

pub fn affinity_of(key: &str, value: &str) -> Option<AffinityKind> {
    let value = value.trim().to_ascii_lowercase();
    let begins = |list: &[String]| list.iter().any(|start| value.starts_with(start.as_str()));
    AFFINITY
        .key
        .iter()
        .find(|known| known.key == key)
        .filter(|known| known.only.is_empty() || begins(&known.only))
        .filter(|known| !value.is_empty() && !begins(&known.unless))
        .filter(|known| known.contains.as_ref().is_none_or(|part| value.contains(part.as_str())))
        .map(|known| match known.kind {
            KeyKind::ClientIp => AffinityKind::ClientIp,
            KeyKind::IngressCookie => AffinityKind::IngressCookie,
            KeyKind::TraefikSticky => AffinityKind::TraefikSticky,
            KeyKind::TargetGroup => AffinityKind::TargetGroup,
            KeyKind::Platform => AffinityKind::Platform,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalog that does not parse would silently know nothing.
    #[test]
    fn both_catalogs_parse() {
        assert!(is_known_image("postgres") && !is_known_image("db"));
        assert!(is_known_workload("db"));
        assert_eq!(affinity_of("sessionAffinity", "ClientIP"), Some(AffinityKind::ClientIp));
        assert_eq!(affinity_of("sessionAffinity", "None"), None);
    }
}
