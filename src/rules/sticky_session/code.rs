//! Affinity made in code: an answer that tells the platform's proxy which instance is to take the request.

use super::{HIDDEN, ID, cells_text, hidden, picked, steered};
use crate::facts::cells::World;
use crate::facts::model::{Node, NodeId, NodeKind};
use crate::finding::{ChecklistItem, Confidence, Finding, Persona, Role, Severity, Step};
use crate::resolve::FileId;
use crate::rules::evidence::{self, Told};
use crate::syntax::hir::{ExprKind, Lit, Span};
use rustc_hash::FxHashMap;

/// Linear in the nodes, and in the literals of files that name such a header for each of their functions.
pub fn check(w: &World<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut named: FxHashMap<FileId, bool> = FxHashMap::default();
    for (number, node) in w.facts.nodes.iter().enumerate() {
        let id = NodeId(number as u32);
        if !matches!(node.kind, NodeKind::Function) || node.parent.is_some() || !w.graph.phase(id).requested() {
            continue;
        }
        if !*named.entry(node.file).or_insert_with(|| names_pin(w, node.file)) {
            continue;
        }
        let texts = literals(w, node);
        let Some(pin) = w.cat.pins.iter().find(|pin| {
            let named = texts.iter().any(|(text, _)| text.eq_ignore_ascii_case(&pin.header));
            named && (pin.value.is_empty() || texts.iter().any(|(text, _)| text.contains(pin.value.as_str())))
        }) else {
            continue;
        };
        let Some((_, span)) = texts.iter().find(|(text, _)| text.eq_ignore_ascii_case(&pin.header)) else { continue };
        let location = evidence::location(w, node.file, *span);
        let entry = evidence::entries(w, id).first().map(|(entry, _)| evidence::entry_label(w, *entry));
        let by = entry.clone().unwrap_or_else(|| "a request".into());
        let told = Told {
            rule: ID,
            item: ChecklistItem::Affinity,
            severity: Severity::Warning,
            confidence: Confidence::High,
            reason: format!("reporting because `{}` names one instance for the request, which no other can then answer", pin.header),
            message: format!("{by} fails when one instance is gone: `{}` sends it to the instance that knows its client", pin.header),
            witness: vec![vec![Step::new(Role::Sent, "the instance is named here", location.clone()).on(entry)]],
            home: "shared cache",
            help: "keep what only that instance knows in a shared store, so that any instance can answer",
        };
        findings.push(told.at(node.def, format!("{}::{}", w.p.path(node.def), pin.header), location, w));
    }
    findings.extend(steered::check(w));
    findings.extend(picked::check(w));
    findings
}

/// Joins affinity made in code with what it hides: the cells of the same package that one instance alone has. One pass
/// over the findings for each that speaks of affinity.
pub fn join(findings: &mut [Finding]) {
    for at in 0..findings.len() {
        if findings[at].rule != ID {
            continue;
        }
        let (symbol, package) = (findings[at].symbol.clone(), findings[at].package.clone());
        let mut cells = Vec::new();
        for cell in findings.iter_mut().filter(|f| HIDDEN.contains(&f.rule) && f.persona == Persona::Regular && f.package == package) {
            cell.related.push((ID.to_owned(), symbol.clone()));
            cells.push((cell.rule.to_owned(), cell.symbol.clone(), cell.location.clone()));
        }
        if cells.is_empty() {
            continue;
        }
        let symbols: Vec<&str> = cells.iter().map(|(_, symbol, _)| symbol.as_str()).collect();
        let finding = &mut findings[at];
        finding.message.push_str(&format!(", which masks {}", cells_text(&symbols)));
        finding.help = Some("move the named cells to a shared store first, then let any instance answer".into());
        if let Some(first) = finding.witness.first_mut() {
            first.extend(cells.iter().map(|(_, symbol, location)| hidden(symbol, location.clone())));
        }
        finding.related.extend(cells.into_iter().map(|(rule, symbol, _)| (rule, symbol)));
    }
}

/// Whether a file has the name of such a header among its symbols: most have none.
fn names_pin(w: &World<'_>, file: FileId) -> bool {
    let symbols = &w.p.file(file).hir.symbols;
    w.cat.pins.iter().any(|pin| symbols.iter().any(|symbol| symbol.eq_ignore_ascii_case(&pin.header)))
}

/// The string literals inside a function.
fn literals<'w>(w: &'w World<'_>, node: &Node) -> Vec<(&'w str, Span)> {
    let hir = &w.p.file(node.file).hir;
    let inside = |span: &Span| (span.line, span.column) >= (node.span.line, node.span.column) && span.end_line <= node.span.end_line;
    let texts = hir.exprs.iter().filter(|expr| inside(&expr.span)).filter_map(|expr| match &expr.kind {
        ExprKind::Lit(Lit::Str(text)) => Some((hir.str(*text), expr.span)),
        _ => None,
    });
    texts.collect()
}
