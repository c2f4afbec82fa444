//! PostgreSQL commits a batch, and the answer is lost on the way: nobody knows whether it stands, and nothing is counted twice.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use testing::{Piece, Spending, TestHouse, Way, Wish};

/// What the next commit that writes a model of this name meets.
const LOST: &str = "lost-on-the-way";

/// A house whose commits are lost on their way back, when they are about the model of that name and as often as it is armed for.
async fn house() -> (TestHouse, Arc<AtomicU32>) {
    let (armed, about) = (Arc::new(AtomicU32::new(0)), Mutex::new(false));
    let left = armed.clone();
    let url = std::env::var("ROWHOUSE_TEST_POSTGRES_URL").expect("`make test` says where PostgreSQL is");
    let server = url.split_once('@').and_then(|(_, rest)| rest.split('/').next()).expect("an address");
    let way = Way::to(server, move |bytes| {
        let says = |text: &str| bytes.windows(text.len()).any(|some| some == text.as_bytes());
        let mut about = about.lock().expect("nobody panics with it");
        *about |= says(LOST) && left.load(Ordering::SeqCst) > 0;
        if *about && says("COMMIT") {
            *about = false;
            left.fetch_sub(1, Ordering::SeqCst);
            return Piece::Last;
        }
        Piece::Passes
    });
    (TestHouse::postgres_with(Wish { pooler: Some(way.address.port()), ..Wish::default() }).await, armed)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_and_its_end_count_once_when_the_answer_to_their_commit_is_lost() {
    let (house, armed) = house().await;
    let ann = house.sign_up("Ann").await;
    let scope = house.scope(&ann).await;
    let body = serde_json::json!({ "level": "organization", "period": "total", "amount_micros": 100, "currency": "USD", "kind": "hard" });
    let budget = ann.post("/api/v1/budgets", &body).await.expect(201).str("/id").to_owned();
    let stands = async || {
        let shown = ann.get(&format!("/api/v1/budgets/{budget}")).await.expect(200).json;
        (shown["used_micros"].as_i64().expect("a number"), shown["held_micros"].as_i64().expect("a number"))
    };
    // So that there are counters, and the batch takes its usual course.
    house.spend(&scope, &Spending::of(1)).await;
    let spending = Spending { model: LOST, ..Spending::of(60) };
    armed.store(1, Ordering::SeqCst);
    let held = house.hold(&scope, &spending).await.expect("it stands already");
    assert_eq!((armed.load(Ordering::SeqCst), stands().await), (0, (1, 60)));
    armed.store(1, Ordering::SeqCst);
    house.settle(held, &spending).await;
    assert_eq!((armed.load(Ordering::SeqCst), stands().await), (0, (61, 0)));
    let rows = ann.get("/api/v1/usage/logs").await.expect(200).json;
    let outcomes: Vec<_> = rows["data"].as_array().expect("rows").iter().map(|row| row["outcome"].clone()).collect();
    assert_eq!(outcomes, ["ok", "ok"]);
    assert_eq!(house.app.books().held(), 0);
}
