//! Keys that keys made: no wider than their makers, and gone with them.

use domain::ApiKeyId;
use metering::Refused;
use serde_json::{Value, json};
use testing::{Answer, Client, Spending};

use crate::api_keys::{DAY, HOUR, URL, after, ann_rotates, make, url, with_key};

/// What an administrator set on a key, by the list at a path.
async fn set_on(who: &Client, path: &str, key: &Answer) -> Vec<Value> {
    let list = who.get(path).await.expect(200);
    let rows = list.json["data"].as_array().expect("a list");
    rows.iter().filter(|row| row["subject_id"] == key.json["id"]).cloned().collect()
}

testing::both_stores! {
    async fn a_key_makes_no_wider_key(house) {
        let ann = house.sign_up("Ann").await;
        let wide = make(&ann, json!({ "name": "wide", "scopes": ["teams.read", "audit.read"] })).await;
        let maker = make(&ann, json!({ "name": "maker", "scopes": ["keys.create", "teams.read"] })).await;
        let by_key = with_key(&house, &maker);
        let child = make(&by_key, json!({ "name": "child", "scopes": ["teams.read"] })).await;
        with_key(&house, &child).get("/api/v1/teams").await.expect(200);
        assert_eq!(make(&by_key, json!({ "name": "usual" })).await.json["scopes"], json!(["teams.read"]));
        by_key.post(URL, &json!({ "name": "wider", "scopes": ["teams.read", "audit.read"] })).await.expect(403);
        by_key.post(&format!("{}/rotate", url(&wide)), &json!({})).await.expect(403);
        by_key.post(&format!("{}/rotate", url(&child)), &json!({})).await.expect(201);
        with_key(&house, &wide).get("/api/v1/audit").await.expect(200);
    }

    async fn a_key_sheds_no_limits(house) {
        let ann = house.sign_up("Ann").await;
        let until = (after(&house, DAY)).to_string();
        let limits = json!({
            "name": "maker", "scopes": ["keys.create", "teams.read"], "expires_at": until, "rate_per_minute": 40,
            "addresses": ["192.0.2.0/24"],
        });
        let maker = make(&ann, limits.clone()).await;
        let loose = make(&ann, json!({ "name": "loose", "scopes": ["teams.read"] })).await;
        let by_key = with_key(&house, &maker);
        let later = after(&house, 2 * DAY).to_string();
        for (field, value) in [
            ("expires_at", json!(later)),
            ("rate_per_minute", json!(41)),
            ("rate_per_minute", Value::Null),
            ("addresses", json!([])),
            ("addresses", json!(["192.0.2.10", "10.0.0.1"])),
        ] {
            let mut body = limits.clone();
            body[field] = value;
            assert_eq!(by_key.post(URL, &body).await.expect(422).str("/error/param"), field);
        }
        let mut body = limits;
        body.as_object_mut().expect("an object").remove("expires_at");
        body["addresses"] = json!(["192.0.2.10"]);
        assert_eq!(make(&by_key, body).await.str("/expires_at"), maker.str("/expires_at"));
        for change in [json!({ "addresses": [] }), json!({ "rate_per_minute": null })] {
            by_key.patch(&url(&maker), &change).await.expect(422);
        }
        by_key.patch(&url(&maker), &json!({ "name": "renamed" })).await.expect(200);
        by_key.post(&format!("{}/rotate", url(&loose)), &json!({})).await.expect(403);
        by_key.post(&format!("{}/rotate", url(&maker)), &json!({})).await.expect(201);
    }

    async fn a_key_does_not_have_its_amounts_counted_anew(house) {
        let ann = house.sign_up("Ann").await;
        let scopes = json!(["keys.create", "teams.read"]);
        for amounts in [json!({ "budget_micros": 100, "currency": "USD" }), json!({ "calls_per_day": 5 })] {
            let mut body = json!({ "name": "maker", "scopes": scopes });
            body.as_object_mut().expect("an object").extend(amounts.as_object().expect("an object").clone());
            let maker = make(&ann, body.clone()).await;
            let by_key = with_key(&house, &maker);
            assert_eq!(by_key.post(URL, &body).await.expect(403).code(), "forbidden");
            by_key.post(&format!("{}/rotate", url(&maker)), &json!({ "grace_seconds": 0 })).await.expect(403);
            by_key.get("/api/v1/teams").await.expect(200);
            ann.post(&format!("{}/rotate", url(&maker)), &json!({})).await.expect(201);
        }
    }

    async fn a_key_does_not_shed_what_was_set_on_it(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "name": "maker", "scopes": ["keys.create", "teams.read"] });
        let child = json!({ "name": "child", "scopes": ["teams.read"] });
        for (path, mut limit) in [
            ("/api/v1/budgets", json!({ "period": "month", "amount_micros": 50, "currency": "USD", "kind": "soft" })),
            ("/api/v1/limits", json!({ "requests_per_minute": 500 })),
        ] {
            let maker = make(&ann, body.clone()).await;
            let by_key = with_key(&house, &maker);
            make(&by_key, child.clone()).await;
            limit["level"] = json!("key");
            limit["id"] = maker.json["id"].clone();
            ann.post(path, &limit).await.expect(201);
            assert_eq!(by_key.post(URL, &child).await.expect(403).code(), "forbidden", "{path}");
            let rotate = format!("{}/rotate", url(&maker));
            assert_eq!(by_key.post(&rotate, &json!({ "grace_seconds": 0 })).await.expect(403).code(), "forbidden", "{path}");
            by_key.get("/api/v1/teams").await.expect(200);
            // A person can, and what takes its place makes none either.
            let next = ann.post(&rotate, &json!({})).await.expect(201);
            with_key(&house, &next).post(URL, &child).await.expect(403);
        }
    }

    async fn what_was_set_on_a_key_goes_on_with_the_one_in_its_place(house) {
        let ann = house.sign_up("Ann").await;
        for (path, made, mut limit) in [
            (
                "/api/v1/budgets",
                "budget.created",
                json!({ "period": "week", "amount_micros": 50, "currency": "USD", "kind": "hard", "alerts": [70] }),
            ),
            ("/api/v1/limits", "limit.created", json!({ "operation": "chat", "requests_per_minute": 5, "concurrency": 2 })),
        ] {
            let ann = house.sign_in(&ann, "Ann").await;
            let rotate = async |who: &Client, key: &Answer, grace: u64| {
                who.post(&format!("{}/rotate", url(key)), &json!({ "grace_seconds": grace })).await.expect(201)
            };
            let first = make(&ann, json!({ "name": "first", "scopes": ["teams.read"] })).await;
            limit["level"] = json!("key");
            limit["id"] = first.json["id"].clone();
            let original = ann.post(path, &limit).await.expect(201);
            let second = rotate(&ann, &first, DAY.as_secs()).await;
            let copies = set_on(&ann, path, &second).await;
            assert_eq!((copies.len(), set_on(&ann, path, &first).await.len()), (1, 1), "{path}");
            let fields = ["period", "amount_micros", "currency", "kind", "alerts", "operation", "requests_per_minute", "concurrency", "made_by"];
            for field in fields {
                assert_eq!(copies[0][field], original.json[field], "{field}");
            }
            assert_ne!(copies[0]["id"], original.json["id"]);
            let entries = house.audit(&ann).await;
            let told = entries.iter().find(|entry| entry.object == copies[0]["id"].as_str().expect("an id")).expect("an entry");
            assert!(told.action == made && told.detail.contains(original.str("/id")), "{told:?}");
            // At once: the second has nothing any more, and the first keeps its own while it works.
            let third = rotate(&ann, &second, 0).await;
            let count = async |who: &Client, key: &Answer| set_on(who, path, key).await.len();
            assert_eq!((count(&ann, &first).await, count(&ann, &second).await, count(&ann, &third).await), (1, 0, 1), "{path}");
            house.clock.advance(DAY);
            let ann = house.sign_in(&ann, "Ann").await;
            let fourth = rotate(&ann, &third, DAY.as_secs()).await;
            assert_eq!((count(&ann, &first).await, count(&ann, &third).await, count(&ann, &fourth).await), (0, 1, 1), "{path}");
            if path == "/api/v1/budgets" {
                let id: ApiKeyId = fourth.str("/id").parse().expect("an id");
                let scope = house.scope(&ann).await;
                let held = house.hold(&scope, &Spending { key: Some(id), ..Spending::of(51) }).await;
                let is_short = matches!(held, Err(Refused::Short(short)) if short.subject == fourth.str("/id"));
                assert!(is_short, "the budget holds the new key");
            }
        }
    }

    async fn rotating_makes_no_third_key_beyond_the_plan(house) {
        let ann = house.sign_up("Ann").await;
        let mut last = make(&ann, json!({ "name": "one", "scopes": ["teams.read"] })).await;
        while let refused = ann.post(URL, &json!({ "name": "more", "scopes": ["teams.read"] })).await
            && refused.status == 201
        {
            last = refused;
        }
        let second = ann.post(&format!("{}/rotate", url(&last)), &json!({})).await.expect(201);
        ann.post(&format!("{}/rotate", url(&second)), &json!({})).await.expect(402);
        // At once it takes the other's place, and none is added.
        let third = ann.post(&format!("{}/rotate", url(&second)), &json!({ "grace_seconds": 0 })).await.expect(201);
        with_key(&house, &third).get("/api/v1/teams").await.expect(200);
        // The first one still works, so this is the second of its line, whatever was between them.
        with_key(&house, &last).get("/api/v1/teams").await.expect(200);
        assert_eq!(ann.get(&url(&last)).await.expect(200).json["replaced_by"], third.json["id"]);
        ann.post(&format!("{}/rotate", url(&third)), &json!({})).await.expect(402);
        house.clock.advance(HOUR);
        ann_rotates(&house, &ann, &third).await;
    }

    async fn what_a_key_made_ends_with_it(house) {
        let ann = house.sign_up("Ann").await;
        let scopes = json!(["keys.create", "teams.read"]);
        let parent = make(&ann, json!({ "name": "parent", "scopes": scopes })).await;
        let child = make(&with_key(&house, &parent), json!({ "name": "child", "scopes": scopes })).await;
        let grandchild = make(&with_key(&house, &child), json!({ "name": "grandchild", "scopes": scopes })).await;
        let other = make(&ann, json!({ "name": "other", "scopes": scopes })).await;
        assert_eq!((child.str("/made_by_key"), &parent.json["made_by_key"]), (parent.str("/id"), &Value::Null));
        assert_eq!(grandchild.str("/expires_at"), parent.str("/expires_at"));
        // A rotation hands the children on to the new key.
        let rotated = ann.post(&format!("{}/rotate", url(&parent)), &json!({})).await.expect(201);
        let late = make(&with_key(&house, &parent), json!({ "name": "late", "scopes": ["teams.read"] })).await;
        house.clock.advance(HOUR);
        let ann = house.sign_in(&ann, "Ann").await;
        with_key(&house, &late).get("/api/v1/teams").await.expect(401);
        for key in [&child, &grandchild, &rotated, &other] {
            with_key(&house, key).get("/api/v1/teams").await.expect(200);
        }
        ann.delete(&url(&rotated)).await.expect(204);
        for key in [&rotated, &child, &grandchild] {
            with_key(&house, key).get("/api/v1/teams").await.expect(401);
        }
        with_key(&house, &other).get("/api/v1/teams").await.expect(200);
        let entries = house.audit(&ann).await;
        let revoked: Vec<_> = entries.iter().filter(|entry| entry.action == "api_key.revoked").collect();
        assert_eq!(revoked.len(), 3, "{revoked:?}");
        assert!(revoked.iter().any(|entry| entry.object == grandchild.str("/id") && entry.detail.contains(rotated.str("/id"))));
    }

    async fn a_key_that_a_key_made_ends_when_its_maker_expires(house) {
        let ann = house.sign_up("Ann").await;
        let until = after(&house, DAY).to_string();
        let body = json!({ "name": "parent", "scopes": ["keys.create", "teams.read"], "expires_at": until });
        let parent = make(&ann, body).await;
        let child = make(&with_key(&house, &parent), json!({ "name": "child", "scopes": ["teams.read"] })).await;
        // Rotated, it would live for as long again; but no longer than its maker.
        house.clock.advance(12 * HOUR);
        let rotated = ann_rotates(&house, &ann, &child).await;
        assert_eq!(rotated.str("/expires_at"), until);
        house.clock.advance(12 * HOUR);
        with_key(&house, &rotated).get("/api/v1/teams").await.expect(401);
    }

    async fn a_key_gets_at_no_keys_that_would_outlive_it(house) {
        let ann = house.sign_up("Ann").await;
        let scopes = json!(["keys.create", "teams.read"]);
        let other = make(&ann, json!({ "name": "other", "scopes": scopes })).await;
        let parent = make(&ann, json!({ "name": "parent", "scopes": scopes })).await;
        let child = make(&with_key(&house, &parent), json!({ "name": "child", "scopes": scopes })).await;
        let rotate = async |by: &Answer, what: &Answer| {
            with_key(&house, by).post(&format!("{}/rotate", url(what)), &json!({})).await
        };
        assert_eq!(rotate(&parent, &other).await.expect(403).code(), "forbidden");
        assert_eq!(rotate(&child, &parent).await.expect(403).code(), "forbidden");
        let next = rotate(&child, &child).await.expect(201);
        assert_eq!(next.str("/made_by_key"), parent.str("/id"));
        // Two at once: whatever comes first, nothing is left of the maker.
        let by_parent = with_key(&house, &parent);
        let more = json!({ "name": "more", "scopes": scopes });
        let parents_url = url(&parent);
        let (made, ended) = tokio::join!(by_parent.post(URL, &more), ann.delete(&parents_url));
        ended.expect(204);
        if made.status == 201 {
            with_key(&house, &made).get("/api/v1/teams").await.expect(401);
        }
        with_key(&house, &next).get("/api/v1/teams").await.expect(401);
    }
}
