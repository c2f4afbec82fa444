//! `rowhouse isolation verify` on a server that serves others: the walls hold, and a wall with a stone missing is seen.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;
use testing::Server;

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
    let stores = if engine == Engine::Sqlite { 8 } else { 14 };
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

/// A way to a server on which everything stops, once somebody asks for this; what was open stays open. Gives its address.
fn way_that_stops_at(server: &Server, what: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (address, server) = (listener.local_addr().expect("bound"), server.address.clone());
    std::thread::spawn(move || {
        let mut stopped = Vec::new();
        while let Ok((client, _)) = listener.accept() {
            let there = TcpStream::connect(&server).expect("it listens");
            stopped.push((client.try_clone().expect("cloned"), there.try_clone().expect("cloned")));
            let back = (there.try_clone().expect("cloned"), client.try_clone().expect("cloned"));
            std::thread::spawn(move || pass_on(back.0, back.1, b"\0never"));
            std::thread::spawn(move || pass_on(client, there, what));
        }
    });
    format!("http://{address}")
}

fn pass_on(mut from: TcpStream, mut to: TcpStream, until: &[u8]) {
    let mut buffer = [0; 16_384];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let came = &buffer[..read];
        if came.windows(until.len()).any(|bytes| bytes == until) || to.write_all(came).is_err() {
            return;
        }
    }
}

#[test]
fn where_others_are_served_it_ends_in_time_whatever_the_server_does() {
    let shop = Shop::open(Engine::Sqlite);
    let server = shop.start();
    std::fs::write(shop.path().join("password"), "wet paint on the porch").expect("written");
    let who = ["--email", "olga@example.com", "--name", "Olga", "--password-file", "password"];
    assert!(shop.run(&["operator", "create"], &who).0);

    let url = way_that_stops_at(&server, b"POST /api/v1/teams ");
    let begun = Instant::now();
    let (whole, said) = verify(&shop, &["--live", "--within", "20", "--url", &url]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(!whole && said.contains("FAIL  time  the two organisations were not ready within 5 s"), "{said}");

    // What was made is ended all the same.
    let body = json!({ "email": "olga@example.com", "password": "wet paint on the porch" });
    let olga = server.send("POST", "/api/v1/auth/login", None, Some(&body)).expect("answered");
    let all = get(&server, olga.str("/access_token"), "/api/v1/operator/orgs");
    let probes: Vec<&Value> = all["data"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|one| one["name"].as_str().is_some_and(|name| name.starts_with("Isolation check")))
        .collect();
    assert!(probes.iter().all(|one| one["status"] == "closing"), "{probes:?}");

    let (_, said) = verify(&shop, &["--within", "30"]);
    assert!(said.contains("--live"), "a time is promised with --live alone: {said}");
    assert!(verify(&shop, &["--live", "--within", "5"]).1.contains("20..=600"));
}

#[test]
fn without_a_server_it_says_what_to_do() {
    let shop = Shop::open(Engine::Sqlite);
    assert_eq!(shop.start().terminate().0, Some(0));
    let (whole, said) = verify(&shop, &[]);
    assert!(!whole && said.contains("no server answers: start it with `rowhouse serve`"), "{said}");
}
