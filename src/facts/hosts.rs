//! Which types of the tree live as long as the instance: what is registered as state, handed to
//! entry points as state, is the `self` of a long-lived service, or is held by a static; and
//! everything they hold in their fields, but not the elements of their collections.

use super::eval::state_of;
use super::model::*;
use super::phases::{Graph, Phases};
use crate::catalog::{Catalog, Op};
use crate::names::Name;
use crate::resolve::named::Mentions;
use crate::resolve::program::Extern;
use crate::resolve::{DefId, DefKind, Program, Res, Ty};
use crate::syntax::hir;
use rustc_hash::{FxHashMap, FxHashSet};
use std::cell::OnceCell;

/// Why a type lives long: the first reason found, in the order of trust.
#[derive(Clone, Debug)]
pub enum Host {
    Registered(u32),
    Static(DefId),
    Extracted(EntryId),
    Service(EntryId),
    /// Kept by a loop from one message to the next.
    Looped(EntryId),
}

#[derive(Default)]
pub struct Hosts {
    pub types: FxHashMap<DefId, Host>,
    /// Types of state without a struct of the tree, e.g. `Arc<Mutex<HashMap<..>>>`, with where they are given.
    pub plain: FxHashMap<Ty, Host>,
    /// Types that are themselves registered, extracted or served, not only held in a field of one.
    pub direct: FxHashSet<DefId>,
    /// The field that holds a type, the first one found.
    pub held: FxHashMap<DefId, (DefId, Name)>,
    /// Types that somebody can reach through `&mut`: behind a lock or cell, in a collection, or the `&mut self` of an entry point.
    pub open: FxHashSet<DefId>,
    /// Types that several fields hold.
    pub shared: FxHashSet<DefId>,
    /// Reached only through a trait object with several implementations.
    pub uncertain: FxHashSet<DefId>,
}

const MAX_DEPTH: u32 = 12;
/// Structs inside the items of a queue that are searched for a way to answer.
const MAX_ITEM: u32 = 5;

impl Hosts {
    pub fn find(p: &Program, cat: &Catalog, facts: &Facts, graph: &Graph) -> Hosts {
        let mut finder = Finder {
            p,
            cat,
            hosts: Hosts::default(),
            within: None,
            open: false,
            traits: FxHashSet::default(),
            depths: FxHashMap::default(),
            mentions: OnceCell::new(),
        };
        for (index, registration) in facts.registrations.iter().enumerate() {
            // What a request puts aside for itself goes with it.
            let phase = graph.phase(registration.node);
            if phase.requested() && !phase.has(Phases::STARTUP) {
                continue;
            }
            finder.visit(&registration.ty, &Host::Registered(index as u32), 0, false);
            finder.plain(&registration.ty, &Host::Registered(index as u32));
        }
        let mut entries: Vec<(&NodeId, &EntryId)> = graph.entry_at.iter().collect();
        entries.sort();
        for (_, &id) in entries {
            finder.entry(facts, id);
        }
        for (id, ty) in &facts.extracted {
            finder.visit(ty, &Host::Extracted(*id), 0, false);
            finder.plain(ty, &Host::Extracted(*id));
        }
        for number in 0..p.defs.len() as u32 {
            let def = DefId(number);
            if p.def(def).kind == DefKind::Static
                && let hir::ItemKind::Static { ty: Some(ty), .. } = &p.item(def).kind
            {
                let ty = p.lower_type(p.def(def).file, *ty, &p.scope_of(def));
                finder.visit(&ty, &Host::Static(def), 0, false);
            }
        }
        for access in &facts.accesses {
            let NodeKind::Handler(id) = facts.node(access.node).kind else { continue };
            let Some(Seg::Field(def, _)) = access.place.path.first().filter(|_| facts.entry(id).consumes()) else { continue };
            let outer = match &access.place.root {
                Root::Local(node, _) => *node != access.node,
                Root::Param(..) => true,
                _ => false,
            };
            if outer {
                finder.open = true;
                finder.visit(&Ty::adt(*def), &Host::Looped(id), 0, false);
                finder.open = false;
            }
        }
        for access in &facts.accesses {
            let NodeKind::Handler(id) = facts.node(access.node).kind else { continue };
            let (Root::Local(node, made), Some(Seg::Field(def, _))) = (&access.place.root, access.place.path.first()) else { continue };
            let kept = *node != access.node && !graph.phase(*node).requested() && !facts.per_connection.contains(&(*node, *made));
            if kept && !facts.entry(id).consumes() {
                finder.visit(&Ty::adt(*def), &Host::Extracted(id), 0, false);
            }
        }
        // What a loop that carries out the commands of requests receives from, or changes, lives as long as it does.
        let lives = |a: &&Access| (a.op == Op::Recv && a.via.is_none() || a.op.writes()) && graph.carries_out(a.node);
        for access in facts.accesses.iter().filter(lives) {
            if let (Root::Param(..), Some(Seg::Field(def, _))) = (&access.place.root, access.place.path.first())
                && let Some((entry, _)) = graph.entries(access.node, 1).first()
            {
                finder.open = true;
                finder.visit(&Ty::adt(*def), &Host::Looped(*entry), 0, false);
                finder.open = false;
            }
        }
        finder.hosts.open.extend(locked_types(p, cat));
        finder.hosts
    }

