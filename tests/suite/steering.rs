//! Affinity made in code: the same service with one fact changed, and the verdict that must change with it.

use cargo_stateless::finding::{Finding, Persona};

use crate::tree::Tree;

/// A service whose games live in one instance each; where they do is in a shared store.
struct Games {
    /// Fields beside the others, and what they are made with.
    fields: &'static str,
    made: &'static str,
    items: &'static str,
    /// What `play` does.
    play: &'static str,
}

const OWNER: &str = "let owner: String = shop.redis.clone().get(format!(\"game:{id}\")).await.unwrap();";

impl Default for Games {
    fn default() -> Self {
        Games { fields: "me: String", made: "me: std::env::var(\"POD_NAME\").unwrap()", items: "", play: "" }
    }
}

impl Games {
    fn says(&self) -> Vec<Finding> {
        let Games { fields, made, items, play } = self;
        let play = play.replace("OWNER", OWNER);
        let source = format!(
            r#"
use axum::{{Router, body::Body, extract::{{Path, Request, State}}, http::{{HeaderMap, StatusCode, Uri, header}}, response::{{IntoResponse, Redirect, Response}}, routing::{{any, post}}}};
use dashmap::DashMap;
use redis::AsyncCommands;
use std::sync::{{Arc, LazyLock}};
use uuid::Uuid;
struct Shop {{ {fields}, games: DashMap<String, Vec<String>>, sockets: DashMap<String, tokio::sync::mpsc::Sender<String>>, redis: redis::aio::ConnectionManager, http: reqwest::Client, servers: Vec<String> }}
{items}
impl Shop {{
    async fn send(&self, owner: &str, id: &str, body: String) -> String {{
        self.http.post(format!("http://{{owner}}/games/{{id}}")).body(body).send().await.unwrap().text().await.unwrap()
    }}
    fn local(&self, id: &str, body: String) -> String {{
        let mut game = self.games.get_mut(id).unwrap();
        game.push(body);
        game.len().to_string()
    }}
}}
async fn start(State(shop): State<Arc<Shop>>, Path(id): Path<String>) {{ shop.games.insert(id, Vec::new()); }}
async fn join(State(shop): State<Arc<Shop>>, Path(id): Path<String>) {{ shop.sockets.insert(id, tokio::sync::mpsc::channel(8).0); }}
async fn play(State(shop): State<Arc<Shop>>, Path(id): Path<String>, headers: HeaderMap, body: String) -> Response {{ {play} }}
#[tokio::main] async fn main() {{
    let redis = redis::Client::open("a").unwrap().get_connection_manager().await.unwrap();
    let shop = Arc::new(Shop {{ {made}, games: DashMap::new(), sockets: DashMap::new(), redis, http: reqwest::Client::new(), servers: Vec::new() }});
    let r = Router::new().route("/games/{{id}}", post(play).put(start).get(join)).with_state(shop);
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}
"#
        );
        let dependencies = ["axum", "dashmap", "redis", "reqwest", "tokio", "uuid", "hostname", "clap", "tracing", "sqlx"];
        let found = Tree::service("games", &dependencies, source).analyse().findings;
        found.into_iter().filter(|f| f.rule == "sticky-session").collect()
    }

    fn pins(&self) -> Finding {
        let mut found = self.says();
        assert_eq!(found.len(), 1, "{}: {found:#?}", self.play);
        found.remove(0)
    }

    fn quiet(&self) {
        let found = self.says();
        assert!(found.is_empty(), "{}: {found:#?}", self.play);
    }
}

fn plays(play: &'static str) -> Games {
    Games { play, ..Games::default() }
}

const SENT: &str =
    "OWNER if owner != shop.me { return shop.send(&owner, &id, body).await.into_response(); } shop.local(&id, body).into_response()";

#[test]
fn a_request_that_is_sent_to_its_owner_is_pinned_and_the_cells_are_named() {
    let found = plays(SENT).pins();
    assert_eq!(found.persona, Persona::Regular);
    assert!(
        found.message.contains("POST /games/{id}") && found.message.contains("masks this cell: `games::Shop.games`"),
        "{}",
        found.message
    );
    assert!(found.related.contains(&("authoritative-memory".into(), "games::Shop.games".into())), "{:?}", found.related);
}

