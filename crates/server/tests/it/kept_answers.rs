//! What is kept of answers for who repeats a request: it is forgotten with the first document that it tells of, whichever way that goes,
//! and nothing is done twice.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse, both_stores};

use crate::answers::{bring, collection, settled};

const SECRET: &str = "# Zimtlaterne\n\nThe quixotrune costs 210 euros a night in Oslo.\n";
const OTHER: &str = "# Canteen\n\nThe canteen in Bergen serves soup at noon.\n";

/// A request with a key, as it is repeated.
struct Asked {
    who: Client,
    url: String,
    body: Value,
    answer: Answer,
}

impl Asked {
    async fn of(who: &Client, key: &str, url: &str, body: Value) -> Self {
        let who = who.with("idempotency-key", key);
        let answer = who.post(url, &body).await;
        assert!(answer.status < 300, "{}", answer.text);
        Self { who, url: url.to_owned(), body, answer }
    }

    async fn again(&self) -> Answer {
        self.who.post(&self.url, &self.body).await
    }

    /// The answer that was given comes again, as it was.
    async fn stays(&self) {
        let again = self.again().await;
        assert_eq!((again.status, &again.json), (self.answer.status, &self.answer.json), "{}", self.url);
        assert!(again.headers.contains_key("idempotent-replayed"));
    }

    /// It comes no more, and what it would say is told of as done.
    async fn is_gone(&self) {
        let again = self.again().await.expect(409);
        assert_eq!(again.code(), "answer_deleted", "{}", again.text);
        assert!(!again.headers.contains_key("idempotent-replayed"));
        for word in ["quixotrune", "Zimtlaterne", "zimtlaterne"] {
            assert!(!again.text.contains(word), "{}", again.text);
        }
    }
}

async fn thread(who: &Client) -> String {
    let id = who.post("/api/v1/threads", &json!({})).await.expect(201).str("/id").to_owned();
    format!("/api/v1/threads/{id}/messages")
}

async fn search(who: &Client, key: &str, words: &str) -> Asked {
    Asked::of(who, key, "/api/v1/search", json!({ "query": words, "explain": true })).await
}

/// How many answers are kept with something in them, where that can be counted from outside.
async fn kept(house: &TestHouse, org: &str) -> Option<i64> {
    if house.engine() == store::Engine::Sqlite {
        return None;
    }
    let org = org.trim_start_matches("org_");
    let text =
        "SELECT count(*) FROM org.idempotency WHERE replace(org_id::text, '-', '') = $1 AND length(response) > 0";
    Some(house.raw().await.query_one(text, &[&org]).await.expect("counted").get(0))
}

