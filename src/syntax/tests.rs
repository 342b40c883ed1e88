mod dump;
mod expansions;
mod fuzz;

use super::hir::*;
use super::{Refusal, STACK_BYTES};
use dump::Dump;

fn try_parse(source: &str) -> Result<File, Refusal> {
    let source = source.to_owned();
    let worker = std::thread::Builder::new().stack_size(STACK_BYTES);
    let thread = worker.spawn(move || super::parse(source.as_bytes())).expect("a thread can be made");
    thread.join().expect("parsing never panics")
}

fn parse(source: &str) -> File {
    try_parse(source).expect("the source is accepted")
}

/// The body of the first function of a file.
fn body(source: &str) -> String {
    let file = parse(&format!("async fn f() {{ {source} }}"));
    assert!(file.problems.is_empty(), "{:?}", file.problems);
    match &file.item(file.root[0]).kind {
        ItemKind::Fn(Function { body: Some(body), .. }) => {
            let text = Dump(&file).expr(*body);
            text.strip_prefix("Plain{").and_then(|text| text.strip_suffix('}')).expect("a block").to_owned()
        }
        other => panic!("{other:?}"),
    }
}

fn names(file: &File, items: &[ItemId]) -> Vec<String> {
    items.iter().map(|id| file.str(file.item(*id).name).to_owned()).collect()
}

fn at(span: Span) -> (u32, u32, u32, u32) {
    (span.line, span.column, span.end_line, span.end_column)
}

#[test]
fn expressions_keep_their_structure() {
    let cases = [
        ("a.b().c::<u8>(1)?.d.0.1", "a.b().c::<u8>(1)?.d.0.1"),
        ("x(1).await?;", "x(1).await?;"),
        ("((a + b)) * -c as u8", "(Mul (Add a b) (Neg c as u8))"),
        ("if let Some(x) = a && x > 1 { 1 } else if b { 2 } else { 3 }", "if (And let Some(x)=a (Gt x 1)) {1} else if b {2} else Plain{3}"),
        ("let Some(x) = y else { return; };", "let Some(x)=y else Plain{return ;};"),
        ("'a: loop { break 'a 3; }", "loop {break 3;}"),
        (
            "match x { Ok(ref mut n @ 1..=5) if n > 2 => n, Err(E::A | E::B) => 0, _ => 1 }",
            "match x [Ok(ref mut n@const 1, 5) if (Gt n 2) => n; Err(E::A|E::B) if  => 0; _ if  => 1]",
        ),
        ("let f = async move |a: u8, S { b, .. }| a;", "let f=async move |a,S{b:b,..}| a;"),
        ("unsafe { x += 1; } async move { 1 }", "Unsafe{x Add= 1;}; Async{1}"),
        ("S { a: 1, b, ..c }", "S{a:1,b:b..c}"),
        (
            "for (i, x) in v[1..].iter() { } while let Some(x) = it.next() { } ()",
            "for (i,x) in v[1..].iter() {}; while let Some(x)=it.next() {}; ()",
        ),
        ("<T as Tr>::f::<A>(&mut x)", "<T@1>Tr::f<A>(&mut x)"),
        ("let None = X; let -1 = y;", "let None=X; let const -1=y;"),
        ("#[cfg(test)] { a(); } #[cfg(test)] let x = 1; b()", "b()"),
        ("static A: u8 = 1; fn g() {} A", "item A; item g; A"),
    ];
    for (source, expected) in cases {
        assert_eq!(body(source), expected, "{source}");
    }
}

#[test]
fn macros_give_their_expressions() {
    let cases = [
        ("vec![x.y(); 3]", "vec!(x.y(), 3)"),
        ("format!(\"{name} {0} {{no}} {b:?} {c}\", a, c = d())", "format!(\"{name} {0} {{no}} {b:?} {c}\", a, d(), name, b)"),
        (
            "tracing::info!(target: \"t\", user.id = %u.id(), ?err, n = 1, %x.y, \"text {z}\")",
            "tracing::info!(\"t\", u.id(), err, 1, x.y, \"text {z}\", z)",
        ),
        ("sqlx::query!(\"select {x}\", a, b as _)", "sqlx::query!(\"select {x}\", a, (b as Infer))"),
        ("matches!(f(x), Some(A | B) if g())", "matches!(f(x), g())"),
        (
            "json!({\"id\": id, \"n\": count.load(Ordering::Relaxed), \"l\": [1, {\"s\": \"t\"}]})",
            "json!{id: id, n: count.load(Ordering::Relaxed), l: [1, json!{s: \"t\"}]}",
        ),
        ("tokio::try_join!(a(), async { b }.await)", "tokio::try_join!(a(), Async{b}.await)"),
        ("stream! { let x = 1; yield x; }", "stream!{let x=1; yield x;}"),
        ("counter!(\"n\", \"k\" => v)", "counter!(\"n\", \"k\", v)"),
        ("quote! { fn f() { g() } }", "quote!?()"),
        ("println!(\"{}\", vec![format!(\"{a}\")].len())", "println!(\"{}\", vec!(format!(\"{a}\", a)).len())"),
    ];
    for (source, expected) in cases {
        assert_eq!(body(source), expected, "{source}");
    }
}

