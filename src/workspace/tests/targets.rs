use super::super::model::TargetKind;
use super::{crate_named, files, found, package, targets, tree, with_examples, write};

/// Binaries are found in the usual places, once each, and `autobins = false` leaves the named ones.
#[test]
fn binaries() {
    let sources = [("src/main.rs", ""), ("src/bin/two.rs", ""), ("src/bin/three/main.rs", ""), ("src/bin/three/help.rs", "")];
    let auto = tree(&sources);
    write(
        auto.path(),
        "Cargo.toml",
        &format!("{}[[bin]]\nname = \"serve\"\npath = \"src/main.rs\"\n[[bin]]\nname = \"two\"\n", crate_named("app")),
    );
    let expected = [
        (TargetKind::Binary, "three", "src/bin/three/main.rs"),
        (TargetKind::Binary, "two", "src/bin/two.rs"),
        (TargetKind::Binary, "serve", "src/main.rs"),
    ];
    assert_eq!(targets(&found(&auto).packages[0]), expected);
    let named = tree(&sources);
    write(named.path(), "Cargo.toml", "[package]\nname = \"app\"\nautobins = false\n[[bin]]\nname = \"two\"\n");
    assert_eq!(targets(&found(&named).packages[0]), [(TargetKind::Binary, "two", "src/bin/two.rs")]);
}

/// A target's root may lie anywhere in the tree; what lies beside it may be its modules.
#[test]
fn roots_in_unusual_places() {
    let tree = tree(&[
        (
            "Cargo.toml",
            "[package]\nname = \"odd\"\nedition = \"2021\"\nbuild = \"gen.rs\"\n[lib]\nname = \"odder\"\npath = \"code/root.rs\"\n[[bin]]\nname = \"b\"\npath = \"tests/bin/b.rs\"\n",
        ),
        ("code/root.rs", ""),
        ("gen.rs", ""),
        ("tests/bin/b.rs", ""),
        ("tests/bin/c.rs", ""),
        ("tests/it.rs", ""),
        ("src/tests/inner.rs", ""),
        ("rust/Cargo.toml", "[package]\nname = \"out\"\n[lib]\npath = \"../shared/lib.rs\"\n"),
        ("shared/lib.rs", ""),
        ("bad/Cargo.toml", "[package]\nname = \"bad\"\n[lib]\npath = \"../../etc/lib.rs\"\n"),
    ]);
    let workspace = found(&tree);
    let odd = [(TargetKind::Library, "odder", "code/root.rs"), (TargetKind::Binary, "b", "tests/bin/b.rs")];
    assert_eq!(targets(package(&workspace, "odd")), odd);
    assert_eq!(targets(package(&workspace, "out")), [(TargetKind::Library, "out", "shared/lib.rs")]);
    let expected = ["code/root.rs", "shared/lib.rs", "src/tests/inner.rs", "tests/bin/b.rs", "tests/bin/c.rs"];
    assert_eq!(files(&workspace), expected);
    let [error] = &workspace.errors[..] else { panic!("{:?}", workspace.errors) };
    assert_eq!(error.path, "bad/Cargo.toml");
}

/// Procedural macros, tests, benches and build scripts run at no request: listed, never analysed.
#[test]
fn what_is_never_a_target() {
    let tree = tree(&[
        ("Cargo.toml", &crate_named("app")),
        ("src/lib.rs", ""),
        ("build.rs", ""),
        ("tests/it.rs", ""),
        ("benches/fast.rs", ""),
        ("examples/demo.rs", ""),
        ("examples/big/main.rs", ""),
        ("macros/Cargo.toml", &format!("{}[lib]\nproc-macro = true\n", crate_named("macros"))),
        ("macros/src/lib.rs", ""),
    ]);
    let workspace = found(&tree);
    assert_eq!(targets(package(&workspace, "macros")), []);
    assert_eq!(targets(package(&workspace, "app")), [(TargetKind::Library, "app", "src/lib.rs")]);
    assert_eq!(files(&workspace), ["src/lib.rs"]);
    let workspace = with_examples(&tree);
    let examples = [
        (TargetKind::Example, "big", "examples/big/main.rs"),
        (TargetKind::Example, "demo", "examples/demo.rs"),
        (TargetKind::Library, "app", "src/lib.rs"),
    ];
    assert_eq!(targets(package(&workspace, "app")), examples);
    assert_eq!(files(&workspace), ["examples/big/main.rs", "examples/demo.rs", "src/lib.rs"]);
}

/// Crates in a folder called `examples` are packages, with or without example targets asked for.
#[test]
fn a_folder_of_example_crates() {
    let tree = tree(&[
        ("Cargo.toml", &crate_named("lib")),
        ("src/lib.rs", ""),
        ("examples/chat/Cargo.toml", &crate_named("chat")),
        ("examples/chat/src/main.rs", ""),
        ("examples/flat/Cargo.toml", &crate_named("flat")),
        ("examples/flat/main.rs", ""),
    ]);
    for workspace in [found(&tree), with_examples(&tree)] {
        assert_eq!(targets(package(&workspace, "chat")), [(TargetKind::Binary, "chat", "examples/chat/src/main.rs")]);
        assert_eq!(targets(package(&workspace, "lib")), [(TargetKind::Library, "lib", "src/lib.rs")]);
        assert_eq!(files(&workspace), ["examples/chat/src/main.rs", "src/lib.rs"]);
    }
}
