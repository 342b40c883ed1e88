//! What the code says that manifests are joined with, and which workloads are the service's own.

use crate::workspace::text::is_within;
use std::cell::OnceCell;

use super::catalog;
use super::facts::{Build, ManifestFacts, Owner, Workload, WorkloadId};
use super::role;
use crate::finding::{Confidence, Location};

/// One package that answers requests, itself or through what it depends on.
#[derive(Clone, Debug, Default)]
pub struct Service {
    /// Names of its package and its binaries, and what the configuration calls it; in lower case.
    pub names: Vec<String>,
    /// Its folder, `""` for the root.
    pub folder: String,
    /// It and the packages of the tree that it depends on.
    pub packages: Vec<String>,
}

/// A finding in the code that a manifest can hide or explain.
#[derive(Clone, Debug)]
pub struct CodeFinding {
    pub rule: &'static str,
    pub package: String,
    pub symbol: String,
    pub location: Location,
    /// The path on disk that it is about, where the code says it.
    pub path: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct ManifestContext {
    /// None where the tree holds no service: then no workload is its own.
    pub services: Vec<Service>,
    /// Cells of an instance that affinity hides.
    pub hidden_cells: Vec<CodeFinding>,
    /// Databases and files on the instance's own disk.
    pub embedded_stores: Vec<CodeFinding>,
    /// Binaries of the tree that answer no requests: clients, and workers that ask a service for work.
    pub others: Vec<String>,
    /// Whether any workload is called like a service or built from one: asked of all once.
    any_named: OnceCell<bool>,
}

/// Why a workload is taken for the service's own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Own {
    pub confidence: Confidence,
    /// Nothing but its place in this tree ties it to the code: its image comes from elsewhere.
    pub loose: bool,
    /// Positions in [`ManifestContext::services`]; all when empty.
    services: Vec<usize>,
}

/// Names that say nothing of whose workload it is: only the whole name counts, not a part of one.
const PLAIN_NAMES: [&str; 18] = [
    "api",
    "app",
    "backend",
    "bin",
    "cli",
    "client",
    "common",
    "core",
    "db",
    "lib",
    "main",
    "migration",
    "migrations",
    "proxy",
    "server",
    "service",
    "web",
    "worker",
];

/// What stands beside a service and carries its name: `shop-ui` is no instance of `shop`.
const BESIDE: [&str; 11] = ["client", "console", "dashboard", "docs", "e2e", "frontend", "test", "tests", "ui", "webui", "website"];

impl ManifestContext {
    pub fn new(services: Vec<Service>, hidden_cells: Vec<CodeFinding>, embedded_stores: Vec<CodeFinding>) -> ManifestContext {
        ManifestContext { services, hidden_cells, embedded_stores, others: Vec::new(), any_named: OnceCell::new() }
    }

    /// How sure it is that a workload, or what has only a name, is the service's own; `None` when it
    /// is somebody else's. Linear in the services; one set of facts for one context.
    pub fn own(&self, facts: &ManifestFacts, workload: Option<WorkloadId>, target: Option<&str>, owner: Owner) -> Option<Own> {
        if self.services.is_empty() {
            return None;
        }
        let sure = |services| Some(Own { confidence: Confidence::High, loose: false, services });
        let maybe = |loose| Some(Own { confidence: Confidence::Medium, loose, services: Vec::new() });
        let Some(workload) = workload.and_then(|id| facts.workload(id)) else {
            let named = target.map(|name| self.called(name)).unwrap_or_default();
            return match owner {
                _ if !named.is_empty() => sure(named),
                Owner::SomebodyElses => None,
                Owner::OwnService => maybe(false),
            };
        };
        let by_image = self.by_image(workload);
        if !by_image.is_empty() {
            return sure(by_image);
        }
        // Where no image says otherwise, a service may be called `exporter` or `proxy` itself.
        let exact = self.exactly(&workload.name);
        if !exact.is_empty() && workload.build.is_none() && !role::is_telling(workload.image.as_deref()) {
            return sure(exact);
        }
        if workload.owner == Owner::SomebodyElses || owner == Owner::SomebodyElses {
            return None;
        }
        let by_name = if role::is_foreign_name(&workload.name) { Vec::new() } else { self.called(&workload.name) };
        if let Some(build) = &workload.build {
            let mut built = self.built_from(build, facts)?;
            // A recipe that is computed may be any in the folder: then the name decides where it can.
            if build.dockerfile.is_empty() && by_name.is_empty() && self.any_named(facts) {
                return None;
            }
            if built.iter().any(|at| by_name.contains(at)) {
                built.retain(|at| by_name.contains(at));
            }
            return sure(built);
        }
        if !by_name.is_empty() {
            return sure(by_name);
        }
        // Nothing ties it to the code, in a tree that says which of its workloads are its own.
        if self.any_named(facts) || role::is_foreign_name(&workload.name) { None } else { maybe(true) }
    }