both_stores! {
    async fn answers_that_quote_a_document_are_forgotten_with_it(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let (open, private) = (collection(&ann, "project").await, collection(&ann, "private").await);
        let url = format!("/api/v1/collections/{open}/documents");
        let sent = ann.with("idempotency-key", "brought").form(Method::POST, &url, &[], "zimtlaterne.md", SECRET.as_bytes()).await.expect(202);
        let gone = sent.str("/document/id").to_owned();
        assert_eq!(settled(&ann, &gone).await.str("/status"), "ready");
        bring(&ann, &open, "canteen.md", OTHER).await;
        bring(&ann, &private, "hidden.md", OTHER).await;
        let of_bob = collection(&bob, "project").await;
        bring(&bob, &of_bob, "same.md", SECRET).await;

        let question = json!({ "content": "What does it cost a night in Oslo?" });
        let asked = Asked::of(&ann, "same", &thread(&ann).await, question.clone()).await;
        assert!(asked.answer.text.contains("quixotrune"), "{}", asked.answer.text);
        let elsewhere = Asked::of(&ann, "same", &thread(&ann).await, json!({ "content": "When does the canteen in Bergen serve soup?" })).await;
        assert!(elsewhere.answer.text.contains("soup") && !elsewhere.answer.text.contains(&gone), "{}", elsewhere.answer.text);
        let by_max = Asked::of(&max, "same", &thread(&max).await, question.clone()).await;
        let by_bob = Asked::of(&bob, "same", &thread(&bob).await, question).await;
        let found = search(&ann, "same", "quixotrune").await;
        // Named only among what did not fit.
        let left_out = search(&max, "same", "soup in the canteen").await;
        assert!(left_out.answer.json["explanation"]["left_out"].to_string().contains("Zimtlaterne") || left_out.answer.json["results"].to_string().contains("Zimtlaterne"), "{}", left_out.answer.text);
        let found_by_bob = search(&bob, "same", "quixotrune").await;
        let pasted = json!({ "title": "Zimtlaterne in short", "text": "The quixotrune is dear." });
        let pasted = Asked::of(&ann, "same", &format!("{url}/text"), pasted).await;
        // A text of somebody that looks like an id ties nothing to it.
        let named = Asked::of(&ann, "same", "/api/v1/threads", json!({ "title": gone })).await;
        for one in [&asked, &elsewhere, &by_max, &by_bob, &found, &left_out, &found_by_bob, &pasted, &named] {
            one.stays().await;
        }
        let before = kept(&house, &ann.org).await;

        ann.delete(&format!("/api/v1/documents/{gone}")).await.expect(204);
        for one in [&asked, &by_max, &found, &left_out] {
            one.is_gone().await;
        }
        for one in [&elsewhere, &by_bob, &found_by_bob, &named] {
            one.stays().await;
        }
        let again = ann.with("idempotency-key", "brought").form(Method::POST, &url, &[], "zimtlaterne.md", SECRET.as_bytes()).await;
        assert_eq!(again.expect(409).code(), "answer_deleted", "it is not brought a second time");
        let other = ann.with("idempotency-key", "brought").form(Method::POST, &url, &[], "canteen.md", OTHER.as_bytes()).await;
        assert_eq!(other.expect(422).code(), "idempotency_mismatch");
        assert_eq!(asked.who.post(&asked.url, &json!({ "content": "And in Bergen?" })).await.expect(422).code(), "idempotency_mismatch");
        // Answers, a search of each, and the document that came: five.
        assert_eq!(kept(&house, &ann.org).await, before.map(|count| count - 5));
        // Who lost the right to ask is told that first.
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": "viewer" })).await.expect(200);
        assert_eq!(by_max.again().await.expect(404).code(), "not_found");

        ann.delete(&format!("/api/v1/documents/{}", pasted.answer.str("/document/id"))).await.expect(204);
        pasted.is_gone().await;
        // After a day the key is free, and the same request is another one.
        house.clock.advance(Duration::from_hours(25));
        let ann = house.signed_in_again(&ann).await;
        let anew = search(&ann, "same", "quixotrune").await;
        assert!(!anew.answer.json["results"].to_string().contains("quixotrune"));
    }

    async fn answers_are_forgotten_whichever_way_a_document_goes(house) {
        let ann = house.sign_up("Ann").await;
        let project = ann.post("/api/v1/projects", &json!({ "name": "Trips" })).await.expect(201).str("/id").to_owned();
        let inside = json!({ "name": "Inside", "project_id": project });
        let inside = ann.post("/api/v1/collections", &inside).await.expect(201).str("/id").to_owned();
        let (alone, old) = (collection(&ann, "project").await, collection(&ann, "project").await);
        let staying = collection(&ann, "project").await;
        bring(&ann, &staying, "canteen.md", OTHER).await;
        let mut asked = Vec::new();
        for (place, words) in [(&alone, "alphorn"), (&inside, "basalt"), (&old, "cinnabar")] {
            bring(&ann, place, &format!("{words}.md"), &format!("# {words}\n\nThe {words} stands on the shelf.\n")).await;
            let body = json!({ "query": words, "collections": [place] });
            asked.push(Asked::of(&ann, words, "/api/v1/search", body).await);
        }
        let stays = Asked::of(&ann, "soup", "/api/v1/search", json!({ "query": "soup", "collections": [staying] })).await;
        ann.delete(&format!("/api/v1/collections/{alone}?confirm=Handbook")).await.expect(204);
        asked[0].is_gone().await;
        asked[1].stays().await;
        ann.put(&format!("/api/v1/projects/{project}/archive"), &json!({})).await.expect(200);
        ann.delete(&format!("/api/v1/projects/{project}?confirm=Trips")).await.expect(204);
        asked[1].is_gone().await;
        asked[2].stays().await;
        stays.stays().await;
        assert_eq!(house.store().org_faults(ann.org.parse().expect("an id")).await.expect("looked"), Vec::<String>::new());
        ann.delete(&format!("/api/v1/collections/{old}?confirm=Handbook")).await.expect(204);
        asked[2].is_gone().await;
        stays.stays().await;
    }
}
