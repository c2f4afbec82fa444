//! Budgets: who makes, sees and changes them, what they say of themselves, and that they stop what does not fit.

use std::time::Duration;

use domain::{ApiKeyId, ProjectId, TeamId};
use metering::Refused;
use serde_json::{Value, json};
use testing::{Client, Spending, TestHouse, Wish, both_stores};

/// A rate for euros, as an operator gives it.
const EUROS: &str = r#"
    [[list]]
    version = "own-1"
    from = "2026-01-01T00:00:00Z"
    [[list.exchange]]
    currency = "EUR"
    per_dollar = 920_000
    source = "the bank"
    at = "2026-11-20T15:00:00Z"
"#;

fn budget(level: &str, id: Option<&str>, micros: i64) -> Value {
    json!({ "level": level, "id": id, "period": "month", "amount_micros": micros, "currency": "USD", "kind": "hard" })
}

async fn made(client: &Client, body: &Value) -> String {
    client.post("/api/v1/budgets", body).await.expect(201).str("/id").to_owned()
}

fn ids(list: &Value) -> Vec<&str> {
    list["data"].as_array().expect("a list").iter().map(|one| one["id"].as_str().expect("an id")).collect()
}

async fn shortage(house: &TestHouse, client: &Client, spending: &Spending) -> metering::Shortage {
    let scope = house.scope(client).await;
    match house.hold(&scope, spending).await {
        Err(Refused::Short(shortage)) => *shortage,
        other => panic!("{other:?}"),
    }
}

