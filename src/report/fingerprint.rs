//! The name of a finding: what is wrong with what, never where it stands.

use std::collections::HashMap;

use xxhash_rust::xxh3::xxh3_128;

use super::Reported;
use crate::finding::Finding;

/// Gives each finding its fingerprint. Findings of one rule on one symbol are numbered in source
/// order, so the list must hold all of them, suppressed ones too.
pub fn stamp(mut findings: Vec<Finding>) -> Vec<Reported> {
    findings.sort_by(|a, b| (&a.location, a.rule, &a.symbol).cmp(&(&b.location, b.rule, &b.symbol)));
    let mut seen: HashMap<(&'static str, String, String), u64> = HashMap::new();
    findings
        .into_iter()
        .map(|finding| {
            let nth = seen.entry((finding.rule, finding.package.clone(), finding.symbol.clone())).or_default();
            let fingerprint = hash(&finding, *nth);
            *nth += 1;
            Reported { finding, fingerprint }
        })
        .collect()
}

fn hash(finding: &Finding, nth: u64) -> String {
    let mut bytes = Vec::new();
    for part in [finding.rule, &finding.package, &finding.symbol] {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes.extend(nth.to_le_bytes());
    format!("{:032x}", xxh3_128(&bytes))
}
