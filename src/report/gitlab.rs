//! GitLab code quality.

use serde::Serialize;

use super::{Report, json, text};
use crate::finding::Severity;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: &'static str,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

pub fn render(report: &Report) -> String {
    let issues: Vec<Issue> = report
        .findings
        .iter()
        .map(|reported| {
            let f = &reported.finding;
            Issue {
                description: text::line(&f.message),
                check_name: f.rule,
                fingerprint: reported.fingerprint.clone(),
                severity: match f.severity {
                    Severity::Error => "critical",
                    Severity::Warning => "major",
                    Severity::Note => "info",
                },
                location: Location { path: f.location.path.clone(), lines: Lines { begin: f.location.line, end: f.location.end_line } },
            }
        })
        .collect();
    json::pretty(&issues)
}
