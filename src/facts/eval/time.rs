//! Folds durations, moments and the numbers that they are made of.

use super::*;
use crate::facts::time::{Base, NEVER, Term, Time};
use crate::facts::value::Val;
use crate::syntax::hir::BinOp;

/// Methods that give the same moment, span or number in another form.
const SAME: &[&str] = &[
    "unwrap",
    "expect",
    "unwrap_or_default",
    "clone",
    "into",
    "try_into",
    "to_owned",
    "cloned",
    "copied",
    "abs",
    "ok",
    "as_ref",
    "ok_or",
    "ok_or_else",
    "map_err",
    "context",
    "with_context",
    "duration_since",
    "naive_utc",
    "and_utc",
    "with_timezone",
    "to_utc",
    "to_rfc3339",
    "to_string",
    "format",
    "single",
    "earliest",
    "latest",
    "unsigned_abs",
    "into_inner",
    "to_std",
    "to_zoned",
    "deref",
    "parse",
];

impl<'a> Eval<'a> {
    /// What is known of a value as a number, span or moment; a place that may be one stays open.
    pub(super) fn time_of(&self, value: &Val) -> Option<Time> {
        if let Some(time) = value.time() {
            return Some(time.clone());
        }
        if let Some(Literal::Int(number)) = value.literal() {
            return Some(Time::number(*number));
        }
        self.term_of(value).map(Time::term)
    }

    fn term_of(&self, value: &Val) -> Option<Term> {
        if !matches!(&value.ty, Ty::Prim(_) | Ty::Unknown | Ty::Ext(..) | Ty::Param(_) | Ty::Traits(_)) {
            return None;
        }
        let of = value.extra.as_ref().and_then(|e| e.of);
        let Some(place) = &value.place else { return of.map(|f| Term { param: None, field: Some(f), factor: 1 }) };
        let last = place.path.iter().rev().find_map(|s| match s {
            Seg::Field(def, name) => Some((*def, *name)),
            Seg::Elem | Seg::Below => None,
        });
        let param = match &place.root {
            Root::Param(index, _) => Some((*index, place.path.clone())),
            _ => None,
        };
        let field = last.or(of);
        (param.is_some() || field.is_some()).then_some(Term { param, field, factor: 1 })
    }

    pub(super) fn fold_binary(&self, op: BinOp, left: &Val, right: &Val) -> Option<Time> {
        if !matches!(op, BinOp::Add | BinOp::Sub | BinOp::Mul | BinOp::Div)
            || (left.time().is_none() && right.time().is_none() && !self.is_scaled(left, right))
        {
            return None;
        }
        let (a, b) = match (self.time_of(left), self.time_of(right)) {
            (Some(a), Some(b)) => (a, b),
            (Some(one), None) | (None, Some(one)) => return Some(Time { vague: true, ..one }),
            (None, None) => return None,
        };
        Some(match op {
            BinOp::Add | BinOp::Sub => a.plus(b, op == BinOp::Sub),
            BinOp::Mul => a.times(b),
            _ => a.over(&b),
        })
    }

    /// `config.days * 86_400`: a setting and a literal.
    fn is_scaled(&self, left: &Val, right: &Val) -> bool {
        let literal = |v: &Val| matches!(v.literal(), Some(Literal::Int(_)));
        literal(left) != literal(right) && self.term_of(if literal(left) { right } else { left }).is_some()
    }

    /// A constructor of durations, or a clock, outside the tree.
    pub(super) fn time_call(&self, path: &str, values: &[Val]) -> Option<Time> {
        let time = &self.cat.tokens.time;
        let mut segments = path.rsplit("::");
        let (last, owner) = (segments.next()?, segments.next().unwrap_or(""));
        if self.cat.tokens.is_clock(path) {
            return Some(Time::new(Base::Now, 0));
        }
        if let Some(moment) = self.moment(last, values) {
            return Some(moment);
        }
        if last == "parse_duration" {
            return values.first().and_then(Val::str).and_then(super::expiry::literal_time);
        }
        if !time.types.iter().any(|t| t == owner) {
            return None;
        }
        let first = values.first().and_then(|v| self.time_of(v));
        // jiff's `Span::new()`, which methods add to.
        if last == "new" && values.is_empty() {
            return Some(Time::new(Base::Span, 0));
        }
        if let Some(&unit) = time.spans.get(last) {
            return first.map(|t| t.scaled(unit));
        }
        if last == "new" && values.len() <= 2 {
            return first.map(|t| t.scaled(time.made.get(owner).copied().unwrap_or(1000)));
        }
        matches!(last, "from" | "try_from" | "from_std").then_some(first).flatten()
    }

