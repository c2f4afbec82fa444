//! Knowledge embedded by a model elsewhere: changed while the old one answers, paid through the one door, and never believed too much.

use std::time::Duration;

use axum::http::Method;
use serde_json::{Value, json};
use testing::upstream::{Fault, Script};
use testing::{Answer, Client, ScriptedUpstream, TestHouse, Wish, both_stores};

use crate::answers::{bring, collection};
use crate::providers::open;

const PATH: &str = "/api/v1/knowledge/embedding";
const INSIDE: &str = "all-minilm-l6-v2";
const TRAVEL: &str = "# Travel\n\nA hotel night in Oslo may cost up to 210 euros.\n";
const FOOD: &str = "# Food\n\nThe canteen opens at noon and serves soup.\n";

/// A model server, and a provider of the organisation that leads to it; a token of its models costs a millionth of a dollar.
async fn provider(who: &Client, upstream: &ScriptedUpstream) -> String {
    let models =
        ["one", "two", "other"].map(|name| json!({ "name": name, "input_micros": 1_000_000, "output_micros": 0 }));
    let body =
        json!({ "kind": "openai", "base_url": upstream.openai_url(), "api_key": "sk-test-key-1", "models": models });
    who.post("/api/v1/providers", &body).await.expect(201).str("/id").to_owned()
}

async fn choose(who: &Client, provider: &str, model: &str) -> Answer {
    who.put(PATH, &json!({ "provider": provider, "model": model })).await
}

