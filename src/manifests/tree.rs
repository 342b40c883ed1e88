//! One tree for all structured formats: YAML, JSON, TOML and HCL differ only in how it is built.

use std::rc::Rc;

/// Lines and columns are 1-based and count characters; the end column is exclusive.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Span {
    pub line: u32,
    pub column: u32,
    pub end_line: u32,
    pub end_column: u32,
}

impl Span {
    pub fn to(self, end: Span) -> Span {
        Span { end_line: end.end_line, end_column: end.end_column, ..self }
    }
}

#[derive(Debug)]
pub enum Value {
    Scalar(String),
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>),
}

#[derive(Debug)]
pub struct Entry {
    pub key: String,
    pub key_span: Span,
    pub value: Rc<Node>,
}

#[derive(Debug)]
pub struct Node {
    pub value: Value,
    pub span: Span,
    /// Levels below this node, itself included.
    pub height: usize,
    /// Nodes below this one when every alias is written out, itself included.
    pub weight: usize,
}

/// Deeper trees are refused, so that recursion over a tree is always safe.
pub const MAX_DEPTH: usize = 64;
/// Larger trees, counted with aliases written out, are refused: every walk is bounded by this.
pub const MAX_NODES: usize = 250_000;
/// A merge key may lead to a map that has merge keys itself.
const MAX_MERGES: usize = 8;

impl Node {
    pub fn scalar(text: String, span: Span) -> Rc<Node> {
        Rc::new(Node { value: Value::Scalar(text), span, height: 1, weight: 1 })
    }

    pub fn list(items: Vec<Rc<Node>>, span: Span) -> Rc<Node> {
        let (height, weight) = measure(items.iter());
        Rc::new(Node { value: Value::List(items), span, height, weight })
    }

    pub fn map(entries: Vec<Entry>, span: Span) -> Rc<Node> {
        let (height, weight) = measure(entries.iter().map(|entry| &entry.value));
        Rc::new(Node { value: Value::Map(entries), span, height, weight })
    }

    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    pub fn is_map(&self) -> bool {
        matches!(self.value, Value::Map(_))
    }

    /// The items of a list; none for anything else.
    pub fn items(&self) -> &[Rc<Node>] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map as written, merge keys included; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entry_merged(key, MAX_MERGES)
    }

    fn entry_merged(&self, key: &str, merges: usize) -> Option<&Entry> {
        let entries = self.entries();
        if let Some(found) = entries.iter().find(|entry| entry.key == key) {
            return Some(found);
        }
        let merges = merges.checked_sub(1)?;
        entries.iter().filter(|entry| entry.key == "<<").find_map(|entry| match &entry.value.value {
            Value::Map(_) => entry.value.entry_merged(key, merges),
            Value::List(items) => items.iter().find_map(|item| item.entry_merged(key, merges)),
            Value::Scalar(_) => None,
        })
    }

    pub fn get(&self, key: &str) -> Option<&Rc<Node>> {
        self.entry(key).map(|entry| &entry.value)
    }

    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key).map(Rc::as_ref))
    }

    /// The entry that the last key of the path names.
    pub fn entry_at(&self, path: &[&str]) -> Option<&Entry> {
        let (last, parents) = path.split_last()?;
        self.at(parents)?.entry(last)
    }

    pub fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.text()
    }
}

impl Entry {
    /// Key and value for a scalar, the key alone for a container.
    pub fn span(&self) -> Span {
        match self.value.value {
            Value::Scalar(_) if self.value.span.line >= self.key_span.line => self.key_span.to(self.value.span),
            _ => self.key_span,
        }
    }

    pub fn text(&self) -> Option<&str> {
        self.value.text()
    }
}

fn measure<'a>(children: impl Iterator<Item = &'a Rc<Node>>) -> (usize, usize) {
    let (height, weight) =
        children.fold((0, 0_usize), |(height, weight), child| (child.height.max(height), weight.saturating_add(child.weight)));
    (height + 1, weight.saturating_add(1))
}

/// Calls `visit` with every entry of every map below `node`, and the keys that lead to it.
pub fn walk<'a>(node: &'a Node, path: &mut Vec<&'a str>, visit: &mut dyn FnMut(&[&'a str], &'a Node, &'a Entry)) {
    for item in node.items() {
        walk(item, path, visit);
    }
    for entry in node.entries() {
        path.push(&entry.key);
        visit(path, node, entry);
        walk(&entry.value, path, visit);
        path.pop();
    }
}

pub fn is_true(text: &str) -> bool {
    matches!(text.trim().to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1")
}

/// Turns byte offsets into lines and columns.
pub struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Lines<'a> {
        let starts = std::iter::once(0).chain(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1)).collect();
        Lines { text, starts }
    }

    fn place(&self, offset: usize) -> (u32, u32) {
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let start = self.starts.get(line - 1).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        (line as u32, column as u32 + 1)
    }

    pub fn span(&self, range: std::ops::Range<usize>) -> Span {
        let (line, column) = self.place(range.start);
        let (end_line, end_column) = self.place(range.end);
        Span { line, column, end_line, end_column }
    }
}
