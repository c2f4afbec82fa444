//! API keys: made, shown once, held to their scopes, rotated, revoked, and abused.

use std::time::Duration;

use domain::Time;
use serde_json::{Value, json};
use store::control::mails;
use testing::{Answer, Client, TestHouse};

pub(crate) const URL: &str = "/api/v1/auth/api-keys";
const NEVER: &str = "key_01932d6f4b7a7c3e9a51c0ffee15600d";

pub(crate) async fn make(who: &Client, body: Value) -> Answer {
    who.post(URL, &body).await.expect(201)
}

/// Somebody who shows a key.
pub(crate) fn with_key(house: &TestHouse, made: &Answer) -> Client {
    house.visitor().with_token(Some(made.str("/key")))
}

pub(crate) fn url(made: &Answer) -> String {
    format!("{URL}/{}", made.str("/id"))
}

pub(crate) fn after(house: &TestHouse, time: Duration) -> Time {
    house.store().ambient().now() + time
}

/// Rotates a key of Ann's, who signs in again for it.
pub(crate) async fn ann_rotates(house: &TestHouse, ann: &Client, key: &Answer) -> Answer {
    let ann = house.sign_in(ann, "Ann").await;
    ann.post(&format!("{}/rotate", url(key)), &json!({})).await.expect(201)
}

pub(crate) const HOUR: Duration = Duration::from_hours(1);
pub(crate) const DAY: Duration = Duration::from_hours(24);

