//! `init`: a configuration to start from, and what to paste into CI.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::CONFIG;

const SNIPPETS: &str = "\
GitHub Actions:

  - run: cargo install cargo-stateless --locked
  - run: cargo stateless --format github --format sarif=stateless.sarif

GitLab CI:

  script: cargo stateless --format concise --format gitlab=gl-code-quality-report.json

pre-commit:

  - repo: local
    hooks:
      - id: cargo-stateless
        name: cargo-stateless
        entry: cargo stateless --format concise
        language: system
        types: [rust]
        pass_filenames: false

To start with the findings of today: cargo stateless baseline
";

/// Writes the configuration unless there is one, and returns what to print.
pub fn init(folder: &Path, sample: &str) -> Result<String, String> {
    let path = folder.join(CONFIG);
    let written = OpenOptions::new().write(true).create_new(true).open(&path);
    let said = match written.and_then(|mut file| file.write_all(sample.as_bytes())) {
        Ok(()) => format!("Wrote {}.", path.display()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => format!("{} is there already and stays as it is.", path.display()),
        Err(error) => return Err(format!("cannot write {}: {error}", path.display())),
    };
    Ok(format!("{said}\n\n{SNIPPETS}"))
}
