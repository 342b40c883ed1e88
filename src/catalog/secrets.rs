//! What signs, seals and salts.

use super::paths::{PathTable, first};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct SecretsDocument {
    /// Functions that make a key of what they are given, beside those of tokens.
    keys: Vec<String>,
    /// Crates of cryptographic hashes and codes.
    hashers: Vec<String>,
    /// Functions that compare two secrets.
    comparisons: Vec<String>,
}

#[derive(Default)]
pub struct Secrets {
    keys: PathTable<()>,
    hashers: Vec<String>,
    comparisons: PathTable<()>,
}

impl Secrets {
    pub(super) fn add(&mut self, document: SecretsDocument) {
        self.keys.extend_long(&document.keys);
        self.hashers.extend(document.hashers);
        self.comparisons.extend(&document.comparisons);
    }

    pub fn is_key(&self, path: &str) -> bool {
        self.keys.get(path).is_some()
    }

    pub fn is_hasher(&self, path: &str) -> bool {
        self.hashers.iter().any(|c| c == first(path))
    }

    pub fn is_comparison(&self, path: &str) -> bool {
        self.comparisons.has(path)
    }
}
