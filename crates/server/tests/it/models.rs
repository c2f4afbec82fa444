//! Names of models: whom they lead to, for whom.

use domain::models::ProviderKind;
use domain::secret::SecretText;
use serde_json::{Value, json};
use server::Installation;
use testing::{Client, ScriptedUpstream, TestHouse, Wish, both_stores};

fn installation(url: &str) -> Wish {
    let key = SecretText::new("operators-own-key".into()).expect("a key");
    let installation =
        Installation::new(egress::Policy { allow: vec!["127.0.0.1".parse().expect("an address")], own: Vec::new() });
    let installation = installation.with(ProviderKind::OpenAi, Some(url), Some(&key));
    let installation =
        installation.and_then(|one| one.with(ProviderKind::Anthropic, Some(url.trim_end_matches("/v1")), Some(&key)));
    Wish { installation: installation.expect("good addresses"), ..Wish::default() }
}

fn provider(models: &Value, more: Value) -> Value {
    let mut body =
        json!({ "kind": "openai", "base_url": "https://models.example/v1", "api_key": "a-good-key", "models": models });
    let (Value::Object(map), Value::Object(more)) = (&mut body, more) else { panic!("objects") };
    map.extend(more);
    body
}

async fn bring(client: &Client, body: &Value) -> String {
    client.post("/api/v1/providers", body).await.expect(201).str("/id").to_owned()
}

/// Who would be asked for a model: source and provider of each, in order.
async fn route(client: &Client, model: &str) -> Vec<(String, String)> {
    let answer = client.get(&format!("/api/v1/models/{model}")).await.expect(200);
    let steps = answer.json["targets"].as_array().expect("a list").clone();
    let text = |step: &Value, name: &str| step[name].as_str().expect("text").to_owned();
    steps.iter().map(|step| (text(step, "source"), text(step, "provider"))).collect()
}

fn one(source: &str, provider: &str) -> Vec<(String, String)> {
    vec![(source.to_owned(), provider.to_owned())]
}

