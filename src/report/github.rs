//! Workflow annotations. The service shows ten of a kind for a step, so the worst come first and the
//! rest is counted.

use std::fmt::Write;

use super::{Report, Reported, concise, text};
use crate::finding::Severity;

const SHOWN: usize = 10;

pub fn render(report: &Report) -> String {
    let mut findings: Vec<&Reported> = report.findings.iter().collect();
    findings.sort_by_key(|r| std::cmp::Reverse((r.finding.severity, r.finding.confidence)));
    let mut out = String::new();
    for reported in findings.iter().take(SHOWN) {
        let f = &reported.finding;
        let kind = match f.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let mut message = text::line(&f.message);
        for step in f.witness.iter().take(1).flatten() {
            let _ = write!(message, "\n{}:{}: {}", text::line(&step.location.path), step.location.line, text::line(&step.message));
        }
        if let Some(help) = &f.help {
            let _ = write!(message, "\nhelp: {}", text::line(help));
        }
        // Columns are only understood for findings on one line.
        let columns = if f.location.line == f.location.end_line {
            format!(",col={},endColumn={}", f.location.column, f.location.end_column)
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "::{kind} file={},line={},endLine={}{columns},title={}::{}",
            text::command_property(&f.location.path),
            f.location.line,
            f.location.end_line,
            text::command_property(&format!("stateless: {}", f.rule)),
            text::command_data(&message),
        );
    }
    if let Some(more) = findings.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        let _ = writeln!(out, "{} not shown as annotations", text::count(more as u64, "more finding"));
    }
    let _ = writeln!(out, "{}", concise::verdict(report));
    out
}
