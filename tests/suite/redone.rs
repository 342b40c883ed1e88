//! What is done again by somebody, or is this instance's own, is no loss; the same code with one fact changed is one.

use crate::tree::Tree;

/// The ids of the rules on tasks, schedules and files that speak of a service with these files below its `src`.
fn rules(files: &[(&str, &str)]) -> Vec<&'static str> {
    let dependencies = ["axum", "sqlx", "tokio", "redis", "rusqlite", "postgres", "serde", "object_store", "futures", "diesel"];
    let findings = Tree::package("orchard", &dependencies, files).understood().findings;
    let mine = ["detached-task", "unelected-schedule", "local-file"];
    findings.into_iter().map(|f| f.rule).filter(|r| mine.contains(r)).collect()
}

/// A handler of this method with this body and its arguments.
fn handler(method: &str, args: &str, body: &str) -> Vec<&'static str> {
    let source = format!(
        r#"
use axum::{{Json, Router, extract::State, routing::{method}}};
use redis::{{AsyncCommands, aio::ConnectionManager}};
use serde::Deserialize;
use sqlx::PgPool;
use std::sync::Arc;
struct App {{ db: PgPool, shared: ConnectionManager }}
#[derive(Deserialize)] struct Order {{ waits: bool, tree: String }}
async fn book(db: &PgPool) {{ sqlx::query("INSERT INTO harvests (n) VALUES (1)").execute(db).await.unwrap(); }}
async fn pick(State(app): State<Arc<App>>{args}) {{ let db = app.db.clone(); let mut shared = app.shared.clone(); {body} }}
#[tokio::main] async fn main() {{
    let app = App {{ db: PgPool::connect("a").await.unwrap(), shared: ConnectionManager::new(redis::Client::open("b").unwrap()).await.unwrap() }};
    let r = Router::new().route("/pick", {method}(pick)).with_state(Arc::new(app));
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}"#
    );
    rules(&[("main.rs", &source)])
}

/// A loop of the background that does this each round with what `open` makes.
fn each_round(helpers: &str, open: &str, round: &str) -> Vec<&'static str> {
    let source = format!(
        r#"
use axum::{{Router, routing::get}};
use std::time::Duration;
{helpers}
async fn show() -> &'static str {{ "ripe" }}
#[tokio::main] async fn main() {{
    std::thread::spawn(|| {{ let mut db = {open}; loop {{ std::thread::sleep(Duration::from_secs(60)); {round} }} }});
    let r: Router = Router::new().route("/", get(show));
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}"#
    );
    rules(&[("main.rs", &source)])
}

const TASK: &[&str] = &["detached-task"];
const TWICE: &[&str] = &["unelected-schedule"];
const QUIET: &[&str] = &[];

#[test]
fn a_task_that_is_awaited_only_for_who_asks_is_left_behind_for_the_others() {
    let order = ", Json(order): Json<Order>";
    let spawn = "let h = tokio::spawn(async move { book(&db).await });";
    assert_eq!(handler("post", order, &format!("{spawn} if order.waits {{ h.await.unwrap(); }}")), TASK);
    assert_eq!(handler("post", order, &format!("{spawn} if order.waits {{ h.await.unwrap(); }} else {{ h.await.unwrap(); }}")), QUIET);
    assert_eq!(handler("post", order, &format!("{spawn} h.await.unwrap();")), QUIET);
}

#[test]
fn a_copy_in_the_shared_cache_is_made_again_by_the_next_get() {
    let put = "tokio::spawn(async move { let _: () = shared.set(\"ripe\", 4).await.unwrap(); });";
    assert_eq!(handler("get", "", put), QUIET);
    assert_eq!(handler("post", "", put), TASK);
    let count = "tokio::spawn(async move { let _: () = shared.incr(\"visits\", 1).await.unwrap(); });";
    assert_eq!(handler("get", "", count), TASK);
}

#[test]
fn commands_of_a_pipeline_count_together() {
    let queue = |more: &str| {
        format!(
            "tokio::spawn(async move {{ let mut p = redis::pipe(); p.atomic().set(\"ripe\", 4).ignore(){more}; \
             let _: () = p.query_async(&mut shared).await.unwrap(); }});"
        )
    };
    assert_eq!(handler("post", "", &queue("")), TASK);
    assert_eq!(handler("post", "", &queue(".expire(\"ripe\", 60).ignore()")), QUIET);
}

