//! An organisation looked after from a terminal: its people, roles and plan, with an API key.

use serde_json::{Value, json};
use testing::process::command;
use testing::{TestHouse, both_stores};

use crate::{BINARY, written};

/// Somebody's terminal, with the server and the key that it uses.
struct Terminal {
    folder: tempfile::TempDir,
    url: String,
    key: String,
    org: String,
}

impl Terminal {
    async fn new(house: &TestHouse, key: String, org: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder, url: house.open().await, key, org: org.to_owned() }
    }

    /// Runs a command, and gives its code and what it printed.
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let all = [arguments, &["--url", &self.url, "--org", &self.org]].concat();
        let mut command = command(BINARY, self.folder.path(), &all);
        let output = command.env("ROWHOUSE_API_KEY", &self.key).output().expect("it runs");
        (output.status.code(), written(&output))
    }

    /// What a command prints that succeeds.
    fn says(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(0), "{arguments:?}: {said}");
        said
    }

    /// The same, for programs.
    fn json(&self, arguments: &[&str]) -> Value {
        let said = self.says(&[arguments, &["--json"]].concat());
        serde_json::from_str(&said).unwrap_or_else(|_| panic!("{arguments:?} printed no JSON: {said}"))
    }

    /// What a command prints that is refused.
    fn refuses(&self, arguments: &[&str]) -> String {
        let (code, said) = self.run(arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        assert!(!said.contains(&self.key), "{said}");
        said
    }
}

/// The line that begins so, its columns parted by single spaces.
fn line(said: &str, start: &str) -> String {
    let found = said.lines().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("no {start} in {said}"));
    found.split_whitespace().collect::<Vec<_>>().join(" ")
}

