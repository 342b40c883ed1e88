//! Entry points and state registration: attributes, impls of framework traits, routers.

use super::*;
use crate::config::{EntryPoint, EntryPointMarker};
use crate::facts::value::{Callable, Val};
use crate::resolve::Res;
use crate::syntax::hir::{Attr, ExprKind, ItemKind};

const HTTP: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options", "trace", "connect", "any"];

impl<'a> Eval<'a> {
    /// Entry points that their declaration names: attributes and impls of framework traits.
    pub(super) fn declared_entries(&mut self) {
        for number in 0..self.p.defs.len() as u32 {
            let def = DefId(number);
            match self.p.def(def).kind {
                DefKind::Fn => self.attribute_entry(def),
                DefKind::Impl => self.impl_entries(def),
                _ => {}
            }
        }
    }

    /// Entry points that only the configuration names; the positions of those that match nothing.
    pub(super) fn configured_entries(&mut self, configured: &[EntryPoint]) -> Vec<usize> {
        if configured.is_empty() {
            return Vec::new();
        }
        let mut matched = vec![false; configured.len()];
        for number in 0..self.p.defs.len() as u32 {
            let def = DefId(number);
            if self.p.def(def).kind != DefKind::Fn || self.p.function(def).is_none_or(|f| f.body.is_none()) {
                continue;
            }
            let path = self.p.path(def);
            let hir = &self.p.file(self.p.def(def).file).hir;
            let is_meant = |entry: &EntryPoint| match &entry.marker {
                EntryPointMarker::Path(wanted) => {
                    *wanted == path || wanted.strip_prefix("crate::").is_some_and(|w| path.split_once("::").is_some_and(|(_, p)| p == w))
                }
                EntryPointMarker::Attribute(wanted) => self.p.item(def).attrs.iter().any(|attr| {
                    let written = hir.str(attr.path);
                    written == wanted || written.rsplit("::").next() == Some(wanted)
                }),
            };
            let meant: Vec<usize> = configured.iter().enumerate().filter(|(_, entry)| is_meant(entry)).map(|(at, _)| at).collect();
            if let Some(first) = meant.first() {
                self.declare(def, None, configured[*first].name.clone(), "entry point", false);
            }
            meant.into_iter().for_each(|at| matched[at] = true);
        }
        (0..matched.len()).filter(|&at| !matched[at]).collect()
    }

    fn knows_framework(&self, def: DefId) -> bool {
        let krate = self.p.krate(self.p.def(def).krate);
        krate.externs.keys().any(|n| self.cat.attributes.crates.iter().any(|c| c == self.p.text(*n)))
    }

    fn attribute_entry(&mut self, def: DefId) {
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        for attr in &self.p.item(def).attrs {
            let path = hir.str(attr.path);
            let last = path.rsplit("::").next().unwrap_or(path);
            // `#[utoipa::path(post, path = "/login")]` documents a handler.
            if path == "utoipa::path" {
                let (method, route) = documented(hir.str(attr.args));
                return self.declare(def, method, route, "handler", false);
            }
            let http = self.cat.attributes.http.iter().any(|a| a == last);
            let plain = self.cat.attributes.plain.iter().any(|a| a == last);
            if !(http || plain) || !self.knows_framework(def) {
                continue;
            }
            let method = HTTP.contains(&last).then(|| last.to_ascii_uppercase());
            let kind = if matches!(last, "tool" | "prompt" | "catch") { last } else { "handler" };
            let route = attr.literal.map(|l| hir.str(l).to_string()).filter(|_| http);
            self.declare(def, method, route, kind, false);
            return;
        }
    }

    fn declare(&mut self, def: DefId, method: Option<String>, path: Option<String>, kind: &str, auxiliary: bool) {
        if self.entry_of.contains_key(&def) || self.p.function(def).is_none_or(|f| f.body.is_none()) {
            return;
        }
        let id = EntryId(self.facts.entries.len() as u32);
        let (file, span) = (self.p.def(def).file, self.p.item(def).name_span);
        self.facts.entries.push(Entry { method, path, kind: kind.into(), def: Some(def), node: None, file, span, auxiliary });
        self.entry_of.insert(def, id);
    }

