//! `explain` and `rules`.

use std::fmt::Write;

use crate::report::{item_name, severity_name};
use crate::rulebook::{RuleInfo, Rulebook};

/// The page of a rule; the error names the rule that was probably meant.
pub fn explain(book: &Rulebook, id: &str) -> Result<String, String> {
    match book.get(id) {
        Some(rule) => Ok(page(rule)),
        None => {
            let hint = book.closest(id).map(|id| format!("; did you mean `{id}`?")).unwrap_or_default();
            Err(format!("there is no rule `{}`{hint} (`cargo stateless rules` lists them)", id.escape_debug()))
        }
    }
}

fn page(rule: &RuleInfo) -> String {
    let mut out = format!("{}: {}\n\n", rule.id, rule.title);
    let _ = writeln!(out, "checklist item  {}", item_name(rule.item));
    let _ = writeln!(out, "severity        {}", severity_name(rule.severity));
    let _ = writeln!(out, "right home      {}", rule.home);
    if !rule.cwe.is_empty() {
        let cwe: Vec<String> = rule.cwe.iter().map(|n| format!("CWE-{n}")).collect();
        let _ = writeln!(out, "weakness        {}", cwe.join(", "));
    }
    let _ = writeln!(out, "since           {}\n\n{}", rule.since, rule.page);
    if !rule.limits.is_empty() {
        out.push_str("\nLimits:\n");
        for limit in &rule.limits {
            let _ = writeln!(out, "- {limit}");
        }
    }
    let _ = writeln!(out, "\nTo allow one on purpose: // stateless: allow({}) the reason", rule.id);
    out
}

/// All rules, one a line, by checklist item.
pub fn list(book: &Rulebook) -> String {
    let mut rules: Vec<&RuleInfo> = book.iter().collect();
    rules.sort_by(|a, b| (a.item, &a.id).cmp(&(b.item, &b.id)));
    let width = rules.iter().map(|rule| rule.id.len()).max().unwrap_or(0);
    let mut out = String::new();
    for rule in rules {
        let _ = writeln!(out, "{:<width$}  {:<17}  {:<7}  {}", rule.id, item_name(rule.item), severity_name(rule.severity), rule.title);
    }
    out
}
