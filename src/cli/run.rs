//! Runs one command.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::CommandFactory;

use super::args::{Check, Cli, Colour, Command, Target};
use super::rules::Look;
use super::{Engine, Policy, baseline, init, output, rules, since};
use crate::analysis::{Analysis, AnalyzeOptions};
use crate::finding::{Persona, Severity};
use crate::report::progress::Progress;
use crate::report::{self, Context, Exit, Format, Report, Settings, SourceText, Style};
use crate::rulebook::Rulebook;

/// Bytes of a source file that are quoted from; larger ones are not read again for snippets.
const QUOTABLE: u64 = 16 << 20;

/// Where a run prints and what surrounds it.
pub struct Terminal<'a> {
    pub stdout: &'a mut dyn Write,
    pub stderr: &'a mut dyn Write,
    /// Lines for `--stdin-paths`.
    pub stdin: &'a mut dyn io::Read,
    pub stdout_is_terminal: bool,
    /// Columns, if known.
    pub width: Option<usize>,
    /// Where lowered files are kept from run to run, unless an argument says otherwise.
    pub cache: Option<PathBuf>,
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    pub progress: Progress,
}

/// Runs the command and returns the exit code: 0 clean, 1 findings, 2 could not check. Nothing but
/// the asked-for output goes to standard output.
pub fn run(cli: Cli, engine: &dyn Engine, terminal: &mut Terminal<'_>) -> ExitCode {
    match execute(cli, engine, terminal) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(message) => {
            let _ = writeln!(terminal.stderr, "error: {}", crate::report::printable(&message));
            ExitCode::from(Exit::Unchecked.code())
        }
    }
}

fn execute(cli: Cli, engine: &dyn Engine, terminal: &mut Terminal<'_>) -> Result<Exit, String> {
    let pages: Vec<(&str, &str)> = engine.pages().iter().copied().chain(report::PAGES).collect();
    let book = Rulebook::parse(&pages).map_err(|error| error.to_string())?;
    let text = match cli.command {
        None => return check(&cli.check, engine, &book, terminal),
        Some(Command::Facts(mut check)) => {
            check.persona = Some(super::args::Who::Inventory);
            return self::check(&check, engine, &book, terminal);
        }
        Some(Command::Baseline { prune, check }) => keep(&check, prune, engine, &book, terminal)?,
        Some(Command::Explain { rule }) => rules::explain(&book, &rule, look(terminal))?,
        Some(Command::Rules) => rules::list(&book, look(terminal)),
        Some(Command::Init { path, config_only }) => init::init(&path, engine.sample_config(), config_only)?,
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "cargo-stateless", &mut script);
            String::from_utf8_lossy(&script).into_owned()
        }
        Some(Command::Man) => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command()).render(&mut page).map_err(|error| error.to_string())?;
            String::from_utf8_lossy(&page).into_owned()
        }
    };
    print(terminal, &text)?;
    Ok(Exit::Clean)
}

fn check(check: &Check, engine: &dyn Engine, book: &Rulebook, terminal: &mut Terminal<'_>) -> Result<Exit, String> {
    let targets = targets(check)?;
    let root = root(check)?;
    let mut run = analyze(check, &root, engine, book, terminal)?;
    run.settings.baseline = match run.baseline_path(check, &root) {
        Some(path) if !check.no_suppressions => Some(baseline::read(&path)?),
        _ => None,
    };
    if let Some(revision) = &check.since {
        let since = since::compare(revision, &root, &run.analysis, &run.settings, &run.options, engine, book)?;
        for note in &since.notes {
            let _ = writeln!(terminal.stderr, "note: {}", report::printable(note));
        }
        run.settings.since = Some(since);
    }
    let sources = |path: &str| read(&root, path);
    let report = report::assemble(run.analysis, &run.settings, book, &sources);
    emit(&targets, check, &report, book, &sources, terminal)?;
    Ok(report.exit)
}

/// Writes or prunes the baseline.
fn keep(check: &Check, prune: bool, engine: &dyn Engine, book: &Rulebook, terminal: &mut Terminal<'_>) -> Result<String, String> {
    if check.since.is_some() {
        return Err("a baseline holds all findings of today; --since is for checks".into());
    }
    let root = root(check)?;
    let mut run = analyze(check, &root, engine, book, terminal)?;
    let path = run.baseline_path(check, &root).unwrap_or_else(|| root.join(baseline::DEFAULT));
    if prune && run.settings.partial {
        return Err("only some packages were asked for, so no entry of the baseline is known to be gone".into());
    }
    if prune {
        run.settings.baseline = Some(baseline::read(&path)?);
    }
    let known = run.settings.baseline.clone();
    let sources = |path: &str| read(&root, path);
    let report = report::assemble(run.analysis, &run.settings, book, &sources);
    match known {
        Some(known) => baseline::prune(path, known, &report),
        None => baseline::write(path, &report),
    }
}

struct Run {
    analysis: Analysis,
    settings: Settings,
    options: AnalyzeOptions,
    configured_baseline: Option<String>,
}

impl Run {
    /// The baseline in force: the one of the command line, the configured one, or the default file if it exists.
    fn baseline_path(&self, check: &Check, root: &Path) -> Option<PathBuf> {
        let configured = self.configured_baseline.as_ref().map(|path| root.join(path));
        let default = root.join(baseline::DEFAULT);
        check.baseline.clone().or(configured).or_else(|| default.is_file().then_some(default))
    }
}

