//! One small service a rule, in four parts that a respelling can move and rewrite.
//!
//! All keep what the rule is about in the field `held` of `Desk`, and their handlers are called `act` and `look`.

pub struct Program {
    pub rule: &'static str,
    pub imports: &'static str,
    /// The type of `held`, as it stands in `state`.
    pub field: &'static str,
    pub state: &'static str,
    pub handlers: &'static str,
    /// What `held` is made of, as it stands in `start`.
    pub make: &'static str,
    pub start: &'static str,
    /// The changed fact: passages and what takes their place.
    pub twin: &'static [(&'static str, &'static str)],
    /// Why the twin is fine.
    pub because: &'static str,
}

impl Program {
    pub fn text(&self) -> String {
        [self.imports, self.state, self.handlers, self.start].join("\n")
    }
}

pub const PROGRAMS: &[Program] = &[
    LOCAL_SEQUENCE,
    IN_PROCESS_LOCK,
    LOCAL_FILE,
    LOCAL_SETTING,
    LOCAL_RATE_LIMIT,
    STALE_LOCAL_CACHE,
    MEMORY_SESSION_STORE,
    PER_INSTANCE_SECRET,
    WRITE_BUFFER,
    IN_PROCESS_BROADCAST,
    IN_PROCESS_QUEUE,
    EMBEDDED_DATABASE,
    DETACHED_TASK,
    UNELECTED_SCHEDULE,
];

const LOCAL_SEQUENCE: Program = Program {
    rule: "local-sequence",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::post};
use sqlx::PgPool;
use std::sync::{Arc, atomic::{AtomicI64, Ordering}};
"#,
    field: "Arc<AtomicI64>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: Arc<AtomicI64>,
    pub pool: PgPool,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, text: String) -> Result<String, StatusCode> {
    let number = desk.held.fetch_add(1, Ordering::SeqCst);
    let query = sqlx::query("INSERT INTO cases (number, body) VALUES ($1, $2)").bind(number).bind(text);
    query.execute(&desk.pool).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(number.to_string())
}
"#,
    make: "Arc::new(AtomicI64::new(1))",
    start: r#"
#[tokio::main]
async fn main() {
    let pool = PgPool::connect_lazy("postgres://desk").unwrap();
    let desk = Desk { held: Arc::new(AtomicI64::new(1)), pool };
    let app = Router::new().route("/cases", post(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[(
        "desk.held.fetch_add(1, Ordering::SeqCst);",
        "sqlx::query_scalar::<_, i64>(\"SELECT nextval('cases')\").fetch_one(&desk.pool).await.map_err(|_| StatusCode::BAD_GATEWAY)?;",
    )],
    because: "the database draws the number",
};

const IN_PROCESS_LOCK: Program = Program {
    rule: "in-process-lock",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::post};
use sqlx::PgPool;
use std::sync::Arc;
use tokio::sync::Mutex;
"#,
    field: "Arc<Mutex<()>>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: Arc<Mutex<()>>,
    pub pool: PgPool,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, Path(id): Path<i64>) -> Result<StatusCode, StatusCode> {
    let _guard = desk.held.lock().await;
    let query = sqlx::query_scalar::<_, i64>("SELECT seats FROM tables WHERE id = $1").bind(id);
    let seats = query.fetch_one(&desk.pool).await.map_err(|_| StatusCode::NOT_FOUND)?;
    if seats < 1 {
        return Err(StatusCode::CONFLICT);
    }
    let query = sqlx::query("UPDATE tables SET seats = $2 WHERE id = $1").bind(id).bind(seats - 1);
    query.execute(&desk.pool).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(StatusCode::CREATED)
}
"#,
    make: "Arc::new(Mutex::new(()))",
    start: r#"
#[tokio::main]
async fn main() {
    let pool = PgPool::connect_lazy("postgres://desk").unwrap();
    let desk = Desk { held: Arc::new(Mutex::new(())), pool };
    let app = Router::new().route("/tables/{id}", post(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[(
        "let _guard = desk.held.lock().await;",
        "let mut guard = desk.pool.begin().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let lock = sqlx::query(\"SELECT pg_advisory_xact_lock($1)\").bind(id);
    lock.execute(&mut *guard).await.map_err(|_| StatusCode::BAD_GATEWAY)?;",
    )],
    because: "the database holds the lock",
};

const LOCAL_FILE: Program = Program {
    rule: "local-file",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::put};
use std::path::PathBuf;
"#,
    field: "PathBuf",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: PathBuf,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, Path(id): Path<u32>, text: String) -> Result<StatusCode, StatusCode> {
    let path = desk.held.join(id.to_string());
    tokio::fs::write(path, text).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(StatusCode::CREATED)
}
"#,
    make: "PathBuf::from(\"/var/lib/desk\")",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: PathBuf::from("/var/lib/desk") };
    let app = Router::new().route("/letters/{id}", put(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[("tokio::fs::write(path, text)", "tokio::fs::read(path)")],
    because: "the file is only read",
};

const LOCAL_SETTING: Program = Program {
    rule: "local-setting",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::{get, put}};
use std::sync::{Arc, atomic::{AtomicBool, Ordering}};
"#,
    field: "Arc<AtomicBool>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: Arc<AtomicBool>,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, text: String) -> StatusCode {
    desk.held.store(text == "closed", Ordering::SeqCst);
    StatusCode::NO_CONTENT
}

pub async fn look(State(desk): State<Desk>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    if desk.held.load(Ordering::SeqCst) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(format!("letter {id}"))
}
"#,
    make: "Arc::new(AtomicBool::new(false))",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: Arc::new(AtomicBool::new(false)) };
    let app = Router::new().route("/closed", put(act)).route("/letters/{id}", get(look)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[("desk.held.store(text == \"closed\", Ordering::SeqCst);", "let _ = (desk, text);")],
    because: "no request changes the flag",
};

