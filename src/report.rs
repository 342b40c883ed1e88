//! Findings to reports: fingerprints, suppressions, the baseline, the checklist, the exit code and
//! one file a format. Never knows how a finding was made.

pub mod baseline;
mod checklist;
mod concise;
mod fingerprint;
mod github;
mod gitlab;
mod human;
mod json;
mod junit;
mod markdown;
pub mod progress;
mod quarantine;
mod rdjson;
mod rustc_json;
mod sarif;
pub mod since;
mod source;
mod suppress;
mod text;

use std::collections::{BTreeMap, BTreeSet};

pub use checklist::{ItemReport, Status, item_name, item_question};
pub use source::{NoSource, SourceText};
pub use suppress::{INVALID_SUPPRESSION, UNUSED_SUPPRESSION};

use crate::analysis::{Analysis, InventoryRow, Quarantine, Summary};
use crate::config::RuleSettings;
use crate::finding::{Finding, Location, Persona, Severity};
use crate::rulebook::Rulebook;
use crate::workspace::model::Skip;
use baseline::Baseline;
use since::Since;

/// An allowance in the configuration.
#[derive(Clone, Debug)]
pub struct Allow {
    pub rule: String,
    /// The symbol, in which `*` stands for any text.
    pub symbol: String,
    pub reason: String,
    /// Where the allowance is written.
    pub location: Location,
}

/// The choices of the user that shape a report.
#[derive(Clone, Debug)]
pub struct Settings {
    pub fail_on: Severity,
    pub exit_zero: bool,
    /// Code that could not be read is no reason to exit with 2.
    pub allow_skipped: bool,
    pub persona: Persona,
    /// Only these rules; empty means all.
    pub only_rules: Vec<String>,
    /// What the configuration says of rules, by id.
    pub rules: BTreeMap<String, Vec<RuleSettings>>,
    pub allow: Vec<Allow>,
    /// Whether suppressions in comments, configuration and baseline count.
    pub suppressions: bool,
    pub baseline: Option<Baseline>,
    /// Only some packages were analysed: what was not found may still be there.
    pub partial: bool,
    /// Show only findings that touch one of these files.
    pub only_paths: Option<BTreeSet<String>>,
    /// Show only findings that an older state of the tree did not have.
    pub since: Option<Since>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fail_on: Severity::Warning,
            exit_zero: false,
            allow_skipped: false,
            persona: Persona::Regular,
            only_rules: Vec::new(),
            rules: BTreeMap::new(),
            allow: Vec::new(),
            suppressions: true,
            baseline: None,
            partial: false,
            only_paths: None,
            since: None,
        }
    }
}

impl Settings {
    /// Whether the rule runs anywhere under these settings.
    pub fn runs(&self, rule: &str) -> bool {
        let on = self.said(rule).fold(true, |on, set| match set.enabled {
            Some(enabled) if enabled || set.paths.is_empty() => enabled,
            _ => on,
        });
        self.asked_for(rule) && on
    }

    /// Whether the rule speaks of this file.
    pub fn runs_at(&self, rule: &str, path: &str) -> bool {
        self.asked_for(rule) && self.of(rule, path).filter_map(|set| set.enabled).next_back() != Some(false)
    }

    /// Whether the rule is off in some files only.
    pub fn partly_off(&self, rule: &str) -> bool {
        self.runs(rule) && self.said(rule).any(|set| set.enabled == Some(false))
    }

    fn asked_for(&self, rule: &str) -> bool {
        self.only_rules.is_empty() || self.only_rules.iter().any(|only| only == rule)
    }

    fn said(&self, rule: &str) -> impl DoubleEndedIterator<Item = &RuleSettings> {
        self.rules.get(rule).into_iter().flatten()
    }

    fn of(&self, rule: &str, path: &str) -> impl DoubleEndedIterator<Item = &RuleSettings> {
        self.said(rule).filter(move |set| set.applies_to(path))
    }

    /// Gives a finding the severity and persona that its file asks for.
    fn adjust(&self, finding: &mut Finding) {
        for set in self.of(finding.rule, &finding.location.path) {
            finding.severity = set.severity.unwrap_or(finding.severity);
            finding.persona = set.persona.unwrap_or(finding.persona);
        }
    }
}

