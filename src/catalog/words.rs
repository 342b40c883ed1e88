//! The words of the catalog: what types, methods and functions can be.

use serde::Deserialize;
use std::collections::BTreeMap;

/// What a method does to the value it is called on.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Op {
    /// Keyed read: the answer is an option.
    Get,
    Contains,
    /// Unkeyed read of the whole or a part.
    Read,
    Insert,
    /// Insertion whose answer says whether the key was new.
    InsertNew,
    Push,
    Remove,
    /// Removal of what is old or does not match.
    Prune,
    Drain,
    Clear,
    Entry,
    /// Set once.
    Init,
    /// Get, or load and keep.
    LoadThrough,
    Load,
    Store,
    Swap,
    Rmw,
    Cas,
    Lock,
    TryLock,
    ReadLock,
    Send,
    Recv,
    Reply,
    Subscribe,
    Acquire,
    Wait,
    Notify,
    Pass,
    None,
}

impl Op {
    pub fn writes(self) -> bool {
        use Op::*;
        matches!(self, Insert | InsertNew | Push | Remove | Prune | Drain | Clear | LoadThrough | Store | Swap | Rmw | Cas | Init)
    }
    pub fn reads(self) -> bool {
        use Op::*;
        matches!(self, Get | Contains | Read | InsertNew | LoadThrough | Load | Swap | Rmw | Cas | Remove | Drain)
    }
}

/// What a method gives back, in terms of the receiver's type.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gives {
    Inner,
    OptInner,
    IterInner,
    Value,
    OptValue,
    IterValue,
    Key,
    IterKey,
    #[serde(rename = "self")]
    Same,
    Entry,
    Receiver,
    Bool,
    Num,
    Unit,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Class {
    /// The value stands for its first generic argument.
    pub deref: bool,
    pub methods: BTreeMap<String, (Op, Gives)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    Queue,
    Broadcast,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FnEffect {
    Spawn,
    SpawnBlocking,
    JoinedSpawn,
    /// A library repeats the work that it is given.
    Schedule,
    FileWrite,
    FileCopy,
    FileRename,
    FileRemove,
    FileDir,
    FileRead,
    Temp,
    Random,
    Clock,
    Config,
    Sleep,
    Join,
    /// What it is given only shows up in logs.
    Log,
    Channel,
    /// Bytes go to a device or server over a bare connection.
    Wire,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    Sql,
    Embedded,
    Cache,
    Http,
    Object,
    Queue,
    Mail,
    Search,
}
