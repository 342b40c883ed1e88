//! The bound that the scan puts on the stack holds for random nested code. The frames of syn change with
//! its releases: this test is what tells. An overflow aborts the whole test run.

use super::super::{parse, scan};

/// What surrounds an expression, in front of it and behind it.
const EXPRS: &[(&str, &str)] = &[
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("f(", ")"),
    ("a.b(", ")"),
    ("a[", "]"),
    ("(1, ", ")"),
    ("if a {", "}"),
    ("if ", " {}"),
    ("if let A(x) = ", " {}"),
    ("while a {", "}"),
    ("for x in y {", "}"),
    ("loop {", "}"),
    ("unsafe {", "}"),
    ("const {", "}"),
    ("async move {", "}"),
    ("match a { _ => ", "}"),
    ("match a { _ if b => ", "}"),
    ("match ", " {}"),
    ("|a| {", "}"),
    ("|| ", ""),
    ("move |a: u8| ", ""),
    ("return ", ""),
    ("break ", ""),
    ("break 'a ", ""),
    ("!", ""),
    ("-", ""),
    ("*", ""),
    ("&", ""),
    ("&mut ", ""),
    ("..", ""),
    ("a = ", ""),
    ("a += ", ""),
    ("a + ", ""),
    ("a && ", ""),
    ("S { a: ", " }"),
    ("m!(", ")"),
    ("vec![", "]"),
    ("m!{ x => (", ") }"),
    ("{ let a = ", "; }"),
    ("{ let A = ", " else { return }; }"),
    ("{ fn a() {", "} }"),
    ("{ mod a { impl A { fn f() {", "} } } }"),
    ("{ static X: u8 = ", "; }"),
    ("a::<{", "}>()"),
];

const TYPES: &[(&str, &str)] = &[
    ("A<", ">"),
    ("Box<dyn A<", ">>"),
    ("Box<dyn Fn(", ") -> u8>"),
    ("Box<dyn Fn() -> ", ">"),
    ("impl A<B = ", ">"),
    ("&", ""),
    ("&'a mut ", ""),
    ("*const ", ""),
    ("fn() -> ", ""),
    ("fn(", ")"),
    ("[", "; 1]"),
    ("[", "]"),
    ("(", ",)"),
    ("(", ")"),
    ("<A as B<", ">>::C"),
    ("<", " as B>::C"),
    ("for<'a> fn(", ")"),
    ("A<1, ", ">"),
];

const PATS: &[(&str, &str)] = &[
    ("A(", ")"),
    ("(", ",)"),
    ("(", ")"),
    ("[", "]"),
    ("&", ""),
    ("&mut ", ""),
    ("x @ ", ""),
    ("S { a: ", " }"),
    ("A | (", ")"),
    ("[.., ", "]"),
];

struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    /// One to three constructs, nested at random.
    fn nested(&mut self, from: &[(&str, &str)], inner: &str) -> String {
        let chosen: Vec<(&str, &str)> = {
            let count = 1 + self.below(3);
            (0..count).map(|_| from[self.below(from.len())]).collect()
        };
        let most = [30, 300, 1_500][self.below(3)];
        let depth = 1 + self.below(most);
        let (mut front, mut behind) = (String::new(), Vec::new());
        for _ in 0..depth {
            let (open, close) = chosen[self.below(chosen.len())];
            front.push_str(open);
            behind.push(close);
        }
        behind.reverse();
        front + inner + &behind.concat()
    }

    fn program(&mut self) -> String {
        match self.below(5) {
            0 => format!("type T = {};", self.nested(TYPES, "u8")),
            1 => format!("fn f({}: u8) {{}}", self.nested(PATS, "x")),
            2 => {
                let ty = self.nested(TYPES, "u8");
                format!("fn f() {{ let a = {}; }}", self.nested(EXPRS, &format!("x as {ty}")))
            }
            _ => format!("fn f() {{ let a = {}; }}", self.nested(EXPRS, "1")),
        }
    }
}

/// As in a run, the thread has twice the bound: the other half is for frames of this program. Without
/// optimisation those are several times larger; `cargo test --release` is the strict form.
#[test]
fn the_bound_of_the_scan_holds() {
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let mut parsed = 0;
    for _ in 0..400 {
        let program = random.program();
        let Ok(scan) = scan::scan(&program) else { continue };
        let stack = if cfg!(debug_assertions) { 16 } else { 2 } * scan.stack as usize + (256 << 10);
        let run = move || parse(program.as_bytes()).is_ok_and(|file| file.problems.is_empty());
        let thread = std::thread::Builder::new().stack_size(stack).spawn(run).expect("a thread");
        parsed += u32::from(thread.join().expect("no panic"));
    }
    assert!(parsed > 100, "too few of the programs are Rust: {parsed}");
}
