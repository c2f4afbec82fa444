//! The end of an account: asked for, undone in time or not, erased with a receipt; what others share goes on.

use std::time::Duration;

use serde_json::json;
use store::audit::Event;
use store::control::erasures;
use store::{Actor, Engine, Origin, Turn};
use testing::{Client, PASSWORD, TestHouse, Wish};

use crate::erasures::{DAY, in_control};
use crate::mail_domains;
use crate::walls_damage::file_of;

const OWN: &str = "/api/v1/user/profile";

/// Lets the time pass in which an account can be kept, and erases what is due.
async fn erase(house: &TestHouse) {
    house.clock.advance(30 * DAY);
    round(house).await;
    house.clock.advance(tenancy::erasure::SETTLING);
    round(house).await;
    house.clock.advance(tenancy::erasure::POSTPONED);
    round(house).await;
}

async fn round(house: &TestHouse) {
    tenancy::erasure::organisations(&house.house).await.expect("a round");
    tenancy::erasure::people(&house.house).await.expect("a round");
}

async fn login(house: &TestHouse, name: &str) -> testing::Answer {
    let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
    house.visitor().post("/api/v1/auth/login", &body).await
}

/// Makes somebody a second owner.
async fn second_owner(ann: &Client, user: &str) {
    ann.patch(&format!("/api/v1/members/{user}"), &json!({ "role": "owner" })).await.expect(200);
}