#[test]
fn what_the_next_round_of_a_loop_hands_over_again_is_not_lost() {
    let once = "tokio::spawn(async move { book(&db).await });";
    let rounds = "tokio::spawn(async move { loop {\n tokio::time::sleep(std::time::Duration::from_secs(9)).await;\n \
                  let db = db.clone(); tokio::spawn(async move { book(&db).await });\n } });";
    assert_eq!(handler("post", "", once), TASK);
    assert!(!handler("post", "", rounds).contains(&"detached-task"));
}

#[test]
fn an_embedded_database_is_each_instances_own() {
    let write = "db.execute(\"UPDATE trees SET apples = 0\", []).unwrap();";
    assert_eq!(each_round("", "rusqlite::Connection::open(\"trees.db\").unwrap()", write), QUIET);
    let write = "db.execute(\"UPDATE trees SET apples = 0\", &[]).unwrap();";
    assert_eq!(each_round("", "postgres::Client::connect(\"a\", postgres::NoTls).unwrap()", write), TWICE);
}

#[test]
fn a_client_behind_a_trait_of_its_crate_is_that_client() {
    let open = "postgres::Client::connect(\"a\", postgres::NoTls).unwrap()";
    let helper =
        |sql: &str| format!("fn tend<C: postgres::GenericClient>(db: &mut C) {{ let sql = \"{sql}\"; db.execute(sql, &[]).unwrap(); }}");
    assert_eq!(each_round(&helper("UPDATE totals SET apples = apples - 1"), open, "tend(&mut db);"), TWICE);
    assert_eq!(each_round(&helper("SELECT apples FROM totals"), open, "tend(&mut db);"), QUIET);
}

#[test]
fn old_rows_that_are_only_counted_are_nobodys_claim() {
    let open = "postgres::Client::connect(\"a\", postgres::NoTls).unwrap()";
    let helpers = |out: &str| {
        format!(
            "fn sweep(db: &mut postgres::Client) -> i64 {{ db.query_one(\"WITH gone AS (DELETE FROM visits WHERE made < now() RETURNING id) {out} FROM gone\", &[]).unwrap().get(0) }}\n\
             fn tend(db: &mut postgres::Client) {{ db.execute(\"UPDATE totals SET apples = apples - 1\", &[]).unwrap(); }}"
        )
    };
    assert_eq!(each_round(&helpers("SELECT count(*)"), open, "let n = sweep(&mut db); tend(&mut db);"), TWICE);
    assert_eq!(each_round(&helpers("SELECT id"), open, "let id = sweep(&mut db); if id > 0 { tend(&mut db); }"), QUIET);
}

#[test]
fn a_trait_leads_to_what_the_service_makes_values_of() {
    let service = |made: &str| {
        format!(
            r#"
use axum::{{Router, extract::State, routing::post}};
use std::{{path::PathBuf, sync::Arc}};
trait Shelf {{ fn keep(&self, name: &str, text: &str); }}
struct Folder(PathBuf);
impl Folder {{ fn open(path: PathBuf) -> Folder {{ Folder(path) }} }}
impl Shelf for Folder {{ fn keep(&self, name: &str, text: &str) {{ std::fs::write(self.0.join(name), text).unwrap(); }} }}
struct Rows(sqlx::PgPool);
impl Shelf for Rows {{ fn keep(&self, _name: &str, _text: &str) {{}} }}
fn put(shelf: &dyn Shelf, text: &str) {{ shelf.keep("pears", text); }}
async fn label(State(shelf): State<Arc<dyn Shelf + Send + Sync>>, body: String) {{ put(&*shelf, &body); }}
fn export() {{ put(&Folder::open("out".into()), "all"); }}
#[tokio::main] async fn main() {{
    if std::env::args().nth(1).as_deref() == Some("export") {{ export(); return; }}
    let shelf: Arc<dyn Shelf + Send + Sync> = {made};
    let r = Router::new().route("/label", post(label)).with_state(shelf);
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}"#
        )
    };
    let of = |made: &str| rules(&[("main.rs", &service(made))]);
    assert_eq!(of("Arc::new(Rows(sqlx::PgPool::connect(\"a\").await.unwrap()))"), QUIET);
    assert_eq!(of("Arc::new(Folder::open(\"labels\".into()))"), ["local-file"]);
}

