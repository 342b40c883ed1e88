//! Tasks, schedules and queues: the same service with one fact changed, and the verdict that must change with it.

use cargo_stateless::finding::Finding;

use crate::tree::Tree;

const HEAD: &str = r#"
use axum::{Json, Router, extract::State, routing::post};
use sqlx::PgPool;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, JoinSet};

async fn store(db: &PgPool, n: i64) { sqlx::query("INSERT INTO visits (n) VALUES ($1)").bind(n).execute(db).await.unwrap(); }
async fn fetch(db: &PgPool) -> i64 { sqlx::query_scalar("SELECT n FROM visits").fetch_one(db).await.unwrap() }
async fn bill(db: &PgPool) { let n = fetch(db).await; store(db, n).await; }
"#;

/// The ids of the rules on tasks, queues, schedules and files that speak of a service with these items.
fn rules(items: &str) -> Vec<&'static str> {
    let mine = ["detached-task", "in-process-queue", "unelected-schedule", "local-file"];
    findings(&format!("{HEAD}{items}")).into_iter().map(|f| f.rule).filter(|r| mine.contains(r)).collect()
}

/// What is found in a service with this `main.rs`.
fn findings(source: &str) -> Vec<Finding> {
    let dependencies = ["axum", "sqlx", "tokio", "reqwest", "scheduled-thread-pool", "futures", "flume", "rsa", "rand"];
    Tree::service("visits", &dependencies, source).understood().findings
}

/// A handler with this body, and helpers beside it.
fn handler(helpers: &str, body: &str) -> Vec<&'static str> {
    rules(&format!(
        "{helpers}\nstruct App {{ db: PgPool, shared: Mutex<JoinSet<()>>, pool: scheduled_thread_pool::ScheduledThreadPool }}\n\
        async fn visit(State(app): State<Arc<App>>) {{ let db = app.db.clone(); {body} }}\n\
        #[tokio::main] async fn main() {{ let app = Arc::new(App {{ db: PgPool::connect(\"a\").await.unwrap(), shared: Mutex::new(JoinSet::new()), \
        pool: scheduled_thread_pool::ScheduledThreadPool::new(2) }}); \
        let r = Router::new().route(\"/visit\", post(visit)).with_state(app); \
        axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
    ))
}

/// A loop of the background that does this each round.
fn each_round(helpers: &str, round: &str) -> Vec<&'static str> {
    rules(&format!(
        "{helpers}\nasync fn visit(State(db): State<PgPool>) {{}}\n\
        #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); let own = db.clone(); \
        tokio::spawn(async move {{ let db = own; loop {{ tokio::time::sleep(Duration::from_secs(60)).await; {round} }} }}); \
        let r = Router::new().route(\"/visit\", post(visit)).with_state(db); \
        axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
    ))
}

/// A queue of these items whose worker runs this on `item`.
fn queue(item: &str, make: &str, worker: &str) -> Vec<&'static str> {
    rules(&format!(
        "struct App {{ jobs: mpsc::Sender<{item}> }}\n\
        async fn visit(State(app): State<Arc<App>>) {{ {make} }}\n\
        #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); \
        let (jobs, mut rx) = mpsc::channel(8); \
        tokio::spawn(async move {{ while let Some(item) = rx.recv().await {{ {worker} }} }}); \
        let r = Router::new().route(\"/visit\", post(visit)).with_state(Arc::new(App {{ jobs }})); \
        axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
    ))
}

const TASK: &[&str] = &["detached-task"];
const QUIET: &[&str] = &[];

#[test]
fn a_task_is_detached_unless_somebody_waits_for_it() {
    assert_eq!(handler("", "tokio::spawn(async move { store(&db, 1).await });"), TASK);
    assert_eq!(handler("", "let _ = tokio::spawn(async move { store(&db, 1).await });"), TASK);
    assert_eq!(handler("", "let h = tokio::spawn(async move { store(&db, 1).await }); drop(h);"), TASK);
    assert_eq!(handler("", "let h = tokio::spawn(async move { store(&db, 1).await }); h.await.unwrap();"), QUIET);
    assert_eq!(handler("", "let h = tokio::spawn(async move { store(&db, 1).await }); let _ = tokio::join!(h);"), QUIET);
    assert_eq!(
        handler("fn start(db: PgPool) -> JoinHandle<()> { tokio::spawn(async move { store(&db, 1).await }) }", "start(db).await.unwrap();"),
        QUIET
    );
}

