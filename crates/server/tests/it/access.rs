//! Explanations: why somebody may or may not do a thing.

use domain::ProjectId;
use domain::role::Role;
use domain::text::{Description, ProjectName};
use serde_json::json;
use store::audit::Event;
use store::org::members::{self, Member};
use store::org::projects::{self, Project};
use testing::{Answer, Client, TestHouse};

/// A private project.
async fn project(house: &TestHouse, owner: &Client) -> String {
    let mut tx = house.store().open(&house.scope(owner).await).begin().await.expect("begun");
    let now = tx.now();
    let project = Project {
        id: tx.ambient().id(),
        name: ProjectName::new("Secret plans").expect("a name"),
        description: Description::new("").expect("a description"),
        open: false,
        archived_at: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    projects::insert(&mut tx, &project).await.expect("inserted");
    tx.record(Event::new("project.created", project.id)).await.expect("recorded");
    tx.commit().await.expect("committed");
    project.id.to_string()
}

async fn explain(client: &Client, query: &str) -> Answer {
    client.get(&format!("/api/v1/access/explain?{query}")).await
}

fn last(answer: &Answer) -> &str {
    answer.json["because"].as_array().and_then(|list| list.last()).and_then(|one| one.as_str()).expect("a reason")
}

testing::both_stores! {
    async fn a_repeated_request_is_held_against_the_rights_of_now(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "admin").await;
        let role = async |role: &str| {
            ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": role })).await.expect(200);
        };
        let once = max.with("idempotency-key", "once");
        let team = once.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let key = once.post("/api/v1/auth/api-keys", &json!({ "name": "k" })).await.expect(201);
        let rotate = format!("/api/v1/auth/api-keys/{}/rotate", key.str("/id"));
        let rotated = once.post(&rotate, &json!({})).await.expect(201);
        let below = json!({ "name": "Frontend", "parent_id": team.str("/id") });
        let frontend = once.with("x-part", "2").post("/api/v1/teams", &below).await;
        assert_eq!(frontend.expect(422).code(), "idempotency_mismatch");
        role("viewer").await;
        for (path, body) in [
            ("/api/v1/teams", json!({ "name": "Engineering" })),
            ("/api/v1/auth/api-keys", json!({ "name": "k" })),
            (rotate.as_str(), json!({})),
        ] {
            let refused = once.post(path, &body).await;
            assert!([403, 404].contains(&refused.status), "{path}: {}", refused.text);
            assert!(!refused.headers.contains_key("idempotent-replayed"), "{path}");
        }
        role("admin").await;
        let again = once.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        assert_eq!((again.str("/id"), &again.headers["idempotent-replayed"]), (team.str("/id"), &"true".parse().expect("a value")));
        let again = once.post(&rotate, &json!({})).await.expect(201);
        assert_eq!(again.str("/key"), rotated.str("/key"));
    }

    async fn everybody_may_ask_about_themself(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "viewer").await;
        let yes = explain(&max, "permission=teams.read").await.expect(200);
        assert_eq!(yes.json["allowed"], true);
        assert_eq!(yes.json["because"][0], "The role viewer at the organisation gives teams.read.");
        let no = explain(&max, "permission=teams.create").await.expect(200);
        assert_eq!((&no.json["allowed"], no.str("/user_id")), (&json!(false), max.user.as_str()));
        assert_eq!(last(&no), "Nothing that is held gives teams.create, so it is not allowed to make teams, or teams below a team.");
        let other = format!("permission=teams.create&user_id={}", ann.user);
        assert_eq!(explain(&max, &other).await.expect(403).code(), "forbidden");
        assert_eq!(explain(&max, "permission=teams.fly").await.expect(422).str("/error/param"), "permission");
        assert_eq!(explain(&max, "").await.expect(422).str("/error/param"), "permission");
    }

    async fn it_names_what_was_given_through_teams_and_roles(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let role = ann.post("/api/v1/roles", &json!({ "name": "Lead", "permissions": ["teams.read", "teams.update"] })).await.expect(201);
        let above = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let below = ann.post("/api/v1/teams", &json!({ "name": "Frontend", "parent_id": above.str("/id") })).await.expect(201);
        let max = house.sign_up("Max").await;
        let offer = json!({
            "email": "max@example.com", "role": "viewer",
            "teams": [{ "team_id": above.str("/id"), "role": role.str("/id") }],
        });
        let sent = ann.post("/api/v1/invitations", &offer).await.expect(201);
        max.post("/api/v1/invitations/accept", &json!({ "token": sent.str("/token") })).await.expect(200);
        let query = format!("permission=teams.update&user_id={}&team_id={}", max.user, below.str("/id"));
        let yes = explain(&ann, &query).await.expect(200);
        assert_eq!(yes.json["allowed"], true);
        let told = "The role \"Lead\" at the team, held through the team \"Engineering\", gives teams.update.";
        assert!(yes.json["because"].as_array().expect("a list").contains(&json!(told)), "{}", yes.text);
        let query = format!("permission=org.close&user_id={}&team_id={}", max.user, below.str("/id"));
        assert_eq!(last(&explain(&ann, &query).await.expect(200)), "org.close is not held at a team, whatever the role.");
    }

    async fn a_private_project_is_explained_to_those_who_see_it(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let id = project(&house, &ann).await;
        let about_max = format!("permission=projects.read&user_id={}&project_id={id}", max.user);
        let no = explain(&ann, &about_max).await.expect(200);
        assert_eq!(no.json["allowed"], false);
        assert_eq!(no.json["because"][0], "The project is private, so a role at the organisation does not reach it.");
        // For Max it does not exist.
        let max = max.with("x-request-id", "compare-bytes");
        let hidden = explain(&max, &format!("permission=projects.read&project_id={id}")).await.expect(404);
        let never = explain(&max, "permission=projects.read&project_id=prj_01932d6f4b7a7c3e9a51c0ffee15600d").await.expect(404);
        assert_eq!((hidden.text, hidden.headers), (never.text, never.headers));
        let mut tx = house.store().open(&house.scope(&ann).await).begin().await.expect("begun");
        let stay = house.scope(&max).await;
        let member = Member {
            place_id: id.parse::<ProjectId>().expect("an id"),
            user_id: stay.user(),
            membership_id: stay.membership(),
            role: Role::VIEWER,
            created_at: tx.now(),
        };
        members::put(&mut tx, &member).await.expect("inserted");
        tx.record(Event::new("project.member_added", &id)).await.expect("recorded");
        tx.commit().await.expect("committed");
        assert_eq!(explain(&max, &format!("permission=projects.read&project_id={id}")).await.expect(200).json["allowed"], true);
        let both = format!("permission=projects.read&project_id={id}&team_id=tea_01932d6f4b7a7c3e9a51c0ffee15600d");
        assert_eq!(explain(&ann, &both).await.expect(422).str("/error/param"), "project_id");
    }

    async fn suspensions_are_explained(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let max = house.join(&ann, "Max", "admin").await;
        let about_max = format!("permission=org.read&user_id={}", max.user);
        let member = format!("/api/v1/members/{}", max.user);
        ann.patch(&member, &json!({ "standing": "suspended" })).await.expect(200);
        assert_eq!(last(&explain(&ann, &about_max).await.expect(200)), "Their membership in this organisation is suspended.");
        ann.patch(&member, &json!({ "standing": "active" })).await.expect(200);
        let operator = |rest: &str| format!("/api/v1/operator/{rest}");
        olga.patch(&operator(&format!("orgs/{}", ann.org)), &json!({ "status": "suspended" })).await.expect(200);
        let told = "The organisation is suspended; only its owners can enter.";
        assert_eq!(last(&explain(&ann, &about_max).await.expect(200)), told);
        assert_eq!(last(&explain(&max, "permission=org.read").await.expect(200)), told);
        for path in ["/api/v1/teams", "/api/v1/projects", "/api/v1/collections", "/api/v1/usage/logs"] {
            assert_eq!(max.get(path).await.expect(403).str("/error/message"), told);
            ann.get(path).await.expect(200);
        }
        let change = explain(&ann, "permission=org.update").await.expect(200);
        assert_eq!(last(&change), "The organisation is suspended; nothing can be changed in it.");
        olga.patch(&operator(&format!("people/{}", max.user)), &json!({ "standing": "suspended" })).await.expect(200);
        assert_eq!(last(&explain(&ann, &about_max).await.expect(200)), "Their account is suspended by the operator.");
    }

    async fn nothing_is_told_about_others(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let bob = bob.with("x-request-id", "compare-bytes");
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let never = explain(&bob, "permission=org.read&user_id=usr_01932d6f4b7a7c3e9a51c0ffee15600d").await.expect(404);
        let foreign = explain(&bob, &format!("permission=org.read&user_id={}", ann.user)).await.expect(404);
        let at_team = explain(&bob, &format!("permission=teams.read&team_id={}", team.str("/id"))).await.expect(404);
        assert_eq!((&never.text, &never.headers), (&foreign.text, &foreign.headers));
        assert_eq!((&never.text, &never.headers), (&at_team.text, &at_team.headers));
    }
}
