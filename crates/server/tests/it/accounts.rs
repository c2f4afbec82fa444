//! Signing up, signing in, and who one is.

use serde_json::json;

testing::both_stores! {
    async fn a_new_person_owns_a_personal_organisation(house) {
        let ann = house.sign_up("Ann").await;
        let me = ann.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(me.str("/user/email"), "ann@example.com");
        assert_eq!(me.str("/organization/id"), ann.org);
        assert_eq!(me.str("/role"), "owner");
        assert_eq!(me.json["organizations"].as_array().expect("a list").len(), 1);
        assert_eq!(house.visitor().get("/api/v1/auth/me").await.status, 401);
    }

    async fn both_ways_to_sign_up_are_documented(house) {
        let document = house.visitor().get("/api/openapi.json").await.expect(200);
        let responses = &document.json["paths"]["/api/v1/auth/signup"]["post"]["responses"];
        assert!(responses.get("201").is_some() && responses.get("202").is_some(), "{responses}");
        let logout = &document.json["paths"]["/api/v1/auth/logout"]["post"]["requestBody"];
        assert_ne!(logout["required"], true, "{logout}");
    }

    async fn a_taken_address_is_refused_by_name(house) {
        house.sign_up("Ann").await;
        let body = json!({ "email": "ANN@example.com", "password": testing::PASSWORD, "name": "Other Ann" });
        let answer = house.visitor().post("/api/v1/auth/signup", &body).await.expect(409);
        assert_eq!((answer.code(), answer.str("/error/param")), ("taken", "email"));
    }

    async fn login_takes_the_right_password_only(house) {
        house.sign_up("Ann").await;
        let right = json!({ "email": "ann@example.com", "password": testing::PASSWORD });
        let answer = house.visitor().post("/api/v1/auth/login", &right).await.expect(200);
        let again = house.visitor().with_token(Some(answer.str("/access_token")));
        again.get("/api/v1/auth/me").await.expect(200);
        let wrong = json!({ "email": "ann@example.com", "password": "something else" });
        let unknown = json!({ "email": "nobody@example.com", "password": "something else" });
        for body in [wrong, unknown] {
            let answer = house.visitor().with("x-request-id", "the-same-id").post("/api/v1/auth/login", &body).await.expect(401);
            assert_eq!(answer.code(), "invalid_credentials");
        }
    }

    async fn an_idempotency_key_takes_effect_once(house) {
        let ann = house.sign_up("Ann").await.with("idempotency-key", "one");
        let body = json!({ "name": "Engineering" });
        let first = ann.post("/api/v1/teams", &body).await.expect(201);
        let second = ann.post("/api/v1/teams", &body).await.expect(201);
        assert_eq!(first.json, second.json);
        assert_eq!(second.headers["idempotent-replayed"], "true");
        let other = json!({ "name": "Product" });
        assert_eq!(ann.post("/api/v1/teams", &other).await.expect(422).code(), "idempotency_mismatch");
    }
}
