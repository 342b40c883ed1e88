//! What a path means at a place: lexical scopes, imports with globs and re-exports, external crates.

use super::program::*;
use crate::names::{Name, Names};
use rustc_hash::FxHashMap;
use std::cell::{OnceCell, RefCell};

/// The namespaces that matter here; `Any` prefers types.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Space {
    Type,
    Value,
    Any,
}

/// Imports and globs followed at most for one name: re-export chains in real trees are below ten.
const MAX_DEPTH: u32 = 24;

/// Modules searched for one name that is passed on from outside.
const MAX_PASSED: usize = 16;

/// Crates that frameworks re-export whole: `rocket::tokio::sync::Mutex` is `tokio::sync::Mutex`.
const REEXPORTED: &[&str] = &[
    "tokio",
    "futures",
    "futures_util",
    "tower",
    "serde",
    "serde_json",
    "chrono",
    "tracing",
    "uuid",
    "reqwest",
    "redis",
    "sqlx",
    "diesel",
    "async_graphql",
    "tokio_stream",
    "prost",
    "tonic",
    "axum",
    "parking_lot",
    "once_cell",
    "lazy_static",
    "tower_http",
    "sea_orm",
    "rusqlite",
    "deadpool_redis",
    "fred",
];

const PRIMITIVES: &[&str] =
    &["u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool", "char", "str"];

/// The part of std's prelude that the analysis can use, by canonical path.
const PRELUDE: &[(&str, &str)] = &[
    ("Vec", "std::vec::Vec"),
    ("String", "std::string::String"),
    ("Option", "std::option::Option"),
    ("Some", "std::option::Option::Some"),
    ("None", "std::option::Option::None"),
    ("Result", "std::result::Result"),
    ("Ok", "std::result::Result::Ok"),
    ("Err", "std::result::Result::Err"),
    ("Box", "std::boxed::Box"),
    ("Default", "std::default::Default"),
    ("Iterator", "std::iter::Iterator"),
    ("IntoIterator", "std::iter::IntoIterator"),
    ("From", "std::convert::From"),
    ("Into", "std::convert::Into"),
    ("TryFrom", "std::convert::TryFrom"),
    ("TryInto", "std::convert::TryInto"),
    ("AsRef", "std::convert::AsRef"),
    ("AsMut", "std::convert::AsMut"),
    ("Clone", "std::clone::Clone"),
    ("Copy", "std::marker::Copy"),
    ("Send", "std::marker::Send"),
    ("Sync", "std::marker::Sync"),
    ("Sized", "std::marker::Sized"),
    ("Unpin", "std::marker::Unpin"),
    ("Drop", "std::ops::Drop"),
    ("Fn", "std::ops::Fn"),
    ("FnMut", "std::ops::FnMut"),
    ("FnOnce", "std::ops::FnOnce"),
    ("ToString", "std::string::ToString"),
    ("ToOwned", "std::borrow::ToOwned"),
    ("Future", "std::future::Future"),
    ("drop", "std::mem::drop"),
    ("PartialEq", "std::cmp::PartialEq"),
    ("Eq", "std::cmp::Eq"),
    ("Ord", "std::cmp::Ord"),
    ("PartialOrd", "std::cmp::PartialOrd"),
];

/// What was looked up already.
#[derive(Default)]
pub struct Memo {
    members: RefCell<FxHashMap<(ModId, Name, Space), Option<Res>>>,
    /// What the glob imports of a module open, by their index in it.
    globs: RefCell<FxHashMap<(ModId, u32), Option<Res>>>,
    /// External paths with one segment more.
    extended: RefCell<FxHashMap<(Name, Name), Name>>,
    /// Names that every module knows.
    everywhere: OnceCell<FxHashMap<Name, Name>>,
}

impl Memo {
    /// Forgets what could be found otherwise once more is known of the program.
    pub(super) fn forget(&self) {
        self.members.borrow_mut().clear();
        self.globs.borrow_mut().clear();
    }

    /// The path of a primitive or of a part of the prelude.
    fn everywhere(&self, names: &Names, name: Name) -> Option<Name> {
        let known = self.everywhere.get_or_init(|| {
            let primitives = PRIMITIVES.iter().map(|p| (names.intern(p), names.intern(p)));
            primitives.chain(PRELUDE.iter().map(|(short, path)| (names.intern(short), names.intern(path)))).collect()
        });
        known.get(&name).copied()
    }
}

impl Program {
    /// Resolves a path as it stands in a module. `None` if it is a local, a generic parameter or not known.
    pub fn resolve(&self, module: ModId, path: &[Name], global: bool, space: Space) -> Option<Res> {
        self.resolve_at(module, path, global, space, 0)
    }

