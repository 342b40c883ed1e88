//! Back ends that a setting chooses: what the service ships with decides, and the same code with the
//! other default is another verdict.

use cargo_stateless::finding::{Finding, Persona};

use crate::tree::Tree;

/// A service that opens its store by `open(&settings)`.
fn findings(settings: &str) -> Vec<Finding> {
    findings_with(settings, &[])
}

/// The same with files beside its `src`.
fn findings_with(settings: &str, files: &[(&str, &str)]) -> Vec<Finding> {
    let code = format!(
        r#"
use axum::{{Router, extract::State, routing::post}};
use serde::Deserialize;
use std::path::PathBuf;
{settings}
async fn admit(State(store): State<Store>, body: String) {{ store.put(body).await; }}
fn main() {{
    let settings = Settings::load();
    let store = open(&settings);
    let _service: Router = Router::new().route("/patients", post(admit)).with_state(store);
}}
"#
    );
    let tree = Tree::service("ward", &["axum", "clap", "serde", "rusqlite", "sqlx"], code);
    for (path, text) in files {
        tree.write(path, text);
    }
    tree.understood().findings
}

fn of(findings: &[Finding], rule: &str) -> Vec<Persona> {
    findings.iter().filter(|finding| finding.rule == rule).map(|finding| finding.persona).collect()
}

/// An enum of back ends, one of which is built under a setting.
const STORES: &str = r#"
#[derive(Clone)]
enum Store { Sqlite(PathBuf), Postgres(String) }
impl Store {
    async fn put(&self, _body: String) {}
}
"#;

fn flag(default: &str) -> String {
    format!(
        r#"{STORES}
#[derive(Deserialize)]
#[serde(default)]
struct Settings {{ shared: bool, url: String, path: PathBuf }}
impl Default for Settings {{
    fn default() -> Self {{ Self {{ shared: {default}, url: String::new(), path: PathBuf::new() }} }}
}}
impl Settings {{ fn load() -> Settings {{ toml::from_str("").unwrap() }} }}
fn open(settings: &Settings) -> Store {{
    if settings.shared {{ Store::Postgres(settings.url.clone()) }} else {{ Store::Sqlite(settings.path.clone()) }}
}}
"#
    )
}

#[test]
fn a_flag_chooses_by_its_default() {
    let found = findings(&flag("false"));
    assert_eq!(of(&found, "embedded-database"), [Persona::Regular]);
    let step = found[0].witness.iter().flatten().find(|step| step.message == "the default that chooses SQLite").expect("the default");
    assert_eq!(step.location.line, 16, "where it is written");
    assert_eq!(of(&findings(&flag("true")), "embedded-database"), []);
}

#[test]
fn a_flag_that_nobody_gives_is_off() {
    let given = |how: &str, read: &str| {
        let flag = format!(
            "{STORES}\n#[derive({how})]\nstruct Settings {{ shared: bool, url: String, path: PathBuf }}\n\
             impl Settings {{ fn load() -> Settings {{ {read} }} }}\nfn open(settings: &Settings) -> Store {{\n    \
             if settings.shared {{ Store::Postgres(settings.url.clone()) }} else {{ Store::Sqlite(settings.path.clone()) }}\n}}\n"
        );
        of(&findings(&flag), "embedded-database")
    };
    assert_eq!(given("clap::Parser", "<Settings as clap::Parser>::parse()"), [Persona::Regular]);
    assert_eq!(given("Deserialize, Default", "Settings::default()"), [Persona::Regular]);
    assert_eq!(given("Deserialize", "toml::from_str(\"\").unwrap()"), [Persona::Pedantic], "without a default somebody has to say it");
}