    pub fn holds(&self, p: &Program, def: DefId) -> bool {
        match p.def(def).kind {
            DefKind::Variant(_) => p.def(def).parent.is_some_and(|e| self.types.contains_key(&e)),
            _ => self.types.contains_key(&def),
        }
    }
}

struct Finder<'a> {
    p: &'a Program,
    cat: &'a Catalog,
    hosts: Hosts,
    /// The field of another type that is being looked into.
    within: Option<(DefId, Name)>,
    /// Behind something that gives exclusive access.
    open: bool,
    /// Traits whose impls were visited, whether as one of several, and behind what.
    traits: FxHashSet<(Res, bool, bool)>,
    /// How many steps below a static each type was found.
    depths: FxHashMap<DefId, u32>,
    mentions: OnceCell<Mentions>,
}

impl Finder<'_> {
    fn entry(&mut self, facts: &Facts, id: EntryId) {
        let entry = facts.entry(id);
        let Some(def) = entry.def else { return };
        let Some(function) = self.p.function(def) else { return };
        let scope = self.p.scope_of(def);
        let file = self.p.def(def).file;
        for param in &function.params {
            let Some(ty) = param.ty else { continue };
            let ty = self.p.lower_type(file, ty, &scope);
            if let Some(inner) = state_of(self.p, self.cat, &ty) {
                // What a middleware has put into the request goes with it, unless the service keeps such a value too.
                if facts.carried.contains(&inner) && !facts.registrations.iter().any(|r| r.ty == inner) {
                    continue;
                }
                self.visit(&inner, &Host::Extracted(id), 0, false);
                self.plain(&inner, &Host::Extracted(id));
                continue;
            }
            // A shared handle among the parameters was not made by the request.
            if is_shared(self.p, self.cat, &ty) {
                self.visit(&ty, &Host::Extracted(id), 0, false);
                self.plain(&ty, &Host::Extracted(id));
            }
        }
        let lives = match entry.kind.as_str() {
            // Objects of a graph are made for the answer; a root that keeps state is handed to the schema.
            "extractor" | "inbox activity" | "job" | "resolver" => false,
            // A tool server over stdio is the client's own process; over HTTP its sessions outlive requests.
            "tool" | "prompt" => self.serves_sessions(facts, def),
            "actor message" => !self.is_connection(scope.self_ty.as_ref()),
            _ => true,
        };
        if function.receiver.is_some()
            && lives
            && let Some(ty) = &scope.self_ty
        {
            self.open = matches!(function.receiver, Some(hir::Receiver::RefMut));
            self.visit(ty, &Host::Service(id), 0, false);
            self.open = false;
        }
    }

    /// An actor whose context is that of a WebSocket lives and dies with its connection.
    fn is_connection(&self, actor: Option<&Ty>) -> bool {
        let context = || {
            let head = actor?.head()?;
            let alias = *self.p.methods.get(&(head, self.p.names.get("Context")?))?.first()?;
            let hir::ItemKind::TypeAlias { ty: Some(written), .. } = &self.p.item(alias).kind else { return None };
            match self.p.lower_type(self.p.def(alias).file, *written, &self.p.scope_of(alias)) {
                Ty::Ext(name, _) => Some(self.p.text(name).ends_with("::WebsocketContext")),
                _ => None,
            }
        };
        context().unwrap_or(false)
    }

    fn serves_sessions(&self, facts: &Facts, def: DefId) -> bool {
        // A module that several binaries include is served by those that build sessions.
        let own = self.p.def(def).krate;
        let serves = |d: DefId| {
            let other = self.p.def(d).krate;
            other == own
                || self.p.krate(own).is_library
                    && self.p.krate(other).externs.values().any(|e| matches!(e, Extern::Workspace(k) if *k == own))
        };
        facts.effects.iter().any(|e| {
            let session = matches!(&e.kind, EffectKind::Library(rule) if rule == "memory-session-store")
                || e.what.to_ascii_lowercase().contains("streamable");
            session && serves(facts.node(e.node).def)
        })
    }

    fn plain(&mut self, ty: &Ty, host: &Host) {
        if matches!(ty, Ty::Ext(..)) {
            self.hosts.plain.entry(ty.clone()).or_insert_with(|| host.clone());
            // `Data<Mutex<X>>` is registered, `State<Mutex<X>>` is extracted: the same cell.
            if let Ty::Ext(name, args) = ty
                && self.cat.type_info(&self.p.names, *name).is_some_and(|i| self.cat.class(i).deref)
                && let Some(inner) = args.first()
            {
                self.plain(&inner.clone(), host);
            }
        }
    }

    fn visit(&mut self, ty: &Ty, host: &Host, depth: u32, uncertain: bool) {
        if depth > MAX_DEPTH {
            return;
        }
        match ty {
            Ty::Adt(def, args) => self.adt(*def, args, host, depth, uncertain),
            Ty::Ext(name, args) => {
                let class = self.cat.type_info(&self.p.names, *name).map(|i| self.cat.class_name(i));
                if !matches!(class, Some("map" | "set" | "seq" | "cache" | "sender" | "receiver" | "watch-receiver")) {
                    let outer = self.open;
                    self.open |= !matches!(class, Some("pointer" | "option" | "once"));
                    for arg in args.iter() {
                        self.visit(arg, host, depth + 1, uncertain);
                    }
                    self.open = outer;
                }
            }
            Ty::Tuple(elems) => {
                for elem in elems.iter() {
                    self.visit(elem, host, depth + 1, uncertain);
                }
            }
            Ty::Traits(traits) => {
                for trait_ in traits.iter().filter(|t| matches!(t, Res::Def(_))) {
                    // Impls for whatever implements the trait lead back to it.
                    if !self.traits.insert((*trait_, uncertain, self.open)) {
                        continue;
                    }
                    let impls: Vec<Ty> =
                        self.p.impls_of.get(trait_).into_iter().flatten().map(|&i| self.p.impls[i as usize].self_ty.clone()).collect();
                    let several = impls.len() > 1;
                    for own in impls {
                        // Of several, one that nobody makes is none of those that the service may have.
                        if let Ty::Adt(def, _) = &own
                            && several
                            && !self.mentions.get_or_init(|| Mentions::find(self.p)).names(self.p, *def)
                        {
                            continue;
                        }
                        self.visit(&own, host, depth + 1, uncertain || several);
                    }
                }
            }
            _ => {}
        }
    }

    /// Whether a static holds the type in fewer steps than the one that it was found in so far.
    fn is_nearer(&mut self, def: DefId, host: &Host, depth: u32) -> bool {
        if !matches!(host, Host::Static(_)) || !matches!(self.hosts.types.get(&def), None | Some(Host::Static(_))) {
            return false;
        }
        let old = self.depths.insert(def, depth);
        let further = old.is_none_or(|old| depth < old);
        if let Some(old) = old.filter(|_| !further) {
            self.depths.insert(def, old);
        }
        further
    }

    fn adt(&mut self, def: DefId, args: &[Ty], host: &Host, depth: u32, uncertain: bool) {
        if depth <= 2 && !matches!(host, Host::Static(_)) && self.within.is_none() {
            self.hosts.direct.insert(def);
        }
        if uncertain && !self.hosts.types.contains_key(&def) {
            self.hosts.uncertain.insert(def);
        } else if !uncertain {
            self.hosts.uncertain.remove(&def);
        }
        if let Some(field) = self.within
            && *self.hosts.held.entry(def).or_insert(field) != field
        {
            self.hosts.shared.insert(def);
        }
        let opened = self.open && self.hosts.open.insert(def);
        let nearer = self.is_nearer(def, host, depth);
        if self.hosts.types.contains_key(&def) && !opened && !nearer {
            return;
        }
        let own = self.hosts.types.entry(def).or_insert_with(|| host.clone());
        if nearer {
            own.clone_from(host);
        }
        let mut holders = vec![def];
        holders.extend(self.p.variants.get(&def).into_iter().flatten());
        for holder in holders {
            let Some((_, fields)) = self.p.fields_of(holder) else { continue };
            let file = self.p.def(holder).file;
            for field in &fields.fields {
                let name = self.p.name_in(file, field.name);
                if let Some(ty) = self.p.field_type(holder, args, name) {
                    let outer = self.within.replace((holder, name));
                    self.visit(&ty, host, depth + 1, uncertain);
                    self.within = outer;
                }
            }
        }
    }
}

