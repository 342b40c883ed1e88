//! Tokens that cannot be taken back: how long a revoked user stays in.

mod unchecked;

use super::evidence::{self, Told};
use crate::config::TokenLimits;
use crate::facts::cells::World;
use crate::facts::claims;
use crate::facts::issued::{Kind, Way, is_alone, local_list};
use crate::facts::model::NodeKind;
use crate::facts::tokens::{Expiry, Mint, Verify};
use crate::finding::*;
use crate::resolve::{DefId, Ty};

pub const ID: &str = "long-lived-token";

pub fn check(w: &World<'_>, kinds: &[Kind<'_>], limits: TokenLimits) -> Vec<Finding> {
    let mut found: Vec<Finding> = kinds.iter().filter_map(|kind| judge(w, kinds, kind, limits)).collect();
    found.extend(unchecked::of_others(w, kinds));
    found
}

/// Why the window stays open, the harm first, and how bad it is.
struct Case {
    harm: String,
    reason: String,
    severity: Severity,
    help: &'static str,
}

fn judge(w: &World<'_>, kinds: &[Kind<'_>], kind: &Kind<'_>, limits: TokenLimits) -> Option<Finding> {
    if kind.checks.is_empty() {
        return credential(w, kind);
    }
    let off = unchecked::judge(w, kind);
    let (verify, way) = kind.open().min_by_key(|(_, way)| (way.entry.is_none(), way.path.len()))?;
    let renewal = kind.open().find(|(_, way)| way.renews);
    let case = off.or_else(|| window(kind, limits)).or_else(|| renewal.map(|_| renewed()));
    let case = unchecked::with_audience(w, kind, case)?;
    let mint = place(w, kinds, kind);
    let node = w.facts.node(mint.node);
    let mut related = Vec::new();
    let mut message = case.harm;
    if let Some((_, cell)) = local_list(w, verify, way) {
        let cell = &w.cells[cell];
        message.push_str(&format!(", and the list of revoked ones in `{}` is known to this process alone", evidence::short(&cell.symbol)));
        related.push(("authoritative-memory".to_string(), cell.symbol.clone()));
    }
    let rights = rights(w, kind);
    if !rights.is_empty() {
        message.push_str(&format!("; {} keep what they had when it was signed", list(&rights)));
    }
    let told = Told {
        rule: ID,
        item: ChecklistItem::RevocationWindow,
        severity: case.severity,
        confidence: if way.entry.is_some() { Confidence::High } else { Confidence::Medium },
        reason: case.reason,
        message,
        witness: witness(w, kind, verify, way),
        home: "shared cache",
        help: case.help,
    };
    Some(Finding {
        ty: struct_of(kind).map(|def| w.p.path(def)),
        related,
        ..told.at(node.def, w.p.path(node.def), evidence::node_location(w, mint.node, mint.span), w)
    })
}

/// A token that a static is made with and others check: it is shown with every call for as long as the process lives.
fn credential(w: &World<'_>, kind: &Kind<'_>) -> Option<Finding> {
    let node = w.facts.node(kind.origin.node);
    if node.kind != NodeKind::Initialiser || kind.expiry != Expiry::Never {
        return None;
    }
    let location = evidence::node_location(w, kind.origin.node, kind.origin.span);
    let told = Told {
        rule: ID,
        item: ChecklistItem::RevocationWindow,
        severity: Severity::Note,
        confidence: Confidence::Medium,
        reason: "reporting because the one token of a process has no expiry, and who checks it is not in this tree".into(),
        message: "whoever gets hold of the token is believed for ever: it has no expiry, and only another key ends it".into(),
        witness: vec![vec![Step::new(Role::Signed, "it is signed here, once for the life of the process", location.clone())]],
        home: "secret store",
        help: "sign a token of minutes when one is needed, or before the last one ends",
    };
    Some(Finding { persona: Persona::Pedantic, ..told.at(node.def, w.p.path(node.def), location, w) })
}

/// The call that signs if it signs only this kind, otherwise the one that orders it.
pub fn place<'a>(w: &World<'_>, kinds: &[Kind<'_>], kind: &Kind<'a>) -> &'a Mint {
    if is_alone(w, kinds, kind) { kind.origin } else { kind.primary }
}

fn window(kind: &Kind<'_>, limits: TokenLimits) -> Option<Case> {
    const SHORTER: &str = "give access tokens minutes and renew them against a store, or compare a session row, token version or shared denylist after decoding";
    let nobody = "and after decoding no store is asked";
    match &kind.expiry {
        Expiry::Never => Some(Case {
            harm: "a revoked user stays in for ever: the token has no expiry, and nothing can take it back".into(),
            reason: format!("reporting because no expiry is among the claims, {nobody}"),
            severity: Severity::Error,
            help: SHORTER,
        }),
        Expiry::At(seconds) => Some(Case {
            harm: format!("a revoked user stays in until {}: the expiry is a fixed date in the source", date(*seconds)),
            reason: format!("reporting because the expiry does not move with the clock, {nobody}"),
            severity: Severity::Error,
            help: SHORTER,
        }),
        Expiry::After { seconds, configured } if *seconds > i64::from(limits.access_minutes) * 60 => {
            let by = if *configured { " by default" } else { "" };
            Some(Case {
                harm: format!("a revoked user stays in for {}{by}: only the token's expiry ends it", duration(*seconds)),
                reason: format!("reporting because it lives longer than {}, {nobody}", duration(i64::from(limits.access_minutes) * 60)),
                severity: Severity::Warning,
                help: SHORTER,
            })
        }
        _ => None,
    }
}

