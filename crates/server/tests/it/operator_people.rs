//! People as the operator finds and enrols them.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse, Wish};

const PEOPLE: &str = "/api/v1/operator/people";
/// The password of everybody, hashed elsewhere.
const BCRYPT: &str = "$2b$04$k25POnbx48v/WQGOr1JA8eo7Vl1eGseCKZOP0/a2GJGFflHdVuE6e";

async fn log_in(house: &TestHouse, email: &str) -> Answer {
    house.visitor().post("/api/v1/auth/login", &json!({ "email": email, "password": testing::PASSWORD })).await
}

/// The addresses that a search gives, read by pages of two.
async fn found(olga: &Client, part: &str) -> Vec<String> {
    let mut emails = Vec::new();
    let mut path = format!("{PEOPLE}?limit=2&email={part}");
    loop {
        let page = olga.get(&path).await.expect(200);
        let data = page.json["data"].as_array().expect("a list");
        assert!(data.len() <= 2);
        emails.extend(data.iter().map(|one| one["email"].as_str().expect("text").to_owned()));
        let Some(cursor) = page.json["next_cursor"].as_str() else { break };
        path = format!("{PEOPLE}?limit=2&email={part}&cursor={cursor}");
    }
    emails.sort_unstable();
    emails
}

fn hash_of(email: &str, hash: &str) -> Value {
    json!({ "email": email, "name": "Somebody", "password_hash": hash })
}

