//! Every library that signs tokens: how long they count is read from its own calls, and one changed fact changes the verdict.

use cargo_stateless::analysis::{Analysis, AnalyzeOptions};
use cargo_stateless::config::Config;
use cargo_stateless::finding::Severity;

use crate::tree::Tree;

/// A harbour office that signs passes of pilots and checks them in an extractor.
fn office(dependencies: &[&str], items: &str, mint: &str, verify: &str) -> Analysis {
    let source = format!(
        r#"
use axum::{{Json, Router, extract::{{FromRequestParts, State}}, http::request::Parts, routing::{{get, post}}}};
use serde::{{Deserialize, Serialize}};
use std::sync::Arc;
{items}
struct Office {{ db: sqlx::PgPool, secret: String }}
type Fault = Box<dyn std::error::Error>;
struct Pilot(i64);
async fn check(office: &Office, pass: &str) -> Result<Pilot, Fault> {{ {verify} }}
impl FromRequestParts<Arc<Office>> for Pilot {{
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, office: &Arc<Office>) -> Result<Self, Fault> {{
        check(office, parts.headers.get("authorization").unwrap().to_str()?).await
    }}
}}
async fn sign_in(State(office): State<Arc<Office>>) -> String {{
    let sub: i64 = sqlx::query_scalar("SELECT id FROM pilots").fetch_one(&office.db).await.unwrap();
    {mint}
}}
async fn berth(pilot: Pilot) -> Json<i64> {{ Json(pilot.0) }}
async fn tide(pilot: Pilot) -> Json<i64> {{ Json(pilot.0) }}
async fn wind(pilot: Pilot) -> Json<i64> {{ Json(pilot.0) }}
#[tokio::main] async fn main() {{
    let office = Arc::new(Office {{ db: sqlx::PgPool::connect("a").await.unwrap(), secret: std::env::var("SECRET").unwrap() }});
    let r = Router::new().route("/sign-in", post(sign_in)).route("/berth", get(berth)).route("/tide", get(tide)).route("/wind", get(wind));
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r.with_state(office)).await.unwrap();
}}
"#
    );
    let all = [&["axum", "chrono", "serde", "serde_json", "sqlx", "time", "tokio"], dependencies].concat();
    let tree = Tree::service("office", &all, source);
    cargo_stateless::engine::analyze(tree.path(), &Config::default(), &AnalyzeOptions::default()).expect("a tree")
}

fn says(analysis: &Analysis, rule: &str) -> Vec<String> {
    analysis.findings.iter().filter(|f| f.rule == rule).map(|f| f.message.clone()).collect()
}

/// The one finding on the window contains this.
fn window(analysis: &Analysis, text: &str) {
    let found = says(analysis, "long-lived-token");
    assert!(found.len() == 1 && found[0].contains(text), "{text}: {found:?} {:?}", analysis.checklist_facts);
}

fn no_window(analysis: &Analysis) {
    assert!(says(analysis, "long-lived-token").is_empty(), "{:?}", says(analysis, "long-lived-token"));
    assert!(analysis.checklist_facts.iter().any(|(_, fact)| fact.starts_with("token")), "{:?}", analysis.checklist_facts);
}

#[test]
fn jwt_simple_by_the_span_of_its_claims() {
    let with = |claims: &str, key: &str| {
        let mint = format!("let key = {key}; let claims = {claims}.with_subject(sub); key.authenticate(claims).unwrap()");
        let verify = format!("let key = {}; Ok(Pilot(key.verify_token::<NoCustomClaims>(pass, None)?.subject.unwrap().parse()?))", key);
        office(&["jwt-simple"], "use jwt_simple::prelude::*;", &mint.replace("app", "office"), &verify)
    };
    let key = "HS256Key::from_bytes(office.secret.as_bytes())";
    let month = with("Claims::create(Duration::from_days(30))", key);
    window(&month, "30 days");
    assert_eq!(says(&month, "fixed-signing-key").len(), 1);
    no_window(&with("Claims::create(Duration::from_mins(10))", key));
    let named = with("Claims::create(Duration::from_mins(10))", "HS256Key::from_bytes(office.secret.as_bytes()).with_key_id(\"a\")");
    assert!(says(&named, "fixed-signing-key").is_empty());
}

