//! Idioms of real services, each beside the same program with one fact changed.

use crate::tree::{self, Tree};

const DEPENDENCIES: &[&str] = &[
    "axum", "sqlx", "tokio", "reqwest", "moka", "lapin", "rumqttc", "sha2", "uuid", "governor", "tempfile", "rusqlite", "serde", "futures",
];

const HEAD: &str = "use axum::{Json, Router, extract::{Path, State}, http::StatusCode, routing::{get, post}};\nuse sqlx::PgPool;\n\
    use std::{collections::{HashMap, HashSet}, sync::{Arc, LazyLock, Mutex, RwLock}, time::Duration};\n";

/// A service with these items, whose `main` does this first and then serves `show` and `set` with `state`.
fn service(items: &str, start: &str, state: &str) -> Vec<&'static str> {
    let main = format!(
        "{HEAD}{items}\n#[tokio::main] async fn main() {{ {start} \
        let r = Router::new().route(\"/x/{{id}}\", get(show).post(set)).with_state({state}); \
        axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
    );
    tree::rules(&Tree::service("idioms", DEPENDENCIES, main).read().findings)
}

const QUIET: [&str; 0] = [];

#[test]
fn a_file_that_is_written_where_it_was_missed_is_a_copy() {
    let posters = |look: &str, show: &str| {
        let items = format!(
            "fn kept(id: u32) -> Option<Vec<u8>> {{ std::fs::read(format!(\"p/{{id}}\")).ok() }}\n\
            fn keep(id: u32, bytes: &[u8]) {{ std::fs::write(format!(\"p/{{id}}\"), bytes).unwrap(); }}\n\
            async fn fetch(id: u32) -> Vec<u8> {{ let p = reqwest::get(\"http://posters\").await.unwrap().bytes().await.unwrap().to_vec(); keep(id, &p); p }}\n\
            async fn look_up(id: u32) -> Vec<u8> {{ {look} fetch(id).await }}\n\
            async fn show(Path(id): Path<u32>) -> Vec<u8> {{ {show} }} async fn set() {{}}"
        );
        service(&items, "", "()")
    };
    let look = "if let Some(p) = kept(id) { return p; }";
    assert_eq!(posters(look, "look_up(id).await"), QUIET);
    assert_eq!(posters("", "look_up(id).await"), ["local-file"]);
    // Another way to the write does not look.
    assert_eq!(posters(look, "if id > 9 { fetch(id).await } else { look_up(id).await }"), ["local-file"]);
}

#[test]
fn a_temporary_file_without_its_name_goes_when_it_is_closed() {
    let spool = |take: &str| {
        let items = format!(
            "async fn show() {{}} async fn set(Path(id): Path<u32>, body: String) {{ let mut file = tempfile::NamedTempFile::new().unwrap(); \
            std::io::Write::write_all(&mut file, body.as_bytes()).unwrap(); let file = file.{take}; }}"
        );
        service(&items, "", "()")
    };
    assert_eq!(spool("into_file()"), QUIET);
    assert_eq!(spool("persist(format!(\"spool/{id}\")).unwrap()"), ["local-file"]);
}

#[test]
fn a_hasher_that_begins_with_something_random_is_a_key() {
    let sealed = |salt: &str| {
        let items = format!(
            "use sha2::{{Digest, Sha256}};\nstatic SALTED: LazyLock<Sha256> = LazyLock::new(|| {{ let mut h = Sha256::new(); h.update({salt}); h }});\n\
            fn seal(id: u32) -> String {{ let mut h = SALTED.clone(); h.update(id.to_be_bytes()); format!(\"{{:x}}\", h.finalize()) }}\n\
            async fn show(Path(id): Path<u32>) -> String {{ seal(id) }}\n\
            async fn set(Path(id): Path<u32>, body: String) -> StatusCode {{ if body == seal(id) {{ StatusCode::OK }} else {{ StatusCode::FORBIDDEN }} }}"
        );
        service(&items, "", "()")
    };
    assert_eq!(sealed("uuid::Uuid::new_v4().as_bytes()"), ["per-instance-secret"]);
    assert_eq!(sealed("std::env::var(\"SALT\").unwrap()"), QUIET);
}

