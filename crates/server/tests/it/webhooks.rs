//! Webhooks: what they are told, how it is signed, what happens when they do not listen, and who may set them up.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::events::EventType;
use serde_json::{Value, json};
use server::Installation;
use store::keys::sha256;
use store::org::webhook_messages::{self, Event, Message};
use testing::receiver::{Reaction, Received};
use testing::{Answer, Client, Receiver, Spending, TestHouse, Wish, both_stores};

/// A house whose webhooks may be on this machine.
fn open() -> Wish {
    let policy = egress::Policy { allow: vec!["127.0.0.1".parse().expect("an address")], own: Vec::new() };
    Wish { installation: Installation::new(policy), ..Wish::default() }
}

async fn hook(client: &Client, receiver: &Receiver, events: &[&str]) -> Answer {
    let body = json!({ "url": receiver.url("/in?token=1"), "events": events });
    client.post("/api/v1/webhooks", &body).await.expect(201)
}

fn path(hook: &Answer) -> String {
    format!("/api/v1/webhooks/{}", hook.str("/id"))
}

/// HMAC-SHA-256 (RFC 2104), written out here so that nothing of what signs is used to check it.
fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut block = [0; 64];
    block[..key.len()].copy_from_slice(key);
    let with = |pad: u8, rest: &[u8]| sha256([block.map(|byte| byte ^ pad).as_slice(), rest].concat());
    with(0x5c, &with(0x36, message))
}

/// Whether a message carries a signature by a secret, as its owner was shown it.
fn is_signed(message: &Received, secret: &str) -> bool {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").expect("its prefix")).expect("base64");
    let signed = format!("{}.{}.{}", message.header("webhook-id"), message.header("webhook-timestamp"), message.body);
    let expected = format!("v1,{}", STANDARD.encode(hmac(&key, signed.as_bytes())));
    message.header("webhook-signature").split(' ').any(|signature| signature == expected)
}