#[test]
fn josekit_by_the_setter_and_the_validator() {
    let items = "use josekit::{jws::{HS256, JwsHeader}, jwt::{self, JwtPayload, JwtPayloadValidator}};";
    let with = |seconds: &str, header: &str, validate: &str| {
        let mint = format!(
            "let mut header = JwsHeader::new(); {header} let mut payload = JwtPayload::new(); payload.set_subject(\"a\");
            payload.set_expires_at(&(std::time::SystemTime::now() + std::time::Duration::from_secs({seconds})));
            let signer = HS256.signer_from_bytes(office.secret.as_bytes()).unwrap(); jwt::encode_with_signer(&payload, &header, &signer).unwrap()"
        );
        let verify = format!(
            "let verifier = HS256.verifier_from_bytes(office.secret.as_bytes())?;
            let (payload, _) = jwt::decode_with_verifier(pass, &verifier)?; {validate} Ok(Pilot(payload.subject().unwrap().parse()?))"
        );
        office(&["josekit"], items, &mint, &verify)
    };
    const VALIDATE: &str = "let v = JwtPayloadValidator::new(); v.validate(&payload)?;";
    window(&with("86400 * 3", "", VALIDATE), "3 days");
    no_window(&with("600", "", VALIDATE));
    window(&with("600", "", ""), "expired token is accepted");
    assert!(says(&with("600", "header.set_key_id(\"k\");", VALIDATE), "fixed-signing-key").is_empty());
}

