//! What a source says of who reads something holds in every answer: for whom it names, as far as they see the collection, and for nobody
//! else.

use std::collections::BTreeSet;
use std::time::Duration;

use connectors::source::Readers;
use serde_json::{Value, json};
use store::audit::Event;
use store::control::people::{self, Person};
use store::{Actor, Origin, Turn};
use testing::shelf::only;
use testing::{Client, Shelf, TestHouse, both_stores};

use crate::answers::{ask, collection};
use crate::collections::{ids, share, url};
use crate::sources::{counts, over, set_up, sync};

const HERONS: &str = "Where does the heron stand?";

/// A paper that everybody's question finds.
fn text(name: &str) -> String {
    format!("The heron stands in the water of {name}pond.")
}

/// The names of the papers of which somebody is told.
fn named(text: &str) -> BTreeSet<String> {
    let names = text.split("pond").map(|before| {
        let start = before.rfind(|c: char| !c.is_ascii_lowercase()).map_or(0, |at| at + 1);
        before[start..].to_owned()
    });
    let mut names: Vec<String> = names.collect();
    names.pop();
    names.into_iter().filter(|name| !name.is_empty()).collect()
}

async fn found(who: &Client) -> BTreeSet<String> {
    let asked = json!({ "query": HERONS, "limit": 100, "explain": true });
    named(&who.post("/api/v1/search", &asked).await.expect(200).text)
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Waits until somebody finds exactly this, which documents that are still read come to.
async fn finds(who: &Client, names: &[&str]) {
    let mut told = found(who).await;
    for _ in 0..600 {
        if told == set(names) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        told = found(who).await;
    }
    panic!("{} finds {told:?}, not {names:?}", who.email);
}

/// Nobody finds anything but what is theirs by now, at once.
async fn all_find(expected: &[(&Client, &[&str])]) {
    for (who, names) in expected {
        assert_eq!(found(who).await, set(names), "{}", who.email);
    }
}

/// The documents of the collections that somebody sees, by the pond in their address.
async fn documents(who: &Client) -> Vec<Value> {
    let mut all = Vec::new();
    for id in ids(&who.get("/api/v1/collections?limit=200").await.expect(200).json) {
        let page = who.get(&format!("/api/v1/collections/{id}/documents")).await.expect(200);
        all.extend(page.json["data"].as_array().expect("a list").clone());
    }
    all
}

fn put(house: &TestHouse, name: &str, readers: Readers) {
    house.shelf.put(&format!("{name}pond"), &text(name), readers);
}

/// Ann's organisation with Max and Vera, and Bob, who has one of his own.
async fn company(house: &TestHouse) -> [Client; 4] {
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    house.on_plan(&ann.org, "enterprise").await;
    let max = house.join(&ann, "Max", "member").await;
    let vera = house.join(&ann, "Vera", "viewer").await;
    [ann, max, vera, bob]
}

both_stores! {
    async fn each_reads_what_names_them_and_nobody_learns_of_the_rest(house) {
        let [ann, max, vera, bob] = company(&house).await;
        let place = collection(&ann, "project").await;
        put(&house, "open", Readers::Collection);
        put(&house, "max", only(&["Max@Example.com", "no address"], &[]));
        put(&house, "crew", only(&["max@example.com"], &["crew"]));
        put(&house, "bob", only(&["bob@example.com"], &["strangers"]));
        put(&house, "nobody", only(&[], &[]));
        house.shelf.group("crew", &["VERA@example.com", "gone@example.com"]);
        house.shelf.group("strangers", &["bob@example.com"]);
        let mut listening = max.listen("/api/v1/events").await;
        let source = set_up(&ann, &place, &Shelf::source()).await.expect(201).str("/id").to_owned();
        let shown = over(&ann, &source).await;
        assert_eq!((counts(&shown), &shown["error"]), ([1, 0, 0, 0, 0], &Value::Null), "what is not Ann's is not counted for her");
        assert_eq!(house.shelf.fetched(), 5);
        finds(&ann, &["open"]).await;
        finds(&max, &["open", "max", "crew"]).await;
        finds(&vera, &["open", "crew"]).await;
        assert_eq!(found(&bob).await, set(&[]));
        let (name, _) = listening.next().await.expect("Max is told");
        assert_eq!(name, "changed");

        // In lists, counts, jobs, answers, and by id; whoever owns the organisation and set the source up is nobody else.
        for (who, names) in [(&ann, set(&["open"])), (&max, set(&["open", "max", "crew"])), (&vera, set(&["open", "crew"]))] {
            let listed = documents(who).await;
            assert_eq!(listed.iter().flat_map(|one| named(&one["name"].to_string())).collect::<BTreeSet<_>>(), names, "{}", who.email);
            let page = who.get("/api/v1/collections?limit=200").await.expect(200);
            let counted: i64 = page.json["data"].as_array().expect("a list").iter().map(|one| one["storage"]["documents"].as_i64().expect("a count")).sum();
            assert_eq!(counted, i64::try_from(names.len()).expect("few"), "{}", page.text);
            let open = who.get(&url(&place)).await.expect(200);
            assert_eq!(open.json["storage"]["documents"], json!(1));
            let answer = who.post("/api/v1/search", &json!({ "query": HERONS, "collections": [place], "explain": true })).await.expect(200);
            assert_eq!(named(&answer.text), names, "a collection is searched with what is within it");
            let grants: BTreeSet<String> = answer.json["explanation"]["collections"].as_array().expect("a list").iter()
                .map(|one| one["grant"].as_str().expect("a grant").to_owned()).collect();
            assert_eq!(grants.contains("reader"), names.len() > 1, "{}", answer.text);
        }
        for who in [&ann, &max] {
            let answer = ask(who, HERONS).await;
            assert!(named(&answer.text).is_subset(&found(who).await), "{}", answer.text);
        }
        let hidden: Vec<Value> = documents(&max).await.into_iter().filter(|one| one["collection_id"] != json!(place)).collect();
        assert_eq!(hidden.len(), 2);
        for one in &hidden {
            let (id, circle, job) = (one["id"].as_str().expect("an id"), one["collection_id"].as_str().expect("an id"), one["id"].as_str().expect("an id"));
            for path in ["", "/content", "/chunks", "/original", "/versions"] {
                max.get(&format!("/api/v1/documents/{id}{path}")).await.expect(200);
                for who in [&ann, &bob] {
                    who.get(&format!("/api/v1/documents/{id}{path}")).await.expect(404);
                }
            }
            for who in [&ann, &bob] {
                who.get(&url(circle)).await.expect(404);
                who.get(&format!("{}/documents", url(circle))).await.expect(404);
                who.get(&format!("{}/events", url(circle))).await.expect(404);
                who.delete(&format!("/api/v1/documents/{id}")).await.expect(404);
                who.get(&format!("/api/v1/jobs/{job}")).await.expect(404);
                who.post("/api/v1/search", &json!({ "query": HERONS, "collections": [circle] })).await.expect(404);
                assert_eq!(share(who, circle, &format!("users/{}", who.user)).await, 404);
            }
            // A reader neither lets others in, nor brings something there, nor takes the circle away.
            assert_eq!(max.get(&url(circle)).await.expect(200).str("/within"), place);
            assert!([403, 404].contains(&share(&max, circle, &format!("users/{}", vera.user)).await));
            assert_eq!(max.patch(&url(circle), &json!({ "access": "project" })).await.status, 403);
            assert_eq!(max.delete(&format!("{}?confirm=Handbook", url(circle))).await.status, 403);
            let pasted = max.post(&format!("{}/documents/text", url(circle)), &json!({ "title": "Note", "text": "Mine." })).await;
            assert_eq!(pasted.expect(409).code(), "conflict");
            set_up(&max, circle, &Shelf::source()).await.expect(409);
        }
        // With the same words somebody learns nothing of what lies there.
        let made = ann.upload(&format!("{}/documents", url(&place)), "mine.txt", text("max").as_bytes()).await.expect(202);
        assert!(!hidden.iter().any(|one| one["id"] == made.json["document"]["id"]), "{}", made.text);
    }

    async fn readers_follow_the_source_with_its_next_round(house) {
        let [ann, max, vera, _] = company(&house).await;
        let place = collection(&ann, "project").await;
        put(&house, "one", Readers::Collection);
        put(&house, "two", only(&["max@example.com"], &["crew"]));
        put(&house, "three", only(&[], &["crew"]));
        house.shelf.group("crew", &["vera@example.com"]);
        let source = set_up(&ann, &place, &Shelf::source()).await.expect(201).str("/id").to_owned();
        over(&ann, &source).await;
        finds(&ann, &["one"]).await;
        finds(&max, &["one", "two"]).await;
        finds(&vera, &["one", "two", "three"]).await;
        let cited = ask(&max, HERONS).await;
        assert!(named(&cited.text).contains("two"), "{}", cited.text);
        let thread = max.get("/api/v1/threads").await.expect(200).str("/data/0/id").to_owned();
        let before = house.shelf.fetched();

        // Narrower, although its text cannot be had: at once with the round, and without reading or embedding anything anew.
        house.shelf.reads("onepond", only(&["vera@example.com"], &[]), true);
        sync(&ann, &source).await;
        all_find(&[(&ann, &[]), (&max, &["two"]), (&vera, &["one", "two", "three"])]).await;
        // Wider, and to others.
        house.shelf.reads("onepond", Readers::Collection, false);
        house.shelf.reads("twopond", only(&["ann@example.com"], &[]), false);
        house.shelf.group("crew", &["max@example.com"]);
        sync(&ann, &source).await;
        all_find(&[(&ann, &["one", "two"]), (&max, &["one", "three"]), (&vera, &["one"])]).await;
        assert_eq!(house.shelf.fetched(), before, "nothing of it changed");
        let told = max.get(&format!("/api/v1/threads/{thread}/messages")).await.expect(200);
        let citations = told.json["data"].as_array().expect("a list").iter().map(|one| one["citations"].to_string()).collect::<String>();
        assert!(!named(&citations).contains("two"), "{citations}");
        // A group that is gone has nobody in it.
        house.shelf.group("crew", &[]);
        sync(&ann, &source).await;
        all_find(&[(&ann, &["one", "two"]), (&max, &["one"]), (&vera, &["one"])]).await;
        house.shelf.take("twopond");
        let shown = sync(&ann, &source).await;
        assert_eq!(counts(&shown), [0, 0, 1, 0, 0]);
        all_find(&[(&ann, &["one"])]).await;
        // A circle is as its source says: it goes with its last document.
        let seen = ann.get("/api/v1/collections?limit=200").await.expect(200);
        assert_eq!(ids(&seen.json), [place.as_str()]);
        let log = ann.get("/api/v1/audit?limit=200").await.expect(200);
        for action in ["document.moved", "source.regrouped"] {
            assert!(log.text.contains(action), "{action}");
        }
    }

    async fn a_collection_that_somebody_does_not_see_opens_to_them_by_no_source(house) {
        let [ann, max, vera, _] = company(&house).await;
        let place = collection(&ann, "private").await;
        put(&house, "both", only(&["ann@example.com", "max@example.com"], &[]));
        put(&house, "vera", only(&["vera@example.com"], &[]));
        let source = set_up(&ann, &place, &Shelf::source()).await.expect(201).str("/id").to_owned();
        over(&ann, &source).await;
        finds(&ann, &["both"]).await;
        all_find(&[(&max, &[]), (&vera, &[])]).await;
        ann.patch(&url(&place), &json!({ "access": "shared", "name": "Ours" })).await.expect(200);
        assert_eq!(share(&ann, &place, &format!("users/{}", max.user)).await, 200);
        all_find(&[(&ann, &["both"]), (&max, &["both"]), (&vera, &[])]).await;
        let names: BTreeSet<String> = max.get("/api/v1/collections").await.expect(200).json["data"].as_array().expect("a list").iter()
            .map(|one| one["name"].as_str().expect("a name").to_owned()).collect();
        assert_eq!(names, set(&["Ours"]), "it is called as what it is within");
        ann.delete(&format!("{}/shares/users/{}", url(&place), max.user)).await.expect(204);
        all_find(&[(&ann, &["both"]), (&max, &[]), (&vera, &[])]).await;
        // Without its source nobody would say who reads it: it goes with it, and with the collection.
        ann.delete(&format!("/api/v1/sources/{source}")).await.expect(204);
        all_find(&[(&ann, &[]), (&max, &[])]).await;
        let again = set_up(&ann, &place, &Shelf::source()).await.expect(201).str("/id").to_owned();
        over(&ann, &again).await;
        finds(&ann, &["both"]).await;
        ann.delete(&format!("{}?confirm=Ours", url(&place))).await.expect(204);
        all_find(&[(&ann, &[])]).await;
        assert_eq!(ids(&ann.get("/api/v1/collections").await.expect(200).json), Vec::<&str>::new());
    }

    async fn an_address_counts_while_it_is_somebodys_and_verified(house) {
        let [ann, max, vera, _] = company(&house).await;
        let place = collection(&ann, "project").await;
        put(&house, "old", only(&["max@example.com"], &[]));
        put(&house, "new", only(&["max@new.example", "vera@example.com"], &[]));
        let source = set_up(&ann, &place, &Shelf::source()).await.expect(201).str("/id").to_owned();
        over(&ann, &source).await;
        finds(&max, &["old"]).await;
        finds(&vera, &["new"]).await;
        let key = house.visitor().with_token(Some(&house.key(&max).await));
        all_find(&[(&key, &["old"])]).await;
        max.post("/api/v1/auth/email", &json!({ "email": "max@new.example" })).await.expect(202);
        all_find(&[(&max, &["old"])]).await;
        let token = house.mailed_token("max@new.example", "Confirm your new mail address").await;
        max.post("/api/v1/auth/email/confirm", &json!({ "token": token })).await.expect(204);
        let mut renamed = max;
        renamed.email = "max@new.example".into();
        let max = house.signed_in_again(&renamed).await;
        all_find(&[(&max, &["new"]), (&key, &["new"]), (&vera, &["new"])]).await;
        // One that nobody has shown to be theirs is nobody's.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        let person = people::get(&mut tx, vera.user.parse().expect("an id")).await.expect("there");
        people::update(&mut tx, &Person { verified_at: None, ..person }).await.expect("changed");
        tx.record_house(&Actor::System, &Origin::default(), Event::new("person.changed", "test")).await.expect("recorded");
        tx.commit().await.expect("committed");
        all_find(&[(&vera, &[]), (&max, &["new"])]).await;
        // Who leaves reads nothing.
        ann.delete(&format!("/api/v1/members/{}", vera.user)).await.expect(204);
        let left = vera.post("/api/v1/search", &json!({ "query": HERONS })).await;
        assert!(left.status >= 400 && named(&left.text).is_empty(), "{}", left.text);
    }
}
