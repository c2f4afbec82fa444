//! Joining by mail domain: claimed, proven by a mailbox of the domain, and open to verified addresses there alone.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client, TestHouse};

const URL: &str = "/api/v1/mail-domains";
const JOIN: &str = "/api/v1/mail-domains/join";
const SUBJECT: &str = "Confirm your organisation's mail domain";

async fn claim(owner: &Client, body: Value) -> Answer {
    owner.post(URL, &body).await.expect(201)
}

async fn confirm(house: &TestHouse, token: &str) -> Answer {
    house.visitor().post("/api/v1/mail-domains/confirm", &json!({ "token": token })).await
}

/// Claims example.com, where everybody in the tests has an address, and proves it.
pub(crate) async fn proven(house: &TestHouse, owner: &Client, body: Value) -> Answer {
    let claimed = claim(owner, body).await;
    confirm(house, &house.mailed_token("postmaster@example.com", SUBJECT).await).await.expect(204);
    claimed
}

fn example(role: &str) -> Value {
    json!({ "domain": "Example.COM", "role": role })
}

pub(crate) async fn join(who: &Client, org: &str) -> Answer {
    who.post(JOIN, &json!({ "org_id": org })).await
}

async fn invite(owner: &Client, email: &str) -> Answer {
    owner.post("/api/v1/invitations", &json!({ "email": email, "role": "member" })).await.expect(201)
}

async fn accept(who: &Client, sent: &Answer) -> Answer {
    who.post("/api/v1/invitations/accept", &json!({ "token": sent.str("/token") })).await
}

