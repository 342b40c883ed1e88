//! Biscuits: tokens that end by a rule about the time.

use super::*;
use crate::facts::value::Val;
use crate::resolve::Res;
use crate::resolve::paths::Space;

/// What rules call the time, which the one who checks tells them.
const TIME: &str = "time(";

impl<'a> Eval<'a> {
    /// `biscuit!("user({id}); check if time($t), $t < {end};", id = 1, end = end)`: a builder, which ends
    /// by the moment that is put into the rule about the time.
    pub(super) fn biscuit(&self, path: &str, values: &[Val]) -> Option<Val> {
        let names: Vec<Name> = path.split("::").map(|s| self.p.names.intern(s)).collect();
        let Some(Res::Ext(full)) = self.p.resolve(self.body.scope.module, &names, false, Space::Any) else { return None };
        if !self.p.text(full).starts_with("biscuit_auth::") {
            return None;
        }
        let mut value = self.merge(values);
        value.ty = Ty::ext(self.p.names.intern("biscuit_auth::builder::BiscuitBuilder"));
        let text = values.first().and_then(Val::str).unwrap_or(TIME);
        if text.contains(TIME) {
            let inline = text.split('{').skip(1).filter_map(|rest| rest.split('}').next());
            let locals = inline.filter_map(|name| self.local(self.p.names.get(name.trim())?));
            let end = values.iter().chain(locals).find(|v| v.time().is_some()).cloned();
            value.extra().fields = vec![(self.p.names.intern("exp"), end.unwrap_or_else(Val::unknown))];
        } else {
            value.extra().fields = vec![(self.p.names.intern("rules"), Val::unit())];
        }
        Some(value)
    }

    pub(super) fn is_biscuit(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Ext(path, _) if self.p.text(*path).starts_with("biscuit_auth::"))
    }

    /// Whether a builder was given a rule that may speak of the time, in a text.
    pub(super) fn may_end(&self, name: Name, value: &Val) -> bool {
        matches!(self.p.text(name), "code" | "code_with_params" | "check" | "add_code" | "add_check" | "merge")
            && value.str().is_none_or(|text| text.contains(TIME))
    }
}
