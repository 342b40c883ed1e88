//! Code and manifests are one story: what a balancer hides, what a pinned replica is there for, and
//! what the checklist says of both.

use cargo_stateless::analysis::{Analysis, AnalyzeOptions, Assessed};
use cargo_stateless::config::Config;
use cargo_stateless::finding::{ChecklistItem, Finding, Persona};
use std::path::PathBuf;

use crate::tree::Tree;

const CARGO: &str = "[package]\nname = \"shop\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\nrusqlite = \"0.32\"\n";

/// Codes that one request writes into memory and another one asks for.
const CODES: &str = r#"
use axum::{Router, extract::{Path, State}, http::StatusCode, routing::get};
use std::{collections::HashMap, sync::{Arc, Mutex}};

#[derive(Clone, Default)]
struct App {
    codes: Arc<Mutex<HashMap<u32, String>>>,
}

async fn check(State(app): State<App>, Path(id): Path<u32>) -> Result<String, StatusCode> {
    app.codes.lock().unwrap().get(&id).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn send(State(app): State<App>, Path(id): Path<u32>, body: String) {
    app.codes.lock().unwrap().insert(id, body);
}

fn main() {
    let _service: Router = Router::new().route("/codes/{id}", get(check).put(send)).with_state(App::default());
}
"#;

/// Orders in an SQLite file.
const ORDERS: &str = r#"
use axum::{Router, routing::post};

async fn order(body: String) {
    let db = rusqlite::Connection::open("/data/orders.db").unwrap();
    db.execute("INSERT INTO orders (text) VALUES (?1)", [body]).unwrap();
}

fn main() {
    let _service: Router = Router::new().route("/orders", post(order));
}
"#;

fn pod(replicas: u32, image: &str, more: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\nspec:\n  replicas: {replicas}\n  template:\n    metadata: {{labels: {{app: shop}}}}\n    spec:\n      containers:\n        - name: main\n          image: {image}\n{more}"
    )
}

const STICKY: &str =
    "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec:\n  selector: {app: shop}\n  sessionAffinity: ClientIP\n";

fn analyse(files: &[(&str, &str)]) -> Analysis {
    Tree::new(files).analyse()
}

fn of<'a>(analysis: &'a Analysis, rule: &str) -> Vec<&'a Finding> {
    analysis.findings.iter().filter(|finding| finding.rule == rule && finding.persona == Persona::Regular).collect()
}

fn facts(analysis: &Analysis, item: ChecklistItem) -> Vec<&str> {
    analysis.checklist_facts.iter().filter(|(of, _)| *of == item).map(|(_, fact)| fact.as_str()).collect()
}

fn places(finding: &Finding) -> Vec<(&str, u32)> {
    finding.witness.iter().flatten().map(|step| (step.location.path.as_str(), step.location.line)).collect()
}

#[test]
fn affinity_names_the_cells_that_it_hides_and_shows_both_ends() {
    let manifest = pod(2, "acme/shop", "") + STICKY;
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", CODES), ("deploy/shop.yaml", &manifest)]);
    let [sticky] = of(&analysis, "sticky-session")[..] else { panic!("{:?}", analysis.findings) };
    assert!(sticky.message.contains("masks this cell: `shop::App.codes`"), "{}", sticky.message);
    assert!(places(sticky).contains(&("src/main.rs", 7)), "{:?}", places(sticky));
    assert!(places(sticky).contains(&("deploy/shop.yaml", 18)), "{:?}", places(sticky));
    assert_eq!(sticky.related, [("authoritative-memory".to_owned(), "shop::App.codes".to_owned())]);
    let [cell] = of(&analysis, "authoritative-memory")[..] else { panic!("{:?}", analysis.findings) };
    assert!(cell.related.iter().any(|(rule, _)| rule == "sticky-session"), "the cell points back");
    assert_eq!(facts(&analysis, ChecklistItem::TwoInstance), ["`shop`: 2 instances (deploy/shop.yaml:5)"]);
}

