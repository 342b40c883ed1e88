//! What the owner of a service says about it: `stateless.toml`, or the metadata of the root `Cargo.toml`.

mod globs;
mod raw;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

pub use self::globs::PathGlobs;
use crate::finding::{Persona, Severity};
use crate::workspace::text::{Problem, read_toml};

/// The name of the configuration file at the root of a tree.
pub const FILE_NAME: &str = "stateless.toml";

/// The settings of one tree. Lines are 1-based and refer to [`Config::source`].
#[derive(Debug, Clone)]
pub struct Config {
    /// The file the settings come from, relative to the root; `None` when there are none.
    pub source: Option<String>,
    /// Findings at or above it make a run fail. Default: warning.
    pub fail_on: Severity,
    /// Who the findings are for. Default: regular.
    pub persona: Persona,
    /// The file of known findings, relative to the root and below it.
    pub baseline: Option<String>,
    /// Files and folders that are not analysed.
    pub exclude: PathGlobs,
    /// By the rule's id. Of several that speak of one file, the later says what it says.
    pub rules: BTreeMap<String, Vec<RuleSettings>>,
    /// Findings that are accepted, each with its reason.
    pub allow: Vec<Allow>,
    /// Code that runs once a request and that no known framework would show.
    pub entry_points: Vec<EntryPoint>,
    /// The user's own catalog files, relative to the root and below it.
    pub catalog: Vec<String>,
    pub tokens: TokenLimits,
    /// What manifests call this tree's own workloads, where that is not the name of a crate.
    pub services: Vec<String>,
    /// State that is irreducible, declared on purpose.
    pub quarantine: Vec<Quarantine>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            source: None,
            fail_on: Severity::Warning,
            persona: Persona::Regular,
            baseline: None,
            exclude: PathGlobs::default(),
            rules: BTreeMap::new(),
            allow: Vec::new(),
            entry_points: Vec::new(),
            catalog: Vec::new(),
            tokens: TokenLimits::default(),
            services: Vec::new(),
            quarantine: Vec::new(),
        }
    }
}

/// `[rules.<id>]`, or one of several `[[rules.<id>]]`. What is absent stays as the rule has it.
#[derive(Debug, Clone, Default)]
pub struct RuleSettings {
    pub enabled: Option<bool>,
    pub severity: Option<Severity>,
    pub persona: Option<Persona>,
    /// The files these settings are for; all when empty.
    pub paths: PathGlobs,
}

impl RuleSettings {
    /// Whether the settings are for findings in this file.
    #[must_use]
    pub fn applies_to(&self, path: &str) -> bool {
        self.paths.is_empty() || self.paths.matches(path)
    }
}

/// `[[allow]]`: a finding that is accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allow {
    pub rule: String,
    /// The symbol of the finding, e.g. `shop::otp::CODES`.
    pub symbol: String,
    /// Never empty.
    pub reason: String,
    pub line: u32,
}

/// `[[entry-point]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryPoint {
    pub marker: EntryPointMarker,
    /// What messages call it; the path of the function when absent.
    pub name: Option<String>,
    pub line: u32,
}

/// How an entry point is recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryPointMarker {
    /// The path of a function, e.g. `crate::jobs::consume`.
    Path(String),
    /// An attribute on functions, without `#[` and arguments.
    Attribute(String),
}

/// `[tokens]`: what is still fine for a token that no store can revoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenLimits {
    /// The longest life of an access token, in minutes. Default: 60.
    pub access_minutes: u32,
    /// The largest size of a token that each request carries, in bytes. Default: 4096.
    pub max_bytes: u32,
}

impl Default for TokenLimits {
    fn default() -> Self {
        Self { access_minutes: 60, max_bytes: 4096 }
    }
}

/// `[[quarantine]]`. A part that is missing or blank is `None`, for a rule to speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantine {
    /// A file or folder (`src/hub.rs`) or the path of a module (`crate::hub`).
    pub path: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// How the state comes back when the instance is gone.
    pub recovery: Option<String>,
    /// Why it cannot live elsewhere.
    pub why: Option<String>,
    pub line: u32,
}

/// A configuration that cannot be used; line and column are 1-based, columns count characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Relative to the root, or as it was given.
    pub path: String,
    pub place: Option<(u32, u32)>,
    pub message: String,
    /// The word that was probably meant.
    pub suggestion: Option<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)?;
        self.suggestion.as_ref().map_or(Ok(()), |word| write!(f, "; did you mean `{word}`?"))
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    fn new(path: &str, problem: Problem) -> Self {
        Self { path: path.to_owned(), place: problem.place, message: problem.message, suggestion: None }
    }
}

impl Config {
    /// The settings of the tree at `root` (a folder): those of `stateless.toml`, or of
    /// `[workspace.metadata.stateless]` or `[package.metadata.stateless]` in `Cargo.toml`, or the
    /// defaults when it has none.
    ///
    /// # Errors
    /// When they are in several of these places, cannot be read, or say what has no meaning: an unknown
    /// key, a rule that is not among `known_rules`, an `allow` without a reason, a pattern that is none.
    pub fn load(root: &Path, known_rules: &[&str]) -> Result<Self, ConfigError> {
        let manifest = present(root, "Cargo.toml")?;
        let in_manifest = match &manifest {
            Some(text) => raw::in_manifest(text).map_err(|error| raw::explain("Cargo.toml", text, &error))?,
            None => None,
        };
        let file = present(root, FILE_NAME)?;
        match (file, manifest, in_manifest) {
            (Some(_), _, Some(found)) => {
                let message = format!("the settings are in {FILE_NAME} and in {} as well: keep one", found.table);
                Err(ConfigError::new("Cargo.toml", Problem::from(message)))
            }
            (Some(text), _, None) => Self::parse(&text, FILE_NAME, known_rules),
            (None, Some(text), Some(found)) => found.settings.checked(&text, "Cargo.toml", known_rules),
            (None, _, _) => Ok(Self::default()),
        }
    }

    /// The settings in `text`, which errors call `source`.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn parse(text: &str, source: &str, known_rules: &[&str]) -> Result<Self, ConfigError> {
        let settings: raw::Settings = toml::from_str(text).map_err(|error| raw::explain(source, text, &error))?;
        settings.checked(text, source, known_rules)
    }
}

fn present(root: &Path, name: &str) -> Result<Option<String>, ConfigError> {
    let path = root.join(name);
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    read_toml(&path).map(Some).map_err(|problem| ConfigError::new(name, problem))
}
