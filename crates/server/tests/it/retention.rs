//! Rules by which documents go that grow old: what goes, when, and that it is told before.

use std::time::Duration;

use connectors::source::Readers;
use serde_json::{Value, json};
use store::org::knowledge::{documents, retention};
use testing::{Client, Shelf, TestHouse, both_stores};

use crate::answers::{bring, collection};
use crate::collections::{PATH, share, url};
use crate::sources::{counts, over, set_up, sync};

const DAY: Duration = Duration::from_hours(24);

/// Waits until a collection has so many documents.
async fn left(who: &Client, id: &str, count: usize) -> Value {
    let looked = async {
        loop {
            let shown = who.get(&url(id)).await.expect(200).json;
            if shown["storage"]["documents"] == count {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looked).await.unwrap_or_else(|_| panic!("{id} keeps what it has"))
}

async fn rule(who: &Client, id: &str, days: impl Into<Value>) -> Value {
    who.patch(&url(id), &json!({ "retain_days": days.into() })).await.expect(200).json["retention"].clone()
}

/// Lets days go by, and the server look around; whoever is given is signed in afterwards.
async fn later(house: &TestHouse, who: &Client, days: u32) -> Client {
    house.clock.advance(DAY * days);
    house.store().wake_workers();
    house.signed_in_again(who).await
}

both_stores! {
    async fn what_grew_old_goes_whole_and_what_came_again_stays(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (place, bobs) = (collection(&ann, "project").await, collection(&bob, "project").await);
        let old = bring(&ann, &place, "old.md", "# Berths\n\nA berth for one night costs twelve euros.\n").await;
        let again = bring(&ann, &place, "again.md", "# Cranes\n\nThe crane lifts forty tonnes.\n").await;
        bring(&bob, &bobs, "old.md", "# Berths\n\nA berth for one night costs twelve euros.\n").await;
        assert_eq!(ann.get(&url(&place)).await.expect(200).json["retention"], Value::Null);
        let set = rule(&ann, &place, 30).await;
        assert_eq!((&set["days"], &set["next_run_documents"]), (&json!(30), &json!(2)));
        let day = |days: u32| (house.clock_now() + DAY * days).to_string();
        assert!(set["next_run_at"].as_str().expect("a time") < day(31).as_str() && set["next_run_at"].as_str().expect("a time") > day(29).as_str());
        let ann = later(&house, &ann, 20).await;
        // The same file once more is no new version, and as fresh as a new one.
        let sent = ann.upload(&format!("{}/documents", url(&place)), "again.md", b"# Cranes\n\nThe crane lifts forty tonnes.\n").await;
        assert_eq!(sent.expect(202).json["job_id"], Value::Null);
        assert_eq!(ann.get(&url(&place)).await.expect(200).json["retention"]["next_run_documents"], 1);
        let question = json!({ "query": "berth euros" });
        assert!(ann.post("/api/v1/search", &question).await.expect(200).text.contains("twelve"));
        let ann = later(&house, &ann, 11).await;
        let shown = left(&ann, &place, 1).await;
        ann.get(&format!("/api/v1/documents/{old}")).await.expect(404);
        ann.get(&format!("/api/v1/documents/{again}")).await.expect(200);
        assert!(!ann.post("/api/v1/search", &question).await.expect(200).text.contains("twelve"), "neither by words nor by meaning");
        let log = ann.get(&format!("/api/v1/audit?object={old}")).await.expect(200).json;
        assert_eq!((&log["data"][0]["action"], &log["data"][0]["detail"]["retain_days"]), (&json!("document.deleted"), &json!(30)));
        let org = ann.org.parse().expect("an id");
        assert_eq!(house.store().knowledge_faults(org).await.expect("looked"), Vec::<String>::new(), "its original went, too");
        assert_eq!((&shown["retention"]["next_run_documents"], shown["storage"]["passages"].as_i64()), (&json!(1), Some(1)));
        // Somebody else's rule takes nothing of others.
        let bob = house.signed_in_again(&bob).await;
        assert!(bob.post("/api/v1/search", &question).await.expect(200).text.contains("twelve"));
        assert_eq!(bob.get(&url(&place)).await.status, 404);
    }

    async fn what_only_failed_to_come_grows_old(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        house.shelf.put("crane", "The crane lifts forty tonnes.", Readers::Collection);
        house.shelf.put("berth", "A berth for one night costs twelve euros.", Readers::Collection);
        let source = set_up(&ann, &place, &Shelf::source()).await.expect(201).str("/id").to_owned();
        assert_eq!(counts(&over(&ann, &source).await), [2, 0, 0, 0, 0]);
        crate::sources::documents(&ann, &place).await;
        rule(&ann, &place, 30).await;
        house.shelf.reads("crane", Readers::Collection, true);
        let ann = later(&house, &ann, 20).await;
        assert_eq!(counts(&sync(&ann, &source).await), [0, 0, 1, 0, 1]);
        let ann = later(&house, &ann, 11).await;
        left(&ann, &place, 1).await;
        let page = ann.get(&format!("{}/documents", url(&place))).await.expect(200);
        assert_eq!(page.str("/data/0/name"), "berth", "it came again as it was");
        // It is not there any more, and comes back when it can be fetched.
        house.shelf.reads("crane", Readers::Collection, false);
        assert_eq!(counts(&sync(&ann, &source).await), [1, 0, 1, 0, 0]);
    }

    async fn nothing_goes_while_the_organisation_is_suspended(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let olga = house.operator("Olga").await;
        let (place, bobs) = (collection(&ann, "project").await, collection(&bob, "project").await);
        for (who, place) in [(&ann, &place), (&bob, &bobs)] {
            house.document(&house.scope(who).await, place, "Old", &["words"]).await;
            rule(who, place, 1).await;
            // Bob's is looked at after Ann's.
            house.clock.advance(Duration::from_mins(1));
        }
        let status = format!("/api/v1/operator/orgs/{}", ann.org);
        olga.patch(&status, &json!({ "status": "suspended" })).await.expect(200);
        let bob = later(&house, &bob, 2).await;
        left(&bob, &bobs, 0).await;
        let ann = house.signed_in_again(&ann).await;
        assert_eq!(ann.get(&url(&place)).await.expect(200).json["storage"]["documents"], 1);
        let olga = house.sign_in(&house.visitor(), "Olga").await;
        olga.patch(&status, &json!({ "status": "active" })).await.expect(200);
        let ann = later(&house, &ann, 1).await;
        left(&ann, &place, 0).await;
    }

    async fn a_rule_that_is_taken_back_takes_nothing(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let kept = collection(&ann, "project").await;
        let scope = house.scope(&ann).await;
        for place in [&place, &kept] {
            house.document(&scope, place, "Old", &["words"]).await;
            rule(&ann, place, 1).await;
        }
        assert_eq!(rule(&ann, &kept, Value::Null).await, Value::Null);
        let ann = later(&house, &ann, 2).await;
        left(&ann, &place, 0).await;
        assert_eq!(left(&ann, &kept, 1).await["retention"], Value::Null);
        // It stands: what comes afterwards goes a day later.
        house.document(&house.scope(&ann).await, &place, "New", &["words"]).await;
        let ann = later(&house, &ann, 1).await;
        left(&ann, &place, 0).await;
    }

    async fn a_rule_waits_a_day_and_takes_a_hundred_at_a_time(house) {
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let scope = house.scope(&ann).await;
        let most = usize::try_from(retention::MOST).expect("few");
        for n in 0..most + 3 {
            house.document(&scope, &place, &format!("D{n}"), &["words"]).await;
        }
        let ann = later(&house, &ann, 60).await;
        let set = rule(&ann, &place, 7).await;
        assert_eq!(set["next_run_at"], (house.clock_now() + DAY).to_string(), "not at once");
        assert_eq!(set["next_run_documents"], most);
        house.clock.advance(DAY);
        house.store().wake_workers();
        let ann = house.signed_in_again(&ann).await;
        let shown = left(&ann, &place, 3).await["retention"].clone();
        assert_eq!((&shown["next_run_documents"], &shown["next_run_at"]), (&json!(3), &json!((house.clock_now() + Duration::from_hours(1)).to_string())));
        house.clock.advance(Duration::from_hours(1));
        house.store().wake_workers();
        let ann = house.signed_in_again(&ann).await;
        left(&ann, &place, 0).await;
    }

    async fn only_who_may_change_a_collection_sets_its_rule(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let place = collection(&ann, "shared").await;
        let body = json!({ "retain_days": 1 });
        assert_eq!((max.patch(&url(&place), &body).await.status, bob.patch(&url(&place), &body).await.status), (404, 404));
        assert_eq!(share(&ann, &place, &format!("users/{}", max.user)).await, 200);
        max.patch(&url(&place), &body).await.expect(403);
        for wrong in [json!(0), json!(-1), json!(3651), json!("7"), json!(1.5)] {
            let refused = ann.patch(&url(&place), &json!({ "retain_days": wrong })).await.expect(422);
            assert_eq!(refused.str("/error/param"), "retain_days", "{wrong}");
            let refused = ann.post(PATH, &json!({ "name": "X", "retain_days": wrong })).await.expect(422);
            assert_eq!(refused.str("/error/param"), "retain_days", "{wrong}");
        }
        assert_eq!(ann.with("if-match", "\"7\"").patch(&url(&place), &body).await.expect(412).code(), "stale");
        let set = ann.with("if-match", "\"1\"").patch(&url(&place), &body).await.expect(200);
        assert_eq!(set.headers["etag"], "\"2\"");
        assert_eq!(set.json["retention"]["days"], 1);
        assert_eq!(ann.patch(&url(&place), &json!({ "name": "Other" })).await.expect(200).json["retention"]["days"], 1, "what is left out stays");
        let made = ann.post(PATH, &json!({ "name": "New", "retain_days": 3650 })).await.expect(201).json;
        assert_eq!((&made["retention"]["days"], &made["storage"]["documents"]), (&json!(3650), &json!(0)));
        assert!(house.audit(&ann).await.iter().any(|entry| entry.action == "collection.updated"));
    }

    async fn nothing_goes_out_of_an_archived_project_until_it_is_restored(house) {
        let ann = house.sign_up("Ann").await;
        let project = crate::collections::project(&ann, "Harbour", true).await;
        let body = json!({ "name": "Old", "project_id": project, "retain_days": 1 });
        let place = ann.post(PATH, &body).await.expect(201).str("/id").to_owned();
        let scope = house.scope(&ann).await;
        let id = house.document(&scope, &place, "Old", &["words"]).await;
        ann.put(&format!("/api/v1/projects/{project}/archive"), &json!({})).await.expect(200);
        let ann = later(&house, &ann, 3).await;
        let looked = async {
            while ann.get(&url(&place)).await.expect(200).str("/retention/next_run_at") <= house.clock_now().to_string().as_str() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), looked).await.expect("it was looked at");
        let scope = house.scope(&ann).await;
        let mut tx = house.store().open(&scope).read().await.expect("begins");
        documents::get(&mut tx, id).await.expect("it is there");
        drop(tx);
        ann.delete(&format!("/api/v1/projects/{project}/archive")).await.expect(200);
        let ann = later(&house, &ann, 1).await;
        left(&ann, &place, 0).await;
    }
}
