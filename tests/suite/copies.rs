//! Memory that starts with what the store says: who changes it beside the store, who renews it, and where it lies.

use crate::tree::{Tree, is_regular};

const DEPENDENCIES: &[&str] = &["async-nats", "async-trait", "axum", "derive_more", "futures-util", "moka", "parking_lot", "sqlx", "tokio"];
const HEAD: &str = "use axum::{Router, extract::Path, http::StatusCode, routing::post};\nuse sqlx::PgPool;\n\
    use std::collections::HashMap;\nuse std::sync::OnceLock;\nuse parking_lot::{RwLock, RwLockReadGuard, RwLockWriteGuard};\n\
    static DB: OnceLock<PgPool> = OnceLock::new();\nfn db() -> &'static PgPool { DB.get().unwrap() }\n\
    #[derive(Clone, sqlx::FromRow)] struct Lamp { street: String, watts: i64 }\n\
    async fn stored() -> Vec<Lamp> { sqlx::query_as(\"SELECT street, watts FROM lamps\").fetch_all(db()).await.unwrap() }\n\
    async fn store(lamp: &Lamp) { sqlx::query(\"UPDATE lamps SET watts = $2 WHERE street = $1\").bind(&lamp.street).bind(lamp.watts).execute(db()).await.unwrap(); }\n";

/// The rules that speak of a service with these items, which does this at start, in `POST /lamps/{street}` and in `GET` of it.
fn found(items: &str, start: &str, write: &str, read: &str) -> Vec<(&'static str, String)> {
    let source = format!(
        "{HEAD}{items}\nasync fn change(Path(street): Path<String>, body: String) -> StatusCode {{ let lamp = Lamp {{ street, watts: body.parse().unwrap() }}; {write} StatusCode::OK }}\n\
        async fn look(Path(street): Path<String>) -> StatusCode {{ {read} }}\n\
        #[tokio::main] async fn main() {{ DB.set(PgPool::connect(&std::env::var(\"DB\").unwrap()).await.unwrap()).unwrap(); {start}\n\
        let app = Router::new().route(\"/lamps/{{street}}\", post(change).get(look)); \
        axum::serve(tokio::net::TcpListener::bind(\"0.0.0.0:80\").await.unwrap(), app).await.unwrap(); }}"
    );
    let tree = Tree::service("streetlights", DEPENDENCIES, source);
    tree.understood().findings.into_iter().map(|f| (f.rule, f.symbol)).collect()
}

fn rules(items: &str, start: &str, write: &str, read: &str) -> Vec<&'static str> {
    found(items, start, write, read).into_iter().map(|(rule, _)| rule).collect()
}

const QUIET: &[&str] = &[];
const ONCE: &str = "static LAMPS: OnceLock<RwLock<HashMap<String, Lamp>>> = OnceLock::new();\n\
    fn lamps() -> RwLockReadGuard<'static, HashMap<String, Lamp>> { LAMPS.get().expect(\"set at start\").read() }\n\
    fn lamps_mut() -> RwLockWriteGuard<'static, HashMap<String, Lamp>> { LAMPS.get().expect(\"set at start\").write() }";
const LOAD: &str = "LAMPS.set(RwLock::new(stored().await.into_iter().map(|l| (l.street.clone(), l)).collect())).ok();";
const CHANGE: &str = "store(&lamp).await; lamps_mut().insert(lamp.street.clone(), lamp);";
const LOOK: &str = "match lamps().get(&street) { Some(_) => StatusCode::OK, None => StatusCode::NOT_FOUND }";

#[test]
fn what_a_cell_made_once_holds_is_state() {
    assert_eq!(rules(ONCE, LOAD, CHANGE, LOOK), ["stale-local-cache"]);
    assert_eq!(rules(ONCE, LOAD, "store(&lamp).await;", LOOK), QUIET, "a snapshot");
    assert_eq!(rules(ONCE, "LAMPS.set(RwLock::new(HashMap::new())).ok();", CHANGE, LOOK), ["authoritative-memory"], "it starts empty");
    let memory_only = "lamps_mut().insert(lamp.street.clone(), lamp);";
    assert_eq!(rules(ONCE, LOAD, memory_only, LOOK), ["authoritative-memory"], "the store never hears of it");
    let lazily = "static LAMPS: OnceLock<RwLock<HashMap<String, Lamp>>> = OnceLock::new();\n\
        fn lamps() -> RwLockReadGuard<'static, HashMap<String, Lamp>> { LAMPS.get_or_init(|| RwLock::new(HashMap::new())).read() }\n\
        fn lamps_mut() -> RwLockWriteGuard<'static, HashMap<String, Lamp>> { LAMPS.get_or_init(|| RwLock::new(HashMap::new())).write() }";
    assert_eq!(rules(lazily, "", memory_only, LOOK), ["authoritative-memory"]);
    assert_eq!(rules(lazily, "", "store(&lamp).await;", LOOK), QUIET, "whoever comes first makes the empty map");
}

