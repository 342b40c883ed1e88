//! Which crates run in one process: those that one program is linked from.

use super::program::*;

impl Program {
    /// Finds the programs that each crate is linked into. A program is a crate that no other crate of the
    /// tree depends on. Linear in programs times the crates below each.
    pub fn index_processes(&mut self) {
        let below = |id: usize| {
            self.crates[id].externs.values().filter_map(|e| match e {
                Extern::Workspace(other) => Some(other.0 as usize),
                Extern::External(_) => None,
            })
        };
        let mut needed = vec![false; self.crates.len()];
        for id in 0..self.crates.len() {
            below(id).for_each(|other| needed[other] = true);
        }
        let mut processes = vec![Vec::new(); self.crates.len()];
        for program in (0..self.crates.len()).filter(|&id| !needed[id]) {
            let mut stack = vec![program];
            while let Some(id) = stack.pop() {
                if processes[id].last() != Some(&(program as u32)) {
                    processes[id].push(program as u32);
                    stack.extend(below(id));
                }
            }
        }
        self.processes = processes;
    }

    /// Whether some process holds both crates.
    pub fn run_together(&self, a: CrateId, b: CrateId) -> bool {
        let of = |id: CrateId| &self.processes[id.0 as usize];
        a == b || of(a).iter().any(|program| of(b).binary_search(program).is_ok())
    }
}
