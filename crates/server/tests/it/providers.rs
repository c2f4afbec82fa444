//! Providers of models that organisations, projects and people bring: their keys, their addresses, and who may do what with them.

use domain::models::ProviderKind;
use serde_json::{Value, json};
use server::Installation;
use testing::{Client, ScriptedUpstream, TestHouse, Wish, both_stores};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const KEY: &str = "sk-planted-key-4Tq8";

/// A house whose tenants may call servers on this machine.
pub(crate) fn open() -> Wish {
    let policy = egress::Policy { allow: vec!["127.0.0.1".parse().expect("an address")], own: Vec::new() };
    Wish { installation: Installation::new(policy), ..Wish::default() }
}

fn body() -> Value {
    json!({ "kind": "openai", "base_url": "https://models.example/v1", "api_key": KEY, "models": ["gpt-4o-mini"] })
}

async fn bring(client: &Client, body: &Value) -> String {
    client.post("/api/v1/providers", body).await.expect(201).str("/id").to_owned()
}

fn with(body: &Value, changes: Value) -> Value {
    let mut body = body.clone();
    let (Value::Object(body_map), Value::Object(changes)) = (&mut body, changes) else { panic!("objects") };
    body_map.extend(changes);
    body
}

/// A server that gives one answer to everything.
pub(crate) async fn answering(answer: &'static str) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}/v1")
}