    /// A moment that is written down: `from_timestamp(1_900_000_000, 0)`, `with_ymd_and_hms(2040, 1, 1, 0, 0, 0)`.
    fn moment(&self, name: &str, values: &[Val]) -> Option<Time> {
        let number = |at: usize| match values.get(at)?.literal()? {
            Literal::Int(number) => i64::try_from(*number).ok(),
            _ => None,
        };
        let seconds = match name {
            "from_timestamp" | "from_unix_timestamp" | "timestamp_opt" | "from_second" => number(0)?,
            "with_ymd_and_hms" | "from_ymd_opt" => day(number(0)?, number(1)?, number(2)?)?,
            "parse_from_rfc3339" => {
                let mut parts = values.first()?.str()?.get(..10)?.splitn(3, '-').map(|p| p.parse::<i64>().ok());
                day(parts.next()??, parts.next()??, parts.next()??)?
            }
            _ => return None,
        };
        Some(Time::new(Base::Epoch, i128::from(seconds) * 1000))
    }

    /// `Duration::HOUR`, `DateTime::MAX_UTC`, `UNIX_EPOCH`, `i64::MAX`.
    pub(super) fn time_constant(&self, path: &str) -> Option<Time> {
        let mut segments = path.rsplit("::");
        let (last, owner) = (segments.next()?, segments.next().unwrap_or(""));
        match last {
            "MAX" | "MAX_UTC" => return Some(Time::new(Base::Epoch, NEVER)),
            "UNIX_EPOCH" => return Some(Time::new(Base::Epoch, 0)),
            _ => {}
        }
        let time = &self.cat.tokens.time;
        let unit = time.constants.get(last).filter(|_| time.types.iter().any(|t| t == owner))?;
        Some(Time::new(Base::Span, i128::from(*unit)))
    }

    /// A method of a moment, span or number; `None` if it is not about time.
    pub(super) fn time_method(&mut self, on: &Val, name: &str, args: &'a [ExprId]) -> Option<Val> {
        let names = &self.cat.tokens.time;
        if matches!(name, "timestamp_opt" | "with_ymd_and_hms") {
            let values = self.args(args);
            let time = self.moment(name, &values)?;
            let mut value = on.derived(on.ty.clone());
            value.extra().time = Some(time);
            return Some(value);
        }
        let known = on.time().cloned();
        let number = matches!(on.literal(), Some(Literal::Int(_)));
        let term = known.is_none() && !number;
        let span = names.spans.get(name).copied();
        let integer = names.integers.get(name).copied();
        let sum = names.sums.iter().any(|s| s == name);
        // `ttl.num_seconds()` of a setting or parameter; other methods of values that are not known to be times stay as they are.
        let open = if term && integer.is_some() && args.is_empty() { self.term_of(on).map(Time::term) } else { None };
        let is_time = known.as_ref().is_some_and(|t| t.base != Base::Number);
        let mut time = known.or_else(|| if number { self.time_of(on) } else { open })?;
        // `Span::new().hours(48)`.
        let grows = span.is_some() && args.len() == 1 && time.base == Base::Span && matches!(on.ty, Ty::Ext(..));
        let fits = grows
            || (span.is_some() && args.is_empty() && (number || time.base == Base::Number))
            || (integer.is_some() && !number)
            || (sum && is_time)
            || ((is_time || time.configured) && SAME.contains(&name));
        if !fits {
            return None;
        }
        let values = self.args(args);
        let given = self.merge(&values);
        let mut value = on.derived(on.ty.clone());
        value.prov = value.prov.or(given.prov);
        value.add_reads(&given.reads);
        if let (true, Some(unit)) = (grows, span) {
            time = match values.first().and_then(|v| self.time_of(v)) {
                Some(added) => time.plus(added.scaled(unit), false),
                None => Time { vague: true, ..time },
            };
        } else if sum {
            let added = values.first().and_then(|v| self.time_of(v));
            time = match added {
                Some(added) => time.plus(added, false),
                None => Time { vague: true, ..time },
            };
        } else if let Some(unit) = integer {
            time.unit = unit;
            value.ty = Ty::Prim(self.p.names.intern("i64"));
        } else if let Some(unit) = span {
            time = time.scaled(unit);
        }
        value.extra().time = Some(time);
        Some(value)
    }