both_stores! {
    async fn people_are_invited_and_given_roles_from_a_terminal(house) {
        let ann = house.sign_up("Ann").await;
        house.on_plan(&ann.org, "pro").await;
        let max = house.join(&ann, "Max", "member").await;
        ann.post("/api/v1/teams", &json!({ "name": "Engineering" })).await.expect(201);
        ann.post("/api/v1/projects", &json!({ "name": "Site" })).await.expect(201);
        let terminal = Terminal::new(&house, house.key(&ann).await, "ann-s-house").await;

        // Roles.
        let made = terminal.json(&["roles", "create", "Auditor", "--permission", "audit.read", "--permission", "org.read", "--description", "Reads"]);
        assert_eq!((&made["name"], &made["permissions"]), (&json!("Auditor"), &json!(["org.read", "audit.read"])));
        let id = made["id"].as_str().expect("an id");
        let listed = terminal.says(&["roles", "list"]);
        assert_eq!(line(&listed, "Auditor"), format!("Auditor 2 {id} Reads"));
        assert!(line(&listed, "viewer").contains("Reads what they were shown"), "{listed}");
        let changed = terminal.says(&["roles", "change", "Auditor", "--name", "Inspector", "--add", "audit.export", "--remove", "org.read"]);
        assert_eq!(line(&changed, "name"), "name Inspector");
        assert_eq!(line(&changed, "may"), "may audit.read");
        assert!(changed.contains(" audit.export") && !changed.contains("org.read"), "{changed}");
        assert!(line(&terminal.says(&["roles", "permissions"]), "audit.read").ends_with("search the audit log organization"));

        // Giving and taking them.
        let said = terminal.says(&["roles", "give", "Inspector", "MAX@example.com"]);
        assert_eq!(said, "MAX@example.com is Inspector in the organisation now.\n");
        terminal.says(&["roles", "give", "admin", "max@example.com", "--team", "Engineering"]);
        terminal.says(&["roles", "give", "viewer", &max.user, "--project", "Site"]);
        let shown = terminal.says(&["members", "show", "max@example.com"]);
        assert_eq!(line(&shown, "role"), "role Inspector");
        assert_eq!(line(&shown, "team"), "team Engineering, as admin");
        assert_eq!(line(&shown, "project"), "project Site, as viewer");
        assert_eq!(line(&shown, "may"), "may audit.read, audit.export");
        max.get("/api/v1/audit").await.expect(200);
        terminal.says(&["roles", "take", "max@example.com", "--team", "Engineering"]);
        assert!(!terminal.says(&["members", "show", "max@example.com"]).contains("Engineering"));
        assert!(line(&terminal.says(&["members", "list"]), "max@").starts_with("max@example.com Max Inspector active"));
        let held = terminal.refuses(&["roles", "delete", "Inspector"]);
        assert!(held.contains("This role is held by members") && held.contains("(conflict)"), "{held}");

        // Invitations.
        assert_eq!(terminal.says(&["invitations", "list"]), "There are no open invitations.\n");
        let said = terminal.says(&["invitations", "create", "eve@example.com", "--role", "Inspector", "--team", "Engineering=viewer", "--project", "Site"]);
        assert!(said.starts_with("Invited eve@example.com as Inspector. The link was mailed, and holds until 2026-11-25 10:00 UTC;"), "{said}");
        let link = said.split("#token=").nth(1).expect("a link").trim();
        let look = house.visitor().post("/api/v1/invitations/preview", &json!({ "token": link })).await.expect(200);
        assert_eq!(look.str("/role_name"), "Inspector");
        let open = terminal.json(&["invitations", "list"]);
        assert_eq!((&open[0]["teams"][0]["role"], &open[0]["projects"][0]["role"]), (&json!("viewer"), &json!("member")));
        assert!(line(&terminal.says(&["invitations", "list"]), "eve@").starts_with("eve@example.com Inspector open 2026-11-25 10:00 UTC inv_"));
        let again = terminal.json(&["invitations", "resend", "Eve@example.com"]);
        assert_eq!(again["id"], open[0]["id"]);
        house.visitor().post("/api/v1/invitations/preview", &json!({ "token": link })).await.expect(404);
        terminal.says(&["invitations", "revoke", again["id"].as_str().expect("an id")]);
        assert_eq!(line(&terminal.says(&["invitations", "list", "--all"]), "eve@").split(' ').nth(2), Some("revoked"));
        let gone = terminal.refuses(&["invitations", "revoke", "eve@example.com"]);
        assert!(gone.contains("there is nothing called eve@example.com among the invitations"), "{gone}");

        // A role that nobody holds goes.
        terminal.says(&["roles", "give", "viewer", "max@example.com"]);
        assert_eq!(terminal.says(&["roles", "delete", "Inspector"]), "Deleted the role Inspector.\n");
        assert!(terminal.refuses(&["roles", "show", "Inspector"]).contains("nothing called Inspector among the roles"));
    }

    async fn what_an_organisation_pays_for_is_told_in_a_terminal(house) {
        let ann = house.sign_up("Ann").await;
        let olga = house.operator("Olga").await;
        let terminal = Terminal::new(&house, house.key(&ann).await, &ann.org).await;
        let more = json!({
            "exception": { "kind": "limit", "meter": "seats", "limit": 40 },
            "until": "2026-12-24T18:30:00Z", "reason": "Christmas",
        });
        let made = olga.post(&format!("/api/v1/operator/orgs/{}/overrides", ann.org), &more).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let said = terminal.says(&["org", "plan"]);
        assert!(said.starts_with("Ann's house is on the plan free. It is active.\n"), "{said}");
        assert_eq!(line(&said, "seats"), "seats 40 1 an exception from the plan until 2026-12-24 18:30 UTC");
        assert_eq!(line(&said, "requests"), "requests 100 0 a month, anew on 2026-12-01 00:00 UTC");
        assert!(said.contains("not included: custom roles\n"), "{said}");
        let json = terminal.json(&["org", "plan"]);
        assert_eq!(json["entitlements"]["limits"]["seats"]["source"], "override");
        let said = terminal.says(&["org", "show"]);
        assert_eq!((line(&said, "slug"), line(&said, "status")), ("slug ann-s-house".into(), "status active".into()));
        let lacking = terminal.refuses(&["roles", "create", "Auditor", "--permission", "audit.read"]);
        assert!(lacking.contains("custom_roles") && lacking.contains("(entitlement)"), "{lacking}");
        let state = json!({ "status": "past_due" });
        olga.patch(&format!("/api/v1/operator/orgs/{}", ann.org), &state).await.expect(200);
        assert!(terminal.says(&["org", "plan"]).contains("It is past due: a payment is late, and nothing"));
    }

    async fn a_terminal_says_what_a_key_may_not_do_and_never_reaches_another_organisation(house) {
        let (ann, bob) = (house.sign_up("Ann").await, house.sign_up("Bob").await);
        house.on_plan(&bob.org, "pro").await;
        let foreign = bob.post("/api/v1/roles", &json!({ "name": "Secret", "permissions": [] })).await.expect(201);
        let invited = bob.post("/api/v1/invitations", &json!({ "email": "eve@example.com", "role": "viewer" })).await.expect(201);
        let usual = ann.post("/api/v1/auth/api-keys", &json!({ "name": "usual" })).await.expect(201);
        let mut terminal = Terminal::new(&house, usual.str("/key").to_owned(), &ann.org).await;
        // A key that was made without naming scopes looks, and gives nothing away.
        terminal.says(&["members", "list"]);
        for (arguments, lacks) in [
            (&["invitations", "create", "eve@example.com"][..], "invitations.create"),
            (&["roles", "create", "X", "--permission", "org.read"], "roles.write"),
            (&["roles", "give", "admin", "ann@example.com"], "members.update"),
        ] {
            let said = terminal.refuses(arguments);
            assert!(said.contains(&format!("you lack {lacks}. (forbidden)")) && said.contains("scopes name this too"), "{said}");
        }
        // One that may do everything does it at home.
        terminal.key = house.key(&ann).await;
        for arguments in [
            &["roles", "show", foreign.str("/id")][..],
            &["roles", "delete", foreign.str("/id")],
            &["invitations", "revoke", invited.str("/id")],
            &["invitations", "resend", invited.str("/id")],
            &["members", "show", &bob.user],
        ] {
            assert!(terminal.refuses(arguments).contains("(not_found)"), "{arguments:?}");
        }
        assert!(terminal.refuses(&["invitations", "resend", "eve@example.com"]).contains("nothing called"));
        assert!(terminal.refuses(&["members", "show", "bob@example.com"]).contains("nothing called"));
        terminal.org.clone_from(&bob.org);
        for arguments in [&["org", "plan"][..], &["members", "list"], &["roles", "list"], &["invitations", "list"]] {
            assert!(terminal.refuses(arguments).contains("the key is not for an organisation"), "{arguments:?}");
        }
        "rh_live_wrong".clone_into(&mut terminal.key);
        assert!(terminal.refuses(&["org", "show"]).contains("(unauthenticated) Is the key whole"));
    }
}
