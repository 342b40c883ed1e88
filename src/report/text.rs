//! Names, paths and source text come from a tree that nobody vouches for. Everything that reaches a
//! terminal, a workflow log, a review comment or XML goes through here.

use std::borrow::Cow;
use std::fmt::Write;

const REPLACEMENT: char = '\u{fffd}';

/// Whether a character can move the cursor, start an escape sequence or reorder what is shown.
fn treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line that is safe on a terminal and in a workflow log: line ends become spaces, other control
/// and reordering characters are replaced, and nothing can be taken for a workflow command.
pub fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if treacherous(c) => out.push(REPLACEMENT),
            c => out.push(c),
        }
    }
    let out = out.replace("##", "# #");
    if out.contains("::") { without_commands(&out) } else { out }
}

/// Breaks `::command` at the start of a word: wrapping may put that word at the start of a line.
fn without_commands(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut rest = text;
    let mut at_word_start = true;
    while let Some(c) = rest.chars().next() {
        if at_word_start && rest.get(2..).is_some_and(|after| rest.starts_with("::") && is_command(after)) {
            out.push_str(": :");
            rest = rest.get(2..).unwrap_or_default();
            at_word_start = false;
            continue;
        }
        out.push(c);
        at_word_start = c.is_whitespace();
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    out
}

fn is_command(after: &str) -> bool {
    const COMMANDS: [&str; 17] = [
        "add-mask",
        "add-matcher",
        "add-path",
        "debug",
        "echo",
        "endgroup",
        "error",
        "group",
        "internal-set-repo-path",
        "notice",
        "remove-matcher",
        "save-state",
        "set-env",
        "set-output",
        "stop-commands",
        "warning",
        "[",
    ];
    let lower = after.to_ascii_lowercase();
    COMMANDS.iter().any(|command| lower.starts_with(command))
}

/// Source text for a snippet: the same number of characters on the same lines, each harmless.
pub fn snippet(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = '\0';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\n' | '\t' => c,
            '\r' if chars.peek() == Some(&'\n') => c,
            '#' if before == '#' => REPLACEMENT,
            c if treacherous(c) => REPLACEMENT,
            c => c,
        });
        before = c;
    }
    out
}

/// The value of a workflow command: everything after its `::`, made of lines that are safe already.
pub fn command_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// A property of a workflow command.
pub fn command_property(text: &str) -> String {
    command_data(&line(text)).replace(':', "%3A").replace(',', "%2C")
}

/// Markdown text. Parts between backticks stay code; everything else loses its meaning for Markdown,
/// HTML, mentions and references.
pub fn markdown(text: &str) -> String {
    let text = line(text);
    let parts: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        let closed = n + 1 < parts.len();
        if n % 2 == 1 && closed && !part.trim().is_empty() {
            out.push_str(&markdown_code(part));
        } else if n % 2 == 1 {
            out.push_str("\\`");
            plain(part, &mut out);
            if closed {
                out.push_str("\\`");
            }
        } else {
            plain(part, &mut out);
        }
    }
    out
}

fn plain(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '@' => out.push_str("&#64;"),
            '#' => out.push_str("&#35;"),
            ':' => out.push_str("&#58;"),
            '|' => out.push_str("&#124;"),
            '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '!' | '~' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
}

/// Markdown for the cell of a table, where a bar ends even a code span.
pub fn markdown_cell(text: &str) -> String {
    markdown(text).replace('|', "\\|")
}

/// A code span that ends where it should.
pub fn markdown_code(text: &str) -> String {
    let text = line(text);
    let text = text.trim();
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    let pad = if longest > 0 { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A fenced block that ends where it should.
pub fn markdown_block(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}\n", snippet(text).trim_end_matches('\n'))
}

/// XML text and attribute values; characters that XML does not know are replaced.
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\n' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => out.push(REPLACEMENT),
            c if treacherous(c) => out.push(REPLACEMENT),
            c => out.push(c),
        }
    }
    out
}

/// A path as a URI reference: everything but unreserved characters and `/` is escaped.
pub fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(byte as char),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// `1 finding`, `2 findings`.
pub fn count(n: u64, what: &str) -> String {
    let plural: Cow<'_, str> = match what.strip_suffix('y') {
        _ if n == 1 => what.into(),
        Some(stem) => format!("{stem}ies").into(),
        None => format!("{what}s").into(),
    };
    format!("{} {plural}", grouped(n))
}

/// A number with thin groups of three digits: `12,345`.
pub fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_cannot_steer_a_terminal_or_a_workflow() {
        assert_eq!(line("a\x1b[31mb\u{202e}c\r\nd\u{9b}"), "a\u{fffd}[31mb\u{fffd}c  d\u{fffd}");
        assert_eq!(line("::error file=x::boo and ::std::sync"), ": :error file=x::boo and ::std::sync");
        assert_eq!(line("x ##[group]y"), "x # #[group]y");
        assert_eq!(line("shop::error::Kind"), "shop::error::Kind");
    }

    #[test]
    fn a_snippet_keeps_every_column() {
        let source = "let s\t= \"\x1b[2J\";\r\n##[x]\n";
        let safe = snippet(source);
        assert_eq!(safe.chars().count(), source.chars().count());
        assert!(!safe.contains('\x1b') && !safe.contains("##"));
    }

    #[test]
    fn markdown_keeps_code_spans_and_disarms_the_rest() {
        assert_eq!(markdown("lost when `a|b` <img> @me #1"), "lost when `a|b` &lt;img&gt; &#64;me &#35;1");
        assert_eq!(markdown_cell("`a|b` c|d"), "`a\\|b` c&#124;d");
        assert_eq!(markdown("odd ` [x](y)"), "odd \\` \\[x\\]\\(y\\)");
        assert_eq!(markdown_code("a``b"), "``` a``b ```");
        assert!(markdown_block("rust", "x\n```\ny").starts_with("````rust\n"));
    }

    #[test]
    fn xml_and_uris_hold_any_text() {
        assert_eq!(xml("<a b=\"\x07\">&"), "&lt;a b=&quot;\u{fffd}&quot;&gt;&amp;");
        assert_eq!(uri("src/a b#ü.rs"), "src/a%20b%23%C3%BC.rs");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(count(1, "entry point"), "1 entry point");
        assert_eq!(count(12_345, "entry"), "12,345 entries");
    }
}
