//! Steps of evidence and the sentences that rules share.

use crate::catalog::Op;
use crate::facts::cells::{Cell, World};
use crate::facts::hosts::Host;
use crate::facts::model::*;
use crate::facts::phases::Edge;
use crate::finding::{ChecklistItem, Confidence, Finding, Location, Persona, Role, Severity, Step};
use crate::resolve::{DefId, FileId};
use crate::syntax::hir::Span;

/// Calls shown between an entry point and what it does.
const SHOWN_CALLS: usize = 5;

pub fn location(w: &World<'_>, file: FileId, span: Span) -> Location {
    Location {
        path: w.p.file(file).path.clone(),
        line: span.line,
        column: span.column,
        end_line: span.end_line,
        end_column: span.end_column,
    }
}

pub fn node_location(w: &World<'_>, node: NodeId, span: Span) -> Location {
    location(w, w.facts.node(node).file, span)
}

pub fn entry_label(w: &World<'_>, id: EntryId) -> String {
    let entry = w.facts.entry(id);
    let def = w.facts.def_of(entry);
    let function = def.map_or(String::new(), |d| named(w, d));
    let function = if entry.def.is_none() { format!("a closure in {function}") } else { function };
    entry.label(&function)
}

/// A function as a reader knows it: by its name, and by what it stands in as well where the name says no more than
/// that it answers requests.
fn named(w: &World<'_>, def: DefId) -> String {
    const PLAIN: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options", "handle", "handler", "call", "index", "endpoint"];
    let name = w.p.text(w.p.def(def).name);
    let path = w.p.path(def);
    let mut parts = path.rsplit("::");
    match parts.nth(1) {
        // The crate itself says nothing either.
        Some(around) if PLAIN.contains(&name) && parts.next().is_some() => format!("{around}::{name}"),
        _ => name.to_string(),
    }
}

/// Entry points that reach a node, nearest first; routes before middleware and extractors.
pub fn entries(w: &World<'_>, node: NodeId) -> Vec<(EntryId, Vec<Edge>)> {
    let mut found = w.graph.entries(node, 24);
    found.sort_by_key(|(id, path)| (w.facts.entry(*id).auxiliary, path.len()));
    found
}

/// The same, with those first that may run in one process with `def`: a library is reached by programs that
/// have nothing to do with each other.
fn entries_beside(w: &World<'_>, node: NodeId, def: DefId) -> Vec<(EntryId, Vec<Edge>)> {
    let mut found = entries(w, node);
    found.sort_by_key(|(id, _)| !runs_with(w, *id, def));
    found
}

fn runs_with(w: &World<'_>, id: EntryId, def: DefId) -> bool {
    w.facts.def_of(w.facts.entry(id)).is_some_and(|own| w.p.run_together(w.p.def(own).krate, w.p.def(def).krate))
}

/// Where a router is told of an entry point's function, if it is named there.
pub fn routed(w: &World<'_>, id: EntryId) -> Option<Step> {
    let def = w.facts.entry(id).def?;
    let call = w.lookup.named(w.facts, def)?;
    let label = entry_label(w, id);
    let location = node_location(w, call.node, call.span);
    Some(Step::new(Role::Registered, format!("{label} is routed here"), location).on(label))
}

/// An access with the entry point that is shown for it.
pub struct Shown {
    pub access: AccessId,
    pub entry: Option<EntryId>,
    pub path: Vec<Edge>,
}

impl Shown {
    pub fn label(&self, w: &World<'_>) -> String {
        match self.entry {
            Some(entry) => entry_label(w, entry),
            None => w.p.text(w.p.def(w.facts.node(w.facts.access(self.access).node).def).name).to_string(),
        }
    }
}

/// What makes an access worse to show than another: the route is the other end's own, not a route, a write by a
/// safe method, a look aside, a longer way.
type Rank = (bool, bool, bool, bool, usize);