#[test]
fn a_connection_that_is_opened_again_is_no_setting() {
    let held = |ty: &str, new: &str, used: &str| {
        let items = format!(
            "static HELD: LazyLock<RwLock<Option<{ty}>>> = LazyLock::new(|| RwLock::new(None));\n\
            async fn show() -> StatusCode {{ let held = HELD.read().unwrap(); if let Some(held) = held.as_ref() {{ {used}; StatusCode::OK }} else {{ StatusCode::NOT_FOUND }} }}\n\
            async fn set(Path(id): Path<u32>, body: String) {{ let new = {new}; *HELD.write().unwrap() = Some(new); }}"
        );
        let opened = if ty.starts_with("lapin") { new } else { "std::env::var(\"BANNER\").unwrap()" };
        service(&items, &format!("let first = {opened}; *HELD.write().unwrap() = Some(first);"), "()")
    };
    let open = "lapin::Connection::connect(\"a\", Default::default()).await.unwrap().create_channel().await.unwrap()";
    assert_eq!(held("lapin::Channel", open, "println!(\"{held:?}\")"), QUIET);
    assert_eq!(held("String", "body", "println!(\"{held}\")"), ["authoritative-memory"]);
}

#[test]
fn a_shared_subscription_of_mqtt_is_one_of_many_and_any_other_is_heard_by_all() {
    let uplinks = |topic: &str| {
        let items = "static ENCODING: LazyLock<RwLock<HashMap<String, bool>>> = LazyLock::new(Default::default);\n\
            async fn listen() { let (client, mut events) = rumqttc::AsyncClient::new(rumqttc::MqttOptions::new(\"a\", \"b\", 1883), 10);\n\
            client.subscribe(TOPIC, rumqttc::QoS::AtLeastOnce).await.unwrap();\n\
            loop { match events.poll().await { Ok(event) => { ENCODING.write().unwrap().insert(event.topic(), event.json()); } \
            Err(_) => tokio::time::sleep(Duration::from_secs(1)).await } } }\n\
            async fn show(Path(id): Path<String>) -> StatusCode { match ENCODING.read().unwrap().get(&id) { Some(_) => StatusCode::OK, None => StatusCode::NOT_FOUND } }\n\
            async fn set() {}";
        service(&items.replace("TOPIC", topic), "tokio::spawn(listen());", "()")
    };
    assert_eq!(uplinks("\"$share/office/gateway/+\""), ["authoritative-memory"]);
    assert_eq!(uplinks("\"gateway/+\""), QUIET);
}

#[test]
fn collections_of_a_generic_type_are_cells_of_their_own() {
    let keepers = |forget: &str| {
        let items = format!(
            "trait Make {{ async fn make(id: u32) -> String; }} #[derive(Clone)] struct Rooms; #[derive(Clone)] struct Halls;\n\
            impl Make for Rooms {{ async fn make(id: u32) -> String {{ reqwest::get(\"http://a\").await.unwrap().text().await.unwrap() }} }}\n\
            impl Make for Halls {{ async fn make(id: u32) -> String {{ reqwest::get(\"http://b\").await.unwrap().text().await.unwrap() }} }}\n\
            struct Keeper<M> {{ kept: moka::future::Cache<u32, String>, under_way: Arc<Mutex<HashSet<u32>>>, of: std::marker::PhantomData<M> }}\n\
            impl<M: Make> Keeper<M> {{\n\
            async fn find(&self, id: u32) -> String {{ self.kept.get_with(id, M::make(id)).await }}\n\
            async fn renew(&self, id: u32) {{ if !self.under_way.lock().unwrap().insert(id) {{ return; }} let new = M::make(id).await; \
            self.kept.insert(id, new).await; self.under_way.lock().unwrap().remove(&id); {forget} }} }}\n\
            struct App {{ rooms: Keeper<Rooms>, halls: Keeper<Halls> }}\n\
            async fn show(State(app): State<Arc<App>>, Path(id): Path<u32>) -> String {{ app.halls.find(id).await + &app.rooms.find(id).await }}\n\
            async fn set(State(app): State<Arc<App>>, Path(id): Path<u32>) {{ app.rooms.renew(id).await; app.halls.renew(id).await; }}"
        );
        service(&items, "", "Arc::new(App { rooms: todo!(), halls: todo!() })")
    };
    assert_eq!(keepers(""), QUIET);
    assert_eq!(keepers("self.kept.invalidate(&(id + 1)).await;"), ["stale-local-cache", "stale-local-cache"]);
}

