//! The configuration as it is written, with places for messages, and what is checked beyond its form.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::{Component, Path};

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::{Allow, Config, ConfigError, EntryPoint, EntryPointMarker, PathGlobs, Quarantine, RuleSettings, TokenLimits};
use crate::finding::{Persona, Severity};
use crate::workspace::text::{Problem, closest, line_column};

/// The configuration of cargo-stateless, in `stateless.toml` or `[workspace.metadata.stateless]`.
#[derive(Debug, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(title = "stateless.toml"))]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Settings {
    /// Findings at or above it make a run fail. Default: warning.
    fail_on: Option<Severity>,
    /// Whose findings are shown. Default: regular.
    persona: Option<Persona>,
    /// The file of known findings, relative to the root.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    baseline: Option<Spanned<String>>,
    /// Files and folders that are not analysed.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    exclude: Vec<Spanned<String>>,
    /// By the id of the rule: one table, or several for different files.
    #[cfg_attr(test, schemars(with = "BTreeMap<String, Rules>"))]
    rules: BTreeMap<Spanned<String>, Rules>,
    /// Findings that are accepted, each with its reason.
    #[cfg_attr(test, schemars(with = "Vec<AllowEntry>"))]
    allow: Vec<Spanned<AllowEntry>>,
    /// Functions that run once a request and that no known framework shows.
    #[cfg_attr(test, schemars(with = "Vec<EntryPointEntry>"))]
    entry_point: Vec<Spanned<EntryPointEntry>>,
    /// Catalog files of your own, relative to the root.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    catalog: Vec<Spanned<String>>,
    /// What a token that no store can revoke may be.
    tokens: Tokens,
    /// What manifests call this tree's own workloads, where that is not the name of a crate.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    services: Vec<Spanned<String>>,
    /// State that has to stay in a process, declared on purpose.
    #[cfg_attr(test, schemars(with = "Vec<QuarantineEntry>"))]
    quarantine: Vec<Spanned<QuarantineEntry>>,
}

