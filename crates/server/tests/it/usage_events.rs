//! The stream of usage: a call that ends is told within a second to who may see it, for as long as they may.

use std::time::{Duration, Instant};

use metering::{Books, Settings};
use serde_json::json;
use store::Engine;
use store::ledger::entries::{Charge, Outcome};
use store::ledger::holds::Purpose;
use testing::{Listening, Spending, both_stores};

const EVENTS: &str = "/api/v1/usage/events";

async fn cost(stream: &mut Listening) -> i64 {
    let (name, row) = stream.next().await.expect("an event");
    assert_eq!(name, "usage");
    row["cost_micros"].as_i64().expect("a number")
}

both_stores! {
    async fn a_call_that_ends_is_told_within_a_second(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        house.spend(&scope, &Spending::of(1)).await;
        let long = house.hold(&scope, &Spending::of(20)).await.expect("there is room");
        house.clock.advance(Duration::from_secs(2));
        let mut stream = ann.listen(EVENTS).await;
        house.spend(&scope, &Spending::of(300)).await;
        let ended = Instant::now();
        assert_eq!(cost(&mut stream).await, 300, "what ended before is no news");
        assert!(ended.elapsed() < Duration::from_secs(1), "{:?}", ended.elapsed());
        // Each once, also while it is still recent; and what began long ago.
        house.clock.advance(Duration::from_mins(2));
        house.settle(long, &Spending::of(20)).await;
        assert_eq!(cost(&mut stream).await, 20);
        house.spend(&scope, &Spending::of(4_000)).await;
        assert_eq!(cost(&mut stream).await, 4_000);
    }

    async fn a_call_on_another_node_is_told_too(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let mut stream = ann.listen(EVENTS).await;
        // Two programs share the books on PostgreSQL alone.
        if house.engine() == Engine::Postgres {
            let (books, _news) = Books::open(house.another_store().await, Settings::default());
            let purpose = Purpose { operation: "chat".into(), user_id: Some(scope.user()), ..Purpose::default() };
            let amounts = domain::limits::Amounts::of(domain::limits::Counted::Cost, 7);
            let id = (house.store().ambient().id(), 1);
            let held = books.hold(&scope, id, purpose, amounts, [].into()).await.expect("there is room");
            held.settle(Charge { amounts, ..Charge::nothing(Outcome::Ok) }).await.expect("settled");
        } else {
            house.spend(&scope, &Spending::of(7)).await;
        }
        assert_eq!(cost(&mut stream).await, 7);
    }

    async fn nobody_hears_of_what_is_not_theirs(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let vera = house.join(&ann, "Vera", "viewer").await;
        let bob = house.sign_up("Bob").await;
        let (mut anns, mut maxs, mut bobs) = (ann.listen(EVENTS).await, max.listen(EVENTS).await, bob.listen(EVENTS).await);
        for (client, micros) in [(&ann, 1), (&bob, 20), (&max, 300), (&ann, 4_000), (&bob, 50_000), (&max, 600_000)] {
            house.spend(&house.scope(client).await, &Spending::of(micros)).await;
        }
        let mut heard = Vec::new();
        for _ in 0..4 {
            heard.push(cost(&mut anns).await);
        }
        heard.sort_unstable();
        assert_eq!(heard, [1, 300, 4_000, 600_000]);
        let mut own = [cost(&mut maxs).await, cost(&mut maxs).await];
        own.sort_unstable();
        assert_eq!(own, [300, 600_000]);
        let mut others = [cost(&mut bobs).await, cost(&mut bobs).await];
        others.sort_unstable();
        assert_eq!(others, [20, 50_000]);
        let asking = vera.with("accept", "text/event-stream");
        asking.get(EVENTS).await.expect(403);
        let asking = max.with("accept", "text/event-stream");
        asking.get(&format!("{EVENTS}?user={}", ann.user)).await.expect(403);
        bob.with("accept", "text/event-stream").in_org(&ann.org).get(EVENTS).await.expect(404);
        ann.get(EVENTS).await.expect(400);
    }

    async fn the_stream_ends_with_the_rights(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "admin").await;
        let eve = house.join(&ann, "Eve", "admin").await;
        let (mut removed, mut lowered) = (max.listen(EVENTS).await, eve.listen(EVENTS).await);
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Screen" })).await.expect(201);
        let mut revoked = house.visitor().with_token(Some(key.str("/key"))).listen(EVENTS).await;
        let began = Instant::now();
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        ann.patch(&format!("/api/v1/members/{}", eve.user), &json!({ "role": "member" })).await.expect(200);
        ann.delete(&format!("/api/v1/auth/api-keys/{}", key.str("/id"))).await.expect(204);
        let (one, two, three) = tokio::join!(removed.next(), lowered.next(), revoked.next());
        assert_eq!((one, two, three), (None, None, None));
        assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    }

    async fn as_many_listen_as_may(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let mut streams = Vec::new();
        for _ in 0..32 {
            streams.push(ann.listen(EVENTS).await);
        }
        let refused = ann.with("accept", "text/event-stream").get(EVENTS).await.expect(429);
        assert_eq!(refused.headers["retry-after"], "10");
        drop(bob.listen(EVENTS).await);
        streams.pop();
        streams.push(ann.listen(EVENTS).await);
        house.spend(&house.scope(&ann).await, &Spending::of(5)).await;
        for stream in &mut streams {
            assert_eq!(cost(stream).await, 5);
        }
    }
}
