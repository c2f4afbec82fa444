//! Conversations: whose they are, who reads them, what their citations show, and how they leave.

use serde_json::{Value, json};
use testing::{Client, both_stores};

const PATH: &str = "/api/v1/threads";
const NEVER: &str = "thr_01932d6f4b7a7c3e9a51c0ffee15600d";

async fn thread(who: &Client, title: &str, access: &str) -> String {
    let body = json!({ "title": title, "access": access });
    who.post(PATH, &body).await.expect(201).str("/id").to_owned()
}

async fn titles(who: &Client, query: &str) -> Vec<String> {
    let list = who.get(&format!("{PATH}{query}")).await.expect(200).json;
    let title = |one: &Value| one["title"].as_str().expect("a title").to_owned();
    list["data"].as_array().expect("a list").iter().map(title).collect()
}

async fn collection(who: &Client, access: &str) -> String {
    let body = json!({ "name": "Handbook", "access": access });
    who.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

both_stores! {
    async fn a_conversation_from_its_beginning_to_its_end(house) {
        let ann = house.sign_up("Ann").await;
        let once = ann.with("idempotency-key", "one");
        let made = once.post(PATH, &json!({})).await.expect(201);
        assert_eq!((made.str("/title"), made.str("/access"), &made.json["project_id"]), ("", "private", &Value::Null));
        assert_eq!(once.post(PATH, &json!({})).await.expect(201).json, made.json);
        let url = format!("{PATH}/{}", made.str("/id"));
        let changed = ann.with("if-match", "\"1\"").patch(&url, &json!({ "title": "Holidays" })).await.expect(200);
        assert_eq!((changed.str("/title"), &changed.headers["etag"]), ("Holidays", &"\"2\"".parse().expect("a value")));
        assert_eq!(ann.with("if-match", "\"1\"").patch(&url, &json!({ "title": "X" })).await.expect(412).code(), "stale");
        for (body, field) in [(json!({ "title": "" }), "title"), (json!({ "access": "public" }), "access"), (json!({ "shared": true }), "shared"), (json!({ "user_id": ann.user }), "user_id")] {
            assert_eq!(ann.patch(&url, &body).await.expect(422).str("/error/param"), field);
        }
        assert_eq!(ann.with("if-match", "\"1\"").delete(&url).await.expect(412).code(), "stale");
        ann.delete(&url).await.expect(204);
        for path in [url.clone(), format!("{url}/messages"), format!("{url}/export")] {
            ann.get(&path).await.expect(404);
        }
        let log = ann.get(&format!("/api/v1/audit?object={}", made.str("/id"))).await.expect(200).json;
        let actions: Vec<&str> = log["data"].as_array().expect("a list").iter().filter_map(|one| one["action"].as_str()).collect();
        assert_eq!(actions, ["thread.deleted", "thread.updated", "thread.created"]);
    }

    async fn a_conversation_is_private_until_it_is_shared(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "enterprise").await;
        let (max, vera) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Vera", "viewer").await);
        let id = thread(&max, "Salary", "private").await;
        house.answer(&house.scope(&max).await, &id, &[]).await;
        let url = format!("{PATH}/{id}");
        let hidden_from = async |who: &Client| {
            let who = who.with("x-request-id", "compare-bytes");
            for (method, path, body) in [
                ("GET", "", None),
                ("PATCH", "", Some(json!({ "title": "Mine" }))),
                ("DELETE", "", None),
                ("GET", "/messages", None),
                ("GET", "/export", None),
                ("GET", "/shares", None),
            ] {
                let call = async |id: &str| who.send(method.parse().expect("a method"), &format!("{PATH}/{id}{path}"), body.as_ref()).await;
                let (hidden, never) = (call(&id).await.expect(404), call(NEVER).await.expect(404));
                assert_eq!((hidden.text, hidden.headers), (never.text, never.headers), "{method} {path}");
            }
        };
        for who in [&ann, &bob, &vera] {
            hidden_from(who).await;
        }
        assert!(titles(&ann, "?shared=true").await.is_empty());
        max.patch(&url, &json!({ "access": "project" })).await.expect(200);
        assert_eq!(titles(&ann, "?shared=true").await, ["Salary"]);
        assert!(titles(&ann, "").await.is_empty(), "it is not hers");
        assert_eq!(ann.get(&format!("{url}/messages")).await.expect(200).json["data"].as_array().map(Vec::len), Some(2));
        ann.get(&format!("{url}/export")).await.expect(200);
        // Who reads changes nothing; who may not ask reads nothing.
        ann.patch(&url, &json!({ "title": "Hers" })).await.expect(403);
        ann.delete(&url).await.expect(403);
        hidden_from(&bob).await;
        hidden_from(&vera).await;
        vera.get(PATH).await.expect(403);
        vera.post(PATH, &json!({})).await.expect(403);
        max.patch(&url, &json!({ "access": "private" })).await.expect(200);
        hidden_from(&ann).await;
    }

    async fn a_conversation_in_a_project_is_shared_with_those_in_it(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let (max, cleo) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Cleo", "member").await);
        let project = ann.post("/api/v1/projects", &json!({ "name": "Closed" })).await.expect(201).str("/id").to_owned();
        let member = format!("/api/v1/projects/{project}/members/{}", max.user);
        ann.put(&member, &json!({ "role": "member" })).await.expect(200);
        cleo.post(PATH, &json!({ "project_id": project })).await.expect(404);
        let body = json!({ "title": "Inside", "project_id": project, "access": "project" });
        let id = ann.post(PATH, &body).await.expect(201).str("/id").to_owned();
        thread(&max, "Outside", "private").await;
        max.get(&format!("{PATH}/{id}")).await.expect(200);
        cleo.get(&format!("{PATH}/{id}")).await.expect(404);
        let there = max.with("x-rowhouse-project", &project);
        let his = there.post(PATH, &json!({ "title": "His" })).await.expect(201);
        assert_eq!(his.str("/project_id"), project);
        assert_eq!(titles(&there, "").await, ["His"]);
        assert_eq!(titles(&max, "").await, ["His", "Outside"]);
        // A key for the project knows of no other place.
        let key = max.post("/api/v1/auth/api-keys", &json!({ "name": "CI", "project_id": project })).await.expect(201);
        let key = max.with_token(Some(key.str("/key")));
        assert_eq!(titles(&key, "").await, ["His"]);
        assert_eq!(titles(&key, "?shared=true").await, ["Inside"]);
        ann.delete(&member).await.expect(204);
        max.get(&format!("{PATH}/{id}")).await.expect(404);
        assert_eq!(titles(&max, "").await, ["His", "Outside"], "what is his stays his");
        key.get(&format!("{PATH}/{}", his.str("/id"))).await.expect(404);
        ann.put(&format!("/api/v1/projects/{project}/archive"), &json!({})).await.expect(200);
        ann.patch(&format!("{PATH}/{id}"), &json!({ "title": "Late" })).await.expect(409);
        ann.post(PATH, &json!({ "project_id": project })).await.expect(409);
        ann.delete(&format!("{PATH}/{id}")).await.expect(204);
    }

    async fn conversations_are_found_by_their_titles_and_paged(house) {
        let ann = house.sign_up("Ann").await;
        for title in ["Ärger im Büro", "Holidays", "More holidays", "Other"] {
            house.clock.advance(std::time::Duration::from_millis(2));
            thread(&ann, title, "private").await;
        }
        assert_eq!(titles(&ann, "?q=HOLIDAY").await, ["More holidays", "Holidays"]);
        assert_eq!(titles(&ann, "?q=%C3%A4rger").await, ["Ärger im Büro"]);
        assert!(titles(&ann, "?q=%25").await.is_empty(), "nothing in it is a pattern");
        let page = ann.get(&format!("{PATH}?q=holiday&limit=1")).await.expect(200);
        let cursor = page.str("/next_cursor");
        assert_eq!(titles(&ann, &format!("?q=holiday&limit=1&cursor={cursor}")).await, ["Holidays"]);
        assert_eq!(ann.get(&format!("{PATH}?q=other&cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
        // What was said is looked through, too; of others only what they share.
        let max = house.join(&ann, "Max", "member").await;
        let (hers, his) = (thread(&ann, "Hers", "project").await, thread(&max, "His", "private").await);
        let place = collection(&ann, "project").await;
        let cited = house.document(&house.scope(&ann).await, &place, "Notes", &["Der Kauz ruft im ÄRMELKANAL."]).await;
        house.answer(&house.scope(&ann).await, &hers, &[cited]).await;
        house.answer(&house.scope(&max).await, &his, &[cited]).await;
        assert_eq!(titles(&ann, "?q=kauz%20RUFT").await, ["Hers"]);
        assert_eq!(titles(&ann, "?q=%C3%A4rmelkanal").await, ["Hers"]);
        assert_eq!(titles(&max, "?q=kauz").await, ["His"]);
        assert_eq!(titles(&max, "?q=kauz&shared=true").await, ["Hers"]);
        assert!(titles(&house.sign_up("Bob").await, "?q=kauz").await.is_empty());
        let long = "x".repeat(201);
        assert_eq!(ann.get(&format!("{PATH}?q={long}")).await.expect(422).str("/error/param"), "q");
    }

    async fn a_citation_shows_what_its_reader_may_open(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let (mine, ours) = (collection(&ann, "private").await, collection(&ann, "project").await);
        let scope = house.scope(&ann).await;
        let secret = house.document(&scope, &mine, "Diary", &["Dear diary."]).await;
        let public = house.document(&scope, &ours, "Handbook", &["Thirty days."]).await;
        let id = thread(&ann, "Shared", "project").await;
        house.answer(&scope, &id, &[secret, public]).await;
        let messages = format!("{PATH}/{id}/messages");
        let cited = async |who: &Client| who.get(&messages).await.expect(200).json["data"][1]["citations"].clone();
        let hers = cited(&ann).await;
        assert_eq!((&hers[0]["state"], &hers[0]["quote"], &hers[0]["page"]), (&json!("current"), &json!("Dear diary."), &json!(1)));
        let his = cited(&max).await;
        let gone = json!({
            "n": 1, "state": "gone", "document_id": null, "version": null, "chunk_id": null, "title": null, "quote": null,
            "page": null, "heading": null, "starts": null, "ends": null,
        });
        assert_eq!((&his[0], &his[1]), (&gone, &hers[1]));
        let out = max.get(&format!("{PATH}/{id}/export")).await.expect(200).text;
        assert!(out.contains("\\[1\\] The document is gone.") && out.contains("\\[2\\] Handbook, page 1, Chapter: “Thirty days\\.”"), "{out}");
        // What is told of how an answer came about is what a reader needs, and no more.
        let shown = ann.get(&messages).await.expect(200);
        assert_eq!(shown.json["data"][1]["extractive"], json!(true));
        assert!(!shown.text.contains("not to be shown"));
        ann.delete(&format!("/api/v1/documents/{public}")).await.expect(204);
        let after = cited(&ann).await;
        assert_eq!((&after[1]["state"], &after[1]["quote"], &after[1]["document_id"]), (&json!("gone"), &Value::Null, &Value::Null));
    }

    async fn what_was_deleted_stands_in_no_answer(house) {
        let ann = house.sign_up("Ann").await;
        let project = ann.post("/api/v1/projects", &json!({ "name": "Closed" })).await.expect(201).str("/id").to_owned();
        let inside = json!({ "name": "Inside", "project_id": project });
        let inside = ann.post("/api/v1/collections", &inside).await.expect(201).str("/id").to_owned();
        let (first, second) = (collection(&ann, "project").await, collection(&ann, "project").await);
        let scope = house.scope(&ann).await;
        let one = house.document(&scope, &first, "One", &["Alpha words."]).await;
        let two = house.document(&scope, &second, "Two", &["Beta words."]).await;
        let three = house.document(&scope, &inside, "Three", &["Gamma words."]).await;
        let kept = house.document(&scope, &first, "Kept", &["Delta words."]).await;
        let id = thread(&ann, "Words", "private").await;
        house.answer(&scope, &id, &[one, kept]).await;
        house.answer(&scope, &id, &[two, three]).await;
        house.answer(&scope, &id, &[kept]).await;
        let kept_in = async || {
            let text = ann.get(&format!("{PATH}/{id}/messages")).await.expect(200).text;
            let export = ann.get(&format!("{PATH}/{id}/export")).await.expect(200).text;
            let all = store_text(&house, &scope, &id).await;
            ["Alpha", "Beta", "Gamma", "Delta"].map(|word| (text.contains(word), export.contains(word), all.contains(word)))
        };
        let (yes, no) = ((true, true, true), (false, false, false));
        assert_eq!(kept_in().await, [yes, yes, yes, yes]);
        ann.delete(&format!("/api/v1/documents/{one}")).await.expect(204);
        assert_eq!(kept_in().await, [no, yes, yes, yes]);
        ann.put(&format!("/api/v1/projects/{project}/archive"), &json!({})).await.expect(200);
        ann.delete(&format!("/api/v1/projects/{project}?confirm=Closed")).await.expect(204);
        assert!(!kept_in().await[2].2, "with its project");
        ann.delete(&format!("/api/v1/collections/{second}?confirm=Handbook")).await.expect(204);
        assert_eq!(kept_in().await, [no, no, no, yes]);

        ann.delete(&format!("/api/v1/documents/{kept}")).await.expect(204);
        assert_eq!(kept_in().await, [no, no, no, no]);
    }

    async fn an_answer_is_rated_by_whose_it_is(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let id = thread(&ann, "Shared", "project").await;
        let answer = house.answer(&house.scope(&ann).await, &id, &[]).await.to_string();
        let url = format!("{PATH}/{id}/messages/{answer}/feedback");
        let body = json!({ "rating": -1, "comment": "Wrong year", "correction": "It is 30 days." });
        let rated = ann.put(&url, &body).await.expect(200);
        assert_eq!((&rated.json["rating"], rated.str("/comment"), rated.str("/correction")), (&json!(-1), "Wrong year", "It is 30 days."));
        for (body, field) in [(json!({ "rating": 2 }), "rating"), (json!({ "rating": "up" }), "rating"), (json!({ "comment": "" }), "comment")] {
            assert_eq!(ann.put(&url, &body).await.expect(422).str("/error/param"), field);
        }
        max.put(&url, &body).await.expect(403);
        bob.put(&url, &body).await.expect(404);
        let messages = format!("{PATH}/{id}/messages");
        assert_eq!(max.get(&messages).await.expect(200).json["data"][1]["comment"], Value::Null, "it is between her and the house");
        let question = ann.get(&messages).await.expect(200).str("/data/0/id").to_owned();
        ann.put(&format!("{PATH}/{id}/messages/{question}/feedback"), &body).await.expect(409);
        let other = thread(&ann, "Other", "private").await;
        ann.put(&format!("{PATH}/{other}/messages/{answer}/feedback"), &body).await.expect(404);
        let cleared = ann.put(&url, &json!({ "rating": null })).await.expect(200);
        assert_eq!((&cleared.json["rating"], &cleared.json["comment"]), (&Value::Null, &Value::Null));
        let log = ann.get(&format!("/api/v1/audit?object={answer}&action=message.rated")).await.expect(200);
        assert_eq!(log.json["data"].as_array().map(Vec::len), Some(2));
        assert!(!log.text.contains("Wrong year"), "the log holds no content");
    }

    async fn an_approved_correction_becomes_knowledge(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let (place, own) = (collection(&ann, "project").await, collection(&max, "private").await);
        let id = thread(&max, "Leave", "private").await;
        let answer = house.answer(&house.scope(&max).await, &id, &[]).await.to_string();
        let url = format!("{PATH}/{id}/messages/{answer}/correction");
        let there = json!({ "collection_id": place });
        assert_eq!(max.post(&url, &there).await.expect(403).code(), "forbidden");
        assert_eq!(max.post(&url, &json!({ "collection_id": own })).await.expect(403).code(), "forbidden");
        for who in [&ann, &bob] {
            who.post(&url, &there).await.expect(404);
        }
        max.patch(&format!("{PATH}/{id}"), &json!({ "access": "project" })).await.expect(200);
        bob.post(&url, &there).await.expect(404);
        assert_eq!(ann.post(&url, &there).await.expect(409).code(), "conflict", "nobody said what is right");
        ann.post(&url, &json!({ "collection_id": own, "text": "x" })).await.expect(404);
        let said = json!({ "correction": "The kestrel nests in April." });
        max.put(&format!("{PATH}/{id}/messages/{answer}/feedback"), &said).await.expect(200);
        let messages = format!("{PATH}/{id}/messages");
        assert_eq!(ann.get(&messages).await.expect(200).str("/data/1/correction"), "The kestrel nests in April.", "to be approved");
        let question = ann.get(&messages).await.expect(200).str("/data/0/id").to_owned();
        ann.post(&format!("{PATH}/{id}/messages/{question}/correction"), &there).await.expect(409);
        let once = ann.with("idempotency-key", "one");
        let made = once.post(&url, &there).await.expect(202);
        assert_eq!((made.str("/document/source"), made.str("/document/title")), ("correction", "What is it?"));
        assert_eq!(once.post(&url, &there).await.expect(202).json, made.json);
        let document = made.str("/document/id").to_owned();
        let found = async || max.post("/api/v1/search", &json!({ "query": "kestrel", "filters": { "sources": ["correction"] } })).await.expect(200);
        let began = std::time::Instant::now();
        while found().await.json["results"][0]["document_id"] != document.as_str() {
            assert!(began.elapsed() < std::time::Duration::from_secs(30), "{}", ann.get(&format!("/api/v1/documents/{document}")).await.text);
            house.clock.advance(std::time::Duration::from_millis(50));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert!(found().await.str("/results/0/text").contains("nests in April"));
        let log = ann.get(&format!("/api/v1/audit?object={document}")).await.expect(200);
        assert_eq!((log.str("/data/0/action"), log.json["data"].as_array().map(Vec::len)), ("document.created", Some(1)));
        // Whoever approves may put it into other words; that is another document.
        let better = json!({ "collection_id": place, "text": "Kestrels nest from April to June." });
        assert_ne!(ann.post(&url, &better).await.expect(202).str("/document/id"), document);
    }
}

/// All that stands in a conversation's rows.
async fn store_text(house: &testing::TestHouse, scope: &store::Scope, thread: &str) -> String {
    let mut tx = house.store().open(scope).read().await.expect("begins");
    let thread = thread.parse().expect("an id");
    let rows = store::org::knowledge::threads::messages(&mut tx, thread, None, 100).await.expect("listed");
    serde_json::to_string(&rows).expect("JSON")
}
