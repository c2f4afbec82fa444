//! Two nodes on one PostgreSQL: what is taken away at one of them is refused by the other within a second, without being told. Each
//! test has the other node let somebody in first, so that it keeps what it read.

use std::time::{Duration, Instant};

use serde_json::json;
use testing::{Client, PASSWORD, TestHouse};

/// How long a node may go by what was.
const SECOND: Duration = Duration::from_secs(1);

/// Somebody at the other node.
fn at(node: &Client, who: &Client) -> Client {
    node.with_token(who.token.as_deref()).in_org(&who.org)
}

/// What somebody asks for gets another answer within a second, and keeps it.
async fn turns(who: &Client, path: &str, status: u16) {
    let changed = Instant::now();
    loop {
        let answer = who.get(path).await;
        if answer.status == status {
            break;
        }
        assert!(changed.elapsed() < SECOND, "{path} after a second: {} {}", answer.status, answer.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    who.get(path).await.expect(status);
}

/// A browser of somebody, here and at the other node.
async fn browser(house: &TestHouse, node: &Client, email: &str) -> (Client, Client) {
    let body = json!({ "email": email, "password": PASSWORD });
    let session = house.visitor().post("/api/v1/auth/session", &body).await.expect(201);
    let cookies = session.headers.get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
    let cookie = cookies.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with("rh_session="));
    let cookie = cookie.expect("the session's cookie");
    let with = |client: &Client| client.with("cookie", cookie).with("x-rowhouse-csrf", session.str("/csrf_token"));
    (with(&house.visitor()), with(node))
}

async fn key_of(who: &Client) -> String {
    who.post("/api/v1/auth/api-keys", &json!({ "name": "Key" })).await.expect(201).str("/key").to_owned()
}

const ME: &str = "/api/v1/auth/me";
const TEAMS: &str = "/api/v1/teams";
const MEMBERS: &str = "/api/v1/members";
const AUDIT: &str = "/api/v1/audit";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_out_reaches_another_node() {
    let house = TestHouse::postgres().await;
    let node = house.another_node().await;
    let ann = house.sign_up("Ann").await;
    let again = house.signed_in_again(&ann).await;
    let (there, again_there) = (at(&node, &ann), at(&node, &again));
    let (tab, tab_elsewhere) = browser(&house, &node, "ann@example.com").await;
    for client in [&there, &again_there, &tab_elsewhere] {
        client.get(ME).await.expect(200);
    }
    tab.delete("/api/v1/auth/session").await.expect(204);
    turns(&tab_elsewhere, ME, 401).await;
    ann.post("/api/v1/auth/logout", &json!({})).await.expect(204);
    turns(&there, ME, 401).await;
    let refresh = json!({ "refresh_token": ann.refresh });
    node.post("/api/v1/auth/refresh", &refresh).await.expect(401);
    // Somebody who ends all sessions but one, at the other node for once.
    let third = house.signed_in_again(&again).await;
    at(&node, &third).get(ME).await.expect(200);
    again.get(ME).await.expect(200);
    at(&node, &third).delete("/api/v1/auth/sessions").await.expect(204);
    turns(&again, ME, 401).await;
    turns(&again_there, ME, 401).await;
    at(&node, &third).get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_role_reaches_another_node() {
    let house = TestHouse::postgres().await;
    let node = house.another_node().await;
    let ann = house.sign_up("Ann").await;
    house.on_plan(&ann.org, "enterprise").await;
    let max = house.join(&ann, "Max", "admin").await;
    let there = at(&node, &max);
    let key = key_of(&max).await;
    let key = node.with_token(Some(&key));
    let own = format!("/api/v1/members/{}", max.user);
    for client in [&there, &key] {
        client.get(AUDIT).await.expect(200);
    }
    ann.patch(&own, &json!({ "role": "viewer" })).await.expect(200);
    turns(&there, AUDIT, 403).await;
    turns(&key, AUDIT, 403).await;
    // A role of the organisation's own: given, and changed.
    let role = json!({ "name": "Auditor", "permissions": ["audit.read"] });
    let role = ann.post("/api/v1/roles", &role).await.expect(201).str("/id").to_owned();
    ann.patch(&own, &json!({ "role": role })).await.expect(200);
    turns(&there, AUDIT, 200).await;
    ann.patch(&format!("/api/v1/roles/{role}"), &json!({ "permissions": ["org.read"] })).await.expect(200);
    turns(&there, AUDIT, 403).await;
    // A role in a project alone.
    ann.patch(&own, &json!({ "role": "viewer" })).await.expect(200);
    let project = ann.post("/api/v1/projects", &json!({ "name": "Apollo" })).await.expect(201);
    let project = format!("/api/v1/projects/{}", project.str("/id"));
    there.get(&project).await.expect(404);
    ann.put(&format!("{project}/members/{}", max.user), &json!({ "role": "viewer" })).await.expect(200);
    turns(&there, &project, 200).await;
    ann.delete(&format!("{project}/members/{}", max.user)).await.expect(204);
    turns(&there, &project, 404).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_removal_reaches_another_node() {
    let house = TestHouse::postgres().await;
    let node = house.another_node().await;
    let ann = house.sign_up("Ann").await;
    let max = house.join(&ann, "Max", "member").await;
    let key = key_of(&max).await;
    let (there, key) = (at(&node, &max), node.with_token(Some(&key)));
    let browser = browser(&house, &node, "max@example.com").await.1.in_org(&ann.org);
    for client in [&there, &key, &browser] {
        client.get(TEAMS).await.expect(200);
    }
    ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
    for (client, status) in [(&there, 404), (&key, 401), (&browser, 404)] {
        turns(client, TEAMS, status).await;
    }
    // His own organisation stays his.
    node.with_token(max.token.as_deref()).get(ME).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspension_reaches_another_node() {
    let house = TestHouse::postgres().await;
    let node = house.another_node().await;
    let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
    let max = house.join(&ann, "Max", "member").await;
    let key = key_of(&max).await;
    let (there, key) = (at(&node, &max), node.with_token(Some(&key)));
    let let_in = async || {
        for client in [&there, &key] {
            turns(client, TEAMS, 200).await;
            turns(client, MEMBERS, 200).await;
        }
    };
    let_in().await;
    // Of the member, by an owner.
    let own = format!("/api/v1/members/{}", max.user);
    ann.patch(&own, &json!({ "standing": "suspended" })).await.expect(200);
    turns(&there, TEAMS, 403).await;
    turns(&key, TEAMS, 403).await;
    ann.patch(&own, &json!({ "standing": "active" })).await.expect(200);
    let_in().await;
    // Of the organisation, by the operator: its owners read on.
    let owner_there = at(&node, &ann);
    owner_there.post(TEAMS, &json!({ "name": "Before" })).await.expect(201);
    let org = format!("/api/v1/operator/orgs/{}", ann.org);
    olga.patch(&org, &json!({ "status": "suspended" })).await.expect(200);
    turns(&there, MEMBERS, 403).await;
    turns(&key, MEMBERS, 403).await;
    owner_there.get(TEAMS).await.expect(200);
    owner_there.post(TEAMS, &json!({ "name": "Meanwhile" })).await.expect(403);
    olga.patch(&org, &json!({ "status": "active" })).await.expect(200);
    let_in().await;
    // Of the person, by the operator.
    let person = format!("/api/v1/operator/people/{}", max.user);
    olga.patch(&person, &json!({ "standing": "suspended" })).await.expect(200);
    turns(&there, TEAMS, 401).await;
    turns(&key, TEAMS, 401).await;
}

/// What is changed at the other node reaches this one as well, and a key that is revoked is one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_opens_nothing_at_another_node() {
    let house = TestHouse::postgres().await;
    let node = house.another_node().await;
    let ann = house.sign_up("Ann").await;
    let made = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Key" })).await.expect(201);
    let (here, there) = (house.visitor().with_token(Some(made.str("/key"))), node.with_token(Some(made.str("/key"))));
    for client in [&here, &there] {
        client.get(TEAMS).await.expect(200);
    }
    at(&node, &ann).delete(&format!("/api/v1/auth/api-keys/{}", made.str("/id"))).await.expect(204);
    turns(&there, TEAMS, 401).await;
    turns(&here, TEAMS, 401).await;
}
