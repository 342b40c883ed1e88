//! A test report: one suite for each checklist item, one failed case for each finding.

use std::fmt::Write;

use super::{Report, Status, item_name, item_question, severity_name, text};

pub fn render(report: &Report) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures, mut skips) = (0, 0, 0);
    let mut shown = vec![false; report.findings.len()];
    for item in &report.checklist {
        let name = item_name(item.item);
        let mut cases = String::new();
        let mut failed = 0;
        for (reported, shown) in report.findings.iter().zip(&mut shown) {
            if item.findings.contains(&reported.fingerprint) {
                *shown = true;
                failed += 1;
                failure(name, reported, &mut cases);
            }
        }
        let skipped = usize::from(item.status == Status::NotAssessed);
        if failed == 0 {
            let _ = write!(cases, "    <testcase classname=\"{name}\" name=\"{}\"", text::xml(item_question(item.item)));
            if skipped == 1 {
                let _ = writeln!(cases, ">\n      <skipped message=\"{}\"/>\n    </testcase>", attribute(&item.reason));
            } else {
                cases.push_str("/>\n");
            }
        }
        suite(name, failed.max(1), failed, skipped, &cases, &mut suites);
        tests += failed.max(1);
        failures += failed;
        skips += skipped;
    }
    let mut cases = String::new();
    let mut failed = 0;
    for (reported, _) in report.findings.iter().zip(&shown).filter(|(_, shown)| !**shown) {
        failed += 1;
        failure("suppressions", reported, &mut cases);
    }
    if failed > 0 {
        suite("suppressions", failed, failed, 0, &cases, &mut suites);
        tests += failed;
        failures += failed;
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"cargo-stateless\" tests=\"{tests}\" \
         failures=\"{failures}\" skipped=\"{skips}\">\n{suites}</testsuites>\n"
    )
}

fn suite(name: &str, tests: usize, failures: usize, skipped: usize, cases: &str, out: &mut String) {
    let _ = write!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{tests}\" failures=\"{failures}\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n"
    );
}

fn failure(class: &str, reported: &super::Reported, out: &mut String) {
    let f = &reported.finding;
    let mut body = format!("{}:{}:{}", text::line(&f.location.path), f.location.line, f.location.column);
    for step in f.witness.iter().take(1).flatten() {
        let at = &step.location;
        let _ = write!(body, "\n{}:{}: {}", text::line(&at.path), at.line, text::line(&step.message));
    }
    if let Some(help) = &f.help {
        let _ = write!(body, "\nhelp: {}", text::line(help));
    }
    let _ = writeln!(
        out,
        "    <testcase classname=\"{class}\" name=\"{}\" file=\"{}\">\n      <failure type=\"{}\" message=\"{}\">{}</failure>\n    </testcase>",
        attribute(&format!("{} {}", f.rule, f.symbol)),
        attribute(&f.location.path),
        severity_name(f.severity),
        attribute(&f.message),
        text::xml(&body),
    );
}

fn attribute(value: &str) -> String {
    text::xml(&text::line(value))
}
