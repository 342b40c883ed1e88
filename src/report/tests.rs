use super::sample::{analysis, assembled, at, finding, one, rulebook, sources, step};
use super::*;
use crate::analysis::Assessed;
use crate::config::{PathGlobs, RuleSettings};
use crate::finding::{ChecklistItem, Confidence, Role};

fn text(format: Format, report: &Report, style: Style) -> String {
    render(format, report, &Context { sources: &sources, rules: &rulebook(), style })
}

fn default(format: Format) -> String {
    text(format, &assembled(analysis(), &Settings::default()), Style::default())
}

mod formats {
    use super::*;

    macro_rules! snapshots {
        ($($name:ident: $format:expr),* $(,)?) => {$(
            #[test]
            fn $name() {
                insta::assert_snapshot!(default($format).replace(&format!("\"{}\"", env!("CARGO_PKG_VERSION")), "\"VERSION\""));
            }
        )*};
    }
    snapshots! {
        human: Format::Human,
        concise: Format::Concise,
        json: Format::Json,
        sarif: Format::Sarif,
        github: Format::Github,
        gitlab: Format::Gitlab,
        rdjson: Format::Rdjson,
        junit: Format::Junit,
        markdown: Format::Markdown,
        rustc_json: Format::RustcJson,
    }

    #[test]
    fn human_at_a_terminal_draws_and_colours_and_shows_the_inventory() {
        let settings = Settings { persona: Persona::Inventory, ..Settings::default() };
        let style = Style { width: 80, colour: true, unicode: true, verbosity: 1 };
        let drawn = text(Format::Human, &assembled(analysis(), &settings), style);
        insta::assert_snapshot!(drawn.replace('\x1b', "ESC"));
    }

    #[test]
    fn without_entry_points_the_report_says_that_nothing_is_proven() {
        let report = assembled(Analysis::default(), &Settings::default());
        for format in [Format::Human, Format::Markdown] {
            let out = text(format, &report, Style::default());
            let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(words.contains("no proof that a service is stateless"), "{out}");
        }
        assert!(report.checklist.iter().all(|item| item.status == Status::NotAssessed));
        assert_eq!(report.exit, Exit::Clean);
    }

