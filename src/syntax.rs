//! Text to HIR. The only room that knows syn.

pub mod hir;
mod lower;
mod scan;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::str::FromStr;

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};

/// The stack, in bytes, a thread must have to call [`parse`].
pub const STACK_BYTES: usize = 256 << 20;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 4 << 20;

/// Why nothing of a file could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The 1-based line the reason points at.
    pub line: u32,
    pub reason: String,
}

impl Refusal {
    fn new(line: u32, reason: impl Into<String>) -> Self {
        Refusal { line, reason: reason.into() }
    }
}

/// Parses and lowers one file. Must be called on a thread with [`STACK_BYTES`] of stack, since
/// files are refused for their nesting only beyond what such a stack carries.
///
/// # Errors
/// If the file is not UTF-8, is too large or too deeply nested, or cannot be split into tokens. A
/// file with syntax errors is no error: what is left of it comes back, with its problems inside.
pub fn parse(source: &[u8]) -> Result<hir::File, Refusal> {
    let result = catch_unwind(AssertUnwindSafe(|| parse_text(source)));
    // The span map of the thread would otherwise grow with every file. All positions are plain
    // integers by now, and every syntax tree is dropped.
    proc_macro2::extra::invalidate_current_thread_spans();
    result.unwrap_or_else(|_| Err(Refusal::new(1, "the parser failed on this file")))
}

fn parse_text(source: &[u8]) -> Result<hir::File, Refusal> {
    if source.len() > MAX_BYTES {
        return Err(Refusal::new(1, format!("the file is larger than {MAX_BYTES} bytes")));
    }
    let text = std::str::from_utf8(source).map_err(|error| {
        let valid = source.get(..error.valid_up_to()).unwrap_or_default();
        let line = 1 + valid.iter().filter(|&&byte| byte == b'\n').count();
        Refusal::new(line as u32, "the file is not UTF-8")
    })?;
    let text = after_shebang(text.trim_start_matches('\u{feff}'));
    let scan::Scan { comments, cuts, lines, .. } = scan::scan(text)?;
    let text = scan::blank(text, &cuts);
    let mut lower = lower::Lower::new(comments, lines);
    match syn::parse2::<syn::File>(lex(&text)?) {
        Ok(file) => lower.file(&file),
        Err(_) => {
            let (file, failures) = parse_items(lex(&text)?);
            lower.file(&file);
            for (line, message) in failures {
                lower.lost(line, message);
            }
        }
    }
    Ok(lower.finish())
}

/// The text without its first line's content if that is a shebang and not an inner attribute.
fn after_shebang(text: &str) -> &str {
    match text.strip_prefix("#!") {
        Some(rest) if !rest.trim_start().starts_with('[') => text.find('\n').and_then(|end| text.get(end..)).unwrap_or_default(),
        _ => text,
    }
}

fn lex(text: &str) -> Result<TokenStream, Refusal> {
    TokenStream::from_str(text).map_err(|error| {
        let line = error.span().start().line.max(1) as u32;
        Refusal::new(line, "the file cannot be split into tokens")
    })
}

/// The second try on a file with a syntax error: item by item, so that an error loses its item only.
fn parse_items(tokens: TokenStream) -> (syn::File, Vec<(u32, String)>) {
    let mut file = syn::File { shebang: None, frontmatter: None, attrs: Vec::new(), items: Vec::new() };
    let mut failures = Vec::new();
    let walk = |input: ParseStream| {
        if let Ok(attrs) = input.call(syn::Attribute::parse_inner) {
            file.attrs = attrs;
        }
        while !input.is_empty() {
            let fork = input.fork();
            match fork.parse::<syn::Item>() {
                Ok(item) => {
                    syn::parse::discouraged::Speculative::advance_to(input, &fork);
                    file.items.push(item);
                }
                Err(error) => {
                    let line = error.span().start().line.max(1) as u32;
                    failures.push((line, format!("this item cannot be parsed: {error}")));
                    skip_item(input)?;
                }
            }
        }
        Ok(())
    };
    if let Err(error) = walk.parse2(tokens) {
        failures.push((1, format!("the rest of the file cannot be parsed: {error}")));
    }
    (file, failures)
}

/// Steps over the tokens of one item: to the next `;`, or to the first braces of an item that ends
/// with its braces.
fn skip_item(input: ParseStream) -> syn::Result<()> {
    input.step(|cursor| {
        let mut rest = *cursor;
        let mut ends_with_semicolon = false;
        while let Some((token, next)) = rest.token_tree() {
            rest = next;
            match token {
                proc_macro2::TokenTree::Ident(ident) => {
                    ends_with_semicolon |= ["const", "static", "use", "type"].iter().any(|word| ident == word);
                    ends_with_semicolon &= ident != "fn";
                }
                proc_macro2::TokenTree::Punct(punct) if punct.as_char() == ';' => break,
                proc_macro2::TokenTree::Group(group) if group.delimiter() == proc_macro2::Delimiter::Brace && !ends_with_semicolon => {
                    break;
                }
                _ => {}
            }
        }
        Ok(((), rest))
    })
}