    /// What counts where a setting is absent: the default of an environment variable or option.
    pub(super) fn defaulted(&self, value: &mut Val, on: &Val, given: Option<&Val>) {
        let Some(given) = given else { return };
        let number = given.str().and_then(super::expiry::literal_time);
        // What a caller gives as the default is open until then.
        let known = |t: &Time| t.open.as_ref().is_none_or(|o| o.param.is_some() && on.prov.has(Prov::CONFIG));
        if let Some(time) = self.time_of(given).or(number).filter(known) {
            value.extra().time = Some(Time { configured: true, ..time });
        }
        if on.prov.has(Prov::CONFIG) && given.literal().is_some() {
            value.extra().fallback = true;
        }
    }

    /// Notes that a claim of a token is compared with the clock.
    pub(super) fn note_aged(&mut self, left: &Val, right: &Val) {
        self.note_timed(left, right);
        let pair = |a: &Val, b: &Val| a.prov.has(Prov::CLAIM) && b.prov.has(Prov::CLOCK);
        if pair(left, right) || pair(right, left) {
            self.facts.tokens.aged.push(self.body.node);
        }
    }

    /// `claims.exp.lt(&Utc::now())`, `claims.exp.is_before(now)`.
    pub(super) fn compare_times(&mut self, name: &str, on: &Val, given: &Val) {
        if matches!(
            name,
            "lt" | "le" | "gt" | "ge" | "cmp" | "partial_cmp" | "is_before" | "is_after" | "signed_duration_since" | "duration_since"
        ) {
            self.note_aged(on, given);
        }
    }

    /// Puts arguments in the place of parameters.
    pub(super) fn rebase_time(&self, time: Time, args: &[Val]) -> Time {
        let Some((index, path)) = time.open.as_ref().and_then(|t| t.param.clone()) else { return time };
        let factor = time.open.as_ref().map_or(1, |t| t.factor);
        let Some(arg) = args.get(index as usize) else { return time };
        let inner = self.walk(arg, &path);
        let known = match &inner {
            Some(value) => self.time_of(value),
            // The field of what the caller has: the field's own default may still tell.
            None => self.term_of(arg).map(|t| {
                Time::term(Term {
                    field: time.open.as_ref().and_then(|o| o.field),
                    param: t.param.map(|(i, p)| (i, [p, path.clone()].concat())),
                    ..t
                })
            }),
        };
        match known {
            Some(Time { base: Base::Number, amount: 0, open: Some(term), .. }) => {
                let field = term.field.or(time.open.as_ref().and_then(|o| o.field));
                Time { open: Some(Term { factor: term.factor.saturating_mul(factor), field, ..term }), ..time }
            }
            None if time.open.as_ref().is_some_and(|o| o.field.is_some()) => {
                let open = time.open.clone().map(|o| Term { param: None, ..o });
                Time { open, ..time }
            }
            known => time.filled(known),
        }
    }

    /// The value of a field of a field of a value, as far as it is known.
    pub(super) fn walk(&self, value: &Val, path: &[Seg]) -> Option<Val> {
        let mut value = value.clone();
        for seg in path {
            let Seg::Field(_, name) = seg else { return None };
            value = value.named(*name)?.clone();
        }
        Some(value)
    }
}

/// The seconds from 1970 to the start of a day of the proleptic Gregorian calendar.
fn day(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(1..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some((era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468) * 86_400)
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn a_day_is_counted_from_1970() {
        assert_eq!(day(1970, 1, 1), Some(0));
        assert_eq!(day(2000, 2, 29), Some(951_782_400));
        assert_eq!(day(2040, 1, 1), Some(2_208_988_800));
        assert_eq!(day(2040, 13, 1), None);
    }
}
