//! Files that are damaged, or meant to do damage, as they come over HTTP: each ends in its text or in a sentence for whoever sent it, and
//! the server goes on.

use std::io::{Cursor, Write as _};
use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, both_stores};
use zip::write::SimpleFileOptions;

fn zipped(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(*name, SimpleFileOptions::default()).expect("begun");
        zip.write_all(bytes).expect("written");
    }
    zip.finish().expect("whole").into_inner()
}

/// A PDF of so many pages, each with a line of text that has its number; with more in its trailer.
fn pdf(pages: usize, trailer: &str) -> Vec<u8> {
    let kids: Vec<String> = (0..pages).map(|n| format!("{} 0 R", 4 + 2 * n)).collect();
    let mut objects = vec![
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        format!("<</Type/Pages/Count {pages}/Kids[{}]>>", kids.join(" ")),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
    ];
    for n in 0..pages {
        let text = format!("BT /F1 12 Tf 50 700 Td (This is the line of page number {} of the report.) Tj ET", n + 1);
        let content = 5 + 2 * n;
        objects.push(format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents {content} 0 R>>"
        ));
        objects.push(format!("<</Length {}>>stream\n{text}\nendstream", text.len()));
    }
    let mut file = b"%PDF-1.7\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(&objects) {
        places.push(file.len());
        file.extend(format!("{number} 0 obj\n{object}\nendobj\n").bytes());
    }
    let table = file.len();
    file.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    for place in &places {
        file.extend(format!("{place:010} 00000 n \n").bytes());
    }
    let size = places.len() + 1;
    file.extend(format!("trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{table}\n%%EOF\n").bytes());
    file
}

async fn settled(who: &Client, id: &str) -> Answer {
    let mut shown = who.get(&format!("/api/v1/documents/{id}")).await.expect(200);
    for _ in 0..2400 {
        if ["failed", "ready"].contains(&shown.str("/status")) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        shown = who.get(&format!("/api/v1/documents/{id}")).await.expect(200);
    }
    shown
}

both_stores! {
    async fn what_cannot_be_read_says_why_and_harms_nothing(house) {
        let ann = house.sign_up("Ann").await;
        let place = ann.post("/api/v1/collections", &json!({ "name": "Handbook" })).await.expect(201).str("/id").to_owned();
        let url = format!("/api/v1/collections/{place}/documents");
        let key = "00".repeat(32);
        let locked = format!(
            "/ID[<00112233445566778899AABBCCDDEEFF><00112233445566778899AABBCCDDEEFF>]/Encrypt<</Filter/Standard/V 2/R 3/Length 128/P -4/O<{key}>/U<{key}>>>"
        );
        let whole = pdf(3, "");
        let blank = vec![b' '; 30 << 20];
        let bomb = zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", &blank)]);
        let cases: [(&str, &[u8], &str); 6] = [
            ("zero.pdf", b"", "empty"),
            ("cut.docx", &zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", b"<w:document/>")])[..60], "damaged"),
            ("locked.pdf", &pdf(1, &locked), "encrypted"),
            ("picture.md", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "unsupported"),
            ("bomb.docx", &bomb, "too_large"),
            ("cut.pdf", &whole[..40], "damaged"),
        ];
        for (name, bytes, code) in cases {
            let id = ann.upload(&url, name, bytes).await.expect(202).str("/document/id").to_owned();
            let shown = settled(&ann, &id).await;
            assert_eq!((shown.str("/status"), shown.str("/error/code")), ("failed", code), "{name}: {}", shown.text);
            let said = shown.str("/error/message");
            assert!(said.len() > 20 && said.ends_with('.'), "{said}");
            ann.get(&format!("/api/v1/documents/{id}/content")).await.expect(404);
            assert!(ann.get(&format!("/api/v1/documents/{id}/chunks")).await.expect(200).json["data"] == json!([]));
        }
        ann.get("/api/v1/collections").await.expect(200);
    }

    async fn what_is_strange_and_whole_gives_its_text(house) {
        let ann = house.sign_up("Ann").await;
        let place = ann.post("/api/v1/collections", &json!({ "name": "Handbook" })).await.expect(201).str("/id").to_owned();
        let url = format!("/api/v1/collections/{place}/documents");
        let deep = format!("{}the core of it{}", "<div>".repeat(10_000), "</div>".repeat(10_000));
        let sheet: Vec<u8> = "\u{FEFF}Name;Città\nZoë;Forlì\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let report = pdf(2_000, "");
        let cases: [(&str, &str, &[u8], &str); 4] = [
            ("../../etc/passwd.txt", "passwd.txt", b"Only words.", "Only words."),
            ("notes.txt", "notes.txt", &report, "page number 2000 of"),
            ("deep.html", "deep.html", deep.as_bytes(), "the core of it"),
            ("people.csv", "people.csv", &sheet, "Forlì"),
        ];
        for (sent, name, bytes, text) in cases {
            let id = ann.upload(&url, sent, bytes).await.expect(202).str("/document/id").to_owned();
            let shown = settled(&ann, &id).await;
            assert_eq!((shown.str("/status"), shown.str("/name")), ("ready", name), "{}", shown.text);
            let content = ann.get(&format!("/api/v1/documents/{id}/content")).await.expect(200);
            assert!(content.str("/text").contains(text), "{name}: {:.200}", content.str("/text"));
        }
        let found = ann.post("/api/v1/search", &json!({ "query": "Forlì" })).await.expect(200);
        assert!(found.text.contains("people.csv") || found.text.contains("Forl"), "{}", found.text);
        let pages = ann.post("/api/v1/search", &json!({ "query": "line of page number 1234" })).await.expect(200);
        assert!(pages.json["results"].as_array().is_some_and(|all| all.iter().any(|one| one["page"] != Value::Null)), "{}", pages.text);
    }
}
