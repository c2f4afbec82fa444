//! What the plan includes, through HTTP: of fifty callers at once exactly so many get in as there is room for.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse, both_stores};

const CHAT: &str = "/v1/chat/completions";
const CALLERS: usize = 50;

fn question() -> Value {
    json!({ "model": "rowhouse-extractive", "messages": [{ "role": "user", "content": "When? At nine." }], "max_tokens": 20 })
}

/// Gives an organisation of its own to somebody, on a plan that stops nothing but this.
async fn with_limit(house: &TestHouse, olga: &Client, name: &str, meter: &str, limit: usize) -> Client {
    let owner = house.sign_up(name).await;
    house.on_plan(&owner.org, "enterprise").await;
    let exception = json!({ "kind": "limit", "meter": meter, "limit": limit });
    let overrides = format!("/api/v1/operator/orgs/{}/overrides", owner.org);
    olga.post(&overrides, &json!({ "exception": exception, "reason": "a test" })).await.expect(201);
    owner
}

/// How many of the answers have the status; all others have the other one.
fn passed(answers: &[Answer], ok: u16, refused: u16) -> usize {
    let other = answers.iter().find(|answer| ![ok, refused].contains(&answer.status));
    assert!(other.is_none(), "{other:?}");
    answers.iter().filter(|answer| answer.status == ok).count()
}

/// Asks a guest in, and again as long as there are more at the database than it has connections.
async fn invited(owner: &Client, guest: &Value) -> Answer {
    loop {
        let answer = owner.post("/api/v1/invitations", guest).await;
        if answer.code() != "busy" {
            return answer;
        }
    }
}

async fn left(client: &Client, counted: &str) -> (i64, i64, i64) {
    let quota = client.get("/api/v1/usage/quota").await.expect(200).json;
    let limits = quota["data"].as_array().expect("limits");
    let limit = limits.iter().find(|limit| limit["counted"] == counted).expect("there is one");
    let number = |name: &str| limit[name].as_i64().expect("a number");
    (number("used"), number("held"), number("remaining"))
}

both_stores! {
    async fn of_fifty_callers_so_many_are_answered_as_the_month_has_left(house) {
        let olga = house.operator("Olga").await;
        for (name, room) in [("Ann", CALLERS - 1), ("Bob", CALLERS), ("Cy", CALLERS + 1)] {
            let owner = with_limit(&house, &olga, name, "requests", room + 2).await;
            for _ in 0..2 {
                owner.post(CHAT, &question()).await.expect(200);
            }
            let body = question();
            let answers = join_all((0..CALLERS).map(|_| owner.post(CHAT, &body))).await;
            assert_eq!(passed(&answers, 200, 429), room.min(CALLERS), "room for {room}");
            for _ in CALLERS..room {
                owner.post(CHAT, &body).await.expect(200);
            }
            let refused = owner.post(CHAT, &body).await.expect(429);
            assert_eq!((refused.code(), refused.str("/error/param")), ("quota_exceeded", "requests"));
            assert_eq!(
                refused.str("/error/message"),
                format!(
                    "The requests limit of the organization has no room for this call: {most} requests of {most} requests are used, \
                     0 requests are held by calls under way, 1 requests are missing. It begins anew at 2026-12-01T00:00:00.000000Z.",
                    most = room + 2
                )
            );
            assert_eq!(left(&owner, "requests").await, (i64::try_from(room + 2).expect("few"), 0, 0));
            let rows = owner.get("/api/v1/usage/summary?by=outcome").await.expect(200).json;
            assert_eq!(rows["total"]["operations"], room + 2, "who is refused leaves no row");
        }
    }

    async fn what_the_operator_changes_holds_for_the_next_call(house) {
        let olga = house.operator("Olga").await;
        let ann = house.sign_up("Ann").await;
        let overrides = format!("/api/v1/operator/orgs/{}/overrides", ann.org);
        ann.post(CHAT, &question()).await.expect(200);
        let exception = json!({ "exception": { "kind": "limit", "meter": "requests", "limit": 1 }, "reason": "a test" });
        let made = olga.post(&overrides, &exception).await.expect(201);
        ann.post(CHAT, &question()).await.expect(429);
        olga.delete(&format!("{overrides}/{}", made.str("/id"))).await.expect(204);
        ann.post(CHAT, &question()).await.expect(200);
        assert_eq!(left(&ann, "requests").await, (2, 0, 98));
        olga.patch(&format!("/api/v1/operator/orgs/{}", ann.org), &json!({ "plan": "pro" })).await.expect(200);
        assert_eq!(left(&ann, "requests").await, (2, 0, 998));
    }

    async fn a_new_month_has_a_new_quota(house) {
        let olga = house.operator("Olga").await;
        let ann = with_limit(&house, &olga, "Ann", "requests", 1).await;
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "app" })).await.expect(201);
        let key = ann.with_token(Some(key.str("/key")));
        key.post(CHAT, &question()).await.expect(200);
        key.post(CHAT, &question()).await.expect(429);
        // The last moment of November, and the first of December.
        house.clock.advance(Duration::from_secs((8 * 24 + 14) * 3600 - 1));
        key.post(CHAT, &question()).await.expect(429);
        house.clock.advance(Duration::from_secs(1));
        key.post(CHAT, &question()).await.expect(200);
        key.post(CHAT, &question()).await.expect(429);
    }

    async fn a_call_that_may_need_more_tokens_than_are_left_is_not_made(house) {
        let olga = house.operator("Olga").await;
        let ann = with_limit(&house, &olga, "Ann", "tokens", 1_000).await;
        let mut body = question();
        body["max_tokens"] = json!(1_000);
        let refused = ann.post(CHAT, &body).await.expect(429);
        assert_eq!((refused.code(), refused.str("/error/param")), ("quota_exceeded", "tokens"));
        let message = refused.str("/error/message");
        assert!(message.starts_with("The tokens limit of the organization") && message.contains(" tokens are missing"), "{message}");
        assert!(message.ends_with("It begins anew at 2026-12-01T00:00:00.000000Z."), "{message}");
        assert_eq!(left(&ann, "tokens").await, (0, 0, 1_000));
        body["max_tokens"] = json!(100);
        ann.post(CHAT, &body).await.expect(200);
    }

    async fn of_fifty_guests_so_many_are_asked_in_as_there_are_seats(house) {
        let olga = house.operator("Olga").await;
        for (name, seats) in [("Ann", CALLERS - 1), ("Bob", CALLERS), ("Cy", CALLERS + 1)] {
            // One seat is the owner's.
            let owner = with_limit(&house, &olga, name, "seats", seats + 1).await;
            let guests: Vec<Value> =
                (0..CALLERS).map(|n| json!({ "email": format!("{name}{n}@example.com"), "role": "viewer" })).collect();
            let answers = join_all(guests.iter().map(|guest| invited(&owner, guest))).await;
            assert_eq!(passed(&answers, 201, 402), seats.min(CALLERS), "{seats} seats");
            if let Some(refused) = answers.iter().find(|answer| answer.status == 402) {
                assert_eq!((refused.code(), refused.str("/error/param")), ("entitlement", "seats"));
                assert!(refused.str("/error/message").contains(&format!("includes {} seats", seats + 1)), "{}", refused.text);
            }
            let shown = owner.get("/api/v1/usage/quota").await.expect(200).json;
            assert_eq!(shown["seats"]["remaining"], seats.saturating_sub(CALLERS));
        }
    }
}
