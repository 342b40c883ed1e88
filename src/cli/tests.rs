use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use super::*;
use crate::report::sample;
use crate::workspace::model::Skip;

/// An engine that always finds the same, so that the command line is all that is tested.
struct Fixed {
    analysis: fn() -> Analysis,
    policy: Policy,
}

const PAGE: &str = "+++\nid = \"authoritative-memory\"\ntitle = \"memory that a later request relies on\"\n\
    item = \"cache-write-back\"\nseverity = \"error\"\nconfidence = \"high\"\npersona = \"regular\"\n\
    home = \"shared cache\"\ncwe = [488]\nsince = \"0.1.0\"\n+++\n\
    ## What it finds\n\nThe page. It has a paragraph that is much longer than the line of a terminal, and which is broken where words end.\n\n\
    ```rust\nlet x = 1;\n```\n";

impl Engine for Fixed {
    fn analyze(&self, _root: &Path, _options: &AnalyzeOptions) -> Result<(Analysis, Policy), AnalyzeError> {
        Ok(((self.analysis)(), self.policy.clone()))
    }

    fn pages(&self) -> &[(&'static str, &'static str)] {
        &[("authoritative-memory", PAGE)]
    }

    fn sample_config(&self) -> &str {
        "# persona = \"regular\"\n"
    }
}

fn found() -> Analysis {
    let at = sample::at("src/otp.rs", 3, 1, 85);
    sample::one(sample::finding("authoritative-memory", "shop::otp::CODES", at))
}

fn unread() -> Analysis {
    Analysis { errors: vec![Skip { path: "a.rs".into(), reason: "no text".into() }], ..Analysis::default() }
}

struct Ran {
    code: ExitCode,
    out: String,
    err: String,
}

fn run_in(folder: &Path, args: &str, analysis: fn() -> Analysis, stdin: &str) -> Ran {
    let args = format!("cargo-stateless {args}").replace("{}", &folder.display().to_string());
    let cli = Cli::parse_args(args.split_whitespace().map(OsString::from)).unwrap();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut terminal = Terminal {
        stdout: &mut out,
        stderr: &mut err,
        stdin: &mut stdin.as_bytes(),
        stdout_is_terminal: false,
        width: None,
        cache: None,
        no_color: false,
        progress: Progress::default(),
    };
    let code = run(cli, &Fixed { analysis, policy: Policy::default() }, &mut terminal);
    Ran { code, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
}

fn code(ran: &Ran, expected: u8) {
    assert_eq!(ran.code, ExitCode::from(expected), "{}{}", ran.out, ran.err);
}

#[test]
fn the_arguments_are_sound_and_the_help_fits_a_screen() {
    use clap::CommandFactory;
    Cli::command().debug_assert();
    let help = |flag: &str| {
        let error = Cli::command().term_width(100).try_get_matches_from(["cargo-stateless", flag]).unwrap_err();
        error.to_string()
    };
    let (short, help) = (help("-h"), help("--help"));
    assert_eq!(short, help);
    assert!(help.lines().count() <= 50, "{} lines:\n{help}", help.lines().count());
    assert!(help.contains("Examples:"));
}

#[test]
fn cargo_passes_the_subcommand_first_and_it_is_dropped() {
    let parse = |args: &[&str]| Cli::parse_args(args.iter().map(OsString::from)).unwrap();
    assert_eq!(parse(&["cargo-stateless", "stateless", "dir"]).check.path, Path::new("dir"));
    assert_eq!(parse(&["cargo-stateless", "dir"]).check.path, Path::new("dir"));
    assert!(matches!(parse(&["cargo-stateless", "stateless", "rules"]).command, Some(Command::Rules)));
}

#[test]
fn exit_codes_are_the_same_in_every_format() {
    let folder = tempfile::tempdir().unwrap();
    let formats = "human concise json sarif github gitlab rdjson junit markdown rustc-json";
    for format in formats.split(' ') {
        for (analysis, expected) in [(found as fn() -> Analysis, 1), (unread, 2), (Analysis::default, 0)] {
            code(&run_in(folder.path(), &format!("{{}} --format {format}"), analysis, ""), expected);
        }
    }
    code(&run_in(folder.path(), "{} --exit-zero", found, ""), 0);
    code(&run_in(folder.path(), "{} --allow-skipped", unread, ""), 0);
    code(&run_in(folder.path(), "{}/nowhere", found, ""), 2);
    code(&run_in(folder.path(), "{} --rule nonsense", found, ""), 2);
}

#[test]
fn several_formats_go_to_their_files_and_one_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run_in(folder.path(), "{} --format json --format sarif={}/out.sarif", found, "");
    code(&ran, 1);
    assert!(ran.out.starts_with('{') && ran.out.ends_with("}\n") && ran.err.is_empty());
    assert!(fs::read_to_string(folder.path().join("out.sarif")).unwrap().contains("\"2.1.0\""));
    code(&run_in(folder.path(), "{} --format json --format sarif", found, ""), 2);

    let failed = run_in(folder.path(), "{} --format json={}/a.json --format sarif={}/no/b.sarif", found, "");
    code(&failed, 2);
    assert!(!folder.path().join("a.json").exists(), "all files or none");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file stays");
}