    fn impl_entries(&mut self, def: DefId) {
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        let ItemKind::Impl { trait_path, .. } = &self.p.item(def).kind else { return };
        let number = self.p.impls.iter().position(|i| i.def == def);
        let Some(number) = number else { return };
        let fns = self.p.impls[number].fns.clone();
        let attrs: Vec<&Attr> = self.p.item(def).attrs.iter().collect();
        let marked = attrs.iter().any(|a| {
            let last = hir.str(a.path).rsplit("::").next().unwrap_or("");
            self.cat.attributes.impls.iter().any(|i| i == last)
        });
        if marked {
            let has_mark = |d: DefId| {
                self.p
                    .item(d)
                    .attrs
                    .iter()
                    .find(|a| self.cat.attributes.impl_methods.iter().any(|m| m == hir.str(a.path).rsplit("::").next().unwrap_or("")))
            };
            let any_marked = fns.iter().any(|(_, d)| has_mark(*d).is_some());
            let tools = attrs.iter().any(|a| matches!(hir.str(a.path).rsplit("::").next(), Some("Tools" | "Prompts" | "tool_router")));
            let kind = if tools { "tool" } else { "handler" };
            for (_, function) in &fns {
                let mark = has_mark(*function);
                if any_marked && mark.is_none() {
                    continue;
                }
                let (method, path) = mark.map_or((None, None), |a| oai(hir.str(a.args)));
                self.declare(*function, method, path, kind, false);
            }
            return;
        }
        let Some(trait_path) = trait_path else { return };
        let written: Vec<&str> = trait_path.segments.iter().map(|s| hir.str(s.name)).collect();
        let marks: Vec<&str> = attrs.iter().map(|a| hir.str(a.path)).collect();
        let generated = self.in_grpc_server(number) || self.generated_service(number, &marks);
        if generated || written.iter().rev().skip(1).any(|s| s.ends_with("_server")) {
            for (_, function) in fns {
                self.declare(function, None, None, "gRPC", false);
            }
            return;
        }
        let Some(Res::Ext(path)) = self.p.impls[number].trait_ else { return };
        let text = self.p.text(path);
        let key = crate::catalog::short(text);
        let loose = text.starts_with("?::");
        let entry = self.cat.traits.iter().find(|t| {
            t.paths.iter().any(|p| {
                *p == key
                    || crate::catalog::short(p) == key
                    || (loose && p.rsplit("::").next() == written.last().copied() && self.depends_on(def, p))
            })
        });
        let Some((methods, kind)) = entry.map(|e| (e.methods.clone(), e.kind.clone())) else { return };
        for (name, function) in fns {
            if methods.iter().any(|m| m == self.p.text(name)) {
                let auxiliary = !matches!(kind.as_str(), "actor message" | "handler" | "inbox activity");
                self.declare(function, None, None, &kind, auxiliary);
            }
        }
    }

    fn depends_on(&self, def: DefId, path: &str) -> bool {
        let krate = self.p.krate(self.p.def(def).krate);
        let wanted = path.split("::").next().unwrap_or("");
        krate.externs.keys().any(|n| self.p.text(*n) == wanted)
    }

    /// A trait that only generated code declares, implemented with the attribute that such code asks for.
    fn generated_service(&self, number: usize, attrs: &[&str]) -> bool {
        let unknown = match self.p.impls[number].trait_ {
            Some(Res::Ext(path)) => self.p.text(path).starts_with("?::"),
            Some(_) => false,
            None => true,
        };
        unknown && attrs.contains(&"tonic::async_trait")
    }

    /// Whether the trait of an impl was imported from a generated `.._server` module.
    fn in_grpc_server(&self, number: usize) -> bool {
        match self.p.impls[number].trait_ {
            Some(Res::Ext(path)) => self.p.text(path).split("::").any(|s| s.ends_with("_server")),
            _ => false,
        }
    }

    pub(super) fn is_router_function(&self, path: &str) -> bool {
        let mut parts = path.split("::");
        let krate = parts.next().unwrap_or("");
        let last = path.rsplit("::").next().unwrap_or("");
        self.cat.routers.crates.iter().any(|c| c == krate) && self.cat.routers.functions.iter().any(|f| f == last)
    }

    pub(super) fn is_state_function(&self, path: &str) -> bool {
        self.cat
            .state
            .functions
            .iter()
            .any(|f| path == f || path.ends_with(&format!("::{f}")) || (path.ends_with("Server::new") && path.contains("_server::")))
    }

