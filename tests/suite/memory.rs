//! State in memory, files and sockets: the same service with one fact changed, and the verdict that must change with it.

use crate::tree::{Tree, with};

const HEAD: &str = r#"
use actix_web::{App, HttpResponse, HttpServer, get, post, web};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
"#;

const DEPENDENCIES: &[&str] = &[
    "actix",
    "actix-web",
    "actix-web-actors",
    "actix-multipart",
    "actix-governor",
    "sea-orm",
    "actix-ws",
    "aws-sdk-s3",
    "governor",
    "redis",
    "tokio",
    "reqwest",
];

fn tree(items: &str) -> Tree {
    Tree::service("harbour", DEPENDENCIES, format!("{HEAD}{items}"))
}

/// The ids of the rules that speak of a service with these items.
fn rules(items: &str) -> Vec<&'static str> {
    tree(items).rules()
}

/// The rules that speak of a service with these items, and of what.
fn found(items: &str) -> Vec<(&'static str, String)> {
    tree(items).understood().findings.into_iter().map(|f| (f.rule, f.symbol)).collect()
}

/// A service with this state, made so, whose `POST /berth/{n}` and `GET /berth/{n}` do this with `port` and `n`.
fn port(items: &str, made: &str, write: &str, read: &str) -> Vec<&'static str> {
    rules(&service(items, made, write, read))
}

fn service(items: &str, made: &str, write: &str, read: &str) -> String {
    format!(
        "{items}\n#[post(\"/berth/{{n}}\")] async fn enter(port: web::Data<Port>, n: web::Path<u32>, body: String) -> HttpResponse {{ {write} }}\n\
        #[get(\"/berth/{{n}}\")] async fn look(port: web::Data<Port>, n: web::Path<u32>) -> HttpResponse {{ {read} }}\n\
        #[actix_web::main] async fn main() -> std::io::Result<()> {{ let port = web::Data::new({made}); \
        HttpServer::new(move || App::new().app_data(port.clone()).service(enter).service(look)).bind(\"0.0.0.0:80\")?.run().await }}"
    )
}

const QUIET: &[&str] = &[];
const OK: &str = "HttpResponse::Ok().finish()";

#[test]
fn a_copy_of_the_senders_still_reaches_their_clients() {
    let state = "struct Port { horns: Mutex<Vec<mpsc::Sender<String>>> }";
    let join = "let (tx, rx) = mpsc::channel(4); port.horns.lock().unwrap().push(tx); HttpResponse::Ok().streaming(rx)";
    let send = |body: &str| format!("let horns = port.horns.lock().unwrap().clone(); {body} {OK}");
    let blow = send("for horn in &horns { horn.send(\"fog\".into()).await.ok(); }");
    let count = send("let n = horns.len(); log(n);");
    let made = "Port { horns: Mutex::new(Vec::new()) }";
    let log = "fn log(n: usize) { println!(\"{n}\"); }";
    assert_eq!(port(state, made, &blow, join), ["in-process-broadcast"]);
    assert_eq!(port(&format!("{state} {log}"), made, &count, join), QUIET, "a registry that nobody sends into");
}

#[test]
fn a_collection_that_is_handed_on_as_a_whole_is_read() {
    let state = "struct Port { berths: Mutex<HashMap<u32, String>> }";
    let made = "Port { berths: Mutex::new(HashMap::new()) }";
    let write = format!("port.berths.lock().unwrap().insert(*n, body); {OK}");
    let list = "let berths = &*port.berths.lock().unwrap(); HttpResponse::Ok().json(berths)";
    assert_eq!(port(state, made, &write, list), ["authoritative-memory"]);
    assert_eq!(port(state, made, &write, OK), QUIET, "written and never read");
}

#[test]
fn a_counter_registered_by_its_literal_is_the_one_that_handlers_name() {
    let service = |ty: &str| {
        format!(
            "#[get(\"/\")] async fn pass(n: web::Data<Mutex<{ty}>>) -> String {{ *n.lock().unwrap() += 1; format!(\"{{}}\", *n.lock().unwrap()) }}\n\
            #[actix_web::main] async fn main() -> std::io::Result<()> {{ let n = web::Data::new(Mutex::new(0)); \
            HttpServer::new(move || App::new().app_data(n.clone()).service(pass)).bind(\"0.0.0.0:80\")?.run().await }}"
        )
    };
    assert_eq!(rules(&service("usize")), ["authoritative-memory"]);
    assert_eq!(rules(&service("i64")), ["authoritative-memory"]);
}

