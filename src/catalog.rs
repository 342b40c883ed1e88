//! What crates outside the analysed tree mean, read from `rules/catalog/*.toml` and from a user's own
//! catalog files of the same form.

mod consumer;
mod document;
pub mod tokens;
mod words;

pub use self::consumer::Consumer;
use self::document::Document;
pub use self::document::{Attributes, Backends, Bus, Claims, Library, Metrics, Pin, Routers, StateEntry, TraitEntry};
pub use self::words::{Channel, Class, FnEffect, Gives, Op, StoreKind};
use crate::names::{Name, Names};
use rustc_hash::FxHashMap;
use std::sync::RwLock;

const BUILT_IN: &[(&str, &str)] = &[
    ("types.toml", include_str!("../rules/catalog/types.toml")),
    ("crates.toml", include_str!("../rules/catalog/crates.toml")),
    ("frameworks.toml", include_str!("../rules/catalog/frameworks.toml")),
    ("functions.toml", include_str!("../rules/catalog/functions.toml")),
    ("libraries.toml", include_str!("../rules/catalog/libraries.toml")),
    ("tokens.toml", include_str!("../rules/catalog/tokens.toml")),
    ("consumers.toml", include_str!("../rules/catalog/consumers.toml")),
];

#[derive(Clone, Copy, Debug)]
pub struct TypeInfo {
    pub class: usize,
    pub value: usize,
    pub channel: Option<Channel>,
}

#[derive(Clone, Copy, Debug)]
pub struct FnInfo {
    pub effect: FnEffect,
    /// Which argument is the path of a file effect.
    pub path: Option<usize>,
}

#[derive(Default)]
pub struct Catalog {
    classes: Vec<Class>,
    class_names: Vec<String>,
    types: FxHashMap<String, TypeInfo>,
    functions: FxHashMap<String, FnInfo>,
    methods: FxHashMap<String, Vec<(Vec<String>, FnInfo)>>,
    /// Types of fields by the type that has them and their name.
    fields: FxHashMap<(String, String), String>,
    pub traits: Vec<TraitEntry>,
    libraries: FxHashMap<String, Library>,
    /// Rule and content of the library parts that a type is a handle of, by type.
    handles: FxHashMap<String, Vec<(String, String)>>,
    consumers: Vec<Consumer>,
    consumer_of: FxHashMap<String, usize>,
    pub attributes: Attributes,
    pub routers: Routers,
    pub state: StateEntry,
    metrics: Metrics,
    pub backends: Backends,
    pub pins: Vec<Pin>,
    pub bus: Bus,
    claims: Claims,
    pub tokens: tokens::TokenTables,
    stores: FxHashMap<String, StoreKind>,
    type_memo: RwLock<FxHashMap<Name, Option<TypeInfo>>>,
    function_memo: RwLock<FxHashMap<Name, Option<FnInfo>>>,
}

impl Catalog {
    /// Reads the built-in catalog and then the user's files, as (name, text). An error names the file.
    pub fn load(user: &[(String, String)]) -> Result<Catalog, String> {
        let mut catalog = Catalog::default();
        let built_in = BUILT_IN.iter().map(|(n, t)| (*n, *t));
        for (name, text) in built_in.chain(user.iter().map(|(n, t)| (n.as_str(), t.as_str()))) {
            let document: Document = toml::from_str(text).map_err(|e| format!("{name}: {e}"))?;
            catalog.add(name, document)?;
        }
        Ok(catalog)
    }

    pub fn type_info(&self, names: &Names, name: Name) -> Option<TypeInfo> {
        if let Some(&known) = self.type_memo.read().ok().as_ref().and_then(|m| m.get(&name)) {
            return known;
        }
        let text = names.text(name);
        let info = self.types.get(&tail(text, 2)).or_else(|| self.types.get(&short(text))).copied();
        if let Ok(mut memo) = self.type_memo.write() {
            memo.insert(name, info);
        }
        info
    }

    pub fn class(&self, info: TypeInfo) -> &Class {
        &self.classes[info.class]
    }

    pub fn class_name(&self, info: TypeInfo) -> &str {
        &self.class_names[info.class]
    }

