//! What Terraform is told when something cannot be.

use serde_json::json;
use testing::both_stores;

use crate::ground::{Ground, Players};

/// One role and nothing else.
const ROLE: &str = r#"
    terraform {
      required_providers {
        rowhouse = { source = "terraform.local/rowhouse/rowhouse" }
      }
    }
    resource "rowhouse_role" "one" {
      name        = "Auditor"
      permissions = ["audit.read"]
    }
"#;

both_stores! {
    async fn a_wrong_key_and_what_a_key_may_not_do_are_told_in_plain_words(house) {
        if !testing::packages::is_installed("python3 -m pip") {
            return;
        }
        let (mut ground, Players { ann, .. }) = Ground::new(&house).await;
        let bob = house.sign_up("Bob").await;
        house.on_plan(&bob.org, "pro").await;
        let foreign = bob.post("/api/v1/roles", &json!({ "name": "Secret", "permissions": [] })).await.expect(201);
        let all = ground.key.clone();
        ground.write("main.tf", ROLE);
        "rh_live_wrong".clone_into(&mut ground.key);
        let said = ground.refuses(&["plan"]);
        assert!(said.contains("Is the key whole, of this server, and neither revoked nor ended? (unauthenticated, req_"), "{said}");
        ground.key = String::new();
        let said = ground.refuses(&["plan"]);
        assert!(said.contains("The provider needs an API key") && said.contains("Put it into ROWHOUSE_API_KEY"), "{said}");
        let usual = ann.post("/api/v1/auth/api-keys", &json!({ "name": "usual" })).await.expect(201);
        ground.key = usual.str("/key").to_owned();
        let said = ground.refuses(&["apply", "-auto-approve"]);
        assert!(said.contains("You may not make and change custom roles; you lack roles.write."), "{said}");
        assert!(said.contains("make one whose scopes name this too"), "{said}");

        // Another organisation's things are not there.
        ground.key = all;
        let said = ground.refuses(&["import", "rowhouse_role.one", foreign.str("/id")]);
        assert!(said.contains("Cannot import non-existent remote object"), "{said}");
        let own = std::mem::replace(&mut ground.org, bob.org.clone());
        let said = ground.refuses(&["plan"]);
        assert!(said.contains("the key is not for an organisation org_"), "{said}");
        ground.org = own;

        // What the server refuses is told at the attribute.
        ground.write("main.tf", &ROLE.replace("audit.read", "audit.everything"));
        let said = ground.refuses(&["apply", "-auto-approve"]);
        assert!(said.contains("names no permission") && said.contains("(invalid_field, req_"), "{said}");
        assert!(said.contains("in resource \"rowhouse_role\" \"one\""), "{said}");
        assert_eq!(ann.get("/api/v1/roles").await.expect(200).json["data"].as_array().map(Vec::len), Some(4));
    }

    async fn nothing_is_done_to_what_was_changed_since_it_was_planned(house) {
        if !testing::packages::is_installed("python3 -m pip") {
            return;
        }
        let (ground, Players { ann, max }) = Ground::new(&house).await;
        ground.write("main.tf", ROLE);
        ground.apply();
        let all = ann.get("/api/v1/roles").await.expect(200).json;
        let path = format!("/api/v1/roles/{}", all["data"][4]["id"].as_str().expect("an id"));
        ground.write("main.tf", &ROLE.replace("audit.read", "audit.export"));
        ground.says(&["plan", "-out=planned"]);
        ann.patch(&path, &json!({ "description": "Somebody's." })).await.expect(200);
        let said = ground.refuses(&["apply", "planned"]);
        assert!(said.contains("It was changed or deleted since this was planned"), "{said}");
        let role = ann.get(&path).await.expect(200).json;
        assert_eq!((&role["description"], &role["permissions"]), (&json!("Somebody's."), &json!(["audit.read"])));

        // What somebody holds is not taken away under them.
        ground.apply();
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": role["id"] })).await.expect(200);
        let said = ground.refuses(&["destroy", "-auto-approve"]);
        assert!(said.contains("This role is held by members"), "{said}");
        ann.patch(&format!("/api/v1/members/{}", max.user), &json!({ "role": "member" })).await.expect(200);
        // What is gone already is destroyed.
        ground.says(&["plan", "-destroy", "-out=planned"]);
        ann.delete(&path).await.expect(204);
        ground.says(&["apply", "planned"]);
    }
}
