//! Keys that keys made: no wider than their makers, and gone with them.

use serde_json::{Value, json};
use testing::Answer;

use crate::api_keys::{DAY, HOUR, URL, after, ann_rotates, make, url, with_key};

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