    /// The class that stands in where only the method's name is known.
    pub fn guess_op(&self, method: &str) -> Option<(Op, Gives)> {
        ["map", "seq", "lock"].iter().find_map(|class| {
            let index = self.class_names.iter().position(|n| n == class)?;
            self.classes[index].methods.get(method).copied()
        })
    }

    pub fn function(&self, names: &Names, path: Name) -> Option<FnInfo> {
        if let Some(&known) = self.function_memo.read().ok().as_ref().and_then(|m| m.get(&path)) {
            return known;
        }
        let text = names.text(path);
        let info = self.functions.get(&tail(text, 2)).or_else(|| self.functions.get(&tail(text, 1))).copied();
        if let Ok(mut memo) = self.function_memo.write() {
            memo.insert(path, info);
        }
        info
    }

    /// An effect of a method by its name and the type it is called on.
    pub fn method(&self, type_path: &str, method: &str) -> Option<FnInfo> {
        let key = short(type_path);
        let entries = self.methods.get(method)?;
        entries.iter().find(|(types, _)| types.contains(&key)).map(|(_, info)| *info)
    }

    /// The type of a public field of an external type.
    pub fn field(&self, type_path: &str, name: &str) -> Option<&str> {
        self.fields.get(&(short(type_path), name.to_string())).map(String::as_str)
    }

    pub fn library(&self, path: &str) -> Option<&Library> {
        self.libraries.get(&tail(path, 2)).or_else(|| self.libraries.get(&tail(path, 1)))
    }

    /// Rule and content of what a type is a handle of.
    pub fn handle(&self, type_path: &str) -> &[(String, String)] {
        self.handles.get(&short(type_path)).map_or(&[], Vec::as_slice)
    }

    /// What kind of client the values of a crate are.
    pub fn store(&self, path: &str) -> Option<StoreKind> {
        self.stores.get(first(path)).copied()
    }

    /// How a crate's clients consume messages.
    pub fn consumer(&self, path: &str) -> Option<&Consumer> {
        self.consumer_of.get(first(path)).map(|&index| &self.consumers[index])
    }

    /// The crate whose attribute of this name makes a function one that is run once a message.
    pub fn consuming_attribute(&self, name: &str) -> Option<&str> {
        let attributes = self.consumers.iter().flat_map(|c| &c.attributes);
        attributes.filter_map(|a| a.split_once("::")).find(|(_, last)| *last == name).map(|(krate, _)| krate)
    }

    /// Whether a crate is one of the frameworks that the catalog describes.
    pub fn is_framework(&self, name: &str) -> bool {
        [&self.attributes.crates, &self.routers.crates, &self.routers.filter_crates, &self.state.crates]
            .iter()
            .any(|list| list.iter().any(|c| c == name))
    }

    /// Whether a macro only logs or measures, by its path as written.
    pub fn is_log_macro(&self, path: &str) -> bool {
        let last = path.rsplit("::").next().unwrap_or(path);
        self.metrics.macros.iter().any(|m| m == last)
    }

    /// Whether a type, or a function of it, belongs to leader election or a distributed lock.
    pub fn is_claim(&self, path: &str) -> bool {
        let owner = path.rsplit_once("::").map_or(path, |(owner, _)| owner);
        self.claims.crates.iter().any(|c| c == first(path)) || [path, owner].iter().any(|p| self.claims.types.contains(&short(p)))
    }

    pub fn is_bus_type(&self, path: &str) -> bool {
        self.bus.types.contains(&short(path))
    }
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// Crate and last segment, the key of types: `tokio::sync::Mutex` is `tokio::Mutex`.
pub fn short(path: &str) -> String {
    tail(path, 1)
}

/// Crate and the last two segments if the catalog gives three or more, else crate and last.
fn long(path: &str) -> String {
    tail(path, if path.matches("::").count() >= 2 { 2 } else { 1 })
}

fn tail(path: &str, keep: usize) -> String {
    let segments: Vec<&str> = path.split("::").collect();
    match segments.as_slice() {
        [] | [_] => path.to_string(),
        [krate, rest @ ..] => {
            let rest = &rest[rest.len().saturating_sub(keep)..];
            format!("{krate}::{}", rest.join("::"))
        }
    }
}
