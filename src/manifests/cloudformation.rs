//! CloudFormation templates and ECS task definitions, in YAML and JSON.

use super::app_spec::count;
use super::facts::{Owner, PinKind, Volume, VolumeKind, Workload, WorkloadId, WorkloadKind};
use super::reader::{Collector, File};
use super::role;
use super::settings;
use super::tree::{Entry, Node};

pub fn read(file: &File<'_>, root: &Node, collector: &mut Collector) -> bool {
    if root.get("containerDefinitions").is_some() {
        let name = root.text_at(&["family"]).unwrap_or("task");
        let span = root.entry("family").map_or(root.span, Entry::span);
        read_task(file, root, name, span, collector);
        return true;
    }
    let Some(resources) = root.get("Resources").filter(|resources| is_stack(resources)) else {
        return false;
    };
    for resource in resources.entries() {
        let properties = resource.value.get("Properties");
        if resource.value.text_at(&["Type"]) == Some("AWS::ECS::TaskDefinition")
            && let Some(properties) = properties
        {
            read_task(file, properties, &resource.key, resource.key_span, collector);
        }
    }
    for resource in resources.entries() {
        let Some(properties) = resource.value.get("Properties") else {
            continue;
        };
        match resource.value.text_at(&["Type"]).unwrap_or_default() {
            "AWS::ECS::Service" => read_service(file, resources, resource, properties, collector),
            "AWS::AutoScaling::AutoScalingGroup" => {
                let id = unknown_workload(file, resource, collector);
                count(file, properties.entry("MaxSize"), PinKind::Maximum, id, collector);
            }
            "AWS::AppRunner::AutoScalingConfiguration" => {
                let id = unknown_workload(file, resource, collector);
                count(file, properties.entry("MaxSize"), PinKind::Maximum, id, collector);
            }
            _ => {}
        }
    }
    collector.facts.seen = true;
    collector.add_affinities(file, resources, |path| path.first().cloned());
    true
}

fn is_stack(resources: &Node) -> bool {
    resources.entries().iter().any(|resource| {
        let kind = resource.value.text_at(&["Type"]).unwrap_or_default();
        kind.starts_with("AWS::")
    })
}

fn unknown_workload(file: &File<'_>, resource: &Entry, collector: &mut Collector) -> WorkloadId {
    collector.add_workload(Workload {
        name: resource.key.clone(),
        image: None,
        build: None,
        kind: WorkloadKind::Platform,
        location: file.location(resource.key_span),
        owner: role::owner(&resource.key, None, false),
        environment: file.environment,
    })
}

/// The service's pins go to the workload of its task definition, if that is in the same file.
fn read_service(file: &File<'_>, resources: &Node, resource: &Entry, properties: &Node, collector: &mut Collector) {
    let task = properties.get("TaskDefinition").and_then(|task| task.text().or_else(|| task.text_at(&["Ref"])));
    let task = task.and_then(|name| collector.workload_named(name));
    let id = task.unwrap_or_else(|| unknown_workload(file, resource, collector));
    let scaled = resources.entries().iter().any(|other| {
        other.value.text_at(&["Type"]) == Some("AWS::ApplicationAutoScaling::ScalableTarget")
            && other.value.text_at(&["Properties", "MaxCapacity"]) != Some("1")
    });
    if !scaled {
        count(file, properties.entry("DesiredCount"), PinKind::Replicas, id, collector);
    }
}

/// Keys are in lower camel case in task definitions and in upper camel case in templates.
pub fn read_task(file: &File<'_>, task: &Node, name: &str, span: super::tree::Span, collector: &mut Collector) -> WorkloadId {
    let get = |node: &Node, lower: &str, upper: &str| node.get(lower).or_else(|| node.get(upper)).cloned();
    let containers = get(task, "containerDefinitions", "ContainerDefinitions");
    let containers = containers.as_ref().map_or(&[][..], |list| list.items());
    let images: Vec<String> =
        containers.iter().filter_map(|container| get(container, "image", "Image")?.text().map(str::to_owned)).collect();
    let own = images.iter().find(|image| role::owner(name, Some(image), false) == Owner::OwnService);
    let image = own.or_else(|| images.first()).cloned();
    let id = collector.add_workload(Workload {
        name: name.to_owned(),
        owner: role::owner(name, image.as_deref(), false),
        image,
        build: None,
        kind: WorkloadKind::EcsService,
        location: file.location(span),
        environment: file.environment,
    });
    for container in containers {
        if let Some(variables) = get(container, "environment", "Environment") {
            settings::read_variables(file, &variables, id, collector);
        }
    }
    for volume in get(task, "volumes", "Volumes").as_ref().map_or(&[][..], |list| list.items()) {
        let host = volume.entry("host").or_else(|| volume.entry("Host"));
        let Some(path) = host.and_then(|host| host.value.entry("sourcePath").or_else(|| host.value.entry("SourcePath"))) else {
            continue;
        };
        collector.facts.volumes.push(Volume {
            workload: Some(id),
            kind: VolumeKind::HostPath,
            name: path.text().unwrap_or_default().to_owned(),
            mount_path: None,
            read_only: false,
            environment: file.environment,
            location: file.location(path.span()),
        });
    }
    id
}
