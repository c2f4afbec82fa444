//! What a hostile tenant or a clumsy client does to money: odd numbers, calls cut short, bills that nobody believes.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use domain::models::ProviderKind;
use domain::secret::SecretText;
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};
use server::Installation;
use store::ledger::holds;
use testing::upstream::{Fault, Script};
use testing::{Client, ScriptedUpstream, TestHouse, Wish, both_stores};
use tokio::sync::oneshot;

const CHAT: &str = "/v1/chat/completions";

/// A house whose operator has a key at a scripted upstream, and whose tenants may call this machine.
async fn with_upstream(build: impl AsyncFnOnce(Wish) -> TestHouse) -> (TestHouse, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start().await;
    let key = SecretText::new("operators-own-key".into()).expect("a key");
    let policy = egress::Policy { allow: vec!["127.0.0.1".parse().expect("an address")], own: Vec::new() };
    let installation = Installation::new(policy).with(ProviderKind::OpenAi, Some(&upstream.openai_url()), Some(&key));
    let wish = Wish { installation: installation.expect("a good address"), ..Wish::default() };
    (build(wish).await, upstream)
}

fn question(more: &Value) -> Value {
    let mut body =
        json!({ "model": "gpt-4o-mini", "messages": [{ "role": "user", "content": "Hello?" }], "max_tokens": 10 });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

async fn budget(owner: &Client, micros: i64) -> String {
    let body = json!({ "level": "organization", "period": "month", "amount_micros": micros, "currency": "USD", "kind": "hard" });
    owner.post("/api/v1/budgets", &body).await.expect(201).str("/id").to_owned()
}

async fn nothing_is_held(house: &TestHouse, owner: &Client) {
    let scope = house.scope(owner).await;
    let began = Instant::now();
    loop {
        if house.app.books().held() == 0 {
            let mut tx = house.store().read_ledger(&scope).await.expect("begun");
            assert!(holds::list(&mut tx.page(&scope).expect("its page")).await.expect("read").is_empty());
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "something stays held");
        tokio::task::yield_now().await;
    }
}

async fn odd_numbers(house: TestHouse, upstream: ScriptedUpstream) {
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    budget(&ann, 1_000_000).await;
    for (more, param) in [
        (json!({ "max_tokens": 0 }), "max_tokens"),
        (json!({ "max_tokens": -1 }), "max_tokens"),
        (json!({ "max_tokens": 1.5 }), "max_tokens"),
        (json!({ "max_tokens": "many" }), "max_tokens"),
        (json!({ "max_tokens": 1e30 }), "max_tokens"),
        (json!({ "max_tokens": u64::MAX }), "max_tokens"),
        (json!({ "max_completion_tokens": u64::MAX, "max_tokens": 1 }), "max_completion_tokens"),
        (json!({ "max_completion_tokens": -1 }), "max_completion_tokens"),
        (json!({ "n": 0 }), "n"),
        (json!({ "n": -3 }), "n"),
        (json!({ "n": 129 }), "n"),
        (json!({ "n": 1e9 }), "n"),
        (json!({ "models": ["gpt-5-pro"] }), "models"),
        (json!({ "tools": [{ "type": "web_search_20250305" }] }), "tools[0]"),
    ] {
        let refused = ann.post(CHAT, &question(&more)).await.expect(400);
        assert_eq!((refused.code(), refused.str("/error/param")), ("invalid_request", param));
    }
    // Another model whose name begins as that of a cheap one has no price.
    let dear = question(&json!({ "model": "gpt-4o-mini-dear-preview" }));
    assert_eq!(ann.post(CHAT, &dear).await.expect(404).code(), "model_not_found");
    // As many tokens as there may be: no sum turns over, and somebody says no.
    for more in [
        json!({ "max_tokens": 999_999_999 }),
        json!({ "max_tokens": 999_999_999, "n": 128 }),
        json!({ "max_tokens": 999_999_999, "stream": true }),
        json!({ "max_completion_tokens": 999_999_999, "max_tokens": 1 }),
    ] {
        let refused = ann.post(CHAT, &question(&more)).await;
        assert!([402, 429].contains(&refused.status), "{}", refused.text);
        assert_eq!(refused.headers["x-should-retry"], "false", "{}", refused.text);
    }
    // A hundred answers at once are held a hundred times, and a list of tools by its size.
    let refused = ann.post(CHAT, &question(&json!({ "n": 100, "max_tokens": 20_000 }))).await.expect(402);
    assert!(refused.str("/error/message").contains("0.2"), "1.2 dollars are asked for: {}", refused.text);
    let tools: Vec<Value> = (0..20_000)
        .map(|n| json!({ "type": "function", "function": { "name": format!("tool_{n}"), "description": "x".repeat(350) } }))
        .collect();
    ann.post(CHAT, &question(&json!({ "tools": tools }))).await.expect(402);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!(r#"{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":{deep}}}]}}"#);
    ann.post(CHAT, &Value::String(nested)).await.expect(400);
    assert_eq!(upstream.served().calls, 0, "none of these was worth a call");
    nothing_is_held(&house, &ann).await;
    ann.post(CHAT, &question(&json!({}))).await.expect(200);
}

async fn cut_short(house: TestHouse, upstream: ScriptedUpstream) {
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    let id = budget(&ann, 1_000_000).await;
    let ways = [
        ("before the head", Script::fault(Fault::Silent)),
        ("after the head", Script::fault(Fault::Stalls(1))),
        (
            "in the middle",
            Script { text: "word ".repeat(100), pieces: 100, gap: Duration::from_millis(20), ..Script::default() },
        ),
    ];
    let mut cancelled = 0;
    for (when, script) in ways {
        upstream.script("", &script);
        let body = question(&json!({ "stream": true }));
        let calls = (0..10).map(|_| tokio::time::timeout(Duration::from_millis(400), ann.post(CHAT, &body)));
        let ended = futures_util::future::join_all(calls).await;
        assert!(ended.iter().all(Result::is_err), "they were still going on {when}");
        cancelled += 10;
        upstream.until(|served| served.cancelled >= cancelled).await;
        nothing_is_held(&house, &ann).await;
        let rows = ann.get(&format!("/api/v1/usage/logs?limit={cancelled}")).await.expect(200).json;
        let rows = rows["data"].as_array().expect("rows").clone();
        assert_eq!(rows.len() as u64, cancelled, "{when}");
        assert!(
            rows.iter().all(|row| row["outcome"] == "cancelled" && row["cost_micros"].as_i64() > Some(0)),
            "{when}: {rows:?}"
        );
    }
    let shown = ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json;
    assert_eq!(shown["held_micros"], 0);
    assert!(shown["used_micros"].as_i64().is_some_and(|used| (30..3_000).contains(&used)), "{shown}");
}

async fn left_alone(house: TestHouse, upstream: ScriptedUpstream) {
    const CALLS: u64 = 10;
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    let id = budget(&ann, 1_000_000).await;
    upstream.script("", &Script { delay: Duration::from_secs(2), ..Script::usage(20, 10) });
    let clients: Vec<_> = (0..CALLS)
        .map(|_| {
            let ann = ann.clone();
            tokio::spawn(async move { ann.post(CHAT, &question(&json!({}))).await })
        })
        .collect();
    upstream.until(|served| served.calls >= CALLS).await;
    for client in clients {
        client.abort();
        assert!(client.await.is_err_and(|ended| ended.is_cancelled()), "it was answered before it could leave");
    }
    let served = upstream.until(|served| served.complete >= CALLS).await;
    assert_eq!((served.calls, served.cancelled), (CALLS, 0), "each goes on, and once");
    nothing_is_held(&house, &ann).await;
    let rows = ann.get("/api/v1/usage/logs").await.expect(200).json;
    let rows = rows["data"].as_array().expect("rows");
    // By the price list: 20 * 0.15 + 10 * 0.60.
    let whole = rows.iter().filter(|row| row["outcome"] == "ok" && row["cost_micros"] == 9).count();
    assert_eq!((rows.len(), whole), (10, 10), "{rows:?}");
    let shown = ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json;
    assert_eq!((&shown["held_micros"], &shown["used_micros"]), (&json!(0), &json!(90)));
}

async fn unbelievable(house: TestHouse, upstream: ScriptedUpstream) {
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    // Whoever brings a provider says what it claims.
    let models = json!([{ "name": "liar", "input_micros": 1_000_000, "output_micros": 1_000_000_000_000_i64 }]);
    let provider =
        json!({ "kind": "openai", "base_url": upstream.openai_url(), "api_key": "sk-own-key-1234", "models": models });
    ann.post("/api/v1/providers", &provider).await.expect(201);
    house.on_plan(&ann.org, "enterprise").await;
    let exception = json!({ "kind": "limit", "meter": "tokens", "limit": 9_007_199_254_740_991_i64 });
    let overrides = format!("/api/v1/operator/orgs/{}/overrides", ann.org);
    let olga = house.operator("Olga").await;
    olga.post(&overrides, &json!({ "exception": exception, "reason": "a test" })).await.expect(201);
    upstream.script("liar", &Script::usage(u64::MAX / 2, u64::MAX / 2));
    for stream in [false, true] {
        let message = json!([{ "role": "user", "content": "?" }]);
        let body = json!({ "model": "liar", "stream": stream, "max_tokens": 1, "messages": message });
        ann.post(CHAT, &body).await.expect(200);
    }
    let sums = ann.get("/api/v1/usage/summary").await.expect(200).json["total"].clone();
    assert_eq!((&sums["tokens"], &sums["cost_micros"]), (&json!(4_000_000_000_i64), &json!(20_000_000_000_000_i64)));
    ann.get("/api/v1/usage/quota").await.expect(200);
    let verified = metering::verify::verify(house.store(), house.app.rules(), &house.scope(&ann).await).await;
    assert_eq!(verified.expect("verified").fault, None);
    let id = budget(&ann, 5).await;
    assert_eq!(ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json["remaining_micros"], 0);
    // Nobody else's books have anything to do with it.
    let total = bob.get("/api/v1/usage/summary").await.expect(200).json["total"]["cost_micros"].clone();
    assert_eq!(total, 0);
}

/// A body that begins with so many bytes and does not end; says when they were read.
fn unending(bytes: usize) -> (Body, oneshot::Receiver<()>) {
    let (read, heard) = oneshot::channel();
    let begun = stream::once(async move { Ok::<_, Infallible>(Bytes::from(vec![b' '; bytes])) });
    let rest = stream::once(async move {
        let _ = read.send(());
        std::future::pending::<Result<Bytes, Infallible>>().await
    });
    (Body::from_stream(begun.chain(rest)), heard)
}

async fn large_bodies(house: TestHouse, _: ScriptedUpstream) {
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let large = || Body::from_stream(stream::once(async { Ok::<_, Infallible>(Bytes::from(vec![b' '; 6 << 20])) }));
    ann.post_slowly(CHAT, large()).await.expect(400);
    let mut hoarding = Vec::new();
    for _ in 0..2 {
        let (body, read) = unending(31 << 20);
        let ann = ann.clone();
        hoarding.push(tokio::spawn(async move { ann.post_slowly(CHAT, body).await }));
        read.await.expect("the body is read");
    }
    let refused = ann.post_slowly(CHAT, large()).await.expect(503);
    assert_eq!(refused.code(), "busy");
    assert_eq!(refused.headers["retry-after"], "1");
    // What is small goes on, and others have room of their own.
    assert_eq!(ann.post(CHAT, &question(&json!({}))).await.expect(200).status, 200);
    bob.post_slowly(CHAT, large()).await.expect(400);
    for hoarder in hoarding {
        hoarder.abort();
        assert!(hoarder.await.is_err(), "it went away");
    }
    ann.post_slowly(CHAT, large()).await.expect(400);
}

async fn left_bodies(house: TestHouse, upstream: ScriptedUpstream) {
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    upstream.script("", &Script { delay: Duration::from_secs(4), ..Script::usage(20, 10) });
    let large = || {
        // Within the messages: there what is not text counts for no token.
        let padded = question(&json!({})).to_string().replacen(":[", &format!(":[{}", " ".repeat(31 << 20)), 1);
        Body::from(padded)
    };
    for n in 1..=4 {
        let client = tokio::spawn({
            let ann = ann.clone();
            async move { ann.post_slowly(CHAT, large()).await }
        });
        upstream.until(|served| served.calls >= n).await;
        client.abort();
        assert!(client.await.is_err(), "it went away");
    }
    // Their calls go on, and with them their bodies.
    assert_eq!(ann.post_slowly(CHAT, large()).await.expect(503).code(), "busy");
    upstream.until(|served| served.complete >= 4).await;
    nothing_is_held(&house, &ann).await;
    ann.post_slowly(CHAT, large()).await.expect(200);
}

macro_rules! on_both {
    ($($name:ident: $scenario:ident;)+) => {
        $(mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let (house, upstream) = with_upstream(TestHouse::sqlite_with).await;
                $scenario(house, upstream).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let (house, upstream) = with_upstream(TestHouse::postgres_with).await;
                $scenario(house, upstream).await;
            }
        })+
    };
}

