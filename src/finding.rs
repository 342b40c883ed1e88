//! What a rule reports. Rules make findings, `report` prints them; neither knows the other.

use serde::Serialize;

/// The eight items of the senior review checklist.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChecklistItem {
    InstanceKill,
    TwoInstance,
    CacheWriteBack,
    Affinity,
    RevocationWindow,
    TokenBloat,
    KeyRotation,
    Quarantine,
}

impl ChecklistItem {
    pub const ALL: [ChecklistItem; 8] = [
        ChecklistItem::InstanceKill,
        ChecklistItem::TwoInstance,
        ChecklistItem::CacheWriteBack,
        ChecklistItem::Affinity,
        ChecklistItem::RevocationWindow,
        ChecklistItem::TokenBloat,
        ChecklistItem::KeyRotation,
        ChecklistItem::Quarantine,
    ];
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    Note,
    Warning,
    Error,
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    Low,
    Medium,
    High,
}

/// Who wants to see a finding: everyone, those who like to discuss, or an auditor of the audit.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Persona {
    Regular,
    Pedantic,
    Inventory,
}

/// A place in a file: path relative to the scanned root with `/`; 1-based lines and columns
/// (characters), the end column exclusive.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
pub struct Location {
    pub path: String,
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Where the state is declared or built.
    Declared,
    /// Where the cell is put into the service: `.with_state(..)`, `.manage(..)`.
    Registered,
    /// The entry point of the path.
    Entered,
    Called,
    Written,
    Read,
    Removed,
    Locked,
    /// What is done while a guard is held.
    Coordinated,
    Spawned,
    Sent,
    Received,
    Configured,
    Signed,
    Verified,
    Because,
}

/// One piece of evidence.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize)]
pub struct Step {
    pub role: Role,
    /// The entry point on whose path the step lies, e.g. `POST /otp`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    pub message: String,
    pub location: Location,
}

impl Step {
    /// A step on no entry point's path.
    pub fn new(role: Role, message: impl Into<String>, location: Location) -> Step {
        Step { role, entry: None, message: message.into(), location }
    }

    /// The step on an entry point's path.
    pub fn on(self, entry: impl Into<Option<String>>) -> Step {
        Step { entry: entry.into(), ..self }
    }
}

#[derive(Clone, Debug)]
pub struct Finding {
    /// The rule's id, e.g. `authoritative-memory`.
    pub rule: &'static str,
    pub item: ChecklistItem,
    pub severity: Severity,
    pub confidence: Confidence,
    pub persona: Persona,
    /// Why this is reported at this confidence: "reporting because ..".
    pub reason: String,
    /// The crate (package name) that declares the state; empty for manifests.
    pub package: String,
    /// Full path of what is reported, e.g. `shop::otp::CODES`.
    pub symbol: String,
    /// The type as Rust text, if there is one.
    pub ty: Option<String>,
    /// One sentence, the harm first; lower case start, no full stop.
    pub message: String,
    pub location: Location,
    /// Paths of evidence, the best first; each is ordered from an entry point to the cell or effect.
    pub witness: Vec<Vec<Step>>,
    /// The right home, e.g. `shared cache`.
    pub home: Option<String>,
    /// What to do, one or two sentences.
    pub help: Option<String>,
    /// Symbols of findings that belong to the same story, as `rule symbol` pairs.
    pub related: Vec<(String, String)>,
}
