//! What tools that put an image on servers are told: Kamal, steps of Cloud Build, App Engine.

use super::app_spec::count;
use super::build;
use super::facts::{PinKind, Replicas, Volume, VolumeKind, Workload, WorkloadId, WorkloadKind};
use super::reader::{Collector, File, file_name};
use super::role;
use super::settings;
use super::tree::{Entry, Node, Span, is_true};

pub fn read(file: &File<'_>, root: &Node, collector: &mut Collector) -> bool {
    if ["service", "image", "servers"].iter().all(|key| root.get(key).is_some()) {
        read_kamal(file, root, collector);
        return true;
    }
    if root.get("runtime").is_some() && ["manual_scaling", "automatic_scaling", "basic_scaling"].iter().any(|key| root.get(key).is_some()) {
        read_app_engine(file, root, collector);
        return true;
    }
    let steps = root.get("steps").map_or(&[][..], |steps| steps.items());
    let before = collector.facts.workloads.len();
    for arguments in steps.iter().filter_map(|step| step.get("args")) {
        read_command(file, arguments, collector);
    }
    collector.facts.workloads.len() > before
}

fn add(file: &File<'_>, name: &str, image: Option<&str>, folder: &str, span: Span, collector: &mut Collector) -> WorkloadId {
    collector.add_workload(Workload {
        name: name.to_owned(),
        owner: role::owner(name, image, image.is_none()),
        image: image.map(str::to_owned),
        build: image.is_none().then(|| build::of_platform(folder, None, None)),
        kind: WorkloadKind::Platform,
        location: file.location(span),
        environment: file.environment,
    })
}

/// `config/deploy.yml`: one container of the image on each host.
fn read_kamal(file: &File<'_>, root: &Node, collector: &mut Collector) {
    let name = root.text_at(&["service"]).unwrap_or_default();
    let span = root.entry("service").map_or(root.span, Entry::span);
    let id = add(file, name, root.text_at(&["image"]), "", span, collector);
    let hosts = |node: &Node| node.get("hosts").map_or_else(|| node.items().len(), |hosts| hosts.items().len());
    let servers = root.entry("servers");
    // The role `web` answers requests; the others are workers.
    let web = servers.and_then(|servers| servers.value.entry("web")).or(servers);
    if let Some((entry, hosts)) = web.map(|entry| (entry, hosts(&entry.value))).filter(|(_, hosts)| *hosts > 0) {
        collector.facts.replicas.push(Replicas {
            workload: Some(id),
            count: u32::try_from(hosts).ok(),
            kind: PinKind::Replicas,
            environment: file.environment,
            overridable: false,
            key: if hosts == 1 { "one host in servers".to_owned() } else { "servers".to_owned() },
            location: file.location(entry.key_span),
        });
    }
    for item in root.get("volumes").map_or(&[][..], |volumes| volumes.items()) {
        let mut parts = item.text().unwrap_or_default().split(':');
        if let (Some(source), Some(target)) = (parts.next(), parts.next()) {
            let bind = source.starts_with(['.', '/', '~']);
            collector.facts.volumes.push(Volume {
                workload: Some(id),
                kind: if bind { VolumeKind::Bind } else { VolumeKind::Named },
                name: source.to_owned(),
                mount_path: Some(target.to_owned()),
                read_only: parts.next() == Some("ro"),
                environment: file.environment,
                location: file.location(item.span),
            });
        }
    }
    if let Some(variables) = root.at(&["env", "clear"]) {
        settings::read_variables(file, variables, id, collector);
    }
}

/// `app.yaml` of App Engine.
fn read_app_engine(file: &File<'_>, root: &Node, collector: &mut Collector) {
    let folder = file.folder().to_owned();
    let name = root.text_at(&["service"]).unwrap_or_else(|| if folder.is_empty() { "default" } else { file_name(&folder) });
    let language = root.text_at(&["runtime"]).unwrap_or_default();
    let span = root.entry("runtime").map_or(root.span, Entry::span);
    // A runtime with a name runs no Rust.
    if language != "custom" {
        collector.facts.seen = true;
        return;
    }
    let id = add(file, name, None, &folder, span, collector);
    for (path, kind) in [
        (["manual_scaling", "instances"], PinKind::Replicas),
        (["automatic_scaling", "min_num_instances"], PinKind::Minimum),
        (["automatic_scaling", "max_num_instances"], PinKind::Maximum),
        (["automatic_scaling", "min_instances"], PinKind::Minimum),
        (["automatic_scaling", "max_instances"], PinKind::Maximum),
        (["basic_scaling", "max_instances"], PinKind::Maximum),
    ] {
        count(file, root.entry_at(&path), kind, id, collector);
    }
    if let Some(entry) = root.entry_at(&["network", "session_affinity"]).filter(|entry| entry.text().is_some_and(is_true)) {
        collector.add_platform_affinity(file, id, name, entry.span(), "session_affinity: true");
    }
    if let Some(variables) = root.get("env_variables") {
        settings::read_variables(file, variables, id, collector);
    }
}

/// `gcloud run deploy shop --max-instances 1`, as a list of arguments or in the text of a script.
fn read_command(file: &File<'_>, arguments: &Node, collector: &mut Collector) {
    let mut words: Vec<(&str, Span)> = Vec::new();
    for item in arguments.items() {
        words.extend(item.text().unwrap_or_default().split_whitespace().map(|word| (word.trim_matches(['"', '\'', '\\']), item.span)));
    }
    let Some(at) = words.windows(2).position(|pair| matches!(pair, [("run", _), ("deploy", _)])) else { return };
    let rest = words.get(at + 2..).unwrap_or_default();
    let flag = |name: &str| {
        rest.iter().enumerate().find_map(|(index, (word, span))| {
            let after = word.strip_prefix(name)?;
            let value = match after.strip_prefix('=') {
                Some(value) => value,
                None if after.is_empty() => rest.get(index + 1).map_or("", |(next, _)| *next),
                None => return None,
            };
            Some((value, *span))
        })
    };
    let Some(&(name, span)) = rest.first().filter(|(word, _)| !word.starts_with('-')) else { return };
    let image = flag("--image").map(|(image, _)| image);
    let id = add(file, name, image, "", span, collector);
    for (key, kind) in [("--min-instances", PinKind::Minimum), ("--max-instances", PinKind::Maximum)] {
        if let Some((value, span)) = flag(key) {
            collector.facts.replicas.push(Replicas {
                workload: Some(id),
                count: value.parse().ok(),
                kind,
                environment: file.environment,
                overridable: value.contains('$'),
                key: key.to_owned(),
                location: file.location(span),
            });
        }
    }
    if let Some(&(_, span)) = rest.iter().find(|(word, _)| *word == "--session-affinity") {
        collector.add_platform_affinity(file, id, name, span, "--session-affinity");
    }
}
