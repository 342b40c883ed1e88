//! Token streams as text: one way of spacing, and bounded.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

const MAX_TEXT: usize = 4096;

/// The tokens as text, at most 4 KiB of it.
pub fn text_of(tokens: &TokenStream) -> String {
    let mut writer = Writer { text: String::new(), glue: true };
    writer.stream(tokens.clone());
    let mut text = writer.text;
    if text.len() > MAX_TEXT {
        let mut length = MAX_TEXT;
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        text.truncate(length);
    }
    text
}

struct Writer {
    text: String,
    /// Whether the next token follows without a space.
    glue: bool,
}

impl Writer {
    fn stream(&mut self, tokens: TokenStream) {
        for token in tokens {
            if self.text.len() > MAX_TEXT {
                return;
            }
            self.token(token);
        }
    }

    fn token(&mut self, token: TokenTree) {
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                let after_word = self.text.ends_with(|last: char| last.is_alphanumeric() || last == '_' || last == '!');
                if !self.glue && (open == "{" || !after_word) {
                    self.text.push(' ');
                }
                self.text.push_str(open);
                self.glue = true;
                self.stream(group.stream());
                self.text.push_str(close);
                self.glue = false;
            }
            TokenTree::Punct(punct) => {
                let mark = punct.as_char();
                let after_colon = self.text.ends_with(':');
                let joint = punct.spacing() == Spacing::Joint;
                let close_to_left = matches!(mark, ',' | ';' | '.' | '?' | ':' | '!' | '>');
                if !self.glue && !close_to_left && mark != '<' {
                    self.text.push(' ');
                }
                self.text.push(mark);
                self.glue = joint || matches!(mark, '.' | '!' | '&' | '#' | '$' | '@' | '\'' | '<' | '?') || (mark == ':' && after_colon);
            }
            TokenTree::Ident(ident) => self.word(&ident.to_string()),
            TokenTree::Literal(literal) => self.word(&literal.to_string()),
        }
    }

    fn word(&mut self, word: &str) {
        if !self.glue {
            self.text.push(' ');
        }
        self.text.push_str(word);
        self.glue = false;
    }
}
