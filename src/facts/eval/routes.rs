//! Entry points that their declaration names: attributes, impls of framework and service traits.

use super::*;
use crate::config::{EntryPoint, EntryPointMarker};
use crate::resolve::Res;
use crate::syntax::hir::{Attr, ItemKind};

pub(super) const HTTP: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options", "trace", "connect", "any"];

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

    /// Whether an attribute is one of a framework that the crate knows through another one of the tree.
    fn is_of_framework(&self, def: DefId, attr: &str) -> bool {
        let names: Vec<Name> = attr.split("::").map(|segment| self.p.names.intern(segment)).collect();
        let found = self.p.resolve(self.p.def(def).module, &names, false, crate::resolve::paths::Space::Any);
        matches!(found, Some(Res::Ext(path)) if self.cat.attributes.crates.iter().any(|c| c == crate::catalog::first(self.p.text(path))))
    }

    fn attribute_entry(&mut self, def: DefId) {
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        for attr in &self.p.item(def).attrs {
            let path = hir.str(attr.path);
            let last = path.rsplit("::").next().unwrap_or(path);
            // `#[utoipa::path(post, path = "/login")]` documents a handler; a router may say otherwise.
            if path == "utoipa::path" {
                return self.declare(def, None, None, "handler", false);
            }
            let http = self.cat.attributes.http.iter().any(|a| a == last);
            let plain = self.cat.attributes.plain.iter().any(|a| a == last);
            if let Some(krate) = self.cat.consuming_attribute(last)
                && self.depends_on(def, krate)
            {
                self.declare(def, None, None, "job", false);
                return;
            }
            if !(http || plain) || !(self.knows_framework(def) || self.is_of_framework(def, path)) {
                continue;
            }
            let (named, written) = labelled(hir.str(attr.args));
            let method = HTTP.contains(&last).then(|| last.to_ascii_uppercase()).or(named);
            let kind = if matches!(last, "tool" | "prompt" | "catch") { last } else { "handler" };
            let route = attr.literal.map(|l| hir.str(l).to_string()).filter(|_| http).or(written);
            self.declare(def, method, route, kind, false);
            return;
        }
    }

    pub(super) fn declare(&mut self, def: DefId, method: Option<String>, path: Option<String>, kind: &str, auxiliary: bool) {
        if self.entry_of.contains_key(&def) || self.p.function(def).is_none_or(|f| f.body.is_none()) {
            return;
        }
        let id = EntryId(self.facts.entries.len() as u32);
        let (file, span) = (self.p.def(def).file, self.p.item(def).name_span);
        self.facts.entries.push(Entry { method, path, kind: kind.into(), def: Some(def), node: None, file, span, auxiliary });
        self.entry_of.insert(def, id);
    }

    /// Method and path as the handler's own documentation or parameters give them, where no router did.
    pub(super) fn document(&mut self, def: DefId) {
        let Some(&id) = self.entry_of.get(&def) else { return };
        if self.facts.entries[id.index()].path.is_none() {
            let (method, path) = self.documented(def);
            let entry = &mut self.facts.entries[id.index()];
            entry.path = path;
            entry.method = entry.method.take().or(method);
        }
    }

    /// Method and path from `#[utoipa::path(get, path = "/x")]`, and the path of a typed route's first parameter.
    fn documented(&self, def: DefId) -> (Option<String>, Option<String>) {
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        let documents = |a: &&Attr| matches!(hir.str(a.path), "utoipa::path" | "path");
        if let Some(attr) = self.p.item(def).attrs.iter().find(documents) {
            let args = hir.str(attr.args);
            let verb = args.split(|c: char| !c.is_ascii_alphabetic()).find(|w| !w.is_empty()).filter(|w| HTTP.contains(w));
            return (verb.map(str::to_ascii_uppercase), labelled(args).1);
        }
        let scope = self.p.scope_of(def);
        let types = self.p.function(def).into_iter().flat_map(|f| &f.params).filter_map(|p| p.ty);
        let typed = types.filter_map(|ty| match self.p.lower_type(file, ty, &scope) {
            Ty::Adt(owner, _) => {
                let names = &self.p.file(self.p.def(owner).file).hir;
                self.p
                    .item(owner)
                    .attrs
                    .iter()
                    .find(|a| names.str(a.path).ends_with("typed_path"))
                    .and_then(|a| a.literal.map(|l| names.str(l)))
            }
            _ => None,
        });
        (None, typed.map(str::to_string).next())
    }

    fn impl_entries(&mut self, def: DefId) {
        let file = self.p.def(def).file;
        let hir = &self.p.file(file).hir;
        let ItemKind::Impl { trait_path, .. } = &self.p.item(def).kind else { return };
        let Ok(number) = self.p.impls.binary_search_by_key(&def, |i| i.def) else { return };
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
            let named =
                |names: &[&str]| attrs.iter().any(|a| hir.str(a.path).rsplit("::").next().is_some_and(|last| names.contains(&last)));
            let kind = if named(&["Tools", "Prompts", "tool_router", "prompt_router"]) {
                "tool"
            } else if named(&["OpenApi", "handler", "endpoint", "craft"]) {
                "handler"
            } else {
                "resolver"
            };
            for (_, function) in &fns {
                let mark = has_mark(*function);
                if any_marked && mark.is_none() {
                    continue;
                }
                let (method, path) = mark.map_or((None, None), |a| labelled(hir.str(a.args)));
                self.declare(*function, method, path, kind, false);
            }
            return;
        }
        let Some(trait_path) = trait_path else { return };
        let written: Vec<&str> = trait_path.segments.iter().map(|s| hir.str(s.name)).collect();
        let marks: Vec<&str> = attrs.iter().map(|a| hir.str(a.path)).collect();
        let generated = self.in_grpc_server(number, &fns) || self.generated_service(number, &marks, &fns);
        if generated || written.iter().rev().skip(1).any(|s| s.ends_with("_server")) {
            for (_, function) in fns {
                self.declare(function, None, None, "gRPC", false);
            }
            return;
        }
        if self.service_entries(number, &fns) {
            return;
        }
        let Some(Res::Ext(path)) = self.p.impls[number].trait_ else { return };
        let text = self.p.text(path);
        let key = crate::catalog::short(text);
        let loose = text.starts_with("?::");
        let entry = self.cat.traits.iter().find(|t| {
            t.paths.iter().any(|p| {
                crate::catalog::short(p) == key || (loose && p.rsplit("::").next() == written.last().copied() && self.depends_on(def, p))
            })
        });
        let Some((methods, kind)) = entry.map(|e| (e.methods.clone(), e.kind.clone())) else { return };
        for (name, function) in fns {
            if methods.iter().any(|m| m == self.p.text(name)) {
                let auxiliary = !matches!(kind.as_str(), "actor message" | "handler" | "inbox activity" | "consumer" | "job");
                self.declare(function, None, None, &kind, auxiliary);
            }
        }
    }

    /// The impl of a trait of the tree that an attribute makes a service (`#[rpc(server)]`, `#[tarpc::service]`,
    /// `#[api_description]`), or of the trait that the attribute makes of it (`FooServer` for `Foo`).
    fn service_entries(&mut self, number: usize, fns: &[(Name, DefId)]) -> bool {
        let def = self.p.impls[number].def;
        let trait_ = match self.p.impls[number].trait_ {
            Some(Res::Def(trait_)) => Some(trait_),
            Some(Res::Ext(path)) => {
                let Some(last) = self.p.text(path).rsplit("::").next().and_then(|l| l.strip_suffix("Server")) else { return false };
                let named = |d: &u32| {
                    let own = self.p.def(DefId(*d));
                    own.kind == DefKind::Trait && self.p.text(own.name) == last
                };
                let package = |d: DefId| self.p.package_of(d);
                let all = (0..self.p.defs.len() as u32).filter(named).map(DefId);
                let mut all: Vec<DefId> = all.filter(|&d| self.is_service_trait(d)).collect();
                all.sort_by_key(|&d| package(d) != package(def));
                all.first().copied()
            }
            _ => None,
        };
        let Some(trait_) = trait_.filter(|&t| self.is_service_trait(t)) else { return false };
        let hir = &self.p.file(self.p.def(trait_).file).hir;
        for (name, function) in fns {
            let attr = self.p.trait_fns.get(&(trait_, *name)).and_then(|&f| self.p.item(f).attrs.first());
            let (method, path) = attr.map_or((None, None), |a| labelled(hir.str(a.args)));
            let named = attr.filter(|a| hir.str(a.path).ends_with("method")).and_then(|a| a.literal).map(|l| hir.str(l).to_string());
            self.declare(*function, method, path.or(named), "rpc", false);
        }
        true
    }

    fn is_service_trait(&self, def: DefId) -> bool {
        let hir = &self.p.file(self.p.def(def).file).hir;
        let marks = |a: &Attr| self.cat.attributes.traits.iter().any(|t| t == hir.str(a.path).rsplit("::").next().unwrap_or(""));
        self.p.def(def).kind == DefKind::Trait && self.p.item(def).attrs.iter().any(marks)
    }

    fn depends_on(&self, def: DefId, path: &str) -> bool {
        let krate = self.p.krate(self.p.def(def).krate);
        let wanted = crate::catalog::first(path);
        krate.externs.keys().any(|n| self.p.text(*n) == wanted)
    }

    /// A trait that only generated code declares, implemented with the attribute that such code asks for.
    fn generated_service(&self, number: usize, attrs: &[&str], fns: &[(Name, DefId)]) -> bool {
        let unknown = match self.p.impls[number].trait_ {
            Some(Res::Ext(path)) => self.p.text(path).starts_with("?::"),
            Some(_) => false,
            None => true,
        };
        unknown && (attrs.contains(&"tonic::async_trait") || fns.iter().any(|(_, def)| self.takes_call(*def)))
    }

    /// Whether a method takes the request of a gRPC call, as traits without an attribute do.
    fn takes_call(&self, def: DefId) -> bool {
        let Some(function) = self.p.function(def) else { return false };
        let (file, scope) = (self.p.def(def).file, self.p.scope_of(def));
        let is_call = |ty: Ty| matches!(&ty, Ty::Ext(path, _) if matches!(self.p.text(*path), "poem_grpc::Request" | "tonic::Request"));
        function.receiver.is_some() && function.params.iter().filter_map(|p| p.ty).any(|ty| is_call(self.p.lower_type(file, ty, &scope)))
    }

    /// Whether the trait of an impl was imported from a generated `.._server` module, which may be a file of the tree.
    fn in_grpc_server(&self, number: usize, fns: &[(Name, DefId)]) -> bool {
        let generated = |path: &str| path.split("::").any(|s| s.ends_with("_server"));
        match self.p.impls[number].trait_ {
            Some(Res::Ext(path)) => generated(self.p.text(path)),
            Some(Res::Def(trait_)) => {
                generated(&self.p.module_path(self.p.def(trait_).module)) && fns.iter().any(|(_, def)| self.takes_call(*def))
            }
            _ => false,
        }
    }
}

/// Method and path from `path = "/x", method = "get"` or `method = GET`.
fn labelled(args: &str) -> (Option<String>, Option<String>) {
    let value = |key: &str| {
        let rest = &args[args.find(key)? + key.len()..];
        let rest = rest.trim_start().strip_prefix('=')?.trim_start();
        let word = rest
            .strip_prefix('"')
            .map_or_else(|| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next(), |quoted| quoted.split('"').next());
        word.filter(|w| !w.is_empty()).map(str::to_string)
    };
    let method =
        value("method").map(|m| m.to_ascii_uppercase()).filter(|m| HTTP.contains(&m.to_ascii_lowercase().as_str()) || m == "CHANNEL");
    (method, value("path"))
}
