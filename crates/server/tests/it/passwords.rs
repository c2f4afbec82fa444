//! New passwords: by mail and by hand.

use std::time::Duration;

use serde_json::json;
use testing::TestHouse;

const NEW: &str = "a door with a new lock";

async fn log_in(house: &TestHouse, password: &str) -> testing::Answer {
    house.visitor().post("/api/v1/auth/login", &json!({ "email": "ann@example.com", "password": password })).await
}

async fn forgot(house: &TestHouse) {
    house.visitor().post("/api/v1/auth/password/forgot", &json!({ "email": "Ann@Example.com" })).await.expect(202);
}

async fn reset(house: &TestHouse, token: &str, password: &str) -> testing::Answer {
    house.visitor().post("/api/v1/auth/password/reset", &json!({ "token": token, "password": password })).await
}

testing::both_stores! {
    async fn a_reset_ends_all_sessions(house) {
        let ann = house.sign_up("Ann").await;
        let other = house.signed_in_again(&ann).await;
        forgot(&house).await;
        let token = house.mailed_token("ann@example.com", "Set a new password").await;
        assert_eq!(reset(&house, &token, "short").await.expect(422).str("/error/param"), "password");
        assert_eq!(reset(&house, &token, "ann@example.com").await.expect(422).str("/error/param"), "password");
        reset(&house, &token, NEW).await.expect(204);
        assert_eq!(reset(&house, &token, NEW).await.expect(409).code(), "conflict");
        for client in [&ann, &other] {
            client.get("/api/v1/auth/me").await.expect(401);
            let body = json!({ "refresh_token": client.refresh });
            house.visitor().post("/api/v1/auth/refresh", &body).await.expect(401);
        }
        log_in(&house, testing::PASSWORD).await.expect(401);
        log_in(&house, NEW).await.expect(200);
        house.mail("ann@example.com", "Your password was changed").await;
    }

    async fn of_two_who_use_a_link_at_once_one_succeeds(house) {
        house.sign_up("Ann").await;
        forgot(&house).await;
        let token = house.mailed_token("ann@example.com", "Set a new password").await;
        let (one, two) = tokio::join!(reset(&house, &token, NEW), reset(&house, &token, "another good password"));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409]);
    }

    async fn a_link_holds_for_an_hour_and_mails_do_not_pile_up(house) {
        house.sign_up("Ann").await;
        forgot(&house).await;
        forgot(&house).await;
        assert_eq!(house.mails_to("ann@example.com").await.len(), 1);
        let token = house.mailed_token("ann@example.com", "Set a new password").await;
        house.clock.advance(Duration::from_hours(1));
        reset(&house, &token, NEW).await.expect(409);
        log_in(&house, testing::PASSWORD).await.expect(200);
    }

    async fn a_new_password_opens_an_account_that_was_locked(house) {
        house.sign_up("Ann").await;
        for _ in 0..10 {
            log_in(&house, "wrong").await.expect(401);
        }
        log_in(&house, testing::PASSWORD).await.expect(429);
        forgot(&house).await;
        let token = house.mailed_token("ann@example.com", "Set a new password").await;
        reset(&house, &token, NEW).await.expect(204);
        log_in(&house, NEW).await.expect(200);
    }

    async fn a_reset_does_not_pass_the_second_factor_by(house) {
        let ann = house.sign_up("Ann").await;
        crate::logins::second_factor(&house, &ann).await;
        forgot(&house).await;
        let token = house.mailed_token("ann@example.com", "Set a new password").await;
        reset(&house, &token, NEW).await.expect(204);
        assert_eq!(log_in(&house, NEW).await.expect(401).code(), "code_needed");
    }

    async fn a_password_is_changed_by_who_knows_it_or_has_just_shown_a_factor(house) {
        let ann = house.sign_up("Ann").await;
        let other = house.signed_in_again(&ann).await;
        house.clock.advance(Duration::from_secs(601));
        let (ann, other) = (house.refreshed(&ann).await, house.refreshed(&other).await);
        assert_eq!(ann.put("/api/v1/auth/password", &json!({ "new": NEW })).await.expect(403).code(), "step_up_needed");
        let wrong = json!({ "current": "wrong", "new": NEW });
        assert_eq!(ann.put("/api/v1/auth/password", &wrong).await.expect(401).code(), "invalid_credentials");
        let easy = json!({ "current": testing::PASSWORD, "new": "passwordpassword" });
        assert_eq!(ann.put("/api/v1/auth/password", &easy).await.expect(422).str("/error/param"), "new");
        let right = json!({ "current": testing::PASSWORD, "new": NEW });
        ann.put("/api/v1/auth/password", &right).await.expect(204);
        ann.get("/api/v1/auth/me").await.expect(200);
        other.get("/api/v1/auth/me").await.expect(401);
        log_in(&house, testing::PASSWORD).await.expect(401);
        let ann = house.visitor().with_token(Some(log_in(&house, NEW).await.expect(200).str("/access_token")));
        ann.put("/api/v1/auth/password", &json!({ "new": testing::PASSWORD })).await.expect(204);
        log_in(&house, testing::PASSWORD).await.expect(200);
    }

    async fn one_source_cannot_flood_the_post(house) {
        for n in 0..100 {
            let body = json!({ "email": format!("somebody{n}@example.com") });
            house.visitor().post("/api/v1/auth/password/forgot", &body).await.expect(202);
        }
        let body = json!({ "email": "ann@example.com" });
        house.visitor().post("/api/v1/auth/password/forgot", &body).await.expect(429);
    }
}
