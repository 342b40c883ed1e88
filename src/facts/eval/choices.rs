//! Branches on a setting: which arm runs as the service is shipped.

use super::*;
use crate::facts::shipped::{self, Origin, Shipped};
use crate::resolve::Res;
use crate::resolve::paths::Space;
use crate::syntax::hir::{BinOp, ExprKind, Lit, PatKind, UnOp};

/// Endings of the names of types that hold settings, for those that derive nothing telling.
const SETTINGS: [&str; 6] = ["Config", "Configuration", "Settings", "Options", "Opts", "Args"];
const DERIVES: [&str; 5] = ["Deserialize", "Parser", "Args", "StructOpt", "Configurable"];
/// Settings inside settings that are followed.
const MAX_SETTINGS: usize = 4;
/// Methods that give the same setting again.
const SAME: [&str; 10] = ["clone", "as_ref", "as_deref", "as_str", "borrow", "deref", "get", "load", "read", "to_owned"];

/// What a condition on settings comes to.
enum Truth {
    Known(bool, Origin),
    /// A setting, whose default nothing says.
    Open,
}

impl<'a> Eval<'a> {
    /// Walks an arm; what is off stays off inside.
    pub(super) fn chosen<T>(&mut self, choice: Choice, walk: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.body.choice;
        self.body.choice = match (outer, choice) {
            (Choice::Off, _) => Choice::Off,
            (outer, Choice::Always) => outer,
            (_, inner) => inner,
        };
        let result = walk(self);
        self.body.choice = outer;
        result
    }

    /// The choices of the two arms of an `if`.
    pub(super) fn choices_of_if(&self, cond: ExprId) -> (Choice, Choice) {
        match self.truth(cond) {
            Some(Truth::Known(true, origin)) => (Choice::Shipped(origin), Choice::Off),
            Some(Truth::Known(false, origin)) => (Choice::Off, Choice::Shipped(origin)),
            Some(Truth::Open) => (Choice::Open, Choice::Open),
            None => (Choice::Always, Choice::Always),
        }
    }

    /// The choice of each arm of a `match`; empty where it is not on a setting.
    pub(super) fn choices_of_match(&self, on: ExprId, arms: &'a [hir::Arm]) -> Vec<Choice> {
        let Some(default) = self.default_of(on) else { return Vec::new() };
        let Some(default) = default else { return vec![Choice::Open; arms.len()] };
        let taken = arms.iter().position(|arm| arm.guard.is_none() && self.fits(arm.pat, &default.value));
        let choice = |index| if Some(index) == taken { Choice::Shipped(default.origin) } else { Choice::Off };
        if taken.is_none() { Vec::new() } else { (0..arms.len()).map(choice).collect() }
    }

    fn truth(&self, cond: ExprId) -> Option<Truth> {
        match &self.hir().expr(cond).kind {
            ExprKind::Unary { op: UnOp::Not, expr } => Some(match self.truth(*expr)? {
                Truth::Known(value, origin) => Truth::Known(!value, origin),
                Truth::Open => Truth::Open,
            }),
            ExprKind::Binary { op: BinOp::And, lhs, rhs } => match (self.truth(*lhs), self.truth(*rhs)) {
                (Some(Truth::Known(false, origin)), _) | (_, Some(Truth::Known(false, origin))) => Some(Truth::Known(false, origin)),
                (Some(Truth::Known(..)), Some(known @ Truth::Known(..))) => Some(known),
                _ => None,
            },
            ExprKind::Binary { op: op @ (BinOp::Eq | BinOp::Ne), lhs, rhs } => {
                let default = self.default_of(*lhs)?;
                let Some(default) = default else { return Some(Truth::Open) };
                let same = self.is_value(*rhs, &default.value)?;
                Some(Truth::Known(same == (*op == BinOp::Eq), default.origin))
            }
            ExprKind::Let { pat, expr } => {
                let default = self.default_of(*expr)?;
                Some(default.map_or(Truth::Open, |d| Truth::Known(self.fits(*pat, &d.value), d.origin)))
            }
            ExprKind::Method { recv, name, .. } if matches!(self.text(*name), "is_some" | "is_none") => {
                let default = self.default_of(*recv)?;
                let none = self.text(*name) == "is_none";
                Some(default.map_or(Truth::Open, |d| Truth::Known((d.value == Shipped::Absent) == none, d.origin)))
            }
            ExprKind::Field { .. } | ExprKind::Method { .. } => match self.default_of(cond)? {
                Some(shipped::Default { value: Shipped::Bool(value), origin }) => Some(Truth::Known(value, origin)),
                Some(_) => None,
                None => Some(Truth::Open),
            },
            _ => None,
        }
    }

    /// The default of a setting; `None` for what is no setting, `Some(None)` where nothing says it.
    fn default_of(&self, expr: ExprId) -> Option<Option<shipped::Default>> {
        let (holder, field) = self.setting(expr)?;
        Some(shipped::field(self.p, &self.facts.configuration, holder, field).or_else(|| self.nested_default(expr)))
    }

    /// The default of a setting among others that a larger default writes out: `settings.database.engine`.
    fn nested_default(&self, mut expr: ExprId) -> Option<shipped::Default> {
        let mut path = Vec::new();
        while path.len() < MAX_SETTINGS {
            expr = match &self.hir().expr(expr).kind {
                ExprKind::Field { base, name, .. } => {
                    path.insert(0, self.name(*name));
                    if let (2.., Some(Ty::Adt(outer, _))) = (path.len(), self.written_type(*base, 0))
                        && let Some(default) = shipped::nested(self.p, outer, &path)
                    {
                        return Some(default);
                    }
                    *base
                }
                ExprKind::Ref { expr, .. } | ExprKind::Unary { op: UnOp::Deref, expr } => *expr,
                ExprKind::Method { recv, name, args, .. } if args.is_empty() && SAME.contains(&self.text(*name)) => *recv,
                _ => return None,
            };
        }
        None
    }

