//! What the evaluation of bodies leaves behind: bodies that run (nodes), calls between them, accesses
//! to places, effects, and the uses that values read from places are put to.

use super::configured::Configuration;
pub use super::place::{Place, Root, Seg};
pub use super::prov::Prov;
use super::shipped::Origin;
pub use super::talks::{Ordering, Saying, Talk};
use crate::catalog::{Channel, FnEffect, Op, StoreKind};
use crate::names::Name;
use crate::resolve::{DefId, FileId, Ty};
use crate::syntax::hir::Span;
use rustc_hash::{FxHashMap, FxHashSet};

macro_rules! ids {
    ($($name:ident),* $(,)?) => {$(
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        pub struct $name(pub u32);
        impl $name {
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    )*};
}
ids!(NodeId, AccessId, EntryId, EffectId, BranchId);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NodeKind {
    Function,
    /// The initialiser of a static or constant.
    Initialiser,
    /// Work handed to a task, thread or pool.
    Spawned(EffectId),
    /// A closure given to a router.
    Handler(EntryId),
}

pub struct Node {
    /// The function or static in whose text it lies.
    pub def: DefId,
    pub file: FileId,
    pub parent: Option<NodeId>,
    pub kind: NodeKind,
    pub span: Span,
    /// Loops that never end by themselves and sleep or tick in their body: where.
    pub periodic: Option<Span>,
    /// It loops over what a stream or socket brings.
    pub pumps: bool,
    /// It waits, among other things, for what a stream or socket brings.
    pub listens: bool,
}

/// One way that a question can go, below the way on which the question is asked.
#[derive(Clone, Copy, Debug)]
pub struct Branch {
    pub parent: Option<BranchId>,
    /// The ways of one question exclude each other.
    pub question: u32,
    /// What stands behind the question is not reached on this way.
    pub leaves: bool,
    /// The function, or the program, ends on this way.
    pub ends: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CallKind {
    Call,
    /// The callee runs in a task of its own.
    Spawn,
    /// The function is handed over as a value.
    Value,
}

/// Whether code runs as the service is shipped, where a setting decides.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Choice {
    /// No setting was seen that decides.
    #[default]
    Always,
    /// The default of a setting leads here; where it is written.
    Shipped(Origin),
    /// Only when somebody changes a setting.
    Off,
    /// A setting decides, and nothing says what it starts with.
    Open,
}

pub struct Call {
    pub choice: Choice,
    pub node: NodeId,
    pub target: DefId,
    pub kind: CallKind,
    /// More than one candidate: a trait object or a bounded parameter.
    pub dynamic: bool,
    pub span: Span,
    pub order: u32,
    pub branch: Option<BranchId>,
    /// Accesses that hold a lock or permit at this point.
    pub guards: Vec<AccessId>,
    pub args: Vec<Prov>,
    /// The claims of a token, if the call of a generic function gives some.
    pub claims: Option<DefId>,
    /// The function is generic and checks tokens.
    pub checks: bool,
    /// The body returns at once what this call has found, if it has found anything.
    pub answers: bool,
}

#[derive(Clone)]
pub struct Access {
    pub node: NodeId,
    pub place: Place,
    pub op: Op,
    /// Type of what is accessed: the collection, atomic, lock or scalar.
    pub ty: Ty,
    pub method: Name,
    pub key: Prov,
    pub value: Prov,
    pub span: Span,
    pub order: u32,
    pub branch: Option<BranchId>,
    pub guards: Vec<AccessId>,
    /// For an access that a callee makes on our argument: the callee's own access.
    pub via: Option<AccessId>,
    /// The container can drop entries by age.
    pub expires: bool,
    /// The written value is this literal.
    pub literal: Option<Literal>,
}

#[derive(Clone, PartialEq, Debug)]
pub enum Literal {
    Int(i128),
    Bool(bool),
    Str(String),
}

/// What one side of a branch does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Arm {
    /// Leaves the function or the loop.
    pub exits: bool,
    /// It yields or returns an error, a refusal or nothing.
    pub refuses: bool,
    /// Asks a backing store or another service.
    pub loads: bool,
    /// Changes a store or sends something, and would do so again.
    pub stores: bool,
    /// Writes to the cell that was asked.
    pub writes: bool,
    /// There is no code for it, or it only logs.
    pub empty: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum UseKind {
    /// Absence is an error: `unwrap`, `expect`, `?`, `ok_or`, indexing.
    Required,
    /// Absence is replaced by a default; true if the default asks a store.
    Defaulted(bool),
    Branch {
        hit: Arm,
        miss: Arm,
    },
    /// Goes into what an entry point answers.
    Response,
    /// Compared or tested to decide what happens.
    Gate {
        hit: Arm,
        miss: Arm,
    },
    /// Given to a backing store.
    Stored,
    /// Used as a key, an id field or a name.
    Identity,
    /// Goes into a metric or log.
    Logged,
    /// Only its remainder counts: round robin.
    Modulo,
    /// Written to another cell.
    Kept,
    /// Its age decides whether it still counts.
    Aged,
    /// Signs, seals or salts.
    Signs,
}

/// The method of accesses by which a value is compared with what may come from a request.
pub const COMPARED: &str = "compare";

/// Stands among the calls of a query builder for an update that sets nothing but a moment.
pub const TOUCHES: &str = "touches";

/// Where something lies that outlives the body in which it is used.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kept {
    Field(DefId, Name),
    Static(DefId),
    Local(NodeId, Span),
}

