//! What outlives a request is told by how each framework is given its state; each case has a twin in which one fact differs.

use crate::tree::{Tree, with};

/// The rules that a service with these dependencies and files below `src` breaks, sorted.
fn rules(dependencies: &[&str], files: &[(&str, &str)]) -> Vec<&'static str> {
    Tree::package("harbour", dependencies, files).rules()
}

#[test]
fn graphql_data_is_handed_out_by_its_type() {
    let kept = "use async_graphql::{Context, EmptySubscription, Object, Schema}; use std::sync::Mutex;\n\
        type Berths = Mutex<Vec<String>>; struct Query; struct Mutation;\n\
        #[Object] impl Query { async fn berths(&self, ctx: &Context<'_>) -> Vec<String> { ctx.data_unchecked::<Berths>().lock().unwrap().clone() } }\n\
        #[Object] impl Mutation { async fn moor(&self, ctx: &Context<'_>, ship: String) -> bool { ctx.data_unchecked::<Berths>().lock().unwrap().push(ship); true } }\n\
        fn main() { Schema::build(Query, Mutation, EmptySubscription).data(Berths::default()).finish(); }";
    assert_eq!(rules(&["async-graphql"], &[("main.rs", kept)]), ["authoritative-memory"]);
    let local = with(
        kept,
        "ctx.data_unchecked::<Berths>().lock().unwrap().push(ship)",
        "let berths = Berths::default(); berths.lock().unwrap().push(ship)",
    );
    assert!(rules(&["async-graphql"], &[("main.rs", &local)]).is_empty());
}

#[test]
fn tide_and_dropshot_requests_carry_the_state() {
    let tide = "use std::sync::{Arc, Mutex}; #[derive(Clone, Default)] struct Quay { ships: Arc<Mutex<Vec<String>>> }\n\
        fn main() { let mut app = tide::with_state(Quay::default());\n\
        app.at(\"/ships\").get(|req: tide::Request<Quay>| async move { Ok(req.state().ships.lock().unwrap().join(\",\")) });\n\
        app.at(\"/ships\").post(|mut req: tide::Request<Quay>| async move { let name = req.body_string().await?; req.state().ships.lock().unwrap().push(name); Ok(\"\") }); }";
    assert_eq!(rules(&["tide"], &[("main.rs", tide)]), ["authoritative-memory"]);
    assert!(rules(&["tide"], &[("main.rs", &with(tide, "req.state().ships.lock().unwrap().push(name);", "drop(name);"))]).is_empty());
    let alias = "use std::sync::{Arc, Mutex}; use tide::Request; type Ships = Arc<Mutex<Vec<String>>>;\n\
        async fn list(req: Request<Ships>) -> tide::Result<String> { Ok(req.state().lock().unwrap().join(\",\")) }\n\
        async fn moor(mut req: Request<Ships>) -> tide::Result<String> { let name = req.body_string().await?; req.state().lock().unwrap().push(name); Ok(String::new()) }\n\
        fn main() { let mut app = tide::with_state(Ships::default()); app.at(\"/ships\").get(list); app.at(\"/ships\").post(moor); }";
    assert_eq!(rules(&["tide"], &[("main.rs", alias)]), ["authoritative-memory"]);
    assert!(rules(&["tide"], &[("main.rs", &with(alias, "req.state().lock().unwrap().push(name);", "drop(name);"))]).is_empty());
    let dropshot = "use dropshot::{endpoint, RequestContext, TypedBody, HttpError, HttpResponseOk}; use std::sync::atomic::{AtomicU64, Ordering};\n\
        struct Quay { depth: AtomicU64 }\n\
        #[endpoint { method = GET, path = \"/depth\" }] async fn depth(ctx: RequestContext<Quay>) -> Result<HttpResponseOk<u64>, HttpError> { Ok(HttpResponseOk(ctx.context().depth.load(Ordering::SeqCst))) }\n\
        #[endpoint { method = PUT, path = \"/depth\" }] async fn sound(ctx: RequestContext<Quay>, body: TypedBody<u64>) -> Result<HttpResponseOk<()>, HttpError> { ctx.context().depth.store(body.into_inner(), Ordering::SeqCst); Ok(HttpResponseOk(())) }\n\
        fn main() {}";
    assert_eq!(rules(&["dropshot"], &[("main.rs", dropshot)]), ["authoritative-memory"]);
    let unset = with(dropshot, "ctx.context().depth.store(body.into_inner(), Ordering::SeqCst);", "drop((ctx, body));");
    assert!(rules(&["dropshot"], &[("main.rs", &unset)]).is_empty());
}