fn analyze(check: &Check, root: &Path, engine: &dyn Engine, book: &Rulebook, terminal: &mut Terminal<'_>) -> Result<Run, String> {
    for id in check.rules.iter().filter(|id| book.get(id).is_none()) {
        rules::explain(book, id, look(terminal))?;
    }
    let only_paths = if check.stdin_paths { Some(stdin_paths(root, terminal)?) } else { None };
    let options = AnalyzeOptions {
        packages: check.packages.clone(),
        examples: check.examples,
        files: None,
        inventory: check.persona == Some(super::args::Who::Inventory),
        manifests: check.manifests.clone(),
        cache: terminal.cache.clone().filter(|_| !check.no_cache),
        progress: if check.quiet > 0 { Progress::default() } else { terminal.progress.clone() },
    };
    let outcome = engine.analyze(root, &options);
    options.progress.finish();
    let (analysis, policy) = outcome.map_err(|error| error.to_string())?;
    let Policy { fail_on, persona, rules, allow, baseline } = policy;
    let settings = Settings {
        fail_on: check.fail_on.map(Severity::from).or(fail_on).unwrap_or(Severity::Warning),
        exit_zero: check.exit_zero,
        allow_skipped: check.allow_skipped,
        persona: check.persona.map(Persona::from).or(persona).unwrap_or(Persona::Regular),
        only_rules: check.rules.clone(),
        rules,
        allow,
        suppressions: !check.no_suppressions,
        baseline: None,
        partial: !check.packages.is_empty(),
        only_paths,
        since: None,
    };
    Ok(Run { analysis, settings, options, configured_baseline: baseline })
}

fn root(check: &Check) -> Result<PathBuf, String> {
    let root = match &check.manifest_path {
        Some(file) if file.file_name().is_none_or(|name| name != "Cargo.toml") => {
            return Err("--manifest-path must name a Cargo.toml".into());
        }
        Some(file) => match file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        },
        None => check.path.clone(),
    };
    if root.is_dir() { Ok(root) } else { Err(format!("{} is not a folder", root.display())) }
}

fn targets(check: &Check) -> Result<Vec<Target>, String> {
    let mut targets = check.formats.clone();
    if targets.is_empty() {
        targets.push(Target { format: Format::Human, file: None });
    }
    if let Some(path) = &check.output {
        match targets.iter_mut().find(|target| target.file.is_none()) {
            Some(target) => target.file = Some(path.clone()),
            None => return Err("--output needs a format that has no file of its own".into()),
        }
    }
    if targets.iter().filter(|target| target.file.is_none()).count() > 1 {
        return Err("only one format can go to standard output; give the others a file, as in --format sarif=FILE".into());
    }
    let mut files = BTreeSet::new();
    if let Some(twice) = targets.iter().filter_map(|target| target.file.as_ref()).find(|file| !files.insert(*file)) {
        return Err(format!("two formats would be written to {}", twice.display()));
    }
    Ok(targets)
}

fn emit(
    targets: &[Target],
    check: &Check,
    report: &Report,
    book: &Rulebook,
    sources: &dyn SourceText,
    terminal: &mut Terminal<'_>,
) -> Result<(), String> {
    let mut files = Vec::new();
    let mut shown = String::new();
    for target in targets {
        let style = style(check, target.file.is_none(), terminal);
        let text = report::render(target.format, report, &Context { sources, rules: book, style });
        match &target.file {
            Some(path) => files.push((path.clone(), text)),
            None => shown = text,
        }
    }
    output::write_all(&files)?;
    print(terminal, &shown)
}

fn style(check: &Check, to_stdout: bool, terminal: &Terminal<'_>) -> Style {
    let at_terminal = to_stdout && terminal.stdout_is_terminal;
    let colour = match check.color {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => at_terminal && !terminal.no_color,
    };
    let verbosity = i8::try_from(check.verbose.min(1)).unwrap_or(1) - i8::try_from(check.quiet.min(2)).unwrap_or(2);
    let width = if at_terminal { terminal.width.unwrap_or(100).clamp(60, 120) } else { 100 };
    Style { width, colour, unicode: at_terminal, verbosity }
}

fn look(terminal: &Terminal<'_>) -> Look {
    let width = if terminal.stdout_is_terminal { terminal.width.unwrap_or(100).clamp(40, 100) } else { 100 };
    Look { width, colour: terminal.stdout_is_terminal && !terminal.no_color }
}

/// A reader that goes away early, such as `head`, is no error.
fn print(terminal: &mut Terminal<'_>, text: &str) -> Result<(), String> {
    match terminal.stdout.write_all(text.as_bytes()).and_then(|()| terminal.stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(format!("cannot print: {error}")),
        _ => Ok(()),
    }
}

/// Reads file names and makes them relative to the root, as findings name them.
fn stdin_paths(root: &Path, terminal: &mut Terminal<'_>) -> Result<BTreeSet<String>, String> {
    let text = io::read_to_string(&mut *terminal.stdin).map_err(|error| format!("cannot read file names: {error}"))?;
    let absolute = |path: &Path| std::path::absolute(path).ok();
    let base = absolute(root);
    let relative = |name: &str| {
        let path = absolute(Path::new(name))?;
        let path = path.strip_prefix(base.as_ref()?).ok()?;
        Some(path.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"))
    };
    Ok(text.lines().map(str::trim).filter(|name| !name.is_empty()).filter_map(relative).collect())
}

/// The text of a file below the root; links that lead out of it are not followed.
pub(super) fn read(root: &Path, path: &str) -> Option<String> {
    let root = root.canonicalize().ok()?;
    let file = root.join(path).canonicalize().ok()?;
    let readable = file.starts_with(&root) && file.metadata().is_ok_and(|meta| meta.is_file() && meta.len() <= QUOTABLE);
    if readable { String::from_utf8(std::fs::read(file).ok()?).ok() } else { None }
}
