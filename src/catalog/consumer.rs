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
    readers: BTreeMap<String, String>,
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

    /// Whether one of these calls fixes where reading begins, and gives no stream itself.
    pub fn positions(&self, calls: &[&str]) -> bool {
        self.readers.iter().any(|(call, stream)| stream.is_empty() && calls.contains(&call.as_str()))
    }

    /// The stream that a call gives which begins where the caller says; `given` are the types of its arguments.
    pub fn reader(&self, call: &str, given: &[&str]) -> Option<&str> {
        let opened = self.readers.iter().filter(|(_, stream)| !stream.is_empty());
        let asked = opened.into_iter().find(|(reader, _)| match reader.split_once('(') {
            Some((name, argument)) => name == call && given.iter().any(|ty| short(ty).1 == argument.trim_end_matches(')')),
            None => *reader == call,
        });
        asked.map(|(_, stream)| stream.as_str())
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
