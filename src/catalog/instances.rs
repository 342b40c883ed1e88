//! What tells instances of a service apart, and what tells its clients apart.

use super::paths::{PathTable, short};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(super) struct InstancesDocument {
    env: Vec<String>,
    functions: Vec<String>,
    settings: Vec<String>,
    client_headers: Vec<String>,
    client_words: Vec<String>,
    client_methods: Vec<String>,
    client_types: Vec<String>,
    picks: Vec<String>,
    keyless: Vec<String>,
    peers: Vec<String>,
    proxies: Vec<String>,
}

#[derive(Default)]
pub struct Instances {
    env: Vec<String>,
    functions: PathTable<()>,
    settings: Vec<String>,
    client_headers: Vec<String>,
    client_words: Vec<String>,
    client_methods: Vec<String>,
    client_types: Vec<String>,
    /// By type and method.
    picks: Vec<(String, String)>,
    keyless: Vec<String>,
    peers: PathTable<()>,
    proxies: PathTable<()>,
}

fn among(list: &[String], word: &str) -> bool {
    list.iter().any(|known| known == word)
}

impl Instances {
    pub(super) fn add(&mut self, document: InstancesDocument) {
        self.env.extend(document.env);
        self.functions.extend_long(&document.functions);
        self.settings.extend(document.settings);
        self.client_headers.extend(document.client_headers);
        self.client_words.extend(document.client_words);
        self.client_methods.extend(document.client_methods);
        self.client_types.extend(document.client_types);
        self.picks.extend(document.picks.iter().filter_map(|path| path.rsplit_once("::")).map(|(ty, method)| (ty.into(), method.into())));
        self.keyless.extend(document.keyless);
        self.peers.extend_long(&document.peers);
        self.proxies.extend_long(&document.proxies);
    }

    /// Whether a variable of the environment holds the name of the instance.
    pub fn is_env(&self, name: &str) -> bool {
        among(&self.env, name)
    }
    /// The variables that a text in an attribute names: `env = "POD_NAME"`.
    pub fn in_attribute(&self, args: &str) -> bool {
        args.contains('"') && self.env.iter().any(|name| args.contains(&format!("\"{name}\"")))
    }
    pub fn gives_name(&self, path: &str) -> bool {
        self.functions.has_long(path)
    }
    pub fn is_setting(&self, name: &str) -> bool {
        among(&self.settings, name)
    }
    /// Whether a header, in any case, tells clients or their sessions apart.
    pub fn is_client_header(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase().replace('_', "-");
        among(&self.client_headers, &name) || self.client_words.iter().any(|word| name.contains(word.as_str()))
    }
    pub fn is_client_method(&self, name: &str) -> bool {
        among(&self.client_methods, name)
    }
    pub fn is_client_type(&self, path: &str) -> bool {
        among(&self.client_types, path.rsplit("::").next().unwrap_or(path))
    }
    /// Whether a method of a type chooses one of several servers by its first argument.
    pub fn picks(&self, ty: &str, method: &str) -> bool {
        self.picks.iter().any(|(known, name)| name == method && short(known) == short(ty))
    }
    pub fn is_keyless(&self, strategy: &str) -> bool {
        among(&self.keyless, strategy.rsplit("::").next().unwrap_or(strategy))
    }
    pub fn is_peer(&self, path: &str) -> bool {
        self.peers.has_long(path)
    }
    pub fn is_proxy(&self, path: &str) -> bool {
        self.proxies.has_long(path)
    }
}
