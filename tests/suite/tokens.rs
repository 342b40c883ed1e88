//! Tokens: the same service with one fact changed, and the verdict that must change with it.

use cargo_stateless::analysis::{Analysis, AnalyzeOptions, Assessed};
use cargo_stateless::config::Config;
use cargo_stateless::finding::{ChecklistItem, Finding, Persona, Severity};

use crate::tree::Tree;

/// One service; each part can be exchanged.
struct Service {
    claims: &'static str,
    mint: &'static str,
    header: &'static str,
    key: &'static str,
    verify: &'static str,
    /// Items beside the others.
    more: &'static str,
    config: Config,
}

impl Default for Service {
    fn default() -> Self {
        Service {
            claims: "sub: i64, exp: i64",
            mint: "Claims { sub, exp: (Utc::now() + Duration::minutes(15)).timestamp() }",
            header: "Header::default()",
            key: "EncodingKey::from_secret(app.secret.as_bytes())",
            verify: "Ok(decode::<Claims>(token, &DecodingKey::from_secret(app.secret.as_bytes()), &Validation::default())?.claims)",
            more: "",
            config: Config::default(),
        }
    }
}

impl Service {
    fn analyze(&self) -> Analysis {
        let Service { claims, mint, header, key, verify, more, .. } = self;
        let source = format!(
            r#"
use axum::{{Json, Router, extract::{{FromRequestParts, State}}, http::request::Parts, routing::{{get, post}}}};
use chrono::{{DateTime, Duration, TimeDelta, Utc}};
use jsonwebtoken::{{DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode}};
use serde::{{Deserialize, Serialize}};
use sqlx::PgPool;
use std::collections::{{HashMap, HashSet}};
use std::sync::{{Arc, LazyLock, RwLock}};

#[derive(Serialize, Deserialize)]
struct Claims {{ {claims} }}
struct App {{ db: PgPool, secret: String, keys: HashMap<String, DecodingKey>, gone: RwLock<HashSet<i64>>, settings: Settings }}
#[derive(Deserialize)]
struct Settings {{ #[serde(default = "a_day")] ttl: i64, hours: i64 }}
fn a_day() -> i64 {{ 60 * 60 * 24 }}
{more}
type Fault = Box<dyn std::error::Error>;
async fn check(app: &App, token: &str) -> Result<Claims, Fault> {{ {verify} }}
impl FromRequestParts<Arc<App>> for Claims {{
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Fault> {{
        check(app, parts.headers.get("authorization").unwrap().to_str()?).await
    }}
}}
async fn sign_in(State(app): State<Arc<App>>) -> String {{
    let sub: i64 = sqlx::query_scalar("SELECT id FROM wards").fetch_one(&app.db).await.unwrap();
    let claims = {mint};
    encode(&{header}, &claims, &{key}).unwrap()
}}
async fn me(claims: Claims) -> Json<i64> {{ Json(claims.sub) }}
async fn sign_out(State(app): State<Arc<App>>, claims: Claims) {{ app.gone.write().unwrap().insert(claims.sub); }}
#[tokio::main] async fn main() {{
    let app = Arc::new(App {{ db: PgPool::connect("a").await.unwrap(), secret: std::env::var("SECRET").unwrap(), keys: HashMap::new(),
        gone: RwLock::default(), settings: config::load() }});
    let r = Router::new().route("/sign-in", post(sign_in)).route("/me", get(me)).route("/sign-out", post(sign_out)).with_state(app);
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}
"#
        );
        let dependencies = ["axum", "chrono", "jsonwebtoken", "serde", "sqlx", "tokio", "config", "cookie", "tide"];
        Tree::service("ward", &dependencies, source).analyse_with(&self.config, &AnalyzeOptions::default())
    }

    fn says(&self, rule: &str) -> Vec<Finding> {
        self.analyze().findings.into_iter().filter(|f| f.rule == rule).collect()
    }

    /// The message of the one finding on how long the token counts.
    fn window(&self) -> String {
        let found = self.says("long-lived-token");
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].message.clone()
    }

    fn is_short(&self) {
        let found = self.says("long-lived-token");
        assert!(found.is_empty(), "{found:?}");
    }
}

fn lives(mint: &'static str) -> Service {
    Service { mint, ..Service::default() }
}

const WEEKS: &str = "Claims { sub, exp: (Utc::now() + Duration::weeks(2)).timestamp() }";