/// Two stores on local disk: whichever runs, the data is on the instance.
#[test]
fn an_arm_that_is_off_counts_where_the_other_is_no_better() {
    let stores = |default: &str| {
        format!(
            "use std::sync::LazyLock;\n#[derive(Clone)]\nstruct Store;\nimpl Store {{ async fn put(&self, body: String) {{ \
             if SETTINGS.as_json {{ json(&body); }} else {{ {default}(&body); }} }} }}\n\
             fn json(body: &str) {{ std::fs::write(\"ward.json\", body).unwrap(); }}\n\
             fn rows(body: &str) {{ rusqlite::Connection::open(\"ward.db\").unwrap().execute(\"INSERT INTO ward VALUES (?1)\", [body]).unwrap(); }}\n\
             fn mail(body: &str) {{ println!(\"{{body}}\"); }}\n\
             #[derive(clap::Parser, Clone)]\nstruct Settings {{ #[arg(long)] as_json: bool }}\n\
             static SETTINGS: LazyLock<Settings> = LazyLock::new(<Settings as clap::Parser>::parse);\n\
             impl Settings {{ fn load() -> Settings {{ SETTINGS.clone() }} }}\nfn open(_: &Settings) -> Store {{ Store }}\n"
        )
    };
    let both = findings(&stores("rows"));
    assert_eq!((of(&both, "local-file"), of(&both, "embedded-database")), (vec![Persona::Regular], vec![Persona::Regular]));
    assert_eq!(of(&findings(&stores("mail")), "local-file"), []);
}

/// The code says SQLite; the files of the tree have the last word.
#[test]
fn files_of_the_service_win_over_its_code() {
    let with = |files: &[(&str, &str)]| of(&findings_with(&flag("false"), files), "embedded-database");
    for (path, text) in [("ward.toml", "shared = true\n"), ("config/default.yaml", "shared: true\n"), (".env", "SHARED=true\n")] {
        assert_eq!(with(&[(path, text)]), [], "{path}");
        let other = text.replace("true", "false");
        let found = findings_with(&flag("true"), &[(path, &other)]);
        let step = found.iter().flat_map(|f| f.witness.iter().flatten()).find(|step| step.message == "the default that chooses SQLite");
        assert_eq!(step.map(|step| step.location.path.as_str()), Some(path));
    }
    for (path, text) in
        [("config/development.toml", "shared = true\n"), (".env.example", "SHARED=true\n"), ("other.toml", "[cache]\nshared = true\n")]
    {
        assert_eq!(with(&[(path, text)]), [Persona::Regular], "{path}");
    }
    let two = with(&[("config/default.toml", "shared = false\n"), ("config/production.toml", "shared = true\n")]);
    assert_eq!(two, [Persona::Pedantic], "which of two files counts is not known");
}

#[test]
fn a_setting_of_a_table_is_the_one_of_its_field() {
    let nested = flag("false").replace("settings.shared", "settings.storage.shared").replace(
        "#[derive(Deserialize)]",
        "#[derive(Deserialize, Default)]\nstruct Storage { #[serde(default)] shared: bool }\n#[derive(Deserialize)]",
    );
    let nested = nested
        .replace("struct Settings {", "struct Settings { storage: Storage,")
        .replace("Self { shared:", "Self { storage: Storage::default(), shared:");
    let with = |path: &str, text: &str| of(&findings_with(&nested, &[(path, text)]), "embedded-database");
    assert_eq!(with("ward.toml", "[storage]\nshared = true\n"), []);
    assert_eq!(with(".env", "WARD__STORAGE__SHARED=true\n"), []);
    assert_eq!(with(".env", "STORAGE_SHARED=true\n"), []);
    assert_eq!(with("ward.toml", "[mail]\nshared = true\n"), [Persona::Regular]);
    assert_eq!(with("ward.toml", "shared = true\n"), [Persona::Regular], "that is another field");
}

#[test]
fn a_default_that_nothing_says_is_for_discussion() {
    let unknown = flag("std::env::var(\"SHARED\").is_ok()");
    assert_eq!(of(&findings(&unknown), "embedded-database"), [Persona::Pedantic]);
}

