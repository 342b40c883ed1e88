//! Kustomize overlays: what a base says of replicas is a default where an overlay says otherwise.

use std::rc::Rc;

use super::facts::{Environment, PinKind, Replicas};
use super::reader::{Collector, File};
use super::tree::{Node, Span};
use super::yaml;
use crate::finding::Location;

/// A count that a kustomization sets for a workload by its name.
pub struct Overlay {
    pub name: String,
    pub count: Option<u32>,
    pub environment: Environment,
    pub location: Location,
}

pub fn read(file: &File<'_>, root: &Rc<Node>, collector: &mut Collector) -> bool {
    let is_kustomization =
        file.name().starts_with("kustomization.") || matches!(root.text_at(&["kind"]), Some("Kustomization" | "Component"));
    if !is_kustomization {
        return false;
    }
    collector.facts.seen = true;
    for item in root.get("replicas").map_or(&[][..], |replicas| replicas.items()) {
        if let (Some(name), Some(count)) = (item.text_at(&["name"]), item.entry("count")) {
            collector.overlays.push(Overlay {
                name: name.to_owned(),
                count: count.text().and_then(|text| text.parse().ok()),
                environment: file.environment,
                location: file.location(count.span()),
            });
        }
    }
    for list in ["patches", "patchesJson6902", "patchesStrategicMerge"] {
        for patch in root.get(list).map_or(&[][..], |patches| patches.items()) {
            let inline = patch.entry("patch").map(|entry| entry.value.as_ref());
            if let Some(text) = inline.or(Some(patch.as_ref())).filter(|node| node.text().is_some()) {
                read_patch(file, patch.text_at(&["target", "name"]), text, collector);
            }
        }
    }
    true
}

/// An inline patch is YAML inside a block scalar, whose text begins on the line after its mark.
fn read_patch(file: &File<'_>, target: Option<&str>, node: &Node, collector: &mut Collector) {
    let text = node.text().unwrap_or_default();
    let place = |span: Span| Span { line: node.span.line + span.line, end_line: node.span.line + span.end_line, ..span };
    for document in yaml::parse(text).0 {
        let strategic = document.entry_at(&["spec", "replicas"]);
        let name = document.text_at(&["metadata", "name"]).or(target);
        let operations = document.items().iter().filter(|operation| {
            operation.text_at(&["path"]) == Some("/spec/replicas") && matches!(operation.text_at(&["op"]), Some("replace" | "add"))
        });
        for entry in operations.filter_map(|operation| operation.entry("value")).chain(strategic) {
            collector.overlays.push(Overlay {
                name: name.unwrap_or_default().to_owned(),
                count: entry.text().and_then(|text| text.parse().ok()),
                environment: file.environment,
                location: file.location(place(entry.span())),
            });
        }
    }
}

/// A patch in a file of its own is an object that shares its workload with the base's.
pub fn join(collector: &mut Collector) {
    for overlay in std::mem::take(&mut collector.overlays) {
        let workload = collector.workload_named(&overlay.name);
        collector.facts.replicas.push(Replicas {
            workload,
            count: overlay.count,
            kind: PinKind::Replicas,
            environment: overlay.environment,
            overridable: false,
            key: "replicas".to_owned(),
            location: overlay.location,
        });
    }
    mark_overridden(&mut collector.facts.replicas);
}

/// Of several counts for one workload, one in another file with more instances, and not only for
/// development, makes the single one a default.
fn mark_overridden(replicas: &mut [Replicas]) {
    let raised: Vec<_> = replicas
        .iter()
        .filter(|other| other.environment != Environment::Development)
        .filter(|other| other.kind == PinKind::Replicas && other.count.is_some_and(|count| count > 1))
        .map(|other| (other.workload, other.location.path.clone()))
        .collect();
    for pin in replicas.iter_mut().filter(|pin| pin.kind == PinKind::Replicas && pin.workload.is_some()) {
        let is_raised = raised.iter().any(|(workload, path)| *workload == pin.workload && *path != pin.location.path);
        if is_raised && pin.environment != Environment::Production {
            pin.overridable = true;
        }
    }
}
