//! Roles: built-in and custom ones, what a custom one can hold, and when it can go.

use serde_json::json;

const BILLING: &str = "Billing";

testing::both_stores! {
    async fn the_built_in_roles_come_first(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let role = ann.post("/api/v1/roles", &json!({ "name": BILLING, "permissions": ["usage.read", "budgets.read"] })).await.expect(201);
        let mut seen = Vec::new();
        let mut url = "/api/v1/roles?limit=2".to_owned();
        loop {
            let page = ann.get(&url).await.expect(200);
            seen.extend(page.json["data"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id").to_owned()));
            let Some(cursor) = page.json["next_cursor"].as_str() else { break };
            url = format!("/api/v1/roles?limit=2&cursor={cursor}");
        }
        assert_eq!(seen, ["owner", "admin", "member", "viewer", role.str("/id")]);
        assert_eq!(ann.get("/api/v1/roles/viewer").await.expect(200).json["builtin"], true);
        ann.get("/api/v1/roles/root").await.expect(404);
        for answer in [
            ann.patch("/api/v1/roles/viewer", &json!({ "permissions": [] })).await,
            ann.delete("/api/v1/roles/owner").await,
        ] {
            assert_eq!(answer.expect(409).code(), "conflict");
        }
    }

    async fn permissions_are_listed_with_what_they_allow(house) {
        let ann = house.sign_up("Ann").await;
        let list = ann.get("/api/v1/permissions").await.expect(200);
        let close = list.json["data"].as_array().expect("a list").iter().find(|one| one["name"] == "teams.read");
        let expected = json!({ "name": "teams.read", "description": "see teams and who is in them", "levels": ["organization", "team"] });
        assert_eq!(close, Some(&expected));
        assert_eq!(house.visitor().get("/api/v1/permissions").await.status, 401);
    }

    async fn custom_roles_come_with_a_plan(house) {
        let ann = house.sign_up("Ann").await;
        let role = json!({ "name": BILLING, "permissions": ["usage.read"] });
        let refused = ann.post("/api/v1/roles", &role).await.expect(402);
        assert_eq!((refused.code(), refused.str("/error/param")), ("entitlement", "custom_roles"));
        house.on_plan(&ann.org, "pro").await;
        let made = ann.post("/api/v1/roles", &role).await.expect(201);
        house.on_plan(&ann.org, "free").await;
        let url = format!("/api/v1/roles/{}", made.str("/id"));
        assert_eq!(ann.patch(&url, &json!({ "name": "Money" })).await.expect(402).code(), "entitlement");
        ann.get(&url).await.expect(200);
        ann.delete(&url).await.expect(204);
    }

    async fn a_change_works_at_once_for_all_who_hold_it(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let made = ann.post("/api/v1/roles", &json!({ "name": BILLING, "permissions": ["members.read"] })).await.expect(201);
        let max = house.join(&ann, "Max", made.str("/id")).await;
        max.get("/api/v1/members").await.expect(200);
        max.get("/api/v1/roles").await.expect(403);
        let url = format!("/api/v1/roles/{}", made.str("/id"));
        let fresh = ann.with("if-match", "\"1\"");
        let changed = fresh.patch(&url, &json!({ "permissions": ["roles.read"], "description": "Reads roles." })).await.expect(200);
        assert_eq!((changed.json["permissions"].clone(), changed.str("/name")), (json!(["roles.read"]), BILLING));
        assert_eq!(fresh.patch(&url, &json!({ "permissions": [] })).await.expect(412).code(), "stale");
        max.get("/api/v1/members").await.expect(403);
        max.get("/api/v1/roles").await.expect(200);
    }

    async fn a_role_holds_at_most_what_its_maker_holds(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let max = house.join(&ann, "Max", "admin").await;
        let strong = json!({ "name": "Strong", "permissions": ["org.read", "org.close"] });
        let refused = max.post("/api/v1/roles", &strong).await.expect(403);
        assert!(refused.str("/error/message").contains("org.close"), "{}", refused.text);
        let strong = ann.post("/api/v1/roles", &strong).await.expect(201);
        let strong_url = format!("/api/v1/roles/{}", strong.str("/id"));
        // Nor is one changed or removed by somebody who holds less.
        max.patch(&strong_url, &json!({ "permissions": ["org.read"] })).await.expect(403);
        max.delete(&strong_url).await.expect(403);
        let writer = json!({ "name": "Writer", "permissions": ["roles.read", "roles.write"] });
        let writer = max.post("/api/v1/roles", &writer).await.expect(201);
        let wes = house.join(&ann, "Wes", writer.str("/id")).await;
        let writer_url = format!("/api/v1/roles/{}", writer.str("/id"));
        let more = json!({ "permissions": ["roles.read", "roles.write", "members.update"] });
        wes.patch(&writer_url, &more).await.expect(403);
        wes.patch(&writer_url, &json!({ "name": "Scribe" })).await.expect(200);
        let eve = house.join(&ann, "Eve", "member").await;
        eve.post("/api/v1/roles", &json!({ "name": "Mine", "permissions": [] })).await.expect(403);
    }

    async fn a_role_gives_no_more_in_a_private_project_than_who_widens_it_holds_there(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let role = async |name: &str, permissions: &[&str]| {
            let body = json!({ "name": name, "permissions": permissions });
            ann.post("/api/v1/roles", &body).await.expect(201).str("/id").to_owned()
        };
        let editor = ["roles.read", "roles.write", "projects.read", "knowledge.read", "knowledge.manage"];
        let sam = house.join(&ann, "Sam", &role("Editor", &editor).await).await;
        let max = house.join(&ann, "Max", "viewer").await;
        let (reader, crew) = (role("Reader", &["projects.read"]).await, role("Crew", &["projects.read"]).await);
        let vault = ann.post("/api/v1/projects", &json!({ "name": "Vault" })).await.expect(201);
        let vault = format!("/api/v1/projects/{}", vault.str("/id"));
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let places = [(&reader, format!("members/{}", max.user)), (&crew, format!("teams/{}", team.str("/id")))];
        for (role, place) in &places {
            ann.put(&format!("{vault}/{place}"), &json!({ "role": role })).await.expect(200);
        }
        let gives = |permissions: &[&str]| json!({ "permissions": permissions });
        let (narrow, wide) = (gives(&["projects.read"]), gives(&["projects.read", "knowledge.read", "knowledge.manage"]));
        for (role, place) in &places {
            let url = format!("/api/v1/roles/{role}");
            let refused = sam.patch(&url, &wide).await.expect(403);
            assert!(refused.str("/error/message").contains("private project"), "{}", refused.text);
            assert_eq!(ann.get(&url).await.expect(200).json["permissions"], json!(["projects.read"]));
            // What gives nothing new there is no matter of the project's.
            sam.patch(&url, &json!({ "description": "Reads." })).await.expect(200);
            sam.patch(&url, &gives(&["projects.read", "roles.read"])).await.expect(200);
            // An open project is reached by the role that Sam holds; and the owner reaches all of them.
            ann.patch(&vault, &json!({ "open": true })).await.expect(200);
            sam.patch(&url, &wide).await.expect(200);
            sam.patch(&url, &narrow).await.expect(200);
            ann.patch(&vault, &json!({ "open": false })).await.expect(200);
            ann.patch(&url, &wide).await.expect(200);
            // Taking away gives nothing.
            sam.patch(&url, &narrow).await.expect(200);
            ann.delete(&format!("{vault}/{place}")).await.expect(204);
            sam.patch(&url, &wide).await.expect(200);
        }
    }

    async fn bad_roles_are_refused_by_field(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let good = json!({ "name": BILLING, "permissions": ["usage.read"] });
        ann.post("/api/v1/roles", &good).await.expect(201);
        assert_eq!(ann.post("/api/v1/roles", &good).await.expect(409).code(), "taken");
        let misleading = json!({ "name": "Owner", "permissions": [] });
        assert_eq!(ann.post("/api/v1/roles", &misleading).await.expect(409).code(), "taken");
        let unknown = json!({ "name": "Else", "permissions": ["usage.read", "teams.*"] });
        assert_eq!(ann.post("/api/v1/roles", &unknown).await.expect(422).str("/error/param"), "permissions[1]");
        let missing = json!({ "name": "Else" });
        assert_eq!(ann.post("/api/v1/roles", &missing).await.expect(422).str("/error/param"), "permissions");
    }

    async fn a_role_that_is_held_or_promised_stays(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let make = async |name: &str| ann.post("/api/v1/roles", &json!({ "name": name, "permissions": ["teams.read"] })).await.expect(201);
        let (by_member, by_invitation, by_team) = (make("One").await, make("Two").await, make("Three").await);
        let max = house.join(&ann, "Max", by_member.str("/id")).await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let offer = json!({
            "email": "zoe@example.com", "role": by_invitation.str("/id"),
            "teams": [{ "team_id": team.str("/id"), "role": by_team.str("/id") }],
        });
        let sent = ann.post("/api/v1/invitations", &offer).await.expect(201);
        let url = |role: &testing::Answer| format!("/api/v1/roles/{}", role.str("/id"));
        let member = format!("/api/v1/members/{}", max.user);
        ann.patch(&member, &json!({ "standing": "suspended" })).await.expect(200);
        for role in [&by_member, &by_invitation, &by_team] {
            assert_eq!(ann.delete(&url(role)).await.expect(409).code(), "conflict");
        }
        ann.patch(&member, &json!({ "role": "viewer" })).await.expect(200);
        ann.delete(&url(&by_member)).await.expect(204);
        ann.get(&url(&by_member)).await.expect(404);
        let zoe = house.sign_up("Zoe").await;
        zoe.post("/api/v1/invitations/accept", &json!({ "token": sent.str("/token") })).await.expect(200);
        // Held now, at the organisation and in the team.
        for role in [&by_invitation, &by_team] {
            assert_eq!(ann.delete(&url(role)).await.expect(409).code(), "conflict");
        }
        ann.delete(&format!("/api/v1/members/{}", zoe.user)).await.expect(204);
        for role in [&by_invitation, &by_team] {
            ann.delete(&url(role)).await.expect(204);
        }
    }

    async fn a_role_is_not_given_while_it_goes(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let max = house.join(&ann, "Max", "viewer").await;
        let member = format!("/api/v1/members/{}", max.user);
        for round in 0..4 {
            let name = format!("Role {round}");
            let role = ann.post("/api/v1/roles", &json!({ "name": name, "permissions": ["teams.read"] })).await.expect(201);
            let (url, change) = (format!("/api/v1/roles/{}", role.str("/id")), json!({ "role": role.str("/id") }));
            let (deleted, given) = tokio::join!(ann.delete(&url), ann.patch(&member, &change));
            assert!(matches!((deleted.status, given.status), (204, 404) | (409, 200)), "{} {}", deleted.text, given.text);
            ann.patch(&member, &json!({ "role": "viewer" })).await.expect(200);
        }
    }

    async fn roles_of_others_do_not_exist(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "pro").await;
        house.on_plan(&bob.org, "pro").await;
        let bob = bob.with("x-request-id", "compare-bytes");
        let role = ann.post("/api/v1/roles", &json!({ "name": BILLING, "permissions": [] })).await.expect(201);
        let url = format!("/api/v1/roles/{}", role.str("/id"));
        let never = "/api/v1/roles/rol_01932d6f4b7a7c3e9a51c0ffee15600d";
        let change = json!({ "name": "Mine" });
        for (foreign, missing) in [
            (bob.get(&url).await, bob.get(never).await),
            (bob.patch(&url, &change).await, bob.patch(never, &change).await),
            (bob.delete(&url).await, bob.delete(never).await),
        ] {
            assert_eq!((foreign.status, &foreign.text, &foreign.headers), (404, &missing.text, &missing.headers));
        }
        // The name is free elsewhere: names are unique in an organisation, not in the house.
        bob.post("/api/v1/roles", &json!({ "name": BILLING, "permissions": [] })).await.expect(201);
    }
}
