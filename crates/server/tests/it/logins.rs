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

    async fn a_known_device_is_not_slowed_by_strangers(house) {
        house.sign_up("Ann").await;
        house.sign_up("Bob").await;
        let device_of = async |name: &str| {
            let body = log_in(&format!("{name}@example.com"), testing::PASSWORD);
            let answer = house.visitor().post("/api/v1/auth/session", &body).await.expect(201);
            let mut cookies = answer.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().expect("text").to_owned());
            cookies.find(|cookie| cookie.starts_with("rh_device=")).expect("a mark")
        };
        let (anns, bobs) = (device_of("ann").await, device_of("bob").await);
        assert!(anns.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"), "{anns}");
        let pair = |cookie: &str| cookie.split(';').next().expect("a pair").to_owned();
        let (known, visitor) = (house.visitor().with("cookie", &pair(&anns)), house.visitor());
        // Strangers at the same source lock it for all who are not known.
        for _ in 0..10 {
            try_as(&visitor, "ann@example.com", "wrong").await.expect(401);
        }
        try_as(&visitor, "ann@example.com", testing::PASSWORD).await.expect(429);
        let forged = pair(&anns).replace("rh_device=usr_", "rh_device=usr_0");
        let of_another = pair(&bobs);
        let longer = { let mut parts: Vec<_> = pair(&anns).split('.').map(str::to_owned).collect(); parts[2] = "9999999999".into(); parts.join(".") };
        for mark in [forged.as_str(), of_another.as_str(), longer.as_str(), "rh_device=", "rh_device=a.b.c.d"] {
            try_as(&visitor.with("cookie", mark), "ann@example.com", testing::PASSWORD).await.expect(429);
        }
        try_as(&known, "ann@example.com", testing::PASSWORD).await.expect(200);
        // A stolen mark gives no more tries than anybody has.
        for _ in 0..10 {
            try_as(&known, "ann@example.com", "wrong").await.expect(401);
        }
        try_as(&known, "ann@example.com", testing::PASSWORD).await.expect(429);
        // After a year it is forgotten.
        house.clock.advance(Duration::from_hours(365 * 24));
        for _ in 0..10 {
            try_as(&visitor, "ann@example.com", "wrong").await.expect(401);
        }
        try_as(&known, "ann@example.com", testing::PASSWORD).await.expect(429);
    }

    async fn a_right_password_forgets_the_wrong_ones_from_everywhere_one_by_one(house) {
        house.sign_up("Ann").await;
        for _ in 0..60 {
            try_as(&house.visitor(), "ann@example.com", testing::PASSWORD).await.expect(200);
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

fn behind_a_proxy() -> testing::Wish {
    testing::Wish { trusted_proxies: vec!["192.0.2.10".into()], ..testing::Wish::default() }
}

testing::both_stores! {
    in behind_a_proxy();
    async fn many_sources_that_guess_at_one_account_are_slowed_together(house) {
        house.sign_up("Ann").await;
        let from = |n: u32| house.visitor().with("x-forwarded-for", &format!("198.51.100.{n}"));
        let signed_in = from(200).post("/api/v1/auth/session", &log_in("ann@example.com", testing::PASSWORD)).await.expect(201);
        let mut marks = signed_in.headers.get_all("set-cookie").iter().map(|cookie| cookie.to_str().expect("text").to_owned());
        let mark = marks.find(|cookie| cookie.starts_with("rh_device=")).expect("a mark");
        for n in 0..50 {
            try_as(&from(n), "ann@example.com", "wrong").await.expect(401);
        }
        let slowed = try_as(&from(60), "ann@example.com", testing::PASSWORD).await.expect(429);
        assert_eq!(slowed.headers["retry-after"].to_str().expect("text"), "60");
        // The account's own device, at a source that nobody has seen, gets in; other accounts are not concerned.
        let known = from(61).with("cookie", mark.split(';').next().expect("a pair"));
        try_as(&known, "ann@example.com", testing::PASSWORD).await.expect(200);
        try_as(&from(62), "nobody@example.com", "wrong").await.expect(401);
        house.clock.advance(Duration::from_mins(1));
        try_as(&from(63), "ann@example.com", "wrong").await.expect(401);
        try_as(&from(64), "ann@example.com", testing::PASSWORD).await.expect(429);
        // Somebody who is signed in can show their password all the same.
        let bearer = try_as(&known, "ann@example.com", testing::PASSWORD).await.expect(200);
        let inside = from(65).with_token(Some(bearer.str("/access_token")));
        inside.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
    }
}
