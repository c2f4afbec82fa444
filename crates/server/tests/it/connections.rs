//! Connections to services outside: a person's own, in one organisation, with a token that is never seen again. Notion is played by a
//! server that answers as Notion's published interface says.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use server::Installation;
use testing::{Client, Wish};

const LINK: &str = "/api/v1/user/connections/notion";
const TOKEN: &str = "ntn_42713948571ExampleOfAnIntegration9xyz";

/// What Notion says to the one token it knows: as it is, or that it is busy or broken.
#[derive(Clone, Copy, PartialEq)]
enum Mood {
    Well,
    Busy,
    Broken,
}

type Asked = Arc<Mutex<(Mood, Vec<HeaderMap>)>>;

/// `GET /v1/users/me`, by the interface of version 2026-03-11.
async fn me(State(asked): State<Asked>, headers: HeaderMap) -> Response {
    let mood = {
        let mut asked = asked.lock().expect("nobody panics with it");
        asked.1.push(headers.clone());
        asked.0
    };
    let error = |status: u16, code: &str| {
        let body = json!({ "object": "error", "status": status, "code": code, "message": "x", "request_id": "6e0a" });
        (StatusCode::from_u16(status).expect("a status"), axum::Json(body)).into_response()
    };
    let sent = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    match mood {
        Mood::Busy => return ([("retry-after", "7")], error(429, "rate_limited")).into_response(),
        Mood::Broken => return (StatusCode::BAD_GATEWAY, "<html>no</html>").into_response(),
        Mood::Well => {}
    }
    if sent("authorization") != format!("Bearer {TOKEN}") {
        return error(401, "unauthorized");
    }
    if sent("notion-version").is_empty() {
        return error(400, "missing_version");
    }
    let bot = json!({
        "object": "user", "id": "8d1f6c1e-52c4-4d0e-9f0e-1c2b3a4d5e6f", "name": "Rowhouse", "avatar_url": null, "type": "bot",
        "bot": { "owner": { "type": "workspace", "workspace": true }, "workspace_name": "Ann at home",
                 "workspace_id": "0b9e7a55-3f6d-4a58-8d36-5b7f1f0f9a10", "workspace_limits": { "max_file_upload_size_in_bytes": 5_242_880 } },
        "request_id": "6e0a",
    });
    axum::Json(bot).into_response()
}

async fn notion() -> (String, Asked) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let asked: Asked = Arc::new(Mutex::new((Mood::Well, Vec::new())));
    let router = Router::new().route("/v1/users/me", get(me)).with_state(asked.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (format!("http://{address}"), asked)
}

fn wish(url: &str) -> Wish {
    Wish { installation: Installation::default().with_notion(url).expect("an address"), ..Wish::default() }
}

async fn linked(client: &Client) -> Value {
    let profile = client.get("/api/v1/user/profile").await.expect(200);
    let list = client.get("/api/v1/user/connections").await.expect(200);
    assert_eq!(profile.json["connections"], list.json["data"]);
    list.json["data"][0].clone()
}

async fn a_profile_shows_plan_and_connection(house: testing::TestHouse, asked: Asked) {
    testing::log::keep();
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let profile = ann.get("/api/v1/user/profile").await.expect(200);
    assert_eq!((profile.str("/email"), profile.str("/organization/plan")), ("ann@example.com", "free"));
    assert_eq!(linked(&ann).await, json!({ "kind": "notion", "linked": false, "workspace": null, "linked_at": null }));
    ann.delete(LINK).await.expect(404);

    let refused = ann.put(LINK, &json!({ "token": "ntn_wrong" })).await.expect(422);
    assert_eq!(refused.str("/error/param"), "token");
    ann.put(LINK, &json!({ "token": "two\nlines" })).await.expect(422);
    for (mood, status) in [(Mood::Busy, 429), (Mood::Broken, 502)] {
        asked.lock().expect("nobody panics with it").0 = mood;
        let answer = ann.put(LINK, &json!({ "token": TOKEN })).await.expect(status);
        assert_eq!(answer.headers.get("retry-after").is_some_and(|value| value == "7"), status == 429);
    }
    asked.lock().expect("nobody panics with it").0 = Mood::Well;
    assert_eq!(linked(&ann).await["linked"], false);

    let answer = ann.put(LINK, &json!({ "token": format!(" {TOKEN} ") })).await.expect(200);
    assert_eq!((answer.json["linked"].as_bool(), answer.str("/workspace")), (Some(true), "Ann at home"));
    assert_eq!(linked(&ann).await, answer.json);
    let version = asked.lock().expect("nobody panics with it").1.last().expect("asked")["notion-version"].clone();
    assert_eq!(version, "2026-03-11");
    // Linking again takes the place of what was.
    ann.put(LINK, &json!({ "token": TOKEN })).await.expect(200);

    // Nobody else has it: not a colleague, not another organisation, not the same person elsewhere.
    let max = house.join(&ann, "Max", "admin").await;
    for other in [&bob, &max] {
        assert_eq!(linked(other).await["linked"], false);
        other.delete(LINK).await.expect(404);
    }
    let second = ann.post("/api/v1/orgs", &json!({ "name": "Second" })).await.expect(201);
    assert_eq!(linked(&ann.in_org(second.str("/id"))).await["linked"], false);

    // The token is in no answer, and in no export.
    for path in ["/api/v1/user/profile", "/api/v1/user/connections", "/api/v1/audit?limit=200", "/api/v1/members"] {
        assert!(!ann.get(path).await.expect(200).text.contains(&TOKEN[4..]), "{path}");
    }
    let entries = ann.get("/api/v1/audit?limit=200").await.expect(200);
    assert_eq!(entries.text.matches("connection.linked").count(), 2, "{}", entries.text);

    ann.delete(LINK).await.expect(204);
    assert_eq!(linked(&ann).await["linked"], false);
    assert!(!testing::log::written().contains(&TOKEN[4..]), "the log has it");

    // It ends with the stay.
    max.put(LINK, &json!({ "token": TOKEN })).await.expect(200);
    ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
    let again = house.bring(&ann, &max, "Max", "member").await;
    assert_eq!(linked(&again).await["linked"], false);
}

#[tokio::test]
async fn a_profile_shows_plan_and_connection_on_files() {
    let (url, asked) = notion().await;
    a_profile_shows_plan_and_connection(testing::TestHouse::sqlite_with(wish(&url)).await, asked).await;
}

#[tokio::test]
async fn a_profile_shows_plan_and_connection_on_postgres() {
    let (url, asked) = notion().await;
    a_profile_shows_plan_and_connection(testing::TestHouse::postgres_with(wish(&url)).await, asked).await;
}
