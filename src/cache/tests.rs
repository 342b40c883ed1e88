use super::*;
use crate::syntax;

const SOURCE: &[u8] = b"use a::B;\n// why\nfn f(x: &B<u8>) -> u128 { match x { Some(n) if n > 1.5 => m!(n, -7, 'c'), _ => 340282366920938463463374607431768211455 } }\n";

struct Folders {
    tree: tempfile::TempDir,
    cache: tempfile::TempDir,
}

fn folders() -> Folders {
    Folders { tree: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() }
}

impl Folders {
    fn open(&self) -> Cache {
        Cache::open(self.cache.path(), self.tree.path()).unwrap()
    }

    fn keep(&self, source: &[u8]) {
        let file = syntax::parse(source).unwrap();
        self.open().keep(&[(key(source), hir::encode(&file))]);
    }

    fn file(&self) -> PathBuf {
        self.open().path
    }
}

#[test]
fn what_was_kept_comes_back() {
    let folders = folders();
    assert!(folders.open().get(key(SOURCE)).is_none());
    folders.keep(SOURCE);
    let file = folders.open().get(key(SOURCE)).unwrap();
    assert_eq!(format!("{file:?}"), format!("{:?}", syntax::parse(SOURCE).unwrap()));
    // What was only looked up stays, and one file holds both.
    let other = syntax::parse(b"fn g() {}").unwrap();
    folders.open().keep(&[(key(SOURCE), None), (key(b"fn g() {}"), hir::encode(&other))]);
    let cache = folders.open();
    assert!(cache.get(key(SOURCE)).is_some() && cache.get(key(b"fn g() {}")).is_some());
    assert_eq!(fs::read_dir(folders.cache.path()).unwrap().count(), 1);
}

/// Each byte flipped, each length cut: nothing comes back but what was kept.
#[test]
fn damage_is_passed_over() {
    let folders = folders();
    folders.keep(SOURCE);
    let path = folders.file();
    let whole = fs::read(&path).unwrap();
    let wanted = format!("{:?}", folders.open().get(key(SOURCE)).unwrap());
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x41;
        fs::write(&path, &bytes).unwrap();
        assert!(folders.open().get(key(SOURCE)).is_none_or(|file| format!("{file:?}") == wanted), "byte {at}");
        fs::write(&path, &whole[..at]).unwrap();
        assert!(folders.open().get(key(SOURCE)).is_none(), "length {at}");
    }
    fs::write(&path, b"").unwrap();
    folders.keep(SOURCE);
    assert!(folders.open().get(key(SOURCE)).is_some(), "a damaged file is replaced");
}

/// Whoever can compute the checks is still told by the numbers inside.
#[test]
fn numbers_that_lead_nowhere_are_refused() {
    let mut file = syntax::parse(b"fn f() { g(1) }").unwrap();
    assert!(hir::decode(&hir::encode(&file).unwrap()).is_some());
    file.exprs.pop();
    assert!(hir::decode(&hir::encode(&file).unwrap()).is_none());
    assert!(hir::decode(&[0xff; 64]).is_none());
    assert!(hir::decode(&[]).is_none());
}

#[test]
fn nothing_is_made_inside_the_tree() {
    let tree = tempfile::tempdir().unwrap();
    assert!(Cache::open(&tree.path().join("target/cache"), tree.path()).is_none());
    assert!(Cache::open(tree.path(), tree.path()).is_none());
    assert_eq!(fs::read_dir(tree.path()).unwrap().count(), 0);
}