/// A value that signs, seals or salts here.
pub struct Signing {
    pub node: NodeId,
    pub span: Span,
    pub key: Kept,
    /// It does so only if this comes from a request.
    pub with: Option<Prov>,
}

#[derive(Clone, Copy, Debug)]
pub struct Use {
    pub access: AccessId,
    pub node: NodeId,
    pub kind: UseKind,
    pub span: Span,
    pub order: u32,
}

#[derive(Clone, PartialEq, Debug)]
pub enum EffectKind {
    /// A call on a backing store or another service. `writes` if by name or SQL it changes something.
    Store {
        kind: StoreKind,
        writes: bool,
    },
    File(FnEffect),
    Spawn {
        body: NodeId,
        awaited: bool,
        blocking: bool,
        wrapper: bool,
    },
    /// A channel is made.
    Channel(Channel),
    /// Bytes are written to a connection that this body has made.
    Wire,
    Sleep,
    Log,
    /// A library part by the catalog's rule id.
    Library(String),
    /// A request reads or changes what a library part keeps; `what` is the handle's type and method.
    Handle {
        writes: bool,
    },
    /// A secret is made from randomness.
    Secret,
    /// SQL or other text that takes a claim: `SKIP LOCKED`, advisory lock, `ON CONFLICT`, `SET NX`.
    Claim,
    /// A message is taken from a broker that gives it to one instance of a group.
    Receive,
    /// A message is acknowledged, or its position committed: the broker will not bring it again.
    Settle,
    /// An item is taken out of a list in a shared store, which forgets it at once.
    Pop,
    /// A loop reads a stream on from a position that only it keeps.
    Follow,
    /// A consumer is set up so that messages count as done when they arrive.
    AutoSettle,
    /// A consumer group of this process alone: every instance gets all messages.
    OwnGroup,
    /// The service is opened to the network, or to processes of this machine alone.
    Listen {
        local: bool,
    },
}

#[derive(Clone, Debug)]
pub struct Effect {
    pub choice: Choice,
    pub node: NodeId,
    pub kind: EffectKind,
    /// The function or method as called, for messages.
    pub what: String,
    pub span: Span,
    pub order: u32,
    pub branch: Option<BranchId>,
    pub guards: Vec<AccessId>,
    /// Where the path (file), key or first argument comes from.
    pub path: Prov,
    pub data: Prov,
    /// SQL text or a literal path.
    pub text: Option<String>,
    /// The place on which a store client's method was called.
    pub on: Option<Place>,
    /// Its text is a parameter: callers repeat the effect with the text that they pass.
    pub delegated: bool,
}

impl Effect {
    /// Whether it changes a store and would do so again if it were repeated.
    pub fn repeats(&self) -> bool {
        let upsert = self.text.as_deref().is_some_and(|t| t.to_ascii_uppercase().contains("ON CONFLICT"));
        matches!(self.kind, EffectKind::Store { writes: true, .. }) && !upsert
    }
}

pub struct Entry {
    /// `GET /todos`, `message Join`, `extractor from_request`.
    pub method: Option<String>,
    pub path: Option<String>,
    pub kind: String,
    /// The function, or the node of the closure.
    pub def: Option<DefId>,
    pub node: Option<NodeId>,
    pub file: FileId,
    pub span: Span,
    /// Middleware, extractor and the like: runs within a request but is not itself a route.
    pub auxiliary: bool,
}

