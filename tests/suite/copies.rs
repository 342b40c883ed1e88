//! Memory that starts with what the store says: who changes it beside the store, who renews it, and where it lies.

use crate::tree::{Tree, is_regular};

const DEPENDENCIES: &[&str] = &["axum", "derive_more", "moka", "parking_lot", "sqlx", "tokio"];
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
