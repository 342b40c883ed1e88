//! Entry points are found with the method and path that the code gives them.

use cargo_stateless::analysis::{AnalyzeOptions, InventoryKind};
use cargo_stateless::config::Config;

use crate::tree::Tree;

/// The labels of the entry points of a service with this `main.rs` and these dependencies.
fn entries(dependencies: &[&str], source: &str) -> Vec<String> {
    labels(&Tree::service("clinic", dependencies, source), AnalyzeOptions::default())
}

fn labels(tree: &Tree, options: AnalyzeOptions) -> Vec<String> {
    let inventory = tree.analyse_with(&Config::default(), &AnalyzeOptions { inventory: true, ..options }).inventory;
    let mut labels: Vec<String> = inventory.into_iter().filter(|r| r.kind == InventoryKind::Entry).map(|r| r.verdict).collect();
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

#[test]
fn actix_scopes_resources_and_configuring_functions_are_joined() {
    let found = entries(
        &["actix-web"],
        "use actix_web::{App, HttpServer, web, get};\n\
         #[get(\"/{id}\")] async fn show() {} async fn book() {} async fn cancel() {}\n\
         fn visits(cfg: &mut web::ServiceConfig) {\n\
             cfg.service(web::scope(\"/visits\").service(show).service(web::resource(\"\").route(web::post().to(book))));\n\
             cfg.route(\"/cancel\", web::delete().to(cancel));\n\
         }\n\
         fn main() { HttpServer::new(|| App::new().service(web::scope(\"/api\").configure(visits))); }",
    );
    assert_eq!(found, ["DELETE /api/cancel", "GET /api/visits/{id}", "POST /api/visits"]);
}

#[test]
fn tide_routes_and_nested_apps_are_joined() {
    let found = entries(
        &["tide"],
        "async fn list(_: tide::Request<()>) -> tide::Result { todo!() }\n\
         fn main() { let mut app = tide::new(); app.at(\"/wards\").get(list).post(|_| async { Ok(\"\") });\n\
         app.at(\"/v2\").nest({ let mut inner = tide::new(); inner.at(\"/beds\").put(|_| async { Ok(\"\") }); inner }); }",
    );
    assert_eq!(found, ["GET /wards", "POST /wards", "PUT /v2/beds"]);
}

#[test]
fn warp_chains_tell_path_and_method() {
    let found = entries(
        &["warp"],
        "use warp::Filter;\n\
         async fn show(id: u64) -> Result<String, warp::Rejection> { todo!() }\n\
         fn main() {\n\
             let one = warp::path!(\"beds\" / u64).and(warp::get()).and_then(show);\n\
             let all = warp::path(\"beds\").and(warp::path(\"all\")).and(warp::post()).map(|| \"\");\n\
             warp::serve(warp::path(\"v1\").and(one.or(all)));\n\
         }",
    );
    assert_eq!(found, ["GET /v1/beds/{}", "POST /v1/beds/all"]);
}

#[test]
fn salvo_routers_put_their_path_before_their_children() {
    let found = entries(
        &["salvo"],
        "use salvo::prelude::*;\n\
         #[handler] async fn list() {} #[handler] async fn show() {} #[handler] async fn audit() {}\n\
         struct Ward; #[handler] impl Ward { async fn handle(&self) {} }\n\
         fn main() { Router::new().hoop(audit).push(Router::with_path(\"beds\").get(list).push(Router::with_path(\"{id}\").delete(show))); }",
    );
    assert_eq!(found, ["DELETE /beds/{id}", "GET /beds", "Ward::handle", "audit"]);
}

#[test]
fn gotham_builders_are_followed_into_their_closures() {
    let found = entries(
        &["gotham"],
        "use gotham::prelude::*; use gotham::router::{Router, build_simple_router};\n\
         fn list() {} fn book() {}\n\
         fn router() -> Router { build_simple_router(|route| { route.get(\"/\").to(list); \
         route.scope(\"/beds\", |route| { route.post(\"/book\").to(book); }); }) } fn main() { router(); }",
    );
    assert_eq!(found, ["GET /", "POST /beds/book"]);
}

#[test]
fn impls_of_service_traits_are_served_under_the_names_of_the_trait() {
    let rpc = entries(
        &["jsonrpsee"],
        "use jsonrpsee::proc_macros::rpc;\n\
         #[rpc(server)] trait Beds { #[method(name = \"beds_free\")] async fn free(&self) -> u32; }\n\
         struct Ward; impl BedsServer for Ward { async fn free(&self) -> u32 { 1 } }\n\
         fn main() { let mut module = jsonrpsee::RpcModule::new(()); module.register_method(\"ping\", |_, _, _| \"pong\"); }",
    );
    assert_eq!(rpc, ["beds_free", "ping"]);
    let api = entries(
        &["dropshot"],
        "#[dropshot::api_description] trait Beds { type Context; #[endpoint { method = PUT, path = \"/beds/{id}\" }] async fn book(); }\n\
         struct Ward; impl Beds for Ward { type Context = (); async fn book() {} }\n\
         #[dropshot::endpoint { method = GET, path = \"/beds\" }] async fn list() {} fn main() {}",
    );
    assert_eq!(api, ["GET /beds", "PUT /beds/{id}"]);
}

#[test]
fn rocket_routes_built_by_hand_and_typed_axum_paths_have_labels() {
    let manual = entries(
        &["rocket"],
        "use rocket::{Route, http::Method, Request, Data, route};\n\
         fn show<'r>(req: &'r Request, _: Data<'r>) -> route::BoxFuture<'r> { todo!() }\n\
         fn main() { rocket::build().mount(\"/beds\", vec![Route::new(Method::Get, \"/free\", show)]); }",
    );
    assert_eq!(manual, ["GET /beds/free"]);
    let typed = entries(
        &["axum", "axum-extra"],
        "use axum_extra::routing::{RouterExt, TypedPath};\n\
         #[derive(TypedPath)] #[typed_path(\"/beds/{id}\")] struct Bed { id: u32 }\n\
         async fn show(bed: Bed) {} fn main() { axum::Router::new().typed_get(show); }",
    );
    assert_eq!(typed, ["GET /beds/{id}"]);
}

/// In the framework's own repository: the example has its dependencies for development and sees the framework from outside.
#[test]
fn examples_see_their_framework_from_outside() {
    let manifest = "[package]\nname = \"tide\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[dev-dependencies]\nactix-web = \"4\"\n";
    let library = "pub struct Server; pub fn new() -> Server { Server } impl Server { pub fn at(&mut self, path: &str) {} }\n";
    let example = "fn main() { let mut app = tide::new(); app.at(\"/beds\").get(|_| async { Ok(\"\") }); }\n\
                   #[actix_web::get(\"/health\")] async fn health() {}\n";
    let tree = Tree::new(&[("Cargo.toml", manifest), ("src/lib.rs", library), ("examples/beds.rs", example)]);
    let found = labels(&tree, AnalyzeOptions { examples: true, ..AnalyzeOptions::default() });
    assert_eq!(found, ["GET /beds", "GET /health"]);
}

/// Associated types may name themselves through the header of their impl; that ends.
#[test]
fn associated_types_in_a_circle_end() {
    let found = entries(
        &["axum"],
        "trait Chain { type Out<T: Chain>; }\n\
         struct Link<A>(A); impl<A: Chain> Chain for Link<A> { type Out<T: Chain> = Link<<Self as Chain>::Out<Link<T>>>; }\n\
         impl<A> Link<A> where A: Chain { fn go(self) -> <Link<A> as Chain>::Out<A> { todo!() } }\n\
         async fn show() {} fn main() { axum::Router::<()>::new().route(\"/\", axum::routing::get(show)); }",
    );
    assert_eq!(found, ["GET /"]);
}

#[test]
fn globs_of_crates_that_are_not_known_end() {
    let globs: String = (0..6).map(|i| format!("pub use unknown{i}::*; pub use unknown{i}::prelude::*;\n")).collect();
    let found = entries(
        &["axum"],
        &format!(
            "{globs} async fn show() {{ Strange::call(other(3)); }}\nfn main() {{ axum::Router::new().route(\"/\", axum::routing::get(show)); }}"
        ),
    );
    assert_eq!(found, ["GET /"]);
}

#[test]
fn arms_on_method_and_path_are_routes_of_a_bare_hyper_service() {
    let found = entries(
        &["hyper"],
        "use hyper::{Method, Request, service::service_fn};\n\
         async fn serve(req: Request<()>) -> &'static str { match (req.method(), req.uri().path()) {\n\
         (&Method::GET, \"/\") => \"\", (&Method::POST, \"/echo\") => \"\", _ => \"missing\" } } fn main() { service_fn(serve); }",
    );
    assert_eq!(found, ["GET /", "POST /echo", "serve"]);
}

#[test]
fn a_trait_whose_boxes_have_it_too_ends() {
    let found = entries(
        &["axum"],
        "use std::sync::{Arc, Mutex};\ntrait Repo: Send { fn put(&mut self); }\n\
         impl<T: Repo + ?Sized> Repo for Box<T> { fn put(&mut self) { (**self).put() } }\n\
         impl<A: Repo, B: Repo> Repo for (A, B) { fn put(&mut self) { self.0.put(); self.1.put() } }\n\
         struct Plain; impl Repo for Plain { fn put(&mut self) {} }\n\
         struct App { repo: Mutex<Box<dyn Repo>> }\n\
         async fn book(axum::extract::State(app): axum::extract::State<Arc<App>>) { app.repo.lock().unwrap().put(); }\n\
         fn main() { axum::Router::new().route(\"/\", axum::routing::post(book)).with_state(Arc::new(App { repo: Mutex::new(Box::new(Plain)) })); }",
    );
    assert_eq!(found, ["POST /"]);
}

#[test]
fn a_handler_without_a_known_path_is_told_from_others() {
    let found = entries(
        &["axum"],
        "mod sites { pub mod gravel { pub async fn post() {} pub async fn refill() {} } }\n\
         fn main() { let path = std::env::args().next().unwrap(); axum::Router::<()>::new().route(&path, axum::routing::post(sites::gravel::post))\n\
         .route(&path, axum::routing::post(sites::gravel::refill)); }",
    );
    assert_eq!(found, ["POST gravel::post", "POST refill"]);
}

#[test]
fn routerify_routes_its_handlers() {
    let found = entries(
        &["routerify", "hyper"],
        "use routerify::Router; use hyper::{Body, Request, Response};\n\
         async fn list(_: Request<Body>) -> Result<Response<Body>, hyper::Error> { Ok(Response::new(Body::empty())) }\n\
         async fn add(_: Request<Body>) -> Result<Response<Body>, hyper::Error> { Ok(Response::new(Body::empty())) }\n\
         fn main() { let _ = Router::<Body, hyper::Error>::builder().get(\"/hens\", list).post(\"/hens\", add).build(); }",
    );
    assert_eq!(found, ["GET /hens", "POST /hens"]);
}

/// Edition 2015 begins imports and paths with leading colons at the crate's root: <https://doc.rust-lang.org/edition-guide/rust-2018/path-changes.html>.
#[test]
fn imports_of_edition_2015_begin_at_the_root() {
    let routes = "#[post(\"/eggs\")] pub fn lay() { layers::mails::thank(); ::layers::mails::thank(); } use layers;";
    let mails = "use std::thread; use lettre::Transport; use mailer;\n\
        pub fn thank() { thread::spawn(|| { mailer().map(|mut transport| transport.send(letter())).is_ok(); }); }";
    let main = "#[macro_use] extern crate rocket; extern crate lettre; mod routes; mod layers;\n\
        fn mailer() -> Result<lettre::SmtpTransport, ()> { match lettre::SmtpClient::new_simple(\"mail\") { Ok(client) => Ok(client.transport()), Err(_) => Err(()) } }\n\
        fn main() { rocket::ignite().mount(\"/\", routes![routes::lay]).launch(); }";
    let found = |manifest: &str| {
        let tree = Tree::new(&[("Cargo.toml", manifest)]);
        for (path, text) in [("main.rs", main), ("routes.rs", routes), ("layers/mod.rs", "pub mod mails;"), ("layers/mails.rs", mails)] {
            tree.write(&format!("src/{path}"), text);
        }
        tree.rules()
    };
    let manifest = "[package]\nname = \"coop\"\nversion = \"0.1.0\"\n[dependencies]\nrocket = \"0.4\"\nlettre = \"0.9\"\n";
    assert_eq!(found(manifest), ["detached-task"]);
    let later = manifest.replace("[dependencies]", "edition = \"2021\"\n[dependencies]");
    assert!(found(&later).is_empty(), "these imports mean nothing there");
}

/// Routes that only a macro knows: what the parameters are tells a handler, and that nobody calls it.
#[test]
fn a_function_that_takes_parts_of_a_request_is_a_handler_without_a_route() {
    let code = "use axum::{Json, Router, extract::{Path, State}, middleware::Next};\n\
         macro_rules! desk { ($app:expr, $($f:ident),*) => { $( $app.route(stringify!($f), axum::routing::get($f)) )* }; }\n\
         async fn admit(State(_): State<u8>, Json(_): Json<u8>) {} async fn discharge(Path(id): Path<u8>) { note(Path(id)).await }\n\
         async fn note(_: Path<u8>) {} async fn count(_: &Json<u8>) {} fn weigh(_: Json<u8>) {}\n\
         async fn audit(_: axum::extract::Request, _: Next) {}\n\
         fn main() { let app: Router = Router::new(); desk!(app, admit, discharge); }";
    assert_eq!(entries(&["axum"], code), ["admit", "discharge", "middleware audit"]);
    assert!(
        entries(&["rocket"], "use rocket::{State, serde::json::Json}; async fn admit(_: &State<u8>, _: Json<u8>) {} fn main() {}")
            .is_empty()
    );
}

/// A type of the tree that is made of a request, given to a router's method of the tree by reference.
#[test]
fn a_guard_of_the_tree_makes_a_handler_of_the_function_that_takes_it() {
    let code = "use axum::{Router, extract::FromRequestParts, http::request::Parts};\n\
         struct Nurse; impl<S: Sync> FromRequestParts<S> for Nurse { type Rejection = (); async fn from_request_parts(_: &mut Parts, _: &S) -> Result<Nurse, ()> { Ok(Nurse) } }\n\
         trait Ward { fn bed<F>(self, f: &F) -> Self; } impl Ward for Router { fn bed<F>(self, f: &F) -> Router { self } }\n\
         async fn admit(_: Nurse) {}\n\
         fn main() { Router::new().bed(&admit); }";
    assert_eq!(entries(&["axum"], code), ["admit", "extractor from_request_parts"]);
}

#[test]
fn a_framework_that_a_module_of_the_tree_passes_on_is_the_framework() {
    let files = |glob: &'static str| {
        [
            ("desk.rs", glob),
            (
                "main.rs",
                "mod desk; use crate::desk as actix_web; use actix_web::{App, HttpServer, get, web};\n\
              #[get(\"/beds/{id}\")] async fn show() {} async fn book() {}\n\
              fn main() { HttpServer::new(|| App::new().service(show).route(\"/beds\", web::post().to(book))); }",
            ),
        ]
    };
    let found = |glob| labels(&Tree::package("clinic", &["actix-web"], &files(glob)), AnalyzeOptions::default());
    assert_eq!(found("pub use actix_web::*;"), ["GET /beds/{id}", "POST /beds"]);
    assert_eq!(found("pub use serde::*;"), ["GET /beds/{id}"]);
}

#[test]
fn a_grpc_trait_whose_generated_file_is_in_the_tree_may_take_its_service_by_arc() {
    let generated = "pub mod ward_server { #[tonic::async_trait] pub trait Ward { async fn admit(self: std::sync::Arc<Self>, request: tonic::Request<u8>) -> Result<tonic::Response<u8>, tonic::Status>; } }";
    let main = "mod generated; use generated::ward_server::Ward; use std::sync::Arc; struct Desk;\n\
         #[async_trait::async_trait] impl Ward for Desk { async fn admit(self: Arc<Self>, request: tonic::Request<u8>) -> Result<tonic::Response<u8>, tonic::Status> { todo!() } }\n\
         fn main() {}";
    let tree = Tree::package("clinic", &["tonic", "async-trait"], &[("generated.rs", generated), ("main.rs", main)]);
    assert_eq!(labels(&tree, AnalyzeOptions::default()), ["gRPC admit"]);
}
