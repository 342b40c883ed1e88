//! A review comment: the checklist as a table, each finding folded away.

use std::fmt::Write;

use super::source::Sources;
use super::{Context, Report, Reported, Status, concise, item_name, item_question, quarantine, severity_name, text};

/// Bytes of a comment after which findings are only counted; code hosts refuse about 65,000.
const LIMIT: usize = 60_000;
/// Lines of source that a finding quotes.
const QUOTED: u32 = 6;

pub fn render(report: &Report, context: &Context<'_>) -> String {
    let mut out = String::from("<!-- cargo-stateless -->\n### Stateless-design review\n\n");
    let _ = writeln!(out, "{}.\n", text::markdown(&concise::verdict(report)));
    out.push_str("| | checklist item | verdict |\n|---|---|---|\n");
    for item in &report.checklist {
        let mark = match item.status {
            Status::Pass => ":white_check_mark:",
            Status::Fail => ":x:",
            Status::NotAssessed => ":grey_question:",
        };
        let mut verdict = format!("{}: {}", item.status.name(), text::markdown_cell(&item.reason));
        for fact in &item.facts {
            let _ = write!(verdict, "<br>{}", text::markdown_cell(fact));
        }
        let _ = writeln!(out, "| {mark} | **{}**<br>{} | {verdict} |", item_name(item.item), text::markdown(item_question(item.item)));
    }
    out.push('\n');
    let mut sources = Sources::default();
    for (n, reported) in report.findings.iter().enumerate() {
        let mut part = String::new();
        finding(reported, context, &mut sources, &mut part);
        if out.len() + part.len() > LIMIT {
            let left = (report.findings.len() - n) as u64;
            let _ = writeln!(out, "{} did not fit into this comment.\n", text::count(left, "more finding"));
            break;
        }
        out.push_str(&part);
    }
    for section in &report.quarantine {
        let (head, held) = quarantine::lines(section, &report.suppressed);
        let _ = writeln!(out, "**Quarantine** {}\n", text::markdown(&head));
        for held in &held {
            let f = &held.reported.finding;
            let place = format!("{}:{}", f.location.path, f.location.line);
            let _ = writeln!(out, "- {} in {} ({})", f.rule, text::markdown_code(&f.symbol), text::markdown_code(&place));
        }
        out.push('\n');
    }
    let s = &report.summary;
    let _ = writeln!(
        out,
        "<sub>{}, {} and {} in {}; {} of {} calls could not be followed.</sub>",
        text::count(s.entry_points, "entry point"),
        text::count(s.cells, "cell"),
        text::count(s.effects, "effect"),
        text::count(s.files, "file"),
        text::grouped(s.unknown_calls),
        text::grouped(s.calls),
    );
    if s.entry_points == 0 {
        out.push_str("\nNo entry point was found: this is no proof that a service is stateless.\n");
    }
    out
}

fn finding(reported: &Reported, context: &Context<'_>, sources: &mut Sources, out: &mut String) {
    let f = &reported.finding;
    let _ = writeln!(
        out,
        "<details>\n<summary><b>{}</b> <code>{}</code> {}</summary>\n",
        severity_name(f.severity),
        f.rule,
        text::xml(&text::line(&f.message)).replace('@', "&#64;"),
    );
    let place = format!("{}:{}", f.location.path, f.location.line);
    let _ = writeln!(out, "{} in {}\n", text::markdown_code(&f.symbol), text::markdown_code(&place));
    if let Some(lines) = sources.get(&f.location.path, context.sources) {
        let last = f.location.end_line.min(f.location.line.saturating_add(QUOTED - 1));
        let quoted: Vec<&str> = (f.location.line..=last).filter_map(|line| lines.line(line)).collect();
        if !quoted.is_empty() {
            let language = if f.location.path.ends_with(".rs") { "rust" } else { "" };
            let clipped: Vec<String> = quoted.iter().map(|line| line.chars().take(240).collect()).collect();
            let _ = writeln!(out, "{}", text::markdown_block(language, &clipped.join("\n")));
        }
    }
    for step in f.witness.iter().take(1).flatten() {
        let place = format!("{}:{}", step.location.path, step.location.line);
        let _ = writeln!(out, "1. {} ({})", text::markdown(&step.message), text::markdown_code(&place));
    }
    if f.witness.first().is_some_and(|path| !path.is_empty()) {
        out.push('\n');
    }
    if let Some(help) = &f.help {
        let _ = writeln!(out, "**What to do:** {}\n", text::markdown(help));
    }
    let _ = writeln!(out, "{}.\n", text::markdown(&f.reason));
    out.push_str("</details>\n\n");
}
