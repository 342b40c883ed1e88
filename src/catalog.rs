//! What crates outside the analysed tree mean, read from `rules/catalog/*.toml` and from a user's own
//! catalog files of the same form.

mod consumer;
mod document;
pub mod instances;
mod paths;
mod secrets;
pub mod tokens;
mod words;

pub use self::consumer::Consumer;
use self::document::{Attributes, Backends, Conversations, Document, Library, Metrics, Pin, Routers, StateEntry, TraitEntry};
use self::paths::PathTable;
pub use self::paths::{first, short};
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
    ("instances.toml", include_str!("../rules/catalog/instances.toml")),
];

#[derive(Clone, Copy, Debug)]
pub struct TypeInfo {
    pub class: usize,
    pub value: usize,
    /// A clone of it is the same value once more.
    pub shares: bool,
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
    types: PathTable<TypeInfo>,
    functions: PathTable<FnInfo>,
    /// Effects of methods by their name and the type they are called on.
    methods: FxHashMap<String, PathTable<FnInfo>>,
    /// Types of fields by the type that has them and their name.
    fields: PathTable<FxHashMap<String, String>>,
    pub traits: Vec<TraitEntry>,
    libraries: PathTable<Library>,
    /// Rule and content of the library parts that a type is a handle of, by type.
    handles: PathTable<Vec<(String, String)>>,
    consumers: Vec<Consumer>,
    consumer_of: FxHashMap<String, usize>,
    pub attributes: Attributes,
    pub routers: Routers,
    starts: PathTable<Vec<String>>,
    parts: PathTable<Vec<String>>,
    /// Functions that make the field of a schema that one of their arguments resolves.
    resolvers: PathTable<()>,
    /// Types, and traits that make a type of the tree one, by which a framework fills parameters.
    parameters: PathTable<()>,
    around: PathTable<()>,
    pub state: StateEntry,
    conversations: Conversations,
    metrics: Metrics,
    pub backends: Backends,
    pub pins: Vec<Pin>,
    claim_crates: Vec<String>,
    claim_types: PathTable<()>,
    bus_types: PathTable<()>,
    connection_types: PathTable<()>,
    pub secrets: secrets::Secrets,
    pub instances: instances::Instances,
    pub tokens: tokens::TokenTables,
    stores: FxHashMap<String, StoreKind>,
    /// Methods that change what an embedded engine keeps, by crate.
    engine_writes: FxHashMap<String, Vec<String>>,
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
        let info = self.types.get(text).copied();
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
        let info = self.functions.get(text).copied();
        if let Ok(mut memo) = self.function_memo.write() {
            memo.insert(path, info);
        }
        info
    }

    /// An effect of a method by its name and the type it is called on.
    pub fn method(&self, type_path: &str, method: &str) -> Option<FnInfo> {
        self.methods.get(method)?.get_short(type_path).copied()
    }

    /// The type of a public field of an external type.
    pub fn field(&self, type_path: &str, name: &str) -> Option<&str> {
        self.fields.get_short(type_path)?.get(name).map(String::as_str)
    }

    pub fn library(&self, path: &str) -> Option<&Library> {
        self.libraries.get(path)
    }

    /// Rule and content of what a type is a handle of.
    pub fn handle(&self, type_path: &str) -> &[(String, String)] {
        self.handles.get_short(type_path).map_or(&[], Vec::as_slice)
    }

    /// What kind of client the values of a crate are.
    pub fn store(&self, path: &str) -> Option<StoreKind> {
        self.stores.get(first(path)).copied()
    }

    /// Whether a value of the type is a way to something outside the process, opened by each instance for itself.
    pub fn is_connection(&self, path: &str) -> bool {
        const ENDS: &[&str] = &["Client", "Connection", "Channel", "Pool", "Manager", "Producer", "Transport", "Session"];
        self.connection_types.has(path) || self.store(path).is_some() && ENDS.iter().any(|end| path.ends_with(end))
    }

    /// Whether a method of an embedded engine's type changes what it keeps. `None` where the catalog does not list
    /// the engine's methods, so that only the name can tell.
    pub fn writes_engine(&self, path: &str, method: &str) -> Option<bool> {
        self.engine_writes.get(first(path)).map(|methods| methods.iter().any(|m| m == method))
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

    /// Whether a crate is one of the frameworks or token libraries that the catalog describes.
    pub fn is_framework(&self, name: &str) -> bool {
        self.tokens.is_token_crate(name)
            || [&self.attributes.crates, &self.routers.crates, &self.routers.filter_crates, &self.state.crates]
                .iter()
                .any(|list| list.iter().any(|c| c == name))
    }

    /// Whether a function makes a field of a schema that one of its arguments resolves.
    pub fn resolves_field(&self, path: &str) -> bool {
        self.resolvers.has_long(path)
    }

    /// Whether a framework takes values of a type, or of the types with a trait, out of a request for a handler that is a plain function.
    pub fn is_parameter(&self, path: &str) -> bool {
        self.parameters.has(path)
    }

    /// Whether a parameter of this type says that a function runs around handlers.
    pub fn runs_around(&self, path: &str) -> bool {
        self.around.has(path)
    }

    /// The types of the values that a function gives, where it gives several.
    pub fn parts(&self, path: &str) -> &[String] {
        self.parts.get(path).map_or(&[], Vec::as_slice)
    }

    /// Whether a framework calls a method of a trait before it serves.
    pub fn starts(&self, trait_path: &str, method: &str) -> bool {
        self.starts.get_short(trait_path).is_some_and(|methods| methods.iter().any(|m| m == method))
    }

    /// Whether parts of a crate are state by themselves, as the catalog says.
    pub fn has_parts(&self, krate: &str) -> bool {
        self.libraries.has_crate(krate) || self.types.has_crate(krate)
    }

    /// Whether a macro only logs or measures, by its path as written.
    pub fn is_log_macro(&self, path: &str) -> bool {
        let last = path.rsplit("::").next().unwrap_or(path);
        self.metrics.macros.iter().any(|m| m == last)
    }

    /// Whether a type, or a function of it, belongs to leader election or a distributed lock.
    pub fn is_claim(&self, path: &str) -> bool {
        let owner = path.rsplit_once("::").map_or(path, |(owner, _)| owner);
        self.claim_crates.iter().any(|c| c == first(path)) || [path, owner].iter().any(|p| self.claim_types.has(p))
    }

    /// Whether a value of this type brings what one client says, for as long as it stays connected.
    pub fn is_client_connection(&self, path: &str) -> bool {
        self.conversations.connections.iter().any(|known| short(known) == short(path))
    }

    /// Whether a name, in snake or camel case, says that something is taken up again.
    pub fn resumes(&self, name: &str) -> bool {
        let mut words = vec![String::new()];
        for letter in name.chars() {
            if letter == '_' || letter == '-' || letter.is_uppercase() {
                words.push(String::new());
            }
            if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
                word.extend(letter.to_lowercase());
            }
        }
        words.retain(|word| !word.is_empty());
        let said = format!(" {} ", words.join(" "));
        self.conversations.resumes.iter().any(|known| said.contains(&format!(" {known} ")))
    }

    pub fn is_bus_type(&self, path: &str) -> bool {
        self.bus_types.has(path)
    }
}
