//! One pass over the bytes before the lexer: bounds the stack that parsing will need, counts the
//! tokens, collects the comments and finds the test modules that are cut.
//!
//! The parser recurses, and running out of stack aborts the process. The weights below are upper
//! bounds of what syn and the lowering use for a token, as measured on nested constructs.

use std::borrow::Cow;
use std::ops::Range;

use super::Refusal;
use super::hir::{Comment, Span};

const MAX_TOKENS: u32 = 1_000_000;
/// Half of the stack of a worker; the other half is for the frames of the linter itself.
const MAX_STACK: u64 = (super::STACK_BYTES / 2) as u64;

const BRACKET: u64 = 12_500;
const ANGLE: u64 = 7_500;
const CUT_START: &[u8] = b"#[cfg(test)]";

pub struct Scan {
    pub comments: Vec<Comment>,
    /// What the parser need not see, in order: doc comments, and the bodies of top-level
    /// `#[cfg(test)] mod x { .. }` without the braces.
    pub cuts: Vec<Range<usize>>,
    pub lines: u32,
    /// Bytes of stack that reading the text takes at most; cut bodies take none.
    pub stack: u64,
}

/// An open bracket, or the file itself.
#[derive(Default)]
struct Frame {
    close: u8,
    /// The weight of the tokens since the last separator.
    run: u64,
    /// How many `<` are open, comparisons included.
    angles: u64,
    /// It belongs to a macro, or looks like it.
    of_macro: bool,
}

impl Frame {
    fn weight(&self) -> u64 {
        self.run + self.angles * ANGLE
    }
}

/// How much of `#[cfg(test)] .. mod name {` was seen.
#[derive(PartialEq)]
enum Cut {
    No,
    Attribute,
    Mod,
    Name,
    Body { start: usize, comments: usize, tokens: u32 },
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
    /// A byte offset on the current line and its 0-based column, so that columns of many comments
    /// on one line are counted once.
    known_column: (usize, u32),
    /// Whether only white space was seen on this line.
    blank: bool,
    tokens: u32,
    outer: Vec<Frame>,
    frame: Frame,
    /// The weight of all frames in `outer` and of their brackets.
    below: u64,
    /// The first bytes of the last token and of the one before it.
    previous: u8,
    before: u8,
    cut: Cut,
    scan: Scan,
}

/// # Errors
/// If the text has too many tokens, is too deeply nested, or has an unclosed string or comment.
pub fn scan(text: &str) -> Result<Scan, Refusal> {
    let mut scanner = Scanner {
        text,
        bytes: text.as_bytes(),
        at: 0,
        line: 1,
        line_start: 0,
        known_column: (0, 0),
        blank: true,
        tokens: 0,
        outer: Vec::new(),
        frame: Frame::default(),
        below: 0,
        previous: 0,
        before: 0,
        cut: Cut::No,
        scan: Scan { comments: Vec::new(), cuts: Vec::new(), lines: 0, stack: 0 },
    };
    scanner.run()?;
    let open_end = !text.is_empty() && !text.ends_with('\n');
    scanner.scan.lines = scanner.line - 1 + u32::from(open_end);
    Ok(scanner.scan)
}

