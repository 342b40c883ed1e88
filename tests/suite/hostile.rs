//! Trees that mean harm: each run ends, nothing overflows, and the service beside the bad code is still judged.

use cargo_stateless::analysis::{Analysis, AnalyzeOptions};
use cargo_stateless::config::Config;
use std::fs;
use std::path::Path;

use crate::tree::{PERMITS, Tree, manifest};

/// A tree with a package of this name and main file in a folder of the same name.
fn package(tree: &Tree, name: &str, main: &[u8]) {
    tree.write(&format!("{name}/Cargo.toml"), manifest(name, &["axum"]));
    tree.write(&format!("{name}/src/main.rs"), main);
}

fn good(main: &str) -> Tree {
    let tree = Tree::new::<&str>(&[]);
    package(&tree, "good", main.as_bytes());
    tree
}

fn analyse(tree: &Tree) -> Analysis {
    let analysis = tree.analyse();
    let found = analysis.findings.iter().any(|f| f.rule == "authoritative-memory" && f.location.path == "good/src/main.rs");
    assert!(found, "the service beside it is judged");
    analysis
}

/// Analyses a good service and beside it a crate with this main file, and whatever else is laid down.
fn beside(main: &[u8], lay: impl FnOnce(&Path)) -> Analysis {
    let tree = good(PERMITS);
    package(&tree, "bad", main);
    lay(&tree.path().join("bad/src"));
    analyse(&tree)
}

fn code(main: &str) -> Analysis {
    beside(main.as_bytes(), |_| {})
}

/// Reasons under errors and skipped for files of the bad crate.
fn complaints(analysis: &Analysis) -> Vec<String> {
    let all = analysis.errors.iter().chain(&analysis.skipped).filter(|s| s.path.starts_with("bad"));
    all.map(|s| format!("{}: {}", s.path.trim_start_matches("bad/src/"), s.reason)).collect()
}

#[test]
fn deep_expressions_end() {
    for link in [".b()", ".c", "?", "[0]", " + a", " && a", "()", ".await", ".map(f)", ".enumerate()", " as u8"] {
        code(&format!("fn main() {{ let a = A; let b = a{}; if a{} {{}} }}", link.repeat(20_000), link.repeat(20_000)));
    }
    for (open, close) in [("(", ")"), ("f(", ")"), ("Some(", ")"), ("{", "}"), ("|| ", ""), ("if a {", "}"), ("match a { _ => ", "}")] {
        code(&format!("fn f(a: u8) {{}} fn main() {{ let x = {}1{}; }}", open.repeat(5_000), close.repeat(5_000)));
    }
    code(&format!("fn main() {{ if a {{}} {} }}", "else if b { c() }".repeat(5_000)));
    code(&format!("fn main() {{ let {}x{} = 1; }}", "(".repeat(3_000), ",)".repeat(3_000)));
    code(&format!("fn main() {{ {} }}", "let x = f(x); g(x);".repeat(20_000)));
    let nested = (0..300).fold("static X: u8 = 1; X;".to_string(), |inner, n| format!("fn f{n}<T{n}>() {{ {inner} }}"));
    code(&format!("fn main() {{ {nested} }}"));
    let modules = (0..1_000)
        .fold("static X: std::sync::Mutex<u8> = 1; fn f() { X.lock(); }".to_string(), |inner, n| format!("mod m{n} {{ {inner} }}"));
    code(&format!("{modules} fn main() {{}}"));
}

#[test]
fn values_that_double_stay_small() {
    code(&format!("fn main() {{ let x = 1; {} }}", "let x = (x, x);".repeat(200)));
    code(&format!("struct S {{ a: u8, b: u8 }} fn main() {{ let x = 1; {} }}", "let x = S { a: x, b: x };".repeat(200)));
    code(&format!(
        "use axum::Router; fn main() {{ let r = Router::new().route(\"/\", axum::routing::get(h)); {} }} fn h() {{}}",
        "let r = if a { r } else { r };".repeat(200)
    ));
    let steps: String = (1..200).map(|n| format!("fn f{n}() -> T {{ (f{}(), f{}()) }}", n - 1, n - 1)).collect();
    code(&format!("type T = impl Sized; fn f0() -> u8 {{ 1 }} {steps} fn main() {{ f199(); }}"));
    let macros: String = (1..60).map(|n| format!("macro_rules! m{n} {{ ($($t:tt)*) => {{ m{}!($($t)* $($t)*) }} }}", n - 1)).collect();
    code(&format!("macro_rules! m0 {{ ($($t:tt)*) => {{ f($($t),*) }} }} {macros} fn main() {{ m59!(a b); }}"));
    code("macro_rules! m { ($($t:tt)*) => { m!(($($t)* $($t)*)) } } fn main() { m!(a); }");
    let rules = "(b) => {};".repeat(20_000);
    code(&format!("macro_rules! m {{ {rules} }} fn main() {{ {} }}", "m!(c);".repeat(20_000)));
}