const LOCAL_RATE_LIMIT: Program = Program {
    rule: "local-rate-limit",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::post};
use dashmap::DashMap;
use std::{sync::Arc, time::{Duration, Instant}};
"#,
    field: "Arc<DashMap<u32, (Instant, u32)>>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: Arc<DashMap<u32, (Instant, u32)>>,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, Path(id): Path<u32>) -> Result<StatusCode, StatusCode> {
    let mut window = desk.held.entry(id).or_insert_with(|| (Instant::now(), 0));
    if window.0.elapsed() > Duration::from_secs(60) {
        *window = (Instant::now(), 0);
    }
    window.1 += 1;
    if window.1 > 5 {
        return Err(StatusCode::TOO_MANY_REQUESTS);
    }
    Ok(StatusCode::ACCEPTED)
}
"#,
    make: "Arc::new(DashMap::new())",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: Arc::new(DashMap::new()) };
    let app = Router::new().route("/bids/{id}", post(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[
        ("use dashmap::DashMap;", "use dashmap::DashMap;\nuse redis::AsyncCommands;"),
        ("    pub held: ", "    pub redis: redis::Client,\n    pub held: "),
        ("let desk = Desk { ", "let desk = Desk { redis: redis::Client::open(\"redis://desk\").unwrap(), "),
        (
            "    let mut window = desk.held.entry(id).or_insert_with(|| (Instant::now(), 0));
    if window.0.elapsed() > Duration::from_secs(60) {
        *window = (Instant::now(), 0);
    }
    window.1 += 1;
    if window.1 > 5 {",
            "    let mut redis = desk.redis.get_multiplexed_async_connection().await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let count: u32 = redis.incr(id, 1).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    let _: bool = redis.expire(id, 60).await.map_err(|_| StatusCode::BAD_GATEWAY)?;
    if count > 5 {",
        ),
    ],
    because: "Redis counts",
};

const STALE_LOCAL_CACHE: Program = Program {
    rule: "stale-local-cache",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::get};
use moka::future::Cache;
use sqlx::PgPool;
use std::time::Duration;
"#,
    field: "Cache<i64, String>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: Cache<i64, String>,
    pub pool: PgPool,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, Path(id): Path<i64>, text: String) -> Result<StatusCode, StatusCode> {
    let query = sqlx::query("UPDATE letters SET body = $2 WHERE id = $1").bind(id).bind(text);
    query.execute(&desk.pool).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    desk.held.invalidate(&id).await;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn look(State(desk): State<Desk>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    let load = sqlx::query_scalar("SELECT body FROM letters WHERE id = $1").bind(id).fetch_one(&desk.pool);
    desk.held.try_get_with(id, load).await.map_err(|_| StatusCode::NOT_FOUND)
}
"#,
    make: "Cache::builder().max_capacity(1_000).build()",
    start: r#"
#[tokio::main]
async fn main() {
    let pool = PgPool::connect_lazy("postgres://desk").unwrap();
    let desk = Desk { held: Cache::builder().max_capacity(1_000).build(), pool };
    let app = Router::new().route("/letters/{id}", get(look).put(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[("max_capacity(1_000)", "max_capacity(1_000).time_to_live(Duration::from_secs(5))")],
    because: "entries live for five seconds",
};

const MEMORY_SESSION_STORE: Program = Program {
    rule: "memory-session-store",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::get};
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};
"#,
    field: "MemoryStore",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: MemoryStore,
}
"#,
    handlers: r#"
pub async fn act(session: Session, text: String) -> Result<StatusCode, StatusCode> {
    session.insert("name", text).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::NO_CONTENT)
}

pub async fn look(session: Session) -> Result<String, StatusCode> {
    let name: Option<String> = session.get("name").await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    name.ok_or(StatusCode::UNAUTHORIZED)
}
"#,
    make: "MemoryStore::default()",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: MemoryStore::default() };
    let layer = SessionManagerLayer::new(desk.held.clone());
    let app = Router::new().route("/name", get(look).put(act)).layer(layer);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[
        ("use tower_sessions::{MemoryStore, ", "use tower_sessions_redis_store::{RedisStore, fred::prelude::Pool};\nuse tower_sessions::{"),
        ("MemoryStore::default()", "RedisStore::new(Pool::new(Default::default(), None, None, None, 6).unwrap())"),
        ("held: MemoryStore", "held: RedisStore<Pool>"),
    ],
    because: "sessions live in Redis",
};