#[test]
fn a_task_that_only_reads_is_no_loss() {
    assert_eq!(handler("", "tokio::spawn(async move { fetch(&db).await; });"), QUIET);
}

#[test]
fn a_helper_that_runs_what_it_is_given_is_seen_through_whatever_the_type_is_called() {
    let body = "fire(async move { store(&db, 1).await });";
    assert_eq!(handler("fn fire(f: impl std::future::Future<Output = ()> + Send + 'static) { tokio::spawn(f); }", body), TASK);
    assert_eq!(
        handler(
            "fn fire<F>(f: F) where F: std::future::Future<Output = ()> + Send + 'static { tokio::spawn(async move { f.await }); }",
            body
        ),
        TASK
    );
    assert_eq!(
        handler("async fn fire(f: impl std::future::Future<Output = ()>) { f.await }", "fire(async move { store(&db, 1).await }).await;"),
        QUIET
    );
}

#[test]
fn delayed_work_and_shared_sets_are_tasks_too() {
    let post = "reqwest::blocking::Client::new().post(\"http://labels\").body(\"a\").send().unwrap();";
    let pool = &["detached-task", "in-process-queue"];
    assert_eq!(handler("", &format!("app.pool.execute_after(Duration::from_secs(3), move || {{ {post} }});")), pool);
    let get = "reqwest::blocking::Client::new().get(\"http://labels\").send().unwrap();";
    assert_eq!(handler("", &format!("app.pool.execute_after(Duration::from_secs(3), move || {{ {get} }});")), QUIET);
    assert_eq!(handler("", "app.shared.lock().unwrap().spawn(async move { store(&db, 1).await });"), TASK);
    assert_eq!(handler("", "let mut set = JoinSet::new(); set.spawn(async move { store(&db, 1).await }); set.join_next().await;"), QUIET);
}

#[test]
fn a_task_that_sends_its_result_back_is_waited_for() {
    let body =
        "let (tx, rx) = oneshot::channel(); tokio::spawn(async move { store(&db, 1).await; let _ = tx.send(1); }); rx.await.unwrap();";
    assert_eq!(handler("", body), QUIET);
}

#[test]
fn a_round_is_elected_by_a_claim_for_what_it_does() {
    const SCHEDULE: &[&str] = &["unelected-schedule"];
    assert_eq!(each_round("", "bill(&db).await;"), SCHEDULE);
    assert_eq!(each_round("", "fetch(&db).await;"), QUIET);
    let lock = "async fn lock(db: &PgPool) -> bool { sqlx::query_scalar(\"SELECT pg_try_advisory_lock(1)\").fetch_one(db).await.unwrap() }";
    assert_eq!(each_round(lock, "if lock(&db).await { bill(&db).await; }"), QUIET);
    let own = "async fn own(db: &PgPool) { let n: i64 = sqlx::query_scalar(\"SELECT n FROM a FOR UPDATE SKIP LOCKED\").fetch_one(db).await.unwrap(); store(db, n).await; }";
    assert_eq!(each_round(own, "own(&db).await;"), QUIET);
    assert_eq!(each_round(own, "own(&db).await; bill(&db).await;"), SCHEDULE);
}

#[test]
fn a_round_that_settles_is_the_same_however_many_do_it() {
    let run = |sql: &str| each_round("", &format!("sqlx::query(\"{sql}\").execute(&db).await.unwrap();"));
    assert_eq!(run("DELETE FROM visits WHERE at < now()"), QUIET);
    assert_eq!(run("UPDATE bans SET active = false WHERE active AND ends < now()"), QUIET);
    assert_eq!(run("INSERT INTO bills (cents) SELECT cents FROM due"), &["unelected-schedule"]);
}

#[test]
fn a_loop_that_ends_with_success_is_a_retry_and_one_that_is_told_to_stop_is_not() {
    assert_eq!(each_round("", "bill(&db).await; if fetch(&db).await > 3 { return; }"), QUIET);
    assert_eq!(each_round("", "for n in 0..3 { if n == 2 { break; } } bill(&db).await;"), &["unelected-schedule"]);
    let stop = "static STOP: std::sync::atomic::AtomicBool = std::sync::atomic::AtomicBool::new(false);";
    assert_eq!(each_round(stop, "if STOP.load(std::sync::atomic::Ordering::Relaxed) { break; } bill(&db).await;"), &["unelected-schedule"]);
}

