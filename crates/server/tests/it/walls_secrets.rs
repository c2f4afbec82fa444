//! Every kind of secret that people are given or bring is planted, and then looked for in everything that is kept: in all columns of
//! all tables of PostgreSQL as its owner reads them, and in all files of the embedded storage.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::json;
use store::Engine;
use testing::TestHouse;
use testing::process::files_below;

use crate::logins::second_factor;

const PASSWORD: &str = "a planted password, a8Zq17";
const ADDRESS: &str = "planted.person@example.com";
const TEAM: &str = "Planted team Bm42xw";

/// A secret and what it is.
type Planted = (&'static str, Vec<u8>);

fn text(name: &'static str, secret: &str) -> Planted {
    (name, secret.as_bytes().to_vec())
}

/// The part of a mail that opens something.
async fn mailed(house: &TestHouse, to: &str, subject: &str) -> String {
    house.mailed_token(to, subject).await
}

/// Walks every flow that gives or takes a secret, each POST with a key for its repetition, so that answers are stored, too.
async fn plant(house: &TestHouse) -> Vec<Planted> {
    let visitor = house.visitor().with("idempotency-key", "planted");
    let body = json!({ "email": ADDRESS, "password": PASSWORD, "name": "Ann", "organization_name": "Ann's house" });
    let signed_up = visitor.post("/api/v1/auth/signup", &body).await.expect(201);
    let mut ann = visitor.with_tokens(&signed_up);
    signed_up.str("/organization/id").clone_into(&mut ann.org);
    let mut planted = vec![
        text("a password", PASSWORD),
        text("an access token", signed_up.str("/access_token")),
        text("a refresh token", signed_up.str("/refresh_token")),
    ];
    let refresh = json!({ "refresh_token": signed_up.str("/refresh_token") });
    let refreshed = visitor.post("/api/v1/auth/refresh", &refresh).await.expect(200);
    planted.push(text("a second refresh token", refreshed.str("/refresh_token")));

    let browser = json!({ "email": ADDRESS, "password": PASSWORD });
    let session = visitor.post("/api/v1/auth/session", &browser).await.expect(201);
    let cookie = session.headers["set-cookie"].to_str().expect("text");
    planted.push(text("a cookie", cookie.split(['=', ';']).nth(1).expect("a secret")));
    planted.push(text("a token against forged requests", session.str("/csrf_token")));

    house.on_plan(&ann.org, "enterprise").await;
    ann.post("/api/v1/teams", &json!({ "name": TEAM })).await.expect(201);
    let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "ci" })).await.expect(201);
    let (public, secret) = key.str("/key").rsplit_once('_').expect("a prefix and a secret");
    assert!(public.starts_with("rh_live_"));
    planted.push(text("an API key", &secret[..43]));
    let mut rotated = house.visitor().with("idempotency-key", "rotated").with_tokens(&signed_up);
    ann.org.clone_into(&mut rotated.org);
    let path = format!("/api/v1/auth/api-keys/{}/rotate", key.str("/id"));
    let rotated = rotated.post(&path, &json!({})).await.expect(201);
    planted.push(text("a rotated API key", &rotated.str("/key").rsplit_once('_').expect("a secret").1[..43]));

    let invitation = json!({ "email": "newcomer@example.com", "role": "viewer" });
    let invitation = ann.post("/api/v1/invitations", &invitation).await.expect(201);
    planted.push(text("the link of an invitation", invitation.str("/token")));

    visitor.post("/api/v1/auth/password/forgot", &json!({ "email": ADDRESS })).await.expect(202);
    planted.push(text("the link for a new password", &mailed(house, ADDRESS, "Set a new password").await));
    ann.post("/api/v1/auth/email", &json!({ "email": "moved@example.com" })).await.expect(202);
    let confirm = mailed(house, "moved@example.com", "Confirm your new mail address").await;
    planted.push(text("the link of a new address", &confirm));
    let mail = house.mail(ADDRESS, "Set a new password").await;
    planted.push(text("the text of a mail", &mail.body));
    planted.push(text("a sentence of a mail", "somebody has asked for a new password for your account"));

    let (seed, codes) = second_factor(house, &ann).await;
    planted.extend([text("a seed", &seed), ("the bytes of a seed", testing::seed(&seed))]);
    planted.extend(codes.iter().map(|code| text("a recovery code", code)));
    let olga = house.operator("Olga").await.with("idempotency-key", "enrolled");
    let enrolled = json!({ "email": "eve@example.com", "name": "Eve" });
    olga.post("/api/v1/operator/people", &enrolled).await.expect(201);
    planted.push(text("the link of an enrolment", &mailed(house, "eve@example.com", "Your account is ready").await));
    // Denials and failures leave traces, too.
    let wrong = json!({ "email": ADDRESS, "password": "a wrong planted password, Xk3" });
    visitor.post("/api/v1/auth/login", &wrong).await.expect(401);
    planted.push(text("a wrong password", "a wrong planted password, Xk3"));
    house.visitor().with_token(Some("rh_live_PLANTED0_bogus")).get("/api/v1/auth/me").await.expect(401);
    planted.push(text("a key that is none", "rh_live_PLANTED0_bogus"));
    house.store().deliver(ann.org.parse().expect("an id")).await.expect("delivered");
    planted
}

