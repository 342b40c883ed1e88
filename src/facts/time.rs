//! Moments and spans that constants, the clock and settings decide, folded while bodies are walked.

use super::model::Seg;
use crate::names::Name;
use crate::resolve::{DefId, FileId};
use crate::syntax::hir::Span;

/// What an amount is counted from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Base {
    /// A bare number: its unit is not known yet.
    Number,
    Span,
    /// A moment, counted from when the code runs.
    Now,
    /// A moment, counted from 1970.
    Epoch,
}

/// What is not known inside a function: a parameter, or the field of a struct that holds settings.
#[derive(Clone, PartialEq, Debug)]
pub struct Term {
    pub param: Option<(u32, Vec<Seg>)>,
    pub field: Option<(DefId, Name)>,
    /// The milliseconds that one counts for, if it is a number.
    pub factor: i64,
}

#[derive(Clone, PartialEq, Debug)]
pub struct Time {
    pub base: Base,
    /// The number itself for a bare number, otherwise milliseconds.
    pub amount: i128,
    /// The milliseconds that one counts for where the time is an integer.
    pub unit: i64,
    /// What must be added to it once it is known.
    pub open: Option<Term>,
    /// Something unknown has been added or taken.
    pub vague: bool,
    /// A setting decides it; the amount is its default.
    pub configured: bool,
    /// Where it was given to the claims.
    pub at: Option<(FileId, Span)>,
}

/// The unit of integers that count nanoseconds.
pub const NANOSECONDS: i64 = 0;
/// As good as never, in milliseconds: ten thousand years.
pub const NEVER: i128 = 10_000 * 365 * 86_400_000;

impl Time {
    pub fn new(base: Base, amount: i128) -> Time {
        Time { base, amount, unit: 1000, open: None, vague: false, configured: false, at: None }
    }
    pub fn number(value: i128) -> Time {
        Time::new(Base::Number, value)
    }
    pub fn term(term: Term) -> Time {
        Time { open: Some(term), ..Time::new(Base::Number, 0) }
    }
    fn is_moment(&self) -> bool {
        matches!(self.base, Base::Now | Base::Epoch)
    }

    /// Bare numbers become spans of this many milliseconds each.
    #[must_use]
    pub fn scaled(mut self, milliseconds: i64) -> Time {
        if self.base == Base::Number {
            self.base = Base::Span;
            self.amount =
                if milliseconds == NANOSECONDS { self.amount / 1_000_000 } else { self.amount.saturating_mul(i128::from(milliseconds)) };
            self.vague |= milliseconds == NANOSECONDS && self.open.is_some();
            if let Some(open) = &mut self.open {
                open.factor = open.factor.saturating_mul(milliseconds);
            }
        }
        self
    }

    /// The sum; `minus` takes the second from the first.
    #[must_use]
    pub fn plus(mut self, mut other: Time, minus: bool) -> Time {
        if self.base == Base::Number && other.base != Base::Number {
            self = self.scaled(other.unit);
        } else if other.base == Base::Number && self.base != Base::Number {
            other = other.scaled(self.unit);
        }
        let sign = if minus { -1 } else { 1 };
        // A moment less a moment is a span that constants do not decide.
        let vague = self.vague || other.vague || (self.is_moment() && other.is_moment()) || (minus && other.open.is_some());
        let open = match (self.open.take(), other.open.take()) {
            (Some(_), Some(_)) => return Time { vague: true, ..self },
            (own, more) => own.or(more),
        };
        Time {
            base: if self.is_moment() || self.base == other.base { self.base } else { other.base },
            amount: self.amount.saturating_add(other.amount.saturating_mul(sign)),
            unit: if self.is_moment() || !other.is_moment() { self.unit } else { other.unit },
            open,
            vague,
            configured: self.configured || other.configured,
            at: self.at,
        }
    }

    #[must_use]
    pub fn times(self, other: Time) -> Time {
        let (mut one, number) = if other.base == Base::Number && other.open.is_none() { (self, other) } else { (other, self) };
        one.vague |= number.vague || number.base != Base::Number || number.open.is_some() || one.is_moment();
        one.configured |= number.configured;
        one.amount = one.amount.saturating_mul(number.amount);
        if let Some(open) = &mut one.open {
            open.factor = open.factor.saturating_mul(i64::try_from(number.amount).unwrap_or(i64::MAX));
        }
        one
    }

