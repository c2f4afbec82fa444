//! Signing in: wrong passwords and what they lead to, second factors, and what strangers can learn.

use std::time::Duration;

use serde_json::{Value, json};
use store::audit::Event;
use store::control::people;
use store::{Actor, Origin, Turn};
use testing::{Answer, Client, TestHouse, code};

fn log_in(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password })
}

async fn try_as(client: &Client, email: &str, password: &str) -> Answer {
    client.post("/api/v1/auth/login", &log_in(email, password)).await
}

/// Turns the second factor of somebody on; gives the secret and the recovery codes.
pub(crate) async fn second_factor(house: &TestHouse, client: &Client) -> (String, Vec<String>) {
    let enrolment = client.post("/api/v1/auth/totp", &json!({})).await.expect(201);
    let secret = enrolment.str("/secret").to_owned();
    let shown = code(&secret, house.clock_now());
    let on = client.post("/api/v1/auth/totp/confirm", &json!({ "code": shown })).await.expect(200);
    let codes = on.json["recovery_codes"].as_array().expect("a list");
    (secret, codes.iter().map(|code| code.as_str().expect("text").to_owned()).collect())
}

testing::both_stores! {
    async fn ten_wrong_passwords_lock_the_account_for_this_source(house) {
        house.sign_up("Ann").await;
        let visitor = house.visitor();
        for _ in 0..10 {
            assert_eq!(try_as(&visitor, "ann@example.com", "wrong").await.expect(401).code(), "invalid_credentials");
        }
        let locked = try_as(&visitor, "ann@example.com", testing::PASSWORD).await.expect(429);
        assert_eq!((locked.code(), locked.headers["retry-after"].to_str().expect("text")), ("rate_limited", "900"));
        house.clock.advance(Duration::from_mins(15));
        try_as(&visitor, "ann@example.com", testing::PASSWORD).await.expect(200);
    }

    async fn a_wait_grows_with_each_failure_after_it(house) {
        house.sign_up("Ann").await;
        let visitor = house.visitor();
        for _ in 0..10 {
            try_as(&visitor, "ann@example.com", "wrong").await.expect(401);
        }
        house.clock.advance(Duration::from_mins(15));
        try_as(&visitor, "ann@example.com", "wrong").await.expect(401);
        let locked = try_as(&visitor, "ann@example.com", "wrong").await.expect(429);
        assert_eq!(locked.headers["retry-after"].to_str().expect("text"), "1800");
    }

    async fn a_bcrypt_hash_is_accepted_once_and_replaced(house) {
        let ann = house.sign_up("Ann").await;
        let user = ann.user.parse().expect("an id");
        let mut tx = house.store().begin_control(Turn::Person(user)).await.expect("begins");
        let mut person = people::get(&mut tx, user).await.expect("found");
        // PASSWORD, hashed elsewhere.
        person.password_hash = Some("$2b$04$k25POnbx48v/WQGOr1JA8eo7Vl1eGseCKZOP0/a2GJGFflHdVuE6e".into());
        people::update(&mut tx, &person).await.expect("written");
        tx.record_house(&Actor::System, &Origin::default(), Event::new("person.imported", user)).await.expect("recorded");
        tx.commit().await.expect("committed");
        let visitor = house.visitor();
        try_as(&visitor, "ann@example.com", "wrong").await.expect(401);
        let (one, two) = tokio::join!(
            try_as(&visitor, "ann@example.com", testing::PASSWORD),
            try_as(&visitor, "ann@example.com", testing::PASSWORD)
        );
        assert_eq!((one.status, two.status), (200, 200));
        let mut tx = house.store().read_control().await.expect("begins");
        let hash = people::get(&mut tx, user).await.expect("found").password_hash.expect("a hash");
        assert!(hash.starts_with("$argon2id$"), "{hash}");
    }

    async fn a_code_counts_once_even_for_two_at_once(house) {
        let ann = house.sign_up("Ann").await;
        let (secret, _) = second_factor(&house, &ann).await;
        house.clock.advance(Duration::from_secs(30));
        let mut body = log_in("ann@example.com", testing::PASSWORD);
        body["code"] = code(&secret, house.clock_now()).into();
        let visitor = house.visitor();
        let (one, two) =
            tokio::join!(visitor.post("/api/v1/auth/login", &body), visitor.post("/api/v1/auth/login", &body));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 401]);
    }

    async fn a_right_password_forgets_the_wrong_ones(house) {
        house.sign_up("Ann").await;
        let visitor = house.visitor();
        for _ in 0..3 {
            for _ in 0..9 {
                try_as(&visitor, "ann@example.com", "wrong").await.expect(401);
            }
            try_as(&visitor, "ann@example.com", testing::PASSWORD).await.expect(200);
        }
    }

    async fn many_at_once_get_no_more_tries(house) {
        house.sign_up("Ann").await;
        let visitor = house.visitor();
        let tries = (0..20).map(|_| try_as(&visitor, "ann@example.com", "wrong"));
        let answers = futures_util::future::join_all(tries).await;
        let wrong = answers.iter().filter(|answer| answer.status == 401).count();
        assert_eq!(wrong, 10, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    }

    async fn a_source_is_stopped_whatever_accounts_it_tries(house) {
        house.sign_up("Ann").await;
        let visitor = house.visitor();
        for n in 0..100 {
            try_as(&visitor, &format!("nobody{n}@example.com"), "wrong").await.expect(401);
        }
        try_as(&visitor, "ann@example.com", testing::PASSWORD).await.expect(429);
        house.clock.advance(Duration::from_mins(15));
        try_as(&visitor, "ann@example.com", testing::PASSWORD).await.expect(200);
    }

    async fn nobody_learns_which_addresses_are_known(house) {
        house.sign_up("Ann").await;
        let visitor = house.visitor().with("x-request-id", "compare-bytes");
        for round in 0..11 {
            let known = try_as(&visitor, "ann@example.com", "wrong").await;
            let unknown = try_as(&visitor, "nobody@example.com", "wrong").await;
            assert_eq!((known.status, &known.text, &known.headers), (unknown.status, &unknown.text, &unknown.headers), "{round}");
        }
    }

    async fn failures_stand_in_the_log_of_whom_they_aim_at(house) {
        let ann = house.sign_up("Ann").await;
        try_as(&house.visitor(), "ann@example.com", "wrong").await.expect(401);
        let entries = house.audit(&ann).await;
        let refused = entries.iter().find(|entry| entry.action == "session.refused").expect("recorded");
        assert_eq!((refused.object.as_str(), refused.actor.as_str()), (ann.user.as_str(), "system"));
        assert_eq!(refused.address, "192.0.2.10");
        assert!(!refused.detail.contains("wet paint"), "{}", refused.detail);
    }

    async fn a_second_factor_is_asked_for_after_the_right_password_only(house) {
        let ann = house.sign_up("Ann").await;
        let (secret, _) = second_factor(&house, &ann).await;
        let visitor = house.visitor();
        assert_eq!(try_as(&visitor, "ann@example.com", "wrong").await.expect(401).code(), "invalid_credentials");
        assert_eq!(try_as(&visitor, "ann@example.com", testing::PASSWORD).await.expect(401).code(), "code_needed");
        house.clock.advance(Duration::from_secs(30));
        let mut body = log_in("ann@example.com", testing::PASSWORD);
        body["code"] = code(&secret, house.clock_now()).into();
        visitor.post("/api/v1/auth/login", &body).await.expect(200);
        assert_eq!(visitor.post("/api/v1/auth/login", &body).await.expect(401).code(), "invalid_credentials", "used twice");
        house.clock.advance(Duration::from_mins(1));
        body["code"] = code(&secret, house.clock_now() - Duration::from_secs(30)).into();
        visitor.post("/api/v1/auth/login", &body).await.expect(200);
        body["code"] = code(&secret, house.clock_now() - Duration::from_mins(1)).into();
        visitor.post("/api/v1/auth/login", &body).await.expect(401);
    }

    async fn five_wrong_codes_are_enough(house) {
        let ann = house.sign_up("Ann").await;
        let (secret, _) = second_factor(&house, &ann).await;
        house.clock.advance(Duration::from_mins(1));
        let right = code(&secret, house.clock_now());
        let wrong = if right == "000000" { "000001" } else { "000000" };
        let mut body = log_in("ann@example.com", testing::PASSWORD);
        body["code"] = wrong.into();
        for _ in 0..5 {
            house.visitor().post("/api/v1/auth/login", &body).await.expect(401);
        }
        body["code"] = right.into();
        let locked = house.visitor().post("/api/v1/auth/login", &body).await.expect(429);
        assert_eq!(locked.headers["retry-after"].to_str().expect("text"), "300");
        house.clock.advance(Duration::from_mins(5));
        body["code"] = code(&secret, house.clock_now()).into();
        house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
    }

    async fn a_recovery_code_works_once(house) {
        let ann = house.sign_up("Ann").await;
        let (_, codes) = second_factor(&house, &ann).await;
        assert_eq!(codes.len(), 10);
        let mut body = log_in("ann@example.com", testing::PASSWORD);
        body["code"] = codes[3].to_uppercase().into();
        house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
        house.visitor().post("/api/v1/auth/login", &body).await.expect(401);
        body["code"] = codes[4].clone().into();
        house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
        let mails = house.mails_to("ann@example.com").await;
        assert!(mails.iter().any(|mail| mail.subject == "A recovery code was used" && mail.body.contains("8 are left")));
    }
}
