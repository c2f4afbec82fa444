//! The operator: organisations, exceptions, people and mails of the whole installation, hidden from everybody else.

use std::time::Duration;

use serde_json::{Value, json};
use testing::Spending;

testing::both_stores! {
    async fn for_others_these_paths_do_not_exist(house) {
        let ann = house.sign_up("Ann").await;
        let same = ann.with("x-request-id", "compare-bytes");
        let nowhere = same.get("/api/v1/nowhere").await.expect(404);
        for path in [
            "orgs".to_owned(),
            format!("orgs/{}", ann.org),
            format!("orgs/{}/overrides", ann.org),
            "plans".into(),
            "schema".into(),
            "system".into(),
            format!("people/{}", ann.user),
            "mails".into(),
        ] {
            let answer = same.get(&format!("/api/v1/operator/{path}")).await.expect(404);
            assert_eq!((&answer.text, &answer.headers), (&nowhere.text, &nowhere.headers), "{path}");
            assert_eq!(house.visitor().get(&format!("/api/v1/operator/{path}")).await.status, 401);
        }
        let plan = json!({ "plan": "enterprise" });
        same.patch(&format!("/api/v1/operator/orgs/{}", ann.org), &plan).await.expect(404);
    }

    async fn organisations_are_listed_and_administered(house) {
        let (ann, bob, olga) = (house.sign_up("Ann").await, house.sign_up("Bob").await, house.operator("Olga").await);
        let first = olga.get("/api/v1/operator/orgs?limit=1").await.expect(200);
        let cursor = first.str("/next_cursor");
        let second = olga.get(&format!("/api/v1/operator/orgs?limit=1&cursor={cursor}")).await.expect(200);
        let mut seen = [first.str("/data/0/id"), second.str("/data/0/id")];
        seen.sort_unstable();
        let mut expected = [ann.org.as_str(), bob.org.as_str()];
        expected.sort_unstable();
        assert_eq!(seen, expected);
        let url = format!("/api/v1/operator/orgs/{}", ann.org);
        let tag = olga.get(&url).await.expect(200).headers["etag"].to_str().expect("text").to_owned();
        let fresh = olga.with("if-match", &tag);
        let changed = fresh.patch(&url, &json!({ "plan": "pro", "status": "past_due" })).await.expect(200);
        assert_eq!((changed.str("/plan"), changed.str("/status")), ("pro", "past_due"));
        assert_eq!(fresh.patch(&url, &json!({ "plan": "free" })).await.expect(412).code(), "stale");
        for (body, field) in [
            (json!({ "plan": "gold" }), "plan"),
            (json!({ "status": "closing" }), "status"),
            (json!({ "status": "creating" }), "status"),
            (json!({ "name": "Mine" }), "name"),
        ] {
            assert_eq!(olga.patch(&url, &body).await.expect(422).str("/error/param"), field);
        }
        olga.get("/api/v1/operator/orgs/org_01932d6f4b7a7c3e9a51c0ffee15600d").await.expect(404);
        // An upgrade works without signing in again.
        ann.post("/api/v1/roles", &json!({ "name": "Billing", "permissions": [] })).await.expect(201);
    }

    async fn each_organisation_says_how_large_it_is_what_it_spent_and_whether_it_is_well(house) {
        let (ann, bob, olga) = (house.sign_up("Ann").await, house.sign_up("Bob").await, house.operator("Olga").await);
        house.spend(&house.scope(&ann).await, &Spending::of(700)).await;
        house.spend(&house.scope(&ann).await, &Spending::of(30)).await;
        let exception = json!({ "kind": "limit", "meter": "seats", "limit": 9 });
        let overrides = format!("/api/v1/operator/orgs/{}/overrides", ann.org);
        olga.post(&overrides, &json!({ "exception": exception, "reason": "a test" })).await.expect(201);
        let passing = json!({ "exception": exception, "reason": "a test", "until": "2026-11-23T00:00:00Z" });
        olga.post(&overrides, &passing).await.expect(201);
        let listed = async |who: &str| {
            let list = olga.get("/api/v1/operator/orgs").await.expect(200).json;
            list["data"].as_array().expect("a list").iter().find(|org| org["id"] == who).expect("it is listed").clone()
        };
        let told = |org: &Value| ["spent_micros", "exceptions", "trouble"].map(|name| org[name].clone());
        assert_eq!(told(&listed(&ann.org).await), [json!(730), json!(2), Value::Null]);
        assert_eq!(told(&listed(&bob.org).await), [json!(0), json!(0), Value::Null]);
        let url = format!("/api/v1/operator/orgs/{}", ann.org);
        let shown = olga.get(&url).await.expect(200).json;
        assert_eq!(told(&shown), [json!(730), json!(2), Value::Null]);
        let before = shown["size_bytes"].as_i64().expect("a size");
        let shelf = ann.post("/api/v1/collections", &json!({ "name": "Shelf" })).await.expect(201).str("/id").to_owned();
        let text = json!({ "title": "Long", "text": "# Cranes\n\nThe crane lifts forty tonnes.\n\n".repeat(2_000) });
        let made = ann.post(&format!("/api/v1/collections/{shelf}/documents/text"), &text).await.expect(202);
        crate::answers::settled(&ann, made.str("/document/id")).await;
        assert!(olga.get(&url).await.expect(200).json["size_bytes"].as_i64().expect("a size") > before);
        if house.engine() == store::Engine::Sqlite {
            std::fs::write(crate::walls_damage::file_of(&house, &bob), "").expect("written");
            let look = async || {
                bob.get("/api/v1/teams").await.expect(503);
                olga.get(&format!("/api/v1/operator/orgs/{}", bob.org)).await.expect(200)
            };
            let mut broken = look().await;
            // Who still has the file open when it is emptied may find it locked first, which says nothing about it.
            for _ in 0..3 {
                if broken.json["trouble"].is_null() {
                    broken = look().await;
                }
            }
            assert!(!broken.str("/trouble").is_empty());
            assert_eq!(listed(&bob.org).await["trouble"], broken.json["trouble"]);
            assert_eq!(listed(&ann.org).await["trouble"], Value::Null);
        }
        // The exception that ends is over, and so is the month.
        house.clock.advance(Duration::from_hours(9 * 24));
        let olga = house.sign_in(&house.visitor(), "Olga").await;
        assert_eq!(told(&olga.get(&url).await.expect(200).json), [json!(0), json!(1), Value::Null]);
    }

    async fn how_the_installation_is_stands_on_one_page(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let well = olga.get("/api/v1/operator/system").await.expect(200);
        let engine = if house.engine() == store::Engine::Sqlite { "sqlite" } else { "postgres" };
        assert_eq!((well.str("/engine"), &well.json["people"], &well.json["troubled"]), (engine, &json!(2), &json!([])));
        assert_eq!(well.json["organizations"], json!(1));
        if house.engine() == store::Engine::Postgres {
            return;
        }
        let file = crate::walls_damage::file_of(&house, &ann);
        std::fs::write(&file, "").expect("written");
        ann.get("/api/v1/teams").await.expect(503);
        let troubled = olga.get("/api/v1/operator/system").await.expect(200);
        assert_eq!(troubled.str("/troubled/0/organization"), ann.org);
        assert!(!troubled.str("/troubled/0/what").is_empty());
    }

    async fn the_schema_is_shown_with_its_hash(house) {
        use store::schema::Part;
        let olga = house.operator("Olga").await;
        let shown = olga.get("/api/v1/operator/schema").await.expect(200);
        for (at, part) in Part::ALL.into_iter().enumerate() {
            let wanted = json!({ "part": part.as_str(), "migration": part.newest(), "hash": part.expected().expect("made"), "as_migrated": true });
            assert_eq!(shown.json["data"][at], wanted);
        }
    }

    async fn what_the_operator_does_stands_in_both_logs(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        olga.patch(&format!("/api/v1/operator/orgs/{}", ann.org), &json!({ "plan": "pro" })).await.expect(200);
        house.store().deliver(ann.org.parse().expect("an id")).await.expect("delivered");
        let scope = house.scope(&ann).await;
        let mut tx = house.store().open(&scope).read().await.expect("begun");
        let filter = store::audit::Filter { action: Some("organisation.administered".into()), ..Default::default() };
        let entries = store::org::audits::list(&mut tx, filter, i64::MAX, 10).await.expect("read");
        assert_eq!(entries.iter().map(|one| one.actor.as_str()).collect::<Vec<_>>(), [format!("operator {}", olga.user)]);
        assert_eq!(store::audit::detail_of(&entries[0])["plan"], json!({ "from": "free", "to": "pro" }));
    }

    async fn exceptions_come_and_go(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let url = format!("/api/v1/operator/orgs/{}/overrides", ann.org);
        let given = json!({ "exception": { "kind": "feature", "feature": "custom_roles", "granted": true }, "until": "2026-11-22T10:05:00Z", "reason": "a trial" });
        let made = olga.post(&url, &given).await.expect(201);
        assert_eq!(olga.get(&url).await.expect(200).json["data"][0]["exception"], given["exception"]);
        let role = |name: &str| json!({ "name": name, "permissions": [] });
        ann.post("/api/v1/roles", &role("One")).await.expect(201);
        house.clock.advance(Duration::from_mins(5));
        assert_eq!(ann.post("/api/v1/roles", &role("Two")).await.expect(402).code(), "entitlement");
        let for_good = json!({ "exception": given["exception"], "reason": "a friend" });
        let second = olga.post(&url, &for_good).await.expect(201);
        ann.post("/api/v1/roles", &role("Two")).await.expect(201);
        for made in [&made, &second] {
            olga.delete(&format!("{url}/{}", made.str("/id"))).await.expect(204);
            olga.delete(&format!("{url}/{}", made.str("/id"))).await.expect(404);
            // Whose plan it was from reads what was given, until when and why.
            let log = ann.get(&format!("/api/v1/audit?object={}", made.str("/id"))).await.expect(200).json;
            for (at, action) in ["override.deleted", "override.created"].into_iter().enumerate() {
                let entry = &log["data"][at];
                let told = json!({ "exception": made.json["exception"], "until": made.json["until"], "reason": made.json["reason"] });
                assert_eq!((&entry["action"], &entry["detail"]), (&json!(action), &told));
                let hash = if at == 0 { "before" } else { "after" };
                assert!(entry[hash].is_string(), "{entry}");
            }
        }
        ann.post("/api/v1/roles", &role("Three")).await.expect(402);
        let past = json!({ "exception": given["exception"], "until": "2026-11-22T10:00:00Z", "reason": "late" });
        assert_eq!(olga.post(&url, &past).await.expect(422).str("/error/param"), "until");
        let unknown = json!({ "exception": { "kind": "limit", "meter": "wishes", "limit": 3 }, "reason": "none" });
        assert!(olga.post(&url, &unknown).await.expect(422).str("/error/param").starts_with("exception"));
        let nowhere = "/api/v1/operator/orgs/org_01932d6f4b7a7c3e9a51c0ffee15600d/overrides";
        olga.post(nowhere, &for_good).await.expect(404);
        olga.get(nowhere).await.expect(404);
    }

    async fn plans_are_listed(house) {
        let olga = house.operator("Olga").await;
        let plans = olga.get("/api/v1/operator/plans").await.expect(200);
        let names: Vec<_> = plans.json["data"].as_array().expect("a list").iter().map(|one| one["name"].clone()).collect();
        assert_eq!(names, ["free", "pro", "enterprise"]);
    }

    async fn a_suspended_person_is_out_everywhere(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let url = format!("/api/v1/operator/people/{}", ann.user);
        assert_eq!(olga.get(&url).await.expect(200).str("/email"), "ann@example.com");
        ann.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(olga.patch(&url, &json!({ "standing": "suspended" })).await.expect(200).str("/standing"), "suspended");
        assert_eq!(ann.get("/api/v1/auth/me").await.status, 401);
        let login = json!({ "email": "ann@example.com", "password": testing::PASSWORD });
        assert_eq!(house.visitor().post("/api/v1/auth/login", &login).await.status, 401);
        olga.patch(&url, &json!({ "standing": "active" })).await.expect(200);
        // The old session stays ended.
        assert_eq!(ann.get("/api/v1/auth/me").await.status, 401);
        house.visitor().post("/api/v1/auth/login", &login).await.expect(200);
        let own = format!("/api/v1/operator/people/{}", olga.user);
        assert_eq!(olga.patch(&own, &json!({ "standing": "suspended" })).await.expect(409).code(), "conflict");
        olga.get("/api/v1/operator/people/usr_01932d6f4b7a7c3e9a51c0ffee15600d").await.expect(404);
        assert_eq!(olga.patch(&url, &json!({ "operator": true })).await.expect(422).str("/error/param"), "operator");
    }

    async fn mails_are_listed_the_newest_first(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        for name in ["max", "eve"] {
            house.clock.advance(Duration::from_secs(1));
            let invitation = json!({ "email": format!("{name}@example.com"), "role": "viewer" });
            ann.post("/api/v1/invitations", &invitation).await.expect(201);
        }
        let first = olga.get("/api/v1/operator/mails?limit=1").await.expect(200);
        assert_eq!(first.str("/data/0/recipient"), "eve@example.com");
        let second = olga.get(&format!("/api/v1/operator/mails?limit=1&cursor={}", first.str("/next_cursor"))).await.expect(200);
        assert_eq!(second.str("/data/0/recipient"), "max@example.com");
        assert!(!first.text.contains("token="), "a list shows no texts");
        olga.get("/api/v1/operator/mails/mai_01932d6f4b7a7c3e9a51c0ffee15600d").await.expect(404);
    }
}
