//! What crates outside the analysed tree mean, read from `rules/catalog/*.toml` and from a user's own
//! catalog files of the same form.

mod consumer;
mod paths;
mod secrets;
pub mod tokens;

pub use self::consumer::Consumer;
use self::paths::PathTable;
pub use self::paths::{first, short};
use crate::names::{Name, Names};
use rustc_hash::FxHashMap;
use serde::Deserialize;
use std::collections::BTreeMap;
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

/// What a method does to the value it is called on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// Keyed read: the answer is an option.
    Get,
    Contains,
    /// Unkeyed read of the whole or a part.
    Read,
    Insert,
    /// Insertion whose answer says whether the key was new.
    InsertNew,
    Push,
    Remove,
    /// Removal of what is old or does not match.
    Prune,
    Drain,
    Clear,
    Entry,
    /// Set once.
    Init,
    /// Get, or load and keep.
    LoadThrough,
    Load,
    Store,
    Swap,
    Rmw,
    Cas,
    Lock,
    TryLock,
    ReadLock,
    Send,
    Recv,
    Reply,
    Subscribe,
    Acquire,
    Wait,
    Notify,
    Pass,
    None,
}

impl Op {
    pub fn writes(self) -> bool {
        use Op::*;
        matches!(self, Insert | InsertNew | Push | Remove | Prune | Drain | Clear | LoadThrough | Store | Swap | Rmw | Cas | Init)
    }
    pub fn reads(self) -> bool {
        use Op::*;
        matches!(self, Get | Contains | Read | InsertNew | LoadThrough | Load | Swap | Rmw | Cas | Remove | Drain)
    }
}

