//! HCL to trees. A block becomes an entry whose key is its identifier and its labels, parted by
//! spaces: `resource aws_lb_target_group app`. The parser bounds the nesting of expressions.

use std::rc::Rc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};

use super::tree::{Entry, Lines, MAX_DEPTH, Node, Span};
use super::yaml::Broken;

pub fn parse(text: &str) -> Result<Rc<Node>, Broken> {
    if let Some(line) = too_deep(text) {
        return Err(Broken { line, reason: format!("nested deeper than {MAX_DEPTH} levels") });
    }
    match hcl_edit::parser::parse_body(text) {
        Ok(body) => Ok(body_node(&body, text, &Lines::new(text))),
        Err(error) => Err(Broken { line: error.location().line() as u32, reason: error.message().to_owned() }),
    }
}

/// The line where brackets go deeper than the bound, strings and comments not told apart.
fn too_deep(text: &str) -> Option<u32> {
    let (mut depth, mut line) = (0_usize, 1);
    for byte in text.bytes() {
        match byte {
            b'{' | b'[' | b'(' => depth += 1,
            b'}' | b']' | b')' => depth = depth.saturating_sub(1),
            b'\n' => line += 1,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Some(line);
        }
    }
    None
}

fn body_node(body: &Body, text: &str, lines: &Lines<'_>) -> Rc<Node> {
    let entries = body
        .iter()
        .map(|structure| match structure {
            Structure::Attribute(attribute) => Entry {
                key: attribute.key.as_str().to_owned(),
                key_span: span(attribute.key.span(), lines),
                value: expression_node(&attribute.value, text, lines),
            },
            Structure::Block(block) => {
                let mut key = block.ident.as_str().to_owned();
                for label in &block.labels {
                    key.push(' ');
                    key.push_str(label.as_str());
                }
                let start = span(block.ident.span(), lines);
                let end = block.labels.last().and_then(|label| label.span());
                Entry { key, key_span: end.map_or(start, |end| start.to(lines.span(end))), value: body_node(&block.body, text, lines) }
            }
        })
        .collect();
    Node::map(entries, span(body.span(), lines))
}

fn expression_node(expression: &Expression, text: &str, lines: &Lines<'_>) -> Rc<Node> {
    let range = expression.span();
    let place = span(range.clone(), lines);
    match expression {
        Expression::Array(items) => {
            let items = items.iter().map(|item| expression_node(item, text, lines)).collect();
            Node::list(items, place)
        }
        Expression::Object(object) => {
            let entries = object
                .iter()
                .map(|(key, value)| Entry {
                    key: match key {
                        ObjectKey::Ident(ident) => ident.as_str().to_owned(),
                        ObjectKey::Expression(key) => plain(key, key.span(), text),
                    },
                    key_span: span(key.span(), lines),
                    value: expression_node(value.expr(), text, lines),
                })
                .collect();
            Node::map(entries, place)
        }
        // `jsonencode([...])` holds container definitions: the argument is what counts.
        Expression::FuncCall(call) if call.name.name.as_str() == "jsonencode" => match call.args.iter().next() {
            Some(argument) => expression_node(argument, text, lines),
            None => Node::scalar(String::new(), place),
        },
        other => Node::scalar(plain(other, range, text), place),
    }
}

/// A literal's value; the source text of any other expression.
fn plain(expression: &Expression, range: Option<std::ops::Range<usize>>, text: &str) -> String {
    match expression {
        Expression::String(value) => value.as_str().to_owned(),
        Expression::Number(value) => value.value().to_string(),
        Expression::Bool(value) => value.value().to_string(),
        _ => range.and_then(|range| text.get(range)).unwrap_or_default().trim().to_owned(),
    }
}

fn span(range: Option<std::ops::Range<usize>>, lines: &Lines<'_>) -> Span {
    lines.span(range.unwrap_or(0..0))
}
