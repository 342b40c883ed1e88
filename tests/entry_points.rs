//! Entry points are found with the method and path that the code gives them.

use cargo_stateless::analysis::{AnalyzeOptions, InventoryKind};
use cargo_stateless::config::Config;

/// The labels of the entry points of a service with this `main.rs` and these dependencies.
fn entries(dependencies: &[&str], source: &str) -> Vec<String> {
    let dir = tempfile::tempdir().expect("a folder");
    let list: String = dependencies.iter().map(|d| format!("{d} = \"*\"\n")).collect();
    let manifest = format!("[package]\nname = \"clinic\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\n{list}");
    std::fs::create_dir(dir.path().join("src")).expect("writable");
    std::fs::write(dir.path().join("Cargo.toml"), manifest).expect("writable");
    std::fs::write(dir.path().join("src/main.rs"), source).expect("writable");
    let analysis =
        cargo_stateless::engine::analyze(dir.path(), &Config::default(), &AnalyzeOptions { inventory: true, ..AnalyzeOptions::default() })
            .expect("a tree");
    let mut labels: Vec<String> = analysis.inventory.into_iter().filter(|r| r.kind == InventoryKind::Entry).map(|r| r.verdict).collect();
    labels.sort();
    labels
}

#[test]
fn documented_axum_handlers_are_routed_by_their_documentation() {
    let found = entries(
        &["axum", "utoipa", "utoipa-axum"],
        "use utoipa_axum::{router::OpenApiRouter, routes};\n\
         #[utoipa::path(post, path = \"/visits\", responses((status = 200)))] async fn book() {}\n\
         #[utoipa::path(get, path = \"/visits/{id}\")] async fn show() {}\n\
         fn api() -> OpenApiRouter { OpenApiRouter::new().routes(routes!(book)).routes(routes!(show)) }\n\
         #[tokio::main] async fn main() { let app = OpenApiRouter::new().nest(\"/api\", api()); }",
    );
    assert_eq!(found, ["GET /api/visits/{id}", "POST /api/visits"]);
}

#[test]
fn a_handler_under_several_routes_goes_by_the_first_and_middleware_by_its_name() {
    let found = entries(
        &["axum"],
        "use axum::{Router, middleware::from_fn, routing::get};\n\
         async fn show() {} async fn audit() {}\n\
         fn inner() -> Router { Router::new().route(\"/a/{id}\", get(show)).route(\"/b/{id}\", get(show)).layer(from_fn(audit)) }\n\
         #[tokio::main] async fn main() { let app = Router::new().nest(\"/v1\", inner()); }",
    );
    assert_eq!(found, ["GET /v1/a/{id}", "middleware audit"]);
}
