//! Mail addresses: verified before the first sign-in, changed with a confirmation, taken back.

use std::time::Duration;

use domain::password::Password;
use serde_json::{Value, json};
use testing::{Client, TestHouse, Wish};

const VERIFY: &str = "Verify your mail address";

fn verified() -> Wish {
    Wish { verify_mail: true, ..Wish::default() }
}

fn sign_up(email: &str, password: &str) -> Value {
    json!({ "email": email, "password": password, "name": "Ann" })
}

async fn log_in(house: &TestHouse, email: &str, password: &str) -> testing::Answer {
    house.visitor().post("/api/v1/auth/login", &json!({ "email": email, "password": password })).await
}

async fn submit(house: &TestHouse, path: &str, token: &str) -> testing::Answer {
    house.visitor().post(&format!("/api/v1/auth/{path}"), &json!({ "token": token })).await
}

testing::both_stores! {
    in verified();

    async fn one_source_cannot_flood_the_post_by_signing_up(house) {
        for n in 0..100 {
            let body = sign_up(&format!("somebody{n}@example.com"), testing::PASSWORD);
            house.visitor().post("/api/v1/auth/signup", &body).await.expect(202);
        }
        let body = sign_up("ann@example.com", testing::PASSWORD);
        house.visitor().post("/api/v1/auth/signup", &body).await.expect(429);
    }

    async fn a_new_person_verifies_and_is_at_home(house) {
        let body = sign_up("ann@example.com", testing::PASSWORD);
        let sent = house.visitor().post("/api/v1/auth/signup", &body).await.expect(202);
        assert_eq!(sent.json, json!({ "status": "mail_sent" }));
        let mail = house.mail("ann@example.com", VERIFY).await;
        for part in ["http://test/verify-email?token=", "2026-11-23 10:00 UTC", "192.0.2.10", "If it was not you"] {
            assert!(mail.body.contains(part), "{part} in {}", mail.body);
        }
        let token = house.mailed_token("ann@example.com", VERIFY).await;
        assert_eq!(submit(&house, "verify", "nonsense").await.expect(409).code(), "conflict");
        let tokens = submit(&house, "verify", &token).await.expect(200);
        submit(&house, "verify", &token).await.expect(409);
        let ann = house.visitor().with_token(Some(tokens.str("/access_token")));
        let me = ann.get("/api/v1/auth/me").await.expect(200);
        assert_eq!((me.str("/organization/name"), me.str("/role")), ("Ann", "owner"));
        log_in(&house, "ann@example.com", testing::PASSWORD).await.expect(200);
    }

    async fn nobody_learns_from_a_sign_up_which_addresses_are_known(house) {
        house.verified("known@example.com").await;
        let visitor = house.visitor().with("x-request-id", "compare-bytes");
        let known = visitor.post("/api/v1/auth/signup", &sign_up("known@example.com", "an entirely new one")).await;
        let unknown = visitor.post("/api/v1/auth/signup", &sign_up("unknown@example.com", "an entirely new one")).await;
        let waiting = visitor.post("/api/v1/auth/register", &sign_up("unknown@example.com", "an entirely new one")).await;
        for answer in [&known, &waiting] {
            assert_eq!((answer.status, &answer.text, &answer.headers), (202, &unknown.text, &unknown.headers));
        }
        house.mail("known@example.com", "You have an account already").await;
        for path in ["verify/resend", "password/forgot"] {
            let ask = async |email: &str| visitor.post(&format!("/api/v1/auth/{path}"), &json!({ "email": email })).await;
            let (known, unknown) = (ask("known@example.com").await, ask("nobody@example.com").await);
            assert_eq!((known.status, &known.text, &known.headers), (202, &unknown.text, &unknown.headers), "{path}");
            assert!(house.mails_to("nobody@example.com").await.is_empty());
        }
        // The old password still counts, the one of the second sign-up does not.
        log_in(&house, "known@example.com", testing::PASSWORD).await.expect(200);
        log_in(&house, "known@example.com", "an entirely new one").await.expect(401);
    }

    async fn without_verification_nobody_comes_in(house) {
        let body = sign_up("ann@example.com", testing::PASSWORD);
        house.visitor().post("/api/v1/auth/signup", &body).await.expect(202);
        log_in(&house, "ann@example.com", "wrong").await.expect(401);
        assert_eq!(log_in(&house, "ann@example.com", testing::PASSWORD).await.expect(403).code(), "forbidden");
        assert_eq!(house.mails_to("ann@example.com").await.len(), 1, "not again within a minute");
        house.clock.advance(Duration::from_mins(1));
        log_in(&house, "ann@example.com", testing::PASSWORD).await.expect(403);
        assert_eq!(house.mails_to("ann@example.com").await.len(), 2);
        let body = json!({ "email": "ann@example.com", "password": testing::PASSWORD });
        house.visitor().post("/api/v1/auth/session", &body).await.expect(403);
        house.clock.advance(Duration::from_mins(3));
        house.visitor().post("/api/v1/auth/verify/resend", &json!({ "email": "ann@example.com" })).await.expect(202);
        assert_eq!(house.mails_to("ann@example.com").await.len(), 3);
        let token = house.mailed_token("ann@example.com", VERIFY).await;
        house.clock.advance(Duration::from_hours(24));
        submit(&house, "verify", &token).await.expect(409);
    }

    async fn who_signed_up_first_with_anothers_address_gains_nothing(house) {
        let thief = sign_up("ann@example.com", "the password of a thief");
        house.visitor().post("/api/v1/auth/signup", &thief).await.expect(202);
        house.clock.advance(Duration::from_mins(5));
        house.visitor().post("/api/v1/auth/signup", &sign_up("ann@example.com", testing::PASSWORD)).await.expect(202);
        let token = house.mailed_token("ann@example.com", VERIFY).await;
        submit(&house, "verify", &token).await.expect(200);
        log_in(&house, "ann@example.com", "the password of a thief").await.expect(401);
        let reset = house.mailed_token("ann@example.com", "Set a new password").await;
        let body = json!({ "token": reset, "password": testing::PASSWORD });
        house.visitor().post("/api/v1/auth/password/reset", &body).await.expect(204);
        log_in(&house, "ann@example.com", testing::PASSWORD).await.expect(200);
    }

    async fn two_sign_ups_at_once_make_one_person(house) {
        let body = sign_up("ann@example.com", testing::PASSWORD);
        let visitor = house.visitor();
        let (one, two) = tokio::join!(visitor.post("/api/v1/auth/signup", &body), visitor.post("/api/v1/auth/signup", &body));
        assert_eq!((one.status, two.status), (202, 202));
        let token = house.mailed_token("ann@example.com", VERIFY).await;
        submit(&house, "verify", &token).await.expect(200);
    }
}

