//! How frameworks start, whom they accept, and what reaches their clients. Each case has a twin in which one fact differs.

use crate::tree::{Tree, with};

fn rules(dependencies: &[&str], main: &str) -> Vec<&'static str> {
    Tree::service("orchard", dependencies, main).rules()
}

/// A framework that calls a method of a trait before it serves: what that method starts runs in every instance.
#[test]
fn methods_that_start_a_service_are_start_up() {
    let bound = "use axum::{Router, routing::get}; struct Shop { db: sqlx::PgPool }\n\
        #[shuttle_runtime::main] async fn shuttle() -> Result<Shop, shuttle_runtime::Error> { Ok(Shop { db: sqlx::PgPool::connect(\"postgres://db\").await.unwrap() }) }\n\
        #[shuttle_runtime::async_trait] impl shuttle_runtime::Service for Shop { async fn bind(self, addr: std::net::SocketAddr) -> Result<(), shuttle_runtime::Error> {\n\
        let db = self.db.clone(); tokio::spawn(async move { loop { tokio::time::sleep(std::time::Duration::from_secs(60)).await; sqlx::query(\"INSERT INTO reminders (day) VALUES ($1)\").bind(1).execute(&db).await.ok(); } });\n\
        let app = Router::new().route(\"/\", get(|| async { \"\" })); axum::serve(tokio::net::TcpListener::bind(addr).await?, app).await?; Ok(()) } }";
    assert_eq!(rules(&["axum", "shuttle-runtime", "sqlx", "tokio"], bound), ["unelected-schedule"]);
    let unused = with(bound, "impl shuttle_runtime::Service for Shop", "impl Spare for Shop");
    assert!(rules(&["axum", "shuttle-runtime", "sqlx", "tokio"], &unused).is_empty(), "nobody calls it");
}

/// A stream of ticks that goes into a shared storage puts a job there from every instance.
#[test]
fn ticks_that_are_piped_into_a_storage_are_a_schedule() {
    let piped = "use apalis::prelude::*; use apalis_cron::{CronStream, Schedule}; use apalis_sql::postgres::PostgresStorage; use std::str::FromStr;\n\
        async fn remind(job: Reminder) { println!(\"{job:?}\"); } #[derive(Debug, Default)] struct Reminder;\n\
        #[tokio::main] async fn main() { let pool = sqlx::PgPool::connect(\"postgres://db\").await.unwrap(); let storage: PostgresStorage<Reminder> = PostgresStorage::new(pool);\n\
        let backend = CronStream::new(Schedule::from_str(\"* * * * * *\").unwrap()).pipe_to_storage(storage);\n\
        WorkerBuilder::new(\"reminders\").backend(backend).build_fn(remind).run().await; }";
    let crates = ["apalis", "apalis-cron", "apalis-sql", "sqlx", "tokio"];
    assert_eq!(rules(&crates, piped), ["unelected-schedule"]);
    let queue = with(piped, "CronStream::new(Schedule::from_str(\"* * * * * *\").unwrap()).pipe_to_storage(storage)", "storage");
    assert!(rules(&crates, &queue).is_empty(), "a queue hands out each job once");
}

/// An MCP server over SSE keeps the session of a client in the process that opened it, and its tools with it.
#[test]
fn mcp_over_sse_keeps_sessions() {
    let tools = "use rmcp::{tool, tool_router, transport::sse_server::{SseServer, SseServerConfig}}; use std::sync::Arc; use tokio::sync::Mutex;\n\
        #[derive(Clone, Default)] struct Basket { apples: Arc<Mutex<u32>> }\n\
        #[tool_router] impl Basket { #[tool] async fn add(&self) { *self.apples.lock().await += 1; } #[tool] async fn count(&self) -> String { format!(\"{}\", *self.apples.lock().await) } }\n\
        #[tokio::main] async fn main() { let (server, router) = SseServer::new(SseServerConfig { ..config() }); server.with_service(Basket::default); axum::serve(listener(), router).await; }";
    assert_eq!(rules(&["rmcp", "axum", "tokio"], tools), ["authoritative-memory", "memory-session-store"]);
    let stdio = with(
        tools,
        "let (server, router) = SseServer::new(SseServerConfig { ..config() }); server.with_service(Basket::default); axum::serve(listener(), router).await;",
        "Basket::default().serve(rmcp::transport::stdio()).await.unwrap().waiting().await;",
    );
    assert!(rules(&["rmcp", "axum", "tokio"], &stdio).is_empty());
}

