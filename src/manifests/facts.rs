//! The facts that manifests yield, for the rules and the checklist.

use std::collections::BTreeSet;

use crate::finding::Location;

/// Index into [`ManifestFacts::workloads`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct WorkloadId(pub u32);

/// Facts in the order of paths, then of lines.
#[derive(Clone, Debug, Default)]
pub struct ManifestFacts {
    pub workloads: Vec<Workload>,
    pub affinities: Vec<Affinity>,
    pub replicas: Vec<Replicas>,
    pub volumes: Vec<Volume>,
    pub settings: Vec<Setting>,
    pub dockerfiles: Vec<Dockerfile>,
    pub errors: Vec<ManifestError>,
    /// Files that do not parse and that nothing shows to be manifests.
    pub passed_over: Vec<ManifestError>,
    /// Whether any file was understood as a manifest; settings alone do not count.
    pub seen: bool,
    /// The files that were, sorted.
    pub manifests: Vec<String>,
}

impl ManifestFacts {
    pub fn workload(&self, id: WorkloadId) -> Option<&Workload> {
        self.workloads.get(id.0 as usize)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    OwnService,
    /// A database, broker, cache, proxy or tool that the service only uses.
    SomebodyElses,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Environment {
    Production,
    Development,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WorkloadKind {
    Deployment,
    StatefulSet,
    OtherPod,
    ComposeService,
    EcsService,
    AppService,
    Platform,
}

/// What an image is built from; paths are relative to the root, with `/`.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Build {
    /// `""` for the root.
    pub folder: String,
    pub dockerfile: String,
}

/// A recipe for an image.
#[derive(Clone, Debug)]
pub struct Dockerfile {
    pub path: String,
    /// Every word in it, in lower case.
    pub words: BTreeSet<String>,
    /// The program that its containers start, without its folder, in lower case.
    pub runs: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Workload {
    /// As written; a template's expressions stand between tildes.
    pub name: String,
    pub image: Option<String>,
    /// Built from this tree rather than pulled.
    pub build: Option<Build>,
    pub kind: WorkloadKind,
    pub location: Location,
    pub owner: Owner,
    pub environment: Environment,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AffinityKind {
    ClientIp,
    IngressCookie,
    TraefikSticky,
    NginxHash,
    HaproxyPersistence,
    TargetGroup,
    ConsistentHash,
    SessionPersistence,
    CaddyPolicy,
    Platform,
}

#[derive(Clone, Debug)]
pub struct Affinity {
    pub kind: AffinityKind,
    pub workload: Option<WorkloadId>,
    /// The service, upstream or back end that the affinity is for, if it has a name.
    pub target: Option<String>,
    pub owner: Owner,
    pub environment: Environment,
    pub location: Location,
    /// What is written there, e.g. `sessionAffinity: ClientIP`.
    pub detail: String,
}

/// What says how many instances there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PinKind {
    Replicas,
    /// The lower end of autoscaling.
    Minimum,
    /// The upper end of autoscaling.
    Maximum,
    /// The old instance is stopped before the new one starts.
    Recreate,
    /// A fixed container name, which no two containers share.
    ContainerName,
}

#[derive(Clone, Debug)]
pub struct Replicas {
    pub workload: Option<WorkloadId>,
    /// `None` where it is computed.
    pub count: Option<u32>,
    pub kind: PinKind,
    pub environment: Environment,
    /// A default that an installation or an overlay is meant to replace.
    pub overridable: bool,
    /// The key as written, e.g. `instance_count`.
    pub key: String,
    pub location: Location,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VolumeKind {
    /// A claim that one node can mount for writing, mounted by a workload that is not a StatefulSet.
    ReadWriteOnce,
    /// A claim made anew for each instance.
    PerInstanceClaim,
    HostPath,
    EmptyDir,
    Named,
    Bind,
    /// A platform's disk that hangs on one machine.
    MachineDisk,
}

#[derive(Clone, Debug)]
pub struct Volume {
    pub workload: Option<WorkloadId>,
    pub kind: VolumeKind,
    pub name: String,
    pub mount_path: Option<String>,
    pub read_only: bool,
    pub environment: Environment,
    pub location: Location,
}

/// A value from the service's own configuration, or from a workload's environment variables.
#[derive(Clone, Debug)]
pub struct Setting {
    /// Keys joined by dots; list items by their index. An environment variable is its name alone.
    pub key: String,
    pub value: String,
    /// The workload whose environment it is set in.
    pub workload: Option<WorkloadId>,
    pub environment: Environment,
    pub location: Location,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ManifestError {
    pub path: String,
    /// 1-based; 0 where the whole file is meant.
    pub line: u32,
    pub reason: String,
}