#[test]
fn a_task_whose_handle_something_is_made_of_is_stopped_or_waited_for_from_there() {
    let work = |spawn: &str| {
        let items = format!(
            "struct Stopping(tokio::task::JoinHandle<()>); impl Stopping {{ fn new(h: tokio::task::JoinHandle<()>) -> Self {{ Stopping(h) }} }}\n\
            impl Drop for Stopping {{ fn drop(&mut self) {{ self.0.abort(); }} }}\n\
            async fn note(db: PgPool) {{ sqlx::query(\"INSERT INTO visits DEFAULT VALUES\").execute(&db).await.unwrap(); }}\n\
            async fn show() {{}} async fn set(State(db): State<PgPool>) {{ {spawn} }}"
        );
        service(&items, "let db = PgPool::connect(\"a\").await.unwrap();", "db")
    };
    assert_eq!(work("let work = Stopping::new(tokio::spawn(note(db))); work.await;"), QUIET);
    assert_eq!(work("let work = tokio::spawn(note(db));"), ["detached-task"]);
}

#[test]
fn a_cache_that_is_filled_by_a_future_in_a_variable_is_filled_again() {
    let looked_up = |init: &str| {
        let items = format!(
            "#[derive(Clone)] struct App {{ found: moka::future::Cache<u32, String> }}\n\
            async fn ask(id: u32) -> Outcome {{ timed(reqwest::get(\"http://a\").await) }}\n\
            async fn show(State(app): State<App>, Path(id): Path<u32>, body: String) -> String {{ let init = Box::pin(async move {{ {init} }}); \
            app.found.entry(id).or_insert_with(init).await.into_value() }} async fn set() {{}}"
        );
        service(&items, "", "App { found: moka::future::Cache::new(10) }")
    };
    assert_eq!(looked_up("text_of(ask(id).await)"), QUIET);
    assert_eq!(looked_up("text_of(body)"), ["authoritative-memory"]);
}

#[test]
fn what_a_setting_inside_others_starts_with_stands_in_the_outer_default() {
    let opened = |engine: &str| {
        let items = format!(
            "#[derive(serde::Deserialize)] struct Settings {{ database: Database }} #[derive(serde::Deserialize)] struct Database {{ engine: String }}\n\
            impl Default for Settings {{ fn default() -> Self {{ Settings {{ database: Database {{ engine: \"{engine}\".to_owned() }} }} }} }}\n\
            trait Store {{ fn put(&self, n: i64); }} struct Lite(rusqlite::Connection); struct Pg(PgPool);\n\
            impl Store for Lite {{ fn put(&self, n: i64) {{ self.0.execute(\"INSERT INTO t VALUES (?)\", [n]).unwrap(); }} }}\n\
            impl Store for Pg {{ fn put(&self, n: i64) {{ todo!() }} }}\n\
            fn open(settings: &Settings) -> Arc<dyn Store + Send + Sync> {{ match settings.database.engine.as_str() {{ \
            \"sqlite\" => Arc::new(Lite(rusqlite::Connection::open(\"a.db\").unwrap())), \"postgres\" => Arc::new(Pg(PgPool::connect_lazy(\"a\").unwrap())), _ => panic!() }} }}\n\
            async fn show() {{}} async fn set(State(db): State<Arc<dyn Store + Send + Sync>>, Path(id): Path<i64>) {{ db.put(id) }}"
        );
        service(&items, "let settings = Settings::default(); let store = open(&settings);", "store")
    };
    assert_eq!(opened("sqlite"), ["embedded-database"]);
    assert_eq!(opened("postgres"), QUIET);
}

#[test]
fn what_is_taken_from_shared_memory_into_a_variable_changes_no_memory() {
    let rates = |set: &str| {
        let items = format!(
            "static RATES: LazyLock<RwLock<HashMap<u32, u64>>> = LazyLock::new(Default::default); struct Quote {{ rate: u64 }}\n\
            fn rate(id: u32) -> u64 {{ RATES.read().unwrap().get(&id).copied().unwrap_or_default() }}\n\
            async fn show(Path(id): Path<u32>) -> String {{ let mut quote = Quote {{ rate: 0 }}; quote.rate = rate(id); quote.rate.to_string() }}\n\
            async fn set(Path(id): Path<u32>) {{ {set} }}"
        );
        service(&items, "RATES.write().unwrap().insert(1, 2);", "()")
    };
    assert_eq!(rates(""), QUIET);
    assert_eq!(rates("RATES.write().unwrap().insert(id, 3);"), ["authoritative-memory"]);
}

#[test]
fn a_limiter_of_one_connection_is_kept_nowhere_else() {
    let limited = |keep: &str, ty: &str| {
        let items = format!(
            "#[derive(Clone, Default)] struct App {{ kept: Arc<Mutex<HashMap<u32, {ty}>>> }}\n\
            async fn show() {{}} async fn set(State(app): State<App>, Path(id): Path<u32>) {{ \
            let limiter = governor::RateLimiter::direct(governor::Quota::per_minute(60.try_into().unwrap())); limiter.until_ready().await; \
            app.kept.lock().unwrap().insert(id, {keep}); }}"
        );
        service(&items, "", "App::default()").into_iter().filter(|rule| *rule == "local-rate-limit").count()
    };
    assert_eq!(limited("1", "u64"), 0);
    assert_eq!(limited("limiter", "governor::DefaultDirectRateLimiter"), 1);
}