async fn ask_for_change(ann: &Client, email: &str) {
    ann.post("/api/v1/auth/email", &json!({ "email": email })).await.expect(202);
}

testing::both_stores! {
    async fn a_new_address_is_confirmed_before_it_counts(house) {
        let ann = house.sign_up("Ann").await;
        let same = ann.post("/api/v1/auth/email", &json!({ "email": "ann@example.com" })).await.expect(422);
        assert_eq!(same.str("/error/param"), "email");
        ask_for_change(&ann, "ann@new.example").await;
        assert_eq!(ann.get("/api/v1/auth/me").await.expect(200).str("/user/email"), "ann@example.com");
        let token = house.mailed_token("ann@new.example", "Confirm your new mail address").await;
        house.mailed_token("ann@example.com", "Your mail address is to be changed").await;
        submit(&house, "email/undo", &token).await.expect(409);
        submit(&house, "email/confirm", &token).await.expect(204);
        submit(&house, "email/confirm", &token).await.expect(409);
        assert_eq!(ann.get("/api/v1/auth/me").await.expect(200).str("/user/email"), "ann@new.example");
        log_in(&house, "ann@example.com", testing::PASSWORD).await.expect(401);
        log_in(&house, "ann@new.example", testing::PASSWORD).await.expect(200);
        assert!(house.actions(&ann).await.iter().any(|action| action == "person.email_changed"));
    }

    async fn a_change_is_taken_back_and_all_sessions_end(house) {
        let ann = house.sign_up("Ann").await;
        ask_for_change(&ann, "thief@example.com").await;
        let token = house.mailed_token("thief@example.com", "Confirm your new mail address").await;
        submit(&house, "email/confirm", &token).await.expect(204);
        // The thief goes on, with a second factor and yet another address.
        let (_, _) = crate::logins::second_factor(&house, &ann).await;
        house.clock.advance(Duration::from_mins(1));
        ask_for_change(&ann, "thief@other.example").await;
        let token = house.mailed_token("thief@other.example", "Confirm your new mail address").await;
        submit(&house, "email/confirm", &token).await.expect(204);
        let undo = house.mailed_token("ann@example.com", "Your mail address was changed").await;
        submit(&house, "email/undo", &undo).await.expect(204);
        ann.get("/api/v1/auth/me").await.expect(401);
        log_in(&house, "ann@example.com", testing::PASSWORD).await.expect(401);
        let by_thief = house.mailed_token("thief@example.com", "Your mail address was changed").await;
        submit(&house, "email/undo", &by_thief).await.expect(409);
        let reset = house.mailed_token("ann@example.com", "Set a new password").await;
        let body = json!({ "token": reset, "password": "a door with a new lock" });
        house.visitor().post("/api/v1/auth/password/reset", &body).await.expect(204);
        log_in(&house, "ann@example.com", "a door with a new lock").await.expect(200);
    }

    async fn a_change_can_be_taken_back_before_it_counts_and_for_three_days(house) {
        let ann = house.sign_up("Ann").await;
        ask_for_change(&ann, "thief@example.com").await;
        let undo = house.mailed_token("ann@example.com", "Your mail address is to be changed").await;
        let confirm = house.mailed_token("thief@example.com", "Confirm your new mail address").await;
        submit(&house, "email/undo", &undo).await.expect(204);
        submit(&house, "email/confirm", &confirm).await.expect(409);
        let bob = house.sign_up("Bob").await;
        ask_for_change(&bob, "bob@new.example").await;
        let undo = house.mailed_token("bob@example.com", "Your mail address is to be changed").await;
        house.clock.advance(Duration::from_hours(72));
        submit(&house, "email/undo", &undo).await.expect(409);
    }

    async fn a_password_reset_ends_a_pending_change(house) {
        let ann = house.sign_up("Ann").await;
        ask_for_change(&ann, "thief@example.com").await;
        house.visitor().post("/api/v1/auth/password/forgot", &json!({ "email": "ann@example.com" })).await.expect(202);
        let reset = house.mailed_token("ann@example.com", "Set a new password").await;
        let body = json!({ "token": reset, "password": "a door with a new lock" });
        house.visitor().post("/api/v1/auth/password/reset", &body).await.expect(204);
        let confirm = house.mailed_token("thief@example.com", "Confirm your new mail address").await;
        submit(&house, "email/confirm", &confirm).await.expect(409);
    }

    async fn the_address_of_somebody_else_is_not_told_apart(house) {
        let (ann, _bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let ann = ann.with("x-request-id", "compare-bytes");
        let taken = ann.post("/api/v1/auth/email", &json!({ "email": "bob@example.com" })).await.expect(202);
        let free = ann.post("/api/v1/auth/email", &json!({ "email": "free@example.com" })).await.expect(202);
        assert_eq!((taken.text, taken.headers), (free.text, free.headers));
        house.mail("bob@example.com", "You have an account already").await;
    }

    async fn secrets_of_mails_are_in_no_log(house) {
        let ann = house.sign_up("Ann").await;
        ask_for_change(&ann, "ann@new.example").await;
        let token = house.mailed_token("ann@new.example", "Confirm your new mail address").await;
        for entry in house.audit(&ann).await {
            assert!(!format!("{entry:?}").contains(&token));
        }
        let password: Password = serde_json::from_value(json!("s3cret")).expect("a password");
        assert_eq!(format!("{password:?}"), "***");
        for mail in house.mails_to("ann@new.example").await {
            assert!(!format!("{mail:?}").contains(&token));
        }
    }
}
