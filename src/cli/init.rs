//! `init`: a configuration to start from, and what runs the check before a commit and in CI.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use super::CONFIG;

const PRE_COMMIT: &str = include_str!("init/pre-commit.yaml");
const GITHUB: &str = include_str!("init/github.yaml");
const GITLAB: &str = include_str!("init/gitlab.yaml");

/// Writes the configuration and, unless only that is wanted, the hook and a CI job. What is there
/// already stays as it is. Returns what to print.
pub fn init(folder: &Path, sample: &str, only_config: bool) -> Result<String, String> {
    let mut said = String::new();
    place(folder, CONFIG, sample, "", &mut said)?;
    if !only_config {
        place(folder, ".pre-commit-config.yaml", PRE_COMMIT, "To add to its `repos`:", &mut said)?;
        if folder.join(".gitlab-ci.yml").exists() {
            let path = ".gitlab/stateless.gitlab-ci.yml";
            place(folder, path, GITLAB, "", &mut said)?;
            let _ = writeln!(said, "To run it, add to .gitlab-ci.yml:\n\n  include:\n    - local: {path}\n");
        } else {
            place(folder, ".github/workflows/stateless.yml", GITHUB, "", &mut said)?;
        }
    }
    said.push_str("To start with the findings of today: cargo stateless baseline\n");
    Ok(said)
}

/// Writes a file that is not there yet. Of one that is there, shows what was meant for it, if `add` says how.
fn place(folder: &Path, name: &str, text: &str, add: &str, said: &mut String) -> Result<(), String> {
    let path = folder.join(name);
    let cannot = |error: std::io::Error| format!("cannot write {}: {error}", path.display());
    fs::create_dir_all(path.parent().unwrap_or(folder)).map_err(cannot)?;
    let opened = OpenOptions::new().write(true).create_new(true).open(&path);
    match opened.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => drop(writeln!(said, "Wrote {}.", path.display())),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let _ = writeln!(said, "{} is there already and stays as it is.", path.display());
            if !add.is_empty() {
                let snippet: String = text.lines().skip(1).map(|line| format!("{line}\n")).collect();
                let _ = writeln!(said, "{add}\n\n{snippet}");
            }
        }
        Err(error) => return Err(cannot(error)),
    }
    Ok(())
}
