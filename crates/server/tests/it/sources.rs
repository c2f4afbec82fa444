//! Sources: pages that come, change and go by themselves, and nobody who is led astray by them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, both_stores};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::answers::{collection, settled};
use crate::providers::open;

/// What a site answers at a path: the status line, headers and the body.
type Answers = HashMap<String, (String, String, String)>;

/// A site whose pages change.
#[derive(Clone, Default)]
pub(crate) struct Site {
    answers: Arc<Mutex<Answers>>,
    /// The paths that were asked for, and whether that was conditional.
    asked: Arc<Mutex<Vec<(String, bool)>>>,
    url: String,
}

impl Site {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let site = Self { url, ..Self::default() };
        let served = site.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
                let answer = served.answer(&String::from_utf8_lossy(&head));
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        site
    }

    fn answer(&self, head: &str) -> String {
        let path = head.split(' ').nth(1).unwrap_or("/").to_owned();
        let mark = head.to_lowercase().lines().find_map(|line| Some(line.strip_prefix("if-none-match: ")?.to_owned()));
        self.asked.lock().expect("sound").push((path.clone(), mark.is_some()));
        let known = self.answers.lock().expect("sound").get(&path).cloned();
        let (status, headers, body) = known.unwrap_or_else(|| ("404 Not Found".into(), String::new(), String::new()));
        let unchanged = mark.is_some_and(|mark| headers.to_lowercase().contains(&format!("etag: {mark}\r\n")));
        let (status, body) = if unchanged { ("304 Not Modified".to_owned(), String::new()) } else { (status, body) };
        format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n{body}", body.len())
    }

    /// A page from now on; with a mark by which it is known.
    pub(crate) fn page(&self, path: &str, mark: Option<&str>, text: &str) {
        let mark = mark.map_or(String::new(), |mark| format!("etag: \"{mark}\"\r\n"));
        let html = format!("<html><title>{path}</title><body><h1>Page</h1><p>{text}</p></body></html>");
        self.put(path, "200 OK", &format!("content-type: text/html\r\n{mark}"), &html);
    }

    pub(crate) fn put(&self, path: &str, status: &str, headers: &str, body: &str) {
        let answer = (status.to_owned(), headers.to_owned(), body.to_owned());
        self.answers.lock().expect("sound").insert(path.to_owned(), answer);
    }

    pub(crate) fn sitemap(&self, urls: &[String]) {
        let urls: String = urls.iter().map(|url| format!("<url><loc>{url}</loc></url>")).collect();
        self.put("/sitemap.xml", "200 OK", "", &format!("<urlset>{urls}</urlset>"));
    }

    fn gone(&self, path: &str) {
        self.answers.lock().expect("sound").remove(path);
    }

    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    pub(crate) fn times(&self, path: &str) -> usize {
        self.asked.lock().expect("sound").iter().filter(|(asked, _)| asked == path).count()
    }
}

/// Waits until a round is over.
pub(crate) async fn over(who: &Client, id: &str) -> Value {
    let mut shown = who.get(&format!("/api/v1/sources/{id}")).await.expect(200).json;
    for _ in 0..800 {
        if ["done", "failed"].contains(&shown["status"].as_str().expect("text")) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        shown = who.get(&format!("/api/v1/sources/{id}")).await.expect(200).json;
    }
    panic!("not over: {shown}");
}

pub(crate) async fn sync(who: &Client, id: &str) -> Value {
    who.post(&format!("/api/v1/sources/{id}/sync"), &json!({})).await.expect(202);
    over(who, id).await
}

pub(crate) fn counts(shown: &Value) -> [i64; 5] {
    ["added", "changed", "unchanged", "removed", "refused"]
        .map(|name| shown["counts"][name].as_i64().expect("a number"))
}

pub(crate) async fn documents(who: &Client, place: &str) -> Vec<Value> {
    let page = who.get(&format!("/api/v1/collections/{place}/documents")).await.expect(200);
    let all = page.json["data"].as_array().expect("a list").clone();
    for one in &all {
        settled(who, one["id"].as_str().expect("an id")).await;
    }
    all
}

