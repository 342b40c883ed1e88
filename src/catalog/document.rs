//! What a catalog file may say, and how files add up.

use super::tokens::TokenDocument;
use super::words::{Channel, Class, FnEffect, StoreKind};
use super::{Catalog, Consumer, FnInfo, TypeInfo, long, short, tail};
use serde::Deserialize;
use std::collections::BTreeMap;

/// Structs of lists that files add to.
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
        pub crates,
        pub methods,
        pub filter_methods,
        pub filter_crates,
        pub macros,
    }
    pub struct StateEntry {
        pub methods,
        pub functions,
        pub extractors,
        /// Methods that hand out state by their type argument.
        pub handouts,
        pub handout_functions,
        pub per_connection,
        /// Crates whose values these methods are, beside those of routers and attributes.
        pub crates,
    }
    pub struct Metrics {
        pub macros,
    }
    /// What lets only one instance go on: leader election and distributed locks.
    pub struct Claims {
        pub crates,
        /// By crate and last name.
        pub types,
    }
    /// Words by which the variants of an enum of back ends are known.
    pub struct Backends {
        embedded,
        shared,
    }
    pub struct Bus {
        pub types,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TypeEntry {
    class: String,
    #[serde(default)]
    value: usize,
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
    #[serde(default)]
    pub actor: bool,
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
    token: TokenDocument,
    stores: BTreeMap<StoreKind, Vec<String>>,
}

impl Catalog {
    /// An error names the file.
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
                let info = TypeInfo { class, value: entry.value, channel: entry.channel };
                self.types.insert(tail(&path, 2), info);
                self.types.entry(short(&path)).or_insert(info);
            }
        }
        for entry in document.function {
            for path in entry.paths {
                self.functions.insert(long(&path), FnInfo { effect: entry.effect, path: entry.path });
            }
        }
        for entry in document.method {
            let types = shortened(&entry.types);
            for name in entry.names {
                let info = FnInfo { effect: entry.effect, path: entry.path };
                self.methods.entry(name).or_default().push((types.clone(), info));
            }
        }
        for entry in document.field {
            self.fields.extend(entry.types.iter().map(|t| ((short(t), entry.name.clone()), entry.is.clone())));
        }
        for library in document.library {
            for handle in &library.handles {
                self.handles.entry(short(handle)).or_default().push((library.rule.clone(), library.keeps.clone()));
            }
            for path in &library.paths {
                self.libraries.insert(long(path), library.clone());
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
        self.attributes.extend(document.attributes);
        self.routers.extend(document.routers);
        self.state.extend(document.state);
        self.metrics.extend(document.metrics);
        self.claims.extend(Claims { types: shortened(&document.claims.types), ..document.claims });
        self.pins.extend(document.pin);
        self.backends.extend(document.backends);
        self.bus.extend(Bus { types: shortened(&document.bus.types) });
        Ok(())
    }
}

fn shortened(paths: &[String]) -> Vec<String> {
    paths.iter().map(|path| short(path)).collect()
}
