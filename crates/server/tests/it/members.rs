//! Members: changing and removing them, what nobody may give, and what ends with a stay.

use std::time::Duration;

use domain::api_key::{self, Mode};
use domain::text::KeyName;
use serde_json::json;
use store::audit::Event;
use store::control::api_keys::{self, ApiKey};
use store::control::{memberships, sessions};
use store::{Actor, Json, Origin, Turn};
use testing::{Client, TestHouse};

fn url(client: &Client) -> String {
    format!("/api/v1/members/{}", client.user)
}

/// A key of a member for the organisation they work in.
async fn key_of(house: &TestHouse, member: &Client) -> Client {
    let (org, user) = (member.org.parse().expect("an id"), member.user.parse().expect("an id"));
    let store = house.store();
    let presented = api_key::generate(store.ambient(), Mode::Live);
    let mut tx = store.begin_control(Turn::Org(org)).await.expect("begun");
    let stay = memberships::find(&mut tx, org, user).await.expect("read").expect("a member");
    let key = ApiKey {
        id: store.ambient().id(),
        org_id: org,
        project_id: None,
        user_id: user,
        membership_id: stay.id,
        public_id: presented.public_id().to_string(),
        mode: "live".into(),
        name: KeyName::new("A program").expect("a name"),
        last4: presented.last4(),
        scopes: Json(vec!["teams.read".into(), "org.read".into()]),
        addresses: Json(Vec::new()),
        rate_per_minute: None,
        calls_per_day: None,
        budget_micros: None,
        currency: None,
        created_at: store.ambient().now(),
        expires_at: None,
        seen_at: None,
        revoked_at: None,
        replaced_by: None,
        made_by_key: None,
        version: 1,
    };
    api_keys::insert(&mut tx, &key, &presented).await.expect("inserted");
    tx.record(org, &Actor::System, &Origin::default(), Event::new("key.created", key.id)).await.expect("recorded");
    tx.commit().await.expect("committed");
    house.visitor().with_token(Some(&presented.expose()))
}

/// Makes an organisation the active one of a member's session.
async fn settle_in(house: &TestHouse, member: &Client) {
    let user = member.user.parse().expect("an id");
    let mut tx = house.store().begin_control(Turn::Person(user)).await.expect("begun");
    let session = sessions::list(&mut tx, user).await.expect("read").remove(0);
    sessions::select_org(&mut tx, session.id, member.org.parse().expect("an id")).await.expect("written");
    tx.record_house(&Actor::System, &Origin::default(), Event::new("session.moved", session.id))
        .await
        .expect("recorded");
    tx.commit().await.expect("committed");
}