#[test]
fn a_macro_of_another_file_calls_the_method_that_it_is_given() {
    let service = |method: &str| {
        format!(
            r#"
#[macro_use] mod macros;
use axum::{{Router, extract::State, routing::post}};
use sqlx::PgPool;
#[derive(Clone)] struct Store(PgPool);
impl Store {{
    async fn put(&self, table: &str, row: String) -> Result<(), sqlx::Error> {{ sqlx::query("INSERT INTO a (b) VALUES ($1)").bind(row).execute(&self.0).await.map(drop) }}
    async fn find(&self, table: &str, row: String) -> Result<(), sqlx::Error> {{ sqlx::query("SELECT b FROM a").fetch_one(&self.0).await.map(drop) }}
    async fn graft(&self, row: String) {{ ask!(self, {method}, "a", row).unwrap(); }}
}}
async fn graft(State(store): State<Store>, body: String) {{ tokio::spawn(async move {{ store.graft(body).await }}); }}
#[tokio::main] async fn main() {{
    let r = Router::new().route("/graft", post(graft)).with_state(Store(PgPool::connect("a").await.unwrap()));
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}"#
        )
    };
    let macros = "macro_rules! ask { ($store:ident, $method:ident, $($rest:expr),+) => { $store.$method($($rest),+).await }; }";
    assert_eq!(rules(&[("main.rs", &service("put")), ("macros.rs", macros)]), TASK);
    assert_eq!(rules(&[("main.rs", &service("find")), ("macros.rs", macros)]), QUIET);
}

#[test]
fn a_download_out_of_the_object_store_is_a_copy() {
    let service = |body: &str| {
        format!(
            r#"
use axum::{{Router, extract::{{Path, State}}, routing::post}};
use object_store::{{ObjectStore, aws::AmazonS3, path::Path as Key}};
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
async fn fetch(State(store): State<Arc<AmazonS3>>, Path(name): Path<String>, body: axum::body::Bytes) {{
    let key = Key::from(name.clone());
    {body}
}}
#[tokio::main] async fn main() {{
    let store = Arc::new(object_store::aws::AmazonS3Builder::new().build().unwrap());
    let r = Router::new().route("/fetch/{{name}}", post(fetch)).with_state(store);
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}"#
        )
    };
    let of = |body: &str| rules(&[("main.rs", &service(body))]);
    let fetch = "let found = store.get(&key).await.unwrap().bytes().await.unwrap();";
    let write = "let mut file = tokio::fs::File::create(name).await.unwrap();";
    assert_eq!(of(&format!("{fetch} {write} file.write_all(&found).await.unwrap();")), QUIET);
    assert_eq!(of(&format!("{write} file.write_all(&body).await.unwrap();")), ["local-file"]);
    assert_eq!(of(&format!("{fetch} {write} file.write_all(&found).await.unwrap(); store.delete(&key).await.unwrap();")), ["local-file"]);
}

#[test]
fn a_folder_that_a_request_names_is_kept_for_it() {
    let order = ", Json(order): Json<Order>";
    let make = |path: &str| format!("if order.waits {{ std::fs::create_dir_all({path}).unwrap(); return; }}\n book(&db).await;");
    assert_eq!(handler("post", order, &make("&order.tree")), ["local-file"]);
    assert_eq!(handler("post", order, &make("\"baskets\"")), QUIET);
    assert_eq!(handler("post", order, "std::fs::create_dir_all(&order.tree).unwrap(); book(&db).await;"), QUIET);
}

#[test]
fn a_sign_of_life_by_a_query_builder_is_as_good_from_any_instance() {
    let open = "diesel::PgConnection::establish(\"a\").unwrap()";
    let set = |column: &str| {
        format!(
            "diesel::delete(visits::table.filter(visits::made.lt(now))).execute(&mut db).unwrap(); \
             diesel::update(trees::table.filter(trees::id.eq(4))).set(trees::{column}.eq(now)).execute(&mut db).unwrap();"
        )
    };
    assert_eq!(each_round("use diesel::prelude::*;", open, &set("updated_at")), QUIET);
    assert_eq!(each_round("use diesel::prelude::*;", open, &set("apples")), TWICE);
}

