//! Embedded engines: what is written into them, and whose file it is.

use crate::tree::{Tree, with};

/// Whether a service of this code is told that its data lives with one instance.
fn reports(dependencies: &[&str], code: &str) -> bool {
    let found = Tree::service("orchard", dependencies, code).understood().findings;
    found.iter().any(|finding| finding.rule == "embedded-database")
}

#[test]
fn a_batch_writes_what_a_reader_of_the_same_file_only_asks() {
    let code = |body: &str| {
        format!(
            r#"
use axum::{{Router, extract::State, routing::post}};
use std::sync::Arc;
struct Harvest {{ db: rocksdb::DB }}
impl Harvest {{
    fn note(&self, row: &str) -> Result<(), rocksdb::Error> {{
        let trees = self.db.cf_handle("trees").unwrap();
        {body}
    }}
}}
async fn pick(State(harvest): State<Arc<Harvest>>, row: String) {{ let _ = harvest.note(&row); }}
fn main() {{
    let db = rocksdb::DB::open_cf(&rocksdb::Options::default(), "harvest", ["trees"]).unwrap();
    let _service: Router = Router::new().route("/trees", post(pick)).with_state(Arc::new(Harvest {{ db }}));
}}
"#
        )
    };
    let batch = "let mut batch = rocksdb::WriteBatch::default(); batch.merge_cf(trees, row, row); self.db.write(batch)";
    assert!(reports(&["axum", "rocksdb"], &code(batch)));
    assert!(!reports(&["axum", "rocksdb"], &code("self.db.get(row).map(drop)")));
}

#[test]
fn a_writer_of_an_index_adds_to_it() {
    let code = |body: &str| {
        format!(
            r#"
use axum::{{Router, extract::State, routing::post}};
use std::sync::{{Arc, Mutex}};
#[derive(Clone)]
struct Recipes {{ index: tantivy::Index, writer: Arc<Mutex<tantivy::IndexWriter>> }}
fn work(recipes: &Recipes, text: &str) -> tantivy::Result<()> {{
    {body}
    Ok(())
}}
async fn handle(State(recipes): State<Recipes>, text: String) {{ work(&recipes, &text).unwrap(); }}
fn main() {{
    let index = tantivy::Index::open_in_dir("recipes").unwrap();
    let writer = Arc::new(Mutex::new(index.writer(50_000_000).unwrap()));
    let _service: Router = Router::new().route("/recipes", post(handle)).with_state(Recipes {{ index, writer }});
}}
"#
        )
    };
    let adds = "recipes.writer.lock().unwrap().add_document(recipes.index.schema().parse_document(text)?)?;";
    assert!(reports(&["axum", "tantivy"], &code(adds)));
    let asks = "recipes.index.reader()?.searcher().search(&parse(text), &Count)?;";
    assert!(!reports(&["axum", "tantivy"], &code(asks)));
}

#[test]
fn a_pool_opens_by_its_manager() {
    let code = |contract: &str| {
        format!(
            r#"
use axum::{{Router, extract::State, routing::post}};
struct Files {{ path: std::path::PathBuf }}
{contract}
    type Connection = rusqlite::Connection;
    type Error = rusqlite::Error;
    fn connect(&self) -> Result<rusqlite::Connection, rusqlite::Error> {{ rusqlite::Connection::open(&self.path) }}
}}
async fn book(State(pool): State<r2d2::Pool<Files>>, guest: String) {{
    pool.get().unwrap().execute("INSERT INTO guests (name) VALUES (?1)", [guest]).unwrap();
}}
fn main() {{
    let pool = r2d2::Pool::builder().build(Files {{ path: "guests.db".into() }}).unwrap();
    let _service: Router = Router::new().route("/guests", post(book)).with_state(pool);
}}
"#
        )
    };
    assert!(reports(&["axum", "r2d2", "rusqlite"], &code("impl r2d2::ManageConnection for Files {")));
    let unused = code("trait Connects { fn connect(&self) -> Result<rusqlite::Connection, rusqlite::Error>; } impl Connects for Files {");
    assert!(!reports(&["axum", "r2d2", "rusqlite"], &unused), "nobody calls it");
}

