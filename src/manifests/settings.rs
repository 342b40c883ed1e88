//! Configuration files of the service itself, flattened to keys and values.

use super::facts::{Setting, WorkloadId};
use super::reader::{Collector, File};
use super::tree::{Node, Span, Value};

/// A larger file is data and no configuration.
const MAX_SETTINGS: usize = 2_000;
/// Longer values choose no back end.
const MAX_VALUE_BYTES: usize = 1_024;

pub fn read_tree(file: &File<'_>, node: &Node, collector: &mut Collector) {
    if node.weight <= MAX_SETTINGS && node.is_map() {
        flatten(file, node, &mut String::new(), collector);
    }
}

fn flatten(file: &File<'_>, node: &Node, prefix: &mut String, collector: &mut Collector) {
    let length = prefix.len();
    match &node.value {
        Value::Scalar(_) => {}
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                push_key(prefix, &index.to_string());
                match &item.value {
                    Value::Scalar(text) => add(file, prefix, text, item.span, collector),
                    _ => flatten(file, item, prefix, collector),
                }
                prefix.truncate(length);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                push_key(prefix, &entry.key);
                match entry.text() {
                    Some(text) => add(file, prefix, text, entry.span(), collector),
                    None => flatten(file, &entry.value, prefix, collector),
                }
                prefix.truncate(length);
            }
        }
    }
}

fn push_key(prefix: &mut String, key: &str) {
    if !prefix.is_empty() {
        prefix.push('.');
    }
    prefix.push_str(key);
}

pub fn add(file: &File<'_>, key: &str, value: &str, span: Span, collector: &mut Collector) {
    if value.len() <= MAX_VALUE_BYTES {
        collector.facts.settings.push(Setting {
            key: key.to_owned(),
            value: value.to_owned(),
            workload: None,
            environment: file.environment,
            location: file.location(span),
        });
    }
}

/// Environment variables of a workload, as `NAME=value` items or as a map.
pub fn read_variables(file: &File<'_>, node: &Node, id: WorkloadId, collector: &mut Collector) {
    let before = collector.facts.settings.len();
    add_variables(file, node, collector);
    for setting in collector.facts.settings.iter_mut().skip(before) {
        setting.workload = Some(id);
    }
}

fn add_variables(file: &File<'_>, node: &Node, collector: &mut Collector) {
    for item in node.items() {
        if let Some((key, value)) = item.text().and_then(|text| text.split_once('=')) {
            add(file, key, value, item.span, collector);
        } else if let (Some(name), Some(value)) = (item.text_at(&["name"]).or_else(|| item.text_at(&["key"])), item.entry("value"))
            && let Some(text) = value.text()
        {
            add(file, name, text, value.span(), collector);
        }
    }
    for entry in node.entries() {
        if let Some(text) = entry.text() {
            add(file, &entry.key, text, entry.span(), collector);
        }
    }
}

pub fn read_env(file: &File<'_>, collector: &mut Collector) {
    for (index, line) in file.text.lines().enumerate().take(MAX_SETTINGS) {
        let body = line.trim();
        let body = body.strip_prefix("export ").unwrap_or(body);
        let Some((key, value)) = body.split_once('=').filter(|_| !body.starts_with('#')) else {
            continue;
        };
        let start = line.chars().take_while(|c| c.is_whitespace()).count() as u32 + 1;
        let number = index as u32 + 1;
        let span = Span { line: number, column: start, end_line: number, end_column: line.trim_end().chars().count() as u32 + 1 };
        add(file, key.trim(), unquote(value.trim()), span, collector);
    }
}

/// The text between quotes, or the text before a comment.
fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            return rest.split(quote).next().unwrap_or(rest);
        }
    }
    value.split(" #").next().unwrap_or(value).trim_end()
}