/// Waits until an answer is as wished.
async fn until(client: &Client, path: &str, wish: impl Fn(&Value) -> bool) -> Value {
    let looked = async {
        loop {
            let answer = client.get(path).await.expect(200);
            if wish(&answer.json) {
                return answer.json;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looked).await.unwrap_or_else(|_| panic!("{path} stays as it is"))
}

/// Waits until the newest message to a webhook is as wished.
async fn delivery(client: &Client, hook: &Answer, wish: impl Fn(&Value) -> bool) -> Value {
    let path = format!("{}/deliveries?limit=1", path(hook));
    until(client, &path, |page| wish(&page["data"][0])).await["data"][0].clone()
}

/// Waits until it is noted how the last try of each message went: its lease has given way to the time of the next try.
async fn noted(house: &TestHouse, scope: &store::Scope, hook: &Answer) {
    let id = hook.str("/id").parse().expect("an id");
    let looked = async {
        loop {
            let mut tx = house.store().open(scope).read().await.expect("begun");
            let messages = webhook_messages::list(&mut tx, id, None, 10).await.expect("read");
            let lease = |message: &Message| message.tried_at.map(|at| at + Duration::from_mins(1));
            if messages.iter().all(|one| one.failed_at.is_some() || Some(one.due_at) != lease(one)) {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), looked).await.expect("noted in time");
}

async fn try_out(client: &Client, hook: &Answer) -> Answer {
    client.post(&format!("{}/test", path(hook)), &json!({})).await.expect(202)
}

/// Tells an organisation's webhooks of something, as the transaction of its cause would.
async fn announce(house: &TestHouse, client: &Client, about: &str) -> usize {
    let scope = house.scope(client).await;
    let event = Event {
        event: EventType::QuotaThreshold,
        at: "2026-11-22T09:00:00Z".parse().expect("a time"),
        once: Some(about.to_owned()),
        data: json!({ "about": about }),
    };
    let mut tx = house.store().open(&scope).begin().await.expect("begun");
    let told = webhook_messages::announce(&mut tx, &event).await.expect("written");
    tx.commit().await.expect("committed");
    told
}

both_stores! { in open();
    async fn a_passed_threshold_is_told_once_with_a_signature_that_holds(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let scope = house.scope(&ann).await;
        let (mut near, mut over) = (Receiver::start().await, Receiver::start().await);
        let near_hook = hook(&ann, &near, &["budget.threshold"]).await;
        let over_hook = hook(&ann, &over, &["budget.exhausted", "quota.exhausted"]).await;
        let body = json!({ "level": "user", "id": ann.user, "period": "month", "amount_micros": 1_000_000, "currency": "USD", "kind": "hard", "alerts": [50, 100] });
        let budget = ann.post("/api/v1/budgets", &body).await.expect(201);
        house.spend(&scope, &Spending::of(600_000)).await;
        let told = near.next().await;
        assert!(is_signed(&told, near_hook.str("/secret")) && !is_signed(&told, over_hook.str("/secret")));
        assert_eq!((told.path.as_str(), told.header("content-type")), ("/in?token=1", "application/json"));
        assert_eq!(told.header("webhook-timestamp"), (house.clock_now().micros() / 1_000_000).to_string());
        let said = told.json();
        assert_eq!((&said["type"], &said["timestamp"]), (&json!("budget.threshold"), &json!(house.clock_now())));
        assert_eq!(said["data"], json!({
            "organization_id": ann.org, "budget_id": budget.json["id"], "level": "user", "subject_id": ann.user,
            "counted": "cost", "unit": "micros", "currency": "USD", "percent": 50, "used": 600_000, "limit": 1_000_000,
            "kind": "hard", "period": "month", "starts_at": said["data"]["starts_at"], "resets_at": said["data"]["resets_at"],
            "exhausted_at": said["data"]["exhausted_at"],
        }));
        let kept = delivery(&ann, &near_hook, |one| one["status"] == "delivered").await;
        assert_eq!((&kept["id"], &kept["tries"], &kept["last_status"]), (&json!(told.header("webhook-id")), &json!(1), &json!(204)));
        for micros in [399_999, 1] {
            house.spend(&scope, &Spending::of(micros)).await;
        }
        let told = over.next().await;
        assert!(is_signed(&told, over_hook.str("/secret")));
        assert_eq!((&told.json()["type"], &told.json()["data"]["used"]), (&json!("budget.exhausted"), &json!(1_000_000)));
        delivery(&ann, &over_hook, |one| one["status"] == "delivered").await;
        assert!(near.is_silent() && over.is_silent(), "each event is told once, to who asked for it");
    }

    async fn what_is_announced_twice_is_one_message(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        assert_eq!(announce(&house, &ann, "nobody listens").await, 0);
        let hook = hook(&ann, &receiver, &["quota.threshold"]).await;
        for about in ["this", "this", "that"] {
            assert_eq!(announce(&house, &ann, about).await, 1);
        }
        let mut ids = [receiver.next().await, receiver.next().await].map(|told| told.header("webhook-id").to_owned());
        ids.sort();
        assert_ne!(ids[0], ids[1]);
        let all = until(&ann, &format!("{}/deliveries", path(&hook)), |page| page["data"][1]["status"] == "delivered" && page["data"][0]["status"] == "delivered").await;
        assert_eq!(all["data"].as_array().map(Vec::len), Some(2));
        assert!(receiver.is_silent());
    }

    async fn what_is_not_taken_is_tried_again_under_the_same_id(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        let hook = hook(&ann, &receiver, &["quota.threshold"]).await;
        receiver.once(Reaction::Status(500));
        receiver.once(Reaction::Redirect(receiver.url("/elsewhere")));
        announce(&house, &ann, "this").await;
        let first = receiver.next().await;
        let waits = delivery(&ann, &hook, |one| one["last_status"] == 500).await;
        assert_eq!((&waits["status"], &waits["tries"], &waits["last_error"]), (&json!("pending"), &json!(1), &json!("It answered 500.")));
        house.clock.advance(Duration::from_secs(3));
        assert!(receiver.is_silent(), "no try before its pause is over");
        house.clock.advance(Duration::from_secs(4));
        let second = receiver.next().await;
        assert_eq!((&second.path, second.header("webhook-id")), (&first.path, first.header("webhook-id")));
        assert_eq!(second.body, first.body);
        assert_ne!(second.header("webhook-timestamp"), first.header("webhook-timestamp"));
        assert!(is_signed(&second, hook.str("/secret")));
        let waits = delivery(&ann, &hook, |one| one["last_status"] == 307).await;
        assert!(waits["last_error"].as_str().is_some_and(|text| text.contains("redirect")), "{waits}");
        house.clock.advance(Duration::from_secs(40));
        assert_eq!(receiver.next().await.path, first.path, "no redirect is followed");
        delivery(&ann, &hook, |one| one["status"] == "delivered" && one["tries"] == 3).await;
    }

    async fn a_webhook_that_takes_nothing_for_most_of_a_day_is_switched_off_and_can_be_switched_on(house) {
        let ann = house.sign_up("Ann").await;
        house.join(&ann, "Adi", "admin").await;
        house.join(&ann, "Max", "member").await;
        let mut receiver = Receiver::start().await;
        let failing = hook(&ann, &receiver, &["quota.threshold"]).await;
        receiver.always(Reaction::Status(503));
        announce(&house, &ann, "this").await;
        let mut ids = Vec::new();
        let scope = house.scope(&ann).await;
        for _ in 0..10 {
            ids.push(receiver.next().await.header("webhook-id").to_owned());
            noted(&house, &scope, &failing).await;
            house.clock.advance(Duration::from_hours(13));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1);
        for name in ["Ann", "Adi"] {
            let mail = house.mail(&format!("{}@example.com", name.to_lowercase()), "A webhook was switched off").await;
            assert!(mail.body.contains("127.0.0.1") && !mail.body.contains("token=1"), "{}", mail.body);
        }
        assert!(house.mails_to("max@example.com").await.iter().all(|mail| !mail.subject.contains("webhook")));
        let ann = house.signed_in_again(&ann).await;
        let off = until(&ann, &path(&failing), |hook| hook["enabled"] == false).await;
        assert_eq!(off["disabled_because"], "failing");
        let given_up = delivery(&ann, &failing, |_| true).await;
        assert_eq!((&given_up["status"], &given_up["tries"], &given_up["next_try_at"]), (&json!("failed"), &json!(10), &Value::Null));
        let entry = house.audit(&ann).await.into_iter().find(|entry| entry.action == "webhook.disabled").expect("recorded");
        assert_eq!(entry.actor, "system");
        // Nothing is queued for it, and it is not tried, until it is on again.
        assert_eq!(announce(&house, &ann, "meanwhile").await, 0);
        ann.post(&format!("{}/test", path(&failing)), &json!({})).await.expect(409);
        receiver.always(Reaction::Status(204));
        ann.patch(&path(&failing), &json!({ "enabled": true })).await.expect(200);
        assert_eq!(announce(&house, &ann, "that").await, 1);
        assert_eq!(receiver.next().await.json()["data"]["about"], "that");
        let is_taken = |page: &Value| page["data"].as_array().is_some_and(|all| all.iter().any(|one| one["status"] == "delivered"));
        until(&ann, &format!("{}/deliveries", path(&failing)), is_taken).await;
    }

    async fn one_message_that_is_never_taken_is_given_up_alone_while_others_are_taken(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        let choosy = hook(&ann, &receiver, &["quota.threshold"]).await;
        let scope = house.scope(&ann).await;
        receiver.always(Reaction::Status(503));
        announce(&house, &ann, "refused").await;
        for round in 0..10 {
            assert_eq!(receiver.next().await.json()["data"]["about"], "refused");
            noted(&house, &scope, &choosy).await;
            if round == 0 {
                receiver.always(Reaction::Status(204));
                announce(&house, &ann, "taken").await;
                assert_eq!(receiver.next().await.json()["data"]["about"], "taken");
                noted(&house, &scope, &choosy).await;
                receiver.always(Reaction::Status(503));
            }
            house.clock.advance(Duration::from_hours(13));
        }
        let ann = house.signed_in_again(&ann).await;
        let all = ann.get(&format!("{}/deliveries", path(&choosy))).await.expect(200);
        let mut ended: Vec<_> = all.json["data"].as_array().expect("a list").iter().map(|one| (one["status"].as_str(), one["tries"].as_i64())).collect();
        ended.sort();
        assert_eq!(ended, [(Some("delivered"), Some(1)), (Some("failed"), Some(10))]);
        assert_eq!(ann.get(&path(&choosy)).await.expect(200).json["enabled"], true);
        assert!(house.mails_to("ann@example.com").await.iter().all(|mail| !mail.subject.contains("webhook")));
    }

    async fn what_waits_is_sent_when_its_webhook_is_on_again(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        let waiting = hook(&ann, &receiver, &["quota.threshold"]).await;
        receiver.once(Reaction::Status(500));
        announce(&house, &ann, "this").await;
        receiver.next().await;
        delivery(&ann, &waiting, |one| one["last_status"] == 500).await;
        ann.patch(&path(&waiting), &json!({ "enabled": false })).await.expect(200);
        house.clock.advance(Duration::from_mins(1));
        // Another webhook's message shows that the organisation had its turn.
        let mut other = Receiver::start().await;
        let marker = hook(&ann, &other, &["quota.exhausted"]).await;
        try_out(&ann, &marker).await;
        other.next().await;
        assert!(receiver.is_silent());
        ann.patch(&path(&waiting), &json!({ "enabled": true })).await.expect(200);
        assert_eq!(receiver.next().await.json()["data"]["about"], "this");
    }

    async fn one_that_answers_410_is_told_nothing_more(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        let gone = hook(&ann, &receiver, &["quota.threshold"]).await;
        // A trial switches nothing off, whatever comes of it, and is made once.
        receiver.once(Reaction::Status(410));
        let trial = try_out(&ann, &gone).await;
        assert_eq!((trial.str("/event"), trial.str("/status")), ("webhook.test", "pending"));
        assert_eq!(receiver.next().await.json()["type"], "webhook.test");
        delivery(&ann, &gone, |one| one["status"] == "failed").await;
        assert_eq!(ann.get(&path(&gone)).await.expect(200).json["enabled"], true);
        receiver.once(Reaction::Status(410));
        announce(&house, &ann, "this").await;
        receiver.next().await;
        let off = until(&ann, &path(&gone), |hook| hook["enabled"] == false).await;
        assert_eq!(off["disabled_because"], "gone");
        assert!(house.mail("ann@example.com", "A webhook was switched off").await.body.contains("410"));
    }

    async fn both_secrets_sign_until_the_grace_period_ends(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        let hook = hook(&ann, &receiver, &["quota.threshold"]).await;
        let first = hook.str("/secret").to_owned();
        let rotate = format!("{}/rotate-secret", path(&hook));
        let rotated = ann.post(&rotate, &json!({ "grace_seconds": 60 })).await.expect(201);
        let second = rotated.str("/secret").to_owned();
        try_out(&ann, &hook).await;
        let told = receiver.next().await;
        assert!(is_signed(&told, &first) && is_signed(&told, &second) && first != second);
        house.clock.advance(Duration::from_mins(1));
        try_out(&ann, &hook).await;
        let told = receiver.next().await;
        assert!(!is_signed(&told, &first) && is_signed(&told, &second));
        // A secret that others know signs nothing more at once.
        let third = ann.post(&rotate, &json!({ "grace_seconds": 0 })).await.expect(201).str("/secret").to_owned();
        try_out(&ann, &hook).await;
        let told = receiver.next().await;
        assert!(!is_signed(&told, &second) && is_signed(&told, &third));
        assert_eq!(ann.post(&rotate, &json!({ "grace_seconds": 604_801 })).await.expect(422).str("/error/param"), "grace_seconds");
    }

    async fn a_secret_is_shown_once(house) {
        let ann = house.sign_up("Ann").await;
        let receiver = Receiver::start().await;
        let hook = hook(&ann, &receiver, &["quota.threshold"]).await;
        let rotated = ann.post(&format!("{}/rotate-secret", path(&hook)), &json!({})).await.expect(201);
        let shown = [
            ann.get(&path(&hook)).await.expect(200),
            ann.get("/api/v1/webhooks").await.expect(200),
            ann.patch(&path(&hook), &json!({ "description": "x" })).await.expect(200),
            ann.get("/api/v1/audit").await.expect(200),
        ];
        for secret in [hook.str("/secret"), rotated.str("/secret")] {
            let key = secret.strip_prefix("whsec_").expect("its prefix");
            assert_eq!(STANDARD.decode(key).expect("base64").len(), 32);
            assert!(shown.iter().all(|answer| !answer.text.contains(key)));
        }
    }

    async fn a_message_whose_server_died_is_sent_by_another(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        hook(&ann, &receiver, &["quota.threshold"]).await;
        let scope = house.scope(&ann).await;
        let event = Event { event: EventType::QuotaThreshold, at: house.clock_now(), once: None, data: json!({ "about": "this" }) };
        let mut tx = house.store().open(&scope).begin().await.expect("begun");
        assert_eq!(webhook_messages::announce(&mut tx, &event).await.expect("written"), 1);
        // Somebody claims it and is never heard of again.
        let claimed = webhook_messages::claim(&mut tx, Duration::from_mins(1), 4).await.expect("claimed");
        assert_eq!(claimed.len(), 1);
        tx.commit().await.expect("committed");
        house.clock.advance(Duration::from_secs(61));
        let told = receiver.next().await;
        assert_eq!((told.header("webhook-id"), &told.json()["data"]["about"]), (claimed[0].id.to_string().as_str(), &json!("this")));
    }

    async fn nobody_waits_for_the_slow_receivers_of_another_organisation(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (mut silent, mut quick) = (Receiver::start().await, Receiver::start().await);
        silent.always(Reaction::Silence);
        hook(&ann, &silent, &["quota.threshold"]).await;
        hook(&bob, &quick, &["quota.threshold"]).await;
        for n in 0..20 {
            announce(&house, &ann, &n.to_string()).await;
        }
        announce(&house, &bob, "Bob's").await;
        let told = tokio::time::timeout(Duration::from_secs(8), quick.next()).await.expect("before any of Ann's is given up");
        assert_eq!(told.json()["data"]["about"], "Bob's");
        assert!(quick.is_silent());
        silent.next().await;
        let mut under_way = 1;
        while !silent.is_silent() {
            under_way += 1;
        }
        assert!(under_way <= 4, "{under_way} of Ann's messages are under way");
    }

    async fn an_answer_without_end_is_not_read(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        let hook = hook(&ann, &receiver, &["quota.threshold"]).await;
        receiver.once(Reaction::Endless);
        try_out(&ann, &hook).await;
        receiver.next().await;
        let taken = delivery(&ann, &hook, |one| one["status"] != "pending").await;
        assert_eq!((&taken["status"], &taken["last_status"]), (&json!("delivered"), &json!(200)));
    }

    async fn another_organisations_events_and_webhooks_are_out_of_reach(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (mut anns, mut bobs) = (Receiver::start().await, Receiver::start().await);
        let anns_hook = hook(&ann, &anns, &["quota.threshold"]).await;
        let bobs_hook = hook(&bob, &bobs, &["quota.threshold"]).await;
        announce(&house, &bob, "Bob's").await;
        assert_eq!(bobs.next().await.json()["data"]["about"], "Bob's");
        let page = ann.get(&format!("{}/deliveries", path(&anns_hook))).await.expect(200);
        assert_eq!(page.json["data"], json!([]));
        assert!(anns.is_silent());
        for (method, rest) in [("GET", ""), ("GET", "/deliveries"), ("POST", "/test"), ("POST", "/rotate-secret"), ("PATCH", ""), ("DELETE", "")] {
            let method = method.parse().expect("a method");
            ann.send(method, &format!("{}{rest}", path(&bobs_hook)), Some(&json!({}))).await.expect(404);
        }
        // Sealed for one row of one organisation, a secret opens nowhere else.
        let (anns_scope, bobs_scope) = (house.scope(&ann).await, house.scope(&bob).await);
        let id = bobs_hook.str("/id").parse().expect("an id");
        let stored = store::org::webhooks::get(&mut house.store().open(&bobs_scope).read().await.expect("begun"), id).await.expect("there");
        let unseal = async |scope, id: domain::WebhookId| house.store().open(scope).unseal(store::org::webhooks::SEALED, id, &stored.sealed, 1).await;
        unseal(&bobs_scope, id).await.expect("opens");
        unseal(&anns_scope, id).await.expect_err("does not open");
        unseal(&bobs_scope, anns_hook.str("/id").parse().expect("an id")).await.expect_err("does not open");
    }

    async fn bad_webhooks_are_refused_by_the_name_of_the_field(house) {
        let ann = house.sign_up("Ann").await;
        let good = json!({ "url": "https://hooks.example.com/in", "events": ["budget.threshold"] });
        let long = format!("https://hooks.example.com/{}", "x".repeat(2000));
        for (field, value) in [
            ("url", json!("")),
            ("url", json!("ftp://hooks.example.com")),
            ("url", json!("http://hooks.example.com")),
            ("url", json!("https://user@hooks.example.com")),
            ("url", json!("https://hooks.example.com/#x")),
            ("url", json!("https://10.0.0.1/in")),
            ("url", json!("https://localhost/in")),
            ("url", json!("https://169.254.169.254/latest")),
            ("url", json!(long)),
            ("events", json!([])),
            ("events[0]", json!(["budget.thresholds"])),
            ("events[0]", json!(["webhook.test"])),
        ] {
            let mut body = good.clone();
            body[field.split('[').next().expect("a field")] = value;
            let answer = ann.post("/api/v1/webhooks", &body).await.expect(422);
            assert_eq!(answer.str("/error/param"), field, "{}", answer.text);
        }
        for _ in 0..20 {
            ann.post("/api/v1/webhooks", &good).await.expect(201);
        }
        assert_eq!(ann.post("/api/v1/webhooks", &good).await.expect(409).code(), "conflict");
        let max = house.join(&ann, "Max", "member").await;
        max.get("/api/v1/webhooks").await.expect(403);
        max.post("/api/v1/webhooks", &good).await.expect(403);
    }

    async fn a_name_that_leads_inside_is_refused_when_it_is_called(house) {
        let ann = house.sign_up("Ann").await;
        // The address is looked up and checked at each call; this one names no allowed host.
        let body = json!({ "url": "https://localtest.invalid/in", "events": ["quota.threshold"] });
        let hook = ann.post("/api/v1/webhooks", &body).await.expect(201);
        try_out(&ann, &hook).await;
        let failed = delivery(&ann, &hook, |one| one["status"] == "failed").await;
        assert_eq!((&failed["last_status"], &failed["last_error"]), (&Value::Null, &json!("It cannot be reached, or did not answer in time.")));
    }

    async fn a_deleted_webhook_is_told_nothing(house) {
        let ann = house.sign_up("Ann").await;
        let mut receiver = Receiver::start().await;
        let deleted = hook(&ann, &receiver, &["quota.threshold"]).await;
        receiver.once(Reaction::Status(500));
        announce(&house, &ann, "this").await;
        receiver.next().await;
        delivery(&ann, &deleted, |one| one["last_status"] == 500).await;
        ann.delete(&path(&deleted)).await.expect(204);
        house.clock.advance(Duration::from_mins(1));
        assert_eq!(announce(&house, &ann, "that").await, 0);
        let marker = hook(&ann, &receiver, &["quota.exhausted"]).await;
        try_out(&ann, &marker).await;
        assert_eq!(receiver.next().await.json()["type"], "webhook.test");
        let actions = house.actions(&ann).await;
        for action in ["webhook.created", "webhook.deleted", "webhook.tested"] {
            assert!(actions.iter().any(|one| one == action), "{actions:?}");
        }
    }
}
