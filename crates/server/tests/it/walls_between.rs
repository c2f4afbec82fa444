//! Requests of two organisations that run at the same time never see each other's context, whatever becomes of their clients.

use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use serde_json::json;
use testing::Client;

/// One request of somebody, and whether its answer speaks of their own organisation alone.
async fn ask(client: &Client, own: &str, other: &str, number: usize) {
    let answer = match number % 4 {
        0 => client.get("/api/v1/auth/me").await.expect(200),
        1 => client.get("/api/v1/teams").await.expect(200),
        2 => client.post("/api/v1/teams", &json!({ "name": format!("{own} {number}") })).await.expect(201),
        // Selecting the other's organisation is refused as if it did not exist.
        _ => client.get("/api/v1/teams?limit=5").await.expect(200),
    };
    assert!(!answer.text.contains(other), "{own} sees {other}: {}", answer.text);
    let speaks = answer.text.contains(own) || answer.json["data"] == json!([]);
    assert!(speaks, "{own} does not see itself: {}", answer.text);
}

testing::both_stores! {
    async fn two_hundred_requests_of_two_organisations_stay_apart(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        for person in [&ann, &bob] {
            house.on_plan(&person.org, "pro").await;
        }
        let mut running = tokio::task::JoinSet::new();
        // At once as many as a busy machine answers within the two seconds that a request waits for a connection.
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(40));
        for number in 0..200 {
            let (client, own, other) =
                if number % 2 == 0 { (ann.clone(), "Ann", "Bob") } else { (bob.clone(), "Bob", "Ann") };
            let foreign = if number % 2 == 0 { bob.org.clone() } else { ann.org.clone() };
            let places = places.clone();
            running.spawn(async move {
                let _place = places.acquire().await;
                ask(&client, own, other, number / 2).await;
                if number % 10 < 2 {
                    client.in_org(&foreign).get("/api/v1/teams").await.expect(404);
                }
            });
        }
        while let Some(done) = running.join_next().await {
            done.expect("stays apart");
        }
    }

    async fn clients_that_go_away_change_nothing_for_others(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        for person in [&ann, &bob] {
            house.on_plan(&person.org, "pro").await;
        }
        let mut running = tokio::task::JoinSet::new();
        let places = std::sync::Arc::new(tokio::sync::Semaphore::new(40));
        for number in 0..200_usize {
            let (client, own, other) =
                if number % 2 == 0 { (ann.clone(), "Ann", "Bob") } else { (bob.clone(), "Bob", "Ann") };
            let places = places.clone();
            running.spawn(async move {
                let _place = places.acquire().await;
                let patience = Duration::from_micros(number as u64 * 37 % 4000);
                // Two of three go away half way.
                if number % 3 == 0 {
                    ask(&client, own, other, number).await;
                } else {
                    let _ = tokio::time::timeout(patience, ask(&client, own, other, number)).await;
                }
            });
        }
        while let Some(done) = running.join_next().await {
            done.expect("stays apart");
        }
        for (client, own, other) in [(&ann, "Ann", "Bob"), (&bob, "Bob", "Ann")] {
            for number in 0..4 {
                ask(client, own, other, 1000 + number).await;
            }
        }
    }

    async fn a_change_goes_on_when_its_client_leaves_and_where_it_was_asked_for(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "pro").await;
        let before = ann.get("/api/v1/projects").await.expect(200).json["data"].as_array().expect("a list").len();
        let mut left = 0;
        for number in 0..8 {
            let body = json!({ "name": format!("Left {number}") });
            // It is begun, and nobody asks for it a second time. Seldom the disk is faster.
            left += usize::from(ann.post("/api/v1/projects", &body).now_or_never().is_none());
        }
        assert!(left > 0, "all were made before their client could leave");
        let began = Instant::now();
        loop {
            let all = ann.get("/api/v1/projects").await.expect(200).json["data"].as_array().expect("a list").len();
            if all == before + 8 {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "{all} of {} are made", before + 8);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let theirs = bob.get("/api/v1/projects").await.expect(200);
        assert!(!theirs.text.contains("Left "), "{}", theirs.text);
    }
}