#[test]
fn the_question_may_be_asked_in_any_form() {
    for play in [
        "OWNER if owner == shop.me { shop.local(&id, body).into_response() } else { shop.send(&owner, &id, body).await.into_response() }",
        "OWNER let mine = owner == shop.me; if !mine { return shop.send(&owner, &id, body).await.into_response(); } shop.local(&id, body).into_response()",
        "let owner: Option<String> = shop.redis.clone().get(format!(\"game:{id}\")).await.unwrap(); match owner { Some(o) if o == shop.me => shop.local(&id, body).into_response(), Some(o) => shop.send(&o, &id, body).await.into_response(), None => StatusCode::NOT_FOUND.into_response() }",
        "OWNER match owner == shop.me { true => shop.local(&id, body).into_response(), false => shop.send(&owner, &id, body).await.into_response() }",
        "OWNER if owner.ne(&shop.me) { return Redirect::temporary(&format!(\"http://{owner}/games/{id}\")).into_response(); } shop.local(&id, body).into_response()",
        "OWNER if owner != shop.me { return (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, format!(\"http://{owner}/games/{id}\"))]).into_response(); } shop.local(&id, body).into_response()",
    ] {
        plays(play).pins();
    }
    let helper = "impl Shop { fn is_mine(&self, owner: &str) -> bool { owner == self.me } }";
    let play = "OWNER if !shop.is_mine(&owner) { return shop.send(&owner, &id, body).await.into_response(); } shop.local(&id, body).into_response()";
    Games { items: helper, play, ..Games::default() }.pins();
    let split = "async fn route(shop: &Shop, owner: String, id: String, body: String) -> Response { if owner == shop.me { return shop.local(&id, body).into_response(); } shop.send(&owner, &id, body).await.into_response() }";
    Games { items: split, play: "OWNER route(&shop, owner, id, body).await", ..Games::default() }.pins();
}

#[test]
fn an_instance_has_its_name_from_the_platform_the_host_or_chance() {
    for (fields, made) in [
        ("me: String", "me: std::env::var(\"FLY_MACHINE_ID\").unwrap_or_default()"),
        ("me: String", "me: hostname::get().unwrap().to_string_lossy().to_string()"),
        ("me: String", "me: Uuid::new_v4().to_string()"),
    ] {
        Games { fields, made, ..plays(SENT) }.pins();
    }
    let fixed = "static ME: LazyLock<String> = LazyLock::new(|| std::env::var(\"HOSTNAME\").unwrap());";
    let play = "OWNER if owner != *ME { return shop.send(&owner, &id, body).await.into_response(); } shop.local(&id, body).into_response()";
    Games { items: fixed, play, ..Games::default() }.pins();
    let settings = "#[derive(clap::Parser)] struct Settings { #[arg(long, env = \"POD_NAME\")] who: String, #[arg(long)] node_id: String, #[arg(long)] site: String }";
    let with = |play: &'static str| Games { fields: "settings: Settings", made: "settings: clap::Parser::parse()", items: settings, play };
    with("OWNER if owner != shop.settings.who { return shop.send(&owner, &id, body).await.into_response(); } shop.local(&id, body).into_response()").pins();
    with("OWNER if owner != shop.settings.node_id { return shop.send(&owner, &id, body).await.into_response(); } shop.local(&id, body).into_response()").pins();
    with("OWNER if owner != shop.settings.site { return shop.send(&owner, &id, body).await.into_response(); } shop.local(&id, body).into_response()").quiet();
}

#[test]
fn a_name_that_decides_nothing_of_the_way_pins_nothing() {
    for play in [
        "tracing::info!(host = %shop.me, \"played\"); shop.local(&id, body).into_response()",
        "(StatusCode::OK, [(\"server\", shop.me.clone())]).into_response()",
        // Who is not the owner answers by itself.
        "OWNER if owner != shop.me { return StatusCode::CONFLICT.into_response(); } shop.local(&id, body).into_response()",
        // One leader of all, whatever is asked for.
        "let leader: String = shop.redis.clone().get(\"leader\").await.unwrap(); if leader != shop.me { return shop.send(&leader, &id, body).await.into_response(); } shop.local(&id, body).into_response()",
        // The public name of the service.
        "let host = headers.get(header::HOST).unwrap().to_str().unwrap().to_string(); if host != shop.me { return Redirect::permanent(&format!(\"https://{}/{id}?from={host}\", shop.me)).into_response(); } StatusCode::OK.into_response()",
        // Both ways ask the same service.
        "OWNER if owner != shop.me { return shop.send(&owner, &id, body).await.into_response(); } shop.send(&owner, &id, body).await.into_response()",
    ] {
        plays(play).quiet();
    }
    let region = Games { made: "me: std::env::var(\"FLY_REGION\").unwrap()", ..plays(SENT) };
    region.quiet();
}

