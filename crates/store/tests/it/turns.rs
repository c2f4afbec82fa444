//! Whose turn it is, of organisations that wait for the same: none comes before the others by how much it has to do.

use std::time::Duration;

use domain::OrgId;
use store::Turn;
use store::control::webhook_turns;
use testing::{Client, both_stores};

fn org(client: &Client) -> OrgId {
    client.org.parse().expect("an id")
}

both_stores! {
    async fn a_backlog_of_webhooks_waits_behind_who_came_after_it(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let (minute, begun) = (Duration::from_mins(1), house.clock_now());
        // All in one transaction, so that whoever tells webhooks in the background takes none of it.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        webhook_turns::mark(&mut tx, org(&ann), begun).await.expect("marked");
        house.clock.advance(Duration::from_secs(1));
        webhook_turns::mark(&mut tx, org(&bob), house.clock_now()).await.expect("marked");
        house.clock.advance(Duration::from_secs(1));
        for round in 0..3 {
            for (whose, name) in [(&ann, "Ann"), (&bob, "Bob")] {
                let until = house.clock_now() + minute;
                let taken = webhook_turns::take(&mut tx, until, 1).await.expect("taken");
                assert_eq!(taken, [org(whose)], "it is {name}'s turn, round {round}");
                house.clock.advance(Duration::from_secs(1));
                // Its next message has been due for long.
                webhook_turns::end(&mut tx, org(whose), until, Some(begun)).await.expect("ended");
            }
        }
        drop(tx);
    }
}
