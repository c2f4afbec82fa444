//! What people write is planted through the API, as documents and in conversations, and then looked for in everything that is kept: in
//! all columns of all tables of PostgreSQL as its owner reads them, and in all files.

use std::collections::BTreeSet;
use std::io::{Cursor, Write as _};

use axum::http::Method;
use serde_json::json;
use store::Engine;
use testing::{Client, TestHouse, both_stores};
use zip::write::SimpleFileOptions;

use crate::answers::{collection, settled};
use crate::walls_secrets::{forms, kept, searchable};

const TEXT: &str = "The quartzfinch kettle of Ulverfjord sings at 6.45 in the morning.";
const HEADING: &str = "Plankenwald procedures";
const TITLE: &str = "The Zimtlaterne manual";
const FILE: &str = "moosgrund-ledger";
const TAG: &str = "flimmerkraut";
const IN_ARCHIVE: &str = "Nobody in Hasselbrook knows of the velvet anchovies.";
const ARCHIVE: &str = "gletscherarchiv";
const MEMBER: &str = "wintergarten/Tannenzapfen";
const REFUSED: &str = "wintergarten/Eisvogelkarte";
const TALK: &str = "Morning talk about Ulverfjordians";
const QUESTION: &str = "When does the quartzfinch kettle sing, asks Brunhildegard?";
const COMMENT: &str = "Not what Ottokar-Friedemann told me";
const CORRECTION: &str = "It sings at noon, says Wilhelmina-Theresia.";

/// Everything that is planted, and single words of it, whose stems an index would have.
const PLANTED: &[&str] = &[
    TEXT,
    HEADING,
    TITLE,
    FILE,
    TAG,
    IN_ARCHIVE,
    ARCHIVE,
    MEMBER,
    REFUSED,
    TALK,
    QUESTION,
    COMMENT,
    CORRECTION,
    "quartzfinch",
    "Ulverfjord",
    "ulverfjord",
    "Plankenwald",
    "plankenwald",
    "Zimtlatern",
    "zimtlatern",
    "Hasselbrook",
    "hasselbrook",
    "anchovi",
    "Tannenzapfen",
    "Eisvogelkarte",
    "Brunhildegard",
    "Ottokar",
    "Wilhelmina",
];

async fn plant(house: &TestHouse, ann: &Client) {
    house.on_plan(&ann.org, "enterprise").await;
    // A key for each repetition, so that answers are stored, too.
    let keyed = |key: &str| ann.with("idempotency-key", key);
    let place = collection(ann, "project").await;
    let url = format!("/api/v1/collections/{place}/documents");
    let document = format!("# {HEADING}\n\n{TEXT}\n\n## Other things\n\nNothing is said here of kettles.\n");
    let fields = [("title", TITLE), ("tags", TAG)];
    let sent =
        keyed("one").form(Method::POST, &url, &fields, &format!("{FILE}.md"), document.as_bytes()).await.expect(202);
    let id = sent.str("/document/id").to_owned();
    assert_eq!(settled(ann, &id).await.str("/status"), "ready");
    // What cannot be read leaves a reason.
    let failing = keyed("two").upload(&url, &format!("{FILE}.pdf"), b"%PDF-1.7\n1 0 obj\n<< /Type").await.expect(202);
    assert_eq!(settled(ann, failing.str("/document/id")).await.str("/status"), "failed");

    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in
        [(format!("{MEMBER}.md"), IN_ARCHIVE.as_bytes()), (format!("{REFUSED}.bin"), b"\x7fELF\x02\x01\x01")]
    {
        zip.start_file(name, SimpleFileOptions::default()).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    let archive = zip.finish().expect("whole").into_inner();
    let sent = keyed("three")
        .form(Method::POST, &format!("{url}/archive"), &[("tags", TAG)], &format!("{ARCHIVE}.zip"), &archive)
        .await
        .expect(202);
    let files = format!("/api/v1/jobs/{}/files", sent.str("/id"));
    for _ in 0..1200 {
        let shown = ann.get(&format!("/api/v1/jobs/{}", sent.str("/id"))).await.expect(200);
        if shown.str("/state") == "done" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    let files = ann.get(&files).await.expect(200);
    assert!(files.text.contains(MEMBER) && files.text.contains(REFUSED), "{}", files.text);
    settled(ann, files.str("/data/0/document_id")).await;

    let talk = keyed("four").post("/api/v1/threads", &json!({ "title": TALK })).await.expect(201).str("/id").to_owned();
    let url = format!("/api/v1/threads/{talk}/messages");
    let answer = keyed("five").post(&url, &json!({ "content": QUESTION })).await.expect(201);
    assert!(
        answer.str("/content").contains("Ulverfjord") && answer.str("/citations/0/title") == TITLE,
        "{}",
        answer.text
    );
    let said = json!({ "rating": -1, "comment": COMMENT, "correction": CORRECTION });
    ann.put(&format!("{url}/{}/feedback", answer.str("/id")), &said).await.expect(200);
    ann.post("/api/v1/search", &json!({ "query": QUESTION, "filters": { "tags": [TAG] } })).await.expect(200);
    // Whoever reads by the API reads all of it, in all the ways that there are.
    for (path, words) in [
        (format!("/api/v1/documents/{id}"), &[TITLE, FILE, TAG][..]),
        (format!("/api/v1/documents/{id}/chunks"), &[TEXT, HEADING]),
        (format!("/api/v1/documents/{id}/content"), &[TEXT, HEADING]),
        (format!("/api/v1/documents/{id}/versions"), &[FILE]),
        (format!("/api/v1/collections/{place}/documents"), &[TITLE, FILE, TAG]),
        ("/api/v1/threads".to_owned(), &[TALK]),
        (url, &[QUESTION, TEXT, COMMENT, CORRECTION, TITLE]),
    ] {
        let read = ann.get(&path).await.expect(200).text;
        for word in words {
            assert!(read.contains(word), "{path} says nothing of {word}: {read}");
        }
    }
    house.store().deliver(ann.org.parse().expect("an id")).await.expect("delivered");
}

both_stores! {
    async fn nothing_that_people_write_is_kept_as_it_was_written(house) {
        let ann = house.sign_up("Ann").await;
        plant(&house, &ann).await;
        let kept = kept(&house).await;
        let mut found = BTreeSet::new();
        for planted in PLANTED {
            for form in forms(planted.as_bytes()) {
                let form = searchable(&form);
                found.extend(kept.iter().filter(|(_, content)| content.contains(&form)).map(|(place, _)| format!("{place}: {planted}")));
            }
        }
        assert!(found.is_empty(), "{found:#?}");
        // The search does find: on PostgreSQL what is no secret, in the files only what is in no database.
        let visible = |needle: &str| kept.iter().any(|(_, content)| content.contains(needle));
        let tables: BTreeSet<_> = kept.iter().map(|(place, _)| place.as_str()).collect();
        if house.engine() == Engine::Postgres {
            assert!(visible("Handbook") && visible("ann@example.com"), "{tables:?}");
            for table in ["org.documents", "org.versions", "org.chunks", "org.vectors", "org.threads", "org.messages", "org.imports",
                "org.import_files", "org.audit", "org.idempotency"] {
                assert!(tables.contains(table), "nothing was planted in {table}: {tables:?}");
            }
        } else {
            assert!(tables.len() > 3 && !visible("Handbook") && !visible("CREATE TABLE"), "{tables:?}");
        }
    }
}
