use std::fs;

use super::{Config, ConfigError, EntryPointMarker};
use crate::finding::{Persona, Severity};

const RULES: [&str; 3] = ["authoritative-memory", "detached-task", "local-file"];

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, "stateless.toml", &RULES)
}

fn error(text: &str) -> String {
    parse(text).err().map_or_else(String::new, |error| error.to_string())
}

/// Every documented key is understood.
#[test]
fn a_full_configuration() {
    let config = parse(
        r#"
fail-on = "error"
persona = "pedantic"
exclude = ["fixtures/", "**/generated.rs"]
catalog = ["ops/catalog.toml"]
[rules.local-file]
enabled = false
severity = "note"
persona = "inventory"
paths = ["crates/cli"]
[[allow]]
rule = "detached-task"
symbol = "shop::mail::send"
reason = "best effort, the nightly job sends what is left"
[[entry-point]]
path = "crate::jobs::consume"
name = "orders queue"
[[entry-point]]
attribute = "my_handler"
[tokens]
access-minutes = 15
[[quarantine]]
path = "src/hub.rs"
owner = "platform"
recovery = " "
"#,
    )
    .unwrap();
    assert_eq!((config.fail_on, config.persona), (Severity::Error, Persona::Pedantic));
    assert!(config.exclude.matches("fixtures/a/b.rs") && config.exclude.matches("src/x/generated.rs"));
    assert!(!config.exclude.matches("src/fixtures/a.rs"));
    let [rule] = config.rules["local-file"].as_slice() else { panic!("one table") };
    assert_eq!((rule.enabled, rule.severity), (Some(false), Some(Severity::Note)));
    assert!(rule.applies_to("crates/cli/src/main.rs") && !rule.applies_to("crates/api/src/main.rs"));
    assert_eq!((config.allow[0].line, config.allow[0].symbol.as_str()), (11, "shop::mail::send"));
    assert_eq!(config.entry_points[0].marker, EntryPointMarker::Path("crate::jobs::consume".into()));
    assert_eq!(config.entry_points[1].marker, EntryPointMarker::Attribute("my_handler".into()));
    assert_eq!(config.catalog, ["ops/catalog.toml"]);
    assert_eq!((config.tokens.access_minutes, config.tokens.max_bytes), (15, 4096));
    let quarantine = &config.quarantine[0];
    assert_eq!((quarantine.owner.as_deref(), &quarantine.recovery), (Some("platform"), &None));
}

/// A mistyped word is answered with its place and the word that was meant.
#[test]
fn mistakes_have_a_place_and_a_suggestion() {
    let key = error("persona = \"regular\"\nfail_on = \"error\"\n");
    assert!(key.starts_with("stateless.toml:2:1: unknown field `fail_on`"), "{key}");
    assert!(key.ends_with("did you mean `fail-on`?"), "{key}");
    let nested = error("[tokens]\n\nacess-minutes = 3\n");
    assert!(nested.starts_with("stateless.toml:3:1:") && nested.ends_with("`access-minutes`?"), "{nested}");
    let value = error("\nfail-on = \"warn\"\n");
    assert!(value.starts_with("stateless.toml:2:11:") && value.ends_with("did you mean `warning`?"), "{value}");
    let rule = error("[rules.local-file]\n[rules.local-files]\nenabled = false\n");
    assert_eq!(rule, "stateless.toml:2:8: no rule `local-files`; did you mean `local-file`?");
    let third = error("[[rules.local-file]]\nenabled = true\n\n[[rules.local-file]]\npath = [\"a\"]\n");
    assert!(third.starts_with("stateless.toml:5:1: unknown field `path`") && third.ends_with("did you mean `paths`?"), "{third}");
    let allow = error("[[allow]]\nrule = \"detached-tsk\"\nsymbol = \"a\"\nreason = \"b\"\n");
    assert_eq!(allow, "stateless.toml:2:8: no rule `detached-tsk`; did you mean `detached-task`?");
    assert!(parse("[[nonsense]]\n").err().is_some_and(|error| error.suggestion.is_none()));
}

