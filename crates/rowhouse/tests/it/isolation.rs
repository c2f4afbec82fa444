//! `rowhouse isolation verify` on a server that serves others: the walls hold, and a wall with a stone missing is seen.

use serde_json::{Value, json};
use store::Engine;

use crate::shop::{Shop, get, post};

/// Runs the check: whether all walls hold, and what it printed.
fn verify(shop: &Shop, more: &[&str]) -> (bool, String) {
    let address = format!("127.0.0.1:{}", shop.port);
    shop.run(&["isolation", "verify", "--listen", &address], more)
}

/// The walls hold; every store and every route is named, and the one who was there before is left alone.
fn holds(engine: Engine) {
    let shop = Shop::open(engine);
    let server = shop.start();
    let owner = Shop::owner(&server, "Ann");
    post(&server, &owner.token, "/api/v1/teams", &json!({ "name": "Engineering" }));
    let before = get(&server, &owner.token, "/api/v1/audit");
    let (whole, said) = verify(&shop, &["--json"]);
    let report: Value = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}"));
    let checks = report["checks"].as_array().expect("checks");
    let wrong: Vec<&Value> = checks.iter().filter(|check| check["passed"] != true).collect();
    assert!(whole && wrong.is_empty() && report["passed"] == true, "{wrong:#?}");
    let begins = |with: &str| {
        checks.iter().filter(|check| check["check"].as_str().is_some_and(|what| what.starts_with(with))).count()
    };
    let document = server.send("GET", "/api/openapi.json", None, None).expect("answered").json;
    let methods = |item: &Value| item.as_object().map_or(0, serde_json::Map::len);
    let routes: usize = document["paths"].as_object().expect("paths").values().map(methods).sum();
    assert_eq!(begins("route "), routes, "each route is judged");
    let stores = if engine == Engine::Sqlite { 8 } else { 12 };
    assert_eq!(begins("store: "), stores);
    assert!(begins("tokens: ") >= 8 && begins("knowledge: ") >= 4);
    assert_eq!(get(&server, &owner.token, "/api/v1/audit"), before, "nothing was done in anybody else's organisation");
    assert!(shop.doctor().0, "{}", shop.doctor().1);

    let (whole, said) = verify(&shop, &[]);
    assert!(whole && said.contains("pass  route GET /api/v1/teams/{id}"), "{said}");
}

#[test]
fn the_walls_between_organisations_hold_on_files() {
    holds(Engine::Sqlite);
}

#[test]
fn the_walls_between_organisations_hold_on_postgres() {
    holds(Engine::Postgres);
}

#[test]
fn a_missing_stone_in_the_wall_is_seen() {
    let shop = Shop::open(Engine::Postgres);
    let _server = shop.start();
    let raw = shop.runtime.block_on(shop.database.as_ref().expect("PostgreSQL").raw());
    shop.runtime.block_on(raw.batch_execute("ALTER TABLE org.projects DISABLE ROW LEVEL SECURITY")).expect("changed");
    let (whole, said) = verify(&shop, &[]);
    assert!(!whole, "{said}");
    for line in [
        "FAIL  store: tables, entered by nobody",
        "FAIL  store: tables, entered by the other",
        "FAIL  store: policies and roles",
        "FAIL  route GET /api/v1/projects ",
        "FAIL  route GET /api/v1/projects/{id} ",
        "rows are seen in projects",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    assert!(said.contains("pass  route GET /api/v1/teams/{id}"), "the other walls hold: {said}");
}

#[test]
fn without_a_server_it_says_what_to_do() {
    let shop = Shop::open(Engine::Sqlite);
    assert_eq!(shop.start().terminate().0, Some(0));
    let (whole, said) = verify(&shop, &[]);
    assert!(!whole && said.contains("no server answers: start it with `rowhouse serve`"), "{said}");
}