/// A finding with the name that survives line moves.
#[derive(Clone, Debug)]
pub struct Reported {
    pub finding: Finding,
    pub fingerprint: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Comment,
    Config,
    Baseline,
    Quarantine,
}

impl By {
    pub fn name(self) -> &'static str {
        match self {
            By::Comment => "comment",
            By::Config => "config",
            By::Baseline => "baseline",
            By::Quarantine => "quarantine",
        }
    }
}

#[derive(Clone, Debug)]
pub struct Suppressed {
    pub reported: Reported,
    pub by: By,
    pub reason: String,
}

/// Findings that were made but are not shown, and why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hidden {
    /// Only for a more curious persona.
    pub persona: u64,
    /// In files that were not asked for.
    pub paths: u64,
    /// There before the revision that was asked for.
    pub since: u64,
}

/// What every format prints.
#[derive(Debug)]
pub struct Report {
    pub checklist: Vec<ItemReport>,
    /// Sorted by path, line, column and rule.
    pub findings: Vec<Reported>,
    pub suppressed: Vec<Suppressed>,
    pub skipped: Vec<Skip>,
    /// Service code that could not be read: without a finding, the check was not made.
    pub errors: Vec<Skip>,
    pub unread_manifests: Vec<Skip>,
    pub summary: Summary,
    /// Empty unless the persona is `inventory`.
    pub inventory: Vec<InventoryRow>,
    pub hidden: Hidden,
    /// Declared quarantines; their findings are among the suppressed ones.
    pub quarantine: Vec<Quarantined>,
    /// What was compared with, if only new findings were asked for.
    pub since: Option<Since>,
    /// Baseline entries that no finding matches any more.
    pub stale: Vec<baseline::Entry>,
    pub exit: Exit,
}

/// A declared quarantine and the findings that it holds.
#[derive(Debug)]
pub struct Quarantined {
    pub declared: Quarantine,
    /// Fingerprints, in the order of the findings.
    pub findings: Vec<String>,
}

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Clean,
    Findings,
    /// The check could not be made.
    Unchecked,
}

impl Exit {
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Unchecked => 2,
        }
    }
}

/// Turns an analysis into a report. `sources` is asked only for files that hold suppressions.
pub fn assemble(analysis: Analysis, settings: &Settings, rules: &Rulebook, sources: &dyn SourceText) -> Report {
    let Analysis { findings, comments, items, mut skipped, mut errors, mut unread_manifests, summary, .. } = analysis;
    let (facts, assessed, mut inventory) = (analysis.checklist_facts, analysis.assessed, analysis.inventory);
    skipped.sort();
    skipped.dedup();
    errors.sort();
    errors.dedup();
    unread_manifests.sort();
    unread_manifests.dedup();

    // Occurrences are numbered before anything is left out, so that settings do not rename findings.
    let (mut reported, off): (Vec<Reported>, Vec<Reported>) =
        fingerprint::stamp(findings).into_iter().partition(|r| settings.runs_at(r.finding.rule, &r.finding.location.path));
    reported.iter_mut().for_each(|r| settings.adjust(&mut r.finding));
    let mut suppressed = Vec::new();
    let mut stale = Vec::new();
    if settings.suppressions {
        let mut allows = suppress::Suppressions::collect(&comments, &items, sources, settings, rules);
        reported = allows.apply(reported, &mut suppressed);
        reported.extend(fingerprint::stamp(allows.complaints(settings, &errors)));
        reported = quarantine::apply(&analysis.quarantine, reported, &mut suppressed);
        if let Some(baseline) = &settings.baseline {
            let all = reported.iter().chain(suppressed.iter().map(|s| &s.reported)).chain(&off);
            stale = baseline.stale(all, settings);
            reported = baseline.apply(reported, &mut suppressed);
        }
    }

    let mut hidden = Hidden::default();
    reported.retain(|r| {
        let for_persona = r.finding.persona <= settings.persona;
        let asked_for = touches(&r.finding, settings.only_paths.as_ref());
        if !for_persona {
            hidden.persona += 1;
        } else if !asked_for {
            hidden.paths += 1;
        }
        for_persona && asked_for
    });
    let mut before = Vec::new();
    if let Some(since) = &settings.since {
        (reported, before) = since.split(reported);
        hidden.since = before.len() as u64;
    }
    suppressed.retain(|s| s.reported.finding.persona <= settings.persona && touches(&s.reported.finding, settings.only_paths.as_ref()));
    sort(&mut reported, |r| r);
    sort(&mut suppressed, |s| &s.reported);

    let quarantine = quarantine::sections(analysis.quarantine, &suppressed);
    let checklist = checklist::judge(&reported, &suppressed, &since::by_item(&before), settings, rules, facts, &assessed);
    let exit = exit(&reported, &errors, settings);
    if settings.persona < Persona::Inventory {
        inventory.clear();
    }
    inventory.sort_by(|a, b| (a.kind, &a.location, &a.symbol).cmp(&(b.kind, &b.location, &b.symbol)));
    let since = settings.since.clone();
    Report {
        checklist,
        findings: reported,
        suppressed,
        skipped,
        errors,
        unread_manifests,
        summary,
        inventory,
        hidden,
        quarantine,
        since,
        stale,
        exit,
    }
}