#[test]
fn types_that_refer_to_themselves_end() {
    let doubling: String = (1..100).map(|n| format!("type T{n} = (T{}, T{});", n - 1, n - 1)).collect();
    code(&format!("type T0 = u8; {doubling} static X: T99 = 1; fn main() {{ X; }}"));
    let pairs: String = "P<".repeat(25) + "u8" + &">".repeat(25);
    code(&format!("type P<T> = (T, T); static X: {pairs} = 1; fn f(x: {pairs}) -> {pairs} {{ x }} fn main() {{ f(X); }}"));
    for cycle in [
        "type A = (B, B); type B = (A, A); static X: A = 1;",
        "type A = A::B; static X: A = 1;",
        "type A = <A as T>::B; trait T { type B; } impl T for A { type B = A; }",
        "struct S; trait T { type A; } impl T for S { type A = <S as T>::A; } fn f() -> <S as T>::A {}",
        "struct S; trait T { type A; type B; } impl T for S { type A = (Self::B, Self::B); type B = (Self::A, Self::A); } static X: <S as T>::A = 1;",
        "trait A: B { fn f(&self) {} } trait B: A { fn g(&self) {} } fn h(x: &dyn A) { x.f(); x.g(); x.z(); }",
        "struct S { s: Box<S>, t: Vec<S> } static X: S = f(); fn f() -> S { X.s.s.t[0].s }",
        "struct S<T> { next: Option<Box<S<(T, T)>>>, all: std::sync::Mutex<T> } static X: S<u8> = S; fn f() { X.next.next.all.lock(); }",
        "struct A; struct B; impl std::ops::Deref for A { type Target = B; } impl std::ops::Deref for B { type Target = A; } fn f(a: A) { a.x(); a.y; }",
        "const A: u8 = B; const B: u8 = C; const C: u8 = A + B; static D: u8 = D;",
        "fn f() -> u8 { g() } fn g() -> u8 { h(f()) } fn h(x: u8) -> u8 { f() + g() + h(x) }",
        "impl<T: X> X for T { fn x(&self) { self.x(); (self,).x() } } trait X { fn x(&self); }",
        "use self::a::*; mod a { pub use super::b::*; } mod b { pub use super::a::*; pub use super::*; } static X: Nope = nope();",
        "use a::*; use b::*; use c::*; use d::*; use e::*; use a::b::*; use b::c::*; use c::d::*; fn f() -> Nope { nope(Nope::X) }",
        "use self::x as y; use self::y as x; fn f() { x(); y(); }",
        "impl A for <S as A>::T {} struct S; trait A { type T; } impl A for S { type T = <<S as A>::T as A>::T; }",
    ] {
        code(&format!("{cycle} fn main() {{}}"));
    }
}

#[test]
fn files_that_hold_themselves_end() {
    let analysis = beside(b"mod a; #[path = \"main.rs\"] mod again; include!(\"main.rs\"); fn main() {}", |src| {
        fs::write(src.join("a.rs"), "#[path = \"a.rs\"] mod a; include!(\"../src/a.rs\"); mod b { include!(\"main.rs\"); }")
            .expect("writable");
    });
    assert_eq!(complaints(&analysis), Vec::<String>::new());
    // Each file includes the next one twice: a million times the last.
    let analysis = beside(b"include!(\"i0.rs\"); fn main() {}", |src| {
        for n in 0..20 {
            let next = n + 1;
            fs::write(src.join(format!("i{n}.rs")), format!("include!(\"i{next}.rs\"); include!(\"i{next}.rs\");")).expect("writable");
        }
        fs::write(src.join("i20.rs"), "static X: u8 = 1;").expect("writable");
    });
    assert!(complaints(&analysis).iter().any(|c| c.contains("part of too many modules")), "{:?}", complaints(&analysis));
}

