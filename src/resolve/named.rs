//! Types that nothing but their own impls names: no value of such a type is ever made.

use super::program::*;
use crate::names::Name;
use crate::syntax::hir::{ExprKind, ItemKind, Path, Type};
use rustc_hash::{FxHashMap, FxHashSet};

/// How many linked files have a name among their symbols, by name.
pub struct Mentions(FxHashMap<Name, u32>);

impl Mentions {
    pub fn find(p: &Program) -> Mentions {
        let linked: FxHashSet<u32> = p.modules.iter().map(|module| module.file).collect();
        let mut files = FxHashMap::default();
        for &file in &linked {
            let unique: FxHashSet<Name> = p.file(FileId(file)).names.iter().copied().collect();
            unique.into_iter().for_each(|name| *files.entry(name).or_default() += 1);
        }
        Mentions(files)
    }

    /// Whether some file beside its own names a type, or its own does so in an expression or in a type that is no
    /// impl's.
    pub fn names(&self, p: &Program, def: DefId) -> bool {
        let (file, name) = (p.def(def).file, p.def(def).name);
        if self.0.get(&name).is_some_and(|&files| files > 1) {
            return true;
        }
        let hir = &p.file(file).hir;
        let says = |path: &Path| path.segments.iter().any(|s| p.name_in(file, s.name) == name);
        let of_impl = |kind: &ItemKind| match kind {
            ItemKind::Impl { self_ty, .. } => Some(*self_ty),
            _ => None,
        };
        let headers = hir.items.iter().filter_map(|item| of_impl(&item.kind));
        let headers = headers.filter(|&ty| matches!(hir.ty(ty), Type::Path(path) if says(path))).count();
        let types = hir.types.iter().filter(|ty| matches!(ty, Type::Path(path) if says(path))).count();
        let made = |kind: &ExprKind| match kind {
            ExprKind::Path(path) | ExprKind::Struct { path, .. } => says(path),
            _ => false,
        };
        types > headers || hir.exprs.iter().any(|expr| made(&expr.kind))
    }
}
