//! Calls of functions outside the tree: what the catalog says of them, and what their names tell where it
//! says nothing.

use super::*;
use crate::catalog::FnEffect;
use crate::facts::time::{Base, Time};
use crate::facts::value::Val;

/// Names that make a client or container and ask nothing yet.
pub(super) const CONSTRUCTORS: &[&str] = &[
    "new",
    "open",
    "connect",
    "connect_lazy",
    "connect_with",
    "builder",
    "default",
    "from",
    "with_capacity",
    "build",
    "clone",
    "try_from",
    "init",
    "from_env",
    "load_from_env",
    "from_conf",
    "from_config",
    "from_str",
    "from_url",
    "connect_lazy_with",
    "try_new",
    "with_hasher",
    "with_options",
    "new_with_config",
    "from_parts",
    "get_connection_manager",
];

impl<'a> Eval<'a> {
    pub(super) fn call_external(&mut self, path: Name, args: &'a [ExprId], span: Span) -> Val {
        let text = self.p.text(path);
        let last = text.rsplit("::").next().unwrap_or(text);
        let owner = text.rsplit_once("::").map_or("", |(o, _)| o);
        if let Some(library) = self.cat.library(text) {
            let rule = library.rule.clone();
            self.effect(EffectKind::Library(rule), text, span, Prov::NONE, Prov::NONE, None, None);
        }
        // `SessionData::<T>::borrow_mut_from(state)`: the state of the request hands it out.
        if last.ends_with("_from") && !self.cat.handle(owner).is_empty() {
            let writes = last.contains("mut") || last.starts_with("take");
            self.effect(EffectKind::Handle { writes }, text, span, Prov::NONE, Prov::NONE, None, None);
        }
        if self.cat.is_claim(text) {
            self.effect(EffectKind::Claim, text, span, Prov::NONE, Prov::NONE, None, None);
        }
        let names = |list: &[String]| {
            list.iter().any(|name| text.strip_suffix(name.as_str()).is_some_and(|own| own.is_empty() || own.ends_with("::")))
        };
        let (local, open) = (names(&self.cat.state.local_listeners), names(&self.cat.state.listeners));
        if local || open {
            self.effect(EffectKind::Listen { local }, text, span, Prov::NONE, Prov::NONE, None, None);
        }
        if let Some(info) = self.cat.function(&self.p.names, path) {
            return self.known_function(path, info, args, span);
        }
        if self.cat.routers.filter_crates.iter().any(|c| crate::catalog::first(text) == c) && !text.contains("::serve") {
            return self.filter_function(path, args);
        }
        if self.cat.resolves_field(text) {
            return self.field_function(path, args);
        }
        if self.is_router_function(text) {
            return self.router_function(path, args, span);
        }
        if self.cat.instances.gives_name(text) {
            self.args(args);
            return Val::of(self.owner_type(text), Prov::CONFIG.or(Prov::INSTANCE));
        }
        let within = self.body.connection;
        self.body.connection |= self.cat.state.per_connection.iter().any(|f| f == last);
        let mut values = self.args(args);
        self.body.connection = within;
        let mut value = self.merge(&values);
        self.note_sent_on(text, &values, span);
        if let Some(time) = self.time_call(text, &values) {
            value.ty = self.owner_type(text);
            value.extra().time = Some(time);
            return value;
        }
        if self.is_state_function(text) {
            for given in &values {
                self.register(given, last, span);
            }
        }
        match text {
            "std::option::Option::Some"
            | "std::result::Result::Ok"
            | "std::task::Poll::Ready"
            | "std::boxed::Box::new"
            | "std::boxed::Box::pin"
            | "std::iter::once"
            | "std::pin::pin" => {
                return self.wrapped(text, values);
            }
            // Text that is wrapped on its way to a store is the same text.
            "sqlx::AssertSqlSafe" | "sea_orm::Statement::from_string" | "sea_orm::Statement::from_sql_and_values" => {
                let literal = values.iter().find_map(|v| v.str()).map(str::to_string);
                value.ty = self.owner_type(text);
                value.extra().literal = literal.map(Literal::Str);
                return value;
            }
            "std::result::Result::Err" => return Val { reads: Vec::new(), ..value.derived(Ty::Unknown) },
            "std::mem::drop" => {
                if let Some(given) = values.first() {
                    self.release(given);
                    self.detach(given);
                }
                return Val::unit();
            }
            "std::mem::take" | "std::mem::replace" | "std::mem::swap" => {
                if let Some(given) = values.first() {
                    let read = self.access(given, crate::catalog::Op::Drain, Prov::NONE, Prov::NONE, last, span);
                    let mut taken = given.derived(given.ty.clone());
                    if read.is_some() {
                        taken.prov = taken.prov.or(Prov::CELL);
                    }
                    taken.reads.extend(read);
                    return taken;
                }
            }
            _ => {}
        }
        if let Some(kind) = self.cat.store(text) {
            return self.client_function(path, kind, values, value, span);
        }
        let is_type = owner.rsplit("::").next().is_some_and(|o| o.starts_with(char::is_uppercase));
        // `Json(&*guard)`, `to_string(&*guard)`.
        if !is_type {
            self.handed_on(&mut values, span);
            value = self.merge(&values);
        }
        // `Arc::clone(&x)`, `Mutex::new(x)`, `Data::new(x)`, `State(x)`.
        let owner_name = self.p.names.intern(owner);
        if is_type && matches!(last, "clone" | "downgrade" | "as_ref" | "deref") && !values.is_empty() {
            return values[0].clone();
        }
        if self.cat.secrets.is_key(text) {
            self.makes_key_from(text, &values, span);
        } else if self.cat.secrets.is_hasher(text) {
            values.iter().for_each(|v| self.signs(v, None, span));
        } else if self.cat.secrets.is_comparison(text)
            && let [left, right, ..] = values.as_mut_slice()
        {
            self.compared(left, right, span);
            self.compared(right, left, span);
            value = self.merge(&values);
        }
        let secret = makes_key(text);
        if secret {
            value.prov = value.prov.or(Prov::RANDOM);
            self.effect(EffectKind::Secret, text, span, Prov::NONE, Prov::NONE, None, None);
        }
        let on = values.first();
        let inner: Vec<Ty> = on.map(|v| v.ty.clone()).into_iter().collect();
        value.ty = if is_type {
            self.made(owner_name, inner)
        } else if last.starts_with(char::is_uppercase) {
            self.p.external(path, inner)
        } else {
            Ty::ext(path)
        };
        if is_type && !CONSTRUCTORS.contains(&last) && on.is_none() && last != "generate" {
            value.prov = value.prov.or(Prov::CONST);
        }
        if values.is_empty() && !secret {
            value.prov = Prov::CONST;
        }
        if let [only] = values.as_slice()
            && let Some(extra) = &only.extra
        {
            let fields = extra.fields.clone();
            value.extra().fields = fields;
            value.extra().expires = extra.expires;
            value.extra().literal.clone_from(&extra.literal);
            value.extra().temporary = extra.temporary;
            value.extra().time.clone_from(&extra.time);
            value.extra().fallback = extra.fallback;
        }
        if values.iter().any(Val::expires) {
            value.extra().expires = true;
        }
        let parts = self.cat.parts(text);
        if !parts.is_empty() {
            let part = |ty: &String| value.derived(Ty::ext(self.p.names.intern(ty)));
            let elems: Vec<Val> = parts.iter().map(part).collect();
            value.ty = Ty::Tuple(elems.iter().map(|e| e.ty.clone()).collect());
            value.extra().elems = elems;
        }
        value
    }

