//! State that requests reach by a detour: through helpers that take closures, a trait's own bodies, places of a map, schemas
//! that are put together at run time. Each case has a twin in which one fact differs.

use crate::tree::{Tree, with};
use cargo_stateless::analysis::AnalyzeOptions;
use cargo_stateless::config::Config;

fn rules(dependencies: &[&str], main: &str) -> Vec<&'static str> {
    Tree::service("orchard", dependencies, main).rules()
}

const LENT: &str = "use axum::{Router, extract::Path, routing::get}; use std::{collections::HashMap, sync::Mutex};\n\
    static TREES: Mutex<Option<HashMap<u32, String>>> = Mutex::new(None);\n\
    fn with_trees<R>(work: impl FnOnce(&mut HashMap<u32, String>) -> R) -> R { let mut trees = TREES.lock().unwrap(); work(trees.get_or_insert_with(HashMap::new)) }\n\
    fn pass<R>(work: impl FnOnce(&mut HashMap<u32, String>) -> R) -> R { with_trees(work) }\n\
    async fn plant(Path((id, sort)): Path<(u32, String)>) { with_trees(|trees| { trees.insert(id, sort); }) }\n\
    async fn show(Path(id): Path<u32>) -> Result<String, axum::http::StatusCode> { pass(|trees| trees.get(&id).cloned()).ok_or(axum::http::StatusCode::NOT_FOUND) }\n\
    fn main() { let _: Router = Router::new().route(\"/trees/{id}\", get(show)).route(\"/trees/{id}/{sort}\", get(plant)); }";

/// A helper that lends the state to a closure: what the closure does to it, the request does.
#[test]
fn what_a_closure_does_to_what_it_is_lent_is_done_to_the_state() {
    assert_eq!(rules(&["axum"], LENT), ["authoritative-memory"]);
    let fresh = with(
        LENT,
        "let mut trees = TREES.lock().unwrap(); work(trees.get_or_insert_with(HashMap::new))",
        "let mut trees = HashMap::new(); work(&mut trees)",
    );
    assert!(rules(&["axum"], &fresh).is_empty());
}

/// A registry of values of any type holds what it is opened as.
#[test]
fn a_map_of_any_values_is_known_by_what_they_are_taken_for() {
    let registry = "use axum::{Router, extract::ws::{WebSocket, WebSocketUpgrade}, response::Response, routing::{get, post}};\n\
        use std::{any::{Any, TypeId}, collections::HashMap, sync::{LazyLock, Mutex}}; use tokio::sync::mpsc::{self, UnboundedSender};\n\
        static PARTS: LazyLock<Mutex<HashMap<TypeId, Box<dyn Any + Send>>>> = LazyLock::new(Default::default);\n\
        struct Listeners(Vec<UnboundedSender<String>>);\n\
        fn listeners<R>(work: impl FnOnce(&mut Listeners) -> R) -> R { let mut parts = PARTS.lock().unwrap();\n\
        let part = parts.entry(TypeId::of::<Listeners>()).or_insert_with(|| Box::new(Listeners(Vec::new()))); work(part.downcast_mut::<Listeners>().unwrap()) }\n\
        async fn ripe(sort: String) { listeners(|all| for one in all.0.iter() { one.send(sort.clone()).ok(); }) }\n\
        async fn watch(socket: WebSocketUpgrade) -> Response { socket.on_upgrade(|socket: WebSocket| async move { let (tx, rx) = mpsc::unbounded_channel(); listeners(|all| all.0.push(tx)); drop((socket, rx)); }) }\n\
        fn main() { let _: Router = Router::new().route(\"/ripe\", post(ripe)).route(\"/watch\", get(watch)); }";
    assert_eq!(rules(&["axum", "tokio"], registry), ["in-process-broadcast"]);
    let unheard = with(registry, "for one in all.0.iter() { one.send(sort.clone()).ok(); }", "drop((all.0.len(), sort))");
    assert!(rules(&["axum", "tokio"], &unheard).is_empty());
}