#[test]
fn a_handle_of_a_task_is_no_data() {
    let made = "Port { last: Mutex::new(None) }";
    let read =
        "match port.last.lock().unwrap().as_ref() { Some(_) => HttpResponse::Ok().finish(), None => HttpResponse::NotFound().finish() }";
    let state = |ty: &str| format!("struct Port {{ last: Mutex<Option<{ty}>> }}");
    let keep = |value: &str| format!("*port.last.lock().unwrap() = Some({value}); {OK}");
    assert_eq!(port(&state("String"), made, &keep("body"), read), ["authoritative-memory"]);
    let handle = "tokio::spawn(async move { println!(\"{body}\"); })";
    assert_eq!(port(&state("tokio::task::JoinHandle<()>"), made, &keep(handle), read), QUIET);
}

#[test]
fn a_single_value_that_is_made_again_from_configuration_is_a_memo() {
    let state = "struct Port { chart: Mutex<Option<(String, Vec<u8>)>> }\nfn draw(scale: &str) -> Vec<u8> { scale.as_bytes().to_vec() }";
    let made = "Port { chart: Mutex::new(None) }";
    let chart = |scale: &str| {
        format!(
            "let scale = {scale}; let mut chart = port.chart.lock().unwrap(); \
            if let Some((old, drawn)) = &*chart && *old == scale {{ return HttpResponse::Ok().body(drawn.clone()); }} \
            let drawn = draw(&scale); *chart = Some((scale, drawn.clone())); HttpResponse::Ok().body(drawn)"
        )
    };
    let config = chart("std::env::var(\"SCALE\").unwrap_or_default()");
    assert_eq!(port(state, made, &config, OK), QUIET);
}

#[test]
fn a_limiter_of_one_connection_limits_nobody_else() {
    let quota = "governor::Quota::per_second(std::num::NonZeroU32::new(5).unwrap())";
    let limiter = format!("governor::RateLimiter::direct({quota})");
    let state = "struct Port { gate: u32 }";
    let own = format!("let gate = {limiter}; if gate.check().is_err() {{ return HttpResponse::TooManyRequests().finish(); }} {OK}");
    assert_eq!(port(state, "Port { gate: 1 }", &own, OK), QUIET);
    let start = format!("{{ let gate = {limiter}; Port {{ gate: 1 }} }}");
    assert_eq!(port(state, &start, OK, OK), ["local-rate-limit"]);
}

#[test]
fn operations_that_end_with_send_are_named_by_their_first_word() {
    let state = "struct Port { s3: aws_sdk_s3::Client }";
    let made = "Port { s3: aws_sdk_s3::Client::new(&aws_config::load_from_env().await) }";
    let task = |call: &str| {
        format!("let s3 = port.s3.clone(); actix_web::rt::spawn(async move {{ {call}.bucket(\"b\").key(\"k\").send().await.ok(); }}); {OK}")
    };
    assert_eq!(port(state, made, &task("s3.get_object()"), OK), QUIET);
    assert_eq!(port(state, made, &task("s3.put_object()"), OK), ["detached-task"]);
}

#[test]
fn a_copy_that_ages_is_not_missed_when_its_task_dies() {
    let state = "struct Port { redis: redis::aio::ConnectionManager }";
    let made = "Port { redis: redis::Client::open(\"redis://r\").unwrap().get_connection_manager().await.unwrap() }";
    let task =
        |call: &str| format!("let mut redis = port.redis.clone(); actix_web::rt::spawn(async move {{ redis.{call}.await.ok(); }}); {OK}");
    assert_eq!(port(state, made, &task("set_ex(*n, body, 60)"), OK), QUIET);
    assert_eq!(port(state, made, &task("xadd(\"log\", \"*\", &[(\"n\", *n)])"), OK), ["detached-task"]);
}

