//! Access tokens: their keys, and all that is refused.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use serde_json::{Value, json};
use store::{Actor, Origin, tokens};
use testing::{TestHouse, Wish};

fn kids(answer: &testing::Answer) -> Vec<String> {
    let keys = answer.json["keys"].as_array().expect("a list");
    keys.iter().map(|key| key["kid"].as_str().expect("text").to_owned()).collect()
}

fn encode(value: &Value) -> String {
    B64.encode(value.to_string())
}

testing::both_stores! {
    async fn a_new_signing_key_logs_nobody_out(house) {
        let ann = house.sign_up("Ann").await;
        let before = house.visitor().get("/.well-known/jwks.json").await.expect(200);
        let key = &before.json["keys"][0];
        assert_eq!((&key["kty"], &key["crv"], &key["alg"], &key["use"]), (&json!("OKP"), &json!("Ed25519"), &json!("EdDSA"), &json!("sig")));
        assert!(key.get("d").is_none(), "the private half stays here");
        house.clock.advance(Duration::from_secs(1));
        tokens::rotate(house.store(), &Actor::System, &Origin::default()).await.expect("rotated");
        let after = house.visitor().get("/api/v1/auth/jwks").await.expect(200);
        assert_eq!(kids(&after).len(), 2);
        assert!(kids(&after).contains(&kids(&before)[0]));
        ann.get("/api/v1/auth/me").await.expect(200);
        let new = house.signed_in_again(&ann).await;
        let header = B64.decode(new.token.as_deref().expect("a token").split('.').next().expect("a header")).expect("base64");
        let header: Value = serde_json::from_slice(&header).expect("JSON");
        assert_ne!(header["kid"], json!(kids(&before)[0]), "the newest key signs");
        // The old key goes when the last token that it signed has expired.
        house.clock.advance(Duration::from_hours(1));
        assert_eq!(kids(&house.visitor().get("/api/v1/auth/jwks").await.expect(200)).len(), 1);
    }

    async fn a_removed_signing_key_is_dead_at_once(house) {
        let ann = house.sign_up("Ann").await;
        ann.get("/api/v1/auth/me").await.expect(200);
        let keys = kids(&house.visitor().get("/api/v1/auth/jwks").await.expect(200));
        tokens::remove(house.store(), &keys[0], &Actor::System, &Origin::default()).await.expect("removed");
        ann.get("/api/v1/auth/me").await.expect(401);
        let ann = house.refreshed(&ann).await;
        ann.get("/api/v1/auth/me").await.expect(200);
    }

    async fn another_node_hears_of_a_removed_key_within_a_minute(house) {
        let ann = house.sign_up("Ann").await;
        let keys = kids(&house.visitor().get("/api/v1/auth/jwks").await.expect(200));
        let node = house.another_store().await;
        let token = ann.token.expect("a token");
        let shown = store::Credential::Bearer(&token);
        assert!(node.authenticate(shown, &Origin::default()).await.is_ok());
        tokens::remove(house.store(), &keys[0], &Actor::System, &Origin::default()).await.expect("removed");
        house.clock.advance(Duration::from_secs(20));
        let fresh = house.another_store().await;
        assert!(fresh.authenticate(shown, &Origin::default()).await.is_err());
        assert!(tokens::public_keys(&node).await.expect("read").is_empty());
    }

    async fn whatever_is_wrong_with_a_token_the_answer_is_the_same(house) {
        let ann = house.sign_up("Ann").await;
        let good = ann.token.clone().expect("a token");
        let parts: Vec<&str> = good.split('.').collect();
        let [header, payload, signature] = parts[..] else { panic!("three parts") };
        let mut said: Value = serde_json::from_slice(&B64.decode(header).expect("base64")).expect("JSON");
        let with = |key: &str, value: Value| {
            let mut changed = said.clone();
            changed[key] = value;
            format!("{}.{payload}.{signature}", encode(&changed))
        };
        let elsewhere = TestHouse::sqlite_with(Wish { public_url: "http://elsewhere".into(), ..Wish::default() }).await;
        let stranger = elsewhere.sign_up("Ann").await.token.expect("a token");
        let mut wrong = vec![
            ("alg none", format!("{}.{payload}.", encode(&json!({ "alg": "none", "typ": "at+jwt" })))),
            ("alg none with a signature", with("alg", json!("none"))),
            ("HS256", with("alg", json!("HS256"))),
            ("another type", with("typ", json!("JWT"))),
            ("an embedded key", with("jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA" }))),
            ("the address of a key", with("jku", json!("http://evil.test/jwks.json"))),
            ("a certificate", with("x5u", json!("http://evil.test/cert.pem"))),
            ("a critical extension", with("crit", json!(["exp"]))),
            ("an unknown key", with("kid", json!("0000000000000000"))),
            ("a key of another house", stranger),
            ("another payload", format!("{header}.{}.{signature}", encode(&json!({ "sub": ann.user })))),
            ("no signature", format!("{header}.{payload}.")),
            ("two parts", format!("{header}.{payload}")),
            ("four parts", format!("{good}.AAAA")),
            ("nothing", String::new()),
            ("nonsense", "nonsense".into()),
        ];
        said["kid"] = json!("../../etc/passwd");
        wrong.push(("a path as key", format!("{}.{payload}.{signature}", encode(&said))));
        let visitor = house.visitor().with("x-request-id", "compare-bytes");
        let expected = visitor.get("/api/v1/auth/me").await.expect(401);
        for (what, token) in &wrong {
            let answer = visitor.with_token(Some(token)).get("/api/v1/auth/me").await.expect(401);
            assert_eq!((&answer.text, &answer.headers), (&expected.text, &expected.headers), "{what}");
        }
        let ended = house.signed_in_again(&ann).await;
        ended.post("/api/v1/auth/logout", &json!({})).await.expect(204);
        let replayed = visitor.with_token(ended.token.as_deref()).get("/api/v1/auth/me").await.expect(401);
        assert_eq!(replayed.text, expected.text, "replayed after logout");
        ann.get("/api/v1/auth/me").await.expect(200);
        house.clock.advance(Duration::from_secs(600 + 31));
        let expired = visitor.with_token(Some(&good)).get("/api/v1/auth/me").await.expect(401);
        assert_eq!(expired.text, expected.text, "expired");
    }
}
