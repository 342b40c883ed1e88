//! Facts to findings: one small file a rule. Rules ask [`World`] and know neither syn nor formats.

pub mod evidence;
pub mod work;

/// Declares the rules' modules and lists their pages: the one place where a rule is named.
macro_rules! rules {
    ($($module:ident => $id:literal),* $(,)?) => {
        $(pub mod $module;)*
        /// `(id, page)` of every rule.
        pub const PAGES: &[(&str, &str)] = &[$(($id, include_str!(concat!("../rules/", $id, ".md")))),*];
    };
}

rules! {
    authoritative_memory => "authoritative-memory",
    detached_task => "detached-task",
    embedded_database => "embedded-database",
    in_process_broadcast => "in-process-broadcast",
    in_process_lock => "in-process-lock",
    in_process_queue => "in-process-queue",
    local_file => "local-file",
    local_rate_limit => "local-rate-limit",
    local_sequence => "local-sequence",
    local_setting => "local-setting",
    memory_session_store => "memory-session-store",
    per_instance_secret => "per-instance-secret",
    single_instance => "single-instance",
    stale_local_cache => "stale-local-cache",
    sticky_session => "sticky-session",
    unelected_schedule => "unelected-schedule",
    write_buffer => "write-buffer",
}

use crate::analysis::{Analysis, InventoryKind, InventoryRow};
use crate::config::Config;
use crate::facts::cells::{Cell, World};
use crate::facts::profile::Profile;
use crate::finding::Finding;

/// Why a cell is reported or not: findings and the inventory print the same record.
pub enum Verdict {
    Report(Box<Finding>),
    Quiet(&'static str),
}

type CellRule = fn(&Cell, &Profile, &World<'_>) -> Option<Finding>;

/// Rules on cells, the specific before the general: the first that speaks decides.
const CELL_RULES: &[CellRule] = &[
    local_rate_limit::counters::judge,
    local_sequence::judge,
    in_process_broadcast::judge,
    in_process_queue::judge,
    in_process_lock::judge,
    write_buffer::judge,
    local_setting::judge,
    stale_local_cache::judge,
    authoritative_memory::judge,
];

type EffectRule = fn(&World<'_>) -> Vec<Finding>;

/// Rules on effects: each speaks for itself.
const EFFECT_RULES: &[EffectRule] = &[
    detached_task::check,
    embedded_database::check,
    local_file::check,
    local_rate_limit::check,
    memory_session_store::check,
    per_instance_secret::check,
    unelected_schedule::check,
];

pub fn judge(w: &World<'_>, config: &Config, analysis: &mut Analysis) {
    let _ = config;
    analysis.summary.entry_points = w.facts.entries.len() as u64;
    analysis.summary.cells = w.cells.len() as u64;
    analysis.summary.effects = w.facts.effects.len() as u64;
    analysis.summary.calls = w.facts.known_calls + w.facts.unknown_calls;
    analysis.summary.unknown_calls = w.facts.unknown_calls;
    inventory(w, analysis);
    for rule in EFFECT_RULES {
        analysis.findings.extend(rule(w));
    }
    for cell in &w.cells {
        let profile = Profile::of(cell, w);
        let verdict = CELL_RULES.iter().find_map(|rule| rule(cell, &profile, w));
        let (text, reason) = match &verdict {
            Some(finding) => (finding.rule.to_string(), finding.reason.clone()),
            None => ("quiet".to_string(), quiet(cell, &profile).to_string()),
        };
        let detail = cell
            .accesses
            .iter()
            .map(|&a| describe(w, a))
            .chain(cell.uses.iter().map(|u| format!("use {:?} at line {}", u.kind, u.span.line)))
            .collect();
        analysis.inventory.push(InventoryRow {
            kind: InventoryKind::Cell,
            symbol: cell.symbol.clone(),
            ty: Some(cell.ty_text.clone()),
            location: evidence::location(w, cell.file, cell.span),
            phase: None,
            verdict: text,
            reason,
            detail,
        });
        analysis.findings.extend(verdict);
    }
}

/// Entry points and effects, for whoever audits the audit.
fn inventory(w: &World<'_>, analysis: &mut Analysis) {
    for (index, entry) in w.facts.entries.iter().enumerate() {
        let id = crate::facts::model::EntryId(index as u32);
        let symbol = entry.def.map_or_else(|| evidence::entry_label(w, id), |d| w.p.path(d));
        let reason =
            if entry.auxiliary { format!("{} that runs within requests", entry.kind) } else { format!("{} of the service", entry.kind) };
        analysis.inventory.push(InventoryRow {
            kind: InventoryKind::Entry,
            symbol,
            ty: None,
            location: evidence::location(w, entry.file, entry.span),
            phase: Some("request".into()),
            verdict: evidence::entry_label(w, id),
            reason,
            detail: Vec::new(),
        });
    }
    for effect in &w.facts.effects {
        let node = w.facts.node(effect.node);
        let detail = effect.text.iter().map(|t| t.chars().take(120).collect()).collect();
        analysis.inventory.push(InventoryRow {
            kind: InventoryKind::Effect,
            symbol: w.p.path(node.def),
            ty: None,
            location: evidence::node_location(w, effect.node, effect.span),
            phase: Some(w.graph.phase(effect.node).describe()),
            verdict: format!("{:?}", effect.kind),
            reason: effect.what.clone(),
            detail,
        });
    }
}

fn describe(w: &World<'_>, id: crate::facts::model::AccessId) -> String {
    let access = w.facts.access(id);
    let access = access.via.map_or(access, |via| w.facts.access(via));
    let node = w.facts.node(access.node);
    let def = node.def;
    let value = w.graph.resolve(access.value, def);
    let key = w.graph.resolve(access.key, def);
    format!(
        "{:?} `{}` in {} at {}:{} ({}) key from {}; value from {}",
        access.op,
        w.p.text(access.method),
        w.p.path(def),
        w.p.file(node.file).path,
        access.span.line,
        w.graph.phase(access.node).describe(),
        key.describe(),
        value.describe()
    )
}

/// Why nothing is said about a cell.
fn quiet(cell: &Cell, profile: &Profile) -> &'static str {
    if profile.puts.is_empty() && profile.updates.is_empty() && profile.removes.is_empty() {
        return if profile.reads.is_empty() { "no request touches it" } else { "no request writes it: a snapshot or a replica" };
    }
    if profile.reloads {
        return "a cache: what is missing is loaded again";
    }
    if profile.only_logged {
        return "only logged or measured";
    }
    if profile.only_modulo {
        return "only spreads load";
    }
    if cell.expires && profile.put_from.has(crate::facts::model::Prov::STORE) {
        return "a cache with a time to live";
    }
    if !profile.keeps_requests() {
        return "nothing that a request brings is kept";
    }
    "no request relies on what another one wrote"
}
