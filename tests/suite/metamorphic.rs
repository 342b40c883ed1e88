//! The verdict hangs on facts: it survives another spelling of the same program and falls with one changed fact.

use crate::tree::{self, PERMITS, Tree, with};

const ACTIX: &str = r#"
use actix_web::{App, HttpResponse, HttpServer, get, put, web};
use std::{collections::HashMap, sync::Mutex};

struct Office {
    permits: Mutex<HashMap<u32, String>>,
}

#[get("/permits/{id}")]
async fn show(office: web::Data<Office>, id: web::Path<u32>) -> HttpResponse {
    match office.permits.lock().unwrap().get(&*id) {
        Some(permit) => HttpResponse::Ok().body(permit.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

#[put("/permits/{id}")]
async fn grant(office: web::Data<Office>, id: web::Path<u32>, body: String) -> HttpResponse {
    office.permits.lock().unwrap().insert(*id, body);
    HttpResponse::NoContent().finish()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let office = web::Data::new(Office { permits: Mutex::new(HashMap::new()) });
    HttpServer::new(move || App::new().app_data(office.clone()).service(show).service(grant)).bind("0.0.0.0:80")?.run().await
}
"#;

const FIELD: &str = "Arc<Mutex<HashMap<u32, String>>>";
const INSERT: &str = "app.permits.lock().unwrap().insert(id, body);";
const LOOKUP: &str = "app.permits.lock().unwrap().get(&id).cloned().map(Json).ok_or(StatusCode::NOT_FOUND)";

/// The rules that are reported for a crate of these files below `src`, sorted.
fn verdict(files: &[(&str, &str)]) -> Vec<&'static str> {
    let analysis = Tree::package("office", &["axum", "actix-web", "sqlx"], files).understood();
    assert!(analysis.summary.entry_points >= 2, "the handlers were not found");
    tree::rules(&analysis.findings)
}

fn reported(what: &str, files: &[(&str, &str)]) {
    assert_eq!(verdict(files), ["authoritative-memory"], "{what}");
}

fn quiet(what: &str, files: &[(&str, &str)]) {
    assert!(verdict(files).is_empty(), "{what}: {:?}", verdict(files));
}

#[test]
fn the_originals_are_reported() {
    reported("axum", &[("main.rs", PERMITS)]);
    reported("actix", &[("main.rs", ACTIX)]);
}

#[test]
fn names_do_not_matter() {
    for (what, program) in [("axum", PERMITS), ("actix", ACTIX)] {
        let renamed = with(&with(&with(program, "permits", "zettel"), "show", "zeigen"), "grant", "geben");
        reported(what, &[("main.rs", &renamed)]);
    }
}

#[test]
fn an_alias_does_not_matter() {
    let aliased = with(PERMITS, &format!("permits: {FIELD}"), "permits: Shared<u32>");
    let aliased = format!("{aliased}\ntype Shared<K> = Arc<Mutex<HashMap<K, String>>>;\n");
    reported("alias", &[("main.rs", &aliased)]);
}

#[test]
fn a_newtype_does_not_matter() {
    let wrapped = with(&with(PERMITS, &format!("permits: {FIELD}"), "permits: Register"), "permits.lock()", "permits.0.lock()");
    let wrapped = format!("{wrapped}\n#[derive(Clone, Default)]\nstruct Register({FIELD});\n");
    reported("newtype", &[("main.rs", &wrapped)]);
}

#[test]
fn the_file_does_not_matter() {
    let state = "\n#[derive(Clone, Default)]\nstruct App {\n    permits: Arc<Mutex<HashMap<u32, String>>>,\n}\n";
    let main = with(&with(PERMITS, state, "\nmod state;\nuse state::App;\n"), "use std::{collections::HashMap, sync::{Arc, Mutex}};\n", "");
    let moved = "use std::{collections::HashMap, sync::{Arc, Mutex}};\n\n#[derive(Clone, Default)]\npub struct App {\n    \
        pub permits: Arc<Mutex<HashMap<u32, String>>>,\n}\n";
    reported("moved", &[("main.rs", &main), ("state.rs", moved)]);
}

#[test]
fn a_helper_does_not_matter() {
    let helped = with(&with(PERMITS, INSERT, "app.keep(id, body);"), LOOKUP, "app.find(id).map(Json).ok_or(StatusCode::NOT_FOUND)");
    let helped = format!(
        "{helped}\nimpl App {{\n    fn keep(&self, id: u32, body: String) {{ self.permits.lock().unwrap().insert(id, body); }}\n    \
         fn find(&self, id: u32) -> Option<String> {{ self.permits.lock().unwrap().get(&id).cloned() }}\n}}\n"
    );
    reported("helper", &[("main.rs", &helped)]);
}

/// One changed fact: the database has the row, and a miss reads it.
#[test]
fn a_miss_that_reads_the_database_is_quiet() {
    let cached = with(PERMITS, "struct App {\n", "struct App {\n    pool: sqlx::PgPool,\n");
    let cached = with(&cached, "#[derive(Clone, Default)]\n", "#[derive(Clone)]\n");
    let cached = with(&cached, "App::default()", "App { pool: sqlx::PgPool::connect_lazy(\"\").unwrap(), permits: Default::default() }");
    let cached = with(
        &cached,
        LOOKUP,
        "let known = app.permits.lock().unwrap().get(&id).cloned();
    if let Some(permit) = known {
        return Ok(Json(permit));
    }
    let query = sqlx::query_scalar::<_, String>(\"SELECT body FROM permits WHERE id = $1\").bind(id as i64);
    let permit = query.fetch_one(&app.pool).await.map_err(|_| StatusCode::NOT_FOUND)?;
    app.permits.lock().unwrap().insert(id, permit.clone());
    Ok(Json(permit))",
    );
    let insert = "sqlx::query(\"INSERT INTO permits VALUES ($1, $2)\").bind(id as i64).bind(body).execute(&app.pool).await.unwrap();";
    quiet("read through", &[("main.rs", &with(&cached, INSERT, insert))]);
}

/// One changed fact: no request writes.
#[test]
fn what_only_startup_writes_is_quiet() {
    let axum = with(PERMITS, INSERT, "let _ = (app, id, body);");
    let axum = with(
        &axum,
        "    let _service",
        "    let app = App::default();\n    app.permits.lock().unwrap().insert(1, String::new());\n    let _service",
    );
    quiet("axum", &[("main.rs", &with(&axum, "with_state(App::default())", "with_state(app)"))]);
    let actix = with(ACTIX, "office.permits.lock().unwrap().insert(*id, body);", "let _ = (office, id, body);");
    let filled = "    office.permits.lock().unwrap().insert(1, String::new());\n    HttpServer::new";
    quiet("actix", &[("main.rs", &with(&actix, "    HttpServer::new", filled))]);
}