const GUESTS: &str = "use axum::{Extension, Router, extract::{WebSocketUpgrade, ws::{Message, WebSocket}}, response::IntoResponse, routing::get}; use futures::{SinkExt, StreamExt};\n\
    use std::{sync::Arc, time::Duration}; use tokio::sync::{Mutex, watch};\n\
    struct Hall { guests: usize, news: watch::Receiver<Message> }\n\
    #[tokio::main] async fn main() { let (tx, news) = watch::channel(Message::Text(\"\".into())); let hall = Arc::new(Mutex::new(Hall { guests: 0, news })); let seen = hall.clone();\n\
    tokio::spawn(async move { loop { let text = format!(\"{} guests\", seen.lock().await.guests); if tx.send(Message::Text(text.into())).is_err() { break; } tokio::time::sleep(Duration::from_secs(5)).await; } });\n\
    let _: Router = Router::new().route(\"/hall\", get(enter)).layer(Extension(hall)); }\n\
    async fn enter(ws: WebSocketUpgrade, Extension(hall): Extension<Arc<Mutex<Hall>>>) -> impl IntoResponse { ws.on_upgrade(|socket| stay(socket, hall)) }\n\
    async fn stay(socket: WebSocket, hall: Arc<Mutex<Hall>>) { let (mut sender, mut receiver) = socket.split();\n\
    let mut news = { let mut hall = hall.lock().await; hall.guests += 1; hall.news.clone() };\n\
    tokio::spawn(async move { while news.changed().await.is_ok() { let text = news.borrow().clone(); if sender.send(text).await.is_err() { break; } } });\n\
    while let Some(Ok(_)) = receiver.next().await {} hall.lock().await.guests -= 1; }";

/// A count goes through a task and a channel to the clients: it is shown to them, though no handler reads it.
#[test]
fn a_total_that_a_task_sends_to_clients_is_shown() {
    assert_eq!(rules(&["axum", "futures", "tokio"], GUESTS), ["authoritative-memory"]);
    let logged = with(
        GUESTS,
        "let text = format!(\"{} guests\", seen.lock().await.guests);",
        "tracing::info!(\"{}\", seen.lock().await.guests); let text = String::new();",
    );
    assert!(rules(&["axum", "futures", "tokio"], &logged).is_empty());
}

/// Clients' sockets by what the crate hands out with them, and a register of structs that hold the way to a client.
#[test]
fn registers_of_clients_may_hold_them_in_structs() {
    let rooms = "use actix_web::{get, post, web, HttpRequest, HttpResponse}; use std::{collections::HashMap, sync::Mutex}; use tokio::sync::broadcast;\n\
        struct Room { topic: String, voices: broadcast::Sender<String> } #[derive(Default)] struct House { rooms: Mutex<HashMap<String, Room>> }\n\
        #[get(\"/rooms/{name}\")] async fn join(req: HttpRequest, body: web::Payload, name: web::Path<String>, house: web::Data<House>) -> actix_web::Result<HttpResponse> {\n\
        let (response, mut session, _stream) = actix_ws::handle(&req, body)?;\n\
        let mut heard = house.rooms.lock().unwrap().entry(name.into_inner()).or_insert_with(|| Room { topic: String::new(), voices: broadcast::channel(8).0 }).voices.subscribe();\n\
        actix_web::rt::spawn(async move { while let Ok(text) = heard.recv().await { session.text(text).await.ok(); } }); Ok(response) }\n\
        #[post(\"/rooms/{name}\")] async fn say(name: web::Path<String>, text: String, house: web::Data<House>) -> HttpResponse { if let Some(room) = house.rooms.lock().unwrap().get(name.as_str()) { room.voices.send(text).ok(); } HttpResponse::Ok().finish() }\n\
        fn main() { actix_web::App::new().app_data(web::Data::new(House::default())).service(join).service(say); }";
    assert!(rules(&["actix-web", "actix-ws", "tokio"], rooms).contains(&"in-process-broadcast"));
    let silent = with(rooms, "room.voices.send(text).ok();", "drop((text, &room.topic));");
    assert!(!rules(&["actix-web", "actix-ws", "tokio"], &silent).contains(&"in-process-broadcast"));
}

