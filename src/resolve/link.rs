//! Builds the module trees of all crates from lowered files and manifests.

use super::program::*;
use crate::names::Name;
use crate::syntax::hir::{self, ItemId, ItemKind};
use crate::workspace::model::{Skip, TargetKind, Workspace};
use rustc_hash::{FxHashMap, FxHashSet};

/// Links the files (sorted by path) into crates. Modules whose file is not there are returned beside it.
///
/// `known` says which crates are frameworks whose meaning the catalog gives, `described` which have parts that it
/// names: in such a crate's own repository its examples see it as any other service does, from outside.
pub fn link(
    workspace: &Workspace,
    files: Vec<(String, hir::File)>,
    known: &dyn Fn(&str) -> bool,
    described: &dyn Fn(&str) -> bool,
) -> (Program, Vec<Skip>) {
    let mut program = Program::default();
    for (path, hir) in files {
        let names = hir.symbols.iter().map(|s| program.names.intern(s)).collect();
        program.files.push(SourceUnit { path, hir, names });
    }
    let index = program.files.iter().enumerate().map(|(i, f)| (f.path.clone(), FileId(i as u32))).collect();
    let mut linker = Linker { index, missing: Vec::new(), visiting: Vec::new(), linked: FxHashMap::default(), items: MAX_ITEMS, program };
    let mut libraries: FxHashMap<&str, CrateId> = FxHashMap::default();
    let mut owners = Vec::new();
    let features_off = workspace.features_off();
    for (number, package) in workspace.packages.iter().enumerate() {
        for target in &package.targets {
            let Some(&file) = linker.index.get(&target.root) else { continue };
            let id = linker.add_crate(&target.name, &package.name, target.kind == TargetKind::Library, file);
            linker.program.crates[id.0 as usize].edition_2015 = package.edition == "2015";
            linker.program.crates[id.0 as usize].features_off = features_off[number].iter().map(|f| f.to_string()).collect();
            if target.kind == TargetKind::Library {
                libraries.entry(package.name.as_str()).or_insert(id);
            }
            owners.push((id, number, target.kind == TargetKind::Example));
        }
    }
    for (id, number, is_example) in owners {
        let package = &workspace.packages[number];
        let mut externs = FxHashMap::default();
        for dependency in package.dependencies.iter().filter(|d| is_example || !d.dev) {
            let name = linker.program.names.intern(&dependency.name);
            let target = match libraries.get(dependency.package.as_str()) {
                Some(&krate) if krate != id && !known(&dependency.package.replace('-', "_")) => Extern::Workspace(krate),
                _ => Extern::External(linker.program.names.intern(&dependency.package.replace('-', "_"))),
            };
            externs.insert(name, target);
        }
        let own = package.targets.iter().find(|t| t.kind == TargetKind::Library);
        if let (Some(target), Some(&library)) = (own, libraries.get(package.name.as_str()))
            && library != id
        {
            let name = linker.program.names.intern(&target.name);
            // Only examples are outside of the framework; its own binaries share its insides.
            let outside = |name: &str| known(name) || described(name);
            let seen =
                if is_example && outside(&target.name.replace('-', "_")) { Extern::External(name) } else { Extern::Workspace(library) };
            externs.insert(name, seen);
        }
        for package in externs.values() {
            if let Extern::External(name) = package
                && known(linker.program.names.text(*name))
            {
                linker.program.frameworks.insert(*name);
            }
        }
        for name in ["std", "core", "alloc"] {
            let name = linker.program.names.intern(name);
            externs.insert(name, Extern::External(linker.program.names.intern("std")));
        }
        linker.program.crates[id.0 as usize].externs = externs;
    }
    (linker.program, linker.missing)
}

struct Linker {
    program: Program,
    index: FxHashMap<String, FileId>,
    missing: Vec<Skip>,
    /// Files on the way from the crate root: a file that includes itself is linked once.
    visiting: Vec<FileId>,
    /// How often each file was entered for the crate that is being linked.
    linked: FxHashMap<FileId, u32>,
    /// Items that may still be linked.
    items: usize,
}

/// Times a file may be a module of, or be included in, one crate. Without a bound, files that include
/// each other twice stand for exponentially many items.
const MAX_LINKED: u32 = 16;
/// Items of all crates together, each as often as a target has it. The largest public workspaces have some 200,000.
const MAX_ITEMS: usize = 2_000_000;

