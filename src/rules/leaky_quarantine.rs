//! Declared quarantines that do not hold, and irreducible state that nobody has declared.

use super::unrecoverable_stream_state::{aggregates, election};
use super::{evidence, in_process_broadcast};
use crate::analysis::{Analysis, Quarantine, Within};
use crate::catalog::Op;
use crate::config::{self, Config};
use crate::facts::cells::{Cell, CellKey, World};
use crate::facts::model::*;
use crate::facts::profile::Profile;
use crate::finding::*;
use crate::resolve::FileId;
use crate::syntax::hir::Span;
use std::collections::BTreeSet;

pub const ID: &str = "leaky-quarantine";

/// What a registry of sockets or a channel to them does.
const CLIENTS: &str = "holds clients";

/// Places outside a quarantine that are shown for one cell.
const SHOWN: usize = 4;

/// State that no store can hold for the service: what it is, and how it comes back after a kill, if it does.
pub struct Irreducible<'c> {
    cell: &'c Cell,
    what: &'static str,
    back: Option<&'static str>,
    /// What is wrong with it where it does not.
    without: Option<&'static str>,
}

/// Sockets, what is gathered from streams, and leadership.
pub fn irreducible<'c>(cell: &'c Cell, profile: &Profile, w: &World<'_>) -> Option<Irreducible<'c>> {
    let (what, back, without) = if in_process_broadcast::holds_clients(cell, w) {
        (CLIENTS, None, None)
    } else if let Some(back) = aggregates::gathered(cell, profile, w) {
        ("gathers what a consumer takes from a stream", back, Some("brought back by nothing after a kill"))
    } else {
        ("says who leads", election::leads(cell, w)?, Some("by a lease of the service's own making"))
    };
    Some(Irreducible { cell, what, back, without })
}

/// Notes the declarations, what is wrong with them, and what should be declared.
pub fn judge(w: &World<'_>, config: &Config, irreducible: &[Irreducible<'_>], analysis: &mut Analysis) {
    for declared in &config.quarantine {
        let within = within(w, &declared.path);
        let held: Vec<&Cell> = w.cells.iter().filter(|c| within.has(&w.p.file(c.file).path, &c.symbol)).collect();
        let found = analysis.findings.iter().any(|f| within.has(&f.location.path, &f.symbol));
        analysis.findings.extend(flaw(w, config, declared, &within, &held, found));
        let config::Quarantine { path, owner, recovery, why, .. } = declared.clone();
        analysis.quarantine.push(Quarantine { path, owner, recovery, why, within });
    }
    for Irreducible { cell, what, back, without } in irreducible {
        let file = &w.p.file(cell.file).path;
        let name = evidence::short(&cell.symbol);
        if let Some(declared) = analysis.quarantine.iter().find(|q| q.within.has(file, &cell.symbol)) {
            let fact = format!("`{name}` {what} and is declared in {}", declared.path);
            analysis.checklist_facts.push((ChecklistItem::Quarantine, fact));
            continue;
        }
        let files: BTreeSet<&str> = touched(w, cell).into_iter().map(|(node, _)| w.p.file(w.facts.node(node).file).path.as_str()).collect();
        let spread = match files.len() {
            0 | 1 => format!("in {file} alone"),
            n => format!("spread over {n} files"),
        };
        let returns = match back {
            Some(how) => format!("recoverable ({how}), "),
            None => without.map_or_else(String::new, |lack| format!("{lack}, ")),
        };
        let fact = format!("`{name}` {what}, {spread}, {returns}and nobody has declared it");
        analysis.checklist_facts.push((ChecklistItem::Quarantine, fact));
        if files.len() > 1 && back.is_none() {
            analysis.findings.push(undeclared(w, cell, what, files.len()));
        }
    }
}

/// What a written path means: a file or folder, or a module of any crate of the tree.
fn within(w: &World<'_>, path: &str) -> Within {
    if path.contains('/') || path.ends_with(".rs") {
        let path = path.trim_start_matches("./").trim_end_matches('/');
        return Within { files: vec![path.to_owned()], modules: Vec::new() };
    }
    let modules = match path.strip_prefix("crate::") {
        Some(rest) => w.p.crates.iter().map(|c| format!("{}::{rest}", w.p.text(c.name))).collect(),
        None => vec![path.to_owned()],
    };
    // A folder at the root has no slash either.
    Within { files: vec![path.to_owned()], modules }
}

/// Where a cell is touched in the text: a helper that is given the cell is its caller's hand.
fn touched(w: &World<'_>, cell: &Cell) -> Vec<(NodeId, Span)> {
    cell.accesses.iter().map(|&a| w.facts.access(a)).filter(|a| a.op != Op::Recv).map(|a| (a.node, a.span)).collect()
}

