//! Abstract cells: accesses grouped by the place that they mean, wherever in the program it is reached.

mod connections;
mod declared;
mod kept;
mod start;
mod substates;

use super::by_default::ByDefault;
use super::eval::state_of;
use super::evictions::Evictions;
use super::hosts::{Host, Hosts, is_plain, is_shared};
use super::lookup::Lookup;
use super::model::*;
use super::phases::{Graph, Phases};
use super::strays::Ways;
use crate::catalog::{Catalog, Op};
use crate::names::Name;
use crate::resolve::program::CrateId;
use crate::resolve::{DefId, DefKind, FileId, Program, Res, Ty};
use crate::syntax::hir::{self, Span};
use rustc_hash::{FxHashMap, FxHashSet};

/// Fields climbed from a plain value to the lock that it lies in.
const MAX_CLIMB: usize = 4;

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum CellKey {
    Static(DefId),
    /// A field of a struct or variant that lives long.
    Field(DefId, Name),
    /// State without a struct of its own, by type.
    Plain(Ty, CrateId),
    /// A value made at startup that handlers or tasks capture.
    Local(NodeId, Span),
}

/// A field of a generic type that a field of another type holds.
type Part = (DefId, Name);
type GroupKey = (CellKey, Option<Part>);

pub struct Cell {
    pub key: CellKey,
    pub symbol: String,
    /// As written, if it is.
    pub ty_text: String,
    pub ty: Ty,
    pub file: FileId,
    pub span: Span,
    pub package: String,
    pub host: Option<Host>,
    /// Reached only through one of several implementations of a trait.
    pub uncertain: bool,
    /// The accesses, in source order, one a place in the source.
    pub accesses: Vec<AccessId>,
    /// What values read from it are used for.
    pub uses: Vec<Use>,
    /// Entries leave by age.
    pub expires: bool,
    /// What a reader would point at as the state that the cell is in.
    pub holder: Option<Holder>,
}

/// The declaration that makes a cell live long: a static, or the field with the lock around it.
#[derive(Clone, PartialEq, Eq)]
pub struct Holder {
    pub symbol: String,
    pub file: FileId,
    pub span: Span,
    /// The cell is a plain value in it, not a collection, lock or atomic of its own.
    pub part: bool,
}

impl Cell {
    pub fn writes<'a>(&'a self, w: &'a World<'_>, phases: Phases) -> impl Iterator<Item = AccessId> + 'a {
        self.accesses.iter().copied().filter(move |&a| w.facts.access(a).op.writes() && w.graph.phase(w.facts.access(a).node).has(phases))
    }
    pub fn reads<'a>(&'a self, w: &'a World<'_>, phases: Phases) -> impl Iterator<Item = AccessId> + 'a {
        self.accesses.iter().copied().filter(move |&a| w.facts.access(a).op.reads() && w.graph.phase(w.facts.access(a).node).has(phases))
    }
    pub fn has_op(&self, w: &World<'_>, ops: &[Op]) -> bool {
        self.accesses.iter().any(|&a| ops.contains(&w.facts.access(a).op))
    }
}

/// All that rules may ask.
pub struct World<'a> {
    pub p: &'a Program,
    pub cat: &'a Catalog,
    pub facts: &'a Facts,
    pub graph: &'a Graph,
    pub hosts: &'a Hosts,
    pub by_default: ByDefault,
    pub cells: Vec<Cell>,
    effects_of: Vec<Vec<EffectId>>,
    /// The types of variables that are registered as state, by where they are made.
    registered: FxHashMap<(NodeId, Span), Ty>,
    /// The long-lived fields that hold the value of a variable, by where that is made.
    fields: FxHashMap<(NodeId, Span), (DefId, Name)>,
    /// The cell of each access that has one.
    pub cell_of: FxHashMap<AccessId, usize>,
    /// The cell that a value is put into, by where that is done.
    kept_in: FxHashMap<(NodeId, Span), usize>,
    /// Where the values of statics come from that are made once, by their initialisers or by whoever comes first.
    made_once: FxHashMap<DefId, Prov>,
    /// What puts something somewhere, whether that is a cell or not, by where it is done.
    put_at: FxHashMap<(NodeId, Span), AccessId>,
    /// Nodes that take items out of a channel into which requests of this process put them.
    fed: FxHashSet<NodeId>,
    pub lookup: Lookup,
    pub(super) evictions: Evictions,
}