/// A statement that was made before says what is asked when it is carried out.
#[test]
fn a_round_that_only_asks_with_a_prepared_statement_changes_nothing() {
    let found = |sql: &str| {
        let main = format!(
            "use axum::{{Router, routing::get}}; use sea_orm::{{ConnectionTrait, DatabaseConnection, DbBackend, Statement}};\n\
             async fn rounds(db: DatabaseConnection) {{ let wanted = Statement::from_string(DbBackend::Postgres, \"{sql}\".to_string());\n\
             loop {{ db.execute(wanted.clone()).await.ok(); tokio::time::sleep(std::time::Duration::from_secs(60)).await; }} }}\n\
             #[tokio::main] async fn main() {{ let db = sea_orm::Database::connect(\"postgres://a\").await.unwrap(); tokio::spawn(rounds(db));\n\
             let r: Router = Router::new().route(\"/\", get(|| async {{ \"lamps\" }})); axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        );
        Tree::service("lamps", &["axum", "sea-orm", "tokio"], main).rules()
    };
    assert!(found("SELECT 1").is_empty());
    assert_eq!(found("INSERT INTO rounds DEFAULT VALUES"), ["unelected-schedule"]);
}

/// A service whose background does this each round with its pool, and these functions beside it.
fn hourly(items: &str, round: &str) -> Vec<&'static str> {
    let source = format!(
        r#"
use axum::{{Router, routing::get}};
use sqlx::PgPool;
use std::time::Duration;
{items}
async fn show() -> &'static str {{ "ripe" }}
async fn press(db: &PgPool) {{ sqlx::query("INSERT INTO juices (litres) VALUES (4)").execute(db).await.unwrap(); }}
async fn work(db: PgPool) {{ loop {{ tokio::time::sleep(Duration::from_secs(3600)).await; {round} }} }}
#[tokio::main] async fn main() {{
    let db = PgPool::connect("a").await.unwrap();
    tokio::spawn(work(db.clone()));
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), Router::new().route("/", get(show))).await.unwrap();
}}"#
    );
    rules(&[("main.rs", &source)])
}

#[test]
fn one_instance_of_all_leads_a_kind_of_work() {
    let elected = |name: &str| {
        let items = format!(
            "async fn {name}(db: &PgPool) -> bool {{ sqlx::query_scalar(\"SELECT min(id) = $1 FROM presses\").fetch_one(db).await.unwrap() }}"
        );
        hourly(&items, &format!("if !{name}(&db).await {{ continue; }} press(&db).await;"))
    };
    assert_eq!(elected("is_press_leader"), QUIET);
    assert_eq!(elected("is_autumn"), TWICE, "true for all of them at once");
}

#[test]
fn the_statement_whose_rows_are_counted_is_the_claim() {
    let notice = |question: &str| {
        let items = format!(
            "async fn first(db: &PgPool) -> bool {{ let done = sqlx::query(\"UPDATE orchards SET noticed = $2 WHERE id = $1 AND noticed < $2\")\
            .bind(1).bind(3).execute(db).await.unwrap(); {question} }}"
        );
        hourly(&items, "if first(&db).await { press(&db).await; }")
    };
    assert_eq!(notice("done.rows_affected() > 0"), QUIET);
    assert_eq!(notice("let _ = done; true"), TWICE);
}

#[test]
fn a_lock_that_is_tried_in_the_store_is_taken_by_its_own_write() {
    let guarded = |name: &str| {
        let items = format!(
            "async fn {name}(db: &PgPool) -> bool {{ sqlx::query(\"INSERT INTO marks (name) VALUES ('press')\").execute(db).await.is_ok() }}"
        );
        hourly(&items, &format!("if {name}(&db).await {{ press(&db).await; }}"))
    };
    assert_eq!(guarded("try_lock_press"), QUIET);
    assert_eq!(guarded("note_press"), TWICE);
}

#[test]
fn what_the_store_says_of_itself_is_the_same_from_every_instance() {
    let update = |sql: &str| hourly("", &format!("sqlx::query(\"{sql}\").execute(&db).await.unwrap();"));
    assert_eq!(update("UPDATE orchards SET size = (SELECT count(*) FROM trees)"), QUIET);
    assert_eq!(update("UPDATE orchards SET size = size + 1"), TWICE);
}

#[test]
fn a_sign_of_life_for_claimed_work_belongs_to_that_work() {
    let worked = |taken: &str| {
        let items = format!(
            "async fn next(db: &PgPool) -> Option<i64> {{ sqlx::query_scalar(\"{taken}\").fetch_optional(db).await.unwrap() }}\n\
            async fn alive(db: &PgPool, id: i64) {{ sqlx::query(\"UPDATE pressings SET note = 'alive' WHERE id = $1\").bind(id).execute(db).await.unwrap(); }}\n\
            async fn one(db: &PgPool) {{ let Some(id) = next(db).await else {{ return }}; let signs = db.clone(); \
            let beat = tokio::spawn(async move {{ loop {{ tokio::time::sleep(Duration::from_secs(9)).await; alive(&signs, id).await; }} }}); \
            press(db).await; beat.abort(); }}"
        );
        hourly(&items, "one(&db).await;").len()
    };
    assert_eq!(worked("SELECT id FROM pressings WHERE waits FOR UPDATE SKIP LOCKED LIMIT 1"), 0);
    assert_eq!(worked("SELECT id FROM pressings WHERE waits LIMIT 1"), 2, "the round and what it starts");
}
