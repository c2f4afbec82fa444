//! An organisation managed with Terraform from beginning to end.

use std::time::Duration;

use serde_json::{Value, json};
use testing::{Client, both_stores};

use crate::ground::{Ground, Players};

/// The one in a list with this name.
async fn named(client: &Client, list: &str, name: &str) -> Value {
    let all = client.get(&format!("/api/v1/{list}")).await.expect(200).json["data"].clone();
    let found = all.as_array().expect("a list").iter().find(|one| one["name"] == name || one["email"] == name);
    found.unwrap_or_else(|| panic!("no {name} among {all}")).clone()
}

fn id(one: &Value) -> &str {
    one["id"].as_str().expect("an id")
}

both_stores! {
    async fn what_is_configured_is_made_kept_mended_and_taken_away_again(house) {
        if !testing::packages::is_installed("python3 -m pip") {
            return;
        }
        let (ground, Players { ann, max }) = Ground::new(&house).await;
        ground.says(&["fmt", "-check"]);
        ground.says(&["validate"]);
        let said = ground.apply();
        assert!(said.contains("Apply complete! Resources: 9 added, 0 changed, 0 destroyed."), "{said}");
        assert!(said.contains("plan = \"pro\"") && said.contains("seats = 25") && said.contains("link = <sensitive>"), "{said}");
        assert!(!said.contains("#token="), "{said}");

        // It is there.
        let role = named(&ann, "roles", "Auditor").await;
        assert_eq!(role["permissions"], json!(["org.read", "members.read", "audit.read"]));
        let (backend, site) = (named(&ann, "teams", "Backend").await, named(&ann, "projects", "Site").await);
        assert_eq!(backend["parent_id"], named(&ann, "teams", "Engineering").await["id"]);
        let path = format!("/api/v1/members/{}", max.user);
        let shown = ann.get(&path).await.expect(200).json;
        assert_eq!((&shown["role"], &shown["teams"]), (&role["id"], &json!([{ "team_id": id(&backend), "role": "admin" }])));
        assert_eq!(shown["projects"], json!([{ "project_id": id(&site), "role": "viewer" }]));
        let invited = named(&ann, "invitations", "Eve@example.com").await;
        assert_eq!(invited["teams"], json!([{ "team_id": id(&backend), "role": "member" }]));
        let link = ground.says(&["output", "-raw", "link"]);
        let token = link.split("#token=").nth(1).expect("a link");
        house.visitor().post("/api/v1/invitations/preview", &json!({ "token": token })).await.expect(200);
        ground.is_settled();

        // What is changed or deleted behind its back is seen, and mended.
        ann.patch(&format!("/api/v1/roles/{}", id(&role)), &json!({ "permissions": ["org.read"], "description": "Idle." })).await.expect(200);
        ann.patch(&path, &json!({ "role": "viewer" })).await.expect(200);
        ann.delete(&format!("/api/v1/teams/{}/members/{}", id(&backend), max.user)).await.expect(204);
        ann.delete(&format!("/api/v1/invitations/{}", id(&invited))).await.expect(204);
        ann.put(&format!("/api/v1/projects/{}/archive", id(&site)), &Value::Null).await.expect(200);
        let said = ground.differs();
        assert!(said.contains("Plan: 2 to add, 3 to change, 0 to destroy."), "{said}");
        assert!(said.contains("\"Idle.\" -> \"Reads the log of what was done.\"") && said.contains("archived = true -> false"), "{said}");
        ground.apply();
        assert_eq!(ann.get(&path).await.expect(200).json["role"], role["id"]);
        assert_eq!(named(&ann, "roles", "Auditor").await["permissions"], role["permissions"]);
        assert_eq!(named(&ann, "projects", "Site").await["archived_at"], Value::Null);
        let again = named(&ann, "invitations", "Eve@example.com").await;
        assert_ne!(again["id"], invited["id"], "what was revoked is invited anew");
        ground.is_settled();

        // An invitation that has ended is sent anew.
        house.clock.advance(Duration::from_hours(73));
        let ann = house.signed_in_again(&ann).await;
        let said = ground.differs();
        assert!(said.contains("Plan: 0 to add, 1 to change, 0 to destroy.") && said.contains("\"expired\" -> (known after apply)"), "{said}");
        ground.apply();
        assert_eq!(named(&ann, "invitations", "Eve@example.com").await["id"], again["id"]);
        let newer = ground.says(&["output", "-raw", "link"]);
        assert_ne!(newer, link);
        ground.is_settled();

        // One that was accepted is done, and stays so.
        let eve = house.sign_up("Eve").await;
        let token = newer.split("#token=").nth(1).expect("a link");
        eve.post("/api/v1/invitations/accept", &json!({ "token": token })).await.expect(200);
        ground.is_settled();
        ground.replace("main.tf", "{ (rowhouse_project.site.id) = \"viewer\" }", "{}");
        ground.is_settled();

        let said = ground.says(&["destroy", "-auto-approve"]);
        assert!(said.contains("Destroy complete! Resources: 9 destroyed."), "{said}");
        for (list, left) in [("roles", 4), ("teams", 0), ("projects", 0), ("invitations", 0), ("members", 3)] {
            let all = ann.get(&format!("/api/v1/{list}")).await.expect(200).json["data"].clone();
            assert_eq!(all.as_array().map(Vec::len), Some(left), "{list}: {all}");
        }
        assert_eq!(ann.get(&path).await.expect(200).json["role"], "member", "the role of before");
        // Who joined stays.
        assert_eq!(named(&ann, "members", "eve@example.com").await["role"], "member");
    }

    async fn what_exists_is_imported_and_what_is_fixed_is_made_anew(house) {
        if !testing::packages::is_installed("python3 -m pip") {
            return;
        }
        let (ground, Players { ann, max }) = Ground::new(&house).await;
        let role = json!({ "name": "Biller", "permissions": ["usage.read", "budgets.read"] });
        let role = ann.post("/api/v1/roles", &role).await.expect(201);
        let team = ann.post("/api/v1/teams", &json!({ "name": "Old" })).await.expect(201);
        let other = ann.post("/api/v1/teams", &json!({ "name": "New" })).await.expect(201);
        let member = format!("/api/v1/teams/{}/members/{}", team.str("/id"), max.user);
        ann.put(&member, &json!({ "role": "viewer" })).await.expect(200);
        let (team, other) = (team.str("/id"), other.str("/id"));
        let write = |team: &str| {
            ground.write(
                "main.tf",
                &format!(
                    r#"
                    terraform {{
                      required_providers {{
                        rowhouse = {{ source = "terraform.local/rowhouse/rowhouse" }}
                      }}
                    }}
                    data "rowhouse_role" "biller" {{ name = "Biller" }}
                    data "rowhouse_team" "old" {{ name = "Old" }}
                    resource "rowhouse_role" "biller" {{
                      name        = "Biller"
                      permissions = ["budgets.read", "usage.read"]
                    }}
                    resource "rowhouse_team_member" "max" {{
                      team_id = "{team}"
                      user_id = "{}"
                      role    = "viewer"
                    }}
                    resource "rowhouse_member_role" "max" {{
                      user_id = "{}"
                      role    = "member"
                    }}
                    resource "rowhouse_project" "old" {{
                      name     = "Old"
                      archived = true
                    }}
                    output "found" {{ value = "${{data.rowhouse_role.biller.id}} ${{data.rowhouse_team.old.id}}" }}
                    "#,
                    max.user, max.user
                ),
            );
        };
        write(team);
        let wrong = ground.refuses(&["import", "rowhouse_team_member.max", "nobody"]);
        assert!(wrong.contains("nobody names nothing") && wrong.contains("team_id/user_id"), "{wrong}");
        ground.says(&["import", "rowhouse_role.biller", role.str("/id")]);
        ground.says(&["import", "rowhouse_team_member.max", &format!("{team}/{}", max.user)]);
        ground.says(&["import", "rowhouse_member_role.max", &max.user]);
        let said = ground.apply();
        assert!(said.contains("Resources: 1 added, 0 changed, 0 destroyed."), "{said}");
        assert!(named(&ann, "projects", "Old").await["archived_at"].is_string());
        ground.is_settled();
        assert!(said.contains(&format!("found = \"{} {team}\"", role.str("/id"))), "{said}");
        let said = ground.refuses(&["import", "rowhouse_role.other", "rol_00000000000000000000000000000001"]);
        assert!(said.contains("does not exist in the configuration"), "{said}");
        // Another team is another membership.
        write(other);
        let said = ground.apply();
        assert!(said.contains("Resources: 1 added, 0 changed, 1 destroyed."), "{said}");
        let shown = ann.get(&format!("/api/v1/members/{}", max.user)).await.expect(200).json;
        assert_eq!(shown["teams"], json!([{ "team_id": other, "role": "viewer" }]));
        // The role that was imported is the role of before, too: nothing becomes of it.
        ground.says(&["destroy", "-auto-approve"]);
        assert_eq!(ann.get(&format!("/api/v1/members/{}", max.user)).await.expect(200).json["role"], "member");
    }

    async fn texts_with_spaces_around_them_settle_and_what_is_archived_changes(house) {
        if !testing::packages::is_installed("python3 -m pip") {
            return;
        }
        let (ground, Players { ann, .. }) = Ground::new(&house).await;
        ground.write(
            "main.tf",
            r#"
            terraform {
              required_providers {
                rowhouse = { source = "terraform.local/rowhouse/rowhouse" }
              }
            }
            resource "rowhouse_project" "old" {
              name        = " Old "
              description = <<-EOT
                What was done
                before the move.
              EOT
              archived    = true
            }
            "#,
        );
        let said = ground.apply();
        assert!(said.contains("Resources: 1 added, 0 changed, 0 destroyed."), "{said}");
        let made = named(&ann, "projects", "Old").await;
        assert_eq!(made["description"], "What was done\nbefore the move.");
        ground.is_settled();
        // It stays archived, and nobody has to restore it by hand.
        ground.replace("main.tf", "before the move", "in the old house");
        let said = ground.apply();
        assert!(said.contains("Resources: 0 added, 1 changed, 0 destroyed."), "{said}");
        let changed = named(&ann, "projects", "Old").await;
        assert_eq!((&changed["id"], &changed["description"]), (&made["id"], &json!("What was done\nin the old house.")));
        assert!(changed["archived_at"].is_string(), "{changed}");
        ground.is_settled();
        // Neither does it stay open when it cannot be changed.
        ann.post("/api/v1/projects", &json!({ "name": "Taken" })).await.expect(201);
        ground.replace("main.tf", "\" Old \"", "\"Taken\"");
        let said = ground.refuses(&["apply", "-auto-approve"]);
        assert!(said.contains("Taken") || said.contains("taken"), "{said}");
        assert!(named(&ann, "projects", "Old").await["archived_at"].is_string());
        ground.replace("main.tf", "\"Taken\"", "\" Old \"");
        ground.is_settled();
        let taken = named(&ann, "projects", "Taken").await;
        ann.put(&format!("/api/v1/projects/{}/archive", id(&taken)), &json!({})).await.expect(200);
        ann.delete(&format!("/api/v1/projects/{}?confirm=Taken", id(&taken))).await.expect(204);
        // What really is another text is seen.
        ann.delete(&format!("/api/v1/projects/{}/archive", id(&made))).await.expect(200);
        ann.patch(&format!("/api/v1/projects/{}", id(&made)), &json!({ "name": "Older" })).await.expect(200);
        let said = ground.differs();
        assert!(said.contains("\"Older\" -> \" Old \""), "{said}");
        ground.apply();
        let said = ground.says(&["destroy", "-auto-approve"]);
        assert!(said.contains("Destroy complete! Resources: 1 destroyed."), "{said}");
        assert_eq!(ann.get("/api/v1/projects").await.expect(200).json["data"], json!([]));
    }
}