#[test]
fn start_up_fills_what_is_declared_empty() {
    let items = "use std::sync::LazyLock;\nstatic LAMPS: LazyLock<Lamps> = LazyLock::new(Lamps::default);\n\
        #[derive(Default, derive_more::Deref)] struct Lamps(RwLock<HashMap<String, Lamp>>);\n\
        impl Lamps {{ async fn load(&self) {{ let mut all = HashMap::new(); for lamp in stored().await {{ all.insert(lamp.street.clone(), lamp); }} FILL }} \n\
        async fn set(&self, lamp: Lamp) {{ store(&lamp).await; self.write().insert(lamp.street.clone(), lamp); }} }}"
        .replace("{{", "{")
        .replace("}}", "}");
    let look = "match LAMPS.read().get(&street) { Some(_) => StatusCode::OK, None => StatusCode::NOT_FOUND }";
    for fill in ["*self.write() = all;", "self.write().clone_from(&all);", "self.write().extend(all);"] {
        let items = items.replace("FILL", fill);
        let found = found(&items, "LAMPS.load().await;", "LAMPS.set(lamp).await;", look);
        assert_eq!(found, [("stale-local-cache", "streetlights::LAMPS".to_string())], "{fill}");
        let timed = "tokio::spawn(async { loop { LAMPS.load().await; tokio::time::sleep(std::time::Duration::from_secs(5)).await; } });";
        assert_eq!(rules(&items, timed, "LAMPS.set(lamp).await;", look), QUIET, "every instance reads it again: {fill}");
    }
}

#[test]
fn what_was_lost_or_grew_old_is_read_again() {
    let refetched = "match lamps().get(&street) { Some(_) => return StatusCode::OK, None => {} } \
        for lamp in stored().await { lamps_mut().insert(lamp.street.clone(), lamp); } StatusCode::OK";
    assert_eq!(rules(ONCE, LOAD, "store(&lamp).await;", refetched), QUIET);
    let bounded = "static PAGES: OnceLock<moka::sync::Cache<String, String>> = OnceLock::new();";
    let render = "let pages = PAGES.get_or_init(|| moka::sync::Cache::new(9)); let page = pages.get_with(street.clone(), || stamp(&street)); \
        if page.is_empty() { StatusCode::NO_CONTENT } else { StatusCode::OK }";
    let render =
        |stamp: &str| rules(&format!("{bounded}\nfn stamp(street: &str) -> String {{ {stamp} }}"), "", "store(&lamp).await;", render);
    assert_eq!(render("format!(\"<h1>{street}</h1>\")"), QUIET, "whoever misses makes it again");
}

#[test]
fn what_only_debug_builds_do_no_service_does() {
    let reload = |cfg: &str| {
        let items = format!(
            "{ONCE}\n{cfg}\nfn put(lamp: Lamp) {{ lamps_mut().insert(lamp.street.clone(), lamp); }}\n{}",
            match cfg {
                "" => "",
                _ => "#[cfg(not(debug_assertions))] fn put(_: Lamp) {}",
            }
        );
        rules(&items, LOAD, "put(lamp);", LOOK)
    };
    assert_eq!(reload(""), ["authoritative-memory"]);
    assert_eq!(reload("#[cfg(debug_assertions)]"), QUIET);
}

