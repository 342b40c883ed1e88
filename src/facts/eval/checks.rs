//! Checks of tokens: what their options leave out, and which key they are given.

use super::*;
use crate::catalog::Op;
use crate::catalog::tokens::KeyMade;
use crate::facts::time::Time;
use crate::facts::tokens::{Home, Key, MadeKey, Off, Verify};
use crate::facts::value::Val;

impl<'a> Eval<'a> {
    /// A check in the code that is walked, of which nothing else is known.
    pub(super) fn verify(&self, order: u32, span: Span, format: Name) -> Verify {
        Verify {
            node: self.body.node,
            span,
            order,
            claims: None,
            expiry: true,
            off: Vec::new(),
            format,
            max_age: None,
            key: Key::default(),
            branch: self.body.branch,
        }
    }

    /// Keeps a check; where its options are kept, and what its age is counted with, is asked in the end.
    pub(super) fn check(&mut self, verify: Verify, options: Option<Home>, max_age: Option<Time>) {
        if options.is_some() || max_age.is_some() {
            self.tokens.checks.push((self.facts.tokens.verifies.len(), options, max_age));
        }
        self.facts.tokens.verifies.push(verify);
    }

    /// Options that a static or a field is made with.
    pub(super) fn note_options(&mut self, home: Home, value: &Val) {
        let of_library = |ty: &Ty| self.of_token_library(ty);
        // `LazyLock<Arc<Validation>>`.
        let mut held = value.ty.clone();
        for _ in 0..3 {
            if !of_library(&held) {
                held = held.arg(0);
            }
        }
        if of_library(&held) && !value.fields().is_empty() {
            let off = self.switched_off(value);
            self.tokens.options.entry(home).or_default().extend(off);
        }
    }

    /// Gives the checks what is known of them only when all bodies have been walked.
    pub(super) fn settle_checks(&mut self) {
        for (index, home, max_age) in std::mem::take(&mut self.tokens.checks) {
            let off = home.and_then(|home| self.tokens.options.get(&home)).cloned().unwrap_or_default();
            let max_age = max_age.map(|time| self.settled(time));
            let verify = &mut self.facts.tokens.verifies[index];
            verify.off.extend(off);
            verify.max_age = max_age;
        }
    }

    pub(super) fn key_made(&mut self, path: &str, made: KeyMade, args: &'a [ExprId], span: Span) -> Val {
        let values = self.args(args);
        self.makes_key_from(path, &values, span);
        let mut value = self.merge(&values);
        value.ty = match path.rsplit_once("::") {
            Some((owner, _)) => Ty::ext(self.p.names.intern(owner)),
            None => Ty::Unknown,
        };
        if let Some(secret) = values.get(made.secret) {
            value.extra().fields = vec![(self.p.names.intern("key"), secret.clone())];
            value.extra().literal = secret.literal().cloned();
            value.extra().fallback = secret.extra.as_ref().is_some_and(|e| e.fallback);
        }
        if let Some(id) = made.kid.and_then(|i| values.get(i)).filter(|id| !self.is_none(id)) {
            value.extra().fields.push((self.p.names.intern("kid"), id.clone()));
        }
        let key = self.key_of(&value);
        self.facts.tokens.keys.push(MadeKey { node: self.body.node, span, what: path.to_string(), cookie: made.cookie, key });
        value
    }

    /// `figment.merge(("secret_key", "..."))`: Rocket's key for private cookies.
    pub(super) fn note_settings_key(&mut self, pair: &[Val], span: Span) {
        let [name, secret] = pair else { return };
        let rocket = self.p.names.get("rocket");
        let externs = &self.p.krate(self.p.def(self.body.def).krate).externs;
        if name.str() == Some("secret_key") && rocket.is_some_and(|rocket| externs.contains_key(&rocket)) {
            let key = self.key_of(secret);
            self.facts.tokens.keys.push(MadeKey { node: self.body.node, span, what: "Figment::merge".into(), cookie: true, key });
        }
    }

    /// Where a value is kept: the field or static that it was read from.
    pub(super) fn home_of(&self, value: &Val) -> Option<Home> {
        let place = value.place.as_ref();
        let field = place.and_then(|p| {
            p.path.iter().rev().find_map(|s| match s {
                Seg::Field(def, name) => Some(Home::Field(*def, *name)),
                Seg::Elem | Seg::Below => None,
            })
        });
        let statik = place.and_then(|p| match p.root {
            Root::Static(def) => Some(Home::Static(def)),
            _ => None,
        });
        field.or(statik).or_else(|| value.extra.as_ref().and_then(|e| e.of).map(|(d, n)| Home::Field(d, n)))
    }

    pub(super) fn key_of(&self, value: &Val) -> Key {
        let inner = self.p.names.get("key").and_then(|n| value.named(n)).unwrap_or(value);
        let fallback = [value, inner].iter().any(|v| v.extra.as_ref().is_some_and(|e| e.fallback));
        let from_map = [value, inner].iter().any(|v| v.reads.iter().any(|&r| matches!(self.facts.access(r).op, Op::Get | Op::Contains)));
        let ids = &self.cat.tokens.names.key_ids;
        let kid = value.fields().iter().any(|(n, _)| ids.iter().any(|i| i == self.p.text(*n)));
        let set = matches!(&inner.ty, Ty::Ext(path, _) if self.cat.tokens.is_key_set(self.p.text(*path)));
        Key {
            prov: value.prov,
            literal: !fallback && (value.literal().is_some() || inner.literal().is_some()) && !value.prov.has(Prov::CONFIG),
            fallback,
            home: self.home_of(inner).or_else(|| self.home_of(value)),
            many: from_map || kid || set,
        }
    }

    pub(super) fn switched_off(&self, options: &Val) -> Vec<Off> {
        let is_false = |v: &Val| matches!(v.literal(), Some(Literal::Bool(false)));
        let mut off = Vec::new();
        for (name, value) in options.fields() {
            match self.p.text(*name) {
                "validate_exp" if is_false(value) => off.push(Off::Expiry),
                "validate_aud" if is_false(value) => off.push(Off::Audience),
                "insecure_disable_signature_validation" => off.push(Off::Signature),
                _ => {}
            }
        }
        off
    }
}
