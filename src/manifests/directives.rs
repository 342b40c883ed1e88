//! A lexer for the configuration of nginx and of Caddy: words, blocks and comments, with their places.

use super::tree::Span;

/// Blocks deeper than this are read as flat, so that recursion over them is safe.
const MAX_BLOCKS: usize = 32;

#[derive(Debug, Default)]
pub struct Directive {
    pub words: Vec<String>,
    pub span: Span,
    pub block: Vec<Directive>,
}

impl Directive {
    pub fn name(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    pub fn argument(&self, index: usize) -> &str {
        self.words.get(index + 1).map_or("", String::as_str)
    }
}

#[derive(PartialEq, Eq, Clone, Copy)]
pub enum Ending {
    /// A directive ends with `;`.
    Semicolon,
    /// A directive ends with its line.
    Line,
}

/// Unbalanced braces end where the text ends; nothing is refused.
pub fn parse(text: &str, ending: Ending) -> Vec<Directive> {
    let mut open: Vec<Directive> = vec![Directive::default()];
    let mut current = Directive::default();
    let mut flattened = 0_usize;
    for token in tokens(text) {
        match token {
            Token::Word(word, span) => {
                current.span = if current.words.is_empty() { span } else { current.span.to(span) };
                current.words.push(word);
            }
            Token::Open => {
                if open.len() < MAX_BLOCKS {
                    open.push(std::mem::take(&mut current));
                } else {
                    flattened += 1;
                    end(&mut open, &mut current);
                }
            }
            Token::Close => {
                end(&mut open, &mut current);
                if flattened > 0 {
                    flattened -= 1;
                } else if open.len() > 1
                    && let Some(done) = open.pop()
                    && let Some(parent) = open.last_mut()
                {
                    parent.block.push(done);
                }
            }
            Token::Semicolon if ending == Ending::Semicolon => end(&mut open, &mut current),
            Token::Line if ending == Ending::Line => end(&mut open, &mut current),
            Token::Semicolon | Token::Line => {}
        }
    }
    end(&mut open, &mut current);
    while open.len() > 1 {
        if let Some(done) = open.pop()
            && let Some(parent) = open.last_mut()
        {
            parent.block.push(done);
        }
    }
    open.pop().map(|root| root.block).unwrap_or_default()
}

fn end(open: &mut [Directive], current: &mut Directive) {
    if !current.words.is_empty()
        && let Some(parent) = open.last_mut()
    {
        parent.block.push(std::mem::take(current));
    }
}

enum Token {
    Word(String, Span),
    Open,
    Close,
    Semicolon,
    Line,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    let (mut line, mut column) = (1_u32, 1_u32);
    let mut word = String::new();
    let mut start = (1, 1);
    let mut quote = None;
    // `${name}` and Caddy's `{$NAME}` and `{name}` are parts of words.
    let mut inner = 0_usize;
    while let Some(c) = chars.next() {
        let here = (line, column);
        if c == '\n' {
            line += 1;
            column = 1;
        } else {
            column += 1;
        }
        let begin = |word: &String, start: &mut (u32, u32)| {
            if word.is_empty() {
                *start = here;
            }
        };
        if let Some(mark) = quote {
            if c == mark {
                quote = None;
            } else {
                word.push(c);
            }
            continue;
        }
        if inner > 0 && c != '\n' {
            inner = match c {
                '{' => inner + 1,
                '}' => inner - 1,
                _ => inner,
            };
            word.push(c);
            continue;
        }
        inner = 0;
        let glued = !word.is_empty() || chars.peek().is_some_and(|next| !next.is_whitespace());
        match c {
            '{' if glued && (word.ends_with('$') || word.is_empty() && chars.peek().is_some_and(|n| *n != '}')) => {
                begin(&word, &mut start);
                word.push(c);
                inner = 1;
            }
            '#' if word.is_empty() => {
                while chars.peek().is_some_and(|next| *next != '\n') {
                    chars.next();
                }
            }
            '"' | '\'' | '`' if word.is_empty() => {
                begin(&word, &mut start);
                quote = Some(c);
            }
            c if c.is_whitespace() || matches!(c, '{' | '}' | ';') => {
                if !word.is_empty() {
                    let span = Span { line: start.0, column: start.1, end_line: here.0, end_column: here.1 };
                    tokens.push(Token::Word(std::mem::take(&mut word), span));
                }
                match c {
                    '{' => tokens.push(Token::Open),
                    '}' => tokens.push(Token::Close),
                    ';' => tokens.push(Token::Semicolon),
                    '\n' => tokens.push(Token::Line),
                    _ => {}
                }
            }
            c => {
                begin(&word, &mut start);
                word.push(c);
            }
        }
    }
    if !word.is_empty() {
        let span = Span { line: start.0, column: start.1, end_line: line, end_column: column };
        tokens.push(Token::Word(word, span));
    }
    tokens
}