#[test]
fn the_life_is_folded_from_durations_and_arithmetic() {
    Service::default().is_short();
    assert!(lives(WEEKS).window().contains("14 days"));
    let hours =
        "{ let exp = Utc::now().checked_add_signed(TimeDelta::try_hours(36).unwrap()).unwrap(); Claims { sub, exp: exp.timestamp() } }";
    assert!(lives(hours).window().contains("36 hours"));
    let plain = "Claims { sub, exp: Utc::now().timestamp() + 60 * 60 * 24 * 30 }";
    assert!(lives(plain).window().contains("30 days"));
    let system = "Claims { sub, exp: (std::time::SystemTime::now() + std::time::Duration::from_secs(7200)).duration_since(std::time::UNIX_EPOCH).unwrap().as_secs() as i64 }";
    assert!(lives(system).window().contains("2 hours"));
    let branches = "{ let exp = if sub > 5 { Utc::now() + Duration::hours(1) } else { Utc::now() + Duration::days(365) }; Claims { sub, exp: exp.timestamp() } }";
    assert!(lives(branches).window().contains("1 year"));
}

#[test]
fn the_life_comes_through_constants_helpers_and_constructors() {
    let constant = Service {
        more: "mod times { pub static LIFE: std::sync::LazyLock<chrono::Duration> = std::sync::LazyLock::new(|| chrono::Duration::days(3)); }",
        ..lives("Claims { sub, exp: (Utc::now() + *times::LIFE).timestamp() }")
    };
    assert!(constant.window().contains("3 days"));
    let helper = Service {
        more: "fn until(hours: i64) -> i64 { (Utc::now() + Duration::hours(hours)).timestamp() }",
        ..lives("Claims { sub, exp: until(48) }")
    };
    assert!(helper.window().contains("2 days"));
    let made = Service {
        more: "impl Claims { fn new(sub: i64, life: Duration) -> Self { Claims { sub, exp: (Utc::now() + life).timestamp() } } }",
        ..lives("Claims::new(sub, Duration::days(5))")
    };
    assert!(made.window().contains("5 days"));
    let short = Service { more: made.more, ..lives("Claims::new(sub, Duration::minutes(5))") };
    short.is_short();
}

#[test]
fn defaults_of_settings_count_and_settings_without_one_do_not() {
    assert!(lives("Claims { sub, exp: Utc::now().timestamp() + app.settings.ttl }").window().contains("1 day by default"));
    lives("Claims { sub, exp: (Utc::now() + Duration::hours(app.settings.hours)).timestamp() }").is_short();
    let env = "{ let ttl = std::env::var(\"TTL\").ok().and_then(|v| v.parse::<i64>().ok()).unwrap_or(7 * 86400); Claims { sub, exp: Utc::now().timestamp() + ttl } }";
    assert!(lives(env).window().contains("7 days by default"));
}

#[test]
fn a_fixed_date_and_no_expiry_are_errors() {
    let fixed = lives("Claims { sub, exp: 2_000_000_000 }").says("long-lived-token");
    assert!(fixed[0].severity == Severity::Error && fixed[0].message.contains("2033-05-18"), "{fixed:?}");
    let never = Service { claims: "sub: i64", ..lives("Claims { sub }") }.says("long-lived-token");
    assert!(never[0].severity == Severity::Error && never[0].message.contains("for ever"), "{never:?}");
}

#[test]
fn a_store_that_is_asked_after_the_check_closes_the_window() {
    let asked = "let claims = decode::<Claims>(token, &DecodingKey::from_secret(app.secret.as_bytes()), &Validation::default())?.claims; \
        sqlx::query(\"SELECT 1 FROM sessions WHERE ward = $1\").bind(claims.sub).fetch_one(&app.db).await?; Ok(claims)";
    Service { verify: asked, ..lives(WEEKS) }.is_short();
    let local = "let claims = decode::<Claims>(token, &DecodingKey::from_secret(app.secret.as_bytes()), &Validation::default())?.claims; \
        if app.gone.read().unwrap().contains(&claims.sub) { return Err(\"gone\".into()); } Ok(claims)";
    let found = Service { verify: local, ..lives(WEEKS) }.says("long-lived-token");
    assert!(found[0].message.contains("`App.gone` is known to this process alone"), "{found:?}");
    let list = ("authoritative-memory".to_string(), "ward::App.gone".to_string());
    assert!(found[0].related.contains(&list), "{:?}", found[0].related);
}

