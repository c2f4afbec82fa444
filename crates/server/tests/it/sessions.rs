//! Sessions: tokens that rotate, cookies, lists, and their ends.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Client, TestHouse, Wish};

fn credentials() -> Value {
    json!({ "email": "ann@example.com", "password": testing::PASSWORD })
}

async fn refresh(house: &TestHouse, token: &str) -> testing::Answer {
    house.visitor().post("/api/v1/auth/refresh", &json!({ "refresh_token": token })).await
}

/// Signs in with a cookie; gives a client that sends it, and one that sends the token against forged requests too.
async fn browser(house: &TestHouse, remember: bool) -> (Client, Client, String) {
    let mut body = credentials();
    body["remember"] = remember.into();
    let answer = house.visitor().post("/api/v1/auth/session", &body).await.expect(201);
    let cookie = answer.headers["set-cookie"].to_str().expect("text").to_owned();
    let reader = house.visitor().with("cookie", cookie.split(';').next().expect("a pair"));
    let writer = reader.with("x-rowhouse-csrf", answer.str("/csrf_token"));
    (reader, writer, cookie)
}

testing::both_stores! {
    async fn refreshing_rotates_and_keeps_the_session(house) {
        let ann = house.sign_up("Ann").await;
        let next = refresh(&house, &ann.refresh).await.expect(200);
        assert_ne!(next.str("/refresh_token"), ann.refresh);
        ann.get("/api/v1/auth/me").await.expect(200);
        house.visitor().with_token(Some(next.str("/access_token"))).get("/api/v1/auth/me").await.expect(200);
        let again = refresh(&house, next.str("/refresh_token")).await.expect(200);
        assert_eq!(ann.get("/api/v1/auth/sessions").await.expect(200).json["data"].as_array().expect("a list").len(), 1);
        assert_eq!(again.json["token_type"], "Bearer");
        for wrong in ["", "nonsense"] {
            let answer = refresh(&house, wrong).await;
            assert!([401, 422].contains(&answer.status), "{}", answer.text);
        }
    }

    async fn a_lost_answer_is_given_again_for_ten_seconds(house) {
        let ann = house.sign_up("Ann").await;
        let first = refresh(&house, &ann.refresh).await.expect(200);
        house.clock.advance(Duration::from_secs(10));
        let second = refresh(&house, &ann.refresh).await.expect(200);
        assert_eq!(first.str("/refresh_token"), second.str("/refresh_token"));
        house.clock.advance(Duration::from_secs(1));
        refresh(&house, &ann.refresh).await.expect(401);
    }

    async fn two_at_once_get_the_same_successor(house) {
        let ann = house.sign_up("Ann").await;
        let (one, two) = tokio::join!(refresh(&house, &ann.refresh), refresh(&house, &ann.refresh));
        assert_eq!(one.expect(200).str("/refresh_token"), two.expect(200).str("/refresh_token"));
    }

    async fn a_token_used_twice_ends_the_whole_family(house) {
        let ann = house.sign_up("Ann").await;
        let other = house.signed_in_again(&ann).await;
        let next = refresh(&house, &ann.refresh).await.expect(200);
        // Within the grace, but no longer the one right before the living one.
        let last = refresh(&house, next.str("/refresh_token")).await.expect(200);
        let reused = refresh(&house, &ann.refresh).await.expect(401);
        assert_eq!(reused.code(), "unauthenticated");
        for token in [ann.token.as_deref().expect("a token"), last.str("/access_token")] {
            house.visitor().with_token(Some(token)).get("/api/v1/auth/me").await.expect(401);
        }
        refresh(&house, last.str("/refresh_token")).await.expect(401);
        other.get("/api/v1/auth/me").await.expect(200);
        let entries = house.audit(&other).await;
        assert!(entries.iter().any(|entry| entry.action == "session.ended" && entry.detail.contains("twice")));
        house.mail("ann@example.com", "A session of yours was ended").await;
    }

    async fn refresh_tokens_end_unused_and_in_the_end(house) {
        let ann = house.sign_up("Ann").await;
        house.clock.advance(Duration::from_hours(14 * 24));
        refresh(&house, &ann.refresh).await.expect(401);
        let ann = house.signed_in_again(&ann).await;
        let mut token = ann.refresh.clone();
        for _ in 0..2 {
            house.clock.advance(Duration::from_hours(13 * 24));
            let next = refresh(&house, &token).await.expect(200);
            next.str("/refresh_token").clone_into(&mut token);
        }
        house.clock.advance(Duration::from_hours(4 * 24));
        refresh(&house, &token).await.expect(401);
    }

    async fn after_logout_the_token_fails_at_once(house) {
        let ann = house.sign_up("Ann").await;
        let (other, third) = (house.signed_in_again(&ann).await, house.signed_in_again(&ann).await);
        ann.get("/api/v1/auth/me").await.expect(200);
        ann.post("/api/v1/auth/logout", &json!({})).await.expect(204);
        ann.get("/api/v1/auth/me").await.expect(401);
        ann.post("/api/v1/auth/logout", &json!({})).await.expect(401);
        refresh(&house, &ann.refresh).await.expect(401);
        let with_other = json!({ "refresh_token": other.refresh });
        third.post("/api/v1/auth/logout", &with_other).await.expect(204);
        other.get("/api/v1/auth/me").await.expect(401);
        let last = house.signed_in_again(&ann).await;
        last.send("POST".parse().expect("a method"), "/api/v1/auth/logout", None).await.expect(204);
    }

    async fn one_sees_and_ends_ones_own_sessions(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let phone = house.signed_in_again(&ann.with("user-agent", "a phone")).await;
        let list = ann.get("/api/v1/auth/sessions").await.expect(200);
        let sessions = list.json["data"].as_array().expect("a list");
        assert_eq!(sessions.len(), 2);
        let of_phone = sessions.iter().find(|session| session["current"] == false).expect("the other one");
        assert_eq!((&of_phone["agent"], &of_phone["address"]), (&json!("a phone"), &json!("192.0.2.10")));
        let path = format!("/api/v1/auth/sessions/{}", of_phone["id"].as_str().expect("text"));
        let by_bob = bob.with("x-request-id", "compare-bytes");
        let never = "/api/v1/auth/sessions/ses_01932d6f4b7a7c3e9a51c0ffee15600d";
        assert_eq!(by_bob.delete(&path).await.expect(404).text, by_bob.delete(never).await.expect(404).text);
        phone.get("/api/v1/auth/me").await.expect(200);
        ann.delete(&path).await.expect(204);
        ann.delete(&path).await.expect(404);
        phone.get("/api/v1/auth/me").await.expect(401);
        let (one, two) = (house.signed_in_again(&ann).await, house.signed_in_again(&ann).await);
        one.delete("/api/v1/auth/sessions").await.expect(204);
        ann.get("/api/v1/auth/me").await.expect(401);
        two.get("/api/v1/auth/me").await.expect(401);
        one.get("/api/v1/auth/me").await.expect(200);
        bob.get("/api/v1/auth/me").await.expect(200);
    }

    async fn a_browser_has_a_cookie_and_shows_who_wrote_the_page(house) {
        house.sign_up("Ann").await;
        let (reader, writer, cookie) = browser(&house, false).await;
        assert!(cookie.starts_with("rh_session="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
        reader.get("/api/v1/auth/me").await.expect(200);
        let shown = reader.get("/api/v1/auth/session").await.expect(200);
        assert_eq!(shown.str("/user/email"), "ann@example.com");
        let team = json!({ "name": "Engineering" });
        assert_eq!(reader.post("/api/v1/teams", &team).await.expect(403).code(), "csrf");
        let guess = reader.with("x-rowhouse-csrf", "00000000000000000000000000000000");
        assert_eq!(guess.post("/api/v1/teams", &team).await.expect(403).code(), "csrf");
        for (header, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://evil.test")] {
            assert_eq!(writer.with(header, value).post("/api/v1/teams", &team).await.expect(403).code(), "csrf", "{value}");
        }
        writer.with("sec-fetch-site", "same-origin").post("/api/v1/teams", &team).await.expect(201);
        writer.with("origin", "http://test").delete("/api/v1/auth/sessions").await.expect(204);
        assert_eq!(reader.delete("/api/v1/auth/session").await.expect(403).code(), "csrf");
        let ended = writer.delete("/api/v1/auth/session").await.expect(204);
        assert_eq!(ended.headers["set-cookie"], "rh_session=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
        reader.get("/api/v1/auth/me").await.expect(401);
    }

    async fn a_change_of_roles_gives_browsers_a_new_secret(house) {
        let bob = house.sign_up("Bob").await;
        let ann = house.join(&bob, "Ann", "member").await;
        let (reader, writer, _) = browser(&house, false).await;
        assert!(!reader.get("/api/v1/auth/me").await.expect(200).headers.contains_key("set-cookie"));
        bob.patch(&format!("/api/v1/members/{}", ann.user), &json!({ "role": "admin" })).await.expect(200);
        // Of two at once one brings the new cookie, and both are let in.
        let (one, two) = tokio::join!(reader.get("/api/v1/auth/me"), reader.get("/api/v1/auth/me"));
        let given: Vec<_> = [one, two].map(|answer| answer.expect(200).headers.get("set-cookie").cloned()).into_iter().flatten().collect();
        assert_eq!(given.len(), 1, "{given:?}");
        let cookie = given[0].to_str().expect("text");
        assert!(cookie.starts_with("rh_session=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
        let renewed = house.visitor().with("cookie", cookie.split(';').next().expect("a pair"));
        assert!(!renewed.get("/api/v1/auth/me").await.expect(200).headers.contains_key("set-cookie"), "once");
        // What was on its way still arrives; then the old secret is void.
        house.clock.advance(Duration::from_secs(9));
        writer.post("/api/v1/teams", &json!({ "name": "On its way" })).await.expect(201);
        house.clock.advance(Duration::from_secs(1));
        reader.get("/api/v1/auth/me").await.expect(401);
        renewed.get("/api/v1/auth/me").await.expect(200);
        // The page goes on with the token it has.
        let csrf = writer.get("/api/v1/auth/session").await.expect(401);
        assert_eq!(csrf.code(), "unauthenticated");
        let shown = renewed.get("/api/v1/auth/session").await.expect(200);
        renewed.with("x-rowhouse-csrf", shown.str("/csrf_token")).post("/api/v1/teams", &json!({ "name": "Next" })).await.expect(201);
    }

    async fn a_token_is_no_cookie_and_a_cookie_no_token(house) {
        let ann = house.sign_up("Ann").await;
        ann.get("/api/v1/auth/session").await.expect(404);
        let (_, _, cookie) = browser(&house, false).await;
        let secret = cookie.split(['=', ';']).nth(1).expect("a secret");
        house.visitor().with_token(Some(secret)).get("/api/v1/auth/me").await.expect(401);
        let token = ann.token.expect("a token");
        house.visitor().with("cookie", &format!("rh_session={token}")).get("/api/v1/auth/me").await.expect(401);
    }

    async fn browsers_are_signed_out_after_an_hour_unless_they_are_remembered(house) {
        house.sign_up("Ann").await;
        let (short, _, _) = browser(&house, false).await;
        let (long, writer, cookie) = browser(&house, true).await;
        assert!(cookie.ends_with("; Max-Age=2592000"), "{cookie}");
        for _ in 0..27 {
            house.clock.advance(Duration::from_mins(55));
            if short.get("/api/v1/auth/me").await.status == 401 {
                break;
            }
        }
        short.get("/api/v1/auth/me").await.expect(401);
        house.clock.advance(Duration::from_hours(28 * 24));
        long.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(writer.post("/api/v1/auth/totp", &json!({})).await.expect(403).code(), "step_up_needed");
        house.clock.advance(Duration::from_hours(48));
        long.get("/api/v1/auth/me").await.expect(401);
        let (idle, _, _) = browser(&house, false).await;
        house.clock.advance(Duration::from_mins(61));
        idle.get("/api/v1/auth/me").await.expect(401);
    }

    async fn a_step_up_gives_a_browser_a_new_secret(house) {
        house.sign_up("Ann").await;
        let (reader, writer, _) = browser(&house, false).await;
        let answer = writer.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
        let renewed = answer.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair");
        reader.get("/api/v1/auth/me").await.expect(401);
        house.visitor().with("cookie", renewed).get("/api/v1/auth/me").await.expect(200);
    }

    async fn a_repeated_sign_in_is_told_so_and_gets_no_tokens(house) {
        let ann = house.sign_up("Ann").await;
        let visitor = house.visitor().with("idempotency-key", "sign-in");
        let shown = json!({ "refresh_token": ann.refresh });
        let newcomer = json!({ "email": "new@example.com", "password": testing::PASSWORD, "name": "New" });
        for (path, body, status) in [
            ("/api/v1/auth/session", credentials(), 201),
            ("/api/v1/auth/login", credentials(), 200),
            ("/api/v1/auth/refresh", shown, 200),
            ("/api/v1/auth/signup", newcomer, 201),
        ] {
            visitor.post(path, &body).await.expect(status);
            let again = visitor.post(path, &body).await.expect(409);
            assert_eq!(again.code(), "already_done", "{path}");
            assert!(!again.headers.contains_key("set-cookie") && !again.text.contains("token\""), "{path} {}", again.text);
            // Another body under the same key is a mistake, as ever.
            let other = json!({ "email": "x@example.com", "password": "another one", "name": "X" });
            let other = if path.ends_with("refresh") { json!({ "refresh_token": "x" }) } else { other };
            assert_eq!(visitor.post(path, &other).await.expect(422).code(), "idempotency_mismatch", "{path}");
        }
        let sessions = house.signed_in_again(&ann).await.get("/api/v1/auth/sessions").await.expect(200);
        assert_eq!(sessions.json["data"].as_array().expect("a list").len(), 4, "nothing happened twice: {}", sessions.text);
    }

    async fn a_lost_answer_to_a_refresh_is_had_without_the_key(house) {
        let ann = house.sign_up("Ann").await;
        let shown = json!({ "refresh_token": ann.refresh });
        let keyed = house.visitor().with("idempotency-key", "once");
        let first = keyed.post("/api/v1/auth/refresh", &shown).await.expect(200);
        keyed.post("/api/v1/auth/refresh", &shown).await.expect(409);
        let second = refresh(&house, &ann.refresh).await.expect(200);
        assert_eq!(first.str("/refresh_token"), second.str("/refresh_token"));
    }

    async fn one_works_in_ones_own_organisations_only(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let answer = ann.put("/api/v1/auth/active-org", &json!({ "org_id": ann.org })).await.expect(200);
        assert_eq!(answer.str("/id"), ann.org);
        let ann = ann.with("x-request-id", "compare-bytes");
        let foreign = ann.put("/api/v1/auth/active-org", &json!({ "org_id": bob.org })).await.expect(404);
        let never = json!({ "org_id": "org_01932d6f4b7a7c3e9a51c0ffee15600d" });
        assert_eq!(foreign.text, ann.put("/api/v1/auth/active-org", &never).await.expect(404).text);
        ann.put("/api/v1/auth/active-org", &json!({ "org_id": "nonsense" })).await.expect(422);
        assert!(house.actions(&ann).await.iter().any(|action| action == "session.entered"));
    }
}

fn public() -> Wish {
    Wish { public_url: "https://rows.example".into(), ..Wish::default() }
}

testing::both_stores! {
    in public();
    async fn under_https_the_cookie_is_bound_to_the_host(house) {
        house.sign_up("Ann").await;
        let (reader, writer, cookie) = browser(&house, false).await;
        assert!(cookie.starts_with("__Host-rh_session="), "{cookie}");
        assert!(cookie.ends_with("; Path=/; Secure; HttpOnly; SameSite=Lax"), "{cookie}");
        reader.get("/api/v1/auth/me").await.expect(200);
        let secret = cookie.split(['=', ';']).nth(1).expect("a secret");
        house.visitor().with("cookie", &format!("rh_session={secret}")).get("/api/v1/auth/me").await.expect(401);
        writer.delete("/api/v1/auth/session").await.expect(204);
    }
}
