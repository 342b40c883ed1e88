//! One line a finding, `path:line:column: severity[rule] message`, and one line at the end.

use std::fmt::Write;

use super::{Report, severity_name, text};

pub fn render(report: &Report) -> String {
    let mut out = String::new();
    for reported in &report.findings {
        let f = &reported.finding;
        let _ = writeln!(
            out,
            "{}:{}:{}: {}[{}] {}",
            text::line(&f.location.path),
            f.location.line,
            f.location.column,
            severity_name(f.severity),
            f.rule,
            text::line(&f.message),
        );
    }
    let _ = writeln!(out, "{}", verdict(report));
    out
}

/// The whole report in one sentence.
pub fn verdict(report: &Report) -> String {
    let failed = report.checklist.iter().filter(|item| item.status == super::Status::Fail).count();
    let unassessed = report.checklist.iter().filter(|item| item.status == super::Status::NotAssessed).count();
    let mut out = match report.findings.len() {
        0 => "no findings".to_owned(),
        n => text::count(n as u64, "finding"),
    };
    let _ = write!(out, "; checklist: {} passed, {failed} failed, {unassessed} not assessed", 8 - failed - unassessed);
    let hidden = report.hidden.persona;
    if hidden > 0 {
        let _ = write!(out, "; {} for another persona not shown", text::count(hidden, "finding"));
    }
    if let Some(since) = &report.since {
        let _ = write!(out, "; {} there before {}", report.hidden.since, text::line(&since.revision));
    }
    if !report.suppressed.is_empty() {
        let _ = write!(out, "; {} suppressed", report.suppressed.len());
    }
    out
}
