use super::*;
use crate::analysis::Analysis;
use crate::report::sample::{at, comment, finding, rulebook};
use crate::report::{Report, assemble};

/// Lowers just enough of a text: `//` comments, and items given by their first and last lines.
fn check(text: &str, items: &[(u32, u32)], findings: &[(&'static str, u32)], settings: &Settings) -> Report {
    let comments = text
        .lines()
        .zip(1..)
        .filter_map(|(line, n)| {
            let (before, said) = line.split_once("//")?;
            Some(comment(n, before.chars().count() as u32 + 1, said.trim(), before.trim().is_empty()))
        })
        .collect();
    let analysis = Analysis {
        findings: findings.iter().map(|(rule, line)| finding(rule, &format!("shop::at{line}"), at("src/a.rs", *line, 1, 4))).collect(),
        comments: vec![FileComments { path: "src/a.rs".into(), comments }],
        items: items
            .iter()
            .map(|(start_line, end_line)| ItemSpan { path: "src/a.rs".into(), start_line: *start_line, end_line: *end_line })
            .collect(),
        ..Analysis::default()
    };
    let source = |path: &str| (path == "src/a.rs").then(|| text.to_owned());
    assemble(analysis, settings, &rulebook(), &source)
}

/// The rules and lines that are still shown.
fn left(report: &Report) -> Vec<(&'static str, u32)> {
    report.findings.iter().map(|r| (r.finding.rule, r.finding.location.line)).collect()
}

const TASK: &str = "detached-task";

#[test]
fn behind_code_an_allowance_covers_its_own_line_only() {
    let text = "fn f() {\n  spawn(a); // stateless: allow(detached-task) the mail is optional\n  spawn(b);\n}\n";
    let report = check(text, &[(1, 4)], &[(TASK, 2), (TASK, 3)], &Settings::default());
    assert_eq!(left(&report), [(TASK, 3)]);
    assert_eq!(report.suppressed[0].reason, "the mail is optional");
    assert_eq!(report.suppressed[0].by, By::Comment);
}

#[test]
fn above_an_item_it_covers_the_item_through_comments_and_attributes() {
    let text = "use x;\n\n// stateless: allow(detached-task): all of these are hints\n/// Doc.\n#[get(\n  \"/\")]\nasync fn f() {\n  spawn(a);\n}\nfn g() { spawn(b) }\n";
    let report = check(text, &[(1, 1), (7, 9), (10, 10)], &[(TASK, 8), (TASK, 10)], &Settings::default());
    assert_eq!(left(&report), [(TASK, 10)]);
    assert_eq!(report.suppressed[0].reason, "all of these are hints");
}

#[test]
fn above_a_statement_it_covers_the_statement() {
    let text = "fn f() {\n  // stateless: allow(detached-task) a hint\n  state\n    .spawn(a, \";\")\n    .x();\n  spawn(b);\n}\n";
    let report = check(text, &[(1, 7)], &[(TASK, 4), (TASK, 6)], &Settings::default());
    assert_eq!(left(&report), [(TASK, 6)]);
}

#[test]
fn at_the_head_it_covers_the_file() {
    for head in ["\n", "use a;\n", "#![allow(x)]\n", "pub mod b;\n"] {
        let text = format!("// stateless: allow(detached-task) a demo\n{head}fn f() {{\n  spawn(a);\n}}\n");
        let report = check(&text, &[(3, 5)], &[(TASK, 4)], &Settings::default());
        assert_eq!(left(&report), [], "{head:?}");
    }
    let text = "// stateless: allow(detached-task) this fn only\nfn f() { spawn(a) }\nfn g() { spawn(b) }\n";
    let report = check(text, &[(2, 2), (3, 3)], &[(TASK, 2), (TASK, 3)], &Settings::default());
    assert_eq!(left(&report), [(TASK, 3)], "directly above the first item it covers that item");
}

#[test]
fn an_allowance_without_a_reason_or_of_no_rule_hides_nothing_and_is_reported() {
    let one = |comment: &str| check(&format!("x // {comment}\n"), &[], &[(TASK, 1)], &Settings::default());
    for (bad, says) in [
        ("stateless: allow(detached-task)", "gives no reason"),
        ("stateless: allow(detached-task) --", "gives no reason"),
        ("stateless: allow(detachd-task) x", "did you mean `detached-task`?"),
        ("stateless: allow detached-task x", "names no rule in parentheses"),
        ("stateless: allow() x", "names no rule in parentheses"),
        ("stateless: alow(detached-task) x", "did you mean `allow`?"),
        ("stateless: allow(unused-suppression) x", "there is no rule"),
    ] {
        let report = one(bad);
        assert_eq!(left(&report), [(TASK, 1), (INVALID_SUPPRESSION, 1)], "{bad}");
        assert!(report.findings[1].finding.message.contains(says), "{bad}: {}", report.findings[1].finding.message);
    }
    assert_eq!(left(&one("stateless: this service keeps nothing")), [(TASK, 1)]);
    let half = one("stateless: allow(detached-task, nonsense) a hint");
    assert_eq!(left(&half), [(INVALID_SUPPRESSION, 1)], "the known half still counts");
}

#[test]
fn an_unused_allowance_is_reported_unless_nobody_can_know() {
    let text = "x // stateless: allow(detached-task, local-rate-limit) a hint\n";
    let settings = Settings::default();
    let report = check(text, &[], &[(TASK, 1)], &settings);
    assert_eq!(left(&report), [(UNUSED_SUPPRESSION, 1)]);
    assert!(report.findings[0].finding.message.contains("`local-rate-limit`"));
    assert_eq!(report.checklist[7].findings, [""; 0], "it fails no item");

    let only = Settings { only_rules: vec![TASK.into(), UNUSED_SUPPRESSION.into()], ..settings.clone() };
    assert_eq!(left(&check(text, &[], &[(TASK, 1)], &only)), []);
    let off = Settings { suppressions: false, ..settings };
    assert_eq!(left(&check(text, &[], &[(TASK, 1)], &off)), [(TASK, 1)]);
}

#[test]
fn the_configuration_allows_by_symbol() {
    let allow = |symbol: &str, reason: &str| Settings {
        allow: vec![Allow { rule: TASK.into(), symbol: symbol.into(), reason: reason.into(), location: at("stateless.toml", 2, 1, 9) }],
        ..Settings::default()
    };
    let found = [(TASK, 2), (TASK, 3)];
    let report = check("", &[], &found, &allow("shop::at2", "a hint"));
    assert_eq!(left(&report), [(TASK, 3)]);
    assert_eq!(report.suppressed[0].by, By::Config);
    assert_eq!(left(&check("", &[], &found, &allow("shop::*", "hints"))), []);
    let unused = check("", &[], &found, &allow("shop::other", "a hint"));
    assert_eq!(left(&unused), [(TASK, 2), (TASK, 3), (UNUSED_SUPPRESSION, 2)]);
    assert_eq!(unused.findings[2].finding.location.path, "stateless.toml");
    assert_eq!(left(&check("", &[], &found, &allow("shop::*", " "))).len(), 3);
}

#[test]
fn patterns_match_whole_symbols() {
    assert!(matches_pattern("a::*::c", "a::b::c"));
    assert!(matches_pattern("*", ""));
    assert!(!matches_pattern("a", "ab"));
    assert!(!matches_pattern("a*a", "a"));
    assert!(matches_pattern("a*b*c", "a-b-b-c"));
}
