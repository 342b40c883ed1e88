//! What comes after the findings.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Colour, paint, wrap};
use crate::analysis::{InventoryKind, InventoryRow};
use crate::finding::Severity;
use crate::report::{Report, Status, Style, Suppressed, item_name, quarantine, text};
use crate::workspace::model::Skip;

/// Unread files that are named without `-v`.
const NAMED: usize = 5;

pub fn checklist(report: &Report, style: Style, out: &mut String) {
    let _ = writeln!(out, "{}", paint(style, Colour::Bold, "Stateless-design checklist"));
    for item in &report.checklist {
        let (mark, colour) = match (item.status, style.unicode) {
            (Status::Pass, true) => ("✔", Colour::Green),
            (Status::Pass, false) => ("+", Colour::Green),
            (Status::Fail, true) => ("✘", Colour::Red),
            (Status::Fail, false) => ("x", Colour::Red),
            (Status::NotAssessed, _) => ("?", Colour::Dim),
        };
        let status = paint(style, colour, &format!("{mark} {:<12}", item.status.name()));
        let label = format!("  {status}  {:<17}  ", item_name(item.item));
        out.push_str(&label);
        let mut said = String::new();
        wrap("", &text::line(&item.reason), Style { width: style.width.saturating_sub(37), ..style }, &mut said);
        let indent = format!("\n{}", " ".repeat(37));
        out.push_str(&said.trim_end().replace('\n', &indent));
        out.push('\n');
        for fact in &item.facts {
            let _ = write!(out, "{}", " ".repeat(33));
            wrap("  - ", &text::line(fact), Style { width: style.width.saturating_sub(33), ..style }, out);
        }
    }
    out.push('\n');
}

/// What is irreducible on purpose, with what each declaration holds.
pub fn quarantine(report: &Report, style: Style, out: &mut String) {
    if report.quarantine.is_empty() {
        return;
    }
    let _ = writeln!(out, "{}", paint(style, Colour::Bold, "Quarantine"));
    for section in &report.quarantine {
        let (head, held) = quarantine::lines(section, &report.suppressed);
        wrap("  ", &text::line(&head), style, out);
        for Suppressed { reported, .. } in held {
            let f = &reported.finding;
            wrap("    - ", &text::line(&format!("{} on {} ({}:{})", f.rule, f.symbol, f.location.path, f.location.line)), style, out);
        }
    }
    out.push('\n');
}

pub fn coverage(report: &Report, style: Style, out: &mut String) {
    let s = &report.summary;
    let unknown = match s.calls {
        0 => String::new(),
        calls => format!(
            "; {} of {} calls ({} %) could not be followed",
            text::grouped(s.unknown_calls),
            text::grouped(calls),
            s.unknown_calls.saturating_mul(100).div_ceil(calls)
        ),
    };
    let found = format!(
        "{}, {} and {} in {} of {}{unknown}.",
        text::count(s.entry_points, "entry point"),
        text::count(s.cells, "cell"),
        text::count(s.effects, "effect"),
        text::count(s.files, "file"),
        text::count(s.crates, "crate"),
    );
    wrap("Looked at: ", &found, style, out);
    if s.entry_points == 0 {
        let means = "no entry point was found, so nothing here was seen to answer requests: this is a library, a tool, \
                     or a service built on a framework that is not known. It is no proof that a service is stateless.";
        wrap("Note:      ", means, style, out);
    }
    unread(report, style, out);
    if !report.stale.is_empty() {
        let said = format!(
            "{} of the baseline match nothing any more; `cargo stateless baseline --prune` removes them.",
            text::count(report.stale.len() as u64, "entry")
        );
        wrap("Baseline:  ", &said, style, out);
    }
    if let Some(since) = &report.since {
        let commit: String = since.commit.chars().take(12).collect();
        wrap(
            "Since:     ",
            &text::line(&format!("{} ({commit}); {} there before.", since.revision, text::count(report.hidden.since, "finding"))),
            style,
            out,
        );
    }
    wrap("Result:    ", &result(report), style, out);
}

fn unread(report: &Report, style: Style, out: &mut String) {
    let code = format!("{} of service code could not be read.", text::count(report.errors.len() as u64, "part"));
    list(&code, &report.errors, style, out);
    let manifests = format!("{} could not be read.", text::count(report.unread_manifests.len() as u64, "manifest"));
    list(&manifests, &report.unread_manifests, style, out);
    if style.verbosity > 0 {
        for skip in &report.skipped {
            wrap("Left out:  ", &text::line(&format!("{}: {}", skip.path, skip.reason)), style, out);
        }
    }
}

