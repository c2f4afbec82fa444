//! Models in the dialects of clients that people have already: an answer, a cost, a row of the usage log.

use serde_json::{Value, json};
use store::ledger::entries::{self, Entry, Outcome, Search};
use testing::upstream::{Fault, Script};
use testing::{Client, ScriptedUpstream, TestHouse, both_stores};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

fn question() -> Value {
    json!({
        "model": "rowhouse-extractive",
        "messages": [
            { "role": "system", "content": "The office opens at nine. The canteen is closed on Mondays." },
            { "role": "user", "content": "When does the office open?" },
        ],
    })
}

/// A client with a key in place of a session.
async fn with_key(owner: &Client, body: Value) -> Client {
    let made = owner.post("/api/v1/auth/api-keys", &body).await.expect(201);
    owner.with_token(Some(made.str("/key")))
}

async fn rows(house: &TestHouse, of: &Client) -> Vec<Entry> {
    let scope = house.scope(of).await;
    let mut tx = house.store().read_ledger(&scope).await.expect("begun");
    entries::list(&mut tx.page(&scope).expect("its page"), &Search::default(), None, 100).await.expect("rows")
}

both_stores! {
    async fn a_key_gets_an_answer_a_cost_and_a_row(house) {
        let ann = house.sign_up("Ann").await;
        let key = with_key(&ann, json!({ "name": "app" })).await;
        let answer = key.post(CHAT, &question()).await.expect(200);
        assert_eq!(answer.str("/object"), "chat.completion");
        assert!(answer.str("/choices/0/message/content").contains("opens at nine"), "{}", answer.text);
        let tokens = answer.json["usage"]["total_tokens"].as_i64().expect("a number");
        let rows = rows(&house, &ann).await;
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.outcome, row.operation.as_str(), row.tokens, row.requests), (Outcome::Ok, "chat", tokens, 1));
        assert!(row.key_id.is_some() && row.cost_micros > 0 && row.held_micros >= row.cost_micros && row.estimated == 0);
        assert_eq!(answer.headers["x-rowhouse-cost-micros"], row.cost_micros.to_string());
        assert_eq!(answer.headers["x-rowhouse-usage-id"], row.id.to_string());
    }

    async fn a_stream_is_settled_when_it_ends(house) {
        let ann = house.sign_up("Ann").await;
        let mut body = question();
        body["stream"] = json!(true);
        let answer = ann.post(CHAT, &body).await.expect(200);
        assert_eq!(answer.headers["content-type"], "text/event-stream; charset=utf-8");
        assert!(answer.text.trim_end().ends_with("data: [DONE]"), "{}", answer.text);
        assert!(!answer.text.contains("\"usage\":{"), "nobody asked for it: {}", answer.text);
        body["stream_options"] = json!({ "include_usage": true });
        assert!(ann.post(CHAT, &body).await.expect(200).text.contains("\"usage\":{"));
        let rows = rows(&house, &ann).await;
        assert!(rows.len() == 2 && rows.iter().all(|row| row.outcome == Outcome::Ok && row.tokens > 0), "{rows:?}");
    }

    async fn anthropics_clients_are_understood_and_answered_in_their_words(house) {
        let ann = house.sign_up("Ann").await;
        let key = with_key(&ann, json!({ "name": "app" })).await;
        let shown = key.token.as_deref().expect("a key").to_owned();
        let client = key.with_token(None).with("x-api-key", &shown).with("anthropic-version", "2023-06-01");
        let body = json!({
            "model": "rowhouse-extractive",
            "max_tokens": 200,
            "system": "The office opens at nine.",
            "messages": [{ "role": "user", "content": "When does the office open?" }],
        });
        let answer = client.post("/v1/messages", &body).await.expect(200);
        assert_eq!((answer.str("/type"), answer.str("/role")), ("message", "assistant"));
        assert!(answer.str("/content/0/text").contains("opens at nine"), "{}", answer.text);

        let unknown = json!({ "model": "nobody", "max_tokens": 9, "messages": [{ "role": "user", "content": "?" }] });
        let refused = client.post("/v1/messages", &unknown).await.expect(404);
        assert_eq!((refused.str("/type"), refused.str("/error/type")), ("error", "not_found_error"));
        let nobody = key.with_token(None).with("x-api-key", "rh_live_wrong").post("/v1/messages", &body).await.expect(401);
        assert_eq!(nobody.str("/error/type"), "authentication_error");
        let list = client.get("/v1/models").await.expect(200);
        assert_eq!((list.str("/data/0/type"), list.str("/data/0/created_at")), ("model", "1970-01-01T00:00:00.000000Z"));
        let last = list.json["data"].as_array().and_then(|all| all.last()).expect("there is one");
        assert_eq!((&list.json["last_id"], &list.json["has_more"]), (&last["id"], &json!(false)));
        for path in ["/v1/models/nobody", "/v1/no_such_path"] {
            assert_eq!(client.get(path).await.expect(404).str("/error/type"), "not_found_error", "{path}");
            assert_eq!(client.get(path).await.expect(404).str("/type"), "error", "{path}");
        }
        // Elsewhere that header means nothing.
        client.get("/api/v1/auth/me").await.expect(401);
    }

    async fn responses_are_chats_in_other_words(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "model": "rowhouse-extractive", "instructions": "The office opens at nine.", "input": "When does the office open?" });
        let answer = ann.post(RESPONSES, &body).await.expect(200);
        assert_eq!((answer.str("/object"), answer.str("/status"), &answer.json["store"]), ("response", "completed", &json!(false)));
        assert!(answer.str("/output/0/content/0/text").contains("opens at nine"), "{}", answer.text);
        let mut streamed = body.clone();
        streamed["stream"] = json!(true);
        let stream = ann.post(RESPONSES, &streamed).await.expect(200);
        assert_eq!(stream.headers["content-type"], "text/event-stream; charset=utf-8");
        let last = stream.text.trim_end().rsplit_once("\n\n").expect("events").1;
        assert!(last.starts_with("event: response.completed\ndata: ") && last.contains("opens at nine"), "{}", stream.text);
        let rows = rows(&house, &ann).await;
        assert!(rows.len() == 2 && rows.iter().all(|row| row.outcome == Outcome::Ok && row.operation == "chat" && row.cost_micros > 0), "{rows:?}");
        let tokens = answer.json["usage"]["total_tokens"].as_i64();
        assert!(rows.iter().all(|row| Some(row.tokens) == tokens), "{rows:?}");
        assert_eq!(answer.headers["x-rowhouse-cost-micros"], rows[0].cost_micros.to_string());
        // What is refused is refused in these words, whoever finds it, and costs nothing.
        for (field, value) in [
            ("store", json!(true)),
            ("previous_response_id", json!("resp_1")),
            ("input", json!([])),
            ("model", json!(7)),
        ] {
            let mut wrong = body.clone();
            wrong[field] = value;
            let refused = ann.post(RESPONSES, &wrong).await.expect(400);
            assert_eq!(refused.str("/error/param"), field, "{}", refused.text);
        }
        let large = json!({ "model": "rowhouse-extractive", "input": "x".repeat((8 << 20) + 1) });
        assert_eq!(ann.post(RESPONSES, &large).await.expect(413).code(), "too_large");
        let unknown = ann.post(RESPONSES, &json!({ "model": "nobody", "input": "?" })).await.expect(404);
        assert_eq!((unknown.code(), unknown.str("/error/param")), ("model_not_found", "model"));
    }

    async fn what_has_no_room_is_refused_before_anything_is_called(house) {
        let ann = house.sign_up("Ann").await;
        let key = with_key(&ann, json!({ "name": "app", "calls_per_day": 2 })).await;
        key.post(CHAT, &question()).await.expect(200);
        key.post(CHAT, &question()).await.expect(200);
        let refused = key.post(CHAT, &question()).await.expect(429);
        assert_eq!((refused.code(), refused.str("/error/param")), ("quota_exceeded", "requests"));
        let message = refused.str("/error/message");
        assert!(message.contains("of the key key_") && message.contains("begins anew at 2026-11-23T00:00:00"), "{message}");
        assert_eq!(refused.headers["x-should-retry"], "false");
        assert_eq!(rows(&house, &ann).await.len(), 2, "no row for what was not called");
        ann.post(CHAT, &question()).await.expect(200);
    }

    async fn when_a_payment_is_late_nothing_runs_that_costs_money(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let key = with_key(&ann, json!({ "name": "app" })).await;
        let decide = async |status: &str| {
            olga.patch(&format!("/api/v1/operator/orgs/{}", ann.org), &json!({ "status": status })).await.expect(200);
        };
        key.post(CHAT, &question()).await.expect(200);
        decide("past_due").await;
        let mut streamed = question();
        streamed["stream"] = json!(true);
        let response = json!({ "model": "rowhouse-extractive", "input": "When does the office open?" });
        for (path, body) in [(CHAT, question()), (CHAT, streamed), (RESPONSES, response)] {
            let refused = key.post(path, &body).await.expect(402);
            assert_eq!(refused.code(), "spending_stopped", "{path}");
            assert_eq!(refused.headers["x-should-retry"], "false", "{path}");
            assert!(refused.str("/error/message").contains("payment of the organisation is late"), "{}", refused.text);
        }
        let message = json!({ "model": "rowhouse-extractive", "max_tokens": 9, "messages": [{ "role": "user", "content": "?" }] });
        assert_eq!(key.post("/v1/messages", &message).await.expect(402).str("/error/type"), "billing_error");
        assert_eq!(rows(&house, &ann).await.len(), 1, "nothing is held or counted");
        key.post("/v1/embeddings", &json!({ "model": "rowhouse-minilm", "input": "It costs nothing." })).await.expect(200);
        decide("active").await;
        key.post(CHAT, &question()).await.expect(200);
    }

    async fn a_budget_of_a_key_stops_it_at_the_last_millionth(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "name": "app", "budget_micros": 200, "currency": "USD" });
        let key = with_key(&ann, body).await;
        let mut question = question();
        question["max_tokens"] = json!(10_000);
        let refused = key.post(CHAT, &question).await.expect(402);
        assert_eq!((refused.code(), refused.str("/error/param")), ("budget_exceeded", "cost"));
        assert!(refused.str("/error/message").contains("of 0.000200 USD are used"), "{}", refused.text);
        question["max_tokens"] = json!(50);
        key.post(CHAT, &question).await.expect(200);
    }

    async fn only_who_may_use_models_does(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let vera = house.join(&ann, "Vera", "viewer").await;
        assert_eq!(vera.post(CHAT, &question()).await.expect(403).code(), "forbidden");
        let max = house.join(&ann, "Max", "member").await;
        max.post(CHAT, &question()).await.expect(200);
        let bob = house.sign_up("Bob").await;
        bob.with("x-rowhouse-org", &ann.org).post(CHAT, &question()).await.expect(404);
        assert!(rows(&house, &bob).await.is_empty());
        house.visitor().post(CHAT, &question()).await.expect(401);
    }

    async fn requests_that_are_wrong_name_the_field(house) {
        let ann = house.sign_up("Ann").await;
        for (body, param) in [
            (json!({ "messages": [{ "role": "user", "content": "?" }] }), "model"),
            (json!({ "model": "rowhouse-extractive" }), "messages"),
            (json!({ "model": "rowhouse-extractive", "messages": [{ "role": "user", "content": "?" }], "max_tokens": 0 }), "max_tokens"),
            (json!({ "model": 7, "messages": [] }), "model"),
        ] {
            let refused = ann.post(CHAT, &body).await.expect(400);
            assert_eq!((refused.code(), refused.str("/error/param")), ("invalid_request", param));
            let message = refused.str("/error/message");
            assert!(message.starts_with(&format!("`{param}` ")), "clients show the message alone: {message}");
        }
        let unknown = ann.post(CHAT, &json!({ "model": "gpt-9", "messages": [{ "role": "user", "content": "?" }] })).await;
        assert_eq!(unknown.expect(404).code(), "model_not_found");
        assert!(rows(&house, &ann).await.is_empty());
    }

    async fn models_are_listed_as_clients_read_them(house) {
        let ann = house.sign_up("Ann").await;
        let list = ann.get("/v1/models").await.expect(200);
        assert_eq!((list.str("/object"), list.str("/data/0/id")), ("list", "rowhouse-extractive"));
        assert_eq!(ann.get("/v1/models/rowhouse-extractive").await.expect(200).str("/owned_by"), "rowhouse");
        assert_eq!(ann.get("/v1/models/nobody").await.expect(404).code(), "model_not_found");
    }
}

