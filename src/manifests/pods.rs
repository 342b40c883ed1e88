//! What runs pods: images, claims and other volumes, environment variables.

use super::facts::{Environment, Owner, Volume, VolumeKind, WorkloadId};
use super::kubernetes::Object;
use super::reader::{Collector, File, location};
use super::role;
use super::settings;
use super::tree::{Entry, Node, is_true};

pub fn is_workload(object: &Object) -> bool {
    match object.kind.as_str() {
        "Deployment" | "StatefulSet" | "ReplicaSet" | "Rollout" | "DeploymentConfig" | "Pod" => true,
        // Knative's and Cloud Run's services carry their containers themselves.
        "Service" => object.node.at(&["spec", "template", "spec"]).is_some(),
        _ => false,
    }
}

fn pod_spec(object: &Object) -> Option<&Node> {
    if object.kind == "Pod" { object.node.at(&["spec"]) } else { object.node.at(&["spec", "template", "spec"]) }
}

/// The image of the first container that is not somebody else's, or else of the first. Sidecars come last.
pub fn image(object: &Object, collector: &Collector) -> Option<String> {
    let containers = pod_spec(object)?.get("containers")?;
    let sidecar = |container: &Node| container.text_at(&["name"]).is_some_and(role::is_sidecar);
    let (sidecars, others): (Vec<_>, Vec<_>) = containers.items().iter().partition(|container| sidecar(container));
    let images: Vec<String> = others
        .iter()
        .chain(&sidecars)
        .filter_map(|container| container.text_at(&["image"]))
        .map(|image| match &object.chart {
            Some(chart) => collector.resolve_image(chart, image).unwrap_or_else(|| image.to_owned()),
            None => image.to_owned(),
        })
        .collect();
    let own = images.iter().find(|image| role::owner(&object.name, Some(image), false) == Owner::OwnService);
    own.or_else(|| images.first()).cloned()
}

pub fn variables(object: &Object, id: WorkloadId, collector: &mut Collector) {
    let file = File { path: &object.path, text: "", environment: object.environment };
    let containers = pod_spec(object).and_then(|spec| spec.get("containers"));
    for container in containers.map_or(&[][..], |containers| containers.items()) {
        if let Some(variables) = container.get("env") {
            settings::read_variables(&file, variables, id, collector);
        }
    }
}

pub fn volumes(object: &Object, id: WorkloadId, objects: &[Object], collector: &mut Collector) {
    let Some(spec) = pod_spec(object) else { return };
    let mut found = Vec::new();
    for volume in spec.get("volumes").map_or(&[][..], |volumes| volumes.items()) {
        let name = volume.text_at(&["name"]).unwrap_or_default();
        let claim = volume.entry_at(&["persistentVolumeClaim", "claimName"]);
        let (kind, entry) = if let Some(claim) = claim {
            if matches!(object.kind.as_str(), "StatefulSet" | "Pod") || !is_single_node(claim, object, objects, collector) {
                continue;
            }
            (VolumeKind::ReadWriteOnce, claim)
        } else if let Some(path) = volume.entry_at(&["hostPath", "path"]) {
            (VolumeKind::HostPath, path)
        } else if let Some(empty) = volume.entry("emptyDir") {
            (VolumeKind::EmptyDir, empty)
        } else {
            continue;
        };
        let (mount_path, read_only) = mount(spec, name);
        found.push(Volume {
            workload: Some(id),
            kind,
            name: entry.text().unwrap_or(name).to_owned(),
            mount_path,
            read_only,
            environment: object.environment,
            location: location(&object.path, entry.span()),
        });
    }
    let templates = object.node.at(&["spec", "volumeClaimTemplates"]);
    for template in templates.map_or(&[][..], |templates| templates.items()) {
        let name = template.text_at(&["metadata", "name"]).unwrap_or_default();
        let (mount_path, read_only) = mount(spec, name);
        let span = template.entry_at(&["metadata", "name"]).map_or(template.span, Entry::span);
        found.push(Volume {
            workload: Some(id),
            kind: VolumeKind::PerInstanceClaim,
            name: name.to_owned(),
            mount_path,
            read_only,
            environment: object.environment,
            location: location(&object.path, span),
        });
    }
    collector.facts.volumes.extend(found);
}

fn mount(spec: &Node, volume: &str) -> (Option<String>, bool) {
    let containers = spec.get("containers").map_or(&[][..], |containers| containers.items());
    let mounts = containers.iter().flat_map(|container| container.get("volumeMounts").map_or(&[][..], |mounts| mounts.items()));
    let mut mounts = mounts.filter(|mount| mount.text_at(&["name"]) == Some(volume));
    match mounts.next() {
        Some(mount) => (mount.text_at(&["mountPath"]).map(str::to_owned), mount.text_at(&["readOnly"]).is_some_and(is_true)),
        None => (None, false),
    }
}

/// Whether the claim can be mounted by the pods of one node only, in the default installation.
fn is_single_node(claim: &Entry, object: &Object, objects: &[Object], collector: &Collector) -> bool {
    let name = claim.text().unwrap_or_default();
    let claims = || objects.iter().filter(|other| other.kind == "PersistentVolumeClaim" && other.chart == object.chart);
    let same_name = claims().find(|other| other.name == name);
    let only = || {
        let mut all = claims();
        all.next().filter(|_| all.next().is_none() && name.contains('~'))
    };
    let Some(found) = same_name.or_else(only) else {
        return false;
    };
    let chart = found.chart.as_deref().unwrap_or_default();
    if collector.is_off(chart, &found.gates, None) {
        return false;
    }
    let modes = found.node.at(&["spec", "accessModes"]);
    let texts: Vec<&str> = match modes {
        Some(node) => node.items().iter().filter_map(|item| item.text()).chain(node.text()).collect(),
        None => Vec::new(),
    };
    let mut modes = Vec::new();
    for text in texts {
        let resolved = collector.resolve(chart, text).into_iter().find(|resolved| resolved.default);
        modes.push(resolved.map_or_else(|| text.to_owned(), |resolved| resolved.text));
    }
    !modes.is_empty()
        && modes.iter().all(|mode| matches!(mode.as_str(), "ReadWriteOnce" | "ReadWriteOncePod"))
        && object.environment != Environment::Development
}