/// The best access of a list to show: one that a route reaches, best not `other`'s route.
pub fn pick(w: &World<'_>, list: &[AccessId], other: Option<EntryId>) -> Option<Shown> {
    let mut best: Option<(Rank, Shown)> = None;
    for &access in list.iter().take(40) {
        for (entry, path) in entries(w, w.actor(w.facts.access(access))) {
            let facts = w.facts.entry(entry);
            let op = w.facts.access(access).op;
            let safe = facts.method.as_deref() == Some("GET");
            // A count, or a look into one element, says less than asking for it.
            let aside =
                op == Op::Read && w.facts.access(access).place.path.iter().rev().take_while(|s| !matches!(s, Seg::Elem)).count() > 0;
            let rank = (other == Some(entry), facts.auxiliary, op.writes() && safe && op != Op::LoadThrough, aside, path.len());
            if best.as_ref().is_none_or(|(old, _)| rank < *old) {
                best = Some((rank, Shown { access, entry: Some(entry), path }));
            }
        }
    }
    best.map(|(_, shown)| shown).or_else(|| list.first().map(|&access| Shown { access, entry: None, path: Vec::new() }))
}

pub fn declared(w: &World<'_>, cell: &Cell) -> Step {
    Step::new(Role::Declared, format!("`{}` is declared here: {}", short(&cell.symbol), cell.ty_text), location(w, cell.file, cell.span))
}

/// The steps that begin the evidence on a cell: where it is declared and put into the service.
fn owned(w: &World<'_>, cell: &Cell) -> Vec<Step> {
    std::iter::once(declared(w, cell)).chain(registered(w, cell)).collect()
}

/// Witness paths of a cell: first all ends together, from its declaration, then the way to each access.
pub fn ends(w: &World<'_>, cell: &Cell, shown: &[&Shown], more: impl IntoIterator<Item = Step>) -> Vec<Vec<Step>> {
    let first = owned(w, cell).into_iter().chain(shown.iter().map(|shown| step(w, shown))).chain(more).collect();
    std::iter::once(first).chain(shown.iter().map(|shown| chain(w, shown))).collect()
}

/// What a rule says of a cell or of what is done somewhere; the rest of the finding is told by that.
pub struct Told<H> {
    pub rule: &'static str,
    pub item: ChecklistItem,
    pub severity: Severity,
    pub confidence: Confidence,
    pub reason: String,
    pub message: String,
    pub witness: Vec<Vec<Step>>,
    pub home: &'static str,
    pub help: H,
}

impl<H: Into<String>> Told<H> {
    /// The finding for everybody, at the cell's declaration.
    pub fn of(self, cell: &Cell, w: &World<'_>) -> Finding {
        let told = self.found(cell.package.clone(), cell.symbol.clone(), location(w, cell.file, cell.span));
        Finding { ty: Some(cell.ty_text.clone()), ..told }
    }

    /// The finding for everybody on what is done within `def`.
    pub fn at(self, def: DefId, symbol: String, location: Location, w: &World<'_>) -> Finding {
        self.found(w.p.package_of(def).to_string(), symbol, location)
    }

    fn found(self, package: String, symbol: String, location: Location) -> Finding {
        Finding {
            rule: self.rule,
            item: self.item,
            severity: self.severity,
            confidence: self.confidence,
            persona: Persona::Regular,
            reason: self.reason,
            package,
            symbol,
            ty: None,
            message: self.message,
            location,
            witness: self.witness,
            home: Some(self.home.into()),
            help: Some(self.help.into()),
            related: Vec::new(),
        }
    }
}

/// High, unless the cell's own facts are uncertain.
pub fn certainty(cell: &Cell) -> Confidence {
    if cell.uncertain { Confidence::Medium } else { Confidence::High }
}

/// The step of an access: where it really happens, on whose request.
pub fn step(w: &World<'_>, shown: &Shown) -> Step {
    let access = w.facts.access(shown.access);
    let origin = w.facts.origin(access);
    let entry = shown.entry.map(|e| entry_label(w, e));
    let by = entry.clone().unwrap_or_else(|| "background work".into());
    let (role, verb) = match origin.op {
        Op::Remove | Op::Prune | Op::Clear | Op::Drain => (Role::Removed, "removed"),
        Op::Get | Op::Contains | Op::Read | Op::Load => (Role::Read, "read"),
        Op::Lock | Op::TryLock | Op::ReadLock | Op::Acquire | Op::Wait => (Role::Locked, "locked"),
        Op::Send => (Role::Sent, "sent"),
        Op::Recv | Op::Subscribe => (Role::Received, "received"),
        Op::Rmw => (Role::Written, "counted"),
        _ => (Role::Written, "written"),
    };
    Step::new(role, format!("{verb} by {by}"), node_location(w, origin.node, origin.span)).on(entry)
}

