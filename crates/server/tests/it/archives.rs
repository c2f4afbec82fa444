//! Many files at once: archives whose files become documents, and the jobs that tell of it.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use axum::http::Method;
use domain::JobId;
use serde_json::{Value, json};
use store::audit::Event;
use store::control::jobs;
use store::org::knowledge::imports::{self, Import, Stage};
use store::{Json, Turn};
use testing::{Answer, Client, both_stores};
use zip::write::SimpleFileOptions;

const NOTION: &str = "1d5e1cc9e8ad03ea408fe4b2026c2d0";

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("whole").into_inner()
}

async fn collection(who: &Client, access: &str) -> String {
    let body = json!({ "name": "Handbook", "access": access });
    who.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

/// Waits until a job is at its end.
async fn ended(who: &Client, job: &str) -> Answer {
    for _ in 0..1200 {
        let shown = who.get(&format!("/api/v1/jobs/{job}")).await.expect(200);
        if ["done", "failed", "embedded"].contains(&shown.str("/state")) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{job} has no end");
}

/// Brings an archive; gives the job at its end, and what became of its files.
async fn bring(who: &Client, collection: &str, bytes: &[u8]) -> (Answer, Vec<(String, String, Value)>) {
    let url = format!("/api/v1/collections/{collection}/documents/archive");
    let sent = who.form(Method::POST, &url, &[("tags", "zip")], "folder.zip", bytes).await.expect(202);
    assert_eq!((sent.str("/kind"), sent.str("/state"), &sent.json["total"]), ("archive", "queued", &Value::Null));
    let job = ended(who, sent.str("/id")).await;
    let files = who.get(&format!("/api/v1/jobs/{}/files?limit=100", job.str("/id"))).await.expect(200);
    let told = |file: &Value| {
        let text = |name: &str| file[name].as_str().unwrap_or("").to_owned();
        (text("name"), text("outcome"), file["error"]["code"].clone())
    };
    let files = files.json["data"].as_array().expect("a list").iter().map(told).collect();
    (job, files)
}

fn as_text(files: &[(String, String, Value)]) -> Vec<(&str, &str, &str)> {
    files.iter().map(|(name, outcome, code)| (name.as_str(), outcome.as_str(), code.as_str().unwrap_or(""))).collect()
}

async fn documents(who: &Client, collection: &str) -> Vec<Value> {
    let list = who.get(&format!("/api/v1/collections/{collection}/documents?limit=100")).await.expect(200).json;
    list["data"].as_array().expect("a list").clone()
}

/// Who added each document of a collection, and its newest version, once all are read.
async fn added(who: &Client, collection: &str) -> Vec<(String, i64)> {
    let told = |one: &Value| {
        let by = one["created_by"].as_str().expect("somebody").to_owned();
        (by, one["version"].as_i64().expect("a number"))
    };
    settled(who, collection).await.iter().map(told).collect()
}

/// Waits until all documents of a collection are read and embedded.
async fn settled(who: &Client, collection: &str) -> Vec<Value> {
    for _ in 0..1200 {
        let all = documents(who, collection).await;
        let done =
            |one: &Value| one["status"] == "failed" || one["status"] == "ready" && one["passages"] == one["embedded"];
        if all.iter().all(done) {
            return all;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("not settled");
}

both_stores! {
    async fn each_file_of_a_folder_becomes_a_document_and_comes_again_as_itself(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let first = zipped(&[
            ("rules/travel.md", b"# Travel\n\nA hotel night in Oslo may cost up to 210 euros.\n"),
            ("rules/leave.txt", b"Thirty days of leave a year."),
            ("rules/.DS_Store", b"x"),
            ("logo.png", b"\x89PNG"),
        ]);
        let (job, files) = bring(&ann, &place, &first).await;
        assert_eq!((job.str("/state"), &job.json["done"], &job.json["total"]), ("done", &json!(3), &json!(3)));
        assert_eq!(as_text(&files), [("rules/travel.md", "added", ""), ("rules/leave.txt", "added", ""), ("logo.png", "refused", "unsupported")]);
        let all = settled(&ann, &place).await;
        let told: Vec<_> = all.iter().map(|one| (one["name"].as_str(), one["title"].as_str(), one["status"].as_str(), &one["tags"])).collect();
        assert_eq!(told, [
            (Some("rules/travel.md"), Some("Travel"), Some("ready"), &json!(["zip"])),
            (Some("rules/leave.txt"), Some("leave"), Some("ready"), &json!(["zip"])),
        ]);
        assert_eq!(blobs(&house), 2, "the archive itself is kept no longer than needed");
        let second = zipped(&[
            ("rules/travel.md", b"# Travel\n\nA hotel night in Bergen may cost up to 190 euros.\n"),
            ("rules/leave.txt", b"Thirty days of leave a year."),
            ("copy.txt", b"Thirty days of leave a year."),
        ]);
        let (_, files) = bring(&ann, &place, &second).await;
        assert_eq!(as_text(&files), [("rules/travel.md", "changed", ""), ("rules/leave.txt", "unchanged", ""), ("copy.txt", "unchanged", "")]);
        let all = settled(&ann, &place).await;
        let versions: Vec<_> = all.iter().map(|one| (one["id"].clone(), one["version"].as_i64())).collect();
        assert_eq!(versions.iter().map(|(_, version)| *version).collect::<Vec<_>>(), [Some(2), Some(1)]);
        let found = ann.post("/api/v1/search", &json!({ "query": "hotel night" })).await.expect(200);
        assert!(found.text.contains("Bergen") && !found.text.contains("Oslo"));
        // With a document goes what an archive tells of it.
        ann.delete(&format!("/api/v1/documents/{}", versions[0].0.as_str().expect("an id"))).await.expect(204);
        let left = ann.get(&format!("/api/v1/jobs/{}/files", job.str("/id"))).await.expect(200);
        assert!(!left.text.contains("travel.md"), "{}", left.text);
    }

    async fn an_archive_changes_what_whoever_brings_it_may_change(house) {
        let ann = house.sign_up("Ann").await;
        let (max, ben) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Ben", "admin").await);
        let place = collection(&ann, "project").await;
        let policy = |text: &str| zipped(&[("policy.txt", text.as_bytes())]);
        let (hers, his) = (ann.user.clone(), max.user.clone());
        let (_, files) = bring(&ann, &place, &policy("Thirty days of leave a year.")).await;
        assert_eq!(as_text(&files), [("policy.txt", "added", "")]);
        assert_eq!(added(&ann, &place).await, [(hers.clone(), 1)]);
        let id = documents(&max, &place).await[0]["id"].as_str().expect("an id").to_owned();
        let url = format!("/api/v1/documents/{id}/content");
        max.form(Method::PUT, &url, &[], "policy.txt", b"No leave at all.").await.expect(403);

        // What he may not replace by itself he does not replace packed: he has one of his own of it, which is the one that he changes.
        let (_, files) = bring(&max, &place, &policy("No leave at all.")).await;
        assert_eq!(as_text(&files), [("policy.txt", "added", "")]);
        assert_eq!(added(&ann, &place).await, [(hers.clone(), 1), (his.clone(), 1)]);
        let (_, files) = bring(&max, &place, &policy("Ten days of leave a year.")).await;
        assert_eq!(as_text(&files), [("policy.txt", "changed", "")]);
        assert_eq!(added(&ann, &place).await, [(hers.clone(), 1), (his.clone(), 2)]);
        // The same content is there once, whoever brings it.
        let (_, files) = bring(&max, &place, &zipped(&[("copy.txt", b"Thirty days of leave a year.")])).await;
        assert_eq!(as_text(&files), [("copy.txt", "unchanged", "")]);

        // Who manages knowledge there changes what others added: what came first, without one of his own.
        let (_, files) = bring(&ben, &place, &policy("Forty days of leave a year.")).await;
        assert_eq!(as_text(&files), [("policy.txt", "changed", "")]);
        assert_eq!(added(&ann, &place).await, [(hers.clone(), 2), (his.clone(), 2)]);
        // Whoever made the collection has one of her own, whatever else has its name.
        let (_, files) = bring(&ann, &place, &policy("Fifty days of leave a year.")).await;
        assert_eq!(as_text(&files), [("policy.txt", "changed", "")]);
        assert_eq!(added(&ann, &place).await, [(hers, 3), (his, 2)]);
    }

    async fn what_an_archive_must_not_do_is_said_of_each_file(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let bomb = vec![0; 40 << 20];
        let inner = zipped(&[("good.txt", b"Good, and inside.")]);
        let bytes = zipped(&[
            ("../../etc/passwd", b"root"),
            ("/etc/shadow", b"root"),
            ("bomb.txt", &bomb),
            ("empty.txt", b""),
            ("good.txt", b"Good."),
            ("inner.zip", &inner),
        ]);
        let (job, files) = bring(&ann, &place, &bytes).await;
        assert_eq!(job.str("/state"), "done");
        assert_eq!(as_text(&files), [
            ("../../etc/passwd", "refused", "unsupported"),
            ("/etc/shadow", "refused", "unsupported"),
            ("bomb.txt", "refused", "too_large"),
            ("empty.txt", "refused", "empty"),
            ("good.txt", "added", ""),
            ("good (2).txt", "added", ""),
        ]);
        assert!(settled(&ann, &place).await.iter().all(|one| one["status"] == "ready"));
        let (job, files) = bring(&ann, &place, b"PK\x03\x04 is how it begins").await;
        assert_eq!((job.str("/state"), job.str("/error/code")), ("failed", "damaged"));
        assert!(files.is_empty());
        assert_eq!(blobs(&house), 2, "nothing of it stays");
    }

    async fn an_archive_that_was_begun_too_often_and_never_ended_is_given_up(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let (scope, ambient) = (house.scope(&ann).await, house.store().ambient());
        let (id, now): (JobId, _) = (ambient.id(), ambient.now());
        let import = Import {
            id,
            collection_id: place.parse().expect("an id"),
            name: "folder.zip".into(),
            tags: Json(Vec::new()),
            status: Stage::Queued,
            fault: None,
            content_hash: "00".repeat(32),
            size: 10,
            done: 0,
            total: 0,
            made_by: scope.user(),
            created_at: now,
            updated_at: now,
        };
        let mut tx = house.store().open(&scope).begin().await.expect("begins");
        imports::insert(&mut tx, &import).await.expect("an archive");
        tx.record(Event::new("archive.created", id).after(&import)).await.expect("recorded");
        tx.commit().await.expect("committed");
        // Each claim runs out at once, as that of a server that died.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        jobs::queue(&mut tx, scope.org(), "unpack", id, scope.user(), house.clock_now()).await.expect("queued");
        for attempt in 1..=5 {
            let job = jobs::claim(&mut tx, "unpack", Duration::ZERO).await.expect("asked").expect("it is due");
            assert_eq!((job.import(), job.attempts()), (id, attempt));
        }
        tx.commit().await.expect("committed");
        house.store().wake_workers();
        let job = ended(&ann, &id.to_string()).await;
        // It was not looked for: its original would not be found.
        assert_eq!((job.str("/state"), job.str("/error/code")), ("failed", "internal"), "{}", job.text);
    }

    async fn pages_of_notion_are_known_by_their_ids(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let (one, two) = (format!("Team {NOTION}1/Plan {NOTION}2.md"), format!("Team {NOTION}1/Plan {NOTION}3.md"));
        let bytes = zipped(&[(&one, b"# Plan\n\nWe plant trees.\n"), (&two, b"# Plan\n\nWe build boats.\n")]);
        let (_, files) = bring(&ann, &place, &bytes).await;
        let names = [format!("Team/Plan {NOTION}2.md"), format!("Team/Plan {NOTION}3.md")];
        assert_eq!(files.iter().map(|file| &file.0).collect::<Vec<_>>(), names.iter().collect::<Vec<_>>());
        let all = settled(&ann, &place).await;
        assert!(all.len() == 2 && all.iter().all(|one| one["title"] == "Plan"), "two pages of one title are two documents");
        let bytes = zipped(&[(&two, b"# Plan\n\nWe build boats.\n"), (&one, b"# Plan\n\nWe plant hedges.\n")]);
        let (_, files) = bring(&ann, &place, &bytes).await;
        assert_eq!(files.iter().map(|file| file.1.as_str()).collect::<Vec<_>>(), ["unchanged", "changed"]);
    }

    async fn quotas_hold_for_each_file(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let exception = json!({ "kind": "limit", "meter": "documents", "limit": 2 });
        let olga = house.operator("Olga").await;
        let body = json!({ "exception": exception, "reason": "a test" });
        olga.post(&format!("/api/v1/operator/orgs/{}/overrides", ann.org), &body).await.expect(201);
        let bytes = zipped(&[("a.txt", b"One."), ("b.txt", b"Two."), ("c.txt", b"Three."), ("d.txt", b"One.")]);
        let (job, files) = bring(&ann, &place, &bytes).await;
        assert_eq!(job.str("/state"), "done");
        assert_eq!(as_text(&files), [("a.txt", "added", ""), ("b.txt", "added", ""), ("c.txt", "refused", "entitlement"), ("d.txt", "unchanged", "")]);
        assert_eq!(documents(&ann, &place).await.len(), 2);
        // The archive itself goes right after the job is said to be done.
        for _ in 0..500 {
            if blobs(&house) == 2 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("what does not fit is kept: {} originals", blobs(&house));
    }

    async fn jobs_are_told_to_whoever_sees_the_collection(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let (private, shared) = (collection(&ann, "private").await, collection(&ann, "project").await);
        let (hidden, _) = bring(&ann, &private, &zipped(&[("a.txt", b"One.")])).await;
        let (open, _) = bring(&ann, &shared, &zipped(&[("b.txt", b"Two.")])).await;
        let never = "job_01932d6f4b7a7c3e9a51c0ffee15600d";
        for (who, job, status) in [(&max, &open, 200), (&max, &hidden, 404), (&bob, &open, 404), (&bob, &hidden, 404)] {
            let who = who.with("x-request-id", "compare-bytes");
            for tail in ["", "/files"] {
                let shown = who.get(&format!("/api/v1/jobs/{}{tail}", job.str("/id"))).await.expect(status);
                if status == 404 {
                    let never = who.get(&format!("/api/v1/jobs/{never}{tail}")).await.expect(404);
                    assert_eq!((shown.text, shown.headers), (never.text, never.headers));
                }
            }
        }
        let url = format!("/api/v1/collections/{private}/documents/archive");
        for who in [&max, &bob] {
            who.upload(&url, "x.zip", &zipped(&[("a.txt", b"One.")])).await.expect(404);
        }
        // A document that waits is listed to who sees it; its job is told under the id that the upload gave.
        settled(&ann, &private).await;
        settled(&ann, &shared).await;
        let scope = house.scope(&ann).await;
        house.document(&scope, &private, "Diary", &["Dear diary."]).await;
        let waiting = house.document(&scope, &shared, "Rules", &["Thirty days."]).await.to_string();
        let jobs = async |who: &Client| {
            let list = who.get("/api/v1/jobs").await.expect(200).json;
            list["data"].as_array().expect("a list").iter().map(|job| job["document_id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(jobs(&ann).await.len(), 2);
        assert_eq!(jobs(&max).await, [json!(waiting)]);
        assert!(jobs(&bob).await.is_empty());
        let url = format!("/api/v1/collections/{shared}/documents");
        let sent = ann.upload(&url, "c.txt", b"Three.").await.expect(202);
        let done = ended(&max, sent.str("/job_id")).await;
        assert_eq!((done.str("/state"), done.str("/document_id")), ("embedded", sent.str("/document/id")));
        assert_eq!((done.str("/kind"), &done.json["done"], &done.json["total"]), ("document", &json!(1), &json!(1)));
    }

    async fn each_step_is_told_to_whoever_listens(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let place = collection(&ann, "private").await;
        let url = format!("/api/v1/collections/{place}/events");
        assert_eq!(ann.get(&url).await.expect(400).code(), "invalid_request");
        for who in [&max, &bob] {
            who.with("accept", "text/event-stream").get(&url).await.expect(404);
        }
        let (_, _) = bring(&ann, &place, &zipped(&[("before.txt", b"Before.")])).await;
        settled(&ann, &place).await;
        let mut heard = ann.listen(&url).await;
        let bytes = zipped(&[("one.txt", b"One."), ("bad.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type")]);
        let (job, _) = bring(&ann, &place, &bytes).await;
        let mut last = std::collections::BTreeMap::new();
        while last.values().filter(|state: &&String| ["embedded", "done", "failed"].contains(&state.as_str())).count() < 3 {
            let (event, data) = heard.next().await.expect("another event");
            assert_eq!((event.as_str(), data["collection_id"].as_str()), ("job", Some(place.as_str())));
            last.insert(data["name"].as_str().expect("a name").to_owned(), data["state"].as_str().expect("a state").to_owned());
        }
        let told: Vec<_> = last.iter().map(|(name, state)| (name.as_str(), state.as_str())).collect();
        assert_eq!(told, [("bad.pdf", "failed"), ("folder.zip", "done"), ("one.txt", "embedded")], "{}", job.text);
    }

    async fn who_loses_the_collection_hears_no_more(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let body = json!({ "name": "Handbook", "access": "shared" });
        let place = ann.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned();
        let share = format!("/api/v1/collections/{place}/shares/users/{}", max.user);
        ann.put(&share, &json!({})).await.expect(200);
        let mut heard = max.listen(&format!("/api/v1/collections/{place}/events")).await;
        let url = format!("/api/v1/collections/{place}/events");
        let mut others = Vec::new();
        for _ in 1..32 {
            others.push(ann.listen(&url).await);
        }
        let refused = ann.with("accept", "text/event-stream").get(&url).await.expect(429);
        assert_eq!((refused.code(), &refused.headers["retry-after"]), ("rate_limited", &"10".parse().expect("a value")));
        drop(others);
        drop(ann.listen(&url).await);
        ann.delete(&share).await.expect(204);
        assert!(heard.next().await.is_none(), "it ends");
    }
}

fn blobs(house: &testing::TestHouse) -> usize {
    fn count(folder: &std::path::Path) -> usize {
        let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.map(|path| if path.is_dir() { count(&path) } else { 1 }).sum()
    }
    count(&house.settings().blobs)
}
