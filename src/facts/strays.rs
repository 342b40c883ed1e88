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
    p: &'a Program,
    cat: &'a Catalog,
    facts: &'a Facts,
    hosts: &'a Hosts,
    /// The bodies that call a function.
    calls: FxHashMap<DefId, Vec<NodeId>>,
    /// Types with a method that loops over what comes or what is due: their values live as long as the loop.
    looping: FxHashSet<DefId>,
}

impl<'a> Ways<'a> {
    pub fn new(p: &'a Program, cat: &'a Catalog, facts: &'a Facts, hosts: &'a Hosts) -> Ways<'a> {
        let mut calls: FxHashMap<DefId, Vec<NodeId>> = FxHashMap::default();
        for call in &facts.calls {
            calls.entry(call.target).or_default().push(call.node);
        }
        let loops = |n: &&Node| n.periodic.is_some() || n.pumps || n.listens;
        let owner = |n: &Node| match p.scope_of(n.def).self_ty {
            Some(Ty::Adt(def, _)) => Some(def),
            _ => None,
        };
        let looping = facts.nodes.iter().filter(loops).filter_map(owner).collect();
        Ways { p, cat, facts, hosts, calls, looping }
    }

    /// The writes through a parameter whose callers were seen, none of which gives something that lives long. What
    /// has no lock or cell of its own is changed through `&mut` alone, so the way to shared state passes a guard, a
    /// static, or the loop that owns it; a way that ends in a caller's own value leads to none.
    pub fn strays(&self, is_cell: &dyn Fn(AccessId) -> bool) -> Vec<AccessId> {
        let ids = || (0..self.facts.accesses.len() as u32).map(AccessId);
        let mut given: FxHashMap<AccessId, Vec<AccessId>> = FxHashMap::default();
        for id in ids() {
            if let Some(origin) = self.facts.access(id).via {
                given.entry(origin).or_default().push(id);
            }
        }
        let served = self.facts.entries.iter().filter(|e| !e.consumes()).filter_map(|e| e.def).collect();
        let stray = |id: &AccessId| {
            let access = self.facts.access(*id);
            if access.via.is_some() || !access.op.writes() || !self.is_plain_way(access) {
                return false;
            }
            let all = given.get(id).map(Vec::as_slice).unwrap_or_default();
            // Any of several fields may be meant, or none: callers decide.
            let several = || !all.is_empty() && !all.iter().any(|d| !self.is_loose(self.facts.access(*d)) && is_cell(*d));
            self.is_copy(access, &served) || self.is_loose(access) && several() || self.is_passed(access) && self.is_own(*id, all, is_cell)
        };
        ids().filter(stray).collect()
    }

    /// Whether every body that calls the function of an access gives it a value of its own, or what it was given itself.
    fn is_own(&self, id: AccessId, all: &[AccessId], is_cell: &dyn Fn(AccessId) -> bool) -> bool {
        let Some(own) = self.facts.own_given.get(&id) else { return false };
        // Who only passes on what it was given itself says nothing.
        if all.iter().any(|d| !self.is_passed(self.facts.access(*d)) && is_cell(*d)) {
            return false;
        }
        let seen = |node: NodeId| own.contains(&node) || all.iter().any(|d| self.facts.access(*d).node == node);
        let def = self.facts.node(self.facts.access(id).node).def;
        self.calls.get(&def).is_some_and(|callers| callers.iter().all(|&node| seen(node)))
    }

    /// Whether a way leads from a parameter whose type several fields hold: it does not say which value is meant.
    fn is_loose(&self, access: &Access) -> bool {
        self.is_passed(access) && matches!(&access.place.root, Root::Param(_, Ty::Adt(def, _)) if self.hosts.shared.contains(def))
    }

    /// Whether a way leads through plain values from a parameter of a type that is not itself the state of the service.
    fn is_passed(&self, access: &Access) -> bool {
        let Root::Param(_, Ty::Adt(def, _)) = &access.place.root else { return false };
        !self.hosts.direct.contains(def) && !self.looping.contains(def) && self.is_plain_way(access)
    }

    /// Whether a way leads from a parameter through plain values alone.
    fn is_plain_way(&self, access: &Access) -> bool {
        let (Root::Param(_, Ty::Adt(..)), Some(Seg::Field(..))) = (&access.place.root, access.place.path.first()) else { return false };
        let ty = |seg: &Seg| match seg {
            Seg::Field(def, name) => self.p.field_type(*def, &[], *name),
            Seg::Elem | Seg::Below => None,
        };
        let class = |ty: &Ty| match ty {
            Ty::Ext(name, _) => self.cat.type_info(&self.p.names, *name).map(|i| self.cat.class_name(i)),
            _ => None,
        };
        let assigned = matches!(self.p.text(access.method), "assign" | "op-assign");
        let plain = |ty: &Ty| {
            let collection = matches!(class(ty), Some("map" | "set" | "seq" | "option"));
            is_plain(self.p, self.cat, ty) || is_text(self.p, ty) || assigned || collection
        };
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
