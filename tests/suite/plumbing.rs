//! What only keeps a process going and is told to nobody, each beside its twin that is told.

use crate::precision::service;

fn numbers(record: &str, made: &str) -> Vec<&'static str> {
    let items = format!(
        "use std::sync::atomic::{{AtomicU64, Ordering}};\nstatic NEXT: AtomicU64 = AtomicU64::new(1);\n\
        {record} struct Visit {{ id: u64, ward: String }}\n\
        #[derive(Clone, Default)] struct App {{ open: Arc<Mutex<HashMap<u64, Visit>>> }}\n\
        async fn show() {{}}\n\
        async fn set(State(app): State<App>, Path(ward): Path<String>) {{ let id = NEXT.fetch_add(1, Ordering::Relaxed); {made} }}"
    );
    service(&items, "let app = App::default();", "app")
}

#[test]
fn a_number_by_which_only_this_process_knows_a_thing_is_no_sequence() {
    let kept = "let visit = Visit { id, ward }; let mut open = app.open.lock().unwrap(); open.insert(id, visit); open.remove(&id);";
    assert_eq!(numbers("", kept), [""; 0]);
    let sent = "let visit = Visit { id, ward }; reqwest::Client::new().post(\"http://a\").json(&visit).send().await.unwrap();";
    assert_eq!(numbers("#[derive(serde::Serialize)]", sent), ["local-sequence"]);
}

#[test]
fn a_flag_that_a_loop_keeps_for_its_next_round_is_no_setting() {
    let items = |asks: &str| {
        format!(
            "use std::sync::atomic::{{AtomicBool, Ordering}};\n#[derive(Clone, Default)] struct App {{ busy: Arc<AtomicBool> }}\n\
            async fn show(State(app): State<App>) -> StatusCode {{ {asks} StatusCode::OK }}\n\
            async fn set(State(app): State<App>, Path(on): Path<bool>) {{ app.busy.store(on, Ordering::Relaxed); }}"
        )
    };
    let closed = "if app.busy.load(Ordering::Relaxed) { return StatusCode::SERVICE_UNAVAILABLE; }";
    assert_eq!(service(&items(closed), "let app = App::default();", "app"), ["local-setting"]);
    let round = "if app.busy.load(Ordering::Relaxed) { app.busy.store(false, Ordering::Relaxed); }";
    let found = service(&items(round), "let app = App::default();", "app");
    assert!(!found.contains(&"local-setting"), "{found:?}");
}

#[test]
fn ways_to_peers_are_opened_again_and_what_they_bring_is_not() {
    let items = |held: &str| {
        format!(
            "#[derive(Clone)] struct Depot {{ {held} }}\n#[derive(Clone, Default)] struct App {{ depots: Arc<Mutex<HashMap<u32, Depot>>> }}\n\
            fn depot(note: String) -> Depot {{ todo!() }}\n\
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {{\n\
                let depot = app.depots.lock().unwrap().get(&id).cloned().ok_or(StatusCode::NOT_FOUND)?; Ok(depot.name) }}\n\
            async fn set(State(app): State<App>, Path(id): Path<u32>, note: String) {{ app.depots.lock().unwrap().insert(id, depot(note)); }}"
        )
    };
    assert_eq!(service(&items("name: String, way: reqwest::Client"), "let app = App::default();", "app"), [""; 0]);
    let kept = "name: String, notes: Vec<String>, way: reqwest::Client";
    assert_eq!(service(&items(kept), "let app = App::default();", "app"), ["authoritative-memory"]);
}

