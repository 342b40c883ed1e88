//! The kinds of tokens that a service issues: the calls that sign them, joined to those that check them,
//! and whether a store is asked on the way from the check to the entry point.

use super::cells::World;
use super::eval::handmade;
use super::model::*;
use super::phases::Edge;
use super::tokens::{Expiry, Mint, Verify};
use crate::catalog::Op;
use crate::resolve::{DefId, Ty};
use rustc_hash::{FxHashMap, FxHashSet};

/// Tokens with the same claims and the same life, signed by one call.
pub struct Kind<'a> {
    /// The call that signs.
    pub origin: &'a Mint,
    /// Where they are ordered: the call that signs, or calls of the function around it.
    pub mints: Vec<&'a Mint>,
    /// The call that tells this kind from others: where it is reported.
    pub primary: &'a Mint,
    pub checks: Vec<Check<'a>>,
    /// How long they count: by what they say, or else by the age up to which all checks take them.
    pub expiry: Expiry,
}

/// A call that checks tokens of a kind.
pub struct Check<'a> {
    pub verify: &'a Verify,
    pub ways: Vec<Way>,
}

/// One way from an entry point to a check.
pub struct Way {
    pub entry: Option<EntryId>,
    pub path: Vec<Edge>,
    pub asks: bool,
    /// The handler signs another token.
    pub renews: bool,
}

/// A place where tokens of one kind of claims are checked.
#[derive(Clone, Copy)]
struct Site<'a> {
    verify: &'a Verify,
    node: NodeId,
    order: u32,
    claims: Option<DefId>,
}

/// Generic functions around each other that check a token.
const GENERIC: u32 = 2;
/// Entry points looked at for one check.
const MAX_ENTRIES: usize = 24;
/// Routes that a token for one purpose opens: its link, and the form behind it.
const PURPOSE: usize = 2;

impl Kind<'_> {
    /// Whether its claims are written as JSON, and so can be weighed.
    pub fn is_json(&self, w: &World<'_>) -> bool {
        !matches!(w.p.text(self.origin.format), handmade::FORMAT | "biscuit" | "branca" | "oxide")
    }

    /// The checks after which nobody is asked, with the way.
    pub fn open(&self) -> impl Iterator<Item = (&Verify, &Way)> {
        self.checks.iter().flat_map(|c| c.ways.iter().filter(|w| !w.asks).map(|w| (c.verify, w)))
    }

    /// Whether a store can take every token of this kind back.
    pub fn revocable(&self) -> bool {
        !self.checks.is_empty() && self.open().next().is_none()
    }
}

/// All kinds, in the order of the program.
pub fn kinds<'a>(w: &World<'a>) -> Vec<Kind<'a>> {
    let facts: &'a Facts = w.facts;
    let mints = &facts.tokens.mints;
    let index = Index::new(w);
    let checks: Vec<(Site<'a>, Vec<Way>)> =
        facts.tokens.verifies.iter().flat_map(|v| index.sites(w, v)).map(|s| (s, index.ways(w, s))).collect();
    let mut kinds: Vec<Kind<'a>> = Vec::new();
    if facts.entries.is_empty() {
        return kinds;
    }
    for mint in mints.iter().filter(|m| !m.lifted) {
        let mut origin = mint;
        while let Some(via) = origin.via {
            origin = &mints[via as usize];
        }
        let same = kinds.iter_mut().find(|k| {
            same_signer(w, k.origin, origin) && k.primary.claims.expiry == mint.claims.expiry && k.primary.claims.ty == mint.claims.ty
        });
        match same {
            Some(kind) => kind.mints.push(mint),
            None => kinds.push(Kind { origin, mints: vec![mint], primary: mint, checks: Vec::new(), expiry: mint.claims.expiry.clone() }),
        }
    }
    let reached = |node: NodeId| w.graph.phase(node) != super::phases::Phases::default();
    // A static is made when it is first asked for, by whoever asks.
    let runs = |mint: &&Mint| {
        let node = facts.node(mint.node);
        let named = || facts.named.get(&node.def).is_some_and(|by| by.iter().any(|&n| reached(n)));
        reached(mint.node) || node.kind == NodeKind::Initialiser && named()
    };
    kinds.retain(|k| k.mints.iter().chain([&k.origin]).any(runs));
    for kind in &mut kinds {
        kind.checks = matching(w, kind.primary, &checks);
        if matches!(kind.expiry, Expiry::Never | Expiry::Unknown(_))
            && let Some(age) = oldest(&kind.checks)
        {
            kind.expiry = age;
        }
    }
    // A link that is signed opens its one form; a token that is made by hand opens the service.
    kinds.retain(|k| w.p.text(k.origin.format) != handmade::FORMAT || k.checks.iter().any(|c| opens_service(w, c)));
    kinds
}