/// Where the items of a module are and where its child modules' files are looked for.
#[derive(Clone)]
struct Place {
    module: ModId,
    file: FileId,
    krate: CrateId,
    /// Folder of `mod x;` files of this module.
    children: String,
    parent: Option<DefId>,
}

impl Linker {
    fn add_crate(&mut self, name: &str, package: &str, is_library: bool, file: FileId) -> CrateId {
        let id = CrateId(self.program.crates.len() as u32);
        let name = self.program.names.intern(name);
        let root = self.add_module(None, id, None, file, false);
        let externs = FxHashMap::default();
        self.program.crates.push(Crate {
            name,
            package: package.into(),
            is_library,
            root,
            externs,
            edition_2015: false,
            features_off: FxHashSet::default(),
        });
        let children = folder(&self.program.file(file).path).to_string();
        let place = Place { module: root, file, krate: id, children, parent: None };
        self.visiting = vec![file];
        self.linked.clear();
        let items = self.program.file(file).hir.root.clone();
        self.add_items(&place, &items);
        id
    }

    fn add_module(&mut self, def: Option<DefId>, krate: CrateId, parent: Option<ModId>, file: FileId, block: bool) -> ModId {
        let id = ModId(self.program.modules.len() as u32);
        let module = Module { def, krate: krate.0, parent, file: file.0, block, ..Module::default() };
        self.program.modules.push(module);
        id
    }

    fn add_def(&mut self, kind: DefKind, name: Name, item: ItemId, place: &Place) -> DefId {
        let id = DefId(self.program.defs.len() as u32);
        let (file, module, krate, parent) = (place.file, place.module, place.krate, place.parent);
        self.program.defs.push(Def { kind, name, file, item, module, body_module: module, krate, parent });
        id
    }

    fn add_items(&mut self, place: &Place, items: &[ItemId]) {
        let held = self.program.file(place.file).hir.items.len();
        let entered = self.linked.entry(place.file).or_insert(0);
        *entered += 1;
        let left = self.items.checked_sub(held).filter(|_| *entered <= MAX_LINKED);
        let Some(left) = left else {
            let reason = "its items are part of too many modules: some were left out".to_string();
            self.missing.push(Skip { path: self.program.file(place.file).path.clone(), reason });
            return;
        };
        self.items = left;
        let nested = self.block_items(place.file, items);
        for &item in items {
            self.add_item(place, item, &nested);
        }
    }

    /// Items inside function bodies of this file that are reached from `items`, by the function that holds them.
    fn block_items(&self, file: FileId, items: &[ItemId]) -> FxHashMap<ItemId, Vec<ItemId>> {
        let hir = &self.program.file(file).hir;
        let mut listed = FxHashSet::default();
        let mut queue = items.to_vec();
        let mut functions = Vec::new();
        while let Some(id) = queue.pop() {
            if !listed.insert(id) {
                continue;
            }
            match &hir.item(id).kind {
                ItemKind::Impl { items, .. } | ItemKind::Trait { items, .. } => queue.extend(items),
                ItemKind::Mod { items: Some(items), .. } => queue.extend(items),
                ItemKind::MacroCall { items, .. } => queue.extend(items),
                ItemKind::Fn(_) => functions.push(id),
                _ => {}
            }
        }
        let mut result: FxHashMap<ItemId, Vec<ItemId>> = FxHashMap::default();
        if listed.len() == hir.items.len() || items != hir.root.as_slice() {
            return result;
        }
        functions.sort_by_key(|&f| (hir.item(f).span.line, hir.item(f).span.column));
        let mut inner_listed = FxHashSet::default();
        for number in 0..hir.items.len() as u32 {
            let id = ItemId(number);
            if listed.contains(&id) {
                continue;
            }
            let at = hir.item(id).span;
            // Items below a listed block item (methods of an impl inside a function) come with their owner.
            match &hir.item(id).kind {
                ItemKind::Impl { items, .. } | ItemKind::Trait { items, .. } => inner_listed.extend(items.iter().copied()),
                ItemKind::Mod { items: Some(items), .. } => inner_listed.extend(items.iter().copied()),
                _ => {}
            }
            let before = functions.partition_point(|&f| (hir.item(f).span.line, hir.item(f).span.column) <= (at.line, at.column));
            let holder = functions[..before].iter().rev().take(64).find(|&&f| {
                let span = hir.item(f).span;
                (span.end_line, span.end_column) >= (at.end_line, at.end_column)
            });
            if let Some(&holder) = holder {
                result.entry(holder).or_default().push(id);
            }
        }
        for list in result.values_mut() {
            list.retain(|id| !inner_listed.contains(id));
        }
        result
    }