/// Where an entry point starts.
pub fn entered(w: &World<'_>, id: EntryId) -> Step {
    let entry = w.facts.entry(id);
    let label = entry_label(w, id);
    Step::new(Role::Entered, format!("{label} starts here"), location(w, entry.file, entry.span)).on(label)
}

/// The start of an entry point and the calls from it.
pub fn begin(w: &World<'_>, entry: EntryId, path: &[Edge]) -> Vec<Step> {
    std::iter::once(entered(w, entry)).chain(calls(w, path, &entry_label(w, entry))).collect()
}

/// The path from the entry point down to the access, with the calls between.
pub fn chain(w: &World<'_>, shown: &Shown) -> Vec<Step> {
    let mut steps = Vec::new();
    if let Some(entry) = shown.entry {
        steps.extend(begin(w, entry, &shown.path));
    }
    // A helper does it to what it is given: the calls from the owner of the state down to it.
    let access = w.facts.access(shown.access);
    if let Some(via) = access.via {
        let label = shown.label(w);
        steps.extend(calls(w, &w.graph.path(access.node, w.facts.access(via).node), &label));
    }
    steps.push(step(w, shown));
    steps
}

/// The path from the best entry point down to an effect on what `def` makes, which closes with `verb by the entry point`.
pub fn effect_path(w: &World<'_>, effect: &Effect, def: DefId, role: Role, verb: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut by = "a request".to_string();
    let mut entry = None;
    if let Some((id, path)) = entries_beside(w, effect.node, def).into_iter().next() {
        let label = entry_label(w, id);
        steps.extend(begin(w, id, &path));
        by.clone_from(&label);
        entry = Some(label);
    }
    let location = node_location(w, effect.node, effect.span);
    steps.push(Step::new(role, format!("{verb} by {by}"), location).on(entry));
    steps
}

/// The path from an entry point down to something that stands at a place, which closes with `the entry point verb`.
pub fn way_to(w: &World<'_>, id: EntryId, path: &[Edge], role: Role, verb: &str, at: Location) -> Vec<Step> {
    let label = entry_label(w, id);
    let mut steps = begin(w, id, path);
    steps.push(Step::new(role, format!("{label} {verb}"), at).on(label));
    steps
}

/// The effect of requests that best shows how what was built at `def` is used: near it, and by a route;
/// a safe method where something is only read.
pub fn nearest<'w>(w: &'w World<'_>, def: DefId, reading: bool, wanted: impl Fn(&Effect) -> bool) -> Option<&'w Effect> {
    let package = |d: DefId| w.p.package_of(d);
    let near = |e: &Effect| w.p.run_together(w.p.def(w.facts.node(e.node).def).krate, w.p.def(def).krate);
    let found = w.facts.effects.iter().filter(|e| w.graph.phase(e.node).requested() && wanted(e) && near(e));
    found.min_by_key(|e| {
        let node = w.facts.node(e.node);
        let route = entries_beside(w, e.node, def).into_iter().next();
        let apart = route.as_ref().is_some_and(|(id, _)| !runs_with(w, *id, def));
        let safe = |id: EntryId| w.facts.entry(id).method.as_deref() == Some("GET");
        let rank = route.map(|(id, path)| (w.facts.entry(id).auxiliary, safe(id) != reading, path.len()));
        (apart, package(node.def) != package(def), rank.is_none(), takes_away(e), node.file != w.p.def(def).file, rank)
    })
}

/// Whether a client's part in a library is only taken away: what is put in tells more.
fn takes_away(effect: &Effect) -> bool {
    let verb = effect.what.rsplit("::").next().and_then(|name| name.split('_').next()).unwrap_or_default();
    matches!(effect.kind, EffectKind::Handle { .. })
        && matches!(verb, "remove" | "purge" | "clear" | "delete" | "destroy" | "forget" | "logout" | "flush")
}

