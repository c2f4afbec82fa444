//! Originals on their way out: as they came, as a file and never as a page, to who may see the document, and never half.

use std::path::{Path, PathBuf};

use axum::http::Method;
use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse, both_stores};

const NEVER: &str = "doc_01932d6f4b7a7c3e9a51c0ffee15600d";
/// Bytes of a sealed part, before it is sealed.
const PART: usize = store::blobs::PART;

async fn collection(who: &Client, access: &str) -> String {
    let body = json!({ "name": "Handbook", "access": access });
    who.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

/// Brings a file; gives the document's path.
async fn bring(who: &Client, collection: &str, name: &str, bytes: &[u8]) -> String {
    let url = format!("/api/v1/collections/{collection}/documents");
    let sent = who.upload(&url, name, bytes).await.expect(202);
    format!("/api/v1/documents/{}", sent.str("/document/id"))
}

async fn fetch(who: &Client, document: &str, headers: &[(&str, &str)]) -> Answer {
    let who = headers.iter().fold(who.clone(), |who, (name, value)| who.with(name, value));
    who.get(&format!("{document}/original")).await
}

/// So many bytes, each part of them unlike the others; no text, so that nobody spends time on reading it.
fn long(size: usize) -> String {
    let mut text = "\0".repeat(16);
    text.extend((0..=size / 10).map(|n| format!("line {n:05}\n")));
    text.truncate(size);
    text
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().expect("text"))
}

/// The files of originals, and what is in each.
fn files(house: &TestHouse) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = testing::process::files_below(&house.settings().blobs);
    paths.into_iter().map(|path| (path.clone(), std::fs::read(&path).expect("read"))).collect()
}