both_stores! {
    async fn a_key_is_shown_never_again(house) {
        let ann = house.sign_up("Ann").await;
        let body = with(&body(), json!({ "headers": { "X-Team": "planted-header-value" } }));
        let once = ann.with("idempotency-key", "once");
        let made = once.post("/api/v1/providers", &body).await.expect(201);
        let url = format!("/api/v1/providers/{}", made.str("/id"));
        assert_eq!((made.str("/key_last4"), made.str("/name"), made.str("/headers/0")), ("4Tq8", "models.example", "x-team"));
        let again = once.post("/api/v1/providers", &body).await.expect(201);
        assert_eq!(again.text, made.text);
        let changed = ann.patch(&url, &json!({ "name": "Ours", "api_key": "sk-planted-other-1234" })).await.expect(200);
        assert_eq!((changed.str("/name"), changed.str("/key_last4")), ("Ours", "1234"));
        let shown = [
            made, again, changed,
            ann.get("/api/v1/providers").await.expect(200),
            ann.get(&url).await.expect(200),
            ann.get("/api/v1/audit").await.expect(200),
            ann.get("/api/v1/models").await.expect(200),
        ];
        for answer in shown {
            assert!(!answer.text.contains("planted"), "{}", answer.text);
        }
        // A mistake in another field, and a key in the wrong place, repeat nothing either.
        let wrong = with(&body, json!({ "api_key": { "sk-planted": KEY } }));
        assert!(!ann.post("/api/v1/providers", &wrong).await.expect(422).text.contains("planted-key"));
        let wrong = with(&body, json!({ "headers": { "sk planted": KEY } }));
        assert!(!ann.post("/api/v1/providers", &wrong).await.expect(422).text.contains("planted"));
        ann.delete(&url).await.expect(204);
        ann.get(&url).await.expect(404);
    }

    async fn addresses_that_tenants_may_not_name_are_refused_by_name(house) {
        let ann = house.sign_up("Ann").await;
        for url in [
            "", "models.example", "ftp://models.example", "http://models.example/v1", "https://localhost/v1", "https://127.0.0.1/v1",
            "https://[::1]/v1", "https://10.0.0.1/v1", "https://169.254.169.254/latest", "https://[::ffff:10.0.0.1]/v1",
            "https://user:secret@models.example/v1", "https://models.example/v1?x=1", "https://models.example/\u{0}",
        ] {
            let refused = ann.post("/api/v1/providers", &with(&body(), json!({ "base_url": url }))).await.expect(422);
            assert_eq!(refused.str("/error/param"), "base_url", "{url}: {}", refused.text);
            assert!(!refused.text.contains("secret"), "{}", refused.text);
        }
        // Their makers' own addresses need not be said.
        for (kind, url) in [("openai", "https://api.openai.com/v1"), ("anthropic", "https://api.anthropic.com")] {
            let made = ann.post("/api/v1/providers", &json!({ "kind": kind, "api_key": KEY })).await.expect(201);
            assert_eq!(made.str("/base_url"), url);
        }
    }

    async fn mistakes_name_their_field(house) {
        let ann = house.sign_up("Ann").await;
        let price = |more: Value| json!({ "models": [with(&json!({ "name": "m" }), more)] });
        for (change, param) in [
            (json!({ "kind": "ollama" }), "kind"),
            (json!({ "api_key": "two\nlines" }), "api_key"),
            (json!({ "api_key": "" }), "api_key"),
            (json!({ "models": ["a", "a"] }), "models[1].name"),
            (json!({ "models": ["rowhouse-extractive"] }), "models[0].name"),
            (json!({ "models": [7] }), "models[0]"),
            (json!({ "models": [{ "name": "m", "cost": 1 }] }), "models[0].cost"),
            (price(json!({ "input_micros": 1 })), "models[0].output_micros"),
            (price(json!({ "cached_micros": 1 })), "models[0].input_micros"),
            (price(json!({ "input_micros": -1, "output_micros": 1 })), "models[0].input_micros"),
            (price(json!({ "input_micros": 1, "output_micros": 9_000_000_000_000_i64 })), "models[0].output_micros"),
            (json!({ "headers": { "Authorization": "x" } }), "headers.authorization"),
            (json!({ "headers": { "x-a": "1\n2" } }), "headers.x-a"),
            (json!({ "expires_at": "2020-01-01T00:00:00Z" }), "expires_at"),
            (json!({ "user_only": true, "project_id": "prj_01932d6f4b7a7c3e9a51c0ffee15600d" }), "user_only"),
            (json!({ "org_id": "x" }), "org_id"),
            (json!({ "key_last4": "x" }), "key_last4"),
        ] {
            let refused = ann.post("/api/v1/providers", &with(&body(), change.clone())).await.expect(422);
            assert_eq!(refused.str("/error/param"), param, "{change}: {}", refused.text);
        }
        let unknown = with(&body(), json!({ "project_id": "prj_01932d6f4b7a7c3e9a51c0ffee15600d" }));
        ann.post("/api/v1/providers", &unknown).await.expect(404);
    }

    async fn nobody_sends_a_key_they_do_not_know_elsewhere(house) {
        let ann = house.sign_up("Ann").await;
        let adi = house.join(&ann, "Adi", "admin").await;
        let url = format!("/api/v1/providers/{}", bring(&ann, &with(&body(), json!({ "headers": { "x-team": "t" } }))).await);
        let elsewhere = json!({ "base_url": "https://thief.example/v1" });
        assert_eq!(adi.patch(&url, &elsewhere).await.expect(422).str("/error/param"), "api_key");
        let with_key = with(&elsewhere, json!({ "api_key": "mine-mine-mine" }));
        assert_eq!(adi.patch(&url, &with_key).await.expect(422).str("/error/param"), "headers");
        assert_eq!(ann.get(&url).await.expect(200).str("/base_url"), "https://models.example/v1");
        let whole = with(&with_key, json!({ "headers": {} }));
        let moved = adi.patch(&url, &whole).await.expect(200);
        assert_eq!((moved.str("/base_url"), moved.str("/key_last4")), ("https://thief.example/v1", "mine"));
        let bare = adi.patch(&url, &json!({ "api_key": null })).await.expect(200);
        assert!(bare.json["key_last4"].is_null());
        adi.patch(&url, &json!({ "base_url": "https://free.example/v1" })).await.expect(200);
    }

    async fn who_brings_what_for_whom(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let (adi, max, vera) =
            (house.join(&ann, "Adi", "admin").await, house.join(&ann, "Max", "member").await, house.join(&ann, "Vera", "viewer").await);
        let other = house.join(&ann, "Mia", "member").await;
        max.post("/api/v1/providers", &body()).await.expect(403);
        let own = with(&body(), json!({ "user_only": true }));
        vera.post("/api/v1/providers", &own).await.expect(403);
        vera.get("/api/v1/providers").await.expect(200);
        let priced = with(&own, json!({ "models": [{ "name": "free-for-me", "input_micros": 0, "output_micros": 0 }] }));
        max.post("/api/v1/providers", &priced).await.expect(403);
        let url = format!("/api/v1/providers/{}", bring(&max, &own).await);
        max.patch(&url, &json!({ "models": priced["models"] })).await.expect(403);
        assert_eq!(max.get(&url).await.expect(200).str("/user_id"), max.user);
        // Another member sees nothing of it; who runs the organisation may take it away, and nothing else.
        other.get(&url).await.expect(404);
        other.delete(&url).await.expect(404);
        assert_eq!(other.get("/api/v1/providers").await.expect(200).json["data"], json!([]));
        adi.get(&url).await.expect(200);
        assert_eq!(adi.patch(&url, &json!({ "name": "x" })).await.expect(403).code(), "forbidden");
        adi.post(&format!("{url}/test"), &json!({})).await.expect(403);
        adi.delete(&url).await.expect(204);
        // What is for the organisation, its members see and do not change.
        let url = format!("/api/v1/providers/{}", bring(&adi, &body()).await);
        max.get(&url).await.expect(200);
        max.patch(&url, &json!({ "name": "x" })).await.expect(403);
        max.delete(&url).await.expect(403);
        max.post(&format!("{url}/test"), &json!({})).await.expect(403);
        // A key with the usual scopes brings none: whoever sets where models are asked reads what they are asked.
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "app" })).await.expect(201);
        ann.with_token(Some(key.str("/key"))).post("/api/v1/providers", &body()).await.expect(403);
        let scopes = json!({ "name": "setup", "scopes": ["providers.write", "providers.read"] });
        let key = ann.post("/api/v1/auth/api-keys", &scopes).await.expect(201);
        ann.with_token(Some(key.str("/key"))).post("/api/v1/providers", &body()).await.expect(201);
    }

    async fn a_projects_provider_is_its_peoples(house) {
        let ann = house.sign_up("Ann").await;
        let (max, mia) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Mia", "member").await);
        let project = max.post("/api/v1/projects", &json!({ "name": "Lab" })).await.expect(201).str("/id").to_owned();
        let url = format!("/api/v1/providers/{}", bring(&max, &with(&body(), json!({ "project_id": project }))).await);
        mia.get(&url).await.expect(404);
        mia.delete(&url).await.expect(404);
        mia.post("/api/v1/providers", &with(&body(), json!({ "project_id": project }))).await.expect(404);
        assert_eq!(mia.get("/api/v1/providers").await.expect(200).json["data"], json!([]));
        max.put(&format!("/api/v1/projects/{project}/members/{}", mia.user), &json!({ "role": "member" })).await.expect(200);
        mia.get(&url).await.expect(200);
        mia.delete(&url).await.expect(403);
        max.patch(&url, &json!({ "name": "Lab's" })).await.expect(200);
        // It goes with its project.
        max.put(&format!("/api/v1/projects/{project}/archive"), &json!({})).await.expect(200);
        max.delete(&format!("/api/v1/projects/{project}?confirm=Lab")).await.expect(204);
        max.get(&url).await.expect(404);
        assert_eq!(ann.get("/api/v1/providers").await.expect(200).json["data"], json!([]));
    }

    async fn what_somebody_brought_for_themselves_goes_with_them(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let url = format!("/api/v1/providers/{}", bring(&max, &with(&body(), json!({ "user_only": true }))).await);
        ann.get(&url).await.expect(200);
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        ann.get(&url).await.expect(404);
    }

    async fn of_two_changes_at_once_one_is_stale(house) {
        let ann = house.sign_up("Ann").await;
        let url = format!("/api/v1/providers/{}", bring(&ann, &body()).await);
        let read = ann.with("if-match", "\"1\"");
        let (one, other) = (json!({ "name": "One", "api_key": "key-of-one-11" }), json!({ "name": "Two", "api_key": "key-of-two-22" }));
        let (one, other) = tokio::join!(read.patch(&url, &one), read.patch(&url, &other));
        let mut both = [one.status, other.status];
        both.sort_unstable();
        assert_eq!(both, [200, 412]);
        assert_eq!(read.delete(&url).await.expect(412).code(), "stale");
    }

    async fn there_is_an_end_to_how_many_somebody_brings(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let own = with(&body(), json!({ "user_only": true }));
        for _ in 0..10 {
            bring(&max, &own).await;
        }
        assert_eq!(max.post("/api/v1/providers", &own).await.expect(409).code(), "conflict");
        // That is no business of anybody else's.
        bring(&ann, &own).await;
        bring(&ann, &body()).await;
    }
}