/// A sender whose messages bring the way back for an answer commands a worker; a client is only told.
#[test]
fn senders_of_commands_are_no_clients() {
    let commands = "use axum::{Router, extract::{Path, State}, routing::post}; use dashmap::{DashMap, mapref::entry::Entry}; use std::sync::Arc; use tokio::sync::{mpsc, oneshot};\n\
        enum Job { Prune(u32, oneshot::Sender<bool>) }\n\
        #[derive(Clone, Default)] struct App { workers: Arc<DashMap<u32, mpsc::Sender<Job>>> }\n\
        async fn prune(State(app): State<App>, Path(tree): Path<u32>) { let (done, answer) = oneshot::channel();\n\
        let worker = match app.workers.entry(tree) { Entry::Occupied(known) => known.get().clone(), Entry::Vacant(free) => { let (tx, rx) = mpsc::channel(8); tokio::spawn(work(rx)); free.insert(tx.clone()); tx } };\n\
        worker.send(Job::Prune(tree, done)).await.ok(); answer.await.ok(); }\n\
        async fn work(mut jobs: mpsc::Receiver<Job>) { while let Some(Job::Prune(_, done)) = jobs.recv().await { done.send(true).ok(); } }\n\
        fn main() { let _: Router = Router::new().route(\"/trees/{tree}\", post(prune)).with_state(App::default()); }";
    assert!(!rules(&["axum", "dashmap", "tokio"], commands).contains(&"in-process-broadcast"));
    let told = with(commands, "enum Job { Prune(u32, oneshot::Sender<bool>) }", "enum Job { Prune(u32, bool) }");
    let told = with(&told, "Job::Prune(tree, done)", "Job::Prune(tree, true)");
    let told = with(&told, "done.send(true).ok();", "drop(done);");
    assert!(rules(&["axum", "dashmap", "tokio"], &told).contains(&"in-process-broadcast"));
}

/// `match map.entry(k) { Occupied => .., Vacant(place) => place }`: what is put there later is put into the map.
#[test]
fn a_vacant_place_is_a_place_of_the_map() {
    let kept = "use axum::{Json, Router, extract::{Path, State}, http::StatusCode, routing::get}; use std::{collections::{HashMap, hash_map::Entry}, sync::{Arc, Mutex}};\n\
        struct Graft { from: String } #[derive(Clone, Default)] struct App { grafts: Arc<Mutex<HashMap<u32, Graft>>> }\n\
        async fn graft(State(app): State<App>, Path(id): Path<u32>, from: String) -> StatusCode { let mut grafts = app.grafts.lock().unwrap();\n\
        let place = match grafts.entry(id) { Entry::Occupied(_) => return StatusCode::CONFLICT, Entry::Vacant(place) => place };\n\
        place.insert(Graft { from }); StatusCode::CREATED }\n\
        async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<Json<String>, StatusCode> { app.grafts.lock().unwrap().get(&id).map(|g| Json(g.from.clone())).ok_or(StatusCode::NOT_FOUND) }\n\
        fn main() { let _: Router = Router::new().route(\"/grafts/{id}\", get(show).post(graft)).with_state(App::default()); }";
    assert_eq!(rules(&["axum"], kept), ["authoritative-memory"]);
    assert!(rules(&["axum"], &with(kept, "place.insert(Graft { from });", "drop((place, from));")).is_empty());
}

