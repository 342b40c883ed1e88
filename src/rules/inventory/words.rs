//! Facts in plain words.

use crate::catalog::{Channel, FnEffect, Op, StoreKind};
use crate::facts::model::{Arm, EffectKind, UseKind};

/// What an access does.
pub fn operation(op: Op) -> &'static str {
    match op {
        Op::Get => "read by key",
        Op::Contains => "presence tested",
        Op::Read | Op::Load => "read",
        Op::Insert => "written by key",
        Op::InsertNew => "written if new",
        Op::Push => "appended to",
        Op::Remove => "removed by key",
        Op::Prune => "pruned",
        Op::Drain => "drained",
        Op::Clear => "cleared",
        Op::Entry => "entry taken",
        Op::Init => "set once",
        Op::LoadThrough => "read, or loaded and kept",
        Op::Store => "written",
        Op::Swap => "exchanged",
        Op::Rmw => "read, modified and written",
        Op::Cas => "compared and exchanged",
        Op::Lock | Op::TryLock => "locked",
        Op::ReadLock => "locked for reading",
        Op::Send => "sent to",
        Op::Recv => "received from",
        Op::Reply => "answered through",
        Op::Subscribe => "subscribed to",
        Op::Acquire => "permit acquired",
        Op::Wait => "waited on",
        Op::Notify => "notified",
        Op::Pass | Op::None => "passed on",
    }
}

/// What becomes of a value that was read.
pub fn usage(kind: UseKind) -> String {
    match kind {
        UseKind::Required => "its absence is an error".into(),
        UseKind::Defaulted(true) => "its absence is made good from a store".into(),
        UseKind::Defaulted(false) => "its absence is replaced by a default".into(),
        UseKind::Branch { hit, miss } => format!("when it is there, {}; when it is missing, {}", arm(hit), arm(miss)),
        UseKind::Response => "goes into the response".into(),
        UseKind::Gate { hit, miss } => format!("decides: when it holds, {}; otherwise, {}", arm(hit), arm(miss)),
        UseKind::Stored => "is given to a backing store".into(),
        UseKind::Identity => "becomes a key, an id or a name".into(),
        UseKind::Logged => "is only logged or measured".into(),
        UseKind::Modulo => "only its remainder counts".into(),
        UseKind::Kept => "is kept in another cell".into(),
        UseKind::Signs => "signs or salts".into(),
        UseKind::Aged => "its age decides whether it still counts".into(),
    }
}

/// The miss path, by the words of the design: recompute, load, visible or proceed.
pub fn miss(kind: UseKind) -> Option<String> {
    let word = match kind {
        UseKind::Required => "visible",
        UseKind::Defaulted(true) => "load",
        UseKind::Defaulted(false) => "proceed",
        UseKind::Branch { miss, .. } if miss.loads => "load",
        UseKind::Branch { miss, .. } if miss.refuses => "visible",
        UseKind::Branch { miss, .. } if miss.writes => "recompute",
        UseKind::Branch { .. } => "proceed",
        _ => return None,
    };
    Some(word.into())
}

fn arm(arm: Arm) -> String {
    let Arm { exits, refuses, loads, stores, writes, empty } = arm;
    let mut said = Vec::new();
    if stores {
        said.push("a store is changed");
    } else if loads {
        said.push("a store is asked");
    }
    if writes {
        said.push("it is written");
    }
    if refuses {
        said.push("the request is refused");
    } else if exits {
        said.push("the work ends there");
    }
    match said.as_slice() {
        [] if empty => "nothing happens".into(),
        [] => "the work goes on".into(),
        said => said.join(" and "),
    }
}

fn store(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Sql => "a database",
        StoreKind::Embedded => "an embedded database",
        StoreKind::Cache => "a shared cache",
        StoreKind::Http => "another service",
        StoreKind::Object => "an object store",
        StoreKind::Queue => "a queue",
        StoreKind::Mail => "a mail server",
        StoreKind::Search => "a search engine",
    }
}