#[test]
fn a_queue_matters_by_what_its_worker_does_and_what_the_sender_waits_for() {
    const QUEUE: &[&str] = &["in-process-queue"];
    assert_eq!(queue("i64", "app.jobs.send(3).await.unwrap();", "store(&db, item).await;"), QUEUE);
    assert_eq!(queue("i64", "app.jobs.send(3).await.unwrap();", "println!(\"{item}\");"), QUIET);
    assert_eq!(queue("()", "app.jobs.send(()).await.unwrap();", "bill(&db).await;"), QUIET);
    let asked = "let (tx, rx) = oneshot::channel(); app.jobs.send((3, tx)).await.unwrap(); rx.await.unwrap();";
    assert_eq!(queue("(i64, oneshot::Sender<i64>)", asked, "store(&db, item.0).await; let _ = item.1.send(1);"), QUIET);
}

#[test]
fn a_round_that_hands_over_what_requests_left_here_is_a_flush_and_no_schedule() {
    let run = |fill: &str| {
        rules(&format!(
            "struct App {{ db: PgPool, seen: Mutex<Vec<i64>> }}\n\
            async fn visit(State(app): State<Arc<App>>) {{ {fill} }}\n\
            #[tokio::main] async fn main() {{ \
            let app = Arc::new(App {{ db: PgPool::connect(\"a\").await.unwrap(), seen: Mutex::new(Vec::new()) }}); let own = app.clone(); \
            tokio::spawn(async move {{ loop {{ tokio::time::sleep(Duration::from_secs(60)).await; \
            let all = std::mem::take(&mut *own.seen.lock().unwrap()); for n in all {{ store(&own.db, n).await; }} }} }}); \
            let r = Router::new().route(\"/visit\", post(visit)).with_state(app); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        ))
    };
    assert_eq!(run("app.seen.lock().unwrap().push(1);"), QUIET);
    assert_eq!(run("println!(\"{}\", app.seen.lock().unwrap().len());"), &["unelected-schedule"]);
}

#[test]
fn a_queue_by_which_readers_have_a_copy_fetched_again_loses_nothing() {
    let run = |route: &str, worker: &str| {
        rules(&format!(
            "struct App {{ jobs: mpsc::Sender<String> }}\n\
            async fn visit(State(app): State<Arc<App>>, name: String) {{ app.jobs.send(name).await.unwrap(); }}\n\
            #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); let (jobs, mut rx) = mpsc::channel(8); \
            tokio::spawn(async move {{ while let Some(item) = rx.recv().await {{ {worker} store(&db, 1).await; }} }}); \
            let r = Router::new().route(\"/visit\", axum::routing::{route}(visit)).with_state(Arc::new(App {{ jobs }})); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        ))
    };
    let fetch = "let page = reqwest::get(item).await.unwrap();";
    assert_eq!(run("get", fetch), QUIET);
    assert_eq!(run("post", fetch), &["in-process-queue"]);
    assert_eq!(run("get", ""), &["in-process-queue"]);
}

#[test]
fn a_job_that_leaves_its_product_on_disk_and_says_so_to_all_is_a_local_file() {
    let claim = "let id: String = sqlx::query_scalar(\"SELECT id FROM plans FOR UPDATE SKIP LOCKED\").fetch_one(&db).await.unwrap(); ";
    let draw = "tokio::fs::write(format!(\"plans/{id}.svg\"), \"<svg/>\").await.unwrap(); ";
    let tell = "sqlx::query(\"UPDATE plans SET drawn = true WHERE id = $1\").bind(&id).execute(&db).await.unwrap(); ";
    let remove = "tokio::fs::remove_file(format!(\"plans/{id}.svg\")).await.unwrap(); ";
    let run = |parts: &[&str]| each_round("", &parts.concat());
    assert_eq!(run(&[claim, draw, tell]), &["local-file"]);
    assert_eq!(run(&[claim, draw, tell, remove]), QUIET);
    assert_eq!(run(&[claim, draw]), QUIET);
    assert_eq!(run(&[claim, &draw.replace("{id}", "board"), tell]), QUIET);
}

#[test]
fn a_refusal_may_be_held_by_a_variable() {
    let run = |hit: &str| {
        let source = format!(
            "{HEAD}struct App {{ seen: Mutex<std::collections::HashSet<String>> }}\n\
            async fn visit(State(app): State<Arc<App>>, key: String) -> axum::http::StatusCode {{ \
            if app.seen.lock().unwrap().contains(&key) {{ {hit} }} else {{ app.seen.lock().unwrap().insert(key); }} \
            axum::http::StatusCode::OK }}\n\
            #[tokio::main] async fn main() {{ \
            let r = Router::new().route(\"/visit\", post(visit)).with_state(Arc::new(App {{ seen: Default::default() }})); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        );
        findings(&source).into_iter().find(|f| f.rule == "authoritative-memory").is_some_and(|f| f.message.contains("lets it pass"))
    };
    assert!(run("let answer = axum::http::StatusCode::CONFLICT; return answer;"));
    assert!(!run("let answer = axum::http::StatusCode::OK; return answer;"));
}

#[test]
fn sql_that_a_helper_is_given_is_read_where_it_is_passed() {
    let run = |text: &str| {
        let helpers = "async fn run(db: &PgPool, sql: &str) { sqlx::query(sql).execute(db).await.unwrap(); }\n\
            async fn outer(db: &PgPool, sql: &str) { run(db, sql).await }";
        each_round(helpers, &format!("let sql = \"{text}\"; outer(&db, sql).await;"))
    };
    assert_eq!(run("DELETE FROM visits WHERE at < now()"), QUIET);
    assert_eq!(run("VACUUM visits"), QUIET);
    assert_eq!(run("INSERT INTO bills (cents) SELECT cents FROM due"), &["unelected-schedule"]);
}

/// `db.run(|conn| ..).await`: whether the helper waits for the thread, or its caller does, or nobody.
#[test]
fn work_that_a_helper_hands_over_is_awaited_where_its_handle_is() {
    let run = |helper: &str, call: &str| {
        let helper = format!(
            "fn again<T>(mut f: impl FnMut() -> T) -> T {{ f() }}\n\
            {helper}\nasync fn add(db: &PgPool, n: i64) {{ sqlx::query(\"INSERT INTO visits (n) VALUES ($1)\").bind(n).execute(db).await.unwrap(); }}"
        );
        handler(&helper, call)
    };
    let threads = |wait: &str, back: &str| {
        format!(
            "async fn run<F, T>(db: PgPool, f: F) {back} where F: FnMut(&PgPool) -> T + Send + 'static, T: Send + 'static {{ \
             tokio::task::spawn_blocking(move || {{ let mut f = f; again(|| f(&db)) }}){wait} }}"
        )
    };
    let work = "|db| futures::executor::block_on(add(db, 1))";
    assert_eq!(run(&threads(".await.unwrap()", "-> T"), &format!("run(db, {work}).await;")), QUIET);
    assert_eq!(run(&threads(";", ""), &format!("run(db, {work}).await;")), &["detached-task"]);
    let inner =
        threads(".await.unwrap();", "").replace("tokio::task::spawn_blocking(", "tokio::spawn(async move { tokio::task::spawn_blocking(");
    let inner = inner.replace(".await.unwrap();", ".await.unwrap(); });");
    assert_eq!(run(&inner, &format!("run(db, {work}).await;")), &["detached-task"], "nobody waits for the one that waits");
    let later = "struct Held { stop: std::pin::Pin<Box<dyn std::future::Future<Output = ()> + Send>> }\n\
        fn run<F>(f: F) -> Held where F: std::future::Future<Output = ()> + Send + 'static { let task = tokio::spawn(f); \
        Held { stop: Box::pin(async move { task.await.unwrap() }) } }";
    assert_eq!(run(later, "run(async move { add(&db, 1).await });"), &["detached-task"], "a future that may never run waits for nothing");
    let handle = "fn run<F>(f: F) -> JoinHandle<()> where F: std::future::Future<Output = ()> + Send + 'static { tokio::spawn(f) }";
    let work = "async move { add(&db, 1).await }";
    assert_eq!(run(handle, &format!("run({work}).await.unwrap();")), QUIET);
    assert_eq!(run(handle, &format!("let task = run({work}); task.await.unwrap();")), QUIET);
    assert_eq!(run(handle, &format!("run({work});")), &["detached-task"]);
}

#[test]
fn a_helper_that_repeats_what_it_is_given_makes_a_schedule_of_it() {
    let start = |wrapper: &str| {
        rules(&format!(
            "{wrapper}\nasync fn visit(State(db): State<PgPool>) {{}}\n\
            #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); let own = db.clone(); \
            every(Duration::from_secs(60), move || {{ let db = own.clone(); async move {{ bill(&db).await }} }}); \
            let r = Router::new().route(\"/visit\", post(visit)).with_state(db); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        ))
    };
    let head = "fn every<F, T>(period: Duration, work: F) where F: Fn() -> T + Send + 'static, T: std::future::Future<Output = ()> + Send";
    let repeated = format!("{head} {{ tokio::spawn(async move {{ loop {{ tokio::time::sleep(period).await; work().await; }} }}); }}");
    assert_eq!(start(&repeated), &["unelected-schedule"]);
    let inner = repeated.replace("fn every", "fn again");
    assert_eq!(start(&format!("{inner}\n{head} {{ again(period, work) }}")), &["unelected-schedule"]);
    assert_eq!(start(&format!("{head} {{ tokio::spawn(async move {{ tokio::time::sleep(period).await; work().await; }}); }}")), QUIET);
}

#[test]
fn a_loop_that_waits_for_items_is_no_schedule_however_it_retries() {
    let start = |wait: &str| {
        rules(&format!(
            "async fn visit(State(db): State<PgPool>) {{}}\n\
            #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); let own = db.clone(); \
            let (tx, mut rx) = mpsc::channel::<i64>(8); tx.send(1).await.unwrap(); \
            tokio::spawn(async move {{ loop {{ {wait} bill(&own).await; tokio::time::sleep(Duration::from_secs(1)).await; }} }}); \
            let r = Router::new().route(\"/visit\", post(visit)).with_state(db); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        ))
    };
    assert_eq!(start("let n = rx.recv().await;"), QUIET);
    assert_eq!(start("let n = rx.try_recv();"), &["unelected-schedule"]);
}

#[test]
fn the_elected_one_works_alone() {
    let raft = "struct Raft; impl Raft { async fn is_leader(&self) -> bool { true } async fn is_ready(&self) -> bool { true } }";
    assert_eq!(each_round(raft, "if !Raft.is_leader().await { continue; } bill(&db).await;"), QUIET);
    assert_eq!(each_round(raft, "if !Raft.is_ready().await { continue; } bill(&db).await;"), &["unelected-schedule"]);
}

#[test]
fn the_text_of_a_checked_query_is_not_the_name_of_its_row() {
    let row = "struct Due { id: i64 }";
    let take = |lock: &str| {
        let sql = format!("SELECT id FROM due WHERE at < now() LIMIT 1 {lock}");
        each_round(row, &format!("let due = sqlx::query_as!(Due, \"{sql}\").fetch_one(&db).await.unwrap(); store(&db, due.id).await;"))
    };
    assert_eq!(take("FOR UPDATE SKIP LOCKED"), QUIET);
    assert_eq!(take(""), &["unelected-schedule"]);
}

#[test]
fn rows_that_a_common_table_expression_marks_and_gives_back_are_taken() {
    let take = |guard: &str| {
        let sql = format!(
            "WITH due AS (SELECT id FROM visits WHERE told IS NULL LIMIT 9) \
            UPDATE visits SET told = now() FROM due WHERE visits.id = due.id {guard} RETURNING visits.id"
        );
        let mail = "reqwest::Client::new().post(\"http://mail\").body(id.to_string()).send().await.unwrap();";
        each_round("", &format!("let id: i64 = sqlx::query_scalar(\"{sql}\").fetch_one(&db).await.unwrap(); {mail}"))
    };
    assert_eq!(take("AND visits.told IS NULL"), QUIET);
    assert_eq!(take(""), &["unelected-schedule"]);
}

#[test]
fn a_future_in_a_variable_runs_where_it_is_handed_over() {
    let work = "let work = async move { store(&db, 1).await };";
    assert_eq!(handler("", &format!("{work} tokio::spawn(work);")), TASK);
    assert_eq!(handler("", &format!("{work} work.await;")), QUIET);
    assert_eq!(handler("", &format!("{work} if app.db.is_closed() {{ tokio::spawn(work); }} else {{ work.await; }}")), TASK);
    let start = |work: &str| {
        rules(&format!(
            "async fn visit(State(db): State<PgPool>) {{}}\n\
            #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); let own = db.clone(); \
            let work = async move {{ {work} }}; tokio::spawn(work); \
            let r = Router::new().route(\"/visit\", post(visit)).with_state(db); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        ))
    };
    assert_eq!(start("loop { tokio::time::sleep(Duration::from_secs(60)).await; bill(&own).await; }"), &["unelected-schedule"]);
    assert_eq!(start("tokio::time::sleep(Duration::from_secs(60)).await; bill(&own).await;"), QUIET);
}

#[test]
fn a_mark_that_is_made_when_the_work_is_done_keeps_nobody_from_doing_it() {
    let helpers = "async fn take(db: &PgPool, n: i64) -> bool { \
        sqlx::query_scalar::<_, i64>(\"UPDATE visits SET told = now() WHERE n = $1 AND told IS NULL RETURNING n\").bind(n).fetch_optional(db).await.unwrap().is_some() }\n\
        async fn tell(n: i64) { reqwest::Client::new().post(\"http://mail\").body(n.to_string()).send().await.unwrap(); }";
    assert_eq!(each_round(helpers, "let n = fetch(&db).await; if take(&db, n).await { tell(n).await; }"), QUIET);
    assert_eq!(
        each_round(helpers, "let n = fetch(&db).await; tell(n).await; if take(&db, n).await { println!(\"told\"); }"),
        &["unelected-schedule"]
    );
}

#[test]
fn a_command_that_ends_without_serving_is_no_start_of_the_service() {
    let run = |make: &str, serve: &str| {
        let source = format!(
            "{HEAD}async fn visit(State(db): State<PgPool>) {{ fetch(&db).await; }}\n\
            fn make() {{ let key = rsa::RsaPrivateKey::new(&mut rand::rng(), 2048).unwrap(); println!(\"{{key:?}}\"); }}\n\
            async fn serve() {{ let r = Router::new().route(\"/visit\", post(visit)).with_state(PgPool::connect(\"a\").await.unwrap()); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}\n\
            enum Command {{ Make, Serve }}\n\
            #[tokio::main] async fn main() {{ match command() {{ Command::Make => {{ {make} }} Command::Serve => {{ {serve} }} }} }}\n\
            fn command() -> Command {{ if std::env::args().count() > 1 {{ Command::Make }} else {{ Command::Serve }} }}"
        );
        findings(&source).into_iter().map(|f| f.rule).filter(|r| *r == "per-instance-secret").collect::<Vec<_>>()
    };
    assert_eq!(run("make();", "serve().await;"), QUIET);
    assert_eq!(run("println!();", "make(); serve().await;"), &["per-instance-secret"]);
    assert_eq!(run("make(); serve().await;", "serve().await;"), &["per-instance-secret"]);
}

#[test]
fn a_task_that_works_off_a_queue_of_its_own_is_a_task_like_any_other() {
    let fan_out = |sends: &str| {
        format!(
            "let (tx, rx) = flume::bounded::<reqwest::RequestBuilder>(2); \
            let helpers = (0..2).map(|_| {{ let rx = rx.clone(); async move {{ while let Ok(call) = rx.recv_async().await {{ {sends} }} }} }}); \
            tx.send_async(reqwest::Client::new().post(\"http://peers\")).await.unwrap(); futures::future::join_all(helpers).await;"
        )
    };
    let tell = |sends: &str| handler(&format!("async fn tell() {{ {} }}", fan_out(sends)), "tokio::spawn(async move { tell().await });");
    assert_eq!(tell("call.send().await.unwrap();"), TASK);
    assert_eq!(tell("println!(\"{call:?}\");"), QUIET);
}

#[test]
fn what_a_bound_of_a_type_parameter_calls_is_seen() {
    let visit = |body: &str| {
        let helpers = format!(
            "trait Keep {{ async fn keep(db: &PgPool, n: i64); }} struct Visit;\n\
            impl Keep for Visit {{ async fn keep(db: &PgPool, n: i64) {{ {body} }} }}\n\
            async fn note<T>(db: &PgPool) where T: Keep {{ T::keep(db, 1).await }}"
        );
        handler(&helpers, "tokio::spawn(async move { note::<Visit>(&db).await });")
    };
    assert_eq!(visit("store(db, n).await"), TASK);
    assert_eq!(visit("fetch(db).await;"), QUIET);
}

#[test]
fn files_on_ways_that_exclude_each_other_are_two() {
    let keep = |body: &str| handler(&format!("fn keep(scan: &str, at: Option<&str>) {{ {body} }}"), "keep(&body, None);");
    let two = keep(
        "match at { Some(from) => { std::fs::copy(from, \"scans/a\").unwrap(); } None => std::fs::write(\"scans/a\", scan).unwrap() }",
    );
    assert_eq!(two, ["local-file", "local-file"]);
    assert_eq!(keep("std::fs::write(\"scans/b\", scan).unwrap(); std::fs::copy(\"scans/b\", \"scans/a\").unwrap();"), ["local-file"]);
}

#[test]
fn a_type_that_a_macro_of_another_file_passes_on_is_seen() {
    let visits = |passed: &str| {
        rules(&format!(
            "partial!(struct Visits {{ n: i64 }} {passed});\nimpl Visits {{ async fn keep(&self, db: PgPool) {{ let n = self.n; tokio::spawn(async move {{ store(&db, n).await }}); }} }}\n\
            async fn visit(State(db): State<PgPool>, Json(visits): Json<Visits>) {{ visits.keep(db).await }}\n\
            #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); let r = Router::new().route(\"/visit\", post(visit)).with_state(db); \
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        ))
    };
    assert_eq!(visits(""), TASK);
    assert_eq!(visits(", \"PartialVisits\""), TASK);
}

#[test]
fn a_loop_that_begins_again_and_a_clean_up_by_age_lose_nothing() {
    let delete = |condition: &str| {
        format!(
            "tokio::spawn(async move {{ sqlx::query(\"DELETE FROM visits WHERE {condition}\").bind(3).execute(&db).await.unwrap(); }});"
        )
    };
    assert_eq!(handler("", &delete("made < now() - interval '9 days'")), [""; 0]);
    assert_eq!(handler("", &delete("n = $1")), ["detached-task"]);
    let round = "async fn rounds(db: PgPool) { loop { tokio::time::sleep(Duration::from_secs(9)).await; store(&db, 1).await; } }
        async fn once(db: PgPool) { tokio::time::sleep(Duration::from_secs(9)).await; store(&db, 1).await; }";
    assert!(!handler(round, "tokio::spawn(rounds(db));").contains(&"detached-task"));
    assert_eq!(handler(round, "tokio::spawn(once(db));"), ["detached-task"]);
}

#[test]
fn what_stands_before_a_loop_is_done_once() {
    let start = |before: &str, round: &str| {
        rules(&format!(
            "async fn visit(State(db): State<PgPool>) {{}}
            async fn keep(db: PgPool) {{ {before}
                loop {{
                    tokio::time::sleep(Duration::from_secs(60)).await;
                    {round}
                }}
            }}
            #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); tokio::spawn(keep(db.clone()));
            let r = Router::new().route(\"/visit\", post(visit)).with_state(db); axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        ))
    };
    assert_eq!(start("store(&db, 1).await;", "println!(\"hold\");"), [""; 0]);
    assert_eq!(start("println!(\"hold\");", "store(&db, 1).await;"), ["unelected-schedule"]);
}

#[test]
fn a_sign_of_life_and_a_row_taken_by_its_state_are_fine_from_any_instance() {
    let update = |set: &str| format!("sqlx::query(\"UPDATE leases SET {set} WHERE id = $1\").bind(3).execute(&db).await.unwrap();");
    assert_eq!(each_round("", &update("seen_at = now()")), [""; 0]);
    assert_eq!(each_round("", &update("fee = fee * 2")), ["unelected-schedule"]);
    let won = |test: &str| {
        format!(
            "let done = sqlx::query(\"UPDATE loans SET state = 'billed' WHERE id = $1 {test}\").bind(3).execute(&db).await.unwrap();
            if done.rows_affected() == 0 {{ continue; }} store(&db, 1).await;"
        )
    };
    assert_eq!(each_round("", &won("AND state = 'due'")), [""; 0]);
    assert_eq!(each_round("", &won("")), ["unelected-schedule"]);
}

#[test]
fn text_that_is_wrapped_for_the_store_is_the_same_text() {
    let run = |text: &str| format!("sqlx::query(sqlx::AssertSqlSafe(format!(\"{text} {{}}\", 3))).execute(&db).await.unwrap();");
    assert_eq!(each_round("", &run("REFRESH MATERIALIZED VIEW totals_")), [""; 0]);
    assert_eq!(each_round("", &run("INSERT INTO totals SELECT")), ["unelected-schedule"]);
    let session = |word: &str| format!("sqlx::query(\"SET {word} statement_timeout = '9s'\").execute(&db).await.unwrap();");
    assert_eq!(each_round("", &session("LOCAL")), [""; 0]);
}