testing::both_stores! {
    async fn a_key_is_shown_once_and_works(house) {
        let ann = house.sign_up("Ann").await;
        let made = make(&ann, json!({ "name": "ci" })).await;
        let key = made.str("/key");
        assert!(key.starts_with(made.str("/prefix")) && key.ends_with(made.str("/last4")), "{}", made.text);
        assert!(made.str("/prefix").starts_with("rh_live_"));
        assert_eq!(made.str("/expires_at"), after(&house, 90 * DAY).to_string());
        let scopes = made.json["scopes"].as_array().expect("a list");
        assert!(scopes.contains(&json!("teams.create")) && !scopes.contains(&json!("keys.create")), "{}", made.text);
        let by_key = with_key(&house, &made);
        by_key.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        assert_eq!(by_key.get("/api/v1/auth/me").await.expect(200).str("/organization/id"), ann.org);
        // Its scopes leave out what widens access, and a key is no person.
        by_key.post(URL, &json!({ "name": "more" })).await.expect(403);
        by_key.get(URL).await.expect(403);
        for answer in [ann.get(URL).await.expect(200), ann.get(&url(&made)).await.expect(200)] {
            assert!(!answer.text.contains(key) && answer.text.contains(made.str("/prefix")));
            assert!(answer.text.contains("\"last_used_at\":\"2026"), "{}", answer.text);
        }
        // The log says who acted, for whom, and holds no secret.
        let log = ann.get(&format!("/api/v1/audit?actor={}", made.str("/id"))).await.expect(200);
        assert_eq!(log.json["data"][0]["on_behalf_of"], json!(ann.user));
        assert!(!ann.get("/api/v1/audit?limit=200").await.expect(200).text.contains(key));
        let test = make(&ann, json!({ "name": "trial", "mode": "test" })).await;
        assert!(test.str("/key").starts_with("rh_test_"));
    }

    async fn what_is_wrong_is_named(house) {
        let ann = house.sign_up("Ann").await;
        let project = ann.post("/api/v1/projects", &json!({ "name": "P1" })).await.expect(201).str("/id").to_owned();
        for (body, param) in [
            (json!({}), "name"),
            (json!({ "name": "" }), "name"),
            (json!({ "name": "k", "scopes": ["teams.read", "all"] }), "scopes[1]"),
            (json!({ "name": "k", "scopes": [] }), "scopes"),
            (json!({ "name": "k", "scopes": ["audit.read"], "project_id": project }), "scopes"),
            (json!({ "name": "k", "addresses": ["192.0.2.1", "192.0.2.0/33"] }), "addresses[1]"),
            (json!({ "name": "k", "addresses": vec!["192.0.2.1"; 101] }), "addresses"),
            (json!({ "name": "k", "expires_at": "2020-01-01T00:00:00Z" }), "expires_at"),
            (json!({ "name": "k", "expires_at": "soon" }), "expires_at"),
            (json!({ "name": "k", "mode": "prod" }), "mode"),
            (json!({ "name": "k", "rate_per_minute": 0 }), "rate_per_minute"),
            (json!({ "name": "k", "calls_per_day": -1 }), "calls_per_day"),
            (json!({ "name": "k", "budget_micros": -1, "currency": "EUR" }), "budget_micros"),
            (json!({ "name": "k", "budget_micros": 1 }), "currency"),
            (json!({ "name": "k", "currency": "EUR" }), "budget_micros"),
            (json!({ "name": "k", "budget_micros": 1, "currency": "euro" }), "currency"),
            (json!({ "name": "k", "user_id": ann.user }), "user_id"),
            (json!({ "name": "k", "project_id": "p1" }), "project_id"),
        ] {
            let refused = ann.post(URL, &body).await.expect(422);
            assert_eq!(refused.str("/error/param"), param, "{body}");
        }
        assert_eq!(ann.get(URL).await.expect(200).json["data"], json!([]));
        ann.put(&format!("/api/v1/projects/{project}/archive"), &json!({})).await.expect(200);
        assert_eq!(ann.post(URL, &json!({ "name": "k", "project_id": project })).await.expect(409).code(), "conflict");
        // A repeated request gets the same key, not a second one.
        let once = ann.with("idempotency-key", "k");
        let (first, second) = (make(&once, json!({ "name": "k" })).await, make(&once, json!({ "name": "k" })).await);
        assert_eq!(first.str("/key"), second.str("/key"));
        assert_eq!(ann.get(URL).await.expect(200).json["data"].as_array().expect("a list").len(), 1);
    }

    async fn a_person_shows_a_factor_before_they_make_a_credential(house) {
        let ann = house.sign_up("Ann").await;
        let key = make(&ann, json!({ "name": "k" })).await;
        let rotate = format!("{}/rotate", url(&key));
        // The session goes on with a new token, as after a refresh: it has not shown a factor since.
        let credential = store::Credential::Bearer(ann.token.as_deref().expect("a token"));
        let principal = house.store().authenticate(credential, &store::Origin::default()).await.expect("is let in");
        let session = principal.session().expect("a person's").id;
        house.clock.advance(Duration::from_mins(10) + Duration::from_secs(1));
        let claims = store::tokens::Claims { user: principal.user(), session, org: None };
        let token = store::tokens::sign(house.store(), claims, HOUR).await.expect("signed");
        let ann = ann.with_token(Some(&token));
        assert_eq!(ann.post(URL, &json!({ "name": "k" })).await.expect(403).code(), "step_up_needed");
        assert_eq!(ann.post(&rotate, &json!({})).await.expect(403).code(), "step_up_needed");
        // Looking and ending need none.
        ann.get(URL).await.expect(200);
        ann.delete(&url(&key)).await.expect(204);
    }

    async fn the_makers_rights_bound_a_key_while_it_lives(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "admin").await;
        let member = format!("/api/v1/members/{}", max.user);
        let set_role = async |role: &str| ann.patch(&member, &json!({ "role": role })).await.expect(200);
        let made = make(&max, json!({ "name": "k", "scopes": ["teams.create", "teams.read"] })).await;
        let by_key = with_key(&house, &made);
        by_key.post("/api/v1/teams", &json!({ "name": "One" })).await.expect(201);
        by_key.post("/api/v1/projects", &json!({ "name": "P" })).await.expect(403);
        // Nobody makes a key that may more than they.
        max.post(URL, &json!({ "name": "k", "scopes": ["org.close"] })).await.expect(403);
        set_role("member").await;
        by_key.post("/api/v1/teams", &json!({ "name": "Two" })).await.expect(403);
        by_key.get("/api/v1/teams").await.expect(200);
        max.post(URL, &json!({ "name": "k", "scopes": ["teams.create"] })).await.expect(403);
        set_role("viewer").await;
        max.post(URL, &json!({ "name": "k" })).await.expect(403);
        max.get(URL).await.expect(403);
        set_role("admin").await;
        by_key.post("/api/v1/teams", &json!({ "name": "Two" })).await.expect(201);
        // Removed, the maker takes the key along, for good.
        ann.delete(&member).await.expect(204);
        assert_eq!(by_key.get("/api/v1/teams").await.expect(401).code(), "unauthenticated");
        house.bring(&ann, &max, "Max", "admin").await;
        by_key.get("/api/v1/teams").await.expect(401);
    }

    async fn a_key_of_a_project_reaches_nothing_else(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "member").await;
        let project = async |who: &Client, name: &str| {
            who.post("/api/v1/projects", &json!({ "name": name })).await.expect(201).str("/id").to_owned()
        };
        let (p1, p2) = (project(&max, "P1").await, project(&ann, "P2").await);
        let mine = project(&max, "P3").await;
        let scopes = ["projects.read", "projects.update", "keys.create"];
        let made = make(&max, json!({ "name": "k", "project_id": p1, "scopes": scopes })).await;
        let by_key = with_key(&house, &made).with("x-request-id", "compare-bytes");
        let url_of = |id: &str| format!("/api/v1/projects/{id}");
        by_key.patch(&url_of(&p1), &json!({ "description": "by key" })).await.expect(200);
        let list = by_key.get("/api/v1/projects").await.expect(200);
        assert_eq!(list.json["data"].as_array().expect("a list").len(), 1);
        let never = by_key.get(&url_of("prj_01932d6f4b7a7c3e9a51c0ffee15600d")).await.expect(404);
        for other in [&p2, &mine] {
            let hidden = by_key.get(&url_of(other)).await.expect(404);
            assert_eq!((hidden.text, &hidden.headers), (never.text.clone(), &never.headers));
            by_key.with("x-rowhouse-project", other).get("/api/v1/projects").await.expect(404);
            by_key.post(URL, &json!({ "name": "k", "project_id": other })).await.expect(404);
        }
        // Nothing of the organisation as a whole, and no key that is not for the project.
        for path in ["/api/v1/audit", "/api/v1/user/config"] {
            by_key.get(path).await.expect(403);
        }
        by_key.post("/api/v1/projects", &json!({ "name": "P4" })).await.expect(403);
        by_key.post(URL, &json!({ "name": "k" })).await.expect(403);
        let other = make(&max, json!({ "name": "other" })).await;
        by_key.get(&url(&other)).await.expect(404);
        let list = by_key.get(URL).await.expect(200);
        assert_eq!(list.json["data"].as_array().expect("a list").len(), 1);
        // Out of the project, Max's key is out too, and does not exist for him any more.
        ann.delete(&format!("{}/members/{}", url_of(&p1), max.user)).await.expect(204);
        by_key.get(&url_of(&p1)).await.expect(404);
        max.get(&url(&made)).await.expect(404);
        // With the project its keys end.
        ann.put(&format!("{}/archive", url_of(&p1)), &json!({})).await.expect(200);
        ann.delete(&format!("{}?confirm=P1", url_of(&p1))).await.expect(204);
        by_key.get("/api/v1/projects").await.expect(401);
    }

    async fn a_key_of_another_organisation_finds_nothing(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let team = bob.post("/api/v1/teams", &json!({ "name": "Beta" })).await.expect(201).str("/id").to_owned();
        let theirs = make(&bob, json!({ "name": "theirs" })).await;
        let made = make(&ann, json!({ "name": "k", "scopes": ["teams.read", "teams.update", "keys.create", "keys.manage"] })).await;
        let by_key = with_key(&house, &made).with("x-request-id", "compare-bytes");
        for (foreign, never) in [
            (format!("/api/v1/teams/{team}"), "/api/v1/teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d".to_owned()),
            (url(&theirs), format!("{URL}/{NEVER}")),
        ] {
            let (foreign, never) = (by_key.get(&foreign).await.expect(404), by_key.get(&never).await.expect(404));
            assert_eq!((foreign.text, foreign.headers), (never.text, never.headers));
        }
        by_key.patch(&format!("/api/v1/teams/{team}"), &json!({ "name": "Mine" })).await.expect(404);
        let foreign = by_key.in_org(&bob.org).get("/api/v1/teams").await.expect(404);
        let never = by_key.in_org("org_01932d6f4b7a7c3e9a51c0ffee15600d").get("/api/v1/teams").await.expect(404);
        assert_eq!((foreign.text, foreign.headers), (never.text, never.headers));
        by_key.in_org(&ann.org).get("/api/v1/teams").await.expect(200);
        // Its maker's other organisations are none of its either.
        house.bring(&bob, &ann, "Ann", "admin").await;
        by_key.in_org(&bob.org).get("/api/v1/teams").await.expect(404);
        for method in ["GET", "PATCH", "DELETE"] {
            let body = (method == "PATCH").then(|| json!({ "name": "mine" }));
            ann.send(method.parse().expect("a method"), &url(&theirs), body.as_ref()).await.expect(404);
        }
        ann.post(&format!("{}/rotate", url(&theirs)), &json!({})).await.expect(404);
    }

    async fn a_changed_character_is_refused_at_the_door(house) {
        let ann = house.sign_up("Ann").await;
        let made = make(&ann, json!({ "name": "k" })).await;
        let key = made.str("/key");
        for place in [3, 10, 20, 40, key.len() - 1] {
            let mut changed = key.to_owned();
            let other = if &key[place..=place] == "x" { "y" } else { "x" };
            changed.replace_range(place..=place, other);
            let refused = ann.with_token(Some(&changed)).get("/api/v1/auth/me").await.expect(401);
            assert_eq!(refused.code(), "unauthenticated");
        }
        // A whole key that was never given out: another installation's, or a guess with the right checksum.
        let guess = domain::api_key::generate(house.store().ambient(), domain::api_key::Mode::Live).expose();
        ann.with_token(Some(&guess)).get("/api/v1/auth/me").await.expect(401);
        let moved = format!("Token {key}");
        house.visitor().with("authorization", &moved).get("/api/v1/auth/me").await.expect(401);
    }

    async fn a_key_ends_at_its_time_and_its_maker_is_warned_once(house) {
        let ann = house.sign_up("Ann").await;
        let (soon, later) = (after(&house, 8 * DAY), after(&house, 30 * DAY));
        let ending = make(&ann, json!({ "name": "nightly build", "expires_at": soon })).await;
        let revoked = make(&ann, json!({ "name": "revoked", "expires_at": soon })).await;
        make(&ann, json!({ "name": "later", "expires_at": later })).await;
        ann.delete(&url(&revoked)).await.expect(204);
        assert_eq!(tenancy::keys::warn_expiring(&house.house).await.expect("looked"), 0);
        house.clock.advance(2 * DAY);
        assert_eq!(tenancy::keys::warn_expiring(&house.house).await.expect("looked"), 1);
        assert_eq!(tenancy::keys::warn_expiring(&house.house).await.expect("looked"), 0);
        let mut tx = house.store().read_control().await.expect("reads");
        let heading = mails::list(&mut tx, None, 10).await.expect("read").remove(0);
        let mail = mails::get(&mut tx, heading.id).await.expect("read");
        drop(tx);
        assert_eq!(mail.recipient.to_string(), "ann@example.com");
        let public_id = ending.str("/prefix").trim_start_matches("rh_live_");
        assert!(mail.body.contains("nightly build") && mail.body.contains(public_id), "{}", mail.body);
        assert!(!mail.body.contains(ending.str("/key")));
        house.clock.advance(5 * DAY + 23 * HOUR);
        let by_key = with_key(&house, &ending);
        by_key.get("/api/v1/teams").await.expect(200);
        house.clock.advance(HOUR);
        assert_eq!(by_key.get("/api/v1/teams").await.expect(401).code(), "key_expired");
        let ann = house.sign_in(&ann, "Ann").await;
        let late = ann.post(&format!("{}/rotate", url(&ending)), &json!({})).await.expect(409);
        assert_eq!(late.code(), "conflict");
    }

    async fn a_rotated_key_hands_over(house) {
        let ann = house.sign_up("Ann").await;
        let project = ann.post("/api/v1/projects", &json!({ "name": "P1" })).await.expect(201).str("/id").to_owned();
        let old = make(&ann, json!({
            "name": "build", "project_id": project, "scopes": ["projects.read"], "mode": "test",
            "addresses": ["192.0.2.0/24"], "rate_per_minute": 5, "calls_per_day": 50, "budget_micros": 7, "currency": "EUR",
            "expires_at": after(&house, 10 * DAY),
        })).await;
        house.clock.advance(DAY);
        let ann = house.sign_in(&ann, "Ann").await;
        let rotate = format!("{}/rotate", url(&old));
        assert_eq!(ann.post(&rotate, &json!({ "grace_seconds": 86401 })).await.expect(422).str("/error/param"), "grace_seconds");
        let new = ann.post(&rotate, &json!({ "grace_seconds": 600 })).await.expect(201);
        for field in [
            "name", "project_id", "scopes", "mode", "addresses", "rate_per_minute", "calls_per_day", "budget_micros", "currency", "user_id",
        ] {
            assert_eq!(new.json[field], old.json[field], "{field}");
        }
        assert_eq!(new.str("/expires_at"), after(&house, 10 * DAY).to_string(), "as long a life as the old one had");
        assert_ne!(new.str("/key"), old.str("/key"));
        assert_eq!(ann.post(&rotate, &json!({})).await.expect(409).code(), "conflict");
        let (by_old, by_new) = (with_key(&house, &old), with_key(&house, &new));
        let both = async || (by_old.get("/api/v1/projects").await.status, by_new.get("/api/v1/projects").await.status);
        assert_eq!(both().await, (200, 200));
        let shown = ann.get(&url(&old)).await.expect(200);
        assert_eq!(shown.str("/replaced_by"), new.str("/id"));
        house.clock.advance(Duration::from_secs(599));
        assert_eq!(both().await, (200, 200));
        house.clock.advance(Duration::from_secs(1));
        assert_eq!(both().await, (401, 200));
        // Without a word the old one has an hour; a revocation ends it at once and keeps the trace.
        let next = house.sign_in(&ann, "Ann").await.send("POST".parse().expect("a method"), &format!("{}/rotate", url(&new)), None).await.expect(201);
        assert_eq!(by_new.get("/api/v1/projects").await.status, 200);
        let ann = house.sign_in(&ann, "Ann").await;
        assert_eq!(ann.get(&url(&new)).await.expect(200).str("/revoked_at"), after(&house, HOUR).to_string());
        ann.delete(&url(&new)).await.expect(204);
        ann.delete(&url(&new)).await.expect(204);
        assert_eq!(by_new.get("/api/v1/projects").await.status, 401);
        assert_eq!(ann.get(&url(&new)).await.expect(200).str("/replaced_by"), next.str("/id"));
    }

    async fn a_key_works_from_its_addresses_only(house) {
        let ann = house.sign_up("Ann").await;
        let here = make(&ann, json!({ "name": "here", "addresses": ["198.51.100.1", "192.0.2.0/24"] })).await;
        let there = make(&ann, json!({ "name": "there", "addresses": ["198.51.100.0/24"] })).await;
        with_key(&house, &here).get("/api/v1/teams").await.expect(200);
        let by_key = with_key(&house, &there);
        assert_eq!(by_key.get("/api/v1/teams").await.expect(401).code(), "unauthenticated");
        by_key.with("x-forwarded-for", "198.51.100.7").get("/api/v1/teams").await.expect(401);
        ann.patch(&url(&there), &json!({ "addresses": [] })).await.expect(200);
        by_key.get("/api/v1/teams").await.expect(200);
        let refused = ann.patch(&url(&there), &json!({ "addresses": ["192.0.2.1", "x"] })).await.expect(422);
        assert_eq!(refused.str("/error/param"), "addresses[1]");
        ann.patch(&url(&there), &json!({ "addresses": ["2001:db8::/32"] })).await.expect(200);
        by_key.get("/api/v1/teams").await.expect(401);
    }

    async fn name_and_limits_change_and_scopes_do_not(house) {
        let ann = house.sign_up("Ann").await;
        let made = make(&ann, json!({ "name": "k", "rate_per_minute": 5 })).await;
        assert_eq!(made.headers["etag"], "\"1\"");
        let stale = ann.with("if-match", "\"2\"").patch(&url(&made), &json!({ "name": "n" })).await.expect(412);
        assert_eq!(stale.code(), "stale");
        let body = json!({ "name": "n", "rate_per_minute": null, "calls_per_day": 9, "budget_micros": 5, "currency": "USD" });
        let changed = ann.with("if-match", "\"1\"").patch(&url(&made), &body).await.expect(200);
        assert_eq!((changed.str("/name"), changed.headers["etag"].to_str().expect("text")), ("n", "\"2\""));
        assert_eq!((&changed.json["rate_per_minute"], &changed.json["calls_per_day"]), (&json!(null), &json!(9)));
        let half = ann.patch(&url(&made), &json!({ "currency": null })).await.expect(422);
        assert_eq!(half.str("/error/param"), "currency");
        for field in ["scopes", "project_id", "expires_at", "user_id"] {
            let refused = ann.patch(&url(&made), &json!({ field: null })).await.expect(422);
            assert_eq!(refused.str("/error/param"), field);
        }
        ann.delete(&url(&made)).await.expect(204);
        assert_eq!(ann.patch(&url(&made), &json!({ "name": "m" })).await.expect(409).code(), "conflict");
        with_key(&house, &made).get("/api/v1/teams").await.expect(401);
        ann.get(&format!("{URL}/{NEVER}")).await.expect(404);
        ann.get(&format!("{URL}/nonsense")).await.expect(404);
    }

    async fn the_keys_of_others_take_a_right_of_their_own(house) {
        let ann = house.sign_up("Ann").await;
        let (max, eva) = (house.join(&ann, "Max", "member").await, house.join(&ann, "Eva", "member").await);
        let (of_max, of_eva) = (make(&max, json!({ "name": "max" })).await, make(&eva, json!({ "name": "eva" })).await);
        let of_ann = make(&ann, json!({ "name": "ann" })).await;
        let count = async |who: &Client| who.get(URL).await.expect(200).json["data"].as_array().expect("a list").len();
        assert_eq!((count(&ann).await, count(&max).await, count(&eva).await), (3, 1, 1));
        let same_id = max.with("x-request-id", "compare-bytes");
        let hidden = same_id.get(&url(&of_ann)).await.expect(404);
        let never = same_id.get(&format!("{URL}/{NEVER}")).await.expect(404);
        assert_eq!((hidden.text, hidden.headers), (never.text, never.headers));
        max.delete(&url(&of_eva)).await.expect(404);
        max.post(&format!("{}/rotate", url(&of_eva)), &json!({})).await.expect(404);
        // A manager limits and revokes, but does not come by a key that acts for somebody else.
        ann.patch(&url(&of_max), &json!({ "rate_per_minute": 1 })).await.expect(200);
        ann.post(&format!("{}/rotate", url(&of_max)), &json!({})).await.expect(403);
        ann.delete(&url(&of_max)).await.expect(204);
        with_key(&house, &of_max).get("/api/v1/teams").await.expect(401);
        let first = ann.get(&format!("{URL}?limit=2")).await.expect(200);
        let cursor = first.str("/next_cursor");
        let rest = ann.get(&format!("{URL}?limit=2&cursor={cursor}")).await.expect(200);
        assert_eq!(rest.json["data"].as_array().expect("a list").len(), 1);
        max.get(&format!("{URL}?cursor={cursor}")).await.expect(400);
    }

    async fn a_public_id_that_is_taken_is_drawn_again(house) {
        let ann = house.sign_up("Ann").await;
        let first = make(&ann, json!({ "name": "k" })).await;
        let taken = first.str("/prefix").trim_start_matches("rh_live_");
        let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut bytes: Vec<u8> = taken.chars().map(|c| alphabet.find(c).expect("base62").try_into().expect("below 62")).collect();
        bytes.resize(64, 0);
        house.chance.foresee(bytes.clone());
        let expected = domain::api_key::generate(house.store().ambient(), domain::api_key::Mode::Live);
        assert_eq!(expected.public_id().as_str(), taken, "the next draw is as foreseen");
        house.chance.foresee(bytes);
        let second = make(&ann, json!({ "name": "k" })).await;
        assert_ne!(second.str("/prefix"), first.str("/prefix"));
        with_key(&house, &second).get("/api/v1/teams").await.expect(200);
    }

    async fn the_database_keeps_no_key(house) {
        let ann = house.sign_up("Ann").await;
        let made = make(&ann, json!({ "name": "k" })).await;
        let key = made.str("/key");
        let secret = domain::api_key::parse(key).expect("a key").secret().to_owned();
        if house.engine() == store::Engine::Postgres {
            let raw = house.raw().await;
            let row = raw.query_one("SELECT k::text FROM control.api_keys k", &[]).await.expect("one key");
            let text: String = row.get(0);
            assert!(text.contains(made.str("/last4")) && !text.contains(&secret), "{text}");
        }
    }

    async fn a_key_is_not_loosened_without_a_fresh_factor(house) {
        let ann = house.sign_up("Ann").await;
        let body = json!({ "name": "k", "addresses": ["192.0.2.0/24"], "rate_per_minute": 10, "budget_micros": 100, "currency": "USD" });
        let made = make(&ann, body).await;
        house.clock.advance(Duration::from_secs(601));
        let ann = house.refreshed(&ann).await;
        for looser in [
            json!({ "addresses": [] }),
            json!({ "addresses": ["192.0.0.0/16"] }),
            json!({ "rate_per_minute": 11 }),
            json!({ "rate_per_minute": null }),
            json!({ "budget_micros": null, "currency": null }),
        ] {
            assert_eq!(ann.patch(&url(&made), &looser).await.expect(403).code(), "step_up_needed", "{looser}");
        }
        let tighter = json!({ "name": "renamed", "addresses": ["192.0.2.7"], "rate_per_minute": 5, "calls_per_day": 100 });
        ann.patch(&url(&made), &tighter).await.expect(200);
        ann.post("/api/v1/auth/step-up", &json!({ "password": testing::PASSWORD })).await.expect(200);
        ann.patch(&url(&made), &json!({ "addresses": [] })).await.expect(200);
    }
}