/// A schema that is put together at run time: the closure that a field is made with resolves it.
#[test]
fn fields_of_dynamic_schemas_are_resolved_per_request() {
    let schema = "use async_graphql::dynamic::*; use std::sync::{Arc, Mutex}; type Crops = Arc<Mutex<Vec<String>>>;\n\
        fn schema() -> Schema {\n\
        let query = Object::new(\"Query\").field(Field::new(\"crops\", TypeRef::named_list(TypeRef::STRING), |ctx| FieldFuture::new(async move { Ok(Some(ctx.data_unchecked::<Crops>().lock().unwrap().join(\",\"))) })));\n\
        let mutation = Object::new(\"Mutation\").field(Field::new(\"pick\", TypeRef::named(TypeRef::STRING), |ctx| FieldFuture::new(async move { let sort = ctx.args.try_get(\"sort\")?.string()?.to_string(); ctx.data_unchecked::<Crops>().lock().unwrap().push(sort); Ok(Some(\"\")) })));\n\
        Schema::build(\"Query\", Some(\"Mutation\"), None).register(query).register(mutation).data(Crops::default()).finish().unwrap() }\n\
        fn main() { schema(); }";
    let analysis = Tree::service("orchard", &["async-graphql"], schema).understood();
    let found: Vec<&str> = analysis.findings.iter().map(|f| f.message.as_str()).collect();
    assert!(matches!(found.as_slice(), [one] if one.contains("`pick`") && one.contains("`crops`")), "{found:?}");
    let unkept = with(schema, "ctx.data_unchecked::<Crops>().lock().unwrap().push(sort);", "drop(sort);");
    assert!(rules(&["async-graphql"], &unkept).is_empty());
}

/// The endpoints of an API trait may have bodies of their own; their context is what the one implementation says.
#[test]
fn endpoints_with_bodies_in_the_trait_know_their_context() {
    let api = "use dropshot::{HttpError, HttpResponseOk, RequestContext, TypedBody}; use std::sync::atomic::{AtomicU64, Ordering};\n\
        trait Level { fn level(&self) -> u64; fn set(&self, to: u64); }\n\
        #[dropshot::api_description] trait Cistern { type Context: Level;\n\
        #[endpoint { method = GET, path = \"/level\" }] async fn read(ctx: RequestContext<Self::Context>) -> Result<HttpResponseOk<u64>, HttpError> { Ok(HttpResponseOk(ctx.context().level())) }\n\
        #[endpoint { method = PUT, path = \"/level\" }] async fn fill(ctx: RequestContext<Self::Context>, body: TypedBody<u64>) -> Result<HttpResponseOk<()>, HttpError> { ctx.context().set(body.into_inner()); Ok(HttpResponseOk(())) } }\n\
        struct Tank { depth: AtomicU64 } impl Level for Tank { fn level(&self) -> u64 { self.depth.load(Ordering::SeqCst) } fn set(&self, to: u64) { self.depth.store(to, Ordering::SeqCst); } }\n\
        enum Yard {} impl Cistern for Yard { type Context = Tank; }\n\
        fn main() { let api = cistern_mod::api_description::<Yard>().unwrap(); dropshot::ServerBuilder::new(api, Tank { depth: AtomicU64::new(0) }, log()).start(); }";
    assert_eq!(rules(&["dropshot"], api), ["authoritative-memory"]);
    assert!(rules(&["dropshot"], &with(api, "ctx.context().set(body.into_inner());", "drop((ctx, body));")).is_empty());
}

/// A trait that is not in scope gives a type no methods, however many types it is implemented for.
#[test]
fn blanket_impls_of_other_crates_stand_in_nobodys_way() {
    let tree = |dependency: &str, import: &str| {
        let manifest = |name: &str, more: &str| {
            format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{more}")
        };
        let service = format!(
            "use axum::{{Router, routing::get}}; use std::sync::Mutex; {import} static LOG: Mutex<Vec<String>> = Mutex::new(Vec::new());\n\
             async fn show() -> String {{ LOG.lock().unwrap().join(\"\") }} async fn add(line: String) {{ LOG.lock().unwrap().push(line); }}\n\
             fn main() {{ let _: Router = Router::new().route(\"/\", get(show).post(add)); }}"
        );
        let field = "pub struct Leaf; pub trait Field: Sized { fn unwrap(self) -> Leaf; } pub trait Part {} impl<S: Part> Field for S { fn unwrap(self) -> Leaf { Leaf } }";
        Tree::new(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"service\", \"fields\"]\n".to_string()),
            ("service/Cargo.toml", manifest("service", &format!("axum = \"0.8\"\n{dependency}"))),
            ("service/src/main.rs", service),
            ("fields/Cargo.toml", manifest("fields", "")),
            ("fields/src/lib.rs", field.to_string()),
        ])
    };
    assert_eq!(tree("", "").rules(), ["authoritative-memory"]);
    assert_eq!(tree("fields = { path = \"../fields\" }\n", "use fields::Leaf;").rules(), ["authoritative-memory"]);
}

