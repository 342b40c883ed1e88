//! Provenance: where values come from.

/// Where a value comes from: a set, and the parameters of the function that flow into it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Prov {
    pub kinds: u16,
    /// Bit i: parameter i; `self` is parameter 0, others follow.
    pub params: u32,
}

impl Prov {
    pub const NONE: Prov = Prov { kinds: 0, params: 0 };
    pub const CONST: Prov = Prov { kinds: 1, params: 0 };
    pub const CONFIG: Prov = Prov { kinds: 2, params: 0 };
    pub const REQUEST: Prov = Prov { kinds: 4, params: 0 };
    pub const STORE: Prov = Prov { kinds: 8, params: 0 };
    pub const BUS: Prov = Prov { kinds: 16, params: 0 };
    pub const CLOCK: Prov = Prov { kinds: 32, params: 0 };
    pub const RANDOM: Prov = Prov { kinds: 64, params: 0 };
    pub const CELL: Prov = Prov { kinds: 128, params: 0 };
    pub const UNKNOWN: Prov = Prov { kinds: 256, params: 0 };
    /// The count or position of something kept in a cell.
    pub const COUNT: Prov = Prov { kinds: 512, params: 0 };
    /// What a token says that was checked.
    pub const CLAIM: Prov = Prov { kinds: 1024, params: 0 };
    /// What one instance has at one moment: from a request, drawn, counted or timed.
    pub const BROUGHT: Prov = Prov { kinds: 4 | 32 | 64 | 512, params: 0 };
    /// The name of this one instance.
    pub const INSTANCE: Prov = Prov { kinds: 2048, params: 0 };
    /// What tells one client from another: its address, a cookie, a session.
    pub const CLIENT: Prov = Prov { kinds: 4096, params: 0 };
    /// One of several servers, chosen by what tells clients apart.
    pub const PICKED: Prov = Prov { kinds: 8192, params: 0 };

    pub fn param(index: usize) -> Prov {
        Prov { kinds: 0, params: 1u32.checked_shl(index as u32).unwrap_or(0) }
    }
    #[must_use]
    pub fn or(self, other: Prov) -> Prov {
        Prov { kinds: self.kinds | other.kinds, params: self.params | other.params }
    }
    #[must_use]
    pub fn only(self, other: Prov) -> Prov {
        Prov { kinds: self.kinds & other.kinds, params: 0 }
    }
    pub fn has(self, other: Prov) -> bool {
        self.kinds & other.kinds != 0
    }
    /// Only constants, or nothing at all.
    pub fn is_constant(self) -> bool {
        self.kinds & !(Prov::CONST.kinds) == 0 && self.params == 0
    }

    /// Only what is the same in every instance and at any time.
    pub fn is_fixed(self) -> bool {
        self.kinds & !(Prov::CONST.kinds | Prov::CONFIG.kinds) == 0
    }

    pub fn describe(self) -> String {
        let names = [
            "constant",
            "configuration",
            "request",
            "backing store",
            "bus",
            "clock",
            "random",
            "another cell",
            "unknown",
            "count",
            "token",
            "name of the instance",
            "client",
            "server of the client",
        ];
        let found: Vec<&str> = names.iter().enumerate().filter(|(i, _)| self.kinds & (1 << i) != 0).map(|(_, n)| *n).collect();
        if found.is_empty() { "unknown".into() } else { found.join(", ") }
    }
}
