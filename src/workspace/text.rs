//! Reading text of the tree: regular files only, bounded, with positions a reader can find.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

/// Whether a folder is another one or lies below it. Both are relative, with `/`; the empty one is the root.
pub fn is_within(folder: &str, above: &str) -> bool {
    above.is_empty() || folder.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Manifests and configuration files beyond this many bytes are refused.
pub(crate) const MAX_TOML_BYTES: u64 = 1 << 20;

/// What is wrong with a file, and where: 1-based line and column (characters) when known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: Option<(u32, u32)>,
    pub(crate) message: String,
}

impl Problem {
    pub(crate) fn at(text: &str, offset: usize, message: impl Into<String>) -> Self {
        Self { place: Some(line_column(text, offset)), message: message.into() }
    }

    pub(crate) fn of_toml(text: &str, error: &toml::de::Error) -> Self {
        let place = error.span().map(|span| line_column(text, span.start));
        Self { place, message: error.message().to_owned() }
    }
}

impl From<String> for Problem {
    fn from(message: String) -> Self {
        Self { place: None, message }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.place {
            Some((line, column)) => write!(f, "line {line}, column {column}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The text of a regular file; a link, a pipe or a device is not opened.
pub(crate) fn read_toml(path: &Path) -> Result<String, Problem> {
    let metadata = fs::symlink_metadata(path).map_err(|error| Problem::from(error.to_string()))?;
    if !metadata.is_file() {
        return Err(Problem::from("not a regular file".to_owned()));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_TOML_BYTES + 1).read_to_end(&mut bytes))
        .map_err(|error| Problem::from(error.to_string()))?;
    if bytes.len() as u64 > MAX_TOML_BYTES {
        return Err(Problem::from("larger than 1 MiB".to_owned()));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes().get(..valid).unwrap_or_default()).into_owned();
        Problem::at(&text, valid, "not UTF-8")
    })
}

/// 1-based line and column (characters) of a byte offset.
pub(crate) fn line_column(text: &str, offset: usize) -> (u32, u32) {
    let (mut line, mut column) = (1, 1);
    for (at, character) in text.char_indices() {
        if at >= offset {
            break;
        }
        if character == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
    }
    (line, column)
}

/// The candidate that a mistyped word most likely meant.
pub(crate) fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase().replace('_', "-"), candidate), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}
