//! Whose turn it is, of organisations that wait for the same: none comes before the others by how much it has to do.

use std::time::Duration;

use domain::OrgId;
use domain::email::Email;
use store::Turn;
use store::control::mails::{self, NewMail};
use store::control::{ControlTx, webhook_turns};
use testing::{Client, both_stores};

fn org(client: &Client) -> OrgId {
    client.org.parse().expect("an id")
}

async fn mail(tx: &mut ControlTx, organisation: Option<OrgId>, subject: &str) {
    let recipient = Email::new("ada@example.com").expect("an address");
    let (subject, body) = (subject.to_owned(), String::new());
    mails::queue(tx, NewMail { recipient, person: None, organisation, subject, body }).await.expect("queued");
}

/// The subjects of mails that are claimed now.
async fn claimed(tx: &mut ControlTx, limit: i64) -> Vec<String> {
    let claimed = mails::claim(tx, limit).await.expect("claimed");
    claimed.into_iter().map(|mail| mail.subject).collect()
}

both_stores! {
    async fn an_outbox_full_of_one_organisations_mails_holds_up_nobody_else(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begins");
        while !claimed(&mut tx, 100).await.is_empty() {}
        for _ in 0..40 {
            mail(&mut tx, Some(org(&ann)), "of Ann's").await;
        }
        house.clock.advance(Duration::from_secs(1));
        mail(&mut tx, Some(org(&bob)), "of Bob's").await;
        mail(&mut tx, None, "your code").await;
        let first = claimed(&mut tx, 10).await;
        assert_eq!((first.len(), first[0].as_str()), (10, "your code"));
        assert_eq!(first.iter().position(|subject| subject == "of Bob's").map(|at| at < 3), Some(true), "{first:?}");
        // One at a time they take turns, too.
        for _ in 0..5 {
            mail(&mut tx, Some(org(&bob)), "of Bob's").await;
            let mut two = [claimed(&mut tx, 1).await, claimed(&mut tx, 1).await].concat();
            two.sort();
            assert_eq!(two, ["of Ann's", "of Bob's"]);
        }
        // Nor do those of strangers hold up all others.
        for _ in 0..40 {
            mail(&mut tx, None, "your code").await;
        }
        let next = claimed(&mut tx, 10).await;
        assert_eq!(next.iter().filter(|subject| *subject == "of Ann's").count(), 2, "{next:?}");
        drop(tx);
    }

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