    fn any_named(&self, facts: &ManifestFacts) -> bool {
        let named = |workload: &Workload| {
            let built = workload.build.as_ref().filter(|build| !build.dockerfile.is_empty());
            !self.by_image(workload).is_empty()
                || !self.called(&workload.name).is_empty()
                || built.is_some_and(|build| self.built_from(build, facts).is_some())
        };
        *self.any_named.get_or_init(|| facts.workloads.iter().any(named))
    }

    /// Those of the findings that lie in code which the workload runs.
    pub fn within<'a>(&'a self, own: &Own, findings: &'a [CodeFinding]) -> Vec<&'a CodeFinding> {
        let runs = |finding: &CodeFinding| {
            own.services.is_empty()
                || own.services.iter().any(|at| self.services.get(*at).is_some_and(|service| service.packages.contains(&finding.package)))
        };
        findings.iter().filter(|finding| runs(finding)).collect()
    }

    fn by_image(&self, workload: &Workload) -> Vec<usize> {
        let image = workload.image.as_deref().map(role::repository).unwrap_or_default();
        let (owner, last) = image.rsplit_once('/').unwrap_or(("", &image));
        // `shop/server` is the shop's, `shop/cache` need not be.
        let owner = owner.rsplit('/').next().filter(|_| PLAIN_NAMES.contains(&last)).unwrap_or_default();
        let found = self.called(last);
        if found.is_empty() { self.called(owner) } else { found }
    }

    fn exactly(&self, name: &str) -> Vec<usize> {
        let name = name.to_ascii_lowercase();
        (0..self.services.len()).filter(|at| self.services.get(*at).is_some_and(|service| service.names.contains(&name))).collect()
    }

    /// The services with this name itself, or with a word before or after it: `shop` for `shop-api`
    /// and `acme-shop`, `sequencer` for the crate `acme-sequencer`.
    fn called(&self, name: &str) -> Vec<usize> {
        let name = name.to_ascii_lowercase().replace('_', "-");
        if name.is_empty() {
            return Vec::new();
        }
        // The crate `shop-postgres` makes no image of that database its own.
        let foreign = role::is_foreign_name(&name);
        let ends =
            |long: &str, short: &str| !PLAIN_NAMES.contains(&short) && long.strip_suffix(short).is_some_and(|rest| rest.ends_with('-'));
        let begins = |long: &str, short: &str| {
            let rest = long.strip_prefix(short).and_then(|rest| rest.strip_prefix('-'));
            !PLAIN_NAMES.contains(&short) && rest.is_some_and(|rest| !is_beside(rest))
        };
        let matches = |service: &str| {
            let service = service.replace('_', "-");
            name == service || begins(&name, &service) || ends(&name, &service) || !foreign && ends(&service, &name)
        };
        let called = self.services.iter().enumerate().filter(|(_, service)| service.names.iter().any(|name| matches(name)));
        called.map(|(at, _)| at).collect()
    }

    /// The services in what is built; `None` when it is something else: a front end, a script.
    fn built_from(&self, build: &Build, facts: &ManifestFacts) -> Option<Vec<usize>> {
        let inside: Vec<usize> = (0..self.services.len())
            .filter(|at| {
                let folder = self.services.get(*at).map_or("", |service| service.folder.as_str());
                is_within(folder, &build.folder) || !folder.is_empty() && is_within(&build.folder, folder)
            })
            .collect();
        let Some(recipe) = facts.dockerfiles.iter().find(|recipe| recipe.path == build.dockerfile) else {
            return (!inside.is_empty()).then_some(inside);
        };
        // What the containers start says more than what is built beside it.
        if let Some(program) = &recipe.runs {
            let same = |name: &String| name.replace('_', "-") == program.replace('_', "-");
            let started =
                (0..self.services.len()).filter(|at| self.services.get(*at).is_some_and(|service| service.names.iter().any(same)));
            let started: Vec<usize> = started.collect();
            if !started.is_empty() {
                return Some(started);
            }
            if self.others.iter().any(same) {
                return None;
            }
        }
        let named: Vec<usize> = (0..self.services.len())
            .filter(|at| self.services.get(*at).is_some_and(|service| service.names.iter().any(|name| recipe.words.contains(name))))
            .collect();
        match (named.is_empty(), recipe.words.contains("cargo")) {
            (false, _) => Some(named),
            (true, true) => Some(inside),
            (true, false) => None,
        }
    }
}

/// By the last word: a store, a monitor or a sidecar of `shop` may be called after it too.
fn is_beside(rest: &str) -> bool {
    let last = rest.rsplit('-').next().unwrap_or(rest);
    BESIDE.contains(&last) || catalog::is_sidecar(last) || catalog::is_known_family(last)
}
