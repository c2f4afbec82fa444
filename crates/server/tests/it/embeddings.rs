//! Vectors by the model inside the program: as OpenAI's clients ask for them, counted like any other call.

use serde_json::{Value, json};
use store::ledger::entries::{self, Entry, Outcome, Search};
use testing::{Client, TestHouse, both_stores};

const EMBEDDINGS: &str = "/v1/embeddings";
const MODEL: &str = "rowhouse-minilm";

async fn rows(house: &TestHouse, of: &Client) -> Vec<Entry> {
    let scope = house.scope(of).await;
    let mut tx = house.store().read_ledger(&scope).await.expect("begun");
    entries::list(&mut tx.page(&scope).expect("its page"), &Search::default(), None, 100).await.expect("rows")
}

fn vectors(answer: &Value) -> Vec<Vec<f64>> {
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let numbers = |datum: &Value| list(&datum["embedding"]).iter().map(|one| one.as_f64().expect("a number")).collect();
    list(&answer["data"]).iter().map(numbers).collect()
}

both_stores! {
    async fn texts_become_vectors_and_a_row_that_costs_nothing(house) {
        let ann = house.sign_up("Ann").await;
        let made = ann.post("/api/v1/auth/api-keys", &json!({ "name": "app" })).await.expect(201);
        let key = ann.with_token(Some(made.str("/key")));
        let texts = json!(["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."]);
        let answer = key.post(EMBEDDINGS, &json!({ "model": MODEL, "input": texts })).await.expect(200);
        let made = vectors(&answer.json);
        assert!(made.len() == 3 && made.iter().all(|vector| vector.len() == 384));
        let cosine = |one: usize, other: usize| -> f64 { made[one].iter().zip(&made[other]).map(|(a, b)| a * b).sum() };
        assert!((cosine(0, 0) - 1.0).abs() < 1e-5 && (cosine(0, 1) - 0.75).abs() < 0.02 && cosine(0, 2).abs() < 0.1);
        assert_eq!(answer.json["usage"], json!({ "prompt_tokens": 28, "total_tokens": 28 }));

        let rows = rows(&house, &ann).await;
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.outcome, row.operation.as_str(), row.model.as_str()), (Outcome::Ok, "embeddings", MODEL));
        assert_eq!((row.tokens, row.input_tokens, row.output_tokens, row.requests), (28, 28, 0, 1));
        assert_eq!((row.cost_micros, row.estimated, row.upstream.as_str()), (0, 0, "embedded"));
        assert!(row.key_id.is_some());
        assert_eq!(answer.headers["x-rowhouse-cost-micros"], "0");
        assert_eq!(answer.headers["x-rowhouse-usage-id"], row.id.to_string());
    }

    async fn nobody_elses_usage_knows_of_it(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let body = json!({ "model": MODEL, "input": "Acme secret question" });
        ann.post(EMBEDDINGS, &body).await.expect(200);
        bob.with("x-rowhouse-org", &ann.org).post(EMBEDDINGS, &body).await.expect(404);
        assert!(rows(&house, &bob).await.is_empty());
        assert_eq!(rows(&house, &ann).await.len(), 1);
    }

    async fn what_the_model_cannot_do_names_the_field(house) {
        let ann = house.sign_up("Ann").await;
        for (body, param) in [
            (json!({ "model": MODEL, "input": "a", "dimensions": 256 }), "dimensions"),
            (json!({ "model": MODEL, "input": "a", "encoding_format": "hex" }), "encoding_format"),
            (json!({ "model": MODEL, "input": [101, 102] }), "input[0]"),
            (json!({ "model": MODEL, "input": [[101, 102]] }), "input[0]"),
            (json!({ "model": MODEL, "input": ["a", ""] }), "input[1]"),
            (json!({ "model": MODEL, "input": [] }), "input"),
            (json!({ "model": MODEL }), "input"),
        ] {
            let refused = ann.post(EMBEDDINGS, &body).await.expect(400);
            assert_eq!((refused.code(), refused.str("/error/param")), ("invalid_request", param), "{body}");
        }
        let chat = json!({ "model": MODEL, "messages": [{ "role": "user", "content": "?" }] });
        assert_eq!(ann.post("/v1/chat/completions", &chat).await.expect(400).str("/error/param"), "model");
        let rows = rows(&house, &ann).await;
        assert!(rows.iter().all(|row| row.outcome == Outcome::Error && row.tokens == 0), "{rows:?}");
    }

    async fn a_limit_on_tokens_holds_for_it_too(house) {
        let ann = house.sign_up("Ann").await;
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "app", "calls_per_day": 1 })).await.expect(201);
        let key = ann.with_token(Some(key.str("/key")));
        let body = json!({ "model": MODEL, "input": "nine" });
        key.post(EMBEDDINGS, &body).await.expect(200);
        assert_eq!(key.post(EMBEDDINGS, &body).await.expect(429).code(), "quota_exceeded");
    }

    async fn it_is_listed_and_may_have_another_name(house) {
        let ann = house.sign_up("Ann").await;
        let list = ann.get("/v1/models").await.expect(200);
        let listed = list.json["data"].as_array().expect("a list").iter().any(|one| one["id"] == MODEL);
        assert!(listed, "{}", list.text);
        assert_eq!(ann.get("/v1/models/rowhouse-minilm").await.expect(200).str("/owned_by"), "rowhouse");
        let alias = json!({ "targets": [{ "provider": "embedded", "model": MODEL }] });
        ann.put("/api/v1/models/aliases/vectors", &alias).await.expect(200);
        let answer = ann.post(EMBEDDINGS, &json!({ "model": "vectors", "input": "nine" })).await.expect(200);
        assert_eq!(vectors(&answer.json)[0].len(), 384);
        // A name that nothing inside has leads nowhere.
        let nothing = json!({ "targets": [{ "provider": "embedded", "model": "rowhouse-nothing" }] });
        ann.put("/api/v1/models/aliases/nothing", &nothing).await.expect(200);
        ann.post(EMBEDDINGS, &json!({ "model": "nothing", "input": "nine" })).await.expect(404);
    }

    async fn many_callers_at_once_each_get_their_own(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let text = |n: usize| format!("Number {n} of the sentences that several callers send at once.");
        let ask = |n: usize| {
            let ann = ann.clone();
            async move { vectors(&ann.post(EMBEDDINGS, &json!({ "model": MODEL, "input": text(n) })).await.expect(200).json) }
        };
        let mut alone = Vec::new();
        for n in 0..4 {
            alone.push(ask(n).await);
        }
        let together: Vec<_> = (0..4).map(|n| tokio::spawn(ask(n))).collect();
        for (n, one) in together.into_iter().enumerate() {
            assert_eq!(one.await.expect("joined"), alone[n]);
        }
        assert_eq!(rows(&house, &ann).await.len(), 8);
    }
}
