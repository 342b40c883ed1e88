//! A small service with findings of every kind, for the tests of this room.

use super::Settings;
use crate::analysis::{AccessFacts, Analysis, Assessed, FileComments, InventoryKind, InventoryRow, ItemSpan, Summary};
use crate::finding::{ChecklistItem, Confidence, Finding, Location, Persona, Role, Severity, Step};
use crate::rulebook::Rulebook;
use crate::syntax::hir::{Comment, Span};
use crate::workspace::model::Skip;

pub const OTP: &str = "\
use std::sync::LazyLock;

static CODES: LazyLock<Mutex<HashMap<String, Otp>>> = LazyLock::new(Mutex::default);

pub fn remember(user: &str, otp: Otp) {
    CODES.lock().insert(user.to_owned(), otp);
}

pub fn take(user: &str) -> Option<Otp> {
    CODES.lock().remove(user)
}
";

pub const HANDLERS: &str = "\
pub async fn request(Json(who): Json<Who>) -> StatusCode {
    otp::remember(&who.user, Otp::random());
    /* größer */ tokio::spawn(mail::send(who));
    StatusCode::OK
}

pub async fn verify(Json(code): Json<Code>) -> Result<Token, Error> {
    let otp = otp::take(&code.user).ok_or(Error::Unauthorized)?;
    otp.check(code)
}
";

pub const YAML: &str = "kind: Service\nspec:\n  sessionAffinity: ClientIP\n";

pub fn sources(path: &str) -> Option<String> {
    let text = match path {
        "src/otp.rs" => OTP,
        "src/handlers.rs" => HANDLERS,
        "deploy/service.yaml" => YAML,
        _ => return None,
    };
    Some(text.to_owned())
}

const PAGES: [(&str, &str, &str, &str); 4] = [
    ("authoritative-memory", "memory that a later request relies on", "cache-write-back", "error"),
    ("detached-task", "work that a request promised and nothing redoes", "instance-kill", "error"),
    ("sticky-session", "a balancer that hides state in instances", "affinity", "warning"),
    ("local-rate-limit", "a limit that each instance counts for itself", "two-instance", "warning"),
];

pub fn rulebook() -> Rulebook {
    let pages: Vec<(&str, String)> = PAGES
        .iter()
        .map(|(id, title, item, severity)| {
            let page = format!(
                "+++\nid = \"{id}\"\ntitle = \"{title}\"\nitem = \"{item}\"\nseverity = \"{severity}\"\n\
                 confidence = \"high\"\npersona = \"regular\"\nhome = \"shared cache\"\ncwe = [488]\n\
                 since = \"0.1.0\"\n+++\nWhat `{id}` reports.\n"
            );
            (*id, page)
        })
        .collect();
    let pages: Vec<(&str, &str)> = pages.iter().map(|(id, page)| (*id, page.as_str())).chain(super::PAGES).collect();
    Rulebook::parse(&pages).unwrap()
}

pub fn at(path: &str, line: u32, column: u32, end_column: u32) -> Location {
    Location { path: path.into(), line, column, end_line: line, end_column }
}

pub fn finding(rule: &'static str, symbol: &str, location: Location) -> Finding {
    let item = PAGES.iter().find(|page| page.0 == rule).map_or("quarantine", |page| page.2);
    Finding {
        rule,
        item: serde_json::from_value(item.into()).unwrap(),
        severity: Severity::Error,
        confidence: Confidence::High,
        persona: Persona::Regular,
        reason: "reporting because both ends were followed".into(),
        package: "shop".into(),
        symbol: symbol.into(),
        ty: None,
        message: format!("`{symbol}` is lost with its instance"),
        location,
        witness: Vec::new(),
        home: None,
        help: None,
        related: Vec::new(),
    }
}

pub fn step(role: Role, entry: Option<&str>, message: &str, location: Location) -> Step {
    Step { role, entry: entry.map(str::to_owned), message: message.into(), location }
}

pub fn comment(line: u32, column: u32, text: &str, alone: bool) -> Comment {
    let end_column = column + text.chars().count() as u32 + 3;
    Comment { span: Span { line, column, end_line: line, end_column }, text: text.into(), alone }
}