pub(crate) async fn set_up(who: &Client, place: &str, body: &Value) -> Answer {
    who.post(&format!("/api/v1/collections/{place}/sources"), body).await
}

both_stores! {
    in open();
    async fn pages_come_change_and_go(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        site.page("/a", Some("a1"), "A berth costs 12 euros.");
        site.page("/b", None, "The office is closed on Mondays.");
        let made = set_up(&ann, &place, &json!({ "urls": [site.at("/a#top"), site.at("/b"), site.at("/a")] })).await.expect(201);
        assert_eq!((made.json["urls"].as_array().map(Vec::len), made.str("/status")), (Some(2), "queued"));
        let id = made.str("/id").to_owned();
        assert_eq!(counts(&over(&ann, &id).await), [2, 0, 0, 0, 0]);
        let all = documents(&ann, &place).await;
        assert_eq!((all.len(), &all[0]["source"], &all[0]["name"]), (2, &json!("web"), &json!(site.at("/a"))));
        let berth = all[0]["id"].as_str().expect("an id").to_owned();
        let found = ann.post("/api/v1/search", &json!({ "query": "berth" })).await.expect(200);
        assert!(found.text.contains("12 euros"), "{}", found.text);

        // Nothing changed: what has a mark is not even sent again.
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 2, 0, 0]);
        assert!(site.asked.lock().expect("sound").contains(&("/a".into(), true)));
        site.page("/a", Some("a2"), "A berth costs 14 euros.");
        assert_eq!(counts(&sync(&ann, &id).await), [0, 1, 1, 0, 0]);
        let all = documents(&ann, &place).await;
        assert_eq!((all.len(), all[0]["id"].as_str(), &all[0]["version"]), (2, Some(berth.as_str()), &json!(2)));
        let found = ann.post("/api/v1/search", &json!({ "query": "berth" })).await.expect(200);
        assert!(found.text.contains("14 euros") && !found.text.contains("12 euros"), "{}", found.text);

        // Fetched by hand it is a version of the same document, too.
        site.page("/a", Some("a3"), "A berth costs 16 euros.");
        let web = format!("/api/v1/collections/{place}/documents/web");
        let sent = ann.post(&web, &json!({ "url": site.at("/a") })).await.expect(202);
        assert_eq!((sent.str("/document/id"), &sent.json["document"]["version"]), (berth.as_str(), &json!(3)));
        documents(&ann, &place).await;

        // One page fails for once and stays, the other is gone.
        site.put("/a", "500 Oops", "", "secret of the server");
        site.gone("/b");
        let shown = sync(&ann, &id).await;
        assert_eq!((counts(&shown), &shown["status"]), ([0, 0, 0, 1, 1], &json!("done")));
        assert!(shown["error"]["message"].as_str().is_some_and(|text| text.contains("/a") && text.contains("500") && !text.contains("secret")));
        let all = documents(&ann, &place).await;
        assert_eq!((all.len(), all[0]["id"].as_str()), (1, Some(berth.as_str())));
        let found = ann.post("/api/v1/search", &json!({ "query": "office Mondays" })).await.expect(200);
        assert!(!found.text.contains("Mondays"), "{}", found.text);
        ann.delete(&format!("/api/v1/sources/{id}")).await.expect(204);
        ann.get(&format!("/api/v1/sources/{id}")).await.expect(404);
        assert_eq!(documents(&ann, &place).await.len(), 1, "what was brought stays");
        let log = ann.get("/api/v1/audit?limit=100").await.expect(200);
        for action in ["source.created", "source.synced", "source.deleted", "document.deleted"] {
            assert!(log.text.contains(action), "{action}");
        }
    }

    async fn what_somebody_else_fetched_changes_and_goes_with_no_source(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        site.page("/a", None, "A berth costs 12 euros.");
        site.page("/b", None, "The office is closed on Mondays.");
        site.page("/c", None, "The crane lifts forty tonnes.");
        for path in ["/d.txt", "/e.txt"] {
            site.put(path, "200 OK", "content-type: text/plain\r\n", "The harbour master lives here.");
        }
        let web = format!("/api/v1/collections/{place}/documents/web");
        let mut hers = Vec::new();
        for path in ["/a", "/b", "/c", "/d.txt"] {
            let sent = ann.post(&web, &json!({ "url": site.at(path) })).await.expect(202);
            hers.push((sent.str("/document/id").to_owned(), site.at(path)));
        }
        documents(&ann, &place).await;

        // One page changed since, the others are hers until they say something else; one has her content, and a name of its own.
        site.page("/a", None, "A berth costs 14 euros.");
        let listed = ["/a", "/b", "/c", "/e.txt"];
        let made = set_up(&max, &place, &json!({ "urls": listed.map(|path| site.at(path)) })).await.expect(201);
        let id = made.str("/id").to_owned();
        assert_eq!(counts(&over(&max, &id).await), [1, 0, 3, 0, 0]);
        documents(&ann, &place).await;
        site.page("/b", None, "The office is closed on Fridays.");
        assert_eq!(counts(&sync(&max, &id).await), [1, 0, 3, 0, 0]);
        let all = documents(&ann, &place).await;
        let whose: Vec<_> = all.iter().map(|one| (one["created_by"].as_str(), one["version"].as_i64())).collect();
        let (of_ann, of_max) = ((Some(ann.user.as_str()), Some(1)), (Some(max.user.as_str()), Some(1)));
        assert_eq!(whose, [of_ann, of_ann, of_ann, of_ann, of_max, of_max]);
        // His own go on with their pages.
        site.page("/a", None, "A berth costs 16 euros.");
        assert_eq!(counts(&sync(&max, &id).await), [0, 1, 3, 0, 0]);
        documents(&ann, &place).await;

        for path in listed {
            site.gone(path);
        }
        assert_eq!(counts(&sync(&max, &id).await), [0, 0, 0, 2, 0]);
        let text = |one: &Value, name: &str| one[name].as_str().expect("text").to_owned();
        let left: Vec<_> = documents(&ann, &place).await.iter().map(|one| (text(one, "id"), text(one, "name"))).collect();
        assert_eq!(left, hers, "hers stay, by their names");
    }

    async fn a_sitemap_takes_away_what_it_does_not_name_any_more(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        for n in 0..25 {
            site.page(&format!("/{n}"), None, &format!("Berth number {n} is free."));
        }
        let urls: Vec<String> = (0..25).map(|n| site.at(&format!("/{n}"))).collect();
        site.sitemap(&[&urls[..], &["https://elsewhere.example/".into(), "file:///etc/passwd".into()]].concat());
        let made = set_up(&ann, &place, &json!({ "sitemap": site.at("/sitemap.xml"), "name": "Harbour" })).await.expect(201);
        let id = made.str("/id").to_owned();
        assert_eq!(counts(&over(&ann, &id).await), [25, 0, 0, 0, 0]);
        site.sitemap(&urls[..23]);
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 23, 2, 0]);
        assert_eq!(documents(&ann, &place).await.len(), 23);
        // A sitemap that is none, or away, takes nothing.
        for broken in ["<html>We are sorry</html>", ""] {
            site.put("/sitemap.xml", "200 OK", "", broken);
            assert_eq!(sync(&ann, &id).await["status"], json!("failed"));
        }
        site.gone("/sitemap.xml");
        let shown = sync(&ann, &id).await;
        assert_eq!((&shown["status"], &shown["error"]["code"]), (&json!("failed"), &json!("upstream_failed")));
        assert_eq!(documents(&ann, &place).await.len(), 23);
        site.sitemap(&urls[..23]);
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 23, 0, 0]);
    }

    async fn a_site_that_asks_to_wait_is_left_alone_and_gone_on_with(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        for path in ["/a", "/c"] {
            site.page(path, None, &format!("Page {path} says something."));
        }
        site.put("/b", "429 Slow", "retry-after: 120\r\n", "");
        let urls = ["/a", "/b", "/c"].map(|path| site.at(path));
        let id = set_up(&ann, &place, &json!({ "urls": urls })).await.expect(201).str("/id").to_owned();
        for _ in 0..400 {
            if site.times("/b") > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        let shown = ann.get(&format!("/api/v1/sources/{id}")).await.expect(200);
        assert_eq!((shown.str("/status"), site.times("/b"), site.times("/c")), ("syncing", 1, 0));
        site.page("/b", None, "It says something after all.");
        house.clock.advance(Duration::from_mins(3));
        assert_eq!(counts(&over(&ann, &id).await), [3, 0, 0, 0, 0]);
        assert_eq!(site.times("/a"), 1, "what the round had is not fetched again");
    }

    async fn a_round_waits_while_the_organisation_is_suspended(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let olga = house.operator("Olga").await;
        let (place, bobs) = (collection(&ann, "project").await, collection(&bob, "project").await);
        let site = Site::open().await;
        site.put("/a", "429 Slow", "retry-after: 120\r\n", "");
        site.page("/b", None, "A berth costs 12 euros.");
        let id = set_up(&ann, &place, &json!({ "urls": [site.at("/a")] })).await.expect(201).str("/id").to_owned();
        for _ in 0..400 {
            if site.times("/a") > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        assert_eq!(site.times("/a"), 1, "its round has begun");
        let status = format!("/api/v1/operator/orgs/{}", ann.org);
        olga.patch(&status, &json!({ "status": "suspended" })).await.expect(200);
        site.page("/a", None, "It says something after all.");
        house.clock.advance(Duration::from_mins(3));
        // Two rounds of Bob's are begun and over after Ann's turn has come.
        let other = set_up(&bob, &bobs, &json!({ "urls": [site.at("/b")] })).await.expect(201).str("/id").to_owned();
        over(&bob, &other).await;
        sync(&bob, &other).await;
        assert_eq!(site.times("/a"), 1, "nothing comes into a suspended organisation");
        olga.patch(&status, &json!({ "status": "active" })).await.expect(200);
        house.clock.advance(Duration::from_hours(1));
        house.store().wake_workers();
        let ann = house.signed_in_again(&ann).await;
        assert_eq!(counts(&over(&ann, &id).await), [1, 0, 0, 0, 0]);
    }

    async fn a_long_round_lets_others_have_their_turn_and_goes_on(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        for path in ["/000", "/119"] {
            site.page(path, None, &format!("Page {path} says something."));
        }
        let path = |n: usize| format!("/{n:03}");
        site.sitemap(&(0..120).map(|n| site.at(&path(n))).collect::<Vec<_>>());
        let made = set_up(&ann, &place, &json!({ "sitemap": site.at("/sitemap.xml"), "name": "Harbour" })).await.expect(201);
        let id = made.str("/id").to_owned();
        let shown = over(&ann, &id).await;
        assert_eq!((counts(&shown), &shown["status"]), ([2, 0, 0, 0, 0], &json!("done")));
        assert_eq!(site.times("/sitemap.xml"), 3, "it began anew twice");
        assert!((0..120).all(|n| site.times(&path(n)) == 1), "where it was");
        assert_eq!(documents(&ann, &place).await.len(), 2);
    }

    async fn a_round_after_one_that_failed_half_way_takes_nothing_away(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let site = Site::open().await;
        let paths = ["/a", "/b", "/c", "/d", "/e"];
        for path in paths {
            site.page(path, None, &format!("Page {path} says something."));
        }
        let urls = paths.map(|path| site.at(path));
        site.sitemap(&urls);
        let made = set_up(&ann, &place, &json!({ "sitemap": site.at("/sitemap.xml"), "name": "Harbour" })).await.expect(201);
        let id = made.str("/id").to_owned();
        assert_eq!(counts(&over(&ann, &id).await), [5, 0, 0, 0, 0]);
        documents(&ann, &place).await;

        // Far in, it is asked to wait; when it goes on, its sitemap is away.
        site.put("/e", "429 Slow", "retry-after: 120\r\n", "");
        ann.post(&format!("/api/v1/sources/{id}/sync"), &json!({})).await.expect(202);
        for _ in 0..400 {
            if site.times("/e") > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        site.put("/sitemap.xml", "500 Oops", "", "");
        // Its pause may be noted only after the first of them.
        for _ in 0..3 {
            house.clock.advance(Duration::from_mins(3));
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(over(&ann, &id).await["status"], json!("failed"));
        site.sitemap(&urls);
        site.page("/e", None, "Page /e says something.");
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 5, 0, 0]);
        assert_eq!(documents(&ann, &place).await.len(), 5);
    }

    async fn nobody_is_led_behind_this_server_by_a_source(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let ben = house.join(&ann, "Ben", "owner").await;
        let place = collection(&ann, "private").await;
        for address in ["http://10.0.0.1/", "https://[::1]/", "file:///etc/passwd", "https://169.254.169.254/latest", "x", "https://user:pass@example.com/"] {
            let refused = set_up(&ann, &place, &json!({ "urls": ["https://example.com/", address] })).await.expect(422);
            assert_eq!(refused.str("/error/param"), "urls[1]", "{address}");
            assert_eq!(set_up(&ann, &place, &json!({ "sitemap": address })).await.expect(422).str("/error/param"), "sitemap");
        }
        for (body, field) in [
            (json!({}), "urls"),
            (json!({ "urls": [] }), "urls"),
            (json!({ "urls": vec!["https://example.com/"; 201] }), "urls"),
            (json!({ "urls": ["https://example.com/"], "sitemap": "https://example.com/" }), "sitemap"),
            (json!({ "urls": ["https://example.com/"], "often": 5 }), "often"),
        ] {
            assert_eq!(set_up(&ann, &place, &body).await.expect(422).str("/error/param"), field, "{body}");
        }
        let site = Site::open().await;
        site.put("/away", "302 Found", "location: http://10.0.0.1/secret\r\n", "");
        site.put("/round", "302 Found", "location: /round\r\n", "");
        site.put("/empty", "200 OK", "", "");
        let urls = ["/away", "/round", "/empty"].map(|path| site.at(path));
        let id = set_up(&ann, &place, &json!({ "urls": urls })).await.expect(201).str("/id").to_owned();
        let shown = over(&ann, &id).await;
        assert_eq!((counts(&shown), shown.to_string().contains("10.0.0.1")), ([0, 0, 0, 0, 3], false), "{shown}");
        // What is private is nobody else's: not another organisation's, not another owner's.
        for who in [&bob, &ben] {
            set_up(who, &place, &json!({ "urls": [site.at("/x")] })).await.expect(404);
            who.get(&format!("/api/v1/collections/{place}/sources")).await.expect(404);
            who.get(&format!("/api/v1/sources/{id}")).await.expect(404);
            who.post(&format!("/api/v1/sources/{id}/sync"), &json!({})).await.expect(404);
            who.delete(&format!("/api/v1/sources/{id}")).await.expect(404);
        }
        // Who only reads a collection neither sets up nor asks again.
        let open = collection(&ann, "project").await;
        let vera = house.join(&ann, "Vera", "viewer").await;
        let id = set_up(&ann, &open, &json!({ "urls": [site.at("/away")] })).await.expect(201).str("/id").to_owned();
        over(&ann, &id).await;
        assert!([403, 404].contains(&set_up(&vera, &open, &json!({ "urls": [site.at("/x")] })).await.status));
        vera.post(&format!("/api/v1/sources/{id}/sync"), &json!({})).await.expect(403);
        vera.delete(&format!("/api/v1/sources/{id}")).await.expect(403);
        assert_eq!(vera.get(&format!("/api/v1/sources/{id}")).await.expect(200).str("/id"), id);
        // With its collection it goes.
        ann.delete(&format!("/api/v1/collections/{open}?confirm=Handbook")).await.expect(204);
        ann.get(&format!("/api/v1/sources/{id}")).await.expect(404);
    }
}