/// What a method gives back, in terms of the receiver's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gives {
    Inner,
    OptInner,
    IterInner,
    Value,
    OptValue,
    IterValue,
    Key,
    IterKey,
    #[serde(rename = "self")]
    Same,
    Entry,
    Receiver,
    Bool,
    Num,
    Unit,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Class {
    /// The value stands for its first generic argument.
    pub deref: bool,
    /// Its lock methods give guards.
    pub guard: bool,
    pub cache: bool,
    pub methods: BTreeMap<String, (Op, Gives)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    Queue,
    Broadcast,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FnEffect {
    Spawn,
    SpawnBlocking,
    JoinedSpawn,
    /// A library repeats the work that it is given.
    Schedule,
    FileWrite,
    FileCopy,
    FileRename,
    FileRemove,
    FileDir,
    FileRead,
    Temp,
    Random,
    Clock,
    Config,
    Sleep,
    Join,
    /// What it is given only shows up in logs.
    Log,
    Channel,
    /// Bytes go to a device or server over a bare connection.
    Wire,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    Sql,
    Embedded,
    Cache,
    Http,
    Object,
    Queue,
    Mail,
    Search,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeEntry {
    class: String,
    #[serde(default)]
    value: usize,
    #[serde(default)]
    shares: bool,
    channel: Option<Channel>,
    paths: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FunctionEntry {
    effect: FnEffect,
    paths: Vec<String>,
    path: Option<usize>,
    #[serde(default, rename = "data")]
    _data: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MethodEntry {
    effect: FnEffect,
    names: Vec<String>,
    types: Vec<String>,
    path: Option<usize>,
}

/// A public field of external types and what it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldEntry {
    types: Vec<String>,
    name: String,
    is: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TraitEntry {
    pub paths: Vec<String>,
    pub methods: Vec<String>,
    pub kind: String,
    #[serde(default)]
    pub self_state: bool,
    #[serde(default)]
    pub actor: bool,
}

/// A function that gives several values, and their types.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Parts {
    paths: Vec<String>,
    are: Vec<String>,
}

/// Methods of a trait that a framework calls before it serves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Start {
    paths: Vec<String>,
    methods: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attributes {
    pub http: Vec<String>,
    pub plain: Vec<String>,
    pub crates: Vec<String>,
    pub impls: Vec<String>,
    pub traits: Vec<String>,
    pub impl_methods: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Routers {
    pub functions: Vec<String>,
    pub builders: Vec<String>,
    pub resolvers: Vec<String>,
    pub crates: Vec<String>,
    pub methods: Vec<String>,
    pub filter_methods: Vec<String>,
    pub filter_crates: Vec<String>,
    pub macros: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StateEntry {
    pub methods: Vec<String>,
    pub functions: Vec<String>,
    pub extractors: Vec<String>,
    /// Methods that hand out state by their type argument.
    pub handouts: Vec<String>,
    pub handout_functions: Vec<String>,
    pub per_connection: Vec<String>,
    /// `Owner::function`: what opens a service to the network.
    pub listeners: Vec<String>,
    /// What opens it to processes of the same machine alone.
    pub local_listeners: Vec<String>,
    /// Crates whose values these methods are, beside those of routers and attributes.
    pub crates: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    pub crates: Vec<String>,
    pub macros: Vec<String>,
}

/// What lets only one instance go on: leader election and distributed locks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Claims {
    pub crates: Vec<String>,
    /// By crate and last name.
    pub types: Vec<String>,
}

/// A header by which an answer tells a platform's proxy which instance is to take the request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub header: String,
    /// What stands in its value when it names an instance; empty when it always does.
    #[serde(default)]
    pub value: String,
}

/// Words by which the variants of an enum of back ends are known.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Backends {
    embedded: Vec<String>,
    shared: Vec<String>,
}

impl Backends {
    /// Whether a variant, in lower case, is called after an engine that lives inside the process.
    pub fn is_embedded(&self, variant: &str) -> bool {
        self.embedded.iter().any(|word| variant.contains(word.as_str()))
    }
    pub fn is_shared(&self, variant: &str) -> bool {
        self.shared.iter().any(|word| variant.contains(word.as_str()))
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bus {
    pub methods: Vec<String>,
    pub types: Vec<String>,
}

/// A library part that is state, a limiter or a store by itself, reported where it is built.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Library {
    /// Constructors, by path of crate, type and function.
    pub paths: Vec<String>,
    pub rule: String,
    /// What it keeps, for the message.
    pub keeps: String,
    pub home: String,
    /// Types through which requests use it: extractors and stores whose methods read and change it.
    #[serde(default)]
    pub handles: Vec<String>,
    /// Only if a keyed state store is its type argument or inferred, not e.g. a global one.
    #[serde(default)]
    pub note: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    class: BTreeMap<String, Class>,
    r#type: Vec<TypeEntry>,
    function: Vec<FunctionEntry>,
    method: Vec<MethodEntry>,
    field: Vec<FieldEntry>,
    r#trait: Vec<TraitEntry>,
    start: Vec<Start>,
    parts: Vec<Parts>,
    library: Vec<Library>,
    consumer: Vec<Consumer>,
    attributes: Attributes,
    routers: Routers,
    state: StateEntry,
    metrics: Metrics,
    backends: Backends,
    pin: Vec<Pin>,
    bus: Bus,
    claims: Claims,
    secrets: secrets::SecretsDocument,
    token: tokens::TokenDocument,
    stores: BTreeMap<StoreKind, Vec<String>>,
    grpc: BTreeMap<String, Vec<String>>,
    servers: BTreeMap<String, Vec<String>>,
    prelude: BTreeMap<String, Vec<String>>,
}

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
    pub state: StateEntry,
    metrics: Metrics,
    pub backends: Backends,
    pub pins: Vec<Pin>,
    pub bus: Bus,
    claim_crates: Vec<String>,
    claim_types: PathTable<()>,
    bus_types: PathTable<()>,
    pub secrets: secrets::Secrets,
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

    fn add(&mut self, file: &str, document: Document) -> Result<(), String> {
        for (name, class) in document.class {
            self.class_names.push(name);
            self.classes.push(class);
        }
        for entry in document.r#type {
            let class = self.class_names.iter().position(|n| *n == entry.class);
            let class = class.ok_or_else(|| format!("{file}: unknown class `{}`", entry.class))?;
            for path in entry.paths {
                // The module tells `broadcast::Sender` from `mpsc::Sender`; a re-export elsewhere is known by its last name.
                let info = TypeInfo { class, value: entry.value, shares: entry.shares, channel: entry.channel };
                self.types.add_long(&path, info);
                self.types.add_short_if_new(&path, info);
            }
        }
        for entry in document.function {
            for path in entry.paths {
                self.functions.add_long(&path, FnInfo { effect: entry.effect, path: entry.path });
            }
        }
        for entry in document.method {
            for name in entry.names {
                let methods = self.methods.entry(name).or_default();
                for ty in &entry.types {
                    methods.add_short_if_new(ty, FnInfo { effect: entry.effect, path: entry.path });
                }
            }
        }
        for entry in document.field {
            for ty in &entry.types {
                self.fields.short_mut(ty).insert(entry.name.clone(), entry.is.clone());
            }
        }
        for library in document.library {
            for handle in &library.handles {
                self.handles.short_mut(handle).push((library.rule.clone(), library.keeps.clone()));
            }
            for path in &library.paths {
                self.libraries.add_long(path, library.clone());
            }
        }
        for consumer in document.consumer {
            self.consumer_of.extend(consumer.crates.iter().map(|c| (c.clone(), self.consumers.len())));
            self.consumers.push(consumer);
        }
        self.traits.extend(document.r#trait);
        self.tokens.add(document.token);
        for (kind, crates) in document.stores {
            self.stores.extend(crates.into_iter().map(|c| (c, kind)));
        }
        extend(&mut self.attributes.http, document.attributes.http);
        extend(&mut self.attributes.plain, document.attributes.plain);
        extend(&mut self.attributes.crates, document.attributes.crates);
        extend(&mut self.attributes.impls, document.attributes.impls);
        extend(&mut self.attributes.traits, document.attributes.traits);
        extend(&mut self.attributes.impl_methods, document.attributes.impl_methods);
        for parts in document.parts {
            parts.paths.iter().for_each(|path| self.parts.add_long(path, parts.are.clone()));
        }
        for start in document.start {
            start.paths.iter().for_each(|path| self.starts.short_mut(path).extend(start.methods.iter().cloned()));
        }
        document.routers.resolvers.iter().for_each(|path| self.resolvers.add_long(path, ()));
        extend(&mut self.routers.functions, document.routers.functions);
        extend(&mut self.routers.builders, document.routers.builders);
        extend(&mut self.routers.crates, document.routers.crates);
        extend(&mut self.routers.methods, document.routers.methods);
        extend(&mut self.routers.filter_methods, document.routers.filter_methods);
        extend(&mut self.routers.filter_crates, document.routers.filter_crates);
        extend(&mut self.routers.macros, document.routers.macros);
        extend(&mut self.state.methods, document.state.methods);
        extend(&mut self.state.functions, document.state.functions);
        extend(&mut self.state.extractors, document.state.extractors);
        extend(&mut self.state.handouts, document.state.handouts);
        extend(&mut self.state.handout_functions, document.state.handout_functions);
        extend(&mut self.state.per_connection, document.state.per_connection);
        extend(&mut self.state.listeners, document.state.listeners);
        extend(&mut self.state.local_listeners, document.state.local_listeners);
        extend(&mut self.state.crates, document.state.crates);
        extend(&mut self.metrics.crates, document.metrics.crates);
        extend(&mut self.metrics.macros, document.metrics.macros);
        extend(&mut self.claim_crates, document.claims.crates);
        self.claim_types.extend(&document.claims.types);
        self.secrets.add(document.secrets);
        self.pins.extend(document.pin);
        extend(&mut self.backends.embedded, document.backends.embedded);
        extend(&mut self.backends.shared, document.backends.shared);
        extend(&mut self.bus.methods, document.bus.methods);
        self.bus_types.extend(&document.bus.types);
        Ok(())
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

    pub fn is_metrics_crate(&self, path: &str) -> bool {
        self.metrics.crates.iter().any(|c| c == first(path))
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

    pub fn is_bus_type(&self, path: &str) -> bool {
        self.bus_types.has(path)
    }
}

fn extend(list: &mut Vec<String>, more: Vec<String>) {
    list.extend(more);
}
