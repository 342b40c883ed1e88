//! Routers: functions and methods that serve a handler, open a path, or put routers together.
//!
//! A router's value knows the entry points that it serves and the path that it will put before what is
//! added to it; an entry point gets its whole path piece by piece, innermost first.

use super::routes::HTTP;
use super::*;
use crate::facts::value::{Callable, Val};
use crate::resolve::Res;
use crate::syntax::hir::{ExprKind, PatKind};

/// Methods that only put routers together.
const JOINS: &[&str] = &[
    "nest",
    "nest_service",
    "merge",
    "mount",
    "service",
    "configure",
    "push",
    "unshift",
    "at",
    "path",
    "scope",
    "resource",
    "or",
    "and",
    "register",
    "append",
    "with_path",
    "routes",
    "add",
    "then",
    "prefix",
    "method",
    "add_route",
    "add_routes",
    "associate",
    "delegate",
];

/// Methods whose argument runs around handlers or is kept beside them, without a path of its own.
const AROUND: &[&str] =
    &["before", "after", "around", "wrap_fn", "hoop", "with", "layer", "wrap", "route_layer", "app_data", "with_state", "manage", "data"];

impl<'a> Eval<'a> {
    /// `Field::new("name", type, |ctx| ..)` of a schema that is put together at run time.
    pub(super) fn field_function(&mut self, path: Name, args: &'a [ExprId]) -> Val {
        let mut value = Val::of(self.owner_type(self.p.text(path)), Prov::CONST);
        let mut name = None;
        for &arg in args {
            let given = self.handler(arg, None, "resolver", false);
            name = name.or_else(|| given.str().map(str::to_string));
            for &entry in given.entries() {
                let path = &mut self.facts.entries[entry.index()].path;
                *path = path.take().or_else(|| name.clone());
                value.extra().entries.push(entry);
            }
        }
        value
    }

    pub(super) fn is_router_function(&self, path: &str) -> bool {
        let mut parts = path.split("::");
        let krate = parts.next().unwrap_or("");
        let last = path.rsplit("::").next().unwrap_or("");
        let named = |f: &String| f == last || f.contains("::") && path.ends_with(f.as_str());
        self.cat.routers.crates.iter().any(|c| c == krate) && self.cat.routers.functions.iter().any(named)
    }

    pub(super) fn is_state_function(&self, path: &str) -> bool {
        let generated = path.ends_with("Server::new") && path.contains("_server::");
        let named = |f: &String| path.strip_suffix(f.as_str()).is_some_and(|before| before.is_empty() || before.ends_with("::"));
        generated || self.cat.state.functions.iter().any(named)
    }

    /// `get(handler)`, `web::get()`, `from_fn(f)`, `web::resource("/x")`, `Route::new(Method::Get, "/x", f)`.
    pub(super) fn router_function(&mut self, path: Name, args: &'a [ExprId], span: Span) -> Val {
        let text = self.p.text(path);
        let last = text.rsplit("::").next().unwrap_or(text);
        let mut method = verb(last);
        let auxiliary = matches!(last, "from_fn" | "from_fn_with_state" | "map_request" | "map_response" | "from_extractor" | "with_hoop");
        let kind = if auxiliary { "middleware" } else { "handler" };
        let mut value = Val::of(Ty::ext(path), Prov::CONST);
        let mut opened = None;
        let mut added = Vec::new();
        for (index, &arg) in args.iter().enumerate() {
            let builder = self.cat.routers.builders.iter().any(|b| b == last);
            let given = match &self.hir().expr(arg).kind {
                ExprKind::Closure(closure) if builder => {
                    let krate = crate::catalog::first(text);
                    let router = Val::of(Ty::ext(self.p.names.intern(&format!("{krate}::RouterBuilder"))), Prov::CONST);
                    self.closure(closure, &[router], span)
                }
                _ => self.handler(arg, method.as_deref(), kind, auxiliary),
            };
            if last == "from_fn_with_state" && index == 0 {
                self.register(&given, last, span);
            }
            method = method.or_else(|| self.verb_of(&given));
            opened = opened.or_else(|| self.route_text(&given));
            added.extend_from_slice(given.entries());
        }
        if let (Some(text), false) = (&opened, added.is_empty()) {
            for &entry in &added {
                self.prefix(entry, text);
            }
            opened = None;
        }
        if args.is_empty()
            && let Some(method) = method
        {
            value.extra().literal = Some(Literal::Str(method));
        }
        value.extra().prefix = opened;
        value.extra().entries = added;
        value
    }

