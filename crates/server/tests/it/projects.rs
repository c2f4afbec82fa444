//! Projects: private by default, and without a trace for those who are not in them.

use serde_json::{Value, json};
use testing::Client;

const NEVER: &str = "prj_01932d6f4b7a7c3e9a51c0ffee15600d";

async fn project(who: &Client, name: &str) -> String {
    who.post("/api/v1/projects", &json!({ "name": name })).await.expect(201).str("/id").to_owned()
}

fn names(page: &Value) -> Vec<&str> {
    page["data"].as_array().expect("a list").iter().map(|one| one["name"].as_str().expect("a name")).collect()
}

testing::both_stores! {
    async fn a_project_from_its_making_to_its_end(house) {
        let ann = house.sign_up("Ann").await;
        let made = ann.post("/api/v1/projects", &json!({ "name": "Apollo", "description": "To the moon" })).await.expect(201);
        assert_eq!((made.str("/name"), made.headers["etag"].to_str().expect("text")), ("Apollo", "\"1\""));
        assert_eq!(made.json["open"], json!(false), "private unless it is said");
        assert_eq!(ann.post("/api/v1/projects", &json!({ "name": "Apollo" })).await.expect(409).code(), "taken");
        let url = format!("/api/v1/projects/{}", made.str("/id"));
        let change = json!({ "name": "Artemis", "description": "" });
        assert_eq!(ann.with("if-match", "\"9\"").patch(&url, &change).await.expect(412).code(), "stale");
        let changed = ann.with("if-match", "\"1\"").patch(&url, &change).await.expect(200);
        assert_eq!((changed.str("/name"), changed.str("/description")), ("Artemis", ""));
        assert_eq!(ann.patch(&url, &json!({ "owner_id": ann.user })).await.expect(422).str("/error/param"), "owner_id");
        // Only what is archived can be deleted, and only by its name.
        let confirmed = format!("{url}?confirm=Artemis");
        assert_eq!(ann.delete(&confirmed).await.expect(409).code(), "conflict");
        let archived = ann.put(&format!("{url}/archive"), &json!({})).await.expect(200);
        assert!(archived.json["archived_at"].is_string());
        let again = ann.put(&format!("{url}/archive"), &json!({})).await.expect(200);
        assert_eq!(again.json, archived.json);
        assert_eq!(ann.patch(&url, &json!({ "name": "Other" })).await.expect(409).code(), "conflict");
        assert_eq!(names(&ann.get("/api/v1/projects?archived=true").await.expect(200).json), ["Artemis"]);
        assert!(names(&ann.get("/api/v1/projects?archived=false").await.expect(200).json).is_empty());
        let restored = ann.delete(&format!("{url}/archive")).await.expect(200);
        assert!(restored.json["archived_at"].is_null());
        ann.put(&format!("{url}/archive"), &json!({})).await.expect(200);
        assert_eq!(ann.delete(&url).await.expect(422).str("/error/param"), "confirm");
        assert_eq!(ann.delete(&format!("{url}?confirm=artemis")).await.expect(422).str("/error/param"), "confirm");
        assert_eq!(ann.with("if-match", "\"1\"").delete(&confirmed).await.expect(412).code(), "stale");
        ann.delete(&confirmed).await.expect(204);
        ann.get(&url).await.expect(404);
    }

    async fn a_private_project_leaves_no_trace(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        // Ids rise with time: hidden ones stand before, between and after the ones that Max sees.
        let mut all = Vec::new();
        for n in 0..9 {
            house.clock.advance(std::time::Duration::from_millis(2));
            all.push(project(&ann, &format!("P{n}")).await);
        }
        for n in [1, 4, 5] {
            let url = format!("/api/v1/projects/{}/members/{}", all[n], max.user);
            ann.put(&url, &json!({ "role": "member" })).await.expect(200);
        }
        assert_eq!(names(&max.get("/api/v1/projects").await.expect(200).json), ["P1", "P4", "P5"]);
        let first = max.get("/api/v1/projects?limit=2").await.expect(200);
        assert_eq!(names(&first.json), ["P1", "P4"], "a page is full whatever is hidden");
        let cursor = first.str("/next_cursor").to_owned();
        let second = max.get(&format!("/api/v1/projects?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!((names(&second.json), second.json["next_cursor"].is_null()), (vec!["P5"], true));
        assert_eq!(ann.get(&format!("/api/v1/projects?limit=2&cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
        let hidden = &all[2];
        let works_in = async |who: &Client, id: &str| who.with("x-rowhouse-project", id).get("/api/v1/teams").await.status;
        assert_eq!(works_in(&ann, hidden).await, 200, "what is remembered of it from now on is for those who may");
        // One answer for what is hidden, what is another organisation's, and what never was: on every route.
        for who in [&max, &bob] {
            let who = who.with("x-request-id", "compare-bytes");
            for (method, path, body) in [
                ("GET", "/api/v1/projects/{}".to_owned(), None),
                ("PATCH", "/api/v1/projects/{}".into(), Some(json!({ "name": "Mine" }))),
                ("DELETE", "/api/v1/projects/{}?confirm=P2".into(), None),
                ("PUT", "/api/v1/projects/{}/archive".into(), None),
                ("DELETE", "/api/v1/projects/{}/archive".into(), None),
                ("GET", "/api/v1/projects/{}/members".into(), None),
                ("PUT", format!("/api/v1/projects/{{}}/members/{}", who.user), Some(json!({ "role": "owner" }))),
                ("DELETE", format!("/api/v1/projects/{{}}/members/{}", who.user), None),
                ("GET", "/api/v1/projects/{}/teams".into(), None),
                ("PUT", "/api/v1/projects/{}/teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d".into(), Some(json!({ "role": "owner" }))),
                ("DELETE", "/api/v1/projects/{}/teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d".into(), None),
            ] {
                let call = async |id: &str| who.send(method.parse().expect("a method"), &path.replace("{}", id), body.as_ref()).await;
                let (foreign, never) = (call(hidden).await.expect(404), call(NEVER).await.expect(404));
                assert_eq!((foreign.text, foreign.headers), (never.text, never.headers), "{method} {path}");
            }
            // A project in a header selects among the visible ones, on whatever route.
            let selecting = async |id: &str| who.with("x-rowhouse-project", id).get("/api/v1/teams").await.expect(404);
            let (foreign, never) = (selecting(hidden).await, selecting(NEVER).await);
            assert_eq!((foreign.text, foreign.headers), (never.text, never.headers));
            assert_eq!(selecting("no id at all").await.code(), "not_found");
            // Nor can a key be made for it.
            let make = async |id: &str| {
                who.post("/api/v1/auth/api-keys", &json!({ "name": "k", "project_id": id })).await.expect(404)
            };
            let (foreign, never) = (make(hidden).await, make(NEVER).await);
            assert_eq!((foreign.text, foreign.headers), (never.text, never.headers));
        }
        assert_eq!(works_in(&max, &all[1]).await, 200);
        // An open project is everybody's, with the role they have at the organisation.
        ann.patch(&format!("/api/v1/projects/{hidden}"), &json!({ "open": true })).await.expect(200);
        max.get(&format!("/api/v1/projects/{hidden}")).await.expect(200);
        max.patch(&format!("/api/v1/projects/{hidden}"), &json!({ "name": "Mine" })).await.expect(403);
        bob.get(&format!("/api/v1/projects/{hidden}")).await.expect(404);
        // For who works in it, too, from the next request on.
        let works = async || (works_in(&max, hidden).await, works_in(&bob, hidden).await);
        assert_eq!(works().await, (200, 404));
        ann.patch(&format!("/api/v1/projects/{hidden}"), &json!({ "open": false })).await.expect(200);
        assert_eq!(works().await, (404, 404));
        ann.patch(&format!("/api/v1/projects/{hidden}"), &json!({ "open": true })).await.expect(200);
        assert_eq!(works().await, (200, 404));
        ann.put(&format!("/api/v1/projects/{hidden}/archive"), &json!({})).await.expect(200);
        ann.delete(&format!("/api/v1/projects/{hidden}?confirm=P2")).await.expect(204);
        assert_eq!(works().await, (404, 404));
        ann.delete(&format!("/api/v1/projects/{}/members/{}", all[1], max.user)).await.expect(204);
        max.get(&format!("/api/v1/projects/{}", all[1])).await.expect(404);
    }

    async fn a_team_brings_its_people_and_those_below_it(house) {
        let ann = house.sign_up("Ann").await;
        let (bob, max) = (house.join(&ann, "Bob", "viewer").await, house.join(&ann, "Max", "viewer").await);
        let team = async |name: &str, parent: Option<&str>| {
            let body = json!({ "name": name, "parent_id": parent });
            ann.post("/api/v1/teams", &body).await.expect(201).str("/id").to_owned()
        };
        let eng = team("Engineering", None).await;
        let (front, product) = (team("Frontend", Some(&eng)).await, team("Product", None).await);
        for (team, who) in [(&front, &bob), (&product, &max)] {
            ann.put(&format!("/api/v1/teams/{team}/members/{}", who.user), &json!({ "role": "viewer" })).await.expect(200);
        }
        let url = format!("/api/v1/projects/{}", project(&ann, "Apollo").await);
        let given = ann.put(&format!("{url}/teams/{eng}"), &json!({ "role": "admin" })).await.expect(200);
        assert_eq!(given.str("/team_id"), eng);
        assert_eq!(ann.get(&format!("{url}/teams")).await.expect(200).json["data"][0]["role"], json!("admin"));
        // Bob is in Frontend, so in Engineering, so an admin of the project; Max is in neither.
        bob.patch(&url, &json!({ "description": "by Bob" })).await.expect(200);
        max.get(&url).await.expect(404);
        bob.put(&format!("{url}/members/{}", max.user), &json!({ "role": "viewer" })).await.expect(200);
        max.get(&url).await.expect(200);
        max.put(&format!("{url}/members/{}", max.user), &json!({ "role": "admin" })).await.expect(403);
        let never = "tea_01932d6f4b7a7c3e9a51c0ffee15600d";
        ann.put(&format!("{url}/teams/{never}"), &json!({ "role": "viewer" })).await.expect(404);
        ann.delete(&format!("{url}/teams/{eng}")).await.expect(204);
        ann.delete(&format!("{url}/teams/{eng}")).await.expect(404);
        bob.get(&url).await.expect(404);
    }

    async fn who_may_change_a_project_may_not_give_it_away(house) {
        let (ann, eve) = (house.sign_up("Ann").await, house.sign_up("Eve").await);
        let bob = house.join(&ann, "Bob", "viewer").await;
        house.on_plan(&ann.org, "enterprise").await;
        let editor = json!({ "name": "Editor", "permissions": ["projects.read", "projects.update"] });
        let editor = ann.post("/api/v1/roles", &editor).await.expect(201).str("/id").to_owned();
        let apollo = project(&ann, "Apollo").await;
        let url = format!("/api/v1/projects/{apollo}");
        ann.put(&format!("{url}/members/{}", bob.user), &json!({ "role": editor })).await.expect(200);
        let more = json!({ "teams": [], "projects": [{ "id": apollo, "permissions": ["projects.update"] }] });
        assert_eq!(bob.get("/api/v1/auth/me").await.expect(200).json["more"], more, "what a viewer may do at one project");
        for other in [&ann, &eve] {
            let none = json!({ "teams": [], "projects": [] });
            assert_eq!(other.get("/api/v1/auth/me").await.expect(200).json["more"], none);
        }
        bob.patch(&url, &json!({ "description": "mine", "open": false })).await.expect(200);
        bob.patch(&url, &json!({ "open": true })).await.expect(403);
        bob.put(&format!("{url}/members/{}", bob.user), &json!({ "role": editor })).await.expect(403);
        let refused = ann.put(&format!("{url}/members/{}", eve.user), &json!({ "role": "viewer" })).await.expect(422);
        assert_eq!(refused.str("/error/param"), "user_id");
        bob.post("/api/v1/projects", &json!({ "name": "Mine" })).await.expect(403);
        assert_eq!(ann.get(&format!("{url}/members?limit=1")).await.expect(200).json["data"].as_array().expect("a list").len(), 1);
    }

    async fn opening_a_project_gives_no_more_than_its_opener_holds(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let (adi, max) = (house.join(&ann, "Adi", "admin").await, house.join(&ann, "Max", "member").await);
        let bob = house.join(&ann, "Bob", "viewer").await;
        let role = async |name: &str, permissions: &[&str]| {
            let body = json!({ "name": name, "permissions": permissions });
            ann.post("/api/v1/roles", &body).await.expect(201).str("/id").to_owned()
        };
        let url = format!("/api/v1/projects/{}", project(&ann, "Apollo").await);
        let gives = async |user: &str, role: &str| {
            ann.put(&format!("{url}/members/{user}"), &json!({ "role": role })).await.expect(200);
        };
        let (opened, closed) = (json!({ "open": true }), json!({ "open": false }));
        let keeper = role("Keeper", &["projects.read", "projects.update", "projects.members"]).await;
        gives(&max.user, &keeper).await;
        // What he may not give himself he does not get by opening the project either.
        max.put(&format!("{url}/members/{}", max.user), &json!({ "role": "member" })).await.expect(403);
        let refused = max.patch(&url, &opened).await.expect(403);
        assert!(refused.str("/error/message").contains("models.use"), "{}", refused.text);
        bob.get(&url).await.expect(404);
        max.patch(&url, &json!({ "name": "Artemis", "open": false })).await.expect(200);
        // Who runs the project, or the organisation, opens it; closing it gives nothing.
        gives(&bob.user, "admin").await;
        for who in [&bob, &adi, &ann] {
            who.patch(&url, &opened).await.expect(200);
            max.patch(&url, &opened).await.expect(200);
            max.patch(&url, &closed).await.expect(200);
        }
        // So does who holds all that members get there; by their custom roles, too.
        let lead = role("Lead", &[
            "projects.read", "projects.update", "projects.members", "keys.create", "models.use", "usage.read", "budgets.read",
            "providers.read", "knowledge.read", "knowledge.write", "answers.use",
        ]).await;
        gives(&max.user, &lead).await;
        max.patch(&url, &opened).await.expect(200);
        max.patch(&url, &closed).await.expect(200);
        let cleaner = role("Cleaner", &["projects.read", "projects.delete"]).await;
        max.patch(&url, &opened).await.expect(200);
        max.patch(&url, &closed).await.expect(200);
        let zoe = house.join(&ann, "Zoe", &cleaner).await;
        let refused = max.patch(&url, &opened).await.expect(403);
        assert!(refused.str("/error/message").ends_with("you lack projects.delete."), "{}", refused.text);
        zoe.get(&url).await.expect(404);
        adi.patch(&url, &opened).await.expect(200);
        zoe.get(&url).await.expect(200);
    }
}
