//! Kubernetes objects, gathered from all files and then joined: services to what they select,
//! ingresses to their services, autoscalers to their targets.

use std::rc::Rc;

use super::affinity;
use super::facts::{Affinity, Environment, Owner, PinKind, Replicas, Workload, WorkloadId, WorkloadKind};
use super::helm;
use super::pods;
use super::reader::{Collector, File, location};
use super::role;
use super::tree::{Entry, Node, walk};

pub struct Object {
    pub path: String,
    pub environment: Environment,
    /// The folder of the chart, for what comes from a template.
    pub chart: Option<String>,
    /// The values that the template's conditions ask for.
    pub gates: Vec<Vec<String>>,
    pub kind: String,
    /// As written, so that the same expression is the same name.
    pub name: String,
    pub node: Rc<Node>,
}

impl Object {
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

pub fn read(file: &File<'_>, document: &Rc<Node>, collector: &mut Collector) -> bool {
    add(file, document, None, &[], collector)
}

pub fn read_in_chart(file: &File<'_>, document: &Rc<Node>, chart: &str, gates: &[Vec<String>], collector: &mut Collector) -> bool {
    add(file, document, Some(chart), gates, collector)
}

fn add(file: &File<'_>, document: &Rc<Node>, chart: Option<&str>, gates: &[Vec<String>], collector: &mut Collector) -> bool {
    let Some(kind) = document.text_at(&["kind"]) else {
        return false;
    };
    if document.get("apiVersion").is_none() || matches!(kind, "Kustomization" | "Component") {
        return false;
    }
    if kind == "List" {
        for item in document.get("items").map_or(&[][..], |items| items.items()) {
            if item.text_at(&["kind"]) != Some("List") {
                add(file, item, chart, gates, collector);
            }
        }
        return true;
    }
    // It holds the schema of objects to come, and deploys none.
    if kind == "CustomResourceDefinition" {
        return true;
    }
    collector.facts.seen = true;
    collector.objects.push(Object {
        path: file.path.to_owned(),
        environment: file.environment,
        chart: chart.map(str::to_owned),
        gates: gates.to_vec(),
        kind: kind.to_owned(),
        name: document.text_at(&["metadata", "name"]).unwrap_or_default().to_owned(),
        node: Rc::clone(document),
    });
    true
}

pub fn join(collector: &mut Collector) {
    let objects = std::mem::take(&mut collector.objects);
    let ids = workloads(&objects, collector);
    for (object, id) in objects.iter().zip(&ids) {
        if let Some(id) = *id {
            counts(object, id, &objects, collector);
            pods::volumes(object, id, &objects, collector);
            pods::variables(object, id, collector);
        }
        if is_autoscaler(object) {
            autoscaler(object, &objects, &ids, collector);
        }
    }
    for object in &objects {
        affinities(object, &objects, &ids, collector);
    }
    collector.objects = objects;
}

/// A patch has no image: it speaks of the object of the same kind and name elsewhere.
fn workloads(objects: &[Object], collector: &mut Collector) -> Vec<Option<WorkloadId>> {
    let mut ids: Vec<Option<WorkloadId>> = objects
        .iter()
        .map(|object| {
            pods::is_workload(object)
                .then(|| pods::image(object, collector))
                .flatten()
                .map(|image| add_workload(object, Some(image), collector))
        })
        .collect();
    for index in 0..objects.len() {
        let Some(object) = objects.get(index).filter(|object| pods::is_workload(object)) else {
            continue;
        };
        if ids.get(index).copied().flatten().is_some() {
            continue;
        }
        let patched = objects
            .iter()
            .zip(&ids)
            .find(|(other, id)| id.is_some() && other.kind == object.kind && other.name == object.name)
            .and_then(|(_, id)| *id);
        let id = patched.unwrap_or_else(|| add_workload(object, None, collector));
        if let Some(slot) = ids.get_mut(index) {
            *slot = Some(id);
        }
    }
    ids
}

fn add_workload(object: &Object, image: Option<String>, collector: &mut Collector) -> WorkloadId {
    let name = helm::display_name(&object.name, object.chart.as_deref().map_or("", |chart| collector.chart_name(chart)));
    let span = object.node.entry("kind").map_or(object.node.span, Entry::span);
    collector.add_workload(Workload {
        owner: role::owner(&name, image.as_deref(), false),
        name,
        image,
        build: None,
        kind: match object.kind.as_str() {
            "StatefulSet" => WorkloadKind::StatefulSet,
            "Deployment" | "Rollout" | "DeploymentConfig" | "ReplicaSet" => WorkloadKind::Deployment,
            _ => WorkloadKind::OtherPod,
        },
        location: location(&object.path, span),
        environment: object.environment,
    })
}

/// Adds a count, or one for each values file where a template asks for it.
pub fn add_counts(
    object: &Object,
    entry: &Entry,
    kind: PinKind,
    id: WorkloadId,
    skip: &dyn Fn(&Collector, Option<&str>) -> bool,
    collector: &mut Collector,
) {
    let Some(text) = entry.text() else { return };
    let literal = |count| Replicas {
        workload: Some(id),
        count,
        kind,
        environment: object.environment,
        overridable: count.is_none(),
        key: entry.key.clone(),
        location: location(&object.path, entry.span()),
    };
    let mut found = Vec::new();
    match (&object.chart, text.trim().parse().ok()) {
        (Some(chart), None) => {
            for resolved in collector.resolve(chart, text) {
                if !skip(collector, Some(&resolved.location.path)) {
                    found.push(Replicas {
                        count: resolved.text.trim().parse().ok(),
                        environment: resolved.environment,
                        overridable: resolved.default,
                        location: resolved.location,
                        ..literal(None)
                    });
                }
            }
        }
        (_, count) => {
            if !skip(collector, None) {
                found.push(literal(count));
            }
        }
    }
    collector.facts.replicas.extend(found);
}

fn counts(object: &Object, id: WorkloadId, objects: &[Object], collector: &mut Collector) {
    let scaler = objects.iter().find(|other| is_autoscaler(other) && targets(other, object));
    let is_scaled = |collector: &Collector, values: Option<&str>| {
        scaler.is_some_and(|scaler| {
            let chart = scaler.chart.as_deref().unwrap_or_default();
            !collector.is_off(chart, &scaler.gates, values)
        })
    };
    if let Some(entry) = object.node.entry_at(&["spec", "replicas"]) {
        add_counts(object, entry, PinKind::Replicas, id, &is_scaled, collector);
    }
    let strategy = object.node.entry_at(&["spec", "strategy", "type"]);
    if let Some(entry) = strategy.filter(|entry| entry.text() == Some("Recreate")) {
        collector.facts.replicas.push(Replicas {
            workload: Some(id),
            count: Some(1),
            kind: PinKind::Recreate,
            environment: object.environment,
            overridable: false,
            key: "strategy".to_owned(),
            location: location(&object.path, entry.span()),
        });
    }
    let annotations = object.node.at(&["spec", "template", "metadata", "annotations"]);
    let own = object.node.at(&["metadata", "annotations"]);
    for (key, kind) in SCALES {
        if let Some(entry) = [annotations, own].into_iter().flatten().find_map(|annotations| annotations.entry(key)) {
            add_counts(object, entry, kind, id, &|_, _| false, collector);
        }
    }
}

/// Annotations by which Knative and Cloud Run are told how many instances there may be.
const SCALES: [(&str, PinKind); 6] = [
    ("autoscaling.knative.dev/minScale", PinKind::Minimum),
    ("autoscaling.knative.dev/min-scale", PinKind::Minimum),
    ("run.googleapis.com/minScale", PinKind::Minimum),
    ("autoscaling.knative.dev/maxScale", PinKind::Maximum),
    ("autoscaling.knative.dev/max-scale", PinKind::Maximum),
    ("run.googleapis.com/maxScale", PinKind::Maximum),
];

fn is_autoscaler(object: &Object) -> bool {
    matches!(object.kind.as_str(), "HorizontalPodAutoscaler" | "ScaledObject")
}

fn targets(scaler: &Object, object: &Object) -> bool {
    scaler.chart == object.chart
        && scaler.node.text_at(&["spec", "scaleTargetRef", "name"]) == Some(object.name.as_str())
        && pods::is_workload(object)
}

fn autoscaler(scaler: &Object, objects: &[Object], ids: &[Option<WorkloadId>], collector: &mut Collector) {
    let target = objects.iter().zip(ids).find(|(object, _)| targets(scaler, object));
    let Some(id) = target.and_then(|(_, id)| *id) else {
        return;
    };
    let chart = scaler.chart.as_deref().unwrap_or_default();
    for (key, kind) in [
        ("minReplicas", PinKind::Minimum),
        ("maxReplicas", PinKind::Maximum),
        ("minReplicaCount", PinKind::Minimum),
        ("maxReplicaCount", PinKind::Maximum),
    ] {
        if let Some(entry) = scaler.node.entry_at(&["spec", key]) {
            let off = |collector: &Collector, values: Option<&str>| collector.is_off(chart, &scaler.gates, values);
            add_counts(scaler, entry, kind, id, &off, collector);
        }
    }
}

fn affinities(object: &Object, objects: &[Object], ids: &[Option<WorkloadId>], collector: &mut Collector) {
    let hits = affinity::scan(&object.node);
    if hits.is_empty() {
        return;
    }
    let chart = object.chart.as_deref().map_or("", |chart| collector.chart_name(chart)).to_owned();
    let services = services_of(object);
    let found: Vec<WorkloadId> = services
        .iter()
        .filter_map(|name| objects.iter().find(|other| other.kind == "Service" && other.name == *name))
        .chain((object.kind == "Service").then_some(object))
        .filter_map(|service| selected(service, objects, ids))
        .collect();
    let own = found.iter().find(|id| collector.owner(**id) == Owner::OwnService);
    let workload = own.or_else(|| found.first()).copied();
    let names: Vec<String> = match services.is_empty() {
        true => vec![helm::display_name(&object.name, &chart)],
        false => services.iter().map(|name| helm::display_name(name, &chart)).collect(),
    };
    let foreign = match workload {
        Some(id) => collector.owner(id) == Owner::SomebodyElses,
        None => names.iter().all(|name| role::is_foreign_name(name)),
    };
    for hit in hits {
        collector.facts.affinities.push(Affinity {
            kind: hit.kind,
            workload,
            target: names.first().cloned(),
            owner: if foreign { Owner::SomebodyElses } else { Owner::OwnService },
            environment: object.environment,
            location: location(&object.path, hit.span),
            detail: hit.detail,
        });
    }
}

/// The services that an ingress, a route or a rule sends to.
fn services_of(object: &Object) -> Vec<String> {
    if object.kind == "Service" {
        return Vec::new();
    }
    let mut names = Vec::new();
    walk(&object.node, &mut Vec::new(), &mut |path, _, entry| {
        let parent = path.iter().rev().nth(1).copied().unwrap_or_default();
        let names_service = match entry.key.as_str() {
            "name" => matches!(parent, "service" | "services" | "backendRefs" | "targetRef" | "targetRefs"),
            "serviceName" | "host" => matches!(parent, "backend" | "spec" | "defaultBackend"),
            _ => false,
        };
        if let (true, Some(text)) = (names_service, entry.text()) {
            // A host inside the mesh starts with the service's name.
            let name = if entry.key == "host" && !text.contains('~') { text.split('.').next().unwrap_or(text) } else { text };
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    });
    names
}

/// The workload whose pods a service selects, the nearest one first.
fn selected(service: &Object, objects: &[Object], ids: &[Option<WorkloadId>]) -> Option<WorkloadId> {
    let selector = service.node.at(&["spec", "selector"])?;
    let mut candidates: Vec<(usize, WorkloadId)> = objects
        .iter()
        .zip(ids)
        .filter(|(object, _)| object.chart == service.chart && matches_selector(selector, object))
        .filter_map(|(object, id)| Some((shared_folders(service.folder(), object.folder()), (*id)?)))
        .collect();
    candidates.sort_by_key(|(shared, id)| (std::cmp::Reverse(*shared), *id));
    candidates.first().map(|(_, id)| *id)
}

fn matches_selector(selector: &Node, object: &Object) -> bool {
    let labels = object.node.at(&["spec", "template", "metadata", "labels"]);
    let plain = !selector.entries().is_empty()
        && selector.entries().iter().all(|wanted| labels.and_then(|labels| labels.text_at(&[&wanted.key])) == wanted.text());
    // Labels that a helper writes are not in the template: a chart with one workload has the answer.
    plain || selector.entries().is_empty() && object.chart.is_some() && pods::is_workload(object)
}

fn shared_folders(a: &str, b: &str) -> usize {
    a.split('/').zip(b.split('/')).take_while(|(a, b)| a == b).count()
}