/// `[rules.ID]` or several `[[rules.ID]]`. Told apart by their form, so that a mistyped key has its own message.
#[cfg_attr(test, derive(schemars::JsonSchema), schemars(untagged))]
#[derive(Debug)]
enum Rules {
    One(Rule),
    Several(Vec<Rule>),
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Form;
        impl<'de> Visitor<'de> for Form {
            type Value = Rules;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table or an array of tables")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Rules, A::Error> {
                Rule::deserialize(MapAccessDeserializer::new(map)).map(Rules::One)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Rules, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Rules::Several)
            }
        }
        deserializer.deserialize_any(Form)
    }
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Rule {
    /// Whether the rule runs.
    enabled: Option<bool>,
    /// What its findings weigh.
    severity: Option<Severity>,
    /// Whose findings are shown. Default: regular.
    persona: Option<Persona>,
    /// The files these settings are for; all when empty.
    #[cfg_attr(test, schemars(with = "Vec<String>"))]
    paths: Vec<Spanned<String>>,
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct AllowEntry {
    /// The id of the rule.
    #[cfg_attr(test, schemars(with = "String"))]
    rule: Spanned<String>,
    /// The symbol of the finding; `*` stands for any text.
    #[cfg_attr(test, schemars(with = "String"))]
    symbol: Spanned<String>,
    /// Why it is accepted.
    #[cfg_attr(test, schemars(with = "String"))]
    reason: Spanned<String>,
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct EntryPointEntry {
    /// The path of a function, e.g. `crate::jobs::consume`.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    path: Option<Spanned<String>>,
    /// An attribute on functions, without `#[` and arguments.
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    attribute: Option<Spanned<String>>,
    /// What messages call it.
    name: Option<String>,
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
struct Tokens {
    /// The longest life of an access token. Default: 60.
    #[cfg_attr(test, schemars(with = "Option<u32>"))]
    access_minutes: Option<Spanned<u32>>,
    /// The largest token that each request carries. Default: 4096.
    #[cfg_attr(test, schemars(with = "Option<u32>"))]
    max_bytes: Option<Spanned<u32>>,
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct QuarantineEntry {
    /// A file, a folder or the path of a module.
    #[cfg_attr(test, schemars(with = "String"))]
    path: Spanned<String>,
    /// Who answers for it.
    owner: Option<String>,
    /// How the state comes back when the instance is gone.
    recovery: Option<String>,
    /// Why it cannot live elsewhere.
    why: Option<String>,
}

/// Settings in a `Cargo.toml`.
pub(super) struct InManifest {
    pub(super) table: &'static str,
    pub(super) settings: Settings,
}

#[derive(Deserialize)]
struct Manifest {
    workspace: Option<WithMetadata>,
    #[serde(alias = "project")]
    package: Option<WithMetadata>,
}

#[derive(Deserialize)]
struct WithMetadata {
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    stateless: Option<Spanned<Settings>>,
}

pub(super) fn in_manifest(text: &str) -> Result<Option<InManifest>, toml::de::Error> {
    const TABLES: [&str; 2] = ["[workspace.metadata.stateless]", "[package.metadata.stateless]"];
    let manifest: Manifest = toml::from_str(text)?;
    let take = |table: Option<WithMetadata>| table.and_then(|table| table.metadata?.stateless);
    let [workspace, package] = TABLES;
    match (take(manifest.workspace), take(manifest.package)) {
        (Some(_), Some(_)) => {
            let message = format!("the settings are in {workspace} and in {package} as well: keep one");
            Err(serde::de::Error::custom(message))
        }
        (Some(found), None) => Ok(Some(InManifest { table: workspace, settings: found.into_inner() })),
        (None, Some(found)) => Ok(Some(InManifest { table: package, settings: found.into_inner() })),
        (None, None) => Ok(None),
    }
}

/// The JSON Schema of `stateless.toml`.
#[cfg(test)]
pub(super) fn schema() -> serde_json::Value {
    schemars::schema_for!(Settings).into()
}

/// The error as a reader wants it: a mistyped key or value with the word that was probably meant.
pub(super) fn explain(path: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let mut explained = ConfigError::new(path, Problem::of_toml(text, error));
    if explained.message.starts_with("unknown ") {
        // The words in backticks are the unknown one and then those that are known.
        let mut words = error.message().split('`').skip(1).step_by(2);
        if let Some(word) = words.next() {
            explained.suggestion = closest(word, words).map(str::to_owned);
        }
    }
    explained
}

impl Settings {
    pub(super) fn checked(self, text: &str, source: &str, known_rules: &[&str]) -> Result<Config, ConfigError> {
        let check = Check { text, source, known_rules };
        let defaults = Config::default();
        let limits = TokenLimits::default();
        let mut rules = BTreeMap::new();
        for (id, tables) in self.rules {
            check.rule(&id)?;
            let tables = match tables {
                Rules::One(rule) => vec![rule],
                Rules::Several(rules) => rules,
            };
            let settings = tables.into_iter().map(|rule| check.rule_settings(rule)).collect::<Result<_, _>>()?;
            rules.insert(id.into_inner(), settings);
        }
        Ok(Config {
            source: Some(source.to_owned()),
            fail_on: self.fail_on.unwrap_or(defaults.fail_on),
            persona: self.persona.unwrap_or(defaults.persona),
            baseline: self.baseline.map(|path| check.path_below(path, "baseline")).transpose()?,
            exclude: check.globs(self.exclude)?,
            rules,
            allow: self.allow.into_iter().map(|entry| check.allow(entry)).collect::<Result<_, _>>()?,
            entry_points: self.entry_point.into_iter().map(|entry| check.entry_point(entry)).collect::<Result<_, _>>()?,
            catalog: self.catalog.into_iter().map(|path| check.path_below(path, "catalog")).collect::<Result<_, _>>()?,
            tokens: TokenLimits {
                access_minutes: check.positive(self.tokens.access_minutes, limits.access_minutes)?,
                max_bytes: check.positive(self.tokens.max_bytes, limits.max_bytes)?,
            },
            services: self.services.into_iter().map(|name| check.filled(name, "services")).collect::<Result<_, _>>()?,
            quarantine: self.quarantine.into_iter().map(|entry| check.quarantine(entry)).collect::<Result<_, _>>()?,
        })
    }
}

/// The checks of one configuration, with what their messages need.
struct Check<'a> {
    text: &'a str,
    source: &'a str,
    known_rules: &'a [&'a str],
}

impl Check<'_> {
    fn error(&self, span: Range<usize>, message: impl Into<String>) -> ConfigError {
        ConfigError::new(self.source, Problem::at(self.text, span.start, message))
    }

    fn line(&self, span: Range<usize>) -> u32 {
        line_column(self.text, span.start).0
    }

    fn rule(&self, id: &Spanned<String>) -> Result<(), ConfigError> {
        let name = id.get_ref().as_str();
        if self.known_rules.contains(&name) {
            return Ok(());
        }
        let mut error = self.error(id.span(), format!("no rule `{name}`"));
        error.suggestion = closest(name, self.known_rules.iter().copied()).map(str::to_owned);
        Err(error)
    }

    fn rule_settings(&self, rule: Rule) -> Result<RuleSettings, ConfigError> {
        let Rule { enabled, severity, persona, paths } = rule;
        Ok(RuleSettings { enabled, severity, persona, paths: self.globs(paths)? })
    }

    fn globs(&self, patterns: Vec<Spanned<String>>) -> Result<PathGlobs, ConfigError> {
        for pattern in &patterns {
            PathGlobs::new([pattern.get_ref().clone()])
                .map_err(|error| self.error(pattern.span(), format!("no pattern of paths: {error}")))?;
        }
        PathGlobs::new(patterns.into_iter().map(Spanned::into_inner))
            .map_err(|error| ConfigError::new(self.source, Problem::from(error.to_string())))
    }

    fn filled(&self, text: Spanned<String>, key: &str) -> Result<String, ConfigError> {
        let trimmed = text.get_ref().trim();
        if trimmed.is_empty() {
            return Err(self.error(text.span(), format!("`{key}` is empty")));
        }
        Ok(trimmed.to_owned())
    }

    fn allow(&self, entry: Spanned<AllowEntry>) -> Result<Allow, ConfigError> {
        let line = self.line(entry.span());
        let AllowEntry { rule, symbol, reason } = entry.into_inner();
        self.rule(&rule)?;
        let symbol = self.filled(symbol, "symbol")?;
        Ok(Allow { rule: rule.into_inner(), symbol, reason: self.filled(reason, "reason")?, line })
    }

    fn entry_point(&self, entry: Spanned<EntryPointEntry>) -> Result<EntryPoint, ConfigError> {
        let span = entry.span();
        let EntryPointEntry { path, attribute, name } = entry.into_inner();
        let marker = match (path, attribute) {
            (Some(path), None) => EntryPointMarker::Path(self.filled(path, "path")?),
            (None, Some(attribute)) => EntryPointMarker::Attribute(self.filled(attribute, "attribute")?),
            _ => return Err(self.error(span, "an entry point needs either `path` or `attribute`")),
        };
        Ok(EntryPoint { marker, name: name.and_then(filled), line: self.line(span) })
    }

    /// A path of the tree: the configuration may come from a stranger, who must not choose files elsewhere.
    fn path_below(&self, path: Spanned<String>, key: &str) -> Result<String, ConfigError> {
        let span = path.span();
        let path = self.filled(path, key)?;
        let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
        if Path::new(&path).components().all(inside) { Ok(path) } else { Err(self.error(span, format!("`{path}` is not below the root"))) }
    }

    fn positive(&self, number: Option<Spanned<u32>>, default: u32) -> Result<u32, ConfigError> {
        match number {
            None => Ok(default),
            Some(number) if *number.get_ref() == 0 => Err(self.error(number.span(), "must be more than zero")),
            Some(number) => Ok(number.into_inner()),
        }
    }

    fn quarantine(&self, entry: Spanned<QuarantineEntry>) -> Result<Quarantine, ConfigError> {
        let line = self.line(entry.span());
        let QuarantineEntry { path, owner, recovery, why } = entry.into_inner();
        let path = self.filled(path, "path")?;
        let (owner, recovery, why) = (owner.and_then(filled), recovery.and_then(filled), why.and_then(filled));
        Ok(Quarantine { path, owner, recovery, why, line })
    }
}

/// The text without the space around it, if there is any left.
fn filled(text: String) -> Option<String> {
    let trimmed = text.trim();
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}
