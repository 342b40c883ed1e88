//! Indexes of impls and aliases, built once after linking.

use super::paths::Space;
use super::program::*;
use super::types::Ty;
use crate::names::Name;
use crate::syntax::hir;

/// Traits of the standard library that nearly every type has: a bound by one says nothing about which type it is.
fn is_everyones(path: &str) -> bool {
    const NAMES: &[&str] = &[
        "Clone",
        "Copy",
        "Debug",
        "Default",
        "Display",
        "Drop",
        "Eq",
        "From",
        "Hash",
        "Into",
        "Ord",
        "PartialEq",
        "PartialOrd",
        "ToOwned",
        "ToString",
        "TryFrom",
        "TryInto",
    ];
    path.starts_with("std::") && path.rsplit("::").next().is_some_and(|last| NAMES.contains(&last))
}

impl Program {
    /// Fills the indexes of impls, methods and aliases. Associated types are known only after the
    /// methods are, so types are lowered twice where they name one.
    pub fn index_impls(&mut self) {
        for number in 0..self.impls.len() {
            let (trait_, self_ty) = self.impl_header(number);
            let fns = self.impls[number].fns.clone();
            if let Some(trait_) = trait_ {
                self.impls_of.entry(trait_).or_default().push(number as u32);
            }
            match self_ty.head() {
                Some(head) => {
                    for (name, def) in fns {
                        let list = self.methods.entry((head, name)).or_default();
                        let at = if trait_.is_none() { 0 } else { list.len() };
                        list.insert(at, def);
                    }
                }
                // By the orphan rule only a trait of the tree can have an impl for every type.
                None if matches!(self_ty, Ty::Param(_) | Ty::Traits(_)) && matches!(trait_, Some(Res::Def(_))) => {
                    for (name, def) in fns {
                        self.blanket.entry(name).or_default().push(def);
                    }
                }
                None => {}
            }
            self.impls[number].trait_ = trait_;
            self.impls[number].self_ty = self_ty;
        }
        for number in 0..self.defs.len() as u32 {
            let def = DefId(number);
            let owner = if self.def(def).kind == DefKind::Fn { self.moved_into(def) } else { None };
            if let Some(head) = owner.and_then(|ty| ty.head()) {
                self.methods.entry((head, self.def(def).name)).or_default().insert(0, def);
            }
        }
        for (&(trait_, name), &function) in &self.trait_fns {
            if self.function(function).is_some_and(|f| f.body.is_some()) {
                self.defaults.entry(name).or_default().push((trait_, function));
            }
        }
        self.memo.forget();
        for number in 0..self.defs.len() {
            let def = DefId(number as u32);
            if self.def(def).kind != DefKind::Alias || self.def(def).parent.is_some() {
                continue;
            }
            if let Some(ty) = self.alias_type(def).filter(|t| t.head().is_some()) {
                self.alias_of.entry(ty).or_insert(def);
            }
        }
    }

    fn impl_header(&self, number: usize) -> (Option<Res>, Ty) {
        let def = self.impls[number].def;
        let file = self.def(def).file;
        let scope = self.scope_of(def);
        let trait_ = match &self.item(def).kind {
            hir::ItemKind::Impl { trait_path: Some(path), .. } => {
                let names: Vec<Name> = path.segments.iter().map(|s| self.name_in(file, s.name)).collect();
                // A trait that cannot be resolved keeps its last name, so that `impl` is not taken for inherent.
                let unknown = names.last().map(|&n| Res::Ext(self.names.intern(&format!("?::{}", self.text(n)))));
                self.resolve(scope.module, &names, path.global, Space::Type).or(unknown)
            }
            _ => None,
        };
        (trait_, scope.self_ty.unwrap_or(Ty::Unknown))
    }

    /// The functions a method call on this type may mean: its own, then those of its traits' impls
    /// in the tree. For a trait object or bounded parameter, the impls of the trait.
    pub fn methods_on(&self, ty: &Ty, name: Name) -> Vec<DefId> {
        match ty {
            Ty::Traits(traits) => {
                let mut found = Vec::new();
                for trait_ in traits.iter() {
                    self.trait_methods(*trait_, name, &mut found, 0);
                }
                found
            }
            _ => {
                let Some(head) = ty.head() else { return Vec::new() };
                let own = self.methods.get(&(head, name)).cloned().unwrap_or_default();
                let own: Vec<DefId> = own.into_iter().filter(|&d| self.def(d).kind == DefKind::Fn).collect();
                if !own.is_empty() {
                    // An inherent method hides those of traits.
                    let inherent = own.iter().filter(|d| self.impl_of.get(d).is_some_and(|&i| self.impls[i as usize].trait_.is_none()));
                    let inherent: Vec<DefId> = inherent.copied().collect();
                    return if inherent.is_empty() { own } else { inherent };
                }
                let found = self.default_methods(head, name);
                if found.is_empty() { self.dispatched(ty, name) } else { found }
            }
        }
    }

