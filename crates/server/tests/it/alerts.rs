//! Thresholds of limits: those who run the organisation are told of each once.

use std::time::Duration;

use domain::email::Email;
use serde_json::json;
use store::Turn;
use store::control::mails::{self, NewMail};
use store::ledger::alerts;
use testing::{Spending, TestHouse, both_stores};

/// Waits until a person has so many mails about limits; gives their subjects, sorted.
async fn told(house: &TestHouse, email: &str, count: usize) -> Vec<String> {
    let subjects = async || -> Vec<String> {
        let mails = house.mails_to(email).await;
        let subjects = mails.into_iter().map(|mail| mail.subject);
        let mut found: Vec<_> = subjects.filter(|subject| subject.contains("is used to")).collect();
        found.sort();
        found
    };
    let enough = async {
        loop {
            let found = subjects().await;
            if found.len() >= count {
                return found;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), enough).await.expect("told in time")
}

both_stores! {
    async fn each_threshold_is_told_once_to_those_who_run_the_organisation(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        house.join(&ann, "Adi", "admin").await;
        let max = house.join(&ann, "Max", "member").await;
        house.sign_up("Bob").await;
        let scope = house.scope(&max).await;
        house.clock.advance(Duration::from_mins(5));
        let body = json!({ "level": "organization", "period": "month", "amount_micros": 1_000_000, "currency": "USD", "kind": "soft" });
        ann.post("/api/v1/budgets", &body).await.expect(201);
        house.spend(&scope, &Spending::of(499_999)).await;
        house.spend(&scope, &Spending::of(1)).await;
        assert_eq!(told(&house, "ann@example.com", 1).await, ["The monthly budget is used to 50 %"]);
        let mail = house.mail("ann@example.com", "The monthly budget is used to 50 %").await.body;
        assert!(mail.contains("0.50 USD of 1.00 USD have been used"), "{mail}");
        assert!(mail.contains("it is used up at 2026-11-22 10:10 UTC") && mail.contains("begins anew at 2026-12-01 00:00 UTC"), "{mail}");
        // One call that passes two thresholds, and more that pass none.
        house.spend(&scope, &Spending::of(600_000)).await;
        for _ in 0..5 {
            house.spend(&scope, &Spending::of(10)).await;
        }
        let all = ["The monthly budget is used to 100 %", "The monthly budget is used to 50 %"];
        assert_eq!(told(&house, "ann@example.com", 2).await, all, "of two at once the higher one");
        assert_eq!(told(&house, "adi@example.com", 2).await.len(), 2);
        assert_eq!(told(&house, "max@example.com", 0).await.len() + told(&house, "bob@example.com", 0).await.len(), 0);
        assert!(house.mail("ann@example.com", all[0]).await.body.contains("It only warns"));
        // The next month begins anew; what was told in this one is not told again.
        house.clock.advance(Duration::from_hours(10 * 24));
        house.app.rules().forget(&scope);
        house.spend(&scope, &Spending::of(500_000)).await;
        assert_eq!(told(&house, "ann@example.com", 3).await.len(), 3);
        assert_eq!(told(&house, "adi@example.com", 3).await.len(), 3);
    }

    async fn a_budget_that_is_made_or_lowered_below_what_is_used_is_told(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Sales" })).await.expect(201).str("/id").to_owned();
        let spending = Spending { team: Some(team.parse().expect("an id")), ..Spending::of(60) };
        house.spend(&scope, &spending).await;
        let body = json!({ "level": "team", "id": team, "period": "total", "amount_micros": 100, "currency": "USD", "kind": "hard", "alerts": [50, 100] });
        let id = ann.post("/api/v1/budgets", &body).await.expect(201).str("/id").to_owned();
        assert_eq!(told(&house, "ann@example.com", 1).await, ["The total budget of the team \"Sales\" is used to 50 %"]);
        ann.patch(&format!("/api/v1/budgets/{id}"), &json!({ "amount_micros": 55 })).await.expect(200);
        assert_eq!(told(&house, "ann@example.com", 2).await[0], "The total budget of the team \"Sales\" is used to 100 %");
        // So is a threshold that is added below those that were told.
        ann.patch(&format!("/api/v1/budgets/{id}"), &json!({ "alerts": [50, 70, 100] })).await.expect(200);
        assert_eq!(told(&house, "ann@example.com", 3).await[2], "The total budget of the team \"Sales\" is used to 70 %");
        let mail = house.mail("ann@example.com", "The total budget of the team \"Sales\" is used to 100 %").await.body;
        assert!(mail.contains("What does not fit any more is refused.") && mail.contains("does not begin anew"), "{mail}");
    }

    async fn what_is_passed_because_the_limit_became_smaller_is_told_with_the_next_call(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let scope = house.scope(&ann).await;
        for kind in ["soft", "hard"] {
            let body = json!({ "level": "organization", "period": "total", "amount_micros": 100, "currency": "USD", "kind": kind, "alerts": [80, 100] });
            let id = ann.post("/api/v1/budgets", &body).await.expect(201).str("/id").to_owned();
            let more = json!({ "amount_micros": 100, "until": "2026-11-22T11:00:00Z", "reason": "the launch" });
            ann.put(&format!("/api/v1/budgets/{id}/increase"), &more).await.expect(200);
        }
        house.spend(&scope, &Spending::of(150)).await;
        assert_eq!(told(&house, "ann@example.com", 0).await.len(), 0, "three quarters of what there is now");
        house.clock.advance(Duration::from_hours(2));
        house.app.rules().forget(&scope);
        // One is refused, by the hard budget; the soft one tells with what is let in.
        assert!(house.hold(&scope, &Spending::of(1)).await.is_err());
        let subject = "The total budget is used to 100 %";
        assert_eq!(told(&house, "ann@example.com", 1).await, [subject]);
        house.spend(&scope, &Spending::of(0)).await;
        assert_eq!(told(&house, "ann@example.com", 2).await, [subject; 2]);
        for _ in 0..3 {
            house.spend(&scope, &Spending::of(0)).await;
            assert!(house.hold(&scope, &Spending::of(1)).await.is_err());
        }
        assert_eq!(told(&house, "ann@example.com", 0).await.len(), 2, "each once");
    }

    async fn a_plan_that_became_smaller_than_what_is_used_is_told_when_it_refuses(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        house.app.rules().forget_of(ann.org.parse().expect("an id"));
        let scope = house.scope(&ann).await;
        let calls = Spending { tokens: (0, 0), ..Spending::of(0) };
        for _ in 0..101 {
            house.spend(&scope, &calls).await;
        }
        assert_eq!(told(&house, "ann@example.com", 0).await.len(), 0);
        house.on_plan(&ann.org, "free").await;
        house.app.rules().forget(&scope);
        assert!(house.hold(&scope, &calls).await.is_err());
        let subjects = told(&house, "ann@example.com", 1).await;
        assert_eq!(subjects[0], "The plan's monthly limit of requests is used to 100 %");
    }

    async fn what_is_told_twice_is_mailed_once(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        // The plan's requests and tokens are two limits of one organisation: each has its thresholds.
        let calls = Spending { tokens: (1_000, 0), ..Spending::of(0) };
        for _ in 0..50 {
            house.spend(&scope, &calls).await;
        }
        let subjects = told(&house, "ann@example.com", 2).await;
        assert_eq!(subjects, ["The plan's monthly limit of requests is used to 50 %", "The plan's monthly limit of tokens is used to 50 %"]);
        let mut tx = house.store().read_ledger(&scope).await.expect("begun");
        let untold = alerts::untold(&mut tx.page(&scope).expect("its page")).await.expect("read");
        drop(tx);
        // Another node that has not seen yet that they were told tells them again.
        let passed = tenancy::alerts::Passed {
            limit_id: domain::Id::from_uuid(domain::Id::uuid(scope.org())),
            counted: "requests".into(),
            what: "The plan's monthly limit of requests".into(),
            percent: 50,
            used: "50 requests".into(),
            limit: "100 requests".into(),
            hard: true,
            starts_at: "2026-11-01T00:00:00Z".parse().expect("a time"),
            resets_at: None,
            exhausted_at: None,
            at: house.clock_now(),
        };
        assert_eq!(tenancy::alerts::tell(&house.house, scope.org(), &passed).await.expect("told"), 0);
        let other = tenancy::alerts::Passed { percent: 80, ..passed };
        assert_eq!(tenancy::alerts::tell(&house.house, scope.org(), &other).await.expect("told"), 1);
        assert!(untold.len() <= 2);
        // An organisation whose people had that many mails in an hour gets none about limits on top of them.
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begun");
        for _ in 0..1000 {
            let (recipient, subject) = (Email::new("ann@example.com").expect("an address"), "one of many".to_owned());
            let mail = NewMail { recipient, person: None, organisation: Some(scope.org()), subject, body: String::new() };
            mails::queue(&mut tx, mail).await.expect("queued");
        }
        tx.commit().await.expect("committed");
        let last = tenancy::alerts::Passed { percent: 100, ..other };
        assert_eq!(tenancy::alerts::tell(&house.house, scope.org(), &last).await.expect("left out"), 0);
        house.clock.advance(Duration::from_hours(1));
        assert_eq!(tenancy::alerts::tell(&house.house, scope.org(), &last).await.expect("told"), 1);
    }

    async fn a_mail_is_kept_until_it_was_sent_and_a_week_longer(house) {
        let mut tx = house.store().begin_control(Turn::Free).await.expect("begun");
        let mut queued = Vec::new();
        for subject in ["sent", "given up", "waiting"] {
            let (recipient, subject) = (Email::new("ann@example.com").expect("an address"), subject.to_owned());
            let mail = NewMail { recipient, person: None, organisation: None, subject, body: String::new() };
            queued.push(mails::queue(&mut tx, mail).await.expect("queued"));
        }
        mails::sent(&mut tx, queued[0]).await.expect("noted");
        mails::failed(&mut tx, queued[1], "nobody lives there").await.expect("noted");
        tx.commit().await.expect("committed");
        let left = async || -> Vec<String> {
            server::background::sweep(&house.app).await.expect("swept");
            let all = house.mails_to("ann@example.com").await.into_iter().map(|mail| mail.subject);
            all.filter(|subject| ["sent", "given up", "waiting"].contains(&subject.as_str())).collect()
        };
        house.clock.advance(Duration::from_hours(7 * 24 - 1));
        assert_eq!(left().await.len(), 3);
        house.clock.advance(Duration::from_hours(2));
        assert_eq!(left().await, ["waiting"]);
    }
}
