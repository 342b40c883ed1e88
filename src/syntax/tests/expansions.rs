//! Macros by example: what they write is lowered as if it stood where they are called.

use super::{body, names, parse};
use crate::syntax::hir::*;
use crate::syntax::tests::dump::Dump;

#[test]
fn calls_of_the_files_own_macros_are_written_out() {
    let cases = [
        ("macro_rules! m { ($x:expr) => { f($x * 2) } } m!(a + b)", "item m; f((Mul (Add a b) 2))"),
        (
            "macro_rules! m { () => { one() }; ($x:ident, $($rest:tt)*) => { $x.go($($rest)*) } } m!(); m!(s, 1, 2)",
            "item m; one(); s.go(1, 2)",
        ),
        (
            "macro_rules! m { ($($k:literal => $v:expr),* $(,)?) => {{ $( put($k, $v); )* }} } m! { 1 => a, 2 => b, }",
            "item m; Plain{put(1, a); put(2, b);}",
        ),
        (
            "macro_rules! m { ($t:ty, $p:pat, $l:lifetime) => { if let $p = <$t>::new() { g() } } } m!(A<u8>, Some(x) | Other(x), 'a)",
            "item m; if let Some(x)|Other(x)=<A<u8>@0>new() {g()} else ",
        ),
        ("macro_rules! m { ($x:ident) => { let $x = make(); } } m!(v); v.use_it()", "item m; let v=make(); v.use_it()"),
        ("macro_rules! own { ($($p:path),*) => { $crate::reg(&[$($p),*]) } } crate::own!(a::b, c)", "item own; crate::reg(&[a::b, c])"),
        // Unknown macros, calls that no rule takes, and bodies that are no code stay what they were.
        ("macro_rules! m { (a) => { f() } } m!(g())", "item m; m!(g())"),
    ];
    for (source, expected) in cases {
        assert_eq!(body(source), expected, "{source}");
    }
}

#[test]
fn items_that_a_macro_declares_are_items() {
    let file = parse(
        "store! { Carts: u64, Visits: u8 }\n\
         macro_rules! store { ($($name:ident: $ty:ty),*) => { $(pub struct $name { all: Map<u32, $ty> } impl $name { fn get(&self) {} })* } }\n\
         mod inner { macro_rules! counter { ($($n:ident)*) => { $(static $n: AtomicU64 = AtomicU64::new(0);)* } } counter!(A B); }",
    );
    assert!(file.problems.is_empty());
    assert_eq!(names(&file, &file.root), ["Carts", "", "Visits", "", "store", "inner"]);
    let ItemKind::Struct { fields, .. } = &file.item(file.root[0]).kind else { panic!("a struct") };
    assert_eq!(Dump(&file).ty(fields.fields[0].ty), "Map<u32,u64>");
    let ItemKind::Mod { items: Some(inner), .. } = &file.item(file.root[5]).kind else { panic!("a module") };
    assert_eq!(names(&file, inner), ["counter", "A", "B"]);
    for item in &file.items {
        assert!((item.span.line, item.span.column) <= (item.span.end_line, item.span.end_column));
    }
}

/// Doc comments are kept from the parser everywhere else.
#[test]
fn patterns_that_ask_for_documentation_get_it() {
    let file = parse(
        "/// A store.\nmacro_rules! store { ($($(#[doc = $text:literal])+ $name:ident),*) => { $(pub struct $name;)* } }\n\
         store! { /** Of visitors. */ Carts,\n /// Counted\n /// daily.\n Visits }\n/** After */ pub struct Last; /// end",
    );
    assert!(file.problems.is_empty());
    assert_eq!(names(&file, &file.root), ["store", "Carts", "Visits", "Last"]);
    let span = file.item(file.root[3]).span;
    assert_eq!((span.line, span.column), (7, 14));
}

#[test]
fn expansions_end() {
    let endless = parse("macro_rules! m { ($($x:tt)*) => { m!($($x)* a) } } fn f() { m!(b) }");
    assert!(endless.problems.is_empty());
    // Each level writes its argument twice: without a bound, 2 to the 16th copies.
    let doubling: String = (0..16).map(|i| format!("macro_rules! m{i} {{ ($($x:tt)*) => {{ m{}!($($x)* $($x)*) }} }}", i + 1)).collect();
    let many = "a ".repeat(1000);
    let file = parse(&format!("{doubling} macro_rules! m16 {{ ($($x:tt)*) => {{ [$($x),*] }} }} fn f() {{ m0!({many}) }}"));
    assert!(file.exprs.len() < 1_000_000);
}