#[test]
fn a_part_that_handlers_ask_for_by_its_type_is_the_field_of_that_type() {
    let service = |derive: &str, built: &str| {
        let source = format!(
            "use axum::{{Router, extract::{{FromRef, Path, State}}, http::StatusCode, routing::post}};\nuse moka::sync::Cache;\nuse sqlx::PgPool;\n\
            #[derive(Clone{derive})] struct App {{ db: PgPool, maps: Cache<String, i64> }}\n\
            async fn draw(State(db): State<PgPool>, State(maps): State<Cache<String, i64>>, Path(town): Path<String>, body: String) -> StatusCode {{\n\
                sqlx::query(\"UPDATE towns SET lamps = $2 WHERE name = $1\").bind(&town).bind(body).execute(&db).await.unwrap(); maps.invalidate(&town); StatusCode::OK }}\n\
            async fn look(State(db): State<PgPool>, State(maps): State<Cache<String, i64>>, Path(town): Path<String>) -> String {{\n\
                if let Some(lamps) = maps.get(&town) {{ return lamps.to_string(); }}\n\
                let lamps: i64 = sqlx::query_scalar(\"SELECT lamps FROM towns WHERE name = $1\").bind(&town).fetch_one(&db).await.unwrap();\n\
                maps.insert(town, lamps); lamps.to_string() }}\n\
            #[tokio::main] async fn main() {{ let app = App {{ db: PgPool::connect(\"postgres://db\").await.unwrap(), maps: {built} }};\n\
                let app = Router::new().route(\"/towns/{{town}}\", post(draw).get(look)).with_state(app);\n\
                axum::serve(tokio::net::TcpListener::bind(\"0.0.0.0:80\").await.unwrap(), app).await.unwrap(); }}"
        );
        let found = Tree::service("atlas", DEPENDENCIES, source).understood().findings;
        found.into_iter().filter(|f| is_regular(&f)).map(|f| (f.rule, f.symbol)).collect::<Vec<_>>()
    };
    let stale = [("stale-local-cache", "atlas::App.maps".to_string())];
    assert_eq!(service(", FromRef", "Cache::new(99)"), stale);
    let aged = "Cache::builder().time_to_live(std::time::Duration::from_secs(60)).build()";
    assert_eq!(service(", FromRef", aged), [], "what the field is made with says that entries age");
}

#[test]
fn of_several_implementations_one_that_nobody_makes_is_none() {
    let service = |made: &str| {
        let source = format!(
            "use axum::{{Router, extract::{{Path, State}}, http::StatusCode, routing::post}};\nuse std::collections::HashMap;\nuse std::sync::{{Arc, Mutex}};\n\
            trait Plans: Send + Sync {{ fn put(&self, street: String, plan: String); fn get(&self, street: &str) -> Option<String>; }}\n\
            #[derive(Default)] struct Drawer {{ plans: Mutex<HashMap<String, String>> }}\n\
            impl Plans for Drawer {{ fn put(&self, street: String, plan: String) {{ self.plans.lock().unwrap().insert(street, plan); }}\n\
                fn get(&self, street: &str) -> Option<String> {{ self.plans.lock().unwrap().get(street).cloned() }} }}\n\
            #[derive(Default)] struct Archive {{ url: String }}\n\
            impl Plans for Archive {{ fn put(&self, _: String, _: String) {{}} fn get(&self, _: &str) -> Option<String> {{ None }} }}\n\
            async fn put(State(plans): State<Arc<dyn Plans>>, Path(street): Path<String>, body: String) -> StatusCode {{ plans.put(street, body); StatusCode::OK }}\n\
            async fn get(State(plans): State<Arc<dyn Plans>>, Path(street): Path<String>) -> Result<String, StatusCode> {{ plans.get(&street).ok_or(StatusCode::NOT_FOUND) }}\n\
            #[cfg(test)] mod tests {{ #[test] fn draws() {{ super::Drawer::default(); }} }}\n\
            #[tokio::main] async fn main() {{ let plans: Arc<dyn Plans> = Arc::new({made}::default());\n\
                let app = Router::new().route(\"/plans/{{street}}\", post(put).get(get)).with_state(plans);\n\
                axum::serve(tokio::net::TcpListener::bind(\"0.0.0.0:80\").await.unwrap(), app).await.unwrap(); }}"
        );
        Tree::service("plans", DEPENDENCIES, source).rules()
    };
    assert_eq!(service("Drawer"), ["authoritative-memory"]);
    assert_eq!(service("Archive"), QUIET, "only tests make the other");
}

#[test]
fn the_order_of_a_bounded_map_is_worth_what_the_map_is() {
    let items = |taken: &str| {
        format!(
            "use std::collections::VecDeque;\nuse std::sync::{{LazyLock, Mutex}};\n\
            static PLANS: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Default::default);\n\
            static ORDER: LazyLock<Mutex<VecDeque<String>>> = LazyLock::new(Default::default);\n\
            fn room() {{ let mut order = ORDER.lock().unwrap(); if order.len() > 99 {{ let first = order.pop_front().expect(\"full\"); {taken} }} }}\n\
            fn keep(street: String, plan: String) {{ ORDER.lock().unwrap().push_back(street.clone()); PLANS.lock().unwrap().insert(street, plan); room(); }}\n\
            fn plan(street: &str) -> Option<String> {{ PLANS.lock().unwrap().get(street).cloned() }}"
        )
    };
    let symbols = |taken: &str, read: &str| {
        let found = found(&items(taken), "", "let _ = lamp; keep(\"a\".into(), body);", read);
        found.into_iter().map(|(_, symbol)| symbol.rsplit("::").next().unwrap_or_default().to_string()).collect::<Vec<_>>()
    };
    let needed = "match plan(&street) { Some(_) => StatusCode::OK, None => StatusCode::NOT_FOUND }";
    let write_only = "let _ = street; StatusCode::OK";
    assert_eq!(symbols("PLANS.lock().unwrap().remove(&first);", needed), ["PLANS"], "one defect, one finding");
    assert_eq!(symbols("PLANS.lock().unwrap().remove(&first);", write_only), [""; 0]);
    assert_eq!(symbols("drop(first);", needed), ["ORDER", "PLANS"]);
}

