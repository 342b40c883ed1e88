//! When claims end: where an expiry is set, what it is by constants, and what settings leave open.

use super::tokens::MAX_DEPTH;
use super::*;
use crate::facts::claims;
use crate::facts::time::{Base, Time};
use crate::facts::tokens::Expiry;
use crate::facts::value::Val;
use crate::resolve::Res;

/// What the claims say about their end.
pub(super) enum Found {
    At(Time),
    Absent,
    /// A caller knows.
    Open,
    Unknown,
}

/// What something is made with, the longest in each body that makes it.
#[derive(Default)]
pub(super) struct Longest(FxHashMap<DefId, Time>);

impl Longest {
    fn add(&mut self, by: DefId, time: Time) {
        let longest = match self.0.remove(&by) {
            Some(old) => old.longer(time),
            None => time,
        };
        self.0.insert(by, longest);
    }
}

impl<'a> Eval<'a> {
    /// The longest that the service makes it with, helpers of tests left out once it is known which those are.
    fn made_with(&self, all: Option<&Longest>) -> Option<Time> {
        let served = |def: &DefId| self.tokens.served.as_ref().is_none_or(|served| served.contains(def));
        let mut made: Vec<(&DefId, &Time)> = all?.0.iter().filter(|(def, _)| served(def)).collect();
        made.sort_by_key(|(def, _)| **def);
        made.into_iter().map(|(_, time)| time.clone()).reduce(Time::longer)
    }

    /// The definitions that run when the service starts, answers, or builds a value that it does not call by name:
    /// all that entry points, `main`, statics and methods of traits lead to. Linear in the calls.
    pub(super) fn served(&self) -> FxHashSet<DefId> {
        let entries = self.facts.entries.iter().filter_map(|e| self.facts.def_of(e));
        let starts = (0..self.p.defs.len() as u32).map(DefId).filter(|&def| match self.p.def(def).kind {
            DefKind::Static | DefKind::Const => true,
            DefKind::Fn => self.p.text(self.p.def(def).name) == "main",
            _ => false,
        });
        let methods = self.p.impls.iter().filter(|i| i.trait_.is_some()).flat_map(|i| i.fns.iter().map(|(_, def)| *def));
        let mut calls: FxHashMap<DefId, Vec<DefId>> = FxHashMap::default();
        for call in &self.facts.calls {
            calls.entry(self.facts.node(call.node).def).or_default().push(call.target);
        }
        let mut open: Vec<DefId> = entries.chain(starts).chain(methods).collect();
        let mut served = FxHashSet::default();
        while let Some(def) = open.pop() {
            if served.insert(def) {
                open.extend(calls.get(&def).into_iter().flatten());
            }
        }
        served
    }

    /// The field of a struct that ends a token, by its name or the name it is written with.
    fn expiry_field(&mut self, def: DefId) -> Option<Name> {
        if let Some(&known) = self.tokens.expiry_fields.get(&def) {
            return known;
        }
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        let found = self.p.fields_of(def).and_then(|(_, fields)| {
            let names = &self.cat.tokens.names.expiry;
            let exp = |f: &&hir::Field| claims::written_name(hir, f) == "exp" || hir.str(f.name) == "exp";
            let other = |f: &&hir::Field| names.iter().any(|n| n == hir.str(f.name));
            let field = fields.fields.iter().find(exp).or_else(|| fields.fields.iter().find(other))?;
            Some(self.p.name_in(file, field.name))
        });
        self.tokens.expiry_fields.insert(def, found);
        found
    }

    /// Notes where an expiry is set, and turns a literal there into a moment.
    pub(super) fn note_field(&mut self, ty: &Ty, name: Name, value: &mut Val, span: Span) {
        let expiry = match ty {
            Ty::Adt(def, _) => self.expiry_field(*def) == Some(name),
            _ => self.cat.tokens.names.expiry.iter().any(|n| n == self.p.text(name)),
        };
        if !expiry {
            return;
        }
        self.note_end(name, value);
        let Some(mut time) = self.time_of(value) else { return };
        if time.open.is_none() && time.base == Base::Number {
            time.base = Base::Epoch;
            time.amount = time.amount.saturating_mul(1000);
        }
        time.at = Some((self.body.file, span));
        if let Ty::Adt(def, _) = ty {
            self.tokens.expiries.entry(*def).or_default().add(self.body.def, time.clone());
        }
        value.extra().time = Some(time);
    }

