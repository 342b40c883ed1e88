//! What the catalog says about signed tokens, keys and durations.

use super::paths::{PathTable, short};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A call that makes, checks or describes a token. Arguments are numbered from 0, -1 is the receiver.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TokenCall {
    #[serde(default)]
    pub paths: Vec<String>,
    #[serde(default)]
    pub methods: Vec<String>,
    /// The crates of the receiver or of an argument of such a method.
    #[serde(default)]
    pub crates: Vec<String>,
    /// The name tells enough in a package that depends on one of the crates.
    #[serde(default)]
    pub distinct: bool,
    pub header: Option<i8>,
    pub claims: Option<i8>,
    pub key: Option<i8>,
    pub options: Option<i8>,
    /// The argument that is the claims' own part.
    pub custom: Option<i8>,
    /// Seconds after which the library ends the token by itself.
    pub life: Option<i64>,
    /// The argument that says how long the token counts, in seconds if it is a number.
    pub life_argument: Option<i8>,
    /// Whether checking looks at the expiry.
    #[serde(default = "yes")]
    pub expiry: bool,
    /// Those of the methods that choose among several keys.
    #[serde(default)]
    pub keyed: Vec<String>,
    /// The types of the receiver, where the crate does not tell enough.
    #[serde(default)]
    pub types: Vec<String>,
    /// The form of the token: what one crate signs, another of the same form checks.
    #[serde(default = "jwt")]
    pub format: String,
    /// The library checks by itself what is signed here.
    #[serde(default)]
    pub checks: bool,
    /// The argument that is the moment at which the token ends.
    pub expiry_argument: Option<i8>,
    /// The argument that says how old a token may be when it is checked, in seconds; 0 is any age.
    pub max_age: Option<i8>,
}

fn yes() -> bool {
    true
}

fn jwt() -> String {
    "jwt".into()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyEntry {
    paths: Vec<String>,
    #[serde(default)]
    cookie: bool,
    /// The argument that is the key's id.
    kid: Option<usize>,
    /// The argument that is the secret.
    #[serde(default)]
    secret: usize,
}

/// What a function makes that signs.
#[derive(Clone, Copy, Debug)]
pub struct KeyMade {
    /// It signs or seals cookies.
    pub cookie: bool,
    pub kid: Option<usize>,
    /// The argument that is the secret.
    pub secret: usize,
}

/// Names by which types and claims are known.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct TokenNames {
    key_sets: Vec<String>,
    pub key_ids: Vec<String>,
    pub expiry: Vec<String>,
    /// Methods by which claims are told how long they count, that no claim is called after.
    pub lives: Vec<String>,
    pub rights: Vec<String>,
    pub registered: Vec<String>,
}

/// Durations by the names of functions; the numbers are milliseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TimeNames {
    pub types: Vec<String>,
    pub spans: BTreeMap<String, i64>,
    pub constants: BTreeMap<String, i64>,
    pub made: BTreeMap<String, i64>,
    pub integers: BTreeMap<String, i64>,
    pub sums: Vec<String>,
    clocks: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct TokenDocument {
    mint: Vec<TokenCall>,
    verify: Vec<TokenCall>,
    peek: Vec<TokenCall>,
    claims: Vec<TokenCall>,
    aged: Vec<TokenCall>,
    tag: Vec<TokenCall>,
    tag_check: Vec<TokenCall>,
    key: Vec<KeyEntry>,
    names: TokenNames,
    time: TimeNames,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TokenRole {
    Mint,
    Verify,
    Peek,
    Claims,
    /// Compares the expiry with the clock.
    Aged,
    /// Makes the tag of a message with a key: a token, if the message says when it ends.
    Tag,
    TagCheck,
}

#[derive(Debug, Default)]
pub struct TokenTables {
    calls: Vec<(TokenRole, TokenCall)>,
    by_path: PathTable<usize>,
    by_method: FxHashMap<String, Vec<usize>>,
    /// Functions that make keys.
    keys: PathTable<KeyMade>,
    key_sets: PathTable<()>,
    clocks: PathTable<()>,
    crates: FxHashSet<String>,
    pub names: TokenNames,
    pub time: TimeNames,
}

impl TokenTables {
    pub(super) fn add(&mut self, document: TokenDocument) {
        let roles =
            [TokenRole::Mint, TokenRole::Verify, TokenRole::Peek, TokenRole::Claims, TokenRole::Aged, TokenRole::Tag, TokenRole::TagCheck];
        let lists = [document.mint, document.verify, document.peek, document.claims, document.aged, document.tag, document.tag_check];
        for (role, calls) in roles.into_iter().zip(lists) {
            for call in calls {
                let index = self.calls.len();
                for path in &call.paths {
                    self.by_path.add_long(path, index);
                    self.crates.insert(super::first(path).to_string());
                }
                for method in &call.methods {
                    self.by_method.entry(method.clone()).or_default().push(index);
                }
                self.crates.extend(call.crates.iter().cloned());
                self.calls.push((role, call));
            }
        }
        for entry in document.key {
            for path in &entry.paths {
                self.keys.add_long(path, KeyMade { cookie: entry.cookie, kid: entry.kid, secret: entry.secret });
            }
        }
        let names = document.names;
        self.key_sets.extend(&names.key_sets);
        self.names.key_ids.extend(names.key_ids);
        self.names.expiry.extend(names.expiry);
        self.names.lives.extend(names.lives);
        self.names.rights.extend(names.rights);
        self.names.registered.extend(names.registered);
        let time = document.time;
        self.time.types.extend(time.types);
        self.time.spans.extend(time.spans);
        self.time.constants.extend(time.constants);
        self.time.made.extend(time.made);
        self.time.integers.extend(time.integers);
        self.time.sums.extend(time.sums);
        self.clocks.extend_long(&time.clocks);
    }

    pub fn call(&self, path: &str) -> Option<&(TokenRole, TokenCall)> {
        let index = self.by_path.get(path)?;
        self.calls.get(*index)
    }

    /// What a method of this name may be: on a value of one of the crates, or in a package that has one.
    pub fn method(&self, name: &str, on: Option<&str>, in_package: impl Fn(&str) -> bool) -> Option<&(TokenRole, TokenCall)> {
        let candidates = self.by_method.get(name)?.iter().map(|&i| &self.calls[i]);
        let fits = |call: &TokenCall, ty: &str| {
            call.crates.iter().any(|c| c == super::first(ty)) && (call.types.is_empty() || call.types.iter().any(|t| short(t) == short(ty)))
        };
        candidates
            .clone()
            .find(|(_, call)| on.is_some_and(|ty| fits(call, ty)))
            .or_else(|| candidates.clone().find(|(_, call)| call.distinct && call.crates.iter().any(|c| in_package(c))))
    }

    /// Whether a function makes a signing key, and if so which.
    pub fn key(&self, path: &str) -> Option<KeyMade> {
        self.keys.get(path).copied()
    }

    pub fn is_key_set(&self, path: &str) -> bool {
        self.key_sets.has(path)
    }

    /// Whether the values of a crate make up tokens.
    pub fn is_token_crate(&self, path: &str) -> bool {
        self.crates.contains(super::first(path))
    }

    pub fn is_clock(&self, path: &str) -> bool {
        self.clocks.has_long(path)
    }
}
