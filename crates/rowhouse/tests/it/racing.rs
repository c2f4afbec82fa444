//! Two servers on one PostgreSQL database: together they spend no more than one alone.

use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;
use testing::Server;
use testing::process::{Reply, send};
use testing::upstream::Script;

use crate::shop::{CHAT, DIME, Shop, budget, get, post, rows};

/// Calls at once, half of them at each server.
const CALLS: usize = 200;
/// What one costs, and what there is: ten fit.
const COST: i64 = 100_000;
const ROOM: i64 = 1_000_000;

#[test]
fn of_two_hundred_calls_at_two_servers_exactly_ten_run() {
    let shop = Shop::open(Engine::Postgres);
    shop.upstream.script("", &Script { delay: Duration::from_millis(5), ..Script::default() });
    let first = shop.start();
    let owner = Shop::owner(&first, "Ann");
    let second = shop.start_another();
    let servers = [&first, &second];
    let mut ran = 0;
    // Each level by itself, then both at once: the wider one is named by whoever is refused.
    for levels in [&["organization"][..], &["key"], &["organization", "key"]] {
        let made = post(&first, &owner.token, "/api/v1/auth/api-keys", &json!({ "name": "racer" }));
        let (key, key_id) = (made.str("/key"), made.str("/id"));
        let spent = i64::try_from(ran).expect("few") * COST;
        let budgets: Vec<String> = levels
            .iter()
            .map(|level| match *level {
                // It counts what was spent before it.
                "organization" => budget(&first, &owner, level, None, spent + ROOM),
                _ => budget(&first, &owner, level, Some(key_id), ROOM),
            })
            .collect();
        for server in servers {
            knows(server, key, &budgets);
        }
        let replies = race(servers, key);
        let (ok, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!((ok.len(), refused.len()), (10, CALLS - 10), "{levels:?}");
        for reply in &refused {
            assert_eq!((reply.status, reply.str("/error/code")), (402, "budget_exceeded"), "{reply:?}");
            let message = reply.str("/error/message");
            assert!(message.contains("0.100000") && message.contains(levels[0]), "{message}");
        }
        ran += ok.len();
        assert_eq!(shop.upstream.served().calls, ran as u64, "who is refused calls nobody");
        for (id, level) in budgets.iter().zip(levels) {
            for server in servers {
                let shown = get(server, &owner.token, &format!("/api/v1/budgets/{id}"));
                let before = if *level == "organization" { spent } else { 0 };
                assert_eq!(
                    (&shown["used_micros"], &shown["held_micros"]),
                    (&json!(before + ROOM), &json!(0)),
                    "{shown}"
                );
            }
            let gone = first.send("DELETE", &format!("/api/v1/budgets/{id}"), Some(&owner.token), None);
            assert_eq!(gone.expect("answered").status, 204);
        }
        for server in servers {
            knows_not(server, key, &budgets);
        }
    }
    let all = rows(&second, &owner.token);
    assert_eq!(all.len(), ran);
    assert!(all.iter().all(|row| row["outcome"] == "ok" && row["cost_micros"] == COST), "{all:?}");
    let (clean, said) = shop.verify(&[]);
    assert!(clean, "{said}");
}

/// All calls at once.
fn race(servers: [&Server; 2], key: &str) -> Vec<Reply> {
    let start = Arc::new(Barrier::new(CALLS));
    let callers: Vec<_> = (0..CALLS)
        .map(|n| {
            let (start, key, address) = (start.clone(), key.to_owned(), servers[n % 2].address.clone());
            std::thread::spawn(move || {
                let body = json!({ "model": DIME, "messages": [{ "role": "user", "content": "?" }] });
                start.wait();
                send(&address, "POST", CHAT, Some(&key), Some(&body)).expect("answered")
            })
        })
        .collect();
    callers.into_iter().map(|caller| caller.join().expect("no caller panics")).collect()
}

fn limits(server: &Server, key: &str) -> Vec<Value> {
    get(server, key, "/api/v1/usage/quota")["data"].as_array().expect("limits").clone()
}

fn until(server: &Server, key: &str, wish: impl Fn(&[Value]) -> bool) {
    let began = Instant::now();
    while !wish(&limits(server, key)) {
        assert!(began.elapsed() < Duration::from_secs(10), "a change holds within a second: {:?}", limits(server, key));
    }
}

fn is_there(limits: &[Value], budget: &str) -> bool {
    let (_, number) = budget.split_once('_').expect("an id");
    limits.iter().any(|limit| limit["limit_id"].as_str().is_some_and(|id| id.ends_with(number)))
}

/// Waits until a server knows budgets that the other one was told of.
fn knows(server: &Server, key: &str, budgets: &[String]) {
    until(server, key, |limits| budgets.iter().all(|id| is_there(limits, id)));
}

fn knows_not(server: &Server, key: &str, budgets: &[String]) {
    until(server, key, |limits| !budgets.iter().any(|id| is_there(limits, id)));
}