/// Types that lie behind a lock or cell in some field, parameter or static of the tree, and what they hold.
fn locked_types(p: &Program, cat: &Catalog) -> FxHashSet<DefId> {
    struct Found {
        types: Vec<DefId>,
        /// Traits whose implementors are in already: `impl Store for Box<dyn Store>` leads back to itself.
        traits: FxHashSet<Res>,
    }
    fn walk(p: &Program, cat: &Catalog, ty: &Ty, locked: bool, found: &mut Found) {
        match ty {
            Ty::Adt(def, args) => {
                found.types.extend(locked.then_some(*def));
                args.iter().for_each(|a| walk(p, cat, a, locked, found));
            }
            Ty::Ext(name, args) => {
                let class = cat.type_info(&p.names, *name).map(|i| cat.class_name(i));
                // What was sent through a channel is its taker's, whatever locks the end that it was sent into.
                let ends = matches!(class, Some("sender" | "receiver" | "oneshot-sender"));
                let locked = !ends && (locked || matches!(class, Some("lock" | "cell")) || p.text(*name).ends_with("Guard"));
                args.iter().for_each(|a| walk(p, cat, a, locked, found));
            }
            Ty::Tuple(elems) => elems.iter().for_each(|e| walk(p, cat, e, locked, found)),
            Ty::Traits(traits) if locked => {
                for trait_ in traits.iter() {
                    if found.traits.insert(*trait_) {
                        let impls = p.impls_of.get(trait_).into_iter().flatten();
                        impls.for_each(|&i| walk(p, cat, &p.impls[i as usize].self_ty, true, found));
                    }
                }
            }
            _ => {}
        }
    }
    let fields = |def: DefId| {
        let file = p.def(def).file;
        let names = p.fields_of(def).into_iter().flat_map(|(_, f)| f.fields.iter().map(|f| f.name));
        names.filter_map(move |name| p.field_type(def, &[], p.name_in(file, name))).collect::<Vec<Ty>>()
    };
    let mut queue = Found { types: Vec::new(), traits: FxHashSet::default() };
    for number in 0..p.defs.len() as u32 {
        let def = DefId(number);
        let (file, scope) = (p.def(def).file, || p.scope_of(def));
        match &p.item(def).kind {
            hir::ItemKind::Fn(function) => {
                for ty in function.params.iter().filter_map(|param| param.ty) {
                    walk(p, cat, &p.lower_type(file, ty, &scope()), false, &mut queue);
                }
            }
            hir::ItemKind::Static { ty: Some(ty), .. } => walk(p, cat, &p.lower_type(file, *ty, &scope()), false, &mut queue),
            _ => fields(def).iter().for_each(|ty| walk(p, cat, ty, false, &mut queue)),
        }
    }
    let mut open = FxHashSet::default();
    while let Some(def) = queue.types.pop() {
        if open.insert(def) {
            let holders = std::iter::once(def).chain(p.variants.get(&def).into_iter().flatten().copied());
            holders.flat_map(fields).for_each(|ty| walk(p, cat, &ty, true, &mut queue));
        }
    }
    open
}