    #[test]
    fn sarif_is_valid_by_the_official_schema() {
        let mut schema: serde_json::Value = serde_json::from_str(include_str!("../../tests/suite/data/sarif-schema-2.1.0.json")).unwrap();
        // The schema's pattern for languages is no valid expression, and no language is written.
        for of in ["run", "toolComponent"] {
            schema["definitions"][of]["properties"]["language"].as_object_mut().unwrap().remove("pattern");
        }
        let validator = jsonschema::validator_for(&schema).unwrap();
        for analysis in [analysis(), Analysis::default(), super::hostile()] {
            let report = assembled(analysis, &Settings::default());
            let log: serde_json::Value = serde_json::from_str(&text(Format::Sarif, &report, Style::default())).unwrap();
            let errors: Vec<String> = validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
    }

    #[test]
    fn json_is_valid_by_the_committed_schema() {
        let schema = crate::report::json::schema();
        crate::report::sample::assert_schema("output.json", &schema);
        let validator = jsonschema::validator_for(&schema).unwrap();
        let since = Some(crate::report::since::Since::default());
        let curious = Settings { persona: Persona::Inventory, since, ..Settings::default() };
        for (analysis, settings) in [
            (analysis(), Settings::default()),
            (analysis(), curious),
            (Analysis::default(), Settings::default()),
            (super::hostile(), Settings::default()),
        ] {
            let json = text(Format::Json, &assembled(analysis, &settings), Style::default());
            let document: serde_json::Value = serde_json::from_str(&json).unwrap();
            let errors: Vec<String> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{errors:#?}");
        }
        assert!(!validator.is_valid(&serde_json::json!({ "schema": 1 })), "what is missing is told");
    }

    #[test]
    fn github_shows_the_worst_ten_and_counts_the_rest() {
        let many = (1..=14).map(|n| Finding {
            severity: if n > 10 { Severity::Error } else { Severity::Warning },
            ..finding("local-rate-limit", &format!("shop::L{n}"), at("src/otp.rs", n, 1, 2))
        });
        let report = assembled(Analysis { findings: many.collect(), ..Analysis::default() }, &Settings::default());
        let out = text(Format::Github, &report, Style::default());
        assert_eq!(out.lines().filter(|line| line.starts_with("::")).count(), 10);
        assert!(out.starts_with("::error file=src/otp.rs,line=11,"));
        assert!(out.contains("\n4 more findings not shown as annotations\n"));
    }

    #[test]
    fn byte_columns_count_bytes_and_character_columns_characters() {
        let json: serde_json::Value = serde_json::from_str(&default(Format::Rdjson)).unwrap();
        let spawn = &json["diagnostics"][0]["location"]["range"]["start"];
        assert_eq!(spawn["column"], 20, "two characters before the spawn take two bytes each");
    }

    #[test]
    fn a_review_comment_stays_below_the_limit_of_code_hosts() {
        let findings = (1..=900).map(|n| finding("local-rate-limit", &format!("shop::L{n}"), at("src/otp.rs", n, 1, 2)));
        let report = assembled(Analysis { findings: findings.collect(), ..Analysis::default() }, &Settings::default());
        let out = text(Format::Markdown, &report, Style::default());
        assert!(out.len() < 65_000 && out.contains("more findings did not fit"));
    }
}

#[test]
fn a_fingerprint_survives_moved_lines_and_files_but_not_another_symbol() {
    let print = |finding: Finding| assembled(one(finding), &Settings::default()).findings[0].fingerprint.clone();
    let base = finding("detached-task", "shop::a", at("src/a.rs", 3, 1, 9));
    let first = print(base.clone());
    assert_eq!(first, "394dadf5067eccad7c9d41d8ffcdeaa6", "fingerprints of released versions must not change");
    assert_eq!(first, print(Finding { location: at("src/b.rs", 90, 5, 9), message: "other".into(), ..base.clone() }));
    assert_ne!(first, print(Finding { symbol: "shop::b".into(), ..base.clone() }));
    assert_ne!(first, print(Finding { package: "shopa".into(), symbol: "::a".into(), ..base.clone() }));
}

#[test]
fn equal_findings_are_numbered_in_source_order_whatever_order_they_come_in() {
    let two = |order: [u32; 2]| {
        let findings = order.map(|line| finding("detached-task", "shop::a", at("src/a.rs", line, 1, 9)));
        assembled(Analysis { findings: findings.into(), ..Analysis::default() }, &Settings::default())
            .findings
            .into_iter()
            .map(|r| (r.finding.location.line, r.fingerprint))
            .collect::<Vec<_>>()
    };
    assert_eq!(two([3, 9]), two([9, 3]));
    assert_ne!(two([3, 9])[0].1, two([3, 9])[1].1);
}

#[test]
fn exit_codes_follow_severity_and_unread_code() {
    let warning = || Finding { severity: Severity::Warning, ..finding("detached-task", "shop::a", at("a.rs", 1, 1, 2)) };
    let unread = || vec![Skip { path: "b.rs".into(), reason: "no text".into() }];
    let exit = |findings: Vec<Finding>, errors: Vec<Skip>, settings: Settings| {
        assembled(Analysis { findings, errors, ..Analysis::default() }, &settings).exit.code()
    };
    let base = Settings::default;
    assert_eq!(exit(vec![], vec![], base()), 0);
    assert_eq!(exit(vec![warning()], vec![], base()), 1);
    assert_eq!(exit(vec![warning()], vec![], Settings { fail_on: Severity::Error, ..base() }), 0);
    assert_eq!(exit(vec![warning()], unread(), base()), 1, "a finding weighs more than an unread file");
    assert_eq!(exit(vec![], unread(), base()), 2);
    assert_eq!(exit(vec![], unread(), Settings { allow_skipped: true, ..base() }), 0);
    assert_eq!(exit(vec![warning()], vec![], Settings { exit_zero: true, ..base() }), 0);
    let off = || RuleSettings { enabled: Some(false), ..RuleSettings::default() };
    let below = |pattern: &str| PathGlobs::new([pattern.to_owned()]).unwrap();
    let set = |settings: RuleSettings| Settings { rules: [("detached-task".to_owned(), vec![settings])].into(), ..base() };
    assert_eq!(exit(vec![warning()], vec![], set(off())), 0);
    assert_eq!(exit(vec![warning()], vec![], set(RuleSettings { paths: below("a.rs"), ..off() })), 0);
    assert_eq!(exit(vec![warning()], vec![], set(RuleSettings { paths: below("tools"), ..off() })), 1);
    let note = || RuleSettings { severity: Some(Severity::Note), ..RuleSettings::default() };
    assert_eq!(exit(vec![warning()], vec![], set(RuleSettings { paths: below("*.rs"), ..note() })), 0);
    assert_eq!(exit(vec![warning()], vec![], set(RuleSettings { paths: below("b.rs"), ..note() })), 1);
    let for_pedants = RuleSettings { persona: Some(Persona::Pedantic), ..RuleSettings::default() };
    assert_eq!(exit(vec![warning()], vec![], set(for_pedants)), 0);
    let pedantic = || Finding { persona: Persona::Pedantic, ..warning() };
    assert_eq!(exit(vec![pedantic()], vec![], base()), 0, "what is not shown does not fail");
    assert_eq!(exit(vec![pedantic()], vec![], Settings { persona: Persona::Pedantic, ..base() }), 1);
}

#[test]
fn an_item_passes_only_when_all_of_it_was_looked_at() {
    let status = |settings: Settings| {
        let analysis = Analysis { assessed: [(ChecklistItem::TwoInstance, Assessed::Yes)].into(), ..Analysis::default() };
        assembled(analysis, &settings).checklist.swap_remove(1)
    };
    assert_eq!(status(Settings::default()).status, Status::Pass);
    let off = RuleSettings { enabled: Some(false), ..RuleSettings::default() };
    let set = |rule: RuleSettings| Settings { rules: [("local-rate-limit".to_owned(), vec![rule])].into(), ..Settings::default() };
    assert_eq!(status(set(off.clone())).reason, "`local-rate-limit` did not run");
    let partly = status(set(RuleSettings { paths: PathGlobs::new(["tools".to_owned()]).unwrap(), ..off }));
    assert_eq!((partly.status, partly.reason.as_str()), (Status::Pass, "nothing found; `local-rate-limit` off in some files"));
    let only = Settings { only_paths: Some(BTreeSet::new()), ..Settings::default() };
    assert_eq!(status(only).status, Status::NotAssessed);
}

#[test]
fn given_files_show_findings_that_touch_them_at_either_end() {
    let shown = |path: &str| {
        let settings = Settings { only_paths: Some([path.to_owned()].into()), ..Settings::default() };
        assembled(analysis(), &settings).findings.len()
    };
    assert_eq!(shown("src/handlers.rs"), 2, "the spawn is there, and the read that misses");
    assert_eq!(shown("src/otp.rs"), 1);
    assert_eq!(shown("src/elsewhere.rs"), 0);
}

#[test]
fn a_baseline_hides_what_it_knows_and_names_what_is_gone() {
    let report = assembled(analysis(), &Settings::default());
    let written = Baseline::of(&report.findings).write();
    let baseline = Baseline::parse(&written).unwrap();
    assert_eq!(baseline.write(), written);

    let mut later = analysis();
    later.findings.retain(|f| f.rule != "detached-task");
    let report = assembled(later, &Settings { baseline: Some(baseline.clone()), ..Settings::default() });
    assert!(report.findings.is_empty());
    assert!(report.suppressed.iter().any(|s| s.by == By::Baseline));
    let item = report.checklist.iter().find(|i| i.reason.contains("baseline")).expect("an item with a known finding");
    assert_eq!((item.status, item.reason.as_str()), (Status::Fail, "nothing new, 1 finding in the baseline"), "known is not passed");
    assert_eq!(report.stale.iter().map(|e| e.rule.as_str()).collect::<Vec<_>>(), ["detached-task"]);
    assert_eq!(baseline.without(&report.stale).len(), 1);
}

#[test]
fn a_corrupt_baseline_is_refused_with_the_line() {
    let refused = |text: &str| Baseline::parse(text).unwrap_err();
    assert!(refused("<<<<<<< ours\nversion = 1\n").starts_with("line 1: "));
    assert!(refused("version = 2\n").contains("version 2"));
    assert!(refused("version = 1\n[findings]\nabc = \"x y\"\n").contains("`abc` is no fingerprint"));
}

/// Names, paths and source that try to steer every reader.
fn hostile() -> Analysis {
    let evil = "a\x1b[2J\u{202e}::error::x\n::error file=/etc/passwd::boo\r##[group]y`</details><img src=x>](http://x)@team|";
    let mut bad = finding("authoritative-memory", evil, at(&format!("::error::{evil}"), 0, 0, u32::MAX));
    bad.message = evil.into();
    bad.ty = Some(evil.into());
    bad.help = Some(evil.into());
    bad.home = Some(evil.into());
    bad.reason = evil.into();
    bad.confidence = Confidence::Low;
    bad.related = vec![(evil.into(), evil.into())];
    bad.witness = vec![vec![step(Role::Written, Some(evil), evil, at("src/otp.rs", u32::MAX, 7, 3))]];
    let mut other = bad.clone();
    other.location = at("src/otp.rs", 3, 999, 2);
    Analysis {
        findings: vec![bad, other],
        errors: vec![Skip { path: evil.into(), reason: evil.into() }],
        skipped: vec![Skip { path: evil.into(), reason: evil.into() }],
        checklist_facts: vec![(ChecklistItem::Affinity, evil.into())],
        ..Analysis::default()
    }
}

#[test]
fn hostile_names_reach_no_terminal_workflow_or_page() {
    let report = assembled(hostile(), &Settings::default());
    let style = Style { verbosity: 1, ..Style::default() };
    for format in [Format::Human, Format::Concise, Format::Github, Format::Markdown, Format::Junit] {
        let out = text(format, &report, style);
        assert!(!out.contains(['\x1b', '\r', '\u{202e}']), "{format:?}: {out}");
        assert!(!out.contains("##["), "{format:?}: {out}");
        let own = if format == Format::Github { 2 } else { 0 };
        let commands = out.lines().filter(|line| line.trim_start().starts_with("::")).count();
        assert_eq!(commands, own, "{format:?}: {out}");
    }
    let page = text(Format::Markdown, &report, style);
    let options = pulldown_cmark::Options::ENABLE_TABLES;
    for event in pulldown_cmark::Parser::new_ext(&page, options) {
        use pulldown_cmark::{Event, Tag};
        match event {
            Event::Html(html) | Event::InlineHtml(html) => {
                let own = ["details", "summary", "b", "code", "sub"].map(|tag| [format!("<{tag}>"), format!("</{tag}>")]);
                let rest = own.iter().flatten().fold(html.to_string(), |rest, tag| rest.replace(tag, ""));
                assert!(!rest.replace("<br>", "").replace("<!-- cargo-stateless -->", "").contains('<'), "{html}");
            }
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => panic!("a link to {dest_url}"),
            _ => {}
        }
    }
}

#[test]
fn hostile_source_is_drawn_harmlessly() {
    let nasty = |_: &str| Some(format!("{}\x1b]0;x\x07##[error]{}\n", "\u{202e}", "x".repeat(100_000)));
    let report = assembled(one(finding("detached-task", "shop::a", at("a.rs", 1, 1, 9))), &Settings::default());
    for format in [Format::Human, Format::Markdown] {
        let context = Context { sources: &nasty, rules: &rulebook(), style: Style::default() };
        let out = render(format, &report, &context);
        assert!(!out.contains(['\x1b', '\x07', '\u{202e}']) && !out.contains("##["), "{out}");
        assert!(out.len() < 10_000);
    }
}

mod quarantine {
    use super::*;
    use crate::analysis::{Quarantine, Within};

    fn report() -> Report {
        let mut made = analysis();
        made.quarantine = vec![Quarantine {
            path: "src/otp.rs".into(),
            owner: Some("login team".into()),
            recovery: None,
            why: Some("codes live a minute".into()),
            within: Within { files: vec!["src/otp.rs".into()], modules: Vec::new() },
        }];
        assembled(made, &Settings::default())
    }

    #[test]
    fn findings_inside_it_move_to_its_section() {
        let report = report();
        assert!(report.findings.iter().all(|r| r.finding.location.path != "src/otp.rs"));
        let held: Vec<&Suppressed> = report.suppressed.iter().filter(|s| s.by == By::Quarantine).collect();
        assert_eq!(held.len(), 1);
        assert_eq!(report.quarantine[0].findings, [held[0].reported.fingerprint.clone()]);
        assert_eq!(held[0].reason, "quarantine src/otp.rs; codes live a minute; owner: login team");
    }

    #[test]
    fn every_format_for_people_and_programs_shows_it() {
        let report = report();
        for format in [Format::Human, Format::Markdown] {
            let out = text(format, &report, Style::default());
            assert!(out.contains("Quarantine") && out.contains("login team") && out.contains("shop::otp::CODES"), "{out}");
        }
        let json: serde_json::Value = serde_json::from_str(&text(Format::Json, &report, Style::default())).unwrap();
        assert_eq!(json["quarantine"][0]["path"], "src/otp.rs");
        assert_eq!(json["quarantine"][0]["findings"][0], report.quarantine[0].findings[0].as_str());
        assert!(json["suppressed"].as_array().unwrap().iter().any(|s| s["by"] == "quarantine"));
        assert!(text(Format::Sarif, &report, Style::default()).contains("quarantine src/otp.rs"));
    }

    #[test]
    fn a_file_stands_for_its_submodules_and_a_module_for_what_is_below_it() {
        let within = Within { files: vec!["src/hub.rs".into()], modules: vec!["shop::hub".into()] };
        assert!(within.has("src/hub.rs", "") && within.has("src/hub/rooms.rs", "") && within.has("", "shop::hub::ROOMS"));
        assert!(!within.has("src/hubs.rs", "") && !within.has("src/hubs/a.rs", "") && !within.has("", "shop::hubs::ROOMS"));
    }
}