/// The text with the cuts replaced by white space, so that every other line and column stays.
pub fn blank<'a>(text: &'a str, cuts: &[Range<usize>]) -> Cow<'a, str> {
    if cuts.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut from = 0;
    for cut in cuts {
        result.push_str(text.get(from..cut.start).unwrap_or_default());
        let body = text.get(cut.clone()).unwrap_or_default();
        let last_line = body.rfind('\n').map_or(0, |newline| newline + 1);
        result.extend(body.bytes().filter(|&byte| byte == b'\n').map(char::from));
        // At the end of a line no column moves.
        if text.as_bytes().get(cut.end) != Some(&b'\n') {
            result.extend(body.get(last_line..).unwrap_or_default().chars().map(|_| ' '));
        }
        from = cut.end;
    }
    result.push_str(text.get(from..).unwrap_or_default());
    Cow::Owned(result)
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn run(&mut self) -> Result<(), Refusal> {
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'\n' => {
                    self.at += 1;
                    self.newline();
                    continue;
                }
                b' ' | b'\t' | b'\r' => {
                    self.at += 1;
                    continue;
                }
                b'/' if self.peek(1) == b'/' || self.peek(1) == b'*' => {
                    self.comment()?;
                    self.blank = false;
                    continue;
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word()?,
                b'0'..=b'9' => self.number(),
                b'"' => self.string(1)?,
                b'\'' => self.quote()?,
                b'(' => self.open(b')'),
                b'[' => self.open(b']'),
                b'{' => self.open(b'}'),
                b')' | b']' | b'}' => self.close(byte)?,
                _ => self.punct(byte),
            }
            (self.before, self.previous) = (self.previous, byte);
            self.blank = false;
            self.count()?;
        }
        match self.cut {
            Cut::Body { .. } => Err(self.refusal("a test module is not closed")),
            _ => Ok(()),
        }
    }

    fn refusal(&self, reason: &str) -> Refusal {
        Refusal::new(self.line, reason)
    }

    fn count(&mut self) -> Result<(), Refusal> {
        self.tokens += 1;
        if matches!(self.cut, Cut::Body { .. }) {
            return Ok(());
        }
        if self.tokens > MAX_TOKENS {
            return Err(self.refusal(&format!("the file has more than {MAX_TOKENS} tokens")));
        }
        self.scan.stack = self.scan.stack.max(self.below + self.frame.weight());
        if self.scan.stack > MAX_STACK {
            return Err(self.refusal("the file is too deeply nested"));
        }
        Ok(())
    }

    fn newline(&mut self) {
        self.line += 1;
        self.line_start = self.at;
        self.known_column = (self.at, 0);
        self.blank = true;
    }

    /// The 1-based column of a byte offset on the current line.
    fn column(&mut self, at: usize) -> u32 {
        let (from, column) = self.known_column;
        let chars = self.text.get(from..at).map_or(0, |text| text.chars().count());
        self.known_column = (at, column + chars as u32);
        self.known_column.1 + 1
    }

    fn comment(&mut self) -> Result<(), Refusal> {
        let (start, line, alone) = (self.at, self.line, self.blank);
        let column = self.column(start);
        let block = self.peek(1) == b'*';
        if block {
            self.block_comment()?;
        } else {
            let rest = self.bytes.get(start..).unwrap_or_default();
            self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        }
        let end = self.at;
        let end_column = self.column(end);
        // A doc comment becomes an attribute of about five tokens. Nobody asks for its text but macros, whose
        // patterns may want it.
        if matches!(self.bytes.get(start + 2), Some(b'/' | b'!' | b'*')) && !matches!(self.cut, Cut::Body { .. }) {
            if self.frame.of_macro {
                self.tokens += 5;
            } else {
                self.scan.cuts.push(start..end);
            }
        }
        let raw = self.text.get(start + 2..end).unwrap_or_default();
        let raw = if block { raw.strip_suffix("*/").unwrap_or(raw) } else { raw };
        let marks: &[char] = if block { &['*', '!'] } else { &['/', '!'] };
        let text = raw.trim_start_matches(marks).trim().into();
        let span = Span { line, column, end_line: self.line, end_column };
        self.scan.comments.push(Comment { span, text, alone });
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), Refusal> {
        let line = self.line;
        let mut depth = 0u32;
        loop {
            match (self.peek(0), self.peek(1)) {
                (b'/', b'*') => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', b'/') => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                (b'\n', _) => {
                    self.at += 1;
                    self.newline();
                }
                _ if self.at >= self.bytes.len() => {
                    return Err(Refusal::new(line, "a comment is not closed"));
                }
                _ => self.at += 1,
            }
        }
    }

    fn word(&mut self) -> Result<(), Refusal> {
        let start = self.at;
        self.skip_word();
        let word = self.bytes.get(start..self.at).unwrap_or_default();
        match (word, self.peek(0)) {
            (b"b" | b"c", b'"') => return self.string(1),
            (b"b", b'\'') => return self.quote(),
            (b"r" | b"br" | b"cr", b'"' | b'#') => {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                let hashes = rest.iter().take_while(|&&byte| byte == b'#').count();
                if rest.get(hashes) == Some(&b'"') {
                    return self.raw_string(hashes);
                }
                if word == b"r" && hashes == 1 {
                    self.at += 1;
                    self.skip_word();
                }
                self.frame.run += 64;
                return Ok(());
            }
            _ => {}
        }
        self.frame.run += match word {
            b"return" | b"break" | b"if" | b"match" | b"while" | b"for" | b"in" | b"fn" | b"dyn" | b"impl" | b"async" | b"const"
            | b"let" | b"mut" | b"loop" | b"unsafe" | b"move" | b"yield" | b"box" | b"become" | b"static" | b"do" | b"yeet" => 5_500,
            _ => 64,
        };
        if self.outer.is_empty() && self.cut != Cut::No {
            self.cut = match (&self.cut, word) {
                (Cut::Attribute, b"pub") => Cut::Attribute,
                (Cut::Attribute, b"mod") => Cut::Mod,
                (Cut::Mod, _) => Cut::Name,
                _ => Cut::No,
            };
        }
        Ok(())
    }

    fn skip_word(&mut self) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let end = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_' || *byte >= 0x80));
        self.at += end.unwrap_or(rest.len());
    }

    fn number(&mut self) {
        self.skip_word();
        while self.peek(0) == b'.' && self.peek(1).is_ascii_digit() {
            self.at += 1;
            self.skip_word();
        }
        self.frame.run += 64;
    }

    /// Steps over a string whose opening quote is `opening` bytes long.
    fn string(&mut self, opening: usize) -> Result<(), Refusal> {
        let line = self.line;
        self.at += opening;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(Refusal::new(line, "a string is not closed")),
                Some(b'"') => break,
                Some(b'\\') => {
                    self.at += 1;
                    if self.peek(0) != b'\n' {
                        self.at += 1;
                    }
                }
                Some(b'\n') => {
                    self.at += 1;
                    self.newline();
                }
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        self.frame.run += 64;
        Ok(())
    }

    fn raw_string(&mut self, hashes: usize) -> Result<(), Refusal> {
        let line = self.line;
        self.at += hashes + 1;
        loop {
            match self.bytes.get(self.at) {
                None => return Err(Refusal::new(line, "a string is not closed")),
                Some(b'"') => {
                    self.at += 1;
                    let end = self.bytes.get(self.at..self.at + hashes);
                    if end.is_some_and(|end| end.iter().all(|&byte| byte == b'#')) {
                        self.at += hashes;
                        break;
                    }
                }
                Some(b'\n') => {
                    self.at += 1;
                    self.newline();
                }
                Some(_) => self.at += 1,
            }
        }
        self.frame.run += 64;
        Ok(())
    }

    /// A character, a byte or a lifetime.
    fn quote(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        self.frame.run += 64;
        if self.peek(0) == b'\\' {
            self.at += 2;
            while !matches!(self.peek(0), b'\'' | b'\n') && self.at < self.bytes.len() {
                self.at += 1;
            }
            if self.peek(0) != b'\'' {
                return Err(self.refusal("a character is not closed"));
            }
            self.at += 1;
            return Ok(());
        }
        let length = self.text.get(self.at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        if self.peek(length) == b'\'' && length > 0 {
            if self.peek(0) == b'\n' {
                self.at += 1;
                self.newline();
                self.at += 1;
            } else {
                self.at += length + 1;
            }
        } else {
            self.skip_word();
        }
        Ok(())
    }

    fn open(&mut self, close: u8) {
        if self.outer.is_empty() {
            let body = close == b'}' && self.cut == Cut::Name;
            // Further attributes and `pub(..)` may stand between the attribute and `mod`.
            let between = close != b'}' && self.cut == Cut::Attribute;
            if body {
                self.cut = Cut::Body { start: self.at + 1, comments: self.scan.comments.len(), tokens: self.tokens };
            } else if !between {
                self.cut = Cut::No;
            }
        }
        self.at += 1;
        let named = matches!(self.previous, b'_' | b'a'..=b'z' | b'A'..=b'Z' | 0x80..) && self.before == b'!';
        let of_macro = self.frame.of_macro || named || self.previous == b'!';
        let outer = std::mem::replace(&mut self.frame, Frame { close, run: 0, angles: 0, of_macro });
        self.below += outer.weight() + BRACKET;
        self.outer.push(outer);
    }

    fn close(&mut self, byte: u8) -> Result<(), Refusal> {
        if self.frame.close != byte {
            return Err(self.refusal("the brackets of the file do not match"));
        }
        if let Some(outer) = self.outer.pop() {
            self.below = self.below.saturating_sub(outer.weight() + BRACKET);
            self.frame = outer;
        }
        if let (true, Cut::Body { start, comments, tokens }) = (self.outer.is_empty(), &self.cut) {
            self.scan.cuts.push(*start..self.at);
            self.scan.comments.truncate(*comments);
            self.tokens = *tokens;
            self.cut = Cut::No;
        }
        self.at += 1;
        Ok(())
    }

    fn punct(&mut self, byte: u8) {
        if self.outer.is_empty() {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if rest.starts_with(CUT_START) {
                self.cut = Cut::Attribute;
            } else if byte != b'#' {
                self.cut = Cut::No;
            }
        }
        let frame = &mut self.frame;
        match byte {
            b';' => {
                frame.run = 0;
                frame.angles = 0;
            }
            b',' if frame.angles == 0 => frame.run = 0,
            b'<' => {
                frame.angles += 1;
                frame.run += 64;
            }
            b'>' if matches!(self.previous, b'-' | b'=') => frame.run += 6_500,
            b'>' => frame.angles = frame.angles.saturating_sub(1),
            b'.' if self.previous == b'.' => frame.run += 4_500,
            b'&' | b'*' | b'!' | b'|' | b'@' => frame.run += 4_000,
            b'-' | b'=' => frame.run += 2_000,
            _ => frame.run += 1_000,
        }
        self.at += 1;
    }
}
