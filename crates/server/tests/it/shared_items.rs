//! Two items of a source with the same content are one document: it stays as long as one of them is it, and follows none of them against
//! the other.

use std::time::Duration;

use connectors::source::Readers;
use serde_json::{Value, json};
use testing::shelf::only;
use testing::{Client, Shelf, TestHouse, both_stores};

use crate::answers::{collection, settled};
use crate::collections::url;
use crate::sources::{Site, counts, documents, over, set_up, sync};

const SAME: &str = "The heron stands in the reeds of the northern pond.";

/// The names of the documents of a collection, in order, once all are read.
async fn names(who: &Client, place: &str) -> Vec<String> {
    let mut names: Vec<String> =
        documents(who, place).await.iter().map(|one| one["name"].as_str().expect("a name").to_owned()).collect();
    names.sort();
    names
}

/// Waits until nothing is under way of what somebody sees.
async fn quiet(who: &Client) {
    for _ in 0..600 {
        let open = who.get("/api/v1/jobs").await.expect(200).json;
        if open["data"].as_array().is_some_and(Vec::is_empty) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("documents were not read");
}

/// What is found of herons, by text, once all that came is read.
async fn found(who: &Client) -> Vec<String> {
    quiet(who).await;
    let found = who.post("/api/v1/search", &json!({ "query": "Where does the heron stand?" })).await.expect(200);
    let mut texts: Vec<String> = found.json["results"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| one["text"].as_str().expect("text").to_owned())
        .collect();
    texts.sort();
    texts
}

async fn shelved(house: &TestHouse, who: &Client, place: &str) -> String {
    let id = set_up(who, place, &Shelf::source()).await.expect(201).str("/id").to_owned();
    over(who, &id).await;
    assert_eq!(house.store().org_faults(who.org.parse().expect("an id")).await.expect("looked"), Vec::<String>::new());
    id
}

both_stores! {
    in crate::providers::open();
    async fn a_document_stays_while_any_item_is_it(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (place, bobs) = (collection(&ann, "project").await, collection(&bob, "project").await);
        for key in ["east", "north", "west"] {
            house.shelf.put(key, SAME, Readers::Collection);
        }
        let id = shelved(&house, &ann, &place).await;
        let theirs = shelved(&house, &bob, &bobs).await;
        let all = documents(&ann, &place).await;
        assert_eq!((all.len(), all[0]["name"].as_str()), (1, Some("east")));
        let document = all[0]["id"].clone();

        house.shelf.take("east");
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 2, 0, 0], "no document went");
        let all = documents(&ann, &place).await;
        assert_eq!((all.len(), &all[0]["id"]), (1, &document));
        assert_eq!(found(&ann).await, [SAME]);
        house.shelf.take("north");
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 1, 0, 0]);
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 1, 0, 0]);
        assert_eq!(names(&ann, &place).await, ["west"], "it is called after the one that is left");
        house.shelf.take("west");
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 0, 1, 0]);
        assert!(names(&ann, &place).await.is_empty() && found(&ann).await.is_empty());
        // Of another organisation nothing went until its own round, and then as there.
        assert_eq!(found(&bob).await, [SAME]);
        assert_eq!(counts(&sync(&bob, &theirs).await), [0, 0, 0, 1, 0]);
        for who in [&ann, &bob] {
            let org = who.org.parse().expect("an id");
            assert_eq!(house.store().org_faults(org).await.expect("looked"), Vec::<String>::new());
            assert_eq!(house.store().knowledge_faults(org).await.expect("looked"), Vec::<String>::new());
        }
    }

    async fn what_one_item_says_anew_is_not_said_for_the_other(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        house.shelf.put("east", SAME, Readers::Collection);
        house.shelf.put("west", SAME, Readers::Collection);
        let id = shelved(&house, &ann, &place).await;
        let document = documents(&ann, &place).await[0]["id"].clone();
        let other = "The heron stands on one leg in the south.";
        house.shelf.put("east", other, Readers::Collection);
        assert_eq!(counts(&sync(&ann, &id).await), [1, 0, 1, 0, 0]);
        assert_eq!(names(&ann, &place).await, ["east", "west"]);
        assert_eq!(found(&ann).await, [SAME, other]);
        // Each goes its own way from here on.
        let third = "The heron stands nowhere at all.";
        house.shelf.put("west", third, Readers::Collection);
        assert_eq!(counts(&sync(&ann, &id).await), [0, 1, 1, 0, 0]);
        assert_eq!(found(&ann).await, [third, other]);
        let west = documents(&ann, &place).await.into_iter().find(|one| one["name"] == "west").expect("there");
        assert_eq!((&west["id"], &west["version"]), (&document, &json!(2)));
        house.shelf.take("east");
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 1, 1, 0]);
        assert_eq!(found(&ann).await, [third]);
    }

    async fn only_readers_of_the_items_that_are_left_see_it(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let (max, vera) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Vera", "viewer").await);
        let place = collection(&ann, "project").await;
        house.shelf.put("east", SAME, Readers::Collection);
        house.shelf.put("west", SAME, Readers::Collection);
        let id = shelved(&house, &ann, &place).await;
        names(&ann, &place).await;
        for who in [&ann, &max, &vera] {
            assert_eq!(found(who).await, [SAME]);
        }
        // The one by whose name it is called is for Max alone: nobody else learns its name any more.
        house.shelf.reads("east", only(&["max@example.com"], &[]), false);
        sync(&ann, &id).await;
        assert_eq!(names(&ann, &place).await, ["west"]);
        assert_eq!((found(&ann).await, found(&max).await), (vec![SAME.to_owned()], vec![SAME.to_owned(), SAME.to_owned()]));
        // The open one goes: what is left is Max's.
        house.shelf.take("west");
        assert_eq!(counts(&sync(&ann, &id).await), [0, 0, 0, 1, 0]);
        assert_eq!((found(&ann).await, found(&vera).await), (Vec::new(), Vec::new()));
        assert_eq!(found(&max).await, [SAME]);
        // Another one with the same readers is the same document, and keeps it.
        house.shelf.put("south", SAME, only(&["max@example.com"], &[]));
        sync(&ann, &id).await;
        house.shelf.take("east");
        sync(&ann, &id).await;
        assert_eq!((found(&max).await, found(&ann).await), (vec![SAME.to_owned()], Vec::new()));
        house.shelf.reads("south", only(&["vera@example.com"], &[]), false);
        sync(&ann, &id).await;
        assert_eq!((found(&vera).await, found(&max).await), (vec![SAME.to_owned()], Vec::new()));
    }

    async fn two_sources_that_bring_the_same_take_nothing_from_each_other(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        house.shelf.put("paper", SAME, Readers::Collection);
        let site = Site::open().await;
        site.put("/paper.txt", "200 OK", "content-type: text/plain\r\n", SAME);
        let shelf = shelved(&house, &ann, &place).await;
        let pages = set_up(&ann, &place, &json!({ "urls": [site.at("/paper.txt")] })).await.expect(201).str("/id").to_owned();
        over(&ann, &pages).await;
        assert_eq!(names(&ann, &place).await.len(), 1);
        house.shelf.take("paper");
        sync(&ann, &shelf).await;
        assert_eq!(found(&ann).await, [SAME]);
        // A source that is taken away leaves what it brought, and another one's going on.
        sync(&ann, &pages).await;
        assert_eq!(names(&ann, &place).await, [site.at("/paper.txt")]);
        ann.delete(&format!("/api/v1/sources/{shelf}")).await.expect(204);
        site.put("/paper.txt", "404 Not Found", "", "");
        assert_eq!(counts(&sync(&ann, &pages).await), [0, 0, 0, 1, 0]);
        assert!(found(&ann).await.is_empty());
    }

    async fn what_somebody_brought_by_hand_goes_with_no_item_and_changes_with_none(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let sent = ann.upload(&format!("{}/documents", url(&place)), "mine.txt", SAME.as_bytes()).await.expect(202);
        let mine = sent.str("/document/id").to_owned();
        settled(&ann, &mine).await;
        house.shelf.put("paper", SAME, Readers::Collection);
        let id = shelved(&house, &ann, &place).await;
        assert_eq!(names(&ann, &place).await, ["mine.txt"], "the same content is there once");
        let other = "The heron stands on one leg in the south.";
        house.shelf.put("paper", other, Readers::Collection);
        assert_eq!(counts(&sync(&ann, &id).await), [1, 0, 0, 0, 0]);
        assert_eq!(names(&ann, &place).await, ["mine.txt", "paper"]);
        house.shelf.put("paper", SAME, Readers::Collection);
        sync(&ann, &id).await;
        names(&ann, &place).await;
        house.shelf.take("paper");
        sync(&ann, &id).await;
        let left: Vec<Value> = documents(&ann, &place).await;
        assert_eq!((left.len(), left[0]["id"].as_str()), (1, Some(mine.as_str())));
        assert_eq!(found(&ann).await, [SAME]);
    }
}
