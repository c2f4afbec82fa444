//! Search: filters one by one, why a passage is there and why a document is not, and words in their places.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, both_stores};

const PATH: &str = "/api/v1/search";

async fn collection(who: &Client, name: &str, access: &str) -> String {
    let body = json!({ "name": name, "access": access });
    who.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

async fn search(who: &Client, more: Value) -> Answer {
    let mut body = json!({ "query": "battery" });
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    who.post(PATH, &body).await.expect(200)
}

fn titles(answer: &Answer) -> Vec<String> {
    let results = answer.json["results"].as_array().expect("a list");
    let mut titles: Vec<String> = results.iter().map(|one| one["title"].as_str().expect("text").to_owned()).collect();
    titles.sort();
    titles
}

/// What is said of the documents that are not there, by title.
fn left_out(answer: &Answer) -> Vec<(String, String)> {
    let text = |one: &Value, name: &str| one[name].as_str().expect("text").to_owned();
    let all = answer.json["explanation"]["left_out"].as_array().expect("a list");
    let mut all: Vec<_> = all.iter().map(|one| (text(one, "title"), text(one, "why"))).collect();
    all.sort();
    all
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(title, why)| ((*title).to_owned(), (*why).to_owned())).collect()
}

both_stores! {
    async fn each_filter_lets_through_what_it_says(house) {
        let ann = house.sign_up("Ann").await;
        let (one, two) = (collection(&ann, "One", "project").await, collection(&ann, "Two", "private").await);
        let scope = house.scope(&ann).await;
        let first = house.document(&scope, &one, "First", &["The battery is full."]).await;
        house.clock.advance(Duration::from_mins(1));
        house.document(&scope, &two, "Second", &["The battery is empty."]).await;
        let since = ann.get(&format!("/api/v1/collections/{two}/documents")).await.expect(200).str("/data/0/created_at").to_owned();
        let url = format!("/api/v1/documents/{first}");
        ann.patch(&url, &json!({ "tags": ["power", "2026"] })).await.expect(200);
        let both = vec!["First".to_owned(), "Second".to_owned()];
        for (more, expected) in [
            (json!({}), both.clone()),
            (json!({ "collections": [one] }), vec!["First".into()]),
            (json!({ "collections": [one, two] }), both.clone()),
            (json!({ "filters": { "kinds": ["text"] } }), both.clone()),
            (json!({ "filters": { "kinds": ["pdf"] } }), vec![]),
            (json!({ "filters": { "sources": ["upload"] } }), both),
            (json!({ "filters": { "sources": ["correction"] } }), vec![]),
            (json!({ "filters": { "tags": ["Power"] } }), vec!["First".into()]),
            (json!({ "filters": { "tags": ["power", "2026"] } }), vec!["First".into()]),
            (json!({ "filters": { "tags": ["power", "2025"] } }), vec![]),
            (json!({ "filters": { "since": since } }), vec!["Second".into()]),
            (json!({ "filters": { "until": since } }), vec!["First".into()]),
            (json!({ "filters": { "tags": ["power"], "since": since } }), vec![]),
            (json!({ "limit": 1, "collections": [two] }), vec!["Second".into()]),
        ] {
            assert_eq!(titles(&search(&ann, more.clone()).await), expected, "{more}");
        }
        for (more, field) in [
            (json!({ "limit": 0 }), "limit"),
            (json!({ "limit": 101 }), "limit"),
            (json!({ "query": " " }), "query"),
            (json!({ "filters": { "kind": ["pdf"] } }), "filters.kind"),
            (json!({ "filters": { "tags": vec!["x"; 101] } }), "filters.tags"),
            (json!({ "filters": { "kinds": ["text", "te\0xt"] } }), "filters.kinds"),
            (json!({ "filters": { "sources": ["\0"] } }), "filters.sources"),
            (json!({ "filters": { "tags": ["a\0"] } }), "filters.tags"),
            (json!({ "explain": "yes" }), "explain"),
        ] {
            let mut body = json!({ "query": "battery" });
            body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
            assert_eq!(ann.post(PATH, &body).await.expect(422).str("/error/param"), field);
        }
    }

    async fn what_is_there_and_what_is_not_is_explained(house) {
        let ann = house.sign_up("Ann").await;
        let (max, bob) = (house.join(&ann, "Max", "member").await, house.sign_up("Bob").await);
        let (mine, ours) = (collection(&ann, "Mine", "private").await, collection(&ann, "Ours", "project").await);
        let shared = collection(&max, "Shared", "shared").await;
        max.put(&format!("/api/v1/collections/{shared}/shares/users/{}", ann.user), &json!({})).await.expect(200);
        let hidden = collection(&max, "Diary", "private").await;
        let (hers, his) = (house.scope(&ann).await, house.scope(&max).await);
        house.document(&hers, &mine, "Best", &["The battery. The battery pack, battery by battery."]).await;
        house.document(&hers, &ours, "Fair", &["A battery is among many other things in this long sentence about stations."]).await;
        house.document(&hers, &ours, "Other", &["Trains and ships."]).await;
        house.document(&his, &shared, "Lent", &["Batteries and a battery."]).await;
        house.document(&his, &hidden, "Secret", &["The battery of Max."]).await;
        let told = search(&ann, json!({ "explain": true })).await;
        assert_eq!(titles(&told), ["Best", "Fair", "Lent"]);
        assert_eq!(left_out(&told), pairs(&[("Other", "no_match")]));
        let grant = |one: &Value| (one["name"].as_str().expect("text").to_owned(), one["grant"].as_str().expect("text").to_owned());
        let mut grants: Vec<_> = told.json["explanation"]["collections"].as_array().expect("a list").iter().map(grant).collect();
        grants.sort();
        assert_eq!(grants, pairs(&[("Mine", "own"), ("Ours", "organization"), ("Shared", "shared")]));
        let few = search(&ann, json!({ "explain": true, "limit": 1 })).await;
        assert_eq!(left_out(&few).iter().filter(|(_, why)| why == "below_the_limit").count(), 2, "{}", few.text);
        let one = search(&ann, json!({ "explain": true, "collections": [ours], "filters": { "tags": ["x"] } })).await;
        assert_eq!(left_out(&one), pairs(&[("Best", "collection_not_chosen"), ("Fair", "filtered_out"), ("Lent", "collection_not_chosen"), ("Other", "filtered_out")]));
        // What waits to be read is said, too.
        let url = format!("/api/v1/collections/{ours}/documents");
        let broken = ann.upload(&url, "broken.pdf", b"%PDF-1.7\n1 0 obj\n<< /Type").await.expect(202);
        let waits = search(&ann, json!({ "explain": true })).await;
        assert!(left_out(&waits).contains(&("broken.pdf".to_owned(), "not_ready".to_owned())), "{} {}", waits.text, broken.text);
        for answer in [&told, &few, &one, &waits] {
            assert!(!answer.text.contains("Secret") && !answer.text.contains("Diary"), "{}", answer.text);
        }
        let bobs = search(&bob, json!({ "explain": true })).await;
        assert_eq!(bobs.json, json!({ "results": [], "collections": 0, "reranked": null, "explanation": { "meaning": { "model": "all-minilm-l6-v2", "error": null }, "collections": [], "left_out": [], "more": false, "orders": null } }));
        assert_eq!(search(&ann, json!({})).await.json["explanation"], Value::Null);
    }

    /// However many others have the words more often.
    async fn a_narrow_filter_finds_what_it_lets_through(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "One", "project").await;
        let scope = house.scope(&ann).await;
        let texts: Vec<String> = (0..2100).map(|n| format!("Battery by battery {n}.")).collect();
        house.document(&scope, &place, "Many", &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let text = "Among very many other things that are written here for no reason at all it says: the battery is full.";
        let one = house.document(&scope, &place, "Rare", &[text]).await;
        ann.patch(&format!("/api/v1/documents/{one}"), &json!({ "tags": ["rare"] })).await.expect(200);
        let told = search(&ann, json!({ "filters": { "tags": ["rare"] } })).await;
        assert_eq!(titles(&told), ["Rare"]);
        assert!(told.json["results"][0]["why"]["words"].is_number(), "{}", told.text);
        assert_eq!(titles(&search(&ann, json!({ "limit": 3 })).await), ["Many", "Many", "Many"]);
    }

    async fn words_of_the_query_are_marked_in_the_text(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "One", "project").await;
        house.document(&house.scope(&ann).await, &place, "First", &["Über den Akku: the batteries, a battery."]).await;
        let told = search(&ann, json!({ "query": "Battery über" })).await;
        let text = told.str("/results/0/text");
        let at = |one: &Value, name: &str| usize::try_from(one[name].as_u64().expect("a number")).expect("small");
        let marks = told.json["results"][0]["highlights"].as_array().expect("a list");
        let words: Vec<&str> = marks.iter().map(|one| &text[at(one, "start")..at(one, "end")]).collect();
        assert_eq!(words, ["Über", "batteries", "battery"]);
    }
}