    /// Remembers numbers and spans that a struct is made with.
    pub(super) fn note_defaults(&mut self, value: &Val) {
        let Ty::Adt(holder, _) = &value.ty else { return };
        for (name, field) in value.fields() {
            let number = field.time().is_some() || matches!(field.literal(), Some(Literal::Int(_)));
            if !number {
                continue;
            }
            let Some(time) = self.time_of(field).filter(|t| t.open.is_none() && !t.vague && matches!(t.base, Base::Number | Base::Span))
            else {
                continue;
            };
            self.tokens.defaults.entry((*holder, *name)).or_default().add(self.body.def, time);
        }
    }

    pub(super) fn expiry_of(&mut self, claims: &Val, life: Option<&Time>, depth: u32) -> Found {
        if let Some(life) = life.filter(|_| depth == 0) {
            let said = claims.fields().iter().any(|(n, v)| self.is_expiry_name(*n) || self.is_expiry_claim(v) || self.ends_never(*n));
            if !said {
                return match &life.open {
                    Some(open) if open.param.is_some() && self.tokens.served.is_none() => Found::Open,
                    _ => Found::At(life.clone()),
                };
            }
        }
        if claims.fields().iter().any(|(n, _)| self.ends_never(*n)) {
            return Found::Absent;
        }
        if self.is_biscuit(&claims.ty) && claims.fields().iter().any(|(n, v)| self.may_end(*n, v)) {
            return Found::Unknown;
        }
        let own = match &claims.ty {
            Ty::Adt(def, _) => self.expiry_field(*def),
            _ => None,
        };
        let named = claims
            .fields()
            .iter()
            .rev()
            .find(|(n, v)| own.map_or_else(|| self.is_expiry_name(*n) || self.is_expiry_claim(v), |own| *n == own))
            .map(|(_, v)| v.clone());
        if let Some(value) = named {
            return match self.time_of(&value) {
                Some(Time { open: Some(open), .. }) if open.param.is_some() && self.tokens.served.is_none() => Found::Open,
                Some(time) => Found::At(time),
                None if self.is_none(&value) => Found::Absent,
                None => Found::Unknown,
            };
        }
        if depth < MAX_DEPTH {
            for (_, field) in claims.fields().to_vec() {
                let holds = !field.fields().is_empty() || matches!(&field.ty, Ty::Adt(def, _) if self.expiry_field(*def).is_some());
                if !holds {
                    continue;
                }
                let found = self.expiry_of(&field, None, depth + 1);
                if !matches!(found, Found::Absent) {
                    return found;
                }
            }
        }
        let parameter = matches!(&claims.place, Some(Place { root: Root::Param(..), .. }));
        match &claims.ty {
            _ if parameter && claims.fields().is_empty() => Found::Open,
            Ty::Adt(def, _) => match self.deep_expiry(*def, 0) {
                Some(holder) => {
                    self.made_with(self.tokens.expiries.get(&holder)).filter(|t| t.open.is_none()).map_or(Found::Unknown, Found::At)
                }
                None => Found::Absent,
            },
            _ if claims.fields().is_empty() => Found::Unknown,
            _ => Found::Absent,
        }
    }

    /// The struct that has the expiry of claims of this type, itself or one inside.
    fn deep_expiry(&mut self, def: DefId, depth: u32) -> Option<DefId> {
        if self.expiry_field(def).is_some() {
            return Some(def);
        }
        if depth >= MAX_DEPTH {
            return None;
        }
        let file = self.p.def(def).file;
        let names: Vec<Name> = self.p.fields_of(def)?.1.fields.iter().map(|f| self.p.name_in(file, f.name)).collect();
        names.into_iter().find_map(|name| match self.p.field_type(def, &[], name) {
            Some(Ty::Adt(inner, _)) => self.deep_expiry(inner, depth + 1),
            _ => None,
        })
    }

