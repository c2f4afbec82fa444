//! Teams: a tree, its rights, and what others see of it.

use serde_json::json;

testing::both_stores! {
    async fn a_team_gives_no_more_in_its_projects_than_its_keeper_holds(house) {
        let ann = house.sign_up("Ann").await;
        let (bob, max) = (house.join(&ann, "Bob", "member").await, house.join(&ann, "Max", "member").await);
        house.on_plan(&ann.org, "enterprise").await;
        let permissions = ["org.read", "members.read", "teams.read", "teams.members", "teams.update", "invitations.create"];
        let keeper = json!({ "name": "Keeper", "permissions": permissions });
        let keeper = ann.post("/api/v1/roles", &keeper).await.expect(201).str("/id").to_owned();
        ann.patch(&format!("/api/v1/members/{}", bob.user), &json!({ "role": keeper })).await.expect(200);
        let team = async |name: &str, parent: Option<&str>| {
            let body = json!({ "name": name, "parent_id": parent });
            ann.post("/api/v1/teams", &body).await.expect(201).str("/id").to_owned()
        };
        let core = team("Core", None).await;
        let (below, other) = (team("Below", Some(&core)).await, team("Other", None).await);
        let project = ann.post("/api/v1/projects", &json!({ "name": "Vault" })).await.expect(201).str("/id").to_owned();
        let vault = format!("/api/v1/projects/{project}");
        ann.put(&format!("{vault}/teams/{core}"), &json!({ "role": "admin" })).await.expect(200);
        let own = json!({ "role": "viewer" });
        // Neither by entering the team or one below it, nor by moving a team there, nor by an invitation.
        for team in [&core, &below] {
            bob.put(&format!("/api/v1/teams/{team}/members/{}", bob.user), &own).await.expect(403);
        }
        bob.put(&format!("/api/v1/teams/{other}/members/{}", bob.user), &json!({ "role": keeper })).await.expect(200);
        bob.patch(&format!("/api/v1/teams/{other}"), &json!({ "parent_id": core })).await.expect(403);
        let offer = json!({ "email": "eve@example.com", "role": keeper, "teams": [{ "team_id": core, "role": keeper }] });
        bob.post("/api/v1/invitations", &offer).await.expect(403);
        bob.get(&vault).await.expect(404);
        // Who holds it may hand it on, and who is in the team already may get another role there.
        let members = format!("/api/v1/teams/{core}/members");
        ann.put(&format!("{members}/{}", max.user), &own).await.expect(200);
        bob.put(&format!("{members}/{}", max.user), &json!({ "role": keeper })).await.expect(200);
        ann.put(&format!("{members}/{}", bob.user), &json!({ "role": keeper })).await.expect(200);
        bob.put(&format!("/api/v1/teams/{below}/members/{}", max.user), &json!({ "role": keeper })).await.expect(200);
        bob.patch(&format!("/api/v1/teams/{other}"), &json!({ "parent_id": core })).await.expect(200);
    }

    async fn a_move_gives_nobody_a_role_that_its_mover_could_not_give(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "enterprise").await;
        let mover = json!({ "name": "Mover", "permissions": ["teams.read", "teams.update", "teams.members"] });
        let mover = ann.post("/api/v1/roles", &mover).await.expect(201).str("/id").to_owned();
        let (mia, adi) = (house.join(&ann, "Mia", &mover).await, house.join(&ann, "Adi", "admin").await);
        let xaver = house.join(&ann, "Xaver", "member").await;
        let team = async |name: &str, parent: Option<&str>| {
            let body = json!({ "name": name, "parent_id": parent });
            ann.post("/api/v1/teams", &body).await.expect(201).str("/id").to_owned()
        };
        let top = team("Top", None).await;
        let upper = team("Upper", Some(&top)).await;
        let (below, other) = (team("Below", Some(&upper)).await, team("Other", None).await);
        let url = format!("/api/v1/teams/{other}");
        let place = async |who: &testing::Client, parent: Option<&str>| {
            who.patch(&url, &json!({ "parent_id": parent })).await
        };
        let holds = async |role: &str| {
            let path = format!("/api/v1/teams/{top}/members/{}", xaver.user);
            ann.put(&path, &json!({ "role": role })).await.expect(200);
        };
        let renames = async || xaver.patch(&url, &json!({ "name": "Xaver's" })).await.status;
        holds("admin").await;
        // What she may not give him he does not get by a move either, wherever above the team he holds it.
        mia.put(&format!("{url}/members/{}", xaver.user), &json!({ "role": "admin" })).await.expect(403);
        for parent in [&top, &upper] {
            let refused = place(&mia, Some(parent)).await.expect(403);
            assert!(refused.str("/error/message").contains("teams.create"), "{}", refused.text);
        }
        assert_eq!(renames().await, 403);
        // What he holds at a team already no move gives him.
        mia.patch(&format!("/api/v1/teams/{below}"), &json!({ "parent_id": top })).await.expect(200);
        for role in ["viewer", mover.as_str()] {
            holds(role).await;
            place(&mia, Some(&upper)).await.expect(200);
            place(&mia, None).await.expect(200);
        }
        // Who runs the organisation may give all of it.
        holds("admin").await;
        place(&adi, Some(&upper)).await.expect(200);
        assert_eq!(renames().await, 200);
    }

    async fn a_tree_has_sixteen_levels(house) {
        let ann = house.sign_up("Ann").await;
        let chain = async |levels: usize| {
            let mut ids: Vec<String> = Vec::new();
            for level in 0..levels {
                let body = json!({ "name": format!("{levels}.{level}"), "parent_id": ids.last() });
                ids.push(ann.post("/api/v1/teams", &body).await.expect(201).str("/id").to_owned());
            }
            ids
        };
        let (high, low) = (chain(16).await, chain(3).await);
        let deeper = json!({ "name": "deeper", "parent_id": high[15] });
        assert_eq!(ann.post("/api/v1/teams", &deeper).await.expect(409).code(), "conflict");
        let url = format!("/api/v1/teams/{}", low[0]);
        ann.patch(&url, &json!({ "parent_id": high[13] })).await.expect(409);
        ann.patch(&url, &json!({ "parent_id": high[12] })).await.expect(200);
    }

    async fn a_tree_of_teams(house) {
        let ann = house.sign_up("Ann").await;
        let eng = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let below = json!({ "name": "Frontend", "parent_id": eng.str("/id") });
        let front = ann.post("/api/v1/teams", &below).await.expect(201);
        assert_eq!(front.str("/parent_id"), eng.str("/id"));
        assert_eq!(ann.post("/api/v1/teams", &below).await.expect(409).code(), "taken");
        let eng_url = format!("/api/v1/teams/{}", eng.str("/id"));
        let under_itself = json!({ "parent_id": front.str("/id") });
        assert_eq!(ann.patch(&eng_url, &under_itself).await.expect(409).code(), "conflict");
        assert_eq!(ann.delete(&eng_url).await.expect(409).code(), "conflict");
        let stale = ann.with("if-match", "\"7\"");
        assert_eq!(stale.patch(&eng_url, &json!({ "name": "Eng" })).await.expect(412).code(), "stale");
        let fresh = ann.with("if-match", "\"1\"");
        let renamed = fresh.patch(&eng_url, &json!({ "name": "Eng" })).await.expect(200);
        assert_eq!((renamed.str("/name"), renamed.headers["etag"].to_str().expect("text")), ("Eng", "\"2\""));
        ann.delete(&format!("/api/v1/teams/{}", front.str("/id"))).await.expect(204);
        ann.delete(&eng_url).await.expect(204);
        ann.get(&eng_url).await.expect(404);
    }

    async fn lists_are_paged_and_cursors_are_bound(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        for n in 0..5 {
            ann.post("/api/v1/teams", &json!({ "name": format!("Team {n}") })).await.expect(201);
        }
        let first = ann.get("/api/v1/teams?limit=3").await.expect(200);
        assert_eq!(first.json["data"].as_array().expect("a list").len(), 3);
        let cursor = first.str("/next_cursor");
        let second = ann.get(&format!("/api/v1/teams?limit=3&cursor={cursor}")).await.expect(200);
        assert_eq!(second.json["data"].as_array().expect("a list").len(), 2);
        assert!(second.json["next_cursor"].is_null());
        assert_eq!(bob.get(&format!("/api/v1/teams?cursor={cursor}")).await.expect(400).code(), "invalid_cursor");
        assert_eq!(ann.get("/api/v1/teams?limit=0").await.expect(422).str("/error/param"), "limit");
        assert_eq!(ann.get("/api/v1/teams?page=2").await.expect(422).str("/error/param"), "page");
    }

    async fn another_organisation_sees_what_never_existed(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        let same_id = bob.with("x-request-id", "compare-bytes");
        let foreign = same_id.get(&format!("/api/v1/teams/{}", team.str("/id"))).await.expect(404);
        let never = same_id.get("/api/v1/teams/tea_01932d6f4b7a7c3e9a51c0ffee15600d").await.expect(404);
        assert_eq!(foreign.text, never.text);
        assert_eq!(foreign.headers, never.headers);
        let below = json!({ "name": "Frontend", "parent_id": team.str("/id") });
        bob.post("/api/v1/teams", &below).await.expect(404);
        bob.in_org(&ann.org).get("/api/v1/teams").await.expect(404);
        assert_eq!(bob.get("/api/v1/teams").await.expect(200).json["data"], json!([]));
    }

    async fn what_is_held_at_a_team_holds_below_it_and_moves_with_it(house) {
        let ann = house.sign_up("Ann").await;
        let (bob, max) = (house.join(&ann, "Bob", "member").await, house.join(&ann, "Max", "member").await);
        let team = async |name: &str, parent: Option<&str>| {
            let body = json!({ "name": name, "parent_id": parent });
            ann.post("/api/v1/teams", &body).await.expect(201).str("/id").to_owned()
        };
        let eng = team("Engineering", None).await;
        let (front, back, product) =
            (team("Frontend", Some(&eng)).await, team("Backend", Some(&eng)).await, team("Product", None).await);
        let put = async |team: &str, user: &str, role: &str| {
            ann.put(&format!("/api/v1/teams/{team}/members/{user}"), &json!({ "role": role })).await.expect(200)
        };
        let rename = async |who: &testing::Client, team: &str| {
            who.patch(&format!("/api/v1/teams/{team}"), &json!({ "name": format!("{team} of {}", who.user) })).await.status
        };
        assert_eq!(put(&eng, &bob.user, "admin").await.str("/role"), "admin");
        put(&front, &max.user, "admin").await;
        assert_eq!(rename(&bob, &front).await, 200, "an admin of Engineering acts in Frontend");
        assert_eq!(rename(&bob, &product).await, 403);
        assert_eq!(rename(&max, &front).await, 200);
        assert_eq!(rename(&max, &back).await, 403, "an admin of Frontend is nobody in Backend");
        // Bob runs Engineering, so he may fill the teams below it.
        bob.put(&format!("/api/v1/teams/{back}/members/{}", max.user), &json!({ "role": "member" })).await.expect(200);
        bob.delete(&format!("/api/v1/teams/{back}/members/{}", max.user)).await.expect(204);
        bob.delete(&format!("/api/v1/teams/{back}/members/{}", max.user)).await.expect(404);
        // Frontend moves below Product: Bob's rights there end with the move, and those of the people in Product begin.
        put(&product, &max.user, "viewer").await;
        ann.patch(&format!("/api/v1/teams/{front}"), &json!({ "parent_id": product })).await.expect(200);
        assert_eq!(rename(&bob, &front).await, 403);
        ann.patch(&format!("/api/v1/teams/{front}"), &json!({ "parent_id": eng })).await.expect(200);
        assert_eq!(rename(&bob, &front).await, 200);
        ann.delete(&format!("/api/v1/teams/{eng}/members/{}", bob.user)).await.expect(204);
        assert_eq!(rename(&bob, &front).await, 403);
    }

    async fn nobody_gives_a_role_above_their_own_or_to_a_stranger(house) {
        let (ann, stranger) = (house.sign_up("Ann").await, house.sign_up("Eve").await);
        let (bob, max) = (house.join(&ann, "Bob", "member").await, house.join(&ann, "Max", "member").await);
        house.on_plan(&ann.org, "enterprise").await;
        let keeper = json!({ "name": "Keeper", "permissions": ["teams.read", "teams.members"] });
        let keeper = ann.post("/api/v1/roles", &keeper).await.expect(201).str("/id").to_owned();
        let team = ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201).str("/id").to_owned();
        let members = format!("/api/v1/teams/{team}/members");
        ann.put(&format!("{members}/{}", bob.user), &json!({ "role": keeper })).await.expect(200);
        // A keeper may put people in, but only with what a keeper holds.
        bob.put(&format!("{members}/{}", max.user), &json!({ "role": "viewer" })).await.expect(200);
        bob.put(&format!("{members}/{}", max.user), &json!({ "role": keeper })).await.expect(200);
        bob.put(&format!("{members}/{}", max.user), &json!({ "role": "admin" })).await.expect(403);
        bob.put(&format!("{members}/{}", bob.user), &json!({ "role": "owner" })).await.expect(403);
        let list = max.get(&members).await.expect(200);
        assert_eq!(list.json["data"].as_array().expect("a list").len(), 2);
        assert_eq!(max.get(&format!("{members}?limit=1")).await.expect(200).json["data"].as_array().expect("a list").len(), 1);
        // Strangers, unknown roles and unknown fields are named.
        let refused = ann.put(&format!("{members}/{}", stranger.user), &json!({ "role": "viewer" })).await.expect(422);
        assert_eq!(refused.str("/error/param"), "user_id");
        let no_role = "rol_01932d6f4b7a7c3e9a51c0ffee15600d";
        for (body, param) in [
            (json!({ "role": no_role }), "role"),
            (json!({ "role": "root" }), "role"),
            (json!({}), "role"),
            (json!({ "role": "viewer", "owner": true }), "owner"),
        ] {
            let refused = ann.put(&format!("{members}/{}", max.user), &body).await.expect(422);
            assert_eq!(refused.str("/error/param"), param);
        }
        // The team is none for another organisation.
        stranger.get(&members).await.expect(404);
        stranger.put(&format!("{members}/{}", stranger.user), &json!({ "role": "owner" })).await.expect(404);
        stranger.delete(&format!("{members}/{}", max.user)).await.expect(404);
        ann.put(&format!("{members}/nobody"), &json!({ "role": "viewer" })).await.expect(404);
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": "viewer" })).await.expect(200);
        max.delete(&format!("{members}/{}", bob.user)).await.expect(204);
        bob.delete(&format!("{members}/{}", max.user)).await.expect(403);
    }
}