testing::both_stores! {
    async fn people_are_found_by_their_addresses(house) {
        let olga = house.operator("Olga").await;
        for name in ["Ann", "Annabel", "Bob", "Per_cent", "Percent"] {
            house.clock.advance(Duration::from_secs(1));
            house.sign_up(name).await;
        }
        assert_eq!(found(&olga, "ANN").await, ["ann@example.com", "annabel@example.com"]);
        assert_eq!(found(&olga, "ann%40").await, ["ann@example.com"]);
        assert_eq!(found(&olga, "").await.len(), 6);
        // A pattern is none.
        assert_eq!(found(&olga, "per_cent").await, ["per_cent@example.com"]);
        for nothing in ["%25", "%5C", "%27", "nobody@"] {
            assert!(found(&olga, nothing).await.is_empty(), "{nothing}");
        }
        let page = olga.get(&format!("{PEOPLE}?limit=1&email=ann")).await.expect(200);
        assert!(!page.text.contains("argon2") && !page.text.contains("hash"), "{}", page.text);
        let other = format!("{PEOPLE}?limit=1&email=bob&cursor={}", page.str("/next_cursor"));
        assert_eq!(olga.get(&other).await.expect(400).code(), "invalid_cursor");
        for never in ["a".repeat(255), "a%00b".into(), "%C3%A9".into(), "ann%20lee".into()] {
            let refused = olga.get(&format!("{PEOPLE}?email={never}")).await.expect(422);
            assert_eq!(refused.str("/error/param"), "email", "{never}");
        }
        assert_eq!(olga.get(&format!("{PEOPLE}?mail=ann")).await.expect(422).str("/error/param"), "mail");
    }

    async fn whose_account_is_about_to_end_is_seen_in_the_list(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let listed = async || olga.get(&format!("{PEOPLE}?email=ann%40")).await.expect(200).json["data"][0].clone();
        assert_eq!(listed().await["ends_at"], Value::Null);
        let ending = olga.delete(&format!("{PEOPLE}/{}", ann.user)).await.expect(200).json;
        assert!(ending["ends_at"].is_string(), "{ending}");
        assert_eq!(listed().await, ending);
    }

    async fn for_others_there_is_nobody_to_find_or_enrol(house) {
        let (ann, olga) = (house.sign_up("Ann").await.with("x-request-id", "compare-bytes"), house.operator("Olga").await);
        let nowhere = ann.get("/api/v1/nowhere").await.expect(404);
        let page = olga.get(&format!("{PEOPLE}?limit=1")).await.expect(200);
        let cursor = page.str("/next_cursor");
        for path in [PEOPLE.to_owned(), format!("{PEOPLE}?email=olga"), format!("{PEOPLE}?cursor={cursor}")] {
            assert_eq!(ann.get(&path).await.expect(404).text, nowhere.text);
            house.visitor().get(&path).await.expect(401);
        }
        ann.post(PEOPLE, &hash_of("eve@example.com", BCRYPT)).await.expect(404);
        // Another operator's cursor is none of mine.
        let ophelia = house.operator("Ophelia").await;
        let taken = ophelia.get(&format!("{PEOPLE}?limit=1&cursor={cursor}")).await.expect(400);
        assert_eq!(taken.code(), "invalid_cursor");
        assert!(found(&olga, "eve").await.is_empty());
    }

    async fn an_imported_hash_lets_in_and_is_replaced(house) {
        let olga = house.operator("Olga").await;
        let visitor = house.visitor();
        let argon = house.house.passwords.hash(testing::PASSWORD).await.expect("hashed");
        for (email, hash) in [("bea@example.com", BCRYPT), ("arg@example.com", &argon)] {
            let made = olga.post(PEOPLE, &hash_of(email, hash)).await.expect(201);
            assert_eq!((made.str("/email"), made.str("/standing"), &made.json["operator"]), (email, "active", &json!(false)));
            assert!(!made.text.contains(hash) && made.headers.contains_key("etag"));
            assert!(house.mails_to(email).await.is_empty(), "whoever has a password needs no letter");
            let wrong = json!({ "email": email, "password": "another password" });
            visitor.post("/api/v1/auth/login", &wrong).await.expect(401);
            let tokens = log_in(&house, email).await.expect(200);
            let me = visitor.with_tokens(&tokens).get("/api/v1/auth/me").await.expect(200);
            assert_eq!(me.str("/user/email"), email);
            assert_eq!(me.str("/organizations/0/role"), "owner");
            let user = made.str("/id").parse().expect("an id");
            let mut tx = house.store().read_control().await.expect("begins");
            let stored = store::control::people::get(&mut tx, user).await.expect("found").password_hash;
            assert!(stored.expect("a hash").starts_with("$argon2id$"));
        }
    }

    async fn a_hash_that_cannot_be_verified_is_refused_unrepeated(house) {
        let olga = house.operator("Olga").await;
        for hash in ["plain text", "$1$salt$qJH7.N4xYta3aEG/dfqo/0", "$2b$31$k25POnbx48v/WQGOr1JA8eo7Vl1eGseCKZOP0/a2GJGFflHdVuE6e", ""] {
            let refused = olga.post(PEOPLE, &hash_of("eve@example.com", hash)).await.expect(422);
            assert_eq!(refused.str("/error/param"), "password_hash");
            assert!(hash.is_empty() || !refused.text.contains(hash), "{}", refused.text);
        }
        assert!(found(&olga, "eve").await.is_empty(), "nothing is left behind");
    }

    async fn without_a_hash_a_letter_sets_the_password(house) {
        let olga = house.operator("Olga").await;
        let body = json!({ "email": "eve@example.com", "name": "Eve", "organization_name": "Eve's shed" });
        let made = olga.post(PEOPLE, &body).await.expect(201);
        log_in(&house, "eve@example.com").await.expect(401);
        let token = house.mailed_token("eve@example.com", "Your account is ready").await;
        house.clock.advance(Duration::from_hours(71));
        let reset = json!({ "token": token, "password": testing::PASSWORD });
        house.visitor().post("/api/v1/auth/password/reset", &reset).await.expect(204);
        house.visitor().post("/api/v1/auth/password/reset", &reset).await.expect(409);
        let eve = house.visitor().with_tokens(&log_in(&house, "eve@example.com").await.expect(200));
        let me = eve.get("/api/v1/auth/me").await.expect(200);
        assert_eq!(me.str("/organizations/0/name"), "Eve's shed");
        // The letter of another holds for three days and no longer.
        let late = house.visitor().with_tokens(&log_in(&house, "olga@example.com").await.expect(200));
        late.post(PEOPLE, &json!({ "email": "max@example.com", "name": "Max" })).await.expect(201);
        let token = house.mailed_token("max@example.com", "Your account is ready").await;
        house.clock.advance(Duration::from_hours(72));
        let reset = json!({ "token": token, "password": testing::PASSWORD });
        house.visitor().post("/api/v1/auth/password/reset", &reset).await.expect(409);
        assert_eq!(made.str("/name"), "Eve");
    }

    async fn nobody_is_enrolled_twice(house) {
        let (olga, _) = (house.operator("Olga").await, house.sign_up("Ann").await);
        let taken = olga.post(PEOPLE, &hash_of("ANN@example.com", BCRYPT)).await.expect(409);
        assert_eq!((taken.code(), taken.str("/error/param")), ("taken", "email"));
        log_in(&house, "ann@example.com").await.expect(200);
        let once = olga.with("idempotency-key", "enrol-eve");
        let first = once.post(PEOPLE, &hash_of("eve@example.com", BCRYPT)).await.expect(201);
        let again = once.post(PEOPLE, &hash_of("eve@example.com", BCRYPT)).await.expect(201);
        assert_eq!((&first.json, again.headers["idempotent-replayed"].as_bytes()), (&again.json, &b"true"[..]));
        let (one, two) = (hash_of("max@example.com", BCRYPT), hash_of("Max@example.com", BCRYPT));
        let (one, two) = tokio::join!(olga.post(PEOPLE, &one), olga.post(PEOPLE, &two));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409]);
        for (body, field) in [
            (json!({ "email": "x@example.com", "name": "X", "operator": true }), "operator"),
            (json!({ "email": "x@example.com", "name": "X", "password": testing::PASSWORD }), "password"),
            (json!({ "email": "x@example.com", "name": "X", "id": olga.user }), "id"),
            (json!({ "email": "x", "name": "X" }), "email"),
            (json!({ "email": "x@example.com" }), "name"),
        ] {
            assert_eq!(olga.post(PEOPLE, &body).await.expect(422).str("/error/param"), field);
        }
    }

    async fn who_enrolled_somebody_stands_in_their_log(house) {
        let olga = house.operator("Olga").await;
        let made = olga.post(PEOPLE, &hash_of("eve@example.com", BCRYPT)).await.expect(201);
        let eve = house.visitor().with_tokens(&log_in(&house, "eve@example.com").await.expect(200));
        let log = eve.get("/api/v1/audit?action=organisation.created").await.expect(200);
        assert_eq!(log.str("/data/0/actor"), format!("operator {}", olga.user));
        assert!(!log.text.contains(BCRYPT));
        let mut tx = house.store().read_control().await.expect("begins");
        let person = store::control::people::get(&mut tx, made.str("/id").parse().expect("an id")).await.expect("found");
        assert!(person.verified_at.is_some(), "where nothing is verified, all addresses count as theirs");
    }
}

fn verifying() -> Wish {
    Wish { verify_mail: true, ..Wish::default() }
}

testing::both_stores! {
    in verifying();
    async fn an_imported_address_is_verified_first_unless_it_is_known(house) {
        let olga = house.operator("Olga").await;
        olga.post(PEOPLE, &hash_of("eve@example.com", BCRYPT)).await.expect(201);
        assert_eq!(log_in(&house, "eve@example.com").await.expect(403).code(), "forbidden");
        let token = house.mailed_token("eve@example.com", "Verify your mail address").await;
        house.visitor().post("/api/v1/auth/verify", &json!({ "token": token })).await.expect(200);
        log_in(&house, "eve@example.com").await.expect(200);
        let mut known = hash_of("max@example.com", BCRYPT);
        known["verified"] = true.into();
        let made = olga.post(PEOPLE, &known).await.expect(201);
        assert!(made.json["verified_at"].is_string(), "{}", made.text);
        log_in(&house, "max@example.com").await.expect(200);
    }
}