both_stores! {
    in installation("http://127.0.0.1:9/v1");

    async fn the_nearest_that_has_a_model_serves_it(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let project = ann.post("/api/v1/projects", &json!({ "name": "Lab" })).await.expect(201).str("/id").to_owned();
        let in_project = ann.with("x-rowhouse-project", &project);
        assert_eq!(route(&ann, "gpt-4o-mini").await, one("installation", "openai"));
        assert_eq!(route(&ann, "claude-sonnet-4-5").await, one("installation", "anthropic"));
        assert_eq!(route(&ann, "rowhouse-extractive").await, one("embedded", "embedded"));
        let of_org = bring(&ann, &provider(&json!(["gpt-4o-mini"]), json!({}))).await;
        let of_project = bring(&ann, &provider(&json!(["gpt-4o-mini"]), json!({ "project_id": project }))).await;
        let own = bring(&ann, &provider(&json!(["gpt-4o-mini"]), json!({ "user_only": true }))).await;
        assert_eq!(route(&max, "gpt-4o-mini").await, one("organization", &of_org));
        assert_eq!(route(&ann, "gpt-4o-mini").await, one("user", &own));
        ann.delete(&format!("/api/v1/providers/{own}")).await.expect(204);
        assert_eq!(route(&in_project, "gpt-4o-mini").await, one("project", &of_project));
        assert_eq!(route(&ann, "gpt-4o-mini").await, one("organization", &of_org));
        // Two of one level stand in for each other, in the order in which they came.
        let second = bring(&ann, &provider(&json!(["gpt-4o-mini"]), json!({}))).await;
        let both = vec![("organization".to_owned(), of_org), ("organization".to_owned(), second)];
        assert_eq!(route(&max, "gpt-4o-mini").await, both);
        // One without a list of models serves what has a price, and no slip of the pen.
        let open = bring(&ann, &provider(&json!([]), json!({}))).await;
        assert_eq!(route(&max, "gpt-4o").await, one("organization", &open));
        let unknown = max.get("/api/v1/models/gtp-4o").await.expect(404);
        assert_eq!((unknown.code(), unknown.str("/error/param")), ("model_not_found", "model"));
        assert!(unknown.str("/error/message").contains("did you mean gpt-4o"), "{}", unknown.text);
        // A project that is another's is none.
        max.with("x-rowhouse-project", &project).get("/api/v1/models/gpt-4o").await.expect(404);
        max.get(&format!("/api/v1/models/gpt-4o?project_id={project}")).await.expect(404);
    }

    async fn names_of_ones_own_lead_down_a_chain(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let project = ann.post("/api/v1/projects", &json!({ "name": "Lab" })).await.expect(201).str("/id").to_owned();
        let of_org = bring(&ann, &provider(&json!(["small"]), json!({}))).await;
        let of_project = bring(&ann, &provider(&json!(["small"]), json!({ "project_id": project }))).await;
        let own = bring(&ann, &provider(&json!(["small"]), json!({ "user_only": true }))).await;
        let alias = "/api/v1/models/aliases/support";
        let chain = |provider: &str| json!({ "targets": [
            { "provider": provider, "model": "small" }, { "provider": "anthropic", "model": "claude-haiku-4-5" }
        ] });
        max.put(alias, &chain(&of_org)).await.expect(403);
        ann.put(alias, &chain(&of_org)).await.expect(200);
        let led = |first: (&str, &str)| vec![(first.0.to_owned(), first.1.to_owned()), ("installation".into(), "anthropic".into())];
        assert_eq!(route(&max, "support").await, led(("organization", &of_org)));
        // In the project it means something else.
        let there = format!("{alias}?project_id={project}");
        ann.put(&there, &chain(&of_project)).await.expect(200);
        assert_eq!(route(&ann.with("x-rowhouse-project", &project), "support").await, led(("project", &of_project)));
        assert_eq!(route(&ann, "support").await, led(("organization", &of_org)));
        max.get(&there).await.expect(404);
        assert_eq!(max.get("/api/v1/models/aliases").await.expect(200).json["data"].as_array().expect("a list").len(), 1);
        assert_eq!(ann.get("/api/v1/models/aliases").await.expect(200).json["data"].as_array().expect("a list").len(), 2);
        // Neither what is one person's, nor another project's, nor nobody's.
        for wrong in [own.as_str(), of_project.as_str(), "prv_01932d6f4b7a7c3e9a51c0ffee15600d", "ollama", ""] {
            let refused = ann.put(alias, &chain(wrong)).await.expect(422);
            assert_eq!(refused.str("/error/param"), "targets[0].provider", "{wrong}");
        }
        for (path, body, param) in [
            (alias, json!({ "targets": [] }), "targets"),
            (alias, json!({}), "targets"),
            (alias, json!({ "targets": [{ "provider": "openai", "model": "" }] }), "targets[0].model"),
            ("/api/v1/models/aliases/rowhouse-mine", chain("openai"), "alias"),
            ("/api/v1/models/aliases/with%20space", chain("openai"), "alias"),
        ] {
            assert_eq!(ann.put(path, &body).await.expect(422).str("/error/param"), param);
        }
        // A provider that is gone is passed over; a name that leads nowhere is no name.
        ann.delete(&format!("/api/v1/providers/{of_org}")).await.expect(204);
        assert_eq!(route(&max, "support").await, one("installation", "anthropic"));
        assert_eq!(ann.with("if-match", "\"7\"").delete(alias).await.expect(412).code(), "stale");
        ann.with("if-match", "\"1\"").put(alias, &chain("openai")).await.expect(200);
        ann.with("if-match", "\"1\"").put(alias, &chain("openai")).await.expect(412);
        let new = ann.with("if-match", "\"0\"");
        assert_eq!(new.put(alias, &chain("openai")).await.expect(412).code(), "stale", "it is given already");
        ann.delete(alias).await.expect(204);
        ann.delete(alias).await.expect(404);
        new.put(alias, &chain("openai")).await.expect(200);
        ann.delete(alias).await.expect(204);
        max.get("/api/v1/models/support").await.expect(404);
    }

    async fn the_usual_names_mean_what_is_configured_until_they_are_given(house) {
        let ann = house.sign_up("Ann").await;
        let both = vec![("installation".to_owned(), "openai".to_owned()), ("installation".to_owned(), "anthropic".to_owned())];
        assert_eq!(route(&ann, "fast").await, both);
        assert_eq!(route(&ann, "cheap").await, both);
        assert_eq!(route(&ann, "best").await, both.into_iter().rev().collect::<Vec<_>>());
        assert!(ann.get("/api/v1/models/aliases/fast").await.expect(200).json["made_by"].is_null());
        let fast = json!({ "targets": [{ "provider": "embedded", "model": "rowhouse-extractive" }] });
        ann.put("/api/v1/models/aliases/fast", &fast).await.expect(200);
        assert_eq!(route(&ann, "fast").await, one("embedded", "embedded"));
        ann.delete("/api/v1/models/aliases/fast").await.expect(204);
        assert_eq!(route(&ann, "fast").await.len(), 2);
    }

    async fn a_list_shows_what_can_be_used_with_its_price_and_source(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let own = json!([{ "name": "acme-llm", "input_micros": 5, "output_micros": 7 }, "unpriced-llm"]);
        let id = bring(&ann, &provider(&own, json!({ "name": "Acme's" }))).await;
        let list = ann.get("/api/v1/models").await.expect(200);
        let find = |name: &str| list.json["data"].as_array().expect("a list").iter().find(|model| model["id"] == name).cloned();
        let acme = find("acme-llm").expect("listed");
        assert_eq!((&acme["provider"], &acme["source"], &acme["provider_name"]), (&json!(id), &json!("organization"), &json!("Acme's")));
        assert_eq!((&acme["price"]["input_micros"], &acme["price"]["version"]), (&json!(5), &json!("own:5/7")));
        assert!(find("unpriced-llm").expect("listed")["price"].is_null());
        assert_eq!(find("gpt-4o").expect("listed")["source"], "installation");
        assert_eq!(find("fast").expect("listed")["targets"][0]["model"], "gpt-5-mini");
        assert!(!bob.get("/api/v1/models").await.expect(200).text.contains("acme"));
        assert!(!bob.get("/v1/models").await.expect(200).text.contains("acme"));
        assert!(ann.get("/v1/models").await.expect(200).text.contains("acme-llm"));
        // A model without a price is not called.
        let question = json!({ "model": "unpriced-llm", "messages": [{ "role": "user", "content": "?" }] });
        assert_eq!(ann.post("/v1/chat/completions", &question).await.expect(400).code(), "no_price");
    }
}