testing::both_stores! {
    async fn members_are_listed_and_shown(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let first = max.get("/api/v1/members?limit=1").await.expect(200);
        let cursor = first.str("/next_cursor");
        let second = max.get(&format!("/api/v1/members?limit=1&cursor={cursor}")).await.expect(200);
        let names = [first.str("/data/0/name"), second.str("/data/0/name")];
        assert!(names.contains(&"Ann") && names.contains(&"Max"), "{names:?}");
        let shown = ann.get(&url(&max)).await.expect(200);
        assert_eq!((shown.str("/email"), shown.str("/role"), shown.str("/standing")), ("max@example.com", "member", "active"));
        assert!(shown.json["permissions"].as_array().expect("a list").contains(&json!("projects.create")));
        assert!(shown.headers.contains_key("etag"));
    }

    async fn last_activity_is_for_those_who_may_see_it_on_plans_that_include_it(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        max.get("/api/v1/members").await.expect(200);
        let seen = async |client: &Client| {
            let list = client.get("/api/v1/members").await.expect(200);
            let list = list.json["data"].as_array().expect("a list").clone();
            list.iter().filter(|one| !one["last_seen_at"].is_null()).count()
        };
        assert_eq!(seen(&ann).await, 0);
        let refused = ann.get("/api/v1/admin/users").await.expect(402);
        assert_eq!((refused.code(), refused.str("/error/param")), ("entitlement", "member_activity"));
        house.on_plan(&ann.org, "pro").await;
        assert_eq!(seen(&ann).await, 2);
        assert_eq!(seen(&max).await, 0);
        max.get("/api/v1/admin/users").await.expect(403);
    }

    async fn looking_at_somebody_is_not_their_activity(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let max = house.join(&ann, "Max", "member").await;
        ann.get(&url(&max)).await.expect(200);
        let users = ann.get("/api/v1/admin/users").await.expect(200);
        let max = users.json["data"].as_array().expect("a list").iter().find(|one| one["user_id"] == json!(max.user));
        assert!(max.expect("listed")["last_seen_at"].is_null());
    }

    async fn costs_are_summed_up_for_each_member(house) {
        use domain::limits::{Amounts, Counted};
        use store::ledger::entries::{self, Charge, Outcome};
        use store::ledger::holds::{Hold, Purpose};
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let scope = house.scope(&ann).await;
        let ambient = house.store().ambient();
        let mut tx = house.store().begin_ledger(&scope).await.expect("begun");
        let mut page = tx.page(&scope).expect("its page");
        for cost in [30, 12] {
            let purpose = Purpose { operation: "chat".into(), user_id: Some(scope.user()), ..Purpose::default() };
            let amounts = Amounts::of(Counted::Cost, cost);
            let hold = Hold { id: ambient.id(), attempt: 1, at: ambient.now(), holder: ambient.id(), purpose, amounts };
            let charge = Charge { amounts, ..Charge::nothing(Outcome::Ok) };
            assert!(entries::insert(&mut page, &hold, &charge).await.expect("inserted"));
        }
        tx.commit().await.expect("committed");
        let users = ann.get("/api/v1/admin/users").await.expect(200);
        assert_eq!(users.json["data"][0]["costs"], json!([{ "currency": "USD", "cost_micros": 42 }]));
        assert_eq!(users.str("/data/0/last_call_at"), "2026-11-22T10:00:00.000000Z");
        let later = ann.get("/api/v1/admin/users?since=2026-11-22T10:00:01Z").await.expect(200);
        assert_eq!(later.json["data"][0]["costs"], json!([]));
        assert_eq!(ann.get("/api/v1/admin/users?since=now").await.expect(422).str("/error/param"), "since");
    }

    async fn a_change_of_role_works_at_once(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "viewer").await;
        let team = json!({ "name": "Engineering" });
        max.post("/api/v1/teams", &team).await.expect(403);
        let tag = ann.get(&url(&max)).await.expect(200).headers["etag"].to_str().expect("text").to_owned();
        let fresh = ann.with("if-match", &tag);
        assert_eq!(fresh.patch(&url(&max), &json!({ "role": "admin" })).await.expect(200).str("/role"), "admin");
        assert_eq!(fresh.patch(&url(&max), &json!({ "role": "viewer" })).await.expect(412).code(), "stale");
        assert_eq!(fresh.delete(&url(&max)).await.expect(412).code(), "stale");
        max.post("/api/v1/teams", &team).await.expect(201);
        let wrong = json!({ "role": "root" });
        assert_eq!(ann.patch(&url(&max), &wrong).await.expect(422).str("/error/param"), "role");
        let unknown = json!({ "role": "rol_01932d6f4b7a7c3e9a51c0ffee15600d" });
        assert_eq!(ann.patch(&url(&max), &unknown).await.expect(404).code(), "not_found");
        let sneaky = json!({ "role": "viewer", "operator": true });
        assert_eq!(ann.patch(&url(&max), &sneaky).await.expect(422).str("/error/param"), "operator");
    }

    async fn nobody_gives_more_than_they_hold(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "admin").await;
        let eve = house.join(&ann, "Eve", "member").await;
        // An admin makes no owner, of nobody, and touches none.
        for who in [&max, &eve] {
            let refused = max.patch(&url(who), &json!({ "role": "owner" })).await.expect(403);
            assert!(refused.str("/error/message").contains("org.close"), "{}", refused.text);
        }
        max.patch(&url(&ann), &json!({ "role": "viewer" })).await.expect(403);
        max.patch(&url(&ann), &json!({ "standing": "suspended" })).await.expect(403);
        max.delete(&url(&ann)).await.expect(403);
        // A member changes nobody, themself neither.
        eve.patch(&url(&eve), &json!({ "role": "admin" })).await.expect(403);
        eve.patch(&url(&max), &json!({ "role": "viewer" })).await.expect(403);
        eve.delete(&url(&max)).await.expect(403);
        // Downwards it works.
        max.patch(&url(&eve), &json!({ "role": "viewer" })).await.expect(200);
        max.patch(&url(&max), &json!({ "role": "viewer" })).await.expect(200);
        max.patch(&url(&max), &json!({ "role": "admin" })).await.expect(403);
        // Each refusal stands in the log.
        house.store().deliver(ann.org.parse().expect("an id")).await.expect("delivered");
        let scope = house.scope(&ann).await;
        let mut tx = house.store().open(&scope).read().await.expect("begun");
        let filter = store::audit::Filter { action: Some("access.denied".into()), ..Default::default() };
        let denials = store::org::audits::list(&mut tx, filter, i64::MAX, 100).await.expect("read");
        assert_eq!(denials.len(), 9);
    }

    async fn owners_come_and_go_with_a_fresh_factor_alone(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let bea = house.join(&ann, "Bea", "owner").await;
        let max = house.join(&ann, "Max", "member").await;
        let scopes: Vec<_> = domain::access::PermissionSet::all().iter().collect();
        let made = ann.post("/api/v1/auth/api-keys", &json!({ "name": "all", "scopes": scopes })).await;
        let role = json!({ "name": "Notary", "permissions": ["org.read", "org.transfer"] });
        let notary = ann.post("/api/v1/roles", &role).await.expect(201).str("/id").to_owned();
        let harmless = json!({ "name": "Reader", "permissions": ["org.read"] });
        let reader = ann.post("/api/v1/roles", &harmless).await.expect(201).str("/id").to_owned();
        let invited = ann.post("/api/v1/invitations", &json!({ "email": "eve@example.com", "role": "owner" })).await.expect(201);
        house.clock.advance(Duration::from_secs(601));
        let ann = house.refreshed(&ann).await;
        let resent = format!("/api/v1/invitations/{}/resend", invited.str("/id"));
        let refused = async |who: &Client, code: &str| {
            for (path, change) in [
                (url(&max), json!({ "role": "owner" })),
                (url(&max), json!({ "role": notary })),
                (url(&bea), json!({ "role": "viewer" })),
                (url(&bea), json!({ "standing": "suspended" })),
                (format!("/api/v1/roles/{reader}"), json!({ "permissions": ["org.read", "org.close"] })),
            ] {
                assert_eq!(who.patch(&path, &change).await.expect(403).code(), code, "{path} {change}");
            }
            assert_eq!(who.delete(&url(&bea)).await.expect(403).code(), code);
            for role in ["owner", &notary] {
                let body = json!({ "email": "mallory@example.com", "role": role });
                assert_eq!(who.post("/api/v1/invitations", &body).await.expect(403).code(), code);
            }
            assert_eq!(who.post(&resent, &json!({})).await.expect(403).code(), code);
        };
        refused(&ann, "step_up_needed").await;
        // A key that may do everything a key can is no person.
        if made.status == 201 {
            refused(&house.visitor().with_token(Some(made.str("/key"))), "forbidden").await;
        }
        // What admins do goes on as before.
        ann.patch(&url(&max), &json!({ "role": "admin" })).await.expect(200);
        ann.post("/api/v1/invitations", &json!({ "email": "new@example.com", "role": "admin" })).await.expect(201);
        ann.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
        ann.patch(&url(&max), &json!({ "role": "owner" })).await.expect(200);
        ann.delete(&url(&bea)).await.expect(204);
    }

    async fn a_custom_role_gives_no_way_up(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let keeper = json!({ "name": "Keeper", "permissions": ["members.read", "members.update", "members.remove"] });
        let keeper = ann.post("/api/v1/roles", &keeper).await.expect(201);
        let kim = house.join(&ann, "Kim", keeper.str("/id")).await;
        let max = house.join(&ann, "Max", "viewer").await;
        kim.patch(&url(&kim), &json!({ "role": "admin" })).await.expect(403);
        kim.patch(&url(&kim), &json!({ "role": "viewer" })).await.expect(403);
        // A viewer holds things that the keeper does not.
        kim.delete(&url(&max)).await.expect(403);
        ann.patch(&url(&max), &json!({ "role": keeper.str("/id") })).await.expect(200);
        kim.patch(&url(&max), &json!({ "standing": "suspended" })).await.expect(200);
        kim.delete(&url(&max)).await.expect(204);
    }

    async fn the_last_owner_stays(house) {
        let ann = house.sign_up("Ann").await;
        for change in [json!({ "role": "admin" }), json!({ "standing": "suspended" })] {
            assert_eq!(ann.patch(&url(&ann), &change).await.expect(409).code(), "conflict");
        }
        assert_eq!(ann.delete(&url(&ann)).await.expect(409).code(), "conflict");
        let max = house.join(&ann, "Max", "owner").await;
        ann.patch(&url(&max), &json!({ "standing": "suspended" })).await.expect(200);
        // A suspended owner is none.
        assert_eq!(ann.patch(&url(&ann), &json!({ "role": "admin" })).await.expect(409).code(), "conflict");
        ann.patch(&url(&max), &json!({ "standing": "active" })).await.expect(200);
        ann.patch(&url(&ann), &json!({ "role": "admin" })).await.expect(200);
        assert_eq!(max.delete(&url(&max)).await.expect(409).code(), "conflict");
    }

    async fn two_owners_who_demote_each_other_leave_one(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "owner").await;
        let change = json!({ "role": "viewer" });
        let (url_ann, url_max) = (url(&ann), url(&max));
        let (one, two) = tokio::join!(ann.patch(&url_max, &change), max.patch(&url_ann, &change));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{} {}", one.text, two.text);
    }

    async fn a_suspended_member_is_out_at_once(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let key = key_of(&house, &max).await;
        max.get("/api/v1/teams").await.expect(200);
        key.get("/api/v1/teams").await.expect(200);
        ann.patch(&url(&max), &json!({ "standing": "suspended" })).await.expect(200);
        assert_eq!(max.get("/api/v1/teams").await.expect(403).code(), "forbidden");
        assert_eq!(key.get("/api/v1/teams").await.expect(403).code(), "forbidden");
        assert_eq!(ann.get(&url(&max)).await.expect(200).json["permissions"], json!([]));
        ann.patch(&url(&max), &json!({ "standing": "active" })).await.expect(200);
        max.get("/api/v1/teams").await.expect(200);
        key.get("/api/v1/teams").await.expect(200);
    }

    async fn a_role_that_races_with_a_removal_leaves_nothing_behind(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let org = ann.org.parse().expect("an id");
        let team = ann.post("/api/v1/teams", &json!({ "name": "Painters" })).await.expect(201);
        let project = ann.post("/api/v1/projects", &json!({ "name": "Porch" })).await.expect(201);
        let mut outcomes = std::collections::BTreeSet::new();
        for number in 0..8 {
            let max = house.join(&ann, &format!("Max{number}"), "member").await;
            let puts = [
                format!("/api/v1/teams/{}/members/{}", team.str("/id"), max.user),
                format!("/api/v1/projects/{}/members/{}", project.str("/id"), max.user),
            ];
            let mut putting = tokio::task::JoinSet::new();
            for path in puts {
                let ann = ann.clone();
                putting.spawn(async move { ann.put(&path, &json!({ "role": "viewer" })).await });
            }
            ann.delete(&url(&max)).await.expect(204);
            while let Some(put) = putting.join_next().await {
                let put = put.expect("joined");
                assert!(put.status == 200 || put.str("/error/param") == "user_id", "{}", put.text);
                outcomes.insert(put.status);
            }
            house.store().deliver(org).await.expect("delivered");
            assert_eq!(house.store().org_orphans(org).await.expect("looked"), Vec::<String>::new(), "{outcomes:?}");
        }
    }

    async fn a_removal_ends_everything(house) {
        let ann = house.sign_up("Ann").await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let max = house.join(&ann, "Max", "member").await;
        settle_in(&house, &max).await;
        let key = key_of(&house, &max).await;
        max.get("/api/v1/auth/me").await.expect(200);
        key.get("/api/v1/teams").await.expect(200);
        ann.delete(&url(&max)).await.expect(204);
        assert_eq!(max.get("/api/v1/auth/me").await.status, 401);
        assert_eq!(key.get("/api/v1/teams").await.status, 401);
        ann.get(&url(&max)).await.expect(404);
        ann.delete(&url(&max)).await.expect(404);
        // They are still somebody, and can be invited again; what they held in the earlier stay does not come back.
        let max = house.sign_in(&max, "Max").await;
        max.get("/api/v1/teams").await.expect(404);
        let offer = json!({ "email": "max@example.com", "role": "viewer", "teams": [{ "team_id": team.str("/id"), "role": "admin" }] });
        let sent = ann.post("/api/v1/invitations", &offer).await.expect(201);
        max.post("/api/v1/invitations/accept", &json!({ "token": sent.str("/token") })).await.expect(200);
        assert_eq!(ann.get(&url(&max)).await.expect(200).json["teams"][0]["role"], "admin");
        assert_eq!(key.get("/api/v1/teams").await.status, 401);
        ann.delete(&url(&max)).await.expect(204);
        let sent = ann.post("/api/v1/invitations", &json!({ "email": "max@example.com", "role": "viewer" })).await.expect(201);
        max.post("/api/v1/invitations/accept", &json!({ "token": sent.str("/token") })).await.expect(200);
        assert_eq!(ann.get(&url(&max)).await.expect(200).json["teams"], json!([]));
    }

    async fn members_of_others_do_not_exist(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let bob = bob.with("x-request-id", "compare-bytes");
        let never = "/api/v1/members/usr_01932d6f4b7a7c3e9a51c0ffee15600d";
        let change = json!({ "role": "viewer" });
        for (foreign, missing) in [
            (bob.get(&url(&ann)).await, bob.get(never).await),
            (bob.patch(&url(&ann), &change).await, bob.patch(never, &change).await),
            (bob.delete(&url(&ann)).await, bob.delete(never).await),
        ] {
            assert_eq!((foreign.status, &foreign.text, &foreign.headers), (404, &missing.text, &missing.headers));
        }
        assert_eq!(house.visitor().get("/api/v1/members").await.status, 401);
    }
}