#[test]
fn biscuit_by_its_registered_claims() {
    let items = "use biscuit::{ClaimsSet, Empty, JWT, RegisteredClaims, ValidationOptions, jwa::SignatureAlgorithm, jws::{self, Secret}};
        #[derive(Serialize, Deserialize)] struct Private { harbour: String }";
    let with = |life: &str, validate: &str| {
        let mint = format!(
            "let registered = RegisteredClaims {{ expiry: Some((chrono::Utc::now() + {life}).into()), ..Default::default() }};
            let claims = ClaimsSet::<Private> {{ registered, private: Private {{ harbour: \"a\".into() }} }};
            let header = jws::RegisteredHeader {{ algorithm: SignatureAlgorithm::HS256, ..Default::default() }};
            JWT::new_decoded(header.into(), claims).into_encoded(&Secret::bytes_from_str(&office.secret)).unwrap().unwrap_encoded().to_string()"
        );
        let verify = format!(
            "let token = JWT::<Private, Empty>::new_encoded(pass);
            let token = token.into_decoded(&Secret::bytes_from_str(&office.secret), SignatureAlgorithm::HS256)?; {validate} Ok(Pilot(1))"
        );
        office(&["biscuit"], items, &mint, &verify)
    };
    const VALIDATE: &str = "token.validate(ValidationOptions::default())?;";
    window(&with("chrono::Duration::days(9)", VALIDATE), "9 days");
    no_window(&with("chrono::Duration::minutes(9)", VALIDATE));
    window(&with("chrono::Duration::minutes(9)", ""), "expired token is accepted");
}

#[test]
fn biscuit_auth_by_the_rule_about_the_time() {
    let items = "use biscuit_auth::{Biscuit, KeyPair, PrivateKey, builder::BuilderExt, macros::{authorizer, biscuit}};
        fn root(office: &Office) -> KeyPair { KeyPair::from(&PrivateKey::from_bytes_hex(&office.secret).unwrap()) }";
    let with = |mint: &str, key: &str| {
        let mint = format!("{mint}.build(&root(&office)).unwrap().to_base64().unwrap()");
        let verify = format!(
            "let b = Biscuit::from_base64(pass, {key})?; authorizer!(\"allow if pilot($p)\").build(&b)?.authorize()?; Ok(Pilot(1))"
        );
        office(&["biscuit-auth"], items, &mint, &verify)
    };
    const KEY: &str = "root(office).public()";
    let never = with("biscuit!(\"pilot({id});\", id = sub)", KEY);
    window(&never, "for ever");
    assert_eq!(says(&never, "fixed-signing-key").len(), 1);
    const END: &str = "let end = std::time::SystemTime::now() + std::time::Duration::from_secs(LIFE); biscuit!(\"pilot({id}); check if time($t), $t < {end};\", id = sub, end = end)";
    window(&with(&END.replace("LIFE", "60 * 60 * 24 * 7"), KEY), "7 days");
    no_window(&with(&END.replace("LIFE", "600"), KEY));
    let built = with(
        "Biscuit::builder().check_expiration_date(std::time::SystemTime::now() + std::time::Duration::from_secs(86400))",
        "|_| Ok(root(office).public())",
    );
    window(&built, "1 day");
    assert!(says(&built, "fixed-signing-key").is_empty(), "the library asks which key it is");
    no_window(&with("Biscuit::builder().code(rules(sub)).unwrap()", KEY));
    let more = "fn pass(key: &PrivateKey) -> String { biscuit!(\"pilot(2);\").build(&KeyPair::from(key)).unwrap().to_base64().unwrap() }
        fn other(key: &PrivateKey) -> String { biscuit!(\"pilot(1);\").build(&KeyPair::from(key)).unwrap().to_base64().unwrap() }";
    let mint = "let key = PrivateKey::from_bytes_hex(&office.secret).unwrap(); if sub > 1 { pass(&key) } else { other(&key) }";
    let verify = "let b = Biscuit::from_base64(pass, root(office).public())?; Ok(Pilot(1))";
    let two = office(&["biscuit-auth"], &format!("{items} {more}"), mint, verify);
    assert_eq!(says(&two, "fixed-signing-key").len(), 1, "two kinds of tokens and one key");
}

#[test]
fn branca_by_the_age_that_the_check_allows() {
    let with = |age: &str| {
        let mint = "branca::Branca::new(office.secret.as_bytes()).unwrap().encode(sub.to_string().as_bytes()).unwrap()";
        let verify = format!(
            "let b = branca::Branca::new(office.secret.as_bytes())?; Ok(Pilot(String::from_utf8(b.decode(pass, {age})?)?.parse()?))"
        );
        office(&["branca"], "", mint, &verify)
    };
    window(&with("3600 * 48"), "2 days");
    no_window(&with("600"));
    window(&with("0"), "for ever");
}

#[test]
fn paseto_by_the_defaults_of_its_crates() {
    let builder = |claims: &str| {
        let key = "let key = PasetoSymmetricKey::<V4, Local>::from(Key::from(office.secret.as_bytes()));";
        let mint = format!("{key} PasetoBuilder::<V4, Local>::default(){claims}.set_claim(SubjectClaim::from(\"a\")).build(&key).unwrap()");
        let verify = format!("{key} Ok(Pilot(PasetoParser::<V4, Local>::default().parse(pass, &key)?[\"sub\"].as_i64().unwrap()))");
        office(&["rusty_paseto"], "use rusty_paseto::prelude::*;", &mint, &verify)
    };
    no_window(&builder(""));
    window(&builder(".set_no_expiration_danger_acknowledged()"), "for ever");
    let until = ".set_claim(ExpirationClaim::try_from((time::OffsetDateTime::now_utc() + time::Duration::days(10)).format(&Rfc3339).unwrap()).unwrap())";
    window(&builder(until), "10 days");
    let pasetors = |claims: &str| {
        let items = "use pasetors::{Local, claims::{Claims, ClaimsValidationRules}, keys::SymmetricKey, local, token::UntrustedToken, version4::V4};";
        let key = "let key = SymmetricKey::<V4>::from(office.secret.as_bytes()).unwrap();";
        let mint =
            format!("let mut claims = {claims}; claims.subject(\"a\").unwrap(); {key} local::encrypt(&key, &claims, None, None).unwrap()");
        let verify = format!(
            "{key} local::decrypt(&key, &UntrustedToken::<Local, V4>::try_from(pass)?, &ClaimsValidationRules::new(), None, None)?; Ok(Pilot(1))"
        );
        office(&["pasetors"], items, &mint, &verify)
    };
    no_window(&pasetors("Claims::new().unwrap()"));
    window(&pasetors("Claims::new_expires_in(&std::time::Duration::from_secs(86400 * 4)).unwrap()"), "4 days");
}

#[test]
fn jwt_compact_and_jwt_by_their_claims() {
    let compact = |life: &str| {
        let items = "use jwt_compact::{alg::{Hs256, Hs256Key}, prelude::*}; #[derive(Serialize, Deserialize)] struct Pass { sub: String }";
        let key = "let key = Hs256Key::new(office.secret.as_bytes());";
        let mint = format!(
            "{key} let claims = Claims::new(Pass {{ sub: \"a\".into() }}){life}; Hs256.token(&Header::empty(), &claims, &key).unwrap()"
        );
        let verify = format!(
            "{key} let t: Token<Pass> = Hs256.validator(&key).validate(&UntrustedToken::new(pass)?)?; t.claims().validate_expiration(&TimeOptions::default())?; Ok(Pilot(1))"
        );
        office(&["jwt-compact"], items, &mint, &verify)
    };
    window(&compact(""), "for ever");
    window(&compact(".set_duration_and_issuance(&TimeOptions::default(), chrono::Duration::days(7))"), "7 days");
    no_window(&compact(".set_duration_and_issuance(&TimeOptions::default(), chrono::Duration::minutes(7))"));
    let map = |more: &str| {
        let items = "use hmac::{Hmac, Mac}; use jwt::{SignWithKey, VerifyWithKey}; use sha2::Sha256; use std::collections::BTreeMap;";
        let key = "let key: Hmac<Sha256> = Hmac::new_from_slice(office.secret.as_bytes()).unwrap();";
        let mint = format!(
            "{key} let mut claims = BTreeMap::new(); claims.insert(\"sub\", sub.to_string()); {more} claims.sign_with_key(&key).unwrap()"
        );
        let verify =
            format!("{key} let claims: BTreeMap<String, String> = pass.verify_with_key(&key)?; Ok(Pilot(claims[\"sub\"].parse()?))");
        office(&["jwt", "hmac", "sha2"], items, &mint, &verify)
    };
    window(&map(""), "for ever");
    window(&map("claims.insert(\"exp\", (chrono::Utc::now().timestamp() + 600).to_string());"), "expired token is accepted");
}

#[test]
fn a_message_with_an_end_and_a_tag_is_a_token() {
    let items = "use hmac::{Hmac, Mac}; use sha2::Sha256; use base64::prelude::*;
        fn tag(text: &str, secret: &[u8]) -> String { let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(secret).unwrap(); mac.update(text.as_bytes()); BASE64_URL_SAFE.encode(mac.finalize().into_bytes()) }";
    let with = |life: &str, age: &str| {
        let mint = format!(
            "let exp = chrono::Utc::now().timestamp() + {life}; let text = format!(\"{{sub}}.{{exp}}\"); format!(\"{{text}}.{{}}\", tag(&text, office.secret.as_bytes()))"
        );
        let verify = format!("let (text, sig) = pass.rsplit_once('.').unwrap(); if tag(text, office.secret.as_bytes()) != sig {{ return Err(\"bad\".into()); }}
            let (sub, exp) = text.split_once('.').unwrap(); {age} Ok(Pilot(sub.parse()?))");
        office(&["hmac", "sha2", "base64"], items, &mint, &verify)
    };
    const AGE: &str = "if exp.parse::<i64>()? < chrono::Utc::now().timestamp() { return Err(\"old\".into()); }";
    window(&with("86400 * 14", AGE), "14 days");
    no_window(&with("600", AGE));
    // Without the comparison, or the end, it may be any message: a webhook, a link.
    let webhook = with("86400 * 14", "");
    assert!(says(&webhook, "long-lived-token").is_empty() && says(&webhook, "fixed-signing-key").is_empty());
}

#[test]
fn a_signed_link_to_one_form_is_no_token() {
    let source = r#"
use axum::{Router, extract::{Query, State}, routing::get};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::{collections::HashMap, sync::Arc};
struct Office { secret: String }
fn tag(text: &str, secret: &[u8]) -> String { let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap(); mac.update(text.as_bytes()); hex::encode(mac.finalize().into_bytes()) }
async fn link(State(office): State<Arc<Office>>) -> String {
    let expires = chrono::Utc::now().timestamp() + 86400 * 7;
    format!("/chart?expires={expires}&tag={}", tag(&expires.to_string(), office.secret.as_bytes()))
}
async fn chart(State(office): State<Arc<Office>>, Query(q): Query<HashMap<String, String>>) -> String {
    if tag(&q["expires"], office.secret.as_bytes()) != q["tag"] || q["expires"].parse::<i64>().unwrap() < chrono::Utc::now().timestamp() { return String::new(); }
    "chart".into()
}
#[tokio::main] async fn main() {
    let office = Arc::new(Office { secret: std::env::var("SECRET").unwrap() });
    let r = Router::new().route("/link", get(link)).route("/chart", get(chart)).with_state(office);
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}
"#;
    let tree = Tree::service("office", &["axum", "chrono", "hex", "hmac", "sha2", "tokio"], source);
    let analysis = cargo_stateless::engine::analyze(tree.path(), &Config::default(), &AnalyzeOptions::default()).expect("a tree");
    assert!(says(&analysis, "long-lived-token").is_empty(), "{:?}", analysis.findings);
}

#[test]
fn an_oauth_server_signs_and_checks_by_itself() {
    let with = |life: &str| {
        let source = format!(
            r#"
use axum::{{Router, extract::State, routing::get}};
use oxide_auth::primitives::{{generator::{{Assertion, AssertionKind}}, issuer::TokenSigner}};
use std::sync::{{Arc, Mutex}};
type Issuer = Arc<Mutex<TokenSigner>>;
fn issuer() -> TokenSigner {{
    let mut signer = TokenSigner::new(Assertion::new(AssertionKind::HmacSha256, std::env::var("K").unwrap().as_bytes()));
    {life}
    signer
}}
async fn berth(State(_): State<Issuer>) -> &'static str {{ "berth" }}
#[tokio::main] async fn main() {{
    let r = Router::new().route("/berth", get(berth)).with_state(Arc::new(Mutex::new(issuer())));
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}
"#
        );
        let tree = Tree::service("office", &["axum", "chrono", "oxide-auth", "tokio"], source);
        cargo_stateless::engine::analyze(tree.path(), &Config::default(), &AnalyzeOptions::default()).expect("a tree")
    };
    window(&with("signer.valid_for(chrono::Duration::days(30));"), "30 days");
    no_window(&with(""));
}

#[test]
fn a_provider_signs_for_others() {
    let with = |kid: &str| {
        let mint = format!(
            "let key = CoreRsaPrivateSigningKey::from_pem(&office.secret, {kid}).unwrap();
            let claims = CoreIdTokenClaims::new(IssuerUrl::new(\"https://a\".into()).unwrap(), vec![], chrono::Utc::now() + chrono::Duration::hours(8), chrono::Utc::now(), StandardClaims::new(SubjectIdentifier::new(\"a\".into())), EmptyAdditionalClaims {{}});
            CoreIdToken::new(claims, &key, CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256, None, None).unwrap().to_string()"
        );
        office(&["openidconnect"], "use openidconnect::{core::*, *};", &mint, "Ok(Pilot(1))")
    };
    let provider = with("Some(JsonWebKeyId::new(\"k\".into()))");
    no_window(&provider);
    assert!(
        provider.checklist_facts.iter().any(|(_, fact)| fact.contains("8 hours") && fact.contains("checked by somebody else")),
        "{:?}",
        provider.checklist_facts
    );
}

#[test]
fn claims_that_json_holds_are_read_and_weighed() {
    let with = |claims: &str| {
        let items = "use jsonwebtoken::*;";
        let mint = format!(
            "let claims = serde_json::json!({claims}); encode(&Header::default(), &claims, &EncodingKey::from_secret(office.secret.as_bytes())).unwrap()"
        );
        let verify = "let claims = decode::<serde_json::Value>(pass, &DecodingKey::from_secret(office.secret.as_bytes()), &Validation::default())?.claims; Ok(Pilot(claims[\"sub\"].as_i64().unwrap()))";
        office(&["jsonwebtoken"], items, &mint, verify)
    };
    let long = with(r#"{"sub": sub, "exp": chrono::Utc::now().timestamp() + 86400 * 5, "realm_access": {"roles": ["pilot"]}}"#);
    window(&long, "5 days");
    window(&long, "`realm_access.roles`");
    assert!(says(&long, "bloated-token").is_empty());
    let exp = "chrono::Utc::now().timestamp() + 600";
    no_window(&with(&format!(r#"{{"sub": sub, "exp": {exp}}}"#)));
    window(&with(r#"{"sub": sub}"#), "for ever");
    let record = with(&format!(r#"{{"sub": sub, "exp": {exp}, "pilot": {{"name": name(sub), "rank": 1, "ship": "a", "home": "b"}}}}"#));
    assert!(says(&record, "bloated-token")[0].contains("the token holds `pilot`"), "{:?}", record.findings);
}

#[test]
fn roles_inside_other_claims_are_rights_too() {
    let items = "use jsonwebtoken::*; #[derive(Serialize, Deserialize)] struct Pass { sub: i64, exp: i64, access: Access } #[derive(Serialize, Deserialize)] struct Access { harbour: String, roles: String }";
    let mint = "let claims = Pass { sub, exp: chrono::Utc::now().timestamp() + 86400 * 2, access: Access { harbour: String::new(), roles: String::new() } }; encode(&Header::default(), &claims, &EncodingKey::from_secret(office.secret.as_bytes())).unwrap()";
    let verify = "Ok(Pilot(decode::<Pass>(pass, &DecodingKey::from_secret(office.secret.as_bytes()), &Validation::default())?.claims.sub))";
    window(&office(&["jsonwebtoken"], items, mint, verify), "`access.roles` keep what they had");
}

#[test]
fn options_count_wherever_they_are_kept() {
    let pass = "use jsonwebtoken::*; #[derive(Serialize, Deserialize)] struct Pass { sub: i64, exp: i64 }";
    let mint = "let claims = Pass { sub, exp: chrono::Utc::now().timestamp() + 600 }; encode(&Header::default(), &claims, &EncodingKey::from_secret(office.secret.as_bytes())).unwrap()";
    let with = |items: &str, options: &str| {
        let verify =
            format!("Ok(Pilot(decode::<Pass>(pass, &DecodingKey::from_secret(office.secret.as_bytes()), &{options})?.claims.sub))");
        office(&["jsonwebtoken"], &format!("{pass} {items}"), mint, &verify)
    };
    let off = "{ let mut v = Validation::default(); v.validate_exp = false; v }";
    window(
        &with(&format!("static RULES: std::sync::LazyLock<Validation> = std::sync::LazyLock::new(|| {off});"), "RULES"),
        "expired token is accepted",
    );
    window(
        &with(
            &format!(
                "struct Rules {{ v: Validation }} static RULES: std::sync::LazyLock<Rules> = std::sync::LazyLock::new(|| Rules {{ v: {off} }});"
            ),
            "RULES.v",
        ),
        "expired token is accepted",
    );
    window(&with("", "Validation { validate_exp: false, ..Validation::default() }"), "expired token is accepted");
    no_window(&with("static RULES: std::sync::LazyLock<Validation> = std::sync::LazyLock::new(Validation::default);", "RULES"));
}

#[test]
fn an_audience_that_is_carried_must_be_looked_at() {
    let with = |claims: &str, value: &str, after: &str| {
        let items = format!("use jsonwebtoken::*; #[derive(Serialize, Deserialize)] struct Pass {{ sub: i64, exp: i64, {claims} }}");
        let mint = format!(
            "let claims = Pass {{ sub, exp: chrono::Utc::now().timestamp() + 600, {value} }}; encode(&Header::default(), &claims, &EncodingKey::from_secret(office.secret.as_bytes())).unwrap()"
        );
        let verify = format!(
            "let mut v = Validation::default(); v.validate_aud = false; let c = decode::<Pass>(pass, &DecodingKey::from_secret(office.secret.as_bytes()), &v)?.claims; {after} Ok(Pilot(c.sub))"
        );
        office(&["jsonwebtoken"], &items, &mint, &verify)
    };
    let carried = with("aud: String", "aud: \"harbour\".into()", "");
    window(&carried, "for another audience");
    assert!(carried.findings.iter().any(|f| f.rule == "long-lived-token" && f.severity == Severity::Error));
    no_window(&with("aud: String", "aud: \"harbour\".into()", "if c.aud != \"harbour\" { return Err(\"other\".into()); }"));
    no_window(&with("", "", ""));
    window(&with("#[serde(rename = \"aud\")] meant_for: String", "meant_for: \"harbour\".into()", ""), "for another audience");
}

#[test]
fn checks_of_tokens_that_others_sign_are_for_discussion() {
    let items = "use jsonwebtoken::*; #[derive(Serialize, Deserialize)] struct Pass { sub: i64, exp: i64 }";
    let verify = "let mut v = Validation::new(Algorithm::RS256); v.validate_aud = false; Ok(Pilot(decode::<Pass>(pass, &DecodingKey::from_rsa_pem(office.secret.as_bytes())?, &v)?.claims.sub))";
    let analysis = office(&["jsonwebtoken"], items, "String::new()", verify);
    let found: Vec<_> = analysis.findings.iter().filter(|f| f.rule == "long-lived-token").collect();
    assert!(found.len() == 1 && found[0].severity == Severity::Note && found[0].message.contains("audience"), "{found:?}");
}

#[test]
fn moments_and_defaults_in_other_words() {
    let with = |items: &str, exp: &str| {
        let items = format!(
            "use jsonwebtoken::{{DecodingKey, EncodingKey, Header, Validation, decode, encode}}; #[derive(Serialize, Deserialize)] struct Pass {{ sub: i64, exp: i64 }} {items}"
        );
        let mint = format!(
            "let claims = Pass {{ sub, exp: {exp} }}; encode(&Header::default(), &claims, &EncodingKey::from_secret(office.secret.as_bytes())).unwrap()"
        );
        let verify =
            "Ok(Pilot(decode::<Pass>(pass, &DecodingKey::from_secret(office.secret.as_bytes()), &Validation::default())?.claims.sub))";
        office(&["jsonwebtoken", "jiff", "humantime"], &items, &mint, verify)
    };
    window(&with("", "(jiff::Timestamp::now() + jiff::Span::new().hours(48)).as_second()"), "2 days");
    window(&with("", "chrono::DateTime::parse_from_rfc3339(\"2035-01-01T00:00:00Z\").unwrap().timestamp()"), "2035-01-01");
    window(&with("use chrono::TimeZone;", "chrono::Utc.with_ymd_and_hms(2040, 1, 1, 0, 0, 0).unwrap().timestamp()"), "2040-01-01");
    let default = "chrono::Utc::now().timestamp() + std::env::var(\"TTL\").map_or(604800, |v| v.parse::<i64>().unwrap())";
    window(&with("", default), "7 days by default");
    let helper = "fn setting(key: &str, default: i64) -> i64 { std::env::var(key).ok().and_then(|v| v.parse().ok()).unwrap_or(default) }";
    window(&with(helper, "chrono::Utc::now().timestamp() + setting(\"TTL\", 604800)"), "7 days by default");
    no_window(&with(helper, "chrono::Utc::now().timestamp() + setting(\"TTL\", 600)"));
    window(&with("", "(chrono::Utc::now() + humantime::parse_duration(\"30d\").unwrap()).timestamp()"), "30 days");
}

/// A key pair of the library in a lazy static signs as one in a variable does.
#[test]
fn a_key_pair_in_a_lazy_static_is_one_key() {
    let source = |kid: &str| {
        format!(
            r#"
use axum::{{Router, http::HeaderMap, routing::{{get, post}}}};
use jwt_simple::prelude::*;
use std::sync::LazyLock;
static PAIR: LazyLock<ES256kKeyPair> = LazyLock::new(|| ES256kKeyPair::from_bytes(std::env::var("KEY").unwrap().as_bytes()).unwrap(){kid});
async fn enter() -> String {{ PAIR.sign(Claims::create(Duration::from_mins(10))).unwrap() }}
async fn look(headers: HeaderMap) -> String {{
    let claims = PAIR.public_key().verify_token::<NoCustomClaims>(headers.get("authorization").unwrap().to_str().unwrap(), None).unwrap();
    claims.subject.unwrap()
}}
#[tokio::main] async fn main() {{
    let l = tokio::net::TcpListener::bind("a").await.unwrap();
    axum::serve(l, Router::new().route("/enter", post(enter)).route("/look", get(look))).await.unwrap();
}}
"#
        )
    };
    let says = |kid: &str| {
        let found = Tree::service("quay", &["axum", "jwt-simple", "tokio"], source(kid)).analyse().findings;
        found.into_iter().map(|f| f.rule).collect::<Vec<_>>()
    };
    assert_eq!(says(""), ["fixed-signing-key"]);
}

/// A middleware hands on who the token names; whoever takes that out asks a store whether it still counts.
#[test]
fn what_a_middleware_hands_on_may_be_asked_of_a_store_later() {
    let says = |look: &str| {
        let source = format!(
            r#"
use axum::{{Router, extract::{{Request, State}}, middleware::{{Next, from_fn}}, response::Response, routing::{{get, post}}}};
use jsonwebtoken::{{DecodingKey, EncodingKey, Header, Validation, decode, encode}};
use serde::{{Deserialize, Serialize}};
use sqlx::PgPool;
#[derive(Serialize, Deserialize)] struct Claims {{ sub: i64, exp: Option<i64> }}
#[derive(Clone)] struct Keeper(i64);
async fn guard(mut request: Request, next: Next) -> Response {{
    let token = request.headers().get("authorization").unwrap().to_str().unwrap().to_string();
    let claims = decode::<Claims>(&token, &DecodingKey::from_secret(std::env::var("KEY").unwrap().as_bytes()), &Validation::default()).unwrap().claims;
    request.extensions_mut().insert(Keeper(claims.sub));
    next.run(request).await
}}
async fn card(State(db): State<PgPool>) -> String {{
    let sub: i64 = sqlx::query_scalar("INSERT INTO cards DEFAULT VALUES RETURNING id").fetch_one(&db).await.unwrap();
    let header = Header {{ kid: Some("a".into()), ..Header::default() }};
    encode(&header, &Claims {{ sub, exp: None }}, &EncodingKey::from_secret(std::env::var("KEY").unwrap().as_bytes())).unwrap()
}}
async fn ask(db: &PgPool, request: &Request) {{ let keeper = request.extensions().get::<Keeper>().unwrap(); {look} }}
async fn cages(State(db): State<PgPool>, request: Request) -> String {{ ask(&db, &request).await; String::new() }}
async fn birds(State(db): State<PgPool>, request: Request) -> String {{ ask(&db, &request).await; String::new() }}
async fn feed(State(db): State<PgPool>, request: Request) -> String {{ ask(&db, &request).await; String::new() }}
#[tokio::main] async fn main() {{
    let db = PgPool::connect("a").await.unwrap();
    let r = Router::new().route("/cages", get(cages)).route("/birds", get(birds)).route("/feed", get(feed)).layer(from_fn(guard)).route("/card", post(card)).with_state(db);
    axum::serve(tokio::net::TcpListener::bind("a").await.unwrap(), r).await.unwrap();
}}
"#
        );
        let found = Tree::service("aviary", &["axum", "jsonwebtoken", "serde", "sqlx", "tokio"], source).analyse().findings;
        found.iter().any(|f| f.rule == "long-lived-token")
    };
    assert!(!says("sqlx::query(\"SELECT 1 FROM cards WHERE id = $1\").bind(keeper.0).fetch_one(db).await.unwrap();"));
    assert!(says("let _ = (db, keeper);"));
}