both_stores! {
    async fn an_original_comes_back_as_a_file_that_nothing_runs(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let page = "<html><script>alert(document.cookie)</script>\n<h1>Reisen</h1></html>";
        let document = bring(&ann, &place, "Über; uns 1.html", page.as_bytes()).await;
        let given = fetch(&ann, &document, &[]).await.expect(200);
        assert_eq!(given.text, page);
        for (name, value) in [
            ("content-type", "text/html"),
            ("content-disposition", "attachment; filename=\"_ber_ uns 1.html\"; filename*=UTF-8''%C3%9Cber%3B%20uns%201.html"),
            ("content-length", &page.len().to_string()),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; sandbox"),
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
            ("accept-ranges", "bytes"),
        ] {
            assert_eq!(header(&given, name), value, "{name}");
        }
        let tag = header(&given, "etag");
        let known = fetch(&ann, &document, &[("if-none-match", tag)]).await.expect(304);
        assert_eq!((known.text.as_str(), header(&known, "etag")), ("", tag));
        fetch(&ann, &document, &[("if-none-match", "\"another\"")]).await.expect(200);
        let id = document.rsplit('/').next().expect("an id");
        let log = ann.get(&format!("/api/v1/audit?object={id}&action=document.downloaded")).await.expect(200).json;
        let told: Vec<&Value> = log["data"].as_array().expect("a list").iter().map(|one| &one["detail"]).collect();
        assert_eq!(told, [&json!({ "version": 1, "bytes": null }), &json!({ "version": 1, "bytes": null })]);
        // A file of another kind, and one that there is nothing of.
        let blob = bring(&ann, &place, "data.bin", &[1, 2, 3, 4]).await;
        let given = fetch(&ann, &blob, &[]).await.expect(200);
        assert_eq!((header(&given, "content-type"), given.text.as_str()), ("application/octet-stream", "\u{1}\u{2}\u{3}\u{4}"));
        let empty = bring(&ann, &place, "empty.txt", b"").await;
        let given = fetch(&ann, &empty, &[]).await.expect(200);
        assert_eq!((header(&given, "content-length"), given.text.as_str()), ("0", ""));
        fetch(&ann, &empty, &[("range", "bytes=0-")]).await.expect(416);
    }

    async fn each_version_comes_back(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let document = bring(&ann, &place, "travel.md", b"# First\n").await;
        let second = ann.form(Method::PUT, &format!("{document}/content"), &[], "rules.txt", b"Second\n").await;
        second.expect(202);
        let newest = fetch(&ann, &document, &[]).await.expect(200);
        assert_eq!((newest.text.as_str(), header(&newest, "content-type")), ("Second\n", "text/plain"));
        let first = ann.get(&format!("{document}/original?version=1")).await.expect(200);
        assert_eq!((first.text.as_str(), header(&first, "content-type")), ("# First\n", "text/markdown"));
        assert_ne!(header(&first, "etag"), header(&newest, "etag"));
        for none in ["0", "3", "-1", "9223372036854775807"] {
            ann.get(&format!("{document}/original?version={none}")).await.expect(404);
        }
        assert_eq!(ann.get(&format!("{document}/original?version=x")).await.expect(422).str("/error/param"), "version");
        ann.get(&format!("{document}/original?verison=1")).await.expect(422);
        // What was pasted is a file, too.
        let pasted = json!({ "title": "Notes", "text": "As it was written." });
        let pasted = ann.post(&format!("/api/v1/collections/{place}/documents/text"), &pasted).await.expect(202);
        let given = fetch(&ann, &format!("/api/v1/documents/{}", pasted.str("/document/id")), &[]).await.expect(200);
        assert_eq!((given.text.as_str(), header(&given, "content-type")), ("As it was written.", "text/plain"));
    }

    async fn any_bytes_of_a_long_original_can_be_had(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let text = long(2 * PART + 1000);
        let document = bring(&ann, &place, "long.bin", text.as_bytes()).await;
        let whole = fetch(&ann, &document, &[]).await.expect(200);
        assert!(whole.text == text, "{} bytes", whole.text.len());
        let tag = header(&whole, "etag").to_owned();
        for (from, to) in [(0, 1), (PART - 1, PART + 1), (PART, 2 * PART), (17, 2 * PART + 500), (2 * PART, text.len())] {
            let range = format!("bytes={from}-{}", to - 1);
            let part = fetch(&ann, &document, &[("range", &range)]).await.expect(206);
            assert!(part.text == text[from..to], "{range}");
            assert_eq!(header(&part, "content-range"), format!("bytes {from}-{}/{}", to - 1, text.len()));
            assert_eq!(header(&part, "content-length"), (to - from).to_string());
        }
        let end = fetch(&ann, &document, &[("range", "bytes=-7"), ("if-range", &tag)]).await.expect(206);
        assert_eq!(end.text, text[text.len() - 7..]);
        assert!(fetch(&ann, &document, &[("range", "bytes=-7"), ("if-range", "\"old\"")]).await.expect(200).text == text);
        let beyond = fetch(&ann, &document, &[("range", &format!("bytes={}-", text.len()))]).await.expect(416);
        assert_eq!((beyond.code(), header(&beyond, "content-range")), ("range_not_satisfiable", format!("bytes */{}", text.len()).as_str()));
    }

    async fn an_original_is_as_hidden_as_its_document(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (adi, max) = (house.join(&ann, "Adi", "admin").await, house.join(&ann, "Max", "member").await);
        let place = collection(&max, "private").await;
        let diary = b"Dear diary.".as_slice();
        let document = bring(&max, &place, "diary.txt", diary).await;
        let tag = header(&fetch(&max, &document, &[]).await.expect(200), "etag").to_owned();
        // The same content in a place of one's own opens no other: neither by its bytes nor by its tag.
        for who in [&bob, &ann] {
            let own = collection(who, "private").await;
            let own = bring(who, &own, "mine.txt", diary).await;
            assert_eq!(header(&fetch(who, &own, &[]).await.expect(200), "etag"), tag);
        }
        let (ann_id, never) = (ann.with("x-request-id", "compare-bytes"), format!("/api/v1/documents/{NEVER}"));
        for who in [&ann_id, &adi.with("x-request-id", "compare-bytes"), &bob.with("x-request-id", "compare-bytes")] {
            for headers in [vec![], vec![("if-none-match", tag.as_str())], vec![("if-none-match", "*")], vec![("range", "bytes=0-")]] {
                let hidden = fetch(who, &document, &headers).await.expect(404);
                let invented = fetch(who, &never, &headers).await.expect(404);
                assert_eq!((hidden.text, hidden.headers), (invented.text, invented.headers), "{headers:?}");
            }
        }
        let blind = json!({ "name": "Blind", "scopes": ["teams.read"] });
        let blind = max.with_token(Some(max.post("/api/v1/auth/api-keys", &blind).await.expect(201).str("/key")));
        fetch(&blind, &document, &[]).await.expect(404);
        let mine = json!({ "name": "Reader", "scopes": ["knowledge.read"] });
        let mine = max.with_token(Some(max.post("/api/v1/auth/api-keys", &mine).await.expect(201).str("/key")));
        fetch(&mine, &document, &[]).await.expect(200);
        // What is shared can be had, what is not shared any more cannot, and what is deleted nobody has.
        max.patch(&format!("/api/v1/collections/{place}"), &json!({ "access": "shared" })).await.expect(200);
        let share = format!("/api/v1/collections/{place}/shares/users/{}", adi.user);
        max.put(&share, &json!({})).await.expect(200);
        assert_eq!(fetch(&adi, &document, &[]).await.expect(200).text, "Dear diary.");
        max.delete(&share).await.expect(204);
        fetch(&adi, &document, &[]).await.expect(404);
        max.delete(&document).await.expect(204);
        fetch(&max, &document, &[]).await.expect(404);
        fetch(&max, &document, &[("if-none-match", &tag)]).await.expect(404);
        // A reader who is counted out has no part of it.
        house.on_plan(&bob.org, "enterprise").await;
        let limit = json!({ "level": "organization", "operation": "exports", "requests_per_minute": 1 });
        bob.post("/api/v1/limits", &limit).await.expect(201);
        let own = collection(&bob, "private").await;
        let own = bring(&bob, &own, "more.txt", b"More.").await;
        fetch(&bob, &own, &[]).await.expect(200);
        fetch(&bob, &own, &[]).await.expect(429);
    }

    async fn half_an_original_goes_to_nobody_and_the_operator_is_told(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let text = long(2 * PART + 1000);
        let document = bring(&ann, &place, "long.bin", text.as_bytes()).await;
        let (path, good) = files(&house).remove(0);
        bring(&ann, &place, "other.bin", long(2 * PART + 999).as_bytes()).await;
        let (_, other) = files(&house).into_iter().find(|(other, _)| *other != path).expect("another");
        let sealed = PART + 28;
        let flipped = |at: usize| -> Vec<u8> {
            let mut bytes = good.clone();
            bytes[at] ^= 4;
            bytes
        };
        let harms: [(&str, Option<Vec<u8>>); 9] = [
            ("it is gone", None),
            ("nothing is left in it", Some(Vec::new())),
            ("its beginning alone is left", Some(good[..10].to_vec())),
            ("its last part is gone", Some(good[..16 + 2 * sealed].to_vec())),
            ("it was cut", Some(good[..good.len() - 1].to_vec())),
            ("one bit in its middle is another", Some(flipped(16 + sealed + 100))),
            ("its name of itself is another", Some(flipped(3))),
            ("two parts changed places", Some([&good[..16], &good[16 + sealed..16 + 2 * sealed], &good[16..16 + sealed], &good[16 + 2 * sealed..]].concat())),
            ("another lies in its place", Some(other)),
        ];
        let id = document.rsplit('/').next().expect("an id");
        for (harm, bytes) in harms {
            put(&path, bytes.as_deref());
            let told = testing::alarms(id).len();
            let refused = fetch(&ann, &document, &[]).await.expect(503);
            assert_eq!(refused.code(), "original_lost", "{harm}");
            assert!(!refused.text.contains("line 0"), "{harm}");
            assert_eq!(header(&refused, "content-disposition"), "", "{harm}");
            let raised = testing::alarms(id);
            assert!(raised.len() == told + 1 && raised[told].contains("original_lost") && raised[told].contains(&ann.org), "{harm}: {raised:?}");
            put(&path, Some(&good));
            assert!(fetch(&ann, &document, &[]).await.expect(200).text == text, "{harm}, then restored");
        }
        // Of what is damaged in one place the other places can be had.
        put(&path, Some(&flipped(16 + sealed + 100)));
        let first = fetch(&ann, &document, &[("range", "bytes=0-99")]).await.expect(206);
        assert_eq!(first.text, text[..100]);
        fetch(&ann, &document, &[("range", &format!("bytes={}-{}", PART + 5, PART + 9))]).await.expect(503);
        // Nobody was told that it went out when it did not.
        let log = ann.get(&format!("/api/v1/audit?object={id}&action=document.downloaded&limit=200")).await.expect(200).json;
        assert_eq!(log["data"].as_array().map(Vec::len), Some(10));
        put(&path, Some(&good));
    }

    async fn a_download_ends_when_its_reader_may_not_see_it_any_more(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let place = collection(&ann, "project").await;
        let text = long(3 << 19);
        let document = bring(&ann, &place, "long.bin", text.as_bytes()).await;
        let mut slow = max.download(&format!("{document}/original")).await;
        let begun = slow.next().await.expect("bytes").expect("bytes");
        assert!(text.as_bytes().starts_with(&begun) && begun.len() <= PART);
        ann.patch(&format!("/api/v1/collections/{place}"), &json!({ "access": "private" })).await.expect(200);
        let (mut had, mut ended) = (begun.len(), false);
        while let Some(part) = slow.next().await {
            match part {
                Ok(bytes) => had += bytes.len(),
                Err(_) => ended = true,
            }
        }
        assert!(ended && had < text.len(), "{had} of {} bytes", text.len());
        // One that was begun before the document is deleted is bounded in the same way.
        let mut slow = ann.download(&format!("{document}/original")).await;
        slow.next().await.expect("bytes").expect("bytes");
        ann.delete(&document).await.expect(204);
        let (mut had, mut ended) = (0, false);
        while let Some(part) = slow.next().await {
            match part {
                Ok(bytes) => had += bytes.len(),
                Err(_) => ended = true,
            }
        }
        assert!(ended && had < text.len(), "{had} of {} bytes", text.len());
    }
}

fn put(path: &Path, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => std::fs::write(path, bytes).expect("written"),
        None => std::fs::remove_file(path).expect("removed"),
    }
}