#[test]
fn a_warp_filter_hands_what_it_captured_to_the_handlers_behind_it() {
    let kept = "use std::{collections::HashMap, sync::{Arc, Mutex}}; use warp::Filter; type Ships = Arc<Mutex<HashMap<u32, String>>>;\n\
        fn with_ships(ships: Ships) -> impl Filter<Extract = (Ships,), Error = std::convert::Infallible> + Clone { warp::any().map(move || ships.clone()) }\n\
        fn main() { let ships = Ships::default();\n\
        let moor = warp::path!(\"ships\" / u32 / String).and(warp::post()).and(with_ships(ships.clone())).map(|id, name, ships: Ships| { ships.lock().unwrap().insert(id, name); \"\" });\n\
        let show = warp::path!(\"ships\" / u32).and(with_ships(ships)).map(|id, ships: Ships| ships.lock().unwrap().get(&id).cloned().unwrap());\n\
        warp::serve(moor.or(show)); }";
    assert_eq!(rules(&["warp"], &[("main.rs", kept)]), ["authoritative-memory"]);
    assert!(
        rules(&["warp"], &[("main.rs", &with(kept, "ships.lock().unwrap().insert(id, name);", "drop((id, name, ships));"))]).is_empty()
    );
}

/// Built before the loop it serves every connection, built after `accept` only one.
#[test]
fn what_is_made_for_each_connection_goes_with_it() {
    let loops = |before: &str, within: &str| {
        format!(
            "use std::sync::{{Arc, atomic::{{AtomicUsize, Ordering}}}}; use hyper::service::service_fn;\n\
             #[tokio::main] async fn main() {{ let listener = tokio::net::TcpListener::bind(\"0.0.0.0:80\").await.unwrap(); {before}\n\
             loop {{ let (stream, _) = listener.accept().await.unwrap(); {within} let seen = seen.clone();\n\
             let service = service_fn(move |_| {{ let count = seen.fetch_add(1, Ordering::SeqCst); async move {{ Ok::<_, ()>(format!(\"{{count}}\")) }} }});\n\
             hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await.unwrap(); }} }}"
        )
    };
    let made = "let seen = Arc::new(AtomicUsize::new(0));";
    assert_eq!(rules(&["hyper", "tokio"], &[("main.rs", &loops(made, ""))]), ["authoritative-memory"]);
    assert!(rules(&["hyper", "tokio"], &[("main.rs", &loops("", made))]).is_empty());
}

/// Two binaries include one module of tools: the one over stdio belongs to its client alone, the one with sessions does not.
#[test]
fn tools_are_judged_by_the_binary_that_serves_them() {
    let tools = "use rmcp::tool_router; use std::sync::{Arc, Mutex}; #[derive(Clone, Default)] pub struct Log { lines: Arc<Mutex<Vec<String>>> }\n\
        #[tool_router] impl Log { #[tool] async fn note(&self, text: String) { self.lines.lock().unwrap().push(text); }\n\
        #[tool] async fn read(&self) -> String { self.lines.lock().unwrap().join(\"\") } }";
    let stdio = "#[path = \"../log.rs\"] mod log; fn main() { rmcp::serve_server(log::Log::default(), rmcp::transport::stdio()); }";
    let http = "#[path = \"../log.rs\"] mod log; use rmcp::transport::streamable_http_server::{StreamableHttpService, session::local::LocalSessionManager};\n\
        fn main() { StreamableHttpService::new(|| Ok(log::Log::default()), LocalSessionManager::default().into(), Default::default()); }";
    assert!(rules(&["rmcp"], &[("log.rs", tools), ("bin/stdio.rs", stdio)]).is_empty());
    let both = rules(&["rmcp"], &[("log.rs", tools), ("bin/stdio.rs", stdio), ("bin/http.rs", http), ("bin/http2.rs", http)]);
    assert_eq!(both.iter().filter(|r| **r == "authoritative-memory").count(), 1, "a shared module is reported once");
}