    /// `get(handler)`, `web::get()`, `from_fn(f)`, `web::resource("/x")`.
    pub(super) fn router_function(&mut self, path: Name, args: &'a [ExprId], span: Span) -> Val {
        let text = self.p.text(path);
        let last = text.rsplit("::").next().unwrap_or(text);
        let method = last.strip_suffix("_with").unwrap_or(last);
        let method = HTTP.contains(&method).then(|| method.to_ascii_uppercase());
        let auxiliary = matches!(last, "from_fn" | "from_fn_with_state" | "map_request" | "map_response" | "from_extractor");
        let mut value = Val::of(Ty::ext(path), Prov::CONST);
        for (index, &arg) in args.iter().enumerate() {
            let given = self.handler(arg, method.as_deref(), if auxiliary { "middleware" } else { "handler" }, auxiliary);
            if last == "from_fn_with_state" && index == 0 {
                self.register(&given, last, span);
            }
            if let Some(prefix) = given.str() {
                value.extra().prefix = Some(prefix.to_string());
            }
            for &entry in given.entries() {
                value.extra().entries.push(entry);
            }
        }
        if args.is_empty()
            && let Some(method) = method
        {
            value.extra().literal = Some(Literal::Str(method));
        }
        value
    }

    /// Walks an argument that is served: closures and functions become entry points.
    fn handler(&mut self, arg: ExprId, method: Option<&str>, kind: &str, auxiliary: bool) -> Val {
        let span = self.span(arg);
        let closure = match &self.hir().expr(arg).kind {
            ExprKind::Closure(closure) => Some(closure),
            _ => None,
        };
        if let Some(closure) = closure {
            let id = EntryId(self.facts.entries.len() as u32);
            let file = self.body.file;
            self.facts.entries.push(Entry {
                method: method.map(str::to_string),
                path: None,
                kind: kind.into(),
                def: None,
                node: None,
                file,
                span,
                auxiliary,
            });
            let node = self.add_node(NodeKind::Handler(id), Some(self.body.node), span);
            self.facts.entries[id.index()].node = Some(node);
            let request = Val::of(Ty::Unknown, Prov::REQUEST);
            let hints = vec![request; closure.params.len()];
            let returned = self.within_node(node, |eval| eval.closure(closure, &hints, span));
            // `any().map(move || state.clone())`: the captured state is handed to the handlers behind it.
            if matches!(&returned.place, Some(Place { root: Root::Local(made, _), .. }) if *made != node) {
                self.register(&returned, "map", span);
            }
            for &access in &returned.reads {
                let order = self.next();
                self.facts.uses.push(Use { access, node, kind: UseKind::Response, span, order });
            }
            let mut value = Val::of(Ty::Unknown, Prov::CONST);
            value.extra().entries.push(id);
            return value;
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
                value.extra().entries.push(id);
            }
        }
        value
    }

    /// Methods of routers, filters and builders that serve a handler or keep state; `None` if it is not one.
    pub(super) fn registering(&mut self, on: &Val, name: &str, args: &'a [ExprId], span: Span) -> Option<Val> {
        let krate = match &on.ty {
            Ty::Ext(path, _) => self.p.text(*path).split("::").next().unwrap_or("").to_string(),
            Ty::Traits(traits) => traits.iter().find_map(|t| match t {
                Res::Ext(path) => self.p.text(*path).split("::").next().map(str::to_string),
                _ => None,
            })?,
            _ => String::new(),
        };
        let filter = self.cat.routers.filter_crates.contains(&krate);
        let router = self.cat.routers.crates.contains(&krate) || !on.entries().is_empty();
        let serves = router && self.cat.routers.methods.iter().any(|m| m == name)
            || filter && self.cat.routers.filter_methods.iter().any(|m| m == name);
        let framework = router || filter || self.cat.attributes.crates.contains(&krate) || krate == "tonic";
        let keeps = self.cat.state.methods.iter().any(|m| m == name)
            && (framework || on.ty.is_unknown() && matches!(name, "with_state" | "manage" | "app_data"));
        // Methods that only put routers together.
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
        ];
        let joins = (router || !on.entries().is_empty()) && JOINS.contains(&name);
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
        if !serves && !keeps && !joins && !filter {
            return None;
        }
        let verb = name.strip_suffix("_service").or_else(|| name.strip_suffix("_with")).unwrap_or(name);
        let method = HTTP.contains(&verb).then(|| verb.to_ascii_uppercase());
        let pending = on.str().filter(|m| HTTP.contains(&m.to_ascii_lowercase().as_str())).map(str::to_string);
        let method = method.or(pending);
        let routed = on.extra.as_ref().is_some_and(|e| e.prefix.is_some());
        let auxiliary =
            matches!(name, "before" | "after" | "around" | "wrap_fn" | "hoop" | "with" | "layer") || (filter && name == "map" && !routed);
        let mut value = on.derived(on.ty.clone());
        value.extra.clone_from(&on.extra);
        let mut prefix = on.extra.as_ref().and_then(|e| e.prefix.clone());
        let mut added = Vec::new();
        for &arg in args {
            let given = if serves {
                self.handler(arg, method.as_deref(), if auxiliary { "middleware" } else { "handler" }, auxiliary)
            } else {
                self.place_or_value(arg)
            };
            if let Some(text) = given.str().filter(|t| t.starts_with('/') || !HTTP.contains(&t.to_ascii_lowercase().as_str())) {
                prefix = Some(text.to_string());
            }
            if let Some(inner) = given.extra.as_ref().and_then(|e| e.prefix.clone())
                && filter
            {
                prefix = Some(format!("{}{inner}", prefix.unwrap_or_default()));
            }
            // A handler that is routed several times goes by its first route.
            let known = |id: &EntryId| name.contains("route") && prefix.is_some() && self.facts.entry(*id).path.is_some();
            added.extend(given.entries().iter().copied().filter(|id| !known(id)));
            if keeps {
                let at = self.span(arg);
                self.register(&given, name, at);
            }
        }
        if let Some(prefix) = &prefix {
            let joins = !matches!(name, "app_data" | "with_state" | "manage" | "data" | "layer" | "wrap");
            if joins {
                for &entry in &added {
                    self.prefix(entry, prefix);
                }
            }
        }
        if filter {
            value.extra().prefix = prefix;
            value.extra().literal = None;
        } else if added.is_empty() && matches!(name, "path") {
            value.extra().prefix = prefix;
        }
        value.extra().entries.extend(added);
        Some(value)
    }

    /// Puts a part of the path before what an entry point is routed by. What runs within requests of several
    /// routes goes by its name.
    fn prefix(&mut self, entry: EntryId, prefix: &str) {
        let entry = &mut self.facts.entries[entry.index()];
        if entry.auxiliary {
            return;
        }
        let path = &mut entry.path;
        let own = path.take().unwrap_or_default();
        let (front, own) = (prefix.trim_end_matches('/'), own.trim_start_matches('/'));
        let front = if front.is_empty() || front.starts_with('/') { front.to_string() } else { format!("/{front}") };
        *path = Some(if own.is_empty() { if front.is_empty() { "/".into() } else { front } } else { format!("{front}/{own}") });
    }

    /// `routes![a, b]`: the functions named in it.
    pub(super) fn route_list(&mut self, values: Vec<Val>) -> Val {
        let mut value = Val::of(Ty::ext(self.p.names.intern("rocket::Route")), Prov::CONST);
        for given in values {
            if let Some(Callable::Function(def)) = given.callable()
                && let Some(&id) = self.entry_of.get(&def)
            {
                value.extra().entries.push(id);
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

/// Method and path from `post, path = "/x", ..`.
fn documented(args: &str) -> (Option<String>, Option<String>) {
    let first = args.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| !word.is_empty()).unwrap_or("");
    let method = HTTP.contains(&first).then(|| first.to_ascii_uppercase());
    (method, oai(args).1)
}

/// Method and path from `path = "/x", method = "get"`.
fn oai(args: &str) -> (Option<String>, Option<String>) {
    let value = |key: &str| {
        let rest = &args[args.find(key)? + key.len()..];
        let rest = rest.trim_start().strip_prefix('=')?.trim_start().strip_prefix('"')?;
        rest.split('"').next().map(str::to_string)
    };
    (value("method").map(|m| m.to_ascii_uppercase()), value("path"))
}
