//! A lowered file as bytes, for the cache.

use std::cell::Cell;

use super::File;

/// The arenas that numbers lead into.
#[derive(Clone, Copy)]
pub(super) enum Arena {
    Symbols,
    Items,
    Exprs,
    Pats,
    Types,
}

thread_local! {
    /// One more than the largest number that was read for each arena.
    static LARGEST: Cell<[u64; 5]> = const { Cell::new([0; 5]) };
}

pub(super) fn note(arena: Arena, number: u32) {
    LARGEST.with(|largest| {
        let mut all = largest.get();
        if let Some(most) = all.get_mut(arena as usize) {
            *most = (*most).max(u64::from(number) + 1);
        }
        largest.set(all);
    });
}

pub fn encode(file: &File) -> Option<Vec<u8>> {
    postcard::to_allocvec(file).ok()
}

/// The file that was encoded; `None` if the bytes are of no file, or if a number in it leads nowhere.
/// Takes memory and time in proportion to the bytes, whatever they say.
pub fn decode(bytes: &[u8]) -> Option<File> {
    LARGEST.with(|largest| largest.set([0; 5]));
    let (file, rest) = postcard::take_from_bytes::<File>(bytes).ok()?;
    let lengths = [file.symbols.len(), file.items.len(), file.exprs.len(), file.pats.len(), file.types.len()];
    let largest = LARGEST.with(Cell::get);
    let all_there = largest.iter().zip(lengths).all(|(&most, length)| most <= length as u64);
    (rest.is_empty() && all_there).then_some(file)
}