both_stores! {
    async fn a_budget_stops_what_does_not_fit_and_says_what_is_left(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        house.spend(&scope, &Spending::of(300_000)).await;
        let made = ann.post("/api/v1/budgets", &budget("organization", None, 1_000_000)).await.expect(201);
        assert_eq!(made.headers["etag"], "\"1\"");
        assert_eq!(made.json["alerts"], json!([50, 80, 100]));
        assert_eq!(made.json["used_micros"], 300_000, "what was spent before counts");
        let path = format!("/api/v1/budgets/{}", made.str("/id"));
        let held = house.hold(&scope, &Spending::of(500_000)).await.expect("there is room");
        let shown = ann.get(&path).await.expect(200).json;
        let amounts = ["limit_micros", "used_micros", "held_micros", "remaining_micros"].map(|name| shown[name].as_i64());
        assert_eq!(amounts, [Some(1_000_000), Some(300_000), Some(500_000), Some(200_000)]);
        assert_eq!(shown["resets_at"], "2026-12-01T00:00:00.000000Z");
        assert_eq!(shown["exhausted_at"], Value::Null, "there is no pace yet");
        let short = shortage(&house, &ann, &Spending::of(200_001)).await;
        assert_eq!((short.missing, short.level.as_str()), (1, "organization"));
        house.settle(held, &Spending::of(500_000)).await;
        house.clock.advance(Duration::from_hours(4 * 24));
        let ann = house.refreshed(&ann).await;
        let scope = house.scope(&ann).await;
        let shown = ann.get(&path).await.expect(200).json;
        // 0.8 in the organisation's first four days: 0.2 more take one.
        assert_eq!(shown["exhausted_at"], "2026-11-27T10:00:00.000000Z");

        // A change holds for the next call.
        ann.patch(&path, &json!({ "amount_micros": 800_000, "alerts": [90] })).await.expect(200);
        assert_eq!(shortage(&house, &ann, &Spending::of(1)).await.missing, 1);
        ann.patch(&path, &json!({ "kind": "soft" })).await.expect(200);
        house.spend(&scope, &Spending::of(1)).await;
        ann.patch(&path, &json!({ "kind": "hard" })).await.expect(200);
        shortage(&house, &ann, &Spending::of(1)).await;
        ann.delete(&path).await.expect(204);
        house.spend(&scope, &Spending::of(1)).await;
        ann.get(&path).await.expect(404);
    }

    async fn a_budget_stands_at_each_level(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let upper = ann.post("/api/v1/teams", &json!({ "name": "Upper" })).await.expect(201).str("/id").to_owned();
        let lower = json!({ "name": "Lower", "parent_id": upper });
        let lower = ann.post("/api/v1/teams", &lower).await.expect(201).str("/id").to_owned();
        let project = ann.post("/api/v1/projects", &json!({ "name": "Site" })).await.expect(201).str("/id").to_owned();
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "CI" })).await.expect(201).str("/id").to_owned();
        let team: TeamId = lower.parse().expect("an id");
        let project_id: ProjectId = project.parse().expect("an id");
        let key_id: ApiKeyId = key.parse().expect("an id");
        let within = |micros| Spending { team: Some(team), project: Some(project_id), key: Some(key_id), ..Spending::of(micros) };
        let scope = house.scope(&ann).await;
        for (level, id) in [("team", &upper), ("team", &lower), ("project", &project), ("user", &ann.user), ("key", &key)] {
            let made = made(&ann, &budget(level, Some(id), 50)).await;
            let short = shortage(&house, &ann, &within(51)).await;
            assert_eq!((short.level.as_str(), &short.subject, short.missing), (level, id, 1), "{level}");
            house.spend(&scope, &Spending::of(0)).await;
            ann.delete(&format!("/api/v1/budgets/{made}")).await.expect(204);
        }
        // Another person's budget is none of hers.
        made(&ann, &budget("user", Some(&max.user), 0)).await;
        house.spend(&scope, &within(51)).await;
    }

    async fn what_cannot_be_is_refused_by_name(house) {
        let ann = house.sign_up("Ann").await;
        let refused = async |change: Value, field: &str| {
            let mut body = budget("organization", None, 5);
            body.as_object_mut().expect("an object").extend(change.as_object().expect("an object").clone());
            let answer = ann.post("/api/v1/budgets", &body).await.expect(422);
            assert_eq!(answer.str("/error/param"), field, "{}", answer.text);
        };
        refused(json!({ "currency": "EUR" }), "currency").await;
        refused(json!({ "currency": "usd" }), "currency").await;
        refused(json!({ "amount_micros": -1 }), "amount_micros").await;
        refused(json!({ "amount_micros": 9_007_199_254_740_992_i64 }), "amount_micros").await;
        refused(json!({ "alerts": [0] }), "alerts").await;
        refused(json!({ "alerts": (1..=11).collect::<Vec<_>>() }), "alerts").await;
        refused(json!({ "level": "run" }), "level").await;
        refused(json!({ "level": "team" }), "id").await;
        refused(json!({ "level": "team", "id": ann.user }), "id").await;
        refused(json!({ "period": "year" }), "period").await;
        refused(json!({ "org_id": ann.org }), "org_id").await;
        let agent = json!({ "level": "agent", "id": "agt_01932d6f4b7a7c3e9a51c0ffee15600d", "period": "day", "amount_micros": 1, "currency": "USD", "kind": "soft" });
        ann.post("/api/v1/budgets", &agent).await.expect(404);
        ann.post("/api/v1/budgets", &budget("organization", Some(&ann.org), 5)).await.expect(201);
    }

    async fn nothing_of_another_organisation_can_be_limited_or_seen(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let project = ann.post("/api/v1/projects", &json!({ "name": "Site" })).await.expect(201);
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "CI" })).await.expect(201);
        let of = |answer: &testing::Answer| answer.str("/id").to_owned();
        let bob = bob.with("x-request-id", "the-same");
        for (level, real) in [("team", of(&team)), ("project", of(&project)), ("key", of(&key)), ("user", ann.user.clone()), ("organization", ann.org.clone())] {
            let prefix = real.split('_').next().expect("a prefix");
            let invented = format!("{prefix}_01932d6f4b7a7c3e9a51c0ffee15600d");
            let answer = bob.post("/api/v1/budgets", &budget(level, Some(&real), 5)).await.expect(404);
            assert_eq!(answer.text, bob.post("/api/v1/budgets", &budget(level, Some(&invented), 5)).await.text, "{level}");
        }
        let anns = made(&ann, &budget("organization", None, 5)).await;
        let path = format!("/api/v1/budgets/{anns}");
        bob.get(&path).await.expect(404);
        bob.patch(&path, &json!({ "amount_micros": 0 })).await.expect(404);
        bob.delete(&path).await.expect(404);
        let more = json!({ "amount_micros": 5, "until": "2026-12-01T00:00:00Z", "reason": "mine" });
        bob.put(&format!("{path}/increase"), &more).await.expect(404);
        bob.delete(&format!("{path}/increase")).await.expect(404);
        assert_eq!(bob.get("/api/v1/budgets").await.expect(200).json["data"], json!([]));
        house.spend(&house.scope(&bob).await, &Spending::of(1_000)).await;
        assert_eq!(ann.get(&path).await.expect(200).json["used_micros"], 0);
    }

    async fn members_see_the_budgets_that_apply_to_them(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let vera = house.join(&ann, "Vera", "viewer").await;
        let team = async |name: &str, above: Option<&str>| {
            ann.post("/api/v1/teams", &json!({ "name": name, "parent_id": above })).await.expect(201).str("/id").to_owned()
        };
        let upper = team("Upper", None).await;
        let (his, other) = (team("His", Some(&upper)).await, team("Other", Some(&upper)).await);
        ann.put(&format!("/api/v1/teams/{his}/members/{}", max.user), &json!({ "role": "member" })).await.expect(200);
        let open = json!({ "name": "Open", "open": true });
        let open = ann.post("/api/v1/projects", &open).await.expect(201).str("/id").to_owned();
        let closed = json!({ "name": "Closed", "open": false });
        let closed = ann.post("/api/v1/projects", &closed).await.expect(201).str("/id").to_owned();
        let key = max.post("/api/v1/auth/api-keys", &json!({ "name": "His" })).await.expect(201);
        let anns_key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Hers" })).await.expect(201).str("/id").to_owned();
        let his_key = key.str("/id").to_owned();
        let mut applying = Vec::new();
        for (level, id, applies) in [
            ("organization", None, true),
            ("team", Some(&upper), true),
            ("team", Some(&his), true),
            ("team", Some(&other), false),
            ("user", Some(&max.user), true),
            ("user", Some(&ann.user), false),
            ("project", Some(&open), true),
            ("project", Some(&closed), false),
            ("key", Some(&his_key), true),
            ("key", Some(&anns_key), false),
        ] {
            let id = made(&ann, &budget(level, id.map(String::as_str), 500)).await;
            let status = max.get(&format!("/api/v1/budgets/{id}")).await.status;
            assert_eq!(status, if applies { 200 } else { 404 }, "{level}");
            if applies {
                applying.push(id);
            }
        }
        assert_eq!(ids(&max.get("/api/v1/budgets").await.expect(200).json), applying);
        let mut paged = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = max.get(&format!("/api/v1/budgets?limit=2{cursor}")).await.expect(200).json;
            paged.extend(ids(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(paged, applying);
        assert_eq!(ids(&ann.get("/api/v1/budgets").await.expect(200).json).len(), 10);
        vera.get("/api/v1/budgets").await.expect(403);
        max.post("/api/v1/budgets", &budget("user", Some(&max.user), 5)).await.expect(403);
        let path = format!("/api/v1/budgets/{}", applying[0]);
        max.patch(&path, &json!({ "amount_micros": 9_000 })).await.expect(403);
        max.delete(&path).await.expect(403);
        // A key that its maker did not say so for does not loosen its own limits.
        let by_key = ann.with_token(Some(ann.post("/api/v1/auth/api-keys", &json!({ "name": "Plain" })).await.expect(201).str("/key")));
        by_key.patch(&path, &json!({ "amount_micros": 9_000 })).await.expect(403);
    }

    async fn an_increase_holds_until_its_end_and_is_on_record(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let id = made(&ann, &budget("organization", None, 100)).await;
        let path = format!("/api/v1/budgets/{id}/increase");
        let more = |micros: i64, until: &str| json!({ "amount_micros": micros, "until": until, "reason": "the launch" });
        for (body, field) in [(more(0, "2026-11-23T00:00:00Z"), "amount_micros"), (more(5, "2026-11-22T10:00:00Z"), "until")] {
            assert_eq!(ann.put(&path, &body).await.expect(422).str("/error/param"), field);
        }
        ann.put(&path, &json!({ "amount_micros": 5, "until": "2026-11-23T00:00:00Z" })).await.expect(422);
        let answer = ann.put(&path, &more(50, "2026-11-22T11:00:00Z")).await.expect(200);
        assert_eq!(answer.json["increase"]["approved_by"], ann.user);
        assert_eq!(answer.json["limit_micros"], 150);
        house.spend(&scope, &Spending::of(150)).await;
        ann.with("if-match", "\"1\"").put(&path, &more(500, "2026-11-22T11:00:00Z")).await.expect(412);
        let log = ann.get(&format!("/api/v1/audit?object={id}&action=budget.increased")).await.expect(200);
        assert_eq!(log.json["data"][0]["detail"]["reason"], "the launch");

        house.clock.advance(Duration::from_hours(1));
        house.app.rules().forget(&scope);
        let ann = house.refreshed(&ann).await;
        let shown = ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json;
        assert_eq!((&shown["limit_micros"], &shown["increase"], &shown["remaining_micros"]), (&json!(100), &Value::Null, &json!(0)));
        ann.put(&path, &more(50, "2026-11-22T18:00:00Z")).await.expect(200);
        assert_eq!(ann.delete(&path).await.expect(200).json["limit_micros"], 100);
    }

    async fn two_who_change_a_budget_at_once_do_not_undo_each_other(house) {
        let ann = house.sign_up("Ann").await;
        let id = made(&ann, &budget("organization", None, 100)).await;
        let path = format!("/api/v1/budgets/{id}");
        let careful = ann.with("if-match", "\"1\"");
        let (body, other) = (json!({ "amount_micros": 200 }), json!({ "amount_micros": 300 }));
        let (one, two) = tokio::join!(careful.patch(&path, &body), careful.patch(&path, &other));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 412]);
        let repeated = ann.with("idempotency-key", "once");
        let body = budget("organization", None, 7);
        let (one, two) = (repeated.post("/api/v1/budgets", &body).await, repeated.post("/api/v1/budgets", &body).await);
        assert_eq!(one.str("/id"), two.str("/id"));
    }

    async fn a_team_that_moves_takes_what_it_spent_along(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let team = async |name: &str, above: Option<&str>| {
            ann.post("/api/v1/teams", &json!({ "name": name, "parent_id": above })).await.expect(201).str("/id").to_owned()
        };
        let (here, there) = (team("Here", None).await, team("There", None).await);
        let moving = team("Moving", Some(&here)).await;
        let id: TeamId = moving.parse().expect("an id");
        let within = |micros| Spending { team: Some(id), ..Spending::of(micros) };
        let (at_here, at_there) = (made(&ann, &budget("team", Some(&here), 1_000)).await, made(&ann, &budget("team", Some(&there), 1_000)).await);
        let stands = async |id: &str| {
            let shown = ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json;
            (shown["used_micros"].as_i64().expect("a number"), shown["held_micros"].as_i64().expect("a number"))
        };
        house.spend(&scope, &within(300)).await;
        let under_way = house.hold(&scope, &within(50)).await.expect("there is room");
        assert_eq!((stands(&at_here).await, stands(&at_there).await), ((300, 50), (0, 0)));
        let summary = async || {
            let rows = ann.get("/api/v1/usage/summary?by=team").await.expect(200).json["data"].clone();
            let of = |key: &str| rows.as_array().expect("a list").iter().find(|row| row["key"] == key).map_or(0, |row| row["with_below"]["cost_micros"].as_i64().expect("a number"));
            (of(&here), of(&there))
        };
        assert_eq!(summary().await, (300, 0));

        ann.patch(&format!("/api/v1/teams/{moving}"), &json!({ "parent_id": there })).await.expect(200);
        assert_eq!((stands(&at_here).await, stands(&at_there).await), ((0, 0), (300, 50)));
        assert_eq!(summary().await, (0, 300));
        // What began before the move ends after it: it leaves nothing held, and counts where the team is now.
        house.settle(under_way, &within(40)).await;
        assert_eq!((stands(&at_here).await, stands(&at_there).await), ((0, 0), (340, 0)));
        assert_eq!(shortage(&house, &ann, &within(661)).await.missing, 1);

        // A team that is deleted does not give back what was spent in it.
        ann.delete(&format!("/api/v1/teams/{moving}")).await.expect(204);
        assert_eq!(stands(&at_there).await, (340, 0));
        assert_eq!(summary().await, (0, 340));
        let row = ann.get("/api/v1/usage/summary?by=team").await.expect(200).json;
        assert!(row["data"].as_array().expect("a list").iter().any(|row| row["key"] == moving.as_str() && row["deleted"] == true));
    }

    async fn another_time_zone_has_other_months(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        // 23:30 of the 30th in UTC is the 1st in Berlin.
        house.clock.advance(Duration::from_mins((8 * 24 + 13) * 60 + 30));
        let ann = house.refreshed(&ann).await;
        let id = made(&ann, &budget("organization", None, 1_000)).await;
        house.spend(&scope, &Spending::of(7)).await;
        let shown = ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json;
        assert_eq!((&shown["starts_at"], &shown["used_micros"]), (&json!("2026-11-01T00:00:00.000000Z"), &json!(7)));
        ann.patch(&format!("/api/v1/orgs/{}", ann.org), &json!({ "time_zone": "Europe/Berlin" })).await.expect(200);
        let shown = ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json;
        assert_eq!((&shown["starts_at"], &shown["resets_at"]), (&json!("2026-11-30T23:00:00.000000Z"), &json!("2026-12-31T23:00:00.000000Z")));
        assert_eq!(shown["used_micros"], 7);
        ann.patch(&format!("/api/v1/orgs/{}", ann.org), &json!({ "time_zone": "America/New_York" })).await.expect(200);
        assert_eq!(ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json["resets_at"], "2026-12-01T05:00:00.000000Z");
    }
}

both_stores! {
    in Wish { prices: Some(EUROS), ..Wish::default() };

    async fn a_budget_in_euros_is_charged_by_the_rate_that_stands_on_the_row(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let body = json!({ "level": "organization", "period": "total", "amount_micros": 1_000, "currency": "EUR", "kind": "hard" });
        let id = made(&ann, &body).await;
        house.spend(&scope, &Spending::of(1_000)).await;
        let shown = ann.get(&format!("/api/v1/budgets/{id}")).await.expect(200).json;
        assert_eq!((&shown["used_micros"], &shown["remaining_micros"], &shown["resets_at"]), (&json!(920), &json!(80), &Value::Null));
        // 87 cents of a millionth dollar are 80.04 of a euro: they do not fit.
        assert_eq!(shortage(&house, &ann, &Spending::of(87)).await.missing, 1);
        let row = ann.get("/api/v1/usage/logs").await.expect(200).json["data"][0].clone();
        let rate = &row["exchange"][0];
        assert_eq!((&rate["currency"], &rate["rate_micros"], &rate["source"]), (&json!("EUR"), &json!(920_000), &json!("the bank")));
        assert_eq!(rate["at"], "2026-11-20T15:00:00.000000Z");
    }
}