/// What has the right form but no meaning is refused where it stands.
#[test]
fn meaningless_settings_are_refused() {
    let entry = "[[allow]]\nrule = \"detached-task\"\nsymbol = \"a\"\n";
    assert!(error(entry).contains("missing field `reason`"));
    assert_eq!(error(&format!("{entry}reason = \" \"\n")), "stateless.toml:4:10: `reason` is empty");
    assert!(error("[[entry-point]]\nname = \"x\"\n").contains(":1:1: an entry point needs either"));
    assert!(error("[[entry-point]]\npath = \"a\"\nattribute = \"b\"\n").contains("needs either"));
    assert!(error("exclude = [\"ok\",\n  \"a[\"]\n").starts_with("stateless.toml:2:3: no pattern"));
    assert!(error("catalog = [\"../../etc/x.toml\"]\n").contains("is not below the root"));
    assert!(error("catalog = [\"/etc/x.toml\"]\n").contains("is not below the root"));
    assert!(error("[tokens]\nmax-bytes = 0\n").starts_with("stateless.toml:2:13: must be more than zero"));
    assert!(error("fail-on = \n").starts_with("stateless.toml:1:"));
}

/// The settings come from one place, and two are an error that names both.
#[test]
fn one_place_only() {
    let dir = tempfile::tempdir().unwrap();
    let load = || Config::load(dir.path(), &RULES);
    assert_eq!(load().unwrap().source, None);
    let workspace = "[workspace]\nmembers = [\"a\"]\n[workspace.metadata.stateless]\nfail-on = \"note\"\n";
    fs::write(dir.path().join("Cargo.toml"), workspace).unwrap();
    let config = load().unwrap();
    assert_eq!((config.source.as_deref(), config.fail_on), (Some("Cargo.toml"), Severity::Note));
    fs::write(dir.path().join("stateless.toml"), "persona = \"inventory\"\n").unwrap();
    let both = load().unwrap_err().to_string();
    assert!(both.contains("stateless.toml") && both.contains("[workspace.metadata.stateless]"), "{both}");
    let package = "[package]\nname = \"a\"\n[package.metadata.stateless]\nfail-on = \"note\"\n";
    fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"a\"\n[package.metadata.other]\nx = 1\n").unwrap();
    assert_eq!(load().unwrap().persona, Persona::Inventory);
    fs::remove_file(dir.path().join("stateless.toml")).unwrap();
    fs::write(dir.path().join("Cargo.toml"), package).unwrap();
    assert_eq!(load().unwrap().fail_on, Severity::Note);
    fs::write(dir.path().join("Cargo.toml"), format!("{package}{workspace}")).unwrap();
    assert!(load().unwrap_err().message.contains("keep one"));
    fs::write(dir.path().join("Cargo.toml"), "[package]\nname = \"a\"\n[package.metadata.stateless]\nfail = 1\n").unwrap();
    let wrong = load().unwrap_err().to_string();
    assert!(wrong.starts_with("Cargo.toml:4:1: unknown field `fail`"), "{wrong}");
}

/// What `init` writes is understood when its examples are uncommented.
#[test]
fn the_sample_holds_no_mistake() {
    let sample = include_str!("sample.toml");
    assert!(parse(sample).is_ok(), "as it is written");
    let example = |line: &str| line.strip_prefix("# ").filter(|text| text.starts_with('[') || text.contains(" = ")).map(str::to_owned);
    let examples: Vec<String> = sample.lines().filter_map(example).collect();
    let rules = ["local-rate-limit", "local-file", "in-process-broadcast"];
    let config = Config::parse(&examples.join("\n"), "stateless.toml", &rules).unwrap();
    assert_eq!((config.rules.len(), config.allow.len(), config.entry_points.len(), config.quarantine.len()), (2, 1, 2, 1));
}

/// The committed schema is the one of the types, and it takes what the parser takes.
#[test]
fn the_schema_of_the_configuration_is_fresh() {
    let schema = super::raw::schema();
    crate::report::sample::assert_schema("config.json", &schema);
    let validator = jsonschema::validator_for(&schema).unwrap();
    let valid = |text: &str| validator.is_valid(&serde_json::to_value(toml::from_str::<toml::Table>(text).unwrap()).unwrap());
    assert!(valid("fail-on = \"error\"\n[rules.local-file]\npaths = [\"a\"]\n[[allow]]\nrule = \"a\"\nsymbol = \"b\"\nreason = \"c\"\n"));
    assert!(valid("[[rules.local-file]]\nenabled = false\n[[rules.local-file]]\nenabled = true\npaths = [\"a\"]\n"));
    assert!(!valid("fail_on = \"error\"\n"));
    assert!(!valid("[[rules.local-file]]\nenable = false\n"));
    assert!(!valid("[[allow]]\nrule = \"a\"\nsymbol = \"b\"\n"));
}