/// Where a part of a library, or a secret, that a variable holds is put to use: first and last.
pub fn put_to_use(w: &World<'_>, effect: &Effect) -> Vec<Step> {
    let places = w.facts.put_to_use.get(&(effect.node, effect.span)).map_or(&[][..], Vec::as_slice);
    let ends = [places.first(), places.last().filter(|_| places.len() > 1)];
    ends.into_iter().flatten().map(|&(node, span)| Step::new(Role::Registered, "put to use here", node_location(w, node, span))).collect()
}

pub fn calls(w: &World<'_>, path: &[Edge], label: &str) -> Vec<Step> {
    let edges = path.iter().take(SHOWN_CALLS);
    edges
        .map(|edge| {
            let callee = w.p.text(w.p.def(w.facts.node(edge.to).def).name);
            let verb = if edge.spawn { "hands work to a task" } else { "calls" };
            let what = if edge.spawn { String::new() } else { format!(" `{callee}`") };
            Step::new(
                if edge.spawn { Role::Spawned } else { Role::Called },
                format!("{verb}{what}"),
                node_location(w, edge.from, edge.span),
            )
            .on(label.to_string())
        })
        .collect()
}

/// Where the cell is put into the service.
pub fn registered(w: &World<'_>, cell: &Cell) -> Option<Step> {
    let Some(Host::Registered(index)) = &cell.host else { return None };
    let registration = w.facts.registrations.get(*index as usize)?;
    Some(Step::new(
        Role::Registered,
        format!("put into the service by `{}`", registration.what),
        node_location(w, registration.node, registration.span),
    ))
}

/// The last segments of a symbol, enough to recognise it.
pub fn short(symbol: &str) -> &str {
    // A value without a name is known by its type.
    if let Some((_, ty)) = symbol.split_once("::<").filter(|(_, ty)| !ty.starts_with('_')) {
        return ty.strip_suffix('>').unwrap_or(ty);
    }
    match symbol.rsplit_once("::") {
        Some((_, last)) if !last.starts_with('<') => last,
        _ => symbol,
    }
}

/// How requests use what is built at `def`: one path to a change and one to a read. `changes` tells of an effect
/// on it whether it changes it; `verbs` close the paths.
pub fn used(w: &World<'_>, def: DefId, verbs: [&str; 2], changes: impl Fn(&Effect) -> Option<bool>) -> Vec<Vec<Step>> {
    let of = |change: bool, role, verb| {
        let effect = nearest(w, def, !change, |effect| changes(effect) == Some(change))?;
        Some(effect_path(w, effect, def, role, verb))
    };
    [of(true, Role::Written, verbs[0]), of(false, Role::Read, verbs[1])].into_iter().flatten().collect()
}

/// How requests use what a library part keeps.
pub fn handled(w: &World<'_>, def: DefId, rule: &str, keeps: &str) -> Vec<Vec<Step>> {
    used(w, def, ["written", "read"], |effect| match effect.kind {
        EffectKind::Handle { writes } => {
            let (ty, _) = effect.what.rsplit_once("::")?;
            w.cat.handle(ty).iter().any(|(r, k)| r == rule && k == keeps).then_some(writes)
        }
        _ => None,
    })
}

/// Witness paths of something that is built in one place and used in others: the first shows where it is
/// built, put to use, and the end of every use, the others show each use from its entry point.
pub fn built(declared: Step, put_to_use: Vec<Step>, uses: Vec<Vec<Step>>) -> Vec<Vec<Step>> {
    let ends = uses.iter().filter_map(|path| path.last().cloned());
    let first = std::iter::once(declared).chain(put_to_use).chain(ends).collect();
    std::iter::once(first).chain(uses).collect()
}

/// The last two segments of a path: type and function.
pub fn last_two(path: &str) -> String {
    let mut last: Vec<&str> = path.rsplit("::").take(2).collect();
    last.reverse();
    last.join("::")
}

/// Literal paths of files and of embedded databases, by the place of the call.
pub fn literal_paths(w: &World<'_>) -> std::collections::BTreeMap<Location, String> {
    let on_disk = |e: &&Effect| matches!(e.kind, EffectKind::File(_) | EffectKind::Library(_));
    let found = w.facts.effects.iter().filter(on_disk).filter_map(|e| Some((node_location(w, e.node, e.span), e.text.clone()?)));
    found.collect()
}