#[test]
fn checks_that_are_turned_off_are_errors() {
    let off = |option: &'static str| Service { verify: option, ..Service::default() };
    let no_exp = off(
        "let mut v = Validation::default(); v.validate_exp = false; Ok(decode::<Claims>(token, &DecodingKey::from_secret(app.secret.as_bytes()), &v)?.claims)",
    );
    assert!(no_exp.window().contains("expired token is accepted"));
    let by_hand = off(
        "let mut v = Validation::default(); v.validate_exp = false; let c = decode::<Claims>(token, &DecodingKey::from_secret(app.secret.as_bytes()), &v)?.claims; \
        if c.exp < Utc::now().timestamp() { return Err(\"old\".into()); } Ok(c)",
    );
    by_hand.is_short();
    let unsigned = off(
        "let mut v = Validation::default(); v.insecure_disable_signature_validation(); Ok(decode::<Claims>(token, &DecodingKey::from_secret(&[]), &v)?.claims)",
    );
    assert!(unsigned.window().contains("signature is not checked"));
}

#[test]
fn a_refresh_must_ask_a_store() {
    let route = "async fn renew(State(app): State<Arc<App>>, token: String) -> String { let old = check(&app, &token).await.unwrap(); LOOK \
        let claims = Claims { sub: old.sub, exp: (Utc::now() + Duration::minutes(15)).timestamp() }; \
        encode(&Header::default(), &claims, &EncodingKey::from_secret(app.secret.as_bytes())).unwrap() } \
        fn more() -> Router<Arc<App>> { Router::new().route(\"/renew\", post(renew)) }";
    let with = |look: &str| Service { more: route.replace("LOOK", look).leak(), ..Service::default() };
    assert!(with("").says("long-lived-token").iter().any(|f| f.message.contains("renews itself")));
    with("sqlx::query(\"SELECT 1 FROM sessions WHERE ward = $1\").bind(old.sub).fetch_one(&app.db).await.unwrap();").is_short();
}

#[test]
fn rights_in_a_long_token_are_named() {
    let roles = Service {
        claims: "sub: i64, exp: i64, roles: String",
        ..lives("Claims { sub, exp: (Utc::now() + Duration::weeks(2)).timestamp(), roles: String::new() }")
    };
    assert!(roles.window().contains("`roles`"));
}

#[test]
fn the_limit_is_a_setting() {
    let mut config = Config::default();
    config.tokens.access_minutes = 10;
    assert!(Service { config, ..Service::default() }.window().contains("15 minutes"));
}

#[test]
fn tokens_for_others_and_of_others_are_quiet() {
    let unchecked = Service { verify: "Err(app.secret.clone().into())", ..lives(WEEKS) };
    let analysis = unchecked.analyze();
    assert!(analysis.findings.iter().all(|f| !["long-lived-token", "fixed-signing-key"].contains(&f.rule)), "{:?}", analysis.findings);
}

#[test]
fn a_key_id_or_a_second_key_is_overlap() {
    let one = Service::default().says("fixed-signing-key");
    assert!(one.len() == 1 && one[0].severity == Severity::Warning, "{one:?}");
    let named = Service { header: "Header { kid: Some(\"a\".into()), ..Header::default() }", ..Service::default() };
    assert!(named.says("fixed-signing-key").is_empty());
    let listed = "for key in app.keys.values() { if let Ok(data) = decode::<Claims>(token, key, &Validation::default()) { return Ok(data.claims); } } Err(\"no\".into())";
    assert!(Service { verify: listed, ..Service::default() }.says("fixed-signing-key").is_empty());
    let chosen =
        "let kid = decode_header(token)?.kid.unwrap(); Ok(decode::<Claims>(token, &app.keys[&kid], &Validation::default())?.claims)";
    assert!(Service { verify: chosen, ..Service::default() }.says("fixed-signing-key").is_empty());
}

#[test]
fn a_literal_key_is_an_error_also_as_a_fallback() {
    let severity =
        |key: &'static str, more: &'static str| Service { key, more, ..Service::default() }.says("fixed-signing-key")[0].severity;
    assert_eq!(severity("EncodingKey::from_secret(b\"lantern\")", ""), Severity::Error);
    assert_eq!(severity("EncodingKey::from_secret(SECRET.as_bytes())", "const SECRET: &str = \"lantern\";"), Severity::Error);
    let fallback = "EncodingKey::from_secret(std::env::var(\"KEY\").unwrap_or(\"lantern\".to_string()).as_bytes())";
    assert_eq!(severity(fallback, ""), Severity::Error);
    assert_eq!(severity("EncodingKey::from_secret(std::env::var(\"KEY\").unwrap().as_bytes())", ""), Severity::Warning);
}

