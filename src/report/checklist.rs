//! The verdict on the eight items of the review checklist.

use std::collections::BTreeMap;

use serde::Serialize;

use super::suppress::{INVALID_SUPPRESSION, UNUSED_SUPPRESSION};
use super::{By, Reported, Settings, Suppressed, text};
use crate::analysis::Assessed;
use crate::finding::ChecklistItem;
use crate::rulebook::Rulebook;

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    Pass,
    Fail,
    NotAssessed,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Status::Pass => "pass",
            Status::Fail => "fail",
            Status::NotAssessed => "not assessed",
        }
    }
}

#[derive(Clone, Debug)]
pub struct ItemReport {
    pub item: ChecklistItem,
    pub status: Status,
    pub reason: String,
    /// What was measured, pass or fail.
    pub facts: Vec<String>,
    /// Fingerprints of the findings shown.
    pub findings: Vec<String>,
}

/// The item's name as in the configuration and in JSON.
pub fn item_name(item: ChecklistItem) -> &'static str {
    match item {
        ChecklistItem::InstanceKill => "instance-kill",
        ChecklistItem::TwoInstance => "two-instance",
        ChecklistItem::CacheWriteBack => "cache-write-back",
        ChecklistItem::Affinity => "affinity",
        ChecklistItem::RevocationWindow => "revocation-window",
        ChecklistItem::TokenBloat => "token-bloat",
        ChecklistItem::KeyRotation => "key-rotation",
        ChecklistItem::Quarantine => "quarantine",
    }
}

/// What the reviewer asks under this item.
pub fn item_question(item: ChecklistItem) -> &'static str {
    match item {
        ChecklistItem::InstanceKill => "Kill an instance mid-traffic: is anything lost but requests in flight?",
        ChecklistItem::TwoInstance => "Send the next request to another instance: is the answer the same?",
        ChecklistItem::CacheWriteBack => "Empty every memory: does each miss reload from a shared store?",
        ChecklistItem::Affinity => "Take stickiness away from the balancer: does everything still work?",
        ChecklistItem::RevocationWindow => "Revoke a credential: how long does it still open doors?",
        ChecklistItem::TokenBloat => "Weigh the token: does it carry identity only?",
        ChecklistItem::KeyRotation => "Change the signing key: does nobody notice?",
        ChecklistItem::Quarantine => "Is the state that must stay in memory named, owned and recoverable?",
    }
}

pub fn judge(
    findings: &[Reported],
    suppressed: &[Suppressed],
    before: &BTreeMap<ChecklistItem, u64>,
    settings: &Settings,
    rules: &Rulebook,
    facts: Vec<(ChecklistItem, String)>,
    assessed: &BTreeMap<ChecklistItem, Assessed>,
) -> Vec<ItemReport> {
    ChecklistItem::ALL
        .into_iter()
        .map(|item| {
            let counts = |r: &Reported| r.finding.item == item && ![INVALID_SUPPRESSION, UNUSED_SUPPRESSION].contains(&r.finding.rule);
            let shown: Vec<String> = findings.iter().filter(|r| counts(r)).map(|r| r.fingerprint.clone()).collect();
            let allowed = suppressed.iter().filter(|s| counts(&s.reported)).count() as u64;
            let before = before.get(&item).copied().unwrap_or(0);
            let known = suppressed.iter().filter(|s| s.by == By::Baseline && counts(&s.reported)).count() as u64;
            let (status, reason) = verdict(item, [shown.len() as u64, known, allowed - known, before], settings, rules, assessed);
            let facts = facts.iter().filter(|(of, _)| *of == item).map(|(_, fact)| fact.clone()).collect();
            ItemReport { item, status, reason, facts, findings: shown }
        })
        .collect()
}

fn verdict(
    item: ChecklistItem,
    [shown, known, allowed, before]: [u64; 4],
    settings: &Settings,
    rules: &Rulebook,
    assessed: &BTreeMap<ChecklistItem, Assessed>,
) -> (Status, String) {
    let some = |count: u64, what: &str| if count == 0 { String::new() } else { format!(", {} {what}", text::count(count, "finding")) };
    let suppressed = some(known, "in the baseline") + &some(allowed, "suppressed");
    if shown > 0 {
        let before = match &settings.since {
            Some(since) if before > 0 => format!("; {before} there before `{}`", since.revision),
            _ => String::new(),
        };
        return (Status::Fail, format!("{}{suppressed}{before}", text::count(shown, "finding")));
    }
    if let Some(since) = &settings.since {
        let found = if before == 0 { String::new() } else { format!("; {} there before", text::count(before, "finding")) };
        return (Status::NotAssessed, format!("only what came since `{}` was asked for{suppressed}{found}", since.revision));
    }
    // A baseline says what is known, and not that it is right.
    if known > 0 {
        return (Status::Fail, format!("nothing new{suppressed}"));
    }
    let of_item = |off: &dyn Fn(&str) -> bool| {
        let ids = rules.iter().filter(|rule| rule.item == item).map(|rule| rule.id.as_str());
        let ids = ids.filter(|id| ![INVALID_SUPPRESSION, UNUSED_SUPPRESSION].contains(id) && off(id));
        ids.map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
    };
    let off = of_item(&|id| !settings.runs(id));
    if !off.is_empty() {
        return (Status::NotAssessed, format!("{off} did not run{suppressed}"));
    }
    let partly = of_item(&|id| settings.partly_off(id));
    let suppressed = if partly.is_empty() { suppressed } else { format!("{suppressed}; {partly} off in some files") };
    if settings.only_paths.is_some() {
        return (Status::NotAssessed, format!("only findings in the given files were asked for{suppressed}"));
    }
    match assessed.get(&item) {
        Some(Assessed::Yes) => (Status::Pass, format!("nothing found{suppressed}")),
        Some(Assessed::No(reason)) => (Status::NotAssessed, format!("{reason}{suppressed}")),
        None => (Status::NotAssessed, format!("nothing to judge it by was found{suppressed}")),
    }
}
