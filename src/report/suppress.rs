//! Allowances in comments and in the configuration.
//!
//! `// stateless: allow(rule-id, other-id) reason` covers its own line when code stands before it;
//! alone on a line it covers the item or statement that follows; at the head of a file, with a blank
//! line or imports after it, the whole file. Without a reason it allows nothing.

mod extent;

use std::collections::{BTreeMap, BTreeSet};

use super::source::Lines;
use super::{Allow, By, Reported, Settings, SourceText, Suppressed, text};
use crate::analysis::{FileComments, ItemSpan};
use crate::finding::{ChecklistItem, Confidence, Finding, Location, Persona, Severity};
use crate::rulebook::Rulebook;
use crate::syntax::hir::{Comment, Span};
use crate::workspace::model::Skip;

/// The rule id of a suppression that cannot be understood or gives no reason.
pub const INVALID_SUPPRESSION: &str = "invalid-suppression";
/// The rule id of a suppression that no finding needs.
pub const UNUSED_SUPPRESSION: &str = "unused-suppression";

/// How a comment that speaks to this program begins.
pub(super) const MARK: &str = "stateless:";
/// A comment reaches no further than this many lines for what it covers.
const FAR: u32 = 400;

#[derive(Debug, PartialEq)]
enum Scope {
    File,
    /// Findings that start or end on this line.
    Line(u32),
    /// Findings that start on one of these lines, inclusive.
    Lines(u32, u32),
    /// Findings on symbols of this pattern, anywhere.
    Symbol(String),
}

struct Allowance {
    location: Location,
    scope: Scope,
    /// Each rule, and whether it hid something.
    rules: Vec<(String, bool)>,
    reason: String,
}

pub struct Suppressions {
    allowances: Vec<Allowance>,
    /// Comment allowances of each file, as positions in `allowances`.
    by_path: BTreeMap<String, Vec<usize>>,
    by_symbol: Vec<usize>,
    invalid: Vec<(Location, String, String)>,
}

impl Suppressions {
    pub fn collect(comments: &[FileComments], items: &[ItemSpan], sources: &dyn SourceText, settings: &Settings, rules: &Rulebook) -> Self {
        let mut this = Self { allowances: Vec::new(), by_path: BTreeMap::new(), by_symbol: Vec::new(), invalid: Vec::new() };
        let marked = |comment: &Comment| comment.text.starts_with(MARK);
        let paths: BTreeSet<&str> =
            comments.iter().filter(|file| file.comments.iter().any(marked)).map(|file| file.path.as_str()).collect();
        let mut ends: BTreeMap<&str, BTreeMap<u32, u32>> = BTreeMap::new();
        for span in items.iter().filter(|span| paths.contains(span.path.as_str())) {
            let end = ends.entry(&span.path).or_default().entry(span.start_line).or_insert(span.end_line);
            *end = span.end_line.max(*end);
        }
        for file in comments.iter().filter(|file| paths.contains(file.path.as_str())) {
            let items = ends.remove(file.path.as_str()).unwrap_or_default();
            let context = FileContext::new(file, items, sources);
            for comment in &file.comments {
                let Some(parsed) = parse(&comment.text) else { continue };
                let location = location(&file.path, comment.span);
                let (ids, reason) = match parsed {
                    Ok(parsed) => parsed,
                    Err(problem) => {
                        this.invalid.push((location, comment.text.to_string(), problem));
                        continue;
                    }
                };
                let scope = context.scope(comment);
                this.add(location, scope, ids, reason, rules);
            }
        }
        for Allow { rule, symbol, reason, location } in &settings.allow {
            let scope = Scope::Symbol(symbol.clone());
            this.add(location.clone(), scope, vec![rule.clone()], reason.trim().to_owned(), rules);
        }
        this
    }

    fn add(&mut self, location: Location, scope: Scope, ids: Vec<String>, reason: String, rules: &Rulebook) {
        let mut known = Vec::new();
        for id in ids {
            if rules.get(&id).is_some() && id != INVALID_SUPPRESSION && id != UNUSED_SUPPRESSION {
                known.push((id, false));
                continue;
            }
            let hint = rules.closest(&id).map(|id| format!("; did you mean `{id}`?")).unwrap_or_default();
            self.invalid.push((location.clone(), id.clone(), format!("there is no rule `{id}`{hint}")));
        }
        if known.is_empty() {
            return;
        }
        if !reason.chars().any(char::is_alphanumeric) {
            let ids = known.into_iter().map(|(id, _)| id).collect::<Vec<_>>().join(", ");
            self.invalid.push((location, ids, "it gives no reason".into()));
            return;
        }
        let at = self.allowances.len();
        match scope {
            Scope::Symbol(_) => self.by_symbol.push(at),
            _ => self.by_path.entry(location.path.clone()).or_default().push(at),
        }
        self.allowances.push(Allowance { location, scope, rules: known, reason });
    }