#[test]
fn affinity_of_another_package_hides_nothing_of_this_one() {
    let workspace = "[workspace]\nmembers = [\"shop\", \"till\"]\n";
    let till = CARGO.replace("\"shop\"", "\"till\"");
    let quiet = "use axum::{Router, routing::get};\nasync fn hello() -> String { String::new() }\nfn main() { let _service: Router = Router::new().route(\"/\", get(hello)); }\n";
    let manifest = (pod(2, "acme/till", "") + STICKY).replace("shop", "till");
    let analysis = analyse(&[
        ("Cargo.toml", workspace),
        ("shop/Cargo.toml", CARGO),
        ("shop/src/main.rs", CODES),
        ("till/Cargo.toml", &till),
        ("till/src/main.rs", quiet),
        ("deploy/till.yaml", &manifest),
    ]);
    let [sticky] = of(&analysis, "sticky-session")[..] else { panic!("{:?}", analysis.findings) };
    assert!(!sticky.message.contains("masks"), "{}", sticky.message);
}

#[test]
fn a_single_replica_is_there_because_of_the_database_inside() {
    let disk = "          volumeMounts: [{name: data, mountPath: /data}]\n      volumes:\n        - name: data\n          emptyDir: {}\n";
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", ORDERS), ("deploy/shop.yaml", &pod(1, "acme/shop", disk))]);
    let [pinned] = of(&analysis, "single-instance")[..] else { panic!("{:?}", analysis.findings) };
    assert!(pinned.message.contains("because of the store"), "{}", pinned.message);
    assert!(places(pinned).contains(&("src/main.rs", 5)), "{:?}", places(pinned));
    let [store] = of(&analysis, "embedded-database")[..] else { panic!("{:?}", analysis.findings) };
    assert!(places(store).contains(&("deploy/shop.yaml", 15)), "the emptyDir below it: {:?}", places(store));
    assert!(store.related.iter().any(|(rule, _)| rule == "single-instance"));
}

#[test]
fn a_shared_claim_with_several_instances_is_no_finding() {
    let claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {accessModes: [ReadWriteMany]}\n";
    let disk = "      volumes:\n        - name: data\n          persistentVolumeClaim: {claimName: data}\n";
    let analysis = analyse(&[
        ("Cargo.toml", CARGO),
        ("src/main.rs", CODES),
        ("deploy/shop.yaml", &pod(2, "acme/shop", disk)),
        ("deploy/claim.yaml", claim),
    ]);
    assert!(of(&analysis, "single-instance").is_empty(), "{:?}", analysis.findings);
}

#[test]
fn a_database_is_not_the_service_that_is_called_after_it() {
    let cargo = CARGO.replace("\"shop\"", "\"shop-postgres\"");
    let manifest = pod(1, "postgres:16", "").replace("name: shop", "name: db");
    let analysis = analyse(&[("Cargo.toml", &cargo), ("src/main.rs", CODES), ("deploy/db.yaml", &manifest)]);
    assert!(!analysis.findings.iter().any(|finding| finding.rule == "single-instance"), "{:?}", analysis.findings);
}

/// One service is built here, so that an image from elsewhere is somebody else's; without it nobody can tell.
#[test]
fn an_image_from_elsewhere_is_for_discussion_only_where_nothing_is_built_here() {
    let other = "  viewer:\n    image: other/report-viewer:2\n    deploy: {replicas: 1}\n";
    let said = |own: &str| {
        let compose = format!("services:\n{own}{other}");
        let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", CODES), ("compose.prod.yaml", &compose)]);
        analysis.findings.iter().filter(|f| f.rule == "single-instance").map(|f| f.persona).collect::<Vec<_>>()
    };
    assert_eq!(said("  web:\n    build: .\n    deploy: {replicas: 2}\n"), []);
    assert_eq!(said(""), [Persona::Pedantic]);
}

/// The same manifest, in a tree that builds nothing with that name.
#[test]
fn a_tree_without_the_service_has_no_workload_of_its_own() {
    let manifest = pod(1, "acme/shop", "") + STICKY;
    let analysis = analyse(&[("deploy/shop.yaml", &manifest)]);
    assert!(analysis.findings.is_empty(), "{:?}", analysis.findings);
    let reason = "no code of a service was found that the manifests could deploy";
    assert_eq!(analysis.assessed.get(&ChecklistItem::Affinity), Some(&Assessed::No(reason.into())));
}