#[test]
fn gotham_state_is_borrowed_by_its_type() {
    let kept = "use gotham::{prelude::*, state::State, middleware::state::StateMiddleware, pipeline::single_middleware}; use std::sync::{Arc, Mutex};\n\
        #[derive(Clone, StateData)] struct Tide { height: Arc<Mutex<u32>> }\n\
        fn raise(state: State) -> (State, String) { let tide = Tide::borrow_from(&state); let mut height = tide.height.lock().unwrap(); *height += 1; let text = height.to_string(); drop(height); (state, text) }\n\
        fn main() { let m = StateMiddleware::new(Tide { height: Arc::new(Mutex::new(0)) }); single_middleware(m);\n\
        gotham::router::build_simple_router(|route| { route.post(\"/\").to(raise); }); }";
    assert_eq!(rules(&["gotham"], &[("main.rs", kept)]), ["authoritative-memory"]);
    assert!(rules(&["gotham"], &[("main.rs", &with(kept, "*height += 1;", ""))]).is_empty());
}

/// A value that a handler puts into its request's storage goes with the request.
#[test]
fn what_a_request_injects_for_itself_is_no_state() {
    let own = "use salvo::prelude::*; use std::sync::Mutex; struct Cargo { crates: Mutex<Vec<String>> }\n\
        #[handler] async fn open(depot: &mut Depot) { depot.inject(Cargo { crates: Mutex::new(Vec::new()) }); }\n\
        #[handler] async fn load(depot: &mut Depot, req: &mut Request) -> String { let cargo = depot.obtain::<Cargo>().unwrap(); cargo.crates.lock().unwrap().push(req.uri().to_string()); cargo.crates.lock().unwrap().join(\"\") }\n\
        fn main() { Router::new().hoop(open).post(load); }";
    assert!(rules(&["salvo"], &[("main.rs", own)]).is_empty());
    let shared = with(own, ".hoop(open)", ".hoop(affix_state::inject(Cargo { crates: Mutex::new(Vec::new()) }))");
    let shared = with(&shared, "depot.inject(Cargo { crates: Mutex::new(Vec::new()) });", "");
    assert_eq!(rules(&["salvo"], &[("main.rs", &shared)]), ["authoritative-memory"]);
}

/// A trait that the tree implements for every list does not stand between a list and its own `push`.
#[test]
fn a_collections_own_methods_hide_those_of_blanket_impls() {
    let text = "use axum::{Router, extract::State, routing::get}; use std::sync::{Arc, Mutex};\n\
        trait Signal { fn push(&self, x: u8) {} fn join(&self, x: u8) {} } impl<T> Signal for T where T: Clone {}\n\
        type Log = Arc<Mutex<Vec<String>>>;\n\
        async fn show(State(log): State<Log>) -> String { log.lock().unwrap().join(\"\") } async fn add(State(log): State<Log>, line: String) { log.lock().unwrap().push(line); }\n\
        fn main() { Router::new().route(\"/\", get(show).post(add)).with_state(Log::default()); }";
    assert_eq!(rules(&["axum"], &[("main.rs", text)]), ["authoritative-memory"]);
}

#[test]
fn gotham_sessions_are_kept_in_memory_unless_a_back_end_is_given() {
    let code = "use gotham::middleware::session::{NewSessionMiddleware, SessionData}; use gotham::pipeline::{new_pipeline, single_pipeline}; use gotham::{router::builder::*, state::{FromState, State}};\n\
        fn berth(state: State) -> (State, String) { let seen = { let berth = SessionData::<u64>::borrow_mut_from(&mut state); *berth += 1; berth.to_string() }; (state, seen) }\n\
        fn main() { let sessions = NewSessionMiddleware::default().with_session_type::<u64>().insecure();\n\
        let (chain, pipelines) = single_pipeline(new_pipeline().add(sessions).build());\n\
        gotham::start(\"0.0.0.0:7878\", build_router(chain, pipelines, |route| { route.get(\"/berth\").to(berth); })).unwrap(); }";
    assert_eq!(rules(&["gotham"], &[("main.rs", code)]), ["memory-session-store"]);
    let shared = with(code, "NewSessionMiddleware::default()", "NewSessionMiddleware::new(harbour_redis::Sessions::from_env())");
    assert!(rules(&["gotham", "harbour-redis"], &[("main.rs", &shared)]).is_empty());
}