impl Entry {
    /// How a message names it.
    pub fn label(&self, function: &str) -> String {
        match (&self.method, &self.path) {
            (Some(method), Some(path)) => format!("{method} {path}"),
            (None, Some(path)) => path.clone(),
            (Some(method), None) => format!("{method} {function}"),
            (None, None) if self.kind == "handler" => function.to_string(),
            (None, None) => format!("{} {function}", self.kind),
        }
    }
}

impl Entry {
    /// Whether it is run by messages that a broker gives to one instance of a group.
    pub fn consumes(&self) -> bool {
        matches!(self.kind.as_str(), "consumer" | "subscriber" | "job")
    }
}

/// What a field of a struct is made with, in a struct literal.
pub struct Init {
    pub choice: Choice,
    pub holder: DefId,
    pub field: Name,
    pub prov: Prov,
    pub expires: bool,
    pub node: NodeId,
    /// Where the channel was made whose end this is.
    pub channel: Option<(NodeId, Span)>,
    /// The variable whose value it is.
    pub made: Option<(NodeId, Span)>,
    /// Where the value is written.
    pub span: Span,
}

impl Init {
    /// Whether the value is, or holds, what an effect makes: there, or in the variable that it is.
    pub fn makes(&self, effect: &Effect) -> bool {
        let variable = self.made.is_some_and(|(node, span)| node == effect.node && span.holds(effect.span));
        variable || self.node == effect.node && self.span.holds(effect.span)
    }
}

/// A value of a struct of the tree is made here.
pub struct Made {
    pub ty: DefId,
    pub node: NodeId,
    pub branch: Option<BranchId>,
}

/// A value given to the service to keep.
pub struct Registration {
    pub node: NodeId,
    pub ty: Ty,
    pub place: Option<Place>,
    pub span: Span,
    pub what: String,
}

#[derive(Default)]
pub struct Facts {
    pub nodes: Vec<Node>,
    pub calls: Vec<Call>,
    pub accesses: Vec<Access>,
    pub uses: Vec<Use>,
    pub effects: Vec<Effect>,
    pub entries: Vec<Entry>,
    pub registrations: Vec<Registration>,
    /// Values made anew for each connection, by the place where they are made.
    pub per_connection: FxHashSet<(NodeId, Span)>,
    /// Variables that a loop over what a channel brings keeps from one item to the next, by where they are made.
    pub held: FxHashSet<(NodeId, Span)>,
    pub talks: Vec<Talk>,
    pub said: Vec<Saying>,
    /// Comparisons by `<`, `>` and the like within such loops.
    pub ordered: Vec<Ordering>,
    /// Accesses by which such a variable takes in the way to answer a request: whoever sent it still waits.
    pub unanswered: FxHashSet<AccessId>,
    /// Accesses of a function on a parameter for which callers, these bodies, gave a value of their own: a local,
    /// a copy, a builder.
    pub own_given: FxHashMap<AccessId, FxHashSet<NodeId>>,
    /// Struct literals with a number or id of which the type is sent out or stored as it is.
    pub records: FxHashSet<(NodeId, Span)>,
    /// Sends into channels whose type of items only shows in what is sent.
    pub unnamed: FxHashSet<AccessId>,
    /// State that closures which serve requests are handed by type.
    pub extracted: Vec<(EntryId, Ty)>,
    /// Methods that look like handlers, that nobody calls, and to which no route was found.
    pub unrouted: u64,
    /// Where connections or datagrams are taken by hand.
    pub accepts: Vec<(NodeId, Span)>,
    /// Types of what requests carry with them: handlers are handed it by type, as they are state.
    pub carried: FxHashSet<Ty>,
    pub inits: Vec<Init>,
    pub made: Vec<Made>,
    /// Calls that open the database which a setting names, of whatever kind it is.
    pub openers: Vec<(NodeId, Span)>,
    /// Where variables that hold parts of libraries and secrets are named, by the body and place of the effect that
    /// made them, in the order of the text, at most [`Facts::MAX_PLACES`] each.
    pub put_to_use: FxHashMap<(NodeId, Span), Vec<(NodeId, Span)>>,
    pub tokens: super::tokens::Tokens,
    pub steering: super::steering::Steering,
    pub signings: Vec<Signing>,
    /// Where the values of statics come from that their initialisers make.
    pub static_starts: FxHashMap<DefId, Prov>,
    pub branches: Vec<Branch>,
    /// Variables that hold state, by the node and span of their making: what they start from, and the name.
    pub starts: FxHashMap<(NodeId, Span), (Prov, Option<Name>)>,
    /// By the static or constant: the bodies that name it.
    pub named: FxHashMap<DefId, FxHashSet<NodeId>>,
    /// Functions that read from a store, themselves or through what they call.
    pub loading: FxHashSet<DefId>,
    /// Channels for one answer, by where they are made: the bodies that name the end at which it arrives.
    pub answers: FxHashMap<(NodeId, Span), Vec<NodeId>>,
    /// What the files of the tree set.
    pub configuration: Configuration,
    /// What statics start with, where it is a literal.
    pub static_literals: FxHashMap<DefId, Literal>,
    /// Definitions whose body could not be walked, by a fault of this program.
    pub failed: Vec<DefId>,
    /// Functions that change one.
    pub storing: FxHashSet<DefId>,
    /// Method calls whose receiver's type is not known and whose name is not either.
    pub unknown_calls: u64,
    pub known_calls: u64,
}