const PER_INSTANCE_SECRET: Program = Program {
    rule: "per-instance-secret",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::{HeaderMap, StatusCode}, routing::get};
use axum_extra::extract::cookie::{Cookie, Key, PrivateCookieJar};
"#,
    field: "Key",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: Key,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, headers: HeaderMap, text: String) -> PrivateCookieJar {
    let jar = PrivateCookieJar::from_headers(&headers, desk.held.clone());
    jar.add(Cookie::new("name", text))
}

pub async fn look(State(desk): State<Desk>, headers: HeaderMap) -> Result<String, StatusCode> {
    let jar = PrivateCookieJar::from_headers(&headers, desk.held.clone());
    jar.get("name").map(|cookie| cookie.value().to_string()).ok_or(StatusCode::UNAUTHORIZED)
}
"#,
    make: "Key::generate()",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: Key::generate() };
    let app = Router::new().route("/name", get(look).put(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[("Key::generate()", "Key::from(std::env::var(\"COOKIE_KEY\").unwrap().as_bytes())")],
    because: "all instances are given the key",
};

const WRITE_BUFFER: Program = Program {
    rule: "write-buffer",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::post};
use sqlx::PgPool;
use std::{sync::{Arc, Mutex}, time::Duration};
"#,
    field: "Arc<Mutex<Vec<String>>>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: Arc<Mutex<Vec<String>>>,
    pub pool: PgPool,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, text: String) -> StatusCode {
    desk.held.lock().unwrap().push(text);
    StatusCode::ACCEPTED
}

pub async fn flush(desk: Desk) {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let rows = std::mem::take(&mut *desk.held.lock().unwrap());
        for row in rows {
            let _ = sqlx::query("INSERT INTO readings (body) VALUES ($1)").bind(row).execute(&desk.pool).await;
        }
    }
}
"#,
    make: "Arc::new(Mutex::new(Vec::new()))",
    start: r#"