fn opens_service(w: &World<'_>, check: &Check<'_>) -> bool {
    let entries: FxHashSet<EntryId> = check.ways.iter().filter_map(|w| w.entry).collect();
    entries.len() > PURPOSE || entries.iter().any(|&e| w.facts.entry(e).auxiliary)
}

/// The longest of the ages up to which the checks take a token; a check that says none takes any.
fn oldest(checks: &[Check<'_>]) -> Option<Expiry> {
    let ages: Option<Vec<&Expiry>> = checks.iter().map(|c| c.verify.max_age.as_ref()).collect();
    let rank = |age: &&Expiry| match age {
        Expiry::After { seconds: 0, .. } => i64::MAX,
        Expiry::After { seconds, .. } => *seconds,
        _ => -1,
    };
    match ages?.into_iter().max_by_key(rank)? {
        Expiry::After { seconds: 0, .. } => Some(Expiry::Never),
        age => Some(age.clone()),
    }
}

/// Whether a kind is the only one that its call signs.
pub fn is_alone(w: &World<'_>, kinds: &[Kind<'_>], kind: &Kind<'_>) -> bool {
    kinds.iter().filter(|o| same_signer(w, o.origin, kind.origin)).count() == 1
}

/// Calls in one function are arms of one choice of algorithm.
fn same_signer(w: &World<'_>, a: &Mint, b: &Mint) -> bool {
    w.facts.node(a.node).def == w.facts.node(b.node).def
}

