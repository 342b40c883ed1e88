//! Findings in modules that are declared to keep irreducible state on purpose.

use super::{By, Quarantined, Reported, Suppressed};
use crate::analysis::Quarantine;

/// Moves findings inside a declared quarantine to `suppressed` and returns the others.
pub fn apply(declared: &[Quarantine], reported: Vec<Reported>, suppressed: &mut Vec<Suppressed>) -> Vec<Reported> {
    let mut left = Vec::with_capacity(reported.len());
    for reported in reported {
        match declared.iter().find(|q| q.covers(&reported.finding)) {
            Some(quarantine) => suppressed.push(Suppressed { reported, by: By::Quarantine, reason: reason(quarantine) }),
            None => left.push(reported),
        }
    }
    left
}

fn reason(quarantine: &Quarantine) -> String {
    let Quarantine { path, owner, recovery, why, .. } = quarantine;
    let said = |what: &str, text: &Option<String>| text.as_ref().map(|text| format!("; {what}{text}")).unwrap_or_default();
    format!("quarantine {path}{}{}{}", said("", why), said("owner: ", owner), said("recovery: ", recovery))
}

/// The declarations with what each holds.
pub fn sections(declared: Vec<Quarantine>, suppressed: &[Suppressed]) -> Vec<Quarantined> {
    let mut sections: Vec<Quarantined> = declared.into_iter().map(|declared| Quarantined { declared, findings: Vec::new() }).collect();
    for held in suppressed.iter().filter(|s| s.by == By::Quarantine) {
        if let Some(section) = sections.iter_mut().find(|s| s.declared.covers(&held.reported.finding)) {
            section.findings.push(held.reported.fingerprint.clone());
        }
    }
    sections
}

/// One line on a declaration, and one on each finding in it.
pub fn lines<'r>(section: &Quarantined, suppressed: &'r [Suppressed]) -> (String, Vec<&'r Suppressed>) {
    let Quarantine { path, owner, recovery, .. } = &section.declared;
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "not said".into());
    let head = format!("{path}: owner {}; recovery {}", or_none(owner), or_none(recovery));
    let held = suppressed.iter().filter(|s| section.findings.contains(&s.reported.fingerprint)).collect();
    (head, held)
}
