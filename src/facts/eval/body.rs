//! What is known while a body is walked.

use super::*;

/// The function, closure or initialiser that is being walked.
pub(super) struct Body {
    pub(super) def: DefId,
    /// Whether the code that is being walked runs as the service is shipped.
    pub(super) choice: Choice,
    pub(super) node: NodeId,
    pub(super) file: FileId,
    pub(super) scope: Scope,
    pub(super) env: env::Env,
    pub(super) guards: Vec<Guard>,
    pub(super) order: u32,
    pub(super) ret: Option<Val>,
    pub(super) loads: bool,
    pub(super) stores: bool,
    pub(super) sleeps: bool,
    /// It takes a message for its caller.
    pub(super) receives: bool,
    /// It takes what a subscription brings to every instance.
    pub(super) subscribes: bool,
    pub(super) branch: Option<BranchId>,
    /// Ways out of loops met so far, other than those of `select!`, by which loops are told to stop.
    pub(super) leaves: u32,
    /// `break`s of the loop that is being walked.
    pub(super) breaks: u32,
    /// Waits for an item of a queue met so far, other than those of `select!`.
    pub(super) waits: u32,
    /// Those of them that wait for what this very body puts in.
    pub(super) own_waits: u32,
    /// Channels made in this body, by where.
    pub(super) channels: Vec<Span>,
    /// Parameters that run in a task, and the task.
    pub(super) spawned_params: Vec<(EffectId, u32)>,
    /// The async block that is being walked, counted from 1; 0 outside of all.
    pub(super) block: u32,
    pub(super) blocks: u32,
    /// In which of them each task begins.
    pub(super) spawned_in: FxHashMap<EffectId, u32>,
    /// Those that are waited for there.
    pub(super) joined: FxHashSet<EffectId>,
    pub(super) repeats_params: u32,
    pub(super) ages_params: u32,
    /// Parameters called in the loop that is being walked.
    pub(super) called_params: u32,
    /// What callees did to places of this body already.
    pub(super) substituted: FxHashSet<(NodeId, AccessId, Place)>,
    pub(super) texts: Vec<wrappers::TextCall>,
    pub(super) handed: Vec<wrappers::Handed>,
    /// What the method called last was given, and where its name stands.
    pub(super) given: Option<(Span, Prov, Vec<AccessId>)>,
    /// Parameters that are futures or closures by their written type.
    pub(super) work_params: u32,
    /// `self` is `&mut self`: its plain fields are state.
    pub(super) exclusive_self: bool,
    /// After a connection was accepted in a loop, or in what makes a service for each: what is made here goes with it.
    pub(super) connection: bool,
    /// Loops without an end around what is walked.
    pub(super) endless: u32,
    /// The loop that is walked, if it waits for what a channel or stream brings.
    pub(super) receiving: Option<Span>,
    /// Loops and closures over elements around what is walked.
    pub(super) iterating: u32,
    /// It calls a generic function that checks tokens, for claims that are not named here.
    pub(super) checks: bool,
    /// `self` is of a type that other methods change through `&mut self`: its plain numbers are state.
    pub(super) counting_self: bool,
    /// Depth of questions whose answer is a call to stop.
    pub(super) stopping: u32,
    /// Flags that such a call sets, and those by which loops are left.
    pub(super) stop_flags: Vec<Name>,
    pub(super) flag_breaks: Vec<Name>,
    /// Sinks that parameters flow into, here or further down.
    pub(super) param_uses: Vec<(u32, UseKind)>,
    /// It gives back an option: what is absent here is for the caller to judge.
    pub(super) passes_absence: bool,
    /// Within what is only done if a flag of the request asks for it: the effects that were there before.
    pub(super) if_asked: Option<usize>,
    /// What made the part of a library, or the secret, that was named last in the statement.
    pub(super) put_to_use: Option<(NodeId, Span)>,
}

/// A held lock or permit.
pub(super) struct Guard {
    pub(super) access: AccessId,
    /// The variable that holds it; a temporary ends with its statement.
    pub(super) name: Option<Name>,
}

impl Body {
    pub(super) fn new(def: DefId, node: NodeId, file: FileId, scope: Scope) -> Body {
        Body {
            def,
            choice: Choice::Always,
            node,
            file,
            scope,
            env: env::Env::default(),
            guards: Vec::new(),
            order: 0,
            ret: None,
            loads: false,
            stores: false,
            sleeps: false,
            receives: false,
            subscribes: false,
            branch: None,
            leaves: 0,
            breaks: 0,
            waits: 0,
            own_waits: 0,
            channels: Vec::new(),
            spawned_params: Vec::new(),
            block: 0,
            blocks: 0,
            spawned_in: FxHashMap::default(),
            joined: FxHashSet::default(),
            repeats_params: 0,
            ages_params: 0,
            called_params: 0,
            substituted: FxHashSet::default(),
            texts: Vec::new(),
            handed: Vec::new(),
            given: None,
            work_params: 0,
            exclusive_self: false,
            connection: false,
            endless: 0,
            receiving: None,
            iterating: 0,
            checks: false,
            counting_self: false,
            stopping: 0,
            stop_flags: Vec::new(),
            flag_breaks: Vec::new(),
            param_uses: Vec::new(),
            passes_absence: false,
            if_asked: None,
            put_to_use: None,
        }
    }
}
