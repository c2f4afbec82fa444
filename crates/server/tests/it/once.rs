//! What says who calls and for whom comes once: a request that says it twice is refused, whichever comes first.

use serde_json::{Value, json};
use testing::{Answer, both_stores};

const TEAMS: &str = "/api/v1/teams";

fn refused(answer: &Answer, what: &str) {
    let told = (answer.status, answer.code(), answer.text.contains(what));
    assert_eq!(told, (400, "invalid_request", true), "{what}: {}", answer.text);
}

both_stores! {
    async fn two_organisations_projects_or_credentials_are_refused(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let second = ann.post("/api/v1/orgs", &json!({ "name": "Second" })).await.expect(201);
        let second = second.str("/id");
        let project = ann.post("/api/v1/projects", &json!({ "name": "P" })).await.expect(201);
        let project = project.str("/id");
        let bearer = |who: &testing::Client| format!("Bearer {}", who.token.as_deref().expect("signed in"));
        let twice = |name: &str, first: &str, then: &str| ann.with(name, first).with(name, then);
        for (client, what) in [
            (twice("x-rowhouse-org", &ann.org, second), "x-rowhouse-org"),
            (twice("x-rowhouse-org", second, &ann.org), "x-rowhouse-org"),
            (twice("x-rowhouse-org", &ann.org, &bob.org), "x-rowhouse-org"),
            (twice("X-Rowhouse-Org", &ann.org, &ann.org), "x-rowhouse-org"),
            (twice("x-rowhouse-project", project, "prj_01932d6f4b7a7c3e9a51c0ffee15600d"), "x-rowhouse-project"),
            (ann.with("authorization", &bearer(&bob)), "authorization"),
            (ann.with("authorization", &bearer(&ann)), "authorization"),
            (ann.with("authorization", ""), "authorization"),
            (twice("idempotency-key", "one", "two"), "idempotency-key"),
            (twice("if-match", "\"1\"", "\"2\""), "if-match"),
            (twice("host", "a.example", "b.example"), "host"),
        ] {
            refused(&client.get(TEAMS).await, what);
            refused(&client.post(TEAMS, &json!({ "name": "Twice" })).await, what);
            refused(&client.get("/healthz").await, what);
        }
        // Two in one line are one value, which is no organisation and no credential.
        ann.in_org(&format!("{}, {}", ann.org, second)).get(TEAMS).await.expect(404);
        let both = format!("{}, {}", bearer(&ann), bearer(&bob));
        house.visitor().with("authorization", &both).get(TEAMS).await.expect(401);
        for client in [ann.in_org(&ann.org), ann.in_org(second), bob] {
            assert_eq!(client.get(TEAMS).await.expect(200).json["data"], json!([]), "nothing was made");
        }
        // Who speaks another's words is told so in them.
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "app" })).await.expect(201);
        let client = house.visitor().with("anthropic-version", "2023-06-01").with("x-api-key", key.str("/key"));
        client.get("/v1/models").await.expect(200);
        let answer = client.with("x-api-key", "another").get("/v1/models").await.expect(400);
        assert_eq!((&answer.json["type"], &answer.json["error"]["type"]), (&json!("error"), &json!("invalid_request_error")));
        assert!(answer.headers.contains_key("request-id"));
    }

    async fn two_cookies_of_a_session_are_refused_and_other_cookies_are_not(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "email": ann.email, "password": testing::PASSWORD });
        let session = house.visitor().post("/api/v1/auth/session", &body).await.expect(201);
        let cookie = session.headers["set-cookie"].to_str().expect("text").split(';').next().expect("a pair").to_owned();
        let visitor = house.visitor();
        visitor.with("cookie", &cookie).with("cookie", "theme=dark").get(TEAMS).await.expect(200);
        visitor.with("cookie", &format!("theme=dark; {cookie}; theme=light")).get(TEAMS).await.expect(200);
        for client in [
            visitor.with("cookie", &cookie).with("cookie", "rh_session=another"),
            visitor.with("cookie", "rh_session=another").with("cookie", &cookie),
            visitor.with("cookie", &format!("{cookie}; rh_session=another")),
            visitor.with("cookie", &format!("{cookie};{cookie}")),
        ] {
            let answer = client.get(TEAMS).await;
            refused(&answer, "cookie");
            assert_eq!(answer.json["data"], Value::Null);
        }
        let csrf = visitor.with("cookie", &cookie).with("x-rowhouse-csrf", session.str("/csrf_token"));
        csrf.post(TEAMS, &json!({ "name": "Once" })).await.expect(201);
        refused(&csrf.with("x-rowhouse-csrf", "another").post(TEAMS, &json!({ "name": "Twice" })).await, "x-rowhouse-csrf");
    }
}