/// What has no lock of its own is changed through `&mut` alone: a builder of its own is no shared state.
#[test]
fn a_value_that_is_built_and_then_stored_is_not_the_one_that_is_shared() {
    let items = |write: &str| {
        format!(
            "#[derive(Clone, Default)] struct Menu {{ dishes: HashMap<u32, String>, at: u64 }}\n\
            impl Menu {{ fn add(&mut self, id: u32, dish: String) {{ self.dishes.insert(id, dish); }} }}\n\
            #[derive(Clone)] struct App {{ db: PgPool, menu: Arc<RwLock<Menu>> }}\n\
            async fn load(db: &PgPool) -> Menu {{ sqlx::query_as(\"SELECT * FROM menus\").fetch_one(db).await.unwrap() }}\n\
            async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {{\n\
                app.menu.read().unwrap().dishes.get(&id).cloned().ok_or(StatusCode::NOT_FOUND) }}\n\
            async fn set(State(app): State<App>, Path(id): Path<u32>, dish: String) {{ {write} }}"
        )
    };
    let start = "let app = App { db: PgPool::connect(\"a\").await.unwrap(), menu: Default::default() };";
    let built = "let mut menu = load(&app.db).await; menu.add(id, dish); \
        sqlx::query(\"UPDATE menus SET dishes = $1\").bind(menu.dishes.len() as i64).execute(&app.db).await.unwrap();";
    assert_eq!(service(&items(built), start, "app"), [""; 0]);
    assert_eq!(service(&items("app.menu.write().unwrap().add(id, dish);"), start, "app"), ["authoritative-memory"]);
}

#[test]
fn a_lock_that_was_poisoned_is_the_same_lock() {
    let items = "#[derive(Clone, Default)] struct App { rooms: Arc<Mutex<HashMap<u32, String>>> }
        fn open(rooms: &Mutex<HashMap<u32, String>>) -> std::sync::MutexGuard<'_, HashMap<u32, String>> {
            rooms.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) }
        async fn show(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {
            open(&app.rooms).get(&id).cloned().ok_or(StatusCode::NOT_FOUND) }
        async fn set(State(app): State<App>, Path(id): Path<u32>, body: String) { open(&app.rooms).insert(id, body); }";
    assert_eq!(service(items, "let app = App::default();", "app"), ["authoritative-memory"]);
}

#[test]
fn a_batch_that_goes_on_when_it_is_full_limits_nobody() {
    let items = |gathered: &str, full: &str| {
        format!(
            "struct Batch {{ {gathered}, size: usize, since: Instant }}\n#[derive(Clone)] struct App {{ batches: Arc<Mutex<HashMap<u32, Batch>>> }}\n\
            fn batch() -> Batch {{ todo!() }}\nasync fn show() {{}}\n\
            async fn set(State(app): State<App>, Path(id): Path<u32>, row: String) -> StatusCode {{\n\
                let mut batches = app.batches.lock().unwrap(); let batch = batches.entry(id).or_insert_with(batch);\n\
                batch.size += 1; {full} StatusCode::OK }}"
        )
    };
    let start = "let app = App { batches: Default::default() };";
    let refused = "if batch.size > 50 { return StatusCode::TOO_MANY_REQUESTS; }";
    assert_eq!(service(&items("seen: u32", refused), start, "app"), ["local-rate-limit"]);
    let flushed = "batch.rows.push(row); if batch.size > 50 { batch.rows.clear(); batch.size = 0; }";
    let found = service(&items("rows: Vec<String>", flushed), start, "app");
    assert!(!found.contains(&"local-rate-limit"), "{found:?}");
}

#[test]
fn a_limiter_that_is_waited_for_before_a_call_holds_back_what_is_sent() {
    let items = |asks: &str| {
        format!(
            "type Limiter = governor::RateLimiter<governor::state::NotKeyed, governor::state::InMemoryState, governor::clock::DefaultClock>;\n\
            #[derive(Clone)] struct App {{ limiter: Arc<Limiter>, maps: reqwest::Client }}\n\
            async fn set() {{}}\n\
            async fn show(State(app): State<App>) -> Result<String, StatusCode> {{ {asks}\n\
                Ok(app.maps.get(\"http://maps\").send().await.unwrap().text().await.unwrap()) }}"
        )
    };
    let start = "let limiter = Arc::new(governor::RateLimiter::direct(governor::Quota::per_second(std::num::NonZeroU32::MIN))); \
        let app = App { limiter, maps: reqwest::Client::new() };";
    assert_eq!(service(&items("app.limiter.until_ready().await;"), start, "app"), [""; 0]);
    let refused = "app.limiter.check().map_err(|_| StatusCode::TOO_MANY_REQUESTS)?;";
    assert_eq!(service(&items(refused), start, "app"), ["local-rate-limit"]);
}
