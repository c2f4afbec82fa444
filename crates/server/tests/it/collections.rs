//! Collections: who sees, changes and shares them, and that the others leave no trace.

use serde_json::{Value, json};
use testing::{Client, both_stores};

const NEVER: &str = "col_01932d6f4b7a7c3e9a51c0ffee15600d";
pub(crate) const PATH: &str = "/api/v1/collections";

async fn made(who: &Client, body: &Value) -> String {
    who.post(PATH, body).await.expect(201).str("/id").to_owned()
}

pub(crate) fn url(id: &str) -> String {
    format!("{PATH}/{id}")
}

pub(crate) fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id")).collect()
}

async fn sees(who: &Client, id: &str) -> bool {
    let listed = ids(&who.get(PATH).await.expect(200).json).contains(&id);
    let status = who.get(&url(id)).await.status;
    assert_eq!(status, if listed { 200 } else { 404 }, "the list and the thing say the same of {id}");
    listed
}

pub(crate) async fn share(who: &Client, id: &str, with: &str) -> u16 {
    who.put(&format!("{PATH}/{id}/shares/{with}"), &json!({})).await.status
}

pub(crate) async fn team(who: &Client, name: &str, above: Option<&str>) -> String {
    who.post("/api/v1/teams", &json!({ "name": name, "parent_id": above })).await.expect(201).str("/id").to_owned()
}

pub(crate) async fn project(who: &Client, name: &str, open: bool) -> String {
    who.post("/api/v1/projects", &json!({ "name": name, "open": open })).await.expect(201).str("/id").to_owned()
}

