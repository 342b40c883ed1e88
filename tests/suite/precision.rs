//! What looks like state and is none, each beside its twin that is: the same program with one fact changed.

use crate::tree::{self, Tree};

const DEPENDENCIES: &[&str] = &[
    "axum",
    "async-graphql",
    "sqlx",
    "tokio",
    "redis",
    "clap",
    "cookie",
    "argon2",
    "tantivy",
    "lettre",
    "reqwest",
    "diesel",
    "governor",
    "serde",
];

fn rules(text: &str) -> Vec<&'static str> {
    tree::rules(&Tree::service("office", DEPENDENCIES, text).read().findings)
}

/// A service with these items, whose `main` does this first and then serves `show` and `set` with `state`.
pub fn service(items: &str, start: &str, state: &str) -> Vec<&'static str> {
    rules(&format!(
        "use axum::{{Json, Router, extract::{{Path, State}}, http::StatusCode, routing::{{get, put}}}};\n\
        use sqlx::PgPool;\nuse std::{{collections::HashMap, sync::{{Arc, Mutex, RwLock}}, time::{{Duration, Instant}}}};\n{items}\n\
        #[tokio::main] async fn main() {{ {start} \
        let r = Router::new().route(\"/x/{{id}}\", get(show)).route(\"/x/{{id}}\", put(set)).with_state({state}); \
        axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
    ))
}

const DIRECTORY: &str = "#[derive(Clone, Default)] struct App { rooms: Arc<RwLock<HashMap<u32, String>>> }
    async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {
        app.rooms.read().unwrap().get(&id).cloned().ok_or(StatusCode::NOT_FOUND) }
    async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) { app.rooms.write().unwrap().insert(id, body); }";

#[test]
fn what_a_subscription_brings_to_every_instance_is_a_replica() {
    let start = |body: &str| {
        format!(
            "let app = App::default(); let own = app.clone(); \
            let mut feed = redis::Client::open(\"a\").unwrap().get_async_pubsub().await.unwrap().into_on_message(); \
            tokio::spawn(async move {{ while let Some(note) = feed.next().await {{ {body} }} }});"
        )
    };
    let applied = start("own.rooms.write().unwrap().insert(1, note.get_payload().unwrap());");
    assert_eq!(service(DIRECTORY, &applied, "app"), [""; 0]);
    assert_eq!(service(DIRECTORY, &start("println!(\"{note:?}\");"), "app"), ["authoritative-memory"]);
}

