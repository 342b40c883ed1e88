//! Tokens made by hand: a message that says when it ends, and its tag. The function that signs knows the
//! end, the one that checks compares it with the clock, and both make the tag, themselves or through a helper.

use super::tokens::RawMint;
use super::*;
use crate::facts::time::{Base, Time};
use crate::facts::tokens::Verify;
use crate::facts::value::Val;

/// The form of such tokens.
pub const FORMAT: &str = "hand-made";

/// A tag that is made or checked.
pub(super) struct Tag {
    pub(super) node: NodeId,
    pub(super) span: Span,
    pub(super) order: u32,
    pub(super) key: Val,
    pub(super) checks: bool,
}

impl<'a> Eval<'a> {
    /// Notes a moment ahead that is given a name by which ends are known.
    pub(super) fn note_end(&mut self, name: Name, value: &Val) {
        let ahead = value.time().filter(|t| t.base == Base::Now && (t.amount > 0 || t.open.is_some()));
        if let Some(time) = ahead
            && (self.cat.tokens.names.expiry.iter().any(|n| n == self.p.text(name)) || self.p.text(name).starts_with("exp"))
        {
            self.tokens.ends.push((self.body.node, time.clone()));
        }
    }

    /// Notes that something which is not the clock's is compared with it.
    pub(super) fn note_timed(&mut self, left: &Val, right: &Val) {
        let (a, b) = (left.prov.has(Prov::CLOCK), right.prov.has(Prov::CLOCK));
        let other = if a { right } else { left };
        if a != b && !other.prov.is_constant() {
            self.tokens.timed.push(self.body.node);
        }
    }

    /// Makes tokens of tags, where one file has both ends.
    pub(super) fn join_tags(&mut self) {
        if self.tokens.tags.is_empty() || self.tokens.ends.is_empty() || self.tokens.timed.is_empty() {
            return;
        }
        let def = |facts: &Facts, node: NodeId| facts.node(node).def;
        let tags = std::mem::take(&mut self.tokens.tags);
        // The tag that a function makes, or that of a helper which it calls.
        let mut made: Vec<(DefId, NodeId, Span, u32, usize)> = Vec::new();
        for (index, tag) in tags.iter().enumerate() {
            let own = def(&self.facts, tag.node);
            made.push((own, tag.node, tag.span, tag.order, index));
            let callers = self.facts.calls.iter().filter(|c| c.target == own && c.kind == CallKind::Call);
            made.extend(callers.map(|c| (def(&self.facts, c.node), c.node, c.span, c.order, index)));
        }
        let format = self.p.names.intern(FORMAT);
        let exp = self.p.names.intern("exp");
        let mut mints: Vec<(FileId, RawMint)> = Vec::new();
        let mut checks: Vec<(FileId, Verify)> = Vec::new();
        let (mut seen, ends) = (FxHashSet::default(), std::mem::take(&mut self.tokens.ends));
        for (function, node, span, order, index) in made {
            let Some(tag) = tags.get(index).filter(|_| seen.insert(function)) else { continue };
            let file = self.facts.node(node).file;
            let end = ends.iter().filter(|(n, _)| def(&self.facts, *n) == function).map(|(_, t)| t.clone()).reduce(Time::longer);
            let timed = self.tokens.timed.iter().any(|&n| def(&self.facts, n) == function);
            if let Some(time) = end.filter(|_| !tag.checks) {
                let mut claims = Val::unknown();
                let mut value = Val::unknown();
                value.extra().time = Some(time);
                claims.extra().fields = vec![(exp, value)];
                let (key, header, life) = (tag.key.clone(), None, None);
                let mint = RawMint { node, span, order, via: None, lifted: false, claims, header, key, keyed: false, life, format };
                mints.push((file, mint));
            } else if timed {
                let key = self.key_of(&tag.key);
                checks.push((file, Verify { node, key, branch: None, ..self.verify(order, span, format) }));
            }
        }
        let both = |file: &FileId| mints.iter().any(|(f, _)| f == file) && checks.iter().any(|(f, _)| f == file);
        let files: FxHashSet<FileId> = mints.iter().map(|(f, _)| *f).filter(|f| both(f)).collect();
        self.tokens.mints.extend(mints.into_iter().filter(|(f, _)| files.contains(f)).map(|(_, m)| m));
        self.facts.tokens.verifies.extend(checks.into_iter().filter(|(f, _)| files.contains(f)).map(|(_, v)| v));
    }
}