#[test]
fn a_front_end_built_beside_the_service_is_not_the_service() {
    let compose = "services:\n  shop:\n    build: .\n    deploy: {replicas: 2}\n  pages:\n    build: ./pages\n    container_name: pages\n    deploy: {replicas: 1}\n";
    let analysis = analyse(&[
        ("Cargo.toml", CARGO),
        ("src/main.rs", CODES),
        ("Dockerfile", "FROM rust\nRUN cargo build --release\nENTRYPOINT [\"/shop\"]\n"),
        ("pages/Dockerfile", "FROM node\nRUN npm ci\n"),
        ("compose.prod.yaml", compose),
    ]);
    assert!(of(&analysis, "single-instance").is_empty(), "{:?}", analysis.findings);
}

#[test]
fn without_a_manifest_nothing_is_said_of_instances() {
    let quiet = "use axum::{Router, routing::get};\nasync fn hello() -> String { String::new() }\nfn main() { let _service: Router = Router::new().route(\"/\", get(hello)); }\n";
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", quiet)]);
    for item in [ChecklistItem::TwoInstance, ChecklistItem::Affinity] {
        assert!(matches!(analysis.assessed.get(&item), Some(Assessed::No(_))), "{item:?}");
    }
    let manifest = pod(2, "acme/shop", "");
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", quiet), ("deploy/shop.yaml", &manifest)]);
    for item in [ChecklistItem::TwoInstance, ChecklistItem::Affinity] {
        assert_eq!(analysis.assessed.get(&item), Some(&Assessed::Yes), "{item:?}");
    }
}

#[test]
fn a_development_file_shows_no_second_instance() {
    let compose = "services:\n  shop:\n    build: .\n    deploy: {replicas: 3}\n";
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", CODES), ("compose.dev.yaml", compose)]);
    assert!(facts(&analysis, ChecklistItem::TwoInstance).contains(&"no environment was seen with two or more instances"));
}

#[test]
fn a_broken_manifest_is_listed_and_is_no_unread_code() {
    let analysis = analyse(&[
        ("Cargo.toml", CARGO),
        ("src/main.rs", CODES),
        ("deploy/broken.yaml", "apiVersion: v1\nkind: [\n"),
        ("assets/sample.yaml", "a: [\n"),
    ]);
    assert!(analysis.errors.is_empty(), "{:?}", analysis.errors);
    let unread: Vec<&str> = analysis.unread_manifests.iter().map(|skip| skip.path.as_str()).collect();
    assert_eq!(unread, ["deploy/broken.yaml"]);
    assert!(analysis.unread_manifests[0].reason.starts_with("line 3: "), "{}", analysis.unread_manifests[0].reason);
    assert!(analysis.skipped.iter().any(|skip| skip.path == "assets/sample.yaml"), "data is passed over, and written down");
}

#[test]
fn a_manifest_that_is_no_text_is_listed() {
    let text: &[u8] = b"a: 1\nb: \xff\n";
    let analysis = Tree::new(&[("Cargo.toml", CARGO.as_bytes()), ("src/main.rs", CODES.as_bytes()), ("deploy.yaml", text)]).analyse();
    assert_eq!(analysis.unread_manifests[0].reason, "line 2: not UTF-8");
    assert_eq!(of(&analysis, "authoritative-memory").len(), 1);
}

