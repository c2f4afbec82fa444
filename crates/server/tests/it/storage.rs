//! What knowledge takes: shown for each collection to whoever sees it, and told when it comes near to what the plan has room for.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Client, Receiver, TestHouse, both_stores};

use crate::answers::{bring, collection};
use crate::collections::{PATH, url};
use crate::providers::open;

const TEXT: &str = "# Berths\n\nA berth for one night costs twelve euros.\n";

async fn storage(who: &Client, id: &str) -> Value {
    let shown = who.get(&url(id)).await.expect(200).json["storage"].clone();
    let list = who.get(PATH).await.expect(200).json;
    let listed =
        list["data"].as_array().expect("a list").iter().find(|one| one["id"] == *id).expect("it is listed").clone();
    assert_eq!(listed["storage"], shown, "the list says the same");
    shown
}

/// Gives an organisation an exception from its plan; the id of it.
async fn limit(olga: &Client, org: &str, meter: &str, limit: i64) -> String {
    let exception = json!({ "kind": "limit", "meter": meter, "limit": limit });
    let body = json!({ "exception": exception, "reason": "a test" });
    olga.post(&format!("/api/v1/operator/orgs/{org}/overrides"), &body).await.expect(201).str("/id").to_owned()
}

/// How many documents and bytes somebody is told that the organisation keeps, of what its plan has room for.
async fn kept(who: &Client) -> [i64; 2] {
    let quota = who.get("/api/v1/usage/quota").await.expect(200).json;
    ["documents", "storage"].map(|counted| {
        let found = quota["data"].as_array().expect("limits").iter().find(|limit| limit["counted"] == counted);
        let number = |name: &str| found.expect("it is told")[name].as_i64().expect("a number");
        assert_eq!(number("remaining"), number("limit") - number("used"));
        number("used")
    })
}

async fn text(who: &Client, collection: &str, words: &str) -> testing::Answer {
    let body = json!({ "title": &words[..words.len().min(12)], "text": words });
    who.post(&format!("{}/documents/text", url(collection)), &body).await
}