fn renewed() -> Case {
    Case {
        harm: "a stolen token renews itself for ever: it is exchanged for a fresh one without asking a store".into(),
        reason: "reporting because the handler that checks it signs the next one, and no store is asked between".into(),
        severity: Severity::Warning,
        help: "keep refresh tokens in a store, look each up before renewing, and replace it when it is used",
    }
}

fn struct_of(kind: &Kind<'_>) -> Option<DefId> {
    match &kind.primary.claims.ty {
        Ty::Adt(def, _) => Some(*def),
        _ => None,
    }
}

/// Claims that say what the bearer may do.
fn rights(w: &World<'_>, kind: &Kind<'_>) -> Vec<String> {
    if matches!(kind.expiry, Expiry::After { seconds, .. } if seconds <= 3600) {
        return Vec::new();
    }
    let mut names = claims::names(w.p, &kind.primary.claims);
    // `realm_access.roles` are roles, and what is inside `roles` is said with them.
    let is_right = |n: &str| w.cat.tokens.names.rights.iter().any(|r| r == n.rsplit('.').next().unwrap_or(n));
    names.retain(|n| is_right(n) && !n.rsplit_once('.').is_some_and(|(outer, _)| is_right(outer)));
    names
}

fn witness(w: &World<'_>, kind: &Kind<'_>, verify: &Verify, way: &Way) -> Vec<Vec<Step>> {
    let mut minted = Vec::new();
    let entry = kind.mints.iter().find_map(|m| evidence::entries(w, m.node).into_iter().next());
    let label = entry.as_ref().map(|(e, _)| evidence::entry_label(w, *e));
    if let Some((id, path)) = &entry {
        minted.extend(evidence::begin(w, *id, path));
    }
    if let Some(via) = kind.mints.iter().find(|m| m.via.is_some()) {
        let location = evidence::node_location(w, via.node, via.span);
        minted.push(Step::new(Role::Called, "the claims are handed to what signs them", location).on(label.clone()));
    }
    if let Some((file, span)) = kind.primary.claims.set {
        let message = format!("the expiry is set here: {}", described(&kind.expiry));
        minted.push(Step::new(Role::Configured, message, evidence::location(w, file, span)).on(label.clone()));
    }
    let by = label.as_ref().map_or(String::new(), |l| format!(" in {l}"));
    let location = evidence::node_location(w, kind.origin.node, kind.origin.span);
    minted.push(Step::new(Role::Signed, format!("the token is signed here{by}"), location).on(label));
    let mut checked = Vec::new();
    let label = way.entry.map(|e| evidence::entry_label(w, e));
    if let Some(id) = way.entry {
        checked.extend(evidence::begin(w, id, &way.path));
    }
    let location = evidence::node_location(w, verify.node, verify.span);
    checked.push(Step::new(Role::Verified, "it is checked here, and no store is asked", location).on(label));
    vec![minted, checked]
}

/// What the checklist says of a kind, found or not.
pub fn fact(w: &World<'_>, kinds: &[Kind<'_>], kind: &Kind<'_>) -> String {
    let mint = place(w, kinds, kind);
    let at = evidence::node_location(w, mint.node, mint.span);
    let asked = if kind.checks.is_empty() {
        "checked by somebody else"
    } else if kind.revocable() {
        "a store is asked after decoding"
    } else {
        "no store is asked after decoding"
    };
    let what = struct_of(kind).map_or("token".to_string(), |def| format!("token of `{}`", w.p.text(w.p.def(def).name)));
    format!("{what} {} ({}:{}), {asked}", described(&kind.expiry), at.path, at.line)
}

fn described(expiry: &Expiry) -> String {
    match expiry {
        Expiry::Never => "without an expiry".into(),
        Expiry::After { seconds, configured: true } => format!("{} by default", duration(*seconds)),
        Expiry::After { seconds, .. } => duration(*seconds),
        Expiry::At(seconds) => format!("until {}", date(*seconds)),
        Expiry::Unknown(Some(setting)) => format!("as long as the setting `{setting}` says"),
        Expiry::Unknown(None) => "of a life that is not known".into(),
    }
}

fn list(names: &[String]) -> String {
    names.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ")
}

/// In the largest unit that divides it, or the largest that it fills.
fn duration(seconds: i64) -> String {
    const UNITS: &[(i64, &str)] = &[(365 * 86_400, "year"), (86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
    let fits = UNITS.iter().find(|(unit, _)| seconds >= *unit && seconds % unit == 0);
    let (unit, name) = fits.or_else(|| UNITS.iter().find(|(unit, _)| seconds >= *unit)).copied().unwrap_or((1, "second"));
    let count = seconds / unit;
    format!("{count} {name}{}", if count == 1 { "" } else { "s" })
}

/// The day of a moment in seconds since 1970, in the proleptic Gregorian calendar.
fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(86_400) + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::{date, duration};

    #[test]
    fn numbers_are_shown_in_the_unit_a_reader_expects() {
        assert_eq!(duration(14 * 86_400), "14 days");
        assert_eq!(duration(3600), "1 hour");
        assert_eq!(duration(90 * 60), "90 minutes");
        assert_eq!(duration(10 * 365 * 86_400), "10 years");
    }

    #[test]
    fn a_fixed_moment_is_shown_as_its_day() {
        assert_eq!(date(2_000_000_000), "2033-05-18");
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(951_782_400), "2000-02-29");
    }
}
