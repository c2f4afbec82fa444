//! The server on which nodes share their rate limits goes away and comes back, while calls come in.

use std::time::{Duration, Instant};

use domain::models::ProviderKind;
use domain::secret::SecretText;
use futures_util::future::join_all;
use serde_json::{Value, json};
use server::Installation;
use testing::upstream::Script;
use testing::{Answer, Client, Redis, ScriptedUpstream, TestHouse, Wish};

const CHAT: &str = "/v1/chat/completions";
/// Ten cents a call, whatever it reads and writes.
const DIME: &str = r#"
    [[list]]
    version = "dime-1"
    from = "2026-01-01T00:00:00Z"
    [[list.price]]
    model = "dime"
    input = 0
    output = 0
    request = 100_000
"#;

fn wish(redis: &Redis, upstream: &ScriptedUpstream) -> Wish {
    let key = SecretText::new("operators-own-key".into()).expect("a key");
    let installation = Installation::default().with(ProviderKind::OpenAi, Some(&upstream.openai_url()), Some(&key));
    let installation = installation.expect("a good address");
    Wish { sharing: Some(redis.sharing()), prices: Some(DIME), installation, ..Wish::default() }
}

fn question() -> Value {
    json!({ "model": "dime", "messages": [{ "role": "user", "content": "?" }] })
}

fn header(answer: &Answer, name: &str) -> Option<u64> {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok())
}

/// Calls one after the other; gives how many got in. What headers say is sensible in each.
async fn ask(client: &Client, times: usize, limit: u64) -> usize {
    let mut passed = 0;
    for _ in 0..times {
        let answer = client.post(CHAT, &question()).await;
        let (most, left) = (header(&answer, "ratelimit-limit"), header(&answer, "ratelimit-remaining"));
        assert!(most.is_some_and(|most| most >= 1 && most <= limit), "{answer:?}");
        assert!(left.is_some_and(|left| left < limit), "{answer:?}");
        assert!(header(&answer, "ratelimit-reset").is_some_and(|reset| reset <= 60), "{answer:?}");
        match answer.status {
            200 => passed += 1,
            429 => {
                assert_eq!((answer.code(), left), ("rate_limited", Some(0)), "{answer:?}");
                assert!(header(&answer, "retry-after").is_some_and(|wait| (1..=60).contains(&wait)), "{answer:?}");
            }
            _ => panic!("{answer:?}"),
        }
    }
    passed
}

async fn until(wish: impl Fn() -> bool) {
    let began = Instant::now();
    while !wish() {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not come");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn lost_and_back(house: TestHouse, mut redis: Redis) {
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    let limit = json!({ "level": "organization", "operation": "chat", "requests_per_minute": 6 });
    ann.post("/api/v1/limits", &limit).await.expect(201);
    house.app.gatekeeper().meet().await.expect("it is there");
    assert_eq!(ask(&ann, 2, 6).await, 2);
    assert!(house.app.gatekeeper().is_shared());

    redis.stop();
    // One node's share of six is six, and two are used: what was counted on the server counts on.
    assert_eq!(ask(&ann, 8, 6).await, 4, "it is not open because the server is away");
    assert!(!house.app.gatekeeper().is_shared());
    // What is no call of a model goes on.
    ann.get("/api/v1/limits").await.expect(200);

    redis.start_again();
    until(|| house.app.gatekeeper().is_shared()).await;
    assert_eq!(ask(&ann, 3, 6).await, 0, "a server that has forgotten everything is told what was used");

    // Gone and back in the middle of calls: each is answered, and none gets in that should not.
    let bob = house.sign_up("Bob").await;
    house.on_plan(&bob.org, "enterprise").await;
    let limit = json!({ "level": "organization", "operation": "chat", "requests_per_minute": 10 });
    bob.post("/api/v1/limits", &limit).await.expect(201);
    let body = question();
    let calls = join_all((0..40).map(|_| bob.post(CHAT, &body)));
    let breaking = async {
        tokio::task::yield_now().await;
        redis.stop();
    };
    let (answers, ()) = tokio::join!(calls, breaking);
    let passed = answers.iter().filter(|answer| answer.status == 200).count();
    assert!(answers.iter().all(|answer| [200, 429].contains(&answer.status)), "{answers:?}");
    assert!((1..=10).contains(&passed), "{passed} of 10");
    redis.start_again();
    until(|| house.app.gatekeeper().is_shared()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_their_server_is_away_and_after_on_files() {
    let (redis, upstream) = (Redis::start(), ScriptedUpstream::start().await);
    lost_and_back(TestHouse::sqlite_with(wish(&redis, &upstream)).await, redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_while_their_server_is_away_and_after_on_postgres() {
    let (redis, upstream) = (Redis::start(), ScriptedUpstream::start().await);
    lost_and_back(TestHouse::postgres_with(wish(&redis, &upstream)).await, redis).await;
}

/// Money does not depend on that server: with it away two nodes spend together what one may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_budget_holds_at_two_nodes_that_share_no_limits_any_more() {
    let (mut redis, upstream) = (Redis::start(), ScriptedUpstream::start().await);
    upstream.script("", &Script { delay: Duration::from_millis(3), ..Script::default() });
    let house = TestHouse::postgres_with(wish(&redis, &upstream)).await;
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    let other = house.another_node_with(wish(&redis, &upstream)).await.with_token(ann.token.as_deref());
    let body = json!({ "level": "organization", "period": "month", "amount_micros": 1_000_000, "currency": "USD", "kind": "hard" });
    let budget = ann.post("/api/v1/budgets", &body).await.expect(201);
    house.app.gatekeeper().meet().await.expect("it is there");
    redis.stop();
    let body = question();
    let answers =
        join_all((0..60).map(|n| if n % 2 == 0 { ann.post(CHAT, &body) } else { other.post(CHAT, &body) })).await;
    let count = |status: u16| answers.iter().filter(|answer| answer.status == status).count();
    // Slots of the plan may refuse, too: each node keeps to its half of them.
    assert_eq!((count(200), count(200) + count(402) + count(429)), (10, 60), "{answers:?}");
    let shown = ann.get(&format!("/api/v1/budgets/{}", budget.str("/id"))).await.expect(200).json;
    assert_eq!((&shown["used_micros"], &shown["held_micros"]), (&json!(1_000_000), &json!(0)));
    assert_eq!(upstream.served().calls, 10);
}
