//! Abstract values: what an expression is worth to the questions asked here.

use super::model::{AccessId, EffectId, EntryId, Literal, NodeId, Place, Prov};
use super::time::Time;
use crate::catalog::StoreKind;
use crate::names::Name;
use crate::resolve::{DefId, Ty};
use crate::syntax::hir::{ExprId, Span};

/// How a value says that what was asked for is absent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Form {
    /// It does not.
    #[default]
    Plain,
    /// `None`, or an `Err` made from it.
    Option,
    /// A Boolean that is true if it is present, or false if it is (`negated`).
    Bool { negated: bool },
}

#[derive(Clone, Debug)]
pub struct Val {
    pub ty: Ty,
    pub place: Option<Place>,
    pub prov: Prov,
    /// Accesses it derives from, at most [`Val::MAX_READS`].
    pub reads: Vec<AccessId>,
    pub form: Form,
    pub extra: Option<Box<Extra>>,
}

/// What only few values have.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    /// The lock access whose guard this value is.
    pub guard: Option<AccessId>,
    pub literal: Option<Literal>,
    /// Entry points that a router value serves.
    pub entries: Vec<EntryId>,
    /// A path that a router value will put before what is added to it.
    pub prefix: Option<String>,
    pub callable: Option<Callable>,
    /// The spawn whose handle this is.
    pub spawn: Option<EffectId>,
    /// Entries leave by age: a builder or container with a time to live.
    pub expires: bool,
    /// A request to a backing store that has not been carried out.
    pub store: Option<StoreCall>,
    pub elems: Vec<Val>,
    pub fields: Vec<(Name, Val)>,
    /// A temporary file or folder that goes away by itself.
    pub temporary: bool,
    /// Inside a lock or a cell: reads and writes of its fields count.
    pub inside: bool,
    /// A number, moment or span as far as constants decide it.
    pub time: Option<Time>,
    /// The field of a struct of the tree that it was read from.
    pub of: Option<(DefId, Name)>,
    /// The effect by which it is a part of a library that keeps state, or a secret: its body and place.
    pub kept: Option<(NodeId, Span)>,
    /// It counts only where a setting is absent.
    pub fallback: bool,
    /// The comparison that made this truth value.
    pub comparison: Option<u32>,
    /// The parameter that this text is.
    pub text_param: Option<u32>,
    /// The async block that this future is made of: in whose text, and which.
    pub work: Option<(DefId, ExprId)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Callable {
    Function(DefId),
    Closure(NodeId),
}

#[derive(Clone, Debug)]
pub struct StoreCall {
    pub kind: StoreKind,
    pub text: Option<String>,
    /// The parameter that the text is, where it is one.
    pub text_param: Option<u32>,
    /// Names called so far that say what it does.
    pub verbs: Vec<String>,
}

impl Val {
    pub const MAX_READS: usize = 6;
    /// Parts of one value, types and parts of parts included.
    const MAX_PARTS: usize = 4_000;

    /// Forgets the parts of a value that has more of them than any real one: `let x = (x, x);` doubles them each time.
    pub fn bound(&mut self) {
        if self.extra.is_some() || !self.ty.args().is_empty() {
            if self.spend(Val::MAX_PARTS).is_some() {
                return;
            }
            self.ty = std::mem::replace(&mut self.ty, Ty::Unknown).bounded();
            self.extra = None;
        }
    }

    fn spend(&self, parts: usize) -> Option<usize> {
        let left = self.ty.spend(parts)?;
        let Some(extra) = &self.extra else { return Some(left) };
        let left = left.checked_sub(extra.entries.len() + extra.store.as_ref().map_or(0, |s| s.verbs.len()))?;
        extra.elems.iter().chain(extra.fields.iter().map(|(_, v)| v)).try_fold(left, |left, part| part.spend(left))
    }

    pub fn unknown() -> Val {
        Val { ty: Ty::Unknown, place: None, prov: Prov::NONE, reads: Vec::new(), form: Form::Plain, extra: None }
    }
    pub fn of(ty: Ty, prov: Prov) -> Val {
        Val { ty, prov, ..Val::unknown() }
    }
    pub fn unit() -> Val {
        Val::of(Ty::Unit, Prov::NONE)
    }
    pub fn extra(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }
    pub fn literal(&self) -> Option<&Literal> {
        self.extra.as_ref()?.literal.as_ref()
    }
    pub fn str(&self) -> Option<&str> {
        match self.literal() {
            Some(Literal::Str(text)) => Some(text),
            _ => None,
        }
    }
    pub fn text_param(&self) -> Option<u32> {
        self.extra.as_ref()?.text_param
    }
    pub fn callable(&self) -> Option<Callable> {
        self.extra.as_ref()?.callable
    }
    pub fn store(&self) -> Option<&StoreCall> {
        self.extra.as_ref()?.store.as_ref()
    }
    pub fn kept(&self) -> Option<(NodeId, Span)> {
        self.extra.as_ref()?.kept
    }
    pub fn spawn(&self) -> Option<EffectId> {
        self.extra.as_ref()?.spawn
    }
    pub fn time(&self) -> Option<&Time> {
        self.extra.as_ref()?.time.as_ref()
    }
    pub fn fields(&self) -> &[(Name, Val)] {
        self.extra.as_ref().map_or(&[], |e| &e.fields)
    }
    pub fn named(&self, name: Name) -> Option<&Val> {
        self.fields().iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v)
    }
    pub fn guard(&self) -> Option<AccessId> {
        self.extra.as_ref()?.guard
    }
    pub fn inside(&self) -> bool {
        self.extra.as_ref().is_some_and(|e| e.inside)
    }
    pub fn expires(&self) -> bool {
        self.extra.as_ref().is_some_and(|e| e.expires)
    }
    pub fn entries(&self) -> &[EntryId] {
        self.extra.as_ref().map_or(&[], |e| &e.entries)
    }

    pub fn add_reads(&mut self, reads: &[AccessId]) {
        for &read in reads {
            if self.reads.len() < Val::MAX_READS && !self.reads.contains(&read) {
                self.reads.push(read);
            }
        }
    }

    /// A value computed from this one: it keeps what it derives from, not where it lies.
    #[must_use]
    pub fn derived(&self, ty: Ty) -> Val {
        Val { ty, place: None, prov: self.prov, reads: self.reads.clone(), form: self.form, extra: None }
    }

    /// Either of two values, as after a branch.
    #[must_use]
    pub fn join(mut self, other: Val) -> Val {
        if self.ty.is_unknown() || matches!(self.ty, Ty::Never) {
            self.ty = other.ty;
        }
        self.prov = self.prov.or(other.prov);
        self.add_reads(&other.reads);
        if self.form == Form::Plain {
            self.form = other.form;
        }
        if self.place.is_none() {
            self.place = other.place;
        }
        match (&mut self.extra, other.extra) {
            (Some(own), Some(more)) => {
                own.entries.extend(more.entries);
                own.expires |= more.expires;
                own.comparison = own.comparison.or(more.comparison);
                own.spawn = own.spawn.or(more.spawn);
                own.store = own.store.take().or(more.store);
                own.time = match (own.time.take(), more.time) {
                    (Some(own), Some(more)) => Some(own.longer(more)),
                    (own, more) => own.or(more),
                };
            }
            (own @ None, more) => *own = more,
            _ => {}
        }
        self
    }
}
