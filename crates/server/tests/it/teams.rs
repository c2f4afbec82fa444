//! Teams: a tree, its rights, and what others see of it.

use serde_json::json;

testing::both_stores! {
    async fn a_tree_of_teams(house) {
        let ann = house.sign_up("Ann").await;
        let eng = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let below = json!({ "name": "Frontend", "parent_id": eng.str("/id") });
        let front = ann.post("/api/v1/teams", &below).await.expect(201);
        assert_eq!(front.str("/parent_id"), eng.str("/id"));
        assert_eq!(ann.post("/api/v1/teams", &below).await.expect(409).code(), "taken");
        let eng_url = format!("/api/v1/teams/{}", eng.str("/id"));
        let under_itself = json!({ "parent_id": front.str("/id") });
        assert_eq!(ann.patch(&eng_url, &under_itself).await.expect(409).code(), "conflict");
        assert_eq!(ann.delete(&eng_url).await.expect(409).code(), "conflict");
        let stale = ann.with("if-match", "\"7\"");
        assert_eq!(stale.patch(&eng_url, &json!({ "name": "Eng" })).await.expect(412).code(), "stale");
        let fresh = ann.with("if-match", "\"1\"");
        let renamed = fresh.patch(&eng_url, &json!({ "name": "Eng" })).await.expect(200);
        assert_eq!((renamed.str("/name"), renamed.headers["etag"].to_str().expect("text")), ("Eng", "\"2\""));
        ann.delete(&format!("/api/v1/teams/{}", front.str("/id"))).await.expect(204);
        ann.delete(&eng_url).await.expect(204);
        ann.get(&eng_url).await.expect(404);
    }

    async fn lists_are_paged_and_cursors_are_bound(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        for n in 0..5 {
            ann.post("/api/v1/teams", &json!({ "name": format!("Team {n}") })).await.expect(201);
        }
        let first = ann.get("/api/v1/teams?limit=3").await.expect(200);
        assert_eq!(first.json["data"].as_array().expect("a list").len(), 3);
        let cursor = first.str("/next_cursor");
        let second = ann.get(&format!("/api/v1/teams?limit=3&cursor={cursor}")).await.expect(200);
        assert_eq!(second.json["data"].as_array().expect("a list").len(), 2);
        assert!(second.json["next_cursor"].is_null());
        assert_eq!(bob.get(&format!("/api/v1/teams?cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
        assert_eq!(ann.get("/api/v1/teams?limit=0").await.expect(422).str("/error/param"), "limit");
        assert_eq!(ann.get("/api/v1/teams?page=2").await.expect(422).str("/error/param"), "page");
    }

    async fn another_organisation_sees_what_never_existed(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let same_id = bob.with("x-request-id", "compare-bytes");
        let foreign = same_id.get(&format!("/api/v1/teams/{}", team.str("/id"))).await.expect(404);
        let never = same_id.get("/api/v1/teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d").await.expect(404);
        assert_eq!(foreign.text, never.text);
        assert_eq!(foreign.headers, never.headers);
        let below = json!({ "name": "Frontend", "parent_id": team.str("/id") });
        bob.post("/api/v1/teams", &below).await.expect(404);
        bob.in_org(&ann.org).get("/api/v1/teams").await.expect(404);
        assert_eq!(bob.get("/api/v1/teams").await.expect(200).json["data"], json!([]));
    }
}