    fn resolve_at(&self, module: ModId, path: &[Name], global: bool, space: Space, depth: u32) -> Option<Res> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (&first, mut rest) = path.split_first()?;
        let at = |rest: &[Name]| if rest.is_empty() { space } else { Space::Type };
        let mut current = match self.text(first) {
            _ if global && self.root_of_2015(module).is_some() => return self.resolve_import(module, path, space, depth + 1),
            _ if global => self.extern_crate(module, first)?,
            "crate" | "$crate" => Res::Mod(self.crates[self.module(module).krate as usize].root),
            "self" => Res::Mod(self.real(module)),
            "super" => {
                let mut here = self.module(self.real(module)).parent?;
                while let Some((&next, tail)) = rest.split_first()
                    && self.text(next) == "super"
                {
                    here = self.module(self.real(here)).parent?;
                    rest = tail;
                }
                Res::Mod(self.real(here))
            }
            _ => self.lexical(module, first, at(rest), depth)?,
        };
        while let Some((&next, tail)) = rest.split_first() {
            current = self.step(current, next, at(tail), depth)?;
            rest = tail;
        }
        Some(current)
    }

    /// The root of a crate of edition 2015, whose imports and paths with leading colons start there.
    fn root_of_2015(&self, module: ModId) -> Option<ModId> {
        let krate = &self.crates[self.module(module).krate as usize];
        krate.edition_2015.then_some(krate.root)
    }

    fn resolve_import(&self, module: ModId, path: &[Name], space: Space, depth: u32) -> Option<Res> {
        let written = matches!(self.text(*path.first()?), "crate" | "self" | "super" | "$crate");
        let from = self.root_of_2015(module).filter(|_| !written).unwrap_or(module);
        self.resolve_at(from, path, false, space, depth)
    }

    /// The nearest module that is not the inside of a function.
    fn real(&self, mut module: ModId) -> ModId {
        while self.module(module).block
            && let Some(parent) = self.module(module).parent
        {
            module = parent;
        }
        module
    }

    fn lexical(&self, module: ModId, name: Name, space: Space, depth: u32) -> Option<Res> {
        let mut here = module;
        loop {
            if let Some(found) = self.member(here, name, space, depth) {
                return Some(found);
            }
            match self.module(here) {
                m if m.block => here = m.parent?,
                _ => break,
            }
        }
        if let Some(found) = self.extern_crate(module, name).filter(|_| space != Space::Value) {
            return Some(found);
        }
        if let Some(path) = self.memo.everywhere(&self.names, name) {
            return Some(Res::Ext(path));
        }
        self.through_external_glob(module, name, depth)
    }

    /// A name that nothing else explains, below `use framework::web::*`: anything of a framework, types of other crates.
    fn through_external_glob(&self, module: ModId, name: Name, depth: u32) -> Option<Res> {
        let is_type = self.text(name).starts_with(char::is_uppercase);
        let mut here = module;
        loop {
            for index in 0..self.module(here).globs.len() {
                let Some(Res::Ext(path)) = self.glob(here, index, depth) else { continue };
                let krate = self.text(path).split("::").next().unwrap_or("");
                if is_type || self.names.get(krate).is_some_and(|k| self.frameworks.contains(&k)) {
                    return Some(Res::Ext(self.extend(path, name)));
                }
            }
            match self.module(here) {
                m if m.block => here = m.parent?,
                _ => return None,
            }
        }
    }

    /// A name that a module passes on from a framework as a whole: `pub use framework::*`.
    fn passed_on(&self, module: ModId, name: Name, depth: u32) -> Option<Res> {
        // Modules may pass each other on in a circle.
        let mut open = vec![module];
        let mut next = 0;
        while let Some(&here) = open.get(next) {
            next += 1;
            for index in 0..self.module(here).globs.len() {
                match self.glob(here, index, depth) {
                    Some(Res::Ext(path)) => {
                        let krate = self.text(path).split("::").next().unwrap_or("");
                        if self.names.get(krate).is_some_and(|k| self.frameworks.contains(&k)) {
                            return Some(Res::Ext(self.extend(path, name)));
                        }
                    }
                    Some(Res::Mod(inner)) if open.len() < MAX_PASSED && !open.contains(&inner) => open.push(inner),
                    _ => {}
                }
            }
        }
        None
    }

    /// What a glob import opens. The first segment of one glob may come through another, so each is
    /// looked up once: following all ways through each other would take exponential time.
    fn glob(&self, module: ModId, index: usize, depth: u32) -> Option<Res> {
        let key = (module, index as u32);
        if let Some(&known) = self.memo.globs.borrow().get(&key) {
            return known;
        }
        self.memo.globs.borrow_mut().insert(key, None);
        let import = self.module(module).globs.get(index)?;
        let found = self.imported(module, import, Space::Type, depth + 1);
        self.memo.globs.borrow_mut().insert(key, found);
        found
    }

    fn imported(&self, module: ModId, import: &Import, space: Space, depth: u32) -> Option<Res> {
        match import.global {
            true => self.resolve_at(module, &import.path, true, space, depth),
            false => self.resolve_import(module, &import.path, space, depth),
        }
    }

    fn extern_crate(&self, module: ModId, name: Name) -> Option<Res> {
        let krate = &self.crates[self.module(module).krate as usize];
        match krate.externs.get(&name) {
            Some(Extern::Workspace(id)) => Some(Res::Mod(self.krate(*id).root)),
            Some(Extern::External(package)) => Some(Res::Ext(*package)),
            None => None,
        }
    }

    /// A name in a module, through its imports and globs.
    fn member(&self, module: ModId, name: Name, space: Space, depth: u32) -> Option<Res> {
        let key = (module, name, space);
        if let Some(&known) = self.memo.members.borrow().get(&key) {
            return known;
        }
        // Marks the name as under way, so that a cycle of globs finds nothing and ends.
        self.memo.members.borrow_mut().insert(key, None);
        let found = self.member_uncached(module, name, space, depth);
        self.memo.members.borrow_mut().insert(key, found);
        found
    }

    fn member_uncached(&self, module: ModId, name: Name, space: Space, depth: u32) -> Option<Res> {
        let scope = self.module(module);
        if let Some(defs) = scope.scope.get(&name)
            && let Some(&def) = defs.iter().find(|&&d| self.fits(d, space))
        {
            return Some(match self.def(def).kind {
                DefKind::Mod(id) => Res::Mod(id),
                _ => Res::Def(def),
            });
        }
        for import in scope.imports.get(&name).into_iter().flatten() {
            // `use x;` must not find itself.
            let own = self.root_of_2015(module).is_none_or(|root| root == module);
            if own && import.path.len() == 1 && import.path[0] == name && !import.global {
                if let Some(found) = self.extern_crate(module, name) {
                    return Some(found);
                }
                continue;
            }
            if let Some(found) = self.imported(module, import, space, depth + 1) {
                return Some(found);
            }
        }
        for index in 0..scope.globs.len() {
            let Some(target) = self.glob(module, index, depth) else { continue };
            let found = match target {
                Res::Mod(inner) if inner != module => self.member(inner, name, space, depth + 1),
                Res::Def(def) if self.def(def).kind == DefKind::Enum => self.variant(def, name),
                _ => None,
            };
            if found.is_some() {
                return found;
            }
        }
        None
    }

    fn fits(&self, def: DefId, space: Space) -> bool {
        use DefKind::*;
        matches!(
            (space, self.def(def).kind),
            (Space::Any, _)
                | (Space::Type, Mod(_) | Struct | Enum | Union | Trait | Alias)
                | (Space::Value, Fn | Static | Const | Struct | Variant(_))
        )
    }

    pub fn variant(&self, def: DefId, name: Name) -> Option<Res> {
        let variants = self.variants.get(&def)?;
        variants.iter().find(|&&v| self.def(v).name == name).map(|&v| Res::Def(v))
    }

    /// One segment further along a path.
    fn step(&self, from: Res, name: Name, space: Space, depth: u32) -> Option<Res> {
        match from {
            Res::Mod(module) => self.member(module, name, space, depth).or_else(|| self.passed_on(module, name, depth)),
            Res::Ext(path) => Some(Res::Ext(self.extend(path, name))),
            Res::Def(def) => {
                if let Some(variant) = self.variant(def, name) {
                    return Some(variant);
                }
                if self.def(def).kind == DefKind::Alias {
                    let ty = self.alias_type(def)?;
                    return self.step(ty.head()?, name, space, depth);
                }
                if let Some(&function) = self.trait_fns.get(&(def, name)) {
                    return Some(Res::Def(function));
                }
                self.methods.get(&(Res::Def(def), name)).and_then(|m| m.first()).map(|&m| Res::Def(m))
            }
        }
    }

    /// An item or a module of something external.
    pub fn extend(&self, path: Name, name: Name) -> Name {
        if let Some(&known) = self.memo.extended.borrow().get(&(path, name)) {
            return known;
        }
        let (outer, inner) = (self.text(path), self.text(name));
        let whole = !outer.contains("::") && REEXPORTED.contains(&inner) && outer != "std";
        let extended = if whole { name } else { self.names.intern(&format!("{outer}::{inner}")) };
        self.memo.extended.borrow_mut().insert((path, name), extended);
        extended
    }
}
