//! Terraform and OpenTofu resources, and Nomad jobs.

use super::app_spec::{count, machine_disk};
use super::cloudformation;
use super::facts::{PinKind, Replicas, Workload, WorkloadId, WorkloadKind};
use super::reader::{Collector, File};
use super::role;
use super::tree::{Entry, Node};

/// Counts that are variables, and what the files of the same folder set these to.
#[derive(Default)]
pub struct Variables {
    /// Folder, name, and the value with its place, as a count without a workload.
    values: Vec<(String, String, Replicas)>,
    /// Folder, name, and the count that waits for it.
    waiting: Vec<(String, String, Replicas)>,
}

/// Resources that say how many instances run: the keys that lead to the count, and what it is.
const COUNTS: [(&str, &[&str], PinKind); 16] = [
    ("aws_ecs_service", &["desired_count"], PinKind::Replicas),
    ("aws_autoscaling_group", &["max_size"], PinKind::Maximum),
    ("aws_apprunner_auto_scaling_configuration_version", &["max_size"], PinKind::Maximum),
    ("google_cloud_run_v2_service", &["template", "scaling", "max_instance_count"], PinKind::Maximum),
    ("google_cloud_run_v2_service", &["template", "scaling", "min_instance_count"], PinKind::Minimum),
    ("google_compute_instance_group_manager", &["target_size"], PinKind::Replicas),
    ("google_compute_region_instance_group_manager", &["target_size"], PinKind::Replicas),
    ("azurerm_container_app", &["template", "max_replicas"], PinKind::Maximum),
    ("azurerm_container_app", &["template", "min_replicas"], PinKind::Minimum),
    ("digitalocean_app", &["spec", "service", "instance_count"], PinKind::Replicas),
    ("kubernetes_deployment", &["spec", "replicas"], PinKind::Replicas),
    ("kubernetes_deployment_v1", &["spec", "replicas"], PinKind::Replicas),
    ("kubernetes_stateful_set", &["spec", "replicas"], PinKind::Replicas),
    ("kubernetes_stateful_set_v1", &["spec", "replicas"], PinKind::Replicas),
    ("heroku_formation", &["quantity"], PinKind::Replicas),
    ("scaleway_container", &["max_scale"], PinKind::Maximum),
];

pub fn read(file: &File<'_>, root: &Node, collector: &mut Collector) {
    let scaled = root
        .entries()
        .iter()
        .any(|entry| entry.key.starts_with("resource aws_appautoscaling_target ") && entry.value.text_at(&["max_capacity"]) != Some("1"));
    for entry in root.entries() {
        let mut words = entry.key.split(' ');
        match (words.next(), words.next(), words.next()) {
            (Some("resource"), Some(kind), Some(name)) => {
                collector.facts.seen = true;
                read_resource(file, root, entry, kind, name, scaled, collector);
            }
            (Some("job"), Some(name), None) => read_job(file, entry, name, collector),
            (Some("module"), Some(name), None) => read_module(file, entry, name, collector),
            (Some("variable"), Some(name), None) => {
                if let Some(default) = entry.value.entry("default") {
                    add_value(file, name, default, true, collector);
                }
            }
            _ => {}
        }
    }
    collector.add_affinities(file, root, |path| path.first()?.split(' ').nth(2).map(str::to_owned));
}

fn read_resource(file: &File<'_>, root: &Node, entry: &Entry, kind: &str, name: &str, scaled: bool, collector: &mut Collector) {
    let node = entry.value.as_ref();
    if kind == "aws_ecs_task_definition" {
        if collector.workload_named(name).is_none() {
            cloudformation_task(file, entry, name, collector);
        }
        return;
    }
    let counts: Vec<_> = COUNTS.iter().filter(|(resource, ..)| *resource == kind).collect();
    if counts.is_empty() {
        return;
    }
    let image = image_of(root, node);
    let id = collector.add_workload(Workload {
        name: name.to_owned(),
        owner: role::owner(name, image.as_deref(), false),
        image,
        build: None,
        kind: WorkloadKind::Platform,
        location: file.location(entry.key_span),
        environment: file.environment,
    });
    for (_, path, pin) in counts {
        if !(scaled && kind == "aws_ecs_service") {
            add_count(file, node.entry_at(path), *pin, id, collector);
        }
    }
}

fn cloudformation_task(file: &File<'_>, entry: &Entry, name: &str, collector: &mut Collector) {
    let node = entry.value.as_ref();
    let renamed = node.get("container_definitions").map(|definitions| {
        let renamed = Entry { key: "containerDefinitions".to_owned(), key_span: definitions.span, value: std::rc::Rc::clone(definitions) };
        Node::map(vec![renamed], node.span)
    });
    let task = renamed.as_deref().unwrap_or(node);
    cloudformation::read_task(file, task, name, entry.key_span, collector);
}

