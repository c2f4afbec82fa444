//! How documents come in: texts, new versions, and whose title stands.

use std::time::Duration;

use axum::http::Method;
use domain::DocumentId;
use serde_json::{Value, json};
use store::Turn;
use store::control::jobs;
use store::org::knowledge::documents::{self, Status};
use testing::{Answer, Client, both_stores};

const FIRST: &str = "# Travel\n\nA hotel night in Oslo may cost up to 210 euros.\n";
const SECOND: &str = "# Travel rules\n\nA hotel night in Bergen may cost up to 190 euros.\n";

async fn collection(who: &Client, access: &str) -> String {
    let body = json!({ "name": "Handbook", "access": access });
    who.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

/// Waits until a document is read, and all that can be found of it is found.
async fn settled(who: &Client, id: &str) -> Answer {
    let mut shown = who.get(&format!("/api/v1/documents/{id}")).await.expect(200);
    for _ in 0..1200 {
        let done = shown.json["passages"] == shown.json["embedded"];
        if shown.str("/status") == "failed" || (shown.str("/status") == "ready" && done) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        shown = who.get(&format!("/api/v1/documents/{id}")).await.expect(200);
    }
    shown
}

async fn bring(who: &Client, collection: &str, name: &str, text: &str) -> String {
    let url = format!("/api/v1/collections/{collection}/documents");
    let id = who.upload(&url, name, text.as_bytes()).await.expect(202).str("/document/id").to_owned();
    assert_eq!(settled(who, &id).await.str("/status"), "ready");
    id
}

async fn replace(who: &Client, id: &str, fields: &[(&str, &str)], name: &str, bytes: &[u8]) -> Answer {
    who.form(Method::PUT, &format!("/api/v1/documents/{id}/content"), fields, name, bytes).await
}

async fn finds(who: &Client, words: &str, expected: &str) -> bool {
    who.post("/api/v1/search", &json!({ "query": words })).await.expect(200).text.contains(expected)
}

/// The documents that could not be read, as somebody is told of them.
async fn unread(who: &Client) -> Vec<Value> {
    let list = who.get("/api/v1/jobs?failed=true").await.expect(200).json;
    list["data"].as_array().expect("a list").iter().map(|job| job["document_id"].clone()).collect()
}

both_stores! {
    async fn a_new_version_takes_the_place_of_the_old_one(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let id = bring(&ann, &place, "travel.md", FIRST).await;
        let sent = replace(&ann, &id, &[], "rules.md", SECOND.as_bytes()).await.expect(202);
        assert_eq!((sent.str("/document/id"), &sent.json["document"]["version"]), (id.as_str(), &json!(2)));
        assert!(sent.str("/job_id").starts_with("job_"));
        let shown = settled(&ann, &id).await;
        assert_eq!((shown.str("/status"), shown.str("/name"), shown.str("/title")), ("ready", "rules.md", "Travel rules"));
        assert!(finds(&ann, "hotel night", "Bergen").await && !finds(&ann, "hotel night", "Oslo").await);
        let chunks = ann.get(&format!("/api/v1/documents/{id}/chunks")).await.expect(200);
        assert!(chunks.text.contains("Bergen") && !chunks.text.contains("Oslo"));
        let old = ann.get(&format!("/api/v1/documents/{id}/content?version=1")).await.expect(200);
        assert!(old.str("/text").contains("Oslo"), "what was is still to be read");
        let versions = ann.get(&format!("/api/v1/documents/{id}/versions")).await.expect(200).json;
        let shown: Vec<_> = versions["data"].as_array().expect("a list").iter().map(|one| (&one["number"], &one["shown"])).collect();
        assert_eq!(shown, [(&json!(2), &json!(true)), (&json!(1), &json!(false))]);

        let again = replace(&ann, &id, &[], "other-name.md", SECOND.as_bytes()).await.expect(202);
        assert_eq!((&again.json["job_id"], &again.json["document"]["version"]), (&Value::Null, &json!(2)));
        assert_eq!(again.str("/document/name"), "rules.md", "the same bytes are no new version");
        let log = ann.get(&format!("/api/v1/audit?object={id}")).await.expect(200).json;
        let actions: Vec<&str> = log["data"].as_array().expect("a list").iter().filter_map(|one| one["action"].as_str()).collect();
        assert_eq!(actions, ["document.replaced", "document.created"]);
    }

    async fn the_old_version_answers_while_the_new_one_cannot_be_read(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let id = bring(&ann, &place, "travel.md", FIRST).await;
        replace(&ann, &id, &[], "travel.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type").await.expect(202);
        let shown = settled(&ann, &id).await;
        assert_eq!((shown.str("/status"), shown.str("/error/code")), ("failed", "damaged"));
        assert!(finds(&ann, "hotel night", "Oslo").await);
        replace(&ann, &id, &[], "travel.md", SECOND.as_bytes()).await.expect(202);
        let shown = settled(&ann, &id).await;
        assert_eq!((shown.str("/status"), &shown.json["version"], &shown.json["error"]), ("ready", &json!(3), &Value::Null));
        assert!(finds(&ann, "hotel night", "Bergen").await && !finds(&ann, "hotel night", "Oslo").await);
        // Back to what it was: its old bytes are a new version, and what was kept of them is used again.
        replace(&ann, &id, &[], "travel.md", FIRST.as_bytes()).await.expect(202);
        assert_eq!(settled(&ann, &id).await.json["version"], json!(4));
        assert!(finds(&ann, "hotel night", "Oslo").await);
    }

    async fn what_could_not_be_read_is_listed_as_long_as_it_is_there(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let mut broken = Vec::new();
        for (access, bytes) in [("project", b"%PDF-1.7\n1 0 obj\n<< /Type"), ("private", b"%PDF-1.7\n2 0 obj\n<< /Type")] {
            let place = collection(&ann, access).await;
            bring(&ann, &place, "travel.md", FIRST).await;
            let sent = ann.upload(&format!("/api/v1/collections/{place}/documents"), "broken.pdf", bytes).await.expect(202);
            let id = sent.str("/document/id").to_owned();
            assert_eq!(settled(&ann, &id).await.str("/status"), "failed");
            broken.push(json!(id));
        }
        assert_eq!(ann.get("/api/v1/jobs").await.expect(200).json["data"], json!([]), "nothing is under way");
        assert_eq!(unread(&ann).await, broken);
        assert_eq!(unread(&max).await, broken[..1], "what is private is nobody else's");
        let first = ann.get("/api/v1/jobs?failed=true&limit=1").await.expect(200);
        assert_eq!((first.str("/data/0/state"), first.str("/data/0/error/code")), ("failed", "damaged"));
        let cursor = first.str("/next_cursor");
        let second = ann.get(&format!("/api/v1/jobs?failed=true&limit=1&cursor={cursor}")).await.expect(200).json;
        assert_eq!((&second["data"][0]["document_id"], &second["next_cursor"]), (&broken[1], &Value::Null));
        assert_eq!(ann.get(&format!("/api/v1/jobs?cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
        ann.get("/api/v1/jobs?failed=perhaps").await.expect(422);

        let ids: Vec<&str> = broken.iter().filter_map(Value::as_str).collect();
        replace(&ann, ids[0], &[], "travel.md", SECOND.as_bytes()).await.expect(202);
        assert_eq!(settled(&ann, ids[0]).await.str("/status"), "ready");
        assert_eq!(unread(&ann).await, broken[1..]);
        ann.delete(&format!("/api/v1/documents/{}", ids[1])).await.expect(204);
        assert_eq!(unread(&ann).await, Vec::<Value>::new());
    }

    async fn only_who_read_the_newest_version_replaces_it(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let id = bring(&ann, &place, "travel.md", FIRST).await;
        let read = ann.get(&format!("/api/v1/documents/{id}")).await.expect(200);
        let tag = read.headers["etag"].to_str().expect("text").to_owned();
        ann.patch(&format!("/api/v1/documents/{id}"), &json!({ "tags": ["new"] })).await.expect(200);
        let stale = ann.with("if-match", &tag);
        assert_eq!(replace(&stale, &id, &[], "travel.md", SECOND.as_bytes()).await.expect(412).code(), "stale");
        let now = ann.get(&format!("/api/v1/documents/{id}")).await.expect(200);
        let tag = now.headers["etag"].to_str().expect("text").to_owned();
        let sent = replace(&ann.with("if-match", &tag), &id, &[("tags", "a, B")], "travel.md", SECOND.as_bytes()).await.expect(202);
        assert_eq!((&sent.json["document"]["version"], &sent.json["document"]["tags"]), (&json!(2), &json!(["a", "b"])));
        assert_ne!(sent.headers["etag"].to_str().expect("text"), tag);
        assert_eq!(settled(&ann, &id).await.str("/status"), "ready");
    }

    async fn a_title_that_a_person_gave_stays(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let url = format!("/api/v1/collections/{place}/documents");
        let own = bring(&ann, &place, "travel.md", FIRST).await;
        assert_eq!(settled(&ann, &own).await.str("/title"), "Travel");
        // One that is the name of the file is as much a title as any other.
        let fields = [("title", "rules.md")];
        let given = ann.form(Method::POST, &url, &fields, "rules.md", SECOND.as_bytes()).await.expect(202).str("/document/id").to_owned();
        assert_eq!(settled(&ann, &given).await.str("/title"), "rules.md");
        ann.patch(&format!("/api/v1/documents/{own}"), &json!({ "title": "Going places" })).await.expect(200);
        replace(&ann, &own, &[], "travel.md", b"# Flying\n\nTrains come before planes.\n").await.expect(202);
        assert_eq!(settled(&ann, &own).await.str("/title"), "Going places");
        replace(&ann, &own, &[("title", "Moving")], "travel.md", b"# Ferries\n\nFerries come before planes.\n").await.expect(202);
        assert_eq!(settled(&ann, &own).await.str("/title"), "Moving");
    }

    async fn pasted_text_is_a_document(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let url = format!("/api/v1/collections/{place}/documents/text");
        let body = json!({ "title": "Either/Or", "text": "The <b>canteen</b> opens at *noon*.", "tags": ["Food", "food"] });
        let sent = ann.post(&url, &body).await.expect(202);
        assert_eq!((sent.str("/document/source"), sent.str("/document/name")), ("text", "Either-Or.txt"));
        let id = sent.str("/document/id");
        let shown = settled(&ann, id).await;
        assert_eq!((shown.str("/title"), &shown.json["tags"]), ("Either/Or", &json!(["food"])));
        let content = ann.get(&format!("/api/v1/documents/{id}/content")).await.expect(200);
        assert_eq!(content.str("/text").trim(), "The <b>canteen</b> opens at *noon*.", "as it was written");
        assert_eq!(ann.post(&url, &body).await.expect(202).json["job_id"], Value::Null, "the same text is there already");
        for (body, field) in [
            (json!({ "title": "", "text": "x" }), "title"),
            (json!({ "title": "x", "text": " \n" }), "text"),
            (json!({ "title": "x", "text": "x", "tags": ["a\nb"] }), "tags[0]"),
            (json!({ "title": "x", "text": "x", "tags": (0..51).map(|n| n.to_string()).collect::<Vec<_>>() }), "tags"),
            (json!({ "title": "x", "text": "x", "source": "web" }), "source"),
        ] {
            assert_eq!(ann.post(&url, &body).await.expect(422).str("/error/param"), field);
        }
        let long = json!({ "title": "x", "text": "x".repeat(2 << 20) });
        ann.post(&url, &long).await.expect(413);
    }

    async fn what_could_not_be_read_is_read_again_when_it_comes_again(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let id = bring(&ann, &place, "travel.md", FIRST).await;
        let fail = async || {
            let mut tx = house.store().open(&house.scope(&ann).await).begin().await.expect("begins");
            let document = id.parse().expect("an id");
            assert!(documents::progress(&mut tx, document, 1, Status::Failed, None).await.expect("noted"));
            tx.commit().await.expect("committed");
        };
        fail().await;
        let url = format!("/api/v1/collections/{place}/documents");
        let again = ann.upload(&url, "travel.md", FIRST.as_bytes()).await.expect(202);
        assert!(again.str("/document/id") == id && again.str("/job_id").starts_with("job_"), "{}", again.text);
        assert_eq!(settled(&ann, &id).await.str("/status"), "ready");
        fail().await;
        let again = replace(&ann, &id, &[], "travel.md", FIRST.as_bytes()).await.expect(202);
        assert!(again.str("/job_id").starts_with("job_"));
        let shown = settled(&ann, &id).await;
        assert_eq!((shown.str("/status"), &shown.json["version"]), ("ready", &json!(1)));
    }

    async fn what_was_begun_too_often_and_never_ended_is_given_up(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let id = bring(&ann, &place, "travel.md", FIRST).await;
        let (scope, document): (_, DocumentId) = (house.scope(&ann).await, id.parse().expect("an id"));
        let mut tx = house.store().open(&scope).begin().await.expect("begins");
        assert!(documents::progress(&mut tx, document, 1, Status::Processing, None).await.expect("noted"));
        tx.commit().await.expect("committed");
        // Each claim runs out at once, as that of a server that died.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        jobs::queue(&mut tx, scope.org(), "read", document, scope.user(), house.clock_now()).await.expect("queued");
        for attempt in 1..=5 {
            let job = jobs::claim(&mut tx, "read", Duration::ZERO).await.expect("asked").expect("it is due");
            assert_eq!((job.document(), job.attempts()), (document, attempt));
        }
        tx.commit().await.expect("committed");
        house.store().wake_workers();
        let shown = settled(&ann, &id).await;
        assert_eq!((shown.str("/status"), shown.str("/error/code")), ("failed", "internal"), "{}", shown.text);
        assert!(finds(&ann, "hotel night", "Oslo").await, "what was read before is still found");
        // Brought again it is tried again.
        let again = replace(&ann, &id, &[], "travel.md", FIRST.as_bytes()).await.expect(202);
        assert!(again.str("/job_id").starts_with("job_"));
        assert_eq!(settled(&ann, &id).await.str("/status"), "ready");
    }

    async fn nothing_of_a_deleted_document_is_left(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let kept = bring(&ann, &place, "kept.md", FIRST).await;
        let words = "# Xylozephyr\n\nThe quixotrune costs 210 euros a night in Oslo.\n";
        let gone = bring(&ann, &place, "gone.md", words).await;
        replace(&ann, &gone, &[], "gone.md", b"# Xylozephyr\n\nThe quixotrune costs 190 euros a night in Oslo.\n").await.expect(202);
        assert_eq!(settled(&ann, &gone).await.str("/title"), "Xylozephyr");
        let thread = ann.post("/api/v1/threads", &json!({})).await.expect(201).str("/id").to_owned();
        let messages = format!("/api/v1/threads/{thread}/messages");
        let answer = ann.post(&messages, &json!({ "content": "What does it cost a night in Oslo?" })).await.expect(201);
        assert!(answer.text.contains("quixotrune"), "{}", answer.text);
        let made = tables_about(&house, &gone).await;
        let expected = if house.engine() == store::Engine::Postgres { &["chunks", "citings", "documents", "versions"][..] } else { &[] };
        assert_eq!(made, expected);
        let before = originals(&house);
        let log = log_size(&house, &ann.org);
        ann.delete(&format!("/api/v1/documents/{gone}")).await.expect(204);
        // What was before is not in the log; something small may have been written since.
        let left = log_size(&house, &ann.org);
        assert!(left < log / 4 || house.engine() == store::Engine::Postgres, "{left} of {log} bytes are left");
        assert_eq!(tables_about(&house, &gone).await, Vec::<String>::new());
        for word in ["quixotrune", "Xylozephyr"] {
            assert!(!ann.get(&messages).await.expect(200).text.contains(word), "{word}");
            assert!(!finds(&ann, word, word).await, "{word}");
        }
        let after = originals(&house);
        assert_eq!((before.len(), after.len()), (3, 1));
        assert!(after.iter().all(|(path, bytes)| before.get(path) == Some(bytes)), "the other's original is as it was");
        assert_eq!(ann.get(&format!("/api/v1/documents/{kept}")).await.expect(200).str("/status"), "ready");
        assert_eq!(house.store().knowledge_faults(ann.org.parse().expect("an id")).await.expect("looked"), Vec::<String>::new());
    }

    async fn nobody_brings_anything_where_they_may_not(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (max, vera) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Vera", "viewer").await);
        let (private, shared) = (collection(&ann, "private").await, collection(&ann, "project").await);
        let (hidden, open) = (bring(&ann, &private, "a.md", FIRST).await, bring(&ann, &shared, "b.md", FIRST).await);
        let never = "doc_01932d6f4b7a7c3e9a51c0ffee15600d";
        for (who, id, status) in [(&bob, &hidden, 404), (&bob, &open, 404), (&max, &hidden, 404), (&max, &open, 403), (&vera, &open, 403)] {
            let who = who.with("x-request-id", "compare-bytes");
            let sent = replace(&who, id, &[], "x.md", SECOND.as_bytes()).await.expect(status);
            if status == 404 {
                let never = replace(&who, never, &[], "x.md", SECOND.as_bytes()).await.expect(404);
                assert_eq!((sent.text, sent.headers), (never.text, never.headers));
            }
        }
        for (who, place, status) in [(&bob, &shared, 404), (&max, &private, 404), (&vera, &shared, 404)] {
            let body = json!({ "title": "x", "text": "Words." });
            who.post(&format!("/api/v1/collections/{place}/documents/text"), &body).await.expect(status);
        }
        assert_eq!(files(&house.settings().blobs), 1, "nothing of it was kept");
        ann.put(&format!("/api/v1/documents/{open}/content"), &json!({ "file": "x" })).await.expect(415);
    }
}

fn files(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

/// The originals of all organisations, as they lie on the disk.
fn originals(house: &testing::TestHouse) -> std::collections::BTreeMap<std::path::PathBuf, Vec<u8>> {
    let paths = testing::process::files_below(&house.settings().blobs);
    paths.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("read"))).collect()
}

/// The tables of organisations on PostgreSQL, but for the audit log, that have a row about a document: their words are sealed there, so
/// rows go by its id. Of the pages of a file the store's own tests see to it.
async fn tables_about(house: &testing::TestHouse, document: &str) -> Vec<String> {
    if house.engine() == store::Engine::Sqlite {
        return Vec::new();
    }
    let id = document.trim_start_matches("doc_");
    let raw = house.raw().await;
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'org' AND tablename <> 'audit' ORDER BY 1";
    let mut found = Vec::new();
    for table in raw.query(tables, &[]).await.expect("listed") {
        let table: String = table.get(0);
        let text = format!("SELECT count(*) FROM org.{table} one WHERE replace(one::text, '-', '') LIKE '%{id}%'");
        if raw.query_one(&text, &[]).await.expect(&text).get::<_, i64>(0) > 0 {
            found.push(table);
        }
    }
    found
}

/// Bytes in the log of an organisation's file; none on PostgreSQL.
fn log_size(house: &testing::TestHouse, org: &str) -> u64 {
    let hex = org.trim_start_matches("org_");
    let logs = testing::process::files_below(&house.data()).into_iter();
    let logs = logs.filter(|path| path.to_string_lossy().contains(hex) && path.to_string_lossy().ends_with("-wal"));
    logs.map(|path| path.metadata().map_or(0, |about| about.len())).sum()
}
