//! Pages of other sites: those on the list may call, all others are told nothing.

use axum::http::{HeaderMap, Method};
use serde_json::json;
use testing::{Client, TestHouse, Wish};

const APP: &str = "https://app.example.com";
const COMPARED: &str = "compare-bytes";

fn listed() -> Wish {
    Wish { origins: vec![APP.into(), "http://localhost:3000".into()], ..Wish::default() }
}

/// The names of the headers by which a browser would open an answer to a page.
fn opened(headers: &HeaderMap) -> Vec<&str> {
    headers.keys().map(axum::http::HeaderName::as_str).filter(|name| name.starts_with("access-control-")).collect()
}

fn asking(house: &TestHouse, origin: &str) -> Client {
    house
        .visitor()
        .with("origin", origin)
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "authorization,content-type")
}

testing::both_stores! {
    in listed();
    async fn a_listed_page_reads_answers_and_problems(house) {
        let ann = house.sign_up("Ann").await.with("origin", APP);
        for answer in [
            ann.get("/api/v1/auth/me").await.expect(200),
            ann.get("/api/v1/nowhere").await.expect(404),
            ann.with_token(Some("nonsense")).get("/api/v1/auth/me").await.expect(401),
            ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201),
            ann.post("/api/v1/teams", &json!({})).await.expect(422),
        ] {
            assert_eq!(answer.headers["access-control-allow-origin"], APP);
            assert_eq!(answer.headers["access-control-allow-credentials"], "true");
            let exposed = answer.headers["access-control-expose-headers"].to_str().expect("text");
            assert!(exposed.contains("etag") && exposed.contains("x-request-id"), "{exposed}");
            assert!(answer.headers["vary"].to_str().expect("text").contains("Origin"));
        }
    }

    async fn a_browser_that_asks_is_told_what_a_listed_page_may_send(house) {
        for origin in [APP, "http://localhost:3000"] {
            let told = asking(&house, origin).send(Method::OPTIONS, "/api/v1/teams", None).await.expect(204);
            assert_eq!(told.headers["access-control-allow-origin"], origin);
            assert_eq!(told.headers["access-control-allow-credentials"], "true");
            assert_eq!(told.headers["access-control-max-age"], "600");
            for (header, part) in [
                ("access-control-allow-methods", "PATCH"),
                ("access-control-allow-headers", "x-rowhouse-csrf"),
                ("access-control-allow-headers", "idempotency-key"),
                ("vary", "Origin"),
            ] {
                let value = told.headers[header].to_str().expect("text");
                assert!(value.contains(part) && !value.contains('*'), "{header}: {value}");
            }
            assert!(told.text.is_empty());
        }
    }

    async fn all_other_pages_are_told_nothing(house) {
        let ann = house.sign_up("Ann").await.with("x-request-id", COMPARED);
        let plain = ann.get("/api/v1/auth/me").await.expect(200);
        for origin in [
            "null", "*", "", "https://evil.example", "http://app.example.com", "https://app.example.com:8443",
            "https://app.example.com.evil.example", "https://evilapp.example.com", "https://APP.example.com",
            "https://app.example.com/", "https://app.example.com, https://evil.example", "https://x.app.example.com",
        ] {
            let answer = ann.with("origin", origin).get("/api/v1/auth/me").await.expect(200);
            assert_eq!((&answer.headers, &answer.text), (&plain.headers, &plain.text), "{origin}");
            let told = asking(&house, origin).send(Method::OPTIONS, "/api/v1/teams", None).await.expect(405);
            assert!(opened(&told.headers).is_empty(), "{origin}: {:?}", told.headers);
        }
        // Two origins are none.
        let both = ann.with("origin", APP).with("origin", "https://evil.example").get("/api/v1/auth/me").await.expect(200);
        assert!(opened(&both.headers).is_empty(), "{:?}", both.headers);
        // A page that is listed and asks for nothing gets what OPTIONS gets.
        let nothing = house.visitor().with("origin", APP);
        nothing.send(Method::OPTIONS, "/api/v1/teams", None).await.expect(405);
    }

    async fn a_listed_page_changes_things_with_a_cookie_and_the_token_of_its_session(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "email": "ann@example.com", "password": testing::PASSWORD });
        let page = house.visitor().with("origin", APP).with("sec-fetch-site", "same-site");
        let session = page.post("/api/v1/auth/session", &body).await.expect(201);
        let cookie = session.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        let token = session.str("/csrf_token").to_owned();
        let team = |name: &str| json!({ "name": name });
        let page = page.with("cookie", &cookie);
        page.get("/api/v1/auth/me").await.expect(200);
        for wrong in ["", "00000000000000000000000000000000", &token[1..], &format!("{token}0"), &token.to_uppercase()] {
            let forged = page.with("x-rowhouse-csrf", wrong).post("/api/v1/teams", &team("Forged")).await.expect(403);
            assert_eq!(forged.code(), "csrf");
        }
        page.with("x-rowhouse-csrf", &token).post("/api/v1/teams", &team("Engineering")).await.expect(201);
        // The same token from a page that is not listed.
        let other = house.visitor().with("cookie", &cookie).with("x-rowhouse-csrf", &token);
        for (name, value) in [("origin", "https://evil.example"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
            let forged = other.with(name, value).post("/api/v1/teams", &team("Forged")).await.expect(403);
            assert_eq!(forged.code(), "csrf", "{value}");
        }
        let log = ann.get("/api/v1/audit?action=access.denied&limit=200").await.expect(200);
        assert_eq!(log.json["data"].as_array().expect("a list").len(), 8, "each was recorded");
    }

    async fn an_origin_opens_nothing_by_itself(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let page = bob.with("origin", APP).with("x-request-id", COMPARED);
        house.visitor().with("origin", APP).get("/api/v1/auth/me").await.expect(401);
        let foreign = page.in_org(&ann.org).get("/api/v1/teams").await.expect(404);
        let never = page.in_org("org_01932d6f4b7a7c3e9a51c0ffee15600d").get("/api/v1/teams").await.expect(404);
        assert_eq!((&foreign.text, &foreign.headers), (&never.text, &never.headers));
    }
}

testing::both_stores! {
    async fn without_a_list_no_page_is_told_anything(house) {
        let ann = house.sign_up("Ann").await;
        for origin in [APP, "null", "http://test"] {
            assert!(opened(&ann.with("origin", origin).get("/api/v1/auth/me").await.expect(200).headers).is_empty());
            let told = asking(&house, origin).send(Method::OPTIONS, "/api/v1/teams", None).await.expect(405);
            assert!(opened(&told.headers).is_empty());
        }
    }
}