/// Brings a scripted server of this kind, with one model.
async fn bring(owner: &Client, kind: &str, base_url: &str, headers: &Value) {
    let models = json!([{ "name": "house-model", "input_micros": 1_000_000, "output_micros": 2_000_000 }]);
    let body = json!({ "kind": kind, "base_url": base_url, "api_key": "sk-planted-key", "models": models, "headers": headers });
    owner.post("/api/v1/providers", &body).await.expect(201);
}

fn asked_of_the_house() -> Value {
    json!({ "model": "house-model", "max_tokens": 9, "messages": [{ "role": "user", "content": "?" }] })
}

both_stores! {
    in crate::providers::open();

    async fn anthropics_features_on_trial_are_turned_on_where_they_cost_nothing_more(house) {
        let ann = house.sign_up("Ann").await;
        let scripted = ScriptedUpstream::start().await;
        scripted.keep_requests();
        let own = json!({ "anthropic-beta": "context-1m-2025-08-07" });
        bring(&ann, "anthropic", &scripted.anthropic_url(), &own).await;
        ann.post("/v1/messages", &asked_of_the_house()).await.expect(200);
        let given = "files-api-2025-04-14,interleaved-thinking-2025-05-14, fine-grained-tool-streaming-2025-05-14";
        let asking = ann.with("anthropic-beta", given);
        asking.post("/v1/messages", &asked_of_the_house()).await.expect(200);
        // Of who speaks another dialect it means nothing.
        asking.post(CHAT, &asked_of_the_house()).await.expect(200);
        let told = scripted.asked();
        let betas = |asked: usize| {
            let of_it = told[asked].head.lines().filter_map(|line| line.strip_prefix("anthropic-beta: "));
            of_it.collect::<Vec<_>>()
        };
        // What the provider's owner turned on stays on.
        let all = "context-1m-2025-08-07,interleaved-thinking-2025-05-14,fine-grained-tool-streaming-2025-05-14";
        assert_eq!((betas(0), betas(1), betas(2)), (vec!["context-1m-2025-08-07"], vec![all], vec!["context-1m-2025-08-07"]));
    }

    async fn a_refusal_of_the_models_server_bears_its_code_for_openais_clients(house) {
        let ann = house.sign_up("Ann").await;
        let scripted = ScriptedUpstream::start().await;
        bring(&ann, "openai", &scripted.openai_url(), &json!({})).await;
        let refuse = |status: u16, code: &str| {
            let error = json!({ "message": "too long", "type": "invalid_request_error", "param": "messages", "code": code });
            scripted.script("house-model", &Script::fault(Fault::Status(status, None, json!({ "error": error }).to_string())));
        };
        let known = "context_length_exceeded";
        refuse(400, known);
        let told = ann.post(CHAT, &asked_of_the_house()).await.expect(400);
        assert_eq!((told.code(), told.str("/error/param")), (known, "messages"));
        assert_eq!((told.str("/error/type"), told.str("/error/message")), ("invalid_request_error", "too long"));
        assert_eq!(told.headers["content-type"], "application/json");
        assert!(!told.str("/error/request_id").is_empty());
        let told = ann.post(RESPONSES, &json!({ "model": "house-model", "input": "?" })).await.expect(400);
        assert_eq!((told.code(), told.str("/error/param")), (known, "input"));
        // Anthropic's clients go by the type.
        let told = ann.post("/v1/messages", &asked_of_the_house()).await.expect(400);
        assert_eq!((told.str("/error/type"), told.code()), ("invalid_request_error", "invalid_request"));
        // What is no such word is not given on.
        let long = "x".repeat(65);
        for odd in ["", "Not plain", "no-code", "invalid_request_error", long.as_str()] {
            refuse(413, odd);
            assert_eq!(ann.post(CHAT, &asked_of_the_house()).await.expect(413).code(), "invalid_request", "{odd}");
        }
        // Nor is anything where it is not the caller's request that is wrong.
        refuse(401, "invalid_api_key");
        assert_eq!(ann.post(CHAT, &asked_of_the_house()).await.expect(502).code(), "upstream_failed");
    }
}
