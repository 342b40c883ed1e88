//! Embedded engines: what is written into them, and whose file it is.

use crate::tree::Tree;

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