/// Three findings in three files, one of them allowed by a comment, one for pedants.
pub fn analysis() -> Analysis {
    let codes = Finding {
        ty: Some("LazyLock<Mutex<HashMap<String, Otp>>>".into()),
        message: "a code from `POST /otp` is unknown to every other instance, so `POST /verify` answers 401 there".into(),
        witness: vec![vec![
            step(Role::Declared, None, "declared here, one for each process", at("src/otp.rs", 3, 8, 13)),
            step(Role::Written, Some("POST /otp"), "written by `POST /otp`", at("src/otp.rs", 6, 18, 24)),
            step(Role::Read, Some("POST /verify"), "removed by `POST /verify`", at("src/otp.rs", 10, 18, 24)),
            step(Role::Because, Some("POST /verify"), "a miss is an error to the client", at("src/handlers.rs", 8, 37, 64)),
        ]],
        home: Some("shared cache".into()),
        help: Some("keep the code in a shared cache with an expiry, keyed by user".into()),
        related: vec![("sticky-session".into(), "shop".into())],
        ..finding("authoritative-memory", "shop::otp::CODES", at("src/otp.rs", 3, 1, 85))
    };
    let mail = Finding {
        message: "the mail that `POST /otp` promised is lost when the instance dies after the answer".into(),
        confidence: Confidence::Medium,
        home: Some("durable queue".into()),
        help: Some("put the mail into a durable queue before answering".into()),
        ..finding("detached-task", "shop::handlers::request", at("src/handlers.rs", 3, 18, 47))
    };
    let sticky = Finding {
        severity: Severity::Warning,
        message: "clients are pinned to one instance, which hides state kept in memory".into(),
        package: String::new(),
        ..finding("sticky-session", "shop", at("deploy/service.yaml", 3, 3, 28))
    };
    let pedantic = Finding {
        severity: Severity::Note,
        persona: Persona::Pedantic,
        ..finding("local-rate-limit", "shop::otp::TRIES", at("src/otp.rs", 9, 1, 10))
    };
    Analysis {
        findings: vec![sticky, codes, mail, pedantic],
        comments: vec![FileComments {
            path: "deploy/service.yaml".into(),
            comments: vec![comment(3, 30, "stateless: allow(sticky-session) only to keep caches warm", false)],
        }],
        items: vec![ItemSpan { path: "src/otp.rs".into(), start_line: 3, end_line: 3 }],
        skipped: vec![Skip { path: "build.rs".into(), reason: "a build script runs before the service".into() }],
        errors: vec![Skip { path: "src/broken.rs".into(), reason: "line 4: expected `;`".into() }],
        unread_manifests: vec![Skip { path: "deploy/broken.yaml".into(), reason: "line 2: while parsing a block mapping".into() }],
        summary: Summary { crates: 1, files: 3, lines: 27, entry_points: 2, cells: 1, effects: 1, unknown_calls: 3, calls: 1204 },
        checklist_facts: vec![(ChecklistItem::RevocationWindow, "access tokens live 15 minutes".into())],
        assessed: [
            (ChecklistItem::TwoInstance, Assessed::Yes),
            (ChecklistItem::Affinity, Assessed::Yes),
            (ChecklistItem::RevocationWindow, Assessed::Yes),
            (ChecklistItem::KeyRotation, Assessed::No("no code that signs tokens was found".into())),
        ]
        .into(),
        inventory: inventory(),
        quarantine: Vec::new(),
    }
}

/// A cell and one access to it.
fn inventory() -> Vec<InventoryRow> {
    let cell = InventoryRow {
        kind: InventoryKind::Cell,
        symbol: "shop::otp::CODES".into(),
        ty: Some("LazyLock<Mutex<HashMap<String, Otp>>>".into()),
        location: at("src/otp.rs", 3, 1, 85),
        phase: Some("request".into()),
        verdict: "authoritative-memory".into(),
        reason: "presence is required and this instance alone writes".into(),
        detail: vec!["written by `POST /otp`".into()],
        access: None,
    };
    let access = InventoryRow {
        kind: InventoryKind::Access,
        ty: None,
        location: at("src/otp.rs", 10, 18, 24),
        reason: "removed by key by POST /verify".into(),
        detail: vec!["line 8: its absence is an error".into()],
        access: Some(AccessFacts {
            operation: "removed by key",
            method: "remove".into(),
            function: "shop::otp::take".into(),
            key_from: Some("request".into()),
            value_from: None,
            entries: vec!["POST /verify".into()],
            miss: Some("visible".into()),
        }),
        ..cell.clone()
    };
    vec![cell, access]
}

/// One finding on a symbol that nothing else speaks of.
pub fn one(finding: Finding) -> Analysis {
    Analysis { findings: vec![finding], ..Analysis::default() }
}

pub fn assembled(analysis: Analysis, settings: &Settings) -> super::Report {
    super::assemble(analysis, settings, &rulebook(), &sources)
}

/// Compares a schema with the committed one. Where it differs, the test run with `WRITE_SCHEMAS=1`
/// writes the new one, for the change to be looked at and committed.
pub fn assert_schema(name: &str, schema: &serde_json::Value) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name);
    let text = super::json::pretty(schema);
    if std::env::var_os("WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == text, "schemas/{name} is not what the types say; WRITE_SCHEMAS=1 cargo test writes it");
}
