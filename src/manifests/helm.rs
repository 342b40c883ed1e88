//! Helm: templates made readable as YAML, and the values that they ask for.

use std::rc::Rc;

use super::affinity;
use super::compose;
use super::facts::{Affinity, Environment, Owner};
use super::kubernetes;
use super::reader::{Collector, File, location};
use super::role;
use super::settings;
use super::tree::{Entry, Node};
use super::yaml::{self, Broken};
use crate::finding::Location;

/// One `values*.yaml`.
pub struct Values {
    pub path: String,
    pub folder: String,
    pub environment: Environment,
    /// `values.yaml` itself, which every installation starts from.
    pub default: bool,
    pub node: Rc<Node>,
}

/// A value that a template asks for, in one of the values files.
pub struct Resolved {
    pub text: String,
    pub location: Location,
    pub environment: Environment,
    pub default: bool,
}

pub fn is_template(file: &File<'_>) -> bool {
    chart_of(file.path).is_some() && file.text.contains("{{")
}

/// The folder of the chart that a template belongs to.
fn chart_of(path: &str) -> Option<&str> {
    if path.starts_with("templates/") {
        return Some("");
    }
    path.find("/templates/").and_then(|at| path.get(..at))
}

pub fn is_values(file: &File<'_>) -> bool {
    let name = file.name();
    name.starts_with("values") || name.ends_with(".values.yaml") || name.ends_with("-values.yaml")
}

pub fn read_values(file: &File<'_>, documents: Vec<Rc<Node>>, collector: &mut Collector) {
    for node in documents.into_iter().filter(|node| node.is_map()) {
        settings::read_tree(file, &node, collector);
        collector.values.push(Values {
            path: file.path.to_owned(),
            folder: file.path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned(),
            environment: file.environment,
            default: file.name() == "values.yaml",
            node,
        });
    }
}

/// Each document is read by itself: a template that stays no YAML costs only its own.
pub fn read_template(file: &File<'_>, collector: &mut Collector) -> Result<(), Broken> {
    // Helm renders no object from a file of helpers.
    if file.name().starts_with('_') {
        return Ok(());
    }
    let chart = chart_of(file.path).unwrap_or_default();
    let gates = gates(file.text);
    let mut first_error = None;
    let text = neutralise(file.text);
    for (start, lines) in parts(&text) {
        let (documents, broken) = parse_part(start, lines);
        for document in documents {
            if !kubernetes::read_in_chart(file, &document, chart, &gates, collector) {
                compose::read(file, &document, collector);
            }
        }
        first_error = first_error.or(broken);
    }
    first_error.map_or(Ok(()), Err)
}

/// Lines that are blanked, one after the other, to make YAML of what a template's branches and
/// loops leave side by side.
const MAX_REPAIRS: usize = 16;

fn parse_part(start: usize, mut lines: Vec<&str>) -> (Vec<Rc<Node>>, Option<Broken>) {
    let mut repairs = 0;
    loop {
        let (documents, broken) = yaml::parse(&("\n".repeat(start) + &lines.join("\n")));
        let Some(found) = &broken else {
            return (documents, None);
        };
        let last = (found.line as usize).saturating_sub(start).min(lines.len());
        let culprit = lines.iter_mut().take(last).rev().find(|line| !line.trim().is_empty());
        match culprit {
            Some(line) if repairs < MAX_REPAIRS => *line = "",
            _ => return (documents, broken),
        }
        repairs += 1;
    }
}

/// More documents in one template are not read: each is parsed below as many blank lines as stand
/// before it, so that places stay.
const MAX_PARTS: usize = 100;

/// The documents of a text that hold any key, with the number of lines before them.
fn parts(text: &str) -> Vec<(usize, Vec<&str>)> {
    let mut parts = vec![(0, Vec::new())];
    for (index, line) in text.lines().enumerate() {
        if line.starts_with("---") {
            parts.push((index, Vec::new()));
        }
        if let Some((_, lines)) = parts.last_mut() {
            lines.push(line);
        }
    }
    parts.retain(|(_, lines)| lines.iter().any(|line| line.contains(':')));
    parts.truncate(MAX_PARTS);
    parts
}