#[test]
fn a_file_that_is_only_opened_to_see_whether_that_works_is_not_written() {
    let state = "struct Port { log: String }";
    let open = "std::fs::OpenOptions::new().append(true).create(true).open(&port.log)";
    let probe = format!("if {open}.is_err() {{ return HttpResponse::BadRequest().finish(); }} {OK}");
    let write = format!("let mut log = {open}.unwrap(); std::io::Write::write_all(&mut log, body.as_bytes()).unwrap(); {OK}");
    assert_eq!(port(state, "Port { log: String::new() }", &probe, OK), QUIET);
    assert_eq!(port(state, "Port { log: String::new() }", &write, OK), ["local-file"]);
}

#[test]
fn an_actor_of_a_connection_goes_with_it() {
    let service = |context: &str, start: &str| {
        format!(
            "use actix::{{Actor, ActorContext, Addr, Context, Handler, Message, StreamHandler}};\nuse actix_web_actors::ws;\n\
            #[derive(Message)] #[rtype(result = \"Option<String>\")] struct Say(u32, Option<String>);\n\
            #[derive(Default)] struct Mate {{ said: HashMap<u32, String> }}\n\
            impl Actor for Mate {{ type Context = {context}; }}\n\
            impl Handler<Say> for Mate {{ type Result = Option<String>; fn handle(&mut self, m: Say, _: &mut Self::Context) -> Option<String> {{ \
            if let Some(text) = m.1 {{ self.said.insert(m.0, text); return None; }} let said = self.said.get(&m.0)?; Some(said.clone()) }} }}\n{start}"
        )
    };
    let main = "#[get(\"/\")] async fn say(mate: web::Data<Addr<Mate>>) -> HttpResponse { mate.send(Say(1, None)).await.ok(); HttpResponse::Ok().finish() }\n\
        #[actix_web::main] async fn main() -> std::io::Result<()> { let mate = Mate::default().start(); \
        HttpServer::new(move || App::new().app_data(web::Data::new(mate.clone())).service(say)).bind(\"0.0.0.0:80\")?.run().await }";
    let socket = "#[get(\"/\")] async fn say(r: actix_web::HttpRequest, s: web::Payload) -> Result<HttpResponse, actix_web::Error> { ws::start(Mate::default(), &r, s) }\n\
        #[actix_web::main] async fn main() -> std::io::Result<()> { HttpServer::new(|| App::new().service(say)).bind(\"0.0.0.0:80\")?.run().await }";
    assert_eq!(rules(&service("Context<Self>", main)), ["authoritative-memory"]);
    assert_eq!(rules(&service("ws::WebsocketContext<Self>", socket)), QUIET);
}

#[test]
fn values_behind_one_lock_are_one_finding_at_the_lock() {
    let clock = "#[derive(Default)] struct Mint { last: u64, turn: u64 }\n\
        impl Mint { fn next(&mut self) -> u64 { self.turn = self.turn + 1; self.last = self.turn; self.turn } }\n";
    let write = "let ticket_id = port.mint.lock().unwrap().next(); HttpResponse::Ok().json(ticket_id)";
    let state = format!("{clock}struct Port {{ mint: Mutex<Mint> }}");
    let one = [("local-sequence", "harbour::Port.mint".to_string())];
    assert_eq!(found(&service(&state, "Port { mint: Mutex::default() }", write, OK)), one);
    let state = format!(
        "{clock}static MINT: std::sync::LazyLock<Mutex<Mint>> = std::sync::LazyLock::new(Mutex::default);\nstruct Port {{ n: u32 }}"
    );
    let one = [("local-sequence", "harbour::MINT".to_string())];
    assert_eq!(found(&service(&state, "Port { n: 1 }", &write.replace("port.mint", "MINT"), OK)), one);
}