#[test]
fn manifests_elsewhere_are_given_as_files_or_folders() {
    let elsewhere = Tree::new(&[("shop.yaml", pod(1, "acme/shop", ""))]);
    let given = |path: PathBuf| AnalyzeOptions { manifests: vec![path], ..AnalyzeOptions::default() };
    let tree = Tree::new(&[("Cargo.toml", CARGO), ("src/main.rs", CODES)]);
    for path in [elsewhere.path().to_path_buf(), elsewhere.path().join("shop.yaml")] {
        let analysis = tree.analyse_with(&Config::default(), &given(path));
        assert_eq!(of(&analysis, "single-instance").len(), 1);
    }
    let options = given(elsewhere.path().join("none.yaml"));
    let missing = cargo_stateless::engine::analyze(tree.path(), &Config::default(), &options);
    assert!(missing.is_err_and(|error| error.message.contains("none.yaml")), "a path that was named on purpose must be there");
}

#[test]
fn a_comment_in_a_manifest_allows_a_finding() {
    let manifest = pod(1, "acme/shop", "").replace("  replicas", "  # stateless: allow(single-instance) moved next year\n  replicas");
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", CODES), ("deploy/shop.yaml", &manifest)]);
    let file = analysis.comments.iter().find(|file| file.path == "deploy/shop.yaml").expect("its comments");
    assert_eq!(&*file.comments[0].text, "stateless: allow(single-instance) moved next year");
    assert!(analysis.items.iter().any(|item| item.path == "deploy/shop.yaml" && item.start_line == 6));
}

/// Two globs of crates that no manifest names once multiplied the look-ups of every name.
#[test]
fn globs_of_unknown_crates_end() {
    let code = format!("pub use unknown_one::*;\npub use unknown_two::inner::*;\n{CODES}");
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", &code)]);
    assert_eq!(of(&analysis, "authoritative-memory").len(), 1);
}

/// Associated types that name each other, and a trait that its own box implements.
#[test]
fn circles_of_types_end() {
    let circle = r#"
trait Step { type One; type Two; }
struct Walk;
impl Step for Walk { type One = Self::Two; type Two = Self::One; }
fn walk(_one: <Walk as Step>::One) {}
trait Store: Send + Sync {}
impl<S: Store + ?Sized> Store for Box<S> {}
impl Store for Box<dyn Store> {}
impl Store for std::sync::Arc<dyn Store> {}
impl Store for &'static dyn Store {}
struct Held { store: Box<dyn Store> }
static HELD: std::sync::Mutex<Option<Held>> = std::sync::Mutex::new(None);
"#;
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", &format!("{circle}{CODES}"))]);
    assert_eq!(of(&analysis, "authoritative-memory").len(), 1);
}

/// A handler that answers with the header that Fly's proxy obeys.
fn replay(value: &str) -> String {
    format!(
        "use axum::{{Router, extract::Path, response::IntoResponse, routing::get}};\nasync fn lobby(Path(id): Path<String>) -> impl IntoResponse {{\n    ([(\"fly-replay\", format!(\"{value}\"))], \"\")\n}}\nfn main() {{ let _service: Router = Router::new().route(\"/lobby/{{id}}\", get(lobby)); }}\n"
    )
}

#[test]
fn a_replay_to_one_instance_is_affinity_and_one_to_a_region_is_not() {
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", &replay("instance={id}"))]);
    let [sticky] = of(&analysis, "sticky-session")[..] else { panic!("{:?}", analysis.findings) };
    assert_eq!((sticky.location.path.as_str(), sticky.location.line), ("src/main.rs", 3));
    assert!(sticky.message.starts_with("GET /lobby/{id} fails"), "{}", sticky.message);
    let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", &replay("region=ams"))]);
    assert!(of(&analysis, "sticky-session").is_empty(), "the primary region of a database is no instance");
}

#[test]
fn one_worker_is_for_discussion() {
    let cargo = CARGO.replace("axum", "actix-web");
    let code = |workers: u32| {
        format!(
            "use actix_web::{{App, HttpServer, get}};\n#[get(\"/\")] async fn hello() -> String {{ String::new() }}\n#[actix_web::main]\nasync fn main() -> std::io::Result<()> {{\n    HttpServer::new(|| App::new().service(hello)).workers({workers}).bind(\"0.0.0.0:80\")?.run().await\n}}\n"
        )
    };
    let said = |workers| {
        let analysis = analyse(&[("Cargo.toml", &cargo), ("src/main.rs", &code(workers))]);
        analysis.findings.iter().filter(|f| f.rule == "single-instance").map(|f| f.persona).collect::<Vec<_>>()
    };
    assert_eq!(said(1), [Persona::Pedantic]);
    assert_eq!(said(4), []);
}

