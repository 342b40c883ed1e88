//! Source snippets: the primary file first, then every other file of the witness in its order.

use std::fmt;
use std::fmt::Write;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};
use textwrap::{WordSeparator, WordSplitter};

use crate::finding::{Finding, Location, Severity};
use crate::report::source::{Lines, Sources};
use crate::report::{Context, SourceText, Style, text};

/// Characters of a source line that are shown.
const LINE: usize = 240;

/// Labels of one file.
struct Marks {
    path: String,
    labels: Vec<(Location, String)>,
}

pub fn draw(finding: &Finding, context: &Context<'_>, sources: &mut Sources, out: &mut String) {
    let safe = |path: &str| context.sources.text(path).map(|source| display(&source));
    for (n, marks) in marks(finding, context.style).into_iter().enumerate() {
        let message = match n {
            0 => text::line(&finding.message),
            _ => format!("also in {}", text::line(&marks.path)),
        };
        let severity = match (n, finding.severity) {
            (0, Severity::Error) => miette::Severity::Error,
            (0, Severity::Warning) => miette::Severity::Warning,
            _ => miette::Severity::Advice,
        };
        let lines = sources.get(&marks.path, &safe as &dyn SourceText);
        let name = text::line(&marks.path);
        let spans = lines.map(|lines| spans(&marks.labels, lines)).unwrap_or_default();
        let shown = spans.len() == marks.labels.len();
        let source = lines.map(|lines| Named { name, text: &lines.text });
        let snippet = Snippet { message, severity, spans, source: source.filter(|_| shown) };
        if handler(context.style).render_report(out, &snippet).is_err() || !shown {
            unquoted(&marks, out);
        }
    }
}

/// Where a file cannot be quoted the places are listed.
fn unquoted(marks: &Marks, out: &mut String) {
    for (at, label) in &marks.labels {
        let label = if label.is_empty() { "here" } else { label };
        let _ = writeln!(out, "    {}:{}:{}: {label}", text::line(&at.path), at.line, at.column);
    }
}

fn marks(finding: &Finding, style: Style) -> Vec<Marks> {
    let mut files = vec![Marks { path: finding.location.path.clone(), labels: Vec::new() }];
    let paths = if style.verbosity > 0 { finding.witness.len() } else { 1 };
    let steps: Vec<_> = finding.witness.iter().take(paths).flatten().collect();
    // A step on the same lines says it better than a mark without words.
    let own = &finding.location;
    let spoken = |at: &Location| at.path == own.path && (own.line..=own.end_line).contains(&at.line);
    if !steps.iter().any(|step| spoken(&step.location)) {
        put(&mut files, &finding.location, String::new());
    }
    for (n, step) in steps.iter().enumerate() {
        let said = text::line(&step.message);
        let label = if steps.len() > 1 { format!("{}: {said}", n + 1) } else { said };
        put(&mut files, &step.location, label);
    }
    files
}

fn put(files: &mut Vec<Marks>, at: &Location, label: String) {
    let marks = match files.iter().position(|marks| marks.path == at.path) {
        Some(n) => &mut files[n],
        None => {
            files.push(Marks { path: at.path.clone(), labels: Vec::new() });
            let last = files.len() - 1;
            &mut files[last]
        }
    };
    match marks.labels.iter_mut().find(|(place, _)| place == at) {
        Some((_, said)) => {
            said.push_str("; ");
            said.push_str(&label);
        }
        None => marks.labels.push((at.clone(), label)),
    }
}

/// Labels that point into the text; a place of several lines is marked on its first.
fn spans(labels: &[(Location, String)], lines: &Lines) -> Vec<LabeledSpan> {
    labels
        .iter()
        .filter_map(|(at, label)| {
            let start = lines.offset(at.line, at.column)?;
            let end = if at.end_line == at.line {
                lines.offset(at.line, at.end_column)?
            } else {
                lines.offset(at.line, 1)? + lines.line(at.line)?.trim_end().len()
            };
            let label = (!label.is_empty()).then(|| label.clone());
            Some(LabeledSpan::new(label, start, end.saturating_sub(start)))
        })
        .collect()
}

/// Harmless source text whose lines have an end.
fn display(source: &str) -> String {
    let safe = text::snippet(source);
    if safe.lines().all(|line| line.len() <= LINE) {
        return safe;
    }
    let mut out = String::new();
    for line in safe.split_inclusive('\n') {
        match line.char_indices().nth(LINE) {
            Some((at, _)) if line.len() > at + 1 => {
                out.push_str(line.get(..at).unwrap_or_default());
                out.push_str("...\n");
            }
            _ => out.push_str(line),
        }
    }
    out
}

fn handler(style: Style) -> GraphicalReportHandler {
    let theme = match (style.unicode, style.colour) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme { styles: miette::ThemeStyles::ansi(), ..GraphicalTheme::ascii() },
        (false, false) => GraphicalTheme::none(),
    };
    GraphicalReportHandler::new_themed(theme)
        .with_width(style.width.max(40))
        .with_links(false)
        // A line must not start in the middle of a name, where it could look like a workflow command.
        .with_break_words(false)
        .with_word_separator(WordSeparator::AsciiSpace)
        .with_word_splitter(WordSplitter::NoHyphenation)
        .without_syntax_highlighting()
}

struct Snippet<'a> {
    message: String,
    severity: miette::Severity,
    spans: Vec<LabeledSpan>,
    source: Option<Named<'a>>,
}

impl fmt::Debug for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Snippet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Snippet<'_> {}

impl Diagnostic for Snippet<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(self.severity)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.spans.iter().cloned()))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }
}

struct Named<'a> {
    name: String,
    text: &'a str,
}

impl SourceCode for Named<'_> {
    fn read_span<'b>(&'b self, span: &SourceSpan, before: usize, after: usize) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let inner = self.text.read_span(span, before, after)?;
        // Columns are counted in characters here, in bytes there.
        let before = self.text.get(..inner.span().offset()).unwrap_or_default();
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            inner.data(),
            *inner.span(),
            inner.line(),
            column,
            inner.line_count(),
        )))
    }
}