#[test]
fn numbers_that_refill_with_time_and_refuse_are_a_limit() {
    let bucket = |time: &str| {
        format!(
            "struct Bucket {{ {time} left: u64 }}\nimpl Bucket {{ fn take(&mut self) -> bool {{ \
            self.left = std::cmp::min(self.left + 1, 5); if self.left > 0 {{ self.left -= 1; true }} else {{ false }} }} }}\nstruct Port {{ bucket: Mutex<Bucket> }}"
        )
    };
    let write = format!("if !port.bucket.lock().unwrap().take() {{ return HttpResponse::TooManyRequests().finish(); }} {OK}");
    assert_eq!(
        port(&bucket("since: Instant,"), "Port { bucket: Mutex::new(Bucket { since: Instant::now(), left: 5 }) }", &write, OK),
        ["local-rate-limit"]
    );
}

#[test]
fn a_time_beside_a_value_is_its_age() {
    let state = "struct Pass { token: String, until: Instant }\nstruct Port { pass: RwLock<Pass>, http: reqwest::Client }";
    let made = "Port { pass: RwLock::new(Pass { token: String::new(), until: Instant::now() }), http: reqwest::Client::new() }";
    let write = |fresh: &str| {
        format!(
            "{{ let pass = port.pass.read().unwrap(); if {fresh} {{ return HttpResponse::Ok().body(pass.token.clone()); }} }} \
            let token = port.http.get(\"https://passes\").send().await.unwrap().text().await.unwrap(); \
            let mut pass = port.pass.write().unwrap(); pass.until = Instant::now() + Duration::from_secs(60); pass.token = token; HttpResponse::Ok().body(pass.token.clone())"
        )
    };
    assert_eq!(port(state, made, &write("pass.until.saturating_duration_since(Instant::now()).as_secs() > 0"), OK), QUIET);
}

#[test]
fn a_number_that_a_helper_stores_leaves_the_process() {
    let state = "struct Port { next: std::sync::atomic::AtomicU64, log: Mutex<HashMap<u64, String>>, db: redis::aio::ConnectionManager }\n\
        async fn book(db: &mut redis::aio::ConnectionManager, n: u64) { let _: () = redis::AsyncCommands::set(db, n, 1).await.unwrap(); }\n\
        fn show(n: u64) { println!(\"{n}\"); }";
    let made = "Port { next: Default::default(), log: Mutex::default(), db: todo!() }";
    let write = |then: &str| format!("let n = port.next.fetch_add(1, std::sync::atomic::Ordering::SeqCst); {then} {OK}");
    assert_eq!(port(state, made, &write("show(n);"), OK), QUIET);
    assert_eq!(port(state, made, &write("let mut db = port.db.clone(); db.set(n, 1).await.unwrap();"), OK), ["local-sequence"]);
    assert_eq!(port(state, made, &write("let mut db = port.db.clone(); insert(&mut db, n).await;"), OK), QUIET);
}

#[test]
fn plain_numbers_behind_a_shared_trait_are_state() {
    let state = "trait Tide: Send + Sync { fn level(&self) -> u32; fn rise(&mut self); }\nstruct Gauge { level: u32 }\n\
        impl Tide for Gauge { fn level(&self) -> u32 { self.level } fn rise(&mut self) { self.level += 1; } }\nstruct Port { tide: Arc<RwLock<dyn Tide>> }";
    let made = "Port { tide: Arc::new(RwLock::new(Gauge { level: 0 })) }";
    let rise = format!("port.tide.write().unwrap().rise(); {OK}");
    let read = "HttpResponse::Ok().json(port.tide.read().unwrap().level())";
    assert_eq!(port(state, made, &rise, read), ["authoritative-memory"]);
    assert_eq!(port(state, made, OK, read), QUIET);
}

#[test]
fn what_cannot_be_reached_through_a_lock_is_not_changed_by_exclusive_methods() {
    let state = |field: &str| {
        format!(
            "#[derive(Clone)] struct Pilot {{ careful: bool }}\nimpl Pilot {{ fn set(&mut self, on: bool) {{ self.careful = on; }} fn steer(&self) -> bool {{ if self.careful {{ true }} else {{ false }} }} }}\n\
            struct Port {{ pilot: {field} }}"
        )
    };
    let own = format!("let mut pilot = Pilot {{ careful: false }}; pilot.set(body.is_empty()); pilot.steer(); {OK}");
    let read = "if port.pilot.steer() { HttpResponse::Ok().finish() } else { HttpResponse::NotFound().finish() }";
    assert_eq!(port(&state("Arc<Pilot>"), "Port { pilot: Arc::new(Pilot { careful: true }) }", &own, read), QUIET);
    let locked = format!("port.pilot.lock().unwrap().set(body.is_empty()); {OK}");
    let read = read.replace("port.pilot", "port.pilot.lock().unwrap()");
    assert_eq!(port(&state("Mutex<Pilot>"), "Port { pilot: Mutex::new(Pilot { careful: true }) }", &locked, &read), ["local-setting"]);
}