    fn add_item(&mut self, place: &Place, id: ItemId, nested: &FxHashMap<ItemId, Vec<ItemId>>) {
        let file = place.file;
        let hir = &self.program.files[file.0 as usize].hir;
        let item = hir.item(id);
        let name = self.program.name_in(file, item.name);
        match &item.kind {
            ItemKind::Use(entries) => {
                for entry in entries {
                    let path = entry.path.iter().map(|&s| self.program.name_in(file, s)).collect();
                    let import = Import { path, global: entry.global };
                    let bound = entry.name.map(|n| self.program.name_in(file, n));
                    let module = &mut self.program.modules[place.module.0 as usize];
                    match bound {
                        _ if entry.glob => module.globs.push(import),
                        Some(bound) => module.imports.entry(bound).or_default().push(import),
                        None => {}
                    }
                }
            }
            ItemKind::ExternCrate { alias } => {
                let bound = alias.map_or(name, |a| self.program.name_in(file, a));
                let import = Import { path: vec![name], global: true };
                self.program.modules[place.module.0 as usize].imports.entry(bound).or_default().push(import);
            }
            ItemKind::Mod { items, path_attr } => {
                let inline = items.clone();
                let path_attr = path_attr.map(|p| hir.str(p).to_string());
                let gated = item.attrs.iter().any(|a| hir.str(a.path) == "cfg");
                self.add_mod(place, id, name, inline, path_attr, gated, nested);
            }
            ItemKind::MacroCall { path, items, args, .. } => {
                let items = items.clone();
                let included = match (hir.str(*path), args.first().map(|&a| &hir.expr(a).kind)) {
                    ("include" | "std::include" | "core::include", Some(hir::ExprKind::Lit(hir::Lit::Str(s)))) => {
                        Some(hir.str(*s).to_string())
                    }
                    _ => None,
                };
                for item in items {
                    self.add_item(place, item, nested);
                }
                if let Some(path) = included {
                    self.include(place, &path);
                }
            }
            ItemKind::Impl { items, .. } => {
                let items = items.clone();
                let def = self.add_def(DefKind::Impl, name, id, place);
                // Its place first: the bodies of its functions may hold impls of their own.
                let number = self.program.impls.len() as u32;
                self.program.impls.push(Impl { def, trait_: None, self_ty: super::Ty::Unknown, fns: Vec::new() });
                let within = Place { parent: Some(def), ..place.clone() };
                let mut fns = Vec::new();
                for item in items {
                    if let Some(child) = self.add_associated(&within, item, nested) {
                        self.program.impl_of.insert(child, number);
                        fns.push((self.program.def(child).name, child));
                    }
                }
                self.program.impls[number as usize].fns = fns;
            }
            kind => {
                let children: Vec<ItemId> = if let ItemKind::Trait { items, .. } = kind { items.clone() } else { Vec::new() };
                let variants: Vec<Name> = match kind {
                    ItemKind::Enum { variants, .. } => variants.iter().map(|v| self.program.name_in(file, v.name)).collect(),
                    _ => Vec::new(),
                };
                let Some(kind) = def_kind(kind) else { return };
                let def = self.add_def(kind, name, id, place);
                self.program.modules[place.module.0 as usize].scope.entry(name).or_default().push(def);
                let within = Place { parent: Some(def), ..place.clone() };
                for (number, variant) in variants.into_iter().enumerate() {
                    let variant = self.add_def(DefKind::Variant(number as u32), variant, id, &within);
                    self.program.variants.entry(def).or_default().push(variant);
                }
                for item in children {
                    if let Some(child) = self.add_associated(&within, item, nested) {
                        let name = self.program.def(child).name;
                        self.program.trait_fns.insert((def, name), child);
                    }
                }
                self.add_nested(place, def, id, nested);
            }
        }
    }

    /// Functions and constants of an impl or trait.
    fn add_associated(&mut self, place: &Place, id: ItemId, nested: &FxHashMap<ItemId, Vec<ItemId>>) -> Option<DefId> {
        let item = self.program.file(place.file).hir.item(id);
        let name = self.program.name_in(place.file, item.name);
        let kind = def_kind(&item.kind)?;
        let def = self.add_def(kind, name, id, place);
        self.add_nested(place, def, id, nested);
        Some(def)
    }

