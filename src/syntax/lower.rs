//! The syntax tree of syn, lowered to the HIR on the thread that parsed it.

mod attrs;
mod expand;
mod exprs;
mod fields;
mod item_macros;
mod items;
mod json;
mod macros;
mod members;
mod opaque;
mod patterns;
mod text;
mod types;

use std::fmt::Write;
use std::hash::Hasher;
use std::rc::Rc;

use proc_macro2::extra::DelimSpan;
use rustc_hash::{FxHashMap, FxHasher};

use super::hir::*;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pos {
    line: u32,
    column: u32,
}

fn start(span: proc_macro2::Span) -> Pos {
    let at = span.start();
    Pos { line: at.line as u32, column: at.column as u32 + 1 }
}

fn end(span: proc_macro2::Span) -> Pos {
    let at = span.end();
    Pos { line: at.line as u32, column: at.column as u32 + 1 }
}

fn close(span: &DelimSpan) -> Pos {
    end(span.close())
}

/// What a macro wrote may begin in its call and end in its rules.
fn range(from: Pos, to: Pos) -> Span {
    let to = to.max(from);
    Span { line: from.line, column: from.column, end_line: to.line, end_column: to.column }
}

fn whole(span: proc_macro2::Span) -> Span {
    range(start(span), end(span))
}

fn delim(span: &DelimSpan) -> Span {
    range(start(span.open()), close(span))
}

impl Span {
    fn from(self) -> Pos {
        Pos { line: self.line, column: self.column }
    }
    fn to(self) -> Pos {
        Pos { line: self.end_line, column: self.end_column }
    }
}

pub struct Lower {
    hir: File,
    /// Open addressing: an index into the symbols plus one, or 0 for a free slot.
    slots: Vec<u32>,
    buffer: String,
    /// How many macro bodies and groups inside opaque ones enclose the current place. Each body is
    /// parsed anew, so without a bound nested macros would cost quadratic time.
    macro_depth: u32,
    /// The macros by example met so far.
    macros: FxHashMap<String, Rc<Vec<expand::Rule>>>,
    /// Tokens that their expansions have written.
    expanded_tokens: usize,
    /// Tokens of macro calls compared with rules so far.
    tried_tokens: usize,
}

impl Lower {
    pub fn new(comments: Vec<Comment>, lines: u32) -> Self {
        let mut lower = Lower {
            hir: File { comments, lines, ..File::default() },
            slots: vec![0; 256],
            buffer: String::new(),
            macro_depth: 0,
            macros: FxHashMap::default(),
            expanded_tokens: 0,
            tried_tokens: 0,
        };
        lower.sym("");
        lower
    }

    pub fn file(&mut self, file: &syn::File) {
        self.hir.attrs = self.attrs(&file.attrs, true);
        if attrs::only_for_tests(&file.attrs) {
            return;
        }
        let mut root = Vec::new();
        self.items(&file.items, &mut root);
        self.hir.root = root;
    }

    /// Lowers what stands inside a macro.
    fn nested<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> T {
        self.macro_depth += 1;
        let lowered = lower(self);
        self.macro_depth -= 1;
        lowered
    }

    pub fn lost(&mut self, line: u32, message: String) {
        self.hir.problems.push(Problem { line, message, lost: true });
    }

    pub fn finish(self) -> File {
        let mut file = self.hir;
        file.problems.sort_by(|a, b| (a.line, &a.message).cmp(&(b.line, &b.message)));
        file
    }

    fn sym(&mut self, text: &str) -> Sym {
        intern(&mut self.hir.symbols, &mut self.slots, text)
    }

    /// The name without `r#`, and where it stands.
    fn name(&mut self, ident: &proc_macro2::Ident) -> (Sym, Span) {
        self.buffer.clear();
        let _ = write!(self.buffer, "{ident}");
        let from = start(ident.span());
        let to = Pos { line: from.line, column: from.column + self.buffer.chars().count() as u32 };
        let text = self.buffer.strip_prefix("r#").unwrap_or(&self.buffer);
        (intern(&mut self.hir.symbols, &mut self.slots, text), range(from, to))
    }

    fn name_sym(&mut self, ident: &proc_macro2::Ident) -> Sym {
        self.buffer.clear();
        let _ = write!(self.buffer, "{ident}");
        let text = self.buffer.strip_prefix("r#").unwrap_or(&self.buffer);
        intern(&mut self.hir.symbols, &mut self.slots, text)
    }

    fn index_sym(&mut self, index: usize) -> Sym {
        self.buffer.clear();
        let _ = write!(self.buffer, "{index}");
        intern(&mut self.hir.symbols, &mut self.slots, &self.buffer)
    }

    fn member(&mut self, member: &syn::Member) -> (Sym, Span) {
        match member {
            syn::Member::Named(ident) => self.name(ident),
            syn::Member::Unnamed(index) => (self.index_sym(index.index as usize), whole(index.span)),
        }
    }

    fn add_expr(&mut self, kind: ExprKind, span: Span) -> ExprId {
        self.hir.exprs.push(Expr { kind, span });
        ExprId(self.hir.exprs.len() as u32 - 1)
    }

    fn add_pat(&mut self, kind: PatKind, span: Span) -> PatId {
        self.hir.pats.push(Pat { kind, span });
        PatId(self.hir.pats.len() as u32 - 1)
    }

    fn add_type(&mut self, ty: Type) -> TypeId {
        self.hir.types.push(ty);
        TypeId(self.hir.types.len() as u32 - 1)
    }

    fn expr_span(&self, id: ExprId) -> Span {
        self.hir.exprs.get(id.0 as usize).map(|expr| expr.span).unwrap_or_default()
    }

    fn pat_span(&self, id: PatId) -> Span {
        self.hir.pats.get(id.0 as usize).map(|pat| pat.span).unwrap_or_default()
    }
}

fn intern(symbols: &mut Vec<Box<str>>, slots: &mut Vec<u32>, text: &str) -> Sym {
    if (symbols.len() + 1) * 2 > slots.len() {
        let mut larger = vec![0; slots.len() * 2];
        for (index, symbol) in symbols.iter().enumerate() {
            let (Ok(slot) | Err(slot)) = find(symbols, &larger, symbol);
            if let Some(place) = larger.get_mut(slot) {
                *place = index as u32 + 1;
            }
        }
        *slots = larger;
    }
    match find(symbols, slots, text) {
        Ok(slot) => Sym(slots.get(slot).map_or(0, |found| found - 1)),
        Err(slot) => {
            symbols.push(text.into());
            if let Some(place) = slots.get_mut(slot) {
                *place = symbols.len() as u32;
            }
            Sym(symbols.len() as u32 - 1)
        }
    }
}

/// The slot that holds the text, or the free one where it belongs. The number of slots is a power
/// of two, and at least half of them are free.
fn find(symbols: &[Box<str>], slots: &[u32], text: &str) -> Result<usize, usize> {
    let mut hasher = FxHasher::default();
    hasher.write(text.as_bytes());
    let mask = slots.len() - 1;
    let mut slot = hasher.finish() as usize & mask;
    loop {
        match slots.get(slot) {
            None | Some(0) => return Err(slot),
            Some(&found) if symbols.get(found as usize - 1).is_some_and(|symbol| **symbol == *text) => {
                return Ok(slot);
            }
            Some(_) => slot = (slot + 1) & mask,
        }
    }
}
