//! The second factor of somebody who is signed in, and showing a factor again.

use std::time::Duration;

use domain::email::Email;
use domain::password::Password;
use serde_json::json;
use store::Origin;
use tenancy::login::{self, SignIn};
use testing::code;

use crate::logins::second_factor;

testing::both_stores! {
    async fn what_is_hard_to_undo_takes_a_fresh_factor(house) {
        let ann = house.sign_up("Ann").await;
        house.clock.advance(Duration::from_mins(10));
        let ann = house.signed_in_again(&ann).await;
        house.clock.advance(Duration::from_secs(601));
        let ann = house.refreshed(&ann).await;
        assert_eq!(ann.post("/api/v1/auth/totp", &json!({})).await.expect(403).code(), "step_up_needed");
        assert_eq!(ann.post("/api/v1/auth/email", &json!({ "email": "a@b.co" })).await.expect(403).code(), "step_up_needed");
        assert_eq!(ann.post("/api/v1/auth/step-up", &json!({})).await.expect(422).str("/error/param"), "password");
        let wrong = json!({ "password": "wrong" });
        assert_eq!(ann.post("/api/v1/auth/step-up", &wrong).await.expect(401).code(), "invalid_credentials");
        let no_factor = json!({ "code": "123456" });
        ann.post("/api/v1/auth/step-up", &no_factor).await.expect(401);
        let fresh = ann.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
        let until: domain::Time = fresh.str("/fresh_until").parse().expect("a time");
        assert_eq!(until.since(house.clock_now()), Duration::from_mins(10));
        let (secret, _) = second_factor(&house, &ann).await;
        house.clock.advance(Duration::from_secs(601));
        let ann = house.refreshed(&ann).await;
        let shown = code(&secret, house.clock_now());
        ann.post("/api/v1/auth/step-up", &json!({ "code": shown })).await.expect(200);
        ann.post("/api/v1/auth/step-up", &json!({ "code": shown })).await.expect(401);
        house.clock.advance(Duration::from_secs(30));
        let shown = code(&secret, house.clock_now());
        ann.post("/api/v1/auth/recovery-codes", &json!({ "code": shown })).await.expect(201);
    }

    async fn a_password_alone_does_not_get_at_the_second_factor(house) {
        let ann = house.sign_up("Ann").await;
        let (_, old) = second_factor(&house, &ann).await;
        house.clock.advance(Duration::from_secs(601));
        let ann = house.refreshed(&ann).await;
        ann.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
        assert_eq!(ann.post("/api/v1/auth/recovery-codes", &json!({})).await.expect(422).str("/error/param"), "code");
        let wrong = json!({ "code": "000000" });
        assert_eq!(ann.post("/api/v1/auth/recovery-codes", &wrong).await.expect(401).code(), "invalid_credentials");
        assert!(house.actions(&ann).await.iter().any(|action| action == "session.refused"));
        let body = json!({ "email": "ann@example.com", "password": testing::PASSWORD, "code": old[0] });
        house.visitor().post("/api/v1/auth/login", &body).await.expect(200);
    }

    async fn a_sign_in_under_way_does_not_get_past_a_second_factor_that_is_turned_on(house) {
        let ann = house.sign_up("Ann").await;
        let admitted = async || {
            let password = Password::new(testing::PASSWORD.into()).expect("a password");
            let email = Email::new("ann@example.com").expect("an address");
            let sign_in = SignIn { email, password, code: None, device: None };
            login::admit(&house.house, sign_in, &Origin::default()).await.expect("the password is right")
        };
        let (one, two) = (admitted().await, admitted().await);
        second_factor(&house, &ann).await;
        assert!(matches!(one.tokens(&house.house, &Origin::default()).await, Err(tenancy::Error::Credentials)));
        assert!(matches!(two.browser(&house.house, true, &Origin::default()).await, Err(tenancy::Error::Credentials)));
    }

    async fn step_up_passwords_are_counted(house) {
        let ann = house.sign_up("Ann").await;
        for _ in 0..10 {
            ann.post("/api/v1/auth/step-up", &json!({ "password": "wrong" })).await.expect(401);
        }
        ann.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(429);
        assert!(house.actions(&ann).await.iter().any(|action| action == "session.refused"));
    }

    async fn a_second_factor_begins_with_its_first_code(house) {
        let ann = house.sign_up("Ann").await;
        let early = ann.post("/api/v1/auth/totp/confirm", &json!({ "code": "123456" })).await.expect(409);
        assert_eq!(early.code(), "conflict");
        let enrolment = ann.post("/api/v1/auth/totp", &json!({})).await.expect(201);
        assert!(enrolment.str("/otpauth_url").contains(enrolment.str("/secret")));
        assert_eq!(enrolment.str("/secret").len(), 32, "160 bits in base 32");
        let right = code(enrolment.str("/secret"), house.clock_now());
        let wrong = if right == "000000" { "000001" } else { "000000" };
        ann.post("/api/v1/auth/totp/confirm", &json!({ "code": wrong })).await.expect(401);
        // Until then signing in takes none.
        let other = house.signed_in_again(&ann).await;
        other.get("/api/v1/auth/me").await.expect(200);
        ann.post("/api/v1/auth/totp/confirm", &json!({ "code": right })).await.expect(200);
        assert_eq!(other.get("/api/v1/auth/me").await.expect(401).code(), "unauthenticated", "other sessions end");
        ann.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(ann.post("/api/v1/auth/totp", &json!({})).await.expect(409).code(), "conflict");
        assert_eq!(ann.get("/api/v1/user/profile").await.expect(200).json["second_factor"], true);
        house.mail("ann@example.com", "Your second factor is on").await;
        assert!(house.actions(&ann).await.iter().any(|action| action == "second_factor.on"));
    }

    async fn a_second_factor_is_turned_off_with_a_code(house) {
        let ann = house.sign_up("Ann").await;
        let off = |code: &str| json!({ "code": code });
        ann.send("DELETE".parse().expect("a method"), "/api/v1/auth/totp", Some(&off("123456"))).await.expect(409);
        let (secret, _) = second_factor(&house, &ann).await;
        let delete = async |code: &str| {
            ann.send("DELETE".parse().expect("a method"), "/api/v1/auth/totp", Some(&off(code))).await
        };
        let used = code(&secret, house.clock_now());
        delete(&used).await.expect(401);
        house.clock.advance(Duration::from_secs(30));
        delete(&code(&secret, house.clock_now())).await.expect(204);
        house.signed_in_again(&ann).await;
        let any = json!({ "code": "123456" });
        assert_eq!(ann.post("/api/v1/auth/recovery-codes", &any).await.expect(409).code(), "conflict");
    }

    async fn new_recovery_codes_void_the_old_ones(house) {
        let ann = house.sign_up("Ann").await;
        let (_, old) = second_factor(&house, &ann).await;
        let keyed = ann.with("idempotency-key", "codes");
        let by_an_old_one = json!({ "code": old[1] });
        let answer = keyed.post("/api/v1/auth/recovery-codes", &by_an_old_one).await.expect(201);
        assert_eq!(keyed.post("/api/v1/auth/recovery-codes", &by_an_old_one).await.expect(201).json, answer.json);
        let new = answer.str("/recovery_codes/0");
        let body = |code: &str| json!({ "email": "ann@example.com", "password": testing::PASSWORD, "code": code });
        house.visitor().post("/api/v1/auth/login", &body(&old[0])).await.expect(401);
        house.visitor().post("/api/v1/auth/login", &body(new)).await.expect(200);
    }
}