#[test]
fn a_setting_that_every_instance_reads_again_is_a_replica() {
    let items = "#[derive(Clone, Default)] struct Limits { rooms: u32 }
        #[derive(Clone)] struct App { db: PgPool, limits: Arc<RwLock<Limits>> }
        async fn load(db: &PgPool) -> Limits { Limits { rooms: sqlx::query_scalar(\"SELECT rooms FROM limits\").fetch_one(db).await.unwrap() } }
        async fn show(State(app): State<App>, Path(id): Path<u32>) -> StatusCode {
            if id > app.limits.read().unwrap().rooms { return StatusCode::FORBIDDEN; } StatusCode::OK }
        async fn set(State(app): State<App>, Path(id): Path<u32>) { *app.limits.write().unwrap() = Limits { rooms: id }; }";
    let start = "let db = PgPool::connect(\"a\").await.unwrap(); let app = App { limits: Arc::new(RwLock::new(load(&db).await)), db };";
    let again = "let own = app.clone(); tokio::spawn(async move { loop { tokio::time::sleep(Duration::from_secs(60)).await; \
        let fresh = load(&own.db).await; *own.limits.write().unwrap() = fresh; } });";
    assert_eq!(service(items, &format!("{start} {again}"), "app"), [""; 0]);
    assert_eq!(service(items, start, "app"), ["local-setting"]);
}

#[test]
fn when_something_last_happened_is_no_setting() {
    let items = |value: &str| {
        format!(
            "#[derive(Clone)] struct App {{ mark: Arc<Mutex<Instant>> }}
            async fn show(State(app): State<App>) -> StatusCode {{ if *app.mark.lock().unwrap() > Instant::now() {{ return StatusCode::FORBIDDEN; }} StatusCode::OK }}
            fn until(id: u64) -> Instant {{ todo!() }}
            async fn set(State(app): State<App>, Path(id): Path<u64>) {{ *app.mark.lock().unwrap() = {value}; }}"
        )
    };
    let start = "let app = App { mark: Arc::new(Mutex::new(Instant::now())) };";
    assert_eq!(service(&items("Instant::now()"), start, "app"), [""; 0]);
    assert_eq!(service(&items("until(id)"), start, "app"), ["local-setting"]);
}

#[test]
fn an_object_of_a_graph_is_made_for_its_answer() {
    let graph = |serve: &str| {
        rules(&format!(
            "use async_graphql::{{EmptyMutation, EmptySubscription, Object, Schema}};\nuse std::sync::Mutex;\n\
            struct Room {{ guests: Mutex<Vec<String>> }}\n#[Object] impl Room {{ \
            async fn join(&self, name: String) -> bool {{ self.guests.lock().unwrap().push(name); true }}\n\
            async fn guests(&self) -> Vec<String> {{ self.guests.lock().unwrap().clone() }} }}\n\
            struct Root; #[Object] impl Root {{ async fn room(&self) -> Room {{ Room {{ guests: Mutex::default() }} }} }}\n\
            fn main() {{ let schema = {serve}; }}"
        ))
    };
    assert_eq!(graph("Schema::build(Root, EmptyMutation, EmptySubscription).finish()"), [""; 0]);
    let root = "Schema::build(Room { guests: Mutex::default() }, EmptyMutation, EmptySubscription).finish()";
    assert_eq!(graph(root), ["authoritative-memory"]);
}

#[test]
fn a_salt_is_no_key() {
    let items = "async fn show(State(app): State<Arc<String>>) {} async fn set(State(app): State<Arc<String>>) {}";
    let state = "Arc::new(String::new())";
    assert_eq!(service(items, "let salt = argon2::password_hash::SaltString::generate(rand());", state), [""; 0]);
    assert_eq!(service(items, "let key = cookie::Key::generate();", state), ["per-instance-secret"]);
}

#[test]
fn values_of_a_search_library_are_no_database() {
    let items = |body: &str| {
        format!(
            "async fn show() {{ {body} }} async fn set(db: String) {{ let index = tantivy::Index::open(db); index.writer().add_document(1); }}"
        )
    };
    assert_eq!(service(&items(""), "let day = tantivy::DateTime::from_timestamp_secs(3); let term = tantivy::Term::new();", "()"), [""; 0]);
    assert_eq!(service(&items(""), "let index = tantivy::Index::open_in_dir(\"/data\").unwrap();", "()"), ["embedded-database"]);
}

#[test]
fn what_an_argument_parser_makes_is_followed() {
    let text = |call: &str| {
        format!(
            "use clap::Parser;\nuse std::time::Duration;\nuse sqlx::PgPool;\n#[derive(Parser)] struct Args {{ url: String }}\n\
            impl Args {{ async fn run(self) {{ let db = PgPool::connect(&self.url).await.unwrap(); \
            tokio::spawn(async move {{ loop {{ tokio::time::sleep(Duration::from_secs(60)).await; \
            sqlx::query(\"INSERT INTO bills (cents) SELECT cents FROM due\").execute(&db).await.unwrap(); }} }}); }} }}\n\
            #[tokio::main] async fn main() {{ {call} }}"
        )
    };
    assert_eq!(rules(&text("Args::parse().run().await")), ["unelected-schedule"]);
    assert_eq!(rules(&text("Args::try_parse().unwrap().run().await")), ["unelected-schedule"]);
    assert_eq!(rules(&text("let args = Args::parse();")), [""; 0]);
}

#[test]
fn a_total_is_no_sequence_and_a_report_of_it_no_state() {
    let items = |own: &str| {
        format!(
            "use std::sync::atomic::{{AtomicU64, Ordering}};\nstatic VISITS: AtomicU64 = AtomicU64::new(0);\n\
            async fn show(State(db): State<PgPool>) {{}}\nasync fn set(State(db): State<PgPool>) {{ {own} }}"
        )
    };
    let count = items("VISITS.fetch_add(1, Ordering::Relaxed);");
    let number = items(
        "let id = VISITS.fetch_add(1, Ordering::Relaxed); sqlx::query(\"INSERT INTO v (id) VALUES ($1)\").bind(id as i64).execute(&db).await.unwrap();",
    );
    let each_hour = |tell: &str| {
        format!(
            "let db = PgPool::connect(\"a\").await.unwrap(); let own = db.clone(); let http = reqwest::Client::new(); tokio::spawn(async move {{ loop {{ \
            tokio::time::sleep(Duration::from_secs(3600)).await; let n = VISITS.load(Ordering::Relaxed); {tell} }} }});"
        )
    };
    let report = each_hour("http.post(\"https://usage.example\").json(&n).send().await.unwrap();");
    assert_eq!(service(&count, &report, "db"), [""; 0]);
    assert_eq!(service(&number, &report, "db"), ["local-sequence"]);
}

#[test]
fn a_key_that_is_saved_or_made_by_a_command_is_no_secret_of_this_instance() {
    let items = "use clap::Parser;\n#[derive(Parser)] enum Args { Keys, Serve }\nfn fresh() -> cookie::Key { cookie::Key::generate() }\n\
        async fn keep(db: &PgPool, key: &[u8]) { sqlx::query(\"INSERT INTO keys (k) VALUES ($1)\").bind(key).execute(db).await.unwrap(); }\n\
        async fn rotate(db: &PgPool) { let key = fresh(); keep(db, key.master()).await; }\n\
        async fn show(State(key): State<Arc<cookie::Key>>) {} async fn set(State(key): State<Arc<cookie::Key>>) {}\n\
        fn configured() -> cookie::Key { cookie::Key::from(std::env::var(\"KEY\").unwrap().as_bytes()) }";
    let connect = "let db = PgPool::connect(\"a\").await.unwrap();";
    let saved = format!("{connect} rotate(&db).await; let key = configured();");
    assert_eq!(service(items, &saved, "Arc::new(key)"), ["fixed-signing-key"]);
    let command =
        "if let Args::Keys = Args::parse() { let key = fresh(); println!(\"{}\", key.master().len()); return; } let key = configured();";
    assert_eq!(service(items, command, "Arc::new(key)"), ["fixed-signing-key"]);
    assert_eq!(
        service(items, &format!("{connect} let key = fresh(); keep(&db, b\"a\").await;"), "Arc::new(key)"),
        ["fixed-signing-key", "per-instance-secret"]
    );
}

#[test]
fn rows_that_a_query_builder_locks_and_skips_are_claimed() {
    let job = |lock: &str| {
        let items = "use diesel::prelude::*;\nasync fn show() {} async fn set() {}";
        let start = format!(
            "let mut db: diesel::PgConnection = todo!(); tokio::spawn(async move {{ loop {{ tokio::time::sleep(Duration::from_secs(9)).await; \
            let due: Vec<i64> = loans::table.filter(loans::due.eq(true)).for_update(){lock}.select(loans::id).get_results(&mut db).unwrap(); \
            diesel::update(loans::table.filter(loans::id.eq_any(due))).set(loans::fee.eq(loans::fee + 1)).execute(&mut db).unwrap(); }} }});"
        );
        service(items, &start, "()")
    };
    assert_eq!(job(".skip_locked()"), [""; 0]);
    assert_eq!(job(""), ["unelected-schedule"]);
}

#[test]
fn shaping_a_table_again_changes_nothing() {
    let each_hour = |text: &str| {
        let start = format!(
            "let db = PgPool::connect(\"a\").await.unwrap(); tokio::spawn(async move {{ loop {{ \
            tokio::time::sleep(Duration::from_secs(3600)).await; sqlx::query(\"{text}\").execute(&db).await.unwrap(); }} }});"
        );
        service("async fn show() {} async fn set() {}", &start, "()")
    };
    assert_eq!(each_hour("ALTER TABLE loans ADD COLUMN IF NOT EXISTS note TEXT"), [""; 0]);
    assert_eq!(
        each_hour("WITH old AS (SELECT id FROM loans WHERE ended < now()) DELETE FROM loans USING old WHERE loans.id = old.id"),
        [""; 0]
    );
    assert_eq!(each_hour("INSERT INTO fees (cents) SELECT cents FROM loans"), ["unelected-schedule"]);
}

/// Types that lead to each other end somewhere, and soon.
#[test]
fn circles_of_types_end() {
    let circles = "trait A { type Out; } trait B { type Out; } struct S;\n\
        impl A for S { type Out = <S as B>::Out; }\nimpl B for S { type Out = Vec<(<S as A>::Out, <S as B>::Out)>; }\n\
        fn f(s: S) -> <S as A>::Out { todo!() }\nfn main() { f(S); }";
    assert!(rules(circles).is_empty());
    let globs: String = (0..40).map(|n| format!("use unheard_of_{n}::inner::*;\n")).collect();
    assert!(rules(&format!("{globs}fn main() {{ let one = Something::new(another()); one.method(); }}")).is_empty());
    let layers = "trait Log { fn log(&self) {} }\nimpl<T: Log> Log for Vec<T> {}\nimpl<T: Log> Log for Option<T> {}\n\
        impl<T: Log, U: Log> Log for (T, U) {}\nimpl<T: Log, U: Log, V: Log> Log for (T, U, V) {}\nstruct Page<T> { t: T } impl<T: Log> Log for Page<T> {}\n\
        struct Own { all: Box<dyn Log> }\nstatic OWN: std::sync::OnceLock<Own> = std::sync::OnceLock::new();\nfn main() {}";
    assert!(rules(layers).is_empty());
}