    /// A path as a router takes it: a string, not what a router or a method was made with.
    fn route_text(&self, given: &Val) -> Option<String> {
        let text = given.str().filter(|_| matches!(given.ty, Ty::Prim(_)) && given.entries().is_empty())?;
        (!HTTP.contains(&text.to_ascii_lowercase().as_str())).then(|| text.to_string())
    }

    /// `Method::GET`, `MethodFilter::POST`, `Method::Get`.
    fn verb_of(&self, given: &Val) -> Option<String> {
        let Ty::Ext(name, _) = &given.ty else { return None };
        let (owner, last) = self.p.text(*name).rsplit_once("::")?;
        owner.rsplit("::").next().filter(|o| matches!(*o, "Method" | "MethodFilter" | "HttpMethod"))?;
        verb(&last.to_ascii_lowercase())
    }

    /// Walks an argument that is served: closures and functions become entry points.
    pub(super) fn handler(&mut self, arg: ExprId, method: Option<&str>, kind: &str, auxiliary: bool) -> Val {
        if let ExprKind::Closure(closure) = &self.hir().expr(arg).kind {
            let hints: Vec<Val> = closure.params.iter().map(|p| self.request_param(p.ty)).collect();
            return self.closure_entry(closure, &hints, self.span(arg), method, kind, auxiliary);
        }
        let mut value = self.place_or_value(arg);
        if let Some(Callable::Function(def)) = value.callable() {
            if !self.entry_of.contains_key(&def) {
                self.declare(def, method.map(str::to_string), None, kind, auxiliary);
            } else if let (Some(method), Some(&id)) = (method, self.entry_of.get(&def)) {
                let entry = &mut self.facts.entries[id.index()];
                entry.method.get_or_insert_with(|| method.to_string());
                entry.auxiliary &= auxiliary;
            }
            if let Some(&id) = self.entry_of.get(&def) {
                self.route(id, &mut value);
            }
        }
        value
    }

    /// Notes that a router's value serves an entry point; one that is routed twice keeps its first path.
    pub(super) fn route(&mut self, id: EntryId, router: &mut Val) {
        if self.routed.insert(id) {
            router.extra().entries.push(id);
            self.routed_in.entry(self.body.def).or_default().push(id);
        }
    }

    /// A closure that runs for each request.
    pub(super) fn closure_entry(
        &mut self,
        closure: &'a hir::Closure,
        hints: &[Val],
        span: Span,
        method: Option<&str>,
        kind: &str,
        auxiliary: bool,
    ) -> Val {
        let id = EntryId(self.facts.entries.len() as u32);
        let file = self.body.file;
        let (method, kind) = (method.map(str::to_string), kind.to_string());
        self.facts.entries.push(Entry { method, path: None, kind, def: None, node: None, file, span, auxiliary });
        let node = self.add_node(NodeKind::Handler(id), Some(self.body.node), span);
        self.facts.entries[id.index()].node = Some(node);
        let handed = hints.iter().filter_map(|h| match &h.place {
            Some(Place { root: Root::Registered(ty), .. }) => Some((id, ty.clone())),
            _ => None,
        });
        self.facts.extracted.extend(handed);
        let returned = self.within_node(node, |eval| eval.closure(closure, hints, span));
        // `any().map(move || state.clone())`: the captured state is handed to the handlers behind it.
        if matches!(&returned.place, Some(Place { root: Root::Local(made, _), .. }) if *made != node) {
            self.register(&returned, "map", span);
        }
        for &access in &returned.reads {
            let order = self.next();
            self.facts.uses.push(Use { access, node, kind: UseKind::Response, span, order });
        }
        let mut value = Val::of(Ty::Unknown, Prov::CONST);
        value.extra().elems = vec![returned];
        self.route(id, &mut value);
        value
    }

    /// Method and path of an arm like `(&Method::GET, "/posts")`, by which a bare hyper service routes.
    pub(super) fn route_of(&self, pat: hir::PatId) -> Option<(String, String)> {
        let elems = match &self.hir().pat(pat).kind {
            PatKind::Tuple(elems) => elems,
            PatKind::Or(pats) => return pats.first().and_then(|&p| self.route_of(p)),
            _ => return None,
        };
        let (mut method, mut path) = (None, None);
        for &elem in elems {
            let kind = match &self.hir().pat(elem).kind {
                PatKind::Ref(inner) => &self.hir().pat(*inner).kind,
                kind => kind,
            };
            match kind {
                PatKind::Path(written) => {
                    let mut names = written.segments.iter().rev().map(|s| self.text(s.name));
                    let last = names.next().unwrap_or("");
                    method = method.or(verb(&last.to_ascii_lowercase()).filter(|_| names.next() == Some("Method")));
                }
                PatKind::Const(parts) => match parts.first().map(|&p| &self.hir().expr(p).kind) {
                    Some(ExprKind::Lit(hir::Lit::Str(text))) if self.text(*text).starts_with('/') => {
                        path = Some(self.text(*text).to_string())
                    }
                    _ => {}
                },
                _ => {}
            }
        }
        let krate = self.p.krate(self.p.def(self.body.def).krate);
        let serves = krate.externs.keys().any(|n| self.cat.routers.crates.iter().any(|c| c == self.p.text(*n)));
        method.zip(path).filter(|_| serves)
    }

