//! How far an attribute or a statement reaches, by brackets alone: enough to place a comment.

use crate::report::source::Lines;

/// The last line of the attribute that starts on `line`, and whether code follows it there.
pub fn attribute_end(lines: &Lines, line: u32) -> (u32, bool) {
    let mut depth = 0u32;
    let mut chars = Code::new(lines, line);
    while let Some((at, c)) = chars.next() {
        match c {
            '[' => depth += 1,
            ']' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    let after = chars.find(|(_, c)| !c.is_whitespace());
                    return (at, after.is_some_and(|(next, c)| next == at && c != '#'));
                }
            }
            _ => {}
        }
    }
    (line, false)
}

/// The last line of the statement, field or arm that starts on `line`; at most `far` lines are read.
pub fn statement_end(lines: &Lines, line: u32, far: u32) -> u32 {
    let mut depth = 0u32;
    let mut last = line;
    let mut chars = Code::new(lines, line).peekable();
    while let Some((at, c)) = chars.next() {
        if at - line > far {
            break;
        }
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return last,
            ')' | ']' | '}' => {
                depth -= 1;
                if depth == 0 && c == '}' && !continues(&mut chars) {
                    return at;
                }
            }
            ';' if depth == 0 => return at,
            // A comma inside generics is followed by more on its line.
            ',' if depth == 0 && chars.peek().is_none_or(|(_, c)| *c == '\n') => return at,
            _ => {}
        }
        if !c.is_whitespace() {
            last = at;
        }
    }
    last
}

/// Whether an expression goes on after its closing brace.
fn continues(chars: &mut std::iter::Peekable<Code<'_>>) -> bool {
    while chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
    // Of the words that can start the next statement only `else` begins so; a wrong guess covers one statement more.
    chars.peek().is_some_and(|(_, c)| matches!(c, '.' | '?' | ';' | ',' | ')' | 'e'))
}

/// The characters of code with their lines; the insides of strings and comments are left out.
struct Code<'a> {
    rest: std::str::Chars<'a>,
    line: u32,
}

impl<'a> Code<'a> {
    fn new(lines: &'a Lines, line: u32) -> Self {
        let from = lines.offset(line, 1).unwrap_or(lines.text.len());
        Self { rest: lines.text.get(from..).unwrap_or_default().chars(), line }
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.rest.next()?;
        if c == '\n' {
            self.line = self.line.saturating_add(1);
        }
        Some(c)
    }

    fn ahead(&self, n: usize) -> Option<char> {
        self.rest.clone().nth(n)
    }

    /// Skips to the end of a string that was opened; `hashes` is `None` where backslashes escape.
    fn string(&mut self, hashes: Option<usize>) {
        while let Some(c) = self.bump() {
            match (c, hashes) {
                ('\\', None) => {
                    self.bump();
                }
                ('"', None) => return,
                ('"', Some(n)) if (0..n).all(|i| self.ahead(i) == Some('#')) => {
                    (0..n).for_each(|_| {
                        self.bump();
                    });
                    return;
                }
                _ => {}
            }
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 1u32;
        while let Some(c) = self.bump() {
            match (c, self.ahead(0)) {
                ('*', Some('/')) => {
                    self.bump();
                    depth -= 1;
                    if depth == 0 {
                        return;
                    }
                }
                ('/', Some('*')) => {
                    self.bump();
                    depth += 1;
                }
                _ => {}
            }
        }
    }

    /// The hashes of a raw string whose `r` was just read.
    fn raw(&self) -> Option<usize> {
        let hashes = self.rest.clone().take_while(|c| *c == '#').count();
        (self.ahead(hashes) == Some('"')).then_some(hashes)
    }
}

impl Iterator for Code<'_> {
    type Item = (u32, char);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let line = self.line;
            let c = self.bump()?;
            match (c, self.ahead(0)) {
                ('/', Some('/')) => {
                    while self.ahead(0).is_some_and(|c| c != '\n') {
                        self.bump();
                    }
                }
                ('/', Some('*')) => {
                    self.bump();
                    self.block_comment();
                }
                ('"', _) => self.string(None),
                ('r', Some('"' | '#')) if self.raw().is_some() => {
                    let hashes = self.raw().unwrap_or(0);
                    (0..=hashes).for_each(|_| {
                        self.bump();
                    });
                    self.string(Some(hashes));
                }
                // A character literal, not a lifetime.
                ('\'', Some('\\')) => {
                    self.bump();
                    self.bump();
                    while self.bump().is_some_and(|c| c != '\'') {}
                }
                ('\'', Some(_)) if self.ahead(1) == Some('\'') => {
                    self.bump();
                    self.bump();
                }
                _ => return Some((line, c)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_end_where_their_brackets_close() {
        let end = |text: &str| statement_end(&Lines::new(text.into()), 1, 400);
        assert_eq!(end("let a = b(\n  \";)\",\n  ')',\n);\nnext();"), 4);
        assert_eq!(end("tokio::spawn(async move {\n  // }\n  work();\n})\n.await;\nnext();"), 5);
        assert_eq!(end("if a {\n  b();\n} else {\n  c();\n}\nnext();"), 5);
        assert_eq!(end("cache: Mutex<HashMap<String, u8>>,\nother: u8,"), 1);
        assert_eq!(end("tail(r#\"\n}\"#)\n}\nfn next() {}"), 2);
        assert_eq!(end("a /* ; \n /* ; */ */ ;\nb;"), 2);
    }

    #[test]
    fn attributes_end_at_their_bracket() {
        let end = |text: &str| attribute_end(&Lines::new(text.into()), 1);
        assert_eq!(end("#[doc = \"]\"]\nstruct A;"), (1, false));
        assert_eq!(end("#[derive(\n  Debug,\n)]\nstruct A;"), (3, false));
        assert_eq!(end("#[x] static A: u8 = 0;"), (1, true));
        assert_eq!(end("#[never closed"), (1, false));
    }
}