#[test]
fn a_baseline_is_written_used_pruned_and_never_grows_by_pruning() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stateless-baseline.toml");
    code(&run_in(folder.path(), "baseline {}", found, ""), 0);
    assert_eq!(fs::read_to_string(&file).unwrap().matches("shop::otp::CODES").count(), 1);
    code(&run_in(folder.path(), "{}", found, ""), 0);
    code(&run_in(folder.path(), "{} --no-suppressions", found, ""), 1);

    code(&run_in(folder.path(), "baseline --prune {}", unread, ""), 2);
    code(&run_in(folder.path(), "baseline --prune {} -p shop", Analysis::default, ""), 2);
    let stale = run_in(folder.path(), "{}", Analysis::default, "");
    assert!(stale.out.contains("1 entry of the baseline"), "{}", stale.out);
    let pruned = run_in(folder.path(), "baseline --prune {}", Analysis::default, "");
    assert!(pruned.out.starts_with("Removed 1 of 1 entry"), "{}", pruned.out);
    code(&run_in(folder.path(), "baseline --prune {}", found, ""), 0);
    code(&run_in(folder.path(), "{}", found, ""), 1);

    fs::write(&file, "<<<<<<< ours\n").unwrap();
    let corrupt = run_in(folder.path(), "{}", found, "");
    code(&corrupt, 2);
    assert!(corrupt.err.contains("is corrupt: line 1"), "{}", corrupt.err);
}

#[test]
fn init_writes_a_configuration_a_hook_and_a_job_once() {
    let folder = tempfile::tempdir().unwrap();
    let written = [CONFIG, ".pre-commit-config.yaml", ".github/workflows/stateless.yml"];
    assert_eq!(run_in(folder.path(), "init {}", found, "").out.matches("Wrote ").count(), 3);
    for name in written {
        let path = folder.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        if name != CONFIG {
            assert!(saphyr_parser::Parser::new_from_str(&text).all(|event| event.is_ok()), "{name}");
        }
        fs::write(path, "mine").unwrap();
    }
    let again = run_in(folder.path(), "init {}", found, "").out;
    assert_eq!(again.matches("stays as it is").count(), 3);
    assert!(again.contains("To add to its `repos`:\n\n  - repo: local\n"), "{again}");
    assert!(written.iter().all(|name| fs::read_to_string(folder.path().join(name)).unwrap() == "mine"));

    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join(".gitlab-ci.yml"), "mine").unwrap();
    assert!(run_in(other.path(), "init {}", found, "").out.contains("- local: .gitlab/stateless.gitlab-ci.yml"));
    let job = fs::read_to_string(other.path().join(".gitlab/stateless.gitlab-ci.yml")).unwrap();
    assert!(saphyr_parser::Parser::new_from_str(&job).all(|event| event.is_ok()));

    let bare = tempfile::tempdir().unwrap();
    run_in(bare.path(), "init --config-only {}", found, "");
    assert_eq!(fs::read_dir(bare.path()).unwrap().count(), 1);
}

#[test]
fn rules_are_listed_and_explained() {
    let folder = tempfile::tempdir().unwrap();
    let list = run_in(folder.path(), "rules", found, "").out;
    assert!(list.starts_with("cache-write-back: Empty every memory"), "{list}");
    assert!(list.contains("\n  authoritative-memory  error"), "{list}");
    let page = run_in(folder.path(), "explain authoritative-memory", found, "").out;
    assert!(page.contains("CWE-488") && page.contains("The page."), "{page}");
    assert!(page.contains("\nWhat it finds\n") && page.contains("\n    let x = 1;\n") && !page.contains("```"), "{page}");
    assert!(page.lines().all(|line| line.chars().count() <= 100), "{page}");
    let unknown = run_in(folder.path(), "explain authoritative-memroy", found, "");
    code(&unknown, 2);
    assert!(unknown.err.contains("did you mean `authoritative-memory`?"), "{}", unknown.err);
}

#[test]
fn completions_and_the_manual_page_are_made() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run_in(folder.path(), "completions bash", found, "").out.contains("--persona"));
    assert!(run_in(folder.path(), "man", found, "").out.starts_with(".ie"));
}

#[test]
fn file_names_on_standard_input_choose_what_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let name = |file: &str| format!("{}\n", folder.path().join(file).display());
    code(&run_in(folder.path(), "{} --stdin-paths", found, &name("src/otp.rs")), 1);
    let other = run_in(folder.path(), "{} --stdin-paths", found, &name("src/a.rs"));
    code(&other, 0);
    assert!(other.out.contains("1 in other files"), "{}", other.out);
}