/// A library's own call under a `match`, by `#[default]` of the enum.
fn kind(marked: &str) -> String {
    let mark = |variant: &str| if variant == marked { "#[default] " } else { "" };
    format!(
        r#"
#[derive(Clone)]
struct Store;
impl Store {{ async fn put(&self, _body: String) {{}} }}
#[derive(Deserialize, Default, Clone, Copy)]
enum Kind {{ {}File, {}Server }}
#[derive(Deserialize, Default)]
struct Settings {{ #[serde(default)] kind: Kind }}
impl Settings {{ fn load() -> Settings {{ Settings::default() }} }}
fn open(settings: &Settings) -> Store {{
    match settings.kind {{
        Kind::File => {{ rusqlite::Connection::open("ward.db").unwrap().execute("INSERT INTO ward VALUES (1)", []).unwrap(); Store }}
        Kind::Server => {{ sqlx::PgPool::connect_lazy("postgres://db/ward").unwrap(); Store }}
    }}
}}
"#,
        mark("File"),
        mark("Server")
    )
}

#[test]
fn a_variant_chooses_by_its_mark() {
    assert_eq!(of(&findings(&kind("File")), "embedded-database"), [Persona::Regular]);
    assert_eq!(of(&findings(&kind("Server")), "embedded-database"), []);
}

fn argument(default: &str) -> String {
    format!(
        r#"{STORES}
#[derive(Clone, Copy, clap::ValueEnum)]
enum Kind {{ Sqlite, Postgres }}
#[derive(clap::Parser)]
struct Settings {{
    #[arg(long = "store", value_enum, default_value{default})]
    kind: Kind,
}}
impl Settings {{ fn load() -> Settings {{ <Settings as clap::Parser>::parse() }} }}
fn open(settings: &Settings) -> Store {{
    match settings.kind {{
        Kind::Sqlite => Store::Sqlite(PathBuf::from("ward.db")),
        Kind::Postgres => Store::Postgres(String::from("postgres://db/ward")),
    }}
}}
"#
    )
}

#[test]
fn an_argument_chooses_by_its_default_value() {
    for shared in [" = \"postgres\"", "_t = Kind::Postgres"] {
        assert_eq!(of(&findings(&argument(shared)), "embedded-database"), [], "{shared}");
    }
    for embedded in [" = \"sqlite\"", "_t = Kind::Sqlite"] {
        assert_eq!(of(&findings(&argument(embedded)), "embedded-database"), [Persona::Regular], "{embedded}");
    }
}

/// A function that serde names, an option that is absent, and a trait behind which the store stands.
fn folder(default: &str) -> String {
    format!(
        r#"
use std::sync::Arc;
trait Keep: Send + Sync {{ fn keep(&self, body: &str); }}
struct Folder {{ root: PathBuf }}
impl Folder {{ fn new(root: PathBuf) -> Folder {{ Folder {{ root }} }} }}
impl Keep for Folder {{ fn keep(&self, body: &str) {{ std::fs::write(self.root.join("x"), body).unwrap(); }} }}
struct Bucket {{ name: String }}
impl Keep for Bucket {{ fn keep(&self, _body: &str) {{}} }}
#[derive(Clone)]
struct Store {{ keep: Arc<dyn Keep> }}
impl Store {{ async fn put(&self, body: String) {{ self.keep.keep(&body); }} }}
fn in_bucket() -> bool {{ {default} }}
#[derive(Deserialize)]
struct Settings {{ #[serde(default = "in_bucket")] bucket: bool, root: PathBuf }}
impl Settings {{ fn load() -> Settings {{ toml::from_str("").unwrap() }} }}
fn open(settings: &Settings) -> Store {{
    let keep: Arc<dyn Keep> =
        if settings.bucket {{ Arc::new(Bucket {{ name: String::new() }}) }} else {{ Arc::new(Folder::new(settings.root.clone())) }};
    Store {{ keep }}
}}
"#
    )
}

#[test]
fn a_type_that_only_another_setting_builds_is_not_shipped() {
    assert_eq!(of(&findings(&folder("false")), "local-file"), [Persona::Regular]);
    assert_eq!(of(&findings(&folder("true")), "local-file"), []);
}
