//! docker compose and swarm files.

use super::build;
use super::catalog;
use super::facts::{Affinity, AffinityKind, Environment, PinKind, Replicas, Volume, VolumeKind, Workload, WorkloadId, WorkloadKind};
use super::reader::{Collector, File};
use super::role;
use super::settings;
use super::tree::{Entry, Node, Span};

pub fn read(file: &File<'_>, root: &Node, collector: &mut Collector) -> bool {
    let Some(services) = root.get("services").filter(|services| services.is_map()) else {
        return false;
    };
    let is_compose = file.name().contains("compose")
        || services.entries().iter().any(|service| service.value.get("image").is_some() || service.value.get("build").is_some());
    if is_compose {
        for service in services.entries().iter().filter(|entry| entry.value.is_map()) {
            read_service(file, root, service, collector);
        }
    }
    is_compose
}

fn read_service(file: &File<'_>, root: &Node, service: &Entry, collector: &mut Collector) {
    let node = service.value.as_ref();
    let image = node.text_at(&["image"]);
    let build = node.get("build").map(|build| build::of_compose(file, build));
    let owner = role::owner(&service.key, image, build.is_some());
    let environment = if mounts_source(node) { Environment::Development } else { file.environment };
    let id = collector.add_workload(Workload {
        name: service.key.clone(),
        image: image.map(str::to_owned),
        build,
        kind: WorkloadKind::ComposeService,
        location: file.location(service.key_span),
        owner,
        environment,
    });
    read_counts(file, node, id, environment, collector);
    for item in node.get("volumes").map_or(&[][..], |volumes| volumes.items()) {
        if let Some(mut volume) = read_volume(file, root, item) {
            volume.workload = Some(id);
            volume.environment = environment;
            collector.facts.volumes.push(volume);
        }
    }
    for labels in [node.get("labels").map(|n| n.as_ref()), node.at(&["deploy", "labels"])] {
        let Some(labels) = labels else { continue };
        for (key, value, span) in label_pairs(labels) {
            let sticky = catalog::affinity_of(key, value).or_else(|| traefik_sticky(key, value)).or_else(|| caddy_policy(key, value));
            if let Some(kind) = sticky {
                collector.facts.affinities.push(Affinity {
                    kind,
                    workload: Some(id),
                    target: Some(service.key.clone()),
                    owner,
                    environment,
                    location: file.location(span),
                    detail: format!("{key}={value}"),
                });
            }
        }
    }
    if let Some(variables) = node.get("environment") {
        settings::read_variables(file, variables, id, collector);
    }
}

fn label_pairs(labels: &Node) -> Vec<(&str, &str, Span)> {
    let items = labels.items().iter().filter_map(|item| {
        let (key, value) = item.text()?.split_once('=')?;
        Some((key, value, item.span))
    });
    let entries = labels.entries().iter().filter_map(|entry| Some((entry.key.as_str(), entry.text()?, entry.span())));
    items.chain(entries).collect()
}

/// Labels by which docker proxies are told: `caddy.reverse_proxy.lb_policy`.
fn caddy_policy(key: &str, value: &str) -> Option<AffinityKind> {
    let by = value.split_whitespace().next().unwrap_or_default();
    let by_client = matches!(by, "cookie" | "ip_hash" | "client_ip_hash" | "header");
    (key.starts_with("caddy") && key.ends_with("lb_policy") && by_client).then_some(AffinityKind::CaddyPolicy)
}

fn traefik_sticky(key: &str, value: &str) -> Option<AffinityKind> {
    let lower = key.to_ascii_lowercase();
    let sticky = lower.starts_with("traefik.http.services.")
        && (lower.ends_with(".loadbalancer.sticky.cookie")
            || lower.ends_with(".loadbalancer.sticky")
            || lower.ends_with(".loadbalancer.sticky.cookie.name"))
        && !value.trim().eq_ignore_ascii_case("false");
    sticky.then_some(AffinityKind::TraefikSticky)
}

fn read_counts(file: &File<'_>, node: &Node, id: WorkloadId, environment: Environment, collector: &mut Collector) {
    let counted = [node.entry_at(&["deploy", "replicas"]), node.entry("scale")];
    let mut add = |entry: &Entry, count, overridable, kind| {
        collector.facts.replicas.push(Replicas {
            workload: Some(id),
            count,
            kind,
            environment,
            overridable,
            key: entry.key.clone(),
            location: file.location(entry.span()),
        });
    };
    if node.text_at(&["deploy", "mode"]) != Some("global") {
        for entry in counted.into_iter().flatten() {
            let text = entry.text().unwrap_or_default();
            add(entry, count(text), text.contains('$'), PinKind::Replicas);
        }
    }
    if let Some(entry) = node.entry("container_name") {
        add(entry, Some(1), false, PinKind::ContainerName);
    }
}

/// `3`, or the default of `${REPLICAS:-3}`.
fn count(text: &str) -> Option<u32> {
    let text = text.trim();
    let default =
        text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')).and_then(|rest| rest.split_once('-')).map(|(_, default)| default);
    default.unwrap_or(text).trim().parse().ok()
}

/// The tree that the image is built from is mounted over it: nobody deploys that.
fn mounts_source(node: &Node) -> bool {
    let built = node.get("build").is_some();
    let volumes = node.get("volumes").map_or(&[][..], |volumes| volumes.items());
    built
        && volumes.iter().any(|item| {
            let source = item.text().and_then(|text| text.split(':').next()).or_else(|| item.text_at(&["source"])).unwrap_or_default();
            let source = source.trim_end_matches('/');
            matches!(source, "." | ".." | "${PWD}" | "$PWD") || source.ends_with("/src") || source.ends_with("Cargo.toml")
        })
}

fn read_volume(file: &File<'_>, root: &Node, item: &Node) -> Option<Volume> {
    let (source, target, mode, span) = match item.text() {
        Some(text) => {
            let mut parts = split_mount(text).into_iter();
            let first = parts.next()?;
            match parts.next() {
                Some(target) => (first, Some(target), parts.next().unwrap_or_default(), item.span),
                // A volume without a name is made anew for each container.
                None => return None,
            }
        }
        None => {
            let source = item.text_at(&["source"]).unwrap_or_default().to_owned();
            let target = item.text_at(&["target"]).map(str::to_owned);
            let read_only = item.text_at(&["read_only"]).is_some_and(super::tree::is_true);
            if item.text_at(&["type"]) == Some("tmpfs") {
                return None;
            }
            let entry = item.entry("source")?;
            let mode = if read_only { "ro" } else { "" };
            (source, target, mode.to_owned(), entry.span())
        }
    };
    let is_path = source.starts_with(['.', '/', '~']) || source.contains('/') || source.starts_with('$');
    // A volume with a driver of its own may well be shared between hosts.
    let driver = root.text_at(&["volumes", &source, "driver"]);
    if !is_path && driver.is_some_and(|driver| driver != "local") {
        return None;
    }
    Some(Volume {
        workload: None,
        kind: if is_path { VolumeKind::Bind } else { VolumeKind::Named },
        name: source,
        mount_path: target,
        read_only: mode.split(',').any(|option| option == "ro"),
        environment: file.environment,
        location: file.location(span),
    })
}

/// `source:target:mode`, where the source may be `${VAR:-default}`.
fn split_mount(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut braces = 0_usize;
    for c in text.chars() {
        match c {
            '{' => braces += 1,
            '}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        if c == ':' && braces == 0 {
            parts.push(String::new());
        } else if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}
