#![expect(clippy::print_stderr, reason = "how often it was killed, and in what, is worth knowing when it fails")]
//! `kill -9` while models are called: what a client saw whole is settled, what was under way is lost and costs nothing, nothing stays
//! held past its lease, and the counters say what the rows and the upstream say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;
use testing::Server;
use testing::process::send;
use testing::upstream::Script;

use crate::shop::{CHAT, MODEL, Owner, Shop, budget, get, rows};

/// Calls at the same time, and so the most that a kill finds under way.
const WORKERS: u64 = 6;
/// What the upstream says of each call, and what that costs by the price list: 20 * 0.15 + 10 * 0.60.
const USAGE: (u64, u64) = (20, 10);
const COST: i64 = 9;
/// The same kills in each run.
const SEED: u64 = 0x5EED_2026;

/// What clients saw.
#[derive(Default)]
struct Seen {
    /// The usage ids of the answers that came whole.
    whole: Mutex<BTreeSet<String>>,
    asked: AtomicU64,
}

#[test]
fn a_hundred_kills_under_load_lose_no_settled_call_on_files() {
    killed(Engine::Sqlite, 100);
}

#[test]
fn thirty_kills_under_load_lose_no_settled_call_on_postgres() {
    killed(Engine::Postgres, 30);
}

fn killed(engine: Engine, kills: u64) {
    let shop = Shop::open(engine);
    let mut dice = SEED;
    let wait = Duration::from_millis;
    let script = Script { usage: Some(USAGE), delay: wait(6), gap: wait(3), ..Script::default() };
    shop.upstream.script("", &script);
    let began = Instant::now();
    let seen = Arc::new(Seen::default());
    let server = shop.start();
    let owner = Shop::owner(&server, "Ann");
    let budgets = [("organization", None), ("user", Some(&owner.user)), ("key", Some(&owner.key_id))]
        .map(|(level, id)| budget(&server, &owner, level, id.map(String::as_str), 1_000_000_000_000));
    let mut first = Some(server);
    for _ in 0..kills {
        let server = first.take().unwrap_or_else(|| shop.start());
        let over = Arc::new(AtomicBool::new(false));
        let before = shop.upstream.served().calls;
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                let (seen, over, key, address) =
                    (seen.clone(), over.clone(), owner.key.clone(), server.address.clone());
                std::thread::spawn(move || work(&seen, &over, &key, &address))
            })
            .collect();
        // After so many calls, and somewhere in the middle of others.
        let calls = before + WORKERS + roll(&mut dice, 40);
        shop.runtime.block_on(shop.upstream.until(|counts| counts.calls >= calls));
        std::thread::sleep(Duration::from_micros(roll(&mut dice, 20_000)));
        server.kill();
        over.store(true, Ordering::SeqCst);
        for worker in workers {
            worker.join().expect("no worker panics");
        }
    }
    let counts =
        shop.runtime.block_on(shop.upstream.until(|counts| counts.calls == counts.complete + counts.cancelled));
    let took = began.elapsed();
    let whole = seen.whole.lock().expect("nobody panics with it").clone();
    let asked = seen.asked.load(Ordering::SeqCst);
    eprintln!("{kills} kills in {took:?}: {asked} asked, {} seen whole, {counts:?}", whole.len());

    let server = shop.start();
    let held = shop.database.is_some().then(|| past_their_lease(&shop, &server, &owner));
    for id in &budgets {
        // Whoever looks ends what dead programs held.
        let shown = get(&server, &owner.token, &format!("/api/v1/budgets/{id}"));
        assert_eq!(shown["held_micros"], 0, "{shown}");
    }
    let all = rows(&server, &owner.token);
    let mut by_outcome = BTreeMap::<&str, BTreeMap<&str, &Value>>::new();
    for row in &all {
        let text = |key: &str| row[key].as_str().expect("text");
        let again = by_outcome.entry(text("outcome")).or_default().insert(text("id"), row);
        assert!(again.is_none() && row["attempt"] == 1, "{row}");
    }
    let settled = by_outcome.remove("ok").expect("some were settled");
    let lost = by_outcome.remove("lost").expect("some were under way");
    assert!(by_outcome.is_empty(), "nothing else happened: {by_outcome:?}");
    eprintln!("{} settled, {} lost, {held:?} held at the end", settled.len(), lost.len());

    // No settled call is lost, and each costs what the upstream said.
    let missing: Vec<_> = whole.iter().filter(|id| !settled.contains_key(id.as_str())).collect();
    assert!(missing.is_empty(), "clients saw these whole, and they are not settled: {missing:?}");
    let tokens = |row: &Value| (row["input_tokens"].as_u64(), row["output_tokens"].as_u64());
    for row in settled.values() {
        assert_eq!((row["cost_micros"].as_i64(), tokens(row)), (Some(COST), (Some(USAGE.0), Some(USAGE.1))), "{row}");
    }
    for row in lost.values() {
        assert_eq!((row["cost_micros"].as_i64(), tokens(row)), (Some(0), (Some(0), Some(0))), "{row}");
    }

    // What the upstream served and what is settled differ by what was under way when somebody killed.
    let count = |map: &BTreeMap<&str, &Value>| u64::try_from(map.len()).expect("few");
    let (settled, lost) = (count(&settled), count(&lost));
    assert!(lost <= kills * WORKERS, "{lost} of at most {WORKERS} at each of {kills} kills");
    assert!(settled <= counts.calls && counts.calls <= settled + lost, "{settled} settled, {lost} lost, {counts:?}");
    assert!(counts.complete <= settled + lost, "{settled} settled, {lost} lost, {counts:?}");
    assert!(u64::try_from(whole.len()).expect("few") <= settled && settled <= asked, "{asked} asked");
    assert!(settled >= kills * WORKERS / 2 && lost >= kills / 2, "there was hardly any load: {settled}, {lost}");

    // The counters follow from the rows.
    let sum = i64::try_from(settled).expect("few") * COST;
    for id in &budgets {
        let shown = get(&server, &owner.token, &format!("/api/v1/budgets/{id}"));
        assert_eq!((&shown["used_micros"], &shown["held_micros"]), (&json!(sum), &json!(0)), "{shown}");
    }
    assert_eq!(server.terminate().0, Some(0));
    let (clean, said) = shop.verify(&[]);
    assert!(clean && said.contains(&format!("{} rows", all.len())), "{said}");
}