fn call(effect: FnEffect) -> &'static str {
    match effect {
        FnEffect::FileWrite => "writes a file",
        FnEffect::FileCopy => "copies a file",
        FnEffect::FileRename => "renames a file",
        FnEffect::FileRemove => "removes a file",
        FnEffect::FileDir => "makes a folder",
        FnEffect::FileRead => "reads a file",
        FnEffect::Temp => "makes a temporary file",
        FnEffect::Log => "names what is logged",
        FnEffect::Spawn | FnEffect::SpawnBlocking | FnEffect::JoinedSpawn | FnEffect::Join => "starts or joins work",
        FnEffect::Schedule => "schedules work",
        FnEffect::Random => "draws randomness",
        FnEffect::Clock => "asks the clock",
        FnEffect::Config => "reads configuration",
        FnEffect::Sleep => "pauses",
        FnEffect::Channel => "makes a channel",
        FnEffect::Wire => "writes to a connection",
    }
}

/// What an effect does, to follow the name of what is called.
pub fn effect(kind: &EffectKind) -> String {
    match kind {
        EffectKind::Store { kind, writes: true } => format!("changes something in {}", store(*kind)),
        EffectKind::Store { kind, writes: false } => format!("asks {}", store(*kind)),
        EffectKind::File(effect) => call(*effect).into(),
        EffectKind::Spawn { awaited, blocking, wrapper, .. } => {
            let how = if *blocking { "runs work on a thread" } else { "runs work in a task" };
            let awaited = if *awaited { "which is awaited" } else { "which nobody awaits" };
            let through = if *wrapper { ", through a function of the tree" } else { "" };
            format!("{how} {awaited}{through}")
        }
        EffectKind::Channel(Channel::Queue) => "makes a queue in this process".into(),
        EffectKind::Channel(Channel::Broadcast) => "makes a broadcast channel in this process".into(),
        EffectKind::Wire => "writes to a connection of its own".into(),
        EffectKind::Sleep => "pauses".into(),
        EffectKind::Log => "logs or measures".into(),
        EffectKind::Library(rule) => format!("is a part of a library that `{rule}` knows"),
        EffectKind::Handle { writes: true } => "changes what a library keeps for the client".into(),
        EffectKind::Handle { writes: false } => "reads what a library keeps for the client".into(),
        EffectKind::Secret => "makes a secret from randomness".into(),
        EffectKind::Claim => "takes a claim in a shared store".into(),
        EffectKind::Receive => "takes a message from a broker".into(),
        EffectKind::Settle => "tells the broker that a message is done".into(),
        EffectKind::Pop => "takes an item out of a shared list for good".into(),
        EffectKind::Follow => "reads a stream on from a position of its own".into(),
        EffectKind::AutoSettle => "lets messages count as done when they arrive".into(),
        EffectKind::OwnGroup => "makes a consumer group of this process alone".into(),
        EffectKind::Listen { local: true } => "listens for processes of this machine".into(),
        EffectKind::Listen { local: false } => "listens".into(),
    }
}

/// Why an effect is quiet.
pub fn harmless(kind: &EffectKind) -> &'static str {
    match kind {
        EffectKind::Store { kind: StoreKind::Embedded, .. } => "judged where the database is opened",
        EffectKind::Store { .. } => "what it changes is outside the instance",
        EffectKind::File(FnEffect::FileRead | FnEffect::FileDir | FnEffect::Temp) => "nothing is kept on the instance's disk",
        EffectKind::File(_) => "no data of a request is kept by it",
        EffectKind::Spawn { awaited: true, .. } => "the work is awaited",
        EffectKind::Spawn { .. } => "no work that a request promised is lost with it",
        EffectKind::Channel(_) => "judged as a cell by what is sent and who receives",
        EffectKind::Wire => "what it changes is outside the instance",
        EffectKind::Sleep => "it only takes time",
        EffectKind::Log => "only this instance's log or metric",
        EffectKind::Library(_) => "not kept by the service, or shared",
        EffectKind::Handle { .. } => "judged where the store or its key is made",
        EffectKind::Secret => "what it signs does not come back with a later request",
        EffectKind::Claim => "one instance alone gets the claim",
        EffectKind::Receive => "a message goes to one instance of a group",
        EffectKind::Settle => "the work is stored before",
        EffectKind::Pop => "nothing that must not be lost is done with the item",
        EffectKind::Follow => "nothing lasting is done with what is read, or the position is loaded",
        EffectKind::AutoSettle => "no work of a message is stored later",
        EffectKind::OwnGroup => "every instance gets all messages",
        EffectKind::Listen { .. } => "opens the service",
    }
}