both_stores! {
    in open();

    async fn a_trial_says_in_words_what_is_wrong(house) {
        let ann = house.sign_up("Ann").await;
        let scripted = ScriptedUpstream::start().await;
        scripted.keep_requests();
        let try_at = async |url: &str| {
            let id = bring(&ann, &with(&body(), json!({ "base_url": url, "models": ["scripted", "other"] }))).await;
            ann.post(&format!("/api/v1/providers/{id}/test"), &json!({})).await.expect(200)
        };
        let fine = try_at(&scripted.openai_url()).await;
        assert_eq!((&fine.json["ok"], &fine.json["models"], &fine.json["missing"]), (&json!(true), &json!(["scripted"]), &json!(["other"])));
        assert!(scripted.asked()[0].head.contains(&format!("Bearer {KEY}")), "{}", scripted.asked()[0].head);
        for (answer, words) in [
            ("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n", "does not take the key"),
            ("HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "normally ends in /v1"),
            ("HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", "failed (500)"),
            ("HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n", "failed (302)"),
            ("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello", "something else"),
            ("no HTTP\r\n\r\n", "cannot be reached"),
        ] {
            let trial = try_at(&answering(answer).await).await;
            assert_eq!(trial.json["ok"], json!(false), "{answer}");
            assert!(trial.str("/message").contains(words), "{answer}: {}", trial.text);
        }
    }

    async fn what_may_not_be_called_looks_like_what_does_not_answer(house) {
        let ann = house.sign_up("Ann").await;
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port").local_addr().expect("bound");
        let mut told = Vec::new();
        // A name that leads to this machine is found out when it is called.
        for url in [format!("http://{closed}/v1"), "https://ip6-localhost/v1".to_owned()] {
            let id = bring(&ann, &with(&body(), json!({ "base_url": url }))).await;
            told.push(ann.post(&format!("/api/v1/providers/{id}/test"), &json!({})).await.expect(200).text);
        }
        assert_eq!(told[0], told[1]);
    }

    async fn a_call_goes_out_with_the_organisations_own_key_and_price(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let scripted = ScriptedUpstream::start().await;
        scripted.keep_requests();
        let models = json!([{ "name": "house-model", "input_micros": 1_000_000, "output_micros": 2_000_000 }]);
        let changes = json!({ "base_url": scripted.openai_url(), "models": models, "headers": { "x-team": "acme" } });
        let id = bring(&ann, &with(&body(), changes)).await;
        let question = json!({ "model": "house-model", "messages": [{ "role": "user", "content": "?" }], "max_tokens": 50 });
        let answer = ann.post("/v1/chat/completions", &question).await.expect(200);
        // 10 tokens read at 1, 5 written at 2 millionths each.
        assert_eq!(answer.headers["x-rowhouse-cost-micros"], "20");
        let head = scripted.asked()[0].head.clone();
        assert!(head.contains(&format!("Bearer {KEY}")) && head.contains("x-team: acme"), "{head}");
        // Nobody else's call goes there.
        assert_eq!(bob.post("/v1/chat/completions", &question).await.expect(404).code(), "model_not_found");
        assert_eq!(scripted.served().calls, 1);
        // A new key counts at once, and a provider that is gone is not asked.
        let url = format!("/api/v1/providers/{id}");
        ann.patch(&url, &json!({ "api_key": "sk-second-key" })).await.expect(200);
        ann.post("/v1/chat/completions", &question).await.expect(200);
        assert!(scripted.asked()[1].head.contains("Bearer sk-second-key"));
        ann.delete(&url).await.expect(204);
        assert_eq!(ann.post("/v1/chat/completions", &question).await.expect(404).code(), "model_not_found");
    }

    async fn when_it_was_last_asked_is_noted_and_what_has_expired_is_not_asked(house) {
        let ann = house.sign_up("Ann").await;
        let scripted = ScriptedUpstream::start().await;
        let ends = "2026-11-23T10:00:00.000000Z";
        let id = bring(&ann, &with(&body(), json!({ "base_url": scripted.openai_url(), "expires_at": ends }))).await;
        let url = format!("/api/v1/providers/{id}");
        assert!(ann.get(&url).await.expect(200).json["last_used_at"].is_null());
        ann.post(&format!("{url}/test"), &json!({})).await.expect(200);
        assert_eq!(ann.get(&url).await.expect(200).str("/last_used_at"), "2026-11-22T10:00:00.000000Z");
        assert_eq!(ann.get("/api/v1/models/gpt-4o-mini").await.expect(200).str("/targets/0/provider"), id);
        house.clock.advance(std::time::Duration::from_hours(25));
        let ann = house.signed_in_again(&ann).await;
        let touched = ann.patch(&url, &json!({ "name": "Old" })).await.expect(200);
        assert_eq!(touched.str("/expires_at"), ends);
        ann.get("/api/v1/models/gpt-4o-mini").await.expect(404);
    }
}

/// What the operator named is open to the operator's providers, not to a tenant who names the same address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operators_own_servers_are_not_the_tenants() {
    let scripted = ScriptedUpstream::start().await;
    let installation =
        Installation::default().with(ProviderKind::OpenAi, Some(&scripted.openai_url()), None).expect("a good address");
    let house = TestHouse::sqlite_with(Wish { installation, ..Wish::default() }).await;
    let ann = house.sign_up("Ann").await;
    let question = json!({ "model": "llama3.2", "messages": [{ "role": "user", "content": "?" }] });
    let answer = ann.post("/v1/chat/completions", &question).await.expect(200);
    assert_eq!(answer.headers["x-rowhouse-cost-micros"], "0", "a server without a key sends no bill");
    let own = with(&body(), json!({ "base_url": scripted.openai_url() }));
    assert_eq!(ann.post("/api/v1/providers", &own).await.expect(422).str("/error/param"), "base_url");
}

