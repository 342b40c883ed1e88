//! Arguments and their help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::finding::{Persona, Severity};
use crate::report::Format;

const EXAMPLES: &str = "\
Examples:
  cargo stateless                          check the workspace in this folder
  cargo stateless --since main             what this branch introduces
  cargo stateless -p shop --persona pedantic
  cargo stateless --format human --format sarif=stateless.sarif
  cargo stateless explain authoritative-memory

Exit codes: 0 clean; 1 findings at or above --fail-on; 2 could not check.";

/// Finds state that hides in one instance of a Rust service and outlives a request
#[derive(Parser, Debug)]
#[command(name = "cargo-stateless", bin_name = "cargo stateless", version, after_help = EXAMPLES)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub check: Check,
}

#[derive(Args, Debug, Clone)]
pub struct Check {
    /// Folder to analyse, with everything below it
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Analyse the folder of this Cargo.toml
    #[arg(long, value_name = "FILE", conflicts_with = "path")]
    pub manifest_path: Option<PathBuf>,
    /// Only this package (repeatable)
    #[arg(short, long = "package", value_name = "NAME")]
    pub packages: Vec<String>,
    /// How to print, and optionally where (repeatable) [default: human]
    #[arg(long = "format", value_name = "FORMAT[=FILE]", value_parser = parse_target)]
    pub formats: Vec<Target>,
    /// Write the one format without a file here
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Fail at this severity: note, warning, error [default: warning]
    #[arg(long, value_enum, value_name = "SEVERITY", hide_possible_values = true)]
    pub fail_on: Option<Verdict>,
    /// Exit with 0 even if there are findings
    #[arg(long)]
    pub exit_zero: bool,
    /// Code that could not be read is no reason to exit with 2
    #[arg(long)]
    pub allow_skipped: bool,
    /// Show for: regular, pedantic, inventory [default: regular]
    #[arg(long, value_enum, hide_possible_values = true)]
    pub persona: Option<Who>,
    /// Only this rule (repeatable)
    #[arg(long = "rule", value_name = "ID")]
    pub rules: Vec<String>,
    /// Analyse example targets too
    #[arg(long)]
    pub examples: bool,
    /// Show what comments, configuration and baseline hide
    #[arg(long)]
    pub no_suppressions: bool,
    /// A further deployment manifest (repeatable)
    #[arg(long = "manifest", value_name = "FILE")]
    pub manifests: Vec<PathBuf>,
    /// Findings that are known already
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// Only findings in the files named on standard input, one a line
    #[arg(long)]
    pub stdin_paths: bool,
    /// Only findings that came since this git revision
    #[arg(long, value_name = "REV")]
    pub since: Option<String>,
    /// Neither use nor keep what was parsed
    #[arg(long)]
    pub no_cache: bool,
    /// When to use colour: auto, always or never
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", hide_default_value = true, hide_possible_values = true)]
    pub color: Colour,
    /// Say less (twice: nothing)
    #[arg(short, long, action = clap::ArgAction::Count, conflicts_with = "verbose")]
    pub quiet: u8,
    /// Show all evidence, facts and what was left out
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Explain a rule
    Explain {
        /// The rule's id
        rule: String,
    },
    /// List the rules
    Rules,
    /// Show every entry point, cell, access and effect with its verdict
    Facts(Box<Check>),
    /// Write the findings of today to a baseline file
    Baseline {
        /// Only remove entries that match nothing any more
        #[arg(long)]
        prune: bool,
        #[command(flatten)]
        check: Box<Check>,
    },
    /// Write a commented stateless.toml, a pre-commit hook and a CI job; nothing is overwritten
    Init {
        /// Only stateless.toml
        #[arg(long)]
        config_only: bool,
        /// Folder to write to
        #[arg(default_value = ".")]
        path: PathBuf,
    },
    /// Print a completion script
    Completions { shell: Shell },
    /// Print the manual page
    Man,
}

/// A format and the file it goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub format: Format,
    /// Standard output if there is none.
    pub file: Option<PathBuf>,
}

fn parse_target(value: &str) -> Result<Target, String> {
    let (name, file) = match value.split_once('=') {
        Some((_, "")) => return Err("there is no file after `=`".into()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (value, None),
    };
    let names = || Format::value_variants().iter().filter_map(|f| f.to_possible_value());
    let format = Format::from_str(name, false).map_err(|_| {
        let known = names().map(|value| value.get_name().to_owned()).collect::<Vec<_>>().join(", ");
        format!("known formats: {known}")
    })?;
    Ok(Target { format, file })
}

/// A severity as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Verdict {
    Note,
    Warning,
    Error,
}

impl From<Verdict> for Severity {
    fn from(value: Verdict) -> Self {
        match value {
            Verdict::Note => Severity::Note,
            Verdict::Warning => Severity::Warning,
            Verdict::Error => Severity::Error,
        }
    }
}

/// A persona as an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Who {
    /// What should survive a senior review
    Regular,
    /// Also what reviewers may differ on
    Pedantic,
    /// Also every cell and effect with its verdict
    Inventory,
}

impl From<Who> for Persona {
    fn from(value: Who) -> Self {
        match value {
            Who::Regular => Persona::Regular,
            Who::Pedantic => Persona::Pedantic,
            Who::Inventory => Persona::Inventory,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
}

impl Cli {
    /// Parses arguments; `cargo stateless ..` passes its own name first, which is dropped.
    pub fn parse_args(args: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let mut args: Vec<OsString> = args.into_iter().collect();
        if args.get(1).is_some_and(|first| first == "stateless") {
            args.remove(1);
        }
        Self::try_parse_from(args)
    }
}