#[test]
fn one_configured_cookie_key_is_for_pedantic_readers() {
    let keys = |make: &'static str| {
        let more = format!("fn cookies(app: &App) -> cookie::Key {{ cookie::Key::from({make}) }}").leak();
        let named = "Header { kid: Some(\"a\".into()), ..Header::default() }";
        Service { more, header: named, ..Service::default() }.says("fixed-signing-key")[0].persona
    };
    assert_eq!(keys("b\"0123456789012345678901234567890123456789012345678901234567890123\""), Persona::Regular);
    assert_eq!(keys("std::env::var(\"COOKIES\").unwrap().as_bytes()"), Persona::Pedantic);
}

/// A Rocket service that seals a cookie, or not, with these settings.
fn rocket(settings: &str, handler: &str, launch: &str) -> Vec<Finding> {
    let source = format!(
        "use rocket::{{get, launch, routes, http::{{Cookie, CookieJar}}}};
        #[get(\"/\")] fn berth(jar: &CookieJar<'_>) -> &'static str {{ {handler} \"berth\" }}
        #[launch] fn rocket() -> _ {{ {launch}.mount(\"/\", routes![berth]) }}"
    );
    let tree = Tree::service("ward", &["rocket"], source);
    tree.write("Rocket.toml", settings);
    let analysis = cargo_stateless::engine::analyze(tree.path(), &Config::default(), &AnalyzeOptions::default()).expect("a tree");
    analysis.findings.into_iter().filter(|f| f.rule == "fixed-signing-key").collect()
}

#[test]
fn rockets_key_in_the_repository_is_an_error_where_it_seals() {
    const KEY: &str = "hPRYyVRiMyxpw5sBB1XeCMN1kFsDCqKvBi2QJxBVHQk=";
    const SEAL: &str = "jar.add_private(Cookie::new(\"a\", \"1\"));";
    let settings = |profile: &str| format!("[{profile}]\nsecret_key = \"{KEY}\"\n");
    let found = rocket(&settings("release"), SEAL, "rocket::build()");
    assert!(found.len() == 1 && found[0].severity == Severity::Error && found[0].location.path == "Rocket.toml", "{found:?}");
    assert!(rocket(&settings("debug"), SEAL, "rocket::build()").is_empty(), "only for development");
    assert!(rocket(&settings("release"), "jar.add(Cookie::new(\"a\", \"1\"));", "rocket::build()").is_empty(), "nothing is sealed");
    let merged = format!("rocket::custom(rocket::Config::figment().merge((\"secret_key\", \"{KEY}\")))");
    assert_eq!(rocket("", SEAL, &merged).len(), 1);
}

#[test]
fn the_secret_of_a_session_layer_is_a_cookie_key() {
    let more = |secret: &str| {
        format!("fn sessions(app: &App) -> tide::sessions::SessionMiddleware<tide::sessions::CookieStore> {{ tide::sessions::SessionMiddleware::new(tide::sessions::CookieStore::new(), {secret}) }}").leak()
    };
    let named = "Header { kid: Some(\"a\".into()), ..Header::default() }";
    let persona = |secret| Service { more: more(secret), header: named, ..Service::default() }.says("fixed-signing-key")[0].persona;
    assert_eq!(persona("b\"we recommend to use a variable instead of this\""), Persona::Regular);
    assert_eq!(persona("std::env::var(\"COOKIES\").unwrap().as_bytes()"), Persona::Pedantic);
}

#[test]
fn lists_and_records_in_claims_are_weight() {
    let weigh = |claims: &'static str, more: &'static str| Service { claims, more, ..lives("make(sub)") }.says("bloated-token");
    assert!(weigh("sub: i64, exp: i64, name: String", "fn make(sub: i64) -> Claims { todo!() }").is_empty());
    let one = weigh("sub: i64, exp: i64, roles: Vec<String>", "fn make(sub: i64) -> Claims { todo!() }");
    assert!(one.len() == 1 && one[0].persona == Persona::Pedantic, "{one:?}");
    let two = weigh("sub: i64, exp: i64, roles: Vec<String>, wards: HashSet<String>", "fn make(sub: i64) -> Claims { todo!() }");
    assert!(two[0].persona == Persona::Regular && two[0].message.contains("`roles`, `wards`"), "{two:?}");
    let record = weigh(
        "sub: i64, exp: i64, #[serde(flatten)] inner: Inner",
        "#[derive(Serialize, Deserialize)] struct Inner { nurse: Nurse } #[derive(Serialize, Deserialize)] struct Nurse { a: String, b: String, c: String, d: String } fn make(sub: i64) -> Claims { todo!() }",
    );
    assert!(record[0].persona == Persona::Regular && record[0].message.contains("nurse"), "{record:?}");
    let audience = weigh("sub: i64, exp: i64, aud: Vec<String>, amr: Vec<String>", "fn make(sub: i64) -> Claims { todo!() }");
    assert!(audience.is_empty(), "{audience:?}");
}