both_stores! {
    async fn without_any_provider_the_usual_names_lead_inside(house) {
        let ann = house.sign_up("Ann").await;
        for name in ["fast", "cheap", "best"] {
            assert_eq!(route(&ann, name).await, one("embedded", "embedded"));
        }
        ann.get("/api/v1/models/gpt-4o").await.expect(404);
        // Of models that somebody named, the price tells.
        let models = json!([
            { "name": "dear", "input_micros": 9, "output_micros": 9 }, { "name": "plain", "input_micros": 1, "output_micros": 1 }
        ]);
        bring(&ann, &provider(&models, json!({}))).await;
        let model = async |name: &str| ann.get(&format!("/api/v1/models/{name}")).await.expect(200).str("/targets/0/model").to_owned();
        assert_eq!((model("cheap").await, model("fast").await, model("best").await), ("plain".into(), "plain".into(), "dear".into()));
    }
}

/// The next of a chain answers when the first cannot, and the usage says who it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chain_is_gone_down_when_somebody_cannot_answer() {
    let scripted = ScriptedUpstream::start().await;
    let house = TestHouse::sqlite_with(installation(&scripted.openai_url())).await;
    let ann = house.sign_up("Ann").await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
    let broken = provider(&json!(["gpt-4o-mini"]), json!({ "base_url": format!("http://{closed}/v1") }));
    let broken = bring(&ann, &broken).await;
    let chain = json!({ "targets": [
        { "provider": broken, "model": "gpt-4o-mini" }, { "provider": "openai", "model": "gpt-4o-mini" }
    ] });
    ann.put("/api/v1/models/aliases/robust", &chain).await.expect(200);
    let question = json!({ "model": "robust", "messages": [{ "role": "user", "content": "?" }] });
    let answer = ann.post("/v1/chat/completions", &question).await.expect(200);
    assert!(answer.text.contains("Hello there."), "{}", answer.text);
}

