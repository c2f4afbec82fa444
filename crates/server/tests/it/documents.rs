//! Documents: who reads, changes and deletes them; what was read from them.

use serde_json::{Value, json};
use testing::{Client, both_stores};

const NEVER: &str = "doc_01932d6f4b7a7c3e9a51c0ffee15600d";

async fn collection(who: &Client, access: &str) -> String {
    let body = json!({ "name": "Handbook", "access": access });
    who.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

fn data(list: &Value) -> &Vec<Value> {
    list["data"].as_array().expect("a list")
}

both_stores! {
    async fn a_document_is_shown_changed_and_deleted(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let scope = house.scope(&ann).await;
        let id = house.document(&scope, &place, "Leave", &["Thirty days a year.", "Ask early."]).await.to_string();
        let url = format!("/api/v1/documents/{id}");
        let shown = ann.get(&url).await.expect(200);
        assert_eq!((shown.str("/status"), shown.str("/title"), shown.str("/collection_id")), ("ready", "Leave", place.as_str()));
        assert_eq!((&shown.json["passages"], &shown.json["version"], &shown.json["error"]), (&json!(2), &json!(2), &Value::Null));
        let tag = shown.headers["etag"].to_str().expect("text").to_owned();
        assert_eq!(ann.with("if-match", "\"99\"").patch(&url, &json!({ "title": "X" })).await.expect(412).code(), "stale");
        let change = json!({ "title": "Holidays", "tags": ["people", "2026", "people"] });
        let changed = ann.with("if-match", &tag).patch(&url, &change).await.expect(200);
        assert_eq!((changed.str("/title"), &changed.json["tags"]), ("Holidays", &json!(["2026", "people"])));
        for (body, field) in [
            (json!({ "title": "" }), "title"),
            (json!({ "tags": ["a\nb"] }), "tags[0]"),
            (json!({ "tags": (0..51).map(|n| n.to_string()).collect::<Vec<_>>() }), "tags"),
            (json!({ "status": "ready" }), "status"),
        ] {
            assert_eq!(ann.patch(&url, &body).await.expect(422).str("/error/param"), field);
        }
        let chunks = ann.get(&format!("{url}/chunks?limit=1")).await.expect(200).json;
        assert_eq!((&data(&chunks)[0]["text"], &data(&chunks)[0]["place"]), (&json!("Thirty days a year."), &json!(0)));
        let cursor = chunks["next_cursor"].as_str().expect("a second page");
        let chunks = ann.get(&format!("{url}/chunks?limit=1&cursor={cursor}")).await.expect(200).json;
        assert_eq!((data(&chunks)[0]["text"].as_str(), &chunks["next_cursor"]), (Some("Ask early."), &Value::Null));
        let versions = ann.get(&format!("{url}/versions")).await.expect(200).json;
        let numbers: Vec<_> = data(&versions).iter().map(|one| (one["number"].as_i64(), one["shown"].as_bool())).collect();
        assert_eq!(numbers, [(Some(2), Some(true)), (Some(1), Some(false))]);
        assert_eq!(data(&ann.get(&format!("/api/v1/collections/{place}/documents")).await.expect(200).json).len(), 1);
        assert_eq!(ann.with("if-match", &tag).delete(&url).await.expect(412).code(), "stale");
        ann.delete(&url).await.expect(204);
        ann.get(&url).await.expect(404);
        ann.get(&format!("{url}/chunks")).await.expect(404);
        assert!(data(&ann.get(&format!("/api/v1/collections/{place}/documents")).await.expect(200).json).is_empty());
        let log = ann.get(&format!("/api/v1/audit?object={id}")).await.expect(200).json;
        let actions: Vec<&str> = data(&log).iter().filter_map(|one| one["action"].as_str()).collect();
        assert_eq!(actions, ["document.deleted", "document.updated", "document.created"]);
    }

    async fn a_document_is_as_hidden_as_its_collection(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (adi, max) = (house.join(&ann, "Adi", "admin").await, house.join(&ann, "Max", "member").await);
        let place = collection(&max, "private").await;
        let id = house.document(&house.scope(&max).await, &place, "Diary", &["Dear diary."]).await.to_string();
        max.get(&format!("/api/v1/documents/{id}")).await.expect(200);
        for who in [&ann, &adi, &bob] {
            let who = who.with("x-request-id", "compare-bytes");
            for (method, path, body) in [
                ("GET", "/api/v1/documents/{}", None),
                ("PATCH", "/api/v1/documents/{}", Some(json!({ "title": "Mine" }))),
                ("DELETE", "/api/v1/documents/{}", None),
                ("GET", "/api/v1/documents/{}/chunks", None),
                ("GET", "/api/v1/documents/{}/versions", None),
            ] {
                let call = async |id: &str| who.send(method.parse().expect("a method"), &path.replace("{}", id), body.as_ref()).await;
                let (hidden, never) = (call(&id).await.expect(404), call(NEVER).await.expect(404));
                assert_eq!((hidden.text, hidden.headers), (never.text, never.headers), "{method} {path}");
            }
        }
        assert_eq!(max.get(&format!("/api/v1/documents/{id}")).await.expect(200).str("/title"), "Diary");
    }

    async fn who_added_a_document_and_who_manages_knowledge_may_change_it(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let (max, cleo) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Cleo", "member").await);
        let vera = house.join(&ann, "Vera", "viewer").await;
        let place = collection(&max, "project").await;
        let id = house.document(&house.scope(&cleo).await, &place, "Hers", &["Words."]).await.to_string();
        let url = format!("/api/v1/documents/{id}");
        let change = json!({ "title": "Changed" });
        for (who, status) in [(&cleo, 200), (&max, 200), (&ann, 200), (&vera, 403)] {
            assert_eq!(who.patch(&url, &change).await.status, status);
        }
        let his = house.document(&house.scope(&max).await, &place, "His", &["Words."]).await.to_string();
        cleo.patch(&format!("/api/v1/documents/{his}"), &change).await.expect(403);
        cleo.delete(&format!("/api/v1/documents/{his}")).await.expect(403);
        let scopes = json!({ "name": "Reader", "scopes": ["knowledge.read"] });
        let reader = max.with_token(Some(max.post("/api/v1/auth/api-keys", &scopes).await.expect(201).str("/key")));
        reader.get(&url).await.expect(200);
        reader.delete(&url).await.expect(403);
        ann.delete(&url).await.expect(204);
    }
}
