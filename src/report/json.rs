//! The JSON contract, schema 1. Fields may be added; none changes its meaning or goes away.

use serde::Serialize;

use super::{Hidden, Report, Reported, Status, Suppressed, baseline};
use crate::analysis::{InventoryRow, Quarantine, Summary};
use crate::finding::{ChecklistItem, Confidence, Location, Persona, Role, Severity, Step};
use crate::workspace::model::Skip;

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Document<'a> {
    /// Always 1. Fields may be added under this number; none changes its meaning or goes away.
    schema: u32,
    tool: Tool,
    checklist: Vec<Item<'a>>,
    findings: Vec<JsonFinding<'a>>,
    suppressed: Vec<JsonSuppressed<'a>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    inventory: &'a [InventoryRow],
    skipped: Vec<Skipped<'a>>,
    errors: Vec<Unread<'a>>,
    summary: &'a Summary,
    hidden: JsonHidden,
    quarantine: Vec<JsonQuarantine<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<Compared<'a>>,
    stale_baseline: Vec<Stale<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "ChecklistItemReport"))]
struct Item<'a> {
    item: ChecklistItem,
    status: Status,
    reason: &'a str,
    facts: &'a [String],
    findings: &'a [String],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Finding"))]
struct JsonFinding<'a> {
    rule: &'a str,
    item: ChecklistItem,
    severity: Severity,
    confidence: Confidence,
    persona: Persona,
    reason: &'a str,
    fingerprint: &'a str,
    message: &'a str,
    package: &'a str,
    symbol: &'a str,
    #[serde(rename = "type")]
    ty: Option<&'a str>,
    location: Place<'a>,
    witness: Vec<Vec<JsonStep<'a>>>,
    home: Option<&'a str>,
    help: Option<&'a str>,
    related: Vec<Related<'a>>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Step"))]
struct JsonStep<'a> {
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<&'a str>,
    message: &'a str,
    location: Place<'a>,
}

/// `in_diff` says, when a revision was compared with, whether a review comment can stand there.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Place<'a> {
    #[serde(flatten)]
    location: &'a Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_diff: Option<bool>,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Compared<'a> {
    revision: &'a str,
    commit: &'a str,
    notes: &'a [String],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Related<'a> {
    rule: &'a str,
    symbol: &'a str,
    /// Absent where that finding is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<&'a str>,
}

/// `reason` is why it is suppressed; why it was found moves to `found_because`.
#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Suppressed"))]
struct JsonSuppressed<'a> {
    #[serde(flatten)]
    finding: JsonFinding<'a>,
    found_because: &'a str,
    by: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Skipped<'a> {
    path: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Unread<'a> {
    path: &'a str,
    message: &'a str,
    kind: UnreadKind,
}

/// Only code that could not be read makes a run without findings end with 2.
#[derive(Clone, Copy, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
enum UnreadKind {
    Code,
    Manifest,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Hidden"))]
struct JsonHidden {
    persona: u64,
    paths: u64,
    since: u64,
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(rename = "Quarantine"))]
struct JsonQuarantine<'a> {
    #[serde(flatten)]
    declared: &'a Quarantine,
    findings: &'a [String],
}

#[derive(Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct Stale<'a> {
    rule: &'a str,
    symbol: &'a str,
    fingerprint: &'a str,
}

fn unread(list: &[Skip], kind: UnreadKind) -> impl Iterator<Item = Unread<'_>> {
    list.iter().map(move |skip| Unread { path: &skip.path, message: &skip.reason, kind })
}

pub fn render(report: &Report) -> String {
    let Hidden { persona, paths, since } = report.hidden;
    let document = Document {
        schema: 1,
        tool: Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        checklist: report
            .checklist
            .iter()
            .map(|i| Item { item: i.item, status: i.status, reason: &i.reason, facts: &i.facts, findings: &i.findings })
            .collect(),
        findings: report.findings.iter().map(|f| finding(f, report)).collect(),
        suppressed: report.suppressed.iter().map(|s| suppressed(s, report)).collect(),
        inventory: &report.inventory,
        skipped: report.skipped.iter().map(|s| Skipped { path: &s.path, reason: &s.reason }).collect(),
        errors: unread(&report.errors, UnreadKind::Code).chain(unread(&report.unread_manifests, UnreadKind::Manifest)).collect(),
        summary: &report.summary,
        quarantine: report.quarantine.iter().map(|q| JsonQuarantine { declared: &q.declared, findings: &q.findings }).collect(),
        hidden: JsonHidden { persona, paths, since },
        since: report.since.as_ref().map(|s| Compared { revision: &s.revision, commit: &s.commit, notes: &s.notes }),
        stale_baseline: report.stale.iter().map(stale).collect(),
    };
    pretty(&document)
}

fn finding<'a>(reported: &'a Reported, report: &'a Report) -> JsonFinding<'a> {
    let f = &reported.finding;
    let place = |location: &'a Location| Place { location, in_diff: report.since.as_ref().map(|since| since.in_diff(location)) };
    let step = |step: &'a Step| JsonStep {
        role: step.role,
        entry: step.entry.as_deref(),
        message: &step.message,
        location: place(&step.location),
    };
    JsonFinding {
        rule: f.rule,
        item: f.item,
        severity: f.severity,
        confidence: f.confidence,
        persona: f.persona,
        reason: &f.reason,
        fingerprint: &reported.fingerprint,
        message: &f.message,
        package: &f.package,
        symbol: &f.symbol,
        ty: f.ty.as_deref(),
        location: place(&f.location),
        witness: f.witness.iter().map(|path| path.iter().map(step).collect()).collect(),
        home: f.home.as_deref(),
        help: f.help.as_deref(),
        related: f.related.iter().map(|(rule, symbol)| Related { rule, symbol, fingerprint: named(report, rule, symbol) }).collect(),
    }
}

/// The fingerprint of the finding of this rule on this symbol.
fn named<'a>(report: &'a Report, rule: &str, symbol: &str) -> Option<&'a str> {
    let all = report.findings.iter().chain(report.suppressed.iter().map(|s| &s.reported));
    all.into_iter().find(|r| r.finding.rule == rule && r.finding.symbol == symbol).map(|r| r.fingerprint.as_str())
}

fn suppressed<'a>(suppressed: &'a Suppressed, report: &'a Report) -> JsonSuppressed<'a> {
    let mut finding = finding(&suppressed.reported, report);
    let found_because = std::mem::replace(&mut finding.reason, &suppressed.reason);
    JsonSuppressed { finding, found_because, by: suppressed.by.name() }
}

fn stale(entry: &baseline::Entry) -> Stale<'_> {
    Stale { rule: &entry.rule, symbol: &entry.symbol, fingerprint: &entry.fingerprint }
}

/// The JSON Schema of what [`render`] writes.
#[cfg(test)]
pub(super) fn schema() -> serde_json::Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
    settings.into_generator().into_root_schema_for::<Document<'static>>().into()
}

/// Indented JSON with a line feed at the end. Serialising plain data into memory cannot fail; should
/// it ever, the text is empty and no reader takes it for a report.
pub fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).map(|text| text + "\n").unwrap_or_default()
}
