//! The definitions of all crates of the tree and the modules that hold them.

use super::types::Ty;
use crate::names::{Name, Names};
use crate::syntax::hir;
use rustc_hash::{FxHashMap, FxHashSet};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub u32);
    )*};
}
ids! {
    /// Index into [`Program::files`], which is sorted by path.
    FileId,
    /// Index into [`Program::crates`].
    CrateId,
    /// Index into [`Program::modules`].
    ModId,
    /// Index into [`Program::defs`]; ascending in file and source order within a crate.
    DefId,
}

pub struct SourceUnit {
    /// Relative to the scanned root, with `/`.
    pub path: String,
    pub hir: hir::File,
    /// File-local symbol to program-wide name.
    pub names: Vec<Name>,
}

pub struct Crate {
    /// As in code, with `_`.
    pub name: Name,
    pub package: String,
    pub is_library: bool,
    pub root: ModId,
    /// Names in code to workspace crates or external packages.
    pub externs: FxHashMap<Name, Extern>,
    pub edition_2015: bool,
    /// Features that no build of the tree switches on.
    pub features_off: FxHashSet<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extern {
    Workspace(CrateId),
    /// The crate's own name with `_`, also when the dependency is renamed.
    External(Name),
}

#[derive(Default)]
pub struct Module {
    pub def: Option<DefId>,
    pub krate: u32,
    pub parent: Option<ModId>,
    pub file: u32,
    /// A module for the items inside a function body: names not found in it are looked up in the parent.
    pub block: bool,
    pub scope: FxHashMap<Name, Vec<DefId>>,
    pub imports: FxHashMap<Name, Vec<Import>>,
    pub globs: Vec<Import>,
}

#[derive(Clone, Debug)]
pub struct Import {
    pub path: Vec<Name>,
    pub global: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DefKind {
    Mod(ModId),
    Struct,
    Enum,
    Union,
    Trait,
    Alias,
    Fn,
    Static,
    Const,
    Impl,
    /// Its index in the enum, whose definition is the parent.
    Variant(u32),
    Macro,
}

pub struct Def {
    pub kind: DefKind,
    pub name: Name,
    pub file: FileId,
    pub item: hir::ItemId,
    /// The module in which the names of its signature are looked up.
    pub module: ModId,
    /// The module for names in its body: differs if the body declares items.
    pub body_module: ModId,
    pub krate: CrateId,
    /// The impl, trait, enum, or the function whose body holds it.
    pub parent: Option<DefId>,
}

pub struct Impl {
    pub def: DefId,
    pub trait_: Option<Res>,
    pub self_ty: Ty,
    pub fns: Vec<(Name, DefId)>,
}

/// What a path stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Res {
    Def(DefId),
    Mod(ModId),
    /// Something outside the tree, by its canonical path: `tokio::sync::Mutex`.
    Ext(Name),
}

#[derive(Default)]
pub struct Program {
    pub names: Names,
    pub files: Vec<SourceUnit>,
    pub crates: Vec<Crate>,
    pub modules: Vec<Module>,
    pub defs: Vec<Def>,
    /// Ascending in their definitions.
    pub impls: Vec<Impl>,
    /// Associated functions by the head of the self type and their name, inherent ones first.
    pub methods: FxHashMap<(Res, Name), Vec<DefId>>,
    /// Impls by their trait.
    pub impls_of: FxHashMap<Res, Vec<u32>>,
    /// Functions of traits of the tree, with or without a body.
    pub trait_fns: FxHashMap<(DefId, Name), DefId>,
    /// Those of them with a body, by name, with their trait.
    pub defaults: FxHashMap<Name, Vec<(DefId, DefId)>>,
    /// The impl of an associated item.
    pub impl_of: FxHashMap<DefId, u32>,
    /// The first type alias, in source order, that stands for a type.
    pub alias_of: FxHashMap<Ty, DefId>,
    /// Functions by name for impls on type parameters (`impl<T: X> Trait for T`).
    pub blanket: FxHashMap<Name, Vec<DefId>>,
    /// Crates of frameworks, whose globs may be what an unknown name comes through.
    pub frameworks: FxHashSet<Name>,
    /// Variants by enum, in order.
    pub variants: FxHashMap<DefId, Vec<DefId>>,
    /// The programs that each crate is linked into, in order.
    pub processes: Vec<Vec<u32>>,
    pub(super) memo: super::paths::Memo,
    /// What lowering a written type has used up.
    pub(super) fuel: super::lower::Fuel,
}

impl Program {
    pub fn def(&self, id: DefId) -> &Def {
        &self.defs[id.0 as usize]
    }
    pub fn module(&self, id: ModId) -> &Module {
        &self.modules[id.0 as usize]
    }
    pub fn file(&self, id: FileId) -> &SourceUnit {
        &self.files[id.0 as usize]
    }
    pub fn krate(&self, id: CrateId) -> &Crate {
        &self.crates[id.0 as usize]
    }
    /// The package that a definition belongs to.
    pub fn package_of(&self, id: DefId) -> &str {
        &self.krate(self.def(id).krate).package
    }
    pub fn item(&self, id: DefId) -> &hir::Item {
        let def = self.def(id);
        self.file(def.file).hir.item(def.item)
    }
    /// The words in what a type's attributes derive: traits, and the segments of their paths.
    pub fn derived(&self, def: DefId) -> impl Iterator<Item = &str> {
        let hir = &self.file(self.def(def).file).hir;
        let derives = self.item(def).attrs.iter().filter(|a| hir.str(a.path) == "derive");
        derives.flat_map(|a| hir.str(a.args).split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
    }
    /// Whether a type's attributes derive a trait of this name.
    pub fn derives(&self, def: DefId, name: &str) -> bool {
        self.derived(def).any(|word| word == name)
    }
    pub fn text(&self, name: Name) -> &str {
        self.names.text(name)
    }
    pub fn function(&self, id: DefId) -> Option<&hir::Function> {
        match &self.item(id).kind {
            hir::ItemKind::Fn(function) => Some(function),
            _ => None,
        }
    }
    /// The name of a definition's file-local symbol.
    pub fn name_in(&self, file: FileId, sym: hir::Sym) -> Name {
        self.file(file).names[sym.0 as usize]
    }

    /// The full path of a definition: `shop::otp::CODES`, `shop::Repo::save`.
    pub fn path(&self, id: DefId) -> String {
        self.path_at(id, 0)
    }

    fn path_at(&self, id: DefId, depth: u32) -> String {
        let def = self.def(id);
        let own = self.text(def.name);
        // Types and impls inside functions can name each other in a circle.
        if depth > 12 {
            return own.to_string();
        }
        match def.parent {
            Some(parent) if self.def(parent).kind == DefKind::Impl => {
                let head = self.impl_of.get(&id).and_then(|&i| self.impls[i as usize].self_ty.head());
                match head {
                    Some(Res::Def(ty)) => format!("{}::{own}", self.path_at(ty, depth + 1)),
                    Some(Res::Ext(name)) => format!("{}::{own}", self.text(name)),
                    _ => format!("{}::{own}", self.module_path(def.module)),
                }
            }
            Some(parent) => format!("{}::{own}", self.path_at(parent, depth + 1)),
            None => format!("{}::{own}", self.module_path(def.module)),
        }
    }

    pub fn module_path(&self, id: ModId) -> String {
        let mut names = Vec::new();
        let mut module = self.module(id);
        while let Some(parent) = module.parent {
            names.extend(module.def.map(|def| self.text(self.def(def).name)));
            module = self.module(parent);
        }
        names.push(self.text(self.crates[module.krate as usize].name));
        names.reverse();
        names.join("::")
    }
}
