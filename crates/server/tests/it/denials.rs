//! Who is turned away before they enter an organisation: it is recorded where they belong, and the operator can look up why.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use store::Engine;
use store::control::refusals;
use testing::{Client, TestHouse};

/// Which check refused a request; it is noted a moment after the answer.
async fn explained(house: &TestHouse, request: &str) -> String {
    let began = Instant::now();
    loop {
        let mut tx = house.store().read_control().await.expect("begins");
        if let Some(refused) = refusals::find(&mut tx, request).await.expect("read") {
            return refused.stage;
        }
        assert!(began.elapsed() < Duration::from_secs(10), "{request} is not noted");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The newest entry of an action in the log of a person's organisation.
async fn newest(who: &Client, action: &str) -> Value {
    who.get(&format!("/api/v1/audit?action={action}&limit=1")).await.expect(200).json["data"][0].clone()
}

testing::both_stores! {
    async fn asking_for_what_operators_see_is_recorded_and_explained(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let curious = ann.with("x-request-id", "curious-ann");
        curious.get("/api/v1/operator/orgs").await.expect(404);
        let entry = newest(&ann, "access.refused").await;
        assert_eq!(entry["object"], "GET /api/v1/operator/orgs");
        assert_eq!((&entry["actor"], &entry["request_id"]), (&json!(ann.user), &json!("curious-ann")));
        assert_eq!(explained(&house, "curious-ann").await, "NotAnOperator");
        // The path holds the id of another's organisation, the entry does not.
        ann.patch(&format!("/api/v1/operator/orgs/{}", bob.org), &json!({ "plan": "pro" })).await.expect(404);
        let entry = newest(&ann, "access.refused").await;
        assert_eq!(entry["object"], "PATCH /api/v1/operator/orgs/{organisation}");
        assert_eq!(newest(&bob, "access.refused").await, Value::Null);
    }

    async fn naming_anothers_organisation_is_recorded_at_home_by_every_gate(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "ci" })).await.expect(201);
        let by_key = house.visitor().with_token(Some(key.str("/key")));
        for (who, request) in [(&ann, "ann-goes-astray"), (&by_key, "key-goes-astray")] {
            who.in_org(&bob.org).with("x-request-id", request).get("/api/v1/auth/me").await.expect(404);
            let entry = newest(&ann, "access.refused").await;
            assert_eq!((&entry["object"], &entry["request_id"]), (&json!(bob.org), &json!(request)));
            assert_eq!(explained(&house, request).await, "NotAMember");
        }
        // Of one that never existed as much is told.
        let never = "org_01932d6f4b7a7c3e9a51c0ffee15600d";
        ann.in_org(never).get("/api/v1/auth/me").await.expect(404);
        assert_eq!(newest(&ann, "access.refused").await["object"], never);
        assert_eq!(newest(&bob, "access.refused").await, Value::Null);
    }

    async fn a_key_that_acts_as_a_person_is_recorded_on_behalf_of_its_maker(house) {
        let ann = house.sign_up("Ann").await;
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "ci" })).await.expect(201);
        let by_key = house.visitor().with_token(Some(key.str("/key"))).with("x-request-id", "key-as-person");
        by_key.get("/api/v1/auth/sessions").await.expect(403);
        let entry = newest(&ann, "access.denied").await;
        assert_eq!(entry["object"], "GET /api/v1/auth/sessions");
        assert_eq!((&entry["actor"], &entry["on_behalf_of"]), (&json!(key.str("/id")), &json!(ann.user)));
        assert_eq!(explained(&house, "key-as-person").await, "NotAPerson");
    }

    async fn a_forged_change_is_recorded_and_explained(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "email": "ann@example.com", "password": testing::PASSWORD });
        let session = house.visitor().post("/api/v1/auth/session", &body).await.expect(201);
        let cookie = session.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        let page = house.visitor().with("cookie", &cookie).with("x-request-id", "forged-change");
        page.post("/api/v1/teams", &json!({ "name": "Forged" })).await.expect(403);
        let entry = newest(&ann, "access.denied").await;
        assert!(entry["object"].as_str().is_some_and(|object| object.starts_with("ses_")), "{entry}");
        assert_eq!(explained(&house, "forged-change").await, "Forged");
    }

    async fn who_belongs_nowhere_is_recorded_by_the_installation(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        olga.in_org(&ann.org).with("x-request-id", "olga-goes-astray").get("/api/v1/auth/me").await.expect(404);
        assert_eq!(explained(&house, "olga-goes-astray").await, "NotAMember");
        assert_eq!(newest(&ann, "access.refused").await, Value::Null);
        if house.engine() == Engine::Postgres {
            let text = "SELECT object FROM control.audit WHERE action = 'access.refused' AND request_id = 'olga-goes-astray'";
            let row = house.raw().await.query_one(text, &[]).await.expect("one entry");
            assert_eq!(row.get::<_, String>(0), ann.org);
        }
    }

    async fn what_keys_and_people_do_is_told_apart(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "ci" })).await.expect(201);
        let by_key = house.visitor().with_token(Some(key.str("/key")));
        ann.post("/api/v1/teams", &json!({ "name": "By hand" })).await.expect(201);
        by_key.post("/api/v1/teams", &json!({ "name": "By key" })).await.expect(201);
        let made = |who: &str| format!("/api/v1/audit?action=team.created&actor={who}");
        // Asking for a person gives what was done on their behalf, too.
        let all = ann.get(&made(&ann.user)).await.expect(200);
        let told = |entry: &Value| (entry["actor"].clone(), entry["on_behalf_of"].clone());
        let entries: Vec<_> = all.json["data"].as_array().expect("a list").iter().map(told).collect();
        assert_eq!(entries, [(json!(key.str("/id")), json!(ann.user)), (json!(ann.user), Value::Null)]);
        let by_key_alone = ann.get(&made(key.str("/id"))).await.expect(200);
        assert_eq!(by_key_alone.json["data"].as_array().expect("a list").len(), 1);
        let csv = ann.get("/api/v1/audit/export?format=csv").await.expect(200);
        let row = format!(",{},{},team.created,", key.str("/id"), ann.user);
        assert!(csv.text.contains(&row), "{}", csv.text);
    }
}
