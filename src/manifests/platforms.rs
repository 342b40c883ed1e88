//! Files of platforms that say how many instances run: Railway, Heroku, AWS Copilot, ECS services,
//! Azure's container apps, and Procfiles, which only say that something does.

use super::app_spec::count;
use super::build;
use super::facts::{Affinity, AffinityKind, Owner, PinKind, Workload, WorkloadId, WorkloadKind};
use super::reader::{Collector, File, file_name};
use super::role;
use super::tree::{Entry, Node, Span, is_true};

pub fn read(file: &File<'_>, root: &Node, collector: &mut Collector) -> bool {
    let name = file.name();
    if name.starts_with("railway.") {
        read_railway(file, root, collector);
    } else if root.get("formation").is_some_and(|formation| formation.is_map()) {
        read_formation(file, root, collector);
    } else if is_copilot(root) {
        read_copilot(file, root, collector);
    } else if root.get("desiredCount").is_some() && (root.get("serviceName").is_some() || root.get("taskDefinition").is_some()) {
        read_ecs_service(file, root, collector);
    } else if root.at(&["properties", "template", "containers"]).is_some() {
        read_container_app(file, root, collector);
    } else {
        return false;
    }
    true
}

fn add(file: &File<'_>, name: &str, image: Option<&str>, span: Span, collector: &mut Collector) -> WorkloadId {
    let built = image.is_none();
    collector.add_workload(Workload {
        name: name.to_owned(),
        owner: role::owner(name, image, built),
        image: image.map(str::to_owned),
        build: built.then(|| build::of_platform(file.folder(), None, None)),
        kind: WorkloadKind::Platform,
        location: file.location(span),
        environment: file.environment,
    })
}

/// `deploy.numReplicas`, and a number for each region.
fn read_railway(file: &File<'_>, root: &Node, collector: &mut Collector) {
    let folder = Some(file_name(file.folder())).filter(|name| !name.is_empty()).unwrap_or("railway");
    let id = add(file, folder, None, root.span, collector);
    if let (Some(path), Some(workload)) = (root.text_at(&["build", "dockerfilePath"]), collector.facts.workloads.last_mut()) {
        workload.build = Some(build::of_platform(file.folder(), None, Some(path)));
    }
    let regions = root.at(&["deploy", "multiRegionConfig"]).filter(|regions| !regions.entries().is_empty());
    match regions.map(Node::entries) {
        // Several regions are several instances, however many each one has.
        Some([only]) => count(file, only.value.entry("numReplicas"), PinKind::Replicas, id, collector),
        Some(_) => {}
        None => count(file, root.entry_at(&["deploy", "numReplicas"]), PinKind::Replicas, id, collector),
    }
}

/// `app.json`: how many dynos of each process a new app starts with.
fn read_formation(file: &File<'_>, root: &Node, collector: &mut Collector) {
    for process in root.get("formation").map_or(&[][..], |formation| formation.entries()) {
        let name = root.text_at(&["name"]).unwrap_or(&process.key);
        let name = if process.key == "web" { name } else { &process.key };
        let id = add(file, name, None, process.key_span, collector);
        count(file, process.value.entry("quantity"), PinKind::Replicas, id, collector);
    }
}

fn is_copilot(root: &Node) -> bool {
    root.text_at(&["type"]).is_some_and(|kind| {
        matches!(kind, "Load Balanced Web Service" | "Backend Service" | "Worker Service" | "Request-Driven Web Service")
    })
}

fn read_copilot(file: &File<'_>, root: &Node, collector: &mut Collector) {
    let name = root.text_at(&["name"]).unwrap_or("service");
    let span = root.entry("name").map_or(root.span, Entry::span);
    let id = add(file, name, root.text_at(&["image", "location"]), span, collector);
    if let (Some(dockerfile), Some(workload)) = (
        root.text_at(&["image", "build"]).or_else(|| root.text_at(&["image", "build", "dockerfile"])),
        collector.facts.workloads.last_mut(),
    ) {
        workload.build = Some(build::of_platform("", None, Some(dockerfile)));
    }
    let raised = root.get("environments").is_some_and(|all| all.entries().iter().any(|one| one.value.get("count").is_some()));
    if let Some(entry) = root.entry("count").filter(|entry| entry.text().is_some()) {
        count(file, Some(entry), PinKind::Replicas, id, collector);
        if let Some(last) = collector.facts.replicas.last_mut() {
            last.overridable = raised;
        }
    }
    for environment in root.get("environments").map_or(&[][..], |all| all.entries()) {
        count(file, environment.value.entry("count").filter(|entry| entry.text().is_some()), PinKind::Replicas, id, collector);
    }
    if let Some(entry) = root.entry_at(&["http", "stickiness"]).filter(|entry| entry.text().is_some_and(is_true)) {
        collector.facts.affinities.push(Affinity {
            kind: AffinityKind::TargetGroup,
            workload: Some(id),
            target: Some(name.to_owned()),
            owner: Owner::OwnService,
            environment: file.environment,
            location: file.location(entry.span()),
            detail: "stickiness: true".to_owned(),
        });
    }
}

/// The input of `create-service`, whose task definition is in another file.
fn read_ecs_service(file: &File<'_>, root: &Node, collector: &mut Collector) {
    let task = root.text_at(&["taskDefinition"]).map(|task| file_name(task).split(':').next().unwrap_or(task));
    let name = root.text_at(&["serviceName"]).or(task).unwrap_or("service");
    let known = task.and_then(|task| collector.workload_named(task));
    let span = root.entry("serviceName").map_or(root.span, Entry::span);
    let id = known.unwrap_or_else(|| {
        collector.add_workload(Workload {
            name: name.to_owned(),
            image: None,
            build: None,
            kind: WorkloadKind::EcsService,
            location: file.location(span),
            owner: role::owner(name, None, false),
            environment: file.environment,
        })
    });
    count(file, root.entry("desiredCount"), PinKind::Replicas, id, collector);
}

fn read_container_app(file: &File<'_>, root: &Node, collector: &mut Collector) {
    let containers = root.at(&["properties", "template", "containers"]).map_or(&[][..], Node::items);
    let image = containers.first().and_then(|container| container.text_at(&["image"]));
    let name = root.text_at(&["name"]).or_else(|| containers.first()?.text_at(&["name"])).unwrap_or("service");
    let id = add(file, name, image, root.entry("name").map_or(root.span, Entry::span), collector);
    let scale = root.at(&["properties", "template", "scale"]);
    count(file, scale.and_then(|scale| scale.entry("minReplicas")), PinKind::Minimum, id, collector);
    count(file, scale.and_then(|scale| scale.entry("maxReplicas")), PinKind::Maximum, id, collector);
    let sticky = root.entry_at(&["properties", "configuration", "ingress", "stickySessions", "affinity"]);
    if let Some(entry) = sticky.filter(|entry| entry.text() == Some("sticky")) {
        collector.add_platform_affinity(file, id, name, entry.span(), "affinity: sticky");
    }
}

/// A Procfile counts nothing: it is a manifest in which no instance is pinned.
pub fn read_procfile(file: &File<'_>, collector: &mut Collector) {
    for (index, line) in file.text.lines().enumerate() {
        let Some((process, command)) = line.split_once(':') else { continue };
        let is_name = !process.is_empty() && process.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if !is_name || process == "release" {
            continue;
        }
        let number = index as u32 + 1;
        let end = line.trim_end().chars().count() as u32 + 1;
        let span = Span { line: number, column: 1, end_line: number, end_column: end };
        let binary = command.split_whitespace().next().map_or(process, file_name);
        add(file, binary, None, span, collector);
    }
}