both_stores! {
    async fn a_collection_from_its_making_to_its_end(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "name": "Handbook", "description": "How we work" });
        let once = ann.with("idempotency-key", "one");
        let first = once.post(PATH, &body).await.expect(201);
        assert_eq!(first.headers["etag"], "\"1\"");
        assert_eq!((first.str("/access"), first.str("/created_by")), ("project", ann.user.as_str()));
        assert_eq!(once.post(PATH, &body).await.expect(201).json, first.json, "once");
        assert_eq!(ids(&ann.get(PATH).await.expect(200).json), [first.str("/id")]);
        let url = url(first.str("/id"));
        assert_eq!(ann.with("if-match", "\"9\"").patch(&url, &json!({ "name": "X" })).await.expect(412).code(), "stale");
        let changed = ann.with("if-match", "\"1\"").patch(&url, &json!({ "name": "Manual", "description": "" })).await.expect(200);
        assert_eq!((changed.str("/name"), changed.str("/description")), ("Manual", ""));
        assert_eq!(changed.headers["etag"], "\"2\"");
        for (body, field) in [
            (json!({ "name": " " }), "name"),
            (json!({ "name": "x", "access": "public" }), "access"),
            (json!({ "name": "x", "made_by": ann.user }), "made_by"),
            (json!({ "name": "x", "project_id": "7" }), "project_id"),
        ] {
            assert_eq!(ann.post(PATH, &body).await.expect(422).str("/error/param"), field);
        }
        assert_eq!(ann.patch(&url, &json!({ "project_id": null })).await.expect(422).str("/error/param"), "project_id");
        assert_eq!(ann.delete(&url).await.expect(422).str("/error/param"), "confirm");
        assert_eq!(ann.delete(&format!("{url}?confirm=manual")).await.expect(422).str("/error/param"), "confirm");
        let confirmed = format!("{url}?confirm=Manual");
        assert_eq!(ann.with("if-match", "\"1\"").delete(&confirmed).await.expect(412).code(), "stale");
        ann.delete(&confirmed).await.expect(204);
        ann.get(&url).await.expect(404);
        let log = ann.get(&format!("/api/v1/audit?object={}", first.str("/id"))).await.expect(200).json;
        let actions: Vec<&str> = log["data"].as_array().expect("a list").iter().filter_map(|one| one["action"].as_str()).collect();
        assert_eq!(actions, ["collection.deleted", "collection.updated", "collection.created"]);
        assert!(log["data"][1]["before"].is_string() && log["data"][1]["after"].is_string());
    }

    async fn what_is_hidden_leaves_no_trace(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "enterprise").await;
        let (adi, max) = (house.join(&ann, "Adi", "admin").await, house.join(&ann, "Max", "member").await);
        let private = made(&max, &json!({ "name": "Mine", "access": "private" })).await;
        let shared = made(&max, &json!({ "name": "Ours", "access": "shared" })).await;
        let team = team(&ann, "Engineering", None).await;
        assert!(sees(&max, &private).await && sees(&max, &shared).await);
        // Neither owners nor admins see what a member keeps to himself.
        for who in [&ann, &adi, &bob] {
            assert!(!sees(who, &private).await && !sees(who, &shared).await);
            let who = who.with("x-request-id", "compare-bytes");
            for (method, path, body) in [
                ("GET", "/api/v1/collections/{}".to_owned(), None),
                ("PATCH", "/api/v1/collections/{}".into(), Some(json!({ "access": "project" }))),
                ("DELETE", "/api/v1/collections/{}?confirm=Mine".into(), None),
                ("GET", "/api/v1/collections/{}/documents".into(), None),
                ("GET", "/api/v1/collections/{}/shares".into(), None),
                ("PUT", format!("/api/v1/collections/{{}}/shares/users/{}", who.user), None),
                ("DELETE", format!("/api/v1/collections/{{}}/shares/users/{}", who.user), None),
                ("PUT", format!("/api/v1/collections/{{}}/shares/teams/{team}"), None),
                ("DELETE", format!("/api/v1/collections/{{}}/shares/teams/{team}"), None),
            ] {
                let call = async |id: &str| who.send(method.parse().expect("a method"), &path.replace("{}", id), body.as_ref()).await;
                let never = call(NEVER).await.expect(404);
                for hidden in [&private, &shared] {
                    let foreign = call(hidden).await.expect(404);
                    assert_eq!((foreign.text, foreign.headers), (never.text.clone(), never.headers.clone()), "{method} {path}");
                }
            }
        }
        assert!(sees(&max, &private).await && sees(&max, &shared).await, "and all is as it was");
    }

    async fn a_page_is_full_whatever_is_hidden(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let mut visible = Vec::new();
        for n in 0..9 {
            house.clock.advance(std::time::Duration::from_millis(2));
            let access = if n % 3 == 1 { "project" } else { "private" };
            let id = made(&ann, &json!({ "name": format!("C{n}"), "access": access })).await;
            if access == "project" {
                visible.push(id);
            }
        }
        let first = max.get(&format!("{PATH}?limit=2")).await.expect(200);
        assert_eq!(ids(&first.json), visible[..2]);
        let cursor = first.str("/next_cursor").to_owned();
        let second = max.get(&format!("{PATH}?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!((ids(&second.json), second.json["next_cursor"].is_null()), (vec![visible[2].as_str()], true));
        for path in [format!("{PATH}?limit=2&cursor={cursor}"), format!("{PATH}?access=project&limit=2&cursor={cursor}")] {
            assert_eq!(ann.get(&path).await.expect(400).code(), "invalid_cursor");
        }
        assert_eq!(max.get(&format!("{PATH}?access=private&cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
        assert!(ids(&max.get(&format!("{PATH}?access=private")).await.expect(200).json).is_empty());
    }

    async fn a_share_with_a_team_reaches_those_in_it_and_below_it(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let (max, vera) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Vera", "viewer").await);
        let cleo = house.join(&ann, "Cleo", "member").await;
        let upper = team(&ann, "Upper", None).await;
        let middle = team(&ann, "Middle", Some(&upper)).await;
        let lower = team(&ann, "Lower", Some(&middle)).await;
        for (team, who) in [(&upper, &max), (&middle, &vera), (&lower, &cleo)] {
            ann.put(&format!("/api/v1/teams/{team}/members/{}", who.user), &json!({ "role": "viewer" })).await.expect(200);
        }
        let id = made(&ann, &json!({ "name": "Plans", "access": "shared" })).await;
        assert_eq!(share(&ann, &id, &format!("teams/{middle}")).await, 200);
        assert_eq!((sees(&max, &id).await, sees(&vera, &id).await, sees(&cleo, &id).await), (false, true, true));
        // A team that moves elsewhere takes its people with it.
        ann.patch(&format!("/api/v1/teams/{lower}"), &json!({ "parent_id": upper })).await.expect(200);
        assert!(!sees(&cleo, &id).await);
        ann.delete(&format!("/api/v1/teams/{middle}/members/{}", vera.user)).await.expect(204);
        assert!(!sees(&vera, &id).await);
        ann.put(&format!("/api/v1/teams/{middle}/members/{}", vera.user), &json!({ "role": "viewer" })).await.expect(200);
        assert!(sees(&vera, &id).await);
        // A share ends with its team.
        ann.delete(&format!("/api/v1/teams/{middle}")).await.expect(204);
        assert!(!sees(&vera, &id).await);
        assert_eq!(ann.get(&format!("{PATH}/{id}/shares")).await.expect(200).json["data"], json!([]));
    }

    async fn a_share_with_a_person_ends_with_their_stay(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "viewer").await;
        let id = made(&ann, &json!({ "name": "Plans", "access": "shared" })).await;
        let path = format!("{PATH}/{id}/shares");
        let with = format!("users/{}", max.user);
        let shared = ann.put(&format!("{path}/{with}"), &json!({})).await.expect(200);
        assert_eq!((shared.str("/level"), shared.str("/id")), ("user", max.user.as_str()));
        assert_eq!(ann.put(&format!("{path}/{with}"), &json!({})).await.expect(200).json, shared.json, "repeating changes nothing");
        assert!(sees(&max, &id).await);
        let log = ann.get(&format!("/api/v1/audit?object={id}&action=collection.shared")).await.expect(200).json;
        assert_eq!(log["data"].as_array().map(Vec::len), Some(1));
        // Whoever it is shared with reads it, and does not give it on, nor learns with whom it is shared.
        assert_eq!(share(&max, &id, &format!("users/{}", ann.user)).await, 403);
        max.get(&path).await.expect(403);
        max.patch(&url(&id), &json!({ "name": "Mine" })).await.expect(403);
        max.delete(&format!("{}?confirm=Plans", url(&id))).await.expect(403);
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        house.store().deliver(ann.org.parse().expect("an id")).await.expect("delivered");
        assert_eq!(ann.get(&path).await.expect(200).json["data"], json!([]));
        let max = house.bring(&ann, &max, "Max", "viewer").await;
        assert!(!sees(&max, &id).await, "a later stay is another one");
        assert_eq!(share(&ann, &id, &with).await, 200);
        assert!(sees(&max, &id).await);
        ann.delete(&format!("{path}/{with}")).await.expect(204);
        ann.delete(&format!("{path}/{with}")).await.expect(404);
        assert!(!sees(&max, &id).await);
        // Who is not a member, and which team is not there, is said of one's own collections alone.
        let bob = house.sign_up("Bob").await;
        ann.put(&format!("{path}/users/{}", bob.user), &json!({})).await.expect(422);
        ann.put(&format!("{path}/teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d"), &json!({})).await.expect(404);
        assert_eq!(bob.put(&format!("{path}/users/{}", bob.user), &json!({})).await.status, 404);
    }

    async fn what_is_not_shared_any_more_has_no_shares_left(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let id = made(&ann, &json!({ "name": "Plans", "access": "private" })).await;
        let with = format!("users/{}", max.user);
        assert_eq!(share(&ann, &id, &with).await, 409, "it is not shared");
        ann.patch(&url(&id), &json!({ "access": "shared" })).await.expect(200);
        assert_eq!(share(&ann, &id, &with).await, 200);
        assert!(sees(&max, &id).await);
        ann.patch(&url(&id), &json!({ "access": "private" })).await.expect(200);
        assert!(!sees(&max, &id).await);
        ann.patch(&url(&id), &json!({ "access": "shared" })).await.expect(200);
        assert!(!sees(&max, &id).await, "what had ended does not come back");
        ann.patch(&url(&id), &json!({ "access": "project" })).await.expect(200);
        assert!(sees(&max, &id).await);
    }

    async fn a_manager_changes_what_others_made_but_closes_nothing(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let vera = house.join(&ann, "Vera", "viewer").await;
        let id = made(&max, &json!({ "name": "Notes" })).await;
        ann.patch(&url(&id), &json!({ "name": "Their notes" })).await.expect(200);
        for access in ["private", "shared"] {
            ann.patch(&url(&id), &json!({ "access": access })).await.expect(409);
        }
        vera.patch(&url(&id), &json!({ "name": "Mine" })).await.expect(403);
        vera.post(PATH, &json!({ "name": "Mine" })).await.expect(403);
        max.patch(&url(&id), &json!({ "access": "shared" })).await.expect(200);
        assert!(!sees(&ann, &id).await);
        assert_eq!(share(&max, &id, &format!("users/{}", ann.user)).await, 200);
        let changed = json!({ "name": "Notes", "access": "project" });
        ann.patch(&url(&id), &changed).await.expect(200);
        assert!(sees(&vera, &id).await);
        ann.delete(&format!("{}?confirm=Notes", url(&id))).await.expect(204);
        assert!(!sees(&max, &id).await);
    }

    async fn a_project_bounds_what_is_in_it(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let (open, closed) = (project(&ann, "Open", true).await, project(&ann, "Closed", false).await);
        let everywhere = made(&ann, &json!({ "name": "Everywhere" })).await;
        let in_open = made(&ann, &json!({ "name": "In the open", "project_id": open })).await;
        let in_closed = made(&ann, &json!({ "name": "Behind the door", "project_id": closed })).await;
        let all = [&everywhere, &in_open, &in_closed];
        assert_eq!((sees(&max, all[0]).await, sees(&max, all[1]).await, sees(&max, all[2]).await), (true, true, false));
        max.post(PATH, &json!({ "name": "Mine", "project_id": closed })).await.expect(404);
        let member = format!("/api/v1/projects/{closed}/members/{}", max.user);
        ann.put(&member, &json!({ "role": "member" })).await.expect(200);
        assert!(sees(&max, &in_closed).await);
        let his = made(&max, &json!({ "name": "His", "project_id": closed })).await;
        let secret = made(&max, &json!({ "name": "Secret", "project_id": closed, "access": "private" })).await;
        // A selected project narrows, and is the place of what is made.
        let there = max.with("x-rowhouse-project", &closed);
        assert_eq!(ids(&there.get(PATH).await.expect(200).json), [in_closed.as_str(), &his, &secret]);
        there.get(&url(&everywhere)).await.expect(404);
        assert_eq!(there.post(PATH, &json!({ "name": "Here" })).await.expect(201).str("/project_id"), closed);
        // A key for one project sees that one's alone, whatever is shared with its maker.
        let key = json!({ "name": "CI", "project_id": closed });
        let key = max.post("/api/v1/auth/api-keys", &key).await.expect(201);
        let key = max.with_token(Some(key.str("/key")));
        assert!(sees(&key, &in_closed).await && sees(&key, &secret).await);
        assert!(!sees(&key, &everywhere).await && !sees(&key, &in_open).await);
        assert_eq!(key.post(PATH, &json!({ "name": "By the key" })).await.expect(201).str("/project_id"), closed);
        key.post(PATH, &json!({ "name": "Elsewhere", "project_id": open })).await.expect(404);
        let blind = json!({ "name": "Blind", "scopes": ["teams.read"] });
        let blind = max.with_token(Some(max.post("/api/v1/auth/api-keys", &blind).await.expect(201).str("/key")));
        blind.get(PATH).await.expect(403);
        blind.get(&url(&secret)).await.expect(404);
        // Who is taken out of a project keeps what is theirs alone, and sees nothing else of it.
        ann.delete(&member).await.expect(204);
        assert!(!sees(&max, &in_closed).await && !sees(&max, &his).await && sees(&max, &secret).await);
        key.get(&url(&secret)).await.expect(404);
        // Nothing in an archived project changes.
        ann.put(&format!("/api/v1/projects/{closed}/archive"), &json!({})).await.expect(200);
        assert!(sees(&ann, &in_closed).await);
        ann.post(PATH, &json!({ "name": "Late", "project_id": closed })).await.expect(409);
        ann.patch(&url(&in_closed), &json!({ "name": "Late" })).await.expect(409);
        ann.delete(&format!("/api/v1/projects/{closed}?confirm=Closed")).await.expect(204);
        assert!(!sees(&ann, &in_closed).await && !sees(&max, &secret).await, "gone with it");
    }

    async fn of_two_who_change_a_collection_at_once_one_is_told(house) {
        let ann = house.sign_up("Ann").await;
        let id = made(&ann, &json!({ "name": "Notes" })).await;
        let (path, careful) = (url(&id), ann.with("if-match", "\"1\""));
        let (body, other) = (json!({ "name": "One" }), json!({ "name": "Two" }));
        let (one, two) = tokio::join!(careful.patch(&path, &body), careful.patch(&path, &other));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
    }
}
