//! Conversations with clients that are connected: the same loop with one fact changed, and the verdict that must change with it.

use crate::tree::{self, Tree};

/// A socket that tells water levels. `{hello}` is said first, `{made}` is what the task keeps, `{level}` is done with each level and
/// `{asked}` with each position that the client asks for.
const FEED: &str = r#"
use axum::{Router, extract::{State, ws::{Message, WebSocket, WebSocketUpgrade}}, response::Response, routing::get};
use std::collections::{HashSet, VecDeque};
use sqlx::PgPool;
use tokio::sync::broadcast;
use uuid::Uuid;
#[derive(Clone)] struct Gauge { levels: broadcast::Sender<f64>, db: PgPool }
#[derive(serde::Deserialize)] enum Asked { Position { after: u64 }, Topic { name: String }, Ping }
#[derive(serde::Serialize)] enum Told { Hello { session: Uuid }, Ready, Level { number: u64, level: f64 } }
async fn say(socket: &mut WebSocket, told: &Told) { socket.send(Message::Text(serde_json::to_string(told).unwrap().into())).await.unwrap(); }
async fn talk(mut socket: WebSocket, gauge: Gauge) {
    {hello}
    {made}
    let mut levels = gauge.levels.subscribe();
    loop {
        tokio::select! {
            Ok(level) = levels.recv() => { {level} }
            Some(Ok(Message::Text(text))) = socket.recv() => match serde_json::from_str(&text).unwrap() {
                Asked::Position { after } => { {asked} }
                Asked::Topic { name } => { {topic} }
                Asked::Ping => {}
            },
        }
    }
}
async fn feed(State(gauge): State<Gauge>, ws: WebSocketUpgrade) -> Response { ws.on_upgrade(move |socket| talk(socket, gauge)) }
#[tokio::main] async fn main() {
    let gauge = Gauge { levels: broadcast::channel(16).0, db: PgPool::connect("").await.unwrap() };
    axum::serve(todo!(), Router::new().route("/feed", get(feed)).with_state(gauge)).await;
}
"#;

const SESSION: &str = "let session = Uuid::new_v4(); say(&mut socket, &Told::Hello { session }).await;";
const READY: &str = "say(&mut socket, &Told::Ready).await;";
const KEPT: &str = "let mut number = 0u64; let mut sent: VecDeque<(u64, f64)> = VecDeque::new();";
const TELL: &str = "number += 1; sent.push_back((number, level)); say(&mut socket, &Told::Level { number, level }).await;";
const COUNT: &str = "number += 1; say(&mut socket, &Told::Level { number, level }).await;";
const REPLAY: &str = "for (number, level) in sent.iter().filter(|(n, _)| *n > after) { say(&mut socket, &Told::Level { number: *number, level: *level }).await; }";

/// What is said of the conversation, other rules aside.
fn said(hello: &str, made: &str, level: &str, asked: &str, topic: &str) -> bool {
    let parts = [("{hello}", hello), ("{made}", made), ("{level}", level), ("{asked}", asked), ("{topic}", topic)];
    let main = parts.iter().fold(FEED.to_string(), |text, (slot, code)| tree::with(&text, slot, code));
    let tree = Tree::service("gauge", &["axum", "tokio", "uuid", "sqlx", "serde", "serde_json"], main);
    tree.rules().contains(&"unrecoverable-stream-state")
}

#[test]
fn what_a_client_may_ask_for_again_must_outlast_its_connection() {
    assert!(said(READY, KEPT, TELL, REPLAY, ""), "a backlog from which the client takes up a position");
    assert!(said(SESSION, KEPT, COUNT, "", ""), "numbers in a conversation that has an id");
    assert!(!said(READY, KEPT, COUNT, "", ""), "numbers that begin anew with a connection that nobody takes up");
}

#[test]
fn what_a_store_keeps_or_gave_is_there_for_the_next_connection() {
    let stored = format!("{TELL} sqlx::query(\"INSERT INTO levels (n) VALUES ($1)\").bind(level).execute(&gauge.db).await.unwrap();");
    assert!(!said(SESSION, KEPT, &stored, REPLAY, ""));
    let loaded = "let mut sent: VecDeque<(u64, f64)> = sqlx::query_as(\"SELECT n, level FROM levels\").fetch_all(&gauge.db).await.unwrap().into(); \
        let mut number: u64 = sqlx::query_scalar(\"SELECT max(n) FROM levels\").fetch_one(&gauge.db).await.unwrap();";
    assert!(!said(SESSION, loaded, TELL, REPLAY, ""));
}

#[test]
fn what_a_client_says_again_goes_with_the_connection() {
    let topics = "let mut topics: HashSet<String> = HashSet::new();";
    let tell = "if topics.contains(\"high\") { say(&mut socket, &Told::Level { number: 0, level }).await; }";
    assert!(!said(SESSION, topics, tell, "", "topics.insert(name);"), "subscriptions");
    let figures = "let mut number = 0u64;";
    assert!(!said(SESSION, figures, "number += 1; println!(\"{number} so far\");", "", ""), "figures that only a log tells");
}