const DOOR: &str = "use jsonrpsee::server::{ConnectionState, ServerConfig, ws}; use std::{collections::HashSet, net::IpAddr, sync::{Arc, Mutex, atomic::{AtomicU32, Ordering}}};\n\
    #[derive(Clone, Default)] struct Door { number: Arc<AtomicU32>, barred: Arc<Mutex<HashSet<IpAddr>>> }\n\
    #[tokio::main] async fn main() { let listener = tokio::net::TcpListener::bind(\"0.0.0.0:80\").await.unwrap(); let door = Door::default();\n\
    loop { let (stream, peer) = listener.accept().await.unwrap(); let door = door.clone();\n\
    let service = tower::service_fn(move |request| { let Door { number, barred } = door.clone();\n\
    let refused = barred.lock().unwrap().contains(&peer.ip()); let state = ConnectionState::new(stop(), number.fetch_add(1, Ordering::SeqCst), permit());\n\
    async move { if refused { return Err(Refused); } if is_rude(&request) { barred.lock().unwrap().insert(peer.ip()); } ws::connect(request, ServerConfig::default(), methods(), state, rpc()).await } });\n\
    tokio::spawn(serve(stream, service)); } }";

/// What a struct holds that the service of each connection captures: its fields are cells of their own, and the number
/// by which the server's logs know a connection is no data.
#[test]
fn what_every_connection_captures_outlives_it() {
    let findings = Tree::service("orchard", &["jsonrpsee", "tower", "tokio"], DOOR).understood().findings;
    let symbols: Vec<(&str, &str)> = findings.iter().map(|f| (f.rule, f.symbol.rsplit("::").next().unwrap_or(""))).collect();
    assert_eq!(symbols, [("authoritative-memory", "Door.barred")]);
    let open = with(DOOR, "if is_rude(&request) { barred.lock().unwrap().insert(peer.ip()); }", "");
    assert!(rules(&["jsonrpsee", "tower", "tokio"], &open).is_empty());
}

/// A variable that is given something hands it on.
#[test]
fn a_response_is_made_step_by_step() {
    let counted = "use tide::{Middleware, Next, Request, Result}; use std::sync::{Arc, atomic::{AtomicUsize, Ordering}}; struct Number { last: Arc<AtomicUsize> }\n\
        #[tide::utils::async_trait] impl<State: Clone + Send + Sync + 'static> Middleware<State> for Number { async fn handle(&self, req: Request<State>, next: Next<'_, State>) -> Result {\n\
        let number = self.last.fetch_add(1, Ordering::SeqCst); let mut response = next.run(req).await; response.insert_header(\"number\", number.to_string()); Ok(response) } }\n\
        fn main() { let mut app = tide::new(); app.with(Number { last: Arc::default() }); app.at(\"/\").get(|_| async { Ok(\"\") }); }";
    assert_eq!(rules(&["tide"], counted).len(), 1);
    let logged = with(
        counted,
        "response.insert_header(\"number\", number.to_string());",
        "tracing::info!(\"{number}\"); response.insert_header(\"number\", \"1\");",
    );
    assert!(rules(&["tide"], &logged).is_empty());
}

