//! One cell, one finding: with a way from each entry point, for the weaker findings on it too, and pointing at its neighbours.

use std::collections::BTreeSet;

use cargo_stateless::analysis::{Analysis, AnalyzeOptions};
use cargo_stateless::config::Config;
use cargo_stateless::finding::{ChecklistItem, Finding};

use crate::tree::{Tree, fixture, rules};

const CRATES: &[&str] = &["axum", "tokio", "sqlx", "governor", "dashmap"];

fn findings(main: &str) -> Vec<Finding> {
    Tree::service("shop", CRATES, main).understood().findings
}

fn entries(finding: &Finding) -> BTreeSet<&str> {
    finding.witness.iter().flatten().filter_map(|step| step.entry.as_deref()).collect()
}

const HEAD: &str = "use axum::{Router, extract::{Path, State}, http::StatusCode, routing::{get, post}};\n\
    use std::{collections::HashMap, sync::{Arc, Mutex}};\n";

#[test]
fn each_entry_point_that_touches_a_cell_has_a_way_to_it() {
    let main = format!(
        "{HEAD}type Lots = Arc<Mutex<HashMap<u32, u32>>>;\n\
         async fn offer(State(l): State<Lots>, Path(id): Path<u32>) {{ l.lock().unwrap().insert(id, 1); }}\n\
         async fn raise(State(l): State<Lots>, Path(id): Path<u32>) {{ l.lock().unwrap().insert(id, id); }}\n\
         async fn close(State(l): State<Lots>, Path(id): Path<u32>) {{ l.lock().unwrap().remove(&id); }}\n\
         async fn show(State(l): State<Lots>, Path(id): Path<u32>) -> Result<String, StatusCode> {{ \
             l.lock().unwrap().get(&id).map(|p| p.to_string()).ok_or(StatusCode::NOT_FOUND) }}\n\
         async fn price(State(l): State<Lots>, Path(id): Path<u32>) -> Result<String, StatusCode> {{ \
             l.lock().unwrap().get(&id).map(|p| p.to_string()).ok_or(StatusCode::NOT_FOUND) }}\n\
         #[tokio::main] async fn main() {{ let r = Router::new().route(\"/offer\", post(offer)).route(\"/raise\", post(raise)) \
         .route(\"/close\", post(close)).route(\"/show\", get(show)).route(\"/price\", get(price)).with_state(Lots::default()); \
         axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
    );
    let found = findings(&main);
    assert_eq!(rules(&found), ["authoritative-memory"]);
    let all = BTreeSet::from(["POST /offer", "POST /raise", "POST /close", "GET /show", "GET /price"]);
    assert_eq!(entries(&found[0]), all);
    assert!(found[0].witness.len() <= 7, "the first shows all ends, the others a way each");
}

#[test]
fn a_limiter_speaks_for_the_map_that_holds_it() {
    let main = format!(
        "{HEAD}use governor::{{DefaultDirectRateLimiter, Quota, RateLimiter}};\n\
         type Limits = Arc<dashmap::DashMap<u32, Arc<RateLimiter<Direct, Memory, Clock>>>>;\n\
         async fn ask(State(l): State<Limits>, Path(id): Path<u32>) -> Result<(), StatusCode> {{ \
             let one = l.entry(id).or_insert_with(|| Arc::new(RateLimiter::direct(Quota::per_second(std::num::NonZeroU32::MIN)))).clone(); \
             if one.check().is_err() {{ return Err(StatusCode::TOO_MANY_REQUESTS) }} Ok(()) }}\n\
         async fn forgive(State(l): State<Limits>, Path(id): Path<u32>) -> Result<String, StatusCode> {{ \
             l.get(&id).map(|_| String::new()).ok_or(StatusCode::NOT_FOUND) }}\n\
         #[tokio::main] async fn main() {{ let r = Router::new().route(\"/ask\", post(ask)).route(\"/limit\", get(forgive)).with_state(Limits::default()); \
         axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
    );
    let found = findings(&main);
    assert_eq!(rules(&found), ["local-rate-limit"]);
    assert!(entries(&found[0]).contains("GET /limit"), "the ways to the map are its own: {:#?}", found[0].witness);
}

#[test]
fn a_queue_and_the_buffer_behind_it_point_at_each_other() {
    let found = analysed("write-buffer/report/heat-samples").findings;
    let of = |rule: &str| found.iter().find(|f| f.rule == rule).expect("both are found");
    let (queue, buffer) = (of("in-process-queue"), of("write-buffer"));
    assert!(queue.related.contains(&(buffer.rule.to_owned(), buffer.symbol.clone())), "{:?}", queue.related);
    assert!(buffer.related.contains(&(queue.rule.to_owned(), queue.symbol.clone())), "{:?}", buffer.related);
}

fn analysed(name: &str) -> Analysis {
    cargo_stateless::engine::analyze(&fixture(name), &Config::default(), &AnalyzeOptions::default()).expect("a tree")
}