/// Waits until somebody has so many mails about how full it is; gives their subjects, sorted.
async fn told(house: &TestHouse, email: &str, count: usize) -> Vec<String> {
    let enough = async {
        loop {
            let mails = house.mails_to(email).await.into_iter().map(|mail| mail.subject);
            let mut found: Vec<String> = mails.filter(|subject| subject.contains("is used to")).collect();
            if found.len() >= count {
                found.sort();
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), enough).await.expect("told in time")
}

both_stores! {
    in open();
    async fn each_collection_says_what_it_takes_to_whoever_sees_it(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let (one, other) = (collection(&ann, "project").await, collection(&ann, "private").await);
        let empty = json!({ "documents": 0, "passages": 0, "original_bytes": 0, "text_bytes": 0, "vector_bytes": 0 });
        assert_eq!(storage(&ann, &one).await, empty);
        bring(&ann, &one, "one.md", TEXT).await;
        let held = storage(&ann, &one).await;
        assert_eq!((&held["documents"], &held["passages"], &held["original_bytes"]), (&json!(1), &json!(1), &json!(TEXT.len())));
        assert_eq!(held["vector_bytes"], 384, "one vector of the model inside");
        assert!(held["text_bytes"].as_i64().expect("a number") > 50, "{held}");
        // The same original in the same collection counts once, as another version of another document does not.
        let second = bring(&ann, &one, "two.md", "# Cranes\n\nThe crane lifts forty tonnes.\n").await;
        ann.form("PUT".parse().expect("a method"), &format!("/api/v1/documents/{second}/content"), &[], "two.md", TEXT.as_bytes()).await.expect(202);
        crate::answers::settled(&ann, &second).await;
        let held = storage(&ann, &one).await;
        assert_eq!((&held["documents"], &held["original_bytes"]), (&json!(2), &json!(TEXT.len() + 40)));
        bring(&ann, &other, "one.md", TEXT).await;
        assert_eq!(storage(&ann, &other).await["original_bytes"], TEXT.len());
        assert_eq!(storage(&max, &one).await, held);
        for who in [&max, &bob] {
            assert_eq!(who.get(&url(&other)).await.status, 404, "nobody learns what a private collection takes");
        }
        assert_eq!(kept(&ann).await, [3, i64::try_from(TEXT.len() + 40).expect("few")]);
        assert_eq!(kept(&max).await, kept(&ann).await, "a member sees the use of the whole organisation");
        assert_eq!(kept(&bob).await, [0, 0]);
        ann.delete(&format!("/api/v1/documents/{second}")).await.expect(204);
        assert_eq!(storage(&ann, &one).await["documents"], 1);
    }

    async fn those_who_run_an_organisation_are_told_once_when_it_is_nearly_full_and_when_it_is(house) {
        let olga = house.operator("Olga").await;
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        house.join(&ann, "Adi", "admin").await;
        let bob = house.sign_up("Bob").await;
        limit(&olga, &ann.org, "documents", 10).await;
        let mut receiver = Receiver::start().await;
        let hook = json!({ "url": receiver.url("/in"), "events": ["quota.threshold", "quota.exhausted"] });
        ann.post("/api/v1/webhooks", &hook).await.expect(201);
        let place = collection(&ann, "project").await;
        let mut ids = Vec::new();
        for n in 0..7 {
            ids.push(text(&max, &place, &format!("number {n}")).await.expect(202).str("/document/id").to_owned());
        }
        assert_eq!(told(&house, "ann@example.com", 0).await.len(), 0);
        ids.push(text(&max, &place, "number 7").await.expect(202).str("/document/id").to_owned());
        let nearly = "The plan's limit of documents is used to 80 %";
        assert_eq!(told(&house, "ann@example.com", 1).await, [nearly]);
        let mail = house.mail("ann@example.com", nearly).await.body;
        assert!(mail.contains("8 documents of 10 documents") && mail.contains("/api/v1/collections"), "{mail}");
        let event = receiver.next().await.json();
        assert_eq!((&event["type"], &event["data"]["counted"], &event["data"]["used"], &event["data"]["limit"]), (&json!("quota.threshold"), &json!("documents"), &json!(8), &json!(10)));
        text(&max, &place, "number 8").await.expect(202);
        text(&max, &place, "number 9").await.expect(202);
        let full = "The plan's limit of documents is used to 100 %";
        assert_eq!(told(&house, "ann@example.com", 2).await, [full, nearly]);
        assert_eq!(receiver.next().await.json()["type"], "quota.exhausted");
        assert_eq!(text(&max, &place, "number 10").await.expect(402).code(), "entitlement");
        // Below it, and above it once more: that is another time.
        house.clock.advance(Duration::from_secs(1));
        for id in &ids[..3] {
            max.delete(&format!("/api/v1/documents/{id}")).await.expect(204);
        }
        text(&max, &place, "number 11").await.expect(202);
        assert_eq!(told(&house, "ann@example.com", 3).await, [full, nearly, nearly]);
        assert_eq!(told(&house, "adi@example.com", 3).await.len(), 3);
        assert_eq!(told(&house, "max@example.com", 0).await.len() + told(&house, "bob@example.com", 0).await.len(), 0);
        assert_eq!(receiver.next().await.json()["type"], "quota.threshold");
        assert!(receiver.is_silent(), "each once");
        drop(bob);
    }

    async fn what_does_not_fit_into_the_rest_of_the_storage_says_that_it_is_full(house) {
        let olga = house.operator("Olga").await;
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let over = limit(&olga, &ann.org, "storage", 1000).await;
        let place = collection(&ann, "project").await;
        text(&ann, &place, &"a".repeat(900)).await.expect(202);
        assert_eq!(told(&house, "ann@example.com", 1).await, ["The plan's limit of storage is used to 80 %"]);
        for _ in 0..3 {
            assert_eq!(text(&ann, &place, &"b".repeat(500)).await.expect(402).str("/error/param"), "storage");
        }
        let both = ["The plan's limit of storage is used to 100 %", "The plan's limit of storage is used to 80 %"];
        assert_eq!(told(&house, "ann@example.com", 2).await, both, "once");
        // Of another limit all is told anew.
        olga.delete(&format!("/api/v1/operator/orgs/{}/overrides/{over}", ann.org)).await.expect(204);
        limit(&olga, &ann.org, "storage", 2000).await;
        house.clock.advance(Duration::from_secs(1));
        text(&ann, &place, &"c".repeat(800)).await.expect(202);
        assert_eq!(told(&house, "ann@example.com", 3).await.len(), 3);
    }
}
