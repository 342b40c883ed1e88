//! Platforms that run an image from one file: DigitalOcean, Render and Fly.

use super::build;
use super::facts::{PinKind, Replicas, Volume, VolumeKind, Workload, WorkloadId, WorkloadKind};
use super::reader::{Collector, File};
use super::role;
use super::settings;
use super::tree::{Entry, Node, Span};

/// DigitalOcean's `instance_count` and Render's `numInstances`, in lists of services.
pub fn read(file: &File<'_>, root: &Node, collector: &mut Collector) -> bool {
    let root = root.get("spec").map_or(root, |spec| spec.as_ref());
    let mut found = false;
    for list in ["services", "workers"] {
        for node in root.get(list).map_or(&[][..], |list| list.items()) {
            if is_service(node) {
                found = true;
                read_service(file, node, collector);
            }
        }
    }
    found
}

fn is_service(node: &Node) -> bool {
    const MARKS: [&str; 10] = [
        "instance_count",
        "instance_size_slug",
        "dockerfile_path",
        "source_dir",
        "http_port",
        "numInstances",
        "env",
        "runtime",
        "dockerfilePath",
        "plan",
    ];
    node.get("name").is_some() && MARKS.iter().any(|mark| node.get(mark).is_some())
}

fn read_service(file: &File<'_>, node: &Node, collector: &mut Collector) {
    let name = node.text_at(&["name"]).unwrap_or_default();
    let image = node.text_at(&["image", "repository"]).or_else(|| node.text_at(&["image", "url"]));
    let built = image.is_none()
        && ["dockerfile_path", "source_dir", "github", "gitlab", "git", "repo", "dockerfilePath", "buildCommand", "runtime", "env"]
            .iter()
            .any(|key| node.get(key).is_some());
    let folder = node.text_at(&["source_dir"]).or_else(|| node.text_at(&["rootDir"]));
    let dockerfile = node.text_at(&["dockerfile_path"]).or_else(|| node.text_at(&["dockerfilePath"]));
    let build = built.then(|| build::of_platform("", folder.map(|folder| folder.trim_start_matches('/')), dockerfile));
    let private = matches!(node.text_at(&["type"]), Some("redis" | "keyvalue"));
    let language = node.text_at(&["runtime"]).or_else(|| node.text_at(&["env"])).or_else(|| node.text_at(&["environment_slug"]));
    let foreign = language.is_some_and(|language| !matches!(language, "docker" | "image" | "rust"));
    let span = node.entry("name").map_or(node.span, Entry::span);
    let mut owner = role::owner(name, image, built);
    if private || foreign {
        owner = super::facts::Owner::SomebodyElses;
    }
    let id = collector.add_workload(Workload {
        name: name.to_owned(),
        image: image.map(str::to_owned),
        build,
        kind: WorkloadKind::AppService,
        location: file.location(span),
        owner,
        environment: file.environment,
    });
    let scaling = node.get("autoscaling").or_else(|| node.get("scaling"));
    match scaling {
        None => {
            for key in ["instance_count", "numInstances"] {
                count(file, node.entry(key), PinKind::Replicas, id, collector);
            }
        }
        Some(scaling) => {
            for (key, kind) in [
                ("min_instance_count", PinKind::Minimum),
                ("minInstances", PinKind::Minimum),
                ("max_instance_count", PinKind::Maximum),
                ("maxInstances", PinKind::Maximum),
            ] {
                count(file, scaling.entry(key), kind, id, collector);
            }
        }
    }
    if let Some(disk) = node.entry("disk") {
        let mount = disk.value.text_at(&["mountPath"]);
        machine_disk(file, disk.key_span, "disk", mount, id, collector);
    }
    for variables in [node.get("envs"), node.get("envVars")].into_iter().flatten() {
        settings::read_variables(file, variables, id, collector);
    }
}

pub fn count(file: &File<'_>, entry: Option<&Entry>, kind: PinKind, id: WorkloadId, collector: &mut Collector) {
    if let Some(entry) = entry {
        collector.facts.replicas.push(Replicas {
            workload: Some(id),
            count: entry.text().and_then(|text| text.trim().parse().ok()),
            kind,
            environment: file.environment,
            overridable: false,
            key: entry.key.clone(),
            location: file.location(entry.span()),
        });
    }
}

pub fn machine_disk(file: &File<'_>, span: Span, name: &str, mount: Option<&str>, id: WorkloadId, collector: &mut Collector) {
    collector.facts.volumes.push(Volume {
        workload: Some(id),
        kind: VolumeKind::MachineDisk,
        name: name.to_owned(),
        mount_path: mount.map(str::to_owned),
        read_only: false,
        environment: file.environment,
        location: file.location(span),
    });
}

/// `fly.toml`, by its name or by what only Fly writes.
pub fn read_fly(file: &File<'_>, root: &Node, collector: &mut Collector) -> bool {
    let name = file.name();
    let is_fly = (name.starts_with("fly.") || name.contains(".fly.")) || root.get("app").is_some() && root.get("primary_region").is_some();
    if !is_fly {
        return false;
    }
    let app = root.entry("app");
    let image = root.text_at(&["build", "image"]);
    let id = collector.add_workload(Workload {
        name: app.and_then(Entry::text).unwrap_or_default().to_owned(),
        image: image.map(str::to_owned),
        build: image.is_none().then(|| build::of_platform(file.folder(), None, root.text_at(&["build", "dockerfile"]))),
        kind: WorkloadKind::Platform,
        location: file.location(app.map_or(root.span, Entry::span)),
        owner: image.map_or(super::facts::Owner::OwnService, |image| role::owner("", Some(image), false)),
        environment: file.environment,
    });
    for section in ["http_service", "services"] {
        let Some(section) = root.get(section) else {
            continue;
        };
        let tables: Vec<&Node> =
            if section.is_map() { vec![section.as_ref()] } else { section.items().iter().map(|item| item.as_ref()).collect() };
        for table in tables {
            count(file, table.entry("min_machines_running"), PinKind::Minimum, id, collector);
        }
    }
    for key in ["mounts", "mount"] {
        let Some(entry) = root.entry(key) else {
            continue;
        };
        let single = entry.value.is_map().then_some(entry.value.as_ref());
        let tables = single.into_iter().chain(entry.value.items().iter().map(|item| item.as_ref()));
        for table in tables {
            let place = table.entry("source").or_else(|| table.entry("destination")).map_or(entry.key_span, Entry::span);
            let source = table.text_at(&["source"]).unwrap_or("mounts");
            machine_disk(file, place, source, table.text_at(&["destination"]), id, collector);
        }
    }
    if let Some(variables) = root.get("env") {
        settings::read_variables(file, variables, id, collector);
    }
    true
}
