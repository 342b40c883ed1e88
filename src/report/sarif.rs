//! SARIF 2.1.0, the parts that code scanning reads.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{By, Context, Exit, Report, Reported, Suppressed, item_name, json, severity_name, text};
use crate::finding::{Confidence, Location, Role, Step};
use crate::rulebook::RuleInfo;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
const ROOT: &str = "SRCROOT";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    column_kind: &'static str,
    original_uri_base_ids: BTreeMap<&'static str, BaseId>,
    invocations: [Invocation; 1],
    results: Vec<SarifResult>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    short_description: Text,
    help: Help,
    default_configuration: Configuration,
    properties: RuleProperties,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
struct Help {
    text: String,
    markdown: String,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct RuleProperties {
    precision: &'static str,
    tags: Vec<String>,
}

#[derive(Serialize)]
struct BaseId {
    description: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
    locations: [FlowPlace; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    rule_index: Option<usize>,
    level: &'static str,
    message: Text,
    locations: [Place; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    code_flows: Vec<CodeFlow>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: ResultProperties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Place {
    physical_location: Physical,
    logical_locations: [Logical; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    uri_base_id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CodeFlow {
    thread_flows: [ThreadFlow; 1],
}

#[derive(Serialize)]
struct ThreadFlow {
    locations: Vec<FlowLocation>,
}

#[derive(Serialize)]
struct FlowLocation {
    location: FlowPlace,
    kinds: [Role; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FlowPlace {
    physical_location: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResultProperties {
    checklist_item: &'static str,
    confidence: Confidence,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    home: Option<String>,
}

pub fn render(report: &Report, context: &Context<'_>) -> String {
    let shown = report.findings.iter().map(|reported| result(reported, None, context));
    let suppressed = report.suppressed.iter().map(|s| result(&s.reported, Some(s), context));
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: env!("CARGO_PKG_NAME"),
                semantic_version: env!("CARGO_PKG_VERSION"),
                rules: context.rules.iter().map(rule).collect(),
            },
        },
        column_kind: "unicodeCodePoints",
        original_uri_base_ids: BTreeMap::from([(ROOT, BaseId { description: Text { text: "The folder that was analysed.".into() } })]),
        invocations: [Invocation {
            execution_successful: report.exit != Exit::Unchecked,
            exit_code: report.exit.code(),
            tool_execution_notifications: [("error", &report.errors), ("warning", &report.unread_manifests)]
                .into_iter()
                .flat_map(|(level, list)| list.iter().map(move |skip| (level, skip)))
                .map(|(level, skip)| Notification {
                    level,
                    message: message(&skip.reason),
                    locations: [FlowPlace { physical_location: physical(&skip.path, None), message: None }],
                })
                .collect(),
        }],
        results: shown.chain(suppressed).collect(),
    };
    json::pretty(&Log { schema: SCHEMA, version: "2.1.0", runs: [run] })
}

fn rule(rule: &RuleInfo) -> Rule {
    let cwe = rule.cwe.iter().map(|n| format!("external/cwe/cwe-{n:03}"));
    Rule {
        id: rule.id.clone(),
        short_description: Text { text: rule.title.clone() },
        help: Help { text: rule.page.clone(), markdown: rule.page.clone() },
        default_configuration: Configuration { level: severity_name(rule.severity) },
        properties: RuleProperties {
            precision: match rule.confidence {
                Confidence::High => "high",
                Confidence::Medium => "medium",
                Confidence::Low => "low",
            },
            tags: ["stateless".to_owned(), item_name(rule.item).to_owned()].into_iter().chain(cwe).collect(),
        },
    }
}

fn result(reported: &Reported, suppressed: Option<&Suppressed>, context: &Context<'_>) -> SarifResult {
    let f = &reported.finding;
    let mut says = f.message.clone();
    if let Some(help) = &f.help {
        says = format!("{says}. {help}");
    }
    SarifResult {
        rule_id: f.rule,
        rule_index: context.rules.index(f.rule),
        level: severity_name(f.severity),
        message: message(&says),
        locations: [Place {
            physical_location: physical(&f.location.path, Some(&f.location)),
            logical_locations: [Logical { fully_qualified_name: f.symbol.clone() }],
        }],
        code_flows: f.witness.iter().filter(|path| !path.is_empty()).map(|path| flow(path)).collect(),
        partial_fingerprints: BTreeMap::from([("cargoStateless/v1", reported.fingerprint.clone())]),
        suppressions: suppressed
            .iter()
            .map(|s| Suppression {
                kind: if s.by == By::Comment { "inSource" } else { "external" },
                status: "accepted",
                justification: text::line(&s.reason),
            })
            .collect(),
        properties: ResultProperties {
            checklist_item: item_name(f.item),
            confidence: f.confidence,
            reason: f.reason.clone(),
            home: f.home.clone(),
        },
    }
}

fn flow(path: &[Step]) -> CodeFlow {
    let locations = path
        .iter()
        .map(|step| FlowLocation {
            location: FlowPlace {
                physical_location: physical(&step.location.path, Some(&step.location)),
                message: Some(message(&step.message)),
            },
            kinds: [step.role],
        })
        .collect();
    CodeFlow { thread_flows: [ThreadFlow { locations }] }
}

/// SARIF reads `[text](target)` in a message as a link; names must not make one.
fn message(says: &str) -> Text {
    Text { text: text::line(says).replace("](", "] (") }
}

fn physical(path: &str, at: Option<&Location>) -> Physical {
    Physical {
        artifact_location: Artifact { uri: text::uri(path), uri_base_id: ROOT },
        region: at.map(|at| Region {
            start_line: at.line.max(1),
            start_column: at.column.max(1),
            end_line: at.end_line.max(at.line).max(1),
            end_column: at.end_column.max(1),
        }),
    }
}
