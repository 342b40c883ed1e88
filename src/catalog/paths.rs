//! Tables by the paths of items of other crates. Re-exports move items between modules, so that a path
//! counts by its crate and its last segment or two, and both are looked up as parts of its own text.

use rustc_hash::FxHashMap;

/// The crate of a path, and its last segments, at most `keep` of them: `tokio::sync::Mutex` is `tokio` and
/// `Mutex`. Asked at every call of a tree, so that it looks for colons byte by byte.
fn ends(path: &str, keep: usize) -> (&str, &str) {
    let krate = first(path);
    let Some(inner) = path.get(krate.len() + 2..) else { return (path, "") };
    let mut from = inner.len();
    for _ in 0..keep {
        let before = inner.as_bytes().get(..from).unwrap_or_default();
        match before.iter().rposition(|&byte| byte == b':') {
            Some(colon) if colon > 0 => from = colon - 1,
            _ => return (krate, inner),
        }
    }
    (krate, inner.get(from + 2..).unwrap_or_default())
}

/// Crate and last segment, the key of types.
pub fn short(path: &str) -> (&str, &str) {
    ends(path, 1)
}

/// Crate and the last two segments if three or more are given, else crate and last.
fn long(path: &str) -> (&str, &str) {
    ends(path, 2)
}

/// The first segment of a path.
pub fn first(path: &str) -> &str {
    let colon = path.bytes().position(|byte| byte == b':');
    colon.and_then(|at| path.get(..at)).unwrap_or(path)
}

#[derive(Debug)]
pub(super) struct PathTable<V>(FxHashMap<String, FxHashMap<String, V>>);

impl<V> Default for PathTable<V> {
    fn default() -> Self {
        PathTable(FxHashMap::default())
    }
}

impl<V> PathTable<V> {
    fn add(&mut self, (krate, name): (&str, &str), value: V) {
        self.0.entry(krate.to_string()).or_default().insert(name.to_string(), value);
    }

    /// Adds an item that is known by its last two segments, if the catalog gives as many.
    pub fn add_long(&mut self, path: &str, value: V) {
        self.add(long(path), value);
    }

    /// Adds an item that is known by its last segment, unless one is there already.
    pub fn add_short_if_new(&mut self, path: &str, value: V) {
        let (krate, name) = short(path);
        self.0.entry(krate.to_string()).or_default().entry(name.to_string()).or_insert(value);
    }

    fn at(&self, (krate, name): (&str, &str)) -> Option<&V> {
        self.0.get(krate)?.get(name)
    }

    pub fn short_mut(&mut self, path: &str) -> &mut V
    where
        V: Default,
    {
        let (krate, name) = short(path);
        self.0.entry(krate.to_string()).or_default().entry(name.to_string()).or_default()
    }

    pub fn has_crate(&self, krate: &str) -> bool {
        self.0.contains_key(krate)
    }

    pub fn get_short(&self, path: &str) -> Option<&V> {
        self.at(short(path))
    }

    /// The item by its last two segments, or else by its last one.
    pub fn get(&self, path: &str) -> Option<&V> {
        let of_crate = self.0.get(first(path))?;
        of_crate.get(long(path).1).or_else(|| of_crate.get(short(path).1))
    }
}

impl PathTable<()> {
    pub fn extend(&mut self, paths: &[String]) {
        for path in paths {
            self.add(short(path), ());
        }
    }

    pub fn extend_long(&mut self, paths: &[String]) {
        for path in paths {
            self.add_long(path, ());
        }
    }

    pub fn has(&self, path: &str) -> bool {
        self.get_short(path).is_some()
    }

    pub fn has_long(&self, path: &str) -> bool {
        self.at(long(path)).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_known_by_crate_and_end() {
        assert_eq!(short("tokio::sync::Mutex"), ("tokio", "Mutex"));
        assert_eq!(short("Mutex"), ("Mutex", ""));
        assert_eq!(long("tokio::sync::mpsc::channel"), ("tokio", "mpsc::channel"));
        assert_eq!(long("tokio::spawn"), ("tokio", "spawn"));
        let mut table = PathTable::default();
        table.add_long("tokio::sync::broadcast::channel", 1);
        table.add_long("tokio::spawn", 2);
        assert_eq!(table.get("tokio::sync::broadcast::channel"), Some(&1));
        assert_eq!(table.get("tokio::sync::mpsc::channel"), None);
        assert_eq!(table.get("tokio::task::spawn"), Some(&2), "a short entry is found through any module");
        assert_eq!(table.get("spawn"), None);
    }
}