/// Waits until what is shown is as wished.
async fn until(who: &Client, wish: impl Fn(&Value) -> bool) -> Value {
    let mut shown = who.get(PATH).await.expect(200).json;
    for _ in 0..800 {
        if wish(&shown) {
            return shown;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
        shown = who.get(PATH).await.expect(200).json;
    }
    panic!("not reached: {shown}");
}

fn is_done(shown: &Value) -> bool {
    shown["coming"].is_null()
}

async fn search(who: &Client, query: &str) -> Answer {
    who.post("/api/v1/search", &json!({ "query": query, "explain": true })).await.expect(200)
}

fn first(found: &Answer) -> String {
    found.json.pointer("/results/0/title").and_then(Value::as_str).unwrap_or("nothing").to_owned()
}

/// The rows of the usage log for embeddings.
async fn embeddings(who: &Client) -> Vec<Value> {
    let log = who.get("/api/v1/usage/logs?limit=100").await.expect(200).json;
    let rows = log["data"].as_array().expect("a list").clone();
    rows.into_iter().filter(|row| row["operation"] == "embeddings").collect()
}

both_stores! {
    in open();
    async fn a_model_elsewhere_takes_over_and_goes_again(house) {
        let upstream = ScriptedUpstream::start().await;
        upstream.script("", &Script { text: "Ferries leave Bergen at dawn [1].".into(), ..Script::vectors(64) });
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let travel = bring(&ann, &place, "travel.md", TRAVEL).await;
        bring(&ann, &place, "food.md", FOOD).await;
        let before = ann.get(PATH).await.expect(200);
        assert_eq!((&before.json["chosen"], &before.json["current"]), (&json!(false), &json!({ "provider": "embedded", "model": "rowhouse-minilm", "size": 384 })));
        let provider = provider(&ann, &upstream).await;
        let chosen = choose(&ann, &provider, "one").await.expect(200);
        assert_eq!((chosen.str("/coming/model"), &chosen.json["chosen"]), ("one", &json!(true)));
        let shown = until(&ann, is_done).await;
        assert_eq!(shown["current"], json!({ "provider": provider, "model": "one", "size": 64 }));
        let document = ann.get(&format!("/api/v1/documents/{travel}")).await.expect(200);
        assert_eq!(document.json["embedded"], document.json["passages"]);
        let job = ann.get(&format!("/api/v1/jobs/{}", shown["job_id"].as_str().expect("an id"))).await.expect(200);
        assert_eq!((job.str("/kind"), job.str("/state"), &job.json["done"]), ("embedding", "done", &json!(100)));

        // The question is asked of the same model, and paid by who asks; passages are paid by nobody in person.
        let found = search(&ann, "hotel night Oslo").await;
        assert_eq!((first(&found).as_str(), found.str("/explanation/meaning/model")), ("Travel", format!("{provider}/one").as_str()));
        assert!(found.json["results"][0]["why"]["meaning"].as_f64().is_some_and(|near| near > 0.3), "{}", found.text);
        let rows = embeddings(&ann).await;
        assert!(rows.len() >= 2, "{rows:?}");
        assert_eq!(rows.iter().filter(|row| row["user_id"].is_null()).count(), 1, "one page of passages: {rows:?}");
        assert!(rows.iter().any(|row| row["user_id"] == json!(ann.user)), "the question: {rows:?}");

        // What comes now is embedded there, too, and the answers go on.
        let late = bring(&ann, &place, "late.md", "# Ferries\n\nFerries leave Bergen at dawn.\n").await;
        assert_eq!(first(&search(&ann, "ferries at dawn").await), "Ferries");
        let answer = crate::answers::ask(&ann, "When do ferries leave Bergen?").await;
        assert_eq!(answer.str("/citations/0/document_id"), late, "{}", answer.text);

        let log = ann.get("/api/v1/audit?limit=100").await.expect(200);
        assert!(log.text.contains("embedding.chosen") && log.text.contains("embedding.switched"));
        ann.delete(PATH).await.expect(204);
        let shown = until(&ann, is_done).await;
        assert_eq!((&shown["chosen"], &shown["current"]["size"]), (&json!(false), &json!(384)));
        let calls = upstream.served().calls;
        let found = search(&ann, "lodging expenses Norway").await;
        assert_eq!((first(&found).as_str(), found.str("/explanation/meaning/model")), ("Travel", INSIDE));
        assert_eq!(upstream.served().calls, calls, "nobody elsewhere is asked any more");
        let faults = house.store().knowledge_faults(house.scope(&ann).await.org()).await.expect("looked at");
        assert!(faults.is_empty(), "no vector of the other model is left: {faults:?}");
    }

    async fn the_old_model_answers_until_the_new_one_is_done(house) {
        let upstream = ScriptedUpstream::start().await;
        upstream.script("", &Script::fault(Fault::Status(400, None, "no such model".into())));
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        bring(&ann, &place, "travel.md", TRAVEL).await;
        let provider = provider(&ann, &upstream).await;
        choose(&ann, &provider, "one").await.expect(200);
        let shown = until(&ann, |shown| !shown["error"].is_null()).await;
        assert_eq!((&shown["coming"]["model"], &shown["percent"], &shown["current"]["provider"]), (&json!("one"), &json!(0), &json!("embedded")));
        assert!(!shown["error"]["message"].as_str().expect("text").is_empty());
        let open = ann.get("/api/v1/jobs").await.expect(200);
        assert_eq!((open.str("/data/0/kind"), open.str("/data/0/state"), &open.json["data"][0]["error"]), ("embedding", "reading", &shown["error"]));
        let found = search(&ann, "lodging expenses Norway").await;
        assert_eq!((first(&found).as_str(), found.str("/explanation/meaning/model")), ("Travel", INSIDE));
        // What comes meanwhile is embedded by both.
        bring(&ann, &place, "food.md", FOOD).await;
        upstream.script("", &Script::vectors(16));
        house.clock.advance(Duration::from_hours(1));
        let ann = house.signed_in_again(&ann).await;
        let shown = until(&ann, is_done).await;
        assert_eq!((&shown["current"]["size"], &shown["error"]), (&json!(16), &Value::Null));
        assert_eq!(first(&search(&ann, "canteen soup").await), "Food");
        // From one to another elsewhere, of another size.
        upstream.script("two", &Script::vectors(48));
        choose(&ann, &provider, "two").await.expect(200);
        assert_eq!(until(&ann, is_done).await["current"], json!({ "provider": provider, "model": "two", "size": 48 }));
        // One that was never done is taken back, and leaves nothing.
        upstream.script("other", &Script::fault(Fault::Status(400, None, "no".into())));
        choose(&ann, &provider, "other").await.expect(200);
        until(&ann, |shown| !shown["error"].is_null()).await;
        choose(&ann, &provider, "two").await.expect(200);
        let shown = until(&ann, is_done).await;
        assert_eq!((&shown["current"]["model"], &shown["error"]), (&json!("two"), &Value::Null));
        let faults = house.store().knowledge_faults(house.scope(&ann).await.org()).await.expect("looked at");
        assert!(faults.is_empty(), "{faults:?}");
    }

    async fn an_empty_budget_stops_it_and_words_still_find(house) {
        let upstream = ScriptedUpstream::start().await;
        upstream.script("", &Script { usage: Some((5_000, 0)), ..Script::vectors(8) });
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let texts: Vec<String> = (0..50).map(|n| format!("Passage number {n} is about lighthouse {n}, which is as old as the sea.")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        house.document(&house.scope(&ann).await, &place, "Lighthouses", &texts).await;
        let budget = |amount: i64| json!({ "level": "organization", "period": "total", "amount_micros": amount, "currency": "USD", "kind": "hard" });
        let budget_id = ann.post("/api/v1/budgets", &budget(6_000)).await.expect(201).str("/id").to_owned();
        // A person's own budget has nothing to do with it.
        let own = json!({ "level": "user", "id": ann.user, "period": "total", "amount_micros": 1, "currency": "USD", "kind": "hard" });
        let own = ann.post("/api/v1/budgets", &own).await.expect(201).str("/id").to_owned();
        let provider = provider(&ann, &upstream).await;
        choose(&ann, &provider, "one").await.expect(200);
        let shown = until(&ann, |shown| !shown["error"].is_null()).await;
        assert_eq!((&shown["error"]["code"], &shown["percent"]), (&json!("budget_exceeded"), &json!(64)), "a page of 32 of 50: {shown}");
        assert!(!shown["error"]["message"].as_str().expect("text").contains("6000"), "{shown}");
        assert_eq!(first(&search(&ann, "lighthouse 7").await), "Lighthouses");
        ann.delete(&format!("/api/v1/budgets/{own}")).await.expect(204);
        ann.patch(&format!("/api/v1/budgets/{budget_id}"), &json!({ "amount_micros": 1_000_000 })).await.expect(200);
        house.clock.advance(Duration::from_mins(1));
        let shown = until(&ann, is_done).await;
        assert_eq!((&shown["current"]["size"], &shown["error"]), (&json!(8), &Value::Null));
        assert_eq!(upstream.served().complete, 2, "what was embedded once is not paid again");

        // With nothing left, questions go by words, and say so; new documents wait, and say so.
        ann.patch(&format!("/api/v1/budgets/{budget_id}"), &json!({ "amount_micros": 6_000 })).await.expect(200);
        let found = search(&ann, "lighthouse 7").await;
        assert_eq!((first(&found).as_str(), found.str("/explanation/meaning/error/code")), ("Lighthouses", "budget_exceeded"));
        let url = format!("/api/v1/collections/{place}/documents/text");
        let sent = ann.post(&url, &json!({ "title": "Late", "text": "Ferries leave at dawn." })).await.expect(202);
        let job = format!("/api/v1/jobs/{}", sent.str("/job_id"));
        until(&ann, |shown| !shown["error"].is_null()).await;
        let waits = ann.get(&job).await.expect(200);
        assert_eq!((waits.str("/state"), waits.str("/error/code")), ("searchable", "budget_exceeded"), "{}", waits.text);
        assert_eq!(first(&search(&ann, "ferries").await), "Late");
        ann.patch(&format!("/api/v1/budgets/{budget_id}"), &json!({ "amount_micros": 1_000_000 })).await.expect(200);
        house.clock.advance(Duration::from_mins(1));
        until(&ann, |shown| shown["error"].is_null()).await;
        assert_eq!(ann.get(&job).await.expect(200).str("/state"), "embedded");
    }

    async fn where_nothing_is_spent_words_find_and_passages_wait(house) {
        let upstream = ScriptedUpstream::start().await;
        upstream.script("", &Script::vectors(8));
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let org = format!("/api/v1/orgs/{}", ann.org);
        let decide = async |status: &str| {
            olga.patch(&format!("/api/v1/operator/orgs/{}", ann.org), &json!({ "status": status })).await.expect(200);
        };
        let place = collection(&ann, "project").await;
        bring(&ann, &place, "travel.md", TRAVEL).await;
        let provider = provider(&ann, &upstream).await;
        choose(&ann, &provider, "one").await.expect(200);
        until(&ann, is_done).await;
        let calls = upstream.served().calls;
        let by_words_alone = async || {
            let found = search(&ann, "hotel night Oslo").await;
            let why = found.str("/explanation/meaning/error/code").to_owned();
            assert_eq!((first(&found), why), ("Travel".to_owned(), "spending_stopped".to_owned()), "{}", found.text);
        };
        ann.delete(&format!("{org}?confirm=Ann's%20house")).await.expect(200);
        by_words_alone().await;
        ann.post(&format!("{org}/restore"), &json!({})).await.expect(200);
        decide("past_due").await;
        by_words_alone().await;
        let url = format!("/api/v1/collections/{place}/documents/text");
        let sent = ann.post(&url, &json!({ "title": "Late", "text": "Ferries leave at dawn." })).await.expect(202);
        let job = format!("/api/v1/jobs/{}", sent.str("/job_id"));
        until(&ann, |shown| !shown["error"].is_null()).await;
        let waits = ann.get(&job).await.expect(200);
        assert_eq!((waits.str("/state"), waits.str("/error/code")), ("searchable", "spending_stopped"), "{}", waits.text);
        decide("suspended").await;
        by_words_alone().await;
        assert_eq!(upstream.served().calls, calls, "nobody elsewhere was asked");
        decide("active").await;
        house.clock.advance(Duration::from_mins(1));
        until(&ann, |shown| shown["error"].is_null()).await;
        assert_eq!(ann.get(&job).await.expect(200).str("/state"), "embedded");
    }

    async fn a_passage_that_a_server_refuses_holds_up_no_other(house) {
        let upstream = ScriptedUpstream::start().await;
        let picky = |size: usize| Script { fault: Fault::Refuses("unspeakable".into()), ..Script::vectors(size) };
        upstream.script("", &picky(16));
        let ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let mut texts: Vec<String> = (0..40).map(|n| format!("Passage number {n} is about lighthouse {n}.")).collect();
        for bad in [7, 38] {
            texts[bad] = format!("Passage number {bad} is about an unspeakable thing.");
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let lighthouses = house.document(&house.scope(&ann).await, &place, "Lighthouses", &texts).await;
        bring(&ann, &place, "travel.md", TRAVEL).await;
        let provider = provider(&ann, &upstream).await;
        choose(&ann, &provider, "one").await.expect(200);
        let shown = until(&ann, is_done).await;
        assert_eq!(shown["current"], json!({ "provider": provider, "model": "one", "size": 16 }));
        assert_eq!(shown["error"], Value::Null);
        let document = ann.get(&format!("/api/v1/documents/{lighthouses}")).await.expect(200);
        assert_eq!((&document.json["passages"], &document.json["embedded"]), (&json!(40), &json!(40)));
        let found = search(&ann, "hotel night Oslo").await;
        assert_eq!((first(&found).as_str(), found.str("/explanation/meaning/model")), ("Travel", format!("{provider}/one").as_str()));
        assert!(found.json["results"][0]["why"]["meaning"].is_number(), "{}", found.text);
        let found = search(&ann, "unspeakable").await;
        assert!(found.str("/results/0/text").contains("unspeakable"), "by its words: {}", found.text);

        // One that comes alone, and what comes after it.
        let alone = bring(&ann, &place, "alone.md", "# Alone\n\nThis one is unspeakable, too.\n").await;
        let document = ann.get(&format!("/api/v1/documents/{alone}")).await.expect(200);
        assert_eq!(document.json["passages"], document.json["embedded"]);
        upstream.keep_requests();
        let food = bring(&ann, &place, "food.md", FOOD).await;
        let document = ann.get(&format!("/api/v1/documents/{food}")).await.expect(200);
        assert_eq!(document.json["passages"], document.json["embedded"]);
        let asked = upstream.asked();
        assert!(!asked.is_empty() && asked.iter().all(|asked| !asked.body.contains("unspeakable")), "never again: {asked:?}");

        // Another model is asked for all of them; one that takes nothing at all never answers.
        upstream.script("two", &picky(48));
        choose(&ann, &provider, "two").await.expect(200);
        assert_eq!(until(&ann, is_done).await["current"], json!({ "provider": provider, "model": "two", "size": 48 }));
        assert!(upstream.asked().iter().any(|asked| asked.body.contains("unspeakable")));
        upstream.script("other", &Script::fault(Fault::Status(413, None, "too large".into())));
        choose(&ann, &provider, "other").await.expect(200);
        let shown = until(&ann, |shown| !shown["error"].is_null()).await;
        assert_eq!((&shown["error"]["code"], &shown["percent"]), (&json!("invalid_request"), &json!(0)));
        let faults = house.store().knowledge_faults(house.scope(&ann).await.org()).await.expect("looked at");
        // Passages that a test puts there have no originals.
        assert_eq!(faults, ["40 originals are missing"]);
    }

    async fn answers_that_cannot_be_searched_are_refused(house) {
        let upstream = ScriptedUpstream::start().await;
        let mut ann = house.sign_up("Ann").await;
        let place = collection(&ann, "project").await;
        let texts: Vec<String> = (0..3).map(|n| format!("Passage number {n} about ships.")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        house.document(&house.scope(&ann).await, &place, "Ships", &texts).await;
        let provider = provider(&ann, &upstream).await;
        let one = |vector: &str, n: usize| format!("{{\"object\":\"embedding\",\"index\":{n},\"embedding\":{vector}}}");
        let all = |vectors: &[&str]| {
            let data: Vec<String> = vectors.iter().enumerate().map(|(n, vector)| one(vector, n)).collect();
            format!("{{\"object\":\"list\",\"model\":\"m\",\"data\":[{}],\"usage\":{{\"prompt_tokens\":9,\"total_tokens\":9}}}}", data.join(","))
        };
        let twice = all(&["[1]", "[1]", "[1]"]).replace("\"index\":2", "\"index\":1");
        for body in [
            all(&["[1,2]", "[1,2]"]),
            all(&["[1,2]", "[1,2]", "[1,2]", "[1,2]"]),
            all(&["[1,2]", "[1,2]", "[1,2,3]"]),
            all(&["[1,2]", "[NaN,2]", "[1,2]"]),
            all(&["[1,2]", "[1e999,2]", "[1,2]"]),
            all(&["[1,2]", "[0,0]", "[1,2]"]),
            all(&["[1,2]", "[null,2]", "[1,2]"]),
            all(&["[]", "[]", "[]"]),
            all(&["\"words\"", "[1]", "[1]"]),
            twice,
            "{\"data\":{}}".to_owned(),
            "not JSON".to_owned(),
        ] {
            upstream.script("", &Script::fault(Fault::Body("application/json".into(), body.clone())));
            choose(&ann, &provider, "one").await.expect(200);
            let shown = until(&ann, |shown| !shown["error"].is_null()).await;
            assert_eq!((&shown["error"]["code"], &shown["percent"]), (&json!("upstream_failed"), &json!(0)), "{body}");
            assert_eq!(first(&search(&ann, "ships").await), "Ships");
            // Else the server that fails again and again is left alone for a while. Less than a lease.
            ann.delete(PATH).await.expect(204);
            house.clock.advance(Duration::from_secs(90));
            ann = house.signed_in_again(&ann).await;
        }
        upstream.script("", &Script::vectors(4096));
        choose(&ann, &provider, "one").await.expect(200);
        // A try that was under way may have found the server resting.
        let shown = until(&ann, |shown| is_done(shown) || !shown["error"].is_null()).await;
        if !is_done(&shown) {
            house.clock.advance(Duration::from_secs(90));
            ann = house.signed_in_again(&ann).await;
        }
        assert_eq!(until(&ann, is_done).await["current"]["size"], json!(4096));
        // A question whose vector has another size finds by words alone.
        upstream.script("", &Script::vectors(5));
        assert_eq!(first(&search(&ann, "ships").await), "Ships");
    }

    async fn it_is_chosen_by_who_sets_up_providers_and_holds_for_one_organisation(house) {
        let upstream = ScriptedUpstream::start().await;
        upstream.script("", &Script::vectors(8));
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "member").await;
        let anns = provider(&ann, &upstream).await;
        for (who, status) in [(&bob, 422), (&max, 403)] {
            choose(who, &anns, "one").await.expect(status);
        }
        let invented = choose(&bob, "prv_01932d6f4b7a7c3e9a51c0ffee15600d", "one").await.expect(422);
        assert_eq!(choose(&bob, &anns, "one").await.str("/error/message"), invented.str("/error/message"));
        let own = json!({ "kind": "openai", "base_url": upstream.openai_url(), "user_only": true, "models": ["one"] });
        let own = ann.post("/api/v1/providers", &own).await.expect(201).str("/id").to_owned();
        let other = json!({ "kind": "anthropic", "api_key": "sk-test-key-2", "models": ["one"] });
        let other = ann.post("/api/v1/providers", &other).await.expect(201).str("/id").to_owned();
        for (provider, model, field) in [
            (own.as_str(), "one", "provider"), (&other, "one", "provider"), ("openai", "one", "provider"), ("nobody", "one", "provider"),
            (&anns, "without-a-price", "model"), ("embedded", "rowhouse-extractive", "model"),
        ] {
            assert_eq!(choose(&ann, provider, model).await.expect(422).str("/error/param"), field, "{provider} {model}");
        }
        assert_eq!(ann.put(PATH, &json!({ "provider": anns })).await.expect(422).str("/error/param"), "model");
        let chosen = choose(&ann, &anns, "one").await.expect(200);
        assert_eq!(chosen.headers["etag"], "\"1\"");
        let body = json!({ "provider": "embedded", "model": "rowhouse-minilm" });
        ann.with("if-match", "\"0\"").put(PATH, &body).await.expect(412);
        ann.with("if-match", "\"0\"").send(Method::DELETE, PATH, None).await.expect(412);
        until(&ann, is_done).await;
        ann.with("if-match", "\"1\"").put(PATH, &body).await.expect(200);
        until(&ann, is_done).await;
        choose(&ann, &anns, "one").await.expect(200);
        until(&ann, is_done).await;

        // Beta's questions go nowhere, and Beta sees nothing of it.
        let place = collection(&bob, "project").await;
        bring(&bob, &place, "travel.md", TRAVEL).await;
        let calls = upstream.served().calls;
        assert_eq!(search(&bob, "lodging expenses Norway").await.str("/explanation/meaning/model"), INSIDE);
        assert_eq!((upstream.served().calls, &bob.get(PATH).await.expect(200).json["chosen"]), (calls, &json!(false)));
        let job = ann.get(PATH).await.expect(200).str("/job_id").to_owned();
        bob.get(&format!("/api/v1/jobs/{job}")).await.expect(404);
        assert_eq!(max.get(PATH).await.expect(200).str("/current/model"), "one");
        // A provider that is taken away takes the meaning with it, not the words.
        let place = collection(&ann, "project").await;
        bring(&ann, &place, "food.md", FOOD).await;
        ann.delete(&format!("/api/v1/providers/{anns}")).await.expect(204);
        let found = search(&ann, "canteen").await;
        assert_eq!((first(&found).as_str(), found.str("/explanation/meaning/error/code")), ("Food", "model_not_found"));
        ann.delete(PATH).await.expect(204);
        until(&ann, is_done).await;
        assert_eq!(first(&search(&ann, "canteen").await), "Food");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_chose_nothing_has_what_the_operator_says_on_files() {
    the_usual(TestHouse::sqlite_with).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_chose_nothing_has_what_the_operator_says_on_postgres() {
    the_usual(TestHouse::postgres_with).await;
}

async fn the_usual(build: impl AsyncFnOnce(Wish) -> TestHouse) {
    let upstream = ScriptedUpstream::start().await;
    upstream.script("", &Script::vectors(32));
    let model = domain::text::ModelName::new("house-embedder").expect("a name");
    let installation = open().installation.embedding(&model);
    let url = upstream.openai_url();
    let installation = installation.with(domain::models::ProviderKind::OpenAi, Some(&url), None).expect("set up");
    let house = build(Wish { installation, ..Wish::default() }).await;
    let ann = house.sign_up("Ann").await;
    let place = collection(&ann, "project").await;
    // A search is enough to follow, and so is a document.
    search(&ann, "anything").await;
    bring(&ann, &place, "travel.md", TRAVEL).await;
    let shown = until(&ann, |shown| shown["current"]["provider"] == "openai").await;
    assert_eq!(shown["current"], json!({ "provider": "openai", "model": "house-embedder", "size": 32 }));
    assert_eq!((&shown["chosen"], first(&search(&ann, "hotel Oslo").await)), (&json!(false), "Travel".to_owned()));
    let own = json!({ "provider": "embedded", "model": "rowhouse-minilm" });
    ann.put(PATH, &own).await.expect(200);
    let shown = until(&ann, is_done).await;
    assert_eq!((&shown["chosen"], &shown["current"]["provider"]), (&json!(true), &json!("embedded")));
    assert_eq!(search(&ann, "hotel Oslo").await.str("/explanation/meaning/model"), INSIDE);
    ann.delete(PATH).await.expect(204);
    assert_eq!(until(&ann, is_done).await["current"]["provider"], json!("openai"));
}
