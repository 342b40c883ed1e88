//! reviewdog's diagnostic format. Its columns count bytes.

use serde::Serialize;

use super::source::Sources;
use super::{Context, Report, json, text};
use crate::finding::{Location, Severity};

#[derive(Serialize)]
struct DiagnosticResult {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Serialize)]
struct Source {
    name: &'static str,
}

#[derive(Serialize)]
struct Diagnostic {
    message: String,
    location: Place,
    severity: &'static str,
    code: Code,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Related>,
}

#[derive(Serialize)]
struct Code {
    value: &'static str,
}

#[derive(Serialize)]
struct Related {
    message: String,
    location: Place,
}

#[derive(Serialize)]
struct Place {
    path: String,
    range: Range,
}

#[derive(Serialize)]
struct Range {
    start: Position,
    end: Position,
}

#[derive(Serialize)]
struct Position {
    line: u32,
    column: u32,
}

pub fn render(report: &Report, context: &Context<'_>) -> String {
    let mut sources = Sources::default();
    let mut place = |at: &Location| {
        let lines = sources.get(&at.path, context.sources);
        let bytes = |line, column| lines.and_then(|lines| lines.byte_column(line, column)).unwrap_or(column);
        Place {
            path: at.path.clone(),
            range: Range {
                start: Position { line: at.line, column: bytes(at.line, at.column) },
                end: Position { line: at.end_line, column: bytes(at.end_line, at.end_column) },
            },
        }
    };
    let diagnostics = report
        .findings
        .iter()
        .map(|reported| {
            let f = &reported.finding;
            let message = match &f.help {
                Some(help) => format!("{}\nhelp: {}", text::line(&f.message), text::line(help)),
                None => text::line(&f.message),
            };
            Diagnostic {
                message,
                location: place(&f.location),
                severity: match f.severity {
                    Severity::Error => "ERROR",
                    Severity::Warning => "WARNING",
                    Severity::Note => "INFO",
                },
                code: Code { value: f.rule },
                related_locations: f
                    .witness
                    .iter()
                    .take(1)
                    .flatten()
                    .map(|step| Related { message: text::line(&step.message), location: place(&step.location) })
                    .collect(),
            }
        })
        .collect();
    json::pretty(&DiagnosticResult { source: Source { name: env!("CARGO_PKG_NAME") }, diagnostics })
}
