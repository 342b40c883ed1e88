//! From files to facts: which format a file has, and what all files say together.

use std::rc::Rc;

use super::facts::{Affinity, AffinityKind, Environment, ManifestError, ManifestFacts, Owner, Workload, WorkloadId};
use super::tree::{Node, Span};
use super::yaml::Broken;
use super::{
    affinity, app_spec, build, caddy, cloudformation, compose, deployers, environment, haproxy, hcl_tree, helm, kubernetes, kustomize,
    nginx, platforms, role, settings, terraform, toml_tree, yaml,
};
use crate::finding::Location;
use crate::workspace::without_template;

/// Larger files are listed under the errors and not read.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// One file with what its path says.
pub struct File<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub environment: Environment,
}

impl File<'_> {
    pub fn location(&self, span: Span) -> Location {
        location(self.path, span)
    }

    /// `""` for the root.
    pub fn folder(&self) -> &str {
        self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    pub fn name(&self) -> String {
        file_name(self.path).to_ascii_lowercase()
    }

    fn has_extension(&self, extensions: &[&str]) -> bool {
        extension(&self.name()).is_some_and(|found| extensions.contains(&found))
    }
}

pub fn location(path: &str, span: Span) -> Location {
    Location { path: path.to_owned(), line: span.line, column: span.column, end_line: span.end_line, end_column: span.end_column }
}

pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn extension(name: &str) -> Option<&str> {
    name.rsplit_once('.').map(|(_, extension)| extension)
}

/// What the rooms of the formats put their findings into.
#[derive(Default)]
pub struct Collector {
    pub facts: ManifestFacts,
    pub objects: Vec<kubernetes::Object>,
    pub values: Vec<helm::Values>,
    pub overlays: Vec<kustomize::Overlay>,
    pub variables: terraform::Variables,
    /// Folders of charts, with the name that each has in its `Chart.yaml`.
    pub charts: Vec<(String, String)>,
}

impl Collector {
    pub fn add_workload(&mut self, workload: Workload) -> WorkloadId {
        self.facts.seen = true;
        self.facts.workloads.push(workload);
        WorkloadId(self.facts.workloads.len() as u32 - 1)
    }

    pub fn owner(&self, id: WorkloadId) -> Owner {
        self.facts.workload(id).map_or(Owner::OwnService, |workload| workload.owner)
    }

    /// Affinities of a tree that belongs to no workload; `target` reads the name from the keys.
    pub fn add_affinities(&mut self, file: &File<'_>, node: &Node, target: fn(&[String]) -> Option<String>) {
        for hit in affinity::scan(node) {
            let target = target(&hit.path);
            let workload = target.as_deref().and_then(|name| self.workload_named(name));
            self.facts.seen = true;
            self.facts.affinities.push(Affinity {
                kind: hit.kind,
                workload,
                owner: match (workload, &target) {
                    (Some(id), _) => self.owner(id),
                    (None, Some(name)) => role::owner(name, None, false),
                    (None, None) => Owner::OwnService,
                },
                target,
                environment: file.environment,
                location: file.location(hit.span),
                detail: hit.detail,
            });
        }
    }

    /// Affinity that a platform is told of for a workload.
    pub fn add_platform_affinity(&mut self, file: &File<'_>, id: WorkloadId, name: &str, span: Span, detail: &str) {
        self.facts.affinities.push(Affinity {
            kind: AffinityKind::Platform,
            workload: Some(id),
            target: Some(name.to_owned()),
            owner: self.owner(id),
            environment: file.environment,
            location: file.location(span),
            detail: detail.to_owned(),
        });
    }

    pub fn workload_named(&self, name: &str) -> Option<WorkloadId> {
        let at = self.facts.workloads.iter().position(|workload| workload.name == name)?;
        Some(WorkloadId(at as u32))
    }

    /// What a chart is called: by itself, or else by its folder.
    pub fn chart_name<'a>(&'a self, chart: &'a str) -> &'a str {
        self.charts.iter().find(|(folder, _)| folder == chart).map_or_else(|| file_name(chart), |(_, name)| name)
    }

    /// Data, tests of parsers and the like are no manifests: they are passed over, and written down.
    fn add_error(&mut self, file: &File<'_>, format: Format, broken: Broken) {
        // Of a template that stays no YAML, other documents and files may still have been read.
        let deploys = !(format == Format::Yaml && helm::is_template(file))
            && (matches!(format, Format::Hcl | Format::Nginx | Format::Haproxy | Format::Caddy | Format::Procfile)
                || MARKS.iter().any(|mark| file.text.contains(mark))
                || NAMES.iter().any(|name| file.name().contains(name)));
        let error = ManifestError { path: file.path.to_owned(), line: broken.line, reason: broken.reason };
        if deploys { self.facts.errors.push(error) } else { self.facts.passed_over.push(error) }
    }
}

