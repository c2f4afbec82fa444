//! Organisations: making and changing them, what each status lets happen, closing, handing on, leaving.

use std::time::Duration;

use serde_json::json;
use testing::{Answer, Client};

const DAY: Duration = Duration::from_hours(24);

fn ids(answer: &Answer) -> Vec<String> {
    let list = answer.json["data"].as_array().expect("a list");
    list.iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
}

/// What the operator decides about an organisation.
async fn decide(client: &Client, org: &str, change: serde_json::Value) -> Answer {
    client.patch(&format!("/api/v1/operator/orgs/{org}"), &change).await
}

testing::both_stores! {
    async fn a_person_owns_further_organisations(house) {
        let ann = house.sign_up("Ann").await;
        let made = ann.post("/api/v1/orgs", &json!({ "name": "Acme Corp." })).await.expect(201);
        assert_eq!((made.str("/status"), made.str("/slug"), made.str("/plan")), ("active", "acme-corp", "free"));
        assert_eq!(made.headers["etag"], "\"1\"");
        let first = ann.get("/api/v1/orgs?limit=1").await.expect(200);
        let cursor = first.str("/next_cursor");
        let second = ann.get(&format!("/api/v1/orgs?limit=1&cursor={cursor}")).await.expect(200);
        let mut seen = [ids(&first), ids(&second)].concat();
        seen.sort();
        let mut expected = vec![ann.org.clone(), made.str("/id").to_owned()];
        expected.sort();
        assert_eq!(seen, expected);
        assert_eq!(second.str("/data/0/role"), "owner");
        assert!(second.json["next_cursor"].is_null());
        ann.in_org(made.str("/id")).post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let bob = house.sign_up("Bob").await;
        assert_eq!(bob.get(&format!("/api/v1/orgs?cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
        assert_eq!(ann.post("/api/v1/orgs", &json!({ "name": "" })).await.expect(422).str("/error/param"), "name");
        let plan = json!({ "name": "Acme", "plan": "enterprise" });
        assert_eq!(ann.post("/api/v1/orgs", &plan).await.expect(422).str("/error/param"), "plan");
        assert_eq!(house.visitor().post("/api/v1/orgs", &json!({ "name": "Acme" })).await.status, 401);
    }

    async fn an_organisation_is_made_once_for_an_idempotency_key(house) {
        let ann = house.sign_up("Ann").await.with("idempotency-key", "one");
        let first = ann.post("/api/v1/orgs", &json!({ "name": "Acme" })).await.expect(201);
        let second = ann.post("/api/v1/orgs", &json!({ "name": "Acme" })).await.expect(201);
        assert_eq!(first.json, second.json);
        assert_eq!(ids(&ann.get("/api/v1/orgs").await.expect(200)).len(), 2);
    }

    async fn its_name_and_time_zone_can_change(house) {
        let ann = house.sign_up("Ann").await;
        let url = format!("/api/v1/orgs/{}", ann.org);
        let tag = ann.get(&url).await.expect(200).headers["etag"].to_str().expect("text").to_owned();
        let fresh = ann.with("if-match", &tag);
        let changed = fresh.patch(&url, &json!({ "name": "Globex", "time_zone": "europe/berlin" })).await.expect(200);
        let got = (changed.str("/name"), changed.str("/slug"), changed.str("/time_zone"));
        assert_eq!(got, ("Globex", "globex", "Europe/Berlin"));
        assert_eq!(fresh.patch(&url, &json!({ "name": "Initech" })).await.expect(412).code(), "stale");
        let wrong = json!({ "time_zone": "Europe/Atlantis" });
        assert_eq!(ann.patch(&url, &wrong).await.expect(422).str("/error/param"), "time_zone");
        let status = json!({ "status": "active" });
        assert_eq!(ann.patch(&url, &status).await.expect(422).str("/error/param"), "status");
        let max = house.join(&ann, "Max", "member").await;
        assert_eq!(max.get(&url).await.expect(200).str("/name"), "Globex");
        assert_eq!(max.patch(&url, &json!({ "name": "Mine" })).await.expect(403).code(), "forbidden");
    }

    async fn another_organisation_is_one_that_never_existed(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let bob = bob.with("x-request-id", "compare-bytes");
        let never = "org_01932d6f4b7a7c3e9a51c0ffee15600d";
        for (method, rest, body) in [
            ("GET", "", None),
            ("PATCH", "", Some(json!({ "name": "Mine" }))),
            ("DELETE", "?confirm=Mine", None),
            ("POST", "/restore", Some(json!({}))),
            ("POST", "/transfer", Some(json!({ "user_id": bob.user }))),
            ("POST", "/leave", Some(json!({}))),
            ("GET", "/entitlements", None),
        ] {
            let send = async |org: &str| {
                let method = method.parse().expect("a method");
                bob.send(method, &format!("/api/v1/orgs/{org}{rest}"), body.as_ref()).await.expect(404)
            };
            let (foreign, missing, malformed) = (send(&ann.org).await, send(never).await, send("mine").await);
            assert_eq!((&foreign.text, &foreign.headers), (&missing.text, &missing.headers), "{method} {rest}");
            assert_eq!(foreign.text, malformed.text, "{method} {rest}");
        }
    }

    async fn closing_takes_the_name_and_can_be_undone(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "admin").await;
        let url = format!("/api/v1/orgs/{}", ann.org);
        assert_eq!(ann.delete(&url).await.expect(422).str("/error/param"), "confirm");
        assert_eq!(ann.delete(&format!("{url}?confirm=Acme")).await.expect(422).str("/error/param"), "confirm");
        assert_eq!(max.delete(&format!("{url}?confirm=Ann's%20house")).await.expect(403).code(), "forbidden");
        assert_eq!(ann.post(&format!("{url}/restore"), &json!({})).await.expect(409).code(), "conflict");
        let closing = ann.delete(&format!("{url}?confirm=Ann's%20house")).await.expect(200);
        assert_eq!((closing.str("/status"), closing.str("/closes_at")), ("closing", "2026-12-22T10:00:00.000000Z"));
        assert_eq!(ann.delete(&format!("{url}?confirm=Ann's%20house")).await.expect(409).code(), "conflict");
        // Owners read, nobody else is let in, nothing changes.
        assert!(max.get("/api/v1/teams").await.expect(403).str("/error/message").contains("closing"));
        assert!(max.get(&url).await.expect(403).str("/error/message").contains("closing"));
        ann.get(&url).await.expect(200);
        ann.get("/api/v1/members").await.expect(200);
        ann.patch(&url, &json!({ "name": "Acme" })).await.expect(403);
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(403);
        max.post(&format!("{url}/restore"), &json!({})).await.expect(403);
        let restored = ann.post(&format!("{url}/restore"), &json!({})).await.expect(200);
        assert_eq!(restored.str("/status"), "active");
        assert!(restored.json["closes_at"].is_null());
        max.get(&url).await.expect(200);
        ann.delete(&format!("{url}?confirm=Ann's%20house")).await.expect(200);
        house.clock.advance(30 * DAY);
        let ann = house.sign_in(&ann, "Ann").await;
        assert_eq!(ann.post(&format!("{url}/restore"), &json!({})).await.expect(409).code(), "conflict");
    }

    async fn a_late_payment_is_not_forgotten_by_closing(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let url = format!("/api/v1/orgs/{}", ann.org);
        decide(&olga, &ann.org, json!({ "status": "past_due" })).await.expect(200);
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        ann.delete(&format!("{url}?confirm=Ann's%20house")).await.expect(200);
        let restored = ann.post(&format!("{url}/restore"), &json!({})).await.expect(200);
        assert_eq!(restored.str("/status"), "past_due");
    }

    async fn a_suspended_organisation_is_read_by_its_owners_alone(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let max = house.join(&ann, "Max", "admin").await;
        let url = format!("/api/v1/orgs/{}", ann.org);
        max.get(&url).await.expect(200);
        decide(&olga, &ann.org, json!({ "status": "suspended" })).await.expect(200);
        assert!(max.get(&url).await.expect(403).str("/error/message").contains("suspended"));
        max.get("/api/v1/members").await.expect(403);
        assert_eq!(ann.get(&url).await.expect(200).str("/status"), "suspended");
        ann.get("/api/v1/members").await.expect(200);
        ann.patch(&url, &json!({ "name": "Acme" })).await.expect(403);
        ann.post("/api/v1/invitations", &json!({ "email": "eve@example.com", "role": "member" })).await.expect(403);
        // Closing and undoing that would be a way out.
        ann.delete(&format!("{url}?confirm=Ann's%20house")).await.expect(403);
        ann.post(&format!("{url}/restore"), &json!({})).await.expect(403);
        decide(&olga, &ann.org, json!({ "status": "active" })).await.expect(200);
        max.get(&url).await.expect(200);
    }

    async fn owners_take_their_log_out_of_an_organisation_that_is_stopped(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        house.on_plan(&ann.org, "enterprise").await;
        let adi = house.join(&ann, "Adi", "admin").await;
        let export = async |who: &Client| who.get("/api/v1/audit/export").await;
        export(&adi).await.expect(200);
        decide(&olga, &ann.org, json!({ "status": "suspended" })).await.expect(200);
        assert!(export(&ann).await.expect(200).text.contains("organisation.administered"));
        export(&adi).await.expect(403);
        decide(&olga, &ann.org, json!({ "status": "active" })).await.expect(200);
        ann.delete(&format!("/api/v1/orgs/{}?confirm=Ann's%20house", ann.org)).await.expect(200);
        assert!(export(&ann).await.expect(200).text.contains("organisation.closing"));
        export(&adi).await.expect(403);
    }

    async fn an_organisation_is_handed_on(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "admin").await;
        let url = format!("/api/v1/orgs/{}/transfer", ann.org);
        max.post(&url, &json!({ "user_id": max.user })).await.expect(403);
        ann.post(&url, &json!({ "user_id": bob.user })).await.expect(404);
        assert_eq!(ann.post(&url, &json!({ "user_id": ann.user })).await.expect(422).str("/error/param"), "user_id");
        let member = format!("/api/v1/members/{}", max.user);
        ann.patch(&member, &json!({ "standing": "suspended" })).await.expect(200);
        assert_eq!(ann.post(&url, &json!({ "user_id": max.user })).await.expect(409).code(), "conflict");
        ann.patch(&member, &json!({ "standing": "active" })).await.expect(200);
        // Nor to somebody whose account is suspended, or about to be deleted.
        let account = format!("/api/v1/operator/people/{}", max.user);
        let olga = house.operator("Olga").await;
        olga.patch(&account, &json!({ "standing": "suspended" })).await.expect(200);
        assert_eq!(ann.post(&url, &json!({ "user_id": max.user })).await.expect(409).code(), "conflict");
        olga.patch(&account, &json!({ "standing": "active" })).await.expect(200);
        let max = house.sign_in(&max, "Max").await;
        max.delete("/api/v1/user/profile").await.expect(200);
        assert_eq!(ann.post(&url, &json!({ "user_id": max.user })).await.expect(409).code(), "conflict");
        assert_eq!(ann.get("/api/v1/auth/me").await.expect(200).str("/role"), "owner");
        let max = house.sign_in(&max, "Max").await;
        assert_eq!(ann.post(&url, &json!({ "user_id": max.user })).await.expect(200).str("/role"), "owner");
        assert_eq!(ann.get("/api/v1/auth/me").await.expect(200).str("/role"), "admin");
        ann.post(&url, &json!({ "user_id": ann.user })).await.expect(403);
        max.post(&url, &json!({ "user_id": ann.user })).await.expect(200);
    }

    async fn handing_on_and_closing_take_a_fresh_factor(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "admin").await;
        let url = format!("/api/v1/orgs/{}", ann.org);
        house.clock.advance(Duration::from_secs(610));
        let body = json!({ "user_id": max.user });
        assert_eq!(ann.post(&format!("{url}/transfer"), &body).await.expect(403).code(), "step_up_needed");
        let closing = ann.delete(&format!("{url}?confirm=Ann's%20house")).await.expect(403);
        assert_eq!(closing.code(), "step_up_needed");
        let ann = house.sign_in(&ann, "Ann").await.in_org(&ann.org);
        ann.post(&format!("{url}/transfer"), &body).await.expect(200);
    }

    async fn handing_on_takes_all_that_an_owner_holds(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let role = json!({ "name": "Notary", "permissions": ["org.read", "org.transfer"] });
        let role = ann.post("/api/v1/roles", &role).await.expect(201);
        let eve = house.join(&ann, "Eve", role.str("/id")).await;
        let max = house.join(&ann, "Max", "viewer").await;
        let url = format!("/api/v1/orgs/{}/transfer", ann.org);
        assert_eq!(eve.post(&url, &json!({ "user_id": max.user })).await.expect(403).code(), "forbidden");
    }

    async fn everybody_may_leave_but_the_last_owner(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "viewer").await;
        let url = format!("/api/v1/orgs/{}/leave", ann.org);
        assert_eq!(ann.post(&url, &json!({})).await.expect(409).code(), "conflict");
        max.get("/api/v1/teams").await.expect(200);
        max.post(&url, &json!({})).await.expect(204);
        max.get("/api/v1/teams").await.expect(404);
        max.post(&url, &json!({})).await.expect(404);
        assert_eq!(ids(&max.get("/api/v1/orgs").await.expect(200)).len(), 1);
    }

    async fn of_two_owners_who_leave_at_once_one_stays(house) {
        let ann = house.sign_up("Ann").await;
        for name in ["Max", "Eve"] {
            let other = house.join(&ann, name, "owner").await;
            let url = format!("/api/v1/orgs/{}/leave", ann.org);
            let body = json!({});
            let (one, two) = tokio::join!(ann.post(&url, &body), other.post(&url, &body));
            let mut statuses = [one.status, two.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409]);
            if one.status == 409 {
                continue;
            }
            // The other one stayed; the organisation is theirs.
            assert_eq!(other.get("/api/v1/members").await.expect(200).json["data"].as_array().expect("a list").len(), 1);
            break;
        }
    }

    async fn entitlements_are_the_plan_with_its_exceptions(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let url = format!("/api/v1/orgs/{}/entitlements", ann.org);
        let free = ann.get(&url).await.expect(200);
        assert_eq!(free.json["limits"]["requests"], json!({ "value": 100, "source": "plan", "until": null }));
        assert_eq!((free.str("/plan"), &free.json["used"]["seats"]), ("free", &json!(1)));
        decide(&olga, &ann.org, json!({ "plan": "pro" })).await.expect(200);
        assert_eq!(ann.get(&url).await.expect(200).json["limits"]["tokens"]["value"], 1_000_000);
        let until = "2026-11-23T10:00:00.000000Z";
        let exception = json!({ "exception": { "kind": "limit", "meter": "seats", "limit": 99 }, "until": until, "reason": "a fair" });
        olga.post(&format!("/api/v1/operator/orgs/{}/overrides", ann.org), &exception).await.expect(201);
        let seats = ann.get(&url).await.expect(200).json["limits"]["seats"].clone();
        assert_eq!(seats, json!({ "value": 99, "source": "override", "until": until }));
        ann.post("/api/v1/invitations", &json!({ "email": "max@example.com", "role": "member" })).await.expect(201);
        assert_eq!(ann.get(&url).await.expect(200).json["used"]["seats"], 2);
    }
}