    /// Moves allowed findings to `suppressed` and returns the others.
    pub fn apply(&mut self, reported: Vec<Reported>, suppressed: &mut Vec<Suppressed>) -> Vec<Reported> {
        let mut left = Vec::with_capacity(reported.len());
        for reported in reported {
            match self.allow(&reported.finding) {
                Some((by, reason)) => suppressed.push(Suppressed { reported, by, reason }),
                None => left.push(reported),
            }
        }
        left
    }

    /// Every allowance that covers a finding counts as used; the first one gives the reason.
    fn allow(&mut self, finding: &Finding) -> Option<(By, String)> {
        let mut found = None;
        let in_file = self.by_path.get(&finding.location.path).into_iter().flatten();
        for &at in in_file.chain(&self.by_symbol) {
            let Some(allowance) = self.allowances.get_mut(at) else { continue };
            if !allowance.scope.covers(finding) {
                continue;
            }
            let Some(rule) = allowance.rules.iter_mut().find(|(id, _)| id == finding.rule) else { continue };
            rule.1 = true;
            let by = if matches!(allowance.scope, Scope::Symbol(_)) { By::Config } else { By::Comment };
            found.get_or_insert_with(|| (by, allowance.reason.clone()));
        }
        found
    }

    /// Findings about the suppressions themselves, to be asked for after [`Self::apply`]. Files that
    /// were not understood, and rules that did not run, are no proof that an allowance is unused.
    pub fn complaints(self, settings: &Settings, errors: &[Skip]) -> Vec<Finding> {
        let mut findings = Vec::new();
        if settings.runs(INVALID_SUPPRESSION) {
            findings.extend(self.invalid.into_iter().map(|(location, what, problem)| {
                let message = format!("this suppression does not take effect: {}", text::line(&problem));
                complaint(INVALID_SUPPRESSION, location, &what, message, "write `stateless: allow(rule-id) reason`")
            }));
        }
        let unread: BTreeSet<&str> = errors.iter().map(|skip| skip.path.as_str()).collect();
        for allowance in self.allowances {
            if !settings.runs(UNUSED_SUPPRESSION) || unread.contains(allowance.location.path.as_str()) {
                continue;
            }
            let config = matches!(allowance.scope, Scope::Symbol(_));
            if config && (settings.partial || !errors.is_empty()) {
                continue;
            }
            let path = &allowance.location.path;
            let ran = |rule: &str| if config { settings.runs(rule) && !settings.partly_off(rule) } else { settings.runs_at(rule, path) };
            for (rule, _) in allowance.rules.iter().filter(|(rule, used)| !used && ran(rule)) {
                let what = match &allowance.scope {
                    Scope::Symbol(symbol) => format!("{rule} {symbol}"),
                    _ => rule.clone(),
                };
                let message = format!("this suppression would hide the next real finding: there is no `{rule}` here now");
                let help = "remove it; to cover a whole file, put it at the head with a blank line after it";
                findings.push(complaint(UNUSED_SUPPRESSION, allowance.location.clone(), &what, message, help));
            }
        }
        findings.retain(|finding| settings.runs_at(finding.rule, &finding.location.path));
        findings.iter_mut().for_each(|finding| settings.adjust(finding));
        findings
    }
}

impl Scope {
    fn covers(&self, finding: &Finding) -> bool {
        let Location { line, end_line, .. } = finding.location;
        match self {
            Scope::File => true,
            Scope::Line(own) => line == *own || end_line == *own,
            Scope::Lines(first, last) => (*first..=*last).contains(&line),
            Scope::Symbol(pattern) => matches_pattern(pattern, &finding.symbol),
        }
    }
}

/// A suppression belongs to no checklist item; the checklist leaves these findings out, and a
/// deliberate exception is closest to a quarantine.
fn complaint(rule: &'static str, location: Location, what: &str, message: String, help: &str) -> Finding {
    Finding {
        rule,
        item: ChecklistItem::Quarantine,
        severity: Severity::Warning,
        confidence: Confidence::High,
        persona: Persona::Regular,
        reason: "reporting because a suppression must say what it hides and why".into(),
        package: String::new(),
        symbol: format!("{}: {what}", location.path),
        ty: None,
        message,
        location,
        witness: Vec::new(),
        home: None,
        help: Some(help.into()),
        related: Vec::new(),
    }
}

