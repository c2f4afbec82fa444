//! Rate limits through HTTP.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse};

const LIMITS: &str = "/api/v1/limits";

async fn invite(client: &Client, n: usize) -> Answer {
    let body = json!({ "email": format!("guest{n}@example.com"), "role": "viewer" });
    client.post("/api/v1/invitations", &body).await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
}

async fn set(client: &Client, body: Value) -> String {
    client.post(LIMITS, &body).await.expect(201).str("/id").to_owned()
}

async fn acme(house: &TestHouse) -> (Client, Client) {
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    let adi = house.join(&ann, "Adi", "admin").await;
    (ann, adi)
}

testing::both_stores! {
    async fn the_sixth_of_five_a_minute_gets_429_and_others_are_not_affected(house) {
        let (ann, adi) = acme(&house).await;
        set(&ann, json!({ "level": "user", "id": adi.user, "operation": "mails", "requests_per_minute": 5 })).await;
        for n in 0..5 {
            let answer = invite(&adi, n).await.expect(201);
            assert_eq!(header(&answer, "ratelimit-remaining"), (4 - n).to_string());
            assert_eq!(header(&answer, "ratelimit-policy"), "5;w=60");
        }
        let refused = invite(&adi, 5).await.expect(429);
        assert_eq!((refused.code(), refused.str("/error/type")), ("rate_limited", "rate_limit_error"));
        assert!(refused.str("/error/message").contains(&format!("the user {}", adi.user)), "{}", refused.text);
        for (name, value) in [("retry-after", "12"), ("ratelimit-limit", "5"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "60")] {
            assert_eq!(header(&refused, name), value, "{name}");
        }
        let other = invite(&ann, 6).await.expect(201);
        assert_eq!(header(&other, "ratelimit-limit"), "");
        adi.get("/api/v1/teams").await.expect(200);
        // What was refused did not happen: the address is free.
        house.clock.advance(Duration::from_secs(12));
        invite(&adi, 5).await.expect(201);
    }

    async fn what_was_let_in_and_turned_away_is_told_by_limit_and_by_caller(house) {
        let (ann, adi) = acme(&house).await;
        let (max, bob) = (house.join(&ann, "Max", "member").await, house.sign_up("Bob").await);
        let hers = set(&ann, json!({ "level": "user", "id": adi.user, "operation": "mails", "requests_per_minute": 2 })).await;
        let all = set(&ann, json!({ "level": "organization", "requests_per_minute": 100 })).await;
        for n in 0..2 {
            invite(&adi, n).await.expect(201);
        }
        invite(&ann, 2).await.expect(201);
        for _ in 0..3 {
            invite(&adi, 3).await.expect(429);
        }
        let path = format!("{LIMITS}/activity");
        let seen = ann.get(&path).await.expect(200).json;
        assert_eq!(&seen["denied"], &json!(3));
        // What else was asked for is counted as that.
        assert!(seen["calls"].as_i64().is_some_and(|calls| calls > 3), "{seen}");
        let limits = json!([{ "id": hers, "used": 2, "denied": 3 }, { "id": all, "used": 5, "denied": 0 }]);
        // Adi and Max were invited in this minute, too.
        assert_eq!(seen["limits"], limits);
        let by = json!([{ "level": "user", "reach": "mails", "counts": "requests", "times": 3 }]);
        let top = json!({
            "user_id": adi.user, "key_id": null, "operation": "mails", "calls": 2, "calls_last_minute": 2, "denied": 3, "denied_by": by,
        });
        assert_eq!(seen["callers"][0], top);
        let mails = |seen: &Value| seen["callers"].as_array().expect("a list").iter().filter(|one| one["operation"] == "mails").count();
        assert_eq!(mails(&seen), 2);
        // Another one sees what is theirs, and strangers nothing.
        for other in [&max, &bob] {
            let seen = other.get(&path).await.expect(200).json;
            assert_eq!((mails(&seen), &seen["denied"]), (0, &json!(0)), "{seen}");
            assert!(seen["callers"].as_array().expect("a list").iter().all(|one| one["user_id"] == other.user));
        }
        bob.in_org(&ann.org).get(&path).await.expect(404);
        // A minute later it is no longer lately, and an hour later it is gone.
        house.clock.advance(Duration::from_secs(90));
        let seen = ann.get(&path).await.expect(200).json;
        assert_eq!((&seen["limits"][0]["used"], &seen["limits"][0]["denied"]), (&json!(0), &json!(3)));
        house.clock.advance(Duration::from_hours(1));
        let ann = house.signed_in_again(&ann).await;
        assert_eq!(mails(&ann.get(&path).await.expect(200).json), 0);
    }

    async fn a_change_holds_at_once(house) {
        let (ann, _) = acme(&house).await;
        let id = set(&ann, json!({ "level": "organization", "operation": "mails", "requests_per_minute": 1 })).await;
        invite(&ann, 0).await.expect(201);
        invite(&ann, 1).await.expect(429);
        let path = format!("{LIMITS}/{id}");
        let changed = ann.patch(&path, &json!({ "requests_per_minute": 2, "concurrency": 3 })).await.expect(200);
        assert_eq!((&changed.json["requests_per_minute"], &changed.json["concurrency"]), (&json!(2), &json!(3)));
        invite(&ann, 1).await.expect(201);
        invite(&ann, 2).await.expect(429);
        ann.delete(&path).await.expect(204);
        invite(&ann, 2).await.expect(201);
        ann.get(&path).await.expect(404);
    }

    async fn a_key_with_ten_a_minute_gets_429_at_the_eleventh_whatever_it_asks_for(house) {
        let ann = house.sign_up("Ann").await;
        let made = ann.post("/api/v1/auth/api-keys", &json!({ "name": "k", "rate_per_minute": 10 })).await.expect(201);
        let key = ann.with_token(Some(made.str("/key")));
        for _ in 0..10 {
            key.get("/api/v1/teams").await.expect(200);
        }
        let refused = key.get("/api/v1/projects").await.expect(429);
        assert_eq!((header(&refused, "retry-after"), header(&refused, "ratelimit-limit")), ("6", "10"));
        ann.get("/api/v1/projects").await.expect(200);
        house.clock.advance(Duration::from_secs(6));
        key.get("/api/v1/projects").await.expect(200);
    }

    async fn what_comes_to_no_call_of_a_model_is_counted_all_the_same(house) {
        let ann = house.sign_up("Ann").await;
        let made = ann.post("/api/v1/auth/api-keys", &json!({ "name": "k", "rate_per_minute": 4 })).await.expect(201);
        let key = ann.with_token(Some(made.str("/key")));
        let unknown = json!({ "model": "nobody-knows-it", "messages": [{ "role": "user", "content": "Hello?" }], "input": "Hello?" });
        for (path, body, status) in [
            ("/v1/chat/completions", &json!({}), 400),
            ("/v1/chat/completions", &unknown, 404),
            ("/v1/embeddings", &unknown, 404),
            ("/v1/responses", &json!({ "model": 7 }), 400),
            ("/v1/chat/completions", &json!({}), 429),
            ("/v1/messages", &unknown, 429),
        ] {
            key.post(path, body).await.expect(status);
        }
    }

    async fn an_answer_given_again_is_not_counted(house) {
        let (ann, _) = acme(&house).await;
        set(&ann, json!({ "level": "user", "operation": "mails", "requests_per_minute": 1 })).await;
        let once = ann.with("idempotency-key", "invite-once");
        invite(&once, 0).await.expect(201);
        let again = invite(&once, 0).await.expect(201);
        assert_eq!(header(&again, "idempotent-replayed"), "true");
        // A refusal is no answer to keep: the same request works when there is room.
        let later = ann.with("idempotency-key", "invite-later");
        invite(&later, 1).await.expect(429);
        house.clock.advance(Duration::from_mins(1));
        let done = invite(&later, 1).await.expect(201);
        assert_eq!(header(&done, "idempotent-replayed"), "");
    }

    async fn limits_are_set_by_admins_and_seen_by_members(house) {
        let (ann, adi) = acme(&house).await;
        let [max, vera] = [house.join(&ann, "Max", "member").await, house.join(&ann, "Vera", "viewer").await];
        let body = json!({ "level": "user", "tokens_per_minute": 1000 });
        let made = adi.post(LIMITS, &body).await.expect(201);
        assert_eq!((made.str("/level"), &made.json["subject_id"], &made.json["operation"]), ("user", &Value::Null, &Value::Null));
        let path = format!("{LIMITS}/{}", made.str("/id"));
        assert_eq!(max.get(&path).await.expect(200).json, made.json);
        assert_eq!(max.get(LIMITS).await.expect(200).json["data"], json!([made.json]));
        for client in [&max, &vera] {
            client.post(LIMITS, &body).await.expect(403);
            client.patch(&path, &json!({ "tokens_per_minute": 1 })).await.expect(403);
            client.delete(&path).await.expect(403);
        }
        vera.get(LIMITS).await.expect(403);
        assert_eq!(ann.post(LIMITS, &body).await.expect(409).code(), "taken");
        let stale = ann.with("if-match", "\"7\"");
        stale.patch(&path, &json!({ "tokens_per_minute": 1 })).await.expect(412);
        stale.delete(&path).await.expect(412);
        let changed = ann.with("if-match", header(&made, "etag")).patch(&path, &json!({ "tokens_per_minute": 7 })).await.expect(200);
        assert_eq!(header(&changed, "etag"), "\"2\"");
        let log = ann.get("/api/v1/audit?action=limit.updated").await.expect(200);
        assert_eq!((log.str("/data/0/object"), log.str("/data/0/actor")), (made.str("/id"), ann.user.as_str()));
    }

    async fn members_see_the_limits_of_all_and_their_own(house) {
        let (ann, adi) = acme(&house).await;
        let max = house.join(&ann, "Max", "member").await;
        let made = async |who: &Client, path: &str, body: Value| who.post(path, &body).await.expect(201).str("/id").to_owned();
        let open = made(&ann, "/api/v1/projects", json!({ "name": "Open", "open": true })).await;
        let closed = made(&ann, "/api/v1/projects", json!({ "name": "Closed" })).await;
        let his = made(&max, "/api/v1/auth/api-keys", json!({ "name": "His" })).await;
        let hers = made(&ann, "/api/v1/auth/api-keys", json!({ "name": "Hers" })).await;
        let (mut all, mut seen) = (Vec::new(), Vec::new());
        for (level, id, sees) in [
            ("organization", None, true),
            ("user", Some(&adi.user), false),
            ("project", Some(&closed), false),
            ("key", Some(&hers), false),
            ("user", None, true),
            ("user", Some(&max.user), true),
            ("project", None, true),
            ("project", Some(&open), true),
            ("key", Some(&his), true),
        ] {
            let id = set(&ann, json!({ "level": level, "id": id, "operation": "mails", "concurrency": 9 })).await;
            let status = max.get(&format!("{LIMITS}/{id}")).await.status;
            assert_eq!(status, if sees { 200 } else { 404 }, "{level}");
            if sees {
                seen.push(id.clone());
            }
            all.push(id);
        }
        let ids = |list: &Value| -> Vec<String> {
            let list = list.as_array().expect("a list");
            list.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
        };
        for (who, expected) in [(&ann, &all), (&adi, &all), (&max, &seen)] {
            assert_eq!(&ids(&who.get(LIMITS).await.expect(200).json["data"]), expected);
            assert_eq!(&ids(&who.get(&format!("{LIMITS}/activity")).await.expect(200).json["limits"]), expected);
        }
        // What is hidden shortens no page.
        let (mut paged, mut path) = (Vec::new(), format!("{LIMITS}?limit=2"));
        loop {
            let page = max.get(&path).await.expect(200).json;
            let shown = ids(&page["data"]);
            assert_eq!(shown.len(), 2);
            paged.extend(shown);
            let Some(next) = page["next_cursor"].as_str() else { break };
            path = format!("{LIMITS}?limit=2&cursor={next}");
        }
        assert_eq!(paged, seen);
        // What hides is the project, and it does so for as long as it is closed.
        ann.patch(&format!("/api/v1/projects/{closed}"), &json!({ "open": true })).await.expect(200);
        max.get(&format!("{LIMITS}/{}", all[2])).await.expect(200);
    }

    async fn what_makes_no_sense_is_refused_by_field(house) {
        let (ann, _) = acme(&house).await;
        for (body, param) in [
            (json!({ "level": "user" }), "requests_per_minute"),
            (json!({ "level": "user", "requests_per_minute": 0 }), "requests_per_minute"),
            (json!({ "level": "user", "requests_per_minute": 100_000_001 }), "requests_per_minute"),
            (json!({ "level": "user", "tokens_per_minute": -1 }), "tokens_per_minute"),
            (json!({ "level": "user", "operation": "mails", "tokens_per_minute": 1 }), "tokens_per_minute"),
            (json!({ "level": "user", "concurrency": 100_001 }), "concurrency"),
            (json!({ "level": "team", "concurrency": 1 }), "level"),
            (json!({ "level": "organization", "id": ann.org, "concurrency": 1 }), "id"),
            (json!({ "level": "user", "operation": "sleep", "concurrency": 1 }), "operation"),
            (json!({ "level": "user", "concurrency": 1, "per_hour": 1 }), "per_hour"),
        ] {
            let answer = ann.post(LIMITS, &body).await.expect(422);
            assert_eq!(answer.str("/error/param"), param, "{}", answer.text);
        }
        let id = set(&ann, json!({ "level": "user", "concurrency": 1 })).await;
        let nothing = ann.patch(&format!("{LIMITS}/{id}"), &json!({ "concurrency": null })).await.expect(422);
        assert_eq!(nothing.str("/error/param"), "requests_per_minute");
    }

    async fn a_limit_is_of_something_that_the_caller_can_see(house) {
        let (ann, adi) = acme(&house).await;
        let beta = house.sign_up("Bob").await;
        let project = beta.post("/api/v1/projects", &json!({ "name": "Secret" })).await.expect(201);
        let key = beta.post("/api/v1/auth/api-keys", &json!({ "name": "k" })).await.expect(201);
        let never = "01932d6f4b7a7c3e9a51c0ffee15600d";
        for (level, theirs, prefix) in [("project", project.str("/id"), "prj"), ("user", &beta.user, "usr"), ("key", key.str("/id"), "key")] {
            let ask = async |id: &str| {
                let client = ann.with("x-request-id", "the-same-request");
                client.post(LIMITS, &json!({ "level": level, "id": id, "concurrency": 1 })).await.expect(404).text
            };
            let real = ask(theirs).await;
            assert_eq!(real, ask(&format!("{prefix}_{never}")).await, "{level}");
            assert_eq!(real, ask("nonsense").await, "{level}");
        }
        let own = ann.post("/api/v1/projects", &json!({ "name": "Own" })).await.expect(201);
        for (level, id) in [("project", own.str("/id")), ("user", &adi.user)] {
            let made = ann.post(LIMITS, &json!({ "level": level, "id": id, "concurrency": 1 })).await.expect(201);
            assert_eq!(made.str("/subject_id"), id);
            let path = format!("{LIMITS}/{}", made.str("/id"));
            beta.get(&path).await.expect(404);
            beta.patch(&path, &json!({ "concurrency": 2 })).await.expect(404);
            beta.delete(&path).await.expect(404);
        }
        assert_eq!(beta.get(LIMITS).await.expect(200).json["data"], json!([]));
    }
}