/// A sealed key opens in its own row alone, and nothing of it stands in the database.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_key_opens_nowhere_else() {
    let house = TestHouse::postgres_with(open()).await;
    let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
    let scripted = ScriptedUpstream::start().await;
    let body = with(&body(), json!({ "base_url": scripted.openai_url(), "headers": { "x-team": "planted-header" } }));
    let (own, second, foreign) = (bring(&ann, &body).await, bring(&ann, &body).await, bring(&bob, &body).await);
    let raw = house.raw().await;
    let rows = raw.query("SELECT id::text, p::text, sealed FROM org.providers p", &[]).await.expect("read");
    let hex = |id: &str| id.trim_start_matches("prv_").to_owned();
    let sealed = |id: &str| {
        let row = rows.iter().find(|row| row.get::<_, String>(0).replace('-', "") == hex(id)).expect("there");
        row.get::<_, Vec<u8>>(2)
    };
    for row in &rows {
        let (text, bytes) = (row.get::<_, String>(1), row.get::<_, Vec<u8>>(2));
        assert!(!text.contains("planted"), "{text}");
        assert!(!bytes.windows(7).any(|window| window == b"planted"));
    }
    for other in [sealed(&second), sealed(&foreign)] {
        let update =
            "UPDATE org.providers SET sealed = $1, version = version + 1 WHERE replace(id::text, '-', '') = $2";
        assert_eq!(raw.execute(update, &[&other, &hex(&own)]).await.expect("written"), 1);
        ann.patch(&format!("/api/v1/providers/{own}"), &json!({ "name": "Mixed up" })).await.expect(200);
        let trial = ann.post(&format!("/api/v1/providers/{own}/test"), &json!({})).await.expect(500);
        assert!(!trial.text.contains("sealed"), "{}", trial.text);
    }
    assert_eq!(scripted.served().calls, 0, "no key was sent");
    // The other one of the same model serves on.
    assert_eq!(
        ann.get("/api/v1/models/gpt-4o-mini").await.expect(200).json["targets"].as_array().expect("a list").len(),
        1
    );
}