/// Outside of impls `self` stands only below an attribute that moves the function into one.
#[test]
fn a_method_may_be_written_beside_its_impl() {
    let code = "use axum::{Router, extract::State, routing::{get, put}}; use std::{collections::HashMap, sync::{Arc, Mutex}};\n\
        mod quay { use super::*; #[derive(Default)] pub struct Quay { ships: Mutex<HashMap<u32, String>> }\n\
        #[implement(Quay)] pub fn moor(&self, id: u32, name: String) { self.ships.lock().unwrap().insert(id, name); }\n\
        #[implement(Quay)] pub fn show(&self, id: u32) -> String { self.ships.lock().unwrap().get(&id).cloned().unwrap() } }\n\
        async fn moor(State(quay): State<Arc<quay::Quay>>, name: String) { quay.moor(1, name) }\n\
        async fn show(State(quay): State<Arc<quay::Quay>>) -> String { quay.show(1) }\n\
        fn main() { Router::new().route(\"/\", put(moor)).route(\"/\", get(show)).with_state(Arc::new(quay::Quay::default())); }";
    assert_eq!(rules(&["axum"], &[("main.rs", code)]), ["authoritative-memory"]);
    assert!(rules(&["axum"], &[("main.rs", &with(code, "#[implement(Quay)]", "#[implement(Pier)]"))]).is_empty());
}

#[test]
fn what_a_middleware_puts_into_the_request_goes_with_it() {
    let code = "use axum::{Extension, Router, extract::Request, middleware::{Next, from_fn}, response::Response, routing::{get, put}};\n\
        use std::{collections::HashMap, sync::{Arc, Mutex}}; #[derive(Default)] struct Fog { horns: Mutex<HashMap<String, String>> }\n\
        async fn around(mut request: Request, next: Next) -> Response { request.extensions_mut().insert(Arc::new(Fog::default())); next.run(request).await }\n\
        async fn sound(Extension(fog): Extension<Arc<Fog>>, ship: String) { fog.horns.lock().unwrap().insert(ship.clone(), ship); }\n\
        async fn hear(Extension(fog): Extension<Arc<Fog>>, ship: String) -> String { fog.horns.lock().unwrap().get(&ship).cloned().unwrap() }\n\
        fn main() { Router::new().route(\"/\", put(sound)).route(\"/\", get(hear)).layer(from_fn(around)); }";
    assert!(rules(&["axum"], &[("main.rs", code)]).is_empty());
    let kept = with(code, "request.extensions_mut().insert(Arc::new(Fog::default()));", "drop(&mut request);");
    let kept = with(&kept, ".layer(from_fn", ".layer(Extension(Arc::new(Fog::default()))).layer(from_fn");
    assert_eq!(rules(&["axum"], &[("main.rs", &kept)]), ["authoritative-memory"]);
}

/// What a crate nobody has described made up, and the next request must bring.
#[test]
fn entries_of_unknown_origin_whose_absence_is_refused_are_kept_for_somebody() {
    let code = "use async_graphql::{EmptySubscription, Object, Schema}; use std::{collections::HashMap, sync::{LazyLock, Mutex}};\n\
        static BOARDED: LazyLock<Mutex<HashMap<String, Order>>> = LazyLock::new(|| Mutex::new(HashMap::new()));\n\
        struct Order { seal: String } struct Query; struct Desk { slips: harbour_slips::Slips }\n\
        #[Object] impl Desk { async fn order(&self) -> bool { let (slip, seal) = self.slips.issue().parts();\n\
        BOARDED.lock().unwrap().insert(slip.into_secret(), Order { seal: seal.into_secret() }); true }\n\
        async fn board(&self, slip: String) -> Result<String, std::io::Error> {\n\
        match BOARDED.lock().unwrap().remove(&slip) { Some(order) => Ok(order.seal), None => return Err(std::io::Error::other(\"\")) } } }\n\
        fn main() { Schema::build(Query, Desk { slips: harbour_slips::Slips::new() }, EmptySubscription).finish(); }";
    assert_eq!(rules(&["async-graphql"], &[("main.rs", code)]), ["authoritative-memory"]);
    let constant =
        with(code, "slip.into_secret(), Order { seal: seal.into_secret() }", "\"slip\".to_string(), Order { seal: \"seal\".to_string() }");
    assert!(rules(&["async-graphql"], &[("main.rs", &constant)]).is_empty());
}
