//! Sharing a conversation with chosen people and teams: who reads it, what they see of its citations, and how that ends.

use serde_json::{Value, json};
use testing::{Client, both_stores};

use crate::collections::{ids, project, share as share_collection, team};

const PATH: &str = "/api/v1/threads";
const NEVER: &str = "thr_01932d6f4b7a7c3e9a51c0ffee15600d";

async fn thread(who: &Client, body: &Value) -> String {
    who.post(PATH, body).await.expect(201).str("/id").to_owned()
}

async fn share(who: &Client, id: &str, with: &str) -> u16 {
    who.put(&format!("{PATH}/{id}/shares/{with}"), &json!({})).await.status
}

/// Whether somebody reads a conversation; the list, the thing, what was said and the export say the same.
async fn reads(who: &Client, id: &str) -> bool {
    let listed = who.get(&format!("{PATH}?shared=true")).await;
    let listed = listed.status == 200 && ids(&listed.json).contains(&id);
    for path in ["", "/messages", "/export"] {
        let status = who.get(&format!("{PATH}/{id}{path}")).await.status;
        assert_eq!(status, if listed { 200 } else { 404 }, "{path} of {id}");
    }
    listed
}

both_stores! {
    async fn a_conversation_is_shared_with_somebody_for_their_stay(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "enterprise").await;
        let (max, cleo) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Cleo", "member").await);
        let vera = house.join(&ann, "Vera", "viewer").await;
        let id = thread(&ann, &json!({ "title": "Salary" })).await;
        house.answer(&house.scope(&ann).await, &id, &[]).await;
        let (url, with_max) = (format!("{PATH}/{id}"), format!("users/{}", max.user));
        assert_eq!(share(&ann, &id, &with_max).await, 409, "it is private");
        ann.patch(&url, &json!({ "access": "shared" })).await.expect(200);
        assert!(!reads(&max, &id).await, "with nobody yet");
        let shared = ann.put(&format!("{url}/shares/{with_max}"), &json!({})).await.expect(200);
        assert_eq!((shared.str("/level"), shared.str("/id")), ("user", max.user.as_str()));
        assert_eq!(ann.put(&format!("{url}/shares/{with_max}"), &json!({})).await.expect(200).json, shared.json);
        assert!(reads(&max, &id).await && !reads(&cleo, &id).await);
        assert_eq!(max.get(&url).await.expect(200).str("/access"), "shared");
        // Who may not ask at all reads nothing, whatever is shared with them.
        assert_eq!(share(&ann, &id, &format!("users/{}", vera.user)).await, 200);
        vera.get(&url).await.expect(404);
        // Whoever it is shared with reads it, and that is all.
        assert_eq!(share(&max, &id, &format!("users/{}", cleo.user)).await, 403);
        assert_eq!(share(&max, &id, "users/usr_01932d6f4b7a7c3e9a51c0ffee15600d").await, 403, "nor learns who is a member");
        max.get(&format!("{url}/shares")).await.expect(403);
        max.patch(&url, &json!({ "access": "project" })).await.expect(403);
        max.post(&format!("{url}/messages"), &json!({ "content": "And mine?" })).await.expect(403);
        max.delete(&format!("{url}/shares/{with_max}")).await.expect(403);
        max.delete(&url).await.expect(403);
        // To all others it is what never was.
        for who in [&cleo, &bob] {
            let who = who.with("x-request-id", "compare-bytes");
            for (method, path) in [
                ("GET", "/shares".to_owned()),
                ("PUT", format!("/shares/{with_max}")),
                ("DELETE", format!("/shares/{with_max}")),
                ("PUT", "/shares/teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d".to_owned()),
            ] {
                let body = (method == "PUT").then(|| json!({}));
                let call = async |id: &str| who.send(method.parse().expect("a method"), &format!("{PATH}/{id}{path}"), body.as_ref()).await;
                let (hidden, never) = (call(&id).await.expect(404), call(NEVER).await.expect(404));
                assert_eq!((hidden.text, hidden.headers), (never.text, never.headers), "{method} {path}");
            }
        }
        // Who is no member, and which team is not there, is said of one's own conversations alone.
        ann.put(&format!("{url}/shares/users/{}", bob.user), &json!({})).await.expect(422);
        assert_eq!(share(&ann, &id, "teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d").await, 404);
        // It ends with the stay, and a later stay is another one.
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        max.get(&url).await.expect(404);
        house.store().deliver(ann.org.parse().expect("an id")).await.expect("delivered");
        assert_eq!(ids(&ann.get(&format!("{url}/shares")).await.expect(200).json), [vera.user.as_str()]);
        let max = house.bring(&ann, &max, "Max", "member").await;
        assert!(!reads(&max, &id).await);
        assert_eq!(share(&ann, &id, &with_max).await, 200);
        assert!(reads(&max, &id).await);
        ann.delete(&format!("{url}/shares/{with_max}")).await.expect(204);
        assert!(!reads(&max, &id).await, "at once");
        ann.delete(&format!("{url}/shares/{with_max}")).await.expect(404);
        let log = ann.get(&format!("/api/v1/audit?object={id}")).await.expect(200).json;
        let told = |action: &str| log["data"].as_array().expect("a list").iter().filter(|one| one["action"] == action).count();
        assert_eq!((told("thread.shared"), told("thread.unshared")), (3, 1));
        assert_eq!(house.store().org_faults(ann.org.parse().expect("an id")).await.expect("looked"), Vec::<String>::new());
    }

    async fn what_is_not_shared_any_more_reaches_nobody(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let id = thread(&ann, &json!({ "access": "shared" })).await;
        let (url, with) = (format!("{PATH}/{id}"), format!("users/{}", max.user));
        for closed in ["private", "project"] {
            assert_eq!(share(&ann, &id, &with).await, 200);
            assert!(reads(&max, &id).await);
            ann.patch(&url, &json!({ "access": closed })).await.expect(200);
            assert_eq!(reads(&max, &id).await, closed == "project");
            ann.patch(&url, &json!({ "access": "shared" })).await.expect(200);
            assert!(!reads(&max, &id).await, "what had ended does not come back");
        }
        ann.patch(&url, &json!({ "title": "Only renamed" })).await.expect(200);
        // Whoever of two comes first: what is private afterwards is shared with nobody.
        for _ in 0..5 {
            ann.patch(&url, &json!({ "access": "shared" })).await.expect(200);
            let (path, close) = (format!("{url}/shares/{with}"), json!({ "access": "private" }));
            let body = json!({});
            let (shared, closed) = tokio::join!(ann.put(&path, &body), ann.patch(&url, &close));
            closed.expect(200);
            assert!([200, 409].contains(&shared.status), "{}", shared.text);
            assert_eq!(ann.get(&format!("{url}/shares")).await.expect(200).json["data"], json!([]));
        }
        // A conversation that is deleted is gone for its readers, too.
        ann.patch(&url, &json!({ "access": "shared" })).await.expect(200);
        assert_eq!(share(&ann, &id, &with).await, 200);
        ann.delete(&url).await.expect(204);
        assert!(!reads(&max, &id).await);
    }

    async fn a_conversation_that_a_team_reads_follows_the_team(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let (max, cleo) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Cleo", "member").await);
        let upper = team(&ann, "Upper", None).await;
        let middle = team(&ann, "Middle", Some(&upper)).await;
        let lower = team(&ann, "Lower", Some(&middle)).await;
        for (team, who) in [(&upper, &max), (&lower, &cleo)] {
            ann.put(&format!("/api/v1/teams/{team}/members/{}", who.user), &json!({ "role": "viewer" })).await.expect(200);
        }
        let id = thread(&ann, &json!({ "access": "shared" })).await;
        assert_eq!(share(&ann, &id, &format!("teams/{middle}")).await, 200);
        assert!(!reads(&max, &id).await && reads(&cleo, &id).await, "those in it and below it");
        ann.patch(&format!("/api/v1/teams/{lower}"), &json!({ "parent_id": upper })).await.expect(200);
        assert!(!reads(&cleo, &id).await);
        ann.put(&format!("/api/v1/teams/{middle}/members/{}", max.user), &json!({ "role": "viewer" })).await.expect(200);
        assert!(reads(&max, &id).await);
        ann.delete(&format!("/api/v1/teams/{middle}")).await.expect(204);
        assert!(!reads(&max, &id).await, "a share ends with its team");
        assert_eq!(ann.get(&format!("{PATH}/{id}/shares")).await.expect(200).json["data"], json!([]));
    }

    async fn a_share_reaches_into_a_project_but_a_key_for_another_knows_nothing_of_it(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let (closed, open) = (project(&ann, "Closed", false).await, project(&ann, "Open", true).await);
        let id = thread(&ann, &json!({ "project_id": closed, "access": "shared" })).await;
        assert!(!reads(&max, &id).await);
        let with = format!("users/{}", max.user);
        assert_eq!(share(&ann, &id, &with).await, 200);
        assert!(reads(&max, &id).await);
        let key = max.post("/api/v1/auth/api-keys", &json!({ "name": "CI", "project_id": open })).await.expect(201);
        assert!(!reads(&max.with_token(Some(key.str("/key"))), &id).await);
        // For the project it is for those in it.
        ann.patch(&format!("{PATH}/{id}"), &json!({ "access": "project" })).await.expect(200);
        assert!(!reads(&max, &id).await);
        // In an archived project nothing is shared any more, but what is shared can be ended.
        ann.patch(&format!("{PATH}/{id}"), &json!({ "access": "shared" })).await.expect(200);
        assert_eq!(share(&ann, &id, &with).await, 200);
        ann.put(&format!("/api/v1/projects/{closed}/archive"), &json!({})).await.expect(200);
        assert_eq!(share(&ann, &id, &with).await, 409);
        assert!(reads(&max, &id).await);
        ann.delete(&format!("{PATH}/{id}/shares/{with}")).await.expect(204);
        assert!(!reads(&max, &id).await);
    }

    async fn a_reader_sees_of_citations_what_they_may_open_themselves(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let place = json!({ "name": "Diaries", "access": "shared" });
        let place = ann.post("/api/v1/collections", &place).await.expect(201).str("/id").to_owned();
        let scope = house.scope(&ann).await;
        let diary = house.document(&scope, &place, "Diary", &["Dear diary."]).await;
        let id = thread(&ann, &json!({ "access": "shared" })).await;
        house.answer(&scope, &id, &[diary]).await;
        let with = format!("users/{}", max.user);
        assert_eq!(share(&ann, &id, &with).await, 200);
        let cited = async || {
            let told = max.get(&format!("{PATH}/{id}/messages")).await.expect(200).json["data"][1]["citations"][0].clone();
            let out = max.get(&format!("{PATH}/{id}/export")).await.expect(200).text;
            let state = told["state"].as_str().expect("a state").to_owned();
            assert_eq!(out.contains("\\[1\\] The document is gone."), state == "gone", "{out}");
            assert_eq!(told["title"] == json!("Diary"), state == "current", "{told}");
            assert_eq!(told["document_id"].is_null(), state == "gone", "{told}");
            state
        };
        assert_eq!(cited().await, "gone");
        max.get(&format!("/api/v1/documents/{diary}/original")).await.expect(404);
        assert_eq!(share_collection(&ann, &place, &with).await, 200);
        assert_eq!(cited().await, "current");
        ann.delete(&format!("/api/v1/collections/{place}/shares/{with}")).await.expect(204);
        assert_eq!(cited().await, "gone");
        // What the reader asks on their own is answered from what they see, whatever others shared.
        let own = thread(&max, &json!({})).await;
        let answer = max.post(&format!("{PATH}/{own}/messages"), &json!({ "content": "What does the diary say?" })).await.expect(201);
        assert!(answer.json["unknown"] == json!(true) && !answer.text.contains("Dear diary"), "{}", answer.text);
    }
}
