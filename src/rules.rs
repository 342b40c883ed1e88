//! Facts to findings: one small file a rule. Rules ask [`World`] and know neither syn nor formats.

pub mod evidence;
mod inventory;
pub mod stories;
pub mod work;

pub mod authoritative_memory;
pub mod bloated_token;
pub mod detached_task;
pub mod embedded_database;
pub mod fixed_signing_key;
pub mod in_process_broadcast;
pub mod in_process_lock;
pub mod in_process_queue;
pub mod leaky_quarantine;
pub mod local_file;
pub mod local_rate_limit;
pub mod local_sequence;
pub mod local_setting;
pub mod long_lived_token;
pub mod memory_session_store;
pub mod per_instance_secret;
pub mod single_instance;
pub mod stale_local_cache;
pub mod sticky_session;
pub mod unelected_schedule;
pub mod unrecoverable_stream_state;
pub mod write_buffer;

use crate::analysis::{Analysis, Assessed};
use crate::config::Config;
use crate::facts::cells::{Cell, World};
use crate::facts::issued;
use crate::facts::profile::Profile;
use crate::finding::Finding;
use rustc_hash::FxHashSet;
use stories::Told;

/// `(id, page)` of every rule; a test holds the rules' files, modules and pages to this list.
pub const PAGES: &[(&str, &str)] = &[
    (authoritative_memory::ID, include_str!("../rules/authoritative-memory.md")),
    (bloated_token::ID, include_str!("../rules/bloated-token.md")),
    (detached_task::ID, include_str!("../rules/detached-task.md")),
    (embedded_database::ID, include_str!("../rules/embedded-database.md")),
    (fixed_signing_key::ID, include_str!("../rules/fixed-signing-key.md")),
    (in_process_broadcast::ID, include_str!("../rules/in-process-broadcast.md")),
    (in_process_lock::ID, include_str!("../rules/in-process-lock.md")),
    (in_process_queue::ID, include_str!("../rules/in-process-queue.md")),
    (leaky_quarantine::ID, include_str!("../rules/leaky-quarantine.md")),
    (local_file::ID, include_str!("../rules/local-file.md")),
    (local_rate_limit::ID, include_str!("../rules/local-rate-limit.md")),
    (local_sequence::ID, include_str!("../rules/local-sequence.md")),
    (local_setting::ID, include_str!("../rules/local-setting.md")),
    (long_lived_token::ID, include_str!("../rules/long-lived-token.md")),
    (memory_session_store::ID, include_str!("../rules/memory-session-store.md")),
    (per_instance_secret::ID, include_str!("../rules/per-instance-secret.md")),
    (single_instance::ID, include_str!("../rules/single-instance.md")),
    (stale_local_cache::ID, include_str!("../rules/stale-local-cache.md")),
    (sticky_session::ID, include_str!("../rules/sticky-session.md")),
    (unelected_schedule::ID, include_str!("../rules/unelected-schedule.md")),
    (unrecoverable_stream_state::ID, include_str!("../rules/unrecoverable-stream-state.md")),
    (write_buffer::ID, include_str!("../rules/write-buffer.md")),
];