const SQLX: &str = "[package]\nname = \"shop\"\nedition = \"2024\"\n[dependencies]\naxum = \"0.8\"\nsqlx = \"0.8\"\ntokio = \"1\"\n";

/// Orders in the database that a setting names, of whatever kind it is.
const ANY: &str = r#"
use axum::{Router, extract::State, routing::post};
use sqlx::AnyPool;
async fn order(State(db): State<AnyPool>, body: String) {
    sqlx::query("INSERT INTO orders VALUES ($1)").bind(body).execute(&db).await.unwrap();
}
#[tokio::main]
async fn main() {
    let db = AnyPool::connect(&std::env::var("DATABASE_URL").unwrap()).await.unwrap();
    let app = Router::new().route("/orders", post(order)).with_state(db);
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), app).await.unwrap();
}
"#;

#[test]
fn the_settings_that_are_shipped_choose_the_database() {
    let persona = |path: &str, text: &str| {
        let analysis = analyse(&[("Cargo.toml", SQLX), ("src/main.rs", ANY), (path, text)]);
        let found: Vec<Persona> = analysis.findings.iter().filter(|f| f.rule == "embedded-database").map(|f| f.persona).collect();
        found.first().copied()
    };
    let compose = |url: &str| format!("services:\n  shop:\n    build: .\n    environment:\n      DATABASE_URL: {url}\n");
    assert_eq!(persona(".env", "DATABASE_URL=sqlite://data.db\n"), Some(Persona::Pedantic), "a local convenience");
    assert_eq!(persona("compose.prod.yaml", &compose("sqlite:///data/shop.db")), Some(Persona::Regular));
    assert_eq!(persona("compose.prod.yaml", &compose("postgres://db/shop")), None);
    assert_eq!(persona(".env", "DATABASE_URL=sqlite::memory:\n"), None);
    assert_eq!(persona("README.md", "DATABASE_URL=sqlite://data.db\n"), None, "nothing says what it is");
}

#[test]
fn the_only_driver_that_is_built_in_chooses_the_database() {
    let says = |dependency: &str, opens: &str, env: &str| {
        let cargo = SQLX.replace("sqlx = \"0.8\"", dependency);
        let code = ANY
            .replace("AnyPool::connect(&std::env::var(\"DATABASE_URL\").unwrap())", opens)
            .replace("use sqlx::AnyPool", "type AnyPool = Db");
        let code = if opens.is_empty() { ANY.to_owned() } else { code };
        let analysis = analyse(&[("Cargo.toml", &cargo), ("src/main.rs", &code), (".env", env)]);
        analysis.findings.iter().find(|f| f.rule == "embedded-database").map(|f| (f.persona, f.witness[0].len()))
    };
    let sqlite = "DATABASE_URL=sqlite://data.db\n";
    let server = "DATABASE_URL=postgres://db/shop\n";
    let any = |features: &str| format!("sqlx = {{ version = \"0.8\", features = [{features}] }}");
    assert_eq!(says(&any("\"sqlite\", \"runtime-tokio\""), "", sqlite), Some((Persona::Regular, 2)), "the setting says where the file is");
    assert_eq!(says(&any("\"sqlite\""), "", ""), Some((Persona::Regular, 1)), "no setting can name a server");
    assert_eq!(says(&any("\"sqlite\", \"postgres\""), "", sqlite), Some((Persona::Pedantic, 2)), "the setting decides");
    assert_eq!(says(&any("\"sqlite\", \"postgres\""), "", server), None);
    let sea = |features: &str| format!("sea-orm = {{ version = \"1\", features = [{features}] }}");
    let connect = "sea_orm::Database::connect(std::env::var(\"DATABASE_URL\").unwrap())";
    assert_eq!(says(&sea("\"sqlx-sqlite\""), connect, ""), Some((Persona::Regular, 1)));
    assert_eq!(says(&sea("\"sqlx-postgres\""), connect, server), None);
    assert_eq!(says(&sea("\"sqlx-postgres\", \"sqlx-sqlite\""), connect, sqlite), Some((Persona::Pedantic, 2)));
}

