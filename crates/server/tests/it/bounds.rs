//! How much one person and one organisation can make.

use std::time::Duration;

use axum::http::Method;
use serde_json::json;
use testing::{PASSWORD, TestHouse};

/// Lets an organisation have so many of something.
async fn allow(house: &TestHouse, org: &str, meter: &str, limit: u64) {
    let olga = house.operator(&format!("Olga-{meter}")).await;
    let exception = json!({ "kind": "limit", "meter": meter, "limit": limit });
    let url = format!("/api/v1/operator/orgs/{org}/overrides");
    olga.post(&url, &json!({ "exception": exception, "reason": "a test" })).await.expect(201);
}

testing::both_stores! {
    async fn a_person_makes_so_many_organisations(house) {
        let ann = house.sign_up("Ann").await;
        let most = house.house.rules.organisations_each;
        // The one of the sign-up counts.
        for at in 1..most {
            ann.post("/api/v1/orgs", &json!({ "name": format!("Org {at}") })).await.expect(201);
        }
        let refused = ann.post("/api/v1/orgs", &json!({ "name": "One more" })).await.expect(409);
        assert_eq!((refused.code(), refused.str("/error/param")), ("limit_reached", "organizations"));
        // Closing makes no room before the organisation is erased, nor does handing it on.
        ann.delete(&format!("/api/v1/orgs/{}?confirm=Ann's%20house", ann.org)).await.expect(200);
        ann.post("/api/v1/orgs", &json!({ "name": "One more" })).await.expect(409);
        house.sign_up("Bob").await.post("/api/v1/orgs", &json!({ "name": "Another's" })).await.expect(201);
        house.clock.advance(Duration::from_hours(30 * 24));
        tenancy::erasure::organisations(&house.house).await.expect("a round");
        house.clock.advance(tenancy::erasure::SETTLING);
        tenancy::erasure::organisations(&house.house).await.expect("a round");
        let ann = house.sign_in(&house.visitor(), "Ann").await;
        ann.post("/api/v1/orgs", &json!({ "name": "One more" })).await.expect(201);
    }

    async fn an_organisation_has_as_many_things_as_its_plan_includes(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "pro").await;
        house.on_plan(&bob.org, "pro").await;
        for (meter, url) in
            [("teams", "/api/v1/teams"), ("projects", "/api/v1/projects"), ("roles", "/api/v1/roles"), ("api_keys", "/api/v1/auth/api-keys")]
        {
            allow(&house, &ann.org, meter, 3).await;
            let body = |name: &str| match meter {
                "roles" => json!({ "name": name, "permissions": [] }),
                _ => json!({ "name": name }),
            };
            let first = ann.post(url, &body("First")).await.expect(201);
            ann.post(url, &body("Second")).await.expect(201);
            // Two at once take one place.
            let (third, fourth) = (body("Third"), body("Fourth"));
            let (one, two) = tokio::join!(ann.post(url, &third), ann.post(url, &fourth));
            let mut statuses = [one.status, two.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 402], "{meter}: {} {}", one.text, two.text);
            let refused = ann.post(url, &body("Fifth")).await.expect(402);
            assert_eq!((refused.code(), refused.str("/error/param")), ("entitlement", meter));
            // Another organisation's things do not count.
            bob.post(url, &body("First")).await.expect(201);
            let one = format!("{url}/{}", first.str("/id"));
            if meter == "projects" {
                ann.put(&format!("{one}/archive"), &json!({})).await.expect(200);
                ann.post(url, &body("Sixth")).await.expect(402);
            }
            let confirm = if meter == "projects" { "?confirm=First" } else { "" };
            let gone = ann.send(Method::DELETE, &format!("{one}{confirm}"), None).await;
            assert!((200..300).contains(&gone.status), "{meter}: {}", gone.text);
            ann.post(url, &body("Sixth")).await.expect(201);
        }
    }

    async fn a_source_signs_so_many_up(house) {
        let sign_up = async |at: usize| {
            let body = json!({ "email": format!("p{at}@example.com"), "password": PASSWORD, "name": "Somebody" });
            house.visitor().post("/api/v1/auth/signup", &body).await
        };
        for at in 0..100 {
            sign_up(at).await.expect(201);
        }
        let refused = sign_up(100).await.expect(429);
        assert_eq!((refused.code(), refused.headers["retry-after"].as_bytes()), ("rate_limited", &b"900"[..]));
        house.clock.advance(Duration::from_mins(15));
        sign_up(100).await.expect(201);
    }
}
