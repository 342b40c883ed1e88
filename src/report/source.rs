//! Source text for snippets and for formats that count bytes.

use std::collections::HashMap;
use std::ops::Range;

/// Gives the text of an analysed file, by its path relative to the scanned root.
pub trait SourceText {
    /// `None` if there is no such file or it is not text.
    fn text(&self, path: &str) -> Option<String>;
}

impl<F: Fn(&str) -> Option<String>> SourceText for F {
    fn text(&self, path: &str) -> Option<String> {
        self(path)
    }
}

/// Nothing can be quoted.
pub struct NoSource;

impl SourceText for NoSource {
    fn text(&self, _path: &str) -> Option<String> {
        None
    }
}

/// One file split into lines.
pub struct Lines {
    pub text: String,
    /// Byte ranges without the line ends.
    lines: Vec<Range<usize>>,
}

impl Lines {
    pub fn new(text: String) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            lines.push(start..end);
            start += line.len();
        }
        Self { text, lines }
    }

    /// The text of a 1-based line without its line end.
    pub fn line(&self, line: u32) -> Option<&str> {
        let range = self.lines.get((line as usize).checked_sub(1)?)?;
        self.text.get(range.clone())
    }

    /// The byte offset of a place; a column beyond the line's end is the line's end.
    pub fn offset(&self, line: u32, column: u32) -> Option<usize> {
        let start = self.lines.get((line as usize).checked_sub(1)?)?.start;
        Some(start + self.byte_column(line, column)? as usize - 1)
    }

    /// The 1-based column in bytes.
    pub fn byte_column(&self, line: u32, column: u32) -> Option<u32> {
        let text = self.line(line)?;
        let before = (column as usize).saturating_sub(1);
        let bytes = text.char_indices().nth(before).map_or(text.len(), |(at, _)| at);
        Some(bytes as u32 + 1)
    }
}

/// Files that were already read.
#[derive(Default)]
pub struct Sources {
    files: HashMap<String, Option<Lines>>,
}

impl Sources {
    /// The lines of a file, read at most once.
    pub fn get(&mut self, path: &str, from: &dyn SourceText) -> Option<&Lines> {
        self.files.entry(path.to_owned()).or_insert_with(|| from.text(path).map(Lines::new)).as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_and_never_leave_the_line() {
        let lines = Lines::new("a\r\näö x\n".into());
        assert_eq!(lines.line(1), Some("a"));
        assert_eq!(lines.offset(2, 1), Some(3));
        assert_eq!(lines.offset(2, 4), Some(8));
        assert_eq!(lines.byte_column(2, 3), Some(5));
        assert_eq!(lines.offset(2, 99), Some(9));
        assert_eq!(lines.offset(3, 1), None);
        assert_eq!(lines.offset(0, 0), None);
    }
}