    /// The same as seen from a module: what a trait gives to every type counts only where the trait is in scope.
    pub fn methods_in(&self, module: ModId, ty: &Ty, name: Name) -> Vec<DefId> {
        let mut found = self.methods_on(ty, name);
        if let Some(blanket) = self.blanket.get(&name) {
            let trait_ = |d: &DefId| self.impl_of.get(d).and_then(|&i| self.impls[i as usize].trait_);
            found.retain(|d| !blanket.contains(d) || matches!(trait_(d), Some(Res::Def(t)) if self.in_scope(t, module)));
        }
        found
    }

    /// Whether a module, or a function's body in it, has a trait of the tree in scope.
    fn in_scope(&self, trait_: DefId, mut module: ModId) -> bool {
        let name = self.def(trait_).name;
        loop {
            let imports = || self.module(module).imports.values().flatten();
            let renamed = |path: &[Name]| path.last() == Some(&name);
            if self.resolve(module, &[name], false, Space::Type) == Some(Res::Def(trait_))
                || imports().any(|i| renamed(&i.path) && self.resolve(module, &i.path, i.global, Space::Type) == Some(Res::Def(trait_)))
            {
                return true;
            }
            match self.module(module) {
                here if here.block => match here.parent {
                    Some(parent) => module = parent,
                    None => return false,
                },
                _ => return false,
            }
        }
    }

    /// The methods behind an enum whose attribute passes a trait's calls on to what its variants hold.
    fn dispatched(&self, ty: &Ty, name: Name) -> Vec<DefId> {
        let Ty::Adt(def, args) = ty else { return Vec::new() };
        let item = self.item(*def);
        let hir = &self.file(self.def(*def).file).hir;
        let passes_on = item
            .attrs
            .iter()
            .any(|a| matches!(hir.str(a.path).rsplit("::").next(), Some("enum_dispatch" | "delegated_enum" | "ambassador" | "auto_enum")));
        if self.def(*def).kind != DefKind::Enum || !passes_on {
            return Vec::new();
        }
        let mut found = Vec::new();
        for &variant in self.variants.get(def).into_iter().flatten() {
            let Some((_, fields)) = self.fields_of(variant) else { continue };
            let file = self.def(variant).file;
            let Some(field) = fields.fields.first() else { continue };
            if let Some(held) = self.field_type(variant, args, self.name_in(file, field.name)) {
                found.extend(self.methods_on(&held, name));
            }
        }
        found
    }

    /// Default bodies of traits of the tree that the type implements, and blanket impls.
    fn default_methods(&self, head: Res, name: Name) -> Vec<DefId> {
        let mut found = Vec::new();
        for &(trait_, function) in self.defaults.get(&name).into_iter().flatten() {
            let impls = self.impls_of.get(&Res::Def(trait_)).into_iter().flatten();
            if impls.clone().any(|&i| self.impls[i as usize].self_ty.head() == Some(head)) {
                found.push(function);
            }
        }
        let blanket = self.blanket.get(&name).into_iter().flatten();
        found.extend(blanket.filter(|def| self.covers(**def, head)));
        found.sort();
        found
    }

    /// Whether the impl of a function for all types with certain traits is one for this type: a trait of the
    /// tree among them must have an impl for it.
    fn covers(&self, function: DefId, head: Res) -> bool {
        let Some(&number) = self.impl_of.get(&function) else { return true };
        let Ty::Traits(bounds) = &self.impls[number as usize].self_ty else { return true };
        bounds.iter().filter(|bound| matches!(bound, Res::Def(_))).all(|bound| {
            let impls = self.impls_of.get(bound).into_iter().flatten().map(|&i| &self.impls[i as usize].self_ty);
            // `impl Draw for &mut T where T: Draw` makes nobody draw who does not.
            let own = |ty: &Ty| !matches!(ty, Ty::Traits(traits) if traits.contains(bound));
            impls.filter(|ty| own(ty)).map(Ty::head).any(|own| own.is_none_or(|own| own == head))
        })
    }

    fn trait_methods(&self, trait_: Res, name: Name, found: &mut Vec<DefId>, depth: u32) {
        if depth > 4 || matches!(trait_, Res::Ext(path) if is_everyones(self.text(path))) {
            return;
        }
        for &number in self.impls_of.get(&trait_).into_iter().flatten() {
            let fns = &self.impls[number as usize].fns;
            found.extend(fns.iter().filter(|(n, d)| *n == name && self.def(*d).kind == DefKind::Fn).map(|(_, d)| *d));
        }
        let Res::Def(def) = trait_ else { return };
        if let Some(&own) = self.trait_fns.get(&(def, name))
            && self.function(own).is_some_and(|f| f.body.is_some())
        {
            found.push(own);
        }
        if let hir::ItemKind::Trait { supertraits, .. } = &self.item(def).kind {
            for path in supertraits {
                let names: Vec<Name> = path.segments.iter().map(|s| self.name_in(self.def(def).file, s.name)).collect();
                if let Some(res) = self.resolve(self.def(def).module, &names, path.global, Space::Type) {
                    self.trait_methods(res, name, found, depth + 1);
                }
            }
        }
    }
}
