//! An organisation's own limits on sign-ins: set by its owner, within the installation's, and held against every session at once.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse};

fn url(org: &str) -> String {
    format!("/api/v1/orgs/{org}/lifetimes")
}

async fn set(owner: &Client, body: Value) -> Answer {
    owner.patch(&url(&owner.org), &body).await.expect(200)
}

/// What a request into an organisation is answered.
async fn into(client: &Client, org: &str) -> Answer {
    client.in_org(org).get("/api/v1/teams").await
}

/// Signs somebody in with a cookie that stays for a month.
async fn remembered(house: &TestHouse, name: &str) -> Client {
    let body = json!({ "email": format!("{name}@example.com"), "password": testing::PASSWORD, "remember": true });
    let answer = house.visitor().post("/api/v1/auth/session", &body).await.expect(201);
    let cookie = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    let reader = house.visitor().with("cookie", cookie.split(';').next().expect("a pair"));
    reader.with("x-rowhouse-csrf", answer.str("/csrf_token"))
}

testing::both_stores! {
    async fn the_limits_are_shown_and_only_stricter_ones_are_taken(house) {
        let ann = house.sign_up("Ann").await;
        let shown = ann.get(&url(&ann.org)).await.expect(200);
        assert_eq!(shown.json["access_token"], json!({ "seconds": null, "min": 60, "max": 600 }));
        assert_eq!(shown.json["refresh_idle"]["max"], json!(14 * 24 * 3600));
        for (field, wrong) in [
            ("access_token", 601), ("access_token", 59), ("access_token", 0), ("session_idle", 3601), ("session_longest", 2_592_001),
            ("refresh_idle", 299), ("refresh_longest", 2_592_001),
        ] {
            let refused = ann.patch(&url(&ann.org), &json!({ field: wrong })).await.expect(422);
            assert_eq!(refused.str("/error/param"), field, "{wrong}");
        }
        for wrong in [json!({ "access_token": "1" }), json!({ "access_token": -1 }), json!({ "issuer": 1 })] {
            ann.patch(&url(&ann.org), &wrong).await.expect(422);
        }
        let tag = shown.headers["etag"].to_str().expect("text");
        let changed = ann.with("if-match", tag).patch(&url(&ann.org), &json!({ "access_token": 60 })).await.expect(200);
        assert_eq!(changed.json["access_token"]["seconds"], json!(60));
        ann.with("if-match", tag).patch(&url(&ann.org), &json!({ "access_token": 61 })).await.expect(412);
        assert_eq!(changed.headers["etag"], ann.get(&url(&ann.org)).await.expect(200).headers["etag"]);
        assert_eq!(set(&ann, json!({ "session_idle": 300 })).await.json["access_token"]["seconds"], json!(60), "left out");
        assert_eq!(set(&ann, json!({ "access_token": null })).await.json["access_token"]["seconds"], Value::Null);
        let entries = house.audit(&ann).await;
        let entry = entries.iter().find(|entry| entry.action == "organisation.lifetimes_set").expect("recorded");
        assert!(entry.detail.contains("\"access_token\":60"), "{}", entry.detail);
    }

    async fn an_owner_sets_them_and_nobody_else(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "admin").await;
        max.get(&url(&ann.org)).await.expect(200);
        max.patch(&url(&ann.org), &json!({ "access_token": 60 })).await.expect(403);
        let bob = bob.with("x-request-id", "compare-bytes");
        let never = "org_01932d6f4b7a7c3e9a51c0ffee15600d";
        for body in [json!({ "access_token": 60 }), json!({})] {
            let foreign = bob.patch(&url(&ann.org), &body).await.expect(404);
            assert_eq!(foreign.text, bob.patch(&url(never), &body).await.expect(404).text);
        }
    }

    async fn they_hold_at_once_for_sessions_that_exist_and_in_that_organisation_alone(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let own = max.get("/api/v1/orgs").await.expect(200);
        let own = own.json["data"].as_array().expect("a list").iter().find(|org| org["personal"] == true && org["id"] != json!(ann.org));
        let own = own.expect("Max's own")["id"].as_str().expect("text").to_owned();
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "k", "scopes": ["teams.read"] })).await.expect(201);
        house.clock.advance(Duration::from_mins(9));
        into(&max, &ann.org).await.expect(200);
        house.clock.advance(Duration::from_mins(7));
        let (max, ann) = (house.refreshed(&max).await, house.refreshed(&ann).await);
        into(&max, &ann.org).await.expect(200);
        set(&ann, json!({ "refresh_longest": 900 })).await;
        let refused = into(&max, &ann.org).await.expect(401);
        assert_eq!(refused.code(), "session_too_old_for_organisation");
        assert_eq!(into(&ann, &ann.org).await.expect(401).code(), "session_too_old_for_organisation", "the owner's, too");
        into(&house.visitor().with_token(max.token.as_deref()), &own).await.expect(200);
        assert_eq!(max.put("/api/v1/auth/active-org", &json!({ "org_id": ann.org })).await.expect(401).code(), refused.code());
        // A program's key is no sign-in.
        house.visitor().with_token(Some(key.str("/key"))).get("/api/v1/teams").await.expect(200);
        // A factor shown again makes the session young; it need not be another one.
        max.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
        into(&max, &ann.org).await.expect(200);
        into(&house.signed_in_again(&ann).await, &ann.org).await.expect(200);
    }

    async fn a_session_that_rested_too_long_is_not_woken_by_asking_twice(house) {
        let ann = house.sign_up("Ann").await;
        set(&ann, json!({ "session_idle": 300 })).await;
        let browser = remembered(&house, "ann").await;
        for _ in 0..3 {
            house.clock.advance(Duration::from_mins(4));
            into(&browser, &ann.org).await.expect(200);
        }
        house.clock.advance(Duration::from_mins(6));
        for _ in 0..3 {
            assert_eq!(into(&browser, &ann.org).await.expect(401).code(), "session_too_old_for_organisation");
            house.clock.advance(Duration::from_mins(2));
        }
        // Whoever it is, they still are somebody.
        browser.get("/api/v1/auth/sessions").await.expect(200);
        browser.get("/api/v1/auth/me").await.expect(200);
        let proven = browser.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
        let cookie = proven.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        into(&house.visitor().with("cookie", &cookie), &ann.org).await.expect(200);
    }

    async fn a_browser_that_stays_signed_in_ends_at_the_organisations_limit(house) {
        let ann = house.sign_up("Ann").await;
        set(&ann, json!({ "session_longest": 7 * 24 * 3600 })).await;
        let browser = remembered(&house, "ann").await;
        house.clock.advance(Duration::from_hours(7 * 24));
        into(&browser, &ann.org).await.expect(200);
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(into(&browser, &ann.org).await.expect(401).code(), "session_too_old_for_organisation");
    }

    async fn access_tokens_live_as_long_as_the_organisation_says(house) {
        let ann = house.sign_up("Ann").await;
        house.clock.advance(Duration::from_mins(3));
        into(&ann, &ann.org).await.expect(200);
        set(&ann, json!({ "access_token": 120 })).await;
        // An old token is exchanged for a young one.
        assert_eq!(into(&ann, &ann.org).await.expect(401).code(), "unauthenticated");
        let next = house.visitor().post("/api/v1/auth/refresh", &json!({ "refresh_token": ann.refresh })).await.expect(200);
        assert_eq!(next.json["expires_in"], json!(120));
        let ann = ann.with_tokens(&next);
        into(&ann, &ann.org).await.expect(200);
        let body = json!({ "email": "ann@example.com", "password": testing::PASSWORD });
        assert_eq!(house.visitor().post("/api/v1/auth/login", &body).await.expect(200).json["expires_in"], json!(120));
    }
}
