//! Implementations of a trait by types of which the running service makes no value: calls through the trait
//! do not lead to them.

use super::model::*;
use super::phases::Edge;
use crate::resolve::{DefId, DefKind, Program, Res, Ty};
use rustc_hash::{FxHashMap, FxHashSet};

/// Derives of the standard library that make no value, beside `Default`, which makes those of its fields.
const PLAIN_DERIVES: &[&str] = &["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"];

/// Which types are made by code that runs, found out while the phases spread.
pub struct Built {
    /// By the edge: the type that somebody must have made for the call to lead there.
    asked: FxHashMap<u32, DefId>,
    /// By the body: what it makes.
    made_in: FxHashMap<NodeId, Vec<DefId>>,
    made: FxHashSet<DefId>,
    /// By the type that nobody has made so far: the edges that wait for it.
    held: FxHashMap<DefId, Vec<u32>>,
    /// All edges that wait.
    waiting: FxHashSet<u32>,
}

impl Built {
    /// Linear in the calls and in the fields of the tree. `runs` says whether what is made there is made by the service.
    pub fn find(p: &Program, facts: &Facts, edges: &[Edge], runs: impl Fn(&Made) -> bool) -> Built {
        let by_default = defaults(p);
        let known: FxHashSet<DefId> = facts.made.iter().map(|m| m.ty).collect();
        let mut judged: FxHashMap<DefId, bool> = FxHashMap::default();
        let mut asked = FxHashMap::default();
        for (index, edge) in edges.iter().enumerate().filter(|(_, e)| e.dynamic) {
            let def = facts.node(edge.to).def;
            let Some(ty) = implementor(p, def).filter(|ty| known.contains(ty) && !by_default.contains(ty)) else { continue };
            if *judged.entry(ty).or_insert_with(|| is_made_by_hand(p, ty)) {
                asked.insert(index as u32, ty);
            }
        }
        let mut built = Built {
            asked,
            made_in: FxHashMap::default(),
            made: FxHashSet::default(),
            held: FxHashMap::default(),
            waiting: FxHashSet::default(),
        };
        for made in facts.made.iter().filter(|m| runs(m)) {
            if facts.node(made.node).kind == NodeKind::Initialiser {
                built.made.insert(made.ty);
            } else {
                built.made_in.entry(made.node).or_default().push(made.ty);
            }
        }
        built
    }

    /// What a body that runs makes: the edges that this opens.
    pub fn reach(&mut self, node: NodeId) -> Vec<u32> {
        let made = self.made_in.remove(&node).unwrap_or_default();
        let new = made.into_iter().filter(|&ty| self.made.insert(ty));
        let opened: Vec<u32> = new.flat_map(|ty| self.held.remove(&ty).unwrap_or_default()).collect();
        for edge in &opened {
            self.waiting.remove(edge);
        }
        opened
    }

    /// Whether an edge leads on; otherwise it is kept until somebody makes a value of the type.
    pub fn leads(&mut self, edge: u32) -> bool {
        let Some(&ty) = self.asked.get(&edge).filter(|ty| !self.made.contains(ty)) else { return true };
        if self.waiting.insert(edge) {
            self.held.entry(ty).or_default().push(edge);
        }
        false
    }

    /// Calls none of whose candidates is known to be made: somebody makes one of them, in a way that is not
    /// seen. Their edges lead on.
    pub fn give_up(&mut self, edges: &[Edge], out: &[Vec<u32>]) -> Vec<u32> {
        let alone = |&index: &u32| {
            let edge = &edges[index as usize];
            let beside = |e: &u32| edges[*e as usize].span == edge.span && edges[*e as usize].dynamic;
            out[edge.from.index()].iter().filter(|e| beside(e)).all(|e| self.waiting.contains(e))
        };
        let mut freed: Vec<u32> = self.waiting.iter().copied().filter(alone).collect();
        freed.sort_unstable();
        for edge in &freed {
            self.asked.remove(edge);
            self.waiting.remove(edge);
        }
        let waiting = &self.waiting;
        self.held.values_mut().for_each(|held| held.retain(|e| waiting.contains(e)));
        freed
    }

    /// Edges that lead nowhere, when all phases are spread.
    pub fn closed(&self, edge: u32) -> bool {
        self.waiting.contains(&edge)
    }
}

/// The struct for which a trait's method is implemented.
fn implementor(p: &Program, def: DefId) -> Option<DefId> {
    let own = &p.impls[*p.impl_of.get(&def)? as usize];
    match (&own.trait_, &own.self_ty) {
        (Some(Res::Def(_)), Ty::Adt(ty, _)) if p.def(*ty).kind == DefKind::Struct => {
            p.function(def).is_some_and(|f| f.receiver.is_some()).then_some(*ty)
        }
        _ => None,
    }
}

/// Whether nothing but code that was seen makes values of a type: no derive or attribute of another crate.
fn is_made_by_hand(p: &Program, ty: DefId) -> bool {
    let hir = &p.file(p.def(ty).file).hir;
    let apart = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':';
    p.item(ty).attrs.iter().all(|a| match hir.str(a.path) {
        "derive" => hir
            .str(a.args)
            .split(apart)
            .filter(|word| !word.is_empty())
            .all(|word| PLAIN_DERIVES.contains(&word.rsplit("::").next().unwrap_or(word))),
        "doc" | "allow" | "expect" | "cfg" | "must_use" | "non_exhaustive" | "repr" => true,
        _ => false,
    })
}

/// Types that a derived `Default` of another type makes as its fields.
fn defaults(p: &Program) -> FxHashSet<DefId> {
    let mut found = FxHashSet::default();
    for number in 0..p.defs.len() as u32 {
        let def = DefId(number);
        if p.def(def).kind != DefKind::Struct || !p.derived(def).any(|word| word.contains("Default")) {
            continue;
        }
        let Some((_, fields)) = p.fields_of(def) else { continue };
        let file = p.def(def).file;
        for field in &fields.fields {
            if let Some(ty) = p.field_type(def, &[], p.name_in(file, field.name)) {
                mentioned(&ty, &mut found);
            }
        }
    }
    found
}

fn mentioned(ty: &Ty, found: &mut FxHashSet<DefId>) {
    if let Ty::Adt(def, _) = ty {
        found.insert(*def);
    }
    ty.args().iter().for_each(|arg| mentioned(arg, found));
}
