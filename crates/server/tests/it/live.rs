//! The stream of changes: what one browser changes is told to another within a second, as far as its person sees it.

use std::time::{Duration, Instant};

use serde_json::json;
use testing::{Client, Listening, TestHouse, both_stores};

const EVENTS: &str = "/api/v1/events";

/// The nouns of the next event.
async fn told(stream: &mut Listening) -> Vec<String> {
    let (name, data) = stream.next().await.expect("an event");
    assert_eq!(name, "changed");
    data["changed"].as_array().expect("a list").iter().map(|noun| noun.as_str().expect("a noun").to_owned()).collect()
}

/// All that is told until this noun is.
async fn until(stream: &mut Listening, noun: &str) -> Vec<String> {
    let mut all = Vec::new();
    while !all.iter().any(|told| told == noun) {
        all.extend(told(stream).await);
    }
    all
}

async fn team(client: &Client, name: &str) {
    client.post("/api/v1/teams", &json!({ "name": name })).await.expect(201);
}

async fn collection(client: &Client, access: &str) -> String {
    let body = json!({ "name": format!("{access} of {}", client.user), "access": access });
    client.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned()
}

/// Ann's organisation, with Max.
async fn two(house: &TestHouse) -> (Client, Client) {
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    let max = house.join(&ann, "Max", "member").await;
    (ann, max)
}

both_stores! {
    async fn a_rename_in_one_browser_is_told_to_another_within_a_second(house) {
        let (ann, max) = two(&house).await;
        let made = ann.post("/api/v1/teams", &json!({ "name": "Red" })).await.expect(201);
        let (mut anns, mut maxs) = (ann.listen(EVENTS).await, max.listen(EVENTS).await);
        let began = Instant::now();
        ann.patch(&format!("/api/v1/teams/{}", made.str("/id")), &json!({ "name": "Blue" })).await.expect(200);
        let heard = until(&mut maxs, "teams").await;
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
        assert!(!heard.contains(&"audit".to_owned()), "members do not read the log: {heard:?}");
        assert!(until(&mut anns, "teams").await.contains(&"audit".to_owned()));
    }

    async fn what_is_private_is_told_to_nobody_else(house) {
        let (ann, max) = two(&house).await;
        let (mut anns, mut maxs) = (ann.listen(EVENTS).await, max.listen(EVENTS).await);
        let private = collection(&ann, "private").await;
        let document = json!({ "title": "Notes", "text": "A few words." });
        ann.post(&format!("/api/v1/collections/{private}/documents/text"), &document).await.expect(202);
        ann.post("/api/v1/threads", &json!({ "title": "Mine" })).await.expect(201);
        ann.patch("/api/v1/user/config", &json!({ "language": "de" })).await.expect(200);
        ann.post("/api/v1/projects", &json!({ "name": "Hidden", "open": false })).await.expect(201);
        let mut own = until(&mut anns, "projects").await;
        own.extend(["end".to_owned()]);
        for noun in ["collections", "threads", "user", "projects"] {
            assert!(own.contains(&noun.to_owned()), "{noun}: {own:?}");
        }
        team(&ann, "For all").await;
        assert_eq!(until(&mut maxs, "teams").await, ["teams"]);
        // What they come to see is told, and what they see no more.
        let share = format!("/api/v1/collections/{private}/shares/users/{}", max.user);
        ann.patch(&format!("/api/v1/collections/{private}"), &json!({ "access": "shared" })).await.expect(200);
        ann.put(&share, &json!({})).await.expect(200);
        assert_eq!(until(&mut maxs, "collections").await, ["collections"]);
        ann.delete(&share).await.expect(204);
        assert_eq!(until(&mut maxs, "collections").await, ["collections"]);
    }

    async fn documents_that_are_read_are_told(house) {
        let (ann, _) = two(&house).await;
        let private = collection(&ann, "private").await;
        let mut stream = ann.listen(EVENTS).await;
        let document = json!({ "title": "Notes", "text": "A few words." });
        let added = ann.post(&format!("/api/v1/collections/{private}/documents/text"), &document).await.expect(202);
        let path = format!("/api/v1/documents/{}", added.str("/document/id"));
        loop {
            until(&mut stream, "collections").await;
            if ann.get(&path).await.expect(200).str("/status") == "ready" {
                break;
            }
        }
    }

    async fn nobody_hears_of_another_organisation(house) {
        let (ann, max) = two(&house).await;
        let bob = house.sign_up("Bob").await;
        house.on_plan(&bob.org, "enterprise").await;
        let mut bobs = bob.listen(EVENTS).await;
        team(&ann, "Acme's").await;
        collection(&max, "private").await;
        collection(&bob, "private").await;
        let heard = until(&mut bobs, "collections").await;
        assert!(!heard.contains(&"teams".to_owned()), "{heard:?}");
        bob.with("accept", "text/event-stream").in_org(&ann.org).get(EVENTS).await.expect(404);
        ann.get(EVENTS).await.expect(400);
    }

    async fn what_somebody_may_do_at_a_project_is_told_to_them_and_to_nobody_else(house) {
        let (ann, max) = two(&house).await;
        let vera = house.join(&ann, "Vera", "member").await;
        let hidden = ann.post("/api/v1/projects", &json!({ "name": "Hidden", "open": false })).await.expect(201);
        let member = format!("/api/v1/projects/{}/members/{}", hidden.str("/id"), max.user);
        let (mut maxs, mut veras) = (max.listen(EVENTS).await, vera.listen(EVENTS).await);
        for role in ["viewer", "admin"] {
            let began = Instant::now();
            ann.put(&member, &json!({ "role": role })).await.expect(200);
            assert_eq!(until(&mut maxs, "projects").await, ["projects"], "{role}");
            assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        }
        ann.delete(&member).await.expect(204);
        assert_eq!(until(&mut maxs, "projects").await, ["projects"]);
        team(&ann, "For all").await;
        assert_eq!(until(&mut veras, "teams").await, ["teams"]);
    }

    async fn the_stream_ends_with_the_membership(house) {
        let (ann, max) = two(&house).await;
        let mut stream = max.listen(EVENTS).await;
        let began = Instant::now();
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        while let Some((name, _)) = stream.next().await {
            assert_eq!(name, "changed");
        }
        assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    }

    async fn a_role_that_is_lowered_hears_less(house) {
        let (ann, max) = two(&house).await;
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": "admin" })).await.expect(200);
        let mut stream = max.listen(EVENTS).await;
        team(&ann, "One").await;
        // That of the role may come as late: it is delivered from the control database.
        let heard = until(&mut stream, "teams").await;
        assert!(heard.contains(&"audit".to_owned()), "{heard:?}");
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": "member" })).await.expect(200);
        let began = Instant::now();
        for name in 0.. {
            team(&ann, &format!("Two {name}")).await;
            if until(&mut stream, "teams").await == ["teams"] {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(8), "still hears of the log");
        }
    }
}