/// What is written to a client's socket is an answer to it.
#[test]
fn a_count_that_is_sent_to_clients_is_shown_to_them() {
    let room = "use axum::{Router, extract::{State, ws::{Message, WebSocket, WebSocketUpgrade}}, response::Response, routing::get}; use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};\n\
        #[derive(Clone, Default)] struct Barn { present: Arc<AtomicUsize> }\n\
        async fn visit(State(barn): State<Barn>, socket: WebSocketUpgrade) -> Response { socket.on_upgrade(move |socket| stay(socket, barn)) }\n\
        async fn stay(mut socket: WebSocket, barn: Barn) { let present = barn.present.fetch_add(1, Ordering::SeqCst) + 1; tell(&mut socket, format!(\"{present} are here\")).await;\n\
        while let Some(Ok(_)) = socket.recv().await {} barn.present.fetch_sub(1, Ordering::SeqCst); }\n\
        async fn tell(socket: &mut WebSocket, text: String) { socket.send(Message::Text(text.into())).await.ok(); }\n\
        fn main() { let _: Router = Router::new().route(\"/\", get(visit)).with_state(Barn::default()); }";
    assert_eq!(rules(&["axum"], room), ["authoritative-memory"]);
    assert!(
        rules(&["axum"], &with(room, "tell(&mut socket, format!(\"{present} are here\")).await;", "tracing::info!(\"{present}\");"))
            .is_empty()
    );
}

/// `app.state(x)` keeps it in ntex, `request.state()` hands it out in tide; a cookie key of zeros is a key in the source.
#[test]
fn ntex_apps_keep_state_and_sign_cookies() {
    let app = "use ntex::web::{self, App, types::State}; use ntex_session::CookieSession; use std::sync::{Arc, Mutex};\n\
        async fn pick(basket: State<Arc<Mutex<usize>>>) -> String { *basket.lock().unwrap() += 1; format!(\"{}\", basket.lock().unwrap()) }\n\
        #[ntex::main] async fn main() -> std::io::Result<()> { let basket = Arc::new(Mutex::new(0usize));\n\
        web::server(async move || { App::new().state(basket.clone()).middleware(CookieSession::signed(&[0; 32])).service(web::resource(\"/pick\").to(pick)) }).bind(\"0.0.0.0:80\")?.run().await }";
    let tree = Tree::service("orchard", &["ntex", "ntex-session"], app);
    assert_eq!(tree.rules(), ["authoritative-memory", "fixed-signing-key"]);
    let kept = tree.understood().findings.into_iter().find(|f| f.rule == "authoritative-memory").map(|f| f.location.line);
    assert_eq!(kept, Some(3), "the state is declared where it is made");
    let configured = with(app, "&[0; 32]", "std::env::var(\"COOKIE_KEY\").unwrap().as_bytes()");
    let configured = with(&configured, "*basket.lock().unwrap() += 1;", "");
    let findings = Tree::service("orchard", &["ntex", "ntex-session"], &configured).understood().findings;
    assert!(!findings.iter().any(|f| crate::tree::is_regular(&f)), "{findings:?}");
}

