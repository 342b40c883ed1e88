//! How long a run takes, measured against P: reading the same files and `syn::parse_file` on each, with
//! the same threads, allocator, stack and profile. Only ratios mean something on another machine.
//!
//!     cargo bench --bench speed -- TREE..          ratios of cold runs, second runs and memory
//!     cargo bench --bench speed -- --stages TREE   where the time of one run goes
//!
//! Each figure is the median of runs in fresh processes, taken in turn: P, cold, second run, P, ..

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use cargo_stateless::cli::{self, Cli, Terminal};
use cargo_stateless::engine::Linter;
use cargo_stateless::report::progress::Progress;
use cargo_stateless::{syntax, workspace};
use rayon::prelude::*;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Turns of every measurement.
const TURNS: usize = 7;

fn main() -> ExitCode {
    // `cargo bench` adds `--bench` by itself.
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["--p", tree] => child(|| parse_all(Path::new(tree))),
        ["--run", tree, cache @ ..] => child(|| run(tree, cache, Progress::default())),
        ["--stages", tree, cache @ ..] => stages(tree, cache),
        [] => {
            println!("no tree given: cargo bench --bench speed -- TREE..");
            return ExitCode::SUCCESS;
        }
        trees => {
            println!("{:32} {:>8} {:>7} {:>9} {:>9} {:>6} {:>9}", "tree", "lines", "P s", "cold / P", "second/P", "MiB", "P's MiB");
            for tree in trees {
                if let Err(error) = compare(tree) {
                    println!("{tree}: {error}");
                    return ExitCode::FAILURE;
                }
            }
        }
    }
    ExitCode::SUCCESS
}

/// P: the files of the tree, largest first, read and parsed.
fn parse_all(root: &Path) {
    let Ok(tree) = workspace::discover(root, &workspace::Options::default()) else { return };
    let mut files = tree.files;
    files.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.path.cmp(&b.path)));
    let Ok(pool) = rayon::ThreadPoolBuilder::new().stack_size(syntax::STACK_BYTES).build() else { return };
    let lines: usize = pool.install(|| files.par_iter().map(|file| parse_one(&root.join(&file.path))).sum());
    eprintln!("lines {lines}");
}

fn parse_one(path: &Path) -> usize {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    drop(syn::parse_file(&text));
    proc_macro2::extra::invalidate_current_thread_spans();
    text.lines().count()
}

/// A whole run as the command line makes it, with its report as JSON to nowhere.
fn run(tree: &str, cache: &[&str], progress: Progress) {
    let args = [&["cargo-stateless", tree, "--format", "json", "--exit-zero"], cache].concat();
    let Ok(cli) = Cli::parse_args(args.iter().map(std::ffi::OsString::from)) else { return };
    let mut terminal = Terminal {
        stdout: &mut io::sink(),
        stderr: &mut io::stderr(),
        stdin: &mut io::empty(),
        stdout_is_terminal: false,
        width: None,
        cache: std::env::var_os("CARGO_STATELESS_CACHE_DIR").map(Into::into),
        no_color: true,
        progress,
    };
    cli::run(cli, &Linter, &mut terminal);
}

/// Measures in this process and tells the parent on standard error.
fn child(work: impl FnOnce()) {
    let start = Instant::now();
    work();
    eprintln!("seconds {}", start.elapsed().as_secs_f64());
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).and_then(|l| l.split_whitespace().next());
    eprintln!("peak {}", peak.unwrap_or("0"));
}

fn stages(tree: &str, cache: &[&str]) {
    let progress = Progress::timed();
    let start = Instant::now();
    run(tree, cache, progress.clone());
    let whole = start.elapsed();
    for (stage, took) in progress.times() {
        println!("{stage:12} {:8.1} ms", took.as_secs_f64() * 1e3);
    }
    println!("{:12} {:8.1} ms", "whole", whole.as_secs_f64() * 1e3);
}

#[derive(Default)]
struct Figures {
    seconds: f64,
    peak_mib: f64,
    lines: f64,
}

fn measure(args: &[&str], cache: &Path) -> io::Result<Figures> {
    let output = Command::new(std::env::current_exe()?).args(args).env("CARGO_STATELESS_CACHE_DIR", cache).output()?;
    let mut figures = Figures::default();
    for line in String::from_utf8_lossy(&output.stderr).lines() {
        let Some((name, value)) = line.split_once(' ') else { continue };
        let value: f64 = value.parse().unwrap_or(0.0);
        match name {
            "seconds" => figures.seconds = value,
            "peak" => figures.peak_mib = value / 1024.0,
            "lines" => figures.lines = value,
            _ => {}
        }
    }
    Ok(figures)
}

fn compare(tree: &str) -> io::Result<()> {
    let cache = tempfile::tempdir()?;
    measure(&["--run", tree], cache.path())?;
    let (mut p, mut cold, mut second) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..TURNS {
        p.push(measure(&["--p", tree], cache.path())?);
        cold.push(measure(&["--run", tree, "--no-cache"], cache.path())?);
        second.push(measure(&["--run", tree], cache.path())?);
    }
    let ratio = |other: &[Figures]| median(p.iter().zip(other).map(|(p, o)| o.seconds / p.seconds).collect());
    let peak = |of: &[Figures]| median(of.iter().map(|f| f.peak_mib).collect());
    let name = PathBuf::from(tree);
    let name = name.file_name().unwrap_or_default().to_string_lossy();
    let lines = p.first().map_or(0.0, |f| f.lines);
    let seconds = median(p.iter().map(|f| f.seconds).collect());
    println!("{name:32} {lines:>8} {seconds:>7.3} {:>9.2} {:>9.2} {:>6.0} {:>9.0}", ratio(&cold), ratio(&second), peak(&cold), peak(&p));
    io::stdout().flush()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