fn flaw(w: &World<'_>, config: &Config, declared: &config::Quarantine, within: &Within, held: &[&Cell], found: bool) -> Option<Finding> {
    let source = config.source.clone().unwrap_or_else(|| config::FILE_NAME.into());
    let location = Location { path: source, line: declared.line, column: 1, end_line: declared.line, end_column: 1 };
    let path = &declared.path;
    let here = Step::new(Role::Declared, format!("{path} is declared as a quarantine here"), location.clone());
    let (message, reason, help, steps) = if held.is_empty() && !found {
        (
            format!("the next state at {path} would pass unseen: the quarantine is declared and there is no state in it"),
            "no state was found there".into(),
            "remove the declaration, or name the module that holds the state now",
            Vec::new(),
        )
    } else if let Some((cell, steps)) = held.iter().find_map(|cell| Some((cell, leaks(w, cell, within)?))) {
        let name = evidence::short(&cell.symbol);
        (
            format!("what {path} is to confine has other writers and readers: `{name}` is reached from outside without its functions"),
            format!("`{name}` is touched in {} outside", plural(steps.len())),
            "make the state private to the module, and let others call its functions",
            steps,
        )
    } else if declared.owner.is_none() {
        let message = format!("nobody answers for the state in {path} when an instance dies: the quarantine names no owner");
        (message, "`owner` is missing".into(), "name the team or person as `owner`", Vec::new())
    } else if declared.recovery.is_none() {
        let message = format!("nobody knows how the state in {path} comes back after a kill: the quarantine names no recovery");
        (message, "`recovery` is missing".into(), "say as `recovery` how clients or peers bring the state back", Vec::new())
    } else {
        return None;
    };
    let mut witness = vec![here];
    witness.extend(steps);
    let package = held.first().map_or_else(String::new, |c| c.package.clone());
    Some(finding(path.clone(), package, location, message, format!("reporting because {reason}"), help, witness))
}

fn plural(count: usize) -> String {
    if count == 1 { "one place".into() } else { format!("{count} places") }
}

/// The places where the source touches the cell outside the quarantine, if there are any.
fn leaks(w: &World<'_>, cell: &Cell, within: &Within) -> Option<Vec<Step>> {
    let mut steps = Vec::new();
    for &id in &cell.accesses {
        let access = w.facts.access(id);
        // A function of the module that is given its own state works inside.
        let origin = w.facts.origin(access);
        let node = w.facts.node(origin.node);
        let inside = |file: FileId, symbol: &str| within.has(&w.p.file(file).path, symbol);
        // A receiver that the module hands out is its client's own.
        let owned = matches!(cell.key, CellKey::Local(..)) || origin.op == Op::Recv;
        let caller = w.facts.node(access.node);
        if owned || inside(node.file, &w.p.path(node.def)) || inside(caller.file, &w.p.path(caller.def)) {
            continue;
        }
        let location = evidence::node_location(w, origin.node, origin.span);
        if steps.len() < SHOWN && !steps.iter().any(|s: &Step| s.location == location) {
            let function = w.p.text(w.p.def(node.def).name);
            steps.push(Step::new(Role::Read, format!("touched by `{function}` outside"), location));
        }
    }
    (!steps.is_empty()).then_some(steps)
}

fn undeclared(w: &World<'_>, cell: &Cell, what: &str, files: usize) -> Finding {
    let name = evidence::short(&cell.symbol);
    let mut witness = vec![evidence::declared(w, cell)];
    for (node, span) in touched(w, cell).into_iter().take(SHOWN) {
        let function = w.p.text(w.p.def(w.facts.node(node).def).name);
        witness.push(Step::new(Role::Read, format!("touched by `{function}`"), evidence::node_location(w, node, span)));
    }
    let mut finding = finding(
        cell.symbol.clone(),
        cell.package.clone(),
        evidence::location(w, cell.file, cell.span),
        if what == CLIENTS {
            format!(
                "nobody can say how the connected clients in `{name}` come back after a kill: {files} files touch them and no quarantine is declared"
            )
        } else {
            format!("nobody can say how `{name}` comes back after a kill: it {what}, {files} files touch it, and no quarantine is declared")
        },
        format!("reporting because `{name}` {what}, which no store does for it, and is not confined to one module"),
        "keep it in one module, and declare that module with owner and recovery as a quarantine in stateless.toml",
        witness,
    );
    finding.ty = Some(cell.ty_text.clone());
    finding.severity = Severity::Note;
    finding.persona = Persona::Pedantic;
    finding
}

fn finding(
    symbol: String,
    package: String,
    location: Location,
    message: String,
    reason: String,
    help: &str,
    witness: Vec<Step>,
) -> Finding {
    Finding {
        rule: ID,
        item: ChecklistItem::Quarantine,
        severity: Severity::Warning,
        confidence: Confidence::High,
        persona: Persona::Regular,
        reason,
        package,
        symbol,
        ty: None,
        message,
        location,
        witness: vec![witness],
        home: Some("one module with an owner".into()),
        help: Some(help.into()),
        related: Vec::new(),
    }
}