#[test]
fn the_checklist_shows_what_was_measured_when_it_passes_too() {
    let analysis = Service::default().analyze();
    let facts: Vec<&str> = analysis
        .checklist_facts
        .iter()
        .filter(|(item, _)| *item == ChecklistItem::RevocationWindow)
        .map(|(_, fact)| fact.as_str())
        .collect();
    assert!(facts[0].starts_with("token of `Claims` 15 minutes (src/main.rs:"), "{facts:?}");
    assert_eq!(analysis.assessed[&ChecklistItem::RevocationWindow], Assessed::Yes);
    assert!(analysis.checklist_facts.iter().any(|(item, fact)| *item == ChecklistItem::TokenBloat && fact.contains("bytes")));
}

#[test]
fn settings_that_only_helpers_of_tests_make_are_no_defaults() {
    let minted = "Claims { sub, exp: (Utc::now() + Duration::hours(app.settings.hours)).timestamp() }";
    let helper = Service { more: "pub fn settings_for_tests() -> Settings { Settings { ttl: 5, hours: 72 } }", ..lives(minted) };
    helper.is_short();
    let facts = helper.analyze().checklist_facts;
    let life = facts.iter().find(|(item, _)| *item == ChecklistItem::RevocationWindow).map(|(_, fact)| fact.as_str());
    assert!(life.is_some_and(|fact| fact.contains("the setting `hours`")), "{facts:?}");
    let default =
        Service { more: "impl Default for Settings { fn default() -> Self { Settings { ttl: 5, hours: 72 } } }", ..lives(minted) };
    assert!(default.window().contains("3 days by default"));
}

#[test]
fn a_token_that_a_static_is_made_with_counts_where_the_static_is_named() {
    let pass = "static PASS: LazyLock<String> = LazyLock::new(|| encode(&Header::default(), &Claims { sub: 0, exp: 4_000_000_000 }, \
        &EncodingKey::from_secret(std::env::var(\"SECRET\").unwrap().as_bytes())).unwrap()); ";
    let with = |route: &str| Service { more: format!("{pass}{route}").leak(), ..Service::default() };
    let served =
        with("async fn pass() -> String { PASS.clone() } fn more() -> Router<Arc<App>> { Router::new().route(\"/pass\", get(pass)) }");
    assert!(served.window().contains("2096-10-02"));
    with("pub fn for_tests() -> String { PASS.clone() }").is_short();
}

#[test]
fn a_token_for_another_service_that_never_ends_is_for_pedantic_readers() {
    let service = |claims: &str, key: &str| {
        let source = format!(
            r#"
use axum::{{Router, routing::post}};
use jsonwebtoken::{{EncodingKey, Header, encode}};
use std::sync::LazyLock;
#[derive(serde::Serialize)]
struct Claims {{ iss: String, exp: Option<i64> }}
static CREDENTIAL: LazyLock<String> = LazyLock::new(|| encode(&Header::default(), &{claims}, &EncodingKey::from_secret({key})).unwrap());
async fn bill() {{ reqwest::Client::new().post("http://billing/charge").bearer_auth(&*CREDENTIAL).send().await.unwrap(); }}
#[tokio::main] async fn main() {{
    let l = tokio::net::TcpListener::bind("a").await.unwrap();
    axum::serve(l, Router::new().route("/bill", post(bill))).await.unwrap();
}}
"#
        );
        let found = Tree::service("till", &["axum", "jsonwebtoken", "reqwest", "serde", "tokio"], source).analyse().findings;
        found.into_iter().filter(|f| f.item != ChecklistItem::InstanceKill).map(|f| (f.rule, f.persona)).collect::<Vec<_>>()
    };
    let env = "std::env::var(\"BILLING_KEY\").unwrap().as_bytes()";
    let never = "Claims { iss: \"till\".into(), exp: None }";
    assert_eq!(service(never, env), [("long-lived-token", Persona::Pedantic)]);
    let soon = "Claims { iss: \"till\".into(), exp: Some(chrono::Utc::now().timestamp() + 600) }";
    assert_eq!(service(soon, env), []);
    assert_eq!(service(soon, "b\"letmein\""), [("fixed-signing-key", Persona::Regular)]);
}
