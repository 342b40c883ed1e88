//! Whose state a workload holds: the service's, or that of something the service only uses.

use super::catalog;
use super::facts::Owner;

/// `None` and templated images say nothing; then the workload's name decides.
pub fn owner(name: &str, image: Option<&str>, built: bool) -> Owner {
    let foreign = match image.filter(|image| is_telling(Some(image))) {
        Some(image) => is_foreign_image(image),
        None if built => catalog::is_known_image(&name.to_ascii_lowercase()),
        None => is_foreign_name(name),
    };
    if foreign { Owner::SomebodyElses } else { Owner::OwnService }
}

/// Whether there is an image, and no template that leaves no repository to read.
pub fn is_telling(image: Option<&str>) -> bool {
    image.is_some_and(|image| !repository(image).is_empty())
}

/// Registry, tag and digest cut off; lower case. Empty where an expression stands.
pub fn repository(image: &str) -> String {
    let image = image.split('@').next().unwrap_or_default();
    if image.starts_with(['$', '~', '{']) {
        return String::new();
    }
    let (path, last) = image.rsplit_once('/').unwrap_or(("", image));
    let last = last.split([':', '$', '~', '{']).next().unwrap_or_default();
    let path = path.split('/').filter(|part| !part.contains(['.', ':', '$', '~', '{']) && *part != "localhost" && *part != "library");
    let mut parts: Vec<&str> = path.collect();
    if !last.is_empty() {
        parts.push(last);
    }
    parts.join("/").to_ascii_lowercase()
}

fn is_foreign_image(image: &str) -> bool {
    let repository = repository(image);
    let mut parts = repository.split('/').rev();
    let last = parts.next().unwrap_or_default();
    matches_name(last, catalog::is_known_image) || parts.any(catalog::is_known_image)
}

/// A workload, upstream or server by its name alone.
pub fn is_foreign_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    matches_name(name, catalog::is_known_workload)
}

/// A container by its name alone.
pub fn is_sidecar(name: &str) -> bool {
    catalog::is_sidecar(name.rsplit(['-', '_']).next().unwrap_or(name))
}

/// The whole name or its end after a `-`; its beginning too where that names a store or a
/// monitor, for an exporter or a console.
fn matches_name(name: &str, known: fn(&str) -> bool) -> bool {
    let bare = name.trim_end_matches(|c: char| c.is_ascii_digit());
    known(name)
        || known(bare)
        || name.char_indices().any(|(at, c)| {
            matches!(c, '-' | '_' | '.' | '~')
                && (name.get(..at).is_some_and(catalog::is_known_family)
                    || name.get(at + 1..).is_some_and(|rest| known(rest) || catalog::is_sidecar(rest)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_known_by_repository_not_by_registry_or_tag() {
        for image in [
            "postgres:16-alpine",
            "docker.io/library/redis@sha256:00",
            "bitnami/postgresql",
            "ghcr.io/acme/postgres-exporter:1",
            "localhost:5000/nginx",
            "prom/prometheus:v2",
            "acme/airflow-exporter:2",
            "acme/shop_metrics",
        ] {
            assert_eq!(owner("app", Some(image), false), Owner::SomebodyElses, "{image}");
        }
        for image in
            ["acme/shop:postgres", "redis.example.com/shop", "${IMAGE}", "shop", "acme/exporter", "acme/metrics", "acme/shop-metricsd"]
        {
            assert_eq!(owner("app", Some(image), false), Owner::OwnService, "{image}");
        }
    }

    #[test]
    fn a_name_decides_where_the_image_is_computed() {
        assert_eq!(owner("shop-db", None, false), Owner::SomebodyElses);
        assert_eq!(owner("~~.Release.Name~~-redis", Some("~~.Values.image~~"), false), Owner::SomebodyElses);
        assert_eq!(owner("shop-metrics", None, false), Owner::SomebodyElses);
        assert_eq!(owner("metrics", None, false), Owner::SomebodyElses);
        assert_eq!(owner("metrics", None, true), Owner::OwnService);
        assert_eq!(owner("shop", None, true), Owner::OwnService);
        assert_eq!(owner("db", None, true), Owner::OwnService);
        assert_eq!(owner("postgres", None, true), Owner::SomebodyElses);
    }
}