    #[must_use]
    pub fn over(mut self, other: &Time) -> Time {
        // `timestamp_nanos() / 1_000_000_000`: the same moment in another unit.
        if self.base != Base::Number && self.unit == NANOSECONDS && matches!(other.amount, 1_000_000 | 1_000_000_000) {
            return Time { unit: i64::try_from(other.amount / 1_000_000).unwrap_or(1), ..self };
        }
        if self.is_moment() && other.amount == 1000 {
            return Time { unit: self.unit.saturating_mul(1000), ..self };
        }
        self.vague |= other.base != Base::Number || other.amount == 0 || other.open.is_some() || self.open.is_some();
        self.amount = self.amount.checked_div(other.amount).unwrap_or(0);
        self
    }

    /// Either of two, as after a branch: the longer one, for the window that may be open.
    #[must_use]
    pub fn longer(self, other: Time) -> Time {
        let rank = |t: &Time| (!t.vague && t.open.is_none(), t.base == Base::Epoch, t.amount);
        if rank(&other) > rank(&self) { other } else { self }
    }

    /// Puts a value in the place of what was open.
    #[must_use]
    pub fn filled(mut self, value: Option<Time>) -> Time {
        let Some(term) = self.open.take() else { return self };
        let Some(value) = value else { return Time { vague: true, ..self } };
        if self.base == Base::Number && self.amount == 0 && term.factor == 1 {
            // It was the term itself, under another name.
            return Time { at: self.at.or(value.at), configured: self.configured || value.configured, ..value };
        }
        let mut value = if self.base == Base::Number && term.factor == 1 {
            value
        } else if self.base == Base::Number {
            value.times(Time::number(i128::from(term.factor)))
        } else {
            value.scaled(term.factor)
        };
        value.at = None;
        let at = self.at;
        Time { at, ..self.plus(value, false) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i128 = 86_400_000;

    #[test]
    fn a_number_takes_the_unit_of_what_it_is_added_to() {
        let seconds = Time::new(Base::Now, 0).plus(Time::number(60 * 60 * 24), false);
        assert_eq!((seconds.base, seconds.amount), (Base::Now, DAY));
        let stamp = Time { unit: 1, ..Time::new(Base::Now, 0) };
        assert_eq!(stamp.plus(Time::number(1000), false).amount, 1000);
        assert_eq!(Time::number(14).scaled(DAY as i64).plus(Time::new(Base::Now, 0), false).amount, 14 * DAY);
    }

    #[test]
    fn what_is_open_is_filled_with_its_factor() {
        let term = || Term { param: Some((1, Vec::new())), field: None, factor: 1 };
        let minutes = Time::new(Base::Now, 0).plus(Time::term(term()).scaled(60_000), false);
        assert_eq!(minutes.clone().filled(Some(Time::number(15))).amount, 900_000);
        assert!(minutes.clone().filled(None).vague);
        let span = Time::new(Base::Now, 0).plus(Time::term(term()), false).filled(Some(Time::new(Base::Span, DAY)));
        assert_eq!((span.amount, span.vague), (DAY, false));
        let moment = Time::term(term()).plus(Time::number(86_400), false).filled(Some(Time::new(Base::Now, 0)));
        assert_eq!((moment.base, moment.amount, moment.vague), (Base::Now, DAY, false));
    }

    #[test]
    fn nanoseconds_are_brought_to_seconds() {
        let nanos = Time { unit: NANOSECONDS, ..Time::new(Base::Now, 0) };
        let seconds = nanos.over(&Time::number(1_000_000_000)).plus(Time::number(60), false);
        assert_eq!((seconds.amount, seconds.vague), (60_000, false));
    }

    #[test]
    fn the_longer_of_two_is_what_counts() {
        let (week, never) = (Time::new(Base::Now, 7 * DAY), Time::new(Base::Epoch, NEVER));
        assert_eq!(week.clone().longer(never.clone()), never);
        assert_eq!(never.clone().longer(week), never);
    }
}