/// Somebody who is removed while a request waits to give them a role gets none by it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_waits_behind_a_removal_is_not_given() {
    let house = TestHouse::postgres().await;
    let ann = house.sign_up("Ann").await;
    let (org, team) =
        (ann.org.parse().expect("an id"), ann.post("/api/v1/teams", &json!({ "name": "Painters" })).await);
    let project = ann.post("/api/v1/projects", &json!({ "name": "Porch" })).await.expect(201);
    let scope = house.scope(&ann).await;
    for (name, place) in
        [("Max", format!("teams/{}", team.str("/id"))), ("Kim", format!("projects/{}", project.str("/id")))]
    {
        let member = house.join(&ann, name, "member").await;
        let user = member.user.parse().expect("an id");
        // Somebody else writes to the organisation, for a while.
        let mut tx = house.store().open(&scope).begin().await.expect("begun");
        store::org::audits::head(&mut tx).await.expect("it has its turn");
        let (giver, path) = (ann.clone(), format!("/api/v1/{place}/members/{}", member.user));
        let giving = tokio::spawn(async move { giver.put(&path, &json!({ "role": "viewer" })).await });
        let raw = house.raw().await;
        let waits =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while raw.query_one(waits, &[]).await.expect("asked").get::<_, i64>(0) == 0 {
            assert!(!giving.is_finished(), "it must wait for its turn");
        }
        let (remover, path) = (ann.clone(), url(&member));
        let removing = tokio::spawn(async move { remover.delete(&path).await });
        let is_member = async || {
            let mut tx = house.store().read_control().await.expect("begun");
            memberships::find(&mut tx, org, user).await.expect("read").is_some()
        };
        while is_member().await {
            assert!(!removing.is_finished(), "it removes them before it is done");
        }
        tx.commit().await.expect("nothing was written");
        assert_eq!(giving.await.expect("joined").expect(422).str("/error/param"), "user_id");
        removing.await.expect("joined").expect(204);
        assert_eq!(house.store().org_orphans(org).await.expect("looked"), Vec::<String>::new());
    }
}
