//! Writes to plain fields of values that only look like the ones that live long: a copy that a function
//! was given, or a value of the same type that a request made for itself.

use super::hosts::{Hosts, is_plain, is_shared};
use super::model::*;
use crate::catalog::Catalog;
use crate::resolve::{DefId, Program, Ty};
use crate::syntax::hir;
use rustc_hash::{FxHashMap, FxHashSet};

/// What is asked of each write.
pub struct Ways<'a> {
    pub p: &'a Program,
    pub cat: &'a Catalog,
    pub facts: &'a Facts,
    pub hosts: &'a Hosts,
}

impl Ways<'_> {
    /// The writes through a parameter whose callers were seen, none of which gives something that lives long.
    pub fn strays(&self, is_cell: &dyn Fn(AccessId) -> bool) -> Vec<AccessId> {
        let ids = || (0..self.facts.accesses.len() as u32).map(AccessId);
        let mut given: FxHashMap<AccessId, Vec<AccessId>> = FxHashMap::default();
        for id in ids() {
            if let Some(origin) = self.facts.access(id).via {
                given.entry(origin).or_default().push(id);
            }
        }
        let served = self.facts.entries.iter().filter(|e| !e.consumes()).filter_map(|e| e.def).collect();
        let lives = |id: &AccessId| !self.is_loose(self.facts.access(*id)) && is_cell(*id);
        let stray = |id: &AccessId| {
            let access = self.facts.access(*id);
            if access.via.is_some() || !access.op.writes() || !self.is_plain_way(access) {
                return false;
            }
            self.is_copy(access, &served) || self.is_loose(access) && given.get(id).is_some_and(|all| !all.iter().any(lives))
        };
        ids().filter(stray).collect()
    }

    /// Whether a way leads from a parameter whose type several fields hold: it does not say which value is meant.
    fn is_loose(&self, access: &Access) -> bool {
        let Root::Param(_, Ty::Adt(def, _)) = &access.place.root else { return false };
        !self.hosts.direct.contains(def) && self.hosts.shared.contains(def) && self.is_plain_way(access)
    }

    /// Whether a way leads from a parameter through plain values alone.
    fn is_plain_way(&self, access: &Access) -> bool {
        let (Root::Param(_, Ty::Adt(..)), Some(Seg::Field(..))) = (&access.place.root, access.place.path.first()) else { return false };
        let ty = |seg: &Seg| match seg {
            Seg::Field(def, name) => self.p.field_type(*def, &[], *name),
            Seg::Elem | Seg::Below => None,
        };
        let plain = |ty: &Ty| is_plain(self.p, self.cat, ty) || is_text(self.p, ty);
        let (last, way) = (access.place.path.iter().rev().find_map(ty), &access.place.path);
        last.is_some_and(|ty| plain(&ty)) && !way.iter().filter_map(ty).any(|ty| is_shared(self.p, self.cat, &ty))
    }

    /// Whether the parameter is nobody else's: no reference, and either its type is `Copy` or a framework has made it for
    /// this request.
    fn is_copy(&self, access: &Access, served: &FxHashSet<DefId>) -> bool {
        let Root::Param(index, Ty::Adt(def, _)) = &access.place.root else { return false };
        let function = self.p.function(self.facts.node(access.node).def);
        let taken = function.is_some_and(|f| match index.checked_sub(1) {
            None => f.receiver == Some(hir::Receiver::Value),
            Some(index) => f.params.get(index as usize).and_then(|p| p.ty).is_some_and(|ty| {
                let file = self.p.def(self.facts.node(access.node).def).file;
                matches!(self.p.file(file).hir.ty(ty), hir::Type::Path(_))
            }),
        });
        let owner = self.facts.node(access.node).def;
        taken && (self.p.derives(*def, "Copy") || *index > 0 && served.contains(&owner))
    }
}

fn is_text(p: &Program, ty: &Ty) -> bool {
    matches!(ty, Ty::Ext(name, _) if p.text(*name) == "std::string::String")
}