on_both! {
    numbers_that_make_no_sense_cost_nothing: odd_numbers;
    streams_that_are_cut_short_leave_nothing_held: cut_short;
    whole_answers_that_nobody_waits_for_any_more_are_paid_for: left_alone;
    a_bill_that_nobody_believes_leaves_sums_that_can_be_read: unbelievable;
    large_bodies_of_one_organisation_take_no_more_than_their_room: large_bodies;
    large_bodies_take_their_room_for_as_long_as_the_call_goes_on: left_bodies;
}

both_stores! {
    async fn amounts_that_make_no_sense_are_refused_by_name(house) {
        let ann = house.sign_up("Ann").await;
        let body = |amount: Value| json!({ "level": "organization", "period": "month", "amount_micros": amount, "currency": "USD", "kind": "hard" });
        for amount in [json!(-1), json!(0.5), json!("5"), json!(1e300), json!(9_007_199_254_740_992_i64), json!(u64::MAX), Value::Null] {
            let refused = ann.post("/api/v1/budgets", &body(amount.clone())).await.expect(422);
            assert_eq!(refused.str("/error/param"), "amount_micros", "{amount}");
        }
        for alerts in [json!([0]), json!([-1]), json!([1001]), json!([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), json!("50")] {
            let mut body = body(json!(5));
            body["alerts"] = alerts.clone();
            let refused = ann.post("/api/v1/budgets", &body).await.expect(422);
            assert!(refused.str("/error/param").starts_with("alerts"), "{alerts}: {}", refused.text);
        }
        // The largest there is: everything that is added to it still fits.
        let most = 9_007_199_254_740_991_i64;
        let made = ann.post("/api/v1/budgets", &body(json!(most))).await.expect(201);
        let url = format!("/api/v1/budgets/{}", made.str("/id"));
        let more = json!({ "amount_micros": most, "until": "2999-01-01T00:00:00Z", "reason": "the launch" });
        let increased = ann.put(&format!("{url}/increase"), &more).await.expect(200);
        assert_eq!(increased.json["remaining_micros"], 2 * most);
        ann.put(&format!("{url}/increase"), &json!({ "amount_micros": -5, "until": "2027-01-01T00:00:00Z", "reason": "x" })).await.expect(422);
        ann.patch(&url, &json!({ "amount_micros": -5 })).await.expect(422);
        house.spend(&house.scope(&ann).await, &testing::Spending::of(1)).await;
        assert_eq!(ann.get(&url).await.expect(200).json["used_micros"], 1);
        for key in [json!({ "budget_micros": -1, "currency": "USD" }), json!({ "calls_per_day": -1 }), json!({ "rate_per_minute": -1 })] {
            let mut body = json!({ "name": "k" });
            body.as_object_mut().expect("an object").extend(key.as_object().expect("an object").clone());
            ann.post("/api/v1/auth/api-keys", &body).await.expect(422);
        }
    }

    async fn addresses_that_mean_this_machine_lead_nowhere_in_any_of_their_forms(house) {
        let ann = house.sign_up("Ann").await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        for host in [
            "0", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1", "[::]", "[::1]", "[::ffff:7f00:1]", "[::127.0.0.1]",
            "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1]", "[fd00::1]", "[ff02::1]", "localhost.", "LOCALHOST",
            "%6cocalhost", "ab.localhost", "100.64.0.1", "192.0.0.1", "255.255.255.255", "models.example@127.0.0.1",
            "127.0.0.1#@models.example",
        ] {
            let url = format!("https://{host}:{port}/v1");
            let provider = json!({ "kind": "openai", "base_url": url, "api_key": "sk-own-key-1234", "models": ["m"] });
            let made = ann.post("/api/v1/providers", &provider).await;
            if made.status == 422 {
                assert_eq!(made.str("/error/param"), "base_url", "{url}: {}", made.text);
                continue;
            }
            // What could be a name is found out when it is called.
            assert_eq!(made.status, 201, "{url}: {}", made.text);
            let tried = ann.post(&format!("/api/v1/providers/{}/test", made.str("/id")), &json!({})).await.expect(200);
            assert!(tried.json["ok"] == false && tried.str("/message").contains("cannot be reached"), "{url}: {}", tried.text);
        }
        let nobody = tokio::time::timeout(Duration::ZERO, listener.accept()).await;
        assert!(nobody.is_err(), "somebody came through: {nobody:?}");
    }
}
