//! Pages of the web that are fetched: what comes of them, and where nobody is led.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Client, both_stores};

use crate::providers::{answering, open};

const PAGE: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 84\r\nconnection: close\r\n\r\n<html><title>Rates</title><body><h1>Rates</h1><p>A berth costs 12 euros.</p></body>\n";

async fn collection(who: &Client, access: &str) -> String {
    let body = json!({ "name": "Handbook", "access": access });
    who.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

both_stores! {
    in open();
    async fn a_page_is_fetched_and_found(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let url = format!("/api/v1/collections/{place}/documents/web");
        let page = answering(PAGE).await;
        let sent = ann.post(&url, &json!({ "url": format!("{page}/rates?day=1#top"), "tags": ["Harbour"] })).await.expect(202);
        assert_eq!((sent.str("/document/source"), sent.str("/document/name")), ("web", format!("{page}/rates?day=1").as_str()));
        let job = format!("/api/v1/jobs/{}", sent.str("/job_id"));
        let mut shown = ann.get(&job).await.expect(200);
        for _ in 0..1200 {
            if ["embedded", "failed"].contains(&shown.str("/state")) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
            shown = ann.get(&job).await.expect(200);
        }
        assert_eq!(shown.str("/state"), "embedded");
        let id = sent.str("/document/id");
        let document = ann.get(&format!("/api/v1/documents/{id}")).await.expect(200);
        assert_eq!((document.str("/title"), document.str("/kind"), &document.json["tags"]), ("Rates", "html", &json!(["harbour"])));
        let found = ann.post("/api/v1/search", &json!({ "query": "berth" })).await.expect(200);
        assert!(found.text.contains("12 euros"), "{}", found.text);
        assert_eq!(ann.post(&url, &json!({ "url": format!("{page}/again") })).await.expect(202).json["job_id"], Value::Null);
    }

    async fn nobody_is_led_behind_this_server(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let place = collection(&ann, "private").await;
        let url = format!("/api/v1/collections/{place}/documents/web");
        for address in [
            "http://10.0.0.1/", "https://192.168.1.1/", "https://[::1]/", "http://example.com/", "https://user:pass@example.com/",
            "file:///etc/passwd", "ftp://example.com/", "//example.com", "", "https://localhost/", "https://169.254.169.254/latest",
        ] {
            let refused = ann.post(&url, &json!({ "url": address })).await.expect(422);
            assert_eq!(refused.str("/error/param"), "url", "{address}");
        }
        // A redirect is checked as the address was.
        let away = answering("HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/secret\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        let round = answering("HTTP/1.1 302 Found\r\nlocation: /v1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
        let none = answering("HTTP/1.1 404 Not Found\r\ncontent-length: 6\r\nconnection: close\r\n\r\nsecret").await;
        let long = answering("HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\nx").await;
        for address in [away, round, none, long] {
            let failed = ann.post(&url, &json!({ "url": address })).await;
            assert!([413, 502].contains(&failed.status), "{address}: {}", failed.text);
            assert!(!failed.text.contains("10.0.0.1") && !failed.text.contains("secret"), "{}", failed.text);
        }
        let documents = ann.get(&format!("/api/v1/collections/{place}/documents")).await.expect(200);
        assert_eq!(documents.json["data"], json!([]));
        bob.post(&url, &json!({ "url": answering(PAGE).await })).await.expect(404);
    }
}