    /// The field of a configuration type that an expression reads.
    fn setting(&self, expr: ExprId) -> Option<(DefId, Name)> {
        match &self.hir().expr(expr).kind {
            ExprKind::Field { base, name, .. } => {
                let Ty::Adt(holder, _) = self.written_type(*base, 0)? else { return None };
                self.is_settings(holder).then(|| (holder, self.name(*name)))
            }
            ExprKind::Ref { expr, .. } | ExprKind::Unary { op: UnOp::Deref, expr } => self.setting(*expr),
            ExprKind::Method { recv, name, args, .. } if args.is_empty() && SAME.contains(&self.text(*name)) => self.setting(*recv),
            _ => None,
        }
    }

    fn is_settings(&self, holder: DefId) -> bool {
        let hir = &self.p.file(self.p.def(holder).file).hir;
        let name = self.p.text(self.p.def(holder).name);
        let derives = self.p.item(holder).attrs.iter().filter(|a| hir.str(a.path) == "derive");
        SETTINGS.iter().any(|end| name.ends_with(end)) || derives.into_iter().any(|a| DERIVES.iter().any(|d| hir.str(a.args).contains(d)))
    }

    /// The type of a variable, a static or a chain of fields, without walking it.
    fn written_type(&self, expr: ExprId, depth: u32) -> Option<Ty> {
        if depth > 8 {
            return None;
        }
        let ty = match &self.hir().expr(expr).kind {
            ExprKind::Path(path) => {
                let names: Vec<Name> = path.segments.iter().map(|s| self.name(s.name)).collect();
                if let [only] = names.as_slice()
                    && let Some(value) = self.local(*only)
                {
                    return Some(self.peel(&value.ty));
                }
                let Res::Def(def) = self.p.resolve(self.body.scope.module, &names, path.global, Space::Value)? else { return None };
                match &self.p.item(def).kind {
                    hir::ItemKind::Static { ty: Some(ty), .. } => self.p.lower_type(self.p.def(def).file, *ty, &self.p.scope_of(def)),
                    _ => return None,
                }
            }
            ExprKind::Field { base, name, .. } => {
                let Ty::Adt(holder, args) = self.written_type(*base, depth + 1)? else { return None };
                self.p.field_type(holder, &args, self.name(*name))?
            }
            ExprKind::Ref { expr, .. } | ExprKind::Unary { op: UnOp::Deref, expr } => self.written_type(*expr, depth + 1)?,
            ExprKind::Method { recv, name, args, .. } if args.is_empty() && SAME.contains(&self.text(*name)) => {
                self.written_type(*recv, depth + 1)?
            }
            _ => return None,
        };
        Some(self.peel(&ty))
    }

    fn is_value(&self, expr: ExprId, value: &Shipped) -> Option<bool> {
        match (&self.hir().expr(expr).kind, value) {
            (ExprKind::Lit(Lit::Str(text)), Shipped::Text(default)) => Some(self.text(*text) == default),
            (ExprKind::Lit(Lit::Bool(flag)), Shipped::Bool(default)) => Some(flag == default),
            (ExprKind::Path(path), Shipped::Variant(variant)) => Some(self.is_variant(path, *variant)),
            (ExprKind::Ref { expr, .. }, _) => self.is_value(*expr, value),
            _ => None,
        }
    }

    fn is_variant(&self, path: &hir::Path, variant: DefId) -> bool {
        path.segments.last().is_some_and(|last| self.name(last.name) == self.p.def(variant).name)
    }

    fn fits(&self, pat: hir::PatId, value: &Shipped) -> bool {
        match (&self.hir().pat(pat).kind, value) {
            (PatKind::Wild, _) => true,
            (PatKind::Bind { name, sub: None, .. }, value) => match self.text(*name) {
                "None" => *value == Shipped::Absent,
                text => text.starts_with(char::is_lowercase),
            },
            (PatKind::Path(path) | PatKind::TupleStruct { path, .. } | PatKind::Struct { path, .. }, Shipped::Variant(variant)) => {
                self.is_variant(path, *variant)
            }
            (PatKind::Path(path), Shipped::Absent) => path.segments.last().is_some_and(|s| self.text(s.name) == "None"),
            (PatKind::TupleStruct { path, .. }, Shipped::Text(_)) => path.segments.last().is_some_and(|s| self.text(s.name) == "Some"),
            (PatKind::Const(exprs), value) => exprs.iter().any(|&e| self.is_value(e, value) == Some(true)),
            (PatKind::Or(pats), value) => pats.iter().any(|&p| self.fits(p, value)),
            (PatKind::Ref(inner), value) => self.fits(*inner, value),
            _ => false,
        }
    }

    /// One of several back ends, as a variant that is built: `Store::Sqlite(path)` beside `Store::Postgres(url)`.
    pub(super) fn back_end(&mut self, variant: DefId, span: Span) {
        let Some(owner) = self.p.def(variant).parent else { return };
        let name = |def: DefId| self.p.text(self.p.def(def).name).to_ascii_lowercase();
        if !self.cat.backends.is_embedded(&name(variant)) {
            return;
        }
        let others = self.p.variants.get(&owner).into_iter().flatten();
        if others.into_iter().any(|&other| self.cat.backends.is_shared(&name(other))) {
            let what = self.p.path(variant);
            self.effect(EffectKind::Library("embedded-database".into()), &what, span, Prov::CONFIG, Prov::NONE, None, None);
        }
    }
}