fn list(said: &str, unread: &[Skip], style: Style, out: &mut String) {
    if unread.is_empty() {
        return;
    }
    wrap("Unread:    ", said, style, out);
    let named = if style.verbosity > 0 { usize::MAX } else { NAMED };
    for skip in unread.iter().take(named) {
        wrap("           - ", &text::line(&format!("{}: {}", skip.path, skip.reason)), style, out);
    }
    if unread.len() > named {
        let _ = writeln!(out, "           - {} more (-v names them)", unread.len() - named);
    }
}

fn result(report: &Report) -> String {
    let count = |severity| report.findings.iter().filter(|r| r.finding.severity == severity).count() as u64;
    let mut parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning"), (Severity::Note, "note")]
        .into_iter()
        .map(|(severity, name)| (count(severity), name))
        .filter(|(n, _)| *n > 0)
        .map(|(n, name)| text::count(n, name))
        .collect();
    if parts.is_empty() {
        parts.push("no findings".into());
    }
    if !report.suppressed.is_empty() {
        parts.push(format!("{} suppressed", report.suppressed.len()));
    }
    if report.hidden.persona > 0 {
        parts.push(format!("{} for a more curious persona (--persona pedantic)", report.hidden.persona));
    }
    if report.hidden.paths > 0 {
        parts.push(format!("{} in other files", report.hidden.paths));
    }
    let mut said = parts.join(", ");
    if let Some(first) = report.findings.first() {
        let _ = write!(said, ". `cargo stateless explain {}` tells more.", first.finding.rule);
    }
    said
}

/// Entry points, cells with their accesses, and effects; each with its verdict.
pub fn inventory(report: &Report, style: Style, out: &mut String) {
    let mut accesses: BTreeMap<&str, Vec<&InventoryRow>> = BTreeMap::new();
    for row in report.inventory.iter().filter(|row| row.kind == InventoryKind::Access) {
        accesses.entry(&row.symbol).or_default().push(row);
    }
    let mut kind = None;
    for row in report.inventory.iter().filter(|row| row.kind != InventoryKind::Access) {
        if kind != Some(row.kind) {
            kind = Some(row.kind);
            let title = match row.kind {
                InventoryKind::Entry => "Entry points",
                InventoryKind::Cell | InventoryKind::Access => "Cells",
                InventoryKind::Effect => "Effects",
            };
            let _ = writeln!(out, "{}", paint(style, Colour::Bold, title));
        }
        let ty = row.ty.as_ref().map(|ty| format!(": {ty}")).unwrap_or_default();
        let phase = row.phase.as_ref().map(|phase| format!(" [{phase}]")).unwrap_or_default();
        wrap("  ", &text::line(&format!("{}{ty}{phase}", row.symbol)), style, out);
        wrap("    at:      ", &text::line(&place(row)), style, out);
        wrap("    verdict: ", &text::line(&format!("{}; {}", row.verdict, row.reason)), style, out);
        match accesses.remove(row.symbol.as_str()).filter(|_| row.kind == InventoryKind::Cell) {
            Some(rows) => rows.into_iter().for_each(|row| access(row, style, out)),
            None => row.detail.iter().for_each(|detail| wrap("    - ", &text::line(detail), style, out)),
        }
    }
    if kind.is_some() {
        out.push('\n');
    }
}

fn place(row: &InventoryRow) -> String {
    format!("{}:{}:{}", row.location.path, row.location.line, row.location.column)
}

fn access(row: &InventoryRow, style: Style, out: &mut String) {
    let phase = row.phase.as_deref().unwrap_or("not reached");
    wrap("    - ", &text::line(&format!("{} at {} [{phase}]", row.reason, place(row))), style, out);
    if let Some(facts) = &row.access {
        let mut said = format!("`{}` in {}", facts.method, facts.function);
        let known = [("key from", &facts.key_from), ("value from", &facts.value_from), ("miss path:", &facts.miss)];
        for (what, fact) in known {
            if let Some(fact) = fact {
                let _ = write!(said, "; {what} {fact}");
            }
        }
        wrap("      ", &text::line(&said), style, out);
    }
    for detail in &row.detail {
        wrap("      ", &text::line(detail), style, out);
    }
}
