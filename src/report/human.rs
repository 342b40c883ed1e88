//! For people at a terminal: snippets with both ends of each witness, the checklist, the coverage.

mod snippets;
mod summary;

use std::fmt::Write;

use unicode_width::UnicodeWidthStr;

use super::source::Sources;
use super::{Context, Report, Reported, Style, severity_name, text};
use crate::finding::{Confidence, Severity};

pub fn render(report: &Report, context: &Context<'_>) -> String {
    let style = context.style;
    let mut out = String::new();
    if style.verbosity <= -2 {
        return out;
    }
    let mut sources = Sources::default();
    for reported in &report.findings {
        finding(reported, context, &mut sources, &mut out);
        out.push('\n');
    }
    if style.verbosity >= 0 {
        summary::inventory(report, style, &mut out);
        summary::quarantine(report, style, &mut out);
        summary::checklist(report, style, &mut out);
        summary::coverage(report, style, &mut out);
    }
    out
}

fn finding(reported: &Reported, context: &Context<'_>, sources: &mut Sources, out: &mut String) {
    let f = &reported.finding;
    let style = context.style;
    let colour = match f.severity {
        Severity::Error => Colour::Red,
        Severity::Warning => Colour::Yellow,
        Severity::Note => Colour::Cyan,
    };
    let head = format!("{}[{}]", severity_name(f.severity), f.rule);
    let _ = writeln!(out, "{}", paint(style, colour, &head));
    snippets::draw(f, context, sources, out);
    let cell = match &f.ty {
        Some(ty) => format!("{}: {ty}", f.symbol),
        None => f.symbol.clone(),
    };
    wrap("  what: ", &text::line(&cell), style, out);
    if let Some(home) = &f.home {
        wrap("  home: ", &text::line(home), style, out);
    }
    if let Some(help) = &f.help {
        wrap("  help: ", &text::line(help), style, out);
    }
    let confidence = match f.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    wrap("  note: ", &format!("{} (confidence: {confidence})", text::line(&f.reason)), style, out);
    for (rule, symbol) in &f.related {
        wrap("  see:  ", &text::line(&format!("{rule} on {symbol}")), style, out);
    }
}

#[derive(Clone, Copy)]
enum Colour {
    Red,
    Green,
    Yellow,
    Cyan,
    Bold,
    Dim,
}

fn paint(style: Style, colour: Colour, text: &str) -> String {
    if !style.colour || text.is_empty() {
        return text.to_owned();
    }
    let code = match colour {
        Colour::Red => "1;31",
        Colour::Green => "32",
        Colour::Yellow => "1;33",
        Colour::Cyan => "36",
        Colour::Bold => "1",
        Colour::Dim => "2",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Writes words behind a label and breaks lines at the width; later lines start below the first word.
fn wrap(label: &str, words: &str, style: Style, out: &mut String) {
    let indent = label.width();
    let mut column = indent;
    out.push_str(&paint(style, Colour::Cyan, label));
    for (n, word) in words.split_whitespace().enumerate() {
        let width = word.width();
        if n > 0 && column + 1 + width > style.width.max(indent + 20) {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if n > 0 {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += width;
    }
    out.push('\n');
}
