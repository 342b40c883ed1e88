//! What the service's own configuration files say of its settings: they win over the defaults in the code.

use super::shipped::{self, Shipped};
use crate::finding::Location;
use crate::names::Name;
use crate::resolve::{DefId, DefKind, Program, Ty};
use crate::workspace::text::is_within;
use rustc_hash::FxHashMap;
use std::cell::OnceCell;

/// One value in a file, or in the environment that a file sets.
#[derive(Clone, Debug)]
pub struct Configured {
    /// From the outermost key to the one of the value, in small letters with `_`.
    pub keys: Vec<String>,
    pub value: String,
    pub location: Location,
}

impl Configured {
    /// `key` is what a file has it under, its levels joined by dots, or the name of a variable, whose levels
    /// are joined by two underscores.
    pub fn new(key: &str, value: &str, location: Location) -> Configured {
        let levels = key.split('.').flat_map(|part| part.split("__"));
        let keys = levels.filter(|part| !part.is_empty()).map(|part| part.replace('-', "_").to_ascii_lowercase());
        Configured { keys: keys.collect(), value: value.to_owned(), location }
    }
}

/// All of them, by their last key.
#[derive(Default)]
pub struct Configuration {
    pub values: Vec<Configured>,
    by_key: FxHashMap<String, Vec<u32>>,
    holders: OnceCell<FxHashMap<DefId, Vec<Name>>>,
}

/// What the files say of one setting.
pub enum Said {
    Value(Shipped, u32),
    /// One file says this, another one that.
    Disagree,
}

/// Tables that choose among deployments and name no field.
const PROFILES: [&str; 5] = ["default", "global", "release", "production", "app"];

impl Configuration {
    pub fn new(values: Vec<Configured>) -> Configuration {
        let mut by_key: FxHashMap<String, Vec<u32>> = FxHashMap::default();
        for (index, configured) in values.iter().enumerate() {
            if let Some(last) = configured.keys.last() {
                by_key.entry(last.clone()).or_default().push(index as u32);
            }
        }
        Configuration { values, by_key, holders: OnceCell::new() }
    }

    /// What the files beside the code say of a field of a settings type.
    pub fn of(&self, p: &Program, holder: DefId, name: Name) -> Option<Said> {
        if self.values.is_empty() {
            return None;
        }
        let field = p.text(name);
        let owners = self.holders.get_or_init(|| holders(p)).get(&holder).map_or(&[][..], Vec::as_slice);
        let ty = p.field_type(holder, &[], name).unwrap_or(Ty::Unknown);
        let folder = package_folder(p, holder);
        let named = self.by_key.get(field).into_iter().flatten().copied().filter(|&index| {
            let keys = &self.values[index as usize].keys;
            match keys.split_last().map(|(_, outer)| outer) {
                Some([.., outer]) if owners.iter().any(|owner| p.text(*owner) == outer) => true,
                Some([profile]) => owners.is_empty() && PROFILES.contains(&profile.as_str()),
                Some(outer) => outer.is_empty() && owners.is_empty(),
                None => false,
            }
        });
        // `DATABASE_KIND` for the field `kind` of what the field `database` holds.
        let joined = owners.iter().flat_map(|owner| self.by_key.get(&format!("{}_{field}", p.text(*owner))));
        let joined = joined.flatten().copied().filter(|&index| self.values[index as usize].keys.len() == 1);
        let mut said: Option<(Shipped, u32)> = None;
        for index in named.chain(joined) {
            let configured = &self.values[index as usize];
            if configured.value.is_empty() || configured.value.contains("${") || !is_beside(&configured.location.path, folder) {
                continue;
            }
            let value = shipped::named(p, &ty, &configured.value);
            match &said {
                Some((other, _)) if *other != value => return Some(Said::Disagree),
                Some(_) => {}
                None => said = Some((value, index)),
            }
        }
        said.map(|(value, index)| Said::Value(value, index))
    }
}

/// Names of the fields that hold a struct of the tree, by that struct.
fn holders(p: &Program) -> FxHashMap<DefId, Vec<Name>> {
    let mut found: FxHashMap<DefId, Vec<Name>> = FxHashMap::default();
    for number in 0..p.defs.len() as u32 {
        let def = DefId(number);
        let Some((_, fields)) = p.fields_of(def).filter(|_| p.def(def).kind == DefKind::Struct) else { continue };
        let file = p.def(def).file;
        for field in &fields.fields {
            let name = p.name_in(file, field.name);
            if let Some(Ty::Adt(inner, _)) = p.field_type(def, &[], name).map(held) {
                found.entry(inner).or_default().push(name);
            }
        }
    }
    found
}

/// What an option or a pointer holds.
fn held(ty: Ty) -> Ty {
    match &ty {
        Ty::Ext(_, args) if args.len() == 1 => held(ty.arg(0)),
        _ => ty,
    }
}

/// The folder of the package that a definition belongs to, without a slash at its end.
fn package_folder(p: &Program, def: DefId) -> &str {
    let root = p.module(p.krate(p.def(def).krate).root).file;
    let path = p.files.get(root as usize).map_or("", |file| file.path.as_str());
    match path.find("src/") {
        Some(at) if at == 0 || path[..at].ends_with('/') => path[..at].trim_end_matches('/'),
        _ => path.rsplit_once('/').map_or("", |(folder, _)| folder),
    }
}

/// Whether a file lies in a package, in a folder above it, or in a folder of such a one.
fn is_beside(path: &str, package: &str) -> bool {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let above = folder.rsplit_once('/').map_or("", |(above, _)| above);
    is_within(folder, package) || is_within(package, folder) || is_within(package, above)
}