    /// An arm that answers one route of a service.
    pub(super) fn arm_entry(&mut self, method: String, path: String, body: ExprId) -> Val {
        let id = EntryId(self.facts.entries.len() as u32);
        let (file, span) = (self.body.file, self.span(body));
        let entry =
            Entry { method: Some(method), path: Some(path), kind: "handler".into(), def: None, node: None, file, span, auxiliary: false };
        self.facts.entries.push(entry);
        let node = self.add_node(NodeKind::Handler(id), Some(self.body.node), span);
        self.facts.entries[id.index()].node = Some(node);
        let value = self.within_node(node, |eval| {
            let value = eval.expr(body);
            match eval.body.ret.take() {
                Some(early) => value.join(early),
                None => value,
            }
        });
        for access in value.reads.clone() {
            let order = self.next();
            self.facts.uses.push(Use { access, node, kind: UseKind::Response, span, order });
        }
        value
    }

    /// The crate whose meaning decides what a method of this value does.
    fn crate_of(&self, on: &Val) -> Option<&'a str> {
        let first = |name: Name| crate::catalog::first(self.p.text(name));
        match &on.ty {
            Ty::Ext(path, _) => Some(first(*path)),
            Ty::Traits(traits) => traits.iter().find_map(|t| match t {
                Res::Ext(path) => Some(first(*path)),
                _ => None,
            }),
            _ => Some(""),
        }
    }

    /// Methods of routers, filters and builders that serve a handler or keep state; `None` if it is not one.
    pub(super) fn registering(&mut self, on: &Val, name: &str, args: &'a [ExprId], span: Span) -> Option<Val> {
        let krate = self.crate_of(on)?;
        if self.cat.routers.filter_crates.iter().any(|c| c == krate) {
            return Some(self.filter_method(on, name, args, span));
        }
        let router = self.cat.routers.crates.iter().any(|c| c == krate) || !on.entries().is_empty();
        let serves = router && self.cat.routers.methods.iter().any(|m| m == name);
        let framework = router || self.cat.attributes.crates.iter().any(|c| c == krate) || self.cat.state.crates.iter().any(|c| c == krate);
        // `app.state(x)` keeps, `request.state()` hands out.
        let keeps = !args.is_empty()
            && self.cat.state.methods.iter().any(|m| m == name)
            && (framework || on.ty.is_unknown() && matches!(name, "with_state" | "manage" | "app_data"));
        let joins = router && JOINS.contains(&name);
        if let (Some(Callable::Function(_)), true) = (on.callable(), matches!(on.ty, Ty::Fn(_))) {
            // `handler.layer(..)`, `handler.with_state(..)`: still the handler.
            for &arg in args {
                let given = self.place_or_value(arg);
                if self.cat.state.methods.iter().any(|m| m == name) {
                    self.register(&given, name, span);
                }
            }
            return Some(on.clone());
        }
        if !serves && !keeps && !joins {
            return None;
        }
        let pending = on.str().filter(|m| HTTP.contains(&m.to_ascii_lowercase().as_str())).map(str::to_string);
        let mut method = verb(name).or(pending);
        let around = AROUND.contains(&name);
        let before = on.extra.as_ref().and_then(|e| e.prefix.clone());
        let mut text = None;
        let mut added = Vec::new();
        for &arg in args {
            let mark = self.routed_here();
            let given = match &self.hir().expr(arg).kind {
                // `scope("/x", |route| ..)`, `configure(|cfg| ..)`: the closure goes on where this router stands.
                ExprKind::Closure(closure) if !serves && !keeps => {
                    let mut inner = Val::of(on.ty.clone(), Prov::CONST);
                    inner.extra().prefix = join(before.as_deref(), text.as_deref());
                    self.closure(closure, &[inner], span)
                }
                _ if serves => self.handler(arg, method.as_deref(), if around { "middleware" } else { "handler" }, around),
                _ => self.place_or_value(arg),
            };
            method = method.or_else(|| self.verb_of(&given));
            text = text.or_else(|| self.route_text(&given));
            added.extend_from_slice(given.entries());
            match given.callable() {
                // `configure(routes)`: what the function adds to what it is given.
                Some(Callable::Function(def)) if name == "configure" => {
                    self.summary(def);
                    let inner = self.routed_in.get(&def).cloned().unwrap_or_default();
                    self.routed_in.entry(self.body.def).or_default().extend_from_slice(&inner);
                    added.extend(inner);
                }
                // `nest({ let mut inner = ..; inner.at("/x").get(f); inner })`
                _ if matches!(self.hir().expr(arg).kind, ExprKind::Block { .. }) => added.extend_from_slice(&self.routed_since(mark)),
                _ => {}
            }
            if keeps {
                let at = self.span(arg);
                self.register(&given, name, at);
            }
        }
        added.sort();
        added.dedup();
        // `register_method("name", f)` gives a name, all others a part of the path.
        let whole = if name.starts_with("register_") { None } else { join(before.as_deref(), text.as_deref()) };
        for &entry in added.iter().filter(|_| !around) {
            match &whole {
                Some(whole) => self.prefix(entry, whole),
                None => {
                    let path = &mut self.facts.entries[entry.index()].path;
                    *path = path.take().or_else(|| text.clone());
                }
            }
        }
        let mut value = on.derived(on.ty.clone());
        value.extra.clone_from(&on.extra);
        let extra = value.extra();
        extra.elems.clear();
        extra.entries.extend(&added);
        // A path, or a method and a path, for what comes next in the chain.
        let opens = added.is_empty() && !around;
        extra.prefix = if opens { join(before.as_deref(), text.as_deref()) } else { before };
        if opens
            && args.len() <= 1
            && let Some(method) = method
        {
            extra.literal = Some(Literal::Str(method));
        }
        Some(value)
    }

    fn routed_here(&self) -> usize {
        self.routed_in.get(&self.body.def).map_or(0, Vec::len)
    }

    fn routed_since(&self, mark: usize) -> Vec<EntryId> {
        self.routed_in.get(&self.body.def).map_or_else(Vec::new, |r| r[mark..].to_vec())
    }

    /// Puts a part of the path before what an entry point is routed by. What runs within requests of several
    /// routes goes by its name.
    pub(super) fn prefix(&mut self, entry: EntryId, prefix: &str) {
        let entry = &mut self.facts.entries[entry.index()];
        if !prefix.is_empty() && !entry.auxiliary {
            entry.path = join(Some(prefix), entry.path.as_deref());
        }
    }

    /// `routes![a, b]`: the functions named in it.
    pub(super) fn route_list(&mut self, values: Vec<Val>) -> Val {
        let mut value = Val::of(Ty::ext(self.p.names.intern("rocket::Route")), Prov::CONST);
        for given in values {
            if let Some(Callable::Function(def)) = given.callable() {
                self.declare(def, None, None, "handler", false);
                self.document(def);
                if let Some(&id) = self.entry_of.get(&def) {
                    self.route(id, &mut value);
                }
            }
        }
        value
    }

    /// Notes that a value was given to the service to keep.
    pub(super) fn register(&mut self, given: &Val, what: &str, span: Span) {
        if given.ty.is_unknown() && given.place.is_none() {
            return;
        }
        let registration =
            Registration { node: self.body.node, ty: given.ty.clone(), place: given.place.clone(), span, what: what.to_string() };
        self.facts.registrations.push(registration);
    }
}

/// The HTTP method that a function or method is named after: `get`, `post_with`, `typed_get`, `get_service`.
pub(super) fn verb(name: &str) -> Option<String> {
    let name = name.strip_prefix("typed_").unwrap_or(name);
    let name = name.strip_suffix("_service").or_else(|| name.strip_suffix("_with")).unwrap_or(name);
    HTTP.contains(&name).then(|| name.to_ascii_uppercase())
}

/// Two pieces of a path with one slash between them.
pub(super) fn join(front: Option<&str>, back: Option<&str>) -> Option<String> {
    if front.is_none() && back.is_none() {
        return None;
    }
    let (front, back) = (front.unwrap_or(""), back.unwrap_or(""));
    let (front, back) = (front.trim_end_matches('/'), back.trim_start_matches('/'));
    let front = if front.is_empty() || front.starts_with('/') { front.to_string() } else { format!("/{front}") };
    Some(if back.is_empty() { if front.is_empty() { "/".into() } else { front } } else { format!("{front}/{back}") })
}