/// What the checklist says of irreducible state in a fixture.
fn verdicts(name: &str) -> Vec<String> {
    let facts = analysed(name).checklist_facts;
    facts.into_iter().filter(|(item, _)| *item == ChecklistItem::Quarantine).map(|(_, fact)| fact).collect()
}

#[test]
fn undeclared_irreducible_state_has_a_verdict() {
    let says = |name: &str, words: &[&str]| {
        let facts = verdicts(&format!("unrecoverable-stream-state/{name}"));
        assert!(facts.iter().any(|fact| words.iter().all(|w| fact.contains(w))), "{name}: {facts:?}");
    };
    says("report/seat-dedupe", &["gathers what a consumer takes", "alone", "brought back by nothing"]);
    says("quiet/lorry-window-twin", &["gathers what a consumer takes", "recoverable"]);
    says("report/ferry-leader", &["says who leads", "own making"]);
}

#[test]
fn a_flag_that_follows_a_lease_is_judged_by_the_lease() {
    let service = |lease: &str, held: &str| {
        format!(
            "use axum::{{Router, extract::State, routing::get}};\nuse sqlx::PgPool;\n\
             use std::{{sync::{{Arc, atomic::{{AtomicBool, Ordering}}}}, time::Duration}};\n\
             async fn show(State(db): State<PgPool>) -> String {{ sqlx::query_scalar(\"SELECT n FROM visits\").fetch_one(&db).await.unwrap() }}\n\
             async fn campaign(lease: {lease}, leads: Arc<AtomicBool>) {{ loop {{ let held = {held}; leads.store(held, Ordering::SeqCst); \
             tokio::time::sleep(Duration::from_secs(5)).await; }} }}\n\
             async fn work(leads: Arc<AtomicBool>, db: PgPool) {{ loop {{ tokio::time::sleep(Duration::from_secs(60)).await; \
             if leads.load(Ordering::SeqCst) {{ sqlx::query(\"UPDATE visits SET n = n + 1\").execute(&db).await.unwrap(); }} }} }}\n\
             #[tokio::main] async fn main() {{ let db = PgPool::connect(\"a\").await.unwrap(); let leads = Arc::new(AtomicBool::new(false)); \
             tokio::spawn(campaign(todo!(), leads.clone())); tokio::spawn(work(leads, db.clone())); \
             let r = Router::new().route(\"/\", get(show)).with_state(db); \
             axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), r).await.unwrap(); }}"
        )
    };
    let found = |lease: &str, held: &str| {
        let tree = Tree::service("harbour", &["axum", "tokio", "sqlx", "kube-leader-election"], service(lease, held));
        tree.rules()
    };
    let library = found("kube_leader_election::LeaseLock", "lease.try_acquire_or_renew().await.is_ok_and(|l| l.acquired_lease)");
    assert!(library.is_empty(), "{library:?}");
    let statement = "UPDATE lease SET until = now() + interval '10s' WHERE until < now() RETURNING id";
    let own = found("PgPool", &format!("sqlx::query(\"{statement}\").fetch_optional(&lease).await.unwrap().is_some()"));
    assert_eq!(own, ["unrecoverable-stream-state"]);
    let nobody = found("PgPool", "lease.size() > 0");
    assert_eq!(nobody, ["unelected-schedule"]);
}

/// What a library keeps is shown where it is put to use, and where a request puts something in: taking it away says less.
#[test]
fn parts_of_libraries_are_shown_where_they_are_put_to_use() {
    let main = "use axum::{Router, routing::post}; use axum_extra::extract::cookie::{Cookie, Key, SignedCookieJar};\n\
        use tower_sessions::{MemoryStore, Session, SessionManagerLayer};\n\
        async fn leave(jar: SignedCookieJar) -> SignedCookieJar { jar.remove(\"table\") }\n\
        async fn sit(jar: SignedCookieJar, seat: String) -> SignedCookieJar { jar.add(Cookie::new(\"table\", seat)) }\n\
        async fn order(session: Session, dish: String) { session.insert(\"dish\", dish).await.unwrap(); }\n\
        fn main() {\n\
        let key = Key::generate();\n\
        let store = MemoryStore::default();\n\
        let layer = SessionManagerLayer::new(store);\n\
        let _service: Router = Router::new().route(\"/leave\", post(leave)).route(\"/sit\", post(sit)).route(\"/order\", post(order))\n\
        .layer(layer)\n\
        .with_state(key); }";
    let found = Tree::service("tavern", &["axum", "axum-extra", "tower-sessions"], main).understood().findings;
    let of = |rule: &str| found.iter().find(|f| f.rule == rule).map(|f| f.witness[0].iter().map(|s| s.location.line).collect::<Vec<_>>());
    assert_eq!(of("per-instance-secret"), Some(vec![7, 12, 4]), "made, put to use, written: {found:?}");
    assert_eq!(of("memory-session-store"), Some(vec![8, 9, 11, 5]), "made, put to use twice, written");
}