#[test]
fn select_has_its_own_grammar() {
    let source = "tokio::select! { biased; Some(x) = rx.recv(), if !done => { use_it(x) } _ = a => b(), else => c }";
    let expected = "tokio::select![Some(x)=rx.recv() if Not done => Plain{use_it(x)}][_=a if  => b()][= if  => c]";
    assert_eq!(body(source), expected);
    let source = "select! { m = s.next() => h(m), complete => break, default => {}, recv(r) -> msg => {} }";
    let expected = "select![m=s.next() if  => h(m)][= if  => break ][= if  => Plain{}][msg=recv(r) if  => Plain{}]";
    assert_eq!(body(source), expected);
}

#[test]
fn statics_inside_macros_are_items() {
    let file = parse(
        "lazy_static! {\n    /// Doc.\n    pub static ref A: Mutex<u8> = Mutex::new(1);\n    static ref B: u8 = f();\n}\n\
         thread_local! { static C: Cell<u8> = const { Cell::new(1) } }\ntokio::task_local! { static D: u8; }\n\
         fn f() { thread_local!(static E: u8 = 1); }\n",
    );
    let statics: Vec<String> = file
        .items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Static { ty: Some(ty), init, lazy: Some(lazy), .. } => {
                let dump = Dump(&file);
                let init = init.map_or(String::new(), |id| dump.expr(id));
                Some(format!("{} {} {} {init}", file.str(item.name), file.str(*lazy), dump.ty(*ty)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        statics,
        [
            "A lazy_static Mutex<u8> Mutex::new(1)",
            "B lazy_static u8 f()",
            "C thread_local Cell<u8> Const{Cell::new(1)}",
            "D task_local u8 ",
            "E thread_local u8 1",
        ]
    );
    let first = file.item(file.root[0]);
    assert!(first.public);
    assert_eq!((at(first.span), at(first.name_span)), ((3, 5, 3, 49), (3, 20, 3, 21)));
}

#[test]
fn item_macros_give_items() {
    let file = parse(
        "cfg_if! { if #[cfg(unix)] { fn a() {} } else if #[cfg(test)] { fn t() {} } else { fn b() {} } }\n\
         cfg_rt! { pub mod rt; struct S; }\nsubmit!(f(1), X);\ntable! { users (id) { id -> Int4, } }\nmacro_rules! m { () => {} }",
    );
    let calls: Vec<(Vec<String>, String)> = file
        .root
        .iter()
        .filter_map(|id| match &file.item(*id).kind {
            ItemKind::MacroCall { args, items, .. } => Some((names(&file, items), Dump(&file).exprs(args))),
            _ => None,
        })
        .collect();
    assert_eq!(calls[0], (vec!["a".to_owned(), "b".to_owned()], String::new()));
    assert_eq!(calls[1].0, ["rt", "S"]);
    assert_eq!(calls[2].1, "f(1), X");
    assert!(calls[3].0.is_empty());
    assert!(matches!(file.item(file.root[4]).kind, ItemKind::MacroRules));
}

#[test]
fn items_have_their_parts() {
    let file = parse(
        "#![allow(x)]\n\
         use a::{self, b::{c as d, *}, e as _};\npub use ::f::g;\n\
         #[get(\"/x\", name = \"n\")]\n#[doc = \"no\"]\npub(crate) async fn h<T: A + ?Sized>(&mut self, #[p] State(s): State<T>) -> impl B<C = D>\nwhere T: E<fn(u8)>, { todo!() }\n\
         impl<T> Tr<T> for Box<dyn Fn(u8) -> T + Send> { type X = [u8; 4]; const K: u8 = 1; fn m(self: Arc<Self>) {} }\n\
         trait Q: R where Self: Sized { fn d(&self) { x() } fn n(); }\n\
         struct S<T = u8> { #[serde(rename = \"z\")] pub a: *const T, b: (u8,) }\nenum E { A, #[x] B(u8), C { d: u8 } }\n\
         #[path = \"o.rs\"] mod o;\nextern \"C\" { static mut EX: u8; fn ef(); }\n",
    );
    let dump = Dump(&file);
    assert!(file.problems.is_empty());
    let ItemKind::Use(entries) = &file.item(file.root[0]).kind else { panic!("a use") };
    let entries: Vec<String> = entries
        .iter()
        .map(|entry| {
            let path: Vec<&str> = entry.path.iter().map(|sym| file.str(*sym)).collect();
            format!("{} {:?} {}", path.join("::"), entry.name.map(|sym| file.str(sym)), entry.glob)
        })
        .collect();
    assert_eq!(entries, ["a Some(\"a\") false", "a::b::c Some(\"d\") false", "a::b None true", "a::e None false"]);
    let ItemKind::Use(entries) = &file.item(file.root[1]).kind else { panic!("a use") };
    assert!(entries[0].global && entries[0].public);

    let item = file.item(file.root[2]);
    let ItemKind::Fn(function) = &item.kind else { panic!("a function") };
    assert_eq!(item.attrs.len(), 1);
    assert_eq!((file.str(item.attrs[0].path), file.str(item.attrs[0].args)), ("get", "\"/x\", name = \"n\""));
    assert_eq!(item.attrs[0].literal.map(|sym| file.str(sym)), Some("/x"));
    assert_eq!((item.public, function.is_async, function.receiver), (true, true, Some(Receiver::RefMut)));
    assert_eq!(at(item.span), (6, 1, 7, 32));
    assert_eq!(dump.pat(function.params[0].pat), "State(s)");
    assert_eq!(function.params[0].attrs.len(), 1);
    let bounds: Vec<String> = function.generics.params[0].bounds.iter().map(|path| dump.path(path)).collect();
    assert_eq!(bounds, ["A", "E<fn(u8)>"]);
    assert_eq!(function.ret.map(|ty| dump.ty(ty)).as_deref(), Some("impl B<C=D>"));

    let ItemKind::Impl { trait_path: Some(path), self_ty, items, .. } = &file.item(file.root[3]).kind else { panic!("an impl") };
    assert_eq!((dump.path(path), dump.ty(*self_ty)), ("Tr<T>".into(), "Box<dyn Fn<(u8)->T>+Send>".into()));
    assert_eq!(names(&file, items), ["X", "K", "m"]);
    let ItemKind::Trait { supertraits, items, .. } = &file.item(file.root[4]).kind else { panic!("a trait") };
    assert_eq!((supertraits.len(), names(&file, items)), (2, vec!["d".to_owned(), "n".to_owned()]));
    let ItemKind::Struct { generics, fields } = &file.item(file.root[5]).kind else { panic!("a struct") };
    assert!(generics.params[0].default.is_some());
    assert_eq!(fields.fields[0].attrs[0].literal.map(|sym| file.str(sym)), Some("z"));
    assert_eq!(at(fields.fields[0].span), (10, 43, 10, 58));
    let ItemKind::Enum { variants, .. } = &file.item(file.root[6]).kind else { panic!("an enum") };
    assert_eq!((variants.len(), variants[1].fields.tuple), (3, true));
    let ItemKind::Mod { items: None, path_attr: Some(path) } = &file.item(file.root[7]).kind else { panic!("a module") };
    assert_eq!(file.str(*path), "o.rs");
    assert_eq!(names(&file, &file.root[8..]), ["EX", "ef"]);
}

#[test]
fn test_code_is_left_out() {
    let file = parse(
        "#[cfg(test)]\n#[allow(x)]\nmod tests {\n    // gone\n    fn 0broken \"}\"\n}\n#[test] fn a() {}\n#[tokio::test(flavor = \"x\")] async fn b() {}\n\
         #[cfg(all(test, unix))] fn c() {}\n#[cfg(not(test))] fn d() {}\n#[cfg(any(test, feature = \"x\"))] fn e() {}\n\
         mod m { #[rstest] fn f() {} fn g() {} }\nimpl S { #[cfg(test)] fn h() {} fn i() {} }\n#[cfg(any(test))] fn j() {}\n// kept\n",
    );
    let functions: Vec<(&str, u32)> =
        file.items.iter().filter(|item| matches!(item.kind, ItemKind::Fn(_))).map(|item| (file.str(item.name), item.span.line)).collect();
    assert_eq!(functions, [("d", 10), ("e", 11), ("g", 12), ("i", 13)]);
    assert_eq!(file.comments.len(), 1);
    assert_eq!((file.comments[0].span.line, &*file.comments[0].text), (15, "kept"));
    assert_eq!(file.lines, 15);
}

#[test]
fn comments_and_strings_that_look_alike_are_told_apart() {
    let file = parse(
        "//! Äh, inner\nfn f<'a>() { let s = \"// no\"; let r = r#\"/* no \" */\"#; let c = '\"'; let q = '\\''; // yes\n\
         /* one /* two */ three */ g(b\"//\", b'\"', r#type, 1.0, 'ü'); /// doc\n fn h() {} let ä = 'x'; /* ä */ }\n",
    );
    let comments: Vec<_> = file.comments.iter().map(|comment| (&*comment.text, at(comment.span), comment.alone)).collect();
    assert_eq!(
        comments,
        [
            ("Äh, inner", (1, 1, 1, 14), true),
            ("yes", (2, 83, 2, 89), false),
            ("one /* two */ three", (3, 1, 3, 26), true),
            ("doc", (3, 61, 3, 68), false),
            ("ä", (4, 25, 4, 32), false),
        ]
    );
}

#[test]
fn spans_are_one_based_and_cover_chains() {
    let file = parse("fn f() {\n    ä.b()\n        .cc(x)?;\n}\n");
    let spans: Vec<_> = file
        .exprs
        .iter()
        .filter_map(|expr| match &expr.kind {
            ExprKind::Method { name_span, .. } => Some((at(expr.span), at(*name_span))),
            ExprKind::Try(_) => Some((at(expr.span), (0, 0, 0, 0))),
            _ => None,
        })
        .collect();
    assert_eq!(spans, [((2, 5, 2, 10), (2, 7, 2, 8)), ((2, 5, 3, 15), (3, 10, 3, 12)), ((2, 5, 3, 16), (0, 0, 0, 0)),]);
}

#[test]
fn a_broken_item_does_not_take_the_others() {
    let file = parse("fn a() {}\nconst B: u8 = { x y };\nfn c() { let = ; }\nstruct D;\nstatic E: = 1;\nfn f() {}\n");
    assert_eq!(names(&file, &file.root), ["a", "D", "f"]);
    let lines: Vec<u32> = file.problems.iter().filter(|problem| problem.lost).map(|problem| problem.line).collect();
    assert_eq!(lines, [2, 3, 5]);
}

#[test]
fn refusals_name_the_line() {
    assert_eq!(super::parse(b"fn a() {}\n\xff").map(|_| ()), Err(Refusal::new(2, "the file is not UTF-8")));
    assert_eq!(try_parse("\n\nlet s = \"").map(|_| ()).map_err(|refusal| refusal.line), Err(3));
    assert_eq!(try_parse("fn f() {\n(]\n}").map(|_| ()).map_err(|refusal| refusal.line), Err(2));
    assert!(try_parse(&format!("const A: [u8; 0] = [{}];", "0,".repeat(600_000))).is_err());
    assert!(super::parse(&vec![b' '; super::MAX_BYTES + 1]).is_err());
}

#[test]
fn marks_at_the_start_are_tolerated() {
    for source in ["\u{feff}fn a() {}", "#!/usr/bin/x\nfn a() {}", "\u{feff}#!/x y\r\nfn a() {}\r\n", "#![a]\nfn a() {}"] {
        let file = parse(source);
        assert_eq!(names(&file, &file.root), ["a"], "{source:?}");
    }
}

/// A construct nested `count` times, in a function or as a type.
fn nested(count: usize) -> Vec<String> {
    let body = |open: &str, close: &str| format!("fn f() {{ let x = {}1{}; }}", open.repeat(count), close.repeat(count));
    let ty = |open: &str, close: &str| format!("type T = {}u8{};", open.repeat(count), close.repeat(count));
    vec![
        body("(", ")"),
        body("{", "}"),
        body("[", "]"),
        body("f(", ")"),
        body("|| ", ""),
        body("return ", ""),
        body("if a {", "}"),
        body("m!(", ")"),
        body("m!{x => (", ")}"),
        body("async move {", "}"),
        body("match a { _ if b => ", "}"),
        ty("A<", ">"),
        ty("Box<dyn A<", ">>"),
        ty("Box<dyn Fn() -> ", ">"),
    ]
}

#[test]
fn deep_nesting_is_refused() {
    for source in nested(25_000) {
        let refusal = try_parse(&source).map(|_| ()).expect_err("too deep");
        assert_eq!(refusal.reason, "the file is too deeply nested");
    }
}

/// The bound of the scan holds: what it lets through never overflows the stack, which would abort
/// the test.
#[test]
fn accepted_nesting_fits_the_stack() {
    for count in [100, 1_000, 4_000, 8_000] {
        for source in nested(count) {
            let accepted = try_parse(&source).is_ok();
            assert!(accepted || count > 100, "{source}");
        }
    }
}

#[test]
fn long_chains_are_no_nesting() {
    for link in [".b()", ".c", "?", "[0]", " + a", "()", " as u8"] {
        let file = parse(&format!("fn f() {{ a{}; }}", link.repeat(50_000)));
        assert!(file.exprs.len() > 50_000, "{link}");
    }
}