/// Calls the model, whole and streamed in turn, until the server is gone.
fn work(seen: &Seen, over: &AtomicBool, key: &str, address: &str) {
    while !over.load(Ordering::SeqCst) {
        let stream = seen.asked.fetch_add(1, Ordering::SeqCst).is_multiple_of(2);
        let messages = json!([{ "role": "user", "content": "When does the office open?" }]);
        let body = json!({ "model": MODEL, "stream": stream, "max_tokens": 10, "messages": messages });
        let Ok(reply) = send(address, "POST", CHAT, Some(key), Some(&body)) else { return };
        assert_eq!(reply.status, 200, "{reply:?}");
        // A stream has no length: it is whole when its last word came.
        if !stream || reply.text.contains("data: [DONE]") {
            let id = reply.header("x-rowhouse-usage-id").expect("each answer names its row").to_owned();
            seen.whole.lock().expect("nobody panics with it").insert(id);
        }
    }
}

/// Lets the leases of dead programs run out, on PostgreSQL: nothing is held past them once somebody looks. Gives how many calls the
/// last kills left behind.
fn past_their_lease(shop: &Shop, server: &Server, owner: &Owner) -> i64 {
    let raw = shop.runtime.block_on(shop.database.as_ref().expect("PostgreSQL").raw());
    let count = |which: &str| -> i64 {
        let text = format!("SELECT count(*) FROM org.holds WHERE {which}");
        shop.runtime.block_on(raw.query_one(&text, &[])).expect("counted").get(0)
    };
    let expired = "expires_at <= (date_part('epoch', clock_timestamp()) * 1000000)::bigint";
    get(server, &owner.token, "/api/v1/usage/quota");
    assert_eq!(count(expired), 0, "somebody looked, and something is held past its lease");
    let left = count("true");
    // A minute later.
    let later = "UPDATE org.holds SET expires_at = expires_at - 60000000";
    shop.runtime.block_on(raw.batch_execute(later)).expect("aged");
    get(server, &owner.token, "/api/v1/usage/quota");
    assert_eq!(count("true"), 0, "a minute is the lease");
    left
}

/// The same throws for the same seed (SplitMix64); below `sides`.
fn roll(dice: &mut u64, sides: u64) -> u64 {
    *dice = dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *dice;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (z ^ (z >> 31)) % sides
}
