//! TOML to trees, with the spans of the `toml` crate.

use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::tree::{Entry, Lines, Node};
use super::yaml::Broken;

pub fn parse(text: &str) -> Result<Rc<Node>, Broken> {
    let lines = Lines::new(text);
    match DeTable::parse(text) {
        Ok(table) => Ok(table_node(table.get_ref(), table.span(), &lines)),
        Err(error) => Err(Broken { line: error.span().map_or(1, |span| lines.span(span).line), reason: error.message().to_owned() }),
    }
}

fn table_node(table: &DeTable<'_>, range: std::ops::Range<usize>, lines: &Lines<'_>) -> Rc<Node> {
    let mut keyed: Vec<_> = table.iter().collect();
    keyed.sort_by_key(|(key, _)| key.span().start);
    let entries = keyed
        .into_iter()
        .map(|(key, value)| Entry { key: key.get_ref().to_string(), key_span: lines.span(key.span()), value: value_node(value, lines) })
        .collect();
    Node::map(entries, lines.span(range))
}

fn value_node(value: &Spanned<DeValue<'_>>, lines: &Lines<'_>) -> Rc<Node> {
    let range = value.span();
    let text = match value.get_ref() {
        DeValue::Table(table) => return table_node(table, range, lines),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| value_node(item, lines)).collect();
            return Node::list(items, lines.span(range));
        }
        DeValue::String(text) => text.to_string(),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(moment) => moment.to_string(),
    };
    Node::scalar(text, lines.span(range))
}