/// Whether a value of this type is, or holds, a way to reach a client or a task: the end of a channel or socket.
pub fn holds_sender(p: &Program, cat: &Catalog, ty: &Ty) -> bool {
    sends(p, cat, ty, 0)
}

fn sends(p: &Program, cat: &Catalog, ty: &Ty, depth: u32) -> bool {
    if depth > 6 {
        return false;
    }
    match ty {
        Ty::Ext(name, args) => {
            let class = cat.type_info(&p.names, *name).map(|i| cat.class_name(i));
            // What a type of another crate makes of a type of the tree is its own affair.
            let inner = |a: &&Ty| class.is_some() || !matches!(a, Ty::Adt(..));
            matches!(class, Some("sender" | "socket")) || args.iter().filter(inner).any(|a| sends(p, cat, a, depth + 1))
        }
        Ty::Tuple(elems) => elems.iter().any(|e| sends(p, cat, e, depth + 1)),
        Ty::Adt(def, args) => {
            let Some((_, fields)) = p.fields_of(*def) else { return false };
            let file = p.def(*def).file;
            fields.fields.iter().any(|f| p.field_type(*def, args, p.name_in(file, f.name)).is_some_and(|t| sends(p, cat, &t, depth + 1)))
        }
        _ => false,
    }
}