/// A broadcaster's clones listen.
#[test]
fn a_clone_of_a_broadcast_channel_is_a_receiver() {
    let feed = "use actix_web::{get, post, HttpResponse, Responder}; use broadcaster::BroadcastChannel; use std::sync::LazyLock;\n\
        static RIPE: LazyLock<BroadcastChannel<String>> = LazyLock::new(BroadcastChannel::new);\n\
        #[post(\"/ripe\")] async fn ripe(sort: String) -> String { RIPE.send(&sort).await.ok(); sort }\n\
        #[get(\"/feed\")] async fn feed() -> impl Responder { HttpResponse::Ok().streaming(RIPE.clone()) }\n\
        fn main() {}";
    assert_eq!(rules(&["actix-web", "broadcaster"], feed), ["in-process-broadcast"]);
    assert!(rules(&["actix-web", "broadcaster"], &with(feed, ".streaming(RIPE.clone())", ".finish()")).is_empty());
}

/// In the repository of a library whose session store the catalog knows, its examples use it like anybody else.
#[test]
fn examples_of_a_library_see_its_parts_from_outside() {
    let library = "use std::{collections::HashMap, sync::{Arc, Mutex}}; #[derive(Clone, Default)] pub struct MemoryStore(Arc<Mutex<HashMap<u128, String>>>);\n\
        pub struct Session; impl Session { pub async fn insert(&self, key: &str, value: u32) {} } pub struct SessionManagerLayer; impl SessionManagerLayer { pub fn new(store: MemoryStore) -> Self { Self } }";
    let example = "use axum::{Router, routing::get}; use tower_sessions::{MemoryStore, Session, SessionManagerLayer};\n\
        async fn visit(session: Session) { session.insert(\"seen\", 1).await; }\n\
        fn main() { let _: Router = Router::new().route(\"/\", get(visit)).layer(SessionManagerLayer::new(MemoryStore::default())); }";
    let manifest = "[package]\nname = \"tower-sessions\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dev-dependencies]\naxum = \"0.8\"\n";
    let found = |example: &str| {
        let tree = Tree::new(&[("Cargo.toml", manifest), ("src/lib.rs", library), ("examples/visits.rs", example)]);
        let analysis = tree.analyse_with(&Config::default(), &AnalyzeOptions { examples: true, ..AnalyzeOptions::default() });
        let findings = analysis.findings.into_iter().map(|f| (f.rule, f.witness.len()));
        findings.collect::<Vec<_>>()
    };
    assert_eq!(found(example), [("memory-session-store", 2)], "where it is built, and the request that writes");
    assert!(found(&with(example, "MemoryStore::default()", "RedisStore::new(pool())")).is_empty());
}

/// A service is deployed as the release profile builds it, without `debug_assertions`.
#[test]
fn what_only_debug_builds_wait_for_is_detached() {
    let code = |wait: &str| {
        format!(
            "use axum::{{Router, extract::State, routing::post}}; use sqlx::PgPool;\n\
             async fn prune(State(db): State<PgPool>) {{ let pruned = tokio::spawn(async move {{ sqlx::query(\"INSERT INTO pruned DEFAULT VALUES\").execute(&db).await.unwrap(); }});\n\
             {wait} }}\n\
             #[tokio::main] async fn main() {{ let _: Router = Router::new().route(\"/prune\", post(prune)).with_state(PgPool::connect(\"a\").await.unwrap()); }}"
        )
    };
    let found = |wait: &str| rules(&["axum", "sqlx", "tokio"], &code(wait));
    assert_eq!(found("if cfg!(debug_assertions) { pruned.await.unwrap(); }"), ["detached-task"]);
    assert_eq!(found("#[cfg(debug_assertions)] pruned.await.unwrap();"), ["detached-task"]);
    assert!(found("if cfg!(debug_assertions) { tracing::debug!(\"late\"); } else { pruned.await.unwrap(); }").is_empty());
    assert!(found("if !cfg!(any(test, debug_assertions)) { pruned.await.unwrap(); }").is_empty());
    assert!(found("if cfg!(feature = \"sync\") { pruned.await.unwrap(); }").is_empty(), "who builds it decides");
}