testing::both_stores! {
    async fn people_of_a_proven_domain_join_by_themselves(house) {
        let ann = house.sign_up("Ann").await;
        let team = ann.post("/api/v1/teams", &json!({ "name": "Everybody" })).await.expect(201);
        let body = json!({ "domain": "Example.COM", "role": "member", "teams": [{ "team_id": team.str("/id"), "role": "viewer" }] });
        let claimed = claim(&ann, body).await;
        assert_eq!((claimed.str("/domain"), &claimed.json["verified_at"]), ("example.com", &Value::Null));
        let max = house.sign_up("Max").await;
        // A claim is no proof.
        assert_eq!(max.get(JOIN).await.expect(200).json["data"], json!([]));
        join(&max, &ann.org).await.expect(404);
        let token = house.mailed_token("postmaster@example.com", SUBJECT).await;
        assert!(!ann.get(URL).await.expect(200).text.contains(&token), "the secret is in the mail alone");
        confirm(&house, &token).await.expect(204);
        confirm(&house, &token).await.expect(409);
        assert!(ann.get(URL).await.expect(200).json["data"][0]["verified_at"].is_string());
        let offered = max.get(JOIN).await.expect(200);
        assert_eq!(offered.json["data"], json!([{ "org_id": ann.org, "name": "Ann's house", "role": "member" }]));
        let widened = json!({ "org_id": ann.org, "role": "owner" });
        assert_eq!(max.post(JOIN, &widened).await.expect(422).str("/error/param"), "role");
        let joined = join(&max, &ann.org).await.expect(200);
        assert_eq!((joined.str("/organization/id"), joined.str("/role")), (ann.org.as_str(), "member"));
        let seen = max.in_org(&ann.org).get("/api/v1/teams").await.expect(200);
        assert_eq!(seen.str("/data/0/id"), team.str("/id"));
        join(&max, &ann.org).await.expect(409);
        assert_eq!(max.get(JOIN).await.expect(200).json["data"], json!([]));
        let entries = house.audit(&ann).await;
        for action in ["mail_domain.claimed", "mail_domain.verified", "member.joined"] {
            assert!(entries.iter().any(|entry| entry.action == action && entry.detail.contains("example.com")), "{action}");
        }
    }

    async fn only_a_domain_of_ones_own_and_mild_roles_are_taken(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let bobs = bob.post("/api/v1/teams", &json!({ "name": "Bobs" })).await.expect(201);
        for (body, param) in [
            (json!({ "domain": "gmail.com", "role": "member" }), "domain"),
            (json!({ "domain": "GMX.de", "role": "member" }), "domain"),
            (json!({ "domain": "localhost", "role": "member" }), "domain"),
            (json!({ "domain": "example", "role": "member" }), "domain"),
            (json!({ "domain": "a@example.com", "role": "member" }), "domain"),
            (json!({ "domain": "", "role": "member" }), "domain"),
            (json!({ "domain": "example.com", "role": "admin" }), "role"),
            (json!({ "domain": "example.com", "role": "owner" }), "role"),
            (json!({ "domain": "example.com", "role": "member", "mailbox": "ann" }), "mailbox"),
            (json!({ "domain": "example.com", "role": "member", "verified_at": "2026-01-01T00:00:00Z" }), "verified_at"),
        ] {
            assert_eq!(ann.post(URL, &body).await.expect(422).str("/error/param"), param, "{body}");
        }
        let with = |team: &str, role: &str| json!({ "domain": "example.com", "role": "member", "teams": [{ "team_id": team, "role": role }] });
        let own = ann.post("/api/v1/teams", &json!({ "name": "Own" })).await.expect(201);
        assert_eq!(ann.post(URL, &with(own.str("/id"), "admin")).await.expect(422).str("/error/param"), "teams");
        let ann_same = ann.with("x-request-id", "compare-bytes");
        let foreign = ann_same.post(URL, &with(bobs.str("/id"), "viewer")).await.expect(404);
        let never = ann_same.post(URL, &with("tea_01932d6f4b7a7c3e9a51c0ffee15600d", "viewer")).await.expect(404);
        assert_eq!(foreign.text, never.text);
        claim(&ann, example("member")).await;
        assert_eq!(ann.post(URL, &example("viewer")).await.expect(409).code(), "taken", "one's own, twice");
        let max = house.join(&ann, "Max", "admin").await;
        max.post(URL, &json!({ "domain": "acme.example", "role": "viewer" })).await.expect(403);
        max.get(URL).await.expect(403);
    }

    async fn claims_of_others_stay_unknown_and_one_proves_the_domain(house) {
        let (ann, bob, olga) = (house.sign_up("Ann").await, house.sign_up("Bob").await, house.operator("Olga").await);
        let anns = claim(&ann, example("member")).await;
        let anns_token = house.mailed_token("postmaster@example.com", SUBJECT).await;
        let bobs = claim(&bob, json!({ "domain": "example.com", "role": "viewer", "mailbox": "admin" })).await;
        let bobs_token = house.mailed_token("admin@example.com", SUBJECT).await;
        let (one, two) = tokio::join!(confirm(&house, &anns_token), confirm(&house, &bobs_token));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409], "the first to prove it has it");
        // A third who claims it is told the same as ever.
        let eve = house.sign_up("Eve").await;
        let eves = claim(&eve, example("member")).await;
        assert_eq!(eves.json["verified_at"], Value::Null);
        // What is another's does not exist.
        let by_eve = eve.with("x-request-id", "compare-bytes");
        let never = "dom_01932d6f4b7a7c3e9a51c0ffee15600d";
        for id in [anns.str("/id"), bobs.str("/id")] {
            let (real, invented) = (format!("{URL}/{id}"), format!("{URL}/{never}"));
            assert_eq!(by_eve.delete(&real).await.expect(404).text, by_eve.delete(&invented).await.expect(404).text);
            let off = json!({ "joining": false });
            assert_eq!(by_eve.patch(&real, &off).await.expect(404).text, by_eve.patch(&invented, &off).await.expect(404).text);
            let (real, invented) = (format!("{real}/verify"), format!("{invented}/verify"));
            assert_eq!(by_eve.post(&real, &json!({})).await.expect(404).text, by_eve.post(&invented, &json!({})).await.expect(404).text);
        }
        let listed = eve.get(URL).await.expect(200);
        assert_eq!(listed.json["data"].as_array().expect("a list").len(), 1);
        // Not even the operator gives it to two.
        let vouch = |org: &str, id: &str| format!("/api/v1/operator/orgs/{org}/mail-domains/{id}/verify");
        olga.post(&vouch(&eve.org, eves.str("/id")), &json!({})).await.expect(409);
        eve.post(&vouch(&eve.org, eves.str("/id")), &json!({})).await.expect(404);
        let other = claim(&eve, json!({ "domain": "acme.example", "role": "viewer" })).await;
        olga.post(&vouch(&ann.org, other.str("/id")), &json!({})).await.expect(404);
        assert!(olga.post(&vouch(&eve.org, other.str("/id")), &json!({})).await.expect(200).json["verified_at"].is_string());
        let seen = olga.get(&format!("/api/v1/operator/orgs/{}/mail-domains", eve.org)).await.expect(200);
        assert_eq!(seen.json["data"].as_array().expect("a list").len(), 2);
    }

    async fn joining_can_be_switched_off_and_seats_and_removals_count(house) {
        let ann = house.sign_up("Ann").await;
        let claimed = proven(&house, &ann, example("viewer")).await;
        let url = format!("{URL}/{}", claimed.str("/id"));
        let (max, eve, kim) = (house.sign_up("Max").await, house.sign_up("Eve").await, house.sign_up("Kim").await);
        let stale = ann.with("if-match", claimed.headers["etag"].to_str().expect("text"));
        let off = ann.patch(&url, &json!({ "joining": false })).await.expect(200);
        stale.patch(&url, &json!({ "joining": true })).await.expect(412);
        join(&max, &ann.org).await.expect(404);
        let tag = off.headers["etag"].to_str().expect("text");
        assert_eq!(ann.patch(&url, &json!({ "role": "admin" })).await.expect(422).str("/error/param"), "role");
        ann.with("if-match", tag).patch(&url, &json!({ "joining": true })).await.expect(200);
        join(&max, &ann.org).await.expect(200);
        // Whoever was removed does not come back by the same door, but by an invitation.
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        assert_eq!(max.get(JOIN).await.expect(200).json["data"], json!([]));
        join(&max, &ann.org).await.expect(404);
        house.bring(&ann, &max, "Max", "viewer").await;
        max.post(&format!("/api/v1/orgs/{}/leave", ann.org), &json!({})).await.expect(204);
        // Of two at once the last seat goes to one.
        let seats = ann.get(&format!("/api/v1/orgs/{}/entitlements", ann.org)).await.expect(200);
        let limit = seats.json["limits"]["seats"]["value"].as_u64().or_else(|| seats.json["limits"]["seats"].as_u64());
        let limit = limit.unwrap_or_else(|| panic!("no limit of seats in {}", seats.text));
        for n in 0..limit - 2 {
            let invited = json!({ "email": format!("seat{n}@example.com"), "role": "viewer" });
            ann.post("/api/v1/invitations", &invited).await.expect(201);
        }
        let (one, two) = tokio::join!(join(&eve, &ann.org), join(&kim, &ann.org));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 402], "{} {}", one.text, two.text);
        let key = ann.post("/api/v1/auth/api-keys", &json!({ "name": "robot", "scopes": ["org.security"] })).await.expect(201);
        crate::api_keys::with_key(&house, &key).delete(&url).await.expect(403);
        ann.delete(&url).await.expect(204);
        join(&max, &ann.org).await.expect(404);
    }

    async fn whoever_left_comes_back_by_invitation_alone(house) {
        let ann = house.sign_up("Ann").await;
        proven(&house, &ann, example("member")).await;
        let (max, eve) = (house.sign_up("Max").await, house.sign_up("Eve").await);
        for who in [&max, &eve] {
            join(who, &ann.org).await.expect(200);
        }
        // Neither a suspension nor a lesser role is undone by leaving.
        for (who, change) in [(&max, json!({ "standing": "suspended" })), (&eve, json!({ "role": "viewer" }))] {
            ann.patch(&format!("/api/v1/members/{}", who.user), &change).await.expect(200);
            who.post(&format!("/api/v1/orgs/{}/leave", ann.org), &json!({})).await.expect(204);
            assert_eq!(who.get(JOIN).await.expect(200).json["data"], json!([]));
            join(who, &ann.org).await.expect(404);
        }
        house.bring(&ann, &max, "Max", "viewer").await;
    }

    async fn another_account_for_the_same_mailbox_does_not_come_back_either(house) {
        let ann = house.sign_up("Ann").await;
        proven(&house, &ann, example("member")).await;
        let max = house.sign_up("Max").await;
        join(&max, &ann.org).await.expect(200);
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        // The address is free for another account, and what follows a plus leads to the same mailbox.
        set_address(&house, &max, "max@elsewhere.example", true).await;
        let again = house.sign_up("Max").await;
        for address in ["MAX@example.com", "max+again@example.com"] {
            set_address(&house, &again, address, true).await;
            assert_eq!(again.get(JOIN).await.expect(200).json["data"], json!([]), "{address}");
            join(&again, &ann.org).await.expect(404);
        }
        // The account is barred at any address, and nobody else is.
        set_address(&house, &max, "maxime@example.com", true).await;
        join(&max, &ann.org).await.expect(404);
        let eve = house.sign_up("Eve").await;
        join(&eve, &ann.org).await.expect(200);
        // An invitation lets the mailbox in again.
        set_address(&house, &again, "max@example.com", true).await;
        house.bring(&ann, &again, "Max", "viewer").await;
        let barred = async || {
            use store::control::{mail_domains, people};
            let mut tx = house.store().read_control().await.expect("begun");
            let person = people::get(&mut tx, again.user.parse().expect("an id")).await.expect("there");
            mail_domains::is_barred(&mut tx, ann.org.parse().expect("an id"), &person).await.expect("read")
        };
        assert!(barred().await, "as long as he is in, no other account of his comes in beside");
        ann.delete(&format!("/api/v1/members/{}", again.user)).await.expect(204);
        assert!(barred().await);
    }

    async fn a_second_account_of_a_member_does_not_come_in(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        proven(&house, &ann, example("member")).await;
        let (max, eve) = (house.sign_up("Max").await, house.sign_up("Eve").await);
        join(&max, &ann.org).await.expect(200);
        house.bring(&ann, &eve, "Eve", "member").await;
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "standing": "suspended" })).await.expect(200);
        ann.patch(&format!("/api/v1/members/{}", eve.user), &json!({ "role": "viewer" })).await.expect(200);
        let second = house.sign_up("Second").await;
        for address in ["max+2@example.com", "eve+2@example.com"] {
            set_address(&house, &second, address, true).await;
            join(&second, &ann.org).await.expect(404);
        }
        // One who gives the address away before going has had it all the same.
        let kim = house.sign_up("Kim").await;
        join(&kim, &ann.org).await.expect(200);
        kim.post("/api/v1/auth/email", &json!({ "email": "kim@elsewhere.example" })).await.expect(202);
        let token = house.mailed_token("kim@elsewhere.example", "Confirm your new mail address").await;
        house.visitor().post("/api/v1/auth/email/confirm", &json!({ "token": token })).await.expect(204);
        ann.delete(&format!("/api/v1/members/{}", kim.user)).await.expect(204);
        let again = house.sign_up("Kim").await;
        join(&again, &ann.org).await.expect(404);
        let nora = house.sign_up("Nora").await;
        join(&nora, &ann.org).await.expect(200);
    }

    async fn joining_ends_the_invitations_that_are_open_for_who_joins(house) {
        let ann = house.sign_up("Ann").await;
        proven(&house, &ann, example("viewer")).await;
        let max = house.sign_up("Max").await;
        let (own, other) = (invite(&ann, "max@example.com").await, invite(&ann, "work@elsewhere.example").await);
        accept(&max, &other).await.expect(202);
        let word = house.mailed_token("work@elsewhere.example", "Confirm who joins by your invitation").await;
        // Ann and the two invitations hold all seats that there are: Max takes the one that is his.
        let more = json!({ "email": "more@example.com", "role": "member" });
        ann.post("/api/v1/invitations", &more).await.expect(402);
        join(&max, &ann.org).await.expect(200);
        assert_eq!(ann.get("/api/v1/invitations").await.expect(200).json["data"], json!([]));
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        for sent in [&own, &other] {
            accept(&max, sent).await.expect(404);
        }
        house.visitor().post("/api/v1/invitations/confirm", &json!({ "token": word })).await.expect(404);
        join(&max, &ann.org).await.expect(404);
        let entries = house.audit(&ann).await;
        let revoked = entries.iter().filter(|entry| entry.action == "invitation.revoked");
        assert_eq!(revoked.filter(|entry| entry.detail.contains(&max.user)).count(), 2);
        // A new one lets him in.
        house.bring(&ann, &max, "Max", "viewer").await;
    }

    async fn whoever_goes_does_not_come_back_by_an_old_invitation(house) {
        let ann = house.sign_up("Ann").await;
        for (name, removed) in [("Max", true), ("Eve", false)] {
            let who = house.sign_up(name).await;
            house.bring(&ann, &who, name, "viewer").await;
            // An invitation to an address that becomes theirs only after they have come.
            let email = format!("{name}@elsewhere.example");
            let sent = invite(&ann, &email).await;
            set_address(&house, &who, &email, true).await;
            if removed {
                ann.delete(&format!("/api/v1/members/{}", who.user)).await.expect(204);
            } else {
                who.post(&format!("/api/v1/orgs/{}/leave", ann.org), &json!({})).await.expect(204);
            }
            accept(&who, &sent).await.expect(404);
            assert_eq!(ann.get("/api/v1/members").await.expect(200).json["data"].as_array().map(Vec::len), Some(1));
            let actions = house.actions(&ann).await;
            let end = if removed { "member.removed" } else { "member.left" };
            assert!(actions.windows(2).any(|two| two == ["invitation.revoked", end]), "{actions:?}");
        }
    }

    async fn links_end_and_nobody_floods_a_postmaster(house) {
        let ann = house.sign_up("Ann").await;
        let claimed = claim(&ann, example("viewer")).await;
        let again = format!("{URL}/{}/verify", claimed.str("/id"));
        let first = house.mailed_token("postmaster@example.com", SUBJECT).await;
        ann.post(&again, &json!({})).await.expect(202);
        confirm(&house, &first).await.expect(409);
        let second = house.mailed_token("postmaster@example.com", SUBJECT).await;
        house.clock.advance(Duration::from_hours(72));
        confirm(&house, &second).await.expect(409);
        let ann = house.sign_in(&ann, "Ann").await;
        for _ in 0..5 {
            ann.post(&again, &json!({})).await.expect(202);
        }
        ann.post(&again, &json!({})).await.expect(429);
    }

    async fn closed_organisations_take_nobody_in(house) {
        let ann = house.sign_up("Ann").await;
        proven(&house, &ann, example("viewer")).await;
        let max = house.sign_up("Max").await;
        ann.delete(&format!("/api/v1/orgs/{}?confirm=Ann%27s%20house", ann.org)).await.expect(200);
        assert_eq!(max.get(JOIN).await.expect(200).json["data"], json!([]));
        join(&max, &ann.org).await.expect(404);
    }

    async fn an_address_must_be_verified_and_of_the_very_domain(house) {
        let ann = house.sign_up("Ann").await;
        proven(&house, &ann, example("viewer")).await;
        let max = house.sign_up("Max").await;
        set_address(&house, &max, "max@sub.example.com", true).await;
        join(&max, &ann.org).await.expect(404);
        set_address(&house, &max, "max@example.com.evil.example", true).await;
        join(&max, &ann.org).await.expect(404);
        set_address(&house, &max, "max@example.com", false).await;
        assert_eq!(max.get(JOIN).await.expect(200).json["data"], json!([]));
        join(&max, &ann.org).await.expect(404);
        set_address(&house, &max, "max@EXAMPLE.com", true).await;
        join(&max, &ann.org).await.expect(200);
    }
}

/// Gives somebody another address, verified or not, as no flow does at once.
async fn set_address(house: &TestHouse, who: &Client, email: &str, verified: bool) {
    use store::control::people::{self, Person};
    let user = who.user.parse().expect("an id");
    let mut tx = house.store().begin_control(store::Turn::Person(user)).await.expect("begun");
    let person = people::get(&mut tx, user).await.expect("there");
    let verified_at = verified.then_some(person.created_at);
    people::update(&mut tx, &Person { email: email.parse().expect("an address"), verified_at, ..person })
        .await
        .expect("written");
    let event = store::audit::Event::new("person.changed", user);
    tx.record_house(&store::Actor::System, &store::Origin::default(), event).await.expect("recorded");
    tx.commit().await.expect("committed");
}