#[test]
fn a_file_that_its_owner_removes_is_temporary() {
    let owner = |drop: &str| {
        format!(
            "struct Crate {{ path: String }}\n{drop}\nfn unload(n: u32, body: &str) -> Crate {{ let path = format!(\"crates/{{n}}\"); std::fs::write(&path, body).unwrap(); Crate {{ path }} }}\n\
            struct Port {{ n: u32 }}"
        )
    };
    let write = format!("let held = unload(*n, &body); weigh(&held.path); {OK}");
    let drop = "impl Drop for Crate { fn drop(&mut self) { std::fs::remove_file(&self.path).ok(); } }";
    assert_eq!(port(&owner(drop), "Port { n: 1 }", &write, OK), QUIET);
    assert_eq!(port(&owner(""), "Port { n: 1 }", &write, OK), ["local-file"]);
}

#[test]
fn a_file_that_its_owner_is_told_to_leave_stays() {
    let owner = |tell: &str| {
        format!(
            "struct Crate {{ path: String, sealed: bool }} impl Crate {{ fn seal(&mut self) {{ {tell} }} }}\n\
            impl Drop for Crate {{ fn drop(&mut self) {{ if !self.sealed {{ std::fs::remove_file(&self.path).ok(); }} }} }}\n\
            fn unload(n: u32, body: &str) -> Crate {{ let path = format!(\"crates/{{n}}\"); std::fs::write(&path, body).unwrap(); Crate {{ path, sealed: false }} }}\n\
            struct Port {{ n: u32 }}"
        )
    };
    let write = format!("let mut held = unload(*n, &body); held.seal(); {OK}");
    assert_eq!(port(&owner("self.sealed = true;"), "Port { n: 1 }", &write, OK), ["local-file"]);
    assert_eq!(port(&owner("println!(\"{}\", self.sealed);"), "Port { n: 1 }", &write, OK), QUIET);
}

#[test]
fn a_temporary_file_that_is_kept_lies_where_it_is_renamed_to() {
    let written = |then: &str| {
        let write = format!("let (_, path) = tempfile::NamedTempFile::new().unwrap().keep().unwrap();\n{then}\n{OK}");
        let tree = Tree::service("harbour", &["actix-web", "tempfile"], format!("{HEAD}{}", service("struct Port;", "Port", &write, OK)));
        tree.understood().findings.into_iter().map(|f| f.symbol.rsplit("::").next().unwrap().to_string()).collect::<Vec<String>>()
    };
    assert_eq!(written("std::fs::rename(path, format!(\"berths/{n}\")).unwrap();"), ["rename"]);
    assert_eq!(written("println!(\"{path:?}\");"), ["keep"]);
}

#[test]
fn an_upload_persisted_through_its_field_stays_on_this_disk() {
    let items = "use actix_multipart::form::{MultipartForm, tempfile::TempFile};\n#[derive(MultipartForm)] struct Cargo { files: Vec<TempFile> }\n\
        #[post(\"/cargo\")] async fn load(MultipartForm(cargo): MultipartForm<Cargo>) -> HttpResponse { for f in cargo.files { KEEP } HttpResponse::Ok().finish() }\n\
        #[actix_web::main] async fn main() -> std::io::Result<()> { HttpServer::new(|| App::new().service(load)).bind(\"0.0.0.0:80\")?.run().await }";
    assert_eq!(rules(&items.replace("KEEP", "f.file.persist(\"hold\").unwrap();")), ["local-file"]);
    assert_eq!(rules(&items.replace("KEEP", "println!(\"{:?}\", f.file.path());")), QUIET);
}