    /// The type of a value made by an associated function of an external type.
    fn made(&self, owner: Name, inner: Vec<Ty>) -> Ty {
        let holds = self.cat.type_info(&self.p.names, owner).map(|i| self.cat.class_name(i));
        match holds {
            Some("pointer" | "lock" | "cell" | "once" | "option" | "context") => self.p.external(owner, inner),
            _ if self.p.text(owner) == "std::boxed::Box" => inner.into_iter().next().unwrap_or(Ty::Unknown),
            _ => Ty::ext(owner),
        }
    }

    /// `Some(x)`, `Ok(x)`, `Box::new(x)`: the content with its type wrapped.
    fn wrapped(&mut self, path: &str, values: Vec<Val>) -> Val {
        let Some(mut value) = values.into_iter().next() else { return Val::unit() };
        let wrapper = match path {
            "std::option::Option::Some" => "std::option::Option",
            "std::result::Result::Ok" => "std::result::Result",
            _ => return value,
        };
        value.ty = Ty::Ext(self.p.names.intern(wrapper), [value.ty.clone()].into());
        value
    }

    fn known_function(&mut self, path: Name, info: crate::catalog::FnInfo, args: &'a [ExprId], span: Span) -> Val {
        let text = self.p.text(path);
        match info.effect {
            FnEffect::Spawn | FnEffect::SpawnBlocking => {
                let blocking = info.effect == FnEffect::SpawnBlocking;
                let Some(work) = self.work_among(args).or(args.first().copied()) else { return Val::unknown() };
                for &arg in args.iter().filter(|&&a| a != work) {
                    self.expr(arg);
                }
                return self.spawn(work, text, span, blocking);
            }
            FnEffect::Schedule => return self.schedule(args, text, span),
            FnEffect::JoinedSpawn => {
                let values: Vec<Val> = args.iter().map(|&a| self.expr(a)).collect();
                return self.merge(&values);
            }
            _ => {}
        }
        let values = self.args(args);
        let mut value = self.merge(&values);
        let at = |index: Option<usize>| index.and_then(|i| values.get(i));
        match info.effect {
            FnEffect::FileWrite
            | FnEffect::FileCopy
            | FnEffect::FileRename
            | FnEffect::FileRemove
            | FnEffect::FileDir
            | FnEffect::FileRead => {
                let path_prov = at(info.path).or(values.first()).map_or(Prov::NONE, |v| v.prov);
                let temporary = values.iter().any(|v| v.extra.as_ref().is_some_and(|e| e.temporary));
                let literal = at(info.path).or(values.first()).and_then(|v| v.str()).map(str::to_string);
                let data = values.get(1).map_or(Prov::NONE, |v| v.prov);
                if !temporary {
                    self.effect(EffectKind::File(info.effect), text, span, path_prov, data, literal, None);
                    self.uses_of(&value, UseKind::Kept, span);
                }
                value.ty = Ty::ext(self.p.names.intern("std::fs::File"));
                if info.effect == FnEffect::FileRead {
                    value.prov = value.prov.or(Prov::UNKNOWN);
                }
                value.reads.clear();
            }
            FnEffect::Temp => {
                value.ty = self.owner_type(text);
                value.extra().temporary = true;
            }
            FnEffect::Random => {
                value.prov = Prov::RANDOM;
                self.filled(args);
                value.ty = self.owner_type(text);
                if makes_key(text) || text.ends_with("PrivateKey::new") {
                    self.effect(EffectKind::Secret, text, span, Prov::NONE, Prov::NONE, None, None);
                }
            }
            FnEffect::Clock => {
                value.prov = Prov::CLOCK;
                value.ty = self.owner_type(text);
                value.extra().time = Some(Time::new(Base::Now, 0));
            }
            FnEffect::Config => {
                let own = values.first().and_then(Val::str).is_some_and(|name| self.cat.instances.is_env(name));
                value.prov = if own { Prov::CONFIG.or(Prov::INSTANCE) } else { Prov::CONFIG };
            }
            FnEffect::Sleep => {
                self.effect(EffectKind::Sleep, text, span, Prov::NONE, Prov::NONE, None, None);
                // `timeout(limit, future)` gives what the future gives.
                match values.into_iter().nth(1).filter(|v| v.store().is_some()) {
                    Some(future) => value = future,
                    None => value.ty = Ty::ext(path),
                }
            }
            FnEffect::Log => {
                self.uses_of(&value, UseKind::Logged, span);
                value.ty = self.owner_type(text);
                value.reads.clear();
            }
            FnEffect::Channel => value = self.channel(path, span),
            _ => {}
        }
        value
    }

    pub(super) fn owner_type(&self, path: &str) -> Ty {
        match path.rsplit_once("::") {
            Some((owner, _)) if owner.rsplit("::").next().is_some_and(|o| o.starts_with(char::is_uppercase)) => {
                Ty::ext(self.p.names.intern(owner))
            }
            _ => Ty::Unknown,
        }
    }
}

/// Whether a function makes a key: `Key::generate`, `Rsa::generate`, `SigningKey::random`. A salt or a
/// nonce is kept beside what it was used for, and generators of other things are named alike.
fn makes_key(path: &str) -> bool {
    let mut parts = path.rsplit("::");
    let (last, owner) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let key = ["Key", "KeyPair", "Keypair", "Rsa", "Secret", "Keys"].iter().any(|w| owner.ends_with(w)) && owner != "CacheKey";
    key && (matches!(last, "generate" | "new_random" | "random" | "try_generate")
        || last.starts_with("generate_")
        || last == "new" && owner == "RsaPrivateKey")
}
