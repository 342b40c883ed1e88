//! The command line: `cargo stateless` and `cargo-stateless`. `main.rs` hands the engine to [`main`] and
//! does nothing else.

mod args;
mod baseline;
mod init;
mod output;
mod rules;
mod run;
mod since;

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

pub use args::{Cli, Colour, Command, Verdict};
pub use run::{Terminal, run};

use crate::analysis::{Analysis, AnalyzeError, AnalyzeOptions};
use crate::config::RuleSettings;
use crate::finding::{Persona, Severity};
use crate::report::Allow;
use crate::report::progress::Progress;

/// What the configuration of a tree contributes; the command line overrides it.
#[derive(Debug, Default, Clone)]
pub struct Policy {
    pub fail_on: Option<Severity>,
    pub persona: Option<Persona>,
    pub rules: BTreeMap<String, Vec<RuleSettings>>,
    pub allow: Vec<Allow>,
    /// The baseline file, relative to the root.
    pub baseline: Option<String>,
}

/// The engine as the command line sees it, so that it can be run without one.
pub trait Engine {
    /// Reads the configuration of the tree and analyses it.
    fn analyze(&self, root: &Path, options: &AnalyzeOptions) -> Result<(Analysis, Policy), AnalyzeError>;
    /// `(id, page)` of every rule.
    fn pages(&self) -> &[(&'static str, &'static str)];
    /// The commented configuration that `init` writes.
    fn sample_config(&self) -> &str;
}

/// Runs the arguments of this process at its own terminal.
pub fn main(engine: &dyn Engine) -> ExitCode {
    let cli = match Cli::parse_args(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let stdout = std::io::stdout();
    let stdout_is_terminal = stdout.is_terminal();
    let width = console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns));
    let mut terminal = Terminal {
        stdout: &mut stdout.lock(),
        stderr: &mut std::io::stderr(),
        stdin: &mut std::io::stdin(),
        stdout_is_terminal,
        width,
        cache: std::env::var_os("CARGO_STATELESS_CACHE_DIR")
            .filter(|folder| !folder.is_empty())
            .map(Into::into)
            .or_else(|| Some(dirs::cache_dir()?.join("cargo-stateless"))),
        no_color: std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        progress: Progress::stderr(),
    };
    run(cli, engine, &mut terminal)
}

/// The configuration's file name, at the root of the analysed tree.
pub const CONFIG: &str = "stateless.toml";

#[cfg(test)]
mod tests;
