//! Clients of brokers.

use super::short;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How messages come from a broker and are settled there; the keys are explained in `consumers.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consumer {
    pub(super) crates: Vec<String>,
    pub opens: BTreeMap<String, String>,
    receives: Vec<String>,
    pub hands: Vec<String>,
    settles: Vec<String>,
    pops: Vec<String>,
    follows: Vec<String>,
    pub at_once: Vec<String>,
    pub auto: Vec<(String, String)>,
    pub own_group: Vec<String>,
    pub keeps: Vec<String>,
    pub(super) attributes: Vec<String>,
    pub forgets: bool,
    pub shared: Option<String>,
    unacked: Vec<String>,
}

impl Consumer {
    /// Whether these calls, made one after the other, bring a message.
    pub fn receives(&self, calls: &[&str]) -> bool {
        let called = |name: &str| calls.contains(&name);
        self.receives.iter().any(|r| match r.split_once('+') {
            Some((call, with)) => called(call) && called(with),
            None => called(r),
        })
    }

    /// Whether one of these calls takes an item out of a list for good.
    pub fn pops(&self, calls: &[&str]) -> bool {
        names_any(&self.pops, calls)
    }

    /// Whether one of these calls reads on from a position that the caller gives.
    pub fn follows(&self, calls: &[&str]) -> bool {
        names_any(&self.follows, calls)
    }

    pub fn settles(&self, calls: &[&str]) -> bool {
        names_any(&self.settles, calls)
    }

    pub fn is_unacked(&self, path: &str) -> bool {
        self.unacked.iter().any(|u| short(u) == short(path))
    }
}

fn names_any(list: &[String], calls: &[&str]) -> bool {
    list.iter().any(|name| calls.contains(&name.as_str()))
}