/// The image in the resource itself, or in the task definition that it names.
fn image_of(root: &Node, node: &Node) -> Option<String> {
    let inner: [&[&str]; 4] = [
        &["template", "containers", "image"],
        &["template", "container", "image"],
        &["spec", "template", "spec", "container", "image"],
        &["spec", "service", "image", "repository"],
    ];
    if let Some(image) = inner.iter().find_map(|path| node.text_at(path)) {
        return Some(image.to_owned());
    }
    let task = node.text_at(&["task_definition"])?;
    let task = task.strip_prefix("aws_ecs_task_definition.")?.split('.').next()?;
    let definitions = root.at(&[&format!("resource aws_ecs_task_definition {task}"), "container_definitions"])?;
    let image = definitions.items().first()?.text_at(&["image"])?;
    Some(image.to_owned())
}

/// A Nomad job: each group has a count of its own.
fn read_job(file: &File<'_>, job: &Entry, name: &str, collector: &mut Collector) {
    for group in job.value.entries().iter().filter(|entry| entry.key.starts_with("group ")) {
        let task = group.value.entries().iter().find(|entry| entry.key.starts_with("task "));
        let image = task.and_then(|task| task.value.text_at(&["config", "image"]));
        let group_name = group.key.split(' ').nth(1).unwrap_or(name);
        let id = collector.add_workload(Workload {
            name: group_name.to_owned(),
            owner: role::owner(group_name, image, false),
            image: image.map(str::to_owned),
            build: None,
            kind: WorkloadKind::Platform,
            location: file.location(group.key_span),
            environment: file.environment,
        });
        if group.value.get("scaling").is_none() {
            add_count(file, group.value.entry("count"), PinKind::Replicas, id, collector);
        }
        for volume in group.value.entries().iter().filter(|entry| entry.key.starts_with("volume ")) {
            let mode = volume.value.text_at(&["access_mode"]).unwrap_or("single-node-writer");
            if mode == "single-node-writer" && volume.value.text_at(&["read_only"]) != Some("true") {
                let source = volume.value.text_at(&["source"]).unwrap_or("volume");
                machine_disk(file, volume.key_span, source, None, id, collector);
            }
        }
    }
}

/// A module that takes the count of an ECS service, as the published ones do.
fn read_module(file: &File<'_>, module: &Entry, name: &str, collector: &mut Collector) {
    let Some(entry) = module.value.entry("desired_count") else { return };
    let id = collector.add_workload(Workload {
        name: name.to_owned(),
        image: None,
        build: None,
        kind: WorkloadKind::EcsService,
        location: file.location(module.key_span),
        owner: role::owner(name, None, false),
        environment: file.environment,
    });
    if module.value.get("autoscaling_max_capacity").is_none_or(|most| most.text() == Some("1")) {
        add_count(file, Some(entry), PinKind::Replicas, id, collector);
    }
}

/// A number, or a variable that another file of the folder may set.
fn add_count(file: &File<'_>, entry: Option<&Entry>, kind: PinKind, id: WorkloadId, collector: &mut Collector) {
    let before = collector.facts.replicas.len();
    count(file, entry, kind, id, collector);
    let variable = entry.and_then(Entry::text).and_then(|text| text.strip_prefix("var."));
    if let (Some(name), true) = (variable, collector.facts.replicas.len() > before)
        && let Some(replicas) = collector.facts.replicas.pop()
    {
        collector.variables.waiting.push((file.folder().to_owned(), name.to_owned(), replicas));
    }
}

fn add_value(file: &File<'_>, name: &str, entry: &Entry, default: bool, collector: &mut Collector) {
    let value = Replicas {
        workload: None,
        count: entry.text().and_then(|text| text.parse().ok()),
        kind: PinKind::Replicas,
        environment: file.environment,
        overridable: default,
        key: name.to_owned(),
        location: file.location(entry.span()),
    };
    collector.variables.values.push((file.folder().to_owned(), name.to_owned(), value));
}

/// A `.tfvars` file: what variables are set to for one environment.
pub fn read_values(file: &File<'_>, root: &Node, collector: &mut Collector) {
    for entry in root.entries().iter().filter(|entry| entry.text().is_some()) {
        add_value(file, &entry.key, entry, false, collector);
    }
}

/// Each value that a variable has is a count of its own: the default, and one for each environment.
pub fn join(collector: &mut Collector) {
    let variables = std::mem::take(&mut collector.variables);
    for (folder, name, waiting) in variables.waiting {
        let values = variables.values.iter().filter(|(place, key, value)| {
            // Values for an environment often lie in a folder below.
            let near = *place == folder || !value.overridable && place.strip_prefix(&folder).is_some_and(|rest| rest.starts_with('/'));
            near && *key == name && value.count.is_some()
        });
        let found: Vec<Replicas> =
            values.map(|(.., value)| Replicas { workload: waiting.workload, kind: waiting.kind, ..value.clone() }).collect();
        match found.is_empty() {
            true => collector.facts.replicas.push(waiting),
            false => collector.facts.replicas.extend(found),
        }
    }
}