#[test]
fn no_request_has_brought_what_is_opened_at_the_start() {
    let code = |start: &str| {
        format!(
            r#"
use axum::{{Router, extract::Path, routing::post}};
use std::path::PathBuf;
fn open(path: PathBuf) -> rusqlite::Connection {{ rusqlite::Connection::open(path).unwrap() }}
async fn vote(Path(hall): Path<String>, ballot: String) {{
    open(hall.into()).execute("INSERT INTO ballots (choice) VALUES (?1)", [ballot]).unwrap();
}}
fn main() {{
    {start}
    let _service: Router = Router::new().route("/halls/{{hall}}", post(vote));
}}
"#
        )
    };
    assert!(reports(&["axum", "rusqlite"], &code(r#"let _members = open("members.db".into());"#)));
    assert!(!reports(&["axum", "rusqlite"], &code("")));
}

#[test]
fn a_store_that_a_library_of_the_service_opens_is_the_services() {
    let workspace = |main: &str| {
        let tree = Tree::new(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"web\", \"store\"]\n"),
            (
                "web/Cargo.toml",
                "[package]\nname = \"web\"\nedition = \"2024\"\n[dependencies]\naxum = \"*\"\nstore = { path = \"../store\" }\n",
            ),
            ("store/Cargo.toml", "[package]\nname = \"store\"\nedition = \"2024\"\n[dependencies]\nrusqlite = \"*\"\n"),
            (
                "store/src/lib.rs",
                r#"
pub struct Herbs { db: rusqlite::Connection }
impl Herbs {
    pub fn open(path: &str) -> Herbs { Herbs { db: rusqlite::Connection::open(path).unwrap() } }
    pub fn note(&self, name: &str) { self.db.execute("INSERT INTO herbs (name) VALUES (?1)", [name]).unwrap(); }
}
"#,
            ),
        ]);
        tree.write("web/src/main.rs", main);
        tree.understood().findings.iter().any(|finding| finding.rule == "embedded-database")
    };
    let web = r#"
use axum::{Router, extract::State, routing::post};
use std::sync::{Arc, Mutex};
use store::Herbs;
type Shared = Arc<Mutex<Herbs>>;
async fn plant(State(herbs): State<Shared>, name: String) { herbs.lock().unwrap().note(&name); }
fn main() {
    let herbs = Arc::new(Mutex::new(Herbs::open("herbs.db")));
    let _service: Router = Router::new().route("/herbs", post(plant)).with_state(herbs);
}
"#;
    assert!(workspace(web));
    let counts = with(web, "herbs.lock().unwrap().note(&name);", "drop((herbs, name));");
    assert!(!workspace(&counts), "no request changes what lies in it");
}

#[test]
fn what_is_taken_out_of_a_document_stays_in_the_index() {
    let code = |task: &str| {
        format!(
            r#"
use axum::{{Router, extract::State, routing::post}};
async fn title(State(index): State<tantivy::Index>, text: String) {{
    tokio::spawn(async move {{
        {task}
    }});
}}
fn main() {{
    let fields = tantivy::schema::SchemaBuilder::new();
    let _service: Router = Router::new().route("/title", post(title)).with_state(tantivy::Index::create_in_ram(fields.build()));
}}
"#
        )
    };
    let rules = |task: &str| Tree::service("shelf", &["axum", "tantivy", "tokio"], code(task)).rules();
    assert!(!rules("let mut found = index.schema().to_named_doc(&parse(text)); found.remove(\"title\");").contains(&"detached-task"));
    assert!(rules("index.writer(1).unwrap().delete_term(parse(text));").contains(&"detached-task"));
}

#[test]
fn the_engine_may_be_named_by_an_alias() {
    let code = |engine: &str| {
        format!(
            r#"
use axum::{{Router, extract::State, routing::post}};
use diesel::{{prelude::*, r2d2::{{ConnectionManager, Pool}}}};
type Manager = ConnectionManager<{engine}>;
async fn order(State(pool): State<Pool<Manager>>, dish: String) {{
    diesel::insert_into(orders::table).values(orders::dish.eq(dish)).execute(&mut pool.get().unwrap()).unwrap();
}}
fn main() {{
    let pool = Pool::builder().build(Manager::new("kitchen.db")).unwrap();
    let _service: Router = Router::new().route("/orders", post(order)).with_state(pool);
}}
"#
        )
    };
    assert!(reports(&["axum", "diesel"], &code("SqliteConnection")));
    assert!(!reports(&["axum", "diesel"], &code("PgConnection")));
}

#[test]
fn a_file_that_is_opened_to_be_read_is_nobodys_home() {
    let code = |flag: &str| {
        format!(
            r#"
use axum::{{Router, routing::post}};
async fn pick(row: String) {{
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename("trees.db").read_only({flag});
    let pool = sqlx::sqlite::SqlitePoolOptions::new().connect_with(options).await.unwrap();
    sqlx::query("INSERT INTO trees VALUES (?)").bind(row).execute(&pool).await.unwrap();
}}
fn main() {{ let _service: Router = Router::new().route("/trees", post(pick)); }}
"#
        )
    };
    assert!(reports(&["axum", "sqlx"], &code("false")));
    assert!(!reports(&["axum", "sqlx"], &code("true")));
}

#[test]
fn a_static_is_made_by_whoever_names_it_first() {
    let code = |body: &str| {
        format!(
            r#"
use axum::{{Router, routing::post}};
use std::sync::{{LazyLock, Mutex}};
struct Log {{ db: Mutex<rusqlite::Connection> }}
impl Log {{
    fn open() -> Log {{ Log {{ db: Mutex::new(rusqlite::Connection::open("log.db").unwrap()) }} }}
    fn note(&self, line: &str) {{ self.db.lock().unwrap().execute("INSERT INTO lines (text) VALUES (?1)", [line]).unwrap(); }}
}}
static LOG: LazyLock<Log> = LazyLock::new(Log::open);
async fn write(line: String) {{ {body} }}
fn main() {{ let _service: Router = Router::new().route("/lines", post(write)); }}
"#
        )
    };
    assert!(reports(&["axum", "rusqlite"], &code("LOG.note(&line);")));
    assert!(!reports(&["axum", "rusqlite"], &code("drop(line);")), "nobody makes it");
}