impl<'a> World<'a> {
    /// Whether an effect only happens when somebody changes a setting that the service ships with.
    pub fn is_off(&self, effect: &Effect) -> bool {
        self.by_default.is_off(self.p, self.facts, effect)
    }

    /// Parts of libraries that a rule is about, where the service that is shipped builds them.
    pub fn libraries(&self, rule: &'static str) -> impl Iterator<Item = &'a Effect> {
        self.facts.effects.iter().filter(move |e| matches!(&e.kind, EffectKind::Library(of) if of == rule) && !self.is_off(e))
    }

    pub fn new(p: &'a Program, cat: &'a Catalog, facts: &'a Facts, graph: &'a Graph, hosts: &'a Hosts) -> World<'a> {
        let mut world = World {
            p,
            cat,
            facts,
            graph,
            hosts,
            by_default: ByDefault::of(p, facts, graph),
            cells: Vec::new(),
            effects_of: vec![Vec::new(); facts.nodes.len()],
            registered: FxHashMap::default(),
            fields: FxHashMap::default(),
            cell_of: FxHashMap::default(),
            kept_in: FxHashMap::default(),
            made_once: facts.static_starts.iter().map(|(&def, &from)| (def, graph.resolve(from, def))).collect(),
            put_at: FxHashMap::default(),
            fed: FxHashSet::default(),
            lookup: Lookup::new(facts),
            evictions: Evictions::default(),
        };
        for access in facts.accesses.iter().filter(|a| a.op == Op::Init) {
            if let Root::Static(def) = access.place.root {
                let made = world.made_once.entry(def).or_default();
                *made = made.or(graph.resolve(access.value, facts.node(access.node).def));
            }
        }
        for (index, effect) in facts.effects.iter().enumerate() {
            world.effects_of[effect.node.index()].push(EffectId(index as u32));
        }
        for registration in &facts.registrations {
            if let Some(Place { root: Root::Local(node, span), path }) = &registration.place
                && path.is_empty()
            {
                world.registered.entry((*node, *span)).or_insert_with(|| registration.ty.clone());
            }
        }
        for init in &facts.inits {
            if let Some(made) = init.made.filter(|_| hosts.holds(p, init.holder)) {
                world.fields.entry(made).or_insert((init.holder, init.field));
            }
        }
        for (index, access) in facts.accesses.iter().enumerate() {
            if access.op == Op::Send || access.op.writes() {
                world.put_at.entry((access.node, access.span)).or_insert(AccessId(index as u32));
            }
        }
        let mut by_key: FxHashMap<GroupKey, usize> = FxHashMap::default();
        let mut groups: Vec<(GroupKey, Vec<AccessId>)> = Vec::new();
        let substates = substates::find(&world);
        let field = |key: CellKey| match key {
            CellKey::Plain(ty, krate) => match substates.get(&(ty.clone(), krate)) {
                Some(&(def, name)) => CellKey::Field(def, name),
                None => CellKey::Plain(ty, krate),
            },
            other => other,
        };
        let mut keys: Vec<Option<CellKey>> = facts.accesses.iter().map(|access| world.key(access).map(field)).collect();
        for stray in Ways::new(p, cat, facts, hosts).strays(&|id| keys[id.index()].is_some()) {
            keys[stray.index()] = None;
        }
        let split = world.split(&keys);
        for (index, key) in keys.into_iter().enumerate() {
            let id = AccessId(index as u32);
            let Some(key) = key else { continue };
            let part = if split.contains(&key) { world.part(facts.access(id), &key) } else { None };
            let key = (key, part);
            let group = *by_key.entry(key.clone()).or_insert_with(|| {
                groups.push((key, Vec::new()));
                groups.len() - 1
            });
            groups[group].1.push(id);
            let access = facts.access(id);
            if access.op == Op::Send || access.op.writes() {
                world.kept_in.entry((access.node, access.span)).or_insert(group);
            }
            world.cell_of.insert(id, group);
        }
        // An access of a callee on what it was given counts for the cell that the caller gave.
        let mut given: FxHashMap<AccessId, Vec<usize>> = FxHashMap::default();
        for (group, (_, ids)) in groups.iter().enumerate() {
            for origin in ids.iter().filter_map(|&id| facts.access(id).via) {
                let cells = given.entry(origin).or_default();
                if !cells.contains(&group) {
                    cells.push(group);
                }
            }
        }
        let mut uses: Vec<Vec<Use>> = vec![Vec::new(); groups.len()];
        for one in &facts.uses {
            let own = world.cell_of.get(&one.access).copied();
            let others = given.get(&one.access).into_iter().flatten().copied().filter(|&g| Some(g) != own);
            for group in own.into_iter().chain(others) {
                uses[group].push(*one);
            }
        }
        let mut cells = Vec::new();
        for (((key, part), ids), uses) in groups.into_iter().zip(uses) {
            let mut cell = world.cell(key, ids, uses);
            if let Some(part) = part {
                world.name_part(&mut cell, part);
            }
            cells.push(cell);
        }
        for cell in &cells {
            let accesses = || cell.accesses.iter().map(|&a| facts.access(a));
            if accesses().any(|a| matches!(a.op, Op::Send | Op::Push) && graph.phase(a.node).requested()) {
                world.fed.extend(accesses().filter(|a| a.op == Op::Recv).map(|a| a.node));
            }
        }
        // A time beside a value, under the same lock, is the value's age.
        let aged = cells.iter().filter(|c| c.uses.iter().any(|u| u.kind == UseKind::Aged));
        let ages: FxHashSet<String> = aged.map(|c| c.holder.as_ref().map_or(&c.symbol, |h| &h.symbol).clone()).collect();
        for cell in &mut cells {
            cell.expires |= cell.holder.as_ref().is_some_and(|h| h.part && ages.contains(&h.symbol));
        }
        world.cells = cells;
        world.evictions = Evictions::find(&world);
        world
    }

    /// Whether an access makes what is made once and shared from then on, whoever comes first.
    pub fn makes(&self, access: &Access) -> bool {
        access.op == Op::Init && is_shared(self.p, self.cat, &access.ty)
    }

    /// Whether requests of this process put in what the node takes out of a channel.
    pub fn is_fed(&self, node: NodeId) -> bool {
        self.fed.contains(&node)
    }

    /// Whether everything in a cell is waited for by the request that it is for, which is still in flight.
    pub fn awaited(&self, cell: &Cell) -> bool {
        cell.accesses.iter().any(|a| self.facts.unanswered.contains(a))
    }

    /// Effects of one node, in order.
    pub fn effects_of(&self, node: NodeId) -> &[EffectId] {
        &self.effects_of[node.index()]
    }

    /// The body on whose behalf an access is made: that of a caller who gave the place, unless the callee
    /// has made it in an entry point of its own, such as a consumer's loop, or in a loop that carries out what requests send.
    pub fn actor(&self, access: &Access) -> NodeId {
        let own = access.via.map(|via| self.facts.access(via).node);
        let acts = |node: &NodeId| matches!(self.facts.node(*node).kind, NodeKind::Handler(_)) || self.graph.carries_out(*node);
        own.filter(acts).unwrap_or(access.node)
    }

    pub fn is_entry(&self, def: DefId) -> bool {
        self.graph.node_of.get(&def).is_some_and(|n| self.graph.entry_at.contains_key(n))
    }

    /// Whether a function asks a store, itself or through what it calls, after the given moment of its walk.
    pub fn loads_behind(&self, def: DefId, order: u32) -> bool {
        self.lookup.loads_behind(def, order)
    }

    /// Whether a function goes on to call what a trait object or parameter stands for, after the given moment of its walk.
    pub fn calls_out_behind(&self, def: DefId, order: u32) -> bool {
        self.facts.calls.iter().any(|c| c.dynamic && c.order > order && self.facts.node(c.node).def == def)
    }

    /// Whether a function changes a store, in a way that is not the same when repeated, after the given moment of its walk.
    pub fn stores_behind(&self, def: DefId, order: u32) -> bool {
        self.lookup.stores_behind(def, order)
    }

    /// The cell that an access means, if it means one.
    fn key(&self, access: &Access) -> Option<CellKey> {
        // Which field it is lies beyond the bound; the function that makes the access knows it by a shorter way.
        if access.place.path.last() == Some(&Seg::Below) {
            return None;
        }
        if let Root::Local(node, made) = &access.place.root {
            if self.facts.per_connection.contains(&(*node, *made)) {
                return None;
            }
            let held = self.facts.held.contains(&(*node, *made));
            // Made while serving a request: it goes with the request. What a loop keeps that serves requests lives on.
            let made = if held { self.graph.direct_phase(*node) } else { self.graph.phase(*node) };
            let within = *node == access.node || !made.has(Phases::STARTUP) && self.is_within(access.node, *node);
            let own = within && self.class(&access.ty) != "atomic" && !held;
            if made.requested() || own || !made.has(Phases::STARTUP.or(Phases::BACKGROUND)) {
                return None;
            }
        }
        // What an element keeps behind a lock or in a collection of its own is no part of the collection that holds the element.
        let within = access.place.path.iter().skip_while(|s| !matches!(s, Seg::Elem));
        // A way to clients is: it is what a register of them holds.
        let apart = |t: &Ty| is_shared(self.p, self.cat, t) && !matches!(self.class(t), "sender" | "broadcaster");
        let own = |s: &Seg| matches!(s, Seg::Field(def, name) if self.p.field_type(*def, &[], *name).is_some_and(|t| apart(&t)));
        if within.into_iter().any(own) {
            return None;
        }
        // What is reached through a client of a store is the store's.
        let client = |ty: &Ty| matches!(ty, Ty::Ext(name, _) if self.cat.store(self.p.text(*name)).is_some());
        if access
            .place
            .path
            .iter()
            .any(|s| matches!(s, Seg::Field(def, name) if self.p.field_type(*def, &[], *name).is_some_and(|t| client(&t))))
        {
            return None;
        }
        let before_elem = access.place.path.iter().take_while(|s| !matches!(s, Seg::Elem));
        let hosted = before_elem.filter_map(|s| match s {
            Seg::Field(def, name) if self.hosts.holds(self.p, *def) && !self.is_container(*def) => Some(CellKey::Field(*def, *name)),
            _ => None,
        });
        if let Some(key) = hosted.last() {
            return (!self.is_elsewhere(access, &key)).then_some(key);
        }
        let fields = access.place.path.iter().take_while(|s| !matches!(s, Seg::Elem)).count();
        let krate = self.p.def(self.facts.node(access.node).def).krate;
        match &access.place.root {
            Root::Static(def) if self.p.def(*def).kind == DefKind::Static => Some(CellKey::Static(*def)),
            Root::Local(node, span) => Some(match self.registered.get(&(*node, *span)) {
                // What was given to the service is the state that its handlers name by type.
                Some(ty) if fields == 0 && self.hosts.plain.contains_key(ty) => CellKey::Plain(self.state_type(ty), krate),
                // A clone of it lies in a field.
                _ => match self.fields.get(&(*node, *span)) {
                    Some((holder, field)) if fields == 0 => CellKey::Field(*holder, *field),
                    _ => CellKey::Local(*node, *span),
                },
            }),
            Root::Param(_, ty) if fields == 0 => {
                let def = self.facts.node(access.node).def;
                let ty = self.state_type(ty);
                (self.is_entry(def) && (is_shared(self.p, self.cat, &ty) || self.hosts.plain.contains_key(&ty)))
                    .then_some(CellKey::Plain(ty, krate))
            }
            Root::Registered(ty) if fields == 0 && matches!(ty, Ty::Ext(..)) => Some(CellKey::Plain(self.state_type(ty), krate)),
            _ => None,
        }
    }

    /// Whether a body is the other one, or a part of it that it waits for: `timeout(limit, async { .. }).await`.
    fn is_within(&self, mut body: NodeId, other: NodeId) -> bool {
        while body != other {
            let node = self.facts.node(body);
            let NodeKind::Spawned(effect) = node.kind else { return false };
            let awaited = matches!(self.facts.effects[effect.index()].kind, EffectKind::Spawn { awaited: true, .. });
            match node.parent.filter(|_| awaited) {
                Some(parent) => body = parent,
                None => return false,
            }
        }
        true
    }

    /// Cells whose generic type keeps several collections: each is a cell of its own.
    fn split(&self, keys: &[Option<CellKey>]) -> FxHashSet<CellKey> {
        let mut first: FxHashMap<&CellKey, Part> = FxHashMap::default();
        let mut split = FxHashSet::default();
        for (access, key) in self.facts.accesses.iter().zip(keys) {
            if let Some(key) = key
                && let Some(part) = self.part(access, key)
                && *first.entry(key).or_insert(part) != part
            {
                split.insert(key.clone());
            }
        }
        split
    }

    /// The collection or lock of a generic type that an access to a field of that type means.
    fn part(&self, access: &Access, key: &CellKey) -> Option<Part> {
        let CellKey::Field(def, name) = key else { return None };
        let path = access.place.path.iter().take_while(|s| !matches!(s, Seg::Elem));
        let mut within = path.skip_while(|s| !matches!(s, Seg::Field(d, n) if (d, n) == (def, name))).skip(1);
        within.find_map(|seg| match seg {
            Seg::Field(inner, field) if self.p.def(*inner).kind == DefKind::Struct && self.is_container(*inner) => {
                let ty = self.p.field_type(*inner, &[], *field)?;
                let kept = is_shared(self.p, self.cat, &ty) || matches!(self.class(&ty), "map" | "set" | "seq" | "cache");
                kept.then_some((*inner, *field))
            }
            _ => None,
        })
    }

    fn name_part(&self, cell: &mut Cell, (inner, field): Part) {
        cell.symbol = format!("{}.{}", cell.symbol, self.p.text(field));
        if let Some(ty) = self.p.field_type(inner, &[], field) {
            cell.ty_text = self.describe(&ty);
            cell.ty = ty;
        }
        cell.holder = self.holder(cell);
    }

    /// A plain field of what is only shared cannot be written: such a write is to some other value of the type, made for the moment.
    fn is_elsewhere(&self, access: &Access, key: &CellKey) -> bool {
        let CellKey::Field(def, name) = key else { return false };
        let owner = match self.p.def(*def).kind {
            DefKind::Variant(_) => self.p.def(*def).parent.unwrap_or(*def),
            _ => *def,
        };
        let plain = || self.p.field_type(*def, &[], *name).is_some_and(|t| is_plain(self.p, self.cat, &t));
        access.op.writes() && !self.hosts.open.contains(&owner) && plain()
    }

    /// A generic type or an enum that a field holds: the field is the cell, not the inside of the type,
    /// which several fields may hold.
    fn is_container(&self, def: DefId) -> bool {
        if matches!(self.p.def(def).kind, DefKind::Variant(_)) {
            return true;
        }
        let generic = match &self.p.item(def).kind {
            hir::ItemKind::Struct { generics, .. } => !generics.params.is_empty(),
            _ => false,
        };
        generic && !self.hosts.direct.contains(&def) && self.hosts.shared.contains(&def)
    }

    /// A state type without the extractor and pointers around it.
    fn state_type(&self, ty: &Ty) -> Ty {
        let mut ty = state_of(self.p, self.cat, ty).unwrap_or_else(|| ty.clone());
        for _ in 0..6 {
            match &ty {
                Ty::Ext(name, _) if self.cat.type_info(&self.p.names, *name).is_some_and(|i| self.cat.class_name(i) == "pointer") => {
                    ty = ty.arg(0)
                }
                _ => break,
            }
        }
        ty
    }

    /// A type for messages: last segments only.
    pub fn describe(&self, ty: &Ty) -> String {
        let list = |args: &[Ty]| args.iter().map(|a| self.describe(a)).collect::<Vec<_>>().join(", ");
        match ty {
            Ty::Unknown => "_".into(),
            Ty::Unit => "()".into(),
            Ty::Never => "!".into(),
            Ty::Prim(name) => self.p.text(*name).to_string(),
            Ty::Adt(def, args) => generic(self.p.text(self.p.def(*def).name), &list(args)),
            Ty::Ext(name, args) => generic(self.p.text(*name).rsplit("::").next().unwrap_or(""), &list(args)),
            Ty::Tuple(elems) => format!("({})", list(elems)),
            Ty::Seq(elem) => format!("[{}]", self.describe(elem)),
            Ty::Traits(traits) => {
                let names: Vec<&str> = traits
                    .iter()
                    .map(|t| match t {
                        Res::Def(def) => self.p.text(self.p.def(*def).name),
                        Res::Ext(name) => self.p.text(*name).rsplit("::").next().unwrap_or(""),
                        Res::Mod(_) => "",
                    })
                    .collect();
                format!("dyn {}", names.join(" + "))
            }
            Ty::Param(name) => self.p.text(*name).to_string(),
            Ty::Fn(def) => format!("fn {}", self.p.text(self.p.def(*def).name)),
        }
    }

    /// The class of the innermost container of a type: what kind of cell it is.
    pub fn class(&self, ty: &Ty) -> &'a str {
        let mut ty = ty.clone();
        for _ in 0..8 {
            let Ty::Ext(name, args) = &ty else {
                return match ty {
                    Ty::Prim(_) => "scalar",
                    // What an implementation keeps is a cell of its own.
                    Ty::Traits(_) | Ty::Param(_) => "trait",
                    _ => "struct",
                };
            };
            let Some(info) = self.cat.type_info(&self.p.names, *name) else { return "opaque" };
            match self.cat.class_name(info) {
                "pointer" | "lock" | "cell" | "option" if !args.is_empty() => ty = ty.arg(0),
                "once" if is_shared(self.p, self.cat, &ty) => ty = ty.arg(0),
                class => return class,
            }
        }
        "opaque"
    }
}

/// Equal types of state; arguments that inference would have given may be absent on one side, and an
/// integer literal may have become any integer.
fn same_state(p: &Program, a: &Ty, b: &Ty) -> bool {
    let integer = |n: &Name| p.text(*n).trim_start_matches(['i', 'u']).parse::<u8>().is_ok() || p.text(*n).ends_with("size");
    match (a, b) {
        (Ty::Prim(x), Ty::Prim(y)) => x == y || integer(x) && integer(y),
        (Ty::Ext(x, left), Ty::Ext(y, right)) => {
            x == y && (left.is_empty() || right.is_empty() || left.iter().zip(right.iter()).all(|(l, r)| same_state(p, l, r)))
        }
        _ => a == b,
    }
}

fn generic(name: &str, args: &str) -> String {
    if args.is_empty() { name.to_string() } else { format!("{name}<{args}>") }
}
