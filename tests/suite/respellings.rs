//! Each rule about Rust code survives every respelling of its program and falls with one changed fact.

mod programs;

use crate::tree::{self, Tree, with};
use programs::{PROGRAMS, Program};

/// Pairs of rule and respelling that are not told yet, each with the reason. A pair that is mended must be taken off.
const OPEN: &[(&str, &str, &str)] = &[];

/// Files below `src`.
type Files = Vec<(&'static str, String)>;

const DEPENDENCIES: &[&str] = &[
    "axum",
    "axum-extra",
    "dashmap",
    "futures-util",
    "moka",
    "redis",
    "reqwest",
    "sqlx",
    "tokio",
    "tower-sessions",
    "tower-sessions-redis-store",
];

/// The rules that are reported to everybody for a crate of these files, sorted.
fn verdict(files: &Files) -> Vec<&'static str> {
    let analysis = Tree::package("desk", DEPENDENCIES, files).understood();
    tree::rules(analysis.findings.iter().filter(tree::is_regular))
}

/// The programs whose verdict is another one, but for the open pairs, and the open pairs that hold by now.
fn holds(respelling: &str, respell: fn(&Program) -> Files) {
    let mut wrong = Vec::new();
    for program in PROGRAMS {
        let open = OPEN.iter().any(|(rule, name, _)| *rule == program.rule && *name == respelling);
        let found = verdict(&respell(program));
        match (found == [program.rule], open) {
            (false, false) => wrong.push(format!("{}: {found:?} is reported", program.rule)),
            (true, true) => wrong.push(format!("{}: no longer open", program.rule)),
            _ => {}
        }
    }
    assert!(wrong.is_empty(), "{respelling}: {wrong:#?}");
}

fn one_file(text: String) -> Files {
    vec![("main.rs", text)]
}

/// Handlers with the state's field reached by another expression, in place or behind a reference.
fn reached(text: &str, place: &str, reference: &str) -> String {
    text.replace("&desk.held", reference).replace("desk.held", place)
}

/// Parameters as `(pattern, name, type)`: an extractor's pattern binds what the extractor's type holds.
fn parameters(list: &str) -> Vec<(&str, &str, &str)> {
    let parts = list.split(", ").filter(|p| !p.is_empty());
    let split = parts.map(|part| {
        let (pattern, ty) = part.split_once(": ").expect("a typed parameter");
        match pattern.split_once('(') {
            Some((extractor, name)) => {
                let inner = ty.strip_prefix(extractor).and_then(|t| t.strip_prefix('<')).and_then(|t| t.strip_suffix('>'));
                (part, name.trim_end_matches(')'), inner.expect("an extractor around a type"))
            }
            None => (part, pattern, ty),
        }
    });
    split.collect()
}

#[test]
fn the_originals_are_reported() {
    holds("original", |p| one_file(p.text()));
}

#[test]
fn names_do_not_matter() {
    holds("names", |p| {
        let text = p.text().replace("desk", "amt").replace("held", "zettel");
        one_file(with(&text, "act", "tun").replace("look", "sehen"))
    });
}

#[test]
fn the_name_of_the_type_does_not_matter() {
    holds("type", |p| one_file(with(&p.text(), "Desk", "Zettelkasten")));
}

#[test]
fn an_alias_does_not_matter() {
    holds("alias", |p| {
        let text = with(&p.text(), &format!("pub held: {},", p.field), "pub held: Kept,");
        one_file(format!("{text}\npub type Kept = {};\n", p.field))
    });
}

#[test]
fn a_newtype_does_not_matter() {
    holds("newtype", |p| {
        let text = with(&p.text(), &format!("pub held: {},", p.field), "pub held: Kept,");
        let text = with(&text, &format!("held: {}", p.make), &format!("held: Kept({})", p.make));
        let text = reached(&text, "desk.held.0", "&desk.held.0");
        one_file(format!("{text}\n#[derive(Clone)]\npub struct Kept(pub {});\n", p.field))
    });
}

