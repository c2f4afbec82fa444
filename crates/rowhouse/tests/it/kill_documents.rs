#![expect(clippy::print_stderr, reason = "how often it was killed, and in what, is worth knowing when it fails")]
//! `kill -9` while documents come in: each that was acknowledged is whole afterwards, or still queued and then becomes whole; passages,
//! the index of words, vectors, rows and originals agree, and `rowhouse doctor` says so.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;
use testing::Server;
use testing::process::{files_below, send_keyed};

use crate::shop::{Owner, Shop, get, post};

/// Documents that are acknowledged, and kills, at the least.
const DOCUMENTS: usize = 500;
const KILLS: usize = 8;
/// People who bring them at the same time.
const WORKERS: usize = 3;
/// The same moments in each run.
const SEED: u64 = 0x5EED_2026;

#[test]
fn a_kill_while_documents_come_in_leaves_each_whole_on_files() {
    killed(Engine::Sqlite);
}

#[test]
fn a_kill_while_documents_come_in_leaves_each_whole_on_postgres() {
    killed(Engine::Postgres);
}

fn killed(engine: Engine) {
    let shop = Shop::open(engine);
    let server = shop.start();
    let owner = Shop::owner(&server, "Ann");
    let place =
        post(&server, &owner.token, "/api/v1/collections", &json!({ "name": "Handbook" })).str("/id").to_owned();
    let path = format!("/api/v1/collections/{place}/documents/text");
    let (seen, next, mut dice) = (Mutex::new(BTreeMap::new()), AtomicUsize::new(0), SEED);
    let (mut first, mut kills) = (Some(server), 0);
    while kills < KILLS || seen.lock().expect("nobody panics with it").len() < DOCUMENTS {
        let server = first.take().unwrap_or_else(|| shop.start());
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| bring(&seen, &next, &over, &server.address, &owner, &path));
            }
            std::thread::sleep(Duration::from_millis(300 + roll(&mut dice, 1_500)));
            over.store(true, Ordering::SeqCst);
            kill(&server);
        });
        kills += 1;
        assert!(kills < 200, "{} documents were acknowledged", seen.lock().expect("nobody panics with it").len());
    }
    let seen = seen.into_inner().expect("nobody panics with it");
    eprintln!("{kills} kills, {} acknowledged of {}", seen.len(), next.load(Ordering::SeqCst));

    if let Some(database) = &shop.database {
        // As if the leases of the dead had run out.
        let text = "UPDATE control.jobs SET leased_until = NULL, epoch = epoch + 1";
        shop.runtime.block_on(async { database.raw().await.batch_execute(text).await.expect("given back") });
    }
    let server = shop.start();
    let all = settled(&server, &owner, &place);
    for (name, id) in &seen {
        let document = all.get(id).unwrap_or_else(|| panic!("{name} was acknowledged, and is gone"));
        assert_eq!((document["status"].as_str(), document["name"].as_str()), (Some("ready"), Some(name.as_str())));
        assert_eq!((&document["passages"], &document["embedded"]), (&json!(1), &json!(1)), "{document}");
        let passages = get(&server, &owner.token, &format!("/api/v1/documents/{id}/chunks"));
        assert!(passages["data"][0]["text"].as_str().is_some_and(|text| text.contains(name.trim_end_matches(".txt"))));
    }
    let mut names: Vec<&str> = all.values().filter_map(|document| document["name"].as_str()).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count, "none came twice");
    assert!(get(&server, &owner.token, "/api/v1/jobs")["data"].as_array().is_some_and(Vec::is_empty));
    assert_eq!(server.terminate().0, Some(0));
    let (whole, text) = shop.doctor();
    assert!(whole, "{text}");

    // What is missing, and what belongs to nothing, is found.
    let mut originals = files_below(&shop.path().join("data/blobs"));
    // What was on its way when it was killed is left for an hour, for all that the next start knows.
    originals.retain(|path| path.extension().is_none());
    assert_eq!(originals.len(), count);
    let stray = originals[0].with_file_name("0".repeat(64));
    std::fs::rename(&originals[0], &stray).expect("renamed");
    let (whole, text) = shop.doctor();
    assert!(
        !whole && text.contains("1 originals are missing") && text.contains("1 originals belong to nothing"),
        "{text}"
    );
    std::fs::rename(&stray, &originals[0]).expect("renamed");
    assert!(shop.doctor().0);
}

/// Ends a server as a power cut would, while others still use its address.
pub(crate) fn kill(server: &Server) {
    let killed = std::process::Command::new("kill").args(["-KILL", &server.id().to_string()]).status();
    assert!(killed.is_ok_and(|status| status.success()), "it was alive");
}

/// Brings documents until it is over. What was in doubt is brought again later, under the same key.
fn bring(
    seen: &Mutex<BTreeMap<String, String>>,
    next: &AtomicUsize,
    over: &AtomicBool,
    address: &str,
    owner: &Owner,
    path: &str,
) {
    while !over.load(Ordering::SeqCst) {
        let name = format!("paper{}", next.fetch_add(1, Ordering::SeqCst));
        let body = json!({ "title": name, "text": format!("This is {name}, about the weather on day {name}.") });
        let reply = send_keyed(address, "POST", path, Some(&owner.token), Some(&body), Some(&name));
        if let Ok(reply) = reply
            && reply.status == 202
        {
            let id = reply.str("/document/id").to_owned();
            seen.lock().expect("nobody panics with it").insert(format!("{name}.txt"), id);
        }
    }
}

/// The documents of a collection, once all are read and embedded.
pub(crate) fn settled(server: &Server, owner: &Owner, place: &str) -> BTreeMap<String, Value> {
    let began = Instant::now();
    loop {
        let (mut all, mut more) = (BTreeMap::new(), String::new());
        loop {
            let path = format!("/api/v1/collections/{place}/documents?limit=100{more}");
            let page = get(server, &owner.token, &path);
            for document in page["data"].as_array().expect("a list") {
                all.insert(document["id"].as_str().expect("an id").to_owned(), document.clone());
            }
            match page["next_cursor"].as_str() {
                Some(cursor) => more = format!("&cursor={cursor}"),
                None => break,
            }
        }
        let open = all.values().filter(|one| one["status"] != "ready" || one["embedded"] != one["passages"]);
        let open: Vec<&Value> = open.collect();
        if open.is_empty() {
            return all;
        }
        assert!(began.elapsed() < Duration::from_secs(90), "{} are not whole: {}", open.len(), open[0]);
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(crate) fn roll(dice: &mut u64, below: u64) -> u64 {
    *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*dice >> 33) % below
}