/// Whether a value of this type holds the way to answer whoever sent it, also in the structs that it is made of.
pub fn holds_answer(p: &Program, cat: &Catalog, ty: &Ty) -> bool {
    answers(p, cat, ty, 0)
}

fn answers(p: &Program, cat: &Catalog, ty: &Ty, depth: u32) -> bool {
    if depth > MAX_ITEM {
        return false;
    }
    match ty {
        Ty::Ext(name, args) => {
            let class = cat.type_info(&p.names, *name).map(|i| cat.class_name(i));
            matches!(class, Some("oneshot-sender" | "sender")) || args.iter().any(|a| answers(p, cat, a, depth + 1))
        }
        Ty::Tuple(elems) => elems.iter().any(|e| answers(p, cat, e, depth + 1)),
        Ty::Adt(def, args) => {
            let holders = std::iter::once(def).chain(p.variants.get(def).into_iter().flatten());
            holders.into_iter().any(|&holder| {
                let Some((_, fields)) = p.fields_of(holder) else { return false };
                let file = p.def(holder).file;
                let held = |f: &hir::Field| p.field_type(holder, args, p.name_in(file, f.name));
                fields.fields.iter().filter_map(held).any(|t| answers(p, cat, &t, depth + 1))
            })
        }
        _ => false,
    }
}

/// Whether a type is changed through `&mut` alone: a number, or a collection or option of values that are no handles.
pub fn is_plain(p: &Program, cat: &Catalog, ty: &Ty) -> bool {
    fn handle(p: &Program, cat: &Catalog, ty: &Ty) -> bool {
        let pointer = matches!(ty, Ty::Ext(name, _) if cat.type_info(&p.names, *name).is_some_and(|i| cat.class_name(i) == "pointer"));
        pointer || is_shared(p, cat, ty) || ty.args().iter().any(|a| handle(p, cat, a))
    }
    match ty {
        Ty::Prim(_) => true,
        Ty::Ext(name, _) => {
            let class = cat.type_info(&p.names, *name).map(|i| cat.class_name(i));
            p.text(*name).starts_with("std::") && matches!(class, Some("map" | "set" | "seq" | "option")) && !handle(p, cat, ty)
        }
        _ => false,
    }
}

/// Whether a value of this type holds nothing that its clones share: plain data, through and through.
pub fn is_data(p: &Program, cat: &Catalog, ty: &Ty) -> bool {
    fn data(p: &Program, cat: &Catalog, ty: &Ty, depth: u32) -> bool {
        let all = |args: &[Ty]| args.iter().all(|a| data(p, cat, a, depth + 1));
        depth <= 6
            && match ty {
                Ty::Prim(_) | Ty::Unit => true,
                Ty::Ext(name, args) => {
                    let class = cat.type_info(&p.names, *name).map(|i| cat.class_name(i));
                    matches!(class, None | Some("map" | "set" | "seq" | "option")) && !is_shared(p, cat, ty) && all(args)
                }
                Ty::Tuple(elems) => all(elems),
                Ty::Seq(elem) => data(p, cat, elem, depth + 1),
                Ty::Adt(def, args) => {
                    let holders = std::iter::once(*def).chain(p.variants.get(def).into_iter().flatten().copied());
                    let mut types = holders.flat_map(|holder| {
                        let file = p.def(holder).file;
                        let fields = p.fields_of(holder).into_iter().flat_map(|(_, f)| &f.fields);
                        fields.map(move |f| p.field_type(holder, args, p.name_in(file, f.name)))
                    });
                    types.all(|ty| ty.is_some_and(|ty| data(p, cat, &ty, depth + 1)))
                }
                _ => false,
            }
    }
    data(p, cat, ty, 0)
}

/// Whether a type is a handle that several requests can share and change through: a lock, an atomic, a
/// concurrent collection or a channel, also behind pointers.
pub fn is_shared(p: &Program, cat: &Catalog, ty: &Ty) -> bool {
    let mut ty = ty.clone();
    for _ in 0..6 {
        let Ty::Ext(name, _) = &ty else { return false };
        let text = p.text(*name);
        let Some(info) = cat.type_info(&p.names, *name) else { return false };
        match cat.class_name(info) {
            "lock" | "atomic" | "cell" | "sender" | "semaphore" | "barrier" | "notify" | "cache" | "watch-sender" => return true,
            "map" | "set" => {
                return ["dashmap", "scc", "papaya", "flurry", "chashmap", "sharded_slab", "crossbeam_skiplist"]
                    .iter()
                    .any(|c| text.starts_with(c));
            }
            "pointer" | "once" => ty = ty.arg(0),
            _ => return false,
        }
    }
    false
}