#[tokio::main]
async fn main() {
    let pool = PgPool::connect_lazy("postgres://desk").unwrap();
    let desk = Desk { held: Arc::new(Mutex::new(Vec::new())), pool };
    tokio::spawn(flush(desk.clone()));
    let app = Router::new().route("/readings", post(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[
        ("    tokio::spawn(flush(desk.clone()));\n", ""),
        (
            "desk.held.lock().unwrap().push(text);",
            "let query = sqlx::query(\"INSERT INTO readings (body) VALUES ($1)\").bind(text);
    query.execute(&desk.pool).await.unwrap();",
        ),
    ],
    because: "each request stores its row itself",
};

const IN_PROCESS_BROADCAST: Program = Program {
    rule: "in-process-broadcast",
    imports: r#"
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::{Router, extract::{Path, State}, http::StatusCode, response::Response, routing::{get, post}};
use redis::AsyncCommands;
use tokio::sync::broadcast;
"#,
    field: "broadcast::Sender<String>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: broadcast::Sender<String>,
    pub redis: redis::Client,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, text: String) -> StatusCode {
    let _ = desk.held.send(text);
    StatusCode::ACCEPTED
}

pub async fn look(State(desk): State<Desk>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| forward(socket, desk.held.subscribe()))
}

async fn forward(mut socket: WebSocket, mut letters: broadcast::Receiver<String>) {
    while let Ok(text) = letters.recv().await {
        if socket.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}
"#,
    make: "broadcast::channel(64).0",
    start: r#"
#[tokio::main]
async fn main() {
    let redis = redis::Client::open("redis://bus").unwrap();
    let desk = Desk { held: broadcast::channel(64).0, redis };
    let app = Router::new().route("/letters", post(act)).route("/watch", get(look)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[
        (
            "let _ = desk.held.send(text);",
            "let mut bus = desk.redis.get_multiplexed_async_connection().await.unwrap();
    let _: () = bus.publish(\"letters\", text).await.unwrap();",
        ),
        (
            "    let app = ",
            "    let relay = desk.clone();
    tokio::spawn(async move {
        let mut bus = relay.redis.get_async_pubsub().await.unwrap();
        bus.subscribe(\"letters\").await.unwrap();
        let mut letters = bus.on_message();
        while let Some(letter) = letters.next().await {
            let _ = relay.held.send(letter.get_payload().unwrap());
        }
    });
    let app = ",
        ),
        ("use redis::AsyncCommands;", "use futures_util::StreamExt;\nuse redis::AsyncCommands;"),
    ],
    because: "letters travel over Redis to every instance",
};

const IN_PROCESS_QUEUE: Program = Program {
    rule: "in-process-queue",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::post};
use sqlx::PgPool;
use tokio::sync::mpsc;
"#,
    field: "mpsc::Sender<String>",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: mpsc::Sender<String>,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, text: String) -> Result<StatusCode, StatusCode> {
    desk.held.send(text).await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    Ok(StatusCode::ACCEPTED)
}

pub async fn work(pool: PgPool, mut letters: mpsc::Receiver<String>) {
    while let Some(text) = letters.recv().await {
        let _ = sqlx::query("INSERT INTO letters (body) VALUES ($1)").bind(text).execute(&pool).await;
    }
}
"#,
    make: "letters",
    start: r#"
#[tokio::main]
async fn main() {
    let pool = PgPool::connect_lazy("postgres://desk").unwrap();
    let (letters, queue) = mpsc::channel(64);
    tokio::spawn(work(pool, queue));
    let desk = Desk { held: letters };
    let app = Router::new().route("/letters", post(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[
        ("use tokio::sync::mpsc;", "use tokio::sync::{mpsc, oneshot};"),
        ("Sender<String>", "Sender<(String, oneshot::Sender<()>)>"),
        ("Receiver<String>", "Receiver<(String, oneshot::Sender<()>)>"),
        ("    desk.held.send(text)", "    let (done, stored) = oneshot::channel();\n    desk.held.send((text, done))"),
        ("Some(text)", "Some((text, done))"),
        (".execute(&pool).await;", ".execute(&pool).await;\n        let _ = done.send(());"),
        ("    Ok(StatusCode::ACCEPTED)", "    stored.await.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;\n    Ok(StatusCode::CREATED)"),
    ],
    because: "the answer waits until the letter is stored",
};

const EMBEDDED_DATABASE: Program = Program {
    rule: "embedded-database",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::get};
use sqlx::SqlitePool;
"#,
    field: "SqlitePool",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: SqlitePool,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, Path(id): Path<i64>, text: String) -> Result<StatusCode, StatusCode> {
    let query = sqlx::query("INSERT INTO letters (id, body) VALUES ($1, $2)").bind(id).bind(text);
    query.execute(&desk.held).await.map_err(|_| StatusCode::CONFLICT)?;
    Ok(StatusCode::CREATED)
}

pub async fn look(State(desk): State<Desk>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    let query = sqlx::query_scalar("SELECT body FROM letters WHERE id = $1").bind(id);
    query.fetch_one(&desk.held).await.map_err(|_| StatusCode::NOT_FOUND)
}
"#,
    make: "SqlitePool::connect_lazy(\"sqlite:desk.db\").unwrap()",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: SqlitePool::connect_lazy("sqlite:desk.db").unwrap() };
    let app = Router::new().route("/letters/{id}", get(look).put(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[("SqlitePool", "PgPool"), ("sqlite:desk.db", "postgres://desk")],
    because: "the rows live in a server that all instances share",
};

const DETACHED_TASK: Program = Program {
    rule: "detached-task",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::post};
"#,
    field: "reqwest::Client",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: reqwest::Client,
}
"#,
    handlers: r#"
pub async fn act(State(desk): State<Desk>, text: String) -> StatusCode {
    let task = tokio::spawn(deliver(desk.held.clone(), text));
    drop(task);
    StatusCode::ACCEPTED
}

async fn deliver(client: reqwest::Client, text: String) {
    if let Err(error) = client.post("http://mail/letters").body(text).send().await {
        eprintln!("no mail: {error}");
    }
}
"#,
    make: "reqwest::Client::new()",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: reqwest::Client::new() };
    let app = Router::new().route("/letters", post(act)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[("drop(task);", "task.await.unwrap();")],
    because: "the answer waits for the task",
};

const UNELECTED_SCHEDULE: Program = Program {
    rule: "unelected-schedule",
    imports: r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::get};
use sqlx::PgPool;
use std::time::Duration;
"#,
    field: "PgPool",
    state: r#"
#[derive(Clone)]
pub struct Desk {
    pub held: PgPool,
}
"#,
    handlers: r#"
pub async fn look(State(desk): State<Desk>, Path(id): Path<i64>) -> Result<String, StatusCode> {
    let query = sqlx::query_scalar("SELECT name FROM riders WHERE id = $1").bind(id);
    query.fetch_one(&desk.held).await.map_err(|_| StatusCode::NOT_FOUND)
}

pub async fn act(desk: Desk) -> sqlx::Result<()> {
    let paid = sqlx::query("UPDATE riders SET points = points + 10").execute(&desk.held).await?;
    println!("{} riders got their points", paid.rows_affected());
    Ok(())
}

pub async fn monthly(desk: Desk) {
    loop {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        let _ = act(desk.clone()).await;
    }
}
"#,
    make: "PgPool::connect_lazy(\"postgres://desk\").unwrap()",
    start: r#"
#[tokio::main]
async fn main() {
    let desk = Desk { held: PgPool::connect_lazy("postgres://desk").unwrap() };
    tokio::spawn(monthly(desk.clone()));
    let app = Router::new().route("/riders/{id}", get(look)).with_state(desk);
    axum::serve(tokio::net::TcpListener::bind("0.0.0.0:80").await.unwrap(), app).await.unwrap();
}
"#,
    twin: &[(
        "    let paid = ",
        "    let claim = sqlx::query(\"INSERT INTO months (month) VALUES (date_trunc('month', now())) ON CONFLICT DO NOTHING\");
    if claim.execute(&desk.held).await?.rows_affected() == 0 {
        return Ok(());
    }
    let paid = ",
    )],
    because: "a row of the month, of which there can be one, says who does it",
};