fn exit(findings: &[Reported], errors: &[Skip], settings: &Settings) -> Exit {
    if findings.iter().any(|r| r.finding.severity >= settings.fail_on) {
        return if settings.exit_zero { Exit::Clean } else { Exit::Findings };
    }
    if errors.is_empty() || settings.allow_skipped { Exit::Clean } else { Exit::Unchecked }
}

fn touches(finding: &Finding, paths: Option<&BTreeSet<String>>) -> bool {
    paths.is_none_or(|paths| {
        paths.contains(&finding.location.path) || finding.witness.iter().flatten().any(|step| paths.contains(&step.location.path))
    })
}

fn sort<T>(list: &mut [T], reported: impl Fn(&T) -> &Reported) {
    list.sort_by(|a, b| {
        let key = |r: &Reported| (r.finding.location.clone(), r.finding.rule, r.finding.symbol.clone());
        key(reported(a)).cmp(&key(reported(b))).then_with(|| reported(a).fingerprint.cmp(&reported(b).fingerprint))
    });
}

/// A way to print a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// Source snippets for people at a terminal
    Human,
    /// One line a finding
    Concise,
    /// Everything, for programs (schema 1)
    Json,
    /// Code scanning
    Sarif,
    /// Workflow annotations
    Github,
    /// GitLab code quality
    Gitlab,
    /// reviewdog
    Rdjson,
    /// Test report
    Junit,
    /// Review comment
    Markdown,
    /// rustc's diagnostics, one a line, for editors
    RustcJson,
}

/// How text for people is laid out.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    pub colour: bool,
    pub unicode: bool,
    /// -2 nothing, -1 findings only, 0 normal, 1 all paths of evidence, facts and left-out files.
    pub verbosity: i8,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 100, colour: false, unicode: false, verbosity: 0 }
    }
}

/// What a format may look up.
pub struct Context<'a> {
    pub sources: &'a dyn SourceText,
    pub rules: &'a Rulebook,
    pub style: Style,
}

/// Prints a report. Every format ends with a line feed unless it is empty.
pub fn render(format: Format, report: &Report, context: &Context<'_>) -> String {
    match format {
        Format::Human => human::render(report, context),
        Format::Concise => concise::render(report),
        Format::Json => json::render(report),
        Format::Sarif => sarif::render(report, context),
        Format::Github => github::render(report),
        Format::Gitlab => gitlab::render(report),
        Format::Rdjson => rdjson::render(report, context),
        Format::Junit => junit::render(report),
        Format::Markdown => markdown::render(report, context),
        Format::RustcJson => rustc_json::render(report, context),
    }
}

/// The pages of the rules about suppressions, which have no other rule file.
pub const PAGES: [(&str, &str); 2] = [
    (INVALID_SUPPRESSION, include_str!("report/pages/invalid-suppression.md")),
    (UNUSED_SUPPRESSION, include_str!("report/pages/unused-suppression.md")),
];

/// One line of any text that is safe on a terminal and in a workflow log.
pub fn printable(text: &str) -> String {
    text::line(text)
}

/// `1 finding`, `2 findings`.
pub fn count(n: u64, what: &str) -> String {
    text::count(n, what)
}

/// Whether a comment is meant as a suppression.
pub fn is_suppression(comment: &str) -> bool {
    comment.starts_with(suppress::MARK)
}

/// `error`, `warning` or `note`.
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
