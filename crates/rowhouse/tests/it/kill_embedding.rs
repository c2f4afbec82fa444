#![expect(clippy::print_stderr, reason = "how often it was killed, and how far it was, is worth knowing when it fails")]
//! `kill -9` while an organisation's passages are embedded by another model: the model before answers until the other one is done, and
//! then nothing of it is left.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;
use testing::Server;
use testing::process::Reply;
use testing::upstream::Script;

use crate::shop::{Owner, Shop, get, post};

const PATH: &str = "/api/v1/knowledge/embedding";
/// Documents of one passage each, embedded 32 at a time.
const DOCUMENTS: usize = 70;
/// Pages of 32, and how long each takes.
const PAUSE: Duration = Duration::from_millis(400);

#[test]
fn a_kill_while_the_model_changes_loses_neither_on_files() {
    killed(Engine::Sqlite);
}

#[test]
fn a_kill_while_the_model_changes_loses_neither_on_postgres() {
    killed(Engine::Postgres);
}

fn killed(engine: Engine) {
    let shop = Shop::open(engine);
    shop.upstream.script("", &Script { delay: PAUSE, ..Script::vectors(24) });
    let server = shop.start();
    let owner = Shop::owner(&server, "Ann");
    let place =
        post(&server, &owner.token, "/api/v1/collections", &json!({ "name": "Handbook" })).str("/id").to_owned();
    let path = format!("/api/v1/collections/{place}/documents/text");
    for n in 0..DOCUMENTS {
        let body =
            json!({ "title": format!("paper{n}"), "text": format!("Lighthouse number {n} is as old as the sea.") });
        send(&server, &owner, "POST", &path, Some(&body), 202);
    }
    until(&server, &owner, |_| {
        let page = get(&server, &owner.token, &format!("/api/v1/collections/{place}/documents?limit=100"));
        page["data"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["status"] == "ready" && one["embedded"] == 1))
    });
    let chosen = json!({ "provider": "openai", "model": "text-embedding-3-small" });
    send(&server, &owner, "PUT", PATH, Some(&chosen), 200);
    let (mut first, mut kills, mut halfway) = (Some(server), 0, false);
    // Each server does a page or two.
    while kills < 3 {
        let server = first.take().unwrap_or_else(|| start(&shop));
        let shown = get(&server, &owner.token, PATH);
        if shown["coming"].is_null() {
            break;
        }
        assert_eq!(shown["current"]["provider"], "embedded", "{shown}");
        let body = json!({ "query": "lighthouse number 7" });
        let found = send(&server, &owner, "POST", "/api/v1/search", Some(&body), 200);
        assert!(found.json["results"][0]["why"]["meaning"].is_number(), "the one before answers: {found:?}");
        std::thread::sleep(PAUSE + PAUSE / 4);
        halfway |= get(&server, &owner.token, PATH)["percent"].as_i64().is_some_and(|percent| percent > 0);
        eprintln!("killed at {shown}");
        server.kill();
        kills += 1;
    }
    assert!(halfway, "it was killed in the middle");
    let server = start(&shop);
    let shown = until(&server, &owner, |shown| shown["coming"].is_null());
    assert_eq!(shown["current"], json!({ "provider": "openai", "model": "text-embedding-3-small", "size": 24 }));
    let page = get(&server, &owner.token, &format!("/api/v1/collections/{place}/documents?limit=100"));
    assert!(
        page["data"].as_array().is_some_and(|all| all.len() == DOCUMENTS && all.iter().all(|one| one["embedded"] == 1))
    );
    assert_eq!(server.terminate().0, Some(0));
    let (whole, text) = shop.doctor();
    assert!(whole, "{text}");
}

/// Starts a server; on PostgreSQL as if the leases of the dead had run out.
fn start(shop: &Shop) -> Server {
    if let Some(database) = &shop.database {
        let text = "UPDATE control.jobs SET leased_until = NULL, epoch = epoch + 1";
        shop.runtime.block_on(async { database.raw().await.batch_execute(text).await.expect("given back") });
    }
    shop.start()
}

fn send(server: &Server, owner: &Owner, method: &str, path: &str, body: Option<&Value>, status: u16) -> Reply {
    let reply = server.send(method, path, Some(&owner.token), body).expect("answered");
    assert_eq!(reply.status, status, "{reply:?}");
    reply
}

fn until(server: &Server, owner: &Owner, wish: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let shown = get(server, &owner.token, PATH);
        if wish(&shown) {
            return shown;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "not reached: {shown}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