/// How a secret could stand in something that is kept.
pub(crate) fn forms(secret: &[u8]) -> Vec<Vec<u8>> {
    let hex: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let json = String::from_utf8(secret.to_vec()).ok().and_then(|text| serde_json::to_string(&text).ok());
    let json = json.map(|text| text.trim_matches('"').as_bytes().to_vec());
    let encoded = [
        hex.to_uppercase().into_bytes(),
        hex.into_bytes(),
        STANDARD_NO_PAD.encode(secret).into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
        secret.to_vec(),
    ];
    encoded.into_iter().chain(json).collect()
}

/// Bytes as text that can be searched: a character each.
pub(crate) fn searchable(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// All that is kept, by where it stands: rows of tables as text, or files.
pub(crate) async fn kept(house: &TestHouse) -> Vec<(String, String)> {
    if house.engine() == Engine::Sqlite {
        let files = files_below(&house.data());
        return files
            .into_iter()
            .map(|path| (path.display().to_string(), searchable(&std::fs::read(path).expect("read"))))
            .collect();
    }
    let owner = house.raw().await;
    let tables =
        "SELECT schemaname || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname IN ('control', 'org')";
    let mut kept = Vec::new();
    for table in owner.query(tables, &[]).await.expect("listed") {
        let table: String = table.get(0);
        for row in owner.query(&format!("SELECT t::text FROM {table} t"), &[]).await.expect("read") {
            kept.push((table.clone(), searchable(row.get::<_, String>(0).as_bytes())));
        }
    }
    kept
}

testing::both_stores! {
    async fn no_secret_is_written_to_the_log(house) {
        testing::log::keep();
        let planted = plant(&house).await;
        let key = "sk-planted-key-of-a-provider-77";
        let fay = house.sign_up("Fay").await;
        let provider = json!({ "kind": "openai", "api_key": key, "headers": { "X-Team": "planted-header-value-78" } });
        let made = fay.post("/api/v1/providers", &provider).await.expect(201);
        fay.post(&format!("/api/v1/providers/{}/test", made.str("/id")), &json!({})).await.expect(200);
        let question = "planted words of a question 79";
        let asked = json!({ "model": "rowhouse-extractive", "messages": [{ "role": "user", "content": question }] });
        fay.post("/v1/chat/completions", &asked).await.expect(200);
        fay.post("/v1/chat/completions", &json!({ "model": question, "messages": [] })).await;
        fay.post("/api/v1/teams", &json!({ "name": { "planted": question } })).await.expect(422);
        let log = testing::log::written();
        assert!(log.lines().count() > 20 && log.contains("answered"), "{log}");
        let more = [key, "planted-header-value-78", question].map(|secret| text("of a call of a model", secret));
        for (name, secret) in planted.iter().chain(&more) {
            for form in forms(secret) {
                let form = String::from_utf8_lossy(&form).into_owned();
                let line = log.lines().find(|line| line.contains(&form));
                assert_eq!(line, None, "{name} stands there as {form}");
            }
        }
    }

    async fn no_secret_is_kept_as_it_was_given(house) {
        let planted = plant(&house).await;
        assert!(planted.len() >= 25, "{}", planted.len());
        let kept = kept(&house).await;
        for (name, secret) in &planted {
            for form in forms(secret) {
                let form = searchable(&form);
                let found = kept.iter().find(|(_, content)| content.contains(&form)).map(|(place, _)| place);
                assert_eq!(found, None, "{name} stands there as {form}");
            }
        }
        // The search does find: on PostgreSQL what is no secret, in the files only what is in no database.
        let visible = |needle: &str| kept.iter().any(|(_, content)| content.contains(needle));
        let tables: std::collections::BTreeSet<_> = kept.iter().map(|(place, _)| place.as_str()).collect();
        if house.engine() == Engine::Postgres {
            assert!(visible(ADDRESS) && visible(TEAM), "{tables:?}");
            for table in ["control.mails", "control.idempotency", "control.tickets", "control.recovery_codes", "control.api_keys", "org.audit", "org.idempotency"] {
                assert!(tables.contains(table), "nothing was planted in {table}: {tables:?}");
            }
        } else {
            assert!(tables.len() > 3 && !visible(ADDRESS) && !visible(TEAM) && !visible("CREATE TABLE"), "{tables:?}");
        }
    }
}
