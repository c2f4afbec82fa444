//! What was used: sums that add up exactly, rows that can be paged and taken out, and nobody sees what is not theirs to see.

use std::time::Duration;

use domain::{ApiKeyId, ProjectId, TeamId};
use serde_json::{Value, json};
use store::ledger::entries::Outcome;
use testing::{Client, Spending, TestHouse, both_stores};

fn cost(row: &Value) -> i64 {
    row["cost_micros"].as_i64().expect("a number")
}

fn rows(answer: &Value) -> Vec<Value> {
    answer["data"].as_array().expect("a list").clone()
}

/// What a summary says, by key; null is what counts to none.
async fn summed(client: &Client, query: &str) -> Vec<(Option<String>, i64)> {
    let answer = client.get(&format!("/api/v1/usage/summary?{query}")).await.expect(200).json;
    let groups: Vec<_> = rows(&answer).iter().map(|row| (row["key"].as_str().map(str::to_owned), cost(row))).collect();
    assert_eq!(groups.iter().map(|(_, cost)| cost).sum::<i64>(), cost(&answer["total"]), "{query}");
    groups
}

#[expect(clippy::unnecessary_wraps, reason = "beside what counts to none")]
fn key(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// The clock goes on, and everybody's token with it.
async fn later(house: &TestHouse, client: &Client, by: Duration) -> Client {
    house.clock.advance(by);
    house.refreshed(client).await
}

both_stores! {
    async fn sums_add_up_by_whatever_they_are_made(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let project = ann.post("/api/v1/projects", &json!({ "name": "Site", "open": true })).await.expect(201).str("/id").to_owned();
        let api_key = max.post("/api/v1/auth/api-keys", &json!({ "name": "CI" })).await.expect(201).str("/id").to_owned();
        let (anns, maxs) = (house.scope(&ann).await, house.scope(&max).await);
        let project_id: ProjectId = project.parse().expect("an id");
        let key_id: ApiKeyId = api_key.parse().expect("an id");
        house.spend(&anns, &Spending { tokens: (10, 5), ..Spending::of(100) }).await;
        house.spend(&anns, &Spending { model: "gpt-4o", project: Some(project_id), ..Spending::of(20) }).await;
        house.spend(&maxs, &Spending { operation: "embeddings", key: Some(key_id), ..Spending::of(3) }).await;
        house.spend(&maxs, &Spending { outcome: Outcome::Error, ..Spending::of(0) }).await;
        let by = async |what: &str| summed(&ann, &format!("by={what}")).await;
        assert_eq!(by("day").await, [(key("2026-11-22"), 123)]);
        assert_eq!(by("model").await, [(key("gpt-4o"), 20), (key("gpt-4o-mini"), 103)]);
        assert_eq!(by("operation").await, [(key("chat"), 120), (key("embeddings"), 3)]);
        assert_eq!(by("outcome").await, [(key("error"), 0), (key("ok"), 123)]);
        assert_eq!(by("agent").await, [(None, 123)]);
        let sorted = async |what: &str| {
            let mut groups = by(what).await;
            groups.sort();
            groups
        };
        let mut people = vec![(key(&ann.user), 120), (key(&max.user), 3)];
        people.sort();
        assert_eq!(sorted("user").await, people);
        assert_eq!(sorted("project").await, [(None, 103), (key(&project), 20)]);
        assert_eq!(sorted("key").await, [(None, 120), (key(&api_key), 3)]);
        let whole = ann.get("/api/v1/usage/summary?month=2026-11").await.expect(200).json;
        assert_eq!(whole["total"]["operations"], 4);
        assert_eq!((&whole["total"]["tokens"], &whole["total"]["input_tokens"], &whole["total"]["output_tokens"]), (&json!(15), &json!(10), &json!(5)));
        assert_eq!((&whole["everybody"], &whole["time_zone"]), (&json!(true), &json!("UTC")));
        assert_eq!(summed(&ann, &format!("by=model&user={}", max.user)).await, [(key("gpt-4o-mini"), 3)]);
        assert_eq!(summed(&ann, &format!("by=user&project={project}&from=2026-11-22T00:00:00Z&until=2026-11-23T00:00:00Z")).await, [(key(&ann.user), 20)]);
        assert_eq!(summed(&ann, "until=2026-11-22T10:00:00Z&by=day").await, []);
        for (query, param) in [("month=2026-13", "month"), ("month=2026-11&from=2026-11-01T00:00:00Z", "month"), ("by=org", "by"), ("from=2026-11-02T00:00:00Z&until=2026-11-02T00:00:00Z", "until")] {
            let answer = ann.get(&format!("/api/v1/usage/summary?{query}")).await.expect(422);
            assert_eq!(answer.str("/error/param"), param, "{}", answer.text);
        }
    }

    async fn months_and_days_are_those_of_the_organisation(house) {
        let ann = house.sign_up("Ann").await;
        let zone = json!({ "time_zone": "America/St_Johns" });
        ann.patch(&format!("/api/v1/orgs/{}", ann.org), &zone).await.expect(200);
        // At 3.5 hours behind UTC November ends at 03:30 of December 1st.
        let ann = later(&house, &ann, Duration::from_mins((8 * 24 + 17) * 60 + 29)).await;
        house.spend(&house.scope(&ann).await, &Spending::of(1)).await;
        let ann = later(&house, &ann, Duration::from_mins(2)).await;
        house.spend(&house.scope(&ann).await, &Spending::of(20)).await;
        assert_eq!(summed(&ann, "month=2026-11").await, [(key("2026-11-30"), 1)]);
        assert_eq!(summed(&ann, "month=2026-12").await, [(key("2026-12-01"), 20)]);
        assert_eq!(summed(&ann, "by=day").await, [(key("2026-12-01"), 20)], "this month when none is named");
        let both = "from=2026-11-01T00:00:00Z&until=2027-01-01T00:00:00Z";
        assert_eq!(summed(&ann, both).await, [(key("2026-11-30"), 1), (key("2026-12-01"), 20)]);
        ann.patch(&format!("/api/v1/orgs/{}", ann.org), &json!({ "time_zone": "UTC" })).await.expect(200);
        assert_eq!(summed(&ann, "month=2026-12").await, [(key("2026-12-01"), 21)]);
        assert_eq!(summed(&ann, "month=2026-11").await, []);
    }

    async fn teams_add_up_to_the_organisation(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        let team = async |name: &str, above: Option<&str>| {
            ann.post("/api/v1/teams", &json!({ "name": name, "parent_id": above })).await.expect(201).str("/id").to_owned()
        };
        let top = team("Top", None).await;
        let middle = team("Middle", Some(&top)).await;
        let low = team("Low", Some(&middle)).await;
        let other = team("Other", None).await;
        for (team, micros) in [(Some(&top), 1), (Some(&low), 100), (Some(&other), 1_000), (None, 10_000)] {
            let team: Option<TeamId> = team.map(|id| id.parse().expect("an id"));
            house.spend(&scope, &Spending { team, ..Spending::of(micros) }).await;
        }
        let answer = ann.get("/api/v1/usage/summary?by=team").await.expect(200).json;
        let rows = rows(&answer);
        let find = |key: Option<&str>| rows.iter().find(|row| row["key"].as_str() == key).expect("a row");
        let sums = |key| (cost(find(key)), cost(&find(key)["with_below"]));
        assert_eq!(sums(Some(&top)), (1, 101));
        assert_eq!(sums(Some(&middle)), (0, 100));
        assert_eq!(sums(Some(&low)), (100, 100));
        assert_eq!(sums(Some(&other)), (1_000, 1_000));
        assert_eq!(sums(None), (10_000, 10_000));
        assert_eq!((&find(Some(&low))["name"], &find(Some(&low))["parent_id"]), (&json!("Low"), &json!(middle)));
        let at_top: i64 = rows.iter().filter(|row| row["parent_id"].is_null()).map(|row| cost(&row["with_below"])).sum();
        assert_eq!((at_top, rows.iter().map(cost).sum()), (11_101, 11_101));
        assert_eq!(cost(&answer["total"]), 11_101);
    }

    async fn the_log_is_paged_and_filtered(house) {
        let ann = house.sign_up("Ann").await;
        let scope = house.scope(&ann).await;
        for micros in 1..=5 {
            let model = if micros % 2 == 0 { "even" } else { "odd" };
            house.spend(&scope, &Spending { model, ..Spending::of(micros) }).await;
            house.clock.advance(Duration::from_secs(1));
        }
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = ann.get(&format!("/api/v1/usage/logs?limit=2{cursor}")).await.expect(200).json;
            found.extend(rows(&page).iter().map(cost));
            let Some(next) = page["next_cursor"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        assert_eq!(found, [5, 4, 3, 2, 1]);
        let costs = async |query: &str| -> Vec<i64> { rows(&ann.get(&format!("/api/v1/usage/logs?{query}")).await.expect(200).json).iter().map(cost).collect() };
        assert_eq!(costs("model=even").await, [4, 2]);
        assert_eq!(costs("from=2026-11-22T10:00:01Z&until=2026-11-22T10:00:03Z").await, [3, 2]);
        assert_eq!(costs("operation=embeddings").await, [0; 0]);
        assert_eq!(costs("outcome=ok&limit=1").await, [5]);
        assert_eq!(costs(&format!("user={}", ann.user)).await.len(), 5);
        let next = ann.get("/api/v1/usage/logs?limit=2&model=odd").await.expect(200).str("/next_cursor").to_owned();
        ann.get(&format!("/api/v1/usage/logs?limit=2&cursor={next}")).await.expect(400);
        assert_eq!(costs(&format!("limit=2&model=odd&cursor={next}")).await, [1]);
        let row = ann.get("/api/v1/usage/logs?limit=1").await.expect(200).json["data"][0].clone();
        assert_eq!((&row["request_id"], &row["upstream"], &row["price_version"], &row["estimated"]), (&json!("req_test"), &json!("scripted"), &json!("2026-11"), &json!(false)));
    }

    async fn the_log_comes_as_csv_and_as_json_lines(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let scope = house.scope(&ann).await;
        house.spend(&scope, &Spending { model: "=cmd|' /C calc'!A0", operation: "a,\"b\"", ..Spending::of(7) }).await;
        for _ in 0..600 {
            house.spend(&scope, &Spending::of(1)).await;
        }
        let csv = ann.with("accept", "text/csv").get("/api/v1/usage/logs").await.expect(200);
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        let lines: Vec<&str> = csv.text.lines().collect();
        assert_eq!(lines.len(), 602);
        let columns = lines[0].split(',').count();
        assert!(lines[0].starts_with("id,attempt,at,"));
        assert_eq!(lines[1].split(',').count(), columns);
        assert!(lines[601].contains("'=cmd|' /C calc'!A0") && lines[601].contains("\"a,\"\"b\"\"\""), "{}", lines[601]);
        let cells: Vec<&str> = lines[1].split(',').collect();
        let at = lines[0].split(',').position(|name| name == "cost_micros").expect("a column");
        assert_eq!(cells[at], "1");
        let text = ann.with("accept", "application/x-ndjson").get("/api/v1/usage/logs?model=gpt-4o-mini").await.expect(200).text;
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!((rows.len(), rows.iter().map(cost).sum::<i64>()), (600, 600));
        let unique: std::collections::BTreeSet<_> = rows.iter().map(|row| row["id"].to_string()).collect();
        assert_eq!(unique.len(), 600);
        // All of it at once counts as an export; a page of it does not, and another organisation has limits of its own.
        let limit = json!({ "level": "organization", "operation": "exports", "requests_per_minute": 1 });
        ann.post("/api/v1/limits", &limit).await.expect(201);
        ann.with("accept", "text/csv").get("/api/v1/usage/logs").await.expect(200);
        let refused = ann.with("accept", "application/x-ndjson").get("/api/v1/usage/logs").await.expect(429);
        assert!(refused.headers.contains_key("retry-after"));
        ann.get("/api/v1/usage/logs").await.expect(200);
        let bob = house.sign_up("Bob").await;
        bob.with("accept", "text/csv").get("/api/v1/usage/logs").await.expect(200);
    }

    async fn members_see_their_own_and_nothing_of_another_organisation(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let vera = house.join(&ann, "Vera", "viewer").await;
        let bob = house.sign_up("Bob").await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Led" })).await.expect(201).str("/id").to_owned();
        let below = ann.post("/api/v1/teams", &json!({ "name": "Below", "parent_id": team })).await.expect(201).str("/id").to_owned();
        let project = ann.post("/api/v1/projects", &json!({ "name": "Site", "open": true })).await.expect(201).str("/id").to_owned();
        let (anns, maxs) = (house.scope(&ann).await, house.scope(&max).await);
        house.spend(&anns, &Spending::of(100)).await;
        house.spend(&anns, &Spending { team: Some(below.parse().expect("an id")), ..Spending::of(20) }).await;
        house.spend(&anns, &Spending { project: Some(project.parse().expect("an id")), ..Spending::of(400) }).await;
        house.spend(&maxs, &Spending::of(3)).await;
        house.spend(&house.scope(&bob).await, &Spending::of(50_000)).await;
        let costs = async |client: &Client, query: &str| -> Vec<i64> { rows(&client.get(&format!("/api/v1/usage/logs?{query}")).await.expect(200).json).iter().map(cost).collect() };
        assert_eq!(costs(&ann, "").await, [3, 400, 20, 100]);
        assert_eq!(costs(&max, "").await, [3]);
        assert_eq!(costs(&bob, "").await, [50_000]);
        assert_eq!(summed(&max, "by=day").await, [(key("2026-11-22"), 3)]);
        assert_eq!(max.get("/api/v1/usage/summary").await.expect(200).json["everybody"], false);
        for path in ["logs", "summary"] {
            vera.get(&format!("/api/v1/usage/{path}")).await.expect(403);
            let asked = format!("/api/v1/usage/{path}?user={}", ann.user);
            max.get(&asked).await.expect(403);
            // Another organisation's ids are as unknown as any.
            let bob = bob.with("x-request-id", "the-same");
            for (name, real) in [("user", &ann.user), ("team", &team), ("project", &project)] {
                let invented = format!("{}_01932d6f4b7a7c3e9a51c0ffee15600d", real.split('_').next().expect("a prefix"));
                let ask = async |id: &str| bob.get(&format!("/api/v1/usage/{path}?{name}={id}")).await.expect(200).text;
                assert_eq!(ask(real).await, ask(&invented).await, "{name}");
            }
            bob.in_org(&ann.org).get(&format!("/api/v1/usage/{path}")).await.expect(404);
        }
        vera.get("/api/v1/usage/quota").await.expect(403);
        let csv = max.with("accept", "text/csv").get("/api/v1/usage/logs").await.expect(200).text;
        assert!(csv.lines().count() == 2 && !csv.contains(&ann.user), "{csv}");

        // Who leads a team or runs a project sees what was used there, and no more.
        assert_eq!(costs(&max, &format!("team={below}")).await, [0; 0]);
        ann.put(&format!("/api/v1/teams/{team}/members/{}", max.user), &json!({ "role": "admin" })).await.expect(200);
        assert_eq!(costs(&max, &format!("team={below}")).await, [20]);
        assert_eq!(costs(&max, "").await, [3]);
        assert_eq!(costs(&max, &format!("project={project}")).await, [0; 0]);
        ann.put(&format!("/api/v1/projects/{project}/members/{}", max.user), &json!({ "role": "admin" })).await.expect(200);
        assert_eq!(costs(&max, &format!("project={project}")).await, [400]);

        // A key for one project asks about that one.
        let limited = json!({ "name": "CI", "project_id": project });
        let limited = ann.post("/api/v1/auth/api-keys", &limited).await.expect(201);
        let by_key = house.visitor().with_token(Some(limited.str("/key")));
        assert_eq!(costs(&by_key, "").await, [400]);
        let other = ann.post("/api/v1/projects", &json!({ "name": "Other" })).await.expect(201).str("/id").to_owned();
        by_key.get(&format!("/api/v1/usage/logs?project={other}")).await.expect(404);
    }

    async fn the_quota_shows_every_limit_on_the_path(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let team = async |name: &str, above: Option<&str>| {
            ann.post("/api/v1/teams", &json!({ "name": name, "parent_id": above })).await.expect(201).str("/id").to_owned()
        };
        let upper = team("Upper", None).await;
        let lower = team("Lower", Some(&upper)).await;
        ann.put(&format!("/api/v1/teams/{lower}/members/{}", max.user), &json!({ "role": "member" })).await.expect(200);
        let project = ann.post("/api/v1/projects", &json!({ "name": "Site", "open": true })).await.expect(201).str("/id").to_owned();
        let limited = json!({ "name": "CI", "calls_per_day": 9, "budget_micros": 700, "currency": "USD" });
        let api_key = max.post("/api/v1/auth/api-keys", &limited).await.expect(201);
        for (level, id, micros) in [("organization", None, 1), ("team", Some(&upper), 2), ("team", Some(&lower), 3), ("project", Some(&project), 4), ("user", Some(&max.user), 5), ("user", Some(&ann.user), 6)] {
            let body = json!({ "level": level, "id": id, "period": "day", "amount_micros": micros * 1_000, "currency": "USD", "kind": "hard" });
            ann.post("/api/v1/budgets", &body).await.expect(201);
        }
        let by_key = house.visitor().with_token(Some(api_key.str("/key"))).with("x-rowhouse-project", &project);
        let scope = house.scope(&max).await;
        let key_id: ApiKeyId = api_key.str("/id").parse().expect("an id");
        let spending = Spending { team: Some(lower.parse().expect("an id")), key: Some(key_id), ..Spending::of(500) };
        house.spend(&scope, &spending).await;
        let held = house.hold(&scope, &spending).await.expect("there is room");
        let answer = by_key.get("/api/v1/usage/quota").await.expect(200).json;
        let money: Vec<_> = rows(&answer)
            .into_iter()
            .filter(|row| row["counted"] == "cost")
            .map(|row| (row["level"].as_str().expect("a level").to_owned(), row["limit"].as_i64(), row["used"].as_i64(), row["held"].as_i64(), row["remaining"].as_i64()))
            .collect();
        let expected = |level: &str, limit: i64, used: i64| (level.to_owned(), Some(limit), Some(used), Some(used), Some(limit - 2 * used));
        for one in [expected("organization", 1_000, 500), expected("team", 2_000, 500), expected("team", 3_000, 500), expected("project", 4_000, 0), expected("user", 5_000, 500)] {
            assert!(money.contains(&one), "{one:?} is not in {money:?}");
        }
        assert!(money.contains(&("key".into(), Some(700), Some(500), Some(500), Some(0))), "{money:?}");
        assert_eq!(money.len(), 6);
        let calls: Vec<_> = rows(&answer).into_iter().filter(|row| row["counted"] == "requests" && row["level"] == "key").collect();
        assert_eq!((calls.len(), &calls[0]["limit"], &calls[0]["used"], &calls[0]["held"]), (1, &json!(9), &json!(1), &json!(1)));
        assert_eq!(calls[0]["resets_at"], "2026-11-23T00:00:00.000000Z");
        let plan: Vec<_> = rows(&answer).into_iter().filter(|row| row["level"] == "organization" && row["counted"] != "cost").collect();
        assert_eq!(plan.len(), 6, "requests, tokens, documents, storage, prospects, mails");
        assert_eq!(answer["seats"]["used"], 2);
        house.settle(held, &spending).await;
        let plain = max.get("/api/v1/usage/quota").await.expect(200).json;
        assert!(rows(&plain).iter().all(|row| row["level"] != "project" && row["level"] != "key"));
    }

    async fn the_quota_tells_of_the_budgets_that_the_list_of_budgets_shows(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Team" })).await.expect(201).str("/id").to_owned();
        let closed = ann.post("/api/v1/projects", &json!({ "name": "Closed" })).await.expect(201).str("/id").to_owned();
        for user in [&ann.user, &max.user] {
            ann.put(&format!("/api/v1/teams/{team}/members/{user}"), &json!({ "role": "member" })).await.expect(200);
        }
        for (level, id) in [("organization", None), ("team", Some(&team)), ("project", Some(&closed)), ("user", Some(&max.user)), ("user", Some(&ann.user))] {
            let body = json!({ "level": level, "id": id, "period": "day", "amount_micros": 1_000, "currency": "USD", "kind": "hard" });
            ann.post("/api/v1/budgets", &body).await.expect(201);
        }
        let levels = async |who: &Client| -> Vec<String> {
            let quota = rows(&who.get("/api/v1/usage/quota").await.expect(200).json);
            let money = quota.iter().filter(|row| row["counted"] == "cost");
            money.map(|row| row["level"].as_str().expect("a level").to_owned()).collect()
        };
        let member = format!("/api/v1/projects/{closed}/members/{}", max.user);
        let there = max.with("x-rowhouse-project", &closed);
        ann.put(&member, &json!({ "role": "viewer" })).await.expect(200);
        assert_eq!(levels(&there).await, ["organization", "team", "user"], "who only reads there sees nobody's spending");
        ann.put(&member, &json!({ "role": "member" })).await.expect(200);
        assert_eq!(levels(&there).await, ["organization", "team", "project", "user"]);
        // A key for one project knows of no other place, nor of its maker.
        let limited = json!({ "name": "CI", "project_id": closed, "budget_micros": 700, "currency": "USD" });
        let limited = ann.post("/api/v1/auth/api-keys", &limited).await.expect(201);
        let by_key = house.visitor().with_token(Some(limited.str("/key")));
        assert_eq!(levels(&by_key).await, ["project", "key"]);
        assert_eq!(rows(&by_key.get("/api/v1/budgets").await.expect(200).json).len(), 1);
        let less = json!({ "name": "CI", "project_id": closed, "scopes": ["usage.read"] });
        let less = ann.post("/api/v1/auth/api-keys", &less).await.expect(201);
        let by_key = house.visitor().with_token(Some(less.str("/key")));
        assert_eq!(levels(&by_key).await, [""; 0]);
        by_key.get("/api/v1/budgets").await.expect(403);
    }

    async fn the_invoice_is_what_the_rows_come_to(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let max = house.join(&ann, "Max", "member").await;
        let scope = house.scope(&ann).await;
        for tokens in [(1_000, 200), (333, 77)] {
            house.spend(&scope, &Spending { tokens, ..Spending::of(tokens.0) }).await;
        }
        house.spend(&house.scope(&max).await, &Spending { tokens: (5, 5), model: "gpt-4o", ..Spending::of(90) }).await;
        house.spend(&scope, &Spending { outcome: Outcome::Error, ..Spending::of(0) }).await;
        let draft = ann.get("/api/v1/usage/invoice?month=2026-11").await.expect(200).json;
        let lines = draft["lines"].as_array().expect("lines");
        assert_eq!((lines.len(), &draft["total_micros"], &draft["closed"]), (2, &json!(1_423), &json!(false)));
        let cheap = &lines[1];
        let told = ["model", "price_version", "operations", "input_tokens", "output_tokens", "cost_micros"].map(|name| cheap[name].clone());
        assert_eq!(told, [json!("gpt-4o-mini"), json!("2026-11"), json!(2), json!(1_333), json!(277), json!(1_333)]);
        assert_eq!((&cheap["price"]["input_micros"], &cheap["price_percent"]), (&json!(150_000), &json!(100)));
        let rows = rows(&ann.get("/api/v1/usage/logs").await.expect(200).json);
        assert_eq!(rows.iter().map(cost).sum::<i64>(), 1_423);
        assert_eq!(ann.get("/api/v1/usage/invoice?month=2026-10").await.expect(200).json["total_micros"], 0);
        max.get("/api/v1/usage/invoice").await.expect(403);
        assert_eq!(house.sign_up("Bob").await.get("/api/v1/usage/invoice").await.expect(200).json["lines"], json!([]));
    }

    async fn sums_beyond_what_a_float_holds_are_exact(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let scope = house.scope(&ann).await;
        let large = 9_007_199_254_740_993;
        for micros in [large, 1, large] {
            house.spend(&scope, &Spending::of(micros)).await;
        }
        assert_eq!(summed(&ann, "by=user").await, [(key(&ann.user), 2 * large + 1)]);
    }
}