/// `None` if the comment is no suppression; an error if it was meant to be one.
fn parse(comment: &str) -> Option<Result<(Vec<String>, String), String>> {
    let rest = comment.strip_prefix(MARK)?.trim_start();
    let verb_end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').unwrap_or(rest.len());
    let (verb, rest) = rest.split_at_checked(verb_end)?;
    let rest = rest.trim_start();
    if verb != "allow" {
        let meant = rest.starts_with('(') && strsim::damerau_levenshtein(verb, "allow") <= 2;
        return meant.then(|| Err(format!("`{verb}` is no known word; did you mean `allow`?")));
    }
    let Some((ids, reason)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
        return Some(Err("it names no rule in parentheses".into()));
    };
    let ids: Vec<String> = ids.split(',').map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).collect();
    if ids.is_empty() {
        return Some(Err("it names no rule in parentheses".into()));
    }
    let reason = reason.trim_start_matches([' ', ':', '-', '–', '—', '\t']);
    Some(Ok((ids, reason.split_whitespace().collect::<Vec<_>>().join(" "))))
}

/// `*` stands for any text.
fn matches_pattern(pattern: &str, symbol: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = symbol.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What is needed of one file to tell what a comment covers.
struct FileContext {
    lines: Option<Lines>,
    /// Last line of the longest item that starts on a line.
    items: BTreeMap<u32, u32>,
    /// Last line of the comment that stands alone on a line.
    comments: BTreeMap<u32, u32>,
}

impl FileContext {
    fn new(file: &FileComments, items: BTreeMap<u32, u32>, sources: &dyn SourceText) -> Self {
        let alone = file.comments.iter().filter(|c| c.alone).map(|c| (c.span.line, c.span.end_line));
        Self { lines: sources.text(&file.path).map(Lines::new), items, comments: alone.collect() }
    }

    fn scope(&self, comment: &Comment) -> Scope {
        let Span { line, end_line, .. } = comment.span;
        if !comment.alone {
            return Scope::Line(line);
        }
        let next = self.next_code_line(end_line.saturating_add(1));
        if self.is_head(line, end_line, next) {
            return Scope::File;
        }
        let end = match (self.items.get(&next), &self.lines) {
            (Some(&end), _) => end,
            (None, Some(lines)) => extent::statement_end(lines, next, FAR),
            (None, None) => next,
        };
        Scope::Lines(line, end.max(next))
    }

    fn is_head(&self, line: u32, end_line: u32, next: u32) -> bool {
        if self.items.keys().next().is_some_and(|first| *first < line) {
            return false;
        }
        let Some(lines) = &self.lines else { return false };
        let detached = lines.line(end_line.saturating_add(1)).is_none_or(|text| {
            let text = text.trim();
            text.is_empty() || text.starts_with("#![") || text.starts_with("//!")
        });
        let imports = lines.line(next).is_some_and(|text| {
            let text = text.trim_start();
            let text = text.strip_prefix("pub ").unwrap_or(text);
            ["use ", "extern crate "].iter().any(|word| text.starts_with(word))
                || (text.starts_with("mod ") && text.trim_end().ends_with(';'))
        });
        detached || imports
    }

    /// The first line from `line` on that is neither blank, nor comment, nor attribute.
    fn next_code_line(&self, mut line: u32) -> u32 {
        let limit = line.saturating_add(FAR);
        while line < limit {
            if let Some(end) = self.comments.get(&line) {
                line = line.max(*end).saturating_add(1);
                continue;
            }
            let Some(text) = self.lines.as_ref().and_then(|lines| lines.line(line)) else { return line };
            let text = text.trim();
            if text.starts_with("#[") || text.starts_with("#![") {
                let Some(lines) = &self.lines else { return line };
                let end = extent::attribute_end(lines, line);
                if end.1 {
                    return line;
                }
                line = end.0.saturating_add(1);
            } else if text.is_empty() {
                line = line.saturating_add(1);
            } else {
                return line;
            }
        }
        line
    }
}

fn location(path: &str, span: Span) -> Location {
    Location { path: path.to_owned(), line: span.line, column: span.column, end_line: span.end_line, end_column: span.end_column }
}

#[cfg(test)]
mod tests;