/// The checks of the same claims, or else those that do not say which.
fn matching<'a>(w: &World<'_>, mint: &Mint, checks: &[(Site<'a>, Vec<Way>)]) -> Vec<Check<'a>> {
    let ty = match &mint.claims.ty {
        Ty::Adt(def, _) => Some(*def),
        _ => None,
    };
    let same = |s: &Site<'_>| ty.is_some() && s.claims == ty;
    // The one who checks may have written the claims down again, under the same name.
    let named = |def: DefId| (w.p.def(def).name, w.p.package_of(def));
    let alike = |s: &Site<'_>| matches!((s.claims, ty), (Some(a), Some(b)) if named(a) == named(b));
    let any_same = checks.iter().any(|(s, _)| same(s));
    let any_alike = checks.iter().any(|(s, _)| alike(s));
    let fits = |s: &Site<'_>| match (any_same, any_alike) {
        (true, _) => same(s),
        (false, true) => alike(s),
        (false, false) => s.verify.format == mint.format && (s.claims.is_none() || ty.is_none()),
    };
    let copy = |ways: &[Way]| ways.iter().map(|w| Way { entry: w.entry, path: w.path.clone(), asks: w.asks, renews: w.renews }).collect();
    checks.iter().filter(|(s, _)| fits(s)).map(|(site, ways)| Check { verify: site.verify, ways: copy(ways) }).collect()
}

/// Store calls and calls of functions by the function that makes them, gathered once.
struct Index {
    effects: FxHashMap<DefId, Vec<u32>>,
    calls: FxHashMap<DefId, Vec<u32>>,
    /// Functions that sign.
    signing: FxHashSet<DefId>,
}

impl Index {
    fn new(w: &World<'_>) -> Index {
        let mut index = Index { effects: FxHashMap::default(), calls: FxHashMap::default(), signing: FxHashSet::default() };
        if w.facts.tokens.verifies.is_empty() {
            return index;
        }
        let def = |node: NodeId| w.facts.node(node).def;
        for (number, effect) in w.facts.effects.iter().enumerate().filter(|(_, e)| matches!(e.kind, EffectKind::Store { .. })) {
            index.effects.entry(def(effect.node)).or_default().push(number as u32);
        }
        for (number, call) in w.facts.calls.iter().enumerate().filter(|(_, c)| c.kind == CallKind::Call) {
            index.calls.entry(def(call.node)).or_default().push(number as u32);
        }
        index.signing.extend(w.facts.tokens.mints.iter().map(|m| def(m.node)));
        index
    }

    fn calls<'w>(&'w self, w: &'w World<'_>, def: DefId) -> impl Iterator<Item = &'w Call> {
        self.calls.get(&def).into_iter().flatten().map(|&c| &w.facts.calls[c as usize])
    }

    /// Whether a store is asked in the function of a node behind a moment, or before it with what the request brought.
    fn asks(&self, w: &World<'_>, node: NodeId, order: u32, claims_only: bool) -> bool {
        let def = w.facts.node(node).def;
        let fits = |at: u32, provs: &[Prov]| {
            let all = provs.iter().map(|&p| w.graph.resolve(p, def)).fold(Prov::NONE, Prov::or);
            if claims_only { at > order && all.has(Prov::CLAIM) } else { at > order || all.has(Prov::REQUEST) }
        };
        let mut effects = self.effects.get(&def).into_iter().flatten().map(|&e| &w.facts.effects[e as usize]);
        let reaches = |c: &Call| w.facts.loading.contains(&c.target) || w.facts.storing.contains(&c.target);
        effects.any(|e| fits(e.order, &[e.path, e.data])) || self.calls(w, def).any(|c| reaches(c) && fits(c.order, &c.args))
    }

    /// Whether what a middleware hands on of the token is asked of a store by all who take it.
    fn asked_later(&self, w: &World<'_>, nodes: impl Iterator<Item = NodeId>) -> bool {
        let within: FxHashSet<DefId> = nodes.map(|n| w.facts.node(n).def).collect();
        let carried = w.facts.tokens.carried.iter().filter(|(node, _)| within.contains(&w.facts.node(*node).def));
        let types: FxHashSet<DefId> = carried.map(|(_, ty)| *ty).collect();
        let requested = |node: NodeId| w.graph.phase(node).requested();
        let mut takers = w.facts.tokens.taken.iter().filter(|(node, ty, _)| types.contains(ty) && requested(*node)).peekable();
        takers.peek().is_some() && takers.all(|&(node, _, order)| self.asks(w, node, order, true))
    }

    /// Whether a function signs a token, itself or in what it calls: it renews.
    fn renews(&self, w: &World<'_>, node: NodeId) -> bool {
        let def = w.facts.node(node).def;
        self.signing.contains(&def) || self.calls(w, def).any(|c| self.signing.contains(&c.target))
    }

    /// The calls that check tokens of one kind of claims: the call itself, or those of the generic function around it.
    fn sites<'a>(&self, w: &World<'_>, verify: &'a Verify) -> Vec<Site<'a>> {
        let mut sites = vec![Site { verify, node: verify.node, order: verify.order, claims: verify.claims }];
        for _ in 0..GENERIC {
            let mut next = Vec::new();
            for site in sites {
                let def = w.facts.node(site.node).def;
                let generic = site.claims.is_none();
                let callers: Vec<&Call> =
                    if generic { w.facts.calls.iter().filter(|c| c.checks && c.target == def).collect() } else { Vec::new() };
                if callers.is_empty() {
                    next.push(site);
                }
                next.extend(callers.into_iter().map(|c| Site { verify, node: c.node, order: c.order, claims: c.claims }));
            }
            sites = next;
        }
        sites
    }

    fn ways(&self, w: &World<'_>, verify: Site<'_>) -> Vec<Way> {
        let own = self.asks(w, verify.node, verify.order, false);
        let found = w.graph.entries(verify.node, MAX_ENTRIES);
        if found.is_empty() {
            return vec![Way { entry: None, path: Vec::new(), asks: own, renews: false }];
        }
        let routes = found.iter().filter(|(e, _)| !w.facts.entry(*e).auxiliary).count();
        let one_purpose = routes <= PURPOSE;
        let way = |(entry, path): (EntryId, Vec<Edge>)| {
            let route = !w.facts.entry(entry).auxiliary;
            let start = path.first().map_or(verify.node, |e| e.from);
            let renews = route && self.renews(w, start);
            let nodes = path.iter().map(|e| e.from).chain([verify.node]);
            let own = own || !route && self.asked_later(w, nodes);
            let asks = own
                || path.iter().enumerate().any(|(step, edge)| {
                    let order = self.calls(w, w.facts.node(edge.from).def).find(|c| c.span == edge.span).map_or(0, |c| c.order);
                    // A handler that serves its request from the store has not asked whether the token still counts,
                    // unless the token is for this one purpose, or is exchanged for another.
                    let handler = step == 0 && route && !one_purpose;
                    self.asks(w, edge.from, order, handler) && (!handler || renews)
                });
            Way { entry: Some(entry), path, asks, renews }
        };
        found.into_iter().map(way).collect()
    }
}

/// The collection of the process that a check looks into, as the symbol of its cell.
pub fn local_list(w: &World<'_>, check: &Verify, way: &Way) -> Option<(AccessId, usize)> {
    let defs: FxHashSet<DefId> = way.path.iter().map(|e| w.facts.node(e.from).def).chain([w.facts.node(check.node).def]).collect();
    let looks = |a: &Access| matches!(a.op, Op::Contains | Op::Get) && defs.contains(&w.facts.node(a.node).def);
    (0..w.facts.accesses.len() as u32).map(AccessId).filter(|&id| looks(w.facts.access(id))).find_map(|id| {
        let cell = *w.cell_of.get(&id)?;
        let requested = super::phases::Phases::REQUEST;
        let filled = w.cells[cell].writes(w, requested).next().is_some();
        filled.then_some((id, cell))
    })
}
