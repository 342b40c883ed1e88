//! `explain` and `rules`.

use std::fmt::Write;

use crate::finding::ChecklistItem;
use crate::report::{item_name, item_question, severity_name};
use crate::rulebook::{RuleInfo, Rulebook};

/// How pages are laid out.
#[derive(Clone, Copy)]
pub struct Look {
    pub width: usize,
    pub colour: bool,
}

impl Look {
    fn bold(self, text: &str) -> String {
        if self.colour { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The page of a rule; the error names the rule that was probably meant.
pub fn explain(book: &Rulebook, id: &str, look: Look) -> Result<String, String> {
    match book.get(id) {
        Some(rule) => Ok(page(rule, look)),
        None => {
            let hint = book.closest(id).map(|id| format!("; did you mean `{id}`?")).unwrap_or_default();
            Err(format!("there is no rule `{}`{hint} (`cargo stateless rules` lists them)", id.escape_debug()))
        }
    }
}

fn page(rule: &RuleInfo, look: Look) -> String {
    let mut out = format!("{}: {}\n\n", look.bold(&rule.id), rule.title);
    let _ = writeln!(out, "checklist item  {}", item_name(rule.item));
    let _ = writeln!(out, "severity        {}", severity_name(rule.severity));
    let _ = writeln!(out, "right home      {}", rule.home);
    if !rule.cwe.is_empty() {
        let cwe: Vec<String> = rule.cwe.iter().map(|n| format!("CWE-{n}")).collect();
        let _ = writeln!(out, "weakness        {}", cwe.join(", "));
    }
    let _ = writeln!(out, "since           {}\n", rule.since);
    markdown(&rule.page, look, &mut out);
    if !rule.limits.is_empty() && !rule.page.contains("## Limits") {
        let list: String = rule.limits.iter().map(|limit| format!("- {limit}\n")).collect();
        markdown(&format!("\n## Limits\n\n{list}"), look, &mut out);
    }
    let _ = writeln!(out, "\nTo allow one on purpose: // stateless: allow({}) the reason", rule.id);
    out
}

/// Lays out the Markdown that pages use: headings, paragraphs, lists and fenced code.
fn markdown(page: &str, look: Look, out: &mut String) {
    let mut fenced = false;
    for line in page.lines() {
        if line.starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let _ = writeln!(out, "{}", format!("    {line}").trim_end());
        } else if let Some(heading) = line.strip_prefix("## ") {
            let _ = writeln!(out, "{}", look.bold(heading));
        } else {
            let indent = if line.starts_with("- ") { "    " } else { "  " };
            let options = textwrap::Options::new(look.width).initial_indent("  ").subsequent_indent(indent);
            let _ = writeln!(out, "{}", textwrap::fill(line, options).trim_end());
        }
    }
}

/// All rules below the checklist item that they belong to.
pub fn list(book: &Rulebook, look: Look) -> String {
    let width = book.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for item in ChecklistItem::ALL {
        let rules: Vec<&RuleInfo> = book.iter().filter(|rule| rule.item == item).collect();
        if rules.is_empty() {
            continue;
        }
        let gap = if out.is_empty() { "" } else { "\n" };
        let _ = writeln!(out, "{gap}{}: {}", look.bold(item_name(item)), item_question(item));
        for rule in rules {
            let _ = writeln!(out, "  {:<width$}  {:<7}  {}", rule.id, severity_name(rule.severity), rule.title);
        }
    }
    out
}