    fn is_expiry_name(&self, name: Name) -> bool {
        let text = self.p.text(name);
        let bare = text.strip_prefix("set_").or_else(|| text.strip_prefix("with_")).unwrap_or(text);
        let names = &self.cat.tokens.names;
        names.expiry.iter().any(|n| n == bare) || names.lives.iter().any(|n| n == text)
    }

    fn is_expiry_claim(&self, value: &Val) -> bool {
        matches!(&value.ty, Ty::Ext(path, _) if self.p.text(*path).ends_with("::ExpirationClaim"))
    }

    fn ends_never(&self, name: Name) -> bool {
        matches!(self.p.text(name), "non_expiring" | "set_no_expiration_danger_acknowledged" | "without_expiration")
    }

    /// `None`: `Some(..)` knows the type of its content.
    pub(super) fn is_none(&self, value: &Val) -> bool {
        value.prov.is_constant() && super::patterns::is_option(&self.p.names, &value.ty) && value.ty.args().is_empty()
    }

    pub(super) fn settled(&mut self, time: Time) -> Expiry {
        let mut time = time;
        let mut setting = None;
        for _ in 0..4 {
            let Some(term) = time.open.clone() else { break };
            let Some((def, name)) = term.field else { break };
            setting = Some(self.p.text(name).to_string());
            let default = self.made_with(self.tokens.defaults.get(&(def, name))).or_else(|| self.attribute_default(def, name));
            let Some(default) = default else { break };
            time = Time { configured: true, ..time.filled(Some(default)) };
        }
        if time.vague || time.open.is_some() {
            return Expiry::Unknown(setting);
        }
        let seconds = i64::try_from(time.amount / 1000).unwrap_or(i64::MAX);
        match time.base {
            Base::Now | Base::Span => Expiry::After { seconds, configured: time.configured },
            Base::Epoch if time.amount >= crate::facts::time::NEVER => Expiry::Never,
            Base::Epoch => Expiry::At(seconds),
            Base::Number => Expiry::Unknown(setting),
        }
    }

    /// The default that an attribute gives to a setting: `serde(default = "f")`, `arg(default_value = "3600")`.
    fn attribute_default(&mut self, def: DefId, name: Name) -> Option<Time> {
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        let (_, fields) = self.p.fields_of(def)?;
        let field = fields.fields.iter().find(|f| self.p.name_in(file, f.name) == name)?;
        for attr in &field.attrs {
            let args = hir.str(attr.args);
            let Some(given) = ["default_value_t", "default_value", "default"].iter().find_map(|key| claims::attribute_value(args, key))
            else {
                continue;
            };
            if let Some(time) = literal_time(given.trim_matches('"')) {
                return Some(time);
            }
            let path: Vec<Name> = given.trim_matches('"').split("::").map(|s| self.p.names.intern(s.trim())).collect();
            if let Some(Res::Def(function)) = self.p.resolve(self.p.def(def).module, &path, false, crate::resolve::paths::Space::Value) {
                let value = match self.p.def(function).kind {
                    DefKind::Fn => self.summary(function).ret.clone(),
                    DefKind::Const | DefKind::Static => self.static_value(function),
                    _ => return None,
                };
                return self.time_of(&value).filter(|t| t.open.is_none());
            }
        }
        None
    }
}

/// `3600`, `15m`, `30 days`.
pub(super) fn literal_time(text: &str) -> Option<Time> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '_').unwrap_or(text.len());
    let number: i128 = text[..digits].replace('_', "").parse().ok()?;
    let unit = match text[digits..].trim() {
        "" | "i64" | "u64" | "i32" | "u32" | "usize" => return Some(Time::number(number)),
        "ms" => 1,
        "s" | "sec" | "secs" | "second" | "seconds" => 1000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000,
        "d" | "day" | "days" => 86_400_000,
        "w" | "week" | "weeks" => 604_800_000,
        _ => return None,
    };
    Some(Time::number(number).scaled(unit))
}