#[test]
fn a_nested_struct_does_not_matter() {
    holds("nested", |p| {
        let text =
            with(&p.text(), "pub struct Desk {", "pub struct Desk {\n    pub inner: Inner,\n}\n\n#[derive(Clone)]\npub struct Inner {");
        let (before, after) = text.split_once("let desk = Desk { ").expect("the state is built");
        let (fields, after) = after.split_once(" };").expect("the state's end");
        let text = format!("{before}let desk = Desk {{ inner: Inner {{ {fields} }} }};{after}");
        one_file(text.replace("desk.held", "desk.inner.held").replace("desk.pool", "desk.inner.pool"))
    });
}

#[test]
fn an_arc_around_the_state_does_not_matter() {
    holds("arc", |p| {
        let (before, after) = p.start.split_once("let desk = Desk { ").expect("the state is built");
        let (fields, after) = after.split_once(" };").expect("the state's end");
        let start = format!("{before}let desk = std::sync::Arc::new(Desk {{ {fields} }});{after}");
        let handlers = p.handlers.replace("State<Desk>", "State<std::sync::Arc<Desk>>").replace("desk: Desk", "desk: std::sync::Arc<Desk>");
        one_file([p.imports, p.state, &handlers, &start].join("\n"))
    });
}

#[test]
fn a_method_that_lends_the_field_does_not_matter() {
    holds("method", |p| {
        let lend = format!("impl Desk {{\n    pub fn lend(&self) -> &{} {{\n        &self.held\n    }}\n}}\n", p.field);
        let handlers = reached(p.handlers, "desk.lend()", "desk.lend()");
        let start = reached(p.start, "desk.lend()", "desk.lend()");
        one_file([p.imports, p.state, &lend, &handlers, &start].join("\n"))
    });
}

#[test]
fn a_function_that_does_the_work_does_not_matter() {
    holds("function", |p| {
        let mut handlers = p.handlers.to_string();
        for name in ["act", "look"] {
            let Some((before, after)) = handlers.split_once(&format!("pub async fn {name}(")) else { continue };
            let (list, after) = after.split_once(") -> ").expect("parameters");
            let (result, body) = after.split_once(" {\n").expect("a body");
            let parameters = parameters(list);
            let names: Vec<&str> = parameters.iter().map(|p| p.1).collect();
            let typed: Vec<String> = parameters.iter().map(|p| format!("{}: {}", p.1, p.2)).collect();
            handlers = format!(
                "{before}pub async fn {name}({list}) -> {result} {{\n    {name}_for({}).await\n}}\n\n\
                 async fn {name}_for({}) -> {result} {{\n{body}",
                names.join(", "),
                typed.join(", "),
            );
        }
        one_file([p.imports, p.state, &handlers, p.start].join("\n"))
    });
}

#[test]
fn the_file_of_the_state_does_not_matter() {
    holds("state's file", |p| {
        let main = [p.imports, "mod state;\nuse state::Desk;\n", p.handlers, p.start].join("\n");
        vec![("main.rs", main), ("state.rs", [p.imports, p.state].join("\n"))]
    });
}

#[test]
fn the_file_of_the_handlers_does_not_matter() {
    holds("handlers' file", |p| {
        let main = [p.imports, "mod handlers;\nuse handlers::*;\n", p.state, p.start].join("\n");
        vec![("main.rs", main), ("handlers.rs", [p.imports, "use crate::Desk;\n", p.handlers].join("\n"))]
    });
}

#[test]
fn one_changed_fact_silences_each() {
    for program in PROGRAMS {
        let changed = program.twin.iter().fold(program.text(), |text, (from, to)| with(&text, from, to));
        let found = verdict(&one_file(changed));
        assert!(found.is_empty(), "{}: {}, but {found:?} is reported", program.rule, program.because);
    }
}

#[test]
fn open_pairs_are_pairs() {
    for (rule, respelling, reason) in OPEN {
        assert!(PROGRAMS.iter().any(|p| p.rule == *rule), "{rule}, {respelling}: no such program");
        assert!(reason.contains(' '), "{rule}, {respelling}: no reason");
    }
}
