#![expect(clippy::print_stderr, reason = "how often it was killed, and in what, is worth knowing when it fails")]
//! `kill -9` while a source brings its pages: the round goes on by itself afterwards, each page is one document with what the page says,
//! what is gone took its document along, and `rowhouse doctor` is content.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;
use testing::Server;

use crate::kill_documents::{kill, roll, settled};
use crate::shop::{Owner, Shop, get, post};

/// Pages at first; each edition has one less.
const PAGES: usize = 30;
/// Kills in the middle of a round, at the least.
const KILLS: usize = 5;
/// How long the site takes for a page.
const PAUSE: Duration = Duration::from_millis(15);
/// The same moments in each run.
const SEED: u64 = 0x50C2_2026;

#[test]
fn a_kill_while_a_source_is_asked_leaves_each_page_once_on_files() {
    killed(Engine::Sqlite);
}

#[test]
fn a_kill_while_a_source_is_asked_leaves_each_page_once_on_postgres() {
    killed(Engine::Postgres);
}

fn killed(engine: Engine) {
    let shop = Shop::open(engine);
    let settings = shop.path().join("rowhouse.toml");
    let known = std::fs::read_to_string(&settings).expect("settings");
    std::fs::write(&settings, format!("{known}egress_allow = '127.0.0.1'\n")).expect("written");
    let (site, edition) = site();
    let mut server = shop.start();
    let owner = Shop::owner(&server, "Ann");
    let place = post(&server, &owner.token, "/api/v1/collections", &json!({ "name": "Harbour" })).str("/id").to_owned();
    let sources = format!("/api/v1/collections/{place}/sources");
    let source = json!({ "sitemap": format!("{site}/sitemap.xml"), "every": 24 });
    let id = post(&server, &owner.token, &sources, &source).str("/id").to_owned();
    let (mut dice, mut kills, mut halfway) = (SEED, 0, 0);
    while halfway < KILLS {
        std::thread::sleep(Duration::from_millis(100 + roll(&mut dice, 900)));
        let shown = get(&server, &owner.token, &format!("/api/v1/sources/{id}"));
        halfway += usize::from(shown["status"] == "syncing");
        kill(&server);
        drop(server);
        kills += 1;
        assert!(kills < 40, "it was never killed in a round");
        edition.fetch_add(1, Ordering::SeqCst);
        if let Some(database) = &shop.database {
            // As if the leases of the dead had run out.
            let text = "UPDATE control.jobs SET leased_until = NULL, epoch = epoch + 1";
            shop.runtime.block_on(async { database.raw().await.batch_execute(text).await.expect("given back") });
        }
        server = shop.start();
        if shown["status"] == "done" {
            sync(&server, &owner, &id);
        }
    }
    eprintln!("{kills} kills, {halfway} in the middle of a round");
    // The round that was cut off comes to its end by itself, and the next one brings what the site says now.
    over(&server, &owner, &id);
    sync(&server, &owner, &id);
    let shown = over(&server, &owner, &id);
    let pages = pages(edition.load(Ordering::SeqCst));
    let counts = &shown["counts"];
    assert_eq!((&shown["status"], &counts["refused"]), (&json!("done"), &json!(0)), "{shown}");
    let met: i64 = ["added", "changed", "unchanged"].iter().filter_map(|name| counts[name].as_i64()).sum();
    assert_eq!(usize::try_from(met), Ok(pages.len()), "{shown}");
    assert!(shown["next_sync_at"].is_string() && shown["failures"] == 0, "{shown}");

    let all = settled(&server, &owner, &place);
    let mut found = BTreeMap::new();
    for (document, one) in &all {
        let text = get(&server, &owner.token, &format!("/api/v1/documents/{document}/chunks"));
        let text = text["data"][0]["text"].as_str().expect("text").to_owned();
        let name = one["name"].as_str().expect("a name").strip_prefix(&site).expect("of the site").to_owned();
        assert!(found.insert(name, text).is_none(), "no page came twice");
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), pages.keys().collect::<Vec<_>>());
    for (name, says) in &pages {
        assert!(found[name].contains(says), "{name}: {}", found[name]);
    }
    assert_eq!(server.terminate().0, Some(0));
    let (whole, text) = shop.doctor();
    assert!(whole, "{text}");
}

/// What the pages of an edition say: every third one says something new each time, and the last ones of the first are gone.
fn pages(edition: usize) -> BTreeMap<String, String> {
    let says = |n: usize| {
        if n.is_multiple_of(3) { format!("Berth {n} costs {edition} euros") } else { format!("Berth {n} is free") }
    };
    (0..PAGES.saturating_sub(edition).max(PAGES / 2)).map(|n| (format!("/{n}"), says(n))).collect()
}

/// A site with pages of an edition, and which that is. It is there for as long as the test runs.
fn site() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let (url, edition) = (format!("http://{}", listener.local_addr().expect("bound")), Arc::new(AtomicUsize::new(0)));
    let (own, now) = (url.clone(), edition.clone());
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            let pages = pages(now.load(Ordering::SeqCst));
            let own = own.clone();
            std::thread::spawn(move || answer(stream, &own, &pages));
        }
    });
    (url, edition)
}

fn answer(mut stream: TcpStream, own: &str, pages: &BTreeMap<String, String>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read == 1) {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let path = head.split(' ').nth(1).unwrap_or("/");
    std::thread::sleep(PAUSE);
    let body = if path == "/sitemap.xml" {
        let urls: String = pages.keys().map(|path| format!("<url><loc>{own}{path}</loc></url>")).collect();
        Some(format!("<urlset>{urls}</urlset>"))
    } else {
        pages
            .get(path)
            .map(|says| format!("<html><title>{path}</title><body><h1>Berth</h1><p>{says}.</p></body></html>"))
    };
    let (status, body) = body.map_or(("404 Not Found", String::new()), |body| ("200 OK", body));
    let kind = "content-type: text/html\r\nconnection: close\r\n";
    // Whoever asked may have been killed.
    let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: {}\r\n{kind}\r\n{body}", body.len());
}

fn sync(server: &Server, owner: &Owner, id: &str) {
    let asked = server.send("POST", &format!("/api/v1/sources/{id}/sync"), Some(&owner.token), Some(&json!({})));
    assert_eq!(asked.expect("answered").status, 202);
}

/// Waits until a round is over.
fn over(server: &Server, owner: &Owner, id: &str) -> Value {
    let began = Instant::now();
    loop {
        let shown = get(server, &owner.token, &format!("/api/v1/sources/{id}"));
        if ["done", "failed"].contains(&shown["status"].as_str().expect("text")) {
            return shown;
        }
        assert!(began.elapsed() < Duration::from_mins(2), "it is not over: {shown}");
        std::thread::sleep(Duration::from_millis(100));
    }
}
