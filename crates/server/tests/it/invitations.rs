//! Invitations: what they promise, who can accept them, and when they end.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Answer, Client};

fn to(name: &str, role: &str) -> Value {
    json!({ "email": format!("{name}@example.com"), "role": role })
}

async fn accept(client: &Client, sent: &Answer) -> Answer {
    client.post("/api/v1/invitations/accept", &json!({ "token": sent.str("/token") })).await
}

testing::both_stores! {
    async fn nobody_floods_a_mailbox_with_invitations(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        for _ in 0..5 {
            let sent = ann.post("/api/v1/invitations", &to("max", "viewer")).await.expect(201);
            ann.delete(&format!("/api/v1/invitations/{}", sent.str("/id"))).await.expect(204);
        }
        ann.post("/api/v1/invitations", &to("MAX", "viewer")).await.expect(429);
        // Nobody else learns of it.
        ann.post("/api/v1/invitations", &to("eve", "viewer")).await.expect(201);
        bob.post("/api/v1/invitations", &to("max", "viewer")).await.expect(201);
    }

    async fn an_invitation_brings_its_role_teams_and_projects(house) {
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let offer = json!({
            "email": "MAX@example.com", "role": "viewer",
            "teams": [{ "team_id": team.str("/id"), "role": "admin" }],
        });
        let sent = ann.post("/api/v1/invitations", &offer).await.expect(201);
        assert_eq!((sent.str("/status"), sent.str("/role")), ("open", "viewer"));
        assert_eq!(sent.str("/expires_at"), "2026-11-25T10:00:00.000000Z");
        assert_eq!(sent.str("/link"), format!("http://test/invitations/accept#token={}", sent.str("/token")));
        let listed = ann.get("/api/v1/invitations").await.expect(200);
        assert_eq!(listed.str("/data/0/id"), sent.str("/id"));
        assert!(!listed.text.contains(sent.str("/token")), "the secret is shown once");
        let look = json!({ "token": sent.str("/token") });
        let preview = house.visitor().post("/api/v1/invitations/preview", &look).await.expect(200);
        assert_eq!((preview.str("/organization"), preview.str("/role_name")), ("Ann's house", "viewer"));
        assert!(!preview.text.contains('@'), "the address is not told to whoever has the link");
        let joined = accept(&max, &sent).await.expect(200);
        assert_eq!((joined.str("/organization/id"), joined.str("/role")), (ann.org.as_str(), "viewer"));
        // The team's role holds in the very next request.
        let inside = max.in_org(&ann.org);
        let below = json!({ "name": "Frontend", "parent_id": team.str("/id") });
        inside.post("/api/v1/teams", &below).await.expect(201);
        inside.post("/api/v1/teams", &json!({ "name": "Product" })).await.expect(403);
        // The link works once.
        accept(&max, &sent).await.expect(404);
        house.visitor().post("/api/v1/invitations/preview", &look).await.expect(404);
        assert_eq!(ann.get("/api/v1/invitations").await.expect(200).json["data"], json!([]));
        assert_eq!(ann.get("/api/v1/invitations?all=true").await.expect(200).str("/data/0/status"), "accepted");
    }

    async fn the_link_goes_by_mail(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let sent = ann.post("/api/v1/invitations", &to("max", "member")).await.expect(201);
        let mails = olga.get("/api/v1/operator/mails").await.expect(200);
        assert_eq!(mails.str("/data/0/subject"), "Ann invites you to Ann's house");
        let mail = olga.get(&format!("/api/v1/operator/mails/{}", mails.str("/data/0/id"))).await.expect(200);
        assert_eq!(mail.str("/recipient"), "max@example.com");
        assert!(mail.str("/body").contains(sent.str("/link")));
        // The link lets somebody in: who has not shown a factor of late does not see it.
        house.clock.advance(Duration::from_secs(601));
        let stale = house.refreshed(&olga).await;
        let refused = stale.get(&format!("/api/v1/operator/mails/{}", mails.str("/data/0/id"))).await.expect(403);
        assert_eq!(refused.code(), "step_up_needed");
    }

    async fn it_is_for_the_invited_address_alone(house) {
        let (ann, eve) = (house.sign_up("Ann").await, house.sign_up("Eve").await);
        let sent = ann.post("/api/v1/invitations", &to("max", "member")).await.expect(201);
        // Whoever else opens it gets nothing by that.
        assert_eq!(accept(&eve, &sent).await.expect(202).str("/status"), "mail_sent");
        eve.in_org(&ann.org).get("/api/v1/teams").await.expect(404);
        assert_eq!(accept(&house.visitor(), &sent).await.status, 401);
        let widened = json!({ "token": sent.str("/token"), "role": "owner" });
        let max = house.sign_up("Max").await;
        assert_eq!(max.post("/api/v1/invitations/accept", &widened).await.expect(422).str("/error/param"), "role");
        accept(&max, &sent).await.expect(200);
    }

    async fn under_another_address_the_invited_mailbox_confirms_it(house) {
        const SUBJECT: &str = "Confirm who joins by your invitation";
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let offer = json!({
            "email": "work@elsewhere.example", "role": "viewer", "teams": [{ "team_id": team.str("/id"), "role": "viewer" }],
        });
        let sent = ann.post("/api/v1/invitations", &offer).await.expect(201);
        accept(&max, &sent).await.expect(202);
        assert!(house.mails_to("max@example.com").await.is_empty(), "who asks gets no say");
        let mail = house.mail("work@elsewhere.example", SUBJECT).await;
        assert!(mail.body.contains("max@example.com"), "{}", mail.body);
        let token = house.mailed_token("work@elsewhere.example", SUBJECT).await;
        let confirm = async |token: &str| house.visitor().post("/api/v1/invitations/confirm", &json!({ "token": token })).await;
        // The first link is no confirmation, and the body settles nothing.
        confirm(sent.str("/token")).await.expect(404);
        let widened = json!({ "token": token, "role": "owner" });
        assert_eq!(house.visitor().post("/api/v1/invitations/confirm", &widened).await.expect(422).str("/error/param"), "role");
        // Somebody else who opens the link voids the word that was not given yet.
        let eve = house.sign_up("Eve").await;
        accept(&eve, &sent).await.expect(202);
        confirm(&token).await.expect(404);
        accept(&max, &sent).await.expect(202);
        let token = house.mailed_token("work@elsewhere.example", SUBJECT).await;
        let (one, two) = tokio::join!(confirm(&token), confirm(&token));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404], "once");
        let seen = max.in_org(&ann.org).get("/api/v1/teams").await.expect(200);
        assert_eq!(seen.str("/data/0/name"), "Engineering");
        max.in_org(&ann.org).post("/api/v1/projects", &json!({ "name": "P" })).await.expect(403);
        eve.in_org(&ann.org).get("/api/v1/teams").await.expect(404);
        accept(&max, &sent).await.expect(404);
        let actions = house.actions(&ann).await;
        assert!(actions.iter().any(|action| action == "invitation.asked_elsewhere") && actions.iter().any(|action| action == "member.joined"));
    }

    async fn a_confirmation_ends_with_its_invitation(house) {
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let offer = json!({ "email": "work@elsewhere.example", "role": "viewer" });
        let sent = ann.post("/api/v1/invitations", &offer).await.expect(201);
        let ask = async |sent: &Answer| {
            accept(&max, sent).await.expect(202);
            house.mailed_token("work@elsewhere.example", "Confirm who joins by your invitation").await
        };
        let confirm = async |token: &str| house.visitor().post("/api/v1/invitations/confirm", &json!({ "token": token })).await;
        let url = format!("/api/v1/invitations/{}", sent.str("/id"));
        let token = ask(&sent).await;
        let sent = ann.post(&format!("{url}/resend"), &json!({})).await.expect(200);
        confirm(&token).await.expect(404);
        let token = ask(&sent).await;
        ann.delete(&url).await.expect(204);
        confirm(&token).await.expect(404);
    }

    async fn nobody_floods_an_invited_mailbox_by_opening_the_link(house) {
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let sent = ann.post("/api/v1/invitations", &json!({ "email": "work@elsewhere.example", "role": "viewer" })).await.expect(201);
        for _ in 0..4 {
            accept(&max, &sent).await.expect(202);
        }
        accept(&max, &sent).await.expect(429);
    }

    async fn an_address_that_is_not_verified_is_not_enough(house) {
        use store::control::people;
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let user = max.user.parse().expect("an id");
        let mut tx = house.store().begin_control(store::Turn::Person(user)).await.expect("begun");
        let person = people::get(&mut tx, user).await.expect("there");
        people::update(&mut tx, &people::Person { verified_at: None, ..person }).await.expect("written");
        let event = store::audit::Event::new("person.changed", user);
        tx.record_house(&store::Actor::System, &store::Origin::default(), event).await.expect("recorded");
        tx.commit().await.expect("committed");
        let sent = ann.post("/api/v1/invitations", &to("max", "member")).await.expect(201);
        assert_eq!(accept(&max, &sent).await.expect(403).code(), "forbidden");
    }

    async fn it_ends_is_sent_anew_and_revoked(house) {
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let first = ann.post("/api/v1/invitations", &to("max", "member")).await.expect(201);
        assert_eq!(ann.post("/api/v1/invitations", &to("max", "viewer")).await.expect(409).code(), "conflict");
        let resend = format!("/api/v1/invitations/{}/resend", first.str("/id"));
        let second = ann.post(&resend, &json!({})).await.expect(200);
        accept(&max, &first).await.expect(404);
        house.clock.advance(Duration::from_hours(72));
        let (ann, max) = (house.sign_in(&ann, "Ann").await, house.sign_in(&max, "Max").await);
        accept(&max, &second).await.expect(404);
        assert_eq!(ann.get("/api/v1/invitations?all=true").await.expect(200).str("/data/0/status"), "expired");
        let third = ann.post(&resend, &json!({})).await.expect(200);
        assert_eq!(third.str("/status"), "open");
        let url = format!("/api/v1/invitations/{}", first.str("/id"));
        ann.delete(&url).await.expect(204);
        assert_eq!(ann.delete(&url).await.expect(409).code(), "conflict");
        assert_eq!(ann.post(&resend, &json!({})).await.expect(409).code(), "conflict");
        accept(&max, &third).await.expect(404);
        let never = json!({ "token": "never made" });
        let same_id = |client: &Client| client.with("x-request-id", "compare-bytes");
        let unknown = same_id(&max).post("/api/v1/invitations/accept", &never).await.expect(404);
        let revoked = accept(&same_id(&max), &third).await;
        assert_eq!((unknown.text, unknown.headers), (revoked.text, revoked.headers));
    }

    async fn nobody_promises_more_than_they_hold(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let max = house.join(&ann, "Max", "admin").await;
        let refused = max.post("/api/v1/invitations", &to("eve", "owner")).await.expect(403);
        assert!(refused.str("/error/message").contains("org.transfer"), "{}", refused.text);
        ann.post("/api/v1/invitations", &to("eve", "owner")).await.expect(201);
        let eve = house.join(&ann, "Kim", "member").await;
        eve.post("/api/v1/invitations", &to("zoe", "viewer")).await.expect(403);
        eve.get("/api/v1/invitations").await.expect(403);
        // Sending an invitation anew is promising it.
        let listed = ann.get("/api/v1/invitations").await.expect(200);
        max.post(&format!("/api/v1/invitations/{}/resend", listed.str("/data/0/id")), &json!({})).await.expect(403);
        // Nor in teams: who manages one team invites nobody into another.
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let inviter = json!({ "name": "Inviter", "permissions": ["invitations.create", "teams.read"] });
        let inviter = ann.post("/api/v1/roles", &inviter).await.expect(201);
        let ivy = house.join(&ann, "Ivy", inviter.str("/id")).await;
        let offer = |role: &str| json!({
            "email": "zoe@example.com", "role": inviter.str("/id"),
            "teams": [{ "team_id": team.str("/id"), "role": role }],
        });
        ivy.post("/api/v1/invitations", &offer("viewer")).await.expect(403);
        ann.post("/api/v1/invitations", &offer("admin")).await.expect(201);
    }

    async fn what_was_promised_is_checked_again_when_it_is_taken(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let max = house.join(&ann, "Max", "admin").await;
        let (zoe, kim) = (house.sign_up("Zoe").await, house.sign_up("Kim").await);
        let to_zoe = max.post("/api/v1/invitations", &to("zoe", "admin")).await.expect(201);
        let to_kim = max.post("/api/v1/invitations", &to("kim", "viewer")).await.expect(201);
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": "member" })).await.expect(200);
        assert_eq!(accept(&zoe, &to_zoe).await.expect(403).code(), "forbidden");
        ann.delete(&format!("/api/v1/members/{}", max.user)).await.expect(204);
        accept(&kim, &to_kim).await.expect(404);
        // Whoever sends it anew answers for it.
        let again = ann.post(&format!("/api/v1/invitations/{}/resend", to_kim.str("/id")), &json!({})).await.expect(200);
        assert_eq!(again.str("/invited_by"), ann.user);
        accept(&kim, &again).await.expect(200);
    }

    async fn teams_that_are_gone_by_then_are_left_out(house) {
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let mut teams = Vec::new();
        for name in ["Engineering", "Product"] {
            teams.push(ann.post("/api/v1/teams", &json!({ "name": name })).await.expect(201).str("/id").to_owned());
        }
        let offers: Vec<_> = teams.iter().map(|team| json!({ "team_id": team, "role": "viewer" })).collect();
        let offer = json!({ "email": "max@example.com", "role": "viewer", "teams": offers });
        let sent = ann.post("/api/v1/invitations", &offer).await.expect(201);
        ann.delete(&format!("/api/v1/teams/{}", teams[0])).await.expect(204);
        accept(&max, &sent).await.expect(200);
        let member = ann.get(&format!("/api/v1/members/{}", max.user)).await.expect(200);
        assert_eq!(member.json["teams"], json!([{ "team_id": teams[1], "role": "viewer" }]));
    }

    async fn a_link_that_is_used_twice_at_once_brings_one_membership(house) {
        let (ann, max) = (house.sign_up("Ann").await, house.sign_up("Max").await);
        let sent = ann.post("/api/v1/invitations", &to("max", "member")).await.expect(201);
        let (one, two) = tokio::join!(accept(&max, &sent), accept(&max, &sent));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert!(matches!(statuses, [200, 404 | 409]), "{statuses:?}");
    }

    async fn seats_are_counted_when_inviting_and_when_joining(house) {
        let (ann, olga) = (house.sign_up("Ann").await, house.operator("Olga").await);
        let (max, eve) = (house.sign_up("Max").await, house.sign_up("Eve").await);
        let to_max = ann.post("/api/v1/invitations", &to("max", "member")).await.expect(201);
        let to_eve = ann.post("/api/v1/invitations", &to("eve", "member")).await.expect(201);
        let full = ann.post("/api/v1/invitations", &to("kim", "member")).await.expect(402);
        assert_eq!((full.code(), full.str("/error/param")), ("entitlement", "seats"));
        accept(&max, &to_max).await.expect(200);
        let fewer = json!({ "exception": { "kind": "limit", "meter": "seats", "limit": 2 }, "reason": "a test" });
        olga.post(&format!("/api/v1/operator/orgs/{}/overrides", ann.org), &fewer).await.expect(201);
        assert_eq!(accept(&eve, &to_eve).await.expect(402).str("/error/param"), "seats");
        house.on_plan(&ann.org, "pro").await;
        let more = json!({ "exception": { "kind": "limit", "meter": "seats", "limit": 4 }, "reason": "a test" });
        house.clock.advance(Duration::from_secs(1));
        olga.post(&format!("/api/v1/operator/orgs/{}/overrides", ann.org), &more).await.expect(201);
        accept(&eve, &to_eve).await.expect(200);
        ann.post("/api/v1/invitations", &to("kim", "member")).await.expect(201);
    }

    async fn two_invitations_race_for_the_last_seat(house) {
        let ann = house.sign_up("Ann").await;
        house.join(&ann, "Max", "member").await;
        let (kim, zoe) = (to("kim", "member"), to("zoe", "member"));
        let (one, two) = tokio::join!(ann.post("/api/v1/invitations", &kim), ann.post("/api/v1/invitations", &zoe));
        let mut statuses = [one.status, two.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 402]);
    }

    async fn members_are_not_invited_again(house) {
        let ann = house.sign_up("Ann").await;
        house.join(&ann, "Max", "member").await;
        assert_eq!(ann.post("/api/v1/invitations", &to("max", "admin")).await.expect(409).code(), "conflict");
        let wrong = json!({ "email": "nobody", "role": "member" });
        assert_eq!(ann.post("/api/v1/invitations", &wrong).await.expect(422).str("/error/param"), "email");
    }

    async fn what_is_anothers_cannot_be_promised(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&ann.org, "pro").await;
        let bob = bob.with("x-request-id", "compare-bytes");
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let role = ann.post("/api/v1/roles", &json!({ "name": "Billing", "permissions": ["usage.read"] })).await.expect(201);
        let offer = |role: &str, team: Option<&str>| {
            let teams: Vec<_> = team.into_iter().map(|team| json!({ "team_id": team, "role": "viewer" })).collect();
            json!({ "email": "zoe@example.com", "role": role, "teams": teams })
        };
        let never = bob.post("/api/v1/invitations", &offer("viewer", Some("tea_01932d6f4b7a7c3e9a51c0ffee15600d"))).await.expect(404);
        let foreign_team = bob.post("/api/v1/invitations", &offer("viewer", Some(team.str("/id")))).await.expect(404);
        let foreign_role = bob.post("/api/v1/invitations", &offer(role.str("/id"), None)).await.expect(404);
        assert_eq!((&never.text, &never.headers), (&foreign_team.text, &foreign_team.headers));
        assert_eq!((&never.text, &never.headers), (&foreign_role.text, &foreign_role.headers));
        let twice = json!({ "team_id": team.str("/id"), "role": "viewer" });
        let twice = json!({ "email": "zoe@example.com", "role": "viewer", "teams": [twice, twice] });
        assert_eq!(ann.post("/api/v1/invitations", &twice).await.expect(422).str("/error/param"), "teams");
        let sent = ann.post("/api/v1/invitations", &to("zoe", "viewer")).await.expect(201);
        let url = format!("/api/v1/invitations/{}", sent.str("/id"));
        let missing = "/api/v1/invitations/inv_01932d6f4b7a7c3e9a51c0ffee15600d";
        for (foreign, missing) in [
            (bob.delete(&url).await, bob.delete(missing).await),
            (bob.post(&format!("{url}/resend"), &json!({})).await, bob.post(&format!("{missing}/resend"), &json!({})).await),
        ] {
            assert_eq!((foreign.status, &foreign.text, &foreign.headers), (404, &missing.text, &missing.headers));
        }
    }

    async fn one_person_in_many_organisations_with_different_roles(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let max = house.join(&ann, "Max", "viewer").await;
        let sent = bob.post("/api/v1/invitations", &to("max", "admin")).await.expect(201);
        let max = house.visitor().with_token(max.token.as_deref());
        accept(&max, &sent).await.expect(200);
        let mut roles: Vec<_> = max.get("/api/v1/orgs").await.expect(200).json["data"].as_array().expect("a list").iter()
            .map(|one| one["role"].as_str().expect("text").to_owned()).collect();
        roles.sort();
        assert_eq!(roles, ["admin", "owner", "viewer"]);
        max.in_org(&bob.org).post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        max.in_org(&ann.org).post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(403);
    }
}