#[test]
fn a_match_that_makes_what_it_misses_is_a_memo() {
    let memo = |value: &str| {
        let items = format!(
            "use std::sync::{{LazyLock, Mutex}};\nstatic LIGHT: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Default::default);\n\
            fn light(street: &str, by: &str) -> String {{ let found = LIGHT.lock().unwrap().get(street).cloned(); match found {{ Some(known) => known, \
            None => {{ let made = {value}; LIGHT.lock().unwrap().insert(street.to_string(), made.clone()); made }} }} }}"
        );
        rules(
            &items,
            "",
            "let _ = lamp; if light(\"a\", &body) == \"x\" { return StatusCode::GONE; }",
            "if light(&street, \"none\") == \"x\" { StatusCode::GONE } else { StatusCode::OK }",
        )
    };
    assert_eq!(memo("street.to_uppercase()"), QUIET);
    assert_eq!(memo("by.to_uppercase()"), ["authoritative-memory"], "who came first decides");
}

#[test]
fn what_can_be_told_by_a_bus_is_written_for_every_instance() {
    let service = |bus: &str| {
        let items = format!(
            "use futures_util::StreamExt;\nuse std::sync::{{Arc, LazyLock, Mutex}};\nuse tokio::sync::mpsc;\n\
            struct Note {{ street: String, watts: String }}\n\
            static SEEN: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Default::default);\n\
            #[async_trait::async_trait] trait Notes: Send + Sync {{ async fn tell(&self, note: Note); async fn watch(&self) -> mpsc::Receiver<Note>; }}\n\
            struct Here {{ all: Mutex<Vec<mpsc::Sender<Note>>> }}\n\
            #[async_trait::async_trait] impl Notes for Here {{\n\
            async fn tell(&self, note: Note) {{ for tx in self.all.lock().unwrap().iter() {{ tx.try_send(note).ok(); }} }}\n\
            async fn watch(&self) -> mpsc::Receiver<Note> {{ let (tx, rx) = mpsc::channel(9); self.all.lock().unwrap().push(tx); rx }} }}\n\
            {bus}\n\
            static NOTES: OnceLock<Arc<dyn Notes>> = OnceLock::new();\n\
            async fn follow() {{ let mut rx = NOTES.get().unwrap().watch().await; while let Some(note) = rx.recv().await {{ SEEN.lock().unwrap().insert(note.street, note.watts); }} }}"
        );
        let start = "NOTES.set(open()).ok(); tokio::spawn(follow());";
        let write = "NOTES.get().unwrap().tell(Note { street: lamp.street, watts: body }).await;";
        rules(&items, start, write, "match SEEN.lock().unwrap().get(&street) { Some(_) => StatusCode::OK, None => StatusCode::NOT_FOUND }")
    };
    let told = service("fn open() -> Arc<dyn Notes> { Arc::new(Here { all: Mutex::default() }) }");
    assert!(told.contains(&"authoritative-memory"), "{told:?}");
    let bus = "struct There { client: async_nats::Client }\n\
        impl There { async fn pass_on(&self, tx: mpsc::Sender<Note>) { let mut all = self.client.subscribe(\"notes\").await.unwrap(); \
        tokio::spawn(async move { while let Some(m) = all.next().await { tx.send(Note { street: m.subject.to_string(), watts: String::new() }).await.ok(); } }); } }\n\
        #[async_trait::async_trait] impl Notes for There {\n\
        async fn tell(&self, note: Note) { self.client.publish(note.street, note.watts.into()).await.ok(); }\n\
        async fn watch(&self) -> mpsc::Receiver<Note> { let (tx, rx) = mpsc::channel(9); self.pass_on(tx).await; rx } }\n\
        fn open() -> Arc<dyn Notes> { match std::env::var(\"NATS\") { Ok(_) => Arc::new(There { client: todo!() }), Err(_) => Arc::new(Here { all: Mutex::default() }) } }";
    let told = service(bus);
    assert!(!told.contains(&"authoritative-memory"), "{told:?}");
}
