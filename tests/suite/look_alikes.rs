//! Memory of a process that no later request relies on, each beside its twin that one does.

use crate::precision::service;
use crate::tree::{self, Tree};

const QUIET: [&str; 0] = [];

#[test]
fn a_copy_is_not_the_original() {
    let items = |taken: &str, given: &str| {
        format!(
            "#[derive(Clone, Copy, Default)] struct Tide {{ mark: u32 }}
            #[derive(Clone)] struct App {{ tide: Arc<Mutex<Tide>> }}
            fn rise(mut tide: {taken}) {{ tide.mark += 1; }}
            async fn show(State(app): State<App>) -> String {{ let mark = app.tide.lock().unwrap().mark; format!(\"{{mark}}\") }}
            async fn set(State(app): State<App>) {{ rise({given}); }}"
        )
    };
    let state = "App { tide: Arc::default() }";
    assert_eq!(service(&items("Tide", "*app.tide.lock().unwrap()"), "", state), QUIET);
    assert_eq!(service(&items("&mut Tide", "&mut *app.tide.lock().unwrap()"), "", state), ["authoritative-memory"]);
}

#[test]
fn what_is_done_to_a_clone_of_data_stays_with_the_clone() {
    let items = |take: &str| {
        format!(
            "#[derive(Clone)] struct Room {{ note: String, beds: u32 }}
            #[derive(Clone)] struct App {{ rooms: Arc<Mutex<HashMap<u32, Room>>> }}
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {{
                app.rooms.lock().unwrap().get(&id).map(|r| r.note.clone()).ok_or(StatusCode::NOT_FOUND) }}
            async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) -> Result<(), StatusCode> {{
                let mut rooms = app.rooms.lock().unwrap();
                let {take}.ok_or(StatusCode::NOT_FOUND)?; room.note = body; println!(\"{{}}\", room.beds); Ok(()) }}"
        )
    };
    let state = "App { rooms: Arc::default() }";
    assert_eq!(service(&items("mut room = rooms.get(&id).cloned()"), "", state), QUIET);
    assert_eq!(service(&items("room = rooms.get_mut(&id)"), "", state), ["authoritative-memory"]);
}

const DRAWN: &str = "static DRAWN: std::sync::LazyLock<Mutex<std::collections::VecDeque<(u32, String)>>> = std::sync::LazyLock::new(Default::default);
    fn drawn(id: u32) -> Option<String> { DRAWN.lock().unwrap().iter().find(|(key, _)| *key == id).map(|(_, map)| map.clone()) }
    fn keep(id: u32, map: String) { let mut all = DRAWN.lock().unwrap(); if all.len() > 99 { all.pop_front(); } all.push_back((id, map)); }";

#[test]
fn what_a_get_makes_when_it_is_missing_is_a_cache() {
    let made = "async fn show(Path(id): Path<u32>) -> String {
            if let Some(map) = drawn(id) { return map; }
            let map = format!(\"<svg>{id}</svg>\"); keep(id, map.clone()); map }
        async fn set() {}";
    assert_eq!(service(&format!("{DRAWN} {made}"), "", "()"), QUIET);
    let brought = "async fn show(Path(id): Path<u32>) -> Result<String, StatusCode> {
            if let Some(map) = drawn(id) { return Ok(map); } Err(StatusCode::NOT_FOUND) }
        async fn set(Path(id): Path<u32>, body: String) { keep(id, body); }";
    assert_eq!(service(&format!("{DRAWN} {brought}"), "", "()"), ["authoritative-memory"]);
}

#[test]
fn whoever_asks_a_helper_decides_what_absence_means() {
    let items = |miss: &str| {
        format!(
            "#[derive(Clone)] struct App {{ db: PgPool, rooms: Arc<Mutex<HashMap<u32, String>>> }}
            fn find(app: &App, id: u32) -> Option<String> {{ match app.rooms.lock().unwrap().get(&id) {{ Some(room) => Some(room.clone()), None => None }} }}
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {{ match find(&app, id) {{ Some(room) => Ok(room), None => {miss} }} }}
            async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) {{ app.rooms.lock().unwrap().insert(id, body); }}"
        )
    };
    let (start, state) = ("let db = PgPool::connect(\"a\").await.unwrap();", "App { db, rooms: Arc::default() }");
    let load = "Ok(sqlx::query_scalar(\"SELECT name FROM rooms WHERE id = $1\").bind(id as i32).fetch_one(&app.db).await.unwrap())";
    assert_eq!(service(&items(load), start, state), QUIET);
    assert_eq!(service(&items("Err(StatusCode::NOT_FOUND)"), start, state), ["authoritative-memory"]);
}

#[test]
fn looking_again_before_keeping_what_was_loaded_claims_nothing() {
    let items = |value: &str| {
        format!(
            "#[derive(Clone)] struct App {{ db: PgPool, names: Arc<RwLock<HashMap<u32, String>>> }}
            async fn named(app: &App, id: u32, body: String) -> String {{
                let row: String = sqlx::query_scalar(\"SELECT name FROM rooms WHERE id = $1\").bind(id as i32).fetch_one(&app.db).await.unwrap();
                let mut names = app.names.write().unwrap(); if !names.contains_key(&id) {{ names.insert(id, {value}); }} row }}
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> String {{ named(&app, id, String::new()).await }}
            async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) -> String {{ named(&app, id, body).await }}"
        )
    };
    let (start, state) = ("let db = PgPool::connect(\"a\").await.unwrap();", "App { db, names: Arc::default() }");
    assert_eq!(service(&items("row.clone()"), start, state), QUIET);
    assert_eq!(service(&items("body"), start, state), ["authoritative-memory"]);
}

#[test]
fn pointers_that_keep_nothing_alive_are_no_home() {
    let items = |pointer: &str, given: &str, miss: &str| {
        format!(
            "struct Plan {{ text: String }}
            #[derive(Clone)] struct App {{ plans: Arc<Mutex<HashMap<u32, {pointer}<Plan>>>> }}
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {{
                let plan = app.plans.lock().unwrap().get(&id){miss}.ok_or(StatusCode::NOT_FOUND)?; Ok(plan.text.clone()) }}
            async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) {{
                let plan = Arc::new(Plan {{ text: body }}); app.plans.lock().unwrap().insert(id, {given}); work(plan).await; }}
            async fn work(plan: Arc<Plan>) {{}}"
        )
    };
    let state = "App { plans: Arc::default() }";
    assert_eq!(service(&items("std::sync::Weak", "Arc::downgrade(&plan)", ".and_then(|p| p.upgrade())"), "", state), QUIET);
    assert_eq!(service(&items("Arc", "plan.clone()", ".cloned()"), "", state), ["authoritative-memory"]);
}

#[test]
fn a_type_parameter_that_can_be_cloned_says_nothing_of_which_type_it_is() {
    let items = |bound: &str, call: &str, given: &str| {
        format!(
            "use std::sync::atomic::{{AtomicU32, Ordering}};
            trait Meter {{ fn count(&self); }}
            struct Turnstile {{ passed: AtomicU32 }}
            impl Clone for Turnstile {{ fn clone(&self) -> Self {{ self.passed.fetch_add(1, Ordering::Relaxed); Turnstile {{ passed: AtomicU32::new(0) }} }} }}
            impl Meter for Turnstile {{ fn count(&self) {{ self.passed.fetch_add(1, Ordering::Relaxed); }} }}
            #[derive(Clone)] struct App {{ gate: Arc<Turnstile>, names: Arc<Vec<String>> }}
            fn pass<T: {bound}>(given: &T) {{ given.{call}(); }}
            async fn show(State(app): State<App>) -> String {{ app.gate.passed.load(Ordering::Relaxed).to_string() }}
            async fn set(State(app): State<App>) {{ pass({given}); }}"
        )
    };
    let state = "App { gate: Arc::new(Turnstile { passed: AtomicU32::new(0) }), names: Arc::default() }";
    assert_eq!(service(&items("Clone", "clone", "&*app.names"), "", state), QUIET);
    assert_eq!(service(&items("Meter", "count", "&*app.gate"), "", state), ["authoritative-memory"]);
}

#[test]
fn a_number_that_only_says_when_to_tidy_up_is_told_to_nobody() {
    let items = |over: &str| {
        format!(
            "use std::sync::atomic::{{AtomicU32, Ordering}};\nstatic SINCE: AtomicU32 = AtomicU32::new(0);
            static NAMES: Mutex<Vec<String>> = Mutex::new(Vec::new());
            async fn show() {{}}
            async fn set() -> StatusCode {{ let n = SINCE.load(Ordering::Relaxed); SINCE.store(n + 1, Ordering::Relaxed); if n > 99 {{ {over} }} StatusCode::OK }}"
        )
    };
    assert_eq!(service(&items("SINCE.store(0, Ordering::Relaxed); NAMES.lock().unwrap().shrink_to_fit();"), "", "()"), QUIET);
    assert_eq!(service(&items("return StatusCode::TOO_MANY_REQUESTS;"), "", "()"), ["authoritative-memory"]);
}

#[test]
fn a_register_of_running_requests_ends_with_them() {
    let items = |shown: &str| {
        format!(
            "static RUNNING: std::sync::LazyLock<RwLock<HashMap<u32, Vec<String>>>> = std::sync::LazyLock::new(Default::default);
            async fn show(Path(id): Path<u32>) -> Result<String, StatusCode> {{ {shown} }}
            async fn set(Path(id): Path<u32>, body: String) {{
                RUNNING.write().unwrap().insert(id, vec![body]); tokio::time::sleep(Duration::from_secs(1)).await;
                if let Some(files) = RUNNING.write().unwrap().remove(&id) {{ println!(\"{{files:?}}\"); }} }}"
        )
    };
    assert_eq!(service(&items("Ok(String::new())"), "", "()"), QUIET);
    let read = "RUNNING.read().unwrap().get(&id).map(|f| f[0].clone()).ok_or(StatusCode::NOT_FOUND)";
    assert_eq!(service(&items(read), "", "()"), ["authoritative-memory"]);
}

#[test]
fn a_flag_that_is_put_back_by_asking_and_a_running_mean_are_no_settings() {
    let items = |set: &str, ask: &str| {
        format!(
            "use std::sync::atomic::{{AtomicBool, AtomicU64, Ordering}};\nstatic WET: AtomicBool = AtomicBool::new(false);
            static MEAN: AtomicU64 = AtomicU64::new(9);
            async fn show() -> StatusCode {{ if {ask} {{ return StatusCode::SERVICE_UNAVAILABLE; }} StatusCode::OK }}
            async fn set(Path(id): Path<u64>) -> StatusCode {{ {set} StatusCode::OK }}"
        )
    };
    let asked = "if WET.swap(false, Ordering::SeqCst) { return StatusCode::CONFLICT; }";
    assert_eq!(service(&items(asked, "WET.swap(false, Ordering::SeqCst)"), "", "()"), QUIET);
    assert_eq!(service(&items("WET.store(id > 3, Ordering::SeqCst);", "WET.load(Ordering::SeqCst)"), "", "()"), ["local-setting"]);
    let mean = "let old = MEAN.load(Ordering::Relaxed); MEAN.store((old * 9 + id) / 10, Ordering::Relaxed);";
    let beyond = "MEAN.load(Ordering::Relaxed) > 5";
    assert!(!service(&items(mean, beyond), "", "()").contains(&"local-setting"));
    assert_eq!(service(&items("MEAN.store(id, Ordering::Relaxed);", beyond), "", "()"), ["local-setting"]);
}

#[test]
fn entries_that_a_watcher_drops_are_corrected_and_not_flushed() {
    let items = |then: &str| {
        format!(
            "#[derive(Clone)] struct App {{ db: PgPool, notes: Arc<Mutex<HashMap<u32, String>>> }}
            async fn show() {{}}
            async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) {{ app.notes.lock().unwrap().insert(id, body); }}
            async fn tidy(app: App) {{ loop {{ tokio::time::sleep(Duration::from_secs(9)).await;
                let due: Vec<i32> = sqlx::query_scalar(\"SELECT id FROM moved\").fetch_all(&app.db).await.unwrap();
                for id in due {{ let note = app.notes.lock().unwrap().remove(&(id as u32)); {then}
                    sqlx::query(\"DELETE FROM moved WHERE id = $1\").bind(id).execute(&app.db).await.unwrap(); }} }} }}"
        )
    };
    let start =
        "let db = PgPool::connect(\"a\").await.unwrap(); let app = App { db, notes: Arc::default() }; tokio::spawn(tidy(app.clone()));";
    assert!(!service(&items(""), start, "app").contains(&"write-buffer"));
    let kept = "sqlx::query(\"UPDATE rooms SET note = $1 WHERE id = $2\").bind(note).bind(id).execute(&app.db).await.unwrap();";
    assert!(service(&items(kept), start, "app").contains(&"write-buffer"));
}

#[test]
fn an_answer_put_together_field_by_field_tells_what_its_fields_hold() {
    let items = |told: &str| {
        format!(
            "#[derive(Default, serde::Serialize)] struct Reply {{ seen: u32, name: String }}
            #[derive(Clone)] struct App {{ seen: Arc<Mutex<u32>> }}
            async fn show(State(app): State<App>) -> Json<Reply> {{ let mut reply = Reply::default(); {told} Json(reply) }}
            async fn set(State(app): State<App>) {{ *app.seen.lock().unwrap() += 1; }}"
        )
    };
    let state = "App { seen: Arc::default() }";
    assert_eq!(service(&items("reply.seen = *app.seen.lock().unwrap();"), "", state), ["authoritative-memory"]);
    assert_eq!(service(&items("println!(\"{}\", app.seen.lock().unwrap());"), "", state), QUIET);
}

const BOARD: &str = "use axum::{Router, extract::{Path, State}, http::StatusCode, routing::{get, put}};
    use std::{collections::HashMap, sync::{Arc, Mutex}};
    #[derive(Clone, Default)] pub struct App { pins: Arc<Mutex<HashMap<u32, String>>> }
    async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {
        app.pins.lock().unwrap().get(&id).cloned().ok_or(StatusCode::NOT_FOUND) }
    async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) { app.pins.lock().unwrap().insert(id, body); }
    pub fn router() -> Router { Router::new().route(\"/pins/{id}\", get(show)).route(\"/pins/{id}\", put(set)).with_state(App::default()) }
";

fn found(tree: &Tree) -> Vec<&'static str> {
    tree::rules(&tree.analyse().findings)
}

#[test]
fn a_service_on_a_socket_of_its_machine_has_no_second_instance() {
    let serve = |listener: &str| {
        let main = format!("#[tokio::main] async fn main() {{ let on = {listener}; axum::serve(on, router()).await.unwrap(); }}");
        found(&Tree::service("board", &["axum", "tokio"], format!("{BOARD}{main}")))
    };
    assert_eq!(serve("tokio::net::UnixListener::bind(\"/run/board\").unwrap()"), QUIET);
    assert_eq!(serve("tokio::net::TcpListener::bind(\"[::]:80\").await.unwrap()"), ["authoritative-memory"]);
    let either = "if local() { open(tokio::net::UnixListener::bind(\"/run/board\").unwrap()) } else { open(tokio::net::TcpListener::bind(\"[::]:80\").await.unwrap()) }";
    assert_eq!(serve(either), ["authoritative-memory"]);
}

#[test]
fn a_package_that_only_tests_need_is_not_served() {
    let main = format!(
        "{BOARD}#[tokio::main] async fn main() {{ axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), router()).await.unwrap(); }}"
    );
    let manifest = |name: &str, more: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\ntokio = \"1\"\n{more}"
        )
    };
    let at = |folder: &str| {
        let files = [
            ("Cargo.toml".to_owned(), manifest("app", "")),
            ("src/main.rs".to_owned(), "fn main() {}".to_owned()),
            (format!("{folder}/board/Cargo.toml"), manifest("board", "")),
            (format!("{folder}/board/src/main.rs"), main.clone()),
        ];
        found(&Tree::new(&files.each_ref().map(|(path, text)| (path.as_str(), text.as_str()))))
    };
    assert_eq!(at("tests"), QUIET);
    assert_eq!(at("services"), ["authoritative-memory"]);
    let used = |table: &str| {
        let files = [
            ("app/Cargo.toml".to_owned(), manifest("app", &format!("[{table}]\nboard = {{ path = \"../board\" }}"))),
            ("app/src/main.rs".to_owned(), "#[tokio::main] async fn main() { axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), board::router()).await.unwrap(); }".to_owned()),
            ("board/Cargo.toml".to_owned(), manifest("board", "")),
            ("board/src/lib.rs".to_owned(), BOARD.to_owned()),
        ];
        found(&Tree::new(&files.each_ref().map(|(path, text)| (path.as_str(), text.as_str()))))
    };
    assert_eq!(used("dev-dependencies"), QUIET);
    assert_eq!(used("dependencies.board]\npath = \"../board\"\n[features"), ["authoritative-memory"]);
}

#[test]
fn what_a_feature_for_tests_brings_is_not_served() {
    let gated = |gate: &str| {
        let main = format!(
            "#[cfg({gate})] mod board {{ {BOARD} }}
            #[tokio::main] async fn main() {{ #[cfg({gate})] axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), board::router()).await.unwrap(); }}"
        );
        found(&Tree::service("board", &["axum", "tokio"], main))
    };
    assert_eq!(gated("any(test, feature = \"mock-server\")"), QUIET);
    assert_eq!(gated("windows"), QUIET);
    assert_eq!(gated("feature = \"server\""), ["authoritative-memory"]);
    assert_eq!(gated("unix"), ["authoritative-memory"]);
}

#[test]
fn rows_that_a_pool_gives_are_not_in_the_pool() {
    let items = "#[derive(Clone)] struct Room { note: String }
        #[derive(Clone)] struct App { db: PgPool, note: Arc<Mutex<Room>> }
        async fn show(State(app): State<App>) -> String { let room = app.note.lock().unwrap().note.clone(); room }
        async fn set(State(app): State<App>, body: String) { let mut room: Room = app.db.get().await.unwrap(); room.note = body; }";
    let start = "let db = PgPool::connect(\"a\").await.unwrap();";
    let state = "App { db, note: Arc::new(Mutex::new(Room { note: String::new() })) }";
    assert_eq!(service(items, start, state), QUIET);
    let kept = items.replace("let mut room: Room = app.db.get().await.unwrap();", "let mut room = app.note.lock().unwrap();");
    assert_eq!(service(&kept, start, state), ["authoritative-memory"]);
}

#[test]
fn entries_that_carry_a_time_limit_nothing_by_themselves() {
    let items = |ask: &str| {
        format!(
            "struct Guest {{ calls: u32, last: Instant, here: bool }}
            #[derive(Clone)] struct App {{ guests: Arc<Mutex<HashMap<u32, Guest>>> }}
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {{
                match app.guests.lock().unwrap().get(&id) {{ Some(guest) => Ok(guest.calls.to_string()), None => Err(StatusCode::NOT_FOUND) }} }}
            async fn set(State(app): State<App>, Path(id): Path<u32>) -> StatusCode {{ let mut guests = app.guests.lock().unwrap();
                let guest = guests.entry(id).or_insert(Guest {{ calls: 0, last: Instant::now(), here: true }});
                {ask} guest.calls += 1; guest.last = Instant::now(); StatusCode::OK }}"
        )
    };
    let state = "App { guests: Arc::default() }";
    assert_eq!(service(&items(""), "", state), ["authoritative-memory"]);
    let limit = "if guest.last.elapsed() > Duration::from_secs(60) { guest.calls = 0; } if guest.calls > 9 { return StatusCode::TOO_MANY_REQUESTS; }";
    assert_eq!(service(&items(limit), "", state), ["local-rate-limit"]);
}

#[test]
fn a_function_that_is_handed_to_a_watcher_is_its_loop() {
    let items = |listen: &str| {
        format!(
            "use tokio::sync::mpsc; use std::future::Future;
            static NAMES: std::sync::LazyLock<RwLock<HashMap<u32, String>>> = std::sync::LazyLock::new(Default::default);
            async fn learn(id: u32, name: String) {{ NAMES.write().unwrap().insert(id, name); }}
            trait Coordinator {{ fn watch(&self) -> mpsc::Receiver<(u32, String)>; }}
            struct Nats; impl Coordinator for Nats {{ fn watch(&self) -> mpsc::Receiver<(u32, String)> {{ todo!() }} }}
            async fn watch<F: Fn(u32, String) -> W, W: Future<Outlearn = ()>>(on: &dyn Coordinator, learn: F) {{
                let mut events = on.watch(); loop {{ let Some((id, name)) = events.recv().await else {{ break }}; {listen} }} }}
            async fn show(Path(id): Path<u32>) -> Result<String, StatusCode> {{ NAMES.read().unwrap().get(&id).cloned().ok_or(StatusCode::NOT_FOUND) }}
            async fn set(Path(id): Path<u32>, body: String) {{ learn(id, body).await }}"
        )
    };
    let start = "let on: Box<dyn Coordinator> = todo!(); tokio::spawn(async move { watch(&*on, learn).await });";
    assert_eq!(service(&items("learn(id, name).await;"), start, "()"), QUIET);
    assert_eq!(service(&items("learn(id, name).await;"), "", "()"), ["authoritative-memory"]);
}

#[test]
fn a_counter_that_only_a_line_of_a_time_series_tells_is_measured() {
    let items = |frame: &str| {
        format!(
            "use std::sync::atomic::{{AtomicU64, Ordering}};
            static OPENED: AtomicU64 = AtomicU64::new(0);
            async fn show() -> String {{ let opened = OPENED.load(Ordering::Relaxed); format!(\"{frame}\") }}
            async fn set() {{ OPENED.fetch_add(1, Ordering::Relaxed); }}"
        )
    };
    assert_eq!(service(&items("gates opened={opened}u"), "", "()"), QUIET);
    assert_eq!(service(&items("The gates were opened {opened} times"), "", "()"), ["authoritative-memory"]);
}

#[test]
fn a_cache_that_ages_and_neither_answers_nor_refuses_is_no_home() {
    let garden = |life: &str, ask: &str| {
        let code = format!(
            r#"
use axum::{{Router, extract::Path, http::StatusCode, routing::get}};
use std::{{cmp::Ordering, sync::LazyLock, time::Duration}};
use moka::future::Cache;
#[derive(Clone)] struct Bed {{ turn: u32, crop: String }}
static BEDS: LazyLock<Cache<u32, Bed>> = LazyLock::new(|| Cache::builder().max_capacity(500){life}.build());
async fn keep(id: u32, bed: Bed) {{
    if let Some(old) = BEDS.get(&id).await {{
        match bed.turn.cmp(&old.turn) {{ Ordering::Less => return, _ => {{}} }}
    }}
    BEDS.insert(id, bed).await;
}}
async fn show(Path(id): Path<u32>) -> Result<String, StatusCode> {{ {ask} }}
async fn set(Path(id): Path<u32>, crop: String) {{ keep(id, Bed {{ turn: 1, crop }}).await }}
fn main() {{ let _service: Router = Router::new().route("/beds/{{id}}", get(show).put(set)); }}
"#
        );
        Tree::service("garden", &["axum", "moka"], code).rules()
    };
    let ages = ".time_to_live(Duration::from_secs(60))";
    assert_eq!(garden(ages, "Ok(String::new())"), QUIET);
    let shows = "BEDS.get(&id).await.map(|bed| bed.crop).ok_or(StatusCode::NOT_FOUND)";
    assert_eq!(garden(ages, shows), ["authoritative-memory"]);
    assert_eq!(garden("", "Ok(String::new())"), ["authoritative-memory"]);
}