#[test]
fn connections_have_to_be_somewhere() {
    plays("OWNER if owner != shop.me { return shop.send(&owner, &id, body).await.into_response(); } if let Some(socket) = shop.sockets.get(&id) { let _ = socket.send(body).await; } StatusCode::OK.into_response()").quiet();
}

/// A gate before several servers.
fn gate(pass: &str) -> Vec<Finding> {
    let source = format!(
        r#"
use axum::{{Router, body::Body, extract::{{ConnectInfo, Request, State}}, http::{{StatusCode, Uri, header}}, response::{{IntoResponse, Response}}, routing::any}};
use hyper_util::client::legacy::{{Client, connect::HttpConnector}};
use std::{{collections::HashMap, hash::{{DefaultHasher, Hash, Hasher}}, net::SocketAddr, sync::{{Arc, atomic::{{AtomicUsize, Ordering}}}}}};
#[derive(Clone)] struct Gate {{ servers: Arc<Vec<String>>, users: Arc<HashMap<String, String>>, shards: Arc<Vec<sqlx::PgPool>>, next: Arc<AtomicUsize>, client: Client<HttpConnector, Body>, ring: Arc<hashring::HashRing<String>> }}
fn hashed(text: &str) -> usize {{ let mut hasher = DefaultHasher::new(); text.hash(&mut hasher); hasher.finish() as usize }}
async fn pass(State(gate): State<Gate>, ConnectInfo(from): ConnectInfo<SocketAddr>, mut request: Request) -> Response {{ {pass} }}
#[tokio::main] async fn main() {{
    let r = Router::new().fallback(any(pass)).with_state(build());
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}
"#
    );
    let found = Tree::service("gate", &["axum", "hyper-util", "sqlx", "tokio", "hashring"], source).analyse().findings;
    found.into_iter().filter(|f| f.rule == "sticky-session").collect()
}

const COOKIE: &str = "let cookie = request.headers().get(header::COOKIE).and_then(|c| c.to_str().ok()).unwrap_or_default().to_string();";
const ON: &str = "*request.uri_mut() = format!(\"http://{server}{}\", request.uri().path()).parse::<Uri>().unwrap(); gate.client.request(request).await.unwrap().into_response()";

#[test]
fn a_gate_that_chooses_by_client_pins_it() {
    let pins = |pass: String| assert_eq!(gate(&pass).len(), 1, "{pass}");
    pins(format!("{COOKIE} let server = &gate.servers[hashed(&cookie) % gate.servers.len()]; {ON}"));
    pins(format!("{COOKIE} let server = gate.servers.get(hashed(&cookie) % gate.servers.len()).unwrap(); {ON}"));
    pins(format!("let server = &gate.servers[hashed(&from.ip().to_string()) % gate.servers.len()]; {ON}"));
    pins(format!("let server = gate.ring.get(&from.ip()).unwrap(); {ON}"));
}

#[test]
fn a_gate_that_chooses_otherwise_does_not() {
    let quiet = |pass: String| assert!(gate(&pass).is_empty(), "{pass}");
    quiet(format!("let server = &gate.servers[gate.next.fetch_add(1, Ordering::Relaxed) % gate.servers.len()]; {ON}"));
    // The address asked for spreads a cache and follows no client.
    quiet(format!("let server = &gate.servers[hashed(request.uri().path()) % gate.servers.len()]; {ON}"));
    // Whoever asks is named in the path, and any server may answer.
    quiet(format!("{COOKIE} let user = gate.users.get(&cookie).unwrap().clone(); let server = format!(\"api/{{user}}\"); {ON}"));
    // Rows are spread over databases that every instance asks.
    quiet(format!(
        "{COOKIE} let shard = &gate.shards[hashed(&cookie) % gate.shards.len()]; sqlx::query(\"SELECT 1\").fetch_one(shard).await.unwrap(); StatusCode::OK.into_response()"
    ));
}