/// Puts `~` for everything in an action or a comment of the template that YAML could trip over, character by character, so that
/// places stay. A line of actions alone becomes blank.
pub fn neutralise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for line in text.lines() {
        let mut kept = String::with_capacity(line.len());
        let mut has_text = false;
        let mut chars = line.chars().peekable();
        while let Some(c) = chars.next() {
            if !inside && c == '{' && chars.peek().is_some_and(|next| matches!(next, '{' | '%' | '#')) {
                inside = true;
            }
            if !inside {
                has_text |= !c.is_whitespace();
                kept.push(c);
                continue;
            }
            if matches!(c, '}' | '%' | '#') && chars.peek() == Some(&'}') {
                chars.next();
                kept.push_str("~~");
                inside = false;
            } else if c.is_alphanumeric() || matches!(c, '.' | '_' | '-') {
                kept.push(c);
            } else {
                kept.push('~');
            }
        }
        if has_text {
            out.push_str(&kept);
        }
        out.push('\n');
    }
    open_blocks(&out)
}

/// `probe: {{- include .. | nindent 4 }}` with more of the block on the lines below: what the action writes
/// stands there too, so that the key opens a block and has no value on its own line. Linear in the text.
fn open_blocks(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let lines: Vec<&str> = text.lines().collect();
    let mut deeper = vec![false; lines.len()];
    let mut next = 0;
    for (at, line) in lines.iter().enumerate().rev() {
        if !line.trim().is_empty() {
            if let Some(slot) = deeper.get_mut(at) {
                *slot = next > indent(line) + (line.trim_start().len() - line.trim_start().trim_start_matches("- ").len());
            }
            next = indent(line);
        }
    }
    let mut out = String::with_capacity(text.len());
    for (line, deeper) in lines.iter().zip(deeper) {
        let value = line.split_once(": ").map(|(_, value)| value.trim());
        match value.filter(|value| deeper && value.starts_with("~~") && value.ends_with("~~")) {
            Some(value) => out.push_str(line.trim_end().strip_suffix(value).unwrap_or(line)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

/// The values that conditions of the template ask for.
fn gates(text: &str) -> Vec<Vec<String>> {
    text.split("{{")
        .skip(1)
        .filter_map(|rest| rest.split("}}").next())
        .filter(|action| {
            let action = action.trim_start_matches('-').trim_start();
            action.starts_with("if ") && !action.contains("not ") && !action.contains("or ")
        })
        .flat_map(value_paths)
        .filter(|path| path.last().is_some_and(|key| matches!(key.as_str(), "enabled" | "create")))
        .collect()
}

/// Every `.Values.a.b` of a text, without the first key.
fn value_paths(text: &str) -> Vec<Vec<String>> {
    text.split(".Values.")
        .skip(1)
        .map(|rest| {
            let end = rest.find(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '_')).unwrap_or(rest.len());
            rest.get(..end).unwrap_or_default().split('.').map(str::to_owned).collect()
        })
        .collect()
}

impl Collector {
    /// The values files of a chart: its own, and those beside or above it that go with no other.
    fn values_of(&self, chart: &str) -> impl Iterator<Item = &Values> {
        self.values.iter().filter(move |values| {
            let own = values.folder == chart;
            let beside = !values.default && (is_below(&values.folder, chart) || is_below(chart, &values.folder));
            own || beside
        })
    }

    /// What the first `.Values` path of a text is set to, in every values file of the chart.
    pub fn resolve(&self, chart: &str, text: &str) -> Vec<Resolved> {
        let Some(path) = value_paths(text).into_iter().next() else {
            return Vec::new();
        };
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        self.values_of(chart)
            .filter_map(|values| {
                let entry = values.node.entry_at(&keys)?;
                Some(Resolved {
                    text: entry.text()?.to_owned(),
                    location: location(&values.path, entry.span()),
                    environment: values.environment,
                    default: values.default,
                })
            })
            .collect()
    }

    /// The repository that a templated image starts from.
    pub fn resolve_image(&self, chart: &str, text: &str) -> Option<String> {
        let found = value_paths(text).into_iter().find_map(|path| {
            let keys: Vec<&str> = path.iter().map(String::as_str).collect();
            let values = self.values_of(chart).find(|values| values.default)?;
            let node = values.node.at(&keys)?;
            let last = keys.last().copied().unwrap_or_default();
            let text = node.text().or_else(|| node.text_at(&["repository"]))?;
            (!matches!(last, "registry" | "tag" | "digest" | "imageRegistry")).then(|| text.to_owned())
        });
        found.filter(|image| !image.is_empty())
    }

    /// Whether a condition of a template is off in the given values file, or else in the default.
    pub fn is_off(&self, chart: &str, gates: &[Vec<String>], values_path: Option<&str>) -> bool {
        gates.iter().any(|gate| {
            let keys: Vec<&str> = gate.iter().map(String::as_str).collect();
            let in_file = |wanted: &dyn Fn(&Values) -> bool| {
                let values = self.values_of(chart).find(|values| wanted(values))?;
                values.node.text_at(&keys).map(|text| text == "false")
            };
            let own = values_path.and_then(|path| in_file(&|values| values.path == path));
            own.or_else(|| in_file(&|values| values.default)).unwrap_or(false)
        })
    }
}

fn is_below(folder: &str, above: &str) -> bool {
    above.is_empty() || folder.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'))
}

/// The name that an installation would roughly have: the chart's, which is given, for its `fullname`.
pub fn display_name(text: &str, chart: &str) -> String {
    if !text.contains("~~") {
        return text.to_owned();
    }
    let words: Vec<&str> = text
        .split('~')
        .filter(|word| !word.is_empty())
        .filter_map(|word| {
            let helper = word.rsplit_once('.').filter(|(prefix, _)| !prefix.is_empty() && !prefix.starts_with('.'));
            match (word, helper) {
                (".Chart.Name", _) => Some(chart),
                // Helpers of library charts write the name of the chart that asks.
                (_, Some(("common" | "common.names", "fullname" | "name"))) => Some(chart),
                (_, Some((prefix, "fullname" | "name"))) => Some(prefix),
                _ if word.starts_with('-') => Some(word.trim_matches('-')).filter(|word| !word.is_empty()),
                _ => None,
            }
        })
        .collect();
    if words.is_empty() { chart.to_owned() } else { words.join("-").replace('.', "-") }
}

/// Affinity that is switched on in values.
pub fn join(collector: &mut Collector) {
    let mut found = Vec::new();
    let foreign_key = |key: &str| role::is_foreign_name(key) && key != "ingress" && key != "proxy";
    for values in &collector.values {
        // A chart of a store or a monitor; a service of the tree may be called so all the same.
        let chart = collector.chart_name(&values.folder);
        let target = foreign_key(chart).then(|| chart.to_owned());
        for hit in affinity::scan(&values.node) {
            if !is_switched_off(&values.node, &hit.path) {
                let foreign =
                    target.is_some() || hit.path.split_last().is_some_and(|(_, parents)| parents.iter().any(|key| foreign_key(key)));
                found.push(Affinity {
                    kind: hit.kind,
                    workload: None,
                    target: target.clone(),
                    owner: if foreign { Owner::SomebodyElses } else { Owner::OwnService },
                    environment: values.environment,
                    location: location(&values.path, hit.span),
                    detail: hit.detail,
                });
            }
        }
    }
    collector.facts.seen |= !collector.values.is_empty() && !found.is_empty();
    collector.facts.affinities.extend(found);
}

fn is_switched_off(root: &Node, path: &[String]) -> bool {
    let mut node = root;
    path.iter().any(|key| {
        let off = node.entry("enabled").and_then(Entry::text) == Some("false");
        if let Some(next) = node.get(key) {
            node = next;
        }
        off
    })
}