#[test]
fn odd_text_is_named_and_loses_only_itself() {
    let utf16: Vec<u8> = "fn f() {}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let numbers = format!("static X: [u8; 9] = [{}];", "0,".repeat(600_000));
    let large = format!("static X: &str = \"{}\";", "x".repeat(5 << 20));
    let nested = format!("fn f() {{ {} }}", "(".repeat(100_000) + &")".repeat(100_000));
    let cases: [(&[u8], Option<&str>); 12] = [
        ("\u{feff}fn f() {}".as_bytes(), None),
        (b"fn f() {}\r\nfn g() {}\r\n", None),
        (b"\x0cfn f() {}\n", None),
        (b"fn f() {\0}", Some("tokens")),
        (b"fn f() {}\n\xff", Some("line 2: the file is not UTF-8")),
        (&utf16, Some("tokens")),
        (b"fn f() { \"x", Some("a string is not closed")),
        (b"/* fn f() {}", Some("a comment is not closed")),
        (b"fn f() {} fn g( {} fn h() {}", Some("tokens")),
        (numbers.as_bytes(), Some("more than 1000000 tokens")),
        (large.as_bytes(), Some("larger than 4 MiB")),
        (nested.as_bytes(), Some("too deeply nested")),
    ];
    for (text, complaint) in cases {
        let analysis = beside(b"mod odd; fn main() {}", |src| fs::write(src.join("odd.rs"), text).expect("writable"));
        let found: Vec<String> = complaints(&analysis).into_iter().filter(|c| !c.contains("has no file here")).collect();
        match complaint {
            None => assert_eq!(found, Vec::<String>::new()),
            Some(reason) => assert!(found.len() == 1 && found[0].starts_with("odd.rs: ") && found[0].contains(reason), "{found:?}"),
        }
    }
    let broken = PERMITS.replace("fn main() {", "fn broken() { let = ; }\nfn main() {");
    assert_eq!(analyse(&good(&broken)).errors.len(), 1, "one broken item is one error, and the rest of its file is judged");
}

#[cfg(unix)]
fn pipe(path: &Path) {
    let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo");
    assert!(made.success());
}

#[cfg(unix)]
#[test]
fn what_is_no_plain_file_is_not_opened() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    let analysis = beside(b"mod pipe; mod device; mod folder; mod dangling; mod other; fn main() {}", |src| {
        pipe(&src.join("pipe.rs"));
        symlink("/dev/zero", src.join("device.rs")).expect("writable");
        fs::create_dir(src.join("folder.rs")).expect("writable");
        symlink("nowhere.rs", src.join("dangling.rs")).expect("writable");
        symlink("main.rs", src.join("other.rs")).expect("writable");
        symlink("..", src.join("up")).expect("writable");
        symlink("/", src.join("everything")).expect("writable");
        fs::write(src.join(OsStr::from_bytes(b"\xff.rs")), "fn f() {}").expect("writable");
        for name in ["compose.yml", "Dockerfile", ".env", "nginx.conf", "Rocket.toml", "main.tf"] {
            pipe(&src.join(name));
        }
        fs::create_dir(src.join("inner")).expect("writable");
        pipe(&src.join("inner/Cargo.toml"));
    });
    let found = complaints(&analysis);
    for file in
        ["pipe.rs: not a regular file", "device.rs: a link", "dangling.rs: a link", "other.rs: a link", "up: a link", "everything: a link"]
    {
        assert!(found.iter().any(|c| c.starts_with(file)), "{file} in {found:?}");
    }
    assert!(found.iter().any(|c| c.contains("not UTF-8")), "{found:?}");
}

#[cfg(unix)]
#[test]
fn a_catalog_that_is_a_pipe_is_an_error() {
    let tree = good(PERMITS);
    pipe(&tree.path().join("own.toml"));
    let config = Config { catalog: vec!["own.toml".into()], ..Config::default() };
    let error = cargo_stateless::engine::analyze(tree.path(), &config, &AnalyzeOptions::default()).expect_err("no catalog");
    assert_eq!(error.to_string(), "catalog file own.toml cannot be read");
}
