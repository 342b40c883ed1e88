//! YAML and JSON to trees. The parser hands out events and never expands an alias; a tree shares
//! the anchored node instead of copying it, and refuses to grow past the bounds of `tree`.

use std::collections::HashMap;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, Span as Marks};

use super::tree::{Entry, MAX_DEPTH, MAX_NODES, Node, Span};

pub struct Broken {
    pub line: u32,
    pub reason: String,
}

/// The documents before the first error, and the error.
pub fn parse(text: &str) -> (Vec<Rc<Node>>, Option<Broken>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (documents, broken) = parse_strictly(text);
    let at_bracket =
        broken.as_ref().and_then(|broken| text.lines().nth(broken.line.saturating_sub(1) as usize)).is_some_and(closes_bracket);
    if at_bracket {
        return parse_strictly(&indent_brackets(text));
    }
    (documents, broken)
}

fn closes_bracket(line: &str) -> bool {
    line.trim_start().starts_with([']', '}'])
}

/// The standard wants a closing bracket deeper than the key it belongs to; most parsers, and so most
/// files, do not. Only the columns of the brackets' own lines move.
fn indent_brackets(text: &str) -> String {
    let deep = " ".repeat(2 * MAX_DEPTH);
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if closes_bracket(line) {
            out.push_str(&deep);
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

fn parse_strictly(text: &str) -> (Vec<Rc<Node>>, Option<Broken>) {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    loop {
        match parser.next_event() {
            Some(Ok((Event::StreamEnd, _))) | None => return (builder.documents, None),
            Some(Ok((event, marks))) => {
                if let Err(broken) = builder.take(event, marks) {
                    return (builder.documents, Some(broken));
                }
            }
            Some(Err(error)) => {
                let broken = Broken { line: error.marker().line().max(1) as u32, reason: error.info().to_owned() };
                return (builder.documents, Some(broken));
            }
        }
    }
}

/// A tab is no part of a JSON string, so that a tab can be read as a space.
pub fn parse_json(text: &str) -> (Vec<Rc<Node>>, Option<Broken>) {
    parse(&text.replace('\t', " "))
}

enum Open {
    List(Vec<Rc<Node>>),
    Map(Vec<Entry>, Option<(String, Span)>),
}

#[derive(Default)]
struct Builder {
    documents: Vec<Rc<Node>>,
    open: Vec<(Open, Span, usize)>,
    anchors: HashMap<usize, Rc<Node>>,
    nodes: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, marks: Marks) -> Result<(), Broken> {
        let span = span_of(marks);
        match event {
            Event::DocumentStart(_) => {
                self.anchors.clear();
                self.nodes = 0;
            }
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.unwrap_or_else(|| Node::scalar(String::new(), span));
                if node.height + self.open.len() > MAX_DEPTH {
                    return Err(too_deep(span));
                }
                let cost = node.weight;
                self.add(node, span, cost)?;
            }
            Event::Scalar(text, _, anchor, _) => {
                let node = Node::scalar(text.into_owned(), span);
                self.close(node, anchor, span)?;
            }
            Event::SequenceStart(anchor, _) => self.enter(Open::List(Vec::new()), span, anchor)?,
            Event::MappingStart(anchor, _) => {
                self.enter(Open::Map(Vec::new(), None), span, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((open, start, anchor)) = self.open.pop() {
                    let whole = start.to(span);
                    let node = match open {
                        Open::List(items) => Node::list(items, whole),
                        Open::Map(entries, _) => Node::map(entries, whole),
                    };
                    self.close(node, anchor, span)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn enter(&mut self, open: Open, span: Span, anchor: usize) -> Result<(), Broken> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.open.push((open, span, anchor));
        Ok(())
    }

    fn close(&mut self, node: Rc<Node>, anchor: usize, span: Span) -> Result<(), Broken> {
        if anchor != 0 {
            self.anchors.insert(anchor, Rc::clone(&node));
        }
        self.add(node, span, 1)
    }

    /// The cost is what the node adds to the document with aliases written out.
    fn add(&mut self, node: Rc<Node>, span: Span, cost: usize) -> Result<(), Broken> {
        self.nodes = self.nodes.saturating_add(cost);
        if self.nodes > MAX_NODES {
            return Err(Broken { line: span.line, reason: format!("aliases and values come to more than {MAX_NODES} nodes") });
        }
        match self.open.last_mut() {
            None => self.documents.push(node),
            Some((Open::List(items), ..)) => items.push(node),
            Some((Open::Map(entries, key), ..)) => match key.take() {
                None => *key = Some((node.text().unwrap_or_default().to_owned(), span)),
                Some((key, key_span)) => entries.push(Entry { key, key_span, value: node }),
            },
        }
        Ok(())
    }
}

fn too_deep(span: Span) -> Broken {
    Broken { line: span.line, reason: format!("nested deeper than {MAX_DEPTH} levels") }
}

fn span_of(marks: Marks) -> Span {
    Span {
        line: marks.start.line().max(1) as u32,
        column: marks.start.col() as u32 + 1,
        end_line: marks.end.line().max(1) as u32,
        end_column: marks.end.col() as u32 + 1,
    }
}