#[test]
fn diesels_connection_type_says_which_engine_it_is_whatever_the_setting() {
    let says = |opens: &str| {
        let code = format!(
            "use axum::{{Router, routing::post}};\nuse diesel::{{Connection, PgConnection, SqliteConnection, r2d2::{{ConnectionManager, Pool}}}};\n\
            async fn order() {{}}\n#[tokio::main] async fn main() {{ let url = std::env::var(\"DATABASE_URL\").unwrap(); {opens}\n\
            axum::serve(tokio::net::TcpListener::bind(\"a\").await.unwrap(), Router::new().route(\"/\", post(order))).await.unwrap(); }}\n"
        );
        let cargo = SQLX.replace("sqlx = \"0.8\"", "diesel = \"2\"");
        let files = [("Cargo.toml", cargo.as_str()), ("src/main.rs", code.as_str()), (".env", "DATABASE_URL=data.db\n")];
        analyse(&files).findings.iter().filter(|f| f.rule == "embedded-database").map(|f| f.persona).collect::<Vec<_>>()
    };
    assert_eq!(says("let c = SqliteConnection::establish(&url).unwrap();"), [Persona::Regular]);
    assert_eq!(says("let p = Pool::builder().build(ConnectionManager::<SqliteConnection>::new(url)).unwrap();"), [Persona::Regular]);
    assert_eq!(says("let c = PgConnection::establish(&url).unwrap();"), []);
    assert_eq!(says("let p = Pool::builder().build(ConnectionManager::<PgConnection>::new(url)).unwrap();"), []);
}

#[test]
fn a_server_in_another_environment_makes_the_file_a_local_convenience() {
    let compose = "services:\n  shop:\n    build: .\n    environment:\n      DATABASE_URL: postgres://db/shop\n";
    let files = [("Cargo.toml", SQLX), ("src/main.rs", ANY), (".env", "DATABASE_URL=sqlite://data.db\n"), ("compose.prod.yaml", compose)];
    assert!(analyse(&files).findings.iter().all(|f| f.rule != "embedded-database"));
}

/// A store whose place is known is on the volume that is mounted there, and on no other.
#[test]
fn a_volume_counts_where_the_store_lies_below_its_mount() {
    let mounted = |mount: &str| {
        let more = format!("        volumeMounts: [{{name: data, mountPath: {mount}}}]\n      volumes: [{{name: data, emptyDir: {{}}}}]\n");
        let manifest = format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: shop}}\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers:\n      - name: shop\n        image: acme/shop\n{more}"
        );
        let analysis = analyse(&[("Cargo.toml", CARGO), ("src/main.rs", ORDERS), ("deploy/shop.yaml", &manifest)]);
        let [store] = of(&analysis, "embedded-database")[..] else { panic!("{:?}", analysis.findings) };
        store.witness.iter().flatten().any(|step| step.message.contains("an emptyDir"))
    };
    assert!(mounted("/data"));
    assert!(!mounted("/var/log"));
}

#[test]
fn a_template_whose_actions_open_blocks_is_read() {
    let template = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: shop\nspec:\n  replicas: 1\n  template:\n    spec:\n      containers:\n        - name: shop\n          image: acme/shop\n          livenessProbe: {{- include \"common.render\" (dict \"value\" .Values.probe) | nindent 12 }}\n            httpGet:\n              path: /health\n              port: http\n";
    let analysis = analyse(&[
        ("Cargo.toml", CARGO),
        ("src/main.rs", CODES),
        ("chart/Chart.yaml", "name: shop\n"),
        ("chart/templates/app.yaml", template),
    ]);
    assert!(analysis.unread_manifests.is_empty(), "{:?}", analysis.unread_manifests);
    assert_eq!(of(&analysis, "single-instance").len(), 1, "{:?}", analysis.findings);
}