impl Facts {
    pub const MAX_PLACES: usize = 3;

    /// Where an access that a caller has of its callee really happens.
    pub fn origin<'f>(&'f self, access: &'f Access) -> &'f Access {
        access.via.map_or(access, |via| self.access(via))
    }

    /// The ways from the start of the body down to a point, outermost first.
    pub fn ways(&self, mut at: Option<BranchId>) -> Vec<BranchId> {
        let mut ways = Vec::new();
        while let Some(id) = at {
            ways.push(id);
            at = self.branches[id.index()].parent;
        }
        ways.reverse();
        ways
    }

    /// Whether what stands later in the text of a body can run after what stands on the way `from`.
    pub fn leads_on(&self, from: Option<BranchId>, to: Option<BranchId>) -> bool {
        let (from, to) = (self.ways(from), self.ways(to));
        let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
        let question = |id: &BranchId| self.branches[id.index()].question;
        let apart = from.get(shared).map(question);
        let excluded = apart.is_some() && apart == to.get(shared).map(question);
        !excluded && !from[shared..].iter().any(|id| self.branches[id.index()].leaves)
    }

    /// Whether two points stand on ways of one question that exclude each other.
    pub fn excludes(&self, one: Option<BranchId>, other: Option<BranchId>) -> bool {
        let (one, other) = (self.ways(one), self.ways(other));
        let shared = one.iter().zip(&other).take_while(|(a, b)| a == b).count();
        let question = |ways: &[BranchId]| ways.get(shared).map(|id| self.branches[id.index()].question);
        question(&one).is_some() && question(&one) == question(&other)
    }

    /// Whether whoever comes to `to` has come through `from`, if it stands before it in the text.
    pub fn dominates(&self, from: Option<BranchId>, to: Option<BranchId>) -> bool {
        self.ways(to).starts_with(&self.ways(from))
    }

    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.index()]
    }
    pub fn access(&self, id: AccessId) -> &Access {
        &self.accesses[id.index()]
    }
    pub fn entry(&self, id: EntryId) -> &Entry {
        &self.entries[id.index()]
    }
    /// The function that an entry point is, or in whose text it stands.
    pub fn def_of(&self, entry: &Entry) -> Option<DefId> {
        entry.def.or_else(|| entry.node.map(|node| self.node(node).def))
    }
}

#[cfg(test)]
mod tests {
    use super::{NodeId, Place, Root, Seg};
    use crate::syntax::hir::Span;

    #[test]
    fn a_place_below_the_bound_says_so() {
        let root = Place::root(Root::Local(NodeId(0), Span::default()));
        let deepest = root.join(&vec![Seg::Elem; Place::MAX]);
        assert_ne!(deepest.path.last(), Some(&Seg::Below));
        let below = deepest.step(Seg::Elem);
        assert_eq!(below.path.last(), Some(&Seg::Below));
        assert_eq!(below.step(Seg::Elem), below);
        assert_eq!(root.step(Seg::Elem).join(&deepest.path), below);
    }
}