/// The engine may be named by a type argument alone; a database in memory was not shipped with what is in it.
#[test]
fn sqlite_by_a_type_argument_or_in_memory() {
    let typed = "use axum::{Router, extract::State, routing::post}; use diesel::{RunQueryDsl, SqliteConnection, r2d2::{ConnectionManager, Pool}};\n\
        type Db = Pool<ConnectionManager<SqliteConnection>>;\n\
        async fn plant(State(db): State<Db>, sort: String) { diesel::insert_into(trees::table).values(trees::sort.eq(sort)).execute(&mut db.get().unwrap()).ok(); }\n\
        fn main() { let manager = ConnectionManager::<SqliteConnection>::new(std::env::var(\"DATABASE_URL\").unwrap());\n\
        let _: Router = Router::new().route(\"/trees\", post(plant)).with_state(Pool::builder().build(manager).unwrap()); }";
    assert_eq!(rules(&["axum", "diesel"], typed), ["embedded-database"]);
    assert!(rules(&["axum", "diesel"], &typed.replace("SqliteConnection", "PgConnection")).is_empty());
    let read = "use axum::{Router, extract::State, routing::get}; use sqlx::SqlitePool;\n\
        async fn count(State(db): State<SqlitePool>) -> String { sqlx::query_scalar::<_, i64>(\"SELECT count(*) FROM trees\").fetch_one(&db).await.unwrap().to_string() }\n\
        #[tokio::main] async fn main() { let db = SqlitePool::connect(\":memory:\").await.unwrap(); let _: Router = Router::new().route(\"/trees\", get(count)).with_state(db); }";
    assert_eq!(rules(&["axum", "sqlx", "tokio"], read), ["embedded-database"]);
    assert!(rules(&["axum", "sqlx", "tokio"], &with(read, ":memory:", "shipped/trees.db?mode=ro")).is_empty());
}

/// Claims that are written down twice under one name are the same; a key that is never checked here is another's.
#[test]
fn claims_may_be_declared_where_they_are_checked_too() {
    let issue = "use jsonwebtoken::{EncodingKey, Header, encode}; #[derive(serde::Serialize)] pub struct Claims { sub: String, exp: i64 }\n\
        fn sign(user: &str, secret: &str) -> String { let claims = Claims { sub: user.into(), exp: (chrono::Utc::now() + chrono::Duration::minutes(15)).timestamp() }; encode(&Header::default(), &claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap() }\n\
        pub async fn login(user: String) -> String { let secret = std::env::var(\"SECRET\").unwrap(); sign(&user, &secret) }";
    let check = "use jsonwebtoken::{DecodingKey, Validation, decode}; #[derive(serde::Deserialize)] pub struct Claims { sub: String, exp: i64 }\n\
        pub async fn whoami(token: String) -> String { let secret = std::env::var(\"SECRET\").unwrap(); decode::<Claims>(&token, &DecodingKey::from_secret(secret.as_bytes()), &Validation::default()).unwrap().claims.sub }";
    let main = "mod issue; mod check; use axum::{Router, routing::post}; fn main() { let _: Router = Router::new().route(\"/login\", post(issue::login)).route(\"/me\", post(check::whoami)); }";
    let found = |check: &str| {
        Tree::package("orchard", &["axum", "jsonwebtoken", "chrono"], &[("main.rs", main), ("issue.rs", issue), ("check.rs", check)])
            .rules()
    };
    assert!(found(check).contains(&"fixed-signing-key"));
    let other = with(check, "pub struct Claims", "pub struct Partner");
    let other = with(&other, "decode::<Claims>", "decode::<Partner>");
    assert!(!found(&other).contains(&"fixed-signing-key"));
}

/// A status by its number says no as well as one by its name.
#[test]
fn statuses_by_number_refuse() {
    let once = "use lambda_http::{Body, Error, Request, RequestExt, Response, run, service_fn}; use std::{collections::HashSet, sync::{Arc, Mutex}}; #[derive(Default)] struct Gate { seen: Mutex<HashSet<String>> }\n\
        async fn enter(gate: &Gate, request: Request) -> Result<Response<Body>, Error> { let ticket = request.query_string_parameters().first(\"ticket\").unwrap_or(\"\").to_string();\n\
        if gate.seen.lock().unwrap().contains(&ticket) { return Ok(Response::builder().status(409).body(\"\".into())?); }\n\
        gate.seen.lock().unwrap().insert(ticket); Ok(Response::builder().status(200).body(\"\".into())?) }\n\
        #[tokio::main] async fn main() -> Result<(), Error> { let gate = Arc::new(Gate::default()); run(service_fn(|request: Request| { let gate = gate.clone(); async move { enter(&gate, request).await } })).await }";
    assert_eq!(rules(&["lambda_http", "tokio"], once), ["authoritative-memory"]);
    assert!(rules(&["lambda_http", "tokio"], &with(once, "gate.seen.lock().unwrap().insert(ticket);", "drop(ticket);")).is_empty());
}