testing::both_stores! {
    async fn signing_in_keeps_the_account_and_its_organisation(house) {
        let ann = house.sign_up("Ann").await;
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Key" })).await.expect(201).str("/key").to_owned();
        let key = house.visitor().with_token(Some(&key));
        let asked = ann.delete(OWN).await.expect(200);
        assert_eq!(asked.str("/ends_at"), "2026-12-22T10:00:00.000000Z");
        assert_eq!(asked.json["closing"], json!([ann.org]));
        assert_eq!(ann.get(OWN).await.status, 401);
        assert_eq!(key.get("/api/v1/teams").await.status, 401);
        house.clock.advance(29 * DAY);
        round(&house).await;
        let ann = house.sign_in(&ann, "Ann").await;
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        key.get("/api/v1/teams").await.expect(200);
        erase(&house).await;
        let ann = house.sign_in(&ann, "Ann").await;
        assert_eq!(ann.get("/api/v1/teams").await.expect(200).json["data"].as_array().map(Vec::len), Some(1));
        let actions = house.actions(&ann).await;
        let end: Vec<_> = actions.iter().map(String::as_str).filter(|action| !action.starts_with("session.")).collect();
        let story = ["organisation.closing", "person.deletion_asked", "organisation.restored", "person.restored"];
        assert!(end.windows(4).any(|four| four == story), "{end:?}");
    }

    async fn the_mailed_link_keeps_it_too_once_and_in_time(house) {
        let ann = house.sign_up("Ann").await;
        ann.delete(OWN).await.expect(200);
        let token = json!({ "token": house.mailed_token("ann@example.com", "Your account will be deleted").await });
        let url = "/api/v1/user/profile/restore";
        house.visitor().post(url, &json!({ "token": "wrong" })).await.expect(409);
        house.visitor().post(url, &token).await.expect(204);
        house.visitor().post(url, &token).await.expect(409);
        let ann = house.sign_in(&ann, "Ann").await;
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        house.clock.advance(Duration::from_mins(1));
        ann.delete(OWN).await.expect(200);
        let token = json!({ "token": house.mailed_token("ann@example.com", "Your account will be deleted").await });
        house.clock.advance(30 * DAY);
        house.visitor().post(url, &token).await.expect(409);
        assert_eq!(login(&house, "ann").await.expect(401).code(), "invalid_credentials");
    }

    async fn an_organisation_with_other_people_keeps_an_owner(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "admin").await;
        let refused = ann.delete(OWN).await.expect(409);
        assert_eq!(refused.code(), "conflict");
        let message = refused.str("/error/message");
        assert!(message.contains("Ann's house") && message.contains(&ann.org), "{message}");
        ann.get(OWN).await.expect(200);
        let to = json!({ "user_id": max.user });
        ann.post(&format!("/api/v1/orgs/{}/transfer", ann.org), &to).await.expect(200);
        assert_eq!(ann.delete(OWN).await.expect(200).json["closing"], json!([]));
        // The one who stays is the last owner now, and has nobody else: Ann does not count any more.
        assert_eq!(max.delete(OWN).await.expect(200).json["closing"].as_array().map(Vec::len), Some(2));
    }

    async fn of_two_owners_who_leave_at_once_one_stays(house) {
        let ann = house.sign_up("Ann").await;
        let max = house.join(&ann, "Max", "admin").await;
        house.join(&ann, "Eve", "viewer").await;
        second_owner(&ann, &max.user).await;
        let (one, two) = tokio::join!(ann.delete(OWN), max.delete(OWN));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{} {}", one.text, two.text);
    }

    async fn nothing_personal_is_left_of_an_erased_person(house) {
        let (bob, ann) = (house.sign_up("Bob").await, house.sign_up("Ann").await);
        house.operator("Olga").await;
        let there = house.bring(&bob, &ann, "Ann", "member").await;
        let team = bob.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let place = format!("/api/v1/teams/{}/members/{}", team.str("/id"), ann.user);
        bob.put(&place, &json!({ "role": "viewer" })).await.expect(200);
        there.patch("/api/v1/user/config", &json!({ "language": "de" })).await.expect(200);
        let provider = json!({ "kind": "openai", "api_key": "ann-brings-it", "user_only": true });
        there.post("/api/v1/providers", &provider).await.expect(201);
        let mut kept = Vec::new();
        for access in ["private", "project"] {
            let body = json!({ "name": format!("Ann's {access}"), "access": access });
            let collection = there.post("/api/v1/collections", &body).await.expect(201).str("/id").to_owned();
            let url = format!("/api/v1/collections/{collection}/documents");
            let sent = there.upload(&url, "note.md", format!("# {access} heliotrope").as_bytes()).await.expect(202);
            crate::answers::settled(&there, sent.str("/document/id")).await;
            kept.push(sent);
        }
        let once = there.with("idempotency-key", "ann-asks-once");
        once.post("/api/v1/threads", &json!({ "title": "Ann's own" })).await.expect(201);
        let bobs = bob.post("/api/v1/threads", &json!({ "title": "Bob's", "access": "shared" })).await.expect(201);
        let shares = format!("/api/v1/threads/{}/shares", bobs.str("/id"));
        bob.put(&format!("{shares}/users/{}", ann.user), &json!({})).await.expect(200);
        ann.delete(OWN).await.expect(200);
        erase(&house).await;
        assert_eq!(login(&house, "ann").await.expect(401).code(), "invalid_credentials");
        let olga = house.sign_in(&house.visitor(), "Olga").await;
        olga.get(&format!("/api/v1/operator/people/{}", ann.user)).await.expect(404);
        assert!(!olga.get("/api/v1/operator/mails").await.expect(200).text.contains("ann@example.com"));
        let mut tx = house.store().read_control().await.expect("begun");
        let receipt = erasures::about(&mut tx, &ann.user).await.expect("there");
        drop(tx);
        assert!(house.store().attests(&receipt));
        let counted = receipt.counted();
        assert_eq!(counted[&bob.org].as_ref().expect("counted")["configs"], 1);
        for what in ["collections", "documents", "shares", "threads"] {
            assert_eq!(counted[&bob.org].as_ref().expect("counted")[what], 1, "{what}");
        }
        assert_eq!(counted[&bob.org].as_ref().expect("counted")["providers"], 1);
        assert_eq!(counted[&bob.org].as_ref().expect("counted")["team_members"], 1);
        assert_eq!(counted["control"].as_ref().expect("counted")["people"], 1);
        if house.engine() == Engine::Postgres {
            assert_eq!(in_control(&house, "ann@example.com").await, Vec::<String>::new());
            let uuid = ann.user.trim_start_matches("usr_");
            assert_eq!(in_control(&house, uuid).await, ["audit", "erasures"]);
            let raw = house.raw().await;
            for table in ["configs", "providers", "team_members"] {
                let text = format!("SELECT count(*) FROM org.{table} WHERE user_id = '{uuid}'");
                assert_eq!(raw.query_one(&text, &[]).await.expect("read").get::<_, i64>(0), 0, "{table}");
            }
        }
        // Bob's organisation goes on, and its log names the id.
        let bob = house.sign_in(&bob, "Bob").await;
        assert_eq!(bob.get(&shares).await.expect(200).json["data"], json!([]), "shared with nobody any more");
        assert_eq!(bob.get("/api/v1/members").await.expect(200).json["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(bob.get(&format!("/api/v1/teams/{}/members", team.str("/id"))).await.expect(200).json["data"], json!([]));
        // What was for the project stays, what was for Ann alone is gone with its original.
        let listed = bob.get("/api/v1/collections").await.expect(200);
        assert_eq!(listed.json["data"].as_array().map(Vec::len), Some(1), "{}", listed.text);
        let document = |n: usize| format!("/api/v1/documents/{}", kept[n].str("/document/id"));
        bob.get(&document(0)).await.expect(404);
        bob.get(&document(1)).await.expect(200);
        assert_eq!(crate::answers::files(&house.settings().blobs).len(), 1);
        // Nor is an answer that was kept for her.
        let mut tx = house.store().open(&house.scope(&bob).await).begin().await.expect("begun");
        let now = tx.now();
        assert_eq!(tx.sweep_answers(now).await.expect("swept"), 0);
        drop(tx);
        let entries = house.audit(&bob).await;
        assert!(entries.iter().any(|entry| entry.action == "person.erased" && entry.object == ann.user));
        let org = bob.org.parse().expect("an id");
        assert_eq!(house.store().verify_org(org).await.expect("walked").fault, None);
        assert_eq!(house.store().verify_house().await.expect("walked").fault, None);
        // The address is free, and who comes with it is somebody else.
        let again = house.sign_up("Ann").await;
        assert_ne!(again.user, ann.user);
        assert_eq!(again.get("/api/v1/orgs").await.expect(200).json["data"].as_array().map(Vec::len), Some(1));
    }

    async fn an_erased_account_leaves_no_way_around_a_suspension(house) {
        let (bob, ann, eve) = (house.sign_up("Bob").await, house.sign_up("Ann").await, house.sign_up("Eve").await);
        mail_domains::proven(&house, &bob, json!({ "domain": "example.com", "role": "member" })).await;
        for who in [&ann, &eve] {
            mail_domains::join(who, &bob.org).await.expect(200);
        }
        bob.patch(&format!("/api/v1/members/{}", ann.user), &json!({ "standing": "suspended" })).await.expect(200);
        bob.delete(&format!("/api/v1/members/{}", eve.user)).await.expect(204);
        for who in [&ann, &eve] {
            who.delete(OWN).await.expect(200);
        }
        erase(&house).await;
        let bob = house.sign_in(&bob, "Bob").await;
        assert_eq!(bob.get("/api/v1/members").await.expect(200).json["data"].as_array().map(Vec::len), Some(1));
        for (name, before) in [("Ann", &ann), ("Eve", &eve)] {
            let again = house.sign_up(name).await;
            assert_ne!(again.user, before.user);
            mail_domains::join(&again, &bob.org).await.expect(404);
            house.bring(&bob, &again, name, "viewer").await;
        }
    }

    async fn what_was_kept_private_where_somebody_belonged_once_goes_with_the_account(house) {
        let (bob, ann) = (house.sign_up("Bob").await, house.sign_up("Ann").await);
        let there = house.bring(&bob, &ann, "Ann", "member").await;
        there.post("/api/v1/collections", &json!({ "name": "Ann's own", "access": "private" })).await.expect(201);
        there.post("/api/v1/threads", &json!({ "title": "Ann's own" })).await.expect(201);
        bob.post("/api/v1/threads", &json!({ "title": "Bob's own" })).await.expect(201);
        there.post(&format!("/api/v1/orgs/{}/leave", bob.org), &json!({})).await.expect(204);
        let (org, user) = (bob.org.parse().expect("an id"), ann.user.parse().expect("an id"));
        house.store().deliver(org).await.expect("delivered");
        let counted = house.store().count_of_person(org, user).await.expect("counted");
        assert_eq!((counted["collections"], counted["threads"]), (1, 1), "leaving takes nothing of it");
        let ann = house.sign_in(&ann, "Ann").await;
        ann.delete(OWN).await.expect(200);
        erase(&house).await;
        let counted = house.store().count_of_person(org, user).await.expect("counted");
        assert!(counted.values().all(|rows| *rows == 0), "{counted:?}");
        let mut tx = house.store().read_control().await.expect("begun");
        let receipt = erasures::about(&mut tx, &ann.user).await.expect("there");
        drop(tx);
        let counted = receipt.counted();
        let counted = counted[&bob.org].as_ref().expect("counted");
        assert_eq!((counted["collections"], counted["threads"]), (1, 1));
        assert_eq!(house.store().remains_of_person(user, &receipt).await.expect("looked"), Vec::<String>::new());
        // What would be left there would be seen.
        let bobs = bob.user.parse().expect("an id");
        let remains = house.store().remains_of_person(bobs, &receipt).await.expect("looked");
        let told = [String::from("they stand among the people"), format!("1 rows of threads in {}", bob.org)];
        assert_eq!(remains, told);
        assert_eq!(house.store().control_faults().await.expect("looked"), Vec::<String>::new());
    }

    async fn an_organisation_that_was_suspended_meanwhile_ends_after_its_last_person(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        assert_eq!(ann.delete(OWN).await.expect(200).json["closing"], json!([ann.org]));
        let url = format!("/api/v1/operator/orgs/{}", ann.org);
        olga.patch(&url, &json!({ "status": "suspended" })).await.expect(200);
        erase(&house).await;
        let olga = house.sign_in(&olga, "Olga").await;
        olga.get(&format!("/api/v1/operator/people/{}", ann.user)).await.expect(404);
        assert_eq!(olga.get(&url).await.expect(200).str("/status"), "closing");
        erase(&house).await;
        let olga = house.sign_in(&olga, "Olga").await;
        olga.get(&url).await.expect(404);
        assert_eq!(house.store().remains(ann.org.parse().expect("an id")).await.expect("looked"), Vec::<String>::new());
    }

    async fn an_account_whose_erasure_has_begun_is_not_restored(house) {
        let (bob, ann) = (house.sign_up("Bob").await, house.sign_up("Ann").await);
        let olga = house.operator("Olga").await;
        let there = house.bring(&bob, &ann, "Ann", "member").await;
        there.post("/api/v1/threads", &json!({ "title": "Ann's own" })).await.expect(201);
        let (org, user): (_, domain::UserId) = (bob.org.parse().expect("an id"), ann.user.parse().expect("an id"));
        let url = format!("/api/v1/operator/people/{}", ann.user);
        olga.delete(&url).await.expect(200);
        // As a server leaves it that was killed when it had begun.
        let mut tx = house.store().begin_control(Turn::Person(user)).await.expect("begun");
        erasures::begin(&mut tx, &ann.user, &olga.user, house.clock_now()).await.expect("noted");
        let event = Event::new("person.erasing", user);
        tx.record_house(&Actor::System, &Origin::default(), event).await.expect("recorded");
        tx.commit().await.expect("committed");
        for standing in ["active", "suspended"] {
            assert_eq!(olga.patch(&url, &json!({ "standing": standing })).await.expect(409).code(), "conflict");
        }
        erase(&house).await;
        let mut tx = house.store().read_control().await.expect("begun");
        let receipt = erasures::about(&mut tx, &ann.user).await.expect("there");
        drop(tx);
        assert!(house.store().attests(&receipt));
        assert_eq!(house.store().count_of_person(org, user).await.expect("counted")["threads"], 0);
    }

    async fn taking_the_mail_address_back_keeps_the_account_that_an_intruder_deleted(house) {
        let ann = house.sign_up("Ann").await;
        ann.post("/api/v1/auth/email", &json!({ "email": "eve@example.com" })).await.expect(202);
        let token = house.mailed_token("eve@example.com", "Confirm your new mail address").await;
        house.visitor().post("/api/v1/auth/email/confirm", &json!({ "token": token })).await.expect(204);
        ann.delete(OWN).await.expect(200);
        let undo = house.mailed_token("ann@example.com", "Your mail address was changed").await;
        house.visitor().post("/api/v1/auth/email/undo", &json!({ "token": undo })).await.expect(204);
        let reset = house.mailed_token("ann@example.com", "Set a new password").await;
        let new = json!({ "token": reset, "password": PASSWORD });
        let answer = house.visitor().post("/api/v1/auth/password/reset", &new).await;
        assert!((200..300).contains(&answer.status), "{}", answer.text);
        let ann = house.sign_in(&ann, "Ann").await;
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
    }

    async fn it_takes_a_fresh_factor_and_a_person(house) {
        let ann = house.sign_up("Ann").await;
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "Key" })).await.expect(201).str("/key").to_owned();
        assert_eq!(house.visitor().with_token(Some(&key)).delete(OWN).await.expect(403).code(), "forbidden");
        assert_eq!(ann.with("if-match", "\"7\"").delete(OWN).await.expect(412).code(), "stale");
        house.clock.advance(Duration::from_mins(11));
        let ann = house.refreshed(&ann).await;
        assert_eq!(ann.delete(OWN).await.expect(403).code(), "step_up_needed");
        ann.get(OWN).await.expect(200);
    }

    async fn what_the_operator_deletes_the_operator_alone_restores(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let url = format!("/api/v1/operator/people/{}", ann.user);
        ann.delete(&url).await.expect(404);
        let asked = olga.delete(&url).await.expect(200);
        assert_eq!((asked.str("/standing"), asked.str("/ends_at")), ("suspended", "2026-12-22T10:00:00.000000Z"));
        assert_eq!(olga.delete(&url).await.expect(409).code(), "conflict");
        assert_eq!(login(&house, "ann").await.expect(401).code(), "invalid_credentials");
        assert!(house.mail("ann@example.com", "Your account will be deleted").await.body.contains("The operator"));
        let restored = olga.patch(&url, &json!({ "standing": "active" })).await.expect(200);
        assert!(restored.json["ends_at"].is_null());
        let ann = house.sign_in(&ann, "Ann").await;
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let own = format!("/api/v1/operator/people/{}", olga.user);
        assert_eq!(olga.delete(&own).await.expect(409).code(), "conflict");
        // A suspension puts a deletion off.
        olga.delete(&url).await.expect(200);
        let suspended = olga.patch(&url, &json!({ "standing": "suspended" })).await.expect(200);
        assert!(suspended.json["ends_at"].is_null());
        assert_eq!(login(&house, "ann").await.expect(401).code(), "invalid_credentials");
        house.clock.advance(Duration::from_mins(11));
        let olga = house.sign_in(&house.visitor(), "Olga").await;
        erase(&house).await;
        let olga = house.sign_in(&olga, "Olga").await;
        assert_eq!(olga.get(&url).await.expect(200).str("/standing"), "suspended");
    }

    async fn a_suspension_keeps_what_was_to_close_with_the_account(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let url = format!("/api/v1/operator/people/{}", ann.user);
        let org = format!("/api/v1/operator/orgs/{}", ann.org);
        assert_eq!(ann.delete(OWN).await.expect(200).json["closing"], json!([ann.org]));
        let token = house.mailed_token("ann@example.com", "Your account will be deleted").await;
        assert_eq!(olga.get(&org).await.expect(200).str("/status"), "closing");
        let suspended = olga.patch(&url, &json!({ "standing": "suspended" })).await.expect(200);
        assert!(suspended.json["ends_at"].is_null());
        assert_eq!(olga.get(&org).await.expect(200).str("/status"), "active");
        // The link in the mail takes no suspension back.
        house.visitor().post("/api/v1/user/profile/restore", &json!({ "token": token })).await.expect(409);
        erase(&house).await;
        let olga = house.sign_in(&olga, "Olga").await;
        assert_eq!(olga.get(&org).await.expect(200).str("/status"), "active");
        olga.patch(&url, &json!({ "standing": "active" })).await.expect(200);
        let ann = house.sign_in(&ann, "Ann").await;
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let actions = house.actions(&ann).await;
        let end: Vec<_> = actions.iter().map(String::as_str).filter(|action| !action.starts_with("session.")).collect();
        let story = ["organisation.closing", "person.deletion_asked", "organisation.restored", "person.suspended"];
        assert!(end.windows(4).any(|four| four == story), "{end:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_cannot_be_opened_lets_the_account_wait_until_it_can() {
    // Using one file closes the other.
    let house = TestHouse::sqlite_with(Wish { open_files: 1, ..Wish::default() }).await;
    let (bob, ann) = (house.sign_up("Bob").await, house.sign_up("Ann").await);
    let there = house.bring(&bob, &ann, "Ann", "member").await;
    there.post("/api/v1/threads", &json!({ "title": "Ann's own" })).await.expect(201);
    ann.delete(OWN).await.expect(200);
    let user = ann.user.parse().expect("an id");
    for client in [&bob, &ann] {
        let org = client.org.parse().expect("an id");
        house.store().deliver(org).await.expect("delivered");
        house.store().count_of_person(org, user).await.expect("counted");
    }
    let file = file_of(&house, &bob);
    let copy = std::fs::read(&file).expect("a copy");
    std::fs::write(&file, "").expect("cut");
    erase(&house).await;
    let mut tx = house.store().read_control().await.expect("begun");
    assert!(erasures::find(&mut tx, &ann.user).await.expect("looked").is_none(), "nothing of her was erased yet");
    drop(tx);
    std::fs::write(&file, copy).expect("restored");
    round(&house).await;
    let mut tx = house.store().read_control().await.expect("begun");
    let receipt = erasures::about(&mut tx, &ann.user).await.expect("there");
    drop(tx);
    assert!(house.store().attests(&receipt));
    assert_eq!(receipt.counted()[&bob.org].as_ref().expect("counted")["threads"], 1);
    let counted = house.store().count_of_person(bob.org.parse().expect("an id"), user).await.expect("counted");
    assert_eq!(counted["threads"], 0);
}
