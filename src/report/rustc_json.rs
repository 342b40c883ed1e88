//! Diagnostics as rustc prints them with `--error-format=json`, one a line, for editors that know
//! how to read those.

use serde::Serialize;

use super::source::Sources;
use super::{Context, Report, severity_name, text};
use crate::finding::Location;

#[derive(Serialize)]
struct Diagnostic<'a> {
    #[serde(rename = "$message_type")]
    message_type: &'static str,
    message: String,
    code: Option<Code<'a>>,
    level: &'static str,
    spans: Vec<Span>,
    children: Vec<Diagnostic<'a>>,
    rendered: Option<String>,
}

#[derive(Serialize)]
struct Code<'a> {
    code: &'a str,
    explanation: Option<&'a str>,
}

#[derive(Serialize)]
struct Span {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    line_start: u32,
    line_end: u32,
    column_start: u32,
    column_end: u32,
    is_primary: bool,
    text: Vec<SpanLine>,
    label: Option<String>,
    suggested_replacement: Option<String>,
    suggestion_applicability: Option<String>,
    expansion: Option<()>,
}

#[derive(Serialize)]
struct SpanLine {
    text: String,
    highlight_start: u32,
    highlight_end: u32,
}

pub fn render(report: &Report, context: &Context<'_>) -> String {
    let mut sources = Sources::default();
    let mut out = String::new();
    for reported in &report.findings {
        let f = &reported.finding;
        let mut spans = vec![span(&f.location, true, None, &mut sources, context)];
        for step in f.witness.iter().take(1).flatten() {
            spans.push(span(&step.location, false, Some(text::line(&step.message)), &mut sources, context));
        }
        let help = f.help.iter().map(|help| ("help", help));
        let children = help
            .chain([("note", &f.reason)])
            .map(|(level, message)| Diagnostic {
                message_type: "diagnostic",
                message: text::line(message),
                code: None,
                level,
                spans: Vec::new(),
                children: Vec::new(),
                rendered: None,
            })
            .collect();
        let message = text::line(&f.message);
        let level = severity_name(f.severity);
        let rendered =
            format!("{level}[{}]: {message}\n --> {}:{}:{}\n", f.rule, text::line(&f.location.path), f.location.line, f.location.column);
        let explanation = context.rules.get(f.rule).map(|rule| rule.title.as_str());
        let diagnostic = Diagnostic {
            message_type: "diagnostic",
            message,
            code: Some(Code { code: f.rule, explanation }),
            level,
            spans,
            children,
            rendered: Some(rendered),
        };
        if let Ok(json) = serde_json::to_string(&diagnostic) {
            out.push_str(&json);
            out.push('\n');
        }
    }
    out
}

fn span(at: &Location, is_primary: bool, label: Option<String>, sources: &mut Sources, context: &Context<'_>) -> Span {
    let lines = sources.get(&at.path, context.sources);
    let offset = |line, column| lines.and_then(|lines| lines.offset(line, column)).unwrap_or(0);
    let byte_start = offset(at.line, at.column);
    let text = lines.and_then(|lines| lines.line(at.line)).map(|line| {
        let length = line.chars().count() as u32 + 1;
        let end = if at.line == at.end_line { at.end_column } else { length };
        SpanLine { text: text::snippet(line), highlight_start: at.column, highlight_end: end }
    });
    Span {
        file_name: at.path.clone(),
        byte_start,
        byte_end: offset(at.end_line, at.end_column).max(byte_start),
        line_start: at.line,
        line_end: at.end_line,
        column_start: at.column,
        column_end: at.end_column,
        is_primary,
        text: text.into_iter().collect(),
        label,
        suggested_replacement: None,
        suggestion_applicability: None,
        expansion: None,
    }
}