/// Traits that generated code declares need no attribute: their methods take the request of a call.
#[test]
fn grpc_services_are_known_by_their_calls() {
    let carts = "use poem_grpc::{Code, Request, Response, RouteGrpc, Status}; use std::{collections::HashMap, sync::Mutex}; poem_grpc::include_proto!(\"shop\");\n\
        #[derive(Default)] struct Carts { carts: Mutex<HashMap<String, Vec<String>>> }\n\
        impl Cart for Carts { async fn add(&self, call: Request<Item>) -> Result<Response<Added>, Status> { let item = call.into_inner(); self.carts.lock().unwrap().entry(item.user).or_default().push(item.name); Ok(Response::new(Added {})) }\n\
        async fn list(&self, call: Request<User>) -> Result<Response<Items>, Status> { let items = self.carts.lock().unwrap().get(&call.into_inner().user).cloned().ok_or_else(|| Status::new(Code::NotFound))?; Ok(Response::new(Items { items })) } }\n\
        fn main() { RouteGrpc::new().add_service(CartServer::new(Carts::default())); }";
    assert_eq!(rules(&["poem-grpc"], carts), ["authoritative-memory"]);
    assert!(
        rules(&["poem-grpc"], &with(carts, "self.carts.lock().unwrap().entry(item.user).or_default().push(item.name);", "drop(item);"))
            .is_empty()
    );
}

/// A list that is written out is read.
#[test]
fn what_is_formatted_is_shown() {
    let list = "use axum::{Router, extract::State, routing::post}; use std::sync::{Arc, Mutex}; #[derive(Clone, Default)] struct App { sorts: Arc<Mutex<Vec<String>>> }\n\
        async fn plant(State(app): State<App>, sort: String) -> String { let mut sorts = app.sorts.lock().unwrap(); sorts.push(sort); format!(\"{sorts:?}\") }\n\
        fn main() { let _: Router = Router::new().route(\"/\", post(plant)).with_state(App::default()); }";
    assert_eq!(rules(&["axum"], list), ["authoritative-memory"]);
    assert!(rules(&["axum"], &with(list, "format!(\"{sorts:?}\")", "String::new()")).is_empty());
}

/// What a loop over a socket does for whoever connects is not followed: saying nothing about it is no pass.
#[test]
fn connections_that_are_accepted_by_hand_are_not_assessed() {
    let status = |body: &str| {
        let code = format!(
            "use std::{{collections::HashMap, net::TcpListener, sync::Mutex}}; static BERTHS: Mutex<Option<HashMap<String, String>>> = Mutex::new(None);\n\
             fn main() {{ let listener = TcpListener::bind(\"0.0.0.0:7000\").unwrap(); {body} }}"
        );
        let clinic = "use axum::{Router, routing::get}; async fn show() -> String { String::new() } fn main() { Router::new().route(\"/\", get(show)); }";
        let tree = Tree::new(&[
            ("Cargo.toml", "[workspace]\nmembers = [\"quay\", \"clinic\"]\n".to_string()),
            ("quay/Cargo.toml", crate::tree::manifest("quay", &[])),
            ("quay/src/main.rs", code),
            ("clinic/Cargo.toml", crate::tree::manifest("clinic", &["axum"])),
            ("clinic/src/main.rs", clinic.to_string()),
        ]);
        let report = crate::tree::report(tree.path(), &[]);
        let items = report["checklist"].as_array().unwrap().clone();
        let item = items.into_iter().find(|item| item["item"] == "instance-kill").unwrap();
        item["status"].as_str().unwrap().to_string()
    };
    assert_eq!(status("loop { let (stream, peer) = listener.accept().unwrap(); drop((stream, peer)); }"), "not-assessed");
    assert_eq!(status("drop(listener);"), "pass");
}
