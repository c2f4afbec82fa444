//! Mails leave through a mail server, once each.

use std::time::Duration;

use connectors::mail::{Smtp, TRIES, send_due};
use domain::email::Email;
use store::Turn;
use store::control::mails::{self, Heading, NewMail};
use testing::{SmtpSink, TestHouse, both_stores};

async fn queue(house: &TestHouse, subject: &str) {
    let mail = NewMail {
        recipient: Email::new("ada@example.com").expect("an address"),
        person: None,
        organisation: None,
        subject: subject.into(),
        body: "Follow this link:\nhttps://example.com/a?b=c\n\nGrüße".into(),
    };
    let mut tx = house.store().begin_control(Turn::Free).await.expect("begun");
    mails::queue(&mut tx, mail).await.expect("queued");
    tx.commit().await.expect("committed");
}

async fn headings(house: &TestHouse) -> Vec<Heading> {
    let mut tx = house.store().read_control().await.expect("begun");
    mails::list(&mut tx, None, 100).await.expect("listed")
}

both_stores! {
    async fn each_mail_is_sent_once_even_by_two_senders(house) {
        let sink = SmtpSink::start().await;
        let smtp = Smtp::new(&sink.url(), "Rowhouse <rowhouse@example.com>").expect("an address");
        for at in 0..15 {
            queue(&house, &format!("mail {at}")).await;
        }
        let store = house.store();
        // One that waited for the other's claim may come away with nothing, and looks again.
        let all = async || {
            let mut sent = 0;
            for _ in 0..5 {
                sent += send_due(store, &smtp).await.expect("sent");
            }
            sent
        };
        let (one, other) = tokio::join!(all(), all());
        assert_eq!(one + other, 15);
        let taken = sink.taken();
        assert_eq!(taken.len(), 15);
        for at in 0..15 {
            assert_eq!(taken.iter().filter(|mail| mail.contains(&format!("Subject: mail {at}\r\n"))).count(), 1);
        }
        assert!(taken[0].contains("From: Rowhouse <rowhouse@example.com>\r\n"), "{}", taken[0]);
        assert!(taken[0].contains("To: ada@example.com\r\n"), "{}", taken[0]);
        assert!(taken[0].contains("Message-ID: <mai_"), "{}", taken[0]);
        assert!(headings(&house).await.iter().all(|heading| heading.sent_at.is_some()));
    }

    async fn a_server_that_asks_to_wait_is_asked_again_and_then_no_more(house) {
        let sink = SmtpSink::start().await;
        sink.refuse(Some("451 come back later"));
        let smtp = Smtp::new(&sink.url(), "rowhouse@example.com").expect("an address");
        queue(&house, "patience").await;
        assert_eq!(send_due(house.store(), &smtp).await.expect("tried"), 1);
        assert_eq!(send_due(house.store(), &smtp).await.expect("waits"), 0);
        house.clock.advance(Duration::from_secs(61));
        for _ in 1..TRIES {
            assert_eq!(send_due(house.store(), &smtp).await.expect("tried"), 1);
            house.clock.advance(Duration::from_hours(6));
        }
        assert_eq!(send_due(house.store(), &smtp).await.expect("given up"), 0);
        let heading = headings(&house).await.remove(0);
        assert!(heading.failed_at.is_some() && heading.sent_at.is_none());
        assert!(heading.error.expect("a reason").contains("come back later"));
    }

    async fn a_mail_that_is_refused_for_good_is_given_up_at_once(house) {
        let sink = SmtpSink::start().await;
        sink.refuse(Some("550 nobody lives here"));
        let smtp = Smtp::new(&sink.url(), "rowhouse@example.com").expect("an address");
        queue(&house, "nobody").await;
        send_due(house.store(), &smtp).await.expect("tried");
        assert!(headings(&house).await[0].failed_at.is_some());
        // A recipient of another mail is not affected.
        sink.refuse(None);
        queue(&house, "somebody").await;
        assert_eq!(send_due(house.store(), &smtp).await.expect("sent"), 1);
        assert_eq!(sink.taken().len(), 1);
    }

    async fn a_mail_whose_sender_died_is_taken_over(house) {
        let sink = SmtpSink::start().await;
        let smtp = Smtp::new(&sink.url(), "rowhouse@example.com").expect("an address");
        queue(&house, "left behind").await;
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begun");
        assert_eq!(mails::claim(&mut tx, 10).await.expect("claimed").len(), 1);
        tx.commit().await.expect("committed");
        assert_eq!(send_due(house.store(), &smtp).await.expect("claimed by another"), 0);
        house.clock.advance(mails::CLAIM + Duration::from_secs(1));
        assert_eq!(send_due(house.store(), &smtp).await.expect("sent"), 1);
        assert_eq!(sink.taken().len(), 1);
    }
}