    fn add_nested(&mut self, place: &Place, def: DefId, id: ItemId, nested: &FxHashMap<ItemId, Vec<ItemId>>) {
        let Some(items) = nested.get(&id) else { return };
        let module = self.add_module(None, place.krate, Some(place.module), place.file, true);
        self.program.defs[def.0 as usize].body_module = module;
        let within = Place { module, parent: Some(def), ..place.clone() };
        for &item in items {
            self.add_item(&within, item, nested);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call site; the parts of one item")]
    fn add_mod(
        &mut self,
        place: &Place,
        id: ItemId,
        name: Name,
        inline: Option<Vec<ItemId>>,
        path_attr: Option<String>,
        gated: bool,
        nested: &FxHashMap<ItemId, Vec<ItemId>>,
    ) {
        let text = self.program.text(name).trim_start_matches("r#").to_string();
        let below = join(&place.children, &text);
        if let Some(items) = inline {
            let module = self.enter(place, id, name, place.file);
            let children = path_attr.map_or(below, |p| join(&place.children, &p));
            let within = Place { module, children, parent: None, ..place.clone() };
            for item in items {
                self.add_item(&within, item, nested);
            }
            return;
        }
        let own = folder(&self.program.file(place.file).path).to_string();
        let candidates = match &path_attr {
            Some(path) => vec![join(&own, path)],
            None => vec![format!("{below}.rs"), join(&below, "mod.rs")],
        };
        let found = candidates.iter().find_map(|c| self.index.get(c).map(|&f| (c.clone(), f)));
        let Some((path, file)) = found else {
            if !gated {
                let reason = format!("module `{text}` of {} has no file here", self.program.file(place.file).path);
                self.missing.push(Skip { path: candidates[0].clone(), reason });
            }
            return;
        };
        if self.visiting.contains(&file) {
            return;
        }
        let module = self.enter(place, id, name, file);
        // Below `x/mod.rs` and below a `#[path]` file children lie in the file's own folder.
        let children = if path_attr.is_some() || path.ends_with("/mod.rs") { folder(&path).to_string() } else { below };
        let within = Place { module, file, krate: place.krate, children, parent: None };
        self.visiting.push(file);
        let items = self.program.file(file).hir.root.clone();
        self.add_items(&within, &items);
        self.visiting.pop();
    }

    fn enter(&mut self, place: &Place, id: ItemId, name: Name, file: FileId) -> ModId {
        let module = self.add_module(None, place.krate, Some(place.module), file, false);
        let def = self.add_def(DefKind::Mod(module), name, id, place);
        self.program.modules[module.0 as usize].def = Some(def);
        self.program.modules[place.module.0 as usize].scope.entry(name).or_default().push(def);
        module
    }

    fn include(&mut self, place: &Place, path: &str) {
        let path = join(folder(&self.program.file(place.file).path), path);
        let Some(&file) = self.index.get(&path) else { return };
        if self.visiting.contains(&file) {
            return;
        }
        self.visiting.push(file);
        let within = Place { file, ..place.clone() };
        let items = self.program.file(file).hir.root.clone();
        self.add_items(&within, &items);
        self.visiting.pop();
    }
}

fn def_kind(kind: &ItemKind) -> Option<DefKind> {
    Some(match kind {
        ItemKind::Fn(_) => DefKind::Fn,
        ItemKind::Struct { .. } => DefKind::Struct,
        ItemKind::Enum { .. } => DefKind::Enum,
        ItemKind::Union { .. } => DefKind::Union,
        ItemKind::Trait { .. } => DefKind::Trait,
        ItemKind::TypeAlias { .. } => DefKind::Alias,
        ItemKind::Static { .. } => DefKind::Static,
        ItemKind::Const { .. } => DefKind::Const,
        ItemKind::MacroRules => DefKind::Macro,
        _ => return None,
    })
}

/// The folder of a file path, `""` at the root.
fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(dir, _)| dir)
}

/// Joins and normalises `.` and `..`; a path that leaves the root keeps its `..` and is found nowhere.
fn join(dir: &str, path: &str) -> String {
    let mut parts: Vec<&str> = dir.split('/').filter(|p| !p.is_empty()).collect();
    for part in path.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