/// Who was asked in vain served nothing: the last use is noted of the one that answered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_use_is_that_of_whoever_answered() {
    let scripted = ScriptedUpstream::start().await;
    let house = TestHouse::sqlite_with(installation(&scripted.openai_url())).await;
    let ann = house.sign_up("Ann").await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
    let at = |url: String| provider(&json!(["gpt-4o-mini"]), json!({ "base_url": url }));
    let broken = bring(&ann, &at(format!("http://{closed}/v1"))).await;
    let whole = bring(&ann, &at(scripted.openai_url())).await;
    let targets = [&broken, &whole].map(|id| json!({ "provider": id, "model": "gpt-4o-mini" }));
    ann.put("/api/v1/models/aliases/robust", &json!({ "targets": targets })).await.expect(200);
    let last_use = async |id: &str| {
        let shown = ann.get(&format!("/api/v1/providers/{id}")).await.expect(200);
        shown.json["last_used_at"].as_str().map(str::to_owned)
    };
    for stream in [false, true] {
        let question = json!({ "model": "robust", "stream": stream, "messages": [{ "role": "user", "content": "?" }] });
        ann.post("/v1/chat/completions", &question).await.expect(200);
    }
    let began = std::time::Instant::now();
    while last_use(&whole).await.is_none() {
        assert!(began.elapsed() < std::time::Duration::from_secs(10), "it is not noted");
    }
    assert_eq!(last_use(&whole).await.as_deref(), Some("2026-11-22T10:00:00.000000Z"));
    assert_eq!(last_use(&broken).await, None);
}

fn keyless(url: &str) -> Wish {
    let installation = Installation::default().with(ProviderKind::OpenAi, Some(url), None).expect("a good address");
    Wish { installation, ..Wish::default() }
}

async fn listed(client: &Client) -> Vec<String> {
    let list = client.get("/v1/models").await.expect(200).json;
    list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| model["id"].as_str().expect("text").to_owned())
        .collect()
}

/// No price list names what the operator's own server has: the server says it, once in a while.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn models_of_a_server_without_a_key_are_listed() {
    let scripted = ScriptedUpstream::start().await;
    let house = TestHouse::sqlite_with(keyless(&scripted.openai_url())).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let lists = futures_util::future::join_all((0..20).map(|_| listed(&ann))).await;
    assert!(lists.iter().all(|names| names.iter().any(|name| name == "scripted")), "{lists:?}");
    assert_eq!(scripted.served().calls, 1, "it is asked once for all");
    let shown = ann.get("/api/v1/models").await.expect(200).json;
    let model =
        shown["data"].as_array().expect("a list").iter().find(|model| model["id"] == "scripted").expect("listed");
    assert_eq!((&model["source"], &model["price"]["output_micros"]), (&json!("installation"), &json!(0)));
    let question = json!({ "model": "scripted", "messages": [{ "role": "user", "content": "?" }] });
    assert_eq!(ann.post("/v1/chat/completions", &question).await.expect(200).headers["x-rowhouse-cost-micros"], "0");

    // What a tenant brings is the tenant's, also under the same name, and nobody asks the operator's server about it.
    let own = provider(&json!(["scripted", "anns-secret"]), json!({}));
    bring(&ann, &own).await;
    assert!(listed(&ann).await.iter().any(|name| name == "anns-secret"));
    assert_eq!(route(&ann, "scripted").await[0].0, "organization");
    assert!(!listed(&bob).await.iter().any(|name| name.contains("secret")));
    assert_eq!(route(&bob, "scripted").await, one("installation", "openai"));
    let vera = house.join(&ann, "Vera", "viewer").await;
    vera.get("/v1/models").await.expect(403);
}

/// A list does not wait long for a server that is silent, and waits for it once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_does_not_keep_the_others_from_the_list() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let house = TestHouse::sqlite_with(keyless(&format!("http://{address}/v1"))).await;
    let ann = house.sign_up("Ann").await;
    let began = std::time::Instant::now();
    for names in futures_util::future::join_all((0..5).map(|_| listed(&ann))).await {
        assert!(names.iter().any(|name| name == "rowhouse-extractive"), "{names:?}");
    }
    listed(&ann).await;
    assert!(began.elapsed() < std::time::Duration::from_secs(4), "{:?}", began.elapsed());
    drop(listener);
}

/// Two nodes: what one changes, the other does within a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_is_taken_away_is_not_asked_by_another_node_a_second_later() {
    let house = TestHouse::postgres().await;
    let ann = house.sign_up("Ann").await;
    let id = bring(&ann, &provider(&json!(["gpt-4o-mini"]), json!({}))).await;
    let other = house.another_node().await;
    let there = other.with_token(ann.token.as_deref());
    assert_eq!(route(&there, "gpt-4o-mini").await, one("organization", &id));
    ann.delete(&format!("/api/v1/providers/{id}")).await.expect(204);
    let gone = std::time::Instant::now();
    while there.get("/api/v1/models/gpt-4o-mini").await.status != 404 {
        assert!(gone.elapsed() < std::time::Duration::from_secs(1), "still there after a second");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