/// Texts and names by which a file that does not parse is still known for a manifest.
const MARKS: [&str; 9] = [
    "apiVersion:",
    "\nservices:",
    "AWSTemplateFormatVersion",
    "containerDefinitions",
    "primary_region",
    "[http.services",
    "\"apiVersion\"",
    "\nResources:",
    "sessionAffinity",
];
const NAMES: [&str; 8] = ["compose", "docker-stack", "kustomization", "values", "deploy", "fly.toml", "railway", "render.yaml"];

/// Whether a file can be a manifest or a configuration file, by its path alone.
pub fn is_candidate(path: &str) -> bool {
    let file = File { path, text: "", environment: Environment::Unknown };
    format_of(&file).is_some()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Format {
    Yaml,
    Json,
    Toml,
    Hcl,
    Env,
    Nginx,
    Haproxy,
    Caddy,
    Dockerfile,
    Procfile,
}

/// Files of tools that build, lint or lock, and no deployment or configuration.
const TOOL_FILES: [&str; 27] = [
    "cargo.toml",
    "rust-toolchain.toml",
    "rustfmt.toml",
    ".rustfmt.toml",
    "clippy.toml",
    ".clippy.toml",
    "deny.toml",
    "taplo.toml",
    "typos.toml",
    "_typos.toml",
    "cliff.toml",
    "pyproject.toml",
    "cross.toml",
    "release.toml",
    "nextest.toml",
    "book.toml",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
    "pnpm-lock.yaml",
    "codecov.yml",
    ".codecov.yml",
    "mkdocs.yml",
    "sqlx-data.json",
    "openapi.json",
    "makefile.toml",
    "values.schema.json",
];
const TOOL_FOLDERS: [&str; 9] = [".github", ".gitlab", ".circleci", "node_modules", ".sqlx", ".cargo", ".git", ".vscode", "target"];

fn format_of(file: &File<'_>) -> Option<Format> {
    let name = file.name();
    let name = without_template(&name).to_owned();
    let folders = file.path.rsplit_once('/').map_or("", |(folders, _)| folders);
    if TOOL_FILES.contains(&name.as_str()) || folders.split('/').any(|folder| TOOL_FOLDERS.contains(&folder)) {
        return None;
    }
    if name == "caddyfile" || name.ends_with(".caddyfile") || name.starts_with("caddyfile.") {
        return Some(Format::Caddy);
    }
    if build::is_dockerfile(&name) && !name.ends_with(".dockerignore") {
        return Some(Format::Dockerfile);
    }
    if name == "procfile" {
        return Some(Format::Procfile);
    }
    if name == ".env"
        || name.starts_with(".env.")
        || name.starts_with(".env-")
        || name.starts_with(".env_")
        || extension(&name) == Some("env")
    {
        return Some(Format::Env);
    }
    if name.contains("haproxy") && matches!(extension(&name), Some("cfg" | "conf")) {
        return Some(Format::Haproxy);
    }
    match extension(&name)? {
        "yaml" | "yml" => Some(Format::Yaml),
        "json" => Some(Format::Json),
        "toml" => Some(Format::Toml),
        "tf" | "tofu" | "tfvars" | "hcl" | "nomad" => Some(Format::Hcl),
        "conf" => Some(Format::Nginx),
        "cfg" => Some(Format::Haproxy),
        _ => None,
    }
}

/// Reads all files, in the order of their paths. A file that does not parse is listed under the
/// errors with its line, and the others go on.
pub fn read(files: &[(String, String)]) -> ManifestFacts {
    let mut sorted: Vec<&(String, String)> = files.iter().collect();
    sorted.sort();
    let mut collector = Collector::default();
    // A chart's name is asked for by its templates.
    sorted.sort_by_key(|(path, _)| file_name(path) != "Chart.yaml");
    for (path, text) in sorted {
        let file = File { path, text, environment: environment::of_path(path) };
        let Some(format) = format_of(&file) else {
            continue;
        };
        if text.len() > MAX_FILE_BYTES {
            // Large data files are common, large manifests are not: only the latter are an error.
            if format != Format::Json && !text.contains("kind: CustomResourceDefinition") {
                let reason = format!("larger than {MAX_FILE_BYTES} bytes");
                collector.add_error(&file, format, Broken { line: 0, reason });
            }
            continue;
        }
        let before = std::mem::take(&mut collector.facts.seen);
        if let Err(broken) = read_file(&file, format, &mut collector) {
            collector.add_error(&file, format, broken);
        }
        if collector.facts.seen {
            collector.facts.manifests.push(path.clone());
        }
        collector.facts.seen |= before;
    }
    kubernetes::join(&mut collector);
    kustomize::join(&mut collector);
    helm::join(&mut collector);
    terraform::join(&mut collector);
    finish(collector.facts)
}

fn read_file(file: &File<'_>, format: Format, collector: &mut Collector) -> Result<(), Broken> {
    match format {
        Format::Yaml if helm::is_template(file) => return helm::read_template(file, collector),
        Format::Yaml => {
            let name = file.name();
            let template = without_template(&name) != name || file.text.contains("{%");
            let text = if template { helm::neutralise(file.text).into() } else { std::borrow::Cow::Borrowed(file.text) };
            let (documents, broken) = yaml::parse(&text);
            read_documents(file, documents, collector);
            return broken.map_or(Ok(()), Err);
        }
        Format::Json if is_manifest_json(file.text) => {
            let (documents, broken) = yaml::parse_json(file.text);
            read_documents(file, documents, collector);
            return broken.map_or(Ok(()), Err);
        }
        Format::Json => {
            if let (documents, None) = yaml::parse_json(file.text) {
                for document in documents.iter().filter(|document| !is_schema(document)) {
                    settings::read_tree(file, document, collector);
                }
            }
        }
        Format::Toml => {
            let tree = toml_tree::parse(file.text)?;
            let known =
                app_spec::read_fly(file, &tree, collector) || platforms::read(file, &tree, collector) || read_proxy(file, &tree, collector);
            if !known {
                settings::read_tree(file, &tree, collector);
            }
        }
        Format::Hcl => {
            let tree = hcl_tree::parse(file.text)?;
            if file.has_extension(&["tfvars"]) {
                terraform::read_values(file, &tree, collector);
            } else {
                terraform::read(file, &tree, collector);
            }
        }
        Format::Env => settings::read_env(file, collector),
        Format::Nginx => nginx::read(file, collector),
        Format::Haproxy => haproxy::read(file, collector),
        Format::Caddy => caddy::read(file, collector),
        Format::Dockerfile => build::read_dockerfile(file, collector),
        Format::Procfile => platforms::read_procfile(file, collector),
    }
    Ok(())
}

/// JSON is mostly data: only what looks like a deployment has to parse.
fn is_manifest_json(text: &str) -> bool {
    [
        "\"AWSTemplateFormatVersion\"",
        "\"containerDefinitions\"",
        "\"AWS::",
        "\"apiVersion\"",
        "\"selection_policy\"",
        "\"desiredCount\"",
        "\"numReplicas\"",
        "\"formation\"",
    ]
    .iter()
    .any(|mark| text.contains(mark))
}

/// What says which keys there may be, and gives none of them a value: a JSON schema, whose draft has its
/// name at the top (<https://json-schema.org/draft/2020-12/json-schema-core#section-8.1.1>).
fn is_schema(document: &Node) -> bool {
    document.text_at(&["$schema"]).is_some_and(|draft| draft.contains("//json-schema.org/"))
}

fn read_documents(file: &File<'_>, mut documents: Vec<Rc<Node>>, collector: &mut Collector) {
    documents.retain(|document| !is_schema(document));
    if file.name() == "chart.yaml" {
        let name = documents.first().and_then(|chart| chart.text_at(&["name"]));
        collector.charts.extend(name.map(|name| (file.folder().to_owned(), name.to_owned())));
        return;
    }
    if helm::is_values(file) {
        helm::read_values(file, documents, collector);
        return;
    }
    for document in documents {
        let known = kubernetes::read(file, &document, collector)
            || kustomize::read(file, &document, collector)
            || cloudformation::read(file, &document, collector)
            || compose::read(file, &document, collector)
            || app_spec::read(file, &document, collector)
            || platforms::read(file, &document, collector)
            || deployers::read(file, &document, collector)
            || read_proxy(file, &document, collector);
        if !known {
            settings::read_tree(file, &document, collector);
        }
    }
}

/// Dynamic configuration of Traefik, Envoy's bootstrap and Caddy's JSON.
fn read_proxy(file: &File<'_>, node: &Node, collector: &mut Collector) -> bool {
    let is_proxy = node.at(&["http", "services"]).is_some()
        || node.at(&["http", "routers"]).is_some()
        || node.get("static_resources").is_some()
        || node.get("backends").is_some() && node.get("frontends").is_some()
        || node.at(&["apps", "http", "servers"]).is_some();
    if is_proxy {
        collector.facts.seen = true;
        collector.add_affinities(file, node, |path| {
            let at = path.iter().position(|key| key == "services" || key == "backends")?;
            path.get(at + 1).cloned()
        });
    }
    is_proxy
}

fn finish(mut facts: ManifestFacts) -> ManifestFacts {
    facts.affinities.sort_by(|a, b| a.location.cmp(&b.location));
    facts.replicas.sort_by(|a, b| a.location.cmp(&b.location));
    facts.manifests.sort();
    facts.volumes.sort_by(|a, b| a.location.cmp(&b.location));
    facts.settings.sort_by(|a, b| a.location.cmp(&b.location));
    facts.errors.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    facts.passed_over.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    facts
}
