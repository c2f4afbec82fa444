//! Probes, the organisations that are made to check the walls: whatever becomes of who made them, they end.

use std::time::Duration;

use serde_json::json;
use tenancy::erasure::SETTLING;
use tenancy::probes;
use testing::TestHouse;

/// Lets the house's upkeep do what is due: both together must be right.
async fn upkeep(house: &TestHouse) {
    for _ in 0..2 {
        tenancy::erasure::organisations(&house.house).await.expect("a round");
        tenancy::erasure::people(&house.house).await.expect("a round");
        house.clock.advance(SETTLING);
    }
    tenancy::erasure::people(&house.house).await.expect("a round");
}

testing::both_stores! {
    async fn a_probe_is_an_organisation_until_it_is_ended_and_then_nothing_is_left(house) {
        let ann = house.sign_up("Ann").await;
        let probe = probes::make(&house.house, "A check").await.expect("made");
        let body = json!({ "email": probe.email, "password": probe.password });
        let signed_in = house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
        let owner = house.visitor().with_token(Some(signed_in.str("/access_token")));
        owner.post("/api/v1/roles", &json!({ "name": "Auditor", "description": "x", "permissions": ["audit.read"] })).await.expect(201);
        owner.in_org(&ann.org).get("/api/v1/roles").await.expect(404);
        probes::end(&house.house, probe.user).await.expect("ended");
        probes::end(&house.house, probe.user).await.expect("ended twice is ended");
        owner.get("/api/v1/roles").await.expect(401);
        house.visitor().post("/api/v1/auth/login", &body).await.expect(401);
        upkeep(&house).await;
        let mut tx = house.house.store.read_control().await.expect("begun");
        let organisation = store::control::organisations::find(&mut tx, probe.org).await.expect("asked");
        let person = store::control::people::find(&mut tx, probe.user).await.expect("asked");
        assert!(organisation.is_none() && person.is_none(), "{organisation:?} {person:?}");
        drop(tx);
        ann.get("/api/v1/members").await.expect(200);
        assert!(house.mails_to(&probe.email).await.is_empty(), "nobody reads them");
    }

    async fn a_probe_that_nobody_ends_ends_by_itself(house) {
        let probe = probes::make(&house.house, "A check").await.expect("made");
        assert_eq!(probes::sweep(&house.house).await.expect("a round"), 0, "it is in use");
        house.clock.advance(probes::LIFE + Duration::from_secs(1));
        probes::sweep(&house.house).await.expect("a round");
        let mut tx = house.house.store.read_control().await.expect("begun");
        let organisation = store::control::organisations::get(&mut tx, probe.org).await.expect("there");
        assert!(organisation.closes_at.is_some_and(|at| at <= house.clock_now()), "{organisation:?}");
    }
}