type CellRule = fn(&Cell, &Profile, &World<'_>) -> Option<Finding>;

/// Rules on cells, in the order of [`stories::STRONGER_FIRST`]: the first that speaks decides.
const CELL_RULES: &[(&str, CellRule)] = &[
    (unrecoverable_stream_state::ID, unrecoverable_stream_state::aggregates::judge),
    (unrecoverable_stream_state::ID, unrecoverable_stream_state::election::judge),
    (local_rate_limit::ID, local_rate_limit::counters::judge),
    (local_sequence::ID, local_sequence::judge),
    (in_process_broadcast::ID, in_process_broadcast::judge),
    (in_process_queue::ID, in_process_queue::judge),
    (in_process_lock::ID, in_process_lock::judge),
    (write_buffer::ID, write_buffer::judge),
    (local_setting::ID, local_setting::judge),
    (stale_local_cache::ID, stale_local_cache::judge),
    (authoritative_memory::ID, authoritative_memory::judge),
];

type EffectRule = fn(&World<'_>) -> Vec<Finding>;

/// Rules on effects: each speaks for itself.
const EFFECT_RULES: &[EffectRule] = &[
    detached_task::check,
    embedded_database::check,
    in_process_queue::pools::check,
    local_file::check,
    local_rate_limit::check,
    memory_session_store::check,
    per_instance_secret::check,
    single_instance::workers::check,
    sticky_session::code::check,
    unelected_schedule::check,
    unrecoverable_stream_state::check,
];

/// `inventory` asks for the rows that explain silence too, which cost more than the verdicts.
pub fn judge(w: &World<'_>, config: &Config, inventory: bool, analysis: &mut Analysis) {
    analysis.summary.entry_points = w.facts.entries.len() as u64;
    analysis.summary.cells = w.cells.len() as u64;
    analysis.summary.effects = w.facts.effects.len() as u64;
    analysis.summary.calls = w.facts.known_calls + w.facts.unknown_calls;
    analysis.summary.unknown_calls = w.facts.unknown_calls;
    for rule in EFFECT_RULES {
        analysis.findings.extend(rule(w));
    }
    tokens(w, config, analysis);
    if inventory {
        analysis.inventory = inventory::entries(w);
        analysis.inventory.extend(inventory::effects(w, &analysis.findings));
    }
    let mut told = Vec::new();
    let mut irreducible = Vec::new();
    for cell in &w.cells {
        let profile = Profile::of(cell, w);
        let stored = unrecoverable_stream_state::aggregates::recoverable(cell, &profile, w) || w.awaited(cell);
        let verdict = CELL_RULES.iter().filter(|_| !stored).find_map(|(_, rule)| rule(cell, &profile, w));
        if inventory {
            analysis.inventory.extend(inventory::cell(w, cell, &profile, verdict.as_ref()));
        }
        irreducible.extend(leaky_quarantine::irreducible(cell, &profile, w));
        if let Some(finding) = verdict {
            let mut verdict = Told { cell, finding };
            stories::ways(w, &mut verdict);
            told.push(verdict);
        }
    }
    let told = stories::silence(w, told, &mut analysis.findings);
    analysis.findings.extend(stories::at_holders(w, told));
    unrecoverable_stream_state::fold(&mut analysis.findings);
    leaky_quarantine::judge(w, config, &irreducible, analysis);
    // A module that several targets include is judged in each, and said once.
    let mut said = FxHashSet::default();
    analysis.findings.retain(|f| said.insert((f.rule, f.location.clone())));
    sticky_session::code::join(&mut analysis.findings);
    stories::relate(&mut analysis.findings);
}

/// Rules on tokens, and what was measured of them.
fn tokens(w: &World<'_>, config: &Config, analysis: &mut Analysis) {
    use crate::finding::ChecklistItem::{KeyRotation, RevocationWindow, TokenBloat};
    let kinds = issued::kinds(w);
    analysis.findings.extend(long_lived_token::check(w, &kinds, config.tokens));
    analysis.findings.extend(bloated_token::check(w, &kinds, config.tokens));
    analysis.findings.extend(fixed_signing_key::check(w, &kinds));
    for kind in &kinds {
        analysis.checklist_facts.push((RevocationWindow, long_lived_token::fact(w, &kinds, kind)));
        analysis.checklist_facts.extend(bloated_token::fact(w, &kinds, kind).map(|fact| (TokenBloat, fact)));
    }
    let made = if !kinds.is_empty() {
        Assessed::Yes
    } else if w.facts.tokens.verifies.is_empty() {
        Assessed::No("no signed token is made or checked here".into())
    } else {
        Assessed::No("tokens are checked here, but somebody else makes them".into())
    };
    for item in [RevocationWindow, TokenBloat, KeyRotation] {
        analysis.assessed.insert(item, made.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::{CELL_RULES, stories::STRONGER_FIRST};

    #[test]
    fn cells_are_judged_by_the_stronger_rule_first() {
        let ranks: Vec<Option<usize>> = CELL_RULES.iter().map(|(id, _)| STRONGER_FIRST.iter().position(|r| r == id)).collect();
        assert!(ranks.iter().all(Option::is_some), "{ranks:?}");
        assert!(ranks.is_sorted(), "{ranks:?}");
    }
}
