//! What the documentation shows is what the program does.

use std::fmt::Write;

use cargo_stateless::cli::Cli;

use crate::tree::{binary, project};

const PAGES: [&str; 4] = ["README.md", "docs/usage.md", "docs/ci.md", "docs/bots.md"];

fn read(page: &str) -> String {
    std::fs::read_to_string(project().join(page)).expect("a page")
}

/// Runs `ARGUMENTS`, or `ARGUMENTS /json/pointer`, at the root of the project.
fn output(marker: &str) -> String {
    let (args, pointer): (Vec<&str>, Vec<&str>) = marker.split_whitespace().partition(|word| !word.starts_with('/'));
    let output = binary().args(&args).current_dir(project()).output().expect("the binary runs");
    let text = String::from_utf8(output.stdout).expect("text");
    let Some(pointer) = pointer.first() else { return text };
    let report: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    serde_json::to_string_pretty(report.pointer(pointer).expect("a part of the report")).expect("JSON") + "\n"
}

/// The page with the block below each `<!-- run: .. -->` as the program prints it now. Lines that begin with `$` stay.
fn refreshed(page: &str) -> String {
    let mut out = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let _ = writeln!(out, "{line}");
        let Some(marker) = line.strip_prefix("<!-- run: ").and_then(|rest| rest.strip_suffix(" -->")) else { continue };
        let fence = lines.next().expect("a block below the marker");
        let ticks: String = fence.chars().take_while(|c| *c == '`').collect();
        assert!(ticks.len() >= 3, "a block below `{line}`");
        let shown: Vec<&str> = lines.by_ref().take_while(|line| *line != ticks).collect();
        let commands: String = shown.iter().take_while(|line| line.starts_with("$ ")).map(|line| format!("{line}\n")).collect();
        let text: String = output(marker).lines().map(|line| format!("{}\n", line.trim_end())).collect();
        let fence = if text.contains("```") { fence.replace(&ticks, "````") } else { fence.to_owned() };
        let ticks: String = fence.chars().take_while(|c| *c == '`').collect();
        let _ = write!(out, "{fence}\n{commands}{text}{ticks}\n");
    }
    out
}

/// `WRITE_DOCS=1 cargo test --test suite docs` writes what the program prints now, to be looked at and committed.
#[test]
fn shown_output_is_real() {
    for page in PAGES {
        let (old, new) = (read(page), refreshed(&read(page)));
        if std::env::var_os("WRITE_DOCS").is_some() {
            std::fs::write(project().join(page), &new).expect("written");
        } else {
            assert!(old == new, "{page} shows other output than the program; WRITE_DOCS=1 cargo test --test suite docs writes it");
        }
    }
}

#[test]
fn documented_commands_are_understood() {
    let mut found = 0;
    for page in PAGES {
        for line in read(page).lines() {
            let shell = line.strip_prefix("$ ").and_then(|line| line.split(['|', '>', '#']).next());
            let inline = line.split('`').skip(1).step_by(2);
            for command in shell.into_iter().chain(inline).filter_map(|text| text.trim().strip_prefix("cargo stateless")) {
                let args = ["cargo-stateless"].into_iter().chain(command.split_whitespace()).map(|word| word.trim_matches('"').into());
                if let Err(error) = Cli::parse_args(args) {
                    assert_eq!(error.exit_code(), 0, "{page}: cargo stateless{command}: {error}");
                }
                found += 1;
            }
        }
    }
    assert!(found > 20, "{found} commands were found");
}

/// What `init` writes is what the page on CI shows.
#[test]
fn snippets_are_those_of_init() {
    let page = read("docs/ci.md");
    for name in ["pre-commit", "github", "gitlab"] {
        let text = read(&format!("src/cli/init/{name}.yaml"));
        assert!(page.contains(&format!("```yaml\n{text}```\n")), "docs/ci.md does not show src/cli/init/{name}.yaml");
    }
}