/// A service whose handlers ask a task for what it keeps, by commands; the task does this for `Ask::Enter`.
fn asked(enter: &str, made: &str) -> Vec<&'static str> {
    let items = format!(
        "use tokio::sync::oneshot;\n\
        enum Ask {{ Enter {{ n: u32, ship: String, done: oneshot::Sender<bool> }}, Look {{ n: u32, reply: oneshot::Sender<Option<String>> }} }}\n\
        struct Master {{ berths: HashMap<u32, String>, asks: mpsc::Receiver<Ask> }}\n\
        impl Master {{ async fn run(mut self) {{ while let Some(ask) = self.asks.recv().await {{ self.carry_out(ask) }} }}\n\
        fn carry_out(&mut self, ask: Ask) {{ match ask {{ \
        Ask::Enter {{ n, ship, done }} => {{ {enter} done.send(true).ok(); }} \
        Ask::Look {{ n, reply }} => {{ reply.send(self.berths.get(&n).cloned()).ok(); }} }} }} }}\n\
        struct Port {{ asks: mpsc::Sender<Ask> }}"
    );
    let write = format!(
        "let (done, rx) = oneshot::channel(); port.asks.send(Ask::Enter {{ n: *n, ship: body, done }}).await.ok(); rx.await.ok(); {OK}"
    );
    let read = "let (reply, rx) = oneshot::channel(); port.asks.send(Ask::Look { n: *n, reply }).await.ok(); \
        match rx.await.unwrap() { Some(ship) => HttpResponse::Ok().body(ship), None => HttpResponse::NotFound().finish() }";
    port(&items, made, &write, read)
}

#[test]
fn what_a_task_keeps_for_the_commands_of_requests_is_state() {
    let spawned = "{ let (tx, asks) = mpsc::channel(8); tokio::spawn(Master { berths: HashMap::new(), asks }.run()); Port { asks: tx } }";
    assert_eq!(asked("self.berths.insert(n, ship);", spawned), ["authoritative-memory"]);
    assert_eq!(asked("println!(\"{n} {ship}\");", spawned), QUIET, "nothing is kept");
    let elsewhere = "{ let (tx, asks) = mpsc::channel(8); std::mem::forget(asks); Port { asks: tx } }";
    assert_eq!(asked("self.berths.insert(n, ship);", elsewhere), QUIET, "nobody carries the commands out");
}

#[test]
fn a_loop_of_one_connection_keeps_what_goes_with_it() {
    let items = "enum Ask { Say(String) }\n\
        struct Talk { said: Vec<String>, asks: mpsc::Receiver<Ask> }\n\
        impl Talk { async fn run(mut self) { while let Some(Ask::Say(word)) = self.asks.recv().await { \
        self.said.push(word); println!(\"{}\", self.said.join(\" \")); } } }\n\
        struct Port { name: String }";
    let write = format!(
        "let (tx, asks) = mpsc::channel(8); tokio::spawn(Talk {{ said: Vec::new(), asks }}.run()); tx.send(Ask::Say(body)).await.ok(); {OK}"
    );
    assert_eq!(port(items, "Port { name: String::new() }", &write, OK), QUIET);
}

/// The initialiser of a static makes the channel, keeps the receiving end in a task of its own and gives the other one out.
#[test]
fn a_static_sender_with_a_worker_of_its_own_is_a_queue() {
    let code = "static TUGS: std::sync::LazyLock<mpsc::UnboundedSender<String>> = std::sync::LazyLock::new(|| {\n\
        let (tx, mut rx) = mpsc::unbounded_channel::<String>();\n\
        tokio::spawn(async move { while let Some(ship) = rx.recv().await { std::fs::write(\"/var/tugs\", ship).unwrap(); } }); tx });\n\
        #[post(\"/tug\")] async fn call(ship: web::Json<String>) -> String { TUGS.send(ship.into_inner()).unwrap(); String::new() }\n\
        fn main() { HttpServer::new(|| App::new().service(call)); }";
    assert!(rules(code).contains(&"in-process-queue"), "{:?}", rules(code));
    let idle = with(code, "std::fs::write(\"/var/tugs\", ship).unwrap();", "drop(ship);");
    assert!(rules(&idle).is_empty());
}