#[test]
fn who_finds_no_work_under_way_does_it_and_who_must_find_some_relies_on_memory() {
    let wait = |miss: &str| {
        let items = format!(
            "use tokio::sync::watch;\n#[derive(Clone, Default)] struct App {{ under_way: Arc<RwLock<HashMap<u32, watch::Receiver<Option<String>>>>> }}\n\
            async fn make(app: App, id: u32) -> String {{ let (tx, rx) = watch::channel(None); app.under_way.write().unwrap().insert(id, rx); \
            let made = reqwest::get(\"http://a\").await.unwrap().text().await.unwrap(); tx.send_replace(Some(made.clone())); \
            app.under_way.write().unwrap().remove(&id); made }}\n\
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {{ \
            let found = app.under_way.read().unwrap().get(&id).cloned(); \
            if let Some(mut rx) = found {{ Ok(rx.wait_for(|m| m.is_some()).await.unwrap().clone().unwrap()) }} else {{ {miss} }} }}\n\
            async fn set(State(app): State<App>, Path(id): Path<u32>) {{ make(app, id).await; }}"
        );
        service(&items, "", "App::default()")
    };
    assert_eq!(wait("Ok(make(app, id).await)"), QUIET);
    assert_eq!(wait("Err(StatusCode::NOT_FOUND)"), ["authoritative-memory"]);
}

#[test]
fn a_delegate_is_run_once_a_message() {
    let consume = |no_ack: &str| {
        let items = format!(
            "struct Push {{ db: PgPool }}\n\
            impl lapin::ConsumerDelegate for Push {{ fn on_new_delivery(&self, d: lapin::message::DeliveryResult) -> std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send>> {{ \
            let db = self.db.clone(); Box::pin(async move {{ sqlx::query(\"INSERT INTO pushes DEFAULT VALUES\").execute(&db).await.unwrap(); }}) }} }}\n\
            async fn listen(db: PgPool, channel: lapin::Channel) {{ let consumer = channel.basic_consume(\"q\", \"t\", \
            lapin::options::BasicConsumeOptions {{ no_ack: {no_ack}, ..Default::default() }}, Default::default()).await.unwrap(); consumer.set_delegate(Push {{ db }}); }}\n\
            async fn show() {{}} async fn set() {{}}"
        );
        let open = "let db = PgPool::connect(\"a\").await.unwrap(); let c = lapin::Connection::connect(\"a\", Default::default()).await.unwrap(); \
            listen(db, c.create_channel().await.unwrap()).await;";
        service(&items, open, "()")
    };
    assert_eq!(consume("true"), ["unrecoverable-stream-state"]);
    assert_eq!(consume("false"), QUIET);
}

/// A registration at start that is signed for another service: the secret comes with the settings, beside what is drawn.
#[test]
fn settings_with_something_random_beside_the_secret_make_no_random_key() {
    let signed = |secret: &str| {
        let source = format!(
            "use axum::{{Router, routing::get}}; use hmac::{{Hmac, Mac}}; use rand::RngCore;\n\
            struct Settings {{ secret: String, node: String }}\n\
            fn drawn() -> String {{ let mut bytes = [0u8; 32]; rand::rng().fill_bytes(&mut bytes); hex::encode(bytes) }}\n\
            fn sign(secret: &str, text: &str) -> Vec<u8> {{ let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap(); \
            mac.update(text.as_bytes()); mac.finalize().into_bytes().to_vec() }}\n\
            async fn hello() {{}}\n\
            #[tokio::main] async fn main() {{ let settings = Settings {{ secret: {secret}, node: drawn() }}; \
            let all = (settings.secret + &settings.node, 1).0; let seal = sign(&all, \"register\"); \
            reqwest::Client::new().post(\"https://hub\").body(seal).send().await.unwrap(); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), Router::new().route(\"/\", get(hello))).await.unwrap(); }}"
        );
        Tree::service("clinic", &["axum", "hmac", "rand", "sha2", "hex", "reqwest", "tokio"], source).rules()
    };
    assert_eq!(signed("std::env::var(\"SECRET\").unwrap()"), [""; 0]);
    assert_eq!(signed("drawn()"), ["per-instance-secret"]);
}
