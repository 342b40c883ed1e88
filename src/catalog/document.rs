//! What a catalog file may say, and how files add up.

use super::instances::InstancesDocument;
use super::secrets::SecretsDocument;
use super::tokens::TokenDocument;
use super::words::{Channel, Class, FnEffect, StoreKind};
use super::{Catalog, Consumer, FnInfo, TypeInfo};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Structs of lists that files add to: no list can be forgotten where files are added up.
macro_rules! lists {
    ($($(#[$about:meta])* pub struct $name:ident { $($(#[$of:meta])* $vis:vis $list:ident,)* })*) => {$(
        $(#[$about])*
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name { $($(#[$of])* $vis $list: Vec<String>,)* }

        impl $name {
            fn extend(&mut self, more: $name) {
                $(self.$list.extend(more.$list);)*
            }
        }
    )*};
}

lists! {
    pub struct Attributes {
        pub http,
        pub plain,
        pub crates,
        pub impls,
        pub traits,
        pub impl_methods,
    }
    pub struct Routers {
        pub functions,
        pub builders,
        pub resolvers,
        pub crates,
        pub methods,
        pub filter_methods,
        pub filter_crates,
        pub macros,
        /// What a framework fills the parameters of a handler with, by crate and last name.
        parameters,
        /// What says that a function runs around handlers.
        around,
    }
    pub struct StateEntry {
        pub methods,
        pub functions,
        pub extractors,
        /// Methods that hand out state by their type argument.
        pub handouts,
        pub handout_functions,
        pub per_connection,
        /// `Owner::function`: what opens a service to the network.
        pub listeners,
        /// What opens it to processes of the same machine alone.
        pub local_listeners,
        /// Crates whose values these methods are, beside those of routers and attributes.
        pub crates,
    }
    pub struct Metrics {
        pub macros,
    }
    /// How a conversation with a client is known, and that it may be taken up again.
    pub struct Conversations {
        /// Types that bring what one client says, for as long as it stays connected.
        pub connections,
        /// Words in the names of messages and their parts, in lower case.
        pub resumes,
    }
    /// Words by which the variants of an enum of back ends are known.
    pub struct Backends {
        embedded,
        shared,
    }
}

/// What lets only one instance go on: leader election and distributed locks.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Claims {
    crates: Vec<String>,
    /// By crate and last name.
    types: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Types {
    types: Vec<String>,
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

/// A header by which an answer tells a platform's proxy which instance is to take the request.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub header: String,
    /// What stands in its value when it names an instance; empty when it always does.
    #[serde(default)]
    pub value: String,
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
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Document {
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
    conversations: Conversations,
    metrics: Metrics,
    backends: Backends,
    pin: Vec<Pin>,
    bus: Types,
    #[serde(default)]
    connections: Types,
    claims: Claims,
    secrets: SecretsDocument,
    token: TokenDocument,
    instances: InstancesDocument,
    stores: BTreeMap<StoreKind, Vec<String>>,
    engine_writes: BTreeMap<String, Vec<String>>,
}

impl Catalog {
    /// Adds what a file says. An error names the file.
    pub(super) fn add(&mut self, file: &str, document: Document) -> Result<(), String> {
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
        self.instances.add(document.instances);
        for (kind, crates) in document.stores {
            self.stores.extend(crates.into_iter().map(|c| (c, kind)));
        }
        for (krate, methods) in document.engine_writes {
            self.engine_writes.entry(krate).or_default().extend(methods);
        }
        self.attributes.extend(document.attributes);
        for parts in document.parts {
            parts.paths.iter().for_each(|path| self.parts.add_long(path, parts.are.clone()));
        }
        for start in document.start {
            start.paths.iter().for_each(|path| self.starts.short_mut(path).extend(start.methods.iter().cloned()));
        }
        self.resolvers.extend_long(&document.routers.resolvers);
        self.parameters.extend(&document.routers.parameters);
        self.around.extend(&document.routers.around);
        self.routers.extend(document.routers);
        self.state.extend(document.state);
        self.conversations.extend(document.conversations);
        self.metrics.extend(document.metrics);
        self.backends.extend(document.backends);
        self.claim_crates.extend(document.claims.crates);
        self.claim_types.extend(&document.claims.types);
        self.connection_types.extend(&document.connections.types);
        self.secrets.add(document.secrets);
        self.pins.extend(document.pin);
        self.bus_types.extend(&document.bus.types);
        Ok(())
    }
}
